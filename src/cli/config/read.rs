//! The config file: where it is, and what it says.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use etcetera::BaseStrategy;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::Complaint;
use crate::layout::source::{self, Kind, Node, Path, Problem};
use crate::layout::{printable, suggestion};
use crate::tui::keymap::{self, Action, Keymap};
use crate::tui::theme::Name;

/// The largest file that is read, in bytes.
const LARGEST_BYTES: usize = 64 * 1024;

/// What a config file says; nothing where there is none.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Config {
    pub(in super::super) theme: Option<Name>,
    pub(in super::super) motion: Option<bool>,
    pub(in super::super) ascii: Option<bool>,
    pub(in super::super) mouse: Option<bool>,
    pub(in super::super) keys: Option<Keymap>,
}

/// The fields as they stand in the file. The keys are read apart, since one or several may stand there.
#[derive(Default, Deserialize)]
#[serde(rename = "Config", default, deny_unknown_fields)]
struct Raw {
    theme: Option<String>,
    motion: Option<bool>,
    ascii: Option<bool>,
    mouse: Option<bool>,
    #[serde(rename = "keys")]
    _keys: Option<IgnoredAny>,
}

/// The config file: `blastradius/config.ron` in the folder for configuration of the XDG base directory specification, `~/.config` where nothing
/// else is said. None where there is no home.
pub(in super::super) fn file() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("blastradius").join("config.ron"))
}

/// Reads the config file, if there is one.
pub(in super::super) fn load() -> Result<Config, Complaint> {
    let Some(file) = file() else {
        return Ok(Config::default());
    };
    let name = file.display().to_string();
    match fs::read(&file) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Config::default()),
        Err(error) => Err(Complaint(format!("cannot read the config file {name}: {error}"))),
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => parse(&text, &name),
            Err(_) => Err(Complaint(format!("{name} is not UTF-8 text, so it is no config file"))),
        },
    }
}

/// Reads the text of a config file.
pub(super) fn parse(text: &str, file: &str) -> Result<Config, Complaint> {
    read(text).map_err(|problem| {
        let (line, column) = source::position(text, problem.offset);
        let headline = format!("{}:{line}:{column}: {}", printable(file), problem.text());
        let shown = source::render(&headline, text, line, column);
        Complaint(format!(
            "{shown}\n`blastradius config --example` prints a file with all fields"
        ))
    })
}

fn read(text: &str) -> Result<Config, Problem> {
    let empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("//");
    if text.lines().all(empty) {
        return Ok(Config::default());
    }
    let root = source::scan(text, LARGEST_BYTES)?;
    let raw: Raw = source::read(&root)?;
    let path = Path::root(&root);
    let theme = raw.theme.map(|word| {
        Name::named(&word).ok_or_else(|| {
            let known = suggestion(&word, Name::ALL.iter().map(|name| name.word()));
            let there = path.at("theme");
            there.problem(format!("there is no theme `{}`{known}", printable(&word)))
        })
    });
    let keys = root.entry("keys").map(|entry| keys(&entry.value, &path.at("keys")));
    Ok(Config {
        theme: theme.transpose()?,
        motion: raw.motion,
        ascii: raw.ascii,
        mouse: raw.mouse,
        keys: keys.transpose()?,
    })
}

/// The keys of acts. A complaint stands at the key that it is about.
fn keys(node: &Node, path: &Path) -> Result<Keymap, Problem> {
    let Kind::Map(entries) = &node.kind else {
        return Err(
            path.problem("keys are a map from acts to keys, as in { \"kill\": \"x\", \"more\": [\"+\", \"=\"] }")
        );
    };
    let mut changes: Vec<(Action, Vec<String>)> = Vec::new();
    let mut places: Vec<Vec<usize>> = Vec::new();
    for entry in entries {
        let at = |offset: usize, message: String| Problem {
            offset,
            path: path.words(),
            message,
        };
        let action = keymap::act(&entry.key).map_err(|why| at(entry.offset, why))?;
        let items = match &entry.value.kind {
            Kind::List(items) => items.iter().collect(),
            _ => vec![&entry.value],
        };
        let mut bound = Vec::new();
        for item in &items {
            let Kind::Text(key) = &item.kind else {
                let message = "a key is a text, as in \"x\", or several in brackets, as in [\"+\", \"=\"]";
                return Err(at(item.offset, message.to_string()));
            };
            bound.push(key.clone());
        }
        if bound.is_empty() {
            let message = format!("`{}` has no key; leave it out to keep those that it has", entry.key);
            return Err(at(entry.value.offset, message));
        }
        changes.push((action, bound));
        places.push(items.iter().map(|item| item.offset).collect());
    }
    Keymap::with(&changes).map_err(|wrong| Problem {
        offset: places[wrong.change][wrong.key],
        path: path.words(),
        message: wrong.why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text, "config.ron").expect_err("it is wrong").0
    }

    #[test]
    fn nothing_has_to_be_said() {
        for text in ["", "// nothing\n\n", "()", "(keys: {})"] {
            let config = parse(text, "config.ron").unwrap_or_else(|complaint| panic!("{}", complaint.0));
            assert_eq!(
                (config.theme, config.motion, config.ascii, config.mouse),
                (None, None, None, None)
            );
        }
    }

    #[test]
    fn fields_are_read() {
        let text = r#"(theme: "color-blind", motion: false, ascii: true, mouse: false, keys: { "kill": "d", "more": ["a", "="] })"#;
        let config = parse(text, "config.ron").unwrap_or_else(|complaint| panic!("{}", complaint.0));
        assert_eq!(config.theme, Some(Name::ColourBlind));
        assert_eq!(
            (config.motion, config.ascii, config.mouse),
            (Some(false), Some(true), Some(false))
        );
        let keys = config.keys.expect("keys");
        assert_eq!(keys.changed(), [("kill", "d".to_string()), ("more", "a =".to_string())]);
    }

    #[test]
    fn a_complaint_says_where_what_was_meant_and_the_way_out() {
        for (text, place, words) in [
            ("(\n    theem: \"dark\",\n)", "2:5", "did you mean `theme`?"),
            ("(theme: \"drak\")", "1:9", "did you mean `dark`?"),
            ("(motion: 1)", "1:10", "expected a boolean"),
            ("(keys: [\"x\"])", "1:8", "keys are a map"),
            ("(keys: { \"kil\": \"x\" })", "1:10", "did you mean `kill`?"),
            ("(keys: { \"machines\": \"x\" })", "1:10", "several acts: fewer, more"),
            ("(keys: { \"kill\": 7 })", "1:18", "a key is a text"),
            ("(keys: { \"kill\": [] })", "1:18", "has no key"),
            ("(keys: { \"kill\": \"entre\" })", "1:18", "did you mean `enter`?"),
            (
                "(keys: { \"kill\": [\"d\", \"r\"] })",
                "1:24",
                "bound to mend and to kill",
            ),
            ("(keys: { \"kill\": \"ctrl-c\" })", "1:18", "always means quit"),
            ("(theme: \"dark\"", "1:", "config --example"),
        ] {
            let said = refused(text);
            assert!(said.starts_with(&format!("config.ron:{place}")), "{said}");
            assert!(said.contains(words), "{words}: {said}");
            assert!(said.ends_with("prints a file with all fields"), "{said}");
        }
    }

    #[test]
    fn no_file_can_be_too_large() {
        let said = refused(&format!("(theme: \"dark\") // {}", "x".repeat(LARGEST_BYTES)));
        assert!(said.starts_with("config.ron:"), "{said}");
    }
}
