//! The line at the bottom: the keys that work where one stands, and what x would hit.

use std::borrow::Cow;

use ratatui::layout::Rect;

use crate::observe::Kind;
use crate::tui::app::{App, Over, Pane};
use crate::tui::changes;
use crate::tui::keymap::{Action, Binding};
use crate::tui::menu;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;

/// A key in the footer.
pub struct FooterKey {
    /// Where it stands.
    pub area: Rect,
    /// What a click on it does.
    pub action: Action,
    label: String,
    verb: String,
}

/// Below so many columns beside a message, there are no keys.
const LEAST_FOR_KEYS: u16 = 36;

/// The latest message; without one, how far an experiment or a blast has come, or how one who went back in time returns.
fn message(app: &App) -> Option<(Cow<'_, str>, Role)> {
    let notice = app.notice.as_ref();
    let notice = notice.map(|notice| (Cow::Borrowed(notice.words.as_str()), notice.role));
    let tried = || Some((app.tries.progress(app.frame().at)?.into(), Role::Title));
    let studied = || {
        Some((
            format!("blast {}", text::whole_percent(app.studied?)).into(),
            Role::Title,
        ))
    };
    let stranded = || {
        let still = app.is_stranded() && !app.view.running;
        still.then(|| (app.keymap.fill("in the past: {return} returns").into(), Role::Title))
    };
    notice.or_else(tried).or_else(studied).or_else(stranded)
}

/// Columns that the message takes from the line.
fn message_width(app: &App) -> u16 {
    let wide = |words: &str| text::width(&text::printable(words)).saturating_add(3);
    message(app).map_or(0, |(words, _)| wide(&words))
}

/// The message, at the right of the line; one that is too long takes lines above.
fn draw_message(app: &App, area: Rect, painter: &mut Painter) {
    let Some((words, role)) = message(app) else { return };
    let wide = message_width(app);
    if wide <= area.width {
        painter.text(area.right() - wide + 1, area.y, wide, &format!(" {words} "), role);
    } else {
        super::over::lines(&words, role, area, painter);
    }
}

/// Whether a key does something here and now.
fn works(app: &App, action: Action) -> bool {
    let topology = app.topology();
    let kind = app.selected.kind(topology);
    match action {
        Action::Kill | Action::Mend => kind != Some(Kind::Users),
        Action::Faults => menu::faults(app).is_some(),
        Action::More => {
            let own = app.selected.service();
            let scales = own.is_some_and(|service| changes::scalable(topology, service));
            scales || changes::replica(app).is_some()
        }
        Action::Edit => changes::any(app),
        Action::NextMilestone => {
            let open = app.frame().incidents.last();
            let known = app.timeline.events.iter().any(|event| event.at > app.timeline.at);
            known || open.is_some_and(|incident| incident.healed.is_none())
        }
        Action::Open => !app.choices.is_empty(),
        Action::Try => app.tries.any(),
        _ => true,
    }
}

fn verb(app: &App, binding: &Binding) -> String {
    match binding.actions[0] {
        Action::Kill => {
            let whole = matches!(app.selected, Item::Site(_));
            let word = if whole { "lose" } else { "kill" };
            format!("{word} {}", app.selected.title(app.topology()))
        }
        Action::More if changes::replica(app).is_some() => "replica".to_string(),
        Action::Pause if !app.view.running => "run".to_string(),
        Action::NextMilestone => "next milestone".to_string(),
        _ => binding.verb.to_string(),
    }
}

/// The keys that fit into a line. The last two, help and quit, always do.
pub fn keys(app: &App, area: Rect) -> Vec<FooterKey> {
    if app.over != Over::None {
        return Vec::new();
    }
    let area = Rect {
        width: area.width.saturating_sub(message_width(app)),
        ..area
    };
    if area.width < LEAST_FOR_KEYS {
        return Vec::new();
    }
    let mut shown: Vec<(String, String, Action)> = Vec::new();
    if app.focus == Pane::Log {
        shown.push(("up down".to_string(), "scroll".to_string(), Action::Up));
    }
    let rows = app.keymap.footer();
    let works = rows.iter().filter(|row| works(app, row.binding.actions[0]));
    shown.extend(works.map(|row| (row.short_label(), verb(app, row.binding), row.binding.actions[0])));
    let wide = |(label, verb, _): &(String, String, Action)| text::width(label) + text::width(verb) + 3;
    while shown.len() > 3 && shown.iter().map(wide).sum::<u16>() > area.width {
        shown.remove(shown.len() - 3);
    }
    let mut x = area.x + 1;
    let mut keys = Vec::new();
    for entry in shown {
        let width = wide(&entry) - 2;
        let (label, verb, action) = entry;
        keys.push(FooterKey {
            area: Rect::new(x, area.y, width, 1),
            action,
            label,
            verb,
        });
        x += width + 2;
    }
    keys
}

/// Draws the line.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    for key in keys(app, area) {
        let Rect { x, y, width, .. } = key.area;
        let max = width.min(area.right().saturating_sub(x));
        painter.spans(
            x,
            y,
            max,
            &[(&key.label, Role::Key), (" ", Role::Muted), (&key.verb, Role::Muted)],
        );
    }
    draw_message(app, area, painter);
}
