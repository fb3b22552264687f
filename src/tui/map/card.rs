//! A service as a card.

use ratatui::layout::Rect;

use crate::observe::{InstanceState, Kind, NodeState, ServiceInfo};
use crate::tui::glyph;
use crate::tui::lens::Lens;
use crate::tui::nodes;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::trend;
use crate::tui::truth::{self, Truth};

use super::draw::{Scene, Window};
use super::layout::{Card, Density};
use super::{figures, messages};

/// Draws one service.
pub fn draw(scene: &Scene, card: &Card, window: &Window, painter: &mut Painter) {
    let shown = window.rect(card.area);
    if shown.is_empty() {
        return;
    }
    painter.clear(shown);
    let kind = scene.frame.topology.services[card.service].kind;
    match card.density {
        Density::Bare => return bare(scene, card, window, painter),
        Density::Slim => return slim(scene, card, window, painter),
        Density::Line => return line(scene, card, window, painter),
        Density::Rows | Density::Grid => {}
    }
    border(scene, card, shown, window, painter);
    match kind {
        Kind::Users => users(scene, card, window, painter),
        _ => instances(scene, card, window, painter),
    }
}

/// Whether all, some or none of it serves, as a role for its border.
fn mood(scene: &Scene, card: &Card) -> Role {
    let (up, all) = truth::serving(scene.frame, card.service);
    if all > 0 && up == 0 {
        Role::Bad
    } else if scene.selected == Item::Service(card.service) {
        Role::Accent
    } else {
        Role::Faint
    }
}

fn border(scene: &Scene, card: &Card, shown: Rect, window: &Window, painter: &mut Painter) {
    let role = mood(scene, card);
    if shown.height == card.area.height {
        painter.frame(shown, false, role);
    }
    let area = card.area;
    if let Some((x, y)) = window.place(area.x + 1, area.y) {
        let used = title(scene, card, x, y, area.width - 2, painter);
        let rate = format!(" {} ", rate(scene, card));
        let kind = scene.frame.topology.services[card.service].kind;
        let asked = !matches!(kind, Kind::Autoscaler | Kind::Monitor);
        if asked && used + text::width(&rate) < area.width - 2 {
            painter.text_right(x + area.width - 2, y, area.width, &rate, Role::Muted);
        }
    }
    let words = below(scene, card);
    let words = text::fitting(&words, area.width.saturating_sub(4));
    let Some((x, y)) = window.place(area.x + 1, area.bottom() - 1) else {
        return;
    };
    let mut used = 0;
    if !words.is_empty() {
        used = painter.text(x, y, area.width - 2, &format!(" {words} "), Role::Muted);
    }
    let room = (area.width - 2).saturating_sub(used + 3).min(SECONDS.1);
    if room < SECONDS.0 || scene.frame.topology.services[card.service].kind == Kind::Users {
        return;
    }
    if let Some(trend) = trend::of_service(scene.frame, scene.twin, card.service, room) {
        let place = Rect::new(x + area.width - 3 - room, y, room, 1);
        trend.draw(place, painter, |_| Role::Trend);
    }
}

/// Seconds of a trend in the lower border of a card, at least and at most.
const SECONDS: (u16, u16) = (5, 12);

/// What people asked in the last seconds.
fn asked(scene: &Scene, card: &Card, area: Rect, painter: &mut Painter) {
    if let Some(trend) = trend::of_service(scene.frame, scene.twin, card.service, trend::MINUTE as u16) {
        trend.draw(area, painter, |_| Role::Trend);
    }
}

fn rate(scene: &Scene, card: &Card) -> String {
    let state = &scene.frame.services[card.service];
    // What comes to a queue is messages, and what workers do is messages too.
    let users = state.users.as_ref().map(|users| users.rate);
    let queue = state.queue.as_ref().map(|queue| queue.rate_in);
    let workers = state.workers.as_ref().map(|workers| workers.rate);
    let rate = users.or(queue).or(workers).unwrap_or(state.rate);
    truth::of_second(scene.frame.at, text::rate(rate))
}

