//! What keys and acts are called.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthChar;

use crate::layout::{closest, printable};

use super::{Action, KEYMAP};

/// Acts that share a row of the table with others. All others are called by the verb of their row.
const SHARING: &[(Action, &str)] = &[
    (Action::More, "more"),
    (Action::Fewer, "fewer"),
    (Action::Surge, "surge"),
    (Action::Calm, "calm"),
    (Action::NextMilestone, "next"),
    (Action::LastMilestone, "previous"),
    (Action::Rewind, "rewind"),
    (Action::Return, "return"),
    (Action::Earlier, "earlier"),
    (Action::Later, "later"),
    (Action::Slower, "slower"),
    (Action::Faster, "faster"),
    (Action::Left, "left"),
    (Action::Down, "down"),
    (Action::Up, "up"),
    (Action::Right, "right"),
    (Action::First, "first"),
    (Action::Last, "last"),
    (Action::PageUp, "page up"),
    (Action::PageDown, "page down"),
    (Action::Enter, "in"),
    (Action::Back, "out"),
    (Action::NextPane, "next pane"),
    (Action::PreviousPane, "previous pane"),
    (Action::Pane(1), "pane 1"),
    (Action::Pane(2), "pane 2"),
    (Action::Pane(3), "pane 3"),
    (Action::Pane(4), "pane 4"),
    (Action::Pane(5), "pane 5"),
    (Action::Pane(6), "pane 6"),
    (Action::Pane(7), "pane 7"),
    (Action::Pane(8), "pane 8"),
    (Action::FindNext, "find next"),
    (Action::FindPrevious, "find previous"),
    (Action::Lens, "colour"),
    (Action::LensBack, "colour back"),
];

/// Keys with a name of several letters, as they are written in the table.
const NAMED: &[(&str, KeyCode)] = &[
    ("space", KeyCode::Char(' ')),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("page-up", KeyCode::PageUp),
    ("page-down", KeyCode::PageDown),
    ("insert", KeyCode::Insert),
    ("delete", KeyCode::Delete),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
];

/// The acts that keys can be bound to, each once, in the order of the table.
fn acts() -> impl Iterator<Item = Action> {
    let all: Vec<Action> = KEYMAP.iter().flat_map(|binding| binding.actions).copied().collect();
    let first = |index: &usize| all[..*index].iter().all(|before| *before != all[*index]);
    let indices: Vec<usize> = (0..all.len()).filter(first).collect();
    indices.into_iter().map(move |index| all[index])
}

/// Whether an act is called so.
pub(super) fn is_act(name: &str) -> bool {
    acts().any(|action| verb(action) == name)
}

/// What an act is called: the verb of its row, or a word of its own where it shares the row.
pub fn verb(action: Action) -> &'static str {
    let own = SHARING.iter().find(|(other, _)| *other == action);
    own.map_or_else(
        || {
            let row = KEYMAP.iter().find(|binding| binding.actions.contains(&action));
            row.map_or("", |binding| binding.verb)
        },
        |(_, verb)| verb,
    )
}

/// What acts are called, in the order of the table.
pub fn verbs() -> Vec<&'static str> {
    acts().map(verb).collect()
}

/// The act of this name.
///
/// # Errors
/// Why there is none, and what was probably meant.
pub fn act(name: &str) -> Result<Action, String> {
    if let Some(action) = acts().find(|action| verb(*action) == name) {
        return Ok(action);
    }
    if let Some(row) = KEYMAP.iter().find(|binding| binding.verb == name) {
        let mut several: Vec<&str> = row.actions.iter().map(|action| verb(*action)).collect();
        several.dedup();
        several.sort_unstable();
        several.dedup();
        return Err(format!("`{name}` is several acts: {}", several.join(", ")));
    }
    let way_out = match closest(name, verbs()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`blastradius config --example` lists all".to_string(),
    };
    Err(format!("there is no act called `{}`; {way_out}", printable(name)))
}

/// The name of a key, as the table writes it.
pub(super) fn name(key: KeyEvent) -> Option<String> {
    if key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    if let Some((name, code)) = NAMED.iter().find(|(_, code)| *code == key.code) {
        let sideways = matches!(code, KeyCode::Left | KeyCode::Right);
        return Some(if shift && sideways {
            format!("shift-{name}")
        } else {
            (*name).to_string()
        });
    }
    match key.code {
        KeyCode::Char(c) if ctrl => Some(format!("ctrl-{}", c.to_ascii_lowercase())),
        KeyCode::Char(c) => Some(c.to_string()),
        KeyCode::F(number) => Some(format!("f{number}")),
        _ => None,
    }
}

