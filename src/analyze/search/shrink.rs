//! From what was found to what matters: delta debugging (Zeller and Hildebrandt 2002, "Simplifying and isolating failure-inducing input"). Chunks of commands are
//! left out, then single ones; what is left is done earlier and becomes simpler. That is repeated until nothing changes any more.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::menu::{EARLIEST, Menu};
use super::trial::{self, Trial};
use super::{Break, Finding, Search, Shrunk};
use crate::command::{Command, LinkSelector, Selector};
use crate::layout::{Layout, Quantifier};
use crate::replay::Act;

/// What always had to hold is not watched for longer than this after the try first broke it: what breaks it so much later is no simpler.
const LATER: Duration = Duration::from_secs(10);
/// Times to which a command is moved, in seconds, and how long after the one before it.
const ROUND: [u64; 7] = [0, 1, 2, 5, 10, 20, 30];
/// Of the parts of a target, so many are tried in its place.
const PARTS: usize = 4;

/// What is left so far.
struct Shrinker<'a> {
    menu: &'a Menu,
    /// The layout with one expectation: that which is broken.
    layout: Layout,
    /// For how long a run is watched.
    until: Duration,
    seed: u64,
    acts: Vec<Act>,
    broken: Break,
    /// What is known to break nothing.
    vain: BTreeSet<String>,
    runs: usize,
    threads: NonZeroUsize,
    stop: &'a AtomicBool,
}

/// Shrinks a finding until nothing can be taken away. Nothing if it was stopped.
pub(super) fn shrink(search: &Search, finding: &Finding, threads: NonZeroUsize, stop: &AtomicBool) -> Option<Shrunk> {
    let mut layout = search.layout.clone();
    layout.expect = vec![search.question.expect[finding.broken.index].clone()];
    let mut shrinker = Shrinker {
        menu: &search.menu,
        layout,
        until: match finding.broken.verdict.quantifier {
            Quantifier::Always => search.question.length.min(finding.broken.at + LATER),
            _ => search.question.length,
        },
        seed: finding.seed,
        acts: finding.acts.clone(),
        broken: finding.broken.clone(),
        vain: BTreeSet::new(),
        runs: 0,
        threads,
        stop,
    };
    loop {
        let mut changed = shrinker.leave_out()?;
        changed |= shrinker.simplify()?;
        changed |= shrinker.move_all()?;
        changed |= shrinker.move_each()?;
        if !changed {
            break;
        }
    }
    Some(Shrunk {
        acts: shrinker.acts,
        broken: Break {
            index: finding.broken.index,
            ..shrinker.broken
        },
        runs: shrinker.runs,
    })
}

impl Shrinker<'_> {
    /// Takes the first of these that breaks the same, and says whether there was one. Nothing if it was stopped.
    fn adopt(&mut self, candidates: Vec<Vec<Act>>) -> Option<bool> {
        let is_new = |acts: &Vec<Act>| !acts.is_empty() && !self.vain.contains(&key(acts));
        let trials: Vec<Trial> = candidates
            .into_iter()
            .filter(is_new)
            .map(|acts| Trial { seed: self.seed, acts })
            .collect();
        let first = trial::first(&self.layout, &trials, self.until, (self.threads, self.stop), &|_| {});
        // Only what would have been run on one thread too counts, so that threads change nothing.
        let vain = first.broken.as_ref().map_or(trials.len(), |(index, ..)| *index);
        if first.unknown() < vain {
            return None;
        }
        self.vain.extend(trials[..vain].iter().map(|trial| key(&trial.acts)));
        self.runs += vain + usize::from(first.broken.is_some());
        let Some((_, broken, acts)) = first.broken else {
            return Some(false);
        };
        (self.broken, self.acts) = (broken, acts);
        Some(true)
    }

    /// Leaves out halves, then smaller chunks, then single commands.
    fn leave_out(&mut self) -> Option<bool> {
        let mut changed = false;
        let mut size = self.acts.len().div_ceil(2);
        loop {
            let without = |start: usize| {
                let end = (start + size).min(self.acts.len());
                [&self.acts[..start], &self.acts[end..]].concat()
            };
            let candidates = (0..self.acts.len()).step_by(size).map(without).collect();
            if self.adopt(candidates)? {
                changed = true;
                size = size.min(self.acts.len().div_ceil(2));
            } else if size == 1 {
                return Some(changed);
            } else {
                size = size.div_ceil(2);
            }
        }
    }

    /// Puts simpler commands in the place of others.
    fn simplify(&mut self) -> Option<bool> {
        let mut changed = false;
        let mut index = 0;
        while index < self.acts.len() {
            let with = |command: Command| {
                let mut acts = self.acts.clone();
                acts[index].command = command;
                acts
            };
            let candidates = simpler(&self.acts[index].command, self.menu)
                .into_iter()
                .map(with)
                .collect();
            if self.adopt(candidates)? {
                changed = true;
            } else {
                index += 1;
            }
        }
        Some(changed)
    }

    /// Moves all commands so that the first comes earlier and nothing changes between them.
    fn move_all(&mut self) -> Option<bool> {
        let first = self.acts[0].at;
        let candidates = times(EARLIEST, first).into_iter().map(|at| {
            let by = first.saturating_sub(at);
            let moved = |act: &Act| Act {
                at: act.at.saturating_sub(by),
                ..act.clone()
            };
            self.acts.iter().map(moved).collect()
        });
        let candidates = candidates.collect();
        self.adopt(candidates)
    }

    /// Moves each command to an earlier time, at most to that of the one before it.
    fn move_each(&mut self) -> Option<bool> {
        let mut changed = false;
        let mut index = 0;
        while index < self.acts.len() {
            let earliest = index.checked_sub(1).map_or(EARLIEST, |before| self.acts[before].at);
            let to = |at: Duration| {
                let mut acts = self.acts.clone();
                acts[index].at = at;
                acts
            };
            let candidates = times(earliest, self.acts[index].at).into_iter().map(to).collect();
            changed |= self.adopt(candidates)?;
            index += 1;
        }
        Some(changed)
    }
}

