//! Service discovery: who hears of instances that come and go.

use std::cell::Cell;
use std::rc::Rc;

use crate::layout::{Pair, Routing};
use crate::parts::{Door, Steering, Way, Zone};
use crate::protocol::{Layer, Request};
use crate::sim::{InstanceId, SimTime};

use super::World;
use super::entries::{Role, ServiceEntry};

/// Whether users connect to this service.
pub(super) fn is_entry(world: &World, service: usize) -> bool {
    world.entries.contains(&Some(service))
}

/// The addresses under which users reach a service: that of each instance, or the one that a pair shares.
pub(super) fn addresses(entry: &ServiceEntry) -> Vec<InstanceId> {
    let all = entry.serving().map(|(_, instance)| instance.id);
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
        .serving()
        .map(|(number, instance)| (instance.id, format!("{}/{}", entry.name, number + 1)))
        .collect();
    let ids: Vec<InstanceId> = entry.staying().map(|(_, instance)| instance.id).collect();
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

/// Name 0 and that of static files lead to all edges and data centers, the others to one data center each.
pub(super) fn refresh_zone(world: &mut World, live: bool) {
    let by_site: Vec<Vec<InstanceId>> = world
        .entries
        .iter()
        .map(|entry| entry.map_or_else(Vec::new, |entry| addresses(&world.services[entry])))
        .collect();
    let evacuated = |site: usize| world.grounds[site].evacuated;
    let open = |site: usize| world.entries[site].is_some() && !evacuated(site);
    let anywhere = (0..by_site.len()).any(open);
    let with_entry = (0..by_site.len()).filter(|site| world.entries[*site].is_some());
    for (origin, site) in world.origins.iter().zip(with_entry) {
        if evacuated(site) && anywhere {
            origin.borrow_mut().clear();
        } else {
            origin.borrow_mut().clone_from(&by_site[site]);
        }
    }
    let edges = world.services.iter().filter(|entry| is_cdn(entry));
    let edges = edges.flat_map(|cdn| cdn.instances.iter().map(|edge| edge.id));
    let mut names: Vec<Vec<InstanceId>> = vec![edges.chain(by_site.concat()).collect()];
    names.extend(by_site.iter().cloned());
    let zone = world.services.iter().find_map(|entry| match &entry.role {
        Role::Dns { zone, .. } => Some((Rc::clone(zone), entry.instances.first().map(|instance| instance.id))),
        _ => None,
    });
    let Some((zone, dns)) = zone else { return };
    if zone.files.is_some() {
        names.push(names[0].clone());
    }
    let steering = steering(world, &zone, &by_site);
    *zone.names.borrow_mut() = names;
    *zone.steering.borrow_mut() = steering;
    let resolvers = world.services.iter().filter_map(|entry| match &entry.role {
        Role::Users { resolver, .. } => Some(world.services[*resolver].front.get()),
        _ => None,
    });
    *zone.resolvers.borrow_mut() = resolvers.collect();
    if let Some(dns) = dns.filter(|_| live) {
        world.kernel.cast(dns, Request::Retune);
    }
}

fn is_cdn(entry: &ServiceEntry) -> bool {
    matches!(entry.role, Role::Cdn { layer: Layer::Edge, .. })
}

/// By population: the CDNs and data centers as seen from its resolver. What was measured so far is kept.
fn steering(world: &World, zone: &Zone, by_site: &[Vec<InstanceId>]) -> Vec<Steering> {
    let before = zone.steering.borrow();
    let routing = zone.routing.borrow();
    let mut steering = Vec::new();
    for entry in &world.services {
        let Role::Users { number, .. } = &entry.role else {
            continue;
        };
        let number = *number as usize;
        let orders = world.geography.edges[number].iter();
        let cdns = world.services.iter().filter(|entry| is_cdn(entry));
        let ways = cdns.zip(orders).filter_map(|(cdn, order)| match &cdn.role {
            Role::Cdn { spec, .. } => Some(Way {
                spec: Rc::clone(spec),
                edges: order
                    .iter()
                    .map(|edge| cdn.instances.get(*edge).map(|edge| edge.id))
                    .collect::<Option<_>>()?,
            }),
            _ => None,
        });
        let measured = |site: usize| {
            let doors = before.get(number).map(|steering| steering.doors.iter());
            let door = doors.into_iter().flatten().find(|door| door.site == site);
            door.map(|door| door.round_trip.get())
        };
        let sites = world.entries.iter().enumerate().filter(|(_, entry)| entry.is_some());
        let doors = sites.map(|(site, _)| {
            let distance = world.geography.sites[number][site];
            let name = world.sites[site].as_str();
            let weight = match &*routing {
                Routing::Weighted(weights) => weights.get(name).copied().unwrap_or_default(),
                _ => 1.0,
            };
            let rank = match &*routing {
                Routing::Failover(order) => order
                    .iter()
                    .position(|known| known == name)
                    .unwrap_or(order.len() + site),
                _ => site,
            };
            Door {
                site,
                addresses: by_site[site].clone(),
                km: distance.km,
                round_trip: Cell::new(measured(site).unwrap_or(distance.round_trip)),
                weight,
                rank,
                evacuated: world.grounds[site].evacuated,
            }
        });
        steering.push(Steering {
            ways: ways.collect(),
            doors: doors.collect(),
        });
    }
    steering
}

/// Tells those who use a cache of its nodes.
fn refresh_tier(world: &World, service: usize) {
    let entry = &world.services[service];
    if let Role::Cache { tier, probes, .. } = &entry.role {
        let nodes = entry.serving();
        let shown = nodes.map(|(number, instance)| (instance.id, Rc::clone(&probes[number])));
        tier.set_nodes(shown.collect());
    }
}

/// Tells the balancers of a pair of each other, and of those who route to their address.
pub(super) fn join_pair(world: &World, service: usize) {
    let entry = &world.services[service];
    let Role::LoadBalancer { members, .. } = &entry.role else {
        return;
    };
    let Pair::Floating { .. } = members.spec.borrow().pair else {
        return;
    };
    let routes = |entry: &&ServiceEntry| {
        matches!(
            entry.role,
            Role::Users { .. } | Role::Resolver { .. } | Role::Dns { .. } | Role::Cdn { .. }
        )
    };
    let told = world.services.iter().filter(routes);
    let told = told.flat_map(|entry| entry.instances.iter().map(|instance| instance.id));
    let balancers: Vec<InstanceId> = entry.instances.iter().map(|instance| instance.id).collect();
    members.floating.address.set(balancers.first().copied());
    *members.floating.balancers.borrow_mut() = balancers;
    *members.floating.routers.borrow_mut() = told.collect();
}
