//! The pieces of a row, and the looks that they have.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::style::Modifier;

use super::super::grid::{Look, Spot};
use super::super::palette::{Ground, Rgb, rgb};
use super::super::shapes::{self, HIGH, Sketch, WIDE};
use super::{BASELINE, escaped};

/// What a piece is filled with, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ink {
    rgb: Rgb,
    bold: bool,
    dim: bool,
    underlined: bool,
}

/// The inks that were used, each with a class of its own.
#[derive(Clone, Debug)]
pub(super) struct Inks {
    ground: Ground,
    classes: BTreeMap<Ink, usize>,
}

/// The elements of a row: what is behind, and what stands on it.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) grounds: Vec<String>,
    pub(super) signs: Vec<String>,
}

/// What one element can hold of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing is to be seen.
    Nothing,
    /// Words in an ink.
    Words(Ink),
    /// Drawn signs in an ink, with so much of it.
    Drawn(Ink, Option<&'static str>),
    /// One sign that a font may have in any width.
    Sign(Ink),
}

impl Inks {
    pub(super) fn new(ground: Ground) -> Inks {
        Inks {
            ground,
            classes: BTreeMap::new(),
        }
    }

    fn class(&mut self, ink: Ink) -> usize {
        let next = self.classes.len();
        *self.classes.entry(ink).or_insert(next)
    }

    /// What is behind a spot, if it is not what is behind everything.
    fn behind(&self, look: Look) -> Option<Rgb> {
        if look.modifier.contains(Modifier::REVERSED) {
            Some(rgb(look.fg).unwrap_or(self.ground.ink))
        } else {
            rgb(look.bg)
        }
    }

    fn ink(&self, look: Look) -> Ink {
        let color = if look.modifier.contains(Modifier::REVERSED) {
            rgb(look.bg).unwrap_or(self.ground.night)
        } else {
            rgb(look.fg).unwrap_or(self.ground.ink)
        };
        Ink {
            rgb: color,
            bold: look.modifier.contains(Modifier::BOLD),
            dim: look.modifier.contains(Modifier::DIM),
            underlined: look.modifier.contains(Modifier::UNDERLINED),
        }
    }

    /// The classes as CSS, in the order in which they came.
    pub(super) fn style(&self) -> String {
        let mut inks: Vec<(&Ink, &usize)> = self.classes.iter().collect();
        inks.sort_by_key(|(_, class)| **class);
        let mut css = String::new();
        for (ink, class) in inks {
            // Writing to a string cannot fail.
            let _ = write!(css, ".c{class}{{fill:#{:06x}", ink.rgb);
            for (is, rule) in [
                (ink.bold, ";font-weight:700"),
                (ink.dim, ";fill-opacity:.6"),
                (ink.underlined, ";text-decoration:underline"),
            ] {
                css.push_str(if is { rule } else { "" });
            }
            css.push_str("}\n");
        }
        css
    }
}

impl Pieces {
    /// The pieces of a row.
    pub(super) fn of(row: &[Option<Spot>], y: u16, inks: &mut Inks) -> Pieces {
        let top = usize::from(y) * HIGH;
        let mut pieces = Pieces::default();
        pieces.add_grounds(row, top, inks);
        let mut x = 0;
        while x < row.len() {
            let kind = kind(row[x], inks);
            let length = match kind {
                Kind::Nothing => 1,
                Kind::Words(_) => words(&row[x..], kind, inks),
                Kind::Drawn(..) => row[x..]
                    .iter()
                    .take_while(|spot| kind == self::kind(**spot, inks))
                    .count(),
                Kind::Sign(_) => row[x].map_or(1, |spot| spot.columns()),
            };
            let part = &row[x..(x + length).min(row.len())];
            pieces.signs.extend(element(part, kind, x * WIDE, top, inks));
            x += length.max(1);
        }
        pieces
    }

