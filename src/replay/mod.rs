//! A run that can be run again: a session drives a world through its schedule and judges it, a recording keeps all that is
//! needed for the same history, a journal writes it as it happens, and verifying runs it again and compares.

mod digest;
mod file;
mod history;
mod journal;
mod judge;
mod recording;
mod runs;
mod schedule;
mod session;
mod target;
mod verify;

pub use crate::command::LONGEST_WORDS;
pub use digest::{Checkpoint, Digest};
pub use file::{RecordingError, fingerprint};
pub use history::{BRANCHES, Branch, History, Place, Taken};
pub use journal::{Journal, PART};
pub use judge::{Judge, Outcome, Verdict};
pub use recording::{Entry, Head, Recording, TraceNote, Words};
pub use runs::{ENDING, KEPT, Kept, Runs};
pub use session::{Act, Ending, Refusal, Session, Unreached};
pub use target::{FileKind, recordable, replaceable};
pub use verify::{Difference, replayed, verify};

use std::time::Duration;

/// Between two evaluations of what a layout expects.
pub const GRID: Duration = Duration::from_millis(100);

/// Between two digests of a recording.
pub const CHECKPOINT: Duration = Duration::from_secs(10);

/// The longest run: a typing mistake must not run for years.
pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a run may be, for people. The same text wherever a length is refused.
pub const LENGTHS: &str = "a run lasts more than 0 and at most 30 days (720h)";

/// The first multiple of `step` after `now`.
fn next_multiple(now: Duration, step: Duration) -> Duration {
    let (now, step) = (now.as_nanos(), step.as_nanos());
    from_nanos((now / step + 1) * step)
}

/// Whether `now` is a multiple of `step`, the start left out.
fn is_multiple(now: Duration, step: Duration) -> bool {
    !now.is_zero() && now.as_nanos().is_multiple_of(step.as_nanos())
}

/// A duration of so many nanoseconds, the longest there is if that is too many.
fn from_nanos(nanos: u128) -> Duration {
    u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
}
