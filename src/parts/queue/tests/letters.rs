//! Dead letters: on their way to the dead-letter queue, there, and on their way back.

use super::*;

/// Its one attempt fails.
fn kill(bench: &mut Bench, request: u64) {
    bench.publish_all([request]);
    let handed = bench.take(1, 1);
    assert_eq!(requests(&handed), [request]);
    bench.reject(&handed[0]);
}

fn stored_before_gone(bench: &Bench, job: JobId, first: InstanceId, then: InstanceId) -> bool {
    let stored = |(_, from, event): &(u64, InstanceId, Event)| *from == first && *event == Event::JobStored { job };
    let gone = |(_, from, event): &(u64, InstanceId, Event)| {
        let is_gone = matches!(event, Event::JobGone { job: gone, why: Gone::Buried } if *gone == job);
        *from == then && is_gone
    };
    let stored = bench.events.iter().rposition(stored);
    stored.is_some() && stored < bench.events.iter().rposition(gone)
}

#[test]
fn a_dead_message_goes_to_the_dead_letter_queue() {
    let mut bench = Bench::new("attempts: 1, dead_letter: \"dead\"");
    kill(&mut bench, 5);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 0), 1));
    let tally = bench.tally();
    assert_eq!((tally.buried, tally.discarded, tally.acknowledged), (1, 0, 0));
    assert!(stored_before_gone(&bench, JobId(5), bench.dead, bench.queue));
    let died = Event::Died {
        key: 5,
        attempts: 1,
        buried: true,
    };
    assert!(bench.events.iter().any(|(_, _, event)| *event == died));
    // Others may work on it there.
    let handed = bench.take(SEXTON, 1);
    assert_eq!((handed[0].message, handed[0].job), (message(5), JobId(5)));
    bench.settle(SEXTON, QueueRequest::Acknowledge(handed[0].receipt));
    assert_eq!(bench.dead_probe.held.get(), 0);
}

#[test]
fn a_dead_message_stays_until_the_dead_letter_queue_has_it() {
    let mut bench = Bench::new("attempts: 1, dead_letter: \"dead\"");
    bench.kernel.crash(bench.dead);
    kill(&mut bench, 5);
    bench.pass(60_000);
    // Nobody sees it, and it is there.
    assert_eq!(bench.shown(), (0, 0, 1));
    assert_eq!(bench.tally().buried, 0);
    bench.kernel.start(bench.dead, Duration::ZERO);
    bench.pass(31_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 0), 1));
}

#[test]
fn pauses_between_two_burials_grow_and_the_dead_are_carried_a_few_at_a_time() {
    let mut bench = Bench::new("attempts: 1, dead_letter: \"dead\", calls: (retries: 0)");
    bench.kernel.crash(bench.dead);
    kill(&mut bench, 5);
    bench.pass(63_000);
    let tried = bench.kernel.meter(bench.dead).received.get();
    // At once, and after 1, 3, 7, 15, 31 and 61 s.
    assert_eq!(tried, 7);
    bench.publish_all(100..200);
    for handed in bench.take(1, 100) {
        bench.send(1, QueueRequest::Reject(handed.receipt));
    }
    bench.pass(20);
    assert_eq!(bench.kernel.meter(bench.dead).received.get(), tried + 15);
    assert_eq!(bench.shown(), (0, 0, 101));
    bench.kernel.start(bench.dead, Duration::ZERO);
    bench.pass(31_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 0), 101));
}

#[test]
fn a_burial_whose_answer_was_lost_buries_nobody_twice() {
    let mut bench = Bench::new("attempts: 1, dead_letter: \"dead\"");
    let rule = Rule {
        owner: 0,
        from: vec![bench.dead],
        to: vec![bench.queue],
        verdict: Verdict::Drop,
    };
    bench.kernel.network().rules.push(rule);
    kill(&mut bench, 5);
    bench.pass(20_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 1), 1));
    bench.kernel.network().rules.clear();
    bench.pass(31_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 0), 1));
    assert_eq!(bench.dead_probe.tally.get().published, 1);
}

#[test]
fn a_burial_that_is_asked_for_again_while_it_is_written_is_done_once() {
    let slow = settings("flush: \"5s\"");
    let mut bench = Bench::with(settings("attempts: 1, dead_letter: \"dead\""), slow, &[]);
    kill(&mut bench, 5);
    bench.pass(60_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 0), 1));
    assert_eq!(bench.dead_probe.tally.get().published, 1);
}

