//! From the text of a script to its steps and what must hold.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Expected, Script, Step};
use crate::command::model::{Command, CommandError};
use crate::layout::source::{self, Kind, Node, Path, Problem};
use crate::layout::{RawExpectation, duration};

/// The largest file that is read, in bytes.
const LARGEST_FILE: usize = 8 * 1024 * 1024;
/// The most steps of a script.
const MOST_STEPS: usize = 100_000;
/// The longest run.
const LONGEST_RUN: Duration = Duration::from_secs(720 * 3600);

/// The fields of a step. The command is read apart, since it has two forms.
#[derive(Deserialize)]
#[serde(rename = "Step", deny_unknown_fields)]
struct RawStep {
    #[serde(with = "duration")]
    at: Duration,
    #[serde(rename = "do")]
    _act: IgnoredAny,
}

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
    let mut places = source::Places::of(source);
    let mut steps = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = path.item(index);
        let raw: RawStep = source::read(item).map_err(|problem| problem.below(&path))?;
        let Some(entry) = item.entry("do") else {
            return Err(path.problem("the field `do` is missing"));
        };
        let act = command(&entry.value).map_err(|problem| problem.below(&path.at("do")))?;
        let (line, column) = places.position(entry.value.offset);
        steps.push(Step {
            at: raw.at,
            act,
            line,
            column,
        });
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
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
