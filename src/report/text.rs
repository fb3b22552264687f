//! The report for people: plain text in 80 columns.

use super::caches::caches;
use super::data::data;
use super::model::Report;
use super::queues;
use super::sections;
use super::sites;
use super::table::{WIDTH, cut, flow, wrap};
use super::tiers;
use super::words::{clock, count, dollars, milliseconds, percent, plural, value};
use crate::layout::printable;

/// The report as text, with a line break at the end.
pub fn to_text(report: &Report) -> String {
    let mut text = Text::default();
    text.line(&cut(&printable(&report.layout.title), WIDTH));
    let line = format!(
        "{} · {} simulated · seed {} · traffic x{}",
        printable(&report.layout.name),
        clock(report.duration_s),
        report.seed,
        value(report.traffic)
    );
    text.lines(&wrap(&line, 0));
    text.blank();
    head(&mut text, report);
    sections::expectations(&mut text, report);
    sections::failures(&mut text, report);
    sections::populations(&mut text, report);
    sites::sites(&mut text, report);
    sections::machines(&mut text, report);
    caches(&mut text, report);
    queues::queues(&mut text, report);
    data(&mut text, report);
    sections::balancers(&mut text, report);
    tiers::calls(&mut text, report);
    tiers::autoscalers(&mut text, report);
    sections::incidents(&mut text, report);
    sections::commands(&mut text, report);
    sections::events(&mut text, report);
    text.blank();
    text.lines(&flow("digest", std::slice::from_ref(&report.digest)));
    text.finish()
}

fn head(text: &mut Text, report: &Report) {
    let requests = &report.requests;
    let mut counts = vec![
        format!("sent {}", count(requests.sent)),
        format!("ok {} ({})", count(requests.ok), percent(requests.ok_ratio)),
        format!("failed {}", count(requests.failed)),
        format!("retried {}", count(requests.retried)),
    ];
    if requests.unfinished > 0 {
        counts.push(format!("under way {}", count(requests.unfinished)));
    }
    text.lines(&flow("requests", &counts));
    let latency = &report.latency_ms;
    let quantiles = [
        ("mean", latency.mean),
        ("p50", latency.p50),
        ("p95", latency.p95),
        ("p99", latency.p99),
        ("max", latency.max),
    ];
    text.lines(&flow(
        "latency",
        &quantiles.map(|(name, ms)| format!("{name} {}", milliseconds(ms))),
    ));
    let lost = format!("{} lost after they were acknowledged", count(report.lost_writes));
    let mut writes = vec![lost];
    let overruled = overruled_writes(report);
    if overruled > 0 {
        writes.push(format!("{} dropped or given up for others", count(overruled)));
    }
    text.lines(&flow("writes", &writes));
    if report.lost_writes > 0 {
        let warning = format!(
            "DATA LOSS: acknowledged to users and gone for good: {}. A destroyed disk takes all of its rows with it.",
            plural(report.lost_writes, "write")
        );
        text.lines(&wrap(&warning, 11));
    }
    let jobs = queues::head(report);
    if !jobs.is_empty() {
        text.lines(&flow("jobs", &jobs));
    }
    if let Some(sessions) = &report.sessions {
        let mut parts = vec![
            format!("{} signed in", count(sessions.signed_in)),
            format!("{} lost", count(sessions.lost)),
        ];
        let more = [
            ("expired", sessions.expired),
            ("revoked", sessions.revoked),
            ("answers by revoked ones", sessions.revoked_served),
        ];
        let more = more.into_iter().filter(|(_, number)| *number > 0);
        parts.extend(more.map(|(words, number)| format!("{} {words}", count(number))));
        text.lines(&flow("sessions", &parts));
    }
    let cost = &report.cost;
    let spent = format!(
        "{} an hour, {} in all",
        dollars(cost.usd_per_hour),
        dollars(cost.spent_usd)
    );
    text.lines(&flow("cost", &[spent]));
}

/// Lines in the making.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Adds a line.
    pub(super) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Adds lines.
    pub(super) fn lines(&mut self, lines: &[String]) {
        for line in lines {
            self.line(line);
        }
    }

    /// Adds an empty line.
    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    /// Starts a section.
    pub(super) fn section(&mut self, title: &str) {
        self.blank();
        self.line(title);
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Acknowledged writes that the databases hold no more since others stand in their place: of conflicts, and after a split brain. A database
/// that spans data centers is told of by each of its services, and counted once.
fn overruled_writes(report: &Report) -> u64 {
    let mut counted: Vec<&str> = Vec::new();
    let mut sum = 0;
    for database in report.services.iter().filter_map(|service| service.database.as_ref()) {
        let Some(first) = database.nodes.first() else { continue };
        if !counted.contains(&first.selector.as_str()) {
            counted.push(&first.selector);
            let promises = &database.promises;
            sum += promises.dropped_older + promises.dropped_later + promises.given_up;
        }
    }
    sum
}
