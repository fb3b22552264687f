//! How fast simulated time passes.

use std::time::Duration;

/// Simulated seconds in a second on the wall.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Speed(f64);

const STEPS: [f64; 10] = [0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, f64::INFINITY];

impl Speed {
    /// As on the wall.
    pub const REAL: Speed = Speed(1.0);
    /// As fast as it can be computed.
    pub const MAX: Speed = Speed(f64::INFINITY);
    /// After a fault: it would be over before one sees it.
    pub const SLOW_MOTION: Speed = Speed(0.1);

    /// A factor above 0, infinite for as fast as possible.
    pub fn times(factor: f64) -> Option<Speed> {
        (factor > 0.0).then_some(Speed(factor))
    }

    /// The factor, if it is finite.
    pub fn factor(self) -> Option<f64> {
        self.0.is_finite().then_some(self.0)
    }

    /// The next faster step.
    #[must_use]
    pub fn faster(self) -> Speed {
        STEPS
            .into_iter()
            .find(|step| *step > self.0 * 1.001)
            .map_or(Speed::MAX, Speed)
    }

    /// The next slower step.
    #[must_use]
    pub fn slower(self) -> Speed {
        let slower = STEPS.into_iter().rev().find(|step| *step < self.0 * 0.999);
        Speed(slower.unwrap_or(STEPS[0]))
    }

    /// Simulated time in a time on the wall; the longest there is when there is no bound.
    pub fn simulated(self, wall: Duration) -> Duration {
        let seconds = wall.as_secs_f64() * self.0;
        if seconds < 1e9 {
            Duration::from_secs_f64(seconds)
        } else {
            Duration::MAX
        }
    }

    /// For the header: `1x`, `0.25x`, `max`.
    pub fn label(self) -> String {
        if self.0.is_finite() {
            format!("{}x", self.0)
        } else {
            "max".to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_up_and_down_and_end() {
        assert_eq!(Speed::REAL.faster().label(), "2x");
        assert_eq!(Speed::REAL.slower().label(), "0.5x");
        assert_eq!(Speed::MAX.faster().label(), "max");
        assert_eq!(Speed::MAX.slower().label(), "60x");
        assert_eq!(Speed(0.01).slower().label(), "0.01x");
        assert_eq!(Speed(3.0).slower().label(), "2x");
    }
}
