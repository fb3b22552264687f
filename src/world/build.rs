//! From a layout to machines, instances and the software on them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::layout::{DataCenter, Layout, Service, Size};
use crate::observe::{Chronicle, Health, System, Topology};
use crate::parts::{Database, Dns, LoadBalancer, Members, Population, Throttle, Web, Zone};
use crate::protocol::Request;
use crate::sim::{Factory, Group, Installation, InstanceId, Kernel, Network, Place, SimTime};

use super::World;
use super::entries::{InstanceEntry, MachineEntry, Role, Sampled, Seen, ServiceEntry};

/// Cores of machines that are not ours: enough never to wait.
const AMPLE_CORES: u32 = 1 << 16;
/// Requests of one population that may be under way, and look-ups at the name server. Past that, users are turned away at their own door.
const AMPLE_SLOTS: u32 = 1 << 20;
/// Requests that may wait for a balancer.
const BALANCER_BACKLOG: u32 = 1_000;

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
        commands: 0,
    };
    list_services(&mut world, layout);
    connect(&mut world, layout);
    let mut instances = first_instances(&world, layout);
    instances.sort_by(|a, b| a.machine.cmp(&b.machine).then_with(|| a.full.cmp(&b.full)));
    for instance in instances {
        settle(&mut world, instance);
    }
    for service in 0..world.services.len() {
        refresh_members(&mut world, service);
    }
    start_all(&mut world);
    super::view::refresh_topology(&mut world);
    world
}

fn network(layout: &Layout) -> Network {
    let places = layout.data_centers.len() + 2;
    let mut network = Network::new(places, layout.network.access);
    for place in 0..layout.data_centers.len() as u16 {
        network.set_latency(Place(place), Place(place), layout.network.local);
    }
    network.set_jitter(layout.network.jitter);
    network.set_loss(layout.network.loss);
    let services: usize = layout.data_centers.values().map(|site| site.services.len()).sum();
    network.set_groups(services + layout.users.len() + 1);
    network
}

/// Where users live.
fn users_place(layout: &Layout) -> Place {
    Place(layout.data_centers.len() as u16)
}

/// Lists users, DNS and services, in this order, each by name.
fn list_services(world: &mut World, layout: &Layout) {
    let zone = Rc::new(Zone {
        addresses: RefCell::default(),
        turn: Cell::new(0),
        ttl: layout.dns.ttl,
    });
    for (name, spec) in &layout.users {
        let role = Role::Users {
            spec: spec.clone(),
            lookup: layout.dns.clone(),
            zone: Rc::clone(&zone),
            dns: layout.users.len(),
            throttle: Rc::new(Throttle {
                rate: spec.rate(),
                factor: Cell::new(1.0),
            }),
            probe: Rc::default(),
            seen: Seen::default(),
        };
        add_service(world, name, None, users_place(layout), role);
    }
    let dns_place = Place(users_place(layout).0 + 1);
    add_service(world, "dns", None, dns_place, Role::Dns { zone });
    for (site, center) in layout.data_centers.values().enumerate() {
        for (name, service) in &center.services {
            let role = role_of(service);
            add_service(world, name, Some(site), Place(site as u16), role);
        }
    }
}

