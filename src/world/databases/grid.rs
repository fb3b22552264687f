//! What happens to databases on the grid: new replicas get a say, dead ones are replaced, rows that have all moved are settled, and the
//! ledger is told what the disks hold.

use std::rc::Rc;

use crate::layout::Mode;
use crate::observe::{Event, Health, Held, Ledger, NodeRole, Severity};
use crate::protocol::{Stamp, Term};
use crate::sim::{InstanceId, SimTime};

use super::super::World;
use super::super::caches::is_unwritten;
use super::super::entries::Role;
use super::super::view::refresh_topology;
use super::look::{Node, Nodes};
use super::orders::add_replica;
use super::{Stored, tell};

/// A new replica that lacks no more entries than this has caught up.
const CAUGHT_UP: u64 = 1_000;

/// Notes what an event means for the database of the node that tells of it.
pub(in crate::world) fn follow(world: &World, from: InstanceId, event: &Event) {
    let (service, _) = world.places[from.0 as usize];
    let Role::Database { database, .. } = &world.services[service].role else {
        return;
    };
    let entry = &world.databases[*database];
    match event {
        Event::Promoted { shard, term, .. } => {
            let mut reigns = entry.reigns.borrow_mut();
            while reigns.len() <= *shard as usize {
                reigns.push((from, Term::default()));
            }
            if reigns[*shard as usize].1 <= *term {
                reigns[*shard as usize] = (from, *term);
            }
            entry.audit.set(true);
        }
        Event::PutAside { .. } | Event::Compared { .. } | Event::Rebuilt { .. } | Event::PassedOver { .. } => {
            entry.audit.set(true);
        }
        _ => {}
    }
}

/// One step of the grid.
pub(in crate::world) fn step(world: &mut World) {
    for database in 0..world.databases.len() {
        if world.databases[database].is_plain() {
            // Everything is on one disk: there is nothing to tell apart.
            if let Some(ledger) = world.chronicle.ledgers.get_mut(&database) {
                ledger.settle(|_, _| 0, &[Stamp(u64::MAX)]);
            }
            continue;
        }
        let nodes = Nodes::of(world, database);
        give_say(world, database, &nodes);
        settle_moves(world, database, &nodes);
        watch(world, database, &nodes);
        replace(world, database, &nodes);
    }
    let due: Vec<usize> = (0..world.databases.len())
        .filter(|database| {
            let entry = &world.databases[*database];
            let again = entry.audit_at.get().is_some_and(|at| world.now() >= at);
            entry.audit.replace(false) || again
        })
        .collect();
    audit(world, &due);
}

/// A new replica counts for majorities once it has all that its primary has.
fn give_say(world: &mut World, database: usize, nodes: &Nodes) {
    let cluster = Rc::clone(&world.databases[database].cluster);
    let loose = match cluster.spec.borrow().replication.primary_replicas() {
        Some(settings) => matches!(settings.mode, Mode::Asynchronous | Mode::SemiSynchronous),
        None => true,
    };
    let mut grown = Vec::new();
    for shard in 0..nodes.shards() {
        let Some(lead) = nodes.lead(shard) else { continue };
        for node in nodes.in_shard(shard) {
            let mut shards = cluster.shards.borrow_mut();
            let members = shards.get_mut(shard as usize).map_or(&mut [][..], Vec::as_mut_slice);
            let Some(member) = members.iter_mut().find(|member| member.id == node.id && !member.voter) else {
                continue;
            };
            let role = world.role_of(node.id);
            let complete = match (&lead.stored, &node.stored) {
                (Some(Stored::Log(log)), Some(Stored::Log(own))) => {
                    let follows = role == Some(NodeRole::Replica) && own.is_whole() && log.contains(own.position());
                    // Where acknowledgements promise something, it must have all that was acknowledged.
                    let near = own.position() == log.position() || (loose && nodes.behind(node).0 <= CAUGHT_UP);
                    lead.up && follows && near
                }
                (Some(Stored::Peer(_)), Some(Stored::Peer(_))) => role == Some(NodeRole::Peer),
                _ => false,
            };
            if node.up && complete {
                member.voter = true;
                grown.push(node.id);
            }
        }
    }
    for id in &grown {
        let shard = cluster.place(*id).map_or(0, |(shard, _)| shard);
        if let Some(dead) = long_dead(world, database, nodes, shard) {
            let gone = nodes.nodes[dead].id;
            if let Some(members) = cluster.shards.borrow_mut().get_mut(shard as usize) {
                members.retain(|member| member.id != gone);
            }
        }
        let text = format!("{} has all rows and takes part", world.selector_of(*id));
        world.say(Severity::Good, text);
    }
    if !grown.is_empty() {
        tell(world, database);
    }
}

