//! What becomes of messages that were handed out: in time, too late, with a failure, or given back.

use super::*;

#[test]
fn what_nobody_acknowledges_in_time_is_handed_out_again() {
    let mut bench = Bench::new("durable: false, visibility: \"2s\"");
    bench.publish_all(1..=2);
    let first = bench.take(1, 1);
    bench.ask(2, 1, 0);
    bench.pass(5);
    bench.ask(3, 1, 0);
    assert_eq!(bench.got()[0].2, [2]);
    // Handed out at 6 ms.
    bench.until(2_005);
    assert!(bench.got().is_empty());
    bench.until(2_020);
    let again = bench.handed().remove(0);
    assert_eq!((again.0, again.1), (2_007, 3));
    assert_eq!((again.2[0].message, again.2[0].receipt.attempt), (message(1), 2));
    // The receipt of the first time is worth nothing any more, whatever it is for.
    for receipt in [QueueRequest::Acknowledge, QueueRequest::Reject, QueueRequest::Return] {
        bench.settle(1, receipt(first[0].receipt));
    }
    let tally = bench.tally();
    assert_eq!((tally.timed_out, tally.late, tally.redelivered), (2, 3, 1));
    assert_eq!((tally.acknowledged, tally.rejected, tally.returned), (0, 0, 0));
    bench.acknowledge(&again.2[0]);
    assert_eq!(bench.tally().acknowledged, 1);
}

#[test]
fn who_is_late_but_before_it_was_handed_out_again_is_believed() {
    let mut bench = Bench::new("durable: false, visibility: \"2s\"");
    bench.publish_all([1]);
    let handed = bench.take(1, 1);
    bench.until(3_000);
    assert_eq!((bench.shown(), bench.tally().timed_out), ((1, 0, 1), 1));
    bench.acknowledge(&handed[0]);
    let tally = bench.tally();
    assert_eq!((bench.shown(), tally.late, tally.acknowledged), ((0, 0, 0), 0, 1));
}

#[test]
fn what_waits_again_comes_before_what_is_new() {
    let mut bench = Bench::new("durable: false, backoff: \"0s\"");
    bench.publish_all(1..=4);
    let handed = bench.take(1, 3);
    for late in [2, 0, 1] {
        bench.reject(&handed[late]);
    }
    assert_eq!(requests(&bench.take(1, 9)), [1, 2, 3, 4]);
}

#[test]
fn a_failed_message_waits_longer_each_time_up_to_a_bound() {
    let mut bench = Bench::new("durable: false, backoff: \"1s\", backoff_most: \"5s\"");
    bench.publish_all([1]);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        bench.ask(1, 1, 0);
        while bench.ended.borrow().is_empty() {
            bench.pass(1);
        }
        let handed = bench.handed().remove(0).2;
        let rejected = bench.now();
        bench.reject(&handed[0]);
        bench.ask(2, 1, 0);
        while bench.ended.borrow().is_empty() {
            bench.pass(1);
        }
        let (at, _, handed) = bench.handed().remove(0);
        pauses.push(at - rejected);
        bench.settle(1, QueueRequest::Return(handed[0].receipt));
    }
    // With the way there and back.
    assert_eq!(pauses, [1_002, 2_002, 4_002, 5_002, 5_002, 5_002]);
    assert_eq!((bench.tally().rejected, bench.tally().returned), (6, 6));
}

#[test]
fn what_was_given_back_has_not_been_tried() {
    let mut bench = Bench::new("durable: false, attempts: 1");
    bench.publish_all([1]);
    for attempt in 1..=5 {
        let handed = bench.take(1, 1);
        // A receipt of its own each time.
        assert_eq!(handed[0].receipt.attempt, attempt);
        bench.settle(1, QueueRequest::Return(handed[0].receipt));
        assert_eq!(bench.shown(), (1, 0, 1));
    }
    let handed = bench.take(1, 1);
    bench.reject(&handed[0]);
    assert_eq!(bench.shown(), (0, 0, 0));
    let tally = bench.tally();
    assert_eq!((tally.returned, tally.rejected, tally.discarded), (5, 1, 1));
}

#[test]
fn a_message_that_fails_too_often_is_thrown_away() {
    let mut bench = Bench::new("durable: false, attempts: 3, backoff: \"0s\", visibility: \"1s\"");
    bench.publish_all([4]);
    for failures in 0..3 {
        let handed = bench.take(1, 1);
        if failures == 1 {
            // Who says nothing has failed too.
            bench.pass(2_000);
        } else {
            bench.reject(&handed[0]);
        }
    }
    assert_eq!(bench.shown(), (0, 0, 0));
    let tally = bench.tally();
    assert_eq!((tally.rejected, tally.timed_out, tally.discarded), (2, 1, 1));
    let told = bench.told(bench.queue);
    let events: Vec<Event> = told.iter().rev().take(3).map(|(_, event)| *event).collect();
    let (job, why) = (JobId(4), Gone::Discarded);
    let died = Event::Died {
        key: 4,
        attempts: 3,
        buried: false,
    };
    let expected = [Event::JobGone { job, why }, died, Event::JobOut { job, out: false }];
    assert_eq!(events, expected);
}

#[test]
fn a_changed_visibility_holds_for_what_is_out() {
    let mut bench = Bench::new("durable: false, visibility: \"1h\"");
    bench.publish_all(1..=2);
    bench.take(1, 2);
    bench.until(10_000);
    bench.retune(|spec| spec.visibility = seconds(30));
    bench.until(29_000);
    assert_eq!(bench.shown(), (0, 2, 2));
    bench.until(31_000);
    assert_eq!(bench.shown(), (2, 0, 2));
}

#[test]
fn waiting_costs_no_wakes() {
    let mut bench = Bench::new("durable: false, visibility: \"1m\"");
    bench.publish_all(1..=100);
    bench.take(1, 100);
    // Until nobody's patience ends any more.
    bench.until(25_000);
    let before = bench.kernel.delivered();
    bench.until(59_000);
    assert_eq!(bench.kernel.delivered() - before, 0);
    bench.until(61_000);
    assert_eq!(bench.shown(), (100, 0, 100));
    assert!(bench.kernel.delivered() - before <= 2);
}

#[test]
fn alarms_follow_what_is_due_and_not_what_was() {
    let mut bench = Bench::new("durable: false, visibility: \"12h\", backoff: \"100ms\"");
    bench.publish_all(1..=2);
    bench.take(1, 1);
    let before = bench.kernel.under_way();
    for _ in 0..200 {
        let handed = bench.take(1, 1);
        bench.reject(&handed[0]);
        bench.pass(300_100);
    }
    assert!(bench.kernel.under_way() <= before + 4, "{}", bench.kernel.under_way());
}
