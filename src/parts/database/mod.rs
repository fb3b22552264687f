//! A node of a database with real rows on a disk that survives a crash: the only one, or one of a primary and its replicas.
//!
//! What is here is common to all of them: the queries. `primary` takes writes and feeds those that follow, `reign` holds its lease,
//! `follower` follows, `election` finds who is to be primary, `aside` gives writes to the primary that only a former one has. On the disk are a `table`, a
//! `log`, and a `tail`.

mod aside;
mod disk;
mod done;
mod election;
mod follower;
mod log;
mod migration;
mod primary;
mod reign;
mod table;
mod tail;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::layout::PrimaryReplicas;
use crate::observe::{NodeProbe, NodeRole, System};
use crate::protocol::{Answer, Operation, Order, Query, Reason, Reply, Request, Stamp, Status, Term};
use crate::sim::{Cx, Draw, Either, InstanceId, Signal, SimTime, Software, Stream, mix, race};

use super::common::purpose;
use super::common::{Cluster, Demand, Member, ShardMap};

pub use disk::Disk;

use aside::Judged;
use disk::Keep;
use migration::Migration;
use primary::Follower;

/// How much more core time a search takes than a read.
const SEARCH: f64 = 10.0;
/// Draws from which the time of a recovery is made up at most.
const RECOVERY_DRAWS: u64 = 1_000;

/// What comes of a request: the answer, or why it failed.
type Outcome = Result<Answer, Reason>;

/// Whom a node follows, and in which term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leader {
    id: InstanceId,
    term: Term,
}

/// A node of a database. All that it has promised is on its disk before it answers.
pub struct Database {
    cluster: Rc<Cluster>,
    probe: Rc<NodeProbe>,
    disk: Rc<Disk>,
    id: InstanceId,
    shard: u32,
    node: u8,
    /// Queries that are here, in progress or waiting.
    connected: Cell<u32>,
    /// Core times of what belongs to no request.
    stream: RefCell<Stream>,
    /// It still replays its log.
    recovering: Cell<bool>,

    /// The term in which it is primary, if it is.
    reign: Cell<Option<Term>>,
    /// Since when.
    crowned: Cell<SimTime>,
    /// Until when it holds the lease of the primary.
    lease: Cell<SimTime>,
    /// Whether it was told that its lease ran out.
    fenced: Cell<bool>,
    /// It takes no more writes, since another node is to be primary.
    yielding: Cell<bool>,
    /// Those who follow it.
    followers: RefCell<Vec<Follower>>,
    /// It goes on without a replica, though it should have one.
    degraded: Cell<bool>,
    /// Writes of former primaries that it has judged.
    judged: RefCell<Judged>,

    /// Whom it follows.
    leader: Cell<Option<Leader>>,
    /// The last primary that it knew.
    former: Cell<Option<InstanceId>>,
    /// When it heard last of a primary.
    heard: Cell<SimTime>,
    /// The highest term that it has heard of.
    highest: Cell<Term>,
    /// It wants to be primary.
    standing: Cell<bool>,
    /// Whom it asks next who is primary.
    turn: Cell<usize>,
    /// Writes that it has put aside without having told so.
    put_aside: Cell<u64>,
    /// Writes that were put aside are being compared.
    comparing: Cell<bool>,

    /// Rows that move to other shards and from them.
    migration: Migration,

    /// The log has grown.
    news: Signal,
    /// A follower has more on its disk.
    acks: Signal,
    /// Another primary, another lease, other settings.
    changed: Signal,
}

