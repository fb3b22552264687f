//! Choosing a server.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use crate::layout::{self, Balance};
use crate::observe::BackendView;
use crate::protocol::Http;
use crate::sim::{InstanceId, SimTime, Stream, mix};

use super::least::Least;

/// Points of each server on the ring of consistent hashing (ketama).
const POINTS: u64 = 160;

/// Draws among all servers before those that are open are counted.
const DRAWS: usize = 16;

/// What a balancer remembers between two choices.
pub struct Chooser {
    turn: Cell<usize>,
    draws: RefCell<Stream>,
    /// The places of the servers. It is asked for one at a time, and never gone through.
    places: RefCell<FxHashMap<InstanceId, usize>>,
    /// By place of the server: what smooth weighted round robin owes it.
    owed: RefCell<Vec<f64>>,
    /// Points of the ring in order, and the places of their servers.
    ring: RefCell<Vec<(u64, u32)>>,
    /// Who has the fewest requests, once somebody asked; kept up to date by [`Chooser::note`].
    least: RefCell<Option<Least>>,
}

impl Chooser {
    /// A chooser that draws from this stream.
    pub fn new(draws: Stream) -> Chooser {
        Chooser {
            turn: Cell::new(0),
            draws: RefCell::new(draws),
            places: RefCell::default(),
            owed: RefCell::default(),
            ring: RefCell::default(),
            least: RefCell::default(),
        }
    }

    /// Servers have come or gone.
    pub fn reset(&self, backends: &[BackendView]) {
        let places = backends.iter().enumerate().map(|(place, backend)| (backend.id, place));
        *self.places.borrow_mut() = places.collect();
        self.owed.borrow_mut().clear();
        self.owed.borrow_mut().resize(backends.len(), 0.0);
        self.ring.borrow_mut().clear();
        self.least.replace(None);
    }

    /// Where a server stands.
    pub fn place(&self, server: InstanceId) -> Option<usize> {
        self.places.borrow().get(&server).copied()
    }

