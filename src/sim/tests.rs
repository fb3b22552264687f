//! The kernel with a vocabulary of one word: calls, crashes, timeouts, and what is left behind by each.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::*;

/// A service asks another, or works, or waits.
struct Tiny;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ask {
    /// Ask the next service and pass its answer on.
    Relay,
    /// Work for so many milliseconds.
    Work(u64),
    /// Hold a slot for so many milliseconds.
    Hold(u64),
    /// Spawn something and end the process, which boots for so many milliseconds.
    Abort(u64),
    /// A bug.
    Panic,
}

impl Wire for Tiny {
    type Request = Ask;
    type Reply = u64;
    type Event = String;

    fn fingerprint(_: &Ask) -> u64 {
        0
    }

    fn succeeded(_: &u64) -> bool {
        true
    }
}

/// What the service under test saw.
#[derive(Default)]
struct Seen {
    finished: Cell<u64>,
    dropped: Cell<u64>,
    ends: RefCell<Vec<(SimTime, Result<u64, CallError>)>>,
}

struct Counted(Rc<Seen>, Cell<bool>);

impl Drop for Counted {
    fn drop(&mut self) {
        let cell = if self.1.get() {
            &self.0.finished
        } else {
            &self.0.dropped
        };
        cell.set(cell.get() + 1);
    }
}

struct Service {
    next: Option<InstanceId>,
    timeout: Duration,
    cancels: bool,
    seen: Rc<Seen>,
}

impl Software<Tiny> for Service {
    async fn serve(self: Rc<Self>, cx: Cx<Tiny>, ask: Ask) -> u64 {
        let counted = Counted(Rc::clone(&self.seen), Cell::new(false));
        match ask {
            Ask::Work(millis) => cx.work(millis * 1_000_000).await,
            Ask::Hold(millis) => {
                if let Ok(_slot) = cx.admit().await {
                    cx.sleep(Duration::from_millis(millis)).await;
                }
            }
            Ask::Relay => {
                let call = cx.call(self.next.expect("there is a next"), Ask::Hold(50), self.timeout);
                let end = if self.cancels {
                    call.cancelling().await
                } else {
                    call.await
                };
                self.seen.ends.borrow_mut().push((cx.now(), end));
            }
            Ask::Abort(boot) => {
                let (spawned, own) = (Counted(Rc::clone(&self.seen), Cell::new(false)), cx.detached());
                cx.spawn(async move {
                    own.sleep(Duration::from_millis(1)).await;
                    spawned.1.set(true);
                });
                cx.begin(1, Ask::Work(1));
                cx.abort(Duration::from_millis(boot));
                std::future::pending::<()>().await;
            }
            Ask::Panic => panic!("a bug in a service"),
        }
        counted.1.set(true);
        cx.now().0
    }
}

struct Pair {
    kernel: Kernel<Tiny>,
    front: InstanceId,
    back: InstanceId,
    front_seen: Rc<Seen>,
    back_seen: Rc<Seen>,
}

/// A front that asks a back, 1 ms apart, both of one core; the back has so many slots and so much backlog.
fn pair(timeout: u64, slots: u32, backlog: u32, cancels: bool) -> Pair {
    let mut network = Network::new(1, Duration::from_millis(1));
    network.set_groups(2);
    let mut kernel = Kernel::new(1, network);
    let (front_seen, back_seen): (Rc<Seen>, Rc<Seen>) = Default::default();
    let mut add = |name: &str, group, next, seen: &Rc<Seen>| {
        let machine = kernel.add_machine(name, Place(0), 1);
        let seen = Rc::clone(seen);
        let timeout = Duration::from_millis(timeout);
        let factory = Factory::new(move |_| Service {
            next,
            timeout,
            cancels,
            seen: Rc::clone(&seen),
        });
        let id = kernel.install(Installation {
            machine,
            group: Group(group),
            slots,
            backlog,
            factory,
        });
        kernel.start(id, Duration::ZERO);
        id
    };
    let back = add("back", 1, None, &back_seen);
    let front = add("front", 0, Some(back), &front_seen);
    kernel.advance_to(at(1));
    Pair {
        kernel,
        front,
        back,
        front_seen,
        back_seen,
    }
}

fn at(millis: u64) -> SimTime {
    SimTime(millis * 1_000_000)
}

