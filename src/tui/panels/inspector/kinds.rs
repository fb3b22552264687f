//! What is particular to each kind of service.

use crate::layout::duration;
use crate::observe::{
    AutoscalerState, BalancerState, CallsState, DnsState, Frame, ResolverState, ServerlessState, ServiceState,
    SessionTally, SessionsState, UsersState,
};
use crate::tui::map;
use crate::tui::panels::routing;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::{Line, data, line, queues};

/// Decisions of an autoscaler that are shown.
const DECISIONS: usize = 6;

/// All that is known of a service beyond its machines.
pub(super) fn lines(frame: &Frame, state: &ServiceState) -> Vec<Line> {
    let mut lines = Vec::new();
    lines.extend(state.balancer.iter().flat_map(balancer));
    lines.extend(state.dns.iter().flat_map(|dns| names(frame, dns)));
    lines.extend(state.resolver.iter().flat_map(resolver));
    lines.extend(state.users.iter().flat_map(users));
    lines.extend(state.sessions.iter().flat_map(sessions));
    lines.extend(stored(state));
    lines.extend(state.serverless.iter().flat_map(functions));
    lines.extend(state.autoscaler.iter().flat_map(|scaler| autoscaler(frame, scaler)));
    lines.extend(state.workers.iter().flat_map(|workers| queues::workers(frame, workers)));
    lines.extend(
        state
            .publisher
            .iter()
            .flat_map(|publisher| queues::publisher(frame, publisher)),
    );
    lines.extend(state.calls.iter().flat_map(|called| calls(frame, called)));
    if let Some(database) = &state.database {
        lines.push(line("rows", text::count(database.rows)));
        lines.push(line("reads", text::count(database.reads)));
        lines.push(line("writes", text::count(database.writes)));
        lines.extend(data::database(database));
    }
    lines.extend(state.monitor.iter().flat_map(|monitor| data::monitor(frame, monitor)));
    lines
}

/// A count that should be 0.
pub(super) fn counted(label: &str, count: u64, words: &str, role: Role) -> Option<Line> {
    (count > 0).then(|| (label.to_string(), format!("{}{words}", text::count(count)), role))
}

fn balancer(balancer: &BalancerState) -> Vec<Line> {
    let sticky = balancer.sticky.as_ref();
    let sticky = sticky.map_or("no: any server serves anybody".to_string(), |cookie| {
        format!("by the cookie {cookie}")
    });
    vec![
        line("policy", balancer.policy.clone()),
        line("sticky", sticky),
        line("checks", format!("every {}", duration::format(balancer.check_every))),
        line(
            "out, in",
            format!("after {} failed, {} passed", balancer.down_after, balancer.up_after),
        ),
    ]
}

fn names(frame: &Frame, dns: &DnsState) -> Vec<Line> {
    let mut lines = vec![
        line("ttl", duration::format(dns.ttl)),
        line(
            "resolvers",
            format!("{} of {} hold an answer", dns.holding, dns.resolvers),
        ),
        line(
            "devices",
            format!("{} of {} hold an answer", dns.stubs_holding, dns.stubs),
        ),
        line("longest", text::ago(dns.longest)),
    ];
    if !dns.sent.is_empty() {
        lines.push(line("routing", dns.routing.clone()));
    }
    for sent in &dns.sent {
        let users = frame.topology.services.get(sent.users).map_or("", |users| &users.name);
        let site = sent.site.and_then(|site| frame.topology.sites.get(site));
        let to = site.map_or_else(String::new, |site| format!("→ {}: ", site.name));
        lines.push(line(users, format!("{to}{}", sent.why)));
    }
    if !dns.checked {
        lines.push(line("checks", "none: it answers whatever happens"));
    }
    let rules = Some(dns.rules).filter(|_| dns.checked);
    for record in &dns.records {
        let (words, role) = match (dns.checked, truth::misnamed(frame, record)) {
            _ if truth::evacuated(frame, record) => ("evacuated".to_string(), Role::Warning),
            (false, _) => ("answered".to_string(), Role::Text),
            (true, false) => (
                format!("believed {}", truth::belief(record, rules, frame.at)),
                Role::Text,
            ),
            (true, true) => {
                let belief = truth::belief(record, rules, frame.at);
                (format!("believed {belief} ◀ wrong"), Role::Mismatch)
            }
        };
        lines.push((record.name.clone(), words, role));
    }
    lines
}

fn resolver(resolver: &ResolverState) -> Vec<Line> {
    let share = text::percent(resolver.hits as f64 / resolver.lookups.max(1) as f64);
    vec![
        line(
            "caches",
            format!("{} of {} hold an answer", resolver.holding, resolver.caches),
        ),
        line("longest", text::ago(resolver.longest)),
        line("asked", text::count(resolver.lookups)),
        line("from cache", format!("{}, {share}", text::count(resolver.hits))),
    ]
}

fn users(users: &UsersState) -> Vec<Line> {
    let ok = match users.recent.ok + users.recent.failed {
        0 => "–".to_string(),
        _ => text::percent(users.recent.ok_ratio()),
    };
    let mut lines = vec![
        line("people", text::count(users.count)),
        line("asking", text::rate(users.rate)),
        line("waiting", text::count(users.waiting)),
        ("ok (10s)".to_string(), ok, map::ok_role(users.recent.ok_ratio())),
        line("sent", text::count(users.total.sent)),
        line("failed", text::count(users.total.failed)),
        line("retried", text::count(users.total.retried)),
    ];
    lines.extend(counted(
        "stale files",
        users.stale_assets,
        " older than those of the site",
        Role::Warning,
    ));
    lines.extend(tally(&users.sessions));
    lines
}

