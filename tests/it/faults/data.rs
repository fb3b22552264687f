//! Faults of disks, clocks, copies and queues.

use blastradius::layout::Layout;
use blastradius::observe::CacheTally;
use blastradius::protocol::Reason;
use blastradius::world::World;

use super::{see, shop};
use crate::build::layout;
use crate::story::{act, advance_to, cause, refusal, service, story};

#[test]
fn disk_that_is_full_takes_no_writes_and_answers_reads() {
    let seen = see(&shop(""), "disk db full", 0.0, "mend db");
    assert!((seen.during.ok - 0.8).abs() < 0.03, "{:?}", seen.during);
    assert!(cause(&seen.hurt, Reason::DiskFull, "db") > 300);
    seen.is_as_before();
    let mut world = seen.world;
    assert!(refusal(&mut world, "disk web full").contains("databases and durable queues"));
}

#[test]
fn disk_that_is_slow_makes_writes_late() {
    let seen = see(&shop(""), "disk db slow 100", 10.0, "disk db well");
    // A fifth of the requests writes, and waits 100 ms instead of 1.
    assert!(seen.during.p99 > seen.before.p99 + 80.0, "{:?}", seen.during);
    assert!(seen.during.p50 < seen.before.p50 * 1.1, "{:?}", seen.during);
    seen.is_as_before();
}

#[test]
fn disk_of_a_replica_that_is_full_stops_replication_there() {
    let replicated = layout(
        r#"Layout(title: "replicated",
            users: { "people": (count: 1_000, every: "10s", asks: (update: 100), keys: Uniform(count: 100_000)) },
            services: {
                "web": Web(work: Constant("1ms"), database: "db"),
                "db": Database(machines: 2, replication: PrimaryReplicas(mode: Asynchronous), rows: 100_000),
            })"#,
    );
    let mut world = story(&replicated, 1, &[(10.0, "disk db/2 full")], 20.0);
    let behind = |world: &World| {
        let nodes = service(&world.frame(), "db")
            .database
            .clone()
            .expect("a database")
            .nodes;
        nodes.iter().map(|node| node.behind).max()
    };
    assert!(behind(&world) > Some(500), "{:?}", behind(&world));
    act(&mut world, "mend db/2");
    advance_to(&mut world, 30.0);
    assert!(behind(&world) < Some(100), "{:?}", behind(&world));
}

#[test]
fn disk_that_is_full_refuses_messages() {
    let studio = layout(
        r#"Layout(title: "studio",
            users: { "people": (count: 100, every: "1s", asks: (upload: 1), keys: Uniform(count: 100)) },
            services: {
                "web": Web(work: Constant("1ms"), queue: "photos"),
                "photos": Queue(),
                "workers": Consumer(of: "photos", machines: 2, work: Constant("5ms")),
            })"#,
    );
    let seen = see(&studio, "disk photos full", 0.0, "mend photos");
    assert!(seen.during.ok < 0.05, "{:?}", seen.during);
    assert!(cause(&seen.hurt, Reason::DiskFull, "photos") > 100);
    assert!((seen.before.ok - seen.after.ok).abs() < 0.01);
}

/// A database with a primary in each of two data centers.
pub fn peers() -> Layout {
    layout(
        r#"Layout(title: "two",
            users: { "people": (count: 100, every: "1s", asks: (page: 50, update: 50), keys: Uniform(count: 500)) },
            databases: { "orders": (machines: {"a": 1, "b": 1}, rows: 500, replication: MultiPrimary(rule: LastWriteWins)) },
            data_centers: {
                "a": (services: { "web": Web(size: "l", database: "orders") }),
                "b": (services: { "web": Web(size: "l", database: "orders") }),
            })"#,
    )
}

/// How far the clocks of its nodes are off, in milliseconds: each figure once, the least first.
pub fn skews(world: &World) -> Vec<f64> {
    let frame = world.frame();
    let databases = frame.services.iter().filter_map(|service| service.database.as_ref());
    let mut skews: Vec<f64> = databases
        .flat_map(|database| database.nodes.iter().map(|node| node.skew_ms))
        .collect();
    skews.sort_by(f64::total_cmp);
    skews.dedup();
    skews
}

