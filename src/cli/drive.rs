//! Driving a session as fast as it goes, with a progress bar where somebody looks.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::replay::{Ending, Session};
use crate::report::Seconds;

/// How much simulated time passes between two looks at the progress bar.
pub(super) const SLICE: Duration = Duration::from_millis(500);

/// How fast a run was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Wall time.
    wall: Duration,
    /// Simulated time.
    simulated: Duration,
    /// Requests that users sent.
    requests: u64,
}

/// A run that was driven to its end.
#[derive(Debug)]
pub(super) struct Driven {
    /// What is known of it.
    pub(super) ending: Ending,
    /// Its seconds, one by one.
    pub(super) seconds: Seconds,
    /// How fast it was.
    pub(super) pace: Pace,
}

/// Runs a session to its end. The bar is drawn on stderr, and only on a terminal.
pub(super) fn drive(mut session: Session, until: Duration) -> Driven {
    let started = Instant::now();
    let bar = bar(until);
    let mut seconds = Seconds::default();
    let mut at = session.now();
    let mut look = at + Seconds::BETWEEN_LOOKS;
    while at < until {
        at = (at + SLICE).min(until);
        session.advance_to(at);
        if at >= look {
            seconds.look(&session.frame());
            look = at + Seconds::BETWEEN_LOOKS;
        }
        bar.set_position(millis(at));
    }
    bar.finish_and_clear();
    let wall = started.elapsed();
    let ending = session.end();
    seconds.look(&ending.frame);
    let pace = Pace {
        wall,
        simulated: ending.duration,
        requests: ending.frame.total.sent,
    };
    Driven { ending, seconds, pace }
}

impl Pace {
    /// One line for people. It differs from run to run, so it has no place among results.
    pub(super) fn line(self) -> String {
        let wall = self.wall.as_secs_f64().max(1e-9);
        format!(
            "speed      {} requests a second, {:.1} times real time, {wall:.2}s in all",
            indicatif::HumanCount((self.requests as f64 / wall) as u64),
            self.simulated.as_secs_f64() / wall
        )
    }
}

/// A bar for a run of this length, on stderr, and only on a terminal. Its position is in milliseconds.
pub(super) fn bar(until: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% of the run, {eta} to go");
    let bar = ProgressBar::new(millis(until));
    bar.with_style(style.expect("the template is a constant"))
}

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
