//! Services that come, go and are connected while the world runs: from the layout as it was to the layout as it is to be.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::command::{Command, Selector};
use crate::layout::{Layout, Publish, Service, Sessions, Style, autoscaler_of, monitor_of, printable};
use crate::observe::Severity;

use super::apply::{Done, dependants, done, open_incident, refuse};
use super::build::{foreign, plan, resolve, settle};
use super::caches::join_cache;
use super::databases::{Register, found_databases, join_database};
use super::discover::{join_pair, refresh_members, refresh_zone};
use super::entries::{Edge, Role, ServiceEntry};
use super::inject::can_roll_out;
use super::queues::join_queue;
use super::rollout::{cost, roll_out};
use super::roster::{list_monitors, list_service, role_of};
use super::sample::{refresh_health, widen_links};
use super::settings::{full, vacant};
use super::software::{boot_time, factory};
use super::view::refresh_topology;
use super::{World, databases, links, queues};

/// Commands that are remembered since no layout can say them.
const MOST_UNKEPT: usize = 1_000;
/// Behind the name of what was removed: nothing that is there is called so.
const REMOVED: &str = " (removed)";

/// What differs between two layouts, as far as commands can change it.
struct Change {
    /// Data center and name.
    added: Vec<(usize, String)>,
    /// Services of the world.
    removed: Vec<usize>,
}

/// Adds, removes, connects or disconnects services.
pub(super) fn edit(world: &mut World, command: &Command) -> Done {
    let Some(layout) = command.edited(&world.layout)? else {
        return refuse("it changes nothing");
    };
    let doors = |layout: &Layout| {
        let centers = layout.data_centers.values();
        centers.map(|center| center.entry().is_some()).collect::<Vec<_>>()
    };
    if doors(&layout) != doors(&world.layout) {
        return refuse("users must be able to reach the same data centers as before: change that in the layout file");
    }
    let change = change(world, &layout);
    let more: usize = change
        .added
        .iter()
        .map(|(site, name)| layout.data_centers[&world.sites[*site]].services[name].own_machines() as usize)
        .sum();
    if more > vacant(world) {
        return refuse(full());
    }
    let restarted = restarted(world, &layout);
    if !can_roll_out(world, &restarted) {
        return refuse("too much goes on: `mend all` ends all of it");
    }
    let said = said(world, &layout, command);
    become_layout(world, layout, &change);
    follow(world, command, &said);
    let costs: Vec<String> = restarted.iter().filter_map(|service| cost(world, *service)).collect();
    for service in restarted {
        roll_out(world, service);
    }
    refresh_health(world);
    let said = std::iter::once(said).chain(costs).collect::<Vec<String>>();
    Ok(done(world, Severity::Info, said.join("; ")))
}

/// Lets the layout say what a command has set.
pub(super) fn keep(world: &mut World, command: &Command) {
    let is_setting = matches!(
        command,
        Command::Scale(..)
            | Command::Resize(..)
            | Command::Balance(..)
            | Command::Set(..)
            | Command::Replicate(_)
            | Command::Shard(_)
    );
    if !is_setting {
        return;
    }
    if let Ok(Some(layout)) = command.edited(&world.layout) {
        world.layout = layout;
    } else if world.unkept.len() < MOST_UNKEPT {
        Arc::make_mut(&mut world.unkept).push(command.to_string());
    }
    refresh_topology(world);
}

/// What is done to balancers takes effect at once, without a rollout: an incident tells what it costs until all that is called is up.
fn follow(world: &mut World, command: &Command, said: &str) {
    let hit = match command {
        Command::Add(place, _) => place,
        Command::Connect(_, to) => to,
        _ => return,
    };
    let is = |entry: &ServiceEntry| entry.selector == hit.0 || entry.full == hit.0;
    let Some(service) = world.services.iter().position(is) else {
        return;
    };
    let asked = world.entries.contains(&Some(service))
        || world
            .services
            .iter()
            .any(|entry| matches!(&entry.role, Role::LoadBalancer { edge, .. } if edge.to == service));
    if asked {
        let targets = world.services[service].present().map(|(_, one)| one.id).collect();
        let upstream = dependants(world, vec![service]);
        let name = world.services[service].selector.clone();
        open_incident(world, said, &name, targets, upstream);
    }
}

