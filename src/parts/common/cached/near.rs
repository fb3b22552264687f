//! Near copies: what was asked for last, in the memory of whoever makes pages.

use std::cell::RefCell;
use std::rc::Rc;

use crate::layout::{Evict, Near, Room};
use crate::observe::CacheProbe;
use crate::parts::common::eviction::Store;
use crate::protocol::{Http, RowCopy, Stamp};
use crate::sim::SimTime;

use super::tier::Tier;

/// The near copies of one web server, or of all instances of a function together: a function's memory is modelled as one. They are gone with the
/// process.
pub(super) struct NearCopies {
    tier: Rc<Tier>,
    store: RefCell<Store<Kept>>,
    probe: Rc<CacheProbe>,
}

/// They are gone with the process.
impl Drop for NearCopies {
    fn drop(&mut self) {
        self.probe.hold(0, 0);
    }
}

/// A near copy.
struct Kept {
    copy: RowCopy,
    until: SimTime,
}

impl NearCopies {
    pub(super) fn new(tier: Rc<Tier>, probe: Rc<CacheProbe>) -> NearCopies {
        let items = tier.spec.borrow().near.unwrap_or_default().items;
        probe.hold(0, 0);
        NearCopies {
            tier,
            store: RefCell::new(Store::new(Evict::Lru, Room::Items(items.into()), 0)),
            probe,
        }
    }

    fn settings(&self) -> Option<Near> {
        self.tier.spec.borrow().near
    }

    /// Settings have changed. What fits into the new room stays.
    pub(super) fn retune(&self) {
        let near = self.settings();
        self.change(|store| match near {
            Some(near) => store.set_room(Room::Items(near.items.into())),
            None => store.clear(),
        });
    }

    /// The copy of the row that a page shows, if there is one that is young enough and no older than this version.
    pub(super) fn find(&self, now: SimTime, http: &Http, least: Stamp) -> Option<RowCopy> {
        self.settings()?;
        let key = http.key;
        let (expired, found) = self.change(|store| {
            let expired = store.peek(key).is_some_and(|kept| kept.until <= now);
            if expired {
                store.remove(key);
            }
            (expired, store.get(key).map(|kept| kept.copy))
        });
        let found = found.filter(|copy| copy.version >= least);
        self.probe.count(|tally| {
            tally.lookups += 1;
            tally.expired += u64::from(expired);
            if let Some(copy) = found {
                tally.hits += 1;
                tally.negative_hits += u64::from(!copy.exists);
                tally.served_bytes += u64::from(http.row);
                tally.hit_bytes += u64::from(http.row);
            }
        });
        found
    }

    /// What is behind was asked, since nothing was found here.
    pub(super) fn loaded(&self, bytes: u32, failed: bool) {
        if self.settings().is_some() {
            self.probe.count(|tally| {
                tally.loads += 1;
                tally.failed_loads += u64::from(failed);
                tally.served_bytes += if failed { 0 } else { u64::from(bytes) };
            });
        }
    }

    /// Keeps a copy. That there is no such row is kept only where the tier keeps that too, and no longer than there.
    pub(super) fn keep(&self, now: SimTime, key: u64, bytes: u32, copy: RowCopy) {
        let Some(near) = self.settings() else { return };
        let ttl = if copy.exists {
            near.ttl
        } else {
            match self.tier.spec.borrow().negative {
                Some(negative) => negative.min(near.ttl),
                None => return self.forget(key),
            }
        };
        let until = now + ttl;
        if self.change(|store| store.put(key, bytes, Kept { copy, until })) {
            self.probe.count(|tally| tally.stored += 1);
        }
    }

    /// A row was written from here: if there is a copy it is replaced.
    pub(super) fn update(&self, now: SimTime, key: u64, bytes: u32, copy: RowCopy) {
        let held = self.store.borrow().peek(key).is_some();
        if held {
            self.keep(now, key, bytes, copy);
        }
    }

    fn forget(&self, key: u64) {
        if self.change(|store| store.remove(key)).is_some() {
            self.probe.count(|tally| tally.invalidated += 1);
        }
    }

    /// Forgets one row, or all.
    pub(super) fn purge(&self, key: Option<u64>) {
        if let Some(key) = key {
            return self.forget(key);
        }
        let held = self.store.borrow().len();
        self.change(Store::clear);
        self.probe.count(|tally| tally.invalidated += held);
    }

    /// Changes what is held, and shows how much that is.
    fn change<T>(&self, change: impl FnOnce(&mut Store<Kept>) -> T) -> T {
        let mut store = self.store.borrow_mut();
        let before = store.evicted();
        let result = change(&mut store);
        let evicted = store.evicted() - before;
        if evicted > 0 {
            self.probe.count(|tally| tally.evicted += evicted);
        }
        self.probe.hold(store.len(), store.bytes());
        result
    }
}
