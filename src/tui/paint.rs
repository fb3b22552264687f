//! A brush: puts text into cells within a clip, and nothing beyond it.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use unicode_width::UnicodeWidthChar;

use super::text;
use super::theme::{Role, Theme};

/// What drawing needs: the cells, the styles, and the area that may be drawn on.
pub struct Painter<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    clip: Rect,
}

/// Gives a cell a style and leaves nothing of the one before.
fn set(cell: &mut Cell, style: Style) -> &mut Cell {
    cell.fg = style.fg.unwrap_or(Color::Reset);
    cell.bg = style.bg.unwrap_or(Color::Reset);
    cell.modifier = style.add_modifier;
    cell
}

impl<'a> Painter<'a> {
    /// A brush for the whole buffer.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Painter<'a> {
        let clip = buffer.area;
        Painter { buffer, theme, clip }
    }

    /// A brush for a part of this one's area.
    pub fn within(&mut self, area: Rect) -> Painter<'_> {
        Painter {
            clip: self.clip.intersection(area),
            buffer: self.buffer,
            theme: self.theme,
        }
    }

    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Puts a sign into one cell.
    pub fn put(&mut self, x: u16, y: u16, sign: char, role: Role) {
        if self.clip.contains((x, y).into()) {
            let style = self.theme.style(role);
            set(&mut self.buffer[(x, y)], style).set_char(sign);
        }
    }

    /// The sign in a cell, a space outside of the clip.
    pub fn sign(&self, x: u16, y: u16) -> char {
        if self.clip.contains((x, y).into()) {
            self.buffer[(x, y)].symbol().chars().next().unwrap_or(' ')
        } else {
            ' '
        }
    }

    /// Changes the look of cells and leaves their signs.
    pub fn tint(&mut self, area: Rect, role: Role) {
        let style = self.theme.style(role);
        self.buffer.set_style(self.clip.intersection(area), style);
    }

    /// Empties cells.
    pub fn clear(&mut self, area: Rect) {
        let area = self.clip.intersection(area);
        for position in area.positions() {
            self.buffer[position].reset();
        }
    }

    /// Writes a text from (x, y) on, cut with an ellipsis after `max` columns. Returns the columns used.
    pub fn text(&mut self, x: u16, y: u16, max: u16, words: &str, role: Role) -> u16 {
        let words = text::printable(words);
        let words = text::clip(&words, max);
        let style = self.theme.style(role);
        let mut used = 0;
        for c in words.chars() {
            let wide = UnicodeWidthChar::width(c).unwrap_or(0) as u16;
            let at = x.saturating_add(used);
            if wide > 0 && self.clip.contains((at, y).into()) && at.saturating_add(wide) <= self.clip.right() {
                set(&mut self.buffer[(at, y)], style).set_char(c);
                if wide == 2 {
                    set(&mut self.buffer[(at + 1, y)], style).set_symbol("");
                }
            }
            used += wide;
        }
        used
    }

    /// Writes a text that ends before column `right`. Returns the column where it begins.
    pub fn text_right(&mut self, right: u16, y: u16, max: u16, words: &str, role: Role) -> u16 {
        let wide = text::width(&text::clip(words, max));
        let x = right.saturating_sub(wide);
        self.text(x, y, max, words, role);
        x
    }

    /// Writes pieces one after the other. Returns the columns used.
    pub fn spans(&mut self, x: u16, y: u16, max: u16, pieces: &[(&str, Role)]) -> u16 {
        let mut used = 0;
        for (words, role) in pieces {
            used += self.text(x.saturating_add(used), y, max.saturating_sub(used), words, *role);
        }
        used
    }

    /// Draws a frame with the signs of a box: thin and rounded, or doubled.
    pub fn frame(&mut self, area: Rect, doubled: bool, role: Role) {
        if area.width < 2 || area.height < 2 {
            return;
        }
        let [h, v, nw, ne, sw, se] = if doubled {
            ['═', '║', '╔', '╗', '╚', '╝']
        } else {
            ['─', '│', '╭', '╮', '╰', '╯']
        };
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x + 1..right {
            self.put(x, area.y, h, role);
            self.put(x, bottom, h, role);
        }
        for y in area.y + 1..bottom {
            self.put(area.x, y, v, role);
            self.put(right, y, v, role);
        }
        self.put(area.x, area.y, nw, role);
        self.put(right, area.y, ne, role);
        self.put(area.x, bottom, sw, role);
        self.put(right, bottom, se, role);
    }
}
