//! A data center is lost.

use blastradius::observe::Frame;
use blastradius::world::World;

use super::{quick, shares, two_sites, users};
use crate::build::{layout, shipped};
use crate::story::{act, advance_to, only_incident, service};

#[test]
fn people_come_back_within_checks_and_ttl() {
    for ttl in [2, 20] {
        for seed in 1..=5 {
            let world = &mut World::build(&two_sites(&quick(ttl), "", ""), seed);
            advance_to(world, 30.0);
            act(world, "kill east");
            // Two checks, 2 s apart, and then the answers run out.
            let bound = 30.0 + 2.0 * 2.0 + f64::from(ttl);
            advance_to(world, bound + 0.5);
            let before = users(&world.frame(), "america");
            assert!(before.failed > 0, "ttl {ttl}, seed {seed}");
            advance_to(world, bound + 30.0);
            let frame = world.frame();
            let after = users(&frame, "america");
            assert_eq!(after.failed, before.failed, "ttl {ttl}, seed {seed}");
            assert!(after.ok > before.ok + 1_000, "ttl {ttl}, seed {seed}");
            assert_eq!(users(&frame, "europe").failed, 0, "ttl {ttl}, seed {seed}");
            assert!(shares(world)[1] > 0.99, "ttl {ttl}, seed {seed}");
            let incident = only_incident(&frame);
            assert_eq!(incident.what, "killed east");
            let served = incident.served.expect("users are served again").elapsed().as_secs_f64();
            assert!(served < bound + 0.5, "ttl {ttl}, seed {seed}: served at {served}");
            // It comes back, and takes its people back without a failure.
            act(world, "mend east");
            advance_to(world, bound + 30.0 + 60.0);
            let frame = world.frame();
            assert_eq!(users(&frame, "america").failed, after.failed, "ttl {ttl}, seed {seed}");
            assert!(frame.sites[0].share > 0.4, "ttl {ttl}, seed {seed}");
            assert!(only_incident(&frame).healed.is_some(), "ttl {ttl}, seed {seed}");
        }
    }
}

#[test]
fn the_other_site_drowns_without_headroom_and_carries_all_with_it() {
    // One core in the west carries 167 pages a second; there are 60, or 240.
    let more = |count: u32| {
        layout(&format!(
            r#"(title: "t", regions: {{"us": (lat: 39.0, lon: -77.5), "eu": (lat: 53.3, lon: -6.3)}},
            users: {{"america": (region: "us", count: {count}, every: "1s", mobile: 0, asks: (page: 1), patience: "2s"),
                "europe": (region: "eu", count: 20, every: "1s", mobile: 0, asks: (page: 1), patience: "2s")}},
            dns: ({}),
            data_centers: {{"east": (region: "us", services: {{"web": Web(size: "s", work: Constant("6ms"))}}),
                "west": (region: "eu", services: {{"web": Web(size: "xs", work: Constant("6ms"))}})}})"#,
            quick(5)
        ))
    };
    for (count, drowns) in [(40, false), (220, true)] {
        let world = &mut World::build(&more(count), 1);
        advance_to(world, 20.0);
        act(world, "kill east");
        advance_to(world, 60.0);
        let before = users(&world.frame(), "america");
        advance_to(world, 90.0);
        let after = users(&world.frame(), "america");
        let failed = (after.failed - before.failed) as f64 / (after.sent - before.sent) as f64;
        assert_eq!(failed > 0.2, drowns, "{count}: {failed}");
    }
}

/// Layout 13 with a tenth of its people, and machines to match.
fn small_13() -> blastradius::layout::Layout {
    let mut layout = shipped("13");
    for population in layout.users.values_mut() {
        population.count /= 10;
    }
    layout
}

/// How many writes the nodes across the ocean lack: the one that has most, and the one that has least.
fn behind(frame: &Frame) -> (u64, u64) {
    let database = service(frame, "eu-west/orders").database.as_ref().expect("a database");
    let far = database.nodes.iter().filter(|node| node.name.starts_with("eu-west"));
    let far: Vec<u64> = far.map(|node| node.behind).collect();
    (*far.iter().min().expect("nodes"), *far.iter().max().expect("nodes"))
}

#[test]
fn what_is_lost_with_a_site_is_what_had_not_crossed_the_ocean() {
    let (mut lost, mut waiting) = (0, 0);
    for seed in 1..=8 {
        let world = &mut World::build(&small_13(), seed);
        advance_to(world, 20.0);
        let (least, most) = behind(&world.frame());
        act(world, "destroy us-east");
        // What was on its way to a client is promised when it arrives; a write that no client had heard of is no promise.
        advance_to(world, 21.0);
        let at_once = world.frame().lost_writes;
        assert!(at_once <= least, "seed {seed}: {at_once} of {least}");
        // The node that takes over may have a little less than the other one, which follows it.
        advance_to(world, 40.0);
        let after = world.frame().lost_writes;
        assert!((at_once..=most).contains(&after), "seed {seed}: {after} of {most}");
        lost += after;
        waiting += most;
    }
    // 130 writes a second, 40 ms of ocean, and the flush on the other side.
    assert!((25..=80).contains(&lost), "{lost} lost, {waiting} behind");
    assert!(lost * 10 >= waiting * 6, "{lost} lost, {waiting} behind");
}
