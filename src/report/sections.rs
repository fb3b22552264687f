//! The sections of the report's text. One that has nothing to say is left out.

use std::collections::BTreeMap;

use super::model::{Backend, Balancer, ExpectationReport, IncidentReport, InstanceReport, MilestoneReport, Report};
use super::table::{Align, Table, WIDTH, cut, wrap};
use super::text::Text;
use super::tiers;
use super::words::{clock, count, dollars, measured, percent, plural};
use crate::layout::printable;

/// How many of the last events are shown.
const EVENTS: usize = 20;

/// How many of the commands that were not reached are shown.
const STEPS: usize = 20;

/// What became of the layout's expectations.
pub(super) fn expectations(text: &mut Text, report: &Report) {
    if report.expectations.is_empty() {
        return;
    }
    text.section("expectations");
    for expectation in &report.expectations {
        let condition = format!("{} {}", expectation.quantifier, printable(&expectation.text));
        text.line(&cut(&format!("  {:<8}  {condition}", expectation.verdict), WIDTH));
        if let Some(why) = failure(expectation) {
            text.line(&format!("            {why}"));
        }
    }
}

fn failure(expectation: &ExpectationReport) -> Option<String> {
    if expectation.verdict == "unjudged" {
        return Some("never judged: the run was too short, or all of it was grace".to_string());
    }
    let (at, found) = expectation.failed_at_s.zip(expectation.failed_value)?;
    let found = measured(found, expectation.bound, &expectation.unit);
    Some(format!("first at {}: measured {found}", clock(at)))
}

/// Why requests failed, and where.
pub(super) fn failures(text: &mut Text, report: &Report) {
    let mut table = Table::new(&[
        ("machine", Align::Left),
        ("reason", Align::Left),
        ("requests", Align::Right),
        ("share", Align::Right),
    ]);
    let all: u64 = report.failures.iter().map(|failure| failure.count).sum();
    for failure in report.failures.iter().filter(|failure| failure.count > 0) {
        table.row(vec![
            printable(&failure.at),
            failure.reason.to_string(),
            count(failure.count),
            percent(failure.count as f64 / all as f64),
        ]);
    }
    if !table.is_empty() {
        text.section("failed or retried, by cause");
        text.lines(&table.lines());
    }
}

/// Users by population, if there are several.
pub(super) fn populations(text: &mut Text, report: &Report) {
    let mut table = Table::new(&[
        ("users", Align::Left),
        ("sent", Align::Right),
        ("ok", Align::Right),
        ("failed", Align::Right),
        ("retried", Align::Right),
        ("ok share", Align::Right),
    ]);
    let mut populations = 0;
    for service in &report.services {
        if let Some(requests) = &service.requests {
            populations += 1;
            table.row(vec![
                printable(&service.selector),
                count(requests.sent),
                count(requests.ok),
                count(requests.failed),
                count(requests.retried),
                percent(requests.ok_ratio),
            ]);
        }
    }
    if populations > 1 {
        text.section("users");
        text.lines(&table.lines());
    }
}

/// Every instance and what it did.
pub(super) fn machines(text: &mut Text, report: &Report) {
    let mut table = Table::new(&[
        ("machine", Align::Left),
        ("health", Align::Left),
        ("cores in use", Align::Right),
        ("peak backlog", Align::Right),
        ("received", Align::Right),
        ("ok", Align::Right),
        ("failed", Align::Right),
    ]);
    let services = report.services.iter().filter(|service| service.kind != "users");
    let instances: Vec<&InstanceReport> = services.flat_map(|service| &service.instances).collect();
    let mut on: BTreeMap<&str, usize> = BTreeMap::new();
    for instance in &instances {
        *on.entry(&instance.machine).or_default() += 1;
    }
    for instance in instances {
        // What is measured is the machine: where several share one, it has a row of its own, before the first of them.
        let shared = on.get_mut(instance.machine.as_str()).filter(|sharing| **sharing != 1);
        let cores = percent(instance.mean_utilisation);
        let cores = match shared {
            Some(sharing) => {
                if std::mem::take(sharing) > 0 {
                    table.row(shared_machine(&instance.machine, cores));
                }
                "shared".to_string()
            }
            None => cores,
        };
        table.row(vec![
            printable(&instance.selector),
            in_words(instance.health),
            cores,
            count(u64::from(instance.peak_backlog)),
            count(instance.received),
            count(instance.ok),
            count(instance.failed),
        ]);
    }
    if !table.is_empty() {
        text.section("machines");
        text.lines(&table.lines());
    }
    for service in &report.services {
        text.lines(&tiers::held(service));
        if let Some(database) = &service.database {
            text.lines(&wrap(
                &format!(
                    "{} holds {}: {} answered, {} acknowledged",
                    printable(&service.selector),
                    plural(database.rows, "row"),
                    plural(database.reads, "read"),
                    plural(database.writes, "write")
                ),
                2,
            ));
        }
    }
}

