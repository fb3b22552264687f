//! What is particular to each kind of service, as it stands in a frame.

use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Calls, Sessions, Target, duration};
use crate::observe::{
    AutoscalerState, BackendState, BackendView, BalancerState, CallsProbe, CallsState, Circuit, DnsState, Health,
    ResolverState, ServerlessProbe, ServerlessState, ServiceState, SessionsState, Tally, UsersState,
};
use crate::sim::SimTime;

use super::World;
use super::caches::cache_state;
use super::databases::{database_state, monitor_state};
use super::entries::{InstanceEntry, Role, ServiceEntry};
use super::measure::held;
use super::names::{routing_name, sent};
use super::queues::{publisher_state, queue_state, workers_state};
use super::sample::{add, difference};
use super::upkeep::live;
use super::view::policy_name;

/// Price of a million requests to a function, in US dollars (AWS Lambda, us-east-1).
const PRICE_PER_MILLION: f64 = 0.20;
/// Price of a GiB of memory for a second of a function's life, in US dollars (the same).
const PRICE_PER_GIB_SECOND: f64 = 0.000_016_666_7;

/// What functions have cost since the start, in US dollars.
pub(super) fn bill(spec: &layout::Serverless, probe: &ServerlessProbe) -> f64 {
    let requests = probe.invocations.get() as f64 / 1e6 * PRICE_PER_MILLION;
    requests + probe.billed.get() as f64 / 1e9 * spec.memory_gib * PRICE_PER_GIB_SECOND
}

/// The instances that are seen: those of a service that was removed still answer what they hold, out of sight.
pub(super) fn shown(service: &ServiceEntry) -> impl Iterator<Item = (usize, &InstanceEntry)> {
    let removed = matches!(service.role, Role::Removed { .. });
    service.present().filter(move |_| !removed)
}

/// Where sessions are, in words; `None`: nobody signs in.
pub(super) fn session_mode(sessions: &Sessions) -> Option<String> {
    match sessions {
        Sessions::Off => None,
        Sessions::Local => Some("in each server".to_owned()),
        Sessions::Store(name) => Some(format!("in the store {name}")),
        Sessions::Token => Some("in tokens".to_owned()),
    }
}

/// What an autoscaler holds, in words.
pub(super) fn target(target: Target) -> String {
    match target {
        Target::Utilisation(share) => format!("{:.0}% of the cores", 100.0 * share),
        Target::Requests(rate) => format!("{rate} requests/s each"),
        Target::Depth(messages) => format!("{messages} messages each"),
        Target::Age(age) => format!("no message older than {}", duration::format(age)),
    }
}

/// The settings of calls, in words.
fn policy(calls: &Calls) -> String {
    let mut words = vec![format!("timeout {}", duration::format(calls.timeout))];
    words.push(match calls.retries {
        0 => "no retries".to_owned(),
        1 => "1 retry".to_owned(),
        more => format!("{more} retries"),
    });
    if calls.retries > 0 {
        words.push(match calls.budget {
            Some(share) => format!("budget {:.0}%", 100.0 * share),
            None => "no budget".to_owned(),
        });
    }
    words.push(
        if calls.breaker.is_some() {
            "breaker"
        } else {
            "no breaker"
        }
        .to_owned(),
    );
    if let Some(after) = calls.hedge {
        words.push(format!("hedge after {}", duration::format(after)));
    }
    if let Some(most) = calls.connections {
        words.push(format!("{most} connections"));
    }
    words.join(", ")
}

