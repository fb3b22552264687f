//! How whoever makes pages uses a cache tier: whom it asks, what it loads and stores by itself, what it tells of writes.

mod near;
mod tier;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::layout::{Invalidate, Strategy};
use crate::observe::{CacheProbe, Event, System};
use crate::protocol::{
    Answer, CacheRequest, Cached, Failure, Http, Layer, Operation, Query, Reason, Reply, Request, RowCopy, Stamp,
    Status,
};
use crate::sim::{CallError, Cx, InstanceId, join_all, nanos};

use super::caller::{Caller, Targets};
use super::flights::{Flights, Turn};
use super::resting::{Loss, Resting};
use super::router::Router;
use near::NearCopies;
use tier::Owners;

pub use tier::Tier;

/// Rows that one who makes pages loads anew in the background at once. What is past that expires, and is loaded then.
const REFRESHES: usize = 1_000;

/// Whoever uses a cache tier.
///
/// A node that failed is left alone for a while: its keys miss at once, or are asked of the nodes that stand in for it. What the tier can't
/// answer the database is asked for, so that the cache can fail and pages can't.
///
/// A user who is to see what they wrote themselves (`read_your_writes`) is not answered by an older copy of the row that they wrote last: that
/// is a miss, and the load is not shared with others. Copies of other rows may be older.
pub struct CacheClient {
    tier: Rc<Tier>,
    caller: Caller,
    near: NearCopies,
    resting: Resting,
    loads: Flights<Reply>,
    /// Rows that are loaded anew in the background.
    refreshing: RefCell<FxHashSet<u64>>,
}

/// What a page wants of its row.
struct Wish<'a> {
    database: Rc<Router>,
    http: &'a Http,
    once: bool,
    /// The user has written this version: an older one will not do.
    least: Stamp,
}

/// The nodes that keep a key, for one call; each is asked once.
struct Copies<'a> {
    client: &'a CacheClient,
    cx: &'a Cx<System>,
    owners: &'a Owners,
    asked: &'a Cell<usize>,
}

impl CacheClient {
    /// A client that takes all nodes to be alive and holds no near copies. `near` shows what it does with those.
    pub fn new(_cx: &Cx<System>, tier: Rc<Tier>, caller: Caller, near: Rc<CacheProbe>) -> CacheClient {
        CacheClient {
            near: NearCopies::new(Rc::clone(&tier), near),
            tier,
            caller,
            resting: Resting::default(),
            loads: Flights::default(),
            refreshing: RefCell::default(),
        }
    }

    /// Asks for a row, or writes it, by way of the cache. The reply is that of a database; with it comes the layer that the row is a copy
    /// from. Searches go past the cache.
    pub async fn ask(
        self: &Rc<Self>,
        cx: &Cx<System>,
        database: &Rc<Router>,
        http: &Http,
        operation: Operation,
        once: bool,
    ) -> (Reply, Option<Layer>) {
        match operation {
            Operation::Search => (database.ask(cx, http, operation, once).await, None),
            Operation::Read => {
                let (key, version) = http.wrote;
                let concerned = key == http.key && database.remembers();
                let wish = Wish {
                    database: Rc::clone(database),
                    http,
                    once,
                    least: if concerned { version } else { Stamp::ORIGINAL },
                };
                self.read(cx, &wish).await
            }
            Operation::Create | Operation::Update | Operation::Delete => {
                (self.write(cx, database, http, operation, once).await, None)
            }
        }
    }

    /// Settings have changed.
    pub fn retune(&self, cx: &Cx<System>) {
        self.caller.retune(cx);
        self.near.retune();
    }

    /// Forgets near copies: of one row, or all.
    pub fn purge(&self, key: Option<u64>) {
        self.near.purge(key);
    }

    async fn read(self: &Rc<Self>, cx: &Cx<System>, wish: &Wish<'_>) -> (Reply, Option<Layer>) {
        if let Some(copy) = self.near.find(cx.now(), wish.http, wish.least) {
            return (Reply::answer(Answer::Row(copy.status())), Some(Layer::Near));
        }
        let strategy = self.tier.spec.borrow().strategy;
        let (reply, layer) = if strategy.loads_through() {
            self.read_through(cx, wish).await
        } else {
            self.read_aside(cx, wish).await
        };
        self.near.loaded(wish.http.row, reply.outcome.is_err());
        if let Some(copy) = copy_of(&reply) {
            self.near.keep(cx.now(), wish.http.key, wish.http.row, copy);
        }
        (reply, layer)
    }

