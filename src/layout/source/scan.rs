//! From text to the tree, in one walk.

use std::collections::BTreeMap;

use super::{Entry, Kind, Node, Problem, position};
use crate::layout::text::printable;

/// How deep lists, maps and structs may nest. A layout needs seven levels; the rest is hostile, and would exhaust the stack.
const DEPTH: usize = 64;
/// Extensions of RON that a file may name. They change nothing: what we need of them is always on.
const EXTENSIONS: [&str; 3] = ["implicit_some", "unwrap_newtypes", "unwrap_variant_newtypes"];

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// The first place where the text is not RON, or a key that is given twice.
pub(crate) fn scan(source: &str, limit: usize) -> Result<Node, Problem> {
    let mut scanner = Scanner {
        source,
        offset: 0,
        depth: 0,
    };
    if source.len() > limit {
        return Err(scanner.problem(format!(
            "the file has {} KiB; at most {} are read",
            source.len().div_ceil(1024),
            limit / 1024
        )));
    }
    scanner.skip_space()?;
    scanner.skip_extensions()?;
    let root = scanner.value()?;
    scanner.skip_space()?;
    match scanner.peek() {
        None => Ok(root),
        Some(_) => Err(scanner.problem(format!("expected the end of the file, found {}", scanner.found()))),
    }
}

/// Where what follows blanks and comments begins. The text has been scanned, so that every comment is closed.
pub(crate) fn blanks(source: &str, offset: usize) -> usize {
    let mut scanner = Scanner {
        source,
        offset,
        depth: 0,
    };
    match scanner.skip_space() {
        Ok(()) => scanner.offset,
        Err(_) => offset,
    }
}

