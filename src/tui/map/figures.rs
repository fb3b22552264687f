//! What the cards say of each kind of service: figures of an instance, and further lines, at several lengths.

use crate::layout::duration;
use crate::observe::{AutoscalerState, CacheNodeState, InstanceState, Kind, STAMPEDE, ServerlessState, ServiceState};
use crate::sim::SimTime;
use crate::tui::layers;
use crate::tui::lens::Lens;
use crate::tui::queues;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::draw::Scene;
use super::layout::{Card, Density};
use super::messages;

/// Words and how they look.
type Pieces = Vec<(String, Role)>;

/// Of an instance that serves, as far as there is room.
pub(super) fn of(scene: &Scene, card: &Card, index: usize, room: u16) -> Pieces {
    let service = &scene.frame.topology.services[card.service];
    let of_service = &scene.frame.services[card.service];
    let state = &of_service.instances[index];
    let fitted = |options: &[String], role| vec![(text::fitting(options, room).to_string(), role)];
    if scene.lens != Lens::Health {
        let reading = scene.lens.reading(scene.frame, card.service, index);
        return reading.map_or(Vec::new(), |reading| fitted(&reading.words, reading.role));
    }
    let lines = if card.density == Density::Rows {
        card.area.height - 2
    } else {
        1
    };
    if let Some(dns) = &of_service.dns {
        return fitted(&[format!("ttl {}", duration::format(dns.ttl))], Role::Muted);
    }
    if let Some(functions) = &of_service.serverless {
        return fitted(&busy(functions, lines > 1), truth::load(share(functions)));
    }
    if let Some(scaler) = &of_service.autoscaler {
        let role = if scaler.on { Role::Text } else { Role::Warning };
        return fitted(&machines(scaler, lines > 1), role);
    }
    if let Some(kept) = of_service.cache.as_ref().filter(|_| is_keeper(service.kind)) {
        if !card.density.is_bordered() {
            return Vec::new();
        }
        let node = kept.nodes.get(index);
        return node.map_or(Vec::new(), |node| keeper(node, room));
    }
    if let Some(queue) = queues::of(scene.frame, card.service) {
        return messages::pipe(&queue, room, lines > 1);
    }
    if of_service.workers.is_some() {
        return messages::worker(scene, card.service, index, room);
    }
    if !card.density.is_bordered() {
        let load = truth::of_second(scene.frame.at, text::whole_percent(state.utilisation));
        let held = state.sessions.filter(|_| service.kind == Kind::SessionStore);
        // A figure that is cut would be another one.
        let load = text::fitting(&[load], room).to_string();
        let held = held.map_or_else(String::new, |held| format!("  {} held", text::short(held as f64)));
        let held = text::fitting(&[held], room.saturating_sub(text::width(&load))).to_string();
        return vec![(load, truth::load(state.utilisation)), (held, Role::Muted)];
    }
    loaded(
        (scene.frame.at, of_service),
        state,
        (service.instances.len(), service.instances[index].cores),
        room,
    )
}

/// Of what runs on a machine: load, what is wrong with it, what it gets, what it holds.
fn loaded(
    (at, of_service): (SimTime, &ServiceState),
    state: &InstanceState,
    (count, cores): (usize, u32),
    room: u16,
) -> Pieces {
    let load = truth::of_second(at, text::whole_percent(state.utilisation));
    let load = format!("{load:>4} ");
    let slow = if state.slow > 1.0 {
        format!("{} ", text::factor(state.slow))
    } else {
        String::new()
    };
    let waits = if state.backlog > 0 {
        format!("+{}", text::short(f64::from(state.backlog)))
    } else {
        String::new()
    };
    let left = |used: &[&String]| {
        let used: u16 = used.iter().map(|words| text::width(words)).sum();
        room.saturating_sub(used)
    };
    if let Some(active) = state.active {
        return of_pair(active, load, state, room);
    }
    let rate = match (count, waits.is_empty() && slow.is_empty()) {
        (1, true) => of_cores(cores, left(&[&load])),
        (_, true) => {
            let rate = truth::of_second(at, text::rate(state.rate));
            text::fitting(&[format!("{rate:>5}"), rate], left(&[&load])).to_string()
        }
        (_, false) => String::new(),
    };
    let own = state
        .sessions
        .filter(|_| truth::sessions_within(of_service).is_some() && count > 1);
    let own = own.map_or_else(String::new, |held| format!(" {:>4} held", text::short(held as f64)));
    let own = text::fitting(&[own], left(&[&load, &slow, &waits, &rate])).to_string();
    vec![
        (load, truth::load(state.utilisation)),
        (slow, Role::Warning),
        (waits, Role::Over),
        (rate, Role::Muted),
        (own, Role::Muted),
    ]
}

