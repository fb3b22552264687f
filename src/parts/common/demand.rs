//! Core time drawn from a distribution.

use crate::layout::Distribution;
use crate::sim::{Draw, nanos};

/// A distribution of core time, ready to draw from, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Demand {
    /// Always the same.
    Constant(u64),
    /// Memoryless with this mean.
    Exponential(f64),
    /// The exponential of a normal with this mean and deviation.
    LogNormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Deviation of the logarithm.
        sigma: f64,
    },
}

impl Demand {
    /// From a layout. A lognormal is given by mean m and coefficient of variation c: sigma^2 = ln(1 + c^2), mu = ln m - sigma^2 / 2.
    pub fn new(distribution: Distribution) -> Demand {
        match distribution {
            Distribution::Constant(value) => Demand::Constant(nanos(value)),
            Distribution::Exponential(mean) => Demand::Exponential(nanos(mean) as f64),
            Distribution::LogNormal { mean, cv } => {
                let variance = libm::log(1.0 + cv * cv);
                Demand::LogNormal {
                    mu: libm::log(nanos(mean) as f64) - variance / 2.0,
                    sigma: libm::sqrt(variance),
                }
            }
        }
    }

    /// The demand that belongs to a draw, times a factor.
    #[inline]
    pub fn sample(self, draw: Draw, factor: f64) -> u64 {
        match self {
            Demand::Constant(value) => (value as f64 * factor) as u64,
            Demand::Exponential(mean) => (draw.exponential() * mean * factor) as u64,
            Demand::LogNormal { mu, sigma } => (libm::exp(mu + sigma * draw.normal()) * factor) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn demands_have_the_mean_and_the_deviation_of_the_layout() {
        let mean = Duration::from_millis(4);
        for (distribution, cv) in [
            (Distribution::Constant(mean), 0.0),
            (Distribution::Exponential(mean), 1.0),
            (Distribution::LogNormal { mean, cv: 0.5 }, 0.5),
        ] {
            let demand = Demand::new(distribution);
            let samples: Vec<f64> = (0..200_000)
                .map(|item| demand.sample(Draw::of(1, item, 1), 1.0) as f64 / 4e6)
                .collect();
            let mean = samples.iter().sum::<f64>() / 200_000.0;
            let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / 200_000.0;
            assert!((mean - 1.0).abs() < 0.01, "{distribution:?}: mean {mean}");
            assert!(
                (variance.sqrt() - cv).abs() < 0.01,
                "{distribution:?}: deviation {}",
                variance.sqrt()
            );
        }
    }
}
