//! Events in words, the newest at the bottom.

use ratatui::layout::Rect;

use crate::observe::{LogLine, Severity};
use crate::tui::app::{App, Pane};
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;

/// What the panel is about, for its title.
pub fn about(app: &App) -> String {
    match app.scrolled {
        0 => String::new(),
        lines => format!("{lines} back"),
    }
}

fn look(severity: Severity) -> (char, Role) {
    match severity {
        Severity::Info => ('·', Role::Muted),
        Severity::Good => ('✔', Role::Good),
        Severity::Warning => ('▲', Role::Warning),
        Severity::Bad => ('✖', Role::Bad),
    }
}

/// When it was, to the tenth of a second.
fn stamp(line: &LogLine) -> String {
    let mut at = line.at.to_string();
    at.truncate(at.len().saturating_sub(2));
    at
}

/// The words of an event, in lines beside its time.
fn wrapped(line: &LogLine, width: u16) -> Vec<String> {
    let beside = text::width(&stamp(line)) + 3;
    let mut words = text::wrap(&text::printable(&line.text), width.saturating_sub(beside).max(8));
    if words.is_empty() {
        words.push(String::new());
    }
    words
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let log = &app.frame().log;
    if log.is_empty() {
        painter.text(area.x, area.y, area.width, "Nothing has happened yet.", Role::Muted);
        return;
    }
    let end = log.len().saturating_sub(app.scrolled).max(1);
    // From the newest upwards, as many as there is room for; long ones take several lines.
    let mut below = area.height;
    let mut start = end;
    while start > 0 && below > 0 {
        let words = wrapped(&log[start - 1], area.width);
        if words.len() > usize::from(below) && start < end {
            break;
        }
        start -= 1;
        below = below.saturating_sub(words.len() as u16);
    }
    let mut y = area.y;
    for line in &log[start..end] {
        let (sign, role) = look(line.severity);
        let pieces: [(&str, Role); 4] = [
            (&stamp(line), Role::Muted),
            (" ", Role::Muted),
            (&sign.to_string(), role),
            (" ", Role::Muted),
        ];
        let used = painter.spans(area.x, y, area.width, &pieces);
        let role = if line.severity == Severity::Info {
            Role::Text
        } else {
            role
        };
        for words in wrapped(line, area.width) {
            if y < area.bottom() {
                painter.text(area.x + used, y, area.width.saturating_sub(used), &words, role);
            }
            y += 1;
        }
    }
    let hidden = start;
    if app.focus == Pane::Log && hidden > 0 {
        let words = format!(" {} above ", text::count(hidden as u64));
        painter.text_right(area.right(), area.y, area.width, &words, Role::Muted);
    }
}
