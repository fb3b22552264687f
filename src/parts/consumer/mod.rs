//! Workers: they take messages from a queue, do what those ask for, and say so.

mod attempt;
mod hands;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Delivery};
use crate::observe::{System, WorkerProbe};
use crate::protocol::{Answer, Handed, QueueRequest, Reply, Request};
use crate::sim::{CallError, Cx, Either, Signal, Software, join_all, nanos, race};

use super::common::demand::Demand;
use super::common::pages::Callee;
use super::common::purpose;
use super::common::router::Router;

use self::attempt::End;
use self::hands::{Hands, Held};

/// How long it waits for a message before it asks again: the longest wait of Amazon SQS (`WaitTimeSeconds`).
const LONG_POLL: Duration = Duration::from_secs(20);
/// How long it pauses at most at first when the queue fails; doubled each time (full jitter, AWS Architecture Blog 2015).
const PAUSE: Duration = Duration::from_millis(100);
/// The longest of these pauses.
const PAUSE_MOST: Duration = Duration::from_secs(5);
/// What is left of the time to drain when it gives up what is still in progress, so that the queue hears of it.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Messages that it gives back at once.
const RETURNS_AT_ONCE: usize = 16;
/// Core time of a check.
const CHECK_NANOS: u64 = 100_000;

/// Whom a worker works with.
pub struct Supplies {
    /// The queue.
    pub queue: Callee,
    /// As which of the subscribers of a log it takes: the number of its service.
    pub subscriber: u32,
    /// The database that results go to.
    pub database: Option<Rc<Router>>,
}

/// A worker: one process of a service of workers.
///
/// A message has a slot from the moment that it is begun until the queue has heard what became of it.
pub struct Consumer {
    /// The settings. They are changed between two windows, and read anew for each message.
    spec: Rc<RefCell<layout::Consumer>>,
    supplies: Supplies,
    probe: Rc<WorkerProbe>,
    hands: Hands,
    /// Attempts that have ended since the process started.
    ended: Cell<u64>,
    /// It may have room for another message.
    room: Signal,
    /// It asks for messages.
    fetching: Cell<bool>,
    /// It is to end, and takes nothing more.
    draining: Cell<bool>,
    /// How often it was told to go on: what it was to do at its end before that is not done.
    resumed: Cell<u64>,
    /// It is to end.
    told_to_end: Signal,
    /// Its time to end is over.
    time_is_up: Signal,
}

impl Consumer {
    /// A worker that holds nothing.
    pub fn new(spec: Rc<RefCell<layout::Consumer>>, supplies: Supplies, probe: Rc<WorkerProbe>) -> Consumer {
        probe.drained.set(false);
        Consumer {
            spec,
            supplies,
            hands: Hands::new(Rc::clone(&probe)),
            probe,
            ended: Cell::new(0),
            room: Signal::default(),
            fetching: Cell::new(false),
            draining: Cell::new(false),
            resumed: Cell::new(0),
            told_to_end: Signal::default(),
            time_is_up: Signal::default(),
        }
    }

    /// Asks for messages as long as there is room for them, until it is told to end.
    async fn fetch(self: Rc<Self>, cx: Cx<System>) {
        let mut jitter = cx.stream("fetch");
        let mut failures = 0;
        self.fetching.set(true);
        while !self.draining.get() {
            let Some((take, settled)) = self.wish() else {
                self.unless_told_to_end(&cx, self.room.wait(&cx)).await;
                continue;
            };
            let call = cx.call(self.supplies.queue.to, Request::Queue(take), LONG_POLL);
            let Some(result) = self.unless_told_to_end(&cx, call.cancelling()).await else {
                continue;
            };
            match result.map(|reply| reply.outcome) {
                Ok(Ok(Answer::Handed(messages))) if !messages.is_empty() => {
                    failures = 0;
                    self.receive(&cx, &messages, settled);
                }
                // There was no message all the while.
                Err(CallError::TimedOut) => {}
                _ => {
                    let bound = PAUSE.saturating_mul(1 << failures.min(16)).min(PAUSE_MOST);
                    let pause = Duration::from_nanos(jitter.draw().below(nanos(bound)));
                    failures += 1;
                    self.unless_told_to_end(&cx, cx.sleep(pause)).await;
                }
            }
        }
        self.fetching.set(false);
        self.show_drained();
    }

    /// What it asks for, if it has room, and whether that is acknowledged as it is handed out.
    fn wish(&self) -> Option<(QueueRequest, bool)> {
        let spec = self.spec.borrow();
        let room = spec.prefetch.max(spec.slots).saturating_sub(self.hands.held());
        let settled = spec.delivery == Delivery::AtMostOnce;
        let take = QueueRequest::Take {
            most: room,
            subscriber: self.supplies.subscriber,
            settled,
        };
        (room > 0).then_some((take, settled))
    }

