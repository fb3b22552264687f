//! What stays on the screen after the terminal program has ended.

use super::table::{WIDTH, cut, flow};
use super::text::Text;
use super::words::{clock, count, percent, plural};
use crate::layout::printable;
use crate::observe::{Frame, Incident};
use crate::sim::SimTime;

/// How many of the last incidents are told.
const INCIDENTS: usize = 3;

/// One look at a run: how long it was, what became of requests, the last incidents with the time until each was noticed and until users were
/// served as before, and what was lost. At most eight lines of 80 columns.
pub fn summary(frame: &Frame) -> String {
    let mut text = Text::default();
    let head = format!("{} simulated · seed {}", clock(frame.at.seconds()), frame.seed);
    let title = cut(&printable(&frame.topology.title), WIDTH - head.chars().count() - 3);
    text.line(&format!("{title} · {head}"));
    text.lines(&flow("requests", &requests(frame)));
    text.lines(&incidents(frame));
    text.lines(&flow("lost", &lost(frame)));
    text.finish()
}

fn requests(frame: &Frame) -> Vec<String> {
    let total = frame.total;
    let mut parts = vec![
        format!("{} sent", count(total.sent)),
        format!("{} ok ({})", count(total.ok), percent(total.ok_ratio())),
        format!("{} failed", count(total.failed)),
        format!("{} retried", count(total.retried)),
    ];
    let under_way = total.sent.saturating_sub(total.ok + total.failed);
    if under_way > 0 {
        parts.push(format!("{} under way", count(under_way)));
    }
    parts
}

fn incidents(frame: &Frame) -> Vec<String> {
    // Only the last ones are kept, and they are counted from 1.
    let all = frame.incidents.last().map_or(0, |incident| incident.number as usize);
    let told = &frame.incidents[frame.incidents.len().saturating_sub(INCIDENTS)..];
    let head = match all {
        0 => "none".to_string(),
        _ if all > told.len() => format!("{}, the last {}:", count(all as u64), told.len()),
        _ => format!("{}:", count(all as u64)),
    };
    let mut lines = flow("incidents", &[head]);
    for incident in told {
        let line = format!(
            "{:>3}  {:<17}  {:<18}  {}",
            incident.number,
            detection(incident),
            recovery(incident),
            printable(&incident.what)
        );
        lines.push(cut(&line, WIDTH));
    }
    lines
}

fn since(incident: &Incident, at: SimTime) -> String {
    format!("+{:.3}s", at.since(incident.injected).as_secs_f64())
}

fn detection(incident: &Incident) -> String {
    match &incident.noticed {
        Some(milestone) => format!("noticed {}", since(incident, milestone.at)),
        None => "not noticed".to_string(),
    }
}

fn recovery(incident: &Incident) -> String {
    match (incident.served, incident.hurt) {
        (Some(at), _) => format!("recovered {}", since(incident, at)),
        (None, None) => "nobody was hurt".to_string(),
        (None, Some(_)) => "not recovered".to_string(),
    }
}

/// What users were told, and what is not there any more.
fn lost(frame: &Frame) -> Vec<String> {
    let queues = frame.services.iter().filter_map(|state| state.queue.as_ref());
    let jobs: u64 = queues.map(|queue| queue.jobs.lost).sum();
    let counts = [
        (frame.lost_writes, "write"),
        (jobs, "job"),
        (frame.sessions.lost, "session"),
    ];
    let some = counts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = some.map(|(number, noun)| plural(number, noun)).collect();
    if parts.is_empty() {
        return vec!["nothing".to_string()];
    }
    parts
}
