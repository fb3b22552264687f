//! From a layout to machines, instances and the software on them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::layout::{self, Autoscaler, DataCenter, Layout, Pages, Replication, Service, Size, monitor_of};
use crate::observe::{Chronicle, Health, Topology};
use crate::parts::{Fleet, Floating, Members, Throttle, Zone};
use crate::sim::{Group, Installation, InstanceId, Kernel, Network, Place};

use super::World;
use super::databases::{Register, first_places, join_databases};
use super::discover::{is_entry, join_pairs, refresh_members};
use super::entries::{Edge, InstanceEntry, MachineEntry, Role, Sampled, Seen, ServiceEntry};
use super::software::{boot_time, factory, limits};

/// Cores of machines that are not ours: enough never to wait.
pub(super) const AMPLE_CORES: u32 = 1 << 16;

/// Builds a world.
pub(super) fn build(layout: &Layout, seed: u64) -> World {
    let sites: Vec<String> = layout.data_centers.keys().cloned().collect();
    let mut world = World {
        kernel: Kernel::new(seed, network(layout)),
        title: layout.title.clone(),
        about: layout.about.clone(),
        entries: Vec::new(),
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
    for service in 0..world.services.len() {
        refresh_members(&mut world, service);
    }
    join_pairs(&world);
    start_all(&mut world);
    super::view::refresh_topology(&mut world);
    world
}

fn network(layout: &Layout) -> Network {
    let places = layout.data_centers.len() + 2;
    let mut network = Network::new(places, layout.network.access);
    let sites = layout.data_centers.len() as u16;
    for (a, b) in (0..sites).flat_map(|a| (0..=a).map(move |b| (a, b))) {
        let latency = if a == b {
            layout.network.local
        } else {
            layout.network.between
        };
        network.set_latency(Place(a), Place(b), latency);
    }
    // A resolver stands with the users' provider, half-way.
    let users = users_place(layout);
    network.set_latency(users, users, layout.network.access / 2);
    network.set_jitter(layout.network.jitter);
    network.set_loss(layout.network.loss);
    let services: usize = layout.data_centers.values().map(|site| site.services.len()).sum();
    // A population has its resolver, a tier at most one autoscaler, a database its monitors.
    network.set_groups(2 * services + 2 * layout.users.len() + 1);
    network
}

/// Where users live.
fn users_place(layout: &Layout) -> Place {
    Place(layout.data_centers.len() as u16)
}

/// Lists users, DNS, resolvers and services, in this order, each by name; an autoscaler follows its tier.
fn list_services(world: &mut World, layout: &Layout) {
    let zone = Rc::new(Zone {
        names: RefCell::new(vec![Vec::new(); layout.data_centers.len() + 1]),
        ttl: Cell::new(layout.dns.ttl),
        health: Cell::new(layout.dns.health),
    });
    let users = layout.users.len();
    let asked = |spec: &layout::Users| {
        let site = spec.site.as_ref();
        let site = site.and_then(|site| layout.data_centers.keys().position(|name| name == site));
        site.map_or(0, |site| site as u16 + 1)
    };
    for (number, (name, spec)) in layout.users.iter().enumerate() {
        let role = Role::Users {
            spec: Box::new(spec.clone()),
            lookup: layout.dns.clone(),
            number: number as u32,
            name: asked(spec),
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
        add_service(world, name, None, users_place(layout), role);
    }
    let dns_place = Place(users_place(layout).0 + 1);
    let dns = Role::Dns {
        zone: Rc::clone(&zone),
        probe: Rc::default(),
    };
    add_service(world, "dns", None, dns_place, dns);
    for (name, spec) in &layout.users {
        let name = match users {
            1 => "resolver".to_owned(),
            _ => format!("{name}-resolver"),
        };
        let role = Role::Resolver {
            lookup: layout.dns.clone(),
            caches: spec.resolvers,
            name: asked(spec),
            dns: users,
            zone: Rc::clone(&zone),
            probe: Rc::default(),
        };
        add_service(world, &name, None, users_place(layout), role);
    }
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
            add_service(world, name, Some(site), place, role_of(service));
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

fn role_of(service: &Service) -> Role {
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
            spec: Rc::new(RefCell::new(spec.clone())),
            probes: Vec::new(),
        },
        Service::Serverless(spec) => Role::Serverless {
            sessions: Rc::new(RefCell::new(spec.pages.sessions.clone())),
            edges: edges(&spec.pages),
            spec: Rc::new(RefCell::new(spec.clone())),
            probe: Rc::default(),
            spent: (0.0, 0.0),
        },
        Service::SessionStore(spec) => Role::SessionStore {
            spec: spec.clone(),
            probe: Rc::default(),
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
        let Some(site) = service.site else { continue };
        let find = |name: &str| {
            index
                .get(&format!("{}/{name}", sites[site]))
                .copied()
                .unwrap_or_default()
        };
        match &mut service.role {
            Role::LoadBalancer { edge, .. } => edge.to = find(&edge.name),
            Role::Web { edges, .. } | Role::Serverless { edges, .. } => {
                for edge in edges {
                    edge.to = find(&edge.name);
                }
            }
            _ => {}
        }
    }
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
        Role::Monitor { probes, .. } => (1..=probes.len() as u32)
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
        Role::Web { .. } => true,
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
    let id = world.kernel.add_machine(&full, world.services[service].place, cores);
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
