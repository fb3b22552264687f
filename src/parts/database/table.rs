//! The rows of a disk. Rows that were there from the start and never written take no memory.

use std::fmt;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::protocol::{Row, Rows, Stamp};
use crate::sim::mix;

/// Tells whether a key belonged here at the start.
pub(super) type Home = Rc<dyn Fn(u64) -> bool>;

/// The bit of a packed row that says that it exists; a stamp does not reach it for some 100 years.
const EXISTS: u64 = 1 << 63;
/// Keys that are looked at for one range at most, so that a range of an almost empty table ends too.
const KEYS_A_RANGE: u64 = 1 << 20;

/// Rows by key.
#[derive(Default)]
pub(super) struct Table {
    /// Rows that were written: their stamp, and in the highest bit whether they exist.
    written: FxHashMap<u64, u64>,
    /// Rows with keys below this were there from the start, here or in another shard.
    seeded: u64,
    /// Which keys belonged here at the start; without it all.
    home: Option<Home>,
    /// Rows of the start that belong here.
    originals: i64,
    /// By how many the rows that exist are more than those of the start.
    added: i64,
    /// All keys that were written are below this.
    bound: u64,
    hash: u64,
}

fn pack(row: Row) -> u64 {
    row.stamp.0 | if row.exists { EXISTS } else { 0 }
}

fn unpack(packed: u64) -> Row {
    Row {
        stamp: Stamp(packed & !EXISTS),
        exists: packed & EXISTS != 0,
    }
}

impl Table {
    /// The table at the start: rows with keys below this, if they belong here.
    pub(super) fn seeded(rows: u64, home: Option<Home>) -> Table {
        let mut table = Table {
            home,
            ..Table::default()
        };
        table.seed(rows);
        table
    }

    /// The rows of the start up to a key are here, too.
    fn seed(&mut self, upto: u64) {
        let new = self.seeded..upto.max(self.seeded);
        let here = match &self.home {
            None => new.end - new.start,
            Some(home) => new.clone().filter(|key| home(*key)).count() as u64,
        };
        self.originals += here.cast_signed();
        self.seeded = new.end;
    }

    /// Rows that exist.
    pub(super) fn rows(&self) -> u64 {
        (self.originals + self.added).max(0).cast_unsigned()
    }

    /// Rows of the start that belong here.
    pub(super) fn originals(&self) -> u64 {
        self.originals.max(0).cast_unsigned()
    }

    /// Rows of the start have come from another shard, or have left for one.
    pub(super) fn shift(&mut self, rows: i64) {
        self.originals += rows;
    }

    /// How many of these keys are of rows of the start, wherever they belong.
    pub(super) fn seeded_among(&self, keys: &[u64]) -> u64 {
        keys.iter().filter(|key| **key < self.seeded).count() as u64
    }

    /// A hash of all rows: of how many were there from the start, and of those that are not as at the start.
    pub(super) fn hash(&self) -> u64 {
        self.hash ^ mix(self.seeded)
    }

    /// A row as it was at the start, here or in another shard.
    pub(super) fn original(&self, key: u64) -> Row {
        Row {
            stamp: Stamp::ORIGINAL,
            exists: key < self.seeded,
        }
    }

    fn is_home(&self, key: u64) -> bool {
        self.home.as_ref().is_none_or(|home| home(key))
    }

    /// A row.
    pub(super) fn row(&self, key: u64) -> Row {
        match self.written.get(&key) {
            Some(packed) => unpack(*packed),
            None => self.original(key),
        }
    }

    /// Sets a row. One that is as at the start is forgotten.
    pub(super) fn put(&mut self, key: u64, row: Row) {
        let original = self.original(key);
        let before = if row == original {
            self.written.remove(&key)
        } else {
            self.bound = self.bound.max(key + 1);
            self.hash ^= share(key, pack(row));
            self.written.insert(key, pack(row))
        };
        if let Some(packed) = before {
            self.hash ^= share(key, packed);
        }
        let existed = before.map_or(original, unpack).exists;
        self.added += i64::from(row.exists) - i64::from(existed);
    }

    /// The rows from a key on that were ever written, in a range with at most so many rows of either kind; how many those are; and where
    /// the next range begins.
    pub(super) fn range(&self, from: u64, most: u64) -> (Vec<(u64, Row)>, u64, Option<u64>) {
        let end = self.bound.max(self.seeded);
        let (mut rows, mut count, mut key) = (Vec::new(), 0, from);
        while key < end && count < most && key - from < KEYS_A_RANGE {
            match self.written.get(&key) {
                Some(packed) => {
                    rows.push((key, unpack(*packed)));
                    count += 1;
                }
                None => count += u64::from(self.original(key).exists && self.is_home(key)),
            }
            key += 1;
        }
        (rows, count, (key < end).then_some(key))
    }

    /// Rows of the start have keys below this.
    pub(super) fn seeded_below(&self) -> u64 {
        self.seeded
    }

