//! Second requests, and calls that a breaker stops.

use super::*;

#[test]
fn the_breaker_opens_lets_a_probe_through_and_closes() {
    let mut bench = bench(Calls {
        breaker: Some(breaker(20)),
        ..plain()
    });
    let back = bench.backs[0];
    bench.manners[0].set(Manner::Fail);
    (0..25).for_each(|_| bench.ask(WRITE));
    assert_eq!(bench.until(10).len(), 25);
    assert_eq!(bench.circuits(), [(3, Circuit::Open)]);
    assert_eq!(bench.probe.breaker.get(), Circuit::Open);
    bench.ask(READ);
    assert_eq!(bench.until(20), [(10, Err((Reason::CircuitOpen, back)), 0)]);
    assert_eq!(bench.counts(), [26, 26, 0, 0, 0, 1]);
    // The probe is slow, so that a second call comes while it is under way.
    bench.manners[0].set(Manner::Answer(30));
    bench.until(6_000);
    bench.ask(READ);
    bench.ask(READ);
    let stopped = (6_000, Err((Reason::CircuitOpen, back)), 0);
    assert_eq!(bench.until(6_100), [stopped, (6_032, Ok(()), 1)]);
    assert_eq!(bench.circuits(), [(6_000, Circuit::HalfOpen), (6_032, Circuit::Closed)]);
    assert_eq!(bench.probe.breaker.get(), Circuit::Closed);
    bench.nothing_is_left();
}

#[test]
fn the_breaker_stops_retries_too_and_can_be_taken_away() {
    let mut bench = bench(Calls {
        retries: 10,
        backoff: Duration::from_millis(500),
        breaker: Some(breaker(3)),
        ..plain()
    });
    let back = bench.backs[0];
    bench.kernel.crash(back);
    bench.ask(READ);
    let ends = bench.until(5_000);
    let (opened, circuit) = bench.circuits()[0];
    assert_eq!(circuit, Circuit::Open);
    assert_eq!(ends, [(opened, Err((Reason::CircuitOpen, back)), 2)]);
    bench.set(|calls| (calls.breaker, calls.retries) = (None, 0));
    bench.ask(READ);
    assert_eq!(bench.until(5_100), [(5_002, Err((Reason::Refused, back)), 0)]);
    assert_eq!(bench.circuits(), [(5_000, Circuit::Closed)]);
}

#[test]
fn a_retry_that_the_breaker_stops_after_its_pause_does_not_count_as_one() {
    let mut bench = bench(Calls {
        retries: 1,
        backoff: Duration::from_millis(500),
        breaker: Some(breaker(2)),
        ..plain()
    });
    let back = bench.backs[0];
    bench.kernel.crash(back);
    bench.ask(READ);
    bench.until(4);
    // The second failure opens the breaker while the first call pauses.
    bench.ask(WRITE);
    let ends = bench.until(1_000);
    assert_eq!(ends[0], (6, Err((Reason::Refused, back)), 0));
    assert_eq!((ends[1].1, ends[1].2), (Err((Reason::CircuitOpen, back)), 0));
    assert_eq!(bench.counts(), [2, 2, 0, 0, 0, 1]);
}

#[test]
fn who_waited_for_a_connection_asks_the_breaker_again() {
    let mut bench = bench(Calls {
        connections: Some(1),
        breaker: Some(breaker(1)),
        ..plain()
    });
    bench.manners[0].set(Manner::Fail);
    (0..3).for_each(|_| bench.ask(READ));
    let reasons = [Reason::Overloaded, Reason::CircuitOpen, Reason::CircuitOpen];
    let ends = reasons.map(|reason| (3, Err((reason, bench.backs[0])), 0));
    assert_eq!(bench.until(100), ends);
    bench.nothing_is_left();
}

#[test]
fn a_second_request_wins_when_the_first_is_slow() {
    let mut bench = bench(Calls {
        hedge: Some(Duration::from_millis(20)),
        ..plain()
    });
    bench.manners[0].set(Manner::Answer(80));
    bench.ask(ALTERNATE);
    bench.ask(WRITE);
    assert_eq!(bench.until(100), [(23, Ok(()), 1), (83, Ok(()), 1)]);
    assert_eq!(bench.counts(), [2, 0, 0, 0, 1, 0]);
    // The second breaks: the first still counts. The first breaks: the second still counts.
    bench.kernel.crash(bench.backs[1]);
    bench.ask(ALTERNATE);
    assert_eq!(bench.until(200), [(182, Ok(()), 1)]);
    bench.kernel.start(bench.backs[1], Duration::ZERO);
    bench.manners[1].set(Manner::Answer(40));
    bench.ask(ALTERNATE);
    bench.until(230);
    bench.kernel.crash(bench.backs[0]);
    assert_eq!(bench.until(300), [(262, Ok(()), 1)]);
    bench.kernel.start(bench.backs[0], Duration::ZERO);
    // Neither answers: the try ends with the timeout of the first.
    bench.answer_both(500);
    bench.ask(ALTERNATE);
    assert_eq!(bench.until(450), [(400, Err((Reason::TimedOut, bench.backs[0])), 0)]);
    // The first breaks and the second never answers: the try ends no later for that.
    bench.ask(ALTERNATE);
    bench.until(500);
    bench.kernel.crash(bench.backs[0]);
    assert_eq!(bench.until(600), [(550, Err((Reason::TimedOut, bench.backs[1])), 0)]);
    bench.until(1_100);
    bench.nothing_is_left();
}

#[test]
fn a_second_request_needs_a_connection_and_a_place_in_the_budget() {
    let mut bench = bench(Calls {
        hedge: Some(Duration::from_millis(20)),
        connections: Some(1),
        budget: Some(0.0),
        ..plain()
    });
    bench.manners[0].set(Manner::Answer(50));
    bench.ask(ALTERNATE);
    assert_eq!(bench.until(100), [(53, Ok(()), 1)]);
    assert_eq!(bench.counts(), [1, 0, 0, 0, 0, 0]);
    bench.set(|calls| calls.connections = None);
    (0..150).for_each(|_| bench.ask(ALTERNATE));
    bench.until(200);
    assert_eq!(bench.counts(), [151, 0, 0, 50, 100, 0]);
    bench.nothing_is_left();
}
