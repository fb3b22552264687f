//! One sentence for each incident: what happens now, and why.

use std::rc::Rc;

use crate::layout::{Cdn, HealthCheck, Pair, duration};
use crate::observe::{BackendView, BalancerProbe, Belief, Case, Circuit, Health, Kind};
use crate::parts::Tier;
use crate::protocol::Layer;
use crate::sim::{InstanceId, Verdict};

use super::World;
use super::entries::{Edge, InstanceEntry, Role, ServiceEntry};
use super::upkeep::live;
use super::{outage, queues};

/// What happens now in an incident, and why.
pub(super) fn sentence(world: &World, case: &Case) -> String {
    let incident = &case.incident;
    if incident.healed.is_some() {
        return aftermath(incident.lost_writes);
    }
    if case.targets.is_empty() {
        return surge(world);
    }
    if let Some(sentence) = outage::lost(world, case) {
        return sentence;
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
        _ if kinds.len() > 1 => together(world, case),
        _ => dead(world, id, service, instance),
    }
}

/// Several services were hit at once.
fn together(world: &World, case: &Case) -> String {
    let name = &case.incident.target;
    let services = case.targets.iter().map(|id| world.places[id.0 as usize].0);
    let up = |service: &usize| {
        world.services[*service]
            .present()
            .any(|(_, other)| other.health == Health::Up)
    };
    if services.clone().all(|service| up(&service)) {
        return format!(
            "All of {name} is gone at once. Each of its services has machines elsewhere that carry its share."
        );
    }
    if services.clone().any(|service| up(&service)) {
        return format!(
            "All of {name} is gone at once. Some of its services have machines elsewhere that carry on, others have none."
        );
    }
    format!("All of {name} is gone at once, and nothing stands in for it.")
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
    let name = &instance.selector;
    match &service.role {
        Role::Web { .. } => dead_server(world, id, instance),
        Role::LoadBalancer {
            edge, members, probes, ..
        } => dead_balancer(
            world,
            service,
            instance,
            (edge.to, members.spec.borrow().pair, probes.len()),
        ),
        Role::Serverless { .. } => format!("The provider of {name} is out: no function starts."),
        Role::SessionStore { .. }
            if !world
                .topology
                .links
                .iter()
                .any(|link| world.services[link.to].full == service.full) =>
        {
            format!("Nobody asks {name} any more: nothing depends on it.")
        }
        Role::SessionStore { .. } => {
            format!("Nobody can tell who is signed in without {name}: every request that needs a session fails.")
        }
        Role::Autoscaler { of, .. } => format!(
            "{} keeps the machines that it has: nobody adds any when traffic grows.",
            world.services[*of].selector
        ),
        Role::Database { .. } => dead_node(world, id, instance),
        Role::Monitor { .. } => {
            format!("{name} renews no lease: while a majority of the monitors is there, nobody misses it.")
        }
        Role::Cache { tier, .. } => dead_cache(instance, tier),
        Role::Cdn { spec, layer, .. } => dead_edge(world, instance, &spec.borrow(), *layer),
        Role::Queue { .. } => queues::dead_queue(world, service, instance),
        Role::Consumer { spec, .. } => queues::dead_worker(world, service, instance, &spec.borrow()),
        Role::Dns { .. } => unresolved(world),
        Role::Resolver { .. } => {
            format!("{name} asks nobody any more: people go on for as long as their own devices hold the address.")
        }
        Role::Users { .. } | Role::Removed { .. } => String::new(),
    }
}

fn dead_cache(instance: &InstanceEntry, tier: &Tier) -> String {
    let name = &instance.selector;
    let spec = tier.spec.borrow();
    if tier.len() > 1 && (spec.copies > 1 || spec.rehash) {
        return format!(
            "The keys of {name} are asked of the other nodes: what those lack, the database has to answer."
        );
    }
    format!("Every key of {name} misses: the database has to answer what the cache took off it.")
}

fn dead_edge(world: &World, instance: &InstanceEntry, spec: &Cdn, layer: Layer) -> String {
    let name = &instance.selector;
    if layer == Layer::Shield {
        return "The edges ask the data centers themselves: what all of them miss is fetched once for each edge."
            .to_owned();
    }
    if world.believed_up(instance.id) {
        return format!(
            "Its users go on to ask {name}: DNS has not noticed yet, and then they keep the old answer for its time to live."
        );
    }
    if spec.next_edge {
        return format!(
            "DNS sends the users of {name} to the next address that it believes up, as their old answers end."
        );
    }
    format!("DNS leaves {name} out: its users go elsewhere as their old answers end.")
}

