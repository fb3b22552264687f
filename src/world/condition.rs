//! What faults change: how it was before, how it is after, and the way back.
//!
//! A condition is everything that a fault can set and an undo can set back. Two of them, before and after a command, tell what it did,
//! whatever it was.

use crate::command::{Command, Setting};
use crate::observe::Severity;
use crate::parts::Throttle;
use crate::protocol::{Order, Request};
use crate::sim::{Disk, Flaw, ProcessState};

use super::World;
use super::apply::{breakable, machines};
use super::entries::Role;
use super::flaws::{is_misled, set_misled};
use super::repair::restart;
use super::select::on_machine;
use super::settings::set_traffic;

/// Something that has a state of its own, by machine, by service, or by service and instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    /// How fast a machine works.
    Pace(usize),
    /// Its disk.
    Disk(usize),
    /// Whether a process runs.
    Process(usize, usize),
    /// What is wrong with its software.
    Software(usize, usize),
    /// Slots that it has lost.
    Slots(usize, usize),
    /// The wall clock of a node.
    Clock(usize, usize),
    /// How much users ask for.
    Traffic(usize),
    /// How much of it is for one row.
    Hot(usize),
    /// Whether names lead astray.
    Names(usize),
}

/// Its state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// A factor or a share.
    Number(f64),
    Disk(Disk),
    Process(Run),
    Software(Option<Flaw>),
    Slots(u32),
    /// How far off, in nanoseconds.
    Clock(i64),
    Astray(bool),
}

/// Whether a process answers, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    Up,
    Hung,
    Down,
}

/// A state that was changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    thing: Thing,
    before: State,
    after: State,
}

/// What a command did.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    states: Vec<Change>,
}

/// What a command can change, at one moment.
pub(super) struct Condition {
    states: Vec<(Thing, State)>,
}

/// What a command can change that can be set back: of its targets, and of whatever shares a machine with them.
pub(super) fn concerned(world: &World, command: &Command) -> Vec<Thing> {
    let services = 0..world.services.len();
    match command {
        Command::Surge(..) => services.map(Thing::Traffic).collect(),
        Command::Set(_, Setting::Hot(_)) => services.map(Thing::Hot).collect(),
        Command::Mislead(_) => services.map(Thing::Names).collect(),
        Command::Kill(target)
        | Command::Destroy(target)
        | Command::Hang(target)
        | Command::Slow(target, _)
        | Command::Fail(target, ..)
        | Command::Leak(target, _)
        | Command::Disk(target, _)
        | Command::Isolate(target)
        | Command::Outage(target) => {
            let machines = machines(world, &breakable(world, target).unwrap_or_default());
            let of = |machine: usize| {
                let there = on_machine(world, machine).into_iter();
                let processes = there.flat_map(|(service, number)| {
                    [
                        Thing::Process(service, number),
                        Thing::Software(service, number),
                        Thing::Slots(service, number),
                    ]
                });
                [Thing::Pace(machine), Thing::Disk(machine)]
                    .into_iter()
                    .chain(processes)
            };
            machines.into_iter().flat_map(of).collect()
        }
        _ => Vec::new(),
    }
}

impl Condition {
    /// How these things are.
    pub(super) fn of(world: &World, things: &[Thing]) -> Condition {
        let states = things.iter().filter_map(|thing| Some((*thing, state(world, *thing)?)));
        Condition {
            states: states.collect(),
        }
    }

    /// What has changed from this one to another one, of the same things. What the command is `aimed` at counts also where it was so already: whoever
    /// undoes an earlier change of it then leaves it as it is, until this one is undone, too.
    pub(super) fn until(self, after: Condition, aimed: &[Thing]) -> Changes {
        let pairs = self.states.into_iter().zip(after.states);
        let states = pairs
            .filter(|((thing, before), (same, after))| thing == same && (before != after || aimed.contains(thing)))
            .map(|((thing, before), (_, after))| Change { thing, before, after })
            .collect();
        Changes { states }
    }
}

