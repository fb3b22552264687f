//! When lines are heard: while time stands still, each at the moment that is said, and later ones wait for what comes of it.

use std::io::{self, Write};
use std::time::Instant;

use crate::tui::engine::Order;

use super::ear::Heard;
use super::{GRACE, Held, LINES, Teller, typed};

impl<W: Write> Teller<W> {
    /// Hears what was typed, each line at its moment, and lets time go on after that.
    pub(super) fn hear(&mut self) -> io::Result<()> {
        // Nothing can be done to a world that is still being built.
        if self.frame.is_none() {
            return Ok(());
        }
        self.listen()?;
        if self.given.is_some_and(|given| Instant::now() >= given.until) {
            self.given = None;
        }
        if self.held.is_none() && self.is_ready() && !self.lines.is_empty() {
            return self.hold();
        }
        while self.is_ready()
            && let Some(held) = self.held.filter(|held| held.stands)
            && let Some(line) = self.lines.pop_front()
        {
            // At the end nobody waits for more.
            let heard = if self.is_there() { held.heard } else { Instant::now() };
            self.held = Some(Held { heard, ..held });
            self.obey(&line)?;
        }
        self.go_on_if_all_is_heard()
    }

    /// Takes lines as they come. What is urgent is done at once if it was typed while others wait.
    fn listen(&mut self) -> io::Result<()> {
        while self.lines.len() < LINES {
            let Heard::Line(line, read) = self.ear.hear() else {
                return Ok(());
            };
            let since = self.wait.map(|wait| wait.since).or(self.away.map(|away| away.since));
            // What was there before was written for the time after.
            let meanwhile = self.leaving.is_none() && since.is_some_and(|since| read > since + GRACE);
            match typed::read(&line) {
                Ok(typed) if meanwhile && typed.is_urgent() => self.perform(typed)?,
                _ => self.lines.push_back(line),
            }
        }
        Ok(())
    }

    /// Whether the next line is to be done.
    fn is_ready(&self) -> bool {
        self.wait.is_none() && self.given.is_none() && self.away.is_none() && self.leaving.is_none()
    }

    /// Stops time, so that lines are heard at one moment.
    pub(super) fn hold(&mut self) -> io::Result<()> {
        // Only what is seen from now on says whether it stands still.
        self.follow()?;
        if self.held.is_none() && self.engine.order(Order::Run(false)) {
            self.running = true;
            self.hold_here();
        }
        Ok(())
    }

    pub(super) fn go_on_if_all_is_heard(&mut self) -> io::Result<()> {
        if self.given.is_some() || self.away.is_some() || self.leaving.is_some() {
            return Ok(());
        }
        let is_closed = self.is_closed();
        if let Some(held) = self.held
            && self.wait.is_none()
            && (!held.stands || !self.lines.is_empty() || !is_closed && held.heard.elapsed() < self.grace)
        {
            return Ok(());
        }
        let stays = self.is_there() || self.wait.is_none() && self.ends_with_input();
        if is_closed && !self.runs && !stays {
            self.runs = true;
            self.hold_here();
            self.say("The input has ended, so time goes on.")?;
        }
        if self.held.take().is_some() && self.runs && !self.is_there() {
            self.go_on();
        }
        self.aim();
        Ok(())
    }

    /// Lets time pass, up to where it is to stop.
    pub(super) fn go_on(&mut self) {
        if !self.aim() || !self.engine.order(Order::Run(true)) {
            // It is too busy, and asked again soon.
            self.hold_here();
        }
    }

    /// Tells the engine where time is to stop: at the end of the wait, or of all. False if it is too busy.
    pub(super) fn aim(&mut self) -> bool {
        let is_last = self.is_closed() && self.wait.is_none() && !self.ends_with_input();
        let end = self.end.filter(|_| is_last);
        let ends = [self.wait.map(|wait| wait.until), self.until, end];
        let target = ends.into_iter().flatten().min();
        let taken = self.aimed == target || self.engine.order(Order::StopAt(target));
        if taken {
            self.aimed = target;
        }
        taken
    }
}
