//! How whoever queries a database finds the node to ask: the shard by the key, the primary by what it was told, the nearest replica for
//! reads. It knows who belongs to the database; who is alive and who is primary it learns from answers, and is wrong for a while.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{Reads, Replication};
use crate::observe::System;
use crate::protocol::{Answer, Failure, Http, Operation, Query, Reason, Reply, Request, Stamp, Status, Term};
use crate::sim::{CallError, Cx, InstanceId, SimTime, join_all};

use super::caller::{Caller, Targets};
use super::cluster::{Cluster, Member};
use super::resting::{Loss, Resting};

/// How often a query is sent on to another node, at most.
const HOPS: u32 = 4;
/// How long to wait before the next hop when a row is just being handed over.
const PAUSE: Duration = Duration::from_millis(2);

/// Whoever queries a database.
pub struct Router {
    cluster: Rc<Cluster>,
    /// The data center that it stands in: nodes there are asked first.
    site: u16,
    caller: Caller,
    /// By shard: who is believed to be primary, and since which term.
    leaders: RefCell<Vec<Option<(InstanceId, Term)>>>,
    /// Nodes that failed of late.
    resting: Resting,
    /// How far rows have moved between two shards, as far as it was told.
    moved: RefCell<Vec<(u32, u32, u64)>>,
    turn: Cell<usize>,
}

/// What is to be asked of a shard.
#[derive(Clone, Copy, Debug)]
struct Errand {
    shard: u32,
    /// Only the primary will do.
    primary: bool,
}

/// The nodes of a shard for one call, each once.
struct Nodes<'a> {
    router: &'a Router,
    cx: &'a Cx<System>,
    errand: Errand,
    /// Asked before, in this call or another one of the same errand.
    asked: &'a RefCell<Vec<InstanceId>>,
}

impl Router {
    /// A router that knows nothing but who belongs to the database: at the start the first node of each shard is its primary.
    pub fn new(cluster: Rc<Cluster>, site: u16, caller: Caller) -> Router {
        Router {
            cluster,
            site,
            caller,
            leaders: RefCell::default(),
            resting: Resting::default(),
            moved: RefCell::default(),
            turn: Cell::new(0),
        }
    }

    /// Whether writes are repeated too, with an idempotency key.
    pub fn repeats_writes(&self) -> bool {
        self.caller.repeats_writes()
    }

    /// Whether users are to show their last write when they read.
    pub fn remembers(&self) -> bool {
        let spec = self.cluster.spec.borrow();
        let replicas = spec.replication.primary_replicas();
        replicas.is_some_and(|settings| settings.read_your_writes)
    }

    /// Settings have changed.
    pub fn retune(&self, cx: &Cx<System>) {
        self.caller.retune(cx);
        if !self.cluster.map.borrow().is_moving() {
            self.moved.borrow_mut().clear();
        }
    }

    /// Somebody says that they are primary.
    pub fn hear(&self, shard: u32, leader: InstanceId, term: Term) {
        if self.cluster.members(shard).iter().any(|member| member.id == leader) {
            self.believe(shard, leader, term);
        }
    }

    /// Asks for a row, or for a search over all of them.
    pub async fn ask(&self, cx: &Cx<System>, http: &Http, operation: Operation, once: bool) -> Reply {
        let mut query = Query {
            operation,
            key: http.key,
            once,
            after: Stamp::ORIGINAL,
            bytes: http.row,
        };
        if operation == Operation::Search {
            return self.search(cx, &query).await;
        }
        let (key, stamp) = http.wrote;
        if stamp != Stamp::ORIGINAL && self.remembers() && self.owner(key) == self.owner(query.key) {
            query.after = stamp;
        }
        self.query(cx, &query).await
    }