/// What tells schedules apart.
fn key(acts: &[Act]) -> String {
    let words = |act: &Act| format!("{} {}\n", act.at.as_nanos(), act.command);
    acts.iter().map(words).collect()
}

/// Times from one moment on and before another one: whole seconds first, the earlier the better.
fn times(from: Duration, before: Duration) -> Vec<Duration> {
    let round = Duration::from_secs(from.as_secs() + u64::from(from.subsec_nanos() > 0));
    let floor = Duration::from_secs(before.as_secs());
    let marks = ROUND.map(Duration::from_secs);
    let after = marks.iter().map(|mark| round + *mark);
    let near = [floor, floor.saturating_sub(Duration::from_secs(1))];
    let whole: BTreeSet<Duration> = marks.iter().copied().chain(after).chain(near).collect();
    let within = |at: &Duration| *at >= from && *at < before;
    let mut times: Vec<Duration> = whole.into_iter().filter(within).collect();
    if from < before && from.subsec_nanos() > 0 {
        times.push(from);
    }
    times
}

/// Commands that do less, or say it in fewer words, the simplest first. None of them leads back to this one.
fn simpler(command: &Command, menu: &Menu) -> Vec<Command> {
    let mut simpler = Vec::new();
    match command {
        Command::Destroy(target) | Command::Hang(target) | Command::Isolate(target) => {
            simpler.push(Command::Kill(target.clone()));
        }
        Command::Slow(target, _) => simpler.push(Command::Hang(target.clone())),
        Command::Delay(link, _) | Command::Drop(link, _) => simpler.push(Command::Cut(link.clone())),
        _ => {}
    }
    let target = |make: &dyn Fn(Selector) -> Command, target: &Selector| -> Vec<Command> {
        let parts = menu.parts(target).iter().take(PARTS);
        parts.map(|part| make(Selector(part.clone()))).collect()
    };
    match command {
        Command::Kill(whole) => simpler.extend(target(&Command::Kill, whole)),
        Command::Hang(whole) => simpler.extend(target(&Command::Hang, whole)),
        Command::Destroy(whole) => simpler.extend(target(&Command::Destroy, whole)),
        Command::Isolate(whole) => simpler.extend(target(&Command::Isolate, whole)),
        Command::Mend(whole) => simpler.extend(target(&Command::Mend, whole)),
        Command::Slow(whole, factor) => simpler.extend(target(&|part| Command::Slow(part, *factor), whole)),
        Command::Disk(whole, trouble) => simpler.extend(target(&|part| Command::Disk(part, *trouble), whole)),
        Command::Cut(link) => simpler.extend(one_way(link).into_iter().map(Command::Cut)),
        Command::Join(link) => simpler.extend(one_way(link).into_iter().map(Command::Join)),
        Command::Delay(link, by) => simpler.extend(one_way(link).into_iter().map(|link| Command::Delay(link, *by))),
        Command::Drop(link, share) => simpler.extend(one_way(link).into_iter().map(|link| Command::Drop(link, *share))),
        _ => {}
    }
    simpler
}

/// Each of the ways of a link that is meant both ways.
fn one_way(link: &LinkSelector) -> Vec<LinkSelector> {
    let way = |from: &Selector, to: &Selector| LinkSelector {
        from: from.clone(),
        to: to.clone(),
        both: false,
    };
    if link.both {
        vec![way(&link.from, &link.to), way(&link.to, &link.from)]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_earlier_and_the_round_ones_come_first() {
        let ms = Duration::from_millis;
        let all = times(ms(1_300), ms(7_700));
        assert_eq!(
            all,
            [
                ms(2_000),
                ms(3_000),
                ms(4_000),
                ms(5_000),
                ms(6_000),
                ms(7_000),
                ms(1_300)
            ]
        );
        assert!(times(ms(5_000), ms(5_000)).is_empty());
        assert_eq!(times(ms(1_000), ms(1_100)), [ms(1_000)]);
    }

    #[test]
    fn what_is_simpler_has_an_end() {
        let world = crate::layout::parse(
            "Layout(title: \"t\", users: {\"people\": (count: 10)}, services: {\"web\": Web(machines: 3)})",
            "t",
        );
        let mut session = crate::replay::Session::scheduled(&world.expect("a layout"), 1, &[]);
        let menu = Menu::of(&session.frame());
        for text in [
            "destroy web",
            "slow web 5",
            "delay web <-> people 1s",
            "drop web -> web/1 50%",
            "isolate web",
        ] {
            let mut left = vec![Command::parse(text).expect("a command")];
            let mut count = 0;
            while let Some(command) = left.pop() {
                left.extend(simpler(&command, &menu));
                count += 1;
                assert!(count < 200, "{text}");
            }
            assert!(count > 1, "{text}");
        }
    }
}
