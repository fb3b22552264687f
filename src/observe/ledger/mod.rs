//! The ledger of promises: what users were told of a database, to be compared with what its disks hold. It observes and changes nothing,
//! and its memory is bounded by the number of rows, however long the run is.
//!
//! The rules:
//!
//! - Of each row only the newest acknowledged write counts: a promise. Newer is the later write by the true time.
//! - **Stale** is a read that returns less than was promised before it began. Its age is the time from the first promise that it missed to
//!   its beginning, as far back as the ring of recent promises reaches. A read is judged when it ends, by the promises that stand then.
//! - **Missing** is a promise that no node which takes part has, and some other disk has; **lost** is one that no disk has. What is lost is
//!   counted once and then forgotten: a later read of the row isn't stale for it.
//! - A write that was **dropped** in a conflict, or given up, is promised no more: the promise becomes the write that was kept, and who reads
//!   that one has missed nothing. This also holds if the user is told of the write only afterwards.
//! - Of two writes that were **merged** or are kept as **siblings** the later one stays promised; who reads the older one is shown both by any
//!   node that knows of the conflict, so that isn't stale either.
//! - A **user** is let down by a read that returns less than the same user had been told is written, or had read, before it began. A
//!   write that is lost stays unseen.

mod bars;
mod guarantees;
mod risk;
mod rows;
#[cfg(test)]
mod tests;
mod trail;

use std::time::Duration;

use crate::protocol::{Owner, Stamp};
use crate::sim::{SimTime, nanos};

use super::event::{Event, Resolution};
use super::states::Promises;
use bars::Bars;
use guarantees::{Guarantees, SAMPLED};
use risk::Risk;
use rows::{Promise, Rows};
use trail::Trail;

/// Recent promises that are remembered one by one.
const RECENT: usize = 1 << 16;

/// Where an acknowledged write is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A node that takes part has it, or something later.
    Serving,
    /// Only the disk of a node that is dead or deposed has it, or the writes that one has put aside.
    Elsewhere,
    /// No disk has it.
    Nowhere,
}

/// What users were told of one database.
#[derive(Debug)]
pub struct Ledger {
    rows: Rows,
    trail: Trail,
    bars: Bars,
    risk: Risk,
    guarantees: Guarantees,
    /// What is counted.
    counts: Promises,
    /// The sum of the ages of what was stale, in nanoseconds.
    stale_nanos: u128,
}

impl Default for Ledger {
    fn default() -> Ledger {
        Ledger {
            rows: Rows::default(),
            trail: Trail::new(RECENT),
            bars: Bars::default(),
            risk: Risk::default(),
            guarantees: Guarantees::default(),
            counts: Promises::default(),
            stale_nanos: 0,
        }
    }
}

impl Ledger {
    /// Follows an event at this database; those that are not about writes and reads change nothing.
    #[inline]
    pub fn follow(&mut self, at: SimTime, event: &Event) {
        match *event {
            Event::Acknowledged { key, version, user, .. } => self.acknowledge(at, key, version, user),
            Event::Read {
                key,
                version,
                user,
                began,
                copy,
                ..
            } => self.read(at, (key, version), user, began, copy),
            Event::Unknown { .. } => self.counts.unknown += 1,
            Event::Replayed { key, old, new } => self.replay(key, old, new),
            Event::GivenUp { key, old, kept } => {
                self.counts.given_up += 1;
                self.drop_for(key, old, kept);
            }
            Event::Resolved {
                key,
                dropped,
                kept,
                how,
            } => self.resolve(key, dropped, kept, how),
            _ => {}
        }
    }

    fn acknowledge(&mut self, at: SimTime, key: u64, version: Stamp, user: Owner) {
        self.counts.acknowledged += 1;
        self.guarantees.wrote(at, user, key, version);
        let version = self.bars.standing(key, version);
        let promise = self.rows.entry(key);
        if version <= promise.stamp() {
            return;
        }
        find(promise, &mut self.counts);
        self.risk.leave(promise);
        let spot = self.trail.push(key, promise.spot(), version, at);
        promise.set(version, at, spot);
        self.risk.enter(key, promise);
        if self.risk.is_cluttered() {
            self.risk.clear_out(&self.rows);
        }
    }

    fn read(&mut self, at: SimTime, (key, version): (u64, Stamp), user: Owner, began: SimTime, copy: bool) {
        self.counts.reads += 1;
        let promise = self.rows.get(key);
        if promise.stamp() > version
            && let Some(since) = self.missed(key, version, began, promise)
        {
            let age = began.since(since);
            self.counts.stale += 1;
            self.counts.stale_copies += u64::from(copy);
            self.counts.stale_longest = self.counts.stale_longest.max(age);
            self.stale_nanos += u128::from(nanos(age));
        }
        self.guarantees.read(at, user, key, version, began, &self.bars);
    }

