//! The primary: writes, acknowledgements, what those get that follow it.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::Mode;
use crate::observe::{Event, System};
use crate::protocol::{
    Answer, Change, Entry, Operation, Position, Pull, Pulled, Query, Reason, Row, Rows, Stamp, Status, Term, Write,
};
use crate::sim::{Cx, InstanceId, SimTime};

use super::done::Done;
use super::{Database, Demand, Outcome, purpose, within};

/// Who has not pulled for so long is out of reach.
const REACH: Duration = Duration::from_secs(2);
/// Entries in one answer.
const BATCH: usize = 1_000;
/// Rows in one answer.
const RANGE: f64 = 5_000.0;

/// One who follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follower {
    id: InstanceId,
    /// When it pulled last.
    seen: SimTime,
    /// It has all entries up to this number.
    has: u64,
}

/// Nothing is written: the answer instead, or why.
pub(super) type Refused = Outcome;

// Writes.
impl Database {
    pub(super) async fn write(&self, cx: &Cx<System>, query: Query) -> Outcome {
        if let Err(refused) = self.may_write(cx.now()) {
            return refused;
        }
        if !query.once
            && let Some(answer) = self.moved(cx.now(), query.key)
        {
            return Ok(answer);
        }
        let demand = Demand::new(self.cluster.spec.borrow().write);
        cx.work(demand.sample(cx.draw(purpose::QUERY_WORK), 1.0)).await;
        if let Err(refused) = self.may_write(cx.now()) {
            return refused;
        }
        let once = if query.once { cx.request() } else { 0 };
        let may_write = if self.done(once).is_some() {
            self.may_write(cx.now())
        } else {
            self.flush(cx).await?;
            self.may_write_row(cx, query.key).await
        };
        let term = match may_write {
            Ok(term) => term,
            Err(refused) => return refused,
        };
        let done = match self.done(once) {
            Some(done) => done,
            None => self.carry_out(cx, query, once, term),
        };
        self.probe.writes.set(self.probe.writes.get() + 1);
        let by = self.id;
        let status = match done {
            Done::Written(version) => Status::Written { version, by },
            Done::Conflict => Status::Conflict,
            Done::NotFound(version) => Status::NotFound { version, by },
        };
        if matches!(done, Done::Written(_)) && self.is_replicated() {
            // In memory of its own, so that the only node does without.
            Box::pin(self.settle(cx, term)).await?;
        }
        Ok(Answer::Row(status))
    }

    /// What is in the log is on the disk after so long, unless that is full.
    pub(super) async fn flush(&self, cx: &Cx<System>) -> Result<(), Reason> {
        let flush = self.cluster.spec.borrow().flush;
        cx.flush(flush).await?;
        Ok(())
    }

    fn done(&self, once: u64) -> Option<Done> {
        (once != 0).then(|| self.disk.done(once))?
    }

    /// Whether it may write something now, and in which term. Asked again after each wait, last right before a write: what lives here
    /// is decided in this place.
    pub(super) fn may_write(&self, now: SimTime) -> Result<Term, Refused> {
        let spec = self.cluster.spec.borrow();
        let Some(spec) = spec.replication.primary_replicas() else {
            return Ok(Term::default());
        };
        let Some(term) = self.reign.get() else {
            return Err(Ok(self.elsewhere()));
        };
        if self.yielding.get() || self.lease_ran_out(now, spec.failover) {
            let to = None;
            return Err(Ok(Answer::Elsewhere { to, term }));
        }
        let needed = match spec.mode {
            Mode::Asynchronous | Mode::SemiSynchronous => return Ok(term),
            Mode::Synchronous => self.cluster.voters(self.shard),
            Mode::Quorum => self.cluster.majority(self.shard),
        };
        if self.voters(|follower| now - follower.seen < REACH) < needed {
            return Err(Err(Reason::NoQuorum));
        }
        Ok(term)
    }

