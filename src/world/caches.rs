//! What services keep for those who ask: caches, CDNs, browsers, near copies. Sampled every second, flushed and purged by command.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::command::{Applied, Selector};
use crate::layout::{Cdn, Evict, Invalidate, Near, Room, Strategy, duration, printable};
use crate::observe::{CacheNodeState, CacheProbe, CacheState, CacheTally, RECENT_SECONDS, Severity};
use crate::protocol::{Layer, Request};
use crate::sim::{InstanceId, ProcessState};

use super::World;
use super::apply::{Done, done, refuse};
use super::databases;
use super::entries::{Role, ServiceEntry};
use super::select::instances;

/// Seconds of a trend.
const TREND: usize = 60;
/// Bytes of a GB, as prices count it.
const GB: f64 = 1e9;

/// What was sampled of the caches of a service.
#[derive(Default)]
pub(super) struct Watch {
    /// By instance.
    nodes: Vec<Seen>,
    all: Seen,
    /// The most loads of one key at once in the last second.
    worst: u32,
}

/// What was sampled of one cache.
#[derive(Default)]
struct Seen {
    last: CacheTally,
    /// One for each of the last seconds.
    seconds: VecDeque<CacheTally>,
    trend: VecDeque<Option<f32>>,
}

impl Seen {
    fn take(&mut self, total: CacheTally) {
        let second = total.since(&self.last);
        self.last = total;
        keep(&mut self.seconds, second, RECENT_SECONDS);
        keep(&mut self.trend, second.hit_ratio().map(|ratio| ratio as f32), TREND);
    }

    fn second(&self) -> CacheTally {
        self.seconds.back().copied().unwrap_or_default()
    }

    /// Up to the last whole second.
    fn recent(&self) -> CacheTally {
        self.seconds
            .iter()
            .fold(CacheTally::default(), |sum, second| sum.plus(second))
    }
}

fn keep<T>(values: &mut VecDeque<T>, value: T, most: usize) {
    if values.len() == most {
        values.pop_front();
    }
    values.push_back(value);
}

/// Which layer a service is, if it keeps anything.
fn layer(entry: &ServiceEntry) -> Option<Layer> {
    match &entry.role {
        Role::Users { spec, throttle, .. } => {
            (spec.browser && throttle.asks.get().asset > 0.0).then_some(Layer::Browser)
        }
        Role::Web { near, .. } | Role::Serverless { near, .. } => {
            let near = near.as_ref()?;
            near.spec.borrow().near.map(|_| Layer::Near)
        }
        Role::Cache { .. } => Some(Layer::Cache),
        Role::Cdn { layer, .. } => Some(*layer),
        _ => None,
    }
}

/// What the instances of a service show of what they keep, by instance.
fn probes(entry: &ServiceEntry) -> Vec<Rc<CacheProbe>> {
    match &entry.role {
        Role::Users { probe, .. } => vec![Rc::clone(&probe.browser)],
        Role::Web { probes, .. } => probes.iter().map(|probe| Rc::clone(&probe.near)).collect(),
        Role::Serverless { probe, .. } => vec![Rc::clone(&probe.near)],
        Role::Cache { probes, .. } | Role::Cdn { probes, .. } => probes.clone(),
        _ => Vec::new(),
    }
}

/// Looks at the caches of a service at the end of a second.
pub(super) fn sample(entry: &mut ServiceEntry) {
    let probes = probes(entry);
    let watch = &mut entry.watch;
    watch.nodes.resize_with(probes.len(), Seen::default);
    let mut all = CacheTally::default();
    watch.worst = 0;
    for (seen, probe) in watch.nodes.iter_mut().zip(&probes) {
        let total = probe.tally.get();
        all = all.plus(&total);
        seen.take(total);
        watch.worst = watch.worst.max(probe.worst.replace(0));
    }
    watch.all.take(all);
}

/// Says of the last second what a person would want to hear of.
pub(super) fn tell(world: &mut World) {
    let lines: Vec<String> = world
        .services
        .iter()
        .filter_map(|entry| {
            let second = entry.watch.all.second();
            let stampedes = match second.stampedes {
                0 => return None,
                1 => "a stampede".to_owned(),
                more => format!("{more} stampedes"),
            };
            let worst = entry.watch.worst;
            Some(format!(
                "{}: {stampedes}, up to {worst} loads of one key at once",
                entry.selector
            ))
        })
        .collect();
    for line in lines {
        world.say(Severity::Warning, line);
    }
}

