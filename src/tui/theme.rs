//! Roles and how they look. Nothing else in `tui` names a colour.

use ratatui::style::{Color, Modifier, Style};

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

/// A colour at each depth: 24 bits, index in the palette of 256, name among the 16.
type Paint = Option<(u32, u8, Color)>;

/// One row of the table: role, foreground, background, modifiers, modifiers without colour.
type Row = (Role, Paint, Paint, Modifier, Modifier);

const NONE: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const DIM: Modifier = Modifier::DIM;
const REVERSED: Modifier = Modifier::REVERSED;
const UNDERLINED: Modifier = Modifier::UNDERLINED;

const INK: Paint = Some((0xcd_d6_e4, 252, Color::Reset));
const GREY: Paint = Some((0x8a_96_a8, 245, Color::Gray));
const SLATE: Paint = Some((0x4b_56_6b, 240, Color::DarkGray));
const BAR: Paint = Some((0x1b_22_30, 235, Color::Reset));
const STEEL: Paint = Some((0x4d_7b_a6, 67, Color::Blue));
const IRON: Paint = Some((0x6d_79_8d, 243, Color::Gray));
const SKY: Paint = Some((0x6c_b6_ff, 75, Color::LightBlue));
const POND: Paint = Some((0x35_82_7b, 30, Color::Cyan));
const TEAL: Paint = Some((0x4f_c4_b0, 79, Color::Cyan));
const GREEN: Paint = Some((0x7c_cf_7f, 114, Color::Green));
const AMBER: Paint = Some((0xe8_b8_4e, 179, Color::Yellow));
const ORANGE: Paint = Some((0xf0_8c_4a, 209, Color::LightRed));
const RED: Paint = Some((0xff_5f_6b, 203, Color::Red));
const VIOLET: Paint = Some((0xc9_9b_ff, 141, Color::Magenta));
const WHITE: Paint = Some((0xff_ff_ff, 231, Color::White));
const NIGHT: Paint = Some((0x10_16_20, 233, Color::Black));

/// The theme: every role once, in the order of the enum.
const DARK: [Row; 29] = [
    (Role::Text, INK, None, NONE, NONE),
    (Role::Muted, GREY, None, NONE, NONE),
    (Role::Faint, SLATE, None, NONE, DIM),
    (Role::Accent, SKY, None, NONE, BOLD),
    (Role::Title, INK, None, BOLD, BOLD),
    (Role::Header, GREY, BAR, NONE, NONE),
    (Role::HeaderValue, INK, BAR, BOLD, BOLD),
    (Role::Key, SKY, None, BOLD, BOLD),
    (Role::Site, IRON, None, NONE, NONE),
    (Role::Host, SLATE, None, NONE, DIM),
    (Role::Good, GREEN, None, NONE, NONE),
    (Role::Warning, AMBER, None, NONE, BOLD),
    (Role::Bad, RED, None, BOLD, BOLD),
    (Role::Mismatch, VIOLET, None, BOLD, UNDERLINED),
    (Role::Calm, TEAL, None, NONE, NONE),
    (Role::Busy, GREEN, None, NONE, NONE),
    (Role::Hot, AMBER, None, NONE, BOLD),
    (Role::Over, ORANGE, None, BOLD, BOLD),
    (Role::Way, SLATE, None, NONE, DIM),
    (Role::Flow, SKY, None, NONE, BOLD),
    (Role::Lookup, SLATE, None, NONE, DIM),
    (Role::Median, POND, None, NONE, NONE),
    (Role::Tail, AMBER, None, NONE, BOLD),
    (Role::Trend, STEEL, None, NONE, NONE),
    (Role::Selected, NIGHT, SKY, BOLD, REVERSED),
    (Role::SelectedBad, NIGHT, RED, BOLD, REVERSED),
    (Role::Notice, NIGHT, GREEN, NONE, REVERSED),
    (Role::Refusal, NIGHT, AMBER, BOLD, REVERSED),
    (Role::Typed, WHITE, None, NONE, BOLD),
];

/// Roles as styles.
#[derive(Clone, Debug)]
pub struct Theme {
    styles: [Style; DARK.len()],
}

impl Theme {
    /// The theme at a depth of colour.
    pub fn new(depth: Depth) -> Theme {
        Theme {
            styles: DARK.map(|row| style(&row, depth)),
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
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_roles() {
        for (index, row) in DARK.iter().enumerate() {
            assert_eq!(row.0 as usize, index, "{:?}", row.0);
        }
    }

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
    fn without_colour_no_colour_is_set() {
        let theme = Theme::new(Depth::Mono);
        for row in DARK {
            let style = theme.style(row.0);
            assert_eq!((style.fg, style.bg), (Some(Color::Reset), Some(Color::Reset)));
        }
        assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
    }
}
