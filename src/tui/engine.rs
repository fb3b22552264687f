//! The simulation on a thread of its own: it takes orders through a bounded channel, keeps pace with the clock on the wall, and
//! publishes the newest view, where a newer one replaces one that nobody looked at.

use std::any::Any;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::command::{Applied, Command, CommandError};
use crate::observe::Frame;
use crate::sim::SimTime;
use crate::world::World;

use super::milestone::{hurts, milestones, progress};
use super::speed::Speed;

/// Between two published frames.
const FRAME_EVERY: Duration = Duration::from_millis(33);
/// What one piece of simulation may take on the wall, so that orders are heard.
const SLICE_WALL: Duration = Duration::from_millis(8);
/// Further behind than this, the debt is forgotten and the real speed shown.
const FORGIVEN: Duration = Duration::from_millis(100);
/// Simulated time between two looks for a milestone.
const SEEK_STEP: Duration = Duration::from_millis(100);
/// Where looking for a milestone ends.
const SEEK_LIMIT: Duration = Duration::from_secs(600);
/// How long a fault is shown in slow motion, on the wall.
const SLOW_MOTION: Duration = Duration::from_secs(2);
/// Orders that may wait.
const ORDERS: usize = 256;

/// What the engine drives. A world, or a stand-in for tests.
pub trait Simulation {
    /// See [`World::apply`].
    ///
    /// # Errors
    /// When the command is refused.
    fn apply(&mut self, command: &Command) -> Result<Applied, CommandError>;
    /// See [`World::advance`].
    fn advance(&mut self, by: Duration);
    /// See [`World::now`].
    fn now(&self) -> SimTime;
    /// See [`World::frame`].
    fn frame(&mut self) -> Frame;
}

impl Simulation for World {
    fn apply(&mut self, command: &Command) -> Result<Applied, CommandError> {
        World::apply(self, command)
    }

    fn advance(&mut self, by: Duration) {
        World::advance(self, by);
    }

    fn now(&self) -> SimTime {
        World::now(self)
    }

    fn frame(&mut self) -> Frame {
        World::frame(self)
    }
}

/// What the screen asks of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Change the world.
    Do(Command),
    /// Let time pass, or stop it.
    Run(bool),
    /// Pass time at this speed.
    Pace(Speed),
    /// Run at full speed to the next milestone of the newest incident.
    Seek,
    /// End.
    End,
}

/// Why time passes as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At the chosen speed.
    Chosen,
    /// Slowly for a moment, since something was hurt.
    SlowMotion,
    /// At full speed to the next milestone.
    Seeking,
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
        }
    }
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done, in a sentence.
    Done(String),
    /// Refused, and why.
    Refused(String),
}

#[derive(Default)]
struct Slot {
    view: Option<View>,
    answers: Vec<Answer>,
    now: SimTime,
}

type Shared = Arc<Mutex<Slot>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Slot> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine as the screen sees it. Dropping it ends the thread.
pub struct Engine {
    orders: SyncSender<Order>,
    shared: Shared,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts a thread that makes a simulation and drives it. The simulation never leaves that thread.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start<S: Simulation>(
        make: impl FnOnce() -> S + Send + 'static,
        running: bool,
        speed: Speed,
    ) -> std::io::Result<Engine> {
        let (orders, inbox) = mpsc::sync_channel(ORDERS);
        let shared = Shared::default();
        let outlet = Arc::clone(&shared);
        let thread = thread::Builder::new().name("simulation".to_string()).spawn(move || {
            Driver::new(make(), outlet, running, speed).drive(&inbox);
        })?;
        Ok(Engine {
            orders,
            shared,
            thread: Some(thread),
        })
    }

    /// Gives an order. False if the engine is too busy to take it.
    pub fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }

    /// The newest view, if there is one that was not taken yet.
    pub fn take_view(&self) -> Option<View> {
        lock(&self.shared).view.take()
    }

    /// What came of orders since the last call.
    pub fn take_answers(&self) -> Vec<Answer> {
        std::mem::take(&mut lock(&self.shared).answers)
    }

    /// Whether the thread has ended, which it does by itself only in a panic.
    pub fn ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The simulated time that was reached.
    pub fn reached(&self) -> SimTime {
        lock(&self.shared).now
    }

    /// Ends the thread and waits for it.
    ///
    /// # Errors
    /// What the thread panicked with.
    pub fn end(mut self) -> Result<(), Box<dyn Any + Send>> {
        // A full channel still reaches its end: the thread stops when the sender is gone, which is when `self` is.
        let thread = self.thread.take();
        let _ = self.orders.try_send(Order::End);
        drop(self);
        thread.map_or(Ok(()), JoinHandle::join)
    }
}

/// Looking for a milestone: from when, and what had been reached.
struct Seek {
    since: SimTime,
    reached: (u32, usize),
}

