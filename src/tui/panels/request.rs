//! The request that is followed: a waterfall of what each machine did for it, and how its time was spent.

use ratatui::layout::Rect;

use crate::observe::{Doing, Followed, Kind, PhaseKind, Span, Spent};
use crate::sim::SimTime;
use crate::tui::app::App;
use crate::tui::glyph;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;

/// How many moments of a cell are looked at, so that what is short is seen too.
const LOOKS: u64 = 8;
/// Columns for how long a span took.
const TOOK: u16 = 7;

/// What stands in the border.
pub fn title(app: &App) -> String {
    let Some(root) = app.frame().followed.as_deref().and_then(Followed::root) else {
        return "request · waits for one".to_string();
    };
    // What the user wants is told by the first message to the site: before that the name may be looked up.
    let asks_names = |span: &Span| {
        let kind = span.place.map(|(service, _)| app.topology().services[service].kind);
        matches!(kind, Some(Kind::Dns | Kind::Resolver))
    };
    let spans = app.frame().followed.iter().flat_map(|followed| &followed.spans);
    let wish = spans.into_iter().find(|span| span.depth == 1 && !asks_names(span));
    let wish = wish.map_or(&root.title, |span| &span.title);
    text::printable(&format!("request · {wish} · {}", root.at)).into_owned()
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let frame = app.frame();
    let Some(followed) = frame.followed.as_deref() else {
        let words = "The next request that fits is followed from its beginning. {out} gives it up.";
        let words = app.keymap.fill(words);
        for (y, line) in (area.y..area.bottom()).zip(text::wrap(&words, area.width)) {
            painter.text(area.x, y, area.width, &line, Role::Muted);
        }
        return;
    };
    let Some(root) = followed.root() else { return };
    let now = frame.at;
    let end = followed.ended().unwrap_or(now);
    let (heads, rows, explained) = set_out(area);
    let told = [verdict(followed, root, end), shares(&followed.spent(now))];
    for (y, pieces) in (area.y..).zip(told.iter().take(usize::from(heads))) {
        let pieces: Vec<(&str, Role)> = pieces.iter().map(|(words, role)| (words.as_str(), *role)).collect();
        painter.spans(area.x, y, area.width, &pieces);
    }
    // While it is under way the scale stands still for as long as it can.
    let passed = end.since(root.sent).as_nanos() as u64;
    let scale = if followed.ended().is_some() {
        passed.max(1)
    } else {
        passed.max(1_000_000).next_power_of_two()
    };
    let first = first(app, followed, usize::from(rows.height));
    if explained {
        let line = Rect {
            y: rows.bottom(),
            height: 1,
            ..rows
        };
        let last = (first + usize::from(rows.height)).min(followed.spans.len());
        legend(app, (first, last, followed.spans.len()), line, painter);
    }
    waterfall(followed, (now, scale), (first, rows), painter);
}

/// How many lines there are above the waterfall, where that stands, and whether what its signs mean is told below.
fn set_out(area: Rect) -> (u16, Rect, bool) {
    let heads = area.height.saturating_sub(2).min(2);
    let explained = area.height - heads >= 3;
    let rows = Rect {
        y: area.y + heads,
        height: area.height - heads - u16::from(explained),
        ..area
    };
    (heads, rows, explained)
}

/// The first span that is shown: where the person has leafed to, else so that those are seen that are under way.
fn first(app: &App, followed: &Followed, height: usize) -> usize {
    let most = followed.spans.len().saturating_sub(height);
    let begun = followed.root().map(|root| root.sent);
    let leafed = app.leafed.filter(|(of, _)| Some(*of) == begun);
    if let Some((_, first)) = leafed {
        return first.min(most);
    }
    let now = app.frame().at;
    let front = followed.spans.iter().rposition(|span| span.is_open(now));
    let front = front.filter(|_| followed.ended().is_none()).unwrap_or(0);
    (front + 1).saturating_sub(height).min(most)
}

/// How far a key leafs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// So many lines.
    Lines(isize),
    /// So many pages.
    Pages(isize),
}

impl App {
    /// Leafs through the waterfall. False where there is none, or all of it is seen.
    pub(in crate::tui) fn leaf(&mut self, by: Leaf) -> bool {
        let Some(area) = self.arrangement.request else {
            return false;
        };
        let Some(followed) = self.frame().followed.clone() else {
            return false;
        };
        let border = if self.arrangement.compact { 1 } else { 2 };
        let inner = Rect {
            height: area.height.saturating_sub(border),
            ..area
        };
        let height = usize::from(set_out(inner).1.height);
        let (Some(root), true) = (followed.root(), followed.spans.len() > height) else {
            return false;
        };
        let most = followed.spans.len() - height;
        let lines = match by {
            Leaf::Lines(lines) => lines,
            Leaf::Pages(pages) => pages * (height.max(2).cast_signed() - 1),
        };
        let to = first(self, &followed, height).saturating_add_signed(lines).min(most);
        self.leafed = Some((root.sent, to));
        true
    }
}

