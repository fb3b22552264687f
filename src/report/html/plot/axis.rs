//! Where things stand in a plot: time from left to right, values from the bottom up, linear or by powers of ten.

/// Steps between two moments of the axis of time, in seconds.
const STEPS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 21_600.0,
    43_200.0, 86_400.0, 172_800.0, 432_000.0,
];

/// The left end of the axis of time.
pub(super) const LEFT: f64 = 56.0;

/// The top of the axis of values. Numbers of incidents stand above.
pub(super) const TOP: f64 = 24.0;

/// The size of a picture, and the time that it shows. One unit is a pixel at its natural size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// How wide.
    pub(super) width: f64,
    /// How high.
    pub(super) height: f64,
    duration_s: f64,
    /// Labels of moments that fit beside each other.
    labels: f64,
}

impl Frame {
    /// For a page as wide as it gets.
    pub(super) fn wide(duration_s: f64) -> Frame {
        Frame {
            width: 980.0,
            height: 290.0,
            duration_s,
            labels: 12.0,
        }
    }

    /// For a phone.
    pub(super) fn narrow(duration_s: f64) -> Frame {
        Frame {
            width: 360.0,
            height: 250.0,
            duration_s,
            labels: 5.0,
        }
    }

    /// The right end of the axis of time.
    pub(super) fn right(self) -> f64 {
        self.width - 18.0
    }

    /// The bottom of the axis of values.
    pub(super) fn bottom(self) -> f64 {
        self.height - 26.0
    }

    /// Columns that can be told apart.
    pub(super) fn columns(self) -> usize {
        ((self.right() - LEFT) / 2.0) as usize
    }

    /// The place of a moment.
    pub(super) fn x(self, seconds: f64) -> f64 {
        let share = (seconds / self.duration_s).clamp(0.0, 1.0);
        LEFT + share * (self.right() - LEFT)
    }

    /// The place of a value, as a share of the axis.
    pub(super) fn y(self, share: f64) -> f64 {
        self.bottom() - share.clamp(0.0, 1.0) * (self.bottom() - TOP)
    }

    /// Moments to write below the axis.
    pub(super) fn moments(self) -> Vec<(f64, String)> {
        let fits = |step: &&f64| self.duration_s / **step <= self.labels;
        let longest = STEPS[STEPS.len() - 1];
        let step = STEPS.iter().find(fits).copied().unwrap_or(longest);
        let count = (self.duration_s / step) as u64;
        (0..=count)
            .map(|index| index as f64 * step)
            .map(|at| (at, moment(at as u64)))
            .collect()
    }
}

/// A moment of the run: minutes and seconds, hours in front from the first on.
fn moment(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A linear axis from 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Scale {
    step: f64,
    top: f64,
}

impl Scale {
    /// An axis that holds this value.
    pub(in crate::report) fn to(most: f64) -> Scale {
        let mut step = 1.0;
        // 1, 2, 5, 10, 20, 50 and so on: at most five steps.
        for factor in [2.0, 2.5, 2.0].into_iter().cycle() {
            if most <= step * 5.0 {
                break;
            }
            step *= factor;
        }
        let steps = (most / step).ceil().max(1.0);
        Scale {
            step,
            top: step * steps,
        }
    }

    /// Where a value stands, from 0 to 1.
    pub(in crate::report) fn share(self, value: f64) -> f64 {
        value / self.top
    }

    /// Values to write beside it.
    pub(in crate::report) fn ticks(self) -> Vec<f64> {
        let count = (self.top / self.step).round() as u64;
        (0..=count).map(|index| index as f64 * self.step).collect()
    }
}

/// An axis of powers of ten, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Log {
    low: i32,
    high: i32,
}

impl Log {
    /// An axis that holds these values.
    pub(in crate::report) fn over(values: impl Iterator<Item = f64>) -> Log {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values {
            (least, most) = (least.min(value), most.max(value));
        }
        if most <= 0.0 {
            return Log { low: 0, high: 1 };
        }
        // By comparison, not by a logarithm: a value at a power of ten is on the same side everywhere.
        let low = (-6..9).rev().find(|power| 10.0_f64.powi(*power) <= least).unwrap_or(-6);
        let high = (-5..10).find(|power| 10.0_f64.powi(*power) >= most).unwrap_or(10);
        Log {
            low,
            high: high.max(low + 1),
        }
    }

    /// Where a value stands, from 0 to 1.
    pub(in crate::report) fn share(self, value: f64) -> f64 {
        (libm::log10(value) - f64::from(self.low)) / f64::from(self.high - self.low)
    }

    /// Values to write beside it. Where the axis is short, those between the powers too.
    pub(in crate::report) fn ticks(self) -> Vec<f64> {
        let factors: &[f64] = if self.high - self.low <= 2 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        let mut ticks = Vec::new();
        for power in self.low..self.high {
            ticks.extend(factors.iter().map(|factor| factor * 10.0_f64.powi(power)));
        }
        ticks.push(10.0_f64.powi(self.high));
        ticks
    }
}

/// A round value in milliseconds.
pub(in crate::report) fn decade(ms: f64) -> String {
    if ms >= 999.0 {
        return format!("{:.0} s", ms / 1e3);
    }
    if ms >= 0.999 {
        return format!("{ms:.0} ms");
    }
    if ms >= 0.000_999 {
        return format!("{:.0} µs", ms * 1e3);
    }
    format!("{:.0} ns", ms * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_steps() {
        assert_eq!(Scale::to(0.0).ticks(), [0.0, 1.0]);
        assert_eq!(Scale::to(412.0).ticks(), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(Scale::to(1_000.0).ticks().len(), 6);
        assert!((Scale::to(1_000.0).share(1_000.0) - 1.0).abs() < 1e-9);
        let labels = |frame: Frame| frame.moments().into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(Frame::narrow(60.0)), ["0:00", "0:15", "0:30", "0:45", "1:00"]);
        assert_eq!(labels(Frame::narrow(10_000.0)), ["0:00", "1:00:00", "2:00:00"]);
    }

    #[test]
    fn powers_of_ten_hold_what_they_show() {
        let axis = Log::over([9.8, 184.0].into_iter());
        assert_eq!(axis.ticks(), [1.0, 10.0, 100.0, 1_000.0]);
        assert!(axis.share(9.8) > 0.0 && axis.share(184.0) < 1.0);
        let ticks = Log::over([100.0].into_iter()).ticks();
        assert_eq!(ticks, [100.0, 200.0, 500.0, 1_000.0]);
        assert_eq!(
            ["0.1", "1", "1000"].map(|ms| decade(ms.parse().expect("a number"))),
            ["100 µs", "1 ms", "1 s"]
        );
    }
}
