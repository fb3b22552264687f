//! Colours of a terminal as 24 bits, for a picture that has no palette of its own.

use ratatui::style::Color;

use crate::tui::theme::{self, Depth, Name, Role, Theme};

/// A colour as red, green and blue: `0xrrggbb`.
pub(in crate::tui) type Rgb = u32;

/// The 16 colours, as xterm has them (`XTerm-col.ad`), the blues lighter so that they are read on a dark ground.
pub(super) const SIXTEEN: [Rgb; 16] = [
    0x10_16_20, 0xcd_31_31, 0x0d_bc_79, 0xe5_b5_10, 0x3b_7d_d8, 0xbc_5f_d3, 0x11_a8_cd, 0xb4_bc_c8, 0x66_70_80,
    0xf1_5b_5b, 0x23_d1_8b, 0xf5_d5_43, 0x5c_a4_ff, 0xd6_80_f0, 0x29_c8_e8, 0xff_ff_ff,
];

/// What is behind everything, and text that asks for no colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    /// What is behind everything.
    pub(super) night: Rgb,
    /// Text.
    pub(super) ink: Rgb,
}

impl Ground {
    /// Those of a theme: its ground is what stands on a selection. A theme that leaves its colours to the terminal is shown on that of the dark one.
    pub(super) fn of(theme: Name) -> Ground {
        let theme = match theme {
            Name::Terminal | Name::Mono => Name::Dark,
            own => own,
        };
        let theme = Theme::new(theme, theme::Ground::Dark, Depth::True);
        let rgb = |color: Option<Color>| color.and_then(rgb);
        Ground {
            night: rgb(theme.style(Role::Selected).fg).unwrap_or(SIXTEEN[0]),
            ink: rgb(theme.style(Role::Text).fg).unwrap_or(SIXTEEN[15]),
        }
    }
}

/// A colour in 24 bits; none for that of the terminal itself.
pub(in crate::tui) fn rgb(color: Color) -> Option<Rgb> {
    Some(match color {
        Color::Reset => return None,
        Color::Rgb(r, g, b) => u32::from_be_bytes([0, r, g, b]),
        Color::Indexed(index) => indexed(index),
        named => SIXTEEN[usize::from(number(named))],
    })
}

/// The place of a named colour among the 16.
pub(super) fn number(color: Color) -> u8 {
    match color {
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Black | Color::Reset | Color::Rgb(..) | Color::Indexed(_) => 0,
    }
}

/// The palette of 256, as xterm computes it (`256colres.pl`): a cube of 6 x 6 x 6, and 24 greys.
fn indexed(index: u8) -> Rgb {
    let index = u32::from(index);
    let level = |step: u32| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        0..16 => SIXTEEN[index as usize],
        16..232 => {
            let cube = index - 16;
            level(cube / 36) << 16 | level(cube / 6 % 6) << 8 | level(cube % 6)
        }
        _ => (8 + 10 * (index - 232)) * 0x01_01_01,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_of_256_is_that_of_xterm() {
        assert_eq!(rgb(Color::Indexed(16)), Some(0));
        assert_eq!(rgb(Color::Indexed(231)), Some(0xff_ff_ff));
        assert_eq!(rgb(Color::Indexed(114)), Some(0x87_d7_87));
        assert_eq!(rgb(Color::Indexed(240)), Some(0x58_58_58));
        assert_eq!(rgb(Color::Rgb(1, 2, 3)), Some(0x01_02_03));
        assert_eq!(rgb(Color::Reset), None);
    }
}