/// The name, cut where there is no room for all of it; of those that stand below what they watch or scale, what they are tells more than of what.
fn name(service: &ServiceInfo, max: u16) -> String {
    let name = text::printable(&service.name);
    let told_by_end = matches!(service.kind, Kind::Autoscaler | Kind::Monitor);
    let end = name
        .rsplit_once('-')
        .filter(|_| told_by_end && text::width(&name) > max);
    let end = end
        .map(|(_, end)| format!("…{end}"))
        .filter(|end| text::width(end) <= max);
    end.unwrap_or_else(|| text::clip(&name, max).into_owned())
}

/// The name, and how many of how many serve.
fn title(scene: &Scene, card: &Card, x: u16, y: u16, max: u16, painter: &mut Painter) -> u16 {
    let service = &scene.frame.topology.services[card.service];
    let (up, all) = truth::serving(scene.frame, card.service);
    let selected = scene.selected == Item::Service(card.service);
    let role = if selected { Role::Selected } else { Role::Title };
    // The spaces around a name give way before its letters do.
    let name = name(service, max);
    let name = match max.saturating_sub(text::width(&name)) {
        0 => name,
        1 => format!(" {name}"),
        _ => format!(" {name} "),
    };
    let mut used = painter.text(x, y, max, &name, role);
    if all > 1 {
        let role = match up {
            _ if selected => Role::Selected,
            0 => Role::Bad,
            up if up < all => Role::Warning,
            _ => Role::Muted,
        };
        // A count that is cut would be another one.
        let words = format!("{up}/{all} ");
        let left = max.saturating_sub(used);
        let words = if text::width(&words) > left {
            words.trim_end()
        } else {
            &words
        };
        if text::width(words) <= left {
            used += painter.text(x + used, y, left, words, role);
        }
    }
    used
}

/// What stands in the lower border, at several lengths.
fn below(scene: &Scene, card: &Card) -> Vec<String> {
    let service = &scene.frame.topology.services[card.service];
    let state = &scene.frame.services[card.service];
    if let Some(users) = &state.users {
        return match users.waiting {
            0 => Vec::new(),
            waiting => vec![format!("{} waiting", text::short(waiting as f64))],
        };
    }
    if let Some(held) = truth::sessions_within(state) {
        let short = text::short(held as f64);
        return vec![format!("{} sessions", text::count(held)), format!("{short} sess.")];
    }
    match (service.kind, service.instances.as_slice()) {
        (Kind::Dns | Kind::Autoscaler | Kind::Monitor, _) => Vec::new(),
        (Kind::Cache | Kind::Cdn | Kind::Shield, _) => figures::notes(scene, card.service),
        (Kind::Queue, _) => messages::notes(scene, card.service),
        (Kind::Workers, _) => messages::trouble(scene, card.service),
        (Kind::Database, _) if risky(scene, card.service) > 0 => {
            let short = text::short(risky(scene, card.service) as f64);
            vec![format!("at risk: {short}"), format!("{short} risk")]
        }
        (_, [only]) if card.density == Density::Rows => vec![only.address.clone()],
        _ => Vec::new(),
    }
}

/// Writes that would be lost with the primary, on the card where that is.
fn risky(scene: &Scene, service: usize) -> u64 {
    let Some(database) = nodes::of(scene.frame, service) else {
        return 0;
    };
    let here = |node: &NodeState| node.instance.is_some_and(|place| place.0 == service);
    let leads = database
        .shards
        .iter()
        .any(|shard| nodes::leader(database, shard.number).is_some_and(here));
    if leads { database.promises.at_risk } else { 0 }
}

