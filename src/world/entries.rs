//! What a world knows of its services, instances and machines.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Sessions, Size};
use crate::observe::{
    AutoscalerProbe, BalancerProbe, CacheProbe, CallsProbe, DnsProbe, Health, Kind, LogLine, MonitorProbe, NodeProbe,
    QueueProbe, ResolverProbe, ServerlessProbe, StoreProbe, UsersProbe, WebProbe, WorkerProbe,
};
use crate::parts::{Cluster, Fleet, Members, Throttle, Tier, Zone};
use crate::protocol::Layer;
use crate::sim::{Group, InstanceId, MachineId, Meter, Place, SimTime};

use super::caches::Watch;
use super::databases::NodePlace;
use super::queues::Watched;

/// A service, a population of users or DNS.
pub(super) struct ServiceEntry {
    /// The name in the layout.
    pub name: String,
    /// With its data center: `dc/web`.
    pub full: String,
    /// The shortest selector that names it.
    pub selector: String,
    pub site: Option<usize>,
    pub place: Place,
    pub group: Group,
    pub role: Role,
    /// Its first instance, for those that refer to the service.
    pub front: Rc<Cell<InstanceId>>,
    /// All that there ever were; those that left are marked.
    pub instances: Vec<InstanceEntry>,
    /// Requests received in the last second.
    pub rate: f64,
    /// Mean utilisation of the machines that worked, in the last seconds.
    pub trend: VecDeque<f32>,
    /// What it costs beside its machines.
    pub bill: Bill,
    /// What was sampled of what it keeps.
    pub watch: Watch,
    /// What was sampled of it as a queue, or as workers.
    pub watched: Watched,
}

/// What a service costs beside its machines: functions by their use, traffic by the GB.
#[derive(Clone, Copy, Default)]
pub(super) struct Bill {
    /// Since the start, up to the last second, in US dollars.
    pub spent: f64,
    /// By the last second, in US dollars an hour.
    pub per_hour: f64,
}

/// What is particular to a kind.
pub(super) enum Role {
    Users {
        spec: Box<layout::Users>,
        lookup: layout::Dns,
        /// Its number among all populations.
        number: u32,
        /// The name that it asks for, as in the zone.
        name: u16,
        /// The service that resolves names for it.
        resolver: usize,
        zone: Rc<Zone>,
        throttle: Rc<Throttle>,
        probe: Rc<UsersProbe>,
        /// How it treats the site.
        edge: Edge,
        seen: Seen,
    },
    Resolver {
        lookup: layout::Dns,
        caches: u32,
        /// The name that its people ask for.
        name: u16,
        /// The number of its population.
        population: u32,
        /// The name service.
        dns: usize,
        zone: Rc<Zone>,
        probe: Rc<ResolverProbe>,
    },
    Dns {
        zone: Rc<Zone>,
        probe: Rc<DnsProbe>,
    },
    LoadBalancer {
        /// How it treats its servers.
        edge: Edge,
        members: Rc<Members>,
        /// By instance.
        probes: Vec<Rc<BalancerProbe>>,
        /// By server: requests of all instances up to the last second, and its share of them in that second.
        shares: Vec<(InstanceId, u64, f64)>,
    },
    Web {
        spec: Rc<RefCell<layout::Web>>,
        sessions: Rc<RefCell<Sessions>>,
        /// How they publish uploads, if they do.
        publish: Option<Rc<RefCell<layout::Publish>>>,
        edges: Vec<Edge>,
        /// The cache that it asks.
        near: Option<Rc<Tier>>,
        /// By instance.
        probes: Vec<Rc<WebProbe>>,
    },
    Serverless {
        spec: Rc<RefCell<layout::Serverless>>,
        sessions: Rc<RefCell<Sessions>>,
        /// How they publish uploads, if they do.
        publish: Option<Rc<RefCell<layout::Publish>>>,
        edges: Vec<Edge>,
        /// The cache that it asks.
        near: Option<Rc<Tier>>,
        probe: Rc<ServerlessProbe>,
    },
    SessionStore {
        spec: layout::SessionStore,
        probe: Rc<StoreProbe>,
    },
    Database {
        /// The number of the database that it is, or is a part of.
        database: usize,
        cluster: Rc<Cluster>,
        /// By instance: the place of the node.
        nodes: Vec<NodePlace>,
        /// The numbers of the nodes that each shard has here at the start.
        first: Vec<u8>,
        /// By instance.
        probes: Vec<Rc<NodeProbe>>,
    },
    Cache {
        tier: Rc<Tier>,
        /// How its nodes treat the database that they hold rows of, if there is one.
        edges: Vec<Edge>,
        /// By instance.
        probes: Vec<Rc<CacheProbe>>,
    },
    /// The edges of a CDN, or its shield.
    Cdn {
        spec: Rc<RefCell<layout::Cdn>>,
        layer: Layer,
        /// The service that is its shield.
        shield: Option<usize>,
        /// How it treats its shield, if it has one, and then each data center that has an entry point.
        edges: Vec<Edge>,
        /// By instance.
        probes: Vec<Rc<CacheProbe>>,
        /// By instance: where it stands.
        places: Vec<Place>,
    },
    Queue {
        spec: Rc<RefCell<layout::Queue>>,
        /// How it treats its dead-letter queue, if it has one.
        edges: Vec<Edge>,
        probe: Rc<QueueProbe>,
    },
    Consumer {
        spec: Rc<RefCell<layout::Consumer>>,
        /// How they treat their queue and their database.
        edges: Vec<Edge>,
        /// By instance.
        probes: Vec<Rc<WorkerProbe>>,
    },
    Monitor {
        /// The number of the database.
        database: usize,
        cluster: Rc<Cluster>,
        /// By instance.
        probes: Vec<Rc<MonitorProbe>>,
    },
    Autoscaler {
        of: usize,
        fleet: Rc<Fleet>,
        /// The settings while it is switched off.
        spec: layout::Autoscaler,
        probe: Rc<AutoscalerProbe>,
        decisions: VecDeque<LogLine>,
    },
    /// What was removed.
    Removed {
        /// How long its machines may take to answer what they hold.
        drain: Duration,
        /// Of workers, by instance.
        workers: Vec<Rc<WorkerProbe>>,
    },
}

