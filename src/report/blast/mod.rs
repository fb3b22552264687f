//! What breaks when each thing fails, the worst first: as text, Markdown, HTML, CSV and JSON.

mod availability;
mod kinds;
mod page;
mod path;
mod text;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::model::LayoutName;
use super::shell::{operand, quoted};
use crate::analyze::blast::{Class, Extent, Outcome, Plan, Row, Seen, Toll, Trial, ranked};
use crate::layout::{Layout, duration};

pub use availability::AvailabilityReport;
pub use kinds::AskReport;
pub use page::to_html;
pub(super) use text::field;
pub use text::{figures_in_words, title, to_csv, to_markdown, to_text};

/// The name of the JSON schema.
const SCHEMA: &str = "blastradius.blast/1";

/// All failures of a layout, ranked. Units stand last in a name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlastReport {
    /// Always `blastradius.blast/1`.
    pub schema: &'static str,
    /// Version of the program.
    pub engine: &'static str,
    /// What was run.
    pub layout: LayoutName,
    /// The seeds; each failure was tried with each.
    pub seeds: Vec<u64>,
    /// When the failures come.
    pub before_s: f64,
    /// For how long they are watched at most.
    pub watched_s: f64,
    /// Whether pairs of machines were tried.
    pub pairs: bool,
    /// Single points of failure: machines, zones, data centers and outside services that are one.
    pub single_points: u64,
    /// How often users are served, if machines fail on their own.
    pub availability: AvailabilityReport,
    /// What happens in the same time when nothing fails, by seed.
    pub undisturbed: Vec<UndisturbedReport>,
    /// The failures, the worst first.
    pub failures: Vec<FailureReport>,
}

/// A run in which nothing fails.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UndisturbedReport {
    /// The seed.
    pub seed: u64,
    /// Requests that users sent, in all the time for which failures are watched.
    pub sent: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that were tried again.
    pub retried: u64,
    /// The highest 99th percentile of latency of any second.
    pub worst_p99_ms: f64,
    /// What it cost.
    pub spent_usd: f64,
    /// The tier that is busiest at the end.
    pub busiest: String,
    /// The share of its cores in use, from 0 to 1.
    pub busiest_utilisation: f64,
    /// Expectations of the layout that were not met, though nothing failed.
    pub unmet: Vec<String>,
    /// The hash of the whole history.
    pub digest: String,
}

/// A failure and what it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailureReport {
    /// Its rank, from 1.
    pub rank: usize,
    /// How it was borne: `single_point`, `hidden`, `together`, `needed`, `gap` or `redundant`.
    pub class: &'static str,
    /// How much it takes: `machine`, `zone`, `data_center`, `outside`, `service`, `link` or `pair`.
    pub extent: &'static str,
    /// What it hits, as it is named in the layout.
    pub target: String,
    /// What is done to it: `crashed`, `hung`, `destroyed`, `lost`, `out`, `cut`.
    pub what: &'static str,
    /// What is done, as it would be typed.
    pub commands: Vec<String>,
    /// Others that are like it and were not tried.
    pub alike: Vec<String>,
    /// For how many failures it stands, itself among them.
    pub stands_for: u64,
    /// What users ask for goes this way, if it goes there.
    pub path: Vec<String>,
    /// Why, in a sentence or two.
    pub why: String,
    /// The command that lets only this fail and reports on the incident.
    pub report: String,
    /// By seed, the worst first.
    pub by_seed: Vec<TollReport>,
}

/// What a failure did with one seed. What is counted is beyond what is counted undisturbed; times are from the failure, and missing where it never came to that.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TollReport {
    /// The seed.
    pub seed: u64,
    /// How it was borne with this seed.
    pub class: &'static str,
    /// For how long it was watched: until it was settled.
    pub watched_s: f64,
    /// Share of the requests that still failed in the last 10 s, from 0 to 1.
    pub failing_ratio: f64,
    /// Requests that failed.
    pub failed: i64,
    /// Requests that were tried again.
    pub retried: i64,
    /// The highest 99th percentile of latency of any second.
    pub worst_p99_ms: f64,
    /// The 99th percentile of latency in the last 10 s.
    pub last_p99_ms: f64,
    /// Acknowledged writes that no disk holds any more.
    pub lost_writes: u64,
    /// Acknowledged writes that the nodes which take part lack at the end.
    pub missing_writes: u64,
    /// Sessions lost.
    pub lost_sessions: i64,
    /// Accepted jobs lost.
    pub lost_jobs: u64,
    /// What became of the requests, by population and by what was asked for.
    pub by_ask: Vec<AskReport>,
    /// Messages that wait in queues at the end.
    pub waiting: i64,
    /// Messages that those who publish keep in their own memory at the end, as no queue takes them.
    pub outbox: i64,
    /// What was spent beyond.
    pub extra_spent_usd: f64,
    /// When the first user was hurt.
    pub hurt_s: Option<f64>,
    /// When somebody noticed.
    pub noticed_s: Option<f64>,
    /// Who.
    pub noticed_by: Option<String>,
    /// When somebody acted.
    pub acted_s: Option<f64>,
    /// When users were served as before.
    pub served_s: Option<f64>,
    /// When all was as before.
    pub healed_s: Option<f64>,
    /// The tier that is busiest at the end.
    pub busiest: String,
    /// The share of its cores in use, from 0 to 1.
    pub busiest_utilisation: f64,
    /// Expectations of the layout that were not met.
    pub unmet: Vec<String>,
    /// The hash of the whole history.
    pub digest: String,
}

