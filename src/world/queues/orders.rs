//! What people do to queues.

use crate::command::{CommandError, Selector, Setting};
use crate::layout::{Delivery, Fallback, Style, Target, printable};
use crate::observe::Severity;
use crate::protocol::{Message, Owner, QueueRequest, Request};
use crate::sim::{InstanceId, ProcessState, mix};

use crate::world::World;
use crate::world::apply::{Done, done, refuse};
use crate::world::entries::Role;
use crate::world::select::instances;

/// The queues that are meant.
fn queues(world: &World, target: &Selector) -> Result<Vec<(usize, InstanceId)>, CommandError> {
    let hit = instances(world, target)?;
    let queues = hit.into_iter().filter_map(|(service, number)| {
        let entry = &world.services[service];
        matches!(entry.role, Role::Queue { .. }).then(|| (service, entry.instances[number].id))
    });
    let queues: Vec<_> = queues.collect();
    if queues.is_empty() {
        return refuse(format!("{} is no queue", printable(&target.0)));
    }
    if let Some((service, _)) = queues
        .iter()
        .find(|(_, id)| world.kernel.process_state(*id) != ProcessState::Up)
    {
        return refuse(format!(
            "{} does not run: it can't be told",
            world.services[*service].selector
        ));
    }
    Ok(queues)
}

/// Publishes a message that kills whoever works on it.
pub(in crate::world) fn poison(world: &mut World, target: &Selector) -> Done {
    let queues = queues(world, target)?;
    for (service, id) in queues {
        // A number that no request of a user has. What was done before makes it another one each time.
        let request = mix(world.now().0 ^ world.commands ^ (service as u64) << 48 ^ world.seed());
        let message = Message {
            request,
            key: request % 1_000,
            bytes: 1_000,
            user: Owner::new(0, 0),
            poison: true,
        };
        world.kernel.cast(id, Request::Queue(QueueRequest::Publish(message)));
    }
    let name = printable(&target.0);
    Ok(done(
        world,
        Severity::Bad,
        format!("poisoned {name}: a message that kills whoever works on it"),
    ))
}

/// Sends the messages of a dead-letter queue back.
pub(in crate::world) fn redrive(world: &mut World, target: &Selector) -> Done {
    let queues = queues(world, target)?;
    let is_dead_letter = |service: usize| {
        world.services.iter().any(|other| match &other.role {
            Role::Queue { edges, .. } => edges.iter().any(|edge| edge.to == service),
            _ => false,
        })
    };
    if let Some((service, _)) = queues.iter().find(|(service, _)| !is_dead_letter(*service)) {
        return refuse(format!(
            "{} is no dead-letter queue: nothing came from anywhere that it could go back to",
            world.services[*service].selector
        ));
    }
    let held = queues.iter().map(|(service, _)| match &world.services[*service].role {
        Role::Queue { probe, .. } => probe.held.get(),
        _ => 0,
    });
    let (count, name) = (held.sum::<u64>(), printable(&target.0));
    if count == 0 {
        return refuse(format!("{name} is empty: there is nothing to send back"));
    }
    for (_, id) in queues {
        world.kernel.cast(id, Request::Queue(QueueRequest::Redrive));
    }
    Ok(done(
        world,
        Severity::Info,
        format!("sending {count} dead letters of {name} back"),
    ))
}

/// What only this world can tell of a setting of queues, workers, and those who publish.
pub(in crate::world) fn check_setting(world: &World, service: usize, setting: &Setting) -> Result<(), CommandError> {
    let entry = &world.services[service];
    let name = &entry.selector;
    match (setting, &entry.role) {
        (Setting::Fallback(Fallback::Outbox { .. }), Role::Serverless { .. }) => refuse(format!(
            "{name} are functions: they have no memory that lasts, so no outbox"
        )),
        (Setting::Delivery(Delivery::EffectivelyOnce), Role::Consumer { spec, .. })
            if spec.borrow().database.is_none() =>
        {
            refuse(format!(
                "{name} write no results to a database, where their keys would be remembered; give them a `database` in the layout"
            ))
        }
        (Setting::Prefetch(most), Role::Consumer { spec, .. }) if *most < spec.borrow().slots => refuse(format!(
            "{name} have {} messages in progress at once, so they can't hold fewer",
            spec.borrow().slots
        )),
        (Setting::Retention(None), Role::Queue { spec, .. }) if spec.borrow().style == Style::Log => refuse(format!(
            "{name} is a log: it needs a retention, or nothing would ever leave it"
        )),
        (Setting::Min(0), Role::Autoscaler { of, .. })
            if !matches!(world.services[*of].role, Role::Consumer { .. }) =>
        {
            refuse("the minimum can't be 0: only of workers there may be none")
        }
        (Setting::Min(0), Role::Autoscaler { spec, .. }) if matches!(spec.target, Target::Utilisation(_)) => refuse(
            "where there is no worker none is busy, so none would ever come back: first set the target to depth:20 or 30s",
        ),
        (Setting::Target(target), Role::Autoscaler { of, spec, .. }) => {
            let workers = matches!(world.services[*of].role, Role::Consumer { .. });
            match target {
                Target::Depth(_) | Target::Age(_) if !workers => refuse(
                    "nothing waits in a queue for a web service: write a share such as 60%, or a rate such as 100/s",
                ),
                Target::Requests(_) if workers => {
                    refuse("workers get no requests: write messages of each such as depth:20, or a time such as 30s")
                }
                Target::Utilisation(_) if workers && spec.min == 0 => refuse(
                    "where there is no worker none is busy, so none would ever come back: first set the minimum to 1",
                ),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