    /// Takes over a range of another table. Returns how many rows it has.
    pub(super) fn take_over(&mut self, copied: &Rows) -> u64 {
        let before = self.rows();
        self.seed(copied.next.unwrap_or(u64::MAX).min(copied.seeded));
        for (key, row) in copied.rows.iter() {
            self.put(*key, *row);
        }
        self.rows().saturating_sub(before)
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        *self = Table {
            home: self.home.take(),
            ..Table::default()
        };
    }
}

/// What a row that was written adds to the hash.
fn share(key: u64, packed: u64) -> u64 {
    mix(mix(key ^ 0x9e37_79b9_7f4a_7c15) ^ packed)
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Table");
        shown.field("rows", &self.rows()).field("written", &self.written.len());
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(stamp: u64, exists: bool) -> Row {
        Row {
            stamp: Stamp(stamp),
            exists,
        }
    }

    #[test]
    fn rows_of_the_start_take_no_memory_until_they_are_written() {
        let mut table = Table::seeded(100, Some(Rc::new(|key| key % 2 == 0)));
        assert_eq!((table.rows(), table.hash, table.written.capacity()), (50, 0, 0));
        assert_eq!((table.row(4), table.row(100)), (row(0, true), row(0, false)));
        table.put(4, row(70, false));
        table.put(6, row(71, true));
        table.put(100, row(72, true));
        table.put(102, row(73, true));
        assert_eq!(table.rows(), 51);
        assert_eq!(table.row(4), row(70, false));
    }

    #[test]
    fn rows_that_come_from_another_shard_count_once() {
        let mut table = Table::seeded(100, Some(Rc::new(|_| false)));
        assert_eq!((table.rows(), table.row(7)), (0, row(0, true)));
        // One was written, one was deleted, one is new, and four were never written.
        table.put(1, row(64, true));
        table.put(2, row(65, false));
        table.put(100, row(66, true));
        table.shift(6);
        assert_eq!(table.rows(), 6);
        for key in [1, 2, 100] {
            table.put(key, table.original(key));
        }
        table.shift(-6);
        assert_eq!((table.rows(), table.hash, table.written.len()), (0, 0, 0));
    }

    #[test]
    fn what_is_undone_leaves_no_trace() {
        let mut table = Table::seeded(10, None);
        table.put(3, row(64, true));
        let (rows, hash) = (table.rows(), table.hash());
        table.put(3, row(65, false));
        table.put(77, row(66, true));
        assert_ne!(table.hash(), hash);
        table.put(77, row(0, false));
        table.put(3, row(64, true));
        assert_eq!((table.rows(), table.hash()), (rows, hash));
        table.put(3, row(0, true));
        assert_eq!((table.rows(), table.hash, table.written.len()), (10, 0, 0));
        assert_ne!(table.hash(), Table::seeded(9, None).hash());
    }

    #[test]
    fn the_hash_depends_on_the_rows_and_not_on_their_order() {
        let (mut one, mut other) = (Table::seeded(10, None), Table::seeded(10, None));
        for key in 0..20 {
            one.put(key, row(64 + key, key % 3 > 0));
            other.put(19 - key, row(64 + 19 - key, (19 - key) % 3 > 0));
        }
        assert_eq!(one.hash(), other.hash());
        other.put(7, row(64 + 7, false));
        assert_ne!(one.hash(), other.hash());
    }

    #[test]
    fn a_copy_made_range_by_range_is_the_same() {
        let home: Home = Rc::new(|key| key % 3 > 0);
        let mut source = Table::seeded(1_000, Some(Rc::clone(&home)));
        for key in (0..1_500).filter(|key| key % 3 > 0).step_by(7) {
            source.put(key, row(64 + key, key % 5 > 0));
        }
        let mut copy = Table::seeded(0, Some(home));
        copy.put(3, row(99, true));
        copy.clear();
        let (mut from, mut total) = (Some(0), 0);
        while let Some(key) = from {
            let (rows, count, next) = source.range(key, 100);
            assert!(count <= 100);
            let copied = Rows {
                rows: rows.into(),
                next,
                seeded: source.seeded_below(),
                position: crate::protocol::Position::default(),
                terms: Rc::new([]),
                originals: source.originals(),
                moves: Rc::new([]),
            };
            total += copy.take_over(&copied);
            from = next;
        }
        assert_eq!((copy.rows(), copy.hash()), (source.rows(), source.hash()));
        assert_eq!(total, source.rows());
    }

    #[test]
    fn a_written_row_takes_at_most_40_bytes() {
        let mut table = Table::seeded(0, None);
        for key in 0..1_000_000 {
            table.put(key, row(64 + key, true));
        }
        // A key, a row and a byte of the hash map's own for each place; at least 7 of 16 places are in use once it has grown.
        let places = table.written.capacity() * 8 / 7;
        assert!(places * 17 <= 40_000_000, "{places} places");
    }
}
