//! Fetching what others have in their logs.

use std::rc::Rc;
use std::time::Duration;

use crate::observe::{Event, System};
use crate::protocol::{Answer, Known, PeerChange, PeerPull, PeerPulled, PeerState, Reply, Request, Stamp};
use crate::sim::{Cx, DiskFull, InstanceId, race};

use crate::parts::common::cluster::Member;

use super::Peer;
use super::disk::Arrival;
use super::log::{includes, last};

/// How long a source waits for news before it answers that there are none.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The pause after the first failure; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Changes in one answer.
const BATCH: usize = 1_000;
/// Between two looks at who the other nodes are.
const LOOK: Duration = Duration::from_secs(1);
/// How long the one before a node in a ring may be silent, where nothing is set, for the sake of how often it is tried again.
const SILENCE: Duration = Duration::from_secs(10);
const SHORTEST_SILENCE: Duration = Duration::from_millis(200);

/// Nothing came from another node: it is silent, or has none to give.
pub(super) struct Silent;

/// What comes can't be kept: it is asked for again.
impl From<DiskFull> for Silent {
    fn from(_: DiskFull) -> Silent {
        Silent
    }
}

impl Peer {
    /// Hands out what is new in the log.
    pub(super) async fn hand_out(&self, cx: &Cx<System>, pull: PeerPull) -> Reply {
        let until = cx.now() + pull.patience;
        let ring = self.is_ring();
        let own = self.disk.node();
        let wanted = |change: &PeerChange| {
            let stamp = change.version.stamp;
            if ring {
                // What it made on its present disk has come home.
                stamp.node() != pull.node || stamp < Stamp::new(pull.born, 0)
            } else {
                stamp.node() == own
            }
        };
        let mut place = pull.place;
        loop {
            let news = self.disk.log().borrow().after(pull.life, place, BATCH, wanted);
            let Some((changes, behind)) = news else {
                return Reply::answer(Answer::PeerPulled(PeerPulled::TooOld));
            };
            place = behind;
            if !changes.is_empty() || cx.now() >= until {
                let changes = changes.into();
                return Reply::answer(Answer::PeerPulled(PeerPulled::Changes { changes, place }));
            }
            race(self.appended.wait(cx), cx.sleep_until(until)).await;
        }
    }

    /// Asks another node how far it is.
    pub(super) async fn ask_state(&self, cx: &Cx<System>, of: InstanceId) -> Result<Rc<PeerState>, Silent> {
        match cx.call(of, Request::PeerState, TIMEOUT).await {
            Ok(Reply {
                outcome: Ok(Answer::PeerState(state)),
                ..
            }) => Ok(state),
            _ => Err(Silent),
        }
    }

    /// Fetches once what a source has that is new.
    async fn fetch(&self, cx: &Cx<System>, source: Member) -> Result<(), Silent> {
        let known = self.disk.places().borrow().get(&source.id).copied();
        let (life, place) = match known {
            Some(place) => place,
            None => self.find_place(cx, source).await?,
        };
        let pull = PeerPull {
            life,
            place,
            node: self.disk.node(),
            born: self.disk.born(),
            patience: PATIENCE,
        };
        let reply = cx.call(source.id, Request::PeerPull(pull), TIMEOUT).await;
        match reply.map(|reply| reply.outcome) {
            Ok(Ok(Answer::PeerPulled(PeerPulled::Changes { changes, place }))) => {
                self.apply(cx, &changes).await?;
                self.disk.places().borrow_mut().insert(source.id, (life, place));
                Ok(())
            }
            Ok(Ok(Answer::PeerPulled(PeerPulled::TooOld))) => {
                self.disk.places().borrow_mut().remove(&source.id);
                Ok(())
            }
            _ => Err(Silent),
        }
    }

    /// Where to begin in the log of a source that was not read yet, or whose log is another now: as late as what is known here allows.
    /// If that is before all that it keeps, all its rows are merged.
    async fn find_place(&self, cx: &Cx<System>, source: Member) -> Result<(u64, u64), Silent> {
        let state = self.ask_state(cx, source.id).await?;
        if state.empty {
            return Err(Silent);
        }
        let known = self.disk.known();
        let enough = |before: &[Known]| {
            if self.is_ring() {
                return includes(&known, before);
            }
            // Nothing but what the source made itself is read there.
            last(&known, source.node) >= last(before, source.node)
        };
        let mark = state.marks.iter().rev().find(|(_, before)| enough(before));
        let place = match mark {
            Some((place, _)) => (state.life, *place),
            None => self.merge_all(cx, source.id, true).await?,
        };
        self.disk.places().borrow_mut().insert(source.id, place);
        Ok(place)
    }

