//! The reign of a primary: it says that it is there, holds its lease, and takes no writes without; and it makes way for another one.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::Failover;
use crate::observe::{Event, System};
use crate::protocol::{Answer, LeaseWish, Reply, Request, Term};
use crate::sim::{Cx, InstanceId, SimTime};

use super::{Database, gather, within};

/// How often a primary says that it is there, when failover is by hand.
const PROCLAIM: Duration = Duration::from_secs(1);
/// How long a primary that is to make way waits until its successor has all.
const MAKE_WAY: Duration = Duration::from_secs(2);

/// What the monitors said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leases {
    /// Until when it holds the lease, if a majority granted it.
    pub until: Option<SimTime>,
    /// How many granted it.
    pub granted: usize,
    /// The highest term that they have granted it for.
    pub highest: Term,
}

impl Database {
    /// Starts what a primary does by itself.
    pub(super) fn spawn_reign(self: &Rc<Self>, cx: &Cx<System>, term: Term) {
        cx.spawn(Rc::clone(self).hold(cx.detached(), term));
        cx.spawn(Rc::clone(self).guard(cx.detached(), term));
        cx.spawn(Rc::clone(self).migrate(cx.detached(), term));
    }

    /// Says that it is there, and renews its lease.
    async fn hold(self: Rc<Self>, cx: Cx<System>, term: Term) {
        while self.reign.get() == Some(term) {
            let began = cx.now();
            self.check_lease(&cx);
            if !self.fenced.get() && !self.yielding.get() {
                self.proclaim(&cx, term);
            }
            let Some(failover) = self.failover() else {
                cx.sleep(PROCLAIM).await;
                continue;
            };
            if !self.yielding.get() {
                self.renew(&cx, term, failover).await;
            }
            let parts = if self.fenced.get() { 6 } else { 3 };
            cx.sleep_until(began + failover.after / parts).await;
        }
    }

    /// Tells all others of the shard that it is primary.
    fn proclaim(&self, cx: &Cx<System>, term: Term) {
        let shard = self.shard;
        for member in self.others() {
            cx.cast(member.id, Request::Leads { shard, term });
        }
    }

    /// Tells those who query the database that it is primary.
    pub(super) fn announce(&self, cx: &Cx<System>, term: Term) {
        let shard = self.shard;
        for client in self.cluster.clients.borrow().iter() {
            cx.cast(*client, Request::Leads { shard, term });
        }
    }

    async fn renew(&self, cx: &Cx<System>, term: Term, failover: Failover) {
        let answers = self.ask_monitors(cx, term, failover.after / 3).await;
        if self.reign.get() != Some(term) {
            return;
        }
        if let Some(until) = answers.until {
            self.lease.set(self.lease.get().max(until));
            self.check_lease(cx);
            self.changed.raise(cx);
        } else if answers.highest > term {
            self.step_down(cx);
        }
    }

    /// Asks all monitors for the lease.
    pub(super) async fn ask_monitors(&self, cx: &Cx<System>, term: Term, timeout: Duration) -> Leases {
        let after = |database: &Database| {
            let failover = database.failover();
            failover.map_or(Duration::ZERO, |failover| failover.after)
        };
        let (sent, promised) = (cx.now(), after(self));
        let monitors = self.cluster.monitors.borrow().clone();
        let majority = monitors.len() / 2 + 1;
        let wish = Request::Lease(self.wish(term, false));
        let calls = monitors.iter().map(|monitor| cx.call(*monitor, wish, timeout));
        let is_granted = |reply: &Result<Reply, _>| {
            let outcome = reply.as_ref().map(|reply: &Reply| &reply.outcome);
            matches!(outcome, Ok(Ok(Answer::Lease(lease))) if lease.granted)
        };
        let answers = gather(calls, is_granted, majority).await;
        let granted = answers.iter().flatten().filter(|reply| is_granted(reply)).count();
        let leases = answers.iter().flatten().filter_map(|reply| match reply {
            Ok(Reply {
                outcome: Ok(Answer::Lease(lease)),
                ..
            }) => Some(lease.term),
            _ => None,
        });
        let highest = leases.max().unwrap_or_default();
        self.highest.set(self.highest.get().max(highest));
        // The setting may have changed on the way: the monitors may have had the shorter one.
        let until = (granted >= majority).then(|| sent + promised.min(after(self)));
        Leases {
            until,
            granted,
            highest,
        }
    }

    fn wish(&self, term: Term, release: bool) -> LeaseWish {
        LeaseWish {
            shard: self.shard,
            term,
            position: self.disk.position(),
            release,
        }
    }

    /// Gives the lease of a term back.
    pub(super) fn release(&self, cx: &Cx<System>, term: Term) {
        self.lease.set(SimTime::ZERO);
        for monitor in self.cluster.monitors.borrow().iter() {
            cx.cast(*monitor, Request::Lease(self.wish(term, true)));
        }
    }

    /// Whether it must not write, since its lease ran out.
    pub(super) fn lease_ran_out(&self, now: SimTime, failover: Option<Failover>) -> bool {
        failover.is_some_and(|failover| failover.fencing) && self.lease.get() <= now
    }

    /// Says so when its lease has run out, or when it has it again.
    fn check_lease(&self, cx: &Cx<System>) {
        let on = self.lease_ran_out(cx.now(), self.failover());
        if self.fenced.replace(on) != on {
            cx.emit(Event::Fenced { on });
            self.show();
            self.news.raise(cx);
            self.acks.raise(cx);
        }
    }

    /// Sees to it that the end of the lease is noticed when it comes.
    async fn guard(self: Rc<Self>, cx: Cx<System>, term: Term) {
        while self.reign.get() == Some(term) {
            self.check_lease(&cx);
            let until = self.lease.get();
            if until > cx.now() {
                cx.sleep_until(until).await;
            } else {
                self.changed.wait(&cx).await;
            }
        }
    }

    /// Is not primary any more.
    pub(super) fn step_down(&self, cx: &Cx<System>) {
        let Some(term) = self.reign.take() else { return };
        self.lease.set(SimTime::ZERO);
        self.fenced.set(false);
        self.yielding.set(false);
        self.degraded.set(false);
        self.followers.borrow_mut().clear();
        self.former.set(Some(self.id));
        self.heard.set(cx.now());
        cx.emit(Event::SteppedDown { term });
        self.show();
        self.acks.raise(cx);
        self.news.raise(cx);
        self.changed.raise(cx);
    }

    /// Makes way for another node, by order: takes no more writes, waits until that one has all, and steps down.
    pub(super) async fn make_way(&self, cx: &Cx<System>, successor: InstanceId) -> Answer {
        let Some(term) = self.reign.get() else {
            return self.elsewhere();
        };
        self.yielding.set(true);
        let end = self.disk.position();
        let mut patience = pin!(cx.sleep(MAKE_WAY));
        while self.reign.get() == Some(term) && !self.has(successor, end) {
            if within(self.acks.wait(cx), patience.as_mut()).await.is_none() {
                break;
            }
        }
        if self.reign.get() == Some(term) {
            self.step_down(cx);
            self.release(cx, term);
        }
        Answer::Fine
    }
}
