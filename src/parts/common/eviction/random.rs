//! Random replacement.

use crate::sim::Stream;

use super::bag::Bag;
use super::policy::{Policy, Slots};

/// Any entry goes, each with the same probability. Its hit ratio is that of FIFO if requests are independent of each other (Gelenbe, A
/// Unified Approach to the Evaluation of a Class of Replacement Algorithms, 1973). 8 bytes an entry.
#[derive(Debug)]
pub(super) struct Random {
    bag: Bag,
    chance: Stream,
}

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random {
            bag: Bag::default(),
            chance: Stream::new(seed, "eviction", "random"),
        }
    }
}

impl Policy for Random {
    fn hit(&mut self, _: u32, _: &Slots) {}

    fn insert(&mut self, slot: u32, _: &Slots) {
        self.bag.insert(slot);
    }

    fn evict(&mut self, _: &Slots) -> Option<u32> {
        let victim = self.bag.pick(self.chance.draw())?;
        self.bag.remove(victim);
        Some(victim)
    }

    fn remove(&mut self, slot: u32, _: &Slots) {
        self.bag.remove(slot);
    }
}
