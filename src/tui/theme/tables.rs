//! The themes as tables: every role once, in the order of the enum.

use ratatui::style::{Color, Modifier};

use super::Role;

/// A colour at each depth: 24 bits, index in the palette of 256, name among the 16.
type Paint = Option<(u32, u8, Color)>;

/// One row: role, foreground, background, modifiers, modifiers without colour.
pub(super) type Row = (Role, Paint, Paint, Modifier, Modifier);

/// How many roles there are.
pub(super) const ROLES: usize = 29;

/// A theme.
pub(super) type Table = [Row; ROLES];

const NONE: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const DIM: Modifier = Modifier::DIM;
const REVERSED: Modifier = Modifier::REVERSED;
const UNDERLINED: Modifier = Modifier::UNDERLINED;

/// The colours of a theme, by what they are for.
struct Palette {
    /// Text.
    ink: Paint,
    /// Text of less weight.
    grey: Paint,
    /// Lines that recede.
    slate: Paint,
    /// Frames of data centers.
    iron: Paint,
    /// Behind the strip at the top.
    bar: Paint,
    /// Trends.
    steel: Paint,
    /// What is in focus, and traffic.
    accent: Paint,
    /// The median in a chart.
    median: Paint,
    /// Little load.
    calm: Paint,
    /// A fair load.
    busy: Paint,
    good: Paint,
    warning: Paint,
    /// More load than it can bear.
    over: Paint,
    bad: Paint,
    mismatch: Paint,
    /// What is typed.
    typed: Paint,
    /// Text on the selection and on messages: the ground itself.
    ground: Paint,
}

/// A theme of a palette.
const fn table(p: &Palette) -> Table {
    [
        (Role::Text, p.ink, None, NONE, NONE),
        (Role::Muted, p.grey, None, NONE, NONE),
        (Role::Faint, p.slate, None, NONE, DIM),
        (Role::Accent, p.accent, None, NONE, BOLD),
        (Role::Title, p.ink, None, BOLD, BOLD),
        (Role::Header, p.grey, p.bar, NONE, NONE),
        (Role::HeaderValue, p.ink, p.bar, BOLD, BOLD),
        (Role::Key, p.accent, None, BOLD, BOLD),
        (Role::Site, p.iron, None, NONE, NONE),
        (Role::Host, p.slate, None, NONE, DIM),
        (Role::Good, p.good, None, NONE, NONE),
        (Role::Warning, p.warning, None, NONE, BOLD),
        (Role::Bad, p.bad, None, BOLD, BOLD),
        (Role::Mismatch, p.mismatch, None, BOLD, UNDERLINED),
        (Role::Calm, p.calm, None, NONE, NONE),
        (Role::Busy, p.busy, None, NONE, NONE),
        (Role::Hot, p.warning, None, NONE, BOLD),
        (Role::Over, p.over, None, BOLD, BOLD),
        (Role::Way, p.slate, None, NONE, DIM),
        (Role::Flow, p.accent, None, NONE, BOLD),
        (Role::Lookup, p.slate, None, NONE, DIM),
        (Role::Median, p.median, None, NONE, NONE),
        (Role::Tail, p.warning, None, NONE, BOLD),
        (Role::Trend, p.steel, None, NONE, NONE),
        (Role::Selected, p.ground, p.accent, BOLD, REVERSED),
        (Role::SelectedBad, p.ground, p.bad, BOLD, REVERSED),
        (Role::Notice, p.ground, p.good, NONE, REVERSED),
        (Role::Refusal, p.ground, p.warning, BOLD, REVERSED),
        (Role::Typed, p.typed, None, NONE, BOLD),
    ]
}

