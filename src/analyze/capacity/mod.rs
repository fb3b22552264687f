//! How much traffic a layout carries, undisturbed and with the worst single failure, and which tier gives first.
//!
//! A probe is one run under one factor of the layout's traffic. Factors rise until one breaks something, then the bracket is narrowed. Which are tried, and what is
//! kept, depends on what earlier rounds came to and on nothing else: neither on the number of threads nor on who ends first.

mod bracket;
mod demand;
mod probe;
mod tier;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::analyze::{blast, pool};
use crate::layout::{Expectation, Layout};

use bracket::CALM;
use demand::Demands;
use probe::{MEMORY, Setting};

pub use blast::{Extent, Failure};
pub use bracket::{Bracket, LEAST};
pub use demand::{Demand, Manner, Origin, SLOWER};
pub use probe::{Broken, Probe, Reading};
pub use tier::{First, Tier, Why};

/// The largest factor that `surge` takes.
pub const MOST: f64 = 1_000.0;
/// From a failure until something is demanded again, if no expectation says how long that may take.
const GRACE: Duration = Duration::from_secs(30);
/// So many factors between two known ones are tried at once.
const SECTIONS: i32 = 2;

/// What is asked of a layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The seed of all worlds.
    pub seed: u64,
    /// Time for caches to fill; a failure comes after it. Autoscalers are waited for besides.
    pub warm_up: Duration,
    /// For how long it is watched whether all holds.
    pub watched: Duration,
    /// From a failure until something is demanded again. Without it, the longest grace of an expectation, or 30 s.
    pub grace: Option<Duration>,
    /// What must hold, in place of what the layout expects; may be empty.
    pub expect: Vec<Expectation>,
    /// How near the factor that breaks is to the one that holds, as a ratio: 0.05 for 5 %.
    pub precision: f64,
    /// Requests a second that no probe exceeds.
    pub most_rate: f64,
    /// What is lost: a machine, a zone or a data center. None to lose nothing.
    pub loss: Option<Extent>,
    /// A factor that is tried undisturbed, whatever else is.
    pub min: Option<f64>,
    /// A factor that is tried with each loss that can be survived.
    pub min_with_loss: Option<f64>,
}

/// A probe and what was seen of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// What was run.
    pub probe: Probe,
    /// What was seen.
    pub reading: Reading,
}

/// How much is carried when one thing is lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WithLoss {
    /// What the layout carries whichever of the survivable ones is lost.
    pub bracket: Bracket,
    /// Failures that break it under any traffic, by index.
    pub single_points: Vec<usize>,
    /// Of the others, those that break it first: the worst ones.
    pub worst: Vec<usize>,
    /// Failures that a run refused, as what they hit was not there: nothing is known of them.
    pub not_tried: Vec<usize>,
}

/// What is known of the capacity of a layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What must hold.
    pub demands: Vec<Demand>,
    /// Expectations that are not judged: load has no part in them.
    pub aside: Vec<Expectation>,
    /// From a failure until something is demanded again.
    pub grace: Duration,
    /// The largest factor that was allowed.
    pub most: f64,
    /// What can be lost.
    pub failures: Vec<Failure>,
    /// All probes that count, in the order of their failures and factors.
    pub probes: Vec<Probed>,
    /// What it carries undisturbed.
    pub alone: Bracket,
    /// What it carries when one thing is lost; none if that was not asked, or it carries nothing undisturbed.
    pub with_loss: Option<WithLoss>,
    /// Whether all is known that was asked. If not, it was stopped.
    pub complete: bool,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So much simulated time has passed in a probe.
    Passed(Duration),
    /// About so much simulated time is to come in all.
    Left(Duration),
}

impl Found {
    /// What was seen of a probe.
    pub fn reading(&self, factor: f64, failure: Option<usize>) -> Option<&Reading> {
        let wanted = Probe { factor, failure };
        let found = self.probes.iter().find(|probed| probed.probe == wanted)?;
        Some(&found.reading)
    }
}

/// The requests a second that users of a layout make.
pub fn own_rate(layout: &Layout) -> f64 {
    let users = layout.users.values();
    users.map(|users| users.count as f64 / users.every.as_secs_f64()).sum()
}

