//! Panels: one file each, all with a `draw(app, area, painter)`.

pub mod cache;
pub mod causes;
pub mod footer;
pub mod header;
pub mod incident;
pub mod inspector;
pub mod latency;
pub mod log;
pub mod over;
pub mod queues;
pub mod replication;
pub mod request;
pub mod routing;

use ratatui::layout::Rect;

use super::app::{App, Pane};
use super::menu::Menu;
use super::paint::Painter;
use super::screen::{self, LEAST};
use super::theme::Role;

/// An area without its border.
pub fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// The first line of a menu that is shown in a number of rows, so that the one under the cursor is.
pub fn first_shown(menu: &Menu, height: u16) -> usize {
    menu.at.saturating_sub(usize::from(height.max(1)) - 1)
}

/// What stands in a pane's border: its name and what it is about now.
pub fn title(app: &App, pane: Pane) -> String {
    let about = match pane {
        Pane::Routing => routing::about(app),
        Pane::Incident => incident::about(app),
        Pane::Causes => causes::about(app),
        Pane::Log => log::about(app),
        Pane::Latency => latency::about(app),
        Pane::Replication => replication::about(app),
        Pane::Cache => cache::about(app),
        Pane::Queues => queues::about(app),
        Pane::Map => String::new(),
    };
    let title = app.pane_title(pane);
    if about.is_empty() {
        title
    } else {
        format!("{title} · {about}")
    }
}

/// Draws a pane's border and title, or its title line at a small size, and returns what is left for its content.
pub fn frame(app: &App, pane: Option<Pane>, title: &str, area: Rect, painter: &mut Painter) -> Rect {
    let role = screen::border(app, pane);
    let focused = pane == Some(app.focus);
    let words = format!(" {title} ");
    let words_role = if focused { Role::Accent } else { Role::Title };
    if app.arrangement.compact {
        for x in area.x..area.right() {
            painter.put(x, area.y, '─', role);
        }
        painter.text(area.x + 1, area.y, area.width.saturating_sub(2), &words, words_role);
        return Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(1),
        };
    }
    painter.frame(area, false, role);
    painter.text(area.x + 2, area.y, area.width.saturating_sub(4), &words, words_role);
    Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(4),
        ..inner(area)
    }
}

/// Says that the terminal is too small, and how large it needs to be.
pub fn small(area: Rect, painter: &mut Painter) {
    let lines = [
        format!("{}x{} is too small", area.width, area.height),
        format!("needs {}x{}", LEAST.0, LEAST.1),
        "q quits".to_string(),
    ];
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (row, line) in lines.iter().enumerate() {
        let x = area.x + area.width.saturating_sub(line.len() as u16) / 2;
        painter.text(
            x,
            top + row as u16,
            area.width,
            line,
            if row == 0 { Role::Title } else { Role::Muted },
        );
    }
}
