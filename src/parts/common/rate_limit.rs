//! A limit on the requests that a service takes: a token bucket, exact in integers.

use std::cell::Cell;

use crate::layout::RateLimit;
use crate::sim::SimTime;

/// Parts of a request a second in which the rate is kept: any whole number of requests a second is exact, and the slowest rate
/// is one request in 136 years.
const PARTS: f64 = 4_294_967_296.0;
/// One request in the unit of the bucket: a part of a request a second, for a nanosecond.
const REQUEST: u128 = (1 << 32) * 1_000_000_000;

/// A token bucket. It starts full.
///
/// The level is an integer that grows by the same integer each nanosecond, so that however often it is asked, no more and no fewer
/// requests pass than the rate allows.
#[derive(Debug)]
pub struct RateLimiter {
    /// What flows in each nanosecond.
    flow: Cell<u128>,
    /// What it holds at most.
    most: Cell<u128>,
    level: Cell<u128>,
    /// When the level was that.
    at: Cell<SimTime>,
}

/// Without a limit yet: the first one finds a full bucket.
impl Default for RateLimiter {
    fn default() -> RateLimiter {
        RateLimiter::new(RateLimit {
            rate: 1e7,
            burst: 1_000_000,
        })
    }
}

impl RateLimiter {
    /// A full bucket.
    pub fn new(limit: RateLimit) -> RateLimiter {
        let (flow, most) = sizes(limit);
        RateLimiter {
            flow: Cell::new(flow),
            most: Cell::new(most),
            level: Cell::new(most),
            at: Cell::new(SimTime::ZERO),
        }
    }

    /// Whether one more request may pass a limit that may have changed since the last one.
    pub fn passes(&self, limit: RateLimit, now: SimTime) -> bool {
        if sizes(limit) != (self.flow.get(), self.most.get()) {
            self.tune(limit, now);
        }
        self.take(now)
    }

    /// Changes the limit from now on. What has flown in stays, as far as it fits.
    pub fn tune(&self, limit: RateLimit, now: SimTime) {
        self.fill(now);
        let (flow, most) = sizes(limit);
        self.flow.set(flow);
        self.most.set(most);
        self.level.set(self.level.get().min(most));
    }

    /// Whether one more request may pass now; if so it is counted.
    #[inline]
    pub fn take(&self, now: SimTime) -> bool {
        self.fill(now);
        let level = self.level.get();
        if level < REQUEST {
            return false;
        }
        self.level.set(level - REQUEST);
        true
    }

    #[inline]
    fn fill(&self, now: SimTime) {
        let since = u128::from(now.0.saturating_sub(self.at.get().0));
        let level = self.level.get() + since * self.flow.get();
        self.level.set(level.min(self.most.get()));
        self.at.set(now);
    }
}

/// Flow a nanosecond and most content. A rate is at most 10 million, so that 584 years of it fit.
fn sizes(limit: RateLimit) -> (u128, u128) {
    let flow = libm::round(limit.rate * PARTS) as u128;
    (flow.max(1), u128::from(limit.burst.max(1)) * REQUEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(rate: f64, burst: u32) -> RateLimit {
        RateLimit { rate, burst }
    }

    #[test]
    fn a_full_bucket_passes_its_burst_and_then_its_rate() {
        let limiter = RateLimiter::new(limit(3.0, 5));
        let start = SimTime(7_000_000_000);
        assert_eq!((0..20).filter(|_| limiter.take(start)).count(), 5);
        // A third of a second is no whole number of nanoseconds.
        assert!(!limiter.take(SimTime(start.0 + 333_333_333)));
        assert!(limiter.take(SimTime(start.0 + 333_333_334)));
        assert!(!limiter.take(SimTime(start.0 + 666_666_666)));
        assert!(limiter.take(SimTime(start.0 + 666_666_667)));
        assert!(limiter.take(SimTime(start.0 + 1_000_000_000)));
        assert!(!limiter.take(SimTime(start.0 + 1_000_000_000)));
        // It never holds more than the burst.
        assert_eq!((0..20).filter(|_| limiter.take(SimTime(start.0 * 9))).count(), 5);
    }

    #[test]
    fn it_does_not_drift_however_often_it_is_asked() {
        for rate in [0.1, 0.5, 3.0, 7.7, 9.0] {
            let limiter = RateLimiter::new(limit(rate, 2));
            let (hour, step) = (3_600_000_000_000_u64, 104_729_777);
            let passed = (0..hour / step).filter(|number| limiter.take(SimTime(number * step)));
            let (passed, flown) = (passed.count() as f64, rate * 3_600.0);
            assert!(passed >= flown && passed <= flown + 2.0, "{rate}: {passed} of {flown}");
        }
        // In odd steps of about a second it is exact to the request. The bucket was full at the start, so the first step spills.
        let limiter = RateLimiter::new(limit(777.0, 1_000));
        let (steps, step) = (3_600_u64, 999_999_937);
        let mut passed = 0;
        for number in 1..=steps {
            passed += (0..2_000).take_while(|_| limiter.take(SimTime(number * step))).count() as u64;
        }
        assert_eq!(passed, 1_000 + (steps - 1) * step * 777 / 1_000_000_000);
    }

    #[test]
    fn a_changed_limit_holds_from_then_on() {
        let limiter = RateLimiter::new(limit(10.0, 10));
        let start = SimTime(1_000_000_000);
        limiter.tune(limit(1_000.0, 2), start);
        assert_eq!((0..20).filter(|_| limiter.take(start)).count(), 2);
        assert!(limiter.take(SimTime(start.0 + 1_000_000)));
        limiter.tune(limit(1e-30, 1), SimTime(start.0 + 1_000_000));
        assert!(!limiter.take(SimTime(start.0 * 1_000_000)));
    }
}
