//! A caller and callees that behave as they are told, 1 ms apart.

use std::cell::Cell;

use crate::layout::Breaker;
use crate::observe::Circuit;
use crate::protocol::{Answer, Failure, Query};
use crate::sim::{Factory, Group, Installation, Kernel, Network, Place, Software};

use super::*;

mod hedge_and_breaker;

/// How a callee behaves.
#[derive(Clone, Copy)]
enum Manner {
    /// It answers after so many milliseconds.
    Answer(u64),
    /// It answers that it is overloaded.
    Fail,
}

struct Callee(Rc<Cell<Manner>>);

impl Software<System> for Callee {
    async fn serve(self: Rc<Self>, cx: Cx<System>, _: Request) -> Reply {
        match self.0.get() {
            Manner::Fail => Reply::failure(Reason::Overloaded, cx.id()),
            Manner::Answer(millis) => {
                cx.sleep(Duration::from_millis(millis)).await;
                Reply {
                    retries: 1,
                    ..Reply::answer(Answer::Fine)
                }
            }
        }
    }
}

/// What the one who calls is asked to do, by the number of a look-up.
const READ: u16 = 0;
const WRITE: u16 = 1;
const ALTERNATE: u16 = 2;
/// From here on: alternate, with a patience of so many milliseconds.
const PATIENCE: u16 = 100;

struct Front {
    caller: Caller,
    backs: [InstanceId; 2],
    notes: Rc<Notes>,
}

#[derive(Default)]
struct Notes {
    ends: RefCell<Vec<(u64, Reply)>>,
    memory: Cell<usize>,
}

impl Software<System> for Front {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Lookup(number) = request else {
            self.caller.retune(&cx);
            return Reply::answer(Answer::Fine);
        };
        let write = Request::Query(Query {
            operation: Operation::Update,
            key: 1,
            once: true,
            after: crate::protocol::Stamp::ORIGINAL,
            bytes: 0,
        });
        let alternate = |named: u32| self.backs[named as usize % 2];
        let deadline = Deadline {
            began: cx.now(),
            patience: Duration::from_millis(u64::from(number)),
        };
        let reply = match number {
            READ => {
                let call = self.caller.call(&cx, self.backs[0], Request::Check, true);
                self.notes.memory.set(size_of_val(&call));
                call.await
            }
            WRITE => self.caller.call(&cx, self.backs[0], write, false).await,
            ALTERNATE => self.caller.call_to(&cx, alternate, &Request::Check, true, None).await,
            _ => {
                self.caller
                    .call_to(&cx, alternate, &Request::Check, true, Some(deadline))
                    .await
            }
        };
        self.notes
            .ends
            .borrow_mut()
            .push((cx.now().0 / 1_000_000, reply.clone()));
        reply
    }
}

struct Bench {
    kernel: Kernel<System>,
    front: InstanceId,
    backs: [InstanceId; 2],
    manners: [Rc<Cell<Manner>>; 2],
    settings: Rc<RefCell<Calls>>,
    probe: Rc<CallsProbe>,
    notes: Rc<Notes>,
}

/// How a call ended: when, the reason and place of a failure, retries.
type Ended = (u64, Result<(), (Reason, InstanceId)>, u8);

/// A timeout of 100 ms, no backoff, no breaker, no budget.
fn plain() -> Calls {
    Calls {
        timeout: Duration::from_millis(100),
        retries: 0,
        budget: None,
        backoff: Duration::ZERO,
        breaker: None,
        ..Calls::to_service()
    }
}

/// A breaker that judges after so many calls.
fn breaker(calls: u32) -> Breaker {
    Breaker {
        calls,
        ..Breaker::default()
    }
}

fn at(millis: u64) -> SimTime {
    SimTime(millis * 1_000_000)
}

/// It is 1 ms, and all are ready.
fn bench(settings: Calls) -> Bench {
    let mut kernel = Kernel::new(1, Network::new(1, Duration::from_millis(1)));
    let manners: [Rc<Cell<Manner>>; 2] = [(); 2].map(|()| Rc::new(Cell::new(Manner::Answer(0))));
    let mut add = |name: &str, factory| {
        let machine = kernel.add_machine(name, Place(0), 1);
        let id = kernel.install(Installation {
            machine,
            group: Group(0),
            slots: 8,
            backlog: 8,
            factory,
        });
        kernel.start(id, Duration::ZERO);
        id
    };
    let mut callee = |name: &str, manner: &Rc<Cell<Manner>>| {
        let manner = Rc::clone(manner);
        add(name, Factory::new(move |_| Callee(Rc::clone(&manner))))
    };
    let backs = [callee("back/1", &manners[0]), callee("back/2", &manners[1])];
    let (settings, probe, notes) = (Rc::new(RefCell::new(settings)), Rc::default(), Rc::default());
    let shared = (Rc::clone(&settings), Rc::clone(&probe), Rc::clone(&notes));
    let front = add(
        "front",
        Factory::new(move |cx| Front {
            caller: Caller::new(cx, "back", Rc::clone(&shared.0), Rc::clone(&shared.1)),
            backs,
            notes: Rc::clone(&shared.2),
        }),
    );
    kernel.advance_to(at(1));
    Bench {
        kernel,
        front,
        backs,
        manners,
        settings,
        probe,
        notes,
    }
}

