//! A database in the file: in one data center, or with other `machines` in several.

use std::time::Duration;

use serde::Deserialize;

use super::placement;
use super::replication::RawReplication;
use super::sharding::RawSharding;
use super::values::{RawDistribution, constant, exponential};
use crate::layout::model::Database;
use crate::layout::replication::{Mode, Replication};
use crate::layout::source::{Path, Problem};
use crate::layout::{bounds, check, duration};

/// `M` is what `machines` are: a number, or one for each data center.
#[derive(Deserialize)]
#[serde(rename = "Database", default, deny_unknown_fields)]
pub(super) struct RawDatabase<M> {
    pub on: Option<String>,
    pub machines: Option<M>,
    pub first: Option<String>,
    pub monitors_in: Vec<String>,
    pub size: Option<String>,
    slots: u32,
    backlog: u32,
    connections: Option<u32>,
    read: RawDistribution,
    write: RawDistribution,
    apply: RawDistribution,
    #[serde(with = "duration")]
    flush: Duration,
    checkpoint: u64,
    log: u64,
    copy_rate: f64,
    rows: u64,
    #[serde(with = "duration")]
    boot: Duration,
    replication: RawReplication,
    sharding: Option<RawSharding>,
}

impl<M> Default for RawDatabase<M> {
    fn default() -> Self {
        RawDatabase {
            on: None,
            machines: None,
            first: None,
            monitors_in: Vec::new(),
            size: None,
            slots: 32,
            backlog: 1_000,
            connections: None,
            read: exponential(1_000),
            write: exponential(2_000),
            apply: constant(100),
            flush: Duration::from_micros(100),
            checkpoint: 10_000,
            log: 100_000,
            copy_rate: 50_000.0,
            rows: 100_000,
            boot: Duration::from_secs(10),
            replication: RawReplication::None,
            sharding: None,
        }
    }
}

impl RawDatabase<u32> {
    pub fn model(self, path: &Path, sites: &[String]) -> Result<Database, Problem> {
        let given = [
            ("first", self.first.is_some()),
            ("monitors_in", !self.monitors_in.is_empty()),
        ];
        if let Some((field, _)) = given.into_iter().find(|(_, given)| *given) {
            let message =
                format!("`{field}` is for a database with nodes in several data centers, which stands in `databases`");
            return Err(path.key(field).problem(message));
        }
        let size = placement(path, self.on.as_ref(), self.size.clone(), "m", self.machines)?;
        if self.on.is_some() {
            let spread = [
                ("replication", !matches!(self.replication, RawReplication::None)),
                ("sharding", self.sharding.is_some()),
            ];
            if let Some((field, _)) = spread.into_iter().find(|(_, given)| *given) {
                let message = format!("`{field}` and `on` exclude each other: the host is one machine");
                return Err(path.key(field).problem(message));
            }
        }
        let default = match self.replication {
            RawReplication::None => 1,
            _ => 3,
        };
        let machines = self.machines.unwrap_or(default);
        check::whole(&path.at("machines"), machines, bounds::NODES)?;
        self.with_nodes(path, size, machines, sites)
    }
}

impl<M> RawDatabase<M> {
    /// The database with so many nodes of each shard, in all data centers together.
    pub fn with_nodes(self, path: &Path, size: String, nodes: u32, sites: &[String]) -> Result<Database, Problem> {
        let (read, write, apply) = (self.read.into(), self.write.into(), self.apply.into());
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::whole(&path.at("backlog"), self.backlog, 0..=check::MOST_SLOTS)?;
        if let Some(connections) = self.connections {
            check::whole(&path.at("connections"), connections, bounds::CONNECTIONS)?;
        }
        check::distribution(&path.at("read"), read)?;
        check::distribution(&path.at("write"), write)?;
        check::distribution(&path.at("apply"), apply)?;
        check::time(&path.at("flush"), self.flush, Duration::ZERO..=Duration::from_secs(60))?;
        check::whole(&path.at("checkpoint"), self.checkpoint, bounds::ENTRIES)?;
        check::whole(&path.at("log"), self.log, bounds::ENTRIES)?;
        check::number(&path.at("copy_rate"), self.copy_rate, bounds::COPY_RATE)?;
        check::whole(&path.at("rows"), self.rows, 0..=check::MOST_KEYS)?;
        check::span(&path.at("boot"), self.boot)?;
        let replication = self.replication.model(&path.at("replication"), sites)?;
        check_nodes(path, nodes, &replication)?;
        let sharding = self.sharding.map(|raw| raw.model(&path.at("sharding")));
        Ok(Database {
            on: self.on,
            machines: nodes,
            first: self.first,
            monitors_in: self.monitors_in,
            size,
            slots: self.slots,
            backlog: self.backlog,
            connections: self.connections,
            read,
            write,
            apply,
            flush: self.flush,
            checkpoint: self.checkpoint,
            log: self.log,
            copy_rate: self.copy_rate,
            rows: self.rows,
            boot: self.boot,
            replication,
            sharding: sharding.transpose()?,
        })
    }
}

/// Whether so many nodes can keep copies in this way.
fn check_nodes(path: &Path, nodes: u32, replication: &Replication) -> Result<(), Problem> {
    let message = match (replication, nodes) {
        (Replication::None, 2..) => format!(
            "{nodes} nodes of a shard without replication would hold different rows; write replication: PrimaryReplicas() for \
             copies; what spreads rows is `sharding`"
        ),
        (Replication::PrimaryReplicas(_), 1) => {
            "a primary alone has no replica; give it at least 2 nodes, or leave `replication` out".to_owned()
        }
        (Replication::MultiPrimary(_), 1) => {
            "a primary alone has nobody to exchange changes with; give it at least 2 nodes, or leave `replication` out"
                .to_owned()
        }
        (Replication::Circular(_), 1) => {
            "a ring of one is no ring; give it at least 2 nodes, or leave `replication` out".to_owned()
        }
        (Replication::PrimaryReplicas(settings), 2) if settings.mode == Mode::Quorum => {
            let message = "a majority of 2 nodes is both of them, so each death stops all writes; take 3 nodes, or \
                           mode: Synchronous, which says so";
            return Err(path.at("replication").at("mode").problem(message));
        }
        _ => return Ok(()),
    };
    Err(path.at("machines").problem(message))
}
