//! From a script to its text.

use std::fmt::Write as _;

use super::{Script, Step, What, When};
use crate::command::model::Command;
use crate::layout::{RawExpectation, duration, printable};

impl Script {
    /// The text of a file that [`Script::parse`] reads back as this script. `remark` becomes a comment in its first line, whatever it holds; so do texts of
    /// the script become safe to be shown.
    pub fn to_text(&self, remark: &str) -> String {
        let mut text = format!("// {}\nScript(\n", printable(remark));
        let mut line = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        if let Some(length) = self.length {
            line(format!("    for: {},", quoted(&duration::format(length))));
        }
        line("    steps: [".to_owned());
        for step in &self.steps {
            line(format!("        {},", written(step)));
        }
        line("    ],".to_owned());
        if !self.expect.is_empty() {
            line("    expect: [".to_owned());
            for expected in &self.expect {
                line(format!("        {},", expectation(&expected.condition)));
            }
            line("    ],".to_owned());
        }
        text.push_str(")\n");
        text
    }
}

/// A step: `(at: "10s", do: "kill web/1")`.
fn written(step: &Step) -> String {
    let mut text = match &step.when {
        When::At(at) => format!("(at: {}", quoted(&duration::format(*at))),
        When::After(awaited) => format!("(after: {}", quoted(&awaited.condition)),
    };
    if let When::After(awaited) = &step.when
        && !awaited.wait.is_zero()
    {
        let _ = write!(text, ", wait: {}", quoted(&duration::format(awaited.wait)));
    }
    let what = match &step.what {
        What::Do(command) => format!("do: {}", act(command)),
        What::Mark(name) => format!("mark: {}", quoted(name)),
        What::Note(note) => format!("note: {}", quoted(note)),
    };
    let _ = write!(text, ", {what})");
    text
}

/// A command in words; as data where words would not say the same.
fn act(command: &Command) -> String {
    let words = command.to_string();
    if Command::parse(&words).as_ref() == Ok(command) {
        quoted(&words)
    } else {
        ron::to_string(command).expect("a command is plain data")
    }
}

fn expectation(expectation: &RawExpectation) -> String {
    match expectation {
        RawExpectation::Always(text) => format!("Always({})", quoted(text)),
        RawExpectation::Eventually(text) => format!("Eventually({})", quoted(text)),
        RawExpectation::Sometimes(text) => format!("Sometimes({})", quoted(text)),
        RawExpectation::At(at, text) => format!("At({}, {})", quoted(&duration::format(*at)), quoted(text)),
    }
}

/// A text in double quotes in which nothing is left that a terminal would obey or hide.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", printable(&text))
}
