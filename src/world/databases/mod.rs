//! Databases: which nodes belong together, wherever they stand, and what the world knows of them that they do not know themselves.

mod grid;
mod look;
mod orders;
mod sentence;
mod state;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::layout::{self, Layout, Replication};
use crate::parts::{Cluster, Disk, Member, PeerDisk, ShardMap};
use crate::protocol::{Request, Stamp, Term};
use crate::sim::{InstanceId, SimTime};

use super::World;
use super::entries::{Role, ServiceEntry};

pub(super) use grid::{audit, follow, step};
pub(super) use orders::{close, promote, readmit, recover, replicate, shard, skew};
pub(super) use sentence::{Standing, all_dead, dead_node, parted, standing};
pub(super) use state::{database_state, measure, monitor_state, policy};

/// A database.
pub(super) struct DatabaseEntry {
    /// Its name: `db`, or `us-east/db` if there are several.
    pub selector: String,
    pub cluster: Rc<Cluster>,
    /// Its services: one in each data center that has nodes of it.
    pub services: Vec<usize>,
    /// Something happened that may have lost writes, or brought some back.
    pub audit: Cell<bool>,
    /// While something is missing, the ledger looks again at this time.
    pub audit_at: Cell<Option<SimTime>>,
    /// By shard: who was promoted last, in which term.
    pub reigns: RefCell<Vec<(InstanceId, Term)>>,
    /// By shard and number of the node, as [`DatabaseEntry::risk_place`] says: up to which write everything outlives the machine that took it.
    pub safe: RefCell<Vec<Stamp>>,
    /// The share of the moving keys that have moved, while rows move.
    pub moved: Cell<f64>,
}

impl DatabaseEntry {
    /// Whether it is one node: nothing can differ there.
    fn is_plain(&self) -> bool {
        let shards = self.cluster.shards.borrow();
        matches!(shards.as_slice(), [members] if members.len() < 2)
            && matches!(self.cluster.spec.borrow().replication, Replication::None)
    }

    /// Where to look whether a write is safe: with its shard, or where all nodes take writes with the node that made it.
    fn risk_place(&self, key: u64, stamp: Stamp) -> usize {
        let shard = self.cluster.map.borrow().shard(key) as usize;
        let node = match self.cluster.spec.borrow().replication {
            Replication::MultiPrimary(_) | Replication::Circular(_) => stamp.node(),
            _ => 0,
        };
        shard * Stamp::NODES as usize + node as usize
    }

    /// The first node of a shard that is new is its primary.
    fn found_shard(&self, shard: u32) {
        if let Some(first) = self.cluster.members(shard).first() {
            self.reigns.borrow_mut().push((first.id, Term::FIRST));
        }
    }
}

/// Where a node belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodePlace {
    pub shard: u32,
    /// Its number in the shard.
    pub node: u8,
}

/// The databases of a layout while its services are listed.
#[derive(Default)]
pub(super) struct Register {
    /// By data center and name: the number of the database.
    known: BTreeMap<(Option<usize>, String), usize>,
}

impl Register {
    /// The number of the database that a service is, or is a part of; it is made when it is first named.
    pub(super) fn enroll(
        &mut self,
        world: &mut World,
        layout: &Layout,
        (site, name): (usize, &str),
        spec: &layout::Database,
    ) -> usize {
        let shared = layout.databases.contains_key(name) && layout.databases[name].contains_key(&world.sites[site]);
        let key = (Some(site).filter(|_| !shared), name.to_owned());
        if let Some(number) = self.known.get(&key) {
            return *number;
        }
        let number = world.databases.len();
        let keys = layout.users.values().map(|users| match users.keys {
            layout::Keys::Uniform { count } | layout::Keys::Zipf { count, .. } => count,
        });
        let traced = layout.trace.as_ref().map_or(0, |trace| trace.survey.keys);
        let keys = keys.max().unwrap_or(0).max(spec.rows).max(traced).max(1);
        let shards = spec.sharding.map_or(1, |sharding| sharding.shards);
        let cluster = Cluster {
            spec: RefCell::new(spec.clone()),
            sites: RefCell::new(world.sites.clone()),
            shards: RefCell::default(),
            map: RefCell::new(ShardMap::new(spec.sharding.map(|sharding| sharding.by), shards, keys)),
            monitors: RefCell::default(),
            clients: RefCell::default(),
            keys: Cell::new(keys),
        };
        let selector = match (shared, world.sites.len()) {
            (false, 2..) => format!("{}/{name}", world.sites[site]),
            _ => name.to_owned(),
        };
        world.databases.push(DatabaseEntry {
            selector,
            cluster: Rc::new(cluster),
            services: Vec::new(),
            audit: Cell::new(false),
            audit_at: Cell::new(None),
            reigns: RefCell::default(),
            safe: RefCell::default(),
            moved: Cell::new(0.0),
        });
        self.known.insert(key, number);
        number
    }
}