/// Whether a kind does nothing but keep copies.
fn is_keeper(kind: Kind) -> bool {
    matches!(kind, Kind::Cache | Kind::Cdn | Kind::Shield)
}

/// Of a node of a cache or an edge: its hit ratio, and what it holds as far as there is room.
fn keeper(node: &CacheNodeState, room: u16) -> Pieces {
    let ratio = layers::ratio(&node.recent);
    let entries = text::short(node.entries as f64);
    let options = [
        format!("{ratio:>5}  {entries} entries"),
        format!("{ratio:>5}  {entries}"),
        format!("{ratio:>5}"),
        ratio,
    ];
    vec![(text::fitting(&options, room).to_string(), Role::Text)]
}

/// The hit ratio of a layer, at several lengths.
pub(super) fn hits(scene: &Scene, service: usize) -> Vec<String> {
    let Some(layer) = layers::of(scene.frame, service) else {
        return Vec::new();
    };
    let ratio = layers::ratio(&layer.state.recent);
    let entries = text::short(layer.state.entries as f64);
    vec![
        format!("hit {ratio}, {entries} entries"),
        format!("hit {ratio}, {entries}"),
        format!("hit {ratio}"),
        ratio,
    ]
}

/// What is wrong with a layer, or that nobody is sent there, at several lengths; nothing of one in good order.
pub(super) fn notes(scene: &Scene, service: usize) -> Vec<String> {
    let Some(layer) = layers::of(scene.frame, service) else {
        return Vec::new();
    };
    if let Some(word) = layer.unused() {
        return vec![word.to_string()];
    }
    let (worst, unwritten) = (layer.state.worst, layer.state.unwritten);
    if layer.stampedes() {
        let most = (worst >= STAMPEDE).then(|| format!("stampede: {worst} at once"));
        return most.into_iter().chain(["stampede".to_string()]).collect();
    }
    if unwritten > 0 {
        let short = text::short(unwritten as f64);
        return vec![format!("{short} writes only here"), format!("{short} unwritten")];
    }
    Vec::new()
}

/// Of one of a pair: which one it is comes first.
fn of_pair(active: bool, load: String, state: &InstanceState, room: u16) -> Pieces {
    let (word, short, role) = if active {
        ("active", "active", Role::Text)
    } else {
        ("standby", "spare", Role::Muted)
    };
    let options = [format!("{load}{word}"), word.to_string(), short.to_string()];
    let words = text::fitting(&options, room);
    match words.strip_prefix(&load) {
        Some(word) => vec![(load, truth::load(state.utilisation)), (word.to_string(), role)],
        None => vec![(words.to_string(), role)],
    }
}

/// What the load is a share of, as far as there is room.
fn of_cores(count: u32, room: u16) -> String {
    let cores = if count == 1 {
        "1 core".to_string()
    } else {
        format!("{count} cores")
    };
    let options = [format!("of {cores}"), format!("/{count} cpu"), "cpu".to_string()];
    text::fitting(&options, room).to_string()
}

/// Share of all the functions' instances that may be that work now.
pub(super) fn share(functions: &ServerlessState) -> f64 {
    f64::from(functions.busy) / f64::from(functions.limit.max(1))
}

fn busy(functions: &ServerlessState, more_below: bool) -> Vec<String> {
    let (busy, limit) = (functions.busy, functions.limit);
    let cold = match functions.starting {
        0 => String::new(),
        starting => format!(", {starting} cold"),
    };
    let mut options = vec![
        format!("{busy} busy of {}", text::count(u64::from(limit))),
        format!("{busy}/{} busy", text::short(f64::from(limit))),
        format!("{busy} busy"),
    ];
    if !more_below {
        options.insert(0, format!("{busy} busy{cold} of {}", text::short(f64::from(limit))));
        options.insert(2, format!("{busy} busy{cold}"));
    }
    options
}

fn machines(scaler: &AutoscalerState, more_below: bool) -> Vec<String> {
    let AutoscalerState { machines, min, max, .. } = scaler;
    if !scaler.on {
        return vec![format!("off, {machines} machines"), "off".to_string()];
    }
    if more_below {
        return vec![
            format!("{machines} machines, {min} to {max}"),
            format!("{machines} now, {min} to {max}"),
            format!("{machines} ({min}–{max})"),
        ];
    }
    let held = held(scaler);
    vec![
        format!("{machines} ({min}–{max})  {held}"),
        format!("{machines} of {max}  {held}"),
        format!("{machines}/{max} {held}"),
        format!("{machines}  {held}"),
        held,
    ]
}

/// What an autoscaler measures and what that is to be: `58%/60%`.
fn held(scaler: &AutoscalerState) -> String {
    truth::held(scaler).pop().unwrap_or_default()
}

