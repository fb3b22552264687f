//! What travels: envelopes with requests, replies and timers, all ordered by one key.

use std::cmp::Ordering;
use std::fmt;

use super::slab::Ref;
use super::time::SimTime;

/// A plain message with its headers, in bytes.
pub const PLAIN_BYTES: u32 = 500;

/// The vocabulary of a world: what its services ask, answer and report. The kernel carries it and looks at none of it.
pub trait Wire: Sized + 'static {
    /// What is asked.
    type Request: 'static;
    /// What is answered.
    type Reply: 'static;
    /// What is reported to the observer.
    type Event: 'static;

    /// Some bits of a request that go into the digest.
    fn fingerprint(request: &Self::Request) -> u64;

    /// Whether a reply is a success, for the counters.
    fn succeeded(reply: &Self::Reply) -> bool;

    /// What a request is for, in a few words, for whoever follows it.
    fn title(_request: &Self::Request) -> String {
        String::new()
    }

    /// What a reply says, in a word or none, or why it is a failure: for whoever follows a request.
    ///
    /// # Errors
    /// The reason, of a failure.
    fn answer(reply: &Self::Reply) -> Result<&'static str, &'static str> {
        if Self::succeeded(reply) { Ok("") } else { Err("failed") }
    }

    /// The answer of an instance that is broken in this way; `None` where such a request is served all the same.
    fn broken(_request: &Self::Request, _kind: u8, _at: InstanceId) -> Option<Self::Reply> {
        None
    }

    /// How large a request is on the wire, in bytes.
    fn request_bytes(_request: &Self::Request) -> u32 {
        PLAIN_BYTES
    }

    /// How large a good answer to a request is going to be, in bytes.
    fn wanted_bytes(_request: &Self::Request) -> u32 {
        PLAIN_BYTES
    }

    /// How large a reply is, in bytes, when a good one was going to have so many.
    fn reply_bytes(_reply: &Self::Reply, wanted: u32) -> u32 {
        wanted
    }
}

/// One service on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u32);

impl InstanceId {
    /// An address where nobody is: what is sent there arrives nowhere.
    pub const NOWHERE: InstanceId = InstanceId(u32::MAX - 1);
}

/// One machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId(pub u32);

/// Why a call brought no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError {
    /// Nobody listens there: the process is down.
    Refused,
    /// The process died while it served the call.
    Reset,
    /// No answer in time.
    TimedOut,
}

impl CallError {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            CallError::Refused => "refused",
            CallError::Reset => "reset",
            CallError::TimedOut => "timed out",
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who waits for the answer to a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// The instance that called.
    pub from: InstanceId,
    /// Its entry for the call; [`Ref::NONE`] when nobody waits.
    pub call: Ref,
    /// How large a good answer is going to be, in bytes.
    pub wanted: u32,
    /// A packet without a connection: when it is lost it is lost.
    pub datagram: bool,
}

impl Caller {
    /// Nobody.
    pub(super) const NOBODY: Caller = Caller {
        from: InstanceId(u32::MAX),
        call: Ref::NONE,
        wanted: PLAIN_BYTES,
        datagram: false,
    };
}

/// A request under way, with the id of the user's request that it is part of and the span that made it.
pub(super) struct Asked<W: Wire> {
    pub caller: Caller,
    pub request: u64,
    pub parent: u64,
    pub body: W::Request,
}

/// What is in an envelope. Requests and replies are parcels that lie elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload {
    /// A request.
    Request { parcel: u32 },
    /// The end of a call.
    Reply { call: Ref, parcel: u32 },
    /// The end of a call without a reply.
    Failure { call: Ref, error: CallError },
    /// The caller no longer wants an answer to its call.
    Cancel { from: InstanceId, call: Ref },
    /// A sleep or a piece of work ends.
    Wait(Ref),
    /// The head of a list of timeouts is due, if the machine is still the one that set the timer.
    Timeouts { list: u32, epoch: u32 },
    /// A process has booted, if it is still in the life that it was started in.
    Booted { life: u32 },
}

/// The span that a machine's message of this number opens, unique in the world.
#[inline]
pub(super) fn span(rank: u32, seq: u64) -> u64 {
    u64::from(rank) << 40 | (seq & 0xff_ffff_ffff)
}

/// A delivery. The key of the whole world's order is (at, rank, seq).
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    pub at: SimTime,
    /// Rank of the source machine. Rank 0 is the kernel itself.
    pub rank: u32,
    pub to: InstanceId,
    /// The source's number of the message, never reset.
    pub seq: u64,
    pub payload: Payload,
}

impl Envelope {
    #[inline]
    pub(super) fn key(&self) -> (SimTime, u32, u64) {
        (self.at, self.rank, self.seq)
    }

    /// The span that this message opens.
    #[inline]
    pub(super) fn span(&self) -> u64 {
        span(self.rank, self.seq)
    }
}

/// In a max-heap the earliest comes first.
impl Ord for Envelope {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Envelope {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Envelope {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Envelope {}
