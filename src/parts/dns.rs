//! The authoritative name server, run by a third party.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::observe::System;
use crate::protocol::{Answer, Reason, Reply, Request};
use crate::sim::{Cx, InstanceId, Software};

/// What the name server knows: where the domain lives.
#[derive(Debug)]
pub struct Zone {
    /// The public addresses of the domain: its A records, given out in turn.
    pub addresses: RefCell<Vec<InstanceId>>,
    /// Whose turn it is.
    pub turn: Cell<usize>,
    /// How long a resolver may keep an answer.
    pub ttl: Duration,
}

/// The name server.
pub struct Dns {
    zone: Rc<Zone>,
}

impl Dns {
    /// A name server for this zone.
    pub fn new(zone: Rc<Zone>) -> Dns {
        Dns { zone }
    }
}

impl Software<System> for Dns {
    async fn serve(self: Rc<Self>, cx: Cx<System>, _: Request) -> Reply {
        let addresses = self.zone.addresses.borrow();
        let turn = self.zone.turn.get();
        self.zone.turn.set(turn.wrapping_add(1));
        match addresses.get(turn % addresses.len().max(1)) {
            Some(to) => Reply::answer(Answer::Address {
                to: *to,
                ttl: self.zone.ttl,
            }),
            None => Reply::failure(Reason::DnsFailure, cx.id()),
        }
    }
}
