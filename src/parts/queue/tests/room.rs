//! How much there is room for, for how long, and from when on.

use super::*;

fn outcomes(bench: &Bench) -> Vec<Result<Answer, Reason>> {
    bench.ended().into_iter().map(|ended| ended.outcome).collect()
}

fn full(bench: &mut Bench) -> Vec<bool> {
    let told = bench.told(bench.queue).into_iter();
    let on = told.filter_map(|(_, event)| match event {
        Event::Full { on } => Some(on),
        _ => None,
    });
    on.collect()
}

#[test]
fn a_full_queue_turns_messages_away_until_there_is_room() {
    let mut bench = Bench::new("messages: 3, flush: \"10ms\"");
    // What is being written counts already.
    (1..=5).for_each(|request| bench.publish(request));
    bench.pass(20);
    let ended = outcomes(&bench);
    assert_eq!(
        ended
            .iter()
            .filter(|outcome| **outcome == Err(Reason::QueueFull))
            .count(),
        2
    );
    assert_eq!(bench.shown(), (3, 0, 3));
    assert_eq!((bench.tally().published, bench.tally().refused), (3, 2));
    // What is out is here still.
    bench.ask(1, 1, 0);
    bench.pass(20);
    let handed = bench.handed().remove(0).2;
    bench.publish(6);
    bench.pass(20);
    assert_eq!(outcomes(&bench), [Err(Reason::QueueFull)]);
    bench.send(1, QueueRequest::Acknowledge(handed[0].receipt));
    bench.pass(20);
    bench.ended();
    assert_eq!(full(&mut bench), [true]);
    bench.publish(7);
    bench.pass(20);
    assert_eq!(outcomes(&bench), [Ok(Answer::Fine)]);
    assert_eq!(full(&mut bench), [false]);
}

#[test]
fn room_is_counted_in_bytes_too() {
    let mut bench = Bench::new("bytes: \"2500B\", durable: false");
    (1..=3).for_each(|request| bench.publish(request));
    bench.pass(5);
    assert_eq!(
        outcomes(&bench),
        [Ok(Answer::Fine), Ok(Answer::Fine), Err(Reason::QueueFull)]
    );
    let small = Message {
        bytes: 500,
        ..message(4)
    };
    bench.send(0, QueueRequest::Publish(small));
    bench.pass(5);
    assert_eq!((bench.probe.bytes.get(), bench.probe.held.get()), (2_500, 3));
    bench.retune(|spec| spec.bytes = 10_000);
    bench.publish(5);
    bench.pass(5);
    assert_eq!(bench.probe.bytes.get(), 3_500);
}

#[test]
fn a_write_that_a_crash_stops_takes_no_room() {
    let mut bench = Bench::new("messages: 2, flush: \"1s\"");
    (1..=2).for_each(|request| bench.publish(request));
    bench.pass(100);
    bench.crash(bench.queue, 10);
    bench.pass(100);
    assert_eq!(outcomes(&bench), [Err(Reason::Reset), Err(Reason::Reset)]);
    (3..=4).for_each(|request| bench.publish(request));
    bench.pass(2_000);
    assert_eq!(outcomes(&bench), [Ok(Answer::Fine), Ok(Answer::Fine)]);
    assert_eq!(bench.shown(), (2, 0, 2));
}

#[test]
fn a_new_message_waits_for_its_delay() {
    let mut bench = Bench::new("delay: \"2s\", durable: false");
    bench.ask(1, 1, 0);
    bench.publish(1);
    bench.until(1_000);
    bench.publish(2);
    bench.pass(5);
    assert_eq!((bench.shown(), bench.probe.delayed.get()), ((2, 0, 2), 2));
    assert_eq!(bench.probe.oldest.get().map(millis), Some(1));
    bench.until(2_500);
    assert_eq!(bench.got(), [(2_002, 1, vec![1])]);
    assert_eq!((bench.shown(), bench.probe.delayed.get()), ((1, 1, 2), 1));
    bench.retune(|spec| spec.delay = Duration::from_millis(1_600));
    bench.ask(1, 1, 0);
    bench.until(4_000);
    assert_eq!(bench.got(), [(2_602, 1, vec![2])]);
}

#[test]
fn a_message_is_kept_for_its_time_and_no_longer_wherever_it_waits() {
    let mut bench = Bench::new("retention: \"10s\", backoff: \"1h\", visibility: \"1m\", durable: false");
    bench.publish_all(1..=5);
    let handed = bench.take(1, 3);
    // One waits after a failure, one is out, one was given back, two were never handed out.
    bench.reject(&handed[0]);
    bench.settle(1, QueueRequest::Return(handed[2].receipt));
    bench.until(9_900);
    assert_eq!(bench.shown(), (4, 1, 5));
    bench.until(10_100);
    assert_eq!(bench.shown(), (0, 1, 1));
    assert_eq!(bench.tally().expired, 4);
    // Who has it may end it; who gives it back has had it too long.
    bench.settle(1, QueueRequest::Return(handed[1].receipt));
    assert_eq!((bench.shown(), bench.tally().expired), ((0, 0, 0), 5));
    let balance = balance(&bench.events, bench.queue);
    assert!(balance.values().all(|counts| *counts == (1, 1)), "{balance:?}");
}

#[test]
fn a_changed_retention_holds_for_what_is_here() {
    let mut bench = Bench::new("durable: false");
    bench.publish_all(1..=5);
    bench.until(10_000);
    bench.publish_all(6..=7);
    bench.retune(|spec| spec.retention = Some(seconds(5)));
    assert_eq!((bench.shown(), bench.tally().expired), ((2, 0, 2), 5));
    bench.until(20_000);
    assert_eq!(bench.tally().expired, 7);
}

#[test]
fn fewer_attempts_kill_what_fails_next() {
    let mut bench = Bench::new("durable: false, backoff: \"0s\"");
    bench.publish_all([1]);
    for _ in 0..4 {
        let handed = bench.take(1, 1);
        bench.reject(&handed[0]);
    }
    bench.retune(|spec| spec.attempts = Some(2));
    assert_eq!(bench.shown(), (1, 0, 1));
    let handed = bench.take(1, 1);
    bench.reject(&handed[0]);
    assert_eq!(bench.tally().discarded, 1);
}
