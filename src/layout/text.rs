//! Text from files, made safe and readable in messages: escapes, suggestions, percentages, counts.

use std::fmt::Write as _;

/// Text with everything made visible that a terminal would obey or hide: control characters, escape sequences, changes of
/// writing direction, invisible characters. They become `\n`, `\t`, `\u{1b}` and the like; everything else stays.
///
/// Text that is meant to have several lines goes through it line by line.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}

/// Whether a terminal would obey or hide this character rather than show it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The candidate that was probably meant by a mistyped word: within a third of the letters of the longer one, and not all of
/// them different.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 200;
    let word = word.to_lowercase();
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let is_near = |distance: usize, candidate: &str| {
        let letters = length.max(candidate.chars().count());
        distance <= letters.div_ceil(3) && distance < letters
    };
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| is_near(*distance, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "web"?`, or else what there is, or else nothing: the end of a sentence about an unknown name.
pub(crate) fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    const SHOWN: usize = 12;
    if let Some(meant) = closest(word, candidates.clone()) {
        return format!("; did you mean `{}`?", printable(meant));
    }
    let all: Vec<String> = candidates.into_iter().map(printable).collect();
    match all.len() {
        0 => String::new(),
        1 => format!("; there is only {}", all[0]),
        n if n <= SHOWN => format!("; there are {}", all.join(", ")),
        n => format!("; there are {} and {} more", all[..SHOWN].join(", "), n - SHOWN),
    }
}

/// A whole number with commas between thousands: `50,000,000`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Reads a share from 0 to 1, written as `5%` or as `0.05`. The result is the double that is closest to the decimal text,
/// so that [`percent`] gives the same text back. The range is the caller's to check.
pub(crate) fn parse_share(text: &str) -> Option<f64> {
    let decimal = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match text.strip_suffix('%') {
        Some(number) if decimal(number) => format!("{}e-2", number.trim_end_matches('.')).parse().ok(),
        None if decimal(text) => text.parse().ok(),
        _ => None,
    }
}

/// Writes a share from 0 to 1 as a percentage that [`parse_share`] reads back exactly: moves the point in the text, since
/// multiplying would round.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{share}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let padded = format!("{fraction:0<2}");
    let (moved, rest) = padded.split_at(2);
    let digits = format!("{whole}{moved}");
    let whole = digits.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if rest.is_empty() {
        format!("{whole}%")
    } else {
        format!("{whole}.{rest}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_becomes_visible() {
        assert_eq!(
            printable("\u{1b}[2Jweb\u{202e}\n\t\u{9b}"),
            "\\u{1b}[2Jweb\\u{202e}\\n\\t\\u{9b}"
        );
        assert_eq!(printable("Größe 東京 ✓"), "Größe 東京 ✓");
    }

    #[test]
    fn a_typing_error_has_a_suggestion_and_nonsense_has_none() {
        assert_eq!(closest("databse", ["web", "database"]), Some("database"));
        assert_eq!(closest("roundrobin", ["Random", "RoundRobin"]), Some("RoundRobin"));
        assert_eq!(closest("bd", ["web", "db"]), Some("db"));
        assert_eq!(closest("zebra", ["web", "db"]), None);
        assert_eq!(suggestion("zebra", ["web", "db"]), "; there are web, db");
    }

    #[test]
    fn percentages_come_back_exactly() {
        for (share, text) in [
            (0.05, "5%"),
            (0.07, "7%"),
            (0.999, "99.9%"),
            (1.0, "100%"),
            (0.0, "0%"),
            (0.0025, "0.25%"),
        ] {
            assert_eq!(percent(share), text);
            assert_eq!(parse_share(text), Some(share));
        }
        for n in 0..10_000_u32 {
            let share = f64::from(n) / 9_999.0;
            assert_eq!(parse_share(&percent(share)), Some(share));
        }
        assert_eq!(parse_share("-5%"), None);
        assert_eq!(parse_share("%"), None);
        assert_eq!(parse_share("inf"), None);
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(50_000_000), "50,000,000");
        assert_eq!(grouped(999), "999");
    }
}
