//! `config`: where the config file is, what is in force, and where each value comes from.

mod read;

use std::fmt::Write as _;

use clap::Args;

use super::look::{Look, Origin, Settled, theme_words};
use super::{Complaint, Ended, output};
use crate::layout::printable;
use crate::tui::keymap::{self, Keymap};
use crate::tui::theme::{Depth, Ground, Name};

pub(super) use read::{Config, file, load};

/// What `config` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Print an example with all fields and their defaults, to begin with.
    #[arg(long)]
    example: bool,
    #[command(flatten)]
    look: Look,
}

/// Prints the path of the config file and what is in force; or an example.
pub(super) fn config(arguments: &Arguments) -> Result<Ended, Complaint> {
    if arguments.example {
        output::say(&example())?;
        return Ok(Ended::Well);
    }
    let settled = arguments.look.settled(&load()?)?;
    let file = match file() {
        Some(file) => {
            let path = printable(&file.display().to_string());
            let there = if file.exists() { "" } else { " (there is none)" };
            format!("{path}{there}")
        }
        None => "none: there is no home folder".to_string(),
    };
    output::say(&table(&file, &settled))?;
    Ok(Ended::Well)
}

/// What is in force, one field a line: its name, its value, where it comes from.
fn table(file: &str, settled: &Settled) -> String {
    let Settled { options, from } = settled;
    let colours = match options.depth {
        Depth::True => "24 bits",
        Depth::Indexed => "256",
        Depth::Ansi => "16",
        Depth::Mono => "none: NO_COLOR is set, or TERM is dumb, and no theme changes that",
    };
    let theme = match (options.theme, options.ground) {
        (Name::Auto, Ground::Dark) => "auto (dark)",
        (Name::Auto, Ground::Light) => "auto (light, by COLORFGBG)",
        (name, _) => name.word(),
    };
    let changed = options.keys.changed();
    let keys = match changed.len() {
        0 => "those of the help page".to_string(),
        1 => "1 act has others".to_string(),
        count => format!("{count} acts have others"),
    };
    let row = |name: &str, value: &str, from: Origin| format!("{name:<8} {value:<24} {}\n", from.words());
    let mut text = format!("{:<8} {file}\n{:<8} {colours}\n", "file", "colours");
    text += &row("theme", theme, from.theme);
    text += &row("motion", &options.motion.to_string(), from.motion);
    text += &row("ascii", &options.ascii.to_string(), from.ascii);
    text += &row("mouse", &options.mouse.to_string(), from.mouse);
    text += &row("keys", &keys, from.keys);
    for (verb, keys) in changed {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{:<8} {verb}: {}", "", printable(&keys));
    }
    text
}

/// A config file that says what holds without one.
fn example() -> String {
    let mut keys = String::new();
    let keymap = Keymap::default();
    for verb in keymap::verbs() {
        let bound: Vec<String> = keymap.keys_of(verb).iter().map(|key| format!("{key:?}")).collect();
        let bound = match &bound[..] {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let _ = writeln!(keys, "        {verb:?}: {bound},");
    }
    format!(
        "\
// How blastradius looks and listens. Every field may be left out; the values here are those that hold then.
// Flags and the environment (BLASTRADIUS_THEME, NO_MOTION, NO_COLOR) win over this file.
// `blastradius config` prints where it belongs, and what is in force.
(
    // {themes}
    theme: \"auto\",
    // Whether the signs of traffic move on the map.
    motion: true,
    // Draw with ASCII characters only.
    ascii: false,
    // Listen to the mouse. Without it, the terminal selects text as usual.
    mouse: true,
    // The keys of each act: one, or several in brackets. Name those that you want otherwise; an act has the keys
    // that it is given here and no others. ctrl-c, ctrl-z, enter and esc keep their meaning.
    keys: {{
{keys}    }},
)
",
        themes = theme_words().join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Options;

    #[test]
    fn the_example_says_what_holds_without_it() {
        let config = read::parse(&example(), "example").unwrap_or_else(|complaint| panic!("{}", complaint.0));
        let usual = Options::default();
        assert_eq!(config.theme, Some(usual.theme));
        assert_eq!((config.motion, config.ascii), (Some(usual.motion), Some(usual.ascii)));
        assert_eq!(config.mouse, Some(usual.mouse));
        let keys = config.keys.expect("keys");
        assert_eq!(keys.changed(), []);
        for verb in keymap::verbs() {
            assert_eq!(keys.keys_of(verb), Keymap::default().keys_of(verb), "{verb}");
        }
    }

    #[test]
    fn the_file_of_the_documentation_is_right() {
        let page = include_str!("../../../docs/config.md");
        let (_, rest) = page.split_once("```ron\n").expect("a file");
        let (text, _) = rest.split_once("```").expect("its end");
        let config = read::parse(text, "docs/config.md").unwrap_or_else(|complaint| panic!("{}", complaint.0));
        assert_eq!(config.keys.expect("keys").changed().len(), 2);
    }

    #[test]
    fn the_example_is_printable_and_not_too_wide() {
        for line in example().lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}
