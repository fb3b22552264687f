//! Aligned columns of text.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How wide a report may be.
pub(super) const WIDTH: usize = 80;

/// The most rows of a table; what is beyond is in the JSON.
const ROWS: usize = 60;

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A table: the first column is text that may be cut in the middle, so that a row fits into [`WIDTH`].
pub(super) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Table {
        Table {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row with a cell for each column.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, indented by two.
    pub(super) fn lines(&self) -> Vec<String> {
        let shown = &self.rows[..self.rows.len().min(ROWS)];
        let widths = self.widths(shown);
        let header: Vec<String> = self.columns.iter().map(|(name, _)| (*name).to_string()).collect();
        let mut lines: Vec<String> = [&header]
            .into_iter()
            .chain(shown)
            .map(|cells| self.line(cells, &widths))
            .collect();
        if self.rows.len() > ROWS {
            lines.push(format!("  and {} more: see --json", self.rows.len() - ROWS));
        }
        lines
    }

    fn widths(&self, rows: &[Vec<String>]) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|(name, _)| name.width()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let others: usize = widths[1..].iter().map(|width| width + 2).sum();
        widths[0] = widths[0].min(WIDTH.saturating_sub(others + 2).max(8));
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            let cell = cut_middle(cell, *width);
            let gap = " ".repeat(width.saturating_sub(cell.width()));
            line.push_str("  ");
            match align {
                Align::Left => line.extend([cell.as_str(), &gap]),
                Align::Right => line.extend([gap.as_str(), &cell]),
            }
        }
        line.trim_end().to_string()
    }
}

/// At most so many columns of a text; where something is missing, it ends in `…`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// At most so many columns of a name; what is missing is missing in the middle, so that names that differ in their last part
/// (`web/1`, `web/2`) still differ.
fn cut_middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let last_part = text.rfind('/').map_or("", |slash| &text[slash..]);
    let tail = if last_part.width() * 2 <= width { last_part } else { "" };
    let head = &text[..text.len() - tail.len()];
    cut(head, width - tail.width()) + tail
}

/// A text in lines of at most [`WIDTH`] columns, all behind the same indent.
pub(super) fn wrap(text: &str, indent: usize) -> Vec<String> {
    let room = WIDTH - indent;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&cut(word, room));
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
        .iter()
        .map(|line| format!("{}{line}", " ".repeat(indent)))
        .collect()
}

/// A label and items behind it, three spaces apart, on as many lines as [`WIDTH`] asks for.
pub(super) fn flow(label: &str, items: &[String]) -> Vec<String> {
    const INDENT: usize = 11;
    let mut lines = vec![format!("{label:<INDENT$}")];
    for item in items {
        let line = lines.last_mut().expect("never empty");
        if line.width() == INDENT {
            line.push_str(item);
        } else if line.width() + 3 + item.width() <= WIDTH {
            line.push_str("   ");
            line.push_str(item);
        } else {
            lines.push(format!("{:INDENT$}{item}", ""));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_wide_names_are_cut() {
        let mut table = Table::new(&[("machine", Align::Left), ("ok", Align::Right)]);
        table.row(vec!["web/1".to_string(), "10".to_string()]);
        table.row(vec!["データベース".to_string(), "1,000".to_string()]);
        assert_eq!(
            table.lines(),
            [
                "  machine          ok",
                "  web/1            10",
                "  データベース  1,000"
            ]
        );
        table.row(vec!["x".repeat(200), "1".to_string()]);
        assert!(table.lines().iter().all(|line| line.width() <= WIDTH));
        assert!(table.lines()[3].contains('…'));
        table.row(vec![format!("{}/17", "x".repeat(200)), "1".to_string()]);
        assert!(table.lines()[4].contains("x…/17  "), "{}", table.lines()[4]);
    }

    #[test]
    fn items_flow_into_lines() {
        let items = vec!["x".repeat(30); 3];
        let lines = flow("label", &items);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], format!("label      {0}   {0}", "x".repeat(30)));
        assert_eq!(lines[1], format!("           {}", "x".repeat(30)));
    }

    #[test]
    fn text_wraps_at_words() {
        let lines = wrap(&"word ".repeat(40), 4);
        assert!(lines.len() > 1);
        assert!(
            lines
                .iter()
                .all(|line| line.starts_with("    word") && line.width() <= WIDTH)
        );
    }
}
