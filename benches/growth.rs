//! What a request costs as a layout grows: from 10 web servers to 10,000, each with 20 requests a second, and with the traffic alone.
//!
//! `cargo bench --bench growth [-- MOST]` prints the microseconds of one core for each simulated request, the time in which the world was built,
//! and the growth of the cost for each tenfold of nodes. Servers stand behind one balancer for each 625 of them.

#![allow(
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark reads the clock and is nobody's library"
)]

use std::time::{Duration, Instant};

use blastradius::layout::{self, Layout};
use blastradius::world::World;

/// Requests that are measured for each size.
const REQUESTS: f64 = 400_000.0;

/// The time between two health checks of a server.
const CHECKS: Duration = Duration::from_secs(5);

fn main() {
    let most = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(10_000);
    println!("a request as nodes grow, 20 requests a second for each web server");
    println!(
        "{:>7} {:>18} {:>10} {:>12} {:>8}",
        "nodes", "balance", "built in", "us/request", "growth"
    );
    for balance in ["RoundRobin", "PowerOfTwo", "LeastConnections"] {
        let mut before = None;
        for nodes in [10, 100, 1_000, 10_000].into_iter().filter(|nodes| *nodes <= most) {
            let (built, cost) = measure(&servers(nodes, balance), 20.0 * f64::from(nodes));
            let growth = before.map_or_else(String::new, |before| format!("x{:.2}", cost / before));
            println!("{nodes:>7} {balance:>18} {built:>9.2}s {cost:>12.2} {growth:>8}");
            before = Some(cost);
        }
    }
    println!("\na request as traffic grows, 100 web servers of 64 cores");
    println!("{:>9} {:>12} {:>8}", "requests/s", "us/request", "growth");
    let mut before = None;
    for rate in [1_000, 10_000, 100_000] {
        let (_, cost) = measure(&traffic(rate), f64::from(rate));
        let growth = before.map_or_else(String::new, |before| format!("x{:.2}", cost / before));
        println!("{rate:>9} {cost:>12.2} {growth:>8}");
        before = Some(cost);
    }
}

/// The seconds in which a world is built, and the microseconds that a request takes.
fn measure(layout: &Layout, rate: f64) -> (f64, f64) {
    let start = Instant::now();
    let mut world = World::build(layout, 7);
    let built = start.elapsed().as_secs_f64();
    let simulated = Duration::from_secs_f64((REQUESTS / rate).max(0.5));
    // Caches and queues fill first, and every balancer has checked every server once.
    world.advance((simulated / 4).max(CHECKS));
    let before = world.frame().total.sent;
    let start = Instant::now();
    world.advance(simulated);
    let seconds = start.elapsed().as_secs_f64();
    let sent = world.frame().total.sent - before;
    (built, 1e6 * seconds / sent.max(1) as f64)
}

fn servers(nodes: u32, balance: &str) -> Layout {
    // Sixteen machines are the most that a balancer has.
    let balancers = nodes.div_ceil(625);
    parse(&format!(
        r#"(title: "growth", users: {{"people": (count: {count}, every: "1s", asks: (page: 1))}},
        services: {{"lb": LoadBalancer(to: "web", machines: {balancers}, size: "xl", balance: {balance}, health: (every: "5s")),
            "web": Web(machines: {nodes}, size: "m", work: Exponential("4ms"))}})"#,
        count = 20 * nodes,
    ))
}

fn traffic(rate: u32) -> Layout {
    parse(&format!(
        r#"(title: "traffic", users: {{"people": (count: {rate}, every: "1s", asks: (page: 1))}},
        services: {{"lb": LoadBalancer(to: "web", machines: 4, size: "4xl", balance: RoundRobin),
            "web": Web(machines: 100, size: "4xl", slots: 1_000, work: Exponential("4ms"))}})"#
    ))
}

fn parse(source: &str) -> Layout {
    layout::parse(source, "bench.ron").unwrap_or_else(|error| panic!("{error}"))
}
