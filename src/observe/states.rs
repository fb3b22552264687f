//! What is particular to each kind of service in a frame.

use std::time::Duration;

use crate::sim::SimTime;

use super::frame::{LogLine, SessionTally, Tally};

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
    /// Whose view this is: the number of the instance in its service.
    pub viewer: usize,
    /// The name of the cookie by which users stick to a server.
    pub sticky: Option<String>,
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
    /// Ejected for failing real requests, until then.
    pub ejected: Option<SimTime>,
    /// In slow start: its share of a whole share, below 1.
    pub ramp: f64,
    /// Its weight.
    pub weight: f64,
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

/// The name service, with what resolvers and people hold of it.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsState {
    /// Time to live of an answer.
    pub ttl: Duration,
    /// Caches of all resolvers.
    pub resolvers: u32,
    /// Those that hold a valid answer.
    pub holding: u32,
    /// Stub caches on people's devices.
    pub stubs: u32,
    /// Those that hold a valid answer.
    pub stubs_holding: u32,
    /// Longest remaining life of the answers held anywhere.
    pub longest: Duration,
    /// The addresses of the domain, and what the checks say of each; without checks all are believed up.
    pub records: Vec<BackendState>,
    /// Whether the addresses are checked.
    pub checked: bool,
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
    /// Its sessions.
    pub sessions: SessionTally,
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

/// Where the sessions of a web tier are.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionsState {
    /// In words: `in each server`, `in the store sessions`, `in tokens`. `None`: nobody signs in.
    pub mode: Option<String>,
    /// Sessions in the memory of its instances; those of a store are with the store.
    pub held: u64,
}

/// Functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerlessState {
    /// Instances that work now.
    pub busy: u32,
    /// Instances that are starting.
    pub starting: u32,
    /// Instances that are idle and warm.
    pub warm: u32,
    /// Instances at once, at most.
    pub limit: u32,
    /// Cold starts since the start.
    pub cold_starts: u64,
    /// Requests since the start.
    pub invocations: u64,
    /// Requests turned away at the limit since the start.
    pub throttled: u64,
    /// What it has cost since the start, in US dollars.
    pub spent: f64,
}

/// An autoscaler.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoscalerState {
    /// Index of the service that it scales.
    pub of: usize,
    /// Whether it is switched on.
    pub on: bool,
    /// The fewest machines.
    pub min: u32,
    /// The most machines.
    pub max: u32,
    /// What it holds, in words: `60% of the cores`, `100 requests/s each`.
    pub target: String,
    /// Machines now, booting ones among them, leaving ones not.
    pub machines: u32,
    /// What it measured last: a share of the cores, or requests a second of each machine.
    pub measured: Option<f64>,
    /// Its last decisions in words, the oldest first; at most 20.
    pub decisions: Vec<LogLine>,
}

/// The resolver of a population's region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolverState {
    /// Its caches.
    pub caches: u32,
    /// Those that hold a valid answer.
    pub holding: u32,
    /// Longest remaining life of the answers held.
    pub longest: Duration,
    /// Look-ups since the start.
    pub lookups: u64,
    /// Those of them that were answered from a cache.
    pub hits: u64,
}

/// How a service treats one that it calls.
#[derive(Clone, Debug, PartialEq)]
pub struct CallsState {
    /// Index of the service that is called.
    pub to: usize,
    /// Calls since the start, retries not counted.
    pub calls: u64,
    /// Calls that failed in the end.
    pub failed: u64,
    /// Retries since the start.
    pub retried: u64,
    /// Retries that the budget did not allow.
    pub over_budget: u64,
    /// Second requests that were sent early, to hedge.
    pub hedged: u64,
    /// Calls that an open breaker stopped.
    pub stopped: u64,
    /// Breakers by state: closed, open, half open. All 0 without breakers.
    pub breakers: [u32; 3],
    /// Connections in use; `None` without a limit.
    pub connections: Option<u32>,
    /// The limit of connections of all instances together.
    pub most_connections: Option<u32>,
    /// Calls that wait for a connection.
    pub waiting: u32,
    /// The settings in words: `timeout 2s, 1 retry, budget 20%, breaker`.
    pub policy: String,
}
