//! Layers of caches in a report: as data, from a frame, and as text.

use serde::Serialize;

use super::build::health;
use super::model::Report;
use super::table::{Align, Table, WIDTH, cut, flow};
use super::text::Text;
use super::words::{count, dollars, percent, plural};
use crate::layout::printable;
use crate::observe::{CacheNodeState, CacheState, CacheTally, Frame, InstanceInfo};

/// What a service kept, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CacheReport {
    /// `browser`, `edge`, `shield`, `near_copy` or `cache`.
    pub layer: String,
    /// The settings at the end, in words.
    pub policy: String,
    /// Selectors of the services that it, or whoever uses it, asks for what it lacks.
    pub behind: Vec<String>,
    /// Counts of the whole run.
    pub total: CacheCounts,
    /// Entries at the end.
    pub entries: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Writes that it had taken and that were not in the database at the end.
    pub unwritten: u64,
    /// Of a CDN: whether users are sent there at the end, as far as the name service believes.
    pub used: Option<bool>,
    /// What its traffic cost, in US dollars; only of a CDN.
    pub spent_usd: Option<f64>,
    /// Its nodes or edges at the end; none of browsers, which are too many.
    pub nodes: Vec<CacheNodeReport>,
}

/// A node or an edge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CacheNodeReport {
    /// Its selector.
    pub selector: String,
    /// The name of an edge.
    pub label: Option<String>,
    /// The truth at the end, as of an instance.
    pub health: &'static str,
    /// Counts of the whole run.
    pub total: CacheCounts,
    /// Entries at the end.
    pub entries: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// How full it is at the end, from 0 to 1.
    pub full: f64,
}

/// Counts of a cache over the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CacheCounts {
    /// Share of the look-ups that were hits; nothing if there were none.
    pub hit_ratio: Option<f64>,
    /// Times that it was asked for something that it may keep.
    pub lookups: u64,
    /// Those that it answered from what it held, fresh or stale.
    pub hits: u64,
    /// The others.
    pub misses: u64,
    /// Hits past their time.
    pub stale_hits: u64,
    /// Hits that said that there is no such thing.
    pub negative_hits: u64,
    /// Misses that waited for a load in progress.
    pub coalesced: u64,
    /// Requests to what is behind.
    pub loads: u64,
    /// Those of them that were made in the background.
    pub refreshes: u64,
    /// Loads that failed.
    pub failed_loads: u64,
    /// Requests passed on without a look.
    pub bypassed: u64,
    /// Entries stored or replaced.
    pub stored: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Entries found past their time.
    pub expired: u64,
    /// Entries deleted since they were written or purged.
    pub invalidated: u64,
    /// Times that many loads of one key were in progress at once.
    pub stampedes: u64,
    /// Bytes of all answers.
    pub served_bytes: u64,
    /// Bytes of those answered from what it held.
    pub hit_bytes: u64,
    /// Writes taken and written to the database later.
    pub written_behind: u64,
    /// Writes taken and never written, since a later one of the row took their place.
    pub merged_writes: u64,
}

impl From<&CacheTally> for CacheCounts {
    fn from(tally: &CacheTally) -> CacheCounts {
        CacheCounts {
            hit_ratio: tally.hit_ratio(),
            lookups: tally.lookups,
            hits: tally.hits,
            misses: tally.lookups.saturating_sub(tally.hits),
            stale_hits: tally.stale_hits,
            negative_hits: tally.negative_hits,
            coalesced: tally.coalesced,
            loads: tally.loads,
            refreshes: tally.refreshes,
            failed_loads: tally.failed_loads,
            bypassed: tally.bypassed,
            stored: tally.stored,
            evicted: tally.evicted,
            expired: tally.expired,
            invalidated: tally.invalidated,
            stampedes: tally.stampedes,
            served_bytes: tally.served_bytes,
            hit_bytes: tally.hit_bytes,
            written_behind: tally.written_behind,
            merged_writes: tally.merged_writes,
        }
    }
}

/// The report of what a service keeps.
pub(super) fn cache(frame: &Frame, service: usize) -> Option<CacheReport> {
    let info = &frame.topology.services[service];
    let state: &CacheState = frame.services[service].cache.as_ref()?;
    let services = &frame.topology.services;
    let behind = state.behind.iter().filter_map(|behind| services.get(*behind));
    let nodes = state.nodes.iter().zip(&info.instances).enumerate();
    Some(CacheReport {
        layer: state.layer.name().replace(' ', "_"),
        policy: state.policy.clone(),
        behind: behind.map(|behind| behind.selector.clone()).collect(),
        total: (&state.total).into(),
        entries: state.entries,
        bytes: state.bytes,
        unwritten: state.unwritten,
        used: state.used,
        spent_usd: state.used.map(|_| state.spent),
        nodes: nodes
            .map(|(index, (node, info))| self::node(frame, (service, index), node, info))
            .collect(),
    })
}

