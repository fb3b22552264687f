//! How the nodes of a database are, in a letter, a shape and a few words: the same on the map, in the replication panel and in the
//! inspector.

use std::time::Duration;

use crate::observe::{DatabaseKind, DatabaseState, Frame, Health, InstanceState, NodeRole, NodeState};

use super::glyph;
use super::text;
use super::theme::Role;
use super::truth;

/// The first service whose database has several nodes.
pub fn first(frame: &Frame) -> Option<usize> {
    (0..frame.services.len()).find(|service| of(frame, *service).is_some())
}

/// The database of a service, if it has several nodes.
pub fn of(frame: &Frame, service: usize) -> Option<&DatabaseState> {
    let database = frame.services.get(service)?.database.as_ref()?;
    (database.nodes.len() > 1).then_some(database)
}

/// The node that an instance is, if its database has several.
pub fn at(frame: &Frame, service: usize, instance: usize) -> Option<(&DatabaseState, &NodeState)> {
    let database = of(frame, service)?;
    let own = |node: &&NodeState| node.instance == Some((service, instance));
    Some((database, database.nodes.iter().find(own)?))
}

/// The machine that a node runs on.
pub fn machine<'a>(frame: &'a Frame, node: &NodeState) -> Option<&'a InstanceState> {
    let (service, instance) = node.instance?;
    frame.services.get(service)?.instances.get(instance)
}

/// The letter of a role.
pub fn letter(role: NodeRole) -> char {
    match role {
        NodeRole::Alone | NodeRole::Primary => 'P',
        NodeRole::Fenced => 'F',
        NodeRole::Replica => 'R',
        NodeRole::Candidate => 'C',
        NodeRole::Rebuilding => 'B',
        NodeRole::Recovering => 'V',
        NodeRole::Peer => '=',
    }
}

/// A role in a line, and what it means for those who ask.
pub fn explained(role: NodeRole) -> (&'static str, &'static str) {
    match role {
        NodeRole::Alone => (
            "the only node: nobody has a copy",
            "It is the only node of its shard: nobody has a copy.",
        ),
        NodeRole::Primary => (
            "primary: takes the writes (older books: master)",
            "The primary takes the writes; the replicas follow its log, so what they answer can be old. Older books say master and slave.",
        ),
        NodeRole::Fenced => (
            "fenced: its lease ran out, so it takes no writes",
            "It was primary and could not renew its lease: it takes no writes, so that there is never a second primary.",
        ),
        NodeRole::Replica => (
            "replica: follows the log of the primary (older books: slave)",
            "A replica follows the log of the primary and answers reads; what it has not applied yet, its readers do not see. Older books say master and slave.",
        ),
        NodeRole::Candidate => (
            "candidate: seeks a primary, or asks to be the next",
            "It hears from no primary: it looks for one, or asks the monitors whether it may be the next.",
        ),
        NodeRole::Rebuilding => (
            "rebuilding: copies all rows from another node",
            "It copies all rows from another node, since the entries that it lacks are not kept any more. It answers nothing meanwhile.",
        ),
        NodeRole::Recovering => (
            "recovering: replays its log",
            "It crashed and replays its log before it answers. What its disk held is not lost.",
        ),
        NodeRole::Peer => (
            "peer: takes writes as all others do",
            "It takes writes as all other nodes do, and fetches theirs. Two writes to a row that have not seen each other are in conflict.",
        ),
    }
}

/// Whether a node takes writes, as far as its role says.
fn writes(node: &NodeState) -> bool {
    matches!(node.role, Some(NodeRole::Primary | NodeRole::Alone))
}

/// The primary of a shard: the one with the latest term, where there are several.
pub fn leader(database: &DatabaseState, shard: u32) -> Option<&NodeState> {
    let nodes = database.nodes.iter().filter(|node| node.shard == shard && writes(node));
    nodes.max_by_key(|node| node.term)
}

/// Whether it takes writes beside another primary of its shard that has a later term.
pub fn rivals(database: &DatabaseState, node: &NodeState) -> bool {
    writes(node) && leader(database, node.shard).is_some_and(|leader| leader.number != node.number)
}

/// Entries in the log of a node that the furthest one of its shard does not have.
fn own_entries(database: &DatabaseState, node: &NodeState) -> u64 {
    if database.kind != DatabaseKind::PrimaryReplicas || node.role == Some(NodeRole::Rebuilding) {
        return 0;
    }
    let shard = database
        .nodes
        .iter()
        .filter(|other| other.shard == node.shard && other.behind == 0);
    let furthest = shard.map(|other| other.position).max();
    furthest.map_or(0, |furthest| (node.position + node.behind).saturating_sub(furthest))
}

/// How much a node has that is in conflict with others, be it writes or rows, if it has any: not what is merely older. It is 0 where that is so and
/// nobody knows how much.
pub fn conflicts(database: &DatabaseState, node: &NodeState) -> Option<u64> {
    let apart = node.behind == 0 || rivals(database, node);
    let copying = node.role == Some(NodeRole::Rebuilding);
    let differs = !node.agrees && apart && !copying;
    let most = node.aside.max(node.siblings).max(own_entries(database, node));
    (most > 0 || differs).then_some(most)
}

