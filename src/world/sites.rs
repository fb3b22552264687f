//! Data centers as a whole: where users are sent, and evacuations.

use std::fmt::Write as _;

use crate::command::Selector;
use crate::layout::printable;
use crate::observe::{LinkKind, Severity, SiteState};

use super::World;
use super::apply::{Done, done, refuse};
use super::discover::refresh_zone;
use super::entries::Role;
use super::select::{Target, targets};

/// Sends the users of data centers elsewhere.
pub(super) fn evacuate(world: &mut World, target: &Selector) -> Done {
    let named = sites(world, target)?;
    let name = printable(&target.0);
    let closed: Vec<usize> = named
        .iter()
        .copied()
        .filter(|site| world.entries[*site].is_none())
        .collect();
    if closed.len() == named.len() {
        return refuse(format!("{name} has no entry point: no users are sent there"));
    }
    let hit: Vec<usize> = named
        .iter()
        .copied()
        .filter(|site| !closed.contains(site) && !world.grounds[*site].evacuated)
        .collect();
    if hit.is_empty() {
        return refuse(format!("{name} is evacuated already; `reopen {name}` takes it back"));
    }
    let stays = |site: usize| world.entries[site].is_some() && !world.grounds[site].evacuated && !hit.contains(&site);
    if !(0..world.sites.len()).any(stays) {
        return refuse(format!(
            "{name} can't be evacuated: there is no other data center that users could be sent to"
        ));
    }
    for site in hit {
        world.grounds[site].evacuated = true;
        world.grounds[site].leaving = Some(world.now());
    }
    refresh_zone(world, true);
    let ttl = ttl(world);
    let mut text = format!("evacuating {name}: who still holds its address comes for {ttl} more");
    let staying = asking_for(world, &named);
    if !staying.is_empty() {
        let _ = write!(text, "; {} ask for it by its own name and stay", staying.join(", "));
    }
    Ok(done(world, Severity::Info, text))
}

/// The populations that ask for one of these data centers by a name of its own.
fn asking_for(world: &World, sites: &[usize]) -> Vec<String> {
    let populations = world.services.iter().filter_map(|entry| match &entry.role {
        Role::Users { name, .. } if *name > 0 && sites.contains(&(*name as usize - 1)) => Some(entry.name.clone()),
        _ => None,
    });
    populations.collect()
}

/// Takes evacuations back.
pub(super) fn reopen(world: &mut World, target: &Selector) -> Done {
    let named = sites(world, target)?;
    let name = printable(&target.0);
    let hit: Vec<usize> = named
        .into_iter()
        .filter(|site| world.grounds[*site].evacuated)
        .collect();
    if hit.is_empty() {
        return refuse(format!("{name} is not evacuated"));
    }
    open(world, &hit);
    Ok(done(world, Severity::Good, format!("reopened {name}")))
}

/// Takes the evacuation of these data centers back. False when none was evacuated.
pub(super) fn open(world: &mut World, sites: &[usize]) -> bool {
    let mut changed = false;
    for site in sites {
        changed |= std::mem::take(&mut world.grounds[*site].evacuated);
        world.grounds[*site].leaving = None;
    }
    if changed {
        refresh_zone(world, true);
    }
    changed
}

/// The data centers that a selector names, whole ones only.
fn sites(world: &World, target: &Selector) -> Result<Vec<usize>, crate::command::CommandError> {
    let mut sites = Vec::new();
    for target in targets(world, target)? {
        if let Target::Site(site) = target {
            sites.push(site);
        }
    }
    if sites.is_empty() {
        return refuse(format!("{} is no data center", printable(&target.0)));
    }
    Ok(sites)
}

/// How long the answers of the name service may be kept, in words.
fn ttl(world: &World) -> String {
    let zone = world.services.iter().find_map(|entry| match &entry.role {
        Role::Dns { zone, .. } => Some(zone.ttl.get()),
        _ => None,
    });
    crate::layout::duration::format(zone.unwrap_or_default())
}

impl World {
    /// The data centers, as in the topology.
    pub(super) fn site_states(&self) -> Vec<SiteState> {
        let arrives = |site: usize| -> f64 {
            let entry = self.entries[site];
            let from_outside = self.topology.links.iter().filter(|link| {
                let outside = matches!(self.services[link.from].role, Role::Users { .. } | Role::Cdn { .. });
                outside && Some(link.to) == entry && link.kind == LinkKind::Requests
            });
            from_outside.fold(0.0, |sum, link| sum + self.link_rate(link))
        };
        let rates: Vec<f64> = (0..self.sites.len()).map(arrives).collect();
        let sum: f64 = rates.iter().sum();
        let states = rates.iter().enumerate().map(|(site, rate)| SiteState {
            rate: *rate,
            share: if sum > 0.0 { rate / sum } else { 0.0 },
            evacuated: self.grounds[site].evacuated,
            believed_up: self.entries[site].is_none_or(|entry| {
                let mut addresses = self.services[entry].present();
                addresses.any(|(_, instance)| self.believed_up(instance.id))
            }),
        });
        states.collect()
    }
}
