//! Behaviour, end to end.
#![allow(
    clippy::disallowed_methods,
    reason = "tests may use the wall clock, threads and hash maps; worlds may not"
)]

mod architecture;
mod balancing;
mod build;
mod caching;
mod cli;
mod consequences;
mod data_tier;
mod determinism;
mod eviction;
mod fidelity;
mod layouts;
mod queueing;
mod readme;
mod replays;
mod report;
mod screen;
mod story;
mod terminal;
mod traces;
mod web_tier;
