//! Edges, a shield, data centers that behave as they are told, and a client; all 1 ms apart.

mod behind;
mod property;
mod serving;

use crate::layout::{Calls, Cdn, Content, Distribution, Evict, Room};
use crate::observe::{CacheTally, CallsProbe, Event};
use crate::protocol::{Ended, Format, Issue, Owner};
use crate::sim::{Factory, Group, Installation, InstanceId, Kernel, Network, Place, SimTime};

use super::super::common::caller::Caller;
use super::*;

/// How a data center behaves.
#[derive(Clone, Copy)]
struct Manner {
    /// Milliseconds until it answers.
    after: u64,
    /// It signs everybody in who asks for a page.
    private: bool,
    /// But only pages of odd rows.
    odd_only: bool,
    /// It gives a cookie with every answer.
    cookie: bool,
    fails: Option<Reason>,
    /// The version of its files.
    edition: u32,
}

/// The entry point of a data center: each answer to a page is a version of its own.
struct DataCenter {
    manner: Rc<Cell<Manner>>,
    book: Rc<RefCell<Book>>,
}

/// What data centers were asked, and what they answered.
#[derive(Default)]
struct Book {
    /// When, whom, and what.
    asked: Vec<(u64, InstanceId, Http)>,
    /// By version: the row.
    versions: Vec<u64>,
}

impl Software<System> for DataCenter {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        // Told the number of an edge, it claims the address of the first data center there.
        if let Request::Advertise { priority } = request {
            let address = InstanceId(0);
            cx.cast(InstanceId(priority), Request::Claim { address });
        }
        let Request::Http(http) = request else {
            return Reply::answer(Answer::Fine);
        };
        let manner = self.manner.get();
        self.book
            .borrow_mut()
            .asked
            .push((cx.now().0 / 1_000_000, cx.id(), http));
        cx.sleep(Duration::from_millis(manner.after)).await;
        if let Some(reason) = manner.fails {
            return Reply::failure(reason, cx.id());
        }
        let status = if http.ask == Ask::Asset {
            Status::Static {
                edition: manner.edition,
            }
        } else {
            let mut book = self.book.borrow_mut();
            book.versions.push(http.key);
            let (version, by) = (Stamp(book.versions.len() as u64 - 1), cx.id());
            Status::Read { version, by }
        };
        let private = manner.private && (!manner.odd_only || http.key % 2 == 1);
        let issued = PassNews::Issued(Box::new(Issue {
            ttl: Duration::from_secs(60),
            pass: Pass::Session(http.user.0),
            holder: cx.id(),
            because: Ended::Never,
        }));
        Reply::answer(Answer::Page {
            status,
            format: http.format,
            by: cx.id(),
            cookie: manner.cookie.then(|| cx.id()),
            pass: if private { issued } else { PassNews::NotAsked },
            remember: false,
            copy: None,
            fresh_until: None,
        })
    }
}

/// What came of a request.
#[derive(Clone, Debug)]
struct End {
    /// Milliseconds from asking to the answer.
    took: u64,
    http: Http,
    reply: Reply,
}

/// Asks the edge that it is told to, with the patience that it is told.
struct Client {
    to: Rc<Cell<InstanceId>>,
    patience: Rc<Cell<Duration>>,
    ends: Rc<RefCell<Vec<End>>>,
    next: Cell<u64>,
}

impl Software<System> for Client {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Http(http) = request else {
            return Reply::answer(Answer::Fine);
        };
        if cx.request() == 0 {
            self.next.set(self.next.get() + 1);
            cx.begin(self.next.get(), request);
            return Reply::answer(Answer::Fine);
        }
        let (to, began) = (self.to.get(), cx.now());
        let reply = cx.call(to, request, self.patience.get()).cancelling().await;
        self.ends.borrow_mut().push(End {
            took: (cx.now().0 - began.0) / 1_000_000,
            http,
            reply: Reply::of_call(reply, to),
        });
        Reply::answer(Answer::Fine)
    }
}

struct Bench {
    kernel: Kernel<System>,
    spec: Rc<RefCell<Cdn>>,
    edges: Vec<InstanceId>,
    shield: Option<InstanceId>,
    /// Of the edges, then of the shield.
    probes: Vec<Rc<CacheProbe>>,
    centers: Vec<InstanceId>,
    manners: Vec<Rc<Cell<Manner>>>,
    book: Rc<RefCell<Book>>,
    client: InstanceId,
    to: Rc<Cell<InstanceId>>,
    patience: Rc<Cell<Duration>>,
    ends: Rc<RefCell<Vec<End>>>,
    events: Vec<Event>,
}

/// Pages for 10 s, a room of 1,000 objects.
fn spec() -> Cdn {
    Cdn {
        edges: vec!["1".into(), "2".into()],
        shield: false,
        room: Room::Items(1_000),
        evict: Evict::Lru,
        pages: Some(Duration::from_secs(10)),
        stale_while_revalidate: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        coalesce: true,
        next_edge: true,
        standby: false,
        weight: 1.0,
        price_per_gb: 0.0,
        work: Distribution::Constant(Duration::ZERO),
        calls: Calls::to_origin(),
        boot: Duration::from_secs(1),
    }
}

/// Files for 20 s.
fn content() -> Content {
    Content {
        asset_ttl: Duration::from_secs(20),
        cv: 0.0,
        ..Content::default()
    }
}

fn page(key: u64, person: u64) -> Http {
    Http {
        ask: Ask::Page,
        key,
        bytes: 1_000,
        row: 100,
        edition: 0,
        format: Format::Html,
        user: Owner::new(0, person),
        cookie: None,
        pass: Pass::None,
        once: false,
        wrote: (0, Stamp::ORIGINAL),
    }
}