/// The row of a machine that several instances share.
fn shared_machine(name: &str, cores: String) -> Vec<String> {
    let mut cells = vec![printable(name), "machine".to_string(), cores];
    cells.resize(7, String::new());
    cells
}

/// Where each load balancer sent the traffic, what it believes, and what is true.
pub(super) fn balancers(text: &mut Text, report: &Report) {
    for service in &report.services {
        let Some(balancer) = &service.balancer else { continue };
        text.section(&cut(
            &format!("{} · {}", printable(&service.selector), printable(&service.detail)),
            WIDTH,
        ));
        let mut table = Table::new(&[
            ("server", Align::Left),
            ("sent", Align::Right),
            ("share", Align::Right),
            ("truth", Align::Left),
            ("believed", Align::Left),
        ]);
        for backend in &balancer.backends {
            table.row(vec![
                printable(&backend.selector),
                count(backend.sent),
                percent(backend.share),
                backend.health.map_or_else(|| "gone".to_string(), in_words),
                belief(backend),
            ]);
        }
        text.lines(&table.lines());
        if checks_are_counted(report, balancer) {
            let note = "Health checks are requests too: a server has received more than it was sent.";
            text.lines(&wrap(note, 2));
        }
    }
}

/// Whether a server has received more than the balancer sent it.
fn checks_are_counted(report: &Report, balancer: &Balancer) -> bool {
    let received: BTreeMap<&str, u64> = report
        .services
        .iter()
        .flat_map(|service| &service.instances)
        .map(|instance| (instance.selector.as_str(), instance.received))
        .collect();
    let more = |backend: &Backend| {
        let received = received.get(backend.selector.as_str());
        received.is_some_and(|received| *received > backend.sent)
    };
    balancer.backends.iter().any(more)
}

fn belief(backend: &Backend) -> String {
    let contrary = u64::from(backend.contrary_checks);
    match (backend.believed, contrary) {
        (believed, 0) => believed.to_string(),
        ("up", failed) => format!("up, {} failed", plural(failed, "check")),
        (believed, passed) => format!("{believed}, {} passed", plural(passed, "check")),
    }
}

/// What was done to the system and what came of it.
pub(super) fn incidents(text: &mut Text, report: &Report) {
    if report.incidents.is_empty() {
        return;
    }
    text.section("incidents");
    for incident in &report.incidents {
        let what = printable(&incident.what);
        let head = format!("{:>3}  {}  {what}", incident.number, clock(incident.injected_s));
        text.line(&cut(&head, WIDTH));
        text.lines(&wrap(&milestones(incident), 5));
        text.lines(&wrap(
            &format!(
                "{} failed, {} retried, {} lost{}{}{}{}",
                count(incident.failed),
                count(incident.retried),
                plural(incident.lost_writes, "write"),
                lost_jobs(incident.lost_jobs),
                put_aside(incident),
                signed_out(incident.lost_sessions),
                spent(incident.extra_spent_usd)
            ),
            5,
        ));
        text.lines(&wrap(&printable(&incident.sentence), 5));
    }
}

