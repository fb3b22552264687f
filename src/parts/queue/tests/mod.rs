//! A queue and its dead-letter queue, and hands that publish, take and acknowledge as they are told, 1 ms apart. Work costs no time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::layout::{self, Distribution};
use crate::observe::{Event, QueueTally};
use crate::parts::Caller;
use crate::protocol::{Gone, Handed, JobId, Owner, Receipt};
use crate::sim::{Factory, Group, Installation, InstanceId, Kernel, Network, Place, Rule, Verdict};

use super::*;

mod attempts;
mod crash;
mod letters;
mod log;
mod order;
mod property;
mod room;
mod store;

/// How a request ended.
#[derive(Clone, Debug, PartialEq)]
struct Ended {
    at: u64,
    hand: usize,
    /// The message, if one was published.
    published: Option<u64>,
    outcome: Result<Answer, Reason>,
}

/// Sends each request that it gets on to the queue, and tells how it ended. It cancels what takes too long.
struct Hand {
    number: usize,
    queue: InstanceId,
    patience: Rc<Cell<Duration>>,
    ended: Rc<RefCell<Vec<Ended>>>,
}

impl Software<System> for Hand {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let published = match request {
            Request::Queue(QueueRequest::Publish(message)) => Some(message.request),
            _ => None,
        };
        let call = cx.call(self.queue, request, self.patience.get()).cancelling();
        let outcome = match call.await {
            Ok(reply) => reply.outcome.map_err(|failure| failure.reason),
            Err(error) => Err(error.into()),
        };
        self.ended.borrow_mut().push(Ended {
            at: millis(cx.now()),
            hand: self.number,
            published,
            outcome,
        });
        Reply::answer(Answer::Fine)
    }
}

/// Hands towards the queue; one more has to do with the dead-letter queue.
const HANDS: usize = 4;
/// The hand at the dead-letter queue.
const SEXTON: usize = HANDS;

struct Bench {
    kernel: Kernel<System>,
    spec: Rc<RefCell<layout::Queue>>,
    queue: InstanceId,
    dead: InstanceId,
    probe: Rc<QueueProbe>,
    dead_probe: Rc<QueueProbe>,
    hands: Vec<InstanceId>,
    patience: Rc<Cell<Duration>>,
    ended: Rc<RefCell<Vec<Ended>>>,
    events: Vec<(u64, InstanceId, Event)>,
}

fn millis(at: SimTime) -> u64 {
    at.0 / 1_000_000
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn message(request: u64) -> Message {
    Message {
        request,
        key: request % 10,
        bytes: 1_000,
        user: Owner::new(0, request),
        poison: false,
    }
}

/// The settings of a queue from a layout. Work takes no time.
fn settings(text: &str) -> layout::Queue {
    let source = format!(
        r#"(title: "t", users: {{"people": (count: 1)}}, services: {{ "web": Web(), "q": Queue({text}), "dead": Queue(),
            "w": Consumer(of: "q"), "d": Consumer(of: "dead") }})"#
    );
    let layout = layout::parse(&source, "l.ron").unwrap_or_else(|error| panic!("{}", error.render(&source)));
    let mut services = layout.data_centers.values().flat_map(|center| &center.services);
    let found = services.find_map(|(name, service)| match service {
        layout::Service::Queue(spec) if name == "q" => Some(spec.clone()),
        _ => None,
    });
    layout::Queue {
        work: Distribution::Constant(Duration::ZERO),
        ..found.expect("a queue")
    }
}

impl Bench {
    /// A queue with these settings; if they name `dead` its dead messages go there.
    fn new(text: &str) -> Bench {
        Bench::with(settings(text), settings("durable: false"), &[])
    }

    /// A log with two subscribers, 7 and 9.
    fn log(text: &str) -> Bench {
        Bench::with(
            settings(&format!("style: Log, {text}")),
            settings("durable: false"),
            &[7, 9],
        )
    }

