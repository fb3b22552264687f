//! Least recently used.

use super::list::{Links, List, NONE};
use super::policy::{Policy, Slots};

/// A list in the order of use: a use moves an entry to its front, and the last one goes. 8 bytes an entry.
#[derive(Debug)]
pub(super) struct Lru {
    links: Links,
    list: List,
}

impl Lru {
    pub(super) fn new() -> Lru {
        Lru {
            links: Links::default(),
            list: List::EMPTY,
        }
    }
}

impl Policy for Lru {
    fn hit(&mut self, slot: u32, _: &Slots) {
        self.list.touch(&mut self.links, slot);
    }

    fn insert(&mut self, slot: u32, _: &Slots) {
        self.list.push_front(&mut self.links, slot, 0);
    }

    fn evict(&mut self, slots: &Slots) -> Option<u32> {
        let victim = self.list.back();
        (victim != NONE).then(|| {
            self.remove(victim, slots);
            victim
        })
    }

    fn remove(&mut self, slot: u32, _: &Slots) {
        self.list.remove(&mut self.links, slot, 0);
    }
}
