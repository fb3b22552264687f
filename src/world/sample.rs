//! What is looked at on the grid: health every step, rates and samples every second.

use std::collections::VecDeque;
use std::time::Duration;

use crate::observe::{Health, LinkKind, RECENT_SECONDS, Sample, Severity, Tally};
use crate::sim::{InstanceId, ProcessState, SimTime};

use super::entries::{Bill, Role, ServiceEntry};
use super::states::bill;
use super::view::mean_nanos;
use super::{STEPS_A_SECOND, World};

/// Seconds of a trend.
const TREND: usize = 60;

/// One step of the grid.
pub(super) fn step(world: &mut World) {
    refresh_health(world);
    world.scale_as_wanted();
    world.release_drained();
    super::inject::tidy(world);
    super::databases::step(world);
    let now = world.now();
    let (calm, answered) = (world.traffic() <= 1.0, world.chronicle.answered_of_late());
    let targets: Vec<InstanceId> = world
        .chronicle
        .incidents
        .cases
        .iter()
        .flat_map(|case| case.targets.clone())
        .collect();
    let mut unwell: Vec<InstanceId> = targets.into_iter().filter(|id| !world.is_well(*id)).collect();
    unwell.sort_unstable();
    let news = world
        .chronicle
        .incidents
        .tick(now, |id| unwell.binary_search(&id).is_err(), calm, answered);
    for (number, milestone) in news {
        super::milestones::tell_end(world, number, milestone);
    }
    if world.next_step.is_multiple_of(STEPS_A_SECOND) {
        second(world);
    }
}

/// Looks at what runs, and says what has changed.
pub(super) fn refresh_health(world: &mut World) {
    let now = world.now();
    let mut changes = Vec::new();
    for (service, entry) in world.services.iter().enumerate() {
        for (number, instance) in entry.present() {
            let health = health(world, instance.id);
            if health != instance.health {
                changes.push((service, number, health));
            }
        }
    }
    for (service, number, health) in changes {
        let instance = &mut world.services[service].instances[number];
        let before = std::mem::replace(&mut instance.health, health);
        instance.since = now;
        let selector = instance.selector.clone();
        match (before, health) {
            (Health::Booting { .. }, Health::Up) => world.say(Severity::Good, format!("{selector} is up")),
            (_, Health::Booting { until }) => {
                let wait = until.since(now).as_secs_f64();
                world.say(Severity::Info, format!("{selector} boots: ready in {wait:.0}s"));
            }
            _ => {}
        }
    }
}

/// The truth about an instance.
fn health(world: &World, id: InstanceId) -> Health {
    if world.kernel.is_gone(world.kernel.machine_of(id)) {
        return Health::Destroyed;
    }
    match world.kernel.process_state(id) {
        ProcessState::Booting { until } => Health::Booting { until },
        ProcessState::Hung => Health::Hung,
        ProcessState::Down => Health::Down,
        ProcessState::Up if is_cut_off(world, id) => Health::CutOff,
        ProcessState::Up => Health::Up,
    }
}

/// Whether no packet reaches an instance from any service that calls it.
fn is_cut_off(world: &World, id: InstanceId) -> bool {
    let network = world.kernel.network();
    if network.rules.is_empty() {
        return false;
    }
    let service = world.places[id.0 as usize].0;
    let mut callers = world
        .topology
        .links
        .iter()
        .filter(|link| link.to == service)
        .flat_map(|link| world.services[link.from].present())
        .map(|(_, caller)| caller.id)
        .peekable();
    callers.peek().is_some()
        && callers.all(|caller| {
            network
                .rules
                .iter()
                .any(|rule| rule.verdict == crate::sim::Verdict::Drop && rule.matches(caller, id))
        })
}

fn second(world: &mut World) {
    let now = world.now();
    let mut sum = Tally::default();
    let mut spent = world.machines_price() / 3600.0;
    let mut latency = crate::observe::Recent::default();
    for service in &mut world.services {
        sample_instances(&world.kernel, &world.machines, service, now);
        if let Role::Users { probe, seen, .. } = &mut service.role {
            let tally = probe.tally.get();
            let in_second = difference(tally, seen.last);
            seen.last = tally;
            push(&mut seen.seconds, in_second, RECENT_SECONDS - 1);
            push(&mut seen.trend, in_second.sent as f32, TREND);
            add(&mut sum, in_second);
            let mut latencies = probe.latencies.borrow_mut();
            latencies.add_second_to(&mut latency);
            latencies.end_second();
        }
        sample_shares(service);
        super::caches::sample(service);
        super::queues::sample(service);
        spent += sample_bill(service, world.site.content.price_per_gb);
    }
    sum.retried = world.chronicle.retried - world.retried_sampled;
    world.retried_sampled = world.chronicle.retried;
    world.spent += spent;
    world.chronicle.incidents.pay(spent);
    sample_links(world);
    super::caches::tell(world);
    super::queues::look(world);
    let quantiles = latency.quantiles();
    world.chronicle.end_second(Sample {
        at: now,
        tally: sum,
        p50: quantiles.p50,
        p99: quantiles.p99,
    });
    super::outage::watch(world);
}

