//! Incidents: a fault, and what the events tell of what came of it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::sim::{InstanceId, SimTime};

use super::event::{Circuit, Event};
use super::frame::{Incident, Milestone};

/// How many incidents are kept.
const KEPT: usize = 50;
/// Users count as served again when nothing has failed for so long.
const QUIET: Duration = Duration::from_secs(3);

/// An incident with what is needed to follow it.
#[derive(Debug)]
pub struct Case {
    /// What is shown of it.
    pub incident: Incident,
    /// The instances that the fault hit, sorted. Empty: everything (a surge).
    pub targets: Vec<InstanceId>,
    /// Those who depend on them, directly or by way of others, sorted.
    pub upstream: Vec<InstanceId>,
    last_bad: SimTime,
}

impl Case {
    fn concerns(&self, at: InstanceId) -> bool {
        self.targets.is_empty() || self.targets.binary_search(&at).is_ok()
    }

    /// Whether a place is where the fault can show: what was hit, or what depends on it.
    fn reaches(&self, place: InstanceId) -> bool {
        self.concerns(place) || self.upstream.binary_search(&place).is_ok()
    }

    /// Whether a failure at this place counts for this fault. The first one must arise at what was hit, or at what depends on it; from
    /// then on until users are served again every failure counts, wherever it arises, for a fault spreads. So faults at the same time
    /// count the same failures.
    fn is_blamed(&self, place: InstanceId) -> bool {
        self.reaches(place) || (self.incident.hurt.is_some() && self.incident.served.is_none())
    }

    fn hurt(&mut self, at: SimTime) {
        self.incident.hurt.get_or_insert(at);
        self.incident.served = None;
        self.last_bad = at;
    }
}

/// All incidents of a run.
#[derive(Debug, Default)]
pub struct Incidents {
    /// The oldest first.
    pub cases: VecDeque<Case>,
    count: u32,
}

impl Incidents {
    /// A fault was injected.
    pub fn open(&mut self, at: SimTime, what: &str, target: &str, mut targets: Vec<InstanceId>) {
        targets.sort_unstable();
        targets.dedup();
        self.count += 1;
        if self.cases.len() == KEPT {
            self.cases.pop_front();
        }
        let incident = Incident {
            number: self.count,
            what: what.to_owned(),
            target: target.to_owned(),
            injected: at,
            hurt: None,
            noticed: None,
            acted: None,
            served: None,
            healed: None,
            retried: 0,
            failed: 0,
            lost_writes: 0,
            missing_writes: 0,
            replayed: 0,
            given_up: 0,
            lost_sessions: 0,
            lost_jobs: 0,
            sentence: String::new(),
        };
        self.cases.push_back(Case {
            incident,
            targets,
            upstream: Vec::new(),
            last_bad: at,
        });
    }

    /// Who depends on what the newest fault hit.
    pub fn depend(&mut self, mut upstream: Vec<InstanceId>) {
        upstream.sort_unstable();
        upstream.dedup();
        if let Some(case) = self.cases.back_mut() {
            case.upstream = upstream;
        }
    }

    /// Writes were lost by the newest fault.
    pub fn lose(&mut self, writes: u64) {
        if let Some(case) = self.cases.back_mut() {
            case.incident.lost_writes += writes;
        }
    }

    /// Accepted jobs were lost: they count for the newest fault, unless all is as before.
    pub fn lose_jobs(&mut self, jobs: u64) {
        let newest = self.cases.back_mut();
        if let Some(case) = newest.filter(|case| case.incident.healed.is_none()) {
            case.incident.lost_jobs += jobs;
        }
    }

    /// Acknowledged writes are missing: `missing` tells how many of the databases of these instances. An open incident remembers the most.
    pub fn miss(&mut self, missing: impl Fn(&[InstanceId]) -> u64) {
        for case in self.cases.iter_mut().filter(|case| case.incident.healed.is_none()) {
            case.incident.missing_writes = case.incident.missing_writes.max(missing(&case.targets));
        }
    }

    /// A former primary gave what only it had to the new one: it counts for the newest fault that hit it, even if that is mended.
    fn recover(&mut self, node: InstanceId, replayed: u64, given_up: u64) {
        let hit = |case: &&mut Case| case.targets.binary_search(&node).is_ok();
        if let Some(case) = self.cases.iter_mut().rev().find(hit) {
            case.incident.replayed += replayed;
            case.incident.given_up += given_up;
        }
    }

