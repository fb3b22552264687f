//! The layout as data: every kind of service with its settings and their defaults.
//!
//! Durations are `std::time::Duration`, written as text with a unit (`"30s"`, `"0.5ms"`). Defaults and their sources are
//! given at each field. Where a field names no other bounds, intervals and timeouts are longer than 0 and at most a week, boot times
//! from 0 to a week, slots from 1 to a million, backlogs from 0 to a million, mean core times above 0 and at most an hour, and factors
//! above 0 and at most 100. A layout has at most 50 million users, 100,000 machines and 10 million requests a second in all. Names
//! have 1 to 64 characters without blanks, control characters, `/`, `*`, `<` and `>`, and are unlike each other, so that a bare name is a
//! selector (services and hosts of different data centers may share one).

use std::collections::BTreeMap;
use std::time::Duration;

use super::expect::Expectation;

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
    /// The name service.
    pub dns: Dns,
    /// Latencies between places.
    pub network: Network,
    /// Data centers by name. A layout with `services` at the top has one, named `dc`.
    pub data_centers: Map<DataCenter>,
    /// What must hold in every run.
    pub expect: Vec<Expectation>,
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
    /// How many resolver caches serve the population, each with a phase of its own. From 1 to 100,000. Default 16.
    pub resolvers: u32,
    /// How long a user waits for an answer. Default 10 s.
    pub patience: Duration,
}

/// Relative weights of what users ask for, from 0 to a million, one of them above 0. The defaults are those of a population without `asks`; in one that has them, what is
/// not named is not asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
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
}

/// One-way latencies between places (each from 1 us to 60 s), and what links do to packets.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Between two machines of one data center. Default 0.25 ms (half of a 0.5 ms round trip).
    pub local: Duration,
    /// Between users and any data center, and to DNS. Default 20 ms.
    pub access: Duration,
    /// Upper bound of a uniform delay added to each message. From 0 to 60 s. Default 0.
    pub jitter: Duration,
    /// Probability that a packet is lost. From 0 to 0.9. Default 0.
    pub loss: f64,
}

/// A data center: services on machines.
#[derive(Clone, Debug, PartialEq)]
pub struct DataCenter {
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
    /// Holds rows.
    Database(Database),
}

/// A web tier.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Number of machines. From 1 to 100,000. Default 1.
    pub machines: u32,
    /// The host that it shares with other services, in place of machines of its own.
    pub on: Option<String>,
    /// Size of its machines. Default `m`.
    pub size: String,
    /// Requests in progress at once on each machine. Default 64.
    pub slots: u32,
    /// Requests that may wait for a slot on each machine. Default 256.
    pub backlog: u32,
    /// Core time to make an HTML page. Default exponential 4 ms.
    pub work: Distribution,
    /// Core time of a JSON answer as a share of that of a page. Default 0.5.
    pub json: f64,
    /// Core time of a static file as a share of that of a page. Default 0.1.
    pub asset: f64,
    /// The database that it asks, by name.
    pub database: Option<String>,
    /// How long it waits for the database. Default 2 s.
    pub timeout: Duration,
    /// From start of the process to serving. Default 5 s.
    pub boot: Duration,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadBalancer {
    /// The service that it spreads requests over, by name: a web service or another load balancer, never in a circle.
    pub to: String,
    /// How it chooses. Default least connections.
    pub balance: Balance,
    /// Active health checks.
    pub health: HealthCheck,
    /// How often a failed read is tried on another server. From 0 to 100. Writes are not retried, since they are not idempotent.
    /// Default 1 (the standard for `proxy_next_upstream`-like retries).
    pub retries: u32,
    /// How long it waits for a server. Default 5 s.
    pub timeout: Duration,
    /// Core time of each request. Default constant 0.03 ms (`HAProxy`: about 32,000 requests a second and core).
    pub work: Distribution,
    /// Requests in progress at once. Default 20,000.
    pub slots: u32,
    /// The host that it shares with other services, in place of a machine of its own.
    pub on: Option<String>,
    /// Size of its machine. Default `m`.
    pub size: String,
    /// From start of the process to serving. Default 2 s.
    pub boot: Duration,
}

/// How a load balancer chooses a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Balance {
    /// In turn.
    RoundRobin,
    /// At random.
    Random,
    /// The one with the fewest requests in progress; ties in turn.
    LeastConnections,
    /// The less busy of two drawn at random (Mitzenmacher 2001).
    PowerOfTwo,
}

/// Active health checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Time between two checks of one server. Default 2 s (`HAProxy` `inter`).
    pub every: Duration,
    /// How long a check waits. Default 1 s.
    pub timeout: Duration,
    /// Failed checks in a row until a server is taken out. From 1 to 1,000. Default 3 (`HAProxy` `fall`).
    pub down_after: u32,
    /// Passed checks in a row until it is taken in again. From 1 to 1,000. Default 2 (`HAProxy` `rise`).
    pub up_after: u32,
}

/// A database with real rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// The host that it shares with other services, in place of a machine of its own.
    pub on: Option<String>,
    /// Size of its machine. Default `m`.
    pub size: String,
    /// Queries in progress at once. Default 32.
    pub slots: u32,
    /// Queries that may wait. Default 1,000.
    pub backlog: u32,
    /// Core time of a read. Default exponential 1 ms.
    pub read: Distribution,
    /// Core time of a write. Default exponential 2 ms.
    pub write: Distribution,
    /// Rows that exist at the start, with keys from 0. From 0 to 10 million. Default 100,000.
    pub rows: u64,
    /// From start of the process to serving. Default 10 s.
    pub boot: Duration,
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
            Service::Database(_) => "database",
        }
    }
}
