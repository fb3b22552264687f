//! The capacity as text for a terminal, Markdown for a ticket, and CSV for a spreadsheet.

use super::sentences::times;
use super::{CapacityReport, CarriedReport, LossReport, LostReport, ProbeReport, TierReport, plot};
use crate::analyze::capacity::{LEAST, MOST};
use crate::layout::printable;
use crate::report::blast::field;
use crate::report::markdown::literal;
use crate::report::table::{Align, Table, wrap};
use crate::report::words::{count, milliseconds, percent, plural, value};

/// The fields of the CSV.
const FIELDS: &str = "factor,lost,holds,offered_per_s,served_per_s,failed_ratio,p50_ms,p99_ms,watched_s,broken,first,\
                      first_utilisation,digest";

/// From this precision on, texts say between what the capacity lies, and not what it is.
const COARSE: f64 = 0.1;

/// For a terminal, 80 columns wide.
pub fn to_text(report: &CapacityReport) -> String {
    let mut lines = vec![format!(
        "{}{}  {}",
        if report.complete { "" } else { "interrupted: " },
        printable(&report.layout.name),
        printable(&report.layout.title)
    )];
    lines.extend(answers(report).iter().flat_map(|line| wrap(&printable(line), 0)));
    lines.extend([String::new()]);
    lines.extend(plot::lines(report));
    if !report.tiers.is_empty() {
        lines.extend([String::new(), "headroom of the tiers, nothing lost".to_owned()]);
        let mut table = Table::new(&TIERS);
        report.tiers.iter().for_each(|tier| table.row(tier_cells(tier)));
        lines.extend(table.lines());
    }
    if let Some(loss) = report.with_loss.as_ref().filter(|loss| !loss.failures.is_empty()) {
        lines.extend([String::new(), format!("if one {} is lost", named(loss.lost))]);
        let mut table = Table::new(&LOSSES);
        loss.failures
            .iter()
            .for_each(|lost| table.row(lost_cells(report, lost)));
        lines.extend(table.lines());
    }
    lines.extend([String::new()]);
    lines.extend(judged(report).iter().flat_map(|line| wrap(&printable(line), 0)));
    lines.join("\n") + "\n"
}

/// The columns of the tiers.
const TIERS: [(&str, Align); 6] = [
    ("tier", Align::Left),
    ("machines", Align::Right),
    ("busy at 1x", Align::Right),
    ("headroom", Align::Right),
    ("at capacity", Align::Right),
    ("full at", Align::Right),
];

/// The columns of what is lost.
const LOSSES: [(&str, Align); 4] = [
    ("lost", Align::Left),
    ("holds", Align::Right),
    ("breaks", Align::Right),
    ("which is", Align::Left),
];

fn tier_cells(tier: &TierReport) -> Vec<String> {
    let machines = if tier.machines == 0 {
        "-".to_owned()
    } else if tier.most_machines > tier.machines {
        format!(
            "{} of {}",
            count(tier.machines.into()),
            count(tier.most_machines.into())
        )
    } else {
        count(tier.machines.into())
    };
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| percent(share.max(0.0)));
    vec![
        printable(&tier.name),
        machines,
        share(tier.own_utilisation),
        share(tier.headroom),
        percent(tier.utilisation),
        tier.full_at_factor.map_or_else(|| "-".to_owned(), times),
    ]
}

fn lost_cells(report: &CapacityReport, lost: &LostReport) -> Vec<String> {
    let any = match lost.stands_for {
        1 => String::new(),
        several => format!(" (any of {})", count(several)),
    };
    let factor = |factor: Option<f64>| factor.map_or_else(|| "-".to_owned(), times);
    let words = match lost.class {
        "single_point" => "a single point of failure",
        "worst" => "the worst",
        "not_tried" => "not tried: it was not there, or there was no time",
        "costs" => "survived, with less traffic",
        _ if is_coarse(report) => "survived, and more was not tried",
        _ => "survived, with as much traffic",
    };
    vec![
        printable(&format!("{}{any}", lost.target)),
        factor(lost.holds_factor),
        factor(lost.breaks_factor),
        words.to_owned(),
    ]
}

/// The answers, a sentence each.
pub(super) fn answers(report: &CapacityReport) -> Vec<String> {
    let mut lines = Vec::new();
    if !report.complete {
        lines.push(format!("interrupted, this is what is known so far: {}", known(report)));
        if report.undisturbed.holds_factor.is_none() {
            return lines;
        }
    }
    lines.extend(answer(report, &report.undisturbed));
    if !report.complete {
        return lines;
    }
    if let Some(loss) = &report.with_loss {
        lines.extend(answer_with_loss(report, loss));
    }
    lines
}

fn rate(report: &CapacityReport, factor: f64) -> String {
    let rate = report.own_rate_per_s * factor;
    if rate >= 10.0 {
        format!("{} requests/s", count(rate.round() as u64))
    } else {
        format!("{rate:.1} requests/s")
    }
}

/// Whether what holds and what breaks lie so far apart that the one is no word for the other.
fn is_coarse(report: &CapacityReport) -> bool {
    report.precision > COARSE
}

