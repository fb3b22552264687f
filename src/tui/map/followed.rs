//! The request that is followed, on the map: where it is now.

use ratatui::layout::Rect;

use crate::observe::{Doing, Followed, Span};
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::theme::Role;

use super::draw::{Scene, Window};
use super::route::Edge;

/// Draws where the request is: on its way, or on a machine.
pub(super) fn draw(scene: &Scene, window: &Window, painter: &mut Painter) {
    let Some(followed) = scene
        .frame
        .followed
        .as_deref()
        .filter(|followed| followed.ended().is_none())
    else {
        return;
    };
    let Some(front) = followed.front(scene.frame.at) else {
        return;
    };
    let role = if front.failure().is_some() {
        Role::Refusal
    } else {
        Role::Notice
    };
    let way = front.on_the_way(scene.frame.at);
    if let (Doing::Wire, Some(way)) = (front.doing(scene.frame.at), way)
        && let Some((x, y)) = on_the_way(scene, followed, front, way)
        && let Some((x, y)) = window.place(x, y)
    {
        painter.put(x, y, glyph::FOLLOWED, role);
        return;
    }
    let Some((service, instance)) = front.place else { return };
    let of = |item: Item| {
        scene
            .plan
            .items
            .iter()
            .find(|(other, _)| *other == item)
            .map(|(_, area)| *area)
    };
    let area = of(Item::Instance(service, instance)).or_else(|| of(Item::Service(service)));
    if let Some(area) = area {
        let shown = window.rect(Rect { height: 1, ..area });
        painter.tint(shown, role);
    }
}

/// The cell of the map where a message is that is so far on its way there, or back.
fn on_the_way(scene: &Scene, followed: &Followed, span: &Span, (share, back): (f64, bool)) -> Option<(u16, u16)> {
    let (to, instance) = span.place?;
    let from = followed.spans.get(span.parent?)?.place?.0;
    let joins = |edge: &&Edge, ends: (usize, usize)| {
        let link = &scene.frame.topology.links[edge.link];
        (link.from, link.to) == ends
    };
    let all = || scene.plan.edges.iter();
    // Workers ask for messages that are drawn as if they were sent to them.
    let reversed = !all().any(|edge| joins(&edge, (from, to)));
    let ends = if reversed { (to, from) } else { (from, to) };
    let own = |edge: &&Edge| joins(edge, ends) && edge.branch.is_none_or(|branch| branch == instance);
    let mut edges: Vec<&Edge> = all().filter(own).collect();
    edges.sort_by_key(|edge| edge.before);
    let mut cells: Vec<(u16, u16)> = Vec::new();
    for edge in edges {
        cells.truncate(usize::from(edge.before));
        cells.extend(edge.cells.iter().map(|(x, y, _)| (*x, *y)));
    }
    let share = if back == reversed { share } else { 1.0 - share };
    let last = cells.len().checked_sub(1)?;
    cells.get((share * last as f64).round() as usize).copied()
}
