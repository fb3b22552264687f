//! The map of one data center alone, with the users and the edges around it: what is seen after going into one.

use crate::observe::{Kind, ServiceInfo, Topology};

/// The topology with this data center alone: what stands in others has no place.
pub fn within(topology: &Topology, site: usize) -> Topology {
    let hidden = |service: &ServiceInfo| service.site.is_some_and(|other| other != site);
    let mut alone = topology.clone();
    for service in alone.services.iter_mut().filter(|service| hidden(service)) {
        service.kind = Kind::Removed;
        service.site = None;
        service.instances.clear();
    }
    alone
}
