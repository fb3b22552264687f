//! What services show of themselves: cells that a service writes and the world reads between two windows.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::protocol::{Ask, Term};
use crate::sim::{Gate, InstanceId, SimTime};

use super::cache::CacheProbe;
use super::event::Circuit;
use super::frame::{SessionTally, Tally};
use super::latency::Latencies;
use super::queue::PublishProbe;
use super::states::{Belief, Ended};

/// What a population shows.
#[derive(Default)]
pub struct UsersProbe {
    /// Its requests.
    pub tally: Cell<Tally>,
    /// Those of them that have ended, by what was asked for.
    pub by_ask: [Cell<Ended>; Ask::ALL.len()],
    /// Its sessions.
    pub sessions: Cell<SessionTally>,
    /// Answers in HTML.
    pub html: Cell<u64>,
    /// Answers in JSON.
    pub json: Cell<u64>,
    /// Latency of its answered requests.
    pub latencies: RefCell<Latencies>,
    /// By stub cache: until when it may use its answer.
    pub stubs: RefCell<Vec<SimTime>>,
    /// What browsers and apps keep.
    pub browser: Rc<CacheProbe>,
    /// Static files that were older than those of the site.
    pub stale_assets: Cell<u64>,
}

/// What a resolver shows.
#[derive(Default)]
pub struct ResolverProbe {
    /// By cache: until when it may use its answer for the domain.
    pub caches: RefCell<Vec<SimTime>>,
    /// Look-ups since the start.
    pub lookups: Cell<u64>,
    /// Those of them that were answered from a cache.
    pub hits: Cell<u64>,
}

/// What a web server shows.
#[derive(Debug, Default)]
pub struct WebProbe {
    /// Sessions in its memory.
    pub held: Cell<u64>,
    /// Copies of rows in its memory.
    pub near: Rc<CacheProbe>,
    /// Bytes that it has sent.
    pub sent_bytes: Cell<u64>,
    /// What it publishes.
    pub publish: Rc<PublishProbe>,
}

/// What a session store shows.
#[derive(Debug, Default)]
pub struct StoreProbe {
    /// Sessions that it holds.
    pub held: Cell<u64>,
    /// Sessions that had to make room, since the start.
    pub evicted: Cell<u64>,
}

/// What functions show.
#[derive(Debug, Default)]
pub struct ServerlessProbe {
    /// Instances that work.
    pub busy: Cell<u32>,
    /// Instances that start.
    pub starting: Cell<u32>,
    /// Instances that are idle; some of them may be gone already.
    pub warm: Cell<u32>,
    /// Cold starts since the start.
    pub cold_starts: Cell<u64>,
    /// Requests since the start.
    pub invocations: Cell<u64>,
    /// Requests turned away since the start.
    pub throttled: Cell<u64>,
    /// Copies of rows in the memory of the instances.
    pub near: Rc<CacheProbe>,
    /// Bytes that they have sent.
    pub sent_bytes: Cell<u64>,
    /// What they publish.
    pub publish: Rc<PublishProbe>,
    /// Nanoseconds that instances were paid for.
    pub billed: Cell<u64>,
}

/// What an autoscaler shows.
#[derive(Debug, Default)]
pub struct AutoscalerProbe {
    /// What it measured last.
    pub measured: Cell<Option<f64>>,
}

impl UsersProbe {
    /// Changes the count of sessions.
    pub fn count_sessions(&self, change: impl FnOnce(&mut SessionTally)) {
        let mut tally = self.sessions.get();
        change(&mut tally);
        self.sessions.set(tally);
    }

    /// Changes the tally.
    #[inline]
    pub fn count(&self, change: impl FnOnce(&mut Tally)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }
}

/// What a balancer shows: its view of its servers.
#[derive(Default)]
pub struct BalancerProbe {
    /// By server.
    pub backends: RefCell<Vec<BackendView>>,
    /// Of a pair: whether it holds the address.
    pub active: Cell<bool>,
}

