//! The report as data. Units stand last in a name: `_s` seconds of simulated time, `_ms` milliseconds.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::caches::CacheReport;
use super::data::DatabaseReport;
use super::queues::{PublisherReport, QueueReport, WorkersReport};

/// The name of the JSON schema.
pub(super) const SCHEMA: &str = "blastradius.run/1";

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Always `blastradius.run/1`.
    pub schema: &'static str,
    /// Version of the program.
    pub engine: &'static str,
    /// What was run.
    pub layout: LayoutName,
    /// The seed.
    pub seed: u64,
    /// How long the run was.
    pub duration_s: f64,
    /// The factor on the layout's traffic at the end.
    pub traffic: f64,
    /// Whether every expectation held and every command of the script was done.
    pub passed: bool,
    /// The hash of the whole history, sixteen hexadecimal digits.
    pub digest: String,
    /// Requests as users saw them.
    pub requests: Requests,
    /// Latency of the answered requests.
    pub latency_ms: Latency,
    /// Acknowledged writes that no disk holds any more.
    pub lost_writes: u64,
    /// Sessions as users saw them; nothing if nobody ever signed in.
    pub sessions: Option<Sessions>,
    /// What it cost.
    pub cost: Cost,
    /// What became of the layout's expectations.
    pub expectations: Vec<ExpectationReport>,
    /// Causes of failed and retried requests, the most frequent first.
    pub failures: Vec<Failure>,
    /// Data centers, when there are several.
    pub data_centers: Vec<DataCenterReport>,
    /// Services and their instances.
    pub services: Vec<ServiceReport>,
    /// Incidents, the oldest first; at most the last 50.
    pub incidents: Vec<IncidentReport>,
    /// Commands that took effect.
    pub commands: Vec<Commanded>,
    /// Commands of the script that were refused when their time came.
    pub refused: Vec<Refused>,
    /// Steps of the script that were not done, since the run ended before.
    pub unreached_commands: usize,
    /// Those steps.
    pub unreached: Vec<UnreachedReport>,
    /// Events, the oldest first; at most the last 500.
    pub events: Vec<Event>,
    /// Events in all.
    pub events_total: u64,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayoutName {
    /// The file, or the name of the shipped layout.
    pub name: String,
    /// Its title.
    pub title: String,
}

/// Counts of requests as users saw them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Requests {
    /// Sent.
    pub sent: u64,
    /// Answered well.
    pub ok: u64,
    /// Failed for any reason.
    pub failed: u64,
    /// Tried again on another server, whatever came of it.
    pub retried: u64,
    /// Still under way at the end.
    pub unfinished: u64,
    /// Share of the ended ones that were answered well; 1 when none has ended.
    pub ok_ratio: f64,
}

/// Sessions as users saw them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sessions {
    /// Users who are signed in at the end, as far as their clients know.
    pub signed_in: u64,
    /// Times that a user was signed in.
    pub issued: u64,
    /// Times that a session was lost: with a server, with a store, with a change of the scheme.
    pub lost: u64,
    /// Times that one had expired.
    pub expired: u64,
    /// Times that one had been revoked.
    pub revoked: u64,
    /// Answers that users got by sessions that had been revoked.
    pub revoked_served: u64,
}

/// A distribution of latency in milliseconds. All zero when nothing was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// What the machines cost, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// An hour, with the machines of the end.
    pub usd_per_hour: f64,
    /// The whole run.
    pub spent_usd: f64,
}

/// What became of an expectation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectationReport {
    /// How often it had to hold: `always`, `eventually`, `sometimes`, `at 50s`.
    pub quantifier: String,
    /// The condition as it stands in the layout.
    pub text: String,
    /// The unit of the bound and of what was measured: `share`, `seconds`, `per_second`, `usd_per_hour`, `count`.
    pub unit: Cow<'static, str>,
    /// What was compared with.
    pub bound: f64,
    /// `held`, `failed`, or `unjudged` when no evaluation counted, which is not enough to pass.
    pub verdict: Cow<'static, str>,
    /// When it first failed; for `eventually` and `sometimes`, the end of the run.
    pub failed_at_s: Option<f64>,
    /// What was measured then, in the unit of the bound.
    pub failed_value: Option<f64>,
}

