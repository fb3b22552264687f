//! A shard on a small network: nodes, monitors and clients, 1 ms apart.

use std::collections::BTreeMap;

use crate::layout::{self, Distribution, Failover, Mode, PrimaryReplicas, Replication};
use crate::observe::{Event, MonitorProbe, System};
use crate::parts::Monitor;
use crate::protocol::Position;
use crate::sim::{Factory, Group, Installation, Kernel, MachineId, Network, Place, ProcessState, Rule, Verdict};

use super::*;

mod failover;
mod property;
mod rebuild;
mod replication;
mod single;

/// How a query of a client ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ended {
    key: u64,
    operation: Operation,
    at: SimTime,
    /// What was answered; an error if that is not known, or why it failed.
    outcome: Result<Status, Reason>,
}

/// A client that looks for the primary, or asks one node only.
struct Client {
    nodes: Vec<InstanceId>,
    believed: Cell<usize>,
    /// It asks this node and nobody else.
    only: Rc<Cell<Option<InstanceId>>>,
    ended: Rc<RefCell<Vec<Ended>>>,
    number: u64,
    next: Cell<u64>,
}

impl Client {
    async fn ask(&self, cx: &Cx<System>, query: Query) -> Result<Status, Reason> {
        for _ in 0..8 {
            let to = self.only.get().unwrap_or(self.nodes[self.believed.get()]);
            let called = cx.call(to, Request::Query(query), Duration::from_secs(3)).await;
            let reply = match called {
                // It may have been done.
                Ok(_) | Err(crate::sim::CallError::Refused) => Reply::of_call(called, to),
                Err(error) => return Err(error.into()),
            };
            match reply.outcome {
                Ok(Answer::Row(status)) => return Ok(status),
                Ok(Answer::Elsewhere { to: Some(to), .. }) if self.only.get().is_none() => {
                    let place = self.nodes.iter().position(|node| *node == to);
                    self.believed.set(place.unwrap_or_default());
                    continue;
                }
                Ok(_) if self.only.get().is_some() => return Err(Reason::NotPrimary),
                Err(failure) if self.only.get().is_some() || failure.reason == Reason::NotAcknowledged => {
                    return Err(failure.reason);
                }
                _ => self.believed.set((self.believed.get() + 1) % self.nodes.len()),
            }
            cx.sleep(Duration::from_millis(50)).await;
        }
        Err(Reason::NotPrimary)
    }
}

impl Software<System> for Client {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Query(query) = request else {
            return Reply::answer(Answer::Fine);
        };
        if cx.request() == 0 {
            self.next.set(self.next.get() + 1);
            cx.begin(self.number << 32 | self.next.get(), request);
            return Reply::answer(Answer::Fine);
        }
        let outcome = self.ask(&cx, query).await;
        self.ended.borrow_mut().push(Ended {
            key: query.key,
            operation: query.operation,
            at: cx.now(),
            outcome,
        });
        Reply::answer(Answer::Fine)
    }
}

struct Bench {
    kernel: Kernel<System>,
    cluster: Rc<Cluster>,
    nodes: Vec<InstanceId>,
    machines: Vec<MachineId>,
    probes: Vec<Rc<NodeProbe>>,
    monitors: Vec<InstanceId>,
    granted: Vec<Rc<MonitorProbe>>,
    clients: Vec<InstanceId>,
    only: Rc<Cell<Option<InstanceId>>>,
    ended: Rc<RefCell<Vec<Ended>>>,
    events: Vec<(SimTime, InstanceId, Event)>,
}

const AFTER: Duration = Duration::from_secs(6);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn seconds(seconds: f64) -> SimTime {
    SimTime((seconds * 1e9) as u64)
}

/// Settings with quick constant work: 0.2 ms a read, 0.5 ms a write.
fn settings(replication: Option<PrimaryReplicas>) -> layout::Database {
    layout::Database {
        on: None,
        machines: 3,
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
        rows: 1_000,
        boot: Duration::from_secs(1),
        replication: replication.map_or(Replication::None, Replication::PrimaryReplicas),
        sharding: None,
    }
}

/// A primary and its replicas in this mode, with the defaults of failover.
fn mode(mode: Mode) -> PrimaryReplicas {
    PrimaryReplicas {
        mode,
        ..PrimaryReplicas::default()
    }
}

fn by_hand(mode: Mode) -> PrimaryReplicas {
    PrimaryReplicas {
        mode,
        failover: None,
        ..PrimaryReplicas::default()
    }
}

fn without_fencing() -> PrimaryReplicas {
    PrimaryReplicas {
        failover: Some(Failover {
            fencing: false,
            ..Failover::default()
        }),
        ..PrimaryReplicas::default()
    }
}

impl Bench {
    /// So many nodes, three monitors if failover is automatic, and two clients. All are ready.
    fn new(spec: layout::Database, nodes: u8, seed: u64) -> Bench {
        let map = ShardMap::new(None, 1, spec.rows);
        Bench::of_a_shard(spec, nodes, seed, (map, 1))
    }

