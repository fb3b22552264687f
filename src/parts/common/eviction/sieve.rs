//! SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi: SIEVE is Simpler than LRU, NSDI 2024).

use super::list::{Links, List, NONE};
use super::marks::Marks;
use super::policy::{Policy, Slots};

/// A queue with one bit an entry and a hand that moves from the oldest to the youngest and then begins again: what was used loses the
/// bit and keeps its place, the first that was not used goes. 9 bytes an entry.
#[derive(Debug)]
pub(super) struct Sieve {
    links: Links,
    queue: List,
    used: Marks,
    /// Where it looks next; [`NONE`]: at the oldest.
    hand: u32,
}

impl Sieve {
    pub(super) fn new() -> Sieve {
        Sieve {
            links: Links::default(),
            queue: List::EMPTY,
            used: Marks::default(),
            hand: NONE,
        }
    }

    /// The entry under the hand, or the oldest if it has come to the end.
    fn looked_at(&self) -> u32 {
        if self.hand == NONE {
            self.queue.back()
        } else {
            self.hand
        }
    }
}

impl Policy for Sieve {
    fn hit(&mut self, slot: u32, _: &Slots) {
        self.used.set(slot, 1);
    }

    fn insert(&mut self, slot: u32, _: &Slots) {
        self.queue.push_front(&mut self.links, slot, 0);
        self.used.set(slot, 0);
    }

    fn evict(&mut self, slots: &Slots) -> Option<u32> {
        let mut victim = self.looked_at();
        while victim != NONE && self.used.get(victim) == 1 {
            self.used.set(victim, 0);
            self.hand = self.links.before(victim);
            victim = self.looked_at();
        }
        self.hand = victim;
        (victim != NONE).then(|| {
            self.remove(victim, slots);
            victim
        })
    }

    fn remove(&mut self, slot: u32, _: &Slots) {
        if self.hand == slot {
            self.hand = self.links.before(slot);
        }
        self.queue.remove(&mut self.links, slot, 0);
    }
}
