//! asciicast v2: a line of JSON for the head, then one for each event (<https://docs.asciinema.org/manual/asciicast/v2/>).
//!
//! The first event draws the whole screen, each later one only the cells that differ. There is no time of day in the file.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use serde::Serialize;

use super::grid::{self, Look, ON_SPACES, Spot};
use super::palette::{self, Ground, Rgb};
use super::player::Player;
use super::timing::seconds;

/// What every asciicast begins with that was made here.
pub(super) const FIRST_WORDS: &str = r#"{"version":2,"command":"blastradius cast","#;

/// Hides the cursor, and clears the screen.
const BEGINNING: &str = "\x1b[?25l\x1b[0m\x1b[2J\x1b[H";

/// So many cells that have not changed are written again rather than passed over: a way past them in JSON takes as many bytes.
const WRITTEN_AGAIN: usize = 9;

/// The head, its fields in the order in which they are written.
#[derive(Serialize)]
struct Head<'a> {
    version: u32,
    command: &'a str,
    width: u16,
    height: u16,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<Colors>,
}

/// The colours of the terminal for players, where theirs may be too dark for what is drawn.
#[derive(Serialize)]
struct Colors {
    fg: String,
    bg: String,
    palette: String,
}

impl Colors {
    /// Those of a light ground; none of a dark one, which is what players have.
    fn of(ground: Ground) -> Option<Colors> {
        let hex = |rgb: Rgb| format!("#{rgb:06x}");
        (ground.night > ground.ink).then(|| Colors {
            fg: hex(ground.ink),
            bg: hex(ground.night),
            palette: palette::SIXTEEN.map(hex).join(":"),
        })
    }
}

/// Writes all frames, and a marker for each command and each chapter. Returns how many frames there are.
pub(super) fn write(player: &mut Player, out: &mut dyn Write, watch: &mut dyn FnMut(Duration)) -> io::Result<usize> {
    let area = player.picture().area;
    let head = Head {
        version: 2,
        command: "blastradius cast",
        width: area.width,
        height: area.height,
        title: player.title(),
        theme: Colors::of(player.ground()),
    };
    writeln!(out, "{}", json(&head)?)?;
    let mut markers = player.markers().into_iter().peekable();
    let mut before = Buffer::empty(area);
    let mut pen = Pen::default();
    let mut frames = 0;
    while let Some(at) = player.advance(watch) {
        let mut text = pen.changes(&before, player.picture());
        if frames == 0 {
            text.insert_str(0, BEGINNING);
        }
        // The last one is there even if it is empty: the recording ends with it.
        if !text.is_empty() || player.to_come() == 0 {
            event(out, at, 'o', &text)?;
        }
        // What a marker is about is seen where it stands.
        while let Some((at, words)) = markers.next_if(|(marked, _)| *marked <= at) {
            event(out, at, 'm', &words)?;
        }
        before.clone_from(player.picture());
        frames += 1;
    }
    Ok(frames)
}

fn event(out: &mut dyn Write, at: Duration, kind: char, text: &str) -> io::Result<()> {
    writeln!(out, "[{},\"{kind}\",{}]", seconds(at), json(text)?)
}

fn json<T: Serialize + ?Sized>(value: &T) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::other)
}

/// A pen on a terminal: where it stands, and how it writes.
#[derive(Default)]
struct Pen {
    place: Option<(usize, u16)>,
    look: Look,
    text: String,
}

impl Pen {
    /// What turns one picture into another.
    fn changes(&mut self, before: &Buffer, after: &Buffer) -> String {
        let width = usize::from(after.area.width);
        for y in 0..after.area.height {
            let line = usize::from(y) * width..usize::from(y + 1) * width;
            if before.content[line.clone()] == after.content[line] {
                continue;
            }
            let (old, new) = (grid::row(before, y), grid::row(after, y));
            for (x, spot) in new.iter().enumerate() {
                if let Some(spot) = spot.filter(|spot| old[x] != Some(*spot)) {
                    self.go(x, y, &new);
                    self.put(spot, width);
                }
            }
        }
        std::mem::take(&mut self.text)
    }

    /// Goes to a place, the shortest way.
    fn go(&mut self, x: usize, y: u16, row: &[Option<Spot>]) {
        let ahead = self.place.filter(|(from, line)| *line == y && *from <= x);
        let Some((from, _)) = ahead else {
            // Writing to a string cannot fail, here and below.
            let _ = match x {
                0 => write!(self.text, "\x1b[{}H", y + 1),
                _ => write!(self.text, "\x1b[{};{}H", y + 1, x + 1),
            };
            self.place = Some((x, y));
            return;
        };
        let between = &row[from..x];
        let same = |spot: &Option<Spot>| spot.is_some_and(|spot| spot.sign.is_ascii() && self.writes(spot));
        if between.len() <= WRITTEN_AGAIN && between.iter().all(same) {
            self.text.extend(between.iter().flatten().map(|spot| spot.sign));
        } else {
            let _ = write!(self.text, "\x1b[{}C", between.len());
        }
        self.place = Some((x, y));
    }

