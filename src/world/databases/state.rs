//! Databases as they stand in a frame, and what expectations measure of them.

use std::time::Duration;

use crate::layout::{Measure, Mode, Reads, Replication, Rule, ShardBy, duration};
use crate::observe::{
    DatabaseKind, DatabaseState, Health, Ledger, MigrationState, MonitorState, NodeRole, NodeState, ShardState,
};
use crate::protocol::Term;
use crate::sim::{InstanceId, ProcessState};

use super::super::World;
use super::super::entries::{Role, ServiceEntry};
use super::Stored;
use super::look::{Node, Nodes, leads};

/// What a service of a database shows; what is true of all of it is the same in each of them.
pub(in crate::world) fn database_state(world: &World, service: &ServiceEntry) -> Option<DatabaseState> {
    let Role::Database { database, probes, .. } = &service.role else {
        return None;
    };
    let entry = &world.databases[*database];
    let nodes = Nodes::of(world, *database);
    let shards: Vec<ShardState> = (0..nodes.shards())
        .map(|shard| shard_state(world, &nodes, shard))
        .collect();
    let spec = entry.cluster.spec.borrow();
    let map = entry.cluster.map.borrow();
    let ledger = world.chronicle.ledgers.get(database);
    let mut promises = ledger.map(Ledger::promises).unwrap_or_default();
    if let Some(ledger) = ledger.filter(|_| !entry.is_plain()) {
        promises.at_risk = ledger.at_risk(|key, stamp| entry.risk_place(key, stamp), &entry.safe.borrow());
    }
    Some(DatabaseState {
        rows: shards.iter().map(|shard| shard.rows).sum(),
        writes: probes.iter().map(|probe| probe.writes.get()).sum(),
        reads: probes.iter().map(|probe| probe.reads.get()).sum(),
        kind: match spec.replication {
            Replication::None => DatabaseKind::Single,
            Replication::PrimaryReplicas(_) => DatabaseKind::PrimaryReplicas,
            Replication::MultiPrimary(_) => DatabaseKind::MultiPrimary,
            Replication::Circular(_) => DatabaseKind::Circular,
        },
        policy: policy(&spec.replication),
        nodes: nodes.nodes.iter().map(|node| node_state(world, &nodes, node)).collect(),
        shards,
        sharding: spec.sharding.map(|sharding| sharding_name(sharding.by)),
        migration: map.is_moving().then(|| MigrationState {
            moving: map.moving_share(),
            done: entry.moved.get(),
        }),
        promises,
        conflicts: conflicts(world, &nodes),
    })
}

/// How nodes keep copies, in words.
pub(in crate::world) fn policy(replication: &Replication) -> String {
    match replication {
        Replication::None => String::new(),
        Replication::PrimaryReplicas(settings) => {
            let mode = match settings.mode {
                Mode::Asynchronous => "asynchronous",
                Mode::SemiSynchronous => "semi-synchronous",
                Mode::Synchronous => "synchronous",
                Mode::Quorum => "quorum",
            };
            let reads = match settings.reads {
                Reads::Replicas => "reads from replicas",
                Reads::Primary => "reads from the primary",
                Reads::Any => "reads from any node",
            };
            let failover = match settings.failover {
                Some(failover) => {
                    let monitors = match failover.monitors {
                        1 => "1 monitor".to_owned(),
                        several => format!("{several} monitors"),
                    };
                    let fencing = if failover.fencing { "fencing" } else { "no fencing" };
                    format!(
                        "failover after {}, {monitors}, {fencing}",
                        duration::format(failover.after)
                    )
                }
                None => "failover by hand".to_owned(),
            };
            let own = if settings.read_your_writes {
                ", read your writes"
            } else {
                ""
            };
            let recovery = if settings.recovery { "" } else { ", recovery by hand" };
            format!("{mode}, {reads}, {failover}{own}{recovery}")
        }
        Replication::MultiPrimary(peers) => format!("every node takes writes, {}", rule(&peers.rule)),
        Replication::Circular(peers) => {
            let close = match peers.close {
                Some(after) => format!("closed around a silent node after {}", duration::format(after)),
                None => "closed by hand".to_owned(),
            };
            format!("a ring, {}, {close}", rule(&peers.rule))
        }
    }
}

/// What becomes of conflicts, in words.
fn rule(rule: &Rule) -> String {
    match rule {
        Rule::LastWriteWins => "last write wins".to_owned(),
        Rule::HybridClocks => "hybrid clocks".to_owned(),
        Rule::HighestValue => "highest value".to_owned(),
        Rule::MergeSets => "merge sets".to_owned(),
        Rule::KeepBoth => "keep both".to_owned(),
        Rule::SitePriority(sites) if sites.is_empty() => "site priority".to_owned(),
        Rule::SitePriority(sites) => format!("site priority, {}", sites.join(" before ")),
    }
}

