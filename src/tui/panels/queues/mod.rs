//! Queues: what waits in each, what comes and goes, who works and who publishes, and what became of the jobs.

mod alone;
mod compact;
mod rows;

use ratatui::layout::Rect;

use crate::tui::app::{App, Pane};
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::queues::{self, Queued};
use crate::tui::text;
use crate::tui::theme::Role;

use super::replication::{Piece, packed, piece, spans};
use rows::{Row, trimmed};

/// Columns of a bar that shows how full a queue is.
const BAR: u16 = 6;

/// What the panel is about, for its title: what is wrong, or else the window of its figures.
pub fn about(app: &App) -> String {
    let queues = queues::all(app.frame(), app.twin.as_deref());
    let alarm = queues.iter().find_map(|queue| {
        let alarm = queue.alarms().into_iter().next()?;
        Some(vec![format!("{}: {alarm}", queue.selector()), alarm])
    });
    let mut options = alarm.unwrap_or_default();
    options.extend(["depth of 60s, rates of 10s".to_string(), "rates (10s)".to_string()]);
    let area = app.arrangement.area(Pane::Queues).unwrap_or_default();
    let room = area
        .width
        .saturating_sub(text::width(&app.pane_title(Pane::Queues)) + 9);
    text::fitting(&options, room).to_string()
}

/// Lines that the panel would like to have, with its border; none where there is nothing to show.
pub fn wanted(app: &App) -> Option<u16> {
    let queues = queues::all(app.frame(), app.twin.as_deref());
    let lines = queues.iter().map(|queue| {
        let others = queue.workers().count() + usize::from(queue.dead_letters().is_some());
        let held_back = queue
            .publishers()
            .filter(|(_, state)| !queues::publisher(state).is_empty());
        4 + others + held_back.count()
    });
    let lines = lines.sum::<usize>() as u16;
    (lines > 0).then(|| lines.min(12) + 2)
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let queues = queues::all(app.frame(), app.twin.as_deref());
    if queues.is_empty() {
        return;
    }
    let height = usize::from(area.height);
    if height < queues.len().max(4) {
        return compact::draw(&queues, area, painter);
    }
    let alone = app.zoom == Some(Pane::Queues);
    let columns = Columns::new(&queues, area.width);
    let mut all: Vec<Row> = Vec::new();
    for queue in &queues {
        all.push(Row::new(0, head(app, queue, &columns, area.width)));
        all.extend(rows::below(queue, area.width, alone));
        if alone {
            all.extend(alone::rows(app, queue, area.width));
        }
    }
    let lines = trimmed(all, height);
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        spans(line, Rect { y, ..area }, painter);
    }
}

/// Where the columns of the first lines stand, so that the newest values of all trends are below each other.
struct Columns {
    name: u16,
    trend: u16,
}

/// Columns before the trend, beside those of the name: the mark and the depth.
const BEFORE: u16 = 9;

impl Columns {
    fn new(queues: &[Queued], width: u16) -> Columns {
        let longest = queues.iter().map(|queue| text::width(queue.selector())).max();
        let name = longest.unwrap_or(0).clamp(5, (width / 3).clamp(8, 20));
        let room = width.saturating_sub(name + BEFORE);
        let rates = queues.iter().map(|queue| text::width(&rates(queue, room)));
        Columns {
            name,
            trend: room.saturating_sub(rates.max().unwrap_or(0) + 2).min(60),
        }
    }
}

/// What comes and what leaves, beside at least a few columns of the trend.
fn rates(queue: &Queued, room: u16) -> String {
    let (come, left) = queue.rates();
    let options = [
        format!("in {come}  out {left}"),
        format!("{come} in, {left} out"),
        format!("{come}, {left}"),
    ];
    text::fitting(&options, room.saturating_sub(6)).to_string()
}

/// The name, the depth, its trend and the rates.
fn head(app: &App, queue: &Queued, columns: &Columns, width: u16) -> Vec<Piece> {
    let (mark, role) = if app.selected.service() == Some(queue.service) {
        ("▸", Role::Accent)
    } else {
        (" ", Role::Title)
    };
    let name = text::clip_middle(queue.selector(), columns.name);
    let gap = " ".repeat(usize::from(columns.name - text::width(&name)));
    let rates = rates(queue, width.saturating_sub(columns.name + BEFORE));
    let mut line = vec![
        piece(mark, Role::Accent),
        piece(format!("{name}{gap}"), role),
        piece(format!("{:>7} ", queues::depth(queue.state.waiting)), look(queue)),
    ];
    line.extend(queue.trend(columns.trend));
    line.push(piece(format!("  {rates}"), Role::Text));
    line
}

/// How a depth looks.
fn look(queue: &Queued) -> Role {
    match (queue.alarms().is_empty(), queue.grows()) {
        (false, _) => Role::Mismatch,
        (true, true) => Role::Warning,
        (true, false) => Role::Title,
    }
}

/// A bar with a bed, so that one sees how much room is left.
fn bar(full: f64) -> String {
    let bed = glyph::DOTTED[10].to_string();
    glyph::bar(full, BAR).replace(' ', &bed)
}
