//! The data tier, end to end: what is lost, what is stale, who takes over, what conflicts, what moves.

mod failover;
mod peers;
mod promises;
mod sharding;

use blastradius::layout::Layout;
use blastradius::observe::{DatabaseState, Frame};

use crate::build::layout;
pub use crate::story::{act, advance_to, ok_between, refusal, service, story};

/// A database on three machines behind one web server: 400 writes a second and nothing else, over many rows.
pub fn replicated(settings: &str, machines: u32) -> Layout {
    layout(&format!(
        r#"Layout(title: "replicated",
            users: {{ "people": (count: 4_000, every: "10s", asks: (update: 100), keys: Uniform(count: 1_000_000)) }},
            services: {{
                "web": Web(machines: 1, size: "xl", work: Constant("1ms"), database: "db", calls: {{"db": (retries: 0)}}),
                "db": Database(machines: {machines}, size: "l", write: Exponential("1ms"), rows: 1_000_000,
                    replication: PrimaryReplicas({settings})),
            }})"#
    ))
}

/// The database of this name.
pub fn database(frame: &Frame, selector: &str) -> DatabaseState {
    let state = service(frame, selector).database.clone();
    state.unwrap_or_else(|| panic!("{selector} is no database"))
}

/// The name of the node that is primary.
pub fn primary(frame: &Frame, selector: &str) -> Option<String> {
    let nodes = database(frame, selector).nodes;
    let primaries = nodes
        .into_iter()
        .filter(|node| node.role == Some(blastradius::observe::NodeRole::Primary));
    primaries.map(|node| node.name).next()
}
