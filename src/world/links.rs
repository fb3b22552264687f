//! Commands about links, and the rules of the network that they set.

use crate::command::LinkSelector;
use crate::layout::printable;
use crate::observe::Severity;
use crate::sim::{InstanceId, Rule, Verdict};

use super::World;
use super::apply::{Done, dependants, done, refuse};
use super::sample::refresh_health;
use super::select::{Ends, link_ends};

/// Rules that a network may have at once.
const MOST_RULES: usize = 1_000;

/// Hurts links. A rule takes the place of one of the same kind between the same ends.
pub(super) fn add_rules(world: &mut World, link: &LinkSelector, verdict: Verdict, what: &str) -> Done {
    let ends = link_ends(world, link)?;
    let name = printable(&link.to_string());
    let same_kind = |rule: &Rule| std::mem::discriminant(&rule.verdict) == std::mem::discriminant(&verdict);
    let mut rules = world.kernel.network().rules.clone();
    rules.retain(|rule| !(same_kind(rule) && ends.iter().any(|(from, to)| rule.from == *from && rule.to == *to)));
    if rules.len() + ends.len() > MOST_RULES {
        return refuse(format!(
            "the network has {MOST_RULES} rules already: join some links first"
        ));
    }
    // Those who answer are what is hurt: they can't be reached, or can't be heard.
    let targets: Vec<InstanceId> = ends.iter().flat_map(|(_, to)| to.clone()).collect();
    rules.extend(ends.into_iter().map(|(from, to)| Rule { from, to, verdict }));
    world.kernel.network().rules = rules;
    let (now, what) = (world.now(), format!("{name} {what}"));
    let mut services: Vec<usize> = targets.iter().map(|id| world.places[id.0 as usize].0).collect();
    services.dedup();
    let upstream = dependants(world, services);
    world.chronicle.incidents.open(now, &what, &name, targets);
    world.chronicle.incidents.depend(upstream);
    refresh_health(world);
    Ok(done(world, Severity::Bad, what))
}

/// Removes every rule from links; what a rule says of other links stays.
pub(super) fn join(world: &mut World, link: &LinkSelector) -> Done {
    let ends = link_ends(world, link)?;
    let name = printable(&link.to_string());
    if !subtract(world, &ends) {
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
            }));
        }
        network.rules = kept;
        changed |= touched;
    }
    changed
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
    for rule in &mut world.kernel.network().rules {
        for side in [&mut rule.from, &mut rule.to] {
            if others.iter().all(|id| side.binary_search(id).is_ok())
                && let Err(place) = side.binary_search(&newcomer)
            {
                side.insert(place, newcomer);
            }
        }
    }
}
