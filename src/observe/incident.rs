//! Incidents: a fault, and what the events tell of what came of it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::Reason;
use crate::sim::{InstanceId, SimTime};

use super::event::{Circuit, Event};
use super::frame::{Incident, Milestone};

/// How many incidents are kept.
const KEPT: usize = 50;
/// Users count as served again when nothing has failed for so long.
const QUIET: Duration = Duration::from_secs(3);

/// Seconds before a fault of which the mean is what its time would have cost.
const USUAL_SECONDS: usize = 60;

/// An incident with what is needed to follow it.
#[derive(Debug)]
pub struct Case {
    /// What is shown of it.
    pub incident: Incident,
    /// The instances that the fault hit, sorted. Empty: everything (a surge).
    pub targets: Vec<InstanceId>,
    /// Those who depend on them, directly or by way of others, sorted.
    pub upstream: Vec<InstanceId>,
    /// Of a fault that hit all ways into a data center: those that the name service has not left out so far. `None` for any other fault.
    ways_in: Option<Vec<InstanceId>>,
    /// What a second costs without the fault, in US dollars.
    usual: Option<f64>,
    last_bad: SimTime,
    /// The fault goes on: it heals when that has ended.
    lasting: bool,
}

/// Something that an incident has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// When.
    pub at: SimTime,
    /// The number of the incident.
    pub number: u32,
    /// What.
    pub stage: Stage,
}

/// What an incident has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The first request failed, or had to be tried again: of all, or since users were served again.
    Hurt {
        /// Why.
        reason: Reason,
        /// Where that arose.
        place: InstanceId,
        /// Whether it failed for good.
        failed: bool,
        /// Whether users had been served again.
        again: bool,
    },
    /// Somebody noticed.
    Noticed,
    /// Traffic stopped going to what is hurt.
    Acted,
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

    /// A request failed or is tried again. What no user waits for, as what is sent again from an outbox, hurts nobody who is served.
    fn hurt(&mut self, at: SimTime, who: &dyn Fn() -> String, later: bool) {
        if self.incident.hurt.is_none() {
            self.incident.hurt = Some(at);
            self.incident.first_hurt = Some(who());
        } else if later {
            return;
        }
        self.incident.served = None;
        self.last_bad = at;
    }

    /// Somebody noticed. While users still come to a data center that is hit as a whole, nobody has acted.
    fn notice(&mut self, at: SimTime, who: &dyn Fn() -> String, acts: bool) {
        let milestone = Milestone { at, who: who() };
        if acts && self.ways_in.is_none() && self.incident.acted.is_none() {
            self.incident.acted = Some(milestone.clone());
        }
        self.incident.noticed.get_or_insert(milestone);
    }

    /// The name service left an address out.
    fn leave_out(&mut self, address: InstanceId, at: SimTime, who: &dyn Fn() -> String) {
        let Some(ways) = &mut self.ways_in else { return };
        let before = ways.len();
        ways.retain(|way| *way != address);
        let (fewer, none) = (ways.len() < before, ways.is_empty());
        if fewer {
            self.incident
                .noticed
                .get_or_insert_with(|| Milestone { at, who: who() });
        }
        if none {
            self.incident.acted.get_or_insert_with(|| Milestone { at, who: who() });
        }
    }

    /// Follows an event.
    fn follow(&mut self, at: SimTime, from: InstanceId, event: &Event, who: &dyn Fn() -> String) {
        let unnoticed = self.incident.noticed.is_none();
        match *event {
            // More traffic is noticed by whoever brings more machines.
            Event::Scaled(decision) if self.targets.is_empty() && decision.to > decision.from && unnoticed => {
                self.notice(at, who, true);
            }
            Event::Failed { at: place, .. } if self.is_blamed(place) => {
                self.hurt(at, who, false);
                self.incident.failed += 1;
            }
            Event::Retried { at: place, later, .. } if self.is_blamed(place) => {
                self.hurt(at, who, later);
                self.incident.retried += 1;
            }
            Event::TakenOut { backend, .. } if self.ways_in.is_some() && self.concerns(backend) => {
                self.leave_out(backend, at, who);
            }
            Event::TakenOut { backend: by, .. }
            | Event::Ejected { backend: by, .. }
            | Event::TookOver { from: by }
            | Event::Breaker {
                to: by,
                state: Circuit::Open,
            } if unnoticed && self.reaches(by) => self.notice(at, who, true),
            // The message is handed to somebody else.
            Event::Overdue { worker } if unnoticed && self.concerns(worker) => self.notice(at, who, true),
            Event::NodeAvoided { node, primary, .. } if unnoticed && self.concerns(node) => {
                self.notice(at, who, !primary);
            }
            // Who takes the place of what was hit has noticed, and acted.
            Event::Promoted { was: Some(by), .. } | Event::PassedOver { node: by, on: true }
                if self.incident.acted.is_none() && by != from && self.concerns(by) =>
            {
                self.notice(at, who, true);
            }
            _ => {}
        }
    }

    /// How far it has come: whether somebody was hurt, has noticed, has acted.
    fn reached(&self) -> [bool; 3] {
        let incident = &self.incident;
        [
            incident.hurt.is_some(),
            incident.noticed.is_some(),
            incident.acted.is_some(),
        ]
    }
}

