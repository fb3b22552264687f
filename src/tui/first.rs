//! The wait for the first view of a world: it may take a while to be built.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event;

use super::engine::{Engine, View};
use super::keymap::{Action, Keymap};
use super::terminal::{Screen, Signals};

/// Between two looks whether a world is built.
const BUILDING: Duration = Duration::from_millis(5);
/// Events that are kept until it is.
const EARLY: usize = 256;

/// How the wait for a world ends.
pub(super) enum First {
    /// It is built.
    View(Box<View>),
    /// Its thread has died.
    Died,
    /// The person, or a signal, did not wait for it: the exit code.
    Left(u8),
}

/// Waits for the first view of a world, and can be left meanwhile. What else is typed is kept for the world.
pub(super) fn first_view(
    engine: &mut Engine,
    (signals, keys): (&Signals, &Keymap),
    screen: &mut Screen,
    early: &mut Vec<event::Event>,
) -> io::Result<First> {
    loop {
        let ended = engine.ended();
        if let Some(view) = engine.take_view() {
            return Ok(First::View(Box::new(view)));
        }
        if ended {
            return Ok(First::Died);
        }
        if let Some(signal) = signals.ending() {
            return Ok(First::Left(128 + signal));
        }
        if signals.stopping() {
            screen.suspend()?;
        }
        if !event::poll(BUILDING)? {
            continue;
        }
        let event = event::read()?;
        let asks = event.as_key_press_event().and_then(|key| keys.action(key));
        match asks {
            Some(Action::Quit) => return Ok(First::Left(0)),
            Some(Action::Suspend) => screen.suspend()?,
            _ if early.len() < EARLY => early.push(event),
            _ => {}
        }
    }
}
