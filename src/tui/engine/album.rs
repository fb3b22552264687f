//! Pictures of the past.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::observe::Frame;
use crate::sim::SimTime;

/// Frames that are kept of a branch.
const FRAMES: usize = 240;
/// Between two frames that are kept, at first.
const SPACING: Duration = Duration::from_millis(200);

/// Frames of a branch, so that the past can be seen at once.
#[derive(Clone, Default)]
pub(super) struct Album {
    spacing: Option<Duration>,
    frames: BTreeMap<SimTime, Arc<Frame>>,
    /// Those just before acts.
    pinned: BTreeMap<SimTime, Arc<Frame>>,
    /// Those of moments at which every branch is looked at.
    common: BTreeMap<SimTime, Arc<Frame>>,
}

impl Album {
    pub(super) fn add(&mut self, frame: &Arc<Frame>) {
        let spacing = *self.spacing.get_or_insert(SPACING);
        let newest = self.frames.last_key_value().map(|(at, _)| *at);
        if newest.is_none_or(|newest| frame.at > newest && frame.at.since(newest) >= spacing) {
            self.frames.insert(frame.at, Arc::clone(frame));
        }
        if self.frames.len() > FRAMES {
            let mut number = 0;
            self.frames.retain(|_, _| {
                number += 1;
                number % 2 == 1
            });
            self.spacing = Some(spacing * 2);
        }
    }

    /// The newest frame is the last before an act.
    pub(super) fn pin(&mut self, frame: &Arc<Frame>, act: Duration) {
        if frame.at.elapsed() <= act && self.pinned.len() < FRAMES {
            self.pinned.insert(frame.at, Arc::clone(frame));
        }
    }

    /// Keeps what is seen at a moment at which every branch is looked at. The last ones stay.
    pub(super) fn look(&mut self, frame: &Arc<Frame>) {
        self.common.insert(frame.at, Arc::clone(frame));
        if self.common.len() > FRAMES {
            self.common.pop_first();
        }
    }

    /// The last of those moments that is in both.
    pub(super) fn last_common(&self, other: &Album) -> Option<(Arc<Frame>, Arc<Frame>)> {
        let pairs = self
            .common
            .iter()
            .rev()
            .map(|(at, frame)| (frame, other.common.get(at)));
        pairs
            .into_iter()
            .find_map(|(one, other)| Some((Arc::clone(one), Arc::clone(other?))))
    }

    pub(super) fn nearest(&self, at: Duration) -> Option<Arc<Frame>> {
        let until = SimTime::ZERO + at;
        let last = |frames: &BTreeMap<SimTime, Arc<Frame>>| {
            frames.range(..=until).next_back().map(|(_, frame)| Arc::clone(frame))
        };
        let found = [&self.frames, &self.pinned, &self.common].into_iter().filter_map(last);
        found
            .max_by_key(|frame| frame.at)
            .or_else(|| self.frames.values().next().cloned())
    }

    pub(super) fn before(&self, at: Duration) -> Album {
        let until = SimTime::ZERO + at;
        let mut album = self.clone();
        album.frames.retain(|at, _| *at <= until);
        album.pinned.retain(|at, _| *at <= until);
        album.common.retain(|at, _| *at <= until);
        album
    }
}
