//! A database with one node.

use super::*;

fn bench(change: impl FnOnce(&mut layout::Database)) -> Bench {
    let mut spec = settings(None);
    change(&mut spec);
    Bench::new(spec, 1, 1)
}

#[test]
fn rows_are_created_read_updated_and_deleted() {
    let mut bench = bench(|_| {});
    let by = bench.nodes[0];
    let mut ask = |operation, key| bench.ask_node(0, operation, key);
    assert_eq!(
        ask(Operation::Read, 7),
        Ok(Status::Read {
            version: Stamp::ORIGINAL,
            by
        })
    );
    assert_eq!(ask(Operation::Create, 7), Ok(Status::Conflict));
    let version = written(&ask(Operation::Update, 7)).expect("it is there");
    assert_eq!(ask(Operation::Read, 7), Ok(Status::Read { version, by }));
    let version = written(&ask(Operation::Delete, 7)).expect("it is there");
    assert_eq!(ask(Operation::Read, 7), Ok(Status::NotFound { version, by }));
    assert_eq!(ask(Operation::Update, 7), Ok(Status::NotFound { version, by }));
    let recreated = written(&ask(Operation::Create, 7)).expect("it is gone");
    assert!(recreated > version);
    assert_eq!(
        ask(Operation::Delete, 5_000),
        Ok(Status::NotFound {
            version: Stamp::ORIGINAL,
            by
        })
    );
    assert_eq!(ask(Operation::Search, 0), Ok(Status::Searched));
    assert_eq!((bench.probes[0].reads.get(), bench.probes[0].writes.get()), (4, 6));
    assert_eq!((bench.disk(0).rows(), bench.role(0)), (1_000, NodeRole::Alone));
    assert_eq!(
        bench.kernel.in_progress(bench.machines[0]),
        (0, 0),
        "nothing runs in the background"
    );
}

#[test]
fn a_crash_keeps_what_was_written_and_recovery_takes_time() {
    let mut bench = bench(|spec| spec.checkpoint = 300);
    bench.updates(0..500, 2);
    bench.run(millis(100));
    let acknowledged = bench.ended.take();
    assert_eq!(acknowledged.len(), 500);
    bench.crash(0);
    bench.start(0);
    // Of 500 entries 200 came after the last checkpoint: 20 ms of work.
    bench.run(millis(110));
    assert_eq!(bench.role(0), NodeRole::Recovering);
    bench.only.set(Some(bench.nodes[0]));
    bench.ask(0, Operation::Read, 1);
    bench.run(millis(5));
    assert_eq!(bench.ends(), [Err(Reason::Recovering)]);
    bench.run(millis(10));
    assert_eq!(bench.role(0), NodeRole::Alone);
    for ended in acknowledged {
        let version = written(&ended.outcome).expect("it was written");
        assert!(bench.disk(0).holds(ended.key, version));
    }
    bench.replace(0);
    bench.run(millis(200));
    assert_eq!((bench.disk(0).rows(), bench.disk(0).stamp(1)), (0, Stamp::ORIGINAL));
}

#[test]
fn what_was_not_flushed_when_it_crashed_was_not_done() {
    let mut bench = bench(|spec| spec.flush = millis(10));
    bench.update(1);
    bench.run(millis(5));
    bench.crash(0);
    bench.start(0);
    bench.run(millis(200));
    assert_eq!(bench.ends(), [Err(Reason::Reset)]);
    assert_eq!(bench.disk(0).stamp(1), Stamp::ORIGINAL);
}

#[test]
fn more_connections_than_it_takes_are_turned_away_at_once() {
    let mut bench = bench(|spec| {
        spec.connections = Some(3);
        spec.read = Distribution::Constant(millis(20));
    });
    bench.only.set(Some(bench.nodes[0]));
    (0..5).for_each(|key| bench.ask(0, Operation::Read, key));
    bench.run(millis(10));
    let refused = Err(Reason::TooManyConnections);
    assert_eq!(bench.ends(), [refused, refused]);
    bench.run(millis(100));
    assert_eq!(bench.ends().iter().filter(|ended| ended.is_ok()).count(), 3);
    bench.ask(0, Operation::Read, 1);
    bench.run(millis(100));
    assert!(bench.ends()[0].is_ok(), "they are free again");
}

#[test]
fn a_search_takes_ten_times_the_work_of_a_read() {
    let mut bench = bench(|_| {});
    bench.ask(0, Operation::Read, 1);
    bench.ask(1, Operation::Search, 1);
    bench.run(millis(100));
    let at: Vec<u64> = bench.ended.take().iter().map(|ended| ended.at.0 / 1_000).collect();
    assert_eq!(at[1] - at[0], 1_800);
}

#[test]
fn settings_change_live() {
    let mut bench = bench(|_| {});
    let asked = bench.kernel.now();
    bench.update(1);
    bench.run(millis(100));
    let before = bench.ended.take()[0].at - asked;
    bench.cluster.spec.borrow_mut().write = Distribution::Constant(millis(50));
    bench.update(1);
    let asked = bench.kernel.now();
    bench.run(millis(100));
    let took = bench.ended.take()[0].at - asked;
    assert_eq!(took, before + Duration::from_micros(49_500));
}
