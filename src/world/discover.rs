//! Service discovery: who hears of instances that come and go.

use std::rc::Rc;

use crate::layout::Pair;
use crate::parts::{Steering, Way};
use crate::protocol::{Layer, Request};
use crate::sim::{InstanceId, SimTime};

use super::World;
use super::entries::{Role, ServiceEntry};
use super::places::nearest;

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
    refresh_tier(world, service);
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
    let with_entry = world.entries.iter().zip(&by_site).filter(|(entry, _)| entry.is_some());
    for (origin, (_, addresses)) in world.origins.iter().zip(with_entry) {
        origin.borrow_mut().clone_from(addresses);
    }
    let mut names = vec![by_site.concat()];
    names.extend(by_site);
    let steering = steering(world, &mut names);
    let mut told = None;
    let mut steering = Some(steering);
    for entry in &world.services {
        if let Role::Dns { zone, .. } = &entry.role {
            zone.names.borrow_mut().clone_from(&names);
            *zone.steering.borrow_mut() = steering.take().unwrap_or_default();
            told = entry.instances.first().map(|instance| instance.id);
        }
    }
    if let Some(dns) = told.filter(|_| live) {
        world.kernel.cast(dns, Request::Retune);
    }
}

/// Where there are CDNs each population has a name of its own, which leads to all edges and to the data centers.
fn steering(world: &World, names: &mut Vec<Vec<InstanceId>>) -> Vec<Option<Steering>> {
    let is_cdn = |entry: &&ServiceEntry| matches!(entry.role, Role::Cdn { layer: Layer::Edge, .. });
    let cdns: Vec<&ServiceEntry> = world.services.iter().filter(is_cdn).collect();
    if cdns.is_empty() {
        return Vec::new();
    }
    let mut steering: Vec<Option<Steering>> = names.iter().map(|_| None).collect();
    let origin = names[0].clone();
    for entry in &world.services {
        let Role::Users { spec, number, .. } = &entry.role else {
            continue;
        };
        let ways = cdns.iter().filter_map(|cdn| match &cdn.role {
            Role::Cdn { spec: settings, .. } => {
                let mut edges: Vec<InstanceId> = cdn.instances.iter().map(|edge| edge.id).collect();
                let first = nearest(&settings.borrow().edges, spec.edge.as_deref(), *number as usize);
                edges.rotate_left(first);
                Some(Way {
                    spec: Rc::clone(settings),
                    edges,
                })
            }
            _ => None,
        });
        let ways: Vec<Way> = ways.collect();
        let edges = ways.iter().flat_map(|way| way.edges.iter().copied());
        names.push(edges.chain(origin.iter().copied()).collect());
        steering.push(Some(Steering {
            ways,
            origin: origin.clone(),
        }));
    }
    steering
}

/// Tells those who use a cache of its nodes.
fn refresh_tier(world: &World, service: usize) {
    let entry = &world.services[service];
    if let Role::Cache { tier, probes, .. } = &entry.role {
        let nodes = entry.staying();
        let shown = nodes.map(|(number, instance)| (instance.id, Rc::clone(&probes[number])));
        tier.set_nodes(shown.collect());
    }
}

/// Tells the balancers of a pair of each other, and of those who route to their address.
pub(super) fn join_pairs(world: &World) {
    let routers: Vec<InstanceId> = world
        .services
        .iter()
        .filter(|entry| matches!(entry.role, Role::Users { .. } | Role::Dns { .. } | Role::Cdn { .. }))
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
