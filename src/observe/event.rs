//! What services report: only what needs an order across machines. The rest they count themselves.

use crate::protocol::{Reason, Reply, Request};
use crate::sim::{InstanceId, SimTime, Wire};

/// The vocabulary of a world: requests and replies from `protocol`, events from here.
pub struct System;

impl Wire for System {
    type Request = Request;
    type Reply = Reply;
    type Event = Event;

    fn fingerprint(request: &Request) -> u64 {
        request.fingerprint()
    }

    fn succeeded(reply: &Reply) -> bool {
        reply.outcome.is_ok()
    }
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A user's request failed.
    Failed {
        /// Why.
        reason: Reason,
        /// Where it arose.
        at: InstanceId,
    },
    /// A request is tried again elsewhere.
    Retried {
        /// Why.
        reason: Reason,
        /// Where it arose.
        at: InstanceId,
    },
    /// A user was told that a write is done.
    Acknowledged {
        /// The row.
        key: u64,
        /// The version that was written.
        version: u64,
        /// The instance that holds it.
        by: InstanceId,
    },
    /// A balancer believes no longer that a server is up.
    TakenOut {
        /// The server.
        backend: InstanceId,
        /// Checks in a row that failed.
        failed: u32,
        /// Why the last one failed.
        reason: Reason,
    },
    /// A balancer believes again that a server is up.
    TakenIn {
        /// The server.
        backend: InstanceId,
        /// Checks in a row that passed.
        passed: u32,
    },
    /// A balancer ejected a server that fails real requests.
    Ejected {
        /// The server.
        backend: InstanceId,
        /// Requests in a row that broke.
        failed: u32,
        /// Why the last one broke.
        reason: Reason,
        /// Until when.
        until: SimTime,
    },
    /// The time of an ejected server is over.
    Returned {
        /// The server.
        backend: InstanceId,
    },
    /// A balancer of a pair took the address.
    TookOver {
        /// The other one of the pair.
        from: InstanceId,
    },
    /// A circuit breaker changed its state.
    Breaker {
        /// Whom it guards the calls to.
        to: InstanceId,
        /// What it is now.
        state: Circuit,
    },
    /// A user who was signed in was found not to be: the session is lost.
    SignedOut {
        /// Who held it: a server or a store.
        holder: InstanceId,
        /// Since when.
        since: SimTime,
    },
    /// An autoscaler wants another number of machines.
    Scaled(Decision),
}

/// What an autoscaler decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Machines that there were, booting ones among them.
    pub from: u32,
    /// Machines that there are to be.
    pub to: u32,
    /// What was measured: a share of the cores, or requests a second of each machine.
    pub measured: f64,
    /// What it is to be.
    pub target: f64,
    /// What limited it.
    pub limit: Limit,
}

/// What limited a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing.
    None,
    /// The least number of machines.
    Min,
    /// The largest number of machines.
    Max,
    /// The pace: no more than twice as many, or four more, in 15 s.
    Pace,
    /// The window: more was wanted a while ago, or less.
    Window,
}

/// The state of a circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Circuit {
    /// Calls pass.
    #[default]
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass, to find out.
    HalfOpen,
}