impl Database {
    /// A node over the disk of its machine. The very first ones find the rows of the layout there, and node 0 of a shard is primary; one
    /// on a new disk later on has no rows.
    pub fn new(cx: &Cx<System>, cluster: Rc<Cluster>, probe: Rc<NodeProbe>, first: bool) -> Database {
        let (shard, member) = cluster.place(cx.id()).expect("who starts is in the list");
        let disk = cx.disk::<Disk>();
        let fresh = !disk.is_whole() && disk.term() == Term::default();
        let alone = cluster.members(shard).len() == 1;
        let home = (cluster.shards.borrow().len() > 1).then(|| disk::home(&cluster.map.borrow(), shard));
        if fresh && (first || alone) {
            disk.format(if first { cluster.spec.borrow().rows } else { 0 }, home);
        } else if fresh {
            disk.prepare(home);
        }
        let database = Database {
            cluster,
            probe,
            disk,
            id: cx.id(),
            shard,
            node: member.node,
            connected: Cell::new(0),
            stream: RefCell::new(cx.stream("database")),
            recovering: Cell::new(!first),
            reign: Cell::default(),
            crowned: Cell::new(cx.now()),
            lease: Cell::default(),
            fenced: Cell::default(),
            yielding: Cell::default(),
            followers: RefCell::default(),
            degraded: Cell::default(),
            judged: RefCell::default(),
            leader: Cell::default(),
            former: Cell::default(),
            heard: Cell::new(cx.now()),
            highest: Cell::default(),
            standing: Cell::default(),
            turn: Cell::new(usize::from(member.node)),
            put_aside: Cell::default(),
            comparing: Cell::default(),
            migration: Migration::default(),
            news: Signal::default(),
            acks: Signal::default(),
            changed: Signal::default(),
        };
        if first && fresh {
            database.take_first_place();
        }
        database.probe.rebuilt.set((0, 0));
        database.show();
        database
    }

    /// As all are at the start of the world: node 0 is primary, and the lease was granted to it at that moment.
    fn take_first_place(&self) {
        let Some(spec) = self.replication() else { return };
        self.disk.promise(Term::FIRST);
        let members = self.cluster.members(self.shard);
        if self.node == 0 {
            self.disk.reign(Term::FIRST);
            self.reign.set(Some(Term::FIRST));
            let after = spec.failover.map_or(Duration::ZERO, |failover| failover.after);
            self.lease.set(SimTime::ZERO + after);
        } else if let Some(first) = members.iter().find(|member| member.node == 0) {
            self.follow(first.id, Term::FIRST);
        }
    }

    /// The settings of a primary and its replicas, if that is what this is.
    fn replication(&self) -> Option<PrimaryReplicas> {
        self.cluster.spec.borrow().replication.primary_replicas().cloned()
    }

    fn is_replicated(&self) -> bool {
        self.cluster.spec.borrow().replication.primary_replicas().is_some()
    }

    fn keep(&self) -> Keep {
        let spec = self.cluster.spec.borrow();
        let replicated = spec.replication.primary_replicas().is_some();
        Keep {
            entries: if replicated { spec.log } else { 0 },
            checkpoint: spec.checkpoint,
        }
    }

    /// The other nodes of the shard.
    fn others(&self) -> Vec<Member> {
        let mut members = self.cluster.members(self.shard);
        members.retain(|member| member.id != self.id);
        members
    }

    /// Whether it counts for majorities.
    fn is_voter(&self) -> bool {
        let members = self.cluster.shards.borrow();
        members[self.shard as usize]
            .iter()
            .any(|member| member.id == self.id && member.voter)
    }

    /// Whom it follows: who has a lower term than it has promised to is none any more.
    fn leader(&self) -> Option<Leader> {
        self.leader.get().filter(|leader| leader.term >= self.disk.term())
    }

    fn draw(&self) -> Draw {
        self.stream.borrow_mut().draw()
    }

    /// Core time to apply an entry that came from elsewhere.
    fn apply_time(&self) -> u64 {
        let demand = Demand::new(self.cluster.spec.borrow().apply);
        demand.sample(self.draw(), 1.0)
    }

    /// Waits for so long, or until something has changed.
    async fn pause(&self, cx: &Cx<System>, pause: Duration) {
        race(cx.sleep(pause), self.changed.wait(cx)).await;
    }

