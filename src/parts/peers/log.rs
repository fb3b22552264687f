//! The log of a node: its own changes and those that it fetched, in the order in which they came.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::protocol::{Known, PeerChange, Stamp};
use crate::sim::SimTime;

/// Changes between two marks.
const MARK: u64 = 1_000;

/// A log. Places in it count its changes since the disk is there.
#[derive(Debug, Default)]
pub(super) struct Log {
    life: u64,
    /// Changes that are not kept any more.
    base: u64,
    changes: VecDeque<PeerChange>,
    /// By node the numbers of its changes, each with its place.
    numbers: Vec<VecDeque<(u64, u64)>>,
    /// By node how far its changes were not kept any more, or came before the log.
    below: Vec<Known>,
    /// By node how far its changes are in the log or before it.
    above: Vec<Known>,
    /// Places with what lay before each.
    marks: VecDeque<(u64, Rc<[Known]>)>,
    /// The place of the last checkpoint.
    checkpoint: u64,
}

/// Notes that the changes of a node are known up to one.
pub(super) fn learn(known: &mut Vec<Known>, node: u8, news: Known) {
    let node = usize::from(node);
    if news.stamp == Stamp::ORIGINAL {
        return;
    }
    if known.len() <= node {
        known.resize(node + 1, Known::default());
    }
    if known[node].stamp < news.stamp {
        known[node] = news;
    }
}

/// The last change of a node that is known.
pub(super) fn last(known: &[Known], node: u8) -> Stamp {
    known.get(usize::from(node)).copied().unwrap_or_default().stamp
}

/// Whether all that lies before a place is known.
pub(super) fn includes(known: &[Known], before: &[Known]) -> bool {
    (0..Stamp::NODES).all(|node| last(known, node) >= last(before, node))
}

impl Log {
    /// An empty log that begins behind what is known.
    pub fn begin(&mut self, life: u64, known: &[Known]) {
        *self = Log {
            life,
            below: known.to_vec(),
            above: known.to_vec(),
            ..Log::default()
        };
    }

    /// Which log it is: a new disk begins a new one.
    pub fn life(&self) -> u64 {
        self.life
    }

    /// The place behind the last change.
    pub fn end(&self) -> u64 {
        self.base + self.changes.len() as u64
    }

    /// Appends a change, and keeps so many.
    pub fn append(&mut self, change: PeerChange, most: u64, checkpoint: u64) {
        let node = change.version.stamp.node();
        let place = self.end();
        if self.numbers.len() <= usize::from(node) {
            self.numbers.resize_with(usize::from(node) + 1, VecDeque::new);
        }
        if change.number > 0 {
            self.numbers[usize::from(node)].push_back((change.number, place));
        }
        learn(&mut self.above, node, known(&change));
        self.changes.push_back(change);
        while self.changes.len() as u64 > most {
            self.forget_oldest();
        }
        if self.end().is_multiple_of(MARK) {
            self.marks.push_back((self.end(), self.above.as_slice().into()));
        }
        if self.end() - self.checkpoint >= checkpoint {
            self.checkpoint = self.end();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(change) = self.changes.pop_front() else { return };
        let node = change.version.stamp.node();
        let numbers = &mut self.numbers[usize::from(node)];
        if numbers.front().is_some_and(|(_, place)| *place == self.base) {
            numbers.pop_front();
        }
        learn(&mut self.below, node, known(&change));
        self.base += 1;
        while self.marks.front().is_some_and(|(place, _)| *place < self.base) {
            self.marks.pop_front();
        }
    }

    /// The changes behind a place that are wanted, and the place behind them; `None` if they are not kept any more, or it is another log.
    pub fn after(
        &self,
        life: u64,
        place: u64,
        most: usize,
        wanted: impl Fn(&PeerChange) -> bool,
    ) -> Option<(Vec<PeerChange>, u64)> {
        if life != self.life || place < self.base || place > self.end() {
            return None;
        }
        let mut changes = Vec::new();
        for (number, change) in self.changes.range((place - self.base) as usize..).enumerate() {
            if changes.len() == most {
                return Some((changes, place + number as u64));
            }
            if wanted(change) {
                changes.push(change.clone());
            }
        }
        Some((changes, self.end()))
    }

    /// Places from which one can go on who knows what lies before.
    pub fn marks(&self) -> Rc<[(u64, Rc<[Known]>)]> {
        let first = (self.base, Rc::from(self.below.as_slice()));
        let last = (self.end(), Rc::from(self.above.as_slice()));
        [first]
            .into_iter()
            .chain(self.marks.iter().cloned())
            .chain([last])
            .collect()
    }

    /// When the first change of a node behind a number was made, if it is kept.
    pub fn written_after(&self, node: u8, number: u64) -> Option<SimTime> {
        let numbers = self.numbers.get(usize::from(node))?;
        let (_, place) = numbers.get(numbers.partition_point(|(earlier, _)| *earlier <= number))?;
        let change = self.changes.get((place - self.base) as usize)?;
        Some(change.version.stamp.at())
    }

    /// Changes since the last checkpoint: what is replayed after a crash.
    pub fn since_checkpoint(&self) -> u64 {
        self.end() - self.checkpoint
    }

    /// All is checkpointed.
    pub fn check(&mut self) {
        self.checkpoint = self.end();
    }
}

fn known(change: &PeerChange) -> Known {
    Known {
        number: change.number,
        stamp: change.version.stamp,
    }
}
