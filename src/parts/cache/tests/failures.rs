//! Nodes that fail: what a dead one costs, copies, keys that go elsewhere, crashes.

use super::*;

/// Times at which a node was left alone, and at which it was used again.
fn told(bench: &Bench) -> (Vec<u64>, Vec<u64>) {
    let times = |wanted: fn(&Event) -> bool| -> Vec<u64> {
        let events = bench.events.iter().filter(|(_, _, event)| wanted(event));
        events.map(|(at, _, _)| *at).collect()
    };
    (
        times(|event| matches!(event, Event::NodeAvoided { primary: false, .. })),
        times(|event| matches!(event, Event::NodeUsed { .. })),
    )
}

#[test]
fn a_node_that_is_cut_off_costs_a_timeout_only_now_and_then() {
    let mut bench = Bench::new("");
    bench.answer(Ask::Page, 7);
    let (front, node) = (bench.fronts[0], bench.nodes[0]);
    bench.cut(front, node);
    let mut slow = Vec::new();
    for _ in 0..200 {
        let now = millis(bench.kernel.now());
        bench.read(0, 7);
        bench.until(now + 50);
        if bench.ended.borrow().is_empty() {
            slow.push(now - 1_000);
        }
        bench.until(now + 200);
        let ended = bench.only();
        assert!(ended.copy.is_none() && ended.outcome.is_ok());
    }
    // It is tried again when it has rested for 1, 2, 4, 8 and 16 s, each time by one request that waits for the timeout of 0.1 s.
    assert_eq!(slow.len(), 6, "{slow:?}");
    bench.kernel.network().rules.clear();
    bench.until(120_000);
    bench.answer(Ask::Page, 7);
    assert_eq!(bench.answer(Ask::Page, 7).copy, Some(Layer::Cache));
    let (avoided, used) = told(&bench);
    assert_eq!((avoided.len(), used.len()), (1, 1));
}

#[test]
fn the_next_copy_answers_when_the_first_node_is_dead() {
    let mut bench = Bench::new("machines: 3, copies: 2");
    let keys: Vec<u64> = (0..60).collect();
    bench.read_all(&keys);
    bench.until(100);
    bench.ended();
    let held: Vec<u64> = bench.probes.iter().map(|probe| probe.entries.get()).collect();
    assert_eq!(held.iter().sum::<u64>(), 120, "{held:?}");
    bench.kernel.crash(bench.nodes[0]);
    bench.read_all(&keys);
    bench.until(300);
    let ended = bench.ended();
    assert_eq!(ended.len(), 60);
    assert!(ended.iter().all(|ended| ended.copy == Some(Layer::Cache)));
}

#[test]
fn keys_of_a_dead_node_miss_or_go_to_the_next_one() {
    for (settings, found) in [("machines: 3", false), ("machines: 3, rehash: true", true)] {
        let mut bench = Bench::new(settings);
        let keys: Vec<u64> = (0..60).collect();
        bench.read_all(&keys);
        bench.until(100);
        bench.ended();
        let dead = bench.nodes[0];
        bench.kernel.crash(dead);
        let owned = keys
            .iter()
            .filter(|key| bench.tier.owners(**key, |_| false).get(0) == Some(dead))
            .count();
        assert!((5..=40).contains(&owned), "{owned}");
        let hits = |bench: &mut Bench, at: u64| {
            bench.read_all(&keys);
            bench.until(at);
            let ended = bench.ended();
            assert!(ended.iter().all(|ended| ended.outcome.is_ok()));
            ended.iter().filter(|ended| ended.copy.is_some()).count()
        };
        assert_eq!(hits(&mut bench, 200), 60 - owned, "{settings}");
        assert_eq!(hits(&mut bench, 300), if found { 60 } else { 60 - owned }, "{settings}");
    }
}

#[test]
fn a_node_is_cold_after_a_crash_unless_it_is_durable() {
    for (settings, copy) in [("durable: false", None), ("durable: true", Some(Layer::Cache))] {
        let mut bench = Bench::new(settings);
        bench.answer(Ask::Page, 7);
        let node = bench.nodes[0];
        bench.kernel.crash(node);
        bench.until(1_500);
        bench.kernel.start(node, Duration::from_millis(500));
        bench.until(3_000);
        assert_eq!(bench.probes[0].entries.get(), u64::from(copy.is_some()));
        assert_eq!(bench.answer(Ask::Page, 7).copy, copy, "{settings}");
    }
}

#[test]
fn a_node_whose_line_is_full_is_a_miss_and_not_dead() {
    let mut bench = Bench::new("slots: 1, backlog: 0");
    bench.answer(Ask::Page, 7);
    // The only slot is held by a load through the node.
    bench.retune(|spec| spec.strategy = layout::Strategy::ReadThrough);
    bench.shelf.once.set(Some(Duration::from_millis(80)));
    bench.read(0, 8);
    bench.until(1_030);
    bench.retune(|spec| spec.strategy = layout::Strategy::Aside);
    bench.read(1, 7);
    bench.until(1_060);
    assert_eq!(bench.only().copy, None);
    bench.until(2_000);
    bench.ended();
    assert_eq!(bench.answer(Ask::Page, 7).copy, Some(Layer::Cache));
    assert_eq!(told(&bench), (vec![], vec![]));
}

#[test]
fn when_a_node_that_loads_through_is_dead_its_users_ask_the_database() {
    let mut bench = Bench::new("strategy: WriteThrough");
    let node = bench.nodes[0];
    bench.kernel.crash(node);
    let read = bench.answer(Ask::Page, 7);
    assert!(read.outcome.is_ok() && read.copy.is_none());
    assert!(version(&bench.answer(Ask::Update, 7)).is_some());
    assert_eq!(bench.queries(), [(Operation::Read, 7), (Operation::Update, 7)]);
    // After a call that broke off nobody knows whether a write was done: it is not done again.
    bench.kernel.start(node, Duration::ZERO);
    bench.until(40_000);
    bench.answer(Ask::Page, 9);
    bench.answer(Ask::Page, 9);
    bench.queries();
    bench.shelf.once.set(Some(Duration::from_millis(500)));
    bench.write(0, Ask::Update, 7);
    bench.until(42_100);
    bench.kernel.crash(node);
    bench.until(43_000);
    assert_eq!(bench.only().outcome, Err(Reason::Reset));
    assert_eq!(bench.queries(), [(Operation::Update, 7)]);
}
