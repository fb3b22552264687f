//! The recovery step: a former primary gives the writes that nobody else has to the new one, which makes them anew unless somebody else
//! has written the row meanwhile.

use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::observe::{Event, System};
use crate::protocol::{Answer, Missing, Reason, Recovered, Reply, Request, Stamp, Write};
use crate::sim::{Cx, join_all};

use super::follower::{PAUSE, RANGE_TIMEOUT};
use super::{Database, Outcome};

/// Writes that are compared at once.
const AT_ONCE: usize = 16;
/// Judgements that a primary remembers, for those whose answer was lost.
const REMEMBERED: usize = 1 << 16;

/// What became of writes that somebody had put aside.
#[derive(Debug, Default)]
pub(super) struct Judged {
    by_write: FxHashMap<Stamp, Recovered>,
    order: VecDeque<Stamp>,
}

impl Judged {
    fn of(&self, write: Stamp) -> Option<Recovered> {
        self.by_write.get(&write).copied()
    }

    fn remember(&mut self, write: Stamp, recovered: Recovered) {
        self.by_write.insert(write, recovered);
        self.order.push_back(write);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_write.remove(&oldest);
        }
    }
}

// The primary.
impl Database {
    /// Makes a write anew that only a former primary has, if nobody has written the row since.
    pub(super) async fn repeat(&self, cx: &Cx<System>, missing: Missing) -> Outcome {
        self.heed(cx, missing.term);
        let write = missing.write;
        if let Err(refused) = self.may_write(cx.now()) {
            return refused;
        }
        let Ok(_slot) = cx.admit().await else {
            return Err(Reason::Overloaded);
        };
        cx.work(self.write_time()).await;
        self.flush(cx).await?;
        let term = match self.may_write_row(cx, write.key).await {
            Ok(term) => term,
            Err(Ok(Answer::Moved { to, upto })) if upto > 0 => return self.pass_on(cx, to, missing).await,
            Err(refused) => return refused,
        };
        let known = self.judged.borrow().of(write.now.stamp);
        let recovered = known.unwrap_or_else(|| {
            let row = self.disk.row(write.key);
            let (key, old) = (write.key, write.now.stamp);
            let recovered = if row.stamp == old {
                Recovered::Replayed(old)
            } else if row.stamp == write.before.stamp {
                let new = self.put(cx, key, write.now.exists, write.once, term);
                cx.emit(Event::Replayed { key, old, new });
                Recovered::Replayed(new)
            } else {
                let kept = row.stamp;
                cx.emit(Event::GivenUp { key, old, kept });
                Recovered::Conflicting(kept)
            };
            self.judged.borrow_mut().remember(old, recovered);
            recovered
        });
        if let Recovered::Replayed(_) = recovered {
            self.settle(cx, term).await?;
        }
        Ok(Answer::Recovered(recovered))
    }
}

// The former primary.
impl Database {
    /// Compares what was put aside, if it is to do so by itself.
    pub(super) fn compare_by_itself(self: &Rc<Self>, cx: &Cx<System>) {
        if self.replication().is_some_and(|spec| spec.recovery) {
            self.compare(cx);
        }
    }

    /// Compares what was put aside.
    pub(super) fn compare(self: &Rc<Self>, cx: &Cx<System>) {
        if self.disk.aside() > 0 && !self.recovering.get() && !self.comparing.replace(true) {
            cx.spawn(Rc::clone(self).compare_all(cx.detached()));
        }
    }

    async fn compare_all(self: Rc<Self>, cx: Cx<System>) {
        while self.disk.aside() > 0 {
            let next = self.disk.next_aside(AT_ONCE);
            let answers = join_all(next.iter().map(|(_, write)| self.hand_in(&cx, *write))).await;
            let mut stuck = true;
            for ((stamp, _), answer) in next.iter().zip(answers) {
                if let Some(recovered) = answer {
                    self.disk.settle_aside(*stamp, recovered);
                    stuck = false;
                }
            }
            // The primary may be lost; with the next one it goes on.
            if stuck {
                self.pause(&cx, PAUSE).await;
            }
        }
        let (replayed, conflicting) = self.disk.finish_aside();
        cx.emit(Event::Compared { replayed, conflicting });
        self.comparing.set(false);
    }

    /// Gives a write to the primary, which may be the node itself by now.
    async fn hand_in(&self, cx: &Cx<System>, write: Write) -> Option<Recovered> {
        let term = self.disk.term();
        let missing = Missing { term, write };
        let outcome = if self.reign.get().is_some() {
            self.repeat(cx, missing).await
        } else {
            let leader = self.leader()?;
            let call = cx.call(leader.id, Request::Missing(missing), RANGE_TIMEOUT);
            let Ok(Reply { outcome, .. }) = call.await else {
                return None;
            };
            outcome.map_err(|failure| failure.reason)
        };
        match outcome {
            Ok(Answer::Recovered(recovered)) => Some(recovered),
            _ => None,
        }
    }
}