    /// Since when more was promised of a row than this version, if it was when a read began.
    fn missed(&self, key: u64, version: Stamp, began: SimTime, promise: Promise) -> Option<SimTime> {
        let recent = self.trail.promised(key, promise.spot(), began, version);
        // What is too old for the ring is the row's newest promise, or it doesn't matter any more.
        let settled = (promise.at() <= began).then_some((promise.stamp(), promise.at()));
        let (stamp, since) = recent.or(settled)?;
        (self.bars.lowest(key, stamp) > version).then_some(since)
    }

    fn replay(&mut self, key: u64, old: Stamp, new: Stamp) {
        self.counts.replayed += 1;
        let promise = self.rows.entry(key);
        if promise.stamp() != old || old == Stamp::ORIGINAL || new <= old {
            return;
        }
        find(promise, &mut self.counts);
        self.risk.leave(promise);
        self.trail.raise(key, promise.spot(), new);
        promise.set(new, promise.at(), promise.spot());
        self.risk.enter(key, promise);
    }

    fn resolve(&mut self, key: u64, dropped: Stamp, kept: Stamp, how: Resolution) {
        match how {
            Resolution::Dropped | Resolution::DroppedThoughLater => {
                if dropped < kept {
                    self.counts.dropped_older += 1;
                } else {
                    self.counts.dropped_later += 1;
                }
                self.drop_for(key, dropped, kept);
            }
            Resolution::Merged | Resolution::Siblings => {
                if how == Resolution::Merged {
                    self.counts.merged += 1;
                } else {
                    self.counts.siblings += 1;
                }
                if dropped != kept {
                    self.bars.add(key, dropped.max(kept), dropped.min(kept), false);
                }
            }
        }
    }

    /// A write stands no more, another one in its place. If that is later it keeps the promise by itself.
    fn drop_for(&mut self, key: u64, old: Stamp, kept: Stamp) {
        if kept < old {
            self.bars.add(key, old, kept, true);
        }
        let promise = self.rows.entry(key);
        if promise.stamp() != old {
            return;
        }
        find(promise, &mut self.counts);
        if kept >= old {
            return;
        }
        self.risk.leave(promise);
        if kept == Stamp::ORIGINAL {
            promise.clear();
            return;
        }
        let lowered = self.trail.lower(key, promise.spot(), kept);
        let (since, spot) = lowered.unwrap_or((promise.at(), 0));
        promise.set(kept, since, spot);
        self.risk.enter_again(key, promise);
    }

    /// Compares all promises with what the disks hold, by key: counts anew what is missing, and counts and forgets what is lost. Returns how
    /// many are newly lost. It is for when something has happened that can change the answer; it looks at every row that was ever
    /// promised.
    pub fn audit(&mut self, look: impl Fn(u64, Stamp) -> Held) -> u64 {
        let (mut lost, mut missing) = (0, 0);
        for (key, promise) in self.rows.iter_mut() {
            let held = look(key, promise.stamp());
            promise.set_missing(held == Held::Elsewhere);
            match held {
                Held::Serving => {}
                Held::Elsewhere => missing += 1,
                Held::Nowhere => {
                    lost += 1;
                    self.risk.leave(promise);
                    promise.clear();
                }
            }
        }
        if lost > 0 {
            self.risk.clear_out(&self.rows);
        }
        self.counts.missing = missing;
        self.counts.lost += lost;
        lost
    }

    /// How many rows would lose their newest promised write if the disk that took it were gone now. `safe` tells for each place how far the
    /// other disks have everything, and `place_of` finds the place of a write: its shard; where all nodes take writes, the node that made
    /// it. It costs as much as there were promises since [`Ledger::settle`].
    pub fn at_risk(&self, place_of: impl Fn(u64, Stamp) -> usize, safe: &[Stamp]) -> u64 {
        self.risk.count(&self.rows, place_of, safe)
    }

    /// Lets go of what is no longer at risk: to be called on the grid, and when a disk is gone. If `safe` has gone back somewhere, all rows
    /// are looked at.
    pub fn settle(&mut self, place_of: impl Fn(u64, Stamp) -> usize, safe: &[Stamp]) {
        self.risk.settle(&mut self.rows, place_of, safe);
    }

    /// What was counted. Missing and lost are as of the last audit, what was found since left out; what is at risk is left to
    /// [`Ledger::at_risk`].
    pub fn promises(&self) -> Promises {
        let mean = self.stale_nanos.checked_div(u128::from(self.counts.stale));
        Promises {
            stale_mean: Duration::from_nanos(mean.unwrap_or(0) as u64),
            own_writes_unseen: self.guarantees.own_writes_unseen,
            read_backwards: self.guarantees.read_backwards,
            sampled: SAMPLED,
            ..self.counts
        }
    }

    /// Promises that no disk holds any more, since the start.
    pub fn lost(&self) -> u64 {
        self.counts.lost
    }

    /// Promises that were missing in the last audit and still are, as far as events tell.
    pub fn missing(&self) -> u64 {
        self.counts.missing
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.trail.bytes() + self.bars.bytes() + self.risk.bytes() + self.guarantees.bytes()
    }
}

/// A promise that was missing is kept or replaced.
#[inline]
fn find(promise: &mut Promise, counts: &mut Promises) {
    if promise.is_missing() {
        promise.set_missing(false);
        counts.missing -= 1;
    }
}
