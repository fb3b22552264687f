//! The layout as data: every kind of service with its settings and their defaults.
//!
//! Durations are `std::time::Duration`, written as text with a unit (`"30s"`, `"0.5ms"`). Defaults and their sources are
//! given at each field. Where a field names no other bounds, intervals and timeouts are longer than 0 and at most a week, boot times
//! from 0 to a week, slots from 1 to a million, backlogs from 0 to a million, mean core times above 0 and at most an hour, and factors
//! above 0 and at most 100. A layout has at most 50 million users, 100,000 machines and 10 million requests a second in all. Names
//! have 1 to 64 characters without blanks, control characters, `/`, `*`, `<` and `>`, and are unlike each other, so that a bare name is a
//! selector (services and hosts of different data centers may share one). What the layout does not name has names too, which nothing
//! else may have: `dns`, the resolvers ([`Layout::resolver_of`]), the autoscalers ([`autoscaler_of`](super::autoscaler_of)), the
//! monitors of databases ([`monitor_of`](super::monitor_of)) and the shields of CDNs ([`shield_of`](super::shield_of)).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::caching::{Cache, Cdn, Content};
use super::expect::Expectation;
use super::experiment::Experiment;
use super::geo::Region;
use super::parse::Source;
use super::policies::{Autoscaler, Calls, HealthCheck, Outlier, RateLimit};
use super::queueing::{Consumer, Publish, Queue};
use super::replication::{Replication, Sharding};
use crate::trace::Trace;

/// An ordered map by name. Order is by name, never by place in the file, so that the same system written in
/// another order gives the same history.
pub type Map<T> = BTreeMap<String, T>;

/// A whole system.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// A short name for the header. Any text: show it through [`printable`](super::printable).
    pub title: String,
    /// What it shows, in a few sentences. Any text: show it through [`printable`](super::printable). Default empty.
    pub about: String,
    /// The domain that users look up. Default `example.com`.
    pub domain: String,
    /// Populations of users by name. At least one.
    pub users: Map<Users>,
    /// Regions of the world by name, that data centers, users and edges are in. Either there are none, or all are in one of them.
    pub regions: Map<Region>,
    /// The name service.
    pub dns: Dns,
    /// Latencies between places.
    pub network: Network,
    /// Data centers by name. A layout with `services` at the top has one, named `dc`.
    pub data_centers: Map<DataCenter>,
    /// Databases with nodes in several data centers, by name: the nodes of each shard by data center, at least one of each. Each of those
    /// data centers has a service of this name, which is the database with the number of nodes that stand there. In the file they have the
    /// fields of a [`Database`] but `on`, and `machines` by data center. Nothing else in any data center has the name of one.
    pub databases: Map<Map<u32>>,
    /// Content delivery networks by name. Users who ask for the domain are sent to them, and they ask the data centers.
    pub cdns: Map<Cdn>,
    /// What the site is made of.
    pub content: Content,
    /// An access trace that says which rows users ask for, in place of [`Users::keys`]. It comes from the command line, not from the file; see
    /// [`Layout::with_trace`].
    pub trace: Option<Arc<Trace>>,
    /// What must hold in every run.
    pub expect: Vec<Expectation>,
    /// What there is to try, the most telling first. At most 9.
    pub experiments: Vec<Experiment>,
    /// The text that all this was read from, so that it can be changed and kept.
    pub source: Source,
}

