//! From a selector to what it names in this world.

use std::borrow::Cow;

use crate::command::{CommandError, LinkSelector, Selector, matches};
use crate::layout::{closest, printable};
use crate::sim::InstanceId;

use super::World;
use super::entries::Role;

/// Something that a selector can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Site(usize),
    /// A zone of a data center, from 0.
    Zone(usize, u32),
    Host(usize),
    Service(usize),
    Instance(usize, usize),
}

/// All that can be named, with its full name.
fn nameable(world: &World) -> Vec<(Cow<'_, str>, Target)> {
    let sites = world
        .sites
        .iter()
        .enumerate()
        .map(|(site, name)| (Cow::from(name), Target::Site(site)));
    let zones = world.grounds.iter().enumerate().flat_map(|(site, ground)| {
        let several = (0..ground.zones).filter(|_| ground.zones > 1);
        several.map(move |zone| {
            let name = format!("{}/zone-{}", world.sites[site], zone + 1);
            (Cow::from(name), Target::Zone(site, zone))
        })
    });
    let hosts = world.machines.iter().enumerate().filter(|(_, machine)| machine.host);
    let hosts = hosts.map(|(machine, entry)| (Cow::from(&entry.full), Target::Host(machine)));
    let services = world.services.iter().enumerate();
    let services = services.filter(|(_, entry)| !matches!(entry.role, Role::Removed { .. }));
    let services_named = services
        .clone()
        .map(|(service, entry)| (Cow::from(&entry.full), Target::Service(service)));
    let instances = services.flat_map(|(service, entry)| {
        entry
            .present()
            .map(move |(number, instance)| (Cow::from(&instance.full), Target::Instance(service, number)))
    });
    sites
        .chain(zones)
        .chain(hosts)
        .chain(services_named)
        .chain(instances)
        .collect()
}

/// What a selector names: one thing, or several if it has a `*`.
pub(super) fn targets(world: &World, selector: &Selector) -> Result<Vec<Target>, CommandError> {
    let all = nameable(world);
    let found: Vec<&(Cow<str>, Target)> = all.iter().filter(|(name, _)| matches(selector, name)).collect();
    if found.is_empty() {
        return Err(unknown(selector, &all));
    }
    if found.len() > 1 && !selector.0.contains('*') && !is_one_database(world, &found) {
        let names: Vec<String> = found.iter().map(|(name, _)| printable(name)).collect();
        let every = Selector(format!("*/{}", selector.0));
        let all_of_them = if found.iter().all(|(name, _)| matches(&every, name)) {
            format!("; for all of them write `{}`", printable(&every.0))
        } else {
            String::new()
        };
        return Err(CommandError(format!(
            "`{}` is ambiguous: it names {}{all_of_them}",
            printable(&selector.0),
            names.join(" and ")
        )));
    }
    Ok(found.into_iter().map(|(_, target)| *target).collect())
}

/// A database that spans data centers has a service in each of them, and one name.
fn is_one_database(world: &World, found: &[&(Cow<str>, Target)]) -> bool {
    let mut numbers = found.iter().map(|(_, target)| match target {
        Target::Service(service) => match &world.services[*service].role {
            Role::Database { database, .. } => Some(*database),
            _ => None,
        },
        _ => None,
    });
    let first = numbers.next().flatten();
    first.is_some() && numbers.all(|number| number == first)
}

fn unknown(selector: &Selector, all: &[(Cow<str>, Target)]) -> CommandError {
    let short = |name: &str| {
        name.split_once('/')
            .map_or(name.to_owned(), |(_, rest)| rest.to_owned())
    };
    let names: Vec<String> = all
        .iter()
        .flat_map(|(name, _)| [name.clone().into_owned(), short(name)])
        .collect();
    let meant = closest(&selector.0, names.iter().map(String::as_str));
    let meant = meant
        .map(|name| format!("; did you mean `{}`?", printable(name)))
        .unwrap_or_default();
    CommandError(format!("nothing here is called `{}`{meant}", printable(&selector.0)))
}

/// The instances that a selector hits, by service and place; users left out, except if they alone are named.
pub(super) fn instances(world: &World, selector: &Selector) -> Result<Vec<(usize, usize)>, CommandError> {
    let mut hit = Vec::new();
    for target in targets(world, selector)? {
        match target {
            Target::Instance(service, number) => hit.push((service, number)),
            Target::Service(service) => {
                hit.extend(world.services[service].present().map(|(number, _)| (service, number)));
            }
            Target::Host(machine) => hit.extend(on_machine(world, machine)),
            Target::Zone(site, zone) => hit.extend(in_zone(world, site, zone)),
            Target::Site(site) => {
                for (service, entry) in world
                    .services
                    .iter()
                    .enumerate()
                    .filter(|(_, entry)| entry.site == Some(site))
                {
                    hit.extend(entry.present().map(|(number, _)| (service, number)));
                }
            }
        }
    }
    hit.sort_unstable();
    hit.dedup();
    Ok(hit)
}

/// The instances on the machines of a zone.
fn in_zone(world: &World, site: usize, zone: u32) -> Vec<(usize, usize)> {
    let services = world
        .services
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.site == Some(site));
    let all = services.flat_map(|(service, entry)| {
        let here = entry
            .present()
            .filter(|(_, instance)| world.machines[instance.machine].zone == zone);
        here.map(move |(number, _)| (service, number)).collect::<Vec<_>>()
    });
    all.collect()
}

/// The instances on a machine.
pub(super) fn on_machine(world: &World, machine: usize) -> Vec<(usize, usize)> {
    let all = world.services.iter().enumerate();
    all.flat_map(|(service, entry)| {
        let here = entry.present().filter(move |(_, instance)| instance.machine == machine);
        here.map(move |(number, _)| (service, number))
    })
    .collect()
}

/// Sources and destinations, sorted.
pub(super) type Ends = (Vec<InstanceId>, Vec<InstanceId>);

/// The ends of links as instances, for each direction.
pub(super) fn link_ends(world: &World, link: &LinkSelector) -> Result<Vec<Ends>, CommandError> {
    let ids = |selector| -> Result<Vec<InstanceId>, CommandError> {
        let hit = instances(world, selector)?;
        let mut ids: Vec<InstanceId> = hit
            .into_iter()
            .map(|(service, number)| world.services[service].instances[number].id)
            .collect();
        ids.sort_unstable();
        Ok(ids)
    };
    let (from, to) = (ids(&link.from)?, ids(&link.to)?);
    if from == to {
        return Err(CommandError(format!(
            "`{}` names no link: both ends are the same",
            printable(&link.to_string())
        )));
    }
    let mut ends = vec![(from.clone(), to.clone())];
    if link.both {
        ends.push((to, from));
    }
    Ok(ends)
}
