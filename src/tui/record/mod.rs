//! A recording as pictures, for those who have no terminal at hand: an asciicast that plays, an SVG that stands still, an SVG that plays.
//!
//! - [`Timing`] says which moments are shown, and when
//! - [`Player`] runs the recording again and draws the screen at each of them, as the terminal would have shown it
//! - `asciicast` and `svg` write what was drawn
//!
//! The same recording and the same settings give the same bytes.

mod asciicast;
mod grid;
mod palette;
mod player;
mod shapes;
mod svg;
mod timing;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::theme::{Depth, Name};

#[cfg(test)]
pub(super) use palette::rgb;
pub use player::Player;
pub use timing::{FPS, SPEEDS, THOUSANDTHS, Timing, TooMany};

/// The least and the most columns of a picture.
pub const COLUMNS: (u16, u16) = (20, 500);
/// The least and the most lines of a picture.
pub const LINES: (u16, u16) = (5, 200);

/// The most frames of an asciicast: more than half an hour at 10 a second.
pub const MOST_FRAMES: usize = 20_000;
/// The most frames of an SVG that plays. A browser holds all of them at once.
pub const MOST_ANIMATED: usize = 2_000;

/// What pictures are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// asciicast v2 (<https://docs.asciinema.org/manual/asciicast/v2/>).
    Asciicast,
    /// An SVG of the last moment.
    Still,
    /// An SVG that plays, over and over.
    Animation,
}

impl Form {
    /// The most frames that it may have.
    pub fn most_frames(self) -> usize {
        match self {
            Form::Asciicast => MOST_FRAMES,
            Form::Animation => MOST_ANIMATED,
            Form::Still => 1,
        }
    }
}

/// How the screen looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns and lines.
    pub size: (u16, u16),
    /// The theme, on the ground that it is made for.
    pub theme: Name,
    /// How many colours there are.
    pub depth: Depth,
    /// No sign outside of ASCII.
    pub ascii: bool,
}

/// Draws all that a player has and writes it in a form. `watch` hears of each simulated moment that was reached. Returns how many frames there are.
///
/// # Errors
/// When writing fails.
pub fn write(
    form: Form,
    player: &mut Player,
    out: &mut dyn Write,
    watch: &mut dyn FnMut(Duration),
) -> io::Result<usize> {
    match form {
        Form::Asciicast => asciicast::write(player, out, watch),
        Form::Still => svg::still(player, out, watch),
        Form::Animation => svg::animation(player, out, watch),
    }
}

/// Whether a file holds pictures that were made here, by its first words.
///
/// # Errors
/// When it cannot be read.
pub fn is_in(file: &Path) -> io::Result<bool> {
    let ours = [asciicast::FIRST_WORDS, svg::FIRST_WORDS];
    let most = ours.iter().map(|words| words.len()).max().unwrap_or_default();
    let mut words = Vec::new();
    File::open(file)?.take(most as u64).read_to_end(&mut words)?;
    Ok(ours.iter().any(|ours| words.starts_with(ours.as_bytes())))
}