impl Pair {
    fn nothing_is_left(&self) {
        for instance in [self.front, self.back] {
            assert_eq!(self.kernel.in_progress(self.kernel.machine_of(instance)), (0, 0));
            let meter = self.kernel.meter(instance);
            assert_eq!(
                (meter.present.value(), meter.slots.value(), meter.backlog.value()),
                (0, 0, 0)
            );
            assert_eq!(self.kernel.cores_busy(self.kernel.machine_of(instance)).value(), 0);
        }
    }

    fn ends(&self) -> Vec<Result<u64, CallError>> {
        self.front_seen.ends.borrow().iter().map(|(_, end)| *end).collect()
    }
}

#[test]
fn a_call_takes_two_hops_and_the_time_of_the_work() {
    let mut pair = pair(1_000, 8, 8, false);
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(200));
    assert_eq!(*pair.front_seen.ends.borrow(), [(at(53), Ok(at(52).0))]);
    pair.nothing_is_left();
}

#[test]
fn cores_serve_in_the_order_of_arrival() {
    let mut pair = pair(1_000, 8, 8, false);
    for millis in [10, 20, 5] {
        pair.kernel.cast(pair.back, Ask::Work(millis));
    }
    pair.kernel.advance_to(at(25));
    assert_eq!(pair.back_seen.finished.get(), 1);
    pair.kernel.advance_to(at(36));
    assert_eq!(pair.back_seen.finished.get(), 2);
    pair.kernel.advance_to(at(37));
    assert_eq!(pair.back_seen.finished.get(), 3);
    let busy = pair
        .kernel
        .cores_busy(pair.kernel.machine_of(pair.back))
        .integral(at(100));
    assert!((busy - 0.035).abs() < 1e-9);
    pair.nothing_is_left();
}

#[test]
fn a_full_backlog_turns_away() {
    let mut pair = pair(1_000, 2, 3, false);
    for _ in 0..10 {
        pair.kernel.cast(pair.back, Ask::Hold(10));
    }
    pair.kernel.advance_to(at(2));
    let meter = pair.kernel.meter(pair.back);
    assert_eq!(
        (
            meter.slots.value(),
            meter.backlog.value(),
            pair.back_seen.finished.get()
        ),
        (2, 3, 5)
    );
    pair.kernel.advance_to(at(100));
    pair.nothing_is_left();
}

#[test]
fn a_timeout_leaves_the_callee_at_work_unless_it_cancels() {
    for (cancels, finished, dropped) in [(false, 1, 0), (true, 0, 1)] {
        let mut pair = pair(20, 8, 8, cancels);
        pair.kernel.cast(pair.front, Ask::Relay);
        pair.kernel.advance_to(at(200));
        assert_eq!(*pair.front_seen.ends.borrow(), [(at(21), Err(CallError::TimedOut))]);
        assert_eq!(
            (pair.back_seen.finished.get(), pair.back_seen.dropped.get()),
            (finished, dropped)
        );
        pair.nothing_is_left();
    }
}

#[test]
fn a_crash_resets_what_is_in_progress_and_frees_all_that_it_held() {
    let mut pair = pair(1_000, 2, 8, false);
    for _ in 0..5 {
        pair.kernel.cast(pair.front, Ask::Relay);
    }
    pair.kernel.cast(pair.back, Ask::Work(500));
    pair.kernel.cast(pair.back, Ask::Work(500));
    pair.kernel.advance_to(at(10));
    pair.kernel.crash(pair.back);
    assert_eq!(pair.back_seen.dropped.get(), 7);
    pair.kernel.advance_to(at(20));
    assert_eq!(pair.ends(), [Err(CallError::Reset); 5]);
    pair.nothing_is_left();
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(30));
    assert_eq!(pair.ends().last(), Some(&Err(CallError::Refused)));
}

#[test]
fn news_of_a_former_life_is_dropped() {
    let mut pair = pair(1_000, 8, 8, false);
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(10));
    // The caller dies and starts again; the answer to its former life arrives at 53 ms.
    pair.kernel.crash(pair.front);
    pair.kernel.start(pair.front, Duration::from_millis(5));
    pair.kernel.advance_to(at(20));
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(200));
    assert_eq!(*pair.front_seen.ends.borrow(), [(at(72), Ok(at(71).0))]);
    assert_eq!((pair.front_seen.dropped.get(), pair.front_seen.finished.get()), (1, 1));
    pair.nothing_is_left();
}

