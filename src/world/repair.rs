//! Commands that repair.

use crate::command::Selector;
use crate::observe::Severity;
use crate::sim::{InstanceId, ProcessState};

use super::apply::{Done, breakable, called, done, ids, machines, refuse};
use super::databases::readmit;
use super::entries::Role;
use super::links::subtract;
use super::sample::refresh_health;
use super::select::on_machine;
use super::settings::set_traffic;
use super::{World, caches};

/// Mends what is named.
pub(super) fn mend(world: &mut World, target: &Selector) -> Done {
    let hit = breakable(world, target)?;
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
    let mut mended = false;
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
fn every_instance(world: &World) -> Vec<InstanceId> {
    (0..world.places.len() as u32).map(InstanceId).collect()
}

/// Starts what is down and removes slowness. False when there was nothing to do.
fn mend_instance(world: &mut World, at: (usize, usize)) -> bool {
    let entry = &world.services[at.0].instances[at.1];
    let (instance, boot, machine) = (entry.id, entry.boot, world.machines[entry.machine].id);
    let mut mended = false;
    if world.kernel.is_gone(machine) {
        world.kernel.replace(machine);
    }
    #[allow(clippy::float_cmp, reason = "1 is set, never computed")]
    if world.kernel.slow(machine) != 1.0 {
        world.kernel.set_slow(machine, 1.0);
        mended = true;
    }
    match world.kernel.process_state(instance) {
        ProcessState::Up | ProcessState::Booting { .. } => return mended,
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
    let all: Vec<(usize, usize)> = (0..world.services.len())
        .filter(|service| !matches!(world.services[*service].role, Role::Users { .. }))
        .flat_map(|service| {
            world.services[service]
                .present()
                .map(move |(number, _)| (service, number))
                .collect::<Vec<_>>()
        })
        .collect();
    let mut mended = false;
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
