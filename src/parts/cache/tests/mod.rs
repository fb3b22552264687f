//! A tier, two web servers that use it and a database that does as it is told, 1 ms apart. A look-up costs no time.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use crate::layout::{self, Distribution};
use crate::observe::{CacheTally, Event};
use crate::parts::common::ShardMap;
use crate::parts::{CacheClient, Caller, Cluster, Member};
use crate::protocol::{Ask, Format, Http, Layer, Operation, Owner, Pass, Query, Status};
use crate::sim::{Factory, Group, Installation, InstanceId, Kernel, Network, Place, Rule, SimTime, Verdict, race};

use super::*;

mod aside;
mod behind;
mod failures;
mod property;

/// The database: what its rows are, and how it behaves.
#[derive(Default)]
struct Shelf {
    /// Rows that were written, and whether they are still there; all others below [`ROWS`] are as they were at the start.
    rows: RefCell<BTreeMap<u64, (Stamp, bool)>>,
    /// How long a query takes.
    delay: Cell<Duration>,
    /// How long the next one takes, if that is another time.
    once: Cell<Option<Duration>>,
    fails: Cell<bool>,
    /// All versions that were ever written.
    history: RefCell<BTreeSet<Stamp>>,
    /// Queries that it has taken: when, what, which row.
    log: RefCell<Vec<(u64, Operation, u64)>>,
}

/// Rows that there are at the start.
const ROWS: u64 = 1_000;

struct Fake(Rc<Shelf>);

impl Software<System> for Fake {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Query(Query { operation, key, .. }) = request else {
            return Reply::answer(Answer::Fine);
        };
        let database = &self.0;
        database.log.borrow_mut().push((millis(cx.now()), operation, key));
        let delay = database.once.take().unwrap_or(database.delay.get());
        let by = cx.id();
        let (version, exists) = {
            let rows = database.rows.borrow();
            rows.get(&key).copied().unwrap_or((Stamp::ORIGINAL, key < ROWS))
        };
        let status = match operation {
            Operation::Read if exists => Status::Read { version, by },
            Operation::Create if exists => Status::Conflict,
            Operation::Search => Status::Searched,
            Operation::Read => Status::NotFound { version, by },
            Operation::Update | Operation::Delete if !exists => Status::NotFound { version, by },
            _ if database.fails.get() => Status::Conflict,
            _ => {
                let version = Stamp::next(version, cx.now(), 0);
                let row = (version, operation != Operation::Delete);
                database.rows.borrow_mut().insert(key, row);
                database.history.borrow_mut().insert(version);
                Status::Written { version, by }
            }
        };
        cx.sleep(delay).await;
        if database.fails.get() {
            return Reply::failure(Reason::NoQuorum, cx.id());
        }
        Reply::answer(Answer::Row(status))
    }
}

/// How a request of a user ended.
#[derive(Clone, Debug, PartialEq)]
struct Ended {
    at: u64,
    key: u64,
    outcome: Result<Status, Reason>,
    copy: Option<Layer>,
}

/// A web server that does nothing but ask for rows.
struct Front {
    client: Rc<CacheClient>,
    database: Rc<Router>,
    ended: Rc<RefCell<Vec<Ended>>>,
    number: u64,
    next: Cell<u64>,
}

impl Software<System> for Front {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Http(http) = request else {
            self.client.retune(&cx);
            return Reply::answer(Answer::Fine);
        };
        if cx.request() == 0 {
            self.next.set(self.next.get() + 1);
            cx.begin(self.number << 32 | self.next.get(), request);
            return Reply::answer(Answer::Fine);
        }
        let operation = match http.ask {
            Ask::Create => Operation::Create,
            Ask::Update => Operation::Update,
            Ask::Delete => Operation::Delete,
            _ => Operation::Read,
        };
        let ask = self.client.ask(&cx, &self.database, &http, operation, http.once);
        // A JSON client has no patience: it goes away after 3 ms.
        let (reply, copy) = if http.format == Format::Json {
            match race(ask, cx.sleep(Duration::from_millis(3))).await {
                crate::sim::Either::First(answered) => answered,
                crate::sim::Either::Second(()) => return Reply::answer(Answer::Fine),
            }
        } else {
            ask.await
        };
        let outcome = match reply.outcome {
            Ok(Answer::Row(status)) => Ok(status),
            Ok(other) => panic!("no answer of a database: {other:?}"),
            Err(failure) => Err(failure.reason),
        };
        self.ended.borrow_mut().push(Ended {
            at: millis(cx.now()),
            key: http.key,
            outcome,
            copy,
        });
        Reply::answer(Answer::Fine)
    }
}

