//! Values that several kinds of services use.

use std::time::Duration;

use serde::Deserialize;

use crate::layout::duration;
use crate::layout::model::{Distribution, Keys};

#[derive(Clone, Copy, Deserialize)]
pub(super) enum RawDistribution {
    Constant(#[serde(with = "duration")] Duration),
    Exponential(#[serde(with = "duration")] Duration),
    LogNormal {
        #[serde(with = "duration")]
        mean: Duration,
        cv: f64,
    },
}

impl From<RawDistribution> for Distribution {
    fn from(raw: RawDistribution) -> Distribution {
        match raw {
            RawDistribution::Constant(mean) => Distribution::Constant(mean),
            RawDistribution::Exponential(mean) => Distribution::Exponential(mean),
            RawDistribution::LogNormal { mean, cv } => Distribution::LogNormal { mean, cv },
        }
    }
}

/// An exponential distribution with a mean in microseconds: the form of most defaults.
pub(super) fn exponential(micros: u64) -> RawDistribution {
    RawDistribution::Exponential(Duration::from_micros(micros))
}

#[derive(Clone, Copy, Deserialize)]
pub(super) enum RawKeys {
    Uniform { count: u64 },
    Zipf { count: u64, exponent: f64 },
}

impl From<RawKeys> for Keys {
    fn from(raw: RawKeys) -> Keys {
        match raw {
            RawKeys::Uniform { count } => Keys::Uniform { count },
            RawKeys::Zipf { count, exponent } => Keys::Zipf { count, exponent },
        }
    }
}
