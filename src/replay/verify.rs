//! Running a recording again, and comparing.

use std::fmt;
use std::time::Duration;

use super::digest::{Checkpoint, Digest};
use super::recording::Recording;
use super::session::{Ending, Refusal, Session};
use crate::layout::Layout;

/// Where a second run first left the history of the first.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// A command that had taken effect was refused.
    Refused(Refusal),
    /// The histories differ.
    History {
        /// They were the same until here.
        same_until: Duration,
        /// They differ here.
        at: Duration,
        /// The recorded digest.
        recorded: Digest,
        /// The digest of the second run.
        found: Digest,
    },
}

/// The session that runs a recording again. Advance it to the recording's duration.
pub fn replayed(recording: &Recording, layout: &Layout) -> Session {
    Session::again(layout, recording)
}

/// Compares a recording with what came of running it again; `None` if both are the same.
pub fn verify(recording: &Recording, ending: &Ending) -> Option<Difference> {
    let last = |digest| Checkpoint {
        at: recording.duration,
        digest,
    };
    // One that was cut off has no last digest.
    let recorded = recording.checkpoints.iter().copied();
    let recorded = recorded.chain(recording.digest.map(last));
    let found = ending.checkpoints.iter().copied().chain([last(ending.digest)]);
    let mut same_until = Duration::ZERO;
    for (recorded, found) in recorded.zip(found) {
        let refusal = ending.refusals.iter().find(|refusal| refusal.at <= found.at);
        if recorded.digest != found.digest {
            return Some(refusal.cloned().map_or(
                Difference::History {
                    same_until,
                    at: found.at,
                    recorded: recorded.digest,
                    found: found.digest,
                },
                Difference::Refused,
            ));
        }
        same_until = found.at;
    }
    ending.refusals.first().cloned().map(Difference::Refused)
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Refused(refusal) => write!(
                f,
                "at {} the command `{}` took effect in the recording and was refused now: {}",
                seconds(refusal.at),
                refusal.command,
                refusal.why
            ),
            Difference::History {
                same_until,
                at,
                recorded,
                found,
            } => write!(
                f,
                "the same until {}, different at {}: recorded {recorded}, found {found}",
                seconds(*same_until),
                seconds(*at)
            ),
        }
    }
}

fn seconds(at: Duration) -> String {
    format!("{} s", at.as_secs_f64())
}
