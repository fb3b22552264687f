//! Publishing messages: with a confirmation or without, and what becomes of those that the queue does not confirm.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{Fallback, Publish};
use crate::observe::{Event, PublishProbe, System};
use crate::protocol::{Failure, Http, JobId, Message, QueueRequest, Reason, Reply, Request};
use crate::sim::{Cx, Signal, Stream, join_all, nanos};

use super::caller::Deadline;
use super::pages::Callee;

/// How long a blocked request pauses before it is tried again at first; doubled each time.
const BLOCK_PAUSE: Duration = Duration::from_millis(100);
/// The longest of these pauses.
const BLOCK_PAUSE_MOST: Duration = Duration::from_secs(1);
/// How long an outbox pauses at most at first when the queue has failed; doubled each time (full jitter, AWS Architecture Blog 2015).
const OUTBOX_PAUSE: Duration = Duration::from_millis(250);
/// The longest of these pauses.
const OUTBOX_PAUSE_MOST: Duration = Duration::from_secs(5);
/// Messages of an outbox on their way at once while the queue takes them; while it fails there is one, to find out.
const AT_ONCE: usize = 16;

/// Publishes what users upload.
pub struct Publisher {
    /// The settings. They are changed between two windows.
    settings: Rc<RefCell<Publish>>,
    queue: Callee,
    /// Messages that the queue has not confirmed and that are sent later, the oldest first; those on their way stay at its head. `Publish`
    /// bounds it.
    outbox: RefCell<VecDeque<Message>>,
    /// Something has been put into the empty outbox.
    filled: Signal,
    /// How the queue failed last.
    failure: Cell<Option<Failure>>,
    /// It does without the queue, since that does not confirm.
    without: Cell<bool>,
    probe: Rc<PublishProbe>,
}

impl Publisher {
    /// A publisher with an empty outbox.
    pub fn new(settings: Rc<RefCell<Publish>>, queue: Callee, probe: Rc<PublishProbe>) -> Publisher {
        probe.outbox.set(0);
        probe.blocked.set(0);
        Publisher {
            settings,
            queue,
            outbox: RefCell::default(),
            filled: Signal::default(),
            failure: Cell::default(),
            without: Cell::new(false),
            probe,
        }
    }

    /// Settings have changed.
    pub fn retune(&self, cx: &Cx<System>) {
        self.queue.caller.retune(cx);
    }

    /// Sends what is in the outbox, for as long as the process lives: in its order, so many at once, and again after a pause while the queue
    /// fails.
    pub async fn send_later(self: Rc<Self>, cx: Cx<System>) {
        let mut jitter = cx.stream("outbox");
        let mut failures = 0;
        loop {
            if self.outbox.borrow().is_empty() {
                self.filled.wait(&cx).await;
                // The first one came here since the queue had failed.
                failures = 1;
                cx.sleep(outbox_pause(0, &mut jitter)).await;
            }
            let most = if failures == 0 { AT_ONCE } else { 1 };
            let first: Vec<Message> = self.outbox.borrow().iter().take(most).copied().collect();
            let sent = join_all(first.iter().map(|message| self.send_again(&cx, *message))).await;
            self.clear(&first, &sent);
            if sent.contains(&false) {
                cx.sleep(outbox_pause(failures, &mut jitter)).await;
                failures += 1;
            } else {
                failures = 0;
            }
        }
    }

    /// Publishes an upload; tells how often it was tried again. A blocked request ends early when no try could begin in time any more.
    ///
    /// # Errors
    ///
    /// The failure that the user is to be told: how the queue failed, if what is to be done then is to refuse, or there is no time or no room
    /// for anything else.
    pub async fn publish(&self, cx: &Cx<System>, http: &Http) -> Result<u8, Reply> {
        let message = Message {
            request: cx.request(),
            key: http.key,
            bytes: http.row,
            user: http.user,
            poison: false,
        };
        let (confirm, fallback) = {
            let settings = self.settings.borrow();
            (settings.confirm, settings.fallback)
        };
        if !confirm {
            cx.cast(self.queue.to, Request::Queue(QueueRequest::Publish(message)));
            self.probe.count(|tally| tally.unconfirmed += 1);
            let job = JobId(message.request);
            cx.emit(Event::JobPromised { job, held: false });
            return Ok(0);
        }
        if let Fallback::Outbox { messages } = fallback
            && !self.outbox.borrow().is_empty()
        {
            // It goes behind those that wait, so that it overtakes nobody.
            let reply = Reply {
                outcome: Err(self.last_failure()),
                retries: 0,
            };
            return self.keep(cx, message, messages, reply);
        }
        let deadline = match fallback {
            Fallback::Block { longest } => Some(Deadline {
                began: cx.now(),
                patience: longest,
            }),
            _ => None,
        };
        let mut reply = self.send(cx, message, deadline).await;
        if let (Err(_), Some(deadline)) = (&reply.outcome, deadline) {
            reply = self.insist(cx, message, deadline, reply).await;
        }
        if reply.outcome.is_ok() {
            self.probe.count(|tally| tally.confirmed += 1);
            return Ok(reply.retries);
        }
        match fallback {
            Fallback::Refuse | Fallback::Block { .. } => Err(self.refuse(reply)),
            Fallback::Drop => {
                self.do_without(cx);
                self.probe.count(|tally| tally.dropped += 1);
                let job = JobId(message.request);
                cx.emit(Event::JobDropped { job });
                Ok(reply.retries)
            }
            Fallback::Outbox { messages } => {
                self.do_without(cx);
                self.keep(cx, message, messages, reply)
            }
        }
    }

