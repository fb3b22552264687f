//! From a layout to machines, instances and the software on them.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::layout::{DataCenter, Layout, Replication, Service, Size};
use crate::observe::{Chronicle, Health, Topology};
use crate::parts::Site;
use crate::protocol::Layer;
use crate::sim::{Installation, InstanceId, Kernel, Place};

use super::World;
use super::caches::join_cache;
use super::databases::{found_databases, join_database};
use super::discover::{is_entry, join_pair, refresh_members};
use super::entries::{Ground, InstanceEntry, MachineEntry, Role, Sampled, ServiceEntry};
use super::places::{Geography, Places};
use super::queues::join_queue;
use super::roster::list_services;
use super::software::{add_probe, boot_time, factory, limits};

/// Cores of machines that are not ours: enough never to wait.
pub(super) const AMPLE_CORES: u32 = 1 << 16;

/// Builds a world.
pub(super) fn build(layout: &Layout, seed: u64) -> World {
    let sites: Vec<String> = layout.data_centers.keys().cloned().collect();
    let places = Places::new(layout);
    let grounds = layout.data_centers.values().enumerate().map(|(site, spec)| Ground {
        region: spec.region.clone(),
        place: places.site(site),
        zones: spec.zones,
        evacuated: false,
        leaving: None,
    });
    let mut world = World {
        kernel: Kernel::new(seed, places.network()),
        grounds: grounds.collect(),
        geography: Geography::new(&places),
        title: layout.title.clone(),
        about: layout.about.clone(),
        layout: layout.clone(),
        unkept: Arc::default(),
        entries: Vec::new(),
        site: Rc::new(Site::new(layout.content.clone())),
        trace: layout.trace.clone(),
        origins: Vec::new(),
        sites,
        services: Vec::new(),
        databases: Vec::new(),
        machines: Vec::new(),
        machine_names: BTreeMap::new(),
        places: Vec::new(),
        chronicle: Chronicle::default(),
        topology: Arc::new(Topology {
            title: String::new(),
            about: String::new(),
            version: 0,
            sites: Vec::new(),
            services: Vec::new(),
            links: Vec::new(),
            layout: layout.source.shared(),
            unkept: Arc::default(),
        }),
        next_step: 1,
        spent: 0.0,
        retried_sampled: 0,
        link_rates: Vec::new(),
        link_totals: Vec::new(),
        wanted: Vec::new(),
        commands: 0,
        agenda: super::agenda::Agenda::default(),
        chaos: None,
        pipes: 0,
    };
    list_services(&mut world, layout, &places);
    connect(&mut world, layout);
    let mut instances = first_instances(&world, layout);
    // By name, numbers as numbers: web/10 comes after web/9.
    instances.sort_by_cached_key(|planned| {
        let named = planned
            .machine
            .rsplit_once('/')
            .and_then(|(name, number)| Some((name, number.parse().ok()?)));
        let (name, number): (&str, u32) = named.unwrap_or((&planned.machine, 0));
        (name.to_owned(), number, planned.full.clone())
    });
    for instance in instances {
        settle(&mut world, instance);
    }
    for service in 0..world.services.len() {
        join_database(&mut world, service);
    }
    found_databases(&world, 0);
    for service in 0..world.services.len() {
        join_cache(&mut world, service);
        join_queue(&mut world, service);
    }
    for service in 0..world.services.len() {
        refresh_members(&mut world, service);
        join_pair(&world, service);
    }
    start_all(&mut world);
    super::view::refresh_topology(&mut world);
    world
}

/// Resolves the names by which services refer to each other.
fn connect(world: &mut World, layout: &Layout) {
    resolve(world, layout);
    let entries = world.entries.iter().flatten();
    world.origins = entries.map(|_| Rc::default()).collect();
}

