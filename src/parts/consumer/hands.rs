//! What a worker holds: messages that wait in its memory, messages in progress, and how long it has been busy with them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::observe::WorkerProbe;
use crate::protocol::{Handed, JobId};
use crate::sim::SimTime;

/// A message that a worker holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// As it was handed out.
    pub handed: Handed,
    /// It was acknowledged when it was handed out: the queue knows nothing of it any more.
    pub settled: bool,
}

/// All messages that a worker holds. `prefetch` bounds them.
pub(super) struct Hands {
    /// Not begun, in the order in which they came.
    waiting: RefCell<VecDeque<Held>>,
    /// By job: how many messages of it are here. Mostly one; a job that was handed out again may be here twice.
    jobs: RefCell<BTreeMap<JobId, u32>>,
    /// Messages from their arrival until they are settled.
    held: Cell<u32>,
    /// Messages in progress.
    busy: Cell<u32>,
    /// Nanoseconds that slots were busy, in all, up to the last change.
    busy_nanos: Cell<u64>,
    changed: Cell<SimTime>,
    probe: Rc<WorkerProbe>,
}

impl Hands {
    /// Empty hands, shown by this probe.
    pub fn new(probe: Rc<WorkerProbe>) -> Hands {
        probe.held.borrow_mut().clear();
        probe.busy.set(0);
        Hands {
            waiting: RefCell::default(),
            jobs: RefCell::default(),
            held: Cell::new(0),
            busy: Cell::new(0),
            busy_nanos: Cell::new(0),
            changed: Cell::new(SimTime::ZERO),
            probe,
        }
    }

    /// Messages from their arrival until they are settled.
    pub fn held(&self) -> u32 {
        self.held.get()
    }

    /// A message has come. It waits.
    pub fn arrive(&self, held: Held) {
        let job = held.handed.job;
        *self.jobs.borrow_mut().entry(job).or_default() += 1;
        self.probe.held.borrow_mut().insert(job);
        self.held.set(self.held.get() + 1);
        self.waiting.borrow_mut().push_back(held);
    }

    /// Begins the message that has waited longest, if fewer than `slots` are in progress.
    pub fn begin(&self, now: SimTime, slots: u32) -> Option<Held> {
        if self.busy.get() >= slots {
            return None;
        }
        let held = self.waiting.borrow_mut().pop_front()?;
        self.set_busy(now, self.busy.get() + 1);
        Some(held)
    }

    /// A message is no longer in progress.
    pub fn end(&self, now: SimTime) {
        self.set_busy(now, self.busy.get() - 1);
    }

    /// A message is settled.
    pub fn let_go(&self, job: JobId) {
        self.held.set(self.held.get() - 1);
        let mut jobs = self.jobs.borrow_mut();
        if let Some(messages) = jobs.get_mut(&job) {
            *messages -= 1;
            if *messages == 0 {
                jobs.remove(&job);
                self.probe.held.borrow_mut().remove(&job);
            }
        }
    }

    /// Takes out the messages that wait and that the queue would take back. They are held until they are let go.
    pub fn take_returnable(&self) -> Vec<Held> {
        let (settled, returnable) = self.waiting.take().into_iter().partition(|held| held.settled);
        self.waiting.replace(settled);
        Vec::from(returnable)
    }

    /// Lets go of what waits.
    pub fn drop_waiting(&self) {
        for held in self.waiting.take() {
            self.let_go(held.handed.job);
        }
    }

    /// Nanoseconds that slots were busy, in all, since the process started.
    pub fn busy_nanos(&self, now: SimTime) -> u64 {
        let since = now.0.saturating_sub(self.changed.get().0);
        self.busy_nanos
            .get()
            .saturating_add(since.saturating_mul(self.busy.get().into()))
    }

    fn set_busy(&self, now: SimTime, busy: u32) {
        self.busy_nanos.set(self.busy_nanos(now));
        self.changed.set(now);
        self.busy.set(busy);
        self.probe.busy.set(busy);
    }
}

/// What it holds is gone with the process.
impl Drop for Hands {
    fn drop(&mut self) {
        self.probe.held.borrow_mut().clear();
        self.probe.busy.set(0);
    }
}
