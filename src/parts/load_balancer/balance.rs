//! Choosing a server.

use std::cell::{Cell, RefCell};

use crate::layout::{self, Balance};
use crate::observe::BackendView;
use crate::protocol::Http;
use crate::sim::{InstanceId, SimTime, Stream, mix};

/// Points of each server on the ring of consistent hashing (ketama).
const POINTS: u64 = 160;

/// What a balancer remembers between two choices.
pub struct Chooser {
    turn: Cell<usize>,
    draws: RefCell<Stream>,
    /// By place of the server: what smooth weighted round robin owes it.
    owed: RefCell<Vec<f64>>,
    /// Points of the ring in order, and the places of their servers.
    ring: RefCell<Vec<(u64, u32)>>,
}

impl Chooser {
    /// A chooser that draws from this stream.
    pub fn new(draws: Stream) -> Chooser {
        Chooser {
            turn: Cell::new(0),
            draws: RefCell::new(draws),
            owed: RefCell::default(),
            ring: RefCell::default(),
        }
    }

    /// Servers have come or gone.
    pub fn reset(&self, backends: &[BackendView]) {
        self.owed.borrow_mut().clear();
        self.owed.borrow_mut().resize(backends.len(), 0.0);
        self.ring.borrow_mut().clear();
    }

    /// Draws the ring up, if nobody has since servers came or went.
    fn draw_ring(&self, backends: &[BackendView]) {
        let mut ring = self.ring.borrow_mut();
        if ring.is_empty() {
            let points = backends.iter().enumerate().flat_map(|(place, backend)| {
                (0..POINTS).map(move |point| (mix(u64::from(backend.id.0) << 16 | point), place as u32))
            });
            ring.extend(points);
            ring.sort_unstable();
        }
    }

    /// Chooses among the servers that are up and were not tried yet. One in slow start counts as the busier, or weighs the less, the
    /// less of its time has passed; where neither load nor weight decides, it is passed over as often as its share is short of a whole
    /// one, if there is another.
    pub fn choose(
        &self,
        spec: &layout::LoadBalancer,
        weights: &[f64],
        backends: &[BackendView],
        (http, tried): (&Http, &[InstanceId]),
        now: SimTime,
    ) -> Option<usize> {
        let open = |place: usize| backends[place].is_up() && !tried.contains(&backends[place].id);
        if spec.sticky.is_some()
            && let Some(cookie) = http.cookie
            && let Some(place) = backends.iter().position(|backend| backend.id == cookie)
            && open(place)
        {
            return Some(place);
        }
        let ramps = |place: usize| ramp(&backends[place], spec, now);
        let first = self.by_policy(spec.balance, weights, (backends, &ramps), http, &open)?;
        let by_load = matches!(
            spec.balance,
            Balance::LeastConnections | Balance::PowerOfTwo | Balance::Weighted
        );
        if by_load || backends[first].ramping.is_none() {
            return Some(first);
        }
        let mut passed_over = vec![];
        let mut chosen = first;
        loop {
            let ramp = ramp(&backends[chosen], spec, now);
            if ramp >= 1.0 || self.draws.borrow_mut().draw().unit() < ramp {
                return Some(chosen);
            }
            passed_over.push(chosen);
            let others = |place: usize| open(place) && !passed_over.contains(&place);
            match self.by_policy(spec.balance, weights, (backends, &ramps), http, &others) {
                Some(other) => chosen = other,
                None => return Some(first),
            }
        }
    }

    fn by_policy(
        &self,
        policy: Balance,
        weights: &[f64],
        (backends, ramps): (&[BackendView], &dyn Fn(usize) -> f64),
        http: &Http,
        open: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        let count = backends.len();
        let turn = self.turn.get();
        // What it would have with this request, as if a server in slow start were that much smaller.
        let load = |place: usize| match backends[place].ramping {
            None => f64::from(backends[place].in_flight + 1),
            Some(_) => f64::from(backends[place].in_flight + 1) / ramps(place),
        };
        let mut in_turn = (0..count)
            .map(|step| (turn + step) % count)
            .filter(|place| open(*place));
        let chosen = match policy {
            Balance::RoundRobin => in_turn.next()?,
            Balance::LeastConnections => least(in_turn, load)?,
            Balance::Random => self.draw_one(in_turn)?,
            Balance::PowerOfTwo => {
                let first = self.draw_one(in_turn.clone())?;
                let second = self.draw_one(in_turn.filter(|place| *place != first)).unwrap_or(first);
                if load(second) < load(first) { second } else { first }
            }
            Balance::Weighted => self.by_weight(
                |place| weights.get(place).copied().unwrap_or(1.0) * ramps(place),
                in_turn,
            )?,
            Balance::SourceHash => {
                let mut up = (0..count).filter(|place| open(*place));
                let chosen = mix(http.user.0) % (up.clone().count() as u64).max(1);
                up.nth(chosen as usize)?
            }
            Balance::ConsistentHash => {
                self.draw_ring(backends);
                self.on_ring(mix(mix(http.key)), open)?
            }
        };
        self.turn.set((chosen + 1) % count);
        Some(chosen)
    }