/// Finds whom each service calls, within its own data center, and the entry points.
pub(super) fn resolve(world: &mut World, layout: &Layout) {
    let services = world.services.iter().enumerate();
    let index: BTreeMap<String, usize> = services
        .filter(|(_, service)| !matches!(service.role, Role::Removed { .. }))
        .map(|(index, service)| (service.full.clone(), index))
        .collect();
    let sites = world.sites.clone();
    for service in &mut world.services {
        if let Role::Cdn { edges, .. } = &mut service.role {
            for edge in edges {
                edge.to = index.get(&edge.name).copied().unwrap_or_default();
            }
        }
        let Some(site) = service.site else { continue };
        let find = |name: &str| {
            index
                .get(&format!("{}/{name}", sites[site]))
                .copied()
                .unwrap_or_default()
        };
        match &mut service.role {
            Role::LoadBalancer { edge, .. } => edge.to = find(&edge.name),
            Role::Web { edges, .. }
            | Role::Serverless { edges, .. }
            | Role::Cache { edges, .. }
            | Role::Queue { edges, .. }
            | Role::Consumer { edges, .. } => {
                for edge in edges {
                    edge.to = find(&edge.name);
                }
            }
            _ => {}
        }
    }
    join_tiers(world);
    world.entries = layout
        .data_centers
        .iter()
        .map(|(site, center)| {
            center
                .entry()
                .and_then(|(name, _)| index.get(&format!("{site}/{name}")).copied())
        })
        .collect();
}

/// Tells web tiers and functions of the cache that they ask.
fn join_tiers(world: &mut World) {
    for service in 0..world.services.len() {
        let tier = world.services[service].edges().iter().find_map(|edge| {
            let is_own = !edge.name.is_empty();
            match &world.services[edge.to].role {
                Role::Cache { tier, .. } if is_own => Some(Rc::clone(tier)),
                _ => None,
            }
        });
        if let Role::Web { near, .. } | Role::Serverless { near, .. } = &mut world.services[service].role {
            *near = tier;
        }
    }
}

/// An instance that is to be.
pub(super) struct Planned {
    pub service: usize,
    pub full: String,
    pub selector: String,
    pub machine: String,
    pub host: bool,
    pub size: Option<&'static Size>,
}

fn first_instances(world: &World, layout: &Layout) -> Vec<Planned> {
    let mut planned = Vec::new();
    for (index, service) in world.services.iter().enumerate() {
        let center = service
            .site
            .and_then(|site| layout.data_centers.get(&world.sites[site]));
        let Some((center, spec)) = center.and_then(|center| Some((center, center.services.get(&service.name)?))) else {
            planned.extend(foreign(index, service));
            continue;
        };
        for number in 1..=spec.instances() {
            planned.push(plan(world, index, number, spec, center));
        }
    }
    planned
}

/// What others run for us. Monitors are several.
pub(super) fn foreign(service: usize, entry: &ServiceEntry) -> Vec<Planned> {
    let one = |full: String, selector: String, machine: String| Planned {
        service,
        full,
        selector,
        machine,
        host: false,
        size: None,
    };
    match &entry.role {
        Role::Monitor { .. } | Role::Cdn { .. } => (1..=several(&entry.role))
            .map(|number| {
                let full = format!("{}/{number}", entry.full);
                one(full.clone(), instance_selector(entry, number), full)
            })
            .collect(),
        _ => vec![one(
            format!("{}/1", entry.full),
            entry.selector.clone(),
            entry.full.clone(),
        )],
    }
}

/// How many instances of a service others run for us.
fn several(role: &Role) -> u32 {
    match role {
        Role::Monitor { probes, .. } => probes.len() as u32,
        Role::Cdn { probes, .. } => probes.len() as u32,
        _ => 1,
    }
}

pub(super) fn plan(world: &World, service: usize, number: u32, spec: &Service, center: &DataCenter) -> Planned {
    let foreign = matches!(spec, Service::Serverless(_));
    let entry = &world.services[service];
    let full = format!("{}/{number}", entry.full);
    let host = spec.host().and_then(|name| Some((name, center.hosts.get(name)?)));
    let site = entry.site.map_or("", |site| world.sites[site].as_str());
    Planned {
        service,
        selector: instance_selector(entry, number),
        machine: host.map_or_else(|| full.clone(), |(name, _)| format!("{site}/{name}")),
        host: host.is_some(),
        size: Size::named(host.map_or(spec.size(), |(_, host)| host.size.as_str())).filter(|_| !foreign),
        full,
    }
}

