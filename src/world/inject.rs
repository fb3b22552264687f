//! Faults that go on: commands with a time of their own, and composites. One recorded command; its steps follow from it.

use std::time::Duration;

use crate::command::{Applied, Command, CommandError, Deed, Injection, LinkSelector, On, Selector, Timed};
use crate::layout::{duration, printable};
use crate::observe::Severity;
use crate::sim::{InstanceId, SimTime};

use super::agenda::{Act, Injection as Entered, Item, MOST_INJECTIONS, MOST_STEPS};
use super::apply::{self, Done, breakable, ids, open_incident, refuse};
use super::condition::{Changes, Condition, Thing, concerned};
use super::entries::Role;
use super::sample::refresh_health;
use super::select::{instances, link_ends};
use super::{World, rollout};

/// What is to be begun.
struct Begin {
    title: Option<String>,
    steps: Vec<Timed>,
    /// When it ends by itself and is undone.
    ends: Option<Duration>,
    suffix: String,
}

/// Does something for a while.
pub(super) fn timed(world: &mut World, command: &Command, time: Duration) -> Done {
    let suffix = format!(" for {}", duration::format(time));
    if let Command::Inject(injection) = command {
        return composite(world, injection, Some(time), suffix);
    }
    let begin = Begin {
        title: None,
        steps: vec![Timed {
            after: Duration::ZERO,
            deed: Deed::Do(command.clone()),
        }],
        ends: Some(time),
        suffix,
    };
    start(world, begin, &on(command))
}

/// Injects a composite.
pub(super) fn inject(world: &mut World, injection: &Injection) -> Done {
    let usually = injection.usually();
    let suffix = usually.map_or(String::new(), |time| format!(" for {}", duration::format(time)));
    composite(world, injection, usually, suffix)
}

fn composite(world: &mut World, injection: &Injection, time: Option<Duration>, suffix: String) -> Done {
    let hit = match &injection.on {
        On::Target(target) => instances(world, target)?,
        On::All | On::Link(_) => Vec::new(),
    };
    if let Some(why) = unfit(world, injection, &hit) {
        return refuse(why);
    }
    let entries = hit
        .iter()
        .map(|(service, number)| &world.services[*service].instances[*number]);
    let boot = entries.clone().map(|instance| instance.boot).max().unwrap_or_default();
    let names: Vec<Selector> = entries.map(|instance| Selector(instance.full.clone())).collect();
    let steps = injection.steps(&names, boot, time);
    let last = steps.last().map_or(Duration::ZERO, |step| step.after);
    // What has steps and no time ends with the last of them.
    let by_itself = injection.fault().lasts == crate::command::faults::Lasts::ItsSteps;
    let ends = time.or(by_itself.then_some(last + boot));
    let begin = Begin {
        title: Some(printable(&injection.title())),
        steps,
        ends,
        suffix,
    };
    start(world, begin, &injection.on)
}

/// Why a composite can't be done to what it names.
fn unfit(world: &World, injection: &Injection, hit: &[(usize, usize)]) -> Option<String> {
    let all = |fits: fn(&Role) -> bool| hit.iter().all(|(service, _)| fits(&world.services[*service].role));
    let (name, On::Target(target)) = (injection.name(), &injection.on) else {
        return None;
    };
    let target = printable(&target.0);
    match name {
        "bad-deploy" if !all(|role| matches!(role, Role::Web { .. } | Role::Serverless { .. })) => Some(format!(
            "{target} has no versions to deploy: name a web service, or try `fail`"
        )),
        "expired-certificate" if !all(|role| matches!(role, Role::LoadBalancer { .. })) => {
            Some(format!("{target} is no load balancer"))
        }
        _ => None,
    }
}

/// Whether there is room for restarting these services in turn.
pub(super) fn can_roll_out(world: &World, services: &[usize]) -> bool {
    world.agenda.has_room_for(services.len(), services.len())
}

/// Enters a rollout of a service. Its first step is done at once.
pub(super) fn begin_rollout(world: &mut World, service: usize, act: Act) {
    let entry = &world.services[service];
    let aim = entry.present().map(|(number, _)| (service, number)).collect();
    let what = format!("rollout of {}", entry.selector);
    let number = world.agenda.open(Some(what.clone()), String::new());
    if let Some(injection) = world.agenda.get_mut(number) {
        injection.aim = aim;
        injection.rolls = Some(service);
    }
    let now = world.now();
    world.agenda.enter(now, Item { of: number, act });
    assure_incident(world, number, &what);
}

/// Ends the rollout of a service without a word: another one takes its place.
pub(super) fn supersede(world: &mut World, service: usize) {
    let mut injections = world.agenda.injections.iter();
    let number = injections.find(|one| one.rolls == Some(service)).map(|one| one.number);
    let closed = number.and_then(|number| world.agenda.close(number));
    if let Some(incident) = closed.and_then(|injection| injection.incident) {
        world.chronicle.incidents.release(incident);
    }
    rollout::come_back(world, service);
}

