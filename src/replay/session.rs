//! One run: a world, a schedule of commands, and the judge that watches.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::{Checkpoint, Digest};
use super::judge::{Judge, Verdict};
use super::recording::Words;
use super::{CHECKPOINT, GRID, is_multiple, next_multiple};
use crate::command::{Applied, Command, CommandError, Script};
use crate::layout::{Expectation, Layout};
use crate::observe::Frame;
use crate::world::World;

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

/// A scheduled command whose time did not come: the run ended before.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreached {
    /// Where the command stands in the script, if it comes from one: line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// When it was to be done, from the start of the run.
    pub at: Duration,
    /// What was asked.
    pub command: Command,
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
    /// Scheduled commands whose time did not come.
    pub unreached: Vec<Unreached>,
    /// Digests on the way.
    pub checkpoints: Vec<Checkpoint>,
    /// The digest of the whole history.
    pub digest: Digest,
}

impl Ending {
    /// Whether the run was what was asked for and kept what was expected: every expectation held, and every scheduled command
    /// was done.
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(Verdict::held) && self.refusals.is_empty() && self.unreached.is_empty()
    }
}

/// A command that waits for its time.
struct Planned {
    act: Act,
    place: Option<(usize, usize)>,
}

/// A world with its schedule. The same layout, seed and commands give the same history, however it is sliced.
pub struct Session {
    world: World,
    schedule: Vec<Planned>,
    next: usize,
    judge: Judge,
    acts: Vec<Act>,
    refusals: Vec<Refusal>,
    checkpoints: Vec<Checkpoint>,
}

impl Session {
    /// Starts a run. What the schedule holds for the very start is done at once.
    pub fn new(layout: &Layout, seed: u64, script: &Script) -> Session {
        let planned = script.steps.iter().map(|step| Planned {
            act: Act {
                at: step.at,
                command: step.act.clone(),
            },
            place: (step.line > 0).then_some((step.line, step.column)),
        });
        let mut expected = layout.expect.clone();
        // A script that was checked against the layout has no others.
        expected.extend(script.expectations(layout).unwrap_or_default());
        Session::planned(layout, seed, planned.collect(), &expected)
    }

    /// Starts a run of these commands.
    pub fn scheduled(layout: &Layout, seed: u64, acts: &[Act]) -> Session {
        let planned = acts.iter().map(|act| Planned {
            act: act.clone(),
            place: None,
        });
        Session::planned(layout, seed, planned.collect(), &layout.expect)
    }

    fn planned(layout: &Layout, seed: u64, mut schedule: Vec<Planned>, expected: &[Expectation]) -> Session {
        schedule.sort_by_key(|planned| planned.act.at);
        let mut session = Session {
            world: World::build(layout, seed),
            schedule,
            next: 0,
            judge: Judge::new(expected),
            acts: Vec::new(),
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
        let dropped = self.schedule.len() - self.next;
        self.schedule.truncate(self.next);
        Ok((applied, dropped))
    }

    /// Schedules these commands instead of those that are still to come. None of them is earlier than now; those of now are done when time
    /// goes on, or by [`Session::do_what_is_due`].
    pub fn plan(&mut self, acts: &[Act]) {
        self.schedule.truncate(self.next);
        let planned = acts.iter().map(|act| Planned {
            act: act.clone(),
            place: None,
        });
        self.schedule.extend(planned);
    }

    /// Commands that are still to come.
    pub fn to_come(&self) -> usize {
        self.schedule.len() - self.next
    }

    /// All that can be seen now.
    pub fn frame(&mut self) -> Frame {
        self.world.frame()
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

    /// Scheduled commands that were refused so far.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Ends the run.
    pub fn end(mut self) -> Ending {
        let duration = self.now();
        let world = &mut self.world;
        let unreached = self.schedule.drain(self.next..).map(|planned| Unreached {
            place: planned.place,
            at: planned.act.at,
            command: planned.act.command,
        });
        let unreached = unreached.collect();
        let verdicts = self.judge.verdicts(duration, &mut |measure| world.measure(measure));
        Ending {
            digest: self.digest(),
            frame: self.world.frame(),
            duration,
            verdicts,
            acts: self.acts,
            marks: Vec::new(),
            notes: Vec::new(),
            refusals: self.refusals,
            unreached,
            checkpoints: self.checkpoints,
        }
    }

    /// When something is to be done next: an evaluation, a digest or a command.
    fn next_stop(&self) -> Duration {
        let step = if self.judge.is_idle() { CHECKPOINT } else { GRID };
        let on_grid = next_multiple(self.now(), step);
        self.schedule
            .get(self.next)
            .map_or(on_grid, |planned| on_grid.min(planned.act.at))
    }

    /// Judges and takes the digest if the moment asks for it, before the commands of the moment.
    fn look(&mut self) {
        let at = self.now();
        if is_multiple(at, GRID) {
            let world = &mut self.world;
            self.judge.look(at, &mut |measure| world.measure(measure));
        }
        if is_multiple(at, CHECKPOINT) {
            let digest = self.digest();
            self.checkpoints.push(Checkpoint { at, digest });
        }
    }

    /// Does what is scheduled up to now and was not done yet.
    pub fn do_what_is_due(&mut self) {
        let now = self.now();
        while let Some(planned) = self.schedule.get(self.next).filter(|planned| planned.act.at <= now) {
            let (command, place) = (planned.act.command.clone(), planned.place);
            self.next += 1;
            if let Err(why) = self.apply(&command) {
                self.refusals.push(Refusal {
                    place,
                    at: now,
                    command,
                    why,
                });
            }
        }
    }
}
