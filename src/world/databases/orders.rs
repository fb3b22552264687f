//! Commands about databases.

use std::rc::Rc;

use crate::command::{CommandError, Selector};
use crate::layout::{Replication, Size, printable};
use crate::observe::{NodeRole, Severity};
use crate::parts::Member;
use crate::protocol::{Order, Request, Stamp};
use crate::sim::{InstanceId, ProcessState};

use super::super::World;
use super::super::apply::{Done, done, refuse};
use super::super::entries::Role;
use super::super::grow::add_node;
use super::super::select::instances;
use super::super::settings::{full, vacant};
use super::super::view::refresh_topology;
use super::look::Nodes;
use super::{NodePlace, add_member, tell};

/// Nodes that a shard may have.
const MOST_NODES: usize = 15;
/// Shards that a database may have.
const MOST_SHARDS: u32 = 256;

/// The nodes that a selector names, with their database.
fn nodes(world: &World, target: &Selector) -> Result<Vec<(usize, usize, usize)>, CommandError> {
    let mut found = Vec::new();
    for (service, number) in instances(world, target)? {
        match &world.services[service].role {
            Role::Database { database, .. } => found.push((*database, service, number)),
            _ => return refuse(format!("{} is no database", printable(&target.0))),
        }
    }
    Ok(found)
}

/// The one node that a selector names.
fn one_node(world: &World, target: &Selector, verb: &str) -> Result<(usize, usize, usize), CommandError> {
    match nodes(world, target)?[..] {
        [node] => Ok(node),
        _ => refuse(format!("name one node, such as `{verb} {}/2`", printable(&target.0))),
    }
}

/// The database that a selector names.
fn one_database(world: &World, target: &Selector) -> Result<usize, CommandError> {
    let mut databases: Vec<usize> = nodes(world, target)?
        .into_iter()
        .map(|(database, ..)| database)
        .collect();
    databases.sort_unstable();
    databases.dedup();
    match databases[..] {
        [database] => Ok(database),
        _ => refuse("name one database"),
    }
}

fn is_up(world: &World, id: InstanceId) -> bool {
    world.kernel.process_state(id) == ProcessState::Up
}

/// Makes a replica the primary.
pub(in crate::world) fn promote(world: &mut World, target: &Selector) -> Done {
    let (database, service, number) = one_node(world, target, "promote")?;
    let instance = &world.services[service].instances[number];
    let (id, name) = (instance.id, instance.selector.clone());
    let cluster = Rc::clone(&world.databases[database].cluster);
    if cluster.spec.borrow().replication.primary_replicas().is_none() {
        return refuse(format!("{name} has no primary to follow: all its nodes are alike"));
    }
    if !is_up(world, id) {
        return refuse(format!("{name} is down: mend it first"));
    }
    match world.role_of(id) {
        Some(NodeRole::Primary | NodeRole::Fenced) => return refuse(format!("{name} is the primary already")),
        Some(NodeRole::Rebuilding) => return refuse(format!("{name} is being rebuilt: it has not all rows yet")),
        Some(NodeRole::Recovering) => return refuse(format!("{name} still replays its log")),
        _ => {}
    }
    if !cluster.place(id).is_some_and(|(_, member)| member.voter) {
        return refuse(format!("{name} has not all rows yet"));
    }
    world.kernel.cast(id, Request::Order(Order::Promote));
    Ok(done(world, Severity::Info, format!("told {name} to become primary")))
}

/// Has writes that only some nodes have given to the primary.
pub(in crate::world) fn recover(world: &mut World, target: &Selector) -> Done {
    let found = nodes(world, target)?;
    let name = printable(&target.0);
    let Some(database) = found.first().map(|(database, ..)| *database) else {
        return refuse(format!("{name} is no database"));
    };
    let all = Nodes::of(world, database);
    let ids: Vec<InstanceId> = found
        .iter()
        .map(|(_, service, number)| world.services[*service].instances[*number].id)
        .collect();
    let with_writes: Vec<&_> = all
        .nodes
        .iter()
        .filter(|node| ids.contains(&node.id) && node.aside() > 0)
        .collect();
    let writes: u64 = with_writes.iter().map(|node| node.aside()).sum();
    if writes == 0 {
        return refuse(format!("{name} has put no writes aside"));
    }
    let able: Vec<InstanceId> = with_writes.iter().filter(|node| node.up).map(|node| node.id).collect();
    if able.is_empty() {
        return refuse(format!("{name} is down: mend it first"));
    }
    for id in able {
        world.kernel.cast(id, Request::Order(Order::Recover));
    }
    let text = format!("recovering {writes} writes that only {name} has");
    Ok(done(world, Severity::Info, text))
}

