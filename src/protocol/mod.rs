//! What travels between services: the requests and replies of every kind, and the reasons of failures.

mod cache;
mod data;
mod pass;
mod queue;
mod reason;
mod size;
mod title;

use std::rc::Rc;
use std::time::Duration;

use crate::sim::{CallError, InstanceId, SimTime};

pub use cache::{CacheRequest, Cached, Layer, RowCopy};
pub use data::{
    Change, Entry, HandedOver, Handover, Known, Lease, LeaseWish, Missing, Moved, Order, PeerChange, PeerPull,
    PeerPulled, PeerRow, PeerRows, PeerState, PeerVersion, Position, Pull, Pulled, Recovered, Row, Rows, Stamp, Term,
    Write,
};
pub use pass::{Ended, Issue, Owner, Pass, PassNews};
pub use queue::{Depth, Gone, Handed, JobId, Message, QueueRequest, Receipt};
pub use reason::Reason;
pub use size::FlawKind;

/// A request to a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request {
    /// A person wants something: a population's request to itself.
    Visit,
    /// A person looks at a row that they have written: a population's request to itself.
    LookBack {
        /// The number of the person.
        person: u64,
        /// The row.
        key: u64,
    },
    /// A browser's or an app's request to a web server, directly or by way of balancers.
    Http(Http),
    /// A query to a database.
    Query(Query),
    /// A request to a cache.
    Cache(CacheRequest),
    /// To a cache or an edge of a CDN: forget this row, page and file, or all.
    Purge(Option<u64>),
    /// To whatever keeps copies or addresses: the time of all of them is over.
    Expire,
    /// A request to a queue.
    Queue(QueueRequest),
    /// To a worker: take nothing more, end what is in progress, and give back what you hold.
    Drain,
    /// To a worker: you are not to end after all, so take again.
    Resume,
    /// A request to a session store.
    Session(SessionRequest),
    /// Resolve a name: 0 is the domain of the layout, 1 and up are those of its data centers.
    Lookup(u16),
    /// From a resolver to the name server: what a round trip to a data center takes.
    Measured {
        /// The number of the data center.
        site: u16,
        /// In nanoseconds.
        round_trip: u64,
    },
    /// Are you well?
    Check,
    /// Your settings have changed.
    Retune,
    /// Forget the sessions of these users.
    Revoke(Revocation),
    /// From the active balancer of a pair to the other: I am here. The one with the higher priority holds the address.
    Advertise {
        /// The sender's priority.
        priority: u32,
    },
    /// From a balancer to those who route to its address: it is mine now.
    Claim {
        /// The address.
        address: InstanceId,
    },
    /// How busy are you? From an autoscaler.
    Measure,
    /// What is new in your log? From a node that follows.
    Pull(Pull),
    /// The rows that were ever written, from this key on.
    Rows {
        /// The first key.
        from: u64,
    },
    /// To a monitor: the lease of a primary.
    Lease(LeaseWish),
    /// From a node that is to be primary: follow nobody with a lower term than this. How far are you?
    Prepare {
        /// Its term.
        term: Term,
    },
    /// From a primary to those who follow it and those who ask it: I am the primary.
    Leads {
        /// The shard.
        shard: u32,
        /// Its term.
        term: Term,
    },
    /// Who is the primary?
    WhoLeads,
    /// From a former primary: a write that only it has.
    Missing(Missing),
    /// Rows move to another shard.
    Handover(Handover),
    /// From a person.
    Order(Order),
    /// What is new in your log? From one of several primaries to another.
    PeerPull(PeerPull),
    /// All rows of a peer, from this key on.
    PeerRows {
        /// The first key.
        from: u64,
    },
    /// How far are you? From one of several primaries to another.
    PeerState,
}

/// A request to a session store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionRequest {
    /// Is this a session? Finding it prolongs its life.
    Find {
        /// Whose it is.
        owner: Owner,
        /// Its number.
        id: u64,
        /// How long each use prolongs it.
        ttl: Duration,
    },
    /// Keep a new one.
    Keep {
        /// Whose it is.
        owner: Owner,
        /// Its number.
        id: u64,
        /// How long it lives unless it is used.
        ttl: Duration,
    },
}

