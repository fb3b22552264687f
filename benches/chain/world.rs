//! The web chain on the kernel.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use blastradius::sim::{
    CallError, Cx, Factory, Group, Installation, InstanceId, Kernel, Network, Place, SimTime, Software, Wire,
};
use hdrhistogram::Histogram;

use super::{CACHE, DATABASE, DATABASE_CORES, HIT, Outcome, WEB, WEB_CORES, purpose};

struct Chain;

enum Ask {
    Visit,
    Page,
    Row,
}

type Answer = Result<u64, (CallError, InstanceId)>;

impl Wire for Chain {
    type Request = Ask;
    type Reply = Answer;
    type Event = ();

    fn fingerprint(request: &Ask) -> u64 {
        match request {
            Ask::Visit => 1,
            Ask::Page => 2,
            Ask::Row => 3,
        }
    }

    fn succeeded(reply: &Answer) -> bool {
        reply.is_ok()
    }
}

struct Seen {
    ended: Cell<u64>,
    total: Cell<u64>,
    failed: Cell<u64>,
    latency: RefCell<Histogram<u64>>,
}

struct Users {
    balancer: InstanceId,
    rate: f64,
    seen: Rc<Seen>,
}

impl Software<Chain> for Users {
    fn start(self: &Rc<Self>, cx: &Cx<Chain>) {
        let (users, cx) = (Rc::clone(self), cx.detached());
        let inner = cx.detached();
        cx.spawn(async move {
            let mut number = 0;
            let mut next = SimTime::ZERO;
            loop {
                let gap = blastradius::sim::Draw::of(inner.seed(), number, purpose::ARRIVAL).exponential() / users.rate;
                next += Duration::from_nanos((gap * 1e9) as u64);
                inner.sleep_until(next).await;
                inner.begin(number, Ask::Visit);
                number += 1;
            }
        });
    }

    async fn serve(self: Rc<Self>, cx: Cx<Chain>, _: Ask) -> Answer {
        let start = cx.now();
        let answer = cx.call(self.balancer, Ask::Page, Duration::from_secs(10)).await;
        let took = cx.now().0 - start.0;
        let seen = &self.seen;
        seen.ended.set(seen.ended.get() + 1);
        seen.total.set(seen.total.get() + took);
        seen.latency.borrow_mut().saturating_record(took / 1000);
        let answer = answer.unwrap_or_else(|error| Err((error, self.balancer)));
        if answer.is_err() {
            seen.failed.set(seen.failed.get() + 1);
        }
        answer
    }
}

struct Balancer {
    servers: Vec<InstanceId>,
    turn: Cell<usize>,
}

impl Software<Chain> for Balancer {
    async fn serve(self: Rc<Self>, cx: Cx<Chain>, _: Ask) -> Answer {
        let _slot = cx.admit().await;
        let server = self.servers[self.turn.get()];
        self.turn.set((self.turn.get() + 1) % self.servers.len());
        cx.call(server, Ask::Page, Duration::from_secs(5))
            .await
            .unwrap_or_else(|error| Err((error, server)))
    }
}

struct Web {
    cache: InstanceId,
    database: InstanceId,
}

impl Software<Chain> for Web {
    async fn serve(self: Rc<Self>, cx: Cx<Chain>, _: Ask) -> Answer {
        let _slot = cx.admit().await;
        cx.work((cx.draw(purpose::WEB).exponential() * WEB) as u64).await;
        let to = if cx.draw(purpose::HIT).unit() < HIT {
            self.cache
        } else {
            self.database
        };
        cx.call(to, Ask::Row, Duration::from_secs(2))
            .await
            .unwrap_or_else(|error| Err((error, to)))
    }
}

struct Store {
    fixed: bool,
}

impl Software<Chain> for Store {
    async fn serve(self: Rc<Self>, cx: Cx<Chain>, _: Ask) -> Answer {
        let demand = if self.fixed {
            CACHE
        } else {
            (cx.draw(purpose::DATABASE).exponential() * DATABASE) as u64
        };
        let _slot = cx.admit().await;
        cx.work(demand).await;
        Ok(1)
    }
}

struct Builder {
    kernel: Kernel<Chain>,
}

impl Builder {
    fn add<S: Software<Chain>>(
        &mut self,
        name: &str,
        place: u16,
        group: u16,
        cores: u32,
        make: impl Fn() -> S + 'static,
    ) -> InstanceId {
        let machine = self.kernel.add_machine(name, Place(place), cores);
        let factory = Factory::new(move |_| make());
        let installation = Installation {
            machine,
            group: Group(group),
            slots: 1 << 20,
            backlog: 1 << 20,
            factory,
        };
        let id = self.kernel.install(installation);
        self.kernel.start(id, Duration::ZERO);
        id
    }
}

pub fn run(servers: usize, hop: u64, seconds: f64, seed: u64) -> Outcome {
    let mut network = Network::new(2, Duration::from_nanos(hop));
    network.set_groups(5);
    let mut builder = Builder {
        kernel: Kernel::new(seed, network),
    };
    let mut web = Vec::new();
    for group in 0..servers.div_ceil(4) {
        let cache = builder.add(&format!("cache/{group}"), 0, 3, 1, || Store { fixed: true });
        let database = builder.add(&format!("db/{group}"), 0, 4, DATABASE_CORES, || Store { fixed: false });
        for server in 0..4.min(servers - group * 4) {
            web.push(
                builder.add(&format!("web/{group}/{server}"), 0, 2, WEB_CORES, move || Web {
                    cache,
                    database,
                }),
            );
        }
    }
    let balancer = builder.add("lb", 0, 1, 64, move || Balancer {
        servers: web.clone(),
        turn: Cell::new(0),
    });
    let latency = Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds are in order");
    let tally = Rc::new(Seen {
        ended: Cell::new(0),
        total: Cell::new(0),
        failed: Cell::new(0),
        latency: RefCell::new(latency),
    });
    let (shared, rate) = (Rc::clone(&tally), 500.0 * servers as f64);
    builder.add("users", 1, 0, 1, move || Users {
        balancer,
        rate,
        seen: Rc::clone(&shared),
    });
    builder.kernel.advance_to(SimTime((seconds * 1e9) as u64));
    assert_eq!(tally.failed.get(), 0, "nothing fails in the chain");
    assert_ne!(builder.kernel.digest(), 0);
    Outcome {
        requests: tally.ended.get(),
        mean_millis: tally.total.get() as f64 / tally.ended.get().max(1) as f64 / 1e6,
    }
}