fn said(world: &World, layout: &Layout, command: &Command) -> String {
    let name = |selector: &Selector| printable(&selector.0);
    match command {
        Command::Add(place, service) => {
            let kind = service.split('(').next().unwrap_or_default();
            let added = name(place);
            let is = |site: &str, name: &str| added == name || added == format!("{site}/{name}");
            let mut sites = layout.data_centers.iter();
            if sites.any(|(site, center)| center.entry().is_some_and(|(entry, _)| is(site, entry))) {
                format!("added {added}, a {kind}: it boots, and is where users come in from now on")
            } else {
                format!("added {added}, a {kind}: it boots, and is called once something is connected with it")
            }
        }
        Command::Remove(target) => format!("removed {}, with all that it held", name(target)),
        Command::Connect(from, to) => {
            let instead = command.replaces(&world.layout);
            let instead = instead.map_or(String::new(), |instead| format!(" in place of {instead}"));
            format!("{} calls {}{instead}", name(from), name(to))
        }
        Command::Disconnect(from, to) => format!("{} calls {} no more", name(from), name(to)),
        other => other.to_string(),
    }
}

fn change(world: &World, layout: &Layout) -> Change {
    let mut change = Change {
        added: Vec::new(),
        removed: Vec::new(),
    };
    for (site, name) in world.sites.iter().enumerate() {
        let (before, now) = (
            &world.layout.data_centers[name].services,
            &layout.data_centers[name].services,
        );
        let new = now.keys().filter(|name| !before.contains_key(*name));
        change.added.extend(new.map(|name| (site, name.clone())));
        let mut gone: BTreeSet<String> = BTreeSet::new();
        for name in before.keys().filter(|name| !now.contains_key(*name)) {
            gone.extend([name.clone(), autoscaler_of(name), monitor_of(name)]);
        }
        let services = world.services.iter().enumerate();
        let removed = services.filter(|(_, entry)| {
            entry.site == Some(site) && gone.contains(&entry.name) && !matches!(entry.role, Role::Removed { .. })
        });
        change.removed.extend(removed.map(|(service, _)| service));
    }
    change
}

/// The services whose machines have to be restarted to call what they are to call. What is only offered to them, such as one more session store, is known
/// from their next start on.
fn restarted(world: &World, layout: &Layout) -> Vec<usize> {
    let services = world.services.iter().enumerate();
    let changed = services.filter(|(_, entry)| {
        let Some((before, now)) = spec(world, &world.layout, entry).zip(spec(world, layout, entry)) else {
            return false;
        };
        called(before) != called(now)
            || matches!(now, Service::Cache(cache) if cache.strategy.loads_through()
                && behind(&world.layout, world, entry) != behind(layout, world, entry))
            || matches!(now, Service::Queue(queue) if queue.style == Style::Log
                && readers(&world.layout, world, entry) != readers(layout, world, entry))
    });
    changed.map(|(service, _)| service).collect()
}

fn spec<'a>(world: &World, layout: &'a Layout, entry: &ServiceEntry) -> Option<&'a Service> {
    if matches!(entry.role, Role::Removed { .. }) {
        return None;
    }
    let site = world.sites.get(entry.site?)?;
    layout.data_centers.get(site)?.services.get(&entry.name)
}

/// Whom its processes know from their start. A balancer is told of its servers while it runs, and where sessions are can be changed live.
fn called(service: &Service) -> Vec<&str> {
    match service {
        Service::Web(_) | Service::Serverless(_) => service.pages().map_or_else(Vec::new, |pages| {
            let uploads = pages.publish.as_ref().map(|publish| &publish.to);
            let store = match &pages.sessions {
                Sessions::Store(store) => Some(store),
                _ => None,
            };
            let all = [pages.database.as_ref(), pages.cache.as_ref(), uploads, store];
            all.into_iter().map(|name| name.map_or("", String::as_str)).collect()
        }),
        Service::Consumer(spec) => vec![spec.of.as_str(), spec.database.as_deref().unwrap_or_default()],
        Service::Queue(spec) => vec![spec.dead_letter.as_deref().unwrap_or_default()],
        _ => Vec::new(),
    }
}

