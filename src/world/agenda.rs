//! What is still to come: the steps of injections, each at its time, and what each injection has done so far.
//!
//! It follows from the commands that were recorded and from nothing else, so a recording needs none of it.

use std::collections::{BTreeMap, VecDeque};

use crate::command::Deed;
use crate::sim::{InstanceId, SimTime};

use super::condition::Changes;
use super::rollout::Rollout;
use super::select::Ends;

/// Steps that may be still to come, of all injections together.
pub(super) const MOST_STEPS: usize = 10_000;
/// Injections that may go on at once.
pub(super) const MOST_INJECTIONS: usize = 1_000;

/// A fault that goes on: one with a time of its own, or a composite.
pub(super) struct Injection {
    pub number: u32,
    /// What it is called: `crash loop of web/1`. What its first step says, if nothing.
    pub title: Option<String>,
    /// What is put behind: ` for 30s`.
    pub suffix: String,
    /// The instances that it is aimed at, by service and place. Empty: everything, or a link.
    pub aim: Vec<(usize, usize)>,
    /// The ends of the links that it is aimed at.
    pub links: Vec<Ends>,
    /// What its steps have done and nobody has undone, the oldest first.
    pub changes: Vec<(u64, Changes)>,
    /// The incident that it opened.
    pub incident: Option<u32>,
    /// The service whose machines it restarts in turn.
    pub rolls: Option<usize>,
}

/// A step that is still to come.
pub(super) struct Item {
    pub of: u32,
    pub act: Act,
}

/// What it does.
pub(super) enum Act {
    Step(Deed),
    /// The next step of a rollout.
    Roll(Rollout),
    /// Undoes all that the injection did, and ends it.
    End,
}

/// All that is still to come, and all that goes on.
#[derive(Default)]
pub(super) struct Agenda {
    /// By time, then in the order in which they were entered.
    items: BTreeMap<(SimTime, u64), Item>,
    pub injections: VecDeque<Injection>,
    entered: u64,
    opened: u32,
    /// The number of the next change.
    changed: u64,
    /// The injection whose step is carried out right now.
    pub running: Option<u32>,
}

impl Agenda {
    /// A new injection, which goes on from now on.
    pub(super) fn open(&mut self, title: Option<String>, suffix: String) -> u32 {
        self.opened += 1;
        self.injections.push_back(Injection {
            number: self.opened,
            title,
            suffix,
            aim: Vec::new(),
            links: Vec::new(),
            changes: Vec::new(),
            incident: None,
            rolls: None,
        });
        self.opened
    }

    /// Whether so many steps more, and an injection, have room.
    pub(super) fn has_room(&self, steps: usize) -> bool {
        self.has_room_for(1, steps)
    }

    /// The same of several injections, with all their steps.
    pub(super) fn has_room_for(&self, injections: usize, steps: usize) -> bool {
        self.items.len() + steps <= MOST_STEPS && self.injections.len() + injections <= MOST_INJECTIONS
    }

    pub(super) fn enter(&mut self, at: SimTime, item: Item) {
        self.entered += 1;
        self.items.insert((at, self.entered), item);
    }

    /// When the next step is due.
    pub(super) fn next(&self) -> Option<SimTime> {
        self.items.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out what is due.
    pub(super) fn take_due(&mut self, now: SimTime) -> Option<Item> {
        let due = self.items.first_entry().filter(|entry| entry.key().0 <= now);
        due.map(std::collections::btree_map::OccupiedEntry::remove)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Injection> {
        self.injections.iter_mut().find(|one| one.number == number)
    }

    /// The injection whose step is carried out right now.
    pub(super) fn current(&mut self) -> Option<&mut Injection> {
        let running = self.running?;
        self.get_mut(running)
    }

    /// Notes what a step of an injection has done.
    pub(super) fn note(&mut self, number: u32, changes: Changes) {
        self.changed += 1;
        let place = self.changed;
        if !changes.is_empty()
            && let Some(injection) = self.get_mut(number)
        {
            injection.changes.push((place, changes));
        }
    }

    /// Takes an injection out with all that it was still to do.
    pub(super) fn close(&mut self, number: u32) -> Option<Injection> {
        self.items.retain(|_, item| item.of != number);
        let place = self.injections.iter().position(|one| one.number == number)?;
        self.injections.remove(place)
    }

    /// Whether an injection has steps to come.
    pub(super) fn goes_on(&self, number: u32) -> bool {
        self.items.values().any(|item| item.of == number)
    }

    /// What was done after a change, by any injection, the oldest first.
    pub(super) fn later(&mut self, than: u64) -> Vec<&mut Changes> {
        let all = self.injections.iter_mut().flat_map(|one| one.changes.iter_mut());
        let mut later: Vec<&mut (u64, Changes)> = all.filter(|(number, _)| *number > than).collect();
        later.sort_by_key(|(number, _)| *number);
        later.into_iter().map(|(_, changes)| changes).collect()
    }

    /// The injections that are aimed at nothing beyond these instances, and those at links of which they are an end.
    pub(super) fn within(&self, hit: &[(usize, usize)], ids: &[InstanceId]) -> Vec<u32> {
        let inside = |end: &[InstanceId]| end.iter().all(|id| ids.binary_search(id).is_ok());
        let is_within = |one: &&Injection| {
            let aimed = !one.aim.is_empty() && one.aim.iter().all(|at| hit.contains(at));
            let linked = !one.links.is_empty() && one.links.iter().all(|(from, to)| inside(from) || inside(to));
            aimed || linked
        };
        let found = self.injections.iter().filter(is_within);
        found.map(|one| one.number).collect()
    }

    /// The injections that are aimed at nothing beyond these links.
    pub(super) fn along(&self, ends: &[Ends]) -> Vec<u32> {
        let inside = |some: &[InstanceId], all: &[InstanceId]| some.iter().all(|id| all.binary_search(id).is_ok());
        let is_along = |one: &&Injection| {
            let covered = |link: &Ends| {
                ends.iter()
                    .any(|(from, to)| inside(&link.0, from) && inside(&link.1, to))
            };
            !one.links.is_empty() && one.links.iter().all(covered)
        };
        let found = self.injections.iter().filter(is_along);
        found.map(|one| one.number).collect()
    }
}
