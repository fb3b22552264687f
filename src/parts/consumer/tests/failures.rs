//! Attempts that fail, messages that kill, processes and queues that die.

use std::collections::BTreeSet;

use super::*;

#[test]
fn failed_attempts_are_rejected_and_each_has_a_draw_of_its_own() {
    let mut bench = Bench::new(layout::Consumer {
        slots: 50,
        prefetch: 50,
        work: constant(10),
        fails: 0.3,
        ..spec()
    });
    bench.publish(3_000);
    bench.until(60_000);
    let tally = bench.tally();
    assert_eq!(tally.done, 3_000);
    // 3,000 * 0.3 / 0.7 = 1,286 with a standard deviation of 43.
    assert!((1_156..=1_416).contains(&tally.failed), "{tally:?}");
    assert!(bench.queue_is_empty());
    let rejected = bench.heard(|request| matches!(request, QueueRequest::Reject(_)));
    assert_eq!(rejected.len() as u64, tally.failed);
    // A failed attempt costs its work.
    let busy = bench.kernel.cores_busy(bench.kernel.machine_of(bench.worker));
    let work = busy.integral(bench.kernel.now());
    assert!((work - (tally.done + tally.failed) as f64 * 0.01).abs() < 1e-6);
}

#[test]
fn at_most_once_forgets_what_fails() {
    let mut bench = Bench::new(layout::Consumer {
        delivery: Delivery::AtMostOnce,
        fails: 1.0,
        ..spec()
    });
    bench.publish(4);
    bench.until(1_000);
    assert_eq!((bench.tally().done, bench.tally().failed), (0, 4));
    assert!(bench.queue_is_empty());
    assert_eq!(bench.holds(), (0, 0));
}

#[test]
fn a_poisonous_message_kills_at_every_attempt_and_the_process_starts_again() {
    let mut bench = Bench::new(layout::Consumer { prefetch: 4, ..spec() });
    bench.publish_as(1, 77, true);
    for request in 2..=4 {
        bench.publish_as(request, request, false);
    }
    bench.until(51);
    assert_eq!((bench.holds(), bench.state()), ((2, 4), ProcessState::Up));
    bench.until(53);
    // It dies after half of the work, and all that it held is gone with it.
    assert!(matches!(bench.state(), ProcessState::Booting { .. }));
    assert_eq!((bench.holds(), bench.tally().crashed), ((0, 0), 1));
    assert_eq!(bench.store.out.borrow().len(), 4);
    let machine = bench.kernel.machine_of(bench.worker);
    assert_eq!(bench.kernel.in_progress(machine), (0, 0));
    assert_eq!(bench.kernel.cores_busy(machine).value(), 0);
    bench.until(5_100);
    assert_eq!(bench.state(), ProcessState::Up);
    bench.time_out();
    bench.until(5_200);
    assert_eq!((bench.tally().crashed, bench.tally().done), (2, 0));
    let poisoned: Vec<(u64, u32)> = bench
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Poisoned { key, attempt } => Some((*key, *attempt)),
            _ => None,
        })
        .collect();
    assert_eq!(poisoned, [(77, 1), (77, 2)]);
    // Without it the others are done.
    bench.store.out.borrow_mut().remove(&0);
    bench.until(10_200);
    bench.time_out();
    bench.until(11_000);
    assert_eq!(bench.tally().done, 3);
    assert!(bench.queue_is_empty());
}

#[test]
fn a_share_of_the_messages_is_poisonous_and_stays_so() {
    let mut bench = Bench::new(layout::Consumer {
        slots: 1,
        prefetch: 1,
        work: constant(2),
        poison: 0.1,
        boot: Duration::from_millis(1),
        ..spec()
    });
    bench.publish(500);
    for round in 1..=400 {
        bench.until(round * 200);
        bench.time_out();
    }
    let mut killers = BTreeMap::new();
    for (_, event) in &bench.events {
        if let Event::Poisoned { key, .. } = event {
            *killers.entry(*key).or_insert(0) += 1;
        }
    }
    // 50 of 500, with a standard deviation of 6.7. All others are done, and none of these, however often it was tried.
    assert!((30..=70).contains(&killers.len()), "{killers:?}");
    let done: BTreeSet<u64> = bench.done().iter().map(|(_, job, _)| *job).collect();
    assert_eq!(done.len(), 500 - killers.len());
    assert!(done.iter().all(|job| !killers.contains_key(job)));
    assert!(killers.values().all(|times| *times > 1), "{killers:?}");
}

