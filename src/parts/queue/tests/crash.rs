//! What a process that dies leaves behind.

use super::*;

#[test]
fn a_durable_queue_has_all_again_that_it_confirmed() {
    let mut bench = Bench::new("backoff: \"1m\", visibility: \"1h\"");
    bench.patience.set(seconds(100));
    bench.publish_all(1..=6);
    let handed = bench.take(1, 3);
    bench.acknowledge(&handed[0]);
    bench.reject(&handed[1]);
    let tally = bench.tally();
    let at = bench.now();
    bench.crash(bench.queue, 1_000);
    bench.pass(100);
    // It is still to be seen what is on the disk.
    assert_eq!(bench.shown(), (4, 1, 5));
    bench.events.clear();
    bench.until(at + 2_000);
    // What was out is handed out again at once, the failed one later.
    assert_eq!((bench.shown(), bench.probe.delayed.get()), ((5, 0, 5), 1));
    assert_eq!(bench.tally(), tally);
    let back = Event::JobOut {
        job: JobId(3),
        out: false,
    };
    assert_eq!(bench.told(bench.queue), [(at + 1_000, back)]);
    assert_eq!(requests(&bench.take(2, 9)), [3, 4, 5, 6]);
    bench.ask(2, 9, 0);
    bench.until(61_000);
    let (again, _, last) = bench.handed().remove(0);
    assert_eq!((requests(&last), last[0].receipt.attempt), (vec![2], 2));
    assert!(again >= 60_000);
}

#[test]
fn what_was_out_at_a_crash_has_failed() {
    let mut bench = Bench::new("attempts: 2, dead_letter: \"dead\"");
    bench.publish_all([1]);
    for _ in 0..2 {
        let handed = bench.take(1, 1);
        assert_eq!(requests(&handed), [1]);
        bench.crash(bench.queue, 100);
        bench.pass(200);
        // Its receipt of that time is good for as long as nobody else has the message.
        bench.events.clear();
    }
    bench.pass(100);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 0), 1));
}

#[test]
fn an_acknowledgement_that_was_not_written_is_none() {
    let mut bench = Bench::new("flush: \"100ms\"");
    bench.publish(1);
    bench.pass(200);
    let handed = bench.take(1, 1);
    bench.send(1, QueueRequest::Acknowledge(handed[0].receipt));
    bench.pass(50);
    bench.crash(bench.queue, 100);
    bench.pass(200);
    bench.ended();
    assert_eq!((bench.shown(), bench.tally().acknowledged), ((1, 0, 1), 0));
    assert_eq!(bench.take(1, 1)[0].receipt.attempt, 2);
}

#[test]
fn a_message_that_was_not_written_is_not_there_and_was_not_confirmed() {
    let mut bench = Bench::new("flush: \"100ms\"");
    bench.publish(1);
    bench.pass(50);
    bench.crash(bench.queue, 100);
    bench.pass(500);
    assert_eq!(bench.ended()[0].outcome, Err(Reason::Reset));
    assert_eq!((bench.shown(), bench.tally().published), ((0, 0, 0), 0));
}

#[test]
fn a_queue_in_memory_is_empty_after_a_crash() {
    let mut bench = Bench::new("durable: false");
    bench.publish_all(1..=6);
    let handed = bench.take(1, 3);
    bench.ask(2, 9, 0);
    bench.pass(5);
    bench.ended();
    bench.crash(bench.queue, 100);
    bench.pass(50);
    assert_eq!((bench.shown(), bench.probe.bytes.get()), ((0, 0, 0), 0));
    assert_eq!(bench.probe.oldest.get(), None);
    bench.pass(100);
    bench.ended();
    bench.acknowledge(&handed[0]);
    assert_eq!((bench.tally().published, bench.tally().late), (6, 1));
    bench.publish_all([7]);
    assert_eq!(requests(&bench.take(1, 9)), [7]);
}

#[test]
fn what_was_set_aside_when_it_crashed_is_handed_out_as_if_for_the_first_time() {
    let mut spec = settings("");
    spec.work = Distribution::Constant(Duration::from_millis(20));
    let mut bench = Bench::with(spec, settings(""), &[]);
    bench.publish(1);
    bench.pass(50);
    (1..HANDS).for_each(|hand| bench.ask(hand, 1, 0));
    bench.pass(10);
    assert_eq!(bench.shown(), (0, 1, 1));
    bench.crash(bench.queue, 100);
    bench.pass(110);
    assert_eq!(bench.shown(), (1, 0, 1));
    bench.ended();
    bench.ask(1, 1, 0);
    bench.pass(50);
    let handed = bench.handed().remove(0).2;
    assert_eq!(handed[0].receipt.attempt, 1);
    assert_eq!((bench.tally().delivered, bench.tally().redelivered), (1, 0));
}

#[test]
fn dead_letters_are_carried_on_after_a_crash_and_what_was_leaving_stays() {
    let mut bench = Bench::with(
        settings("attempts: 1, dead_letter: \"dead\""),
        settings("flush: \"10ms\""),
        &[],
    );
    bench.kernel.crash(bench.dead);
    bench.publish_all(1..=40);
    for handed in bench.take(1, 40) {
        bench.send(1, QueueRequest::Reject(handed.receipt));
    }
    bench.pass(10);
    bench.crash(bench.queue, 100);
    bench.pass(200);
    assert_eq!(bench.shown(), (0, 0, 40));
    bench.kernel.start(bench.dead, Duration::ZERO);
    bench.pass(31_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 0), 40));
    bench.kernel.crash(bench.queue);
    bench.ended();
    bench.settle(SEXTON, QueueRequest::Redrive);
    bench.crash(bench.dead, 100);
    bench.pass(200);
    assert_eq!((bench.dead_probe.waiting.get(), bench.dead_probe.held.get()), (40, 40));
}

#[test]
fn a_destroyed_machine_takes_the_disk_with_it() {
    let mut bench = Bench::new("");
    bench.publish_all(1..=6);
    let machine = bench.kernel.machine_of(bench.queue);
    bench.kernel.destroy(machine);
    bench.kernel.replace(machine);
    bench.kernel.start(bench.queue, Duration::ZERO);
    bench.pass(10);
    assert_eq!((bench.shown(), bench.tally().published), ((0, 0, 0), 6));
}