    fn with(spec: layout::Queue, dead_spec: layout::Queue, subscribers: &[u32]) -> Bench {
        let mut bench = Bench {
            kernel: Kernel::new(7, Network::new(1, Duration::from_millis(1))),
            spec: Rc::new(RefCell::new(spec)),
            queue: InstanceId(0),
            dead: InstanceId(0),
            probe: Rc::default(),
            dead_probe: Rc::default(),
            hands: Vec::new(),
            patience: Rc::new(Cell::new(seconds(20))),
            ended: Rc::default(),
            events: Vec::new(),
        };
        let limits = (bench.spec.borrow().slots, bench.spec.borrow().backlog);
        let (other, shown) = (Rc::new(RefCell::new(dead_spec)), Rc::clone(&bench.dead_probe));
        let make = move |cx: &Cx<System>| Queue::new(cx, Rc::clone(&other), None, Rc::clone(&shown), &[]);
        let dead = bench.install("dead", Factory::new(make), limits);
        bench.dead = dead;
        let (own, shown, subscribers) = (Rc::clone(&bench.spec), Rc::clone(&bench.probe), subscribers.to_vec());
        let buries = own.borrow().dead_letter.is_some();
        let calls = Rc::new(RefCell::new(own.borrow().calls));
        let make = move |cx: &Cx<System>| {
            let callee = buries.then(|| Callee {
                to: dead,
                caller: Caller::new(cx, "dead", Rc::clone(&calls), Rc::default()),
            });
            Queue::new(cx, Rc::clone(&own), callee, Rc::clone(&shown), &subscribers)
        };
        bench.queue = bench.install("q", Factory::new(make), limits);
        for number in 0..=HANDS {
            let queue = if number == SEXTON { bench.dead } else { bench.queue };
            let (patience, ended) = (Rc::clone(&bench.patience), Rc::clone(&bench.ended));
            let make = move |_: &Cx<System>| Hand {
                number,
                queue,
                patience: Rc::clone(&patience),
                ended: Rc::clone(&ended),
            };
            let hand = bench.install(&format!("hand/{number}"), Factory::new(make), (10_000, 0));
            bench.hands.push(hand);
        }
        let all = [&bench.hands[..], &[bench.queue, bench.dead]].concat();
        for id in all {
            bench.kernel.start(id, Duration::ZERO);
        }
        bench.until(0);
        bench
    }

    fn install(&mut self, name: &str, factory: Factory<System>, (slots, backlog): (u32, u32)) -> InstanceId {
        let machine = self.kernel.add_machine(name, Place(0), 4);
        self.kernel.install(Installation {
            machine,
            group: Group(0),
            slots,
            backlog,
            factory,
        })
    }

    fn now(&self) -> u64 {
        millis(self.kernel.now())
    }

    /// Runs until a time in milliseconds.
    fn until(&mut self, at: u64) {
        self.kernel.advance_to(SimTime(at * 1_000_000 + 1_000));
        let reports = self.kernel.take_reports();
        let told = reports.into_iter().map(|(at, from, event)| (millis(at), from, event));
        self.events.extend(told);
    }

    /// Runs for so many milliseconds.
    fn pass(&mut self, time: u64) {
        self.until(self.now() + time);
    }

    fn send(&mut self, hand: usize, request: QueueRequest) {
        self.kernel.cast(self.hands[hand], Request::Queue(request));
    }

    fn publish(&mut self, request: u64) {
        self.send(0, QueueRequest::Publish(message(request)));
    }

    /// Publishes these, and waits until all are confirmed.
    fn publish_all(&mut self, requests: impl IntoIterator<Item = u64>) {
        requests.into_iter().for_each(|request| self.publish(request));
        self.pass(5);
        let ended = self.ended();
        assert!(ended.iter().all(|ended| ended.outcome == Ok(Answer::Fine)), "{ended:?}");
    }

    /// Asks for messages, as a subscriber of a log if it is one.
    fn ask(&mut self, hand: usize, most: u32, subscriber: u32) {
        self.send(
            hand,
            QueueRequest::Take {
                most,
                subscriber,
                settled: false,
            },
        );
    }

    /// Asks for messages, and waits until there are some.
    fn take(&mut self, hand: usize, most: u32) -> Vec<Handed> {
        self.take_for(hand, most, 0)
    }