/// A map is settled when all primaries' disks say that all rows have moved.
fn settle_moves(world: &mut World, database: usize, nodes: &Nodes) {
    let cluster = Rc::clone(&world.databases[database].cluster);
    if !cluster.map.borrow().is_moving() {
        return;
    }
    let (left, settled) = {
        let map = cluster.map.borrow();
        let keys = cluster.keys.get();
        let log = |shard| match &nodes.lead(shard)?.stored {
            Some(Stored::Log(disk)) => Some(Rc::clone(disk)),
            _ => None,
        };
        let pairs = map.pairs();
        let arrived = pairs
            .iter()
            .map(|(from, to)| log(*to).map_or(0, |disk| disk.arrived(&map, *from).min(keys)));
        let arrived: f64 = arrived.map(|upto| upto as f64).sum();
        let left = 1.0 - arrived / (keys as f64 * pairs.len().max(1) as f64);
        let mut shards = 0..nodes.shards();
        (
            left,
            shards.all(|shard| log(shard).is_some_and(|disk| disk.all_moved(&map, shard))),
        )
    };
    world.databases[database].moved.set(1.0 - left);
    if settled {
        cluster.map.borrow_mut().settle();
        let text = format!("{}: all rows are where they belong", world.databases[database].selector);
        world.say(Severity::Good, text);
        tell(world, database);
        world.databases[database].audit.set(true);
    }
}

/// Keeps count of what would be lost. What once was on two disks stays safe until one of them is gone.
fn watch(world: &mut World, database: usize, nodes: &Nodes) {
    let entry = &world.databases[database];
    let now = Stamp::new(world.now(), 0);
    {
        let mut safe = entry.safe.borrow_mut();
        let fresh = (0..nodes.shards()).flat_map(|shard| nodes.safe(shard, now));
        let fresh: Vec<Stamp> = fresh.collect();
        safe.resize(fresh.len(), Stamp::ORIGINAL);
        for (safe, fresh) in safe.iter_mut().zip(fresh) {
            *safe = (*safe).max(fresh);
        }
    }
    if let Some(ledger) = world.chronicle.ledgers.get_mut(&database) {
        ledger.settle(|key, stamp| entry.risk_place(key, stamp), &entry.safe.borrow());
    }
}

/// Sets up a new replica in the place of one that has been dead for long: one at a time, and only while there is a primary to copy from
/// and a majority that could go on without it. The dead one keeps its say until the new one has all rows, so that majorities always
/// overlap.
fn replace(world: &mut World, database: usize, nodes: &Nodes) {
    let cluster = Rc::clone(&world.databases[database].cluster);
    let mut changed = false;
    for shard in 0..nodes.shards() {
        let Some(dead) = long_dead(world, database, nodes, shard) else {
            continue;
        };
        let members = cluster.members(shard);
        let is_up = |id| nodes.in_shard(shard).any(|node| node.id == id && node.up);
        let up = members.iter().filter(|member| member.voter && is_up(member.id)).count();
        let led = nodes
            .in_shard(shard)
            .any(|node| node.up && world.role_of(node.id) == Some(NodeRole::Primary));
        let pending = members.iter().any(|member| !member.voter);
        if !led || pending || up < cluster.majority(shard) {
            continue;
        }
        let id = nodes.nodes[dead].id;
        let Some(name) = add_replica(world, nodes.nodes[dead].service, shard) else {
            continue;
        };
        changed = true;
        let text = format!("{name} is to take the place of {}", world.selector_of(id));
        world.say(Severity::Info, text);
    }
    if changed {
        tell(world, database);
        refresh_topology(world);
    }
}

/// A member of a shard that has been dead for as long as the settings say.
fn long_dead(world: &World, database: usize, nodes: &Nodes, shard: u32) -> Option<usize> {
    let cluster = &world.databases[database].cluster;
    let after = cluster.spec.borrow().replication.primary_replicas()?.replace?;
    let now = world.now();
    let dead = |node: &Node| {
        let instance = &world.services[node.service].instances[node.number];
        let gone = matches!(instance.health, Health::Down | Health::Destroyed);
        gone && now.since(instance.since) >= after && cluster.place(node.id).is_some()
    };
    nodes
        .nodes
        .iter()
        .position(|node| node.place.shard == shard && dead(node))
}

/// Compares what users were told of databases with what their disks hold.
pub(in crate::world) fn audit(world: &mut World, databases: &[usize]) {
    let now = world.now();
    for database in databases {
        let nodes = Nodes::of(world, *database);
        let fresh = (0..nodes.shards()).flat_map(|shard| nodes.safe(shard, Stamp::new(now, 0)));
        *world.databases[*database].safe.borrow_mut() = fresh.collect();
        // Borrowed apart from the chronicle, which counts.
        let mut chronicle = std::mem::take(&mut world.chronicle);
        let lost = chronicle.audit(*database, |key, stamp| {
            if is_unwritten(world, *database, key, stamp) {
                Held::Serving
            } else {
                nodes.held(key, stamp)
            }
        });
        world.chronicle = chronicle;
        let missing = world.chronicle.ledgers.get(database).map_or(0, Ledger::missing);
        // What is missing may come back bit by bit: it is counted again until nothing is.
        let again = SimTime(now.0 + 1_000_000_000);
        let entry = &world.databases[*database];
        entry.audit_at.set((missing > 0).then_some(again));
        if lost > 0 {
            let text = format!("{lost} acknowledged writes to {} are lost for good", entry.selector);
            world.say(Severity::Bad, text);
        }
    }
}