impl World {
    pub(super) fn service_state(&self, service: &ServiceEntry) -> ServiceState {
        let mut state = ServiceState {
            rate: service.rate,
            trend: service.trend.iter().copied().collect(),
            instances: shown(service)
                .map(|(_, instance)| self.instance_state(instance))
                .collect(),
            balancer: None,
            dns: None,
            users: None,
            database: None,
            monitor: None,
            cache: cache_state(self, service),
            sessions: service.sessions().map(|sessions| SessionsState {
                mode: session_mode(&sessions.borrow()),
                held: held(service),
            }),
            queue: queue_state(self, service),
            workers: workers_state(service),
            publisher: publisher_state(service),
            serverless: None,
            autoscaler: None,
            resolver: None,
            calls: service
                .edges()
                .iter()
                .filter(|edge| !edge.name.is_empty())
                .map(|edge| sum_calls(edge.to, service, &edge.probes.borrow(), &edge.policy.borrow()))
                .collect(),
        };
        match &service.role {
            Role::Users { .. } => state.users = users_state(service),
            Role::Dns { .. } => state.dns = Some(self.dns_state(service)),
            Role::Resolver { probe, caches, .. } => {
                let (holding, longest) = lives(&probe.caches.borrow(), self.now());
                state.resolver = Some(ResolverState {
                    caches: *caches,
                    holding,
                    longest,
                    lookups: probe.lookups.get(),
                    hits: probe.hits.get(),
                });
            }
            Role::LoadBalancer { .. } => self.balancer_state(service, &mut state),
            Role::Web { probes, .. } => {
                for ((number, _), instance) in service.present().zip(&mut state.instances) {
                    let held = probes[number].held.get();
                    let up = instance.health == Health::Up;
                    instance.sessions = Some(if up { held } else { 0 });
                }
            }
            Role::Serverless { .. } => state.serverless = serverless_state(service),
            Role::SessionStore { .. } => {
                let held = held(service);
                state
                    .instances
                    .iter_mut()
                    .for_each(|instance| instance.sessions = Some(held));
            }
            Role::Database { .. } => state.database = database_state(self, service),
            Role::Monitor { .. } => state.monitor = monitor_state(self, service),
            Role::Autoscaler { .. } => state.autoscaler = self.autoscaler_state(service),
            Role::Consumer { probes, .. } => {
                for ((number, _), instance) in service.present().zip(&mut state.instances) {
                    instance.busy_slots = probes[number].busy.get();
                }
            }
            Role::Cache { .. } | Role::Cdn { .. } | Role::Queue { .. } | Role::Removed { .. } => {}
        }
        state
    }

    fn autoscaler_state(&self, service: &ServiceEntry) -> Option<AutoscalerState> {
        let Role::Autoscaler {
            of,
            fleet,
            spec,
            probe,
            decisions,
        } = &service.role
        else {
            return None;
        };
        Some(AutoscalerState {
            of: *of,
            on: fleet.spec.borrow().is_some(),
            min: spec.min,
            max: spec.max,
            target: target(spec.target),
            machines: self.services[*of].staying().count() as u32,
            measured: probe.measured.get(),
            decisions: decisions.iter().cloned().collect(),
        })
    }

    fn dns_state(&self, service: &ServiceEntry) -> DnsState {
        let Role::Dns { zone, probe } = &service.role else {
            unreachable!("only DNS has a zone")
        };
        let now = self.now();
        let checked = zone.health.get().is_some();
        let records = probe.records.borrow();
        let mut state = DnsState {
            ttl: zone.ttl.get(),
            resolvers: 0,
            holding: 0,
            stubs: 0,
            stubs_holding: 0,
            longest: Duration::ZERO,
            records: records
                .iter()
                .map(|record| self.backend_state(record, 0.0, 1.0))
                .collect(),
            checked,
            rules: zone
                .health
                .get()
                .map_or((0, 0), |rules| (rules.down_after, rules.up_after)),
            routing: routing_name(&zone.routing.borrow()).to_owned(),
            sent: sent(self),
        };
        for other in &self.services {
            match &other.role {
                Role::Users { probe, spec, .. } => {
                    let (holding, longest) = lives(&probe.stubs.borrow(), now);
                    state.stubs += spec.stubs;
                    state.stubs_holding += holding;
                    state.longest = state.longest.max(longest);
                }
                Role::Resolver { probe, caches, .. } => {
                    let (holding, longest) = lives(&probe.caches.borrow(), now);
                    state.resolvers += caches;
                    state.holding += holding;
                    state.longest = state.longest.max(longest);
                }
                _ => {}
            }
        }
        state
    }

    /// The view of the balancer that works: the active one of a pair, or the first that is up.
    fn balancer_state(&self, service: &ServiceEntry, state: &mut ServiceState) {
        let Role::LoadBalancer {
            members,
            probes,
            shares,
            ..
        } = &service.role
        else {
            return;
        };
        let spec = members.spec.borrow();
        let floating = matches!(spec.pair, layout::Pair::Floating { .. });
        let works = |number: &usize| {
            service.instances[*number].health == Health::Up && (!floating || probes[*number].active.get())
        };
        let up = |number: &usize| service.instances[*number].health == Health::Up;
        let all = 0..probes.len();
        let viewer = all.clone().find(works).or_else(|| all.clone().find(up)).unwrap_or(0);
        if floating {
            for (instance, (number, entry)) in state.instances.iter_mut().zip(service.present()) {
                instance.active = Some(probes[number].active.get() && entry.health == Health::Up);
            }
        }
        let backends = probes[viewer].backends.borrow();
        let weights = members.servers.borrow();
        // The views of all balancers are mostly in the same order.
        let sent = |(place, backend): (usize, &BackendView)| {
            let of = |views: &[BackendView]| {
                let here = views.get(place).filter(|view| view.id == backend.id);
                let view = here.or_else(|| views.iter().find(|view| view.id == backend.id));
                view.map_or(0, |view| view.sent)
            };
            probes.iter().map(|probe| of(&probe.backends.borrow())).sum()
        };
        let sent: Vec<u64> = backends.iter().enumerate().map(sent).collect();
        let total: u64 = sent.iter().sum();
        let backends = backends.iter().zip(sent).map(|(backend, sent)| {
            let here = shares.iter().find(|(id, _, _)| *id == backend.id);
            let weight = weights
                .iter()
                .find(|(id, _)| *id == backend.id)
                .map_or(1.0, |(_, weight)| *weight);
            BackendState {
                ramp: crate::parts::ramp(backend, &spec, self.now()),
                sent,
                total_share: sent as f64 / total.max(1) as f64,
                ..self.backend_state(backend, here.map_or(0.0, |(_, _, share)| *share), weight)
            }
        });
        state.balancer = Some(BalancerState {
            policy: policy_name(spec.balance).to_owned(),
            check_every: spec.health.every,
            down_after: spec.health.down_after,
            up_after: spec.health.up_after,
            viewer,
            sticky: spec.sticky.as_ref().map(|sticky| sticky.cookie.clone()),
            backends: backends.collect(),
        });
    }

