//! Which fields of a layout say what commands set, so that a running system can be kept as a file.

use std::time::Duration;

use serde::Serialize;

use super::edits::{Spot, services};
use super::model::{Command, Selector};
use super::selector::{is_number, matches};
use super::setting::Setting;
use crate::layout::{
    Asks, Balance, Edit, Failover, Layout, Room, Service, Sessions, Strategy, autoscaler_of, bytes, duration,
};

/// The changes of the text that say what a command has set; `None` where a layout has no words for it.
pub(super) fn edits(command: &Command, layout: &Layout) -> Option<Vec<Edit>> {
    match command {
        Command::Scale(target, count) => of_each(layout, target, |path, _| {
            Some(vec![Edit::Put(with(path, &["machines"]), count.to_string())])
        }),
        Command::Resize(target, size) => resized(layout, target, size),
        Command::Balance(target, how) => of_each(layout, target, |path, _| {
            Some(vec![Edit::Put(with(path, &["balance"]), word_of(*how).to_owned())])
        }),
        Command::Replicate(target) => of_each(layout, target, |path, spot| match spot.service {
            Service::Database(spec) if !layout.databases.contains_key(spot.name) => Some(vec![Edit::Put(
                with(path, &["machines"]),
                (spec.machines + 1).to_string(),
            )]),
            _ => None,
        }),
        Command::Shard(target) => of_each(layout, target, |path, spot| match spot.service {
            Service::Database(spec) => Some(vec![Edit::Put(
                with(path, &["sharding", "shards"]),
                (spec.shards() + 1).to_string(),
            )]),
            _ => None,
        }),
        Command::Set(target, setting) => set(layout, target, setting),
        _ => None,
    }
}

fn with(path: &[String], more: &[&str]) -> Vec<String> {
    let more = more.iter().map(|name| (*name).to_owned());
    path.iter().cloned().chain(more).collect()
}

/// The changes of each service that is named; none at all if one of them can't be written.
fn of_each(
    layout: &Layout,
    target: &Selector,
    change: impl Fn(&[String], Spot) -> Option<Vec<Edit>>,
) -> Option<Vec<Edit>> {
    let spots = services(layout, target);
    let changes = spots.iter().map(|spot| {
        let path = layout.path_to_service(spot.site, spot.name);
        change(&path, *spot)
    });
    let edits: Vec<Edit> = changes.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    (!edits.is_empty()).then_some(edits)
}

fn resized(layout: &Layout, target: &Selector, size: &str) -> Option<Vec<Edit>> {
    of_each(layout, target, |path, spot| match spot.service.host() {
        Some(_) => None,
        None => Some(vec![Edit::Put(with(path, &["size"]), format!("{size:?}"))]),
    })
}

fn word_of(balance: Balance) -> &'static str {
    match balance {
        Balance::RoundRobin => "RoundRobin",
        Balance::Weighted => "Weighted",
        Balance::Random => "Random",
        Balance::LeastConnections => "LeastConnections",
        Balance::PowerOfTwo => "PowerOfTwo",
        Balance::SourceHash => "SourceHash",
        Balance::ConsistentHash => "ConsistentHash",
    }
}

