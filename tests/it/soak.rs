//! A long run: chaos over two data centers, and nothing that adds up.
//!
//! `BLASTRADIUS_SOAK=24h cargo test --release --test it soak` runs a day. What is not said is a minute and a half, which shows the same but for the
//! memory: that is looked at from the eighth hour on, when all that fills slowly (logs, caches, histories) is full, and only if nothing else runs in the
//! process.

use std::time::Duration;

use blastradius::layout::{Layout, duration, find_shipped, parse};
use blastradius::observe::{Frame, Health, NodeRole};
use blastradius::world::World;

use crate::story::{act, advance_to};

/// How long a run is if nobody says.
const SHORT: Duration = Duration::from_secs(90);
/// When everything that fills has filled.
const WARM: Duration = Duration::from_secs(8 * 3600);
/// The most by which memory may grow from then on.
const GROWTH: f64 = 1.05;

/// Layout 13 with a tenth of its users: 1,000 requests a second.
fn two_data_centers() -> Layout {
    let shipped = find_shipped("13").expect("it is shipped");
    let source = shipped
        .source
        .replace("count: 60_000", "count: 6_000")
        .replace("count: 40_000", "count: 4_000");
    parse(&source, "13.ron").unwrap_or_else(|error| panic!("{error}"))
}

fn primaries(frame: &Frame) -> usize {
    let database = frame.services.iter().find_map(|service| service.database.as_ref());
    let nodes = &database.expect("a database").nodes;
    nodes.iter().filter(|node| node.role == Some(NodeRole::Primary)).count()
}

/// Resident memory of this process in pages, where the system tells.
fn resident() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse().ok()
}

fn seconds(world: &World) -> f64 {
    world.now().elapsed().as_secs_f64()
}

/// Mends everything, sends all users away, and waits until the last message is worked off. Returns what is under way all the same: timers, checks, polls.
fn calm(world: &mut World) -> usize {
    act(world, "surge 0");
    let end = seconds(world) + 300.0;
    advance_to(world, end);
    let frame = world.frame();
    let mut instances = frame.services.iter().flat_map(|service| &service.instances);
    assert!(instances.all(|instance| instance.health == Health::Up));
    let balancers = frame.services.iter().filter_map(|service| service.balancer.as_ref());
    let asked = balancers
        .flat_map(|balancer| &balancer.backends)
        .map(|backend| backend.in_flight);
    assert_eq!(asked.sum::<u32>(), 0, "requests at servers");
    let queues = frame.services.iter().filter_map(|service| service.queue.as_ref());
    assert_eq!(
        queues.map(|queue| queue.waiting + queue.in_flight).sum::<u64>(),
        0,
        "messages"
    );
    assert_eq!(primaries(&frame), 1);
    world.under_way()
}

/// What a run came to: its digest, and what was under way in the end.
fn run(layout: &Layout, length: Duration) -> (u64, usize) {
    let mut world = World::build(layout, 13);
    act(&mut world, "chaos every 30s mend 20s");
    let mut warm: Option<f64> = None;
    let mut looked = 0_u32;
    while world.now().elapsed() < length {
        let left = length.saturating_sub(world.now().elapsed());
        world.advance(left.min(Duration::from_secs(1)));
        looked += 1;
        // A look a second at first; later one a minute, as it takes longer than the second itself.
        if looked > 120 && !looked.is_multiple_of(60) {
            continue;
        }
        let frame = world.frame();
        assert!(primaries(&frame) <= 1, "{:?}", frame.at);
        if world.now().elapsed() < WARM || !looked.is_multiple_of(600) {
            continue;
        }
        let Some(pages) = resident() else { continue };
        let first = *warm.get_or_insert(pages);
        assert!(
            pages < first * GROWTH,
            "{first} pages after 8 h, {pages} at {:?}",
            frame.at
        );
    }
    act(&mut world, "chaos off");
    act(&mut world, "mend all");
    let end = seconds(&world) + 60.0;
    advance_to(&mut world, end);
    let frame = world.frame();
    println!(
        "{} simulated with {} faults: {} ok, {} failed, {:?} pages after 8 h, {:?} in the end",
        duration::format(length),
        frame.incidents.last().map_or(0, |incident| incident.number),
        frame.total.ok,
        frame.total.failed,
        warm,
        resident()
    );
    let left = calm(&mut world);
    (world.digest(), left)
}

#[test]
fn chaos_for_long_leaves_nothing_behind() {
    let length = match std::env::var("BLASTRADIUS_SOAK") {
        Ok(text) => duration::parse(&text).unwrap_or_else(|error| panic!("BLASTRADIUS_SOAK: {error}")),
        Err(_) => SHORT,
    };
    let layout = two_data_centers();
    let first = run(&layout, length);
    assert_eq!(run(&layout, length), first, "the same history");
    // A world to which nothing happened.
    let mut unhurt = World::build(&layout, 13);
    advance_to(&mut unhurt, 30.0);
    let usual = calm(&mut unhurt);
    println!("under way in the end: {}, without chaos {usual}", first.1);
    assert!(
        first.1 <= usual + usual / 20,
        "{} is under way, {usual} without chaos",
        first.1
    );
}