fn sample_instances(
    kernel: &crate::sim::Kernel<crate::observe::System>,
    machines: &[super::MachineEntry],
    service: &mut ServiceEntry,
    now: SimTime,
) {
    service.rate = 0.0;
    let (mut load, mut worked) = (0.0, 0_u32);
    for instance in service.instances.iter_mut().filter(|instance| !instance.left) {
        let machine = &machines[instance.machine];
        let busy = kernel.cores_busy(machine.id).integral(now);
        let cores = machine.size.map_or(f64::INFINITY, |size| f64::from(size.cores));
        let (received, sojourn) = (instance.meter.received.get(), instance.meter.sojourn.get());
        let answered = instance.meter.ok.get() + instance.meter.failed.get();
        let last = &mut instance.sampled;
        last.rate = (received - last.received) as f64;
        let ended = answered - last.answered;
        last.latency = Duration::from_nanos(mean_nanos(sojourn - last.sojourn, ended));
        last.utilisation = ((busy - last.busy) / cores).min(1.0);
        push(&mut last.trend, last.utilisation as f32, TREND);
        (last.received, last.answered, last.sojourn, last.busy) = (received, answered, sojourn, busy);
        service.rate += last.rate;
        if last.utilisation > 0.0 {
            load += last.utilisation;
            worked += 1;
        }
    }
    push(&mut service.trend, (load / f64::from(worked.max(1))) as f32, TREND);
}

/// What functions and traffic cost in the last second.
fn sample_bill(service: &mut ServiceEntry, price_per_gb: f64) -> f64 {
    let functions = match &service.role {
        Role::Serverless { spec, probe, .. } => bill(&spec.borrow(), probe),
        _ => 0.0,
    };
    let spent = functions + super::caches::traffic_bill(service, price_per_gb);
    let more = spent - service.bill.spent;
    service.bill = Bill {
        spent,
        per_hour: more * 3600.0,
    };
    more
}

/// What the balancers of a service sent to each server in the last second.
fn sample_shares(service: &mut ServiceEntry) {
    let Role::LoadBalancer { probes, shares, .. } = &mut service.role else {
        return;
    };
    let mut sent: Vec<(InstanceId, u64)> = Vec::new();
    for probe in probes.iter() {
        for (place, backend) in probe.backends.borrow().iter().enumerate() {
            match sent.get_mut(place).filter(|known| known.0 == backend.id) {
                Some(known) => known.1 += backend.sent,
                None => match sent.iter_mut().find(|known| known.0 == backend.id) {
                    Some(known) => known.1 += backend.sent,
                    None => sent.push((backend.id, backend.sent)),
                },
            }
        }
    }
    let before = |place: usize, id: InstanceId| {
        let here = shares.get(place).filter(|(known, _, _)| *known == id);
        let known = here.or_else(|| shares.iter().find(|(known, _, _)| *known == id));
        known.map_or(0, |(_, sent, _)| *sent)
    };
    let news = sent.iter().enumerate();
    let sampled: Vec<(InstanceId, u64, f64)> = news
        .map(|(place, (id, sent))| (*id, *sent, (sent - before(place, *id).min(*sent)) as f64))
        .collect();
    let total: f64 = sampled.iter().map(|(_, _, sent)| sent).sum();
    *shares = sampled
        .into_iter()
        .map(|(id, sent, now)| (id, sent, if total > 0.0 { now / total } else { 0.0 }))
        .collect();
}

/// Makes room for links of services that are new: there were so many before.
pub(super) fn widen_links(world: &mut World, before: usize) {
    let count = world.services.len();
    if count == before || world.link_totals.is_empty() {
        return;
    }
    let place = |at: usize| (at / before) * count + at % before;
    let (mut rates, mut totals) = (vec![0.0; count * count], vec![0; count * count]);
    for at in 0..world.link_totals.len() {
        rates[place(at)] = world.link_rates[at];
        totals[place(at)] = world.link_totals[at];
    }
    world.link_rates = rates;
    world.link_totals = totals;
}

fn sample_links(world: &mut World) {
    let count = world.services.len();
    world.link_rates.resize(count * count, 0.0);
    world.link_totals.resize(count * count, 0);
    let network = world.kernel.network();
    for link in &world.topology.links {
        let counted = super::queues::taken(&world.services[link.to]).filter(|_| link.kind == LinkKind::Messages);
        let total = counted.unwrap_or_else(|| {
            let (from, to) = (world.services[link.from].group, world.services[link.to].group);
            network.traffic(from, to).total
        });
        let place = link.from * count + link.to;
        world.link_rates[place] = total.saturating_sub(world.link_totals[place]) as f64;
        world.link_totals[place] = total;
    }
}

fn push<T>(values: &mut VecDeque<T>, value: T, limit: usize) {
    if values.len() == limit {
        values.pop_front();
    }
    values.push_back(value);
}

/// What was counted between two looks.
pub(super) fn difference(now: Tally, before: Tally) -> Tally {
    Tally {
        sent: now.sent - before.sent,
        ok: now.ok - before.ok,
        failed: now.failed - before.failed,
        retried: now.retried - before.retried,
    }
}

/// Adds one tally to another.
pub(super) fn add(sum: &mut Tally, tally: Tally) {
    sum.sent += tally.sent;
    sum.ok += tally.ok;
    sum.failed += tally.failed;
    sum.retried += tally.retried;
}
