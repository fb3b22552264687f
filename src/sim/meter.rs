//! What a machine counts of itself, for whoever looks between two windows.

use std::cell::Cell;

use super::time::SimTime;

/// A count that changes over time, with its integral.
#[derive(Debug, Default)]
pub struct Gauge {
    value: Cell<u32>,
    peak: Cell<u32>,
    last: Cell<u64>,
    /// In nanoseconds times the value.
    integral: Cell<u128>,
}

impl Gauge {
    /// The value now.
    pub fn value(&self) -> u32 {
        self.value.get()
    }

    /// The largest value so far.
    pub fn peak(&self) -> u32 {
        self.peak.get()
    }

    /// The integral of the value over time until `now`, in seconds.
    pub fn integral(&self, now: SimTime) -> f64 {
        let since = now.0.saturating_sub(self.last.get());
        (self.integral.get() + u128::from(since) * u128::from(self.value.get())) as f64 / 1e9
    }

    #[inline]
    pub(super) fn set(&self, now: SimTime, value: u32) {
        let since = now.0 - self.last.get();
        let grown = u128::from(since) * u128::from(self.value.get());
        self.integral.set(self.integral.get() + grown);
        self.last.set(now.0);
        self.value.set(value);
        if value > self.peak.get() {
            self.peak.set(value);
        }
    }
}

/// The counters of an instance. They belong to whoever watches: a crash does not reset them.
#[derive(Debug, Default)]
pub struct Meter {
    /// Requests that arrived, refused ones too.
    pub received: Cell<u64>,
    /// Requests answered with success.
    pub ok: Cell<u64>,
    /// Requests answered with a failure, refused, or reset by a crash.
    pub failed: Cell<u64>,
    /// Sum of the times from arrival to answer, in nanoseconds, of all that were answered.
    pub sojourn: Cell<u128>,
    /// Requests here, waiting or in service.
    pub present: Gauge,
    /// Slots in use.
    pub slots: Gauge,
    /// Requests that wait for a slot.
    pub backlog: Gauge,
}

impl Meter {
    #[inline]
    pub(super) fn count(cell: &Cell<u64>) {
        cell.set(cell.get() + 1);
    }
}
