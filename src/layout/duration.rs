//! Durations as text: `"30s"`, `"0.5ms"`, `"1m30s"`, and as a clock shows them: `"1:30"`, `"01:30.5"`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use super::text::printable;

/// How a duration is written, for people. The same text wherever one is refused.
pub const FORMS: &str = "write numbers with units (ns, us, ms, s, m, h), as in \"30s\" or \"1m30s\", or as a clock does: \"1:30\", \"01:30.5\"";

/// The units, the largest first, in nanoseconds.
const UNITS: [(&str, f64); 6] = [
    ("h", 3600e9),
    ("m", 60e9),
    ("s", 1e9),
    ("ms", 1e6),
    ("us", 1e3),
    ("ns", 1.0),
];

/// Reads a duration: numbers with units, from the largest unit to the smallest (`90s`, `1m30s`), or minutes and seconds as a clock shows them
/// (`1:30`, `01:30.5`, with hours `1:02:03`).
///
/// # Errors
/// In words, when it is not that.
pub fn parse(text: &str) -> Result<Duration, String> {
    parse_within(text, "a duration is from 0 to 30 years")
}

/// Reads a duration like [`parse`]; the caller says the range that it will hold the duration to, in place of that of all.
///
/// # Errors
/// In words, when it is no duration, or one that no range holds.
pub(crate) fn parse_within(text: &str, range: &str) -> Result<Duration, String> {
    let text = text.trim();
    let read = if text.contains(':') { clock(text) } else { units(text) };
    let nanos = read.map_err(|why| format!("`{}` is not a duration: {why}", printable(text)))?;
    if !(0.0..=1e18).contains(&nanos) {
        return Err(format!("`{}` is out of range: {range}", printable(text)));
    }
    Ok(Duration::from_nanos(nanos.round() as u64))
}

/// Nanoseconds of numbers with units.
fn units(text: &str) -> Result<f64, String> {
    let (mut rest, mut smaller) = (text, &UNITS[..]);
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let split = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (number, tail) = (rest[..split].trim(), &rest[split..]);
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let unit = smaller.iter().position(|(unit, _)| *unit == &tail[..end]);
        let unit = unit.ok_or(FORMS)?;
        let later = smaller.len() < UNITS.len();
        if later && number.starts_with(['+', '-']) {
            return Err(FORMS.to_string());
        }
        let number: f64 = number
            .parse()
            .map_err(|_| format!("`{}` is not a number; {FORMS}", printable(number)))?;
        nanos += number * smaller[unit].1;
        (rest, smaller) = (tail[end..].trim_start(), &smaller[unit + 1..]);
    }
    if smaller.len() == UNITS.len() {
        return Err(FORMS.to_string());
    }
    Ok(nanos)
}

/// Nanoseconds of what a clock shows: minutes and seconds, or hours too. What stands behind a colon has two digits at least and is below 60.
fn clock(text: &str) -> Result<f64, String> {
    let digits = |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split(':').collect();
    let (whole, fraction) = match parts.last().and_then(|last| last.split_once('.')) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (parts.last().copied().unwrap_or_default(), None),
    };
    let larger = &parts[..parts.len() - 1];
    let right = (1..=2).contains(&larger.len())
        && larger.iter().all(|part| digits(part))
        && digits(whole)
        && fraction.is_none_or(digits);
    let number = |part: &str| part.parse::<f64>().unwrap_or(f64::NAN);
    let behind = larger.iter().skip(1).copied().chain([whole]);
    if !right || behind.into_iter().any(|part| part.len() != 2 || number(part) >= 60.0) {
        return Err(FORMS.to_string());
    }
    let minutes = larger.iter().fold(0.0, |minutes, part| minutes * 60.0 + number(part));
    let fraction = fraction.map_or(0.0, |digits| number(&format!("0.{digits}")));
    Ok((minutes * 60.0 + number(whole)) * 1e9 + fraction * 1e9)
}

/// Writes a duration so that [`parse`] reads the same back: in the largest unit that keeps it whole.
pub fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    for (unit, size) in [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
    ] {
        if nanos != 0 && nanos.is_multiple_of(size) {
            return format!("{}{unit}", nanos / size);
        }
    }
    format!("{nanos}ns")
}

/// For serde's `with`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// For serde's `with`.
///
/// # Errors
/// When the text is not a duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// For serde's `with`, of durations that may be missing.
pub mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// For serde's `with`.
    ///
    /// # Errors
    /// Those of the serializer.
    #[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_some(&super::format(*duration)),
            None => serializer.serialize_none(),
        }
    }

    /// For serde's `with`.
    ///
    /// # Errors
    /// When the text is not a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text).map_err(D::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_come_back_as_they_were() {
        for (text, nanos) in [
            ("30s", 30_000_000_000),
            ("0.5ms", 500_000),
            ("5m", 300_000_000_000),
            ("1h", 3_600_000_000_000),
            ("7ns", 7),
            ("0s", 0),
        ] {
            let duration = parse(text).unwrap();
            assert_eq!(duration, Duration::from_nanos(nanos), "{text}");
            assert_eq!(parse(&format(duration)), Ok(duration), "{text}");
        }
    }

    #[test]
    fn a_person_writes_a_time_in_any_of_these_forms() {
        for text in [
            "90s",
            "1m30s",
            "1.5m",
            "1:30",
            "01:30",
            "1m 30s",
            "90000ms",
            "0:01:30",
            "01:30.000",
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(90)), "{text}");
        }
        assert_eq!(parse("01:30.5"), Ok(Duration::from_millis(90_500)));
        assert_eq!(parse("01:02:03.5"), Ok(Duration::from_millis(3_723_500)));
        assert_eq!(parse("1h2m3s4ms"), Ok(Duration::from_millis(3_723_004)));
        for text in ["5", "1:3", "soon"] {
            assert!(
                parse(text).is_err_and(|error| error.contains("1m30s") && error.contains("01:30.5")),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_in_words() {
        for text in [
            "",
            "5",
            "s",
            "5 parsec",
            "-1s",
            "infs",
            "NaNs",
            "1e3s",
            "1e300h",
            "5s\u{1b}[2J",
            "５s",
            "30s1m",
            "1s1s",
            "1m-5s",
            "5sfoo",
            "1m30",
            ":",
            "1:",
            ":10",
            "a:10",
            "1:2:03",
            "1:02:03:04",
            "-1:20",
            "1e9:00",
            "1:60",
            "1:2",
            "1.5:00",
            "1:20s",
        ] {
            let error = parse(text).expect_err(text);
            assert!(
                !error.contains('\u{1b}') && error.contains("duration"),
                "{text}: {error}"
            );
        }
    }
}
