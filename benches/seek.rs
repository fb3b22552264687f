//! What a way through the past costs, on the wall: in runs of 600 s, from the start and from a world that is parked.
//! And what `z` costs, in every layout: back to just before the last act, where a world waits, and forth again.
//! `cargo bench --bench seek`, or with the names of layouts behind `--`.

#![allow(clippy::disallowed_methods, reason = "it measures time on the wall")]

use std::thread;
use std::time::{Duration, Instant};

use blastradius::command::Command;
use blastradius::layout::{Layout, SHIPPED, find_shipped, parse};
use blastradius::replay::{Head, Recording, Session};
use blastradius::tui::Speed;
use blastradius::tui::engine::{Engine, Order, Start};

/// How long the runs are.
const LENGTH: Duration = Duration::from_secs(600);
/// How far behind a parked world the moments are that are gone to.
const BEHIND: Duration = Duration::from_secs(30);
/// The layouts if nobody names others.
const USUAL: [&str; 3] = ["04", "05", "13"];

fn main() {
    // Cargo adds a flag of its own.
    let named: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let usual = USUAL.map(str::to_string).to_vec();
    println!("layout                   back to before the last act  forth again");
    for shipped in SHIPPED.iter().filter(|_| named.is_empty()) {
        let layout = parse(shipped.source, shipped.file).expect("it is right");
        rewind(shipped.file, shipped.source, &layout);
    }
    println!("layout  600 s from the start  before the parked worlds  30 s behind a parked world");
    for name in if named.is_empty() { usual } else { named } {
        let Some(shipped) = find_shipped(&name) else {
            eprintln!("there is no layout {name}");
            continue;
        };
        let layout = parse(shipped.source, shipped.file).expect("it is right");
        measure(&name, shipped.source, &layout);
    }
}

fn measure(name: &str, source: &str, layout: &Layout) {
    let began = Instant::now();
    let mut session = Session::scheduled(layout, 7, &[]);
    session.advance_to(LENGTH);
    let whole = began.elapsed();
    drop(session);
    let start = Start {
        recording: Recording::new(Head::new(name, source, None, 7)),
        followers: true,
        ..Start::bare(true, Speed::MAX)
    };
    let of = layout.clone();
    let mut engine = Engine::start(move || Session::scheduled(&of, 7, &[]), start).expect("a thread");
    until(&mut engine, |engine| engine.timeline().at >= LENGTH);
    engine.order(Order::Run(false));
    let patience = whole * 10 + Duration::from_secs(10);
    let waits = Instant::now();
    until(&mut engine, |engine| {
        engine.parked().len() == 2 || waits.elapsed() > patience
    });
    let parked = engine.parked();
    let last = parked.last().copied().unwrap_or_default();
    let near = go(&mut engine, last + BEHIND);
    let first = parked.first().copied().unwrap_or(LENGTH);
    let before = first.saturating_sub(BEHIND);
    let far = go(&mut engine, before);
    let at: Vec<u64> = parked.iter().map(Duration::as_secs).collect();
    println!(
        "{name:<6}  {:>17.2} s  {:>14.2} s ({} s)  {:>24.2} s  (parked at {at:?} s)",
        whole.as_secs_f64(),
        far.as_secs_f64(),
        before.as_secs(),
        near.as_secs_f64()
    );
    engine.end().expect("no panic");
}

/// How long it takes until the moment before the last act is shown, and the one from which that was asked for.
fn rewind(name: &str, source: &str, layout: &Layout) {
    let start = Start {
        recording: Recording::new(Head::new(name, source, None, 7)),
        followers: true,
        ..Start::bare(true, Speed::MAX)
    };
    let of = layout.clone();
    let mut engine = Engine::start(move || Session::scheduled(&of, 7, &[]), start).expect("a thread");
    let began = Instant::now();
    until(&mut engine, |engine| engine.timeline().at >= Duration::from_secs(5));
    engine.order(Order::Run(false));
    engine.order(Order::Do(Command::parse("surge 1.5").expect("a command")));
    until(&mut engine, |engine| !engine.timeline().events.is_empty());
    let act = engine.timeline().at;
    engine.order(Order::Run(true));
    until(&mut engine, |engine| {
        engine.timeline().at >= act + Duration::from_secs(3)
    });
    engine.order(Order::Run(false));
    // Another world is run to the act meanwhile, beside others that are to be parked.
    let patience = began.elapsed() * 4 + Duration::from_secs(1);
    let waits = Instant::now();
    until(&mut engine, |_| waits.elapsed() > patience);
    let shown = |engine: &mut Engine, order: Order, there: &dyn Fn(Duration) -> bool| {
        let asked = Instant::now();
        engine.order(order);
        loop {
            if engine.take_view().is_some_and(|view| there(view.frame.at.elapsed())) {
                return asked.elapsed();
            }
            thread::sleep(Duration::from_micros(100));
        }
    };
    let back = shown(&mut engine, Order::Rewind, &|at| at <= act);
    let forth = shown(&mut engine, Order::Return, &|at| at > act);
    println!(
        "{name:<24} {:>24.2} ms {:>9.2} ms",
        back.as_secs_f64() * 1e3,
        forth.as_secs_f64() * 1e3
    );
    engine.end().expect("no panic");
}

/// How long it takes until a moment is shown.
fn go(engine: &mut Engine, at: Duration) -> Duration {
    let began = Instant::now();
    engine.order(Order::GoTo(at));
    until(engine, |engine| engine.timeline().arriving.is_none());
    began.elapsed()
}

fn until(engine: &mut Engine, holds: impl Fn(&mut Engine) -> bool) {
    while !holds(engine) {
        engine.take_view();
        thread::sleep(Duration::from_millis(1));
    }
}
