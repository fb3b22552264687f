//! Commands that change traffic, size, number and policy.

use crate::command::Selector;
use crate::layout::{Balance, SIZES, Size, grouped, printable};
use crate::observe::{Health, Severity};
use crate::protocol::Request;
use crate::sim::ProcessState;

use super::apply::{Done, breakable, called, done, fault, id, machines, open_incident, refuse};
use super::discover::refresh_members;
use super::entries::Role;
use super::grow::add_machines;
use super::select::{Target, instances, on_machine, targets};
use super::view::{policy_name, refresh_topology};
use super::{World, caches, queues};

/// Machines that a world may have.
const MOST_MACHINES: usize = 100_000;

/// Turns the traffic.
pub(super) fn surge(world: &mut World, population: Option<&Selector>, factor: f64) -> Done {
    let mut hit: Vec<usize> = match population {
        None => (0..world.services.len()).collect(),
        Some(selector) => instances(world, selector)?
            .into_iter()
            .map(|(service, _)| service)
            .collect(),
    };
    hit.retain(|service| matches!(world.services[*service].role, Role::Users { .. }));
    if hit.is_empty() {
        let name = population.map(|selector| printable(&selector.0)).unwrap_or_default();
        return refuse(format!("{name} are not users: only traffic of users can surge"));
    }
    let before = world.traffic();
    let mut changed = false;
    for service in hit {
        changed |= set_traffic(world, service, factor);
    }
    let whose = population
        .map(|selector| format!(" of {}", printable(&selector.0)))
        .unwrap_or_default();
    if !changed {
        return refuse(format!("the traffic{whose} is x{factor} already"));
    }
    let text = format!("traffic{whose} x{factor}");
    if factor > before && factor > 1.0 {
        open_incident(world, &text, "traffic", Vec::new(), Vec::new());
    }
    Ok(done(world, Severity::Info, text))
}

/// Sets the factor on a population's traffic. False when it is that already.
pub(super) fn set_traffic(world: &mut World, service: usize, factor: f64) -> bool {
    let entry = &world.services[service];
    let Role::Users { throttle, .. } = &entry.role else {
        return false;
    };
    #[allow(clippy::float_cmp, reason = "the factor is set, never computed")]
    if throttle.factor.get() == factor {
        return false;
    }
    // The population hears of it first, while the old rate is still known to its clock.
    throttle.factor.set(factor);
    let instance = entry.instances[0].id;
    world.kernel.cast(instance, Request::Retune);
    true
}

/// Machines that a world still has room for.
pub(super) fn vacant(world: &World) -> usize {
    let present = world.machines.iter().filter(|machine| !machine.left);
    MOST_MACHINES.saturating_sub(present.count())
}

/// What is said where there is no room for more.
pub(super) fn full() -> String {
    format!("a world has at most {} machines", grouped(MOST_MACHINES as u64))
}

/// Adds machines to a web tier or to workers, or takes some out.
pub(super) fn scale(world: &mut World, target: &Selector, count: u32) -> Done {
    let mut services = Vec::new();
    for target in targets(world, target)? {
        match target {
            Target::Service(service) => services.push(service),
            _ => return refuse("only a service can be scaled: name it without a number"),
        }
    }
    let [service] = services[..] else {
        return refuse("name one service to scale");
    };
    let entry = &world.services[service];
    let name = entry.selector.clone();
    let host = match &entry.role {
        Role::Web { spec, .. } => spec.borrow().on.clone(),
        Role::Consumer { spec, .. } => spec.borrow().on.clone(),
        _ => {
            return refuse(format!(
                "{name} is no web tier and no workers: only those can be scaled"
            ));
        }
    };
    if let Some(host) = &host {
        return refuse(format!(
            "{name} runs on the host {}, so it can't be scaled out",
            printable(host)
        ));
    }
    let serving = entry.staying().count();
    let count = count as usize;
    if count == 0 {
        return refuse(format!("{name} needs at least one machine"));
    }
    if count == serving {
        return refuse(format!("{name} has {count} already"));
    }
    let room = vacant(world);
    if count.saturating_sub(serving) > room {
        return refuse(format!("{}: `scale {name} {}` is the most", full(), serving + room));
    }
    let text = set_count(world, service, count);
    Ok(done(world, Severity::Info, format!("{text}: {name} has {count} now")))
}

/// Gives a web tier, or workers, so many machines, which are not as many as now; returns what was done.
pub(super) fn set_count(world: &mut World, service: usize, count: usize) -> String {
    let serving = world.services[service].staying().count();
    let text = if count > serving {
        grow(world, service, count - serving)
    } else {
        shrink(world, service, serving - count)
    };
    refresh_members(world, service);
    refresh_topology(world);
    text
}

fn grow(world: &mut World, service: usize, more: usize) -> String {
    let names = add_machines(world, service, more as u32);
    format!("added {}", listed(&names))
}

