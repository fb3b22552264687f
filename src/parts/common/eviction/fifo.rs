//! First in, first out.

use super::list::{Links, List, NONE};
use super::policy::{Policy, Slots};

/// A queue: uses change nothing, and the oldest goes. 8 bytes an entry.
#[derive(Debug)]
pub(super) struct Fifo {
    links: Links,
    queue: List,
}

impl Fifo {
    pub(super) fn new() -> Fifo {
        Fifo {
            links: Links::default(),
            queue: List::EMPTY,
        }
    }
}

impl Policy for Fifo {
    fn hit(&mut self, _: u32, _: &Slots) {}

    fn insert(&mut self, slot: u32, _: &Slots) {
        self.queue.push_front(&mut self.links, slot, 0);
    }

    fn evict(&mut self, slots: &Slots) -> Option<u32> {
        let victim = self.queue.back();
        (victim != NONE).then(|| {
            self.remove(victim, slots);
            victim
        })
    }

    fn remove(&mut self, slot: u32, _: &Slots) {
        self.queue.remove(&mut self.links, slot, 0);
    }
}
