//! What worlds have told, and what it comes to in the histories and on disk.

use std::time::Duration;

use super::album::Album;
use super::director::{Engine, clock};
use super::errand::{Standing, Told};
use super::words::write;
use super::{Answer, Order};
use crate::replay::{Act, BRANCHES, Checkpoint, Entry, Place, Recording, Taken};

/// Branches that have pictures of their past.
const ALBUMS: usize = 8;

impl Engine {
    /// Takes what a world has told.
    pub(super) fn hear(&mut self, deck: usize, told: Told) {
        let shown = deck == self.shown;
        match told {
            Told::Heard => self.unanswered = self.unanswered.saturating_sub(1),
            Told::Dropped(command) => {
                self.unanswered = self.unanswered.saturating_sub(1);
                self.postscript
                    .push(Answer::Refused(format!("called off: `{command}` was not done")));
            }
            Told::Unsealed(number) => {
                self.unanswered = self.unanswered.saturating_sub(1);
                if let Some((_, name)) = self.writes.remove(&number) {
                    self.postscript
                        .push(Answer::Refused(format!("called off: nothing was written to {name}")));
                }
            }
            Told::Halted(stands) if shown => self.halted(stands),
            Told::Answer(answer) => self.answers.push(answer),
            Told::Did(act, scheduled) if shown => self.did(&act, scheduled),
            Told::Picture(frame) if shown => self.album[self.history.here().branch].look(&frame),
            // It did so just before it was told to wait, and says then how it stands.
            Told::Did(..) | Told::Picture(_) | Told::Ended(_) | Told::Halted(_) => {}
            Told::Checkpoint(checkpoint) => {
                let place = if shown {
                    self.history.here()
                } else {
                    self.decks[deck].place
                };
                self.checkpoint(place.branch, checkpoint);
            }
            Told::Held(branch, stands) => self.held(deck, branch, stands),
            Told::Sealed(number, stands) => {
                self.unanswered = self.unanswered.saturating_sub(1);
                if let Some((branch, name)) = self.writes.remove(&number) {
                    let known = &self.history.branches()[branch].recording;
                    let recording = known.prefix(stands.at, stands.acts.min(known.commands.len()));
                    let digest = Some(stands.digest);
                    let answer = write(&name, self.source.as_deref(), &Recording { digest, ..recording });
                    self.answers.push(answer);
                }
            }
            // An act may still be on its way to the world that has stopped.
            Told::Stopped if self.looped => self.waiting.push_front(Order::Again),
            Told::Stopped => {
                self.over = true;
                let end = clock(self.history.recording().duration);
                self.here(format!(
                    "the end of the recording, {end}: {{rewind}} goes back, {{pause}} goes on from here"
                ));
            }
        }
    }

    /// The world that is shown has stopped on its way.
    fn halted(&mut self, stands: Standing) {
        let place = Place {
            at: stands.at,
            acts: stands.acts,
            ..self.history.here()
        };
        self.history.go(place);
        self.decks[self.shown].place = place;
        self.here(format!(
            "called off at {}; {{return}} returns to where you came from",
            clock(stands.at)
        ));
    }

    /// A world waits now, a little after the moment at which it was told to.
    fn held(&mut self, deck: usize, branch: usize, stands: Standing) {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.ends(branch, stands);
        if deck == self.shown {
            return;
        }
        let acts = stands
            .acts
            .min(self.history.branches()[branch].recording.commands.len());
        let place = &mut self.decks[deck].place;
        if place.branch == branch {
            (place.at, place.acts) = (stands.at, acts);
        }
        let departed = self.departed.as_mut().map(|(from, _)| from);
        let left = [self.came_from.as_mut(), departed].into_iter().flatten();
        for from in left.filter(|from| from.deck == deck && stands.at >= from.place.at) {
            (from.place.at, from.place.acts) = (stands.at, acts);
        }
    }

    /// A branch may end here.
    pub(super) fn ends(&mut self, branch: usize, stands: Standing) {
        let ended = self.history.sealed(branch, stands.acts, stands.at, stands.digest);
        if let Some(keep) = self.keep.as_mut().filter(|_| ended) {
            keep.end(branch, (stands.at, stands.acts), stands.digest, self.leaves);
        }
    }

    pub(super) fn did(&mut self, act: &Act, scheduled: bool) {
        let taken = self.history.did(act, scheduled);
        let branch = self.history.here().branch;
        match taken {
            Taken::Known => {}
            Taken::Differs => self.differ(act.at),
            Taken::New | Taken::Forked => {
                if taken == Taken::Forked {
                    let from = self.history.branches()[branch].from.map_or(0, |from| from.0);
                    let before = self.album[from].before(act.at);
                    self.album.push(before);
                    self.forget_branches();
                    if let Some(old) = branch.checked_sub(ALBUMS).filter(|old| *old != from) {
                        self.album[old] = Album::default();
                    }
                }
                if let Some(view) = &self.last {
                    self.album[branch].pin(&view.frame, act.at);
                }
                if let Some(keep) = &mut self.keep {
                    keep.add(branch, &Entry::from(act));
                }
            }
        }
    }

    pub(super) fn checkpoint(&mut self, branch: usize, checkpoint: Checkpoint) {
        match self.history.digest(branch, checkpoint) {
            Taken::Differs => self.differ(checkpoint.at),
            Taken::New => {
                if let Some(keep) = &mut self.keep {
                    keep.add(branch, &Entry::from(&checkpoint));
                }
            }
            Taken::Known | Taken::Forked => {}
        }
    }

    /// Lets the oldest branch leave the list if that is full; its recording stays.
    pub(super) fn forget_branches(&mut self) {
        let Some(gone) = self.history.forget(self.came_from.map(|from| from.place.branch)) else {
            return;
        };
        self.album[gone] = Album::default();
        let nowhere = self.beginning();
        for deck in self.decks.iter_mut().filter(|deck| deck.place.branch == gone) {
            deck.place = nowhere;
        }
        self.departed = None;
        if !std::mem::replace(&mut self.told_of_limit, true) {
            let words = format!(
                "the list keeps {BRANCHES} branches: the oldest ones leave it; what was recorded of them stays"
            );
            self.postscript.push(Answer::Done(words));
        }
    }

    fn differ(&mut self, at: Duration) {
        if std::mem::replace(&mut self.differs, true) {
            return;
        }
        let at = clock(at);
        // What happens now would not happen again from a file of what was recorded.
        self.keep = None;
        let note = self.history.recording().head.of_another_version();
        let note = note.map_or(String::new(), |note| format!(" ({note})"));
        self.answers.push(Answer::Refused(format!(
            "from {at} on, this is not what was recorded{note}: it is not kept"
        )));
    }
}
