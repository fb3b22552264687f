//! Slots without order, of which one can be drawn.

use crate::sim::Draw;

use super::list::NONE;

/// A set of slots from which any is drawn with the same probability: 8 bytes each.
#[derive(Debug, Default)]
pub(super) struct Bag {
    slots: Vec<u32>,
    /// Where each slot stands in `slots`; [`NONE`]: it is not in the bag.
    places: Vec<u32>,
}

impl Bag {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        self.places[slot as usize] != NONE
    }

    /// Any slot; `None` if it is empty.
    pub(super) fn pick(&self, draw: Draw) -> Option<u32> {
        self.slots.get(draw.below(self.slots.len() as u64) as usize).copied()
    }

    pub(super) fn insert(&mut self, slot: u32) {
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, NONE);
        }
        self.places[slot as usize] = self.slots.len() as u32;
        self.slots.push(slot);
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let place = std::mem::replace(&mut self.places[slot as usize], NONE);
        self.slots.swap_remove(place as usize);
        if let Some(moved) = self.slots.get(place as usize) {
            self.places[*moved as usize] = place;
        }
    }
}
