//! From a layout to machines, instances and the software on them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::layout::{self, Autoscaler, DataCenter, Layout, Pages, Replication, Service, Size, monitor_of, shield_of};
use crate::observe::{Chronicle, Health, Topology};
use crate::parts::{Fleet, Floating, Members, Site, Throttle, Tier, Zone};
use crate::protocol::Layer;
use crate::sim::{Group, Installation, InstanceId, Kernel, Place};

use super::World;
use super::caches::{Watch, join_caches};
use super::databases::{Register, first_places, join_databases};
use super::discover::{is_entry, join_pairs, refresh_members};
use super::entries::{Bill, Edge, InstanceEntry, MachineEntry, Role, Sampled, Seen, ServiceEntry};
use super::places::Places;
use super::software::{boot_time, factory, limits};

/// Cores of machines that are not ours: enough never to wait.
pub(super) const AMPLE_CORES: u32 = 1 << 16;

/// Builds a world.
pub(super) fn build(layout: &Layout, seed: u64) -> World {
    let sites: Vec<String> = layout.data_centers.keys().cloned().collect();
    let mut world = World {
        kernel: Kernel::new(seed, Places::new(layout).network(layout)),
        title: layout.title.clone(),
        about: layout.about.clone(),
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
        }),
        next_step: 1,
        spent: 0.0,
        retried_sampled: 0,
        link_rates: Vec::new(),
        link_totals: Vec::new(),
        wanted: Vec::new(),
        commands: 0,
    };
    list_services(&mut world, layout);
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
    join_databases(&mut world);
    join_caches(&mut world);
    for service in 0..world.services.len() {
        refresh_members(&mut world, service);
    }
    join_pairs(&world);
    start_all(&mut world);
    super::view::refresh_topology(&mut world);
    world
}

/// Lists users, DNS, resolvers, CDNs and services, in this order, each by name.
fn list_services(world: &mut World, layout: &Layout) {
    let zone = Rc::new(Zone {
        names: RefCell::new(vec![Vec::new(); layout.data_centers.len() + 1]),
        ttl: Cell::new(layout.dns.ttl),
        health: Cell::new(layout.dns.health),
        steering: RefCell::default(),
        origin_fallback: Cell::new(layout.dns.origin_fallback),
    });
    let places = Places::new(layout);
    let users = layout.users.len();
    // Name 0 is the domain, then come the data centers; where there are CDNs each population has a name of its own, since each has a nearest edge.
    let sites = layout.data_centers.len();
    let asked = |number: usize, spec: &layout::Users| {
        let site = spec.site.as_ref();
        let site = site.and_then(|site| layout.data_centers.keys().position(|name| name == site));
        match site {
            Some(site) => site as u16 + 1,
            None if layout.cdns.is_empty() => 0,
            None => (1 + sites + number) as u16,
        }
    };
    for (number, (name, spec)) in layout.users.iter().enumerate() {
        let role = Role::Users {
            spec: Box::new(spec.clone()),
            lookup: layout.dns.clone(),
            number: number as u32,
            name: asked(number, spec),
            resolver: users + 1 + number,
            zone: Rc::clone(&zone),
            throttle: Rc::new(Throttle {
                rate: spec.rate(),
                factor: Cell::new(1.0),
                hot: Cell::new(spec.hot),
            }),
            probe: Rc::default(),
            edge: Edge::new("", spec.calls),
            seen: Seen::default(),
        };
        add_service(world, name, None, places.users(number), role);
    }
    let dns = Role::Dns {
        zone: Rc::clone(&zone),
        probe: Rc::default(),
    };
    add_service(world, "dns", None, places.dns(), dns);
    for (number, (name, spec)) in layout.users.iter().enumerate() {
        let name = match users {
            1 => "resolver".to_owned(),
            _ => format!("{name}-resolver"),
        };
        let role = Role::Resolver {
            lookup: layout.dns.clone(),
            caches: spec.resolvers,
            name: asked(number, spec),
            dns: users,
            zone: Rc::clone(&zone),
            probe: Rc::default(),
        };
        add_service(world, &name, None, places.users(number), role);
    }
    list_cdns(world, layout, &places);
    list_sites(world, layout);
}

