//! What each kind of service runs, ready to start and start again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Sessions, Style};
use crate::observe::{CacheProbe, CallsProbe, PublishProbe, System};
use crate::parts::{
    Autoscaler, Backends, Behind, Cache, CacheClient, Callee, Caller, Consumer, Database, Dns, Edge as CdnEdge,
    LoadBalancer, Maker, Monitor, Origin, Peer, Population, Publisher, Queue, Resolver, Router, Serverless,
    SessionStore, Supplies, Surroundings, Web,
};
use crate::sim::{Cx, Factory, InstanceId, Place, SimTime};

use super::World;
use super::entries::{Edge, Role};

/// Requests of one population that may be under way, and look-ups at the name server. Past that, users are turned away at their own door.
const AMPLE_SLOTS: u32 = 1 << 20;
/// Requests that may wait for a balancer.
const BALANCER_BACKLOG: u32 = 1_000;

/// Slots and backlog.
pub(super) fn limits(role: &Role) -> (u32, u32) {
    match role {
        Role::Users { .. }
        | Role::Dns { .. }
        | Role::Resolver { .. }
        | Role::Serverless { .. }
        | Role::Autoscaler { .. }
        | Role::Consumer { .. }
        | Role::Cdn { .. }
        | Role::Monitor { .. }
        | Role::Removed { .. } => (AMPLE_SLOTS, 0),
        Role::LoadBalancer { members, .. } => (members.spec.borrow().slots, BALANCER_BACKLOG),
        Role::Web { spec, .. } => (spec.borrow().slots, spec.borrow().backlog),
        Role::SessionStore { spec, .. } => (spec.slots, spec.backlog),
        Role::Queue { spec, .. } => (spec.borrow().slots, spec.borrow().backlog),
        Role::Cache { tier, .. } => {
            let spec = tier.spec.borrow();
            (spec.slots, spec.backlog)
        }
        Role::Database { cluster, .. } => {
            let spec = cluster.spec.borrow();
            (spec.slots, spec.backlog)
        }
    }
}

/// From start of a process to serving.
pub(super) fn boot_time(role: &Role) -> Duration {
    match role {
        // Functions have no process of ours that would boot.
        Role::Users { .. } | Role::Serverless { .. } | Role::Removed { .. } => Duration::ZERO,
        // A name server reads its zone; so much for what others run.
        Role::Dns { .. } | Role::Resolver { .. } | Role::Autoscaler { .. } | Role::Monitor { .. } => {
            Duration::from_secs(1)
        }
        Role::LoadBalancer { members, .. } => members.spec.borrow().boot,
        Role::Web { spec, .. } => spec.borrow().boot,
        Role::SessionStore { spec, .. } => spec.boot,
        Role::Queue { spec, .. } => spec.borrow().boot,
        Role::Consumer { spec, .. } => spec.borrow().boot,
        Role::Cache { tier, .. } => tier.spec.borrow().boot,
        Role::Cdn { spec, .. } => spec.borrow().boot,
        Role::Database { cluster, .. } => cluster.spec.borrow().boot,
    }
}

/// One whom an instance calls, and how.
struct Way {
    name: String,
    front: Rc<Cell<InstanceId>>,
    policy: Rc<RefCell<layout::Calls>>,
    probe: Rc<CallsProbe>,
}

impl Way {
    fn new(world: &World, edge: &Edge, number: usize) -> Way {
        Way {
            name: edge.name.clone(),
            front: Rc::clone(&world.services[edge.to].front),
            policy: Rc::clone(&edge.policy),
            probe: edge.probe(number),
        }
    }

    fn caller(&self, cx: &Cx<System>) -> Caller {
        Caller::new(cx, &self.name, Rc::clone(&self.policy), Rc::clone(&self.probe))
    }

    fn callee(&self, cx: &Cx<System>) -> Callee {
        Callee {
            to: self.front.get(),
            caller: self.caller(cx),
        }
    }
}

