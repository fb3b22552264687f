//! Windows: all that is due within one is handed out at once, and worked off before the next.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use local_channel::mpsc;
use tokio::task::JoinHandle;

use super::core::{Core, Shared};
use super::machine::{Batch, Order};
use super::message::{Envelope, InstanceId, MachineId, Payload, Wire};
use super::process::Factory;
use super::random::{Draw, Stream};
use super::time::SimTime;

/// Times that the kernel waits for a batch before it says that a machine is stuck.
const PATIENCE: u32 = 1 << 20;

/// A machine as the kernel knows it.
pub(super) struct MachineEntry<W: Wire> {
    pub core: Rc<Core<W>>,
    pub factories: Vec<Factory<W>>,
    /// `None` when the machine is gone.
    pub task: Option<(mpsc::Sender<Batch<W>>, JoinHandle<()>)>,
}

/// What the kernel's task works with.
pub(super) struct State<W: Wire> {
    pub now: SimTime,
    pub shared: Rc<Shared<W>>,
    pub machines: Vec<MachineEntry<W>>,
    /// By machine: what is due in this window.
    pub pending: Vec<Vec<Envelope>>,
    pub touched: Vec<u32>,
    pub seq: u64,
    pub lookahead: u64,
    pub narrow: Option<Stream>,
    pub reported: Vec<(SimTime, InstanceId, W::Event)>,
}

/// Goes to the end of the queue of tasks.
async fn let_machines_run() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<W: Wire> State<W> {
    /// Hands out window after window, up to `end`.
    pub(super) async fn advance_to(&mut self, end: SimTime) {
        // What is left of a bucket that `end` cuts through is due later.
        while self.now < end {
            let window = self.shared.calendar.borrow_mut().next_window(end);
            let Some(window) = window else { break };
            let window_end = self.narrowed(window);
            let due = self.shared.calendar.borrow_mut().take(window_end);
            self.hand_out(due, window_end);
            self.settle().await;
            self.collect_reports();
            self.now = window_end;
        }
        self.now = self.now.max(end);
    }

    /// An earlier end of the window, where windows are cut at random.
    fn narrowed(&mut self, window_end: SimTime) -> SimTime {
        let Some(stream) = &mut self.narrow else {
            return window_end;
        };
        let start = (window_end.0.saturating_sub(1) / self.lookahead * self.lookahead).max(self.now.0);
        let Draw(bits) = stream.draw();
        SimTime(start + 1 + Draw(bits).below(window_end.0 - start))
    }

    fn hand_out(&mut self, mut due: Vec<Envelope>, end: SimTime) {
        self.shared.window_end.set(end);
        {
            let directory = self.shared.directory.borrow();
            for envelope in due.drain(..) {
                let machine = directory[envelope.to.0 as usize].machine.0;
                let pending = &mut self.pending[machine as usize];
                if pending.is_empty() {
                    self.touched.push(machine);
                }
                pending.push(envelope);
            }
        }
        self.shared.calendar.borrow_mut().recycle(due);
        let touched = std::mem::take(&mut self.touched);
        for machine in &touched {
            let spare = self.shared.spare.borrow_mut().pop().unwrap_or_default();
            let deliveries = std::mem::replace(&mut self.pending[*machine as usize], spare);
            self.send(*machine as usize, Batch::Window(deliveries));
        }
        self.touched = touched;
        self.touched.clear();
    }

    /// Hands a batch to a machine; what is meant for one that is gone is lost without a word.
    fn send(&mut self, machine: usize, batch: Batch<W>) {
        let Some((sender, _)) = &self.machines[machine].task else {
            if let Batch::Window(lost) = batch {
                self.lose(&lost);
            }
            return;
        };
        // A machine's channel holds one batch at most: the next one comes when all are worked off.
        self.shared.unfinished.set(self.shared.unfinished.get() + 1);
        if sender.send(batch).is_err() {
            self.fail(MachineId(machine as u32));
        }
    }

    /// Takes the parcels away that nobody will.
    fn lose(&self, envelopes: &[Envelope]) {
        for envelope in envelopes {
            match envelope.payload {
                Payload::Request { parcel } => drop(self.shared.requests.borrow_mut().take(parcel)),
                Payload::Reply { parcel, .. } => drop(self.shared.replies.borrow_mut().take(parcel)),
                _ => {}
            }
        }
    }

    /// Has a machine do something, now.
    pub(super) async fn order(&mut self, machine: MachineId, order: Order<W>) {
        self.shared.now.set(self.now);
        self.shared.window_end.set(self.now);
        self.send(machine.0 as usize, Batch::Order(Box::new(order)));
        self.settle().await;
        self.collect_reports();
    }

    /// Waits until every batch has been worked off.
    async fn settle(&mut self) {
        let mut waited = 0;
        while self.shared.unfinished.get() > 0 {
            let_machines_run().await;
            waited += 1;
            assert!(
                waited < PATIENCE,
                "machines are stuck at {} with seed {}",
                self.now,
                self.shared.seed
            );
        }
        if let Some(machine) = self.shared.panicked.get() {
            self.fail(machine);
        }
    }

    /// Ends the world, loudly.
    fn fail(&mut self, machine: MachineId) -> ! {
        self.shared.calendar.borrow_mut().close();
        let core = &self.machines[machine.0 as usize].core;
        panic!(
            "machine {} failed at {} with seed {}",
            core.name,
            core.now.get(),
            self.shared.seed
        );
    }

    fn collect_reports(&mut self) {
        let mut events = self.shared.events.borrow_mut();
        if events.is_empty() {
            return;
        }
        events.sort_unstable_by_key(|reported| reported.key);
        self.reported.extend(
            events
                .drain(..)
                .map(|reported| (reported.key.0, reported.from, reported.event)),
        );
    }
}
