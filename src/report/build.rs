//! From a run's ending to its report.

use std::time::Duration;

use super::caches::cache;
use super::data::database;
use super::model::{
    AutoscalerReport, Backend, Balancer, CallsReport, Commanded, Cost, Event, ExpectationReport, Failure, HeldSessions,
    IncidentReport, InstanceReport, Latency, LayoutName, MilestoneReport, Refused, Report, Requests, SCHEMA,
    ServerlessReport, ServiceReport, Sessions, UnreachedReport,
};
use super::queues;
use super::sites;
use crate::layout::{Measure, Quantifier, QueueMeasure, duration};
use crate::observe::{
    AutoscalerState, BalancerState, Belief, CallsState, Cause, Frame, Health, Incident, InstanceInfo, InstanceState,
    Kind, LogLine, Milestone, Quantiles, ServerlessState, ServiceState, SessionTally, Severity, Tally, deed,
};
use crate::replay::{Ending, Outcome, Refusal, Unreached, Verdict};
use crate::sim::SimTime;

impl Report {
    /// The report of a run that has ended; `name` is that of the layout.
    pub fn new(name: &str, ending: &Ending) -> Report {
        let frame = &ending.frame;
        Report {
            schema: SCHEMA,
            engine: env!("CARGO_PKG_VERSION"),
            layout: LayoutName {
                name: name.to_string(),
                title: frame.topology.title.clone(),
            },
            seed: frame.seed,
            duration_s: ending.duration.as_secs_f64(),
            traffic: frame.traffic,
            passed: ending.passed(),
            digest: ending.digest.to_string(),
            requests: requests(frame.total),
            latency_ms: latency(frame.latency),
            lost_writes: frame.lost_writes,
            sessions: sessions(frame.sessions),
            cost: Cost {
                usd_per_hour: frame.price_per_hour,
                spent_usd: frame.spent,
            },
            expectations: ending.verdicts.iter().map(expectation).collect(),
            failures: failures(frame),
            data_centers: sites::data_centers(frame),
            services: services(frame),
            incidents: frame.incidents.iter().map(|one| incident(frame, one)).collect(),
            commands: ending
                .acts
                .iter()
                .map(|act| Commanded {
                    at_s: act.at.as_secs_f64(),
                    command: act.command.to_string(),
                })
                .collect(),
            refused: refused(ending),
            unreached_commands: ending.unreached.len(),
            unreached: ending.unreached.iter().map(unreached).collect(),
            events: events(frame),
            events_total: frame.log_total,
        }
    }

    /// The report as JSON, with a line break at the end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report is plain data");
        text.push('\n');
        text
    }
}

fn requests(tally: Tally) -> Requests {
    Requests {
        sent: tally.sent,
        ok: tally.ok,
        failed: tally.failed,
        retried: tally.retried,
        unfinished: tally.sent.saturating_sub(tally.ok + tally.failed),
        ok_ratio: tally.ok_ratio(),
    }
}

fn latency(quantiles: Quantiles) -> Latency {
    Latency {
        count: quantiles.count,
        mean: ms(quantiles.mean),
        p50: ms(quantiles.p50),
        p95: ms(quantiles.p95),
        p99: ms(quantiles.p99),
        max: ms(quantiles.max),
    }
}

/// A duration in milliseconds.
pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

/// What became of an expectation.
pub(super) fn expectation(verdict: &Verdict) -> ExpectationReport {
    let (word, failure) = match verdict.outcome {
        Outcome::Held => ("held", None),
        Outcome::Failed { at, value } => ("failed", Some((at, value))),
        Outcome::Unjudged => ("unjudged", None),
    };
    ExpectationReport {
        quantifier: quantifier(verdict.quantifier),
        text: verdict.text.clone(),
        unit: unit(&verdict.measure).into(),
        bound: verdict.bound,
        verdict: word.into(),
        failed_at_s: failure.map(|(at, _)| at.as_secs_f64()),
        failed_value: failure.map(|(_, value)| value),
    }
}

/// How often an expectation must hold, in words.
pub(super) fn quantifier(quantifier: Quantifier) -> String {
    match quantifier {
        Quantifier::Always => "always".to_owned(),
        Quantifier::Eventually => "eventually".to_owned(),
        Quantifier::Sometimes => "sometimes".to_owned(),
        Quantifier::At(when) => format!("at {}", duration::format(when)),
    }
}

