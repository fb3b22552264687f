//! Cache-aside: hits and misses, times, races, single flight, refreshes, near copies.

use super::*;

#[test]
fn a_miss_is_loaded_and_stored_and_found_until_its_time_is_over() {
    let mut bench = Bench::new("ttl: \"10s\"");
    let miss = bench.answer(Ask::Page, 7);
    assert_eq!((miss.at, miss.copy), (14, None));
    let hit = bench.answer(Ask::Page, 7);
    assert_eq!((hit.at, hit.copy), (1_002, Some(Layer::Cache)));
    assert_eq!(hit.outcome, miss.outcome);
    // Stored after 14 ms: the web server sends it when it has it, and it takes 1 ms.
    bench.until(10_010);
    assert_eq!(bench.answer(Ask::Page, 7).copy, Some(Layer::Cache));
    assert_eq!(bench.answer(Ask::Page, 7).copy, None);
    let tally = bench.tally();
    assert_eq!((tally.lookups, tally.hits, tally.loads, tally.expired), (4, 2, 2, 1));
    assert_eq!((tally.stored, bench.probes[0].entries.get()), (2, 1));
    assert_eq!(bench.queries(), [(Operation::Read, 7); 2]);
    bench.until(60_000);
    assert_eq!((bench.tally().expired, bench.probes[0].entries.get()), (2, 0), "swept");
}

#[test]
fn a_write_deletes_or_updates_the_copy_or_leaves_it() {
    for (settings, copy, stale) in [
        ("invalidate: Delete", None, false),
        ("invalidate: Update", Some(Layer::Cache), false),
        ("invalidate: Never", Some(Layer::Cache), true),
    ] {
        let mut bench = Bench::new(settings);
        bench.answer(Ask::Page, 7);
        assert!(version(&bench.answer(Ask::Update, 7)).is_some());
        let after = bench.answer(Ask::Page, 7);
        assert_eq!(after.copy, copy, "{settings}");
        let newest = bench.stamp(7);
        assert_eq!(version(&after) != Some(newest), stale, "{settings}");
        bench.answer(Ask::Delete, 7);
        let gone = bench.answer(Ask::Page, 7);
        assert_eq!(
            matches!(gone.outcome, Ok(Status::NotFound { .. })),
            !stale,
            "{settings}"
        );
    }
}

#[test]
fn a_slow_read_stores_what_a_write_has_deleted_meanwhile() {
    let mut bench = Bench::new("");
    // The read has its row at 3 ms and is slow to answer. The write ends and deletes the copy before the read stores it.
    bench.shelf.once.set(Some(Duration::from_millis(100)));
    bench.read(0, 7);
    bench.until(20);
    bench.write(1, Ask::Update, 7);
    bench.until(60);
    assert_eq!(
        bench.ended().len(),
        1,
        "the write is done, and its delete was acknowledged"
    );
    bench.until(200);
    assert_eq!(version(&bench.only()), Some(Stamp::ORIGINAL));
    let stale = bench.answer(Ask::Page, 7);
    assert_eq!(
        (stale.copy, version(&stale)),
        (Some(Layer::Cache), Some(Stamp::ORIGINAL))
    );
    assert!(bench.stamp(7) > Stamp::ORIGINAL);
}

#[test]
fn that_there_is_no_row_is_kept_only_if_the_settings_say_so() {
    let mut bench = Bench::new("");
    bench.answer(Ask::Page, ROWS + 1);
    assert_eq!(bench.answer(Ask::Page, ROWS + 1).copy, None);
    let mut bench = Bench::new("negative: \"5s\"");
    bench.answer(Ask::Page, ROWS + 1);
    let again = bench.answer(Ask::Page, ROWS + 1);
    assert_eq!(again.copy, Some(Layer::Cache));
    assert!(matches!(again.outcome, Ok(Status::NotFound { .. })));
    assert_eq!((bench.tally().hits, bench.tally().negative_hits), (1, 1));
    assert!(version(&bench.answer(Ask::Create, ROWS + 1)).is_some());
    assert!(version(&bench.answer(Ask::Page, ROWS + 1)).is_some());
    bench.until(20_000);
    assert_eq!(bench.answer(Ask::Page, ROWS + 2).copy, None);
    bench.until(30_000);
    assert_eq!(bench.answer(Ask::Page, ROWS + 2).copy, None, "its time is over");
}

#[test]
fn without_single_flight_all_who_miss_load_and_with_it_one_of_each_web_server() {
    let stampede = |settings: &str| {
        let mut bench = Bench::new(settings);
        for number in 0..40 {
            bench.read(number % 2, 7);
        }
        bench.until(500);
        assert_eq!(bench.ended().len(), 40);
        bench
    };
    let bench = stampede("");
    let tally = bench.tally();
    assert_eq!((bench.queries().len(), tally.loads, tally.coalesced), (40, 40, 0));
    assert_eq!((bench.probes[0].worst.get(), tally.stampedes), (40, 1));
    let bench = stampede("single_flight: true");
    let tally = bench.tally();
    assert_eq!((bench.queries().len(), tally.loads, tally.coalesced), (2, 2, 38));
    assert_eq!((bench.probes[0].worst.get(), tally.stampedes), (2, 0));
    let bench = stampede("strategy: ReadThrough");
    assert_eq!((bench.queries().len(), bench.probes[0].worst.get()), (40, 40));
    let bench = stampede("strategy: ReadThrough, single_flight: true");
    let tally = bench.tally();
    assert_eq!((bench.queries().len(), tally.loads, tally.coalesced), (1, 1, 39));
    assert_eq!((bench.probes[0].worst.get(), tally.stampedes), (1, 0));
}

