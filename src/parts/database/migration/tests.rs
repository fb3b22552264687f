//! Shards on a small network, 1 ms apart, under load, while a shard is added: nodes crash and are cut off.
//!
//! `BLASTRADIUS_SEEDS=2000 cargo test --lib migration::tests::schedules` tries more schedules, `BLASTRADIUS_SEED=17` one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use crate::layout::{self, Distribution, Mode, PrimaryReplicas, Replication, ShardBy, Sharding};
use crate::observe::{Event, MonitorProbe, NodeProbe, NodeRole};
use crate::parts::Monitor;
use crate::parts::common::{Cluster, Member, ShardMap};
use crate::protocol::{Operation, Query, Reason, Stamp, Status};
use crate::sim::{
    CallError, Factory, Group, Installation, Kernel, Network, Place, ProcessState, Rule, Software, Stream, Verdict,
};

use super::*;
use crate::parts::database::Disk;

mod live;
mod schedules;

const KEYS: u64 = 1_200;
const ROWS: u64 = 1_000;

/// How a query ended.
#[derive(Clone, Copy, Debug)]
struct Ended {
    key: u64,
    began: SimTime,
    at: SimTime,
    outcome: Result<Status, Reason>,
}

/// A client that finds the shard of a key, and its primary.
struct Client {
    cluster: Rc<Cluster>,
    believed: RefCell<BTreeMap<u32, InstanceId>>,
    ended: Rc<RefCell<Vec<Ended>>>,
}

impl Client {
    async fn ask(&self, cx: &Cx<System>, query: Query) -> Result<Status, Reason> {
        let mut shard = {
            let map = self.cluster.map.borrow();
            map.before(query.key).unwrap_or_else(|| map.shard(query.key))
        };
        for _ in 0..200 {
            let members = self.cluster.members(shard);
            let to = *self.believed.borrow_mut().entry(shard).or_insert(members[0].id);
            let called = cx.call(to, Request::Query(query), Duration::from_secs(6)).await;
            let reply = match called {
                // It may have been done.
                Err(error @ (CallError::Reset | CallError::TimedOut)) if !query.is_read() => return Err(error.into()),
                _ => Reply::of_call(called, to),
            };
            let next = match reply.outcome {
                Ok(Answer::Row(status)) => return Ok(status),
                Ok(Answer::Moved { to, .. }) => {
                    shard = to;
                    cx.sleep(Duration::from_millis(2)).await;
                    continue;
                }
                Ok(Answer::Elsewhere { to: Some(named), .. }) if named != to => named,
                Err(failure) if failure.reason == Reason::NotAcknowledged => return Err(failure.reason),
                _ => {
                    let place = members.iter().position(|member| member.id == to).unwrap_or(0);
                    cx.sleep(Duration::from_millis(50)).await;
                    members[(place + 1) % members.len()].id
                }
            };
            self.believed.borrow_mut().insert(shard, next);
        }
        Err(Reason::NotPrimary)
    }
}

impl Software<System> for Client {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Query(query) = request else {
            return Reply::answer(Answer::Fine);
        };
        let began = cx.now();
        let outcome = self.ask(&cx, query).await;
        self.ended.borrow_mut().push(Ended {
            key: query.key,
            began,
            at: cx.now(),
            outcome,
        });
        Reply::answer(Answer::Fine)
    }
}

struct Node {
    id: InstanceId,
    shard: u32,
    probe: Rc<NodeProbe>,
}

struct Bench {
    kernel: Kernel<System>,
    cluster: Rc<Cluster>,
    nodes: Vec<Node>,
    monitors: Vec<InstanceId>,
    client: InstanceId,
    ended: Rc<RefCell<Vec<Ended>>>,
    events: Vec<(SimTime, InstanceId, Event)>,
    draws: Stream,
    /// The last acknowledged write of each row.
    promised: BTreeMap<u64, Stamp>,
    seed: u64,
}