fn users(scene: &Scene, card: &Card, window: &Window, painter: &mut Painter) {
    let Some(users) = &scene.frame.services[card.service].users else {
        return;
    };
    // A resolver has the lines below.
    let area = Rect {
        height: card.area.height - card.foot,
        ..card.area
    };
    let width = area.width - 4;
    let recent = users.recent;
    let ended = recent.ok + recent.failed;
    let ok = if ended == 0 {
        "–".to_string()
    } else {
        text::percent(recent.ok_ratio())
    };
    let people = format!("{} users", text::short(users.count as f64));
    if let Some((x, y)) = window.place(area.x + 2, area.y + 1) {
        if area.height >= 5 {
            let options = [people, text::short(users.count as f64)];
            painter.text(x, y, width, text::fitting(&options, width), Role::Text);
        } else {
            let lead = format!("{people}  ok ");
            let options = [
                lead,
                format!("{}  ok ", text::short(users.count as f64)),
                "ok ".to_string(),
            ];
            let lead = text::fitting(&options, width.saturating_sub(text::width(&ok)));
            painter.spans(x, y, width, &[(lead, Role::Muted), (&ok, ok_role(recent.ok_ratio()))]);
        }
    }
    if let (true, Some((x, y))) = (area.height >= 5, window.place(area.x + 2, area.y + 2)) {
        painter.spans(x, y, width, &[("ok ", Role::Muted), (&ok, ok_role(recent.ok_ratio()))]);
    }
    if let Some((x, y)) = window.place(area.x + 2, area.bottom() - 2) {
        asked(scene, card, Rect::new(x, y, width, 1), painter);
    }
}

/// How a share of requests that were answered well looks.
pub fn ok_role(ratio: f64) -> Role {
    match ratio {
        ratio if ratio >= 0.999 => Role::Good,
        ratio if ratio >= 0.95 => Role::Warning,
        _ => Role::Bad,
    }
}

fn instances(scene: &Scene, card: &Card, window: &Window, painter: &mut Painter) {
    let state = &scene.frame.services[card.service];
    // Where several share a cell, what is wrong lies above what is well, and the selection above all.
    let mut order: Vec<usize> = (0..card.cells.len().min(state.instances.len())).collect();
    order.sort_by_key(|index| {
        let selected = scene.selected == Item::Instance(card.service, *index);
        (selected, !truth::serves(&state.instances[*index]))
    });
    for index in order {
        let (cell, instance) = (&card.cells[index], &state.instances[index]);
        let Some((x, y)) = window.place(cell.x, cell.y) else {
            continue;
        };
        if card.density == Density::Rows {
            row(scene, card, index, instance, (x, y), painter);
        } else {
            let truth = truth::of(instance, scene.frame.at);
            let (sign, role) = seen(scene, card.service, index, &truth);
            let selected = scene.selected == Item::Instance(card.service, index);
            let mut x = x;
            if let (true, Some((letter, role))) = (cell.width > 1, letter(scene, card.service, index)) {
                painter.put(x, y, letter, if selected { chosen(&truth) } else { role });
                x += 1;
            }
            // A full bar in the colours of the selection would be a hole.
            let shown = if selected && truth::serves(instance) {
                glyph::SELECTED
            } else {
                sign
            };
            painter.put(x, y, shown, if selected { chosen(&truth) } else { role });
        }
    }
    beside(scene, card, window, painter);
    let area = card.area;
    let first = card.cells.last().map_or(area.y + 1, |cell| cell.y + 1);
    for (row, options) in (first..area.bottom() - 1).zip(figures::extra(scene, card)) {
        if let Some((x, y)) = window.place(area.x + 2, row) {
            let words = text::fitting(&options, area.width - 4);
            painter.text(x, y, area.width - 4, words, Role::Muted);
        }
    }
}

/// Beside the cells of monitors: who holds the lease; of caches: their hit ratio; of workers: how busy they are.
fn beside(scene: &Scene, card: &Card, window: &Window, painter: &mut Painter) {
    let words = match scene.frame.topology.services[card.service].kind {
        Kind::Monitor if is_told(scene, card.service) => figures::lease(scene, card.service),
        Kind::Workers if card.density != Density::Rows && card.cells.len() > 1 => messages::busy(scene, card.service),
        Kind::Cache | Kind::Cdn | Kind::Shield
            if card.density != Density::Rows && truth::serving(scene.frame, card.service).0 > 0 =>
        {
            let bare = !card.density.is_bordered();
            // Without a border there is no other place for what is wrong.
            let notes = figures::notes(scene, card.service).into_iter().filter(|_| bare);
            notes.chain(figures::hits(scene, card.service)).collect()
        }
        _ => return,
    };
    let Some(last) = card.cells.last() else { return };
    let x = last.right() + if card.density == Density::Slim { 1 } else { 2 };
    let border = u16::from(card.density.is_bordered());
    let room = (card.area.right() - border).saturating_sub(x);
    if let Some((x, y)) = window.place(x, last.y) {
        painter.text(x, y, room, text::fitting(&words, room), Role::Muted);
    }
}

