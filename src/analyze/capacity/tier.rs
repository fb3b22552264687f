//! What the tiers of a world do while they are watched, and which of them gives first.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::{Measure, QueueMeasure};
use crate::observe::{Frame, Health, Kind, LinkKind, ServiceInfo};
use crate::protocol::Reason;

use super::demand::Demand;
use super::probe::Broken;

/// A tier whose cores are busy for this share of the time has no room.
const FULL: f64 = 0.85;
/// The same of its slots, which are held while it waits for others.
const SLOTS_FULL: f64 = 0.9;

/// A service, or several that share their machines, while it was watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    /// Its name; of several that share their machines, all of them: `db + web`.
    pub name: String,
    /// The services, by selector.
    pub services: Vec<String>,
    /// Mean share of its cores in use, of the machines that are up; of functions, of the instances that there may be.
    pub utilisation: f64,
    /// The same of its busiest machine: the one that gives first.
    pub busiest: f64,
    /// Which that is.
    pub busiest_machine: String,
    /// Mean share of its slots in use.
    pub slots: f64,
    /// The most requests that waited for a slot at the end of a second.
    pub backlog: u64,
    /// Machines that were up at the end; none of functions.
    pub machines: u32,
    /// To how many its autoscaler may go.
    pub most_machines: u32,
}

impl Tier {
    /// How many times as much it could do, with all the machines that its autoscaler may add: by the cores of its busiest machine or by its slots, whichever
    /// are full first. None if it does nothing.
    pub fn room(&self) -> Option<f64> {
        let growth = f64::from(self.most_machines.max(1)) / f64::from(self.machines.max(1));
        (self.tightest() > 0.0).then(|| growth.max(1.0) / self.tightest())
    }

    /// The share in use of the cores of its busiest machine or of its slots, whichever is larger.
    pub fn tightest(&self) -> f64 {
        self.busiest.max(self.slots)
    }
}

/// Why a tier gives first.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// A demand of its own is broken: its index.
    Demand(usize),
    /// Its cores are busy for this share of the time.
    Cores(f64),
    /// Its slots are taken for this share of the time, and its cores are not.
    Slots(f64),
    /// It has refused so many requests, as all of its slots and its backlog were taken.
    Refused(u64),
    /// Its queue grows, by so many messages a second.
    Queue(String, f64),
    /// Nothing is full: it is the busiest, for this share of the time.
    Busiest(f64),
}

/// The tier that gives first.
#[derive(Clone, Debug, PartialEq)]
pub struct First {
    /// Its name.
    pub tier: String,
    /// Why.
    pub why: Why,
}

/// What is added up while a world is watched, a look each second.
#[derive(Default)]
pub(super) struct Watch {
    /// By service, by machine.
    machines: BTreeMap<String, BTreeMap<String, Sum>>,
    /// By service: shares of slots.
    slots: BTreeMap<String, Sum>,
    backlog: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    sum: f64,
    count: u32,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn mean(self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

/// Whether a service is one of ours that does the work.
fn is_tier(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Users | Kind::Dns | Kind::Resolver | Kind::Cdn | Kind::Shield | Kind::Autoscaler | Kind::Monitor
    )
}

impl Watch {
    /// Adds a second.
    pub(super) fn look(&mut self, frame: &Frame) {
        for (info, state) in frame.topology.services.iter().zip(&frame.services) {
            if !is_tier(info.kind) {
                continue;
            }
            let machines = self.machines.entry(info.selector.clone()).or_default();
            let (mut busy, mut slots, mut backlog) = (0, 0, 0);
            // What functions run on is none of ours: of them, the instances that there may be are what runs out.
            let ours = usize::from(state.serverless.is_none()) * info.instances.len();
            for (instance, now) in info.instances.iter().zip(&state.instances).take(ours) {
                if now.health != Health::Up || now.active == Some(false) {
                    continue;
                }
                machines
                    .entry(instance.machine.clone())
                    .or_default()
                    .add(now.utilisation);
                busy += u64::from(now.busy_slots);
                slots += u64::from(instance.slots);
                backlog += u64::from(now.backlog);
            }
            if let Some(functions) = &state.serverless {
                let working = f64::from(functions.busy + functions.starting);
                let share = working / f64::from(functions.limit.max(1));
                machines.entry(info.selector.clone()).or_default().add(share);
            }
            if let Some(workers) = &state.workers {
                (busy, slots) = (u64::from(workers.busy), u64::from(workers.slots));
            }
            if slots > 0 {
                let share = busy as f64 / slots as f64;
                self.slots.entry(info.selector.clone()).or_default().add(share);
            }
            let most = self.backlog.entry(info.selector.clone()).or_default();
            *most = backlog.max(*most);
        }
    }

