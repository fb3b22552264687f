//! Which row a request is about.

use crate::layout::Keys;
use crate::sim::{Draw, mix};

/// Keys from 0 to a bound, drawn by popularity.
#[derive(Clone, Copy, Debug)]
pub enum KeySpace {
    /// Every key alike.
    Uniform {
        /// Number of keys.
        count: u64,
    },
    /// Key k - 1 with a probability proportional to 1 / k^exponent, by rejection-inversion (Hörmann and Derflinger 1996), which needs
    /// no table: about 1.1 trials a draw, whatever the number of keys.
    Zipf {
        /// Number of keys.
        count: u64,
        /// The exponent.
        exponent: f64,
        /// H(1.5) - 1.
        low: f64,
        /// H(count + 0.5).
        high: f64,
        /// Below this distance a trial is accepted without a look at the density.
        margin: f64,
    },
}

impl KeySpace {
    /// From a layout.
    pub fn new(keys: Keys) -> KeySpace {
        match keys {
            Keys::Uniform { count } => KeySpace::Uniform { count },
            Keys::Zipf { count, exponent } => KeySpace::Zipf {
                count,
                exponent,
                low: integral(exponent, 1.5) - 1.0,
                high: integral(exponent, count as f64 + 0.5),
                margin: 2.0 - inverse(exponent, integral(exponent, 2.5) - density(exponent, 2.0)),
            },
        }
    }

    /// The key that belongs to a draw.
    pub fn key(self, draw: Draw) -> u64 {
        match self {
            KeySpace::Uniform { count } => draw.below(count),
            KeySpace::Zipf {
                count,
                exponent,
                low,
                high,
                margin,
            } => {
                let mut bits = draw;
                loop {
                    let u = high + bits.unit() * (low - high);
                    let x = inverse(exponent, u);
                    let k = (x + 0.5).floor().clamp(1.0, count as f64);
                    if k - x <= margin || u >= integral(exponent, k + 0.5) - density(exponent, k) {
                        return k as u64 - 1;
                    }
                    bits = Draw(mix(bits.0.wrapping_add(1)));
                }
            }
        }
    }
}

fn density(exponent: f64, x: f64) -> f64 {
    libm::exp(-exponent * libm::log(x))
}

/// The integral of the density, (x^(1-s) - 1) / (1 - s), in a form that is exact near s = 1.
fn integral(exponent: f64, x: f64) -> f64 {
    let log = libm::log(x);
    let t = (1.0 - exponent) * log;
    log * if t.abs() > 1e-8 {
        libm::expm1(t) / t
    } else {
        1.0 + t / 2.0
    }
}

fn inverse(exponent: f64, y: f64) -> f64 {
    let t = (y * (1.0 - exponent)).max(-1.0);
    libm::exp(
        y * if t.abs() > 1e-8 {
            libm::log1p(t) / t
        } else {
            1.0 - t / 2.0
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_draws_have_the_probabilities_of_their_ranks() {
        for exponent in [0.7, 0.9, 1.0, 1.2] {
            let count = 1_000;
            let space = KeySpace::new(Keys::Zipf { count, exponent });
            let mut seen = vec![0_u32; count as usize];
            let draws = 400_000;
            for item in 0..draws {
                seen[space.key(Draw::of(3, item, 1)) as usize] += 1;
            }
            let norm: f64 = (1..=count).map(|k| (k as f64).powf(-exponent)).sum();
            for rank in [1_u32, 2, 3, 10, 100] {
                let expected = f64::from(rank).powf(-exponent) / norm * draws as f64;
                let found = f64::from(seen[rank as usize - 1]);
                assert!(
                    (found - expected).abs() < 5.0 * expected.sqrt(),
                    "s={exponent} rank={rank}: {found} for {expected}"
                );
            }
        }
    }
}