/// What pages of an instance are made by.
fn maker(
    world: &World,
    (pages, sessions): (layout::Pages, &Rc<RefCell<Sessions>>),
    uploads: (Option<&Rc<RefCell<layout::Publish>>>, &Rc<PublishProbe>),
    edges: &[Edge],
    (service, number): (usize, usize),
    near: &Rc<CacheProbe>,
) -> impl Fn(&Cx<System>) -> Maker + use<> {
    let ways: Vec<Way> = edges.iter().map(|edge| Way::new(world, edge, number)).collect();
    let site = world.services[service].site.unwrap_or_default() as u16;
    let cluster = edges.iter().find_map(|edge| match &world.services[edge.to].role {
        Role::Database { cluster, .. } => Some(Rc::clone(cluster)),
        _ => None,
    });
    let tier = match &world.services[service].role {
        Role::Web { near, .. } | Role::Serverless { near, .. } => near.clone(),
        _ => None,
    };
    let (sessions, near, content) = (Rc::clone(sessions), Rc::clone(near), Rc::clone(&world.site));
    let (outgoing, shown) = (uploads.0.cloned(), Rc::clone(uploads.1));
    move |cx| {
        let named = |name: Option<&String>| ways.iter().find(|way| Some(&way.name) == name);
        let database = named(pages.database.as_ref()).zip(cluster.as_ref());
        let database = database.map(|(way, cluster)| Rc::new(Router::new(Rc::clone(cluster), site, way.caller(cx))));
        let cache = named(pages.cache.as_ref()).zip(tier.as_ref());
        let cache = cache.map(|(way, tier)| {
            let client = CacheClient::new(cx, Rc::clone(tier), way.caller(cx), Rc::clone(&near));
            Rc::new(client)
        });
        let queue = pages.publish.as_ref().map(|publish| publish.to.clone());
        let publisher = named(queue.as_ref()).zip(outgoing.as_ref()).map(|(way, settings)| {
            let callee = way.callee(cx);
            Rc::new(Publisher::new(Rc::clone(settings), callee, Rc::clone(&shown)))
        });
        let is_store = |way: &&Way| ![&pages.database, &pages.cache, &queue].contains(&&Some(way.name.clone()));
        let stores = ways.iter().filter(is_store);
        let stores: BTreeMap<String, Callee> = stores.map(|way| (way.name.clone(), way.callee(cx))).collect();
        let backends = Backends {
            database,
            cache,
            stores,
            publisher,
        };
        Maker::new(&pages, Rc::clone(&sessions), backends, Rc::clone(&content))
    }
}

/// What the next instance of a service shows of itself.
pub(super) fn add_probe(role: &mut Role) {
    match role {
        Role::Web { probes, .. } => probes.push(Rc::default()),
        Role::Consumer { probes, .. } => probes.push(Rc::default()),
        Role::Database { probes, .. } => probes.push(Rc::default()),
        _ => {}
    }
}