fn spec(replication: Replication, by: ShardBy, copy_rate: f64) -> layout::Database {
    layout::Database {
        on: None,
        machines: 3,
        first: None,
        monitors_in: Vec::new(),
        size: "m".into(),
        slots: 64,
        backlog: 1_000,
        connections: None,
        read: Distribution::Constant(Duration::from_micros(200)),
        write: Distribution::Constant(Duration::from_micros(500)),
        apply: Distribution::Constant(Duration::from_micros(100)),
        flush: Duration::from_micros(100),
        checkpoint: 10_000,
        log: 100_000,
        copy_rate,
        rows: ROWS,
        boot: Duration::from_secs(1),
        replication,
        sharding: Some(Sharding { shards: 2, by }),
    }
}

fn mode(mode: Mode) -> Replication {
    Replication::PrimaryReplicas(PrimaryReplicas {
        mode,
        ..PrimaryReplicas::default()
    })
}

impl Bench {
    /// Two shards of so many nodes.
    fn new(spec: layout::Database, nodes: u8, seed: u64) -> Bench {
        let sharding = spec.sharding.expect("it has shards");
        let cluster = Rc::new(Cluster {
            sites: RefCell::default(),
            spec: RefCell::new(spec),
            shards: RefCell::default(),
            map: RefCell::new(ShardMap::new(Some(sharding.by), 2, KEYS)),
            monitors: RefCell::default(),
            clients: RefCell::default(),
            keys: Cell::new(KEYS),
        });
        let mut bench = Bench {
            kernel: Kernel::new(seed, Network::new(1, Duration::from_millis(1))),
            cluster: Rc::clone(&cluster),
            nodes: Vec::new(),
            monitors: Vec::new(),
            client: InstanceId(0),
            ended: Rc::default(),
            events: Vec::new(),
            draws: Stream::new(seed, "migration", "test"),
            promised: BTreeMap::new(),
            seed,
        };
        for number in 1..=3 {
            let (cluster, first) = (Rc::clone(&cluster), Cell::new(true));
            let probe: Rc<MonitorProbe> = Rc::default();
            let make =
                move |cx: &Cx<System>| Monitor::new(cx, Rc::clone(&cluster), Rc::clone(&probe), first.replace(false));
            let id = bench.install(&format!("monitor/{number}"), Factory::new(make));
            bench.monitors.push(id);
        }
        cluster.monitors.replace(bench.monitors.clone());
        let (known, ended) = (Rc::clone(&cluster), Rc::clone(&bench.ended));
        let make = move |_: &Cx<System>| Client {
            cluster: Rc::clone(&known),
            believed: RefCell::default(),
            ended: Rc::clone(&ended),
        };
        bench.client = bench.install("client", Factory::new(make));
        bench.add_shard(nodes);
        bench.add_shard(nodes);
        for id in [&bench.monitors[..], &[bench.client]].concat() {
            bench.kernel.start(id, Duration::ZERO);
        }
        bench
    }

    fn install(&mut self, name: &str, factory: Factory<System>) -> InstanceId {
        let machine = self.kernel.add_machine(name, Place(0), 2);
        self.kernel.install(Installation {
            machine,
            group: Group(0),
            slots: 64,
            backlog: 1_000,
            factory,
        })
    }

    /// The nodes of one more shard.
    fn add_shard(&mut self, nodes: u8) {
        let shard = self.cluster.shards.borrow().len() as u32;
        let mut members = Vec::new();
        for node in 0..nodes {
            let (cluster, first) = (Rc::clone(&self.cluster), Cell::new(true));
            let probe = Rc::new(NodeProbe::default());
            let shown = Rc::clone(&probe);
            let make =
                move |cx: &Cx<System>| Database::new(cx, Rc::clone(&cluster), Rc::clone(&shown), first.replace(false));
            let id = self.install(&format!("shard/{shard}/{node}"), Factory::new(make));
            self.nodes.push(Node { id, shard, probe });
            members.push(Member {
                id,
                node,
                site: 0,
                voter: true,
            });
        }
        self.cluster.shards.borrow_mut().push(members.clone());
        for member in members {
            self.kernel.start(member.id, Duration::ZERO);
        }
    }

    /// What the world does to add a shard live.
    fn grow(&mut self, nodes: u8) {
        self.cluster.map.borrow_mut().grow();
        self.add_shard(nodes);
        self.retune();
    }

    fn retune(&mut self) {
        for node in &self.nodes {
            self.kernel.cast(node.id, Request::Retune);
        }
    }

