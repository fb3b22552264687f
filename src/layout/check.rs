//! Checks of single values: numbers within their bounds, durations, names that selectors can use.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::bounds;
use super::model::{Distribution, Keys};
use super::size::{SIZES, Size};
use super::source::{Path, Problem};
use super::text::{printable, suggestion};

/// The most people in all populations together.
pub(super) const MOST_USERS: u64 = 50_000_000;
/// The most keys of a population, and the most rows of a database.
pub(super) const MOST_KEYS: u64 = 10_000_000;
/// The most slots and the longest backlog of one machine.
pub(super) const MOST_SLOTS: u64 = 1_000_000;
/// The shortest latency between two machines: the kernel's windows are as wide as the smallest latency.
pub(super) const SHORTEST_LATENCY: Duration = Duration::from_micros(1);
/// The longest latency.
pub(super) const LONGEST_LATENCY: Duration = Duration::from_secs(60);

pub(super) fn whole(path: &Path, value: impl Into<u64>, range: RangeInclusive<u64>) -> Result<(), Problem> {
    bounds::whole(value, &range).map_err(|why| path.problem(why))
}

pub(super) fn number(path: &Path, value: f64, range: RangeInclusive<f64>) -> Result<(), Problem> {
    bounds::number(value, &range).map_err(|why| path.problem(why))
}

/// Above zero, at most `high`.
pub(super) fn positive(path: &Path, value: f64, high: f64) -> Result<(), Problem> {
    bounds::positive(value, high).map_err(|why| path.problem(why))
}

pub(super) fn time(path: &Path, value: Duration, range: RangeInclusive<Duration>) -> Result<(), Problem> {
    bounds::time(value, &range).map_err(|why| path.problem(why))
}

/// From 0 to a week.
pub(super) fn span(path: &Path, value: Duration) -> Result<(), Problem> {
    bounds::span(value).map_err(|why| path.problem(why))
}

/// Above zero, at most a week.
pub(super) fn interval(path: &Path, value: Duration) -> Result<(), Problem> {
    bounds::interval(value).map_err(|why| path.problem(why))
}

pub(super) fn distribution(path: &Path, value: Distribution) -> Result<(), Problem> {
    let mean = match value {
        Distribution::Constant(mean) | Distribution::Exponential(mean) => mean,
        Distribution::LogNormal { mean, cv } => {
            positive(&path.at("cv"), cv, 100.0)?;
            mean
        }
    };
    if mean.is_zero() {
        return Err(path.problem("the mean must be longer than 0"));
    }
    time(path, mean, Duration::ZERO..=Duration::from_secs(3600))
}

pub(super) fn keys(path: &Path, value: Keys) -> Result<(), Problem> {
    match value {
        Keys::Uniform { count } => whole(&path.at("count"), count, 1..=MOST_KEYS),
        Keys::Zipf { count, exponent } => {
            whole(&path.at("count"), count, 1..=MOST_KEYS)?;
            positive(&path.at("exponent"), exponent, 10.0)
        }
    }
}

pub(super) fn size(path: &Path, name: &str) -> Result<(), Problem> {
    if Size::named(name).is_some() {
        return Ok(());
    }
    let known = suggestion(name, SIZES.iter().map(|size| size.name));
    Err(path.problem(format!("unknown size \"{}\"{known}", printable(name))))
}

/// A name that selectors and commands can carry.
pub(super) fn name(path: &Path, name: &str) -> Result<(), Problem> {
    bounds::name(name).map_err(|why| path.key(name).problem(why))
}

/// A domain that users can look up (RFC 1035: letters, digits, hyphens and dots, at most 253 of them).
pub(super) fn domain(path: &Path, domain: &str) -> Result<(), Problem> {
    let is_label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    if domain.len() <= 253 && domain.split('.').all(is_label) {
        return Ok(());
    }
    Err(path.problem(format!(
        "\"{}\" is not a domain, as \"shop.example\" is",
        printable(domain)
    )))
}