/// As one types it: `50%`.
fn precision(report: &CapacityReport) -> String {
    format!("{}%", value((report.precision * 1e4).round() / 1e2))
}

/// `it carries 2.4x its traffic of 400 requests/s: 960 requests/s, and breaks at 2.52x`; with a coarse precision only what is known.
fn carries(report: &CapacityReport, holds: f64, breaks: f64) -> String {
    let own = rate(report, 1.0);
    let (told, most) = (rate(report, holds), times(breaks));
    let holds = times(holds);
    if is_coarse(report) {
        let precision = precision(report);
        return format!(
            "it carries at least {holds} its traffic of {own}, {told}, and less than {most}: nothing between was tried (--precision {precision})"
        );
    }
    format!("it carries {holds} its traffic of {own}: {told}, and breaks at {most}")
}

/// Who gives first, and why. Where much lies between what holds and what breaks, another one may have given way before.
fn why(report: &CapacityReport, carried: &CarriedReport) -> Option<String> {
    let why = carried.why.clone()?;
    if is_coarse(report) {
        return Some(why.replacen(" gives first, at ", " has given way by ", 1));
    }
    Some(why)
}

fn answer(report: &CapacityReport, carried: &CarriedReport) -> Vec<String> {
    let own = rate(report, 1.0);
    let first = match (carried.holds_factor, carried.breaks_factor) {
        (None, _) if report.most_factor < 1.0 => {
            format!(
                "nothing that was tried holds, from {} to {} of its {own}; 1x was not tried, since it is above --most-rate",
                times(LEAST),
                times(report.most_factor)
            )
        }
        (None, _) => format!("it carries neither 1x nor even {} of its {own}", value(LEAST)),
        (Some(holds), Some(breaks)) if holds < 1.0 && breaks <= 1.0 => format!(
            "it cannot carry its own traffic of {own}: it carries {} of it, {}, and breaks at {}",
            times(holds),
            rate(report, holds),
            times(breaks)
        ),
        (Some(holds), Some(breaks)) => carries(report, holds, breaks),
        (Some(holds), None) => format!(
            "it carries at least {} its traffic of {own}, {}: more was not tried ({})",
            times(holds),
            rate(report, holds),
            if report.most_factor >= MOST {
                "it is the most that can be asked for"
            } else {
                "--most-rate allows no more"
            }
        ),
    };
    let mut lines = vec![first];
    lines.extend(why(report, carried));
    lines
}

fn answer_with_loss(report: &CapacityReport, loss: &LossReport) -> Vec<String> {
    let what = named(loss.lost);
    let names = |class: &str| -> Vec<String> {
        let of = loss.failures.iter().filter(|lost| lost.class == class);
        of.map(|lost| lost.target.clone()).collect()
    };
    let (worst, points) = (names("worst"), names("single_point"));
    let carried = &loss.carried;
    let survives = format!(
        "not even {} survives the loss of {}",
        loss.failures
            .iter()
            .find(|lost| lost.class == "single_point")
            .and_then(|lost| lost.breaks_factor)
            .map_or_else(String::new, times),
        points.join(", ")
    );
    let first = match (carried.holds_factor, worst.is_empty()) {
        _ if loss.failures.is_empty() => format!("there is no {what} that could be lost"),
        (None, _) if points.is_empty() => format!("no {what} that could be lost was there"),
        (None, _) => return vec![format!("no {what} can be lost: {survives}")],
        (Some(holds), true) if is_coarse(report) => format!(
            "whichever {what} is lost that can be, it carries at least {}, {}: more was not tried (--precision {})",
            times(holds),
            rate(report, holds),
            precision(report)
        ),
        (Some(holds), true) => format!(
            "whichever {what} is lost that can be, it carries as much, to the precision: {}, {}",
            times(holds),
            rate(report, holds)
        ),
        (Some(holds), false) => {
            let least = match carried.breaks_factor {
                Some(breaks) if is_coarse(report) => {
                    format!("at least {}, and less than {}", times(holds), times(breaks))
                }
                _ => times(holds),
            };
            format!(
                "if one {what} is lost, at worst {}, it carries {least}: {}",
                worst.join(" or "),
                rate(report, holds)
            )
        }
    };
    let mut lines = vec![first];
    lines.extend(why(report, carried));
    if !points.is_empty() {
        lines.push(format!("single points of failure are left out of that: {survives}"));
    }
    lines
}

fn named(lost: &str) -> &str {
    if lost == "data_center" { "data center" } else { lost }
}

/// What was judged, and how.
fn judged(report: &CapacityReport) -> Vec<String> {
    let demands: Vec<String> = report
        .demands
        .iter()
        .map(|demand| match demand.origin {
            "default" => format!("{} (by default)", demand.text),
            _ => demand.text.clone(),
        })
        .collect();
    let mut lines = vec![format!("judged: {}; no queue may grow without end", demands.join("; "))];
    if !report.aside.is_empty() {
        lines.push(format!("not judged: {}", report.aside.join("; ")));
    }
    let all = report.probes.len() as u64;
    let lossy = report.probes.iter().filter(|probe| probe.lost.is_some()).count() as u64;
    let (with, later) = match &report.with_loss {
        Some(loss) if lossy > 0 => (
            format!(", {} of them with one {} lost", count(lossy), named(loss.lost)),
            format!("; with a loss {}s after it", report.grace_s),
        ),
        _ => (String::new(), String::new()),
    };
    lines.push(format!(
        "{}{with}, seed {}; each is watched for {}s after {}s of warm-up{later}",
        plural(all, "run"),
        report.seed,
        report.watched_s,
        report.warm_up_s,
    ));
    lines
}

