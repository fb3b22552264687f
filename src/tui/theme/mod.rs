//! Roles and how they look. Nothing else in `tui` names a colour.
//!
//! A theme is a table of roles (`tables`); which one is in force is said by a [`Name`], by the [`Ground`] of the terminal and by the [`Depth`] of its
//! colours. Tests see to it that text is read on its ground (`contrast`) and that signs are told apart by those who see fewer colours.

#[cfg(test)]
mod contrast;
mod tables;

use ratatui::style::{Color, Style};

use tables::{Row, Table};

/// What a piece of the screen means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Text,
    /// Text of less weight: labels, units.
    Muted,
    /// Lines, borders, what recedes.
    Faint,
    /// The border of the pane in focus.
    Accent,
    /// A title.
    Title,
    /// The strip at the top.
    Header,
    /// A value in the strip at the top.
    HeaderValue,
    /// A key in the footer.
    Key,
    /// The frame of a data center.
    Site,
    /// The frame of a machine that several services share.
    Host,
    /// Works, repaired.
    Good,
    /// Somebody should look.
    Warning,
    /// Broken.
    Bad,
    /// What somebody believes and is wrong about.
    Mismatch,
    /// Little load.
    Calm,
    /// A fair load.
    Busy,
    /// A heavy load.
    Hot,
    /// More load than it can bear.
    Over,
    /// A way without traffic, the bed of one with traffic.
    Way,
    /// Traffic.
    Flow,
    /// Names being looked up.
    Lookup,
    /// The median in a chart.
    Median,
    /// The 99th percentile in a chart.
    Tail,
    /// A trend, where its height says all.
    Trend,
    /// The selection.
    Selected,
    /// The selection, where it is broken.
    SelectedBad,
    /// A message.
    Notice,
    /// A message that something was refused.
    Refusal,
    /// The text that is typed.
    Typed,
}

/// How many colours there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The palette of 256.
    Indexed,
    /// The palette of 16.
    Ansi,
    /// None: glyphs, bold, dim, reverse and underline alone.
    Mono,
}

impl Depth {
    /// What the environment says: `NO_COLOR`, `COLORTERM`, `TERM`.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Depth {
        let term = variable("TERM").unwrap_or_default();
        let colorterm = variable("COLORTERM").unwrap_or_default();
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) || term == "dumb" {
            Depth::Mono
        } else if colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct") {
            Depth::True
        } else if term.contains("256color") || term.contains("kitty") || term.contains("alacritty") {
            Depth::Indexed
        } else {
            Depth::Ansi
        }
    }
}

/// The name of a theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Name {
    /// Light where the terminal's background is known to be light, else dark.
    #[default]
    Auto,
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// The 16 colours of the terminal, which its owner has chosen, and no background but the selection's.
    Terminal,
    /// Blue, yellow and vermilion in place of green, yellow and red; for dark and for light backgrounds.
    ColourBlind,
    /// No colours: signs, bold, dim, reverse and underline alone.
    Mono,
}

impl Name {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Name; 6] = [
        Name::Auto,
        Name::Dark,
        Name::Light,
        Name::Terminal,
        Name::ColourBlind,
        Name::Mono,
    ];

    /// As it is typed.
    pub fn word(self) -> &'static str {
        match self {
            Name::Auto => "auto",
            Name::Dark => "dark",
            Name::Light => "light",
            Name::Terminal => "terminal",
            Name::ColourBlind => "colour-blind",
            Name::Mono => "mono",
        }
    }

    /// What it is for, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Name::Auto => "light where the terminal says that its background is (COLORFGBG), else dark",
            Name::Dark => "for dark backgrounds",
            Name::Light => "for light backgrounds",
            Name::Terminal => "the 16 colours of the terminal, and no background but the selection's",
            Name::ColourBlind => "blue, yellow and vermilion, told apart with every kind of colour vision",
            Name::Mono => "no colours: signs, bold, dim, reverse and underline alone",
        }
    }

    /// The theme of this name; `color-blind` is one too.
    pub fn named(word: &str) -> Option<Name> {
        let word = word.trim().to_ascii_lowercase();
        let word = if word == "color-blind" { "colour-blind" } else { &word };
        Name::ALL.into_iter().find(|name| name.word() == word)
    }
}

/// What is behind the text: the theme leaves the terminal's own background as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    /// Dark, or not known.
    #[default]
    Dark,
    /// Light.
    Light,
}