/// A population of users: an open-loop Poisson source of requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Users {
    /// How many people. From 1 to 50 million.
    pub count: u64,
    /// Mean time between two requests of one person. Default 10 s.
    pub every: Duration,
    /// Share of requests made by the mobile app, which asks for JSON; the rest are browsers that ask for HTML.
    /// From 0 to 1. Default 0.4.
    pub mobile: f64,
    /// What they ask for, as relative weights.
    pub asks: Asks,
    /// Which rows they ask for.
    pub keys: Keys,
    /// Which static files they ask for. Default Zipf over 1,000 with exponent 1.
    pub assets: Keys,
    /// The edge of a CDN that is nearest to them, by name. Default: with regions the one that is nearest to their resolver, else one by the
    /// order of the populations, in turn.
    pub edge: Option<String>,
    /// Whether browsers and apps keep static files for as long as they may. Default true.
    pub browser: bool,
    /// The region that they live in. Default: the one of the same name, or the only one.
    pub region: Option<String>,
    /// The region that their resolver stands in. Default: their own. A public resolver that is far away fools a name service that goes by
    /// where the question comes from (one without the client's subnet, RFC 7871).
    pub resolver: Option<String>,
    /// How many caches the resolver of the population's region has, each with a phase of its own. From 1 to 100,000. Default 16.
    pub resolvers: u32,
    /// How many stub caches there are on the people's own devices; the people are spread over them. From 1 to 100,000. Default 256.
    pub stubs: u32,
    /// How long a user waits for an answer, all tries together. Default 10 s.
    pub patience: Duration,
    /// How their browsers and apps treat the site. Default: one try, without budget and breaker.
    pub calls: Calls,
    /// The data center that they ask for by a name of its own (`east.shop.example`), in place of the domain that leads to all of them.
    pub site: Option<String>,
    /// Whether they look at what they have just written. Default none.
    pub look_back: Option<LookBack>,
    /// Share of the requests about rows that are for the first one: a celebrity. From 0 to 1. Default 0.
    pub hot: f64,
}

/// People who look at a row again that they have just written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LookBack {
    /// After which share of their writes. Above 0, at most 1.
    pub share: f64,
    /// How long after the answer. From 0 to a week. Default 200 ms.
    pub after: Duration,
}

/// Relative weights of what users ask for, from 0 to a million, one of them above 0. The defaults are those of a population without `asks`; in one that has them, what is
/// not named is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Asks {
    /// A page that reads one row. Default 80.
    pub page: f64,
    /// A static file. Default 0.
    pub asset: f64,
    /// Creates a row. Default 5.
    pub create: f64,
    /// Updates a row. Default 10.
    pub update: f64,
    /// Deletes a row. Default 5.
    pub delete: f64,
    /// A search, which asks all shards. Default 0.
    pub search: f64,
    /// An upload, which is published to a queue and answered at once. Default 0.
    pub upload: f64,
}

/// How the rows that users ask for are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keys {
    /// Every key alike.
    Uniform {
        /// Number of keys, from 1 to 10 million.
        count: u64,
    },
    /// Key k with a probability proportional to 1 / k^exponent.
    Zipf {
        /// Number of keys, from 1 to 10 million.
        count: u64,
        /// Skew, above 0 and at most 10. Web caches see 0.6 to 1.0 (Breslau et al., INFOCOM 1999).
        exponent: f64,
    },
}

/// The authoritative name service, run by a third party on a machine of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Dns {
    /// How long a resolver keeps an answer. From 0 (not at all) to a week. Default 60 s (Route 53 with health checks).
    pub ttl: Duration,
    /// How long a resolver waits before it asks again. Default 2 s.
    pub timeout: Duration,
    /// How often a resolver asks before it gives up. From 1 to 100. Default 3.
    pub attempts: u32,
    /// Checks of the addresses: one that fails them is left out of the answers, unless all fail (Route 53). Default none.
    /// In one that is given, and where there is a CDN or users are sent to one of several data centers, `every` is 10 s, `timeout` 4 s, `down_after` 3 and `up_after` 3 by default
    /// (Route 53, fast checks).
    pub health: Option<HealthCheck>,
    /// Whether users are sent to the data centers when all CDNs are believed down. Default true.
    pub origin_fallback: bool,
    /// To which data center users are sent. Default: with regions [`Routing::Geo`], else [`Routing::RoundRobin`].
    pub routing: Routing,
}

/// How the name service chooses among the data centers that are up. Users of CDNs are sent to edges; then this is only for when all CDNs are down.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Routing {
    /// All addresses in turn.
    RoundRobin,
    /// The data center that is nearest to the resolver that asks, by the great circle (Route 53: geoproximity routing).
    Geo,
    /// The data center with the shortest round trip from the resolver that asks, as measured from there every 10 s (Route 53: latency routing).
    Latency,
    /// Each data center with its share, relative to the others. From 0 to 1,000, one of them above 0; those that are not named have none.
    Weighted(Map<f64>),
    /// The first of these that is up; those that are not named come last, in the order of their names.
    Failover(Vec<String>),
}

