//! The clocks of a node: its wall clock, which may be off, and a hybrid logical clock over it.

use std::cell::Cell;

use crate::sim::SimTime;

/// What clocks show when the world begins, so that one that is slow does not run out of numbers.
const EPOCH: u64 = 1 << 60;
/// Bits of a hybrid clock that count what happens within one tick of the wall clock, which then is 65 microseconds.
const COUNTER_BITS: u32 = 16;

/// The clocks of a machine.
#[derive(Debug, Default)]
pub(super) struct Clock {
    skew: Cell<i64>,
    hybrid: Cell<u64>,
}

impl Clock {
    /// By how many nanoseconds the wall clock is off.
    pub fn skew(&self) -> i64 {
        self.skew.get()
    }

    /// Sets the wall clock.
    pub fn set_skew(&self, nanos: i64) {
        self.skew.set(nanos);
    }

    /// What the wall clock shows.
    pub fn wall(&self, now: SimTime) -> u64 {
        (EPOCH + now.0).saturating_add_signed(self.skew.get())
    }

    /// The time of an event here, by the hybrid clock: that of the wall clock, or just later than all that was heard of (Kulkarni et al.,
    /// Logical Physical Clocks, OPODIS 2014; time and counter in one number, as there in section 5).
    pub fn tick(&self, now: SimTime) -> u64 {
        let physical = self.wall(now) >> COUNTER_BITS << COUNTER_BITS;
        let time = physical.max(self.hybrid.get() + 1);
        self.hybrid.set(time);
        time
    }

    /// An event of another node is heard of.
    pub fn hear(&self, time: u64) {
        self.hybrid.set(self.hybrid.get().max(time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hybrid_clock_never_runs_backwards_and_follows_the_wall_clock() {
        let clock = Clock::default();
        let first = clock.tick(SimTime(1_000_000_000));
        assert!(first <= clock.wall(SimTime(1_000_000_000)) && clock.wall(SimTime(1_000_000_000)) - first < 65_536);
        let second = clock.tick(SimTime(1_000_000_000));
        assert_eq!(second, first + 1);
        clock.set_skew(-900_000_000);
        assert_eq!(clock.tick(SimTime(1_000_000_100)), first + 2);
        let ahead = clock.wall(SimTime(9_000_000_000));
        clock.hear(ahead);
        clock.hear(1);
        assert_eq!(clock.tick(SimTime(1_000_000_200)), ahead + 1);
        assert!(clock.tick(SimTime(20_000_000_000)) > ahead + 1_000_000_000);
    }
}
