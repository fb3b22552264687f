//! What more there is of a queue where the panel has the screen for itself: its first messages, its workers by machine, its counts.

use crate::tui::app::App;
use crate::tui::queues::{self, Queued};
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::rows::Row;
use super::{Piece, packed, piece};

/// Machines of workers that have a line of their own, at most.
const MACHINES: usize = 16;

/// The further lines, the most telling first.
pub(super) fn rows(app: &App, queue: &Queued, width: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    let room = width.saturating_sub(4);
    let mut section = |rank: u8, title: &str, lines: Vec<Vec<Piece>>| {
        if lines.is_empty() {
            return;
        }
        rows.push(Row::new(rank, vec![piece(format!("  {title}"), Role::Title)]));
        rows.extend(lines.into_iter().map(|mut line| {
            line.insert(0, piece("    ", Role::Text));
            Row::new(rank, line)
        }));
    };
    let first = queue.state.first.iter();
    let first = first.map(|message| vec![piece(queues::message(message, queue.at()), Role::Text)]);
    section(10, "waiting, the first to go first", first.collect());
    for (service, workers) in queue.workers() {
        let kinds = workers.by_kind.iter();
        let kinds = kinds.map(|(kind, count)| piece(format!("{kind} {}", text::count(*count)), Role::Text));
        let mut lines = packed(kinds.collect(), room);
        lines.extend(machines(app, service));
        section(11, &format!("{} · {}", queue.called(service), workers.policy), lines);
    }
    let counts = queue.counts().into_iter();
    let counts = counts.map(|(label, count, _, role)| piece(format!("{label} {}", text::count(count)), role));
    section(9, "since start", packed(counts.collect(), room));
    rows
}

/// The machines of workers, a line each.
fn machines(app: &App, service: usize) -> Vec<Vec<Piece>> {
    let frame = app.frame();
    let (info, state) = (&frame.topology.services[service], &frame.services[service]);
    let both = info.instances.iter().zip(&state.instances).enumerate();
    let rows = both.take(MACHINES).map(|(index, (info, state))| {
        let truth = truth::of(state, frame.at);
        let chosen = app.selected == Item::Instance(service, index);
        let role = if chosen { Role::Accent } else { Role::Text };
        let mut line = vec![
            piece(format!("{:<14} ", text::clip_middle(&info.selector, 14)), role),
            piece(format!("{} ", truth.sign), truth.role),
        ];
        line.push(if truth::serves(state) {
            let load = text::whole_percent(state.utilisation);
            piece(
                format!("{load:>4} of {} cores", info.cores),
                truth::load(state.utilisation),
            )
        } else {
            piece(truth.words, truth.role)
        });
        line
    });
    let mut lines: Vec<Vec<Piece>> = rows.collect();
    if let Some(more) = info.instances.len().checked_sub(MACHINES).filter(|more| *more > 0) {
        lines.push(vec![piece(format!("+{more} more"), Role::Muted)]);
    }
    lines
}
