//! Values that several kinds of services use.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::layout::duration;
use crate::layout::model::{Distribution, Keys};

/// A duration with its unit.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Time(#[serde(with = "duration")] pub Duration);

/// Reads a value whose default depends on where it stands; `None` in the file is no value.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Something that is there by default in some places, and that `None` switches off.
#[derive(Clone, Copy, Default)]
pub(super) enum Switch<T> {
    /// The file does not say.
    #[default]
    Unsaid,
    Off,
    On(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<T>::deserialize(deserializer)? {
            None => Switch::Off,
            Some(value) => Switch::On(value),
        })
    }
}

impl<T> Switch<T> {
    pub fn or(self, default: Option<T>) -> Option<T> {
        match self {
            Switch::Unsaid => default,
            Switch::Off => None,
            Switch::On(value) => Some(value),
        }
    }
}

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

/// Always so many microseconds.
pub(super) fn constant(micros: u64) -> RawDistribution {
    RawDistribution::Constant(Duration::from_micros(micros))
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
