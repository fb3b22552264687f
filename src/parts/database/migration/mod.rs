//! Rows that move to another shard while both are in use.
//!
//! The primary of the shard that they go to (`target`) asks the primary of the one that they come from (`source`) for one range of keys
//! after the other. The source locks the range, and writes to it wait; the target writes the rows to its log; then the source says in its
//! log that it has let go of them, and only then the target, in its own, that it answers for them. Each waits until as many nodes know as
//! its mode demands. So a key never has two owners, and whoever becomes primary on either side finds in its log where to go on: the
//! source is the one who knows what has left.
//!
//! A row that nobody has written since the start is not sent: both sides know that it exists.

mod moves;
mod source;
mod target;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::observe::System;
use crate::protocol::{Answer, Missing, Reply, Request, Term};
use crate::sim::{Cx, InstanceId, SimTime};

use super::primary::Refused;
use super::{Database, Outcome, within};

pub(super) use moves::Moves;
use moves::Standing;
use source::Hands;

/// How long another shard may take to answer, above what it waits for acknowledgements.
const SHARD_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a primary of another shard is asked before it counts as out of reach.
const HOPS: usize = 3;

/// What a node keeps in mind while rows move.
#[derive(Debug, Default)]
pub(super) struct Migration {
    /// Ranges that are on their way to other shards.
    hands: Hands,
    /// By shard: who is believed to be its primary.
    believed: RefCell<BTreeMap<u32, InstanceId>>,
}

impl Database {
    /// What a key is to this shard, as far as the node knows.
    fn standing_of(&self, key: u64) -> Standing {
        self.disk.moves().standing(&self.cluster.map.borrow(), self.shard, key)
    }

    /// Whether it is the one of its shard who decides.
    fn decides(&self) -> bool {
        self.reign.get().is_some() || !self.is_replicated()
    }

    /// What is answered to a query of a row if another shard answers for it.
    pub(super) fn moved(&self, now: SimTime, key: u64) -> Option<Answer> {
        if self.locked_until(now, key).is_some() {
            return None;
        }
        match self.standing_of(key) {
            Standing::Ours => None,
            Standing::Gone { to, upto } => Some(Answer::Moved { to, upto }),
            Standing::ToCome { from } if self.decides() => Some(Answer::Moved { to: from, upto: 0 }),
            // The primary may know that it has come.
            Standing::ToCome { .. } => Some(self.elsewhere()),
        }
    }

    /// Whether it may write a row now, and in which term: see [`Database::may_write`]. Waits while the row is on its way.
    pub(super) async fn may_write_row(&self, cx: &Cx<System>, key: u64) -> Result<Term, Refused> {
        loop {
            let term = self.may_write(cx.now())?;
            let Some(until) = self.locked_until(cx.now(), key) else {
                return self.moved(cx.now(), key).map_or(Ok(term), |answer| Err(Ok(answer)));
            };
            // It is rare, and must not make the memory of every query larger.
            Box::pin(within(self.migration.hands.changed.wait(cx), cx.sleep_until(until))).await;
        }
    }

    /// A write of a former primary is of a row that has moved: that shard judges it.
    pub(super) async fn pass_on(&self, cx: &Cx<System>, to: u32, missing: Missing) -> Outcome {
        // The terms of another shard mean nothing there.
        let missing = Missing {
            term: Term::default(),
            ..missing
        };
        let answer = self.ask_shard(cx, to, Request::Missing(missing)).await;
        Ok(answer.unwrap_or(Answer::Moved { to, upto: 0 }))
    }

    /// Asks the primary of another shard. None if it is out of reach, or does not do it.
    async fn ask_shard(&self, cx: &Cx<System>, shard: u32, request: Request) -> Option<Answer> {
        let waits = self.replication().map_or(Duration::ZERO, |spec| spec.ack_timeout);
        for _ in 0..HOPS {
            let members = self.cluster.members(shard);
            let believed = self.migration.believed.borrow().get(&shard).copied();
            let to = believed.filter(|id| members.iter().any(|member| member.id == *id));
            let to = to.or_else(|| Some(members.first()?.id))?;
            let called = cx.call(to, request, SHARD_TIMEOUT + waits).await;
            match called {
                Ok(Reply {
                    outcome: Ok(Answer::Elsewhere { to: Some(named), .. }),
                    ..
                }) if named != to => {
                    self.migration.believed.borrow_mut().insert(shard, named);
                }
                Ok(Reply {
                    outcome: Ok(answer), ..
                }) if !matches!(answer, Answer::Elsewhere { .. }) => {
                    self.migration.believed.borrow_mut().insert(shard, to);
                    return Some(answer);
                }
                _ => {
                    // The next time it is the next one's turn.
                    let place = members.iter().position(|member| member.id == to).unwrap_or(0);
                    let next = members[(place + 1) % members.len()].id;
                    self.migration.believed.borrow_mut().insert(shard, next);
                    return None;
                }
            }
        }
        None
    }
}
