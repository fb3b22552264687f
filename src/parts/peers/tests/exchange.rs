//! How changes get from node to node, and what happens when one is missing.

use super::*;

fn passed_over(bench: &Bench) -> Vec<(usize, usize, bool)> {
    let number = |id: InstanceId| bench.nodes.iter().position(|node| *node == id).expect("a node");
    let events = bench.events.iter().filter_map(|(_, by, event)| match event {
        Event::PassedOver { node, on } => Some((number(*by), number(*node), *on)),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_ring_delivers_every_change_once_after_the_sum_of_the_hops() {
    let mut bench = bench(4, 1, database(ring(Some(10))));
    bench.update(2, 3);
    // 1 ms from the client, 0.2 ms of work, a flush of 0.1 ms; then for each hop 1 ms, a flush, and 0.1 ms of work.
    let written = at(100) + Duration::from_micros(1_300);
    let hop = Duration::from_micros(1_200);
    for (hops, node) in [2, 3, 0, 1].into_iter().enumerate() {
        let arrives = written + hop * hops as u32;
        bench.kernel.advance_to(arrives);
        assert_eq!(bench.disk(node).position(), 0, "node {node}");
        bench.kernel.advance_to(SimTime(arrives.0 + 1));
        assert_eq!(bench.disk(node).position(), 1, "node {node}");
    }
    for round in 0..200 {
        (0..4).for_each(|node| bench.update(node, (round * 7 + node as u64) % ROWS));
        bench.pass(3);
    }
    bench.pass(30_000);
    assert!(bench.agree());
    for node in 0..4 {
        let disk = bench.disk(node);
        assert_eq!(disk.seen(), [200, 200, 201, 200]);
        assert_eq!((disk.position(), disk.log().borrow().end()), (801, 801));
        assert_eq!(bench.probes[node].duplicates.get(), 0);
        assert_eq!(bench.probes[node].source.get(), Some(bench.nodes[(node + 3) % 4]));
    }
}

#[test]
fn several_primaries_deliver_every_change_once() {
    let mut bench = bench(3, 1, database(several(Rule::HybridClocks)));
    for round in 0..200 {
        (0..3).for_each(|node| bench.update(node, (round * 7 + node as u64) % ROWS));
        bench.pass(3);
    }
    bench.pass(30_000);
    assert!(bench.agree());
    for node in 0..3 {
        let disk = bench.disk(node);
        assert_eq!((disk.seen(), disk.log().borrow().end()), (vec![200; 3], 600));
        assert_eq!(bench.probes[node].duplicates.get(), 0);
    }
}

#[test]
fn behind_a_dead_node_a_ring_is_stale_until_it_is_passed_over() {
    let mut bench = bench(4, 1, database(ring(None)));
    bench.kernel.crash(bench.nodes[1]);
    let stamp = bench.written(0, 3);
    bench.pass(60_000);
    assert!(bench.disk(2).stamp(3) < stamp && bench.disk(3).stamp(3) < stamp);
    // What the nodes behind it write still reaches all that live.
    let other = bench.written(2, 4);
    bench.pass(100);
    assert_eq!((bench.disk(3).stamp(4), bench.disk(0).stamp(4)), (other, other));
    assert_eq!(bench.disk(3).written_after(2, 0), Some(other.at()));
    assert_eq!(bench.disk(3).written_after(2, 1), None);
    let node = bench.nodes[1];
    bench.order(2, Order::PassOver { node, on: true });
    bench.pass(5_000);
    assert_eq!((bench.disk(2).stamp(3), bench.disk(3).stamp(3)), (stamp, stamp));
    assert_eq!(passed_over(&bench), [(2, 1, true)]);
    // By hand on, by hand off.
    bench.start(1);
    bench.pass(30_000);
    assert_eq!(bench.probes[2].source.get(), Some(bench.nodes[0]));
    bench.order(2, Order::PassOver { node, on: false });
    bench.pass(5_000);
    assert_eq!(bench.probes[2].source.get(), Some(bench.nodes[1]));
    assert_eq!(passed_over(&bench)[1..], [(2, 1, false)]);
    assert!(bench.agree());
}

#[test]
fn a_ring_closes_by_itself_and_opens_again() {
    let mut bench = bench(4, 1, database(ring(Some(5))));
    bench.pass(900);
    bench.kernel.crash(bench.nodes[1]);
    bench.pass(4_000);
    let stamp = bench.written(0, 3);
    assert_eq!(passed_over(&bench), []);
    bench.pass(4_000);
    assert_eq!(passed_over(&bench), [(2, 1, true)]);
    assert_eq!(bench.disk(3).stamp(3), stamp);
    bench.start(1);
    bench.pass(4_000);
    assert_eq!(passed_over(&bench), [(2, 1, true), (2, 1, false)]);
    let stamp = bench.written(0, 4);
    bench.pass(100);
    assert_eq!(bench.disk(3).stamp(4), stamp);
    bench.pass(30_000);
    assert!(bench.agree());
}

#[test]
fn a_node_on_a_new_disk_merges_all_rows_before_it_serves() {
    for replication in [several(Rule::HybridClocks), ring(Some(5))] {
        let spec = layout::Database {
            copy_rate: 10.0,
            ..database(replication)
        };
        let mut bench = bench(3, 1, spec);
        for key in 0..10 {
            bench.written(key as usize % 3, key);
        }
        bench.ask(0, Operation::Delete, 15);
        bench.ask(0, Operation::Create, 25);
        bench.ask(0, Operation::Create, 15);
        bench.pass(5_000);
        bench.destroy(1);
        bench.pass(1_000);
        bench.replace(1);
        bench.pass(500);
        assert_eq!(bench.probes[1].role.get(), NodeRole::Rebuilding);
        bench.replies.borrow_mut().clear();
        bench.ask(1, Operation::Read, 3);
        bench.pass(10);
        let refused =
            matches!(&bench.replies.borrow()[0].2.outcome, Err(failure) if failure.reason == Reason::Recovering);
        assert!(refused);
        // 12 rows at 10 a second.
        bench.pass(600);
        assert_eq!(bench.probes[1].role.get(), NodeRole::Rebuilding);
        assert_eq!(bench.probes[1].rebuilt.get(), (12, 12));
        bench.pass(500);
        assert_eq!(bench.probes[1].role.get(), NodeRole::Peer);
        assert!(bench.agree());
        assert_eq!(bench.disk(1).rows(), ROWS + 1);
        // What it writes now is new to all.
        let stamp = bench.written(1, 3);
        bench.written(2, 4);
        bench.pass(30_000);
        assert!(bench.agree());
        assert_eq!(bench.disk(2).stamp(3), stamp);
        assert_eq!(bench.disk(0).position(), 15);
        assert_eq!(bench.disk(1).position(), 15);
    }
}

#[test]
fn when_all_disks_are_gone_there_are_no_rows() {
    let mut bench = bench(3, 1, database(several(Rule::HybridClocks)));
    bench.written(1, 3);
    for node in 0..3 {
        bench.destroy(node);
        bench.replace(node);
    }
    bench.pass(10_000);
    assert!(bench.agree());
    assert_eq!((bench.disk(0).rows(), bench.disk(0).position()), (0, 0));
    bench.ask(2, Operation::Create, 3);
    bench.pass(1_000);
    assert!(bench.agree() && bench.disk(1).rows() == 1);
}

#[test]
fn who_is_too_far_behind_merges_all_rows() {
    for replication in [several(Rule::HybridClocks), ring(None)] {
        let spec = layout::Database {
            log: 10,
            ..database(replication)
        };
        let mut bench = bench(3, 1, spec);
        bench.kernel.crash(bench.nodes[1]);
        for turn in 0..40 {
            bench.written(turn as usize % 2 * 2, turn % ROWS);
        }
        bench.start(1);
        bench.pass(60_000);
        assert!(bench.agree());
        let rebuilt = |(_, by, event): &(SimTime, InstanceId, Event)| {
            *by == bench.nodes[1] && matches!(event, Event::Rebuilt { done: true, .. })
        };
        assert!(bench.events.iter().any(rebuilt));
        assert_eq!(bench.disk(1).position(), 40);
    }
}

#[test]
fn a_change_of_a_lost_node_that_reached_only_some_reaches_all_that_live() {
    let mut bench = bench(3, 1, database(several(Rule::HybridClocks)));
    bench.cut(0, 2);
    let stamp = bench.written(0, 3);
    bench.destroy(0);
    bench.heal();
    bench.pass(5_000);
    assert_eq!(bench.disk(1).stamp(3), stamp);
    assert_ne!(bench.disk(2).stamp(3), stamp);
    bench.pass(60_000);
    assert!(bench.agree());
    assert_eq!(bench.disk(2).stamp(3), stamp);
    assert_eq!(bench.disk(2).position(), 1);
}

#[test]
fn a_node_that_comes_back_empty_takes_what_it_made_from_whom_knows_most_of_it() {
    // In a ring only the one behind it could have heard of it.
    for (replication, lost) in [(several(Rule::HybridClocks), false), (ring(Some(5)), true)] {
        let mut bench = bench(4, 1, database(replication));
        bench.cut(1, 0);
        bench.cut(1, 2);
        let stamp = bench.written(1, 3);
        bench.destroy(1);
        bench.heal();
        bench.replace(1);
        bench.pass(60_000);
        assert!(bench.agree());
        assert_eq!(bench.disk(0).stamp(3) != stamp, lost);
    }
}

#[test]
fn a_write_with_an_idempotency_key_is_done_once() {
    let mut bench = bench(2, 1, database(several(Rule::HybridClocks)));
    let query = Query {
        operation: Operation::Update,
        key: 3,
        once: true,
        after: Stamp::ORIGINAL,
        bytes: 0,
    };
    bench.kernel.cast(bench.clients[0], Request::Query(query));
    bench.pass(100);
    let request = 1;
    let first = bench.last_written();
    assert!(matches!(bench.disk(0).done(request), Some(Status::Written { version, .. }) if version == first));
    assert_eq!(bench.disk(1).done(request), None);
    // The same node is asked the same again, after a crash.
    bench.kernel.crash(bench.nodes[0]);
    bench.start(0);
    bench.pass(100);
    let requests = Rc::new(Cell::new(0));
    let (node, replies) = (bench.nodes[0], Rc::clone(&bench.replies));
    let machine = bench.kernel.add_machine("again", Place(0), 1);
    let again = bench.install_on(
        machine,
        Factory::new(move |_| Client {
            node,
            requests: Rc::clone(&requests),
            replies: Rc::clone(&replies),
        }),
    );
    bench.kernel.start(again, Duration::ZERO);
    bench.pass(10);
    bench.kernel.cast(again, Request::Query(query));
    bench.pass(100);
    assert_eq!(bench.replies.borrow().len(), 2);
    assert_eq!(bench.last_written(), first);
    assert_eq!(bench.disk(1).position(), 1);
}

#[test]
fn a_node_has_so_many_connections_and_reads_after_a_write_that_it_lacks_go_to_its_maker() {
    let spec = layout::Database {
        connections: Some(2),
        ..database(several(Rule::HybridClocks))
    };
    let mut bench = bench(2, 1, spec);
    (0..3).for_each(|_| bench.ask(0, Operation::Search, 0));
    bench.pass(100);
    let outcomes: Vec<_> = bench
        .replies
        .borrow()
        .iter()
        .map(|(when, _, reply)| (*when, reply.outcome.clone()))
        .collect();
    let too_many = matches!(&outcomes[0].1, Err(failure) if failure.reason == Reason::TooManyConnections);
    assert!(too_many);
    // Ten times the work of a read, and 1 ms there and back.
    let searched = (at(104), Ok(Answer::Row(Status::Searched)));
    assert_eq!(outcomes[1..], [searched.clone(), searched]);
    bench.cut_off(0);
    let stamp = bench.written(0, 3);
    let after = Query {
        operation: Operation::Read,
        key: 3,
        once: false,
        after: stamp,
        bytes: 0,
    };
    bench.kernel.cast(bench.clients[1], Request::Query(after));
    bench.pass(100);
    let last = bench.replies.borrow().last().expect("a reply").2.outcome.clone();
    let to = Some(bench.nodes[0]);
    assert_eq!(
        last,
        Ok(Answer::Elsewhere {
            to,
            term: Term::default()
        })
    );
    bench.heal();
    bench.pass(5_000);
    bench.kernel.cast(bench.clients[1], Request::Query(after));
    bench.pass(100);
    let last = bench.replies.borrow().last().expect("a reply").2.outcome.clone();
    let read = Status::Read {
        version: stamp,
        by: bench.nodes[1],
    };
    assert_eq!(last, Ok(Answer::Row(read)));
}

#[test]
fn a_crashed_node_replays_its_log_and_has_lost_nothing() {
    let spec = layout::Database {
        checkpoint: 100,
        apply: Distribution::Constant(Duration::from_millis(2)),
        ..database(several(Rule::HybridClocks))
    };
    let mut bench = bench(2, 1, spec);
    for turn in 0..150 {
        bench.written(0, turn % ROWS);
    }
    // Of two writes that are not on the disk yet none is there afterwards.
    bench.update(0, 1);
    bench.update(0, 2);
    let now = bench.kernel.now();
    bench.kernel.advance_to(now + Duration::from_micros(1_250));
    bench.kernel.crash(bench.nodes[0]);
    assert_eq!(bench.disk(0).position(), 150);
    bench.start(0);
    // 50 changes since the last checkpoint, of 2 ms each.
    bench.pass(99);
    assert_eq!(bench.probes[0].role.get(), NodeRole::Recovering);
    bench.pass(2);
    assert_eq!(bench.probes[0].role.get(), NodeRole::Peer);
    assert_eq!(bench.disk(0).position(), 150);
    bench.kernel.crash(bench.nodes[0]);
    bench.start(0);
    bench.pass(1);
    assert_eq!(bench.probes[0].role.get(), NodeRole::Peer);
    bench.pass(20_000);
    assert!(bench.agree());
}
