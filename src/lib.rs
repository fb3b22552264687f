//! blastradius: a terminal playground for distributed systems. A layout file says what a system is; the program brings it to
//! life in one process and lets you break it.
//!
//! The map, in reading order (`tests/it/architecture.rs` keeps it true):
//!
//! - `layout/`: what a system is: the schema of a layout file, its defaults, its validation with line and column
//! - `command/`: what can be done to it: commands, the selectors that name their targets, scripts of timed commands, the catalogue of faults
//! - `trace/`: access traces from files: records, a survey of all of them, a feed that goes round
//! - `sim/`: the kernel: clock, windows, network, machines, handlers, randomness. It knows no kind of service
//! - `protocol/`: what travels between services: requests, replies, and the reasons of failures
//! - `observe/`: what is seen of a world: counters, histograms, incidents, and the frame that holds all of it
//! - `parts/`: the kinds of services, one file each, all of one shape; what several are made of stands in `common/`
//! - `world/`: the one door: build a world, apply commands, advance, look at a frame
//! - `replay/`: a run that can be run again: sessions, expectations, recordings, branches
//! - `analyze/`: questions that take more than one run: the blast radius of everything, how much traffic is carried, the search for faults that break an expectation, the miss ratios of cache policies over a trace
//! - `report/`: what a run came to, a blast and a capacity, as text, JSON, Markdown, HTML and CSV
//! - `tui/`: the terminal: worlds on threads, map, panels, keys, themes, recordings as pictures, the run in sentences
//! - `cli/`: the command line, one file a subcommand
//!
//! A layer names only what the table in `tests/it/architecture.rs` allows it. What holds everywhere, stated as absences:
//!
//! - Nothing under `sim/`, `parts/` and `world/` reads the wall clock, starts a thread, or iterates a hash map.
//! - Parts never name each other; they meet through `protocol` messages that `sim` carries.
//! - ratatui and crossterm are named only in `tui/`, clap only in `cli/`.
//! - The terminal never reaches into a running world: it sends commands and reads frames.
//! - No text from a file reaches the terminal unescaped: a layout's names may hold escape sequences.
//! - No queue without a bound that the layout or a constant names.
//! - No `unsafe`, no tokio time, no `select!` without `biased`.

#[allow(
    clippy::disallowed_methods,
    reason = "many worlds are run at once, each on one thread from its beginning to its end"
)]
pub mod analyze;
#[allow(
    clippy::disallowed_methods,
    reason = "how fast a run was is measured by the wall clock, outside of the world"
)]
pub mod cli;
pub mod command;
pub mod layout;
pub mod observe;
pub mod parts;
pub mod protocol;
pub mod replay;
pub mod report;
pub mod sim;
pub mod trace;
#[allow(
    clippy::disallowed_methods,
    reason = "a screen lives in wall time; the world that it shows does not"
)]
pub mod tui;
pub mod world;
