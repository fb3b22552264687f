//! What the name server knows: where each name leads, and how users are steered among several addresses.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, HealthCheck};
use crate::sim::InstanceId;

/// The share of a turn by which the next one is further on its way around the weights: the golden ratio, which spreads any number of turns
/// evenly (additive recurrence; Niederreiter 1992).
const STRIDE: f64 = 0.618_033_988_749_894_9;

/// Where each name leads. It is changed between two windows.
#[derive(Debug)]
pub struct Zone {
    /// By name: all its addresses. Name 0 is the domain, then come those of the data centers, and where there are CDNs those of the populations.
    pub names: RefCell<Vec<Vec<InstanceId>>>,
    /// How long a resolver may keep an answer.
    pub ttl: Cell<Duration>,
    /// How the addresses are checked, if they are.
    pub health: Cell<Option<HealthCheck>>,
    /// By name: how users are sent to one of its addresses, where that is more than in turn. Shorter than the names: there is none for the others.
    pub steering: RefCell<Vec<Option<Steering>>>,
    /// Whether users are sent to the data centers when all CDNs are believed down.
    pub origin_fallback: Cell<bool>,
}

/// How the users of one population are sent to a CDN.
#[derive(Debug)]
pub struct Steering {
    /// The CDNs, in the order of their names.
    pub ways: Vec<Way>,
    /// The addresses of the data centers.
    pub origin: Vec<InstanceId>,
}

/// A CDN, as one population sees it.
#[derive(Debug)]
pub struct Way {
    /// Its settings. They are changed between two windows.
    pub spec: Rc<RefCell<layout::Cdn>>,
    /// Its edges, the nearest one first.
    pub edges: Vec<InstanceId>,
}

impl Zone {
    /// Whether a name leads anywhere.
    pub fn is_known(&self, name: u16) -> bool {
        let names = self.names.borrow();
        names.get(name as usize).is_some_and(|all| !all.is_empty())
    }

    /// The answer for a name at a turn, when all addresses are up.
    pub fn at_rest(&self, name: u16, turn: u64) -> Vec<InstanceId> {
        self.answer(name, turn, |_| true)
    }

    /// The answer for a name at a turn: the addresses that are up in turn, or all of them if none is; for users of CDNs the edge that they are
    /// to ask. Nothing if the name leads nowhere.
    pub fn answer(&self, name: u16, turn: u64, up: impl Fn(InstanceId) -> bool) -> Vec<InstanceId> {
        let steering = self.steering.borrow();
        if let Some(Some(steering)) = steering.get(name as usize) {
            return steering.choose(turn, up, self.origin_fallback.get());
        }
        let names = self.names.borrow();
        names
            .get(name as usize)
            .map_or_else(Vec::new, |all| in_turn(all, turn, up))
    }
}

/// Those that are up, or all, beginning with another one each turn.
fn in_turn(all: &[InstanceId], turn: u64, up: impl Fn(InstanceId) -> bool) -> Vec<InstanceId> {
    let mut shown: Vec<InstanceId> = all.iter().copied().filter(|address| up(*address)).collect();
    if shown.is_empty() {
        shown = all.to_vec();
    }
    if !shown.is_empty() {
        let first = (turn % shown.len() as u64) as usize;
        shown.rotate_left(first);
    }
    shown
}

impl Steering {
    /// One edge of an active CDN; if none of those is up, of a standby; then the data centers, if they are to stand in; and if there is
    /// nothing else, where users would be sent if all were up.
    fn choose(&self, turn: u64, up: impl Fn(InstanceId) -> bool, origin_fallback: bool) -> Vec<InstanceId> {
        let edge = |standby: bool, up: &dyn Fn(InstanceId) -> bool| {
            let fit = self.ways.iter().filter(|way| way.spec.borrow().standby == standby);
            let open: Vec<(f64, InstanceId)> = fit
                .filter_map(|way| Some((way.spec.borrow().weight, way.edge(up)?)))
                .collect();
            pick(&open, turn)
        };
        if let Some(edge) = edge(false, &up).or_else(|| edge(true, &up)) {
            return vec![edge];
        }
        let origin_up = self.origin.iter().any(|address| up(*address));
        if origin_fallback && origin_up {
            return in_turn(&self.origin, turn, up);
        }
        let all = |_: InstanceId| true;
        edge(false, &all).or_else(|| edge(true, &all)).into_iter().collect()
    }
}

impl Way {
    /// The nearest edge, or if that is down the next one that is up, if users are sent on.
    fn edge(&self, up: &dyn Fn(InstanceId) -> bool) -> Option<InstanceId> {
        let most = if self.spec.borrow().next_edge {
            self.edges.len()
        } else {
            1
        };
        self.edges.iter().take(most).copied().find(|edge| up(*edge))
    }
}

/// One of these by weight, turn after turn in even shares.
fn pick(open: &[(f64, InstanceId)], turn: u64) -> Option<InstanceId> {
    let sum: f64 = open.iter().map(|(weight, _)| weight).sum();
    let mut place = (turn as f64 * STRIDE).fract() * sum;
    for (weight, edge) in open {
        if place < *weight {
            return Some(*edge);
        }
        place -= weight;
    }
    open.last().map(|(_, edge)| *edge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::parse;

    fn way(settings: &str, edges: &[u32]) -> Way {
        let source = format!(
            "(title: \"t\", users: {{\"people\": (count: 1)}}, services: {{\"web\": Web()}}, cdns: {{\"cdn\": ({settings})}})"
        );
        let layout = parse(&source, "l.ron").unwrap_or_else(|error| panic!("{error}"));
        Way {
            spec: Rc::new(RefCell::new(layout.cdns["cdn"].clone())),
            edges: edges.iter().map(|edge| InstanceId(*edge)).collect(),
        }
    }

    fn shares(steering: &Steering, down: &[u32], fallback: bool) -> Vec<(u32, u32)> {
        let mut counts: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
        for turn in 0..1_000 {
            let answer = steering.choose(turn, |id| !down.contains(&id.0), fallback);
            *counts.entry(answer[0].0).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    #[test]
    fn users_are_sent_to_the_nearest_edge_that_is_up_then_to_the_standby_then_to_the_data_centers() {
        let steering = Steering {
            ways: vec![way("", &[1, 2]), way("standby: true", &[5])],
            origin: vec![InstanceId(9)],
        };
        assert_eq!(shares(&steering, &[], true), [(1, 1_000)]);
        assert_eq!(shares(&steering, &[1], true), [(2, 1_000)]);
        assert_eq!(shares(&steering, &[1, 2], true), [(5, 1_000)]);
        assert_eq!(shares(&steering, &[1, 2, 5], true), [(9, 1_000)]);
        assert_eq!(shares(&steering, &[1, 2, 5], false), [(1, 1_000)]);
        assert_eq!(shares(&steering, &[1, 2, 5, 9], true), [(1, 1_000)]);
        let stays = Steering {
            ways: vec![way("next_edge: false", &[1, 2])],
            origin: vec![InstanceId(9)],
        };
        assert_eq!(shares(&stays, &[1], true), [(9, 1_000)]);
    }

    #[test]
    fn several_active_cdns_share_the_users_by_weight() {
        let steering = Steering {
            ways: vec![way("weight: 3", &[1]), way("", &[2])],
            origin: Vec::new(),
        };
        let both = shares(&steering, &[], true);
        assert!(both[0].1.abs_diff(750) < 5 && both[1].1.abs_diff(250) < 5, "{both:?}");
        assert_eq!(shares(&steering, &[1], true), [(2, 1_000)]);
    }
}
