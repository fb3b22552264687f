//! Databases in a report: as data, from a frame, and as text.

mod build;
mod text;

use serde::Serialize;

pub(super) use build::database;
pub(super) use text::data;

/// What a database holds and did. What stands here of nodes, shards, promises and conflicts is that of the whole database, wherever its nodes
/// stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatabaseReport {
    /// Rows that exist.
    pub rows: u64,
    /// Writes acknowledged.
    pub writes: u64,
    /// Reads answered.
    pub reads: u64,
    /// `single`, `primary_replicas`, `multi_primary` or `circular`.
    pub kind: &'static str,
    /// The settings at the end, in words.
    pub policy: String,
    /// How keys find their shard, in words; nothing if it is not sharded.
    pub sharding: Option<String>,
    /// Its nodes at the end, by shard and number.
    pub nodes: Vec<NodeReport>,
    /// Its shards at the end; one if it is not sharded.
    pub shards: Vec<ShardReport>,
    /// Rows that move to other shards at the end, if any do.
    pub migration: Option<MigrationReport>,
    /// What users were told, compared with what its disks hold.
    pub promises: PromisesReport,
    /// Versions that lost against others, the oldest first; at most the last 50.
    pub conflicts: Vec<ConflictReport>,
}

/// A node at the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeReport {
    /// Its selector.
    pub selector: String,
    /// Its shard, from 0.
    pub shard: u32,
    /// Its number in the shard, from 0.
    pub number: u8,
    /// What it does: `alone`, `primary`, `fenced`, `replica`, `candidate`, `rebuilding`, `recovering` or `peer`; nothing when it is down.
    pub role: Option<&'static str>,
    /// The number of its term, from 1; 0 where there are none.
    pub term: u32,
    /// Entries in its log since the start.
    pub position: u64,
    /// Entries that it lacks of those that the furthest node of its shard has.
    pub behind: u64,
    /// How old the oldest of those is.
    pub lag_ms: f64,
    /// No packet reaches it from the node that it follows.
    pub torn: bool,
    /// Its rows are those of the furthest node.
    pub agrees: bool,
    /// Writes that it has put aside.
    pub aside: u64,
    /// Rows with several versions.
    pub siblings: u64,
    /// While it is rebuilt: the share that is done, from 0 to 1.
    pub rebuilt: Option<f64>,
    /// By how much its wall clock is off.
    pub skew_ms: f64,
    /// Rows that exist on it.
    pub rows: u64,
    /// It has a say in majorities.
    pub voter: bool,
}

/// A shard at the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShardReport {
    /// Its number, from 0.
    pub number: u32,
    /// Requests that its nodes received in the last second.
    pub requests_per_s: f64,
    /// Mean share of their cores in use, from 0 to 1.
    pub utilisation: f64,
    /// Rows that exist.
    pub rows: u64,
    /// It takes writes.
    pub writable: bool,
    /// All its nodes that are up have the same rows.
    pub agrees: bool,
}

/// Rows that move to other shards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MigrationReport {
    /// The share of all keys that move.
    pub moving: f64,
    /// The share of those that have moved.
    pub done: f64,
}

/// What users were told, compared with what the disks hold. It counts the newest acknowledged write of each row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PromisesReport {
    /// Writes acknowledged.
    pub acknowledged: u64,
    /// Writes of which nobody knows whether they were done.
    pub unknown: u64,
    /// Acknowledged writes that no disk holds any more.
    pub lost: u64,
    /// Acknowledged writes that no node which takes part has at the end, though some disk has.
    pub missing: u64,
    /// Acknowledged writes that only one disk has at the end.
    pub at_risk: u64,
    /// Reads.
    pub reads: u64,
    /// Those that returned old data: a newer write had been acknowledged before the user asked.
    pub stale: u64,
    /// Those of the stale reads that came from a cache.
    pub stale_copies: u64,
    /// How long before the read the first newer write had been acknowledged, on average.
    pub stale_mean_ms: f64,
    /// The longest.
    pub stale_longest_ms: f64,
    /// Reads of sampled users that did not find what the same user had written.
    pub own_writes_unseen: u64,
    /// Reads of sampled users that returned an older version than the same user had seen.
    pub read_backwards: u64,
    /// The share of the users that is sampled, from 0 to 1.
    pub sampled: f64,
    /// Conflicts of which the older write was dropped, by the true time.
    pub dropped_older: u64,
    /// Conflicts of which the later write was dropped, by the true time.
    pub dropped_later: u64,
    /// Conflicts whose writes were merged.
    pub merged: u64,
    /// Conflicts whose writes are kept beside each other.
    pub siblings: u64,
    /// Writes that were put aside and written anew.
    pub replayed: u64,
    /// Writes that were put aside and given up for others.
    pub given_up: u64,
}

/// A conflict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConflictReport {
    /// When it was found.
    pub at_s: f64,
    /// The row.
    pub key: u64,
    /// What became of it.
    pub text: String,
}
