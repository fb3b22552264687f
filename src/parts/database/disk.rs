//! What a node keeps on its disk: rows, log, and what it has promised. It survives a crash.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::protocol::{Change, Entry, Position, Recovered, Row, Rows, Stamp, Term, Write};
use crate::sim::SimTime;

use super::done::{Done, Memory};
use super::log::Log;
use super::migration::Moves;
use super::table::{Home, Table};
use super::tail::Tail;

/// The disk of a node. An entry is written to the log and takes effect on the rows in one go, so that both always agree.
#[derive(Debug, Default)]
pub struct Disk {
    whole: Cell<Whole>,
    table: RefCell<Table>,
    log: RefCell<Log>,
    done: RefCell<Memory>,
    tail: RefCell<Tail>,
    /// How far rows have moved to other shards and from them.
    moves: RefCell<Moves>,
    /// While it has not all rows: how far it was, or the source of its copy, which had all that it had said it has. None on a new disk,
    /// which has forgotten what was said.
    known: Cell<Option<Position>>,
    /// The highest term that it has promised to: it follows nobody with a lower one.
    term: Cell<Term>,
    /// The highest term in which it was primary itself.
    reigned: Cell<Term>,
    /// The number of the last entry that a checkpoint covers: what came since is replayed after a crash.
    checkpoint: Cell<u64>,
}

/// Whether a disk has all rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Whole {
    /// It is new, or a copy was begun and must be begun again.
    #[default]
    No,
    /// It was copied while the source went on: some rows are newer than the log. They agree once the log has this entry.
    Up(Position),
    /// It has.
    Yes,
}

/// How much of a log is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    /// Entries.
    pub entries: u64,
    /// Entries between two checkpoints.
    pub checkpoint: u64,
}

/// What the world looks at.
impl Disk {
    /// Rows that exist.
    pub fn rows(&self) -> u64 {
        self.table.borrow().rows()
    }

    /// The last write of a row, as far as the node knows.
    pub fn stamp(&self, key: u64) -> Stamp {
        self.table.borrow().row(key).stamp
    }

    /// Whether it has this write of a row, or a later one.
    pub fn holds(&self, key: u64, stamp: Stamp) -> bool {
        self.stamp(key) >= stamp
    }

    /// Whether it has put this write aside.
    pub fn has_aside(&self, key: u64, stamp: Stamp) -> bool {
        self.tail.borrow().has(key, stamp)
    }

    /// Writes that it has put aside.
    pub fn aside(&self) -> u64 {
        self.tail.borrow().len()
    }

    /// The last entry of its log.
    pub fn position(&self) -> Position {
        self.log.borrow().last()
    }

    /// The stamp of the last entry.
    pub fn last_stamp(&self) -> Stamp {
        self.log.borrow().last_stamp()
    }

    /// A hash of its rows: the same on nodes that have the same.
    pub fn hash(&self) -> u64 {
        self.table.borrow().hash()
    }

    /// When the first entry behind a number was written, if it is kept.
    pub fn written_after(&self, index: u64) -> Option<SimTime> {
        self.log.borrow().written_after(index)
    }

    /// The highest term that it has promised to: it follows nobody with a lower one.
    pub fn term(&self) -> Term {
        self.term.get()
    }

    /// Whether its log has this entry, or had it.
    pub fn contains(&self, position: Position) -> bool {
        self.log.borrow().contains(position)
    }

    /// Up to which entry its log and that of another are the same.
    pub fn common(&self, other: &Disk) -> u64 {
        let other = other.log.borrow();
        self.log.borrow().common(other.terms(), other.last().index)
    }

    /// All keys below this that move from a shard to this one are here.
    pub fn arrived(&self, map: &super::ShardMap, from: u32) -> u64 {
        self.moves.borrow().received(map, from)
    }

    /// Whether all rows have moved that were to move to the shard of this node or away from it.
    pub fn all_moved(&self, map: &super::ShardMap, shard: u32) -> bool {
        self.moves.borrow().all_moved(map, shard)
    }

    /// Whether it has all rows. One that is new, or being rebuilt, has not: it has no say.
    pub fn is_whole(&self) -> bool {
        self.whole.get() == Whole::Yes
    }
}

/// Rows and log.
impl Disk {
    /// Fills a new disk with the rows of the start.
    pub(super) fn format(&self, rows: u64, home: Option<Home>) {
        self.table.replace(Table::seeded(rows, home));
        self.whole.set(Whole::Yes);
    }

