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
            lost_sessions: 0,
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

    /// A user was signed out whose session one of these held: it counts for the first fault that hit it since then, even if that is
    /// mended.
    fn sign_out(&mut self, holder: InstanceId, since: SimTime) {
        let hit = |case: &&mut Case| case.targets.binary_search(&holder).is_ok() && since <= case.incident.injected;
        if let Some(case) = self.cases.iter_mut().find(hit) {
            case.incident.lost_sessions += 1;
        }
    }

    /// Follows an event; `who` is the selector of the one who reported it.
    pub fn follow(&mut self, at: SimTime, event: &Event, who: impl Fn() -> String) {
        if let Event::SignedOut { holder, since } = *event {
            self.sign_out(holder, since);
            return;
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
    use crate::protocol::Reason;

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
        incidents.follow(at(11), &fail(other), || "lb".into());
        assert_eq!(incidents.cases[0].incident.hurt, None);
        incidents.follow(at(12), &fail(hit), || "lb".into());
        incidents.follow(
            at(13),
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
        incidents.follow(at(1), &fail, String::new);
        incidents.tick(at(5), |_| false, true, true);
        incidents.follow(at(6), &fail, String::new);
        assert_eq!(incidents.cases[0].incident.served, None);
    }
}