#[test]
fn a_crash_loses_only_what_was_acknowledged_before_it_was_done() {
    for (delivery, done) in [(Delivery::AtMostOnce, 6), (Delivery::AtLeastOnce, 10)] {
        let mut bench = Bench::new(layout::Consumer {
            prefetch: 4,
            delivery,
            ..spec()
        });
        bench.publish(10);
        bench.until(50);
        bench.kernel.crash(bench.worker);
        bench.until(60);
        assert_eq!(bench.holds(), (0, 0));
        bench.kernel.start(bench.worker, Duration::from_millis(10));
        bench.time_out();
        bench.until(2_000);
        assert_eq!((bench.tally().done, bench.done().len()), (done, done as usize));
        assert!(bench.queue_is_empty());
        let machine = bench.kernel.machine_of(bench.worker);
        // The wish for a message, and the wait for the word to end.
        assert_eq!(bench.kernel.in_progress(machine), (1, 1));
    }
}

#[test]
fn a_lost_acknowledgement_has_the_message_done_twice() {
    let mut bench = Bench::new(spec());
    bench.publish(1);
    bench.until(50);
    bench.kernel.crash(bench.queue);
    bench.until(1_000);
    assert_eq!((bench.tally().done, bench.holds()), (1, (0, 0)));
    bench.revive_queue();
    bench.until(10_000);
    let jobs: Vec<u64> = bench.done().iter().map(|(_, job, _)| *job).collect();
    assert_eq!(jobs, [1, 1]);
    assert!(bench.queue_is_empty());
}

#[test]
fn a_job_that_is_here_twice_is_held_until_both_are_settled() {
    let mut bench = Bench::new(layout::Consumer {
        work: constant(1_000),
        ..spec()
    });
    bench.publish_as(1, 1, false);
    bench.until(500);
    bench.publish_as(1, 1, false);
    bench.until(600);
    assert_eq!(bench.holds(), (2, 1));
    bench.until(1_200);
    assert_eq!(bench.holds(), (1, 1));
    bench.until(2_000);
    assert_eq!((bench.holds(), bench.done().len()), ((0, 0), 2));
}

#[test]
fn a_dead_queue_is_asked_after_pauses_that_grow_and_served_again_when_it_is_back() {
    let mut bench = Bench::new(spec());
    bench.until(100);
    bench.kernel.crash(bench.queue);
    bench.until(60_100);
    let refused = bench.kernel.meter(bench.queue).failed.get();
    // The wish that was under way was reset. The bounds of the pauses are 0.1, 0.2, 0.4 s and so on up to 5, half of it in the mean: 24 in
    // a minute at 5 s, and a few at first.
    assert!((15..=45).contains(&refused), "{refused}");
    bench.publish(2);
    bench.kernel.start(bench.queue, Duration::ZERO);
    bench.until(65_400);
    assert_eq!(bench.tally().done, 2);
    // One that answers nothing but failures is treated alike, and success ends the pauses.
    bench.store.fails.set(true);
    bench.kernel.crash(bench.queue);
    bench.revive_queue();
    bench.publish(2);
    bench.heard(is_take);
    bench.until(125_500);
    let asked = bench.heard(is_take).len();
    assert!((15..=45).contains(&asked), "{asked}");
    bench.store.fails.set(false);
    bench.until(131_000);
    assert_eq!(bench.tally().done, 4);
    bench.kernel.crash(bench.queue);
    bench.until(131_010);
    bench.kernel.start(bench.queue, Duration::ZERO);
    bench.until(131_500);
    assert_eq!(bench.kernel.meter(bench.queue).present.value(), 1);
}