/// A key as the table writes it, from what a person wrote.
///
/// # Errors
/// Why no terminal sends such a key, or why it cannot be told from another one.
pub(super) fn key(text: &str) -> Result<String, String> {
    let mut letters = text.chars();
    if let (Some(c), None) = (letters.next(), letters.clone().next()) {
        if c == ' ' {
            return Ok("space".to_string());
        }
        return sign(c);
    }
    let lower = text.to_ascii_lowercase();
    let lower = if lower == "shift-tab" {
        "backtab".to_string()
    } else {
        lower
    };
    let named = NAMED.iter().any(|(name, _)| *name == lower);
    let function = (1..=12).any(|number| lower == format!("f{number}"));
    if named || lower == "shift-left" || lower == "shift-right" || function {
        return Ok(lower);
    }
    let held = lower
        .strip_prefix("ctrl-")
        .map(|rest| rest.chars().collect::<Vec<char>>());
    if let Some([c]) = held.as_deref() {
        let same = match c {
            'i' => "tab",
            'm' => "enter",
            '[' => "esc",
            c if c.is_ascii_alphanumeric() => return Ok(lower),
            _ => {
                return Err(format!(
                    "`{}` is not sent by terminals; ctrl goes with a letter",
                    printable(text)
                ));
            }
        };
        return Err(format!("`{lower}` cannot be told from `{same}` in a terminal"));
    }
    let way_out = match closest(&lower, NAMED.iter().map(|(name, _)| *name)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "write a sign (x, X, +), ctrl-x, f1 to f12, or a name such as space, enter, page-up".to_string(),
    };
    Err(format!("there is no key `{}`; {way_out}", printable(text)))
}

/// A key that is one sign, if people can see it, and in one column, as the pages that list the keys need.
fn sign(c: char) -> Result<String, String> {
    let text = c.to_string();
    let shown = printable(&text);
    if c.is_control() {
        return Err(format!(
            "there is no key `{shown}`; write its name, such as tab, enter, ctrl-x"
        ));
    }
    // The blank of Braille is no white space.
    let blank = c.is_whitespace() || c == '\u{2800}';
    match c.width() {
        Some(1) if !blank && shown == text => Ok(text),
        Some(2..) if !blank && shown == text => Err(format!(
            "`{text}` is two columns wide, and a key has one; choose another sign"
        )),
        _ => Err(format!(
            "the sign U+{:04X} cannot be seen on a screen; choose another one",
            u32::from(c)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_has_a_name_of_its_own() {
        let mut names = verbs();
        assert!(names.iter().all(|name| !name.is_empty()));
        for name in &names {
            assert_eq!(act(name).map(verb), Ok(*name));
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn what_is_no_act_is_explained() {
        assert_eq!(
            act("kil"),
            Err("there is no act called `kil`; did you mean `kill`?".to_string())
        );
        assert_eq!(
            act("machines"),
            Err("`machines` is several acts: fewer, more".to_string())
        );
        assert!(act("xyzzyxyzzy").is_err_and(|why| why.ends_with("--example` lists all")));
    }

    #[test]
    fn keys_are_written_as_the_table_does() {
        for binding in KEYMAP {
            for written in binding.keys {
                assert_eq!(key(written).as_deref(), Ok(*written));
            }
        }
        assert_eq!(key("Shift-Tab").as_deref(), Ok("backtab"));
        assert_eq!(key(" ").as_deref(), Ok("space"));
        assert_eq!(key("F5").as_deref(), Ok("f5"));
        assert_eq!(key("f12").as_deref(), Ok("f12"));
        assert_eq!(key("ä").as_deref(), Ok("ä"));
        assert_eq!(key("CTRL-K").as_deref(), Ok("ctrl-k"));
        for (text, why) in [
            ("ctrl-i", "cannot be told from `tab`"),
            ("ctrl-é", "not sent by terminals"),
            ("entre", "did you mean `enter`?"),
            ("f13", "there is no key"),
            ("", "there is no key"),
            ("f01", "there is no key"),
            ("f+2", "there is no key"),
            ("f0", "there is no key"),
            ("\u{1b}", "there is no key `\\u{1b}`"),
            ("\u{200b}", "U+200B cannot be seen"),
            ("\u{202e}", "U+202E cannot be seen"),
            ("\u{301}", "U+0301 cannot be seen"),
            ("\u{a0}", "U+00A0 cannot be seen"),
            ("\u{3000}", "U+3000 cannot be seen"),
            ("界", "`界` is two columns wide"),
        ] {
            assert!(key(text).is_err_and(|error| error.contains(why)), "{text}");
        }
    }
}
