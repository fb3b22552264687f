//! What can be typed beside commands: words for the screen and for the run as a whole.

use std::time::Duration;

use crate::command::{Fault, VERBS};
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
    word(
        "where",
        "where",
        "show the whole path of the file that this run is recorded in",
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
    word(
        "blast",
        "blast",
        "let everything fail in turn, in the background, and rank what breaks",
    ),
    word("loop", "loop on|off", "play a recording again when it ends"),
    word("q", "q", "end"),
];

/// The words after what is said of commands: `; and w, goto, ...`.
pub fn also() -> String {
    let names: Vec<&str> = WORDS.iter().map(|word| word.name).collect();
    format!("; of the run as a whole: {}", names.join(", "))
}

/// Whether this is neither a command, nor a fault, nor one of the words here.
pub fn is_unknown(verb: &str) -> bool {
    !WORDS.iter().any(|word| word.name == verb)
        && !VERBS.iter().any(|row| row.name == verb)
        && Fault::named(verb).is_none()
}

/// What a line asks for, if it begins with one of the words; or why it cannot be.
pub fn read(line: &str) -> Option<Result<Intent, String>> {
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let wants = |what: &str| Err(format!("{first}: {what}"));
    let order = |order| Ok(Intent::Order(order));
    Some(match (first, rest) {
        ("q" | "quit", "") => Ok(Intent::Quit),
        ("w" | "write", "") => Ok(Intent::WhereKept(false)),
        ("where", "") => Ok(Intent::WhereKept(true)),
        ("w" | "write", name) => order(Order::Write(name.to_string())),
        ("goto", time) => match moment(time) {
            Ok(at) => order(Order::GoTo(at)),
            Err(why) => wants(&why),
        },
        ("mark", "") => wants("a chapter has a name, as in `mark the outage`"),
        ("mark", name) => order(Order::Mark(name.to_string())),
        ("note", "") => wants("a note has a text, as in `note nobody noticed`"),
        ("note", text) => order(Order::Note(text.to_string())),
        ("blast", "") => Ok(Intent::Blast),
        ("branch", "") => order(Order::Fork),
        ("loop", "on" | "") => order(Order::Loop(true)),
        ("loop", "off") => order(Order::Loop(false)),
        ("loop", other) => wants(&format!("on or off, not `{}`", printable(other))),
        _ => return None,
    })
}

/// A moment as a duration (`40s`, `1:20`). A bare number is meant in seconds.
fn moment(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(u64::from(seconds))),
        Err(_) => duration::parse(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_duration_or_what_a_clock_shows() {
        let of = |text| moment(text).map(|at| at.as_millis());
        assert_eq!((of("40s"), of("1m30s")), (Ok(40_000), Ok(90_000)));
        assert_eq!((of("1:20"), of("0")), (Ok(80_000), Ok(0)));
        assert!(of("").is_err() && of("1:2:3:4").is_err());
    }

    #[test]
    fn whoever_mistypes_is_told_of_all_words() {
        assert!(is_unknown("wirte") && !is_unknown("w") && !is_unknown("kill"));
        for word in ["w", "goto", "mark", "note", "branch", "loop", "q"] {
            assert!(also().split([' ', ',']).any(|named| named == word), "{word}");
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
