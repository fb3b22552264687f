//! What is to be done in a run: commands, marks and notes, each at a time or after a condition.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::time::Duration;

use super::model::Command;
use super::resolve;
use crate::layout::source;
use crate::layout::{Expectation, Layout, RawExpectation, condition, printable};

/// The longest name of a mark and the longest note, in characters.
pub const LONGEST_WORDS: usize = 500;

/// A script: what is to be done in a run, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The file, as it was named, for errors. Empty if there is none.
    pub file: String,
    /// How long the run is to be, if the script says so.
    pub length: Option<Duration>,
    /// The steps, in the order of the file.
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
    /// When.
    pub when: When,
    /// What.
    pub what: What,
    /// Line of the command, mark or note in the file, from 1; 0 if it comes from no file.
    pub line: usize,
    /// Column of the command, mark or note in characters, from 1; 0 if it comes from no file.
    pub column: usize,
}

/// When a step is done.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// So long after the start of the run.
    At(Duration),
    /// After a condition has held.
    After(Awaited),
}

/// What a step waits for. It is looked at every 100 ms of simulated time, from when the step before it in the file was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// The condition as it stands in the file: `up(web) == 0`, in the grammar of expectations.
    pub condition: String,
    /// How long after the condition has held the step is done.
    pub wait: Duration,
    /// Line of the condition in the file, from 1; 0 if it comes from no file.
    pub line: usize,
    /// Column of the condition in characters, from 1; 0 if it comes from no file.
    pub column: usize,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A command.
    Do(Command),
    /// A chapter begins, of this name.
    Mark(String),
    /// Something is said about the moment.
    Note(String),
}

/// As it is typed after `:` in the terminal. Marks and notes may hold any character.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Do(command) => write!(f, "{command}"),
            What::Mark(name) => write!(f, "mark {name}"),
            What::Note(text) => write!(f, "note {text}"),
        }
    }
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
    /// A script that comes from no file and expects nothing.
    pub fn of(length: Option<Duration>, steps: Vec<Step>) -> Script {
        Script {
            length,
            steps,
            ..Script::default()
        }
    }

    /// The script, expecting this of a run as well.
    #[must_use]
    pub fn expecting(mut self, conditions: &[RawExpectation]) -> Script {
        self.expect.extend(conditions.iter().map(|condition| Expected {
            condition: condition.clone(),
            line: 0,
            column: 0,
        }));
        self
    }

    /// Reads a script: a list of steps, or `(for: "4m", steps: [..], expect: [..])` with the length of the run and with what must hold
    /// in it, written as a layout writes it. It has at most 100,000 steps and 8 MiB; a step is `(at: "10s", do: Kill("web/1"))` or `(at: "10s", do: "kill web/1")`.
    /// In place of `do` it may have `mark: "the outage"` or `note: "nobody noticed yet"`, of at most [`LONGEST_WORDS`] characters; in place of `at`, in at most 1,000
    /// steps, `after: "up(web) == 0"` and, if it is to be done so long after that, `wait: "5s"`. `file` is for the errors only.
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

    /// The commands that have a time, in order of time; those of one time keep the order of the file.
    pub fn timed(&self) -> Vec<(Duration, &Command)> {
        let timed = self.steps.iter().filter_map(|step| match (&step.when, &step.what) {
            (When::At(at), What::Do(command)) => Some((*at, command)),
            _ => None,
        });
        let mut timed: Vec<_> = timed.collect();
        timed.sort_by_key(|(at, _)| *at);
        timed
    }

    /// Checks that every expectation and every condition can be judged, and that every selector names something of the layout, and names it without doubt. Instances that only exist because the
    /// script scales their service count as named.
    ///
    /// # Errors
    /// The first expectation, condition or command, in this order, that names nothing or too much.
    pub fn check(&self, layout: &Layout) -> Result<(), ScriptError> {
        self.expectations(layout)?;
        for awaited in self.steps.iter().filter_map(Step::awaited) {
            condition(&awaited.condition, layout).map_err(|message| ScriptError {
                file: self.file.clone(),
                line: awaited.line,
                column: awaited.column,
                message: format!("after: {message}"),
            })?;
        }
        let (steps, commands): (Vec<&Step>, Vec<&Command>) = self
            .steps
            .iter()
            .filter_map(|step| Some((step, step.command()?)))
            .unzip();
        resolve::check(&commands, layout).map_err(|(index, message)| ScriptError {
            file: self.file.clone(),
            line: steps[index].line,
            column: steps[index].column,
            message: format!("{}: {message}", commands[index]),
        })
    }
}

impl Step {
    /// Its command, if that is what it does.
    pub fn command(&self) -> Option<&Command> {
        match &self.what {
            What::Do(command) => Some(command),
            What::Mark(_) | What::Note(_) => None,
        }
    }

    fn awaited(&self) -> Option<&Awaited> {
        match &self.when {
            When::After(awaited) => Some(awaited),
            When::At(_) => None,
        }
    }
}
