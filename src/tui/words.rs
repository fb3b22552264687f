//! What can be typed beside commands: words for the screen and for the run as a whole.

use std::time::Duration;

use crate::command::{CommandError, Fault, SETTINGS, Selector, VERBS};
use crate::layout::{duration, printable, suggestion};
use crate::observe::Topology;
use crate::world::Follow;

use super::app::{App, Intent, Over};
use super::complete;
use super::engine::Order;
use super::lens::Lens;
use super::prompt::Prompt;
use super::text;
use super::theme::Name;

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

const THEME: &str = "theme";
const SAVE: &str = "save-layout";

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
    word(
        "help",
        "help [COMMAND]",
        "show the keys; how a command is written and what it does",
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
    word("back", "back", "open the run again that you left to see one failure"),
    word(
        "colour",
        "colour health|load|latency|errors|hit|lag|cost",
        "colour the map by something else",
    ),
    word(
        "watch",
        "watch [TARGET] | watch failed [TARGET] | watch slow TIME | watch off",
        "follow the next request that comes by something, that fails, or that takes at least so long",
    ),
    word(
        "preview",
        "preview COMMAND",
        "look 30 s ahead in another world at what a command would do, before it is done",
    ),
    word(
        SAVE,
        "save-layout FILE",
        "write the layout as it is now, with what was added, connected and set, to a new file",
    ),
    word("loop", "loop on|off", "play a recording again when it ends"),
    word(
        THEME,
        "theme auto|dark|light|terminal|colour-blind|mono",
        "change how it looks, until the end",
    ),
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

/// Why a line is no command: what it should be, as far as that is known here.
pub fn refusal(topology: &Topology, line: &str, why: &CommandError) -> String {
    let why = why.to_string();
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.first().is_some_and(|verb| is_unknown(verb)) {
        return why + &also();
    }
    // Of all settings, those of what is named are enough.
    let (Some((unknown, _)), ["set", target, ..]) = (why.split_once("; there are "), words.as_slice()) else {
        return why;
    };
    match complete::settings_of(topology, target).unwrap_or_default() {
        names if names.is_empty() || !unknown.starts_with("unknown setting") => why,
        names => format!("{unknown}; {} has {}", printable(target), names.join(", ")),
    }
}

impl App {
    /// The page of keys, or how a command is written.
    pub fn help(&mut self, what: &str) {
        let Some(usage) = self.usage(what) else {
            self.over = if what.is_empty() {
                Over::Help(0)
            } else {
                let why = format!("there is no command `{}`{}", printable(what), also());
                Over::Prompt(Prompt::refused(&format!("help {what}"), why))
            };
            return;
        };
        let (usage, about) = usage.split_once("   ").unwrap_or((&usage, ""));
        let first = what.split_whitespace().next().unwrap_or_default();
        let verb = VERBS.iter().find(|row| row.name == first).map(|row| row.example);
        let setting = SETTINGS.iter().find(|row| row.usage == usage).map(|row| row.example);
        let example = setting.or(verb).or(Fault::named(first).map(|fault| fault.example));
        let width = self.arrangement.area.width.saturating_sub(8).clamp(30, 90);
        let mut rows = text::wrap(usage, width);
        rows.push(String::new());
        rows.extend(text::wrap(about, width));
        rows.extend(example.map(|example| format!("for example: {example}")));
        self.over = Over::Page(first.to_string(), rows);
    }
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
        ("help", what) => Ok(Intent::Help(what.to_string())),
        ("back", "") => Ok(Intent::Reopen),
        ("branch", "") => order(Order::Fork),
        ("watch", what) => match follow(what) {
            Ok(follow) => order(Order::Follow(follow)),
            Err(why) => wants(&why),
        },
        ("colour" | "color", name) => match Lens::named(name) {
            Some(lens) => Ok(Intent::Look(lens)),
            None => wants(&format!(
                "health, load, latency, errors, hit, lag or cost, not `{}`",
                printable(name)
            )),
        },
        (THEME, name) => Name::named(name).map(Intent::Wear).ok_or_else(|| {
            let known = suggestion(name, Name::ALL.iter().map(|name| name.word()));
            format!("there is no theme `{}`{known}", printable(name))
        }),
        ("preview", _) => wants("a command, as in `preview kill web/1`"),
        (SAVE, "") => wants("a file has a name, as in `save-layout shop.ron`"),
        (SAVE, name) => Ok(Intent::SaveLayout(name.to_string())),
        ("loop", "on" | "") => order(Order::Loop(true)),
        ("loop", "off") => order(Order::Loop(false)),
        ("loop", other) => wants(&format!("on or off, not `{}`", printable(other))),
        _ => return None,
    })
}

/// Which request is meant, if any.
fn follow(what: &str) -> Result<Option<Follow>, String> {
    let place = |words: &str| (!words.is_empty()).then(|| Selector(words.to_string()));
    let (first, rest) = what.split_once(char::is_whitespace).unwrap_or((what, ""));
    Ok(match (first, rest.trim()) {
        ("off", "") => None,
        ("failed", rest) => Some(Follow::Failing(place(rest))),
        ("slow", rest) => Some(Follow::Slower(duration::parse(rest)?)),
        _ => Some(Follow::Through(place(what))),
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
    fn a_request_is_named_by_what_it_comes_by_or_what_becomes_of_it() {
        let through = |name: &str| Follow::Through(Some(Selector(name.to_string())));
        assert_eq!(follow("web/1"), Ok(Some(through("web/1"))));
        assert_eq!(follow("failed"), Ok(Some(Follow::Failing(None))));
        assert_eq!(
            follow("slow 200ms"),
            Ok(Some(Follow::Slower(Duration::from_millis(200))))
        );
        assert_eq!((follow(""), follow("off")), (Ok(Some(Follow::Through(None))), Ok(None)));
        assert!(follow("slow").is_err());
    }

    #[test]
    fn whoever_mistypes_is_told_of_all_words() {
        assert!(is_unknown("wirte") && !is_unknown("w") && !is_unknown("kill"));
        for word in ["w", "goto", "mark", "note", "branch", "save-layout", "loop", "q"] {
            assert!(also().split([' ', ',']).any(|named| named == word), "{word}");
        }
    }

    #[test]
    fn every_theme_can_be_typed_and_completed() {
        let usage = WORDS.iter().find(|word| word.name == THEME).expect("the word").usage;
        let names = Name::ALL.map(Name::word).join("|");
        assert_eq!(usage, format!("{THEME} {names}"));
        for name in Name::ALL {
            let line = format!("{THEME} {}", name.word());
            assert_eq!(read(&line), Some(Ok(Intent::Wear(name))));
        }
        let Some(Err(why)) = read("theme ligt") else {
            panic!("there is no such theme");
        };
        assert_eq!(why, "there is no theme `ligt`; did you mean `light`?");
        assert!(matches!(read(THEME), Some(Err(why)) if why.ends_with("terminal, colour-blind, mono")));
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
