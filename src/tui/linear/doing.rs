//! What is done for a line: orders for the engine, and answers in a sentence.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::tui::engine::Order;
use crate::tui::{keep, question};

use super::sentences;
use super::typed::{self, Typed};
use super::{Away, Given, LAST_WORDS, PATIENCE, Teller, WIDE, Wait, whole};

impl<W: Write> Teller<W> {
    /// Does what a line asks for.
    pub(super) fn obey(&mut self, line: &str) -> io::Result<()> {
        if let Some(command) = self.asked.take() {
            if typed::is_yes(line) {
                return self.order(Order::Do(command));
            }
            self.say("It is kept as it is.")?;
            if typed::is_no(line) {
                return Ok(());
            }
        }
        match typed::read(line) {
            Ok(typed) => self.perform(typed),
            Err(why) => self.say(&format!("Refused: {why}")),
        }
    }

    pub(super) fn perform(&mut self, typed: Typed) -> io::Result<()> {
        let Some(frame) = self.frame.clone() else {
            return Ok(());
        };
        match typed {
            Typed::Nothing => {}
            Typed::Quit => self.leaving = Some(Instant::now() + LAST_WORDS),
            Typed::Help => {
                for line in sentences::HELP {
                    self.say(line)?;
                }
            }
            Typed::Status => {
                for line in sentences::status(&frame, self.runs, self.speed) {
                    self.say(&line)?;
                }
            }
            Typed::SaveLayout(name) => match keep::layout(&frame.topology, Path::new(&name)) {
                Ok(said) => self.say(&said)?,
                Err(why) => self.say(&format!("Refused: {why}."))?,
            },
            Typed::Where => match self.engine.file() {
                Some(file) => self.say(&format!("This run is recorded in {}.", file.display()))?,
                None => self.say("This run is not recorded; w and a name write it.")?,
            },
            Typed::Speed(speed) => {
                if !self.engine.order(Order::Pace(speed)) {
                    return self.refuse_for_now();
                }
                self.speed = speed;
                self.say(&format!("The speed is {}.", speed.label()))?;
            }
            Typed::Run(on) => self.let_run(on)?,
            Typed::Wait(time) => self.wait_for(whole(time)),
            Typed::Order(order) => self.order(order)?,
            Typed::Do(command) if question::asks(&frame, &command) || question::hits_most(&frame, &command) => {
                let words = question::question(&command, &frame, WIDE);
                // What follows is about keys.
                let words = words.split(". y ").next().unwrap_or_default();
                self.say(&format!("{words}. Type yes to do it."))?;
                self.asked = Some(command);
            }
            Typed::Do(command) => self.order(Order::Do(command))?,
        }
        Ok(())
    }

    /// Lets time pass, or stops it: when all lines are heard; at once if they wait.
    pub(super) fn let_run(&mut self, on: bool) -> io::Result<()> {
        if self.wait.is_some() {
            if !self.engine.order(Order::Run(on)) {
                return self.refuse_for_now();
            }
            if let Some(wait) = self.wait.as_mut().filter(|_| on) {
                wait.stops = false;
            }
        }
        if let Some(away) = &mut self.away {
            away.runs = on;
        }
        self.runs = on;
        self.say(if on { "Time goes on." } else { "Time stands still." })
    }

    /// Lets later lines wait. Where time stands still, it passes for so long.
    pub(super) fn wait_for(&mut self, time: Duration) {
        if time.is_zero() {
            return;
        }
        self.wait = Some(Wait {
            until: self.at().elapsed() + time,
            stops: !self.runs,
            since: Instant::now(),
        });
        (self.runs, self.held) = (true, None);
        if !self.is_there() {
            self.go_on();
        }
    }

    /// Gives an order that is answered.
    pub(super) fn order(&mut self, order: Order) -> io::Result<()> {
        let end = self.engine.timeline().end;
        let runs = self.end.is_some() && self.runs && matches!(order, Order::GoTo(at) if at < end);
        let is_way = order.is_way() || order == Order::Fork;
        let does = matches!(order, Order::Do(_));
        if !self.engine.order(order) {
            return self.refuse_for_now();
        }
        let now = Instant::now();
        self.given = Some(Given {
            does,
            done: false,
            shows: false,
            until: now + PATIENCE,
        });
        self.away = is_way.then_some(Away {
            since: now,
            runs,
            seen: now,
        });
        Ok(())
    }

    pub(super) fn refuse_for_now(&mut self) -> io::Result<()> {
        self.say("Refused: the simulation is too busy to listen.")
    }
}
