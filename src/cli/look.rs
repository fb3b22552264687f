//! How the terminal is used: as a flag says, else the environment, else the config file, else as most people like it.

use std::env;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::Complaint;
use super::config::{self, Config};
use crate::layout::{printable, suggestion};
use crate::tui::Options;
use crate::tui::theme::Name;

/// The variable that names a theme.
const THEME: &str = "BLASTRADIUS_THEME";
/// The variable that asks for stillness, with any value but the empty one.
const NO_MOTION: &str = "NO_MOTION";

/// What `play`, `replay` and `demo` are told of it.
#[derive(Args, Debug, Default)]
pub(super) struct Look {
    /// How it looks; NO_COLOR wins over it.
    #[allow(
        clippy::doc_markdown,
        reason = "it is the text of the help, where backticks would be printed"
    )]
    #[arg(long, value_name = "NAME", value_parser = themes())]
    theme: Option<Name>,
    /// Draw with ASCII characters only.
    #[arg(long)]
    ascii: bool,
    /// Let the signs of traffic stand still.
    #[arg(long)]
    no_motion: bool,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Environment(&'static str),
    /// The config file.
    File,
    /// Nobody has said anything.
    Default,
}

impl Origin {
    /// In a word or two.
    pub(super) fn words(self) -> &'static str {
        match self {
            Origin::Flag(name) | Origin::Environment(name) => name,
            Origin::File => "file",
            Origin::Default => "default",
        }
    }
}

/// Where each value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origins {
    pub(super) theme: Origin,
    pub(super) motion: Origin,
    pub(super) ascii: Origin,
    pub(super) mouse: Origin,
    pub(super) keys: Origin,
}

/// What is in force.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub(super) options: Options,
    pub(super) from: Origins,
}

/// The names of themes, with what they are for where that is short.
pub(super) fn theme_words() -> Vec<&'static str> {
    Name::ALL.into_iter().map(Name::word).collect()
}

/// Themes by their names.
fn themes() -> impl TypedValueParser<Value = Name> {
    parser(&Name::ALL)
}

/// Themes for pictures, which have no terminal that could be asked.
pub(super) fn painted() -> impl TypedValueParser<Value = Name> {
    parser(&Name::ALL[1..])
}

fn parser(names: &[Name]) -> impl TypedValueParser<Value = Name> + use<> {
    let values = names.iter().map(|name| {
        let value = PossibleValue::new(name.word()).help(name.about());
        if *name == Name::ColourBlind {
            value.alias("color-blind")
        } else {
            value
        }
    });
    PossibleValuesParser::new(values).map(|word| Name::named(&word).expect("one of the possible values"))
}

impl Look {
    /// What is in force. The config file is read, and must be right.
    pub(super) fn options(&self) -> Result<Options, Complaint> {
        Ok(self.settled(&config::load()?)?.options)
    }

    /// What is in force with a config file, and where it comes from.
    pub(super) fn settled(&self, config: &Config) -> Result<Settled, Complaint> {
        self.settled_in(config, |name| env::var(name).ok())
    }

    fn settled_in(&self, config: &Config, variable: impl Fn(&str) -> Option<String>) -> Result<Settled, Complaint> {
        let said = |name: &str| variable(name).filter(|value| !value.is_empty());
        let of_file = |there: bool| if there { Origin::File } else { Origin::Default };
        let usual = Options::from_env();
        let (theme, from_theme) = match (self.theme, said(THEME), config.theme) {
            (Some(theme), ..) => (theme, Origin::Flag("--theme")),
            (None, Some(word), _) => (of_environment(&word)?, Origin::Environment(THEME)),
            (None, None, theme) => (theme.unwrap_or(usual.theme), of_file(theme.is_some())),
        };
        let (motion, from_motion) = match (self.no_motion, said(NO_MOTION), config.motion) {
            (true, ..) => (false, Origin::Flag("--no-motion")),
            (false, Some(_), _) => (false, Origin::Environment(NO_MOTION)),
            (false, None, motion) => (motion.unwrap_or(usual.motion), of_file(motion.is_some())),
        };
        let (ascii, from_ascii) = match (self.ascii, config.ascii) {
            (true, _) => (true, Origin::Flag("--ascii")),
            (false, ascii) => (ascii.unwrap_or(usual.ascii), of_file(ascii.is_some())),
        };
        Ok(Settled {
            options: Options {
                theme,
                motion,
                ascii,
                mouse: config.mouse.unwrap_or(usual.mouse),
                keys: config.keys.clone().unwrap_or_default(),
                ..usual
            },
            from: Origins {
                theme: from_theme,
                motion: from_motion,
                ascii: from_ascii,
                mouse: of_file(config.mouse.is_some()),
                keys: of_file(config.keys.is_some()),
            },
        })
    }
}

fn of_environment(word: &str) -> Result<Name, Complaint> {
    Name::named(word).ok_or_else(|| {
        let known = suggestion(word, theme_words());
        Complaint(format!("{THEME}: there is no theme `{}`{known}", printable(word)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(look: &Look, variables: &[(&str, &str)], config: &Config) -> Settled {
        let variable = |name: &str| {
            let own = variables.iter().find(|pair| pair.0 == name);
            own.map(|pair| pair.1.to_string())
        };
        look.settled_in(config, variable)
            .unwrap_or_else(|complaint| panic!("{}", complaint.0))
    }

    #[test]
    fn flags_go_before_the_environment_before_the_file() {
        let file = Config {
            theme: Some(Name::Light),
            motion: Some(false),
            ascii: Some(true),
            mouse: Some(false),
            keys: None,
        };
        let flags = Look {
            theme: Some(Name::Dark),
            no_motion: true,
            ..Look::default()
        };
        let theme = |look: &Look, variables: &[(&str, &str)], config: &Config| {
            let Settled { options, from } = settled(look, variables, config);
            (options.theme, from.theme)
        };
        let said = [(THEME, "mono"), (NO_MOTION, "1")];
        let (nothing, none) = (Look::default(), Config::default());
        assert_eq!(theme(&flags, &said, &file), (Name::Dark, Origin::Flag("--theme")));
        assert_eq!(theme(&nothing, &said, &file), (Name::Mono, Origin::Environment(THEME)));
        assert_eq!(theme(&nothing, &[(THEME, "")], &file), (Name::Light, Origin::File));
        assert_eq!(theme(&nothing, &[], &none), (Name::Auto, Origin::Default));

        let Settled { options, from } = settled(&nothing, &[], &file);
        assert!(!options.motion && options.ascii && !options.mouse);
        assert_eq!(
            (from.motion, from.ascii, from.mouse),
            (Origin::File, Origin::File, Origin::File)
        );
        assert_eq!(from.keys, Origin::Default);
        assert_eq!(settled(&flags, &said, &none).from.motion, Origin::Flag("--no-motion"));
        assert_eq!(
            settled(&nothing, &said, &none).from.motion,
            Origin::Environment(NO_MOTION)
        );
        assert!(settled(&nothing, &[(NO_MOTION, "")], &none).options.motion);
    }

    #[test]
    fn a_theme_of_the_environment_must_exist() {
        let variable = |name: &str| (name == THEME).then(|| "ligt\u{1b}".to_string());
        let wrong = Look::default().settled_in(&Config::default(), variable);
        let Err(Complaint(said)) = wrong else {
            panic!("there is no such theme");
        };
        assert_eq!(
            said,
            "BLASTRADIUS_THEME: there is no theme `ligt\\u{1b}`; did you mean `light`?"
        );
    }
}
