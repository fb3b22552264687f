//! The cores of a machine: first come, first served, shared by all its services.

use std::collections::VecDeque;

use super::meter::Gauge;
use super::slab::Ref;
use super::time::SimTime;

/// Cores and the work that waits for one.
#[derive(Debug)]
pub(super) struct Processors {
    pub cores: u32,
    /// The factor on all work that starts from now on.
    pub slow: f64,
    busy: u32,
    waiting: VecDeque<(Ref, u64)>,
}

impl Processors {
    pub(super) fn new(cores: u32) -> Processors {
        Processors {
            cores,
            slow: 1.0,
            busy: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Takes a core if one is free; otherwise the work waits.
    #[inline]
    pub(super) fn acquire(&mut self, wait: Ref, demand: u64, gauge: &Gauge, now: SimTime) -> bool {
        if self.busy < self.cores {
            self.busy += 1;
            gauge.set(now, self.busy);
            return true;
        }
        self.waiting.push_back((wait, demand));
        false
    }

    /// Gives a core back, or hands it to the work that waits longest, which is returned.
    #[inline]
    pub(super) fn release(&mut self, gauge: &Gauge, now: SimTime) -> Option<(Ref, u64)> {
        if self.busy <= self.cores
            && let Some(next) = self.waiting.pop_front()
        {
            return Some(next);
        }
        self.busy -= 1;
        gauge.set(now, self.busy);
        None
    }

    /// Forgets work that waits.
    pub(super) fn forget(&mut self, wait: Ref) {
        self.waiting.retain(|(waiting, _)| *waiting != wait);
    }

    /// How long work of this demand takes here.
    #[inline]
    pub(super) fn duration(&self, demand: u64) -> u64 {
        #[allow(clippy::float_cmp, reason = "1 is set, never computed")]
        if self.slow == 1.0 {
            demand
        } else {
            (demand as f64 * self.slow) as u64
        }
    }
}