    /// What was seen, by tier, in the order of the services.
    pub(super) fn tiers(&self, frame: &Frame) -> Vec<Tier> {
        let mut tiers: Vec<Tier> = Vec::new();
        let mut known: Vec<BTreeSet<&str>> = Vec::new();
        for (index, info) in frame.topology.services.iter().enumerate() {
            let Some(machines) = self.machines.get(&info.selector) else {
                continue;
            };
            let slots = self.slots.get(&info.selector).copied().unwrap_or_default().mean();
            let backlog = self.backlog.get(&info.selector).copied().unwrap_or(0);
            let names: BTreeSet<&str> = machines.keys().map(String::as_str).collect();
            if let Some(same) = known.iter().position(|other| *other == names) {
                let tier = &mut tiers[same];
                tier.name = format!("{} + {}", tier.name, info.selector);
                tier.services.push(info.selector.clone());
                tier.slots = tier.slots.max(slots);
                tier.backlog = tier.backlog.max(backlog);
                continue;
            }
            let busiest = machines.iter().max_by(|a, b| a.1.mean().total_cmp(&b.1.mean()));
            let Some((busiest_machine, busiest)) = busiest else {
                continue;
            };
            let means: f64 = machines.values().map(|sum| sum.mean()).sum();
            let instances = &frame.services[index].instances;
            let is_function = frame.services[index].serverless.is_some();
            let ours = if is_function { &[][..] } else { &instances[..] };
            let up = ours.iter().filter(|instance| instance.health == Health::Up).count() as u32;
            let mut scalers = frame.services.iter().filter_map(|state| state.autoscaler.as_ref());
            let scaler = scalers.find(|scaler| scaler.of == index && scaler.on);
            tiers.push(Tier {
                name: info.selector.clone(),
                services: vec![info.selector.clone()],
                utilisation: means / machines.len() as f64,
                busiest: busiest.mean(),
                busiest_machine: busiest_machine.clone(),
                slots,
                backlog,
                machines: up,
                most_machines: scaler.map_or(up, |scaler| scaler.max.max(up)),
            });
            known.push(names);
        }
        tiers
    }
}

/// The requests that were refused for want of room between two frames, by service.
pub(super) fn overloaded(before: &Frame, after: &Frame) -> BTreeMap<String, u64> {
    let mut refused = BTreeMap::new();
    let full = |frame: &'_ Frame| -> BTreeMap<String, u64> {
        let causes = frame.causes.iter().filter(|cause| cause.reason == Reason::Overloaded);
        causes.map(|cause| (cause.at.clone(), cause.count)).collect()
    };
    let earlier = full(before);
    for (at, count) in full(after) {
        let holds = |info: &&ServiceInfo| info.instances.iter().any(|instance| instance.selector == at);
        let new = count - earlier.get(&at).copied().unwrap_or(0);
        if let Some(info) = after.topology.services.iter().find(holds).filter(|_| new > 0) {
            *refused.entry(info.selector.clone()).or_default() += new;
        }
    }
    refused
}

/// Which tier gives first, of a run in which something is broken and these services have refused so many requests.
pub(super) fn first(
    tiers: &[Tier],
    broken: &Broken,
    demands: &[Demand],
    frame: &Frame,
    refused: &BTreeMap<String, u64>,
) -> Option<First> {
    let holding = |service: &str| {
        let is_it = |tier: &&Tier| tier.services.iter().any(|name| name == service);
        tiers.iter().find(is_it)
    };
    let busiest = tiers.iter().max_by(|a, b| a.busiest.total_cmp(&b.busiest))?;
    let of = |tier: &Tier, why: Why| {
        let tier = tier.name.clone();
        Some(First { tier, why })
    };
    match broken {
        Broken::Queue { queue, per_second } => {
            let tier = workers_of(queue, frame)
                .and_then(|workers| holding(&workers))
                .or_else(|| holding(queue))?;
            return of(tier, Why::Queue(queue.clone(), *per_second));
        }
        // Who is to take it gives first; nobody does where that is gone.
        Broken::Outbox { queue, per_second, .. } => {
            let tier = holding(queue)?;
            return of(tier, Why::Queue(tier.name.clone(), *per_second));
        }
        Broken::Demand { index, .. } => {
            if let Some(tier) = service_of(&demands[*index].measure).and_then(holding) {
                return of(tier, Why::Demand(*index));
            }
        }
    }
    if busiest.busiest >= FULL {
        return of(busiest, Why::Cores(busiest.busiest));
    }
    // Slots are held while a tier waits for another: of those that are full, the one that waits for no full one.
    let turned_away = |tier: &Tier| -> u64 { tier.services.iter().filter_map(|name| refused.get(name)).sum() };
    let is_full = |tier: &&Tier| tier.slots >= SLOTS_FULL || turned_away(tier) > 0;
    let full: Vec<&Tier> = tiers.iter().filter(is_full).collect();
    let waits = |tier: &Tier| {
        full.iter()
            .any(|other| other.name != tier.name && calls(frame, tier, other))
    };
    if let Some(last) = full.iter().find(|tier| !waits(tier)).or(full.first()) {
        let why = if last.slots >= SLOTS_FULL {
            Why::Slots(last.slots)
        } else {
            Why::Refused(turned_away(last))
        };
        return of(last, why);
    }
    of(busiest, Why::Busiest(busiest.busiest))
}

