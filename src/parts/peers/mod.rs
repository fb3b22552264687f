//! One of several nodes that all take reads and writes: several primaries, or a ring.
//!
//! Each node keeps a log of its own changes and of those that it fetched. In a system of several primaries it fetches from every other
//! one what that one made; in a ring from the one before it, everything but what it made itself. Who is too far behind merges all rows
//! of another one, and so does a node on a new disk before it serves.
//!
//! - `row`: the versions of a row, and how they are joined
//! - `rules`: which version is shown
//! - `clock`: wall clocks that are off, and hybrid logical clocks
//! - `log`: the log
//! - `disk`: all that survives a crash
//! - `fetch`: fetching, rings, passing over
//! - `merge`: merging all rows, and comparing with others whether that is needed
//!
//! The rule may be changed at any time: it only chooses among versions, and what nodes have of a row stays the same. A change to or from
//! wall clocks reaches further. To them: siblings are reduced to one when their row is joined or written next. Either way, while changes
//! are on their way: one may be dropped on one node and kept on another. Nodes then differ in that row until it is written again, or
//! until they compare their rows and merge them.

mod clock;
mod disk;
mod fetch;
mod log;
mod merge;
mod row;
mod rules;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{Distribution, Replication};
use crate::observe::{NodeProbe, NodeRole, System};
use crate::protocol::{Answer, Operation, Order, Query, Reason, Reply, Request, Status, Term};
use crate::sim::{Cx, Draw, Gate, InstanceId, Signal, Software, Stream, mix, nanos};

use crate::parts::common::cluster::{Cluster, Member};
use crate::parts::common::demand::Demand;
use crate::parts::common::purpose;

pub use disk::PeerDisk;

/// A search reads so many rows' worth.
const SEARCH: f64 = 10.0;
/// Rows in a chunk when all are merged.
const CHUNK: usize = 1_000;
/// Rows of a chunk that cost as much as one change.
const ROWS_A_CHANGE: f64 = 100.0;

/// A node.
pub struct Peer {
    cluster: Rc<Cluster>,
    probe: Rc<NodeProbe>,
    disk: Rc<PeerDisk>,
    shard: u32,
    demands: Cell<Demands>,
    /// It serves: its log is replayed, or its rows are merged.
    ready: Cell<bool>,
    connected: Cell<u32>,
    /// Raised when there is something new in the log for others.
    appended: Signal,
    /// One merge at a time.
    merging: Gate,
    noise: RefCell<Stream>,
    /// Those whom it fetches from, each by a task of its own.
    fetching: RefCell<BTreeSet<InstanceId>>,
}

/// Core time of what a node does.
#[derive(Clone, Copy)]
struct Demands {
    read: Demand,
    write: Demand,
    apply: Demand,
    /// The mean of `apply`, in nanoseconds.
    apply_mean: f64,
}

impl Demands {
    fn of(cluster: &Cluster) -> Demands {
        let spec = cluster.spec.borrow();
        let mean = match spec.apply {
            Distribution::Constant(mean) | Distribution::Exponential(mean) | Distribution::LogNormal { mean, .. } => {
                mean
            }
        };
        Demands {
            read: Demand::new(spec.read),
            write: Demand::new(spec.write),
            apply: Demand::new(spec.apply),
            apply_mean: nanos(mean) as f64,
        }
    }
}

/// A client's connection, in use as long as this lives.
struct Connection<'a>(&'a Cell<u32>);

