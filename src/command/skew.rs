//! How far a clock is off, in words: `5s`, `-300ms`.

use std::time::Duration;

use super::model::CommandError;
use super::selector::shown;
use crate::layout::duration;

/// How far a clock may be off, in seconds: a day.
pub(super) const MOST: f64 = 86_400.0;

/// Reads seconds forward (`5s`) or back (`-300ms`).
pub(super) fn parse(word: &str) -> Result<f64, CommandError> {
    let (sign, time) = match word.strip_prefix('-') {
        Some(time) => (-1.0, time),
        None => (1.0, word.strip_prefix('+').unwrap_or(word)),
    };
    let seconds = seconds(time).ok_or_else(|| {
        CommandError(format!(
            "expected a time, forward or back, as in 5s or -300ms, found `{}`",
            shown(word)
        ))
    })?;
    // There is no zero backwards.
    Ok(sign * seconds + 0.0)
}

/// Writes seconds so that [`parse`] reads the same back.
pub(super) fn format(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let nanos = (seconds.abs() * 1e9).round();
    // Whole nanoseconds have a unit that keeps them whole; whatever else a file may say, only seconds can.
    #[allow(clippy::float_cmp, reason = "only what is exactly the same comes back as it was")]
    let text = if nanos == 0.0 && seconds == 0.0 {
        "0s".to_owned()
    } else if in_seconds(nanos) == seconds.abs() && nanos <= 2.0 * MOST * 1e9 {
        duration::format(Duration::from_nanos(nanos as u64))
    } else {
        format!("{}s", seconds.abs())
    };
    format!("{sign}{text}")
}

fn in_seconds(nanos: f64) -> f64 {
    nanos / 1e9
}

/// A number of seconds as it stands; of other units in whole nanoseconds.
fn seconds(time: &str) -> Option<f64> {
    let is_plain = |number: &str| number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match time.strip_suffix('s') {
        Some(number) if is_plain(number) => number.parse().ok(),
        _ => {
            let signed = time.starts_with(['+', '-']);
            let time = duration::parse(time).ok().filter(|_| !signed)?;
            Some(in_seconds(time.as_nanos() as f64))
        }
    }
}
