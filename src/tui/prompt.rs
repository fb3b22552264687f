//! Text that is typed: commands and searches, with history and completion.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

/// What the text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A command.
    Command,
    /// A search.
    Find,
    /// The name of a chapter.
    Mark,
    /// What somebody expects of the experiment at this place.
    Predict(usize),
}

/// A line that is typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// The text and its cursor.
    pub input: Input,
    /// Why the text was refused when it was last entered.
    pub refusal: Option<String>,
    /// Ways to complete the word at the cursor.
    pub offers: Vec<String>,
    /// Which of them was put in last.
    offered: Option<usize>,
    /// Which line of the history is shown.
    recalled: Option<usize>,
}

impl PartialEq for Prompt {
    fn eq(&self, other: &Prompt) -> bool {
        self.purpose == other.purpose && self.input.value() == other.input.value()
    }
}

/// Lines typed before, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    lines: Vec<String>,
}

/// Lines that are remembered.
const REMEMBERED: usize = 100;
/// The longest text that can be typed.
const LONGEST: usize = 400;

impl History {
    /// Remembers a line.
    pub fn add(&mut self, line: &str) {
        self.lines.retain(|other| other != line);
        self.lines.push(line.to_string());
        if self.lines.len() > REMEMBERED {
            self.lines.remove(0);
        }
    }
}

/// What a key did to the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It changed the text or the cursor.
    Changed,
    /// The text is done.
    Done,
    /// The text is given up.
    Left,
    /// Complete the word.
    Complete,
    /// Nothing.
    Nothing,
}

impl Prompt {
    /// An empty line.
    pub fn new(purpose: Purpose) -> Prompt {
        Prompt {
            purpose,
            input: Input::default(),
            refusal: None,
            offers: Vec::new(),
            offered: None,
            recalled: None,
        }
    }

    /// A command of which this is typed already.
    pub fn begun(line: &str) -> Prompt {
        Prompt {
            input: Input::new(line.to_string()),
            ..Prompt::new(Purpose::Command)
        }
    }

    /// A command that was refused, to be mended.
    pub fn refused(line: &str, why: impl Into<String>) -> Prompt {
        Prompt {
            input: Input::new(line.to_string()),
            refusal: Some(why.into()),
            ..Prompt::new(Purpose::Command)
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent, history: &History) -> Typed {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let request = match key.code {
            KeyCode::Enter => return Typed::Done,
            KeyCode::Esc => return Typed::Left,
            KeyCode::Tab => return Typed::Complete,
            KeyCode::Char('c') if ctrl => return Typed::Left,
            KeyCode::Backspace if self.text().is_empty() => return Typed::Left,
            KeyCode::Up => return self.recall(history, true),
            KeyCode::Down => return self.recall(history, false),
            KeyCode::Backspace => InputRequest::DeletePrevChar,
            KeyCode::Delete => InputRequest::DeleteNextChar,
            KeyCode::Left => InputRequest::GoToPrevChar,
            KeyCode::Right => InputRequest::GoToNextChar,
            KeyCode::Home => InputRequest::GoToStart,
            KeyCode::End => InputRequest::GoToEnd,
            KeyCode::Char('a') if ctrl => InputRequest::GoToStart,
            KeyCode::Char('e') if ctrl => InputRequest::GoToEnd,
            KeyCode::Char('w') if ctrl => InputRequest::DeletePrevWord,
            KeyCode::Char('u') if ctrl => InputRequest::DeleteLine,
            KeyCode::Char('k') if ctrl => InputRequest::DeleteTillEnd,
            KeyCode::Char(c) if !ctrl && self.text().len() < LONGEST => InputRequest::InsertChar(c),
            _ => return Typed::Nothing,
        };
        self.input.handle(request);
        self.refusal = None;
        self.offers.clear();
        self.offered = None;
        Typed::Changed
    }

    /// Puts text in at the cursor: what was pasted, its first line only.
    pub fn paste(&mut self, text: &str) {
        for c in text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
        {
            if self.text().len() < LONGEST {
                self.input.handle(InputRequest::InsertChar(c));
            }
        }
        self.offers.clear();
        self.offered = None;
    }

    fn recall(&mut self, history: &History, older: bool) -> Typed {
        let count = history.lines.len();
        let next = match (self.recalled, older) {
            (None, true) => count.checked_sub(1),
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) if at + 1 < count => Some(at + 1),
            (_, false) => None,
        };
        self.recalled = next;
        let line = next.map_or(String::new(), |at| history.lines[at].clone());
        self.input = Input::new(line);
        self.refusal = None;
        self.offers.clear();
        self.offered = None;
        Typed::Changed
    }

