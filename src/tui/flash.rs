//! What has just changed on the map flashes for a moment: what died, what is back, and what leads now.

use std::time::Duration;

use crate::observe::{Frame, NodeRole};

use super::select::Item;
use super::theme::Role;
use super::truth;

/// How long something flashes, on the wall.
const LONG: Duration = Duration::from_millis(700);
/// Of more than this at once none would be seen.
const MOST: usize = 64;

/// Something that flashes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flash {
    /// What.
    pub item: Item,
    /// How it looks.
    pub role: Role,
    left: Duration,
}

/// What is to flash after one frame was followed by another of the same shape.
pub fn news(before: &Frame, after: &Frame) -> Vec<Flash> {
    // A step back, or a leap, is no event.
    let leap = after.at < before.at || after.at.since(before.at) > Duration::from_secs(2);
    if leap || before.topology.version != after.topology.version {
        return Vec::new();
    }
    let flash = |item, role| Flash { item, role, left: LONG };
    let mut flashes = Vec::new();
    for (service, (old, new)) in before.services.iter().zip(&after.services).enumerate() {
        for (index, (old, new)) in old.instances.iter().zip(&new.instances).enumerate() {
            let item = Item::Instance(service, index);
            match (truth::serves(old), truth::serves(new)) {
                (true, false) => flashes.push(flash(item, Role::Refusal)),
                (false, true) => flashes.push(flash(item, Role::Notice)),
                _ => {}
            }
        }
        let (Some(old), Some(new)) = (&old.database, &new.database) else {
            continue;
        };
        for (old, new) in old.nodes.iter().zip(&new.nodes) {
            let leads = |role: Option<NodeRole>| role == Some(NodeRole::Primary);
            if let (Some((of, index)), true, false) = (new.instance, leads(new.role), leads(old.role))
                && of == service
            {
                flashes.push(flash(Item::Instance(of, index), Role::Notice));
            }
        }
    }
    flashes.truncate(MOST);
    flashes
}

/// Lets time on the wall pass. True when something stops flashing by it.
pub fn fade(flashes: &mut Vec<Flash>, passed: Duration) -> bool {
    let count = flashes.len();
    for flash in flashes.iter_mut() {
        flash.left = flash.left.saturating_sub(passed);
    }
    flashes.retain(|flash| !flash.left.is_zero());
    flashes.len() != count
}
