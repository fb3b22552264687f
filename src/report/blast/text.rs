//! The ranking as text for a terminal, Markdown for a ticket, and CSV for a spreadsheet.

use unicode_width::UnicodeWidthStr;

use super::{AvailabilityReport, BlastReport, FailureReport, TollReport};
use crate::analyze::blast::Class;
use crate::layout::printable;
use crate::report::markdown::literal;
use crate::report::table::{Align, Table, wrap};
use crate::report::words::{count, dollars, milliseconds, percent, plural};

/// The columns of a table for people, the failure in front.
const COLUMNS: [(&str, Align); 9] = [
    ("", Align::Left),
    ("failing", Align::Right),
    ("failed", Align::Right),
    ("retried", Align::Right),
    ("in", Align::Right),
    ("p99", Align::Right),
    ("lost", Align::Right),
    ("noticed", Align::Right),
    ("served", Align::Right),
];

/// The columns of the CSV.
const FIELDS: &str = "rank,class,extent,target,what,stands_for,seed,watched_s,failing_ratio,failed,retried,worst_p99_ms,last_p99_ms,\
                      lost_writes,missing_writes,lost_sessions,lost_jobs,waiting,outbox,hurt_s,noticed_s,acted_s,served_s,healed_s,\
                      extra_spent_usd,digest";

/// How much fails, as in the JSON and in words.
const EXTENTS: [(&str, &str); 7] = [
    ("machine", "machine"),
    ("zone", "zone"),
    ("data_center", "data center"),
    ("outside", "outside service"),
    ("service", "whole service"),
    ("link", "link"),
    ("pair", "pair"),
];

/// The widest name that stands beside its figures.
const NAME: usize = 15;

/// The ways in which one thing fails that are borne alike, the worst first.
pub(super) type Group<'a> = Vec<&'a FailureReport>;

/// For a terminal, 80 columns wide.
pub fn to_text(report: &BlastReport) -> String {
    let mut lines = head(report);
    for class in Class::ALL {
        let groups = groups(report, class);
        if groups.is_empty() {
            continue;
        }
        lines.push(String::new());
        lines.extend(wrap(&format!("{class}: {}", standing(&groups)), 0));
        let mut table = Table::new(&COLUMNS);
        for group in &groups {
            let name = title(group);
            let beside = if name.width() > NAME { String::new() } else { name };
            table.row([vec![beside], figures(group)].concat());
        }
        let mut drawn = table.lines().into_iter();
        lines.extend(drawn.next());
        let mut said = "";
        for (group, line) in groups.iter().zip(drawn) {
            let name = title(group);
            lines.extend((name.width() > NAME).then(|| format!("  {name}")));
            lines.push(line.trim_end().to_owned());
            let why = group[0].why.as_str();
            if class != Class::Redundant && why != said {
                lines.extend(wrap(&printable(why), 6));
                said = why;
            }
        }
    }
    lines.extend([String::new()]);
    lines.extend(wrap(LEGEND, 0));
    lines.join("\n") + "\n"
}

const LEGEND: &str = "failing: share of the requests that still fail at the end. failed, retried, lost: beyond what happens undisturbed. in: for how long it was watched. \
                      p99: that of the worst second. noticed, served: time since the failure. Of several ways to fail, the worst of each.";

fn head(report: &BlastReport) -> Vec<String> {
    let seeds = match report.seeds[..] {
        [only] => format!("seed {only}"),
        [one, other] => format!("each with the seeds {one} and {other}, of which the worse one is shown"),
        [first, .., last] => format!("each with the seeds {first} to {last}, of which the worst one is shown"),
        [] => String::new(),
    };
    let mut lines = vec![format!(
        "{}  {}",
        printable(&report.layout.name),
        printable(&report.layout.title)
    )];
    lines.extend(wrap(&format!("{}; {seeds}", tried_in_words(report)), 0));
    let watched = format!(
        "each comes after {}s and is watched for up to {}s, less once it is settled: all is as before, or goes on as it is since nobody is left who would act",
        report.before_s, report.watched_s
    );
    lines.extend(wrap(&watched, 0));
    if let Some(first) = report.undisturbed.first() {
        let undisturbed = format!(
            "undisturbed: {} requests in {}s, {} failed, p99 {}, {}; busiest {} at {}",
            count(first.sent),
            report.watched_s,
            count(first.failed),
            milliseconds(first.worst_p99_ms),
            dollars(first.spent_usd),
            printable(&first.busiest),
            percent(first.busiest_utilisation)
        );
        lines.extend(wrap(&undisturbed, 0));
        lines.extend(
            first
                .unmet
                .iter()
                .map(|text| format!("undisturbed, this is not met: {}", printable(text))),
        );
    }
    let AvailabilityReport {
        of_each_machine,
        of_users,
        ..
    } = report.availability;
    lines.push(format!(
        "if each machine is up {} of the time, users are served at most {} of it",
        percent(of_each_machine),
        percent(of_users)
    ));
    lines.push(format!("single points of failure: {}", report.single_points));
    lines
}

