//! Least frequently used, in constant time (Shah, Mitra, Matani: An O(1) algorithm for implementing the LFU cache eviction scheme, 2010).

use super::list::{Links, List, NONE};
use super::policy::{Policy, Slots};

/// A group for each number of uses that an entry has, in order of that number. The entry with the fewest goes; of several, the one that
/// has had so many for longest. Counts are forgotten when an entry goes, as in libCacheSim's LFU, and nothing ages: what was popular
/// once stays. 12 bytes an entry, and 32 for each number that occurs.
#[derive(Debug)]
pub(super) struct Lfu {
    links: Links,
    /// The group of each slot.
    group_of: Vec<u32>,
    groups: Vec<Group>,
    /// Places in `groups` that no group has.
    free: Vec<u32>,
    /// The group with the fewest uses; [`NONE`] if nothing is held.
    lowest: u32,
}

/// The entries with the same number of uses, the latest to reach it at the front.
#[derive(Debug)]
struct Group {
    uses: u64,
    list: List,
    /// The next group with fewer uses.
    lower: u32,
    /// The next group with more.
    higher: u32,
}

impl Lfu {
    pub(super) fn new() -> Lfu {
        Lfu {
            links: Links::default(),
            group_of: Vec::new(),
            groups: Vec::new(),
            free: Vec::new(),
            lowest: NONE,
        }
    }

    /// The group for a number of uses, which stands above `lower` ([`NONE`]: lowest of all); it is made if there is none.
    fn group_above(&mut self, lower: u32, uses: u64) -> u32 {
        let higher = if lower == NONE {
            self.lowest
        } else {
            self.groups[lower as usize].higher
        };
        if higher != NONE && self.groups[higher as usize].uses == uses {
            return higher;
        }
        let made = Group {
            uses,
            list: List::EMPTY,
            lower,
            higher,
        };
        let place = if let Some(place) = self.free.pop() {
            self.groups[place as usize] = made;
            place
        } else {
            self.groups.push(made);
            self.groups.len() as u32 - 1
        };
        self.join(lower, place);
        self.join(place, higher);
        place
    }

    /// Makes two groups neighbours; either may be [`NONE`].
    fn join(&mut self, lower: u32, higher: u32) {
        match lower {
            NONE => self.lowest = higher,
            lower => self.groups[lower as usize].higher = higher,
        }
        if higher != NONE {
            self.groups[higher as usize].lower = lower;
        }
    }

    fn add(&mut self, slot: u32, group: u32) {
        if self.group_of.len() <= slot as usize {
            self.group_of.resize(slot as usize + 1, NONE);
        }
        self.group_of[slot as usize] = group;
        self.groups[group as usize].list.push_front(&mut self.links, slot, 0);
    }

    /// Takes a slot out of its group, which vanishes if it was the last one.
    fn take(&mut self, slot: u32) {
        let place = self.group_of[slot as usize];
        let group = &mut self.groups[place as usize];
        group.list.remove(&mut self.links, slot, 0);
        if group.list.is_empty() {
            let (lower, higher) = (group.lower, group.higher);
            self.join(lower, higher);
            self.free.push(place);
        }
    }
}

impl Policy for Lfu {
    fn hit(&mut self, slot: u32, _: &Slots) {
        let place = self.group_of[slot as usize];
        let uses = self.groups[place as usize].uses + 1;
        let above = self.group_above(place, uses);
        self.take(slot);
        self.add(slot, above);
    }

    fn insert(&mut self, slot: u32, _: &Slots) {
        let first = self.group_above(NONE, 1);
        self.add(slot, first);
    }

    fn evict(&mut self, _: &Slots) -> Option<u32> {
        let victim = self.groups.get(self.lowest as usize)?.list.back();
        self.take(victim);
        Some(victim)
    }

    fn remove(&mut self, slot: u32, _: &Slots) {
        self.take(slot);
    }
}