/// What a name server shows: its view of the addresses.
#[derive(Default)]
pub struct DnsProbe {
    /// By address.
    pub records: RefCell<Vec<BackendView>>,
}

/// The view of a server by someone who checks it.
#[derive(Clone, Debug)]
pub struct BackendView {
    /// The server.
    pub id: InstanceId,
    /// What is believed of it.
    pub believed: Belief,
    /// It has never been checked: one passed check suffices.
    pub fresh: bool,
    /// Requests in progress there.
    pub in_flight: u32,
    /// Requests sent there since the start.
    pub sent: u64,
    /// Requests in a row that broke there.
    pub broken: u32,
    /// Until when it is ejected.
    pub ejected: Option<SimTime>,
    /// How often it was ejected.
    pub ejections: u32,
    /// Since when it is in slow start.
    pub ramping: Option<SimTime>,
    /// Tells it from an earlier view of the same server.
    pub number: u64,
}

impl BackendView {
    /// A view of a server of which nothing is known but what is believed.
    pub fn new(id: InstanceId, believed: Belief) -> BackendView {
        BackendView {
            id,
            believed,
            fresh: matches!(believed, Belief::Down { .. }),
            in_flight: 0,
            sent: 0,
            broken: 0,
            ejected: None,
            ejections: 0,
            ramping: None,
            number: 0,
        }
    }

    /// Whether requests go there.
    #[inline]
    pub fn is_up(&self) -> bool {
        matches!(self.believed, Belief::Up { .. }) && self.ejected.is_none()
    }
}

/// What a node of a database shows.
#[derive(Debug, Default)]
pub struct NodeProbe {
    /// Reads answered.
    pub reads: Cell<u64>,
    /// Writes done.
    pub writes: Cell<u64>,
    /// What it does.
    pub role: Cell<NodeRole>,
    /// Its term, or that of the primary that it follows.
    pub term: Cell<Term>,
    /// Whom it follows or fetches from, if anyone.
    pub source: Cell<Option<InstanceId>>,
    /// While it is rebuilt: rows copied, and rows in all.
    pub rebuilt: Cell<(u64, u64)>,
    /// By how many nanoseconds its wall clock is off.
    pub skew: Cell<i64>,
    /// Changes that reached it a second time and were left out.
    pub duplicates: Cell<u64>,
    /// Rows that moved to another shard, since the start.
    pub released: Cell<u64>,
}

/// What a node of a database does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeRole {
    /// It is the only one.
    #[default]
    Alone,
    /// It takes the writes.
    Primary,
    /// It was primary and takes no writes, since its lease ran out.
    Fenced,
    /// It follows a primary.
    Replica,
    /// It looks for a primary, or wants to be one.
    Candidate,
    /// It copies all rows from another.
    Rebuilding,
    /// It replays its log after a crash.
    Recovering,
    /// It takes writes as all others do.
    Peer,
}

/// What a monitor shows.
#[derive(Debug, Default)]
pub struct MonitorProbe {
    /// By shard: who holds the lease, until when.
    pub leases: RefCell<Vec<(Option<InstanceId>, SimTime)>>,
}

/// What an instance shows of how it treats one callee. It outlives the process: its counts are since the start.
#[derive(Debug, Default)]
pub struct CallsProbe {
    /// Calls, retries not counted.
    pub calls: Cell<u64>,
    /// Calls that failed in the end.
    pub failed: Cell<u64>,
    /// Retries.
    pub retried: Cell<u64>,
    /// Retries and second requests that the budget did not allow.
    pub over_budget: Cell<u64>,
    /// Second requests that were sent early, to hedge.
    pub hedged: Cell<u64>,
    /// Calls that an open breaker stopped.
    pub stopped: Cell<u64>,
    /// The state of the breaker, as of the last call.
    pub breaker: Cell<Circuit>,
    /// The connections: how many are in use and how many calls wait for one. A crash closes them all.
    pub connections: Gate,
}

impl CallsProbe {
    /// Counts one more.
    #[inline]
    pub fn count(cell: &Cell<u64>) {
        cell.set(cell.get() + 1);
    }
}