/// A data center, at the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataCenterReport {
    /// Its name.
    pub name: String,
    /// The region that it stands in, if there are regions.
    pub region: Option<String>,
    /// Its zones.
    pub zones: u32,
    /// Machines in it.
    pub machines: u64,
    /// Requests a second that came to its entry point from users and CDNs in the last second.
    pub requests_per_s: f64,
    /// Their share of what came to all data centers, from 0 to 1.
    pub share: f64,
    /// Whether its users are sent elsewhere.
    pub evacuated: bool,
    /// Whether the name service believes that one of its addresses is up.
    pub believed_up: bool,
    /// What its machines cost an hour.
    pub usd_per_hour: f64,
}

/// A cause of failure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Why: `refused`, `reset`, `timed out`, `overloaded`, `no healthy backend`, `dns failure`, `circuit open`, `pool exhausted`,
    /// `rate limited`, `shed`, `throttled`, `queue full`.
    pub reason: &'static str,
    /// Where it arose: an instance's selector.
    pub at: String,
    /// Requests failed or retried for it.
    pub count: u64,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceReport {
    /// Its selector.
    pub selector: String,
    /// `users`, `dns`, `resolver`, `load_balancer`, `web`, `serverless`, `session_store`, `database`, `monitor`, `autoscaler`,
    /// `cache`, `cdn`, `shield`, `queue` or `workers`.
    pub kind: &'static str,
    /// Its data center, if it has one.
    pub site: Option<String>,
    /// Its settings in a few words.
    pub detail: String,
    /// Its instances at the end.
    pub instances: Vec<InstanceReport>,
    /// For users: their requests.
    pub requests: Option<Requests>,
    /// For users: static files that were older than those of the site.
    pub stale_assets: Option<u64>,
    /// For a load balancer: what it does and believes.
    pub balancer: Option<Balancer>,
    /// For a database: what it holds.
    pub database: Option<DatabaseReport>,
    /// For what keeps copies: a cache, a CDN and its shield, users with their browsers, a web tier with near copies.
    pub cache: Option<CacheReport>,
    /// For a queue or a log: what it holds, and what became of its messages.
    pub queue: Option<QueueReport>,
    /// For workers: what they did.
    pub workers: Option<WorkersReport>,
    /// For a web tier and functions that publish: what became of it.
    pub publisher: Option<PublisherReport>,
    /// For a web tier, functions and a session store: where sessions are, and how many are here.
    pub sessions: Option<HeldSessions>,
    /// For functions: what they did.
    pub serverless: Option<ServerlessReport>,
    /// For an autoscaler: what it decided.
    pub autoscaler: Option<AutoscalerReport>,
    /// How it treated each service that it calls.
    pub calls: Vec<CallsReport>,
}

/// Sessions that a service holds at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldSessions {
    /// Where the sessions of a tier are, in words; nothing if nobody signs in, and for a store.
    pub mode: Option<String>,
    /// How many are here.
    pub held: u64,
}

/// What functions did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ServerlessReport {
    /// Requests that they took.
    pub invocations: u64,
    /// Those of them that waited for an instance to start.
    pub cold_starts: u64,
    /// Requests turned away at the limit.
    pub throttled: u64,
    /// Instances at once, at most.
    pub limit: u32,
    /// What they cost.
    pub spent_usd: f64,
}

/// What an autoscaler decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AutoscalerReport {
    /// The tier that it scales.
    pub of: String,
    /// Whether it was switched on at the end.
    pub on: bool,
    /// Machines at the end.
    pub machines: u32,
    /// Its last decisions, the oldest first; at most 20.
    pub decisions: Vec<Event>,
}