/// What is known of a search that was stopped, in a sentence.
pub fn known(report: &CapacityReport) -> String {
    let of = |carried: &CarriedReport| {
        let factor = |factor: Option<f64>| factor.map(times);
        match (factor(carried.holds_factor), factor(carried.breaks_factor)) {
            (None, None) => "nothing is known yet".to_owned(),
            (Some(holds), None) => format!("holds at {holds}"),
            (None, Some(breaks)) => format!("breaks at {breaks}"),
            (Some(holds), Some(breaks)) => format!("holds at {holds} and breaks at {breaks}"),
        }
    };
    let loss = report.with_loss.as_ref().map_or_else(String::new, |loss| {
        format!("; with one {} lost {}", named(loss.lost), of(&loss.carried))
    });
    format!("undisturbed {}{loss}", of(&report.undisturbed))
}

/// For a ticket or a pull request.
pub fn to_markdown(report: &CapacityReport) -> String {
    let mut lines = vec![
        format!("## Capacity of {}", literal(&report.layout.name)),
        String::new(),
    ];
    lines.extend(answers(report).iter().map(|line| format!("- {}", literal(line))));
    let table = |lines: &mut Vec<String>, title: String, columns: &[(&str, Align)], rows: Vec<Vec<String>>| {
        if rows.is_empty() {
            return;
        }
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let rule = |(_, align): &(&str, Align)| if *align == Align::Left { "---" } else { "--:" }.to_owned();
        lines.extend([String::new(), title, String::new()]);
        lines.push(line(columns.iter().map(|(name, _)| (*name).to_owned()).collect()));
        lines.push(line(columns.iter().map(rule).collect()));
        lines.extend(
            rows.iter()
                .map(|row| line(row.iter().map(|cell| literal(cell)).collect())),
        );
    };
    let rows = report.tiers.iter().map(tier_cells).collect();
    table(
        &mut lines,
        "### Headroom of the tiers, nothing lost".to_owned(),
        &TIERS,
        rows,
    );
    if let Some(loss) = &report.with_loss {
        let rows = loss.failures.iter().map(|lost| lost_cells(report, lost)).collect();
        table(
            &mut lines,
            format!("### If one {} is lost", named(loss.lost)),
            &LOSSES,
            rows,
        );
    }
    let rows = report.probes.iter().map(probe_cells).collect();
    table(&mut lines, "### Runs".to_owned(), &PROBES, rows);
    lines.push(String::new());
    lines.extend(judged(report).iter().map(|line| format!("{}  ", literal(line))));
    lines.join("\n") + "\n"
}

/// The columns of the runs.
const PROBES: [(&str, Align); 7] = [
    ("traffic", Align::Right),
    ("lost", Align::Left),
    ("requests/s", Align::Right),
    ("failed", Align::Right),
    ("p50", Align::Right),
    ("p99", Align::Right),
    ("broken", Align::Left),
];

fn probe_cells(probe: &ProbeReport) -> Vec<String> {
    vec![
        times(probe.factor),
        probe.lost.clone().unwrap_or_default(),
        count(probe.offered_per_s.round() as u64),
        percent(probe.failed_ratio),
        latency(probe.p50_ms),
        latency(probe.p99_ms),
        probe.broken.clone().unwrap_or_default(),
    ]
}

/// Where nobody was answered there is no latency.
fn latency(ms: f64) -> String {
    if ms > 0.0 { milliseconds(ms) } else { "-".to_owned() }
}

/// For a spreadsheet (RFC 4180): a line for each run.
pub fn to_csv(report: &CapacityReport) -> String {
    let mut text = format!("{FIELDS}\r\n");
    for probe in &report.probes {
        text.push_str(&record(probe).join(","));
        text.push_str("\r\n");
    }
    text
}

fn record(probe: &ProbeReport) -> Vec<String> {
    let named = |name: &Option<String>| name.as_ref().map_or_else(String::new, |name| field(name));
    let mut tiers = probe.tiers.iter();
    let first = tiers.find(|tier| probe.first.as_ref() == Some(&tier.name));
    vec![
        probe.factor.to_string(),
        named(&probe.lost),
        probe.holds.to_string(),
        probe.offered_per_s.to_string(),
        probe.served_per_s.to_string(),
        probe.failed_ratio.to_string(),
        probe.p50_ms.to_string(),
        probe.p99_ms.to_string(),
        probe.watched_s.to_string(),
        named(&probe.broken),
        named(&probe.first),
        first.map_or_else(String::new, |tier| tier.busiest_utilisation.to_string()),
        field(&probe.digest),
    ]
}
