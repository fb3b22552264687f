//! What is particular to databases, their nodes and their monitors.

use crate::observe::{DatabaseKind, DatabaseState, Frame, MonitorState, NodeRole, NodeState};
use crate::tui::nodes;
use crate::tui::text;
use crate::tui::theme::Role;

use super::kinds::counted;
use super::{Line, line};

/// Conflicts that are shown, the newest first.
const CONFLICTS: usize = 5;

/// What a database of several nodes is, for those who ask.
pub(super) fn explained(frame: &Frame, service: usize) -> Option<&'static str> {
    Some(match nodes::of(frame, service)?.kind {
        DatabaseKind::Single => return None,
        DatabaseKind::PrimaryReplicas => {
            "The primary takes the writes, and the replicas follow its log: what they answer can be old. When it dies, what no replica had is lost or missing. Older books say master and slave."
        }
        DatabaseKind::MultiPrimary => {
            "Every node takes writes and fetches those of all others. Two writes to a row that have not seen each other are in conflict, and a rule decides."
        }
        DatabaseKind::Circular => {
            "Every node takes writes and fetches what the one before it in the ring knows. When one dies, the nodes behind it go stale until the ring is closed."
        }
    })
}

fn coloured(label: &str, words: impl Into<String>, role: Role) -> Line {
    (label.to_string(), words.into(), role)
}

/// A node: what it does, how far it is, what it holds.
pub(super) fn node(database: &DatabaseState, node: &NodeState) -> Vec<Line> {
    let mut lines = Vec::new();
    let rival = nodes::rivals(database, node);
    let role = match node.role {
        None => coloured("role", "none: it does not run", Role::Bad),
        Some(_) if rival => coloured("role", "primary, beside another one of a later term", Role::Bad),
        Some(role) => {
            let mut words = nodes::explained(role).0.to_string();
            if !node.voter {
                words += ", without a vote until it has all rows";
            }
            let look = match role {
                NodeRole::Alone | NodeRole::Primary | NodeRole::Replica | NodeRole::Peer => Role::Text,
                _ => Role::Warning,
            };
            coloured("role", words, look)
        }
    };
    lines.push(role);
    if database.shards.len() > 1 {
        lines.push(line("shard", node.shard.to_string()));
    }
    if node.term > 0 {
        lines.push(line("term", node.term.to_string()));
    }
    lines.push(line(
        "position",
        format!("{} entries in its log", text::count(node.position)),
    ));
    let lag = if node.lag.is_zero() {
        String::new()
    } else {
        format!(", {}", nodes::age(node.lag))
    };
    lines.push(match node.behind {
        0 => line("behind", "nothing"),
        behind => coloured("behind", format!("{} entries{lag}", text::count(behind)), Role::Warning),
    });
    if node.torn {
        lines.push(coloured(
            "cut off",
            "no packet reaches it from the node it follows",
            Role::Bad,
        ));
    }
    if let Some(share) = node.rebuilt {
        lines.push(coloured(
            "rebuilding",
            format!("{} of the rows are copied", text::whole_percent(share)),
            Role::Warning,
        ));
    }
    if let Some(own) = nodes::conflicts(database, node).filter(|_| node.aside + node.siblings == 0) {
        let words = match own {
            0 => "differ from those of the furthest node".to_string(),
            own => format!("{} entries that the furthest node lacks", text::count(own)),
        };
        lines.push(coloured("rows", words, Role::Mismatch));
    }
    lines.extend(counted(
        "aside",
        node.aside,
        " writes that the primary lacks",
        Role::Mismatch,
    ));
    lines.extend(counted(
        "siblings",
        node.siblings,
        " rows with several versions",
        Role::Warning,
    ));
    if let Some(skew) = nodes::skew(node) {
        lines.push(coloured("clock", format!("off by {skew}"), Role::Warning));
    }
    lines
}