impl BlastReport {
    /// Ranks what came of a plan, for machines that are up for this share of the time. Nothing if a run of it is missing.
    pub fn new(name: &str, layout: &Layout, plan: &Plan, seen: &Seen, of_each_machine: f64) -> Option<BlastReport> {
        let rows = ranked(plan, seen)?;
        let undisturbed: Option<Vec<UndisturbedReport>> = plan
            .question
            .seeds
            .iter()
            .map(|seed| {
                let trial = Trial {
                    failure: None,
                    seed: *seed,
                };
                Some(undisturbed(*seed, seen.get(&trial)?.last()?))
            })
            .collect();
        let span = plan.question.span;
        Some(BlastReport {
            schema: SCHEMA,
            engine: env!("CARGO_PKG_VERSION"),
            layout: LayoutName {
                name: name.to_owned(),
                title: layout.title.clone(),
            },
            seeds: plan.question.seeds.clone(),
            before_s: span.before.as_secs_f64(),
            watched_s: span.after.as_secs_f64(),
            pairs: plan.question.pairs,
            single_points: single_points(&rows),
            availability: availability::estimate(&rows, of_each_machine, plan.question.pairs),
            undisturbed: undisturbed?,
            failures: (1..)
                .zip(&rows)
                .map(|(rank, row)| failure(rank, row, plan, name))
                .collect(),
        })
    }

    /// As JSON, with a line break at the end.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a report is plain data");
        format!("{text}\n")
    }
}

/// Things that fail users until they are mended: however many ways of failing do so, each counts once.
fn single_points(rows: &[Row]) -> u64 {
    let is_point = |row: &&Row| row.class == Class::SinglePoint && row.failure.extent < Extent::Service;
    let points: BTreeMap<&str, u64> = rows
        .iter()
        .filter(is_point)
        .map(|row| (row.failure.target.as_str(), row.failure.stands_for))
        .collect();
    points.values().sum()
}

fn undisturbed(seed: u64, outcome: &Outcome) -> UndisturbedReport {
    UndisturbedReport {
        seed,
        sent: outcome.sent,
        failed: outcome.failed,
        retried: outcome.retried,
        worst_p99_ms: millis(outcome.worst_p99_us),
        spent_usd: dollars(outcome.spent_microusd.cast_signed()),
        busiest: outcome.busiest.clone(),
        busiest_utilisation: f64::from(outcome.busiest_permille) / 1e3,
        unmet: outcome.unmet.clone(),
        digest: outcome.digest.clone(),
    }
}

fn failure(rank: usize, row: &Row, plan: &Plan, name: &str) -> FailureReport {
    let failure = &row.failure;
    FailureReport {
        rank,
        class: row.class.word(),
        extent: word(failure.extent),
        target: failure.target.clone(),
        what: failure.what,
        commands: failure.commands.iter().map(ToString::to_string).collect(),
        alike: failure.alike.clone(),
        stands_for: failure.stands_for,
        path: path::to(&plan.topology, failure),
        why: path::why(&plan.topology, row),
        report: alone(row, plan, name),
        by_seed: row.tolls.iter().map(toll).collect(),
    }
}

/// The command that lets only this fail, with the seed that bore it worst, for as long as that was watched: so it tells the same figures.
fn alone(row: &Row, plan: &Plan, name: &str) -> String {
    let span = plan.question.span;
    let at = duration::format(span.before);
    let deeds = row
        .failure
        .commands
        .iter()
        .map(|command| format!(" --do {}", quoted(&format!("{at} {command}"))));
    format!(
        "blastradius run {} --seed {}{} --for {} --markdown",
        operand(Path::new(name)),
        row.worst().seed,
        deeds.collect::<String>(),
        duration::format(span.before + Duration::from_micros(row.worst().outcome.watched_us))
    )
}

fn word(extent: Extent) -> &'static str {
    match extent {
        Extent::Machine => "machine",
        Extent::Zone => "zone",
        Extent::DataCenter => "data_center",
        Extent::Outside => "outside",
        Extent::Service => "service",
        Extent::Link => "link",
        Extent::Pair => "pair",
    }
}

fn toll(toll: &Toll) -> TollReport {
    let outcome = &toll.outcome;
    let seconds = |us: Option<u64>| us.map(|us| us as f64 / 1e6);
    TollReport {
        seed: toll.seed,
        class: toll.class.word(),
        watched_s: outcome.watched_us as f64 / 1e6,
        failing_ratio: toll.failing_permille as f64 / 1e3,
        failed: toll.failed,
        retried: toll.retried,
        worst_p99_ms: millis(outcome.worst_p99_us),
        last_p99_ms: millis(outcome.last_p99_us),
        lost_writes: outcome.lost_writes,
        missing_writes: outcome.missing_writes,
        lost_sessions: toll.lost_sessions,
        lost_jobs: outcome.lost_jobs,
        by_ask: kinds::asked(outcome),
        waiting: toll.waiting,
        outbox: toll.outbox,
        extra_spent_usd: dollars(toll.extra_microusd),
        hurt_s: seconds(outcome.hurt_us),
        noticed_s: seconds(outcome.noticed_us),
        noticed_by: outcome.noticed_by.clone(),
        acted_s: seconds(outcome.acted_us),
        served_s: seconds(outcome.served_us),
        healed_s: seconds(outcome.healed_us),
        busiest: outcome.busiest.clone(),
        busiest_utilisation: f64::from(outcome.busiest_permille) / 1e3,
        unmet: outcome.unmet.clone(),
        digest: outcome.digest.clone(),
    }
}

fn millis(us: u64) -> f64 {
    us as f64 / 1e3
}

fn dollars(microusd: i64) -> f64 {
    microusd as f64 / 1e6
}
