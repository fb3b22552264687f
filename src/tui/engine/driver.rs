//! What a thread does that owns a simulation: it keeps pace with the clock on the wall, goes to a moment at full speed, or waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::command::{Applied, Command, CommandError};
use crate::replay::Words;
use crate::sim::{SimTime, nanos};

use super::super::milestone::hurts;
use super::super::mishap;
use super::super::speed::Speed;
use super::errand::{Errand, Shared, Standing, Told, Travel, lock};
use super::follow::{CLOSE, Trail};
use super::seek::{SEEK_STEP, Seek};
use super::{Answer, Make, Order, Pace, Simulation, View};

/// Between two published frames: as a slice of simulation lies between, some thirty a second.
const FRAME_EVERY: Duration = Duration::from_millis(27);
/// What one piece of simulation may take on the wall, so that orders are heard.
pub(super) const SLICE_WALL: Duration = Duration::from_millis(8);
/// Further behind than this, the debt is forgotten and the real speed shown.
const FORGIVEN: Duration = Duration::from_millis(100);
/// The moments of commands are whole multiples of this, so that a person can read them in a recording.
pub(super) const GRAIN_NANOS: u64 = 1_000;
/// Between two pictures that are of the same moments in all branches, in simulated time.
const PICTURE_EVERY: Duration = Duration::from_secs(5);
/// How long a fault is shown in slow motion, on the wall.
const SLOW_MOTION: Duration = Duration::from_secs(2);
/// How often a world without hurry looks whether others still are in one.
const YIELD: Duration = Duration::from_millis(20);

/// What it is doing.
pub(super) enum Role {
    /// It is on the screen.
    Shown,
    /// It waits.
    Held,
    /// It is on its way, and has been given these errands for when it is there.
    Travelling(Travel, Vec<Errand>),
}

pub(super) struct Driver {
    pub(super) make: Make,
    pub(super) simulation: Box<dyn Simulation>,
    pub(super) shared: Shared,
    pub(super) role: Role,
    pub(super) running: bool,
    pub(super) speed: Speed,
    pub(super) stop: Option<Duration>,
    /// Where the person wants time to stop.
    pub(super) wanted_stop: Option<Duration>,
    /// The chapters of the branch, as far as they are known.
    pub(super) marks: Vec<Words>,
    pub(super) slow_until: Option<Instant>,
    pub(super) seek: Option<Seek>,
    /// The request that is followed, or sought.
    pub(super) trail: Option<Trail>,
    anchor: (Instant, SimTime),
    pub(super) slice: Duration,
    measured: (Instant, SimTime),
    behind: Option<f64>,
    pub(super) published: Option<Instant>,
    pub(super) changed: bool,
    /// How long the last piece of a way took that has no hurry.
    pub(super) took: Duration,
    /// Commands and checkpoints that have been told of.
    pub(super) told: (usize, usize),
    pub(super) way: u64,
}

impl Driver {
    /// A driver that waits at the start.
    pub(super) fn new(make: Make, shared: Shared) -> Driver {
        let simulation = make();
        let now = (Instant::now(), simulation.now());
        Driver {
            make,
            simulation,
            shared,
            role: Role::Held,
            running: false,
            speed: Speed::REAL,
            stop: None,
            wanted_stop: None,
            marks: Vec::new(),
            slow_until: None,
            seek: None,
            trail: None,
            anchor: now,
            slice: Duration::from_millis(10),
            measured: now,
            behind: None,
            published: None,
            changed: false,
            took: Duration::ZERO,
            told: (0, 0),
            way: 0,
        }
    }

