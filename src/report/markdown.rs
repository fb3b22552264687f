//! A document as GitHub Flavored Markdown (<https://github.github.com/gfm/>).
//!
//! Names from layouts may hold anything. A name is set as code, in which nothing has a meaning; where code cannot hold it, and in sentences,
//! each character that could have a meaning is escaped: markup, links, mentions, issues, formulas, columns.

use super::document::{Block, Cell, Document, Fact, Grid, Piece, Prose, Step};
use crate::layout::printable;

/// The document, with a line break at the end.
pub fn markdown(document: &Document) -> String {
    let mut out = Lines::default();
    out.paragraph(&format!("# {}: {}", document.kind, prose(&document.title)));
    out.paragraph(&prose(&document.summary));
    facts(&mut out, &document.facts);
    for section in &document.sections {
        out.paragraph(&format!("## {}", prose(&section.title)));
        for block in &section.blocks {
            set(&mut out, block);
        }
    }
    out.0
}

/// Lines in the making.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Adds a block that an empty line keeps apart from the one before.
    fn paragraph(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(text);
        self.0.push('\n');
    }
}

fn set(out: &mut Lines, block: &Block) {
    match block {
        Block::Paragraph(text) => out.paragraph(&prose(text)),
        Block::Facts(list) => facts(out, list),
        Block::Timeline(steps) => timeline(out, steps),
        Block::Table(grid) => table(out, grid),
        Block::Command(words, command) => {
            out.paragraph(words);
            out.paragraph(&format!("```sh\n{command}\n```"));
        }
    }
}

fn facts(out: &mut Lines, facts: &[Fact]) {
    let rows = facts.iter().map(|fact| {
        vec![
            fact.name.to_string(),
            escaped(&fact.value),
            if fact.note.is_empty() {
                String::new()
            } else {
                prose(&fact.note)
            },
        ]
    });
    rows_below(
        out,
        &[("What", false), ("Figure", true), ("Note", false)],
        &rows.collect::<Vec<_>>(),
    );
}

fn timeline(out: &mut Lines, steps: &[Step]) {
    let rows = steps.iter().map(|step| {
        let (since, at) = step.when.clone().unwrap_or_else(|| ("–".to_string(), "–".to_string()));
        vec![step.name.to_string(), escaped(&since), at, prose(&step.what)]
    });
    let columns = [
        ("Milestone", false),
        ("Since the fault", true),
        ("Moment", true),
        ("What", false),
    ];
    rows_below(out, &columns, &rows.collect::<Vec<_>>());
}

fn table(out: &mut Lines, grid: &Grid) {
    out.paragraph(&format!("{}:", escaped(&grid.caption)));
    let cells = |row: &Vec<Cell>| row.iter().map(|cell| prose(&cell.prose)).collect();
    let rows: Vec<Vec<String>> = grid.rows.iter().map(cells).collect();
    rows_below(out, &grid.columns, &rows);
}

/// A table with a row of names. Figures stand at the right.
fn rows_below(out: &mut Lines, columns: &[(&str, bool)], rows: &[Vec<String>]) {
    let line = |cells: Vec<&str>| format!("| {} |", cells.join(" | "));
    let names = columns.iter().map(|(name, _)| *name).collect();
    let rule = columns.iter().map(|(_, figure)| if *figure { "--:" } else { "---" });
    let mut lines = vec![line(names), line(rule.collect())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    out.paragraph(&lines.join("\n"));
}

fn prose(prose: &Prose) -> String {
    let pieces = prose.0.iter().map(|piece| match piece {
        Piece::Words(text) | Piece::Told(text) => escaped(text),
        Piece::Name(name) => named(name),
    });
    at_the_start(&pieces.collect::<String>())
}

/// A name as code. A pipe would end a cell of a table, and a backslash before it would not help, so such names are set as text; so are
/// names with backticks, which would end the code, and empty ones.
fn named(name: &str) -> String {
    if name.contains(['`', '|', '\\']) || name.trim() != name || name.is_empty() {
        return escaped(name);
    }
    format!("`{name}`")
}

/// Text that reads as it is. Where a backslash would not do, the character is written by its number, or an empty comment
/// parts it from what follows: mentions, issues and formulas are looked for after backslashes are gone.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // A price: no formula ends before a digit, and what could end one is set apart.
            '$' if chars.peek().is_some_and(char::is_ascii_digit) => out.push(c),
            '|' => out.push_str("&#124;"),
            '\\' => out.push_str("&#92;"),
            '`' => out.push_str("&#96;"),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '$' => out.push_str("<span>$</span>"),
            '@' => out.push_str("@<!-- -->"),
            '#' => out.push_str("#<!-- -->"),
            '*' | '_' | '[' | ']' | '~' | '^' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    // Addresses become links by themselves.
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// A text of a layout, on a line of its own or in a cell, that reads as it is.
pub(super) fn literal(text: &str) -> String {
    at_the_start(&escaped(&printable(text)))
}

/// What would begin a list, a rule or a quotation at the start of a line is escaped there.
fn at_the_start(text: &str) -> String {
    let text = text.trim_start();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = text.split_at(digits);
    let mut chars = rest.chars();
    let (sign, next) = (chars.next(), chars.next());
    let ends_there = next.is_none_or(char::is_whitespace);
    let begins = match sign {
        Some('.' | ')') => digits > 0 && ends_there,
        Some('-') => digits == 0 && (ends_there || next == Some('-')),
        Some('+') => digits == 0 && ends_there,
        Some('>') => digits == 0,
        _ => false,
    };
    if begins {
        return format!("{number}\\{rest}");
    }
    text.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_unless_code_cannot_hold_them() {
        assert_eq!(named("web/1"), "`web/1`");
        assert_eq!(named("<b>*a*"), "`<b>*a*`");
        assert_eq!(named("a|b"), "a&#124;b");
        assert_eq!(named("a\\|b"), "a&#92;&#124;b");
        assert_eq!(named("`a`"), "&#96;a&#96;");
    }

    #[test]
    fn text_has_no_markup_of_its_own() {
        for (text, expected) in [
            ("a * b_c", "a \\* b\\_c"),
            ("<script>", "&lt;script>"),
            ("[x](http://a)", "\\[x\\](http&#58;//a)"),
            ("see @me, #12, www.a.b", "see @<!-- -->me, #<!-- -->12, www&#46;a.b"),
            ("$1 or $2", "$1 or $2"),
            ("$x$ is $1$", "<span>$</span>x<span>$</span> is $1<span>$</span>"),
            ("&amp;", "&amp;amp;"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn nothing_begins_a_list_or_a_heading() {
        let set = |text: &str| prose(&Prose::default().told(text));
        assert_eq!(set("1. a"), "1\\. a");
        assert_eq!(set("12) a"), "12\\) a");
        assert_eq!(set("- a"), "\\- a");
        assert_eq!(set("---"), "\\---");
        assert_eq!(set("> a"), "\\> a");
        assert_eq!(set("57.3%"), "57.3%");
        assert_eq!(set("+5.01 s"), "+5.01 s");
        assert_eq!(set("    code"), "code");
        assert_eq!(set("12 a"), "12 a");
    }
}