/// What a session store, or a server, knows of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is alive.
    Alive,
    /// It has expired.
    Expired,
    /// There is none of that number.
    Nothing,
}

/// A share of the users of a population whose sessions are to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Revocation {
    /// The population.
    pub population: u32,
    /// Which share of its users, from 0 to 1.
    pub share: f64,
    /// Since when.
    pub at: SimTime,
}

impl Revocation {
    /// Whether it is about this user.
    pub fn concerns(&self, owner: Owner) -> bool {
        owner.population() == self.population && owner.lot() < self.share
    }
}

/// A request over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http {
    /// What is asked for.
    pub ask: Ask,
    /// The row that it is about, or the static file.
    pub key: u64,
    /// How large the answer is, in bytes.
    pub bytes: u32,
    /// How large the row is, in bytes.
    pub row: u32,
    /// Which version of a static file is meant; 0 if its name does not tell.
    pub edition: u32,
    /// In what form the answer is wanted.
    pub format: Format,
    /// Who asks. A user has one address, so it stands for that too.
    pub user: Owner,
    /// The server that the client's cookie names, if a balancer set one.
    pub cookie: Option<InstanceId>,
    /// What shows that the user is signed in.
    pub pass: Pass,
    /// The request may be tried again, though it writes: it carries an idempotency key.
    pub once: bool,
    /// The last row that the user wrote, and in which write, if the site wants to know it.
    pub wrote: (u64, Stamp),
}

impl Http {
    /// Whether it may be tried again: it changes nothing, or is done only once.
    pub fn is_repeatable(&self) -> bool {
        self.once || self.ask.is_safe()
    }
}

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A page that reads one row.
    Page,
    /// A static file.
    Asset,
    /// A new row.
    Create,
    /// A change to a row.
    Update,
    /// The end of a row.
    Delete,
    /// A search over all rows.
    Search,
    /// Something that takes long: a message about it is published, and the answer does not wait for what comes of it.
    Upload,
}

impl Ask {
    /// All of them, in their order.
    pub const ALL: [Ask; 7] = [
        Ask::Page,
        Ask::Asset,
        Ask::Create,
        Ask::Update,
        Ask::Delete,
        Ask::Search,
        Ask::Upload,
    ];

    /// Several of them: `pages`.
    pub fn plural(self) -> &'static str {
        match self {
            Ask::Page => "pages",
            Ask::Asset => "static files",
            Ask::Create => "creates",
            Ask::Update => "updates",
            Ask::Delete => "deletes",
            Ask::Search => "searches",
            Ask::Upload => "uploads",
        }
    }

    /// Whether it changes nothing, so that it may be tried again.
    pub fn is_safe(self) -> bool {
        matches!(self, Ask::Page | Ask::Asset | Ask::Search)
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a browser.
    Html,
    /// For a mobile app.
    Json,
}

/// A query about one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// What to do.
    pub operation: Operation,
    /// The row.
    pub key: u64,
    /// It carries an idempotency key: done already, it is answered as before.
    pub once: bool,
    /// Who has not applied this write yet must not answer a read.
    pub after: Stamp,
    /// How large the row is, in bytes: only caches care.
    pub bytes: u32,
}

impl Query {
    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        matches!(self.operation, Operation::Read | Operation::Search)
    }
}

/// Create, read, update, delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Makes a row; a conflict if there is one.
    Create,
    /// Reads a row.
    Read,
    /// Changes a row; not found if there is none.
    Update,
    /// Deletes a row; not found if there is none.
    Delete,
    /// Looks through all rows that are here.
    Search,
}