    pub(super) fn drive(&mut self, inbox: &Receiver<Errand>) {
        loop {
            self.publish();
            let errand = match self.rest() {
                Some(rest) => inbox.recv_timeout(rest),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let mut errands: VecDeque<Errand> = match errand {
                Ok(errand) => [errand].into(),
                Err(RecvTimeoutError::Timeout) => VecDeque::new(),
                Err(RecvTimeoutError::Disconnected) => [Errand::End].into(),
            };
            errands.extend(inbox.try_iter());
            if errands.contains(&Errand::End) {
                self.tell_what_happened();
                return self.tell(Told::Ended(self.standing()));
            }
            while let Some(errand) = errands.pop_front() {
                // Of several ways in a row only the last is of use.
                let followed = matches!((&errand, errands.front()), (Errand::Travel(_), Some(Errand::Travel(_))));
                if !followed {
                    self.take(errand);
                }
            }
            self.pass();
        }
    }

    /// How long to wait for errands: nothing when time is due, until the next frame when not, for ever when nothing is to be done.
    fn rest(&self) -> Option<Duration> {
        match self.role {
            Role::Held => return None,
            Role::Travelling(..) if self.yields() => return Some(YIELD),
            // Without hurry, half of the time is for others.
            Role::Travelling(..) => return Some(self.took),
            Role::Shown => {}
        }
        if !self.running && self.seek.is_none() {
            return if self.changed { Some(FRAME_EVERY) } else { None };
        }
        let due = self.due(Instant::now());
        Some(
            if due.is_zero() || self.seek.is_none() && due < self.speed.simulated(Duration::from_millis(4)) {
                Duration::from_millis(4)
            } else {
                Duration::ZERO
            },
        )
    }

    pub(super) fn take(&mut self, errand: Errand) {
        match errand {
            Errand::Order(order) => match &mut self.role {
                Role::Travelling(_, later) => later.push(Errand::Order(order)),
                Role::Shown => self.obey(order),
                Role::Held if matches!(order, Order::Do(_)) => {
                    self.answer(Answer::Refused("this world is not on the screen any more".to_string()));
                    self.tell(Told::Heard);
                }
                Role::Held => {}
            },
            Errand::Travel(travel) => {
                self.wanted_stop = None;
                self.lose_trail();
                self.set_out(travel);
            }
            Errand::Hold(branch) => {
                self.tell_what_happened();
                self.role = Role::Held;
                (self.seek, self.wanted_stop) = (None, None);
                self.lose_trail();
                self.tell(Told::Held(branch, self.standing()));
            }
            Errand::Seal(number) => {
                if let Role::Travelling(_, later) = &mut self.role {
                    later.push(Errand::Seal(number));
                    return;
                }
                self.tell_what_happened();
                self.tell(Told::Sealed(number, self.standing()));
            }
            Errand::Drop => self.drop_orders(),
            Errand::Halt => self.halt(),
            Errand::End => {}
        }
    }

    /// Whether it is on its way without hurry, and another world is in one.
    fn yields(&self) -> bool {
        matches!(&self.role, Role::Travelling(travel, _) if travel.gentle) && lock(&self.shared).yields
    }

    pub(super) fn tell(&self, told: Told) {
        lock(&self.shared).told.push((self.way, told));
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            at: self.simulation.now().elapsed(),
            acts: self.simulation.acts().len(),
            digest: self.simulation.digest(),
        }
    }

    fn effective(&self) -> Speed {
        let trail = self.trail.as_ref().and_then(|trail| trail.speed(self.speed));
        match (trail, self.slow_until) {
            (Some(speed), _) => speed,
            (None, Some(_)) => Speed::SLOW_MOTION,
            (None, None) => self.speed,
        }
    }

    /// Simulated time that is due at a moment on the wall.
    fn due(&self, now: Instant) -> Duration {
        if self.seek.is_some() {
            return SEEK_STEP;
        }
        let (wall, start) = self.anchor;
        let passed = self.effective().simulated(now.saturating_duration_since(wall));
        passed.saturating_sub(self.simulation.now().since(start))
    }

    /// Counts time from here on.
    pub(super) fn anchor(&mut self) {
        self.anchor = (Instant::now(), self.simulation.now());
        self.measured = self.anchor;
        self.behind = None;
        self.changed = true;
    }

