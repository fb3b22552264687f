//! Single flight: those who want the same at the same time wait for one load and share what it brings (Go's `singleflight`).

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::observe::System;
use crate::sim::{Cx, Signal};

/// Loads in progress, by key. There are never more of them than handlers which load, so the slots of the service bound them.
pub struct Flights<T> {
    by_key: RefCell<FxHashMap<u64, Rc<Flight<T>>>>,
}

/// A load in progress.
struct Flight<T> {
    ended: Signal,
    outcome: RefCell<Option<T>>,
}

/// What becomes of one who wants something.
pub enum Turn<'a, T> {
    /// It loads. Those who come later wait until it has told what it found, or is dropped.
    Leads(Lead<'a, T>),
    /// Somebody else has loaded, and this came of it: a failure too is shared.
    Shares(T),
}

/// The part of the one who loads. However it ends, those who wait go on.
pub struct Lead<'a, T> {
    flights: &'a Flights<T>,
    flight: Rc<Flight<T>>,
    cx: &'a Cx<System>,
    key: u64,
}

impl<T> Default for Flights<T> {
    fn default() -> Flights<T> {
        Flights {
            by_key: RefCell::default(),
        }
    }
}

impl<T: Clone> Flights<T> {
    /// Joins the load of a key, or begins one. If whoever loads gives up, the first of those who wait loads in its place.
    pub async fn enter<'a>(&'a self, cx: &'a Cx<System>, key: u64) -> Turn<'a, T> {
        loop {
            let known = self.by_key.borrow().get(&key).map(Rc::clone);
            let Some(flight) = known else {
                return Turn::Leads(self.begin(cx, key));
            };
            flight.ended.wait(cx).await;
            let outcome = flight.outcome.borrow().clone();
            if let Some(outcome) = outcome {
                return Turn::Shares(outcome);
            }
        }
    }

    fn begin<'a>(&'a self, cx: &'a Cx<System>, key: u64) -> Lead<'a, T> {
        let flight = Rc::new(Flight {
            ended: Signal::default(),
            outcome: RefCell::default(),
        });
        self.by_key.borrow_mut().insert(key, Rc::clone(&flight));
        Lead {
            flights: self,
            flight,
            cx,
            key,
        }
    }
}

impl<T> Lead<'_, T> {
    /// Tells those who wait what came of it.
    pub fn end(self, outcome: T) {
        *self.flight.outcome.borrow_mut() = Some(outcome);
    }
}

impl<T> Drop for Lead<'_, T> {
    fn drop(&mut self) {
        self.flights.by_key.borrow_mut().remove(&self.key);
        self.flight.ended.raise(self.cx);
    }
}
