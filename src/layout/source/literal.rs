//! Numbers and texts.

use super::scan::{Scanner, problem};
use super::{Kind, Problem};

impl Scanner<'_> {
    pub(super) fn number(&mut self) -> Result<Kind, Problem> {
        let start = self.offset;
        let rest = self.rest();
        let mut previous = ' ';
        let is_part = |c: char| {
            let sign = matches!(c, '+' | '-') && matches!(previous, ' ' | 'e' | 'E');
            previous = c;
            sign || c.is_ascii_alphanumeric() || matches!(c, '.' | '_')
        };
        let text = &rest[..rest.len() - rest.trim_start_matches(is_part).len()];
        self.offset += text.len();
        let wrong = |why: &str| problem(start, format!("`{text}` is not a number{why}"));
        let digits = text.trim_start_matches(['+', '-']);
        match digits {
            "inf" if text.starts_with('-') => return Ok(Kind::Float(f64::NEG_INFINITY)),
            "inf" => return Ok(Kind::Float(f64::INFINITY)),
            "NaN" => return Ok(Kind::Float(f64::NAN)),
            _ => {}
        }
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Err(wrong(""));
        }
        if digits.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
            let number: i128 = text.replace('_', "").parse().map_err(|_| wrong(": it is too large"))?;
            if number < i128::from(i64::MIN) || number > i128::from(u64::MAX) {
                return Err(wrong(": it is too large"));
            }
            return Ok(Kind::Integer(number));
        }
        if digits.ends_with(|c: char| c.is_ascii_alphabetic())
            && digits.bytes().next().is_some_and(|b| b.is_ascii_digit())
        {
            return Err(wrong(
                ": if a duration is meant, write it in double quotes, as in \"30s\"",
            ));
        }
        if text.contains('_') {
            return Err(wrong(": `_` stands only in whole numbers"));
        }
        text.parse().map(Kind::Float).map_err(|_| wrong(""))
    }

    pub(super) fn text(&mut self) -> Result<String, Problem> {
        let start = self.offset;
        self.take();
        let mut text = String::new();
        loop {
            let here = self.offset;
            match self.take() {
                None => return Err(problem(start, "this text is never closed: a `\"` is missing")),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape().ok_or_else(|| {
                    problem(
                        here,
                        "unknown escape; write \\\\ for a backslash, or \\n, \\t, \\\", \\u{1F600}",
                    )
                })?),
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        match self.take()? {
            c @ ('"' | '\'' | '\\') => Some(c),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            '0' => Some('\0'),
            'x' => {
                let code = u8::from_str_radix(self.rest().get(..2)?, 16)
                    .ok()
                    .filter(u8::is_ascii)?;
                self.offset += 2;
                Some(char::from(code))
            }
            'u' => {
                let inner = self.rest().strip_prefix('{')?;
                let digits = &inner[..inner.find('}').filter(|length| (1..=6).contains(length))?];
                self.offset += digits.len() + 2;
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)
            }
            _ => None,
        }
    }

    /// `r"text"`, `r#"text with " in it"#`.
    pub(super) fn raw_text(&mut self) -> Result<String, Problem> {
        let start = self.offset;
        let rest = &self.rest()[1..];
        let inner = rest.trim_start_matches('#');
        let hashes = &rest[..rest.len() - inner.len()];
        let Some(inner) = inner.strip_prefix('"') else {
            return Err(problem(start, "expected a raw text, as in r#\"text\"#"));
        };
        let end = format!("\"{hashes}");
        let length = inner
            .find(&end)
            .ok_or_else(|| problem(start, format!("this text is never closed: `{end}` is missing")))?;
        self.offset = self.source.len() - inner.len() + length + end.len();
        Ok(inner[..length].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::source::scan;

    fn value(source: &str) -> Kind {
        scan(source, 1_000)
            .unwrap_or_else(|problem| panic!("{source}: {}", problem.message))
            .kind
    }

    #[test]
    fn numbers_are_those_of_ron() {
        for (source, number) in [
            ("1_000", 1_000),
            ("-5", -5),
            ("+7", 7),
            ("18446744073709551615", i128::from(u64::MAX)),
        ] {
            assert!(
                matches!(value(source), Kind::Integer(found) if found == number),
                "{source}"
            );
        }
        for (source, number) in [
            ("0.5", 0.5),
            (".5", 0.5),
            ("1e3", 1e3),
            ("2.5E-3", 2.5e-3),
            ("-inf", f64::NEG_INFINITY),
        ] {
            assert!(
                matches!(value(source), Kind::Float(found) if found.total_cmp(&number).is_eq()),
                "{source}"
            );
        }
        for source in ["1.2.3", "--1", "1e", "0x10", "5ms", "1-2", "18446744073709551616", "+"] {
            assert!(scan(source, 1_000).is_err(), "{source}");
        }
    }

    #[test]
    fn texts_have_escapes_and_raw_forms() {
        for (source, text) in [
            (r#""a\n\t\"\\\u{e9}\x41""#, "a\n\t\"\\éA"),
            (r##"r#"a"\n"#"##, "a\"\\n"),
            ("\"two\nlines\"", "two\nlines"),
        ] {
            assert!(matches!(value(source), Kind::Text(found) if found == text), "{source}");
        }
        for source in [
            r#""\q""#,
            r#""\u{110000}""#,
            r#""\u{}""#,
            r#""\xff""#,
            r#""\x4"#,
            r#"r#"a""#,
            "r#",
        ] {
            assert!(scan(source, 1_000).is_err(), "{source}");
        }
    }
}
