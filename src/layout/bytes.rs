//! Sizes in text: `"64MB"`, decimal as storage and networks count, or binary with an `i` (`"64MiB"`).

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::text::printable;

/// The units, larger ones first.
const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

/// Reads a size with its unit: `64MB`, `1.5 GB`, `512 B`. The case of the letters does not matter.
///
/// # Errors
/// In words: what is no size.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let wrong = || {
        format!(
            "expected a size with a unit, as in \"64MB\", found `{}`",
            printable(trimmed)
        )
    };
    let ends_with = |unit: &str| {
        let start = trimmed.len().checked_sub(unit.len())?;
        let tail = trimmed.get(start..)?;
        tail.eq_ignore_ascii_case(unit).then(|| &trimmed[..start])
    };
    let with_unit = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((ends_with(unit)?, *factor)));
    let (number, factor) = with_unit.or_else(|| Some((ends_with("B")?, 1))).ok_or_else(wrong)?;
    let number = number.trim_end();
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_');
    let value: f64 = number.replace('_', "").parse().map_err(|_| wrong())?;
    let bytes = value * factor as f64;
    if !plain || bytes > 1e18 {
        return Err(wrong());
    }
    Ok(bytes.round() as u64)
}

/// The size as text that [`parse`] reads back as the same size.
pub(crate) fn format(bytes: u64) -> String {
    let decimal = UNITS[4..].iter().find(|(_, factor)| bytes >= *factor);
    let Some((unit, factor)) = decimal else {
        return format!("{bytes}B");
    };
    let short = format!("{:.2}", bytes as f64 / *factor as f64);
    let short = format!("{}{unit}", short.trim_end_matches('0').trim_end_matches('.'));
    if parse(&short) == Ok(bytes) {
        short
    } else {
        format!("{bytes}B")
    }
}

/// A size in a file.
#[derive(Clone, Copy)]
pub(super) struct Bytes(pub u64);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Bytes).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in [
            ("64MB", 64_000_000),
            ("64mb", 64_000_000),
            ("1.5 GB", 1_500_000_000),
            ("1KiB", 1024),
            ("512 B", 512),
            ("0B", 0),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
            assert_eq!(parse(&format(bytes)), Ok(bytes), "{}", format(bytes));
        }
        assert_eq!(format(1_234_567), "1234567B");
        assert_eq!(format(1_500_000), "1.5MB");
        for wrong in ["64", "MB", "-1MB", "1e9B", "", "9999999999TB", "1.2.3MB", "64 apples"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