/// A service that is called, and how.
pub(super) struct Edge {
    /// Its name in the layout. Empty for what users ask.
    pub name: String,
    /// Its index. Without meaning for what users ask: that is what DNS says.
    pub to: usize,
    /// The settings, shared with all who call.
    pub policy: Rc<RefCell<layout::Calls>>,
    /// The breaker of the layout, for when breakers are switched on again.
    pub breaker: layout::Breaker,
    /// By instance of the caller.
    pub probes: RefCell<Vec<Rc<CallsProbe>>>,
}

impl Edge {
    pub(super) fn new(name: &str, policy: layout::Calls) -> Edge {
        Edge {
            name: name.to_owned(),
            to: 0,
            breaker: policy.breaker.unwrap_or_default(),
            policy: Rc::new(RefCell::new(policy)),
            probes: RefCell::default(),
        }
    }

    /// What an instance of the caller shows of its calls: the same for all its lives.
    pub(super) fn probe(&self, number: usize) -> Rc<CallsProbe> {
        let mut probes = self.probes.borrow_mut();
        while probes.len() <= number {
            probes.push(Rc::default());
        }
        Rc::clone(&probes[number])
    }
}

/// What was sampled of a population.
#[derive(Default)]
pub(super) struct Seen {
    pub last: crate::observe::Tally,
    /// One tally for each of the last seconds.
    pub seconds: VecDeque<crate::observe::Tally>,
    pub trend: VecDeque<f32>,
}

/// An instance of a service.
pub(super) struct InstanceEntry {
    pub id: InstanceId,
    /// `dc/web/2`.
    pub full: String,
    pub selector: String,
    /// Index of its machine.
    pub machine: usize,
    pub address: String,
    pub boot: Duration,
    pub meter: Rc<Meter>,
    /// It answers what it holds, and then leaves.
    pub draining: Option<SimTime>,
    /// It answers what it holds, and is then restarted: nobody is to ask it.
    pub resting: bool,
    /// It has left.
    pub left: bool,
    pub health: Health,
    pub since: SimTime,
    pub sampled: Sampled,
}

