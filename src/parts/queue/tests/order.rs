//! Who gets which message, and when: order, competition, fairness, and what becomes of what was meant for somebody who has left.

use super::*;

#[test]
fn messages_come_out_in_the_order_in_which_they_went_in() {
    let mut bench = Bench::new("");
    bench.publish_all(1..=10);
    assert_eq!(bench.shown(), (10, 0, 10));
    assert_eq!(bench.probe.bytes.get(), 10_000);
    let first = bench.take(1, 3);
    assert_eq!(requests(&first), [1, 2, 3]);
    assert_eq!(first[0].job, JobId(1));
    assert_eq!(first[0].message, message(1));
    assert_eq!(requests(&bench.take(2, 100)), [4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(bench.shown(), (0, 10, 10));
    for handed in &first {
        bench.acknowledge(handed);
    }
    assert_eq!(bench.shown(), (0, 7, 7));
    let tally = bench.tally();
    assert_eq!((tally.published, tally.delivered, tally.acknowledged), (10, 10, 3));
    assert_eq!((tally.redelivered, tally.late, tally.copies), (0, 0, 0));
}

#[test]
fn a_durable_message_is_confirmed_when_it_is_on_the_disk() {
    let mut bench = Bench::new("flush: \"10ms\"");
    bench.ask(1, 1, 0);
    bench.until(5);
    bench.publish(1);
    bench.until(15);
    assert!(bench.ended().is_empty());
    assert_eq!(bench.shown(), (0, 0, 0));
    bench.until(100);
    let ended = bench.ended();
    let at: Vec<(u64, usize)> = ended.iter().map(|ended| (ended.at, ended.hand)).collect();
    // There and onto the disk, and then to whoever published it and whoever works on it.
    assert_eq!(at, [(17, 0), (17, 1)]);
    let (at, stored) = bench.told(bench.queue)[0];
    assert_eq!((at, stored), (16, Event::JobStored { job: JobId(1) }));
}

#[test]
fn whoever_waits_longest_is_served_first_and_no_other_is_woken() {
    let mut bench = Bench::new("durable: false");
    for hand in [2, 1, 3] {
        bench.ask(hand, 2, 0);
        bench.pass(10);
    }
    let before = bench.kernel.delivered();
    bench.publish(1);
    bench.pass(10);
    assert_eq!(bench.got(), [(32, 2, vec![1])]);
    // The order, the request, both answers, and an alarm for the message that is out: nothing else happened.
    assert!(bench.kernel.delivered() - before <= 5);
    // One that has got something waits behind all others.
    bench.ask(2, 2, 0);
    bench.pass(10);
    for request in 2..=4 {
        bench.publish(request);
        bench.pass(10);
    }
    let hands: Vec<usize> = bench.got().into_iter().map(|(_, hand, _)| hand).collect();
    assert_eq!(hands, [1, 3, 2]);
}

#[test]
fn those_who_compete_share_alike() {
    let mut bench = Bench::new("durable: false");
    let mut counts = [0; HANDS];
    (1..HANDS).for_each(|hand| bench.ask(hand, 1, 0));
    for request in 0..300 {
        bench.publish(request);
        bench.pass(3);
        for (_, hand, handed) in bench.handed() {
            counts[hand] += handed.len();
            bench.ask(hand, 1, 0);
        }
    }
    assert_eq!(counts, [0, 100, 100, 100]);
}

#[test]
fn whoever_gives_up_waiting_gets_nothing() {
    let mut bench = Bench::new("durable: false");
    bench.patience.set(Duration::from_millis(50));
    bench.ask(1, 5, 0);
    bench.pass(20);
    bench.ask(2, 5, 0);
    // The first has left at 50 ms, and its word of that arrives 1 ms later.
    bench.until(60);
    bench.publish(1);
    bench.pass(5);
    let ended = bench.ended();
    assert_eq!(ended[0].outcome, Err(Reason::TimedOut));
    assert_eq!(ended[0].hand, 1);
    assert!(matches!(ended[1].outcome, Ok(Answer::Handed(_))) || matches!(ended[2].outcome, Ok(Answer::Handed(_))));
    assert_eq!(bench.shown(), (0, 1, 1));
    assert_eq!(bench.tally().delivered, 1);
}

#[test]
fn what_was_meant_for_somebody_who_has_left_goes_to_the_next() {
    let mut spec = settings("durable: false");
    spec.work = Distribution::Constant(Duration::from_millis(20));
    let mut bench = Bench::with(spec, settings(""), &[]);
    bench.patience.set(Duration::from_millis(50));
    bench.ask(1, 5, 0);
    bench.until(10);
    bench.patience.set(seconds(20));
    bench.ask(2, 5, 0);
    bench.until(15);
    // Stored at 36 ms; handing it out takes until 56 ms, and the first gives up at 50 ms.
    bench.publish(1);
    bench.until(40);
    assert_eq!(bench.shown(), (0, 1, 1));
    bench.until(200);
    let handed = bench.handed();
    assert_eq!(handed.len(), 1);
    let (at, hand, handed) = &handed[0];
    assert_eq!((*at, *hand, handed[0].receipt.attempt), (72, 2, 1));
    let tally = bench.tally();
    assert_eq!((tally.delivered, tally.redelivered), (1, 0));
}

#[test]
fn a_take_that_waits_holds_no_slot() {
    let mut bench = Bench::new("durable: false, slots: 1, backlog: 0");
    (1..HANDS).for_each(|hand| bench.ask(hand, 1, 0));
    bench.pass(5);
    bench.publish(1);
    bench.pass(5);
    assert!(bench.ended().iter().all(|ended| ended.outcome.is_ok()));
    assert_eq!((bench.shown(), bench.tally().published), ((0, 1, 1), 1));
}

#[test]
fn a_full_backlog_turns_takes_away_and_loses_nothing() {
    let mut spec = settings("durable: false, slots: 1, backlog: 0");
    spec.work = Distribution::Constant(Duration::from_millis(10));
    let mut bench = Bench::with(spec, settings(""), &[]);
    bench.publish(1);
    bench.pass(20);
    bench.publish(2);
    bench.pass(1);
    bench.ask(1, 1, 0);
    bench.pass(30);
    let outcomes: Vec<_> = bench.ended().into_iter().map(|ended| ended.outcome).collect();
    assert!(outcomes.contains(&Err(Reason::Overloaded)), "{outcomes:?}");
    assert_eq!(bench.shown(), (2, 0, 2));
    bench.ask(1, 9, 0);
    bench.pass(20);
    assert_eq!(bench.got().len(), 1);
}

#[test]
fn what_is_settled_as_it_is_handed_out_is_gone() {
    let mut bench = Bench::new("durable: false");
    bench.publish_all([1, 2]);
    bench.send(
        1,
        QueueRequest::Take {
            most: 1,
            subscriber: 0,
            settled: true,
        },
    );
    bench.pass(5);
    let handed = bench.handed().remove(0).2;
    assert_eq!(requests(&handed), [1]);
    assert_eq!(bench.shown(), (1, 0, 1));
    assert_eq!(bench.tally().acknowledged, 1);
    let why = Gone::HandedOver(bench.hands[1]);
    let told = bench.told(bench.queue);
    assert_eq!(told[2].1, Event::JobGone { job: JobId(1), why });
    bench.acknowledge(&handed[0]);
    assert_eq!(bench.tally().late, 1);
}

#[test]
fn a_message_that_is_here_already_is_a_copy() {
    let mut bench = Bench::new("");
    bench.publish_all([1, 1, 2, 1]);
    assert_eq!((bench.tally().published, bench.tally().copies), (4, 2));
    for handed in bench.take(1, 9) {
        bench.acknowledge(&handed);
    }
    bench.publish_all([1]);
    assert_eq!((bench.tally().published, bench.tally().copies), (5, 2));
}

#[test]
fn a_purge_empties_it_whatever_is_under_way() {
    let mut bench = Bench::new("");
    bench.publish_all(1..=30);
    let handed = bench.take(1, 12);
    bench.reject(&handed[1]);
    // Those about row 3: one is out, two wait.
    bench.kernel.cast(bench.queue, Request::Purge(Some(3)));
    bench.pass(5);
    assert_eq!(bench.shown(), (17, 10, 27));
    assert_eq!(bench.tally().purged, 3);
    bench.acknowledge(&handed[2]);
    assert_eq!((bench.tally().late, bench.tally().acknowledged), (1, 0));
    bench.kernel.cast(bench.queue, Request::Purge(None));
    bench.pass(5);
    assert_eq!(bench.shown(), (0, 0, 0));
    assert_eq!((bench.tally().purged, bench.probe.bytes.get()), (30, 0));
    assert_eq!(bench.probe.oldest.get(), None);
    bench.publish_all([40]);
    assert_eq!(requests(&bench.take(1, 5)), [40]);
    let balance = balance(&bench.events, bench.queue);
    assert_eq!(balance.values().filter(|(stored, gone)| stored == gone).count(), 30);
}

#[test]
fn whoever_asks_how_much_there_is_is_told() {
    let mut bench = Bench::new("durable: false");
    bench.publish_all(1..=5);
    bench.take(1, 2);
    bench
        .kernel
        .cast(bench.hands[1], Request::Queue(QueueRequest::Measure { subscriber: 7 }));
    bench.kernel.cast(bench.hands[1], Request::Check);
    bench.pass(5);
    let outcomes: Vec<_> = bench.ended().into_iter().map(|ended| ended.outcome).collect();
    let depth = Answer::Depth(Depth {
        waiting: 3,
        in_flight: 2,
        published: 5,
    });
    assert_eq!(outcomes, [Ok(depth), Ok(Answer::Fine)]);
}

#[test]
fn the_first_that_wait_are_there_to_be_seen() {
    let mut bench = Bench::new("durable: false, backoff: \"0s\"");
    bench.publish_all(1..=5);
    let handed = bench.take(1, 2);
    bench.reject(&handed[1]);
    let peek = bench.probe.peek.borrow().as_ref().and_then(std::rc::Weak::upgrade);
    let first = peek.expect("a look").first(3);
    let seen: Vec<(u64, u32)> = first.iter().map(|waiting| (waiting.key, waiting.attempts)).collect();
    assert_eq!(seen, [(2, 1), (3, 0), (4, 0)]);
    bench.kernel.crash(bench.queue);
    assert!(bench.probe.peek.borrow().is_none());
}
