//! Shards: a line each where there is room, else a sign each; a migration; and the nodes of the shard that one looks at.

use ratatui::layout::Rect;

use crate::observe::{DatabaseState, MigrationState, ShardState};
use crate::tui::app::App;
use crate::tui::glyph;
use crate::tui::nodes;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::{Piece, packed, piece, rows, spans};

/// Nodes of a shard that are drawn beside its number.
const NODES: usize = 5;

/// The hottest shard, and the mean load of all.
fn loads(database: &DatabaseState) -> Option<(&ShardState, f64)> {
    let shards = &database.shards;
    let hottest = shards
        .iter()
        .max_by(|a, b| a.utilisation.total_cmp(&b.utilisation).then(b.number.cmp(&a.number)))?;
    let mean = shards.iter().map(|shard| shard.utilisation).sum::<f64>() / shards.len() as f64;
    Some((hottest, mean))
}

/// Rows that move, in words, at several lengths.
pub(super) fn migration(migration: MigrationState) -> Vec<String> {
    let (moving, done) = (text::percent(migration.moving), text::whole_percent(migration.done));
    vec![
        format!("{moving} of the keys move: {done} done"),
        format!("{moving} move: {done} done"),
        format!("moved {done}"),
    ]
}

/// How many shards there are, and how evenly they are loaded.
pub(super) fn summary(database: &DatabaseState) -> Vec<Piece> {
    let mut pieces = vec![piece(text::plural(database.shards.len(), "shard"), Role::Text)];
    if let Some((hottest, mean)) = loads(database) {
        let words = format!(
            "hottest {}: {}",
            hottest.number,
            text::whole_percent(hottest.utilisation)
        );
        pieces.push(piece(words, truth::load(hottest.utilisation)));
        pieces.push(piece(format!("mean {}", text::whole_percent(mean)), Role::Muted));
    }
    pieces.extend(
        database
            .sharding
            .iter()
            .map(|sharding| piece(sharding.clone(), Role::Muted)),
    );
    pieces
}

/// The sign of a shard: its load, or what is wrong with it.
pub(super) fn sign(shard: &ShardState) -> (char, Role) {
    if shard.writable {
        (glyph::ramp(shard.utilisation), truth::load(shard.utilisation))
    } else {
        (glyph::DEAD, Role::Bad)
    }
}

/// The shard whose nodes are shown: that of the selection, else one that is in trouble.
fn looked_at(app: &App, database: &DatabaseState) -> u32 {
    let own = database.nodes.iter().find(|node| {
        let (service, instance) = node.instance.unzip();
        matches!(app.selected, crate::tui::select::Item::Instance(s, i) if Some(s) == service && Some(i) == instance)
    });
    let trouble = database
        .nodes
        .iter()
        .find(|node| node.role.is_none() || node.torn || nodes::conflicts(database, node).is_some());
    let idle = database.shards.iter().find(|shard| !shard.writable);
    own.map(|node| node.shard)
        .or(idle.map(|shard| shard.number))
        .or(trouble.map(|node| node.shard))
        .or(loads(database).map(|(hottest, _)| hottest.number))
        .unwrap_or(0)
}

/// Draws all of it into as many lines as there are. Returns the lines used.
pub(super) fn draw(app: &App, database: &DatabaseState, area: Rect, painter: &mut Painter) -> u16 {
    let mut y = area.y;
    let left = |y: u16| area.bottom().saturating_sub(y);
    if let Some(first) = packed(summary(database), area.width).first() {
        spans(first, Rect { y, ..area }, painter);
        y += 1;
    }
    if let Some(moves) = database.migration {
        progress(moves, Rect { y, ..area }, painter);
        y += 1;
    }
    let count = database.shards.len();
    let shard = looked_at(app, database);
    let own: Vec<usize> = (0..database.nodes.len())
        .filter(|index| database.nodes[*index].shard == shard)
        .collect();
    if count <= usize::from(left(y)) {
        for shard in &database.shards {
            line(app, database, shard, Rect { y, ..area }, painter);
            y += 1;
        }
    } else {
        y += cells(
            database,
            Rect {
                y,
                height: left(y),
                ..area
            },
            painter,
        );
    }
    // Ribbons of one shard, if all of its nodes find room.
    if own.len() > 1 && usize::from(left(y)) > own.len() + 1 {
        let words = format!("shard {shard}");
        painter.text(area.x, y + 1, area.width, &words, Role::Title);
        y += 2;
        y += rows::draw(
            app,
            database,
            &own,
            Rect {
                y,
                height: left(y),
                ..area
            },
            painter,
        );
    }
    y - area.y
}

