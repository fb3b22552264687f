//! Which moments of a run are shown, and when each comes on the screen. All in whole nanoseconds and thousandths, so that nothing depends on
//! how a computer rounds.

use std::fmt;
use std::time::Duration;

/// The fewest and the most frames a second.
pub const FPS: (u32, u32) = (1, 60);
/// The least and the most simulated seconds in a second on the screen.
pub const SPEEDS: (f64, f64) = (0.1, 100.0);
/// The unit of a speed: so many are once as fast as life.
pub const THOUSANDTHS: u32 = 1_000;

/// Which part of a run is shown, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The first moment.
    pub from: Duration,
    /// The last moment.
    pub to: Duration,
    /// Frames in a second on the screen.
    pub fps: u32,
    /// Simulated seconds in a thousand seconds on the screen.
    pub speed: u32,
}

/// There would be more frames than may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// So many there would be.
    pub frames: u128,
    /// So many may be.
    pub most: usize,
}

impl Timing {
    /// The moment alone.
    pub fn at(moment: Duration, speed: u32) -> Timing {
        Timing {
            from: moment,
            to: moment,
            fps: FPS.0,
            speed,
        }
    }

    /// When a moment comes on the screen, from the first one. What lies before comes with it.
    pub fn on_screen(&self, moment: Duration) -> Duration {
        let passed = moment.saturating_sub(self.from).as_nanos();
        nanos(passed * u128::from(THOUSANDTHS) / u128::from(self.speed))
    }

    /// The simulated time that passes in a time on the screen.
    pub fn simulated(&self, on_screen: Duration) -> Duration {
        nanos(on_screen.as_nanos() * u128::from(self.speed) / u128::from(THOUSANDTHS))
    }

    /// Whether a moment is shown.
    pub fn contains(&self, moment: Duration) -> bool {
        (self.from..=self.to).contains(&moment)
    }

    /// The moments that are drawn, in order, each once: one for each frame, and those of `also` that lie between, so that what happens is seen
    /// when it happens.
    ///
    /// # Errors
    /// When there are more than `most`.
    pub fn moments(&self, also: &[Duration], most: usize) -> Result<Vec<Duration>, TooMany> {
        // A speed in thousandths is millions of nanoseconds for each second.
        let second = u128::from(self.speed) * 1_000_000;
        let fps = u128::from(self.fps);
        let length = self.to.saturating_sub(self.from).as_nanos();
        let on_grid = (length * fps).div_ceil(second);
        let between = also.iter().filter(|moment| self.contains(**moment));
        let refuse = |frames| Err(TooMany { frames, most });
        if on_grid + 1 > most as u128 {
            return refuse(on_grid + 1);
        }
        let mut moments: Vec<Duration> = (0..on_grid).map(|k| self.from + nanos(k * second / fps)).collect();
        moments.push(self.to);
        moments.extend(between);
        moments.sort();
        moments.dedup();
        if moments.len() > most {
            return refuse(moments.len() as u128);
        }
        Ok(moments)
    }
}

fn nanos(nanos: u128) -> Duration {
    u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
}

/// A time in seconds with the digits that it needs, to a microsecond: `1.5`, `0.033333`.
pub(super) fn seconds(time: Duration) -> String {
    let micros = (time.as_nanos() + 500) / 1_000;
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "that would be {} frames, and {} is the most", self.frames, self.most)
    }
}

impl std::error::Error for TooMany {}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn moments_are_even_and_hold_what_happens_between() {
        let timing = Timing {
            from: ms(1_000),
            to: ms(2_100),
            fps: 10,
            speed: 4_000,
        };
        let moments = timing.moments(&[ms(500), ms(1_300), ms(1_400)], 10);
        assert_eq!(
            moments,
            Ok([1_000, 1_300, 1_400, 1_800, 2_100].map(ms).to_vec()),
            "what lies before is left out, what is there already is there once"
        );
        assert_eq!(timing.on_screen(ms(1_400)), ms(100));
        assert_eq!(timing.on_screen(ms(500)), ms(0));
        assert_eq!(timing.simulated(ms(1_000)), ms(4_000));
        assert_eq!(timing.moments(&[], 3), Err(TooMany { frames: 4, most: 3 }));
    }

    #[test]
    fn a_moment_alone_is_one_frame() {
        assert_eq!(Timing::at(ms(7), 1_000).moments(&[ms(7)], 1), Ok(vec![ms(7)]));
    }

    #[test]
    fn the_longest_run_is_refused_before_anything_is_made() {
        let timing = Timing {
            from: Duration::ZERO,
            to: Duration::from_secs(30 * 24 * 3_600),
            fps: 60,
            speed: 100,
        };
        assert!(timing.moments(&[], 20_000).is_err());
    }

    #[test]
    fn seconds_have_the_digits_that_they_need() {
        assert_eq!(seconds(ms(0)), "0");
        assert_eq!(seconds(ms(1_500)), "1.5");
        assert_eq!(seconds(ms(10_000)), "10");
        assert_eq!(seconds(Duration::from_nanos(33_333_333)), "0.033333");
    }
}