/// How it stands with the request.
fn verdict(followed: &Followed, root: &Span, end: SimTime) -> Vec<(String, Role)> {
    let took = text::span(end.since(root.sent));
    match (followed.ended(), root.failure()) {
        (None, _) => vec![(format!("{took} so far"), Role::Title)],
        (Some(_), Some(why)) => vec![
            (format!("failed after {took}"), Role::Bad),
            (format!(": {why}"), Role::Text),
        ],
        (Some(_), None) => vec![(format!("answered after {took}"), Role::Good)],
    }
}

/// How its time was spent, what took most first.
fn shares(spent: &Spent) -> Vec<(String, Role)> {
    let mut parts = [
        (spent.wire, "on the wire", Role::Flow),
        (spent.queue, "in queues", Role::Hot),
        (spent.work, "at work", Role::Good),
        (spent.other, "waiting", Role::Muted),
    ];
    parts.sort_by_key(|part| std::cmp::Reverse(part.0));
    let all: u64 = parts.iter().map(|part| part.0).sum();
    let told = parts.iter().filter(|part| part.0 > 0);
    told.flat_map(|(part, words, role)| {
        let share = text::whole_percent(*part as f64 / all.max(1) as f64);
        [(format!("{share} "), *role), (format!("{words}  "), Role::Muted)]
    })
    .collect()
}

/// A line for each span, from the first one that is shown.
fn waterfall(followed: &Followed, (now, scale): (SimTime, u64), (first, area): (usize, Rect), painter: &mut Painter) {
    let Some(root) = followed.root() else { return };
    let names = (area.width * 2 / 5).clamp(12, 36).min(area.width);
    let bars = area.width.saturating_sub(names + TOOK + 2);
    for (y, (index, span)) in (area.y..area.bottom()).zip(followed.spans.iter().enumerate().skip(first)) {
        let indent = "  ".repeat(span.depth.min(5));
        // What the user wants stands in the title.
        let what = if span.parent.is_none() { "" } else { &span.title };
        let words = format!("{indent}{} {what}", text::printable(&span.at));
        let role = match (span.failure(), span.is_open(now) && followed.ended().is_none()) {
            (Some(_), _) => Role::Bad,
            (None, true) => Role::Title,
            (None, false) => Role::Muted,
        };
        painter.text(area.x, y, names, &text::clip(&words, names), role);
        let children: Vec<&Span> = followed
            .spans
            .iter()
            .filter(|child| child.parent == Some(index))
            .collect();
        for cell in 0..bars {
            let from = root.sent.0 + scale * u64::from(cell) / u64::from(bars.max(1));
            let to = root.sent.0 + scale * (u64::from(cell) + 1) / u64::from(bars.max(1));
            let (sign, role) = look(span, &children, (from, to), now);
            painter.put(area.x + names + 1 + cell, y, sign, role);
        }
        let end = span.heard.or(span.ended).unwrap_or(now).min(now.max(span.sent));
        let words = match (span.failure(), span.given_up) {
            (Some(_), _) => format!("{} {}", glyph::DEAD, text::span(end.since(span.sent))),
            (None, true) => format!("gave up {}", text::span(end.since(span.sent))),
            (None, false) => text::span(end.since(span.sent)),
        };
        let words = text::clip(&words, TOOK);
        painter.text_right(area.right(), y, TOOK, &words, role);
    }
}

/// What a span was at within a cell: of several things the one that is most worth seeing.
fn look(span: &Span, children: &[&Span], (from, to): (u64, u64), now: SimTime) -> (char, Role) {
    let mut best = (0, ' ', Role::Faint);
    for step in 0..LOOKS {
        let at = SimTime(from + (to - from) * step / LOOKS);
        if at > now || !span.is_open(at) {
            continue;
        }
        let seen = match span.doing(at) {
            Doing::Phase(PhaseKind::Work) => (5, '█', Role::Good),
            Doing::Phase(PhaseKind::Slot | PhaseKind::Core) => (4, '░', Role::Hot),
            Doing::Wire if span.arrives.is_none() => (3, glyph::TEAR, Role::Bad),
            Doing::Wire => (3, '·', Role::Flow),
            Doing::Other if children.iter().any(|child| child.is_open(at)) => (1, '─', Role::Faint),
            Doing::Other => (2, '╌', Role::Muted),
        };
        if seen.0 > best.0 {
            best = seen;
        }
    }
    (best.1, best.2)
}

/// What the signs mean; and where the lines stand among all of them, if those are more.
fn legend(app: &App, (first, last, all): (usize, usize, usize), area: Rect, painter: &mut Painter) {
    let hidden = if last - first < all {
        let [down, up] = [Action::Down, Action::Up].map(|action| app.keymap.key(action));
        format!("{}–{last} of {all}: {down} {up}   ", first + 1)
    } else {
        String::new()
    };
    let pieces = [
        (hidden.as_str(), Role::Title),
        ("·", Role::Flow),
        (" wire  ", Role::Muted),
        ("░", Role::Hot),
        (" in queue  ", Role::Muted),
        ("█", Role::Good),
        (" at work  ", Role::Muted),
        ("─", Role::Faint),
        (" waits for another", Role::Muted),
    ];
    painter.spans(area.x, area.y, area.width, &pieces);
}
