//! Failover: by monitors and by hand, with fencing and without, and what becomes of the writes that only the former primary has.

use super::*;

/// Writes one row after another until the time is over.
fn write_until(bench: &mut Bench, until: f64, every: u64) {
    let mut key = bench.kernel.now().0 / 1_000_000;
    while bench.kernel.now() < seconds(until) {
        bench.update(key % 1_000);
        key += 1;
        bench.run(millis(every));
    }
}

#[test]
fn the_most_advanced_replica_is_promoted_in_time() {
    for seed in 0..20 {
        let mut bench = Bench::new(settings(Some(mode(Mode::Asynchronous))), 3, seed);
        // Node 1 is behind, so it must be node 2, though its number is higher.
        let at = 5.0 + seed as f64 / 10.0;
        write_until(&mut bench, at - 0.5, 5);
        bench.cut(&[bench.nodes[0]], &[bench.nodes[1]]);
        write_until(&mut bench, at, 5);
        bench.crash(0);
        bench.heal();
        let crashed = bench.kernel.now().seconds();
        let last = bench.disk(2).position();
        assert!(last.index > bench.disk(1).position().index);
        bench.run(AFTER * 2);
        let promotions = bench.promotions();
        let [(at, by, term)] = promotions[..] else {
            panic!("{promotions:?}")
        };
        assert_eq!((by, term.number()), (bench.nodes[2], 2));
        // The lease runs out two or three thirds of `after` later; then wishes are collected for a sixth, asked every sixth.
        let took = at - crashed;
        assert!(took > 4.0 + 1.0 - 0.1 && took < 6.0 + 2.0 + 0.2, "{took} s");
        assert_eq!(bench.primaries(), [2]);
        assert_eq!(bench.probes[1].source.get(), Some(bench.nodes[2]));
        bench.start(0);
        bench.run(AFTER);
        let (position, ..) = bench.agreement();
        assert!(position.index >= last.index);
    }
}

#[test]
fn a_primary_that_is_cut_off_stops_before_the_new_one_begins() {
    let mut bench = Bench::new(settings(Some(mode(Mode::Asynchronous))), 3, 1);
    bench.run(millis(1_000));
    bench.isolate(0);
    let mut fenced = None;
    while bench.promotions().is_empty() {
        bench.run(millis(1));
        assert!(bench.primaries().len() < 2);
        if bench.role(0) == NodeRole::Fenced && fenced.is_none() {
            fenced = Some(bench.kernel.now());
        }
    }
    let told = bench.told(|event| matches!(event, Event::Fenced { on: true }).then_some(()));
    assert_eq!((told.len(), told[0].1), (1, bench.nodes[0]));
    assert!(told[0].0 < bench.promotions()[0].0);
    assert_eq!(bench.ask_node(0, Operation::Update, 1), Err(Reason::NotPrimary));
    assert!(written(&bench.ask_node(1, Operation::Update, 1)).is_some());
    bench.heal();
    bench.run(AFTER);
    assert_eq!((bench.role(0), bench.primaries()), (NodeRole::Replica, vec![1]));
    bench.agreement();
}

#[test]
fn a_lease_comes_back_when_the_monitors_do() {
    let mut bench = Bench::new(settings(Some(mode(Mode::Asynchronous))), 3, 1);
    bench.run(millis(1_000));
    for monitor in bench.monitors.clone() {
        bench.kernel.crash(monitor);
    }
    bench.run(AFTER * 2);
    assert_eq!(bench.role(0), NodeRole::Fenced);
    for monitor in bench.monitors.clone() {
        bench.kernel.start(monitor, millis(10));
    }
    bench.run(AFTER);
    assert_eq!((bench.primaries(), bench.promotions().len()), (vec![0], 0));
    let told = bench.told(|event| match event {
        Event::Fenced { on } => Some(*on),
        _ => None,
    });
    let on: Vec<bool> = told.iter().map(|told| told.2).collect();
    assert_eq!(on, [true, false]);
}

