//! Frames that play: each piece once for each time that it is there.
//!
//! All pieces that come and go together are a group. A group's animation makes it visible for as long as it stays and then hides it; the delay,
//! which is negative, says when in the round that begins. So groups that stay equally long share their keyframes. Without animations (in a
//! viewer that has none, or for people who asked for less motion) the last frame is what is seen.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use ratatui::buffer::Buffer;

use super::super::grid;
use super::super::timing::seconds;
use super::pieces::{Inks, Pieces};

/// A layer: pieces that may lie on each other only in the order of layers.
#[derive(Default)]
struct Layer {
    /// The pieces of each row that are to be seen now, and since when.
    rows: Vec<BTreeMap<String, Duration>>,
    /// Pieces that are gone: from when to when they were there, and what they are.
    gone: BTreeMap<(Duration, Duration), String>,
}

/// Takes frames.
pub(super) struct Film {
    inks: Inks,
    before: Option<Buffer>,
    grounds: Layer,
    signs: Layer,
}

/// All frames, ready to be played.
pub(super) struct Reel {
    /// Classes and keyframes, as CSS.
    pub(super) style: String,
    /// What is behind, as elements.
    pub(super) grounds: String,
    /// What stands on it, as elements.
    pub(super) signs: String,
}

impl Film {
    pub(super) fn new(inks: Inks) -> Film {
        Film {
            inks,
            before: None,
            grounds: Layer::default(),
            signs: Layer::default(),
        }
    }

    /// Takes the frame that is there from a time on.
    pub(super) fn show(&mut self, picture: &Buffer, at: Duration) {
        let width = usize::from(picture.area.width);
        for y in 0..picture.area.height {
            let line = usize::from(y) * width..usize::from(y + 1) * width;
            let before = self.before.as_ref().map(|before| &before.content[line.clone()]);
            if before == Some(&picture.content[line]) {
                continue;
            }
            let pieces = Pieces::of(&grid::row(picture, y), y, &mut self.inks);
            self.grounds.change(usize::from(y), pieces.grounds, at);
            self.signs.change(usize::from(y), pieces.signs, at);
        }
        self.before = Some(picture.clone());
    }

    /// Ends a round that takes so long.
    pub(super) fn end(self, round: Duration) -> Reel {
        let mut lengths = BTreeMap::new();
        let grounds = self.grounds.end(round, &mut lengths);
        let signs = self.signs.end(round, &mut lengths);
        let mut style = self.inks.style();
        style.push_str("g{visibility:hidden}.z{visibility:visible}\n");
        for (length, class) in lengths {
            let share = length.as_nanos() as f64 * 100.0 / round.as_nanos() as f64;
            // Writing to a string cannot fail.
            let _ = write!(
                style,
                ".d{class}{{animation:k{class} {}s step-end infinite}}\n\
                 @keyframes k{class}{{0%{{visibility:visible}}{share:.5}%,to{{visibility:hidden}}}}\n",
                seconds(round)
            );
        }
        style.push_str("@media(prefers-reduced-motion:reduce){g{animation:none!important}}\n");
        Reel { style, grounds, signs }
    }
}

impl Layer {
    /// Takes the pieces that a row has from a time on.
    fn change(&mut self, y: usize, pieces: Vec<String>, at: Duration) {
        if self.rows.len() <= y {
            self.rows.resize_with(y + 1, BTreeMap::new);
        }
        let mut before = std::mem::take(&mut self.rows[y]);
        for piece in pieces {
            let since = before.remove(&piece).unwrap_or(at);
            self.rows[y].insert(piece, since);
        }
        for (piece, since) in before {
            self.leave(&piece, since, at);
        }
    }

    fn leave(&mut self, piece: &str, from: Duration, until: Duration) {
        let group = self.gone.entry((from, until)).or_default();
        group.push_str(piece);
        group.push('\n');
    }

    /// All groups as elements; those that stay equally long get the class of that length.
    fn end(mut self, round: Duration, lengths: &mut BTreeMap<Duration, usize>) -> String {
        for (piece, since) in std::mem::take(&mut self.rows).into_iter().flatten() {
            self.leave(&piece, since, round);
        }
        let mut elements = String::new();
        for ((from, until), pieces) in self.gone {
            let length = until.saturating_sub(from);
            if length == round {
                // What never changes needs no animation.
                elements.push_str(&pieces);
                continue;
            }
            let next = lengths.len();
            let class = *lengths.entry(length).or_insert(next);
            let last = if until == round { " z" } else { "" };
            let delay = if from.is_zero() {
                String::new()
            } else {
                format!(" style=\"animation-delay:-{}s\"", seconds(round.saturating_sub(from)))
            };
            // Writing to a string cannot fail.
            let _ = write!(elements, "<g class=\"d{class}{last}\"{delay}>\n{pieces}</g>\n");
        }
        elements
    }
}
