//! What panes want at a small size, in the order of importance: what each needs, then what it would like. A pane that there is not wants
//! nothing.

use crate::tui::app::Pane;

/// The lines that panes want, one wish after the other; where the map has to show several data centers, they are modest.
pub(super) fn of(panes: &[Pane], sites: bool) -> &'static [(Pane, u16)] {
    let has = |pane| panes.contains(&pane);
    if sites && has(Pane::Cache) && has(Pane::Replication) && has(Pane::Queues) {
        return WITH_SITES;
    }
    match (has(Pane::Cache), has(Pane::Replication), has(Pane::Queues)) {
        (true, true, true) => WITH_ALL,
        (_, _, true) => WITH_QUEUES,
        (true, true, false) => WITH_BOTH,
        (true, false, false) => WITH_CACHE,
        (false, true, false) => WITH_REPLICATION,
        (false, false, false) => PLAIN,
    }
}

/// Without any of the panes that only some layouts have.
const PLAIN: &[(Pane, u16)] = &[
    (Pane::Incident, 4),
    (Pane::Routing, 3),
    (Pane::Latency, 3),
    (Pane::Causes, 2),
    (Pane::Routing, 1),
    (Pane::Incident, 1),
    (Pane::Log, 4),
    (Pane::Latency, 1),
    (Pane::Causes, 2),
    (Pane::Routing, 2),
    (Pane::Log, 2),
];
/// With a database of several nodes.
const WITH_REPLICATION: &[(Pane, u16)] = &[
    (Pane::Incident, 4),
    (Pane::Replication, 3),
    (Pane::Routing, 3),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Replication, 1),
    (Pane::Routing, 1),
    (Pane::Incident, 1),
    (Pane::Log, 4),
    (Pane::Replication, 2),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Routing, 2),
    (Pane::Replication, 2),
    (Pane::Log, 2),
];

/// With caches.
const WITH_CACHE: &[(Pane, u16)] = &[
    (Pane::Incident, 4),
    (Pane::Cache, 3),
    (Pane::Routing, 3),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Cache, 1),
    (Pane::Routing, 1),
    (Pane::Incident, 1),
    (Pane::Log, 4),
    (Pane::Cache, 3),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Routing, 2),
    (Pane::Log, 2),
];
/// With both.
const WITH_BOTH: &[(Pane, u16)] = &[
    (Pane::Incident, 4),
    (Pane::Cache, 3),
    (Pane::Replication, 3),
    (Pane::Routing, 2),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Routing, 1),
    (Pane::Incident, 1),
    (Pane::Cache, 1),
    (Pane::Replication, 1),
    (Pane::Log, 4),
    (Pane::Cache, 3),
    (Pane::Replication, 2),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Log, 2),
];

/// With queues, and whatever else there is but for both caches and replication.
const WITH_QUEUES: &[(Pane, u16)] = &[
    (Pane::Incident, 4),
    (Pane::Queues, 3),
    (Pane::Cache, 3),
    (Pane::Replication, 3),
    (Pane::Routing, 3),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Queues, 1),
    (Pane::Routing, 1),
    (Pane::Incident, 1),
    (Pane::Cache, 1),
    (Pane::Replication, 1),
    (Pane::Log, 4),
    (Pane::Queues, 3),
    (Pane::Cache, 3),
    (Pane::Replication, 2),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Log, 2),
];
/// With all of them.
const WITH_ALL: &[(Pane, u16)] = &[
    (Pane::Incident, 3),
    (Pane::Queues, 3),
    (Pane::Cache, 3),
    (Pane::Replication, 3),
    (Pane::Routing, 2),
    (Pane::Incident, 1),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Routing, 1),
    (Pane::Queues, 1),
    (Pane::Cache, 1),
    (Pane::Replication, 1),
    (Pane::Incident, 1),
    (Pane::Log, 4),
    (Pane::Queues, 2),
    (Pane::Cache, 2),
    (Pane::Replication, 2),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Log, 2),
];
/// With all of them, below a map of several data centers.
const WITH_SITES: &[(Pane, u16)] = &[
    (Pane::Incident, 3),
    (Pane::Routing, 2),
    (Pane::Replication, 2),
    (Pane::Cache, 2),
    (Pane::Queues, 2),
    (Pane::Replication, 1),
    (Pane::Incident, 1),
    (Pane::Queues, 1),
    (Pane::Cache, 1),
    (Pane::Routing, 1),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Log, 4),
    (Pane::Incident, 1),
    (Pane::Queues, 2),
    (Pane::Cache, 2),
    (Pane::Replication, 2),
    (Pane::Latency, 2),
    (Pane::Causes, 2),
    (Pane::Log, 2),
];
