//! Promises at risk: those that no second disk has yet.
//!
//! A queue holds what was promised since; it is judged on the grid against how far the other disks are. An entry counts for as long as
//! the row still has that promise, so a row that is written often counts once. When the queue is full, promises are only counted, as at
//! risk, and looked up among all rows once there is room again: the count is never too low.

use std::collections::VecDeque;

use crate::protocol::Stamp;
use crate::sim::SimTime;

use super::rows::{Promise, Rows, Watch};

/// Entries in the queue.
const ROOM: usize = 1 << 20;
/// Below this many entries nothing is cleared out.
const FEW: usize = 1 << 12;
/// How many times the queue is settled until those beyond it are looked up again though it is not half empty.
const PATIENCE: u32 = 100;

/// A promise in the queue. The write comes first, so that a queue is in the order of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    stamp: Stamp,
    key: u64,
    /// When it was promised: a write may be promised twice, with another promise in between.
    at: SimTime,
}

impl Entry {
    #[inline]
    fn new(key: u64, promise: &Promise) -> Entry {
        Entry {
            stamp: promise.stamp(),
            key,
            at: promise.at(),
        }
    }

    #[inline]
    fn is_live(self, promise: &Promise) -> bool {
        promise.stamp() == self.stamp && promise.at() == self.at && promise.watch() == Watch::Queued
    }
}

/// What is at risk.
#[derive(Debug)]
pub(super) struct Risk {
    room: usize,
    /// Since it was last settled, in the order of the promises.
    fresh: Vec<Entry>,
    /// By place, in the order of the writes.
    queues: Vec<VecDeque<Entry>>,
    /// Entries of all of them.
    len: usize,
    /// Entries whose rows have other promises by now.
    dead: usize,
    /// Promises that found no room.
    beyond: u64,
    /// By place: how far the other disks were when it was last settled.
    settled: Vec<Stamp>,
    waited: u32,
}

impl Default for Risk {
    fn default() -> Risk {
        Risk::new(ROOM)
    }
}

impl Risk {
    /// With room for so many promises.
    pub(super) fn new(room: usize) -> Risk {
        Risk {
            room,
            fresh: Vec::new(),
            queues: Vec::new(),
            len: 0,
            dead: 0,
            beyond: 0,
            settled: Vec::new(),
            waited: 0,
        }
    }

    /// A row loses its promise, or is about to get another.
    #[inline]
    pub(super) fn leave(&mut self, promise: &mut Promise) {
        match promise.watch() {
            Watch::Safe => {}
            Watch::Queued => self.dead += 1,
            Watch::Beyond => self.beyond -= 1,
        }
        promise.set_watch(Watch::Safe);
    }

    /// A row has got another promise, which no second disk has yet.
    #[inline]
    pub(super) fn enter(&mut self, key: u64, promise: &mut Promise) {
        if self.len < self.room {
            self.fresh.push(Entry::new(key, promise));
            self.len += 1;
            promise.set_watch(Watch::Queued);
        } else {
            self.beyond += 1;
            promise.set_watch(Watch::Beyond);
        }
    }

    /// The same for a promise that the row may have had before, since that time.
    pub(super) fn enter_again(&mut self, key: u64, promise: &mut Promise) {
        let entry = Entry::new(key, promise);
        let queued = |queue: &VecDeque<Entry>| queue.binary_search(&entry).is_ok();
        if self.fresh.contains(&entry) || self.queues.iter().any(queued) {
            self.dead -= 1;
            promise.set_watch(Watch::Queued);
        } else {
            self.enter(key, promise);
        }
    }

    /// Whether it is worth clearing out.
    #[inline]
    pub(super) fn is_cluttered(&self) -> bool {
        self.dead > FEW && self.dead * 2 > self.len
    }

    /// Drops the entries whose rows have other promises.
    pub(super) fn clear_out(&mut self, rows: &Rows) {
        let live = |entry: &Entry| entry.is_live(&rows.get(entry.key));
        self.fresh.retain(live);
        self.queues.iter_mut().for_each(|queue| queue.retain(live));
        let len = self.fresh.len() + self.queues.iter().map(VecDeque::len).sum::<usize>();
        self.dead -= self.len - len;
        self.len = len;
    }

