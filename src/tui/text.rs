//! Numbers and times in few characters, and text that fits.

use std::borrow::Cow;
use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::layout;

/// Requests a second: `98/s`, `4.6k/s`.
pub fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 9.95 {
        return format!("{per_second:.1}/s");
    }
    format!("{}/s", short(per_second))
}

/// A count in at most five characters: `950`, `4.6k`, `60k`, `1.2M`.
pub fn short(value: f64) -> String {
    for (size, unit) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if value >= size * 0.9995 {
            let scaled = value / size;
            let text = if scaled < 9.95 {
                format!("{scaled:.1}")
            } else {
                format!("{scaled:.0}")
            };
            return format!("{}{unit}", text.trim_end_matches(".0"));
        }
    }
    format!("{value:.0}")
}

/// A count in full, with separators: `4,310`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration with two or three digits: `850us`, `12ms`, `1.24s`, `2m05s`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1e-6 {
        "0".to_string()
    } else if seconds < 0.9995e-3 {
        format!("{:.0}us", seconds * 1e6)
    } else if seconds < 0.00995 {
        format!("{:.1}ms", seconds * 1e3)
    } else if seconds < 0.9995 {
        format!("{:.0}ms", seconds * 1e3)
    } else if seconds < 9.995 {
        format!("{seconds:.2}s")
    } else if seconds < 99.95 {
        format!("{seconds:.1}s")
    } else if seconds < 5_999.5 {
        let whole = seconds.round() as u64;
        format!("{}m{:02}s", whole / 60, whole % 60)
    } else {
        let whole = (seconds / 60.0).round() as u64;
        format!("{}h{:02}m", whole / 60, whole % 60)
    }
}

/// Time that passes before one's eyes: tenths of seconds, so that digits do not flicker: `4.1s`, `31s`, `2m05s`.
pub fn ago(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 9.95 {
        format!("{seconds:.1}s")
    } else if seconds < 99.5 {
        format!("{seconds:.0}s")
    } else {
        span(duration)
    }
}

/// A ratio in per cent. It says 100 % only of a whole, and 0 % only of nothing.
pub fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    if ratio >= 1.0 {
        "100%".to_string()
    } else if percent >= 99.9 {
        "99.9%".to_string()
    } else if percent > 0.0 && percent < 0.1 {
        "<0.1%".to_string()
    } else if percent >= 99.0 || (percent < 9.95 && percent > 0.0) {
        format!("{percent:.1}%")
    } else {
        format!("{percent:.0}%")
    }
}

/// A ratio in whole per cent, for columns: ` 62%`.
pub fn whole_percent(ratio: f64) -> String {
    format!("{:.0}%", (ratio * 100.0).clamp(0.0, 999.0))
}

/// Dollars: `$0.85`, `$38`.
pub fn dollars(value: f64) -> String {
    if value < 9.995 {
        format!("${value:.2}")
    } else {
        format!("${}", short(value))
    }
}

/// Dollars that were spent: what is not nothing does not look like nothing.
pub fn cost(value: f64) -> String {
    if value > 0.0 && value < 0.005 {
        "<$0.01".to_string()
    } else {
        dollars(value)
    }
}

/// A factor: `x1`, `x0.5`, `x1.5`.
pub fn factor(value: f64) -> String {
    if value > 0.0 && value < 0.000_1 {
        return format!("x{value:.1e}");
    }
    if value > 0.0 && value < 0.1 {
        // Two significant digits, however small.
        let digits = (1.0 - value.log10().floor()) as usize;
        return format!("x{}", format!("{value:.digits$}").trim_end_matches('0'));
    }
    let text = format!("{value:.3}");
    format!("x{}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A latency, or a dash where nothing was answered that could have been measured.
pub fn latency(measured: Duration) -> String {
    if measured.is_zero() {
        "–".to_string()
    } else {
        span(measured)
    }
}

/// A count and what is counted: `1 server`, `3 servers`.
pub fn plural(count: usize, one: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {one}{end}")
}

/// The width of a text on the screen.
pub fn width(text: &str) -> u16 {
    u16::try_from(UnicodeWidthStr::width(text)).unwrap_or(u16::MAX)
}

/// The text without anything that could act on a terminal. Every text passes through here on its way to a cell.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    layout::printable(text).into()
}

/// The first of these that fits into a width; nothing if none does.
pub fn fitting(options: &[String], max: u16) -> &str {
    options
        .iter()
        .find(|option| width(option) <= max)
        .map_or("", String::as_str)
}

/// The text, cut to a width with an ellipsis.
pub fn clip(text: &str, max: u16) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = UnicodeWidthChar::width(c).unwrap_or(0) as u16;
        if used + wide + 1 > max {
            break;
        }
        kept.push(c);
        used += wide;
    }
    if max > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// A name, cut in its first part to a width, so that what tells it apart stays, its service and its number: `ap-s…/web/1`, `very-lo…/12`.
