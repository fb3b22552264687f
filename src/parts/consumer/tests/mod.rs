//! A queue that does as it is told, a worker, and a database, 1 ms apart. What the queue does costs no time.

use std::collections::{BTreeMap, VecDeque};

use crate::layout::{Calls, Distribution, Job, Replication};
use crate::observe::{Event, WorkerTally};
use crate::parts::{Caller, Cluster, Database, Member, ShardMap};
use crate::protocol::{JobId, Message, Owner, Reason, Receipt, Stamp};
use crate::sim::{Factory, Group, Installation, InstanceId, Kernel, Network, Place, ProcessState, SimTime};

use super::*;

mod drain;
mod failures;
mod results;
mod taking;

/// Rows that there are in the database at the start.
const ROWS: u64 = 1_000;

/// What the queue holds. It outlives the process.
#[derive(Default)]
struct Store {
    /// Messages that wait, each with its place and how often it was handed out.
    waiting: RefCell<VecDeque<(Message, u64, u32)>>,
    /// Messages that are out, by their place.
    out: RefCell<BTreeMap<u64, (Message, u32)>>,
    next: Cell<u64>,
    /// What is added to the number of a request to name the job: a log has other jobs for each subscriber.
    jobs_from: Cell<u64>,
    news: Signal,
    /// It answers nothing but that it is overloaded.
    fails: Cell<bool>,
    /// Requests that it has taken: when, and what.
    log: RefCell<Vec<(u64, QueueRequest)>>,
}

struct FakeQueue(Rc<Store>);

impl FakeQueue {
    async fn hand_out(&self, cx: &Cx<System>, most: u32, subscriber: u32, settled: bool) -> Answer {
        while self.0.waiting.borrow().is_empty() {
            self.0.news.wait(cx).await;
        }
        let mut waiting = self.0.waiting.borrow_mut();
        let count = waiting.len().min(most as usize);
        let handed = waiting.drain(..count).map(|(message, place, attempts)| {
            let attempt = attempts + 1;
            if !settled {
                self.0.out.borrow_mut().insert(place, (message, attempt));
            }
            Handed {
                message,
                job: JobId(message.request + self.0.jobs_from.get()),
                receipt: Receipt {
                    place,
                    attempt,
                    subscriber,
                },
                published: SimTime::ZERO,
            }
        });
        Answer::Handed(Rc::new(handed.collect()))
    }

    fn take_back(&self, cx: &Cx<System>, receipt: Receipt, counts: bool) {
        if let Some((message, attempt)) = self.0.out.borrow_mut().remove(&receipt.place) {
            let attempts = if counts { attempt } else { attempt - 1 };
            let back = (message, receipt.place, attempts);
            self.0.waiting.borrow_mut().push_back(back);
            self.0.news.raise(cx);
        }
    }
}

impl Software<System> for FakeQueue {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let store = &self.0;
        let Request::Queue(request) = request else {
            // The time of all that is out is over.
            if let Request::Check = request {
                let out = store.out.take();
                let back = out
                    .into_iter()
                    .map(|(place, (message, attempt))| (message, place, attempt));
                store.waiting.borrow_mut().extend(back);
            }
            store.news.raise(&cx);
            return Reply::answer(Answer::Fine);
        };
        store.log.borrow_mut().push((millis(cx.now()), request));
        if store.fails.get() {
            return Reply::failure(Reason::Overloaded, cx.id());
        }
        match request {
            QueueRequest::Take {
                most,
                subscriber,
                settled,
            } => return Reply::answer(self.hand_out(&cx, most, subscriber, settled).await),
            QueueRequest::Acknowledge(receipt) => {
                store.out.borrow_mut().remove(&receipt.place);
            }
            QueueRequest::Reject(receipt) => self.take_back(&cx, receipt, true),
            QueueRequest::Return(receipt) => self.take_back(&cx, receipt, false),
            other => panic!("no worker asks for this: {other:?}"),
        }
        Reply::answer(Answer::Fine)
    }
}

/// Workers whose messages take 100 ms each.
fn spec() -> layout::Consumer {
    layout::Consumer {
        of: "queue".into(),
        machines: 1,
        on: None,
        size: "m".into(),
        slots: 2,
        prefetch: 2,
        work: constant(100),
        jobs: BTreeMap::new(),
        delivery: Delivery::AtLeastOnce,
        fails: 0.0,
        poison: 0.0,
        database: None,
        calls: BTreeMap::new(),
        drain: Duration::from_secs(30),
        scale: None,
        boot: Duration::from_secs(5),
    }
}

fn constant(millis: u64) -> Distribution {
    Distribution::Constant(Duration::from_millis(millis))
}

fn millis(at: SimTime) -> u64 {
    at.0 / 1_000_000
}

fn database_spec() -> layout::Database {
    layout::Database {
        on: None,
        machines: 1,
        first: None,
        monitors_in: Vec::new(),
        size: "m".into(),
        slots: 32,
        backlog: 1_000,
        connections: None,
        read: Distribution::Constant(Duration::from_micros(200)),
        write: Distribution::Constant(Duration::from_micros(500)),
        apply: Distribution::Constant(Duration::from_micros(100)),
        flush: Duration::from_micros(100),
        checkpoint: 10_000,
        log: 100_000,
        copy_rate: 50_000.0,
        rows: ROWS,
        boot: Duration::from_secs(1),
        replication: Replication::None,
        sharding: None,
    }
}

struct Bench {
    kernel: Kernel<System>,
    store: Rc<Store>,
    spec: Rc<RefCell<layout::Consumer>>,
    probe: Rc<WorkerProbe>,
    queue: InstanceId,
    database: InstanceId,
    worker: InstanceId,
    published: u64,
    events: Vec<(u64, Event)>,
}