/// How a service treated one that it calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallsReport {
    /// The service that was called.
    pub to: String,
    /// The settings at the end, in words.
    pub policy: String,
    /// Calls, retries not counted.
    pub calls: u64,
    /// Calls that failed in the end.
    pub failed: u64,
    /// Retries.
    pub retried: u64,
    /// Retries that the budget did not allow.
    pub over_budget: u64,
    /// Second requests that were sent early.
    pub hedged: u64,
    /// Calls that an open breaker stopped.
    pub stopped: u64,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InstanceReport {
    /// Its selector.
    pub selector: String,
    /// Its machine.
    pub machine: String,
    /// Size of the machine.
    pub size: String,
    /// Its address.
    pub address: String,
    /// The truth at the end: `booting`, `up`, `hung`, `down`, `destroyed`, `cut_off`.
    pub health: &'static str,
    /// Mean share of its machine's cores in use, from 0 to 1.
    pub mean_utilisation: f64,
    /// Mean time from arrival to answer of the requests answered here.
    pub mean_latency_ms: f64,
    /// Mean number of requests here, waiting or in service.
    pub mean_present: f64,
    /// The most that ever waited for a slot.
    pub peak_backlog: u32,
    /// Requests received.
    pub received: u64,
    /// Requests answered well.
    pub ok: u64,
    /// Requests that failed here or were refused here.
    pub failed: u64,
}

/// What a load balancer does and believes at the end; of several instances, the one that works.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Balancer {
    /// How it chooses.
    pub policy: String,
    /// Its servers.
    pub backends: Vec<Backend>,
}

/// What a load balancer knows of a server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backend {
    /// The server's selector.
    pub selector: String,
    /// Requests sent to it.
    pub sent: u64,
    /// Share of the requests sent to it over the whole run, from 0 to 1.
    pub share: f64,
    /// What the balancer believes: `up` or `down`.
    pub believed: &'static str,
    /// Checks in a row that contradict the belief.
    pub contrary_checks: u32,
    /// The server's health in truth; nothing when it has left.
    pub health: Option<&'static str>,
}

/// A fault and what came of it. Times are those of the run; a milestone that was not reached has none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IncidentReport {
    /// Counts from 1.
    pub number: u32,
    /// What was done.
    pub what: String,
    /// What it hit.
    pub target: String,
    /// When it was done.
    pub injected_s: f64,
    /// When the first request failed or was retried for it.
    pub hurt_s: Option<f64>,
    /// Who was hurt first, as a selector.
    pub first_hurt: Option<String>,
    /// When and who noticed.
    pub noticed: Option<MilestoneReport>,
    /// When and who acted.
    pub acted: Option<MilestoneReport>,
    /// What they did, as one says it of them: `sends nothing there any more`.
    pub deed: Option<&'static str>,
    /// When users were served as before.
    pub served_s: Option<f64>,
    /// When all was as before.
    pub healed_s: Option<f64>,
    /// Requests retried until served.
    pub retried: u64,
    /// Requests failed until served.
    pub failed: u64,
    /// Acknowledged writes lost by it.
    pub lost_writes: u64,
    /// The most acknowledged writes that were missing at once while it was open.
    pub missing_writes: u64,
    /// Writes that a node which it hit had put aside, and that were written anew.
    pub replayed: u64,
    /// Writes that a node which it hit had put aside, and that were given up for others.
    pub given_up: u64,
    /// Users who were signed out by it.
    pub lost_sessions: u64,
    /// Accepted jobs lost by it.
    pub lost_jobs: u64,
    /// What was spent until all was as before, beyond what that time would have cost at the mean of the minute before the fault.
    pub extra_spent_usd: f64,
    /// What happens now, and why.
    pub sentence: String,
}

/// A milestone that somebody reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MilestoneReport {
    /// When.
    pub at_s: f64,
    /// Who, as a selector.
    pub who: String,
}

/// A command that took effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commanded {
    /// When.
    pub at_s: f64,
    /// The command in words.
    pub command: String,
}

/// A step of the script that was not done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnreachedReport {
    /// When it was to be done; nothing if its condition has not held.
    pub at_s: Option<f64>,
    /// The condition that it waits for, if it waits for one.
    pub after: Option<String>,
    /// Line in the script, from 1.
    pub line: Option<usize>,
    /// Column, from 1.
    pub column: Option<usize>,
    /// The command; `mark` or `note` and the words, if it is one of those.
    pub command: String,
}

/// A command that was refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refused {
    /// When.
    pub at_s: f64,
    /// Line of the command in the script, from 1, if it comes from one.
    pub line: Option<usize>,
    /// Column of the command in the script, from 1, if it comes from one.
    pub column: Option<usize>,
    /// The command in words.
    pub command: String,
    /// Why.
    pub why: String,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When.
    pub at_s: f64,
    /// `info`, `good`, `warning` or `bad`.
    pub severity: &'static str,
    /// What happened.
    pub text: String,
}