    /// The server at this place is not as it was.
    pub fn note(&self, place: usize, backend: &BackendView) {
        if let Some(least) = self.least.borrow_mut().as_mut() {
            enter(least, place, backend);
        }
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
            && let Some(place) = self.place(cookie)
            && open(place)
        {
            return Some(place);
        }
        let ramps = |place: usize| ramp(&backends[place], spec, now);
        if spec.balance == Balance::LeastConnections {
            return self.least_loaded(backends, tried, &ramps);
        }
        let first = self.by_policy(spec.balance, weights, (backends, &ramps), http, &open)?;
        let by_load = matches!(spec.balance, Balance::PowerOfTwo | Balance::Weighted);
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
        let load = |place: usize| load(&backends[place], || ramps(place));
        let mut in_turn = (0..count)
            .map(|step| (turn + step) % count)
            .filter(|place| open(*place));
        let chosen = match policy {
            Balance::RoundRobin => in_turn.next()?,
            Balance::LeastConnections => scan(in_turn, load)?,
            Balance::Random => self.draw_one((turn, count), None, open)?,
            Balance::PowerOfTwo => {
                let first = self.draw_one((turn, count), None, open)?;
                let second = self.draw_one((turn, count), Some(first), open).unwrap_or(first);
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

    /// The one with the least load; of equals, the first in turn.
    fn least_loaded(
        &self,
        backends: &[BackendView],
        tried: &[InstanceId],
        ramps: &dyn Fn(usize) -> f64,
    ) -> Option<usize> {
        let count = backends.len();
        let turn = self.turn.get().checked_rem(count)?;
        let mut least = self.least.borrow_mut();
        let least = least.get_or_insert_with(|| {
            let mut least = Least::new(count);
            for (place, backend) in backends.iter().enumerate() {
                enter(&mut least, place, backend);
            }
            least
        });
        let but: Vec<usize> = tried.iter().filter_map(|server| self.place(*server)).collect();
        let load = |place: usize| load(&backends[place], || ramps(place));
        let whole = least.first(turn, &but).map(|(place, _)| place);
        let apart = least.apart.iter().copied().filter(|place| !but.contains(place));
        let in_turn = |place: usize| (place + count - turn) % count;
        let chosen = whole
            .into_iter()
            .chain(apart)
            .min_by(|a, b| load(*a).total_cmp(&load(*b)).then(in_turn(*a).cmp(&in_turn(*b))));
        debug_assert_eq!(chosen, {
            let in_turn = (0..count).map(|step| (turn + step) % count);
            scan(
                in_turn.filter(|place| backends[*place].is_up() && !but.contains(place)),
                load,
            )
        });
        self.turn.set((chosen? + 1) % count);
        chosen
    }

    /// One of those that are open, all with the same chance, but not the one that was drawn before. Where most are open, one of the first draws is, however
    /// many there are; else those that are open are counted.
    fn draw_one(
        &self,
        (turn, count): (usize, usize),
        before: Option<usize>,
        open: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        if count == 0 {
            return None;
        }
        // There may have been more servers when the last one was chosen.
        let turn = turn % count;
        let draw = |most: usize| self.draws.borrow_mut().draw().below(most as u64) as usize;
        let skipped = before.map(|place| (place + count - turn) % count);
        let others = count - usize::from(skipped.is_some());
        for _ in 0..DRAWS.min(others) {
            let step = draw(others);
            let step = step + usize::from(skipped.is_some_and(|skipped| step >= skipped));
            let place = (turn + step) % count;
            if open(place) {
                return Some(place);
            }
        }
        let mut rest = (0..count).filter(|place| Some(*place) != before && open(*place));
        let found = rest.clone().count();
        if found == 0 { None } else { rest.nth(draw(found)) }
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

/// What a server would have with one more request, as if one in slow start were that much smaller.
fn load(backend: &BackendView, ramp: impl FnOnce() -> f64) -> f64 {
    match backend.ramping {
        None => f64::from(backend.in_flight + 1),
        Some(_) => f64::from(backend.in_flight + 1) / ramp(),
    }
}

/// Enters what has changed of a server. Of one in slow start the load changes with time, so it stands apart.
fn enter(least: &mut Least, place: usize, backend: &BackendView) {
    let (is_up, ramps) = (backend.is_up(), backend.ramping.is_some());
    least.set(place, (is_up && !ramps).then_some(backend.in_flight));
    least.put_apart(place, is_up && ramps);
}

/// The first one with the least load, by looking at all of them.
fn scan(open: impl Iterator<Item = usize>, load: impl Fn(usize) -> f64) -> Option<usize> {
    let loads = open.map(|place| (place, load(place)));
    let best = loads.reduce(|best, next| if next.1 < best.1 { next } else { best });
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
    fn the_least_busy_is_found_as_by_looking_at_all() {
        let source = r#"(title: "t", users: {"people": (count: 1)},
            services: {"lb": LoadBalancer(to: "web", slow_start: "10s"), "web": Web()})"#;
        let layout = layout::parse(source, "t.ron").expect("a layout");
        let services = &layout.data_centers.values().next().expect("a data center").services;
        let Some(layout::Service::LoadBalancer(spec)) = services.get("lb") else {
            panic!("there is a balancer");
        };
        for seed in 0..20 {
            let mut stream = Stream::new(seed, "balance", "property");
            let mut below = |bound: u64| stream.draw().below(bound);
            let count = 1 + below(20);
            let mut backends = servers(count as u32);
            let (chooser, plain) = (chooser(&backends), chooser(&backends));
            for second in 0..300 {
                let now = SimTime(second * 100_000_000);
                let place = below(count) as usize;
                let backend = &mut backends[place];
                match below(8) {
                    0 => backend.believed = Belief::Down { passed: 0 },
                    1 => backend.believed = Belief::Up { failed: 0 },
                    2 => backend.ejected = (below(2) == 0).then_some(now),
                    3 => backend.ramping = Some(now),
                    4 => backend.ramping = None,
                    5 => backend.in_flight = backend.in_flight.saturating_sub(1),
                    _ => backend.in_flight += 1,
                }
                chooser.note(place, backend);
                let tried: Vec<InstanceId> = (0..below(3)).map(|_| InstanceId(below(count) as u32)).collect();
                let found = chooser.choose(spec, &[], &backends, (&ask(0, 0), &tried), now);
                let ramps = |place: usize| ramp(&backends[place], spec, now);
                let open = |place: usize| backends[place].is_up() && !tried.contains(&backends[place].id);
                let expected = plain.by_policy(spec.balance, &[], (&backends, &ramps), &ask(0, 0), &open);
                assert_eq!(found, expected, "seed {seed}, step {second}");
            }
        }
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
