//! A node of a cache tier: copies of rows in memory. It answers what it holds, and with some strategies asks the database by itself and takes
//! writes for it.

mod announced;
mod behind;
mod entries;
#[cfg(test)]
mod tests;
mod through;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::observe::{CacheProbe, System};
use crate::protocol::{Answer, CacheRequest, Cached, Reason, Reply, Request, RowCopy, Stamp};
use crate::sim::{Cx, Software};

use super::common::cached::Tier;
use super::common::demand::Demand;
use super::common::flights::Flights;
use super::common::purpose;
use super::common::router::Router;
use announced::Announced;
use behind::{Behind, Unwritten};
use entries::{Entries, Entry, Found, life};

/// How often entries are removed whose time is over and that nobody has asked for since, as the active expiry of Redis does bit by bit.
const SWEEP: Duration = Duration::from_secs(10);

/// A node of a cache tier.
pub struct Cache {
    tier: Rc<Tier>,
    work: Demand,
    database: Option<Rc<Router>>,
    probe: Rc<CacheProbe>,
    memory: Rc<Memory>,
    /// Loads of those who ask the database by themselves.
    announced: RefCell<Announced>,
    /// Loads of its own that are in progress, by row. Its slots, and the bound of those in the background, bound them.
    loading: RefCell<FxHashMap<u64, u32>>,
    flights: Flights<Reply>,
    /// Rows that it loads anew in the background.
    refreshing: RefCell<FxHashSet<u64>>,
    behind: Behind,
}

/// What a node holds: in memory, or if it is durable on its disk.
#[derive(Default)]
struct Memory {
    entries: RefCell<Option<Entries>>,
    unwritten: RefCell<Unwritten>,
}

/// A copy that was found.
#[derive(Clone, Copy, Debug)]
struct Hit {
    copy: RowCopy,
    /// It is to be loaded anew.
    refresh: bool,
}

impl Cache {
    /// A node that holds nothing, or what it finds on its disk. It can ask the database that it holds rows of, if there is one.
    pub fn new(cx: &Cx<System>, tier: Rc<Tier>, database: Option<Router>, probe: Rc<CacheProbe>) -> Cache {
        let (work, durable, evict, room) = {
            let spec = tier.spec.borrow();
            (Demand::new(spec.work), spec.durable, spec.evict, spec.room)
        };
        let memory = if durable { cx.disk::<Memory>() } else { Rc::default() };
        let seed = cx.stream("eviction").draw().0;
        let held = {
            let mut entries = memory.entries.borrow_mut();
            let entries = entries.get_or_insert_with(|| Entries::new(evict, room, seed));
            entries.retune(evict, room);
            entries.held()
        };
        probe.hold(held.0, held.1);
        memory.unwritten.borrow().show(&probe);
        Cache {
            tier,
            work,
            database: database.map(Rc::new),
            probe,
            memory,
            announced: RefCell::default(),
            loading: RefCell::default(),
            flights: Flights::default(),
            refreshing: RefCell::default(),
            behind: Behind::default(),
        }
    }

    async fn sweep(self: Rc<Self>, cx: Cx<System>) {
        loop {
            cx.sleep(SWEEP).await;
            let expired = self.change(|entries| entries.sweep(cx.now()));
            self.probe.count(|tally| tally.expired += expired);
        }
    }

    /// Changes what is held, and shows how much that is.
    fn change<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> T {
        let mut entries = self.memory.entries.borrow_mut();
        let entries = entries.as_mut().expect("a node that serves has its store");
        let before = entries.evicted();
        let result = change(entries);
        let evicted = entries.evicted() - before;
        if evicted > 0 {
            self.probe.count(|tally| tally.evicted += evicted);
        }
        let (count, bytes) = entries.held();
        self.probe.hold(count, bytes);
        result
    }

    /// Looks a row up: the last write that was taken for it, or a copy. An older one than `least` will not do.
    fn find(&self, cx: &Cx<System>, key: u64, least: Stamp) -> Option<Hit> {
        let found = self.change(|entries| entries.look(key, cx.now()));
        let taken = self.memory.unwritten.borrow().copy(key);
        let (hit, bytes) = match (taken, found) {
            (Some((copy, bytes)), _) => (Some(Hit { copy, refresh: false }), bytes),
            (None, Found::Entry(entry)) => {
                let refresh = self.is_due(cx, &entry);
                let copy = entry.copy;
                (Some(Hit { copy, refresh }), entry.bytes)
            }
            (None, Found::Expired | Found::Nothing) => (None, 0),
        };
        let hit = hit.filter(|hit| hit.copy.version >= least);
        self.probe.count(|tally| {
            tally.lookups += 1;
            tally.expired += u64::from(matches!(found, Found::Expired));
            if let Some(hit) = hit {
                tally.hits += 1;
                tally.negative_hits += u64::from(!hit.copy.exists);
                tally.served_bytes += u64::from(bytes);
                tally.hit_bytes += u64::from(bytes);
            }
        });
        hit
    }

    /// Whether an entry that was asked for is to be loaded anew before its time is over.
    fn is_due(&self, cx: &Cx<System>, entry: &Entry) -> bool {
        let (ahead, early) = {
            let spec = self.tier.spec.borrow();
            (spec.refresh_ahead, spec.early)
        };
        ahead.is_some_and(|share| entry.is_ripe(cx.now(), share))
            || early.is_some_and(|beta| entry.is_early(cx.now(), beta, cx.draw(purpose::EARLY_REFRESH)))
    }

