//! What the name server knows: where each name leads, and how users are steered among several addresses.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, HealthCheck, Routing};
use crate::sim::InstanceId;

/// The share of a turn by which the next one is further on its way around the weights: the golden ratio, which spreads any number of turns
/// evenly (additive recurrence; Niederreiter 1992).
const STRIDE: f64 = 0.618_033_988_749_894_9;

/// Where each name leads. It is changed between two windows.
#[derive(Debug)]
pub struct Zone {
    /// By name: all its addresses. Name 0 is the domain, then come those of the data centers, and last that of the static files if they have one.
    pub names: RefCell<Vec<Vec<InstanceId>>>,
    /// How long a resolver may keep an answer.
    pub ttl: Cell<Duration>,
    /// How the addresses are checked, if they are.
    pub health: Cell<Option<HealthCheck>>,
    /// How the name server chooses among the data centers.
    pub routing: RefCell<Routing>,
    /// By population: how it is sent to one of the addresses of the domain.
    pub steering: RefCell<Vec<Steering>>,
    /// By population: its resolver, which is what the name server sees of it.
    pub resolvers: RefCell<Vec<InstanceId>>,
    /// The name of the static files, if they have one of their own, which leads to the CDNs.
    pub files: Option<u16>,
    /// Whether users are sent to the data centers when all CDNs are believed down.
    pub origin_fallback: Cell<bool>,
    /// All names lead to an address where nobody is.
    pub misled: Cell<bool>,
}

/// How the users of one population are sent to a CDN, or to a data center.
#[derive(Debug, Default)]
pub struct Steering {
    /// The CDNs, in the order of their names.
    pub ways: Vec<Way>,
    /// The data centers that have an entry point, in the order of their names.
    pub doors: Vec<Door>,
}

/// A CDN, as one population sees it.
#[derive(Debug)]
pub struct Way {
    /// Its settings. They are changed between two windows.
    pub spec: Rc<RefCell<layout::Cdn>>,
    /// Its edges, the nearest one first.
    pub edges: Vec<InstanceId>,
}

/// A data center, as the resolver of one population sees it.
#[derive(Clone, Debug)]
pub struct Door {
    /// Its number.
    pub site: usize,
    /// Its addresses.
    pub addresses: Vec<InstanceId>,
    /// Kilometres from the resolver.
    pub km: f64,
    /// The round trip from the resolver, as measured of late, in nanoseconds.
    pub round_trip: Cell<u64>,
    /// Its share among the others, where users are spread by weight.
    pub weight: f64,
    /// Its place in the order of those that stand in for each other.
    pub rank: usize,
    /// Whether its users are sent elsewhere, if there is an elsewhere.
    pub evacuated: bool,
}

impl Zone {
    /// Whether a name leads anywhere.
    pub fn is_known(&self, name: u16) -> bool {
        let names = self.names.borrow();
        names.get(name as usize).is_some_and(|all| !all.is_empty())
    }

    /// The answer for a name to the users of a population at a turn, when all addresses are up.
    pub fn at_rest(&self, name: u16, population: u32, turn: u64) -> Vec<InstanceId> {
        self.answer(name, population, turn, |_| true)
    }

    /// The population whose resolver this is; the first one for anybody else.
    pub fn population(&self, resolver: InstanceId) -> u32 {
        let resolvers = self.resolvers.borrow();
        resolvers
            .iter()
            .position(|known| *known == resolver)
            .unwrap_or_default() as u32
    }

    /// The answer for a name to the resolver of a population at a turn: for the domain where it is to send its users, for a data center its
    /// addresses that are up in turn, or all of them if none is. Nothing if the name leads nowhere.
    pub fn answer(&self, name: u16, population: u32, turn: u64, up: impl Fn(InstanceId) -> bool) -> Vec<InstanceId> {
        if self.misled.get() {
            return vec![InstanceId::NOWHERE];
        }
        let steering = self.steering.borrow();
        let routing = self.routing.borrow();
        match steering.get(population as usize) {
            Some(steering) if name == 0 && self.files.is_some() => steering.door(turn, &up, &routing),
            Some(steering) if name == 0 || self.files == Some(name) => {
                steering.choose(turn, up, self.origin_fallback.get(), &routing)
            }
            _ => {
                let names = self.names.borrow();
                names
                    .get(name as usize)
                    .map_or_else(Vec::new, |all| in_turn(all, turn, up))
            }
        }
    }

