//! Writes that a node put aside, since the primary that it follows does not have them.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::protocol::{Recovered, Stamp, Write};

/// Writes that are kept at most; the oldest make room. Who never recovers and fails over again and again reaches it.
const MOST: usize = 1 << 20;

/// Writes in their order.
#[derive(Debug, Default)]
pub(super) struct Tail {
    writes: BTreeMap<Stamp, Write>,
    /// Writes that were made anew, by the write that they repeat: what came after them in the tail builds on them.
    anew: FxHashMap<Stamp, Stamp>,
    /// Those made anew, and those given up, since the last comparison.
    compared: (u64, u64),
}

impl Tail {
    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.writes.len() as u64
    }

    /// Whether this write is among them.
    pub(super) fn has(&self, key: u64, stamp: Stamp) -> bool {
        self.writes.get(&stamp).is_some_and(|write| write.key == key)
    }

    /// Puts a write aside.
    pub(super) fn put(&mut self, write: Write) {
        self.writes.insert(write.now.stamp, write);
        if self.writes.len() > MOST {
            self.writes.pop_first();
        }
    }

    /// The next writes to compare, at most so many and each of another row, so that their order does not matter. What a write took the
    /// place of is named as the primary has it.
    pub(super) fn next(&self, most: usize) -> Vec<(Stamp, Write)> {
        let mut next: Vec<(Stamp, Write)> = Vec::with_capacity(most);
        for (stamp, write) in self.writes.iter().take(most) {
            if next.iter().any(|(_, other)| other.key == write.key) {
                break;
            }
            let mut write = *write;
            if let Some(anew) = self.anew.get(&write.before.stamp) {
                write.before.stamp = *anew;
            }
            next.push((*stamp, write));
        }
        next
    }

    /// A write was compared.
    pub(super) fn settle(&mut self, stamp: Stamp, recovered: Recovered) {
        if self.writes.remove(&stamp).is_none() {
            return;
        }
        match recovered {
            Recovered::Replayed(anew) => {
                self.anew.insert(stamp, anew);
                self.compared.0 += 1;
            }
            Recovered::Conflicting(_) => self.compared.1 += 1,
        }
    }

    /// All were compared: how many were made anew, and how many given up.
    pub(super) fn finish(&mut self) -> (u64, u64) {
        self.anew = FxHashMap::default();
        std::mem::take(&mut self.compared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Row;

    fn write(key: u64, stamp: u64, before: u64) -> Write {
        let row = |stamp| Row {
            stamp: Stamp(stamp),
            exists: true,
        };
        Write {
            key,
            now: row(stamp),
            before: row(before),
            once: 0,
        }
    }

    #[test]
    fn writes_of_one_row_are_compared_one_after_another_and_build_on_each_other() {
        let mut tail = Tail::default();
        // In the order in which they are found, which need not be that in which they were made.
        for write in [write(1, 30, 20), write(1, 10, 5), write(2, 15, 0), write(1, 20, 10)] {
            tail.put(write);
        }
        assert!(tail.has(1, Stamp(20)) && !tail.has(2, Stamp(20)));
        let next = |tail: &Tail| -> Vec<(u64, u64)> {
            let next = tail.next(16);
            next.iter()
                .map(|(stamp, write)| (stamp.0, write.before.stamp.0))
                .collect()
        };
        assert_eq!(next(&tail), [(10, 5), (15, 0)]);
        tail.settle(Stamp(10), Recovered::Replayed(Stamp(100)));
        tail.settle(Stamp(15), Recovered::Conflicting(Stamp(50)));
        assert_eq!(next(&tail), [(20, 100)]);
        tail.settle(Stamp(20), Recovered::Conflicting(Stamp(60)));
        assert_eq!(next(&tail), [(30, 20)], "what it built on was given up");
        tail.settle(Stamp(30), Recovered::Conflicting(Stamp(60)));
        assert_eq!((tail.len(), tail.finish(), tail.finish()), (0, (1, 3), (0, 0)));
    }
}
