//! One who follows: finds the primary, takes over its log in order, or all its rows when it is too far behind.

use std::rc::Rc;
use std::time::Duration;

use crate::observe::{Event, System};
use crate::protocol::{Answer, Entry, Position, Pull, Pulled, Reply, Request, Rows, Stamp, Term};
use crate::sim::{CallError, Cx, InstanceId};

use super::disk::Whole;
use super::{Database, Demand, Leader, within};

/// How long the primary is to wait for news before it answers.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer to a pull may take.
const PULL_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer about who is primary may take.
pub(super) const ASK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a range of rows may take.
pub(super) const RANGE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a range is asked for before all is begun again.
const RANGE_TRIES: u32 = 5;
/// Between two tries.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

type Called = Result<Reply, CallError>;

// Whom to follow.
impl Database {
    /// Follows a primary from now on, if there is none of a later term.
    pub(super) fn follow(&self, id: InstanceId, term: Term) -> bool {
        self.highest.set(self.highest.get().max(term));
        if id == self.id || term < self.disk.term() {
            return false;
        }
        self.disk.promise(term);
        self.leader.set(Some(Leader { id, term }));
        self.former.set(Some(id));
        true
    }

    /// Hears from a primary itself.
    pub(super) fn hear_of(&self, cx: &Cx<System>, id: InstanceId, term: Term) {
        self.heed(cx, term);
        let before = self.leader.get();
        if self.reign.get().is_none() && self.follow(id, term) {
            self.heard.set(cx.now());
            if self.leader.get() != before {
                self.changed.raise(cx);
            }
            self.show();
        }
        if term < self.disk.term() {
            // It does not know yet that it is not followed any more; that somebody asks in a later term tells it.
            cx.cast(id, self.pull_from(self.disk.term(), Duration::ZERO));
        }
    }

    /// Asks for what is behind its log.
    fn pull_from(&self, term: Term, patience: Duration) -> Request {
        let last = self.disk.position();
        Request::Pull(Pull { term, last, patience })
    }

    /// Hears of a term: a primary of a lower one steps down.
    pub(super) fn heed(&self, cx: &Cx<System>, term: Term) {
        self.highest.set(self.highest.get().max(term));
        if self.reign.get().is_some_and(|own| own < term) {
            self.disk.promise(term);
            self.step_down(cx);
        }
    }

    /// Follows for as long as the process lives.
    pub(super) async fn follow_on(self: &Rc<Self>, cx: &Cx<System>) {
        loop {
            if self.reign.get().is_some() {
                self.changed.wait(cx).await;
                continue;
            }
            match self.leader() {
                None => self.search(cx).await,
                Some(leader) if self.disk.whole() == Whole::No => self.rebuild(cx, leader).await,
                Some(leader) => self.pull(cx, leader).await,
            }
        }
    }

    /// Asks the next of the others who is primary.
    async fn search(&self, cx: &Cx<System>) {
        self.show();
        self.ask_next(cx).await;
        if self.leader().is_none() {
            self.pause(cx, PAUSE).await;
        }
        self.show();
    }

    async fn ask_next(&self, cx: &Cx<System>) {
        let others = self.others();
        let Some(next) = others.get(self.turn.get() % others.len().max(1)) else {
            return;
        };
        self.turn.set(self.turn.get().wrapping_add(1));
        let call = cx.call(next.id, Request::WhoLeads, ASK_TIMEOUT);
        if let Some(called) = within(call, self.changed.wait(cx)).await {
            self.be_sent_on(&called);
        }
    }

    /// Somebody has named the primary.
    fn be_sent_on(&self, called: &Called) {
        if let Ok(Reply {
            outcome: Ok(Answer::Elsewhere { to, term }),
            ..
        }) = called
        {
            self.highest.set(self.highest.get().max(*term));
            if let Some(to) = to
                && self.reign.get().is_none()
            {
                self.follow(*to, *term);
            }
        }
    }

    /// Whom it follows does not answer as a primary does: it may be another one by now.
    async fn doubt(&self, cx: &Cx<System>, leader: Leader, called: &Called) {
        if let Ok(Reply {
            outcome: Ok(Answer::Elsewhere { .. }),
            ..
        }) = called
        {
            if self.leader.get() == Some(leader) {
                self.leader.set(None);
            }
            self.be_sent_on(called);
            if self.leader.get() == Some(leader) {
                self.leader.set(None);
            }
        } else {
            self.ask_next(cx).await;
        }
        self.show();
        self.pause(cx, PAUSE).await;
    }

    /// Whether it still follows this one.
    fn follows(&self, leader: Leader) -> bool {
        self.reign.get().is_none() && self.leader() == Some(leader)
    }
}

// The log.
impl Database {
    async fn pull(self: &Rc<Self>, cx: &Cx<System>, leader: Leader) {
        let last = self.disk.position();
        let call = cx.call(leader.id, self.pull_from(leader.term, PATIENCE), PULL_TIMEOUT);
        let Some(called) = within(call, self.changed.wait(cx)).await else {
            return;
        };
        let Ok(Reply {
            outcome: Ok(Answer::Pulled(pulled)),
            ..
        }) = called
        else {
            return self.doubt(cx, leader, &called).await;
        };
        if !self.follows(leader) {
            return;
        }
        match pulled {
            // It was another one's term that it was asked in: who is primary must be found out anew.
            Pulled::Entries { term, .. } | Pulled::Diverged { term, .. } if term != leader.term => {
                self.hear_of(cx, leader.id, term);
                if self.follows(leader) {
                    self.pause(cx, PAUSE).await;
                }
            }
            Pulled::Entries { entries, .. } => {
                self.heard.set(cx.now());
                self.tell_put_aside(cx);
                if !entries.is_empty() {
                    self.take_over(cx, leader, last, &entries).await;
                }
            }
            Pulled::Diverged { from, .. } => {
                self.heard.set(cx.now());
                self.diverge(last, from);
            }
            Pulled::TooOld => {
                self.heard.set(cx.now());
                self.rebuild(cx, leader).await;
            }
        }
    }