    /// All shards are asked at once, and the slowest one is waited for. A new one that nothing has moved to yet, as far as it knows, has
    /// nothing to be found.
    async fn search(&self, cx: &Cx<System>, query: &Query) -> Reply {
        let shards = {
            let map = self.cluster.map.borrow();
            let empty = |shard: u32| !self.moved.borrow().iter().any(|(_, to, _)| *to == shard);
            let last = map.shards() - 1;
            if map.is_moving() && empty(last) {
                last
            } else {
                map.shards()
            }
        };
        let asked = (0..shards).map(|shard| self.pursue(cx, query, shard));
        let mut retries = 0_u8;
        for reply in join_all(asked).await {
            retries = retries.saturating_add(reply.retries);
            if reply.outcome.is_err() {
                return reply;
            }
        }
        Reply {
            retries,
            ..Reply::answer(Answer::Row(Status::Searched))
        }
    }

    /// Sends a query to the node that it is for.
    pub async fn query(&self, cx: &Cx<System>, query: &Query) -> Reply {
        if let Some(only) = self.only_node() {
            let (request, safe) = (Request::Query(*query), query.once || query.is_read());
            return self.caller.call_to(cx, |_| only, &request, safe, None).await;
        }
        self.pursue(cx, query, self.owner(query.key)).await
    }

    /// The only node of a database that has but one.
    fn only_node(&self) -> Option<InstanceId> {
        match self.cluster.shards.borrow().as_slice() {
            [members] => match members.as_slice() {
                [only] => Some(only.id),
                _ => None,
            },
            _ => None,
        }
    }

    /// Asks one node after the other until one does it.
    async fn pursue(&self, cx: &Cx<System>, query: &Query, shard: u32) -> Reply {
        let request = Request::Query(*query);
        let safe = query.once || query.is_read();
        let mut errand = Errand {
            shard,
            primary: !query.is_read(),
        };
        let asked = RefCell::default();
        let (mut retries, mut hops) = (0_u8, 0);
        loop {
            let nodes = Nodes {
                router: self,
                cx,
                errand,
                asked: &asked,
            };
            let mut reply = self.caller.call_to(cx, nodes, &request, safe, None).await;
            reply.retries = reply.retries.saturating_add(retries);
            retries = reply.retries;
            let last = asked.borrow().last().copied();
            hops += 1;
            match reply.outcome {
                Ok(Answer::Elsewhere { to, term }) => {
                    errand.primary = true;
                    match to {
                        Some(leader) if Some(leader) != last => {
                            self.believe(errand.shard, leader, term);
                            asked.borrow_mut().retain(|node| *node != leader);
                        }
                        _ => self.doubt(errand.shard, last),
                    }
                }
                Ok(Answer::Moved { to, upto }) => {
                    self.learn_of_move(errand.shard, to, upto);
                    errand.shard = to;
                    asked.borrow_mut().clear();
                    // For a moment both may point at each other.
                    if hops > 1 {
                        cx.sleep(PAUSE).await;
                    }
                }
                // Nobody listened: nothing was done, so another node may be asked, even for a write.
                Err(Failure {
                    reason: Reason::Refused,
                    at,
                }) if Some(at) == last && errand.primary => self.doubt(errand.shard, last),
                _ => return reply,
            }
            let all_asked = self.cluster.members(errand.shard).len() <= asked.borrow().len();
            if hops > HOPS || all_asked {
                let at = last.unwrap_or(cx.id());
                let failure = match reply.outcome {
                    Err(failure) => failure,
                    Ok(_) => Failure {
                        reason: Reason::NotPrimary,
                        at,
                    },
                };
                return Reply {
                    outcome: Err(failure),
                    retries,
                };
            }
        }
    }

    /// The shard that has a row now, as far as it knows.
    fn owner(&self, key: u64) -> u32 {
        let map = self.cluster.map.borrow();
        let now = map.shard(key);
        match map.before(key) {
            Some(before) if before != now => {
                let moved = self.moved.borrow();
                let told = moved.iter().find(|(from, to, _)| (*from, *to) == (before, now));
                if told.is_some_and(|(_, _, upto)| key < *upto) {
                    now
                } else {
                    before
                }
            }
            _ => now,
        }
    }

    fn learn_of_move(&self, from: u32, to: u32, upto: u64) {
        let mut moved = self.moved.borrow_mut();
        match moved.iter_mut().find(|told| (told.0, told.1) == (from, to)) {
            Some(told) => told.2 = told.2.max(upto),
            None => moved.push((from, to, upto)),
        }
    }

