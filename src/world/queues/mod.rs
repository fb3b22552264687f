//! Queues, workers and those who publish: what was sampled of them, the ledger of their jobs, and who is told what.

mod orders;
mod states;

use std::collections::VecDeque;
use std::time::Duration;

use crate::layout::{Consumer, Delivery, Fallback, QueueMeasure, duration};
use crate::observe::{Health, JobTally, QueueTally, RECENT_SECONDS};
use crate::protocol::Request;

use super::World;
use super::entries::{InstanceEntry, Role, ServiceEntry};

pub(super) use orders::{check_setting, poison, redrive};
pub(super) use states::{publisher_state, queue_policy, queue_state, workers_policy, workers_state};

/// How long a message may wait without being taken for a pile.
const PILED_UP: Duration = Duration::from_secs(2);
/// Seconds of a trend.
const TREND: usize = 60;

/// What was sampled of a queue.
#[derive(Default)]
pub(super) struct Watched {
    last: QueueTally,
    /// One for each of the last seconds.
    seconds: VecDeque<QueueTally>,
    trend: VecDeque<f32>,
    /// Of workers: messages done up to the last second, and in it.
    done: (u64, u64),
    /// Of workers: messages that reached them, up to the last second.
    taken: u64,
}

impl Watched {
    /// What was counted in the last seconds, and how many those are.
    fn recent(&self) -> (u64, u64, f64) {
        let come: u64 = self.seconds.iter().map(|second| second.published).sum();
        let left: u64 = self.seconds.iter().map(left).sum();
        (come, left, self.seconds.len() as f64)
    }
}

/// Messages that left a queue.
fn left(tally: &QueueTally) -> u64 {
    tally.acknowledged + tally.buried + tally.discarded + tally.expired + tally.purged + tally.redriven
}

/// Looks at a queue, or at workers, at the end of a second.
pub(super) fn sample(entry: &mut ServiceEntry) {
    let watched = &mut entry.watched;
    match &entry.role {
        Role::Queue { probe, .. } => {
            let total = probe.tally.get();
            keep(&mut watched.seconds, total.since(&watched.last), RECENT_SECONDS);
            keep(&mut watched.trend, probe.waiting.get() as f32, TREND);
            watched.last = total;
        }
        Role::Consumer { probes, .. } => {
            let totals = probes.iter().map(|probe| probe.tally.get());
            let (done, ended) = totals.fold((0, 0), |(done, ended), tally| {
                let other = tally.failed + tally.crashed + tally.returned;
                (done + tally.done, ended + tally.done + other)
            });
            let held = probes.iter().map(|probe| probe.held.borrow().len() as u64);
            watched.done = (done, done - watched.done.0);
            watched.taken = watched.taken.max(ended + held.sum::<u64>());
        }
        _ => {}
    }
}

fn keep<T>(values: &mut VecDeque<T>, value: T, most: usize) {
    if values.len() == most {
        values.pop_front();
    }
    values.push_back(value);
}

/// The value of a measure of a queue.
pub(super) fn measure(world: &World, entry: &ServiceEntry, what: QueueMeasure) -> f64 {
    let Role::Queue { probe, .. } = &entry.role else {
        return 0.0;
    };
    let jobs = jobs(world, entry);
    let count = match what {
        QueueMeasure::Oldest => {
            let oldest = probe.oldest.get();
            return oldest.map_or(0.0, |since| world.now().since(since).as_secs_f64());
        }
        QueueMeasure::Waiting => probe.waiting.get(),
        QueueMeasure::InFlight => probe.in_flight.get(),
        QueueMeasure::Redelivered => probe.tally.get().redelivered,
        QueueMeasure::Accepted => jobs.accepted,
        QueueMeasure::Done => jobs.done,
        QueueMeasure::Duplicated => jobs.duplicated,
        QueueMeasure::Dead => jobs.dead,
        QueueMeasure::LostJobs => jobs.lost,
        QueueMeasure::Expired => jobs.expired,
    };
    count as f64
}

