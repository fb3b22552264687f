//! Commands that repair.

use crate::command::Selector;
use crate::layout::printable;
use crate::observe::Severity;
use crate::sim::{InstanceId, ProcessState};

use super::apply::{Done, breakable, called, done, ids, machines, refuse};
use super::databases::readmit;
use super::entries::Role;
use super::flaws::{cure, no_users};
use super::inject::{end_everything, end_within};
use super::links::subtract;
use super::sample::refresh_health;
use super::select::{instances, on_machine};
use super::settings::set_traffic;
use super::sites::open;
use super::{World, caches};

/// Mends what is named.
pub(super) fn mend(world: &mut World, target: &Selector) -> Done {
    let named = instances(world, target)?;
    let ended = end_within(world, &named);
    let hit = match breakable(world, target) {
        Ok(hit) => hit,
        // Of users, only what was done to their habits can be mended.
        Err(_) if ended => return Ok(done(world, Severity::Info, format!("mended {}", printable(&target.0)))),
        Err(_) => return Err(no_users(target)),
    };
    let name = called(world, target, &hit);
    // What shares a destroyed machine comes back with it.
    let mut hit = hit;
    for machine in machines(world, &hit) {
        if world.kernel.is_gone(world.machines[machine].id) {
            hit.extend(on_machine(world, machine));
        }
    }
    hit.sort_unstable();
    hit.dedup();
    let mut mended = ended;
    for at in &hit {
        mended |= mend_instance(world, *at);
    }
    let mut touched = ids(world, &hit);
    touched.sort_unstable();
    let all = every_instance(world);
    mended |= subtract(world, &[(touched.clone(), all.clone()), (all, touched)]);
    if !mended {
        return refuse(format!("{name} is well: there is nothing to mend"));
    }
    let mended = done(world, Severity::Info, format!("mended {name}"));
    refresh_health(world);
    Ok(mended)
}

/// All instances, sorted by id.
pub(super) fn every_instance(world: &World) -> Vec<InstanceId> {
    (0..world.places.len() as u32).map(InstanceId).collect()
}

/// Starts what is down and removes slowness. False when there was nothing to do.
fn mend_instance(world: &mut World, at: (usize, usize)) -> bool {
    let machine = world.machines[world.services[at.0].instances[at.1].machine].id;
    // What is wrong with it is told to the machine, so there must be one.
    if world.kernel.is_gone(machine) {
        world.kernel.replace(machine);
    }
    let mut mended = cure(world, at);
    #[allow(clippy::float_cmp, reason = "1 is set, never computed")]
    if world.kernel.slow(machine) != 1.0 {
        world.kernel.set_slow(machine, 1.0);
        mended = true;
    }
    restart(world, at) || mended
}

/// Starts what is down or hung, on an empty machine where the old one is gone. False when it runs.
pub(super) fn restart(world: &mut World, at: (usize, usize)) -> bool {
    let entry = &world.services[at.0].instances[at.1];
    let (instance, boot, machine) = (entry.id, entry.boot, world.machines[entry.machine].id);
    if entry.left {
        return false;
    }
    if world.kernel.is_gone(machine) {
        world.kernel.replace(machine);
    }
    match world.kernel.process_state(instance) {
        ProcessState::Up | ProcessState::Booting { .. } => return false,
        ProcessState::Hung => {
            world.kernel.crash(instance);
            caches::lose_unwritten(world, &[at]);
        }
        ProcessState::Down => {}
    }
    world.kernel.start(instance, boot);
    readmit(world, at);
    true
}

/// Mends everything, traffic too.
pub(super) fn mend_all(world: &mut World) -> Done {
    let ended = end_everything(world);
    let all: Vec<(usize, usize)> = (0..world.services.len())
        .filter(|service| !matches!(world.services[*service].role, Role::Users { .. }))
        .flat_map(|service| {
            world.services[service]
                .present()
                .map(move |(number, _)| (service, number))
                .collect::<Vec<_>>()
        })
        .collect();
    let sites: Vec<usize> = (0..world.sites.len()).collect();
    let mut mended = open(world, &sites) | ended;
    for at in all {
        mended |= mend_instance(world, at);
    }
    let mut network = world.kernel.network();
    mended |= !network.rules.is_empty();
    network.rules.clear();
    drop(network);
    for service in 0..world.services.len() {
        mended |= set_traffic(world, service, 1.0);
    }
    if !mended {
        return refuse("all is well: there is nothing to mend");
    }
    refresh_health(world);
    Ok(done(world, Severity::Info, "mended everything".to_owned()))
}