/// The largest factor that keeps a layout within so many requests a second, and that `surge` takes.
pub fn most(layout: &Layout, most_rate: f64) -> f64 {
    (most_rate / own_rate(layout)).min(MOST)
}

/// What of this extent a layout can lose, those that are alike once.
pub fn losses(layout: &Layout, question: &Question, extent: Extent) -> Vec<Failure> {
    let question = blast::Question {
        span: blast::Span {
            before: question.warm_up,
            after: blast::LEAST,
        },
        seeds: vec![question.seed],
        pairs: false,
    };
    let failures = blast::Plan::of(layout, question).failures;
    let counts = |failure: &Failure| failure.extent == extent && matches!(failure.what, "crashed" | "lost");
    failures.into_iter().filter(counts).collect()
}

/// Looks for the capacity of a layout. What is known when `stop` is set is told, too. `watch` hears how far it is, on any thread.
pub fn find(
    layout: &Layout,
    question: &Question,
    threads: NonZeroUsize,
    stop: &AtomicBool,
    watch: &(dyn Fn(Progress) + Sync),
) -> Found {
    let demands = Demands::of(layout, &question.expect);
    let grace = question.grace.or(demands.grace).unwrap_or(GRACE).max(MEMORY);
    let rest = demands.grace.unwrap_or_default();
    let mut search = Search {
        rest,
        layout,
        question,
        threads,
        stop,
        watch,
        found: Found {
            demands: Vec::new(),
            aside: demands.aside.clone(),
            grace,
            most: most(layout, question.most_rate).max(LEAST),
            failures: Vec::new(),
            probes: Vec::new(),
            alone: Bracket::default(),
            with_loss: None,
            complete: false,
        },
    };
    search.found.complete = search.all_asked(demands).is_some();
    let mut found = search.found;
    let key = |probed: &Probed| probed.probe.failure;
    found.probes.sort_by(|a, b| {
        let by_factor = a.probe.factor.total_cmp(&b.probe.factor);
        key(a).cmp(&key(b)).then(by_factor)
    });
    found
}

struct Search<'a> {
    layout: &'a Layout,
    question: &'a Question,
    threads: NonZeroUsize,
    stop: &'a AtomicBool,
    watch: &'a (dyn Fn(Progress) + Sync),
    /// The longest grace of an expectation.
    rest: Duration,
    found: Found,
}

