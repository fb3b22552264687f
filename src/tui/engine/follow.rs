//! Following a request: time passes so slowly that each hop is seen, faster where nothing happens for long, and stops when the user has the answer.

use std::time::{Duration, Instant};

use crate::observe::Following;
use crate::world::Follow;

use super::super::speed::Speed;
use super::Answer;
use super::driver::Driver;

/// The slowest: half a second on the wall for a round trip within a data center.
const SLOWEST: f64 = 0.001;
/// The fastest, where nothing happens.
const FASTEST: f64 = 0.25;
/// How long on the wall nothing happens before time passes twice as fast.
const DULL: Duration = Duration::from_millis(400);
/// Nobody is followed whose request has not come in so long, in simulated time.
const PATIENCE: Duration = Duration::from_secs(30);
/// As far as time passes at once while a request is sought, so that its beginning is seen.
pub(super) const CLOSE: Duration = Duration::from_millis(1);

/// A request that is followed, or sought.
pub(super) struct Trail {
    /// When it began to be sought, in simulated time.
    since: Duration,
    /// How many steps of it are known, and when the last one came, on the wall.
    known: (usize, Instant),
    state: Following,
    /// Whether the person has chosen another speed since.
    pub(super) free: bool,
    /// Whether time passed before.
    ran: bool,
}

impl Trail {
    fn new(since: Duration, ran: bool) -> Trail {
        Trail {
            since,
            known: (0, Instant::now()),
            state: Following::Seeking,
            free: false,
            ran,
        }
    }

    /// How fast time passes, if the trail decides.
    pub(super) fn speed(&self, chosen: Speed) -> Option<Speed> {
        if self.free {
            return None;
        }
        match self.state {
            Following::Seeking if chosen > Speed::REAL => Some(Speed::REAL),
            Following::Seeking => Some(chosen),
            Following::UnderWay(_) => {
                let dull = self.known.1.elapsed().as_secs_f64() / DULL.as_secs_f64();
                Speed::times((SLOWEST * 2f64.powi(dull as i32)).min(FASTEST))
            }
            Following::Ended => None,
        }
    }

    /// Time has stood still, which is no reason to hurry.
    pub(super) fn refresh(&mut self) {
        self.known.1 = Instant::now();
    }

    /// Whether a request is still sought.
    pub(super) fn seeks(&self) -> bool {
        self.state == Following::Seeking
    }
}

impl Driver {
    /// Follows a request from now on, or none any more.
    pub(super) fn follow(&mut self, follow: Option<&Follow>) {
        if let Err(error) = self.simulation.follow(follow) {
            self.answer(Answer::Refused(error.to_string()));
            return;
        }
        // Of one followed after another, what was before the first counts.
        let before = self.trail.take();
        let ran = before.as_ref().map_or(self.running, |trail| trail.ran);
        if follow.is_some() {
            self.trail = Some(Trail::new(self.simulation.now().elapsed(), ran));
            (self.running, self.seek, self.slow_until) = (true, None, None);
        } else if before.is_some_and(|trail| trail.state == Following::Ended && !trail.free) {
            self.running |= ran;
        }
    }

    /// Follows nobody any more, since another moment is shown.
    pub(super) fn lose_trail(&mut self) {
        if self.trail.take().is_some() {
            // Nothing is named, so nothing can be unknown.
            let _ = self.simulation.follow(None);
        }
    }

    /// Looks how far the request is; stops when its user has the answer.
    pub(super) fn look_at_trail(&mut self) {
        let (Some(trail), Some(state)) = (&mut self.trail, self.simulation.following()) else {
            return;
        };
        let before = std::mem::replace(&mut trail.state, state);
        match state {
            Following::Seeking if self.simulation.now().elapsed().saturating_sub(trail.since) > PATIENCE => {
                self.lose_trail();
                self.answer(Answer::Refused("no such request came in 30 s".to_string()));
            }
            Following::UnderWay(steps) => {
                if trail.known.0 != steps {
                    trail.known = (steps, Instant::now());
                }
                // The speed changes all the time.
                self.anchor();
            }
            Following::Ended if before != Following::Ended => {
                if !trail.free {
                    self.running = false;
                }
                self.anchor();
                let here = "it is over: {watch} follows the next one, {out} leaves it, {pause} goes on";
                self.answer(Answer::Here(here.to_string()));
            }
            Following::Seeking | Following::Ended => {}
        }
    }
}
