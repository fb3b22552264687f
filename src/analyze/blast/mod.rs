//! The blast radius of everything: a layout is run undisturbed, then once for each failure, and what differs is the failure's doing, as the same traffic
//! meets all of them.

mod failure;
mod outcome;
mod patience;
mod rank;
mod rest;
mod trial;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::analyze::pool;
use crate::layout::Layout;
use crate::observe::{Frame, Topology};

pub use crate::protocol::Ask;
pub use failure::{Extent, Failure};
pub use outcome::Outcome;
pub use rank::{Class, Row, Toll, ranked};
pub use trial::{LEAST, Span, Start};

/// What a frame calls recent.
const RECENT: Duration = Duration::from_secs(10);
/// So long after users were served as before, or after the last that can be waited for, that is settled.
const CALM: Duration = RECENT;

/// What is asked of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// When the failure comes, and for how long it is watched.
    pub span: Span,
    /// Each failure is tried with each of these seeds.
    pub seeds: Vec<u64>,
    /// Whether pairs of machines are tried too.
    pub pairs: bool,
}

/// A run: a failure, or none, with a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trial {
    /// Index of the failure; `None` is the undisturbed run.
    pub failure: Option<usize>,
    /// The seed.
    pub seed: u64,
}

/// All that is to be run for a question, in a fixed order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The question.
    pub question: Question,
    /// What there is just before the failures come.
    pub topology: Arc<Topology>,
    /// The failures.
    pub failures: Vec<Failure>,
    /// The runs.
    pub trials: Vec<Trial>,
}

/// What was seen of runs. Of an undisturbed one it is how things stood at each moment at which another one may have been settled.
pub type Seen = BTreeMap<Trial, Vec<Outcome>>;

impl Plan {
    /// Runs the layout until just before the failures come, to see what there is that can fail, and how much each machine has to do.
    pub fn of(layout: &Layout, question: Question) -> Plan {
        Plan::begun(layout, question).0
    }

    /// The same, and the run itself, of the first seed.
    pub fn begun(layout: &Layout, question: Question) -> (Plan, Start) {
        let never = AtomicBool::new(false);
        let start = Start::of((layout, question.seeds[0]), question.span, &never, &|_| {});
        let start = start.expect("nobody stops it");
        (Plan::from(start.frame(), question), start)
    }

    fn from(frame: &Frame, question: Question) -> Plan {
        let mut failures = failure::singles(frame);
        if question.pairs {
            failures.extend(failure::pairs(frame));
        }
        let numbers = || std::iter::once(None).chain((0..failures.len()).map(Some));
        let with = |failure| question.seeds.iter().map(move |seed| Trial { failure, seed: *seed });
        Plan {
            trials: numbers().flat_map(with).collect(),
            topology: Arc::clone(&frame.topology),
            question,
            failures,
        }
    }

    /// What tells a run from all others of any plan for the same layout.
    pub fn name(&self, trial: Trial) -> String {
        trial
            .failure
            .map_or_else(String::new, |failure| self.failures[failure].id())
    }

    /// The runs that shard `number` of `count` does, counted from 1: every `count`th.
    pub fn shard(&self, number: u32, count: u32) -> Vec<Trial> {
        let mine = |(index, _): &(usize, &Trial)| *index as u64 % u64::from(count) == u64::from(number - 1);
        let numbered = self.trials.iter().enumerate().filter(mine);
        numbered.map(|(_, trial)| *trial).collect()
    }

    /// What fails in a run.
    pub fn failure(&self, trial: Trial) -> Option<&Failure> {
        trial.failure.map(|failure| &self.failures[failure])
    }

    /// Does a run, from its start.
    pub fn try_one(
        &self,
        layout: &Layout,
        trial: Trial,
        stop: &AtomicBool,
        watch: &dyn Fn(Duration),
    ) -> Option<Vec<Outcome>> {
        let start = Start::of((layout, trial.seed), self.question.span, stop, watch)?;
        start.go_on(layout, self.failure(trial), stop, watch)
    }

    /// Does these runs on so many threads until all are done or `stop` is set. `watch` hears how much simulated time has passed, on any thread; `done` of
    /// each run, in whatever order they end: with what was seen, of the undisturbed one at several moments.
    pub fn run(
        &self,
        layout: &Layout,
        trials: &[Trial],
        threads: NonZeroUsize,
        stop: &AtomicBool,
        watch: &(dyn Fn(Duration) + Sync),
        done: impl FnMut(Trial, Vec<Outcome>),
    ) {
        let one = |trial: Trial| self.try_one(layout, trial, stop, watch);
        self.run_by(trials, threads, stop, one, done);
    }

    /// The same, with each run done by `one`, on any thread. It gives nothing if it was interrupted.
    pub fn run_by(
        &self,
        trials: &[Trial],
        threads: NonZeroUsize,
        stop: &AtomicBool,
        one: impl Fn(Trial) -> Option<Vec<Outcome>> + Sync,
        mut done: impl FnMut(Trial, Vec<Outcome>),
    ) {
        pool::each(
            trials,
            threads,
            stop,
            |trial| one(*trial),
            |index, outcomes| done(trials[index], outcomes),
        );
    }
}
