//! How the nodes of a database keep copies, and how rows are spread over shards.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the nodes of a shard keep copies.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Replication {
    /// There is one node.
    #[default]
    None,
    /// One node takes the writes, the others follow its log. In a layout also `MasterSlaves`, as older books call it.
    PrimaryReplicas(PrimaryReplicas),
    /// Every node takes reads and writes, and fetches what the others wrote.
    MultiPrimary(Peers),
    /// Every node takes reads and writes, and fetches what the one before it in the ring knows.
    Circular(Peers),
}

/// A primary and its replicas. (Master and slaves in older books.)
#[derive(Clone, Debug, PartialEq)]
pub struct PrimaryReplicas {
    /// When a write counts as done. Default asynchronous.
    pub mode: Mode,
    /// Who answers reads. Default the replicas.
    pub reads: Reads,
    /// Whether users are to find what they wrote: a node that has not applied a user's last write yet passes the read on to the primary. Default
    /// false.
    pub read_your_writes: bool,
    /// What happens when the primary is silent. Default [`Failover::default`].
    pub failover: Option<Failover>,
    /// Whether a former primary gives the writes that nobody else has to the new one by itself; else by `recover`. Default true.
    pub recovery: bool,
    /// How long a node is down before a new one is set up in its place. Default none: by hand.
    pub replace: Option<Duration>,
    /// How long the primary waits for acknowledgements of a write; then nobody knows what became of it. Default 2 s.
    pub ack_timeout: Duration,
}

/// When a write counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// When the primary has it on its disk.
    #[default]
    Asynchronous,
    /// When one replica has it too. Without any replica in reach: as asynchronous (`MySQL`).
    SemiSynchronous,
    /// When all nodes have it. While one is out of reach, writes are refused.
    Synchronous,
    /// When a majority of the nodes has it. While no majority is in reach, writes are refused. Not for two nodes: their majority is both.
    Quorum,
}

/// Who answers reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reads {
    /// The replicas, those at hand first; a primary at hand before replicas in other data centers, and else when no replica is left.
    #[default]
    #[serde(alias = "Slaves")]
    Replicas,
    /// The primary. In a layout also `Master`.
    #[serde(alias = "Master")]
    Primary,
    /// All nodes.
    Any,
}

/// Automatic failover: monitors hold the primary's lease, and give it to another node when it was not renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failover {
    /// How long the lease lasts; the primary renews it three times in that time. From 100 ms to a week. Default 6 s (Patroni has 30 s).
    pub after: Duration,
    /// Monitors, each on a machine of its own; a majority of them must agree. 1, 3, 5 or 7: an even number outlives no more deaths. Default 3. With one, whoever is cut off
    /// from it loses the lease.
    pub monitors: u32,
    /// Whether a primary that could not renew its lease stops to take writes. Default true. Without it a primary that is cut off goes
    /// on, beside the new one: split brain.
    pub fencing: bool,
}

impl Default for Failover {
    fn default() -> Failover {
        Failover {
            after: Duration::from_secs(6),
            monitors: 3,
            fencing: true,
        }
    }
}

/// Nodes that all take writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Peers {
    /// What becomes of conflicting writes. Default last write wins.
    pub rule: Rule,
    /// In a ring: how long a node that is silent is waited for before its successor goes on to the one before it; none: by hand
    /// (`close`). Default 10 s. Without meaning elsewhere.
    pub close: Option<Duration>,
}

/// What becomes of conflicting writes to a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// The one with the latest time of the nodes' wall clocks, right or wrong (Cassandra).
    #[default]
    LastWriteWins,
    /// The one with the latest time of hybrid logical clocks, which never run backwards from what a node has seen (Kulkarni et al. 2014).
    HybridClocks,
    /// The one with the highest value.
    HighestValue,
    /// The union of both: rows are sets to which things are added, as a shopping cart (Dynamo, 2007).
    MergeSets,
    /// Both are kept as siblings, until a later write has seen both (Riak).
    KeepBoth,
    /// The one from the node that comes first: by this order of data centers, then by number. Data centers that are not named come after
    /// the others, in the order of their names; those of a layout are complete.
    SitePriority(Vec<String>),
}

/// How rows are spread over shards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sharding {
    /// Shards at the start. From 1 to 256.
    pub shards: u32,
    /// How a key finds its shard. Default consistent hashing with 100 points.
    pub by: ShardBy,
}

/// How a key finds its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShardBy {
    /// The hash of the key modulo the number of shards.
    Modulo,
    /// On a ring with so many points for each shard (Karger et al. 1997). From 1 to 10,000. Default 100.
    ConsistentHash {
        /// Points of each shard.
        virtual_nodes: u32,
    },
    /// By jump consistent hashing (Lamping and Veach 2014).
    Jump,
    /// By ranges of keys; a new shard takes half of the largest range.
    Range,
    /// By a table of 1,024 buckets; a new shard takes its share of them from all others.
    Directory,
}

impl Replication {
    /// The settings of a primary and its replicas, if that is what it is.
    pub fn primary_replicas(&self) -> Option<&PrimaryReplicas> {
        match self {
            Replication::PrimaryReplicas(settings) => Some(settings),
            _ => None,
        }
    }

    /// The settings of nodes that all take writes, if that is what they do.
    pub fn peers(&self) -> Option<&Peers> {
        match self {
            Replication::MultiPrimary(settings) | Replication::Circular(settings) => Some(settings),
            _ => None,
        }
    }
}

impl Rule {
    /// The rule with all data centers in its order: those that it does not name come after the others, in the order given here.
    #[must_use]
    pub fn completed<'a>(self, sites: impl IntoIterator<Item = &'a str>) -> Rule {
        let Rule::SitePriority(mut order) = self else {
            return self;
        };
        for site in sites {
            if !order.iter().any(|known| known == site) {
                order.push(site.to_owned());
            }
        }
        Rule::SitePriority(order)
    }
}

impl Default for PrimaryReplicas {
    fn default() -> PrimaryReplicas {
        PrimaryReplicas {
            mode: Mode::default(),
            reads: Reads::default(),
            read_your_writes: false,
            failover: Some(Failover::default()),
            recovery: true,
            replace: None,
            ack_timeout: Duration::from_secs(2),
        }
    }
}

impl Default for Peers {
    fn default() -> Peers {
        Peers {
            rule: Rule::default(),
            close: Some(Duration::from_secs(10)),
        }
    }
}