/// A few names, or their number.
fn listed(names: &[String]) -> String {
    if names.len() <= 3 {
        names.join(", ")
    } else {
        format!("{} machines", names.len())
    }
}

/// What does not serve goes first, then what rests for a rollout, then the highest numbers: balancers are told, what is in progress is answered.
fn shrink(world: &mut World, service: usize, fewer: usize) -> String {
    let now = world.now();
    let staying = world.services[service].instances.iter_mut().rev();
    let mut leaving: Vec<_> = staying
        .filter(|instance| !instance.left && instance.draining.is_none())
        .collect();
    leaving.sort_by_key(|instance| (instance.health == Health::Up, !instance.resting));
    let names: Vec<String> = leaving
        .into_iter()
        .take(fewer)
        .map(|instance| {
            instance.draining = Some(now);
            instance.selector.clone()
        })
        .collect();
    queues::drain(world, service);
    format!("draining {}", listed(&names))
}

/// Gives machines another size.
pub(super) fn resize(world: &mut World, target: &Selector, size: &str) -> Done {
    let hit = breakable(world, target)?;
    let name = called(world, target, &hit);
    let Some(size) = Size::named(size) else {
        let names: Vec<&str> = SIZES.iter().map(|size| size.name).collect();
        return refuse(format!(
            "there is no size `{}`: sizes are {}, and none is larger",
            printable(size),
            names.join(", ")
        ));
    };
    let machines = machines(world, &hit);
    if let Some(foreign) = machines.iter().find(|machine| world.machines[**machine].size.is_none()) {
        return refuse(format!(
            "{} is run by others: its size is not yours to choose",
            world.machines[*foreign].selector
        ));
    }
    if machines
        .iter()
        .all(|machine| world.machines[*machine].size == Some(size))
    {
        return refuse(format!("{name} has size {} already", size.name));
    }
    if let Some(gone) = machines
        .iter()
        .find(|machine| world.kernel.is_gone(world.machines[**machine].id))
    {
        return refuse(format!(
            "{} is destroyed: mend it first",
            world.machines[*gone].selector
        ));
    }
    let mut restarted = Vec::new();
    for machine in machines {
        restarted.extend(resize_machine(world, machine, size));
    }
    adopt_sizes(world);
    refresh_topology(world);
    if restarted.is_empty() {
        return Ok(done(
            world,
            Severity::Info,
            format!("resized {name} to {}: it is down", size.name),
        ));
    }
    let what = format!("resized {name} to {}: it restarts", size.name);
    Ok(fault(world, &what, &name, &restarted))
}

/// A tier whose machines all have one size gets new ones of that size.
fn adopt_sizes(world: &World) {
    for entry in &world.services {
        if !matches!(entry.role, Role::Web { .. } | Role::Consumer { .. }) {
            continue;
        }
        let mut sizes = entry
            .staying()
            .filter_map(|(_, instance)| world.machines[instance.machine].size);
        let Some(first) = sizes.next() else { continue };
        if sizes.all(|size| size == first) {
            match &entry.role {
                Role::Web { spec, .. } => first.name.clone_into(&mut spec.borrow_mut().size),
                Role::Consumer { spec, .. } => first.name.clone_into(&mut spec.borrow_mut().size),
                _ => {}
            }
        }
    }
}

/// Stops what runs on a machine, changes its size and starts it again; returns what was restarted.
fn resize_machine(world: &mut World, machine: usize, size: &'static Size) -> Vec<(usize, usize)> {
    let here = on_machine(world, machine);
    let mut running = Vec::new();
    for at in &here {
        let instance = id(world, *at);
        if world.kernel.process_state(instance) != ProcessState::Down {
            world.kernel.crash(instance);
            running.push(*at);
        }
    }
    caches::lose_unwritten(world, &running);
    queues::lose(world, &running, false);
    let id_of_machine = world.machines[machine].id;
    world.kernel.set_cores(id_of_machine, size.cores);
    let now = world.now();
    let entry = &mut world.machines[machine];
    entry.offered = (entry.capacity(now), now);
    entry.size = Some(size);
    for at in &running {
        let (instance, boot) = (id(world, *at), world.services[at.0].instances[at.1].boot);
        world.kernel.start(instance, boot);
    }
    running
}

/// Changes how balancers choose.
pub(super) fn balance(world: &mut World, target: &Selector, policy: Balance) -> Done {
    let hit = instances(world, target)?;
    let balancers: Vec<usize> = hit
        .iter()
        .map(|(service, _)| *service)
        .filter(|service| matches!(world.services[*service].role, Role::LoadBalancer { .. }))
        .collect();
    let name = printable(&target.0);
    if balancers.is_empty() {
        return refuse(format!("{name} is no load balancer"));
    }
    for service in balancers {
        if let Role::LoadBalancer { members, .. } = &world.services[service].role {
            members.spec.borrow_mut().balance = policy;
        }
    }
    refresh_topology(world);
    Ok(done(
        world,
        Severity::Info,
        format!("{name} balances by {}", policy_name(policy)),
    ))
}
