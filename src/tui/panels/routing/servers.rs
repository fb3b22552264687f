//! Servers as one sees them who checks them: what is sent there, what is true, and what is believed.

use ratatui::layout::Rect;

use crate::observe::{BackendState, Frame, Health, InstanceState};
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

/// A server, or several that are alike.
#[derive(Clone)]
pub(super) struct Row {
    /// Its name.
    pub name: String,
    /// The same in its row: with its weight where weights differ.
    label: String,
    /// Its sign.
    pub sign: char,
    /// In one word, how it is.
    pub state: &'static str,
    /// In words, what is believed of it.
    pub belief: String,
    /// Whether that is wrong.
    pub wrong: bool,
    share: f64,
    /// Whether a second has passed, so that the share is known.
    known: bool,
    truth: String,
    truth_role: Role,
    /// It is well and believed so: it may be put together with others.
    alike: bool,
}

/// Columns of the word for a share.
const SENT: u16 = 5;

/// What is worth a mention in each row, since it differs from row to row.
#[derive(Clone, Copy)]
pub(super) struct Views {
    weights: bool,
}

/// What is worth a mention in the rows of these servers.
pub(super) fn views(backends: &[BackendState]) -> Views {
    let differ = |pair: &[BackendState]| (pair[0].weight - pair[1].weight).abs() > 1e-9;
    Views {
        weights: backends.windows(2).any(differ),
    }
}

impl Row {
    /// The row of a server. The name of the checker's own data center goes without saying.
    pub(super) fn of(
        frame: &Frame,
        backend: &BackendState,
        rules: Option<(u32, u32)>,
        views: Views,
        site: Option<&str>,
    ) -> Row {
        let name = site.and_then(|site| backend.name.strip_prefix(site));
        let name = name.unwrap_or(&backend.name).to_string();
        let label = if views.weights {
            format!("{name} ×{}", backend.weight)
        } else {
            name.clone()
        };
        let belief = truth::belief(backend, rules, frame.at);
        let known = truth::is_measured(frame.at);
        let Some(state) = truth::subject(frame, backend) else {
            return Row {
                name,
                label,
                share: backend.share,
                known,
                sign: glyph::GONE,
                truth: "left".to_string(),
                state: "gone",
                truth_role: Role::Muted,
                belief,
                wrong: false,
                alike: false,
            };
        };
        let truth = truth::of(state, frame.at);
        let well = state.health == Health::Up && state.slow <= 1.0 && !state.draining && !state.resting;
        let words = if well && state.active.is_none() {
            let load = text::whole_percent(state.utilisation);
            format!("up {}", truth::of_second(frame.at, load))
        } else {
            truth.words
        };
        let wrong = truth::mistaken(backend, state, frame.at);
        Row {
            name,
            label,
            share: backend.share,
            known,
            sign: truth.sign,
            truth: words,
            state: state_word(state),
            truth_role: truth.role,
            wrong,
            alike: !wrong && well && belief == "up",
            belief,
        }
    }

    /// The row of an address that nobody checks: nothing is believed of it.
    pub(super) fn unchecked(self) -> Row {
        Row {
            belief: String::new(),
            wrong: false,
            alike: self.truth_role != Role::Bad,
            ..self
        }
    }

    /// The row of an address whose data center is evacuated: it is left out as was asked for.
    pub(super) fn evacuated(self) -> Row {
        Row {
            belief: "evacuated".to_string(),
            wrong: false,
            alike: false,
            ..self
        }
    }

    /// The row with another share.
    pub(super) fn sharing(self, share: f64) -> Row {
        Row { share, ..self }
    }
}

fn state_word(state: &InstanceState) -> &'static str {
    match state.health {
        Health::Booting { .. } => "booting",
        Health::Up => "up",
        Health::Hung => "hung",
        Health::Down => "dead",
        Health::Destroyed => "destroyed",
        Health::CutOff => "cut off",
    }
}

/// Fits rows into a number of lines: those that are healthy and believed so become one.
pub(super) fn condense(rows: Vec<Row>, room: usize) -> Vec<Row> {
    if rows.len() <= room {
        return rows;
    }
    let (well, mut shown): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.alike);
    shown.sort_by_key(|row| !row.wrong);
    if room == 1 && !shown.is_empty() {
        shown.truncate(1);
        return shown;
    }
    let hidden = shown.len().saturating_sub(room.saturating_sub(1));
    shown.truncate(room.saturating_sub(usize::from(!well.is_empty() || hidden > 0)));
    if let [only] = &well[..] {
        shown.push(only.clone());
    } else if let Some(first) = well.first() {
        let share = well.iter().map(|row| row.share).sum::<f64>();
        shown.push(Row {
            label: if shown.is_empty() {
                format!("all {}", well.len())
            } else {
                format!("{} others", well.len())
            },
            share,
            truth: if hidden > 0 {
                format!("{hidden} hidden")
            } else {
                "up".to_string()
            },
            ..first.clone()
        });
    } else if hidden > 0 && !shown.is_empty() {
        let last = shown.len() - 1;
        shown[last].label = format!("+{} more", hidden + 1);
    }
    shown
}

