//! Shards: what a dead one hurts, how rows move to a new one, what a hot key does.

use blastradius::layout::Layout;

use super::{act, advance_to, database, refusal, service, story};
use crate::build::layout;

fn sharded(by: &str, settings: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "sharded",
            users: {{ "people": (count: 4_000, every: "10s", asks: (page: 60, create: 10, update: 20, delete: 10), keys: Uniform(count: 40_000)) }},
            services: {{
                "web": Web(machines: 2, size: "xl", work: Constant("1ms"), database: "db"),
                "db": Database(size: "s", rows: 40_000, copy_rate: 20_000, {settings} sharding: (shards: 4, by: {by})),
            }})"#
    ))
}

#[test]
fn a_dead_shard_hurts_only_its_share() {
    let world = story(&sharded("Modulo", ""), 1, &[(10.0, "kill db/2")], 30.0);
    let ok = world.frame().recent.ok_ratio();
    assert!((0.72..0.78).contains(&ok), "a quarter fails: {ok}");
}

#[test]
fn a_fifth_shard_takes_what_theory_says_while_all_is_served() {
    for (by, share) in [
        ("Modulo", 0.8),
        ("Jump", 0.2),
        ("ConsistentHash(virtual_nodes: 100)", 0.2),
        ("Range", 0.125),
        ("Directory", 0.2),
    ] {
        let mut world = story(&sharded(by, ""), 2, &[(10.0, "shard db")], 11.0);
        let moving = database(&world.frame(), "db").migration.expect("rows move").moving;
        println!("{by}: {:.1} % of the keys move", 100.0 * moving);
        assert!((moving - share).abs() < 0.04, "{by}: {moving}");
        let rows = database(&world.frame(), "db").rows;
        advance_to(&mut world, 60.0);
        let frame = world.frame();
        let state = database(&frame, "db");
        assert!(state.migration.is_none(), "{by}: {:?}", state.migration);
        assert_eq!(frame.total.failed, 0, "{by}: every key is served: {:?}", frame.causes);
        assert_eq!(
            (state.promises.lost, state.promises.missing, state.promises.stale),
            (0, 0, 0),
            "{by}"
        );
        assert!(state.rows.abs_diff(rows) < rows / 5, "{by}: {} of {rows}", state.rows);
        let fifth = state.shards[4].rows as f64 / state.rows as f64;
        assert!(
            (fifth - if by == "Range" { 0.125 } else { 0.2 }).abs() < 0.04,
            "{by}: {fifth}"
        );
        assert!(refusal(&mut world, "replicate db").contains("keeps no copies"));
    }
}

#[test]
fn rows_move_between_replicated_shards_even_if_a_primary_dies() {
    let settings = r#"machines: 3, replication: PrimaryReplicas(mode: Quorum, failover: Automatic(after: "3s")),"#;
    let layout = sharded("ConsistentHash(virtual_nodes: 100)", settings);
    let acts = [
        (10.0, "shard db"),
        (22.0, "kill db/1"),
        (40.0, "mend db/1"),
        (42.0, "kill db/13"),
        (60.0, "mend db/13"),
    ];
    let world = story(&layout, 3, &acts, 120.0);
    let state = database(&world.frame(), "db");
    assert!(state.migration.is_none(), "{:?}", state.migration);
    assert_eq!(
        (state.promises.lost, state.promises.missing, state.promises.stale),
        (0, 0, 0),
        "{:?}",
        state.promises
    );
    assert!(world.frame().recent.ok_ratio() > 0.999);
}

#[test]
fn a_hot_key_melts_its_shard_while_the_others_idle() {
    let settings = "machines: 2, replication: PrimaryReplicas(failover: Manual),";
    let mut world = story(
        &sharded("Modulo", settings),
        4,
        &[(10.0, "set people hot 60%"), (10.0, "surge 6")],
        30.0,
    );
    let busy = |world: &blastradius::world::World| -> Vec<f64> {
        database(&world.frame(), "db")
            .shards
            .iter()
            .map(|shard| shard.utilisation)
            .collect()
    };
    let hot = busy(&world);
    let (most, least) = (
        hot.iter().copied().fold(0.0, f64::max),
        hot.iter().copied().fold(1.0, f64::min),
    );
    assert!(most > 3.0 * least, "{hot:?}");
    act(&mut world, "set people hot off");
    advance_to(&mut world, 60.0);
    let calm = busy(&world);
    let (most, least) = (
        calm.iter().copied().fold(0.0, f64::max),
        calm.iter().copied().fold(1.0, f64::min),
    );
    assert!(most < 1.5 * least, "{calm:?}");
}

#[test]
fn a_search_waits_for_the_slowest_shard() {
    let layout = |shards: u32| {
        layout(&format!(
            r#"Layout(title: "search",
                users: {{ "people": (count: 100, every: "10s", asks: (search: 100)) }},
                services: {{
                    "web": Web(size: "xl", work: Constant("1ms"), database: "db"),
                    "db": Database(size: "l", read: Exponential("1ms"), sharding: (shards: {shards}, by: Modulo)),
                }})"#
        ))
    };
    let mean = |shards| {
        let world = story(&layout(shards), 5, &[], 120.0);
        world.frame().latency.mean.as_secs_f64() * 1e3
    };
    // The largest of n exponential times of mean 10 ms is 10 ms x (1 + 1/2 + ... + 1/n).
    let (one, eight) = (mean(1), mean(8));
    println!("a search takes {one:.1} ms of one shard, {eight:.1} ms of eight");
    let theory = 10.0 * ((1..=8).map(|n| 1.0 / f64::from(n)).sum::<f64>() - 1.0);
    assert!((eight - one - theory).abs() < 3.0, "{one} {eight} {theory}");
    let _ = service(&story(&layout(2), 5, &[], 1.0).frame(), "db");
}

#[test]
#[ignore = "takes minutes and a gigabyte: ten million rows"]
fn ten_million_rows_over_eight_shards() {
    let layout = layout(
        r#"Layout(title: "many rows",
            users: { "people": (count: 40_000_000, every: "1000s", asks: (page: 50, update: 50), keys: Uniform(count: 10_000_000)) },
            services: {
                "web": Web(machines: 40, size: "4xl", slots: 100_000, work: Constant("0.01ms"), database: "db"),
                "db": Database(size: "4xl", slots: 10_000, read: Constant("0.01ms"), write: Constant("0.01ms"), rows: 10_000_000,
                    sharding: (shards: 8, by: Jump)),
            })"#,
    );
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .expect("VmRSS")
            .to_owned();
        line.split_whitespace()
            .nth(1)
            .and_then(|kib| kib.parse::<f64>().ok())
            .expect("a number")
            / 1024.0
    };
    let before = resident();
    let world = story(&layout, 1, &[], 1_500.0);
    let state = database(&world.frame(), "db");
    println!(
        "{} writes, {} rows, {:.0} MB more",
        state.writes,
        state.rows,
        resident() - before
    );
    assert!(resident() - before < 1_024.0);
}
