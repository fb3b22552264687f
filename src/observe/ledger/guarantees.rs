//! What single users may rely on: that they find what they wrote, and that time does not run backwards for them. Watched on a sample of
//! the users.

use rustc_hash::FxHashMap;

use crate::protocol::{Owner, Stamp};
use crate::sim::SimTime;

use super::bars::Bars;
use super::trail::{Link, Steps};

/// The share of the users that is watched. The same users each time: it goes by their lot.
pub(super) const SAMPLED: f64 = 1.0 / 16.0;
/// Pairs of a user and a row that are remembered; the one that was used least recently makes room.
const PAIRS: usize = 1 << 16;
/// Steps that are remembered of what they were told and what they saw.
const STEPS: usize = 1 << 16;

/// No pair.
const NONE: u32 = u32::MAX;

/// The newest version that something is known of, and the chain of those before it.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    stamp: Stamp,
    at: SimTime,
    last: Link,
}

impl Mark {
    /// Something newer was told.
    fn raise(&mut self, steps: &mut Steps, stamp: Stamp, at: SimTime) {
        if stamp > self.stamp {
            let last = steps.push(0, self.last, stamp, at);
            *self = Mark { stamp, at, last };
        }
    }

    /// The newest that was told by this time.
    fn by(&self, steps: &Steps, time: SimTime) -> Stamp {
        if self.at <= time {
            return self.stamp;
        }
        steps
            .until(self.last, time)
            .map_or(Stamp::ORIGINAL, |(_, step)| step.stamp)
    }
}

/// A user and a row.
#[derive(Clone, Copy, Debug)]
struct Pair {
    user: Owner,
    key: u64,
    wrote: Mark,
    read: Mark,
    /// The pair that was used just after this one, and the one just before.
    newer: u32,
    older: u32,
}

/// The sample.
#[derive(Debug)]
pub(super) struct Guarantees {
    pairs: Vec<Pair>,
    places: FxHashMap<(Owner, u64), u32>,
    steps: Steps,
    newest: u32,
    oldest: u32,
    room: usize,
    /// Reads that did not find what the same user had written.
    pub(super) own_writes_unseen: u64,
    /// Reads that returned an older version than the same user had seen.
    pub(super) read_backwards: u64,
}

impl Default for Guarantees {
    fn default() -> Guarantees {
        Guarantees::new(PAIRS)
    }
}

impl Guarantees {
    fn new(room: usize) -> Guarantees {
        Guarantees {
            pairs: Vec::new(),
            places: FxHashMap::default(),
            steps: Steps::new(STEPS),
            newest: NONE,
            oldest: NONE,
            room,
            own_writes_unseen: 0,
            read_backwards: 0,
        }
    }

    /// A user was told that a row is written.
    #[inline]
    pub(super) fn wrote(&mut self, at: SimTime, user: Owner, key: u64, version: Stamp) {
        if user.lot() < SAMPLED {
            let place = self.place(user, key);
            self.pairs[place].wrote.raise(&mut self.steps, version, at);
        }
    }

    /// A user has read a row.
    #[inline]
    pub(super) fn read(&mut self, at: SimTime, user: Owner, key: u64, version: Stamp, began: SimTime, bars: &Bars) {
        if user.lot() >= SAMPLED {
            return;
        }
        // Of a row that nobody has written there is nothing to miss.
        if version == Stamp::ORIGINAL && !self.places.contains_key(&(user, key)) {
            return;
        }
        let place = self.place(user, key);
        let pair = &mut self.pairs[place];
        let missed = |mark: &Mark| {
            let told = mark.by(&self.steps, began);
            told > version && bars.lowest(key, told) > version
        };
        self.own_writes_unseen += u64::from(missed(&pair.wrote));
        self.read_backwards += u64::from(missed(&pair.read));
        pair.read.raise(&mut self.steps, version, at);
    }

