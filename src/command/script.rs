//! Timed commands.

mod read;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use super::model::Command;
use super::resolve;
use crate::layout::source;
use crate::layout::{Expectation, Layout, RawExpectation, printable};

/// A script: commands with their times, in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The file, as it was named, for errors. Empty if there is none.
    pub file: String,
    /// How long the run is to be, if the script says so.
    pub length: Option<Duration>,
    /// The steps.
    pub steps: Vec<Step>,
    /// What must hold in a run of the script, beside what the layout expects.
    expect: Vec<Expected>,
}

/// What must hold, and where that stands in the file.
#[derive(Clone, Debug, PartialEq)]
struct Expected {
    condition: RawExpectation,
    line: usize,
    column: usize,
}

/// One step of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When, from the start of the run.
    pub at: Duration,
    /// What.
    pub act: Command,
    /// Line of the command in the file, from 1; 0 if it comes from no file.
    pub line: usize,
    /// Column of the command in characters, from 1; 0 if it comes from no file.
    pub column: usize,
}

/// What is wrong with a script, where, and what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and the way out. Text from the file is escaped in it.
    pub message: String,
}

impl ScriptError {
    /// The error with the line of the source that it is about and a caret below the column.
    pub fn render(&self, source: &str) -> String {
        source::render(&self.to_string(), source, self.line, self.column)
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            printable(&self.file),
            self.line,
            self.column,
            self.message
        )
    }
}

impl std::error::Error for ScriptError {}

impl Script {
    /// Reads a script: a list of steps, or `(for: "4m", steps: [..], expect: [..])` with the length of the run and with what must hold
    /// in it, written as a layout writes it. It has at most 100,000 steps and 8 MiB; a step is `(at: "10s", do: Kill("web/1"))` or `(at: "10s", do: "kill web/1")`.
    /// The steps come back in order of time; those of one time keep the order of the file. `file` is for the errors only.
    ///
    /// # Errors
    /// The first thing that is wrong with the text or with a command in itself. See [`Script::check`] for the names in it.
    pub fn parse(source: &str, file: &str) -> Result<Script, ScriptError> {
        read::read(source)
            .map(|script| Script {
                file: file.to_owned(),
                ..script
            })
            .map_err(|problem| {
                let (line, column) = source::position(source, problem.offset);
                ScriptError {
                    file: file.to_owned(),
                    line,
                    column,
                    message: problem.text(),
                }
            })
    }

    /// What must hold in a run of the script on this layout, beside what the layout expects.
    ///
    /// # Errors
    /// The first expectation that can't be read, or that names what is not there.
    pub fn expectations(&self, layout: &Layout) -> Result<Vec<Expectation>, ScriptError> {
        let read = |expected: &Expected| {
            expected.condition.model(layout).map_err(|message| ScriptError {
                file: self.file.clone(),
                line: expected.line,
                column: expected.column,
                message: format!("expect: {message}"),
            })
        };
        self.expect.iter().map(read).collect()
    }

    /// Checks that every expectation can be judged, and that every selector names something of the layout, and names it without doubt. Instances that only exist because the
    /// script scales their service count as named.
    ///
    /// # Errors
    /// The first step, in order of time, whose selector names nothing or too much.
    pub fn check(&self, layout: &Layout) -> Result<(), ScriptError> {
        self.expectations(layout)?;
        resolve::check(&self.steps, layout).map_err(|(step, message)| ScriptError {
            file: self.file.clone(),
            line: step.line,
            column: step.column,
            message: format!("{}: {message}", step.act),
        })
    }
}
