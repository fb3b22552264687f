//! The simulation behind the screen, with all of its past.
//!
//! Each world lives on a thread of its own (`driver`), which takes errands through a bounded channel and leaves the newest view where the screen
//! finds it. One world is shown. A second one, the follower, waits just before the last act, so that going back is a matter of showing that one; a
//! third waits where the person came from, and a few more at moments spread over the run (`waiting`). Any other moment is simulated again from the
//! nearest of them before it, or from the start. Once a person has acted, a twin without their acts runs beside (`ghost`).

mod album;
mod deck;
mod director;
mod driver;
mod errand;
mod follow;
mod ghost;
mod hearing;
mod keep;
mod seek;
mod travel;
mod waiting;
mod ways;
mod words;

use std::sync::Arc;
use std::time::Duration;

use crate::command::{Applied, Command, CommandError};
use crate::observe::{Following, Frame};
use crate::replay::{Act, Checkpoint, Digest, Session};
use crate::sim::SimTime;
use crate::world::Follow;

use super::speed::Speed;

pub use director::{Engine, Start};
pub use keep::Keep;

/// What a driver drives. A session, or a stand-in for tests.
pub trait Simulation {
    /// Does something now that was not foreseen. See [`Session::interrupt`].
    ///
    /// # Errors
    /// When the command is refused.
    fn apply(&mut self, command: &Command) -> Result<Applied, CommandError>;
    /// Lets time pass. See [`Session::advance_to`].
    fn advance(&mut self, by: Duration);
    /// The moment.
    fn now(&self) -> SimTime;
    /// See [`Session::frame`].
    fn frame(&mut self) -> Frame;
    /// See [`Session::acts`]. Without them there is no way back.
    fn acts(&self) -> &[Act] {
        &[]
    }
    /// See [`Session::checkpoints`].
    fn checkpoints(&self) -> &[Checkpoint] {
        &[]
    }
    /// See [`Session::digest`].
    fn digest(&self) -> Digest {
        Digest(0)
    }
    /// See [`Session::plan`].
    fn plan(&mut self, _acts: &[Act]) {}
    /// See [`Session::do_what_is_due`].
    fn do_what_is_due(&mut self) {}
    /// See [`Session::to_come`].
    fn to_come(&self) -> usize {
        0
    }
    /// See [`Session::follow`].
    ///
    /// # Errors
    /// When nothing is called like that.
    fn follow(&mut self, _follow: Option<&Follow>) -> Result<(), CommandError> {
        Ok(())
    }
    /// See [`Session::following`].
    fn following(&self) -> Option<Following> {
        None
    }
}

impl Simulation for Session {
    fn apply(&mut self, command: &Command) -> Result<Applied, CommandError> {
        self.interrupt(command).map(|(applied, _)| applied)
    }

    fn advance(&mut self, by: Duration) {
        let until = Session::now(self).saturating_add(by);
        self.advance_to(until);
    }

    fn now(&self) -> SimTime {
        SimTime::ZERO + Session::now(self)
    }

    fn frame(&mut self) -> Frame {
        Session::frame(self)
    }

    fn acts(&self) -> &[Act] {
        Session::acts(self)
    }

    fn checkpoints(&self) -> &[Checkpoint] {
        Session::checkpoints(self)
    }

    fn digest(&self) -> Digest {
        Session::digest(self)
    }

    fn plan(&mut self, acts: &[Act]) {
        Session::plan(self, acts);
    }

    fn do_what_is_due(&mut self) {
        Session::do_what_is_due(self);
    }

    fn to_come(&self) -> usize {
        Session::to_come(self)
    }

    fn follow(&mut self, follow: Option<&Follow>) -> Result<(), CommandError> {
        Session::follow(self, follow)
    }

    fn following(&self) -> Option<Following> {
        Session::following(self)
    }
}

/// Makes a simulation, on the thread that it will live on.
type Make = Arc<dyn Fn() -> Box<dyn Simulation> + Send + Sync>;