/// One-way latencies between places (each from 1 us to 60 s), and what links do to packets.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Between two machines of one data center. Default 0.25 ms (half of a 0.5 ms round trip).
    pub local: Duration,
    /// Between users and any data center, and to DNS. Default 20 ms.
    pub access: Duration,
    /// Between users and their nearest edge of a CDN, and between its shield and the data centers. To other edges, from edges to the shield and
    /// to the data centers it is `access`. Default 5 ms.
    pub edge: Duration,
    /// Between two data centers, where it is given: also of a layout with regions, except between two regions of which `round_trips` knows better. Default
    /// without regions 40 ms (half of the 80 ms round trip between Virginia and Ireland), with regions what lies between them.
    pub between: Option<Duration>,
    /// Between two zones of a data center. Default 0.5 ms (AZ to AZ usually below 1 ms for a round trip).
    pub zone: Duration,
    /// Round trips between regions that are known better than [`Region::round_trip`] does: by two names, the lesser one first.
    pub round_trips: BTreeMap<(String, String), Duration>,
    /// Upper bound of a uniform delay added to each message. From 0 to 60 s. Default 0.
    pub jitter: Duration,
    /// Probability that a packet is lost. From 0 to 0.9. Default 0.
    pub loss: f64,
}

impl Network {
    /// Between two data centers, where neither the layout nor regions say anything.
    pub const BETWEEN: Duration = Duration::from_millis(40);
}

/// A data center: services on machines.
#[derive(Clone, Debug, PartialEq)]
pub struct DataCenter {
    /// The region that it stands in. Default: the one of the same name, or the only one.
    pub region: Option<String>,
    /// Zones with power and network of their own, from 1 to 8; the machines of each service are spread over them in turn. Default 1.
    pub zones: u32,
    /// Machines that host several services, by name.
    pub hosts: Map<Host>,
    /// Services by name.
    pub services: Map<Service>,
}

/// A machine that is named in the layout since several services share it.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// A name from the catalogue of sizes. Default `m`.
    pub size: String,
}

/// A service of a data center.
#[derive(Clone, Debug, PartialEq)]
pub enum Service {
    /// Spreads requests over the instances of another service.
    LoadBalancer(LoadBalancer),
    /// Serves pages and JSON.
    Web(Web),
    /// Serves pages and JSON by functions that a provider starts on demand.
    Serverless(Serverless),
    /// Holds the sessions of signed-in users.
    SessionStore(SessionStore),
    /// Holds rows.
    Database(Database),
    /// Holds copies of rows.
    Cache(Cache),
    /// Holds messages.
    Queue(Queue),
    /// Workers that take messages.
    Consumer(Consumer),
}

/// How pages are made, by servers or by functions.
#[derive(Clone, Debug, PartialEq)]
pub struct Pages {
    /// Core time to make an HTML page. Default exponential 4 ms.
    pub work: Distribution,
    /// Core time of a JSON answer as a share of that of a page. Default 0.5.
    pub json: f64,
    /// Core time of a static file as a share of that of a page. Default 0.1.
    pub asset: f64,
    /// The database that it asks, by name.
    pub database: Option<String>,
    /// The cache that it asks before the database, by name. Default none.
    pub cache: Option<String>,
    /// Core time of an upload as a share of that of a page. Default 1.
    pub upload: f64,
    /// The queue that it publishes uploads to. In the file `queue`, `confirm` and `fallback`. Default none.
    pub publish: Option<Publish>,
    /// Where it keeps the sessions of signed-in users. Default off: nobody signs in.
    pub sessions: Sessions,
    /// How long a session lives: since its last use, or for a token since it was issued. Default 30 min.
    pub session_ttl: Duration,
    /// Core time to sign a user in. Default constant 5 ms; memory-hard password hashes take 50 ms and more.
    pub sign_in: Distribution,
    /// Core time to verify a token. Default constant 0.05 ms (an RSA or ECDSA signature).
    pub verify: Distribution,
    /// How it treats each service that it calls, by name: its database, its cache, and its session store. One entry for each of them; what
    /// the file does not name has the defaults of [`Calls::to_service`], or for a cache of [`Calls::to_cache`], or
    /// [`Calls::through_cache`] if it loads what it lacks by itself.
    pub calls: Map<Calls>,
}

/// Where the sessions of signed-in users are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Sessions {
    /// Nobody signs in.
    Off,
    /// In the memory of the server that signed the user in: a stateful tier. Not for functions.
    Local,
    /// In a session store, by name: any server serves everybody, and all depend on the store.
    Store(String),
    /// In a signed token that the client holds: any server serves everybody, nothing is stored, and it can't be revoked before it ends.
    Token,
}