    /// A user was signed out whose session one of these held: it counts for the first fault that hit it since then, even if that is
    /// mended.
    fn sign_out(&mut self, holder: InstanceId, since: SimTime) {
        let hit = |case: &&mut Case| case.targets.binary_search(&holder).is_ok() && since <= case.incident.injected;
        if let Some(case) = self.cases.iter_mut().find(hit) {
            case.incident.lost_sessions += 1;
        }
    }

    /// Follows an event that this instance reported; `who` is its selector.
    pub fn follow(&mut self, at: SimTime, from: InstanceId, event: &Event, who: impl Fn() -> String) {
        match *event {
            Event::SignedOut { holder, since } => return self.sign_out(holder, since),
            Event::Compared { replayed, conflicting } => return self.recover(from, replayed, conflicting),
            _ => {}
        }
        for case in self.cases.iter_mut().filter(|case| case.incident.healed.is_none()) {
            match *event {
                // More traffic is noticed by whoever brings more machines.
                Event::Scaled(decision)
                    if case.targets.is_empty() && decision.to > decision.from && case.incident.noticed.is_none() =>
                {
                    let milestone = Milestone { at, who: who() };
                    case.incident.noticed = Some(milestone.clone());
                    case.incident.acted = Some(milestone);
                }
                Event::Failed { at: place, .. } if case.is_blamed(place) => {
                    case.hurt(at);
                    case.incident.failed += 1;
                }
                Event::Retried { at: place, .. } if case.is_blamed(place) => {
                    case.hurt(at);
                    case.incident.retried += 1;
                }
                Event::TakenOut { backend: by, .. }
                | Event::Ejected { backend: by, .. }
                | Event::TookOver { from: by }
                | Event::Breaker {
                    to: by,
                    state: Circuit::Open,
                } if case.incident.noticed.is_none() && case.reaches(by) => {
                    let milestone = Milestone { at, who: who() };
                    case.incident.noticed = Some(milestone.clone());
                    case.incident.acted = Some(milestone);
                }
                // The message is handed to somebody else.
                Event::Overdue { worker } if case.incident.noticed.is_none() && case.concerns(worker) => {
                    let milestone = Milestone { at, who: who() };
                    case.incident.noticed = Some(milestone.clone());
                    case.incident.acted = Some(milestone);
                }
                Event::NodeAvoided { node, primary, .. } if case.incident.noticed.is_none() && case.concerns(node) => {
                    let milestone = Milestone { at, who: who() };
                    case.incident.noticed = Some(milestone.clone());
                    case.incident.acted = (!primary).then_some(milestone);
                }
                // Who takes the place of what was hit has noticed, and acted.
                Event::Promoted { was: Some(by), .. } | Event::PassedOver { node: by, on: true }
                    if case.incident.acted.is_none() && by != from && case.concerns(by) =>
                {
                    let milestone = Milestone { at, who: who() };
                    case.incident.noticed.get_or_insert_with(|| milestone.clone());
                    case.incident.acted = Some(milestone);
                }
                _ => {}
            }
        }
    }

