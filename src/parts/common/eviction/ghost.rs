//! Keys of what is no longer held.

use rustc_hash::FxHashMap;

use super::list::{Links, List, NONE};

/// Keys and their weights without their values, the latest at the front: 60 to 85 bytes each, measured.
#[derive(Debug)]
pub(super) struct Ghost {
    places: FxHashMap<u64, u32>,
    /// Keys and weights by place.
    keys: Vec<(u64, u64)>,
    /// Places that no key has.
    free: Vec<u32>,
    links: Links,
    list: List,
}

impl Ghost {
    pub(super) fn new() -> Ghost {
        Ghost {
            places: FxHashMap::default(),
            keys: Vec::new(),
            free: Vec::new(),
            links: Links::default(),
            list: List::EMPTY,
        }
    }

    /// What its keys weigh together.
    pub(super) fn weight(&self) -> u64 {
        self.list.weight()
    }

    /// Keeps a key as the latest.
    pub(super) fn push(&mut self, key: u64, weight: u64) {
        self.take(key);
        let place = if let Some(place) = self.free.pop() {
            self.keys[place as usize] = (key, weight);
            place
        } else {
            self.keys.push((key, weight));
            self.keys.len() as u32 - 1
        };
        self.places.insert(key, place);
        self.list.push_front(&mut self.links, place, weight);
    }

    /// Takes a key out; whether it was there.
    pub(super) fn take(&mut self, key: u64) -> bool {
        let place = self.places.remove(&key);
        if let Some(place) = place {
            self.list.remove(&mut self.links, place, self.keys[place as usize].1);
            self.free.push(place);
        }
        place.is_some()
    }

    /// Lets the oldest keys go until the rest weighs no more than this.
    pub(super) fn trim(&mut self, most: u64) {
        while self.list.weight() > most && self.list.back() != NONE {
            self.take(self.keys[self.list.back() as usize].0);
        }
    }
}
