//! Slots: the requests that a service has in progress at once. Who finds none waits, first come, first served.

use super::core::{Core, WaitState};
use super::message::Wire;
use super::slab::Ref;

/// What came of asking for a slot.
pub(super) enum Admission {
    Granted,
    Queued(Ref),
    Full,
}

impl<W: Wire> Core<W> {
    #[inline]
    pub(super) fn admit(&self, local: u16) -> Admission {
        let now = self.now.get();
        let mut locals = self.locals.borrow_mut();
        let here = &mut locals[local as usize];
        if here.slots_in_use < here.usable() {
            here.slots_in_use += 1;
            here.meter.slots.set(now, here.slots_in_use);
            return Admission::Granted;
        }
        if here.queue.len() as u32 >= here.backlog_limit {
            return Admission::Full;
        }
        let wait = self.new_wait(WaitState::WaitingForSlot);
        here.queue.push_back(wait);
        here.meter.backlog.set(now, here.queue.len() as u32);
        Admission::Queued(wait)
    }

    /// A slot is given back: the one who waits longest has it now.
    #[inline]
    pub(super) fn leave(&self, local: u16) {
        let now = self.now.get();
        let mut locals = self.locals.borrow_mut();
        let here = &mut locals[local as usize];
        if here.slots_in_use <= here.usable()
            && let Some(next) = here.queue.pop_front()
        {
            here.meter.backlog.set(now, here.queue.len() as u32);
            drop(locals);
            self.finish_wait(next);
            return;
        }
        here.slots_in_use -= 1;
        here.meter.slots.set(now, here.slots_in_use);
    }

    /// So many slots never come back. Where fewer are lost than before, those who wait are let in.
    pub(super) fn lose_slots(&self, local: u16, slots: u32) {
        let now = self.now.get();
        let mut let_in = Vec::new();
        {
            let mut locals = self.locals.borrow_mut();
            let here = &mut locals[local as usize];
            here.leaked = slots;
            while here.slots_in_use < here.usable()
                && let Some(next) = here.queue.pop_front()
            {
                here.slots_in_use += 1;
                let_in.push(next);
            }
            here.meter.slots.set(now, here.slots_in_use);
            here.meter.backlog.set(now, here.queue.len() as u32);
        }
        for wait in let_in {
            self.finish_wait(wait);
        }
    }
}
