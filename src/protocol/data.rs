//! What travels in the data tier: writes in logs, pulls, leases, rows that are copied.

use std::rc::Rc;
use std::time::Duration;

use crate::sim::{InstanceId, SimTime};

/// Which write of a row: when it was made by the true clock of the world, in nanoseconds, and in the low bits the number of the node that
/// made it. A node makes no two writes at the same time, so no two writes are alike; and of two writes the later one is larger. Nodes carry it
/// along and decide nothing by it that a real one could not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(pub u64);

/// Bits of a stamp that number the nodes of a shard.
const NODE_BITS: u32 = 6;

impl Stamp {
    /// A row as it was at the start.
    pub const ORIGINAL: Stamp = Stamp(0);
    /// Nodes that a shard can have.
    pub const NODES: u8 = 1 << NODE_BITS;

    /// A write at a time by a node.
    pub fn new(at: SimTime, node: u8) -> Stamp {
        Stamp(at.0 << NODE_BITS | u64::from(node))
    }

    /// The next write of a node: now, or just after its last one.
    pub fn next(last: Stamp, now: SimTime, node: u8) -> Stamp {
        let soonest = (last.0 >> NODE_BITS) + u64::from(last.0 > 0);
        Stamp::new(SimTime(now.0.max(soonest)), node)
    }

    /// When it was made.
    pub fn at(self) -> SimTime {
        SimTime(self.0 >> NODE_BITS)
    }

    /// The number of the node that made it.
    pub fn node(self) -> u8 {
        (self.0 & ((1 << NODE_BITS) - 1)) as u8
    }
}

/// The number of a reign: who becomes primary takes a higher one than anyone has heard of. The low bits number the node, so that no two nodes
/// ever have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u32);

impl Term {
    /// The first term, which the first node of a shard has at the start.
    pub const FIRST: Term = Term(1 << NODE_BITS);

    /// The lowest term of a node above another term.
    #[must_use]
    pub fn above(self, node: u8) -> Term {
        Term(((self.0 >> NODE_BITS) + 1) << NODE_BITS | u32::from(node))
    }

    /// The number that people see: 1, 2, 3.
    pub fn number(self) -> u32 {
        self.0 >> NODE_BITS
    }
}

/// A place in a log: the term of an entry and its number, from 1. Ordered as logs are: the later term is further.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The term in which the entry was written.
    pub term: Term,
    /// The number of the entry; 0 before the first.
    pub index: u64,
}

/// An entry of the log of a primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which write it is.
    pub stamp: Stamp,
    /// What it does.
    pub change: Change,
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Writes a row.
    Write(Write),
    /// Rows of another shard have arrived here, up to a key, and that shard has let go of them: see [`Handover`].
    Received(Moved),
    /// Rows have left for another shard, up to a key.
    Released(Moved),
}

/// How far rows have moved between the shard that says it and another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The other shard.
    pub shard: u32,
    /// Shards that there are with the one that was added: it tells this move from earlier ones.
    pub shards: u32,
    /// The end before, so that it can be undone. The same as the end: it says again what was said in an earlier term.
    pub before: u64,
    /// All moving keys below this one have moved.
    pub upto: u64,
    /// Rows among those that moved last that were there from the start, were they written since or not.
    pub rows: u64,
}

/// A write of a row, with what it took the place of, so that it can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// The row.
    pub key: u64,
    /// What it is now.
    pub now: Row,
    /// What it was before.
    pub before: Row,
    /// The user's request that it belongs to, if it carries an idempotency key; else 0.
    pub once: u64,
}

/// A row as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The write that made it so.
    pub stamp: Stamp,
    /// Whether it exists; a deleted row keeps its stamp.
    pub exists: bool,
}

/// What a node that follows asks of the one it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The highest term that it has heard of.
    pub term: Term,
    /// The last entry that it has on its disk.
    pub last: Position,
    /// How long to wait for news.
    pub patience: Duration,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// The entries behind the one that it has; none if nothing happened for so long. The position is that of the last one.
    Entries {
        /// The entries in their order, each with its term.
        entries: Rc<[(Term, Entry)]>,
        /// The term of the primary.
        term: Term,
    },
    /// The logs differ behind this number: what it has there it must put aside.
    Diverged {
        /// The last number that may be the same.
        from: u64,
        /// The term of the primary.
        term: Term,
    },
    /// It is too far behind: what it needs is not kept any more.
    TooOld,
}

/// Rows that are copied: all that were ever written with keys in a range. What is not among them is as at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The keys and the rows, by key.
    pub rows: Rc<[(u64, Row)]>,
    /// The key at which the next range begins; `None` when this was the last.
    pub next: Option<u64>,
    /// Rows of the start that the source has have keys below this.
    pub seeded: u64,
    /// How far the log of the source was when this range was copied.
    pub position: Position,
    /// The terms of the source's log, each with the number of its first entry.
    pub terms: Rc<[(Term, u64)]>,
    /// Rows of the start that belong to the source.
    pub originals: u64,
    /// How far rows have moved between the source's shard and others, as entries that say so.
    pub moves: Rc<[Change]>,
}

/// What a node asks a monitor for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseWish {
    /// The shard.
    pub shard: u32,
    /// Under this term.
    pub term: Term,
    /// How far its log is: the monitor gives a lease that is free to whoever is furthest.
    pub position: Position,
    /// It gives the lease back.
    pub release: bool,
}

/// What the monitor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whether the asker holds the lease now, for as long as leases last from when it asked.
    pub granted: bool,
    /// Who holds it.
    pub holder: Option<InstanceId>,
    /// The highest term that the monitor has heard of.
    pub term: Term,
}