/// What the screen asks of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Change the world.
    Do(Command),
    /// Let time pass, or stop it.
    Run(bool),
    /// Pass time at this speed.
    Pace(Speed),
    /// Stop time at exactly this moment, once it is reached; or do not. Whoever goes elsewhere in time before that takes it back.
    StopAt(Option<Duration>),
    /// Follow the first request that fits, slowly, until its user has the answer; or follow none any more.
    Follow(Option<Follow>),
    /// Run at full speed to the next milestone of the newest incident, or to the next command or chapter that is known.
    Seek,
    /// Go back to just before the last command.
    Rewind,
    /// Go back to where the person came from.
    Return,
    /// Go to a moment of this branch.
    GoTo(Duration),
    /// Go to the last moment before this one at which something happened.
    Back,
    /// Go to the end of another branch.
    Switch(usize),
    /// Forget what followed here, and begin another branch.
    Fork,
    /// Begin a chapter here.
    Mark(String),
    /// Say something here.
    Note(String),
    /// Write the branch, up to here, to a file of this name.
    Write(String),
    /// Begin again at the end.
    Loop(bool),
    /// Go to the beginning, and let time pass.
    Again,
    /// Call off the way that a world is on: back to where that began if a world waits there, else no further.
    CallOff,
}

impl Order {
    /// Whether it leads to another moment.
    pub fn is_way(&self) -> bool {
        matches!(
            self,
            Order::Rewind | Order::Return | Order::GoTo(_) | Order::Back | Order::Switch(_) | Order::Again
        )
    }

    /// Whether what was said of the moment that is shown is over by it.
    pub fn moves_on(&self) -> bool {
        self.is_way()
            || matches!(
                self,
                Order::Do(_) | Order::Run(true) | Order::Seek | Order::Fork | Order::CallOff | Order::Follow(_)
            )
    }
}

/// Why time passes as it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// At the chosen speed.
    Chosen,
    /// Slowly for a moment, since something was hurt.
    SlowMotion,
    /// At full speed to the next milestone.
    Seeking,
    /// At this speed, since a request is followed.
    Following(Speed),
}

/// The newest frame and how time passes.
#[derive(Clone, Debug)]
pub struct View {
    /// The frame.
    pub frame: Arc<Frame>,
    /// Whether time passes.
    pub running: bool,
    /// The speed that was chosen.
    pub speed: Speed,
    /// Why time passes as it does.
    pub pace: Pace,
    /// The speed reached over the last half second, where the computer cannot keep up.
    pub behind: Option<f64>,
}

impl View {
    /// A view of a frame at rest or at 1x.
    pub fn new(frame: Arc<Frame>, running: bool) -> View {
        View {
            frame,
            running,
            speed: Speed::REAL,
            pace: Pace::Chosen,
            behind: None,
        }
    }

    /// The speed in force.
    pub fn effective(&self) -> Speed {
        match self.pace {
            Pace::Chosen => self.speed,
            Pace::SlowMotion => Speed::SLOW_MOTION,
            Pace::Seeking => Speed::MAX,
            Pace::Following(speed) => speed,
        }
    }
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done, in a sentence.
    Done(String),
    /// Where the run stands now, in a sentence, which is of no interest any more when it goes on.
    Here(String),
    /// Refused, and why.
    Refused(String),
}

/// Where the run stands in its histories, for the screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// The branch that is shown, from 0.
    pub branch: usize,
    /// All branches.
    pub branches: Vec<BranchView>,
    /// What is known of the branch that is shown: commands, and the names of marks.
    pub events: Arc<Vec<TimelineEvent>>,
    /// How far the branch is known.
    pub end: Duration,
    /// Where the run stands. While a world is on its way, this is where it goes to.
    pub at: Duration,
    /// How far on its way the world is that will be shown, from 0 to 1.
    pub arriving: Option<f64>,
    /// Whether it begins again at the end.
    pub looped: bool,
    /// Whether this is a recording that is played.
    pub replayed: bool,
}

impl Timeline {
    /// Whether something is known of what comes.
    pub fn is_past(&self) -> bool {
        self.at < self.end || self.arriving.is_some()
    }
}

/// A branch, for the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchView {
    /// The branch that it left, and when.
    pub from: Option<(usize, Duration)>,
    /// How far it is known.
    pub end: Duration,
    /// Its last command.
    pub last: Option<String>,
    /// Whether it has left the list.
    pub forgotten: bool,
}

/// Something that is known of a branch.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEvent {
    /// When.
    pub at: Duration,
    /// In words.
    pub words: String,
    /// Whether it is the mark of a chapter; else a command.
    pub chapter: bool,
}
