//! Commands that can be pasted into a shell.

use std::fmt::Write as _;
use std::path::Path;

use crate::layout::printable;

/// A word as a POSIX shell reads it back. What cannot be seen is written as `$'…'` (POSIX.1-2024, section 2.2.4), so that it is no part of
/// what is printed.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_string();
    }
    if printable(word) == word {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    let mut text = "$'".to_string();
    for c in word.chars() {
        let one = c.to_string();
        match c {
            '\'' | '\\' => text.extend(['\\', c]),
            _ if printable(&one) == one => text.push(c),
            _ => one.bytes().for_each(|byte| {
                // Three octal digits: what follows cannot be taken for a part of it. Writing to a string cannot fail.
                let _ = write!(text, "\\{byte:03o}");
            }),
        }
    }
    text.push('\'');
    text
}

/// A file among the arguments of a command. One that begins with a dash would be taken for an option.
pub fn operand(file: &Path) -> String {
    let file = file.display().to_string();
    if file.starts_with('-') {
        return quoted(&format!("./{file}"));
    }
    quoted(&file)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_where_a_shell_would_not_take_them_as_they_are() {
        for (word, expected) in [
            ("04-load_balancer", "04-load_balancer"),
            ("", "''"),
            ("my layout.ron", "'my layout.ron'"),
            ("it's", "'it'\\''s'"),
            ("$(reboot)", "'$(reboot)'"),
            ("~/a", "'~/a'"),
            ("データ", "'データ'"),
            ("a\nb'c\\", "$'a\\012b\\'c\\\\'"),
            ("\u{202e}1", "$'\\342\\200\\2561'"),
        ] {
            assert_eq!(quoted(word), expected, "{word:?}");
        }
    }
}
