//! What each command does to a world.

use crate::command::{Applied, Command, CommandError, Selector};
use crate::layout::{duration, percent, printable};
use crate::observe::{LinkKind, Severity};
use crate::sim::{InstanceId, ProcessState, Verdict, nanos};

use super::entries::Role;
use super::links::{add_rules, join};
use super::repair::{mend, mend_all};
use super::sample::refresh_health;
use super::select::{instances, on_machine};
use super::set::{revoke, set};
use super::settings::{balance, resize, scale, surge};
use super::{World, caches, chaos, databases, evolve, flaws, inject, outage, queues, sites};

/// As slow as a machine becomes however many faults slow it.
const SLOWEST: f64 = 1_000.0;

/// What came of a command.
pub(super) type Done = Result<Applied, CommandError>;

/// Does what the command says, or nothing.
pub(super) fn apply(world: &mut World, command: &Command) -> Done {
    match command {
        Command::Kill(target) => kill(world, target),
        Command::Destroy(target) => destroy(world, target),
        Command::Mend(target) => mend(world, target),
        Command::MendAll => mend_all(world),
        Command::Hang(target) => hang(world, target),
        Command::Slow(target, factor) => slow(world, target, *factor),
        Command::Cut(link) => add_rules(world, link, Verdict::Drop, "cut"),
        Command::Delay(link, by) => {
            let what = format!("delayed by {}", duration::format(*by));
            add_rules(world, link, Verdict::Delay(nanos(*by)), &what)
        }
        Command::Drop(link, share) => {
            let what = format!("losing {} of the packets", percent(*share));
            add_rules(world, link, Verdict::Lose(*share), &what)
        }
        Command::Join(link) => join(world, link),
        Command::Surge(population, factor) => surge(world, population.as_ref(), *factor),
        Command::Scale(target, count) => scale(world, target, *count),
        Command::Resize(target, size) => resize(world, target, size),
        Command::Balance(target, policy) => balance(world, target, *policy),
        Command::Set(target, setting) => set(world, target, setting),
        Command::Revoke(users, share) => revoke(world, users, *share),
        Command::Promote(target) => databases::promote(world, target),
        Command::Recover(target) => databases::recover(world, target),
        Command::Replicate(target) => databases::replicate(world, target),
        Command::Shard(target) => databases::shard(world, target),
        Command::Skew(target, seconds) => databases::skew(world, target, *seconds),
        Command::Evacuate(target) => sites::evacuate(world, target),
        Command::Reopen(target) => sites::reopen(world, target),
        Command::Close(target) => databases::close(world, target),
        Command::Flush(target) => caches::purge(world, target, None),
        Command::Purge(target, key) => caches::purge(world, target, Some(*key)),
        Command::Deploy => Ok(caches::deploy(world)),
        Command::Poison(target) => queues::poison(world, target),
        Command::Redrive(target) => queues::redrive(world, target),
        Command::Bandwidth(link, rate) => flaws::bandwidth(world, link, *rate),
        Command::Isolate(target) => flaws::isolate(world, target),
        Command::Outage(target) => flaws::outage(world, target),
        Command::Fail(target, share, flaw) => flaws::fail(world, target, *share, *flaw),
        Command::Leak(target, share) => flaws::leak(world, target, *share),
        Command::Disk(target, trouble) => flaws::disk(world, target, *trouble),
        Command::Mislead(target) => flaws::mislead(world, target),
        Command::Expire(target) => flaws::expire(world, target.as_ref()),
        Command::Inject(injection) => inject::inject(world, injection),
        Command::For(command, time) => inject::timed(world, command, *time),
        Command::Chaos(spec) => chaos::turn(world, spec.as_ref()),
        Command::Add(..) | Command::Remove(_) | Command::Connect(..) | Command::Disconnect(..) => {
            evolve::edit(world, command)
        }
    }
}

pub(super) fn refuse<T>(message: impl Into<String>) -> Result<T, CommandError> {
    Err(CommandError(message.into()))
}

