//! A web server that does nothing but publish, and a queue that does as it is told, 1 ms apart.

use crate::layout::Calls;
use crate::observe::PublishTally;
use crate::parts::common::Caller;
use crate::protocol::{Answer, Ask, Format, Owner, Pass, Stamp};
use crate::sim::{Factory, Group, Installation, InstanceId, Kernel, Network, Place, SimTime, Software};

use super::*;

/// What the queue has, and how it behaves.
#[derive(Default)]
struct Store {
    /// The requests of the messages that it has confirmed, in their order.
    taken: RefCell<Vec<u64>>,
    /// When it was asked, in milliseconds.
    asked: RefCell<Vec<u64>>,
    full: Cell<bool>,
    /// How long it takes.
    delay: Cell<Duration>,
}

struct FakeQueue(Rc<Store>);

impl Software<System> for FakeQueue {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let store = &self.0;
        let Request::Queue(QueueRequest::Publish(message)) = request else {
            return Reply::answer(Answer::Fine);
        };
        assert_eq!(message.request, cx.request(), "it is part of the user's request");
        assert_eq!((message.key, message.bytes), (message.request * 10, 500));
        store.asked.borrow_mut().push(millis(cx.now()));
        if store.full.get() {
            return Reply::failure(Reason::QueueFull, cx.id());
        }
        if !store.delay.get().is_zero() {
            cx.sleep(store.delay.get()).await;
        }
        store.taken.borrow_mut().push(message.request);
        Reply::answer(Answer::Fine)
    }
}

/// How publishing ended: when, for which request, and how.
type Ended = (u64, u64, Result<u8, Reason>);

struct Front {
    publisher: Rc<Publisher>,
    ended: Rc<RefCell<Vec<Ended>>>,
    next: Rc<Cell<u64>>,
}

impl Software<System> for Front {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(&self.publisher).send_later(cx.detached()));
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Http(mut http) = request else {
            self.publisher.retune(&cx);
            return Reply::answer(Answer::Fine);
        };
        if cx.request() == 0 {
            self.next.set(self.next.get() + 1);
            http.key = 10 * self.next.get();
            cx.begin(self.next.get(), Request::Http(http));
            return Reply::answer(Answer::Fine);
        }
        let end = self.publisher.publish(&cx, &http).await;
        let end = end.map_err(|reply| reply.outcome.expect_err("a failure").reason);
        self.ended.borrow_mut().push((millis(cx.now()), cx.request(), end));
        Reply::answer(Answer::Fine)
    }
}

struct Bench {
    kernel: Kernel<System>,
    store: Rc<Store>,
    settings: Rc<RefCell<Publish>>,
    probe: Rc<PublishProbe>,
    queue: InstanceId,
    front: InstanceId,
    ended: Rc<RefCell<Vec<Ended>>>,
    events: Vec<(u64, Event)>,
}

fn millis(at: SimTime) -> u64 {
    at.0 / 1_000_000
}

impl Bench {
    /// A web server that publishes with a confirmation. It calls once, and waits 1 s for an answer.
    fn new(fallback: Fallback) -> Bench {
        let mut kernel = Kernel::new(7, Network::new(1, Duration::from_millis(1)));
        let store: Rc<Store> = Rc::default();
        let kept = Rc::clone(&store);
        let queue = install(&mut kernel, "queue", Factory::new(move |_| FakeQueue(Rc::clone(&kept))));
        let settings = Rc::new(RefCell::new(Publish {
            to: "queue".into(),
            confirm: true,
            fallback,
        }));
        let (probe, ended): (Rc<PublishProbe>, Rc<RefCell<Vec<Ended>>>) = Default::default();
        let (tuned, shown, told, next) = (
            Rc::clone(&settings),
            Rc::clone(&probe),
            Rc::clone(&ended),
            Rc::<Cell<u64>>::default(),
        );
        let calls = Calls {
            retries: 0,
            ..Calls::to_queue()
        };
        let make = move |cx: &Cx<System>| {
            let callee = Callee {
                to: queue,
                caller: Caller::new(cx, "queue", Rc::new(RefCell::new(calls)), Rc::default()),
            };
            Front {
                publisher: Rc::new(Publisher::new(Rc::clone(&tuned), callee, Rc::clone(&shown))),
                ended: Rc::clone(&told),
                next: Rc::clone(&next),
            }
        };
        let front = install(&mut kernel, "web", Factory::new(make));
        for id in [queue, front] {
            kernel.start(id, Duration::ZERO);
        }
        let mut bench = Bench {
            kernel,
            store,
            settings,
            probe,
            queue,
            front,
            ended,
            events: Vec::new(),
        };
        bench.until(0);
        bench
    }

