//! Two balancers with one address: VRRP (RFC 9568) in short.

use std::cell::{Cell, RefCell};

use crate::observe::{Event, System};
use crate::protocol::Request;
use crate::sim::{Cx, InstanceId, SimTime};

/// What the two have in common. It is made when the world is built.
#[derive(Debug, Default)]
pub struct Floating {
    /// The address, by the first balancer, who holds it at first.
    pub address: Cell<Option<InstanceId>>,
    /// The balancers, the one with the highest priority first.
    pub balancers: RefCell<Vec<InstanceId>>,
    /// Those who route to the address: they hear who holds it.
    pub routers: RefCell<Vec<InstanceId>>,
}

impl Floating {
    /// The priority of a balancer: the first has the highest.
    pub fn priority(&self, id: InstanceId) -> u32 {
        let balancers = self.balancers.borrow();
        let place = balancers.iter().position(|balancer| *balancer == id);
        255 - place.unwrap_or(255).min(255) as u32
    }

    /// Tells the other one, and those who route to the address, who holds it.
    pub fn announce(&self, cx: &Cx<System>) {
        let priority = self.priority(cx.id());
        for other in self.balancers.borrow().iter().filter(|other| **other != cx.id()) {
            cx.cast(*other, Request::Advertise { priority });
        }
        let Some(address) = self.address.get() else { return };
        for router in self.routers.borrow().iter() {
            cx.cast(*router, Request::Claim { address });
        }
    }

    /// Reports that the address was taken over.
    pub fn report(&self, cx: &Cx<System>) {
        for other in self.balancers.borrow().iter().filter(|other| **other != cx.id()) {
            cx.emit(Event::TookOver { from: *other });
        }
    }
}

/// What one of the two knows of the other.
#[derive(Debug, Default)]
pub struct Watch {
    /// When it heard last of one with a higher priority.
    pub heard: Cell<SimTime>,
}