pub(super) fn done(world: &mut World, severity: Severity, text: String) -> Applied {
    world.say(severity, text.clone());
    Applied(text)
}

/// The instances that a fault can hit: users are nobody's to break.
pub(super) fn breakable(world: &World, target: &Selector) -> Result<Vec<(usize, usize)>, CommandError> {
    let mut hit = instances(world, target)?;
    hit.retain(|(service, _)| !matches!(world.services[*service].role, Role::Users { .. }));
    if hit.is_empty() {
        return refuse(format!(
            "{} are users: they can't be broken; try `surge`",
            printable(&target.0)
        ));
    }
    Ok(hit)
}

pub(super) fn id(world: &World, (service, number): (usize, usize)) -> InstanceId {
    world.services[service].instances[number].id
}

pub(super) fn ids(world: &World, hit: &[(usize, usize)]) -> Vec<InstanceId> {
    hit.iter().map(|at| id(world, *at)).collect()
}

/// The machines under instances, each once.
pub(super) fn machines(world: &World, hit: &[(usize, usize)]) -> Vec<usize> {
    let mut machines: Vec<usize> = hit
        .iter()
        .map(|(service, number)| world.services[*service].instances[*number].machine)
        .collect();
    machines.sort_unstable();
    machines.dedup();
    machines
}

/// How a target is called in a sentence.
pub(super) fn called(world: &World, target: &Selector, hit: &[(usize, usize)]) -> String {
    match hit {
        [at] if !target.0.contains('*') && target.0.contains('/') => {
            world.services[at.0].instances[at.1].selector.clone()
        }
        _ => printable(&target.0),
    }
}

fn kill(world: &mut World, target: &Selector) -> Done {
    let mut hit = breakable(world, target)?;
    hit.retain(|at| world.kernel.process_state(id(world, *at)) != ProcessState::Down);
    let name = called(world, target, &hit);
    if hit.is_empty() {
        return refuse(format!("{name} is down already"));
    }
    for instance in ids(world, &hit) {
        world.kernel.crash(instance);
    }
    // The provider starts functions again at once: there is no server to kill, only what runs now.
    let is_function = |at: &&(usize, usize)| matches!(world.services[at.0].role, Role::Serverless { .. });
    if hit.iter().all(|at| is_function(&at)) {
        for instance in ids(world, &hit) {
            world.kernel.start(instance, std::time::Duration::ZERO);
        }
    }
    let done = fault(world, &format!("killed {name}"), &name, &hit);
    caches::lose_unwritten(world, &hit);
    queues::lose(world, &hit, false);
    Ok(done)
}

fn destroy(world: &mut World, target: &Selector) -> Done {
    let hit = breakable(world, target)?;
    let name = called(world, target, &hit);
    let doomed: Vec<usize> = machines(world, &hit)
        .into_iter()
        .filter(|machine| !world.kernel.is_gone(world.machines[*machine].id))
        .collect();
    if doomed.is_empty() {
        return refuse(format!("{name} is destroyed already"));
    }
    let mut hit = Vec::new();
    for machine in doomed {
        hit.extend(on_machine(world, machine));
        world.kernel.destroy(world.machines[machine].id);
    }
    let done = fault(world, &format!("destroyed {name}"), &name, &hit);
    queues::lose(world, &hit, true);
    let mut concerned = caches::forget_unwritten(world, &hit, true);
    concerned.extend(databases_of(world, &hit));
    concerned.sort_unstable();
    concerned.dedup();
    databases::audit(world, &concerned);
    Ok(done)
}

/// The databases that instances belong to.
fn databases_of(world: &World, hit: &[(usize, usize)]) -> Vec<usize> {
    let all = hit
        .iter()
        .filter_map(|(service, _)| match &world.services[*service].role {
            Role::Database { database, .. } => Some(*database),
            _ => None,
        });
    let mut databases: Vec<usize> = all.collect();
    databases.sort_unstable();
    databases.dedup();
    databases
}

