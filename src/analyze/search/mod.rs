//! A search for schedules of faults that break what a layout expects, and the shrinking of what is found to the few commands that matter.
//!
//! A try has a number. What is done in it is drawn from its number and the seed alone, so that it is the same on every machine, alone or among others.

mod draw;
mod menu;
mod shrink;
mod trial;

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::layout::{Expectation, Layout};
use crate::replay::{Act, Ending, Session, Verdict};

use draw::Draw;
use menu::Menu;
use trial::Trial;

/// Tries meet the traffic of so many seeds in turn.
const SEEDS: u64 = 8;

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// From which the tries are drawn; those of the worlds are this one and the seven behind it.
    pub seed: u64,
    /// How long each run is, more than 0.
    pub length: Duration,
    /// What is to be broken: any of these.
    pub expect: Vec<Expectation>,
}

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Break {
    /// Its index among those of the question.
    pub index: usize,
    /// When it first did not hold; for `Eventually` and `Sometimes`, the end of the run.
    pub at: Duration,
    /// What became of it.
    pub verdict: Verdict,
}

/// A schedule that breaks something.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The number of the try.
    pub number: u64,
    /// The seed of its world.
    pub seed: u64,
    /// The commands that took effect until then.
    pub acts: Vec<Act>,
    /// What it breaks.
    pub broken: Break,
}

/// What is left of a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The commands.
    pub acts: Vec<Act>,
    /// What they break: the same expectation.
    pub broken: Break,
    /// How many runs that took.
    pub runs: usize,
}

/// What some tries came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The first of them that broke something, as far as it is known.
    pub finding: Option<Finding>,
    /// How many of them are known to have broken nothing or to be the finding, from the first on and without a gap.
    pub known: usize,
}

/// Why nothing can be looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    /// It was stopped.
    Stopped,
    /// With this seed something does not hold though nothing is done.
    Broken(u64, Box<Break>),
    /// Runs of this length never judge this expectation, by index.
    Unjudged(usize),
}

/// A layout, what is looked for in it, and what there is to do to it.
#[derive(Clone, Debug)]
pub struct Search {
    question: Question,
    layout: Layout,
    menu: Menu,
}

impl Search {
    /// Looks at what there is, and runs the layout undisturbed with each seed: what does not hold by itself can't be broken.
    ///
    /// # Errors
    /// Why nothing can be looked for.
    pub fn of(
        layout: &Layout,
        question: Question,
        threads: NonZeroUsize,
        stop: &AtomicBool,
    ) -> Result<Search, Obstacle> {
        let mut layout = layout.clone();
        layout.expect.clone_from(&question.expect);
        let mut session = Session::scheduled(&layout, question.seed, &[]);
        session.advance_to(question.length / 3);
        let search = Search {
            menu: Menu::of(&session.frame()),
            question,
            layout,
        };
        let undisturbed = |number| Trial {
            seed: search.seed(number),
            acts: Vec::new(),
        };
        let trials: Vec<Trial> = (0..SEEDS).map(undisturbed).collect();
        let length = search.question.length;
        let first = trial::first(&search.layout, &trials, length, (threads, stop), &|_| {});
        if let Some((index, broken, _)) = first.broken {
            return Err(Obstacle::Broken(trials[index].seed, Box::new(broken)));
        }
        if first.unknown() < trials.len() {
            return Err(Obstacle::Stopped);
        }
        match first.unjudged {
            Some(index) => Err(Obstacle::Unjudged(index)),
            None => Ok(search),
        }
    }

    /// The question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The seed of the world of a try.
    pub fn seed(&self, number: u64) -> u64 {
        self.question.seed.wrapping_add(number % SEEDS)
    }

    /// What is done in a try.
    pub fn schedule(&self, number: u64) -> Vec<Act> {
        let mut draw = Draw::of(self.question.seed, number);
        self.menu.schedule(&mut draw, self.question.length)
    }

    /// Does these tries on so many threads, in any order, until the first of them is known that breaks something, or `stop` is set. `watch` hears how much simulated
    /// time has passed, on any thread.
    pub fn tries(
        &self,
        numbers: &[u64],
        threads: NonZeroUsize,
        stop: &AtomicBool,
        watch: &(dyn Fn(Duration) + Sync),
    ) -> Tried {
        let of = |number: &u64| Trial {
            seed: self.seed(*number),
            acts: self.schedule(*number),
        };
        let trials: Vec<Trial> = numbers.iter().map(of).collect();
        let first = trial::first(&self.layout, &trials, self.question.length, (threads, stop), watch);
        let known = first.unknown();
        let finding = first.broken.map(|(index, broken, acts)| Finding {
            number: numbers[index],
            seed: trials[index].seed,
            acts,
            broken,
        });
        // Behind a finding nothing was looked at to its end.
        let most = finding
            .as_ref()
            .and_then(|finding| numbers.iter().position(|number| *number == finding.number));
        Tried {
            known: most.map_or(known, |index| known.min(index + 1)),
            finding,
        }
    }

    /// Takes away from a finding what is not needed to break the same expectation. The number of threads changes nothing. Nothing if it was stopped.
    pub fn shrink(&self, finding: &Finding, threads: NonZeroUsize, stop: &AtomicBool) -> Option<Shrunk> {
        shrink::shrink(self, finding, threads, stop)
    }

    /// A run of these commands to its end, with all that is known of it, for a recording.
    pub fn run(&self, seed: u64, acts: &[Act]) -> Ending {
        let mut session = Session::scheduled(&self.layout, seed, acts);
        session.advance_to(self.question.length);
        session.end()
    }
}
