//! A worker that is to end: what it ends, and what it gives back.

use super::*;

fn is_return(request: &QueueRequest) -> bool {
    matches!(request, QueueRequest::Return(_))
}

#[test]
fn an_idle_worker_is_drained_at_once_and_takes_nothing_more() {
    let mut bench = Bench::new(spec());
    bench.until(100);
    bench.tell(Request::Drain);
    bench.until(102);
    assert!(bench.probe.drained.get());
    // It no longer waits for a message.
    assert_eq!(bench.kernel.meter(bench.queue).present.value(), 0);
    bench.publish(5);
    bench.tell(Request::Drain);
    bench.retune(|spec| spec.prefetch = 10);
    bench.until(60_000);
    assert_eq!((bench.tally().done, bench.heard(is_take).len()), (0, 1));
    let machine = bench.kernel.machine_of(bench.worker);
    assert_eq!(bench.kernel.in_progress(machine), (0, 0));
    // A process that is started anew takes again.
    bench.kernel.crash(bench.worker);
    bench.kernel.start(bench.worker, Duration::ZERO);
    bench.until(61_000);
    assert!(!bench.probe.drained.get());
    assert_eq!(bench.tally().done, 5);
}

#[test]
fn whoever_is_not_to_end_after_all_takes_again() {
    let mut bench = Bench::new(layout::Consumer {
        work: constant(2_000),
        drain: Duration::from_secs(2),
        ..spec()
    });
    bench.publish(1);
    bench.until(100);
    // Told both at once, it has not even stopped.
    bench.tell(Request::Drain);
    bench.tell(Request::Resume);
    bench.until(110);
    bench.publish(1);
    bench.until(200);
    assert_eq!((bench.holds().0, bench.probe.drained.get()), (2, false));
    bench.until(500);
    bench.tell(Request::Drain);
    bench.until(600);
    bench.tell(Request::Resume);
    // The end of its time to end is past when these are done.
    bench.until(2_300);
    assert_eq!((bench.tally().done, bench.tally().returned), (2, 0));
    // The same of one that held nothing any more.
    bench.tell(Request::Drain);
    bench.until(2_400);
    assert!(bench.probe.drained.get());
    bench.tell(Request::Resume);
    bench.publish(2);
    bench.until(5_000);
    assert_eq!((bench.tally().done, bench.probe.drained.get()), (4, false));
}

#[test]
fn what_has_not_begun_goes_back_and_what_is_in_progress_is_done() {
    let mut bench = Bench::new(layout::Consumer { prefetch: 50, ..spec() });
    bench.publish(50);
    bench.until(50);
    assert_eq!(bench.holds(), (2, 50));
    bench.tell(Request::Drain);
    bench.until(60);
    // 16 at once, each a way there and back.
    assert_eq!((bench.holds(), bench.probe.drained.get()), ((2, 2), false));
    assert_eq!(bench.heard(is_return).len(), 48);
    // None of them has an attempt behind it.
    let attempts: Vec<u32> = bench
        .store
        .waiting
        .borrow()
        .iter()
        .map(|(_, _, tried)| *tried)
        .collect();
    assert_eq!(attempts, [0; 48]);
    bench.until(103);
    assert!(!bench.probe.drained.get());
    bench.until(110);
    assert!(bench.probe.drained.get());
    let expected = WorkerTally {
        done: 2,
        returned: 48,
        ..WorkerTally::default()
    };
    assert_eq!((bench.tally(), bench.holds()), (expected, (0, 0)));
    assert!(bench.store.out.borrow().is_empty());
}

#[test]
fn what_is_not_done_in_time_goes_back_a_second_before_the_end() {
    let mut bench = Bench::new(layout::Consumer {
        work: constant(60_000),
        drain: Duration::from_secs(10),
        ..spec()
    });
    bench.publish(2);
    bench.until(1_000);
    bench.tell(Request::Drain);
    bench.until(9_999);
    assert_eq!((bench.holds(), bench.probe.drained.get()), ((2, 2), false));
    bench.until(10_010);
    assert!(bench.probe.drained.get());
    assert_eq!((bench.tally().returned, bench.tally().done), (2, 0));
    assert_eq!(bench.store.waiting.borrow().len(), 2);
    let machine = bench.kernel.machine_of(bench.worker);
    assert_eq!(bench.kernel.cores_busy(machine).value(), 0);
    assert_eq!(bench.kernel.in_progress(machine), (0, 0));
}

#[test]
fn a_queue_that_is_dead_does_not_keep_it_from_ending() {
    let mut bench = Bench::new(layout::Consumer { prefetch: 10, ..spec() });
    bench.publish(10);
    bench.until(50);
    bench.kernel.crash(bench.queue);
    bench.tell(Request::Drain);
    bench.until(1_000);
    assert!(bench.probe.drained.get());
    assert_eq!(bench.holds(), (0, 0));
}

#[test]
fn what_cannot_go_back_is_worked_off_and_the_rest_is_lost() {
    let mut bench = Bench::new(layout::Consumer {
        slots: 1,
        prefetch: 50,
        delivery: Delivery::AtMostOnce,
        drain: Duration::from_secs(3),
        ..spec()
    });
    bench.publish(50);
    bench.until(50);
    bench.tell(Request::Drain);
    bench.until(1_000);
    assert_eq!(bench.holds().0, 1);
    bench.until(3_000);
    assert!(bench.probe.drained.get());
    // 2,048 ms of 100 each.
    assert_eq!((bench.tally().done, bench.tally().returned), (20, 0));
    assert!(bench.queue_is_empty());
    assert_eq!(bench.heard(|request| !is_take(request)), Vec::<u64>::new());
}