fn dead_node(world: &World, id: InstanceId, instance: &InstanceEntry) -> String {
    if let Some(sentence) = super::databases::all_dead(world, id) {
        return sentence;
    }
    let open = breakers_open(world, id);
    if open > 0 {
        let name = &instance.selector;
        return format!(
            "Every page needs {name}. {open} circuit breakers are open: callers fail at once and wait for nothing."
        );
    }
    super::databases::dead_node(world, id, instance)
}

fn dead_balancer(
    world: &World,
    service: &ServiceEntry,
    instance: &InstanceEntry,
    (to, pair, count): (usize, Pair, usize),
) -> String {
    let (name, behind) = (&instance.selector, &world.services[to].selector);
    let others = service
        .present()
        .filter(|(_, other)| other.health == Health::Up)
        .count();
    if count > 1 && others == 0 {
        return format!("No balancer is up: whatever {behind} does, nobody can reach it.");
    }
    if count == 1 {
        return format!("{name} is the only way in: whatever {behind} does, nobody can reach it.");
    }
    match pair {
        Pair::Floating { every, down_after } => {
            let Role::LoadBalancer { probes, .. } = &service.role else {
                return String::new();
            };
            let holds = service
                .present()
                .any(|(number, other)| other.health == Health::Up && probes[number].active.get());
            if holds {
                return "The standby holds the address now.".to_owned();
            }
            let silence = duration::format(every * down_after);
            format!("The standby takes the address when it has not heard from {name} for {silence}.")
        }
        Pair::Dns => {
            format!("DNS still names {name} among others: browsers that are refused try the next address.")
        }
    }
}

/// Breakers of callers of an instance that are open.
fn breakers_open(world: &World, id: InstanceId) -> usize {
    let service = world.places[id.0 as usize].0;
    let callers = world.services.iter();
    let edges = callers.flat_map(|caller| caller.edges().iter().map(move |edge| (caller, edge)));
    let to_it = edges.filter(|(_, edge)| !edge.name.is_empty() && edge.to == service);
    let open = |(caller, edge): (&ServiceEntry, &Edge)| {
        let probes = edge.probes.borrow();
        live(caller, &probes)
            .filter(|probe| probe.breaker.get() == Circuit::Open)
            .count()
    };
    to_it.map(open).sum()
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
fn watcher(world: &World, id: InstanceId) -> Option<(&ServiceEntry, HealthCheck, BackendView)> {
    world.services.iter().find_map(|service| match &service.role {
        Role::LoadBalancer { members, probes, .. } => {
            let view = working(service, probes)
                .backends
                .borrow()
                .iter()
                .find(|backend| backend.id == id)
                .cloned()?;
            Some((service, members.spec.borrow().health, view))
        }
        _ => None,
    })
}

/// What the first balancer that is up shows.
fn working<'a>(service: &ServiceEntry, probes: &'a [Rc<BalancerProbe>]) -> &'a BalancerProbe {
    let up = |number: &usize| service.instances[*number].health == Health::Up;
    &probes[(0..probes.len()).find(up).unwrap_or(0)]
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
        Role::LoadBalancer { probes, .. } => {
            let backends = working(balancer, probes).backends.borrow();
            backends.iter().filter(|backend| backend.is_up()).count()
        }
        _ => 0,
    };
    if let Some(until) = view.ejected {
        let rest = until.since(world.now()).as_secs_f64();
        return format!(
            "{name} ejected {} for failing requests: it comes back in {rest:.0}s.",
            instance.selector
        );
    }
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
        Verdict::Delay(_) | Verdict::Narrow { .. } => 0,
        Verdict::Lose(_) => 1,
        Verdict::Drop => 2,
    });
    match worst {
        Some(Verdict::Drop) => {
            drop(network);
            if let Some(sentence) = outage::parted(world, case) {
                return sentence;
            }
            return "Packets vanish without a word: callers wait for their timeouts, and can't tell this from a slow server.".to_owned();
        }
        Some(Verdict::Lose(_)) => {
            return "A lost packet is sent again after 200 ms or more: nothing fails, some answers are late."
                .to_owned();
        }
        Some(Verdict::Narrow { .. }) => {
            return "Messages wait in line for the link: the large ones and the busy senders suffer most.".to_owned();
        }
        Some(Verdict::Delay(_)) => {
            return "Every message on the link is late: requests hold their slots longer, so fewer fit.".to_owned();
        }
        None => {}
    }
    drop(network);
    if let Some(sentence) = super::flaws::sentence(world, id) {
        return sentence;
    }
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
            let stubs = probe.stubs.borrow();
            all += stubs.len();
            holding += stubs.iter().filter(|until| **until > now).count();
        }
    }
    let share = 100.0 * holding as f64 / all.max(1) as f64;
    format!(
        "Users go on for as long as their device or their resolver holds the address: {share:.0}% of the devices still do."
    )
}