/// Further lines of a card, each at several lengths.
pub(super) fn extra(scene: &Scene, card: &Card) -> Vec<Vec<String>> {
    let state = &scene.frame.services[card.service];
    if let Some(dns) = &state.dns {
        let wrong = dns.records.iter().any(|record| truth::misnamed(scene.frame, record));
        if dns.checked && wrong {
            return vec![vec!["is wrong about one".to_string(), "is wrong".to_string()]];
        }
        let cached = format!("{}/{}", dns.holding, dns.resolvers);
        return vec![vec![
            format!("{cached} resolvers hold it"),
            format!("{cached} cached"),
            format!("{cached} hold"),
        ]];
    }
    if is_keeper(scene.frame.topology.services[card.service].kind) {
        return vec![hits(scene, card.service)];
    }
    if let Some(queue) = queues::of(scene.frame, card.service) {
        return vec![messages::age(&queue)];
    }
    if state.workers.is_some() {
        return vec![messages::busy(scene, card.service)];
    }
    if let Some(database) = &state.database {
        let rows = text::short(database.rows as f64);
        let mut options = vec![format!("{} rows", text::count(database.rows)), format!("{rows} rows")];
        if let Some(migration) = database.migration {
            let done = text::whole_percent(migration.done);
            options = vec![format!("{rows} rows, moved {done}"), format!("moved {done}")];
        }
        return vec![options];
    }
    if let Some(functions) = &state.serverless {
        let (starting, warm, cold) = (functions.starting, functions.warm, functions.cold_starts);
        let (short, cold) = (text::short(cold as f64), text::count(cold));
        return vec![
            vec![
                format!("{starting} starting, {warm} warm"),
                if starting > 0 {
                    format!("{starting} starting")
                } else {
                    format!("{warm} warm")
                },
            ],
            vec![
                format!("{cold} cold starts"),
                format!("{short} cold starts"),
                format!("{short} cold"),
            ],
        ];
    }
    if let Some(scaler) = &state.autoscaler {
        return vec![truth::held(scaler)];
    }
    if scene.frame.topology.services[card.service].kind == Kind::SessionStore {
        let held = state
            .instances
            .iter()
            .filter_map(|instance| instance.sessions)
            .sum::<u64>();
        let short = text::short(held as f64);
        return vec![vec![
            format!("{} sessions", text::count(held)),
            format!("{short} sess."),
        ]];
    }
    let Some(balancer) = &state.balancer else {
        return Vec::new();
    };
    if balancer.backends.iter().any(|backend| mistaken(scene, backend)) {
        return vec![vec!["is wrong about one".to_string(), "is wrong".to_string()]];
    }
    let sticky = balancer.sticky.as_ref().map(|_| format!("{}, sticky", balancer.policy));
    let words = [balancer.policy.clone(), text::plural(balancer.backends.len(), "server")];
    vec![sticky.into_iter().chain(words).collect()]
}

/// Who holds the lease that monitors give, at several lengths.
pub(super) fn lease(scene: &Scene, service: usize) -> Vec<String> {
    let Some(monitor) = &scene.frame.services[service].monitor else {
        return Vec::new();
    };
    let held = monitor.leases.iter().filter(|lease| lease.0.is_some()).count();
    match monitor.leases.as_slice() {
        [] => Vec::new(),
        [(Some(holder), left)] => {
            let short = holder.rsplit_once('/').map_or(holder.as_str(), |(_, number)| number);
            vec![
                format!("lease: {holder} {}", text::ago(*left)),
                format!("lease: /{short} {}", text::ago(*left)),
                format!("lease: /{short}"),
                format!("lease /{short}"),
            ]
        }
        [(None, _)] => vec!["lease: nobody".to_string(), "no lease".to_string()],
        all => vec![
            format!("{held} of {} leases held", all.len()),
            format!("{held}/{} leases", all.len()),
        ],
    }
}

fn mistaken(scene: &Scene, backend: &crate::observe::BackendState) -> bool {
    let state = truth::subject(scene.frame, backend);
    state.is_some_and(|state| truth::mistaken(backend, state, scene.frame.at))
}

/// Of a line within another card.
pub(super) fn line(scene: &Scene, service: usize, state: &InstanceState) -> Vec<String> {
    let name = "resolver";
    let truth = truth::of(state, scene.frame.at);
    if !truth::serves(state) {
        return vec![format!("{name} {}", truth.words), name.to_string()];
    }
    let resolver = scene.frame.services[service].resolver;
    let holding = resolver.map(|resolver| format!("{}/{}", resolver.holding, resolver.caches));
    let full = holding
        .iter()
        .flat_map(|holding| [format!("{name} {holding} cached"), format!("{name} {holding}")]);
    full.chain([name.to_string()]).collect()
}
