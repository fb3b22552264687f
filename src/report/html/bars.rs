//! Bars of one kind of figure, the longest first: a plot that reads as a list does.

use std::fmt::Write as _;

use super::escaped;
use crate::layout::printable;

/// The height of a bar with its name above it.
const EACH: f64 = 34.0;
/// Room right of the longest bar, for its figure.
const FIGURE: f64 = 90.0;

/// A bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it is about.
    pub name: String,
    /// How long it is.
    pub value: f64,
    /// The figure, as it is read.
    pub label: String,
    /// Whether it is of the first kind in the legend.
    pub lasts: bool,
}

/// The plot with its caption and its legend; nothing if there is no bar.
pub fn bars((id, caption): (&str, &str), told: &str, kinds: [&str; 2], bars: &[Bar]) -> String {
    let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    if longest <= 0.0 {
        return String::new();
    }
    let told = escaped(told);
    let mut text = format!("<figure>\n<figcaption>{caption}</figcaption>\n<p>{told}</p>\n<ul class=\"legend\">");
    for (class, words) in [("failed", kinds[0]), ("passed", kinds[1])] {
        let _ = write!(
            text,
            "<li><svg viewBox=\"0 0 24 12\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"24\" height=\"12\"/></svg>{words}</li>"
        );
    }
    text += "</ul>\n";
    let height = EACH * bars.len() as f64 + 4.0;
    for (class, width, letters) in [("big", 980.0, 120), ("small", 360.0, 44)] {
        let _ = write!(
            text,
            "<svg class=\"plot {class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-{class}-t {id}-{class}-d\">\n\
             <title id=\"{id}-{class}-t\">{caption}</title>\n<desc id=\"{id}-{class}-d\">{told}{}</desc>\n",
            in_words(bars)
        );
        for (index, bar) in bars.iter().enumerate() {
            let y = EACH * index as f64;
            // What is least is still to be seen.
            let length = (bar.value / longest * (width - FIGURE)).max(2.0);
            let kind = if bar.lasts { "failed" } else { "passed" };
            let _ = writeln!(
                text,
                "<text class=\"number\" x=\"0\" y=\"{:.0}\">{}</text>\
                 <rect class=\"{kind}\" x=\"0\" y=\"{:.0}\" width=\"{length:.1}\" height=\"12\"/>\
                 <text x=\"{:.1}\" y=\"{:.0}\">{}</text>",
                y + 13.0,
                escaped(&shortened(&bar.name, letters)),
                y + 18.0,
                length + 6.0,
                y + 28.5,
                escaped(&bar.label)
            );
        }
        text += "</svg>\n";
    }
    text + "</figure>\n"
}

/// The bars for who cannot see them.
fn in_words(bars: &[Bar]) -> String {
    let told = bars
        .iter()
        .map(|bar| format!(" {}: {}.", escaped(&bar.name), escaped(&bar.label)));
    told.collect()
}

/// A name that fits.
fn shortened(name: &str, most: usize) -> String {
    let name = printable(name);
    if name.chars().count() <= most {
        return name;
    }
    let kept: String = name.chars().take(most - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, value: f64, lasts: bool) -> Bar {
        Bar {
            name: name.to_owned(),
            value,
            label: format!("{value}"),
            lasts,
        }
    }

    #[test]
    fn the_longest_bar_fills_the_width_and_the_least_is_seen() {
        let all = [bar("db <b>", 1_000.0, true), bar("web", 0.1, false)];
        let text = bars(("id", "Caption"), "told", ["lasts", "passed"], &all);
        assert!(
            text.contains("class=\"failed\" x=\"0\" y=\"18\" width=\"890.0\""),
            "{text}"
        );
        assert!(
            text.contains("class=\"passed\" x=\"0\" y=\"52\" width=\"2.0\""),
            "{text}"
        );
        assert!(text.contains("db &lt;b&gt;") && !text.contains("<b>"), "{text}");
        assert_eq!(text.matches("<svg class=\"plot").count(), 2);
    }

    #[test]
    fn without_a_bar_there_is_no_plot() {
        assert_eq!(bars(("id", "Caption"), "told", ["a", "b"], &[]), "");
        assert_eq!(bars(("id", "Caption"), "told", ["a", "b"], &[bar("x", 0.0, true)]), "");
    }

    #[test]
    fn a_long_name_is_cut_where_it_ends_to_be_seen() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdefg", 6), "abcde…");
    }
}
