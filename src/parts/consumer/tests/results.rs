//! Results in a database: when they are told, and how often they are written.

use super::*;

fn writes(delivery: Delivery) -> layout::Consumer {
    layout::Consumer {
        database: Some("db".into()),
        delivery,
        ..spec()
    }
}

/// The effects of a job whose acknowledgement is lost, so that it is done again.
fn effects_of_a_repeated_job(delivery: Delivery, key: u64) -> Vec<Stamp> {
    let mut bench = Bench::new(writes(delivery));
    bench.publish_as(1, key, false);
    bench.until(50);
    bench.kernel.crash(bench.queue);
    bench.until(1_000);
    bench.revive_queue();
    bench.until(10_000);
    assert!(bench.queue_is_empty());
    let effects = bench.done().into_iter().map(|(_, job, effect)| {
        assert_eq!(job, 1);
        effect.expect("it writes a row")
    });
    effects.collect()
}

#[test]
fn a_job_is_told_when_its_row_is_written_and_before_it_is_acknowledged() {
    let mut bench = Bench::new(writes(Delivery::AtLeastOnce));
    bench.publish(4);
    bench.until(1_000);
    let done = bench.done();
    let versions: Vec<Stamp> = done.iter().filter_map(|(_, _, effect)| *effect).collect();
    assert!(versions.len() == 4 && versions.is_sorted());
    // 100 ms of work, 2 ms to the database and back, 0.6 ms there, a way to the queue.
    let first: Vec<u64> = done.iter().take(2).map(|(at, _, _)| *at).collect();
    assert_eq!(first, [104, 104]);
    assert_eq!(bench.heard(is_acknowledgement)[..2], [105, 105]);
}

#[test]
fn done_twice_it_is_written_twice_unless_the_database_knows_its_key() {
    for key in [5, ROWS + 5] {
        let effects = effects_of_a_repeated_job(Delivery::AtLeastOnce, key);
        assert!(effects.len() == 2 && effects[0] != effects[1], "{effects:?}");
        // Of a row that was missing too.
        let effects = effects_of_a_repeated_job(Delivery::EffectivelyOnce, key);
        assert!(effects.len() == 2 && effects[0] == effects[1], "{effects:?}");
    }
}

#[test]
fn a_result_makes_its_row_once_though_two_jobs_want_to() {
    for delivery in [Delivery::AtLeastOnce, Delivery::EffectivelyOnce] {
        let mut bench = Bench::new(writes(delivery));
        bench.publish_as(1, ROWS + 7, false);
        bench.publish_as(2, ROWS + 7, false);
        bench.until(1_000);
        // Both find no row; one makes it, and the other one changes it.
        assert_eq!((bench.tally().done, bench.tally().failed), (2, 0));
        let versions: Vec<Stamp> = bench.done().iter().filter_map(|(_, _, effect)| *effect).collect();
        assert!(versions.len() == 2 && versions[0] != versions[1], "{versions:?}");
    }
}

#[test]
fn a_copy_is_absorbed_and_another_subscriber_s_job_is_not() {
    for key in [5, ROWS + 5] {
        let mut bench = Bench::new(writes(Delivery::EffectivelyOnce));
        for jobs_from in [0, 0, 1 << 40, 1 << 40] {
            bench.store.jobs_from.set(jobs_from);
            bench.publish_as(1, key, false);
            bench.until(millis(bench.kernel.now()) + 500);
        }
        let effects: Vec<Stamp> = bench.done().iter().filter_map(|(_, _, effect)| *effect).collect();
        assert_eq!(effects.len(), 4);
        assert!(effects[0] == effects[1] && effects[2] == effects[3], "{effects:?}");
        assert_ne!(effects[0], effects[2]);
    }
}

#[test]
fn without_its_database_an_attempt_fails_and_is_rejected() {
    let mut bench = Bench::new(writes(Delivery::EffectivelyOnce));
    bench.kernel.crash(bench.database);
    bench.publish(1);
    bench.until(500);
    assert_eq!(bench.tally().done, 0);
    assert!(bench.tally().failed > 0);
    assert!(bench.done().is_empty());
    bench.kernel.start(bench.database, Duration::ZERO);
    bench.until(12_000);
    assert_eq!((bench.tally().done, bench.done().len()), (1, 1));
    assert!(bench.queue_is_empty());
}