/// What a service keeps, as it stands in a frame.
pub(super) fn cache_state(world: &World, entry: &ServiceEntry) -> Option<CacheState> {
    let layer = layer(entry)?;
    let probes = probes(entry);
    let watch = &entry.watch;
    let blank = Seen::default();
    let nodes: Vec<CacheNodeState> = entry
        .present()
        .filter_map(|(number, _)| {
            let probe = probes.get(number)?;
            let seen = watch.nodes.get(number).unwrap_or(&blank);
            Some(CacheNodeState {
                total: probe.tally.get(),
                second: seen.second(),
                recent: seen.recent(),
                entries: probe.entries.get(),
                bytes: probe.bytes.get(),
                full: full(entry, probe),
                trend: seen.trend.iter().copied().collect(),
            })
        })
        .collect();
    let total = |sum: CacheTally, probe: &Rc<CacheProbe>| sum.plus(&probe.tally.get());
    Some(CacheState {
        layer,
        policy: policy(entry),
        total: probes.iter().fold(CacheTally::default(), total),
        second: watch.all.second(),
        recent: watch.all.recent(),
        trend: watch.all.trend.iter().copied().collect(),
        entries: probes.iter().map(|probe| probe.entries.get()).sum(),
        bytes: probes.iter().map(|probe| probe.bytes.get()).sum(),
        nodes: if layer == Layer::Browser { Vec::new() } else { nodes },
        behind: behind(world, entry),
        unwritten: probes.iter().map(|probe| probe.unwritten.borrow().len() as u64).sum(),
        worst: watch.worst,
        used: used(world, entry),
        spent: entry.bill.spent,
    })
}

/// How full a cache is.
fn full(entry: &ServiceEntry, probe: &CacheProbe) -> f64 {
    let room = match &entry.role {
        Role::Cache { tier, .. } => tier.spec.borrow().room,
        Role::Cdn { spec, .. } => spec.borrow().room,
        Role::Web { near: Some(tier), .. } | Role::Serverless { near: Some(tier), .. } => {
            let items = tier.spec.borrow().near.unwrap_or_default().items;
            Room::Items(items.into())
        }
        _ => return 0.0,
    };
    match room {
        Room::Items(items) => probe.entries.get() as f64 / items as f64,
        Room::Bytes(bytes) => probe.bytes.get() as f64 / bytes as f64,
    }
}

/// The services that are asked for what is missing.
fn behind(world: &World, entry: &ServiceEntry) -> Vec<usize> {
    match &entry.role {
        Role::Users { .. } => {
            let from = world.services.iter().position(|other| other.full == entry.full);
            let links = world.topology.links.iter();
            links
                .filter(|link| Some(link.from) == from && link.kind == crate::observe::LinkKind::Requests)
                .map(|link| link.to)
                .collect()
        }
        Role::Web { edges, near, .. } | Role::Serverless { edges, near, .. } => {
            let is_tier = |to: usize| match (&world.services[to].role, near) {
                (Role::Cache { tier, .. }, Some(near)) => Rc::ptr_eq(tier, near),
                _ => false,
            };
            edges.iter().map(|edge| edge.to).filter(|to| is_tier(*to)).collect()
        }
        Role::Cache { edges, .. } => edges.iter().map(|edge| edge.to).collect(),
        // The shield stands first, and then the data centers are asked only if it fails.
        Role::Cdn { edges, shield, .. } => {
            let most = if shield.is_some() { 1 } else { edges.len() };
            edges.iter().take(most).map(|edge| edge.to).collect()
        }
        _ => Vec::new(),
    }
}

/// Turns of the name service that are looked at: enough for each CDN that has a share worth the name.
const TURNS: u64 = 64;

/// Whether the name service sends users of any population to a CDN now.
fn used(world: &World, entry: &ServiceEntry) -> Option<bool> {
    let Role::Cdn { layer: Layer::Edge, .. } = &entry.role else {
        return None;
    };
    let zone = world.services.iter().find_map(|service| match &service.role {
        Role::Dns { zone, .. } => Some(zone),
        _ => None,
    })?;
    let mut asked = world.services.iter().filter_map(|service| match &service.role {
        Role::Users { name, number, .. } => Some((zone.files.filter(|_| *name == 0).unwrap_or(*name), *number)),
        _ => None,
    });
    let is_edge = |id: &InstanceId| entry.instances.iter().any(|edge| edge.id == *id);
    let sends_here = |(name, population): (u16, u32)| {
        let mut turns = 0..TURNS;
        turns.any(|turn| {
            let answer = zone.answer(name, population, turn, |id| world.believed_up(id));
            answer.iter().any(is_edge)
        })
    };
    Some(asked.any(sends_here))
}