/// Where the columns of the rows stand.
pub(super) struct Columns {
    x: u16,
    name: u16,
    bar: u16,
    truth: u16,
    belief: u16,
    /// Whether titles stand above; else each row says what its figures are.
    headed: bool,
}

impl Columns {
    /// Columns that fit these rows, with titles or without.
    pub(super) fn new(rows: &[Row], area: Rect, headed: bool) -> Columns {
        let longest = rows.iter().map(|row| text::width(&row.label)).max().unwrap_or(4);
        let name = longest.clamp(5, (area.width / 4).max(7)) + 1;
        let truth = 13;
        // Without titles the words for them take from what is said of doubts.
        let belief = if headed { 16 } else { 13 };
        let bar = area.width.saturating_sub(name + 5 + truth + belief).min(14);
        Columns {
            x: area.x,
            name,
            bar,
            truth,
            belief: area.width.saturating_sub(name + bar + 5 + truth),
            headed,
        }
    }

    /// Draws their titles.
    pub(super) fn head(&self, y: u16, sent: &str, believes: &str, painter: &mut Painter) {
        let mut x = self.x + self.name;
        painter.text(x, y, self.bar + 5, sent, Role::Muted);
        x += self.bar + 5;
        painter.text(x, y, self.truth, "truth", Role::Muted);
        painter.text(x + self.truth, y, self.belief, believes, Role::Muted);
    }

    /// Draws a row.
    pub(super) fn draw(&self, row: &Row, y: u16, painter: &mut Painter) {
        let mut x = self.x;
        let bad = row.wrong && row.truth_role == Role::Bad;
        painter.text(
            x,
            y,
            self.name - 1,
            &text::clip_middle(&row.label, self.name - 1),
            if row.wrong { Role::Title } else { Role::Text },
        );
        x += self.name;
        let flow = if bad { Role::Bad } else { Role::Flow };
        // Where no title says what the share is of, words do.
        let sent = if self.headed || self.bar < SENT {
            0
        } else {
            self.bar.min(SENT + 1)
        };
        painter.text(x, y, self.bar, &glyph::bar(row.share, self.bar - sent), flow);
        x += self.bar;
        painter.text(x - sent.min(SENT), y, sent.min(SENT), "sent ", Role::Muted);
        let share = if row.known {
            text::whole_percent(row.share)
        } else {
            "–".to_string()
        };
        painter.text_right(x + 4, y, 4, &share, Role::Text);
        x += 5;
        let sign = row.sign.to_string();
        painter.spans(
            x,
            y,
            self.truth - 1,
            &[(&sign, row.truth_role), (" ", Role::Text), (&row.truth, row.truth_role)],
        );
        x += self.truth;
        if !row.wrong {
            let role = if row.belief.starts_with("ejected") || row.belief == "evacuated" {
                Role::Warning
            } else {
                Role::Muted
            };
            let (head, tail) = row.belief.split_once(", ").unwrap_or((&row.belief, ""));
            let short = if tail.starts_with("slow start") { tail } else { head };
            let believes = !self.headed && (row.belief.starts_with("up") || row.belief.starts_with("down"));
            let said = believes.then(|| format!("believed {}", row.belief));
            let options = [
                said.filter(|said| text::width(said) <= self.belief)
                    .unwrap_or_else(|| row.belief.clone()),
                row.belief.trim_end_matches(" left").to_string(),
                short.to_string(),
            ];
            painter.text(x, y, self.belief, text::fitting(&options, self.belief), role);
            return;
        }
        let counted = row.belief.trim_end_matches(" failed").trim_end_matches(" passed");
        let belief = row.belief.split(',').next().unwrap_or_default();
        let options = [
            format!("{} ◀ wrong", row.belief),
            format!("{counted} ◀ wrong"),
            format!("{belief} ◀ wrong"),
            "◀ wrong".to_string(),
        ];
        painter.text(x, y, self.belief, text::fitting(&options, self.belief), Role::Mismatch);
    }
}