fn sharding_name(by: ShardBy) -> String {
    match by {
        ShardBy::Modulo => "hash modulo the shards".to_owned(),
        ShardBy::ConsistentHash { virtual_nodes } => format!("consistent hashing, {virtual_nodes} points each"),
        ShardBy::Jump => "jump hashing".to_owned(),
        ShardBy::Range => "ranges of keys".to_owned(),
        ShardBy::Directory => "a directory of 1,024 buckets".to_owned(),
    }
}

fn node_state(world: &World, nodes: &Nodes, node: &Node) -> NodeState {
    let (service, number) = (node.service, node.number);
    let (behind, since) = nodes.behind(node);
    let Role::Database { database, probes, .. } = &world.services[service].role else {
        unreachable!("nodes are of databases")
    };
    let probe = &probes[number];
    let cluster = &world.databases[*database].cluster;
    let lead = nodes.lead(node.place.shard);
    let source = probe
        .source
        .get()
        .or(lead.map(|lead| lead.id))
        .filter(|source| *source != node.id);
    let role = node.up.then(|| probe.role.get());
    let term = match &node.stored {
        Some(Stored::Log(disk)) if disk.term() != Term::default() => disk.term().number(),
        _ => 0,
    };
    let (done, of) = probe.rebuilt.get();
    NodeState {
        instance: world.position(node.id),
        name: world.selector_of(node.id),
        shard: node.place.shard,
        number: node.place.node,
        role,
        term,
        position: node.position().index,
        behind,
        lag: since.map_or(Duration::ZERO, |since| world.now().since(since)),
        torn: source.is_some_and(|source| world.is_torn(node.id, source)),
        agrees: node.hash().is_some() && node.hash() == lead.and_then(Node::hash),
        aside: node.aside(),
        siblings: node.siblings(),
        rebuilt: (role == Some(NodeRole::Rebuilding)).then(|| done as f64 / of.max(1) as f64),
        skew_ms: probe.skew.get() as f64 / 1e6,
        rows: node.rows(),
        voter: cluster.place(node.id).is_some_and(|(_, member)| member.voter),
    }
}

fn shard_state(world: &World, nodes: &Nodes, shard: u32) -> ShardState {
    let members: Vec<&Node> = nodes.in_shard(shard).collect();
    let instances = members
        .iter()
        .map(|node| &world.services[node.service].instances[node.number]);
    let rate = instances.clone().map(|instance| instance.sampled.rate).sum();
    let used: f64 = instances.map(|instance| instance.sampled.utilisation).sum();
    let hashes: Vec<Option<u64>> = members.iter().filter(|node| node.up).map(|node| node.hash()).collect();
    ShardState {
        number: shard,
        rate,
        utilisation: used / members.len().max(1) as f64,
        rows: nodes.lead(shard).map_or(0, Node::rows),
        writable: members
            .iter()
            .any(|node| node.up && world.role_of(node.id).is_some_and(leads)),
        agrees: hashes.windows(2).all(|pair| pair[0] == pair[1]),
    }
}

/// Versions that lost, of all nodes.
fn conflicts(world: &World, nodes: &Nodes) -> Vec<crate::observe::ConflictLine> {
    const SHOWN: usize = 50;
    let name = |shard: u32, node: u8| {
        let found = nodes.in_shard(shard).find(|other| other.place.node == node);
        found.map_or_else(|| format!("node {}", node + 1), |node| world.selector_of(node.id))
    };
    let mut lines = Vec::new();
    for node in &nodes.nodes {
        let Some(Stored::Peer(disk)) = &node.stored else {
            continue;
        };
        for (at, key, dropped, kept, how) in disk.history() {
            let (lost, stands) = (
                name(node.place.shard, dropped.node()),
                name(node.place.shard, kept.node()),
            );
            let what = match how {
                crate::observe::Resolution::Merged => "merged with",
                crate::observe::Resolution::Siblings => "kept beside",
                _ => "lost against",
            };
            let text = format!("{lost} at {} {what} {stands} at {}", dropped.at(), kept.at());
            lines.push(crate::observe::ConflictLine { at, key, text });
        }
    }
    lines.sort_by(|a, b| (a.at, a.key, &a.text).cmp(&(b.at, b.key, &b.text)));
    lines.dedup();
    lines.split_off(lines.len().saturating_sub(SHOWN))
}

