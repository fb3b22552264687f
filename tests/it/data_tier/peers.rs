//! Several primaries and rings: conflicts, clocks, convergence.

use std::time::Duration;

use blastradius::layout::Layout;
use blastradius::world::World;

use super::{act, advance_to, database, story};
use crate::build::layout;

/// Two data centers with a primary each, and users who write the same few rows.
fn two(rule: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "two",
            users: {{
                "a-users": (count: 100, every: "1s", asks: (page: 50, update: 50), keys: Uniform(count: 500), site: "a"),
                "b-users": (count: 100, every: "1s", asks: (page: 50, update: 50), keys: Uniform(count: 500), site: "b"),
            }},
            databases: {{ "orders": (machines: {{"a": 1, "b": 1}}, rows: 500, replication: MultiPrimary(rule: {rule})) }},
            data_centers: {{
                "a": (services: {{ "web": Web(size: "l", database: "orders") }}),
                "b": (services: {{ "web": Web(size: "l", database: "orders") }}),
            }})"#
    ))
}

fn ring() -> Layout {
    let sites = ["a", "b", "c", "d"];
    let users = sites.map(|site| {
        format!(r#""{site}-users": (count: 100, every: "1s", asks: (page: 50, update: 50), keys: Uniform(count: 5_000), site: "{site}")"#)
    });
    let centers = sites.map(|site| format!(r#""{site}": (services: {{ "web": Web(size: "l", database: "orders") }})"#));
    layout(&format!(
        r#"Layout(title: "ring", users: {{ {} }},
            databases: {{ "orders": (machines: {{"a": 1, "b": 1, "c": 1, "d": 1}}, rows: 5_000,
                replication: Circular(rule: HybridClocks, close: "10s")) }},
            data_centers: {{ {} }})"#,
        users.join(", "),
        centers.join(", ")
    ))
}

fn all_agree(world: &World, selector: &str) -> bool {
    database(&world.frame(), selector)
        .nodes
        .iter()
        .all(|node| node.role.is_some() && node.agrees && node.behind == 0)
}

#[test]
fn both_sides_of_a_cut_take_writes_and_agree_after_it() {
    for rule in [
        "LastWriteWins",
        "HybridClocks",
        "HighestValue",
        "MergeSets",
        "KeepBoth",
        r#"SitePriority(["b"])"#,
    ] {
        let cut = [
            (10.0, "cut a/orders <-> b/orders"),
            (30.0, "join a/orders <-> b/orders"),
        ];
        let mut world = story(&two(rule), 2, &cut[..1], 29.0);
        assert_eq!(world.frame().recent.failed, 0, "{rule}");
        assert!(!all_agree(&world, "a/orders"), "{rule}");
        act(&mut world, "join a/orders <-> b/orders");
        advance_to(&mut world, 50.0);
        act(&mut world, "surge 0");
        advance_to(&mut world, 80.0);
        assert!(
            all_agree(&world, "a/orders"),
            "{rule}: {:#?}",
            database(&world.frame(), "a/orders").nodes
        );
        let state = database(&world.frame(), "a/orders");
        let promises = state.promises;
        assert_eq!((promises.lost, promises.missing), (0, 0), "{rule}: {promises:?}");
        let dropped = promises.dropped_older + promises.dropped_later;
        match rule {
            "MergeSets" => assert!(promises.merged > 100 && dropped == 0, "{rule}: {promises:?}"),
            "KeepBoth" => assert!(promises.siblings > 100 && dropped == 0, "{rule}: {promises:?}"),
            _ => assert!(
                dropped > 100 && promises.merged + promises.siblings == 0,
                "{rule}: {promises:?}"
            ),
        }
        if rule == "LastWriteWins" {
            assert_eq!(promises.dropped_later, 0, "all clocks are right: {promises:?}");
        }
        assert!(!state.conflicts.is_empty(), "{rule}: the history is kept");
    }
}

#[test]
fn wall_clocks_that_are_wrong_lose_later_writes_and_hybrid_clocks_do_not() {
    let later = |rule: &str| {
        let world = story(&two(rule), 3, &[(10.0, "skew a/orders 5s")], 60.0);
        database(&world.frame(), "a/orders").promises
    };
    let (wall, hybrid) = (later("LastWriteWins"), later("HybridClocks"));
    println!(
        "later writes dropped: {} by wall clocks, {} by hybrid clocks",
        wall.dropped_later, hybrid.dropped_later
    );
    assert!(wall.dropped_later > 200, "{wall:?}");
    // Only those that were made within the latency between the two, before either had heard of the other.
    assert!(hybrid.dropped_later * 20 < wall.dropped_later, "{hybrid:?}");
}

#[test]
fn a_ring_delivers_everything_once_and_goes_stale_behind_a_dead_node() {
    let mut world = story(&ring(), 4, &[(20.0, "kill c/orders")], 28.0);
    let lag = |world: &World, name: &str| {
        let nodes = database(&world.frame(), "a/orders").nodes;
        nodes.iter().find(|node| node.name == name).expect("a node").lag
    };
    assert!(
        lag(&world, "d/orders/1") > Duration::from_secs(7),
        "{:?}",
        lag(&world, "d/orders/1")
    );
    assert!(
        lag(&world, "b/orders/1") < Duration::from_secs(1),
        "{:?}",
        lag(&world, "b/orders/1")
    );
    advance_to(&mut world, 40.0);
    assert!(
        lag(&world, "d/orders/1") < Duration::from_secs(1),
        "closed around the gap: {:?}",
        lag(&world, "d/orders/1")
    );
    act(&mut world, "mend c/orders");
    advance_to(&mut world, 70.0);
    act(&mut world, "surge 0");
    advance_to(&mut world, 90.0);
    assert!(
        all_agree(&world, "a/orders"),
        "{:#?}",
        database(&world.frame(), "a/orders").nodes
    );
    assert_eq!(database(&world.frame(), "a/orders").promises.lost, 0);
}