/// Adds a replica to each shard.
pub(in crate::world) fn replicate(world: &mut World, target: &Selector) -> Done {
    let database = one_database(world, target)?;
    let service = nodes(world, target)?[0].1;
    let name = printable(&target.0);
    let cluster = Rc::clone(&world.databases[database].cluster);
    if matches!(cluster.spec.borrow().replication, Replication::None) {
        return refuse(format!(
            "{name} keeps no copies: give it `replication: PrimaryReplicas()` in the layout"
        ));
    }
    let shards = cluster.shards.borrow().len() as u32;
    let full = cluster
        .shards
        .borrow()
        .iter()
        .any(|members| members.len() >= MOST_NODES);
    if full {
        return refuse(format!("a shard has at most {MOST_NODES} nodes"));
    }
    room(world, shards as usize)?;
    let names: Vec<String> = (0..shards)
        .filter_map(|shard| add_replica(world, service, shard))
        .collect();
    if names.is_empty() {
        return refuse(format!(
            "{name} has had {} nodes in each shard, and no number is left for another",
            Stamp::NODES
        ));
    }
    tell(world, database);
    refresh_topology(world);
    Ok(done(world, Severity::Info, format!("added {}", names.join(", "))))
}

fn room(world: &World, more: usize) -> Result<(), CommandError> {
    if more > vacant(world) {
        return refuse(full());
    }
    Ok(())
}

/// Adds a node to a shard. It is booting, has no rows and no say.
pub(super) fn add_replica(world: &mut World, service: usize, shard: u32) -> Option<String> {
    let Role::Database { database, .. } = &world.services[service].role else {
        return None;
    };
    let database = *database;
    let used = world.nodes_of(database).filter(|(_, _, place)| place.shard == shard);
    let node = used.map(|(_, _, place)| place.node + 1).max().unwrap_or(0);
    if node >= Stamp::NODES {
        return None;
    }
    add(world, service, NodePlace { shard, node }, false)
}

fn add(world: &mut World, service: usize, place: NodePlace, voter: bool) -> Option<String> {
    let Role::Database { database, .. } = &world.services[service].role else {
        return None;
    };
    let database = *database;
    let site = world.services[service].site.unwrap_or_default() as u16;
    let sized = Size::named(&world.databases[database].cluster.spec.borrow().size);
    let number = add_node(world, service, place, sized)?;
    let instance = &world.services[service].instances[number];
    let (id, name) = (instance.id, instance.selector.clone());
    let member = Member {
        id,
        node: place.node,
        site,
        voter,
    };
    add_member(&world.databases[database].cluster, place.shard, member);
    world.chronicle.belongs(id, database);
    Some(name)
}

/// Takes a node back that was replaced while it was dead.
pub(in crate::world) fn readmit(world: &mut World, (service, number): (usize, usize)) {
    let Role::Database { database, nodes, .. } = &world.services[service].role else {
        return;
    };
    let (database, place) = (*database, nodes[number]);
    let id = world.services[service].instances[number].id;
    let cluster = Rc::clone(&world.databases[database].cluster);
    world.databases[database].audit.set(true);
    if cluster.place(id).is_none() {
        let member = Member {
            id,
            node: place.node,
            site: world.services[service].site.unwrap_or_default() as u16,
            // Somebody must have a say.
            voter: cluster.voters(place.shard) == 0,
        };
        add_member(&cluster, place.shard, member);
        tell(world, database);
    }
}

