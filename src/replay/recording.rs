//! What is known of a recorded run: all that is needed for the same history, and what a person wrote beside it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::{Checkpoint, Digest};
use super::session::{Act, Ending};
use super::{CHECKPOINT, LENGTHS, LONGEST};
use crate::command::{LONGEST_WORDS, Script, Step, What, When};
use crate::layout::{self, RawExpectation};
use crate::trace::Trace;

/// What a run begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Recording", deny_unknown_fields)]
pub struct Head {
    /// Version of the format, so that a later program can tell.
    pub format: u32,
    /// Version of the program that made it: another version may have another history.
    pub engine: String,
    /// The layout's name, for people.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// The access trace that the run took its keys from, if it did. It is not in the recording: the file must still be there, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceNote>,
    /// The layout file, whole.
    pub layout: String,
    /// What was expected in place of what the layout expects, if anything was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<RawExpectation>,
}

/// An access trace, as a recording knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceNote {
    /// The file.
    pub file: PathBuf,
    /// The digest of all its records.
    pub digest: Digest,
}

/// Words that a person left at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// When, from the start of the run.
    pub at: Duration,
    /// The words, as they were typed: they may hold anything.
    pub text: String,
}

/// A recorded run.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What it began with.
    pub head: Head,
    /// How long the run was, as far as it is known.
    pub duration: Duration,
    /// The commands that took effect, in order.
    pub commands: Vec<Act>,
    /// Marks: where the chapters of the run begin.
    pub marks: Vec<Words>,
    /// Notes.
    pub notes: Vec<Words>,
    /// Digests on the way, one for each 10 s.
    pub checkpoints: Vec<Checkpoint>,
    /// The digest of the whole history; none if the recording was cut off before its end.
    pub digest: Option<Digest>,
}

/// One line of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Entry {
    /// A command took effect.
    Do {
        /// When.
        #[serde(with = "crate::layout::duration")]
        at: Duration,
        /// What.
        #[serde(rename = "do")]
        command: crate::command::Command,
    },
    /// A chapter begins.
    Mark {
        /// When.
        #[serde(with = "crate::layout::duration")]
        at: Duration,
        /// What it is called.
        name: String,
    },
    /// Somebody said something.
    Note {
        /// When.
        #[serde(with = "crate::layout::duration")]
        at: Duration,
        /// What.
        text: String,
    },
    /// A digest on the way.
    Digest {
        /// When.
        #[serde(with = "crate::layout::duration")]
        at: Duration,
        /// Of all that happened before.
        digest: Digest,
    },
    /// The run came this far at least.
    Reached {
        /// When.
        #[serde(with = "crate::layout::duration")]
        at: Duration,
    },
    /// The end.
    End {
        /// When.
        #[serde(with = "crate::layout::duration")]
        at: Duration,
        /// Of the whole history.
        digest: Digest,
    },
}

impl Entry {
    /// Its moment.
    pub fn at(&self) -> Duration {
        match self {
            Entry::Do { at, .. }
            | Entry::Mark { at, .. }
            | Entry::Note { at, .. }
            | Entry::Digest { at, .. }
            | Entry::Reached { at }
            | Entry::End { at, .. } => *at,
        }
    }
}

impl From<&Act> for Entry {
    fn from(act: &Act) -> Entry {
        Entry::Do {
            at: act.at,
            command: act.command.clone(),
        }
    }
}

impl From<&Checkpoint> for Entry {
    fn from(checkpoint: &Checkpoint) -> Entry {
        Entry::Digest {
            at: checkpoint.at,
            digest: checkpoint.digest,
        }
    }
}

impl Head {
    /// The head of a run of this layout.
    pub fn new(name: &str, layout: &str, trace: Option<&Trace>, seed: u64) -> Head {
        Head {
            format: super::file::FORMAT,
            engine: env!("CARGO_PKG_VERSION").to_string(),
            name: name.to_string(),
            seed,
            trace: trace.map(|trace| TraceNote {
                file: trace.survey.file.clone(),
                digest: Digest(trace.survey.digest),
            }),
            layout: layout.to_string(),
            expect: Vec::new(),
        }
    }

    /// What to think of where another version of the program made it.
    pub fn of_another_version(&self) -> Option<String> {
        let here = env!("CARGO_PKG_VERSION");
        (self.engine != here).then(|| {
            format!(
                "recorded by version {}, this is {here}: versions may differ",
                layout::printable(&self.engine)
            )
        })
    }
}

impl Recording {
    /// A recording of which nothing is known yet.
    pub fn new(head: Head) -> Recording {
        Recording {
            head,
            duration: Duration::ZERO,
            commands: Vec::new(),
            marks: Vec::new(),
            notes: Vec::new(),
            checkpoints: Vec::new(),
            digest: None,
        }
    }

