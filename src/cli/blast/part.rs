//! What was done of a blast: lines of JSON, the first of which says what was asked. A shard writes them to stdout; a blast that was interrupted goes on from
//! those in the folder for state.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::{Complaint, VERSION, kept};
use crate::analyze::blast::{LEAST, Outcome, Plan, Question, Seen, Span, Trial};
use crate::layout::printable;
use crate::replay::fingerprint;

/// The name of the schema.
const SCHEMA: &str = "blastradius.blast-part/1";

/// The first line: what was asked. Parts with equal heads belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    schema: String,
    engine: String,
    /// The layout.
    pub(super) layout: LayoutText,
    span: Span,
    seeds: Vec<u64>,
    pairs: bool,
}

/// A layout whole, so that parts can be put together anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayoutText {
    /// The file, or the name of the shipped layout.
    pub(super) name: String,
    /// What it says.
    pub(super) text: String,
}

/// A further line: a run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// What failed, as it would be typed; empty for the undisturbed run.
    failure: String,
    seed: u64,
    seen: Vec<Outcome>,
}

impl Head {
    pub(super) fn new(layout: LayoutText, question: &Question) -> Head {
        Head {
            schema: SCHEMA.to_owned(),
            engine: VERSION.clone(),
            layout,
            span: question.span,
            seeds: question.seeds.clone(),
            pairs: question.pairs,
        }
    }

    pub(super) fn question(&self) -> Question {
        Question {
            span: self.span,
            seeds: self.seeds.clone(),
            pairs: self.pairs,
        }
    }

    /// Whether it can be asked at all: a file may say anything.
    fn check(&self) -> Result<(), &'static str> {
        if self.schema != SCHEMA {
            return Err("another schema");
        }
        if self.engine != *VERSION {
            return Err("it was written by another version");
        }
        let within = |length: std::time::Duration| !length.is_zero() && length <= crate::replay::LONGEST;
        if self.seeds.is_empty() || !within(self.span.before) || self.span.after < LEAST || !within(self.span.after) {
            return Err("no seed, or a length out of range");
        }
        Ok(())
    }
}

impl Line {
    fn of(plan: &Plan, trial: Trial, seen: &[Outcome]) -> Line {
        Line {
            failure: plan.name(trial),
            seed: trial.seed,
            seen: seen.to_vec(),
        }
    }
}

/// What lines tell of the runs of a plan; others are left out.
pub(super) fn found(lines: impl IntoIterator<Item = Line>, plan: &Plan) -> Seen {
    let named = plan
        .trials
        .iter()
        .map(|trial| ((plan.name(*trial), trial.seed), *trial));
    let by_name: BTreeMap<(String, u64), Trial> = named.collect();
    let find = |line: Line| Some((*by_name.get(&(line.failure, line.seed))?, line.seen));
    lines.into_iter().filter_map(find).collect()
}

fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("plain data");
    format!("{text}\n")
}

/// All lines, in the order of the plan.
pub(super) fn written(head: &Head, plan: &Plan, seen: &Seen) -> String {
    let mut text = json(head);
    for (trial, outcomes) in seen {
        text.push_str(&json(&Line::of(plan, *trial, outcomes)));
    }
    text
}

/// Reads what a shard wrote.
pub(super) fn load(file: &Path) -> Result<(Head, Vec<Line>), Complaint> {
    let failed = |why: String| Complaint(format!("cannot merge {}: {}", file.display(), printable(&why)));
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let mut lines = text.lines().enumerate();
    let wrong = |number: usize, why: &dyn std::fmt::Display| {
        failed(format!(
            "line {}: {why}; it is not what `blast --shard` writes",
            number + 1
        ))
    };
    let (_, first) = lines.next().ok_or_else(|| failed("it is empty".to_owned()))?;
    let head: Head = serde_json::from_str(first).map_err(|error| wrong(0, &error))?;
    head.check().map_err(|why| wrong(0, &why))?;
    let line = |(number, line): (usize, &str)| serde_json::from_str(line).map_err(|error| wrong(number, &error));
    let line = |numbered: (usize, &str)| {
        let number = numbered.0;
        let line: Line = line(numbered)?;
        if line.seen.is_empty() || !line.seen.iter().all(Outcome::is_plausible) {
            return Err(wrong(number, &"its figures are none of a run"));
        }
        Ok(line)
    };
    let lines: Result<Vec<Line>, Complaint> = lines.map(line).collect();
    Ok((head, lines?))
}