    /// The first of so many shards.
    fn of_a_shard(spec: layout::Database, nodes: u8, seed: u64, (map, shards): (ShardMap, usize)) -> Bench {
        let automatic = spec
            .replication
            .primary_replicas()
            .is_some_and(|it| it.failover.is_some());
        let (slots, backlog, rows) = (spec.slots, spec.backlog, spec.rows);
        let cluster = Rc::new(Cluster {
            sites: RefCell::default(),
            spec: RefCell::new(spec),
            shards: RefCell::new(vec![Vec::new(); shards]),
            map: RefCell::new(map),
            monitors: RefCell::default(),
            clients: RefCell::default(),
            keys: Cell::new(rows),
        });
        let mut bench = Bench {
            kernel: Kernel::new(seed, Network::new(1, millis(1))),
            cluster: Rc::clone(&cluster),
            nodes: Vec::new(),
            machines: Vec::new(),
            probes: Vec::new(),
            monitors: Vec::new(),
            granted: Vec::new(),
            clients: Vec::new(),
            only: Rc::default(),
            ended: Rc::default(),
            events: Vec::new(),
        };
        for _ in 0..nodes {
            bench.add_node(slots, backlog, true);
        }
        if automatic {
            for number in 1..=3 {
                let (cluster, first) = (Rc::clone(&cluster), Cell::new(true));
                let probe: Rc<MonitorProbe> = Rc::default();
                bench.granted.push(Rc::clone(&probe));
                let make = move |cx: &Cx<System>| {
                    Monitor::new(cx, Rc::clone(&cluster), Rc::clone(&probe), first.replace(false))
                };
                let id = bench
                    .install(&format!("monitor/{number}"), Factory::new(make), (8, 8))
                    .0;
                bench.monitors.push(id);
            }
            cluster.monitors.replace(bench.monitors.clone());
        }
        for number in 1..=2 {
            let (nodes, only, ended) = (bench.nodes.clone(), Rc::clone(&bench.only), Rc::clone(&bench.ended));
            let make = move |_: &Cx<System>| Client {
                nodes: nodes.clone(),
                believed: Cell::new(0),
                only: Rc::clone(&only),
                ended: Rc::clone(&ended),
                number,
                next: Cell::new(0),
            };
            let id = bench
                .install(&format!("client/{number}"), Factory::new(make), (1_000, 0))
                .0;
            bench.clients.push(id);
        }
        let all = [&bench.nodes[..], &bench.monitors, &bench.clients].concat();
        for id in all {
            bench.kernel.start(id, Duration::ZERO);
        }
        bench.until(SimTime(1_000));
        bench
    }

    fn install(&mut self, name: &str, factory: Factory<System>, limits: (u32, u32)) -> (InstanceId, MachineId) {
        let machine = self.kernel.add_machine(name, Place(0), 2);
        let id = self.kernel.install(Installation {
            machine,
            group: Group(0),
            slots: limits.0,
            backlog: limits.1,
            factory,
        });
        (id, machine)
    }

    /// A further node; the first ones have a say, and the rows of the start.
    fn add_node(&mut self, slots: u32, backlog: u32, first: bool) -> usize {
        let node = self.nodes.len();
        let (cluster, first_time, probe) = (
            Rc::clone(&self.cluster),
            Cell::new(first),
            Rc::new(NodeProbe::default()),
        );
        self.probes.push(Rc::clone(&probe));
        let make =
            move |cx: &Cx<System>| Database::new(cx, Rc::clone(&cluster), Rc::clone(&probe), first_time.replace(false));
        let (id, machine) = self.install(&format!("node/{}", node + 1), Factory::new(make), (slots, backlog));
        self.nodes.push(id);
        self.machines.push(machine);
        self.cluster.shards.borrow_mut()[0].push(Member {
            id,
            node: node as u8,
            site: 0,
            voter: first,
        });
        node
    }

    fn until(&mut self, at: SimTime) {
        self.kernel.advance_to(at);
        self.events.extend(self.kernel.take_reports());
    }

    fn run(&mut self, time: Duration) {
        self.until(self.kernel.now() + time);
    }

    /// A client asks; the answer is among those that ended some time.
    fn ask(&mut self, client: usize, operation: Operation, key: u64) {
        self.ask_for(client, operation, key, false, Stamp::ORIGINAL);
    }

    fn ask_for(&mut self, client: usize, operation: Operation, key: u64, once: bool, after: Stamp) {
        let query = Query {
            operation,
            key,
            once,
            after,
            bytes: 0,
        };
        self.kernel.cast(self.clients[client], Request::Query(query));
    }

    fn update(&mut self, key: u64) {
        self.ask(0, Operation::Update, key);
    }

