//! A frame: all that a screen, a report or an expectation may know of a world at one moment.
//!
//! A frame is plain data, owns everything and is `Send`. Services, instances and links are named by their index in the topology.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::Reason;
use crate::sim::SimTime;

use super::cache::CacheState;
use super::followed::Followed;
use super::queue::{PublisherState, QueueState, WorkersState};
use super::states::{
    AutoscalerState, BalancerState, CallsState, DatabaseState, DnsState, MonitorState, ResolverState, ServerlessState,
    SessionsState, UsersState,
};
use super::topology::Topology;

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
    /// Chaos, as it would be typed, if it is on.
    pub chaos: Option<String>,
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
    /// Sessions, of all populations together.
    pub sessions: SessionTally,
    /// By data center, as in the topology.
    pub sites: Vec<SiteState>,
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
    /// The request that is followed, if one is.
    pub followed: Option<Arc<Followed>>,
    /// One sample for each second that has passed, the oldest first; at most the last 240.
    pub history: Vec<Sample>,
}

/// The state of a data center.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiteState {
    /// Requests a second that came to its entry point from users and CDNs over the last second.
    pub rate: f64,
    /// Its share of what came to all data centers. From 0 to 1; 0 when nothing came.
    pub share: f64,
    /// Whether its users are sent elsewhere.
    pub evacuated: bool,
    /// Whether the name service believes that one of its addresses is up.
    pub believed_up: bool,
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

/// Sessions as users see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTally {
    /// Users who are signed in now, as far as their clients know.
    pub signed_in: u64,
    /// Times that a user was signed in.
    pub issued: u64,
    /// Times that a user who was signed in was found not to be any more: lost with a server, a store or a change of the scheme.
    pub lost: u64,
    /// Times that a session had expired.
    pub expired: u64,
    /// Times that a session had been revoked.
    pub revoked: u64,
    /// Answers that users got by sessions that had been revoked.
    pub revoked_served: u64,
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
    /// Mean utilisation of those of its machines that worked, in each of the last 60 s, the oldest first.
    pub trend: Vec<f32>,
    /// By instance, as in the topology.
    pub instances: Vec<InstanceState>,
    /// For a load balancer, the view of the instance that works: the active one of a pair, or the first that is up.
    pub balancer: Option<BalancerState>,
    /// For DNS.
    pub dns: Option<DnsState>,
    /// For users.
    pub users: Option<UsersState>,
    /// For a database.
    pub database: Option<DatabaseState>,
    /// For the monitors of a database.
    pub monitor: Option<MonitorState>,
    /// For what keeps copies: a cache, a CDN, users with their browsers, a web tier with near copies.
    pub cache: Option<CacheState>,
    /// For a queue.
    pub queue: Option<QueueState>,
    /// For workers.
    pub workers: Option<WorkersState>,
    /// For a web tier and functions that publish.
    pub publisher: Option<PublisherState>,
    /// For a web tier and functions: where the sessions are.
    pub sessions: Option<SessionsState>,
    /// For functions.
    pub serverless: Option<ServerlessState>,
    /// For an autoscaler.
    pub autoscaler: Option<AutoscalerState>,
    /// For a resolver.
    pub resolver: Option<ResolverState>,
    /// How it treats each service that it calls, all its instances together.
    pub calls: Vec<CallsState>,
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
    /// What is wrong with it though it runs: `fails 20%`, `disk full`.
    pub ails: Option<String>,
    /// Leaving: it answers what it holds and takes nothing new.
    pub draining: bool,
    /// It answers what it holds, and is then restarted.
    pub resting: bool,
    /// Of a pair of balancers: whether it holds the address.
    pub active: Option<bool>,
    /// Sessions that it holds.
    pub sessions: Option<u64>,
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
    /// Who was hurt first, as a selector: the population whose request failed, or who had to try again.
    pub first_hurt: Option<String>,
    /// When somebody noticed.
    pub noticed: Option<Milestone>,
    /// When somebody acted: stopped the traffic to what is hurt, put another one in its place, or added machines.
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
    /// The most acknowledged writes that were missing at once while it was open: no node that took part had them.
    pub missing_writes: u64,
    /// Writes that a node which it hit had put aside, and that were written anew.
    pub replayed: u64,
    /// Writes that a node which it hit had put aside, and that were given up for others.
    pub given_up: u64,
    /// Users who were signed out while it hurt.
    pub lost_sessions: u64,
    /// Accepted jobs lost by it.
    pub lost_jobs: u64,
    /// What was spent from the fault until all was as before, beyond what that time would have cost at the mean of the last minute before
    /// the fault, in US dollars. Below 0 when less was spent: a machine that is gone costs nothing.
    pub extra_spent: f64,
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
