//! A message queue, or a log.
//!
//! What it holds and what becomes of it stands in the store, which knows no machine. The process around it takes requests in, lets those
//! wait who ask for messages, wakes when something is due, and carries dead letters.

mod carriers;
mod copies;
mod due;
mod journal;
mod lane;
mod letters;
mod look;
mod rules;
mod store;
mod takers;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::layout;
use crate::observe::{Peek, QueueProbe, System};
use crate::protocol::{Answer, Depth, Message, QueueRequest, Reason, Reply, Request};
use crate::sim::{Cx, DiskFull, Draw, Signal, SimTime, Software, mix};

use super::common::demand::Demand;
use super::common::pages::Callee;
use super::common::purpose;
use look::Shelf;
use rules::Rules;
use store::{Arrival, Store};
use takers::{Takers, Turn};

/// Core time of a health check, and of telling how much there is: nothing is written.
const CHECK_NANOS: u64 = 20_000;
/// Tells the draw for handing a message out from that for taking it in.
const HANDING_OUT: u64 = 1;

/// A message queue, or a log.
pub struct Queue {
    /// The settings. They are changed between two windows.
    spec: Rc<RefCell<layout::Queue>>,
    dead_letter: Option<Callee>,
    probe: Rc<QueueProbe>,
    durable: bool,
    work: Cell<Demand>,
    shelf: Rc<Shelf>,
    takers: Takers,
    /// Messages on their way to the disk, and their bytes.
    writing: Cell<(u64, u64)>,
    /// Messages taken in since the process started.
    published: Cell<u64>,
    /// When it wakes by itself, the last first. Each of these is a task that sleeps, so that an earlier one takes the place of none.
    alarms: RefCell<Vec<SimTime>>,
    /// Those under way, by errand.
    carriers: [Cell<u32>; 2],
    /// There is something to be set off that goes on by itself.
    news: Signal,
}

impl Queue {
    /// A queue that is empty, or has what it finds on its disk. `subscribers` are those of a log: the numbers of their services.
    pub fn new(
        cx: &Cx<System>,
        spec: Rc<RefCell<layout::Queue>>,
        dead_letter: Option<Callee>,
        probe: Rc<QueueProbe>,
        subscribers: &[u32],
    ) -> Queue {
        let (durable, work, rules) = {
            let spec = spec.borrow();
            (spec.durable, spec.work, Rules::new(&spec, dead_letter.is_some()))
        };
        let shelf = if durable { cx.disk::<Shelf>() } else { Rc::default() };
        shelf
            .0
            .borrow_mut()
            .begin(cx.now(), rules, subscribers, probe.tally.get());
        let peek: Rc<dyn Peek> = Rc::<Shelf>::clone(&shelf);
        *probe.peek.borrow_mut() = Some(Rc::downgrade(&peek));
        Queue {
            spec,
            dead_letter,
            probe,
            durable,
            work: Cell::new(Demand::new(work)),
            shelf,
            takers: Takers::default(),
            writing: Cell::default(),
            published: Cell::default(),
            alarms: RefCell::default(),
            carriers: [const { Cell::new(0) }; 2],
            news: Signal::default(),
        }
    }

    /// Changes what is held, and does what follows from it: hands out what can be handed out, tells what has happened, shows how much there
    /// is, and sees to it that somebody wakes in time.
    fn change<T>(&self, cx: &Cx<System>, change: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.shelf.0.borrow_mut();
        let result = change(&mut store);
        self.takers.feed(cx, &mut store);
        for event in store.events.drain(..) {
            cx.emit(event);
        }
        self.probe.tally.set(store.tally);
        store.show(&self.probe);
        let too_late = store.next_due().is_some_and(|due| self.wakes_after(due));
        if too_late || self.wants_carriers(|errand| store.letters(errand)) {
            self.news.raise(cx);
        }
        result
    }

    fn wakes_after(&self, due: SimTime) -> bool {
        self.alarms.borrow().last().is_none_or(|first| due < *first)
    }

    /// Sets off what goes on by itself. Nobody else does: what is set off while a process ends would outlive it.
    async fn set_off(self: Rc<Self>, cx: Cx<System>) {
        loop {
            let due = self.shelf.0.borrow_mut().next_due();
            if let Some(due) = due.filter(|due| self.wakes_after(*due)) {
                self.alarms.borrow_mut().push(due);
                cx.spawn(Rc::clone(&self).wake(cx.detached(), due));
            }
            self.send_carriers(&cx);
            self.news.wait(&cx).await;
        }
    }

    async fn wake(self: Rc<Self>, cx: Cx<System>, at: SimTime) {
        cx.sleep_until(at).await;
        self.alarms.borrow_mut().pop();
        self.change(&cx, |store| store.fall_due(cx.now()));
    }

    /// Waits for messages, and works for them when there are some.
    async fn take(&self, cx: &Cx<System>, most: u32, subscriber: u32, settled: bool) -> Reply {
        let lane = self.shelf.0.borrow_mut().lane_for(subscriber);
        let turn = Turn::new(self, cx, lane, most);
        loop {
            let first = turn.come().await;
            let Ok(_slot) = cx.admit().await else {
                return Reply::failure(Reason::Overloaded, cx.id());
            };
            cx.work(self.demand(cx, mix(first ^ mix(HANDING_OUT)))).await;
            let handed = turn.take(settled);
            // Somebody may have thrown all of it away.
            if !handed.is_empty() {
                return Reply::answer(Answer::Handed(Rc::new(handed)));
            }
        }
    }

    fn demand(&self, cx: &Cx<System>, item: u64) -> u64 {
        self.work
            .get()
            .sample(Draw::of(cx.seed(), item, purpose::QUEUE_WORK), 1.0)
    }