    fn disk(&self, node: usize) -> Rc<Disk> {
        self.kernel.disk::<Disk>(self.nodes[node].id).expect("it has one")
    }

    fn is_up(&self, node: usize) -> bool {
        self.kernel.process_state(self.nodes[node].id) == ProcessState::Up
    }

    /// Nodes that take writes, of a shard or of all.
    fn primaries(&self, shard: Option<u32>) -> Vec<usize> {
        let takes = [NodeRole::Primary, NodeRole::Alone];
        (0..self.nodes.len())
            .filter(|node| shard.is_none_or(|shard| self.nodes[*node].shard == shard))
            .filter(|node| self.is_up(*node) && takes.contains(&self.nodes[*node].probe.role.get()))
            .collect()
    }

    /// Lets time pass with so many queries a second.
    fn run(&mut self, time: Duration, rate: f64) {
        let end = self.kernel.now() + time;
        let mut next = self.kernel.now();
        while next < end {
            if rate > 0.0 {
                let draw = self.draws.draw();
                let operation = match draw.below(10) {
                    0 => Operation::Create,
                    1 => Operation::Delete,
                    2..5 => Operation::Update,
                    _ => Operation::Read,
                };
                let key = self.draws.draw().below(KEYS);
                self.ask(operation, key);
                next += Duration::from_secs_f64(self.draws.draw().exponential() / rate);
            } else {
                next = end;
            }
            self.kernel.advance_to(next.min(end));
        }
        self.events.extend(self.kernel.take_reports());
    }

    fn ask(&mut self, operation: Operation, key: u64) {
        let query = Query {
            operation,
            key,
            once: false,
            after: Stamp::ORIGINAL,
            bytes: 0,
        };
        self.kernel.cast(self.client, Request::Query(query));
    }

    /// What ended; the promises among it are remembered.
    fn ends(&mut self) -> Vec<Ended> {
        let ended = self.ended.take();
        for end in &ended {
            if let Ok(Status::Written { version, .. }) = end.outcome {
                let promised = self.promised.entry(end.key).or_default();
                *promised = version.max(*promised);
            }
        }
        ended
    }

    /// Whether the primaries say that all rows have moved.
    fn all_moved(&self) -> bool {
        let map = self.cluster.map.borrow();
        (0..map.shards()).all(|shard| {
            let primaries = self.primaries(Some(shard));
            primaries.len() == 1 && self.disk(primaries[0]).all_moved(&map, shard)
        })
    }

    /// No key may have two nodes that answer for it.
    fn assert_no_two_owners(&self) {
        let map = self.cluster.map.borrow();
        let mut owners = vec![Vec::new(); KEYS as usize];
        for node in self.primaries(None) {
            let (disk, shard) = (self.disk(node), self.nodes[node].shard);
            for key in 0..KEYS {
                if disk.moves().standing(&map, shard, key) == Standing::Ours {
                    owners[key as usize].push(node);
                }
            }
        }
        for (key, owners) in owners.iter().enumerate() {
            assert!(owners.len() <= 1, "seed {}: key {key} belongs to {owners:?}", self.seed);
        }
    }

    /// Runs without queries until all have moved and all nodes of each shard agree, and settles the map.
    fn settle(&mut self) {
        let mut waited = 0;
        while !self.all_moved() || !self.disagreement().is_empty() {
            self.run(Duration::from_secs(1), 0.0);
            waited += 1;
            assert!(
                waited < 120,
                "seed {}: all moved: {}, {}",
                self.seed,
                self.all_moved(),
                self.disagreement()
            );
        }
        self.cluster.map.borrow_mut().settle();
        self.retune();
        // A primary may have lost its lease just before.
        let shards = self.cluster.map.borrow().shards();
        for _ in 0..30 {
            self.run(Duration::from_secs(1), 0.0);
            if (0..shards).all(|shard| self.primaries(Some(shard)).len() == 1) {
                break;
            }
        }
        self.ends();
    }

