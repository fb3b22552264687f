//! Queues, workers and those who publish, as they stand in a frame; their settings in words.

use std::rc::{Rc, Weak};
use std::time::Duration;

use crate::layout::{Consumer, Delivery, Fallback, Publish, Queue, Style, duration};
use crate::observe::{Health, Peek, PublishTally, PublisherState, QueueProbe, QueueState, WorkerTally, WorkersState};

use super::jobs;
use crate::world::World;
use crate::world::entries::{Role, ServiceEntry};
use crate::world::view::mean_nanos;

/// Messages that a frame shows.
const SHOWN: usize = 8;

/// A queue, as it stands in a frame.
pub(in crate::world) fn queue_state(world: &World, entry: &ServiceEntry) -> Option<QueueState> {
    let Role::Queue { spec, edges, probe } = &entry.role else {
        return None;
    };
    let spec = spec.borrow();
    let watched = &entry.watched;
    let (come, left, seconds) = watched.recent();
    let subscribers = peek(probe).map_or(1, |peek| peek.subscribers().len().max(1));
    // Each subscriber of a log acknowledges every message.
    let (rate_in, rate_out) = if seconds > 0.0 {
        (come as f64 / seconds, left as f64 / seconds / subscribers as f64)
    } else {
        (0.0, 0.0)
    };
    let (waiting, held) = (probe.waiting.get(), probe.held.get());
    let until = |amount: u64, rate: f64| {
        let seconds = amount as f64 / rate;
        (amount > 0 && rate > 0.0 && seconds < 1e7).then(|| Duration::from_secs_f64(seconds))
    };
    let peek = peek(probe);
    let own = world.services.iter().position(|other| other.full == entry.full);
    let dead_of = world
        .services
        .iter()
        .enumerate()
        .filter(|(_, other)| match &other.role {
            Role::Queue { edges, .. } => edges.iter().any(|edge| Some(edge.to) == own),
            _ => false,
        });
    Some(QueueState {
        log: spec.style == Style::Log,
        durable: spec.durable,
        policy: queue_policy(&spec),
        waiting,
        delayed: probe.delayed.get(),
        in_flight: probe.in_flight.get(),
        held,
        room: spec.messages,
        bytes: probe.bytes.get(),
        room_bytes: spec.bytes,
        oldest: probe.oldest.get().map(|since| world.now().since(since)),
        mean_wait: {
            let (count, nanos) = probe.waited.get();
            Duration::from_nanos(mean_nanos(nanos, count))
        },
        total: probe.tally.get(),
        second: watched.seconds.back().copied().unwrap_or_default(),
        rate_in,
        rate_out,
        drained_in: until(waiting, rate_out - rate_in),
        // A log that is full forgets its oldest message.
        full_in: until(spec.messages.saturating_sub(held), rate_in - rate_out).filter(|_| spec.style == Style::Work),
        trend: watched.trend.iter().copied().collect(),
        jobs: jobs(world, entry),
        first: peek.as_ref().map_or_else(Vec::new, |peek| peek.first(SHOWN)),
        subscribers: peek.as_ref().map_or_else(Vec::new, |peek| peek.subscribers()),
        dead_letter: edges.first().map(|edge| edge.to),
        dead_of: dead_of.map(|(index, _)| index).collect(),
    })
}

/// A look into a queue that runs.
fn peek(probe: &QueueProbe) -> Option<Rc<dyn Peek>> {
    probe.peek.borrow().as_ref().and_then(Weak::upgrade)
}

