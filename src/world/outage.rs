//! What becomes of a data center that is lost, evacuated, or cut off from others, in sentences.

use crate::layout::{HealthCheck, duration};
use crate::observe::{Belief, Case, Health, Severity};
use crate::sim::{InstanceId, Rule, Verdict};

use super::World;
use super::databases;
use super::discover::addresses;
use super::entries::{Role, ServiceEntry};

/// From this share of the cores in use on, a tier has no room for more.
const FULL: f64 = 0.97;

/// The addresses of the data centers into which no way is left when these instances are dead; nothing where DNS could not send their users elsewhere.
pub(super) fn closed(world: &World, dead: &[InstanceId]) -> Vec<InstanceId> {
    let decides = rules(world).is_some() && !through_cdn(world);
    let mut sites = Vec::new();
    for (site, ways) in ways_in(world) {
        // What is slow, or answers with errors, is not closed.
        #[allow(clippy::float_cmp, reason = "1 is set, never computed")]
        let as_fast = |way: &InstanceId| world.kernel.slow(world.kernel.machine_of(*way)) == 1.0;
        let is_dead = |way: &InstanceId| dead.contains(way) && super::flaws::is_sound(world, *way) && as_fast(way);
        if !ways.is_empty() && ways.iter().all(is_dead) {
            sites.push((site, ways));
        }
    }
    if !decides || ways_in(world).count() < 2 {
        return Vec::new();
    }
    sites.into_iter().flat_map(|(_, ways)| ways).collect()
}

/// The data centers that have an entry point, each with its addresses.
fn ways_in(world: &World) -> impl Iterator<Item = (usize, Vec<InstanceId>)> {
    let sites = world.entries.iter().enumerate();
    sites.filter_map(|(site, entry)| Some((site, addresses(&world.services[(*entry)?]))))
}

/// Whether users come by way of a CDN only, so that they are not sent to data centers by the name service.
fn through_cdn(world: &World) -> bool {
    let is_cdn = |entry: &ServiceEntry| matches!(entry.role, Role::Cdn { .. });
    let own_name = |entry: &ServiceEntry| matches!(&entry.role, Role::Dns { zone, .. } if zone.files.is_some());
    world.services.iter().any(is_cdn) && !world.services.iter().any(own_name)
}

/// How the name service checks addresses, if it does.
fn rules(world: &World) -> Option<HealthCheck> {
    world.services.iter().find_map(|entry| match &entry.role {
        Role::Dns { zone, .. } => zone.health.get(),
        _ => None,
    })
}

/// What the name service has found at an address so far.
fn believed(world: &World, address: InstanceId) -> Option<Belief> {
    world.services.iter().find_map(|entry| match &entry.role {
        Role::Dns { probe, .. } => {
            let records = probe.records.borrow();
            let record = records.iter().find(|record| record.id == address);
            record.map(|record| record.believed)
        }
        _ => None,
    })
}

/// What happens now to a data center of which a fault hit all ways in; `None` when the fault is another one.
pub(super) fn lost(world: &World, case: &Case) -> Option<String> {
    let hit = |way: &InstanceId| case.targets.binary_search(way).is_ok();
    if ways_in(world).count() < 2 || through_cdn(world) {
        return None;
    }
    let (site, ways) = ways_in(world).find(|(_, ways)| !ways.is_empty() && ways.iter().all(hit))?;
    let name = &world.sites[site];
    let health = |way: &InstanceId| {
        let (service, number) = world.places[way.0 as usize];
        world.services[service].instances[number].health
    };
    let trusted = ways.iter().any(|way| world.believed_up(*way));
    if ways.iter().all(|way| health(way) == Health::Up) {
        let sound = ways.iter().all(|way| super::flaws::is_sound(world, *way));
        return (!trusted && sound).then(|| returning(world, name, &ways));
    }
    if ways.iter().any(|way| matches!(health(way), Health::Booting { .. })) {
        return None;
    }
    let stands_in =
        |other: &(usize, Vec<InstanceId>)| other.0 != site && other.1.iter().any(|way| health(way) == Health::Up);
    let others: Vec<usize> = ways_in(world).filter(stands_in).map(|(other, _)| other).collect();
    if others.is_empty() {
        return Some("No data center is left: whatever DNS answers, every request ends at a dead one.".to_owned());
    }
    if world.grounds[site].evacuated {
        return Some(format!(
            "{name} was evacuated before: DNS sends nobody there, and only who still holds an old answer meets the dead site."
        ));
    }
    let Some(rules) = rules(world) else {
        return Some(format!(
            "Nobody checks the addresses of {name}: DNS goes on sending its users there until it is mended."
        ));
    };
    if trusted {
        return Some(unnoticed(world, site, &ways, &rules));
    }
    let ttl = ttl(world);
    let left = case
        .incident
        .acted
        .as_ref()
        .map(|acted| ttl.saturating_sub(world.now().since(acted.at)));
    match left.filter(|left| !left.is_zero()) {
        Some(left) => Some(format!(
            "DNS leaves {name} out, but answers that resolvers and devices still hold lead to the dead site for up to {:.0}s more. {} \
             as they run out.",
            left.as_secs_f64().ceil(),
            taking_over(world, &others)
        )),
        None => Some(format!(
            "DNS leaves {name} out, and the last old answer has run out. {}",
            carried(world, &others)
        )),
    }
}