/// The end of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The answer, or why there is none.
    pub outcome: Result<Answer, Failure>,
    /// How often it was tried again on the way.
    pub retries: u8,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A page, a file or JSON.
    Page {
        /// What became of the row.
        status: Status,
        /// In what form.
        format: Format,
        /// The server that made it.
        by: InstanceId,
        /// The server that the client is to come back to, if a balancer set a cookie.
        cookie: Option<InstanceId>,
        /// What became of the session.
        pass: PassNews,
        /// The site wants to know of the user's last write.
        remember: bool,
        /// The cache that the row, or all of it, comes from, if it does; of several the one nearest to the user.
        copy: Option<Layer>,
        /// Until when it is fresh, if it comes from a cache, or by way of one that keeps it: what `max-age` and `Age` tell (RFC 9111).
        fresh_until: Option<SimTime>,
    },
    /// From a database.
    Row(Status),
    /// From a cache.
    Cached(Cached),
    /// From a queue: messages.
    Handed(Rc<Vec<Handed>>),
    /// From a queue, to an autoscaler.
    Depth(Depth),
    /// From a node that does not do that: ask this one, if it knows one.
    Elsewhere {
        /// Who does.
        to: Option<InstanceId>,
        /// In which term, as far as it knows.
        term: Term,
    },
    /// From a shard that a row has left, and all other moving ones below this key.
    Moved {
        /// The shard that it has gone to.
        to: u32,
        /// All moving keys below this one have gone.
        upto: u64,
    },
    /// To a node that follows.
    Pulled(Pulled),
    /// Rows of a shard.
    Rows(Rc<Rows>),
    /// From a monitor.
    Lease(Lease),
    /// From a node that was asked to prepare: whether it does, and how far it is.
    Prepared {
        /// It follows nobody with a lower term from now on.
        promised: bool,
        /// The highest term that it has heard of.
        term: Term,
        /// How far it is.
        position: Position,
    },
    /// To a former primary.
    Recovered(Recovered),
    /// To a shard that rows move to.
    HandedOver(HandedOver),
    /// To a peer.
    PeerPulled(PeerPulled),
    /// Rows of a peer.
    PeerRows(Rc<PeerRows>),
    /// How far a peer is.
    PeerState(Rc<PeerState>),
    /// From a session store.
    Session(Found),
    /// From DNS: where the name leads, and how long that may be believed.
    Addresses {
        /// The public addresses.
        records: Records,
        /// Until when they may be kept.
        until: SimTime,
    },
    /// To an autoscaler.
    Load {
        /// Core time that the machine has spent since it is there, in nanoseconds.
        busy: u64,
        /// Cores of the machine.
        cores: u32,
        /// Requests of users that the process has taken since it started.
        requests: u64,
    },
    /// Done, or well.
    Fine,
}

/// A few A records, in the order of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records([Option<InstanceId>; Records::MOST]);

impl Records {
    /// Records in one answer. A name with more of them rotates through all.
    pub const MOST: usize = 4;

    /// The first of these addresses.
    pub fn new(addresses: impl Iterator<Item = InstanceId>) -> Records {
        let mut records = Records::default();
        for (record, address) in records.0.iter_mut().zip(addresses) {
            *record = Some(address);
        }
        records
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = InstanceId> + '_ {
        self.0.iter().flatten().copied()
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was read (200).
    Read {
        /// The version that was read.
        version: Stamp,
        /// The node that answered.
        by: InstanceId,
    },
    /// It was written, in this version (201, 204).
    Written {
        /// The version that is on disk.
        version: Stamp,
        /// The node that wrote it.
        by: InstanceId,
    },
    /// There is none (404).
    NotFound {
        /// The write that deleted it, as far as the node knows.
        version: Stamp,
        /// The node that answered.
        by: InstanceId,
    },
    /// There is one already (409).
    Conflict,
    /// All shards were searched.
    Searched,
    /// It will be done (202).
    Accepted,
    /// No row was asked for.
    Static {
        /// The version of the file.
        edition: u32,
    },
}

/// Why a request failed, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// Where it arose.
    pub at: InstanceId,
}

impl Reply {
    /// An answer at the first try.
    pub fn answer(answer: Answer) -> Reply {
        Reply {
            outcome: Ok(answer),
            retries: 0,
        }
    }

    /// A failure that arose here.
    pub fn failure(reason: Reason, at: InstanceId) -> Reply {
        Reply {
            outcome: Err(Failure { reason, at }),
            retries: 0,
        }
    }