/// The service that a demand is about, if it is about one.
fn service_of(measure: &Measure) -> Option<&str> {
    match measure {
        Measure::Utilisation(service)
        | Measure::Backlog(service)
        | Measure::Outbox(service)
        | Measure::Lag(service)
        | Measure::Behind(service)
        | Measure::Queue(QueueMeasure::Waiting | QueueMeasure::InFlight | QueueMeasure::Oldest, service) => {
            Some(service)
        }
        _ => None,
    }
}

/// Who takes the messages of a queue.
fn workers_of(queue: &str, frame: &Frame) -> Option<String> {
    let services = frame.topology.services.iter().zip(&frame.services);
    let takes = |workers: &crate::observe::WorkersState| frame.topology.services[workers.of].selector == queue;
    let mut workers = services.filter(|(_, state)| state.workers.as_ref().is_some_and(takes));
    workers.next().map(|(info, _)| info.selector.clone())
}

fn calls(frame: &Frame, from: &Tier, to: &Tier) -> bool {
    let is_in = |tier: &Tier, index: usize| tier.services.contains(&frame.topology.services[index].selector);
    let links = &frame.topology.links;
    let asks = |kind: LinkKind| matches!(kind, LinkKind::Requests | LinkKind::Sessions);
    links
        .iter()
        .any(|link| asks(link.kind) && is_in(from, link.from) && is_in(to, link.to))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::demand::{Manner, Origin};
    use super::*;
    use crate::layout::{Comparison, parse};
    use crate::world::World;

    const LAYOUT: &str = r#"Layout(
        title: "Two tiers",
        users: {"people": (count: 10)},
        services: {"web": Web(machines: 2, database: "db"), "db": Database()},
    )"#;

    fn world() -> World {
        World::build(&parse(LAYOUT, "t").expect("a layout"), 7)
    }

    fn tier(name: &str, busiest: f64, slots: f64) -> Tier {
        Tier {
            name: name.to_owned(),
            services: vec![name.to_owned()],
            utilisation: busiest,
            busiest,
            busiest_machine: format!("{name}/1"),
            slots,
            backlog: 0,
            machines: 1,
            most_machines: 1,
        }
    }

    fn given(web: (f64, f64), db: (f64, f64), measure: Measure) -> First {
        given_refused(web, db, measure, &[])
    }

    fn given_refused(web: (f64, f64), db: (f64, f64), measure: Measure, refused: &[(&str, u64)]) -> First {
        let demand = Demand {
            measure,
            comparison: Comparison::Less,
            bound: 0.8,
            manner: Manner::Each,
            text: String::new(),
            origin: Origin::Asked,
        };
        let broken = Broken::Demand {
            index: 0,
            at: Duration::ZERO,
            value: 1.0,
        };
        let tiers = [tier("web", web.0, web.1), tier("db", db.0, db.1)];
        let refused = refused
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        first(&tiers, &broken, &[demand], &world().frame(), &refused).expect("there are tiers")
    }

    #[test]
    fn whoever_others_wait_for_gives_first() {
        let named = |tier: &str, why: Why| First {
            tier: tier.to_owned(),
            why,
        };
        let p99 = || Measure::P99;
        assert_eq!(given((0.9, 1.0), (0.97, 0.4), p99()), named("db", Why::Cores(0.97)));
        // Slots of callers are taken while they wait for those of the callee.
        assert_eq!(given((0.4, 1.0), (0.3, 0.95), p99()), named("db", Why::Slots(0.95)));
        assert_eq!(given((0.4, 1.0), (0.3, 0.2), p99()), named("web", Why::Slots(1.0)));
        assert_eq!(given((0.4, 0.5), (0.3, 0.2), p99()), named("web", Why::Busiest(0.4)));
        let by_web = given_refused((0.2, 0.7), (0.3, 0.2), p99(), &[("web", 40)]);
        assert_eq!(by_web, named("web", Why::Refused(40)));
        let by_both = given_refused((0.2, 0.7), (0.3, 0.2), p99(), &[("web", 40), ("db", 3)]);
        assert_eq!(by_both, named("db", Why::Refused(3)));
        let of_web = Measure::Utilisation("web".to_owned());
        assert_eq!(given((0.81, 0.5), (0.99, 0.2), of_web), named("web", Why::Demand(0)));
    }

    #[test]
    fn a_tier_is_as_full_as_its_busiest_machine() {
        let mut world = world();
        let mut watch = Watch::default();
        for _ in 0..3 {
            world.advance(Duration::from_secs(1));
            watch.look(&world.frame());
        }
        let tiers = watch.tiers(&world.frame());
        let machines = |name: &str| tiers.iter().find(|tier| tier.name == name).map(|tier| tier.machines);
        assert_eq!([machines("web"), machines("db")], [Some(2), Some(1)]);
        assert_eq!(tiers.len(), 2, "people and names are no tiers");
        assert!(
            tiers
                .iter()
                .all(|tier| tier.busiest >= tier.utilisation && tier.busiest < 0.1)
        );
        assert_eq!(tier("web", 0.25, 0.0).room(), Some(4.0));
        assert_eq!(tier("web", 0.25, 0.5).room(), Some(2.0));
        assert_eq!(tier("web", 0.0, 0.0).room(), None);
    }
}