/// Whether what stands beside the cell of a single instance tells enough of it, so that there are no figures: who holds a lease, while
/// somebody watches.
fn is_told(scene: &Scene, service: usize) -> bool {
    truth::serving(scene.frame, service).0 > 0 && !figures::lease(scene, service).is_empty()
}

/// The letter of a node's role, if it has a role: the sign beside it says how it is.
fn letter(scene: &Scene, service: usize, index: usize) -> Option<(char, Role)> {
    let (database, node) = nodes::at(scene.frame, service, index)?;
    let (sign, role) = nodes::sign(scene.frame, database, node);
    Some(if sign.is_ascii() { (sign, role) } else { (' ', role) })
}

/// The sign of an instance and its role: what is broken shows that, the rest what the lens measures.
pub(super) fn seen(scene: &Scene, service: usize, index: usize, truth: &Truth) -> (char, Role) {
    if scene.lens == Lens::Health || !truth::serves(&scene.frame.services[service].instances[index]) {
        return (truth.sign, truth.role);
    }
    let reading = scene.lens.reading(scene.frame, service, index);
    reading.map_or((glyph::NOTHING, Role::Faint), |reading| (reading.sign, reading.role))
}

/// How the selection looks on an instance.
pub(super) fn chosen(truth: &Truth) -> Role {
    if truth.role == Role::Bad {
        Role::SelectedBad
    } else {
        Role::Selected
    }
}

/// One instance in a line of its own: sign, number, load, rate, or what is wrong with it.
fn row(scene: &Scene, card: &Card, index: usize, state: &InstanceState, (x, y): (u16, u16), painter: &mut Painter) {
    let service = &scene.frame.topology.services[card.service];
    let truth = truth::of(state, scene.frame.at);
    let selected = scene.selected == Item::Instance(card.service, index);
    let width = card.area.width - 2;
    let label = service.instances[index].label.as_ref();
    let number = match service.instances[index].selector.rsplit_once('/') {
        // Of an edge its name is told: that is where it stands.
        Some(_) if label.is_some() && width >= 9 => {
            let label = label.map_or("", String::as_str);
            format!("{:<1$} ", text::clip(label, width - 9), usize::from(width.min(20) - 9))
        }
        Some((_, number)) if service.instances.len() > 1 => format!("/{number} "),
        _ => String::new(),
    };
    let (sign, sign_role) = seen(scene, card.service, index, &truth);
    let sign = sign.to_string();
    let healthy = truth::serves(state) && !state.draining && !state.resting;
    let letter = letter(scene, card.service, index).map(|(letter, role)| (letter.to_string(), role));
    let letter = letter
        .as_ref()
        .map_or(("", Role::Text), |(letter, role)| (letter.as_str(), *role));
    let mut used = painter.spans(
        x,
        y,
        width,
        &[
            (" ", Role::Text),
            letter,
            (&sign, sign_role),
            (" ", Role::Text),
            (&number, Role::Text),
        ],
    );
    let rest = width - used;
    let figures = if healthy {
        figures::of(scene, card, index, rest)
    } else {
        vec![(truth.fitting(rest), truth.role)]
    };
    let figures: Vec<(&str, Role)> = figures.iter().map(|(words, role)| (words.as_str(), *role)).collect();
    used += painter.spans(x + used, y, rest, &figures);
    if selected {
        painter.tint(Rect::new(x, y, width.max(used), 1), chosen(&truth));
    }
}