    /// Runs until a time in milliseconds.
    fn until(&mut self, at: u64) {
        self.kernel.advance_to(SimTime(at * 1_000_000 + 1_000));
        let reports = self.kernel.take_reports();
        let told = reports.into_iter().map(|(at, _, event)| (millis(at), event));
        // How calls are repeated is no concern of these tests.
        self.events
            .extend(told.filter(|(_, event)| !matches!(event, Event::Retried { .. })));
    }

    fn upload(&mut self, count: u64) {
        for _ in 0..count {
            let http = Http {
                ask: Ask::Upload,
                key: 0,
                bytes: 200,
                row: 500,
                edition: 0,
                format: Format::Html,
                user: Owner::new(0, 0),
                cookie: None,
                pass: Pass::None,
                once: false,
                wrote: (0, Stamp::ORIGINAL),
            };
            self.kernel.cast(self.front, Request::Http(http));
        }
    }

    /// How those ended that have since the last look.
    fn ended(&self) -> Vec<Ended> {
        self.ended.take()
    }

    fn tally(&self) -> PublishTally {
        self.probe.tally.get()
    }

    /// Messages that users were told of, though the queue had not confirmed them; and whether they were held.
    fn promised(&self) -> Vec<(u64, bool)> {
        let promised = self.events.iter().filter_map(|(_, event)| match event {
            Event::JobPromised { job, held } => Some((job.0, *held)),
            _ => None,
        });
        promised.collect()
    }

    fn nothing_is_left(&self) {
        assert_eq!((self.probe.outbox.get(), self.probe.blocked.get()), (0, 0));
        // The outbox waits to be filled.
        assert_eq!(self.kernel.in_progress(self.kernel.machine_of(self.front)), (1, 0));
    }
}

fn install(kernel: &mut Kernel<System>, name: &str, factory: Factory<System>) -> InstanceId {
    let machine = kernel.add_machine(name, Place(0), 4);
    kernel.install(Installation {
        machine,
        group: Group(0),
        slots: 10_000,
        backlog: 0,
        factory,
    })
}

fn outbox(messages: u32) -> Fallback {
    Fallback::Outbox { messages }
}

#[test]
fn a_confirmed_message_takes_a_way_there_and_back() {
    for fallback in [Fallback::Refuse, Fallback::Drop, outbox(10)] {
        let mut bench = Bench::new(fallback);
        bench.store.delay.set(Duration::from_millis(3));
        bench.upload(2);
        bench.until(100);
        assert_eq!(bench.ended(), [(5, 1, Ok(0)), (5, 2, Ok(0))]);
        assert_eq!(*bench.store.taken.borrow(), [1, 2]);
        let expected = PublishTally {
            confirmed: 2,
            ..PublishTally::default()
        };
        assert_eq!((bench.tally(), &bench.events[..]), (expected, &[][..]));
        bench.nothing_is_left();
    }
}

#[test]
fn without_a_confirmation_nobody_waits_and_nobody_knows() {
    let mut bench = Bench::new(Fallback::Refuse);
    bench.settings.borrow_mut().confirm = false;
    bench.upload(1);
    bench.until(100);
    bench.kernel.crash(bench.queue);
    bench.upload(1);
    bench.until(200);
    assert_eq!(bench.ended(), [(0, 1, Ok(0)), (100, 2, Ok(0))]);
    assert_eq!(*bench.store.taken.borrow(), [1]);
    assert_eq!(bench.promised(), [(1, false), (2, false)]);
    assert_eq!(bench.tally().unconfirmed, 2);
    bench.nothing_is_left();
}