/// A write that only a former primary has, for the new one to repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The term in which the asker follows.
    pub term: Term,
    /// The write.
    pub write: Write,
}

/// What became of a write that only a former primary had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It was written anew.
    Replayed(Stamp),
    /// Somebody else has written the row meanwhile, in this write.
    Conflicting(Stamp),
}

/// Rows on their way from one shard to another: a range of keys, locked at the source until the target has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// The primary of the target asks the primary of the source for the next range.
    Fetch {
        /// The target.
        to: u32,
        /// Rows at most.
        most: u32,
    },
    /// It has them, on as many disks as a write needs: the source lets go of them.
    Release {
        /// The target.
        to: u32,
        /// The number of the handover.
        number: u64,
    },
}

/// What the source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandedOver {
    /// These rows, and all moving keys below `upto`, are the target's once it has them.
    Range {
        /// The number of the handover.
        number: u64,
        /// The range begins here: all moving keys below are the target's already.
        start: u64,
        /// The range ends before this key.
        upto: u64,
        /// Rows in it that were ever written, by key. What is not among them is as at the start.
        rows: Rc<[(u64, Row)]>,
    },
    /// All below this key is the target's.
    Released {
        /// The end.
        upto: u64,
    },
    /// There is nothing left to move; all is the target's.
    Finished,
    /// The handover is not known any more: fetch again.
    Again,
}

/// What a person, or the control plane, tells a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Become the primary of your shard.
    Promote,
    /// Stop being it, once you have given to this one what you have.
    StepDown {
        /// Who is to follow.
        successor: InstanceId,
    },
    /// Give the writes that only you have to the primary.
    Recover,
    /// Your wall clock is off by so many nanoseconds now.
    Skew(i64),
    /// Pass this node over in the ring, or no longer.
    PassOver {
        /// The node.
        node: InstanceId,
        /// Whether it is passed over.
        on: bool,
    },
}

impl Order {
    /// Some bits of it for the digest.
    pub(super) fn fingerprint(self) -> u64 {
        match self {
            Order::Promote => 1,
            Order::StepDown { successor } => u64::from(successor.0) << 4 | 2,
            Order::Recover => 3,
            Order::Skew(nanos) => nanos.cast_unsigned() << 4 | 4,
            Order::PassOver { node, on } => u64::from(node.0) << 5 | u64::from(on) << 4 | 5,
        }
    }
}

/// A change by one of several primaries, as it travels to the others. Its stamp says who made it, and which of the changes of its maker it
/// is: their stamps grow as their numbers do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerChange {
    /// The row.
    pub key: u64,
    /// How many changes its maker has made with it. 0: it was found when all rows were merged, and stands in no order among the changes of
    /// its maker.
    pub number: u64,
    /// The row as it is after it.
    pub version: PeerVersion,
}

/// A version of a row of several primaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerVersion {
    /// Which write made it.
    pub stamp: Stamp,
    /// The time of its maker's clock, in nanoseconds, with a counter in the low bits for hybrid clocks.
    pub clock: u64,
    /// What is in it: a number, or a set of up to 64 things.
    pub value: u64,
    /// Whether the row exists.
    pub exists: bool,
    /// What its maker had seen of the row: by node the last change, this one left out.
    pub seen: Rc<[Stamp]>,
}

/// How far the changes of one of several primaries are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// How many changes it has made, up to the last one that is known.
    pub number: u64,
    /// The last one that is known.
    pub stamp: Stamp,
}

/// What a peer asks of the one it fetches from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerPull {
    /// The life of the source's log that the place refers to: a new disk begins a new one.
    pub life: u64,
    /// The number of changes in the source's log that it has seen.
    pub place: u64,
    /// Its number.
    pub node: u8,
    /// Since when it has its disk: what it made before then, it must be told like all others.
    pub born: SimTime,
    /// How long to wait for news.
    pub patience: Duration,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerPulled {
    /// Changes behind the place, and the new place.
    Changes {
        /// In the order of the source's log.
        changes: Rc<[PeerChange]>,
        /// The place behind the last of them.
        place: u64,
    },
    /// What it needs is not kept any more, or the log is another: it must merge all rows, and go on from there.
    TooOld,
}

/// Rows of several primaries that are copied: with keys in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRows {
    /// The rows, by key.
    pub rows: Rc<[PeerRow]>,
    /// The key at which the next range begins; `None` when this was the last.
    pub next: Option<u64>,
    /// The life of the source's log, and how far it was when this range was copied.
    pub place: (u64, u64),
    /// By node how far its changes are known to the source.
    pub seen: Rc<[Known]>,
    /// Rows that the source has had from the start: those with keys below this.
    pub original: u64,
    /// Rows that were ever written, in all.
    pub written: u64,
}

/// A row of several primaries with all its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRow {
    /// The row.
    pub key: u64,
    /// By node the last change to the row that is known.
    pub seen: Rc<[Stamp]>,
    /// The versions that nobody has written over yet.
    pub versions: Rc<[PeerVersion]>,
}

/// How far one of several primaries is, for another one to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    /// The hash of all its rows.
    pub hash: u64,
    /// By node how far its changes are known.
    pub seen: Rc<[Known]>,
    /// The life of its log.
    pub life: u64,
    /// Places in its log, in their order, each with what lies before it: who knows all that can begin there.
    pub marks: Rc<[(u64, Rc<[Known]>)]>,
    /// It has no rows yet: its disk is new.
    pub empty: bool,
}
