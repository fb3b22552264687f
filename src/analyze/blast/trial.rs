//! One run with one failure, in two steps: the undisturbed start, which all runs of a seed have in common, and the rest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Failure;
use super::outcome::{Outcome, outcome};
use super::rest::{Listener, is_as_before};
use crate::command::Command;
use crate::layout::Layout;
use crate::observe::{Frame, Sample};
use crate::replay::{Act, Session};

/// How far a run goes between two looks at whether it is to stop.
const SLICE: Duration = Duration::from_millis(500);
/// How often it is looked at whether a failure is over and done with.
const LOOK: Duration = Duration::from_secs(1);
/// How often where it is watched for long: what is kept grows with the number of looks.
const LOOK_LONG: Duration = Duration::from_secs(5);
/// What is watched for longer than this is watched for long.
const LONG: Duration = Duration::from_secs(600);
/// A failure is watched for so long at least, however calm all is.
pub const LEAST: Duration = Duration::from_secs(20);

/// When the failure comes, and for how long it is watched at most: less if it is over and done with, or nothing more can come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Time before it.
    #[serde(with = "crate::layout::duration")]
    pub before: Duration,
    /// Time after it, at most.
    #[serde(with = "crate::layout::duration")]
    pub after: Duration,
}

impl Span {
    /// The time between two looks at whether a failure is over and done with. It divides the time that counts as recent.
    pub(super) fn look(self) -> Duration {
        if self.after <= LONG { LOOK } else { LOOK_LONG }
    }
}

/// A run just before the failure comes. A world can't be copied, so it has one rest.
pub struct Start {
    session: Session,
    before: Frame,
    span: Span,
    seed: u64,
}

impl Start {
    /// Runs the layout until just before the failure comes. Nothing if it was stopped on the way. `watch` is told how much simulated time has passed.
    pub fn of(
        (layout, seed): (&Layout, u64),
        span: Span,
        stop: &AtomicBool,
        watch: &dyn Fn(Duration),
    ) -> Option<Start> {
        let mut session = Session::scheduled(layout, seed, &[]);
        advance(&mut session, span.before, stop, watch)?;
        let before = session.frame();
        Some(Start {
            session,
            before,
            span,
            seed,
        })
    }

    /// All that can be seen just before the failure comes.
    pub fn frame(&self) -> &Frame {
        &self.before
    }

    /// With which seed it runs.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Goes on with this failure until it is settled, or without one, when it tells how things stand at each moment at which one with a failure may have ended.
    /// Nothing if it was stopped on the way. `watch` is told how much simulated time has passed, and in the end how much is left out.
    pub fn go_on(
        self,
        layout: &Layout,
        failure: Option<&Failure>,
        stop: &AtomicBool,
        watch: &dyn Fn(Duration),
    ) -> Option<Vec<Outcome>> {
        let Start {
            mut session,
            before,
            span,
            ..
        } = self;
        let commands = failure.map_or(&[][..], |failure| &failure.commands);
        let act = |command: &Command| Act {
            at: span.before,
            command: command.clone(),
        };
        let acts: Vec<Act> = commands.iter().map(act).collect();
        session.plan(&acts);
        session.do_what_is_due();
        let mut listener = failure.map(|failure| Listener::new(&before, layout, failure, span));
        let mut samples: Vec<Sample> = Vec::new();
        let mut outcomes = Vec::new();
        let mut watched = Duration::ZERO;
        loop {
            watched = (watched + span.look()).min(span.after);
            advance(&mut session, span.before + watched, stop, watch)?;
            let frame = session.frame();
            keep(&mut samples, &frame);
            let is_end = watched == span.after;
            let told = failure.is_none() && watched >= LEAST;
            let is_over = failure.is_some_and(|failure| !failure.late) && is_as_before(&before, &frame);
            let is_at_rest = listener
                .as_mut()
                .is_some_and(|listener| listener.is_at_rest(&frame, watched));
            let settled = watched >= LEAST && (is_over || is_at_rest);
            if is_end || told || settled {
                let mut outcome = outcome((&before, &frame), &samples, span.before, watched);
                outcome.digest = session.digest().to_string();
                outcome.refused = session.refusals().first().map(|refusal| refusal.why.to_string());
                outcomes.push(outcome);
            }
            if is_end || settled {
                break;
            }
        }
        let unmet = session.end().verdicts.into_iter().filter(|verdict| !verdict.held());
        if let Some(last) = outcomes.last_mut() {
            last.unmet = unmet.map(|verdict| verdict.text).collect();
        }
        watch(span.after.saturating_sub(watched));
        Some(outcomes)
    }
}

/// Lets time pass until then, unless it is stopped.
fn advance(session: &mut Session, until: Duration, stop: &AtomicBool, watch: &dyn Fn(Duration)) -> Option<()> {
    while session.now() < until {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let now = session.now();
        let slice = SLICE.min(until.saturating_sub(now));
        session.advance_to(now + slice);
        watch(slice);
    }
    Some(())
}

/// The samples that are not there yet.
fn keep(samples: &mut Vec<Sample>, frame: &Frame) {
    let last = samples.last().map(|sample| sample.at);
    let news = frame.history.iter().filter(|sample| Some(sample.at) > last);
    samples.extend(news);
}
