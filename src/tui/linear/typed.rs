//! What a line asks for.

use std::time::Duration;

use crate::command::Command;
use crate::layout::{duration, printable};
use crate::tui::app::Intent;
use crate::tui::engine::Order;
use crate::tui::speed::Speed;
use crate::tui::words;

/// The least and the largest speed that can be typed; `max` is as fast as it goes.
const SPEEDS: (f64, f64) = (0.01, 1_000.0);

/// What a line asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Typed {
    /// Nothing.
    Nothing,
    /// Something for the world.
    Do(Command),
    /// Something for the run as a whole.
    Order(Order),
    /// Pass time at this speed.
    Speed(Speed),
    /// Let time pass, or stop it.
    Run(bool),
    /// Do what the next lines say so much simulated time later.
    Wait(Duration),
    /// Say how things stand.
    Status,
    /// Say where the run is recorded.
    Where,
    /// Write the layout as it is now to this file.
    SaveLayout(String),
    /// Say what can be typed.
    Help,
    /// End.
    Quit,
}

impl Typed {
    /// Whether it is done at once, where lines that were typed before it still wait.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(
            self,
            Typed::Run(_) | Typed::Speed(_) | Typed::Status | Typed::Help | Typed::Quit
        )
    }
}

/// Whether a line is a yes.
pub(super) fn is_yes(line: &str) -> bool {
    matches!(line.trim(), "y" | "Y" | "yes" | "Yes")
}

/// Whether a line is a no, and nothing else.
pub(super) fn is_no(line: &str) -> bool {
    matches!(line.trim(), "n" | "N" | "no" | "No")
}

/// Reads a line; says why it cannot be done.
pub(super) fn read(line: &str) -> Result<Typed, String> {
    let line = line.trim();
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    Ok(match (first, rest) {
        ("", _) => Typed::Nothing,
        ("pause", "") => Typed::Run(false),
        ("go" | "continue", "") | ("go", "on") => Typed::Run(true),
        ("status", "") => Typed::Status,
        ("help" | "?", _) => Typed::Help,
        ("quit" | "exit", "") => Typed::Quit,
        ("speed", text) => Typed::Speed(speed(text)?),
        ("wait", text) => Typed::Wait(duration::parse(text).map_err(|why| format!("wait: {why}"))?),
        ("preview", _) => return Err(for_the_screen(first)),
        _ => match words::read(line) {
            // It slows time down for eyes, and stops it.
            Some(Ok(Intent::Order(Order::Follow(_)))) => return Err(for_the_screen(first)),
            Some(Ok(Intent::Order(order))) => Typed::Order(order),
            Some(Ok(Intent::Quit)) => Typed::Quit,
            Some(Ok(Intent::WhereKept(_))) => Typed::Where,
            Some(Ok(Intent::SaveLayout(name))) => Typed::SaveLayout(name),
            Some(Ok(_)) => return Err(for_the_screen(first)),
            Some(Err(why)) => return Err(why),
            None => Typed::Do(Command::parse(line).map_err(|error| format!("{error}{}", also(first)))?),
        },
    })
}

fn for_the_screen(word: &str) -> String {
    format!("{word} is for the screen: leave --linear out")
}

/// What else there is, for somebody who has mistyped a word.
fn also(first: &str) -> &'static str {
    if words::is_unknown(first) {
        "; help says what else can be typed"
    } else {
        ""
    }
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::MAX);
    }
    let factor: Option<f64> = text.trim_end_matches(['x', 'X']).parse().ok();
    let factor = factor.filter(|factor| (SPEEDS.0..=SPEEDS.1).contains(factor));
    factor.and_then(Speed::times).ok_or_else(|| {
        let (least, most) = SPEEDS;
        format!(
            "`{}` is no speed: write a number from {least} to {most}, or max",
            printable(text)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        assert_eq!(read("  "), Ok(Typed::Nothing));
        assert_eq!(read("go on"), Ok(Typed::Run(true)));
        assert_eq!(read("pause"), Ok(Typed::Run(false)));
        assert_eq!(read("speed 2"), Ok(Typed::Speed(Speed::times(2.0).expect("above 0"))));
        assert_eq!(read("speed max"), Ok(Typed::Speed(Speed::MAX)));
        assert_eq!(read("wait 5s"), Ok(Typed::Wait(Duration::from_secs(5))));
        assert_eq!(read("q"), Ok(Typed::Quit));
        assert_eq!(read("where"), Ok(Typed::Where));
        assert_eq!(read("goto 40s"), Ok(Typed::Order(Order::GoTo(Duration::from_secs(40)))));
        assert_eq!(
            read("kill web/1"),
            Ok(Typed::Do(Command::parse("kill web/1").expect("a command")))
        );
    }

    #[test]
    fn what_cannot_be_done_is_explained() {
        for (line, words) in [
            ("speed 0", "from 0.01 to 1000, or max"),
            ("speed", "is no speed"),
            ("wait soon", "wait: "),
            ("theme light", "theme is for the screen"),
            ("watch web", "watch is for the screen"),
            ("watch off", "watch is for the screen"),
            ("kil web/1", "help says what else"),
            ("loop twice", "on or off"),
        ] {
            assert!(read(line).is_err_and(|why| why.contains(words)), "{line}");
        }
    }
}
