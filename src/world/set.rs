//! Settings that are changed while the world runs.

use std::rc::Rc;
use std::time::Duration;

use crate::command::{Command, CommandError, Selector, Setting};
use crate::layout::{
    self, Calls, Database, Failover, Mode, Near, RateLimit, Replication, Routing, Rule, Sessions, Sticky, Strategy,
    printable,
};
use crate::observe::Severity;
use crate::protocol::{Layer, Request, Revocation};
use crate::sim::{InstanceId, ProcessState};

use super::World;
use super::apply::{Done, done, refuse};
use super::discover::refresh_zone;
use super::entries::{Edge, Role, ServiceEntry};
use super::queues;
use super::select::instances;
use super::view::refresh_topology;

/// Changes a setting of all services that are named.
pub(super) fn set(world: &mut World, target: &Selector, setting: &Setting) -> Done {
    let name = printable(&target.0);
    let mut hit: Vec<usize> = instances(world, target)?
        .into_iter()
        .map(|(service, _)| service)
        .collect();
    hit.dedup();
    // An autoscaler's settings are changed through its tier too.
    let scalers = world
        .services
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| match &entry.role {
            Role::Autoscaler { of, .. } if hit.contains(of) => Some(index),
            _ => None,
        });
    let scalers: Vec<usize> = scalers.filter(|index| !hit.contains(index)).collect();
    hit.extend(scalers);
    let fitting: Vec<usize> = hit
        .into_iter()
        .filter(|service| fits(world, *service, setting))
        .collect();
    if fitting.is_empty() {
        return refuse(format!("{name} has no setting {}", word(setting)));
    }
    for service in &fitting {
        check(world, *service, setting)?;
    }
    for service in fitting {
        change(world, service, setting);
        if matches!(setting, Setting::Routing(_)) {
            refresh_zone(world, false);
        }
        let mut told: Vec<_> = world.services[service]
            .present()
            .map(|(_, instance)| instance.id)
            .collect();
        told.extend(sharers(world, service));
        if let Role::Database { cluster, .. } = &world.services[service].role {
            // All of it shares the settings, wherever its nodes stand; so do those who query it.
            let shards = cluster.shards.borrow();
            told.extend(shards.iter().flatten().map(|member| member.id));
            told.extend(cluster.clients.borrow().iter());
            told.sort_unstable();
            told.dedup();
        }
        for id in told {
            world.kernel.cast(id, Request::Retune);
        }
    }
    refresh_topology(world);
    Ok(done(world, Severity::Info, format!("set {name} {setting}")))
}

/// Those who share the settings of a service: the shield of a CDN, the resolvers of the name service, and who keeps near copies of what a cache tier holds.
fn sharers(world: &World, service: usize) -> Vec<InstanceId> {
    let mut sharing: Vec<usize> = Vec::new();
    match &world.services[service].role {
        Role::Cdn { shield, .. } => sharing.extend(*shield),
        // Resolvers measure for the name service, if users are sent by that.
        Role::Dns { .. } => {
            let services = world.services.iter().enumerate();
            let resolvers = services.filter(|(_, entry)| matches!(entry.role, Role::Resolver { .. }));
            sharing.extend(resolvers.map(|(index, _)| index));
        }
        Role::Cache { tier, .. } => {
            let services = world.services.iter().enumerate();
            let users = services.filter(|(_, entry)| match &entry.role {
                Role::Web { near, .. } | Role::Serverless { near, .. } => {
                    near.as_ref().is_some_and(|near| Rc::ptr_eq(near, tier))
                }
                _ => false,
            });
            sharing.extend(users.map(|(index, _)| index));
        }
        _ => {}
    }
    let instances = sharing.iter().flat_map(|service| world.services[*service].present());
    instances.map(|(_, instance)| instance.id).collect()
}