    /// How many nodes that have a say are so; the node itself is always.
    fn voters(&self, is_so: impl Fn(&Follower) -> bool) -> usize {
        let (shards, followers) = (self.cluster.shards.borrow(), self.followers.borrow());
        let members = shards[self.shard as usize].iter().filter(|member| member.voter);
        let so = members.filter(|member| {
            let follower = followers.iter().find(|follower| follower.id == member.id);
            member.id == self.id || follower.is_some_and(&is_so)
        });
        so.count()
    }

    /// Decides, and writes, in one go.
    fn carry_out(&self, cx: &Cx<System>, query: Query, once: u64, term: Term) -> Done {
        let before = self.disk.row(query.key);
        let exists = match (query.operation, before.exists) {
            (Operation::Create, true) => Err(Done::Conflict),
            (Operation::Create, false) | (Operation::Update, true) => Ok(true),
            (Operation::Delete, true) => Ok(false),
            _ => Err(Done::NotFound(before.stamp)),
        };
        match exists {
            Ok(exists) => Done::Written(self.put(cx, query.key, exists, once, term)),
            Err(done) => {
                if once != 0 {
                    self.disk.remember(once, done);
                }
                done
            }
        }
    }

    /// Writes a row.
    pub(super) fn put(&self, cx: &Cx<System>, key: u64, exists: bool, once: u64, term: Term) -> Stamp {
        let stamp = Stamp::next(self.disk.last_stamp(), cx.now(), self.node);
        let write = Write {
            key,
            now: Row { stamp, exists },
            before: self.disk.row(key),
            once,
        };
        self.append(cx, Change::Write(write), term);
        stamp
    }

    /// Appends a change to the log: it has taken effect. The stamp is that of the write, or the next one if the write is older than
    /// the entry: a row that has come from another shard.
    pub(super) fn append(&self, cx: &Cx<System>, change: Change, term: Term) {
        let stamp = match change {
            Change::Write(write) if write.now.stamp > self.disk.last_stamp() => write.now.stamp,
            _ => Stamp::next(self.disk.last_stamp(), cx.now(), self.node),
        };
        self.disk.append(term, Entry { stamp, change }, self.keep());
        self.news.raise(cx);
    }

    /// Waits until enough nodes have all that is in the log now. An entry of an earlier term is safe only when one of this term behind
    /// it is (Raft, 5.4.2), so that one is waited for.
    pub(super) async fn settle(&self, cx: &Cx<System>, term: Term) -> Result<(), Reason> {
        let Some(spec) = self.replication() else { return Ok(()) };
        let index = {
            let log = self.disk.log();
            let last = log.last().index;
            last.max(
                log.first_of(term)
                    .unwrap_or(last + u64::from(spec.mode == Mode::Quorum)),
            )
        };
        let (mut timeout, mut timed_out) = (pin!(cx.sleep(spec.ack_timeout)), false);
        loop {
            let Some(spec) = self.replication() else { return Ok(()) };
            if self.reign.get() != Some(term) || self.lease_ran_out(cx.now(), spec.failover) {
                return Err(Reason::NotAcknowledged);
            }
            if spec.mode == Mode::SemiSynchronous && self.is_lonely(cx.now()) {
                self.degrade(cx, true);
            }
            if self.is_acknowledged(index, spec.mode) {
                return Ok(());
            }
            if timed_out {
                return Err(Reason::NotAcknowledged);
            }
            timed_out = within(self.acks.wait(cx), timeout.as_mut()).await.is_none();
        }
    }

    /// Whether no replica is in reach. One that has just become primary gives them time to find it.
    fn is_lonely(&self, now: SimTime) -> bool {
        let is_near = |follower: &Follower| now - follower.seen < REACH;
        now - self.crowned.get() >= REACH && !self.followers.borrow().iter().any(is_near)
    }

    fn is_acknowledged(&self, index: u64, mode: Mode) -> bool {
        let has = |follower: &Follower| follower.has >= index;
        match mode {
            Mode::Asynchronous => true,
            // Itself and one that could take its place.
            Mode::SemiSynchronous => self.degraded.get() || self.voters(has) >= 2,
            Mode::Synchronous => self.voters(has) >= self.cluster.voters(self.shard),
            Mode::Quorum => self.voters(has) >= self.cluster.majority(self.shard),
        }
    }