/// The databases behind a cache.
fn behind<'a>(layout: &'a Layout, world: &World, entry: &ServiceEntry) -> BTreeSet<&'a str> {
    let site = entry.site.and_then(|site| layout.data_centers.get(&world.sites[site]));
    site.map_or_else(BTreeSet::new, |site| site.databases_behind(&entry.name))
}

/// The workers that read a log.
fn readers<'a>(layout: &'a Layout, world: &World, entry: &'a ServiceEntry) -> Vec<&'a str> {
    let site = entry.site.and_then(|site| layout.data_centers.get(&world.sites[site]));
    site.map_or_else(Vec::new, |site| {
        site.consumers_of(&entry.name).map(|(name, _)| name).collect()
    })
}

fn become_layout(world: &mut World, layout: Layout, change: &Change) {
    for service in &change.removed {
        remove(world, *service);
    }
    let first = (world.services.len(), world.databases.len());
    let mut register = Register::default();
    for (site, name) in &change.added {
        list_service(world, &layout, &mut register, (*site, name));
        list_monitors(world, &layout, &mut register, *site, |of| of == name);
    }
    if world.kernel.network().groups() < world.services.len() {
        world.kernel.network().set_groups(2 * world.services.len());
    }
    for service in 0..first.0 {
        adopt(world, &layout, service);
    }
    resolve(world, &layout);
    lead_to_entries(world);
    let old = std::mem::replace(&mut world.layout, layout);
    for service in first.0..world.services.len() {
        populate(world, service);
    }
    found_databases(world, first.1);
    for service in first.0..world.services.len() {
        join_cache(world, service);
        join_queue(world, service);
        join_pair(world, service);
    }
    for service in 0..first.0 {
        reinstall(world, &old, service);
    }
    widen_links(world, first.0);
    for service in 0..world.services.len() {
        refresh_members(world, service);
    }
    refresh_zone(world, true);
    refresh_topology(world);
}

/// Its machines answer what they hold and leave; nobody sees them any more. What is on its disks and in its memory is given up.
fn remove(world: &mut World, service: usize) {
    let now = world.now();
    let present: Vec<(usize, usize)> = world.services[service]
        .present()
        .map(|(number, _)| (service, number))
        .collect();
    let entry = &mut world.services[service];
    for instance in entry.instances.iter_mut().filter(|instance| !instance.left) {
        instance.draining.get_or_insert(now);
    }
    queues::drain(world, service);
    if let Role::Queue { .. } = world.services[service].role {
        queues::lose(world, &present, true);
    }
    let entry = &mut world.services[service];
    let (drain, workers) = match &entry.role {
        Role::Web { spec, .. } => (spec.borrow().drain, Vec::new()),
        Role::Consumer { spec, probes, .. } => (spec.borrow().drain, probes.clone()),
        _ => (Duration::ZERO, Vec::new()),
    };
    entry.role = Role::Removed { drain, workers };
    // Another one may come by the same name.
    entry.full.push_str(REMOVED);
    entry.name.push_str(REMOVED);
    entry.selector.push_str(REMOVED);
    entry.watch = super::caches::Watch::default();
    entry.watched = queues::Watched::default();
    entry.rate = 0.0;
    entry.bill.per_hour = 0.0;
    for (_, number) in present {
        let machine = &world.machines[world.services[service].instances[number].machine];
        if !machine.host {
            world.machine_names.remove(&machine.full);
        }
    }
    let mut emptied = Vec::new();
    for (number, database) in world.databases.iter_mut().enumerate() {
        let before = database.services.len();
        database.services.retain(|known| *known != service);
        if database.services.is_empty() && before > 0 {
            emptied.push(number);
        }
    }
    databases::audit(world, &emptied);
}

/// Puts instances on machines, and starts them.
fn populate(world: &mut World, service: usize) {
    let entry = &world.services[service];
    let site = entry.site.and_then(|site| world.sites.get(site)).cloned();
    let center = site.and_then(|site| world.layout.data_centers.get(&site)).cloned();
    let spec = center
        .as_ref()
        .and_then(|center| Some((center, center.services.get(&entry.name)?)));
    let planned = match spec {
        Some((center, spec)) => (1..=spec.instances())
            .map(|number| plan(world, service, number, spec, center))
            .collect(),
        None => foreign(service, entry),
    };
    for instance in planned {
        settle(world, instance);
    }
    join_database(world, service);
    let boot = boot_time(&world.services[service].role);
    let ids: Vec<_> = world.services[service].instances.iter().map(|one| one.id).collect();
    for id in ids {
        links::welcome(world, service, id);
        world.kernel.start(id, boot);
    }
}

