//! From the state of a database to its report.

use crate::observe::{ConflictLine, DatabaseKind, DatabaseState, NodeRole, NodeState, Promises, ShardState};

use super::super::build::ms;
use super::{ConflictReport, DatabaseReport, MigrationReport, NodeReport, PromisesReport, ShardReport};

/// The report of a database.
pub(in crate::report) fn database(state: &DatabaseState) -> DatabaseReport {
    DatabaseReport {
        rows: state.rows,
        writes: state.writes,
        reads: state.reads,
        kind: match state.kind {
            DatabaseKind::Single => "single",
            DatabaseKind::PrimaryReplicas => "primary_replicas",
            DatabaseKind::MultiPrimary => "multi_primary",
            DatabaseKind::Circular => "circular",
        },
        policy: state.policy.clone(),
        sharding: state.sharding.clone(),
        nodes: state.nodes.iter().map(node).collect(),
        shards: state.shards.iter().map(shard).collect(),
        migration: state.migration.map(|migration| MigrationReport {
            moving: migration.moving,
            done: migration.done,
        }),
        promises: promises(state.promises),
        conflicts: state.conflicts.iter().map(conflict).collect(),
    }
}

fn node(state: &NodeState) -> NodeReport {
    NodeReport {
        selector: state.name.clone(),
        shard: state.shard,
        number: state.number,
        role: state.role.map(role),
        term: state.term,
        position: state.position,
        behind: state.behind,
        lag_ms: ms(state.lag),
        torn: state.torn,
        agrees: state.agrees,
        aside: state.aside,
        siblings: state.siblings,
        rebuilt: state.rebuilt,
        skew_ms: state.skew_ms,
        rows: state.rows,
        voter: state.voter,
    }
}

fn role(role: NodeRole) -> &'static str {
    match role {
        NodeRole::Alone => "alone",
        NodeRole::Primary => "primary",
        NodeRole::Fenced => "fenced",
        NodeRole::Replica => "replica",
        NodeRole::Candidate => "candidate",
        NodeRole::Rebuilding => "rebuilding",
        NodeRole::Recovering => "recovering",
        NodeRole::Peer => "peer",
    }
}

fn shard(state: &ShardState) -> ShardReport {
    ShardReport {
        number: state.number,
        requests_per_s: state.rate,
        utilisation: state.utilisation,
        rows: state.rows,
        writable: state.writable,
        agrees: state.agrees,
    }
}

fn promises(promises: Promises) -> PromisesReport {
    PromisesReport {
        acknowledged: promises.acknowledged,
        unknown: promises.unknown,
        lost: promises.lost,
        missing: promises.missing,
        at_risk: promises.at_risk,
        reads: promises.reads,
        stale: promises.stale,
        stale_copies: promises.stale_copies,
        stale_mean_ms: ms(promises.stale_mean),
        stale_longest_ms: ms(promises.stale_longest),
        own_writes_unseen: promises.own_writes_unseen,
        read_backwards: promises.read_backwards,
        sampled: promises.sampled,
        dropped_older: promises.dropped_older,
        dropped_later: promises.dropped_later,
        merged: promises.merged,
        siblings: promises.siblings,
        replayed: promises.replayed,
        given_up: promises.given_up,
    }
}

fn conflict(line: &ConflictLine) -> ConflictReport {
    ConflictReport {
        at_s: line.at.seconds(),
        key: line.key,
        text: line.text.clone(),
    }
}