    /// The recording of a run that has ended.
    pub fn of(name: &str, layout: &str, trace: Option<&Trace>, ending: &Ending) -> Recording {
        Recording {
            head: Head::new(name, layout, trace, ending.frame.seed),
            duration: ending.duration,
            commands: ending.acts.clone(),
            marks: ending.marks.clone(),
            notes: ending.notes.clone(),
            checkpoints: ending.checkpoints.clone(),
            digest: Some(ending.digest),
        }
    }

    /// Takes in what came next. What comes before the moment that was reached counts from there.
    pub fn add(&mut self, entry: &Entry) {
        let at = entry.at();
        self.duration = self.duration.max(at);
        match entry {
            Entry::Do { command, .. } => self.commands.push(Act {
                at,
                command: command.clone(),
            }),
            Entry::Mark { name, .. } => self.marks.push(Words { at, text: name.clone() }),
            Entry::Note { text, .. } => self.notes.push(Words { at, text: text.clone() }),
            Entry::Digest { digest, .. } => self.checkpoints.push(Checkpoint { at, digest: *digest }),
            Entry::Reached { .. } => {}
            Entry::End { digest, .. } => self.digest = Some(*digest),
        }
    }

    /// Its lines, in order of time. At one moment the digest comes first, since it is of what was before.
    pub fn entries(&self) -> Vec<Entry> {
        let mark = |words: &Words| Entry::Mark {
            at: words.at,
            name: words.text.clone(),
        };
        let note = |words: &Words| Entry::Note {
            at: words.at,
            text: words.text.clone(),
        };
        let mut entries: Vec<Entry> = self.checkpoints.iter().map(Entry::from).collect();
        entries.extend(self.marks.iter().map(mark));
        entries.extend(self.notes.iter().map(note));
        entries.extend(self.commands.iter().map(Entry::from));
        entries.sort_by_key(Entry::at);
        let at = self.duration;
        entries.push(match self.digest {
            Some(digest) => Entry::End { at, digest },
            None => Entry::Reached { at },
        });
        entries
    }

    /// The script that does the same: its commands, marks and notes, each at its time. Nothing of it comes from a file, so it has no places.
    pub fn script(&self) -> Script {
        let mark = |words: &Words| (words.at, What::Mark(words.text.clone()));
        let note = |words: &Words| (words.at, What::Note(words.text.clone()));
        let act = |act: &Act| (act.at, What::Do(act.command.clone()));
        let mut steps: Vec<(Duration, What)> = self.marks.iter().map(mark).collect();
        steps.extend(self.notes.iter().map(note));
        steps.extend(self.commands.iter().map(act));
        steps.sort_by_key(|(at, _)| *at);
        let steps = steps.into_iter().map(|(at, what)| Step {
            when: When::At(at),
            what,
            line: 0,
            column: 0,
        });
        let length = Some(self.duration).filter(|length| !length.is_zero());
        Script::of(length, steps.collect()).expecting(&self.head.expect)
    }

    /// What it was up to a moment, with the first so many commands. Its end is open.
    #[must_use]
    pub fn prefix(&self, until: Duration, commands: usize) -> Recording {
        let before = |words: &[Words]| words.iter().filter(|words| words.at <= until).cloned().collect();
        Recording {
            head: self.head.clone(),
            duration: until,
            commands: self.commands[..commands].to_vec(),
            marks: before(&self.marks),
            notes: before(&self.notes),
            checkpoints: self.checkpoints.iter().filter(|c| c.at <= until).copied().collect(),
            digest: None,
        }
    }

    /// What the types cannot say.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.duration > LONGEST {
            let duration = layout::duration::format(self.duration);
            return Err(format!("the run lasts {duration}, and {LENGTHS}"));
        }
        for act in &self.commands {
            let at = layout::duration::format(act.at);
            act.command
                .validate()
                .map_err(|error| format!("the command at {at}: {error}"))?;
        }
        if let Some(words) = self
            .marks
            .iter()
            .chain(&self.notes)
            .find(|words| words.text.chars().count() > LONGEST_WORDS)
        {
            let at = layout::duration::format(words.at);
            return Err(format!("the words at {at} are longer than {LONGEST_WORDS} characters"));
        }
        let expected = self.duration.as_nanos() / CHECKPOINT.as_nanos();
        let times = (1..).map(|k| CHECKPOINT * k);
        if self.checkpoints.len() as u128 != expected
            || !self.checkpoints.iter().map(|c| c.at).eq(times.take(expected as usize))
        {
            return Err(format!(
                "there must be one digest for each {}, from the first to the last of the run",
                layout::duration::format(CHECKPOINT)
            ));
        }
        Ok(())
    }
}