    /// What the nodes of a shard do not agree upon.
    fn disagreement(&self) -> String {
        let mut text = String::new();
        for shard in 0..self.cluster.map.borrow().shards() {
            let nodes = (0..self.nodes.len()).filter(|node| self.nodes[*node].shard == shard);
            let states: Vec<_> = nodes
                .map(|node| {
                    let disk = self.disk(node);
                    (disk.position(), disk.hash(), disk.rows())
                })
                .collect();
            if states.iter().any(|state| *state != states[0]) {
                let _ = write!(text, "shard {shard}: {states:?} ");
            }
        }
        text
    }

    /// Something breaks for a while. At most one node is out of order at a time.
    fn disturb(&mut self, rate: f64) {
        let primaries = self.primaries(None);
        let node = match self.draws.draw().below(4) {
            0 => self.draws.draw().below(self.nodes.len() as u64) as usize,
            _ if primaries.is_empty() => return,
            _ => primaries[self.draws.draw().below(primaries.len() as u64) as usize],
        };
        let id = self.nodes[node].id;
        let time = Duration::from_secs_f64(0.2 + 9.0 * self.draws.draw().unit());
        if self.draws.draw().below(3) == 0 {
            let nodes = self.nodes.iter().map(|node| node.id);
            let others: Vec<InstanceId> = nodes
                .chain(self.monitors.clone())
                .filter(|other| *other != id)
                .collect();
            let mut others = others;
            others.sort_unstable();
            for (from, to) in [(vec![id], others.clone()), (others, vec![id])] {
                let verdict = Verdict::Drop;
                self.kernel.network().rules.push(Rule {
                    from,
                    to,
                    verdict,
                    owner: 0,
                });
            }
            self.run_watched(time, rate);
            self.kernel.network().rules.clear();
        } else {
            self.kernel.crash(id);
            self.run_watched(time, rate);
            self.kernel.start(id, Duration::from_millis(100));
        }
    }

    /// Lets time pass and looks again and again whether a key has two owners, where that is promised.
    fn run_watched(&mut self, time: Duration, rate: f64) {
        let end = self.kernel.now() + time;
        while self.kernel.now() < end {
            self.run(Duration::from_millis(200).min(end - self.kernel.now()), rate);
            if self.keeps_promises() {
                self.assert_no_two_owners();
            }
        }
        self.ends();
    }

    /// Whether a node that fails loses nothing.
    fn keeps_promises(&self) -> bool {
        let spec = self.cluster.spec.borrow();
        let mode = spec.replication.primary_replicas().map(|spec| spec.mode);
        matches!(mode, None | Some(Mode::Synchronous | Mode::Quorum))
    }

    /// After all is quiet: every key has one owner, which has every promised write, and rows are counted right.
    fn assert_whole(&mut self) {
        let seed = self.seed;
        let map = self.cluster.map.borrow();
        let mut existing = vec![0; map.shards() as usize];
        let owners: Vec<usize> = (0..map.shards()).map(|shard| self.primaries(Some(shard))[0]).collect();
        for key in 0..KEYS {
            let shard = map.shard(key);
            let disk = self.disk(owners[shard as usize]);
            assert_eq!(disk.moves().standing(&map, shard, key), Standing::Ours, "seed {seed}");
            let row = disk.row(key);
            existing[shard as usize] += u64::from(row.exists);
            let promised = self.promised.get(&key).copied().unwrap_or_default();
            let kept = row.stamp >= promised || !self.keeps_promises();
            assert!(kept, "seed {seed}: key {key} lost {promised:?}: {row:?}");
            for (node, other) in self.nodes.iter().enumerate().filter(|(_, node)| node.shard != shard) {
                let left = self.disk(node).stamp(key);
                assert_eq!(left, Stamp::ORIGINAL, "seed {seed}: key {key} still in {}", other.shard);
            }
        }
        let counted: Vec<u64> = owners.iter().map(|owner| self.disk(*owner).rows()).collect();
        assert_eq!(counted, existing, "seed {seed}: rows");
        drop(map);
        for key in 0..KEYS {
            self.ask(Operation::Read, key);
        }
        self.run(Duration::from_secs(5), 0.0);
        let ended = self.ends();
        let answered = ended.iter().filter(|end| end.outcome.is_ok()).count();
        assert_eq!(answered, KEYS as usize, "seed {seed}: all can be read");
    }
}
