//! Throughput of the kernel on the web chain, beside a bare event loop that does the same work.
//!
//! The chain: Poisson users, 500 requests a second for each of N web servers; a balancer in turn over N web servers of 8 cores and
//! exponential 5 ms, not held afterwards; then 80 % a cache (constant 0.2 ms, one core), 20 % a database (32 cores, exponential 10 ms), one
//! cache and one database for four web servers. Everything is on: counters, histograms, failure reasons, timeouts, the digest.
//!
//! `cargo bench --bench kernel [-- SECONDS [N]]` prints, for each size and hop, requests a second of one core for both, their ratio,
//! and both mean latencies.

#![allow(
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark reads the clock and is nobody's library"
)]

mod chain;

use std::time::Instant;

use chain::{Outcome, floor, world};

fn main() {
    let numbers: Vec<f64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let seconds = numbers.first().copied().unwrap_or(3.0);
    let only = numbers.get(1).map(|servers| *servers as usize);
    println!(
        "{:>5} {:>8} {:>12} {:>12} {:>7} {:>12} {:>12} {:>8}",
        "N", "hop", "blastradius", "floor", "ratio", "mean", "floor mean", "apart"
    );
    for hop in [500_000, 50_000] {
        for servers in [4, 100, 1000]
            .into_iter()
            .filter(|servers| only.is_none_or(|only| only == *servers))
        {
            compare(servers, hop, seconds);
        }
    }
}

fn compare(servers: usize, hop: u64, seconds: f64) {
    let rate = 500.0 * servers as f64;
    // In turn, in short runs, so that a change of the machine's speed meets both.
    let rounds = 5;
    let requests = (800_000.0 * seconds / f64::from(rounds)).max(1.0);
    let simulated = (requests / rate).max(0.3);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut mean, mut floor_mean) = (0.0, 0.0);
    for round in 0..rounds {
        let seed = 7 + round as u64;
        let (pace, outcome) = timed(|| world::run(servers, hop, simulated, seed));
        ours.push(pace);
        mean += outcome.mean_millis / f64::from(rounds);
        let (pace, outcome) = timed(|| floor::run(servers, hop, simulated, seed));
        theirs.push(pace);
        floor_mean += outcome.mean_millis / f64::from(rounds);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "{servers:>5} {:>6.2}ms {ours:>10.0}/s {theirs:>10.0}/s {:>7.2} {mean:>10.3}ms {floor_mean:>10.3}ms {:>7.2}%",
        hop as f64 / 1e6,
        theirs / ours,
        100.0 * (mean - floor_mean).abs() / floor_mean,
    );
}

fn timed(run: impl FnOnce() -> Outcome) -> (f64, Outcome) {
    let start = Instant::now();
    let outcome = run();
    (outcome.requests as f64 / start.elapsed().as_secs_f64(), outcome)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