    pub(super) fn obey(&mut self, order: Order) {
        match order {
            Order::Do(command) => self.apply(&command),
            Order::Run(running) => {
                self.trail.iter_mut().for_each(Trail::refresh);
                self.running = running;
                self.seek = None;
                self.slow_until = None;
            }
            Order::Pace(speed) => {
                self.trail.iter_mut().for_each(|trail| trail.free = true);
                self.speed = speed;
                self.seek = None;
                self.slow_until = None;
            }
            Order::Seek => self.start_seek(),
            Order::Follow(follow) => self.follow(follow.as_ref()),
            Order::StopAt(at) => self.wanted_stop = at,
            // The others are for whoever knows of all branches.
            _ => {}
        }
        self.anchor();
    }

    fn apply(&mut self, command: &Command) {
        self.tell_what_happened();
        let answer = match self.simulation.apply(command) {
            Ok(Applied(done)) => {
                if self.running && hurts(command) && self.speed > Speed::SLOW_MOTION {
                    self.slow_until = Some(Instant::now() + SLOW_MOTION);
                }
                self.seek = None;
                self.stop = None;
                self.marks.clear();
                if let Some(act) = self.simulation.acts().get(self.told.0) {
                    self.tell(Told::Did(act.clone(), false));
                    self.told.0 += 1;
                }
                Answer::Done(done)
            }
            Err(CommandError(why)) => Answer::Refused(why),
        };
        self.answer(answer);
        // Last, so that whoever waits for it knows all.
        self.tell(Told::Heard);
    }

    /// Says what came of an order. The world as it is then is seen before that is heard: what is asked for next is about it.
    pub(super) fn answer(&mut self, answer: Answer) {
        self.publish_now();
        self.tell(Told::Answer(answer));
    }

    fn publish_now(&mut self) {
        (self.changed, self.published) = (true, None);
        self.publish();
    }

    /// Tells of commands that took effect by schedule, and of checkpoints, in order of time: a checkpoint is of what was before its moment.
    pub(super) fn tell_what_happened(&mut self) {
        if !matches!(self.role, Role::Shown) {
            return;
        }
        let (acts, checkpoints) = (self.simulation.acts(), self.simulation.checkpoints());
        let all = (acts.len(), checkpoints.len());
        if self.told == all {
            return;
        }
        let checkpoints = checkpoints[self.told.1..].iter();
        let mut news: Vec<(Duration, Told)> = checkpoints.map(|news| (news.at, Told::Checkpoint(*news))).collect();
        let acts = acts[self.told.0..].iter();
        news.extend(acts.map(|act| (act.at, Told::Did(act.clone(), true))));
        news.sort_by_key(|(at, _)| *at);
        self.told = all;
        for (_, told) in news {
            self.tell(told);
        }
    }

    /// Lets time pass as far as it is due, for no longer than a slice takes on the wall.
    fn pass(&mut self) {
        match &self.role {
            Role::Held => return,
            Role::Travelling(..) if self.yields() => return,
            Role::Travelling(travel, _) => return self.travel(travel.until, travel.gentle),
            Role::Shown => {}
        }
        let now = Instant::now();
        if self.slow_until.is_some_and(|until| now >= until) {
            self.slow_until = None;
            self.anchor();
        }
        if self.seek.is_some() {
            self.seek_on(now);
            return;
        }
        if !self.running {
            return;
        }
        let due = self.due(now);
        let close = self.trail.as_ref().is_some_and(Trail::seeks);
        let most = if close { self.slice.min(CLOSE) } else { self.slice };
        let step = whole_grains(self.until_stop(due.min(most)));
        if step.is_zero() {
            self.stop_if_there();
            return;
        }
        self.simulation.advance(step);
        mishap::pass(mishap::Place::Simulation, self.simulation.now());
        self.changed = true;
        self.fit_slice(now.elapsed(), step);
        self.tell_what_happened();
        self.picture_if_due();
        self.measure(due.saturating_sub(step));
        self.look_at_trail();
        self.stop_if_there();
    }