    async fn obey(&self, cx: &Cx<System>, request: QueueRequest) -> Reply {
        let (message, arrival) = match request {
            QueueRequest::Publish(message) => (message, Arrival::Published),
            QueueRequest::Bury {
                message,
                job,
                subscriber,
                attempts,
            } => {
                let from = cx.from();
                let arrival = Arrival::Buried {
                    from,
                    job,
                    subscriber,
                    attempts,
                };
                (message, arrival)
            }
            QueueRequest::Restore {
                message,
                job,
                subscriber,
            } => (message, Arrival::Restored { job, subscriber }),
            QueueRequest::Acknowledge(receipt) => {
                if self.flush(cx).await.is_err() {
                    return Reply::failure(Reason::DiskFull, cx.id());
                }
                self.change(cx, |store| store.acknowledge(&receipt));
                return Reply::answer(Answer::Fine);
            }
            QueueRequest::Reject(receipt) => {
                self.change(cx, |store| store.reject(cx.now(), &receipt));
                return Reply::answer(Answer::Fine);
            }
            QueueRequest::Return(receipt) => {
                self.change(cx, |store| store.give_back(cx.now(), &receipt));
                return Reply::answer(Answer::Fine);
            }
            QueueRequest::Redrive => {
                self.change(cx, Store::redrive);
                return Reply::answer(Answer::Fine);
            }
            QueueRequest::Take { .. } | QueueRequest::Measure { .. } => return Reply::answer(Answer::Fine),
        };
        self.keep(cx, message, arrival).await
    }

    /// Takes a message in, if there is room for it. It counts against the room while it is written, and is confirmed once it is.
    async fn keep(&self, cx: &Cx<System>, message: Message, arrival: Arrival) -> Reply {
        let is_here = || match arrival {
            Arrival::Buried { from, job, .. } => self.shelf.0.borrow().has_letter(from, job),
            _ => false,
        };
        if is_here() {
            return Reply::answer(Answer::Fine);
        }
        let has_room = self.shelf.0.borrow().has_room(message.bytes, self.writing.get());
        if !has_room {
            self.change(cx, Store::refuse);
            return Reply::failure(Reason::QueueFull, cx.id());
        }
        let was_full = self.shelf.0.borrow().is_full();
        if was_full {
            self.change(cx, Store::reopen);
        }
        let writing = Writing::new(self, message.bytes);
        if self.flush(cx).await.is_err() {
            return Reply::failure(Reason::DiskFull, cx.id());
        }
        drop(writing);
        // Whoever buries it may have sent it a second time meanwhile.
        if !is_here() {
            self.published.set(self.published.get() + 1);
            self.change(cx, |store| store.keep(cx.now(), &message, arrival));
        }
        Reply::answer(Answer::Fine)
    }

    /// Until what was said now is on the disk, if it has to be.
    async fn flush(&self, cx: &Cx<System>) -> Result<(), DiskFull> {
        let flush = self.spec.borrow().flush;
        if self.durable { cx.flush(flush).await } else { Ok(()) }
    }

    fn retune(&self, cx: &Cx<System>) {
        let (work, rules) = {
            let spec = self.spec.borrow();
            (spec.work, Rules::new(&spec, self.dead_letter.is_some()))
        };
        self.work.set(Demand::new(work));
        if let Some(other) = &self.dead_letter {
            other.caller.retune(cx);
        }
        self.change(cx, |store| store.retune(cx.now(), rules));
    }
}

/// What was in memory is gone with the process. What is on the disk is still to be seen there.
impl Drop for Queue {
    fn drop(&mut self) {
        *self.probe.peek.borrow_mut() = None;
        if !self.durable {
            Store::default().show(&self.probe);
        }
    }
}

/// A message on its way to the disk.
struct Writing<'a> {
    queue: &'a Queue,
    bytes: u64,
}

impl<'a> Writing<'a> {
    fn new(queue: &'a Queue, bytes: u32) -> Writing<'a> {
        let bytes = u64::from(bytes);
        let (count, sum) = queue.writing.get();
        queue.writing.set((count + 1, sum + bytes));
        Writing { queue, bytes }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let (count, sum) = self.queue.writing.get();
        self.queue.writing.set((count - 1, sum - self.bytes));
    }
}

impl Software<System> for Queue {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        self.change(cx, |_| ());
        cx.spawn(Rc::clone(self).set_off(cx.detached()));
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        match request {
            Request::Queue(QueueRequest::Take {
                most,
                subscriber,
                settled,
            }) => return self.take(&cx, most, subscriber, settled).await,
            Request::Purge(key) => {
                self.change(&cx, |store| store.purge(key));
                return Reply::answer(Answer::Fine);
            }
            Request::Retune => {
                self.retune(&cx);
                return Reply::answer(Answer::Fine);
            }
            _ => {}
        }
        let Ok(_slot) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        let demand = match request {
            Request::Queue(QueueRequest::Measure { .. }) => CHECK_NANOS,
            Request::Queue(_) => self.demand(&cx, request.fingerprint()),
            _ => CHECK_NANOS,
        };
        cx.work(demand).await;
        match request {
            Request::Queue(QueueRequest::Measure { subscriber }) => {
                let (waiting, in_flight) = self.shelf.0.borrow().depth_for(subscriber);
                Reply::answer(Answer::Depth(Depth {
                    waiting,
                    in_flight,
                    published: self.published.get(),
                }))
            }
            Request::Queue(request) => self.obey(&cx, request).await,
            _ => Reply::answer(Answer::Fine),
        }
    }
}
