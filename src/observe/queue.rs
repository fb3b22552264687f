//! What queues, workers and those who publish show of themselves, and how it stands in a frame.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Weak;
use std::time::Duration;

use crate::protocol::JobId;
use crate::sim::SimTime;

/// Counts of a queue since the start. They outlive the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueTally {
    /// Messages taken in and confirmed, copies and those that came back from a dead-letter queue among them.
    pub published: u64,
    /// Those of them that were copies: of a message that was here already.
    pub copies: u64,
    /// Messages turned away since there was no room.
    pub refused: u64,
    /// Messages handed out. In a log, to each subscriber.
    pub delivered: u64,
    /// Those of them that had been handed out before.
    pub redelivered: u64,
    /// Messages acknowledged, those that were acknowledged as they were handed out among them.
    pub acknowledged: u64,
    /// Attempts that a worker said had failed.
    pub rejected: u64,
    /// Messages that a worker gave back without having tried.
    pub returned: u64,
    /// Messages that nobody acknowledged in time.
    pub timed_out: u64,
    /// Acknowledgements that came too late: the message had been handed out again, or was gone.
    pub late: u64,
    /// Messages that were dead: handed to the dead-letter queue.
    pub buried: u64,
    /// Messages that were dead, and thrown away.
    pub discarded: u64,
    /// Messages whose retention was over, or that made room in a full log, before they were done.
    pub expired: u64,
    /// Messages that somebody threw away.
    pub purged: u64,
    /// Of a dead-letter queue: messages sent back to where they came from.
    pub redriven: u64,
}

impl QueueTally {
    /// What was counted since `before`.
    #[must_use]
    pub fn since(&self, before: &QueueTally) -> QueueTally {
        QueueTally {
            published: self.published - before.published,
            copies: self.copies - before.copies,
            refused: self.refused - before.refused,
            delivered: self.delivered - before.delivered,
            redelivered: self.redelivered - before.redelivered,
            acknowledged: self.acknowledged - before.acknowledged,
            rejected: self.rejected - before.rejected,
            returned: self.returned - before.returned,
            timed_out: self.timed_out - before.timed_out,
            late: self.late - before.late,
            buried: self.buried - before.buried,
            discarded: self.discarded - before.discarded,
            expired: self.expired - before.expired,
            purged: self.purged - before.purged,
            redriven: self.redriven - before.redriven,
        }
    }
}

/// Looks into a queue that runs.
pub trait Peek {
    /// The messages that wait, the first to be handed out first; at most so many.
    fn first(&self, most: usize) -> Vec<Waiting>;

    /// Of a log: its subscribers, by the number of their service.
    fn subscribers(&self) -> Vec<SubscriberState>;
}

/// A message that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The row that it is about.
    pub key: u64,
    /// When it was published.
    pub published: SimTime,
    /// How often it was handed out.
    pub attempts: u32,
    /// It is known to kill whoever works on it.
    pub poison: bool,
}

/// A subscriber of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriberState {
    /// The index of its service.
    pub service: u32,
    /// Messages that it has not been handed yet, and those that are to be handed to it again.
    pub waiting: u64,
    /// Messages that are handed to it and not acknowledged.
    pub in_flight: u64,
    /// When the oldest message that waits for it was published.
    pub oldest: Option<SimTime>,
}

/// What a queue shows.
#[derive(Default)]
pub struct QueueProbe {
    /// Its counts.
    pub tally: Cell<QueueTally>,
    /// Messages that wait to be handed out: those that are due, and those whose time has not come. Of a log, those of the slowest subscriber.
    pub waiting: Cell<u64>,
    /// Those of them whose time has not come: delayed, or after a failure.
    pub delayed: Cell<u64>,
    /// Messages handed out and not acknowledged. Of a log, of all subscribers.
    pub in_flight: Cell<u64>,
    /// Messages that it holds, whatever their state.
    pub held: Cell<u64>,
    /// Bytes of them.
    pub bytes: Cell<u64>,
    /// When the oldest message that waits was published.
    pub oldest: Cell<Option<SimTime>>,
    /// Messages that were handed out for the first time, and for how many nanoseconds they had waited, all together. They outlive the process.
    pub waited: Cell<(u64, u128)>,
    /// A look into it, while it runs.
    pub peek: RefCell<Option<Weak<dyn Peek>>>,
}

impl QueueProbe {
    /// A message is handed out for the first time, which has waited for so long.
    pub fn wait(&self, waited: Duration) {
        let (count, nanos) = self.waited.get();
        self.waited.set((count + 1, nanos + waited.as_nanos()));
    }

    /// Changes the counts.
    pub fn count(&self, change: impl FnOnce(&mut QueueTally)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }
}

impl std::fmt::Debug for QueueProbe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueueProbe")
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

/// Counts of a worker since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerTally {
    /// Messages done.
    pub done: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Times that its process died of a message.
    pub crashed: u64,
    /// Messages given back untried, or unfinished.
    pub returned: u64,
}

/// What a worker shows. The counts outlive the process.
#[derive(Debug, Default)]
pub struct WorkerProbe {
    /// Its counts.
    pub tally: Cell<WorkerTally>,
    /// Messages in progress.
    pub busy: Cell<u32>,
    /// Messages that it holds, those in progress among them. Empty when a process starts.
    pub held: RefCell<BTreeSet<JobId>>,
    /// Messages done by kind, in the order of the kinds.
    pub by_kind: RefCell<Vec<u64>>,
    /// It takes nothing more, and holds nothing.
    pub drained: Cell<bool>,
}

