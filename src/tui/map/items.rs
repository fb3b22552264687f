//! What on the map can be selected, and where it is.

use ratatui::layout::Rect;

use crate::observe::Topology;
use crate::tui::select::Item;

use super::layout::{Card, Plan};
use super::tiers::{self, Spread};

/// All items of a plan, in the order of the cursor.
pub(super) fn items(topology: &Topology, plan: &Plan) -> Vec<(Item, Rect)> {
    let title = |area: Rect| Rect::new(area.x, area.y, area.width, 1);
    let mut items: Vec<(Item, Rect)> = Vec::new();
    for (index, site) in plan.sites.iter().enumerate().filter(|(_, site)| !site.is_empty()) {
        items.push((Item::Site(index), title(*site)));
    }
    for (host, area) in &plan.hosts {
        let on = |service: &&Card| {
            topology.services[service.service]
                .instances
                .first()
                .is_some_and(|one| one.machine == *host)
        };
        if let Some(card) = plan.cards.iter().find(on) {
            items.push((Item::Host(card.service), title(*area)));
        }
    }
    for card in &plan.cards {
        items.push((Item::Service(card.service), title(card.area)));
        for (index, cell) in card.cells.iter().enumerate() {
            items.push((Item::Instance(card.service, index), *cell));
        }
    }
    items.sort_by_key(|(item, _)| {
        (
            item.service()
                .map_or(0, |service| tiers::of(topology, service, Spread::Apart)),
            *item,
        )
    });
    items
}