    /// Puts entries on the disk and applies them.
    async fn take_over(&self, cx: &Cx<System>, leader: Leader, last: Position, entries: &[(Term, Entry)]) {
        if self.flush(cx).await.is_err() {
            // It asks for the same entries again, until there is room for them.
            return self.pause(cx, PAUSE).await;
        }
        let work = entries.iter().map(|_| self.apply_time()).sum();
        cx.work(work).await;
        // It may have promised to follow nobody of that term any more, or follow another one by now.
        if !self.follows(leader) || self.disk.position() != last {
            return;
        }
        let keep = self.keep();
        for (term, entry) in entries {
            self.disk.append(*term, *entry, keep);
        }
        self.complete(cx, leader);
    }

    /// What is behind a number is not in the log of the primary.
    fn diverge(&self, last: Position, from: u64) {
        // The primary knows nothing of the last term here when it does not name an earlier entry: all of that term is foreign to it.
        let first = self.disk.log().first_of(last.term);
        let from = if from < last.index {
            from
        } else {
            first.unwrap_or(1) - 1
        };
        if let Some(writes) = self.disk.take_off(from) {
            self.put_aside.set(self.put_aside.get() + writes);
        }
    }

    /// Tells of what was put aside, now that all of it was found.
    fn tell_put_aside(self: &Rc<Self>, cx: &Cx<System>) {
        let writes = self.put_aside.take();
        if writes > 0 {
            cx.emit(Event::PutAside { writes });
        }
        self.compare_by_itself(cx);
    }

    /// The log has grown: the rows may be complete now.
    fn complete(&self, cx: &Cx<System>, leader: Leader) {
        if self.disk.is_complete_now() {
            self.probe.rebuilt.set((0, 0));
            let from = leader.id;
            cx.emit(Event::Rebuilt { from, done: true });
            self.show();
        }
    }
}

// Copies.
impl Database {
    /// Copies all rows of the primary, range by range.
    async fn rebuild(self: &Rc<Self>, cx: &Cx<System>, leader: Leader) {
        self.show();
        let (mut from, mut newest) = (0, Stamp::ORIGINAL);
        let mut first: Option<Rc<Rows>> = None;
        loop {
            let began = cx.now();
            let Some(range) = self.fetch(cx, leader, from).await else {
                return;
            };
            self.heard.set(cx.now());
            let rate = self.cluster.spec.borrow().copy_rate;
            let start = first.get_or_insert_with(|| {
                self.put_aside.set(self.put_aside.get() + self.disk.begin_copy(&range));
                let from = leader.id;
                cx.emit(Event::Rebuilt { from, done: false });
                Rc::clone(&range)
            });
            let start = Rc::clone(start);
            let copied = self.disk.copy(&range).max(range.rows.len() as u64);
            newest = range.rows.iter().map(|(_, row)| row.stamp).fold(newest, Stamp::max);
            self.show_copy(range.next);
            self.show();
            cx.work(self.copy_work(copied)).await;
            cx.sleep_until(began + Duration::from_secs_f64(copied as f64 / rate))
                .await;
            if !self.follows(leader) {
                return;
            }
            let Some(next) = range.next else {
                self.disk.end_copy(&start, range.position, newest);
                self.complete(cx, leader);
                return self.show();
            };
            from = next;
        }
    }

    async fn fetch(&self, cx: &Cx<System>, leader: Leader, from: u64) -> Option<Rc<Rows>> {
        for _ in 0..RANGE_TRIES {
            let call = cx.call(leader.id, Request::Rows { from }, RANGE_TIMEOUT);
            let called = within(call, self.changed.wait(cx)).await;
            if !self.follows(leader) {
                return None;
            }
            match called {
                Some(Ok(Reply {
                    outcome: Ok(Answer::Rows(rows)),
                    ..
                })) => return Some(rows),
                Some(called) => self.doubt(cx, leader, &called).await,
                None => {}
            }
            if !self.follows(leader) {
                return None;
            }
        }
        None
    }

    /// Core time to take over so many rows.
    pub(super) fn copy_work(&self, rows: u64) -> u64 {
        let demand = Demand::new(self.cluster.spec.borrow().apply);
        demand.sample(self.draw(), rows as f64 / 100.0)
    }

    /// Shows how far a copy is: rows, and rows in all as far as can be told from the share of the keys.
    fn show_copy(&self, next: Option<u64>) {
        let rows = self.disk.rows();
        let keys = self.cluster.keys.get().max(self.cluster.spec.borrow().rows);
        let all = next.map_or(rows, |next| {
            (u128::from(rows) * u128::from(keys.max(next)) / u128::from(next.max(1))) as u64
        });
        self.probe.rebuilt.set((rows, all.max(1)));
    }
}
