//! The services of a layout, each with its role, before any of them has a machine.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::layout::{self, Autoscaler, DataCenter, Layout, Pages, Service, autoscaler_of, monitor_of, shield_of};
use crate::parts::{Fleet, Floating, Members, Throttle, Tier, Zone};
use crate::protocol::Layer;
use crate::sim::{Group, InstanceId, Place};

use super::World;
use super::caches::Watch;
use super::databases::{Register, first_places};
use super::entries::{Bill, Edge, Role, Seen, ServiceEntry};
use super::places::Places;
use super::queues::Watched;

/// Lists users, DNS, resolvers, CDNs and services, in this order, each by name.
pub(super) fn list_services(world: &mut World, layout: &Layout, places: &Places) {
    let zone = Rc::new(Zone {
        names: RefCell::default(),
        ttl: Cell::new(layout.dns.ttl),
        health: Cell::new(layout.dns.health),
        routing: RefCell::new(layout.dns.routing.clone()),
        steering: RefCell::default(),
        resolvers: RefCell::default(),
        files: layout
            .content
            .static_domain
            .then(|| layout.data_centers.len() as u16 + 1),
        origin_fallback: Cell::new(layout.dns.origin_fallback),
        misled: Cell::new(false),
    });
    let users = layout.users.len();
    // Name 0 is the domain, then come the data centers.
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
                asks: Cell::new(spec.asks),
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
            name: asked(spec),
            population: number as u32,
            dns: users,
            zone: Rc::clone(&zone),
            probe: Rc::default(),
        };
        add_service(world, &name, None, places.resolver(number), role);
    }
    list_cdns(world, layout, places);
    list_sites(world, layout);
}

/// Lists the services of each data center; an autoscaler follows its tier, and the monitors come last.
fn list_sites(world: &mut World, layout: &Layout) {
    let mut register = Register::default();
    for (site, center) in layout.data_centers.values().enumerate() {
        for name in center.services.keys() {
            list_service(world, layout, &mut register, (site, name));
        }
        list_monitors(world, layout, &mut register, site, |_| true);
    }
}

/// Lists a service of a data center, with its autoscaler.
pub(super) fn list_service(world: &mut World, layout: &Layout, register: &mut Register, (site, name): (usize, &str)) {
    let site_name = world.sites[site].clone();
    let center = &layout.data_centers[&site_name];
    let service = &center.services[name];
    let place = world.grounds[site].place;
    let scaled = world.services.len();
    if let Service::Database(spec) = service {
        let database = register.enroll(world, layout, (site, name), spec);
        let cluster = Rc::clone(&world.databases[database].cluster);
        let nodes = first_places(layout, &site_name, name, spec);
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
        return;
    }
    add_service(world, name, Some(site), place, role_of(service, name, center));
    let scale = match service {
        Service::Web(spec) => spec.scale,
        Service::Consumer(spec) => spec.scale,
        _ => None,
    };
    if let Some(scale) = scale {
        let role = autoscaler(scaled, scale);
        add_service(world, &autoscaler_of(name), Some(site), place, role);
    }
}

/// Lists the monitors that stand in a data center, of these databases.
pub(super) fn list_monitors(
    world: &mut World,
    layout: &Layout,
    register: &mut Register,
    site: usize,
    of: impl Fn(&str) -> bool,
) {
    let site_name = world.sites[site].clone();
    for (name, count) in layout.monitors(&site_name).filter(|(name, _)| of(name)) {
        let here = layout.data_centers[&site_name].services.get(name);
        // Or its nodes stand elsewhere.
        let home = match here {
            Some(Service::Database(spec)) => Some((site, spec)),
            _ => nodes_elsewhere(layout, name),
        };
        let Some((home, spec)) = home else { continue };
        let database = register.enroll(world, layout, (home, name), spec);
        let role = Role::Monitor {
            database,
            cluster: Rc::clone(&world.databases[database].cluster),
            probes: (0..count).map(|_| Rc::default()).collect(),
        };
        let place = world.grounds[site].place;
        add_service(world, &monitor_of(name), Some(site), place, role);
    }
}

/// A data center in which a database of several has nodes, and the database as it is there.
fn nodes_elsewhere<'a>(layout: &'a Layout, name: &str) -> Option<(usize, &'a layout::Database)> {
    let (site, _) = layout.databases.get(name)?.first_key_value()?;
    let home = layout.data_centers.keys().position(|known| known == site)?;
    match layout.data_centers[site].services.get(name) {
        Some(Service::Database(spec)) => Some((home, spec)),
        _ => None,
    }
}

/// Each CDN, followed by its shield.
fn list_cdns(world: &mut World, layout: &Layout, places: &Places) {
    for (number, (name, cdn)) in layout.cdns.iter().enumerate() {
        let spec = Rc::new(RefCell::new(cdn.clone()));
        let shield = cdn.shield.then(|| world.services.len() + 1);
        let to_shield = cdn.shield.then(|| Edge::new(&shield_of(name), cdn.calls));
        let to_origins = || {
            let entries = layout.data_centers.iter().filter_map(|(site, center)| {
                let (entry, _) = center.entry()?;
                Some(Edge::new(&format!("{site}/{entry}"), cdn.calls))
            });
            entries.collect::<Vec<Edge>>()
        };
        let count = cdn.edges.len();
        let role = |layer, edges, places: Vec<Place>| Role::Cdn {
            spec: Rc::clone(&spec),
            layer,
            shield: shield.filter(|_| layer == Layer::Edge),
            edges,
            probes: places.iter().map(|_| Rc::default()).collect(),
            places,
        };
        let stand: Vec<Place> = (0..count).map(|edge| places.edge(number, edge)).collect();
        let (place, edges) = (stand[0], to_shield.into_iter().chain(to_origins()).collect());
        add_service(world, name, None, place, role(Layer::Edge, edges, stand));
        if cdn.shield {
            let place = places.shield(number);
            let role = role(Layer::Shield, to_origins(), vec![place]);
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
            queue: Cell::new(None),
        }),
        spec,
        probe: Rc::default(),
        decisions: VecDeque::new(),
    }
}

pub(super) fn role_of(service: &Service, name: &str, center: &DataCenter) -> Role {
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
            publish: spec.pages.publish.clone().map(|publish| Rc::new(RefCell::new(publish))),
            edges: edges(&spec.pages),
            near: None,
            spec: Rc::new(RefCell::new(spec.clone())),
            probes: Vec::new(),
        },
        Service::Serverless(spec) => Role::Serverless {
            sessions: Rc::new(RefCell::new(spec.pages.sessions.clone())),
            publish: spec.pages.publish.clone().map(|publish| Rc::new(RefCell::new(publish))),
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
        Service::Queue(spec) => Role::Queue {
            edges: spec.dead_letter.iter().map(|to| Edge::new(to, spec.calls)).collect(),
            spec: Rc::new(RefCell::new(spec.clone())),
            probe: Rc::default(),
        },
        Service::Consumer(spec) => Role::Consumer {
            edges: spec
                .calls
                .iter()
                .map(|(name, policy)| Edge::new(name, *policy))
                .collect(),
            spec: Rc::new(RefCell::new(spec.clone())),
            probes: Vec::new(),
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
        trend: VecDeque::new(),
        bill: Bill::default(),
        watch: Watch::default(),
        watched: Watched::default(),
    });
}
