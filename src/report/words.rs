//! Numbers as people read them.

/// `1234567` as `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 event`, `2 events`.
pub(super) fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// A ratio as a percentage. Never rounded to 100% or 0%, which would hide the one that failed.
pub(super) fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    let digits = (0..=4).find(|digits| !hides(percent, *digits)).unwrap_or(4);
    format!("{percent:.*}%", digits.max(1))
}

/// Whether so many digits round a percentage that is neither 0 nor 100 to 0 or 100.
fn hides(percent: f64, digits: usize) -> bool {
    let text = format!("{percent:.digits$}");
    let rounded: f64 = text.parse().unwrap_or(percent);
    let end = |value: f64| value <= 0.0 || value >= 100.0;
    end(rounded) && !end(percent)
}

/// Milliseconds in the unit that reads best.
pub(super) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms >= 100_000.0 => format!("{:.0}s", ms / 1e3),
        ms if ms >= 1_000.0 => format!("{:.2}s", ms / 1e3),
        ms if ms >= 100.0 => format!("{ms:.0}ms"),
        ms if ms >= 10.0 => format!("{ms:.1}ms"),
        ms => format!("{ms:.2}ms"),
    }
}

/// A moment of the run: minutes, seconds, milliseconds, hours in front from the first on.
pub(super) fn clock(seconds: f64) -> String {
    let millis = (seconds * 1e3).floor() as u64;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, millis) = (millis / 1_000 % 60, millis % 1_000);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}.{millis:03}")
    } else {
        format!("{minutes:02}:{seconds:02}.{millis:03}")
    }
}

/// US dollars: cents from one cent on, more digits below.
pub(super) fn dollars(usd: f64) -> String {
    if usd > 0.0 && usd < 0.01 {
        format!("${usd:.5}")
    } else {
        format!("${usd:.2}")
    }
}

/// A measured value in the unit of the bound that it broke, with digits enough to tell the two apart.
pub(super) fn measured(value: f64, bound: f64, unit: &str) -> String {
    match unit {
        "share" => {
            let (value, bound) = (value * 100.0, bound * 100.0);
            format!("{}%", apart(value, bound))
        }
        "seconds" => {
            let ms = value * 1e3;
            if ms >= 1e3 {
                format!("{}s", apart(value, bound))
            } else {
                format!("{}ms", apart(ms, bound * 1e3))
            }
        }
        "per_second" => format!("{}/s", apart(value, bound)),
        _ => count(value as u64),
    }
}

/// A number with one digit behind the point, or as many more as it takes to stay on its side of the bound.
fn apart(value: f64, bound: f64) -> String {
    // A bound has few digits; what a multiplication added to them is none of its own.
    let bound = (bound * 1e9).round() / 1e9;
    let with = |digits: usize| format!("{value:.digits$}");
    let is_apart = |text: &String| {
        let shown: f64 = text.parse().unwrap_or(value);
        shown.total_cmp(&bound) == value.total_cmp(&bound)
    };
    (1..6).map(with).find(is_apart).unwrap_or_else(|| with(6))
}

/// A factor without needless digits.
pub(super) fn value(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plural(1, "event"), "1 event");
        assert_eq!(milliseconds(0.25), "0.25ms");
        assert_eq!(milliseconds(12.34), "12.3ms");
        assert_eq!(milliseconds(1_500.0), "1.50s");
        assert_eq!(clock(151.4005), "02:31.400");
        assert_eq!(clock(3_601.0), "1:00:01.000");
        assert_eq!(dollars(0.001_25), "$0.00125");
        assert_eq!(value(1.0), "1");
        assert_eq!(value(0.41), "0.41");
        assert_eq!(value(0.0), "0");
    }

    #[test]
    fn what_was_measured_has_the_unit_of_its_bound() {
        assert_eq!(measured(0.926, 0.999, "share"), "92.6%");
        assert_eq!(measured(0.998_97, 0.999, "share"), "99.897%");
        assert_eq!(measured(0.0, 0.999, "share"), "0.0%");
        assert_eq!(measured(0.0691, 0.05, "seconds"), "69.1ms");
        assert_eq!(measured(0.050_04, 0.05, "seconds"), "50.04ms");
        assert_eq!(measured(3.25, 0.05, "seconds"), "3.2s");
        assert_eq!(measured(406.0, 0.0, "count"), "406");
        assert_eq!(measured(398.24, 400.0, "per_second"), "398.2/s");
    }

    #[test]
    fn a_percentage_is_never_rounded_to_all_or_nothing() {
        assert_eq!(percent(1.0), "100.0%");
        assert_eq!(percent(0.0), "0.0%");
        assert_eq!(percent(0.5), "50.0%");
        assert_eq!(percent(0.9999), "99.99%");
        assert_eq!(percent(0.000_04), "0.004%");
    }
}