    fn draw_one(&self, open: impl Iterator<Item = usize> + Clone) -> Option<usize> {
        let count = open.clone().count() as u64;
        if count == 0 {
            return None;
        }
        let mut open = open;
        open.nth(self.draws.borrow_mut().draw().below(count) as usize)
    }

    /// Everybody earns what it weighs; the one who is owed most is chosen, and pays what all earned (nginx, 2012).
    fn by_weight(&self, weight: impl Fn(usize) -> f64, open: impl Iterator<Item = usize>) -> Option<usize> {
        let mut owed = self.owed.borrow_mut();
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for place in open {
            let weight = weight(place);
            owed[place] += weight;
            total += weight;
            if best.is_none_or(|best| owed[place] > owed[best]) {
                best = Some(place);
            }
        }
        owed[best?] -= total;
        best
    }

    /// The first open server at or after a point.
    fn on_ring(&self, point: u64, open: &dyn Fn(usize) -> bool) -> Option<usize> {
        let ring = self.ring.borrow();
        let start = ring.partition_point(|(at, _)| *at < point);
        let mut around = (0..ring.len()).map(|step| ring[(start + step) % ring.len()].1 as usize);
        around.find(|place| open(*place))
    }
}

/// The first one with the least load. Nobody has less than the one request that is to be sent, so the search ends at whoever has no more:
/// among many servers that are mostly idle it is short.
fn least(open: impl Iterator<Item = usize>, load: impl Fn(usize) -> f64) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for place in open {
        let load = load(place);
        if load <= 1.0 {
            return Some(place);
        }
        if best.is_none_or(|(_, least)| load < least) {
            best = Some((place, load));
        }
    }
    best.map(|(place, _)| place)
}

/// The share of a whole share that a server has in slow start, from a tenth to 1.
pub fn ramp(backend: &BackendView, spec: &layout::LoadBalancer, now: SimTime) -> f64 {
    match backend.ramping {
        Some(since) if !spec.slow_start.is_zero() => {
            (now.since(since).as_secs_f64() / spec.slow_start.as_secs_f64()).clamp(0.1, 1.0)
        }
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Belief;
    use crate::protocol::{Ask, Format, Owner, Pass};

    fn servers(count: u32) -> Vec<BackendView> {
        (0..count)
            .map(|id| BackendView::new(InstanceId(id), Belief::Up { failed: 0 }))
            .collect()
    }

    fn ask(user: u64, key: u64) -> Http {
        Http {
            ask: Ask::Page,
            key,
            bytes: 0,
            row: 0,
            edition: 0,
            format: Format::Html,
            user: Owner::new(0, user),
            cookie: None,
            pass: Pass::None,
            once: false,
            wrote: (0, crate::protocol::Stamp::ORIGINAL),
        }
    }

    fn chooser(backends: &[BackendView]) -> Chooser {
        let chooser = Chooser::new(Stream::new(1, "lb", "choices"));
        chooser.reset(backends);
        chooser
    }

    #[test]
    fn weights_are_kept_to_exactly_and_smoothly() {
        let backends = servers(3);
        let chooser = chooser(&backends);
        let weights = [5.0, 1.0, 1.0];
        let picked: Vec<usize> = (0..7)
            .map(|_| {
                chooser
                    .by_policy(Balance::Weighted, &weights, (&backends, &|_| 1.0), &ask(0, 0), &|_| {
                        true
                    })
                    .unwrap()
            })
            .collect();
        let times = |place| picked.iter().filter(|picked| **picked == place).count();
        assert_eq!([times(0), times(1), times(2)], [5, 1, 1], "{picked:?}");
        // The heavy one never has all of its turns in a row.
        assert!(!picked.windows(4).any(|window| window == [0; 4]), "{picked:?}");
    }

    #[test]
    fn hashes_stay_where_they_are_and_a_ring_moves_only_what_it_must() {
        let mut backends = servers(10);
        let chooser = chooser(&backends);
        let place = |policy, backends: &[BackendView], number| {
            chooser
                .by_policy(policy, &[], (backends, &|_| 1.0), &ask(number, number), &|place| {
                    backends[place].is_up()
                })
                .unwrap()
        };
        let of = |policy, backends: &[BackendView]| -> Vec<usize> {
            (0..10_000).map(|number| place(policy, backends, number)).collect()
        };
        let (source, ring) = (
            of(Balance::SourceHash, &backends),
            of(Balance::ConsistentHash, &backends),
        );
        assert_eq!(source, of(Balance::SourceHash, &backends));
        for shares in [&source, &ring] {
            for server in 0..10 {
                let share = shares.iter().filter(|place| **place == server).count();
                assert!((600..1_500).contains(&share), "server {server} has {share} of 10,000");
            }
        }
        backends[3].believed = Belief::Down { passed: 0 };
        let moved = |before: &[usize], after: &[usize]| before.iter().zip(after).filter(|(a, b)| a != b).count();
        let on_ring = moved(&ring, &of(Balance::ConsistentHash, &backends));
        assert_eq!(on_ring, ring.iter().filter(|place| **place == 3).count());
        assert!(
            moved(&source, &of(Balance::SourceHash, &backends)) > 8_000,
            "a modulo moves most"
        );
    }
}