    /// How many promises are at risk, given how far the other disks are.
    pub(super) fn count(&self, rows: &Rows, place_of: impl Fn(u64, Stamp) -> usize, safe: &[Stamp]) -> u64 {
        let upto = |place: usize| safe.get(place).copied().unwrap_or_default();
        let is_live = |entry: &&Entry| entry.is_live(&rows.get(entry.key));
        let fresh = self
            .fresh
            .iter()
            .filter(|entry| entry.stamp <= upto(place_of(entry.key, entry.stamp)));
        let queued = self.queues.iter().enumerate().flat_map(|(place, queue)| {
            let upto = upto(place);
            queue.iter().take_while(move |entry| entry.stamp <= upto)
        });
        let arrived = fresh.filter(is_live).count() + queued.filter(is_live).count();
        (self.len - self.dead - arrived) as u64 + self.beyond
    }

    /// Lets go of what other disks have by now.
    pub(super) fn settle(&mut self, rows: &mut Rows, place_of: impl Fn(u64, Stamp) -> usize, safe: &[Stamp]) {
        let fell_back = self
            .settled
            .iter()
            .enumerate()
            .any(|(place, before)| safe.get(place).is_none_or(|now| now < before));
        self.waited += u32::from(self.beyond > 0);
        let room_again = self.beyond > 0 && self.len * 2 < self.room;
        let overdue = self.waited >= PATIENCE && self.settled != safe;
        if fell_back || room_again || overdue {
            self.recount(rows, place_of, safe);
        } else {
            self.drain(rows, place_of, safe);
        }
        self.settled.clear();
        self.settled.extend_from_slice(safe);
        // What was long once gives its room back: there may be many queues.
        self.fresh.shrink_to(FEW.max(2 * self.fresh.len()));
        for queue in self
            .queues
            .iter_mut()
            .filter(|queue| queue.capacity() > FEW.max(8 * queue.len()))
        {
            queue.shrink_to(FEW.max(2 * queue.len()));
        }
    }

    fn drain(&mut self, rows: &mut Rows, place_of: impl Fn(u64, Stamp) -> usize, safe: &[Stamp]) {
        let upto = |place: usize| safe.get(place).copied().unwrap_or_default();
        self.fresh.sort_unstable();
        for entry in self.fresh.drain(..) {
            let promise = rows.entry(entry.key);
            let place = place_of(entry.key, entry.stamp);
            if !entry.is_live(promise) {
                (self.len, self.dead) = (self.len - 1, self.dead - 1);
            } else if entry.stamp <= upto(place) {
                promise.set_watch(Watch::Safe);
                self.len -= 1;
            } else {
                let queue = queue_of(&mut self.queues, place);
                // Users hear of writes in nearly their order, so what is late belongs near the end.
                let index = queue.iter().rev().take_while(|queued| **queued > entry).count();
                queue.insert(queue.len() - index, entry);
            }
        }
        for (place, queue) in self.queues.iter_mut().enumerate() {
            while let Some(entry) = queue.front().copied().filter(|entry| entry.stamp <= upto(place)) {
                queue.pop_front();
                let promise = rows.entry(entry.key);
                self.len -= 1;
                if entry.is_live(promise) {
                    promise.set_watch(Watch::Safe);
                } else {
                    self.dead -= 1;
                }
            }
        }
    }

    /// Looks at all rows anew: a disk that had much is gone, or there is room for what was only counted.
    fn recount(&mut self, rows: &mut Rows, place_of: impl Fn(u64, Stamp) -> usize, safe: &[Stamp]) {
        self.fresh.clear();
        self.queues.iter_mut().for_each(VecDeque::clear);
        (self.len, self.dead, self.beyond, self.waited) = (0, 0, 0, 0);
        for (key, promise) in rows.iter_mut() {
            let stamp = promise.stamp();
            let place = place_of(key, stamp);
            let watch = if stamp <= safe.get(place).copied().unwrap_or_default() {
                Watch::Safe
            } else if self.len < self.room {
                queue_of(&mut self.queues, place).push_back(Entry::new(key, promise));
                self.len += 1;
                Watch::Queued
            } else {
                self.beyond += 1;
                Watch::Beyond
            };
            promise.set_watch(watch);
        }
        for queue in &mut self.queues {
            queue.make_contiguous().sort_unstable();
        }
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let entries = self.fresh.capacity() + self.queues.iter().map(VecDeque::capacity).sum::<usize>();
        entries * size_of::<Entry>()
    }
}