    fn add_grounds(&mut self, row: &[Option<Spot>], top: usize, inks: &mut Inks) {
        let behind = |spot: &Option<Spot>| spot.map(|spot| inks.behind(spot.look));
        let mut last = None;
        // A column that a wide sign covers has the background of that sign.
        let colors = row.iter().map(|spot| {
            last = behind(spot).unwrap_or(last);
            last
        });
        let colors: Vec<Option<Rgb>> = colors.collect();
        let mut x = 0;
        for run in colors.chunk_by(|one, next| one == next) {
            if let Some(rgb) = run[0] {
                let ink = Ink {
                    rgb,
                    bold: false,
                    dim: false,
                    underlined: false,
                };
                let (class, left, width) = (inks.class(ink), x * WIDE, run.len() * WIDE);
                self.grounds.push(format!(
                    "<path class=\"c{class}\" d=\"M{left} {top}h{width}v{HIGH}h-{width}z\"/>"
                ));
            }
            x += run.len();
        }
    }
}

fn kind(spot: Option<Spot>, inks: &Inks) -> Kind {
    let Some(spot) = spot else { return Kind::Nothing };
    let underlined = spot.look.modifier.contains(Modifier::UNDERLINED);
    if spot.sign.trim().is_empty() && !underlined {
        return Kind::Nothing;
    }
    let ink = inks.ink(spot.look);
    let mut signs = spot.sign.chars();
    match (signs.next(), signs.next()) {
        (Some(sign), None) if shapes::is_drawn(sign) => Kind::Drawn(ink, shapes::opacity(sign)),
        (Some(sign), None) if in_any_font(sign) => Kind::Words(ink),
        _ => Kind::Sign(ink),
    }
}

/// Whether a monospace font has a sign in the width of its other ones.
fn in_any_font(sign: char) -> bool {
    matches!(sign, ' '..='~' | '\u{a1}'..='\u{17f}' | '–' | '—' | '…' | '•')
}

/// How far words of one ink reach: over single spaces, not over wider gaps, so that columns of a table are pieces of their own.
fn words(row: &[Option<Spot>], kind: Kind, inks: &Inks) -> usize {
    let goes_on = |x: usize| {
        let here = row.get(x).map(|spot| self::kind(*spot, inks));
        here == Some(kind)
    };
    let mut length = 1;
    loop {
        if goes_on(length) {
            length += 1;
        } else if row.get(length).is_some_and(Option::is_some)
            && self::kind(row[length], inks) == Kind::Nothing
            && goes_on(length + 1)
        {
            length += 2;
        } else {
            return length;
        }
    }
}

/// The element of a part of a row whose upper left corner is at (left, top).
fn element(part: &[Option<Spot>], kind: Kind, left: usize, top: usize, inks: &mut Inks) -> Option<String> {
    let signs: String = part.iter().flatten().map(|spot| spot.sign).collect();
    let (baseline, width) = (top + BASELINE, part.len() * WIDE);
    let text = |class: usize, stretch: &str| {
        let words = escaped(&signs);
        format!("<text class=\"c{class}\" x=\"{left}\" y=\"{baseline}\"{stretch}>{words}</text>")
    };
    Some(match kind {
        Kind::Nothing => return None,
        Kind::Words(ink) if part.len() == 1 => text(inks.class(ink), ""),
        Kind::Words(ink) => text(inks.class(ink), &format!(" textLength=\"{width}\"")),
        Kind::Sign(ink) => text(
            inks.class(ink),
            &format!(" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\""),
        ),
        Kind::Drawn(ink, opacity) => {
            let mut sketch = Sketch::default();
            for (cell, sign) in signs.chars().enumerate() {
                sketch.draw(sign, left + cell * WIDE, top);
            }
            let opacity = opacity.map_or(String::new(), |opacity| format!(" opacity=\"{opacity}\""));
            format!(
                "<path class=\"c{}\"{opacity} d=\"{}\"/>",
                inks.class(ink),
                sketch.path()
            )
        }
    })
}
