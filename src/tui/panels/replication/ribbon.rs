//! A node's log as a ribbon: as long as the log is, a gap where it lags, torn where it is cut off, hatched where it is in conflict.

use crate::observe::{DatabaseState, Health, NodeRole, NodeState};
use crate::tui::glyph;
use crate::tui::nodes;
use crate::tui::text;
use crate::tui::theme::Role;

use super::{Piece, piece};

/// Entries behind at which the gap takes the whole ribbon.
const WHOLE: f64 = 1e6;

/// So many half cells of a gap stand for so many entries: the first one is seen, and each ten times as many add as much again.
pub(super) fn gap(behind: u64, cells: u16) -> u16 {
    if behind == 0 {
        return 0;
    }
    let halves = f64::from(cells) * 2.0;
    let share = (1.0 + behind as f64).log10() / WHOLE.log10();
    let most = (cells * 2).saturating_sub(2);
    ((share * halves).round() as u16).clamp(1, most.max(1))
}

/// The ribbon of a node in so many cells.
pub(super) fn of(database: &DatabaseState, node: &NodeState, health: Option<Health>, cells: u16) -> Vec<Piece> {
    if cells == 0 {
        return Vec::new();
    }
    if let Some(share) = node.rebuilt.filter(|_| node.role == Some(NodeRole::Rebuilding)) {
        let done = (share.clamp(0.0, 1.0) * f64::from(cells)).floor() as u16;
        return pieces(&[
            (glyph::BAR[1], done, Role::Warning),
            (glyph::DOTTED[10], cells - done, Role::Faint),
        ]);
    }
    if matches!(health, Some(Health::Destroyed) | None) {
        return pieces(&[(' ', cells, Role::Faint)]);
    }
    let gap = gap(node.behind, cells);
    let mut solid = cells - gap.div_ceil(2);
    let mut half = u16::from(gap % 2 == 1);
    let leads =
        node.role.is_some() && nodes::leader(database, node.shard).is_some_and(|leader| leader.number == node.number);
    // The tear takes two cells, those of the gap first.
    let torn = if node.torn && cells > 3 { 2 } else { 0 };
    if torn > 0 {
        half = 0;
        solid = solid.min(cells - torn);
    }
    let hatched = nodes::conflicts(database, node).map_or(0, |count| {
        let wide = self::gap(count, cells).div_ceil(2).max(2);
        wide.min(solid.saturating_sub(1))
    });
    // What is not running has a log that stands still.
    let (line, role) = match node.role {
        None => (glyph::THIN[10], Role::Faint),
        Some(_) if nodes::rivals(database, node) => (glyph::BAR[1], Role::Bad),
        Some(NodeRole::Fenced | NodeRole::Candidate | NodeRole::Recovering) => (glyph::BAR[1], Role::Warning),
        Some(NodeRole::Primary | NodeRole::Alone) => (glyph::BAR[1], Role::Flow),
        Some(_) => (glyph::BAR[1], Role::Trend),
    };
    let head = u16::from(leads && half == 0 && torn == 0 && hatched < solid);
    let end = if line == glyph::BAR[1] { glyph::BAR[0] } else { ' ' };
    let used = solid + half + torn;
    pieces(&[
        (line, solid - hatched - head, role),
        (glyph::HATCH, hatched, Role::Mismatch),
        (glyph::HEADS[1], head, role),
        (end, half, role),
        (glyph::TEAR, torn, Role::Bad),
        (' ', cells.saturating_sub(used), Role::Faint),
    ])
}

fn pieces(parts: &[(char, u16, Role)]) -> Vec<Piece> {
    let parts = parts.iter().filter(|part| part.1 > 0);
    parts
        .map(|(sign, count, role)| piece(sign.to_string().repeat(usize::from(*count)), *role))
        .collect()
}

/// The width of pieces.
pub(super) fn width(pieces: &[Piece]) -> u16 {
    pieces.iter().map(|(words, _)| text::width(words)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_grows_with_the_lag_and_never_takes_all() {
        assert_eq!(gap(0, 15), 0);
        assert_eq!(gap(1, 15), 2);
        let gaps: Vec<u16> = [1, 10, 100, 1_000, 10_000, 100_000_000]
            .into_iter()
            .map(|behind| gap(behind, 15))
            .collect();
        assert!(gaps.windows(2).all(|pair| pair[0] < pair[1]), "{gaps:?}");
        assert_eq!(gaps[5], 28);
        assert_eq!(gap(1, 3), 1, "one entry is seen on a short ribbon, too");
    }
}
