//! The copies on all devices of a population, in a table of sets with eight places each: looking for a copy, or keeping one, touches one place in
//! memory, which is what it costs with a million people.
//!
//! A table grows before its sets are crowded. One that has its full size evicts like the caches of processors do: when a set is full, the copy in it that
//! was not used for longest goes (set-associative, least recently used).

use crate::sim::SimTime;

/// Places of a set.
const WAYS: usize = 8;
/// Sets at first.
const FIRST_SETS: usize = 64;
/// Copies for each set at which the table doubles: at three of eight places hardly any set is full by chance.
const CROWDED: usize = 3;
/// No copy.
const NONE: u64 = 0;

/// What is known of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Held {
    /// Until when it may be used.
    pub until: SimTime,
    /// Which file.
    pub file: u32,
    /// The version that it is.
    pub edition: u32,
    /// Its size in bytes.
    pub bytes: u32,
}

/// A copy in its place: 24 bytes, without a gap.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    until: SimTime,
    file: u32,
    edition: u32,
    bytes: u32,
    /// When it was used last: the count of uses, which wraps after four billion.
    used: u32,
}

impl Kept {
    fn new(held: Held, used: u32) -> Kept {
        let Held {
            until,
            file,
            edition,
            bytes,
        } = held;
        Kept {
            until,
            file,
            edition,
            bytes,
            used,
        }
    }

    fn held(self) -> Held {
        let Kept {
            until,
            file,
            edition,
            bytes,
            used: _,
        } = self;
        Held {
            until,
            file,
            edition,
            bytes,
        }
    }
}

/// The keys of a set stand together, in one line of the processor's cache: most that is looked for is not there.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Set {
    keys: [u64; WAYS],
    kept: [Kept; WAYS],
}

impl Set {
    const EMPTY: Set = Set {
        keys: [NONE; WAYS],
        kept: [Kept {
            until: SimTime::ZERO,
            file: 0,
            edition: 0,
            bytes: 0,
            used: 0,
        }; WAYS],
    };

    #[inline]
    fn place(&self, key: u64) -> Option<usize> {
        self.keys.iter().position(|known| *known == key)
    }
}

/// Copies by key.
#[derive(Debug)]
pub(super) struct Copies {
    sets: Vec<Set>,
    /// Sets at most, a power of two.
    most: usize,
    // What is written one by one and read at once stands apart: a processor waits where two of them are read as one word.
    len: u64,
    evicted: u64,
    bytes: u64,
    clock: u32,
}

impl Copies {
    /// No copies, and places for at most so many, rounded up to a power of two.
    pub(super) fn new(most: usize) -> Copies {
        let most = (most / WAYS).next_power_of_two();
        Copies {
            sets: vec![Set::EMPTY; FIRST_SETS.min(most)],
            most,
            len: 0,
            bytes: 0,
            evicted: 0,
            clock: 0,
        }
    }

    /// The number of a key's set. Keys are hashes: their low bits are as good as any.
    #[inline]
    fn set_of(&self, key: u64) -> usize {
        key as usize & (self.sets.len() - 1)
    }

    /// A use of a copy.
    #[inline]
    pub(super) fn get(&mut self, key: u64) -> Option<Held> {
        let key = key.max(1);
        let at = self.set_of(key);
        let set = &mut self.sets[at];
        let place = set.place(key)?;
        self.clock = self.clock.wrapping_add(1);
        let kept = &mut set.kept[place];
        kept.used = self.clock;
        Some(kept.held())
    }

    /// Keeps a copy, in the place of one with this key.
    pub(super) fn put(&mut self, key: u64, held: Held) {
        let key = key.max(1);
        if self.len as usize >= CROWDED * self.sets.len() && self.sets.len() < self.most {
            self.grow();
        }
        self.clock = self.clock.wrapping_add(1);
        let (at, clock) = (self.set_of(key), self.clock);
        let set = &mut self.sets[at];
        let place = set.place(key).or_else(|| set.place(NONE)).unwrap_or_else(|| {
            let unused = |place: &usize| clock.wrapping_sub(set.kept[*place].used);
            (0..WAYS).max_by_key(unused).unwrap_or_default()
        });
        if set.keys[place] == NONE {
            self.len += 1;
        } else {
            self.evicted += u64::from(set.keys[place] != key);
            self.bytes -= u64::from(set.kept[place].bytes);
        }
        set.keys[place] = key;
        set.kept[place] = Kept::new(held, clock);
        self.bytes += u64::from(held.bytes);
    }

