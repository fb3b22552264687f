//! Queues, workers and those who publish in a report: as data, from a frame, and as text.

use serde::Serialize;

use super::build::ms;
use super::model::Report;
use super::table::{Align, Table, WIDTH, cut, flow};
use super::text::Text;
use super::words::{clock, count, milliseconds, percent, plural};
use crate::layout::printable;
use crate::observe::{Frame, JobTally, PublishTally, PublisherState, QueueState, QueueTally, WorkersState};

/// A queue or a log at the end, and what became of its messages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueReport {
    /// Whether it is a log.
    pub log: bool,
    /// The settings at the end, in words.
    pub policy: String,
    /// Messages that wait at the end; of a log, those of the slowest subscriber.
    pub waiting: u64,
    /// Those of them whose time has not come.
    pub delayed: u64,
    /// Messages handed out and not acknowledged at the end.
    pub in_flight: u64,
    /// Messages that it holds at the end, whatever their state.
    pub held: u64,
    /// Messages that it has room for.
    pub room: u64,
    /// Bytes that it holds at the end.
    pub bytes: u64,
    /// Bytes that it has room for.
    pub room_bytes: u64,
    /// How long ago the oldest message that waits was published; nothing if none waits.
    pub oldest_ms: Option<f64>,
    /// Messages published a second over the last 10 s.
    pub in_per_s: f64,
    /// Messages that left a second over the last 10 s.
    pub out_per_s: f64,
    /// Counts of the whole run.
    pub total: QueueCounts,
    /// What became of the jobs, those in its dead-letter queue included.
    pub jobs: JobsReport,
    /// The first messages that wait at the end; at most 8.
    pub first: Vec<MessageReport>,
    /// Of a log: its subscribers at the end.
    pub subscribers: Vec<SubscriberReport>,
    /// Its dead-letter queue.
    pub dead_letter: Option<String>,
    /// Of a dead-letter queue: the queues whose dead messages it holds.
    pub dead_of: Vec<String>,
}

/// Counts of a queue over the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct QueueCounts {
    /// Messages taken in and confirmed.
    pub published: u64,
    /// Those of them that were copies of a message that was there already.
    pub copies: u64,
    /// Messages turned away since there was no room.
    pub refused: u64,
    /// Messages handed out.
    pub delivered: u64,
    /// Those of them that had been handed out before.
    pub redelivered: u64,
    /// Messages acknowledged.
    pub acknowledged: u64,
    /// Attempts that a worker said had failed.
    pub rejected: u64,
    /// Messages that a worker gave back without having tried.
    pub returned: u64,
    /// Messages that nobody acknowledged in time.
    pub timed_out: u64,
    /// Acknowledgements that came too late.
    pub late: u64,
    /// Dead messages handed to the dead-letter queue.
    pub buried: u64,
    /// Dead messages thrown away.
    pub discarded: u64,
    /// Messages whose retention was over, or that made room in a full log, before they were done.
    pub expired: u64,
    /// Messages that somebody threw away.
    pub purged: u64,
    /// Of a dead-letter queue: messages sent back.
    pub redriven: u64,
}

/// What users were told, compared with what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct JobsReport {
    /// Jobs accepted; of a log, for each subscriber.
    pub accepted: u64,
    /// Jobs done.
    pub done: u64,
    /// Effects beyond the first of their job.
    pub duplicated: u64,
    /// Times that a job was done again without another effect.
    pub absorbed: u64,
    /// Jobs that are dead at the end.
    pub dead: u64,
    /// Jobs that nobody holds any more, though they were not done.
    pub lost: u64,
    /// Jobs whose retention was over, and those that somebody threw away.
    pub expired: u64,
    /// Jobs that are still to be done.
    pub open: u64,
}

/// A message that waits at the end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MessageReport {
    /// The row that it is about.
    pub key: u64,
    /// When it was published.
    pub published_s: f64,
    /// How often it was handed out.
    pub attempts: u32,
    /// It is known to kill whoever works on it.
    pub poison: bool,
}

/// A subscriber of a log at the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubscriberReport {
    /// Its workers.
    pub service: String,
    /// Messages that it has not been handed yet.
    pub waiting: u64,
    /// Messages handed to it and not acknowledged.
    pub in_flight: u64,
    /// How long ago the oldest message that waits for it was published; nothing if none waits.
    pub oldest_ms: Option<f64>,
}

