//! What lies above the screen: help, menus, a question, the line that is typed.

use ratatui::layout::Rect;

use crate::command::Command;
use crate::tui::app::{App, Over};
use crate::tui::glyph;
use crate::tui::menu::{Choice, Menu};
use crate::tui::nodes;
use crate::tui::paint::Painter;
use crate::tui::picker;
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::question::question;
use crate::tui::queues;
use crate::tui::text;
use crate::tui::theme::Role;

use super::{first_shown, inner};

/// Lines at the bottom of the screen that words may take.
const DETAIL: u16 = 4;

/// Draws what is open.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    match &app.over {
        Over::None => {}
        Over::Help(scrolled) => help(app, *scrolled, area, painter),
        Over::Menu(menu) if let Some(areas) = picker::areas(&app.over, area) => picker::draw(app, menu, areas, painter),
        Over::Menu(menu) => {
            draw_menu(menu, app.arrangement.menu, painter);
            cut_detail(menu, app.arrangement.menu, area, painter);
        }
        Over::Palette(palette) => {
            let menu = palette.menu(app);
            draw_menu(&menu, app.arrangement.menu, painter);
            cut_detail(&menu, app.arrangement.menu, area, painter);
        }
        Over::Confirm(command) => ask_about(app, command, area, painter),
        Over::Launch(launch) => {
            if let Some(command) = launch.asks_about() {
                ask_about(app, command, area, painter);
            }
        }
        Over::Prompt(prompt) => draw_prompt(app, prompt, area, painter),
        Over::Page(title, rows) => page(title, rows, area, painter),
    }
}

/// The question before a command.
fn ask_about(app: &App, command: &Command, area: Rect, painter: &mut Painter) {
    let words = question(command, app.frame(), area.width.saturating_sub(2));
    let bottom = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    lines(&words, Role::Refusal, bottom, painter);
    if let Some(ahead) = app.foreseen.as_ref().filter(|words| !words.is_empty()) {
        let rows = text::wrap(&text::printable(&words), bottom.width.saturating_sub(2))
            .len()
            .min(usize::from(DETAIL)) as u16;
        let above = Rect {
            y: bottom.y.saturating_sub(rows),
            ..bottom
        };
        lines(ahead, Role::Notice, above, painter);
    }
}

/// Words on a line, and on those above it as far as they need them.
pub fn lines(words: &str, role: Role, bottom: Rect, painter: &mut Painter) {
    lines_up_to(DETAIL, words, role, bottom, painter);
}

/// The same on so many lines at most.
fn lines_up_to(most: u16, words: &str, role: Role, bottom: Rect, painter: &mut Painter) {
    let words = text::wrap(&text::printable(words), bottom.width.saturating_sub(2));
    let first = (bottom.y + 1).saturating_sub(words.len().min(usize::from(most)) as u16);
    for (y, words) in (first..=bottom.y).zip(&words) {
        painter.clear(Rect { y, height: 1, ..bottom });
        painter.text(bottom.x, y, bottom.width, &format!(" {words} "), role);
    }
}

/// A table to be read.
fn page(title: &str, rows: &[String], area: Rect, painter: &mut Painter) {
    let widest = rows.iter().map(|row| text::width(row)).max().unwrap_or(0);
    let area = centered(area, (widest + 4).max(40), rows.len() as u16 + 2);
    popup(area, title, "any key closes", painter);
    let inside = inner(area);
    for (y, row) in (inside.y..inside.bottom()).zip(rows) {
        painter.text(inside.x + 1, y, inside.width.saturating_sub(2), row, Role::Text);
    }
}

/// A box above everything, with a title and a hint in its border.
pub fn popup(area: Rect, title: &str, hint: &str, painter: &mut Painter) {
    painter.clear(area);
    painter.frame(area, false, Role::Accent);
    painter.text(
        area.x + 2,
        area.y,
        area.width.saturating_sub(4),
        &format!(" {title} "),
        Role::Title,
    );
    if !hint.is_empty() {
        painter.text(
            area.x + 2,
            area.bottom().saturating_sub(1),
            area.width.saturating_sub(4),
            &format!(" {hint} "),
            Role::Muted,
        );
    }
}

fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
        width,
        height,
    )
}

/// Where a menu stands.
pub fn menu_area(menu: &Menu, area: Rect) -> Rect {
    let words = menu
        .entries
        .iter()
        .map(|entry| text::width(&entry.words))
        .max()
        .unwrap_or(0);
    let detail = menu
        .entries
        .iter()
        .map(|entry| text::width(&entry.detail))
        .max()
        .unwrap_or(0);
    let wide = (words + detail + 12)
        .max(text::width(&menu.hint) + 8)
        .max(text::width(&menu.title) + 8);
    let room = area.width.saturating_sub(4);
    // What has no room in its line stands in full below the menu.
    let below = if wide > room { DETAIL.min(area.height / 4) } else { 0 };
    let area = Rect {
        height: area.height - below,
        ..area
    };
    let margin = if below > 0 { 1 } else { 4 };
    let tall = (menu.entries.len() as u16 + 2).min(area.height.saturating_sub(margin));
    centered(area, wide.min(room), tall)
}

