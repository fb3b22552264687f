//! Behaviour, end to end.
#![allow(
    clippy::disallowed_methods,
    reason = "tests may use the wall clock, threads and hash maps; worlds may not"
)]

mod architecture;
mod balancing;
mod blast;
#[cfg(unix)]
mod blast_processes;
mod blast_rest;
mod build;
mod caching;
mod capacity;
mod casts;
mod cli;
mod consequences;
mod data_tier;
mod determinism;
mod eviction;
mod evolving;
mod experiments;
mod faults;
mod fidelity;
mod following;
mod layouts;
mod linear;
mod outages;
mod queueing;
mod random_runs;
mod readme;
mod regions;
mod replays;
mod report;
mod reports;
mod rewind;
mod rollouts;
mod screen;
mod scripts;
mod search;
mod settings;
mod soak;
mod story;
mod terminal;
mod traces;
mod web_tier;
