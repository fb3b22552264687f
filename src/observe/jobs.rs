//! The ledger of jobs: what users were told will be done, compared with what queues, workers and outboxes hold and what was done.
//!
//! It keeps an entry for each job that is open, and for a while for each that has ended, so that what is done a second time is counted. It learns
//! only from events, in the order of the world.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::protocol::{Gone, JobId, Stamp};
use crate::sim::{InstanceId, SimTime};

use super::event::Event;
use super::queue::JobTally;

/// How long a job is remembered that has ended: who does it again later counts as a duplicate all the same.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Jobs that have ended and are remembered, at most.
const MOST_REMEMBERED: usize = 500_000;
/// How long nobody may hold a job until it is lost: messages are on their way for a moment.
const ADRIFT: Duration = Duration::from_secs(2);

/// What is known of a job.
#[derive(Clone, Copy, Debug)]
struct Job {
    /// Who holds its message: the queue that took it last, the worker that it was handed over to, or whoever promised it.
    place: InstanceId,
    /// The service that is its queue.
    home: u16,
    /// Messages of it in queues.
    copies: u8,
    state: State,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the memory of whoever promised it.
    Promised,
    /// In a queue.
    Waiting,
    /// Handed out; the queue has it too.
    Out,
    /// No queue has it. It may be on its way, or with a worker.
    Adrift,
    /// In a dead-letter queue.
    Dead,
    /// Its effect has happened.
    Done,
    /// Nobody holds it.
    Lost,
    /// Its time was over before it was done, or somebody threw it away.
    Expired,
    /// It was thrown away after all its attempts.
    Discarded,
}

/// The ledger of jobs.
#[derive(Debug, Default)]
pub struct Jobs {
    open: FxHashMap<JobId, Job>,
    /// The version that a job wrote.
    effects: FxHashMap<JobId, Stamp>,
    /// Jobs that nobody may hold, with the time since when; some are settled meanwhile.
    adrift: VecDeque<(SimTime, JobId)>,
    /// Jobs that have ended, in this order.
    ended: VecDeque<(SimTime, JobId)>,
    tallies: BTreeMap<u16, JobTally>,
    /// By instance: the service that is its queue: for a queue itself, its workers, and those who publish to it.
    homes: Vec<Option<u16>>,
    /// Jobs lost since this was asked for.
    newly_lost: u64,
}

impl Jobs {
    /// An instance is a queue, or works for one or publishes to it: to this service.
    pub fn belongs(&mut self, instance: InstanceId, queue: usize) {
        let place = instance.0 as usize;
        if place >= self.homes.len() {
            self.homes.resize(place + 1, None);
        }
        self.homes[place] = Some(queue as u16);
    }

    /// What became of the jobs of a queue.
    pub fn tally(&self, queue: usize) -> JobTally {
        self.tallies.get(&(queue as u16)).copied().unwrap_or_default()
    }

