//! What a run was as a whole: a paragraph, the figures that matter, expectations, causes, commands.

use super::{Block, Cell, Fact, Grid, Prose, Section, Tone, dollars, section, span};
use crate::report::model::{ExpectationReport, IncidentReport, Report};
use crate::report::words::{clock, count, measured, milliseconds, percent, plural, value};

/// The run in a paragraph.
pub(super) fn summary(report: &Report) -> Prose {
    let requests = &report.requests;
    let mut prose = Prose::words(format!(
        "In {} of simulated time users sent {}. ",
        span(report.duration_s),
        plural(requests.sent, "request")
    ));
    prose = if requests.failed == 0 {
        prose.and("None of them failed")
    } else {
        prose.and(format!(
            "{} of those that ended were answered well, and {} failed",
            percent(requests.ok_ratio),
            count(requests.failed)
        ))
    };
    prose = prose.and(match requests.retried {
        0 => ". ".to_string(),
        some => format!("; {} {} tried again. ", plural(some, "request"), were(some)),
    });
    prose = match report.incidents.as_slice() {
        [] => prose.and("Nothing was broken. "),
        [one] => worst(prose.and("There was one incident: "), report, one),
        [first, .., last] => {
            let worst_one = longest(report);
            let number = last.number - first.number + 1;
            let prose = prose.and(format!("There were {number} incidents. The one that hurt longest: "));
            worst(prose, report, worst_one)
        }
    };
    prose = prose.and(match report.lost_writes {
        0 => "No write was lost of which users were told that it is safe.".to_string(),
        some => format!(
            "{} {} lost of which users were told that they are safe.",
            plural(some, "write"),
            were(some)
        ),
    });
    prose.and(verdict(report))
}

