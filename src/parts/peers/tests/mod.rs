//! Nodes 1 ms apart, each with a client beside it.

use std::time::Duration;

use crate::layout::{self, Peers, Replication, Rule};
use crate::observe::{Event, Resolution};
use crate::protocol::Stamp;
use crate::sim::{self, Factory, Group, Installation, Kernel, MachineId, Network, Place, SimTime, Verdict};

use crate::parts::common::shards::ShardMap;

use super::*;

mod conflicts;
mod exchange;
mod schedules;

/// A client of one node: what it is asked it asks the node, as a request of its own.
struct Client {
    node: InstanceId,
    requests: Rc<Cell<u64>>,
    replies: Replies,
}

/// What clients were answered: when, about which row, and what.
type Replies = Rc<RefCell<Vec<(SimTime, Query, Reply)>>>;

impl Software<System> for Client {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Query(query) = request else {
            return Reply::answer(Answer::Fine);
        };
        if cx.request() == 0 {
            self.requests.set(self.requests.get() + 1);
            cx.begin(self.requests.get(), request);
        } else {
            let reply = cx.call(self.node, request, Duration::from_secs(5)).await;
            let reply = Reply::of_call(reply, self.node);
            self.replies.borrow_mut().push((cx.now(), query, reply));
        }
        Reply::answer(Answer::Fine)
    }
}

struct Bench {
    kernel: Kernel<System>,
    cluster: Rc<Cluster>,
    machines: Vec<MachineId>,
    nodes: Vec<InstanceId>,
    clients: Vec<InstanceId>,
    probes: Vec<Rc<NodeProbe>>,
    replies: Replies,
    events: Vec<(SimTime, InstanceId, Event)>,
}

/// Rows of the start.
const ROWS: u64 = 20;

fn database(replication: Replication) -> layout::Database {
    let micros = |micros| Distribution::Constant(Duration::from_micros(micros));
    layout::Database {
        on: None,
        machines: 3,
        first: None,
        monitors_in: Vec::new(),
        size: "m".into(),
        slots: 8,
        backlog: 100,
        connections: None,
        read: micros(200),
        write: micros(200),
        apply: micros(100),
        flush: Duration::from_micros(100),
        checkpoint: 10_000,
        log: 100_000,
        copy_rate: 50_000.0,
        rows: ROWS,
        boot: Duration::ZERO,
        replication,
        sharding: None,
    }
}

fn several(rule: Rule) -> Replication {
    Replication::MultiPrimary(Peers { rule, close: None })
}

fn ring(close: Option<u64>) -> Replication {
    Replication::Circular(Peers {
        rule: Rule::HybridClocks,
        close: close.map(Duration::from_secs),
    })
}

fn at(millis: u64) -> SimTime {
    SimTime(millis * 1_000_000)
}

/// All nodes are ready.
fn bench(nodes: usize, seed: u64, spec: layout::Database) -> Bench {
    let mut kernel = Kernel::new(seed, Network::new(1, Duration::from_millis(1)));
    let sites = ["east", "north", "west"];
    let cluster = Rc::new(Cluster {
        spec: RefCell::new(spec),
        shards: RefCell::new(vec![Vec::new()]),
        map: RefCell::new(ShardMap::new(None, 1, ROWS)),
        monitors: RefCell::default(),
        clients: RefCell::default(),
        sites: RefCell::new(sites.map(String::from).into()),
        keys: Cell::new(ROWS),
    });
    let first = Rc::new(Cell::new(true));
    let mut bench = Bench {
        machines: (0..nodes)
            .map(|node| kernel.add_machine(&format!("node/{node}"), Place(0), 2))
            .collect(),
        kernel,
        cluster,
        nodes: Vec::new(),
        clients: Vec::new(),
        probes: Vec::new(),
        replies: Rc::default(),
        events: Vec::new(),
    };
    for node in 0..nodes {
        bench.install(node, &first);
    }
    let requests = Rc::new(Cell::new(0));
    for node in 0..nodes {
        let machine = bench.kernel.add_machine(&format!("client/{node}"), Place(0), 1);
        let (requests, replies) = (Rc::clone(&requests), Rc::clone(&bench.replies));
        let node = bench.nodes[node];
        let factory = Factory::new(move |_| Client {
            node,
            requests: Rc::clone(&requests),
            replies: Rc::clone(&replies),
        });
        let client = bench.install_on(machine, factory);
        bench.clients.push(client);
        bench.kernel.start(client, Duration::ZERO);
    }
    for node in bench.nodes.clone() {
        bench.kernel.start(node, Duration::ZERO);
    }
    bench.kernel.advance_to(at(100));
    first.set(false);
    bench
}

