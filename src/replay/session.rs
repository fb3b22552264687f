//! One run: a world, a schedule of commands, and the judge that watches.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::{Checkpoint, Digest};
use super::judge::{Judge, Verdict};
use super::recording::{Recording, Words};
use super::schedule::Schedule;
use super::{CHECKPOINT, GRID, is_multiple, next_multiple};
use crate::command::{Applied, Command, CommandError, Script, What};
use crate::layout::{Expectation, Layout};
use crate::observe::{Following, Frame};
use crate::world::{Follow, World};

/// A command and when it took effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// When, from the start of the run.
    #[serde(with = "crate::layout::duration")]
    pub at: Duration,
    /// What.
    #[serde(rename = "do")]
    pub command: Command,
}

/// A scheduled command that the world refused when its time came. Nothing changed then, and the run went on.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Where the command stands in the script, if it comes from one: line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// When, from the start of the run.
    pub at: Duration,
    /// What was asked.
    pub command: Command,
    /// Why it was refused.
    pub why: CommandError,
}

/// A scheduled step that was not done: the run ended before its time, or before its condition had held.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreached {
    /// Where it stands in the script, if it comes from one: line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// When it was to be done, from the start of the run; none if its condition has not held.
    pub at: Option<Duration>,
    /// Its condition, as it stands in the script, if it has one.
    pub after: Option<String>,
    /// What was asked.
    pub what: What,
}

/// All that is known of a run when it has ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The world at the end.
    pub frame: Frame,
    /// How long the run was.
    pub duration: Duration,
    /// What became of the layout's expectations and then of the script's, in their order.
    pub verdicts: Vec<Verdict>,
    /// The commands that took effect, in order.
    pub acts: Vec<Act>,
    /// Where chapters began.
    pub marks: Vec<Words>,
    /// What was said on the way.
    pub notes: Vec<Words>,
    /// The scheduled commands that were refused.
    pub refusals: Vec<Refusal>,
    /// Scheduled steps that were not done.
    pub unreached: Vec<Unreached>,
    /// Digests on the way.
    pub checkpoints: Vec<Checkpoint>,
    /// The digest of the whole history.
    pub digest: Digest,
}

impl Ending {
    /// Whether the run was what was asked for and kept what was expected: every expectation held, and every scheduled step
    /// was done.
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(Verdict::held) && self.refusals.is_empty() && self.unreached.is_empty()
    }
}

/// A world with its schedule. The same layout, seed and commands give the same history, however it is sliced.
pub struct Session {
    world: World,
    schedule: Schedule,
    judge: Judge,
    acts: Vec<Act>,
    marks: Vec<Words>,
    notes: Vec<Words>,
    refusals: Vec<Refusal>,
    checkpoints: Vec<Checkpoint>,
}

impl Session {
    /// Starts a run. What the script holds for the very start is done at once. A condition of it that cannot be read in this layout, which
    /// [`Script::check`] refuses, never holds.
    pub fn new(layout: &Layout, seed: u64, script: &Script) -> Session {
        let mut expected = layout.expect.clone();
        // A script that was checked against the layout has no others.
        expected.extend(script.expectations(layout).unwrap_or_default());
        Session::planned(layout, seed, Schedule::of(script, layout), &expected)
    }

    /// Starts a run of these commands.
    pub fn scheduled(layout: &Layout, seed: u64, acts: &[Act]) -> Session {
        Session::planned(layout, seed, Schedule::of_acts(acts), &layout.expect)
    }

    /// Starts the run of a recording again, with its marks and notes.
    pub fn again(layout: &Layout, recording: &Recording) -> Session {
        let schedule = Schedule::of_acts(&recording.commands).with_words(&recording.marks, &recording.notes);
        Session::planned(layout, recording.head.seed, schedule, &layout.expect)
    }

    fn planned(layout: &Layout, seed: u64, schedule: Schedule, expected: &[Expectation]) -> Session {
        let mut session = Session {
            world: World::build(layout, seed),
            schedule,
            judge: Judge::new(expected),
            acts: Vec::new(),
            marks: Vec::new(),
            notes: Vec::new(),
            refusals: Vec::new(),
            checkpoints: Vec::new(),
        };
        session.do_what_is_due();
        session
    }

    /// Time since the start.
    pub fn now(&self) -> Duration {
        self.world.now().elapsed()
    }

    /// Lets time pass until `until` and does what is scheduled up to and at that moment.
    pub fn advance_to(&mut self, until: Duration) {
        if self.now() < until {
            self.do_what_is_due();
        }
        while self.now() < until {
            let stop = self.next_stop().min(until);
            self.world.advance(stop.saturating_sub(self.now()));
            self.look();
            self.do_what_is_due();
        }
    }

