//! Checks of single values: numbers within their bounds, durations, names that selectors can use.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration;
use super::model::{Distribution, Keys};
use super::size::{SIZES, Size};
use super::source::{Path, Problem};
use super::text::{grouped, printable, suggestion};

/// The most people in all populations together.
pub(super) const MOST_USERS: u64 = 50_000_000;
/// The most machines in all data centers together.
pub(super) const MOST_MACHINES: u64 = 100_000;
/// The most keys of a population, and the most rows of a database.
pub(super) const MOST_KEYS: u64 = 10_000_000;
/// The most slots and the longest backlog of one machine.
pub(super) const MOST_SLOTS: u64 = 1_000_000;
/// The most requests a second of all populations together.
pub(super) const MOST_RATE: f64 = 10_000_000.0;
/// The longest of all durations in a layout: a week, the bound that RFC 8767 recommends for TTLs.
pub(super) const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// The shortest latency between two machines: the kernel's windows are as wide as the smallest latency.
pub(super) const SHORTEST_LATENCY: Duration = Duration::from_micros(1);
/// The longest latency.
pub(super) const LONGEST_LATENCY: Duration = Duration::from_secs(60);
/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

pub(super) fn whole(path: &Path, value: impl Into<u64>, range: RangeInclusive<u64>) -> Result<(), Problem> {
    let value = value.into();
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = (grouped(*range.start()), grouped(*range.end()));
    Err(path.problem(format!("must be from {low} to {high}, not {}", grouped(value))))
}

pub(super) fn number(path: &Path, value: f64, range: RangeInclusive<f64>) -> Result<(), Problem> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(path.problem(format!(
        "must be from {} to {}, not {value}",
        range.start(),
        range.end()
    )))
}

/// Above zero, at most `high`.
pub(super) fn positive(path: &Path, value: f64, high: f64) -> Result<(), Problem> {
    if value > 0.0 && value <= high {
        return Ok(());
    }
    Err(path.problem(format!("must be above 0 and at most {high}, not {value}")))
}

pub(super) fn time(path: &Path, value: Duration, range: RangeInclusive<Duration>) -> Result<(), Problem> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = (duration::format(*range.start()), duration::format(*range.end()));
    Err(path.problem(format!("must be from {low} to {high}, not {}", duration::format(value))))
}

/// Above zero, at most a week.
pub(super) fn interval(path: &Path, value: Duration) -> Result<(), Problem> {
    if value.is_zero() {
        return Err(path.problem("must be longer than 0"));
    }
    time(path, value, Duration::ZERO..=LONGEST)
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
    let why = if name.is_empty() {
        "a name must not be empty".to_owned()
    } else if name.chars().count() > LONGEST_NAME {
        format!("a name has at most {LONGEST_NAME} characters")
    } else if printable(name) != name {
        format!("the name \"{}\" holds characters that cannot be seen", printable(name))
    } else if let Some(c) = name.chars().find(|c| c.is_whitespace() || "/*<>".contains(*c)) {
        format!("the name \"{name}\" holds `{c}`; selectors need names without blanks, `/`, `*`, `<` and `>`")
    } else if name.bytes().all(|b| b.is_ascii_digit()) {
        format!("the name \"{name}\" is a number; in selectors numbers stand for instances, as in web/2")
    } else if name == "dns" || name == "all" {
        format!("the name \"{name}\" has a meaning of its own in commands; choose another")
    } else {
        return Ok(());
    };
    Err(path.key(name).problem(why))
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