    /// Takes in how long a round trip from a resolver to a data center took.
    pub fn measured(&self, population: u32, site: usize, round_trip: u64) {
        let steering = self.steering.borrow();
        let doors = steering.get(population as usize).map(|steering| steering.doors.iter());
        if let Some(door) = doors.into_iter().flatten().find(|door| door.site == site) {
            // As TCP smooths its round trips (RFC 6298).
            door.round_trip.set((7 * door.round_trip.get() + round_trip) / 8);
        }
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
    fn choose(
        &self,
        turn: u64,
        up: impl Fn(InstanceId) -> bool,
        origin_fallback: bool,
        routing: &Routing,
    ) -> Vec<InstanceId> {
        if self.ways.is_empty() {
            return self.door(turn, &up, routing);
        }
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
        let origin_up = self.doors.iter().any(|door| door.is_open(&up));
        if origin_fallback && origin_up {
            return self.door(turn, &up, routing);
        }
        let all = |_: InstanceId| true;
        edge(false, &all).or_else(|| edge(true, &all)).into_iter().collect()
    }

    /// The addresses of one of the data centers that are up; those that are evacuated count as down while another one is up. If none
    /// is up, as if all were.
    fn door(&self, turn: u64, up: &dyn Fn(InstanceId) -> bool, routing: &Routing) -> Vec<InstanceId> {
        let fit = |wanted: &dyn Fn(&Door) -> bool| self.doors.iter().filter(|door| wanted(door)).collect::<Vec<_>>();
        let mut open = fit(&|door| !door.evacuated && door.is_open(up));
        if open.is_empty() {
            open = fit(&|door| door.is_open(up));
        }
        if open.is_empty() {
            open = self.doors.iter().collect();
        }
        let first = match routing {
            Routing::RoundRobin => {
                let all: Vec<InstanceId> = open.iter().flat_map(|door| door.addresses.iter().copied()).collect();
                return in_turn(&all, turn, up);
            }
            Routing::Weighted(_) => {
                let weighed: Vec<(f64, usize)> = open.iter().enumerate().map(|(at, door)| (door.weight, at)).collect();
                // Those without a share are for when nobody else is up.
                pick(&weighed, turn).map(|at| open[at])
            }
            Routing::Geo => open.into_iter().min_by(|a, b| a.km.total_cmp(&b.km)),
            Routing::Latency => open.into_iter().min_by_key(|door| door.round_trip.get()),
            Routing::Failover(_) => open.into_iter().min_by_key(|door| door.rank),
        };
        first.map_or_else(Vec::new, |door| in_turn(&door.addresses, turn, up))
    }
}

impl Door {
    fn is_open(&self, up: &dyn Fn(InstanceId) -> bool) -> bool {
        self.addresses.iter().any(|address| up(*address))
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
fn pick<T: Copy>(open: &[(f64, T)], turn: u64) -> Option<T> {
    let sum: f64 = open.iter().map(|(weight, _)| weight).sum();
    let mut place = (turn as f64 * STRIDE).fract() * sum;
    for (weight, choice) in open {
        if place < *weight {
            return Some(*choice);
        }
        place -= weight;
    }
    open.last().map(|(_, choice)| *choice)
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

    fn door(site: usize, addresses: &[u32], km: f64) -> Door {
        Door {
            site,
            addresses: addresses.iter().map(|id| InstanceId(*id)).collect(),
            km,
            round_trip: Cell::new(km as u64),
            weight: 1.0,
            rank: site,
            evacuated: false,
        }
    }

    fn sent(steering: &Steering, routing: &Routing, down: &[u32]) -> Vec<(u32, u32)> {
        let mut counts: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
        for turn in 0..1_000 {
            let answer = steering.choose(turn, |id| !down.contains(&id.0), true, routing);
            *counts.entry(answer[0].0).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    #[test]
    fn users_are_sent_to_the_data_center_that_the_policy_names() {
        let mut steering = Steering {
            ways: Vec::new(),
            doors: vec![door(0, &[1, 2], 5_000.0), door(1, &[3], 100.0), door(2, &[4], 9_000.0)],
        };
        let geo = Routing::Geo;
        assert_eq!(sent(&steering, &geo, &[]), [(3, 1_000)]);
        assert_eq!(sent(&steering, &geo, &[3]), [(1, 500), (2, 500)]);
        // One of two addresses down: the other one carries all of it.
        assert_eq!(sent(&steering, &geo, &[1, 3]), [(2, 1_000)]);
        assert_eq!(sent(&steering, &geo, &[1, 2, 3]), [(4, 1_000)]);
        // When nobody is up all are believed up.
        assert_eq!(sent(&steering, &geo, &[1, 2, 3, 4]), [(3, 1_000)]);
        let order = Routing::Failover(Vec::new());
        assert_eq!(sent(&steering, &order, &[]), [(1, 500), (2, 500)]);
        assert_eq!(sent(&steering, &order, &[1, 2]), [(3, 1_000)]);
        let latency = Routing::Latency;
        steering.doors[2].round_trip.set(50);
        assert_eq!(sent(&steering, &latency, &[]), [(4, 1_000)]);
        steering.doors[1].evacuated = true;
        assert_eq!(sent(&steering, &geo, &[]), [(1, 500), (2, 500)]);
        assert_eq!(
            sent(&steering, &geo, &[1, 2, 4]),
            [(3, 1_000)],
            "evacuated is better than dead"
        );
    }

    #[test]
    fn users_are_spread_over_data_centers_by_weight() {
        let mut steering = Steering {
            ways: Vec::new(),
            doors: vec![door(0, &[1], 0.0), door(1, &[2], 0.0), door(2, &[3], 0.0)],
        };
        steering.doors[0].weight = 3.0;
        steering.doors[2].weight = 0.0;
        let weighted = Routing::Weighted(layout::Map::new());
        let shares = sent(&steering, &weighted, &[]);
        assert!(
            shares[0].1.abs_diff(750) < 5 && shares[1].1.abs_diff(250) < 5,
            "{shares:?}"
        );
        assert_eq!(shares.len(), 2);
        assert_eq!(sent(&steering, &weighted, &[1]), [(2, 1_000)]);
        assert_eq!(sent(&steering, &weighted, &[1, 2]), [(3, 1_000)]);
    }

    #[test]
    fn round_trips_are_smoothed_as_they_are_measured() {
        let zone = Zone {
            names: RefCell::default(),
            ttl: Cell::default(),
            health: Cell::default(),
            routing: RefCell::new(Routing::Latency),
            steering: RefCell::new(vec![Steering {
                ways: Vec::new(),
                doors: vec![door(0, &[1], 100.0), door(1, &[2], 200.0)],
            }]),
            resolvers: RefCell::new(vec![InstanceId(7)]),
            files: None,
            misled: Cell::new(false),
            origin_fallback: Cell::new(true),
        };
        assert_eq!((zone.population(InstanceId(7)), zone.population(InstanceId(5))), (0, 0));
        assert_eq!(zone.at_rest(0, 0, 0), [InstanceId(1)]);
        for _ in 0..20 {
            zone.measured(0, 0, 1_000);
        }
        assert_eq!(zone.at_rest(0, 0, 0), [InstanceId(2)]);
    }

    fn shares(steering: &Steering, down: &[u32], fallback: bool) -> Vec<(u32, u32)> {
        let mut counts: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
        for turn in 0..1_000 {
            let answer = steering.choose(turn, |id| !down.contains(&id.0), fallback, &Routing::RoundRobin);
            *counts.entry(answer[0].0).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    #[test]
    fn users_are_sent_to_the_nearest_edge_that_is_up_then_to_the_standby_then_to_the_data_centers() {
        let steering = Steering {
            ways: vec![way("", &[1, 2]), way("standby: true", &[5])],
            doors: vec![door(0, &[9], 0.0)],
        };
        assert_eq!(shares(&steering, &[], true), [(1, 1_000)]);
        assert_eq!(shares(&steering, &[1], true), [(2, 1_000)]);
        assert_eq!(shares(&steering, &[1, 2], true), [(5, 1_000)]);
        assert_eq!(shares(&steering, &[1, 2, 5], true), [(9, 1_000)]);
        assert_eq!(shares(&steering, &[1, 2, 5], false), [(1, 1_000)]);
        assert_eq!(shares(&steering, &[1, 2, 5, 9], true), [(1, 1_000)]);
        let stays = Steering {
            ways: vec![way("next_edge: false", &[1, 2])],
            doors: vec![door(0, &[9], 0.0)],
        };
        assert_eq!(shares(&stays, &[1], true), [(9, 1_000)]);
    }

    #[test]
    fn several_active_cdns_share_the_users_by_weight() {
        let steering = Steering {
            ways: vec![way("weight: 3", &[1]), way("", &[2])],
            doors: Vec::new(),
        };
        let both = shares(&steering, &[], true);
        assert!(both[0].1.abs_diff(750) < 5 && both[1].1.abs_diff(250) < 5, "{both:?}");
        assert_eq!(shares(&steering, &[1], true), [(2, 1_000)]);
    }
}
