//! What happens to a database now, and why, in a sentence.

use crate::layout::{Mode, PrimaryReplicas, Replication, duration};
use crate::observe::NodeRole;
use crate::sim::{InstanceId, ProcessState};

use super::super::World;
use super::super::entries::{InstanceEntry, Role};
use super::look::{Node, Nodes, leads};

/// That no node of a database of several is up, if it is so.
pub(in crate::world) fn all_dead(world: &World, id: InstanceId) -> Option<String> {
    let (service, _) = world.places[id.0 as usize];
    let Role::Database { database, .. } = &world.services[service].role else {
        return None;
    };
    let instances = || {
        let nodes = world.nodes_of(*database);
        nodes.map(|(service, number, _)| world.services[service].instances[number].id)
    };
    let dead = instances().all(|id| world.kernel.process_state(id) != ProcessState::Up);
    let name = &world.databases[*database].selector;
    (dead && instances().count() > 1).then(|| {
        format!("No node of {name} is up: nobody reads or writes. What is on their disks waits for them to be mended.")
    })
}

/// A node is dead: what that means.
pub(in crate::world) fn dead_node(world: &World, id: InstanceId, instance: &InstanceEntry) -> String {
    let name = &instance.selector;
    let (service, _) = world.places[id.0 as usize];
    let Role::Database { database, .. } = &world.services[service].role else {
        return String::new();
    };
    let entry = &world.databases[*database];
    let place = entry.cluster.place(id);
    let spec = entry.cluster.spec.borrow();
    match (&spec.replication, place) {
        (Replication::None, _) if entry.cluster.shards.borrow().len() > 1 => {
            format!("The rows of one shard are on {name} alone: whoever wants one of them gets an error.")
        }
        (Replication::None, _) => {
            format!("Every page needs {name}: web servers are up, and can only answer with errors.")
        }
        (_, None) => format!("A new replica has the place of {name}: nothing depends on it any more."),
        (Replication::PrimaryReplicas(settings), Some((shard, _))) => {
            let reign = entry.reigns.borrow().get(shard as usize).map(|(id, _)| *id);
            let missing = world
                .chronicle
                .ledgers
                .get(database)
                .map_or(0, |ledger| ledger.promises().missing);
            match reign {
                Some(reign) if reign == id => dead_primary(name, settings),
                Some(reign) if missing > 0 => format!(
                    "{} is primary now. {missing} acknowledged writes are nowhere but on a disk that nobody asks: \
                     mend {name} to get them back.",
                    world.selector_of(reign)
                ),
                _ => dead_replica(name, settings.mode),
            }
        }
        (Replication::MultiPrimary(_), Some(_)) => {
            format!("The other nodes take all reads and writes that reach them; {name} will fetch what it missed.")
        }
        (Replication::Circular(peers), Some(_)) => match peers.close {
            Some(after) => format!(
                "The node behind {name} hears of nothing new until it goes on to the one before, {} after the silence began.",
                duration::format(after)
            ),
            None => format!("The node behind {name} hears of nothing new until somebody says `close {name}`."),
        },
    }
}

fn dead_primary(name: &str, settings: &PrimaryReplicas) -> String {
    match settings.failover {
        Some(failover) => format!(
            "Nobody takes writes until the lease of {name} has run out, {} after it was renewed last, and its monitors give it to a \
             replica.",
            duration::format(failover.after)
        ),
        None => format!(
            "Nobody takes writes until somebody says which replica is to be primary: `promote`, or mend {name}."
        ),
    }
}

fn dead_replica(name: &str, mode: Mode) -> String {
    match mode {
        Mode::Synchronous => {
            format!(
                "Every write waits for all nodes, and {name} is one of them: writes are refused until it is mended."
            )
        }
        _ => format!("Reads that went to {name} go to the other nodes; writes go on."),
    }
}

/// What it means that nothing passes between two data centers: split brain, stale replicas, or conflicts to come. `None` where no database
/// stands in both.
pub(in crate::world) fn parted(world: &World, a: usize, b: usize) -> Option<String> {
    let stands = |database: &usize, site: usize| {
        let services = &world.databases[*database].services;
        services
            .iter()
            .any(|service| world.services[*service].site == Some(site))
    };
    let database = (0..world.databases.len()).find(|database| stands(database, a) && stands(database, b))?;
    let entry = &world.databases[database];
    let (db, names) = (&entry.selector, (&world.sites[a], &world.sites[b]));
    let spec = entry.cluster.spec.borrow();
    let Replication::PrimaryReplicas(_) = &spec.replication else {
        return Some(format!(
            "{} and {} both take writes of {db} that the other one does not see: they meet, and some of them conflict, when the cut is mended.",
            names.0, names.1
        ));
    };
    let nodes = Nodes::of(world, database);
    let site = |node: &Node| world.services[node.service].site;
    let leaders: Vec<&Node> = nodes
        .in_shard(0)
        .filter(|node| node.up && world.role_of(node.id).is_some_and(leads))
        .collect();
    match leaders.as_slice() {
        [] => Some(format!(
            "Neither side has a primary of {db}: nobody takes its writes until a majority of its monitors gives the lease to a node."
        )),
        [leader] => {
            let far = if site(leader) == Some(a) { names.1 } else { names.0 };
            let there = nodes.nodes.iter().filter(|node| site(node) != site(leader));
            let oldest = there.filter_map(|node| nodes.behind(node).1).min();
            let age = oldest.map_or(0.0, |oldest| world.now().since(oldest).as_secs_f64());
            Some(format!(
                "{far} can't reach the primary {}: its writes fail, and what it reads grows older, by {age:.0}s so far.",
                world.selector_of(leader.id)
            ))
        }
        [first, second, ..] => Some(format!(
            "Split brain: {} and {} both take writes of {db}. One of them gives its own up when the cut is mended.",
            world.selector_of(first.id),
            world.selector_of(second.id)
        )),
    }
}

/// Whether a node of a database works as before, as far as the database is concerned: it has all rows, and knows whom to follow. What has been
/// replaced is nobody's concern any more, whatever else is wrong with it: then there is nothing more to ask.
pub(in crate::world) fn standing(world: &World, id: InstanceId) -> Standing {
    let (service, _) = world.places[id.0 as usize];
    let Role::Database { cluster, .. } = &world.services[service].role else {
        return Standing::Well;
    };
    if cluster.place(id).is_none() {
        return Standing::Replaced;
    }
    let well = world
        .role_of(id)
        .is_none_or(|role| leads(role) || role == NodeRole::Replica);
    if well { Standing::Well } else { Standing::Unwell }
}

/// How a node of a database stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::world) enum Standing {
    /// As before.
    Well,
    /// It has not all rows, or knows no primary.
    Unwell,
    /// Another has its place.
    Replaced,
}