    fn degrade(&self, cx: &Cx<System>, on: bool) {
        if self.degraded.replace(on) != on {
            cx.emit(Event::Degraded { on });
        }
    }
}

// Those who follow.
impl Database {
    /// Answers one who asks for entries; asking is also to say what it has.
    pub(super) async fn feed(self: &Rc<Self>, cx: &Cx<System>, pull: Pull) -> Outcome {
        if self.reign.get().is_some_and(|own| own < pull.term) {
            self.doubt_itself(cx, pull.term);
            return Ok(self.elsewhere());
        }
        let Some(term) = self.reign.get() else {
            return Ok(self.elsewhere());
        };
        let last = pull.last;
        let pulled = {
            let log = self.disk.log();
            if log.contains(last) {
                (last.index < log.base()).then_some(Pulled::TooOld)
            } else {
                let from = log.fork(last);
                Some(Pulled::Diverged { from, term })
            }
        };
        match pulled {
            Some(pulled) => Ok(Answer::Pulled(pulled)),
            None => self.feed_behind(cx, pull, term).await,
        }
    }

    async fn feed_behind(&self, cx: &Cx<System>, pull: Pull, term: Term) -> Outcome {
        // What was asked in an earlier term was on its way for long: it may have put aside since what it had then.
        if pull.term == term {
            self.note(cx, pull.last.index);
        }
        let mut patience = pin!(cx.sleep(pull.patience));
        loop {
            if self.reign.get() != Some(term) {
                return Ok(self.elsewhere());
            }
            let entries = self.disk.log().behind(pull.last.index, BATCH);
            if !entries.is_empty() {
                let entries = entries.into();
                return Ok(Answer::Pulled(Pulled::Entries { entries, term }));
            }
            // Who follows a primary without a lease must not believe that all is well.
            if self.fenced.get() {
                return Ok(Answer::Elsewhere { to: None, term });
            }
            if within(self.news.wait(cx), patience.as_mut()).await.is_none() {
                let entries = Rc::new([]);
                return Ok(Answer::Pulled(Pulled::Entries { entries, term }));
            }
        }
    }

    /// One who follows has all up to this number.
    fn note(&self, cx: &Cx<System>, has: u64) {
        let one = Follower {
            id: cx.from(),
            seen: cx.now(),
            has,
        };
        {
            let mut followers = self.followers.borrow_mut();
            match followers.iter_mut().find(|follower| follower.id == one.id) {
                Some(known) => *known = one,
                None => followers.push(one),
            }
        }
        self.acks.raise(cx);
        // It may still be far behind; alone is who has none in reach.
        self.degrade(cx, false);
    }

    /// Whether one who follows has all up to an entry.
    pub(super) fn has(&self, id: InstanceId, position: Position) -> bool {
        let followers = self.followers.borrow();
        followers
            .iter()
            .any(|follower| follower.id == id && follower.has >= position.index)
    }

    /// A range of the rows, for one who is rebuilt.
    pub(super) async fn copy_out(&self, cx: &Cx<System>, from: u64) -> Outcome {
        let (apply, rate) = {
            let spec = self.cluster.spec.borrow();
            (Demand::new(spec.apply), spec.copy_rate)
        };
        if self.reign.get().is_none() || self.fenced.get() {
            return Ok(self.elsewhere());
        }
        let most = (rate / 10.0).clamp(1.0, RANGE) as u64;
        let work = apply.sample(self.draw(), most as f64 / 100.0);
        cx.work(work).await;
        if self.reign.get().is_none() || self.fenced.get() {
            return Ok(self.elsewhere());
        }
        let (rows, _, next) = self.disk.range(from, most);
        let log = self.disk.log();
        Ok(Answer::Rows(Rc::new(Rows {
            rows: rows.into(),
            next,
            seeded: self.disk.seeded_below(),
            position: log.last(),
            terms: log.terms().into(),
            originals: self.disk.originals(),
            moves: self.disk.moves().entries().into(),
        })))
    }
}
