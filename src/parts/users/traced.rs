//! Keys from an access trace, in place of drawn ones.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::protocol::Ask;
use crate::trace::{Feed, Op, Trace};

/// A population's share of a trace.
pub(super) struct Traced {
    feed: RefCell<Option<Feed>>,
    lost: Cell<bool>,
}

/// What a record says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The row.
    pub key: u64,
    /// What is asked for, if the trace says it.
    pub ask: Option<Ask>,
    /// How large the row is, and the page that shows it, if the trace says it.
    pub bytes: Option<u32>,
}

impl Traced {
    /// The share of one population, from 0, of so many.
    pub(super) fn open(trace: &Trace, part: u64, parts: u64) -> Traced {
        let feed = Feed::open(&trace.survey, Arc::clone(&trace.numbers), part, parts).ok();
        Traced {
            lost: Cell::new(feed.is_none()),
            feed: RefCell::new(feed),
        }
    }

    /// What is wanted next; nothing once the file has changed or gone.
    pub(super) fn next(&self) -> Option<Wanted> {
        let mut feed = self.feed.borrow_mut();
        let Some((number, bytes, op)) = feed.as_mut().and_then(Feed::next) else {
            self.lost.set(self.lost.get() || feed.is_some());
            *feed = None;
            return None;
        };
        Some(Wanted {
            key: number.into(),
            ask: op.map(|op| match op {
                Op::Read => Ask::Page,
                Op::Write => Ask::Update,
                Op::Delete => Ask::Delete,
            }),
            bytes: bytes.map(|bytes| bytes.max(1)),
        })
    }

    /// Whether the file has just been found changed or gone. Told once.
    pub(super) fn was_lost(&self) -> bool {
        self.lost.replace(false)
    }
}