#[test]
fn a_process_that_ends_itself_is_gone_at_once_and_serves_after_its_boot() {
    let mut pair = pair(1_000, 2, 8, false);
    // Another service on the machine goes on.
    let neighbour_seen: Rc<Seen> = Rc::default();
    let seen = Rc::clone(&neighbour_seen);
    let factory = Factory::new(move |_| Service {
        next: None,
        timeout: Duration::ZERO,
        cancels: false,
        seen: Rc::clone(&seen),
    });
    let neighbour = pair.kernel.install(Installation {
        machine: pair.kernel.machine_of(pair.back),
        group: Group(1),
        slots: 8,
        backlog: 8,
        factory,
    });
    pair.kernel.start(neighbour, Duration::ZERO);
    pair.kernel.advance_to(at(2));
    for _ in 0..5 {
        pair.kernel.cast(pair.front, Ask::Relay);
    }
    pair.kernel.cast(neighbour, Ask::Hold(100));
    pair.kernel.cast(neighbour, Ask::Work(20));
    pair.kernel.advance_to(at(10));
    pair.kernel.cast(pair.back, Ask::Work(500));
    pair.kernel.cast(pair.back, Ask::Abort(40));
    pair.kernel.advance_to(at(11));
    assert_eq!(
        pair.kernel.process_state(pair.back),
        ProcessState::Booting { until: at(50) }
    );
    // The five, the work, itself, and what it had just spawned; what it had begun never was.
    assert_eq!((pair.back_seen.dropped.get(), pair.back_seen.finished.get()), (8, 0));
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(40));
    assert_eq!(pair.ends()[..5], [Err(CallError::Reset); 5]);
    assert_eq!(pair.ends()[5..], [Err(CallError::Refused)]);
    assert_eq!(neighbour_seen.finished.get(), 1);
    pair.kernel.advance_to(at(50));
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(51));
    assert_eq!(pair.kernel.process_state(pair.back), ProcessState::Up);
    pair.kernel.advance_to(at(200));
    assert_eq!(pair.ends().last(), Some(&Ok(at(101).0)));
    assert_eq!((neighbour_seen.finished.get(), neighbour_seen.dropped.get()), (2, 0));
    assert_eq!(pair.back_seen.finished.get(), 1);
    pair.nothing_is_left();
}

#[test]
fn a_process_can_end_itself_again_and_again_and_without_a_boot() {
    let mut pair = pair(1_000, 8, 8, false);
    for round in 0..100 {
        pair.kernel.cast(pair.back, Ask::Abort(0));
        pair.kernel.cast(pair.back, Ask::Abort(0));
        pair.kernel.advance_to(at(2 + round));
        assert_eq!(pair.kernel.process_state(pair.back), ProcessState::Up);
        pair.nothing_is_left();
    }
    assert_eq!(pair.back_seen.finished.get(), 0);
    // The second one of a round finds a process that boots, and is refused.
    assert_eq!(pair.back_seen.dropped.get(), 200);
}

#[test]
fn a_hung_process_accepts_and_never_answers() {
    let mut pair = pair(100, 8, 8, false);
    pair.kernel.hang(pair.back);
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(500));
    assert_eq!(pair.ends(), [Err(CallError::TimedOut)]);
    assert_eq!(pair.kernel.process_state(pair.back), ProcessState::Hung);
}

#[test]
fn a_destroyed_machine_is_silent_and_its_disk_is_gone() {
    let mut pair = pair(100, 8, 8, false);
    let machine = pair.kernel.machine_of(pair.back);
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(10));
    pair.kernel.destroy(machine);
    pair.kernel.advance_to(at(500));
    assert_eq!(pair.ends(), [Err(CallError::TimedOut)]);
    assert!(pair.kernel.is_gone(machine));
    pair.kernel.replace(machine);
    pair.kernel.start(pair.back, Duration::from_millis(10));
    pair.kernel.advance_to(at(520));
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(700));
    assert!(pair.ends().last().is_some_and(Result::is_ok));
    pair.nothing_is_left();
}

#[test]
fn memory_follows_the_calls_in_progress_and_not_their_timeouts() {
    // A timeout of an hour: what is kept for each call goes with its answer.
    let mut pair = pair(3_600_000, 1_000, 1_000, false);
    for round in 0..100 {
        for _ in 0..100 {
            pair.kernel.cast(pair.front, Ask::Relay);
        }
        pair.kernel.advance_to(at(1_000 + 100 * round));
        pair.nothing_is_left();
    }
    assert_eq!(pair.ends().len(), 10_000);
}

