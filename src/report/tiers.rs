//! Sections about the web tier: calls and their policies, sessions, functions, autoscalers.

use super::model::{Report, ServiceReport};
use super::table::{Align, Table, cut, wrap};
use super::text::Text;
use super::words::{clock, count, dollars, percent, plural};
use crate::layout::printable;

/// How services treated each other, where anything but calls that went well is to be told.
pub(super) fn calls(text: &mut Text, report: &Report) {
    let mut table = Table::new(&[
        ("from", Align::Left),
        ("to", Align::Left),
        ("calls", Align::Right),
        ("failed", Align::Right),
        ("retried", Align::Right),
        ("over budget", Align::Right),
        ("hedged", Align::Right),
        ("stopped", Align::Right),
    ]);
    for service in &report.services {
        for calls in &service.calls {
            if calls.failed + calls.retried + calls.over_budget + calls.hedged + calls.stopped == 0 {
                continue;
            }
            let mut row = vec![printable(&service.selector), printable(&calls.to)];
            let numbers = [
                calls.calls,
                calls.failed,
                calls.retried,
                calls.over_budget,
                calls.hedged,
                calls.stopped,
            ];
            row.extend(numbers.map(count));
            table.row(row);
        }
    }
    if !table.is_empty() {
        text.section("calls (over budget: retries not made; stopped: by an open breaker)");
        text.lines(&table.lines());
    }
}

/// What a service holds or did, if it is of a kind that tells it.
pub(super) fn held(service: &ServiceReport) -> Vec<String> {
    let name = printable(&service.selector);
    let mut sentences = Vec::new();
    if let Some(sessions) = &service.sessions {
        match (&sessions.mode, sessions.held) {
            (Some(mode), 0) => sentences.push(format!("{name} keeps sessions {}", printable(mode))),
            (_, held) => sentences.push(format!("{name} holds {}", plural(held, "session"))),
        }
    }
    if let Some(functions) = &service.serverless {
        let cold = functions.cold_starts as f64 / functions.invocations.max(1) as f64;
        sentences.push(format!(
            "{name} ran {}, {} of them after a cold start ({}), turned {} away at its limit of {}, and cost {}",
            plural(functions.invocations, "time"),
            count(functions.cold_starts),
            percent(cold),
            count(functions.throttled),
            count(u64::from(functions.limit)),
            dollars(functions.spent_usd)
        ));
    }
    sentences.iter().flat_map(|sentence| wrap(sentence, 2)).collect()
}

/// What autoscalers decided, and why.
pub(super) fn autoscalers(text: &mut Text, report: &Report) {
    for service in &report.services {
        let Some(autoscaler) = &service.autoscaler else {
            continue;
        };
        let off = if autoscaler.on { "" } else { ", switched off" };
        let machines = plural(u64::from(autoscaler.machines), "machine");
        let title = format!("{} · {machines} at the end{off}", printable(&service.selector));
        text.section(&cut(&title, super::table::WIDTH));
        if autoscaler.decisions.is_empty() {
            text.line("  It decided nothing.");
        }
        for decision in &autoscaler.decisions {
            let line = format!("  {}  {}", clock(decision.at_s), printable(&decision.text));
            text.line(&cut(&line, super::table::WIDTH));
        }
    }
}
