//! Who is to be primary: silence, the lease, promises, orders.

use std::rc::Rc;
use std::time::Duration;

use crate::layout::{Failover, Mode};
use crate::observe::{Event, System};
use crate::protocol::{Answer, Order, Reply, Request, Term};
use crate::sim::{Cx, SimTime};

use super::follower::{ASK_TIMEOUT, PAUSE};
use super::{Database, Demand, gather};

/// How long a primary that is told to make way may take.
const MAKE_WAY_TIMEOUT: Duration = Duration::from_secs(4);
/// Rounds with the leases of a minority after which they are given back, so that another one can have them.
const STUBBORN: u32 = 2;
/// Rounds after which a promotion by hand is given up.
const BY_HAND: u32 = 18;

// Silence.
impl Database {
    pub(super) fn failover(&self) -> Option<Failover> {
        self.replication().and_then(|spec| spec.failover)
    }

    /// Looks for silence, and asks for the lease when there is.
    pub(super) async fn watch(self: Rc<Self>, cx: Cx<System>) {
        loop {
            let Some(failover) = self.failover() else {
                self.changed.wait(&cx).await;
                continue;
            };
            if self.reign.get().is_some() {
                self.changed.wait(&cx).await;
                continue;
            }
            let due = self.heard.get() + failover.after / 2;
            if cx.now() < due {
                cx.sleep_until(due).await;
                continue;
            }
            if self.may_stand() && !self.standing.get() {
                self.stand(&cx, None).await;
            }
            self.pause(&cx, failover.after / 6).await;
        }
    }

    fn may_stand(&self) -> bool {
        self.disk.is_whole() && self.is_voter()
    }

    /// Whether somebody leads, as far as it has heard.
    fn is_led(&self, now: SimTime, after: Duration) -> bool {
        self.leader().is_some() && now < self.heard.get() + after / 2
    }

    /// Asks the monitors for the lease until it has it, or there is a primary; by hand for some rounds only.
    async fn stand(self: &Rc<Self>, cx: &Cx<System>, by_hand: Option<u32>) {
        self.standing.set(true);
        self.show();
        let (mut term, mut stubborn, mut rounds) = (self.next_term(), 0, 0);
        while let Some(failover) = self.failover() {
            let began = cx.now();
            let leases = self.ask_monitors(cx, term, failover.after / 6).await;
            if self.reign.get().is_some() {
                break;
            }
            if let Some(until) = leases.until {
                self.lease.set(until);
                if !self.campaign(cx, term, by_hand.is_some()).await {
                    // Somebody else is fitter, and must get the chance to say so.
                    self.release(cx, term);
                    self.heard.set(cx.now());
                }
                break;
            }
            let led = self.is_led(cx.now(), failover.after);
            stubborn = if leases.granted > 0 { stubborn + 1 } else { 0 };
            rounds += 1;
            let enough = by_hand.is_some_and(|most| rounds >= most);
            if leases.granted > 0 && (led || enough || stubborn >= STUBBORN || self.is_outdone(term)) {
                self.release(cx, term);
                stubborn = 0;
                self.highest.set(self.highest.get().max(term));
            }
            if led || enough || !(self.may_stand() || by_hand.is_some()) {
                break;
            }
            if self.is_outdone(term) || self.highest.get() >= term {
                term = self.next_term();
            }
            cx.sleep_until(began + failover.after / 6).await;
        }
        self.standing.set(false);
        self.show();
    }

    /// A term above all that it has heard of.
    fn next_term(&self) -> Term {
        self.highest.get().max(self.disk.term()).above(self.node)
    }

    /// Whether it has promised to follow nobody with this term.
    fn is_outdone(&self, term: Term) -> bool {
        self.disk.term() >= term
    }
}