/// A web tier.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Number of machines at the start. From 1 to 100,000. Default 1, or the autoscaler's `min`.
    pub machines: u32,
    /// The host that it shares with other services, in place of machines of its own.
    pub on: Option<String>,
    /// Size of its machines. Default `m`.
    pub size: String,
    /// Requests in progress at once on each machine. Default 64.
    pub slots: u32,
    /// Requests that may wait for a slot on each machine. Default 256.
    pub backlog: u32,
    /// What it makes, and whom it asks for it.
    pub pages: Pages,
    /// Turns away what comes too fast. Default none.
    pub rate_limit: Option<RateLimit>,
    /// Turns a request away at once when it has waited longer than this for its slot: who gave up is not served. Default none.
    pub shed: Option<Duration>,
    /// How long a machine that is taken out may take to answer what it holds. Default 30 s.
    pub drain: Duration,
    /// Adds and removes machines by load. Default none.
    pub scale: Option<Autoscaler>,
    /// From start of the process to serving. Default 5 s.
    pub boot: Duration,
}

/// Functions that a provider runs: an instance for each request in progress, none when idle. It has no machine of ours. What they know of
/// those whom they call (breakers, budgets, connections) is kept for all of them together, as by a proxy that they share.
#[derive(Clone, Debug, PartialEq)]
pub struct Serverless {
    /// Instances at once; more requests are turned away. From 1 to a million. Default 1,000 (AWS Lambda, of an account).
    pub limit: u32,
    /// How long a new instance takes before it works. Default lognormal with a mean of 400 ms and a coefficient of variation of 0.5.
    pub cold_start: Distribution,
    /// How long an idle instance is kept. Default 5 min.
    pub keep: Duration,
    /// Memory of an instance in GiB, for the bill. From 0.125 to 10. Default 1.
    pub memory_gib: f64,
    /// What it makes, and whom it asks for it. Core time passes on a core of the instance's own.
    pub pages: Pages,
}

/// A store of sessions, in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionStore {
    /// The host that it shares with other services, in place of a machine of its own.
    pub on: Option<String>,
    /// Size of its machine. Default `s`.
    pub size: String,
    /// Requests in progress at once. Default 256.
    pub slots: u32,
    /// Requests that may wait. Default 10,000.
    pub backlog: u32,
    /// Core time of a look-up or a change. Default exponential 0.02 ms (Redis: some 50,000 a second on one core with the network's work).
    pub work: Distribution,
    /// Sessions that it has room for; the oldest make room for new ones. From 1 to 50 million. Default a million.
    pub sessions: u64,
    /// Whether they are on its disk too, and survive a crash. Default false.
    pub durable: bool,
    /// From start of the process to serving. Default 2 s.
    pub boot: Duration,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadBalancer {
    /// The service that it spreads requests over, by name: a web service, functions or another load balancer, never in a circle.
    pub to: String,
    /// Number of balancers. From 1 to 16. Default 1.
    pub machines: u32,
    /// How several of them share the work. Default `Dns`.
    pub pair: Pair,
    /// How it chooses. Default least connections.
    pub balance: Balance,
    /// Weights by server (`web/1`), above 0 and at most 1,000, for `Weighted`. Default 1 each.
    pub weights: Map<f64>,
    /// Whether a user stays with the server that served it first, by a cookie. Default none.
    pub sticky: Option<Sticky>,
    /// Active health checks.
    pub health: HealthCheck,
    /// Passive health checks: takes out for a while what fails real requests. Default none.
    pub outlier: Option<Outlier>,
    /// How long the share of a server that has just come in grows to a whole one. Default 0 (at once).
    pub slow_start: Duration,
    /// How it treats its servers.
    pub calls: Calls,
    /// Turns away what comes too fast. Default none.
    pub rate_limit: Option<RateLimit>,
    /// Core time of each request. Default constant 0.03 ms (`HAProxy`: about 32,000 requests a second and core).
    pub work: Distribution,
    /// Requests in progress at once. Default 20,000.
    pub slots: u32,
    /// The host that it shares with other services, in place of machines of its own.
    pub on: Option<String>,
    /// Size of its machines. Default `m`.
    pub size: String,
    /// From start of the process to serving. Default 2 s.
    pub boot: Duration,
}

