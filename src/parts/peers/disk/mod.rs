//! What a node keeps on its disk: rows, what is known of the changes of all nodes, its log, its clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::observe::Resolution;
use crate::protocol::{Known, PeerRow, PeerState, Stamp, Status};
use crate::sim::{InstanceId, SimTime, mix};

use crate::parts::common::cluster::Cluster;

use super::clock::Clock;
use super::log::Log;
use super::row::{Row, covers};

mod changes;

pub(super) use changes::Arrival;

/// Idempotency keys that are remembered.
const REMEMBERED: usize = 1 << 16;
/// The life of the log of a disk that was there from the start.
const FIRST_LIFE: u64 = 1;

/// The disk of one of several primaries.
#[derive(Default)]
pub struct PeerDisk {
    belongs: RefCell<Option<(Rc<Cluster>, u32)>>,
    node: Cell<u8>,
    /// It has all rows: those of the start, or those of another node.
    complete: Cell<bool>,
    born: Cell<SimTime>,
    /// Rows with keys below this were there from the start. Until they are written they take no memory.
    original: Cell<u64>,
    rows: RefCell<BTreeMap<u64, Row>>,
    existing: Cell<u64>,
    siblings: Cell<u64>,
    hash: Cell<u64>,
    known: RefCell<Vec<Known>>,
    log: RefCell<Log>,
    clock: Clock,
    /// Own versions that were told of as being in conflict, by row.
    told: RefCell<BTreeMap<u64, Stamp>>,
    history: RefCell<VecDeque<Conflict>>,
    /// How far the logs of others were read: life and place.
    places: RefCell<BTreeMap<InstanceId, (u64, u64)>>,
    /// Nodes that are passed over in a ring, and whether by hand.
    passed: RefCell<BTreeMap<InstanceId, bool>>,
    done: RefCell<FxHashMap<u64, Status>>,
    done_order: RefCell<VecDeque<u64>>,
}

/// Two versions that were in conflict: when it was found, the row, the one that lost, the one that stands, and how.
type Conflict = (SimTime, u64, Stamp, Stamp, Resolution);

/// What the world sees.
impl PeerDisk {
    /// Rows that exist. One with several versions does if any of them exists.
    pub fn rows(&self) -> u64 {
        self.existing.get()
    }

    /// The version of a row that is shown.
    pub fn stamp(&self, key: u64) -> Stamp {
        self.shown(key).stamp
    }

    /// Whether it holds a version of a row, or knows what took its place: that is, whether it knows the last change to the row by the
    /// maker of that version, or a later one, of itself or by way of versions whose makers had seen it. A version that lost is held in
    /// this sense: what became of it is told as a conflict. Only by wall clocks, a node that got the row when it merged all rows in
    /// a ring may not know of a version that was dropped for it before.
    pub fn holds(&self, key: u64, stamp: Stamp) -> bool {
        if stamp == Stamp::ORIGINAL {
            return key < self.original.get();
        }
        self.rows.borrow().get(&key).is_some_and(|row| covers(&row.seen, stamp))
    }

    /// A hash of all versions of all rows: equal on nodes that agree, whatever the rule.
    pub fn hash(&self) -> u64 {
        self.hash.get().wrapping_add(mix(self.original.get()))
    }

    /// Changes that it has, its own and those of others, since the start.
    pub fn position(&self) -> u64 {
        self.known.borrow().iter().map(|known| known.number).sum()
    }

    /// By node how many of its changes it has.
    pub fn seen(&self) -> Vec<u64> {
        self.known.borrow().iter().map(|known| known.number).collect()
    }

    /// Rows with more than one version.
    pub fn siblings(&self) -> u64 {
        self.siblings.get()
    }

    /// The last versions of this node that lost, or were found in conflict: when, the row, the version, the other one, and what became
    /// of it.
    pub fn history(&self) -> Vec<(SimTime, u64, Stamp, Stamp, Resolution)> {
        self.history.borrow().iter().copied().collect()
    }

    /// The latest change that it has, by any node.
    pub fn last_stamp(&self) -> Stamp {
        self.known
            .borrow()
            .iter()
            .map(|known| known.stamp)
            .max()
            .unwrap_or_default()
    }

