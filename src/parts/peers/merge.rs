//! Merging all rows of another node: for one that is too far behind, for one on a new disk, and where nodes turn out to differ though they
//! know the same changes. That happens when a node is destroyed and its last changes had reached only some.
//!
//! Two nodes that differ compare what they know. If they know the same changes, or one lacks what the other has had for a whole round of
//! comparisons, it merges. Changes that are merely on their way are not taken for a difference, so that a busy database does not copy all its
//! rows for ever; a difference that leaves no such trace is found when writes pause.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::observe::{Event, System};
use crate::protocol::{Answer, Known, PeerRows, PeerState, Reply, Request};
use crate::sim::{Cx, InstanceId, join_all};

use crate::parts::common::cluster::Member;

use super::fetch::Silent;
use super::log::{includes, last};
use super::{CHUNK, Peer};

/// How long a chunk is waited for.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Between two comparisons.
const COMPARE: Duration = Duration::from_secs(10);
/// Between two attempts of a new disk to get rows.
const ATTEMPT: Duration = Duration::from_secs(1);

impl Peer {
    /// Hands out a chunk of the rows.
    pub(super) async fn copy_out(&self, cx: &Cx<System>, from: u64) -> Reply {
        let (rows, _) = self.disk.rows_from(from, CHUNK);
        cx.work(self.merge_demand(rows.len())).await;
        let (rows, next) = self.disk.rows_from(from, CHUNK);
        let log = self.disk.log().borrow();
        Reply::answer(Answer::PeerRows(Rc::new(PeerRows {
            rows,
            next,
            place: (log.life(), log.end()),
            seen: self.disk.known(),
            original: self.disk.original(),
            written: self.disk.written(),
        })))
    }

    /// Merges all rows of another node, and says from which place of its log on to read: where it was at the first chunk. `tell`: it is an
    /// event.
    pub(super) async fn merge_all(&self, cx: &Cx<System>, from: InstanceId, tell: bool) -> Result<(u64, u64), Silent> {
        let _alone = self.merging.pass(cx).await;
        let mut first: Option<Rc<PeerRows>> = None;
        let mut next = Some(0);
        let mut copied = 0;
        if tell {
            cx.emit(Event::Rebuilt { from, done: false });
        }
        while let Some(key) = next {
            let began = cx.now();
            let reply = cx.call(from, Request::PeerRows { from: key }, TIMEOUT).await;
            let Ok(Reply {
                outcome: Ok(Answer::PeerRows(chunk)),
                ..
            }) = reply
            else {
                return Err(Silent);
            };
            let first = first.get_or_insert_with(|| Rc::clone(&chunk));
            if first.place.0 != chunk.place.0 {
                return Err(Silent);
            }
            if key == 0 && !self.disk.is_complete() {
                self.disk.reset(chunk.original);
            }
            cx.work(self.merge_demand(chunk.rows.len())).await;
            cx.flush(self.flush()).await?;
            self.merge_chunk(cx, &chunk);
            next = chunk.next;
            copied += chunk.rows.len() as u64;
            self.probe.rebuilt.set((copied, chunk.written));
            let rate = self.cluster.spec.borrow().copy_rate;
            cx.sleep_until(began + Duration::from_secs_f64(chunk.rows.len() as f64 / rate))
                .await;
        }
        let first = first.ok_or(Silent)?;
        self.disk.learn(&first.seen);
        if tell {
            cx.emit(Event::Rebuilt { from, done: true });
        }
        Ok(first.place)
    }

    fn merge_chunk(&self, cx: &Cx<System>, chunk: &PeerRows) {
        let mut events = Vec::new();
        self.disk.under(|terms| {
            for row in chunk.rows.iter() {
                self.disk.merge(terms, cx.now(), row, &mut events);
            }
        });
        for event in events {
            cx.emit(event);
        }
        self.appended.raise(cx);
    }

    /// Fills a new disk, from the node in reach that knows most of what this node made on an earlier one. If all others are new too, all
    /// rows are lost: the one with the lowest number begins with none, and the others follow it.
    pub(super) async fn rebuild(&self, cx: &Cx<System>) {
        loop {
            let others = self.round();
            let states = join_all(others.iter().map(|other| self.ask_state(cx, other.id))).await;
            let node = self.disk.node();
            let made = |state: &PeerState| last(&state.seen, node);
            let mut source: Option<(&Member, &Rc<PeerState>)> = None;
            for (member, state) in others.iter().zip(&states) {
                if let Ok(state) = state
                    && !state.empty
                    && source.is_none_or(|(_, best)| made(state) > made(best))
                {
                    source = Some((member, state));
                }
            }
            if let Some((member, _)) = source {
                self.probe.source.set(Some(member.id));
                if let Ok(place) = self.merge_all(cx, member.id, true).await {
                    self.disk.places().borrow_mut().insert(member.id, place);
                    break;
                }
            }
            let all_new = states.iter().all(|state| state.as_ref().is_ok_and(|state| state.empty));
            if all_new && others.iter().all(|other| other.node > node) {
                self.disk.reset(0);
                break;
            }
            cx.sleep(ATTEMPT).await;
        }
        self.probe.source.set(None);
        self.disk.complete_late(cx.now());
    }

    /// Compares itself with the others in turn; in a ring with the one that it fetches from.
    pub(super) async fn compare(self: Rc<Self>, cx: Cx<System>) {
        let mut earlier: BTreeMap<InstanceId, Rc<PeerState>> = BTreeMap::new();
        for turn in 0.. {
            cx.sleep(COMPARE).await;
            let round = self.round();
            let other = if self.is_ring() {
                self.source()
            } else {
                round.get(turn % round.len().max(1)).copied()
            };
            let Some(other) = other else { continue };
            let Ok(state) = self.ask_state(&cx, other.id).await else {
                earlier.remove(&other.id);
                continue;
            };
            let before = earlier.insert(other.id, Rc::clone(&state));
            if state.empty {
                continue;
            }
            // What has not changed there since the last comparison should have come here by now.
            let before = before.as_ref().map_or(&[][..], |before| &before.seen);
            let old: Vec<Known> = state
                .seen
                .iter()
                .enumerate()
                .map(|(node, known)| {
                    if before.get(node) == Some(known) {
                        *known
                    } else {
                        Known::default()
                    }
                })
                .collect();
            let known = self.disk.known();
            if state.hash == self.disk.hash() {
                // It may have come as a part of later changes.
                self.disk.learn(&old);
            } else if known == state.seen || !includes(&known, &old) {
                // If it cannot be had, the next comparison tries again.
                let _ = self.merge_all(&cx, other.id, false).await;
            }
        }
    }
}