impl Bench {
    fn new(spec: layout::Consumer) -> Bench {
        let mut kernel = Kernel::new(7, Network::new(1, Duration::from_millis(1)));
        let store: Rc<Store> = Rc::default();
        let kept = Rc::clone(&store);
        let queue = install(&mut kernel, "queue", Factory::new(move |_| FakeQueue(Rc::clone(&kept))));
        let cluster = Rc::new(Cluster {
            sites: RefCell::default(),
            spec: RefCell::new(database_spec()),
            shards: RefCell::new(vec![Vec::new()]),
            map: RefCell::new(ShardMap::new(None, 1, ROWS)),
            monitors: RefCell::default(),
            clients: RefCell::default(),
            keys: Cell::new(ROWS),
        });
        let (nodes, first) = (Rc::clone(&cluster), Cell::new(true));
        let make = move |cx: &Cx<System>| Database::new(cx, Rc::clone(&nodes), Rc::default(), first.replace(false));
        let database = install(&mut kernel, "db", Factory::new(make));
        cluster.shards.borrow_mut()[0].push(Member {
            id: database,
            node: 0,
            site: 0,
            voter: true,
        });
        let writes = spec.database.is_some();
        let (spec, probe): (_, Rc<WorkerProbe>) = (Rc::new(RefCell::new(spec)), Rc::default());
        let (settings, shown) = (Rc::clone(&spec), Rc::clone(&probe));
        let make = move |cx: &Cx<System>| {
            let caller = |name, calls| Caller::new(cx, name, Rc::new(RefCell::new(calls)), Rc::default());
            let router = || Router::new(Rc::clone(&cluster), 0, caller("db", Calls::to_service()));
            let supplies = Supplies {
                queue: Callee {
                    to: queue,
                    caller: caller("queue", Calls::to_queue()),
                },
                subscriber: 3,
                database: writes.then(|| Rc::new(router())),
            };
            Consumer::new(Rc::clone(&settings), supplies, Rc::clone(&shown))
        };
        let worker = install(&mut kernel, "worker", Factory::new(make));
        for id in [queue, database, worker] {
            kernel.start(id, Duration::ZERO);
        }
        let mut bench = Bench {
            kernel,
            store,
            spec,
            probe,
            queue,
            database,
            worker,
            published: 0,
            events: Vec::new(),
        };
        bench.until(0);
        bench
    }

    /// Runs until a time in milliseconds.
    fn until(&mut self, at: u64) {
        self.kernel.advance_to(SimTime(at * 1_000_000 + 1_000));
        let reports = self.kernel.take_reports();
        self.events
            .extend(reports.into_iter().map(|(at, _, event)| (millis(at), event)));
    }

    /// Publishes so many messages, each about a row of its own. Their requests are numbered from 1.
    fn publish(&mut self, count: u64) {
        for _ in 0..count {
            self.published += 1;
            self.publish_as(self.published, self.published, false);
        }
    }

    fn publish_as(&mut self, request: u64, key: u64, poison: bool) {
        let message = Message {
            request,
            key,
            bytes: 1_000,
            user: Owner::new(0, 0),
            poison,
        };
        let place = self.store.next.replace(self.store.next.get() + 1);
        self.store.waiting.borrow_mut().push_back((message, place, 0));
        self.kernel.cast(self.queue, Request::Retune);
    }

    /// All that is out comes back to the queue.
    fn time_out(&mut self) {
        self.kernel.cast(self.queue, Request::Check);
    }

    /// The queue is up again, and has a moment later what was out.
    fn revive_queue(&mut self) {
        self.kernel.start(self.queue, Duration::ZERO);
        self.until(millis(self.kernel.now()) + 1);
        self.time_out();
    }

    fn tell(&mut self, request: Request) {
        self.kernel.cast(self.worker, request);
    }

    fn retune(&mut self, change: impl FnOnce(&mut layout::Consumer)) {
        change(&mut self.spec.borrow_mut());
        self.tell(Request::Retune);
    }

    /// Messages in progress, and messages that it holds.
    fn holds(&self) -> (u32, usize) {
        (self.probe.busy.get(), self.probe.held.borrow().len())
    }

    fn tally(&self) -> WorkerTally {
        self.probe.tally.get()
    }

    /// When the queue has taken requests of a kind since the last look, in milliseconds.
    fn heard(&self, kind: impl Fn(&QueueRequest) -> bool) -> Vec<u64> {
        let log = self.store.log.take();
        let of_kind = log.iter().filter(|(_, request)| kind(request));
        of_kind.map(|(at, _)| *at).collect()
    }

    /// What was done: when, by job, with which effect.
    fn done(&self) -> Vec<(u64, u64, Option<Stamp>)> {
        let done = self.events.iter().filter_map(|(at, event)| match event {
            Event::JobDone { job, effect } => Some((*at, job.0, *effect)),
            _ => None,
        });
        done.collect()
    }

    /// Nothing waits and nothing is out.
    fn queue_is_empty(&self) -> bool {
        self.store.waiting.borrow().is_empty() && self.store.out.borrow().is_empty()
    }

    fn state(&self) -> ProcessState {
        self.kernel.process_state(self.worker)
    }
}

fn install(kernel: &mut Kernel<System>, name: &str, factory: Factory<System>) -> InstanceId {
    let machine = kernel.add_machine(name, Place(0), 64);
    kernel.install(Installation {
        machine,
        group: Group(0),
        slots: 10_000,
        backlog: 0,
        factory,
    })
}

fn is_take(request: &QueueRequest) -> bool {
    matches!(request, QueueRequest::Take { .. })
}

fn is_acknowledgement(request: &QueueRequest) -> bool {
    matches!(request, QueueRequest::Acknowledge(_))
}
