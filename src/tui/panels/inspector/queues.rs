//! What is particular to queues, their workers and those who publish to them.

use crate::observe::{Frame, PublisherState, WorkersState};
use crate::tui::nodes;
use crate::tui::queues::{self, Queued};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::kinds::counted;
use super::{Line, line};

fn coloured(label: &str, words: impl Into<String>, role: Role) -> Line {
    (label.to_string(), words.into(), role)
}

/// All of a queue: what it holds, how it goes on, what became of its jobs, what waits.
pub(super) fn queue(frame: &Frame, service: usize) -> Vec<Line> {
    let Some(queue) = queues::of(frame, service) else {
        return Vec::new();
    };
    let state = queue.state;
    let mut lines = vec![line("keeps", state.policy.clone())];
    let alarms = queue.alarms().into_iter();
    lines.extend(alarms.map(|words| coloured("alarm", words, Role::Bad)));
    let oldest = queue
        .oldest()
        .map_or(String::new(), |age| format!(", the oldest for {age}"));
    lines.push(line("waiting", format!("{}{oldest}", text::count(state.waiting))));
    lines.extend(counted("delayed", state.delayed, " of them, not due yet", Role::Text));
    lines.push(line("in flight", text::count(state.in_flight)));
    let (come, left) = queue.rates();
    lines.push(line("rates (10s)", format!("{come} in, {left} out")));
    if let Some((words, role)) = queue.outlook() {
        lines.push(coloured("outlook", format!("{words} at these rates"), role));
    }
    lines.push(line(
        "holds",
        format!(
            "{} of {}, {} full",
            text::count(state.held),
            text::count(state.room),
            text::percent(queue.full())
        ),
    ));
    lines.push(line(
        "bytes",
        format!(
            "{}B of {}B",
            text::short(state.bytes as f64),
            text::short(state.room_bytes as f64)
        ),
    ));
    if let Some(letters) = state.dead_letter {
        lines.push(line("dead letters", format!("go to {}", queue.called(letters))));
    }
    for source in &state.dead_of {
        lines.push(line("dead of", queue.called(*source)));
    }
    lines.extend(jobs(&queue));
    for subscriber in &state.subscribers {
        let oldest = subscriber.oldest.map(|oldest| nodes::age(frame.at.since(oldest)));
        let oldest = oldest.map_or(String::new(), |age| format!(", the oldest for {age}"));
        let words = format!("{} behind{oldest}", text::count(subscriber.waiting));
        lines.push(line(queue.called(subscriber.service as usize), words));
    }
    let counts = queue.counts().into_iter();
    lines.extend(counts.filter_map(|(label, count, words, role)| counted(label, count, words, role)));
    for (index, message) in state.first.iter().enumerate() {
        let label = if index == 0 { "first" } else { "" };
        let role = if message.poison { Role::Warning } else { Role::Text };
        lines.push(coloured(label, queues::message(message, frame.at), role));
    }
    lines
}

/// What users were told, compared with what was done.
fn jobs(queue: &Queued) -> Vec<Line> {
    let jobs = &queue.state.jobs;
    if jobs.accepted == 0 {
        return Vec::new();
    }
    let lost = if jobs.lost > 0 { Role::Bad } else { Role::Good };
    let mut lines = vec![
        line("jobs", format!("{} accepted", text::count(jobs.accepted))),
        coloured("  lost", format!("{}: nobody holds them", text::count(jobs.lost)), lost),
    ];
    let rows = [
        ("  done", jobs.done, "", Role::Text),
        ("  open", jobs.open(), "", Role::Text),
        ("  duplicated", jobs.duplicated, " effects too many", Role::Warning),
        ("  absorbed", jobs.absorbed, " done again without effect", Role::Text),
        ("  dead", jobs.dead, "", Role::Warning),
        ("  expired", jobs.expired, "", Role::Warning),
    ];
    lines.extend(
        rows.into_iter()
            .filter_map(|(label, count, words, role)| counted(label, count, words, role)),
    );
    lines
}

/// All workers of a service: how busy, how much done, what went wrong.
pub(super) fn workers(frame: &Frame, workers: &WorkersState) -> Vec<Line> {
    let of = frame.topology.services.get(workers.of).map_or("", |of| &of.selector);
    let total = &workers.total;
    let share = f64::from(workers.busy) / f64::from(workers.slots.max(1));
    let mut lines = vec![
        line("work for", of),
        line("deliver", workers.policy.clone()),
        coloured(
            "busy",
            format!("{} of {} slots", workers.busy, workers.slots),
            truth::load(share),
        ),
        line("hold", format!("{} messages", text::count(workers.held))),
        line(
            "done",
            format!("{}, {} in all", text::rate(workers.rate), text::count(total.done)),
        ),
    ];
    lines.extend(counted("failed", total.failed, " attempts", Role::Warning));
    lines.extend(counted("crashed", total.crashed, " times, of a message", Role::Bad));
    lines.extend(counted(
        "gave back",
        total.returned,
        " untried or unfinished",
        Role::Text,
    ));
    for (kind, count) in &workers.by_kind {
        lines.push(line(&format!("  {kind}"), format!("{} done", text::count(*count))));
    }
    lines
}

/// Whoever publishes: what the queue has, what it has not.
pub(super) fn publisher(frame: &Frame, publisher: &PublisherState) -> Vec<Line> {
    let to = frame.topology.services.get(publisher.to).map_or("", |to| &to.selector);
    let total = &publisher.total;
    let mut lines = vec![line("publishes", format!("to {to}, {}", publisher.policy))];
    lines.extend(counted("  confirmed", total.confirmed, "", Role::Text));
    lines.extend(counted("  sent", total.unconfirmed, " and not confirmed", Role::Text));
    if publisher.room > 0 {
        let (outbox, room) = (text::count(publisher.outbox), text::count(publisher.room));
        let role = match publisher.outbox {
            0 => Role::Text,
            full if full >= publisher.room => Role::Bad,
            _ => Role::Warning,
        };
        lines.push(coloured("  outbox", format!("{outbox} of {room}"), role));
        let words = format!(" put into it, {} sent since", text::count(total.sent_later));
        lines.extend(counted("", total.kept, &words, Role::Text));
    }
    lines.extend(counted(
        "  blocked",
        publisher.blocked,
        " requests wait for it",
        Role::Warning,
    ));
    lines.extend(counted(
        "  dropped",
        total.dropped,
        ", though all was said to be well",
        Role::Bad,
    ));
    lines.extend(counted("  refused", total.refused, " uploads", Role::Bad));
    lines
}