    /// Awaits something, unless it is told to end meanwhile.
    async fn unless_told_to_end<F: Future>(&self, cx: &Cx<System>, wanted: F) -> Option<F::Output> {
        match race(wanted, self.told_to_end.wait(cx)).await {
            Either::First(output) => Some(output),
            Either::Second(()) => None,
        }
    }

    fn receive(self: &Rc<Self>, cx: &Cx<System>, messages: &[Handed], settled: bool) {
        for handed in messages {
            let handed = *handed;
            self.hands.arrive(Held { handed, settled });
        }
        if self.draining.get() {
            cx.spawn(Rc::clone(self).give_back(cx.detached()));
        }
        self.begin_more(cx);
    }

    /// Begins messages as long as slots are free.
    fn begin_more(self: &Rc<Self>, cx: &Cx<System>) {
        let slots = self.spec.borrow().slots;
        while let Some(held) = self.hands.begin(cx.now(), slots) {
            let own = cx.detached().under(held.handed.message.request);
            cx.spawn(Rc::clone(self).handle(own, held));
        }
    }

    /// Sees a message through.
    async fn handle(self: Rc<Self>, cx: Cx<System>, held: Held) {
        let end = match race(self.attempt(&cx, &held.handed), self.time_is_up.wait(&cx)).await {
            Either::First(end) => end,
            Either::Second(()) => End::Unfinished,
        };
        self.ended.set(self.ended.get() + 1);
        self.settle(&cx, &held, end).await;
        self.hands.end(cx.now());
        self.hands.let_go(held.handed.job);
        self.begin_more(&cx);
        self.room.raise(&cx);
        self.show_drained();
    }

    /// Tells the queue what became of a message. If the queue does not hear it, it hands the message out again.
    async fn tell(&self, cx: &Cx<System>, request: QueueRequest) {
        let queue = &self.supplies.queue;
        // Whatever the answer is, there is nothing more to be done.
        queue.caller.call(cx, queue.to, Request::Queue(request), true).await;
    }

    // The end.

    /// Ends: takes nothing more, gives back what has not begun, and a while later what is still in progress. What was acknowledged as it was
    /// handed out cannot be given back: it is worked off, and what is not done in time is lost.
    async fn drain(self: Rc<Self>, cx: Cx<System>) {
        let until = cx.now() + self.spec.borrow().drain.saturating_sub(LAST_WORDS);
        let resumed = self.resumed.get();
        cx.spawn(Rc::clone(&self).give_back(cx.detached()));
        cx.sleep_until(until).await;
        if self.resumed.get() != resumed {
            return;
        }
        self.hands.drop_waiting();
        self.time_is_up.raise(&cx);
        self.show_drained();
    }

    /// It is not to end after all: it takes again. What it has given back it may be handed again.
    fn resume(self: &Rc<Self>, cx: &Cx<System>) {
        if !self.draining.replace(false) {
            return;
        }
        self.resumed.set(self.resumed.get() + 1);
        self.probe.drained.set(false);
        // Who has not even stopped goes on.
        if !self.fetching.get() {
            cx.spawn(Rc::clone(self).fetch(cx.detached()));
        }
    }

    /// Gives back what has not begun.
    async fn give_back(self: Rc<Self>, cx: Cx<System>) {
        let untried = self.hands.take_returnable();
        for some in untried.chunks(RETURNS_AT_ONCE) {
            join_all(some.iter().map(|held| self.give_one_back(&cx, held))).await;
        }
        self.show_drained();
    }

    async fn give_one_back(&self, cx: &Cx<System>, held: &Held) {
        let own = cx.under(held.handed.message.request);
        self.settle(&own, held, End::Unfinished).await;
        self.hands.let_go(held.handed.job);
    }

    fn show_drained(&self) {
        if self.draining.get() && !self.fetching.get() && self.hands.held() == 0 {
            self.probe.drained.set(true);
        }
    }
}

impl Software<System> for Consumer {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).fetch(cx.detached()));
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        match request {
            Request::Drain => {
                if !self.draining.replace(true) {
                    self.told_to_end.raise(&cx);
                    cx.spawn(Rc::clone(&self).drain(cx.detached()));
                }
            }
            Request::Resume => self.resume(&cx),
            Request::Retune => {
                self.supplies.queue.caller.retune(&cx);
                self.supplies.database.iter().for_each(|router| router.retune(&cx));
                self.begin_more(&cx);
                self.room.raise(&cx);
            }
            Request::Leads { shard, term } => {
                if let Some(router) = &self.supplies.database {
                    router.hear(shard, cx.from(), term);
                }
            }
            Request::Measure => {
                return Reply::answer(Answer::Load {
                    busy: self.hands.busy_nanos(cx.now()),
                    cores: self.spec.borrow().slots,
                    requests: self.ended.get(),
                });
            }
            _ => cx.work(CHECK_NANOS).await,
        }
        Reply::answer(Answer::Fine)
    }
}

#[cfg(test)]
mod tests;
