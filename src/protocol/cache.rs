//! What travels between those who use a cache and its nodes.

use crate::sim::InstanceId;

use super::Status;
use super::data::Stamp;

/// A request to a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheRequest {
    /// Is there a copy of this row?
    Get {
        /// The row.
        key: u64,
    },
    /// Keep this copy of a row.
    Put {
        /// The row.
        key: u64,
        /// How large it is, in bytes.
        bytes: u32,
        /// The copy.
        copy: RowCopy,
        /// How long it took to load, in nanoseconds.
        took: u64,
    },
    /// Forget this row: it has been written.
    Delete {
        /// The row.
        key: u64,
        /// The version that was written.
        version: Stamp,
    },
    /// The load that a miss led to has failed: no copy will come of it.
    Abandon {
        /// The row.
        key: u64,
    },
}

/// What a cache knows of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cached {
    /// There is a copy.
    Hit {
        /// The copy.
        copy: RowCopy,
        /// It is about to expire: whoever asked is to load it anew, in the background.
        refresh: bool,
    },
    /// There is none.
    Miss,
}

/// A copy of a row: what a database answered once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowCopy {
    /// The version.
    pub version: Stamp,
    /// The node of the database that answered.
    pub by: InstanceId,
    /// Whether there is such a row.
    pub exists: bool,
}

/// A layer of caches between a user and a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The user's own browser or app.
    Browser,
    /// An edge of a CDN.
    Edge,
    /// The shield of a CDN.
    Shield,
    /// The memory of a web server.
    Near,
    /// The cache tier.
    Cache,
}

impl Layer {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Browser => "browser",
            Layer::Edge => "edge",
            Layer::Shield => "shield",
            Layer::Near => "near copy",
            Layer::Cache => "cache",
        }
    }
}

impl RowCopy {
    /// The copy that an answer is worth keeping as: a row that was read or written, or that there is none.
    pub fn of(status: Status) -> Option<RowCopy> {
        match status {
            Status::Read { version, by } | Status::Written { version, by } => Some(RowCopy {
                version,
                by,
                exists: true,
            }),
            Status::NotFound { version, by } => Some(RowCopy {
                version,
                by,
                exists: false,
            }),
            Status::Conflict | Status::Searched | Status::Accepted | Status::Static { .. } => None,
        }
    }

    /// The answer to a read of it.
    pub fn status(self) -> Status {
        let RowCopy { version, by, exists } = self;
        if exists {
            Status::Read { version, by }
        } else {
            Status::NotFound { version, by }
        }
    }
}
