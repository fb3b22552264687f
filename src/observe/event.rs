//! What services report: only what needs an order across machines. The rest they count themselves.

use crate::protocol::{Gone, JobId, Owner, Reason, Reply, Request, Stamp, Term};
use crate::sim::{InstanceId, SimTime, Wire};

/// The vocabulary of a world: requests and replies from `protocol`, events from here.
pub struct System;

impl Wire for System {
    type Request = Request;
    type Reply = Reply;
    type Event = Event;

    fn fingerprint(request: &Request) -> u64 {
        request.fingerprint()
    }

    fn succeeded(reply: &Reply) -> bool {
        reply.outcome.is_ok()
    }

    fn title(request: &Request) -> String {
        request.title()
    }

    fn answer(reply: &Reply) -> Result<&'static str, &'static str> {
        reply.title()
    }

    fn broken(request: &Request, kind: u8, at: InstanceId) -> Option<Reply> {
        Reply::broken(request, kind, at)
    }

    fn request_bytes(request: &Request) -> u32 {
        request.bytes()
    }

    fn wanted_bytes(request: &Request) -> u32 {
        request.wanted_bytes()
    }

    fn reply_bytes(reply: &Reply, wanted: u32) -> u32 {
        reply.bytes(wanted)
    }
}

impl Event {
    /// The same event at another place, if it happened there.
    #[must_use]
    pub fn moved(self, from: InstanceId, to: impl FnOnce() -> InstanceId) -> Event {
        match self {
            Event::Failed { reason, at } if at == from => Event::Failed { reason, at: to() },
            Event::Retried { reason, at, later } if at == from => Event::Retried {
                reason,
                at: to(),
                later,
            },
            Event::Breaker { to: at, state } if at == from => Event::Breaker { to: to(), state },
            other => other,
        }
    }
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A user's request failed.
    Failed {
        /// Why.
        reason: Reason,
        /// Where it arose.
        at: InstanceId,
    },
    /// A request is tried again elsewhere.
    Retried {
        /// Why.
        reason: Reason,
        /// Where it arose.
        at: InstanceId,
        /// No user waits for it: it is done in the background.
        later: bool,
    },
    /// A user was told that a write is done.
    Acknowledged {
        /// The row.
        key: u64,
        /// The version that was written.
        version: Stamp,
        /// The node that wrote it.
        by: InstanceId,
        /// Who was told.
        user: Owner,
    },
    /// A user read a row, or was told that there is none.
    Read {
        /// The row.
        key: u64,
        /// The version that was read.
        version: Stamp,
        /// The node that answered.
        by: InstanceId,
        /// Who read it.
        user: Owner,
        /// When the user asked.
        began: SimTime,
        /// It came from a cache.
        copy: bool,
    },
    /// A user's write failed in a way that leaves open whether it was done.
    Unknown {
        /// The row.
        key: u64,
    },
    /// Whoever asks the nodes of a database, or of a cache, leaves one alone that failed.
    NodeAvoided {
        /// The node.
        node: InstanceId,
        /// How it failed.
        reason: Reason,
        /// It is taken to be the primary, which nobody can stand in for until another one is promoted.
        primary: bool,
    },
    /// A node that was left alone has answered again.
    NodeUsed {
        /// The node.
        node: InstanceId,
    },
    /// A node became primary of its shard.
    Promoted {
        /// The shard.
        shard: u32,
        /// Its term.
        term: Term,
        /// The primary before it, as far as it knows.
        was: Option<InstanceId>,
    },
    /// A primary stepped down: it heard of a later term, or was told to.
    SteppedDown {
        /// Its term.
        term: Term,
    },
    /// The lease of a primary ran out: it takes no writes; or it has it again.
    Fenced {
        /// Whether it is fenced now.
        on: bool,
    },
    /// A semi-synchronous primary has no replica in reach and goes on alone; or no longer.
    Degraded {
        /// Whether it does now.
        on: bool,
    },
    /// A node that follows a new primary found writes in its log that the primary does not have, and put them aside.
    PutAside {
        /// How many.
        writes: u64,
    },
    /// A write that was put aside was written anew.
    Replayed {
        /// The row.
        key: u64,
        /// The write that was put aside.
        old: Stamp,
        /// The write that took its place.
        new: Stamp,
    },
    /// A write that was put aside was given up: somebody else has written the row meanwhile.
    GivenUp {
        /// The row.
        key: u64,
        /// The write that was put aside.
        old: Stamp,
        /// The write that stands.
        kept: Stamp,
    },
    /// All writes that a node had put aside were compared.
    Compared {
        /// Those that were written anew.
        replayed: u64,
        /// Those that were given up.
        conflicting: u64,
    },
    /// A node is rebuilt from the rows of another; or has been.
    Rebuilt {
        /// Whose rows.
        from: InstanceId,
        /// Whether it is done.
        done: bool,
    },
    /// Conflicting writes to a row were found and resolved. Told by the node that made the one that lost, once.
    Resolved {
        /// The row.
        key: u64,
        /// The write that lost, or one of the two if none did.
        dropped: Stamp,
        /// The other one.
        kept: Stamp,
        /// How.
        how: Resolution,
    },
    /// A node of a ring passes over the silent one before it; or no longer.
    PassedOver {
        /// The silent one.
        node: InstanceId,
        /// Whether it is passed over.
        on: bool,
    },
    /// Rows move from one shard to another; or all have.
    Migrated {
        /// The shard that they come from.
        from: u32,
        /// The shard that they go to.
        to: u32,
        /// Whether it is done.
        done: bool,
    },
    /// A balancer believes no longer that a server is up.
    TakenOut {
        /// The server.
        backend: InstanceId,
        /// Checks in a row that failed.
        failed: u32,
        /// Why the last one failed.
        reason: Reason,
    },
    /// A balancer believes again that a server is up.
    TakenIn {
        /// The server.
        backend: InstanceId,
        /// Checks in a row that passed.
        passed: u32,
    },
    /// A balancer ejected a server that fails real requests.
    Ejected {
        /// The server.
        backend: InstanceId,
        /// Requests in a row that broke.
        failed: u32,
        /// Why the last one broke.
        reason: Reason,
        /// Until when.
        until: SimTime,
    },
    /// The time of an ejected server is over.
    Returned {
        /// The server.
        backend: InstanceId,
    },
    /// A balancer of a pair took the address.
    TookOver {
        /// The other one of the pair.
        from: InstanceId,
    },
    /// A circuit breaker changed its state.
    Breaker {
        /// Whom it guards the calls to.
        to: InstanceId,
        /// What it is now.
        state: Circuit,
    },
    /// A user who was signed in was found not to be: the session is lost.
    SignedOut {
        /// Who held it: a server or a store.
        holder: InstanceId,
        /// Since when.
        since: SimTime,
    },
    /// The access trace that users take their keys from has changed or gone: keys are drawn from here on.
    TraceLost,
    /// An autoscaler wants another number of machines.
    Scaled(Decision),
    /// A queue has a job: its message is confirmed. Told once for each message, copies too.
    JobStored {
        /// The job.
        job: JobId,
    },
    /// A queue handed a message out, or has it back.
    JobOut {
        /// The job.
        job: JobId,
        /// Whether it is out now.
        out: bool,
    },
    /// A message has left a queue.
    JobGone {
        /// The job.
        job: JobId,
        /// Where it went.
        why: Gone,
    },
    /// A worker has done a job, and its queue has not been told yet.
    JobDone {
        /// The job.
        job: JobId,
        /// The version of the row that it wrote, if it writes one: the same version again is no other effect.
        effect: Option<Stamp>,
    },
    /// A user was told that a job will be done, and no queue has confirmed it: it is in the memory of whoever tells this, or on its way.
    JobPromised {
        /// The job.
        job: JobId,
        /// Whether it is held in an outbox; else it was sent without a confirmation, and nobody knows.
        held: bool,
    },
    /// A user was told that a job will be done, and it was thrown away.
    JobDropped {
        /// The job.
        job: JobId,
    },
    /// A message killed the process of the worker that tells this.
    Poisoned {
        /// The row that it is about.
        key: u64,
        /// Which attempt it was.
        attempt: u32,
    },
    /// A queue handed a message out so often that it is dead.
    Died {
        /// The row that it is about.
        key: u64,
        /// How often it was handed out.
        attempts: u32,
        /// The dead-letter queue has it; else it was thrown away.
        buried: bool,
    },
    /// A queue waited in vain for the acknowledgement of a message that it had handed to a worker: it is to be handed out again.
    Overdue {
        /// The worker.
        worker: InstanceId,
    },
    /// A queue turns messages away since it is full; or takes them again.
    Full {
        /// Whether it is full now.
        on: bool,
    },
}

/// What became of two conflicting writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// One was dropped; neither had seen the other.
    Dropped,
    /// One was dropped that had seen the one that stands: the clocks were wrong.
    DroppedThoughLater,
    /// Both are in the row now.
    Merged,
    /// Both are kept beside each other.
    Siblings,
}

/// What an autoscaler decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Machines that there were, booting ones among them.
    pub from: u32,
    /// Machines that there are to be.
    pub to: u32,
    /// What was measured: a share of the cores, or requests a second of each machine.
    pub measured: f64,
    /// What it is to be.
    pub target: f64,
    /// What limited it.
    pub limit: Limit,
}

/// What limited a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing.
    None,
    /// The least number of machines.
    Min,
    /// The largest number of machines.
    Max,
    /// The pace: no more than twice as many, or four more, in 15 s.
    Pace,
    /// The window: more was wanted a while ago, or less.
    Window,
}

/// The state of a circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Circuit {
    /// Calls pass.
    #[default]
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass, to find out.
    HalfOpen,
}
