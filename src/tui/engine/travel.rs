//! The way of a driver to a moment, at full speed.

use std::time::{Duration, Instant};

use crate::command::{Applied, Command, CommandError};
use crate::observe::Frame;
use crate::sim::SimTime;

use super::driver::{Driver, Role, SLICE_WALL};
use super::errand::{Errand, Told, Travel, lock};
use super::{Order, Simulation};

impl Driver {
    /// Starts on a way: from here if this is a place on it, else from the start.
    pub(super) fn set_out(&mut self, travel: Travel) {
        let (now, done) = (self.simulation.now().elapsed(), self.simulation.acts());
        let missed = travel.acts.get(done.len()).is_some_and(|act| act.at < now);
        if now > travel.until || !travel.acts.starts_with(done) || missed {
            // The old world goes before the new one comes: two of them may not fit.
            self.simulation = Box::new(Nowhere);
            self.simulation = (self.make)();
        }
        let done = self.simulation.acts().len();
        self.simulation.plan(&travel.acts[done..]);
        self.simulation.do_what_is_due();
        self.way = travel.number;
        {
            let mut slot = lock(&self.shared);
            slot.view = None;
            slot.now = self.simulation.now();
            slot.way = (travel.number, slot.now);
            slot.arrived = false;
        }
        self.role = Role::Travelling(travel, Vec::new());
        self.arrive_if_there();
    }

    /// Goes on, for as long as one piece of simulation may take.
    pub(super) fn travel(&mut self, until: Duration, gentle: bool) {
        let began = Instant::now();
        while began.elapsed() < SLICE_WALL {
            let now = self.simulation.now().elapsed();
            let step = until.saturating_sub(now).min(self.slice);
            let asked = Instant::now();
            self.simulation.advance(step);
            self.fit_slice(asked.elapsed(), step);
            if step < self.slice {
                break;
            }
        }
        self.took = if gentle { began.elapsed() } else { Duration::ZERO };
        lock(&self.shared).now = self.simulation.now();
        self.arrive_if_there();
    }

    /// Forgets what was to be done and to be written when it has arrived, and says so of each.
    pub(super) fn drop_orders(&mut self) {
        let Role::Travelling(_, later) = &mut self.role else {
            return;
        };
        for errand in std::mem::take(later) {
            match errand {
                Errand::Order(Order::Do(command)) => self.tell(Told::Dropped(command.to_string())),
                Errand::Seal(number) => self.tell(Told::Unsealed(number)),
                errand => self.put_off(errand),
            }
        }
    }

    /// Keeps an errand for when it has arrived.
    fn put_off(&mut self, errand: Errand) {
        if let Role::Travelling(_, later) = &mut self.role {
            later.push(errand);
        }
    }

    /// Ends the way where it is; what is known to come from here on is still to come.
    pub(super) fn halt(&mut self) {
        let (now, done) = (self.simulation.now().elapsed(), self.simulation.acts().len());
        let standing = self.standing();
        let Role::Travelling(travel, later) = &mut self.role else {
            return;
        };
        later.retain(|errand| matches!(errand, Errand::Order(Order::Pace(_))));
        travel.until = now;
        if let Some(onwards) = &mut travel.then {
            let ahead = travel.acts.iter().skip(done).chain(&onwards.plan);
            onwards.plan = ahead.cloned().collect();
            onwards.running = false;
        }
        self.tell(Told::Halted(standing));
        self.arrive_if_there();
    }

    fn arrive_if_there(&mut self) {
        let now = self.simulation.now().elapsed();
        let there = matches!(&self.role, Role::Travelling(travel, _) if now >= travel.until);
        if !there {
            return;
        }
        let Role::Travelling(travel, later) = std::mem::replace(&mut self.role, Role::Held) else {
            return;
        };
        lock(&self.shared).arrived = true;
        let Some(onwards) = travel.then else { return };
        self.role = Role::Shown;
        self.told = (self.simulation.acts().len(), self.simulation.checkpoints().len());
        self.simulation.plan(&onwards.plan);
        self.marks = onwards.marks;
        (self.running, self.speed, self.stop) = (onwards.running, onwards.speed, onwards.stop);
        (self.slow_until, self.published) = (None, None);
        self.anchor();
        for errand in later {
            self.take(errand);
        }
    }
}

/// Between two worlds of a thread: nothing.
struct Nowhere;

impl Simulation for Nowhere {
    fn apply(&mut self, _: &Command) -> Result<Applied, CommandError> {
        Err(CommandError("there is no world".to_string()))
    }

    fn advance(&mut self, _: Duration) {}

    fn now(&self) -> SimTime {
        SimTime::ZERO
    }

    fn frame(&mut self) -> Frame {
        unreachable!("nobody looks at what is replaced at once")
    }
}
