//! An attempt at a message: its work, what becomes of it, and its result.

use crate::layout::{self, Delivery, Distribution};
use crate::observe::{Event, System};
use crate::protocol::{Answer, Handed, Operation, Query, QueueRequest, Stamp, Status};
use crate::sim::{Cx, Draw, mix};

use super::hands::Held;
use super::{Consumer, Demand, Router, purpose};

/// Queries that a result takes at most: it changes the row; or makes it, if there is none; or changes it after all, if somebody else has
/// made it meanwhile.
const QUERIES: u64 = 3;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is done.
    Done {
        /// Its kind, by its place among the kinds.
        kind: Option<usize>,
        /// The version of the row that it wrote, if it writes one.
        effect: Option<Stamp>,
    },
    /// It has failed.
    Failed,
    /// It was given up, since the worker is to end.
    Unfinished,
}

/// What a message asks of a worker, by the settings of now.
#[derive(Clone, Copy, Debug)]
struct Plan {
    kind: Option<usize>,
    /// Core time, in nanoseconds.
    work: u64,
    kills: bool,
    fails: bool,
    /// Its result is written only once.
    once: bool,
}

impl Consumer {
    /// Tries a message under the id of the user's request.
    pub(super) async fn attempt(&self, cx: &Cx<System>, handed: &Handed) -> End {
        let plan = self.plan(cx, handed);
        if plan.kills {
            cx.work(plan.work / 2).await;
            return self.die(cx, handed).await;
        }
        cx.work(plan.work).await;
        if plan.fails {
            return End::Failed;
        }
        let effect = match &self.supplies.database {
            None => None,
            Some(database) => match write(cx, database, handed, plan.once).await {
                Some(version) => Some(version),
                None => return End::Failed,
            },
        };
        End::Done {
            kind: plan.kind,
            effect,
        }
    }

    fn plan(&self, cx: &Cx<System>, handed: &Handed) -> Plan {
        let spec = self.spec.borrow();
        let (kind, work) = choose(&spec, cx.draw(purpose::JOB_KIND));
        let kills = handed.message.poison || cx.draw(purpose::POISON).unit() < spec.poison;
        // Another attempt has another draw; so has a message that comes again after it was dead, at another place.
        let receipt = handed.receipt;
        let fails = cx.draw(purpose::JOB_FAILS).0 ^ mix(receipt.place << 16 ^ u64::from(receipt.attempt));
        Plan {
            kind,
            work: Demand::new(work).sample(cx.draw(purpose::JOB_WORK), 1.0),
            kills,
            fails: Draw(mix(fails)).unit() < spec.fails,
            once: spec.delivery == Delivery::EffectivelyOnce,
        }
    }

    /// The message kills the process: nothing comes after this.
    async fn die(&self, cx: &Cx<System>, handed: &Handed) -> End {
        cx.emit(Event::Poisoned {
            key: handed.message.key,
            attempt: handed.receipt.attempt,
        });
        self.probe.count(|tally| tally.crashed += 1);
        cx.abort(self.spec.borrow().boot);
        std::future::pending().await
    }

    /// Tells the queue, and everybody else, how an attempt ended.
    pub(super) async fn settle(&self, cx: &Cx<System>, held: &Held, end: End) {
        let (job, receipt) = (held.handed.job, held.handed.receipt);
        let request = match end {
            End::Done { kind, effect } => {
                cx.emit(Event::JobDone { job, effect });
                self.probe.count(|tally| tally.done += 1);
                self.count_kind(kind);
                QueueRequest::Acknowledge(receipt)
            }
            End::Failed => {
                self.probe.count(|tally| tally.failed += 1);
                QueueRequest::Reject(receipt)
            }
            End::Unfinished => {
                self.probe.count(|tally| tally.returned += u64::from(!held.settled));
                QueueRequest::Return(receipt)
            }
        };
        if !held.settled {
            self.tell(cx, request).await;
        }
    }

    fn count_kind(&self, kind: Option<usize>) {
        let Some(kind) = kind else { return };
        let mut counts = self.probe.by_kind.borrow_mut();
        if counts.len() <= kind {
            counts.resize(kind + 1, 0);
        }
        counts[kind] += 1;
    }
}

/// The kind of a message, if there are kinds, and the distribution of its work.
fn choose(spec: &layout::Consumer, draw: Draw) -> (Option<usize>, Distribution) {
    let total: f64 = spec.jobs.values().map(|job| job.share).sum();
    let mut left = draw.unit() * total;
    let mut chosen = (None, spec.work);
    for (kind, job) in spec.jobs.values().enumerate() {
        // The last one has what rounding leaves.
        chosen = (Some(kind), job.work);
        left -= job.share;
        if left < 0.0 {
            break;
        }
    }
    chosen
}

/// Writes the result of a message to its row; tells the version, if that has gone well.
///
/// The id that a write is made under is its idempotency key: that of the job, which for each subscriber of a log is another one. A key that
/// was answered `NotFound` is answered so for ever, so each query has a key of its own, the same in every attempt.
async fn write(cx: &Cx<System>, database: &Router, handed: &Handed, once: bool) -> Option<Stamp> {
    let message = handed.message;
    for number in 0..QUERIES {
        let own = match number {
            _ if !once => cx.under(message.request),
            0 => cx.under(handed.job.0),
            _ => cx.under(mix(mix(handed.job.0) ^ number)),
        };
        let query = Query {
            operation: if number == 1 {
                Operation::Create
            } else {
                Operation::Update
            },
            key: message.key,
            once,
            after: Stamp::ORIGINAL,
            bytes: message.bytes,
        };
        match database.query(&own, &query).await.outcome {
            Ok(Answer::Row(Status::Written { version, .. })) => return Some(version),
            Ok(Answer::Row(Status::NotFound { .. } | Status::Conflict)) => {}
            _ => return None,
        }
    }
    None
}