#[test]
fn a_full_dead_letter_queue_turns_the_dead_away_and_they_stay_where_they_are() {
    let small = settings("messages: 2");
    let mut bench = Bench::with(settings("attempts: 1, dead_letter: \"dead\""), small, &[]);
    (1..=5).for_each(|request| kill(&mut bench, request));
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 3), 2));
    bench.kernel.cast(bench.dead, Request::Purge(None));
    bench.pass(31_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 1), 2));
}

#[test]
fn what_is_dead_is_sent_back_and_tried_again() {
    let mut bench = Bench::new("attempts: 1, dead_letter: \"dead\"");
    (1..=3).for_each(|request| kill(&mut bench, request));
    // Published there itself, one before all that comes and one among it: it has nowhere to go back to.
    bench.send(SEXTON, QueueRequest::Publish(message(70)));
    bench.pass(5);
    kill(&mut bench, 4);
    // One that somebody has taken stays with them.
    let taken = bench.take(SEXTON, 1);
    assert_eq!(requests(&taken), [1]);
    bench.settle(SEXTON, QueueRequest::Redrive);
    bench.pass(10);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((3, 0, 3), 2));
    assert_eq!(bench.dead_probe.tally.get().redriven, 3);
    assert_eq!(bench.dead_probe.tally.get().buried, 0);
    assert!((2..=4).all(|job| stored_before_gone(&bench, JobId(job), bench.queue, bench.dead)));
    // As new ones, with all their attempts before them.
    let handed = bench.take(1, 9);
    assert_eq!(requests(&handed), [2, 3, 4]);
    assert!(handed.iter().all(|handed| handed.receipt.attempt == 1));
    assert_eq!(requests(&bench.take(SEXTON, 9)), [70]);
    // And they may die again.
    bench.reject(&handed[0]);
    assert_eq!((bench.tally().buried, bench.dead_probe.held.get()), (5, 3));
}

#[test]
fn what_can_not_be_sent_back_stays_and_goes_when_it_can() {
    let mut bench = Bench::new("attempts: 1, dead_letter: \"dead\"");
    (1..=40).for_each(|request| kill(&mut bench, request));
    bench.kernel.crash(bench.queue);
    bench.settle(SEXTON, QueueRequest::Redrive);
    bench.settle(SEXTON, QueueRequest::Redrive);
    bench.pass(100_000);
    assert_eq!(bench.dead_probe.held.get(), 40);
    bench.kernel.start(bench.queue, Duration::ZERO);
    bench.pass(31_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((40, 0, 40), 0));
    assert_eq!(bench.tally().copies, 0);
}

#[test]
fn what_dies_again_while_it_is_sent_back_is_not_lost() {
    // The answer to the restoration is lost, and the message dies before it is sent back once more.
    let mut bench = Bench::new("attempts: 1, dead_letter: \"dead\", durable: false");
    kill(&mut bench, 5);
    let rule = Rule {
        owner: 0,
        from: vec![bench.queue],
        to: vec![bench.dead],
        verdict: Verdict::Delay(200_000_000),
    };
    bench.kernel.network().rules.push(rule);
    bench.send(SEXTON, QueueRequest::Redrive);
    bench.pass(5);
    bench.ended();
    bench.kernel.network().rules.clear();
    let handed = bench.take(1, 1);
    bench.reject(&handed[0]);
    bench.pass(1_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((0, 0, 0), 1));
    let tally = bench.dead_probe.tally.get();
    assert_eq!((tally.published, tally.redriven), (2, 1));
}

#[test]
fn one_letter_is_sent_back_before_the_flush_of_the_other_queue_is_over_only_once() {
    let mut bench = Bench::new("attempts: 1, dead_letter: \"dead\", flush: \"30s\"");
    bench.patience.set(seconds(60));
    bench.publish(1);
    bench.pass(40_000);
    let handed = bench.take(1, 1);
    bench.ended();
    bench.reject(&handed[0]);
    assert_eq!(bench.dead_probe.held.get(), 1);
    bench.settle(SEXTON, QueueRequest::Redrive);
    bench.pass(200_000);
    assert_eq!((bench.shown(), bench.dead_probe.held.get()), ((1, 0, 1), 0));
}