    /// What a caller makes of a call: a call that brought no reply is a failure of whoever was called.
    pub fn of_call(result: Result<Reply, CallError>, to: InstanceId) -> Reply {
        result.unwrap_or_else(|error| Reply::failure(error.into(), to))
    }
}

impl From<CallError> for Reason {
    fn from(error: CallError) -> Reason {
        match error {
            CallError::Refused => Reason::Refused,
            CallError::Reset => Reason::Reset,
            CallError::TimedOut => Reason::TimedOut,
        }
    }
}

impl Request {
    /// Some bits of it for the digest.
    pub fn fingerprint(&self) -> u64 {
        match self {
            Request::Visit => 1,
            Request::Http(http) => {
                let client =
                    http.user.0 ^ http.cookie.map_or(0, |cookie| u64::from(cookie.0) << 32) ^ http.pass.fingerprint();
                (http.key << 8 | (http.ask as u64) << 4 | (http.format as u64) << 3 | 2) ^ client.rotate_left(17)
            }
            Request::Query(query) => query.key << 8 | (query.operation as u64) << 4 | 3,
            Request::Lookup(name) => u64::from(*name) << 8 | 4,
            Request::Measured { site, round_trip } => round_trip << 16 ^ u64::from(*site) << 8 ^ 0x2b,
            Request::Check => 5,
            Request::Retune => 6,
            Request::Queue(request) => request.fingerprint(),
            Request::Drain => 0x2a,
            Request::Resume => 0x2c,
            Request::Session(SessionRequest::Find { owner, id, .. }) => owner.0.rotate_left(8) ^ id ^ 7,
            Request::Session(SessionRequest::Keep { owner, id, .. }) => owner.0.rotate_left(8) ^ id ^ 8,
            Request::Cache(CacheRequest::Get { key }) => key << 8 ^ 0x1b,
            Request::Cache(CacheRequest::Put { key, copy, .. }) => key << 8 ^ copy.version.0 ^ 0x1c,
            Request::Cache(CacheRequest::Delete { key, version }) => key << 8 ^ version.0 ^ 0x1d,
            Request::Cache(CacheRequest::Abandon { key }) => key << 8 ^ 0x20,
            Request::Expire => 0x2b,
            Request::Purge(key) => key.map_or(0x1e, |key| key << 8 ^ 0x1f),
            Request::Revoke(revocation) => revocation.share.to_bits() ^ u64::from(revocation.population) << 8 | 9,
            Request::Advertise { priority } => u64::from(*priority) << 8 | 0xa,
            Request::Claim { address } => u64::from(address.0) << 8 | 0xb,
            Request::Measure => 12,
            Request::LookBack { person, key } => key << 8 ^ person.rotate_left(40) ^ 0xd,
            Request::Pull(pull) => pull.last.index << 8 ^ u64::from(pull.last.term.0) << 40 ^ 0xe,
            Request::Rows { from } => from << 8 | 0xf,
            Request::Lease(wish) => u64::from(wish.term.0) << 16 ^ u64::from(wish.shard) << 8 ^ 0x10,
            Request::Prepare { term } => u64::from(term.0) << 8 | 0x11,
            Request::Leads { shard, term } => u64::from(term.0) << 24 ^ u64::from(*shard) << 8 ^ 0x12,
            Request::WhoLeads => 19,
            Request::Missing(missing) => missing.write.now.stamp.0.rotate_left(8) ^ 0x14,
            Request::Handover(Handover::Fetch { to, most }) => u64::from(*most) << 32 ^ u64::from(*to) << 8 ^ 0x15,
            Request::Handover(Handover::Release { to, number }) => number << 32 ^ u64::from(*to) << 8 ^ 0x16,
            Request::Order(order) => order.fingerprint() << 8 | 0x17,
            Request::PeerPull(pull) => pull.place << 16 ^ u64::from(pull.node) << 8 ^ 0x18,
            Request::PeerRows { from } => from << 8 | 0x19,
            Request::PeerState => 26,
        }
    }
}