/// The settings in words.
fn policy(entry: &ServiceEntry) -> String {
    match &entry.role {
        Role::Users { .. } => "files for as long as they may be kept".to_owned(),
        Role::Web { near: Some(tier), .. } | Role::Serverless { near: Some(tier), .. } => {
            let Near { items, ttl } = tier.spec.borrow().near.unwrap_or_default();
            format!("{items} items each, ttl {}", duration::format(ttl))
        }
        Role::Cache { tier, .. } => tier_policy(&tier.spec.borrow()),
        Role::Cdn { spec, .. } => cdn_policy(&spec.borrow()),
        _ => String::new(),
    }
}

/// How a policy is called on screens.
fn evict_name(evict: Evict) -> String {
    match evict {
        Evict::Lru | Evict::Lfu | Evict::Fifo | Evict::Clock | Evict::Sieve | Evict::Arc | Evict::S3Fifo => {
            evict.to_string().to_uppercase()
        }
        Evict::WTinyLfu => "W-TinyLFU".to_owned(),
        Evict::Random => "random".to_owned(),
        Evict::SampledLru => "sampled LRU".to_owned(),
        Evict::SampledLfu => "sampled LFU".to_owned(),
    }
}

/// How a strategy is called on screens.
fn strategy_name(strategy: Strategy) -> String {
    match strategy {
        Strategy::Aside => "cache-aside".to_owned(),
        Strategy::ReadThrough => "read-through".to_owned(),
        Strategy::WriteThrough => "write-through".to_owned(),
        Strategy::WriteBehind { after } => format!("write-behind after {}", duration::format(after)),
    }
}

/// The settings of a cache tier in words.
pub(super) fn tier_policy(spec: &crate::layout::Cache) -> String {
    let mut words = vec![
        strategy_name(spec.strategy),
        format!("{} {}", evict_name(spec.evict), spec.room),
        format!("ttl {}", duration::format(spec.ttl)),
    ];
    match spec.invalidate {
        Invalidate::Delete => {}
        Invalidate::Update => words.push("writes update".to_owned()),
        Invalidate::Never => words.push("writes tell nothing".to_owned()),
    }
    if spec.single_flight {
        words.push("single flight".to_owned());
    }
    if spec.refresh_ahead.is_some() {
        words.push("refresh ahead".to_owned());
    }
    if spec.early.is_some() {
        words.push("early refresh".to_owned());
    }
    if spec.copies > 1 {
        words.push(format!("{} copies", spec.copies));
    }
    words.join(", ")
}

/// The settings of a CDN in words.
pub(super) fn cdn_policy(spec: &Cdn) -> String {
    let mut words = vec![format!("{} {}", evict_name(spec.evict), spec.room)];
    if let Some(ttl) = spec.pages {
        words.push(format!("pages {}", duration::format(ttl)));
    }
    if !spec.stale_while_revalidate.is_zero() {
        let time = duration::format(spec.stale_while_revalidate);
        words.push(format!("stale while revalidate {time}"));
    }
    if !spec.stale_if_error.is_zero() {
        words.push(format!("stale if error {}", duration::format(spec.stale_if_error)));
    }
    if !spec.coalesce {
        words.push("no coalescing".to_owned());
    }
    if spec.standby {
        words.push("standby".to_owned());
    }
    words.join(", ")
}

/// What a service has cost since the start beside its machines, in US dollars: what it has sent, by the GB.
pub(super) fn traffic_bill(entry: &ServiceEntry, price_of_origin: f64) -> f64 {
    match &entry.role {
        Role::Cdn {
            spec,
            probes,
            layer: Layer::Edge,
            ..
        } => {
            let bytes: u64 = probes.iter().map(|probe| probe.tally.get().served_bytes).sum();
            bytes as f64 / GB * spec.borrow().price_per_gb
        }
        Role::Web { probes, .. } => {
            let bytes: u64 = probes.iter().map(|probe| probe.sent_bytes.get()).sum();
            bytes as f64 / GB * price_of_origin
        }
        Role::Serverless { probe, .. } => probe.sent_bytes.get() as f64 / GB * price_of_origin,
        _ => 0.0,
    }
}

