//! SVG: a still, or frames that play by CSS alone. The file needs nothing beside it.
//!
//! A row falls into pieces: backgrounds, words of one look, drawn signs of one look. Each `<text>` says where it begins and how wide it is, so
//! that any monospace font fits the grid. Where frames play, a piece that stays is in the file once, and is visible for as long as it stays.

mod animation;
mod pieces;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use ratatui::layout::Rect;

use super::grid;
use super::palette::Rgb;
use super::player::Player;
use super::shapes::{HIGH, WIDE};

use animation::Film;
use pieces::{Inks, Pieces};

/// What every SVG begins with that was made here.
pub(super) const FIRST_WORDS: &str = "<!-- A screen of blastradius. -->\n<svg ";

/// Between the screen and the edge of the picture, in units.
const MARGIN: usize = 24;

/// Units in a pixel of the picture's natural size.
const UNITS: usize = 2;

/// How long the last frame stays before all begins again.
const PAUSE: Duration = Duration::from_secs(2);

/// The fonts that are tried. A figure of each is 0.6 em wide, or a little more.
const FONTS: &str =
    "ui-monospace,'SF Mono',Menlo,'DejaVu Sans Mono','Liberation Mono',Consolas,'Courier New',monospace";

/// The size of the font, so that 0.6 em are the width of a cell.
const FONT_SIZE: &str = "33.3";

/// The distance from the top of a cell to the line on which letters stand.
const BASELINE: usize = 31;

/// Draws all that a player has and writes the last frame.
pub(super) fn still(player: &mut Player, out: &mut dyn Write, watch: &mut dyn FnMut(Duration)) -> io::Result<usize> {
    while player.advance(watch).is_some() {}
    let mut inks = Inks::new(player.ground());
    let mut all = Pieces::default();
    let area = player.picture().area;
    for y in 0..area.height {
        let row = Pieces::of(&grid::row(player.picture(), y), y, &mut inks);
        all.grounds.extend(row.grounds);
        all.signs.extend(row.signs);
    }
    let style = inks.style();
    write_document(out, (player.title(), player.ground().night), area, &style, |out| {
        write!(out, "{}\n{}\n", all.grounds.join("\n"), all.signs.join("\n"))
    })?;
    Ok(1)
}

/// Writes all frames of a player.
pub(super) fn animation(
    player: &mut Player,
    out: &mut dyn Write,
    watch: &mut dyn FnMut(Duration),
) -> io::Result<usize> {
    let mut film = Film::new(Inks::new(player.ground()));
    let mut frames = 0;
    let mut end = Duration::ZERO;
    while let Some(at) = player.advance(watch) {
        film.show(player.picture(), at);
        end = at;
        frames += 1;
    }
    let reel = film.end(end + PAUSE);
    let about = (player.title(), player.ground().night);
    write_document(out, about, player.picture().area, &reel.style, |out| {
        write!(out, "{}{}", reel.grounds, reel.signs)
    })?;
    Ok(frames)
}

/// Writes what is around the pieces.
fn write_document(
    out: &mut dyn Write,
    (title, night): (&str, Rgb),
    area: Rect,
    style: &str,
    body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let width = usize::from(area.width) * WIDE + 2 * MARGIN;
    let height = usize::from(area.height) * HIGH + 2 * MARGIN;
    let (natural_width, natural_height) = (width / UNITS, height / UNITS);
    let title = escaped(title);
    write!(
        out,
        "{FIRST_WORDS}xmlns=\"http://www.w3.org/2000/svg\" width=\"{natural_width}\" height=\"{natural_height}\" \
         viewBox=\"-{MARGIN} -{MARGIN} {width} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <title>{title}</title>\n\
         <style>text{{font:{FONT_SIZE}px {FONTS};white-space:pre}}\n{style}</style>\n\
         <rect x=\"-{MARGIN}\" y=\"-{MARGIN}\" width=\"{width}\" height=\"{height}\" rx=\"16\" fill=\"#{night:06x}\"/>\n"
    )?;
    body(out)?;
    writeln!(out, "</svg>")
}

/// A text as XML may hold it (<https://www.w3.org/TR/xml/#charsets>), in an element or an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            _ if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_leave_its_place() {
        assert_eq!(escaped("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
        assert_eq!(escaped("\u{1b}\u{ffff}\n"), "\\u{1b}\\u{ffff}\\u{a}");
        assert_eq!(escaped("日本 é"), "日本 é");
    }
}