/// The software of an instance of a service. What it refers to is looked up when it starts.
pub(super) fn factory(world: &World, service: usize, number: usize) -> Factory<System> {
    let front = |service: usize| Rc::clone(&world.services[service].front);
    match &world.services[service].role {
        Role::Users { .. } => users(world, service),
        Role::Resolver {
            lookup,
            caches,
            name,
            population,
            dns,
            zone,
            probe,
        } => {
            let (lookup, caches, dns) = (lookup.clone(), *caches, front(*dns));
            let (name, population) = (*name, *population);
            let (zone, probe) = (Rc::clone(zone), Rc::clone(probe));
            Factory::new(move |cx| {
                let place = (dns.get(), population, name);
                Resolver::new(cx, &lookup, caches, place, Rc::clone(&zone), Rc::clone(&probe))
            })
        }
        Role::Dns { zone, probe } => {
            let (zone, probe) = (Rc::clone(zone), Rc::clone(probe));
            Factory::new(move |cx| Dns::new(cx, Rc::clone(&zone), Rc::clone(&probe)))
        }
        Role::LoadBalancer {
            edge, members, probes, ..
        } => {
            let (members, probe) = (Rc::clone(members), Rc::clone(&probes[number]));
            let way = Way::new(world, edge, number);
            Factory::new(move |cx| LoadBalancer::new(cx, Rc::clone(&members), Rc::clone(&probe), way.callee(cx).caller))
        }
        Role::Web {
            spec,
            sessions,
            publish,
            edges,
            probes,
            ..
        } => {
            let near = &probes[number].near;
            let publish = (publish.as_ref(), &probes[number].publish);
            let pages = spec.borrow().pages.clone();
            let maker = maker(world, (pages, sessions), publish, edges, (service, number), near);
            let (spec, probe) = (Rc::clone(spec), Rc::clone(&probes[number]));
            Factory::new(move |cx| Web::new(Rc::clone(&spec), maker(cx), Rc::clone(&probe)))
        }
        Role::Serverless {
            spec,
            sessions,
            publish,
            edges,
            probe,
            ..
        } => {
            let publish = (publish.as_ref(), &probe.publish);
            let pages = spec.borrow().pages.clone();
            let maker = maker(world, (pages, sessions), publish, edges, (service, number), &probe.near);
            let (spec, probe) = (Rc::clone(spec), Rc::clone(probe));
            Factory::new(move |cx| Serverless::new(Rc::clone(&spec), maker(cx), Rc::clone(&probe)))
        }
        Role::SessionStore { spec, probe } => {
            let (spec, probe) = (spec.clone(), Rc::clone(probe));
            Factory::new(move |cx| SessionStore::new(cx, &spec, Rc::clone(&probe)))
        }
        Role::Database {
            cluster, nodes, probes, ..
        } => {
            // The nodes of the start, and of a shard or a database that is new, find the rows of the start.
            let shard = nodes[number].shard;
            let (cluster, probe) = (Rc::clone(cluster), Rc::clone(&probes[number]));
            let is_new = shard >= cluster.map.borrow().shards() || cluster.shards.borrow().is_empty();
            let first = Cell::new(world.kernel.now() == SimTime::ZERO || is_new);
            let peers = cluster.spec.borrow().replication.peers().is_some();
            if peers {
                return Factory::new(move |cx| {
                    Peer::new(cx, Rc::clone(&cluster), Rc::clone(&probe), first.replace(false))
                });
            }
            Factory::new(move |cx| Database::new(cx, Rc::clone(&cluster), Rc::clone(&probe), first.replace(false)))
        }
        Role::Cache { .. } => cache_node(world, (service, number)),
        Role::Queue { .. } => queue(world, (service, number)),
        Role::Consumer { .. } => consumer(world, (service, number)),
        Role::Cdn { .. } => cdn_edge(world, (service, number)),
        Role::Monitor { cluster, probes, .. } => {
            let (cluster, probe, first) = (Rc::clone(cluster), Rc::clone(&probes[number]), Cell::new(true));
            Factory::new(move |cx| Monitor::new(cx, Rc::clone(&cluster), Rc::clone(&probe), first.replace(false)))
        }
        Role::Removed { .. } => unreachable!("what was removed starts no more"),
        Role::Autoscaler { fleet, probe, .. } => {
            let (fleet, probe) = (Rc::clone(fleet), Rc::clone(probe));
            Factory::new(move |_| Autoscaler::new(Rc::clone(&fleet), Rc::clone(&probe)))
        }
    }
}

fn queue(world: &World, (service, number): (usize, usize)) -> Factory<System> {
    let Role::Queue { spec, edges, probe } = &world.services[service].role else {
        unreachable!("only queues are made here")
    };
    let dead_letter = edges.first().map(|edge| Way::new(world, edge, number));
    let subscribers = subscribers(world, service);
    let (spec, probe) = (Rc::clone(spec), Rc::clone(probe));
    Factory::new(move |cx| {
        let dead_letter = dead_letter.as_ref().map(|way| way.callee(cx));
        Queue::new(cx, Rc::clone(&spec), dead_letter, Rc::clone(&probe), &subscribers)
    })
}

/// Of a log: the services whose workers take from it.
fn subscribers(world: &World, log: usize) -> Vec<u32> {
    let is_subscriber = |role: &Role| match role {
        Role::Consumer { spec, edges, .. } => {
            let of = &spec.borrow().of;
            edges.iter().any(|edge| edge.to == log && edge.name == *of)
        }
        _ => false,
    };
    let is_log = matches!(&world.services[log].role, Role::Queue { spec, .. } if spec.borrow().style == Style::Log);
    let services = world.services.iter().enumerate().filter(|_| is_log);
    let found = services.filter(|(_, entry)| is_subscriber(&entry.role));
    found.map(|(service, _)| service as u32).collect()
}

fn consumer(world: &World, (service, number): (usize, usize)) -> Factory<System> {
    let entry = &world.services[service];
    let Role::Consumer { spec, edges, probes } = &entry.role else {
        unreachable!("only workers are made here")
    };
    let site = entry.site.unwrap_or_default() as u16;
    let of = spec.borrow().of.clone();
    let (queues, others): (Vec<&Edge>, Vec<&Edge>) = edges.iter().partition(|edge| edge.name == of);
    let queue = Way::new(world, queues[0], number);
    let database = others.first().and_then(|edge| match &world.services[edge.to].role {
        Role::Database { cluster, .. } => Some((Way::new(world, edge, number), Rc::clone(cluster))),
        _ => None,
    });
    let (spec, probe) = (Rc::clone(spec), Rc::clone(&probes[number]));
    Factory::new(move |cx| {
        let database = database.as_ref();
        let database = database.map(|(way, cluster)| Rc::new(Router::new(Rc::clone(cluster), site, way.caller(cx))));
        let supplies = Supplies {
            queue: queue.callee(cx),
            subscriber: service as u32,
            database,
        };
        Consumer::new(Rc::clone(&spec), supplies, Rc::clone(&probe))
    })
}

