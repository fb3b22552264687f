//! A frame: all that a screen, a report or an expectation may know of a world at one moment.
//!
//! A frame is plain data, owns everything and is `Send`. Services, instances and links are named by their index in the topology.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::Reason;
use crate::sim::SimTime;

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
}

/// A data center.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its name.
    pub name: String,
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
    /// A database.
    Database,
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
    /// The machine that it runs on: its own, or a host that others share.
    pub machine: String,
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
}

/// A world at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The shape.
    pub topology: Arc<Topology>,
    /// The moment.
    pub at: SimTime,
    /// The seed of the world.
    pub seed: u64,
    /// The factor on the traffic that the layout names.
    pub traffic: f64,
    /// What all machines cost now, in US dollars an hour.
    pub price_per_hour: f64,
    /// What it has cost since the start, in US dollars.
    pub spent: f64,
    /// Requests since the start.
    pub total: Tally,
    /// Requests of the last 10 s.
    pub recent: Tally,
    /// Seconds that `recent` covers: 10, or less at the start.
    pub recent_seconds: f64,
    /// Latency of answered requests since the start.
    pub latency: Quantiles,
    /// Latency of answered requests in the last 10 s.
    pub recent_latency: Quantiles,
    /// Acknowledged writes that no disk holds any more.
    pub lost_writes: u64,
    /// By service, as in the topology.
    pub services: Vec<ServiceState>,
    /// By link, as in the topology.
    pub links: Vec<LinkState>,
    /// Causes of failure since the start, the most frequent first.
    pub causes: Vec<Cause>,
    /// Incidents, the oldest first; at most the last 50.
    pub incidents: Vec<Incident>,
    /// Events, the oldest first; at most the last 500.
    pub log: Vec<LogLine>,
    /// Number of events since the start, those that `log` no longer holds too.
    pub log_total: u64,
    /// One sample for each second that has passed, the oldest first; at most the last 240.
    pub history: Vec<Sample>,
}

/// Counts of requests as users see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sent.
    pub sent: u64,
    /// Answered well.
    pub ok: u64,
    /// Failed for any reason.
    pub failed: u64,
    /// Tried again on another server, whatever came of it.
    pub retried: u64,
}

impl Tally {
    /// Share of the ended requests that were answered well; 1 when none has ended.
    pub fn ok_ratio(&self) -> f64 {
        let ended = self.ok + self.failed;
        if ended == 0 { 1.0 } else { self.ok as f64 / ended as f64 }
    }
}

/// A distribution of latency. All zero when nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// The mean.
    pub mean: Duration,
    /// The median.
    pub p50: Duration,
    /// The 95th percentile.
    pub p95: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// The state of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceState {
    /// Requests a second that it received over the last second.
    pub rate: f64,
    /// By instance, as in the topology.
    pub instances: Vec<InstanceState>,
    /// For a load balancer, the view of its first instance.
    pub balancer: Option<BalancerState>,
    /// For DNS and its resolvers.
    pub dns: Option<DnsState>,
    /// For users.
    pub users: Option<UsersState>,
    /// For a database.
    pub database: Option<DatabaseState>,
}

/// Whether an instance works: the truth, not what anyone believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Its process starts.
    Booting {
        /// When it will serve.
        until: SimTime,
    },
    /// It serves.
    Up,
    /// It accepts and never answers.
    Hung,
    /// Its process is dead.
    Down,
    /// Its machine is gone, with its disk.
    Destroyed,
    /// It works, and no packet reaches it.
    CutOff,
}

/// The state of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceState {
    /// Whether it works.
    pub health: Health,
    /// When its health last changed.
    pub since: SimTime,
    /// The factor on its core time: 1 unless it was slowed.
    pub slow: f64,
    /// Leaving: it answers what it holds and takes nothing new.
    pub draining: bool,
    /// Mean share of its machine's cores in use over the last second, from 0 to 1.
    pub utilisation: f64,
    /// The same since the start.
    pub mean_utilisation: f64,
    /// Slots in use now.
    pub busy_slots: u32,
    /// Requests that wait for a slot now.
    pub backlog: u32,
    /// The most that ever waited for a slot.
    pub peak_backlog: u32,
    /// Requests a second received over the last second.
    pub rate: f64,
    /// Requests received since the start.
    pub received: u64,
    /// Requests answered well since the start.
    pub ok: u64,
    /// Requests that failed here, or were refused here, since the start.
    pub failed: u64,
    /// Mean time from arrival to answer of the requests answered in the last second.
    pub latency: Duration,
    /// Mean time from arrival to answer of all requests that were answered since the start.
    pub mean_latency: Duration,
    /// Mean number of requests here, waiting or in service, since the start.
    pub mean_present: f64,
    /// Utilisation in each of the last 60 s, the oldest first.
    pub trend: Vec<f32>,
}