impl Bench {
    fn answer_both(&self, millis: u64) {
        self.manners
            .iter()
            .for_each(|manner| manner.set(Manner::Answer(millis)));
    }

    fn ask(&mut self, number: u16) {
        self.kernel.cast(self.front, Request::Lookup(number));
    }

    fn set(&self, change: impl FnOnce(&mut Calls)) {
        change(&mut self.settings.borrow_mut());
    }

    /// How the calls ended up to a moment.
    fn until(&mut self, millis: u64) -> Vec<Ended> {
        self.kernel.advance_to(at(millis));
        let ends = self.notes.ends.take().into_iter();
        ends.map(|(when, reply)| {
            let outcome = reply.outcome.map(|_| ()).map_err(|Failure { reason, at }| (reason, at));
            (when, outcome, reply.retries)
        })
        .collect()
    }

    fn circuits(&mut self) -> Vec<(u64, Circuit)> {
        let reports = self.kernel.take_reports().into_iter();
        reports
            .filter_map(|(when, _, event)| match event {
                Event::Breaker { state, .. } => Some((when.0 / 1_000_000, state)),
                _ => None,
            })
            .collect()
    }

    /// Calls, failed, retried, over budget, hedged, stopped.
    fn counts(&self) -> [u64; 6] {
        let probe = &self.probe;
        [
            &probe.calls,
            &probe.failed,
            &probe.retried,
            &probe.over_budget,
            &probe.hedged,
            &probe.stopped,
        ]
        .map(Cell::get)
    }

    fn connections(&self) -> (u32, u32) {
        (self.probe.connections.in_use(), self.probe.connections.waiting())
    }

    fn nothing_is_left(&self) {
        assert_eq!(self.connections(), (0, 0));
        assert_eq!(self.kernel.in_progress(self.kernel.machine_of(self.front)), (0, 0));
    }
}

#[test]
fn a_plain_call_takes_two_hops_and_little_memory() {
    let mut bench = bench(Calls::to_service());
    bench.manners[0].set(Manner::Answer(10));
    bench.ask(READ);
    assert_eq!(bench.until(100), [(13, Ok(()), 1)]);
    assert_eq!(bench.counts(), [1, 0, 0, 0, 0, 0]);
    // It is moved into the memory of its handler, so its size is part of the cost of each request.
    let memory = bench.notes.memory.get();
    assert!(memory <= 1_024, "{memory} bytes");
    bench.nothing_is_left();
}

#[test]
fn what_broke_on_the_way_is_tried_again_if_it_may_be_repeated() {
    let mut bench = bench(Calls { retries: 3, ..plain() });
    let back = bench.backs[0];
    bench.kernel.crash(back);
    bench.ask(READ);
    bench.ask(WRITE);
    let refused = Err((Reason::Refused, back));
    assert_eq!(bench.until(100), [(3, refused, 0), (9, refused, 3)]);
    assert_eq!(bench.counts(), [2, 2, 3, 0, 0, 0]);
    let retried = Event::Retried {
        reason: Reason::Refused,
        at: back,
        later: false,
    };
    let expected = [3, 5, 7].map(|millis| (at(millis), bench.front, retried));
    assert_eq!(bench.kernel.take_reports(), expected);
    // Another target answers; its own retry is added to that on the way.
    bench.ask(ALTERNATE);
    assert_eq!(bench.until(200), [(104, Ok(()), 2)]);
    bench.nothing_is_left();
}

#[test]
fn a_failure_of_the_callee_itself_is_not_tried_again() {
    let mut bench = bench(Calls { retries: 3, ..plain() });
    bench.manners[0].set(Manner::Fail);
    bench.ask(READ);
    assert_eq!(bench.until(100), [(3, Err((Reason::Overloaded, bench.backs[0])), 0)]);
}

#[test]
fn pauses_are_uniform_below_a_bound_that_doubles_up_to_the_longest() {
    let mut bench = bench(Calls {
        retries: 3,
        backoff: Duration::from_millis(100),
        backoff_most: Duration::from_millis(250),
        ..plain()
    });
    bench.kernel.crash(bench.backs[0]);
    let mut pauses = [const { Vec::new() }; 3];
    for round in 1..=2_000 {
        let mut last = at(1_000 * round);
        bench.kernel.advance_to(last);
        bench.ask(READ);
        bench.until(1_000 * round + 999);
        for (number, (when, ..)) in bench.kernel.take_reports().into_iter().enumerate() {
            // Each try takes 2 ms before the pause.
            pauses[number].push(((when - last).as_nanos() - 2_000_000) as f64 / 1e6);
            last = when;
        }
    }
    for (pauses, bound) in pauses.iter().zip([100.0, 200.0, 250.0]) {
        assert_eq!(pauses.len(), 2_000);
        assert!(pauses.iter().all(|pause| (0.0..bound).contains(pause)));
        let mean = pauses.iter().sum::<f64>() / 2_000.0;
        assert!((mean / bound - 0.5).abs() < 0.03, "{mean} of {bound}");
    }
    bench.nothing_is_left();
}

