//! The branches of a run. Whoever goes back and acts there starts another history; the one that was left stays as it was.

use std::time::Duration;

use super::digest::{Checkpoint, Digest};
use super::recording::{Entry, Head, Recording, Words};
use super::session::Act;

/// One history among those of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The branch that it left, and when.
    pub from: Option<(usize, Duration)>,
    /// All that is known of it.
    pub recording: Recording,
    /// Whether it has left the list: nothing is known of it any more.
    pub forgotten: bool,
}

/// Branches that are known at most. Nobody finds one among more, and each keeps all of its commands and its layout.
pub const BRANCHES: usize = 64;

/// A place in a history: a branch, a moment, and how many commands have taken effect by then. Several commands may be of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The branch.
    pub branch: usize,
    /// The moment.
    pub at: Duration,
    /// Commands that have taken effect.
    pub acts: usize,
}

/// What an entry came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was known: the run repeats what happened.
    Known,
    /// It is new, and belongs to the branch.
    New,
    /// It is new, and what followed on the branch did not come: another branch has begun.
    Forked,
    /// It contradicts what is known: the history is not the one that was recorded.
    Differs,
}

/// All branches of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    branches: Vec<Branch>,
    here: Place,
}

impl History {
    /// A run of which this much is known; it stands at its beginning.
    pub fn new(recording: Recording) -> History {
        History {
            branches: vec![Branch {
                from: None,
                recording,
                forgotten: false,
            }],
            here: Place {
                branch: 0,
                at: Duration::ZERO,
                acts: 0,
            },
        }
    }

    /// Where the run stands.
    pub fn here(&self) -> Place {
        self.here
    }

    /// The branches, in the order in which they began. There is always one.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// What is known of the branch on which the run stands.
    pub fn recording(&self) -> &Recording {
        &self.branches[self.here.branch].recording
    }

    /// Whether something is known of what comes.
    pub fn is_past(&self) -> bool {
        let known = self.recording();
        self.here.at < known.duration || self.here.acts < known.commands.len()
    }

    /// The end of a branch, as far as it is known.
    pub fn end(&self, branch: usize) -> Place {
        let known = &self.branches[branch].recording;
        Place {
            branch,
            at: known.duration,
            acts: known.commands.len(),
        }
    }

    /// The place just before the last command that has taken effect, with that command.
    pub fn before_last(&self) -> Option<(Place, &Act)> {
        let acts = self.here.acts.checked_sub(1)?;
        let act = &self.recording().commands[acts];
        let place = Place {
            acts,
            at: act.at,
            ..self.here
        };
        Some((place, act))
    }

    /// The place at a moment of this branch, after all commands of that moment.
    pub fn at(&self, at: Duration) -> Place {
        let commands = &self.recording().commands;
        Place {
            at,
            acts: commands.partition_point(|act| act.at <= at),
            ..self.here
        }
    }

    /// The commands that take effect up to a place.
    pub fn before(&self, place: Place) -> &[Act] {
        let commands = &self.branches[place.branch].recording.commands;
        &commands[..place.acts.min(commands.len())]
    }

    /// The known commands after a place.
    pub fn after(&self, place: Place) -> &[Act] {
        let commands = &self.branches[place.branch].recording.commands;
        &commands[place.acts.min(commands.len())..]
    }

    /// Goes to a place.
    pub fn go(&mut self, place: Place) {
        self.here = place;
    }

    /// The run has come to a moment.
    pub fn reach(&mut self, at: Duration) {
        self.here.at = self.here.at.max(at);
        let known = &mut self.branches[self.here.branch].recording;
        if at > known.duration {
            known.duration = at;
            known.digest = None;
        }
    }

    /// A command took effect. It was scheduled, or a person gave it.
    pub fn did(&mut self, act: &Act, scheduled: bool) -> Taken {
        let known = self.branches[self.here.branch].recording.commands.get(self.here.acts);
        if scheduled {
            let same = known == Some(act);
            self.here.acts += usize::from(same);
            self.here.at = self.here.at.max(act.at);
            return if same { Taken::Known } else { Taken::Differs };
        }
        self.here.at = act.at;
        let forks = self.fork();
        self.write(&Entry::from(act));
        self.here.acts += 1;
        if forks { Taken::Forked } else { Taken::New }
    }

    /// Begins another branch here, on which nothing is known of what comes. False if nothing is known of it anyway.
    pub fn fork(&mut self) -> bool {
        let forks = self.is_past();
        if forks {
            let Place { branch, at, acts } = self.here;
            let recording = self.recording().prefix(at, acts);
            self.branches.push(Branch {
                from: Some((branch, at)),
                recording,
                forgotten: false,
            });
            self.here.branch = self.branches.len() - 1;
        }
        forks
    }