impl Bench {
    fn install_on(&mut self, machine: MachineId, factory: Factory<System>) -> InstanceId {
        self.kernel.install(Installation {
            machine,
            group: Group(0),
            slots: 8,
            backlog: 100,
            factory,
        })
    }

    /// Every third node stands in the same data center.
    fn install(&mut self, node: usize, first: &Rc<Cell<bool>>) {
        let (cluster, probe, first) = (Rc::clone(&self.cluster), Rc::default(), Rc::clone(first));
        self.probes.push(Rc::clone(&probe));
        let make = move |cx: &Cx<System>| Peer::new(cx, Rc::clone(&cluster), Rc::clone(&probe), first.get());
        let id = self.install_on(self.machines[node], Factory::new(make));
        self.nodes.push(id);
        self.cluster.shards.borrow_mut()[0].push(Member {
            id,
            node: node as u8,
            site: (node % 3) as u16,
            voter: true,
        });
    }

    fn ask(&mut self, node: usize, operation: Operation, key: u64) {
        let query = Query {
            operation,
            key,
            once: false,
            after: Stamp::ORIGINAL,
            bytes: 0,
        };
        self.kernel.cast(self.clients[node], Request::Query(query));
    }

    fn update(&mut self, node: usize, key: u64) {
        self.ask(node, Operation::Update, key);
    }

    fn order(&mut self, node: usize, order: Order) {
        self.kernel.cast(self.nodes[node], Request::Order(order));
    }

    fn pass(&mut self, millis: u64) {
        let now = self.kernel.now();
        self.kernel.advance_to(now + Duration::from_millis(millis));
        self.events.extend(self.kernel.take_reports());
    }

    fn cut(&mut self, from: usize, to: usize) {
        let rule = sim::Rule {
            owner: 0,
            from: vec![self.nodes[from]],
            to: vec![self.nodes[to]],
            verdict: Verdict::Drop,
        };
        self.kernel.network().rules.push(rule);
    }

    fn cut_off(&mut self, node: usize) {
        for other in 0..self.nodes.len() {
            if other != node {
                self.cut(node, other);
                self.cut(other, node);
            }
        }
    }

    fn heal(&mut self) {
        self.kernel.network().rules.clear();
    }

    fn start(&mut self, node: usize) {
        self.kernel.start(self.nodes[node], Duration::ZERO);
    }

    fn destroy(&mut self, node: usize) {
        self.kernel.destroy(self.machines[node]);
    }

    /// Puts an empty machine in the place of a destroyed one.
    fn replace(&mut self, node: usize) {
        self.kernel.replace(self.machines[node]);
        self.start(node);
    }

    fn rule(&self) -> Rule {
        let spec = self.cluster.spec.borrow();
        spec.replication.peers().expect("all take writes").rule.clone()
    }

    fn disk(&self, node: usize) -> Rc<PeerDisk> {
        self.kernel.disk(self.nodes[node]).expect("it has written something")
    }

    fn live(&self) -> Vec<usize> {
        let gone = |node: &usize| self.kernel.is_gone(self.machines[*node]);
        (0..self.nodes.len()).filter(|node| !gone(node)).collect()
    }

    /// The nodes that are not destroyed agree on every row, and on what it looks like.
    fn agree(&self) -> bool {
        let disks: Vec<_> = self.live().into_iter().map(|node| self.disk(node)).collect();
        let view = |disk: &PeerDisk| {
            let shown: Vec<_> = (0..ROWS * 2).map(|key| disk.shown(key)).collect();
            (disk.is_complete(), disk.hash(), disk.rows(), disk.siblings(), shown)
        };
        disks.windows(2).all(|pair| view(&pair[0]) == view(&pair[1]))
    }

    /// The conflicts that were told of so far, each with who told.
    fn conflicts(&self) -> Vec<(InstanceId, Stamp, Stamp, Resolution)> {
        let resolved = self.events.iter().filter_map(|(_, by, event)| match event {
            Event::Resolved { dropped, kept, how, .. } => Some((*by, *dropped, *kept, *how)),
            _ => None,
        });
        resolved.collect()
    }

    /// The version that the last write wrote, which must have been acknowledged.
    fn last_written(&self) -> Stamp {
        match self.replies.borrow().last() {
            Some((
                _,
                _,
                Reply {
                    outcome: Ok(Answer::Row(Status::Written { version, .. })),
                    ..
                },
            )) => *version,
            other => panic!("not written: {other:?}"),
        }
    }

    /// Writes a row at a node, and waits so that the client has heard.
    fn written(&mut self, node: usize, key: u64) -> Stamp {
        self.update(node, key);
        self.pass(10);
        self.last_written()
    }
}