/// What was missing for a while, and what became of it.
fn put_aside(incident: &IncidentReport) -> String {
    let counts = [
        (incident.missing_writes, "missing for a while"),
        (incident.replayed, "replayed"),
        (incident.given_up, "given up"),
    ];
    let told = counts.into_iter().filter(|(number, _)| *number > 0);
    told.fold(String::new(), |text, (number, words)| {
        text + &format!(", {} {words}", count(number))
    })
}

fn lost_jobs(jobs: u64) -> String {
    match jobs {
        0 => String::new(),
        some => format!(", {} lost", plural(some, "job")),
    }
}

fn signed_out(sessions: u64) -> String {
    match sessions {
        0 => String::new(),
        some => format!(", {} signed out", plural(some, "user")),
    }
}

fn spent(extra: f64) -> String {
    let word = if extra < 0.0 { "less" } else { "more" };
    if extra.abs() < 0.005 {
        return String::new();
    }
    format!(", {} {word} spent than usual", dollars(extra.abs()))
}

/// The milestones with the time from the fault to each.
fn milestones(incident: &IncidentReport) -> String {
    let who = |milestone: &Option<MilestoneReport>| milestone.as_ref().map(|milestone| milestone.who.clone());
    let at = |milestone: &Option<MilestoneReport>| milestone.as_ref().map(|milestone| milestone.at_s);
    let milestones = [
        ("hurt", incident.hurt_s, incident.first_hurt.clone()),
        ("noticed", at(&incident.noticed), who(&incident.noticed)),
        ("acted", at(&incident.acted), who(&incident.acted)),
        ("served", incident.served_s, None),
        ("healed", incident.healed_s, None),
    ];
    let words = milestones.map(|(name, at, who)| match (at, who) {
        (Some(at), Some(who)) => {
            let by = if name == "hurt" { "" } else { "by " };
            format!("{name} +{:.3}s {by}{}", at - incident.injected_s, printable(&who))
        }
        (Some(at), None) => format!("{name} +{:.3}s", at - incident.injected_s),
        (None, _) => format!("not {name}"),
    });
    words.join(", ")
}

/// Commands that did not do what the script asks.
pub(super) fn commands(text: &mut Text, report: &Report) {
    if !report.refused.is_empty() {
        text.section("refused commands");
        for refused in &report.refused {
            let place = place(refused.line, refused.column);
            let line = format!("{} {}{place}: {}", clock(refused.at_s), refused.command, refused.why);
            text.lines(&wrap(&printable(&line), 2));
        }
    }
    if !report.unreached.is_empty() {
        text.section("steps not done: the run ended before");
        for step in report.unreached.iter().take(STEPS) {
            let when = match (step.at_s, &step.after) {
                (Some(at_s), _) => clock(at_s),
                (None, after) => format!("after {}:", after.as_deref().unwrap_or_default()),
            };
            let line = format!("{when} {}{}", step.command, place(step.line, step.column));
            text.lines(&wrap(&printable(&line), 2));
        }
        if report.unreached.len() > STEPS {
            text.line(&format!("  and {} more: see --json", report.unreached.len() - STEPS));
        }
    }
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    match line.zip(column) {
        Some((line, column)) => format!(" (script, line {line}, column {column})"),
        None => String::new(),
    }
}

/// The last events.
pub(super) fn events(text: &mut Text, report: &Report) {
    if report.events.is_empty() {
        return;
    }
    let shown = &report.events[report.events.len().saturating_sub(EVENTS)..];
    if shown.len() as u64 == report.events_total {
        text.section("events");
    } else {
        text.section(&format!(
            "events, the last {} of {}",
            shown.len(),
            count(report.events_total)
        ));
    }
    for event in shown {
        let mark = match event.severity {
            "bad" => 'x',
            "warning" => '!',
            "good" => '+',
            _ => ' ',
        };
        let line = format!("  {}  {mark} {}", clock(event.at_s), printable(&event.text));
        text.line(&cut(&line, WIDTH));
    }
}

/// A word of the JSON as people write it.
fn in_words(word: &str) -> String {
    word.replace('_', " ")
}