/// The unit of a measure.
pub(super) fn unit(measure: &Measure) -> &'static str {
    match measure {
        Measure::Ok | Measure::OkOf(_) | Measure::Utilisation(_) | Measure::Moving(_) | Measure::Hit(_) => "share",
        Measure::Cost => "usd_per_hour",
        Measure::P50 | Measure::P95 | Measure::P99 | Measure::Lag(_) | Measure::Queue(QueueMeasure::Oldest, _) => {
            "seconds"
        }
        Measure::Rate | Measure::Load(_) => "per_second",
        Measure::Failed
        | Measure::Retried
        | Measure::Lost
        | Measure::Missing
        | Measure::AtRisk
        | Measure::Unknown
        | Measure::Stale
        | Measure::Unseen
        | Measure::Backwards
        | Measure::Conflicts
        | Measure::DroppedLater
        | Measure::Replayed
        | Measure::GivenUp
        | Measure::SignedOut
        | Measure::StaleAssets
        | Measure::Queue(..)
        | Measure::Outbox(_)
        | Measure::Misses(_)
        | Measure::Stampedes(_)
        | Measure::Machines(_)
        | Measure::Sessions(_)
        | Measure::Up(_)
        | Measure::Backlog(_)
        | Measure::Behind(_)
        | Measure::Primaries(_)
        | Measure::Diverged(_)
        | Measure::Rows(_) => "count",
    }
}

fn unreached(step: &Unreached) -> UnreachedReport {
    UnreachedReport {
        at_s: step.at.map(|at| at.as_secs_f64()),
        after: step.after.clone(),
        line: step.place.map(|(line, _)| line),
        column: step.place.map(|(_, column)| column),
        command: step.what.to_string(),
    }
}

fn failures(frame: &Frame) -> Vec<Failure> {
    let failure = |cause: &Cause| Failure {
        reason: cause.reason.name(),
        at: cause.at.clone(),
        count: cause.count,
    };
    frame.causes.iter().map(failure).collect()
}

fn services(frame: &Frame) -> Vec<ServiceReport> {
    let both = frame.topology.services.iter().zip(&frame.services).enumerate();
    both.map(|(index, (info, state))| ServiceReport {
        selector: info.selector.clone(),
        kind: kind(info.kind),
        site: info.site.map(|site| frame.topology.sites[site].name.clone()),
        detail: info.detail.clone(),
        instances: info.instances.iter().zip(&state.instances).map(instance).collect(),
        requests: state.users.as_ref().map(|users| requests(users.total)),
        stale_assets: state.users.as_ref().map(|users| users.stale_assets),
        balancer: state.balancer.as_ref().map(|state| balancer(frame, state)),
        database: state.database.as_ref().map(database),
        cache: cache(frame, index),
        queue: state.queue.as_ref().map(|state| queues::queue(frame, state)),
        workers: state.workers.as_ref().map(|state| queues::workers(frame, state)),
        publisher: state.publisher.as_ref().map(|state| queues::publisher(frame, state)),
        sessions: held_sessions(state),
        serverless: state.serverless.map(serverless),
        autoscaler: state.autoscaler.as_ref().map(|state| autoscaler(frame, state)),
        calls: state.calls.iter().map(|calls| calls_report(frame, calls)).collect(),
    })
    .collect()
}

fn sessions(tally: SessionTally) -> Option<Sessions> {
    (tally.issued > 0).then_some(Sessions {
        signed_in: tally.signed_in,
        issued: tally.issued,
        lost: tally.lost,
        expired: tally.expired,
        revoked: tally.revoked,
        revoked_served: tally.revoked_served,
    })
}

fn held_sessions(state: &ServiceState) -> Option<HeldSessions> {
    if let Some(sessions) = &state.sessions {
        return sessions.mode.is_some().then(|| HeldSessions {
            mode: sessions.mode.clone(),
            held: sessions.held,
        });
    }
    let held = state.instances.first()?.sessions?;
    Some(HeldSessions { mode: None, held })
}

fn serverless(state: ServerlessState) -> ServerlessReport {
    ServerlessReport {
        invocations: state.invocations,
        cold_starts: state.cold_starts,
        throttled: state.throttled,
        limit: state.limit,
        spent_usd: state.spent,
    }
}

fn autoscaler(frame: &Frame, state: &AutoscalerState) -> AutoscalerReport {
    AutoscalerReport {
        of: frame.topology.services[state.of].selector.clone(),
        on: state.on,
        machines: state.machines,
        decisions: state.decisions.iter().map(event).collect(),
    }
}