fn unnoticed(world: &World, site: usize, ways: &[InstanceId], rules: &HealthCheck) -> String {
    let name = &world.sites[site];
    let failed = ways.iter().filter_map(|way| match believed(world, *way)? {
        Belief::Up { failed } => Some(failed),
        Belief::Down { .. } => None,
    });
    let so_far = failed.min().unwrap_or(0);
    let sent = sent_to(world, site);
    let whom = if sent.is_empty() {
        "users".to_owned()
    } else {
        sent.join(" and ")
    };
    format!(
        "DNS can't know before {} checks in a row have failed ({so_far} so far, one every {}): until then it sends {whom} to {name}, which is dead.",
        rules.down_after,
        duration::format(rules.every)
    )
}

fn returning(world: &World, name: &str, ways: &[InstanceId]) -> String {
    let passed = ways.iter().filter_map(|way| match believed(world, *way)? {
        Belief::Down { passed } => Some(passed),
        Belief::Up { .. } => None,
    });
    let up_after = rules(world).map_or(1, |rules| rules.up_after);
    let checks = if up_after == 1 { "check" } else { "checks in a row" };
    format!(
        "{name} is up again; DNS answers it after {up_after} passed {checks} ({} so far), and its users come back as their answers run out.",
        passed.max().unwrap_or(0)
    )
}

/// The populations that the name service sends to a data center now, when it sends all of them there.
fn sent_to(world: &World, site: usize) -> Vec<String> {
    let sent = super::names::sent(world).into_iter();
    sent.filter(|sent| sent.site == Some(site))
        .filter_map(|sent| world.topology.services.get(sent.users))
        .map(|users| users.selector.clone())
        .collect()
}

/// How long an answer may be kept.
fn ttl(world: &World) -> std::time::Duration {
    let zone = world.services.iter().find_map(|entry| match &entry.role {
        Role::Dns { zone, .. } => Some(zone.ttl.get()),
        _ => None,
    });
    zone.unwrap_or_default()
}

/// Who gets the users of a lost data center.
fn taking_over(world: &World, others: &[usize]) -> String {
    let names: Vec<&str> = others.iter().map(|site| world.sites[*site].as_str()).collect();
    match names.as_slice() {
        [only] => format!("{only} takes over"),
        several => format!("{} take over", several.join(" and ")),
    }
}

/// How those that stand in for a lost or evacuated data center bear it.
fn carried(world: &World, others: &[usize]) -> String {
    let names: Vec<&str> = others.iter().map(|site| world.sites[*site].as_str()).collect();
    let (all, between, s) = match names.as_slice() {
        [only] => ((*only).to_owned(), "", "s"),
        _ => (names.join(" and "), " between them", ""),
    };
    let Some((busiest, share)) = busiest(world, others) else {
        return format!("{all} carr{} all{between}.", if s == "s" { "ies" } else { "y" });
    };
    if share >= FULL {
        return format!("{all} drown{s}: {busiest} is at its limit, there was no headroom for the others' users.");
    }
    let carry = if s == "s" { "carries" } else { "carry" };
    format!(
        "{all} {carry} all{between}: {busiest} is busiest, {:.0}% of its cores.",
        100.0 * share
    )
}

/// The tier of some data centers that has the greatest share of its cores in use, and that share.
fn busiest(world: &World, sites: &[usize]) -> Option<(String, f64)> {
    let load = |entry: &ServiceEntry| {
        let up = entry.present().filter(|(_, instance)| instance.health == Health::Up);
        let (count, sum) = up.fold((0, 0.0), |(count, sum), (_, instance)| {
            (count + 1, sum + instance.sampled.utilisation)
        });
        (count > 0).then(|| sum / f64::from(count))
    };
    let there = world
        .services
        .iter()
        .filter(|entry| entry.site.is_some_and(|site| sites.contains(&site)));
    let loads = there.filter_map(|entry| Some((entry.selector.clone(), load(entry)?)));
    loads.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Tells when the last user has left a data center that is evacuated. Looked at every second.
pub(super) fn watch(world: &mut World) {
    if world.grounds.iter().all(|ground| ground.leaving.is_none()) {
        return;
    }
    let now = world.now();
    let states = world.site_states();
    for site in 0..world.grounds.len() {
        let since = world.grounds[site].leaving;
        let Some(since) = since.filter(|since| states[site].rate <= 0.0 && *since < now) else {
            continue;
        };
        world.grounds[site].leaving = None;
        let others: Vec<usize> = (0..states.len()).filter(|other| states[*other].rate > 0.0).collect();
        let text = format!(
            "{} is empty {:.0}s after its evacuation. {}",
            world.sites[site],
            now.since(since).as_secs_f64(),
            carried(world, &others)
        );
        world.say(Severity::Good, text);
    }
}

/// What a cut between two data centers means for the databases that stand in both; `None` when a fault is another one.
pub(super) fn parted(world: &World, case: &Case) -> Option<String> {
    let site_of = |id: &InstanceId| world.services[world.places[id.0 as usize].0].site;
    let whole = |side: &[InstanceId]| {
        let site = site_of(side.first()?)?;
        (side.len() > 1 && side.iter().all(|id| site_of(id) == Some(site))).then_some(site)
    };
    let pair = |rule: &Rule| {
        let concerned = |side: &[InstanceId]| side.iter().any(|id| case.targets.binary_search(id).is_ok());
        let cuts = rule.verdict == Verdict::Drop && (concerned(&rule.from) || concerned(&rule.to));
        let ends = whole(&rule.from).zip(whole(&rule.to)).filter(|(a, b)| a != b);
        ends.filter(|_| cuts)
    };
    let found = world.kernel.network().rules.iter().find_map(pair);
    let (a, b) = found?;
    databases::parted(world, a, b)
}
