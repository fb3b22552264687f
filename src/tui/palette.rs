//! The palette: everything that can be done, found by typing a part of what it is called or of what it does.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use crate::command::{FAULTS, VERBS};

use super::app::App;
use super::keymap::{self, Action};
use super::lens::Lens;
use super::menu::{Choice, Entry, Menu};
use super::words::WORDS;

/// What moves about is no use in a list that is typed at.
const NOT_LISTED: [Action; 8] = [
    Action::Left,
    Action::First,
    Action::Enter,
    Action::NextPane,
    Action::Pane(1),
    Action::FindNext,
    Action::Palette,
    Action::Earlier,
];

/// The longest text that is sought.
const LONGEST: usize = 60;

/// What is typed at the palette, and the line under the cursor.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    typed: Input,
    at: usize,
}

impl PartialEq for Palette {
    fn eq(&self, other: &Palette) -> bool {
        self.at == other.at && self.typed.value() == other.typed.value()
    }
}

/// Words that do what a key does, or that are told apart.
const HAVE_KEYS: [&str; 3] = ["blast", "q", "colour"];

/// What a key did.
pub enum Pressed {
    /// The palette stays.
    Stays,
    /// It is closed.
    Closed,
    /// This is to be done.
    Chosen(Choice),
}

impl Palette {
    /// What fits what is typed, as a menu.
    pub fn menu(&self, app: &App) -> Menu {
        let entries = fitting(all(app), self.typed.value());
        let hint = if entries.is_empty() {
            "nothing is called like that   esc closes"
        } else {
            "type to find   enter does it   esc closes"
        };
        Menu {
            title: format!("› {}▏", self.typed.value()),
            at: self.at.min(entries.len().saturating_sub(1)),
            entries,
            hint: hint.to_string(),
        }
    }

    /// Takes what is pasted.
    pub fn paste(&mut self, pasted: &str) {
        for sign in pasted.chars().filter(|sign| !sign.is_control()).take(LONGEST) {
            self.type_sign(sign);
        }
    }

    fn type_sign(&mut self, sign: char) {
        if self.typed.value().chars().count() < LONGEST {
            self.typed.handle(InputRequest::InsertChar(sign));
            self.at = 0;
        }
    }

    /// Takes a key.
    pub fn key(&mut self, app: &App, key: KeyEvent) -> Pressed {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let mut menu = self.menu(app);
        let request = match key.code {
            KeyCode::Esc => return Pressed::Closed,
            KeyCode::Char('c' | 'p') if ctrl => return Pressed::Closed,
            KeyCode::Enter => {
                let chosen = menu.entries.into_iter().nth(menu.at);
                return chosen.map_or(Pressed::Stays, |entry| Pressed::Chosen(entry.choice));
            }
            KeyCode::Down | KeyCode::Tab => {
                menu.step(1);
                self.at = menu.at;
                return Pressed::Stays;
            }
            KeyCode::Up | KeyCode::BackTab => {
                menu.step(-1);
                self.at = menu.at;
                return Pressed::Stays;
            }
            KeyCode::Backspace if self.typed.value().is_empty() => return Pressed::Closed,
            KeyCode::Backspace => InputRequest::DeletePrevChar,
            KeyCode::Char('u') if ctrl => InputRequest::DeleteLine,
            KeyCode::Char('w') if ctrl => InputRequest::DeletePrevWord,
            KeyCode::Char(sign) if !ctrl => {
                self.type_sign(sign);
                return Pressed::Stays;
            }
            _ => return Pressed::Stays,
        };
        self.typed.handle(request);
        self.at = 0;
        Pressed::Stays
    }
}

/// All that can be done: keys, commands, faults, words, lenses and layouts.
fn all(app: &App) -> Vec<Entry> {
    let entry = |words: String, detail: &str, choice: Choice| Entry {
        key: None,
        words,
        detail: detail.to_string(),
        choice,
        now: false,
    };
    let rows = app.keymap.rows().iter().map(|row| row.binding);
    let rows = rows.filter(|row| !NOT_LISTED.contains(&row.actions[0]));
    let keys = rows.flat_map(|row| {
        let mut actions = row.actions.to_vec();
        actions.sort_by_key(|action| row.actions.iter().position(|other| other == action));
        actions.dedup();
        actions.into_iter().map(move |action| {
            let words = format!("{}  {}", keymap::verb(action), app.keymap.key(action));
            entry(words, row.help, Choice::Act(action))
        })
    });
    let typed = |name: &str| Choice::Type(format!("{name} "));
    let verbs = VERBS
        .iter()
        .map(|row| entry(format!(":{}", row.name), row.about, typed(row.name)));
    let composites = FAULTS.iter().filter(|fault| fault.is_composite());
    let composites = composites.map(|fault| entry(format!(":{}", fault.name), fault.effect, typed(fault.name)));
    // What has a key stands above, and lenses below.
    let words = WORDS.iter().filter(|word| !HAVE_KEYS.contains(&word.name));
    let words = words.map(|word| entry(format!(":{}", word.name), word.does, typed(word.name)));
    let lenses = Lens::ALL.into_iter().map(|lens| {
        let words = format!(":colour {}", lens.word());
        entry(words, "colour the map by it", Choice::Look(lens))
    });
    let layouts = app.choices.iter().enumerate();
    let layouts =
        layouts.map(|(index, choice)| entry(format!("open {}", choice.name), &choice.title, Choice::Open(index)));
    keys.chain(verbs)
        .chain(composites)
        .chain(words)
        .chain(lenses)
        .chain(layouts)
        .collect()
}

/// The entries in which each typed word stands, those first that are called so; what is typed decides, not the order of the list.
fn fitting(entries: Vec<Entry>, typed: &str) -> Vec<Entry> {
    let typed: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let rank = |entry: &Entry| -> Option<usize> {
        let (name, about) = (entry.words.to_lowercase(), entry.detail.to_lowercase());
        let places = typed.iter().map(|word| match (name.find(word), about.find(word)) {
            (Some(0), _) => Some(0),
            (Some(place), _) => Some(1 + place),
            (None, Some(_)) => Some(100),
            (None, None) => None,
        });
        places.sum()
    };
    let mut found: Vec<(usize, Entry)> = entries
        .into_iter()
        .filter_map(|entry| Some((rank(&entry)?, entry)))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, entry)| entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(words: &str, detail: &str) -> Entry {
        Entry {
            key: None,
            words: words.to_string(),
            detail: detail.to_string(),
            choice: Choice::Type(words.to_string()),
            now: false,
        }
    }

    #[test]
    fn what_is_called_so_stands_before_what_is_said_to_be_so() {
        let all = vec![
            entry("mend", "undo slowness"),
            entry(":slow", "multiply core time"),
            entry("speed", "slower"),
        ];
        let found: Vec<String> = fitting(all.clone(), "Slow")
            .into_iter()
            .map(|entry| entry.words)
            .collect();
        assert_eq!(found, [":slow", "mend", "speed"]);
        assert_eq!(fitting(all.clone(), "slow core").len(), 1);
        assert_eq!(fitting(all.clone(), "").len(), 3);
        assert!(fitting(all, "nothing").is_empty());
    }
}
