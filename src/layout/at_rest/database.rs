//! What the nodes of databases have to do at rest.

use std::collections::BTreeMap;

use crate::layout::model::{Asks, Database, Layout, Service};
use crate::layout::replication::{Reads, Replication};

/// What a search costs each shard, in reads.
const READS_OF_A_SEARCH: f64 = 10.0;

/// What is asked of a database, in requests a second.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked {
    reads: f64,
    writes: f64,
    searches: f64,
}

/// Who asks which database for what.
pub(super) struct Askers<'a> {
    layout: &'a Layout,
    /// By the first data center of the database and its name, then by the data center of those who ask.
    asked: BTreeMap<(&'a str, &'a str), BTreeMap<&'a str, Asked>>,
}

impl Asked {
    /// By people who ask for this, with so many requests a second.
    pub fn by(asks: &Asks, rate: f64) -> Asked {
        let per_weight = rate / asks.total();
        Asked {
            reads: asks.page * per_weight,
            writes: asks.writes() * per_weight,
            searches: asks.search * per_weight,
        }
    }
}

impl<'a> Askers<'a> {
    pub fn new(layout: &'a Layout) -> Askers<'a> {
        Askers {
            layout,
            asked: BTreeMap::new(),
        }
    }

    /// Notes what a data center asks a database of its own.
    pub fn add(&mut self, site: &'a str, database: &'a str, asked: Asked) {
        let Some((first, _)) = self.layout.nodes_of(site, database).first().copied() else {
            return;
        };
        let sum = self
            .asked
            .entry((first, database))
            .or_default()
            .entry(site)
            .or_default();
        sum.reads += asked.reads;
        sum.writes += asked.writes;
        sum.searches += asked.searches;
    }

    /// The core-seconds a second that the busiest node of each database spends in each data center.
    pub fn busiest(&self) -> Vec<(&'a str, &'a str, f64)> {
        let mut busiest = Vec::new();
        for ((first, name), askers) in &self.asked {
            let Some(Service::Database(database)) = self.layout.data_centers[*first].services.get(*name) else {
                continue;
            };
            let spread = self.layout.nodes_of(first, name);
            let nodes: Vec<&str> = spread
                .iter()
                .flat_map(|(site, count)| std::iter::repeat_n(*site, *count as usize))
                .collect();
            let loads = loads(database, &nodes, askers);
            for (site, _) in spread {
                let here = nodes.iter().zip(&loads).filter(|(node, _)| **node == site);
                busiest.push((site, *name, here.map(|(_, load)| *load).fold(0.0, f64::max)));
            }
        }
        busiest
    }
}

/// The core-seconds a second that each node of a shard spends; `nodes` says where they stand.
fn loads(database: &Database, nodes: &[&str], askers: &BTreeMap<&str, Asked>) -> Vec<f64> {
    let [read, write, apply] = [database.read, database.write, database.apply].map(|work| work.mean());
    let shards = f64::from(database.shards());
    let mut loads = vec![0.0; nodes.len()];
    for (site, asked) in askers {
        let reads = asked.reads / shards + READS_OF_A_SEARCH * asked.searches;
        let readers = readers(database, nodes.len());
        let mut answering = nearest(&readers, nodes, site);
        // The primary at home is nearer than a replica elsewhere.
        if nodes.first() == Some(site) && !answering.iter().any(|node| nodes[*node] == *site) && readers != [0] {
            answering = vec![0];
        }
        for node in &answering {
            loads[*node] += reads * read / answering.len() as f64;
        }
        let writes = asked.writes / shards;
        let takers = nearest(&writers(database, nodes.len()), nodes, site);
        for (node, load) in loads.iter_mut().enumerate() {
            let own = if takers.contains(&node) {
                writes / takers.len() as f64
            } else {
                0.0
            };
            *load += own * write + (writes - own) * apply;
        }
    }
    loads
}

/// The nodes that answer reads. The first one is the primary.
fn readers(database: &Database, count: usize) -> Vec<usize> {
    match &database.replication {
        Replication::PrimaryReplicas(settings) => match settings.reads {
            Reads::Replicas => (1..count).collect(),
            Reads::Primary => vec![0],
            Reads::Any => (0..count).collect(),
        },
        Replication::None | Replication::MultiPrimary(_) | Replication::Circular(_) => (0..count).collect(),
    }
}

/// The nodes that take writes.
fn writers(database: &Database, count: usize) -> Vec<usize> {
    match &database.replication {
        Replication::PrimaryReplicas(_) => vec![0],
        Replication::None | Replication::MultiPrimary(_) | Replication::Circular(_) => (0..count).collect(),
    }
}

/// Those that stand in this data center, or else all.
fn nearest(nodes: &[usize], places: &[&str], site: &str) -> Vec<usize> {
    let near: Vec<usize> = nodes.iter().copied().filter(|node| places[*node] == site).collect();
    if near.is_empty() { nodes.to_vec() } else { near }
}
