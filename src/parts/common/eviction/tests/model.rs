//! Policies in their plainest form: a vector in the order of age, or of use, that is searched from the start.

use crate::layout::{Evict, Room};

/// Policies that have a model here.
pub(super) const MODELLED: [Evict; 5] = [Evict::Lru, Evict::Lfu, Evict::Fifo, Evict::Clock, Evict::Sieve];

#[derive(Clone, Debug)]
struct Entry {
    key: u64,
    bytes: u32,
    /// Uses since it came, 1 for coming.
    uses: u64,
    /// When it had its last use, or came.
    since: u64,
    /// The bit of CLOCK and SIEVE.
    bit: bool,
}

pub(super) struct Model {
    evict: Evict,
    room: Room,
    /// The oldest first; for LRU, the least recently used first.
    entries: Vec<Entry>,
    /// The key at which SIEVE looks next; `None`: the oldest.
    hand: Option<u64>,
    now: u64,
}

impl Model {
    pub(super) fn new(evict: Evict, room: Room) -> Model {
        Model {
            evict,
            room,
            entries: Vec::new(),
            hand: None,
            now: 0,
        }
    }

    /// A use: whether the key is held.
    pub(super) fn get(&mut self, key: u64) -> bool {
        self.now += 1;
        let Some(place) = self.place(key) else {
            return false;
        };
        let entry = &mut self.entries[place];
        (entry.uses, entry.since, entry.bit) = (entry.uses + 1, self.now, true);
        if self.evict == Evict::Lru {
            let entry = self.entries.remove(place);
            self.entries.push(entry);
        }
        true
    }

    pub(super) fn put(&mut self, key: u64, bytes: u32) -> bool {
        let capacity = self.capacity();
        if self.weight(bytes) > capacity {
            self.retain(|other| other != key);
            return false;
        }
        if let Some(place) = self.place(key) {
            self.entries[place].bytes = bytes;
            let mut used = self.used();
            let mut is_let_go = false;
            while used > capacity {
                let victim = self.evict();
                if victim.key == key {
                    is_let_go = true;
                } else {
                    used -= self.weight(victim.bytes);
                }
            }
            if is_let_go {
                self.add(key, bytes);
            }
        } else {
            while self.used() + self.weight(bytes) > capacity {
                self.evict();
            }
            self.add(key, bytes);
        }
        true
    }

    pub(super) fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        while let Some(place) = self.entries.iter().position(|entry| !keep(entry.key)) {
            self.take(place);
        }
    }

    pub(super) fn set_evict(&mut self, evict: Evict) {
        if evict != self.evict {
            self.hand_over(evict);
        }
    }

    pub(super) fn set_room(&mut self, room: Room) {
        let is_other_unit = std::mem::discriminant(&room) != std::mem::discriminant(&self.room);
        self.room = room;
        if is_other_unit {
            self.hand_over(self.evict);
        }
        while self.used() > self.capacity() {
            self.evict();
        }
    }

    /// The keys that are held, in order.
    pub(super) fn keys(&self) -> Vec<u64> {
        let mut keys: Vec<u64> = self.entries.iter().map(|entry| entry.key).collect();
        keys.sort_unstable();
        keys
    }

    fn hand_over(&mut self, evict: Evict) {
        let mut order = Vec::new();
        while !self.entries.is_empty() {
            order.push(self.evict());
        }
        (self.evict, self.hand) = (evict, None);
        for entry in order {
            self.add(entry.key, entry.bytes);
        }
    }

    fn add(&mut self, key: u64, bytes: u32) {
        self.now += 1;
        self.entries.push(Entry {
            key,
            bytes,
            uses: 1,
            since: self.now,
            bit: false,
        });
    }

    fn evict(&mut self) -> Entry {
        let place = match self.evict {
            Evict::Lfu => {
                let least = self
                    .entries
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, entry)| (entry.uses, entry.since));
                least.expect("something is held").0
            }
            Evict::Clock => {
                while self.entries[0].bit {
                    self.entries[0].bit = false;
                    self.entries.rotate_left(1);
                }
                0
            }
            Evict::Sieve => {
                let mut place = self.hand.and_then(|key| self.place(key)).unwrap_or(0);
                while self.entries[place].bit {
                    self.entries[place].bit = false;
                    place = (place + 1) % self.entries.len();
                }
                self.hand = Some(self.entries[place].key);
                place
            }
            _ => 0,
        };
        self.take(place)
    }

    /// Takes an entry out; a hand that is there moves on.
    fn take(&mut self, place: usize) -> Entry {
        if self.hand == Some(self.entries[place].key) {
            self.hand = self.entries.get(place + 1).map(|entry| entry.key);
        }
        self.entries.remove(place)
    }

    fn place(&self, key: u64) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key)
    }

    fn used(&self) -> u64 {
        self.entries.iter().map(|entry| self.weight(entry.bytes)).sum()
    }

    fn weight(&self, bytes: u32) -> u64 {
        match self.room {
            Room::Items(_) => 1,
            Room::Bytes(_) => u64::from(bytes.max(1)),
        }
    }

    fn capacity(&self) -> u64 {
        match self.room {
            Room::Items(most) | Room::Bytes(most) => most,
        }
    }
}
