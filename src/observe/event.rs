//! What services report: only what needs an order across machines. The rest they count themselves.

use crate::protocol::{Reason, Reply, Request};
use crate::sim::{InstanceId, Wire};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}
