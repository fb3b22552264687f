//! How large messages are on the wire, for links with a bandwidth; and what software answers that is broken.

use crate::sim::{DiskFull, InstanceId, PLAIN_BYTES};

use super::{Answer, Ask, CacheRequest, Cached, Operation, PeerPulled, Pulled, QueueRequest, Reason, Reply, Request};

/// A query or an acknowledgement between services, with its headers, in bytes.
const SMALL: u32 = 200;
/// A row, a change or an entry of a log as nodes of a database exchange it, in bytes.
const ROW: usize = 200;

/// What is wrong with software that answers with errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlawKind {
    /// Requests fail; health checks pass. A gray failure.
    Requests,
    /// Health checks fail too.
    Checks,
    /// The certificate has expired: browsers and health checks do not talk to it.
    Certificate,
}

impl FlawKind {
    const ALL: [FlawKind; 3] = [FlawKind::Requests, FlawKind::Checks, FlawKind::Certificate];

    /// Its number, for the kernel.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number.
    pub fn numbered(number: u8) -> FlawKind {
        FlawKind::ALL[usize::from(number).min(2)]
    }
}

impl From<DiskFull> for Reason {
    fn from(_: DiskFull) -> Reason {
        Reason::DiskFull
    }
}

/// The answer of an instance that is broken; `None` where such a request is served all the same: what services do among themselves is.
pub(super) fn broken(request: &Request, kind: FlawKind, at: InstanceId) -> Option<Reply> {
    let reason = match (kind, request) {
        (FlawKind::Certificate, Request::Http(_) | Request::Check) => Reason::Certificate,
        (FlawKind::Certificate, _) => return None,
        (
            _,
            Request::Http(_)
            | Request::Query(_)
            | Request::Cache(_)
            | Request::Session(_)
            | Request::Queue(QueueRequest::Publish(_)),
        )
        | (FlawKind::Checks, Request::Check) => Reason::Broken,
        (_, Request::Lookup(_)) => Reason::DnsFailure,
        _ => return None,
    };
    Some(Reply::failure(reason, at))
}

impl Request {
    /// How large it is, in bytes.
    pub fn bytes(&self) -> u32 {
        match self {
            Request::Http(http) if matches!(http.ask, Ask::Create | Ask::Update) => PLAIN_BYTES + http.row,
            Request::Query(query) if matches!(query.operation, Operation::Create | Operation::Update) => {
                SMALL + query.bytes
            }
            Request::Cache(CacheRequest::Put { bytes, .. }) => SMALL + bytes,
            Request::Queue(QueueRequest::Publish(message)) => SMALL + message.bytes,
            Request::Http(_) => PLAIN_BYTES,
            _ => SMALL,
        }
    }

    /// How large a good answer to it is, in bytes.
    pub fn wanted_bytes(&self) -> u32 {
        match self {
            Request::Http(http) => PLAIN_BYTES + http.bytes,
            Request::Query(query) if query.is_read() => SMALL + query.bytes,
            _ => SMALL,
        }
    }
}

impl Reply {
    /// How large it is, in bytes, where a good one was going to have so many.
    pub fn bytes(&self, wanted: u32) -> u32 {
        let rows = match &self.outcome {
            Err(_) => return PLAIN_BYTES,
            Ok(Answer::Cached(Cached::Miss)) => return SMALL,
            Ok(Answer::Pulled(Pulled::Entries { entries, .. })) => entries.len(),
            Ok(Answer::Rows(rows)) => rows.rows.len(),
            Ok(Answer::PeerPulled(PeerPulled::Changes { changes, .. })) => changes.len(),
            Ok(Answer::PeerRows(rows)) => rows.rows.len(),
            Ok(Answer::Handed(handed)) => {
                let bytes = handed.iter().map(|one| u64::from(one.message.bytes));
                return u32::try_from(bytes.sum::<u64>()).unwrap_or(u32::MAX);
            }
            Ok(_) => return wanted,
        };
        u32::try_from(rows * ROW).unwrap_or(u32::MAX).saturating_add(SMALL)
    }

    /// The answer of an instance whose software is broken in this way: see [`Wire::broken`](crate::sim::Wire::broken).
    pub fn broken(request: &Request, kind: u8, at: InstanceId) -> Option<Reply> {
        broken(request, FlawKind::numbered(kind), at)
    }
}
