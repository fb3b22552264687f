//! What travels: envelopes with requests, replies and timers, all ordered by one key.

use std::cmp::Ordering;
use std::fmt;

use super::slab::Ref;
use super::time::SimTime;

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
}

/// One service on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u32);

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

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallError::Refused => "refused",
            CallError::Reset => "reset",
            CallError::TimedOut => "timed out",
        })
    }
}

/// Who waits for the answer to a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// The instance that called.
    pub from: InstanceId,
    /// Its entry for the call; [`Ref::NONE`] when nobody waits.
    pub call: Ref,
    /// A packet without a connection: when it is lost it is lost.
    pub datagram: bool,
}

impl Caller {
    /// Nobody.
    pub(super) const NOBODY: Caller = Caller {
        from: InstanceId(u32::MAX),
        call: Ref::NONE,
        datagram: false,
    };
}

/// What is in an envelope.
pub(super) enum Payload<W: Wire> {
    /// A request, with the id of the user's request that it is part of and the span that made it.
    Request {
        caller: Caller,
        request: u64,
        parent: u64,
        body: W::Request,
    },
    /// The end of a call.
    Reply {
        call: Ref,
        result: Result<W::Reply, CallError>,
    },
    /// The caller no longer wants an answer.
    Cancel { caller: Caller },
    /// A sleep or a piece of work ends.
    Wait(Ref),
    /// The head of a list of timeouts is due, if the machine is still the one that set the timer.
    Timeouts { list: u32, epoch: u32 },
    /// A process has booted, if it is still in the life that it was started in.
    Booted { life: u32 },
}

/// A delivery. The key of the whole world's order is (at, rank, seq).
pub(super) struct Envelope<W: Wire> {
    pub at: SimTime,
    /// Rank of the source machine. Rank 0 is the kernel itself.
    pub rank: u32,
    pub to: InstanceId,
    /// The source's number of the message, never reset.
    pub seq: u64,
    pub payload: Payload<W>,
}

impl<W: Wire> Envelope<W> {
    #[inline]
    pub(super) fn key(&self) -> (SimTime, u32, u64) {
        (self.at, self.rank, self.seq)
    }

    /// The span that this message opens, unique in the world.
    #[inline]
    pub(super) fn span(&self) -> u64 {
        u64::from(self.rank) << 40 | (self.seq & 0xff_ffff_ffff)
    }
}

/// In a max-heap the earliest comes first.
impl<W: Wire> Ord for Envelope<W> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<W: Wire> PartialOrd for Envelope<W> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<W: Wire> PartialEq for Envelope<W> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<W: Wire> Eq for Envelope<W> {}