    /// The place of a pair, which is the most recently used one now.
    fn place(&mut self, user: Owner, key: u64) -> usize {
        if let Some(place) = self.places.get(&(user, key)).copied() {
            if place != self.newest {
                self.unlink(place);
                self.link(place);
            }
            return place as usize;
        }
        let pair = Pair {
            user,
            key,
            wrote: Mark::default(),
            read: Mark::default(),
            newer: NONE,
            older: NONE,
        };
        let place = if self.pairs.len() < self.room {
            self.pairs.push(pair);
            self.pairs.len() as u32 - 1
        } else {
            let place = self.oldest;
            self.unlink(place);
            let gone = std::mem::replace(&mut self.pairs[place as usize], pair);
            self.places.remove(&(gone.user, gone.key));
            place
        };
        self.places.insert((user, key), place);
        self.link(place);
        place as usize
    }

    fn unlink(&mut self, place: u32) {
        let Pair { newer, older, .. } = self.pairs[place as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.pairs[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.pairs[older as usize].newer = newer,
        }
    }

    fn link(&mut self, place: u32) {
        let pair = &mut self.pairs[place as usize];
        (pair.newer, pair.older) = (NONE, self.newest);
        match self.newest {
            NONE => self.oldest = place,
            newest => self.pairs[newest as usize].newer = place,
        }
        self.newest = place;
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.pairs.capacity() * size_of::<Pair>()
            + self.places.capacity() * (size_of::<((Owner, u64), u32)>() + 1)
            + self.steps.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> impl Iterator<Item = Owner> {
        (0..)
            .map(|person| Owner::new(0, person))
            .filter(|user| user.lot() < SAMPLED)
    }

    #[test]
    fn a_user_who_is_not_in_the_sample_is_not_watched() {
        let mut guarantees = Guarantees::default();
        let all = (0..100_000).map(|person| Owner::new(0, person));
        let watched = all.filter(|user| {
            guarantees.wrote(SimTime(1), *user, 1, Stamp(5));
            let before = guarantees.own_writes_unseen;
            guarantees.read(SimTime(3), *user, 1, Stamp(4), SimTime(2), &Bars::default());
            guarantees.own_writes_unseen > before
        });
        let share = watched.count() as f64 / 1e5;
        assert!((share - SAMPLED).abs() < 0.003, "{share}");
    }

    #[test]
    fn the_pair_that_was_used_least_recently_makes_room() {
        let mut guarantees = Guarantees::new(2);
        let users: Vec<Owner> = watched().take(3).collect();
        let bars = Bars::default();
        guarantees.wrote(SimTime(1), users[0], 1, Stamp(5));
        guarantees.wrote(SimTime(1), users[1], 1, Stamp(5));
        guarantees.wrote(SimTime(1), users[0], 1, Stamp(5));
        guarantees.wrote(SimTime(1), users[2], 1, Stamp(5));
        let mut unseen = |user| {
            let before = guarantees.own_writes_unseen;
            guarantees.read(SimTime(3), user, 1, Stamp::ORIGINAL, SimTime(2), &bars);
            guarantees.own_writes_unseen - before
        };
        assert_eq!((unseen(users[0]), unseen(users[1]), unseen(users[2])), (1, 0, 1));
    }

    #[test]
    fn memory_is_bounded() {
        let mut guarantees = Guarantees::default();
        let users: Vec<Owner> = watched().take(10_000).collect();
        let mut sizes = Vec::new();
        for round in 0..40_u64 {
            for (number, user) in users.iter().enumerate() {
                guarantees.wrote(SimTime(round), *user, round * 31 + number as u64 % 7, Stamp(round + 1));
            }
            sizes.push(guarantees.bytes());
        }
        assert_eq!(guarantees.pairs.len(), PAIRS);
        // A hash map tells its capacity only about.
        assert!(
            sizes[39] < sizes[20] + sizes[20] / 8,
            "{} became {}",
            sizes[20],
            sizes[39]
        );
    }
}
