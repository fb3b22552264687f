//! What is particular to each kind of service in a frame.

use std::time::Duration;

use crate::protocol::Ask;
use crate::sim::SimTime;

use super::frame::{LogLine, SessionTally, Tally};
use super::probe::NodeRole;

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
    /// Failed checks in a row until an address is left out, and passed ones until it is answered again; 0 without checks.
    pub rules: (u32, u32),
    /// How it chooses among data centers, in a word or two: `geo`, `latency`, `weighted`, `failover`, `in turn`.
    pub routing: String,
    /// By population: where it is sent now, and why. Empty where there is only one data center to be sent to.
    pub sent: Vec<SentState>,
}

/// Where the name service sends a population.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentState {
    /// Index of the population's service.
    pub users: usize,
    /// Index of the data center; `None` when its users are spread over several, or sent to a CDN.
    pub site: Option<usize>,
    /// Why, in words: `nearest, 0 km`, `fastest, 42 ms`, `us-east is left out; next, 5,500 km`.
    pub why: String,
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
    /// Requests since the start that have ended, by what was asked for, in the order of [`Ask::ALL`].
    pub by_ask: [Ended; Ask::ALL.len()],
    /// What is asked for, by weight, in the order of [`Ask::ALL`].
    pub asks: [f64; Ask::ALL.len()],
    /// Requests that wait for an answer now.
    pub waiting: u64,
    /// Its sessions.
    pub sessions: SessionTally,
    /// Static files since the start that were older than those of the site.
    pub stale_assets: u64,
    /// Requests a second in each of the last 60 s, the oldest first.
    pub trend: Vec<f32>,
}

/// Requests that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Answered well.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
}

/// A database: the nodes of one service, and what is true of all of it, wherever its nodes stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatabaseState {
    /// Rows that exist: of each shard as the node has it that knows most.
    pub rows: u64,
    /// Writes done since the start by the nodes of this service.
    pub writes: u64,
    /// Reads answered since the start by the nodes of this service.
    pub reads: u64,
    /// How its nodes keep copies.
    pub kind: DatabaseKind,
    /// The settings in words: `asynchronous, failover after 6s, 3 monitors, fencing`.
    pub policy: String,
    /// All nodes of the database, by shard and number, also those in other data centers.
    pub nodes: Vec<NodeState>,
    /// Its shards; one if it is not sharded.
    pub shards: Vec<ShardState>,
    /// How keys find their shard, in words: `consistent hashing, 100 points each`; nothing if it is not sharded.
    pub sharding: Option<String>,
    /// Rows that move to other shards, while they do.
    pub migration: Option<MigrationState>,
    /// What clients were told, compared with what the nodes hold.
    pub promises: Promises,
    /// Versions that lost against others, the newest last; at most 50.
    pub conflicts: Vec<ConflictLine>,
}

/// How the nodes of a database keep copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DatabaseKind {
    /// There are none.
    #[default]
    Single,
    /// A primary and its replicas.
    PrimaryReplicas,
    /// Several primaries.
    MultiPrimary,
    /// A ring.
    Circular,
}

/// A node of a database.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeState {
    /// Index of its service and of the instance in it.
    pub instance: Option<(usize, usize)>,
    /// Its selector: `db/2`.
    pub name: String,
    /// Its shard, from 0.
    pub shard: u32,
    /// Its number in the shard, from 0.
    pub number: u8,
    /// What it does; `None` when it is down.
    pub role: Option<NodeRole>,
    /// The number of its term, from 1; 0 where there are none.
    pub term: u32,
    /// Entries in its log since the start.
    pub position: u64,
    /// Entries that it lacks of those that the furthest node of its shard has.
    pub behind: u64,
    /// How old the oldest of those is.
    pub lag: Duration,
    /// Whether no packet reaches it from the node that it follows.
    pub torn: bool,
    /// Whether its rows are the same as those of the furthest node: only if all have the same is there no conflict left.
    pub agrees: bool,
    /// Writes that it has put aside.
    pub aside: u64,
    /// Rows with several versions.
    pub siblings: u64,
    /// While it is rebuilt: the share that is done.
    pub rebuilt: Option<f64>,
    /// By how many milliseconds its wall clock is off.
    pub skew_ms: f64,
    /// Rows that exist on it.
    pub rows: u64,
    /// It has a say: a new replica has not until it has all rows.
    pub voter: bool,
}

/// A shard of a database.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardState {
    /// Its number, from 0.
    pub number: u32,
    /// Requests a second that its nodes received in the last second.
    pub rate: f64,
    /// The mean share of their cores in use.
    pub utilisation: f64,
    /// Rows that exist.
    pub rows: u64,
    /// Whether it takes writes.
    pub writable: bool,
    /// Whether all its nodes that are up have the same rows.
    pub agrees: bool,
}

/// Rows that move to other shards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MigrationState {
    /// Share of the keys that move, of all keys.
    pub moving: f64,
    /// Share of those that have moved.
    pub done: f64,
}

/// Two versions of a row that were in conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictLine {
    /// When it was found.
    pub at: SimTime,
    /// The row.
    pub key: u64,
    /// What became of it, in words: `db/2 of 03:12.4 dropped for db/1 of 03:12.3`.
    pub text: String,
}

/// What clients were told of a database, compared with what it holds. It counts the newest acknowledged write of each row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Promises {
    /// Writes acknowledged since the start.
    pub acknowledged: u64,
    /// Writes of which nobody knows whether they were done.
    pub unknown: u64,
    /// Acknowledged writes that no disk holds any more, since the start.
    pub lost: u64,
    /// Acknowledged writes that the nodes which take part do not have now, though some disk does.
    pub missing: u64,
    /// Acknowledged writes that would be lost if the primary's machine were destroyed now.
    pub at_risk: u64,
    /// Reads since the start.
    pub reads: u64,
    /// Those of them that returned old data: a newer write had been acknowledged before the user asked.
    pub stale: u64,
    /// Those of the stale reads that came from a cache.
    pub stale_copies: u64,
    /// The mean age of what was stale: how long before the read the newer write had been acknowledged.
    pub stale_mean: Duration,
    /// The longest.
    pub stale_longest: Duration,
    /// Reads of sampled users that did not find what the same user had written.
    pub own_writes_unseen: u64,
    /// Reads of sampled users that returned an older version than the same user had seen.
    pub read_backwards: u64,
    /// The share of the users that is sampled.
    pub sampled: f64,
    /// Conflicting writes of which one was dropped, the older one by the true time.
    pub dropped_older: u64,
    /// Conflicting writes of which the later one was dropped, by the true time.
    pub dropped_later: u64,
    /// Conflicting writes that were merged.
    pub merged: u64,
    /// Conflicting writes that are kept beside each other.
    pub siblings: u64,
    /// Writes that were put aside and written anew.
    pub replayed: u64,
    /// Writes that were put aside and given up for others.
    pub given_up: u64,
}

/// A monitor of a database.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorState {
    /// The database.
    pub of: usize,
    /// By shard: the selector of the node that holds the lease, as the first monitor that is up knows it, and how long it still lasts.
    pub leases: Vec<(Option<String>, Duration)>,
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