    /// Takes out a copy.
    pub(super) fn remove(&mut self, key: u64) {
        let key = key.max(1);
        let at = self.set_of(key);
        if let Some(place) = self.sets[at].place(key) {
            self.vacate(at, place);
        }
    }

    /// Removes the copies of a file and returns how many there were. It looks at all.
    pub(super) fn remove_file(&mut self, file: u32) -> u64 {
        let before = self.len;
        for at in 0..self.sets.len() {
            for place in 0..WAYS {
                let set = &self.sets[at];
                if set.keys[place] != NONE && set.kept[place].file == file {
                    self.vacate(at, place);
                }
            }
        }
        before - self.len
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        let evicted = self.evicted;
        *self = Copies::new(self.most * WAYS);
        self.evicted = evicted;
    }

    /// The time of all copies is over by this moment.
    pub(super) fn expire(&mut self, now: SimTime) {
        for kept in self.sets.iter_mut().flat_map(|set| &mut set.kept) {
            kept.until = kept.until.min(now);
        }
    }

    /// Copies that are held.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Their sizes together.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Copies that went for want of room.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn vacate(&mut self, at: usize, place: usize) {
        let set = &mut self.sets[at];
        set.keys[place] = NONE;
        self.len -= 1;
        self.bytes -= u64::from(set.kept[place].bytes);
    }

    /// Twice as many sets: what is in one goes to two, so that none gets more.
    fn grow(&mut self) {
        let sets = std::mem::take(&mut self.sets);
        self.sets = vec![Set::EMPTY; 2 * sets.len()];
        for old in sets {
            for place in (0..WAYS).filter(|place| old.keys[*place] != NONE) {
                let at = self.set_of(old.keys[place]);
                let set = &mut self.sets[at];
                if let Some(free) = set.place(NONE) {
                    set.keys[free] = old.keys[place];
                    set.kept[free] = old.kept[place];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::mix;

    fn held(file: u32) -> Held {
        Held {
            until: SimTime(u64::from(file)),
            file,
            edition: 1,
            bytes: 10,
        }
    }

    #[test]
    fn hardly_any_copy_goes_while_there_is_room() {
        let mut copies = Copies::new(1 << 16);
        for number in 0..20_000_u64 {
            copies.put(mix(number), held(number as u32));
        }
        let found = (0..20_000_u64).filter(|number| copies.get(mix(*number)) == Some(held(*number as u32)));
        let found = found.count() as u64;
        assert_eq!(
            (copies.len(), copies.bytes(), copies.evicted()),
            (found, 10 * found, 20_000 - found)
        );
        assert!(found >= 19_900, "{found}");
        assert_eq!(copies.get(mix(20_001)), None);
    }

    #[test]
    fn those_that_were_not_used_for_longest_go_and_those_in_use_stay() {
        let mut copies = Copies::new(1 << 10);
        for number in 0..100_000_u64 {
            copies.put(mix(number), held(1));
            // A favourite, used all the time.
            if number >= 50 {
                assert!(copies.get(mix(7)).is_some(), "{number}");
            }
        }
        assert!((900..=1_024).contains(&copies.len()), "{}", copies.len());
        assert_eq!(copies.len() + copies.evicted(), 100_000);
        let recent = (99_500..100_000_u64).filter(|number| copies.get(mix(*number)).is_some());
        let recent = recent.count();
        assert!(recent > 420, "{recent}");
        assert_eq!(
            (0..50_000_u64)
                .filter(|number| copies.get(mix(*number)).is_some())
                .count(),
            1
        );
    }

    #[test]
    fn a_copy_is_replaced_removed_and_expires() {
        let mut copies = Copies::new(64);
        for key in [0, 5, 9] {
            copies.put(key, held(key as u32));
        }
        copies.put(5, Held { bytes: 30, ..held(6) });
        assert_eq!((copies.len(), copies.bytes(), copies.evicted()), (3, 50, 0));
        assert_eq!(copies.get(5).map(|held| held.file), Some(6));
        copies.expire(SimTime(4));
        assert_eq!(copies.get(9).map(|held| held.until), Some(SimTime(4)));
        assert_eq!((copies.remove_file(6), copies.len(), copies.bytes()), (1, 2, 20));
        copies.remove(0);
        copies.remove(77);
        assert_eq!((copies.len(), copies.bytes()), (1, 10));
        copies.clear();
        assert_eq!((copies.len(), copies.bytes(), copies.get(9)), (0, 0, None));
    }
}