/// Lists the services of each data center; an autoscaler follows its tier, and the monitors come last.
fn list_sites(world: &mut World, layout: &Layout) {
    let mut register = Register::default();
    for (site, (site_name, center)) in layout.data_centers.iter().enumerate() {
        let mut enrolled: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, service) in &center.services {
            let place = Place(site as u16);
            let scaled = world.services.len();
            if let Service::Database(spec) = service {
                let database = register.enroll(world, layout, (site, name), spec);
                let cluster = Rc::clone(&world.databases[database].cluster);
                let nodes = first_places(layout, site_name, name, spec);
                let first = nodes
                    .iter()
                    .take_while(|place| place.shard == 0)
                    .map(|place| place.node);
                let role = Role::Database {
                    database,
                    cluster,
                    first: first.collect(),
                    nodes,
                    probes: Vec::new(),
                };
                add_service(world, name, Some(site), place, role);
                enrolled.insert(name, database);
                continue;
            }
            add_service(world, name, Some(site), place, role_of(service, name, center));
            if let Service::Web(spec) = service
                && let Some(scale) = spec.scale
            {
                let role = autoscaler(scaled, scale);
                add_service(world, &format!("{name}-autoscaler"), Some(site), place, role);
            }
        }
        for (name, count) in layout.monitors(site_name) {
            let Some(database) = enrolled.get(name).copied() else {
                continue;
            };
            let role = Role::Monitor {
                database,
                cluster: Rc::clone(&world.databases[database].cluster),
                probes: (0..count).map(|_| Rc::default()).collect(),
            };
            add_service(world, &monitor_of(name), Some(site), Place(site as u16), role);
        }
    }
}

/// Each CDN, followed by its shield.
fn list_cdns(world: &mut World, layout: &Layout, places: &Places) {
    let mut first = 0;
    for (number, (name, cdn)) in layout.cdns.iter().enumerate() {
        let spec = Rc::new(RefCell::new(cdn.clone()));
        let shield = cdn.shield.then(|| world.services.len() + 1);
        let to_shield = cdn.shield.then(|| Edge::new(&shield_of(name), cdn.calls));
        let entries = layout.data_centers.iter().filter_map(|(site, center)| {
            let (entry, _) = center.entry()?;
            Some(Edge::new(&format!("{site}/{entry}"), cdn.calls))
        });
        let to_origins: Vec<Edge> = entries.collect();
        let count = cdn.edges.len();
        let role = |layer, edges, places: Vec<Place>| Role::Cdn {
            spec: Rc::clone(&spec),
            layer,
            shield: shield.filter(|_| layer == Layer::Edge),
            edges,
            probes: places.iter().map(|_| Rc::default()).collect(),
            places,
        };
        let stand: Vec<Place> = (first..first + count).map(|edge| places.edge(edge)).collect();
        first += count;
        let (place, edges) = (stand[0], to_shield.into_iter().chain(to_origins).collect());
        add_service(world, name, None, place, role(Layer::Edge, edges, stand));
        if cdn.shield {
            let place = places.shield(number);
            let entries = layout.data_centers.iter().filter_map(|(site, center)| {
                let (entry, _) = center.entry()?;
                Some(Edge::new(&format!("{site}/{entry}"), cdn.calls))
            });
            let role = role(Layer::Shield, entries.collect(), vec![place]);
            add_service(world, &shield_of(name), None, place, role);
        }
    }
}

fn autoscaler(of: usize, spec: Autoscaler) -> Role {
    Role::Autoscaler {
        of,
        fleet: Rc::new(Fleet {
            spec: RefCell::new(Some(spec)),
            members: RefCell::default(),
        }),
        spec,
        probe: Rc::default(),
        decisions: VecDeque::new(),
    }
}