/// Kinds with several machines number them; of the others there is one.
pub(super) fn instance_selector(service: &ServiceEntry, number: u32) -> String {
    let numbered = match &service.role {
        Role::Web { .. } | Role::Consumer { .. } | Role::Cache { .. } | Role::Cdn { layer: Layer::Edge, .. } => true,
        Role::LoadBalancer { probes, .. } => probes.len() > 1,
        Role::Monitor { probes, .. } => probes.len() > 1,
        Role::Database { nodes, cluster, .. } => {
            let spec = cluster.spec.borrow();
            nodes.len() > 1 || !matches!(spec.replication, Replication::None) || spec.sharding.is_some()
        }
        _ => false,
    };
    if numbered {
        format!("{}/{number}", service.selector)
    } else {
        service.selector.clone()
    }
}

/// Puts an instance on its machine, which is made if there is none of that name.
pub(super) fn settle(world: &mut World, planned: Planned) {
    let Planned {
        service,
        full,
        selector,
        machine,
        host,
        size,
    } = planned;
    let machine = match world.machine_names.get(&machine) {
        Some(index) => *index,
        None => add_machine(world, service, machine, (host, &selector), size),
    };
    let (slots, backlog) = limits(&world.services[service].role);
    let number = world.services[service].instances.len();
    add_probe(&mut world.services[service].role);
    let factory = factory(world, service, number);
    let group = world.services[service].group;
    let id = world.kernel.install(Installation {
        machine: world.machines[machine].id,
        group,
        slots,
        backlog,
        factory,
    });
    let entry = InstanceEntry {
        id,
        full,
        selector,
        machine,
        address: address(world, service, number),
        boot: boot_time(&world.services[service].role),
        meter: world.kernel.meter(id),
        draining: None,
        resting: false,
        left: false,
        health: Health::Up,
        since: world.kernel.now(),
        sampled: Sampled::default(),
    };
    if number == 0 {
        world.services[service].front.set(id);
    }
    world.places.push((service, number));
    world.services[service].instances.push(entry);
}

fn add_machine(
    world: &mut World,
    service: usize,
    full: String,
    (host, instance): (bool, &str),
    size: Option<&'static Size>,
) -> usize {
    let cores = size.map_or(AMPLE_CORES, |size| size.cores);
    let entry = &world.services[service];
    let home = entry.site;
    // The machines of a service stand in the zones of its data center in turn.
    let zone = home.map_or(0, |site| {
        entry.instances.len() as u16 % world.grounds[site].zones as u16
    });
    let place = match &entry.role {
        Role::Cdn { places, .. } => places[entry.instances.len()],
        _ => Place(entry.place.0 + zone),
    };
    let id = world.kernel.add_machine(&full, place, cores);
    let short = full.rsplit_once('/').map_or(full.as_str(), |(_, name)| name);
    let selector = match (host, world.sites.len()) {
        (false, _) => instance.to_owned(),
        (true, 1) => short.to_owned(),
        (true, _) => full.clone(),
    };
    let now = world.kernel.now();
    let index = world.machines.len();
    world.machine_names.insert(full.clone(), index);
    world.machines.push(MachineEntry {
        id,
        full,
        selector,
        host,
        site: home,
        zone: zone.into(),
        size,
        since: now,
        left: false,
        offered: (0.0, now),
    });
    index
}

/// Documentation addresses outside (RFC 5737), private ones inside (RFC 1918).
fn address(world: &World, service: usize, number: usize) -> String {
    let entry = &world.services[service];
    match entry.role {
        Role::Users { .. } | Role::Autoscaler { .. } => "-".to_owned(),
        Role::Dns { .. } => "198.51.100.53".to_owned(),
        Role::Resolver { .. } => format!("192.0.2.{}", 53 + service % 200),
        Role::Cdn { .. } => format!("192.0.2.{}", (100 + service * 8 + number) % 256),
        _ if is_entry(world, service) => format!("203.0.113.{}", (10 + service + number) % 256),
        _ => {
            let site = entry.site.unwrap_or_default();
            format!("10.{site}.{}.{}", (service + number / 250) % 256, 1 + number % 250)
        }
    }
}

/// At the beginning everything already runs.
fn start_all(world: &mut World) {
    for id in 0..world.places.len() as u32 {
        world.kernel.start(InstanceId(id), Duration::ZERO);
    }
}
