//! One run of a schedule, up to the first moment at which it is known to break something, and the first of many.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::Break;
use crate::analyze::pool;
use crate::layout::{Layout, Quantifier};
use crate::replay::{Act, Outcome, Session};

/// How far a run goes between two looks at whether it is still wanted.
const SLICE: Duration = Duration::from_millis(500);

/// What came of a run.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The first expectation that was broken, if one was.
    pub(super) broken: Option<Break>,
    /// The commands that took effect until then. What was refused changed nothing.
    pub(super) acts: Vec<Act>,
    /// Expectations that were never judged.
    pub(super) unjudged: Vec<usize>,
}

/// A run: its seed and its commands.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) seed: u64,
    pub(super) acts: Vec<Act>,
}

/// Of several runs, the first one that broke something.
pub(super) struct First {
    /// Its index, and what was seen.
    pub(super) broken: Option<(usize, Break, Vec<Act>)>,
    /// By index: whether the run came to its end.
    pub(super) ended: Vec<bool>,
    /// An expectation that a run never judged, by the lowest index.
    pub(super) unjudged: Option<usize>,
}

impl First {
    /// The first index of which nothing is known.
    pub(super) fn unknown(&self) -> usize {
        self.ended.iter().take_while(|ended| **ended).count()
    }
}

/// What became of a run among others.
enum Became {
    Ended(Seen),
    /// An earlier one had broken something before it came to its end.
    NotWanted,
}

/// Runs until then, or until an expectation has failed for good. Nothing if it was given up on the way. `watch` is told how much simulated time has passed, and in the
/// end how much is left out.
pub(super) fn run(
    layout: &Layout,
    trial: &Trial,
    until: Duration,
    give_up: &dyn Fn() -> bool,
    watch: &dyn Fn(Duration),
) -> Option<Seen> {
    let mut session = Session::scheduled(layout, trial.seed, &trial.acts);
    while session.now() < until && !session.has_failed() {
        if give_up() {
            return None;
        }
        let now = session.now();
        let slice = SLICE.min(until.saturating_sub(now));
        session.advance_to(now + slice);
        watch(slice);
    }
    watch(until.saturating_sub(session.now()));
    let is_cut_short = session.now() < until;
    let ending = session.end();
    // What has to hold once or at the end is judged by a whole run only.
    let counts = |quantifier| !is_cut_short || matches!(quantifier, Quantifier::Always | Quantifier::At(_));
    let broken = ending
        .verdicts
        .iter()
        .enumerate()
        .filter_map(|(index, verdict)| match verdict.outcome {
            Outcome::Failed { at, .. } if counts(verdict.quantifier) => Some(Break {
                index,
                at,
                verdict: verdict.clone(),
            }),
            _ => None,
        });
    let broken = broken.min_by_key(|broken| (broken.at, broken.index));
    let is_unjudged = |index: &usize| ending.verdicts[*index].outcome == Outcome::Unjudged;
    let last = broken.as_ref().map_or(until, |broken| broken.at);
    Some(Seen {
        unjudged: (0..ending.verdicts.len()).filter(is_unjudged).collect(),
        acts: ending.acts.into_iter().filter(|act| act.at <= last).collect(),
        broken,
    })
}

/// Runs all of them on so many threads until the first one, in their order, is known that breaks something, or `stop` is set. The number of threads changes nothing.
pub(super) fn first(
    layout: &Layout,
    trials: &[Trial],
    until: Duration,
    (threads, stop): (NonZeroUsize, &AtomicBool),
    watch: &(dyn Fn(Duration) + Sync),
) -> First {
    let lowest = AtomicUsize::new(usize::MAX);
    let work = |index: &usize| {
        let is_late = || *index > lowest.load(Ordering::Relaxed);
        let give_up = || is_late() || stop.load(Ordering::Relaxed);
        match run(layout, &trials[*index], until, &give_up, watch) {
            Some(seen) => {
                if seen.broken.is_some() {
                    lowest.fetch_min(*index, Ordering::Relaxed);
                }
                Some(Became::Ended(seen))
            }
            None => is_late().then_some(Became::NotWanted),
        }
    };
    let mut first = First {
        broken: None,
        ended: vec![false; trials.len()],
        unjudged: None,
    };
    let indexes: Vec<usize> = (0..trials.len()).collect();
    pool::each(&indexes, threads, stop, work, |index, became| {
        let Became::Ended(seen) = became else { return };
        first.ended[index] = true;
        let lowest = seen.unjudged.first().copied();
        first.unjudged = first.unjudged.into_iter().chain(lowest).min();
        let is_first = first.broken.as_ref().is_none_or(|(lowest, ..)| index < *lowest);
        if let Some(broken) = seen.broken.filter(|_| is_first) {
            first.broken = Some((index, broken, seen.acts));
        }
    });
    first
}