/// What the monitors of a database know.
pub(in crate::world) fn monitor_state(world: &World, service: &ServiceEntry) -> Option<MonitorState> {
    let Role::Monitor { database, probes, .. } = &service.role else {
        return None;
    };
    let of = world.databases[*database].services.first().copied()?;
    let up = |number: &usize| service.instances[*number].health == Health::Up;
    let viewer = (0..probes.len()).find(up);
    let now = world.now();
    let leases = viewer.map_or_else(Vec::new, |viewer| {
        let leases = probes[viewer].leases.borrow();
        let shown = leases.iter().map(|(holder, until)| {
            let holder = holder.filter(|_| *until > now);
            (holder.map(|id| world.selector_of(id)), until.since(now))
        });
        shown.collect()
    });
    Some(MonitorState { of, leases })
}

impl World {
    /// What a node of a database does, as it believes; `None` when it is down, or no node.
    pub(super) fn role_of(&self, id: InstanceId) -> Option<NodeRole> {
        let (service, number) = self.places[id.0 as usize];
        match &self.services[service].role {
            Role::Database { probes, .. } if self.kernel.process_state(id) == ProcessState::Up => {
                Some(probes[number].role.get())
            }
            _ => None,
        }
    }
}

/// What an expectation measures of databases; `None` if it is about something else.
pub(in crate::world) fn measure(world: &World, measure: &Measure) -> Option<f64> {
    let promised = |of: fn(&crate::observe::Promises) -> u64| -> f64 {
        let ledgers = world.chronicle.ledgers.values();
        ledgers.map(|ledger| of(&ledger.promises())).sum::<u64>() as f64
    };
    Some(match measure {
        Measure::Stale => promised(|promises| promises.stale),
        Measure::Missing => promised(|promises| promises.missing),
        Measure::Unknown => promised(|promises| promises.unknown),
        Measure::Unseen => promised(|promises| promises.own_writes_unseen),
        Measure::Backwards => promised(|promises| promises.read_backwards),
        Measure::Conflicts => {
            promised(|promises| promises.dropped_older + promises.dropped_later + promises.merged + promises.siblings)
        }
        Measure::DroppedLater => promised(|promises| promises.dropped_later),
        Measure::Replayed => promised(|promises| promises.replayed),
        Measure::GivenUp => promised(|promises| promises.given_up),
        Measure::AtRisk => {
            let databases = world.databases.iter().enumerate();
            let risks = databases.filter(|(_, entry)| !entry.is_plain()).map(|(number, entry)| {
                let ledger = world.chronicle.ledgers.get(&number);
                let place = |key, stamp| entry.risk_place(key, stamp);
                ledger.map_or(0, |ledger| ledger.at_risk(place, &entry.safe.borrow()))
            });
            risks.sum::<u64>() as f64
        }
        Measure::Lag(name)
        | Measure::Behind(name)
        | Measure::Primaries(name)
        | Measure::Diverged(name)
        | Measure::Rows(name)
        | Measure::Moving(name) => of_database(world, measure, name),
        _ => return None,
    })
}

/// A measure of the database that a service belongs to.
fn of_database(world: &World, measure: &Measure, name: &str) -> f64 {
    let named = |service: &&ServiceEntry| service.full == *name || service.name == *name;
    let Some(Role::Database { database, .. }) = world.services.iter().find(named).map(|service| &service.role) else {
        return 0.0;
    };
    let nodes = Nodes::of(world, *database);
    let up = || nodes.nodes.iter().filter(|node| node.up);
    let entry = &world.databases[*database];
    match measure {
        Measure::Lag(_) => {
            let since = up().filter_map(|node| nodes.behind(node).1).min();
            since.map_or(0.0, |since| world.now().since(since).as_secs_f64())
        }
        Measure::Behind(_) => up().map(|node| nodes.behind(node).0).max().unwrap_or(0) as f64,
        Measure::Primaries(_) => {
            let takes = |node: &&Node| world.role_of(node.id).is_some_and(leads);
            let shards = 0..nodes.shards();
            let counts = shards.map(|shard| up().filter(|node| node.place.shard == shard).filter(takes).count());
            counts.max().unwrap_or(0) as f64
        }
        Measure::Diverged(_) => {
            let differs = |node: &&Node| {
                nodes
                    .lead(node.place.shard)
                    .is_some_and(|lead| lead.hash() != node.hash())
            };
            up().filter(differs).count() as f64
        }
        Measure::Rows(_) => (0..nodes.shards())
            .filter_map(|shard| nodes.lead(shard))
            .map(Node::rows)
            .sum::<u64>() as f64,
        Measure::Moving(_) if entry.cluster.map.borrow().is_moving() => 1.0 - entry.moved.get(),
        _ => 0.0,
    }
}