/// All incidents of a run.
#[derive(Debug, Default)]
pub struct Incidents {
    /// The oldest first.
    pub cases: VecDeque<Case>,
    /// What incidents have come to, the oldest first, until somebody tells it.
    pub news: Vec<News>,
    count: u32,
    /// The incident whose fault did something last.
    struck: u32,
    /// Writes that were replayed, and given up, and that no node has told the end of.
    replayed: u64,
    given_up: u64,
    /// What each of the last seconds cost, in US dollars.
    costs: VecDeque<f64>,
}

impl Incidents {
    /// A fault was injected. Returns the number of the incident.
    pub fn open(&mut self, at: SimTime, what: &str, target: &str, mut targets: Vec<InstanceId>) -> u32 {
        targets.sort_unstable();
        targets.dedup();
        self.count += 1;
        self.struck = self.count;
        if self.cases.len() == KEPT {
            self.cases.pop_front();
        }
        let incident = Incident {
            number: self.count,
            what: what.to_owned(),
            target: target.to_owned(),
            injected: at,
            hurt: None,
            first_hurt: None,
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
            extra_spent: 0.0,
            sentence: String::new(),
        };
        let seconds = self.costs.len();
        let usual = self.costs.iter().sum::<f64>() / seconds.max(1) as f64;
        self.cases.push_back(Case {
            incident,
            targets,
            upstream: Vec::new(),
            ways_in: None,
            usual: (seconds > 0).then_some(usual),
            last_bad: at,
            lasting: false,
        });
        self.count
    }

    /// Who depends on what the newest fault hit.
    pub fn depend(&mut self, mut upstream: Vec<InstanceId>) {
        upstream.sort_unstable();
        upstream.dedup();
        if let Some(case) = self.cases.back_mut() {
            case.upstream = upstream;
        }
    }

    /// The fault of an incident goes on until it is released.
    pub fn hold(&mut self, number: u32) {
        if let Some(case) = self.numbered(number) {
            case.lasting = true;
        }
    }

    /// The fault of an incident has ended.
    pub fn release(&mut self, number: u32) {
        if let Some(case) = self.numbered(number) {
            case.lasting = false;
        }
    }

    /// The fault of an incident hits more.
    pub fn widen(&mut self, number: u32, targets: Vec<InstanceId>, upstream: Vec<InstanceId>) {
        self.struck = number;
        let Some(case) = self.numbered(number) else { return };
        for (all, more) in [(&mut case.targets, targets), (&mut case.upstream, upstream)] {
            all.extend(more);
            all.sort_unstable();
            all.dedup();
        }
    }

    fn numbered(&mut self, number: u32) -> Option<&mut Case> {
        self.cases.iter_mut().find(|case| case.incident.number == number)
    }

    /// The fault of an incident hit all ways into a data center: nobody has acted until the name service has left out all of these addresses.
    pub fn close(&mut self, number: u32, ways_in: Vec<InstanceId>) {
        if let Some(case) = self.numbered(number).filter(|case| case.ways_in.is_none()) {
            case.ways_in = Some(ways_in);
        }
    }

    /// A second cost so much, in US dollars.
    pub fn pay(&mut self, cost: f64) {
        for case in self.cases.iter_mut().filter(|case| case.incident.healed.is_none()) {
            let usual = *case.usual.get_or_insert(cost);
            case.incident.extra_spent += cost - usual;
        }
        if self.costs.len() == USUAL_SECONDS {
            self.costs.pop_front();
        }
        self.costs.push_back(cost);
    }

    /// Writes were lost by the fault that did something last.
    pub fn lose(&mut self, writes: u64) {
        if let Some(case) = self.numbered(self.struck) {
            case.incident.lost_writes += writes;
        }
    }

    /// Accepted jobs were lost: they count for the fault that did something last, unless all is as before.
    pub fn lose_jobs(&mut self, jobs: u64) {
        let newest = self.numbered(self.struck);
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
    /// Several nodes may have had the same writes, of which the first one brought about what became of them.
    fn recover(&mut self, node: InstanceId, replayed: u64, given_up: u64) {
        let replayed = replayed.min(self.replayed);
        let given_up = given_up.min(self.given_up);
        self.replayed -= replayed;
        self.given_up -= given_up;
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
            Event::Replayed { .. } => self.replayed += 1,
            Event::GivenUp { .. } => self.given_up += 1,
            _ => {}
        }
        for case in self.cases.iter_mut().filter(|case| case.incident.healed.is_none()) {
            let (before, served) = (case.reached(), case.incident.served.is_some());
            case.follow(at, from, event, &who);
            let after = case.reached();
            let again = served && case.incident.served.is_none();
            if before == after && !again {
                continue;
            }
            let hurt = match *event {
                Event::Failed { reason, at: place } => Some((reason, place, true)),
                Event::Retried { reason, at: place, .. } => Some((reason, place, false)),
                _ => None,
            };
            let hurt = hurt.map(|(reason, place, failed)| Stage::Hurt {
                reason,
                place,
                failed,
                again,
            });
            let stages = [hurt, Some(Stage::Noticed), Some(Stage::Acted)];
            let news = [
                after[0] && !before[0] || again,
                after[1] && !before[1],
                after[2] && !before[2],
            ];
            let number = case.incident.number;
            for (stage, _) in stages.into_iter().zip(news).filter(|(_, is_news)| *is_news) {
                self.news.extend(stage.map(|stage| News { at, number, stage }));
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
            if recovered && settled && !case.lasting && now > case.incident.injected {
                case.incident.healed = Some(now);
                news.push((case.incident.number, "healed"));
            }
        }
        news
    }
}

#[cfg(test)]
mod tests;
