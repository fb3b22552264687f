//! A queue in the file.

use std::time::Duration;

use serde::Deserialize;

use super::placement;
use super::policies::RawCalls;
use super::values::{RawDistribution, constant};
use crate::layout::bytes::Bytes;
use crate::layout::policies::Calls;
use crate::layout::queueing::{Queue, Style};
use crate::layout::source::{Path, Problem};
use crate::layout::{bounds, check, duration};

#[derive(Deserialize)]
#[serde(rename = "Queue", default, deny_unknown_fields)]
pub(super) struct RawQueue {
    on: Option<String>,
    size: Option<String>,
    slots: u32,
    backlog: u32,
    work: RawDistribution,
    style: Style,
    messages: u64,
    bytes: Bytes,
    durable: bool,
    #[serde(with = "duration")]
    flush: Duration,
    #[serde(with = "duration::option")]
    retention: Option<Duration>,
    #[serde(with = "duration")]
    visibility: Duration,
    attempts: Option<u32>,
    dead_letter: Option<String>,
    #[serde(with = "duration")]
    backoff: Duration,
    #[serde(with = "duration")]
    backoff_most: Duration,
    #[serde(with = "duration")]
    delay: Duration,
    calls: RawCalls,
    #[serde(with = "duration")]
    boot: Duration,
}

impl Default for RawQueue {
    fn default() -> Self {
        RawQueue {
            on: None,
            size: None,
            slots: 256,
            backlog: 10_000,
            work: constant(20),
            style: Style::Work,
            messages: 100_000,
            bytes: Bytes(10_000_000_000),
            durable: true,
            flush: Duration::from_millis(1),
            retention: None,
            visibility: Duration::from_secs(30),
            attempts: None,
            dead_letter: None,
            backoff: Duration::from_secs(1),
            backoff_most: Duration::from_secs(300),
            delay: Duration::ZERO,
            calls: RawCalls::default(),
            boot: Duration::from_secs(5),
        }
    }
}

/// How long a log keeps a message (Kafka, `log.retention.hours` 168).
const LOG_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often a message is handed out before it is dead, where dead messages go somewhere.
const ATTEMPTS: u32 = 5;

impl RawQueue {
    pub fn model(self, path: &Path) -> Result<Queue, Problem> {
        let size = placement(path, self.on.as_ref(), self.size, "m", None)?;
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::whole(&path.at("backlog"), self.backlog, 0..=check::MOST_SLOTS)?;
        let work = self.work.into();
        check::distribution(&path.at("work"), work)?;
        check::whole(&path.at("messages"), self.messages, bounds::MESSAGES)?;
        check::whole(&path.at("bytes"), self.bytes.0, 1..=u64::MAX)?;
        check::time(&path.at("flush"), self.flush, Duration::ZERO..=Duration::from_secs(60))?;
        if let Some(retention) = self.retention {
            check::interval(&path.at("retention"), retention)?;
        }
        check::interval(&path.at("visibility"), self.visibility)?;
        if let Some(attempts) = self.attempts {
            check::whole(&path.at("attempts"), attempts, bounds::ATTEMPTS)?;
        }
        check::span(&path.at("backoff"), self.backoff)?;
        check::span(&path.at("backoff_most"), self.backoff_most)?;
        check::span(&path.at("delay"), self.delay)?;
        check::span(&path.at("boot"), self.boot)?;
        let is_log = self.style == Style::Log;
        Ok(Queue {
            on: self.on,
            size,
            slots: self.slots,
            backlog: self.backlog,
            work,
            style: self.style,
            messages: self.messages,
            bytes: self.bytes.0,
            durable: self.durable,
            flush: self.flush,
            retention: self.retention.or(is_log.then_some(LOG_RETENTION)),
            visibility: self.visibility,
            attempts: self.attempts.or(self.dead_letter.as_ref().map(|_| ATTEMPTS)),
            dead_letter: self.dead_letter,
            backoff: self.backoff,
            backoff_most: self.backoff_most.max(self.backoff),
            delay: self.delay,
            calls: self.calls.model(&path.at("calls"), &Calls::to_queue())?,
            boot: self.boot,
        })
    }
}