/// Takes from the layout whom a service calls. How it treats those whom it called before stays as it is.
fn adopt(world: &mut World, layout: &Layout, service: usize) {
    let entry = &world.services[service];
    let Some(spec) = spec(world, layout, entry).cloned() else {
        return;
    };
    let Some(center) = entry.site.map(|site| &layout.data_centers[&world.sites[site]]) else {
        return;
    };
    if matches!(spec, Service::Database(_)) {
        return;
    }
    let moved = world.layout.data_centers[&world.sites[entry.site.unwrap_or_default()]]
        .services
        .get(&entry.name)
        .is_none_or(|before| before.pages().map(|pages| &pages.sessions) != spec.pages().map(|pages| &pages.sessions));
    let mut planned = role_of(&spec, &entry.name, center);
    let entry = &mut world.services[service];
    match (&mut entry.role, &mut planned) {
        (
            Role::LoadBalancer { edge, members, .. },
            Role::LoadBalancer {
                edge: new,
                members: wanted,
                ..
            },
        ) => {
            edge.name.clone_from(&new.name);
            members.spec.borrow_mut().to.clone_from(&wanted.spec.borrow().to);
        }
        (
            Role::Web {
                edges,
                sessions,
                publish,
                spec,
                ..
            },
            Role::Web {
                edges: new,
                sessions: wanted,
                publish: uploads,
                spec: now,
                ..
            },
        ) => {
            let wanted = wanted.borrow().clone();
            adopt_pages((edges, sessions, publish), (new, moved.then_some(wanted), uploads));
            spec.borrow_mut().pages.clone_from(&now.borrow().pages);
        }
        (
            Role::Serverless {
                edges,
                sessions,
                publish,
                spec,
                ..
            },
            Role::Serverless {
                edges: new,
                sessions: wanted,
                publish: uploads,
                spec: now,
                ..
            },
        ) => {
            let wanted = wanted.borrow().clone();
            adopt_pages((edges, sessions, publish), (new, moved.then_some(wanted), uploads));
            spec.borrow_mut().pages.clone_from(&now.borrow().pages);
        }
        (Role::Cache { edges, .. }, Role::Cache { edges: new, .. }) => keep_known(edges, new),
        (
            Role::Queue { edges, spec, .. },
            Role::Queue {
                edges: new, spec: now, ..
            },
        ) => {
            keep_known(edges, new);
            spec.borrow_mut().dead_letter.clone_from(&now.borrow().dead_letter);
        }
        (
            Role::Consumer { edges, spec, .. },
            Role::Consumer {
                edges: new, spec: now, ..
            },
        ) => {
            keep_known(edges, new);
            let (mut spec, now) = (spec.borrow_mut(), now.borrow());
            spec.of.clone_from(&now.of);
            spec.database.clone_from(&now.database);
        }
        _ => {}
    }
}

/// Whom those call who make pages, and where sessions are if that has changed.
fn adopt_pages(
    (edges, sessions, publish): (&mut Vec<Edge>, &RefCell<Sessions>, &mut Uploads),
    (new, moved, uploads): (&mut Vec<Edge>, Option<Sessions>, &mut Uploads),
) {
    keep_known(edges, new);
    if let Some(moved) = moved {
        *sessions.borrow_mut() = moved;
    }
    adopt_publish(publish, uploads);
}

/// The new edges, with the old ones in the place of those of the same name: their settings and their books go on.
fn keep_known(edges: &mut Vec<Edge>, new: &mut Vec<Edge>) {
    let mut before = std::mem::take(edges);
    for edge in new.drain(..) {
        let known = before.iter().position(|old| old.name == edge.name);
        edges.push(known.map_or(edge, |place| before.swap_remove(place)));
    }
}

type Uploads = Option<Rc<RefCell<Publish>>>;

