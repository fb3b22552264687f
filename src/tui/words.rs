//! What can be typed beside commands: words for the screen and for the run as a whole.

use std::time::Duration;

use crate::layout::{duration, printable};

use super::app::Intent;
use super::engine::Order;

/// A word, how it is used, and what it does.
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// As one would type it.
    pub usage: &'static str,
    /// What it does.
    pub does: &'static str,
}

const fn word(name: &'static str, usage: &'static str, does: &'static str) -> Word {
    Word { name, usage, does }
}

/// All of them.
pub const WORDS: &[Word] = &[
    word(
        "w",
        "w FILE",
        "write the run so far to a file; without a name, say where it is recorded",
    ),
    word("goto", "goto TIME", "go to a moment that is known: goto 40s"),
    word("mark", "mark NAME", "begin a chapter here"),
    word(
        "note",
        "note TEXT",
        "say something here, for those who see the run again",
    ),
    word(
        "branch",
        "branch",
        "forget what followed here, and begin another branch",
    ),
    word("loop", "loop on|off", "play a recording again when it ends"),
    word("q", "q", "end"),
];

/// What a line asks for, if it begins with one of the words; or why it cannot be.
pub fn read(line: &str) -> Option<Result<Intent, String>> {
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let wants = |what: &str| Err(format!("{first}: {what}"));
    let order = |order| Ok(Intent::Order(order));
    Some(match (first, rest) {
        ("q" | "quit", "") => Ok(Intent::Quit),
        ("w" | "write", "") => Ok(Intent::WhereKept),
        ("w" | "write", name) => order(Order::Write(name.to_string())),
        ("goto", time) => match moment(time) {
            Some(at) => order(Order::GoTo(at)),
            None => wants("a moment is written as 40s, 1.5m or 01:20"),
        },
        ("mark", "") => wants("a chapter has a name, as in `mark the outage`"),
        ("mark", name) => order(Order::Mark(name.to_string())),
        ("note", "") => wants("a note has a text, as in `note nobody noticed`"),
        ("note", text) => order(Order::Note(text.to_string())),
        ("branch", "") => order(Order::Fork),
        ("loop", "on" | "") => order(Order::Loop(true)),
        ("loop", "off") => order(Order::Loop(false)),
        ("loop", other) => wants(&format!("on or off, not `{}`", printable(other))),
        _ => return None,
    })
}

/// A moment as a duration (`40s`) or as a clock shows it (`1:20`, `1:02:03.5`).
fn moment(text: &str) -> Option<Duration> {
    if let Ok(at) = duration::parse(text) {
        return Some(at);
    }
    // A bare number is meant in seconds.
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let parts: Vec<&str> = text.split(':').collect();
    let (seconds, larger) = parts
        .split_last()
        .filter(|(_, larger)| (1..=2).contains(&larger.len()))?;
    let plain = |part: &&str| {
        !part.is_empty() && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let seconds: f64 = Some(seconds).filter(|part| plain(part))?.parse().ok()?;
    let mut whole: u64 = 0;
    for part in larger {
        whole = whole * 60 + Some(part).filter(|part| plain(part))?.parse::<u64>().ok()?;
    }
    Duration::try_from_secs_f64(seconds)
        .ok()?
        .checked_add(Duration::from_secs(whole * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_duration_or_what_a_clock_shows() {
        let of = |text| moment(text).map(|at| at.as_millis());
        assert_eq!(of("40s"), Some(40_000));
        assert_eq!((of("1:20"), of("0")), (Some(80_000), Some(0)));
        assert_eq!(of("01:02:03.5"), Some(3_723_500));
        for wrong in ["", ":", "1:", ":1", "a:b", "1:2:3:4", "-1:20", "1e9:0"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn words_are_read_and_commands_are_left_alone() {
        assert_eq!(read("kill web/1"), None);
        assert_eq!(
            read("goto 40s"),
            Some(Ok(Intent::Order(Order::GoTo(Duration::from_secs(40)))))
        );
        assert_eq!(read("w a b"), Some(Ok(Intent::Order(Order::Write("a b".to_string())))));
        assert!(matches!(read("goto"), Some(Err(_))));
        assert!(matches!(read("loop twice"), Some(Err(_))));
    }
}
