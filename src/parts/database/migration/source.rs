//! The shard that rows leave: it hands out one range after the other, and lets go of each when the target has it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::observe::System;
use crate::protocol::{Answer, Change, HandedOver, Handover, Moved, Reason, Stamp, Term, Write};
use crate::sim::{Cx, Signal, SimTime};

use super::super::{Database, Outcome};
use super::moves::{DONE, next_range};

/// How long a range is locked for one that does not say that it has it.
const LOCK: Duration = Duration::from_secs(2);
/// Keys in one range at most.
const RANGE: usize = 1_000;

/// Ranges that are on their way.
#[derive(Debug, Default)]
pub(super) struct Hands {
    /// By target.
    open: RefCell<BTreeMap<u32, Hand>>,
    /// By target: the term and the number of shards in which what it let go of is known to enough nodes.
    sure: RefCell<BTreeMap<u32, (Term, u32)>>,
    /// A range is locked no longer.
    pub changed: Signal,
}

/// A range on its way: nobody writes the keys in it that move.
#[derive(Clone, Copy, Debug)]
struct Hand {
    number: u64,
    start: u64,
    upto: u64,
    /// Keys that move.
    keys: u64,
    /// Those of them whose rows were there from the start.
    rows: u64,
    /// Until when it is locked.
    until: SimTime,
    /// That it is let go of is in the log.
    released: bool,
}

impl Hands {
    /// A range, if it is still locked and not let go of.
    fn valid(&self, to: u32, number: u64, now: SimTime) -> Option<Hand> {
        let open = self.open.borrow();
        let hand = open.get(&to).filter(|hand| hand.number == number);
        hand.filter(|hand| now < hand.until && !hand.released).copied()
    }

    fn close(&self, to: u32, number: u64) {
        let mut open = self.open.borrow_mut();
        if open.get(&to).is_some_and(|hand| hand.number == number) {
            open.remove(&to);
        }
    }
}

impl Database {
    /// Until when a row is locked at most, if it is.
    pub(super) fn locked_until(&self, now: SimTime, key: u64) -> Option<SimTime> {
        let open = self.migration.hands.open.borrow();
        if open.is_empty() {
            return None;
        }
        let (from, to) = self.cluster.map.borrow().moves(key)?;
        let hand = open.get(&to).filter(|_| from == self.shard)?;
        (hand.start <= key && key < hand.upto && now < hand.until).then_some(hand.until)
    }

    /// Answers the target of a move.
    pub(in super::super) async fn hand_over(&self, cx: &Cx<System>, handover: Handover) -> Outcome {
        let handed = match handover {
            Handover::Fetch { to, most } => self.hand_out(cx, to, most).await,
            Handover::Release { to, number } => self.let_go(cx, to, number).await,
        };
        handed.map_or_else(|refused| refused, |handed| Ok(Answer::HandedOver(handed)))
    }

    /// The next range: locks it.
    async fn hand_out(&self, cx: &Cx<System>, to: u32, most: u32) -> Result<HandedOver, Outcome> {
        self.may_write(cx.now())?;
        let most = (most as usize).clamp(1, RANGE);
        cx.work(self.copy_work(most as u64)).await;
        let term = self.may_write(cx.now())?;
        self.assure(cx, to, term).await?;
        self.may_write(cx.now())?;
        let hands = &self.migration.hands;
        let map = self.cluster.map.borrow();
        let is_busy = hands.open.borrow().get(&to).is_some_and(|hand| hand.released);
        if is_busy || !map.is_moving() || to >= map.shards() || to == self.shard {
            return Ok(HandedOver::Again);
        }
        let start = self.disk.moves().released(&map, to);
        if start == DONE {
            return Ok(HandedOver::Finished);
        }
        let (keys, upto) = next_range(&map, (self.shard, to), start, self.keys(), most);
        let hand = Hand {
            number: Stamp::new(cx.now(), self.node).0,
            start,
            upto,
            keys: keys.len() as u64,
            rows: self.disk.seeded_among(&keys),
            until: cx.now() + LOCK,
            released: false,
        };
        hands.open.borrow_mut().insert(to, hand);
        let rows = keys.into_iter().map(|key| (key, self.disk.row(key)));
        Ok(HandedOver::Range {
            number: hand.number,
            start,
            upto,
            rows: rows.filter(|(_, row)| row.stamp > Stamp::ORIGINAL).collect(),
        })
    }