// Promises.
impl Database {
    /// Another node is to be primary: promises to follow nobody with a lower term, and says how far it is. Who has not all rows has no
    /// say; only where a majority must promise it may, if it knows how far the one must be that has all that it once had.
    pub(super) fn prepare(&self, cx: &Cx<System>, term: Term) -> Answer {
        self.highest.set(self.highest.get().max(term));
        let known = self
            .disk
            .known()
            .filter(|_| self.disk.is_whole() || self.needs_quorum());
        let promised = term >= self.disk.term() && known.is_some();
        if term > self.disk.term() {
            self.disk.promise(term);
            self.step_down(cx);
            self.changed.raise(cx);
            self.show();
        }
        Answer::Prepared {
            promised,
            term: self.disk.term(),
            position: known.unwrap_or_default(),
        }
    }

    fn needs_quorum(&self) -> bool {
        self.replication().is_some_and(|spec| spec.mode == Mode::Quorum)
    }

    /// Asks all others to follow it, and becomes primary if enough of them do and nobody is further. By hand, who is further counts only
    /// where nothing may be lost; and a node without rows may begin anew, if all others answer that they have none either.
    async fn campaign(self: &Rc<Self>, cx: &Cx<System>, term: Term, by_hand: bool) -> bool {
        if self.is_outdone(term) {
            return false;
        }
        self.disk.promise(term);
        self.changed.raise(cx);
        self.show();
        let mine = self.disk.position();
        let timeout = self
            .failover()
            .map_or(ASK_TIMEOUT, |failover| ASK_TIMEOUT.min(failover.after / 6));
        let others = self.others();
        let calls = others
            .iter()
            .map(|member| cx.call(member.id, Request::Prepare { term }, timeout));
        let answers = gather(calls, |_| false, usize::MAX).await;
        let (mut promises, mut refused, mut ahead) = (usize::from(self.is_voter()), false, false);
        let mut answered = 0;
        for (member, answer) in others.iter().zip(answers) {
            let Some(Ok(Reply {
                outcome:
                    Ok(Answer::Prepared {
                        promised,
                        term: theirs,
                        position,
                    }),
                ..
            })) = answer
            else {
                continue;
            };
            self.highest.set(self.highest.get().max(theirs));
            promises += usize::from(promised && member.voter);
            answered += 1;
            refused |= theirs > term || (promised && !self.disk.is_whole());
            ahead |= promised && position > mine;
        }
        let quorum = self.needs_quorum();
        let enough = !quorum || !self.disk.is_whole() || promises >= self.cluster.majority(self.shard);
        // Without rows it may begin only when it is known that nobody else has any.
        let in_doubt = !self.disk.is_whole() && answered < others.len();
        let outrun = ahead && (quorum || !by_hand);
        let now = cx.now();
        let leased = self.failover().is_none_or(|_| self.lease.get() > now);
        if refused || in_doubt || !enough || outrun || !leased || self.disk.term() != term || self.reign.get().is_some()
        {
            return false;
        }
        self.crown(cx, term);
        true
    }

    fn crown(self: &Rc<Self>, cx: &Cx<System>, term: Term) {
        if !self.disk.is_whole() {
            self.disk.make_do(term);
        }
        self.begin_reign(cx, term);
        let (shard, was) = (self.shard, self.former.get());
        cx.emit(Event::Promoted { shard, term, was });
    }

    fn begin_reign(self: &Rc<Self>, cx: &Cx<System>, term: Term) {
        self.disk.reign(term);
        self.reign.set(Some(term));
        self.crowned.set(cx.now());
        self.followers.borrow_mut().clear();
        self.judged.take();
        self.fenced.set(false);
        self.yielding.set(false);
        self.leader.set(None);
        self.standing.set(false);
        self.show();
        self.changed.raise(cx);
        self.announce(cx, term);
        self.spawn_reign(cx, term);
        self.compare_by_itself(cx);
    }

    /// Somebody has promised to follow none but a later one than this primary. There may be a later one; or one that was to be has failed,
    /// and who has promised would be left behind for ever.
    pub(super) fn doubt_itself(self: &Rc<Self>, cx: &Cx<System>, term: Term) {
        if self.failover().is_some() {
            // If the lease is still its own, it begins anew at once.
            self.heed(cx, term);
            self.heard.set(SimTime::ZERO);
            self.changed.raise(cx);
        } else {
            self.highest.set(self.highest.get().max(term));
            if !self.standing.replace(true) {
                cx.spawn(Rc::clone(self).begin_anew(cx.detached()));
            }
        }
    }

