//! Which older version shows as much as a write does: the one that stands in its place, or beside it.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::protocol::Stamp;

/// How many writes are remembered.
const KEPT: usize = 1 << 16;
/// How far a chain of them is followed.
const FAR: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Bar {
    lower: Stamp,
    /// The write itself does not stand any more.
    gone: bool,
}

/// For writes whose part an older one plays: that one. Whoever reads it, or anything later, has not missed the write.
#[derive(Debug, Default)]
pub(super) struct Bars {
    bars: FxHashMap<(u64, Stamp), Bar>,
    order: VecDeque<(u64, Stamp)>,
}

impl Bars {
    /// An older write stands in the place of another (`gone`), or beside it.
    pub(super) fn add(&mut self, key: u64, stamp: Stamp, lower: Stamp, gone: bool) {
        debug_assert!(lower < stamp);
        if let Some(bar) = self.bars.get_mut(&(key, stamp)) {
            bar.lower = lower.min(bar.lower);
            bar.gone |= gone;
            return;
        }
        if self.order.len() == KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.bars.remove(&oldest);
        }
        self.order.push_back((key, stamp));
        self.bars.insert((key, stamp), Bar { lower, gone });
    }

    /// The oldest version that shows as much as this write.
    pub(super) fn lowest(&self, key: u64, stamp: Stamp) -> Stamp {
        self.follow(key, stamp, |_| true)
    }

    /// The write that stands in the place of this one; itself, if it stands.
    #[inline]
    pub(super) fn standing(&self, key: u64, stamp: Stamp) -> Stamp {
        if self.bars.is_empty() {
            return stamp;
        }
        self.follow(key, stamp, |bar| bar.gone)
    }

    fn follow(&self, key: u64, stamp: Stamp, counts: impl Fn(&Bar) -> bool) -> Stamp {
        let mut stamp = stamp;
        for _ in 0..FAR {
            match self.bars.get(&(key, stamp)).filter(|bar| counts(bar)) {
                Some(bar) => stamp = bar.lower,
                None => break,
            }
        }
        stamp
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bars.capacity() * (size_of::<((u64, Stamp), Bar)>() + 1)
            + self.order.capacity() * size_of::<(u64, Stamp)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_several_that_stand_beside_each_other_shows_them_all() {
        let mut bars = Bars::default();
        bars.add(1, Stamp(9), Stamp(7), false);
        bars.add(1, Stamp(7), Stamp(4), true);
        assert_eq!(bars.lowest(1, Stamp(9)), Stamp(4));
        assert_eq!(bars.standing(1, Stamp(9)), Stamp(9));
        assert_eq!(bars.standing(1, Stamp(7)), Stamp(4));
        assert_eq!(bars.lowest(2, Stamp(9)), Stamp(9));
    }

    #[test]
    fn the_oldest_entries_make_room() {
        let mut bars = Bars::default();
        for key in 0..2 * KEPT as u64 {
            bars.add(key, Stamp(2), Stamp(1), true);
        }
        assert_eq!((bars.bars.len(), bars.order.len()), (KEPT, KEPT));
        assert_eq!(bars.standing(0, Stamp(2)), Stamp(2));
        assert_eq!(bars.standing(KEPT as u64, Stamp(2)), Stamp(1));
    }
}
