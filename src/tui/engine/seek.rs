//! How a driver looks for what comes next: a milestone, a known command, a chapter.

use std::time::{Duration, Instant};

use crate::replay::Words;
use crate::sim::SimTime;

use super::super::milestone::{milestones, progress};
use super::Answer;
use super::driver::{Driver, SLICE_WALL};

/// Simulated time between two looks for a milestone.
pub(super) const SEEK_STEP: Duration = Duration::from_millis(100);
/// Where looking for a milestone ends.
const SEEK_LIMIT: Duration = Duration::from_secs(600);

/// Looking for a milestone: from when, what had been reached, and how many commands had taken effect.
pub(super) struct Seek {
    since: SimTime,
    reached: Option<(u32, usize)>,
    acts: usize,
}

impl Driver {
    /// The first chapter that begins after this moment.
    pub(super) fn next_chapter(&self) -> Option<&Words> {
        let now = self.simulation.now().elapsed();
        self.marks.iter().find(|mark| mark.at > now)
    }

    pub(super) fn start_seek(&mut self) {
        let frame = self.simulation.frame();
        let newest = frame.incidents.last();
        let open = newest.filter(|incident| incident.healed.is_none());
        if open.is_none() && self.simulation.to_come() == 0 && self.next_chapter().is_none() {
            self.answer(Answer::Refused(
                match newest {
                    None => "nothing has happened yet: x kills what is selected",
                    Some(_) => "all is as before: there is no further milestone",
                }
                .to_string(),
            ));
            return;
        }
        self.slow_until = None;
        self.seek = Some(Seek {
            since: frame.at,
            reached: newest.map(progress),
            acts: self.simulation.acts().len(),
        });
    }

    pub(super) fn seek_on(&mut self, now: Instant) {
        while now.elapsed() < SLICE_WALL {
            let step = self.until_stop(SEEK_STEP);
            let chapter = self.next_chapter().cloned();
            self.simulation.advance(step);
            let now = self.simulation.now().elapsed();
            self.changed = true;
            self.tell_what_happened();
            self.picture_if_due();
            self.stop_if_there();
            let frame = self.simulation.frame();
            let Some(seek) = &self.seek else { return };
            let newest = frame.incidents.last();
            let acts = self.simulation.acts();
            let answer = if let Some(mark) = chapter.filter(|mark| mark.at <= now) {
                Some(Answer::Here(mark.text))
            } else if let Some(act) = acts.get(seek.acts) {
                Some(Answer::Done(format!("{} again, as it was done", act.command)))
            } else if let Some(incident) = newest.filter(|incident| Some(progress(incident)) > seek.reached) {
                Some(Answer::Done(milestones(incident, seek.reached.unwrap_or_default())))
            } else if frame.at.since(seek.since) >= SEEK_LIMIT {
                Some(Answer::Refused("no milestone within 10 simulated minutes".to_string()))
            } else {
                None
            };
            if let Some(answer) = answer {
                self.answer(answer);
                self.seek = None;
                self.anchor();
                return;
            }
        }
    }
}
