//! Calls in progress, and one list of timeouts for each duration, so that memory follows the calls in flight.

use super::machine::Handler;
use super::message::CallError;
use super::slab::{Ref, Slab};
use super::time::SimTime;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing yet.
    UnderWay,
    /// The reply has come, and lies among the parcels.
    Replied(u32),
    /// There will be none.
    Failed(CallError),
}

/// One call.
struct Call {
    handler: Handler,
    outcome: Outcome,
    deadline: SimTime,
    list: u32,
    previous: u32,
    next: u32,
}

/// Calls with the same timeout, in the order of their deadlines.
struct Timeouts {
    duration: u64,
    head: u32,
    tail: u32,
    armed: bool,
}

/// No entry.
const NIL: u32 = u32::MAX;

/// All calls of a machine.
pub(super) struct Calls {
    entries: Slab<Call>,
    lists: Vec<Timeouts>,
}

impl Calls {
    pub(super) const fn new() -> Calls {
        Calls {
            entries: Slab::new(),
            lists: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Enters a call; tells which list's timer is to be set for its deadline, if that is not set yet.
    #[inline]
    pub(super) fn open(&mut self, handler: Handler, now: SimTime, timeout: u64) -> (Ref, Option<(u32, SimTime)>) {
        let list = self.list(timeout);
        let deadline = SimTime(now.0.saturating_add(timeout));
        let tail = self.lists[list as usize].tail;
        let call = self.entries.insert(Call {
            handler,
            outcome: Outcome::UnderWay,
            deadline,
            list,
            previous: tail,
            next: NIL,
        });
        if let Some(before) = self.entries.at_mut(tail) {
            before.next = call.index();
        }
        let timeouts = &mut self.lists[list as usize];
        timeouts.tail = call.index();
        if timeouts.head == NIL {
            timeouts.head = call.index();
        }
        if timeouts.armed {
            return (call, None);
        }
        timeouts.armed = true;
        (call, Some((list, deadline)))
    }

    #[inline]
    fn list(&mut self, duration: u64) -> u32 {
        if let Some(found) = self.lists.iter().position(|list| list.duration == duration) {
            return found as u32;
        }
        self.lists.push(Timeouts {
            duration,
            head: NIL,
            tail: NIL,
            armed: false,
        });
        self.lists.len() as u32 - 1
    }

    /// Ends a call and names the handler that waits for it; `None` when it was given up, or had ended, before.
    #[inline]
    pub(super) fn finish(&mut self, call: Ref, outcome: Outcome) -> Option<Handler> {
        let entry = self.entries.get_mut(call)?;
        if entry.outcome != Outcome::UnderWay {
            return None;
        }
        entry.outcome = outcome;
        let handler = entry.handler;
        self.unlink(call);
        Some(handler)
    }

    /// What became of a call; when it has ended the entry is free then.
    #[inline]
    pub(super) fn take(&mut self, call: Ref) -> Outcome {
        let Some(entry) = self.entries.get_mut(call) else {
            return Outcome::UnderWay;
        };
        let outcome = entry.outcome;
        if outcome != Outcome::UnderWay {
            self.entries.remove(call);
        }
        outcome
    }

    /// Gives a call up; tells what had become of it.
    pub(super) fn abandon(&mut self, call: Ref) -> Option<Outcome> {
        let outcome = self.entries.get_mut(call)?.outcome;
        if outcome == Outcome::UnderWay {
            self.unlink(call);
        }
        self.entries.remove(call);
        Some(outcome)
    }

    /// The first call of a list that is due.
    pub(super) fn due(&mut self, list: u32, now: SimTime) -> Option<Ref> {
        let head = self.lists[list as usize].head;
        let due = self.entries.at_mut(head)?.deadline <= now;
        due.then(|| self.reference(head))
    }

    /// After a list's timer went off: when it is to be set next; the list counts as armed then.
    pub(super) fn rearm(&mut self, list: u32) -> Option<SimTime> {
        let head = self.lists[list as usize].head;
        let deadline = self.entries.at_mut(head).map(|entry| entry.deadline);
        self.lists[list as usize].armed = deadline.is_some();
        deadline
    }

    fn reference(&self, index: u32) -> Ref {
        self.entries.ref_at(index)
    }

    #[inline]
    fn unlink(&mut self, call: Ref) {
        let Some(entry) = self.entries.get_mut(call) else {
            return;
        };
        let (list, previous, next) = (entry.list as usize, entry.previous, entry.next);
        match self.entries.at_mut(previous) {
            Some(before) => before.next = next,
            None => self.lists[list].head = next,
        }
        match self.entries.at_mut(next) {
            Some(after) => after.previous = previous,
            None => self.lists[list].tail = previous,
        }
    }
}
