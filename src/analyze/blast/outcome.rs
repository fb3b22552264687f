//! What was seen of a run with a failure: whole numbers only, so that they pass through a file unchanged.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::{Frame, Health, Incident, Kind, Sample, Tally};
use crate::protocol::Ask;

/// What was seen after the failure. Times are from the failure, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// For how long it was watched.
    pub watched_us: u64,
    /// Requests that users sent.
    pub sent: u64,
    /// Requests answered well.
    pub ok: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests tried again.
    pub retried: u64,
    /// Requests that users sent in the last 10 s.
    pub last_sent: u64,
    /// Requests answered well in the last 10 s.
    pub last_ok: u64,
    /// Requests that failed in the last 10 s.
    pub last_failed: u64,
    /// The highest 99th percentile of latency of any second.
    pub worst_p99_us: u64,
    /// The 99th percentile of latency in the last 10 s.
    pub last_p99_us: u64,
    /// Acknowledged writes that no disk holds any more.
    pub lost_writes: u64,
    /// Acknowledged writes that the nodes which take part lack at the end.
    pub missing_writes: u64,
    /// Sessions lost.
    pub lost_sessions: u64,
    /// Accepted jobs lost.
    pub lost_jobs: u64,
    /// Requests answered well, and that failed, by population and by what was asked for, in the order of [`Ask::ALL`].
    pub by_ask: BTreeMap<String, Vec<[u64; 2]>>,
    /// Messages that wait in queues at the end.
    pub waiting: u64,
    /// Messages that those who publish keep in their own memory at the end, as no queue takes them.
    pub outbox: u64,
    /// What it cost, in millionths of a US dollar.
    pub spent_microusd: u64,
    /// When the first user was hurt.
    pub hurt_us: Option<u64>,
    /// When somebody noticed.
    pub noticed_us: Option<u64>,
    /// Who.
    pub noticed_by: Option<String>,
    /// When somebody acted.
    pub acted_us: Option<u64>,
    /// When users were served as before.
    pub served_us: Option<u64>,
    /// When all was as before.
    pub healed_us: Option<u64>,
    /// What happens at the end, and why.
    pub sentence: String,
    /// The tier that is busiest at the end.
    pub busiest: String,
    /// The share of its cores in use, in thousandths.
    pub busiest_permille: u32,
    /// Expectations of the layout that were not met.
    pub unmet: Vec<String>,
    /// Why the world refused it, if it did.
    pub refused: Option<String>,
    /// The hash of the whole history.
    pub digest: String,
}

/// No figure of a run is larger: what says so is no run.
const MOST: u64 = 1 << 53;

impl Outcome {
    /// Whether it can be what was seen of a run: a file may say anything.
    pub fn is_plausible(&self) -> bool {
        let counts = [
            [self.watched_us, self.sent, self.ok, self.failed, self.retried],
            [
                self.last_sent,
                self.last_ok,
                self.last_failed,
                self.worst_p99_us,
                self.last_p99_us,
            ],
            [
                self.lost_writes,
                self.missing_writes,
                self.lost_sessions,
                self.lost_jobs,
                self.waiting,
            ],
            [self.outbox, self.spent_microusd, 0, 0, 0],
        ];
        let is_hash = self.digest.len() == 16 && self.digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_asked = self
            .by_ask
            .values()
            .all(|by_ask| by_ask.len() == Ask::ALL.len() && by_ask.as_flattened().iter().all(|count| *count <= MOST));
        is_asked && is_hash && counts.as_flattened().iter().all(|count| *count <= MOST)
    }
}

/// What there is to tell between two frames.
pub(super) fn outcome(
    (before, end): (&Frame, &Frame),
    samples: &[Sample],
    fault: Duration,
    watched: Duration,
) -> Outcome {
    let since = |of: fn(&Tally) -> u64| of(&end.total) - of(&before.total);
    let after = samples.iter().filter(|sample| sample.at.elapsed() > fault);
    let news: Vec<&Incident> = end
        .incidents
        .iter()
        .filter(|incident| incident.injected.elapsed() == fault)
        .collect();
    let (busiest, share) = busiest(end);
    let mut outcome = Outcome {
        watched_us: micros(watched),
        sent: since(|tally| tally.sent),
        ok: since(|tally| tally.ok),
        failed: since(|tally| tally.failed),
        retried: since(|tally| tally.retried),
        last_sent: end.recent.sent,
        last_ok: end.recent.ok,
        last_failed: end.recent.failed,
        worst_p99_us: after.map(|sample| micros(sample.p99)).max().unwrap_or(0),
        last_p99_us: micros(end.recent_latency.p99),
        lost_writes: end.lost_writes - before.lost_writes,
        missing_writes: missing(end),
        lost_sessions: end.sessions.lost - before.sessions.lost,
        lost_jobs: news.iter().map(|incident| incident.lost_jobs).sum(),
        by_ask: by_ask(before, end),
        waiting: waiting(end),
        outbox: outbox(end),
        spent_microusd: ((end.spent - before.spent) * 1e6).round() as u64,
        busiest,
        busiest_permille: (share * 1_000.0).round() as u32,
        ..Outcome::default()
    };
    milestones(&mut outcome, &news, fault);
    outcome
}

