//! Commands that let things run and be wrong: software that fails, slots that leak, disks, outages, wrong answers.

use crate::command::{CommandError, DiskTrouble, Flaw, LinkSelector, Selector};
use crate::layout::{percent, printable};
use crate::observe::Severity;
use crate::protocol::{FlawKind, Layer, Request};
use crate::sim::{self, Disk, InstanceId, ProcessState, Rule, Verdict};

use super::World;
use super::apply::{Done, breakable, called, done, fault, id, ids, machines, refuse};
use super::entries::Role;
use super::links::{add_rules, put_rules};
use super::repair::every_instance;
use super::select::{instances, on_machine};

/// Makes software answer a share of its requests with an error.
pub(super) fn fail(world: &mut World, target: &Selector, share: f64, flaw: Flaw) -> Done {
    let named = breakable(world, target)?;
    let name = called(world, target, &named);
    let answers = |role: &Role| match flaw {
        Flaw::Certificate => matches!(role, Role::LoadBalancer { .. } | Role::Cdn { .. }),
        _ => !matches!(
            role,
            Role::Consumer { .. } | Role::Autoscaler { .. } | Role::Monitor { .. }
        ),
    };
    let hit = those(world, named, answers);
    if hit.is_empty() {
        return refuse(match flaw {
            Flaw::Certificate => format!("{name} shows no certificate: only balancers and CDNs do"),
            _ => format!(
                "{name} answers no requests: to let workers fail, `set {} fails 20%`",
                target.0
            ),
        });
    }
    let kind = match flaw {
        Flaw::Requests => FlawKind::Requests,
        Flaw::Checks => FlawKind::Checks,
        Flaw::Certificate => FlawKind::Certificate,
    };
    let kind = kind.number();
    let broken = (share > 0.0).then_some(sim::Flaw { share, kind });
    for instance in ids(world, &hit) {
        world.kernel.set_flaw(instance, broken);
    }
    let percent = percent(share);
    match (broken, flaw) {
        (None, _) => Ok(done(world, Severity::Good, format!("{name} fails no more"))),
        (_, Flaw::Certificate) => Ok(fault(
            world,
            &format!("the certificate of {name} has expired"),
            &name,
            &hit,
        )),
        (_, Flaw::Requests) => {
            let what = format!("{name} fails {percent} of its requests");
            Ok(fault(world, &what, &name, &hit))
        }
        (_, Flaw::Checks) => {
            let what = format!("{name} fails {percent} of its requests and checks");
            Ok(fault(world, &what, &name, &hit))
        }
    }
}

/// Those of some instances whose service is as asked.
fn those(world: &World, mut hit: Vec<(usize, usize)>, fits: impl Fn(&Role) -> bool) -> Vec<(usize, usize)> {
    hit.retain(|(service, _)| fits(&world.services[*service].role));
    hit
}

/// Whether a service works in slots of its own.
fn has_slots(role: &Role) -> bool {
    matches!(
        role,
        Role::LoadBalancer { .. }
            | Role::Web { .. }
            | Role::SessionStore { .. }
            | Role::Database { .. }
            | Role::Cache { .. }
            | Role::Queue { .. }
    )
}

/// Loses a share of the slots.
pub(super) fn leak(world: &mut World, target: &Selector, share: f64) -> Done {
    let named = breakable(world, target)?;
    let name = called(world, target, &named);
    let mut hit = those(world, named, has_slots);
    if hit.is_empty() {
        return refuse(format!("{name} has no slots that could leak"));
    }
    hit.retain(|at| world.kernel.process_state(id(world, *at)) == ProcessState::Up);
    if hit.is_empty() {
        return refuse(format!("{name} does not run, so nothing leaks"));
    }
    for instance in ids(world, &hit) {
        let (_, all) = world.kernel.leaked(instance);
        world
            .kernel
            .set_leaked(instance, (f64::from(all) * share).round() as u32);
    }
    if share <= 0.0 {
        return Ok(done(world, Severity::Good, format!("{name} has all its slots again")));
    }
    let what = format!("{name} leaks {}% of its slots", (share * 1e4).round() / 100.0);
    Ok(fault(world, &what, &name, &hit))
}

