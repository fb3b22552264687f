//! Machines that are added while the world runs.

use std::time::Duration;

use crate::layout::Size;

use super::World;
use super::build::{AMPLE_CORES, Planned, instance_selector, settle};
use super::databases::NodePlace;
use super::entries::Role;

/// Adds a node to a database, and returns its place in the service; none if it shares a host. It boots, with an empty disk.
pub(super) fn add_node(
    world: &mut World,
    service: usize,
    place: NodePlace,
    size: Option<&'static Size>,
) -> Option<usize> {
    let Role::Database { nodes, cluster, .. } = &mut world.services[service].role else {
        return None;
    };
    let (boot, hosted) = {
        let spec = cluster.spec.borrow();
        (spec.boot, spec.on.is_some())
    };
    if hosted {
        return None;
    }
    nodes.push(place);
    let entry = &world.services[service];
    let number = entry.instances.len();
    let (full, selector) = (
        format!("{}/{}", entry.full, number + 1),
        instance_selector(entry, number as u32 + 1),
    );
    settle(
        world,
        Planned {
            service,
            machine: full.clone(),
            full,
            selector,
            host: false,
            size,
        },
    );
    let id = world.services[service].instances[number].id;
    super::links::welcome(world, service, id);
    world.kernel.start(id, boot);
    Some(number)
}

/// Adds instances to a web tier or to workers until it has this many more. They are booting.
pub(super) fn add_machines(world: &mut World, service: usize, count: u32) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let entry = &world.services[service];
        let (size, boot) = match &entry.role {
            Role::Web { spec, .. } => (Size::named(&spec.borrow().size), spec.borrow().boot),
            Role::Consumer { spec, .. } => (Size::named(&spec.borrow().size), spec.borrow().boot),
            _ => break,
        };
        // The lowest number that is free comes first.
        if let Some(number) = entry.instances.iter().position(|instance| instance.left) {
            names.push(entry.instances[number].selector.clone());
            revive(world, (service, number), size, boot);
            continue;
        }
        let number = entry.instances.len() as u32 + 1;
        let (full, selector) = (format!("{}/{number}", entry.full), instance_selector(entry, number));
        names.push(selector.clone());
        settle(
            world,
            Planned {
                service,
                machine: full.clone(),
                full,
                selector,
                host: false,
                size,
            },
        );
        let id = world.services[service].instances[number as usize - 1].id;
        super::links::welcome(world, service, id);
        super::queues::join_queue(world, service);
        world.kernel.start(id, boot);
    }
    names
}

/// Puts a new machine in the place of one that has left.
fn revive(world: &mut World, (service, number): (usize, usize), size: Option<&'static Size>, boot: Duration) {
    let now = world.kernel.now();
    let instance = &mut world.services[service].instances[number];
    instance.left = false;
    instance.draining = None;
    instance.resting = false;
    instance.since = now;
    let id = instance.id;
    let machine = &mut world.machines[instance.machine];
    machine.left = false;
    machine.size = size;
    machine.offered.1 = now;
    let machine = machine.id;
    world.kernel.replace(machine);
    world
        .kernel
        .set_cores(machine, size.map_or(AMPLE_CORES, |size| size.cores));
    world.kernel.set_slow(machine, 1.0);
    super::links::welcome(world, service, id);
    world.kernel.start(id, boot);
}
