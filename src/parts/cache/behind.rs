//! Write-behind: writes are done once the node has them, and go to the database a while later, the last one of each row.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::layout::Strategy;
use crate::observe::{CacheProbe, System};
use crate::protocol::{Answer, Operation, Query, Reply, RowCopy, Stamp, Status};
use crate::sim::{Cx, Signal, SimTime, race};

use super::Cache;

/// The number by which stamps tell that a node of a cache made them.
const NODE: u8 = 63;
/// Rows whose last write may wait. Past that, writes go to the database at once.
const MOST: usize = 100_000;
/// Rows that are written to the database at once.
const WRITERS: u32 = 16;
/// How long to wait before a write that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Rows whose last write is not in the database yet.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    rows: BTreeMap<u64, Taken>,
}

/// The last write of a row.
#[derive(Clone, Copy, Debug)]
struct Taken {
    /// What the row is now.
    copy: RowCopy,
    bytes: u32,
    /// Whether the database has such a row, as far as is known.
    stands: bool,
    /// The user's request that it belongs to.
    request: u64,
    /// The version that is on its way to the database, if one is.
    sent: Option<Stamp>,
}

/// What a node does to pass writes on.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// The last stamp that it gave.
    last: Cell<Stamp>,
    /// When each row is to be written. A row is in it once, for as long as it is unwritten and not on its way.
    due: RefCell<BTreeSet<(SimTime, u64)>>,
    /// Rows on their way.
    writing: Cell<u32>,
    /// The plan has changed, or a row has been written.
    news: Signal,
}

impl Unwritten {
    /// Whether a write of the row waits.
    #[inline]
    pub(super) fn has(&self, key: u64) -> bool {
        !self.rows.is_empty() && self.rows.contains_key(&key)
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= MOST
    }

    /// What the last write that waits has made of a row, and its size in bytes.
    #[inline]
    pub(super) fn copy(&self, key: u64) -> Option<(RowCopy, u32)> {
        if self.rows.is_empty() {
            return None;
        }
        self.rows.get(&key).map(|taken| (taken.copy, taken.bytes))
    }

    /// Shows all of them.
    pub(super) fn show(&self, probe: &CacheProbe) {
        let mut shown = probe.unwritten.borrow_mut();
        shown.clear();
        shown.extend(self.rows.iter().map(|(key, taken)| (*key, taken.copy.version)));
    }
}

impl Cache {
    /// Takes a write: decides by what it knows of the row what becomes of it.
    pub(super) async fn take(&self, cx: &Cx<System>, query: Query, after: Duration) -> Reply {
        let known = match self.known(cx, query).await {
            Ok(known) => known,
            Err(reply) => return reply,
        };
        let waiting = self.memory.unwritten.borrow().rows.get(&query.key).copied();
        // While it was loaded somebody may have written.
        let known = waiting.map_or(known, |taken| taken.copy);
        let again = query.once && waiting.is_some_and(|taken| taken.request == cx.request());
        let status = match query.operation {
            _ if again => {
                let RowCopy { version, by, .. } = known;
                Status::Written { version, by }
            }
            Operation::Create if known.exists => Status::Conflict,
            Operation::Update | Operation::Delete if !known.exists => {
                let RowCopy { version, by, .. } = known;
                Status::NotFound { version, by }
            }
            _ => self.enter(cx, query, known, after),
        };
        Reply::answer(Answer::Row(status))
    }

    /// What a row is now: by a write that waits, by a copy, or as the database says.
    async fn known(&self, cx: &Cx<System>, query: Query) -> Result<RowCopy, Reply> {
        if let Some((copy, _)) = self.memory.unwritten.borrow().copy(query.key) {
            return Ok(copy);
        }
        let held = self
            .memory
            .entries
            .borrow()
            .as_ref()
            .and_then(|entries| entries.peek(query.key, cx.now()).map(|entry| entry.copy));
        if let Some(copy) = held {
            return Ok(copy);
        }
        let read = Query {
            operation: Operation::Read,
            ..query
        };
        let reply = self.miss(cx, read).await;
        match reply.outcome {
            Ok(Answer::Row(status)) => RowCopy::of(status).ok_or(reply),
            _ => Err(reply),
        }
    }

    /// Enters a write among those that wait, in the place of an earlier one of the row.
    fn enter(&self, cx: &Cx<System>, query: Query, known: RowCopy, after: Duration) -> Status {
        let Query { key, bytes, .. } = query;
        let version = Stamp::next(self.behind.last.get().max(known.version), cx.now(), NODE);
        self.behind.last.set(version);
        let copy = RowCopy {
            version,
            by: cx.id(),
            exists: query.operation != Operation::Delete,
        };
        let mut unwritten = self.memory.unwritten.borrow_mut();
        let before = unwritten.rows.get(&key).copied();
        let taken = Taken {
            copy,
            bytes,
            stands: before.map_or(known.exists, |before| before.stands),
            request: cx.request(),
            sent: before.and_then(|before| before.sent),
        };
        unwritten.rows.insert(key, taken);
        drop(unwritten);
        self.probe.unwritten.borrow_mut().insert(key, version);
        match before {
            None => self.plan(cx, key, after),
            // What is on its way may arrive; it is no merger.
            Some(before) if before.sent == Some(before.copy.version) => {}
            Some(_) => self.probe.count(|tally| tally.merged_writes += 1),
        }
        self.keep(cx, (key, bytes), copy, 0);
        self.send_on(cx, query, copy, 0);
        Status::Written { version, by: cx.id() }
    }