/// Fills disks, slows them, or makes them well.
pub(super) fn disk(world: &mut World, target: &Selector, trouble: DiskTrouble) -> Done {
    let named = breakable(world, target)?;
    let name = called(world, target, &named);
    let writes = |role: &Role| match role {
        Role::Database { .. } => true,
        Role::Queue { spec, .. } => spec.borrow().durable,
        _ => false,
    };
    let hit = those(world, named, writes);
    if hit.is_empty() {
        return refuse(format!(
            "{name} writes nothing to a disk: databases and durable queues do"
        ));
    }
    let machines = machines(world, &hit);
    let (disk, what) = match trouble {
        DiskTrouble::None => (Disk::WELL, format!("the disk of {name} is well")),
        DiskTrouble::Full => {
            let full = Disk {
                full: true,
                ..Disk::WELL
            };
            (full, format!("the disk of {name} is full"))
        }
        DiskTrouble::Slow(slow) => {
            let slowed = Disk { full: false, slow };
            (slowed, format!("the disk of {name} is slower by {slow}"))
        }
    };
    for machine in &machines {
        world.kernel.set_disk(world.machines[*machine].id, disk);
    }
    if disk == Disk::WELL {
        return Ok(done(world, Severity::Good, what));
    }
    let hit: Vec<_> = machines
        .into_iter()
        .flat_map(|machine| on_machine(world, machine))
        .collect();
    Ok(fault(world, &what, &name, &hit))
}

/// Makes links narrow. Each direction has a pipe of its own.
pub(super) fn bandwidth(world: &mut World, link: &LinkSelector, rate: f64) -> Done {
    world.pipes += 1;
    let pipe = world.pipes;
    let what = format!("narrowed to {} kB/s", rate / 1e3);
    add_rules(world, link, Verdict::Narrow { rate, pipe }, &what)
}

/// Loses everything between instances and the rest of the world.
pub(super) fn isolate(world: &mut World, target: &Selector) -> Done {
    let hit = breakable(world, target)?;
    let name = called(world, target, &hit);
    shut_off(world, &hit, &format!("isolated {name}"), &name)
}

/// The same for what others run.
pub(super) fn outage(world: &mut World, target: &Selector) -> Done {
    let hit = breakable(world, target)?;
    let name = called(world, target, &hit);
    let foreign = |role: &Role| matches!(role, Role::Dns { .. } | Role::Resolver { .. } | Role::Cdn { .. });
    if !hit.iter().all(|(service, _)| foreign(&world.services[*service].role)) {
        return refuse(format!(
            "{name} is yours, so it has no outage: `kill {0}`, or `isolate {0}`",
            printable(&target.0)
        ));
    }
    // The shield is the provider's too.
    let shields = hit
        .iter()
        .filter_map(|(service, _)| match &world.services[*service].role {
            Role::Cdn {
                shield,
                layer: Layer::Edge,
                ..
            } => shield.map(|shield| (shield, 0)),
            _ => None,
        });
    let mut all: Vec<(usize, usize)> = hit.iter().copied().chain(shields).collect();
    all.sort_unstable();
    all.dedup();
    shut_off(world, &all, &format!("outage of {name}"), &name)
}

fn shut_off(world: &mut World, hit: &[(usize, usize)], what: &str, name: &str) -> Done {
    let mut inside: Vec<InstanceId> = ids(world, hit);
    inside.sort_unstable();
    let mut outside = every_instance(world);
    outside.retain(|id| inside.binary_search(id).is_err());
    let rule = |from: &[InstanceId], to: &[InstanceId]| Rule {
        owner: 0,
        from: from.to_vec(),
        to: to.to_vec(),
        verdict: Verdict::Drop,
    };
    put_rules(world, vec![rule(&outside, &inside), rule(&inside, &outside)])?;
    Ok(fault(world, what, name, hit))
}

/// Lets a name service lead everybody astray.
pub(super) fn mislead(world: &mut World, target: &Selector) -> Done {
    let named = instances(world, target)?;
    let name = printable(&target.0);
    let hit = those(world, named, |role| matches!(role, Role::Dns { .. }));
    if hit.is_empty() {
        return refuse(format!("{name} is no name service: `mislead dns`"));
    }
    let already = hit.iter().all(|at| is_misled(world, at.0));
    if already {
        return refuse(format!("{name} gives wrong answers already"));
    }
    for (service, _) in &hit {
        set_misled(world, *service, true);
    }
    Ok(fault(
        world,
        &format!("{name} leads everybody to an address where nobody is"),
        &name,
        &hit,
    ))
}

/// Whether a service is a name service that gives wrong answers.
pub(super) fn is_misled(world: &World, service: usize) -> bool {
    matches!(&world.services[service].role, Role::Dns { zone, .. } if zone.misled.get())
}

/// Lets a name service give wrong answers, or right ones.
pub(super) fn set_misled(world: &World, service: usize, on: bool) {
    if let Role::Dns { zone, .. } = &world.services[service].role {
        zone.misled.set(on);
    }
}