fn set(layout: &Layout, target: &Selector, setting: &Setting) -> Option<Vec<Edit>> {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let has = |kind: &str| setting.kinds().contains(&kind);
    let mut edits = Vec::new();
    let hits = |name: &str| hits(target, name);
    if has("dns") && hits("dns") {
        // A layout that says whereto users are sent has health checks.
        if matches!(setting, Setting::Routing(_)) && layout.dns.health.is_none() {
            return None;
        }
        let (path, value) = dns(setting)?;
        edits.push(Edit::Put(own(&path), value));
    }
    for name in layout.users.keys().filter(|name| has("users") && hits(name)) {
        let (path, value) = match setting {
            Setting::Hot(share) => (own(&["users", name, "hot"]), number(*share)),
            Setting::Asks(asks) => {
                let weights = Asks::NAMES.iter().zip(asks.weights());
                let asked = weights.filter(|(_, weight)| *weight != 0.0);
                let fields: Vec<String> = asked
                    .map(|(kind, weight)| format!("{kind}: {}", number(weight)))
                    .collect();
                (own(&["users", name, "asks"]), format!("({})", fields.join(", ")))
            }
            other => {
                let (field, value) = of_calls(other)?;
                (own(&["users", name, "calls", field]), value)
            }
        };
        edits.push(Edit::Put(path, value));
    }
    for name in layout.cdns.keys().filter(|name| has("cdn") && hits(name)) {
        edits.extend(cdn(&own(&["cdns", name]), setting)?);
    }
    for (site, center) in &layout.data_centers {
        for (name, _) in center.autoscalers() {
            if has("autoscaler") && hits(&format!("{site}/{}", autoscaler_of(name))) {
                edits.extend(scaler(&layout.path_to_service(site, name), setting)?);
            }
        }
    }
    for (site, center) in &layout.data_centers {
        for (name, service) in center.services.iter().filter(|(_, service)| has(service.kind())) {
            if hits(&format!("{site}/{name}")) || matches(target, site) {
                let spot = Spot { site, name, service };
                edits.extend(of_service(&layout.path_to_service(site, name), spot, setting)?);
            }
        }
    }
    (!edits.is_empty()).then_some(edits)
}

/// Whether a setting of what a selector names is one of this service: whoever names one of its instances means all of them.
fn hits(target: &Selector, name: &str) -> bool {
    let service = target
        .0
        .rsplit_once('/')
        .filter(|(_, number)| *number == "*" || is_number(number));
    matches(target, name) || service.is_some_and(|(service, _)| matches(&Selector(service.to_owned()), name))
}

fn of_service(path: &[String], spot: Spot, setting: &Setting) -> Option<Vec<Edit>> {
    let put = |field: &str, value: String| Some(vec![Edit::Put(with(path, &[field]), value)]);
    if let Some((field, value)) = of_calls(setting) {
        return Some(calls(path, spot.service, field, &value));
    }
    match (spot.service, setting) {
        (Service::Web(_) | Service::Consumer(_), Setting::Min(_) | Setting::Max(_) | Setting::Target(_)) => {
            scaler(path, setting)
        }
        (_, Setting::Sessions(sessions)) => put("sessions", ron(sessions)?),
        (_, Setting::Sticky(cookie)) => put(
            "sticky",
            option(cookie.as_ref().map(|cookie| format!("(cookie: {cookie:?})"))),
        ),
        (_, Setting::RateLimit(rate)) => put(
            "rate_limit",
            option(rate.map(|rate| format!("(rate: {})", number(rate)))),
        ),
        (_, Setting::Shed(time)) => put("shed", option(time.map(text))),
        (Service::LoadBalancer(_), Setting::CheckEvery(every)) => {
            Some(vec![Edit::Put(with(path, &["health", "every"]), text(*every))])
        }
        (Service::LoadBalancer(_), Setting::DownAfter(checks)) => Some(vec![Edit::Put(
            with(path, &["health", "down_after"]),
            checks.to_string(),
        )]),
        (Service::LoadBalancer(spec), Setting::Outlier(on)) => match (on, spec.outlier) {
            (true, Some(_)) => Some(Vec::new()),
            _ => put("outlier", option(on.then(|| "()".to_owned()))),
        },
        (_, Setting::SlowStart(time)) => put("slow_start", text(*time)),
        (Service::Cache(_), _) => cache(path, setting),
        (Service::Database(spec), _) => database(path, spec, setting),
        (Service::Queue(_), _) => queue(setting).and_then(|(field, value)| put(field, value)),
        (_, Setting::Prefetch(most)) => put("prefetch", most.to_string()),
        (_, Setting::Delivery(delivery)) => put("delivery", ron(delivery)?),
        (_, Setting::Fails(share)) => put("fails", number(*share)),
        (_, Setting::Confirm(on)) => put("confirm", on.to_string()),
        (_, Setting::Fallback(fallback)) => put("fallback", ron(fallback)?),
        _ => None,
    }
}

