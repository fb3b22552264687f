//! Whether themes can be read, by computation: contrast on their ground, and distance in colour vision that lacks a kind of cone.

use ratatui::style::Color;

use super::tables::{COLOUR_BLIND, COLOUR_BLIND_LIGHT, DARK, LIGHT, Row, Table};
use super::{Depth, Role, style};
use crate::tui::record;

/// Red, green and blue, in proportion to light, from 0 to 1.
type Linear = [f64; 3];
type Matrix = [[f64; 3]; 3];

/// The grounds of themes: what their tables say stands on a selection.
const GROUNDS: [(&str, &Table, u32); 4] = [
    ("dark", &DARK, 0x10_16_20),
    ("light", &LIGHT, 0xff_ff_ff),
    ("colour-blind", &COLOUR_BLIND, 0x10_16_20),
    ("colour-blind on light", &COLOUR_BLIND_LIGHT, 0xff_ff_ff),
];

/// Roles of lines, bars and frames; all others are of text.
const GRAPHICS: [Role; 6] = [
    Role::Faint,
    Role::Site,
    Role::Host,
    Role::Way,
    Role::Lookup,
    Role::Median,
];

/// Roles that also stand on the strip at the top.
const ON_THE_STRIP: [Role; 3] = [Role::Good, Role::Warning, Role::Bad];

/// Simulations of colour vision without one kind of cone, on linear RGB: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A
/// Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, severity 1.0.
const VISIONS: [(&str, Matrix); 4] = [
    ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

/// The least distance of two signs in CIELAB. Two patches side by side differ visibly from about 2.3 on; these are small and apart.
const APART: f64 = 20.0;

fn linear(rgb: u32) -> Linear {
    let [_, r, g, b] = rgb.to_be_bytes();
    [r, g, b].map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    })
}

fn times(matrix: &Matrix, color: Linear) -> Linear {
    matrix.map(|row| row.iter().zip(color).map(|(factor, channel)| factor * channel).sum())
}

/// WCAG 2.2, "contrast ratio".
fn contrast(one: u32, other: u32) -> f64 {
    let luminance = |rgb| {
        let [r, g, b] = linear(rgb);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// CIELAB of linear sRGB, white point D65.
fn lab(color: Linear) -> Linear {
    let to_xyz = [
        [0.412_456_4, 0.357_576_1, 0.180_437_5],
        [0.212_672_9, 0.715_152_2, 0.072_175_0],
        [0.019_333_9, 0.119_192_0, 0.950_304_1],
    ];
    let [x, y, z] = times(&to_xyz, color.map(|channel| channel.clamp(0.0, 1.0)));
    let [x, y, z] = [x / 0.950_47, y, z / 1.088_83].map(|share| {
        let knee = 6.0_f64 / 29.0;
        if share > knee.powi(3) {
            share.cbrt()
        } else {
            share / (3.0 * knee * knee) + 4.0 / 29.0
        }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(one: u32, other: u32, vision: &Matrix) -> f64 {
    let [one, other] = [one, other].map(|rgb| lab(times(vision, linear(rgb))));
    let squares = one.iter().zip(other).map(|(a, b)| (a - b) * (a - b));
    squares.sum::<f64>().sqrt()
}

/// Foreground and background of a row as 24 bits; the ground where it has none.
fn colors(row: &Row, depth: Depth, ground: u32) -> (u32, u32) {
    let style = style(row, depth);
    let rgb = |color: Option<Color>| color.and_then(record::rgb);
    (
        rgb(style.fg).expect("a colour of its own"),
        rgb(style.bg).unwrap_or(ground),
    )
}

#[test]
fn contrast_is_that_of_wcag() {
    assert!((contrast(0, 0xff_ff_ff) - 21.0).abs() < 1e-9);
    assert!((contrast(0x76_76_76, 0xff_ff_ff) - 4.54).abs() < 0.005);
    let [lightness, a, b] = lab(linear(0xff_00_00));
    assert!((lightness - 53.24).abs() < 0.02 && (a - 80.09).abs() < 0.05 && (b - 67.20).abs() < 0.05);
}

#[test]
fn text_and_lines_are_seen_on_their_ground() {
    let mut faults: Vec<String> = Vec::new();
    for (name, table, ground) in GROUNDS {
        for (row, depth) in table.iter().flat_map(|row| [(row, Depth::True), (row, Depth::Indexed)]) {
            let (text, behind) = colors(row, depth, ground);
            let least = if GRAPHICS.contains(&row.0) { 3.0 } else { 4.5 };
            let strip = colors(&table[Role::Header as usize], depth, ground).1;
            let grounds = if ON_THE_STRIP.contains(&row.0) {
                vec![behind, strip]
            } else {
                vec![behind]
            };
            for behind in grounds {
                let ratio = contrast(text, behind);
                if ratio < least {
                    faults.push(format!("{name}, {:?} at {depth:?}: {ratio:.2} on {behind:06x}", row.0));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn good_warning_and_bad_are_apart_for_every_eye() {
    let signs = [Role::Good, Role::Warning, Role::Bad];
    for (name, table, ground) in &GROUNDS[2..] {
        for depth in [Depth::True, Depth::Indexed] {
            let [good, warning, bad] = signs.map(|role| colors(&table[role as usize], depth, *ground).0);
            for (vision, matrix) in &VISIONS {
                for (one, other) in [(good, warning), (good, bad), (warning, bad)] {
                    let apart = distance(one, other, matrix);
                    assert!(
                        apart >= APART,
                        "{name}, {depth:?}, {vision}: {one:06x} and {other:06x} are {apart:.1} apart"
                    );
                }
            }
        }
    }
}

#[test]
fn the_usual_colours_are_not_and_so_there_is_another_theme() {
    let [good, bad] = [Role::Good, Role::Bad].map(|role| colors(&DARK[role as usize], Depth::True, 0).0);
    assert!(distance(good, bad, &VISIONS[2].1) < APART);
}