    /// Completes the last word: what all candidates share at first, then one after the other.
    pub fn complete(&mut self, candidates: &[String]) {
        let text = self.text().to_string();
        if let Some(at) = self.offered {
            let next = (at + 1) % self.offers.len().max(1);
            let stem = text.len() - self.offers[at].len();
            self.input = Input::new(format!("{}{}", &text[..stem], self.offers[next]));
            self.offered = Some(next);
            return;
        }
        let start = text.rfind(' ').map_or(0, |space| space + 1);
        let (stem, word) = text.split_at(start);
        self.offers = candidates
            .iter()
            .filter(|candidate| candidate.starts_with(word))
            .cloned()
            .collect();
        let Some(first) = self.offers.first().cloned() else {
            return;
        };
        let shared = self
            .offers
            .iter()
            .fold(first.as_str(), |shared, offer| common(shared, offer))
            .to_string();
        if shared.len() > word.len() || self.offers.len() == 1 {
            let end = if self.offers.len() == 1 { " " } else { "" };
            self.input = Input::new(format!("{stem}{shared}{end}"));
            if self.offers.len() == 1 {
                self.offers.clear();
            }
        } else {
            self.input = Input::new(format!("{stem}{first}"));
            self.offered = Some(0);
        }
    }
}

fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    let shorter = a.len().min(b.len());
    &a[..same.map_or(shorter, |((at, _), _)| at)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_string()).collect()
    }

    #[test]
    fn tab_completes_what_is_shared_then_one_after_the_other() {
        let (verbs, names) = (words(&["kill", "mend", "mend-all"]), words(&["web", "web/1", "db"]));
        let mut prompt = Prompt::new(Purpose::Command);
        prompt.paste("k");
        prompt.complete(&verbs);
        assert_eq!(prompt.text(), "kill ");
        prompt.paste("w");
        prompt.complete(&names);
        assert_eq!(prompt.text(), "kill web");
        prompt.complete(&names);
        prompt.complete(&names);
        assert_eq!(prompt.text(), "kill web/1");
    }

    #[test]
    fn what_is_recalled_is_completed_anew() {
        let mut history = History::default();
        history.add("k");
        let mut prompt = Prompt::new(Purpose::Command);
        prompt.paste("restart web");
        prompt.complete(&words(&["web", "web-of-the-other-side"]));
        prompt.key(KeyEvent::new(KeyCode::Up, KeyModifiers::NONE), &history);
        prompt.complete(&words(&["kill", "mend"]));
        assert_eq!(prompt.text(), "kill ");
    }

    #[test]
    fn history_goes_back_and_forth() {
        let mut history = History::default();
        history.add("kill web/1");
        history.add("mend web/1");
        let mut prompt = Prompt::new(Purpose::Command);
        let press = |code| KeyEvent::new(code, KeyModifiers::NONE);
        prompt.key(press(KeyCode::Up), &history);
        assert_eq!(prompt.text(), "mend web/1");
        prompt.key(press(KeyCode::Up), &history);
        assert_eq!(prompt.text(), "kill web/1");
        prompt.key(press(KeyCode::Down), &history);
        prompt.key(press(KeyCode::Down), &history);
        assert_eq!(prompt.text(), "");
    }

    #[test]
    fn pasted_text_holds_no_controls() {
        let mut prompt = Prompt::new(Purpose::Command);
        prompt.paste("kill\u{1b}[A web\nmend");
        assert_eq!(prompt.text(), "kill[A web");
    }
}
