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
}

impl Reason {
    /// All reasons, in order.
    pub const ALL: [Reason; 6] = [
        Reason::Refused,
        Reason::Reset,
        Reason::TimedOut,
        Reason::Overloaded,
        Reason::NoHealthyBackend,
        Reason::DnsFailure,
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
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
