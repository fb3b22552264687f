//! The chronicle: what the events of a run add up to. Causes, incidents, the log, a sample for each second, the ledger.

use std::collections::{BTreeMap, VecDeque};

use crate::protocol::{Reason, Stamp};
use crate::sim::{InstanceId, SimTime};

use super::event::{Event, Resolution};
use super::frame::{LogLine, Sample, Severity, Tally};
use super::incident::Incidents;
use super::jobs::Jobs;
use super::latency::RECENT_SECONDS;
use super::ledger::{Held, Ledger};
use super::told::told;

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
    /// What users were told, by the number of the database.
    pub ledgers: BTreeMap<usize, Ledger>,
    /// What became of jobs.
    pub jobs: Jobs,
    /// Requests that were tried again since the start.
    pub retried: u64,
    /// By instance: the database that it is a node of, or that a population writes to.
    databases: Vec<Option<usize>>,
    conflicts: Conflicts,
}

/// Conflicts of the second that runs: they may be many, and are told together.
#[derive(Debug, Default)]
struct Conflicts {
    /// The first node that told of one, with its name.
    first: Option<(InstanceId, String)>,
    /// Others have told of some too.
    others: bool,
    /// By how they were resolved.
    counts: BTreeMap<Resolution, u64>,
}

impl Chronicle {
    /// An instance is a node of a database. Of a population it says which database it writes to: writes of unknown outcome are counted there,
    /// and with the first database if it is not told.
    pub fn belongs(&mut self, instance: InstanceId, database: usize) {
        let place = instance.0 as usize;
        if place >= self.databases.len() {
            self.databases.resize(place + 1, None);
        }
        self.databases[place] = Some(database);
        self.ledgers.entry(database).or_default();
    }

    /// The ledger of the database that an instance belongs to.
    #[inline]
    fn ledger_of(&mut self, instance: InstanceId) -> Option<&mut Ledger> {
        let database = (*self.databases.get(instance.0 as usize)?)?;
        self.ledgers.get_mut(&database)
    }

    /// Keeps no ledger from now on.
    pub fn forget_promises(&mut self) {
        self.ledgers.clear();
    }

    /// Acknowledged writes that no disk holds any more, of all databases.
    pub fn lost(&self) -> u64 {
        self.ledgers.values().map(Ledger::lost).sum()
    }

    /// Compares what users were told of a database with what its disks hold; see [`Ledger::audit`]. What is newly lost counts for the newest
    /// incident, and what is missing for all open ones that hit a node of it. Returns how many writes are newly lost.
    pub fn audit(&mut self, database: usize, look: impl Fn(u64, Stamp) -> Held) -> u64 {
        let Some(ledger) = self.ledgers.get_mut(&database) else {
            return 0;
        };
        let lost = ledger.audit(look);
        self.incidents.lose(lost);
        let database_of = |node: &InstanceId| self.databases.get(node.0 as usize).copied().flatten();
        self.incidents.miss(|hit| {
            let is_hit = |database: usize| hit.iter().any(|node| database_of(node) == Some(database));
            let ledgers = self.ledgers.iter().filter(|(database, _)| is_hit(**database));
            ledgers.map(|(_, ledger)| ledger.missing()).sum()
        });
        lost
    }

