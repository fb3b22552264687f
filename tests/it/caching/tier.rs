//! The cache tier: what it takes off a database, what it costs when it is gone, what is stale, what is lost.

use std::time::Duration;

use blastradius::command::Command;
use blastradius::layout::Layout;
use blastradius::observe::{CacheState, CacheTally, Promises};
use blastradius::sim::Stream;
use blastradius::world::World;

use crate::build::layout;
use crate::story::{act, advance_to, ok_between, service, story};

/// So many requests a second at one web server with a cache in front of a database, both quick.
fn shop(rate: u32, asks: &str, keys: &str, cache: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "shop",
            users: {{ "people": (count: {rate}, every: "1s", asks: ({asks}), keys: {keys}, browser: false) }},
            services: {{
                "web": Web(machines: 2, size: "4xl", slots: 10_000, work: Constant("0.1ms"), cache: "cache", database: "db"),
                "cache": Cache(size: "xl", slots: 10_000, {cache}),
                "db": Database(size: "4xl", slots: 10_000, read: Constant("0.1ms"), write: Constant("0.1ms"), rows: 10_000),
            }})"#
    ))
}

fn cache(world: &World) -> CacheState {
    service(&world.frame(), "cache").cache.clone().expect("a cache")
}

/// What was counted between two times.
fn between(world: &mut World, from: f64, to: f64) -> CacheTally {
    advance_to(world, from);
    let before = cache(world).total;
    advance_to(world, to);
    cache(world).total.since(&before)
}

fn hit_ratio(world: &mut World, from: f64, to: f64) -> f64 {
    between(world, from, to).hit_ratio().expect("look-ups")
}

/// Reads at the database until now.
fn reads(world: &World) -> u64 {
    service(&world.frame(), "db")
        .database
        .clone()
        .expect("a database")
        .reads
}

fn writes(world: &World) -> u64 {
    service(&world.frame(), "db")
        .database
        .clone()
        .expect("a database")
        .writes
}

/// Reads at the database from now until a time, for each second.
fn read_rate(world: &mut World, to: f64) -> f64 {
    let (before, from) = (reads(world), world.now().elapsed().as_secs_f64());
    advance_to(world, to);
    (reads(world) - before) as f64 / (to - from)
}

fn promises(world: &World) -> Promises {
    service(&world.frame(), "db")
        .database
        .clone()
        .expect("a database")
        .promises
}

const PAGES: &str = "page: 100";
/// Each key is asked for once a second.
const ALIKE: &str = "Uniform(count: 1_000)";

#[test]
fn with_ample_room_the_hit_ratio_follows_from_the_ttl() {
    // A key is loaded, and then asked for rate x ttl times on average until it expires.
    for (ttl, seed) in [(1.0, 1), (3.0, 2), (9.0, 3)] {
        let settings = format!("ttl: \"{ttl}s\"");
        let mut world = World::build(&shop(1_000, PAGES, ALIKE, &settings), seed);
        let ratio = hit_ratio(&mut world, 20.0, 60.0);
        let theory = 1.0 - 1.0 / (1.0 + ttl);
        println!("ttl {ttl} s: {:.2} %, in theory {:.2} %", 100.0 * ratio, 100.0 * theory);
        assert!((ratio - theory).abs() < 0.01, "ttl {ttl}: {ratio}, {theory}");
    }
}

/// The hit ratio of an LRU cache by Che's approximation (Che, Tung, Wang 2002): an entry is evicted when it was not asked for during a time which
/// is the same for all.
fn che(keys: u32, exponent: f64, room: f64) -> f64 {
    let weights: Vec<f64> = (1..=keys).map(|key| f64::from(key).powf(-exponent)).collect();
    let sum: f64 = weights.iter().sum();
    let held = |time: f64| -> f64 { weights.iter().map(|weight| 1.0 - (-weight / sum * time).exp()).sum() };
    let (mut low, mut high) = (0.0, 1e9);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if held(middle) < room {
            low = middle;
        } else {
            high = middle;
        }
    }
    weights
        .iter()
        .map(|weight| weight / sum * (1.0 - (-weight / sum * low).exp()))
        .sum()
}