fn role_of(service: &Service, name: &str, center: &DataCenter) -> Role {
    match service {
        Service::LoadBalancer(spec) => Role::LoadBalancer {
            edge: Edge::new(&spec.to, spec.calls),
            members: Rc::new(Members {
                spec: RefCell::new(spec.clone()),
                servers: RefCell::default(),
                floating: Floating::default(),
            }),
            probes: (0..spec.machines).map(|_| Rc::default()).collect(),
            shares: Vec::new(),
        },
        Service::Web(spec) => Role::Web {
            sessions: Rc::new(RefCell::new(spec.pages.sessions.clone())),
            edges: edges(&spec.pages),
            near: None,
            spec: Rc::new(RefCell::new(spec.clone())),
            probes: Vec::new(),
        },
        Service::Serverless(spec) => Role::Serverless {
            sessions: Rc::new(RefCell::new(spec.pages.sessions.clone())),
            edges: edges(&spec.pages),
            near: None,
            spec: Rc::new(RefCell::new(spec.clone())),
            probe: Rc::default(),
        },
        Service::SessionStore(spec) => Role::SessionStore {
            spec: spec.clone(),
            probe: Rc::default(),
        },
        Service::Cache(spec) => Role::Cache {
            tier: Rc::new(Tier::new(spec.clone())),
            edges: center
                .databases_behind(name)
                .into_iter()
                .map(|database| Edge::new(database, spec.calls))
                .collect(),
            probes: (0..spec.machines).map(|_| Rc::default()).collect(),
        },
        Service::Database(_) => unreachable!("databases are enrolled"),
    }
}

fn edges(pages: &Pages) -> Vec<Edge> {
    let calls = pages.calls.iter();
    calls.map(|(name, policy)| Edge::new(name, *policy)).collect()
}

fn add_service(world: &mut World, name: &str, site: Option<usize>, place: Place, role: Role) {
    let full = site.map_or_else(|| name.to_owned(), |site| format!("{}/{name}", world.sites[site]));
    let selector = if world.sites.len() == 1 {
        name.to_owned()
    } else {
        full.clone()
    };
    let group = Group(world.services.len() as u16);
    let name = name.to_owned();
    world.services.push(ServiceEntry {
        name,
        full,
        selector,
        site,
        place,
        group,
        role,
        front: Rc::new(Cell::new(InstanceId(0))),
        instances: Vec::new(),
        rate: 0.0,
        bill: Bill::default(),
        watch: Watch::default(),
    });
}

/// Resolves the names by which services refer to each other: within their own data center.
fn connect(world: &mut World, layout: &Layout) {
    let index: BTreeMap<String, usize> = world
        .services
        .iter()
        .enumerate()
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
            Role::Web { edges, .. } | Role::Serverless { edges, .. } | Role::Cache { edges, .. } => {
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
    let entries = world.entries.iter().flatten();
    world.origins = entries.map(|_| Rc::default()).collect();
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
fn foreign(service: usize, entry: &ServiceEntry) -> Vec<Planned> {
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

fn plan(world: &World, service: usize, number: u32, spec: &Service, center: &DataCenter) -> Planned {
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
        Role::Web { .. } | Role::Cache { .. } | Role::Cdn { layer: Layer::Edge, .. } => true,
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
    let place = match &entry.role {
        Role::Cdn { places, .. } => places[entry.instances.len()],
        _ => entry.place,
    };
    let id = world.kernel.add_machine(&full, place, cores);
    let short = full.rsplit_once('/').map_or(full.as_str(), |(_, name)| name);
    let selector = match (host, world.sites.len()) {
        (false, _) => instance.to_owned(),
        (true, 1) => short.to_owned(),
        (true, _) => full.clone(),
    };
    let (home, now) = (world.services[service].site, world.kernel.now());
    let index = world.machines.len();
    world.machine_names.insert(full.clone(), index);
    world.machines.push(MachineEntry {
        id,
        full,
        selector,
        host,
        site: home,
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
