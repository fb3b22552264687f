//! A log: every subscriber gets every message, at a pace of its own, for as long as it is kept.

use super::store::job_of;
use super::*;

fn states(bench: &Bench) -> Vec<(u32, u64, u64)> {
    let peek = bench.probe.peek.borrow().as_ref().and_then(std::rc::Weak::upgrade);
    let states = peek.expect("a look").subscribers();
    let states = states
        .iter()
        .map(|state| (state.service, state.waiting, state.in_flight));
    states.collect()
}

#[test]
fn each_subscriber_gets_every_message_as_a_job_of_its_own() {
    let mut bench = Bench::log("");
    bench.publish_all(1..=3);
    let mut stored = balance(&bench.events, bench.queue);
    assert!(stored.len() == 6 && stored.values().all(|counts| *counts == (1, 0)));
    for subscriber in [7, 9] {
        let handed = bench.take_for(1, 9, subscriber);
        assert_eq!(requests(&handed), [1, 2, 3]);
        for handed in handed {
            assert_eq!(handed.job, job_of(handed.message.request, subscriber));
            assert_eq!(handed.receipt.subscriber, subscriber);
            assert!(stored.remove(&handed.job).is_some());
            bench.acknowledge(&handed);
        }
    }
    // All is done, and all is kept.
    assert_eq!(bench.shown(), (0, 0, 3));
    let tally = bench.tally();
    assert_eq!((tally.published, tally.delivered, tally.acknowledged), (3, 6, 6));
}

#[test]
fn within_a_subscriber_workers_compete() {
    let mut bench = Bench::log("durable: false");
    bench.ask(1, 1, 7);
    bench.pass(5);
    bench.ask(2, 1, 7);
    bench.pass(5);
    bench.ask(3, 1, 9);
    bench.pass(5);
    bench.publish_all([]);
    bench.publish(1);
    bench.pass(5);
    let hands: Vec<usize> = bench.got().into_iter().map(|(_, hand, _)| hand).collect();
    assert_eq!(hands, [1, 3]);
    bench.publish(2);
    bench.pass(5);
    let hands: Vec<usize> = bench.got().into_iter().map(|(_, hand, _)| hand).collect();
    assert_eq!(hands, [2]);
}

#[test]
fn a_slow_subscriber_holds_nobody_up() {
    let mut bench = Bench::log("durable: false");
    for request in 1..=50 {
        bench.publish_all([request]);
        let handed = bench.take_for(1, 1, 9);
        assert_eq!(requests(&handed), [request]);
        bench.acknowledge(&handed[0]);
    }
    assert_eq!(states(&bench), [(7, 50, 0), (9, 0, 0)]);
    assert_eq!(bench.shown(), (50, 0, 50));
    bench
        .kernel
        .cast(bench.hands[1], Request::Queue(QueueRequest::Measure { subscriber: 7 }));
    bench.pass(5);
    let depth = Answer::Depth(Depth {
        waiting: 50,
        in_flight: 0,
        published: 50,
    });
    assert_eq!(bench.ended()[0].outcome, Ok(depth));
}

#[test]
fn a_full_log_forgets_its_oldest_message_whoever_has_not_done_it() {
    let mut bench = Bench::log("durable: false, messages: 3, visibility: \"5s\", backoff: \"1h\"");
    bench.publish_all(1..=3);
    let handed = bench.take_for(1, 3, 9);
    bench.acknowledge(&handed[0]);
    bench.reject(&handed[1]);
    // The first goes: 7 has not had it. The second goes: 7 has not had it, and 9 waits for it. The third goes, and 9 works on it.
    bench.publish_all(4..=6);
    assert_eq!(bench.shown(), (3, 1, 3));
    let tally = bench.tally();
    assert_eq!((tally.expired, tally.refused), (4, 0));
    assert_eq!(states(&bench), [(7, 3, 0), (9, 3, 1)]);
    // 9 does not get to the end of the third, and there is none to be handed out again.
    bench.pass(6_000);
    assert_eq!((bench.tally().expired, states(&bench)), (5, vec![(7, 3, 0), (9, 3, 0)]));
    assert_eq!(requests(&bench.take_for(1, 9, 9)), [4, 5, 6]);
    assert_eq!(requests(&bench.take_for(1, 9, 7)), [4, 5, 6]);
    let balance = balance(&bench.events, bench.queue);
    assert_eq!(balance.values().filter(|counts| **counts == (1, 1)).count(), 6);
}

#[test]
fn a_log_makes_room_in_bytes_and_turns_away_only_what_never_fits() {
    let mut bench = Bench::log("durable: false, bytes: \"2500B\"");
    bench.publish_all(1..=5);
    assert_eq!((bench.probe.bytes.get(), bench.tally().expired), (2_000, 6));
    let large = Message {
        bytes: 2_501,
        ..message(6)
    };
    bench.send(0, QueueRequest::Publish(large));
    bench.pass(5);
    assert_eq!(bench.ended()[0].outcome, Err(Reason::QueueFull));
    bench.retune(|spec| spec.messages = 1);
    assert_eq!((bench.probe.held.get(), bench.tally().expired), (1, 8));
}

