//! ARC (Megiddo and Modha: ARC: A Self-Tuning, Low Overhead Replacement Cache, FAST 2003).

use super::ghost::Ghost;
use super::list::{Links, List, NONE};
use super::marks::Marks;
use super::policy::{Policy, Slots};

/// The mark of a slot in T2.
const OFTEN: u8 = 1;

/// Two LRU lists, of what was used once since it came (T1) and of what was used more often (T2), and for each the keys of what it gave
/// up (B1 and B2). A miss of a key in B1 gives T1 more of the room, one in B2 gives T2 more; either key enters T2.
///
/// The paper counts pages. Here sizes are weights: an entry of n bytes moves the target n times as far, and ghosts are let go until T1 and B1
/// together are no more than the room, and all four no more than twice the room. 9 bytes an entry, and 60 to 85 for each key that is
/// remembered.
#[derive(Debug)]
pub(super) struct Arc {
    room: u64,
    links: Links,
    marks: Marks,
    /// T1.
    once: List,
    /// T2.
    often: List,
    /// B1.
    once_gone: Ghost,
    /// B2.
    often_gone: Ghost,
    /// How much T1 should hold: p of the paper.
    target: f64,
    /// Where the key that is announced was.
    found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nowhere,
    InOnceGone,
    InOftenGone,
}

impl Arc {
    pub(super) fn new(room: u64) -> Arc {
        Arc {
            room,
            links: Links::default(),
            marks: Marks::default(),
            once: List::EMPTY,
            often: List::EMPTY,
            once_gone: Ghost::new(),
            often_gone: Ghost::new(),
            target: 0.0,
            found: Found::Nowhere,
        }
    }

    /// The list in which a slot stands.
    fn list_of(&mut self, slot: u32) -> &mut List {
        if self.marks.get(slot) == OFTEN {
            &mut self.often
        } else {
            &mut self.once
        }
    }

    /// Lets ghosts go that are too many.
    fn trim(&mut self) {
        self.once_gone.trim(self.room.saturating_sub(self.once.weight()));
        let others = self.once.weight() + self.once_gone.weight() + self.often.weight();
        self.often_gone.trim(self.room.saturating_mul(2).saturating_sub(others));
    }
}

/// How far a hit in a ghost list moves the target, for each unit of weight.
fn step(this: &Ghost, other: &Ghost) -> f64 {
    (other.weight() as f64 / this.weight() as f64).max(1.0)
}

impl Policy for Arc {
    fn hit(&mut self, slot: u32, slots: &Slots) {
        if self.marks.get(slot) == OFTEN {
            self.often.touch(&mut self.links, slot);
            return;
        }
        let weight = slots.weight(slot);
        self.once.remove(&mut self.links, slot, weight);
        self.often.push_front(&mut self.links, slot, weight);
        self.marks.set(slot, OFTEN);
    }

    fn announce(&mut self, key: u64, weight: u64) {
        let to_once = |arc: &Arc| step(&arc.once_gone, &arc.often_gone) * weight as f64;
        let to_often = |arc: &Arc| step(&arc.often_gone, &arc.once_gone) * weight as f64;
        // Steps are those before the key is taken out, as in the paper; a list that it was in is not empty then.
        let (once, often) = (to_once(self), to_often(self));
        self.found = if self.once_gone.take(key) {
            self.target = (self.target + once).min(self.room as f64);
            Found::InOnceGone
        } else if self.often_gone.take(key) {
            self.target = (self.target - often).max(0.0);
            Found::InOftenGone
        } else {
            Found::Nowhere
        };
    }

    fn insert(&mut self, slot: u32, slots: &Slots) {
        let is_known = self.found != Found::Nowhere;
        self.found = Found::Nowhere;
        self.marks.set(slot, u8::from(is_known) * OFTEN);
        let list = if is_known { &mut self.often } else { &mut self.once };
        list.push_front(&mut self.links, slot, slots.weight(slot));
        self.trim();
    }

    /// REPLACE of the paper. What it deletes from the ghosts before, `trim` lets go afterwards, which comes to the same.
    fn evict(&mut self, slots: &Slots) -> Option<u32> {
        let once = self.once.weight() as f64;
        let is_long = once > self.target || (self.found == Found::InOftenGone && once >= self.target);
        let takes_once = !self.once.is_empty() && (is_long || self.often.is_empty());
        let (list, ghost) = if takes_once {
            (&mut self.once, &mut self.once_gone)
        } else {
            (&mut self.often, &mut self.often_gone)
        };
        let victim = list.back();
        if victim == NONE {
            return None;
        }
        let weight = slots.weight(victim);
        list.remove(&mut self.links, victim, weight);
        ghost.push(slots.key(victim), weight);
        Some(victim)
    }

    fn remove(&mut self, slot: u32, slots: &Slots) {
        let mut list = *self.list_of(slot);
        list.remove(&mut self.links, slot, slots.weight(slot));
        *self.list_of(slot) = list;
    }

    fn weigh(&mut self, slot: u32, from: u64, to: u64) {
        self.list_of(slot).weigh(from, to);
        self.trim();
    }

    fn set_room(&mut self, room: u64) {
        self.room = room;
        self.target = self.target.min(room as f64);
        self.trim();
    }
}
