//! What a search found: the commands that break an expectation, as text and JSON.

mod merge;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::build::{expectation, quantifier};
use super::model::{Commanded, ExpectationReport, LayoutName};
use super::words::{clock, count, measured, plural};
use crate::analyze::search::{Break, Finding, Question, Shrunk};
use crate::layout::{Expectation, printable};
use crate::replay::{Act, Ending, fingerprint};

pub use merge::merged;

/// The name of the JSON schema.
const SCHEMA: &str = "blastradius.search/1";
/// The same for one of several machines.
const PART_SCHEMA: &str = "blastradius.search-part/1";

/// What a search came to. Units stand last in a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchReport {
    /// `blastradius.search/1`; of a shard `blastradius.search-part/1`.
    pub schema: Cow<'static, str>,
    /// Version of the program.
    pub engine: Cow<'static, str>,
    /// What was searched.
    pub layout: LayoutName,
    /// The hash of the layout's text: parts of one search have the same.
    pub layout_hash: String,
    /// The seed of the search.
    pub seed: u64,
    /// How long each run is.
    pub duration_s: f64,
    /// What was to be broken, in words: `always lost == 0`.
    pub sought: Vec<String>,
    /// Which tries were done.
    pub tries: TriesReport,
    /// What does not hold though nothing is done. Nothing was tried then.
    pub undisturbed: Option<UndisturbedBreakReport>,
    /// What was found.
    pub found: Option<FoundReport>,
}

/// Which tries were done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriesReport {
    /// The shard that did them, as `2/8`.
    pub shard: Option<String>,
    /// The number of the first one.
    pub from: u64,
    /// The number to go on from: of all before it, from the first on, it is known what they break.
    pub next: u64,
    /// Whether the time was over before all were done. How far it comes depends on the machine.
    pub out_of_time: bool,
}

/// What does not hold by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UndisturbedBreakReport {
    /// The seed of the world.
    pub seed: u64,
    /// The expectation, and when it first failed.
    pub expectation: ExpectationReport,
}

/// Commands that break an expectation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundReport {
    /// The number of the try.
    #[serde(rename = "try")]
    pub number: u64,
    /// Whether no try before it breaks anything; not known where the time was over.
    pub is_first: bool,
    /// The seed of the world.
    pub seed: u64,
    /// The expectation, and when it first fails.
    pub expectation: ExpectationReport,
    /// The fewest commands that break it.
    pub commands: Vec<Commanded>,
    /// The commands of the try, as far as they took effect before it was broken.
    pub drawn: Vec<Commanded>,
    /// How many runs the shrinking took.
    pub shrinking_runs: usize,
    /// The hash of the whole history.
    pub digest: String,
    /// The file of the recording.
    pub recording: String,
    /// The command line that plays it.
    pub replay: String,
}

/// An expectation in words: `always lost == 0`.
pub fn in_words(expectation: &Expectation) -> String {
    format!("{} {}", quantifier(expectation.quantifier), expectation.text)
}

impl SearchReport {
    /// A report of a search in which nothing was found.
    pub fn new((name, title, text): (&str, &str, &str), question: &Question, tries: TriesReport) -> SearchReport {
        SearchReport {
            schema: if tries.shard.is_some() { PART_SCHEMA } else { SCHEMA }.into(),
            engine: env!("CARGO_PKG_VERSION").into(),
            layout: LayoutName {
                name: name.to_owned(),
                title: title.to_owned(),
            },
            layout_hash: format!("{:016x}", fingerprint(text)),
            seed: question.seed,
            duration_s: question.length.as_secs_f64(),
            sought: question.expect.iter().map(in_words).collect(),
            tries,
            undisturbed: None,
            found: None,
        }
    }

    /// With what does not hold though nothing is done.
    #[must_use]
    pub fn undisturbed(self, seed: u64, broken: &Break) -> SearchReport {
        SearchReport {
            undisturbed: Some(UndisturbedBreakReport {
                seed,
                expectation: expectation(&broken.verdict),
            }),
            ..self
        }
    }

