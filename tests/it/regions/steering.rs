//! To which data center people are sent.

use std::time::Duration;

use blastradius::world::World;

use super::{quick, shares, two_sites, users};
use crate::story::{act, advance_to, refusal, service, story};

fn near(shares: &[f64], expected: [f64; 2]) -> bool {
    shares
        .iter()
        .zip(expected)
        .all(|(share, expected)| (share - expected).abs() < 0.12)
}

/// The share of requests that came to the data centers from one moment to another.
fn between(world: &mut World, from: f64, to: f64) -> Vec<f64> {
    let mut sums = [0.0; 2];
    let mut at = from;
    while at < to {
        at += 1.0;
        advance_to(world, at);
        for (sum, site) in sums.iter_mut().zip(&world.frame().sites) {
            *sum += site.rate;
        }
    }
    let all: f64 = sums.iter().sum();
    sums.iter().map(|sum| sum / all).collect()
}

#[test]
fn everybody_goes_to_the_nearer_data_center_by_where_their_resolver_stands() {
    let world = &mut World::build(&two_sites(&quick(5), "", ""), 1);
    let shares = between(world, 5.0, 40.0);
    assert!(near(&shares, [2.0 / 3.0, 1.0 / 3.0]), "{shares:?}");
    // Nobody crosses the ocean: 40 ms for the access both ways, and the work of the page.
    let p50 = world.frame().recent_latency.p50;
    assert!(p50 < Duration::from_millis(55), "{p50:?}");

    let misled = &mut World::build(&two_sites(&quick(5), "resolver: \"eu\"", ""), 1);
    let shares = between(misled, 5.0, 40.0);
    assert!(near(&shares, [0.0, 1.0]), "{shares:?}");
    // America goes round by Ireland: 80.55 ms more.
    let p50 = misled.frame().recent_latency.p50;
    assert!((110..140).contains(&p50.as_millis()), "{p50:?}");
}

#[test]
fn the_policy_decides_and_can_be_changed() {
    let world = &mut World::build(&two_sites(&quick(2), "", ""), 2);
    for (policy, expected) in [
        ("weighted:east=1,west=3", [0.25, 0.75]),
        ("failover:west,east", [0.0, 1.0]),
        ("failover:east", [1.0, 0.0]),
        ("round-robin", [0.5, 0.5]),
        ("geo", [2.0 / 3.0, 1.0 / 3.0]),
        ("weighted:west=1", [0.0, 1.0]),
    ] {
        act(world, &format!("set dns routing {policy}"));
        let now = world.now().elapsed().as_secs_f64();
        advance_to(world, now + 4.0);
        let shares = between(world, now + 4.0, now + 60.0);
        assert!(near(&shares, expected), "{policy}: {shares:?}");
    }
    assert_eq!(world.frame().total.failed, 0);
    for (policy, message) in [
        ("failover:north", "there is no data center north"),
        ("weighted:north=1", "there is no data center north"),
    ] {
        assert_eq!(refusal(world, &format!("set dns routing {policy}")), message);
    }
}

#[test]
fn measured_round_trips_follow_the_network_and_distances_do_not() {
    for (policy, expected) in [("latency", [0.0, 1.0]), ("geo", [2.0 / 3.0, 1.0 / 3.0])] {
        let world = &mut World::build(&two_sites(&quick(2), "", ""), 3);
        act(world, &format!("set dns routing {policy}"));
        let shares = between(world, 5.0, 40.0);
        assert!(near(&shares, [2.0 / 3.0, 1.0 / 3.0]), "{policy}: {shares:?}");
        // A bad route from America to the data center there, longer than the way to Ireland. The resolver sees it too.
        act(world, "delay america-resolver <-> east 100ms");
        advance_to(world, 160.0);
        let shares = between(world, 160.0, 200.0);
        assert!(near(&shares, expected), "{policy}: {shares:?}");
    }
}