    /// All keys are below this.
    pub(super) fn keys(&self) -> u64 {
        self.cluster.keys.get().max(self.cluster.spec.borrow().rows)
    }

    /// The target has a range: lets go of it.
    async fn let_go(&self, cx: &Cx<System>, to: u32, number: u64) -> Result<HandedOver, Outcome> {
        let hands = &self.migration.hands;
        self.may_write(cx.now())?;
        if hands.valid(to, number, cx.now()).is_none() {
            return Ok(HandedOver::Again);
        }
        self.flush(cx).await.map_err(Err)?;
        let term = self.may_write(cx.now())?;
        let Some(hand) = hands.valid(to, number, cx.now()) else {
            return Ok(HandedOver::Again);
        };
        let shards = self.cluster.map.borrow().shards();
        let (before, upto, rows) = (hand.start, hand.upto, hand.rows);
        let moved = Moved {
            shard: to,
            shards,
            before,
            upto,
            rows,
        };
        self.append(cx, Change::Released(moved), term);
        hands.sure.borrow_mut().remove(&to);
        let waits = self.replication().map_or(Duration::ZERO, |spec| spec.ack_timeout);
        let releasing = Hand {
            released: true,
            until: cx.now() + waits + LOCK,
            ..hand
        };
        hands.open.borrow_mut().insert(to, releasing);
        let settled = self.settle(cx, term).await;
        if settled.is_ok() {
            self.sweep(cx, to, term);
            hands.sure.borrow_mut().insert(to, (term, shards));
            self.probe.released.set(self.probe.released.get() + hand.keys);
        }
        hands.close(to, number);
        hands.changed.raise(cx);
        settled.map_err(Err)?;
        Ok(HandedOver::Released { upto })
    }

    /// Sees to it that enough nodes know what was let go of, before the target hears of it. Another one may have said so before this one
    /// was primary.
    async fn assure(&self, cx: &Cx<System>, to: u32, term: Term) -> Result<(), Outcome> {
        let current = || {
            let map = self.cluster.map.borrow();
            (self.disk.moves().released(&map, to), map.shards())
        };
        let (upto, shards) = current();
        let is_sure = self.migration.hands.sure.borrow().get(&to) == Some(&(term, shards));
        if upto == 0 || is_sure {
            return Ok(());
        }
        self.flush(cx).await.map_err(Err)?;
        if self.may_write(cx.now())? != term {
            return Err(Err(Reason::NotAcknowledged));
        }
        let (upto, shards) = current();
        // It changes nothing, but it is of this term: once it is safe, so is all before it.
        let moved = Moved {
            shard: to,
            shards,
            before: upto,
            upto,
            rows: 0,
        };
        self.append(cx, Change::Released(moved), term);
        self.sweep(cx, to, term);
        self.settle(cx, term).await.map_err(Err)?;
        self.migration.hands.sure.borrow_mut().insert(to, (term, shards));
        Ok(())
    }

    /// Takes the rows that have left last off the disk, if they are still there.
    pub(super) fn sweep(&self, cx: &Cx<System>, to: u32, term: Term) {
        let left: Vec<u64> = {
            let map = self.cluster.map.borrow();
            let (before, upto) = self.disk.moves().last_released(&map, to);
            let keys = map.leaving(self.shard, to, before..upto.min(self.keys()));
            keys.filter(|key| self.disk.stamp(*key) > Stamp::ORIGINAL).collect()
        };
        for key in left {
            let write = Write {
                key,
                now: self.disk.original(key),
                before: self.disk.row(key),
                once: 0,
            };
            self.append(cx, Change::Write(write), term);
        }
    }
}
