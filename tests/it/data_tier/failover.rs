//! A primary dies: what is lost, how long writes fail, who takes over.

use blastradius::observe::NodeRole;

use super::{act, advance_to, database, ok_between, primary, refusal, replicated, story};

/// Mean and standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

fn seeds(default: u64) -> u64 {
    let given = std::env::var("BLASTRADIUS_SEEDS").ok();
    given.and_then(|seeds| seeds.parse().ok()).unwrap_or(default)
}

#[test]
fn asynchronous_failover_loses_the_write_rate_times_the_lag() {
    // The replica asks every 200 ms and a little: whatever was written since it asked last dies with the primary's disk.
    let settings = r#"mode: Asynchronous, failover: Automatic(after: "3s")"#;
    let layout = replicated(settings, 2);
    let (mut lost, mut lagged) = (Vec::new(), Vec::new());
    for seed in 0..seeds(24) {
        let at = 15.0 + 0.173 * seed as f64 % 1.0;
        let mut world = story(&layout, seed, &[(5.0, "delay db/2 -> db/1 200ms")], at);
        let frame = world.frame();
        let replica = database(&frame, "db").nodes[1].clone();
        lagged.push(replica.lag.as_secs_f64());
        act(&mut world, "destroy db/1");
        advance_to(&mut world, 30.0);
        let frame = world.frame();
        assert_eq!(primary(&frame, "db").as_deref(), Some("db/2"), "seed {seed}");
        lost.push(database(&frame, "db").promises.lost as f64);
        assert_eq!(frame.lost_writes, database(&frame, "db").promises.lost, "seed {seed}");
    }
    let rate = 400.0;
    let ((lost, error), (lag, _)) = (mean(&lost), mean(&lagged));
    println!(
        "asynchronous: {lost:.1} ± {error:.1} writes lost, {rate}/s x {lag:.4} s = {:.1}",
        rate * lag
    );
    assert!(lost > 10.0, "{lost}");
    assert!(
        (lost - rate * lag).abs() < 3.0 * error + 3.0,
        "{lost} ± {error} for {}",
        rate * lag
    );
}