    /// Shows what it does.
    fn show(&self) {
        let leader = self.leader();
        let role = if self.recovering.get() {
            NodeRole::Recovering
        } else if !self.is_replicated() {
            NodeRole::Alone
        } else if self.reign.get().is_some() {
            if self.fenced.get() {
                NodeRole::Fenced
            } else {
                NodeRole::Primary
            }
        } else if leader.is_none() || self.standing.get() {
            NodeRole::Candidate
        } else if self.disk.is_whole() {
            NodeRole::Replica
        } else {
            NodeRole::Rebuilding
        };
        self.probe.role.set(role);
        let source = leader.filter(|_| self.reign.get().is_none());
        self.probe.source.set(source.map(|leader| leader.id));
        let term = self.reign.get().or(source.map(|leader| leader.term));
        self.probe.term.set(term.unwrap_or(self.disk.term()));
    }

    /// Runs as long as the process lives.
    async fn live(self: Rc<Self>, cx: Cx<System>) {
        self.recover(&cx).await;
        if !self.is_replicated() {
            return self.migrate(cx, Term::default()).await;
        }
        self.resume(&cx).await;
        if let Some(term) = self.reign.get() {
            self.spawn_reign(&cx, term);
        }
        cx.spawn(Rc::clone(&self).watch(cx.detached()));
        self.compare_by_itself(&cx);
        self.follow_on(&cx).await;
    }

    /// Replays what came after the last checkpoint.
    async fn recover(&self, cx: &Cx<System>) {
        if !self.recovering.get() {
            return;
        }
        let entries = self.disk.unsaved();
        let sample = entries.min(RECOVERY_DRAWS);
        let work: u64 = (0..sample).map(|_| self.apply_time()).sum();
        if sample > 0 {
            cx.work((u128::from(work) * u128::from(entries) / u128::from(sample)) as u64)
                .await;
        }
        self.disk.save();
        self.recovering.set(false);
        self.heard.set(cx.now());
        self.show();
    }

    // Queries.

    /// A place for one more query.
    fn connect(&self) -> Option<Connection<'_>> {
        let most = self.cluster.spec.borrow().connections.unwrap_or(u32::MAX);
        let connected = self.connected.get();
        if connected >= most {
            return None;
        }
        self.connected.set(connected + 1);
        Some(Connection(&self.connected))
    }

    /// Who takes writes, as far as it knows.
    fn elsewhere(&self) -> Answer {
        let own = self.reign.get().filter(|_| !self.fenced.get() && !self.yielding.get());
        if let Some(term) = own {
            let to = Some(self.id);
            return Answer::Elsewhere { to, term };
        }
        let leader = self.leader();
        Answer::Elsewhere {
            to: leader.map(|leader| leader.id),
            term: leader.map_or(self.disk.term(), |leader| leader.term),
        }
    }

    async fn answer(&self, cx: &Cx<System>, query: Query) -> Outcome {
        if self.recovering.get() {
            return Err(Reason::Recovering);
        }
        if query.is_read() {
            self.read(cx, query).await
        } else {
            self.write(cx, query).await
        }
    }

    /// What belongs to the request; of a search each shard has a draw of its own.
    fn draw_of(&self, cx: &Cx<System>, query: Query) -> Draw {
        let draw = cx.draw(purpose::QUERY_WORK);
        match query.operation {
            Operation::Search => Draw(mix(draw.0 ^ u64::from(self.shard))),
            _ => draw,
        }
    }

    async fn read(&self, cx: &Cx<System>, query: Query) -> Outcome {
        if let Some(elsewhere) = self.read_elsewhere(cx, query) {
            return Ok(elsewhere);
        }
        let (demand, factor) = (
            Demand::new(self.cluster.spec.borrow().read),
            if query.operation == Operation::Search {
                SEARCH
            } else {
                1.0
            },
        );
        cx.work(demand.sample(self.draw_of(cx, query), factor)).await;
        if let Some(elsewhere) = self.read_elsewhere(cx, query) {
            return Ok(elsewhere);
        }
        self.probe.reads.set(self.probe.reads.get() + 1);
        if query.operation == Operation::Search {
            return Ok(Answer::Row(Status::Searched));
        }
        let (row, by) = (self.disk.row(query.key), self.id);
        let version = row.stamp;
        Ok(Answer::Row(if row.exists {
            Status::Read { version, by }
        } else {
            Status::NotFound { version, by }
        }))
    }

    /// What is answered instead, if it may not answer this read.
    fn read_elsewhere(&self, cx: &Cx<System>, query: Query) -> Option<Answer> {
        if !self.may_read(query.after) {
            return Some(self.elsewhere());
        }
        let is_of_row = query.operation == Operation::Read;
        is_of_row.then(|| self.moved(cx.now(), query.key))?
    }

    /// Whether it may answer reads of those who have seen this write. The primary may always: nobody knows more.
    fn may_read(&self, after: Stamp) -> bool {
        if !self.is_replicated() || self.reign.get().is_some() {
            return true;
        }
        self.disk.is_whole() && self.disk.last_stamp() >= after
    }

    /// What is not a query. It takes no slot.
    async fn attend(self: Rc<Self>, cx: &Cx<System>, request: Request) -> Outcome {
        if let Request::Retune = request {
            self.changed.raise(cx);
            self.compare_by_itself(cx);
            return Ok(Answer::Fine);
        }
        let is_for_all = matches!(request, Request::Handover(_));
        if !self.is_replicated() && !is_for_all || matches!(request, Request::Check) {
            return Ok(Answer::Fine);
        }
        if let Request::Leads { shard, term } = request {
            if shard == self.shard {
                self.hear_of(cx, cx.from(), term);
            }
            return Ok(Answer::Fine);
        }
        if self.recovering.get() {
            return Err(Reason::Recovering);
        }
        match request {
            Request::Pull(pull) => self.feed(cx, pull).await,
            Request::Rows { from } => self.copy_out(cx, from).await,
            Request::Missing(missing) => self.repeat(cx, missing).await,
            Request::Handover(handover) => self.hand_over(cx, handover).await,
            Request::Prepare { term } => Ok(self.prepare(cx, term)),
            Request::WhoLeads => Ok(self.elsewhere()),
            Request::Order(Order::Promote) => Ok(self.promote(cx).await),
            Request::Order(Order::StepDown { successor }) => Ok(self.make_way(cx, successor).await),
            Request::Order(Order::Recover) => {
                self.compare(cx);
                Ok(Answer::Fine)
            }
            _ => Ok(Answer::Fine),
        }
    }
}