struct Driver<S> {
    simulation: S,
    shared: Shared,
    running: bool,
    speed: Speed,
    slow_until: Option<Instant>,
    seek: Option<Seek>,
    anchor: (Instant, SimTime),
    slice: Duration,
    measured: (Instant, SimTime),
    behind: Option<f64>,
    published: Option<Instant>,
    changed: bool,
}

impl<S: Simulation> Driver<S> {
    fn new(simulation: S, shared: Shared, running: bool, speed: Speed) -> Driver<S> {
        let now = (Instant::now(), simulation.now());
        Driver {
            simulation,
            shared,
            running,
            speed,
            slow_until: None,
            seek: None,
            anchor: now,
            slice: Duration::from_millis(10),
            measured: now,
            behind: None,
            published: None,
            changed: true,
        }
    }

    fn drive(&mut self, inbox: &Receiver<Order>) {
        loop {
            self.publish();
            let order = match self.rest() {
                Some(rest) => inbox.recv_timeout(rest),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match order {
                Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.pass();
        }
    }

    /// How long to wait for orders: nothing when time is due, until the next frame when not, for ever when paused.
    fn rest(&self) -> Option<Duration> {
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

    fn effective(&self) -> Speed {
        if self.slow_until.is_some() {
            Speed::SLOW_MOTION
        } else {
            self.speed
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
    fn anchor(&mut self) {
        self.anchor = (Instant::now(), self.simulation.now());
        self.measured = self.anchor;
        self.behind = None;
        self.changed = true;
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Do(command) => self.apply(&command),
            Order::Run(running) => {
                self.running = running;
                self.seek = None;
                self.slow_until = None;
            }
            Order::Pace(speed) => {
                self.speed = speed;
                self.seek = None;
                self.slow_until = None;
            }
            Order::Seek => self.start_seek(),
            Order::End => {}
        }
        self.anchor();
    }

    fn apply(&mut self, command: &Command) {
        let answer = match self.simulation.apply(command) {
            Ok(Applied(done)) => {
                if self.running && hurts(command) && self.speed > Speed::SLOW_MOTION {
                    self.slow_until = Some(Instant::now() + SLOW_MOTION);
                }
                self.seek = None;
                Answer::Done(done)
            }
            Err(CommandError(why)) => Answer::Refused(why),
        };
        lock(&self.shared).answers.push(answer);
    }

    fn start_seek(&mut self) {
        let frame = self.simulation.frame();
        let refusal = match frame.incidents.last() {
            None => "nothing has happened yet: x kills what is selected",
            Some(incident) if incident.healed.is_some() => "all is as before: there is no further milestone",
            Some(incident) => {
                self.slow_until = None;
                self.seek = Some(Seek {
                    since: frame.at,
                    reached: progress(incident),
                });
                return;
            }
        };
        lock(&self.shared).answers.push(Answer::Refused(refusal.to_string()));
    }

    /// Lets time pass as far as it is due, for no longer than a slice takes on the wall.
    fn pass(&mut self) {
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
        let step = due.min(self.slice);
        if step.is_zero() {
            return;
        }
        self.simulation.advance(step);
        self.changed = true;
        let took = now.elapsed();
        // Slices grow and shrink so that each takes about as long on the wall as it may.
        if took < SLICE_WALL / 2 && step == self.slice {
            self.slice = (self.slice * 2).min(Duration::from_secs(60));
        } else if took > SLICE_WALL {
            self.slice = (self.slice / 2).max(Duration::from_micros(10));
        }
        self.measure(due.saturating_sub(step));
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

    fn seek_on(&mut self, now: Instant) {
        while now.elapsed() < SLICE_WALL {
            self.simulation.advance(SEEK_STEP);
            self.changed = true;
            let frame = self.simulation.frame();
            let Some(seek) = &self.seek else { return };
            let found = frame
                .incidents
                .last()
                .is_some_and(|incident| progress(incident) > seek.reached);
            let answer = if found {
                frame
                    .incidents
                    .last()
                    .map(|incident| Answer::Done(milestones(incident, seek.reached)))
            } else if frame.at.since(seek.since) >= SEEK_LIMIT {
                Some(Answer::Refused("no milestone within 10 simulated minutes".to_string()))
            } else {
                None
            };
            if let Some(answer) = answer {
                lock(&self.shared).answers.push(answer);
                self.seek = None;
                self.anchor();
                return;
            }
        }
    }

    fn publish(&mut self) {
        let now = Instant::now();
        let fresh = self
            .published
            .is_some_and(|at| now.saturating_duration_since(at) < FRAME_EVERY);
        if !self.changed || fresh {
            return;
        }
        self.published = Some(now);
        self.changed = false;
        let frame = Arc::new(self.simulation.frame());
        let pace = match (&self.seek, self.slow_until) {
            (Some(_), _) => Pace::Seeking,
            (None, Some(_)) => Pace::SlowMotion,
            (None, None) => Pace::Chosen,
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
