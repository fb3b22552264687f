//! Signs that are drawn rather than written: lines of boxes, blocks, dots and arrows meet at the edges of their cells whatever the font.
//!
//! A cell is [`WIDE`] x [`HIGH`] units. Thin lines are 2 wide, thick ones 6; both run through the middle.

use std::fmt::Write;

/// Units in the width of a cell.
pub(super) const WIDE: usize = 20;
/// Units in the height of a cell.
pub(super) const HIGH: usize = 40;

/// x, y, width, height.
type Rect = [usize; 4];

/// A drawing of several cells.
#[derive(Default)]
pub(super) struct Sketch {
    rects: Vec<Rect>,
    rest: String,
}

/// Lines from the middle to the edges: north 1, east 2, south 4, west 8; thin ones, thick ones.
const ARMS: &[(char, u8, u8)] = &[
    ('─', 10, 0),
    ('│', 5, 0),
    ('┌', 6, 0),
    ('┐', 12, 0),
    ('└', 3, 0),
    ('┘', 9, 0),
    ('├', 7, 0),
    ('┤', 13, 0),
    ('┬', 14, 0),
    ('┴', 11, 0),
    ('┼', 15, 0),
    ('━', 0, 10),
    ('┃', 0, 5),
    ('┏', 0, 6),
    ('┓', 0, 12),
    ('┗', 0, 3),
    ('┛', 0, 9),
    ('┣', 0, 7),
    ('┫', 0, 13),
    ('┳', 0, 14),
    ('┻', 0, 11),
    ('╋', 0, 15),
    ('╸', 0, 8),
    ('┝', 5, 2),
];

/// Signs of rectangles.
const RECTS: &[(char, &[Rect])] = &[
    ('═', &[[0, 16, 20, 2], [0, 22, 20, 2]]),
    ('║', &[[6, 0, 2, 40], [12, 0, 2, 40]]),
    ('╔', &[[6, 16, 14, 2], [6, 16, 2, 24], [12, 22, 8, 2], [12, 22, 2, 18]]),
    ('╗', &[[0, 16, 14, 2], [12, 16, 2, 24], [0, 22, 8, 2], [6, 22, 2, 18]]),
    ('╚', &[[6, 0, 2, 24], [6, 22, 14, 2], [12, 0, 2, 18], [12, 16, 8, 2]]),
    ('╝', &[[12, 0, 2, 24], [0, 22, 14, 2], [6, 0, 2, 18], [0, 16, 8, 2]]),
    (
        '╠',
        &[
            [6, 0, 2, 40],
            [12, 0, 2, 18],
            [12, 16, 8, 2],
            [12, 22, 2, 18],
            [12, 22, 8, 2],
        ],
    ),
    (
        '╣',
        &[
            [12, 0, 2, 40],
            [6, 0, 2, 18],
            [0, 16, 8, 2],
            [6, 22, 2, 18],
            [0, 22, 8, 2],
        ],
    ),
    ('╟', &[[6, 0, 2, 40], [12, 0, 2, 40], [14, 19, 6, 2]]),
    ('╢', &[[6, 0, 2, 40], [12, 0, 2, 40], [0, 19, 6, 2]]),
    ('╪', &[[0, 16, 20, 2], [0, 22, 20, 2], [9, 0, 2, 40]]),
    ('╫', &[[6, 0, 2, 40], [12, 0, 2, 40], [0, 19, 20, 2]]),
    ('╌', &[[1, 19, 7, 2], [11, 19, 7, 2]]),
    ('┈', &[[1, 19, 3, 2], [6, 19, 3, 2], [11, 19, 3, 2], [16, 19, 3, 2]]),
    ('┉', &[[1, 17, 3, 6], [6, 17, 3, 6], [11, 17, 3, 6], [16, 17, 3, 6]]),
    ('╎', &[[9, 2, 2, 16], [9, 22, 2, 16]]),
    ('┆', &[[9, 2, 2, 9], [9, 16, 2, 9], [9, 29, 2, 9]]),
    ('┊', &[[9, 2, 2, 6], [9, 12, 2, 6], [9, 22, 2, 6], [9, 32, 2, 6]]),
    ('┋', &[[7, 2, 6, 6], [7, 12, 6, 6], [7, 22, 6, 6], [7, 32, 6, 6]]),
    ('▁', &[[0, 35, 20, 5]]),
    ('▂', &[[0, 30, 20, 10]]),
    ('▃', &[[0, 25, 20, 15]]),
    ('▄', &[[0, 20, 20, 20]]),
    ('▅', &[[0, 15, 20, 25]]),
    ('▆', &[[0, 10, 20, 30]]),
    ('▇', &[[0, 5, 20, 35]]),
    ('█', &[[0, 0, 20, 40]]),
    ('░', &[[0, 0, 20, 40]]),
    ('▒', &[[0, 0, 20, 40]]),
    ('▓', &[[0, 0, 20, 40]]),
    ('▀', &[[0, 0, 20, 20]]),
    ('▐', &[[10, 0, 10, 40]]),
    ('■', &[[3, 13, 14, 14]]),
    ('‖', &[[5, 7, 3, 26], [12, 7, 3, 26]]),
    ('⏸', &[[3, 10, 5, 20], [12, 10, 5, 20]]),
];