    /// Says when a row is to be written.
    fn plan(&self, cx: &Cx<System>, key: u64, after: Duration) {
        self.behind.due.borrow_mut().insert((cx.now() + after, key));
        self.behind.news.raise(cx);
    }

    /// The wait may be another one now: what waits longer is written then, and all at once where writes no longer wait.
    pub(super) fn replan(&self, cx: &Cx<System>) {
        let after = match self.tier.spec.borrow().strategy {
            Strategy::WriteBehind { after } => after,
            _ => Duration::ZERO,
        };
        let latest = cx.now() + after;
        let mut due = self.behind.due.borrow_mut();
        let planned = std::mem::take(&mut *due).into_iter();
        due.extend(planned.map(|(at, key)| (at.min(latest), key)));
        drop(due);
        self.behind.news.raise(cx);
    }

    /// Somebody has written a row in the database itself: an older write that waits is none any more.
    pub(super) fn overtake(&self, key: u64, version: Stamp) {
        let mut unwritten = self.memory.unwritten.borrow_mut();
        if unwritten
            .rows
            .get(&key)
            .is_none_or(|taken| taken.copy.version >= version)
        {
            return;
        }
        unwritten.rows.remove(&key);
        self.probe.unwritten.borrow_mut().remove(&key);
        self.probe.count(|tally| tally.merged_writes += 1);
    }

    /// Writes what is due, some rows at a time.
    pub(super) async fn write_behind(self: Rc<Self>, cx: Cx<System>) {
        let found: Vec<u64> = {
            let mut unwritten = self.memory.unwritten.borrow_mut();
            unwritten.rows.values_mut().for_each(|taken| taken.sent = None);
            unwritten.rows.keys().copied().collect()
        };
        for key in found {
            self.plan(&cx, key, Duration::ZERO);
        }
        loop {
            let next = self.behind.due.borrow().first().copied();
            match next {
                Some((due, _)) if due > cx.now() => {
                    race(cx.sleep_until(due), self.behind.news.wait(&cx)).await;
                }
                Some((_, key)) if self.behind.writing.get() < WRITERS => {
                    self.behind.due.borrow_mut().pop_first();
                    self.behind.writing.set(self.behind.writing.get() + 1);
                    let (cache, background) = (Rc::clone(&self), cx.detached());
                    cx.spawn(async move { cache.flush(&background, key).await });
                }
                _ => self.behind.news.wait(&cx).await,
            }
        }
    }

    /// Writes the last version of a row, however often it takes.
    async fn flush(&self, cx: &Cx<System>, key: u64) {
        loop {
            let last = {
                let mut unwritten = self.memory.unwritten.borrow_mut();
                let Some(taken) = unwritten.rows.get_mut(&key) else {
                    break;
                };
                taken.sent = Some(taken.copy.version);
                *taken
            };
            let operation = match (last.stands, last.copy.exists) {
                (true, true) => Operation::Update,
                (true, false) => Operation::Delete,
                // A row that came and went is written all the same, so that the database knows that it has gone.
                (false, _) => Operation::Create,
            };
            let query = Query {
                operation,
                key,
                once: false,
                after: Stamp::ORIGINAL,
                bytes: last.bytes,
            };
            let reply = self.pass(&cx.under(last.request), query).await;
            match reply.outcome {
                Ok(Answer::Row(Status::Written { version, by })) => {
                    let stands = operation != Operation::Delete;
                    self.learn(key, stands);
                    if stands == last.copy.exists {
                        self.written(
                            cx,
                            key,
                            &last,
                            RowCopy {
                                version,
                                by,
                                exists: stands,
                            },
                        );
                        break;
                    }
                }
                Ok(Answer::Row(Status::Conflict)) => self.learn(key, true),
                // An earlier try whose answer did not come has deleted it.
                Ok(Answer::Row(Status::NotFound { version, by }))
                    if operation == Operation::Delete && version >= last.copy.version =>
                {
                    self.learn(key, false);
                    self.written(
                        cx,
                        key,
                        &last,
                        RowCopy {
                            version,
                            by,
                            exists: false,
                        },
                    );
                    break;
                }
                Ok(Answer::Row(Status::NotFound { .. })) => self.learn(key, false),
                _ => cx.sleep(AGAIN).await,
            }
        }
        self.behind.writing.set(self.behind.writing.get() - 1);
        self.behind.news.raise(cx);
    }

    /// Whether the database has a row, as it turned out.
    fn learn(&self, key: u64, stands: bool) {
        if let Some(taken) = self.memory.unwritten.borrow_mut().rows.get_mut(&key) {
            taken.stands = stands;
        }
    }

    /// A version is in the database, where it has another stamp. If users have written the row again meanwhile, that is planned.
    fn written(&self, cx: &Cx<System>, key: u64, last: &Taken, stored: RowCopy) {
        self.probe.count(|tally| tally.written_behind += 1);
        let newer = {
            let mut unwritten = self.memory.unwritten.borrow_mut();
            match unwritten.rows.get_mut(&key) {
                Some(taken) if taken.copy.version > last.copy.version => {
                    taken.sent = None;
                    true
                }
                _ => {
                    unwritten.rows.remove(&key);
                    false
                }
            }
        };
        if newer {
            let after = match self.tier.spec.borrow().strategy {
                Strategy::WriteBehind { after } => after,
                _ => Duration::ZERO,
            };
            self.plan(cx, key, after);
        } else {
            self.probe.unwritten.borrow_mut().remove(&key);
            self.change(|entries| entries.rename(key, last.copy, stored));
        }
    }
}