#[test]
fn lost_packets_are_sent_again_and_cut_ones_are_not() {
    let mut pair = pair(60_000, 8, 8, false);
    let rule = |verdict| Rule {
        owner: 0,
        from: vec![pair.front],
        to: vec![pair.back],
        verdict,
    };
    let (drop, lose, delay) = (
        rule(Verdict::Drop),
        rule(Verdict::Lose(0.5)),
        rule(Verdict::Delay(7_000_000)),
    );
    pair.kernel.network().rules = vec![delay];
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(100));
    assert_eq!(pair.front_seen.ends.borrow().last(), Some(&(at(60), Ok(at(59).0))));
    pair.kernel.network().rules = vec![lose];
    for _ in 0..100 {
        pair.kernel.cast(pair.front, Ask::Relay);
    }
    pair.kernel.advance_to(at(50_000));
    let late = pair
        .front_seen
        .ends
        .borrow()
        .iter()
        .filter(|(end, _)| *end >= at(100 + 52 + 200))
        .count();
    assert!(
        pair.ends().iter().all(Result::is_ok) && (20..80).contains(&late),
        "{late} of 100 were sent again"
    );
    pair.kernel.network().rules = vec![drop];
    pair.kernel.cast(pair.front, Ask::Relay);
    pair.kernel.advance_to(at(200_000));
    assert_eq!(pair.ends().last(), Some(&Err(CallError::TimedOut)));
    pair.nothing_is_left();
}

#[test]
fn a_panic_in_a_service_ends_the_world_with_its_machine_time_and_seed() {
    let ended = std::panic::catch_unwind(|| {
        let mut pair = pair(100, 8, 8, false);
        pair.kernel.cast(pair.back, Ask::Panic);
        pair.kernel.advance_to(at(500));
    });
    let payload = ended.expect_err("it ends");
    let message = payload.downcast_ref::<String>().expect("in words");
    assert!(
        message.contains("machine back failed at 00:00.001 with seed 1"),
        "{message}"
    );
}

/// Tests of the helpers for joining and racing, and of signals.
struct Juggler {
    back: InstanceId,
    signal: Rc<Signal>,
    notes: Rc<RefCell<Vec<(u64, String)>>>,
}

impl Software<Tiny> for Juggler {
    fn start(self: &Rc<Self>, cx: &Cx<Tiny>) {
        let (juggler, cx) = (Rc::clone(self), cx.detached());
        cx.detached().spawn(async move {
            juggler.signal.wait(&cx).await;
            juggler
                .notes
                .borrow_mut()
                .push((cx.now().0 / 1_000_000, "signal".into()));
        });
    }

    async fn serve(self: Rc<Self>, cx: Cx<Tiny>, _: Ask) -> u64 {
        let note = |text: String| self.notes.borrow_mut().push((cx.now().0 / 1_000_000, text));
        let call = |millis| cx.call(self.back, Ask::Hold(millis), Duration::from_secs(1));
        let ends = join_all([call(30), call(10), call(20)]).await;
        note(format!("joined {}", ends.iter().filter(|end| end.is_ok()).count()));
        match race(call(40), cx.sleep(Duration::from_millis(10))).await {
            Either::First(_) => note("call".into()),
            Either::Second(()) => note("sleep".into()),
        }
        self.signal.raise(&cx);
        cx.emit("done".into());
        0
    }
}

#[test]
fn handlers_can_join_race_and_signal() {
    let Pair { mut kernel, back, .. } = pair(1_000, 8, 8, false);
    let notes: Rc<RefCell<Vec<(u64, String)>>> = Rc::default();
    let shared = Rc::clone(&notes);
    let machine = kernel.add_machine("juggler", Place(0), 1);
    let factory = Factory::new(move |_| Juggler {
        back,
        signal: Rc::default(),
        notes: Rc::clone(&shared),
    });
    let juggler = kernel.install(Installation {
        machine,
        group: Group(0),
        slots: 1,
        backlog: 1,
        factory,
    });
    kernel.start(juggler, Duration::ZERO);
    kernel.advance_to(at(10));
    kernel.cast(juggler, Ask::Relay);
    kernel.advance_to(at(500));
    let expected = [(42, "joined 3"), (52, "sleep"), (52, "signal")].map(|(at, text)| (at, text.to_owned()));
    assert_eq!(*notes.borrow(), expected);
    let reports = kernel.take_reports();
    assert_eq!(reports, [(at(52), juggler, "done".to_owned())]);
    assert_eq!(kernel.in_progress(machine), (0, 0));
}
