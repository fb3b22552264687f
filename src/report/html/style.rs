//! How a page looks: two palettes, for light and for dark, and the rules.

use std::fmt::Write as _;

/// What a colour is for, so that its contrast can be judged (WCAG 2.2, success criteria 1.4.3 and 1.4.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// Something stands on it.
    Ground,
    /// Text: at least 4.5 to 1 on every ground.
    Text,
    /// A line or an area that carries meaning: at least 3 to 1 on the page.
    Sign,
    /// Decoration, which nobody has to see.
    Decoration,
}

/// A colour: its name, what it is for, by light, by dark.
type Colour = (&'static str, Use, u32, u32);

const PALETTE: &[Colour] = &[
    ("page", Use::Ground, 0xff_ff_ff, 0x10_16_20),
    ("card", Use::Ground, 0xf4_f6_f9, 0x1a_22_2e),
    ("text", Use::Text, 0x1a_22_2e, 0xdf_e6_f0),
    ("muted", Use::Text, 0x52_5d_6d, 0x9d_aa_bb),
    ("link", Use::Text, 0x0a_58_a6, 0x7c_bd_ff),
    ("good", Use::Text, 0x1a_6b_33, 0x7c_cf_7f),
    ("warning", Use::Text, 0x85_52_00, 0xe8_b8_4e),
    ("bad", Use::Text, 0xb4_23_2f, 0xff_80_89),
    ("rule", Use::Decoration, 0xd7_dd_e5, 0x31_3b_4a),
    ("band", Use::Decoration, 0xf5_e3_e5, 0x3a_22_2b),
    ("late", Use::Decoration, 0xf3_ec_df, 0x2b_29_28),
    ("tint", Use::Decoration, 0xd5_e4_f4, 0x1f_38_55),
    ("ok", Use::Sign, 0x2f_6f_b3, 0x6a_a5_e0),
    ("failed", Use::Sign, 0xc6_28_35, 0xff_6b_76),
    ("retried", Use::Sign, 0x9a_5f_00, 0xf0_c0_5a),
    ("amber", Use::Sign, 0xb2_72_0a, 0xe8_b8_4e),
    ("median", Use::Sign, 0x1b_7f_73, 0x4f_c4_b0),
    ("tail", Use::Sign, 0xb0_45_0b, 0xf0_96_58),
];

/// Everything that is the same in both palettes.
const RULES: &str = include_str!("page.css");

/// The style of the page.
pub(super) fn css() -> String {
    format!("{}{RULES}", palette())
}

/// The colours by name, as the reader wishes them. Paper is light.
pub(in crate::report) fn palette() -> String {
    let of = |pick: fn(&Colour) -> u32| {
        PALETTE.iter().fold(String::new(), |mut text, colour| {
            // Writing to a string cannot fail.
            let _ = write!(text, "--{}:#{:06x};", colour.0, pick(colour));
            text
        })
    };
    let (light, dark) = (of(|colour| colour.2), of(|colour| colour.3));
    format!(
        ":root{{color-scheme:light dark;{light}}}\n\
         @media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n\
         @media print{{:root{{color-scheme:light;{light}}}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (<https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>).
    fn luminance(colour: u32) -> f64 {
        let channel = |shift: u32| {
            let value = f64::from(colour >> shift & 0xff) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
    }

    fn contrast(one: u32, other: u32) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast(0x00_00_00, 0xff_ff_ff) - 21.0).abs() < 1e-9);
        assert!((contrast(0x77_77_77, 0xff_ff_ff) - 4.48).abs() < 0.01);
    }

    #[test]
    fn every_colour_can_be_seen_in_both_schemes() {
        for (scheme, pick) in [("light", 0), ("dark", 1)] {
            let of = |colour: &Colour| if pick == 0 { colour.2 } else { colour.3 };
            let grounds = PALETTE.iter().filter(|colour| colour.1 == Use::Ground);
            // Lines of plots cross the bands and the area of what was answered; no text stands there, but in the bands it could.
            let bands = PALETTE
                .iter()
                .filter(|colour| ["band", "late", "tint"].contains(&colour.0));
            let under: Vec<&Colour> = grounds.chain(bands).collect();
            for colour in PALETTE {
                let least = match colour.1 {
                    Use::Text => 4.5,
                    Use::Sign => 3.0,
                    Use::Ground | Use::Decoration => continue,
                };
                for ground in &under {
                    let found = contrast(of(colour), of(ground));
                    assert!(
                        found >= least,
                        "{scheme}: {} on {} has {found:.2} to 1, and needs {least}",
                        colour.0,
                        ground.0
                    );
                }
            }
        }
    }
}