/// What became of the jobs of a queue.
pub(super) fn jobs(world: &World, entry: &ServiceEntry) -> JobTally {
    let own = world.services.iter().position(|other| other.full == entry.full);
    own.map_or_else(JobTally::default, |own| world.chronicle.jobs.tally(own))
}

/// Tells the ledger of jobs whether a service is a queue, works for one, or publishes to it.
pub(super) fn join_queue(world: &mut World, service: usize) {
    let entry = &world.services[service];
    let queue = match &entry.role {
        Role::Queue { .. } => Some(service),
        Role::Consumer { .. } | Role::Web { .. } | Role::Serverless { .. } => {
            let mut edges = entry.edges().iter();
            edges.find_map(|edge| matches!(world.services[edge.to].role, Role::Queue { .. }).then_some(edge.to))
        }
        _ => None,
    };
    let Some(queue) = queue else { return };
    if let Role::Consumer { .. } = &entry.role {
        let front = world.services[queue].front.get();
        let scalers = world.services.iter().filter_map(|other| match &other.role {
            Role::Autoscaler { of, fleet, .. } if *of == service => Some(fleet),
            _ => None,
        });
        scalers.for_each(|fleet| fleet.queue.set(Some((front, service as u32))));
    }
    for instance in &entry.instances {
        world.chronicle.jobs.belongs(instance.id, queue);
    }
}

/// What was in the memory of processes that died is gone; of destroyed machines what was on their disks too.
pub(super) fn lose(world: &mut World, hit: &[(usize, usize)], with_disks: bool) {
    let now = world.now();
    for (service, number) in hit {
        let entry = &world.services[*service];
        let kept = match &entry.role {
            Role::Queue { spec, probe, .. } => {
                let kept = spec.borrow().durable && !with_disks;
                if !kept {
                    for cell in [
                        &probe.waiting,
                        &probe.delayed,
                        &probe.in_flight,
                        &probe.held,
                        &probe.bytes,
                    ] {
                        cell.set(0);
                    }
                    probe.oldest.set(None);
                }
                kept
            }
            Role::Web { probes, .. } => {
                probes[*number].publish.outbox.set(0);
                probes[*number].publish.blocked.set(0);
                false
            }
            Role::Consumer { probes, .. } => {
                probes[*number].busy.set(0);
                probes[*number].held.borrow_mut().clear();
                continue;
            }
            _ => continue,
        };
        if !kept {
            let id = entry.instances[*number].id;
            world.chronicle.jobs.forget(now, id);
        }
    }
    count_lost(world);
}

/// Looks for jobs that nobody holds, at the end of a second.
pub(super) fn look(world: &mut World) {
    let now = world.now();
    let (services, chronicle) = (&world.services, &mut world.chronicle);
    let holds = |job| {
        services.iter().any(|entry| match &entry.role {
            Role::Consumer { probes, .. } => {
                let mut up = entry.present().filter(|(_, instance)| instance.health == Health::Up);
                up.any(|(number, _)| probes[number].held.borrow().contains(&job))
            }
            _ => false,
        })
    };
    chronicle.jobs.look(now, holds);
    count_lost(world);
}

fn count_lost(world: &mut World) {
    let lost = world.chronicle.jobs.take_lost();
    if lost > 0 {
        world.chronicle.incidents.lose_jobs(lost);
    }
}

/// Tells workers that are to leave to end what they do.
pub(super) fn drain(world: &mut World, service: usize) {
    let now = world.now();
    let entry = &world.services[service];
    if !matches!(entry.role, Role::Consumer { .. }) {
        return;
    }
    let leaving = entry.present().filter(|(_, instance)| instance.draining == Some(now));
    let leaving: Vec<_> = leaving.map(|(_, instance)| instance.id).collect();
    for id in leaving {
        world.kernel.cast(id, Request::Drain);
    }
}

/// Messages that have reached workers, up to the last second: what a link from their queue carries. They ask for them by calls the other way.
pub(super) fn taken(entry: &ServiceEntry) -> Option<u64> {
    matches!(entry.role, Role::Consumer { .. }).then_some(entry.watched.taken)
}

