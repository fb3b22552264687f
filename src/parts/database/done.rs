//! Answers to writes that carry an idempotency key, so that a request that comes again is answered as before.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::protocol::Stamp;

/// Requests that are remembered.
const REMEMBERED: usize = 1 << 16;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It is in the log.
    Written(Stamp),
    /// There was a row already.
    Conflict,
    /// There was none; this write had deleted it.
    NotFound(Stamp),
}

/// What became of the last requests that carry a key.
#[derive(Debug, Default)]
pub(super) struct Memory {
    done: FxHashMap<u64, Done>,
    order: VecDeque<u64>,
}

impl Memory {
    /// What became of a request.
    pub(super) fn of(&self, request: u64) -> Option<Done> {
        self.done.get(&request).copied()
    }

    /// Remembers what became of a request; the oldest one makes room.
    pub(super) fn remember(&mut self, request: u64, done: Done) {
        if self.done.insert(request, done).is_some() {
            return;
        }
        self.order.push_back(request);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.done.remove(&oldest);
        }
    }

    /// These were undone.
    pub(super) fn forget(&mut self, requests: &FxHashSet<u64>) {
        if requests.is_empty() {
            return;
        }
        self.order.retain(|request| !requests.contains(request));
        for request in &self.order {
            debug_assert!(self.done.contains_key(request), "the order and the map agree");
        }
        let (done, order) = (&mut self.done, &self.order);
        *done = order
            .iter()
            .filter_map(|request| Some((*request, *done.get(request)?)))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_what_is_undone_is_forgotten() {
        let mut memory = Memory::default();
        for request in 1..=REMEMBERED as u64 + 2 {
            memory.remember(request, Done::Written(Stamp(request)));
        }
        memory.remember(5, Done::Conflict);
        assert_eq!((memory.of(2), memory.of(3)), (None, Some(Done::Written(Stamp(3)))));
        assert_eq!(memory.of(5), Some(Done::Conflict));
        memory.forget(&[4, 5].into_iter().collect());
        assert_eq!((memory.of(4), memory.of(5)), (None, None));
        assert_eq!(memory.order.len(), memory.done.len());
        memory.remember(5, Done::NotFound(Stamp(1)));
        assert_eq!(memory.of(5), Some(Done::NotFound(Stamp(1))));
    }
}
