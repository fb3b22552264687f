//! Changes that nodes of a database fetch from each other: they travel against the requests for them, on one way for both directions.

use crate::observe::{LinkInfo, LinkKind};
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::theme::Role;

use super::draw::{Scene, Window};
use super::flow::{self, Look};
use super::route::Edge;

/// Cells from one change to the next.
const PERIOD: f64 = 7.0;

/// The link back, where both sides fetch.
fn back(scene: &Scene, edge: &Edge) -> Option<usize> {
    let links = &scene.frame.topology.links;
    let own = &links[edge.link];
    let reverse = |link: &LinkInfo| link.kind == own.kind && (link.from, link.to) == (own.to, own.from);
    links
        .iter()
        .position(reverse)
        .filter(|_| own.kind == LinkKind::Replication)
}

/// The share of packets that pass on a way, in its worse direction, and whether it is hurt.
pub(super) fn condition(scene: &Scene, edge: &Edge) -> (f64, bool) {
    let links = &scene.frame.links;
    let own = &links[edge.link];
    back(scene, edge).map_or((own.passing, own.hurt), |back| {
        (own.passing.min(links[back].passing), own.hurt || links[back].hurt)
    })
}

/// Pulls a second: by the side where the way begins, and by that where it ends.
fn rates(scene: &Scene, edge: &Edge) -> (f64, f64) {
    let links = &scene.frame.links;
    let back = back(scene, edge).map_or(0.0, |back| links[back].rate);
    (links[edge.link].rate, back)
}

/// What the way looks like.
pub(super) fn look(scene: &Scene, edge: &Edge) -> Look {
    let (forth, back) = rates(scene, edge);
    let cut = condition(scene, edge).0 <= 0.0;
    Look {
        bed: if cut { Role::Bad } else { Role::Lookup },
        flow: if cut { Role::Bad } else { Role::Trend },
        rate: forth + back,
        dotted: true,
        changes: true,
        messages: false,
    }
}

/// Draws what moves, and heads where changes arrive. Where nothing passes, nothing moves.
pub(super) fn draw(scene: &Scene, edge: &Edge, look: &Look, window: &Window, painter: &mut Painter) {
    let (forth, back) = rates(scene, edge);
    let moves = look.bed != Role::Bad && look.rate > 0.0;
    // What is fetched by the side where the way begins arrives there.
    let home = forth >= back;
    let busy = look.rate * scene.speed.factor().unwrap_or(1e3) >= flow::SINGLE;
    for (index, (x, y, mask)) in edge.cells.iter().enumerate().filter(|_| moves) {
        let Some((column, row)) = window.place(*x, *y) else {
            continue;
        };
        let travelled = if home { scene.phase } else { -scene.phase };
        let place = (index as f64 + travelled).rem_euclid(PERIOD);
        if flow::under_frame(painter, column, row, *mask) {
            continue;
        }
        if place < 1.0 {
            painter.put(column, row, glyph::CHANGE, look.flow);
        } else if busy && place < 4.0 {
            painter.put(column, row, glyph::HEAVY[usize::from(mask & 15)], look.flow);
        }
    }
    let start = edge.cells.first().zip(edge.cells.get(1).or(edge.cells.first()));
    let start = start.map(|(first, next)| (first.0, first.1, leaving(*first, *next)));
    let ends = [(start, forth > 0.0), (edge.head, back > 0.0)];
    for (end, arrives) in ends {
        let Some((x, y, direction)) = end.filter(|_| arrives) else {
            continue;
        };
        if let Some((x, y)) = window.place(x, y) {
            painter.put(x, y, glyph::HEADS[direction], look.flow);
        }
    }
}

/// The direction from the second cell of a way back to the first: 0 north, 1 east, 2 south, 3 west.
fn leaving(first: (u16, u16, u8), next: (u16, u16, u8)) -> usize {
    match (next.0.cmp(&first.0), next.1.cmp(&first.1)) {
        (std::cmp::Ordering::Greater, _) => 3,
        (std::cmp::Ordering::Less, _) => 1,
        (_, std::cmp::Ordering::Less) => 2,
        _ => 0,
    }
}
