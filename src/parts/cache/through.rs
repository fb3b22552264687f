//! Strategies in which the node asks the database: reads of what it lacks, and writes that it passes on.

use std::rc::Rc;
use std::time::Duration;

use crate::layout::Strategy;
use crate::observe::System;
use crate::protocol::{Answer, CacheRequest, Cached, Operation, Query, Reason, Reply, Request, RowCopy, Stamp, Status};
use crate::sim::{Cx, nanos};

use super::super::common::flights::Turn;
use super::Cache;

/// Rows that a node loads anew in the background at once. What is past that expires, and is loaded then.
const REFRESHES: usize = 1_000;

/// A load of a row that is in progress.
struct Loading<'a> {
    cache: &'a Cache,
    key: u64,
}

impl<'a> Loading<'a> {
    fn begin(cache: &'a Cache, key: u64) -> Loading<'a> {
        let loads = {
            let mut loading = cache.loading.borrow_mut();
            let loads = loading.entry(key).or_default();
            *loads += 1;
            *loads
        };
        cache.probe.count(|tally| tally.loads += 1);
        cache.probe.loading(loads);
        Loading { cache, key }
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        let mut loading = self.cache.loading.borrow_mut();
        if let Some(loads) = loading.get_mut(&self.key) {
            *loads -= 1;
            if *loads == 0 {
                loading.remove(&self.key);
            }
        }
    }
}

impl Cache {
    /// Does a query of one who leaves the database to the cache. An answer from a copy says that it is one.
    pub(super) async fn query(self: &Rc<Self>, cx: &Cx<System>, query: Query) -> Reply {
        match query.operation {
            Operation::Read => self.read(cx, query).await,
            Operation::Search => self.pass(cx, query).await,
            Operation::Create | Operation::Update | Operation::Delete => self.write(cx, query).await,
        }
    }

    async fn read(self: &Rc<Self>, cx: &Cx<System>, query: Query) -> Reply {
        let Some(hit) = self.find(cx, query.key, query.after) else {
            let reply = self.miss(cx, query).await;
            if reply.outcome.is_ok() {
                self.probe.count(|tally| tally.served_bytes += u64::from(query.bytes));
            }
            return reply;
        };
        if hit.refresh {
            self.refresh(cx, query);
        }
        Reply::answer(Answer::Cached(Cached::Hit {
            copy: hit.copy,
            refresh: false,
        }))
    }

    /// Loads what was not found, or waits for who does. One who must see their own write waits for no load that may have begun before it.
    pub(super) async fn miss(&self, cx: &Cx<System>, query: Query) -> Reply {
        if query.after != Stamp::ORIGINAL || !self.tier.spec.borrow().single_flight {
            return self.load(cx, query).await;
        }
        match self.flights.enter(cx, query.key).await {
            Turn::Shares(reply) => {
                self.probe.count(|tally| tally.coalesced += 1);
                reply
            }
            Turn::Leads(lead) => {
                let reply = self.load(cx, query).await;
                lead.end(reply.clone());
                reply
            }
        }
    }

    /// Asks the database, and stores what it answers. What was written and not passed on yet is newer than that.
    async fn load(&self, cx: &Cx<System>, query: Query) -> Reply {
        let _loading = Loading::begin(self, query.key);
        let began = cx.now();
        let reply = self.pass(cx, query).await;
        match reply.outcome {
            Ok(Answer::Row(status)) => {
                if let Some(copy) = RowCopy::of(status) {
                    self.spread(cx, query, copy, nanos(cx.now() - began));
                }
            }
            _ => self.probe.count(|tally| tally.failed_loads += 1),
        }
        reply
    }

    /// Loads a row anew in the background, unless that is under way.
    fn refresh(self: &Rc<Self>, cx: &Cx<System>, query: Query) {
        {
            let mut refreshing = self.refreshing.borrow_mut();
            if refreshing.len() >= REFRESHES || !refreshing.insert(query.key) {
                return;
            }
        }
        self.probe.count(|tally| tally.refreshes += 1);
        let (cache, background) = (Rc::clone(self), cx.under(cx.request()));
        let query = Query {
            after: Stamp::ORIGINAL,
            ..query
        };
        cx.spawn(async move {
            cache.load(&background, query).await;
            cache.refreshing.borrow_mut().remove(&query.key);
        });
    }

    async fn write(self: &Rc<Self>, cx: &Cx<System>, query: Query) -> Reply {
        // What follows a write that waits must wait with it, even if the strategy is another one by now.
        let (waits, has_room) = {
            let unwritten = self.memory.unwritten.borrow();
            let waits = unwritten.has(query.key);
            (waits, waits || !unwritten.is_full())
        };
        let behind = match self.tier.spec.borrow().strategy {
            Strategy::WriteBehind { after } => Some(after),
            _ => waits.then_some(Duration::ZERO),
        };
        match behind {
            Some(after) if has_room => self.take(cx, query, after).await,
            _ => self.write_through(cx, query).await,
        }
    }

    /// To the database first, then into the entry.
    async fn write_through(&self, cx: &Cx<System>, query: Query) -> Reply {
        self.probe.count(|tally| tally.bypassed += 1);
        let began = cx.now();
        let reply = self.pass(cx, query).await;
        if let Ok(Answer::Row(Status::Written { version, by })) = reply.outcome {
            let exists = query.operation != Operation::Delete;
            let copy = RowCopy { version, by, exists };
            self.spread(cx, query, copy, nanos(cx.now() - began));
        }
        reply
    }

    /// Keeps a copy, and sends it to the other nodes that keep one of this row.
    fn spread(&self, cx: &Cx<System>, query: Query, copy: RowCopy, took: u64) {
        self.store(cx, (query.key, query.bytes), copy, took);
        self.send_on(cx, query, copy, took);
    }

    /// Sends a copy to the other nodes that keep one of this row. Nobody waits for them.
    pub(super) fn send_on(&self, cx: &Cx<System>, query: Query, copy: RowCopy, took: u64) {
        if self.tier.spec.borrow().copies == 1 {
            return;
        }
        let Query { key, bytes, .. } = query;
        let put = CacheRequest::Put { key, bytes, copy, took };
        for other in self.tier.owners(key, |_| false).iter().filter(|node| *node != cx.id()) {
            cx.cast(other, Request::Cache(put));
        }
    }

    /// Sends a query to the database.
    pub(super) async fn pass(&self, cx: &Cx<System>, query: Query) -> Reply {
        match &self.database {
            Some(database) => database.query(cx, &query).await,
            None => Reply::failure(Reason::NoHealthyBackend, cx.id()),
        }
    }
}
