//! W-TinyLFU (Einziger, Friedman, Manes: `TinyLFU`: A Highly Efficient Cache Admission Policy, ACM Transactions on Storage 2017), the policy
//! of Caffeine.

use super::list::{Links, List, NONE};
use super::marks::Marks;
use super::policy::{Policy, Slots};
use super::sketch::Sketch;

/// Marks: where a slot is.
const WINDOW: u8 = 0;
const PROBATION: u8 = 1;
const PROTECTED: u8 = 2;

/// Newcomers enter a window, an LRU list of 1 % of the room. What falls out of it enters the main part if there is room, or if it was used
/// more often of late, as a sketch estimates, than what the main part would give up for it; else it goes. The main part is a segmented LRU: entries begin on
/// probation; those used there are protected, up to 80 % of it.
///
/// There is no doorkeeper, and the window does not adapt. 9 bytes an entry, and 16 to 32 of the sketch.
#[derive(Debug)]
pub(super) struct WTinyLfu {
    room: u64,
    links: Links,
    marks: Marks,
    /// By mark: the window, on probation, protected.
    lists: [List; 3],
    sketch: Sketch,
    held: usize,
    /// The weight of the entry that is announced.
    coming: u64,
}

impl WTinyLfu {
    pub(super) fn new(room: u64, seed: u64) -> WTinyLfu {
        WTinyLfu {
            room,
            links: Links::default(),
            marks: Marks::default(),
            lists: [List::EMPTY; 3],
            sketch: Sketch::new(seed),
            held: 0,
            coming: 0,
        }
    }

    fn window_room(&self) -> u64 {
        (self.room / 100).max(1)
    }

    fn main_room(&self) -> u64 {
        self.room.saturating_sub(self.window_room())
    }

    fn protected_room(&self) -> u64 {
        self.main_room() - self.main_room() / 5
    }

    fn list(&self, mark: u8) -> &List {
        &self.lists[usize::from(mark)]
    }

    fn take(&mut self, slot: u32, weight: u64) {
        let mark = self.marks.get(slot);
        self.lists[usize::from(mark)].remove(&mut self.links, slot, weight);
    }

    fn add(&mut self, slot: u32, weight: u64, mark: u8) {
        self.lists[usize::from(mark)].push_front(&mut self.links, slot, weight);
        self.marks.set(slot, mark);
    }

    /// Puts an entry on top of another list.
    fn shift(&mut self, slot: u32, mark: u8, slots: &Slots) {
        let weight = slots.weight(slot);
        self.take(slot, weight);
        self.add(slot, weight, mark);
    }

    fn main_has_room_for(&self, weight: u64) -> bool {
        self.list(PROBATION).weight() + self.list(PROTECTED).weight() + weight <= self.main_room()
    }

    /// What the main part would give up; [`NONE`] if it is empty.
    fn main_victim(&self) -> u32 {
        match self.list(PROBATION).back() {
            NONE => self.list(PROTECTED).back(),
            victim => victim,
        }
    }

    /// Moves what the window has no room for into the main part, as far as that has room, and gives what the window has no room for then.
    fn overflow(&mut self, slots: &Slots) -> Option<u32> {
        loop {
            let last = self.list(WINDOW).back();
            if last == NONE || self.list(WINDOW).weight() + self.coming <= self.window_room() {
                return None;
            }
            if !self.main_has_room_for(slots.weight(last)) {
                return Some(last);
            }
            self.shift(last, PROBATION, slots);
        }
    }

    /// Which of the two is kept: the window's candidate only if it is used more often.
    fn admits(&self, candidate: u32, victim: u32, slots: &Slots) -> bool {
        self.sketch.estimate(slots.key(candidate)) > self.sketch.estimate(slots.key(victim))
    }
}

impl Policy for WTinyLfu {
    fn hit(&mut self, slot: u32, slots: &Slots) {
        self.sketch.add(slots.key(slot));
        let mark = self.marks.get(slot);
        if mark != PROBATION {
            self.lists[usize::from(mark)].touch(&mut self.links, slot);
            return;
        }
        self.shift(slot, PROTECTED, slots);
        while self.list(PROTECTED).weight() > self.protected_room() {
            self.shift(self.list(PROTECTED).back(), PROBATION, slots);
        }
    }

    fn miss(&mut self, key: u64) {
        self.sketch.add(key);
    }

    fn announce(&mut self, _: u64, weight: u64) {
        self.coming = weight;
    }

    fn insert(&mut self, slot: u32, slots: &Slots) {
        self.coming = 0;
        self.held += 1;
        self.sketch.make_room(self.held);
        self.add(slot, slots.weight(slot), WINDOW);
        // What finds no room in the main part stays, until something has to go.
        self.overflow(slots);
    }

    fn evict(&mut self, slots: &Slots) -> Option<u32> {
        let victim = match (self.overflow(slots), self.main_victim()) {
            (None, NONE) => self.list(WINDOW).back(),
            (None, victim) => victim,
            (Some(candidate), victim) if victim != NONE && self.admits(candidate, victim, slots) => {
                self.shift(candidate, PROBATION, slots);
                victim
            }
            (Some(candidate), _) => candidate,
        };
        if victim == NONE {
            return None;
        }
        self.remove(victim, slots);
        Some(victim)
    }

    fn remove(&mut self, slot: u32, slots: &Slots) {
        self.held -= 1;
        self.take(slot, slots.weight(slot));
    }

    fn weigh(&mut self, slot: u32, from: u64, to: u64) {
        let mark = self.marks.get(slot);
        self.lists[usize::from(mark)].weigh(from, to);
    }

    fn set_room(&mut self, room: u64) {
        self.room = room;
    }
}
