//! Rollouts: the machines of a service are restarted in turn. Where others can be asked meanwhile, nobody asks those whose turn it is, and they answer what
//! they hold first.

use std::collections::VecDeque;
use std::time::Duration;

use crate::layout::duration;
use crate::observe::{Health, Severity};
use crate::protocol::Request;
use crate::sim::{InstanceId, ProcessState, SimTime};

use super::agenda::{Act, Item};
use super::apply::{done, ids, strike};
use super::discover::refresh_members;
use super::entries::{InstanceEntry, Role, ServiceEntry};
use super::repair::restart;
use super::sample::refresh_health;
use super::upkeep::{is_idle, patience};
use super::{World, caches, inject, queues};

/// Waves of a rollout at most.
const WAVES: usize = 10;
/// Until those who asked a machine know that it is not to be asked, and what they sent has arrived.
const NOTICE: Duration = Duration::from_secs(1);
/// How often it is looked whether a machine has answered all that it held, and whether it is believed up again.
const LOOK: Duration = Duration::from_millis(100);
/// Between two waves, once the first has booted: so long at least.
const PAUSE: Duration = Duration::from_secs(5);
/// So long at most for balancers to believe in what was restarted.
const BELIEF: Duration = Duration::from_secs(60);

/// How far a rollout is.
pub(super) struct Rollout {
    service: usize,
    /// Places of the instances that are still to be restarted, the wave whose turn it is first.
    waves: VecDeque<Vec<usize>>,
    stage: Stage,
    /// It waits for others to serve, and has said so.
    waits: bool,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The turn of the next wave has come.
    Turn,
    /// It answers what it holds, since then.
    Drain(SimTime),
    Boot,
    /// It has booted then, and is asked again once it is believed up.
    Back(SimTime),
}

/// The instances of a service that run and are to stay: those are restarted.
pub(super) fn running(world: &World, service: usize) -> Vec<usize> {
    let present = world.services[service].present();
    let running = present.filter(|(number, _)| runs(world, (service, *number)));
    running.map(|(number, _)| number).collect()
}

fn runs(world: &World, (service, number): (usize, usize)) -> bool {
    let instance = &world.services[service].instances[number];
    let state = world.kernel.process_state(instance.id);
    !instance.left && instance.draining.is_none() && matches!(state, ProcessState::Up | ProcessState::Booting { .. })
}

/// A rollout of these instances, which has not begun.
pub(super) fn plan(service: usize, running: &[usize]) -> Act {
    Act::Roll(Rollout {
        service,
        waves: running.chunks(wave_of(running)).map(<[usize]>::to_vec).collect(),
        stage: Stage::Turn,
        waits: false,
    })
}

/// How many of them are restarted at a time.
fn wave_of(running: &[usize]) -> usize {
    running.len().div_ceil(WAVES).max(1)
}

/// What a rollout costs, for the notice of what brings it about.
pub(super) fn cost(world: &World, service: usize) -> Option<String> {
    let entry = &world.services[service];
    let name = &entry.selector;
    let running = running(world, service);
    let wave = running.chunks(wave_of(&running)).next()?;
    let boot = duration::format(boot(entry, wave[0]));
    let one = running.len() == 1;
    let alone = entry.staying().count() == 1;
    Some(match &entry.role {
        Role::Consumer { .. } if one => format!("{name} restarts once its work is done: messages wait for it"),
        Role::Consumer { .. } => format!("{name} restarts in turn, each machine once its work is done"),
        Role::Web { .. } if can_drain(world, service, wave) => {
            format!("{name} restarts in turn, each machine once it has answered what it holds")
        }
        Role::Web { .. } if must_wait(world, service, wave) => {
            format!("{name} restarts in turn, each machine once others serve: now they do not, so it waits for them")
        }
        Role::Web { .. } if alone => {
            format!("{name} has one machine: nobody answers for the {boot} in which it restarts")
        }
        Role::Web { .. } => {
            format!("{name} restarts in turn; no balancer leads requests around a machine in its {boot}: they fail")
        }
        Role::Serverless { .. } => format!("{name} restarts, and what it works on fails"),
        Role::Cache { .. } if one => format!("{name} restarts, and is empty"),
        Role::Cache { .. } => format!("{name} restarts in turn, each machine empty"),
        _ if alone => format!("{name} has one machine: nobody answers for the {boot} in which it restarts"),
        _ => format!("{name} restarts in turn, each machine within {boot}"),
    })
}