fn hang(world: &mut World, target: &Selector) -> Done {
    let mut hit = breakable(world, target)?;
    hit.retain(|at| world.kernel.process_state(id(world, *at)) == ProcessState::Up);
    let name = called(world, target, &hit);
    if hit.is_empty() {
        return refuse(format!("{name} does not run, so it can't hang"));
    }
    for instance in ids(world, &hit) {
        world.kernel.hang(instance);
    }
    Ok(fault(world, &format!("hung {name}"), &name, &hit))
}

fn slow(world: &mut World, target: &Selector, factor: f64) -> Done {
    pace(world, target, factor, |_| factor)
}

/// Lets work that took `from` times as long as before take `to` times as long: what was slower for another reason stays so much slower.
pub(super) fn slower(world: &mut World, target: &Selector, from: f64, to: f64) -> Done {
    pace(world, target, to, |now| (now * to / from).min(SLOWEST))
}

/// Sets how long work takes, by how long it takes now. `factor` is what is said.
fn pace(world: &mut World, target: &Selector, factor: f64, of: impl Fn(f64) -> f64) -> Done {
    let hit = breakable(world, target)?;
    let name = called(world, target, &hit);
    let machines = machines(world, &hit);
    for machine in &machines {
        let id = world.machines[*machine].id;
        let factor = of(world.kernel.slow(id));
        world.kernel.set_slow(id, factor);
    }
    if factor > 1.0 {
        let hit: Vec<_> = machines
            .into_iter()
            .flat_map(|machine| on_machine(world, machine))
            .collect();
        return Ok(fault(world, &format!("slowed {name} by {factor}"), &name, &hit));
    }
    Ok(done(world, Severity::Good, format!("{name} is as fast as before")))
}

/// The instances of all services that call one of these, directly or by way of others; users left out.
pub(super) fn dependants(world: &World, services: Vec<usize>) -> Vec<InstanceId> {
    let mut found = services.clone();
    let mut open = services;
    while let Some(service) = open.pop() {
        let callers = world.topology.links.iter().filter(|link| link.to == service);
        for link in
            callers.filter(|link| matches!(link.kind, LinkKind::Requests | LinkKind::Sessions | LinkKind::Messages))
        {
            if !found.contains(&link.from) {
                found.push(link.from);
                open.push(link.from);
            }
        }
    }
    let entries = found.iter().map(|service| &world.services[*service]);
    entries
        .filter(|entry| !matches!(entry.role, Role::Users { .. }))
        .flat_map(|entry| entry.present().map(|(_, instance)| instance.id))
        .collect()
}

/// Opens an incident, or widens that of the injection whose step is carried out. Returns its number.
pub(super) fn open_incident(
    world: &mut World,
    what: &str,
    name: &str,
    targets: Vec<InstanceId>,
    upstream: Vec<InstanceId>,
) -> u32 {
    let now = world.now();
    let incidents = &mut world.chronicle.incidents;
    let Some(injection) = world.agenda.current() else {
        let number = incidents.open(now, what, name, targets);
        incidents.depend(upstream);
        return number;
    };
    if let Some(number) = injection.incident {
        incidents.widen(number, targets, upstream);
        return number;
    }
    let title = injection.title.as_deref().unwrap_or(what);
    let number = incidents.open(now, &format!("{title}{}", injection.suffix), name, targets);
    incidents.depend(upstream);
    incidents.hold(number);
    injection.incident = Some(number);
    number
}

/// Opens an incident, and says so.
pub(super) fn fault(world: &mut World, what: &str, name: &str, hit: &[(usize, usize)]) -> Applied {
    strike(world, what, name, hit);
    done(world, Severity::Bad, what.to_owned())
}

/// Opens an incident of what is hit, or widens it.
pub(super) fn strike(world: &mut World, what: &str, name: &str, hit: &[(usize, usize)]) {
    let targets = ids(world, hit);
    let upstream = dependants(world, hit.iter().map(|(service, _)| *service).collect());
    let closed = outage::closed(world, &targets);
    let number = open_incident(world, what, name, targets, upstream);
    if !closed.is_empty() {
        world.chronicle.incidents.close(number, closed);
    }
    refresh_health(world);
}
