//! The section on data: for each database with several nodes, or with something to tell.

use super::super::model::{Report, ServiceReport};
use super::super::table::{Align, Table, WIDTH, cut, flow, wrap};
use super::super::text::Text;
use super::super::words::{clock, count, milliseconds, percent, plural};
use super::{DatabaseReport, NodeReport, PromisesReport, ShardReport};
use crate::layout::printable;

/// How many of the last conflicts are shown.
const CONFLICTS: usize = 5;

/// Of how many nodes more is said than a row of the table.
const NOTES: usize = 20;

/// What users were told, and what the nodes hold.
pub(in crate::report) fn data(text: &mut Text, report: &Report) {
    let mut told: Vec<&DatabaseReport> = Vec::new();
    for service in &report.services {
        let Some(database) = &service.database else { continue };
        // A database in several data centers is one service in each, and is told of once.
        let is_same = |other: &&DatabaseReport| !other.nodes.is_empty() && names(other).eq(names(database));
        if told.iter().any(is_same) || !has_something_to_tell(database) {
            continue;
        }
        told.push(database);
        section(text, service, database);
    }
}

fn names(database: &DatabaseReport) -> impl Iterator<Item = &str> {
    database.nodes.iter().map(|node| node.selector.as_str())
}

fn has_something_to_tell(database: &DatabaseReport) -> bool {
    let promises = &database.promises;
    let news = [
        promises.unknown,
        promises.lost,
        promises.missing,
        promises.stale,
        promises.own_writes_unseen,
        promises.read_backwards,
    ];
    database.nodes.len() > 1 || news.iter().any(|count| *count > 0)
}

fn section(text: &mut Text, service: &ServiceReport, database: &DatabaseReport) {
    let mut title = format!("data · {}", printable(&service.selector));
    for part in [
        Some(in_words(database.kind)),
        Some(&*database.policy),
        database.sharding.as_deref(),
    ] {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            title.push_str(" · ");
            title.push_str(&printable(part));
        }
    }
    text.blank();
    text.lines(&wrap(&title, 0));
    let mut line = |label: &str, parts: &[String]| {
        if !parts.is_empty() {
            text.lines(&flow(label, parts));
        }
    };
    line("  promises", &promises(&database.promises));
    line("  reads", &reads(&database.promises));
    line("  users", &users(&database.promises));
    line("  resolved", &conflicts(&database.promises));
    line("  recovery", &recovery(&database.promises));
    if let Some(migration) = database.migration {
        let moving = format!("{} of the keys move", percent(migration.moving));
        line(
            "  shards",
            &[moving, format!("{} of them have moved", percent(migration.done))],
        );
    }
    if database.nodes.len() > 1 {
        text.lines(&nodes(&database.nodes, database.shards.len() > 1));
    }
    if database.shards.len() > 1 {
        text.lines(&shards(&database.shards).lines());
    }
    let shown = &database.conflicts[database.conflicts.len().saturating_sub(CONFLICTS)..];
    for conflict in shown {
        let line = format!(
            "  {}  row {}: {}",
            clock(conflict.at_s),
            conflict.key,
            printable(&conflict.text)
        );
        text.line(&cut(&line, WIDTH));
    }
}

fn in_words(kind: &str) -> &str {
    match kind {
        "single" => "one node",
        "primary_replicas" => "primary and replicas",
        "multi_primary" => "several primaries",
        _ => "ring",
    }
}

fn promises(promises: &PromisesReport) -> Vec<String> {
    let mut parts = vec![
        format!("acknowledged {}", count(promises.acknowledged)),
        format!("lost {}", count(promises.lost)),
        format!("missing {}", count(promises.missing)),
        format!("at risk {}", count(promises.at_risk)),
    ];
    if promises.unknown > 0 {
        parts.push(format!("unknown {}", count(promises.unknown)));
    }
    parts
}

fn reads(promises: &PromisesReport) -> Vec<String> {
    let share = promises.stale as f64 / promises.reads.max(1) as f64;
    match promises.stale {
        0 => vec![format!("{}, none stale", count(promises.reads))],
        stale => {
            let copies =
                (promises.stale_copies > 0).then(|| format!("{} of them from caches", count(promises.stale_copies)));
            let mut parts = vec![
                count(promises.reads),
                format!("stale {} ({})", count(stale), percent(share)),
            ];
            parts.extend(copies);
            parts.push(format!(
                "old by {}, {} at most",
                milliseconds(promises.stale_mean_ms),
                milliseconds(promises.stale_longest_ms)
            ));
            parts
        }
    }
}

