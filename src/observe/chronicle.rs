//! The chronicle: what the events of a run add up to. Causes, incidents, the log, a sample for each second, the ledger.

use std::collections::{BTreeMap, VecDeque};

use crate::protocol::Reason;
use crate::sim::{InstanceId, SimTime};

use super::event::{Circuit, Event};
use super::frame::{LogLine, Sample, Severity, Tally};
use super::incident::Incidents;
use super::latency::RECENT_SECONDS;
use super::ledger::Ledger;

/// How many log lines are kept.
const LINES: usize = 500;
/// How many seconds are kept.
const SECONDS: usize = 240;

/// Counts of one cause.
#[derive(Debug, Default)]
pub struct CauseCount {
    /// Since the start.
    pub total: u64,
    /// In the second that runs.
    second: u64,
    seconds: VecDeque<u64>,
}

impl CauseCount {
    /// Over the last seconds.
    pub fn recent(&self) -> u64 {
        self.second + self.seconds.iter().sum::<u64>()
    }
}

/// What the events of a run add up to.
#[derive(Debug, Default)]
pub struct Chronicle {
    /// Failures and retries by cause.
    pub causes: BTreeMap<(Reason, InstanceId), CauseCount>,
    /// Faults and what came of them.
    pub incidents: Incidents,
    /// Events in words, the oldest first.
    pub log: VecDeque<LogLine>,
    /// Events in words since the start.
    pub log_total: u64,
    /// One sample for each second.
    pub history: VecDeque<Sample>,
    /// Acknowledged writes.
    pub ledger: Ledger,
    /// Requests that were tried again since the start.
    pub retried: u64,
}

impl Chronicle {
    /// Takes an event in; `name` gives the selector of an instance.
    pub fn follow(&mut self, at: SimTime, from: InstanceId, event: &Event, name: impl Fn(InstanceId) -> String) {
        self.incidents.follow(at, event, || name(from));
        match *event {
            Event::Failed { reason, at: place } => self.count_cause(reason, place),
            Event::Retried { reason, at: place } => {
                self.retried += 1;
                self.count_cause(reason, place);
            }
            Event::Acknowledged { key, version, by } => self.ledger.acknowledge(by, key, version),
            Event::TakenOut {
                backend,
                failed,
                reason,
            } => {
                let why = match failed {
                    1 => format!("a check {reason}"),
                    _ => format!("{failed} checks in a row {reason}"),
                };
                self.say(
                    at,
                    Severity::Warning,
                    format!("{} took {} out: {why}", name(from), name(backend)),
                );
            }
            Event::TakenIn { backend, passed } => {
                let checks = if passed == 1 { "check" } else { "checks" };
                self.say(
                    at,
                    Severity::Good,
                    format!("{} took {} in: {passed} {checks} passed", name(from), name(backend)),
                );
            }
            Event::Ejected {
                backend,
                failed,
                reason,
                until,
            } => {
                let (who, server, rest) = (name(from), name(backend), (until - at).as_secs_f64());
                let text = format!("{who} ejected {server} for {rest:.0}s: {failed} requests in a row {reason}");
                self.say(at, Severity::Warning, text);
            }
            Event::Returned { backend } => {
                let text = format!("{} tries {} again", name(from), name(backend));
                self.say(at, Severity::Good, text);
            }
            Event::TookOver { .. } => {
                let text = format!("{} took the address over", name(from));
                self.say(at, Severity::Warning, text);
            }
            Event::Breaker { to, state } => {
                let (who, callee) = (name(from), name(to));
                let (severity, text) = match state {
                    Circuit::Open => (
                        Severity::Warning,
                        format!("{who} stopped calling {callee}: its breaker opened"),
                    ),
                    Circuit::HalfOpen => (
                        Severity::Info,
                        format!("{who} tries {callee} again: its breaker is half open"),
                    ),
                    Circuit::Closed => (
                        Severity::Good,
                        format!("{who} calls {callee} again: its breaker closed"),
                    ),
                };
                self.say(at, severity, text);
            }
            // Counted by the incidents; and a decision is told when it is carried out.
            Event::SignedOut { .. } | Event::Scaled(_) => {}
        }
    }

    fn count_cause(&mut self, reason: Reason, place: InstanceId) {
        let count = self.causes.entry((reason, place)).or_default();
        count.total += 1;
        count.second += 1;
    }

    /// Adds a line to the log.
    pub fn say(&mut self, at: SimTime, severity: Severity, text: impl Into<String>) {
        if self.log.len() == LINES {
            self.log.pop_front();
        }
        self.log_total += 1;
        self.log.push_back(LogLine {
            at,
            severity,
            text: text.into(),
        });
    }

    /// Ends a second with its sample.
    pub fn end_second(&mut self, sample: Sample) {
        if self.history.len() == SECONDS {
            self.history.pop_front();
        }
        self.history.push_back(sample);
        for count in self.causes.values_mut() {
            count.seconds.push_back(std::mem::take(&mut count.second));
            if count.seconds.len() >= RECENT_SECONDS {
                count.seconds.pop_front();
            }
        }
    }

    /// The tally of the last whole seconds that are recent.
    pub fn recent(&self) -> (Tally, usize) {
        let mut sum = Tally::default();
        let seconds = self.history.iter().rev().take(RECENT_SECONDS - 1);
        let count = seconds.len();
        for sample in seconds {
            sum.sent += sample.tally.sent;
            sum.ok += sample.tally.ok;
            sum.failed += sample.tally.failed;
            sum.retried += sample.tally.retried;
        }
        (sum, count)
    }

    /// Whether users were answered well in each of the last seconds: nothing failed, and about as much was answered as was asked.
    pub fn answered_of_late(&self) -> bool {
        let mut seconds = self.history.iter().rev().take(3).map(|sample| sample.tally);
        self.history.len() >= 3 && seconds.all(|tally| tally.failed == 0 && tally.ok * 10 >= tally.sent * 9)
    }
}
