//! The panel in a line or two.

use ratatui::layout::Rect;

use crate::tui::paint::Painter;
use crate::tui::queues::{self, Queued};
use crate::tui::text;
use crate::tui::theme::Role;

use super::{Piece, look, packed, piece, spans};

/// How much is said of each queue: cells of its trend, its rates, its age and outlook.
const DETAILS: &[(u16, bool, bool)] = &[
    (12, true, true),
    (6, true, true),
    (4, true, false),
    (4, false, false),
    (0, false, false),
];

/// Draws all queues in as few lines as there are, with as much of each as fits, then what else is to be told.
pub(super) fn draw(queues: &[Queued], area: Rect, painter: &mut Painter) {
    let room = usize::from(area.height.max(1));
    // Where there is a second line, the first one is not the only place for all queues.
    let most = if queues.len() > 1 || room == 1 { room } else { 1 };
    let lines = DETAILS
        .iter()
        .map(|detail| joined(queues, *detail, area.width))
        .find(|lines| lines.len() <= most && lines.iter().all(|line| wide(line) <= area.width))
        .unwrap_or_else(|| joined(queues, (0, false, false), area.width));
    let below = (area.y + lines.len() as u16).min(area.bottom());
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        spans(line, Rect { y, ..area }, painter);
    }
    for (y, line) in (below..area.bottom()).zip(&packed(told(queues), area.width)) {
        spans(line, Rect { y, ..area }, painter);
    }
}

fn wide(line: &[Piece]) -> u16 {
    line.iter().map(|(words, _)| text::width(words)).sum()
}

fn joined(queues: &[Queued], detail: (u16, bool, bool), width: u16) -> Vec<Vec<Piece>> {
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    for queue in queues {
        let own = short(queue, detail);
        match lines.last_mut() {
            Some(line) if wide(line) + 3 + wide(&own) <= width => {
                line.push(piece("   ", Role::Text));
                line.extend(own);
            }
            _ => lines.push(own),
        }
    }
    lines
}

/// A queue in a few words: `photos 1,204 ▁▂▄▆  in 120/s  out 95/s  oldest 13s  full in 32m`.
fn short(queue: &Queued, (cells, rates, outlook): (u16, bool, bool)) -> Vec<Piece> {
    let state = queue.state;
    let mut line = vec![
        piece(format!("{} ", queue.selector()), Role::Title),
        piece(queues::depth(state.waiting), look(queue)),
    ];
    if cells > 0 {
        line.push(piece(" ", Role::Text));
        line.extend(queue.trend(cells));
    }
    if rates {
        let (come, left) = queue.rates();
        line.push(piece(format!("  in {come}  out {left}"), Role::Text));
    }
    if outlook {
        line.extend(queue.oldest().map(|age| piece(format!("  oldest {age}"), Role::Text)));
        line.extend(queue.outlook().map(|(words, role)| piece(format!("  {words}"), role)));
    }
    line
}

/// What is wrong with any queue, what became of its jobs that should not, then its dead letters and its workers.
fn told(queues: &[Queued]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for queue in queues {
        let alarms = queue.alarms().into_iter();
        let name = queue.selector();
        pieces.extend(alarms.map(|alarm| piece(format!("{name}: {alarm}"), Role::Mismatch)));
        let jobs = &queue.state.jobs;
        for (count, words, role) in [
            (jobs.lost, "lost", Role::Bad),
            (jobs.duplicated, "duplicated", Role::Warning),
        ] {
            if count > 0 {
                pieces.push(piece(format!("{} jobs {words}", text::count(count)), role));
            }
        }
        if let Some(letters) = queue.dead_letters().filter(|letters| letters.state.waiting > 0) {
            let count = queues::depth(letters.state.waiting);
            pieces.push(piece(format!("{} {count}", letters.selector()), Role::Warning));
        }
    }
    for queue in queues {
        for (service, workers) in queue.workers() {
            let first = queues::workers(queue.frame(), service, workers).into_iter().next();
            let name = queue.called(service);
            pieces.extend(first.map(|(words, role)| piece(format!("{name} {words}"), role)));
        }
        for (service, publisher) in queue.publishers() {
            let first = queues::publisher(publisher).into_iter().next();
            let name = queue.called(service);
            pieces.extend(first.map(|(words, role)| piece(format!("{name} {words}"), role)));
        }
    }
    pieces
}