    /// Does something now that no schedule foresaw.
    ///
    /// # Errors
    /// When the world refuses it. Nothing has changed then.
    pub fn apply(&mut self, command: &Command) -> Result<Applied, CommandError> {
        let applied = self.world.apply(command)?;
        let at = self.now();
        self.judge.commanded(at);
        self.acts.push(Act {
            at,
            command: command.clone(),
        });
        Ok(applied)
    }

    /// Does something now that no schedule foresaw. It changes what comes, so whatever was still scheduled will not be done; says how much
    /// that was.
    ///
    /// # Errors
    /// When the world refuses it. Nothing has changed then, in the schedule either.
    pub fn interrupt(&mut self, command: &Command) -> Result<(Applied, usize), CommandError> {
        let applied = self.apply(command)?;
        let dropped = self.schedule.len();
        self.schedule = Schedule::of_acts(&[]);
        Ok((applied, dropped))
    }

    /// Schedules these commands instead of those that are still to come. None of them is earlier than now; those of now are done when time
    /// goes on, or by [`Session::do_what_is_due`].
    pub fn plan(&mut self, acts: &[Act]) {
        self.schedule = Schedule::of_acts(acts);
    }

    /// Steps that are still to come.
    pub fn to_come(&self) -> usize {
        self.schedule.len()
    }

    /// All that can be seen now.
    pub fn frame(&mut self) -> Frame {
        self.world.frame()
    }

    /// Follows a request, or none any more. See [`World::follow`]: nothing that happens is changed by it, and it is no part of a recording.
    ///
    /// # Errors
    /// When nothing is called like that.
    pub fn follow(&mut self, follow: Option<&Follow>) -> Result<(), CommandError> {
        self.world.follow(follow)
    }

    /// How far the following is, if a request is followed.
    pub fn following(&self) -> Option<Following> {
        self.world.following()
    }

    /// Deliveries that the machines have worked off so far.
    pub fn delivered(&self) -> u64 {
        self.world.delivered()
    }

    /// The digest of all that has happened.
    pub fn digest(&self) -> Digest {
        Digest(self.world.digest())
    }

    /// The commands that took effect so far.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Digests so far, one for each [`CHECKPOINT`].
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }

    /// Whether an expectation has failed that nothing to come can make good.
    pub fn has_failed(&self) -> bool {
        self.judge.has_failed()
    }

    /// Scheduled commands that were refused so far.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Ends the run.
    pub fn end(mut self) -> Ending {
        let duration = self.now();
        let world = &mut self.world;
        let verdicts = self.judge.verdicts(duration, &mut |measure| world.measure(measure));
        Ending {
            digest: self.digest(),
            frame: self.world.frame(),
            duration,
            verdicts,
            acts: self.acts,
            marks: self.marks,
            notes: self.notes,
            refusals: self.refusals,
            unreached: self.schedule.into_unreached(),
            checkpoints: self.checkpoints,
        }
    }

    /// When something is to be done next: an evaluation, a digest or a command.
    fn next_stop(&self) -> Duration {
        let looks = !self.judge.is_idle() || self.schedule.is_watching();
        let on_grid = next_multiple(self.now(), if looks { GRID } else { CHECKPOINT });
        self.schedule.next().map_or(on_grid, |at| on_grid.min(at))
    }

    /// Judges, looks at conditions and takes the digest if the moment asks for it, before the steps of the moment.
    fn look(&mut self) {
        let at = self.now();
        if is_multiple(at, GRID) {
            let world = &mut self.world;
            self.judge.look(at, &mut |measure| world.measure(measure));
            self.schedule.look(at, &mut |measure| world.measure(measure));
        }
        if is_multiple(at, CHECKPOINT) {
            let digest = self.digest();
            self.checkpoints.push(Checkpoint { at, digest });
        }
    }

    /// Does what is scheduled up to now and was not done yet.
    pub fn do_what_is_due(&mut self) {
        let now = self.now();
        while let Some(planned) = self.schedule.take(now) {
            let command = match planned.what {
                What::Mark(text) => {
                    self.marks.push(Words { at: now, text });
                    continue;
                }
                What::Note(text) => {
                    self.notes.push(Words { at: now, text });
                    continue;
                }
                What::Do(command) => command,
            };
            if let Err(why) = self.apply(&command) {
                self.refusals.push(Refusal {
                    place: planned.place,
                    at: now,
                    command,
                    why,
                });
            }
        }
    }
}