/// How far a migration is.
fn progress(moves: MigrationState, area: Rect, painter: &mut Painter) {
    let words = migration(moves);
    let words = text::fitting(&words, area.width * 3 / 5).to_string();
    let used = painter.text(area.x, area.y, area.width, &words, Role::Warning) + 1;
    bar(
        moves.done,
        area.x + used,
        area.width.saturating_sub(used).min(24),
        area.y,
        Role::Warning,
        painter,
    );
}

/// A bar with a bed, so that one sees what is missing.
fn bar(share: f64, x: u16, cells: u16, y: u16, role: Role, painter: &mut Painter) {
    for x in x..x + cells {
        painter.put(x, y, glyph::DOTTED[10], Role::Faint);
    }
    let bar = glyph::bar(share, cells);
    painter.text(x, y, cells, bar.trim_end(), role);
}

/// A shard in a line: number, nodes, load, rate, rows.
fn line(app: &App, database: &DatabaseState, shard: &ShardState, area: Rect, painter: &mut Painter) {
    let digits = database.shards.len().saturating_sub(1).to_string().len() as u16;
    let (mut x, y) = (area.x, area.y);
    painter.text_right(x + digits, y, digits, &shard.number.to_string(), Role::Text);
    x += digits + 1;
    let per_shard = database.nodes.len().div_ceil(database.shards.len());
    let all = database.nodes.iter().filter(|node| node.shard == shard.number);
    for node in all.take(NODES) {
        let (sign, role) = nodes::sign(app.frame(), database, node);
        painter.put(x, y, sign, role);
        let mark = match (node.torn, nodes::conflicts(database, node)) {
            (true, _) => (glyph::TEAR, Role::Bad),
            (_, Some(_)) => (glyph::HATCH, Role::Mismatch),
            _ => (' ', Role::Text),
        };
        painter.put(x + 1, y, mark.0, mark.1);
        x += 2;
    }
    x = area.x + digits + 1 + (per_shard.min(NODES) * 2) as u16 + 1;
    let rate = format!("{:>6}", text::rate(shard.rate));
    let options = [
        format!("{rate}  {:>5} rows", text::short(shard.rows as f64)),
        rate.clone(),
        String::new(),
    ];
    let room = area.right().saturating_sub(x);
    let figures = text::fitting(&options, room.saturating_sub(14));
    let wide = text::width(figures);
    painter.text_right(area.right(), y, wide, figures, Role::Muted);
    let cells = room.saturating_sub(wide + 7).min(32);
    if !shard.writable {
        painter.text(x, y, cells + 5, "takes no writes", Role::Bad);
        return;
    }
    let look = truth::load(shard.utilisation);
    bar(shard.utilisation, x, cells, y, look, painter);
    painter.text_right(x + cells + 5, y, 5, &text::whole_percent(shard.utilisation), look);
}

/// Shards as signs, with their numbers where these find room. Returns the lines used.
fn cells(database: &DatabaseState, area: Rect, painter: &mut Painter) -> u16 {
    let count = database.shards.len();
    let digits = count.saturating_sub(1).to_string().len() as u16;
    let lines = |wide: u16| count.div_ceil(usize::from((area.width / wide).max(1))) as u16;
    let numbered = lines(digits + 2) <= area.height;
    let wide = if numbered { digits + 2 } else { 1 };
    let per_line = usize::from((area.width / wide).max(1));
    let most = per_line * usize::from(area.height);
    for (index, shard) in database.shards.iter().enumerate().take(most) {
        let (x, y) = (
            area.x + (index % per_line) as u16 * wide,
            area.y + (index / per_line) as u16,
        );
        let (sign, role) = sign(shard);
        if numbered {
            painter.text_right(x + digits, y, digits, &shard.number.to_string(), Role::Muted);
            painter.put(x + digits, y, sign, role);
        } else {
            painter.put(x, y, sign, role);
        }
    }
    lines(wide).min(area.height)
}
