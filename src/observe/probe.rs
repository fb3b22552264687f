//! What services show of themselves: cells that a service writes and the world reads between two windows.

use std::cell::{Cell, RefCell};

use crate::sim::{InstanceId, SimTime};

use super::frame::{Belief, Tally};
use super::latency::Latencies;

/// What a population shows.
#[derive(Default)]
pub struct UsersProbe {
    /// Its requests.
    pub tally: Cell<Tally>,
    /// Answers in HTML.
    pub html: Cell<u64>,
    /// Answers in JSON.
    pub json: Cell<u64>,
    /// Latency of its answered requests.
    pub latencies: RefCell<Latencies>,
    /// By resolver: until when it may use its answer.
    pub resolvers: RefCell<Vec<SimTime>>,
}

impl UsersProbe {
    /// Changes the tally.
    #[inline]
    pub fn count(&self, change: impl FnOnce(&mut Tally)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }
}

/// What a balancer shows: its view of its servers.
#[derive(Default)]
pub struct BalancerProbe {
    /// By server.
    pub backends: RefCell<Vec<BackendView>>,
}

/// A balancer's view of a server.
#[derive(Clone, Debug)]
pub struct BackendView {
    /// The server.
    pub id: InstanceId,
    /// What is believed of it.
    pub believed: Belief,
    /// It has never been checked: one passed check suffices.
    pub fresh: bool,
    /// Requests in progress there.
    pub in_flight: u32,
    /// Requests sent there since the start.
    pub sent: u64,
}

impl BackendView {
    /// Whether requests go there.
    pub fn is_up(&self) -> bool {
        matches!(self.believed, Belief::Up { .. })
    }
}

/// What a database shows.
#[derive(Debug, Default)]
pub struct DatabaseProbe {
    /// Reads answered.
    pub reads: Cell<u64>,
    /// Writes done.
    pub writes: Cell<u64>,
}