    async fn read_aside(self: &Rc<Self>, cx: &Cx<System>, wish: &Wish<'_>) -> (Reply, Option<Layer>) {
        let key = wish.http.key;
        let found = self
            .call(cx, key, Request::Cache(CacheRequest::Get { key }), true)
            .await;
        let answer = found.and_then(|(_, reply)| reply.outcome.ok());
        if answer.is_none() {
            // No node has counted it.
            self.tier.count(key, |tally| tally.lookups += 1);
        }
        if let Some(Answer::Cached(Cached::Hit { copy, refresh })) = answer
            && copy.version >= wish.least
        {
            if refresh {
                self.refresh(cx, wish);
            }
            return (Reply::answer(Answer::Row(copy.status())), Some(Layer::Cache));
        }
        let alone = wish.least != Stamp::ORIGINAL || !self.tier.spec.borrow().single_flight;
        if alone {
            return (self.load(cx, wish).await, None);
        }
        let reply = match self.loads.enter(cx, key).await {
            Turn::Shares(reply) => {
                self.tier.count(key, |tally| tally.coalesced += 1);
                // Who loaded has retried, not those who waited.
                Reply { retries: 0, ..reply }
            }
            Turn::Leads(lead) => {
                let reply = self.load(cx, wish).await;
                lead.end(reply.clone());
                reply
            }
        };
        (reply, None)
    }

    /// Asks the database and stores what it answers. Nobody waits for that, and nothing compares it with what was stored meanwhile: a slow
    /// read may store what a write has deleted.
    async fn load(&self, cx: &Cx<System>, wish: &Wish<'_>) -> Reply {
        let (key, bytes) = (wish.http.key, wish.http.row);
        let began = cx.now();
        self.tier.count(key, |tally| tally.loads += 1);
        let reply = wish.database.ask(cx, wish.http, Operation::Read, wish.once).await;
        let Some(copy) = copy_of(&reply) else {
            self.tier.count(key, |tally| tally.failed_loads += 1);
            for node in self.owners(cx, key).iter() {
                cx.cast(node, Request::Cache(CacheRequest::Abandon { key }));
            }
            return reply;
        };
        self.tier.count(key, |tally| tally.served_bytes += u64::from(bytes));
        let took = nanos(cx.now() - began);
        let put = CacheRequest::Put { key, bytes, copy, took };
        for node in self.owners(cx, key).iter() {
            cx.cast(node, Request::Cache(put));
        }
        reply
    }

    /// Loads a row anew in the background, unless that is under way.
    fn refresh(self: &Rc<Self>, cx: &Cx<System>, wish: &Wish<'_>) {
        let key = wish.http.key;
        {
            let mut refreshing = self.refreshing.borrow_mut();
            if refreshing.len() >= REFRESHES || !refreshing.insert(key) {
                return;
            }
        }
        self.tier.count(key, |tally| tally.refreshes += 1);
        let (client, database, background) = (Rc::clone(self), Rc::clone(&wish.database), cx.under(cx.request()));
        let (http, once, least) = (*wish.http, wish.once, wish.least);
        cx.spawn(async move {
            let wish = Wish {
                database,
                http: &http,
                once,
                least,
            };
            client.load(&background, &wish).await;
            client.refreshing.borrow_mut().remove(&key);
        });
    }

    async fn read_through(&self, cx: &Cx<System>, wish: &Wish<'_>) -> (Reply, Option<Layer>) {
        let query = Query {
            operation: Operation::Read,
            key: wish.http.key,
            once: wish.once,
            after: wish.least,
            bytes: wish.http.row,
        };
        let Some(mut reply) = self.query(cx, query).await else {
            // No node has counted it.
            self.tier.count(query.key, |tally| {
                tally.lookups += 1;
                tally.loads += 1;
            });
            let reply = wish.database.ask(cx, wish.http, Operation::Read, wish.once).await;
            return (reply, None);
        };
        if let Ok(Answer::Cached(Cached::Hit { copy, .. })) = reply.outcome {
            reply.outcome = Ok(Answer::Row(copy.status()));
            return (reply, Some(Layer::Cache));
        }
        (reply, None)
    }

    /// Has a node do a query. `None`: it did not, and the database may be asked. After a call that broke off nobody knows whether a write was
    /// done: that is the user's to know, unless it is done only once.
    async fn query(&self, cx: &Cx<System>, query: Query) -> Option<Reply> {
        let safe = query.is_read() || query.once;
        let (node, reply) = self.call(cx, query.key, Request::Query(query), safe).await?;
        match reply.outcome {
            Err(Failure { at, reason }) if at == node || at == cx.id() => {
                let open = matches!(reason, Reason::TimedOut | Reason::Reset);
                (open && !safe).then_some(reply)
            }
            _ => Some(reply),
        }
    }

