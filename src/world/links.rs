//! Commands about links, and the rules of the network that they set.

use std::collections::BTreeSet;

use crate::command::{CommandError, LinkSelector};
use crate::layout::printable;
use crate::observe::Severity;
use crate::sim::{InstanceId, Rule, Verdict};

use super::World;
use super::apply::{Done, dependants, done, open_incident, refuse};
use super::inject::end_along;
use super::sample::refresh_health;
use super::select::{Ends, link_ends};

/// Rules that a network may have at once.
const MOST_RULES: usize = 1_000;

/// Hurts links. A rule takes the place of one of the same kind between the same ends.
pub(super) fn add_rules(world: &mut World, link: &LinkSelector, verdict: Verdict, what: &str) -> Done {
    let ends = link_ends(world, link)?;
    let name = printable(&link.to_string());
    // Those who answer are what is hurt: they can't be reached, or can't be heard.
    let targets: Vec<InstanceId> = ends.iter().flat_map(|(from, to)| answering(world, from, to)).collect();
    put_rules(
        world,
        ends.into_iter()
            .map(|(from, to)| Rule {
                from,
                to,
                verdict,
                owner: 0,
            })
            .collect(),
    )?;
    let what = format!("{name} {what}");
    let services: BTreeSet<usize> = targets.iter().map(|id| world.places[id.0 as usize].0).collect();
    let services: Vec<usize> = services.into_iter().collect();
    let upstream = dependants(world, services);
    open_incident(world, &what, &name, targets, upstream);
    refresh_health(world);
    Ok(done(world, Severity::Bad, what))
}

/// Who answers on a link: its end; its start, where that is called from the other side and its answers come this way; or both.
fn answering(world: &World, from: &[InstanceId], to: &[InstanceId]) -> Vec<InstanceId> {
    let of = |side: &[InstanceId]| -> BTreeSet<usize> { side.iter().map(|id| world.places[id.0 as usize].0).collect() };
    let (senders, receivers) = (of(from), of(to));
    let calls = |callers: &BTreeSet<usize>, called: &BTreeSet<usize>| {
        let links = &world.topology.links;
        links
            .iter()
            .any(|link| callers.contains(&link.from) && called.contains(&link.to))
    };
    match (calls(&senders, &receivers), calls(&receivers, &senders)) {
        (true, true) => [from, to].concat(),
        (false, true) => from.to_vec(),
        (_, false) => to.to_vec(),
    }
}

/// Puts rules into the network, each in the place of one of the same kind between the same ends. Those of an injection are its own, beside those
/// of others: delays of several add up, and each goes with its injection.
pub(super) fn put_rules(world: &World, mut new: Vec<Rule>) -> Result<(), CommandError> {
    let owner = world.agenda.running.unwrap_or_default();
    for rule in &mut new {
        rule.owner = owner;
    }
    let same = |one: &Rule, other: &Rule| {
        let kinds = [one, other].map(|rule| std::mem::discriminant(&rule.verdict));
        kinds[0] == kinds[1] && one.owner == other.owner && one.from == other.from && one.to == other.to
    };
    let mut network = world.kernel.network();
    let kept = network
        .rules
        .iter()
        .filter(|rule| !new.iter().any(|one| same(rule, one)));
    let mut rules: Vec<Rule> = kept.cloned().collect();
    if rules.len() + new.len() > MOST_RULES {
        return refuse(format!(
            "the network has {MOST_RULES} rules already: join some links first"
        ));
    }
    rules.extend(new);
    network.rules = rules;
    Ok(())
}

/// Removes every rule from links; what a rule says of other links stays.
pub(super) fn join(world: &mut World, link: &LinkSelector) -> Done {
    let ends = link_ends(world, link)?;
    let name = printable(&link.to_string());
    let ended = end_along(world, link)?;
    if !subtract(world, &ends) && !ended {
        return refuse(format!("{name} is not hurt: there is nothing to join"));
    }
    refresh_health(world);
    Ok(done(world, Severity::Good, format!("joined {name}")))
}

/// Takes links out of all rules. False when no rule was about them.
pub(super) fn subtract(world: &World, ends: &[Ends]) -> bool {
    let mut network = world.kernel.network();
    let mut changed = false;
    for (from, to) in ends {
        let (mut kept, mut touched) = (Vec::new(), false);
        for rule in network.rules.drain(..) {
            let (inside_from, outside_from) = split(&rule.from, from);
            let (inside_to, outside_to) = split(&rule.to, to);
            if inside_from.is_empty() || inside_to.is_empty() {
                kept.push(rule);
                continue;
            }
            touched = true;
            let rest = [(outside_from, rule.to.clone()), (inside_from, outside_to)];
            let rest = rest.into_iter().filter(|(from, to)| !from.is_empty() && !to.is_empty());
            kept.extend(rest.map(|(from, to)| Rule {
                from,
                to,
                verdict: rule.verdict,
                owner: rule.owner,
            }));
        }
        network.rules = kept;
        changed |= touched;
    }
    changed
}

/// Takes what has left out of all rules: nothing comes or goes there any more.
pub(super) fn forget(world: &World, gone: InstanceId) {
    let mut network = world.kernel.network();
    for rule in &mut network.rules {
        rule.from.retain(|id| *id != gone);
        rule.to.retain(|id| *id != gone);
    }
    network
        .rules
        .retain(|rule| !rule.from.is_empty() && !rule.to.is_empty());
}

/// Those of the first that are in the second, and those that are not; all sorted.
fn split(all: &[InstanceId], wanted: &[InstanceId]) -> (Vec<InstanceId>, Vec<InstanceId>) {
    all.iter().partition(|id| wanted.binary_search(id).is_ok())
}

/// A rule that holds for all of a service holds for those that join it.
pub(super) fn welcome(world: &World, service: usize, newcomer: InstanceId) {
    let others: Vec<InstanceId> = world.services[service]
        .present()
        .map(|(_, instance)| instance.id)
        .filter(|id| *id != newcomer)
        .collect();
    if others.is_empty() {
        return;
    }
    let mut network = world.kernel.network();
    for rule in &mut network.rules {
        for side in [&mut rule.from, &mut rule.to] {
            if others.iter().all(|id| side.binary_search(id).is_ok())
                && let Err(place) = side.binary_search(&newcomer)
            {
                side.insert(place, newcomer);
            }
        }
    }
}
