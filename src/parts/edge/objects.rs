//! What an edge holds: whole answers, each for as long as it may be kept, and a while longer for hard times.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::layout::Cdn;
use crate::observe::CacheProbe;
use crate::protocol::{Ask, Format, Http, Status};
use crate::sim::{InstanceId, SimTime, mix};

use super::super::common::eviction::Store;

/// What an answer is kept under: the method and the address, and what it varies by (RFC 9111, section 4.1). A static file is the same in
/// every form; a page is one document for browsers and another one for apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    file: bool,
    key: u64,
    format: Format,
    /// The version that the name of a file tells; 0 if it tells none.
    edition: u32,
}

/// An answer that may be shown to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) name: Name,
    pub(super) status: Status,
    /// The server that made it.
    pub(super) by: InstanceId,
    /// Until when it is fresh, wherever its age began.
    pub(super) until: SimTime,
    pub(super) bytes: u32,
    /// It was counted as expired.
    pub(super) expired: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is fresh.
    Fresh(Object),
    /// Its time is over, and it may still be shown while it is fetched anew.
    Stale(Object),
    /// Nothing that may be shown.
    Nothing,
}

/// The objects of an edge.
pub(super) struct Objects {
    store: RefCell<Store<Object>>,
    probe: Rc<CacheProbe>,
    /// Evictions that were counted.
    evicted: Cell<u64>,
}

impl Name {
    /// What a request asks for.
    pub(super) fn of(http: &Http) -> Name {
        let file = http.ask == Ask::Asset;
        Name {
            file,
            key: http.key,
            format: if file { Format::Html } else { http.format },
            edition: http.edition,
        }
    }

    /// The key of the store. Names that meet at one are told apart by a look at the object.
    pub(super) fn hash(&self) -> u64 {
        let kind = u64::from(self.edition) << 2 | u64::from(self.file) << 1 | self.format as u64;
        mix(self.key ^ mix(kind.wrapping_add(1)))
    }
}

impl Objects {
    /// Nothing yet.
    pub(super) fn new(spec: &Cdn, seed: u64, probe: Rc<CacheProbe>) -> Objects {
        probe.hold(0, 0);
        Objects {
            store: RefCell::new(Store::new(spec.evict, spec.room, seed)),
            probe,
            evicted: Cell::new(0),
        }
    }

    /// Looks for what may be shown now. What will never be shown again goes.
    pub(super) fn find(&self, name: &Name, now: SimTime, spec: &Cdn) -> Found {
        let mut store = self.store.borrow_mut();
        let Some(object) = store.get(name.hash()).filter(|object| object.name == *name) else {
            return Found::Nothing;
        };
        if now < object.until {
            return Found::Fresh(*object);
        }
        if !object.expired {
            object.expired = true;
            self.probe.count(|tally| tally.expired += 1);
        }
        let object = *object;
        if now < object.until + spec.stale_while_revalidate {
            return Found::Stale(object);
        }
        if now >= object.until + spec.stale_if_error {
            store.remove(name.hash());
            drop(store);
            self.show();
        }
        Found::Nothing
    }

    /// What may be shown since nothing better is to be had.
    pub(super) fn find_old(&self, name: &Name, now: SimTime, most: Duration) -> Option<Object> {
        let store = self.store.borrow();
        let object = store.peek(name.hash()).filter(|object| object.name == *name)?;
        (now < object.until + most).then_some(*object)
    }

    /// Keeps an object, if it may be shown now or in hard times, and if there is room for it.
    pub(super) fn keep(&self, object: Object, now: SimTime, spec: &Cdn) {
        let grace = spec.stale_while_revalidate.max(spec.stale_if_error);
        if now >= object.until + grace {
            return;
        }
        let kept = self.store.borrow_mut().put(object.name.hash(), object.bytes, object);
        self.probe.count(|tally| tally.stored += u64::from(kept));
        self.show();
    }

    /// Forgets the page and the file of a number, in all forms and versions, or all.
    pub(super) fn purge(&self, key: Option<u64>) {
        let gone = {
            let mut store = self.store.borrow_mut();
            if let Some(key) = key {
                store.retain(|_, object| object.name.key != key)
            } else {
                let all = store.len();
                store.clear();
                all
            }
        };
        self.probe.count(|tally| tally.invalidated += gone);
        self.show();
    }

    /// The time of all that is held is over. It stays, for hard times.
    pub(super) fn expire(&self, now: SimTime) {
        self.store
            .borrow_mut()
            .update(|object| object.until = object.until.min(now));
    }

    /// Settings have changed.
    pub(super) fn retune(&self, spec: &Cdn) {
        {
            let mut store = self.store.borrow_mut();
            store.set_evict(spec.evict);
            store.set_room(spec.room);
        }
        self.show();
    }

    fn show(&self) {
        let store = self.store.borrow();
        let gone = store.evicted() - self.evicted.replace(store.evicted());
        self.probe.count(|tally| tally.evicted += gone);
        self.probe.hold(store.len(), store.bytes());
    }
}

/// What was held is gone with the process.
impl Drop for Objects {
    fn drop(&mut self) {
        self.probe.hold(0, 0);
    }
}