#[test]
fn what_is_not_confirmed_is_refused_or_dropped() {
    let mut bench = Bench::new(Fallback::Refuse);
    bench.store.full.set(true);
    bench.upload(1);
    bench.until(100);
    bench.kernel.crash(bench.queue);
    bench.upload(1);
    bench.until(200);
    bench.settings.borrow_mut().fallback = Fallback::Drop;
    bench.upload(1);
    bench.until(300);
    let refused = |at, request, reason| (at, request, Err(reason));
    assert_eq!(
        bench.ended(),
        [
            refused(2, 1, Reason::QueueFull),
            refused(102, 2, Reason::Refused),
            (202, 3, Ok(0))
        ]
    );
    let expected = PublishTally {
        refused: 2,
        dropped: 1,
        ..PublishTally::default()
    };
    assert_eq!(bench.tally(), expected);
    let job = JobId(3);
    // That it does without the queue is told once, before.
    let told = |(_, event): &&(u64, Event)| matches!(event, Event::NodeAvoided { .. });
    assert_eq!(bench.events.iter().filter(told).count(), 1);
    assert_eq!(bench.events.last(), Some(&(202, Event::JobDropped { job })));
    bench.nothing_is_left();
}

#[test]
fn a_blocked_request_goes_on_when_the_queue_does_or_ends_in_time() {
    let longest = Duration::from_secs(3);
    let mut bench = Bench::new(Fallback::Block { longest });
    bench.store.full.set(true);
    bench.upload(2);
    bench.until(1_000);
    assert_eq!((bench.probe.blocked.get(), bench.ended().len()), (2, 0));
    // Pauses of 100, 200, 400, 800, 1,000 ms, and 2 ms for each try.
    bench.until(3_000);
    let asked: Vec<u64> = bench.store.asked.take().into_iter().step_by(2).collect();
    assert_eq!(asked, [1, 103, 305, 707, 1_509, 2_511]);
    // Another pause would end too late.
    assert_eq!(
        bench.ended(),
        [1, 2].map(|request| (2_512, request, Err(Reason::QueueFull)))
    );
    assert_eq!(bench.tally().refused, 2);
    bench.upload(1);
    bench.until(3_500);
    bench.store.full.set(false);
    bench.until(4_000);
    // At 3,000, 3,102, 3,304 and 3,706.
    assert_eq!(bench.ended(), [(3_708, 3, Ok(3))]);
    assert_eq!(bench.tally().confirmed, 1);
    bench.nothing_is_left();
    // A queue that says nothing: the last try ends with the patience.
    bench.kernel.hang(bench.queue);
    bench.upload(1);
    bench.until(8_000);
    assert_eq!(bench.ended(), [(7_000, 4, Err(Reason::TimedOut))]);
    bench.nothing_is_left();
}

#[test]
fn a_blocked_request_ends_with_its_process() {
    let longest = Duration::from_secs(60);
    let mut bench = Bench::new(Fallback::Block { longest });
    bench.kernel.crash(bench.queue);
    bench.upload(5);
    bench.until(1_000);
    assert_eq!(bench.probe.blocked.get(), 5);
    bench.kernel.crash(bench.front);
    bench.until(1_100);
    assert_eq!(bench.probe.blocked.get(), 0);
    bench.kernel.start(bench.front, Duration::ZERO);
    bench.until(1_200);
    bench.nothing_is_left();
}