    /// Forgets the oldest branch if there are more than [`BRANCHES`], and says which: it is neither the one on which the run stands nor one that
    /// this came from, nor `kept`. In a chain of so many, it is the oldest of those that it came from. The numbers of the others stay.
    pub fn forget(&mut self, kept: Option<usize>) -> Option<usize> {
        let mut known: Vec<usize> = (0..self.branches.len())
            .filter(|branch| !self.branches[*branch].forgotten)
            .collect();
        if known.len() <= BRANCHES {
            return None;
        }
        known.retain(|branch| *branch != self.here.branch && Some(*branch) != kept);
        let mut ancestors = vec![self.here.branch];
        while let Some((from, _)) = ancestors.last().and_then(|branch| self.branches[*branch].from) {
            ancestors.push(from);
        }
        let aside = known.iter().find(|branch| !ancestors.contains(branch));
        let oldest = aside.or(known.first()).copied()?;
        let branch = &mut self.branches[oldest];
        branch.forgotten = true;
        branch.recording = Recording::new(Head::new("", "", None, 0));
        Some(oldest)
    }

    /// A digest on the way of a branch.
    pub fn digest(&mut self, branch: usize, checkpoint: Checkpoint) -> Taken {
        let known = &mut self.branches[branch].recording;
        match known.checkpoints.binary_search_by_key(&checkpoint.at, |known| known.at) {
            Ok(found) if known.checkpoints[found] == checkpoint => Taken::Known,
            Ok(_) => Taken::Differs,
            Err(_) => {
                known.add(&Entry::from(&checkpoint));
                if branch == self.here.branch {
                    self.here.at = self.here.at.max(checkpoint.at);
                }
                Taken::New
            }
        }
    }

    /// The digest after so many commands: that of the whole branch, if that is where its end is.
    pub fn sealed(&mut self, branch: usize, acts: usize, at: Duration, digest: Digest) -> bool {
        let known = &mut self.branches[branch].recording;
        let ends = at >= known.duration && acts == known.commands.len();
        if ends {
            known.duration = at;
            known.digest = Some(digest);
        }
        ends
    }

    /// A chapter begins here.
    pub fn mark(&mut self, name: &str) -> Entry {
        let (at, name) = (self.here.at, name.to_string());
        let entry = Entry::Mark { at, name };
        self.write(&entry);
        entry
    }

    /// Somebody says something here.
    pub fn note(&mut self, text: &str) -> Entry {
        let (at, text) = (self.here.at, text.to_string());
        let entry = Entry::Note { at, text };
        self.write(&entry);
        entry
    }

    fn write(&mut self, entry: &Entry) {
        let known = &mut self.branches[self.here.branch].recording;
        known.add(entry);
        let by_time = |words: &Words| words.at;
        known.marks.sort_by_key(by_time);
        known.notes.sort_by_key(by_time);
        if !matches!(entry, Entry::Mark { .. } | Entry::Note { .. }) {
            known.digest = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;

    /// A history of so many branches, each of which leaves the first one.
    fn branched(count: usize) -> History {
        let mut history = History::new(Recording::new(Head::new("", "", None, 0)));
        history.reach(Duration::from_secs(9));
        for second in 1..count as u64 {
            history.go(Place {
                branch: 0,
                at: Duration::ZERO,
                acts: 0,
            });
            let act = Act {
                at: Duration::from_millis(second),
                command: Command::MendAll,
            };
            assert_eq!(history.did(&act, false), Taken::Forked);
            history.reach(Duration::from_secs(1));
        }
        history
    }

    #[test]
    fn the_oldest_branch_that_nobody_needs_is_forgotten() {
        let mut history = branched(BRANCHES);
        assert_eq!(history.forget(None), None, "there is room for as many");
        let mut history = branched(BRANCHES + 3);
        assert_eq!(history.forget(None), Some(1), "the first is where all came from");
        assert_eq!(history.forget(Some(2)), Some(3));
        assert_eq!(history.forget(Some(2)), Some(4));
        assert_eq!(history.forget(None), None);
        assert!(history.branches()[1].forgotten && !history.branches()[2].forgotten);
        assert_eq!(history.branches()[1].recording.commands, []);
        // Whatever still names a place on it finds nothing there, and no panic.
        let place = Place {
            branch: 1,
            at: Duration::from_secs(1),
            acts: 1,
        };
        assert!(history.before(place).is_empty() && history.after(place).is_empty());
    }

    #[test]
    fn in_a_chain_of_branches_the_oldest_goes() {
        let mut history = History::new(Recording::new(Head::new("", "", None, 0)));
        for _ in 0..BRANCHES {
            history.reach(history.here().at + Duration::from_secs(1));
            let before = history.here();
            history.reach(before.at + Duration::from_secs(1));
            history.go(before);
            assert!(history.fork());
        }
        assert_eq!(history.branches().len(), BRANCHES + 1);
        assert_eq!(history.forget(None), Some(0));
    }
}
