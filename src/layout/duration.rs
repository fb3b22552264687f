//! Durations as text with a unit: `"30s"`, `"0.5ms"`, `"5m"`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use super::text::printable;

/// Reads a number with a unit (`ns`, `us`, `ms`, `s`, `m`, `h`).
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
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..split].trim(), &text[split..]);
    let nanos_per_unit = match unit {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => {
            return Err(format!(
                "`{}` is not a duration: write a number and a unit (ns, us, ms, s, m, h), as in \"30s\"",
                printable(text)
            ));
        }
    };
    let number: f64 = number.parse().map_err(|_| {
        format!(
            "`{0}` is not a duration: `{1}` is not a number",
            printable(text),
            printable(number)
        )
    })?;
    let nanos = number * nanos_per_unit;
    if !(0.0..=1e18).contains(&nanos) {
        return Err(format!("`{}` is out of range: {range}", printable(text)));
    }
    Ok(Duration::from_nanos(nanos.round() as u64))
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
        ] {
            let error = parse(text).expect_err(text);
            assert!(
                !error.contains('\u{1b}') && error.contains("duration"),
                "{text}: {error}"
            );
        }
    }
}
