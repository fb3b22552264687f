//! Service discovery: who hears of instances that come and go.

use crate::layout::Pair;
use crate::protocol::Request;
use crate::sim::{InstanceId, SimTime};

use super::World;
use super::entries::{Role, ServiceEntry};

/// Whether users connect to this service.
pub(super) fn is_entry(world: &World, service: usize) -> bool {
    world.entries.contains(&Some(service))
}

/// The addresses under which users reach a service: that of each instance, or the one that a pair shares.
fn addresses(entry: &ServiceEntry) -> Vec<InstanceId> {
    let all = entry.staying().map(|(_, instance)| instance.id);
    match &entry.role {
        Role::LoadBalancer { members, .. } if matches!(members.spec.borrow().pair, Pair::Floating { .. }) => {
            all.take(1).collect()
        }
        _ => all.collect(),
    }
}

/// Tells balancers, DNS and autoscalers which instances of a service there are; live, each is told that something has changed.
pub(super) fn refresh_members(world: &mut World, service: usize) {
    let live = world.kernel.now() > SimTime::ZERO;
    if is_entry(world, service) {
        refresh_zone(world, live);
    }
    super::databases::refresh_clients(world);
    let entry = &world.services[service];
    let members: Vec<(InstanceId, String)> = entry
        .staying()
        .map(|(number, instance)| (instance.id, format!("{}/{}", entry.name, number + 1)))
        .collect();
    let ids: Vec<InstanceId> = members.iter().map(|(id, _)| *id).collect();
    let mut told = Vec::new();
    for entry in &world.services {
        match &entry.role {
            Role::LoadBalancer {
                edge, members: known, ..
            } if edge.to == service => {
                let weights = &known.spec.borrow().weights;
                let weighed = members
                    .iter()
                    .map(|(id, name)| (*id, weights.get(name).copied().unwrap_or(1.0)));
                *known.servers.borrow_mut() = weighed.collect();
                told.extend(entry.instances.iter().map(|instance| instance.id));
            }
            Role::Autoscaler { of, fleet, .. } if *of == service => fleet.members.borrow_mut().clone_from(&ids),
            _ => {}
        }
    }
    for id in told.into_iter().filter(|_| live) {
        world.kernel.cast(id, Request::Retune);
    }
}

/// Name 0 leads to all data centers, the others to one each.
fn refresh_zone(world: &mut World, live: bool) {
    let by_site: Vec<Vec<InstanceId>> = world
        .entries
        .iter()
        .map(|entry| entry.map_or_else(Vec::new, |entry| addresses(&world.services[entry])))
        .collect();
    let mut names = vec![by_site.concat()];
    names.extend(by_site);
    let mut told = None;
    for entry in &world.services {
        if let Role::Dns { zone, .. } = &entry.role {
            zone.names.borrow_mut().clone_from(&names);
            told = entry.instances.first().map(|instance| instance.id);
        }
    }
    if let Some(dns) = told.filter(|_| live) {
        world.kernel.cast(dns, Request::Retune);
    }
}

/// Tells the balancers of a pair of each other, and of those who route to their address.
pub(super) fn join_pairs(world: &World) {
    let routers: Vec<InstanceId> = world
        .services
        .iter()
        .filter(|entry| matches!(entry.role, Role::Users { .. } | Role::Dns { .. }))
        .flat_map(|entry| entry.instances.iter().map(|instance| instance.id))
        .collect();
    for entry in &world.services {
        let Role::LoadBalancer { members, .. } = &entry.role else {
            continue;
        };
        if let Pair::Floating { .. } = members.spec.borrow().pair {
            let balancers: Vec<InstanceId> = entry.instances.iter().map(|instance| instance.id).collect();
            members.floating.address.set(balancers.first().copied());
            *members.floating.balancers.borrow_mut() = balancers;
            members.floating.routers.borrow_mut().clone_from(&routers);
        }
    }
}
