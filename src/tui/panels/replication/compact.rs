//! The panel in a line or two.

use ratatui::layout::Rect;

use crate::observe::{DatabaseState, NodeState};
use crate::tui::app::App;
use crate::tui::glyph;
use crate::tui::nodes;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;

use super::{Piece, ledger, packed, piece, ribbon, rows, sharded, shards, spans};

/// Draws nodes or shards in a line, the ledger in those below.
pub(super) fn draw(app: &App, database: &DatabaseState, area: Rect, painter: &mut Painter) {
    let alarms = nodes::alarms(database).into_iter();
    let alarms: Vec<Piece> = alarms.map(|words| piece(words, Role::Mismatch)).collect();
    let head = if sharded(database) {
        of_shards(database, alarms.clone(), area.width)
    } else {
        of_nodes(app, database, area.width)
    };
    spans(&head, area, painter);
    let mut pieces = if sharded(database) { Vec::new() } else { alarms };
    pieces.extend(ledger::pieces(database, area.width));
    let below = packed(pieces, area.width);
    for (y, line) in (area.y + 1..area.bottom()).zip(below) {
        spans(&line, Rect { y, ..area }, painter);
    }
}

/// A node in a few words: `P /1 #48,211`, `R /4 34 behind 43ms`.
fn node(app: &App, database: &DatabaseState, node: &NodeState, name: &str, words: usize) -> Vec<Piece> {
    let (sign, look) = nodes::sign(app.frame(), database, node);
    let mut line = vec![piece(sign.to_string(), look), piece(format!(" {name}"), Role::Text)];
    if node.torn {
        line.push(piece(format!(" {}", glyph::TEAR), Role::Bad));
    }
    if nodes::conflicts(database, node).is_some() {
        line.push(piece(format!(" {}", glyph::HATCH), Role::Mismatch));
    }
    let leads = nodes::leader(database, node.shard).is_some_and(|leader| leader.number == node.number);
    for (index, (words, role)) in said(app, database, node).into_iter().take(words).enumerate() {
        let mark = if leads && index == 0 { " #" } else { " " };
        line.push(piece(format!("{mark}{words}"), role));
    }
    line
}

/// What is to be said of a node in a line that it shares: not that all is well, nor what its signs say.
fn said(app: &App, database: &DatabaseState, node: &NodeState) -> Vec<Piece> {
    let mut words = rows::words(app, database, node);
    words.retain(|(words, _)| {
        words != "in step" && words != "differs" && words != "cut off" && !words.starts_with("at ")
    });
    words
}

/// Names of which those after each other in a data center share its name.
fn shared(names: Vec<String>) -> Vec<String> {
    let mut before: Option<String> = None;
    let short = |name: String| match name.split_once('/') {
        Some((site, number)) if !site.is_empty() => {
            let short = format!("/{number}");
            let same = before.as_deref() == Some(site);
            before = Some(site.to_string());
            if same { short } else { name }
        }
        _ => name,
    };
    names.into_iter().map(short).collect()
}

/// All nodes, each with as many words as find room: a first one for each, those that are in trouble first, then more.
fn of_nodes(app: &App, database: &DatabaseState, width: u16) -> Vec<Piece> {
    let names = shared(nodes::names(database));
    let all = |words: &[usize], between: &str| -> Vec<Piece> {
        let mut line = Vec::new();
        for (index, (state, name)) in database.nodes.iter().zip(&names).enumerate() {
            if index > 0 {
                line.push(piece(between, Role::Text));
            }
            line.extend(node(app, database, state, name, words[index]));
        }
        line
    };
    let mut words = vec![0; database.nodes.len()];
    if ribbon::width(&all(&words, "  ")) > width {
        // Signs alone, in the order of their numbers.
        let signs = database
            .nodes
            .iter()
            .map(|node| nodes::sign(app.frame(), database, node));
        return signs.map(|(sign, role)| piece(format!("{sign} "), role)).collect();
    }
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_by_key(|index| {
        let node = &database.nodes[*index];
        let hurt = node.role.is_none()
            || node.torn
            || nodes::conflicts(database, node).is_some()
            || nodes::skew(node).is_some();
        let leads = nodes::leader(database, node.shard).is_some_and(|leader| leader.number == node.number);
        (!hurt, !leads, std::cmp::Reverse(node.behind))
    });
    for round in 1..=3 {
        for index in &order {
            let more = said(app, database, &database.nodes[*index]).len() >= round;
            if more && words[*index] == round - 1 {
                words[*index] = round;
                if ribbon::width(&all(&words, "  ")) > width {
                    words[*index] = round - 1;
                }
            }
        }
    }
    let roomy = all(&words, "   ");
    if ribbon::width(&roomy) <= width {
        roomy
    } else {
        all(&words, "  ")
    }
}

/// All shards: how many, their loads, and what happens.
fn of_shards(database: &DatabaseState, alarms: Vec<Piece>, width: u16) -> Vec<Piece> {
    let mut summary = shards::summary(database).into_iter();
    let mut line: Vec<Piece> = summary.next().into_iter().collect();
    line.push(piece(" ", Role::Text));
    let signs = database.shards.iter().take(usize::from(width / 2));
    line.extend(signs.map(|shard| {
        let (sign, role) = shards::sign(shard);
        piece(sign.to_string(), role)
    }));
    let moves = database.migration.map(|moves| {
        let words = shards::migration(moves);
        piece(text::fitting(&words, width / 2), Role::Warning)
    });
    let rest: Vec<Piece> = alarms.into_iter().chain(moves).chain(summary).collect();
    line.push(piece("  ", Role::Text));
    let room = width.saturating_sub(ribbon::width(&line));
    line.extend(packed(rest, room).into_iter().next().unwrap_or_default());
    line
}