/// Where the palette stands, if it is at least so wide.
pub fn palette_area(wide: u16, area: Rect) -> Rect {
    let least = area.width.saturating_sub(4).min(90);
    centered(
        area,
        wide.max(least),
        (area.height * 2 / 3).min(area.height.saturating_sub(4)),
    )
}

/// What the line under the cursor has no room for, in full at the bottom of the screen.
fn cut_detail(menu: &Menu, inside: Rect, area: Rect, painter: &mut Painter) {
    let Some(entry) = menu.entries.get(menu.at) else { return };
    let words = menu.entries.iter().map(|entry| text::width(&entry.words)).max();
    let room = inside.width.saturating_sub(words.unwrap_or(0) + 11);
    if text::width(&entry.detail) >= room {
        let bottom = Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        };
        let below = Rect {
            y: (area.bottom() - DETAIL.min(area.height)).max(inside.bottom()),
            height: DETAIL.min(area.bottom().saturating_sub(inside.bottom())),
            ..area
        };
        painter.clear(below);
        lines(&entry.detail, Role::Text, bottom, painter);
    }
}

fn draw_menu(menu: &Menu, area: Rect, painter: &mut Painter) {
    let inside = inner(area);
    let below = menu
        .entries
        .len()
        .saturating_sub(first_shown(menu, inside.height) + usize::from(inside.height));
    let hint = if below > 0 {
        format!("{below} more below   {}", menu.hint)
    } else {
        menu.hint.clone()
    };
    popup(area, &menu.title, &hint, painter);
    entries(menu, inside, painter);
}

/// A menu in a box of its own, for which the names of its entries are enough.
pub fn draw_list(menu: &Menu, area: Rect, painter: &mut Painter) {
    popup(area, &menu.title, "enter opens  esc", painter);
    entries(menu, inner(area), painter);
}

/// The lines of a menu, as far as there is room.
fn entries(menu: &Menu, inside: Rect, painter: &mut Painter) {
    let words = menu
        .entries
        .iter()
        .map(|entry| text::width(&entry.words))
        .max()
        .unwrap_or(0);
    let first = first_shown(menu, inside.height);
    for (y, (index, entry)) in (inside.y..inside.bottom()).zip(menu.entries.iter().enumerate().skip(first)) {
        let key = entry.key.map_or_else(|| " ".to_string(), |key| key.to_string());
        let width = inside.width.saturating_sub(2);
        let mark = match entry.choice {
            _ if !entry.now => ' ',
            Choice::Try(_) => glyph::TICK,
            _ => glyph::CHOSEN,
        };
        let mark = format!(" {mark} ");
        let role = if entry.now { Role::Title } else { Role::Text };
        painter.spans(
            inside.x + 1,
            y,
            width,
            &[(&key, Role::Key), (&mark, Role::Good), (&entry.words, role)],
        );
        let x = inside.x + 1 + 4 + words + 3;
        painter.text(x, y, inside.right().saturating_sub(x + 1), &entry.detail, Role::Muted);
        if index == menu.at {
            painter.tint(Rect::new(inside.x, y, inside.width, 1), Role::Selected);
        }
    }
}

/// A line of the help page: keys or signs, and what they mean.
type HelpLine = (String, String, Role);

/// The page's two halves: keys, and signs with what else there is to know; each at most so wide.
fn help_lines(app: &App, labels: u16, width: u16) -> [Vec<HelpLine>; 2] {
    let mut halves = [Vec::new(), Vec::new()];
    let mut add = |half: usize, label: &str, words: &str, role: Role| {
        for (index, words) in text::wrap(words, width.saturating_sub(labels)).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            halves[half].push((label.to_string(), words, role));
        }
    };
    for row in app.keymap.rows() {
        add(0, &row.label(), row.binding.help, Role::Key);
    }
    for (sign, words, role) in signs(app) {
        add(1, sign, words, role);
    }
    for (about, words) in NOTES {
        add(1, about, words, Role::Title);
    }
    halves
}

/// What no key and no sign tells.
const NOTES: [(&str, &str); 3] = [
    (
        "slow motion",
        "After x, X, a hang or a cut, time runs at 0.1x for two seconds, so that one sees what happens. < > and space end it.",
    ),
    (
        "windows",
        "Figures marked (10s) are of the last ten seconds, (1s) of the last one; the chart has a column for each second.",
    ),
    ("mouse", "Click to select, click again to inspect; the wheel scrolls."),
];