/// The field of calls that a setting is, if it is one.
fn of_calls(setting: &Setting) -> Option<(&'static str, String)> {
    Some(match setting {
        Setting::Timeout(time) => ("timeout", text(*time)),
        Setting::Retries(count) => ("retries", count.to_string()),
        Setting::RetryWrites(on) => ("retry_writes", on.to_string()),
        Setting::Budget(share) => ("budget", option(share.map(number))),
        Setting::Hedge(time) => ("hedge", option(time.map(text))),
        Setting::Connections(count) => ("connections", option(count.map(|count| count.to_string()))),
        Setting::Breaker(on) => ("breaker", option(on.then(|| "()".to_owned()))),
        _ => return None,
    })
}

/// Those who call several services say it of each.
fn calls(path: &[String], service: &Service, field: &str, value: &str) -> Vec<Edit> {
    let mut called: Vec<&str> = Vec::new();
    if let Some(pages) = service.pages() {
        called.extend(pages.database.iter().chain(&pages.cache).map(String::as_str));
        called.extend(pages.publish.as_ref().map(|publish| publish.to.as_str()));
        if let Sessions::Store(store) = &pages.sessions {
            called.push(store);
        }
    } else if let Service::Consumer(spec) = service {
        called.push(&spec.of);
        called.extend(spec.database.as_deref());
    } else {
        return vec![Edit::Put(with(path, &["calls", field]), value.to_owned())];
    }
    let edits = called
        .into_iter()
        .map(|callee| Edit::Put(with(path, &["calls", callee, field]), value.to_owned()));
    edits.collect()
}

fn dns(setting: &Setting) -> Option<(Vec<&'static str>, String)> {
    Some(match setting {
        Setting::Ttl(ttl) => (vec!["dns", "ttl"], text(*ttl)),
        Setting::CheckEvery(every) => (vec!["dns", "health", "every"], text(*every)),
        Setting::DownAfter(checks) => (vec!["dns", "health", "down_after"], checks.to_string()),
        Setting::OriginFallback(on) => (vec!["dns", "origin_fallback"], on.to_string()),
        Setting::Routing(routing) => (vec!["dns", "routing"], ron(routing)?),
        _ => return None,
    })
}

fn cdn(path: &[String], setting: &Setting) -> Option<Vec<Edit>> {
    if let Some((field, value)) = of_calls(setting) {
        return Some(vec![Edit::Put(with(path, &["calls", field]), value)]);
    }
    let (field, value) = match setting {
        Setting::Pages(time) => ("pages", option(time.map(text))),
        Setting::StaleWhileRevalidate(time) => ("stale_while_revalidate", text(*time)),
        Setting::StaleIfError(time) => ("stale_if_error", text(*time)),
        Setting::NextEdge(on) => ("next_edge", on.to_string()),
        Setting::Standby(on) => ("standby", on.to_string()),
        Setting::Weight(weight) => ("weight", number(*weight)),
        Setting::Evict(evict) => ("evict", ron(evict)?),
        Setting::SingleFlight(on) => ("coalesce", on.to_string()),
        Setting::Room(space) => return Some(room(path, *space)),
        _ => return None,
    };
    Some(vec![Edit::Put(with(path, &[field]), value)])
}

