//! Where the name service sends each population, and why.

use crate::layout::{Routing, grouped};
use crate::observe::SentState;
use crate::parts::{Door, Zone};
use crate::sim::InstanceId;

use super::World;
use super::entries::{Role, ServiceEntry};

/// How a policy is called on screens.
pub(super) fn routing_name(routing: &Routing) -> &'static str {
    match routing {
        Routing::RoundRobin => "in turn",
        Routing::Geo => "geo",
        Routing::Latency => "latency",
        Routing::Weighted(_) => "weighted",
        Routing::Failover(_) => "failover",
    }
}

/// Where each population is sent now; nothing where there is only one data center to be sent to.
pub(super) fn sent(world: &World) -> Vec<SentState> {
    let zone = world.services.iter().find_map(|entry| match &entry.role {
        Role::Dns { zone, .. } => Some(zone),
        _ => None,
    });
    let Some(zone) = zone.filter(|_| world.entries.iter().flatten().count() > 1) else {
        return Vec::new();
    };
    let populations = world.services.iter().enumerate();
    let populations = populations.filter_map(|(users, entry)| match &entry.role {
        Role::Users { number, name, .. } => Some((users, *number, *name)),
        _ => None,
    });
    populations
        .map(|(users, number, name)| sent_state(world, zone, users, (number, name)))
        .collect()
}

fn sent_state(world: &World, zone: &Zone, users: usize, (number, name): (u32, u16)) -> SentState {
    let believed = |id: InstanceId| world.believed_up(id);
    let answer = zone.answer(name, number, 0, believed);
    let steering = zone.steering.borrow();
    let doors = steering
        .get(number as usize)
        .map_or(&[][..], |steering| &steering.doors[..]);
    let of_answer = |door: &&Door| answer.first().is_some_and(|first| door.addresses.contains(first));
    let Some(door) = doors.iter().find(of_answer) else {
        let why = if zone.misled.get() {
            "to an address where nobody is"
        } else if answer.is_empty() {
            "the name leads nowhere"
        } else {
            "to a CDN"
        };
        return SentState {
            users,
            site: None,
            why: why.to_owned(),
        };
    };
    if name != 0 {
        return SentState {
            users,
            site: Some(door.site),
            why: "they ask for it by its own name".to_owned(),
        };
    }
    let (routing, open) = (zone.routing.borrow(), |door: &Door| {
        !door.evacuated && door.addresses.iter().any(|address| believed(*address))
    });
    let site = (!matches!(&*routing, Routing::RoundRobin | Routing::Weighted(_))).then_some(door.site);
    SentState {
        users,
        site,
        why: why(world, &routing, doors, door, open),
    }
}

/// Why a population is sent through a door and not through another one.
fn why(world: &World, routing: &Routing, doors: &[Door], taken: &Door, open: impl Fn(&Door) -> bool) -> String {
    let name = |door: &Door| world.sites[door.site].as_str();
    let km = |door: &Door| format!("{} km", grouped(door.km.round() as u64));
    let millis = |door: &Door| format!("{:.0} ms", door.round_trip.get() as f64 / 1e6);
    let first = match routing {
        Routing::RoundRobin => return "each address in turn".to_owned(),
        Routing::Weighted(_) => return shares(doors, name, open),
        Routing::Geo => doors.iter().min_by(|a, b| a.km.total_cmp(&b.km)),
        Routing::Latency => doors.iter().min_by_key(|door| door.round_trip.get()),
        Routing::Failover(_) => doors.iter().min_by_key(|door| door.rank),
    };
    let Some(first) = first.filter(|first| first.site != taken.site) else {
        return match routing {
            Routing::Geo => format!("nearest, {}", km(taken)),
            Routing::Latency => format!("fastest, {}", millis(taken)),
            _ => "first in the order".to_owned(),
        };
    };
    let gone = if first.evacuated { "evacuated" } else { "left out" };
    let next = match routing {
        Routing::Geo => format!("next, {}", km(taken)),
        Routing::Latency => format!("next, {}", millis(taken)),
        _ => "next in the order".to_owned(),
    };
    format!("{} is {gone}; {next}", name(first))
}

/// The shares of the data centers that are open, by their weights.
fn shares<'a>(doors: &'a [Door], name: impl Fn(&'a Door) -> &'a str, open: impl Fn(&Door) -> bool) -> String {
    let open: Vec<&Door> = doors.iter().filter(|door| open(door) && door.weight > 0.0).collect();
    let sum: f64 = open.iter().map(|door| door.weight).sum();
    let shares = open
        .iter()
        .map(|door| format!("{} {:.0}%", name(door), 100.0 * door.weight / sum));
    format!("by weight: {}", shares.collect::<Vec<String>>().join(", "))
}

/// The data center that is a population's own: the one that it asks for by name, or the nearest of several where there are regions.
pub(super) fn home(world: &World, entry: &ServiceEntry) -> Option<usize> {
    let Role::Users { number, name, .. } = &entry.role else {
        return None;
    };
    if (1..=world.sites.len()).contains(&usize::from(*name)) {
        return Some(usize::from(*name) - 1);
    }
    let distances = world.geography.sites.get(*number as usize)?;
    let open = (0..distances.len()).filter(|site| world.entries[*site].is_some());
    let known = !world.geography.ways.is_empty();
    open.filter(|_| known)
        .min_by(|a, b| distances[*a].km.total_cmp(&distances[*b].km))
}
