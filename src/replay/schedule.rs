//! What a run is to do: at a time, or after a condition has held.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::recording::Words;
use super::session::{Act, Unreached};
use crate::command::{Script, What, When};
use crate::layout::{Expectation, Layout, Measure, condition};

/// A step that was not done yet.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// What.
    pub(super) what: What,
    /// Where it stands in the script, if it comes from one: line and column, from 1.
    pub(super) place: Option<(usize, usize)>,
    /// The condition that it waits for or has waited for.
    after: Option<String>,
}

/// A step whose condition has not held yet.
#[derive(Clone, Debug)]
struct Waiting {
    /// The condition; none if it names nothing that there is. It never holds then.
    condition: Option<Expectation>,
    /// How long after it has held.
    wait: Duration,
    planned: Planned,
}

/// What is still to come of a run. Every step has a number, in the order of the script.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// Steps whose time is known, by time; those of one moment by number.
    timed: BTreeMap<(Duration, u64), Planned>,
    /// Steps that wait for a condition, by number.
    waiting: BTreeMap<u64, Waiting>,
    /// Those of them that are looked at: the step before them was done.
    watched: BTreeSet<u64>,
    /// The number that was given last.
    last: u64,
}

impl Schedule {
    /// What a script says, of a run of this layout.
    pub(super) fn of(script: &Script, layout: &Layout) -> Schedule {
        let mut schedule = Schedule::of_acts(&[]);
        for step in &script.steps {
            let mut planned = Planned {
                what: step.what.clone(),
                place: (step.line > 0).then_some((step.line, step.column)),
                after: None,
            };
            match &step.when {
                When::At(at) => schedule.add(*at, planned),
                When::After(awaited) => {
                    planned.after = Some(awaited.condition.clone());
                    schedule.last += 1;
                    let waiting = Waiting {
                        condition: condition(&awaited.condition, layout).ok(),
                        wait: awaited.wait,
                        planned,
                    };
                    schedule.waiting.insert(schedule.last, waiting);
                }
            }
        }
        schedule.follow(0);
        schedule
    }

    /// These commands.
    pub(super) fn of_acts(acts: &[Act]) -> Schedule {
        let mut schedule = Schedule {
            timed: BTreeMap::new(),
            waiting: BTreeMap::new(),
            watched: BTreeSet::new(),
            last: 0,
        };
        for act in acts {
            schedule.add_what(act.at, What::Do(act.command.clone()));
        }
        schedule
    }

    /// Adds marks and notes.
    pub(super) fn with_words(mut self, marks: &[Words], notes: &[Words]) -> Schedule {
        for mark in marks {
            self.add_what(mark.at, What::Mark(mark.text.clone()));
        }
        for note in notes {
            self.add_what(note.at, What::Note(note.text.clone()));
        }
        self
    }

    fn add_what(&mut self, at: Duration, what: What) {
        let planned = Planned {
            what,
            place: None,
            after: None,
        };
        self.add(at, planned);
    }

    fn add(&mut self, at: Duration, planned: Planned) {
        self.last += 1;
        self.timed.insert((at, self.last), planned);
    }

    /// Steps that are still to come.
    pub(super) fn len(&self) -> usize {
        self.timed.len() + self.waiting.len()
    }

    /// When the next step is due whose time is known.
    pub(super) fn next(&self) -> Option<Duration> {
        self.timed.first_key_value().map(|((at, _), _)| *at)
    }

    /// Whether a condition is to be looked at.
    pub(super) fn is_watching(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Looks at the conditions. Steps whose condition holds get their time.
    pub(super) fn look(&mut self, now: Duration, measure: &mut dyn FnMut(&Measure) -> f64) {
        let holds = |number: &u64| {
            let condition = self.waiting.get(number)?.condition.as_ref()?;
            let value = measure(&condition.measure);
            condition.comparison.holds(value, condition.bound).then_some(*number)
        };
        let held: Vec<u64> = self.watched.iter().filter_map(holds).collect();
        for number in held {
            self.watched.remove(&number);
            if let Some(Waiting { wait, planned, .. }) = self.waiting.remove(&number) {
                self.timed.insert((now.saturating_add(wait), number), planned);
            }
        }
    }

    /// Takes the next step that is due now.
    pub(super) fn take(&mut self, now: Duration) -> Option<Planned> {
        let entry = self.timed.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, number), planned) = entry.remove_entry();
        self.follow(number);
        Some(planned)
    }

    /// The step of this number was done: if the one behind it waits for a condition, that is looked at from now on.
    fn follow(&mut self, number: u64) {
        if self.waiting.contains_key(&(number + 1)) {
            self.watched.insert(number + 1);
        }
    }

    /// What was not done, those steps first whose time is known.
    pub(super) fn into_unreached(self) -> Vec<Unreached> {
        let unreached = |at: Option<Duration>, planned: Planned| Unreached {
            place: planned.place,
            at,
            after: planned.after,
            what: planned.what,
        };
        let timed = self
            .timed
            .into_iter()
            .map(|((at, _), planned)| unreached(Some(at), planned));
        let waiting = self
            .waiting
            .into_values()
            .map(|waiting| unreached(None, waiting.planned));
        timed.chain(waiting).collect()
    }
}
