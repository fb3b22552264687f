//! What a person writes into a run, and where a run is written to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::director::{Engine, clock};
use super::{Answer, TimelineEvent};
use crate::replay::{ENDING, LONGEST_WORDS, Recording, recordable};

impl Engine {
    /// Begins a chapter, or takes a note, where the run stands.
    pub(super) fn write_words(&mut self, words: &str, chapter: bool) {
        if words.chars().count() > LONGEST_WORDS {
            self.answers.push(Answer::Refused(format!(
                "that is longer than {LONGEST_WORDS} characters"
            )));
            return;
        }
        let past = self.history.is_past();
        let entry = if chapter {
            self.history.mark(words)
        } else {
            self.history.note(words)
        };
        let here = self.history.here();
        self.told_words = Some(here.at);
        if let Some(keep) = &mut self.keep {
            if past {
                // At the end of the file it would not stand in its place.
                keep.rewrite(here.branch, self.history.recording());
            } else {
                keep.add(here.branch, &entry);
            }
        }
        let kept = self
            .keep
            .as_ref()
            .is_some_and(|keep| !past || keep.file(here.branch).is_some());
        let at = clock(here.at);
        let what = if chapter { "marked" } else { "noted" };
        let hint = if kept { "" } else { "; :w FILE keeps it" };
        self.done(format!("{what} at {at}{hint}"));
    }

    /// What is known of the branch that is shown, in order of time.
    pub(super) fn events(&mut self) -> Arc<Vec<TimelineEvent>> {
        let here = self.history.here();
        let known = self.history.recording();
        let count = known.commands.len() + known.marks.len();
        if self.events.0.branch != here.branch || self.events.1 != count {
            let commands = known.commands.iter().map(|act| TimelineEvent {
                at: act.at,
                words: act.command.to_string(),
                chapter: false,
            });
            let marks = known.marks.iter().map(|mark| TimelineEvent {
                at: mark.at,
                words: mark.text.clone(),
                chapter: true,
            });
            let mut events: Vec<TimelineEvent> = commands.chain(marks).collect();
            events.sort_by_key(|event| event.at);
            self.events = (here, count, Arc::new(events));
        }
        Arc::clone(&self.events.2)
    }
}

/// Writes a recording where a person wants it.
pub(super) fn write(name: &str, source: Option<&Path>, recording: &Recording) -> Answer {
    let file = if Path::new(name).extension().is_some() || Path::new(name).is_dir() {
        PathBuf::from(name)
    } else {
        PathBuf::from(format!("{name}{ENDING}"))
    };
    let written = recordable(&file, &[("the recording", source)])
        .and_then(|()| recording.save(&file).map_err(|error| error.to_string()));
    match written {
        Ok(()) => Answer::Done(format!(
            "written to {}",
            crate::layout::printable(&file.display().to_string())
        )),
        Err(why) => Answer::Refused(why),
    }
}