#[test]
fn skew_puts_a_clock_forward_and_back() {
    let mut world = story(&peers(), 1, &[(10.0, "skew a/orders 5s for 20s")], 15.0);
    assert_eq!(skews(&world), [0.0, 5_000.0]);
    advance_to(&mut world, 31.0);
    assert_eq!(skews(&world), [0.0]);
    assert_eq!(world.frame().incidents.len(), 1);
}

/// A cache of so many entries in front of a database: 200 reads a second of so many rows.
pub fn cached(rows: u32, items: u32) -> Layout {
    layout(&format!(
        r#"Layout(title: "cached",
            users: {{ "people": (count: 200, every: "1s", asks: (page: 1), keys: Uniform(count: {rows}), browser: false) }},
            services: {{
                "web": Web(machines: 2, size: "xl", work: Constant("1ms"), cache: "cache", database: "db"),
                "cache": Cache(items: {items}, ttl: "1h"),
                "db": Database(size: "xl", rows: {rows}),
            }})"#
    ))
}

/// The hit ratio between now and a time.
fn hits(world: &mut World, until: f64) -> f64 {
    let tally =
        |world: &World| -> CacheTally { service(&world.frame(), "cache").cache.clone().expect("a cache").total };
    let before = tally(world);
    advance_to(world, until);
    tally(world).since(&before).hit_ratio().expect("look-ups")
}

#[test]
fn flush_empties_a_cache_that_fills_again() {
    let mut world = story(&cached(1_000, 10_000), 1, &[], 60.0);
    assert!(hits(&mut world, 65.0) > 0.99);
    act(&mut world, "flush cache");
    assert!(hits(&mut world, 66.0) < 0.2);
    advance_to(&mut world, 120.0);
    assert!(hits(&mut world, 125.0) > 0.99);
}

#[test]
fn expire_ends_the_time_of_what_is_held() {
    let mut world = story(&cached(1_000, 10_000), 1, &[], 60.0);
    assert!(hits(&mut world, 65.0) > 0.99);
    act(&mut world, "expire cache");
    assert!(hits(&mut world, 66.0) < 0.2);
    advance_to(&mut world, 120.0);
    assert!(hits(&mut world, 125.0) > 0.99);
    assert!(refusal(&mut world, "expire db").contains("keeps no copies"));
}

#[test]
fn expire_leaves_a_cdn_what_it_needs_in_hard_times() {
    let layout = layout(
        r#"Layout(title: "edge",
            users: { "people": (count: 100, every: "1s", asks: (asset: 1), browser: false, assets: Uniform(count: 50)) },
            cdns: { "cdn": (stale_if_error: "1h") },
            services: { "web": Web(machines: 2) })"#,
    );
    let run = |emptied: &str| {
        let mut world = story(&layout, 1, &[(60.0, "kill web"), (61.0, emptied)], 65.0);
        let before = world.frame();
        advance_to(&mut world, 75.0);
        crate::story::ok_between(&before, &world.frame())
    };
    assert!(run("expire cdn") > 0.95, "{}", run("expire cdn"));
    assert!(run("flush cdn") < 0.05, "{}", run("flush cdn"));
}

/// People upload photos, of which one that kills three workers is a dead letter.
pub fn studio() -> Layout {
    layout(
        r#"Layout(title: "studio",
            users: { "people": (count: 50, every: "1s", asks: (upload: 1), keys: Uniform(count: 100)) },
            services: {
                "web": Web(work: Constant("1ms"), queue: "photos"),
                "photos": Queue(attempts: 3, dead_letter: "dead", visibility: "5s"),
                "dead": Queue(),
                "workers": Consumer(of: "photos", machines: 2, work: Constant("5ms"), boot: "2s"),
            })"#,
    )
}

#[test]
fn poison_kills_whoever_works_on_it_until_it_is_a_dead_letter() {
    let crashes = |world: &World| {
        service(&world.frame(), "workers")
            .workers
            .clone()
            .expect("workers")
            .total
            .crashed
    };
    let mut world = story(&studio(), 1, &[(10.0, "poison photos")], 60.0);
    assert_eq!(crashes(&world), 3);
    advance_to(&mut world, 90.0);
    assert_eq!(crashes(&world), 3, "it is dead");
}