#[test]
fn the_hit_ratio_of_an_lru_tier_is_that_of_theory() {
    for (exponent, room) in [(0.9, 1_000_u64), (0.7, 500)] {
        let keys = format!("Zipf(count: 10_000, exponent: {exponent})");
        let settings = format!("items: {room}, ttl: \"2h\"");
        let mut world = World::build(&shop(2_000, PAGES, &keys, &settings), 4);
        let ratio = hit_ratio(&mut world, 20.0, 60.0);
        let theory = che(10_000, exponent, room as f64);
        println!(
            "Zipf {exponent}, {room} items: {:.2} %, in theory {:.2} %",
            100.0 * ratio,
            100.0 * theory
        );
        assert!((ratio - theory).abs() < 0.01, "{ratio}, {theory}");
        assert_eq!(cache(&world).entries, room);
    }
}

#[test]
fn without_its_cache_a_database_gets_all_that_the_cache_took_off_it() {
    let mut world = World::build(&shop(1_000, PAGES, ALIKE, "ttl: \"9s\""), 5);
    advance_to(&mut world, 20.0);
    let before = read_rate(&mut world, 50.0);
    act(&mut world, "kill cache");
    let after = read_rate(&mut world, 52.0);
    println!("{before:.0} reads a second, without the cache {after:.0}");
    assert!((after / before - 10.0).abs() < 1.0, "{before} {after}");
    assert_eq!(world.frame().total.failed, 0);
    let noticed = world.frame().incidents[0]
        .noticed
        .clone()
        .expect("a web server leaves the node alone");
    assert!(noticed.who.starts_with("web/"), "{noticed:?}");
}

#[test]
fn a_flushed_cache_warms_up_as_its_keys_are_asked_for() {
    let mut world = story(
        &shop(1_000, PAGES, ALIKE, "ttl: \"2h\""),
        6,
        &[(20.0, "flush cache")],
        20.0,
    );
    // A key misses when it is asked for the first time: of 1,000 keys e^-t are left after t seconds.
    for second in 0..3 {
        let missed = read_rate(&mut world, 21.0 + f64::from(second));
        let theory = 1_000.0 * ((-f64::from(second)).exp() - (-f64::from(second + 1)).exp());
        println!("{missed:.0} misses in second {second}, in theory {theory:.0}");
        assert!((missed - theory).abs() < 60.0, "{missed} {theory}");
    }
}

#[test]
fn a_dead_node_takes_its_share_of_the_keys_unless_others_stand_in() {
    let ratio = |settings: &str| {
        let cache = format!("machines: 2, ttl: \"2h\", {settings}");
        let mut world = story(&shop(1_000, PAGES, ALIKE, &cache), 7, &[(20.0, "kill cache/1")], 30.0);
        let (from, before) = (reads(&world), world.frame());
        advance_to(&mut world, 50.0);
        assert!(ok_between(&before, &world.frame()) > 0.999);
        1.0 - (reads(&world) - from) as f64 / 20_000.0
    };
    let (plain, copies, rehash) = (ratio(""), ratio("copies: 2"), ratio("rehash: true"));
    println!("served by the other node: {plain:.3} plain, {copies:.3} with copies, {rehash:.3} with rehash");
    assert!((0.35..0.65).contains(&plain), "{plain}");
    assert!(copies > 0.99 && rehash > 0.99, "{copies} {rehash}");
}

const READERS_AND_WRITERS: &str = "page: 80, update: 20";

#[test]
fn copies_that_nobody_tells_of_writes_are_stale_up_to_their_ttl() {
    let stale = |settings: &str, acts: &[(f64, &str)]| {
        let layout = shop(500, READERS_AND_WRITERS, "Uniform(count: 100)", settings);
        promises(&story(&layout, 8, acts, 40.0))
    };
    let never = stale("ttl: \"5s\", invalidate: Never", &[]);
    let share = never.stale as f64 / never.reads as f64;
    println!(
        "{:.1} % of the reads are stale, up to {:?}",
        100.0 * share,
        never.stale_longest
    );
    assert!(share > 0.3 && never.stale_copies == never.stale, "{never:?}");
    assert!(never.stale_longest > Duration::from_secs(4), "{never:?}");
    assert!(never.stale_longest < Duration::from_millis(5_500), "{never:?}");
    let told = stale("ttl: \"5s\"", &[]);
    println!("{} of {} with deletes", told.stale, told.reads);
    assert!(told.stale * 100 < told.reads, "{told:?}");
    // A node that was cut off has heard of no write.
    let torn = stale("ttl: \"1m\"", &[(10.0, "cut web <-> cache"), (12.0, "mend all")]);
    println!("{} of {} after a node was cut off for 2 s", torn.stale, torn.reads);
    assert!(torn.stale > told.stale + 20, "{torn:?}");
}