    /// With what was found, what is left of it, and how that ends.
    #[must_use]
    pub fn found(
        self,
        finding: &Finding,
        shrunk: &Shrunk,
        ending: &Ending,
        (recording, replay): (String, String),
    ) -> SearchReport {
        let found = FoundReport {
            number: finding.number,
            is_first: self.tries.next > finding.number,
            seed: finding.seed,
            expectation: expectation(&shrunk.broken.verdict),
            commands: commanded(&shrunk.acts),
            drawn: commanded(&finding.acts),
            shrinking_runs: shrunk.runs,
            digest: ending.digest.to_string(),
            recording,
            replay,
        };
        SearchReport {
            found: Some(found),
            ..self
        }
    }

    /// As JSON: of a shard on one line.
    pub fn to_json(&self) -> String {
        let text = match self.tries.shard {
            Some(_) => serde_json::to_string(self),
            None => serde_json::to_string_pretty(self),
        };
        text.expect("plain data") + "\n"
    }

    /// For a terminal.
    pub fn to_text(&self) -> String {
        let mut lines = vec![format!(
            "{}  {}",
            printable(&self.layout.name),
            printable(&self.layout.title)
        )];
        lines.extend(self.sought.iter().map(|words| format!("sought: {}", printable(words))));
        if let Some(undisturbed) = &self.undisturbed {
            lines.push(broken(
                "broken though nothing is done",
                undisturbed.seed,
                &undisturbed.expectation,
            ));
            lines.push(
                "what does not hold by itself can't be broken: mend that first, or look for something else".to_owned(),
            );
        } else if let Some(found) = &self.found {
            lines.extend(told(found));
        } else {
            lines.push(format!("nothing found in {}", self.tried()));
        }
        lines.join("\n") + "\n"
    }

    /// Which tries were done, in words.
    fn tried(&self) -> String {
        let TriesReport {
            from,
            next,
            out_of_time,
            ..
        } = self.tries;
        let why = if out_of_time {
            "; the time is over, and how far it comes depends on the machine"
        } else {
            ""
        };
        format!(
            "{} of {}s each, from number {} on (seed {}){why}",
            match next.saturating_sub(from) {
                1 => "1 try".to_owned(),
                several => format!("{} tries", count(several)),
            },
            self.duration_s,
            count(from),
            self.seed
        )
    }
}

/// What was found, in lines.
fn told(found: &FoundReport) -> Vec<String> {
    let what = format!("broken in try {}", found.number);
    let mut lines = vec![broken(&what, found.seed, &found.expectation)];
    if !found.is_first {
        lines.push("the time is over: an earlier try that was not done to its end may break something too".to_owned());
    }
    lines.push(format!(
        "{} of {} left, after {}:",
        found.commands.len(),
        plural(found.drawn.len() as u64, "command"),
        plural(found.shrinking_runs as u64, "run")
    ));
    let line = |act: &Commanded| format!("  {:>8}  {}", clock(act.at_s), printable(&act.command));
    lines.extend(found.commands.iter().map(line));
    lines.push(format!("kept in {}; see it:", printable(&found.recording)));
    lines.push(format!("  {}", printable(&found.replay)));
    lines
}

/// What was broken, when, and what was measured.
fn broken(what: &str, seed: u64, expectation: &ExpectationReport) -> String {
    let found = expectation.failed_at_s.zip(expectation.failed_value);
    let (at, value) = found.unwrap_or_default();
    format!(
        "{what}, with seed {seed}: {} {}, first at {}: measured {}",
        printable(&expectation.quantifier),
        printable(&expectation.text),
        clock(at),
        measured(value, expectation.bound, &expectation.unit)
    )
}

fn commanded(acts: &[Act]) -> Vec<Commanded> {
    let one = |act: &Act| Commanded {
        at_s: act.at.as_secs_f64(),
        command: act.command.to_string(),
    };
    acts.iter().map(one).collect()
}
