//! Where a capacity lies: between a factor that holds and one that breaks.

/// The traffic of the calm run, which tells how things are without a queue.
pub(super) const CALM: f64 = 0.25;
/// Nothing is tried below this factor.
pub const LEAST: f64 = 1.0 / 64.0;

/// What is known of the largest factor that holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bracket {
    /// The largest factor that is known to hold.
    pub holds: Option<f64>,
    /// The smallest factor that is known to break.
    pub breaks: Option<f64>,
}

impl Bracket {
    /// Takes note of a factor.
    pub(super) fn learn(&mut self, factor: f64, held: bool) {
        if held {
            self.holds = Some(self.holds.map_or(factor, |known| known.max(factor)));
            // What broke below was not broken by load.
            self.breaks = self.breaks.filter(|known| *known > factor);
        } else {
            self.breaks = Some(self.breaks.map_or(factor, |known| known.min(factor)));
        }
    }

    /// The factors to try next, rising, none above `most`; at most `count` of them between two known ones. None if it is known well enough.
    pub(super) fn next(&self, precision: f64, most: f64, count: i32) -> Vec<f64> {
        let points: Vec<f64> = match (self.holds, self.breaks) {
            (None, None) => vec![CALM.min(most)],
            (None, Some(breaks)) => [LEAST, LEAST * 4.0]
                .into_iter()
                .filter(|point| *point < breaks)
                .collect(),
            (Some(holds), None) if holds >= most => Vec::new(),
            (Some(holds), None) if holds < 1.0 => vec![1.0, 2.0],
            (Some(holds), None) => vec![holds * 2.0, holds * 4.0],
            (Some(holds), Some(breaks)) if breaks <= holds * (1.0 + precision) => Vec::new(),
            (Some(holds), Some(breaks)) => (1..=count)
                .map(|index| holds * libm::pow(breaks / holds, f64::from(index) / f64::from(count + 1)))
                .map(round)
                .filter(|point| *point > holds && *point < breaks)
                .collect(),
        };
        let mut points: Vec<f64> = points.into_iter().map(|point| point.min(most)).collect();
        points.dedup();
        points
    }

    /// How many more rounds there will be, as far as one can tell.
    pub(super) fn rounds(&self, precision: f64, count: i32) -> u32 {
        let ratio = match (self.holds, self.breaks) {
            (Some(holds), Some(breaks)) => breaks / holds,
            (None, Some(_)) => 4.0,
            _ => 8.0,
        };
        let shrinks = libm::log(ratio.max(1.0)) / libm::log(1.0 + precision);
        (libm::log(shrinks.max(1.0)) / libm::log(f64::from(count + 1))).ceil() as u32
    }
}

/// Three digits: so it can be typed.
pub(super) fn round(factor: f64) -> f64 {
    let scale = libm::pow(10.0, 2.0 - libm::floor(libm::log10(factor)));
    (factor * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a search for a capacity, and how many factors were tried.
    fn found(capacity: f64, most: f64) -> (Bracket, usize) {
        let (mut bracket, mut tried) = (Bracket::default(), 0);
        loop {
            let points = bracket.next(0.05, most, 2);
            if points.is_empty() {
                return (bracket, tried);
            }
            assert!(points.is_sorted() && points.iter().all(|point| *point <= most));
            for point in points {
                tried += 1;
                bracket.learn(point, point <= capacity);
                if point > capacity {
                    break;
                }
            }
        }
    }

    #[test]
    fn any_capacity_is_found_to_its_precision() {
        for capacity in [0.016, 0.07, 0.3, 0.999, 1.0, 1.82, 2.4, 7.7, 96.0, 640.0] {
            let (bracket, tried) = found(capacity, 1_000.0);
            let (holds, breaks) = (bracket.holds.unwrap(), bracket.breaks.unwrap());
            assert!(holds <= capacity && capacity < breaks, "{capacity}: {bracket:?}");
            assert!(breaks <= holds * 1.06, "{capacity}: {bracket:?}");
            assert!(tried <= 22, "{capacity}: {tried} factors");
        }
    }

    #[test]
    fn a_round_may_have_fewer_factors_than_asked_for() {
        let between = |holds, breaks| Bracket {
            holds: Some(holds),
            breaks: Some(breaks),
        };
        // Of three digits there is one between these.
        assert_eq!(between(1.0, 1.02).next(0.01, 1_000.0, 2), [1.01]);
        assert_eq!(between(100.0, 103.0).next(0.01, 1_000.0, 2), [101.0, 102.0]);
        // The most that is allowed comes before the second one.
        let open = Bracket {
            holds: Some(2.0),
            breaks: None,
        };
        assert_eq!(open.next(0.05, 3.0, 2), [3.0]);
        // The first of a round breaks: the second one is not wanted, and the first alone ends it.
        let mut last = between(1.0, 1.2);
        let points = last.next(0.065, 1_000.0, 2);
        assert_eq!(points, [1.06, 1.13]);
        last.learn(points[0], false);
        assert_eq!(last, between(1.0, 1.06));
        assert!(last.next(0.065, 1_000.0, 2).is_empty());
        // Where only the first one holds, there is another round.
        let mut last = between(1.0, 1.2);
        last.learn(1.06, true);
        assert_eq!(last.next(0.065, 1_000.0, 2), [1.1, 1.15]);
    }

    #[test]
    fn what_breaks_below_what_holds_is_no_bound() {
        let mut bracket = Bracket::default();
        bracket.learn(0.25, false);
        bracket.learn(1.0, true);
        assert_eq!((bracket.holds, bracket.breaks), (Some(1.0), None));
        bracket.learn(2.0, false);
        assert_eq!((bracket.holds, bracket.breaks), (Some(1.0), Some(2.0)));
    }

    #[test]
    fn there_is_an_end_above_and_below() {
        assert_eq!(
            found(1e9, 1_000.0).0,
            Bracket {
                holds: Some(1_000.0),
                breaks: None
            }
        );
        assert_eq!(
            found(1e9, 0.1).0,
            Bracket {
                holds: Some(0.1),
                breaks: None
            }
        );
        assert_eq!(
            found(0.0, 1_000.0).0,
            Bracket {
                holds: None,
                breaks: Some(LEAST)
            }
        );
    }
}