impl Changes {
    /// A clock was set: its state follows only when the order has arrived.
    pub(super) fn of_clocks(clocks: Vec<((usize, usize), i64)>, nanos: i64) -> Changes {
        let changes = clocks.into_iter().map(|((service, number), before)| Change {
            thing: Thing::Clock(service, number),
            before: State::Clock(before),
            after: State::Clock(nanos),
        });
        Changes {
            states: changes.collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Whether anything is still as this made it.
    pub(super) fn stands(&self, world: &World) -> bool {
        let stands = |change: &Change| state(world, change.thing) == Some(change.after);
        self.states.iter().any(stands)
    }

    /// Sets back what is still as this left it. What came after takes its place: `later` are the changes that others made since, the oldest
    /// first, so that theirs lead back to where these began.
    pub(super) fn undo(self, world: &mut World, mut later: Vec<&mut Changes>) {
        for change in self.states.iter().rev() {
            let stacked = later.iter_mut().flat_map(|changes| changes.states.iter_mut());
            let mut on_top = stacked.filter(|other| other.thing == change.thing && other.before == change.after);
            if let Some(other) = on_top.next() {
                other.before = change.before;
                continue;
            }
            if state(world, change.thing) == Some(change.after) {
                set(world, change.thing, change.before);
            }
        }
    }
}

/// How something is. `None`: it has gone, or has no such state.
fn state(world: &World, thing: Thing) -> Option<State> {
    let instance = |service: usize, number: usize| {
        let instance = &world.services[service].instances[number];
        (!instance.left).then_some(instance.id)
    };
    let machine = |machine: usize| {
        let entry = &world.machines[machine];
        (!entry.left).then_some(entry.id)
    };
    Some(match thing {
        Thing::Pace(at) => State::Number(world.kernel.slow(machine(at)?)),
        Thing::Disk(at) => State::Disk(world.kernel.disk_of(machine(at)?)),
        Thing::Process(service, number) => {
            State::Process(match world.kernel.process_state(instance(service, number)?) {
                ProcessState::Up | ProcessState::Booting { .. } => Run::Up,
                ProcessState::Hung => Run::Hung,
                ProcessState::Down => Run::Down,
            })
        }
        Thing::Software(service, number) => State::Software(world.kernel.flaw(instance(service, number)?)),
        Thing::Slots(service, number) => State::Slots(world.kernel.leaked(instance(service, number)?).0),
        Thing::Clock(service, number) => match &world.services[service].role {
            Role::Database { probes, .. } => State::Clock(probes[number].skew.get()),
            _ => return None,
        },
        Thing::Traffic(service) => State::Number(throttle(world, service)?.factor.get()),
        Thing::Hot(service) => State::Number(throttle(world, service)?.hot.get()),
        Thing::Names(service) => State::Astray(is_misled(world, service)),
    })
}

fn throttle(world: &World, service: usize) -> Option<&Throttle> {
    match &world.services[service].role {
        Role::Users { throttle, .. } => Some(throttle),
        _ => None,
    }
}

/// Brings something into a state in which it was before.
fn set(world: &mut World, thing: Thing, state: State) {
    let id = |world: &World, service: usize, number: usize| world.services[service].instances[number].id;
    match (thing, state) {
        (Thing::Pace(machine), State::Number(slow)) => world.kernel.set_slow(world.machines[machine].id, slow),
        (Thing::Disk(machine), State::Disk(disk)) => world.kernel.set_disk(world.machines[machine].id, disk),
        // What starts anew does not hang any more.
        (Thing::Process(service, number), State::Process(Run::Up | Run::Hung)) => {
            restart(world, (service, number));
        }
        (Thing::Software(service, number), State::Software(flaw)) => {
            world.kernel.set_flaw(id(world, service, number), flaw);
        }
        (Thing::Slots(service, number), State::Slots(lost)) => {
            world.kernel.set_leaked(id(world, service, number), lost);
        }
        (Thing::Clock(service, number), State::Clock(nanos)) => set_clock(world, service, number, nanos),
        (Thing::Traffic(service), State::Number(factor)) => {
            set_traffic(world, service, factor);
        }
        (Thing::Hot(service), State::Number(share)) => {
            if let Some(throttle) = throttle(world, service) {
                throttle.hot.set(share);
            }
        }
        (Thing::Names(service), State::Astray(on)) => set_misled(world, service, on),
        _ => {}
    }
}

fn set_clock(world: &mut World, service: usize, number: usize, nanos: i64) {
    let instance = &world.services[service].instances[number];
    let (id, name) = (instance.id, instance.selector.clone());
    if world.kernel.process_state(id) == ProcessState::Up {
        world.kernel.cast(id, Request::Order(Order::Skew(nanos)));
        return;
    }
    world.say(Severity::Warning, format!("{name} is down, so its clock stays wrong"));
}