/// Signs of paths: where each begins, and how it goes on from there.
const PATHS: &[(char, usize, usize, &str)] = &[
    ('╭', 9, 40, "v-10a11 11 0 0 1 11-11v2a9 9 0 0 0-9 9v10z"),
    ('╮', 0, 19, "a11 11 0 0 1 11 11v10h-2v-10a9 9 0 0 0-9-9z"),
    ('╰', 9, 0, "v10a11 11 0 0 0 11 11v-2a9 9 0 0 1-9-9v-10z"),
    ('╯', 11, 0, "v10a11 11 0 0 1-11 11v-2a9 9 0 0 0 9-9v-10z"),
    ('▶', 2, 10, "l16 10-16 10z"),
    ('◀', 18, 10, "v20l-16-10z"),
    ('▲', 10, 11, "l9 18h-18z"),
    ('▼', 10, 29, "l-9-18h18z"),
    ('▸', 5, 13, "l10 7-10 7z"),
    ('◂', 15, 13, "v14l-10-7z"),
    ('◆', 10, 11, "l8 9-8 9-8-9z"),
    ('●', 3, 20, "a7 7 0 1 0 14 0a7 7 0 1 0-14 0z"),
    ('•', 6, 20, "a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"),
    (
        '○',
        3,
        20,
        "a7 7 0 1 0 14 0a7 7 0 1 0-14 0zm2 0a5 5 0 1 1 10 0a5 5 0 1 1-10 0z",
    ),
    ('✖', 3, 15, "l3-3 4 5 4-5 3 3-4 5 4 5-3 3-4-5-4 5-3-3 4-5z"),
    ('╱', 0, 40, "v-2l18-38h2v2l-18 38z"),
];

/// How much of a sign's colour shows, if not all.
pub(super) fn opacity(sign: char) -> Option<&'static str> {
    match sign {
        '░' => Some(".25"),
        '▒' => Some(".5"),
        '▓' => Some(".75"),
        _ => None,
    }
}

/// Whether a sign is drawn rather than written.
pub(super) fn is_drawn(sign: char) -> bool {
    matches!(sign, '\u{2800}'..='\u{28ff}')
        || ARMS.iter().any(|row| row.0 == sign)
        || RECTS.iter().any(|row| row.0 == sign)
        || PATHS.iter().any(|row| row.0 == sign)
}