    /// Applies changes of others. The place behind them is to be noted at the same moment.
    async fn apply(&self, cx: &Cx<System>, changes: &[PeerChange]) -> Result<(), Silent> {
        if changes.is_empty() {
            return Ok(());
        }
        cx.flush(self.flush()).await?;
        let apply = self.demands.get().apply;
        let new = changes.iter().filter(|change| !self.disk.knows(change.version.stamp));
        let demand = new.map(|_| apply.sample(self.noise.borrow_mut().draw(), 1.0)).sum();
        cx.work(demand).await;
        let mut events = Vec::new();
        let mut again = 0;
        let arrivals = self.disk.under(|terms| {
            let take = |change| self.disk.take(terms, cx.now(), change, &mut events);
            changes.iter().map(take).collect::<Vec<_>>()
        });
        for arrival in arrivals.unwrap_or_default() {
            again += u64::from(arrival == Arrival::Again);
        }
        self.probe.duplicates.set(self.probe.duplicates.get() + again);
        for event in events {
            cx.emit(event);
        }
        if self.is_ring() {
            self.appended.raise(cx);
        }
        Ok(())
    }

    /// Fetches from every other node.
    pub(super) async fn fetch_from_all(self: Rc<Self>, cx: Cx<System>) {
        loop {
            for member in self.others() {
                if self.fetching.borrow_mut().insert(member.id) {
                    cx.spawn(Rc::clone(&self).fetch_from(member, cx.detached()));
                }
            }
            cx.sleep(LOOK).await;
        }
    }

    async fn fetch_from(self: Rc<Self>, source: Member, cx: Cx<System>) {
        let mut pause = PAUSE;
        while self.others().iter().any(|member| member.id == source.id) {
            if self.fetch(&cx, source).await.is_ok() {
                pause = PAUSE;
            } else {
                cx.sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        self.fetching.borrow_mut().remove(&source.id);
    }

    /// The others, from the one before this node round to the one behind it.
    pub(super) fn round(&self) -> Vec<Member> {
        let mut others = self.others();
        let node = self.disk.node();
        others.sort_by_key(|member| node.wrapping_sub(member.node) % Stamp::NODES);
        others
    }

    /// The nearest node before this one that is not passed over.
    pub(super) fn source(&self) -> Option<Member> {
        let passed = self.disk.passed().borrow();
        self.round().into_iter().find(|member| !passed.contains_key(&member.id))
    }

    fn close(&self) -> Option<Duration> {
        let spec = self.cluster.spec.borrow();
        spec.replication.peers().and_then(|peers| peers.close)
    }

    /// Fetches from the one before, or from the one before that if it is passed over.
    pub(super) async fn fetch_in_a_ring(self: Rc<Self>, cx: Cx<System>) {
        let mut last = None;
        let mut heard = cx.now();
        let mut pause = PAUSE;
        loop {
            let source = self.source();
            let id = source.map(|source| source.id);
            self.probe.source.set(id);
            if last != id {
                (last, heard, pause) = (id, cx.now(), PAUSE);
            }
            let Some(source) = source else {
                cx.sleep(LOOK).await;
                continue;
            };
            if self.fetch(&cx, source).await.is_ok() {
                (heard, pause) = (cx.now(), PAUSE);
            } else if self.close().is_some_and(|silence| cx.now() - heard >= silence) {
                self.pass_over(&cx, source.id, true, false);
            } else {
                cx.sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Passes a node over, or no longer. What was done by hand is undone by hand.
    pub(super) fn pass_over(&self, cx: &Cx<System>, node: InstanceId, on: bool, by_hand: bool) {
        let mut passed = self.disk.passed().borrow_mut();
        let before = if on {
            passed.insert(node, by_hand)
        } else {
            passed.remove(&node)
        };
        if before.is_some() != on {
            cx.emit(Event::PassedOver { node, on });
        }
    }

    /// Tries those again that were passed over because they were silent.
    pub(super) async fn try_again(self: Rc<Self>, cx: Cx<System>) {
        loop {
            let silence = self.close().unwrap_or(SILENCE).max(SHORTEST_SILENCE);
            cx.sleep(silence / 2).await;
            let passed: Vec<InstanceId> = {
                let passed = self.disk.passed().borrow();
                passed
                    .iter()
                    .filter(|(_, by_hand)| !**by_hand)
                    .map(|(id, _)| *id)
                    .collect()
            };
            for id in passed {
                if !self.others().iter().any(|member| member.id == id) {
                    self.disk.passed().borrow_mut().remove(&id);
                } else if self.ask_state(&cx, id).await.is_ok_and(|state| !state.empty) {
                    self.pass_over(&cx, id, false, false);
                }
            }
        }
    }
}
