//! A picture as a terminal shows it: what a cell's sign covers, and what of its look can be seen.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Modifiers that show on a space too.
pub(super) const ON_SPACES: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED);

/// What is seen at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot<'a> {
    /// The sign, one or two columns wide.
    pub(super) sign: &'a str,
    /// How it looks.
    pub(super) look: Look,
}

/// Colours and modifiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) fg: Color,
    pub(super) bg: Color,
    pub(super) modifier: Modifier,
}

impl Spot<'_> {
    /// Columns.
    pub(super) fn columns(&self) -> usize {
        columns(self.sign)
    }

    /// A space of which nothing but the background is seen.
    pub(super) fn is_blank(&self) -> bool {
        self.sign == " " && self.look.modifier.is_empty()
    }
}

/// What is seen in a row, a column each; nothing where a wide sign reaches over from the left.
pub(super) fn row(buffer: &Buffer, y: u16) -> Vec<Option<Spot<'_>>> {
    let width = usize::from(buffer.area.width);
    let cells = &buffer.content[usize::from(y) * width..][..width];
    let mut covered = false;
    let seen = cells.iter().enumerate().map(|(x, cell)| {
        if std::mem::take(&mut covered) {
            return None;
        }
        let wide = columns(cell.symbol()) == 2;
        covered = wide && x + 1 < width;
        // A terminal has no halves of wide signs.
        let sign = if cell.symbol().is_empty() || wide && !covered {
            " "
        } else {
            cell.symbol()
        };
        Some(spot(sign, cell))
    });
    seen.collect()
}

fn spot<'a>(sign: &'a str, cell: &Cell) -> Spot<'a> {
    let mut look = Look {
        fg: cell.fg,
        bg: cell.bg,
        modifier: cell.modifier,
    };
    if sign == " " && !look.modifier.intersects(ON_SPACES) {
        look.fg = Color::Reset;
        look.modifier = Modifier::empty();
    }
    Spot { sign, look }
}

fn columns(sign: &str) -> usize {
    UnicodeWidthStr::width(sign)
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn a_wide_sign_covers_two_columns_and_half_of_one_is_nothing() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer[(0, 0)].set_symbol("日");
        buffer[(1, 0)].set_symbol("x");
        buffer[(2, 0)].set_symbol("");
        buffer[(3, 0)].set_symbol("本");
        let signs: Vec<Option<&str>> = row(&buffer, 0)
            .into_iter()
            .map(|spot| spot.map(|spot| spot.sign))
            .collect();
        assert_eq!(signs, [Some("日"), None, Some(" "), Some(" ")]);
    }

    #[test]
    fn the_colour_of_a_space_is_not_seen() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
        buffer[(0, 0)].set_style(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        let row = row(&buffer, 0);
        assert_eq!(row[0], row[1]);
    }
}
