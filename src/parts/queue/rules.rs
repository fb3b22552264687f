//! The settings of a queue, as far as its store needs them.

use std::time::Duration;

use crate::layout::{self, Style};
use crate::sim::{SimTime, nanos};

/// What a store goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// Every subscriber gets every message, and messages stay.
    pub log: bool,
    /// Messages that there is room for.
    pub messages: u64,
    /// Bytes that there is room for.
    pub bytes: u64,
    /// How long a message is kept at most.
    pub retention: Option<Duration>,
    /// How long a message that was handed out stays invisible.
    pub visibility: Duration,
    /// Attempts that may fail before a message is dead.
    pub attempts: Option<u32>,
    /// Dead messages go to another queue; else they are thrown away.
    pub buries: bool,
    /// How long a new message waits before it can be handed out.
    pub delay: Duration,
    backoff: Duration,
    backoff_most: Duration,
}

impl Rules {
    /// From the settings.
    pub fn new(spec: &layout::Queue, buries: bool) -> Rules {
        Rules {
            log: spec.style == Style::Log,
            messages: spec.messages,
            bytes: spec.bytes,
            retention: spec.retention,
            visibility: spec.visibility,
            attempts: spec.attempts,
            buries,
            delay: spec.delay,
            backoff: spec.backoff,
            backoff_most: spec.backoff_most,
        }
    }

    /// How long a message waits that has failed so often: doubled with each failure after the first, up to a bound.
    pub fn pause(&self, failed: u32) -> Duration {
        let factor = 1_u64.checked_shl(failed.saturating_sub(1)).unwrap_or(u64::MAX);
        let pause = nanos(self.backoff).saturating_mul(factor);
        Duration::from_nanos(pause.min(nanos(self.backoff_most)))
    }

    /// Whether the time of a message is over.
    pub fn is_over(&self, published: SimTime, now: SimTime) -> bool {
        self.retention.is_some_and(|retention| published + retention <= now)
    }
}
