//! Places as line and column, and the excerpt that shows them.

use unicode_width::UnicodeWidthStr;

use crate::layout::text::printable;

/// Characters of the source shown before and after the place.
const BEFORE: usize = 60;
const AFTER: usize = 40;

/// Line and column in characters, from 1, of an offset in bytes.
pub(crate) fn position(source: &str, offset: usize) -> (usize, usize) {
    Places::of(source).position(offset)
}

/// Turns offsets into lines and columns, each from where the last one was: many ascending offsets cost one walk.
pub(crate) struct Places<'a> {
    source: &'a str,
    /// Bytes walked so far.
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Places<'a> {
    /// From the start of the source.
    pub fn of(source: &'a str) -> Self {
        Places {
            source,
            offset: 0,
            line: 1,
            column: 1,
        }
    }

    /// Line and column in characters, from 1, of an offset in bytes that is not before the last one.
    pub fn position(&mut self, offset: usize) -> (usize, usize) {
        for c in self.source[self.offset..].chars() {
            if self.offset + c.len_utf8() > offset {
                break;
            }
            self.offset += c.len_utf8();
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        (self.line, self.column)
    }
}

/// A headline and, below it, the line of the source with a caret under the column. What a terminal would obey is escaped, a tab
/// takes one column, a long line is clipped around the caret. Without that line in the source, the headline alone.
pub(crate) fn render(headline: &str, source: &str, line: usize, column: usize) -> String {
    let Some(text) = source.lines().nth(line.saturating_sub(1)) else {
        return headline.to_owned();
    };
    let place = column.saturating_sub(1);
    let start = place.saturating_sub(BEFORE);
    let shown = |from: usize, to: usize| {
        let piece: String = text
            .chars()
            .skip(from)
            .take(to - from)
            .map(|c| if c == '\t' { ' ' } else { c })
            .collect();
        printable(&piece)
    };
    let length = text.chars().count();
    let end = length.min(place + AFTER);
    let open = if start > 0 { "…" } else { "" };
    let close = if end < length { "…" } else { "" };
    let before = shown(start, place.max(start));
    let after = shown(place, end.max(place));
    let margin = " ".repeat(line.to_string().len());
    let indent = " ".repeat(open.width() + before.width());
    format!("{headline}\n{margin} |\n{line} | {open}{before}{after}{close}\n{margin} | {indent}^")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(position("a\nbü x", 0), (1, 1));
        assert_eq!(position("a\nbü x", 6), (2, 4));
        assert_eq!(position("a\nbü x", 4), (2, 2));
        assert_eq!(position("a\n", 99), (2, 1));
    }

    #[test]
    fn the_caret_stands_below_the_column() {
        let source = "(\n\t東 x: \u{1b}1,\n)";
        assert_eq!(
            render("f:2:4: bad", source, 2, 4),
            "f:2:4: bad\n  |\n2 |  東 x: \\u{1b}1,\n  |     ^"
        );
        assert_eq!(
            render("f:2:8: bad", source, 2, 8),
            "f:2:8: bad\n  |\n2 |  東 x: \\u{1b}1,\n  |              ^"
        );
        assert_eq!(render("f:9:1: bad", source, 9, 1), "f:9:1: bad");
    }

    #[test]
    fn a_long_line_is_clipped_around_the_caret() {
        let source = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let shown = render("h", &source, 1, 501);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[2].chars().count() < 120);
        let caret = lines[3].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[2].chars().nth(caret), Some('!'));
        assert!(lines[2].starts_with("1 | …") && lines[2].ends_with('…'));
    }
}