#[test]
fn a_failed_load_is_shared_and_a_load_that_is_given_up_is_taken_over() {
    let mut bench = Bench::new("single_flight: true");
    bench.shelf.fails.set(true);
    (0..5).for_each(|_| bench.read(0, 7));
    bench.until(500);
    let failed = bench
        .ended()
        .iter()
        .filter(|ended| ended.outcome == Err(Reason::NoQuorum))
        .count();
    assert_eq!((failed, bench.queries().len(), bench.tally().failed_loads), (5, 1, 1));
    bench.shelf.fails.set(false);
    // Who loads has no patience; the next one loads, and the third shares that.
    bench.send(0, Ask::Page, 8, |http| http.format = Format::Json);
    bench.read(0, 8);
    bench.read(0, 8);
    bench.until(1_000);
    let ended = bench.ended();
    assert_eq!((ended.len(), bench.queries().len(), bench.tally().coalesced), (2, 2, 5));
    assert!(ended.iter().all(|ended| ended.outcome.is_ok()));
}

#[test]
fn an_entry_that_is_about_to_expire_is_loaded_anew_in_the_background() {
    for strategy in ["Aside", "ReadThrough"] {
        let mut bench = Bench::new(&format!("ttl: \"10s\", refresh_ahead: 0.5, strategy: {strategy}"));
        bench.answer(Ask::Page, 7);
        bench.queries();
        bench.answer(Ask::Page, 7);
        assert_eq!(bench.queries().len(), 0, "{strategy}");
        bench.until(6_000);
        bench.shelf.delay.set(Duration::from_millis(50));
        for _ in 0..5 {
            bench.read(0, 7);
        }
        bench.until(6_040);
        let ended = bench.ended();
        assert!(
            ended.len() == 5 && ended.iter().all(|ended| ended.copy == Some(Layer::Cache)),
            "{strategy}"
        );
        assert_eq!((bench.queries().len(), bench.tally().refreshes), (1, 1), "{strategy}");
        bench.until(15_000);
        assert_eq!(bench.answer(Ask::Page, 7).copy, Some(Layer::Cache), "{strategy}");
    }
}

#[test]
fn who_must_see_their_own_write_is_not_answered_by_an_older_copy() {
    for strategy in ["Aside", "ReadThrough"] {
        let mut bench = Bench::new(&format!("invalidate: Never, strategy: {strategy}, single_flight: true"));
        bench.answer(Ask::Page, 7);
        let written = version(&bench.answer(Ask::Update, 7)).expect("it is written");
        bench.send(0, Ask::Page, 7, |http| http.wrote = (7, written));
        bench.until(5_000);
        // The database of this bench does not ask users to show their writes.
        assert_eq!(bench.only().copy, Some(Layer::Cache));
        let mut bench = Bench::with(
            &format!("invalidate: Never, strategy: {strategy}, single_flight: true"),
            RYW,
        );
        bench.answer(Ask::Page, 7);
        let written = version(&bench.answer(Ask::Update, 7)).expect("it is written");
        bench.send(0, Ask::Page, 8, |http| http.wrote = (7, written));
        bench.until(5_000);
        bench.ended();
        bench.send(0, Ask::Page, 7, |http| http.wrote = (7, written));
        bench.until(6_000);
        let own = bench.only();
        assert_eq!((version(&own), own.copy), (Some(written), None), "{strategy}");
    }
}

const RYW: &str = "machines: 2, replication: PrimaryReplicas(read_your_writes: true)";

#[test]
fn near_copies_answer_at_once_and_only_their_own_server_hears_of_a_write() {
    let mut bench = Bench::new("near: (items: 10, ttl: \"2s\")");
    bench.answer(Ask::Page, 7);
    let near = bench.answer(Ask::Page, 7);
    assert_eq!((near.copy, near.at), (Some(Layer::Near), 1_000));
    bench.read(1, 7);
    bench.until(2_100);
    assert_eq!(bench.only().copy, Some(Layer::Cache));
    bench.write(0, Ask::Update, 7);
    bench.until(2_200);
    bench.ended();
    bench.read(0, 7);
    bench.read(1, 7);
    bench.until(2_300);
    let newest = bench.stamp(7);
    let seen: Vec<_> = bench.ended().iter().map(|ended| (ended.copy, version(ended))).collect();
    assert_eq!(
        seen,
        [
            (Some(Layer::Near), Some(newest)),
            (Some(Layer::Near), Some(Stamp::ORIGINAL))
        ]
    );
    let tally = bench.near[0].tally.get();
    assert_eq!((tally.lookups, tally.hits, tally.loads, tally.stored), (3, 2, 1, 2));
    for key in 100..130 {
        bench.read(0, key);
    }
    bench.until(3_000);
    assert_eq!(
        (bench.near[0].entries.get(), bench.near[0].tally.get().evicted),
        (10, 21)
    );
    bench.retune(|spec| spec.near = None);
    assert_eq!(bench.near[0].entries.get(), 0);
}

#[test]
fn settings_change_what_is_kept_and_not_what_is_held() {
    let mut bench = Bench::new("items: 100");
    for key in 0..50 {
        bench.read(0, key);
    }
    bench.until(100);
    bench.ended();
    bench.queries();
    bench.retune(|spec| spec.evict = layout::Evict::Sieve);
    assert_eq!(bench.answer(Ask::Page, 7).copy, Some(Layer::Cache));
    bench.retune(|spec| spec.room = layout::Room::Items(20));
    assert_eq!((bench.probes[0].entries.get(), bench.tally().evicted), (20, 30));
    bench.kernel.cast(bench.nodes[0], Request::Purge(None));
    bench.until(5_000);
    assert_eq!((bench.probes[0].entries.get(), bench.tally().invalidated), (0, 20));
    assert_eq!(bench.answer(Ask::Page, 7).copy, None);
}