fn role_of(service: &Service) -> Role {
    match service {
        Service::LoadBalancer(spec) => {
            let members = Rc::new(Members {
                policy: Cell::new(spec.balance),
                servers: RefCell::default(),
            });
            Role::LoadBalancer {
                spec: spec.clone(),
                to: 0,
                members,
                probe: Rc::default(),
                shares: Vec::new(),
            }
        }
        Service::Web(spec) => Role::Web {
            spec: spec.clone(),
            database: None,
        },
        Service::Database(spec) => Role::Database {
            spec: spec.clone(),
            probe: Rc::default(),
        },
    }
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
        let find = |name: &str| index.get(&format!("{}/{name}", sites[site])).copied();
        match &mut service.role {
            Role::LoadBalancer { spec, to, .. } => *to = find(&spec.to).unwrap_or_default(),
            Role::Web { spec, database } => *database = spec.database.as_deref().and_then(find),
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
struct Planned {
    service: usize,
    full: String,
    selector: String,
    machine: String,
    host: bool,
    size: Option<&'static Size>,
}

fn first_instances(world: &World, layout: &Layout) -> Vec<Planned> {
    let mut planned = Vec::new();
    for (index, service) in world.services.iter().enumerate() {
        let center = service
            .site
            .and_then(|site| layout.data_centers.get(&world.sites[site]));
        let Some((center, spec)) = center.and_then(|center| Some((center, center.services.get(&service.name)?))) else {
            planned.push(Planned {
                service: index,
                full: format!("{}/1", service.full),
                selector: service.selector.clone(),
                machine: service.full.clone(),
                host: false,
                size: None,
            });
            continue;
        };
        for number in 1..=spec.instances() {
            planned.push(plan(world, index, number, spec, center));
        }
    }
    planned
}

fn plan(world: &World, service: usize, number: u32, spec: &Service, center: &DataCenter) -> Planned {
    let entry = &world.services[service];
    let full = format!("{}/{number}", entry.full);
    let host = spec.host().and_then(|name| Some((name, center.hosts.get(name)?)));
    let site = entry.site.map_or("", |site| world.sites[site].as_str());
    Planned {
        service,
        selector: instance_selector(entry, number),
        machine: host.map_or_else(|| full.clone(), |(name, _)| format!("{site}/{name}")),
        host: host.is_some(),
        size: Size::named(host.map_or(spec.size(), |(_, host)| host.size.as_str())),
        full,
    }
}

/// Kinds with several machines number them; of the others there is one.
fn instance_selector(service: &ServiceEntry, number: u32) -> String {
    match service.role {
        Role::Web { .. } => format!("{}/{number}", service.selector),
        _ => service.selector.clone(),
    }
}

/// Puts an instance on its machine, which is made if there is none of that name.
fn settle(world: &mut World, planned: Planned) {
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
    let factory = factory(world, service);
    let group = world.services[service].group;
    let id = world.kernel.install(Installation {
        machine: world.machines[machine].id,
        group,
        slots,
        backlog,
        factory,
    });
    let number = world.services[service].instances.len();
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

fn limits(role: &Role) -> (u32, u32) {
    match role {
        Role::Users { .. } | Role::Dns { .. } => (AMPLE_SLOTS, 0),
        Role::LoadBalancer { spec, .. } => (spec.slots, BALANCER_BACKLOG),
        Role::Web { spec, .. } => (spec.slots, spec.backlog),
        Role::Database { spec, .. } => (spec.slots, spec.backlog),
    }
}

fn boot_time(role: &Role) -> Duration {
    match role {
        Role::Users { .. } => Duration::ZERO,
        // A name server reads its zone.
        Role::Dns { .. } => Duration::from_secs(1),
        Role::LoadBalancer { spec, .. } => spec.boot,
        Role::Web { spec, .. } => spec.boot,
        Role::Database { spec, .. } => spec.boot,
    }
}

/// Documentation addresses outside (RFC 5737), private ones inside (RFC 1918).
fn address(world: &World, service: usize, number: usize) -> String {
    let entry = &world.services[service];
    match entry.role {
        Role::Users { .. } => "-".to_owned(),
        Role::Dns { .. } => "198.51.100.53".to_owned(),
        _ if is_entry(world, service) => format!("203.0.113.{}", (10 + service + number) % 256),
        _ => {
            let site = entry.site.unwrap_or_default();
            format!("10.{site}.{}.{}", (service + number / 250) % 256, 1 + number % 250)
        }
    }
}

/// Whether users connect to this service.
pub(super) fn is_entry(world: &World, service: usize) -> bool {
    world.entries.contains(&Some(service))
}

/// The software of a service, ready to start and start again. What it refers to is looked up when it starts.
fn factory(world: &World, service: usize) -> Factory<System> {
    let front = |service: usize| Rc::clone(&world.services[service].front);
    match &world.services[service].role {
        Role::Dns { zone } => {
            let zone = Rc::clone(zone);
            Factory::new(move |_| Dns::new(Rc::clone(&zone)))
        }
        Role::Users {
            spec,
            lookup,
            zone,
            dns,
            throttle,
            probe,
            ..
        } => {
            let (spec, lookup, zone, dns) = (spec.clone(), lookup.clone(), Rc::clone(zone), front(*dns));
            let (throttle, probe) = (Rc::clone(throttle), Rc::clone(probe));
            Factory::new(move |cx| {
                let ends = (dns.get(), zone.addresses.borrow().clone());
                Population::new(cx, &spec, &lookup, ends, (Rc::clone(&throttle), Rc::clone(&probe)))
            })
        }
        Role::LoadBalancer {
            spec, members, probe, ..
        } => {
            let (spec, members, probe) = (spec.clone(), Rc::clone(members), Rc::clone(probe));
            Factory::new(move |cx| LoadBalancer::new(cx, &spec, Rc::clone(&members), Rc::clone(&probe)))
        }
        Role::Web { spec, database } => {
            let (spec, database) = (spec.clone(), database.map(front));
            Factory::new(move |_| Web::new(&spec, database.as_ref().map(|front| front.get())))
        }
        Role::Database { spec, probe } => {
            let (spec, probe, first) = (spec.clone(), Rc::clone(probe), Cell::new(true));
            Factory::new(move |cx| Database::new(cx, &spec, first.replace(false), Rc::clone(&probe)))
        }
    }
}

/// Tells balancers and DNS which instances of a service there are; live, each balancer is told that something has changed.
pub(super) fn refresh_members(world: &mut World, service: usize) {
    let members: Vec<InstanceId> = world.services[service]
        .present()
        .filter(|(_, instance)| instance.draining.is_none())
        .map(|(_, instance)| instance.id)
        .collect();
    if is_entry(world, service) {
        let (entries, services) = (&world.entries, &world.services);
        let addresses = entries.iter().flatten().flat_map(|entry| services[*entry].present());
        let addresses: Vec<InstanceId> = addresses
            .filter(|(_, instance)| instance.draining.is_none())
            .map(|(_, instance)| instance.id)
            .collect();
        for entry in &world.services {
            if let Role::Dns { zone } = &entry.role {
                zone.addresses.borrow_mut().clone_from(&addresses);
            }
        }
    }
    for entry in &world.services {
        if let Role::LoadBalancer { to, members: known, .. } = &entry.role
            && *to == service
        {
            known.servers.borrow_mut().clone_from(&members);
            if world.kernel.now() > SimTime::ZERO {
                entry
                    .instances
                    .iter()
                    .for_each(|instance| world.kernel.cast(instance.id, Request::Retune));
            }
        }
    }
}

/// At the beginning everything already runs.
fn start_all(world: &mut World) {
    for id in 0..world.places.len() as u32 {
        world.kernel.start(InstanceId(id), Duration::ZERO);
    }
}

/// Adds instances to a web tier until it has this many more. They are booting.
pub(super) fn add_web(world: &mut World, service: usize, count: u32) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let entry = &world.services[service];
        let Role::Web { spec, .. } = &entry.role else { break };
        let (number, size, boot) = (entry.instances.len() as u32 + 1, Size::named(&spec.size), spec.boot);
        let (full, selector) = (format!("{}/{number}", entry.full), instance_selector(entry, number));
        names.push(selector.clone());
        settle(
            world,
            Planned {
                service,
                machine: full.clone(),
                full,
                selector,
                host: false,
                size,
            },
        );
        let id = world.services[service].instances[number as usize - 1].id;
        super::links::welcome(world, service, id);
        world.kernel.start(id, boot);
    }
    names
}
