//! Selectors and links: their text, and what they match.

use std::fmt;

use super::model::{CommandError, LinkSelector, Selector};
use crate::layout::printable;

/// Data center, service or host, instance.
const MOST_PARTS: usize = 3;
/// The longest part, in characters: that of a layout's names, with `-autoscaler` behind it.
const LONGEST_PART: usize = 75;

impl Selector {
    /// Reads a selector: one to three parts separated by `/`. A part is a name as layouts have them, a number, or `*`.
    ///
    /// # Errors
    /// In words, when it could name nothing in any layout.
    pub fn parse(text: &str) -> Result<Selector, CommandError> {
        let refuse = |why: &str| Err(CommandError(format!("`{}` is not a selector: {why}", shown(text))));
        let parts: Vec<&str> = text.split('/').collect();
        if text.is_empty() {
            return Err(CommandError("the name of what is meant is missing".to_owned()));
        }
        if parts.len() > MOST_PARTS {
            return refuse("it has more than three parts, data center/service/number");
        }
        for part in parts {
            if part.is_empty() {
                return refuse("a part of it is empty");
            }
            if part.chars().count() > LONGEST_PART {
                return refuse("a part of it is longer than 75 characters");
            }
            if printable(part) != part {
                return refuse("it holds characters that cannot be seen");
            }
            if part.contains(char::is_whitespace) || part.contains(['<', '>']) {
                return refuse("names have no blanks, `<` and `>`");
            }
            if part.contains('*') && part != "*" {
                return refuse("`*` stands for a whole part");
            }
        }
        if text == "all" {
            return refuse("only `mend` and `expire` take it; `*` stands for one part of a name");
        }
        Ok(Selector(text.to_owned()))
    }

    /// Its parts, from the data center to the instance.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.0.split('/').collect()
    }
}

impl LinkSelector {
    /// Reads `a -> b` or `a <-> b`; blanks around the arrow are optional.
    ///
    /// # Errors
    /// In words, when there is no arrow or an end is not a selector.
    pub fn parse(text: &str) -> Result<LinkSelector, CommandError> {
        let (ends, both) = match text.split_once("<->") {
            Some(ends) => (Some(ends), true),
            None => (text.split_once("->"), false),
        };
        let Some((from, to)) = ends else {
            let message = format!(
                "`{}` names no link; write `web -> db` (one way) or `web <-> db`",
                shown(text)
            );
            return Err(CommandError(message));
        };
        Ok(LinkSelector {
            from: Selector::parse(from.trim())?,
            to: Selector::parse(to.trim())?,
            both,
        })
    }
}

/// Whether a selector names the thing with this full name.
///
/// Full names are `site` (a data center), `people` (users), `dns`, `site/web` (a service or a host) and `site/web/2` or `dns/1` (an
/// instance). A selector matches if it has the same parts, where `*` stands for any one part. The data center in front may be left out:
/// `web` matches `site/web`, and `web/2` matches `site/web/2`. Nothing else may be: `2` does not match `site/web/2`, and `site` matches
/// the data center itself, not what is in it.
pub fn matches(selector: &Selector, full_name: &str) -> bool {
    let parts_match = |full_name: &str| {
        let mut wanted = selector.0.split('/');
        let mut found = full_name.split('/');
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some(wanted), Some(found)) if wanted == "*" || wanted == found => {}
                _ => return false,
            }
        }
    };
    let without_site = full_name.split_once('/').map(|(_, rest)| rest);
    // What is left of `dns/1` would be a bare number.
    let without_site = without_site.filter(|rest| !is_number(rest));
    parts_match(full_name) || without_site.is_some_and(parts_match)
}

/// Whether a part of a name numbers an instance. Names of layouts are never numbers.
pub(super) fn is_number(part: &str) -> bool {
    part.bytes().all(|b| b.is_ascii_digit())
}

/// The beginning of a text, fit for a message.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut start: String = text.chars().take(LONGEST).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    printable(&start)
}

impl TryFrom<String> for Selector {
    type Error = CommandError;

    fn try_from(text: String) -> Result<Self, CommandError> {
        Selector::parse(&text)
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> String {
        selector.0
    }
}

impl TryFrom<String> for LinkSelector {
    type Error = CommandError;

    fn try_from(text: String) -> Result<Self, CommandError> {
        LinkSelector::parse(&text)
    }
}

impl From<LinkSelector> for String {
    fn from(link: LinkSelector) -> String {
        link.to_string()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LinkSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.both { "<->" } else { "->" };
        write!(f, "{} {arrow} {}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(selector: &str, full_name: &str) -> bool {
        matches(&Selector::parse(selector).unwrap(), full_name)
    }

    #[test]
    fn a_selector_matches_a_full_name_with_or_without_its_data_center() {
        for (selector, full_name) in [
            ("dc", "dc"),
            ("web", "dc/web"),
            ("dc/web", "dc/web"),
            ("web/2", "dc/web/2"),
            ("dc/web/2", "dc/web/2"),
            ("*/web", "dc/web"),
            ("*/web/2", "dc/web/2"),
            ("dc/*", "dc/web"),
            ("web/*", "dc/web/2"),
            ("*/2", "dc/web/2"),
            ("*/*/*", "dc/web/2"),
            ("dns/1", "dns/1"),
        ] {
            assert!(names(selector, full_name), "{selector} {full_name}");
        }
        for (selector, full_name) in [
            ("dc", "dc/web"),
            ("web", "dc/web/2"),
            ("2", "dc/web/2"),
            ("1", "dns/1"),
            ("*", "dns/1"),
            ("*/web", "dc/web/2"),
            ("eu/web", "dc/web"),
            ("we", "dc/web"),
            ("dc/web/2", "dc/web"),
        ] {
            assert!(!names(selector, full_name), "{selector} {full_name}");
        }
    }

    #[test]
    fn what_can_name_nothing_is_refused() {
        for (text, why) in [
            ("", "missing"),
            ("a//b", "empty"),
            ("a/b/c/d", "more than three"),
            ("w*", "whole part"),
            ("a b", "blanks"),
            (
                "a\u{1b}[2J",
                "`a\\u{1b}[2J` is not a selector: it holds characters that cannot be seen",
            ),
            ("all", "only `mend` and `expire`"),
        ] {
            let error = Selector::parse(text).unwrap_err();
            assert!(error.0.contains(why), "{text:?}: {error}");
        }
        assert!(Selector::parse(&"x".repeat(76)).unwrap_err().0.contains("75"));
    }

    #[test]
    fn links_are_read_with_and_without_blanks() {
        for (text, shown) in [("a->b", "a -> b"), (" a <-> b/1 ", "a <-> b/1"), ("a-<->b", "a- <-> b")] {
            assert_eq!(LinkSelector::parse(text).unwrap().to_string(), shown);
        }
        assert!(LinkSelector::parse("a b").unwrap_err().0.contains("names no link"));
        assert!(LinkSelector::parse("a -> b -> c").is_err());
        assert!(LinkSelector::parse("-> b").is_err());
    }
}