struct Bench {
    kernel: Kernel<System>,
    tier: Rc<Tier>,
    shelf: Rc<Shelf>,
    nodes: Vec<InstanceId>,
    probes: Vec<Rc<CacheProbe>>,
    near: Vec<Rc<CacheProbe>>,
    fronts: Vec<InstanceId>,
    database: InstanceId,
    ended: Rc<RefCell<Vec<Ended>>>,
    events: Vec<(u64, InstanceId, Event)>,
}

fn millis(at: SimTime) -> u64 {
    at.0 / 1_000_000
}

/// The settings of a tier and of the database behind it, from a layout.
fn settings(text: &str, database: &str) -> layout::Layout {
    let source = format!(
        r#"(title: "t", users: {{"people": (count: 1)}}, services: {{ "web": Web(cache: "cache", database: "db"),
            "db": Database({database}), "cache": Cache({text}) }})"#
    );
    layout::parse(&source, "l.ron").unwrap_or_else(|error| panic!("{}", error.render(&source)))
}

fn parts_of(layout: &layout::Layout) -> (layout::Cache, layout::Calls, layout::Database) {
    let services = || layout.data_centers.values().flat_map(|center| center.services.values());
    let cache = services().find_map(|service| match service {
        layout::Service::Cache(spec) => Some(layout::Cache {
            work: Distribution::Constant(Duration::ZERO),
            ..spec.clone()
        }),
        _ => None,
    });
    let calls = services().find_map(|service| match service {
        layout::Service::Web(spec) => Some(spec.pages.calls["cache"]),
        _ => None,
    });
    let database = services().find_map(|service| match service {
        layout::Service::Database(spec) => Some(spec.clone()),
        _ => None,
    });
    (
        cache.expect("a cache"),
        calls.expect("calls"),
        database.expect("a database"),
    )
}

impl Bench {
    fn new(text: &str) -> Bench {
        Bench::with(text, "")
    }