    /// Jobs lost since this was asked for, less those that turned up again.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.newly_lost)
    }

    fn home(&self, instance: InstanceId) -> u16 {
        let home = self.homes.get(instance.0 as usize).copied().flatten();
        home.unwrap_or(u16::MAX)
    }

    fn count(&mut self, home: u16, change: impl FnOnce(&mut JobTally)) {
        change(self.tallies.entry(home).or_default());
    }

    /// Takes an event about a job in. `false`: it is about something else.
    pub fn follow(&mut self, at: SimTime, from: InstanceId, event: &Event) -> bool {
        match *event {
            Event::JobStored { job } => self.stored(job, from),
            Event::JobOut { job, out } => self.handed_out(job, out),
            Event::JobGone { job, why } => self.gone(at, job, why),
            Event::JobDone { job, effect } => self.done(at, job, effect, from),
            Event::JobPromised { job, held } => self.promised(at, job, held, from),
            Event::JobDropped { job } => self.dropped(at, job, from),
            _ => return false,
        }
        true
    }

    fn dropped(&mut self, at: SimTime, job: JobId, from: InstanceId) {
        // A queue may have it all the same: only the answer was lost.
        if self.open.contains_key(&job) {
            return;
        }
        let home = self.home(from);
        let entry = Job {
            place: from,
            home,
            copies: 0,
            state: State::Lost,
        };
        self.open.insert(job, entry);
        self.count(home, |tally| tally.accepted += 1);
        self.lose(at, home, job);
    }

    /// A job that had ended is not over after all: what it was counted as it is no longer.
    fn take_back(&mut self, home: u16, before: State) {
        self.count(home, |tally| match before {
            State::Lost => tally.lost -= 1,
            State::Expired => tally.expired -= 1,
            State::Dead | State::Discarded => tally.dead -= 1,
            State::Promised | State::Waiting | State::Out | State::Adrift | State::Done => {}
        });
        if before == State::Lost {
            self.newly_lost = self.newly_lost.saturating_sub(1);
        }
    }

    fn stored(&mut self, job: JobId, from: InstanceId) {
        let own = self.home(from);
        let Some(known) = self.open.get_mut(&job) else {
            self.open.insert(
                job,
                Job {
                    place: from,
                    home: own,
                    copies: 1,
                    state: State::Waiting,
                },
            );
            return self.count(own, |tally| tally.accepted += 1);
        };
        known.copies = known.copies.saturating_add(1);
        known.place = from;
        let (home, before) = (known.home, known.state);
        let after = match before {
            // Done, and there is a copy of it still.
            State::Done => State::Done,
            _ if own != home => State::Dead,
            _ => State::Waiting,
        };
        known.state = after;
        if after != State::Done {
            self.take_back(home, before);
            self.count(home, |tally| tally.dead += u64::from(after == State::Dead));
        }
    }

    fn handed_out(&mut self, job: JobId, out: bool) {
        let Some(known) = self.open.get_mut(&job) else { return };
        match (known.state, out) {
            (State::Waiting, true) => known.state = State::Out,
            (State::Out, false) => known.state = State::Waiting,
            _ => {}
        }
    }

    fn gone(&mut self, at: SimTime, job: JobId, why: Gone) {
        if why == Gone::Split {
            return self.split(job);
        }
        let Some(known) = self.open.get_mut(&job) else { return };
        known.copies = known.copies.saturating_sub(1);
        if known.copies > 0 {
            return;
        }
        let (home, before) = (known.home, known.state);
        match (before, why) {
            (State::Done, _) => {}
            (State::Lost | State::Expired | State::Discarded | State::Adrift, _) => return,
            (_, Gone::Acknowledged | Gone::HandedOver(_)) => {
                if let Gone::HandedOver(worker) = why {
                    known.place = worker;
                }
                known.state = State::Adrift;
                self.leave_dead(home, before);
                return self.adrift.push_back((at, job));
            }
            (_, Gone::Discarded) => {
                known.state = State::Discarded;
                self.leave_dead(home, before);
                self.count(home, |tally| tally.dead += 1);
            }
            (_, Gone::Expired | Gone::Purged | Gone::Buried | Gone::Split) => {
                known.state = State::Expired;
                self.leave_dead(home, before);
                self.count(home, |tally| tally.expired += 1);
            }
        }
        self.ended.push_back((at, job));
    }

    /// A log has a message that was promised: from now on there is a job for each subscriber in its place.
    fn split(&mut self, job: JobId) {
        let Some(known) = self.open.get(&job).copied().filter(|known| known.copies == 0) else {
            return;
        };
        self.open.remove(&job);
        self.take_back(known.home, known.state);
        self.count(known.home, |tally| tally.accepted -= 1);
    }

    fn leave_dead(&mut self, home: u16, before: State) {
        if before == State::Dead {
            self.count(home, |tally| tally.dead -= 1);
        }
    }

    fn done(&mut self, at: SimTime, job: JobId, effect: Option<Stamp>, from: InstanceId) {
        let home = self.home(from);
        let Some(known) = self.open.get_mut(&job) else {
            // So long ago that nobody remembers.
            return self.count(home, |tally| tally.duplicated += 1);
        };
        let (home, before) = (known.home, known.state);
        if before == State::Done {
            let absorbed = effect.is_some() && self.effects.get(&job).copied() == effect;
            return self.count(home, |tally| {
                if absorbed {
                    tally.absorbed += 1;
                } else {
                    tally.duplicated += 1;
                }
            });
        }
        known.state = State::Done;
        let is_over = known.copies == 0;
        if let Some(version) = effect {
            self.effects.insert(job, version);
        }
        self.take_back(home, before);
        self.count(home, |tally| tally.done += 1);
        if is_over {
            self.ended.push_back((at, job));
        }
    }

    fn promised(&mut self, at: SimTime, job: JobId, held: bool, from: InstanceId) {
        // Who publishes again what a queue has already has promised nothing new.
        if self.open.contains_key(&job) {
            return;
        }
        let home = self.home(from);
        let state = if held { State::Promised } else { State::Adrift };
        self.open.insert(
            job,
            Job {
                place: from,
                home,
                copies: 0,
                state,
            },
        );
        self.count(home, |tally| tally.accepted += 1);
        if !held {
            self.adrift.push_back((at, job));
        }
    }

    /// The memory of an instance is gone, and what it held there: messages, or an outbox. What it had handed out may still be done.
    #[allow(
        clippy::disallowed_methods,
        reason = "what is found is put in order before anything follows from it"
    )]
    pub fn forget(&mut self, at: SimTime, instance: InstanceId) {
        let held = self.open.iter().filter(|(_, job)| {
            let holds = matches!(job.state, State::Promised) || job.copies > 0;
            job.place == instance && holds
        });
        let mut held: Vec<JobId> = held.map(|(id, _)| *id).collect();
        held.sort_unstable();
        for id in held {
            let Some(job) = self.open.get_mut(&id) else { continue };
            job.copies = 0;
            let (home, before) = (job.home, job.state);
            match before {
                State::Done => self.ended.push_back((at, id)),
                State::Out => {
                    job.state = State::Adrift;
                    self.adrift.push_back((at, id));
                }
                _ => {
                    job.state = State::Lost;
                    self.leave_dead(home, before);
                    self.lose(at, home, id);
                }
            }
        }
    }

    fn lose(&mut self, at: SimTime, home: u16, job: JobId) {
        self.count(home, |tally| tally.lost += 1);
        self.newly_lost += 1;
        self.ended.push_back((at, job));
    }

    /// Looks at those that may be lost, and forgets what ended long ago. `holds` tells whether a worker that runs holds a job.
    pub fn look(&mut self, now: SimTime, holds: impl Fn(JobId) -> bool) {
        for _ in 0..self.adrift.len() {
            let Some((since, id)) = self
                .adrift
                .front()
                .copied()
                .filter(|(since, _)| now.since(*since) >= ADRIFT)
            else {
                break;
            };
            self.adrift.pop_front();
            let Some(job) = self.open.get_mut(&id).filter(|job| job.state == State::Adrift) else {
                continue;
            };
            if holds(id) {
                self.adrift.push_back((now, id));
                continue;
            }
            job.state = State::Lost;
            let home = job.home;
            self.lose(since, home, id);
        }
        while let Some((since, id)) = self.ended.front().copied() {
            if now.since(since) < REMEMBERED && self.ended.len() <= MOST_REMEMBERED {
                break;
            }
            self.ended.pop_front();
            if self.open.get(&id).is_some_and(|job| {
                job.copies == 0 && matches!(job.state, State::Done | State::Lost | State::Expired | State::Discarded)
            }) {
                self.open.remove(&id);
                self.effects.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
