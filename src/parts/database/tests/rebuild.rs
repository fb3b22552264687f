//! Nodes that get all rows from another.

use super::*;

fn rebuilt(bench: &Bench) -> Vec<(f64, InstanceId, bool)> {
    bench.told(|event| match event {
        Event::Rebuilt { done, .. } => Some(*done),
        _ => None,
    })
}

/// Updates, and meanwhile deletes and creates.
fn busy(bench: &mut Bench, writes: u64) {
    for number in 0..writes {
        let operation = [Operation::Update, Operation::Delete, Operation::Create][(number % 3) as usize];
        bench.ask(0, operation, number * 7 % 1_300);
        bench.run(millis(4));
    }
}

#[test]
fn an_empty_node_is_rebuilt_while_writes_go_on() {
    let mut spec = settings(Some(mode(Mode::Asynchronous)));
    spec.copy_rate = 500.0;
    let mut bench = Bench::new(spec, 3, 1);
    busy(&mut bench, 300);
    bench.replace(2);
    let began = bench.kernel.now();
    busy(&mut bench, 100);
    assert_eq!(bench.role(2), NodeRole::Rebuilding);
    let (rows, all) = bench.probes[2].rebuilt.get();
    assert!(rows > 50 && rows < all && all < 3_000, "{rows} of {all}");
    assert_eq!(bench.ask_node(2, Operation::Read, 1), Err(Reason::NotPrimary));
    busy(&mut bench, 300);
    bench.run(millis(1_000));
    assert_eq!(bench.role(2), NodeRole::Replica);
    bench.agreement();
    let told = rebuilt(&bench);
    assert!(matches!(told[..], [(_, _, false), (_, _, true)]), "{told:?}");
    // Some 1,000 rows at 500 a second.
    let took = told[1].0 - began.seconds();
    assert!(took > 1.8 && took < 3.5, "{took} s");
    assert_eq!(bench.probes[2].rebuilt.get(), (0, 0));
}

#[test]
fn who_is_too_far_behind_is_rebuilt() {
    let mut spec = settings(Some(mode(Mode::Asynchronous)));
    spec.log = 50;
    let mut bench = Bench::new(spec, 3, 1);
    busy(&mut bench, 50);
    bench.crash(1);
    busy(&mut bench, 40);
    bench.start(1);
    bench.run(millis(1_000));
    bench.agreement();
    assert!(rebuilt(&bench).is_empty());
    bench.crash(1);
    busy(&mut bench, 200);
    bench.start(1);
    bench.run(millis(2_000));
    bench.agreement();
    assert_eq!(rebuilt(&bench).len(), 2);
    assert!(bench.promotions().is_empty());
}

#[test]
fn a_new_replica_is_added_live() {
    let mut bench = Bench::new(settings(Some(mode(Mode::Quorum))), 3, 1);
    busy(&mut bench, 100);
    let node = bench.add_node(32, 1_000, false);
    bench.start(node);
    busy(&mut bench, 300);
    bench.run(millis(1_000));
    assert_eq!((node, bench.role(node)), (3, NodeRole::Replica));
    assert!(bench.disk(node).is_whole());
    bench.agreement();
    // It has no say yet: without two of the first three there is no quorum.
    (1..=2).for_each(|node| bench.crash(node));
    bench.run(millis(2_500));
    assert_eq!(bench.ask_node(0, Operation::Update, 1), Err(Reason::NoQuorum));
}

#[test]
fn a_copy_whose_source_dies_is_begun_again_from_the_next_primary() {
    let mut spec = settings(Some(mode(Mode::Asynchronous)));
    spec.copy_rate = 300.0;
    let mut bench = Bench::new(spec, 3, 1);
    busy(&mut bench, 100);
    bench.replace(2);
    bench.run(millis(1_500));
    assert_eq!(bench.role(2), NodeRole::Rebuilding);
    bench.crash(0);
    bench.run(AFTER * 2);
    assert_eq!(bench.primaries(), [1], "the empty one has no say");
    bench.start(0);
    bench.run(AFTER);
    bench.agreement();
    assert_eq!(rebuilt(&bench).last().map(|told| told.2), Some(true));
}

#[test]
fn an_empty_node_is_not_promoted_while_another_has_the_rows_and_is_by_hand_when_nobody_has() {
    let mut bench = Bench::new(settings(Some(by_hand(Mode::Asynchronous))), 2, 1);
    busy(&mut bench, 30);
    bench.crash(0);
    bench.replace(1);
    bench.run(AFTER);
    assert_eq!(bench.role(1), NodeRole::Candidate);
    bench.replace(0);
    bench.run(AFTER);
    assert!(bench.primaries().is_empty());
    bench.order(1, Order::Promote);
    bench.run(AFTER);
    assert_eq!(bench.primaries(), [1]);
    assert_eq!(bench.agreement().2, 0);
}

#[test]
fn rows_of_the_start_are_those_of_the_own_shard() {
    let spec = settings(Some(mode(Mode::Asynchronous)));
    let map = ShardMap::new(Some(layout::ShardBy::Modulo), 4, 1_000);
    let mut bench = Bench::of_a_shard(spec, 2, 1, (map.clone(), 4));
    let rows = (0..1_000).filter(|key| map.shard(*key) == 0).count() as u64;
    assert!(rows > 200 && rows < 300);
    assert_eq!(bench.agreement().2, rows);
    bench.replace(1);
    bench.run(millis(2_000));
    assert_eq!(bench.agreement().2, rows);
    // Of a row of another shard it says so.
    for key in 0..20 {
        let read = bench.ask_node(0, Operation::Read, key);
        let is_here = matches!(read, Ok(Status::Read { .. }));
        assert_eq!(is_here, map.shard(key) == 0, "{read:?}");
    }
}