/// For dark backgrounds.
pub(super) const DARK: Table = table(&Palette {
    ink: Some((0xcd_d6_e4, 252, Color::Reset)),
    grey: Some((0x8a_96_a8, 245, Color::Gray)),
    slate: Some((0x5a_66_7b, 242, Color::DarkGray)),
    iron: Some((0x72_7e_92, 244, Color::Gray)),
    bar: Some((0x1b_22_30, 234, Color::Reset)),
    steel: Some((0x55_86_b4, 67, Color::Blue)),
    accent: Some((0x6c_b6_ff, 75, Color::LightBlue)),
    median: Some((0x35_82_7b, 30, Color::Cyan)),
    calm: Some((0x4f_c4_b0, 79, Color::Cyan)),
    busy: Some((0x7c_cf_7f, 114, Color::Green)),
    good: Some((0x7c_cf_7f, 114, Color::Green)),
    warning: Some((0xe8_b8_4e, 179, Color::Yellow)),
    over: Some((0xf0_8c_4a, 209, Color::LightRed)),
    bad: Some((0xff_5f_6b, 203, Color::Red)),
    mismatch: Some((0xc9_9b_ff, 141, Color::Magenta)),
    typed: Some((0xff_ff_ff, 231, Color::White)),
    ground: Some((0x10_16_20, 233, Color::Black)),
});

/// For light backgrounds. Among the 16, yellow and cyan are hard to read on white, so others stand in for them.
pub(super) const LIGHT: Table = table(&Palette {
    ink: Some((0x1f_27_33, 235, Color::Reset)),
    grey: Some((0x56_61_73, 241, Color::DarkGray)),
    slate: Some((0x7f_8a_9c, 245, Color::Gray)),
    iron: Some((0x6d_79_8d, 243, Color::DarkGray)),
    bar: Some((0xf0_f3_f8, 255, Color::Reset)),
    steel: Some((0x3d_6f_9e, 24, Color::Blue)),
    accent: Some((0x0b_62_c4, 26, Color::Blue)),
    median: Some((0x3a_96_8e, 31, Color::Cyan)),
    calm: Some((0x0b_7d_72, 29, Color::Cyan)),
    busy: Some((0x1a_7a_2e, 28, Color::Green)),
    good: Some((0x1a_7a_2e, 22, Color::Green)),
    warning: Some((0x8f_5f_00, 94, Color::Magenta)),
    over: Some((0xb8_43_00, 130, Color::LightRed)),
    bad: Some((0xc4_12_2f, 124, Color::Red)),
    mismatch: Some((0x7b_35_c9, 92, Color::LightMagenta)),
    typed: Some((0x00_00_00, 16, Color::Black)),
    ground: Some((0xff_ff_ff, 231, Color::White)),
});

/// Sky blue, yellow and vermilion of Okabe and Ito's palette (<https://jfly.uni-koeln.de/color/>), on dark backgrounds; vermilion a little lighter, so that it is read.
pub(super) const COLOUR_BLIND: Table = table(&Palette {
    ink: Some((0xcd_d6_e4, 252, Color::Reset)),
    grey: Some((0x8a_96_a8, 245, Color::Gray)),
    slate: Some((0x5a_66_7b, 242, Color::DarkGray)),
    iron: Some((0x72_7e_92, 244, Color::Gray)),
    bar: Some((0x1b_22_30, 234, Color::Reset)),
    steel: Some((0x55_86_b4, 67, Color::Blue)),
    accent: Some((0x8c_c8_ff, 117, Color::LightCyan)),
    median: Some((0x3d_8f_c9, 32, Color::Blue)),
    calm: Some((0x3d_8f_c9, 32, Color::Blue)),
    busy: Some((0x56_b4_e9, 74, Color::LightBlue)),
    good: Some((0x56_b4_e9, 74, Color::LightBlue)),
    warning: Some((0xf0_e4_42, 227, Color::LightYellow)),
    over: Some((0xe6_9f_00, 214, Color::Yellow)),
    bad: Some((0xe0_6a_1a, 202, Color::Red)),
    mismatch: Some((0xcc_79_a7, 175, Color::Magenta)),
    typed: Some((0xff_ff_ff, 231, Color::White)),
    ground: Some((0x10_16_20, 233, Color::Black)),
});

