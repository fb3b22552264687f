//! Who is in which region, where the file does not say so.

use super::delivery;
use crate::layout::geo::Region;
use crate::layout::model::{Layout, Map};

/// Puts data centers and users without a region into the one of the same name, or the only one, and edges that nobody named into all of them.
pub(super) fn complete(layout: &mut Layout) {
    let regions = &layout.regions;
    for (name, site) in &mut layout.data_centers {
        settle(&mut site.region, name, regions);
    }
    for (name, users) in &mut layout.users {
        settle(&mut users.region, name, regions);
        if users.resolver.is_none() {
            users.resolver.clone_from(&users.region);
        }
    }
    if !regions.is_empty() {
        for cdn in layout.cdns.values_mut().filter(|cdn| delivery::are_unnamed(&cdn.edges)) {
            cdn.edges = regions.keys().cloned().collect();
        }
    }
}

fn settle(region: &mut Option<String>, name: &str, regions: &Map<Region>) {
    if region.is_some() {
        return;
    }
    let only = regions.keys().next().filter(|_| regions.len() == 1);
    *region = regions
        .contains_key(name)
        .then_some(name)
        .or(only.map(String::as_str))
        .map(str::to_owned);
}