/// What workers did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkersReport {
    /// Their queue.
    pub of: String,
    /// The settings at the end, in words.
    pub policy: String,
    /// Messages in progress at the end.
    pub busy: u32,
    /// Messages that could be in progress at the end.
    pub slots: u32,
    /// Messages that they hold at the end, those in progress among them.
    pub held: u64,
    /// Messages done.
    pub done: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Times that a process died of a message.
    pub crashed: u64,
    /// Messages given back untried, or unfinished.
    pub returned: u64,
    /// Messages done by kind; nothing if all are alike.
    pub by_kind: Vec<KindReport>,
}

/// A kind of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindReport {
    /// Its name.
    pub kind: String,
    /// Messages of it that were done.
    pub done: u64,
}

/// What became of the messages of those who publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublisherReport {
    /// The queue.
    pub to: String,
    /// The settings at the end, in words.
    pub policy: String,
    /// Messages that the queue confirmed before the user was answered.
    pub confirmed: u64,
    /// Messages that were sent without waiting for a confirmation.
    pub unconfirmed: u64,
    /// Messages that were put into the outbox.
    pub kept: u64,
    /// Those of them that the queue has confirmed since.
    pub sent_later: u64,
    /// Messages thrown away, though the user was told that all is well.
    pub dropped: u64,
    /// Uploads that failed since the message could not be published.
    pub refused: u64,
    /// Messages in the outboxes at the end.
    pub outbox: u64,
    /// Messages that all outboxes have room for; 0 without.
    pub room: u64,
    /// Requests that are blocked at the end.
    pub blocked: u64,
}

impl From<&QueueTally> for QueueCounts {
    fn from(tally: &QueueTally) -> QueueCounts {
        QueueCounts {
            published: tally.published,
            copies: tally.copies,
            refused: tally.refused,
            delivered: tally.delivered,
            redelivered: tally.redelivered,
            acknowledged: tally.acknowledged,
            rejected: tally.rejected,
            returned: tally.returned,
            timed_out: tally.timed_out,
            late: tally.late,
            buried: tally.buried,
            discarded: tally.discarded,
            expired: tally.expired,
            purged: tally.purged,
            redriven: tally.redriven,
        }
    }
}

impl From<&JobTally> for JobsReport {
    fn from(tally: &JobTally) -> JobsReport {
        JobsReport {
            accepted: tally.accepted,
            done: tally.done,
            duplicated: tally.duplicated,
            absorbed: tally.absorbed,
            dead: tally.dead,
            lost: tally.lost,
            expired: tally.expired,
            open: tally.open(),
        }
    }
}

fn selector(frame: &Frame, service: usize) -> String {
    let info = frame.topology.services.get(service);
    info.map_or_else(String::new, |info| info.selector.clone())
}

/// The report of a queue.
pub(super) fn queue(frame: &Frame, state: &QueueState) -> QueueReport {
    let first = state.first.iter().map(|message| MessageReport {
        key: message.key,
        published_s: message.published.seconds(),
        attempts: message.attempts,
        poison: message.poison,
    });
    let subscribers = state.subscribers.iter().map(|subscriber| SubscriberReport {
        service: selector(frame, subscriber.service as usize),
        waiting: subscriber.waiting,
        in_flight: subscriber.in_flight,
        oldest_ms: subscriber.oldest.map(|oldest| ms(frame.at.since(oldest))),
    });
    QueueReport {
        log: state.log,
        policy: state.policy.clone(),
        waiting: state.waiting,
        delayed: state.delayed,
        in_flight: state.in_flight,
        held: state.held,
        room: state.room,
        bytes: state.bytes,
        room_bytes: state.room_bytes,
        oldest_ms: state.oldest.map(ms),
        in_per_s: state.rate_in,
        out_per_s: state.rate_out,
        total: (&state.total).into(),
        jobs: (&state.jobs).into(),
        first: first.collect(),
        subscribers: subscribers.collect(),
        dead_letter: state.dead_letter.map(|service| selector(frame, service)),
        dead_of: state.dead_of.iter().map(|service| selector(frame, *service)).collect(),
    }
}

