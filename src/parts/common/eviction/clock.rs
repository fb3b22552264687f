//! CLOCK, also called second chance (Corbató, A Paging Experiment with the Multics System, 1968).

use super::list::{Links, List, NONE};
use super::marks::Marks;
use super::policy::{Policy, Slots};

/// A queue with one reference bit an entry: the oldest goes if it was not used, else it loses the bit and begins anew as the youngest.
/// An entry is inserted without the bit, as libCacheSim does. 9 bytes an entry.
#[derive(Debug)]
pub(super) struct Clock {
    links: Links,
    queue: List,
    used: Marks,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock {
            links: Links::default(),
            queue: List::EMPTY,
            used: Marks::default(),
        }
    }
}

impl Policy for Clock {
    fn hit(&mut self, slot: u32, _: &Slots) {
        self.used.set(slot, 1);
    }

    fn insert(&mut self, slot: u32, _: &Slots) {
        self.queue.push_front(&mut self.links, slot, 0);
        self.used.set(slot, 0);
    }

    fn evict(&mut self, slots: &Slots) -> Option<u32> {
        let mut victim = self.queue.back();
        while victim != NONE && self.used.get(victim) == 1 {
            self.used.set(victim, 0);
            self.queue.touch(&mut self.links, victim);
            victim = self.queue.back();
        }
        (victim != NONE).then(|| {
            self.remove(victim, slots);
            victim
        })
    }

    fn remove(&mut self, slot: u32, _: &Slots) {
        self.queue.remove(&mut self.links, slot, 0);
    }
}
