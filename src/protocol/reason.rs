//! Why a request failed.

use std::fmt;

/// Why a request failed. It is kept to the end, together with the machine where it arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nobody listens: the process is down.
    Refused,
    /// The process died while it served the request.
    Reset,
    /// No answer within the caller's timeout.
    TimedOut,
    /// The backlog was full.
    Overloaded,
    /// The balancer believes that no server is up.
    NoHealthyBackend,
    /// The domain could not be resolved.
    DnsFailure,
    /// The caller's circuit breaker is open.
    CircuitOpen,
    /// No connection of the caller's pool came free in time.
    PoolExhausted,
    /// More requests a second than the limit.
    RateLimited,
    /// It waited so long that nobody would wait for the answer: turned away without work.
    Shed,
    /// More functions at once than the limit.
    Throttled,
    /// No node of the database takes writes now, as far as those that were asked know.
    NotPrimary,
    /// Too few nodes are in reach to take a write.
    NoQuorum,
    /// Too few nodes acknowledged a write in time: nobody knows what becomes of it.
    NotAcknowledged,
    /// The node still replays its log.
    Recovering,
    /// The node has as many connections as it takes.
    TooManyConnections,
    /// The queue has no room.
    QueueFull,
    /// An error in the software of whoever was asked (HTTP 500).
    Broken,
    /// The disk is full: nothing can be written.
    DiskFull,
    /// The certificate has expired: nobody trusts who answers.
    Certificate,
}

impl Reason {
    /// All reasons, in order.
    pub const ALL: [Reason; 20] = [
        Reason::Refused,
        Reason::Reset,
        Reason::TimedOut,
        Reason::Overloaded,
        Reason::NoHealthyBackend,
        Reason::DnsFailure,
        Reason::CircuitOpen,
        Reason::PoolExhausted,
        Reason::RateLimited,
        Reason::Shed,
        Reason::Throttled,
        Reason::NotPrimary,
        Reason::NoQuorum,
        Reason::NotAcknowledged,
        Reason::Recovering,
        Reason::TooManyConnections,
        Reason::QueueFull,
        Reason::Broken,
        Reason::DiskFull,
        Reason::Certificate,
    ];

    /// The word for it on screens and in reports. Stable: the JSON report uses it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Refused => "refused",
            Reason::Reset => "reset",
            Reason::TimedOut => "timed out",
            Reason::Overloaded => "overloaded",
            Reason::NoHealthyBackend => "no healthy backend",
            Reason::DnsFailure => "dns failure",
            Reason::CircuitOpen => "circuit open",
            Reason::PoolExhausted => "pool exhausted",
            Reason::RateLimited => "rate limited",
            Reason::Shed => "shed",
            Reason::Throttled => "throttled",
            Reason::NotPrimary => "no primary",
            Reason::NoQuorum => "no quorum",
            Reason::NotAcknowledged => "not acknowledged",
            Reason::Recovering => "recovering",
            Reason::TooManyConnections => "too many connections",
            Reason::QueueFull => "queue full",
            Reason::Broken => "internal error",
            Reason::DiskFull => "disk full",
            Reason::Certificate => "certificate expired",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