fn cache_node(world: &World, (service, number): (usize, usize)) -> Factory<System> {
    let entry = &world.services[service];
    let Role::Cache { tier, edges, probes } = &entry.role else {
        unreachable!("only nodes of caches are made here")
    };
    let site = entry.site.unwrap_or_default() as u16;
    let database = edges.first().and_then(|edge| match &world.services[edge.to].role {
        Role::Database { cluster, .. } => Some((Way::new(world, edge, number), Rc::clone(cluster))),
        _ => None,
    });
    let (tier, probe) = (Rc::clone(tier), Rc::clone(&probes[number]));
    Factory::new(move |cx| {
        let database = database.as_ref();
        let database = database.map(|(way, cluster)| Router::new(Rc::clone(cluster), site, way.caller(cx)));
        Cache::new(cx, Rc::clone(&tier), database, Rc::clone(&probe))
    })
}

fn cdn_edge(world: &World, (service, number): (usize, usize)) -> Factory<System> {
    let Role::Cdn {
        spec,
        layer,
        shield,
        edges,
        probes,
        places,
    } = &world.services[service].role
    else {
        unreachable!("only edges of CDNs are made here")
    };
    let far = origin_ways(world, places[number]);
    let ways = |edges: &[Edge]| -> Vec<Way> { edges.iter().map(|edge| Way::new(world, edge, number)).collect() };
    let (to_shield, to_origins) = edges.split_at(usize::from(shield.is_some()));
    let (to_shield, to_origins) = (ways(to_shield), ways(to_origins));
    let (spec, layer, probe) = (Rc::clone(spec), *layer, Rc::clone(&probes[number]));
    let (origins, site) = (world.origins.clone(), Rc::clone(&world.site));
    Factory::new(move |cx| {
        let shield = to_shield.first().map(|way| (Rc::clone(&way.front), way.caller(cx)));
        let known = to_origins.iter().zip(&origins).zip(&far);
        let origins = known.map(|((way, addresses), far)| Origin {
            addresses: Rc::clone(addresses),
            far: *far,
            caller: way.caller(cx),
        });
        let behind = Behind {
            shield,
            origins: origins.collect(),
        };
        CdnEdge::new(cx, layer, Rc::clone(&spec), behind, Rc::clone(&site), Rc::clone(&probe))
    })
}

/// How far the data centers that have an entry point are from a place.
fn origin_ways(world: &World, place: Place) -> Vec<u64> {
    let ways = world.geography.ways.get(place.0 as usize);
    let sites = world.entries.iter().enumerate().filter(|(_, entry)| entry.is_some());
    sites.map(|(site, _)| ways.map_or(0, |ways| ways[site])).collect()
}

fn users(world: &World, service: usize) -> Factory<System> {
    let Role::Users {
        spec,
        lookup,
        number,
        name,
        resolver,
        zone,
        throttle,
        probe,
        edge,
        ..
    } = &world.services[service].role
    else {
        unreachable!("only populations are made here")
    };
    let (spec, lookup, number, name) = (spec.clone(), lookup.clone(), *number, *name);
    let (zone, throttle, probe) = (Rc::clone(zone), Rc::clone(throttle), Rc::clone(probe));
    let site = Rc::clone(&world.site);
    let populations = world
        .services
        .iter()
        .filter(|entry| matches!(entry.role, Role::Users { .. }));
    let parts = populations.count() as u64;
    let trace = world.trace.clone().map(|trace| (trace, parts));
    let resolver = Rc::clone(&world.services[*resolver].front);
    let (policy, calls) = (Rc::clone(&edge.policy), edge.probe(0));
    Factory::new(move |cx| {
        let around = Surroundings {
            number,
            name,
            resolver: resolver.get(),
            zone: Rc::clone(&zone),
            site: Rc::clone(&site),
            trace: trace.clone(),
            caller: Caller::new(cx, "site", Rc::clone(&policy), Rc::clone(&calls)),
            throttle: Rc::clone(&throttle),
            probe: Rc::clone(&probe),
        };
        Population::new(cx, &spec, &lookup, around)
    })
}
