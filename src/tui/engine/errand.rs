//! What the threads of worlds are told, and what they tell.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::observe::Frame;
use crate::replay::{Act, Checkpoint, Digest, Words};
use crate::sim::SimTime;

use super::super::speed::Speed;
use super::{Answer, Order, View};

/// What a driver is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Errand {
    /// What a person asks for. Only whoever is on the screen gets these; one on its way there keeps them until it has arrived.
    Order(Order),
    /// Go to a moment at full speed, by these commands. Nothing is shown on the way.
    Travel(Travel),
    /// Wait, and show nothing. The number is that of the branch, for the answer.
    Hold(usize),
    /// Say what the digest is now.
    Seal(u64),
    /// Forget what was to be done and to be written when it has arrived.
    Drop,
    /// Stop on the way, and show what is there.
    Halt,
    /// End.
    End,
}

/// A way through a history.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Travel {
    /// Its number: what was told before it set out is of no interest after.
    pub(super) number: u64,
    /// The commands on the way, from the start.
    pub(super) acts: Vec<Act>,
    /// Where to.
    pub(super) until: Duration,
    /// Whether there is no hurry: it leaves the cores to whoever else wants them.
    pub(super) gentle: bool,
    /// What comes after, if the world is to be on the screen then.
    pub(super) then: Option<Onwards>,
}

/// How time passes on the screen from some moment on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Onwards {
    /// Known commands that are to come.
    pub(super) plan: Vec<Act>,
    /// The chapters of the branch.
    pub(super) marks: Vec<Words>,
    /// Where time stops by itself.
    pub(super) stop: Option<Duration>,
    /// Whether time passes.
    pub(super) running: bool,
    /// The speed.
    pub(super) speed: Speed,
}

/// What a driver tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// What came of an order.
    Answer(Answer),
    /// The command of an order was carried out or refused, and all of that was told.
    Heard,
    /// The run will not be written for the errand of this number.
    Unsealed(u64),
    /// The command of an order will not be carried out.
    Dropped(String),
    /// A command took effect, by schedule or not.
    Did(Act, bool),
    /// A digest on the way.
    Checkpoint(Checkpoint),
    /// It waits: on which branch, when, after how many commands, and the digest of all so far.
    Held(usize, Standing),
    /// How the world stands, for the errand of this number.
    Sealed(u64, Standing),
    /// The last that it tells: how the world stands at the end.
    Ended(Standing),
    /// What is seen at a moment at which every branch is looked at.
    Picture(Arc<Frame>),
    /// Time has stopped where it was to.
    Stopped,
    /// It has stopped on the way.
    Halted(Standing),
}

/// How a world stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    /// The moment.
    pub(super) at: Duration,
    /// Commands that have taken effect.
    pub(super) acts: usize,
    /// The digest of all so far.
    pub(super) digest: Digest,
}

/// What a driver and the screen share.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) view: Option<View>,
    /// What it has told, with the number of the way that it was on then.
    pub(super) told: Vec<(u64, Told)>,
    pub(super) now: SimTime,
    /// The number of the way on which it is or was, and where it set out.
    pub(super) way: (u64, SimTime),
    /// Whether it has arrived there.
    pub(super) arrived: bool,
    /// Whether another world is in a hurry: one that is in none waits for that.
    pub(super) yields: bool,
}

pub(super) type Shared = Arc<Mutex<Slot>>;

pub(super) fn lock(shared: &Shared) -> MutexGuard<'_, Slot> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
