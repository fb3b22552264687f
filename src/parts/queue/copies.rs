//! What is held more than once.
//!
//! Nearly all numbers are held once, so that a set of them and a map of the others take half the memory of counts.

use rustc_hash::{FxHashMap, FxHashSet};

/// Numbers that are held, some of them more than once.
#[derive(Debug, Default)]
pub(super) struct Copies {
    held: FxHashSet<u64>,
    /// How many more there are of one.
    more: FxHashMap<u64, u32>,
}

impl Copies {
    /// Adds a number; tells whether it was here already.
    pub fn add(&mut self, number: u64) -> bool {
        let is_copy = !self.held.insert(number);
        if is_copy {
            *self.more.entry(number).or_default() += 1;
        }
        is_copy
    }

    /// Removes a number, once.
    pub fn remove(&mut self, number: u64) {
        match self.more.get_mut(&number) {
            None => _ = self.held.remove(&number),
            Some(1) => _ = self.more.remove(&number),
            Some(more) => *more -= 1,
        }
    }

    /// Bytes of memory: a table of 8 bytes and one of control for each place, at most seven eighths full.
    #[cfg(test)]
    pub fn memory(&self) -> usize {
        let places = (self.held.capacity() * 8 / 7).next_power_of_two();
        places * (size_of::<u64>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_copy_while_another_one_like_it_is_held() {
        let mut copies = Copies::default();
        assert_eq!(
            [1, 1, 2, 1].map(|number| copies.add(number)),
            [false, true, false, true]
        );
        copies.remove(1);
        copies.remove(1);
        assert!(copies.add(1));
        for number in [1, 1, 2, 3] {
            copies.remove(number);
        }
        assert!(!copies.add(1) && !copies.add(2));
        assert!(copies.more.is_empty());
    }
}