/// The report of workers.
pub(super) fn workers(frame: &Frame, state: &WorkersState) -> WorkersReport {
    let kinds = state.by_kind.iter().map(|(kind, done)| KindReport {
        kind: kind.clone(),
        done: *done,
    });
    WorkersReport {
        of: selector(frame, state.of),
        policy: state.policy.clone(),
        busy: state.busy,
        slots: state.slots,
        held: state.held,
        done: state.total.done,
        failed: state.total.failed,
        crashed: state.total.crashed,
        returned: state.total.returned,
        by_kind: kinds.collect(),
    }
}

/// The report of those who publish.
pub(super) fn publisher(frame: &Frame, state: &PublisherState) -> PublisherReport {
    let PublishTally {
        confirmed,
        unconfirmed,
        kept,
        sent_later,
        dropped,
        refused,
    } = state.total;
    PublisherReport {
        to: selector(frame, state.to),
        policy: state.policy.clone(),
        confirmed,
        unconfirmed,
        kept,
        sent_later,
        dropped,
        refused,
        outbox: state.outbox,
        room: state.room,
        blocked: state.blocked,
    }
}

/// Every queue with its messages, its jobs, its workers and those who publish to it.
pub(super) fn queues(text: &mut Text, report: &Report) {
    let services = report.services.iter();
    let queues = services.filter_map(|service| Some((&service.selector, service.queue.as_ref()?)));
    for (name, queue) in queues {
        let kind = if queue.log { "log" } else { "queue" };
        let title = format!("{kind} {} · {}", printable(name), printable(&queue.policy));
        text.section(&cut(&title, WIDTH));
        let mut line = |label: &str, parts: &[String]| {
            if !parts.is_empty() {
                text.lines(&flow(label, parts));
            }
        };
        line("  holds", &holds(queue));
        line("  messages", &messages(&queue.total));
        line("  jobs", &jobs(&queue.jobs));
        if let Some(letters) = &queue.dead_letter {
            line("  dead", &[format!("go to {}", printable(letters))]);
        }
        text.lines(&subscribers(queue).lines_or_none());
        for message in &queue.first {
            text.line(&waits(message));
        }
        text.lines(&hands(report, name).lines_or_none());
        for service in &report.services {
            let publisher = service.publisher.as_ref().filter(|publisher| publisher.to == *name);
            if let Some(publisher) = publisher {
                let label = cut(&format!("  {}", printable(&service.selector)), 20);
                text.lines(&flow(&label, &published(publisher)));
            }
        }
    }
}

impl Table {
    /// The lines, none without rows.
    fn lines_or_none(&self) -> Vec<String> {
        if self.is_empty() { Vec::new() } else { self.lines() }
    }
}

fn holds(queue: &QueueReport) -> Vec<String> {
    let full = percent(queue.held as f64 / queue.room.max(1) as f64);
    let mut parts = vec![
        format!("{} of {} ({full})", count(queue.held), count(queue.room)),
        format!("{} waiting", count(queue.waiting)),
        format!("{} in flight", count(queue.in_flight)),
    ];
    if queue.delayed > 0 {
        parts.push(format!("{} delayed", count(queue.delayed)));
    }
    parts.extend(queue.oldest_ms.map(|oldest| format!("oldest {}", milliseconds(oldest))));
    parts.push(format!("in {:.1}/s, out {:.1}/s", queue.in_per_s, queue.out_per_s));
    parts
}

/// Counts that are not 0, but for the first two.
fn messages(total: &QueueCounts) -> Vec<String> {
    let always = [("published", total.published), ("acknowledged", total.acknowledged)];
    let rows = [
        ("copies", total.copies),
        ("refused", total.refused),
        ("delivered", total.delivered),
        ("redelivered", total.redelivered),
        ("rejected", total.rejected),
        ("returned", total.returned),
        ("timed out", total.timed_out),
        ("acknowledged too late", total.late),
        ("to the dead-letter queue", total.buried),
        ("discarded", total.discarded),
        ("expired", total.expired),
        ("emptied", total.purged),
        ("redriven", total.redriven),
    ];
    let rows = rows.into_iter().filter(|(_, number)| *number > 0);
    let all = always.into_iter().chain(rows);
    all.map(|(words, number)| format!("{words} {}", count(number)))
        .collect()
}

