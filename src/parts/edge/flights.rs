//! Fetches in progress: those who miss the same object wait for one of them (request coalescing).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::observe::{CacheProbe, System};
use crate::protocol::Failure;
use crate::sim::{Cx, Signal};

use super::objects::{Name, Object};

/// How a fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has not.
    UnderWay,
    /// It was given up: the next one fetches.
    GivenUp,
    /// It brought what everybody may have.
    Found(Object),
    /// It brought what is for nobody else: everybody fetches for themselves.
    Private,
    /// It failed for all.
    Failed(Failure),
}

/// A fetch that others may wait for.
pub(super) struct Flight {
    name: Name,
    landed: Signal,
    outcome: Cell<Outcome>,
}

/// Fetches of one object.
struct Loads {
    count: u32,
    /// The first of them.
    flight: Rc<Flight>,
}

/// Fetches in progress, by the hash of what is fetched. Each belongs to a handler or a task, so there are no more than these.
#[derive(Default)]
pub(super) struct Flights(RefCell<FxHashMap<u64, Loads>>);

impl Flights {
    /// The fetch of an object that is in progress.
    pub(super) fn under_way(&self, name: &Name) -> Option<Rc<Flight>> {
        let loads = self.0.borrow();
        let flight = &loads.get(&name.hash())?.flight;
        let open = flight.name == *name && flight.outcome.get() == Outcome::UnderWay;
        open.then(|| Rc::clone(flight))
    }

    /// Begins a fetch, which ends when the guard is dropped, at the latest. The first one of an object is the one that others wait for.
    pub(super) fn begin<'a>(&'a self, cx: &'a Cx<System>, name: Name, probe: &CacheProbe) -> Fetching<'a> {
        let flight = Rc::new(Flight {
            name,
            landed: Signal::default(),
            outcome: Cell::new(Outcome::UnderWay),
        });
        let mut all = self.0.borrow_mut();
        let loads = all.entry(name.hash()).or_insert_with(|| Loads {
            count: 0,
            flight: Rc::clone(&flight),
        });
        if loads.flight.outcome.get() != Outcome::UnderWay {
            loads.flight = Rc::clone(&flight);
        }
        loads.count += 1;
        probe.loading(loads.count);
        Fetching {
            flights: self,
            cx,
            flight,
        }
    }
}

impl Flight {
    /// Waits for the end.
    pub(super) async fn end(&self, cx: &Cx<System>) -> Outcome {
        while self.outcome.get() == Outcome::UnderWay {
            self.landed.wait(cx).await;
        }
        self.outcome.get()
    }
}

/// A fetch in progress. However it ends, those who wait for it go on.
pub(super) struct Fetching<'a> {
    flights: &'a Flights,
    cx: &'a Cx<System>,
    flight: Rc<Flight>,
}

impl Fetching<'_> {
    /// Ends it.
    pub(super) fn end(self, outcome: Outcome) {
        self.flight.outcome.set(outcome);
    }
}

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        if self.flight.outcome.get() == Outcome::UnderWay {
            self.flight.outcome.set(Outcome::GivenUp);
        }
        let mut all = self.flights.0.borrow_mut();
        let hash = self.flight.name.hash();
        if let Some(loads) = all.get_mut(&hash) {
            loads.count -= 1;
            if loads.count == 0 {
                all.remove(&hash);
            }
        }
        self.flight.landed.raise(self.cx);
    }
}