/// One of the queries that are here.
struct Connection<'a>(&'a Cell<u32>);

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Software<System> for Database {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        let is_sharded = self.cluster.spec.borrow().sharding.is_some();
        if self.recovering.get() || self.is_replicated() || is_sharded {
            cx.spawn(Rc::clone(self).live(cx.detached()));
        }
    }

    // An `async fn` would keep its arguments twice in the memory of every handler: as they came, and as they are used.
    #[allow(
        clippy::manual_async_fn,
        reason = "many requests are under way, and all of them wait in memory"
    )]
    fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> impl Future<Output = Reply> + 'static {
        async move {
            let outcome = if let Request::Query(query) = request {
                let Some(_connection) = self.connect() else {
                    return Reply::failure(Reason::TooManyConnections, cx.id());
                };
                let Ok(_slot) = cx.admit().await else {
                    return Reply::failure(Reason::Overloaded, cx.id());
                };
                self.answer(&cx, query).await
            } else {
                // It is rare, and must not make the memory of every query larger.
                Box::pin(Rc::clone(&self).attend(&cx, request)).await
            };
            match outcome {
                Ok(answer) => Reply::answer(answer),
                Err(reason) => Reply::failure(reason, cx.id()),
            }
        }
    }
}

/// Asks several at once and waits for the answers, until these are enough.
async fn gather<F: Future>(
    futures: impl IntoIterator<Item = F>,
    enough: impl Fn(&F::Output) -> bool,
    most: usize,
) -> Vec<Option<F::Output>> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(ready) => *output = Some(ready),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        let outputs = futures.iter().filter_map(|(_, output)| output.as_ref());
        if pending && outputs.filter(|output| enough(output)).count() < most {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    futures.into_iter().map(|(_, output)| output).collect()
}

/// Waits for the first, at most as long as the second takes; none if that was over first.
async fn within<A: Future, B: Future>(wanted: A, limit: B) -> Option<A::Output> {
    match race(wanted, limit).await {
        Either::First(output) => Some(output),
        Either::Second(_) => None,
    }
}
