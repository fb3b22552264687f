//! A primary and its replicas while all is well, and while some are out of reach.

use super::*;

#[test]
fn replicas_apply_the_log_in_order_and_their_lag_is_seen() {
    let mut bench = Bench::new(settings(Some(mode(Mode::Asynchronous))), 3, 1);
    bench.updates(0..300, 3);
    bench.run(millis(100));
    assert_eq!(bench.ends().iter().filter_map(written).count(), 300);
    let (position, ..) = bench.agreement();
    assert_eq!((position.index, position.term), (300, Term::FIRST));
    let roles: Vec<NodeRole> = (0..3).map(|node| bench.role(node)).collect();
    assert_eq!(roles, [NodeRole::Primary, NodeRole::Replica, NodeRole::Replica]);
    assert_eq!(bench.probes[1].source.get(), Some(bench.nodes[0]));

    // A slow replica: it lags, and what it has is a prefix.
    bench.kernel.set_slow(bench.machines[2], 200.0);
    let began = bench.kernel.now();
    bench.updates(0..200, 3);
    let (primary, slow) = (bench.disk(0), bench.disk(2));
    let behind = primary.position().index - slow.position().index;
    assert!(behind > 100, "{behind} behind");
    assert!(primary.contains(slow.position()));
    let since = primary.written_after(slow.position().index).expect("it is kept");
    assert!(since > began && bench.kernel.now() - since > millis(200));
    bench.kernel.set_slow(bench.machines[2], 1.0);
    bench.run(millis(5_000));
    assert_eq!(bench.agreement().0.index, 500);
    assert_eq!(bench.disk(0).written_after(500), None);
    assert!(bench.promotions().is_empty());
}

#[test]
fn replicas_answer_reads_and_send_writes_to_the_primary() {
    let mut bench = Bench::new(settings(Some(mode(Mode::Asynchronous))), 3, 1);
    bench.update(5);
    bench.run(millis(50));
    let version = written(&bench.ends()[0]).expect("it was written");
    let by = bench.nodes[1];
    assert_eq!(bench.ask_node(1, Operation::Read, 5), Ok(Status::Read { version, by }));
    assert_eq!(bench.ask_node(1, Operation::Update, 5), Err(Reason::NotPrimary));
    // Who has seen a write that a replica has not is sent on; to the primary itself all are welcome.
    let later = Stamp(version.0 + (1 << 40));
    for (node, expected) in [(1, false), (0, true)] {
        bench.only.set(Some(bench.nodes[node]));
        bench.ask_for(0, Operation::Read, 5, false, later);
        bench.run(millis(50));
        assert_eq!(bench.ends()[0].is_ok(), expected);
    }
}

/// When the first update is acknowledged, in microseconds after it was sent.
fn latency(replication: PrimaryReplicas) -> u64 {
    let mut bench = Bench::new(settings(Some(replication)), 3, 1);
    bench.run(millis(500));
    let asked = bench.kernel.now();
    bench.update(1);
    bench.run(millis(100));
    let ended = bench.ended.take();
    assert!(written(&ended[0].outcome).is_some(), "{:?}", ended[0]);
    (ended[0].at - asked).as_micros() as u64
}

#[test]
fn a_write_waits_for_as_many_acknowledgements_as_its_mode_says() {
    // There and back 2 ms, work 0.5 ms, flush 0.1 ms.
    assert_eq!(latency(mode(Mode::Asynchronous)), 2_600);
    // A replica has the entry after 1 ms, has it on its disk after 0.2 ms and says so by its next pull, 1 ms.
    for waits in [Mode::SemiSynchronous, Mode::Quorum, Mode::Synchronous] {
        assert_eq!(latency(mode(waits)), 2_600 + 2_200, "{waits:?}");
    }
}

#[test]
fn what_too_few_can_acknowledge_is_refused_before_it_is_logged() {
    for (waits, lost, expected) in [
        (Mode::Asynchronous, 2, None),
        (Mode::Synchronous, 1, Some(Reason::NoQuorum)),
        (Mode::Quorum, 1, None),
        (Mode::Quorum, 2, Some(Reason::NoQuorum)),
    ] {
        let mut bench = Bench::new(settings(Some(mode(waits))), 3, 1);
        bench.run(millis(100));
        (1..=lost).for_each(|node| bench.crash(node));
        bench.run(millis(2_100));
        let before = bench.disk(0).position().index;
        let ended = bench.ask_node(0, Operation::Update, 1);
        assert_eq!(ended.as_ref().err(), expected.as_ref(), "{waits:?} without {lost}");
        let logged = bench.disk(0).position().index - before;
        assert_eq!(logged == 0, expected.is_some());
    }
}

