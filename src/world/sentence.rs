//! One sentence for each incident: what happens now, and why.

use crate::observe::{BackendView, Belief, Case, Health, Kind};
use crate::sim::{InstanceId, Verdict};

use super::World;
use super::entries::{InstanceEntry, Role, ServiceEntry};

/// What happens now in an incident, and why.
pub(super) fn sentence(world: &World, case: &Case) -> String {
    let incident = &case.incident;
    if incident.healed.is_some() {
        return aftermath(incident.lost_writes);
    }
    if case.targets.is_empty() {
        return surge(world);
    }
    let targets = case.targets.iter().map(|id| {
        let (service, number) = world.places[id.0 as usize];
        (
            *id,
            &world.services[service],
            &world.services[service].instances[number],
        )
    });
    // What is worst of all that was hit.
    let worst = targets.clone().max_by_key(|(_, _, instance)| match instance.health {
        Health::Up => 0,
        Health::Booting { .. } => 1,
        _ => 2,
    });
    let Some((id, service, instance)) = worst else {
        return String::new();
    };
    let mut kinds: Vec<Kind> = targets.map(|(_, service, _)| service.kind()).collect();
    kinds.dedup();
    match instance.health {
        Health::Booting { until } => {
            let wait = until.since(world.now()).as_secs_f64();
            format!(
                "{} is booting and refuses requests: ready in {wait:.1}s.",
                instance.selector
            )
        }
        Health::Up => recovering(world, case, id, instance),
        _ if kinds.len() > 1 => format!(
            "All of {} is gone at once, and nothing stands in for it.",
            incident.target
        ),
        _ => dead(world, id, service, instance),
    }
}

/// How things stand when all works again.
pub(super) fn aftermath(lost_writes: u64) -> String {
    match lost_writes {
        0 => "All is as before.".to_owned(),
        lost => format!(
            "All works as before, but {lost} acknowledged writes are lost for good, and older rows of that disk with them."
        ),
    }
}

fn dead(world: &World, id: InstanceId, service: &ServiceEntry, instance: &InstanceEntry) -> String {
    match &service.role {
        Role::Web { .. } => dead_server(world, id, instance),
        Role::LoadBalancer { to, .. } => {
            format!(
                "{} is the only way in: whatever {} does, nobody can reach it.",
                instance.selector, world.services[*to].selector
            )
        }
        Role::Database { .. } => {
            format!(
                "Every page needs {}: web servers are up, and can only answer with errors.",
                instance.selector
            )
        }
        Role::Dns { .. } => unresolved(world),
        Role::Users { .. } => String::new(),
    }
}

fn surge(world: &World) -> String {
    let busiest = world
        .services
        .iter()
        .flat_map(ServiceEntry::present)
        .map(|(_, instance)| instance)
        .filter(|instance| instance.health == Health::Up)
        .max_by(|a, b| a.sampled.utilisation.total_cmp(&b.sampled.utilisation));
    let Some(busiest) = busiest else {
        return "Nothing is up.".to_owned();
    };
    let share = (100.0 * busiest.sampled.utilisation).round();
    if share >= 99.0 {
        return format!(
            "{} is at its limit: what it can't serve waits, then is refused or times out.",
            busiest.selector
        );
    }
    format!(
        "The busiest machine is that of {}: {share}% of its cores.",
        busiest.selector
    )
}

/// The view of the balancer that looks after an instance.
fn watcher(world: &World, id: InstanceId) -> Option<(&ServiceEntry, &crate::layout::HealthCheck, BackendView)> {
    world.services.iter().find_map(|service| match &service.role {
        Role::LoadBalancer { spec, probe, .. } => {
            let view = probe
                .backends
                .borrow()
                .iter()
                .find(|backend| backend.id == id)
                .cloned()?;
            Some((service, &spec.health, view))
        }
        _ => None,
    })
}

fn dead_server(world: &World, id: InstanceId, instance: &InstanceEntry) -> String {
    let state = match instance.health {
        Health::Hung => "a hung",
        Health::CutOff => "an unreachable",
        _ => "a dead",
    };
    let Some((balancer, health, view)) = watcher(world, id) else {
        return format!("Nothing stands in for {}: every request ends here.", instance.selector);
    };
    let name = &balancer.selector;
    let up = match &balancer.role {
        Role::LoadBalancer { probe, .. } => probe.backends.borrow().iter().filter(|backend| backend.is_up()).count(),
        _ => 0,
    };
    match view.believed {
        Belief::Up { failed } => {
            format!(
                "{name} can't know before {} checks in a row fail ({failed} so far): until then it sends requests to {state} server, one of {up}.",
                health.down_after
            )
        }
        Belief::Down { .. } if up == 0 => {
            format!("{name} believes that no server is up, so every request fails there at once.")
        }
        Belief::Down { .. } => {
            format!(
                "{name} sends nothing to {} any more; the others carry its share.",
                instance.selector
            )
        }
    }
}

fn recovering(world: &World, case: &Case, id: InstanceId, instance: &InstanceEntry) -> String {
    let network = world.kernel.network();
    let touching = network
        .rules
        .iter()
        .filter(|rule| rule.from.contains(&id) || rule.to.contains(&id));
    let worst = touching.map(|rule| rule.verdict).max_by_key(|verdict| match verdict {
        Verdict::Delay(_) => 0,
        Verdict::Lose(_) => 1,
        Verdict::Drop => 2,
    });
    match worst {
        Some(Verdict::Drop) => {
            return "Packets vanish without a word: callers wait for their timeouts, and can't tell this from a slow server.".to_owned();
        }
        Some(Verdict::Lose(_)) => {
            return "A lost packet is sent again after 200 ms or more: nothing fails, some answers are late."
                .to_owned();
        }
        Some(Verdict::Delay(_)) => {
            return "Every message on the link is late: requests hold their slots longer, so fewer fit.".to_owned();
        }
        None => {}
    }
    drop(network);
    if let Some((balancer, health, view)) = watcher(world, id)
        && !view.is_up()
    {
        return format!(
            "{} is up; {} takes it in after {} passed checks in a row.",
            instance.selector, balancer.selector, health.up_after
        );
    }
    let machine = &world.machines[instance.machine];
    if world.kernel.slow(machine.id) > 1.0 {
        return format!(
            "{} works, only slower: requests hold their slots longer, and wait for each other.",
            instance.selector
        );
    }
    match case.incident.hurt {
        Some(_) if case.incident.served.is_none() => surge(world),
        _ => format!("{} is up.", instance.selector),
    }
}

fn unresolved(world: &World) -> String {
    let now = world.now();
    let (mut holding, mut all) = (0, 0);
    for service in &world.services {
        if let Role::Users { probe, .. } = &service.role {
            let resolvers = probe.resolvers.borrow();
            all += resolvers.len();
            holding += resolvers.iter().filter(|until| **until > now).count();
        }
    }
    format!(
        "Users whose resolver holds the address go on until its TTL ends: {holding} of {all} resolvers still hold it."
    )
}
