//! The figures of faults: how they are typed, and in what unit they are kept.

use super::super::model::CommandError;
use super::super::selector::shown;
use super::Param;
use crate::layout::{duration, parse_share, percent};

/// What kind of figure a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// `20%` or `0.2`; kept as a number from 0 to 1.
    Share,
    /// `10` or `x10`.
    Factor,
    /// `5s`, `100ms`; kept in seconds.
    Time,
    /// `1MB`, `100kB`: bytes a second.
    Rate,
    /// A word of the usage.
    Word,
}

/// Units of a bandwidth, the largest first: powers of ten, as networks count.
const RATES: [(&str, f64); 4] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0)];

impl Quantity {
    /// Reads a figure.
    ///
    /// # Errors
    /// In words: what is expected, with an example.
    pub fn parse(self, word: &str) -> Result<f64, CommandError> {
        let expected = |what: &str| CommandError(format!("expected {what}, found `{}`", shown(word)));
        match self {
            Quantity::Share => parse_share(word).ok_or_else(|| expected("a share such as 5% or 0.05")),
            Quantity::Factor => {
                let number = word.strip_prefix('x').unwrap_or(word);
                number.parse().map_err(|_| expected("a factor such as 2 or 0.5"))
            }
            Quantity::Time => {
                let time = duration::parse(word).map_err(CommandError)?;
                Ok(time.as_secs_f64())
            }
            Quantity::Rate => rate(word).ok_or_else(|| expected("bytes a second such as 1MB or 100kB")),
            Quantity::Word => Ok(0.0),
        }
    }

    /// Writes a figure so that it is read back.
    pub fn format(self, value: f64) -> String {
        match self {
            Quantity::Share => percent(value),
            Quantity::Factor => value.to_string(),
            Quantity::Time => duration::format(std::time::Duration::from_secs_f64(value)),
            Quantity::Rate => {
                let unit = RATES.iter().find(|(_, bytes)| value >= *bytes).unwrap_or(&RATES[3]);
                let text = format!("{}{}", value / unit.1, unit.0);
                // Where division rounds, bytes say it exactly.
                if rate(&text) == Some(value) {
                    text
                } else {
                    format!("{value}B")
                }
            }
            Quantity::Word => String::new(),
        }
    }
}

fn rate(word: &str) -> Option<f64> {
    let (number, bytes) = RATES
        .iter()
        .find_map(|(unit, bytes)| Some((word.strip_suffix(unit)?, *bytes)))?;
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number: f64 = number.parse().ok().filter(|_| plain)?;
    Some(number * bytes)
}

impl Param {
    /// Reads a value of it within its bounds.
    ///
    /// # Errors
    /// In words: what is expected, or the bounds.
    pub fn parse(&self, word: &str) -> Result<f64, CommandError> {
        let value = self.quantity.parse(word)?;
        self.check(value)?;
        Ok(value)
    }

    /// Whether a value is within the bounds.
    ///
    /// # Errors
    /// In words: the bounds.
    pub fn check(&self, value: f64) -> Result<(), CommandError> {
        let (least, most) = self.bounds;
        let bound = |text: &str| self.quantity.parse(text).unwrap_or(0.0);
        if (bound(least)..=bound(most)).contains(&value) {
            return Ok(());
        }
        let name = self.name.to_lowercase();
        Err(CommandError(format!(
            "the {name} is from {least} to {most}, not {}",
            match self.quantity {
                Quantity::Time if value >= 0.0 => self.quantity.format(value),
                Quantity::Share => format!("{}%", value * 100.0),
                _ => value.to_string(),
            }
        )))
    }
}