#[test]
fn nobody_knows_what_becomes_of_a_write_that_too_few_acknowledge_in_time() {
    let mut bench = Bench::new(settings(Some(mode(Mode::Quorum))), 3, 1);
    bench.run(millis(100));
    (1..=2).for_each(|node| bench.crash(node));
    bench.update(1);
    bench.run(millis(2_500));
    assert_eq!(bench.ends(), [Err(Reason::NotAcknowledged)]);
    assert_eq!(bench.disk(0).position().index, 1);
    (1..=2).for_each(|node| bench.start(node));
    bench.run(millis(1_500));
    assert_eq!(bench.agreement().0.index, 1, "it was done after all");
}

#[test]
fn a_semi_synchronous_primary_goes_on_alone() {
    let mut bench = Bench::new(settings(Some(mode(Mode::SemiSynchronous))), 3, 1);
    bench.updates(0..10, 10);
    (1..=2).for_each(|node| bench.crash(node));
    let crashed = bench.kernel.now().seconds();
    bench.updates(10..30, 200);
    bench.run(millis(500));
    assert_eq!(bench.ends().iter().filter_map(written).count(), 30);
    let degraded = |bench: &Bench| {
        bench.told(|event| match event {
            Event::Degraded { on } => Some(*on),
            _ => None,
        })
    };
    let told = degraded(&bench);
    assert!(
        matches!(told[..], [(at, _, true)] if at - crashed > 1.0 && at - crashed < 2.1),
        "{told:?}"
    );
    bench.start(1);
    bench.run(millis(1_000));
    assert!(matches!(degraded(&bench)[..], [_, (_, _, false)]));
    bench.update(1);
    bench.run(millis(100));
    assert!(bench.disk(1).contains(bench.disk(0).position()));
}

#[test]
fn a_request_that_comes_again_is_answered_as_before_also_by_the_next_primary() {
    struct Twice {
        to: RefCell<Vec<InstanceId>>,
        answers: Rc<RefCell<Vec<Reply>>>,
    }
    impl Software<System> for Twice {
        async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
            if cx.request() == 0 {
                cx.begin(77, request);
                return Reply::answer(Answer::Fine);
            }
            let to = self.to.borrow_mut().remove(0);
            let called = cx.call(to, request, Duration::from_secs(1)).await;
            self.answers.borrow_mut().push(Reply::of_call(called, to));
            Reply::answer(Answer::Fine)
        }
    }
    let mut bench = Bench::new(settings(Some(mode(Mode::Quorum))), 3, 1);
    let (nodes, answers) = (bench.nodes.clone(), Rc::<RefCell<Vec<Reply>>>::default());
    let shared = Rc::clone(&answers);
    let make = move |_: &Cx<System>| Twice {
        to: RefCell::new(vec![nodes[0], nodes[0], nodes[1], nodes[1]]),
        answers: Rc::clone(&shared),
    };
    let (twice, _) = bench.install("twice", Factory::new(make), (8, 8));
    bench.kernel.start(twice, Duration::ZERO);
    let query = Request::Query(Query {
        operation: Operation::Create,
        key: 2_000,
        once: true,
        after: Stamp::ORIGINAL,
        bytes: 0,
    });
    bench.run(millis(100));
    for _ in 0..2 {
        bench.kernel.cast(twice, query);
        bench.run(millis(100));
    }
    bench.order(1, Order::Promote);
    bench.run(millis(4_000));
    assert_eq!(bench.primaries(), [1]);
    // Of an earlier term it is safe only behind an entry of the present one.
    bench.kernel.cast(twice, query);
    bench.run(millis(500));
    bench.update(1);
    bench.run(millis(1_000));
    bench.kernel.cast(twice, query);
    bench.run(millis(1_000));
    let versions: Vec<Option<(Stamp, InstanceId)>> = answers
        .borrow()
        .iter()
        .map(|reply| match reply.outcome {
            Ok(Answer::Row(Status::Written { version, by })) => Some((version, by)),
            _ => None,
        })
        .collect();
    let (version, by) = versions[0].expect("it was created");
    assert_eq!(by, bench.nodes[0]);
    assert_eq!(versions[1], Some((version, by)));
    assert_eq!(versions[2..], [Some((version, bench.nodes[1])); 2]);
    assert_eq!(bench.disk(1).stamp(2_000), version);
}