#[test]
fn the_budget_limits_retries() {
    let mut bench = bench(Calls {
        retries: 1,
        budget: Some(0.2),
        ..plain()
    });
    bench.kernel.crash(bench.backs[0]);
    (0..500).for_each(|_| bench.ask(READ));
    bench.until(100);
    assert_eq!(bench.counts(), [500, 500, 200, 300, 0, 0]);
}

#[test]
fn waiting_for_a_connection_counts_against_the_timeout() {
    let mut bench = bench(Calls {
        connections: Some(1),
        ..plain()
    });
    bench.manners[0].set(Manner::Answer(58));
    (0..3).for_each(|_| bench.ask(READ));
    bench.kernel.advance_to(at(10));
    assert_eq!(bench.connections(), (1, 2));
    let late = (101, Err((Reason::TimedOut, bench.backs[0])), 0);
    let none = (101, Err((Reason::PoolExhausted, bench.front)), 0);
    let ends = bench.until(200);
    assert_eq!(ends[0], (61, Ok(()), 1));
    assert!(
        ends.len() == 3 && ends.contains(&late) && ends.contains(&none),
        "{ends:?}"
    );
    bench.nothing_is_left();
    // More of them let in who waits: at once when told, or else at the next call.
    (0..3).for_each(|_| bench.ask(READ));
    bench.until(210);
    bench.set(|calls| calls.connections = Some(2));
    bench.kernel.cast(bench.front, Request::Retune);
    bench.until(212);
    assert_eq!(bench.connections(), (2, 1));
    bench.set(|calls| calls.connections = None);
    bench.ask(READ);
    bench.until(214);
    assert_eq!(bench.connections(), (4, 0));
    assert!(bench.until(400).iter().all(|(_, outcome, _)| outcome.is_ok()));
    bench.nothing_is_left();
}

#[test]
fn no_try_lasts_longer_and_no_retry_begins_later_than_the_deadline() {
    let mut bench = bench(Calls { retries: 10, ..plain() });
    let backs = bench.backs;
    bench.answer_both(10_000);
    bench.ask(PATIENCE + 150);
    bench.ask(PATIENCE);
    let late = |millis, place: usize, retries| (millis, Err((Reason::TimedOut, backs[place])), retries);
    assert_eq!(bench.until(500), [late(101, 0, 0), late(251, 0, 2)]);
    // A pause that ends after the deadline is not begun.
    bench.kernel.crash(backs[0]);
    bench.kernel.crash(backs[1]);
    let minute = Duration::from_secs(60);
    bench.set(|calls| (calls.backoff, calls.backoff_most) = (minute, minute));
    bench.until(1_000);
    bench.ask(PATIENCE);
    assert_eq!(bench.until(1_200), [(1_002, Err((Reason::Refused, backs[0])), 0)]);
    bench.nothing_is_left();
}

#[test]
fn a_crash_in_the_middle_leaves_nothing_behind() {
    let mut bench = bench(Calls {
        connections: Some(4),
        retries: 2,
        hedge: Some(Duration::from_millis(5)),
        backoff: Duration::from_secs(1),
        breaker: Some(breaker(1)),
        ..plain()
    });
    // Once with a probe under way, once with calls that wait, are hedged, or pause before they are tried again.
    bench.manners[0].set(Manner::Fail);
    bench.ask(READ);
    bench.until(5_010);
    bench.manners[0].set(Manner::Answer(50));
    for breaker in [breaker(1), breaker(1_000)] {
        bench.set(|calls| calls.breaker = Some(breaker));
        (0..10).for_each(|_| bench.ask(ALTERNATE));
        let now = bench.kernel.now().0 / 1_000_000;
        bench.until(now + 30);
        bench.kernel.crash(bench.backs[1]);
        (0..10).for_each(|_| bench.ask(ALTERNATE));
        bench.until(now + 40);
        assert_ne!(bench.connections().0, 0);
        bench.kernel.crash(bench.front);
        bench.until(now + 200);
        bench.nothing_is_left();
        bench.kernel.start(bench.front, Duration::ZERO);
        bench.kernel.start(bench.backs[1], Duration::ZERO);
        bench.until(now + 300);
        assert_eq!(bench.probe.breaker.get(), Circuit::Closed);
        bench.ask(READ);
        assert!(matches!(bench.until(now + 400)[..], [(_, Ok(()), _)]));
        bench.nothing_is_left();
    }
}