/// The sign of a node: the letter of its role, or what is wrong with it where it does nothing.
pub fn sign(frame: &Frame, database: &DatabaseState, node: &NodeState) -> (char, Role) {
    let Some(machine) = machine(frame, node) else {
        return (glyph::GONE, Role::Muted);
    };
    let idle = matches!(
        machine.health,
        Health::Down | Health::Destroyed | Health::Booting { .. }
    );
    let Some(role) = node.role.filter(|_| !idle) else {
        let truth = truth::of(machine, frame.at);
        let down = truth::serves(machine);
        return if down {
            (glyph::DEAD, Role::Bad)
        } else {
            (truth.sign, truth.role)
        };
    };
    let look = match role {
        _ if !truth::serves(machine) || rivals(database, node) => Role::Bad,
        NodeRole::Primary | NodeRole::Alone => Role::Title,
        NodeRole::Replica | NodeRole::Peer => Role::Text,
        NodeRole::Fenced | NodeRole::Candidate | NodeRole::Rebuilding | NodeRole::Recovering => Role::Warning,
    };
    (letter(role), look)
}

/// How an entry of a database is counted: `2 writes`, `no write`.
pub fn writes_of(count: u64) -> String {
    match count {
        0 => "no write".to_string(),
        1 => "1 write".to_string(),
        count => format!("{} writes", text::count(count)),
    }
}

/// How old something is, in as few digits as tell enough: `3ms`, `4.1s`.
pub fn age(duration: Duration) -> String {
    let words = if duration < Duration::from_secs(1) {
        text::span(duration)
    } else {
        text::ago(duration)
    };
    words.replace(".0s", "s").replace(".0ms", "ms")
}

/// By how much a clock is off: `+5s`, `-300ms`.
pub fn skew(node: &NodeState) -> Option<String> {
    let off = node.skew_ms.abs();
    let sign = if node.skew_ms < 0.0 { '-' } else { '+' };
    let words = age(Duration::from_secs_f64(off / 1e3));
    (off > 0.0).then(|| format!("{sign}{words}"))
}

/// What a node is called among its own: what all names have in common is left out, but for the number.
pub fn names(database: &DatabaseState) -> Vec<String> {
    let parts = |name: &str| -> (Option<String>, Option<String>) {
        let (stem, number) = match name.rsplit_once('/') {
            Some((stem, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => (stem, Some(number)),
            _ => (name, None),
        };
        let site = stem.split_once('/').map(|(site, _)| site.to_string());
        (site, number.map(str::to_string))
    };
    let all: Vec<_> = database.nodes.iter().map(|node| parts(&node.name)).collect();
    let one_site = all.windows(2).all(|pair| pair[0].0 == pair[1].0);
    let short = |(index, (site, number)): (usize, &(Option<String>, Option<String>))| match (site, number) {
        (Some(site), Some(number)) if !one_site => format!("{site}/{number}"),
        (Some(site), None) if !one_site => site.clone(),
        (_, Some(number)) => format!("/{number}"),
        (_, None) => database.nodes[index].name.clone(),
    };
    all.iter().enumerate().map(short).collect()
}

/// What is wrong with a database as a whole, the worst first: two primaries in a shard, shards that take no writes.
pub fn alarms(database: &DatabaseState) -> Vec<String> {
    let names = names(database);
    let mut alarms = Vec::new();
    let sharded = database.shards.len() > 1;
    let mut shards: Vec<u32> = database.nodes.iter().map(|node| node.shard).collect();
    shards.sort_unstable();
    shards.dedup();
    if database.kind == DatabaseKind::PrimaryReplicas {
        for shard in shards {
            let nodes = database.nodes.iter().zip(&names);
            let primaries: Vec<&str> = nodes
                .filter(|(node, _)| node.shard == shard && writes(node))
                .map(|(_, name)| name.as_str())
                .collect();
            if primaries.len() > 1 {
                let place = if sharded {
                    format!(" in shard {shard}")
                } else {
                    String::new()
                };
                alarms.push(format!("split brain{place}: {} take writes", primaries.join(" and ")));
            }
        }
    }
    let idle = database.shards.iter().filter(|shard| !shard.writable);
    let idle: Vec<String> = idle.map(|shard| shard.number.to_string()).collect();
    match (idle.as_slice(), sharded) {
        ([], _) => {}
        (_, false) => alarms.push("no node takes writes".to_string()),
        ([only], true) => alarms.push(format!("shard {only} takes no writes")),
        (all, true) if all.len() == database.shards.len() => alarms.push("no shard takes writes".to_string()),
        (all, true) if all.len() > 4 => alarms.push(format!("{} shards take no writes", all.len())),
        (several, true) => alarms.push(format!("shards {} take no writes", several.join(", "))),
    }
    alarms
}