/// Where there is no room for both, the number stays.
pub fn clip_middle(name: &str, max: u16) -> Cow<'_, str> {
    if width(name) <= max {
        return Cow::Borrowed(name);
    }
    let mut slashes = name.match_indices('/').map(|(slash, _)| slash);
    let fits = |slash: &usize| width(&name[*slash..]) + 2 <= max;
    match slashes.find(fits) {
        Some(slash) => Cow::Owned(format!(
            "{}{}",
            clip(&name[..slash], max - width(&name[slash..])),
            &name[slash..]
        )),
        None => clip(name, max),
    }
}

/// A path, cut in its middle to a width, so that both where it begins and its name can be read: `/home/me/.loc…-balancer.replay.ron`.
pub fn clip_inside(path: &str, max: u16) -> Cow<'_, str> {
    if width(path) <= max {
        return Cow::Borrowed(path);
    }
    // The name says more than the folders do.
    let head = clip(path, max.saturating_sub(1) / 3 + 1);
    let room = max.saturating_sub(width(&head));
    let tail = path.char_indices().map(|(at, _)| &path[at..]);
    let tail = tail.into_iter().find(|tail| width(tail) <= room).unwrap_or_default();
    Cow::Owned(format!("{head}{tail}"))
}

/// The text in lines of `max` columns, broken anywhere: nothing of it is left out.
pub fn chunks(text: &str, max: u16) -> Vec<String> {
    let mut lines = vec![String::new()];
    for c in text.chars() {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && width(&lines[line]) + width(c.encode_utf8(&mut [0; 4])) > max {
            lines.push(c.to_string());
        } else {
            lines[line].push(c);
        }
    }
    lines
}

/// The text in lines of at most `max` columns, broken between words.
pub fn wrap(text: &str, max: u16) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > max {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&clip(word, max));
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_honest() {
        assert_eq!(short(999.0), "999");
        assert_eq!(short(4_600.0), "4.6k");
        assert_eq!(short(60_000.0), "60k");
        assert_eq!(short(1_000_000.0), "1M");
        assert_eq!(count(4_310), "4,310");
        assert_eq!(percent(0.99999), "99.9%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(0.0001), "<0.1%");
        assert_eq!(factor(0.5), "x0.5");
        assert_eq!(factor(0.000_976), "x0.00098");
        assert_eq!(factor(0.062_5), "x0.062");
        assert_eq!(factor(0.0), "x0");
        assert_eq!(latency(Duration::ZERO), "–");
        assert_eq!(plural(1, "server"), "1 server");
        assert_eq!(span(Duration::from_micros(850)), "850us");
        assert_eq!(span(Duration::from_millis(1_240)), "1.24s");
        assert_eq!(span(Duration::from_secs(125)), "2m05s");
    }

    #[test]
    fn a_path_is_cut_in_its_middle() {
        let path = "/home/somebody/.local/state/blastradius/runs/2026-01-01T10-00-00Z-04-load-balancer.replay.ron";
        let cut = clip_inside(path, 60);
        assert_eq!(width(&cut), 60);
        assert!(cut.starts_with("/home/somebody") && cut.contains('…') && cut.ends_with("04-load-balancer.replay.ron"));
        assert_eq!(clip_inside("short", 60), "short");
        assert_eq!(chunks(path, 30).concat(), path);
        assert!(chunks(path, 30).iter().all(|line| width(line) <= 30));
    }

    #[test]
    fn escapes_do_not_pass() {
        assert!(!printable("a\u{1b}[2Jb").contains('\u{1b}'));
        assert!(!printable("\u{202e}x").contains('\u{202e}'));
        assert_eq!(printable("héllo"), "héllo");
    }

    #[test]
    fn text_is_cut_at_its_width() {
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("日本語", 5), "日本…");
        assert_eq!(clip("abc", 0), "");
        assert_eq!(clip_middle("frontend-servers/12", 12), "frontend…/12");
        assert_eq!(clip_middle("ap-southeast/web/1", 11), "ap-s…/web/1");
        assert_eq!(clip_middle("ap-southeast/web/1", 8), "a…/web/1");
        assert_eq!(clip_middle("ap-southeast/web/1", 7), "ap-s…/1");
        assert_eq!(clip_middle("ap-southeast/photos", 12), "ap-s…/photos");
        assert_eq!(clip_middle("ap-southeast/1", 3), "ap…");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }
}