/// Split brain: node 0 is cut off from the others and goes on. Both sides write; then they are joined.
fn split(recovery: bool) -> Bench {
    let mut replication = without_fencing();
    replication.recovery = recovery;
    let mut bench = Bench::new(settings(Some(replication)), 3, 1);
    bench.run(millis(1_000));
    bench.updates(0..20, 10);
    bench.isolate(0);
    bench.run(AFTER * 2);
    assert_eq!(bench.primaries().len(), 2);
    // Rows 0 to 9 are written on the old side only, 5 to 9 twice; 10 to 14 on both; 15 to 19 on the new side only.
    for key in (0..15).chain(5..10) {
        assert!(written(&bench.ask_node(0, Operation::Update, key)).is_some());
    }
    for key in 10..20 {
        assert!(written(&bench.ask_node(1, Operation::Update, key)).is_some());
    }
    bench.heal();
    bench.run(AFTER * 2);
    assert_eq!(bench.primaries(), [1]);
    let put_aside = bench.told(|event| match event {
        Event::PutAside { writes } => Some(*writes),
        _ => None,
    });
    assert_eq!(
        put_aside.iter().map(|told| (told.1, told.2)).collect::<Vec<_>>(),
        [(bench.nodes[0], 20)]
    );
    bench
}

fn assert_recovered(bench: &Bench) {
    let replayed = bench.told(|event| match event {
        Event::Replayed { key, new, .. } => Some((*key, *new)),
        _ => None,
    });
    let mut last: BTreeMap<u64, Stamp> = BTreeMap::new();
    for (_, by, (key, new)) in &replayed {
        assert_eq!(*by, bench.nodes[1]);
        assert!(*new > last.get(key).copied().unwrap_or_default());
        last.insert(*key, *new);
    }
    assert_eq!((replayed.len(), last.len()), (15, 10));
    let given_up = bench.told(|event| match event {
        Event::GivenUp { key, kept, .. } => Some((*key, *kept)),
        _ => None,
    });
    assert_eq!(
        given_up.iter().map(|told| told.2.0).collect::<Vec<_>>(),
        [10, 11, 12, 13, 14]
    );
    assert!(
        given_up
            .iter()
            .all(|(_, _, (key, kept))| bench.disk(0).stamp(*key) == *kept)
    );
    let compared = bench.told(|event| match event {
        Event::Compared { replayed, conflicting } => Some((*replayed, *conflicting)),
        _ => None,
    });
    assert!(matches!(compared[..], [(_, _, (15, 5))]), "{compared:?}");
    bench.agreement();
    assert!(last.iter().all(|(key, new)| bench.disk(2).stamp(*key) == *new));
    assert_eq!(bench.disk(0).aside(), 0);
}

#[test]
fn writes_that_only_the_former_primary_has_are_made_anew_unless_they_conflict() {
    assert_recovered(&split(true));
}

#[test]
fn without_recovery_they_are_kept_until_it_is_ordered() {
    let mut bench = split(false);
    assert_eq!(bench.disk(0).aside(), 20);
    let tail = bench.disk(0).next_aside(1)[0];
    assert!(bench.disk(0).has_aside(tail.1.key, tail.0));
    bench.agreement();
    bench.crash(0);
    bench.start(0);
    bench.run(AFTER);
    assert_eq!(bench.disk(0).aside(), 20, "a crash does not lose them");
    bench.order(0, Order::Recover);
    bench.run(millis(2_000));
    assert_recovered(&bench);
}

#[test]
fn asynchronous_failover_puts_aside_what_the_replicas_had_not_got() {
    let mut bench = Bench::new(settings(Some(mode(Mode::Asynchronous))), 3, 1);
    bench.run(millis(1_000));
    // The replicas hear of nothing for the last half second.
    let (primary, replicas) = ([bench.nodes[0]], [bench.nodes[1], bench.nodes[2]]);
    bench.cut(&primary, &replicas);
    write_until(&mut bench, 1.5, 10);
    bench.crash(0);
    bench.heal();
    let acknowledged: Vec<Ended> = bench.ended.take();
    assert!(acknowledged.len() > 45);
    bench.run(AFTER * 2);
    let missing = |bench: &Bench, node: usize| {
        let held = |ended: &&Ended| {
            bench
                .disk(node)
                .holds(ended.key, written(&ended.outcome).unwrap_or_default())
        };
        acknowledged.len() - acknowledged.iter().filter(held).count()
    };
    assert!(missing(&bench, 1) > 45);
    bench.start(0);
    bench.run(AFTER);
    assert_eq!(missing(&bench, 1), 0, "its tail was recovered");
    bench.agreement();
}

