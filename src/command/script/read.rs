//! From the text of a script to its steps and what must hold.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Awaited, Expected, LONGEST_WORDS, Script, Step, What, When};
use crate::command::model::{Command, CommandError};
use crate::layout::source::{self, Kind, Node, Path, Problem};
use crate::layout::{RawExpectation, duration};

/// The largest file that is read, in bytes.
const LARGEST_FILE: usize = 8 * 1024 * 1024;
/// The most steps of a script.
const MOST_STEPS: usize = 100_000;
/// The most steps that wait for a condition: all that wait at a time are looked at every 100 ms of simulated time.
const MOST_CONDITIONS: usize = 1_000;
/// The longest run.
const LONGEST_RUN: Duration = Duration::from_secs(720 * 3600);

/// The fields of a step. The command is read apart, since it has two forms; which fields are there is seen in the tree.
#[derive(Deserialize)]
#[serde(rename = "Step", deny_unknown_fields)]
struct RawStep {
    #[serde(default, with = "duration")]
    at: Duration,
    #[serde(default)]
    after: String,
    #[serde(default, with = "duration")]
    wait: Duration,
    #[serde(default, rename = "do")]
    _act: IgnoredAny,
    #[serde(default)]
    mark: String,
    #[serde(default)]
    note: String,
}

/// The fields of which a step has one.
const WHATS: [&str; 3] = ["do", "mark", "note"];

/// The long form of a script. The steps are read apart.
#[derive(Deserialize)]
#[serde(rename = "Script", deny_unknown_fields)]
struct RawScript {
    #[serde(default, rename = "for", with = "duration::option")]
    length: Option<Duration>,
    #[serde(rename = "steps")]
    _steps: IgnoredAny,
    #[serde(default)]
    expect: Vec<RawExpectation>,
}

/// Reads a script.
pub(super) fn read(source: &str) -> Result<Script, Problem> {
    let root = source::scan(source, LARGEST_FILE)?;
    let path = Path::root(&root);
    if let Kind::List(_) = &root.kind {
        let steps = read_steps(source, &root, &path)?;
        return Ok(Script {
            steps,
            ..Script::default()
        });
    }
    let Some(steps) = root.entry("steps") else {
        return Err(path.problem(
            "a script is a list of steps, as in [(at: \"10s\", do: \"kill web/1\")], or (steps: [..], expect: [..])",
        ));
    };
    let raw: RawScript = source::read(&root)?;
    if raw
        .length
        .is_some_and(|length| length.is_zero() || length > LONGEST_RUN)
    {
        return Err(path.at("for").problem("a run is longer than 0 and at most 720h"));
    }
    let mut places = source::Places::of(source);
    let items = match root.entry("expect").map(|entry| &entry.value.kind) {
        Some(Kind::List(items)) => items.as_slice(),
        _ => &[],
    };
    let expect = raw.expect.into_iter().zip(items).map(|(condition, item)| {
        let (line, column) = places.position(item.offset);
        Expected {
            condition,
            line,
            column,
        }
    });
    Ok(Script {
        file: String::new(),
        length: raw.length,
        expect: expect.collect(),
        steps: read_steps(source, &steps.value, &path.at("steps"))?,
    })
}

fn read_steps(source: &str, list: &Node, path: &Path) -> Result<Vec<Step>, Problem> {
    let Kind::List(items) = &list.kind else {
        return Err(path.problem("the steps are a list, as in [(at: \"10s\", do: \"kill web/1\")]"));
    };
    if items.len() > MOST_STEPS {
        return Err(path.item(MOST_STEPS).problem("a script has at most 100,000 steps"));
    }
    // The two fields stand in any order within a step, so each has a walk of its own.
    let (mut acts, mut conditions) = (source::Places::of(source), source::Places::of(source));
    let mut awaited = 0;
    let mut steps = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = path.item(index);
        let raw: RawStep = source::read(item).map_err(|problem| problem.below(&path))?;
        let field = one_what(item, &path)?;
        let when = when(&raw, item, &path, &mut conditions)?;
        awaited += usize::from(matches!(when, When::After(_)));
        if awaited > MOST_CONDITIONS {
            return Err(path
                .at("after")
                .problem("a script has at most 1,000 steps that wait for a condition"));
        }
        let path = path.at(field);
        let (offset, what) = match (item.entry(field), field) {
            (Some(entry), "mark") => (entry.value.offset, What::Mark(words(raw.mark, &path)?)),
            (Some(entry), "note") => (entry.value.offset, What::Note(words(raw.note, &path)?)),
            (Some(entry), _) => {
                let command = command(&entry.value).map_err(|problem| problem.below(&path))?;
                (entry.value.offset, What::Do(command))
            }
            (None, _) => return Err(path.problem("it is missing")),
        };
        let (line, column) = acts.position(offset);
        steps.push(Step {
            when,
            what,
            line,
            column,
        });
    }
    Ok(steps)
}

/// The field that says what a step does.
fn one_what(step: &Node, path: &Path) -> Result<&'static str, Problem> {
    let mut given = WHATS.into_iter().filter(|field| step.entry(field).is_some());
    let Some(field) = given.next() else {
        return Err(path.problem("a step says what: one of `do`, `mark` and `note` is missing"));
    };
    match given.next() {
        None => Ok(field),
        Some(other) => Err(path.key(other).problem(format!(
            "a step has one of `do`, `mark` and `note`: after `{field}`, make `{other}` a step of its own"
        ))),
    }
}

/// When a step is done.
fn when(raw: &RawStep, step: &Node, path: &Path, places: &mut source::Places) -> Result<When, Problem> {
    match (step.entry("at"), step.entry("after"), step.entry("wait")) {
        (None, None, _) => {
            Err(path
                .problem("a step says when: `at: \"10s\"`, or `after: \"up(web) == 0\"` for a condition, is missing"))
        }
        (Some(_), Some(_), _) => Err(path
            .key("after")
            .problem("a step has `at` or `after`, not both; time after a condition is `wait: \"5s\"`")),
        (Some(_), None, Some(_)) => Err(path
            .key("wait")
            .problem("`wait` is time after a condition, and this step has none; write the later time in `at`")),
        (Some(_), None, None) => Ok(When::At(raw.at)),
        (None, Some(entry), _) => {
            let (line, column) = places.position(entry.value.offset);
            Ok(When::After(Awaited {
                condition: raw.after.clone(),
                wait: raw.wait,
                line,
                column,
            }))
        }
    }
}

/// The words of a mark or a note.
fn words(text: String, path: &Path) -> Result<String, Problem> {
    if text.chars().count() > LONGEST_WORDS {
        return Err(path.problem(format!("marks and notes have at most {LONGEST_WORDS} characters")));
    }
    Ok(text)
}

/// A command in words (`"kill web/1"`) or as RON (`Kill("web/1")`).
fn command(node: &Node) -> Result<Command, Problem> {
    let problem = |error: CommandError| Problem {
        offset: node.offset,
        path: String::new(),
        message: error.0,
    };
    if let Kind::Text(text) = &node.kind {
        return Command::parse(text).map_err(problem);
    }
    let command = match everybody(node) {
        Some(factor) => Command::Surge(None, factor),
        None => source::read(node)?,
    };
    command.validate().map_err(problem)?;
    Ok(command)
}

/// The factor of `Surge(2)`, which names no population and so means all of them.
fn everybody(node: &Node) -> Option<f64> {
    let Kind::Tuple {
        name: Some(name),
        items,
    } = &node.kind
    else {
        return None;
    };
    match items.as_slice() {
        [factor] if name == "Surge" => source::read(factor).ok(),
        _ => None,
    }
}