/// A line within another card: a sign, what it is, and as much more as there is room for.
fn line(scene: &Scene, card: &Card, window: &Window, painter: &mut Painter) {
    let Some((x, y)) = window.place(card.area.x, card.area.y) else {
        return;
    };
    let Some(state) = scene.frame.services[card.service].instances.first() else {
        return;
    };
    let truth = truth::of(state, scene.frame.at);
    let sign = truth.sign.to_string();
    let width = card.area.width;
    let words = figures::line(scene, card.service, state);
    let words = text::fitting(&words, width.saturating_sub(3));
    let role = if truth::serves(state) { Role::Muted } else { truth.role };
    painter.spans(
        x,
        y,
        width,
        &[(" ", Role::Text), (&sign, truth.role), (" ", Role::Text), (words, role)],
    );
    if scene.selected.service() == Some(card.service) {
        painter.tint(Rect::new(x, y, width, 1), chosen(&truth));
    }
}

/// A card of one row: the name, and cells beside it.
fn slim(scene: &Scene, card: &Card, window: &Window, painter: &mut Painter) {
    let (area, role) = (card.area, mood(scene, card));
    let service = &scene.frame.topology.services[card.service];
    let first = card.cells.first().map_or(area.right(), |cell| cell.x);
    if let Some((x, y)) = window.place(area.x, area.y) {
        let name_role = match (scene.selected == Item::Service(card.service), role) {
            (true, Role::Bad) => Role::SelectedBad,
            (true, _) => Role::Selected,
            (false, Role::Bad) => Role::Bad,
            (false, _) => Role::Title,
        };
        let room = (first - area.x).saturating_sub(1);
        painter.text(x, y, room, &name(service, room), name_role);
    }
    instances(scene, card, window, painter);
    let told =
        is_told(scene, card.service) || matches!(service.kind, Kind::Workers | Kind::Cache | Kind::Cdn | Kind::Shield);
    let (Some(state), Some(last)) = (scene.frame.services[card.service].instances.first(), card.cells.last()) else {
        return;
    };
    let x = last.right() + 1;
    if let (true, false, Some((x, y))) = (card.cells.len() == 1, told, window.place(x, last.y)) {
        let truth = truth::of(state, scene.frame.at);
        let room = area.right().saturating_sub(last.right() + 1);
        let figures = if truth::serves(state) {
            figures::of(scene, card, 0, room)
        } else {
            vec![(truth.words, truth.role)]
        };
        let figures: Vec<(&str, Role)> = figures.iter().map(|(words, role)| (words.as_str(), *role)).collect();
        painter.spans(x, y, room, &figures);
    }
}

/// A card without a border: name and rate, then cells or a trend.
fn bare(scene: &Scene, card: &Card, window: &Window, painter: &mut Painter) {
    let area = card.area;
    let role = mood(scene, card);
    if let Some((x, y)) = window.place(area.x, area.y) {
        let used = title(scene, card, x, y, area.width, painter);
        let words = rate(scene, card);
        if used + text::width(&words) <= area.width {
            painter.text(
                x + used,
                y,
                area.width - used,
                &words,
                if role == Role::Bad { role } else { Role::Muted },
            );
        }
    }
    if let Some(users) = &scene.frame.services[card.service].users {
        if let Some((x, y)) = window.place(area.x + 1, area.y + 1) {
            let people = format!("{} ", text::short(users.count as f64));
            let used = painter.text(x, y, area.width - 1, &people, Role::Muted);
            let place = Rect::new(x + used, y, area.width - 1 - used, 1);
            asked(scene, card, place, painter);
        }
        return;
    }
    instances(scene, card, window, painter);
    let single = card.cells.len() == 1 && !is_told(scene, card.service);
    let state = scene.frame.services[card.service].instances.first();
    let after = card.cells.first().map_or(2, |cell| cell.width + 1);
    if let (true, Some(state), Some((x, y))) = (single, state, window.place(area.x + after, area.y + 1)) {
        let truth = truth::of(state, scene.frame.at);
        let figures = if truth::serves(state) {
            figures::of(scene, card, 0, area.width - after)
        } else {
            vec![(truth.words, truth.role)]
        };
        let figures: Vec<(&str, Role)> = figures.iter().map(|(words, role)| (words.as_str(), *role)).collect();
        painter.spans(x, y, area.width - after, &figures);
    }
}
