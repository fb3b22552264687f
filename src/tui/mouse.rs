//! From clicks and the wheel to intents.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::app::{App, Intent, Over, Pane};
use super::engine::Order;
use super::screen::Spot;
use super::select::Item;

impl App {
    /// Takes what the mouse reports.
    pub(super) fn mouse(&mut self, mouse: MouseEvent) -> Option<Intent> {
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(mouse.column, mouse.row),
            MouseEventKind::ScrollUp => {
                self.wheel(1);
                None
            }
            MouseEventKind::ScrollDown => {
                self.wheel(-1);
                None
            }
            _ => None,
        }
    }

    fn wheel(&mut self, by: isize) {
        match &mut self.over {
            Over::Menu(menu) => menu.step(-by),
            Over::Help(scrolled) => *scrolled = scrolled.saturating_add_signed(-by as i16).min(40),
            Over::None => self.scroll(by * 3),
            Over::Confirm(_) | Over::Launch(_) | Over::Prompt(_) | Over::Palette(_) | Over::Page(..) => {}
        }
    }

    fn click(&mut self, x: u16, y: u16) -> Option<Intent> {
        match &self.over {
            Over::None => {}
            Over::Palette(palette) => {
                let menu = palette.menu(self);
                let line = self.arrangement.menu_line(&menu, x, y);
                let chosen = line.and_then(|line| menu.entries.into_iter().nth(line));
                self.over = Over::None;
                return chosen.and_then(|entry| self.choose(entry.choice));
            }
            Over::Menu(menu) => {
                let line = self.arrangement.menu_line(menu, x, y);
                let chosen = line.and_then(|line| menu.entries.get(line)).cloned();
                self.over = Over::None;
                return chosen.and_then(|entry| self.choose(entry.choice));
            }
            Over::Prompt(_) => return None,
            Over::Help(_) | Over::Confirm(_) | Over::Launch(_) | Over::Page(..) => {
                self.over = Over::None;
                return None;
            }
        }
        match self.arrangement.spot(self, x, y) {
            Some(Spot::Key(action)) => self.act(action),
            Some(Spot::Item(item)) => {
                self.select(item);
                None
            }
            Some(Spot::Pane(pane)) => {
                self.focus = pane;
                None
            }
            Some(Spot::Moment(at)) => Some(Intent::Order(Order::GoTo(at))),
            None => None,
        }
    }

    /// Selects an item; once more opens its inspector.
    fn select(&mut self, item: Item) {
        self.focus = Pane::Map;
        self.inspector |= self.selected == item;
        self.selected = item;
    }
}
