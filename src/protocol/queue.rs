//! What travels between those who publish messages, queues, and workers.

use crate::sim::{InstanceId, SimTime};

use super::Owner;

/// A piece of work that somebody asked for, wherever its message is. Its number is that of the user's request, and for each
/// subscriber of a log another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The user's request that it is part of. Two messages with the same one are copies of each other.
    pub request: u64,
    /// The row that it is about: the photo.
    pub key: u64,
    /// How large it is, in bytes.
    pub bytes: u32,
    /// Who asked for it.
    pub user: Owner,
    /// Somebody made it to kill whoever works on it.
    pub poison: bool,
}

/// A request to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueRequest {
    /// Keep this message. Answered [`Answer::Fine`](super::Answer::Fine) once it is safe.
    Publish(Message),
    /// Keep this message, which is dead for the queue that asks.
    Bury {
        /// The message.
        message: Message,
        /// The job that it is.
        job: JobId,
        /// For which subscriber.
        subscriber: u32,
        /// How often it was handed out.
        attempts: u32,
    },
    /// A message that was dead is to be tried again.
    Restore {
        /// The message.
        message: Message,
        /// The job that it is.
        job: JobId,
        /// For which subscriber.
        subscriber: u32,
    },
    /// Hand out messages: at least one, as soon as there is one. Who asks waits for as long as it likes, and cancels the call.
    Take {
        /// At most so many.
        most: u32,
        /// Of a log: which of its subscribers asks. The number of the service; any for a queue.
        subscriber: u32,
        /// They are acknowledged as they are handed out.
        settled: bool,
    },
    /// A message is done.
    Acknowledge(Receipt),
    /// A message was tried and failed.
    Reject(Receipt),
    /// A message was not tried, or not to the end: its attempt does not count.
    Return(Receipt),
    /// How much is there for this subscriber? Answered [`Answer::Depth`](super::Answer::Depth). The number of the service; any for a queue.
    Measure {
        /// As in `Take`.
        subscriber: u32,
    },
    /// Of a dead-letter queue: send all that is here back to where it came from.
    Redrive,
}

/// Names a message that was handed out, and the time that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its place.
    pub place: u64,
    /// Which time it was: an older receipt of the same message is worth nothing.
    pub attempt: u32,
    /// As in [`QueueRequest::Take`].
    pub subscriber: u32,
}

/// A message that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    /// The message.
    pub message: Message,
    /// The job that it is.
    pub job: JobId,
    /// To be shown when it is done.
    pub receipt: Receipt,
    /// When it was published.
    pub published: SimTime,
}

/// What a queue holds, for autoscalers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that wait and could be handed out, for this subscriber.
    pub waiting: u64,
    /// Messages that are handed out and not acknowledged.
    pub in_flight: u64,
    /// Messages published since the process started.
    pub published: u64,
}

/// Where a job went when its message left a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It was acknowledged.
    Acknowledged,
    /// It was acknowledged as it was handed out, to this worker.
    HandedOver(InstanceId),
    /// Its retention was over, or a full log made room.
    Expired,
    /// It was tried as often as it may be, and thrown away.
    Discarded,
    /// Somebody emptied the queue.
    Purged,
    /// The dead-letter queue has it.
    Buried,
    /// A log has it: from now on there is a job for each subscriber, and this one is none.
    Split,
}

impl QueueRequest {
    /// Some bits of it for the digest.
    pub(super) fn fingerprint(self) -> u64 {
        match self {
            QueueRequest::Publish(message) => message.request.rotate_left(8) ^ message.key ^ 0x21,
            QueueRequest::Bury { job, attempts, .. } => job.0.rotate_left(8) ^ u64::from(attempts) << 8 ^ 0x22,
            QueueRequest::Restore { job, .. } => job.0.rotate_left(8) ^ 0x23,
            QueueRequest::Take { most, subscriber, .. } => u64::from(subscriber) << 40 ^ u64::from(most) << 8 ^ 0x24,
            QueueRequest::Acknowledge(receipt) => receipt.fingerprint() ^ 0x25,
            QueueRequest::Reject(receipt) => receipt.fingerprint() ^ 0x26,
            QueueRequest::Return(receipt) => receipt.fingerprint() ^ 0x27,
            QueueRequest::Redrive => 0x28,
            QueueRequest::Measure { subscriber } => u64::from(subscriber) << 8 ^ 0x29,
        }
    }
}

impl Receipt {
    fn fingerprint(self) -> u64 {
        self.place << 24 ^ u64::from(self.attempt) << 8
    }
}