fn queue_of(queues: &mut Vec<VecDeque<Entry>>, place: usize) -> &mut VecDeque<Entry> {
    if place >= queues.len() {
        queues.resize_with(place + 1, VecDeque::new);
    }
    &mut queues[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(risk: &mut Risk, rows: &mut Rows, key: u64, stamp: u64) {
        let promise = rows.entry(key);
        risk.leave(promise);
        promise.set(Stamp(stamp), SimTime(stamp), 0);
        risk.enter(key, promise);
    }

    /// All rows with promises above what is safe.
    fn truth(rows: &mut Rows, safe: &[Stamp]) -> u64 {
        rows.iter_mut()
            .filter(|(key, promise)| promise.stamp() > safe[*key as usize % safe.len()])
            .count() as u64
    }

    #[test]
    fn what_found_no_room_counts_until_it_is_looked_up() {
        let (mut risk, mut rows) = (Risk::new(100), Rows::default());
        for number in 1..=1_000 {
            promise(&mut risk, &mut rows, number % 250, number);
        }
        let place = |_, _| 0;
        assert_eq!(risk.count(&rows, place, &[Stamp(0)]), 250);
        // What is beyond the queue counts as at risk for a moment, and is known exactly as soon as the queue drains.
        assert!(risk.count(&rows, place, &[Stamp(900)]) >= 100);
        for upto in [760, 800, 900, 950, 1_000] {
            for _ in 0..3 {
                risk.settle(&mut rows, place, &[Stamp(upto)]);
            }
            let at_risk = risk.count(&rows, place, &[Stamp(upto)]);
            assert!(at_risk >= 1_000 - upto, "{at_risk} at {upto}");
            assert!(at_risk <= 250);
        }
        assert_eq!(risk.count(&rows, place, &[Stamp(1_000)]), 0);
        assert_eq!((risk.len, risk.dead, risk.beyond), (0, 0, 0));
    }

    #[test]
    fn those_beyond_a_queue_that_is_stuck_are_looked_up_now_and_then() {
        let (mut risk, mut rows) = (Risk::new(100), Rows::default());
        let place = |key: u64, _| key as usize % 2;
        // Even rows fill the queue and stay; odd ones become safe.
        (1..=100).for_each(|number| promise(&mut risk, &mut rows, 2 * number, number));
        (1..=100).for_each(|number| promise(&mut risk, &mut rows, 2 * number + 1, 100 + number));
        for moment in 1..=u64::from(PATIENCE) + 1 {
            risk.settle(&mut rows, place, &[Stamp(0), Stamp(100 + moment)]);
        }
        assert_eq!(risk.count(&rows, place, &[Stamp(0), Stamp(300)]), 100);
    }

    #[test]
    fn when_a_disk_is_gone_all_that_only_it_had_is_at_risk_again() {
        let (mut risk, mut rows) = (Risk::default(), Rows::default());
        let place = |key: u64, _| key as usize % 2;
        for number in 1..=1_000 {
            promise(&mut risk, &mut rows, number * 7 % 300, number);
            if number % 50 == 0 {
                let safe = [Stamp(number - 20), Stamp(number - 5)];
                risk.settle(&mut rows, place, &safe);
                assert_eq!(risk.count(&rows, place, &safe), truth(&mut rows, &safe));
            }
        }
        let safe = [Stamp(0), Stamp(995)];
        risk.settle(&mut rows, place, &safe);
        assert_eq!(risk.count(&rows, place, &safe), truth(&mut rows, &safe));
        assert_eq!(truth(&mut rows, &safe), 152);
    }

    #[test]
    fn a_row_that_is_written_all_the_time_takes_no_room() {
        let (mut risk, mut rows) = (Risk::default(), Rows::default());
        for number in 1..=1_000_000 {
            promise(&mut risk, &mut rows, number % 3, number);
            if risk.is_cluttered() {
                risk.clear_out(&rows);
            }
        }
        assert!(risk.bytes() < 1 << 20, "{} bytes", risk.bytes());
        assert_eq!(risk.count(&rows, |_, _| 0, &[]), 3);
    }
}