fn users(promises: &PromisesReport) -> Vec<String> {
    if promises.own_writes_unseen + promises.read_backwards == 0 {
        return Vec::new();
    }
    vec![
        format!("own writes unseen {}", count(promises.own_writes_unseen)),
        format!("read backwards {}", count(promises.read_backwards)),
        format!("({} of the users watched)", percent(promises.sampled)),
    ]
}

fn conflicts(promises: &PromisesReport) -> Vec<String> {
    let outcomes = [
        ("older write dropped", promises.dropped_older),
        ("later write dropped", promises.dropped_later),
        ("merged", promises.merged),
        ("siblings", promises.siblings),
    ];
    let outcomes = outcomes.into_iter().filter(|(_, number)| *number > 0);
    outcomes
        .map(|(words, number)| format!("{words} {}", count(number)))
        .collect()
}

fn recovery(promises: &PromisesReport) -> Vec<String> {
    if promises.replayed + promises.given_up == 0 {
        return Vec::new();
    }
    vec![
        format!("{} replayed", plural(promises.replayed, "write")),
        format!("{} given up", count(promises.given_up)),
    ]
}

fn nodes(nodes: &[NodeReport], sharded: bool) -> Vec<String> {
    let mut columns = vec![
        ("node", Align::Left),
        ("shard", Align::Right),
        ("role", Align::Left),
        ("term", Align::Right),
        ("entries", Align::Right),
        ("behind", Align::Right),
        ("lag", Align::Right),
        ("aside", Align::Right),
    ];
    if !sharded {
        columns.remove(1);
    }
    let mut table = Table::new(&columns);
    let or_dash = |shown: bool, text: String| if shown { text } else { "-".to_string() };
    for node in nodes {
        let mut row = vec![
            printable(&node.selector),
            node.shard.to_string(),
            node.role.unwrap_or("down").to_string(),
            or_dash(node.term > 0, node.term.to_string()),
            count(node.position),
            count(node.behind),
            or_dash(node.behind > 0, milliseconds(node.lag_ms)),
            count(node.aside),
        ];
        if !sharded {
            row.remove(1);
        }
        table.row(row);
    }
    let noted = nodes.iter().map(|node| (node, notes(node)));
    let noted = noted.filter(|(_, notes)| !notes.is_empty()).take(NOTES);
    let noted = noted.flat_map(|(node, notes)| wrap(&format!("{}: {notes}", printable(&node.selector)), 2));
    let mut lines = table.lines();
    lines.extend(noted);
    lines
}

/// What else is to be said of a node.
fn notes(node: &NodeReport) -> String {
    let clock = node.skew_ms.abs();
    let sign = if node.skew_ms > 0.0 { "fast" } else { "slow" };
    let notes = [
        node.torn.then(|| "cut off from its source".to_string()),
        node.rebuilt.map(|done| format!("{} copied", percent(done))),
        (!node.agrees && node.behind == 0).then(|| "its rows differ".to_string()),
        (node.siblings > 0).then(|| format!("{} in several versions", plural(node.siblings, "row"))),
        (clock > 0.0).then(|| format!("its clock is {} {sign}", milliseconds(clock))),
        (!node.voter).then(|| "no vote yet".to_string()),
    ];
    notes.into_iter().flatten().collect::<Vec<String>>().join(", ")
}

fn shards(shards: &[ShardReport]) -> Table {
    let mut table = Table::new(&[
        ("shard", Align::Left),
        ("requests/s", Align::Right),
        ("cores in use", Align::Right),
        ("rows", Align::Right),
        ("takes writes", Align::Left),
        ("nodes agree", Align::Left),
    ]);
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_string();
    for shard in shards {
        table.row(vec![
            shard.number.to_string(),
            format!("{:.1}", shard.requests_per_s),
            percent(shard.utilisation),
            count(shard.rows),
            word(shard.writable),
            word(shard.agrees),
        ]);
    }
    table
}