/// What a load balancer knows.
#[derive(Clone, Debug, PartialEq)]
pub struct BalancerState {
    /// How it chooses, in words: `least connections`.
    pub policy: String,
    /// Time between checks.
    pub check_every: Duration,
    /// Failed checks in a row until it takes a server out.
    pub down_after: u32,
    /// Passed checks in a row until it takes a server in.
    pub up_after: u32,
    /// Its servers, in order.
    pub backends: Vec<BackendState>,
}

/// What a load balancer knows of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendState {
    /// Index of the server's service and of the instance in it; `None` when it has left the topology.
    pub instance: Option<(usize, usize)>,
    /// The server's selector: `web/2`.
    pub name: String,
    /// Share of the requests sent to it over the last second, from 0 to 1.
    pub share: f64,
    /// Share of the requests sent to it since the start.
    pub total_share: f64,
    /// Requests sent to it since the start.
    pub sent: u64,
    /// Requests in progress there.
    pub in_flight: u32,
    /// What the balancer believes.
    pub believed: Belief,
}

/// What a load balancer believes of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// Up; so many checks in a row have failed.
    Up {
        /// Failed checks in a row.
        failed: u32,
    },
    /// Down; so many checks in a row have passed.
    Down {
        /// Passed checks in a row.
        passed: u32,
    },
}

/// The name service and the caches before it.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsState {
    /// Time to live of an answer.
    pub ttl: Duration,
    /// Resolver caches.
    pub resolvers: u32,
    /// Resolver caches that hold a valid answer.
    pub holding: u32,
    /// Longest remaining life of the answers held.
    pub longest: Duration,
}

/// A population of users.
#[derive(Clone, Debug, PartialEq)]
pub struct UsersState {
    /// People.
    pub count: u64,
    /// Requests a second sent over the last second.
    pub rate: f64,
    /// Requests since the start.
    pub total: Tally,
    /// Requests of the last 10 s.
    pub recent: Tally,
    /// Requests that wait for an answer now.
    pub waiting: u64,
    /// Requests a second in each of the last 60 s, the oldest first.
    pub trend: Vec<f32>,
}

/// A database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseState {
    /// Rows that exist.
    pub rows: u64,
    /// Writes acknowledged since the start.
    pub writes: u64,
    /// Reads answered since the start.
    pub reads: u64,
}

/// The state of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkState {
    /// Requests a second over the last second.
    pub rate: f64,
    /// Requests since the start.
    pub total: u64,
    /// Share of the packets that pass from `from` to `to`: 1 unless there are rules, 0 when it is cut.
    pub passing: f64,
    /// Whether a rule delays or loses packets or cuts the link in either direction.
    pub hurt: bool,
    /// When the latest requests were sent, the oldest first; at most 16.
    pub departures: Vec<SimTime>,
}

/// A cause of failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Why.
    pub reason: Reason,
    /// Where it arose: an instance's selector.
    pub at: String,
    /// Requests failed or retried for it since the start.
    pub count: u64,
    /// The same over the last 10 s.
    pub recent: u64,
}

/// A fault and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Counts from 1.
    pub number: u32,
    /// What was done: `killed web/1`.
    pub what: String,
    /// What it hit, as a selector.
    pub target: String,
    /// When it was done.
    pub injected: SimTime,
    /// When the first request failed or had to be retried for it.
    pub hurt: Option<SimTime>,
    /// When somebody noticed.
    pub noticed: Option<Milestone>,
    /// When traffic stopped going to what is hurt.
    pub acted: Option<Milestone>,
    /// When users were served again as before.
    pub served: Option<SimTime>,
    /// When all was as before.
    pub healed: Option<SimTime>,
    /// Requests retried since it was done, until served.
    pub retried: u64,
    /// Requests failed since it was done, until served.
    pub failed: u64,
    /// Acknowledged writes lost by it.
    pub lost_writes: u64,
    /// One sentence: what happens now, and why.
    pub sentence: String,
}

/// A milestone of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestone {
    /// When.
    pub at: SimTime,
    /// Who, as a selector.
    pub who: String,
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For the record.
    Info,
    /// Repaired, or on the way there.
    Good,
    /// Somebody should look.
    Warning,
    /// Something broke.
    Bad,
}

/// An event in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: SimTime,
    /// How much it matters.
    pub severity: Severity,
    /// What happened, past tense: `lb took web/1 out: 3 checks failed`.
    pub text: String,
}

/// One second of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The end of the second.
    pub at: SimTime,
    /// What users saw in it.
    pub tally: Tally,
    /// Median latency.
    pub p50: Duration,
    /// 99th percentile of latency.
    pub p99: Duration,
}