/// Whether a balancer chooses among the instances of a service.
fn is_balanced(world: &World, service: usize) -> bool {
    let mut services = world.services.iter();
    services.any(|entry| matches!(&entry.role, Role::LoadBalancer { edge, .. } if edge.to == service))
}

/// Whether a wave is led around: workers leave their messages to the queue; servers need a balancer that has others to ask.
fn can_drain(world: &World, service: usize, wave: &[usize]) -> bool {
    let entry = &world.services[service];
    match &entry.role {
        Role::Consumer { .. } => true,
        Role::Web { .. } => {
            let mut others = entry.serving().filter(|(number, _)| !wave.contains(number));
            let serves = |other: &InstanceEntry| other.health == Health::Up && world.is_trusted(other.id);
            is_balanced(world, service) && others.any(|(_, other)| serves(other))
        }
        _ => false,
    }
}

/// Whether a wave is all that serves although its service has others behind the balancer, too: it is not to be restarted before one of those serves.
fn must_wait(world: &World, service: usize, wave: &[usize]) -> bool {
    let entry = &world.services[service];
    let web = matches!(entry.role, Role::Web { .. });
    let mut others = entry.staying().filter(|(number, _)| !wave.contains(number));
    web && others.next().is_some() && is_balanced(world, service) && !can_drain(world, service, wave)
}

/// Functions are there again at once: the provider sees to that.
fn boot(entry: &ServiceEntry, number: usize) -> Duration {
    match entry.role {
        Role::Serverless { .. } => Duration::ZERO,
        _ => entry.instances[number].boot,
    }
}

/// Does the next step of a rollout, and enters the one after it. True when it is over.
pub(super) fn roll(world: &mut World, of: u32, mut rollout: Rollout) -> bool {
    let now = world.now();
    let service = rollout.service;
    let wait = match rollout.stage {
        Stage::Turn => {
            let Some(wave) = next_wave(world, &mut rollout) else {
                return true;
            };
            if must_wait(world, service, &wave) {
                wait_for_others(world, &mut rollout);
                LOOK
            } else if can_drain(world, service, &wave) {
                rollout.waits = false;
                rest(world, service, &wave);
                rollout.stage = Stage::Drain(now);
                NOTICE
            } else {
                rollout.stage = Stage::Boot;
                begin_anew(world, of, service, &wave)
            }
        }
        Stage::Drain(since) => {
            let entry = &world.services[service];
            let mut wave = rollout.waves[0].clone();
            // Who has left meanwhile, or was put in the place of one that left, has no part in it any more.
            wave.retain(|number| entry.instances[*number].resting);
            let idle = wave.iter().all(|number| is_idle(entry, *number));
            if !wave.is_empty() && must_wait(world, service, &wave) {
                // The others have failed meanwhile: it serves instead of restarting.
                come_back(world, service);
                rollout.stage = Stage::Turn;
                wait_for_others(world, &mut rollout);
                LOOK
            } else if idle || now >= since + patience(&entry.role) {
                rollout.stage = Stage::Boot;
                begin_anew(world, of, service, &wave)
            } else {
                LOOK
            }
        }
        Stage::Boot => {
            come_back(world, service);
            rollout.stage = Stage::Back(now);
            if rollout.waves.len() <= 1 {
                return true;
            }
            PAUSE
        }
        Stage::Back(since) => {
            let instances = &world.services[service].instances;
            let wave = rollout.waves[0].iter().map(|number| instances[*number].id);
            let believed = wave.clone().all(|id| world.is_trusted(id));
            if !believed && now < since + BELIEF {
                LOOK
            } else {
                rollout.waves.pop_front();
                rollout.stage = Stage::Turn;
                Duration::ZERO
            }
        }
    };
    let act = Act::Roll(rollout);
    world.agenda.enter(now + wait, Item { of, act });
    false
}