/// `was` or `were`, as a count asks for it.
fn were(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// How long users were hurt by an incident.
fn hurt_for(report: &Report, incident: &IncidentReport) -> f64 {
    let until = incident.served_s.unwrap_or(report.duration_s);
    incident.hurt_s.map_or(0.0, |hurt| until - hurt)
}

/// The incident that hurt users longest; of several the first.
fn longest(report: &Report) -> &IncidentReport {
    let mut longest = &report.incidents[0];
    for incident in &report.incidents[1..] {
        if hurt_for(report, incident) > hurt_for(report, longest) {
            longest = incident;
        }
    }
    longest
}

fn worst(prose: Prose, report: &Report, incident: &IncidentReport) -> Prose {
    let after = |at: f64| span(at - incident.injected_s);
    let prose = prose
        .told(&incident.what)
        .and(format!(" at {}. ", clock(incident.injected_s)));
    let prose = match &incident.noticed {
        Some(noticed) => prose
            .and(format!("It was noticed after {} by ", after(noticed.at_s)))
            .name(&noticed.who),
        None => prose.and("Nobody noticed"),
    };
    prose.and(match (incident.hurt_s, incident.served_s) {
        (None, _) => ", and users felt nothing. ".to_string(),
        (_, Some(served)) => format!(", and users were served as before after {}. ", after(served)),
        (_, None) => format!(
            ", and users were not served as before when the run ended, {} later. ",
            span(report.duration_s - incident.injected_s)
        ),
    })
}

/// Whether the run passed, where something was asked of it.
fn verdict(report: &Report) -> String {
    let all = report.expectations.len();
    let broken = report.expectations.iter().filter(|one| one.verdict != "held").count();
    let expected = match (all, broken) {
        (0, _) => String::new(),
        (1, 0) => " The expectation held.".to_string(),
        (_, 0) => format!(" All {all} expectations held."),
        (_, some) => format!(" Of {}, {some} did not hold.", plural(all as u64, "expectation")),
    };
    let undone = (report.refused.len() + report.unreached_commands) as u64;
    if undone == 0 {
        return expected;
    }
    let steps = plural(undone, "step");
    format!("{expected} {steps} of the script {} not done.", were(undone))
}

/// Whether the run passed. Where nothing was expected of it, that says nothing of how well it went.
fn passed(report: &Report) -> Fact {
    if !report.passed {
        return Fact::new("Verdict", "not passed").tone(Tone::Bad);
    }
    if report.expectations.is_empty() {
        return Fact::new("Verdict", "none").note(Prose::words("nothing was expected of the run"));
    }
    Fact::new("Verdict", "passed").tone(Tone::Good)
}

/// The figures that matter most.
pub(super) fn facts(report: &Report) -> Vec<Fact> {
    let (requests, latency) = (&report.requests, &report.latency_ms);
    let bad = |number: u64| if number > 0 { Tone::Bad } else { Tone::Plain };
    let mut facts = vec![
        passed(report),
        Fact::new("Answered well", percent(requests.ok_ratio)).note(Prose::words(format!(
            "{} of {} sent",
            count(requests.ok),
            count(requests.sent)
        ))),
        Fact::new("Failed", count(requests.failed)).tone(bad(requests.failed)),
        Fact::new("Tried again", count(requests.retried)),
        Fact::new("Median latency", milliseconds(latency.p50)),
        Fact::new("99th percentile", milliseconds(latency.p99))
            .note(Prose::words(format!("longest {}", milliseconds(latency.max)))),
        Fact::new("Writes lost", count(report.lost_writes)).tone(bad(report.lost_writes)),
    ];
    if requests.unfinished > 0 {
        facts.push(Fact::new("Under way", count(requests.unfinished)).note(Prose::words("when the run ended")));
    }
    if let Some(sessions) = &report.sessions {
        facts.push(
            Fact::new("Sessions lost", count(sessions.lost))
                .note(Prose::words(format!(
                    "{} signed in at the end",
                    count(sessions.signed_in)
                )))
                .tone(bad(sessions.lost)),
        );
    }
    let queues = report.services.iter().filter_map(|service| service.queue.as_ref());
    let jobs: Vec<(u64, u64)> = queues.map(|queue| (queue.jobs.accepted, queue.jobs.lost)).collect();
    if !jobs.is_empty() {
        let (accepted, lost) = jobs.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        facts.push(
            Fact::new("Jobs lost", count(lost))
                .note(Prose::words(format!("of {} accepted", count(accepted))))
                .tone(bad(lost)),
        );
    }
    facts.push(
        Fact::new("Cost", dollars(report.cost.spent_usd)).note(Prose::words(format!(
            "{} an hour at the end",
            dollars(report.cost.usd_per_hour)
        ))),
    );
    facts
}

/// Expectations, causes and commands.
pub(super) fn sections(report: &Report) -> Vec<Section> {
    let sections = [
        section("Expectations", expectations(report)),
        section("Why requests failed or were tried again", causes(report)),
        section("What was done", commands(report)),
    ];
    sections.into_iter().flatten().collect()
}

fn expectations(report: &Report) -> Vec<Block> {
    let mut grid = Grid::new(
        "What was expected of the run, and what became of it",
        &[("Verdict", false), ("Expectation", false), ("Found", false)],
    );
    for expectation in &report.expectations {
        let tone = match expectation.verdict.as_ref() {
            "held" => Tone::Good,
            "failed" => Tone::Bad,
            _ => Tone::Warning,
        };
        grid.row(vec![
            Cell::words(expectation.verdict.clone()).tone(tone),
            Cell::name(&format!("{} {}", expectation.quantifier, expectation.text)),
            Cell::words(found(expectation)),
        ]);
    }
    grid.blocks()
}

fn found(expectation: &ExpectationReport) -> String {
    if expectation.verdict == "unjudged" {
        return "never judged: the run was too short, or all of it was grace".to_string();
    }
    let failure = expectation.failed_at_s.zip(expectation.failed_value);
    failure.map_or(String::new(), |(at, found)| {
        let found = measured(found, expectation.bound, &expectation.unit);
        format!("{found}, first at {}", clock(at))
    })
}

fn causes(report: &Report) -> Vec<Block> {
    let mut grid = Grid::new(
        "Failed and retried requests of the whole run, by cause",
        &[("Where", false), ("Reason", false), ("Requests", true), ("Share", true)],
    );
    let all: u64 = report.failures.iter().map(|failure| failure.count).sum();
    for failure in report.failures.iter().filter(|failure| failure.count > 0) {
        grid.row(vec![
            Cell::name(&failure.at),
            Cell::words(failure.reason),
            Cell::words(count(failure.count)),
            Cell::words(percent(failure.count as f64 / all as f64)),
        ]);
    }
    grid.blocks()
}

fn commands(report: &Report) -> Vec<Block> {
    let mut done = Grid::new("Commands that took effect", &[("Moment", true), ("Command", false)]);
    for command in &report.commands {
        done.row(vec![Cell::words(clock(command.at_s)), Cell::name(&command.command)]);
    }
    let mut refused = Grid::new(
        "Commands that were refused",
        &[("Moment", true), ("Command", false), ("Why", false), ("Script", false)],
    );
    for command in &report.refused {
        refused.row(vec![
            Cell::words(clock(command.at_s)),
            Cell::name(&command.command),
            Cell::told(&command.why).tone(Tone::Warning),
            Cell::words(place(command.line, command.column)),
        ]);
    }
    let mut unreached = Grid::new(
        "Steps that were not done: the run ended before",
        &[("When", true), ("Step", false), ("Script", false)],
    );
    for step in &report.unreached {
        let when = match (step.at_s, &step.after) {
            (Some(at), _) => Cell::words(clock(at)),
            (None, after) => Cell::of(Prose::words("after ").told(after.as_deref().unwrap_or_default())),
        };
        unreached.row(vec![
            when,
            Cell::name(&step.command),
            Cell::words(place(step.line, step.column)),
        ]);
    }
    let grids = [done, refused, unreached];
    grids.into_iter().flat_map(Grid::blocks).collect()
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    line.zip(column)
        .map_or(String::new(), |(line, column)| format!("line {line}, column {column}"))
}

/// What it takes to run it again.
pub(super) fn ending(report: &Report, again: &str) -> Section {
    let mut grid = Grid::new(
        "The same of these gives the same run",
        &[("What", false), ("Which", false)],
    );
    let rows = [
        ("Layout", Cell::name(&report.layout.name)),
        ("Seed", Cell::words(report.seed.to_string())),
        ("Length", Cell::words(clock(report.duration_s))),
        ("Traffic at the end", Cell::words(format!("x{}", value(report.traffic)))),
        ("Version of blastradius", Cell::words(report.engine)),
        ("Digest of the history", Cell::name(&report.digest)),
    ];
    for (what, which) in rows {
        grid.row(vec![Cell::words(what), which]);
    }
    let mut blocks = vec![Block::Command(
        "The same version of the program makes the same history, to the bit:",
        again.to_string(),
    )];
    blocks.extend(grid.blocks());
    Section {
        title: Prose::words("Run it again"),
        blocks,
    }
}