/// Sessions as users see them, where there are any.
fn tally(sessions: &SessionTally) -> Vec<Line> {
    if sessions.issued == 0 {
        return Vec::new();
    }
    let (now, issued) = (text::count(sessions.signed_in), text::count(sessions.issued));
    let mut lines = vec![line("signed in", format!("{now}, {issued} times in all"))];
    lines.extend(counted(
        "signed out",
        sessions.lost,
        ": the session was lost",
        Role::Bad,
    ));
    lines.extend(counted("expired", sessions.expired, "", Role::Text));
    lines.extend(counted("revoked", sessions.revoked, "", Role::Text));
    lines.extend(counted("", sessions.revoked_served, " served all the same", Role::Bad));
    lines
}

fn sessions(sessions: &SessionsState) -> Vec<Line> {
    let Some(mode) = &sessions.mode else {
        return vec![line("sessions", "none: nobody signs in")];
    };
    let held = text::count(sessions.held);
    let words = if mode == truth::LOCAL {
        format!("{mode}, {held} held: they go down with it")
    } else if sessions.held > 0 {
        format!("{mode}, {held} still held here")
    } else {
        mode.clone()
    };
    vec![line("sessions", words)]
}

/// What a store holds.
fn stored(state: &ServiceState) -> Option<Line> {
    let held: Option<u64> = state.instances.iter().map(|instance| instance.sessions).sum();
    let held = held.filter(|_| state.sessions.is_none() && !state.instances.is_empty())?;
    Some(line("sessions", format!("{} held for everybody", text::count(held))))
}

fn functions(functions: &ServerlessState) -> Vec<Line> {
    let count = |value: u32| text::count(u64::from(value));
    let share = f64::from(functions.busy) / f64::from(functions.limit.max(1));
    let cold = text::percent(functions.cold_starts as f64 / functions.invocations.max(1) as f64);
    let million = functions.spent / functions.invocations.max(1) as f64 * 1e6;
    let mut lines = vec![
        (
            "busy".to_string(),
            format!("{} of {} at once", count(functions.busy), count(functions.limit)),
            truth::load(share),
        ),
        line(
            "starting",
            format!("{}, their requests wait", count(functions.starting)),
        ),
        line("warm", format!("{} idle", count(functions.warm))),
        line("requests", text::count(functions.invocations)),
        line("cold starts", format!("{}, {cold}", text::count(functions.cold_starts))),
        line(
            "spent",
            format!(
                "{}, {} for a million requests",
                text::cost(functions.spent),
                text::dollars(million)
            ),
        ),
    ];
    lines.extend(counted("turned away", functions.throttled, " at the limit", Role::Bad));
    lines
}

fn autoscaler(frame: &Frame, scaler: &AutoscalerState) -> Vec<Line> {
    let tier = frame.topology.services.get(scaler.of).map_or("", |of| &of.selector);
    let on = if scaler.on {
        ("on", Role::Good)
    } else {
        ("off", Role::Warning)
    };
    let mut lines = vec![
        ("autoscaler".to_string(), format!("{}, of {tier}", on.0), on.1),
        line(
            "machines",
            format!("{}, from {} to {}", scaler.machines, scaler.min, scaler.max),
        ),
        line("holds", scaler.target.clone()),
        line("measured", truth::measured(scaler)),
    ];
    if scaler.decisions.is_empty() {
        lines.push(line("decisions", "none so far"));
    }
    for decision in scaler.decisions.iter().rev().take(DECISIONS) {
        let time = decision.at.to_string();
        lines.push(line(&time[..time.len().saturating_sub(2)], decision.text.clone()));
    }
    lines
}

/// How it treats a service that it calls: its settings in words, then what came of it.
fn calls(frame: &Frame, calls: &CallsState) -> Vec<Line> {
    let to = frame.topology.services.get(calls.to).map_or("", |to| &to.name);
    let mut lines = vec![line(&format!("→ {to}"), calls.policy.clone())];
    let failed = if calls.failed > 0 { Role::Warning } else { Role::Text };
    let words = format!("{}, {} failed", text::count(calls.calls), text::count(calls.failed));
    lines.push(("  calls".to_string(), words, failed));
    if let Some((words, role)) = routing::breakers(calls.breakers) {
        lines.push(("  breakers".to_string(), words, role));
    }
    lines.extend(counted("  retried", calls.retried, "", Role::Warning));
    lines.extend(counted("", calls.over_budget, " not, over the budget", Role::Warning));
    lines.extend(counted(
        "  stopped",
        calls.stopped,
        " by an open breaker",
        Role::Warning,
    ));
    lines.extend(counted("  hedged", calls.hedged, " asked a second time", Role::Text));
    if let (Some(used), Some(most)) = (calls.connections, calls.most_connections) {
        let (used, most) = (text::count(u64::from(used)), text::count(u64::from(most)));
        let role = if calls.waiting > 0 { Role::Over } else { Role::Text };
        let words = format!(
            "{used} of {most} in use, {} wait",
            text::count(u64::from(calls.waiting))
        );
        lines.push(("  pool".to_string(), words, role));
    }
    lines
}