    /// Whether a sign looks as it should without a change of the pen.
    fn writes(&self, spot: Spot) -> bool {
        if spot.is_blank() {
            spot.look.bg == self.look.bg && !self.look.modifier.intersects(ON_SPACES)
        } else {
            spot.look == self.look
        }
    }

    fn put(&mut self, spot: Spot, width: usize) {
        if !self.writes(spot) {
            let mut look = spot.look;
            if spot.is_blank() {
                // What is not seen on a space stays as it is.
                look.fg = self.look.fg;
                look.modifier = self.look.modifier.difference(ON_SPACES);
            }
            self.turn(look);
        }
        self.text.push_str(spot.sign);
        // Behind the last column terminals differ.
        let next = self.place.map(|(x, y)| (x + spot.columns(), y));
        self.place = next.filter(|(x, _)| *x < width);
    }

    /// Changes how the pen writes, by what differs alone (SGR of ECMA-48, 8.3.117).
    fn turn(&mut self, look: Look) {
        let mut codes: Vec<String> = Vec::new();
        let lost = self.look.modifier.difference(look.modifier);
        let mut kept = self.look.modifier.intersection(look.modifier);
        let weights = Modifier::BOLD | Modifier::DIM;
        for (modifiers, code) in [
            (weights, "22"),
            (Modifier::UNDERLINED, "24"),
            (Modifier::REVERSED, "27"),
        ] {
            if lost.intersects(modifiers) {
                codes.push(code.to_string());
                kept.remove(modifiers);
            }
        }
        let gained = look.modifier.difference(kept);
        for (modifier, code) in [
            (Modifier::BOLD, "1"),
            (Modifier::DIM, "2"),
            (Modifier::UNDERLINED, "4"),
            (Modifier::REVERSED, "7"),
        ] {
            if gained.contains(modifier) {
                codes.push(code.to_string());
            }
        }
        if look.fg != self.look.fg {
            codes.push(color(look.fg, 30));
        }
        if look.bg != self.look.bg {
            codes.push(color(look.bg, 40));
        }
        self.look = look;
        if !codes.is_empty() {
            let _ = write!(self.text, "\x1b[{}m", codes.join(";"));
        }
    }
}

/// The code of a colour; `base` is 30 for what is written, 40 for what is behind it.
fn color(color: Color, base: u8) -> String {
    match color {
        Color::Reset => (base + 9).to_string(),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        named => {
            let number = palette::number(named);
            let code = if number < 8 {
                base + number
            } else {
                base + 60 + number - 8
            };
            code.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn picture(words: &str, style: Style) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 2));
        buffer.set_string(0, 1, words, style);
        buffer
    }

    #[test]
    fn only_what_differs_is_written() {
        let red = Style::new().fg(Color::Red);
        let blank = Buffer::empty(Rect::new(0, 0, 30, 2));
        let mut pen = Pen::default();
        let one = picture("one two", red);
        assert_eq!(pen.changes(&blank, &one), "\x1b[2H\x1b[31mone two");
        assert_eq!(pen.changes(&one, &one), "");
        let other = picture("one twelve, and so on", red);
        assert_eq!(pen.changes(&one, &other), "\x1b[2;7Helve, and so on");
        let end = picture("ONE twelve, and so ON", red);
        assert_eq!(
            pen.changes(&other, &end),
            "\x1b[2HONE\x1b[16CON",
            "a long way is passed over"
        );
        let near = picture("OnE tWelve, and so ON", red);
        assert_eq!(
            pen.changes(&end, &near),
            "\x1b[2;2HnE tW",
            "a short way is written again"
        );
    }

    #[test]
    fn a_look_changes_by_what_differs() {
        let mut pen = Pen::default();
        let look = |fg, modifier| Look {
            fg,
            modifier,
            ..Look::default()
        };
        let mut turned = |look| {
            pen.turn(look);
            std::mem::take(&mut pen.text)
        };
        assert_eq!(turned(look(Color::LightRed, Modifier::BOLD)), "\x1b[1;91m");
        assert_eq!(turned(look(Color::LightRed, Modifier::DIM)), "\x1b[22;2m");
        assert_eq!(turned(look(Color::Rgb(1, 2, 3), Modifier::DIM)), "\x1b[38;2;1;2;3m");
        assert_eq!(turned(look(Color::Reset, Modifier::empty())), "\x1b[22;39m");
        assert_eq!(turned(look(Color::Reset, Modifier::empty())), "");
    }
}