fn help(app: &App, scrolled: u16, area: Rect, painter: &mut Painter) {
    let rows = app.keymap.rows();
    let labels = rows.iter().map(|row| text::width(&row.label())).max();
    let labels = labels.unwrap_or(0) + 2;
    let words = rows.iter().map(|row| text::width(row.binding.help)).max();
    // Side by side where there is room for both halves, else one below the other.
    let column = (labels + words.unwrap_or(0)).min(area.width.saturating_sub(6));
    let beside = area.width >= column * 2 + 9;
    let [keys, signs] = help_lines(app, labels, column);
    let split = keys.len() as u16 + 1;
    let (wide, content) = if beside {
        (column * 2 + 9, split.max(signs.len() as u16 + 1))
    } else {
        (column + 5, split + signs.len() as u16)
    };
    let tall = content + 2;
    let window = centered(area, wide, tall.min(area.height.saturating_sub(2)));
    let hint = if tall > window.height {
        "up and down scroll   any other key closes"
    } else {
        "any key closes"
    };
    popup(window, "keys", hint, painter);
    let inside = inner(window);
    let mut painter = painter.within(inside);
    let scrolled = scrolled.min(tall.saturating_sub(window.height));
    let (x, start) = if beside {
        (inside.x + 5 + column, 0)
    } else {
        (inside.x + 1, split)
    };
    for (x, start, lines) in [(inside.x + 1, 0, keys), (x, start, signs)] {
        for (row, (label, words, role)) in (start..).zip(&lines) {
            if let Some(y) = (inside.y + row).checked_sub(scrolled).filter(|y| *y >= inside.y) {
                painter.text(x, y, labels, label, *role);
                painter.text(x + labels, y, column - labels, words, Role::Text);
            }
        }
    }
}

fn signs(app: &App) -> Vec<(&'static str, &'static str, Role)> {
    let mut signs = vec![
        ("▁▂▃▄▅▆▇█", "up, and how busy", Role::Busy),
        (
            "╰── ▂▃▅ ╯",
            "the last seconds: load, of caches the hit ratio, of queues what waits; faint: without your acts",
            Role::Trend,
        ),
        ("✖ ☠", "process dead; machine and disk gone", Role::Bad),
        (
            "‖ ≠",
            "hung: accepts, never answers; cut off: works, but nobody reaches it",
            Role::Bad,
        ),
        ("◴ ◔ ◂ ◌", "boots; slowed; leaving; standby of a pair", Role::Warning),
        (
            "━ • ╌",
            "traffic; a single request; a way that nothing takes",
            Role::Flow,
        ),
        ("⊘", "a circuit breaker is open, or half open", Role::Warning),
        ("+12", "requests that wait", Role::Over),
    ];
    if nodes::first(app.frame()).is_some() {
        signs.extend([
            (
                "P R F C",
                "primary; replica; fenced: takes no writes; candidate: seeks a primary",
                Role::Title,
            ),
            (
                "= B V",
                "one of several primaries; copies all rows; replays its log",
                Role::Title,
            ),
            (
                "━━╸",
                "a node's log: the gap behind it is what it lacks, each ten times as much as long again",
                Role::Flow,
            ),
            (
                "╱╱ ▒▒",
                "no packet reaches it; rows in conflict, or writes put aside",
                Role::Bad,
            ),
            ("┈◆┉", "changes that nodes fetch from each other", Role::Trend),
        ]);
    }
    if queues::any(app.frame()) {
        signs.extend([
            ("░▒▓", "a queue: free; taken; taken, and it grows", Role::Flow),
            ("■", "messages on their way", Role::Flow),
        ]);
    }
    signs
}

fn draw_prompt(app: &App, prompt: &Prompt, area: Rect, painter: &mut Painter) {
    let (lead, about) = match prompt.purpose {
        Purpose::Command => (
            ":",
            app.usage(prompt.text())
                .unwrap_or_else(|| "tab completes, up and down recall, enter does it".to_string()),
        ),
        Purpose::Mark => ("m", "the name of the chapter that begins here".to_string()),
        Purpose::Predict(place) => ("?", app.asked_of(place)),
        Purpose::Find => ("/", "enter keeps the selection, n and N go on".to_string()),
    };
    let line = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let above = Rect { y: line.y - 1, ..line };
    painter.clear(line);
    painter.text(line.x + 1, line.y, 1, lead, Role::Key);
    let width = line.width.saturating_sub(4);
    let hidden = prompt.input.visual_scroll(usize::from(width));
    let shown: String = prompt.text().chars().skip(hidden).collect();
    painter.text(line.x + 2, line.y, width, &shown, Role::Typed);
    let cursor = line.x + 2 + prompt.input.visual_cursor().saturating_sub(hidden) as u16;
    painter.tint(Rect::new(cursor, line.y, 1, 1), Role::Selected);
    let nothing = app.notice.as_ref().filter(|_| prompt.purpose == Purpose::Find);
    let nothing = nothing.map(|notice| notice.words.clone());
    let (words, role) = match (prompt.refusal.clone().or(nothing), prompt.offers.is_empty()) {
        (Some(why), _) => (why, Role::Refusal),
        (None, true) => (about, Role::Muted),
        (None, false) => (prompt.offers.join("  "), Role::Title),
    };
    // Whoever types wants to read all of it.
    lines_up_to(area.height / 2, &words, role, above, painter);
}