fn node(
    frame: &Frame,
    (service, index): (usize, usize),
    node: &CacheNodeState,
    info: &InstanceInfo,
) -> CacheNodeReport {
    let instance = frame.services[service].instances.get(index);
    CacheNodeReport {
        selector: info.selector.clone(),
        label: info.label.clone(),
        health: instance.map_or("up", |instance| health(instance.health)),
        total: (&node.total).into(),
        entries: node.entries,
        bytes: node.bytes,
        full: node.full,
    }
}

/// How near a layer is to the users.
fn order(cache: &CacheReport) -> usize {
    let layers = ["browser", "edge", "shield", "near_copy", "cache"];
    layers
        .iter()
        .position(|layer| *layer == cache.layer)
        .unwrap_or(layers.len())
}

/// What every layer answered, the nearest to the users first, then each of them by node.
pub(super) fn caches(text: &mut Text, report: &Report) {
    let services = report.services.iter();
    let mut layers: Vec<(String, &CacheReport)> = services
        .filter_map(|service| Some((printable(&service.selector), service.cache.as_ref()?)))
        .filter(|(_, cache)| cache.total.lookups + cache.total.bypassed > 0)
        .collect();
    layers.sort_by_key(|layer| order(layer.1));
    if layers.is_empty() {
        return;
    }
    text.section("caches (stale: hits past their time; waited: misses that joined a load)");
    let mut table = columns("cache");
    for (name, cache) in &layers {
        let name = match cache.layer.as_str() {
            "browser" | "near_copy" => format!("{} {name}", cache.layer.replace('_', " ")),
            _ => name.clone(),
        };
        table.row(row(name, &cache.total));
    }
    text.lines(&table.lines());
    for (name, cache) in &layers {
        let told = told(cache);
        if !told.is_empty() {
            text.lines(&flow(&cut(&format!("  {name}"), 20), &told));
        }
    }
    for (name, cache) in layers.iter().filter(|(_, cache)| cache.nodes.len() > 1) {
        text.section(&cut(&format!("{name} · {}", printable(&cache.policy)), WIDTH));
        let mut table = columns("node");
        for node in &cache.nodes {
            let name = match (&node.label, node.health) {
                (Some(label), "up") => format!("{} {}", printable(&node.selector), printable(label)),
                (Some(label), health) => format!("{} {} {health}", printable(&node.selector), printable(label)),
                (None, "up") => printable(&node.selector),
                (None, health) => format!("{} {health}", printable(&node.selector)),
            };
            table.row(row(name, &node.total));
        }
        text.lines(&table.lines());
    }
}

fn columns(first: &'static str) -> Table {
    Table::new(&[
        (first, Align::Left),
        ("hit ratio", Align::Right),
        ("look-ups", Align::Right),
        ("misses", Align::Right),
        ("stale", Align::Right),
        ("waited", Align::Right),
        ("loads", Align::Right),
        ("evicted", Align::Right),
    ])
}

fn row(name: String, total: &CacheCounts) -> Vec<String> {
    let ratio = total.hit_ratio.map_or_else(|| "-".to_string(), percent);
    let counts = [
        total.lookups,
        total.misses,
        total.stale_hits,
        total.coalesced,
        total.loads,
        total.evicted,
    ];
    [name, ratio].into_iter().chain(counts.map(count)).collect()
}

/// What else is to be told of a layer.
fn told(cache: &CacheReport) -> Vec<String> {
    let total = &cache.total;
    let mut parts = Vec::new();
    if total.stampedes > 0 {
        parts.push(plural(total.stampedes, "stampede"));
    }
    if cache.unwritten > 0 {
        parts.push(format!("{} only there at the end", plural(cache.unwritten, "write")));
    }
    if total.failed_loads > 0 {
        parts.push(format!("{} failed", plural(total.failed_loads, "load")));
    }
    if total.expired > 0 {
        parts.push(format!("{} expired", count(total.expired)));
    }
    if total.served_bytes > 0 {
        parts.push(format!("{} served", bytes(total.served_bytes)));
    }
    if let Some(spent) = cache.spent_usd {
        parts.push(format!("{} for it", dollars(spent)));
    }
    if cache.used == Some(false) {
        parts.push("not used at the end".to_string());
    }
    parts
}

/// Bytes in the unit that reads best.
fn bytes(count: u64) -> String {
    let count = count as f64;
    for (size, unit) in [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")] {
        if count >= size {
            return format!("{:.1} {unit}", count / size);
        }
    }
    format!("{count:.0} B")
}
