//! From text to a validated layout.

use std::fmt;
use std::sync::Arc;

use super::model::Layout;
use super::raw::{self, RawExpectation, RawLayout};
use super::source::{self, Node, Path, Problem};
use super::text::printable;
use super::validate::validate;

/// The largest file that is read, in bytes.
pub(super) const LARGEST_FILE: usize = 1024 * 1024;

/// The most expectations of a layout: all are evaluated every 100 ms of simulated time.
const MOST_EXPECTATIONS: usize = 1_000;

/// The text that a layout was read from. It says nothing of what a layout is that the layout does not: all are equal.
#[derive(Clone, Debug)]
pub struct Source(Arc<str>);

impl Source {
    pub(super) fn new(text: &str) -> Source {
        Source(text.into())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The text, for whoever keeps it.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl PartialEq for Source {
    fn eq(&self, _: &Source) -> bool {
        true
    }
}

/// What is wrong with a layout, where, and what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutError {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, with the path to it, and the way out. Text from the file is escaped in it.
    pub message: String,
}

impl LayoutError {
    fn new(problem: &Problem, source: &str, file: &str) -> LayoutError {
        let (line, column) = source::position(source, problem.offset);
        LayoutError {
            file: file.to_owned(),
            line,
            column,
            message: problem.text(),
        }
    }

    /// The error with the line of the source that it is about and a caret below the column.
    pub fn render(&self, source: &str) -> String {
        source::render(&self.to_string(), source, self.line, self.column)
    }
}

impl fmt::Display for LayoutError {
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

impl std::error::Error for LayoutError {}

/// Reads a layout of at most 1 MiB, fills in the defaults and checks all of it but the commands of its experiments, for which there is
/// [`experiments`](crate::command::experiments). `file` is for the errors only.
///
/// # Errors
/// The first thing that is wrong: in the text, then in the fields, then in what they mean together.
pub fn parse(source: &str, file: &str) -> Result<Layout, LayoutError> {
    read(source).map_err(|problem| LayoutError::new(&problem, source, file))
}

fn read(source: &str) -> Result<Layout, Problem> {
    let root = source::scan(source, LARGEST_FILE)?;
    let raw: RawLayout = source::read(&root)?;
    let path = Path::root(&root);
    let (mut layout, expectations, experiments) = raw.model(&path)?;
    layout.source = Source::new(source);
    validate(&layout, &root)?;
    expect(&mut layout, expectations, &root)?;
    layout.experiments = raw::experiments(experiments, &layout, &path.at("experiments"), source)?;
    Ok(layout)
}

fn expect(layout: &mut Layout, expectations: Vec<RawExpectation>, root: &Node) -> Result<(), Problem> {
    let path = Path::root(root);
    if expectations.len() > MOST_EXPECTATIONS {
        return Err(path
            .at("expect")
            .problem(format!("at most {MOST_EXPECTATIONS} expectations")));
    }
    for (index, raw) in expectations.into_iter().enumerate() {
        let expectation = raw
            .model(layout)
            .map_err(|message| path.at("expect").item(index).problem(message))?;
        layout.expect.push(expectation);
    }
    Ok(())
}