impl<'a> Connection<'a> {
    fn open(count: &'a Cell<u32>, most: Option<u32>) -> Option<Connection<'a>> {
        if most.is_some_and(|most| count.get() >= most) {
            return None;
        }
        count.set(count.get() + 1);
        Some(Connection(count))
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Peer {
    /// A node over the disk of its machine. It must be among the members of the cluster. `first`: a new disk has the rows of the start;
    /// or else it has none, and gets them from the other nodes.
    pub fn new(cx: &Cx<System>, cluster: Rc<Cluster>, probe: Rc<NodeProbe>, first: bool) -> Peer {
        let disk = cx.disk::<PeerDisk>();
        let (shard, member) = cluster
            .place(cx.id())
            .expect("a node of a database is one of its members");
        disk.belong(&cluster, (shard, member.node), cx.now(), first);
        probe.skew.set(disk.clock().skew());
        probe.source.set(None);
        Peer {
            demands: Cell::new(Demands::of(&cluster)),
            shard,
            ready: Cell::new(false),
            connected: Cell::new(0),
            appended: Signal::default(),
            merging: Gate::new(Some(1)),
            noise: RefCell::new(cx.stream("peer")),
            fetching: RefCell::default(),
            cluster,
            probe,
            disk,
        }
    }

    /// Gets ready, and then exchanges changes with others for ever.
    async fn live(self: Rc<Self>, cx: Cx<System>) {
        if self.disk.is_complete() {
            self.recover(&cx).await;
        } else {
            self.probe.role.set(NodeRole::Rebuilding);
            self.rebuild(&cx).await;
        }
        self.probe.role.set(NodeRole::Peer);
        self.ready.set(true);
        cx.spawn(Rc::clone(&self).compare(cx.detached()));
        if self.is_ring() {
            cx.spawn(Rc::clone(&self).try_again(cx.detached()));
            self.fetch_in_a_ring(cx).await;
        } else {
            self.fetch_from_all(cx).await;
        }
    }

    /// Replays what came into the log since the last checkpoint. The rows are on the disk already: it only takes the time.
    async fn recover(&self, cx: &Cx<System>) {
        let changes = self.disk.log().borrow().since_checkpoint();
        if changes > 0 {
            self.probe.role.set(NodeRole::Recovering);
            let draw = self.noise.borrow_mut().draw();
            cx.work(self.demands.get().apply.sample(draw, changes as f64)).await;
        }
        self.disk.log().borrow_mut().check();
    }

    fn is_ring(&self) -> bool {
        matches!(self.cluster.spec.borrow().replication, Replication::Circular(_))
    }

    /// All other nodes.
    fn others(&self) -> Vec<Member> {
        let mut members = self.cluster.members(self.shard);
        members.retain(|member| member.node != self.disk.node());
        members
    }

    fn flush(&self) -> Duration {
        self.cluster.spec.borrow().flush
    }

    /// Core time for rows that are merged, here or there.
    fn merge_demand(&self, rows: usize) -> u64 {
        (self.demands.get().apply_mean * rows as f64 / ROWS_A_CHANGE) as u64
    }

    async fn query(&self, cx: &Cx<System>, query: Query) -> Reply {
        let most = self.cluster.spec.borrow().connections;
        let Some(_connection) = Connection::open(&self.connected, most) else {
            return Reply::failure(Reason::TooManyConnections, cx.id());
        };
        if !self.ready.get() {
            return Reply::failure(Reason::Recovering, cx.id());
        }
        let Ok(_slot) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        let draw = cx.draw(purpose::QUERY_WORK);
        let demands = self.demands.get();
        let (demand, counter) = match query.operation {
            Operation::Read => (demands.read.sample(draw, 1.0), &self.probe.reads),
            Operation::Search => {
                let draw = Draw(mix(draw.0 ^ u64::from(self.shard)));
                (demands.read.sample(draw, SEARCH), &self.probe.reads)
            }
            _ => (demands.write.sample(draw, 1.0), &self.probe.writes),
        };
        cx.work(demand).await;
        let status = match query.operation {
            Operation::Search => Status::Searched,
            Operation::Read if !self.disk.knows(query.after) => return self.elsewhere(query),
            Operation::Read => self.look_up(cx, query),
            _ => {
                if cx.flush(self.flush()).await.is_err() {
                    return Reply::failure(Reason::DiskFull, cx.id());
                }
                self.carry_out(cx, query)
            }
        };
        counter.set(counter.get() + 1);
        Reply::answer(Answer::Row(status))
    }

    /// The maker of a write certainly has it.
    fn elsewhere(&self, query: Query) -> Reply {
        let maker = |member: &Member| member.node == query.after.node();
        Reply::answer(Answer::Elsewhere {
            to: self.others().into_iter().find(maker).map(|member| member.id),
            term: Term::default(),
        })
    }

    fn look_up(&self, cx: &Cx<System>, query: Query) -> Status {
        let shown = self.disk.shown(query.key);
        let (version, by) = (shown.stamp, cx.id());
        if shown.exists {
            Status::Read { version, by }
        } else {
            Status::NotFound { version, by }
        }
    }

    /// Carries out a write. One with an idempotency key that was done here already is answered as before; other nodes know nothing
    /// of it.
    fn carry_out(&self, cx: &Cx<System>, query: Query) -> Status {
        if !query.once {
            return self.change(cx, query);
        }
        let request = cx.request();
        self.disk.done(request).unwrap_or_else(|| {
            let status = self.change(cx, query);
            self.disk.remember(request, status);
            status
        })
    }

    fn change(&self, cx: &Cx<System>, query: Query) -> Status {
        let shown = self.disk.shown(query.key);
        let by = cx.id();
        match (query.operation, shown.exists) {
            (Operation::Create, true) => return Status::Conflict,
            (Operation::Update | Operation::Delete, false) => {
                return Status::NotFound {
                    version: shown.stamp,
                    by,
                };
            }
            _ => {}
        }
        let exists = query.operation != Operation::Delete;
        let mut events = Vec::new();
        let draw = cx.draw(purpose::VALUE);
        let version = self.disk.write(cx.now(), query.key, exists, draw, &mut events);
        for event in events {
            cx.emit(event);
        }
        self.appended.raise(cx);
        Status::Written { version, by }
    }

    fn obey(&self, cx: &Cx<System>, order: Order) {
        match order {
            Order::Skew(nanos) => {
                self.disk.clock().set_skew(nanos);
                self.probe.skew.set(nanos);
            }
            Order::PassOver { node, on } => self.pass_over(cx, node, on, true),
            Order::Promote | Order::StepDown { .. } | Order::Recover => {}
        }
    }
}

impl Software<System> for Peer {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).live(cx.detached()));
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        match request {
            Request::Query(query) => return self.query(&cx, query).await,
            Request::PeerState => return Reply::answer(Answer::PeerState(Rc::new(self.disk.state()))),
            Request::PeerPull(_) | Request::PeerRows { .. } if !self.ready.get() => {
                return Reply::failure(Reason::Recovering, cx.id());
            }
            Request::PeerPull(pull) => return self.hand_out(&cx, pull).await,
            Request::PeerRows { from } => return self.copy_out(&cx, from).await,
            Request::Order(order) => self.obey(&cx, order),
            Request::Retune => self.demands.set(Demands::of(&self.cluster)),
            _ => {
                let Ok(_slot) = cx.admit().await else {
                    return Reply::failure(Reason::Overloaded, cx.id());
                };
            }
        }
        Reply::answer(Answer::Fine)
    }
}
