//! Every second of a run.

use std::time::Duration;

use crate::observe::{Frame, Sample, Tally};
use crate::sim::SimTime;

/// What was counted between two moments, both in seconds since the start, in samples of a second each: of a second that lies within only in part, that part.
pub fn between(samples: &[Sample], from_s: f64, to_s: f64, count: fn(&Tally) -> u64) -> u64 {
    let first = samples.partition_point(|sample| sample.at.seconds() <= from_s);
    let within = |sample: &Sample| {
        let end = sample.at.seconds();
        let part = end.min(to_s) - (end - 1.0).max(from_s);
        part.clamp(0.0, 1.0) * count(&sample.tally) as f64
    };
    let inside = samples[first..]
        .iter()
        .take_while(|sample| sample.at.seconds() - 1.0 < to_s);
    inside.map(within).sum::<f64>().round() as u64
}

/// One sample for each whole second of a run, the oldest first. A frame keeps only the last 240, so a longer run is looked at on its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seconds(Vec<Sample>);

impl Seconds {
    /// How much simulated time may pass between two looks at most: a little less than what a frame keeps.
    pub const BETWEEN_LOOKS: Duration = Duration::from_secs(200);

    /// Takes what is new in a frame.
    pub fn look(&mut self, frame: &Frame) {
        let known = self.0.last().map_or(SimTime::ZERO, |sample| sample.at);
        let new = frame.history.partition_point(|sample| sample.at <= known);
        self.0.extend_from_slice(&frame.history[new..]);
    }

    /// The samples.
    pub fn samples(&self) -> &[Sample] {
        &self.0
    }

    /// Requests that were sent between two moments, both in seconds since the start.
    pub(super) fn sent_between(&self, from_s: f64, to_s: f64) -> u64 {
        between(&self.0, from_s, to_s, |tally| tally.sent)
    }
}