fn calls_report(frame: &Frame, state: &CallsState) -> CallsReport {
    CallsReport {
        to: frame.topology.services[state.to].selector.clone(),
        policy: state.policy.clone(),
        calls: state.calls,
        failed: state.failed,
        retried: state.retried,
        over_budget: state.over_budget,
        hedged: state.hedged,
        stopped: state.stopped,
    }
}

fn instance((info, state): (&InstanceInfo, &InstanceState)) -> InstanceReport {
    InstanceReport {
        selector: info.selector.clone(),
        machine: info.machine.clone(),
        size: info.size.clone(),
        address: info.address.clone(),
        health: health(state.health),
        mean_utilisation: state.mean_utilisation,
        mean_latency_ms: ms(state.mean_latency),
        mean_present: state.mean_present,
        peak_backlog: state.peak_backlog,
        received: state.received,
        ok: state.ok,
        failed: state.failed,
    }
}

fn balancer(frame: &Frame, state: &BalancerState) -> Balancer {
    let truth = |(service, instance): (usize, usize)| {
        let state = frame.services.get(service)?.instances.get(instance)?;
        Some(health(state.health))
    };
    let backends = state.backends.iter().map(|backend| {
        let (believed, contrary_checks) = match backend.believed {
            Belief::Up { failed } => ("up", failed),
            Belief::Down { passed } => ("down", passed),
        };
        Backend {
            selector: backend.name.clone(),
            sent: backend.sent,
            share: backend.total_share,
            believed,
            contrary_checks,
            health: backend.instance.and_then(truth),
        }
    });
    Balancer {
        policy: state.policy.clone(),
        backends: backends.collect(),
    }
}

fn incident(frame: &Frame, incident: &Incident) -> IncidentReport {
    let milestone = |milestone: &Milestone| MilestoneReport {
        at_s: milestone.at.seconds(),
        who: milestone.who.clone(),
    };
    IncidentReport {
        number: incident.number,
        what: incident.what.clone(),
        target: incident.target.clone(),
        injected_s: incident.injected.seconds(),
        hurt_s: incident.hurt.map(SimTime::seconds),
        first_hurt: incident.first_hurt.clone(),
        noticed: incident.noticed.as_ref().map(milestone),
        acted: incident.acted.as_ref().map(milestone),
        deed: deed(frame, incident),
        served_s: incident.served.map(SimTime::seconds),
        healed_s: incident.healed.map(SimTime::seconds),
        retried: incident.retried,
        failed: incident.failed,
        lost_writes: incident.lost_writes,
        missing_writes: incident.missing_writes,
        replayed: incident.replayed,
        given_up: incident.given_up,
        lost_sessions: incident.lost_sessions,
        lost_jobs: incident.lost_jobs,
        extra_spent_usd: incident.extra_spent,
        sentence: incident.sentence.clone(),
    }
}

fn refused(ending: &Ending) -> Vec<Refused> {
    let refused = |refusal: &Refusal| Refused {
        at_s: refusal.at.as_secs_f64(),
        line: refusal.place.map(|(line, _)| line),
        column: refusal.place.map(|(_, column)| column),
        command: refusal.command.to_string(),
        why: refusal.why.to_string(),
    };
    ending.refusals.iter().map(refused).collect()
}

fn events(frame: &Frame) -> Vec<Event> {
    frame.log.iter().map(event).collect()
}

fn event(line: &LogLine) -> Event {
    Event {
        at_s: line.at.seconds(),
        severity: match line.severity {
            Severity::Info => "info",
            Severity::Good => "good",
            Severity::Warning => "warning",
            Severity::Bad => "bad",
        },
        text: line.text.clone(),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Users => "users",
        Kind::Dns => "dns",
        Kind::LoadBalancer => "load_balancer",
        Kind::Web => "web",
        Kind::Serverless => "serverless",
        Kind::SessionStore => "session_store",
        Kind::Database => "database",
        Kind::Resolver => "resolver",
        Kind::Autoscaler => "autoscaler",
        Kind::Monitor => "monitor",
        Kind::Cache => "cache",
        Kind::Cdn => "cdn",
        Kind::Shield => "shield",
        Kind::Queue => "queue",
        Kind::Workers => "workers",
        Kind::Removed => "removed",
    }
}

pub(super) fn health(health: Health) -> &'static str {
    match health {
        Health::Booting { .. } => "booting",
        Health::Up => "up",
        Health::Hung => "hung",
        Health::Down => "down",
        Health::Destroyed => "destroyed",
        Health::CutOff => "cut_off",
    }
}