fn file(key: u64, edition: u32) -> Http {
    Http {
        ask: Ask::Asset,
        edition,
        ..page(key, 0)
    }
}

impl Bench {
    /// Two edges, perhaps a shield, and so many data centers of one address each.
    fn new(spec: Cdn, centers: usize, seed: u64) -> Bench {
        let shielded = spec.shield;
        let mut bench = Bench {
            kernel: Kernel::new(seed, Network::new(1, Duration::from_millis(1))),
            spec: Rc::new(RefCell::new(spec)),
            edges: Vec::new(),
            shield: None,
            probes: Vec::new(),
            centers: Vec::new(),
            manners: Vec::new(),
            book: Rc::default(),
            client: InstanceId(0),
            to: Rc::new(Cell::new(InstanceId(0))),
            patience: Rc::new(Cell::new(Duration::from_secs(60))),
            ends: Rc::default(),
            events: Vec::new(),
        };
        for center in 0..centers {
            let manner = Rc::new(Cell::new(Manner {
                after: 10,
                private: false,
                odd_only: false,
                cookie: false,
                fails: None,
                edition: 1,
            }));
            bench.manners.push(Rc::clone(&manner));
            let book = Rc::clone(&bench.book);
            let make = move |_: &Cx<System>| DataCenter {
                manner: Rc::clone(&manner),
                book: Rc::clone(&book),
            };
            let id = bench.install(&format!("center/{center}"), Factory::new(make));
            bench.centers.push(id);
        }
        if shielded {
            bench.shield = Some(bench.edge("shield", None));
        }
        for number in 0..2 {
            let id = bench.edge(&format!("edge/{number}"), bench.shield);
            bench.edges.push(id);
        }
        bench.probes.rotate_left(usize::from(shielded));
        let (to, patience, ends) = (Rc::clone(&bench.to), Rc::clone(&bench.patience), Rc::clone(&bench.ends));
        let make = move |_: &Cx<System>| Client {
            to: Rc::clone(&to),
            patience: Rc::clone(&patience),
            ends: Rc::clone(&ends),
            next: Cell::new(0),
        };
        bench.client = bench.install("client", Factory::new(make));
        bench.to.set(bench.edges[0]);
        bench.run(1);
        bench
    }

    fn install(&mut self, name: &str, factory: Factory<System>) -> InstanceId {
        let machine = self.kernel.add_machine(name, Place(0), 8);
        let id = self.kernel.install(Installation {
            machine,
            group: Group(0),
            slots: 10_000,
            backlog: 0,
            factory,
        });
        self.kernel.start(id, Duration::ZERO);
        id
    }

    fn edge(&mut self, name: &str, shield: Option<InstanceId>) -> InstanceId {
        let probe = Rc::new(CacheProbe::default());
        self.probes.push(Rc::clone(&probe));
        let layer = if name == "shield" { Layer::Shield } else { Layer::Edge };
        let (spec, centers) = (Rc::clone(&self.spec), self.centers.clone());
        let site = Rc::new(Site::new(content()));
        let make = move |cx: &Cx<System>| {
            let caller = |name: &str| {
                let calls = Rc::new(RefCell::new(spec.borrow().calls));
                Caller::new(cx, name, calls, Rc::new(CallsProbe::default()))
            };
            let origins = centers.iter().map(|center| Origin {
                far: 0,
                addresses: Rc::new(RefCell::new(vec![*center])),
                caller: caller("center"),
            });
            let behind = Behind {
                shield: shield.map(|shield| (Rc::new(Cell::new(shield)), caller("shield"))),
                origins: origins.collect(),
            };
            let (spec, site, probe) = (Rc::clone(&spec), Rc::clone(&site), Rc::clone(&probe));
            Edge::new(cx, layer, spec, behind, site, probe)
        };
        self.install(name, Factory::new(make))
    }

    /// Lets so many milliseconds pass.
    fn run(&mut self, millis: u64) {
        let end = self.kernel.now() + Duration::from_millis(millis);
        self.kernel.advance_to(end);
        let reports = self.kernel.take_reports();
        self.events.extend(reports.into_iter().map(|(_, _, event)| event));
    }

    fn ask(&mut self, http: Http) {
        self.kernel.cast(self.client, Request::Http(http));
    }

    /// Asks and waits for the answer, at most 30 s.
    fn get(&mut self, http: Http) -> End {
        let before = self.ends.borrow().len();
        self.ask(http);
        for _ in 0..3_000 {
            self.run(10);
            if let Some(end) = self.ends.borrow().get(before) {
                return end.clone();
            }
        }
        panic!("no answer to {http:?}");
    }

    fn behave(&self, center: usize, change: impl FnOnce(&mut Manner)) {
        let mut manner = self.manners[center].get();
        change(&mut manner);
        self.manners[center].set(manner);
    }

    fn tally(&self, edge: usize) -> CacheTally {
        self.probes[edge].tally.get()
    }

    /// Requests that reached the data centers so far.
    fn asked(&self) -> usize {
        self.book.borrow().asked.len()
    }
}

impl End {
    /// The version of the page, and the layer that it comes from.
    fn read(&self) -> (u64, Option<Layer>) {
        match self.reply.outcome {
            Ok(Answer::Page {
                status: Status::Read { version, .. },
                copy,
                ..
            }) => (version.0, copy),
            ref other => panic!("{other:?}"),
        }
    }

    fn reason(&self) -> Reason {
        match &self.reply.outcome {
            Err(failure) => failure.reason,
            Ok(answer) => panic!("{answer:?}"),
        }
    }

    fn fresh_until(&self) -> Option<SimTime> {
        match self.reply.outcome {
            Ok(Answer::Page { fresh_until, .. }) => fresh_until,
            ref other => panic!("{other:?}"),
        }
    }
}
