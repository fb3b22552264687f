//! What a node holds: copies of rows, each for its time.

use std::time::Duration;

use crate::layout::{Evict, Room};
use crate::parts::common::Store;
use crate::protocol::RowCopy;
use crate::sim::{Draw, SimTime, nanos};

/// A copy of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub copy: RowCopy,
    pub bytes: u32,
    /// When it was stored.
    pub stored: SimTime,
    /// When its time is over.
    pub until: SimTime,
    /// How long it took to load, in nanoseconds.
    pub took: u64,
}

/// What a look-up has found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    Entry(Entry),
    /// One whose time was over. It is gone now.
    Expired,
    Nothing,
}

/// All copies of a node.
#[derive(Debug)]
pub(super) struct Entries {
    store: Store<Entry>,
}

impl Entry {
    /// Whether it has reached this share of its life.
    pub(super) fn is_ripe(&self, now: SimTime, share: f64) -> bool {
        let life = (self.until - self.stored).as_secs_f64();
        (now - self.stored).as_secs_f64() >= life * share
    }

    /// Whether it is loaded anew before its time, by chance: the likelier the nearer its end is and the longer a load takes. `XFetch`: now - took x
    /// beta x ln(random) is past its end.
    pub(super) fn is_early(&self, now: SimTime, beta: f64, draw: Draw) -> bool {
        let head_start = self.took as f64 * beta * draw.exponential();
        nanos(self.until - now) as f64 <= head_start
    }
}

/// How long an entry lives: its ttl, less a uniform share of it up to `jitter`.
pub(super) fn life(ttl: Duration, jitter: f64, draw: Draw) -> Duration {
    if jitter > 0.0 {
        ttl.mul_f64(1.0 - jitter * draw.unit())
    } else {
        ttl
    }
}

impl Entries {
    pub(super) fn new(evict: Evict, room: Room, seed: u64) -> Entries {
        Entries {
            store: Store::new(evict, room, seed),
        }
    }

    /// Looks a row up: a use of it, or a miss.
    #[inline]
    pub(super) fn look(&mut self, key: u64, now: SimTime) -> Found {
        let expired = self.store.peek(key).is_some_and(|entry| entry.until <= now);
        if expired {
            self.store.remove(key);
        }
        match self.store.get(key) {
            Some(entry) => Found::Entry(*entry),
            None if expired => Found::Expired,
            None => Found::Nothing,
        }
    }

    /// The copy of a row whose time is not over, without use.
    pub(super) fn peek(&self, key: u64, now: SimTime) -> Option<&Entry> {
        self.store.peek(key).filter(|entry| now < entry.until)
    }

    /// Keeps a copy, in the place of another one of the row. `false`: it is larger than all the room.
    pub(super) fn keep(&mut self, key: u64, entry: Entry) -> bool {
        self.store.put(key, entry.bytes, entry)
    }

    /// Puts what the database calls a version in the place of that version, if that is what is held.
    pub(super) fn rename(&mut self, key: u64, was: RowCopy, now: RowCopy) {
        if let Some(entry) = self.store.peek_mut(key).filter(|entry| entry.copy == was) {
            entry.copy = now;
        }
    }

    /// Forgets a row; tells whether there was a copy.
    pub(super) fn forget(&mut self, key: u64) -> bool {
        self.store.remove(key).is_some()
    }

    /// Forgets all; tells how many there were.
    pub(super) fn clear(&mut self) -> u64 {
        let held = self.store.len();
        self.store.clear();
        held
    }

    /// Forgets those whose time is over; tells how many they were.
    pub(super) fn sweep(&mut self, now: SimTime) -> u64 {
        self.store.retain(|_, entry| now < entry.until)
    }

    /// The time of all that is held is over.
    pub(super) fn expire(&mut self, now: SimTime) {
        self.store.update(|entry| entry.until = entry.until.min(now));
    }

    /// Another policy or another room; what fits stays.
    pub(super) fn retune(&mut self, evict: Evict, room: Room) {
        if self.store.evict() != evict {
            self.store.set_evict(evict);
        }
        if self.store.room() != room {
            self.store.set_room(room);
        }
    }

    /// How many there are, and how many bytes.
    pub(super) fn held(&self) -> (u64, u64) {
        (self.store.len(), self.store.bytes())
    }

    /// How many had to make room since the store was made.
    pub(super) fn evicted(&self) -> u64 {
        self.store.evicted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Stamp;
    use crate::sim::InstanceId;

    fn entry(until: u64, took: u64) -> Entry {
        Entry {
            copy: RowCopy {
                version: Stamp(5),
                by: InstanceId(1),
                exists: true,
            },
            bytes: 1,
            stored: SimTime(0),
            until: SimTime(until),
            took,
        }
    }

    #[test]
    fn an_entry_ends_with_its_time_and_counts_as_expired_once() {
        let mut entries = Entries::new(Evict::Lru, Room::Items(10), 1);
        entries.keep(7, entry(100, 0));
        assert!(matches!(entries.look(7, SimTime(99)), Found::Entry(_)));
        assert!(matches!(entries.look(7, SimTime(100)), Found::Expired));
        assert!(matches!(entries.look(7, SimTime(100)), Found::Nothing));
        entries.keep(8, entry(100, 0));
        entries.keep(9, entry(200, 0));
        assert_eq!((entries.sweep(SimTime(150)), entries.held().0), (1, 1));
    }

    #[test]
    fn lives_are_shorter_by_a_uniform_share() {
        let ttl = Duration::from_secs(10);
        let lives: Vec<f64> = (0..10_000)
            .map(|item| life(ttl, 0.5, Draw::of(1, item, 1)).as_secs_f64())
            .collect();
        let mean = lives.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 7.5).abs() < 0.05, "{mean}");
        assert!(lives.iter().all(|life| (5.0..=10.0).contains(life)));
        assert_eq!(life(ttl, 0.0, Draw(u64::MAX)), ttl);
    }

    #[test]
    fn early_refreshes_have_the_chance_of_xfetch() {
        // P(took x beta x Exp(1) >= left) = exp(-left / (took x beta)).
        let entry = entry(1_000_000, 100_000);
        for (left, beta) in [(100_000, 1.0), (200_000, 1.0), (200_000, 2.0)] {
            let now = SimTime(1_000_000 - left);
            let early = (0..50_000).filter(|item| entry.is_early(now, beta, Draw::of(3, *item, 1)));
            let share = early.count() as f64 / 50_000.0;
            let theory = (-(left as f64) / (100_000.0 * beta)).exp();
            assert!((share - theory).abs() < 0.01, "{share} for {theory}");
        }
        assert!(!entry.is_ripe(SimTime(799_999), 0.8) && entry.is_ripe(SimTime(800_000), 0.8));
    }
}
