//! Message queues, logs, and the workers that take from them, as data.

use std::time::Duration;

use super::model::{Distribution, Map};
use super::policies::{Autoscaler, Calls};
use super::size::Size;

/// A message queue on a broker of its own, or on a host that several share: messages wait in it until workers have done them.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// The host that it shares with other services, in place of a machine of its own. Queues of one host are the named queues of one broker.
    pub on: Option<String>,
    /// Size of its machine. Default `m`.
    pub size: String,
    /// Requests in progress at once; those of workers that wait for a message take no slot. Default 256.
    pub slots: u32,
    /// Requests that may wait for a slot. Default 10,000.
    pub backlog: u32,
    /// Core time to take a message in, to hand messages out, or to note an acknowledgement. Default constant 0.02 ms (`RabbitMQ`: tens of
    /// thousands of messages a second and core).
    pub work: Distribution,
    /// Whether a message is for one worker, or for every subscriber. Default `Work`.
    pub style: Style,
    /// Messages that it has room for. From 1 to 10 million. Default 100,000. A full queue refuses; a full log forgets its oldest message.
    pub messages: u64,
    /// Bytes that it has room for. At least 1. Default 10 GB.
    pub bytes: u64,
    /// Whether messages are on disk before they are confirmed, and survive a crash. Default true.
    pub durable: bool,
    /// How long it takes until a message, or an acknowledgement, is on disk. From 0 to a minute. Default 1 ms. Many are written at once.
    pub flush: Duration,
    /// How long a message is kept at most. Default none for a queue, and 7 days for a log (Kafka, `log.retention.hours`).
    pub retention: Option<Duration>,
    /// How long a message that was handed out stays invisible to others; who has not acknowledged it by then is taken to have failed. Default 30 s
    /// (Amazon SQS).
    pub visibility: Duration,
    /// How often a message is handed out at most before it is dead. From 1 to 1,000. Default none: without limit; with a dead-letter queue 5.
    pub attempts: Option<u32>,
    /// The queue that dead messages go to, by name. Default none: they are thrown away.
    pub dead_letter: Option<String>,
    /// How long a message waits after its first failure before it is handed out again; doubled with each further one. From 0 to a week. Default 1 s.
    pub backoff: Duration,
    /// The longest of these waits. Default 5 min.
    pub backoff_most: Duration,
    /// How long a new message waits before it can be handed out. From 0 to a week. Default 0 (Amazon SQS: 0 to 15 min).
    pub delay: Duration,
    /// How its messages to the dead-letter queue are treated.
    pub calls: Calls,
    /// From start of the process to serving. Default 5 s.
    pub boot: Duration,
}

/// Who gets a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Style {
    /// One of all workers: they compete. An acknowledged message is gone.
    Work,
    /// One worker of each service of workers: publish and subscribe. Messages stay for as long as `retention` says, and each service has a
    /// cursor of its own.
    Log,
}

/// Workers that take messages from a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    /// The queue, by name.
    pub of: String,
    /// Number of machines at the start. From 0 (only with an autoscaler) to 100,000. Default 1, or the autoscaler's `min`.
    pub machines: u32,
    /// The host that it shares with other services, in place of machines of its own.
    pub on: Option<String>,
    /// Size of its machines. Default `m`.
    pub size: String,
    /// Messages in progress at once on each machine. Default 4.
    pub slots: u32,
    /// Messages that a machine holds at once, those in progress among them. From `slots` to 10,000. Default as many as slots.
    pub prefetch: u32,
    /// Core time of a message. Default exponential 100 ms. Not together with `jobs`.
    pub work: Distribution,
    /// Kinds of messages by name, each with its share and its work. Default none: all are alike.
    pub jobs: Map<Job>,
    /// When a message is acknowledged, and whether its effect is done only once. Default `AtLeastOnce`.
    pub delivery: Delivery,
    /// Share of the attempts that fail. From 0 to 1. Default 0.
    pub fails: f64,
    /// Share of the messages that kill the process of whoever works on them, each time. From 0 to 1. Default 0.
    pub poison: f64,
    /// The database that the result of a message is written to, by name. Default none.
    pub database: Option<String>,
    /// How it treats the queue and the database, by name. One entry for each; what the file does not name has the defaults of
    /// [`Calls::to_service`], and without a breaker towards the queue.
    pub calls: Map<Calls>,
    /// How long a machine that is taken out may take to end what is in progress. What is not done by then goes back. Default 30 s.
    pub drain: Duration,
    /// Adds and removes machines by what waits. Default none.
    pub scale: Option<Autoscaler>,
    /// From start of a process to taking messages. Default 5 s. A process that dies by itself is started again at once.
    pub boot: Duration,
}

/// A kind of message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// Its share among all kinds, relative to theirs. Above 0, at most a million. Default 1.
    pub share: f64,
    /// Core time of a message of this kind.
    pub work: Distribution,
}

/// How often the effect of a message happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Delivery {
    /// At most once: a message is gone from the queue when it is handed out. What a worker held when it died is lost.
    AtMostOnce,
    /// At least once: a message is acknowledged when it is done. What is handed out again may be done twice.
    AtLeastOnce,
    /// At least once, and the result carries the message's key: a database that remembers it writes it once. The database remembers the keys
    /// of its last 65,536 writes that have one.
    EffectivelyOnce,
}

/// What a web server does with a message that the queue does not confirm: since it is full, or does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Fallback {
    /// The user is told that it failed.
    Refuse,
    /// The user is told that all is well, and the message is thrown away.
    Drop,
    /// It tries again and again, and the user waits.
    Block {
        /// How long at most; then the user is told that it failed. Above 0, at most a week. Default 5 s.
        #[serde(with = "crate::layout::duration", default = "longest_block")]
        longest: Duration,
    },
    /// It keeps the message in its memory and sends it later; the user is told that all is well. When it is full the user is told that it failed.
    Outbox {
        /// Messages that it has room for, on each machine. From 1 to a million. Default 1,000.
        #[serde(default = "outbox_room")]
        messages: u32,
    },
}

/// How long a request is blocked at most, if nothing else is said.
pub(crate) fn longest_block() -> Duration {
    Duration::from_secs(5)
}

/// What an outbox has room for, if nothing else is said.
pub(crate) fn outbox_room() -> u32 {
    1_000
}

/// How web servers publish what users upload.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// The queue, by name.
    pub to: String,
    /// Whether the user's answer waits until the queue has confirmed the message. Default true.
    pub confirm: bool,
    /// What becomes of a message that is not confirmed. Default `Refuse`.
    pub fallback: Fallback,
}

impl Consumer {
    /// Cores that work on messages at once on all its machines of the start: no more than it has slots.
    pub(super) fn power(&self) -> f64 {
        let cores = Size::named(&self.size).map_or(1, |size| size.cores);
        f64::from(self.machines * self.slots.min(cores))
    }

    /// The mean core time of a message in seconds.
    pub fn mean_work(&self) -> f64 {
        let total: f64 = self.jobs.values().map(|job| job.share).sum();
        if total > 0.0 {
            self.jobs.values().map(|job| job.share * job.work.mean()).sum::<f64>() / total
        } else {
            self.work.mean()
        }
    }
}
