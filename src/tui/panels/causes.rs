//! Why requests fail, and where.

use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;

/// What the panel is about, for its title.
pub fn about(app: &App) -> String {
    let total = app.frame().total;
    if total.failed + total.retried == 0 {
        return String::new();
    }
    format!(
        "{} failed, {} retried",
        text::short(total.failed as f64),
        text::short(total.retried as f64)
    )
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let causes = &app.frame().causes;
    if causes.is_empty() {
        painter.text(
            area.x,
            area.y,
            area.width,
            "No request has failed or was retried.",
            Role::Muted,
        );
        return;
    }
    let most = causes.iter().map(|cause| cause.count).max().unwrap_or(1).max(1);
    let reason = causes
        .iter()
        .map(|cause| text::width(cause.reason.name()))
        .max()
        .unwrap_or(8)
        + 1;
    let longest = causes.iter().map(|cause| text::width(&cause.at)).max().unwrap_or(4) + 1;
    // Counts take seven columns and those of late nine, with a space between them.
    let room = area.width.saturating_sub(reason + 18).min(area.width / 3);
    let place = longest.min(room).max(6);
    let bar = area.width.saturating_sub(reason + place + 8 + 10).min(20);
    let head = area.height >= 4;
    if head {
        let x = area.x + reason + place;
        painter.text(area.x, area.y, reason, "why", Role::Muted);
        painter.text(area.x + reason, area.y, place, "where", Role::Muted);
        painter.text_right(x + 7, area.y, 7, "count", Role::Muted);
        painter.text_right(area.right(), area.y, 9, "last 10s", Role::Muted);
    }
    let first = area.y + u16::from(head);
    for (y, cause) in (first..area.bottom()).zip(causes) {
        let now = cause.recent > 0;
        let mut x = area.x;
        painter.text(
            x,
            y,
            reason - 1,
            cause.reason.name(),
            if now { Role::Bad } else { Role::Text },
        );
        x += reason;
        painter.text(x, y, place - 1, &text::clip_middle(&cause.at, place - 1), Role::Text);
        x += place;
        painter.text_right(x + 7, y, 7, &text::count(cause.count), Role::Text);
        x += 8;
        let share = cause.count as f64 / most as f64;
        painter.text(
            x,
            y,
            bar,
            &glyph::bar(share, bar),
            if now { Role::Bad } else { Role::Faint },
        );
        let recent = if now {
            format!("+{}", text::count(cause.recent))
        } else {
            "–".to_string()
        };
        painter.text_right(area.right(), y, 9, &recent, if now { Role::Bad } else { Role::Muted });
    }
}