/// The place of each node at the start: shard after shard, in each of them data center after data center.
pub(super) fn first_places(layout: &Layout, site: &str, name: &str, spec: &layout::Database) -> Vec<NodePlace> {
    let nodes = layout.nodes_of(site, name);
    let before = nodes.iter().take_while(|(other, _)| *other != site);
    let before: u32 = before.map(|(_, count)| *count).sum();
    let shards = spec.sharding.map_or(1, |sharding| sharding.shards);
    let places = (0..shards).flat_map(|shard| {
        (0..spec.machines).map(move |node| NodePlace {
            shard,
            node: (before + node) as u8,
        })
    });
    places.collect()
}

/// Tells a database of the nodes, or the monitors, that a service is; and the chronicle which node belongs where.
pub(super) fn join_database(world: &mut World, service: usize) {
    let entry = &world.services[service];
    match &entry.role {
        Role::Database { database, nodes, .. } => {
            let site = entry.site.unwrap_or_default() as u16;
            for (instance, place) in entry.instances.iter().zip(nodes) {
                let member = Member {
                    id: instance.id,
                    node: place.node,
                    site,
                    voter: true,
                };
                add_member(&world.databases[*database].cluster, place.shard, member);
                world.chronicle.belongs(instance.id, *database);
            }
            world.databases[*database].services.push(service);
        }
        Role::Monitor { database, .. } => {
            let ids = entry.instances.iter().map(|instance| instance.id);
            world.databases[*database].cluster.monitors.borrow_mut().extend(ids);
        }
        _ => {}
    }
}

/// The first reign of each shard of the databases from this one on begins, and those who query them are known.
pub(super) fn found_databases(world: &World, from: usize) {
    for database in &world.databases[from..] {
        for shard in 0..database.cluster.shards.borrow().len() as u32 {
            database.found_shard(shard);
        }
    }
    refresh_clients(world);
}

/// Puts a node on the list of its shard, in the order of the numbers.
fn add_member(cluster: &Cluster, shard: u32, member: Member) {
    let mut shards = cluster.shards.borrow_mut();
    while shards.len() <= shard as usize {
        shards.push(Vec::new());
    }
    let members = &mut shards[shard as usize];
    members.push(member);
    members.sort_by_key(|member| member.node);
}

/// Tells databases who queries them.
pub(super) fn refresh_clients(world: &World) {
    for (number, database) in world.databases.iter().enumerate() {
        let asks = |entry: &&ServiceEntry| {
            let mut edges = entry.edges().iter().filter(|edge| !edge.name.is_empty());
            edges.any(
                |edge| matches!(world.services[edge.to].role, Role::Database { database, .. } if database == number),
            )
        };
        let callers = world.services.iter().filter(asks);
        let ids = callers.flat_map(|entry| entry.present().map(|(_, instance)| instance.id));
        *database.cluster.clients.borrow_mut() = ids.collect();
    }
}

/// Tells all who have to do with a database that something about it has changed.
fn tell(world: &mut World, database: usize) {
    let cluster = Rc::clone(&world.databases[database].cluster);
    let shards = cluster.shards.borrow();
    let nodes = shards.iter().flatten().map(|member| member.id);
    let all: Vec<InstanceId> = nodes.chain(cluster.clients.borrow().iter().copied()).collect();
    for id in all {
        world.kernel.cast(id, Request::Retune);
    }
}

/// What is on the disk of a node.
enum Stored {
    /// Of a node that follows or leads others, or is alone.
    Log(Rc<Disk>),
    /// Of a node that takes writes as all others do.
    Peer(Rc<PeerDisk>),
}

impl World {
    /// The disk of a node; none if it is destroyed.
    fn stored(&self, database: &DatabaseEntry, id: InstanceId) -> Option<Stored> {
        if self.kernel.is_gone(self.kernel.machine_of(id)) {
            return None;
        }
        match database.cluster.spec.borrow().replication {
            Replication::MultiPrimary(_) | Replication::Circular(_) => {
                self.kernel.disk::<PeerDisk>(id).map(Stored::Peer)
            }
            _ => self.kernel.disk::<Disk>(id).map(Stored::Log),
        }
    }

    /// All nodes that a database ever had and that have not left: by service and place.
    fn nodes_of(&self, database: usize) -> impl Iterator<Item = (usize, usize, NodePlace)> + '_ {
        self.databases[database].services.iter().flat_map(move |service| {
            let entry = &self.services[*service];
            let places = match &entry.role {
                Role::Database { nodes, .. } => nodes.as_slice(),
                _ => &[],
            };
            let present = entry.present().map(|(number, _)| number);
            present.map(move |number| (*service, number, places[number]))
        })
    }
}