/// The first wave of which something runs, as far as it runs.
fn next_wave(world: &World, rollout: &mut Rollout) -> Option<Vec<usize>> {
    let service = rollout.service;
    while let Some(wave) = rollout.waves.front_mut() {
        wave.retain(|number| runs(world, (service, *number)));
        if !wave.is_empty() {
            return Some(wave.clone());
        }
        rollout.waves.pop_front();
    }
    None
}

/// Says once that a rollout does not go on.
fn wait_for_others(world: &mut World, rollout: &mut Rollout) {
    if std::mem::replace(&mut rollout.waits, true) {
        return;
    }
    let name = &world.services[rollout.service].selector;
    let text = format!("rollout of {name} waits: no other machine serves meanwhile");
    world.say(Severity::Warning, text);
}

/// Nobody is to ask these any more.
fn rest(world: &mut World, service: usize, wave: &[usize]) {
    for number in wave {
        world.services[service].instances[*number].resting = true;
    }
    if let Role::Consumer { .. } = world.services[service].role {
        for number in wave {
            let id = world.services[service].instances[*number].id;
            world.kernel.cast(id, Request::Drain);
        }
    }
    refresh_members(world, service);
    let names = names(world, service, wave);
    done(
        world,
        Severity::Info,
        format!("{names} answers what it holds, then restarts"),
    );
}

/// Ends the processes of a wave, and starts them. Returns when they have booted.
fn begin_anew(world: &mut World, of: u32, service: usize, wave: &[usize]) -> Duration {
    let mut hit: Vec<(usize, usize)> = wave.iter().map(|number| (service, *number)).collect();
    hit.retain(|at| runs(world, *at));
    if hit.is_empty() {
        return Duration::ZERO;
    }
    let name = names(world, service, wave);
    for id in ids(world, &hit) {
        world.kernel.crash(id);
    }
    world.agenda.running = Some(of);
    strike(world, &format!("{name} restarts"), &name, &hit);
    world.agenda.running = None;
    caches::lose_unwritten(world, &hit);
    queues::lose(world, &hit, false);
    let mut longest = Duration::ZERO;
    for at in &hit {
        let boot = boot(&world.services[service], at.1);
        longest = longest.max(boot);
        if boot.is_zero() {
            let id = world.services[service].instances[at.1].id;
            world.kernel.start(id, boot);
        } else {
            restart(world, *at);
        }
    }
    refresh_health(world);
    done(world, Severity::Info, format!("{name} restarts"));
    longest
}

/// Those of a service that nobody was to ask are asked again, and workers take again.
pub(super) fn come_back(world: &mut World, service: usize) {
    let entry = &mut world.services[service];
    let rested = entry.instances.iter_mut();
    let rested = rested.filter_map(|instance| std::mem::take(&mut instance.resting).then_some(&*instance));
    // Those that are to leave go on ending.
    let stay: Vec<(InstanceId, bool)> = rested
        .map(|instance| (instance.id, !instance.left && instance.draining.is_none()))
        .collect();
    if stay.is_empty() {
        return;
    }
    if let Role::Consumer { .. } = entry.role {
        for (id, _) in stay.iter().filter(|(_, stays)| *stays) {
            world.kernel.cast(*id, Request::Resume);
        }
    }
    refresh_members(world, service);
}

/// A few names, or their number.
fn names(world: &World, service: usize, wave: &[usize]) -> String {
    let entry = &world.services[service];
    match wave {
        [number] => entry.instances[*number].selector.clone(),
        wave => format!("{} of {}", wave.len(), entry.selector),
    }
}

/// Begins the rollout of a service; one that goes on of the same service is over, for this one restarts all of it.
pub(super) fn roll_out(world: &mut World, service: usize) {
    let running = running(world, service);
    if running.is_empty() {
        return;
    }
    inject::supersede(world, service);
    inject::begin_rollout(world, service, plan(service, &running));
}