    /// Slices grow and shrink so that each takes about as long on the wall as it may.
    pub(super) fn fit_slice(&mut self, took: Duration, step: Duration) {
        if took < SLICE_WALL / 2 && step == self.slice {
            self.slice = (self.slice * 2).min(Duration::from_secs(60));
        } else if took > SLICE_WALL {
            self.slice = (self.slice / 2).max(Duration::from_micros(10));
        }
    }

    /// As much of a step as there is to the next moment that must be met.
    pub(super) fn until_stop(&self, step: Duration) -> Duration {
        let now = self.simulation.now().elapsed();
        let pictures = now.as_nanos() / PICTURE_EVERY.as_nanos() + 1;
        let picture = PICTURE_EVERY * u32::try_from(pictures).unwrap_or(u32::MAX);
        let chapter = self.seek.as_ref().and(self.next_chapter()).map(|mark| mark.at);
        let stops = [self.stop, self.wanted_stop, chapter].into_iter().flatten();
        let next = stops.fold(picture, Duration::min);
        step.min(next.saturating_sub(now))
    }

    pub(super) fn picture_if_due(&mut self) {
        let now = self.simulation.now().elapsed();
        if !now.is_zero() && now.as_nanos().is_multiple_of(PICTURE_EVERY.as_nanos()) {
            let frame = Arc::new(self.simulation.frame());
            self.tell(Told::Picture(frame));
        }
    }

    pub(super) fn stop_if_there(&mut self) {
        let now = self.simulation.now().elapsed();
        if self.wanted_stop.is_some_and(|stop| now >= stop) {
            (self.wanted_stop, self.running, self.seek) = (None, false, None);
            self.anchor();
        }
        if self.stop.is_some_and(|stop| now >= stop) {
            (self.stop, self.running, self.seek) = (None, false, None);
            self.anchor();
            self.publish_now();
            self.tell(Told::Stopped);
        }
    }

    fn measure(&mut self, debt: Duration) {
        let now = Instant::now();
        let (since, from) = self.measured;
        let wall = now.saturating_duration_since(since);
        let speed = self.effective();
        if wall >= Duration::from_millis(500) {
            let real = self.simulation.now().since(from).as_secs_f64() / wall.as_secs_f64();
            let wanted = speed.factor().unwrap_or(f64::INFINITY);
            self.behind = (real < wanted * 0.9).then_some(real);
            self.measured = (now, self.simulation.now());
        }
        if speed.factor().is_none() || debt > speed.simulated(FORGIVEN) {
            self.anchor = (now, self.simulation.now());
        }
    }

    fn publish(&mut self) {
        let now = Instant::now();
        let fresh = self
            .published
            .is_some_and(|at| now.saturating_duration_since(at) < FRAME_EVERY);
        if !matches!(self.role, Role::Shown) || !self.changed || fresh {
            return;
        }
        self.published = Some(now);
        self.changed = false;
        let frame = Arc::new(self.simulation.frame());
        let trail = self.trail.as_ref().and_then(|trail| trail.speed(self.speed));
        let pace = match (&self.seek, trail, self.slow_until) {
            (Some(_), ..) => Pace::Seeking,
            (None, Some(speed), _) => Pace::Following(speed),
            (None, None, Some(_)) => Pace::SlowMotion,
            (None, None, None) => Pace::Chosen,
        };
        let mut slot = lock(&self.shared);
        slot.now = frame.at;
        slot.view = Some(View {
            frame,
            running: self.running,
            speed: self.speed,
            pace,
            behind: self.behind,
        });
    }
}

fn whole_grains(step: Duration) -> Duration {
    Duration::from_nanos(nanos(step) / GRAIN_NANOS * GRAIN_NANOS)
}
