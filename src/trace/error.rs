//! Why a trace cannot be used.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

/// The most characters of a file that a message quotes.
const QUOTED: usize = 40;

/// Why a trace cannot be read: where, what is wrong, and what to do about it. Text from the file is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1, where one is to blame.
    pub line: Option<u64>,
    /// The column, from 1, where one is to blame.
    pub column: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub way_out: String,
}

impl TraceError {
    /// An error of a whole file.
    pub(super) fn of(file: &Path, problem: impl Into<String>, way_out: impl Into<String>) -> TraceError {
        TraceError {
            file: file.to_path_buf(),
            line: None,
            column: None,
            problem: problem.into(),
            way_out: way_out.into(),
        }
    }

    /// The error of a file that is not what it was when it was first read.
    pub fn changed(file: &Path) -> TraceError {
        TraceError::of(
            file,
            "it has changed since it was first read",
            "start again when nobody writes to it any more",
        )
    }

    /// The same error, of a line.
    pub(super) fn on(mut self, line: u64) -> TraceError {
        self.line = Some(line);
        self
    }
}

impl Display for TraceError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the trace {}: ", self.file.display())?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            _ => (),
        }
        write!(f, "{}; {}", self.problem, self.way_out)
    }
}

impl Error for TraceError {}

/// What is wrong and what to do about it, of a thing whose place only the caller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The column, from 1, where one is to blame.
    pub(super) column: Option<usize>,
    /// What is wrong.
    pub(super) problem: String,
    /// What to do about it.
    pub(super) way_out: String,
}

impl Fault {
    /// A fault of a whole line.
    pub(super) fn new(problem: impl Into<String>, way_out: impl Into<String>) -> Fault {
        Fault {
            column: None,
            problem: problem.into(),
            way_out: way_out.into(),
        }
    }

    /// The same fault, of a column, which is counted from 0 here.
    pub(super) fn at(mut self, column: usize) -> Fault {
        self.column = Some(column + 1);
        self
    }

    /// The error of this fault on a line of a file.
    pub(super) fn on(self, file: &Path, line: u64) -> TraceError {
        TraceError {
            file: file.to_path_buf(),
            line: Some(line),
            column: self.column,
            problem: self.problem,
            way_out: self.way_out,
        }
    }
}

/// Text from a file for a message: short, escaped, in backquotes.
pub(super) fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut shown: String = text.chars().take(QUOTED).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