/// Workers, as they stand in a frame.
pub(in crate::world) fn workers_state(entry: &ServiceEntry) -> Option<WorkersState> {
    let Role::Consumer { spec, edges, probes } = &entry.role else {
        return None;
    };
    let spec = spec.borrow();
    let up = entry.present().filter(|(_, instance)| instance.health == Health::Up);
    let up: Vec<_> = up.map(|(number, _)| &probes[number]).collect();
    let mut total = WorkerTally::default();
    let mut by_kind: Vec<(String, u64)> = spec.jobs.keys().map(|name| (name.clone(), 0)).collect();
    for probe in probes {
        let tally = probe.tally.get();
        total.done += tally.done;
        total.failed += tally.failed;
        total.crashed += tally.crashed;
        total.returned += tally.returned;
        for (kind, count) in by_kind.iter_mut().zip(&*probe.by_kind.borrow()) {
            kind.1 += count;
        }
    }
    let of = edges.iter().find(|edge| edge.name == spec.of);
    Some(WorkersState {
        of: of.map_or(0, |edge| edge.to),
        policy: workers_policy(&spec),
        busy: up.iter().map(|probe| probe.busy.get()).sum(),
        slots: spec.slots * up.len() as u32,
        held: up.iter().map(|probe| probe.held.borrow().len() as u64).sum(),
        total,
        rate: entry.watched.done.1 as f64,
        by_kind,
    })
}

/// Whoever publishes, as it stands in a frame.
pub(in crate::world) fn publisher_state(entry: &ServiceEntry) -> Option<PublisherState> {
    let (publish, edges, probes) = match &entry.role {
        Role::Web {
            publish, edges, probes, ..
        } => {
            let up = entry.present().map(|(number, _)| &probes[number].publish);
            (publish.as_ref()?, edges, up.collect::<Vec<_>>())
        }
        Role::Serverless {
            publish, edges, probe, ..
        } => (publish.as_ref()?, edges, vec![&probe.publish]),
        _ => return None,
    };
    let publish = publish.borrow();
    let mut total = PublishTally::default();
    let (mut outbox, mut blocked) = (0, 0);
    for probe in &probes {
        let tally = probe.tally.get();
        total.confirmed += tally.confirmed;
        total.unconfirmed += tally.unconfirmed;
        total.kept += tally.kept;
        total.sent_later += tally.sent_later;
        total.dropped += tally.dropped;
        total.refused += tally.refused;
        outbox += probe.outbox.get();
        blocked += probe.blocked.get();
    }
    let room = match publish.fallback {
        Fallback::Outbox { messages } => u64::from(messages) * probes.len() as u64,
        _ => 0,
    };
    Some(PublisherState {
        to: edges.iter().find(|edge| edge.name == publish.to)?.to,
        policy: publish_policy(&publish),
        total,
        outbox,
        room,
        blocked,
    })
}

/// The settings of a queue in words.
pub(in crate::world) fn queue_policy(spec: &Queue) -> String {
    let mut words = vec![if spec.durable { "on disk" } else { "in memory" }.to_owned()];
    if spec.style == Style::Log {
        words.push("log".to_owned());
    }
    words.push(format!("visible again after {}", duration::format(spec.visibility)));
    if let Some(attempts) = spec.attempts {
        words.push(format!("{attempts} attempts"));
    }
    if let Some(to) = &spec.dead_letter {
        words.push(format!("then to {to}"));
    }
    if let Some(retention) = spec.retention {
        words.push(format!("kept for {}", duration::format(retention)));
    }
    if !spec.delay.is_zero() {
        words.push(format!("delayed by {}", duration::format(spec.delay)));
    }
    words.join(", ")
}

/// How a delivery is called on screens.
pub(in crate::world) fn delivery_name(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::AtMostOnce => "at most once",
        Delivery::AtLeastOnce => "at least once",
        Delivery::EffectivelyOnce => "effectively once",
    }
}

/// The settings of workers in words.
pub(in crate::world) fn workers_policy(spec: &Consumer) -> String {
    let mut words = vec![
        delivery_name(spec.delivery).to_owned(),
        format!("{} at once", spec.slots),
    ];
    if spec.prefetch > spec.slots {
        words.push(format!("hold {}", spec.prefetch));
    }
    words.join(", ")
}

/// How whoever publishes does it, in words.
fn publish_policy(publish: &Publish) -> String {
    let confirm = if publish.confirm { "confirmed" } else { "unconfirmed" };
    let fallback = match publish.fallback {
        Fallback::Refuse => "else refused".to_owned(),
        Fallback::Drop => "else dropped".to_owned(),
        Fallback::Block { longest } => format!("else blocked up to {}", duration::format(longest)),
        Fallback::Outbox { messages } => format!("else in an outbox of {messages}"),
    };
    format!("{confirm}, {fallback}")
}