    /// Draws conclusions at a moment of the grid; `well` tells whether an instance is as before, `answered` whether users were answered
    /// well of late (that nothing fails is not enough: they may all be waiting). Returns what is news.
    pub fn tick(
        &mut self,
        now: SimTime,
        well: impl Fn(InstanceId) -> bool,
        calm: bool,
        answered: bool,
    ) -> Vec<(u32, &'static str)> {
        let mut news = Vec::new();
        for case in self.cases.iter_mut().filter(|case| case.incident.healed.is_none()) {
            let recovered = if case.targets.is_empty() {
                calm
            } else {
                case.targets.iter().all(|target| well(*target))
            };
            let quiet = answered && now.since(case.last_bad) >= QUIET;
            if case.incident.served.is_none() && case.incident.hurt.is_some() && quiet {
                // Nobody is served as before while requests still run into what is hurt, even if the last one that failed came earlier.
                let acted = case.incident.acted.as_ref().map_or(SimTime::ZERO, |acted| acted.at);
                case.incident.served = Some(case.last_bad.max(acted));
                news.push((case.incident.number, "served"));
            }
            let settled = case.incident.hurt.is_none() || case.incident.served.is_some();
            if recovered && settled && now > case.incident.injected {
                case.incident.healed = Some(now);
                news.push((case.incident.number, "healed"));
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Reason, Term};

    const OTHER: InstanceId = InstanceId(9);

    fn at(seconds: u64) -> SimTime {
        SimTime(seconds * 1_000_000_000)
    }

    #[test]
    fn an_incident_passes_its_milestones() {
        let (hit, other) = (InstanceId(4), InstanceId(5));
        let mut incidents = Incidents::default();
        incidents.open(at(10), "killed web/1", "web/1", vec![hit]);
        let fail = |at| Event::Failed {
            reason: Reason::Refused,
            at,
        };
        incidents.follow(at(11), OTHER, &fail(other), || "lb".into());
        assert_eq!(incidents.cases[0].incident.hurt, None);
        incidents.follow(at(12), OTHER, &fail(hit), || "lb".into());
        incidents.follow(
            at(13),
            OTHER,
            &Event::TakenOut {
                backend: hit,
                failed: 3,
                reason: Reason::Refused,
            },
            || "lb".into(),
        );
        assert!(incidents.tick(at(14), |_| false, true, true).is_empty());
        assert_eq!(incidents.tick(at(15), |_| false, true, true), [(1, "served")]);
        assert_eq!(incidents.tick(at(20), |_| true, true, true), [(1, "healed")]);
        let incident = &incidents.cases[0].incident;
        assert_eq!(
            (incident.hurt, incident.served, incident.healed),
            (Some(at(12)), Some(at(13)), Some(at(20)))
        );
        assert_eq!(incident.noticed.as_ref().map(|noticed| noticed.at), Some(at(13)));
        assert_eq!(incident.failed, 1);
    }

    #[test]
    fn a_failure_after_all_takes_served_back() {
        let hit = InstanceId(4);
        let mut incidents = Incidents::default();
        incidents.open(at(0), "hung web/1", "web/1", vec![hit]);
        let fail = Event::Failed {
            reason: Reason::TimedOut,
            at: hit,
        };
        incidents.follow(at(1), OTHER, &fail, String::new);
        incidents.tick(at(5), |_| false, true, true);
        incidents.follow(at(6), OTHER, &fail, String::new);
        assert_eq!(incidents.cases[0].incident.served, None);
    }

    #[test]
    fn who_takes_the_place_of_a_primary_has_noticed_and_acted() {
        let (primary, replica, other) = (InstanceId(4), InstanceId(5), InstanceId(6));
        let mut incidents = Incidents::default();
        incidents.open(at(1), "killed db/1", "db/1", vec![primary]);
        incidents.open(at(2), "killed web/1", "web/1", vec![other]);
        let promoted = Event::Promoted {
            shard: 0,
            term: Term::FIRST.above(1),
            was: Some(primary),
        };
        incidents.follow(at(7), replica, &promoted, || "db/2".into());
        let noticed = |incidents: &Incidents, case: usize| incidents.cases[case].incident.noticed.clone();
        let by = |node: &str| Milestone {
            at: at(7),
            who: node.into(),
        };
        assert_eq!(noticed(&incidents, 0), Some(by("db/2")));
        assert_eq!(incidents.cases[0].incident.acted, Some(by("db/2")));
        assert_eq!(noticed(&incidents, 1), None);
        let passed_over = Event::PassedOver { node: other, on: true };
        incidents.follow(at(7), replica, &passed_over, || "db/3".into());
        assert_eq!(noticed(&incidents, 1), Some(by("db/3")));
        // By hand, the old one gives way by itself: whoever takes its place has noticed nothing of a fault at another node.
        incidents.open(at(8), "killed db/1", "db/1", vec![primary]);
        let again = Event::Promoted {
            shard: 0,
            term: Term::FIRST.above(2),
            was: Some(replica),
        };
        incidents.follow(at(9), primary, &again, || "db/1".into());
        assert_eq!(noticed(&incidents, 2), None);
    }

    #[test]
    fn what_was_missing_and_what_became_of_it_is_remembered() {
        let (primary, other) = (InstanceId(4), InstanceId(6));
        let mut incidents = Incidents::default();
        incidents.open(at(1), "killed db/1", "db/1", vec![primary]);
        for missing in [3, 12, 5] {
            incidents.miss(|_| missing);
        }
        incidents.tick(at(5), |_| true, true, true);
        assert!(incidents.cases[0].incident.healed.is_some());
        incidents.miss(|_| 40);
        incidents.open(at(6), "killed web/1", "web/1", vec![other]);
        let compared = Event::Compared {
            replayed: 10,
            conflicting: 2,
        };
        incidents.follow(at(7), primary, &compared, || "db/1".into());
        let first = &incidents.cases[0].incident;
        assert_eq!((first.missing_writes, first.replayed, first.given_up), (12, 10, 2));
        let second = &incidents.cases[1].incident;
        assert_eq!((second.missing_writes, second.replayed, second.given_up), (0, 0, 0));
    }
}