/// All of a database of several nodes: its settings, its shards, its promises, its conflicts.
pub(super) fn database(database: &DatabaseState) -> Vec<Line> {
    let mut lines = Vec::new();
    if database.nodes.len() < 2 {
        return lines;
    }
    lines.push(line("copies", database.policy.clone()));
    if let Some(sharding) = &database.sharding {
        let shards = text::plural(database.shards.len(), "shard");
        lines.push(line("shards", format!("{shards}, {sharding}")));
    }
    if let Some(migration) = database.migration {
        let (moving, done) = (text::percent(migration.moving), text::whole_percent(migration.done));
        lines.push(coloured(
            "migration",
            format!("{moving} of the keys move, {done} of them have"),
            Role::Warning,
        ));
    }
    lines.extend(
        nodes::alarms(database)
            .into_iter()
            .map(|words| coloured("alarm", words, Role::Bad)),
    );
    lines.extend(promises(database));
    for conflict in database.conflicts.iter().rev().take(CONFLICTS) {
        let time = conflict.at.to_string();
        let time = &time[..time.len().saturating_sub(2)];
        lines.push(line(
            time,
            format!("row {}: {}", text::count(conflict.key), conflict.text),
        ));
    }
    lines
}

/// What clients were told, and what became of it.
fn promises(database: &DatabaseState) -> Vec<Line> {
    let promises = &database.promises;
    let lost = if promises.lost > 0 { Role::Bad } else { Role::Good };
    let mut lines = vec![
        line("acknowledged", format!("{} writes", text::count(promises.acknowledged))),
        coloured(
            "lost",
            format!("{}: no disk has them", text::count(promises.lost)),
            lost,
        ),
    ];
    lines.extend(counted(
        "missing",
        promises.missing,
        ": only disks that take no part have them",
        Role::Warning,
    ));
    lines.extend(counted(
        "at risk",
        promises.at_risk,
        " would be lost with the primary's machine now",
        Role::Warning,
    ));
    lines.extend(counted(
        "unknown",
        promises.unknown,
        " writes timed out: nobody knows",
        Role::Warning,
    ));
    if promises.stale > 0 {
        let of = text::percent(promises.stale as f64 / promises.reads.max(1) as f64);
        let (mean, longest) = (nodes::age(promises.stale_mean), nodes::age(promises.stale_longest));
        let words = format!("{} ({of}), {mean} old, at most {longest}", text::count(promises.stale));
        lines.push(coloured("stale reads", words, Role::Warning));
        lines.extend(counted(
            "",
            promises.stale_copies,
            " of them came from caches",
            Role::Warning,
        ));
    }
    let sampled = if promises.sampled > 0.0 && promises.sampled < 1.0 {
        format!(" (of {} of the users)", text::percent(promises.sampled))
    } else {
        String::new()
    };
    lines.extend(counted(
        "own unseen",
        promises.own_writes_unseen,
        &format!(" own writes{sampled}"),
        Role::Warning,
    ));
    lines.extend(counted(
        "backwards",
        promises.read_backwards,
        &format!(" reads older than one before{sampled}"),
        Role::Warning,
    ));
    lines.extend(counted(
        "conflicts",
        promises.dropped_later,
        ": the later write was dropped",
        Role::Bad,
    ));
    lines.extend(counted(
        "",
        promises.dropped_older,
        ": the older write was dropped",
        Role::Text,
    ));
    lines.extend(counted("", promises.merged, " merged", Role::Text));
    lines.extend(counted("", promises.siblings, " kept beside each other", Role::Warning));
    lines.extend(counted("put aside", promises.replayed, " written anew", Role::Text));
    lines.extend(counted("", promises.given_up, " given up for others", Role::Bad));
    lines
}

/// Who holds the leases, as the first monitor knows it.
pub(super) fn monitor(frame: &Frame, monitor: &MonitorState) -> Vec<Line> {
    let of = frame.topology.services.get(monitor.of).map_or("", |of| &of.selector);
    let mut lines = vec![line("of", of)];
    let several = monitor.leases.len() > 1;
    for (shard, (holder, left)) in monitor.leases.iter().enumerate() {
        let label = if several {
            format!("lease {shard}")
        } else {
            "lease".to_string()
        };
        lines.push(match holder {
            Some(holder) => line(&label, format!("{holder}, for {} more", text::ago(*left))),
            None => coloured(&label, "nobody has it", Role::Warning),
        });
    }
    lines
}