/// Makes what keeps copies forget one key, or all.
pub(super) fn purge(world: &mut World, target: &Selector, key: Option<u64>) -> Done {
    let mut hit = instances(world, target)?;
    hit.retain(|(service, _)| {
        let entry = &world.services[*service];
        // Resolvers, and people's devices, keep answers of the name service.
        let names = key.is_none() && matches!(entry.role, Role::Resolver { .. } | Role::Users { .. });
        names || layer(entry).is_some() || matches!(entry.role, Role::Queue { .. })
    });
    let name = printable(&target.0);
    if hit.is_empty() {
        return refuse(format!(
            "{name} keeps no copies and no messages: there is nothing to forget"
        ));
    }
    // Its shield would give back at once what a CDN has forgotten.
    let shields = hit
        .iter()
        .filter_map(|(service, _)| match &world.services[*service].role {
            Role::Cdn { shield, .. } => *shield,
            _ => None,
        });
    let mut shields: Vec<(usize, usize)> = shields.map(|shield| (shield, 0)).collect();
    shields.dedup();
    hit.extend(shields);
    let reached: Vec<InstanceId> = hit
        .iter()
        .map(|(service, number)| world.services[*service].instances[*number].id)
        .filter(|id| world.kernel.process_state(*id) == ProcessState::Up)
        .collect();
    if reached.is_empty() {
        return refuse(format!("{name} is down: it can't be told"));
    }
    let deaf = hit.len() - reached.len();
    for id in reached {
        world.kernel.cast(id, Request::Purge(key));
    }
    let what = match key {
        None => format!("flushed {name}"),
        Some(key) => format!("purged {key} from {name}"),
    };
    let text = match deaf {
        0 => what,
        deaf => format!("{what}; {deaf} of its machines could not be told"),
    };
    Ok(done(world, Severity::Info, text))
}

/// Puts a new version of the static files on the site.
pub(super) fn deploy(world: &mut World) -> Applied {
    let edition = world.site.edition.get() + 1;
    world.site.edition.set(edition);
    let text = format!("deployed version {edition} of the static files");
    done(world, Severity::Info, text)
}

/// What processes that died had taken to write later is gone with them. Returns the databases whose users were told otherwise.
pub(super) fn forget_unwritten(world: &World, hit: &[(usize, usize)], with_disks: bool) -> Vec<usize> {
    let mut concerned = Vec::new();
    for (service, number) in hit {
        let Role::Cache {
            tier, probes, edges, ..
        } = &world.services[*service].role
        else {
            continue;
        };
        let kept = tier.spec.borrow().durable && !with_disks;
        let mut unwritten = probes[*number].unwritten.borrow_mut();
        if kept || unwritten.is_empty() {
            continue;
        }
        unwritten.clear();
        let databases = edges.iter().filter_map(|edge| match &world.services[edge.to].role {
            Role::Database { database, .. } => Some(*database),
            _ => None,
        });
        concerned.extend(databases);
    }
    concerned.sort_unstable();
    concerned.dedup();
    concerned
}

/// Users are told by the nodes of a cache what is written: their promises are those of the database behind.
pub(super) fn join_cache(world: &mut World, service: usize) {
    let entry = &world.services[service];
    let Role::Cache { edges, .. } = &entry.role else {
        return;
    };
    let database = edges.iter().find_map(|edge| match &world.services[edge.to].role {
        Role::Database { database, .. } => Some(*database),
        _ => None,
    });
    let Some(database) = database else { return };
    let nodes: Vec<InstanceId> = entry.instances.iter().map(|instance| instance.id).collect();
    for node in nodes {
        world.chronicle.belongs(node, database);
    }
}

/// Whether a node of a cache in front of a database has taken a write, or a later one of the row, and not written it yet.
pub(super) fn is_unwritten(world: &World, database: usize, key: u64, stamp: crate::protocol::Stamp) -> bool {
    world.services.iter().any(|entry| match &entry.role {
        Role::Cache { edges, probes, .. } => {
            let behind = edges.iter().any(
                |edge| matches!(&world.services[edge.to].role, Role::Database { database: of, .. } if *of == database),
            );
            let has = |probe: &Rc<CacheProbe>| {
                let unwritten = probe.unwritten.borrow();
                unwritten.get(&key).is_some_and(|taken| *taken >= stamp)
            };
            behind && probes.iter().any(has)
        }
        _ => false,
    })
}

/// Counts of a layer over the last 10 s, the running second included.
pub(super) fn recent(entry: &ServiceEntry) -> CacheTally {
    let now = probes(entry)
        .iter()
        .fold(CacheTally::default(), |sum, probe| sum.plus(&probe.tally.get()));
    let seconds = entry.watch.all.seconds.iter().rev().take(RECENT_SECONDS - 1);
    seconds.fold(now.since(&entry.watch.all.last), |sum, second| sum.plus(second))
}

/// Counts of a layer since the start.
pub(super) fn total(entry: &ServiceEntry) -> CacheTally {
    probes(entry)
        .iter()
        .fold(CacheTally::default(), |sum, probe| sum.plus(&probe.tally.get()))
}

/// What processes that died had taken to write later is lost at once; and a second later what they had acknowledged last, when users have heard
/// of that too.
pub(super) fn lose_unwritten(world: &mut World, hit: &[(usize, usize)]) {
    let concerned = forget_unwritten(world, hit, false);
    if concerned.is_empty() {
        return;
    }
    databases::audit(world, &concerned);
    let later = world.now() + Duration::from_secs(1);
    for database in concerned {
        world.databases[database].audit_at.set(Some(later));
    }
}