/// What a command is aimed at.
fn on(command: &Command) -> On {
    match command {
        Command::Cut(link) | Command::Delay(link, _) | Command::Drop(link, _) | Command::Bandwidth(link, _) => {
            On::Link(link.clone())
        }
        Command::Kill(target)
        | Command::Destroy(target)
        | Command::Hang(target)
        | Command::Slow(target, _)
        | Command::Fail(target, ..)
        | Command::Leak(target, _)
        | Command::Disk(target, _)
        | Command::Isolate(target)
        | Command::Outage(target)
        | Command::Mislead(target)
        | Command::Skew(target, _)
        | Command::Surge(Some(target), _)
        | Command::Set(target, _) => On::Target(target.clone()),
        _ => On::All,
    }
}

/// Begins: what is due at once is done, the rest is entered. What can't even begin is refused, and nothing has changed.
fn start(world: &mut World, begin: Begin, on: &On) -> Done {
    let (aim, links) = match on {
        On::All => (Vec::new(), Vec::new()),
        On::Target(target) => (instances(world, target)?, Vec::new()),
        On::Link(link) => (Vec::new(), link_ends(world, link)?),
    };
    if begin.steps.len() >= MOST_STEPS {
        return refuse(format!(
            "it would take more than {MOST_STEPS} steps: let each last longer, or all of it shorter"
        ));
    }
    if !world.agenda.has_room(begin.steps.len() + 1) {
        return refuse(format!(
            "too much goes on: at most {MOST_STEPS} steps may be to come, of {MOST_INJECTIONS} faults; `mend all` ends all of it"
        ));
    }
    let number = world.agenda.open(begin.title.clone(), begin.suffix.clone());
    if let Some(injection) = world.agenda.get_mut(number) {
        injection.aim = aim;
        injection.links = links;
    }
    let now = world.now();
    let mut said: Option<Applied> = None;
    for step in begin.steps {
        if !step.after.is_zero() {
            let (at, act) = (now + step.after, Act::Step(step.deed));
            world.agenda.enter(at, Item { of: number, act });
            continue;
        }
        match (carry_out(world, number, step.deed), &said) {
            (Ok(applied), None) => said = Some(applied),
            (Err(error), None) => {
                world.agenda.close(number);
                return Err(error);
            }
            (Ok(_), Some(_)) => {}
            (Err(error), Some(_)) => skip(world, &error),
        }
    }
    if let Some(ends) = begin.ends {
        let act = Act::End;
        world.agenda.enter(now + ends, Item { of: number, act });
    }
    let first = said.map_or(String::new(), |applied| applied.0);
    let what = begin.title.unwrap_or(first);
    if let Some(injection) = world.agenda.get_mut(number) {
        injection.title.get_or_insert_with(|| what.clone());
    }
    assure_incident(world, number, &what);
    let_heal(world, number);
    Ok(Applied(format!("{what}{}", begin.suffix)))
}

/// An injection has an incident, also if none of its first steps opens one.
fn assure_incident(world: &mut World, number: u32, what: &str) {
    let Some(injection) = world.agenda.get_mut(number) else {
        return;
    };
    if injection.incident.is_some() {
        return;
    }
    let aim = injection.aim.clone();
    let targets = ids(world, &aim);
    world.agenda.running = Some(number);
    open_incident(world, what, what, targets, Vec::new());
    world.agenda.running = None;
}

/// The incident of an injection that has nothing more to do heals when all is well, whoever sees to that.
fn let_heal(world: &mut World, number: u32) {
    if world.agenda.goes_on(number) {
        return;
    }
    let incident = world.agenda.get_mut(number).and_then(|injection| injection.incident);
    if let Some(incident) = incident {
        world.chronicle.incidents.release(incident);
    }
}

/// Carries a step of an injection out, and notes what it did.
fn carry_out(world: &mut World, number: u32, deed: Deed) -> Done {
    let (command, from) = match deed {
        Deed::Do(command) => (command, None),
        Deed::Slower { target, from, to } => (Command::Slow(target, to), Some(from)),
        Deed::Undo => {
            undo(world, number);
            return Ok(Applied(String::new()));
        }
    };
    let clocks = clocks(world, &command);
    let concerned = concerned(world, &command);
    let before = Condition::of(world, &concerned);
    world.agenda.running = Some(number);
    let applied = match (&command, from) {
        (Command::Slow(target, to), Some(from)) => apply::slower(world, target, from, *to),
        _ => apply::apply(world, &command),
    };
    world.agenda.running = None;
    let applied = applied?;
    let changes = match (&command, clocks) {
        #[allow(clippy::cast_possible_truncation, reason = "a day in nanoseconds fits")]
        (Command::Skew(_, seconds), Some(clocks)) => Changes::of_clocks(clocks, (seconds * 1e9) as i64),
        _ => before.until(Condition::of(world, &concerned), &aimed(&command, concerned)),
    };
    world.agenda.note(number, changes);
    Ok(applied)
}