/// What has ended between two frames, by population and by what was asked for.
fn by_ask(before: &Frame, end: &Frame) -> BTreeMap<String, Vec<[u64; 2]>> {
    let states = end
        .topology
        .services
        .iter()
        .zip(before.services.iter().zip(&end.services));
    let users = states.filter_map(|(info, (before, end))| {
        let ended = before
            .users
            .as_ref()?
            .by_ask
            .into_iter()
            .zip(end.users.as_ref()?.by_ask);
        let since = ended.map(|(then, now)| [now.ok - then.ok, now.failed - then.failed]);
        Some((info.selector.clone(), since.collect()))
    });
    users.collect()
}

/// Messages that wait in queues.
pub(super) fn waiting(frame: &Frame) -> u64 {
    let queues = frame.services.iter().filter_map(|state| state.queue.as_ref());
    queues.map(|queue| queue.waiting).sum()
}

/// Messages that those who publish keep until a queue takes them.
pub(super) fn outbox(frame: &Frame) -> u64 {
    let publishers = frame.services.iter().filter_map(|state| state.publisher.as_ref());
    publishers.map(|publisher| publisher.outbox).sum()
}

/// How far the nodes of databases that are up are behind, in entries.
pub(super) fn behind(frame: &Frame) -> u64 {
    let databases = frame.services.iter().filter_map(|state| state.database.as_ref());
    let nodes = databases.flat_map(|database| &database.nodes);
    nodes.filter(|node| node.role.is_some()).map(|node| node.behind).sum()
}

/// Acknowledged writes that the nodes which take part do not have. A database of several data centers says the same in each.
pub(super) fn missing(frame: &Frame) -> u64 {
    let databases = frame.services.iter().filter_map(|state| state.database.as_ref());
    let by_first: BTreeMap<&str, u64> = databases
        .filter_map(|database| Some((database.nodes.first()?.name.as_str(), database.promises.missing)))
        .collect();
    by_first.values().sum()
}

/// When several failed at once: the first is hurt, and nothing is noticed, served or healed before it is of all that hurt.
fn milestones(outcome: &mut Outcome, news: &[&Incident], fault: Duration) {
    let after = |at: Duration| micros(at.saturating_sub(fault));
    let hurt = |incident: &&&Incident| incident.hurt.is_some();
    let hurting: Vec<&&Incident> = news.iter().filter(hurt).collect();
    let told = if hurting.is_empty() {
        news.iter().collect()
    } else {
        hurting
    };
    let last = |of: &dyn Fn(&Incident) -> Option<u64>| -> Option<u64> {
        let all: Option<Vec<u64>> = told.iter().map(|incident| of(incident)).collect();
        all?.into_iter().max()
    };
    outcome.hurt_us = told
        .iter()
        .filter_map(|incident| incident.hurt.map(|at| after(at.elapsed())))
        .min();
    outcome.noticed_us = last(&|incident| incident.noticed.as_ref().map(|milestone| after(milestone.at.elapsed())));
    outcome.acted_us = last(&|incident| incident.acted.as_ref().map(|milestone| after(milestone.at.elapsed())));
    outcome.served_us = last(&|incident| incident.served.map(|at| after(at.elapsed())));
    outcome.healed_us = last(&|incident| incident.healed.map(|at| after(at.elapsed())));
    let noticed = told.iter().filter_map(|incident| incident.noticed.as_ref());
    outcome.noticed_by = noticed
        .max_by_key(|milestone| milestone.at)
        .map(|milestone| milestone.who.clone());
    let loudest = told.iter().max_by_key(|incident| incident.failed + incident.retried);
    outcome.sentence = loudest.map_or_else(String::new, |incident| incident.sentence.clone());
}

/// The tier that has the greatest share of its cores in use, of the machines that are up.
fn busiest(frame: &Frame) -> (String, f64) {
    let mut most = (String::new(), 0.0);
    for (info, state) in frame.topology.services.iter().zip(&frame.services) {
        if matches!(
            info.kind,
            Kind::Users | Kind::Dns | Kind::Resolver | Kind::Cdn | Kind::Shield
        ) {
            continue;
        }
        let up = state.instances.iter().filter(|instance| instance.health == Health::Up);
        let loads: Vec<f64> = up.map(|instance| instance.utilisation).collect();
        let mean = loads.iter().sum::<f64>() / loads.len().max(1) as f64;
        if mean > most.1 {
            most = (info.selector.clone(), mean);
        }
    }
    most
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