    /// Readies a new disk for the rows of another.
    pub(super) fn prepare(&self, home: Option<Home>) {
        self.table.replace(Table::seeded(0, home));
    }

    /// Whether it has all rows.
    pub(super) fn whole(&self) -> Whole {
        self.whole.get()
    }

    /// A row.
    pub(super) fn row(&self, key: u64) -> Row {
        self.table.borrow().row(key)
    }

    /// A row as it was at the start, here or in another shard.
    pub(super) fn original(&self, key: u64) -> Row {
        self.table.borrow().original(key)
    }

    /// How many of these keys are of rows of the start, wherever they belong.
    pub(super) fn seeded_among(&self, keys: &[u64]) -> u64 {
        self.table.borrow().seeded_among(keys)
    }

    /// Rows of the start that belong here.
    pub(super) fn originals(&self) -> u64 {
        self.table.borrow().originals()
    }

    /// How far rows have moved to other shards and from them.
    pub(super) fn moves(&self) -> std::cell::Ref<'_, Moves> {
        self.moves.borrow()
    }

    /// Writes an entry: it is in the log, and the rows are as it says.
    pub(super) fn append(&self, term: Term, entry: Entry, keep: Keep) {
        let index = {
            let mut log = self.log.borrow_mut();
            log.append(term, entry, keep.entries);
            log.last().index
        };
        if index - self.checkpoint.get() >= keep.checkpoint {
            self.checkpoint.set(index);
        }
        match entry.change {
            Change::Write(write) => {
                self.table.borrow_mut().put(write.key, write.now);
                if write.once != 0 {
                    self.remember(write.once, Done::Written(write.now.stamp));
                }
            }
            Change::Received(_) | Change::Released(_) => {
                let rows = self.moves.borrow_mut().apply(entry.change);
                self.table.borrow_mut().shift(rows);
            }
        }
    }

    /// Entries since the last checkpoint.
    pub(super) fn unsaved(&self) -> u64 {
        self.position().index - self.checkpoint.get()
    }

    /// All up to now is covered by a checkpoint.
    pub(super) fn save(&self) {
        self.checkpoint.set(self.position().index);
    }

    /// How far a log must be that has all that this node has ever said it has. None if it does not know.
    pub(super) fn known(&self) -> Option<Position> {
        match self.whole.get() {
            Whole::No => self.known.get(),
            Whole::Up(_) | Whole::Yes => Some(self.position()),
        }
    }

    /// The log, to look at it.
    pub(super) fn log(&self) -> std::cell::Ref<'_, Log> {
        self.log.borrow()
    }

    /// The primary has nothing of what is behind a number: takes all entries behind it off the log, undoes them, and puts the writes among
    /// them aside. Returns how many writes. None if it is not known what must be undone, since some of those entries are not kept any
    /// more, or some rows are newer than the log: then all must be copied.
    pub(super) fn take_off(&self, index: u64) -> Option<u64> {
        if index < self.log.borrow().base() || !self.is_whole() {
            self.known.set(Some(self.log.borrow().position(index)));
            self.whole.set(Whole::No);
            return None;
        }
        let taken = self.log.borrow_mut().truncate(index);
        self.checkpoint.set(self.checkpoint.get().min(index));
        let mut table = self.table.borrow_mut();
        for entry in taken.iter().rev() {
            match entry.change {
                Change::Write(write) => table.put(write.key, write.before),
                Change::Received(_) | Change::Released(_) => {
                    table.shift(self.moves.borrow_mut().undo(entry.change));
                }
            }
        }
        Some(self.put_aside(&taken))
    }

    fn put_aside(&self, entries: &[Entry]) -> u64 {
        let (mut count, mut undone) = (0, FxHashSet::default());
        for entry in entries {
            let Change::Write(write) = entry.change else { continue };
            // A row that was taken off, since it had moved to another shard, is no write of anybody.
            if write.now.stamp == Stamp::ORIGINAL {
                continue;
            }
            self.tail.borrow_mut().put(write);
            count += 1;
            if write.once != 0 {
                undone.insert(write.once);
            }
        }
        self.done.borrow_mut().forget(&undone);
        count
    }

    // Copies.

    /// A range of the rows that were ever written: see [`Table::range`].
    pub(super) fn range(&self, from: u64, most: u64) -> (Vec<(u64, Row)>, u64, Option<u64>) {
        self.table.borrow().range(from, most)
    }

    /// A copy begins: empties the table. What the log has and that of the source has not is put aside; returns how many writes.
    pub(super) fn begin_copy(&self, first: &Rows) -> u64 {
        self.whole.set(Whole::No);
        self.known.set(Some(first.position));
        let foreign = {
            let mut log = self.log.borrow_mut();
            let common = log.common(&first.terms, first.position.index);
            let foreign = log.truncate(common);
            log.restart(Position::default(), &[], Stamp::ORIGINAL);
            foreign
        };
        self.checkpoint.set(0);
        self.table.borrow_mut().clear();
        self.moves.take();
        self.done.replace(Memory::default());
        self.put_aside(&foreign)
    }

    /// Rows of the start have keys below this.
    pub(super) fn seeded_below(&self) -> u64 {
        self.table.borrow().seeded_below()
    }

    /// Takes over a range of another disk; returns how many rows it has.
    pub(super) fn copy(&self, range: &Rows) -> u64 {
        self.table.borrow_mut().take_over(range)
    }

    /// All ranges were copied: the log goes on behind where that of the source was when the first was; the rows agree with it once it is
    /// where that of the source was when the last was.
    pub(super) fn end_copy(&self, first: &Rows, last: Position, newest: Stamp) {
        self.log.borrow_mut().restart(first.position, &first.terms, newest);
        self.checkpoint.set(first.position.index);
        let mut table = self.table.borrow_mut();
        let counted = table.originals();
        table.shift(first.originals.cast_signed() - counted.cast_signed());
        for change in first.moves.iter() {
            self.moves.borrow_mut().apply(*change);
        }
        self.whole.set(Whole::Up(last));
    }

    /// The log has grown: whether the rows agree with it now for the first time since they were copied.
    pub(super) fn is_complete_now(&self) -> bool {
        let Whole::Up(target) = self.whole.get() else {
            return false;
        };
        if self.position().index < target.index {
            return false;
        }
        // Another primary may have come, which does not have what was copied: then all must be copied again.
        let complete = self.contains(target);
        self.known.set(Some(self.position()));
        self.whole.set(if complete { Whole::Yes } else { Whole::No });
        complete
    }

    /// What is here is all that is left. The log begins anew behind a first entry that nobody gets, so that all who follow copy the rows.
    pub(super) fn make_do(&self, term: Term) {
        let first = Position { term, index: 1 };
        self.log.borrow_mut().restart(first, &[(term, 1)], Stamp::ORIGINAL);
        self.checkpoint.set(1);
        self.whole.set(Whole::Yes);
    }

    // Promises.

    /// Follows nobody with a lower term from now on.
    pub(super) fn promise(&self, term: Term) {
        self.term.set(self.term.get().max(term));
    }

    /// It is primary in this term.
    pub(super) fn reign(&self, term: Term) {
        self.promise(term);
        self.reigned.set(term);
    }

    /// The highest term in which it was primary itself.
    pub(super) fn reigned(&self) -> Term {
        self.reigned.get()
    }

    // Requests that are done, and writes that were put aside.

    /// What became of a request that carries an idempotency key.
    pub(super) fn done(&self, request: u64) -> Option<Done> {
        self.done.borrow().of(request)
    }

    /// Remembers what became of such a request.
    pub(super) fn remember(&self, request: u64, done: Done) {
        self.done.borrow_mut().remember(request, done);
    }

    /// The next writes of those put aside to compare: see [`Tail::next`].
    pub(super) fn next_aside(&self, most: usize) -> Vec<(Stamp, Write)> {
        self.tail.borrow().next(most)
    }

    /// One of them was compared.
    pub(super) fn settle_aside(&self, stamp: Stamp, recovered: Recovered) {
        self.tail.borrow_mut().settle(stamp, recovered);
    }

    /// All of them were: how many were made anew, and how many given up.
    pub(super) fn finish_aside(&self) -> (u64, u64) {
        self.tail.borrow_mut().finish()
    }
}

/// The keys that belong to a shard, as the map says now; where rows still move, as it was before.
pub(super) fn home(map: &super::ShardMap, shard: u32) -> Home {
    let map = map.clone();
    Rc::new(move |key| map.before(key).unwrap_or_else(|| map.shard(key)) == shard)
}