/// What a command sets that may be so already.
fn aimed(command: &Command, mut concerned: Vec<Thing>) -> Vec<Thing> {
    concerned.retain(|thing| match command {
        Command::Slow(..) => matches!(thing, Thing::Pace(_)),
        Command::Disk(..) => matches!(thing, Thing::Disk(_)),
        Command::Fail(..) => matches!(thing, Thing::Software(..)),
        _ => false,
    });
    concerned
}

/// The nodes whose clocks a command sets, with how far off they are.
fn clocks(world: &World, command: &Command) -> Option<Vec<((usize, usize), i64)>> {
    let Command::Skew(target, _) = command else { return None };
    let hit = breakable(world, target).ok()?;
    let found = hit.into_iter().filter_map(|at| match &world.services[at.0].role {
        Role::Database { probes, .. } => Some((at, probes[at.1].skew.get())),
        _ => None,
    });
    Some(found.collect())
}

fn skip(world: &mut World, error: &CommandError) {
    world.say(Severity::Warning, format!("skipped: {error}"));
}

/// Undoes what an injection has done so far, the newest first.
fn undo(world: &mut World, number: u32) {
    while let Some(injection) = world.agenda.get_mut(number)
        && let Some((place, changes)) = injection.changes.pop()
    {
        // The agenda is put aside: what goes back looks at what came later, and changes the world.
        let mut agenda = std::mem::take(&mut world.agenda);
        changes.undo(world, agenda.later(place));
        world.agenda = agenda;
    }
    world.kernel.network().rules.retain(|rule| rule.owner != number);
    refresh_health(world);
}

/// Ends an injection: what it has done is undone, what it was to do is not done.
pub(super) fn end(world: &mut World, number: u32) {
    undo(world, number);
    let Some(injection) = world.agenda.close(number) else {
        return;
    };
    if let Some(service) = injection.rolls {
        rollout::come_back(world, service);
    }
    if let Some(incident) = injection.incident {
        world.chronicle.incidents.release(incident);
    }
    let what = injection.title.unwrap_or_else(|| "what was done".to_owned());
    world.say(Severity::Good, format!("{what}{} is over", injection.suffix));
}

/// Ends the injections that are aimed at nothing beyond these instances. False when there were none.
pub(super) fn end_within(world: &mut World, hit: &[(usize, usize)]) -> bool {
    let mut all: Vec<InstanceId> = ids(world, hit);
    all.sort_unstable();
    let ended = world.agenda.within(hit, &all);
    end_all(world, &ended)
}

/// Ends the injections that are aimed at nothing beyond these links. False when there were none.
pub(super) fn end_along(world: &mut World, link: &LinkSelector) -> Result<bool, CommandError> {
    let ends = link_ends(world, link)?;
    let ended = world.agenda.along(&ends);
    Ok(end_all(world, &ended))
}

/// Ends everything that goes on, chaos too. False when nothing did.
pub(super) fn end_everything(world: &mut World) -> bool {
    let chaos = world.chaos.take().is_some();
    let all: Vec<u32> = world.agenda.injections.iter().map(|one| one.number).collect();
    end_all(world, &all) || chaos
}

fn end_all(world: &mut World, numbers: &[u32]) -> bool {
    for number in numbers.iter().rev() {
        end(world, *number);
    }
    !numbers.is_empty()
}

/// Forgets the injections that have nothing to do any more: whatever they did has been undone by hand, or has left.
pub(super) fn tidy(world: &mut World) {
    let over = world.agenda.injections.iter().filter(|one| {
        let acts = world.agenda.goes_on(one.number) && !has_left(world, one);
        let stands = one.changes.iter().any(|(_, changes)| changes.stands(world));
        let rules = world.kernel.network();
        !acts && !stands && rules.rules.iter().all(|rule| rule.owner != one.number)
    });
    for number in over.map(|one| one.number).collect::<Vec<u32>>() {
        let closed = world.agenda.close(number);
        if let Some(incident) = closed.and_then(|injection| injection.incident) {
            world.chronicle.incidents.release(incident);
        }
    }
}

/// Whether nothing is there any more that an injection is aimed at.
fn has_left(world: &World, injection: &Entered) -> bool {
    let left = |(service, number): &(usize, usize)| world.services[*service].instances[*number].left;
    let all_left = |ids: &[InstanceId]| ids.iter().all(|id| left(&world.places[id.0 as usize]));
    let aimed = !injection.aim.is_empty() && injection.aim.iter().all(left);
    let linked = !injection.links.is_empty() && injection.links.iter().all(|(from, to)| all_left(from) || all_left(to));
    aimed || linked
}

/// Does what is due now, before everything else of this moment.
pub(super) fn run_due(world: &mut World) {
    let now: SimTime = world.now();
    while let Some(item) = world.agenda.take_due(now) {
        match item.act {
            Act::End => end(world, item.of),
            Act::Roll(rollout) => {
                if rollout::roll(world, item.of, rollout) {
                    end(world, item.of);
                }
            }
            Act::Step(deed) => {
                if let Err(error) = carry_out(world, item.of, deed) {
                    skip(world, &error);
                }
                let_heal(world, item.of);
            }
        }
    }
    super::chaos::strike(world);
}
