//! What each layer did since the start, as a table.

use crate::tui::layers::{self, Layered};
use crate::tui::text;
use crate::tui::theme::Role;

use super::super::replication::{Piece, piece};

/// The names of the columns behind that of the layer; those that find no room are left out from the end.
const COLUMNS: [&str; 9] = [
    "hits", "asked", "loads", "stale", "waited", "evicted", "expired", "storms", "served",
];

/// A title, the names of the columns, and a line for each layer, below an empty one.
pub(super) fn lines(layers: &[Layered], width: u16) -> Vec<Vec<Piece>> {
    let wide = layers.iter().map(|layer| text::width(&layer.name())).max().unwrap_or(0);
    let wide = wide.clamp(11, 20);
    let count = usize::from(width.saturating_sub(wide) / 8).min(COLUMNS.len());
    let mut lines = vec![Vec::new()];
    lines.push(line(
        "since start",
        COLUMNS.map(String::from).as_slice(),
        (wide, count),
        Role::Title,
    ));
    for layer in layers {
        let total = &layer.state.total;
        let short = |count: u64| text::short(count as f64);
        let cells = [
            layers::ratio(total),
            short(total.lookups),
            short(layers::passed(total)),
            short(total.stale_hits),
            short(total.coalesced),
            short(total.evicted),
            short(total.expired),
            short(total.stampedes),
            layers::bytes(total.served_bytes),
        ];
        lines.push(line(&layer.name(), &cells, (wide, count), Role::Text));
    }
    lines
}

fn line(name: &str, cells: &[String], (wide, count): (u16, usize), role: Role) -> Vec<Piece> {
    let name = text::clip_middle(name, wide);
    let gap = " ".repeat(usize::from(wide - text::width(&name)));
    let mut line = vec![piece(format!("{name}{gap}"), role)];
    line.extend(cells.iter().take(count).map(|cell| piece(format!("{cell:>8}"), role)));
    line
}