impl Search<'_> {
    /// Looks for all that is asked. None if it was stopped.
    fn all_asked(&mut self, demands: Demands) -> Option<()> {
        self.undisturbed(demands)?;
        if let Some(min) = self.question.min.filter(|min| self.found.reading(*min, None).is_none()) {
            self.all(&[undisturbed(min)], false)?;
        }
        self.with_loss()?;
        let Some((min, known)) = self.question.min_with_loss.zip(self.found.with_loss.as_ref()) else {
            return Some(());
        };
        let left_out = |index: &usize| known.single_points.contains(index) || known.not_tried.contains(index);
        let survivable = (0..self.found.failures.len()).filter(|index| !left_out(index));
        let untried = survivable.filter(|index| self.found.reading(min, Some(*index)).is_none());
        let probes: Vec<Probe> = untried.map(|index| losing(min, index)).collect();
        self.all(&probes, false)
    }

    /// Looks for what it carries when nothing fails. None if it was stopped.
    fn undisturbed(&mut self, mut demands: Demands) -> Option<()> {
        self.found.demands.clone_from(&demands.all);
        loop {
            // What breaks when all is calm may hold under more: a cache that is too cold, say.
            let is_untried = self.found.most >= 1.0 && self.found.reading(1.0, None).is_none();
            let points = if self.found.alone.holds.is_none() && self.found.alone.breaks.is_some() && is_untried {
                vec![1.0]
            } else {
                self.next(self.found.alone, SECTIONS)
            };
            if points.is_empty() {
                return Some(());
            }
            self.tell_left(points.len(), None);
            let probes: Vec<Probe> = points.iter().map(|factor| undisturbed(*factor)).collect();
            let known = self.found.probes.len();
            let done = self.rising(&probes);
            for Probed { probe, reading } in &self.found.probes[known..] {
                self.found.alone.learn(probe.factor, reading.broken.is_none());
            }
            done?;
            // The first probe is the calm one: it tells how fast answers are without a queue, if there were any.
            let calm = self.found.probes[0].reading.p99;
            if self.found.probes.len() == 1 && demands.lacks_latency() && !calm.is_zero() {
                demands.bound_latency(calm);
                self.found.demands.clone_from(&demands.all);
            }
        }
    }

    /// Looks for what it carries whichever single thing is lost. None if it was stopped.
    fn with_loss(&mut self) -> Option<()> {
        let (Some(extent), Some(whole)) = (self.question.loss, self.found.alone.holds) else {
            return Some(());
        };
        self.found.failures = losses(self.layout, self.question, extent);
        self.found.with_loss = Some(WithLoss::default());
        let low = whole.min(1.0) * CALM;
        let all: Vec<usize> = (0..self.found.failures.len()).collect();
        self.tell_left(all.len(), Some(all.len()));
        let (broke, mut survived) = self.split(&all, low)?;
        // Some of those may hold under less.
        let (mut single_points, mut regained) = (broke, Vec::new());
        if low > LEAST && !single_points.is_empty() {
            let tried = std::mem::take(&mut single_points);
            self.split(&tried, LEAST)?;
            for index in tried {
                match self.found.reading(LEAST, Some(index)) {
                    // Where nobody was answered nothing holds.
                    Some(reading) if reading.broken.is_none() && reading.served > 0.0 => regained.push(index),
                    _ => single_points.push(index),
                }
            }
            self.found.with_loss = Some(WithLoss {
                single_points: single_points.clone(),
                ..self.not_tried(WithLoss::default())
            });
        }
        // What is found is right to the precision; beyond it, a failure would be blamed for chance.
        let whole = bracket::round(whole / (1.0 + self.question.precision));
        let mut worst = if survived.is_empty() {
            Vec::new()
        } else {
            let (broke, held) = self.split(&survived, whole)?;
            survived = [broke.clone(), held].concat();
            broke
        };
        let (holds, breaks) = if !regained.is_empty() {
            worst = regained;
            (Some(LEAST), Some(low))
        } else if !worst.is_empty() {
            (Some(low), Some(whole))
        } else {
            ((!survived.is_empty()).then_some(whole), None)
        };
        let mut known = self.not_tried(WithLoss {
            bracket: Bracket { holds, breaks },
            single_points,
            worst: worst.clone(),
            not_tried: Vec::new(),
        });
        self.found.with_loss = Some(known.clone());
        while !worst.is_empty() {
            // Many failures keep all cores busy with one factor; a single one is tried with two.
            let sections = if worst.len() > 1 { 1 } else { SECTIONS };
            let points = self.next(known.bracket, sections);
            if points.is_empty() {
                break;
            }
            self.tell_left(points.len() * worst.len(), Some(0));
            if let [only] = worst[..] {
                let probes: Vec<Probe> = points.iter().map(|factor| losing(*factor, only)).collect();
                let before = self.found.probes.len();
                let done = self.rising(&probes);
                for Probed { probe, reading } in &self.found.probes[before..] {
                    known.bracket.learn(probe.factor, reading.broken.is_none());
                }
                self.found.with_loss = Some(known.clone());
                done?;
            } else {
                let (broke, _) = self.split(&worst, points[0])?;
                known.bracket.learn(points[0], broke.is_empty());
                if !broke.is_empty() {
                    worst = broke;
                }
            }
            known.worst.clone_from(&worst);
            self.found.with_loss = Some(known.clone());
        }
        Some(())
    }

    /// The factors to try next.
    fn next(&self, bracket: Bracket, sections: i32) -> Vec<f64> {
        bracket.next(self.question.precision, self.found.most, sections)
    }

    /// Tries these failures under this factor: those that break something, and those that do not. None if it was stopped.
    fn split(&mut self, failures: &[usize], factor: f64) -> Option<(Vec<usize>, Vec<usize>)> {
        let probes: Vec<Probe> = failures.iter().map(|failure| losing(factor, *failure)).collect();
        self.all(&probes, false)?;
        let of = |wanted: bool| {
            let verdict = |index: &usize| {
                let reading = self.found.reading(factor, Some(*index));
                reading.is_some_and(|reading| reading.refused.is_none() && reading.broken.is_none() == wanted)
            };
            failures.iter().copied().filter(verdict).collect()
        };
        Some((of(false), of(true)))
    }

    /// Adds the failures that were refused.
    fn not_tried(&self, known: WithLoss) -> WithLoss {
        let refused = self
            .found
            .probes
            .iter()
            .filter(|probed| probed.reading.refused.is_some());
        let mut not_tried: Vec<usize> = refused.filter_map(|probed| probed.probe.failure).collect();
        not_tried.sort_unstable();
        not_tried.dedup();
        WithLoss { not_tried, ..known }
    }

    /// Does probes of rising factors, up to the first that breaks.
    fn rising(&mut self, probes: &[Probe]) -> Option<()> {
        self.all(probes, true)
    }

    /// Does these probes. If they rise, what is behind the first that breaks is not wanted, and is not kept even if it was done. None if it was stopped: then
    /// those that were done are kept.
    fn all(&mut self, probes: &[Probe], rise: bool) -> Option<()> {
        let setting = Setting {
            layout: self.layout,
            seed: self.question.seed,
            demands: &self.found.demands,
            warm_up: self.question.warm_up,
            watched: self.question.watched,
            grace: self.found.grace,
            rest: self.rest,
        };
        let broken = AtomicUsize::new(usize::MAX);
        let failures = &self.found.failures;
        let work = |index: &usize| {
            let probe = probes[*index];
            let is_late = || rise && *index > broken.load(Ordering::Relaxed);
            let give_up = || is_late() || self.stop.load(Ordering::Relaxed);
            let failure = probe.failure.map(|failure| &failures[failure]);
            let watch = |passed| (self.watch)(Progress::Passed(passed));
            let reading = probe::run(&setting, probe.factor, failure, &give_up, &watch);
            if reading.as_ref().is_some_and(|reading| reading.broken.is_some()) {
                broken.fetch_min(*index, Ordering::Relaxed);
            }
            match reading {
                None if !is_late() => None,
                reading => Some(reading),
            }
        };
        let indexes: Vec<usize> = (0..probes.len()).collect();
        let mut readings: Vec<Option<Reading>> = vec![None; probes.len()];
        pool::each(&indexes, self.threads, self.stop, work, |index, reading| {
            readings[index] = reading;
        });
        let mut all = Some(());
        for (probe, reading) in probes.iter().zip(readings) {
            let Some(reading) = reading else {
                all = None;
                continue;
            };
            let ends = rise && reading.broken.is_some();
            self.found.probes.push(Probed { probe: *probe, reading });
            if ends {
                break;
            }
        }
        all
    }

    /// Says how much simulated time is about to come: this round of so many probes, and what follows.
    fn tell_left(&self, probes: usize, failures: Option<usize>) {
        let found = &self.found;
        let setting = Setting {
            layout: self.layout,
            seed: self.question.seed,
            demands: &[],
            warm_up: self.question.warm_up,
            watched: self.question.watched,
            grace: found.grace,
            rest: self.rest,
        };
        let rounds = |bracket: &Bracket| bracket.rounds(self.question.precision, SECTIONS) * SECTIONS.unsigned_abs();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let later = match failures {
            // All of them under two factors, and one or two in the rounds after that.
            None if self.question.loss.is_some() => 20,
            None => 0,
            Some(all) => count(all) + found.with_loss.as_ref().map_or(8, |known| rounds(&known.bracket)),
        };
        let alone = if failures.is_none() { rounds(&found.alone) } else { 0 };
        let short = setting.length(failures.is_some()).saturating_mul(count(probes) + alone);
        let long = setting.length(true).saturating_mul(later);
        (self.watch)(Progress::Left(short + long));
    }
}

fn undisturbed(factor: f64) -> Probe {
    Probe { factor, failure: None }
}

fn losing(factor: f64, failure: usize) -> Probe {
    Probe {
        factor,
        failure: Some(failure),
    }
}