    async fn write(
        &self,
        cx: &Cx<System>,
        database: &Rc<Router>,
        http: &Http,
        operation: Operation,
        once: bool,
    ) -> Reply {
        let key = http.key;
        let (strategy, invalidate): (Strategy, Invalidate) = {
            let spec = self.tier.spec.borrow();
            (spec.strategy, spec.invalidate)
        };
        if strategy.takes_writes() {
            let query = Query {
                operation,
                key,
                once,
                after: Stamp::ORIGINAL,
                bytes: http.row,
            };
            if let Some(reply) = self.query(cx, query).await {
                if let Some(copy) = written(&reply, operation) {
                    self.near.update(cx.now(), key, http.row, copy);
                }
                return reply;
            }
        }
        let began = cx.now();
        let reply = database.ask(cx, http, operation, once).await;
        let Some(copy) = written(&reply, operation).filter(|_| invalidate != Invalidate::Never) else {
            return reply;
        };
        self.near.update(cx.now(), key, http.row, copy);
        let keeps_absence = self.tier.spec.borrow().negative.is_some();
        let change = if invalidate == Invalidate::Update && (copy.exists || keeps_absence) {
            CacheRequest::Put {
                key,
                bytes: http.row,
                copy,
                took: nanos(cx.now() - began),
            }
        } else {
            CacheRequest::Delete {
                key,
                version: copy.version,
            }
        };
        self.tell(cx, key, change).await;
        reply
    }

    /// Tells the nodes that keep a key of a write, and waits until they know. It is done even if they can't be told: a copy that they hold is
    /// stale until it expires. A node that rests is not told.
    async fn tell(&self, cx: &Cx<System>, key: u64, change: CacheRequest) {
        let owners = self.owners(cx, key);
        let tell = |node: Option<InstanceId>| async move {
            let mut only = Owners::default();
            if let Some(node) = node {
                only.push(node);
            }
            let targets = Copies {
                client: self,
                cx,
                owners: &only,
                asked: &Cell::new(0),
            };
            self.caller
                .call_to(cx, targets, &Request::Cache(change), true, None)
                .await
        };
        if owners.len() == 1 {
            tell(owners.get(0)).await;
        } else {
            join_all(owners.iter().map(|node| tell(Some(node)))).await;
        }
    }

    /// The nodes that keep a key, without those that rest.
    fn owners(&self, cx: &Cx<System>, key: u64) -> Owners {
        let now = cx.now();
        self.tier.owners(key, |node| self.resting.has(node, now))
    }

    /// Asks the nodes that keep a key, one after the other, until one has answered; tells who that was. `None`: there is nobody to be asked.
    async fn call(&self, cx: &Cx<System>, key: u64, request: Request, safe: bool) -> Option<(InstanceId, Reply)> {
        let owners = self.owners(cx, key);
        let asked = Cell::new(0);
        loop {
            let targets = Copies {
                client: self,
                cx,
                owners: &owners,
                asked: &asked,
            };
            owners.get(asked.get())?;
            let reply = self.caller.call_to(cx, targets, &request, safe, None).await;
            let node = owners.get(asked.get().saturating_sub(1))?;
            match reply.outcome {
                Err(Failure { reason, at }) if at == node && asked.get() < owners.len() && may_go_on(reason, safe) => {
                    cx.emit(Event::Retried {
                        reason,
                        at,
                        later: cx.is_in_background(),
                    });
                }
                _ => return Some((node, reply)),
            }
        }
    }
}

/// Whether another node may be asked after one has failed: nothing was done, or it does no harm to do it twice.
fn may_go_on(reason: Reason, safe: bool) -> bool {
    match reason {
        Reason::Refused => true,
        Reason::Reset | Reason::TimedOut => safe,
        _ => false,
    }
}

/// The copy that an answer to a read is worth keeping as.
fn copy_of(reply: &Reply) -> Option<RowCopy> {
    match reply.outcome {
        Ok(Answer::Row(status)) => RowCopy::of(status),
        _ => None,
    }
}

/// What a row is after a write that was done.
fn written(reply: &Reply, operation: Operation) -> Option<RowCopy> {
    match reply.outcome {
        Ok(Answer::Row(Status::Written { version, by })) => Some(RowCopy {
            version,
            by,
            exists: operation != Operation::Delete,
        }),
        _ => None,
    }
}

impl Targets for Copies<'_> {
    type Stay = ();

    fn next(&mut self, _: u32) -> Option<InstanceId> {
        let next = self.owners.get(self.asked.get())?;
        self.asked.set(self.asked.get() + 1);
        Some(next)
    }

    fn any_left(&self) -> bool {
        self.asked.get() < self.owners.len()
    }

    fn begin(&self, to: InstanceId) {
        self.client.resting.begin(to, self.cx.now());
    }

    fn ended(&self, to: InstanceId, result: &Result<Reply, CallError>) {
        let failure = result.as_ref().err().map(|error| Reason::from(*error));
        self.client.resting.judge(self.cx, to, failure, Loss::Shared);
    }
}