/// The same on light backgrounds: Okabe and Ito's blue; orange and vermilion as dark as text must be, and apart in lightness.
pub(super) const COLOUR_BLIND_LIGHT: Table = table(&Palette {
    ink: Some((0x1f_27_33, 235, Color::Reset)),
    grey: Some((0x56_61_73, 241, Color::DarkGray)),
    slate: Some((0x7f_8a_9c, 245, Color::Gray)),
    iron: Some((0x6d_79_8d, 243, Color::DarkGray)),
    bar: Some((0xf0_f3_f8, 255, Color::Reset)),
    steel: Some((0x3d_6f_9e, 24, Color::Blue)),
    accent: Some((0x0b_4f_9e, 25, Color::Blue)),
    median: Some((0x3d_8f_c9, 31, Color::Blue)),
    calm: Some((0x00_72_b2, 25, Color::Blue)),
    busy: Some((0x00_72_b2, 25, Color::Blue)),
    good: Some((0x00_72_b2, 25, Color::Blue)),
    warning: Some((0x96_64_00, 94, Color::Magenta)),
    over: Some((0x96_64_00, 94, Color::Magenta)),
    bad: Some((0x7a_1f_00, 52, Color::Red)),
    mismatch: Some((0x8a_3a_6e, 89, Color::LightMagenta)),
    typed: Some((0x00_00_00, 16, Color::Black)),
    ground: Some((0xff_ff_ff, 231, Color::White)),
});

/// A colour of the terminal's own.
const fn own(color: Color) -> (u32, u8, Color) {
    (0, 0, color)
}

const PLAIN: Paint = Some(own(Color::Reset));
const BLUE: Paint = Some(own(Color::Blue));
const GREEN: Paint = Some(own(Color::Green));
const YELLOW: Paint = Some(own(Color::Yellow));
const RED: Paint = Some(own(Color::Red));
const CYAN: Paint = Some(own(Color::Cyan));
const MAGENTA: Paint = Some(own(Color::Magenta));
const BLACK: Paint = Some(own(Color::Black));

/// The 16 colours of the terminal. What recedes is dim text: the two greys of the 16 vanish on one background or on the other.
pub(super) const TERMINAL: Table = [
    (Role::Text, PLAIN, None, NONE, NONE),
    (Role::Muted, PLAIN, None, DIM, NONE),
    (Role::Faint, PLAIN, None, DIM, DIM),
    (Role::Accent, BLUE, None, BOLD, BOLD),
    (Role::Title, PLAIN, None, BOLD, BOLD),
    (Role::Header, PLAIN, PLAIN, NONE, NONE),
    (Role::HeaderValue, PLAIN, PLAIN, BOLD, BOLD),
    (Role::Key, BLUE, None, BOLD, BOLD),
    (Role::Site, PLAIN, None, DIM, NONE),
    (Role::Host, PLAIN, None, DIM, DIM),
    (Role::Good, GREEN, None, NONE, NONE),
    (Role::Warning, YELLOW, None, NONE, BOLD),
    (Role::Bad, RED, None, BOLD, BOLD),
    (Role::Mismatch, MAGENTA, None, BOLD, UNDERLINED),
    (Role::Calm, CYAN, None, NONE, NONE),
    (Role::Busy, GREEN, None, NONE, NONE),
    (Role::Hot, YELLOW, None, NONE, BOLD),
    (Role::Over, RED, None, NONE, BOLD),
    (Role::Way, PLAIN, None, DIM, DIM),
    (Role::Flow, BLUE, None, BOLD, BOLD),
    (Role::Lookup, PLAIN, None, DIM, DIM),
    (Role::Median, CYAN, None, NONE, NONE),
    (Role::Tail, YELLOW, None, NONE, BOLD),
    (Role::Trend, BLUE, None, NONE, NONE),
    (Role::Selected, BLACK, CYAN, NONE, REVERSED),
    (Role::SelectedBad, BLACK, RED, NONE, REVERSED),
    (Role::Notice, GREEN, None, BOLD, REVERSED),
    (Role::Refusal, YELLOW, None, BOLD, REVERSED),
    (Role::Typed, PLAIN, None, BOLD, BOLD),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_the_order_of_the_roles() {
        for table in [DARK, LIGHT, COLOUR_BLIND, COLOUR_BLIND_LIGHT, TERMINAL] {
            for (index, row) in table.iter().enumerate() {
                assert_eq!(row.0 as usize, index, "{:?}", row.0);
            }
        }
    }

    #[test]
    fn without_colour_all_themes_are_one() {
        for table in [LIGHT, COLOUR_BLIND, COLOUR_BLIND_LIGHT, TERMINAL] {
            let bare = |table: Table| table.map(|row| row.4);
            assert_eq!(bare(table), bare(DARK));
        }
    }
}