    fn with(text: &str, database: &str) -> Bench {
        let (cache, calls, database_spec) = parts_of(&settings(text, database));
        let (slots, backlog, machines, to_database) = (cache.slots, cache.backlog, cache.machines, cache.calls);
        let tier = Rc::new(Tier::new(cache));
        let mut bench = Bench {
            kernel: Kernel::new(7, Network::new(1, Duration::from_millis(1))),
            tier: Rc::clone(&tier),
            shelf: Rc::default(),
            nodes: Vec::new(),
            probes: Vec::new(),
            near: Vec::new(),
            fronts: Vec::new(),
            database: InstanceId(0),
            ended: Rc::default(),
            events: Vec::new(),
        };
        bench.shelf.delay.set(Duration::from_millis(10));
        let shelf = Rc::clone(&bench.shelf);
        bench.database = bench.install("db", Factory::new(move |_| Fake(Rc::clone(&shelf))), (10_000, 0));
        let cluster = Rc::new(Cluster {
            sites: RefCell::default(),
            spec: RefCell::new(database_spec),
            shards: RefCell::new(vec![vec![Member {
                id: bench.database,
                node: 0,
                site: 0,
                voter: true,
            }]]),
            map: RefCell::new(ShardMap::new(None, 1, ROWS)),
            monitors: RefCell::default(),
            clients: RefCell::default(),
            keys: Cell::new(ROWS),
        });
        let router = move |cx: &Cx<System>, calls: layout::Calls| {
            let caller = Caller::new(cx, "db", Rc::new(RefCell::new(calls)), Rc::default());
            Router::new(Rc::clone(&cluster), 0, caller)
        };
        for number in 1..=machines {
            let probe: Rc<CacheProbe> = Rc::default();
            let (tier, shown, router) = (Rc::clone(&tier), Rc::clone(&probe), router.clone());
            let make = move |cx: &Cx<System>| {
                Cache::new(cx, Rc::clone(&tier), Some(router(cx, to_database)), Rc::clone(&shown))
            };
            let node = bench.install(&format!("cache/{number}"), Factory::new(make), (slots, backlog));
            bench.nodes.push(node);
            bench.probes.push(probe);
        }
        let shown = bench.nodes.iter().copied().zip(bench.probes.iter().map(Rc::clone));
        tier.set_nodes(shown.collect());
        for number in 1..=2 {
            let near: Rc<CacheProbe> = Rc::default();
            bench.near.push(Rc::clone(&near));
            let (tier, router, ended) = (Rc::clone(&tier), router.clone(), Rc::clone(&bench.ended));
            let make = move |cx: &Cx<System>| {
                let caller = Caller::new(cx, "cache", Rc::new(RefCell::new(calls)), Rc::default());
                Front {
                    client: Rc::new(CacheClient::new(cx, Rc::clone(&tier), caller, Rc::clone(&near))),
                    database: Rc::new(router(cx, layout::Calls::to_service())),
                    ended: Rc::clone(&ended),
                    number,
                    next: Cell::new(0),
                }
            };
            let front = bench.install(&format!("web/{number}"), Factory::new(make), (10_000, 0));
            bench.fronts.push(front);
        }
        let all = [&bench.nodes[..], &bench.fronts, &[bench.database]].concat();
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

    /// Runs until a time in milliseconds.
    fn until(&mut self, at: u64) {
        self.kernel.advance_to(SimTime(at * 1_000_000 + 1_000));
        let reports = self.kernel.take_reports();
        let told = reports.into_iter().map(|(at, from, event)| (millis(at), from, event));
        self.events.extend(told);
    }

    fn send(&mut self, front: usize, ask: Ask, key: u64, change: impl FnOnce(&mut Http)) {
        let mut http = Http {
            ask,
            key,
            bytes: 30_000,
            row: 1_000,
            edition: 0,
            format: Format::Html,
            user: Owner::new(0, 0),
            cookie: None,
            pass: Pass::None,
            once: false,
            wrote: (0, Stamp::ORIGINAL),
        };
        change(&mut http);
        self.kernel.cast(self.fronts[front], Request::Http(http));
    }

    fn read(&mut self, front: usize, key: u64) {
        self.send(front, Ask::Page, key, |_| {});
    }

    /// At the first web server, all at once.
    fn read_all(&mut self, keys: &[u64]) {
        for key in keys {
            self.read(0, *key);
        }
    }

    fn write(&mut self, front: usize, ask: Ask, key: u64) {
        self.send(front, ask, key, |_| {});
    }

    /// What has ended since the last look.
    fn ended(&self) -> Vec<Ended> {
        self.ended.take()
    }

    /// The only one that has ended since the last look.
    fn only(&self) -> Ended {
        let mut ended = self.ended();
        assert_eq!(ended.len(), 1, "{ended:?}");
        ended.remove(0)
    }

    /// Asks at the first web server, and waits until that has ended, at most a second.
    fn answer(&mut self, ask: Ask, key: u64) -> Ended {
        self.write(0, ask, key);
        let now = millis(self.kernel.now());
        self.until(now + 1_000);
        self.only()
    }

    /// Queries that the database has taken since the last look, without their times.
    fn queries(&self) -> Vec<(Operation, u64)> {
        let log = self.shelf.log.take();
        log.into_iter().map(|(_, operation, key)| (operation, key)).collect()
    }

    fn tally(&self) -> CacheTally {
        let tallies = self.probes.iter().map(|probe| probe.tally.get());
        tallies.fold(CacheTally::default(), |sum, tally| sum.plus(&tally))
    }

    fn stamp(&self, key: u64) -> Stamp {
        self.shelf.rows.borrow()[&key].0
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

    fn retune(&mut self, change: impl FnOnce(&mut layout::Cache)) {
        change(&mut self.tier.spec.borrow_mut());
        for id in [&self.nodes[..], &self.fronts].concat() {
            self.kernel.cast(id, Request::Retune);
        }
        let now = millis(self.kernel.now());
        self.until(now + 5);
    }
}

/// The version that an answer carries, if it is of a row that is there.
fn version(ended: &Ended) -> Option<Stamp> {
    match ended.outcome {
        Ok(Status::Read { version, .. } | Status::Written { version, .. }) => Some(version),
        _ => None,
    }
}