#[test]
fn synchronous_loses_nothing_and_costs_a_round_trip() {
    let mut latencies = Vec::new();
    for mode in ["Asynchronous", "SemiSynchronous", "Synchronous", "Quorum"] {
        let settings = format!(r#"mode: {mode}, failover: Automatic(after: "3s")"#);
        let mut world = story(&replicated(&settings, 3), 7, &[(5.0, "delay db/1 -> db/3 20ms")], 15.0);
        latencies.push((mode, world.frame().recent_latency.mean.as_secs_f64() * 1e3));
        act(&mut world, "destroy db/1");
        advance_to(&mut world, 40.0);
        let promises = database(&world.frame(), "db").promises;
        if mode != "Asynchronous" {
            assert_eq!(promises.lost, 0, "{mode}: {promises:?}");
        }
        // Synchronous waits for the dead one until somebody mends it.
        let serves = primary(&world.frame(), "db").is_some() && world.frame().recent.failed == 0;
        assert_eq!(serves, mode != "Synchronous", "{mode}");
    }
    println!("mean latency of a write in ms: {latencies:.2?}");
    let of = |mode: &str| latencies.iter().find(|(name, _)| *name == mode).expect("a mode").1;
    assert!(
        of("SemiSynchronous") > of("Asynchronous") + 0.4,
        "a round trip of 0.5 ms"
    );
    assert!(
        of("SemiSynchronous") < of("Asynchronous") + 5.0,
        "the nearer one suffices"
    );
    assert!(of("Quorum") < of("Asynchronous") + 5.0, "the nearer one suffices");
    assert!(of("Synchronous") > of("Asynchronous") + 20.0, "the slowest one decides");
}

#[test]
fn a_quorum_takes_writes_while_a_majority_lives_and_refuses_them_when_not() {
    let settings = r#"mode: Quorum, failover: Automatic(after: "3s")"#;
    let mut world = story(&replicated(settings, 3), 3, &[(10.0, "destroy db/1")], 20.0);
    let before = world.frame();
    advance_to(&mut world, 30.0);
    let two = world.frame();
    assert!(ok_between(&before, &two) > 0.999, "two of three are a majority");
    assert_eq!(database(&two, "db").promises.lost, 0);
    let next = primary(&two, "db").expect("a primary");
    let other = if next == "db/2" { "db/3" } else { "db/2" };
    act(&mut world, &format!("kill {other}"));
    advance_to(&mut world, 40.0);
    let before = world.frame();
    advance_to(&mut world, 50.0);
    assert!(ok_between(&before, &world.frame()) < 0.001, "one of three is none");
    act(&mut world, "mend all");
    advance_to(&mut world, 90.0);
    let frame = world.frame();
    assert_eq!(frame.recent.failed, 0);
    assert_eq!(
        (
            database(&frame, "db").promises.lost,
            database(&frame, "db").promises.missing
        ),
        (0, 0)
    );
    assert!(database(&frame, "db").nodes.iter().all(|node| node.role.is_some()));
}

#[test]
fn writes_fail_until_the_lease_has_run_out_and_no_longer() {
    let settings = r#"failover: Automatic(after: "6s")"#;
    for seed in 0..8 {
        let world = story(&replicated(settings, 3), seed, &[(10.0, "kill db/1")], 40.0);
        let frame = world.frame();
        let incident = &frame.incidents[0];
        let noticed = incident.noticed.clone().expect("the monitors notice");
        let promoted = frame
            .log
            .iter()
            .find(|line| line.text.contains("became primary"))
            .expect("a promotion");
        let after = promoted.at.elapsed().as_secs_f64() - 10.0;
        assert!((4.0..10.0).contains(&after), "seed {seed}: {after} s");
        assert!(noticed.at <= promoted.at, "seed {seed}: {noticed:?}");
        assert!(incident.served.is_some(), "seed {seed}: {incident:?}");
    }
}

#[test]
fn what_only_the_old_primary_had_is_missing_until_it_is_back_and_recovered() {
    let settings = r#"failover: Automatic(after: "3s"), recovery: Manual"#;
    let acts = [
        (5.0, "delay db/2 -> db/1 500ms"),
        (5.0, "delay db/3 -> db/1 500ms"),
        (10.0, "kill db/1"),
    ];
    let mut world = story(&replicated(settings, 3), 5, &acts, 20.0);
    let missing = database(&world.frame(), "db").promises.missing;
    assert!(missing > 20, "{missing}");
    assert!(refusal(&mut world, "recover db/1").contains("put no writes aside"));
    act(&mut world, "mend db/1");
    advance_to(&mut world, 50.0);
    let promises = database(&world.frame(), "db").promises;
    let node = database(&world.frame(), "db").nodes[0].clone();
    assert!(promises.missing > 0, "nobody has said recover: {promises:?}");
    assert!(node.aside >= promises.missing, "{node:?} {promises:?}");
    assert_eq!(node.role, Some(NodeRole::Replica));
    act(&mut world, "recover db/1");
    advance_to(&mut world, 60.0);
    let promises = database(&world.frame(), "db").promises;
    assert_eq!((promises.missing, promises.lost), (0, 0), "{promises:?}");
    assert!(promises.replayed >= missing * 9 / 10, "{promises:?} of {missing}");
    assert!(database(&world.frame(), "db").nodes.iter().all(|node| node.aside == 0));
}

#[test]
fn with_fencing_there_is_never_a_second_primary_and_without_it_there_is() {
    for fencing in [true, false] {
        let settings = format!(r#"failover: Automatic(after: "3s", monitors: 3, fencing: {fencing})"#);
        let cuts = [
            (10.0, "cut db/1 <-> db/2"),
            (10.0, "cut db/1 <-> db/3"),
            (10.0, "cut db/1 <-> db-monitor"),
        ];
        let mut world = story(&replicated(&settings, 3), 4, &cuts, 10.0);
        let mut most = 0;
        for _ in 0..200 {
            world.advance(std::time::Duration::from_millis(100));
            let nodes = database(&world.frame(), "db").nodes;
            let primaries = nodes.iter().filter(|node| node.role == Some(NodeRole::Primary)).count();
            most = most.max(primaries);
        }
        assert_eq!(most, if fencing { 1 } else { 2 });
        assert!(primary(&world.frame(), "db").is_some());
        act(&mut world, "mend all");
        advance_to(&mut world, 60.0);
        let state = database(&world.frame(), "db");
        assert_eq!(
            (state.promises.missing, state.promises.lost),
            (0, 0),
            "{:?}",
            state.promises
        );
        let primaries = state.nodes.iter().filter(|node| node.role == Some(NodeRole::Primary));
        assert_eq!(primaries.count(), 1);
    }
}

#[test]
fn promotion_by_hand_loses_nothing() {
    let mut world = story(&replicated("failover: Manual", 3), 6, &[(10.0, "promote db/3")], 20.0);
    let frame = world.frame();
    assert_eq!(primary(&frame, "db").as_deref(), Some("db/3"));
    let promises = database(&frame, "db").promises;
    assert_eq!((promises.missing, promises.lost), (0, 0), "{promises:?}");
    assert_eq!(frame.recent.failed, 0);
    assert!(refusal(&mut world, "promote db/3").contains("primary already"));
    act(&mut world, "kill db/3");
    advance_to(&mut world, 30.0);
    assert!(world.frame().recent.ok_ratio() < 0.1, "nobody promotes by itself");
    act(&mut world, "promote db/1");
    advance_to(&mut world, 45.0);
    assert!(world.frame().recent.ok_ratio() > 0.999);
}

#[test]
fn reads_move_to_the_other_replica_and_then_to_the_primary() {
    let layout = crate::build::layout(
        r#"Layout(title: "reads",
            users: { "people": (count: 4_000, every: "10s", asks: (page: 90, update: 10)) },
            services: {
                "web": Web(machines: 2, size: "l", database: "db"),
                "db": Database(machines: 3, replication: PrimaryReplicas()),
            })"#,
    );
    let reads = |world: &blastradius::world::World| -> Vec<f64> {
        let frame = world.frame();
        let instances = &super::service(&frame, "db").instances;
        instances.iter().map(|instance| instance.rate).collect()
    };
    // The primary takes 40 writes a second, and the two replicas ask it what is new after each of them.
    let mut world = story(&layout, 2, &[], 10.0);
    let rates = reads(&world);
    assert!(rates[0] < 130.0 && rates[1] > 120.0 && rates[2] > 120.0, "{rates:?}");
    act(&mut world, "kill db/2");
    advance_to(&mut world, 20.0);
    let rates = reads(&world);
    assert!(rates[2] > 300.0 && rates[0] < 130.0, "{rates:?}");
    act(&mut world, "kill db/3");
    advance_to(&mut world, 30.0);
    let rates = reads(&world);
    assert!(rates[0] > 300.0, "{rates:?}");
    assert!(world.frame().recent.ok_ratio() > 0.99);
    act(&mut world, "mend all");
    advance_to(&mut world, 90.0);
    let rates = reads(&world);
    assert!(rates[0] < 130.0 && rates[1] > 120.0 && rates[2] > 120.0, "{rates:?}");
}

#[test]
fn a_new_replica_copies_all_rows_and_then_takes_part() {
    let mut world = story(&replicated("", 2), 8, &[(20.0, "replicate db")], 25.0);
    let node = |world: &blastradius::world::World| database(&world.frame(), "db").nodes[2].clone();
    assert!(!node(&world).voter, "it boots");
    advance_to(&mut world, 90.0);
    let added = node(&world);
    assert!(added.voter && added.agrees || added.behind < 20, "{added:?}");
    assert_eq!(world.frame().recent.failed, 0);
}

#[test]
fn who_is_mended_after_all_were_dead_serves_again() {
    let settings = r#"failover: Automatic(after: "3s"), replace: "20s""#;
    let mut world = story(
        &replicated(settings, 3),
        9,
        &[(10.0, "kill db"), (60.0, "mend all")],
        100.0,
    );
    let state = database(&world.frame(), "db");
    assert_eq!(state.nodes.len(), 3, "nobody is there to be copied: {:?}", state.nodes);
    advance_to(&mut world, 110.0);
    assert_eq!(world.frame().recent.failed, 0);
    assert_eq!(
        (state.promises.missing, state.promises.lost),
        (0, 0),
        "{:?}",
        state.promises
    );
}

#[test]
fn a_dead_node_is_replaced_by_a_new_one() {
    let settings = r#"failover: Automatic(after: "3s"), replace: "20s""#;
    let mut world = story(&replicated(settings, 3), 9, &[(10.0, "destroy db/1")], 32.0);
    let names = |world: &blastradius::world::World| -> Vec<String> {
        database(&world.frame(), "db")
            .nodes
            .iter()
            .map(|node| node.name.clone())
            .collect()
    };
    assert_eq!(names(&world).len(), 4, "{:?}", names(&world));
    advance_to(&mut world, 110.0);
    let state = database(&world.frame(), "db");
    let new = state.nodes.iter().find(|node| node.name == "db/4").expect("db/4");
    assert!(new.voter, "{new:?}");
    assert_eq!(world.frame().recent.failed, 0);
}
