//! The shape of a world: what a frame names by its index.

use std::sync::Arc;
use std::time::Duration;

/// The shape of a world: it changes only when machines or services come or go, or a setting changes a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    /// The layout's title.
    pub title: String,
    /// What the layout shows.
    pub about: String,
    /// Counts changes of the shape; equal numbers of one world mean equal topologies.
    pub version: u64,
    /// Data centers, in the order of their names.
    pub sites: Vec<Site>,
    /// Services, populations of users and DNS among them.
    pub services: Vec<ServiceInfo>,
    /// Who calls whom.
    pub links: Vec<LinkInfo>,
    /// The text of a layout that says all this, with what was changed while it ran.
    pub layout: Arc<str>,
    /// Commands that changed what no layout can say.
    pub unkept: Arc<Vec<String>>,
}

/// A data center.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// The region that it stands in, if there are regions.
    pub region: Option<String>,
    /// Its zones.
    pub zones: u32,
    /// By data center: a round trip to it when nothing is in the way. Within itself: between its zones, or its machines if it has one zone.
    pub round_trips: Vec<Duration>,
}

/// What kind a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A population of users.
    Users,
    /// The name service.
    Dns,
    /// A load balancer.
    LoadBalancer,
    /// A web tier.
    Web,
    /// Functions that a provider runs.
    Serverless,
    /// A store of sessions.
    SessionStore,
    /// A database.
    Database,
    /// The resolver of a population's region.
    Resolver,
    /// An autoscaler.
    Autoscaler,
    /// The monitors of a database.
    Monitor,
    /// A cache tier.
    Cache,
    /// The edges of a content delivery network.
    Cdn,
    /// The shield of a content delivery network.
    Shield,
    /// A message queue, or a log.
    Queue,
    /// Workers that take messages from a queue.
    Workers,
    /// What was removed while the world ran: its place in the lists is kept, and nothing else.
    Removed,
}

/// What does not change about a service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceInfo {
    /// The name in the layout: `web`.
    pub name: String,
    /// The shortest selector that names it without doubt: `web`, or `us-east/web` if there are several.
    pub selector: String,
    /// Its kind.
    pub kind: Kind,
    /// Index of its data center; `None` for users and DNS.
    pub site: Option<usize>,
    /// Of a population: the data center that is its own, which is the nearest one, or the one that it asks for by name; if there is one.
    pub home: Option<usize>,
    /// Its settings in a few words: `least connections, checks every 2s`.
    pub detail: String,
    /// Its instances, those that were scaled away left out.
    pub instances: Vec<InstanceInfo>,
}

/// What does not change about an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceInfo {
    /// The shortest selector that names it: `web/2`.
    pub selector: String,
    /// A name of its own beside its number: that of an edge of a CDN.
    pub label: Option<String>,
    /// The machine that it runs on: its own, or a host that others share.
    pub machine: String,
    /// The zone of its data center that it stands in, from 1, where there are several.
    pub zone: Option<u32>,
    /// Its address: public ones outside, private ones (10.0.0.0/8) inside.
    pub address: String,
    /// Whether users can reach the address.
    pub public: bool,
    /// Size of its machine.
    pub size: String,
    /// Cores of its machine.
    pub cores: u32,
    /// Requests in progress at once.
    pub slots: u32,
    /// Price of its machine in US dollars an hour.
    pub price_per_hour: f64,
}

/// A link between two services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkInfo {
    /// Index of the service that calls.
    pub from: usize,
    /// Index of the service that answers.
    pub to: usize,
    /// What travels.
    pub kind: LinkKind,
}

/// What travels on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Requests and their replies.
    Requests,
    /// Names and addresses.
    Lookups,
    /// Sessions.
    Sessions,
    /// What an autoscaler measures; leases that a node has of a monitor.
    Control,
    /// Changes that nodes of a database fetch from each other.
    Replication,
    /// Messages: to a queue from those who publish, and from a queue whose dead letters they are. From a queue to its workers, though those are the ones
    /// who ask.
    Messages,
}