/// Refuses the first data center that is not there.
fn known_sites<'a>(world: &World, mut sites: impl Iterator<Item = &'a String>) -> Result<(), CommandError> {
    match sites.find(|site| !world.sites.contains(site)) {
        Some(unknown) => refuse(format!("there is no data center {}", printable(unknown))),
        None => Ok(()),
    }
}

/// The name of a setting.
fn word(setting: &Setting) -> String {
    let text = setting.to_string();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Whether a service has a setting.
fn fits(world: &World, service: usize, setting: &Setting) -> bool {
    let role = &world.services[service].role;
    match setting {
        Setting::Sessions(_) => matches!(role, Role::Web { .. } | Role::Serverless { .. }),
        Setting::Sticky(_) | Setting::Outlier(_) | Setting::SlowStart(_) => matches!(role, Role::LoadBalancer { .. }),
        Setting::Timeout(_)
        | Setting::Retries(_)
        | Setting::RetryWrites(_)
        | Setting::Budget(_)
        | Setting::Hedge(_)
        | Setting::Breaker(_)
        | Setting::Connections(_) => calls_others(role),
        Setting::RateLimit(_) => matches!(role, Role::LoadBalancer { .. } | Role::Web { .. }),
        Setting::Shed(_) => matches!(role, Role::Web { .. }),
        Setting::CheckEvery(_) | Setting::DownAfter(_) => match role {
            Role::Dns { zone, .. } => zone.health.get().is_some(),
            _ => matches!(role, Role::LoadBalancer { .. }),
        },
        Setting::Ttl(_) => matches!(role, Role::Dns { .. } | Role::Cache { .. }),
        Setting::Mode(_)
        | Setting::Reads(_)
        | Setting::ReadYourWrites(_)
        | Setting::Recovery(_)
        | Setting::Replace(_) => of_database(role, |spec| spec.replication.primary_replicas().is_some()),
        Setting::Failover(_) | Setting::Fencing(_) => {
            of_database(role, |spec| spec.replication.primary_replicas().is_some())
        }
        Setting::Rule(_) => of_database(role, |spec| spec.replication.peers().is_some()),
        Setting::Close(_) => of_database(role, |spec| matches!(spec.replication, Replication::Circular(_))),
        Setting::CopyRate(_) => of_database(role, |_| true),
        Setting::Hot(_) | Setting::Asks(_) => matches!(role, Role::Users { .. }),
        Setting::Evict(_) | Setting::Room(_) | Setting::SingleFlight(_) => {
            matches!(role, Role::Cache { .. }) || is_edge(role)
        }
        Setting::Jitter(_)
        | Setting::Strategy(_)
        | Setting::Invalidate(_)
        | Setting::RefreshAhead(_)
        | Setting::Early(_)
        | Setting::Negative(_)
        | Setting::Near(_)
        | Setting::Rehash(_) => matches!(role, Role::Cache { .. }),
        Setting::Pages(_)
        | Setting::StaleWhileRevalidate(_)
        | Setting::StaleIfError(_)
        | Setting::NextEdge(_)
        | Setting::Standby(_)
        | Setting::Weight(_) => is_edge(role),
        Setting::OriginFallback(_) | Setting::Routing(_) => matches!(role, Role::Dns { .. }),
        Setting::Visibility(_)
        | Setting::Attempts(_)
        | Setting::Delay(_)
        | Setting::Retention(_)
        | Setting::Messages(_) => matches!(role, Role::Queue { .. }),
        Setting::Prefetch(_) | Setting::Delivery(_) | Setting::Fails(_) => matches!(role, Role::Consumer { .. }),
        Setting::Confirm(_) | Setting::Fallback(_) => matches!(
            role,
            Role::Web { publish: Some(_), .. } | Role::Serverless { publish: Some(_), .. }
        ),
        Setting::Autoscaler(_) | Setting::Min(_) | Setting::Max(_) | Setting::Target(_) => {
            matches!(role, Role::Autoscaler { .. })
        }
    }
}

fn of_database(role: &Role, fits: impl Fn(&Database) -> bool) -> bool {
    matches!(role, Role::Database { cluster, .. } if fits(&cluster.spec.borrow()))
}

fn calls_others(role: &Role) -> bool {
    matches!(
        role,
        Role::Users { .. }
            | Role::LoadBalancer { .. }
            | Role::Web { .. }
            | Role::Serverless { .. }
            | Role::Cache { .. }
            | Role::Queue { .. }
            | Role::Consumer { .. }
    ) || is_edge(role)
}

/// Whether a service is the edges of a CDN, by which its shield is set too.
fn is_edge(role: &Role) -> bool {
    matches!(role, Role::Cdn { layer: Layer::Edge, .. })
}

/// What only this world can tell of a setting.
fn check(world: &World, service: usize, setting: &Setting) -> Result<(), CommandError> {
    let entry = &world.services[service];
    let name = &entry.selector;
    match (setting, &entry.role) {
        (Setting::Sessions(Sessions::Local), Role::Serverless { .. }) => {
            refuse(format!("{name} are functions: they have no memory that lasts"))
        }
        (Setting::Sessions(Sessions::Store(store)), _) => {
            let is_store = |edge: &Edge| matches!(world.services[edge.to].role, Role::SessionStore { .. });
            let mut stores = entry
                .edges()
                .iter()
                .filter(|edge| is_store(edge))
                .map(|edge| edge.name.as_str());
            if stores.any(|known| known == store) {
                return Ok(());
            }
            let known: Vec<&str> = entry
                .edges()
                .iter()
                .filter(|edge| is_store(edge))
                .map(|edge| edge.name.as_str())
                .collect();
            let known = if known.is_empty() {
                "its data center has none".to_owned()
            } else {
                format!("there is {}", known.join(", "))
            };
            refuse(format!("there is no session store {}: {known}", printable(store)))
        }
        (Setting::Strategy(strategy), Role::Cache { edges, .. }) if strategy.loads_through() && edges.is_empty() => {
            refuse(format!("{name} has no database behind it that it could ask"))
        }
        (Setting::Ttl(ttl), Role::Cache { .. }) if ttl.is_zero() => {
            refuse("the ttl of a cache must be longer than 0: nothing would be kept")
        }
        (Setting::OriginFallback(_), Role::Dns { .. }) if !has_cdn(world) => {
            refuse("there is no CDN for which the data centers could stand in")
        }
        (Setting::Routing(Routing::Geo | Routing::Latency), _) if world.geography.ways.is_empty() => {
            refuse("nobody knows who is near without `regions` in the layout")
        }
        (Setting::Routing(Routing::Weighted(weights)), _) => known_sites(world, weights.keys()),
        (Setting::Routing(Routing::Failover(order)), _) => known_sites(world, order.iter()),
        (Setting::Asks(_), _) => {
            // Who uploads needs somebody who publishes it: the layout knows.
            let command = Command::Set(Selector(entry.selector.clone()), setting.clone());
            command.edited(&world.layout).map(|_| ())
        }
        (Setting::Min(min), Role::Autoscaler { spec, .. }) if *min > spec.max => {
            refuse(format!("the minimum can't be above the maximum, which is {}", spec.max))
        }
        (Setting::Max(max), Role::Autoscaler { spec, .. }) if *max < spec.min => {
            refuse(format!("the maximum can't be below the minimum, which is {}", spec.min))
        }
        (Setting::Failover(Some(_)), Role::Database { cluster, .. }) if cluster.monitors.borrow().is_empty() => refuse(
            format!("{name} has no monitors: give it `failover: Automatic()` in the layout"),
        ),
        (Setting::Fencing(_), Role::Database { cluster, .. })
            if cluster
                .spec
                .borrow()
                .replication
                .primary_replicas()
                .is_none_or(|settings| settings.failover.is_none()) =>
        {
            refuse(format!(
                "failover of {name} is by hand: there is no lease that could run out"
            ))
        }
        (Setting::Mode(Mode::Quorum), Role::Database { cluster, .. })
            if cluster.shards.borrow().iter().any(|members| members.len() < 3) =>
        {
            refuse(format!(
                "{name} has shards of two nodes, of which a majority is both: set synchronous, or `replicate {name}`"
            ))
        }
        (Setting::Rule(Rule::SitePriority(sites)), _) => known_sites(world, sites.iter()),
        (Setting::Sticky(Some(_)), Role::LoadBalancer { edge, .. })
            if !matches!(world.services[edge.to].role, Role::Web { .. }) =>
        {
            refuse(format!(
                "{name} has no web tier behind it whose servers users could stick to"
            ))
        }
        _ => queues::check_setting(world, service, setting),
    }
}

fn has_cdn(world: &World) -> bool {
    let mut services = world.services.iter();
    services.any(|entry| matches!(entry.role, Role::Cdn { .. }))
}

fn change(world: &mut World, service: usize, setting: &Setting) {
    let entry = &world.services[service];
    if let (Setting::Sessions(new), Some(sessions)) = (setting, entry.sessions()) {
        sessions.borrow_mut().clone_from(new);
        return;
    }
    let shield = match &entry.role {
        Role::Cdn { shield, .. } => *shield,
        _ => None,
    };
    for service in std::iter::once(service).chain(shield) {
        for edge in world.services[service].edges() {
            change_calls(&mut edge.policy.borrow_mut(), edge.breaker, setting);
        }
    }
    if let Setting::Strategy(strategy) = setting {
        change_patience(world, service, *strategy);
    }
    let entry = &mut world.services[service];
    if let Role::Web {
        publish: Some(publish), ..
    }
    | Role::Serverless {
        publish: Some(publish), ..
    } = &entry.role
    {
        match setting {
            Setting::Confirm(on) => publish.borrow_mut().confirm = *on,
            Setting::Fallback(fallback) => publish.borrow_mut().fallback = *fallback,
            _ => {}
        }
    }
    match &mut entry.role {
        Role::Queue { spec, .. } => change_queue(&mut spec.borrow_mut(), setting),
        Role::Consumer { spec, .. } => match setting {
            Setting::Prefetch(most) => spec.borrow_mut().prefetch = *most,
            Setting::Delivery(delivery) => spec.borrow_mut().delivery = *delivery,
            Setting::Fails(share) => spec.borrow_mut().fails = *share,
            _ => {}
        },
        Role::LoadBalancer { members, .. } => {
            let mut spec = members.spec.borrow_mut();
            match setting {
                Setting::Sticky(cookie) => spec.sticky = cookie.clone().map(|cookie| Sticky { cookie }),
                Setting::Outlier(on) => spec.outlier = on.then(|| spec.outlier.unwrap_or_default()),
                Setting::SlowStart(time) => spec.slow_start = *time,
                Setting::RateLimit(rate) => spec.rate_limit = rate.map(RateLimit::of),
                Setting::CheckEvery(every) => spec.health.every = *every,
                Setting::DownAfter(checks) => spec.health.down_after = *checks,
                _ => {}
            }
        }
        Role::Cache { tier, .. } => change_cache(&mut tier.spec.borrow_mut(), setting),
        Role::Cdn { spec, .. } => change_cdn(&mut spec.borrow_mut(), setting),
        Role::Database { cluster, .. } => change_database(&mut cluster.spec.borrow_mut(), &world.sites, setting),
        Role::Users { throttle, .. } => match setting {
            Setting::Hot(share) => throttle.hot.set(*share),
            Setting::Asks(asks) => throttle.asks.set(*asks),
            _ => {}
        },
        Role::Web { spec, .. } => match setting {
            Setting::RateLimit(rate) => spec.borrow_mut().rate_limit = rate.map(RateLimit::of),
            Setting::Shed(longest) => spec.borrow_mut().shed = *longest,
            _ => {}
        },
        Role::Dns { zone, .. } => {
            let health = zone.health.get();
            match setting {
                Setting::Ttl(ttl) => zone.ttl.set(*ttl),
                Setting::OriginFallback(on) => zone.origin_fallback.set(*on),
                Setting::Routing(policy) => *zone.routing.borrow_mut() = policy.clone(),
                Setting::CheckEvery(every) => zone.health.set(health.map(|rules| with_every(rules, *every))),
                Setting::DownAfter(checks) => {
                    let changed = health.map(|mut rules| {
                        rules.down_after = *checks;
                        rules
                    });
                    zone.health.set(changed);
                }
                _ => {}
            }
        }
        Role::Autoscaler { fleet, spec, .. } => {
            let mut on = fleet.spec.borrow().is_some();
            match setting {
                Setting::Autoscaler(wanted) => on = *wanted,
                Setting::Min(min) => spec.min = *min,
                Setting::Max(max) => spec.max = *max,
                Setting::Target(target) => spec.target = *target,
                _ => {}
            }
            *fleet.spec.borrow_mut() = on.then_some(*spec);
        }
        _ => {}
    }
}

fn change_database(spec: &mut Database, sites: &[String], setting: &Setting) {
    if let Setting::CopyRate(rate) = setting {
        spec.copy_rate = *rate;
    }
    match &mut spec.replication {
        Replication::PrimaryReplicas(settings) => match setting {
            Setting::Mode(mode) => settings.mode = *mode,
            Setting::Reads(reads) => settings.reads = *reads,
            Setting::ReadYourWrites(on) => settings.read_your_writes = *on,
            Setting::Recovery(on) => settings.recovery = *on,
            Setting::Replace(after) => settings.replace = *after,
            Setting::Failover(after) => {
                let before = settings.failover.unwrap_or_default();
                settings.failover = after.map(|after| Failover { after, ..before });
            }
            Setting::Fencing(on) => settings.failover.iter_mut().for_each(|failover| failover.fencing = *on),
            _ => {}
        },
        Replication::MultiPrimary(peers) | Replication::Circular(peers) => match setting {
            Setting::Rule(rule) => peers.rule = rule.clone().completed(sites.iter().map(String::as_str)),
            Setting::Close(after) => peers.close = *after,
            _ => {}
        },
        Replication::None => {}
    }
}

/// Who asks a cache that asks a database waits longer for it, if the layout does not say otherwise.
fn change_patience(world: &World, cache: usize, strategy: Strategy) {
    let (usual, patient) = (Calls::to_cache().timeout, Calls::through_cache().timeout);
    let (before, after) = if strategy.loads_through() {
        (usual, patient)
    } else {
        (patient, usual)
    };
    let edges = world.services.iter().flat_map(ServiceEntry::edges);
    for edge in edges.filter(|edge| edge.to == cache && !edge.name.is_empty()) {
        let mut calls = edge.policy.borrow_mut();
        if calls.timeout == before {
            calls.timeout = after;
        }
    }
}

fn change_cache(spec: &mut layout::Cache, setting: &Setting) {
    match setting {
        Setting::Evict(evict) => spec.evict = *evict,
        Setting::Room(room) => spec.room = *room,
        Setting::Ttl(ttl) => spec.ttl = *ttl,
        Setting::Jitter(share) => spec.jitter = *share,
        Setting::Strategy(strategy) => spec.strategy = *strategy,
        Setting::Invalidate(how) => spec.invalidate = *how,
        Setting::SingleFlight(on) => spec.single_flight = *on,
        Setting::RefreshAhead(share) => spec.refresh_ahead = *share,
        Setting::Early(beta) => spec.early = *beta,
        Setting::Negative(time) => spec.negative = *time,
        Setting::Near(ttl) => {
            let items = spec.near.unwrap_or_default().items;
            spec.near = ttl.map(|ttl| Near { items, ttl });
        }
        Setting::Rehash(on) => spec.rehash = *on,
        _ => {}
    }
}

fn change_queue(spec: &mut layout::Queue, setting: &Setting) {
    match setting {
        Setting::Visibility(time) => spec.visibility = *time,
        Setting::Attempts(most) => spec.attempts = *most,
        Setting::Delay(time) => spec.delay = *time,
        Setting::Retention(time) => spec.retention = *time,
        Setting::Messages(most) => spec.messages = *most,
        _ => {}
    }
}

fn change_cdn(spec: &mut layout::Cdn, setting: &Setting) {
    match setting {
        Setting::Evict(evict) => spec.evict = *evict,
        Setting::Room(room) => spec.room = *room,
        Setting::SingleFlight(on) => spec.coalesce = *on,
        Setting::Pages(ttl) => spec.pages = *ttl,
        Setting::StaleWhileRevalidate(time) => spec.stale_while_revalidate = *time,
        Setting::StaleIfError(time) => spec.stale_if_error = *time,
        Setting::NextEdge(on) => spec.next_edge = *on,
        Setting::Standby(on) => spec.standby = *on,
        Setting::Weight(weight) => spec.weight = *weight,
        _ => {}
    }
}

fn with_every(mut rules: crate::layout::HealthCheck, every: Duration) -> crate::layout::HealthCheck {
    rules.every = every;
    rules
}

fn change_calls(calls: &mut Calls, breaker: crate::layout::Breaker, setting: &Setting) {
    match setting {
        Setting::Timeout(timeout) => calls.timeout = *timeout,
        Setting::Retries(retries) => calls.retries = *retries,
        Setting::RetryWrites(on) => calls.retry_writes = *on,
        Setting::Budget(budget) => calls.budget = *budget,
        Setting::Breaker(on) => calls.breaker = on.then_some(breaker),
        Setting::Hedge(after) => calls.hedge = *after,
        Setting::Connections(most) => calls.connections = *most,
        _ => {}
    }
}

/// Ends the sessions of a share of a population's users, as far as anybody holds them.
pub(super) fn revoke(world: &mut World, users: &Selector, share: f64) -> Done {
    let name = printable(&users.0);
    let mut populations: Vec<u32> = Vec::new();
    for (service, _) in instances(world, users)? {
        match &world.services[service].role {
            Role::Users { number, .. } => populations.push(*number),
            _ => return refuse(format!("{name} are not users: only their sessions can be revoked")),
        }
    }
    let at = world.now();
    let holders: Vec<_> = world
        .services
        .iter()
        .filter(|entry| {
            matches!(
                entry.role,
                Role::Users { .. } | Role::Web { .. } | Role::SessionStore { .. }
            )
        })
        .flat_map(|entry| entry.present().map(|(_, instance)| instance.id))
        .collect();
    // Who doesn't hear of it would go on as if nothing were. What is only in memory is gone with its process.
    let deaf = world.services.iter().find_map(|entry| {
        let keeps = match &entry.role {
            Role::SessionStore { spec, .. } => spec.durable,
            Role::Web { .. } => false,
            _ => return None,
        };
        let mut present = entry.present().map(|(_, instance)| instance);
        present.find(|instance| match world.kernel.process_state(instance.id) {
            ProcessState::Up => false,
            ProcessState::Hung => true,
            ProcessState::Down | ProcessState::Booting { .. } => keeps,
        })
    });
    if let Some(deaf) = deaf {
        return refuse(format!(
            "{} holds sessions and can't be told: mend it first",
            deaf.selector
        ));
    }
    for population in populations {
        let revocation = Revocation { population, share, at };
        for holder in &holders {
            world.kernel.cast(*holder, Request::Revoke(revocation));
        }
    }
    let text = format!("revoked the sessions of {:.0}% of {name}", 100.0 * share);
    Ok(done(world, Severity::Info, text))
}