/// Ends the time of what is kept: by some, or by all.
pub(super) fn expire(world: &mut World, target: Option<&Selector>) -> Done {
    let named: Vec<(usize, usize)> = if let Some(target) = target {
        instances(world, target)?
    } else {
        let services = world.services.iter().enumerate();
        services
            .flat_map(|(service, entry)| entry.present().map(move |(number, _)| (service, number)))
            .collect()
    };
    let name = target.map_or("everything that is kept".to_owned(), |target| printable(&target.0));
    let keeps = |role: &Role| {
        matches!(
            role,
            Role::Users { .. } | Role::Resolver { .. } | Role::Cache { .. } | Role::Cdn { .. }
        ) || matches!(
            role,
            Role::Web { near: Some(_), .. } | Role::Serverless { near: Some(_), .. }
        )
    };
    let mut hit = those(world, named, keeps);
    if hit.is_empty() {
        return refuse(format!("{name} keeps no copies: nothing can expire"));
    }
    hit.retain(|at| world.kernel.process_state(id(world, *at)) == ProcessState::Up);
    if hit.is_empty() {
        return refuse(format!("{name} is down: what it held is gone"));
    }
    for instance in ids(world, &hit) {
        world.kernel.cast(instance, Request::Expire);
    }
    Ok(done(world, Severity::Warning, format!("expired {name}")))
}

/// Makes an instance and its machine whole: software, slots, disk, name service. False when nothing was wrong.
pub(super) fn cure(world: &mut World, at: (usize, usize)) -> bool {
    let instance = id(world, at);
    let machine = world.machines[world.services[at.0].instances[at.1].machine].id;
    let wrong = !is_sound(world, instance);
    if wrong {
        world.kernel.set_flaw(instance, None);
        world.kernel.set_leaked(instance, 0);
        world.kernel.set_disk(machine, Disk::WELL);
        set_misled(world, at.0, false);
    }
    wrong
}

/// Whether software, slots, disk and name service are well.
pub(super) fn is_sound(world: &World, instance: InstanceId) -> bool {
    let service = world.places[instance.0 as usize].0;
    world.kernel.flaw(instance).is_none()
        && world.kernel.leaked(instance).0 == 0
        && world.kernel.disk_of(world.kernel.machine_of(instance)) == Disk::WELL
        && !is_misled(world, service)
}

/// What is wrong with an instance that runs, in a few words.
pub(super) fn ails(world: &World, instance: InstanceId) -> Option<String> {
    let mut words = Vec::new();
    if let Some(flaw) = world.kernel.flaw(instance) {
        words.push(match FlawKind::numbered(flaw.kind) {
            FlawKind::Certificate => "certificate expired".to_owned(),
            _ => format!("fails {:.0}%", flaw.share * 100.0),
        });
    }
    let (leaked, all) = world.kernel.leaked(instance);
    if leaked > 0 {
        words.push(format!("leaks {leaked}/{all} slots"));
    }
    let disk = world.kernel.disk_of(world.kernel.machine_of(instance));
    if disk.full {
        words.push("disk full".to_owned());
    } else if disk != Disk::WELL {
        words.push(format!("disk {}x slower", disk.slow));
    }
    if is_misled(world, world.places[instance.0 as usize].0) {
        words.push("wrong answers".to_owned());
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// What happens because of it, and why, in one sentence.
pub(super) fn sentence(world: &World, instance: InstanceId) -> Option<String> {
    let name = world.selector_of(instance);
    if let Some(flaw) = world.kernel.flaw(instance) {
        return Some(match FlawKind::numbered(flaw.kind) {
            FlawKind::Certificate => format!("Nobody trusts {name}: browsers turn away before they have asked."),
            FlawKind::Checks => format!("{name} answers with errors, and its checks fail too: who checks will notice."),
            FlawKind::Requests => {
                format!("{name} answers with errors and passes its checks: only who counts the errors can notice.")
            }
        });
    }
    let disk = world.kernel.disk_of(world.kernel.machine_of(instance));
    if disk.full {
        return Some(format!("{name} can write nothing more: reads go on, writes fail."));
    }
    if disk != Disk::WELL {
        return Some(format!(
            "Each write on {name} waits for the disk, and holds its slot meanwhile."
        ));
    }
    if world.kernel.leaked(instance).0 > 0 {
        return Some(format!(
            "{name} has fewer and fewer slots: what comes waits in line for the rest."
        ));
    }
    is_misled(world, world.places[instance.0 as usize].0).then(|| {
        "Wrong answers spread as the old ones end, and stay as long as they may be kept, whoever sets it right."
            .to_owned()
    })
}

/// The error of a target that is none.
pub(super) fn no_users(target: &Selector) -> CommandError {
    CommandError(format!(
        "{} are users: there is nothing to mend, try `surge 1`",
        printable(&target.0)
    ))
}