impl Ground {
    /// What the environment says: `COLORFGBG`, which rxvt, Konsole and others set to the numbers of the text's and the background's colour.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Ground {
        let colors = variable("COLORFGBG").unwrap_or_default();
        let behind = colors.rsplit(';').next().and_then(|number| number.trim().parse().ok());
        // Of the 16, light grey and the bright ones but bright black are light.
        match behind {
            Some(7 | 9..=15) => Ground::Light,
            Some(0..=255_u8) | None => Ground::Dark,
        }
    }
}

/// Roles as styles.
#[derive(Clone, Debug)]
pub struct Theme {
    styles: [Style; tables::ROLES],
}

impl Theme {
    /// A theme on a ground, at a depth of colour. Without colours every theme is [`Name::Mono`].
    pub fn new(name: Name, ground: Ground, depth: Depth) -> Theme {
        let table: &Table = match (name, ground) {
            (Name::Dark | Name::Mono, _) | (Name::Auto, Ground::Dark) => &tables::DARK,
            (Name::Light, _) | (Name::Auto, Ground::Light) => &tables::LIGHT,
            (Name::Terminal, _) => &tables::TERMINAL,
            (Name::ColourBlind, Ground::Dark) => &tables::COLOUR_BLIND,
            (Name::ColourBlind, Ground::Light) => &tables::COLOUR_BLIND_LIGHT,
        };
        let depth = match (name, depth) {
            (Name::Mono, _) | (_, Depth::Mono) => Depth::Mono,
            (Name::Terminal, _) => Depth::Ansi,
            (_, depth) => depth,
        };
        Theme {
            styles: table.map(|row| style(&row, depth)),
        }
    }

    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }
}

fn style(&(_, foreground, background, modifiers, bare): &Row, depth: Depth) -> Style {
    if depth == Depth::Mono {
        return Style::new().fg(Color::Reset).bg(Color::Reset).add_modifier(bare);
    }
    let color = |(rgb, index, ansi): (u32, u8, Color)| match depth {
        Depth::True => Color::from_u32(rgb),
        Depth::Indexed => Color::Indexed(index),
        Depth::Ansi | Depth::Mono => ansi,
    };
    let mut style = Style::new().add_modifier(modifiers);
    if let Some(paint) = foreground {
        style = style.fg(color(paint));
    }
    if let Some(paint) = background {
        style = style.bg(color(paint));
    }
    style
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;

    #[test]
    fn the_environment_decides_on_colours() {
        let depth = |pairs: &[(&str, &str)]| {
            Depth::detect(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_string()))
        };
        assert_eq!(
            depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]),
            Depth::True
        );
        assert_eq!(depth(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "xterm")]), Depth::Ansi);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::Mono);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Indexed);
    }

    #[test]
    fn a_light_background_is_known_by_its_number() {
        let ground = |value: &str| Ground::detect(|name| (name == "COLORFGBG").then(|| value.to_string()));
        for light in ["0;15", "0;default;15", "0;7", "12;11"] {
            assert_eq!(ground(light), Ground::Light, "{light}");
        }
        for dark in ["15;0", "7;8", "", "0;default", "15;default;0", "x", "0;300"] {
            assert_eq!(ground(dark), Ground::Dark, "{dark}");
        }
        assert_eq!(Ground::detect(|_| None), Ground::Dark);
    }

    #[test]
    fn names_are_found_by_their_words() {
        for name in Name::ALL {
            assert_eq!(Name::named(name.word()), Some(name));
        }
        assert_eq!(Name::named(" Color-Blind"), Some(Name::ColourBlind));
        assert_eq!(Name::named("pink"), None);
    }

    #[test]
    fn without_colour_no_colour_is_set() {
        let mono = Theme::new(Name::Mono, Ground::Light, Depth::True);
        for theme in Name::ALL.map(|name| Theme::new(name, Ground::Dark, Depth::Mono)) {
            for (style, plain) in theme.styles.iter().zip(&mono.styles) {
                assert_eq!((style.fg, style.bg), (Some(Color::Reset), Some(Color::Reset)));
                assert_eq!(style, plain);
            }
            assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
        }
    }

    #[test]
    fn the_terminals_own_theme_has_no_background_but_the_selections() {
        let theme = Theme::new(Name::Terminal, Ground::Dark, Depth::True);
        for (index, style) in theme.styles.iter().enumerate() {
            let own = [style.fg, style.bg].into_iter().flatten();
            assert!(
                own.clone()
                    .all(|color| !matches!(color, Color::Rgb(..) | Color::Indexed(_))),
                "{style:?}"
            );
            let selection = [Role::Selected, Role::SelectedBad].map(|role| role as usize);
            let behind =
                style.bg.is_some_and(|color| color != Color::Reset) || style.add_modifier.contains(Modifier::REVERSED);
            assert_eq!(behind, selection.contains(&index), "{style:?}");
        }
    }
}