/// Whether a queue, or that of workers, has worked off what had piled up: those that wait are no more than its workers take at once, or they came
/// only just now.
pub(super) fn is_worked_off(world: &World, service: usize) -> bool {
    let queue = match &world.services[service].role {
        Role::Queue { .. } => service,
        Role::Consumer { spec, edges, .. } => {
            let of = &spec.borrow().of;
            match edges.iter().find(|edge| edge.name == *of) {
                Some(edge) => edge.to,
                None => return true,
            }
        }
        _ => return true,
    };
    let Role::Queue { probe, .. } = &world.services[queue].role else {
        return true;
    };
    let due = probe.waiting.get().saturating_sub(probe.delayed.get());
    let late = probe
        .oldest
        .get()
        .is_some_and(|since| world.now().since(since) > PILED_UP);
    let takers = world.services.iter().filter_map(|entry| match &entry.role {
        Role::Consumer { spec, edges, .. } => {
            let spec = spec.borrow();
            let takes = edges.iter().any(|edge| edge.to == queue && edge.name == spec.of);
            takes.then(|| u64::from(spec.prefetch) * entry.staying().count() as u64)
        }
        _ => None,
    });
    let at_once: Vec<u64> = takers.collect();
    // Nobody takes from a dead-letter queue: what waits there has not piled up.
    at_once.is_empty() || due <= at_once.iter().sum() || !late
}

/// What a dead queue means.
pub(super) fn dead_queue(world: &World, service: &ServiceEntry, instance: &InstanceEntry) -> String {
    let name = &instance.selector;
    let own = world.services.iter().position(|other| other.full == service.full);
    let fallback = world.services.iter().find_map(|entry| {
        let (Role::Web {
            publish: Some(publish),
            edges,
            ..
        }
        | Role::Serverless {
            publish: Some(publish),
            edges,
            ..
        }) = &entry.role
        else {
            return None;
        };
        let publish = publish.borrow();
        let to = edges.iter().find(|edge| edge.name == publish.to)?;
        (Some(to.to) == own).then(|| (entry.selector.clone(), publish.confirm, publish.fallback))
    });
    match fallback {
        Some((who, false, _)) => {
            format!(
                "{who} sends on without waiting for a confirmation: what is uploaded now is lost, and nobody is told."
            )
        }
        Some((_, _, Fallback::Refuse)) => {
            format!("Nothing can be published to {name}: uploads fail, and everything else goes on.")
        }
        Some((who, _, Fallback::Drop)) => {
            format!("{who} tells users that all is well and throws their uploads away while {name} is gone.")
        }
        Some((who, _, Fallback::Block { .. })) => {
            format!("Uploads wait in {who} until {name} answers, and hold slots that pages need too.")
        }
        Some((who, _, Fallback::Outbox { .. })) => {
            format!("{who} keeps uploads in its memory and sends them once {name} is back; what dies with it is lost.")
        }
        None => format!("Nobody can publish to {name}, and nobody gets anything from it."),
    }
}

/// What a dead worker means.
pub(super) fn dead_worker(world: &World, service: &ServiceEntry, instance: &InstanceEntry, spec: &Consumer) -> String {
    let (name, queue) = (&instance.selector, &spec.of);
    let visibility = world.services.iter().find_map(|entry| match &entry.role {
        Role::Queue { spec: of, .. } if entry.name == *queue && entry.site == service.site => {
            Some(duration::format(of.borrow().visibility))
        }
        _ => None,
    });
    let others = service.present().any(|(_, other)| other.health == Health::Up);
    let back = match (spec.delivery, visibility) {
        (Delivery::AtMostOnce, _) => format!("What {name} held is lost: it was acknowledged before it was done."),
        (_, Some(time)) => format!("What {name} held comes back to {queue} {time} after it was handed out."),
        (_, None) => format!("What {name} held comes back to {queue}."),
    };
    if others {
        format!("{back} The other workers go on.")
    } else {
        format!("{back} Nobody takes from {queue}: it grows, and users notice nothing until it is full.")
    }
}