    /// The queue does not confirm: it goes on without, and says so once.
    fn do_without(&self, cx: &Cx<System>) {
        if !self.without.replace(true) {
            let Failure { reason, .. } = self.last_failure();
            cx.emit(Event::NodeAvoided {
                node: self.queue.to,
                reason,
                primary: false,
            });
        }
    }

    /// One call to the queue, with the retries that its settings allow.
    async fn send(&self, cx: &Cx<System>, message: Message, deadline: Option<Deadline>) -> Reply {
        let (to, request) = (self.queue.to, Request::Queue(QueueRequest::Publish(message)));
        // Copies are known by their request, so it may be repeated.
        let caller = &self.queue.caller;
        let reply = caller.call_to(cx, |_| to, &request, true, deadline).await;
        match reply.outcome {
            Err(failure) => self.failure.set(Some(failure)),
            Ok(_) => {
                if self.without.replace(false) {
                    cx.emit(Event::NodeUsed { node: to });
                }
            }
        }
        reply
    }

    /// Tries again until the queue has confirmed, or no try could begin before the deadline.
    async fn insist(&self, cx: &Cx<System>, message: Message, deadline: Deadline, mut reply: Reply) -> Reply {
        let _blocked = Blocked::new(&self.probe);
        let mut pause = BLOCK_PAUSE;
        while reply.outcome.is_err() && cx.now() + pause < deadline.at() {
            cx.sleep(pause).await;
            let again = self.send(cx, message, Some(deadline)).await;
            let tries = again.retries.saturating_add(1);
            reply = Reply {
                retries: reply.retries.saturating_add(tries),
                ..again
            };
            pause = (pause * 2).min(BLOCK_PAUSE_MOST);
        }
        reply
    }

    /// Puts a message into the outbox, if there is room; else the user gets this reply.
    fn keep(&self, cx: &Cx<System>, message: Message, room: u32, reply: Reply) -> Result<u8, Reply> {
        let mut outbox = self.outbox.borrow_mut();
        if outbox.len() >= room as usize {
            return Err(self.refuse(reply));
        }
        if outbox.is_empty() {
            self.filled.raise(cx);
        }
        outbox.push_back(message);
        self.probe.outbox.set(outbox.len() as u64);
        self.probe.count(|tally| tally.kept += 1);
        let job = JobId(message.request);
        cx.emit(Event::JobPromised { job, held: true });
        Ok(reply.retries)
    }

    fn refuse(&self, reply: Reply) -> Reply {
        self.probe.count(|tally| tally.refused += 1);
        reply
    }

    /// Why what is in the outbox is not in the queue.
    fn last_failure(&self) -> Failure {
        self.failure.get().unwrap_or(Failure {
            reason: Reason::QueueFull,
            at: self.queue.to,
        })
    }

    /// Sends a message that is in the outbox; tells whether the queue has confirmed it.
    async fn send_again(&self, cx: &Cx<System>, message: Message) -> bool {
        let own = cx.under(message.request);
        self.send(&own, message, None).await.outcome.is_ok()
    }

    /// Takes those out of the head of the outbox that were sent; the others stay in their order.
    fn clear(&self, first: &[Message], sent: &[bool]) {
        let mut outbox = self.outbox.borrow_mut();
        outbox.drain(..first.len());
        for (message, _) in first.iter().zip(sent).rev().filter(|(_, sent)| !**sent) {
            outbox.push_front(*message);
        }
        self.probe.outbox.set(outbox.len() as u64);
        let sent = sent.iter().filter(|sent| **sent).count() as u64;
        self.probe.count(|tally| tally.sent_later += sent);
    }
}

/// Its outbox is gone with the process.
impl Drop for Publisher {
    fn drop(&mut self) {
        self.probe.outbox.set(0);
    }
}

/// A request that is blocked, shown until it is dropped.
struct Blocked<'a>(&'a PublishProbe);

impl Blocked<'_> {
    fn new(probe: &PublishProbe) -> Blocked<'_> {
        probe.blocked.set(probe.blocked.get() + 1);
        Blocked(probe)
    }
}

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        self.0.blocked.set(self.0.blocked.get() - 1);
    }
}

/// Full jitter: uniform from 0 to a bound that doubles with each failure.
fn outbox_pause(failures: u32, jitter: &mut Stream) -> Duration {
    let bound = OUTBOX_PAUSE
        .saturating_mul(1 << failures.min(16))
        .min(OUTBOX_PAUSE_MOST);
    Duration::from_nanos(jitter.draw().below(nanos(bound)))
}

#[cfg(test)]
mod tests;