    fn take_for(&mut self, hand: usize, most: u32, subscriber: u32) -> Vec<Handed> {
        self.ask(hand, most, subscriber);
        self.pass(5);
        let handed = self.handed();
        assert_eq!(handed.len(), 1, "{handed:?}");
        handed.into_iter().flat_map(|(_, _, handed)| handed).collect()
    }

    /// Does something with a message, and waits until that is done.
    fn settle(&mut self, hand: usize, request: QueueRequest) {
        self.send(hand, request);
        self.pass(5);
        let ended = self.ended();
        assert_eq!(ended.len(), 1, "{ended:?}");
        assert_eq!(ended[0].outcome, Ok(Answer::Fine));
    }

    fn acknowledge(&mut self, handed: &Handed) {
        self.settle(1, QueueRequest::Acknowledge(handed.receipt));
    }

    fn reject(&mut self, handed: &Handed) {
        self.settle(1, QueueRequest::Reject(handed.receipt));
    }

    /// What has ended since the last look.
    fn ended(&self) -> Vec<Ended> {
        self.ended.take()
    }

    /// What was handed out since the last look: when, to whom, what.
    fn handed(&self) -> Vec<(u64, usize, Vec<Handed>)> {
        let ended = self.ended();
        let handed = ended.into_iter().filter_map(|ended| match ended.outcome {
            Ok(Answer::Handed(handed)) => Some((ended.at, ended.hand, handed.to_vec())),
            _ => None,
        });
        handed.collect()
    }

    /// The same, with nothing but the requests that the messages belong to.
    fn got(&self) -> Vec<(u64, usize, Vec<u64>)> {
        let handed = self.handed().into_iter();
        handed.map(|(at, hand, handed)| (at, hand, requests(&handed))).collect()
    }

    fn tally(&self) -> QueueTally {
        self.probe.tally.get()
    }

    /// Messages that wait, that are out, and that are held in all.
    fn shown(&self) -> (u64, u64, u64) {
        let probe = &self.probe;
        (probe.waiting.get(), probe.in_flight.get(), probe.held.get())
    }

    /// What was told of jobs since the last look, by the queue that told it.
    fn told(&mut self, by: InstanceId) -> Vec<(u64, Event)> {
        let (own, others) = std::mem::take(&mut self.events)
            .into_iter()
            .partition(|(_, from, _)| *from == by);
        self.events = others;
        own.into_iter().map(|(at, _, event)| (at, event)).collect()
    }

    fn crash(&mut self, id: InstanceId, boot: u64) {
        self.kernel.crash(id);
        self.kernel.start(id, Duration::from_millis(boot));
    }

    /// Cuts two instances off from each other.
    fn cut(&mut self, a: InstanceId, b: InstanceId) {
        for (from, to) in [(a, b), (b, a)] {
            let rule = Rule {
                owner: 0,
                from: vec![from],
                to: vec![to],
                verdict: Verdict::Drop,
            };
            self.kernel.network().rules.push(rule);
        }
    }

    fn retune(&mut self, change: impl FnOnce(&mut layout::Queue)) {
        change(&mut self.spec.borrow_mut());
        self.kernel.cast(self.queue, Request::Retune);
        self.pass(1);
    }
}

fn requests(handed: &[Handed]) -> Vec<u64> {
    handed.iter().map(|handed| handed.message.request).collect()
}

/// How often each job was stored and how often it has gone, by the queue.
fn balance(events: &[(u64, InstanceId, Event)], by: InstanceId) -> BTreeMap<JobId, (u64, u64)> {
    let mut balance: BTreeMap<JobId, (u64, u64)> = BTreeMap::new();
    for (_, from, event) in events {
        match event {
            Event::JobStored { job } if *from == by => balance.entry(*job).or_default().0 += 1,
            // What was promised to a log is none of its jobs.
            Event::JobGone { why: Gone::Split, .. } => {}
            Event::JobGone { job, .. } if *from == by => balance.entry(*job).or_default().1 += 1,
            _ => {}
        }
    }
    balance
}