impl WorkerProbe {
    /// Changes the counts.
    pub fn count(&self, change: impl FnOnce(&mut WorkerTally)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }
}

/// Counts of whoever publishes, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublishTally {
    /// Messages that the queue confirmed before the user was answered.
    pub confirmed: u64,
    /// Messages that were sent without waiting for a confirmation.
    pub unconfirmed: u64,
    /// Messages that were put into the outbox.
    pub kept: u64,
    /// Those of them that the queue has confirmed since.
    pub sent_later: u64,
    /// Messages thrown away, though the user was told that all is well.
    pub dropped: u64,
    /// Uploads that failed since the message could not be published.
    pub refused: u64,
}

/// What whoever publishes shows.
#[derive(Debug, Default)]
pub struct PublishProbe {
    /// Its counts. They outlive the process.
    pub tally: Cell<PublishTally>,
    /// Messages in its outbox.
    pub outbox: Cell<u64>,
    /// Requests that are blocked.
    pub blocked: Cell<u64>,
}

impl PublishProbe {
    /// Changes the counts.
    pub fn count(&self, change: impl FnOnce(&mut PublishTally)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }
}

/// What became of the jobs of a queue, its dead-letter queue included: what users were told, compared with what was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobTally {
    /// Jobs accepted: their users were told that they will be done, or the queue confirmed them. In a log, for each subscriber.
    pub accepted: u64,
    /// Jobs done: their effect has happened.
    pub done: u64,
    /// Effects beyond the first of their job.
    pub duplicated: u64,
    /// Times that a job was done again without another effect, since the database knew its key.
    pub absorbed: u64,
    /// Jobs that are dead: they wait in the dead-letter queue, or were thrown away after all their attempts.
    pub dead: u64,
    /// Jobs that nobody holds any more, though they were accepted and not done: lost with a process or a machine, or dropped.
    pub lost: u64,
    /// Jobs whose retention was over before they were done, and those that somebody threw away.
    pub expired: u64,
}

impl JobTally {
    /// Jobs that are still to be done.
    pub fn open(&self) -> u64 {
        self.accepted
            .saturating_sub(self.done + self.dead + self.lost + self.expired)
    }
}

/// A queue in a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueState {
    /// Whether it is a log.
    pub log: bool,
    /// Whether messages are on a disk before they are acknowledged.
    pub durable: bool,
    /// The settings in words: `durable, visible again after 30s, 5 attempts, then dead`.
    pub policy: String,
    /// Messages that wait: those that are due, and those whose time has not come. Of a log, those of the slowest subscriber.
    pub waiting: u64,
    /// Those of them whose time has not come.
    pub delayed: u64,
    /// Messages handed out and not acknowledged.
    pub in_flight: u64,
    /// Messages that it holds, whatever their state, and for how many it has room.
    pub held: u64,
    /// Messages that it has room for.
    pub room: u64,
    /// Bytes that it holds, and for how many it has room.
    pub bytes: u64,
    /// Bytes that it has room for.
    pub room_bytes: u64,
    /// How long ago the oldest message that waits was published.
    pub oldest: Option<Duration>,
    /// How long the messages waited that were handed out since the start, until they were for the first time, in the mean.
    pub mean_wait: Duration,
    /// Counts since the start.
    pub total: QueueTally,
    /// Counts of the last second.
    pub second: QueueTally,
    /// Messages published a second, over the last 10 s.
    pub rate_in: f64,
    /// Messages that left a second, over the last 10 s: acknowledged, dead, expired or thrown away.
    pub rate_out: f64,
    /// Until it is empty at the present rates, if more leaves than comes and something waits.
    pub drained_in: Option<Duration>,
    /// Until it is full at the present rates, if more comes than leaves.
    pub full_in: Option<Duration>,
    /// Messages that waited at the end of each of the last 60 s, the oldest first.
    pub trend: Vec<f32>,
    /// What became of the jobs.
    pub jobs: JobTally,
    /// The first messages that wait; at most 8.
    pub first: Vec<Waiting>,
    /// Of a log: its subscribers.
    pub subscribers: Vec<SubscriberState>,
    /// The service that is its dead-letter queue.
    pub dead_letter: Option<usize>,
    /// Of a dead-letter queue: the services whose dead messages it holds.
    pub dead_of: Vec<usize>,
}

/// Workers in a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkersState {
    /// The service that is their queue.
    pub of: usize,
    /// The settings in words: `at least once, 4 at once, prefetch 8`.
    pub policy: String,
    /// Messages in progress now, and how many could be.
    pub busy: u32,
    /// Messages that could be in progress on the machines that are up.
    pub slots: u32,
    /// Messages that they hold, those in progress among them.
    pub held: u64,
    /// Counts since the start.
    pub total: WorkerTally,
    /// Messages done a second, over the last second.
    pub rate: f64,
    /// Messages done since the start, by kind.
    pub by_kind: Vec<(String, u64)>,
}

/// Whoever publishes, in a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PublisherState {
    /// The service that is the queue.
    pub to: usize,
    /// The settings in words: `confirmed, else kept in an outbox of 1,000`.
    pub policy: String,
    /// Counts since the start.
    pub total: PublishTally,
    /// Messages in the outboxes of all machines.
    pub outbox: u64,
    /// Messages that all outboxes have room for; 0 without.
    pub room: u64,
    /// Requests that are blocked now.
    pub blocked: u64,
}
