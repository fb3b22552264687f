//! The floor: a bare event loop, a 4-ary heap, plain structs. No timeouts, no counters, no digest.

use std::collections::VecDeque;

use blastradius::sim::Draw;

use super::{CACHE, DATABASE, DATABASE_CORES, HIT, Outcome, WEB, WEB_CORES, purpose};

#[derive(Clone, Copy)]
enum Step {
    Arrive,
    Balance,
    Web,
    WebDone,
    Cache,
    CacheDone,
    Database,
    DatabaseDone,
    BackAtWeb,
    BackAtBalancer,
    Back,
}

#[derive(Clone, Copy)]
struct Event {
    at: u64,
    seq: u64,
    request: u32,
    server: u32,
    step: Step,
}

/// A heap with four children a node, the earliest on top.
#[derive(Default)]
struct Heap(Vec<Event>);

impl Heap {
    fn push(&mut self, event: Event) {
        let mut at = self.0.len();
        self.0.push(event);
        while at > 0 {
            let parent = (at - 1) / 4;
            if before(&self.0[parent], &event) {
                break;
            }
            self.0[at] = self.0[parent];
            at = parent;
        }
        self.0[at] = event;
    }

    fn pop(&mut self) -> Option<Event> {
        let last = self.0.pop()?;
        let Some(&top) = self.0.first() else { return Some(last) };
        let mut at = 0;
        loop {
            let first = 4 * at + 1;
            let Some(child) = (first..(first + 4).min(self.0.len()))
                .reduce(|a, b| if before(&self.0[a], &self.0[b]) { a } else { b })
            else {
                break;
            };
            if before(&last, &self.0[child]) {
                break;
            }
            self.0[at] = self.0[child];
            at = child;
        }
        self.0[at] = last;
        Some(top)
    }
}

fn before(a: &Event, b: &Event) -> bool {
    (a.at, a.seq) < (b.at, b.seq)
}

struct Station {
    free: u32,
    queue: VecDeque<(u32, u32, u64)>,
}

impl Station {
    fn new(cores: u32) -> Station {
        Station {
            free: cores,
            queue: VecDeque::new(),
        }
    }
}

struct Loop {
    heap: Heap,
    seq: u64,
    now: u64,
    started: Vec<u64>,
    vacant: Vec<u32>,
    ids: Vec<u64>,
}

impl Loop {
    fn at(&mut self, delay: u64, request: u32, server: u32, step: Step) {
        self.seq += 1;
        self.heap.push(Event {
            at: self.now + delay,
            seq: self.seq,
            request,
            server,
            step,
        });
    }

    fn work(&mut self, station: &mut Station, demand: u64, request: u32, server: u32, done: Step) {
        if station.free > 0 {
            station.free -= 1;
            self.at(demand, request, server, done);
        } else {
            station.queue.push_back((request, server, demand));
        }
    }

    fn done(&mut self, station: &mut Station, done: Step) {
        if let Some((request, server, demand)) = station.queue.pop_front() {
            self.at(demand, request, server, done);
        } else {
            station.free += 1;
        }
    }
}

pub fn run(servers: usize, hop: u64, seconds: f64, seed: u64) -> Outcome {
    let rate = 500.0 * servers as f64;
    let end = (seconds * 1e9) as u64;
    let groups = servers.div_ceil(4);
    let mut web: Vec<Station> = (0..servers).map(|_| Station::new(WEB_CORES)).collect();
    let mut cache: Vec<Station> = (0..groups).map(|_| Station::new(1)).collect();
    let mut database: Vec<Station> = (0..groups).map(|_| Station::new(DATABASE_CORES)).collect();
    let mut world = Loop {
        heap: Heap::default(),
        seq: 0,
        now: 0,
        started: Vec::new(),
        vacant: Vec::new(),
        ids: Vec::new(),
    };
    let (mut number, mut turn, mut ended, mut total) = (0_u64, 0_u32, 0_u64, 0_u64);
    let draw = |number: u64, purpose| Draw::of(seed, number, purpose);
    let gap = |number: u64| (draw(number, purpose::ARRIVAL).exponential() / rate * 1e9) as u64;
    world.at(gap(0), 0, 0, Step::Arrive);
    while let Some(event) = world.heap.pop() {
        if event.at >= end {
            break;
        }
        world.now = event.at;
        let Event { request, server, .. } = event;
        let here = server as usize;
        let id = world.ids.get(request as usize).copied().unwrap_or(0);
        match event.step {
            Step::Arrive => {
                let slot = world.vacant.pop().unwrap_or_else(|| {
                    world.started.push(0);
                    world.ids.push(0);
                    world.started.len() as u32 - 1
                });
                world.started[slot as usize] = world.now;
                world.ids[slot as usize] = number;
                number += 1;
                world.at(gap(number), 0, 0, Step::Arrive);
                world.at(hop, slot, 0, Step::Balance);
            }
            Step::Balance => {
                let server = turn;
                turn = (turn + 1) % servers as u32;
                world.at(hop, request, server, Step::Web);
            }
            Step::Web => {
                let demand = (draw(id, purpose::WEB).exponential() * WEB) as u64;
                world.work(&mut web[here], demand, request, server, Step::WebDone);
            }
            Step::WebDone => {
                world.done(&mut web[here], Step::WebDone);
                let hit = draw(id, purpose::HIT).unit() < HIT;
                world.at(hop, request, server, if hit { Step::Cache } else { Step::Database });
            }
            Step::Cache => world.work(&mut cache[here / 4], CACHE, request, server, Step::CacheDone),
            Step::CacheDone => {
                world.done(&mut cache[here / 4], Step::CacheDone);
                world.at(hop, request, server, Step::BackAtWeb);
            }
            Step::Database => {
                let demand = (draw(id, purpose::DATABASE).exponential() * DATABASE) as u64;
                world.work(&mut database[here / 4], demand, request, server, Step::DatabaseDone);
            }
            Step::DatabaseDone => {
                world.done(&mut database[here / 4], Step::DatabaseDone);
                world.at(hop, request, server, Step::BackAtWeb);
            }
            Step::BackAtWeb => world.at(hop, request, server, Step::BackAtBalancer),
            Step::BackAtBalancer => world.at(hop, request, server, Step::Back),
            Step::Back => {
                ended += 1;
                total += world.now - world.started[request as usize];
                world.vacant.push(request);
            }
        }
    }
    Outcome {
        requests: ended,
        mean_millis: total as f64 / ended.max(1) as f64 / 1e6,
    }
}