/// How many ways to fail there are, and how many were tried: those that are alike once.
pub(super) fn tried_in_words(report: &BlastReport) -> String {
    let all: u64 = report.failures.iter().map(|failure| failure.stands_for).sum();
    let tried = report.failures.len() as u64;
    if all == tried {
        return format!("{} ways to fail, all of them tried", count(all));
    }
    format!(
        "{} ways to fail, of which {} differ and were tried",
        count(all),
        count(tried)
    )
}

/// The failures of a class, those of the same thing together.
pub(super) fn groups(report: &BlastReport, class: Class) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for row in report.failures.iter().filter(|row| row.class == class.word()) {
        let same = |group: &&mut Group| group[0].target == row.target;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

/// What fails in these groups, each kind with its number: `2 machines, 1 link`. What is alike and was not tried counts, too.
pub(super) fn standing(groups: &[Group]) -> String {
    let number = |extent: &str| -> u64 {
        let of = groups.iter().filter(|group| group[0].extent == extent);
        of.map(|group| group[0].stands_for).sum()
    };
    let words = EXTENTS.map(|(extent, one)| (number(extent), one));
    let told = words.into_iter().filter(|(number, _)| *number > 0);
    told.map(|(number, one)| plural(number, one))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What failed, in one way or in several: `web/1 crashed, hung (any of 40)`.
pub fn title(group: &[&FailureReport]) -> String {
    let row = group[0];
    let any = match row.stands_for {
        1 => String::new(),
        several => format!(" (any of {})", count(several)),
    };
    let ways: Vec<&str> = group.iter().map(|row| row.what).collect();
    printable(&format!("{} {}{any}", row.target, ways.join(", ")))
}

/// The figures of a group, in the order of [`COLUMNS`]: of several ways to fail, the worst of each.
pub(super) fn figures(group: &[&FailureReport]) -> Vec<String> {
    let toll = &worst(group);
    vec![
        percent(toll.failing_ratio.max(0.0)),
        beyond(toll.failed),
        beyond(toll.retried),
        format!("{}s", toll.watched_s),
        latency(toll.worst_p99_ms),
        lost(toll),
        when(toll.noticed_s, toll.hurt_s),
        when(toll.served_s, toll.hurt_s),
    ]
}

/// The worst of each figure that is shown, whichever way to fail it is from.
pub(super) fn worst(group: &[&FailureReport]) -> TollReport {
    let mut all = group.iter().map(|row| &row.by_seed[0]);
    let first = all.next().expect("a group has a way to fail").clone();
    // What never came is later than all that came, but only where users were hurt.
    let later = |one: &TollReport, other: &TollReport, of: fn(&TollReport) -> Option<f64>| {
        let never = |toll: &TollReport| toll.hurt_s.is_some() && of(toll).is_none();
        if never(one) || never(other) {
            return None;
        }
        let both = [of(one), of(other)];
        both.into_iter().flatten().reduce(f64::max)
    };
    all.fold(first, |worst, toll| TollReport {
        watched_s: worst.watched_s.max(toll.watched_s),
        failing_ratio: worst.failing_ratio.max(toll.failing_ratio),
        failed: worst.failed.max(toll.failed),
        retried: worst.retried.max(toll.retried),
        worst_p99_ms: worst.worst_p99_ms.max(toll.worst_p99_ms),
        lost_writes: worst.lost_writes.max(toll.lost_writes),
        lost_sessions: worst.lost_sessions.max(toll.lost_sessions),
        lost_jobs: worst.lost_jobs.max(toll.lost_jobs),
        noticed_s: later(&worst, toll, |toll| toll.noticed_s),
        served_s: later(&worst, toll, |toll| toll.served_s),
        hurt_s: worst.hurt_s.or(toll.hurt_s),
        extra_spent_usd: worst.extra_spent_usd.max(toll.extra_spent_usd),
        ..worst
    })
}

/// What it did, as one reads it: `100% still fail after 45s, 24,035 failed, noticed after 5.06s, never served; why`.
pub fn figures_in_words(row: &FailureReport) -> String {
    let toll = &row.by_seed[0];
    let mut words = Vec::new();
    if toll.failing_ratio > 0.0 {
        words.push(format!(
            "{} still fail after {}s",
            percent(toll.failing_ratio),
            toll.watched_s
        ));
    }
    let counted = [(toll.failed, "failed"), (toll.retried, "retried")];
    for (number, what) in counted.into_iter().filter(|(number, _)| *number > 0) {
        words.push(format!("{} {what}", beyond(number)));
    }
    let lost = [
        (toll.lost_writes, "write"),
        (toll.lost_sessions.max(0).cast_unsigned(), "session"),
        (toll.lost_jobs, "job"),
    ];
    for (number, what) in lost.into_iter().filter(|(number, _)| *number > 0) {
        words.push(format!("{} lost", plural(number, what)));
    }
    if toll.hurt_s.is_some() {
        let after = |at: Option<f64>, what: &str| match at {
            Some(at) => format!("{what} after {}", milliseconds(at * 1e3)),
            None => format!("never {what}"),
        };
        words.extend([after(toll.noticed_s, "noticed"), after(toll.served_s, "served")]);
    }
    if words.is_empty() {
        words.push("nobody sees anything of it".to_owned());
    }
    let why = if row.why.is_empty() {
        String::new()
    } else {
        format!(". {}", row.why)
    };
    format!("{}{why}", words.join(", "))
}

/// What chance makes fewer is none.
pub(super) fn beyond(number: i64) -> String {
    count(number.max(0).cast_unsigned())
}

/// Nobody is answered any more: there is no latency.
fn latency(ms: f64) -> String {
    if ms > 0.0 { milliseconds(ms) } else { "-".to_owned() }
}

fn lost(toll: &TollReport) -> String {
    let parts = [
        (toll.lost_writes, "w"),
        (toll.lost_sessions.max(0).cast_unsigned(), "s"),
        (toll.lost_jobs, "j"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{}{unit}", count(*number)))
        .collect();
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(" ")
    }
}

/// A time since the failure; nothing to be waited for when nobody was hurt.
fn when(at: Option<f64>, hurt: Option<f64>) -> String {
    match (at, hurt) {
        (Some(at), _) => milliseconds(at * 1e3),
        (None, Some(_)) => "never".to_owned(),
        (None, None) => "-".to_owned(),
    }
}

/// For a ticket or a pull request.
pub fn to_markdown(report: &BlastReport) -> String {
    let mut lines = vec![
        format!("## Blast radius of {}", literal(&report.layout.name)),
        String::new(),
    ];
    lines.extend(
        head(report)
            .into_iter()
            .skip(1)
            .map(|line| format!("{}  ", literal(&line))),
    );
    for class in Class::ALL {
        let groups = groups(report, class);
        if groups.is_empty() {
            continue;
        }
        lines.extend([
            String::new(),
            format!("### {class}: {}", standing(&groups)),
            String::new(),
        ]);
        lines.push("| failure | failing | failed | retried | in | p99 | lost | noticed | served | why |".to_owned());
        lines.push("|---|--:|--:|--:|--:|--:|--:|--:|--:|---|".to_owned());
        for group in &groups {
            let cells = [vec![title(group)], figures(group), vec![group[0].why.clone()]].concat();
            let cells: Vec<String> = cells.iter().map(|cell| literal(cell)).collect();
            lines.push(format!("| {} |", cells.join(" | ")));
        }
    }
    lines.extend([String::new(), LEGEND.to_owned()]);
    lines.join("\n") + "\n"
}

/// For a spreadsheet (RFC 4180): a line for each failure and seed.
pub fn to_csv(report: &BlastReport) -> String {
    let mut text = format!("{FIELDS}\r\n");
    for row in &report.failures {
        for toll in &row.by_seed {
            text.push_str(&record(row, toll).join(","));
            text.push_str("\r\n");
        }
    }
    text
}

fn record(row: &FailureReport, toll: &TollReport) -> Vec<String> {
    let seconds = |at: Option<f64>| at.map_or_else(String::new, |at| at.to_string());
    vec![
        row.rank.to_string(),
        toll.class.to_owned(),
        row.extent.to_owned(),
        field(&row.target),
        row.what.to_owned(),
        row.stands_for.to_string(),
        toll.seed.to_string(),
        toll.watched_s.to_string(),
        toll.failing_ratio.to_string(),
        toll.failed.to_string(),
        toll.retried.to_string(),
        toll.worst_p99_ms.to_string(),
        toll.last_p99_ms.to_string(),
        toll.lost_writes.to_string(),
        toll.missing_writes.to_string(),
        toll.lost_sessions.to_string(),
        toll.lost_jobs.to_string(),
        toll.waiting.to_string(),
        toll.outbox.to_string(),
        seconds(toll.hurt_s),
        seconds(toll.noticed_s),
        seconds(toll.acted_s),
        seconds(toll.served_s),
        seconds(toll.healed_s),
        toll.extra_spent_usd.to_string(),
        field(&toll.digest),
    ]
}

/// A field that a spreadsheet takes for text: one that begins as a formula does is put behind an apostrophe.
pub(in crate::report) fn field(text: &str) -> String {
    let text = printable(text);
    let guard = if text.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}