/// What was sampled of an instance at the last second.
#[derive(Default)]
pub(super) struct Sampled {
    pub received: u64,
    pub answered: u64,
    pub sojourn: u128,
    pub busy: f64,
    pub rate: f64,
    pub latency: Duration,
    pub utilisation: f64,
    pub trend: VecDeque<f32>,
}

/// A data center.
pub(super) struct Ground {
    /// The region that it stands in, if there are regions.
    pub region: Option<String>,
    /// The place of its first zone; the others follow.
    pub place: Place,
    /// Zones.
    pub zones: u32,
    /// Whether its users are sent elsewhere.
    pub evacuated: bool,
    /// Since when, as long as some of them still come.
    pub leaving: Option<SimTime>,
}

/// A machine.
pub(super) struct MachineEntry {
    pub id: MachineId,
    /// `dc/server` or `dc/web/2`.
    pub full: String,
    pub selector: String,
    /// Whether the layout names it as a host.
    pub host: bool,
    pub site: Option<usize>,
    /// The zone of the data center that it stands in, from 0.
    pub zone: u32,
    /// `None` for what is not ours: users and DNS cost nothing.
    pub size: Option<&'static Size>,
    /// Since when it is ours, for the mean of its utilisation.
    pub since: SimTime,
    pub left: bool,
    /// Core-seconds that it offered before its last resize, and when that was.
    pub offered: (f64, SimTime),
}

impl MachineEntry {
    /// Core-seconds that it has offered since it is ours. Without bound for what is not ours.
    pub(super) fn capacity(&self, now: SimTime) -> f64 {
        let cores = self.size.map_or(f64::INFINITY, |size| f64::from(size.cores));
        let (before, resized) = self.offered;
        before + cores * now.since(resized.max(self.since)).as_secs_f64()
    }
}

impl ServiceEntry {
    pub(super) fn kind(&self) -> Kind {
        match self.role {
            Role::Users { .. } => Kind::Users,
            Role::Resolver { .. } => Kind::Resolver,
            Role::Dns { .. } => Kind::Dns,
            Role::LoadBalancer { .. } => Kind::LoadBalancer,
            Role::Web { .. } => Kind::Web,
            Role::Serverless { .. } => Kind::Serverless,
            Role::SessionStore { .. } => Kind::SessionStore,
            Role::Database { .. } => Kind::Database,
            Role::Monitor { .. } => Kind::Monitor,
            Role::Cache { .. } => Kind::Cache,
            Role::Queue { .. } => Kind::Queue,
            Role::Consumer { .. } => Kind::Workers,
            Role::Cdn {
                layer: Layer::Shield, ..
            } => Kind::Shield,
            Role::Cdn { .. } => Kind::Cdn,
            Role::Autoscaler { .. } => Kind::Autoscaler,
            Role::Removed { .. } => Kind::Removed,
        }
    }

    /// How it treats those whom it calls.
    pub(super) fn edges(&self) -> &[Edge] {
        match &self.role {
            Role::Users { edge, .. } | Role::LoadBalancer { edge, .. } => std::slice::from_ref(edge),
            Role::Web { edges, .. }
            | Role::Serverless { edges, .. }
            | Role::Cache { edges, .. }
            | Role::Queue { edges, .. }
            | Role::Consumer { edges, .. }
            | Role::Cdn { edges, .. } => edges,
            _ => &[],
        }
    }

    /// Where its sessions are, if it knows users.
    pub(super) fn sessions(&self) -> Option<&Rc<RefCell<Sessions>>> {
        match &self.role {
            Role::Web { sessions, .. } | Role::Serverless { sessions, .. } => Some(sessions),
            _ => None,
        }
    }

    /// Its instances with their places, those that left omitted.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, &InstanceEntry)> {
        self.instances.iter().enumerate().filter(|(_, instance)| !instance.left)
    }

    /// Those of them that are to stay.
    pub(super) fn staying(&self) -> impl Iterator<Item = (usize, &InstanceEntry)> {
        self.present().filter(|(_, instance)| instance.draining.is_none())
    }

    /// Those of them that are to be asked.
    pub(super) fn serving(&self) -> impl Iterator<Item = (usize, &InstanceEntry)> {
        self.staying().filter(|(_, instance)| !instance.resting)
    }
}
