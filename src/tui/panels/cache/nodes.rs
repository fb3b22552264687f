//! A row for each node or edge, where the panel has the screen for itself.

use crate::observe::CacheNodeState;
use crate::tui::app::App;
use crate::tui::layers::{self, Layered};
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::super::replication::{Piece, piece};
use super::bar;

/// Columns of a row beside those of the trend.
const ROW: u16 = 77;

/// The rows of each layer, in so many lines at most: where there are more, every layer gives up some of its own.
pub(super) fn lines(app: &App, layers: &[Layered], width: u16, room: usize) -> Vec<Vec<Vec<Piece>>> {
    let counts: Vec<usize> = layers.iter().map(|layer| nodes(layer).len()).collect();
    let taken = |most: usize| counts.iter().map(|count| (*count).min(most)).sum::<usize>();
    let longest = counts.iter().copied().max().unwrap_or(0);
    let most = (0..=longest.min(room))
        .rev()
        .find(|most| taken(*most) <= room)
        .unwrap_or(0);
    layers.iter().map(|layer| of(app, layer, width, most)).collect()
}

/// Those that have a row: a single one has nothing to tell that its layer does not.
fn nodes<'a>(layer: &Layered<'a>) -> &'a [CacheNodeState] {
    match layer.state.nodes.as_slice() {
        [_] => &[],
        several => several,
    }
}

fn of(app: &App, layer: &Layered, width: u16, most: usize) -> Vec<Vec<Piece>> {
    let nodes = nodes(layer);
    let hidden = nodes.len().saturating_sub(most);
    let shown = if hidden > 0 {
        most.saturating_sub(1)
    } else {
        nodes.len()
    };
    let rows = nodes.iter().enumerate().take(shown);
    let mut lines: Vec<Vec<Piece>> = rows.map(|(index, node)| row(app, layer, index, node, width)).collect();
    if hidden > 0 && most > 0 {
        lines.push(vec![piece(format!("    +{} more", nodes.len() - shown), Role::Muted)]);
    }
    lines
}

/// Name, health, hit ratio and its trend, entries, bytes, how full, evictions.
fn row(app: &App, layer: &Layered, index: usize, node: &CacheNodeState, width: u16) -> Vec<Piece> {
    let info = layer.info.instances.get(index);
    let number = info.map_or("", |info| {
        info.selector
            .rsplit_once('/')
            .map_or(info.selector.as_str(), |parts| parts.1)
    });
    let name = info
        .and_then(|info| info.label.clone())
        .unwrap_or_else(|| format!("/{number}"));
    let chosen = app.selected == Item::Instance(layer.service, index);
    let state = app.frame().services[layer.service].instances.get(index);
    let truth = state.map(|state| truth::of(state, app.frame().at));
    let (sign, look) = truth
        .as_ref()
        .map_or((' ', Role::Text), |truth| (truth.sign, truth.role));
    let name = text::clip(&name, 12);
    let mut line = vec![
        piece(if chosen { "  ▸ " } else { "    " }, Role::Accent),
        piece(
            format!("{name}{}", " ".repeat(usize::from(13 - text::width(&name)))),
            if chosen { Role::Accent } else { Role::Text },
        ),
        piece(format!("{sign} "), look),
    ];
    // Where there are not enough columns for long words, short ones.
    let narrow = width < ROW + 12;
    let (kept, gone) = if narrow {
        ("kept", "out")
    } else {
        ("entries", "evicted")
    };
    let cells = width.saturating_sub(if narrow { ROW - 7 } else { ROW }).clamp(6, 60);
    if let Some(words) = truth
        .filter(|_| state.is_some_and(|state| !truth::serves(state)))
        .map(|truth| truth.words)
    {
        line.push(piece(format!("{words:<0$}", usize::from(cells) + 6), look));
    } else {
        line.push(piece(format!("{:>5} ", layers::ratio(&node.recent)), Role::Text));
        line.extend(layer.trend(Some(index), cells));
    }
    let figures = [
        format!("  {:>5} {kept}", text::short(node.entries as f64)),
        format!(" {:>6}", layers::bytes(node.bytes)),
        format!("  {} {:>5}", bar(node.full), text::percent(node.full)),
        format!("  {:>6} {gone}", layer.rate(layer.per_second(node.recent.evicted))),
    ];
    line.extend(figures.map(|words| piece(words, Role::Muted)));
    line
}
