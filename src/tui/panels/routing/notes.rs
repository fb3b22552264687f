//! What goes on around a tier, a line each: sessions, calls between services, the autoscaler, names.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::observe::{AutoscalerState, CallsState, Frame, SessionsState};
use crate::sim::SimTime;
use crate::tui::app::App;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

/// How long a decision of an autoscaler is news.
const FRESH: Duration = Duration::from_secs(10);

/// Words and how they look.
pub(super) type Piece = (String, Role);

/// One line.
pub(super) struct Note {
    /// Whether something is wrong, so that it is shown first where room is short.
    pub urgent: bool,
    /// What it says.
    pub pieces: Vec<Piece>,
}

/// A piece of a line.
pub(super) fn piece(words: impl Into<String>, role: Role) -> Piece {
    (words.into(), role)
}

/// As many pieces as fit into a width, with dots between them: a first one, then the others in their order.
fn joined(lead: Piece, pieces: Vec<Piece>, width: u16) -> Vec<Piece> {
    let mut used = text::width(&lead.0);
    let mut line = vec![lead];
    for (index, (words, role)) in pieces.into_iter().enumerate() {
        let between = if index == 0 { "  " } else { " · " };
        let wide = text::width(between) + text::width(&words);
        if used + wide > width {
            break;
        }
        used += wide;
        line.push((between.to_string(), Role::Faint));
        line.push((words, role));
    }
    line
}

/// All that is to be said of a data center, the most telling last where nothing is wrong.
pub(super) fn of_site(app: &App, site: Option<usize>, width: u16) -> Vec<Note> {
    let frame = app.frame();
    let services = frame.topology.services.iter().zip(&frame.services);
    let here = || services.clone().filter(|(info, _)| info.site == site);
    let mut notes = Vec::new();
    let modes = here().filter_map(|(_, state)| state.sessions.as_ref());
    notes.extend(modes.filter_map(|sessions| self::sessions(frame, sessions, width)));
    notes.extend(revoked(frame));
    for (info, state) in here() {
        for calls in &state.calls {
            let to = frame.topology.services.get(calls.to).map_or("", |to| &to.name);
            notes.extend(self::calls(&format!("{} → {to}", info.name), calls, width));
        }
    }
    let scalers: Vec<(&str, &AutoscalerState)> = here()
        .filter_map(|(info, state)| Some((info.name.as_str(), state.autoscaler.as_ref()?)))
        .collect();
    for (name, scaler) in &scalers {
        let name = if scalers.len() == 1 { "autoscaler" } else { name };
        notes.extend(autoscaler(name, scaler, frame.at, width));
    }
    notes.extend(names(frame, width));
    notes
}

/// Where the sessions are, how many there are, and how many were lost.
fn sessions(frame: &Frame, sessions: &SessionsState, width: u16) -> Option<Note> {
    let mode = sessions.mode.as_ref()?;
    let tally = frame.sessions;
    let hurts = frame
        .incidents
        .last()
        .is_some_and(|incident| incident.served.is_none() && incident.lost_sessions > 0);
    let role = match tally.lost {
        0 => Role::Muted,
        _ if hurts => Role::Bad,
        _ => Role::Warning,
    };
    let lost = format!("{} lost", text::count(tally.lost));
    let (full, short) = (text::count(tally.signed_in), text::short(tally.signed_in as f64));
    let options = [
        format!("sessions {mode} · {full} signed in · "),
        format!("{short} sessions {mode}, "),
        format!("sessions {mode}, "),
        format!("{short} sessions, "),
    ];
    let lead = text::fitting(&options, width.saturating_sub(text::width(&lost)));
    Some(Note {
        urgent: hurts,
        pieces: vec![piece(lead, Role::Text), (lost, role)],
    })
}

/// What was answered to those whose sessions were revoked.
fn revoked(frame: &Frame) -> Option<Note> {
    let (revoked, served) = (frame.sessions.revoked, frame.sessions.revoked_served);
    if revoked + served == 0 {
        return None;
    }
    let served_role = if served > 0 { Role::Bad } else { Role::Muted };
    Some(Note {
        urgent: served > 0,
        pieces: vec![
            piece(format!("{} revoked, ", text::count(revoked)), Role::Text),
            piece(format!("{} served all the same", text::count(served)), served_role),
        ],
    })
}