/// Nothing of a queue that was promised nothing: a dead-letter queue, whose jobs are those of the queues that it serves.
fn jobs(jobs: &JobsReport) -> Vec<String> {
    if jobs.accepted == 0 {
        return Vec::new();
    }
    let always = [
        ("accepted", jobs.accepted),
        ("done", jobs.done),
        ("lost", jobs.lost),
        ("duplicated", jobs.duplicated),
    ];
    let rows = [
        ("absorbed", jobs.absorbed),
        ("dead", jobs.dead),
        ("expired", jobs.expired),
        ("open", jobs.open),
    ];
    let rows = rows.into_iter().filter(|(_, number)| *number > 0);
    let all = always.into_iter().chain(rows);
    all.map(|(words, number)| format!("{words} {}", count(number)))
        .collect()
}

fn waits(message: &MessageReport) -> String {
    let tried = plural(u64::from(message.attempts), "attempt");
    let poison = if message.poison { ", poison" } else { "" };
    let published = clock(message.published_s);
    format!("  waits: row {}, published {published}, {tried}{poison}", message.key)
}

fn subscribers(queue: &QueueReport) -> Table {
    let mut table = Table::new(&[
        ("subscriber", Align::Left),
        ("behind", Align::Right),
        ("in flight", Align::Right),
        ("oldest", Align::Right),
    ]);
    for subscriber in &queue.subscribers {
        table.row(vec![
            printable(&subscriber.service),
            count(subscriber.waiting),
            count(subscriber.in_flight),
            subscriber.oldest_ms.map_or_else(|| "-".to_string(), milliseconds),
        ]);
    }
    table
}

/// Those who work for a queue.
fn hands(report: &Report, queue: &str) -> Table {
    let mut table = Table::new(&[
        ("workers", Align::Left),
        ("busy", Align::Right),
        ("done", Align::Right),
        ("failed", Align::Right),
        ("crashed", Align::Right),
        ("given back", Align::Right),
    ]);
    for service in &report.services {
        let Some(workers) = service.workers.as_ref().filter(|workers| workers.of == queue) else {
            continue;
        };
        table.row(vec![
            printable(&service.selector),
            format!("{} of {}", workers.busy, workers.slots),
            count(workers.done),
            count(workers.failed),
            count(workers.crashed),
            count(workers.returned),
        ]);
        for kind in &workers.by_kind {
            let mut row = vec![format!("  {}", printable(&kind.kind)), String::new(), count(kind.done)];
            row.resize(6, String::new());
            table.row(row);
        }
    }
    table
}

fn published(publisher: &PublisherReport) -> Vec<String> {
    let mut parts = vec![format!("confirmed {}", count(publisher.confirmed))];
    let rows = [
        ("unconfirmed", publisher.unconfirmed),
        ("put into the outbox", publisher.kept),
        ("sent later", publisher.sent_later),
        ("in the outbox", publisher.outbox),
        ("blocked", publisher.blocked),
        ("dropped", publisher.dropped),
        ("refused", publisher.refused),
    ];
    let rows = rows.into_iter().filter(|(_, number)| *number > 0);
    parts.extend(rows.map(|(words, number)| format!("{words} {}", count(number))));
    parts
}

/// What became of all jobs, for the head of the report.
pub(super) fn head(report: &Report) -> Vec<String> {
    let queues = report.services.iter().filter_map(|service| service.queue.as_ref());
    let sum = |of: fn(&JobsReport) -> u64| queues.clone().map(|queue| of(&queue.jobs)).sum::<u64>();
    let accepted = sum(|jobs| jobs.accepted);
    if accepted == 0 {
        return Vec::new();
    }
    let mut parts = vec![
        format!("accepted {}", count(accepted)),
        format!("done {}", count(sum(|jobs| jobs.done))),
        format!("lost {}", count(sum(|jobs| jobs.lost))),
        format!("duplicated {}", count(sum(|jobs| jobs.duplicated))),
    ];
    let dead = sum(|jobs| jobs.dead);
    if dead > 0 {
        parts.push(format!("dead {}", count(dead)));
    }
    parts
}