fn adopt_publish(publish: &mut Uploads, wanted: &mut Uploads) {
    match (publish.as_ref(), wanted.as_ref()) {
        (Some(now), Some(wanted)) => now.borrow_mut().to.clone_from(&wanted.borrow().to),
        _ => *publish = wanted.take(),
    }
}

/// Other software from the next start on, if it is to know others.
fn reinstall(world: &mut World, old: &Layout, service: usize) {
    let entry = &world.services[service];
    let Some((before, now)) = spec(world, old, entry).zip(spec(world, &world.layout, entry)) else {
        return;
    };
    let offered = |service: &Service| {
        service
            .pages()
            .map(|pages| pages.calls.keys().cloned().collect::<Vec<_>>())
    };
    let same = called(before) == called(now)
        && offered(before) == offered(now)
        && behind(old, world, entry) == behind(&world.layout, world, entry)
        && readers(old, world, entry) == readers(&world.layout, world, entry);
    if same {
        return;
    }
    for number in 0..world.services[service].instances.len() {
        let id = world.services[service].instances[number].id;
        let software = factory(world, service, number);
        world.kernel.reinstall(id, software);
    }
    join_queue(world, service);
}

/// CDNs call the entry points, whichever those are now.
fn lead_to_entries(world: &mut World) {
    let entries: Vec<(String, usize)> = world
        .entries
        .iter()
        .flatten()
        .map(|entry| (world.services[*entry].full.clone(), *entry))
        .collect();
    for service in &mut world.services {
        let Role::Cdn { shield, edges, .. } = &mut service.role else {
            continue;
        };
        let to_origins = edges.iter_mut().skip(usize::from(shield.is_some()));
        for (edge, (name, entry)) in to_origins.zip(&entries) {
            edge.name.clone_from(name);
            edge.to = *entry;
        }
    }
}

impl World {
    /// What is set, by service, in a form to compare: for tests of what a layout says of a world that has changed.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let services = self.services.iter();
        let there = services.filter(|entry| !matches!(entry.role, Role::Removed { .. }));
        there.map(|entry| (entry.full.clone(), self.set_of(entry))).collect()
    }

    fn set_of(&self, entry: &ServiceEntry) -> String {
        let own = match &entry.role {
            Role::Users { throttle, .. } => format!("{:?} {:?}", throttle.hot.get(), throttle.asks.get()),
            Role::Dns { zone, .. } => {
                let (ttl, health, routing) = (zone.ttl.get(), zone.health.get(), zone.routing.borrow());
                format!("{ttl:?} {health:?} {routing:?} {}", zone.origin_fallback.get())
            }
            Role::LoadBalancer { members, .. } => format!("{:?}", members.spec.borrow()),
            Role::Web { spec, publish, .. } => {
                let spec = spec.borrow();
                format!("{:?} {:?} {:?}", spec.rate_limit, spec.shed, publish)
            }
            Role::Serverless { publish, .. } => format!("{publish:?}"),
            Role::Database { cluster, .. } => format!("{:?}", cluster.spec.borrow()),
            Role::Cache { tier, .. } => format!("{:?}", tier.spec.borrow()),
            Role::Cdn { spec, .. } => format!("{:?}", spec.borrow()),
            Role::Queue { spec, .. } => format!("{:?}", spec.borrow()),
            Role::Consumer { spec, .. } => {
                let spec = spec.borrow();
                format!(
                    "{} {:?} {} {:?}",
                    spec.prefetch, spec.delivery, spec.fails, spec.database
                )
            }
            Role::Autoscaler { fleet, .. } => format!("{:?}", fleet.spec.borrow()),
            Role::Resolver { .. } | Role::SessionStore { .. } | Role::Monitor { .. } | Role::Removed { .. } => {
                String::new()
            }
        };
        let sessions = entry.sessions().map(|sessions| sessions.borrow().clone());
        // How a store is treated that holds nobody's sessions says nothing.
        let used = |edge: &&Edge| match &self.services[edge.to].role {
            Role::SessionStore { .. } => sessions == Some(Sessions::Store(edge.name.clone())),
            _ => true,
        };
        let calls = entry.edges().iter().filter(used);
        let calls: BTreeMap<&str, String> = calls
            .map(|edge| (edge.name.as_str(), format!("{:?}", edge.policy.borrow())))
            .collect();
        format!("{own} {sessions:?} {calls:?}")
    }
}
