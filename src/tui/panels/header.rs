//! The strip at the top: is it healthy?

use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::engine::Pace;
use crate::tui::paint::Painter;
use crate::tui::past::Visit;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

/// A group of pieces, and how long it stays when room gets scarce: the lowest go first.
struct Group {
    stays: u8,
    pieces: Vec<(String, Role)>,
}

fn group(stays: u8, pieces: &[(&str, Role)]) -> Group {
    Group {
        stays,
        pieces: pieces
            .iter()
            .map(|(words, role)| ((*words).to_string(), *role))
            .collect(),
    }
}

impl Group {
    fn width(&self) -> u16 {
        self.pieces.iter().map(|(words, _)| text::width(words)).sum()
    }
}

/// Draws the strip.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    for x in area.x..area.right() {
        painter.put(x, area.y, ' ', Role::Header);
    }
    let fits = |groups: &[Group]| {
        let words: u16 = groups.iter().map(Group::width).sum();
        words + 2 * groups.len() as u16 <= area.width
    };
    let mut groups = groups(app, area.width < 100);
    while !fits(&groups) && groups.len() > 1 {
        let least = groups
            .iter()
            .enumerate()
            .min_by_key(|(_, group)| group.stays)
            .map_or(0, |(index, _)| index);
        groups.remove(least);
    }
    // What room is left goes between the groups, so that nothing clings to one side.
    let words: u16 = groups.iter().map(Group::width).sum();
    let gap = area
        .width
        .saturating_sub(words + 2)
        .checked_div(groups.len().saturating_sub(1) as u16)
        .unwrap_or(2)
        .clamp(2, 4);
    let mut x = area.x + 1;
    for group in &groups {
        for (words, role) in &group.pieces {
            x += painter.text(x, area.y, area.right().saturating_sub(x), words, Role::Header);
            let start = x - text::width(words).min(x);
            painter.tint(Rect::new(start, area.y, text::width(words), 1), *role);
        }
        x += gap;
    }
}

/// All groups; where room is tight, traffic goes without its label.
fn groups(app: &App, tight: bool) -> Vec<Group> {
    let frame = app.frame();
    let view = &app.view;
    let sign = if view.running || view.pace == Pace::Seeking {
        "▶ "
    } else {
        "⏸ "
    };
    let sign_role = match (view.running, view.pace) {
        (true, Pace::Chosen) => Role::Good,
        _ => Role::Warning,
    };
    let speed = match view.pace {
        Pace::SlowMotion => format!("{} slow motion", app.speed()),
        Pace::Seeking => "to the next milestone".to_string(),
        Pace::Following(_) if view.running => format!("{} following", app.speed()),
        Pace::Chosen if view.running => app.speed(),
        Pace::Chosen | Pace::Following(_) => format!("paused {}", view.speed.label()),
    };
    let time = frame.at.to_string();
    let time = &time[..time.len().saturating_sub(2)];
    let per_second = frame
        .services
        .iter()
        .filter_map(|service| service.users.as_ref())
        .map(|users| users.rate)
        .sum();
    let ended = frame.recent.ok + frame.recent.failed;
    // All three figures are of the same window; the chart's are of its last second.
    let window = format!("({}s) ", frame.recent_seconds.round().clamp(1.0, 10.0));
    let lead = if tight { "" } else { "traffic " };
    let ok = if ended == 0 {
        "–".to_string()
    } else {
        text::percent(frame.recent.ok_ratio())
    };
    let ok_role = match frame.recent.ok_ratio() {
        ratio if ratio >= 0.999 => Role::Good,
        ratio if ratio >= 0.95 => Role::Warning,
        _ => Role::Bad,
    };
    let (label, value) = (Role::Header, Role::HeaderValue);
    let latency = frame.recent_latency;
    let chaos = if frame.chaos.is_some() { "chaos" } else { "" };
    let failure = app.visit == Visit::Failure;
    let back = if failure { ":back returns" } else { "" };
    let mut groups = vec![
        group(10, &[(&app.name, value)]),
        group(9, &[(sign, sign_role), (&speed, value)]),
        group(8, &[(time, value)]),
        group(
            6,
            &[
                (lead, label),
                (&text::factor(frame.traffic), label),
                (" ", label),
                (&truth::of_second(frame.at, text::rate(per_second)), value),
            ],
        ),
        group(
            if failure { 8 } else { 0 },
            &[
                (if failure { "one failure, " } else { "" }, label),
                (back, Role::Warning),
            ],
        ),
        group(if frame.chaos.is_some() { 8 } else { 0 }, &[(chaos, Role::Bad)]),
        group(7, &[("ok", label), (&window, label), (&ok, ok_role)]),
        group(
            3,
            &[("p50", label), (&window, label), (&text::latency(latency.p50), value)],
        ),
        group(
            5,
            &[("p99", label), (&window, label), (&text::latency(latency.p99), value)],
        ),
        group(4, &[(&text::dollars(frame.price_per_hour), value), ("/h", label)]),
        group(2, &[("seed ", label), (&frame.seed.to_string(), value)]),
    ];
    groups.retain(|group| group.width() > 0);
    groups
}