pub(super) struct Scanner<'a> {
    pub(super) source: &'a str,
    /// In bytes, always between two characters.
    pub(super) offset: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.source[self.offset..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.offset += c.len_utf8();
        Some(c)
    }

    fn take_if(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.offset += wanted.len();
        }
        found
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        problem(self.offset, message)
    }

    /// What stands here, in words.
    fn found(&self) -> String {
        let Some(c) = self.peek() else {
            return "the end of the file".to_owned();
        };
        let word = self.word();
        let shown = if word.is_empty() {
            &self.rest()[..c.len_utf8()]
        } else {
            word
        };
        format!("`{}`", printable(shown))
    }

    /// The name that begins here, or nothing.
    fn word(&self) -> &'a str {
        let rest = self.rest();
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
        if !rest.starts_with(is_first) {
            return "";
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    }

    fn skip_space(&mut self) -> Result<(), Problem> {
        loop {
            let rest = self.rest();
            self.offset += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            if self.rest().starts_with("//") {
                let rest = self.rest();
                self.offset += rest.find('\n').unwrap_or(rest.len());
            } else if self.rest().starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    /// Block comments nest.
    fn skip_block_comment(&mut self) -> Result<(), Problem> {
        let start = self.offset;
        let mut open = 0_usize;
        loop {
            if self.take_if("/*") {
                open += 1;
            } else if self.take_if("*/") {
                open -= 1;
                if open == 0 {
                    return Ok(());
                }
            } else if self.take().is_none() {
                return Err(problem(start, "this comment is never closed: `*/` is missing"));
            }
        }
    }

    /// `#![enable(implicit_some)]` at the top, as other readers of RON need it.
    fn skip_extensions(&mut self) -> Result<(), Problem> {
        while self.rest().starts_with("#!") {
            let start = self.offset;
            let rest = self.rest();
            let end = rest
                .find(']')
                .ok_or_else(|| problem(start, "this `#![` is never closed"))?;
            let names = rest[..end]
                .strip_prefix("#![enable(")
                .and_then(|inner| inner.trim_end().strip_suffix(')'));
            let known = names.is_some_and(|names| names.split(',').all(|name| EXTENSIONS.contains(&name.trim())));
            if !known {
                let message = format!("only `#![enable(..)]` with {} is known here", EXTENSIONS.join(", "));
                return Err(problem(start, message));
            }
            self.offset += end + 1;
            self.skip_space()?;
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Node, Problem> {
        let offset = self.offset;
        let rest = self.rest();
        let kind = match self.peek() {
            Some('"') => Kind::Text(self.text()?),
            Some('r') if rest.starts_with("r\"") || rest.starts_with("r#") => Kind::Text(self.raw_text()?),
            Some('[') => self.nested(Scanner::list)?,
            Some('{') => self.nested(Scanner::map)?,
            Some('(') => self.nested(|scanner| scanner.parentheses(None))?,
            Some('0'..='9' | '+' | '-' | '.') => self.number()?,
            Some('\'') => return Err(self.problem("a text is written in double quotes")),
            _ => self.name()?,
        };
        Ok(Node {
            offset,
            end: self.offset,
            kind,
        })
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Kind, Problem>) -> Result<Kind, Problem> {
        if self.depth == DEPTH {
            return Err(self.problem(format!("nested more than {DEPTH} deep")));
        }
        self.depth += 1;
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn name(&mut self) -> Result<Kind, Problem> {
        let word = self.word();
        if word.is_empty() {
            return Err(self.problem(format!("expected a value, found {}", self.found())));
        }
        self.offset += word.len();
        match word {
            "true" => return Ok(Kind::Bool(true)),
            "false" => return Ok(Kind::Bool(false)),
            "inf" => return Ok(Kind::Float(f64::INFINITY)),
            "NaN" => return Ok(Kind::Float(f64::NAN)),
            _ => {}
        }
        let end = self.offset;
        self.skip_space()?;
        if self.peek() == Some('(') {
            let name = Some(word.to_owned());
            return self.nested(|scanner| scanner.parentheses(name));
        }
        self.offset = end;
        Ok(Kind::Name(word.to_owned()))
    }

    fn list(&mut self) -> Result<Kind, Problem> {
        let mut items = Vec::new();
        self.sequence(']', |scanner| {
            items.push(scanner.value()?);
            Ok(())
        })?;
        Ok(Kind::List(items))
    }

    fn map(&mut self) -> Result<Kind, Problem> {
        let mut entries = Entries::default();
        self.sequence('}', |scanner| {
            let offset = scanner.offset;
            if !scanner.rest().starts_with(['"', 'r']) {
                let message = format!("expected a name in double quotes, found {}", scanner.found());
                return Err(scanner.problem(message));
            }
            let Kind::Text(key) = scanner.value()?.kind else {
                return Err(problem(offset, "a name in { } is written in double quotes"));
            };
            scanner.entry_value(&mut entries, key, offset)
        })?;
        Ok(Kind::Map(entries.list))
    }

    /// A struct if its first thing is `name:`, else a tuple.
    fn parentheses(&mut self, name: Option<String>) -> Result<Kind, Problem> {
        let open = self.offset;
        self.take();
        self.skip_space()?;
        let named = self.rest().starts_with(')') || self.at_field()?;
        self.offset = open;
        if named {
            let mut fields = Entries::default();
            self.sequence(')', |scanner| {
                let offset = scanner.offset;
                if !scanner.at_field()? {
                    return Err(scanner.problem(format!("expected a field `name: value`, found {}", scanner.found())));
                }
                let key = scanner.word().to_owned();
                scanner.offset += key.len();
                scanner.entry_value(&mut fields, key, offset)
            })?;
            return Ok(Kind::Struct {
                name,
                fields: fields.list,
            });
        }
        let mut items = Vec::new();
        self.sequence(')', |scanner| {
            if scanner.at_field()? {
                let message = "plain values and named fields do not mix in one ( )";
                return Err(scanner.problem(message));
            }
            items.push(scanner.value()?);
            Ok(())
        })?;
        Ok(Kind::Tuple { name, items })
    }

    /// Whether `name:` stands here. Takes nothing.
    fn at_field(&mut self) -> Result<bool, Problem> {
        let start = self.offset;
        let word = self.word();
        self.offset += word.len();
        self.skip_space()?;
        let colon = self.rest().starts_with(':');
        self.offset = start;
        Ok(!word.is_empty() && colon)
    }

    /// `: value` after a key.
    fn entry_value(&mut self, entries: &mut Entries, key: String, offset: usize) -> Result<(), Problem> {
        if let Some(first) = entries.places.get(&key) {
            let (line, column) = position(self.source, *first);
            let message = format!("`{}` is given twice; first at {line}:{column}", printable(&key));
            return Err(problem(offset, message));
        }
        self.skip_space()?;
        if !self.take_if(":") {
            let message = format!("expected `:` after `{}`, found {}", printable(&key), self.found());
            return Err(self.problem(message));
        }
        self.skip_space()?;
        let value = self.value()?;
        entries.places.insert(key.clone(), offset);
        entries.list.push(Entry { key, offset, value });
        Ok(())
    }

    /// What stands between an opening bracket (here) and `close`, separated by commas; one more may follow the last.
    fn sequence(
        &mut self,
        close: char,
        mut element: impl FnMut(&mut Self) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let start = self.offset;
        let open = self.take().unwrap_or_default();
        let unclosed = || problem(start, format!("this `{open}` is never closed: a `{close}` is missing"));
        let mut separated = true;
        loop {
            self.skip_space()?;
            match self.peek() {
                None => return Err(unclosed()),
                Some(c) if c == close => {
                    self.take();
                    return Ok(());
                }
                Some(other @ (')' | ']' | '}')) => {
                    let (line, column) = position(self.source, start);
                    let message = format!("expected `{close}` for the `{open}` at {line}:{column}, found `{other}`");
                    return Err(self.problem(message));
                }
                Some(_) if !separated => {
                    return Err(self.problem(format!("expected `,` or `{close}`, found {}", self.found())));
                }
                Some(_) => element(self)?,
            }
            self.skip_space()?;
            separated = self.take_if(",");
        }
    }
}

#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    /// Where each key stands, for complaints about the second.
    places: BTreeMap<String, usize>,
}

pub(super) fn problem(offset: usize, message: impl Into<String>) -> Problem {
    Problem {
        offset,
        path: String::new(),
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(source: &str) -> Kind {
        scan(source, 1_000)
            .unwrap_or_else(|problem| panic!("{source}: {}", problem.message))
            .kind
    }

    #[test]
    fn comments_nest_and_trailing_commas_are_allowed() {
        let source = "#![enable(implicit_some)] /* a /* b */ c */ [1, // one\n 2,] // end";
        assert!(matches!(value(source), Kind::List(items) if items.len() == 2));
        assert!(scan("[1,,2]", 1_000).is_err());
        assert!(scan("[,]", 1_000).is_err());
    }

    #[test]
    fn empty_parentheses_are_a_struct_without_fields() {
        assert!(
            matches!(value("Database( )"), Kind::Struct { name: Some(name), fields } if name == "Database" && fields.is_empty())
        );
        assert!(matches!(value("Some(1)"), Kind::Tuple { items, .. } if items.len() == 1));
    }
}