#[test]
fn a_flush_under_a_hot_key_is_a_stampede_unless_loads_are_shared() {
    let worst = |settings: &str| {
        let source = format!(
            r#"Layout(title: "hot",
                users: {{ "people": (count: 2_000, every: "1s", asks: (page: 100), keys: Uniform(count: 100), browser: false) }},
                services: {{
                    "web": Web(machines: 2, size: "4xl", slots: 10_000, work: Constant("0.1ms"), cache: "cache", database: "db"),
                    "cache": Cache(size: "xl", slots: 10_000, {settings}),
                    "db": Database(size: "4xl", slots: 10_000, read: Constant("50ms"), rows: 100),
                }})"#
        );
        let mut world = story(&layout(&source), 9, &[(5.0, "set people hot 50%")], 10.5);
        act(&mut world, "flush cache");
        advance_to(&mut world, 11.2);
        (cache(&world).worst, cache(&world).total.stampedes)
    };
    let (all, stampedes) = worst("");
    let (shared, _) = worst("single_flight: true");
    let (through, _) = worst("strategy: ReadThrough, single_flight: true");
    println!("loads of one key at once: {all}, {shared} shared by web server, {through} by the node");
    assert!(all > 30 && stampedes > 0, "{all}");
    assert_eq!((shared, through), (2, 1));
}

#[test]
fn what_waits_in_a_write_behind_cache_is_written_when_it_is_one_no_more() {
    let settings = "strategy: WriteBehind(after: \"10m\")";
    let mut world = World::build(&shop(400, READERS_AND_WRITERS, "Uniform(count: 50)", settings), 11);
    advance_to(&mut world, 10.0);
    assert!(cache(&world).unwritten > 30);
    act(&mut world, "set cache strategy write-behind:1s");
    advance_to(&mut world, 15.0);
    let waiting = cache(&world).unwritten;
    assert!((1..50).contains(&waiting), "{waiting}");
    assert!(writes(&world) > 30);
    act(&mut world, "set cache strategy aside");
    advance_to(&mut world, 17.0);
    assert_eq!(cache(&world).unwritten, 0);
    let before = promises(&world);
    advance_to(&mut world, 40.0);
    let after = promises(&world);
    let (stale, reads) = (after.stale - before.stale, after.reads - before.reads);
    assert!(stale * 1_000 < reads, "{stale} of {reads} reads were stale");
    assert_eq!(after.lost, 0);
}

#[test]
fn a_crash_loses_the_writes_that_a_write_behind_cache_had_not_written() {
    let run = |durable: bool| {
        let settings = format!("strategy: WriteBehind(after: \"2s\"), durable: {durable}");
        let mut world = World::build(&shop(400, READERS_AND_WRITERS, "Uniform(count: 50)", &settings), 10);
        advance_to(&mut world, 20.0);
        let unwritten = cache(&world).unwritten;
        act(&mut world, "kill cache");
        advance_to(&mut world, 25.0);
        act(&mut world, "mend cache");
        advance_to(&mut world, 40.0);
        (unwritten, promises(&world), world)
    };
    let (unwritten, promises, world) = run(false);
    let tally = cache(&world).total;
    println!("{unwritten} unwritten, {} lost; {tally:?}", promises.lost);
    assert!((20..=50).contains(&unwritten), "{unwritten}");
    assert!(
        promises.lost.abs_diff(unwritten) <= 1,
        "{} lost of {unwritten}",
        promises.lost
    );
    assert!(tally.merged_writes > 200, "{tally:?}");
    assert!(
        writes(&world) * 4 < promises.acknowledged * 3,
        "{} of {}",
        writes(&world),
        promises.acknowledged
    );
    let (_, promises, _) = run(true);
    assert_eq!((promises.lost, promises.missing), (0, 0), "{promises:?}");
}

