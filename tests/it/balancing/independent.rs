//! A simulation of a farm of servers that shares no code with the crate.

use std::collections::VecDeque;

use blastradius::layout::Balance;

use super::{HOP, LOAD, Run, SERVICE, WARM_UP};

/// PCG-XSH-RR (O'Neill 2014).
struct Pcg {
    state: u64,
    step: u64,
}

impl Pcg {
    fn new(seed: u64, stream: u64) -> Pcg {
        let mut pcg = Pcg {
            state: 0,
            step: stream << 1 | 1,
        };
        pcg.draw();
        pcg.state = pcg.state.wrapping_add(seed);
        pcg.draw();
        pcg
    }

    fn draw(&mut self) -> u32 {
        let state = self.state;
        self.state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(self.step);
        let mixed = ((state >> 18 ^ state) >> 27) as u32;
        mixed.rotate_right((state >> 59) as u32)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((u64::from(self.draw()) * bound as u64) >> 32) as usize
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        let bits = u64::from(self.draw()) << 20 | u64::from(self.draw() >> 12);
        -mean * ((bits + 1) as f64 / (1_u64 << 52) as f64).ln()
    }
}

/// A queue with one server, by the balancer's clock: it is one hop ahead of the server's.
#[derive(Default)]
struct Queue {
    /// When the server is through with all that it has.
    free: f64,
    /// When the balancer will hear of the end of each that it has sent there.
    ends: VecDeque<f64>,
}

impl Queue {
    fn in_flight(&mut self, now: f64) -> usize {
        while self.ends.front().is_some_and(|end| *end <= now) {
            self.ends.pop_front();
        }
        self.ends.len()
    }
}

fn choose(policy: Balance, queues: &mut [Queue], now: f64, turn: usize, draws: &mut Pcg) -> usize {
    let count = queues.len();
    match policy {
        Balance::Random => draws.below(count),
        Balance::RoundRobin => turn % count,
        Balance::PowerOfTwo => {
            let first = draws.below(count);
            let second = (first + 1 + draws.below(count - 1)) % count;
            if queues[second].in_flight(now) < queues[first].in_flight(now) {
                second
            } else {
                first
            }
        }
        Balance::LeastConnections => {
            let start = draws.below(count);
            let around = (start..count).chain(0..start);
            around
                .min_by_key(|place| queues[*place].in_flight(now))
                .expect("a server")
        }
        _ => unreachable!("not simulated here"),
    }
}

/// A run of the independent simulation, which goes from arrival to arrival: with one server and first come, first served, the end of
/// each follows when it arrives.
pub fn simulate(policy: Balance, servers: u32, seconds: f64, seed: u64) -> Run {
    let [mut arrivals, mut works, mut draws] = [1, 2, 3].map(|stream| Pcg::new(seed, stream));
    let mut queues: Vec<Queue> = (0..servers).map(|_| Queue::default()).collect();
    let gap = SERVICE / LOAD / f64::from(servers);
    let (mut sojourns, mut used) = (Vec::new(), 0.0);
    let (mut sum, mut count) = (0.0, 0_u64);
    let mut now = arrivals.exponential(gap);
    for turn in 0.. {
        if now > seconds {
            break;
        }
        let chosen = choose(policy, &mut queues, now, turn, &mut draws);
        let queue = &mut queues[chosen];
        queue.in_flight(now);
        let begin = queue.free.max(now);
        let end = begin + works.exponential(SERVICE);
        queue.free = end;
        queue.ends.push_back(end + 2.0 * HOP);
        used += end.min(seconds) - begin.min(seconds);
        if end <= seconds {
            sojourns.push(end - now);
        }
        if end > WARM_UP && end <= seconds {
            sum += end - now;
            count += 1;
        }
        now += arrivals.exponential(gap);
    }
    let rank = (0.99 * sojourns.len() as f64) as usize;
    let (_, p99, _) = sojourns.select_nth_unstable_by(rank, f64::total_cmp);
    Run {
        mean: sum / count as f64,
        p99: *p99,
        used: used / seconds / f64::from(servers),
    }
}

#[test]
fn the_draws_of_the_independent_simulation_are_those_published() {
    // The demo of pcg32 (pcg-random.org): seed 42, stream 54.
    let mut pcg = Pcg::new(42, 54);
    let drawn = [0; 3].map(|_| pcg.draw());
    assert_eq!(drawn, [0xa15c_02b7, 0x7b47_f409, 0xba1d_3330]);
}