    /// Updates rows from this key on, one every so many milliseconds.
    fn updates(&mut self, keys: std::ops::Range<u64>, every: u64) {
        for key in keys {
            self.update(key);
            self.run(millis(every));
        }
    }

    /// What ended since the last call.
    fn ends(&mut self) -> Vec<Result<Status, Reason>> {
        self.ended.take().into_iter().map(|ended| ended.outcome).collect()
    }

    /// Asks one node, and waits for the answer.
    fn ask_node(&mut self, node: usize, operation: Operation, key: u64) -> Result<Status, Reason> {
        self.only.set(Some(self.nodes[node]));
        self.ended.take();
        self.ask(1, operation, key);
        self.run(millis(2_500));
        self.only.set(None);
        self.ends().pop().expect("it has ended")
    }

    fn order(&mut self, node: usize, order: Order) {
        self.kernel.cast(self.nodes[node], Request::Order(order));
    }

    fn crash(&mut self, node: usize) {
        self.kernel.crash(self.nodes[node]);
    }

    fn start(&mut self, node: usize) {
        self.kernel.start(self.nodes[node], millis(100));
    }

    /// The machine, its disk too, is replaced by an empty one.
    fn replace(&mut self, node: usize) {
        self.kernel.destroy(self.machines[node]);
        self.kernel.replace(self.machines[node]);
        self.start(node);
    }

    /// No packet goes from one of these to one of those.
    fn cut(&mut self, from: &[InstanceId], to: &[InstanceId]) {
        self.hurt(from, to, Verdict::Drop);
    }

    fn hurt(&mut self, from: &[InstanceId], to: &[InstanceId], verdict: Verdict) {
        let sorted = |ids: &[InstanceId]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids
        };
        let (from, to) = (sorted(from), sorted(to));
        self.kernel.network().rules.push(Rule {
            from,
            to,
            verdict,
            owner: 0,
        });
    }

    /// Cuts a node off from all other nodes and monitors; clients still reach it.
    fn isolate(&mut self, node: usize) {
        let mut others = [&self.nodes[..], &self.monitors].concat();
        others.retain(|id| *id != self.nodes[node]);
        let alone = [self.nodes[node]];
        self.cut(&alone, &others);
        self.cut(&others, &alone);
    }

    fn heal(&mut self) {
        self.kernel.network().rules.clear();
    }

    fn disk(&self, node: usize) -> Rc<Disk> {
        self.kernel.disk::<Disk>(self.nodes[node]).expect("it has one")
    }

    fn role(&self, node: usize) -> NodeRole {
        self.probes[node].role.get()
    }

    fn is_up(&self, node: usize) -> bool {
        self.kernel.process_state(self.nodes[node]) == ProcessState::Up
    }

    /// Those that are up and take writes.
    fn primaries(&self) -> Vec<usize> {
        let is_primary = |node: &usize| self.is_up(*node) && self.role(*node) == NodeRole::Primary;
        (0..self.nodes.len()).filter(is_primary).collect()
    }

    /// What all nodes agree upon: the last entry and the rows.
    fn agreement(&self) -> (Position, u64, u64) {
        let state = |node: usize| {
            let disk = self.disk(node);
            (disk.position(), disk.hash(), disk.rows())
        };
        let first = state(0);
        for node in 1..self.nodes.len() {
            assert_eq!(state(node), first, "node {node} differs {}", self.picture());
        }
        first
    }

    /// Events of a kind, with the time in seconds.
    fn told<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<(f64, InstanceId, T)> {
        let events = self.events.iter();
        events
            .filter_map(|(at, by, event)| Some((at.seconds(), *by, pick(event)?)))
            .collect()
    }

    /// What the nodes are doing, for a test that fails.
    fn picture(&self) -> String {
        let mut picture = vec![format!("at {}", self.kernel.now())];
        for (node, id) in self.nodes.iter().enumerate() {
            let (probe, disk, state) = (&self.probes[node], self.disk(node), self.kernel.process_state(*id));
            let (role, term, source) = (probe.role.get(), probe.term.get(), probe.source.get());
            let log = (disk.position(), disk.term(), disk.whole(), disk.aside());
            picture.push(format!(
                "{id:?} {state:?} {role:?} {term:?} of {source:?}, disk {log:?}"
            ));
        }
        let leases = self.granted.iter().map(|probe| format!("{:?}", probe.leases.borrow()));
        picture.extend(leases);
        let last = self.events.iter().rev().take(30).rev();
        picture.extend(last.map(|(at, by, event)| format!("{:.3} {by:?} {event:?}", at.seconds())));
        picture.join("\n  ")
    }

    fn promotions(&self) -> Vec<(f64, InstanceId, Term)> {
        self.told(|event| match event {
            Event::Promoted { term, .. } => Some(*term),
            _ => None,
        })
    }
}

fn written(ended: &Result<Status, Reason>) -> Option<Stamp> {
    match ended {
        Ok(Status::Written { version, .. }) => Some(*version),
        _ => None,
    }
}
