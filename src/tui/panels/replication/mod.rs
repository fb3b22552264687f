//! The nodes of a database: who leads, how far each one is, and what became of what clients were told.

mod compact;
mod ledger;
mod ribbon;
mod rows;
mod shards;

use ratatui::layout::Rect;

use crate::observe::{DatabaseKind, DatabaseState, Kind};
use crate::tui::app::{App, Pane};
use crate::tui::nodes;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;

/// Words and how they look.
pub(super) type Piece = (String, Role);

pub(super) fn piece(words: impl Into<String>, role: Role) -> Piece {
    (words.into(), role)
}

/// The service whose database the panel shows: that of the selection, of its data center, or the first one.
fn subject(app: &App) -> Option<usize> {
    let frame = app.frame();
    let has = |service: &usize| nodes::of(frame, *service).is_some();
    let info = |service: usize| frame.topology.services.get(service);
    if let Some(own) = app.selected.service() {
        let watched = frame.services.get(own).and_then(|state| state.monitor.as_ref());
        if let Some(found) = watched.map(|monitor| monitor.of).into_iter().chain([own]).find(has) {
            return Some(found);
        }
    }
    let site = match app.selected {
        Item::Site(site) => Some(site),
        Item::Host(service) | Item::Service(service) | Item::Instance(service, _) => {
            info(service).and_then(|info| info.site)
        }
    };
    let here = (0..frame.services.len()).filter(|service| info(*service).is_some_and(|info| info.site == site));
    here.into_iter().find(has).or_else(|| nodes::first(frame))
}

fn database(app: &App) -> Option<(usize, &DatabaseState)> {
    let service = subject(app)?;
    Some((service, nodes::of(app.frame(), service)?))
}

/// Whether rows are spread over shards.
fn sharded(database: &DatabaseState) -> bool {
    database.shards.len() > 1
}

/// What the panel is about, for its title: which database, where there are several, and what is at risk.
pub fn about(app: &App) -> String {
    let Some((service, database)) = database(app) else {
        return String::new();
    };
    let topology = app.topology();
    let mut names: Vec<&str> = (0..topology.services.len())
        .filter(|other| topology.services[*other].kind == Kind::Database && nodes::of(app.frame(), *other).is_some())
        .map(|other| topology.services[other].name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let name = &topology.services[service].name;
    let mut options = Vec::new();
    let count = database.promises.at_risk;
    if count > 0 {
        // Acknowledged, and gone if that disk is.
        let risk = format!("{} on one disk", nodes::writes_of(count));
        options.extend([risk, format!("at risk: {}", nodes::writes_of(count))]);
        options.push(format!("{} at risk", text::short(count as f64)));
    }
    if names.len() > 1 {
        let first = options.first().map_or(name.clone(), |risk| format!("{name} · {risk}"));
        options.insert(0, first);
    }
    let area = app.arrangement.area(Pane::Replication).unwrap_or_default();
    let room = area
        .width
        .saturating_sub(text::width(&app.pane_title(Pane::Replication)) + 9);
    text::fitting(&options, room).to_string()
}

/// Lines that the panel would like to have, with its border; none where there is nothing to show.
pub fn wanted(app: &App) -> Option<u16> {
    let (_, database) = database(app)?;
    let lines = if sharded(database) {
        // Some shards in lines, then the nodes of one of them.
        database.shards.len().min(10) + 8
    } else {
        database.nodes.len().min(14)
    };
    Some(lines as u16 + 7)
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let Some((_, database)) = database(app) else { return };
    if area.height < 4 {
        compact::draw(app, database, area, painter);
        return;
    }
    let mut y = area.y;
    // What is wrong takes no more than a third of the lines.
    let alarms = nodes::alarms(database).into_iter().take(usize::from(area.height / 3));
    for words in alarms {
        painter.text(area.x, y, area.width, &words, Role::Mismatch);
        y += 1;
    }
    let promises = ledger::lines(database, area.width);
    let room = area.bottom() - y;
    // Two lines of the ledger are certain, as long as the nodes have as many; one where each shard finds a line by that.
    let least = if sharded(database) && database.shards.len() < 8 {
        1
    } else {
        2
    };
    let reserved = (promises.len() as u16).min(least).min(room / 2);
    let rest = Rect {
        y,
        height: room - reserved,
        ..area
    };
    let used = if sharded(database) {
        shards::draw(app, database, rest, painter)
    } else {
        let all: Vec<usize> = (0..database.nodes.len()).collect();
        rows::draw(app, database, &all, rest, painter)
    };
    y += used;
    let spare = area.bottom().saturating_sub(y + promises.len() as u16);
    y += u16::from(spare > 0);
    for (y, line) in (y..area.bottom()).zip(promises) {
        spans(&line, Rect { y, ..area }, painter);
    }
    if spare > 1 && database.kind != DatabaseKind::Single {
        // As many of the settings as find room, from the first on.
        let ends = database.policy.match_indices(", ").map(|(end, _)| end);
        let mut options: Vec<String> = ends.map(|end| database.policy[..end].to_string()).collect();
        options.push(database.policy.clone());
        options.reverse();
        let words = text::fitting(&options, area.width);
        painter.text(area.x, area.bottom() - 1, area.width, words, Role::Muted);
    }
}

/// Draws the pieces of a line.
pub(super) fn spans(line: &[Piece], area: Rect, painter: &mut Painter) {
    let pieces: Vec<(&str, Role)> = line.iter().map(|(words, role)| (words.as_str(), *role)).collect();
    painter.spans(area.x, area.y, area.width, &pieces);
}

/// Pieces in lines of at most so many columns, with dots between them.
pub(super) fn packed(pieces: Vec<Piece>, width: u16) -> Vec<Vec<Piece>> {
    const DOT: &str = " · ";
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let mut used = 0;
    for (words, role) in pieces {
        let wide = text::width(&words);
        match lines.last_mut() {
            Some(line) if used + text::width(DOT) + wide <= width => {
                used += text::width(DOT) + wide;
                line.extend([piece(DOT, Role::Faint), (words, role)]);
            }
            _ => {
                used = wide;
                lines.push(vec![(words, role)]);
            }
        }
    }
    lines
}