/// What was done so far, kept so that an interrupted blast goes on. Without a folder for it nothing is kept.
pub(super) struct Journal {
    file: Option<(PathBuf, File)>,
}

/// A journal as it was found.
pub(super) struct Opened {
    pub(super) journal: Journal,
    /// What is in it.
    pub(super) seen: Seen,
    /// Another process works on the same question and keeps its runs there.
    pub(super) is_taken: bool,
}

impl Journal {
    /// Opens the one of this question and shard, with what is in it. Another build of the program may have other histories, so it has another journal.
    pub(super) fn open(head: &Head, shard: Option<(u32, u32)>, plan: &Plan) -> Opened {
        let without = |is_taken| Opened {
            journal: Journal { file: None },
            seen: Seen::new(),
            is_taken,
        };
        let Some(folder) = kept::work() else {
            return without(false);
        };
        let name = fingerprint(&format!("{}{shard:?}{}", json(head), build()));
        let path = folder.join(format!("blast-{name:016x}.jsonl"));
        let Ok(file) = fs::create_dir_all(&folder).and_then(|()| locked(&path)) else {
            return without(false);
        };
        let Some(mut file) = file else {
            return without(true);
        };
        match take_up(&mut file, head, plan) {
            Ok(seen) => Opened {
                journal: Journal {
                    file: Some((path, file)),
                },
                seen,
                is_taken: false,
            },
            Err(_) => without(false),
        }
    }

    /// A run is done.
    pub(super) fn keep(&mut self, plan: &Plan, trial: Trial, outcomes: &[Outcome]) {
        let line = json(&Line::of(plan, trial, outcomes));
        if let Some((_, file)) = &mut self.file
            && file.write_all(line.as_bytes()).is_err()
        {
            self.file = None;
        }
    }

    /// All is told.
    pub(super) fn forget(self) {
        if let Some((path, _)) = self.file {
            // What is left is at worst a file that nobody needs.
            let _ = fs::remove_file(path);
        }
    }

    /// What to say when it was interrupted.
    pub(super) fn farewell(&self, done: usize, all: usize) -> String {
        match &self.file {
            Some((path, _)) => format!(
                "interrupted: {done} of {all} runs are done and kept in {}; the same command goes on from there",
                path.display()
            ),
            None => format!("interrupted: {done} of {all} runs were done, and could not be kept"),
        }
    }
}

/// What tells this build of the program from others of the same version: the size of its file, and when that was written.
fn build() -> String {
    let file = std::env::current_exe().and_then(fs::metadata);
    file.map_or_else(
        |_| String::new(),
        |file| format!("{} {:?}", file.len(), file.modified().ok()),
    )
}

/// Opens a file for this process alone. Nothing if another one has it.
fn locked(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        match file.try_lock() {
            Ok(()) if !path.exists() => {} // Whoever had it has ended and removed it meanwhile.
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Where files can't be locked, they are not.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(Some(file)),
        }
    }
}

/// Reads what an earlier call kept, and cuts off what is broken at its end, as a full disk leaves it.
fn take_up(file: &mut File, head: &Head, plan: &Plan) -> io::Result<Seen> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let valid = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let text = String::from_utf8_lossy(&bytes[..valid]);
    let (lines, bytes) = whole(&text, head).unwrap_or_default();
    file.set_len(bytes)?;
    if bytes == 0 {
        file.write_all(json(head).as_bytes())?;
    }
    Ok(found(lines, plan))
}

/// The lines of a journal up to the first that is broken, and how many bytes they take with the first line. Nothing if it is about something else.
fn whole(text: &str, head: &Head) -> Option<(Vec<Line>, u64)> {
    let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let first = lines.next()?;
    if serde_json::from_str::<Head>(first).ok()? != *head {
        return None;
    }
    let mut bytes = first.len();
    let parsed = lines.map_while(|line| {
        let parsed: Line = serde_json::from_str(line).ok()?;
        bytes += line.len();
        Some(parsed)
    });
    let parsed = parsed.collect();
    Some((parsed, bytes as u64))
}