#[test]
fn promotion_by_hand_loses_nothing() {
    for replication in [
        by_hand(Mode::Asynchronous),
        mode(Mode::Asynchronous),
        by_hand(Mode::Quorum),
    ] {
        let mut bench = Bench::new(settings(Some(replication)), 3, 1);
        write_until(&mut bench, 2.0, 5);
        bench.order(2, Order::Promote);
        write_until(&mut bench, 8.0, 5);
        bench.run(millis(5_000));
        let promotions = bench.promotions();
        let [(at, by, term)] = promotions[..] else {
            panic!("{promotions:?}")
        };
        assert_eq!((by, term.number(), bench.primaries()), (bench.nodes[2], 2, vec![2]));
        assert!(at < 2.0 + 2.5, "{at}");
        let put_aside = bench.told(|event| matches!(event, Event::PutAside { .. }).then_some(()));
        assert!(put_aside.is_empty());
        let ended = bench.ended.take();
        let acknowledged = ended
            .iter()
            .filter_map(|ended| Some((ended.key, written(&ended.outcome)?)));
        assert!(acknowledged.clone().count() > 1_000);
        for (key, version) in acknowledged {
            assert!(bench.disk(0).holds(key, version));
        }
        bench.agreement();
    }
}

#[test]
fn by_hand_nobody_takes_over_and_who_was_primary_is_it_again() {
    let mut bench = Bench::new(settings(Some(by_hand(Mode::Asynchronous))), 3, 1);
    bench.updates(0..100, 5);
    bench.crash(0);
    bench.run(AFTER * 5);
    assert!(bench.promotions().is_empty() && bench.primaries().is_empty());
    bench.start(0);
    bench.run(millis(3_000));
    assert_eq!(bench.primaries(), [0]);
    assert_eq!(bench.probes[2].source.get(), Some(bench.nodes[0]));

    bench.crash(0);
    bench.run(millis(1_000));
    bench.order(1, Order::Promote);
    bench.run(millis(6_000));
    assert_eq!(bench.primaries(), [1]);
    bench.start(0);
    bench.run(millis(3_000));
    assert_eq!(bench.primaries(), [1], "it is contradicted");
    bench.agreement();
}

#[test]
fn a_monitor_on_a_new_disk_waits_until_all_that_it_does_not_know_of_has_run_out() {
    let mut bench = Bench::new(settings(Some(mode(Mode::Asynchronous))), 3, 1);
    bench.run(millis(1_000));
    // Two of three monitors forget everything just when the primary is cut off.
    bench.isolate(0);
    for monitor in [bench.monitors[1], bench.monitors[2]] {
        let machine = bench.kernel.machine_of(monitor);
        bench.kernel.destroy(machine);
        bench.kernel.replace(machine);
        bench.kernel.start(monitor, millis(10));
    }
    while bench.promotions().is_empty() {
        bench.run(millis(5));
        assert!(bench.primaries().len() < 2);
    }
    assert!(bench.kernel.now() > seconds(7.0));
}

#[test]
fn who_has_promised_itself_to_one_that_never_came_is_not_left_behind() {
    for replication in [by_hand(Mode::Asynchronous), mode(Mode::Asynchronous)] {
        let mut bench = Bench::new(settings(Some(replication)), 3, 1);
        bench.updates(0..10, 10);
        // As if node 1 had wanted to be primary, and had died when node 2 had promised.
        let term = Term::FIRST.above(1);
        bench.kernel.cast(bench.nodes[2], Request::Prepare { term });
        bench.run(AFTER * 2);
        let promotions = bench.promotions();
        let [(_, by, later)] = promotions[..] else {
            panic!("{promotions:?}")
        };
        assert_eq!((by, bench.primaries()), (bench.nodes[0], vec![0]));
        assert!(later > term);
        bench.updates(0..10, 10);
        bench.run(millis(100));
        assert_eq!(bench.agreement().0.index, 20);
    }
}
