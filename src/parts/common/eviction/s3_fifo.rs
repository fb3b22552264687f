//! S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: FIFO queues are all you need for cache eviction, SOSP 2023).

use super::ghost::Ghost;
use super::list::{Links, List, NONE};
use super::marks::Marks;
use super::policy::{Policy, Slots};

/// Uses in the small queue that bring an entry into the main queue.
const PROMOTED: u8 = 2;
/// Uses are counted up to this.
const MOST_USES: u8 = 3;
/// Set in the mark of what is in the main queue.
const MAIN: u8 = 4;

/// Newcomers enter a small queue of 10 % of the room. At its end those that were used twice enter the main queue, the others go, and
/// their keys are remembered in a ghost queue of 90 % of the room: one that comes back enters the main queue at once. At the end of the
/// main queue what was used begins anew, with one use less, and the first that was not used goes.
///
/// The parameters are those of libCacheSim's S3FIFO, and as there a full small queue overflows into the main one until something has
/// been evicted. Here what is larger than the small queue enters the main queue too; there it is never kept. 9 bytes an entry, and
/// 60 to 85 for each key that is remembered.
#[derive(Debug)]
pub(super) struct S3Fifo {
    room: u64,
    links: Links,
    /// Uses, from 0 to [`MOST_USES`], and whether a slot is in the main queue.
    marks: Marks,
    small: List,
    main: List,
    ghost: Ghost,
    /// The key that is announced was remembered.
    returns: bool,
    has_evicted: bool,
}

impl S3Fifo {
    pub(super) fn new(room: u64) -> S3Fifo {
        S3Fifo {
            room,
            links: Links::default(),
            marks: Marks::default(),
            small: List::EMPTY,
            main: List::EMPTY,
            ghost: Ghost::new(),
            returns: false,
            has_evicted: false,
        }
    }

    fn small_room(&self) -> u64 {
        (self.room / 10).max(1)
    }

    fn ghost_room(&self) -> u64 {
        self.room - self.room.div_ceil(10)
    }

    fn evict_small(&mut self, slots: &Slots) -> Option<u32> {
        loop {
            let oldest = self.small.back();
            if oldest == NONE {
                return None;
            }
            let weight = slots.weight(oldest);
            self.small.remove(&mut self.links, oldest, weight);
            if self.marks.get(oldest) < PROMOTED {
                self.ghost.push(slots.key(oldest), weight);
                self.ghost.trim(self.ghost_room());
                return Some(oldest);
            }
            self.main.push_front(&mut self.links, oldest, weight);
            self.marks.set(oldest, MAIN);
        }
    }

    fn evict_main(&mut self, slots: &Slots) -> Option<u32> {
        loop {
            let oldest = self.main.back();
            if oldest == NONE {
                return None;
            }
            let mark = self.marks.get(oldest);
            if mark == MAIN {
                self.main.remove(&mut self.links, oldest, slots.weight(oldest));
                return Some(oldest);
            }
            self.marks.set(oldest, mark - 1);
            self.main.touch(&mut self.links, oldest);
        }
    }
}

impl Policy for S3Fifo {
    fn hit(&mut self, slot: u32, _: &Slots) {
        let mark = self.marks.get(slot);
        if mark & MOST_USES < MOST_USES {
            self.marks.set(slot, mark + 1);
        }
    }

    fn announce(&mut self, key: u64, _: u64) {
        self.returns = self.ghost.take(key);
    }

    fn insert(&mut self, slot: u32, slots: &Slots) {
        let (weight, room) = (slots.weight(slot), self.small_room());
        let overflows = weight > room || (!self.has_evicted && self.small.weight() >= room);
        let enters_main = std::mem::take(&mut self.returns) || overflows;
        let queue = if enters_main { &mut self.main } else { &mut self.small };
        queue.push_front(&mut self.links, slot, weight);
        self.marks.set(slot, if enters_main { MAIN } else { 0 });
    }

    fn evict(&mut self, slots: &Slots) -> Option<u32> {
        self.has_evicted = true;
        let main_room = self.room.saturating_sub(self.small_room());
        let from_small = if self.main.weight() > main_room {
            None
        } else {
            self.evict_small(slots)
        };
        from_small
            .or_else(|| self.evict_main(slots))
            .or_else(|| self.evict_small(slots))
    }

    fn remove(&mut self, slot: u32, slots: &Slots) {
        let is_main = self.marks.get(slot) & MAIN != 0;
        let queue = if is_main { &mut self.main } else { &mut self.small };
        queue.remove(&mut self.links, slot, slots.weight(slot));
    }

    fn weigh(&mut self, slot: u32, from: u64, to: u64) {
        let is_main = self.marks.get(slot) & MAIN != 0;
        let queue = if is_main { &mut self.main } else { &mut self.small };
        queue.weigh(from, to);
    }

    fn set_room(&mut self, room: u64) {
        self.room = room;
        self.ghost.trim(self.ghost_room());
    }
}