#[test]
fn an_evacuation_moves_all_and_hurts_nobody() {
    for seed in 1..=5 {
        let world = &mut World::build(&two_sites(&quick(10), "", ""), seed);
        advance_to(world, 30.0);
        act(world, "evacuate east");
        assert_eq!(
            refusal(world, "evacuate east"),
            "east is evacuated already; `reopen east` takes it back"
        );
        assert_eq!(
            refusal(world, "evacuate west"),
            "west can't be evacuated: there is no other data center that users could be sent to"
        );
        advance_to(world, 41.5);
        assert!(shares(world)[0] <= 0.0, "seed {seed}");
        // Nobody is there: it can be stopped.
        act(world, "kill east");
        advance_to(world, 80.0);
        act(world, "mend east");
        advance_to(world, 120.0);
        // What is mended is evacuated all the same, until somebody says otherwise.
        assert!(world.frame().sites[0].evacuated);
        assert!(shares(world)[0] < 0.001, "seed {seed}");
        act(world, "reopen east");
        advance_to(world, 160.0);
        assert!(shares(world)[0] > 0.4, "seed {seed}: {:?}", shares(world));
        assert_eq!(world.frame().total.failed, 0, "seed {seed}");
    }
    let world = &mut World::build(&two_sites(&quick(10), "", ""), 1);
    assert_eq!(refusal(world, "reopen east"), "east is not evacuated");
    assert_eq!(refusal(world, "evacuate america"), "america is no data center");
    act(world, "evacuate east");
    act(world, "reopen east");
    assert!(!world.frame().sites[0].evacuated);
}

#[test]
fn a_cdn_asks_the_nearer_data_center_and_static_files_may_have_a_domain_of_their_own() {
    let cdn = r#"cdns: {"cdn": (edges: ["eu", "us"], pages: None)}, content: (static_domain: true),"#;
    let asks = "asks: (page: 50, asset: 50), browser: false";
    let world = story(&two_sites(&quick(5), asks, cdn), 1, &[], 60.0);
    let frame = world.frame();
    let edges = service(&frame, "cdn");
    let received: Vec<f64> = edges.instances.iter().map(|edge| edge.rate).collect();
    // Europe asks for no files; America's go to the edge there, its pages to the data center.
    assert!(received[0] < 1.0 && received[1] > 10.0, "{received:?}");
    assert!(frame.sites[0].share > 0.5, "{:?}", frame.sites);
    assert_eq!(users(&frame, "america").failed + users(&frame, "europe").failed, 0);

    // With all of it behind the CDN, each edge asks the data center on its side of the ocean.
    let whole = r#"cdns: {"cdn": (edges: ["eu", "us"], pages: None)},"#;
    let world = &mut World::build(&two_sites(&quick(5), "", whole), 1);
    let shares = between(world, 5.0, 60.0);
    assert!(near(&shares, [2.0 / 3.0, 1.0 / 3.0]), "{shares:?}");
    act(world, "evacuate east");
    advance_to(world, 62.0);
    let shares = between(world, 62.0, 90.0);
    assert!(near(&shares, [0.0, 1.0]), "{shares:?}");
    assert_eq!(world.frame().total.failed, 0);
}

#[test]
fn a_time_between_data_centers_that_is_given_wins_over_the_way_between_their_regions() {
    let trip = |network: &str| {
        let layout = two_sites("", "", &format!("network: ({network})"));
        let world = World::build(&layout, 1);
        world.frame().topology.sites[0].round_trips[1]
    };
    let by_region = trip("");
    assert!(by_region > Duration::from_millis(80), "{by_region:?}");
    assert_eq!(trip("between: \"5ms\""), Duration::from_millis(10));
    // What is said of these two regions is said of them alone.
    let both = trip("between: \"5ms\", round_trips: {\"us <-> eu\": \"90ms\"}");
    assert_eq!(both, trip("round_trips: {\"us <-> eu\": \"90ms\"}"));
    assert!(both >= Duration::from_millis(90), "{both:?}");
    // Two data centers of one region, too; people and DNS are where they were.
    let layout = |between: &str| {
        crate::build::layout(&format!(
            r#"(title: "one region", regions: {{"us": (lat: 39.0, lon: -77.5)}}, network: ({between}),
                users: {{"people": (region: "us", count: 100)}},
                data_centers: {{"a": (services: {{"web": Web()}}), "b": (services: {{"web": Web()}})}})"#
        ))
    };
    let world = story(&layout("between: \"5ms\""), 1, &[], 30.0);
    let frame = world.frame();
    assert_eq!(frame.topology.sites[0].round_trips[1], Duration::from_millis(10));
    let without = story(&layout(""), 1, &[], 30.0).frame();
    assert_eq!(frame.recent_latency.p50, without.recent_latency.p50);
}