#[test]
fn a_log_forgets_what_is_too_old() {
    let mut bench = Bench::log("durable: false, retention: \"10s\"");
    bench.publish_all(1..=2);
    bench.until(5_000);
    bench.publish_all(3..=4);
    let handed = bench.take_for(1, 1, 7);
    bench.acknowledge(&handed[0]);
    bench.until(11_000);
    assert_eq!((bench.shown(), bench.tally().expired), ((2, 0, 2), 3));
    bench.until(16_000);
    assert_eq!((bench.shown(), bench.tally().expired), ((0, 0, 0), 7));
}

#[test]
fn each_subscriber_has_its_own_failures() {
    let mut bench = Bench::log("attempts: 2, backoff: \"0s\", visibility: \"1s\", durable: false");
    bench.publish_all(1..=2);
    let seven = bench.take_for(1, 1, 7);
    let nine = bench.take_for(1, 2, 9);
    bench.reject(&seven[0]);
    assert_eq!(requests(&bench.take_for(1, 9, 7)), [1, 2]);
    for handed in &nine {
        bench.acknowledge(handed);
    }
    // The second time that 7 fails at the first message, and the first time at the second.
    bench.pass(2_000);
    assert_eq!(states(&bench), [(7, 1, 0), (9, 0, 0)]);
    let tally = bench.tally();
    assert_eq!((tally.discarded, tally.acknowledged, tally.timed_out), (1, 2, 2));
    assert_eq!(requests(&bench.take_for(1, 9, 7)), [2]);
}

#[test]
fn a_dead_message_of_a_subscriber_comes_back_to_it_alone() {
    let mut bench = Bench::log("attempts: 1, dead_letter: \"dead\", durable: false");
    bench.publish_all(1..=2);
    let handed = bench.take_for(1, 1, 7);
    bench.reject(&handed[0]);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((2, 0, 2), 1));
    bench.kernel.cast(bench.queue, Request::Purge(None));
    bench.settle(SEXTON, QueueRequest::Redrive);
    bench.pass(10);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((1, 0, 1), 0));
    assert_eq!(states(&bench), [(7, 1, 0), (9, 0, 0)]);
    let again = bench.take_for(1, 9, 7);
    assert_eq!((again[0].job, again[0].message), (job_of(1, 7), message(1)));
    assert_eq!(again[0].receipt.attempt, 1);
    bench.acknowledge(&again[0]);
    assert_eq!((bench.shown(), bench.probe.bytes.get()), ((0, 0, 0), 0));
    let (stored, gone) = balance(&bench.events, bench.queue)[&job_of(1, 7)];
    assert_eq!((stored, gone), (2, 2));
}

#[test]
fn cursors_are_kept_over_a_crash() {
    let mut bench = Bench::log("");
    bench.publish_all(1..=4);
    let seven = bench.take_for(1, 3, 7);
    bench.acknowledge(&seven[0]);
    bench.acknowledge(&seven[2]);
    bench.crash(bench.queue, 100);
    bench.pass(200);
    assert_eq!(states(&bench), [(7, 2, 0), (9, 4, 0)]);
    assert_eq!(requests(&bench.take_for(1, 9, 7)), [2, 4]);
    assert_eq!(requests(&bench.take_for(1, 9, 9)), [1, 2, 3, 4]);
}

#[test]
fn somebody_new_gets_what_comes_from_now_on() {
    let mut bench = Bench::log("durable: false");
    bench.publish_all(1..=4);
    bench.ask(1, 9, 11);
    bench.pass(5);
    assert!(bench.got().is_empty());
    bench.publish(5);
    bench.pass(5);
    assert_eq!(bench.got().remove(0).2, [5]);
}

#[test]
fn a_purge_of_a_row_leaves_the_others_in_order() {
    let mut bench = Bench::log("durable: false");
    bench.publish_all(1..=25);
    let seven = bench.take_for(1, 4, 7);
    bench.acknowledge(&seven[2]);
    bench.kernel.cast(bench.queue, Request::Purge(Some(3)));
    bench.pass(5);
    // 3, which 7 has done, 13 and 23.
    assert_eq!((bench.probe.held.get(), bench.tally().purged), (22, 5));
    assert_eq!(states(&bench), [(7, 19, 3), (9, 22, 0)]);
    let rest = requests(&bench.take_for(1, 99, 9));
    assert_eq!(rest.len(), 22);
    assert!(rest.iter().all(|request| request % 10 != 3) && rest.is_sorted());
}