    /// Takes an event in; `name` gives the selector of an instance.
    pub fn follow(&mut self, at: SimTime, from: InstanceId, event: &Event, name: impl Fn(InstanceId) -> String) {
        // These are many: nobody but the ledgers hears of them.
        if self.jobs.follow(at, from, event) {
            return;
        }
        match event {
            Event::Acknowledged { by, .. } | Event::Read { by, .. } => {
                if let Some(ledger) = self.ledger_of(*by) {
                    ledger.follow(at, event);
                }
                return;
            }
            Event::Unknown { .. } => {
                let known = self.databases.get(from.0 as usize).is_some_and(Option::is_some);
                let ledger = if known {
                    self.ledger_of(from)
                } else {
                    self.ledgers.values_mut().next()
                };
                if let Some(ledger) = ledger {
                    ledger.follow(at, event);
                }
                return;
            }
            Event::Replayed { .. } | Event::GivenUp { .. } | Event::Resolved { .. } => {
                if let Some(ledger) = self.ledger_of(from) {
                    ledger.follow(at, event);
                }
                if let Event::Resolved { how, .. } = event {
                    self.conflicts.add(from, *how, name);
                }
                return;
            }
            _ => {}
        }
        self.incidents.follow(at, from, event, || name(from));
        match *event {
            Event::Failed { reason, at: place } => self.count_cause(reason, place),
            Event::Retried { reason, at: place, .. } => {
                self.retried += 1;
                self.count_cause(reason, place);
            }
            _ => {
                if let Some((severity, text)) = told(at, from, event, name) {
                    self.say(at, severity, text);
                }
            }
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

    /// Says who did what the first line tells that came after so many of all.
    pub fn credit(&mut self, total: u64, who: &str) {
        let news = (self.log_total - total).min(self.log.len() as u64) as usize;
        let first = self.log.len() - news;
        if let Some(line) = self.log.get_mut(first) {
            line.text.insert_str(0, &format!("{who}: "));
        }
    }

    /// Ends a second with its sample.
    pub fn end_second(&mut self, sample: Sample) {
        if self.history.len() == SECONDS {
            self.history.pop_front();
        }
        self.history.push_back(sample);
        if let Some((severity, text)) = self.conflicts.take() {
            self.say(sample.at, severity, text);
        }
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

impl Conflicts {
    fn add(&mut self, from: InstanceId, how: Resolution, name: impl Fn(InstanceId) -> String) {
        match &self.first {
            None => self.first = Some((from, name(from))),
            Some((first, _)) => self.others |= *first != from,
        }
        *self.counts.entry(how).or_default() += 1;
    }

    /// The line that tells of them, if there were any.
    fn take(&mut self) -> Option<(Severity, String)> {
        let Conflicts { first, others, counts } = std::mem::take(self);
        let (_, name) = first?;
        let all: u64 = counts.values().sum();
        let who = if others { format!("{name} and others") } else { name };
        let conflicts = if all == 1 { "conflict" } else { "conflicts" };
        let parts: Vec<String> = counts
            .iter()
            .map(|(how, count)| format!("{count} {}", resolved(*how)))
            .collect();
        let dropped = counts
            .keys()
            .any(|how| matches!(how, Resolution::Dropped | Resolution::DroppedThoughLater));
        let severity = if dropped { Severity::Warning } else { Severity::Info };
        Some((severity, format!("{who} found {all} {conflicts}: {}", parts.join(", "))))
    }
}

/// What became of a conflict.
fn resolved(how: Resolution) -> &'static str {
    match how {
        Resolution::Dropped => "with one write dropped",
        Resolution::DroppedThoughLater => "with the later write dropped",
        Resolution::Merged => "merged",
        Resolution::Siblings => "kept as siblings",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Owner, Term};

    fn at(seconds: u64) -> SimTime {
        SimTime(seconds * 1_000_000_000)
    }

    /// A chronicle of two databases: 0 with the nodes `db/1` to `db/3`, 1 with `other/11` and up.
    fn chronicle() -> Chronicle {
        let mut chronicle = Chronicle::default();
        for node in 1..=3 {
            chronicle.belongs(InstanceId(node), 0);
            chronicle.belongs(InstanceId(10 + node), 1);
        }
        chronicle
    }

    fn name(id: InstanceId) -> String {
        let database = if id.0 > 10 { "other" } else { "db" };
        format!("{database}/{}", id.0)
    }

    fn acknowledged(chronicle: &mut Chronicle, by: u32) {
        let event = Event::Acknowledged {
            key: 1,
            version: Stamp(5),
            by: InstanceId(by),
            user: Owner::new(0, 0),
        };
        let silent = |_| panic!("nobody is named for an acknowledged write");
        chronicle.follow(at(1), InstanceId(30), &event, silent);
    }

    #[test]
    fn each_database_has_its_ledger() {
        let mut chronicle = chronicle();
        acknowledged(&mut chronicle, 2);
        acknowledged(&mut chronicle, 11);
        acknowledged(&mut chronicle, 13);
        acknowledged(&mut chronicle, 99);
        chronicle.belongs(InstanceId(31), 1);
        for users in [30, 31, 31] {
            chronicle.follow(at(2), InstanceId(users), &Event::Unknown { key: 1 }, name);
        }
        let counts = |database: usize| {
            let promises = chronicle.ledgers[&database].promises();
            (promises.acknowledged, promises.unknown)
        };
        assert_eq!((counts(0), counts(1)), ((1, 1), (2, 2)));
    }

    #[test]
    fn an_audit_tells_the_incidents() {
        let mut chronicle = chronicle();
        acknowledged(&mut chronicle, 2);
        acknowledged(&mut chronicle, 11);
        chronicle
            .incidents
            .open(at(3), "killed db/1", "db/1", vec![InstanceId(1)]);
        chronicle
            .incidents
            .open(at(3), "killed other/11", "other/11", vec![InstanceId(11)]);
        assert_eq!(chronicle.audit(0, |_, _| Held::Elsewhere), 0);
        let missing = |chronicle: &Chronicle| -> Vec<u64> {
            let cases = chronicle.incidents.cases.iter();
            cases.map(|case| case.incident.missing_writes).collect()
        };
        assert_eq!(missing(&chronicle), [1, 0]);
        assert_eq!(chronicle.audit(1, |_, _| Held::Nowhere), 1);
        assert_eq!(missing(&chronicle), [1, 0]);
        assert_eq!(
            (chronicle.lost(), chronicle.incidents.cases[1].incident.lost_writes),
            (1, 1)
        );
        assert_eq!(chronicle.audit(7, |_, _| Held::Nowhere), 0, "there is no such database");
    }

    #[test]
    fn events_of_the_data_tier_are_told() {
        let mut chronicle = chronicle();
        let node = InstanceId;
        let second = Term::FIRST.above(1);
        let promoted = |was| Event::Promoted {
            shard: 0,
            term: second,
            was,
        };
        let migrated = |done| Event::Migrated { from: 1, to: 4, done };
        let rebuilt = |done| Event::Rebuilt { from: node(1), done };
        let passed = |on| Event::PassedOver { node: node(1), on };
        let events = [
            (
                promoted(Some(node(1))),
                "db/2 became primary in term 2, in the place of db/1",
            ),
            (promoted(Some(node(2))), "db/2 became primary in term 2"),
            (promoted(None), "db/2 became primary in term 2"),
            (
                Event::SteppedDown { term: second },
                "db/2 stepped down: it was primary in term 2",
            ),
            (
                Event::Fenced { on: true },
                "db/2 stopped taking writes: its lease ran out",
            ),
            (
                Event::Fenced { on: false },
                "db/2 took writes again: it has its lease back",
            ),
            (
                Event::Degraded { on: true },
                "db/2 went on alone: no replica acknowledges its writes",
            ),
            (
                Event::Degraded { on: false },
                "db/2 waits for a replica again before it acknowledges",
            ),
            (
                Event::PutAside { writes: 12 },
                "db/2 put 12 writes aside that the primary does not have",
            ),
            (
                Event::PutAside { writes: 1 },
                "db/2 put 1 write aside that the primary does not have",
            ),
            (
                Event::Compared {
                    replayed: 12,
                    conflicting: 3,
                },
                "db/2 compared its writes with the primary's: 12 replayed, 3 in conflict",
            ),
            (rebuilt(false), "db/2 began to copy all rows from db/1"),
            (rebuilt(true), "db/2 has all rows of db/1"),
            (passed(true), "db/2 passed db/1 over: the ring closed around it"),
            (passed(false), "db/2 fetched from db/1 again: the ring is whole there"),
            (migrated(false), "rows began to move from shard 1 to shard 4"),
            (
                migrated(true),
                "all rows that were to move from shard 1 to shard 4 have moved",
            ),
        ];
        for (event, text) in events {
            chronicle.follow(at(1), node(2), &event, name);
            assert_eq!(chronicle.log.back().map(|line| line.text.as_str()), Some(text));
        }
        assert_eq!(chronicle.log_total, events.len() as u64);
    }

    #[test]
    fn conflicts_are_told_once_a_second() {
        let mut chronicle = chronicle();
        let sample = |seconds| Sample {
            at: at(seconds),
            tally: Tally::default(),
            p50: std::time::Duration::ZERO,
            p99: std::time::Duration::ZERO,
        };
        let conflict = |chronicle: &mut Chronicle, node: u32, how| {
            let event = Event::Resolved {
                key: 1,
                dropped: Stamp(3),
                kept: Stamp(4),
                how,
            };
            chronicle.follow(at(1), InstanceId(node), &event, name);
        };
        (0..1_000).for_each(|_| conflict(&mut chronicle, 2, Resolution::Dropped));
        conflict(&mut chronicle, 3, Resolution::Siblings);
        assert!(chronicle.log.is_empty());
        chronicle.end_second(sample(1));
        conflict(&mut chronicle, 3, Resolution::Merged);
        chronicle.end_second(sample(2));
        chronicle.end_second(sample(3));
        let lines: Vec<&str> = chronicle.log.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(
            lines,
            [
                "db/2 and others found 1001 conflicts: 1000 with one write dropped, 1 kept as siblings",
                "db/3 found 1 conflict: 1 merged",
            ]
        );
        assert_eq!(chronicle.ledgers[&0].promises().dropped_older, 1_000);
    }
}