#[test]
fn an_outbox_sends_later_in_its_order_and_nobody_overtakes() {
    let mut bench = Bench::new(outbox(1_000));
    bench.kernel.crash(bench.queue);
    for number in 0..100 {
        bench.until(number * 10);
        bench.upload(1);
    }
    bench.until(1_100);
    // The first one was refused; those behind it do not ask.
    let ended = bench.ended();
    assert_eq!(ended[0], (2, 1, Ok(0)));
    assert!(
        ended[1..]
            .iter()
            .all(|(at, request, end)| (*at, *end) == ((request - 1) * 10, Ok(0)))
    );
    assert_eq!(
        (ended.len(), bench.probe.outbox.get(), bench.tally().kept),
        (100, 100, 100)
    );
    assert_eq!(bench.promised(), (1..=100).map(|job| (job, true)).collect::<Vec<_>>());
    bench.kernel.start(bench.queue, Duration::ZERO);
    bench.store.delay.set(Duration::from_millis(50));
    // New ones come while it sends: they go behind.
    for number in 0..100 {
        bench.until(1_100 + number * 10);
        bench.upload(1);
    }
    bench.until(10_000);
    assert_eq!(*bench.store.taken.borrow(), (1..=200).collect::<Vec<_>>());
    let tally = bench.tally();
    assert_eq!(tally.kept, tally.sent_later);
    assert_eq!((tally.kept + tally.confirmed, tally.refused), (200, 0));
    assert!(tally.kept > 110, "{tally:?}");
    bench.nothing_is_left();
    // Once it is empty, messages are confirmed again.
    bench.upload(1);
    bench.until(10_100);
    assert_eq!(bench.tally().confirmed, tally.confirmed + 1);
}

#[test]
fn an_outbox_asks_a_dead_queue_seldom_and_a_live_one_for_many_at_once() {
    let mut bench = Bench::new(outbox(1_000));
    bench.store.full.set(true);
    bench.upload(1);
    bench.until(10);
    bench.upload(499);
    bench.until(60_000);
    // Pauses of at most 0.25, 0.5, 1, 2, 4 s, then 5, half of it in the mean; one message each.
    let asked = bench.store.asked.take().len();
    assert!((15..=45).contains(&asked), "{asked}");
    bench.store.full.set(false);
    bench.store.delay.set(Duration::from_millis(10));
    bench.until(66_000);
    let asked = bench.store.asked.take();
    assert_eq!((asked.len(), bench.probe.outbox.get()), (500, 0));
    // One to find out, then 16 at once, 12 ms each.
    let (first, last) = (asked[0], asked[499]);
    assert_eq!(last - first, 12 * 499_u64.div_ceil(16));
    bench.nothing_is_left();
}

#[test]
fn a_full_outbox_refuses_and_one_that_dies_loses_all() {
    let mut bench = Bench::new(outbox(3));
    bench.store.full.set(true);
    bench.upload(1);
    bench.until(10);
    bench.upload(4);
    bench.until(20);
    let ends: Vec<(u64, Result<u8, Reason>)> = bench.ended().iter().map(|(_, request, end)| (*request, *end)).collect();
    let full = Err(Reason::QueueFull);
    assert_eq!(ends, [(1, Ok(0)), (2, Ok(0)), (3, Ok(0)), (4, full), (5, full)]);
    assert_eq!(
        (bench.probe.outbox.get(), bench.tally().kept, bench.tally().refused),
        (3, 3, 2)
    );
    bench.kernel.crash(bench.front);
    bench.until(30);
    assert_eq!(bench.probe.outbox.get(), 0);
    bench.store.full.set(false);
    bench.kernel.start(bench.front, Duration::ZERO);
    bench.until(10_000);
    assert_eq!((bench.store.taken.take(), bench.tally().sent_later), (vec![], 0));
    bench.upload(1);
    bench.until(10_100);
    assert_eq!(*bench.store.taken.borrow(), [6]);
    bench.nothing_is_left();
}

#[test]
fn one_that_was_taken_though_nobody_heard_of_it_is_sent_again() {
    let mut bench = Bench::new(outbox(10));
    bench.store.delay.set(Duration::from_millis(1_500));
    bench.upload(1);
    bench.until(1_001);
    assert_eq!(bench.ended(), [(1_000, 1, Ok(0))]);
    bench.store.delay.set(Duration::ZERO);
    bench.until(5_000);
    assert_eq!(*bench.store.taken.borrow(), [1, 1]);
    bench.nothing_is_left();
}