/// How several load balancers share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    /// All of them work; DNS answers with all their addresses, in turn.
    Dns,
    /// Two of them have one address between them: the active one holds it and says so at intervals, the standby takes it when it has
    /// not heard that for some of them. The first takes it back when it returns (VRRP, RFC 9568).
    Floating {
        /// Time between two advertisements. Default 1 s.
        every: Duration,
        /// Intervals of silence after which the standby takes over. From 1 to 1,000. Default 3.
        down_after: u32,
    },
}

/// Sessions that stick to a server by a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sticky {
    /// The name of the cookie. Not empty: letters, digits, `_` and `-`.
    pub cookie: String,
}

/// How a load balancer chooses a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Balance {
    /// In turn.
    RoundRobin,
    /// In turn, each as often as its weight says (nginx's smooth weighted round robin).
    Weighted,
    /// At random.
    Random,
    /// The one with the fewest requests in progress; ties in turn.
    LeastConnections,
    /// The less busy of two drawn at random (Mitzenmacher 2001).
    PowerOfTwo,
    /// By a hash of the user's address, over the servers that are up (`HAProxy` `balance source`).
    SourceHash,
    /// By a hash of the row that is asked for, on a ring with 160 points for each server (ketama).
    ConsistentHash,
}

/// A database with real rows: one node, or several that hold copies, or several shards of such nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// The host that it shares with other services, in place of machines of its own. Only for a single node.
    pub on: Option<String>,
    /// Nodes of each shard in this data center. From 1 to 15 in all data centers together. Default 1, or 3 with replication.
    pub machines: u32,
    /// The data center whose nodes come first, for one with nodes in several: where its primaries stand at the start. Default: the first by name.
    pub first: Option<String>,
    /// The data centers in which its monitors stand, in turn, for one with nodes in several; a third one breaks the tie when one of two is lost. Default: those
    /// of its nodes, from the last to the first.
    pub monitors_in: Vec<String>,
    /// Size of its machines. Default `m`.
    pub size: String,
    /// Queries in progress at once on each node. Default 32.
    pub slots: u32,
    /// Queries that may wait on each node. Default 1,000.
    pub backlog: u32,
    /// Connections that clients may have to each node; each has one query at once, in progress or waiting. Default none: as many as
    /// slots and backlog take. From 1 to a million.
    pub connections: Option<u32>,
    /// Core time of a read. Default exponential 1 ms.
    pub read: Distribution,
    /// Core time of a write. Default exponential 2 ms.
    pub write: Distribution,
    /// Core time to apply a change that came from another node, and to replay an entry of the log after a crash. Default constant 0.1 ms.
    pub apply: Distribution,
    /// How long it takes until a write is on the disk (the flush of the write-ahead log). From 0 to a minute. Default 0.1 ms (a solid-state drive).
    pub flush: Duration,
    /// Entries of the log between two checkpoints: a crashed node replays what came since the last one. From 1 to 10 million.
    /// Default 10,000.
    pub checkpoint: u64,
    /// Entries that a node keeps for those that follow it; who is further behind is rebuilt from a snapshot. From 1 to 10 million.
    /// Default 100,000.
    pub log: u64,
    /// Rows a second that a rebuild or a migration copies at most. From 1 to 100 million. Default 50,000.
    pub copy_rate: f64,
    /// Rows that exist at the start, with keys from 0. From 0 to 10 million. Default 100,000.
    pub rows: u64,
    /// From start of the process to serving. Default 10 s.
    pub boot: Duration,
    /// How the nodes of a shard keep copies. Default none.
    pub replication: Replication,
    /// How rows are spread over shards. Default none: one shard. Not on a shared host.
    pub sharding: Option<Sharding>,
}

/// A distribution of core time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant(Duration),
    /// Memoryless with this mean.
    Exponential(Duration),
    /// Lognormal with this mean and coefficient of variation.
    LogNormal {
        /// The mean.
        mean: Duration,
        /// Standard deviation over mean, above 0 and at most 100.
        cv: f64,
    },
}

impl Service {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Service::LoadBalancer(_) => "load balancer",
            Service::Web(_) => "web",
            Service::Serverless(_) => "serverless",
            Service::SessionStore(_) => "session store",
            Service::Database(_) => "database",
            Service::Cache(_) => "cache",
            Service::Queue(_) => "queue",
            Service::Consumer(_) => "workers",
        }
    }
}