    fn backend_state(&self, backend: &BackendView, share: f64, weight: f64) -> BackendState {
        BackendState {
            instance: self.position(backend.id),
            name: self.selector_of(backend.id),
            share,
            total_share: 0.0,
            sent: backend.sent,
            in_flight: backend.in_flight,
            believed: backend.believed,
            ejected: backend.ejected,
            ramp: 1.0,
            weight,
        }
    }
}

/// How many of these lives go on, and how long the longest does.
fn lives(until: &[SimTime], now: SimTime) -> (u32, Duration) {
    let alive = until.iter().filter(|until| **until > now);
    let longest = alive.clone().map(|until| until.since(now)).max();
    (alive.count() as u32, longest.unwrap_or(Duration::ZERO))
}

fn serverless_state(service: &ServiceEntry) -> Option<ServerlessState> {
    let Role::Serverless { spec, probe, .. } = &service.role else {
        return None;
    };
    let spec = spec.borrow();
    Some(ServerlessState {
        busy: probe.busy.get(),
        starting: probe.starting.get(),
        warm: probe.warm.get(),
        limit: spec.limit,
        cold_starts: probe.cold_starts.get(),
        invocations: probe.invocations.get(),
        throttled: probe.throttled.get(),
        spent: bill(&spec, probe),
    })
}

/// How all instances of a service treat one callee, together.
fn sum_calls(to: usize, caller: &ServiceEntry, probes: &[Rc<CallsProbe>], calls: &Calls) -> CallsState {
    let up = live(caller, probes);
    let sum = |count: fn(&CallsProbe) -> u64| probes.iter().map(|probe| count(probe)).sum::<u64>();
    let breakers = |state| {
        let such = up.clone().filter(|probe| probe.breaker.get() == state);
        if calls.breaker.is_some() {
            such.count() as u32
        } else {
            0
        }
    };
    let in_use = up.clone().map(|probe| probe.connections.in_use()).sum();
    CallsState {
        to,
        calls: sum(|probe| probe.calls.get()),
        failed: sum(|probe| probe.failed.get()),
        retried: sum(|probe| probe.retried.get()),
        over_budget: sum(|probe| probe.over_budget.get()),
        hedged: sum(|probe| probe.hedged.get()),
        stopped: sum(|probe| probe.stopped.get()),
        breakers: [Circuit::Closed, Circuit::Open, Circuit::HalfOpen].map(breakers),
        connections: calls.connections.map(|_| in_use),
        most_connections: calls
            .connections
            .map(|most| most.saturating_mul(up.clone().count() as u32)),
        waiting: up.clone().map(|probe| probe.connections.waiting()).sum(),
        policy: policy(calls),
    }
}

fn users_state(service: &ServiceEntry) -> Option<UsersState> {
    let Role::Users {
        spec,
        throttle,
        probe,
        seen,
        ..
    } = &service.role
    else {
        return None;
    };
    let total = probe.tally.get();
    let mut recent: Tally = difference(total, seen.last);
    seen.seconds.iter().for_each(|second| add(&mut recent, *second));
    Some(UsersState {
        count: spec.count,
        rate: seen.trend.back().copied().map_or(0.0, f64::from),
        total,
        recent,
        by_ask: std::array::from_fn(|ask| probe.by_ask[ask].get()),
        asks: throttle.asks.get().weights(),
        waiting: total.sent - total.ok - total.failed,
        sessions: probe.sessions.get(),
        stale_assets: probe.stale_assets.get(),
        trend: seen.trend.iter().copied().collect(),
    })
}