/// Adds a shard, to which rows move from the others.
pub(in crate::world) fn shard(world: &mut World, target: &Selector) -> Done {
    let database = one_database(world, target)?;
    let name = world.databases[database].selector.clone();
    let cluster = Rc::clone(&world.databases[database].cluster);
    let shards = cluster.shards.borrow().len() as u32;
    {
        let spec = cluster.spec.borrow();
        if spec.sharding.is_none() {
            return refuse(format!(
                "{name} is not sharded: give it `sharding: (shards: 1)` in the layout"
            ));
        }
        if spec.replication.peers().is_some() {
            return refuse(format!(
                "the shards of {name} have several primaries each: rows move only between shards that have one"
            ));
        }
        if shards >= MOST_SHARDS {
            return refuse(format!("a database has at most {MOST_SHARDS} shards"));
        }
    }
    if cluster.map.borrow().is_moving() {
        return refuse(format!("rows of {name} still move to the last shard that was added"));
    }
    let services = world.databases[database].services.clone();
    let planned: Vec<(usize, NodePlace)> = services
        .iter()
        .flat_map(|service| {
            let of_first = match &world.services[*service].role {
                Role::Database { first, .. } => first.clone(),
                _ => Vec::new(),
            };
            of_first
                .into_iter()
                .map(|node| (*service, NodePlace { shard: shards, node }))
        })
        .collect();
    room(world, planned.len())?;
    let names: Vec<String> = planned
        .into_iter()
        .filter_map(|(service, place)| add(world, service, place, true))
        .collect();
    cluster.map.borrow_mut().grow();
    world.databases[database].found_shard(shards);
    tell(world, database);
    refresh_topology(world);
    let share = 100.0 * cluster.map.borrow().moving_share();
    let text = format!(
        "added a shard to {name} ({}): {share:.0}% of the keys move",
        names.join(", ")
    );
    Ok(done(world, Severity::Info, text))
}

/// Puts the wall clocks of nodes wrong, or right.
pub(in crate::world) fn skew(world: &mut World, target: &Selector, seconds: f64) -> Done {
    let found = nodes(world, target)?;
    let name = printable(&target.0);
    let ids: Vec<InstanceId> = found
        .iter()
        .map(|(_, service, number)| world.services[*service].instances[*number].id)
        .collect();
    if let Some(down) = ids.iter().find(|id| !is_up(world, **id)) {
        return refuse(format!("{} is down: mend it first", world.selector_of(*down)));
    }
    let peers = |(database, ..): &(usize, usize, usize)| {
        let spec = world.databases[*database].cluster.spec.borrow();
        spec.replication.peers().is_some()
    };
    if !found.iter().all(peers) {
        return refuse(format!(
            "{name} has one primary, which decides the order of writes: no clock matters"
        ));
    }
    #[allow(clippy::cast_possible_truncation, reason = "a day in nanoseconds fits")]
    let nanos = (seconds * 1e9) as i64;
    for id in ids {
        world.kernel.cast(id, Request::Order(Order::Skew(nanos)));
    }
    let text = if nanos == 0 {
        format!("set the clock of {name} right")
    } else {
        format!(
            "put the clock of {name} {}{}s",
            if seconds > 0.0 { "+" } else { "" },
            seconds
        )
    };
    Ok(done(world, Severity::Warning, text))
}

/// Closes a ring around a node.
pub(in crate::world) fn close(world: &mut World, target: &Selector) -> Done {
    let (database, service, number) = one_node(world, target, "close")?;
    let instance = &world.services[service].instances[number];
    let (id, name) = (instance.id, instance.selector.clone());
    let cluster = Rc::clone(&world.databases[database].cluster);
    if !matches!(cluster.spec.borrow().replication, Replication::Circular(_)) {
        return refuse(format!("{name} is in no ring"));
    }
    if is_up(world, id) {
        return refuse(format!("{name} is up: a ring is closed only around a dead node"));
    }
    let Some((shard, _)) = cluster.place(id) else {
        return refuse(format!("{name} does not take part"));
    };
    for member in cluster.members(shard).iter().filter(|member| member.id != id) {
        let order = Order::PassOver { node: id, on: true };
        world.kernel.cast(member.id, Request::Order(order));
    }
    Ok(done(world, Severity::Info, format!("closed the ring around {name}")))
}
