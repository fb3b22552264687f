//! What travels between services: the requests and replies of every kind, and the reasons of failures.

mod reason;

use std::time::Duration;

use crate::sim::{CallError, InstanceId};

pub use reason::Reason;

/// A request to a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request {
    /// A person wants something: a population's request to itself.
    Visit,
    /// A browser's or an app's request to a web server, directly or by way of balancers.
    Http(Http),
    /// A query to a database.
    Query(Query),
    /// Resolve the domain.
    Lookup,
    /// Are you well?
    Check,
    /// Your settings have changed.
    Retune,
}

/// A request over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http {
    /// What is asked for.
    pub ask: Ask,
    /// The row that it is about.
    pub key: u64,
    /// In what form the answer is wanted.
    pub format: Format,
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
}

impl Ask {
    /// Whether it changes nothing, so that it may be tried again.
    pub fn is_safe(self) -> bool {
        matches!(self, Ask::Page | Ask::Asset)
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
}

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The answer, or why there is none.
    pub outcome: Result<Answer, Failure>,
    /// How often it was tried again on the way.
    pub retries: u8,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A page, a file or JSON.
    Page {
        /// What became of the row.
        status: Status,
        /// In what form.
        format: Format,
    },
    /// From a database.
    Row(Status),
    /// From DNS: where the domain lives, and how long that may be believed.
    Address {
        /// The public address.
        to: InstanceId,
        /// For how long that may be kept.
        ttl: Duration,
    },
    /// Done, or well.
    Fine,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was read (200).
    Read {
        /// The version that was read.
        version: u64,
    },
    /// It was written, in this version (201, 204).
    Written {
        /// The version that is on disk.
        version: u64,
        /// The instance that holds it.
        by: InstanceId,
    },
    /// There is none (404).
    NotFound,
    /// There is one already (409).
    Conflict,
    /// No row was asked for.
    Static,
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
            Request::Http(http) => http.key << 8 | (http.ask as u64) << 4 | (http.format as u64) << 3 | 2,
            Request::Query(query) => query.key << 8 | (query.operation as u64) << 4 | 3,
            Request::Lookup => 4,
            Request::Check => 5,
            Request::Retune => 6,
        }
    }
}