    /// When the first change of a node behind a number was made, as far as the log here still has it.
    pub fn written_after(&self, origin: u8, number: u64) -> Option<SimTime> {
        self.log.borrow().written_after(origin, number)
    }
}

/// Its beginning, and what is asked of it.
impl PeerDisk {
    /// Says whose disk it is. A new one has the rows of the start if it is there from the start, or else nothing yet.
    pub(in crate::parts::peers) fn belong(
        &self,
        cluster: &Rc<Cluster>,
        (shard, node): (u32, u8),
        now: SimTime,
        first: bool,
    ) {
        let new = self.belongs.replace(Some((Rc::clone(cluster), shard))).is_none();
        self.node.set(node);
        if !new {
            return;
        }
        self.born.set(now);
        if first {
            self.reset(cluster.spec.borrow().rows);
            self.complete(FIRST_LIFE);
        }
    }

    /// Forgets all rows but those of the start.
    pub(in crate::parts::peers) fn reset(&self, original: u64) {
        self.rows.borrow_mut().clear();
        self.original.set(original);
        self.existing.set(original);
        self.siblings.set(0);
        self.hash.set(0);
    }

    /// It has all rows, and begins a log.
    fn complete(&self, life: u64) {
        self.log.borrow_mut().begin(life, &self.known.borrow());
        self.complete.set(true);
    }

    /// A new disk has all rows now. Its log is another one than that of any disk before it.
    pub(in crate::parts::peers) fn complete_late(&self, now: SimTime) {
        self.complete(FIRST_LIFE + 1 + now.0);
    }

    /// Whether it has all rows.
    pub(in crate::parts::peers) fn is_complete(&self) -> bool {
        self.complete.get()
    }

    /// The number of its node.
    pub(in crate::parts::peers) fn node(&self) -> u8 {
        self.node.get()
    }

    /// Since when it is there.
    pub(in crate::parts::peers) fn born(&self) -> SimTime {
        self.born.get()
    }

    /// The clocks of its machine.
    pub(in crate::parts::peers) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The log.
    pub(in crate::parts::peers) fn log(&self) -> &RefCell<Log> {
        &self.log
    }

    /// How far the logs of others were read.
    pub(in crate::parts::peers) fn places(&self) -> &RefCell<BTreeMap<InstanceId, (u64, u64)>> {
        &self.places
    }

    /// Nodes that are passed over, and whether by hand.
    pub(in crate::parts::peers) fn passed(&self) -> &RefCell<BTreeMap<InstanceId, bool>> {
        &self.passed
    }

    /// Rows of the start.
    pub(in crate::parts::peers) fn original(&self) -> u64 {
        self.original.get()
    }

    /// Rows that were ever written.
    pub(in crate::parts::peers) fn written(&self) -> u64 {
        self.rows.borrow().len() as u64
    }

    /// How far the changes of all nodes are known.
    pub(in crate::parts::peers) fn known(&self) -> Rc<[Known]> {
        self.known.borrow().as_slice().into()
    }

    /// How far it is, for another one to compare.
    pub(in crate::parts::peers) fn state(&self) -> PeerState {
        let log = self.log.borrow();
        PeerState {
            hash: self.hash(),
            seen: self.known(),
            life: log.life(),
            marks: log.marks(),
            empty: !self.is_complete(),
        }
    }

    /// What became of a request that was done already.
    pub(in crate::parts::peers) fn done(&self, request: u64) -> Option<Status> {
        self.done.borrow().get(&request).copied()
    }

    /// Remembers what became of a request.
    pub(in crate::parts::peers) fn remember(&self, request: u64, status: Status) {
        let mut order = self.done_order.borrow_mut();
        if order.len() == REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            self.done.borrow_mut().remove(&oldest);
        }
        order.push_back(request);
        self.done.borrow_mut().insert(request, status);
    }

    /// The written rows from a key on, so many of them, and where the next begin.
    pub(in crate::parts::peers) fn rows_from(&self, from: u64, most: usize) -> (Rc<[PeerRow]>, Option<u64>) {
        let rows = self.rows.borrow();
        let mut range = rows.range(from..);
        let some = range.by_ref().take(most).map(|(key, row)| PeerRow {
            key: *key,
            seen: Rc::clone(&row.seen),
            versions: Rc::clone(&row.versions),
        });
        let some = some.collect();
        (some, range.next().map(|(key, _)| *key))
    }
}