    /// By hand there is no lease that tells whether there is a later one: it asks around, and is primary in a new term if there is none.
    async fn begin_anew(self: Rc<Self>, cx: Cx<System>) {
        let own = self.reign.get();
        let others = self.others();
        let calls = others
            .iter()
            .map(|member| cx.call(member.id, Request::WhoLeads, ASK_TIMEOUT));
        let answers = gather(calls, |_| false, usize::MAX).await;
        let mut named = answers.into_iter().filter_map(|answer| match answer {
            Some(Ok(Reply {
                outcome: Ok(Answer::Elsewhere { to: Some(to), term }),
                ..
            })) => Some((to, term)),
            _ => None,
        });
        let later = named.find(|(to, term)| *to != self.id && Some(*term) > own);
        if self.reign.get() == own {
            if let Some((id, term)) = later {
                self.hear_of(&cx, id, term);
            } else {
                self.step_down(&cx);
                self.campaign_by_hand(&cx).await;
            }
        }
        self.standing.set(false);
        self.show();
    }

    /// After a start, when failover is by hand: who was primary in the highest term that it knows, and whom nobody contradicts, is it
    /// again.
    pub(super) async fn resume(self: &Rc<Self>, cx: &Cx<System>) {
        let term = self.disk.reigned();
        let was_last = || term > Term::default() && term == self.disk.term() && self.disk.is_whole();
        if self.failover().is_some() || self.reign.get().is_some() || !was_last() {
            return;
        }
        let others = self.others();
        let calls = others
            .iter()
            .map(|member| cx.call(member.id, Request::WhoLeads, ASK_TIMEOUT));
        let answers = gather(calls, |_| false, usize::MAX).await;
        let contradicts = |answer: &Option<Result<Reply, _>>| {
            let Some(Ok(Reply {
                outcome: Ok(Answer::Elsewhere { term: theirs, .. }),
                ..
            })) = answer
            else {
                return false;
            };
            *theirs > term
        };
        if !answers.iter().any(contradicts) && was_last() && self.leader().is_none() {
            self.begin_reign(cx, term);
        }
    }
}

// Orders.
impl Database {
    /// Becomes primary by order. The one that is makes way first, if it can be reached.
    pub(super) async fn promote(self: &Rc<Self>, cx: &Cx<System>) -> Answer {
        if self.reign.get().is_some() || self.standing.get() || !self.is_voter() {
            return Answer::Fine;
        }
        if let Some(leader) = self.leader() {
            if !self.disk.is_whole() {
                return self.elsewhere();
            }
            let order = Request::Order(Order::StepDown { successor: self.id });
            // One that is gone cannot make way; then it is up to the others.
            let _gone = cx.call(leader.id, order, MAKE_WAY_TIMEOUT).await;
            if self.leader() == Some(leader) {
                self.leader.set(None);
            }
        }
        if self.reign.get().is_some() || self.standing.get() {
            return Answer::Fine;
        }
        if self.failover().is_some() {
            self.stand(cx, Some(BY_HAND)).await;
            return Answer::Fine;
        }
        self.campaign_by_hand(cx).await;
        Answer::Fine
    }

    /// The first try may learn of a term that is higher still.
    async fn campaign_by_hand(self: &Rc<Self>, cx: &Cx<System>) -> bool {
        for _ in 0..2 {
            if self.campaign(cx, self.next_term(), true).await {
                return true;
            }
            cx.sleep(PAUSE).await;
        }
        false
    }

    /// Core time of a write that belongs to no request.
    pub(super) fn write_time(&self) -> u64 {
        let demand = Demand::new(self.cluster.spec.borrow().write);
        demand.sample(self.draw(), 1.0)
    }
}