    /// Keeps a copy, whatever is there: who stores knows nothing of what others have stored. That there is no such row is kept only if the
    /// settings say so; else what was held of it is forgotten. While a write of the row waits, that is what the node knows of it.
    fn store(&self, cx: &Cx<System>, (key, bytes): (u64, u32), copy: RowCopy, took: u64) {
        if self.memory.unwritten.borrow().has(key) {
            return;
        }
        self.keep(cx, (key, bytes), copy, took);
    }

    fn keep(&self, cx: &Cx<System>, (key, bytes): (u64, u32), copy: RowCopy, took: u64) {
        let (ttl, jitter) = {
            let spec = self.tier.spec.borrow();
            let ttl = if copy.exists { Some(spec.ttl) } else { spec.negative };
            (ttl, spec.jitter)
        };
        let Some(ttl) = ttl else {
            return self.forget(key);
        };
        let now = cx.now();
        let entry = Entry {
            copy,
            bytes,
            stored: now,
            until: now + life(ttl, jitter, cx.draw(purpose::CACHE_TTL)),
            took,
        };
        if self.change(|entries| entries.keep(key, entry)) {
            self.probe.count(|tally| tally.stored += 1);
        }
    }

    fn forget(&self, key: u64) {
        if self.change(|entries| entries.forget(key)) {
            self.probe.count(|tally| tally.invalidated += 1);
        }
    }

    /// Forgets the copy of a row, or all. Writes that wait for the database are no copies: they stay.
    fn purge(&self, key: Option<u64>) {
        if let Some(key) = key {
            return self.forget(key);
        }
        let held = self.change(Entries::clear);
        self.probe.count(|tally| tally.invalidated += held);
    }

    fn obey(&self, cx: &Cx<System>, request: CacheRequest) -> Answer {
        match request {
            CacheRequest::Get { key } => {
                if let Some(Hit { copy, refresh }) = self.find(cx, key, Stamp::ORIGINAL) {
                    return Answer::Cached(Cached::Hit { copy, refresh });
                }
                let shared = self.tier.spec.borrow().single_flight;
                let mut announced = self.announced.borrow_mut();
                if let Some(loads) = announced.begin(key, cx.from(), cx.now(), shared) {
                    self.probe.loading(loads);
                }
                Answer::Cached(Cached::Miss)
            }
            CacheRequest::Put { key, bytes, copy, took } => {
                self.announced.borrow_mut().end(key, cx.from());
                self.overtake(key, copy.version);
                self.store(cx, (key, bytes), copy, took);
                Answer::Fine
            }
            CacheRequest::Delete { key, version } => {
                self.overtake(key, version);
                self.forget(key);
                Answer::Fine
            }
            CacheRequest::Abandon { key } => {
                self.announced.borrow_mut().end(key, cx.from());
                Answer::Fine
            }
        }
    }

    fn retune(&self, cx: &Cx<System>) {
        let (evict, room) = {
            let spec = self.tier.spec.borrow();
            (spec.evict, spec.room)
        };
        self.change(|entries| entries.retune(evict, room));
        self.replan(cx);
        self.database.iter().for_each(|router| router.retune(cx));
    }
}

/// What was in memory is gone with the process.
impl Drop for Cache {
    fn drop(&mut self) {
        if !self.tier.spec.borrow().durable {
            self.probe.hold(0, 0);
        }
    }
}

impl Software<System> for Cache {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).sweep(cx.detached()));
        cx.spawn(Rc::clone(self).write_behind(cx.detached()));
    }

    // An `async fn` would keep its arguments twice in the memory of every handler: as they came, and as they are used.
    #[allow(
        clippy::manual_async_fn,
        reason = "many requests are under way, and all of them wait in memory"
    )]
    fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> impl Future<Output = Reply> + 'static {
        async move {
            match request {
                Request::Purge(key) => {
                    self.purge(key);
                    return Reply::answer(Answer::Fine);
                }
                Request::Expire => {
                    self.change(|entries| entries.expire(cx.now()));
                    return Reply::answer(Answer::Fine);
                }
                Request::Retune => {
                    self.retune(&cx);
                    return Reply::answer(Answer::Fine);
                }
                Request::Leads { shard, term } => {
                    if let Some(database) = &self.database {
                        database.hear(shard, cx.from(), term);
                    }
                    return Reply::answer(Answer::Fine);
                }
                _ => {}
            }
            let Ok(_slot) = cx.admit().await else {
                return Reply::failure(Reason::Overloaded, cx.id());
            };
            // A request of a user that looks something up and then stores it works twice, with a draw for each.
            let purpose = match request {
                Request::Cache(
                    CacheRequest::Put { .. } | CacheRequest::Delete { .. } | CacheRequest::Abandon { .. },
                ) => purpose::CACHE_CHANGE_WORK,
                _ => purpose::CACHE_WORK,
            };
            cx.work(self.work.sample(cx.draw(purpose), 1.0)).await;
            match request {
                Request::Cache(request) => Reply::answer(self.obey(&cx, request)),
                Request::Query(query) => Box::pin(self.query(&cx, query)).await,
                _ => Reply::answer(Answer::Fine),
            }
        }
    }
}
