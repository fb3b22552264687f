//! The panel in a line or two.

use ratatui::layout::Rect;

use crate::tui::glyph;
use crate::tui::layers::{self, Layered};
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;

use super::super::replication::{Piece, piece, spans};
use super::{look, misses, times};

/// How much is said of each layer: cells of its trend, and whether where its misses go.
const DETAILS: &[(u16, bool)] = &[(8, true), (5, true), (8, false), (5, false), (0, false)];

/// Draws all layers in as few lines as there are, with as much of each as fits, then what they spare and what is wrong.
pub(super) fn draw(layers: &[Layered], area: Rect, painter: &mut Painter) {
    // The title tells what is wrong first; where there is more, it has a line of its own.
    let alarms: usize = layers.iter().map(|layer| layer.alarms().len()).sum();
    let room = usize::from(area.height.saturating_sub(u16::from(alarms > 1)).max(1));
    let lines = DETAILS
        .iter()
        .map(|detail| packed(layers, *detail, area.width))
        .find(|lines| lines.len() <= room)
        .unwrap_or_else(|| packed(layers, (0, false), area.width));
    let below = (area.y + lines.len() as u16).min(area.bottom());
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        spans(line, Rect { y, ..area }, painter);
    }
    let more = super::packed(told(layers), area.width);
    for (y, line) in (below..area.bottom()).zip(&more) {
        spans(line, Rect { y, ..area }, painter);
    }
}

fn packed(layers: &[Layered], detail: (u16, bool), width: u16) -> Vec<Vec<Piece>> {
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let mut used = 0;
    for layer in layers {
        let own = short(layer, detail);
        let wide: u16 = own.iter().map(|(words, _)| text::width(words)).sum();
        match lines.last_mut() {
            Some(line) if used + 3 + wide <= width => {
                used += 3 + wide;
                line.push(piece("   ", Role::Text));
                line.extend(own);
            }
            _ => {
                used = wide;
                lines.push(own);
            }
        }
    }
    lines
}

/// A layer in a few words: `cache 92% ▆▆▇▇▇▇ 290/s ▶ db`.
fn short(layer: &Layered, (cells, arrow): (u16, bool)) -> Vec<Piece> {
    let mut line = vec![
        piece(format!("{} ", layer.name()), Role::Title),
        piece(layers::ratio(&layer.state.recent), look(layer)),
    ];
    if let Some(word) = layer.unused() {
        line.push(piece(format!(" {word}"), Role::Muted));
        return line;
    }
    if cells > 0 {
        line.push(piece(" ", Role::Text));
        line.extend(layer.trend(None, cells));
    }
    if arrow {
        let words = misses(layer).into_iter().nth(1).unwrap_or_default();
        line.push(piece(format!(" {words}"), Role::Text));
    }
    line
}

/// What is wrong with any layer, then what each spares the one behind, the most first.
fn told(layers: &[Layered]) -> Vec<Piece> {
    let alarms = layers.iter().flat_map(|layer| {
        let name = layer.name();
        layer
            .alarms()
            .into_iter()
            .map(move |alarm| piece(format!("{name}: {alarm}"), Role::Mismatch))
    });
    let mut spared: Vec<(f64, String)> = layers
        .iter()
        .filter_map(|layer| Some((layer.saves()?, layer.behind_name()?)))
        .collect();
    spared.sort_by(|a, b| b.0.total_cmp(&a.0));
    let spared = spared.into_iter().map(|(factor, behind)| {
        let words = format!("without: {} {} {behind}", times(factor), glyph::HEADS[1]);
        piece(words, Role::Good)
    });
    alarms.chain(spared).collect()
}