/// How a service fares with one that it calls; nothing when there is nothing to tell.
fn calls(pair: &str, calls: &CallsState, width: u16) -> Option<Note> {
    let counted =
        |count: u64, words: &str, role: Role| (count > 0).then(|| (format!("{} {words}", text::count(count)), role));
    let mut pieces: Vec<Piece> = breakers(calls.breakers).into_iter().collect();
    if let (Some(used), Some(most)) = (calls.connections, calls.most_connections) {
        let full = used >= most;
        let role = if full { Role::Over } else { Role::Muted };
        let (used, most) = (text::count(u64::from(used)), text::count(u64::from(most)));
        pieces.push((format!("{used}/{most} connections"), role));
    }
    pieces.extend(counted(u64::from(calls.waiting), "wait for one", Role::Over));
    pieces.extend(counted(calls.stopped, "stopped", Role::Warning));
    pieces.extend(counted(calls.retried, "retried", Role::Warning));
    pieces.extend(counted(calls.over_budget, "over budget", Role::Warning));
    pieces.extend(counted(calls.failed, "failed", Role::Bad));
    pieces.extend(counted(calls.hedged, "hedged", Role::Muted));
    let urgent = calls.breakers[1] + calls.breakers[2] > 0 || calls.waiting > 0;
    (!pieces.is_empty()).then(|| Note {
        urgent,
        pieces: joined(piece(pair, Role::Text), pieces, width),
    })
}

/// Breakers that are not closed, in words.
pub fn breakers([closed, open, half]: [u32; 3]) -> Option<Piece> {
    let all = closed + open + half;
    let words = match (all, open, half) {
        (_, 0, 0) => return None,
        (1, 1, _) => "breaker open".to_string(),
        (1, _, _) => "breaker half open".to_string(),
        (_, open, 0) => format!("{open} of {all} breakers open"),
        (_, 0, half) => format!("{half} of {all} breakers half open"),
        (_, open, half) => format!("{open} of {all} breakers open, {half} half"),
    };
    Some((words, if open > 0 { Role::Bad } else { Role::Warning }))
}

/// What an autoscaler has, measures and holds, and what it decided last.
fn autoscaler(name: &str, scaler: &AutoscalerState, at: SimTime, width: u16) -> Vec<Note> {
    let AutoscalerState { machines, min, max, .. } = scaler;
    let count = format!("{machines} ({min}–{max})");
    let pieces = if scaler.on {
        let room = width.saturating_sub(text::width(name) + text::width(&count) + 5);
        let held = truth::held(scaler);
        vec![piece(count, Role::Text), piece(text::fitting(&held, room), Role::Muted)]
    } else {
        vec![piece("off", Role::Warning), piece(count, Role::Text)]
    };
    let state = Note {
        urgent: false,
        pieces: joined(piece(name, Role::Text), pieces, width),
    };
    let last = scaler.decisions.last().map(|decision| {
        let time = decision.at.to_string();
        let time = &time[..time.len().saturating_sub(2)];
        let fresh = at.since(decision.at) < FRESH;
        let role = if fresh { Role::Text } else { Role::Muted };
        let words = text::wrap(&decision.text, width.saturating_sub(8))
            .into_iter()
            .enumerate();
        let lines = words.take(2).map(|(index, words)| {
            let label = if index == 0 { time } else { "" };
            Note {
                urgent: fresh,
                pieces: vec![piece(format!("{label:<8}"), Role::Muted), piece(words, role)],
            }
        });
        lines.collect::<Vec<Note>>()
    });
    std::iter::once(state).chain(last.into_iter().flatten()).collect()
}

/// Addresses of which the name servers believe something wrong, or that they leave out.
fn names(frame: &Frame, width: u16) -> Option<Note> {
    let dns = frame.services.iter().find_map(|state| state.dns.as_ref())?;
    let unwell = dns.records.iter().filter(|record| {
        let left_out = truth::evacuated(frame, record) || !truth::used(record, frame.at);
        dns.checked && (left_out || truth::misnamed(frame, record))
    });
    let mut urgent = false;
    let pieces: Vec<Piece> = unwell
        .map(|record| {
            let wrong = truth::misnamed(frame, record);
            urgent |= wrong;
            let belief = truth::named(frame, record, Some(dns.rules));
            let end = if wrong { " ◀ wrong" } else { "" };
            let role = if wrong { Role::Mismatch } else { Role::Warning };
            piece(format!("{} {belief}{end}", record.name), role)
        })
        .collect();
    (!pieces.is_empty()).then(|| Note {
        urgent,
        pieces: joined(piece("dns", Role::Text), pieces, width),
    })
}

/// Draws as many as there are lines, what is wrong before all else, each in its order.
pub(super) fn draw(notes: &[Note], area: Rect, painter: &mut Painter) {
    let mut order: Vec<usize> = (0..notes.len()).collect();
    order.sort_by_key(|index| !notes[*index].urgent);
    order.truncate(usize::from(area.height));
    order.sort_unstable();
    for (y, index) in (area.y..area.bottom()).zip(order) {
        let pieces: Vec<(&str, Role)> = notes[index]
            .pieces
            .iter()
            .map(|(words, role)| (words.as_str(), *role))
            .collect();
        painter.spans(area.x, y, area.width, &pieces);
    }
}