impl Sketch {
    /// Draws a sign into the cell whose upper left corner is at (x, y).
    pub(super) fn draw(&mut self, sign: char, x: usize, y: usize) {
        if let Some((_, thin, thick)) = ARMS.iter().find(|row| row.0 == sign) {
            self.arms(x, y, *thin, 2);
            self.arms(x, y, *thick, 6);
        } else if let Some((_, rects)) = RECTS.iter().find(|row| row.0 == sign) {
            for [left, top, width, height] in *rects {
                self.rect([x + left, y + top, *width, *height]);
            }
        } else if let Some((_, left, top, path)) = PATHS.iter().find(|row| row.0 == sign) {
            // Writing to a string cannot fail.
            let _ = write!(self.rest, "M{} {}{path}", x + left, y + top);
        } else {
            self.braille(u32::from(sign) & 0xff, x, y);
        }
    }

    fn arms(&mut self, x: usize, y: usize, arms: u8, thick: usize) {
        let (left, top) = ((WIDE - thick) / 2, (HIGH - thick) / 2);
        let (right, bottom) = (left + thick, top + thick);
        match arms & 0b0101 {
            0b0101 => self.rect([x + left, y, thick, HIGH]),
            1 => self.rect([x + left, y, thick, bottom]),
            4 => self.rect([x + left, y + top, thick, HIGH - top]),
            _ => {}
        }
        match arms & 0b1010 {
            0b1010 => self.rect([x, y + top, WIDE, thick]),
            2 => self.rect([x + left, y + top, WIDE - left, thick]),
            8 => self.rect([x, y + top, right, thick]),
            _ => {}
        }
    }

    /// The eight dots of a cell: 1, 2, 3, 7 to the left, 4, 5, 6, 8 to the right.
    fn braille(&mut self, dots: u32, x: usize, y: usize) {
        for (bit, (left, top)) in [(3, 3), (3, 13), (3, 23), (13, 3), (13, 13), (13, 23), (3, 33), (13, 33)]
            .into_iter()
            .enumerate()
        {
            if dots >> bit & 1 == 1 {
                self.rect([x + left, y + top, 4, 4]);
            }
        }
    }

    /// Adds a rectangle; one that goes on where another ends makes it longer.
    fn rect(&mut self, [x, y, width, height]: Rect) {
        let before = self.rects.iter_mut().rev().take(4);
        let mut ending = before.filter(|rect| rect[0] + rect[2] == x && rect[1] == y && rect[3] == height);
        match ending.next() {
            Some(rect) => rect[2] += width,
            None => self.rects.push([x, y, width, height]),
        }
    }

    /// The drawing as the data of an SVG path.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for [x, y, width, height] in &self.rects {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
        }
        path + &self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::glyph;

    #[test]
    fn lines_and_loads_of_the_map_are_drawn() {
        let tables = [
            &glyph::RAMP[..],
            &glyph::LEVEL,
            &glyph::BAR,
            &glyph::PIPE,
            &glyph::HEADS,
        ];
        let lines = [glyph::THIN, glyph::THICK, glyph::DOTTED, glyph::SPARSE, glyph::HEAVY];
        let lines = lines.iter().flatten().filter(|sign| **sign != '·');
        for sign in tables.into_iter().flatten().chain(lines) {
            assert!(is_drawn(*sign), "{sign}");
        }
        assert!(!is_drawn('a') && !is_drawn('·') && !is_drawn(' '));
    }

    #[test]
    fn nothing_leaves_its_cell() {
        for sign in ARMS.iter().map(|row| row.0).chain(RECTS.iter().map(|row| row.0)) {
            let mut sketch = Sketch::default();
            sketch.draw(sign, 0, 0);
            let inside = |rect: &Rect| rect[0] + rect[2] <= WIDE && rect[1] + rect[3] <= HIGH;
            assert!(!sketch.rects.is_empty() && sketch.rects.iter().all(inside), "{sign}");
        }
    }

    #[test]
    fn a_line_is_one_rectangle() {
        let mut sketch = Sketch::default();
        for cell in 0..5 {
            sketch.draw('═', cell * WIDE, 0);
        }
        assert_eq!(sketch.path(), "M0 16h100v2h-100zM0 22h100v2h-100z");
    }
}
