//! Writes through the cache, at once and later.

use super::*;

#[test]
fn a_write_through_is_in_the_database_and_in_the_entry() {
    let mut bench = Bench::new("strategy: WriteThrough, negative: \"10s\"");
    let written = version(&bench.answer(Ask::Update, 7)).expect("it is written");
    assert_eq!(bench.stamp(7), written);
    let read = bench.answer(Ask::Page, 7);
    assert_eq!((read.copy, version(&read)), (Some(Layer::Cache), Some(written)));
    assert_eq!(bench.answer(Ask::Create, 7).outcome, Ok(Status::Conflict));
    bench.answer(Ask::Delete, 7);
    let gone = bench.answer(Ask::Page, 7);
    assert!(gone.copy.is_some() && matches!(gone.outcome, Ok(Status::NotFound { .. })));
    assert_eq!(bench.tally().bypassed, 3);
}

#[test]
fn a_write_behind_is_done_at_once_and_the_last_of_each_row_is_written_later() {
    let mut bench = Bench::new("strategy: WriteBehind(after: \"5s\")");
    bench.answer(Ask::Page, 7);
    bench.queries();
    let first = bench.answer(Ask::Update, 7);
    assert_eq!(
        first.at, 1_002,
        "the copy tells that there is such a row: nobody is asked"
    );
    let second = version(&bench.answer(Ask::Update, 7)).expect("it is written");
    assert!(second > version(&first).expect("it is written") && second.node() == 63);
    assert_eq!(bench.probes[0].unwritten.borrow().get(&7), Some(&second));
    assert_eq!(bench.queries(), []);
    bench.until(5_900);
    assert_eq!(bench.queries(), []);
    let read = bench.answer(Ask::Page, 7);
    assert_eq!(version(&read), Some(second));
    assert_eq!(bench.queries(), [(Operation::Update, 7)], "once, 5 s after the first");
    assert!(bench.probes[0].unwritten.borrow().is_empty());
    let tally = bench.tally();
    assert_eq!((tally.written_behind, tally.merged_writes), (1, 1));
    // From now on the copy has the stamp that the write has in the database.
    assert_eq!(version(&bench.answer(Ask::Page, 7)), Some(bench.stamp(7)));
    assert!(bench.stamp(7) > second);
}

#[test]
fn what_becomes_of_a_write_behind_is_decided_by_what_the_cache_knows() {
    let mut bench = Bench::new("strategy: WriteBehind(after: \"1s\")");
    assert_eq!(bench.answer(Ask::Create, 7).outcome, Ok(Status::Conflict));
    assert!(matches!(
        bench.answer(Ask::Update, ROWS).outcome,
        Ok(Status::NotFound { .. })
    ));
    assert!(version(&bench.answer(Ask::Create, ROWS)).is_some());
    bench.until(10_000);
    assert!(bench.shelf.rows.borrow()[&ROWS].1);
    assert!(version(&bench.answer(Ask::Delete, ROWS)).is_some());
    assert!(matches!(
        bench.answer(Ask::Delete, ROWS).outcome,
        Ok(Status::NotFound { .. })
    ));
    bench.until(20_000);
    assert!(!bench.shelf.rows.borrow()[&ROWS].1);
    // Of a row that comes and goes within the time the database hears too: it has to know that it has gone.
    bench.queries();
    bench.write(0, Ask::Create, ROWS + 1);
    bench.until(20_100);
    bench.write(0, Ask::Delete, ROWS + 1);
    bench.until(30_000);
    let gone = bench.ended().iter().filter(|ended| version(ended).is_some()).count();
    assert_eq!((gone, bench.shelf.rows.borrow()[&(ROWS + 1)].1), (2, false));
    let queries = bench.queries();
    assert_eq!(
        queries,
        [
            (Operation::Read, ROWS + 1),
            (Operation::Create, ROWS + 1),
            (Operation::Delete, ROWS + 1)
        ]
    );
}

#[test]
fn a_read_that_misses_sees_a_write_that_waits() {
    let mut bench = Bench::new("strategy: WriteBehind(after: \"30s\"), items: 5");
    let written = version(&bench.answer(Ask::Update, 7)).expect("it is written");
    for key in 100..120 {
        bench.answer(Ask::Page, key);
    }
    let read = bench.answer(Ask::Page, 7);
    assert_eq!((version(&read), read.copy), (Some(written), Some(Layer::Cache)));
    bench.kernel.cast(bench.nodes[0], Request::Purge(None));
    assert_eq!(version(&bench.answer(Ask::Page, 7)), Some(written));
    // Nor does a slow load put an older version into its place.
    bench.shelf.once.set(Some(Duration::from_millis(500)));
    bench.read(0, 8);
    bench.until(millis(bench.kernel.now()) + 50);
    bench.write(1, Ask::Update, 8);
    bench.until(millis(bench.kernel.now()) + 2_000);
    let written = bench.ended().iter().filter_map(version).max();
    assert_eq!(version(&bench.answer(Ask::Page, 8)), written);
}

#[test]
fn writes_wait_while_the_database_fails_and_a_few_rows_are_written_at_once() {
    let mut bench = Bench::new("strategy: WriteBehind(after: \"1s\")");
    for key in 0..100 {
        bench.read(0, key);
    }
    bench.until(500);
    bench.ended();
    bench.queries();
    bench.shelf.fails.set(true);
    for key in 0..100 {
        bench.write(0, Ask::Update, key);
    }
    bench.until(1_700);
    assert!(bench.ended().iter().all(|ended| version(ended).is_some()));
    assert_eq!(bench.queries().len(), 16);
    bench.until(10_000);
    assert_eq!(bench.probes[0].unwritten.borrow().len(), 100);
    bench.shelf.fails.set(false);
    bench.until(40_000);
    assert_eq!(
        (bench.probes[0].unwritten.borrow().len(), bench.tally().written_behind),
        (0, 100)
    );
}

#[test]
fn what_a_crash_loses_is_what_waited_unless_the_node_is_durable() {
    for (durable, left) in [(false, 0), (true, 20)] {
        let mut bench = Bench::new(&format!("strategy: WriteBehind(after: \"5s\"), durable: {durable}"));
        for key in 0..20 {
            bench.write(0, Ask::Update, key);
        }
        bench.until(1_000);
        assert_eq!(bench.ended().len(), 20);
        assert_eq!(bench.probes[0].unwritten.borrow().len(), 20);
        let node = bench.nodes[0];
        bench.kernel.crash(node);
        bench.kernel.start(node, Duration::from_secs(1));
        bench.queries();
        bench.until(4_000);
        let updates = bench
            .queries()
            .iter()
            .filter(|(operation, _)| *operation == Operation::Update)
            .count();
        assert_eq!(updates, left, "what is found is written at once");
        assert_eq!(bench.probes[0].unwritten.borrow().len(), 0);
    }
}