fn cache(path: &[String], setting: &Setting) -> Option<Vec<Edit>> {
    let (field, value) = match setting {
        Setting::Ttl(ttl) => ("ttl", text(*ttl)),
        Setting::Jitter(share) => ("jitter", number(*share)),
        Setting::Strategy(strategy) => (
            "strategy",
            match strategy {
                Strategy::WriteBehind { after } => format!("WriteBehind(after: {})", text(*after)),
                other => ron(other)?,
            },
        ),
        Setting::Invalidate(how) => ("invalidate", ron(how)?),
        Setting::SingleFlight(on) => ("single_flight", on.to_string()),
        Setting::RefreshAhead(share) => ("refresh_ahead", option(share.map(number))),
        Setting::Early(factor) => ("early", option(factor.map(number))),
        Setting::Negative(time) => ("negative", option(time.map(text))),
        Setting::Near(ttl) => ("near", option(ttl.map(|ttl| format!("(ttl: {})", text(ttl))))),
        Setting::Rehash(on) => ("rehash", on.to_string()),
        Setting::Evict(evict) => ("evict", ron(evict)?),
        Setting::Room(space) => return Some(room(path, *space)),
        _ => return None,
    };
    Some(vec![Edit::Put(with(path, &[field]), value)])
}

fn room(path: &[String], room: Room) -> Vec<Edit> {
    let (field, value, other) = match room {
        Room::Items(count) => ("items", count.to_string(), "bytes"),
        Room::Bytes(count) => ("bytes", format!("{:?}", bytes::format(count)), "items"),
    };
    vec![Edit::Cut(with(path, &[other])), Edit::Put(with(path, &[field]), value)]
}

fn queue(setting: &Setting) -> Option<(&'static str, String)> {
    Some(match setting {
        Setting::Visibility(time) => ("visibility", text(*time)),
        Setting::Attempts(count) => ("attempts", option(count.map(|count| count.to_string()))),
        Setting::Delay(time) => ("delay", text(*time)),
        Setting::Retention(time) => ("retention", option(time.map(text))),
        Setting::Messages(count) => ("messages", count.to_string()),
        _ => return None,
    })
}

fn database(path: &[String], spec: &crate::layout::Database, setting: &Setting) -> Option<Vec<Edit>> {
    let put = |field: &str, value: String| Some(vec![Edit::Put(with(path, &["replication", field]), value)]);
    let failover = |failover: Option<Failover>| {
        failover.map_or_else(
            || "Manual".to_owned(),
            |failover| {
                format!(
                    "Automatic(after: {}, monitors: {}, fencing: {})",
                    text(failover.after),
                    failover.monitors,
                    failover.fencing
                )
            },
        )
    };
    let now = spec
        .replication
        .primary_replicas()
        .and_then(|settings| settings.failover);
    match setting {
        Setting::CopyRate(rate) => Some(vec![Edit::Put(with(path, &["copy_rate"]), number(*rate))]),
        Setting::Mode(mode) => put("mode", ron(mode)?),
        Setting::Reads(reads) => put("reads", ron(reads)?),
        Setting::ReadYourWrites(on) => put("read_your_writes", on.to_string()),
        Setting::Recovery(on) => put("recovery", if *on { "Automatic" } else { "Manual" }.to_owned()),
        Setting::Replace(after) => put("replace", option(after.map(text))),
        Setting::Rule(rule) => put("rule", ron(rule)?),
        Setting::Close(after) => put("close", option(after.map(text))),
        Setting::Failover(after) => {
            let before = now.unwrap_or_default();
            put("failover", failover(after.map(|after| Failover { after, ..before })))
        }
        Setting::Fencing(on) => put("failover", failover(Some(Failover { fencing: *on, ..now? }))),
        _ => None,
    }
}

fn scaler(path: &[String], setting: &Setting) -> Option<Vec<Edit>> {
    let (field, value) = match setting {
        Setting::Min(count) => ("min", count.to_string()),
        Setting::Max(count) => ("max", count.to_string()),
        Setting::Target(target) => ("target", ron(target)?),
        _ => return None,
    };
    Some(vec![Edit::Put(with(path, &["scale", field]), value)])
}

fn text(time: Duration) -> String {
    format!("{:?}", duration::format(time))
}

fn number(value: f64) -> String {
    format!("{value}")
}

fn option(value: Option<String>) -> String {
    value.unwrap_or_else(|| "None".to_owned())
}

fn ron(value: &impl Serialize) -> Option<String> {
    ron::to_string(value).ok()
}