/// What may happen to a tier, at random.
const ACTS: [&str; 26] = [
    "kill cache/1",
    "kill cache/2",
    "hang cache/1",
    "kill cache",
    "mend all",
    "mend all",
    "cut web <-> cache/2",
    "drop web <-> cache 20%",
    "slow db 20",
    "kill db",
    "kill web/1",
    "flush cache",
    "flush cache",
    "set cache strategy aside",
    "set cache strategy read-through",
    "set cache strategy write-through",
    "set cache invalidate update",
    "set cache invalidate delete",
    "set cache evict sieve",
    "set cache evict arc",
    "set cache items 200",
    "set cache ttl 2s",
    "set cache single-flight on",
    "set cache refresh-ahead 50%",
    "set cache negative 5s",
    "set cache rehash on",
];

fn troubled(strategy: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "troubled",
            users: {{
                "readers": (count: 200, every: "1s", asks: (page: 100), keys: Uniform(count: 500), browser: false),
                "writers": (count: 100, every: "1s", asks: (page: 10, create: 20, update: 50, delete: 20), keys: Uniform(count: 500),
                    browser: false),
            }},
            services: {{
                "web": Web(machines: 2, size: "xl", work: Constant("1ms"), cache: "cache", database: "db"),
                "cache": Cache(machines: 2, items: 150, near: (items: 20), strategy: {strategy}),
                "db": Database(size: "xl", rows: 500),
            }})"#
    ))
}

/// A world after 12 s in which something happens every second; what is refused is part of it.
fn trouble(strategy: &str, seed: u64, windows: Option<u64>) -> World {
    let mut world = World::build(&troubled(strategy), seed);
    if let Some(windows) = windows {
        world.narrow_windows(windows);
    }
    let mut chance = Stream::new(seed, "test", "tier");
    for _ in 0..12 {
        world.advance(Duration::from_nanos(500_000_000 + chance.draw().below(1_000_000_000)));
        let text = ACTS[chance.draw().below(ACTS.len() as u64) as usize];
        let _ = world.apply(&Command::parse(text).expect("a command"));
        for node in &cache(&world).nodes {
            assert!(
                node.full <= 1.0,
                "seed {seed}: a node holds more than it has room for after {text}"
            );
        }
    }
    world
}

#[test]
fn whatever_happens_a_mended_tier_shows_what_the_database_has() {
    for seed in 0..6 {
        for strategy in ["Aside", "ReadThrough", "WriteThrough", "WriteBehind()"] {
            let mut world = trouble(strategy, seed, None);
            let _ = world.apply(&Command::parse("mend all").expect("a command"));
            world.advance(Duration::from_secs(40));
            act(&mut world, "surge writers 0");
            // What is under way ends, what waits is written, and then nothing that was copied before is left.
            world.advance(Duration::from_secs(20));
            assert_eq!(cache(&world).unwritten, 0, "seed {seed}, {strategy}");
            act(&mut world, "flush cache");
            act(&mut world, "flush web");
            world.advance(Duration::from_secs(1));
            let (before, from) = (promises(&world), world.frame());
            world.advance(Duration::from_secs(10));
            let after = promises(&world);
            assert!(after.reads > before.reads + 1_500, "seed {seed}, {strategy}");
            assert_eq!(after.stale, before.stale, "seed {seed}, {strategy}: {after:?}");
            assert!(ok_between(&from, &world.frame()) > 0.999, "seed {seed}, {strategy}");
            if strategy != "WriteBehind()" {
                assert_eq!(after.lost, 0, "seed {seed}, {strategy}: {after:?}");
            }
            let near = service(&world.frame(), "web").cache.clone().expect("near copies");
            assert!(
                near.total.hits > 0 && near.nodes.iter().all(|node| node.full <= 1.0),
                "seed {seed}, {strategy}"
            );
        }
    }
}

#[test]
fn a_troubled_tier_has_one_history() {
    for seed in 0..4 {
        for strategy in ["Aside", "WriteBehind()"] {
            let digest = |windows| {
                let world = trouble(strategy, seed, windows);
                let (state, frame) = (cache(&world), world.frame());
                // Trends hold what is not a number, which equals nothing.
                (
                    world.digest(),
                    world.delivered(),
                    frame.total,
                    state.total,
                    promises(&world),
                )
            };
            assert!(digest(None) == digest(Some(seed + 1)), "seed {seed}, {strategy}");
        }
    }
}