    fn believe(&self, shard: u32, leader: InstanceId, term: Term) {
        let mut leaders = self.leaders.borrow_mut();
        if leaders.len() <= shard as usize {
            leaders.resize(shard as usize + 1, None);
        }
        let believed = &mut leaders[shard as usize];
        if believed.is_none_or(|(_, known)| known <= term) {
            *believed = Some((leader, term));
        }
    }

    /// The node that was asked is not the primary, or not there: the next query asks somebody else.
    fn doubt(&self, shard: u32, node: Option<InstanceId>) {
        let mut leaders = self.leaders.borrow_mut();
        if let Some(believed) = leaders.get_mut(shard as usize)
            && believed.is_some_and(|(leader, _)| Some(leader) == node)
        {
            *believed = None;
        }
    }

    fn leader(&self, shard: u32) -> Option<InstanceId> {
        let leaders = self.leaders.borrow();
        leaders.get(shard as usize).copied().flatten().map(|(leader, _)| leader)
    }

    /// Whom to ask next. Of those that will do the nearest, and of those the next in turn; who failed of late only if there is nobody else.
    fn choose(&self, now: SimTime, errand: Errand, asked: &[InstanceId]) -> Option<InstanceId> {
        let members = self.cluster.shards.borrow();
        let members = members.get(errand.shard as usize)?;
        let leader = self
            .leader(errand.shard)
            .or_else(|| members.first().map(|first| first.id));
        let (equal, reads) = {
            let spec = self.cluster.spec.borrow();
            match &spec.replication {
                Replication::PrimaryReplicas(settings) => (false, settings.reads),
                Replication::None => (false, Reads::Primary),
                Replication::MultiPrimary(_) | Replication::Circular(_) => (true, Reads::Any),
            }
        };
        let wants_primary = !equal && (errand.primary || reads == Reads::Primary);
        let rank = |member: &Member| {
            let is_leader = Some(member.id) == leader;
            let far = member.site != self.site;
            let unfit = if wants_primary {
                !is_leader
            } else {
                is_leader && !equal && reads == Reads::Replicas
            };
            // What is asked for as a primary is asked even if it failed of late: there is no other.
            let rests = !(wants_primary && is_leader) && self.resting.has(member.id, now);
            if wants_primary {
                (unfit, rests, far)
            } else {
                (rests, far, unfit)
            }
        };
        let fresh = || members.iter().filter(|member| !asked.contains(&member.id));
        let best = fresh().map(rank).min()?;
        let equals = || fresh().filter(|member| rank(member) == best);
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        equals().nth(turn % equals().count()).map(|member| member.id)
    }

    /// Whether its shards have primaries.
    fn is_led(&self) -> bool {
        self.cluster.spec.borrow().replication.primary_replicas().is_some()
    }

    /// Draws a conclusion from the end of a call.
    fn judge(&self, cx: &Cx<System>, node: InstanceId, primary: bool, result: &Result<Reply, CallError>) {
        let reason = match result {
            Err(error) => Some(Reason::from(*error)),
            Ok(reply) => match reply.outcome {
                Err(Failure {
                    reason: Reason::Recovering,
                    ..
                }) => Some(Reason::Recovering),
                _ => None,
            },
        };
        let loss = if primary { Loss::Primary } else { Loss::Shared };
        self.resting.judge(cx, node, reason, loss);
    }
}

impl Targets for Nodes<'_> {
    type Stay = ();

    fn next(&mut self, _: u32) -> Option<InstanceId> {
        let chosen = self.router.choose(self.cx.now(), self.errand, &self.asked.borrow());
        self.asked.borrow_mut().extend(chosen);
        chosen
    }

    fn any_left(&self) -> bool {
        let members = self.router.cluster.shards.borrow();
        let members = members.get(self.errand.shard as usize);
        // A write is the primary's: who else is asked only says who that is.
        members.is_some_and(|members| members.len() > self.asked.borrow().len())
    }

    fn begin(&self, _: InstanceId) {}

    fn ended(&self, to: InstanceId, result: &Result<Reply, CallError>) {
        let primary = self.errand.primary && self.router.is_led();
        self.router.judge(self.cx, to, primary, result);
    }
}
