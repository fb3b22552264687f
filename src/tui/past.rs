//! What the screen shows of histories: the branches, two of them beside each other, and the line of time.

use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::observe::Frame;
use crate::report;
use crate::sim::SimTime;

use super::app::{App, Over};
use super::engine::{BranchView, Order, Timeline};
use super::menu::{Choice, Entry, Menu};
use super::paint::Painter;
use super::text;
use super::theme::Role;

/// How far one goes through the past with one key.
pub const SCRUB: Duration = Duration::from_secs(5);
/// What stands before the name of a file.
const RECORDED: &str = "recorded in ";

/// The branches of the run: each to go to, and to compare with.
pub fn branches(app: &App) -> Menu {
    let timeline = &app.timeline;
    let mut entries = Vec::new();
    let known = timeline.branches.iter().enumerate();
    for (number, branch) in known.filter(|(_, branch)| !branch.forgotten) {
        let now = number == timeline.branch;
        entries.push(Entry {
            key: u32::try_from(number + 1)
                .ok()
                .and_then(|number| char::from_digit(number, 10)),
            words: format!("branch {}, to {}", number + 1, clock(branch.end)),
            detail: story(branch),
            choice: Choice::Order(Order::Switch(number)),
            now,
        });
    }
    for (number, key) in (0..timeline.branches.len())
        .filter(|number| *number != timeline.branch && !timeline.branches[*number].forgotten)
        .zip('a'..='m')
    {
        entries.push(Entry {
            key: Some(key),
            words: format!("compare with branch {}", number + 1),
            detail: "the same traffic met both: what differs was caused by what was done".to_string(),
            choice: Choice::Compare(number),
            now: false,
        });
    }
    if timeline.is_past() {
        entries.push(Entry {
            key: Some('n'),
            words: "begin another branch here".to_string(),
            detail: "what followed stays on the old one".to_string(),
            choice: Choice::Order(Order::Fork),
            now: false,
        });
    }
    Menu {
        title: "branches".to_string(),
        at: entries.iter().position(|entry| entry.now).unwrap_or(0),
        entries,
        hint: "enter goes there; acting in the past begins a branch".to_string(),
    }
}

fn story(branch: &BranchView) -> String {
    let from = branch.from.map_or("the first".to_string(), |(from, at)| {
        format!("left branch {} at {}", from + 1, clock(at))
    });
    match &branch.last {
        Some(last) => format!("{from}; last act: {last}"),
        None => format!("{from}; nothing was done"),
    }
}

/// What a run is to the person who sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visit {
    /// Theirs, or a recording that they opened.
    #[default]
    Own,
    /// One failure of a blast, for which theirs was left.
    Failure,
    /// Theirs, to which they came back from there.
    Again,
}

impl App {
    /// Words about the moment that is shown, with the way back to where the person came from.
    pub(super) fn with_return(&self, words: String) -> String {
        if self.is_stranded() && !words.contains("{return}") {
            return format!("{words}, {{return}} returns");
        }
        words
    }

    /// Whether a person has gone back in their own run.
    pub(super) fn is_stranded(&self) -> bool {
        self.timeline.is_past() && !self.timeline.replayed && self.timeline.arriving.is_none()
    }

    /// Shows how the branch that is shown differs from another.
    pub fn compare(&mut self, other: usize, frames: Option<(Arc<Frame>, Arc<Frame>)>) {
        let Some((here, there)) = frames else {
            let ends = self.timeline.branches.iter().map(|branch| branch.end).enumerate();
            let both = ends.filter(|(branch, _)| [self.timeline.branch, other].contains(branch));
            let short = both.min_by_key(|(_, end)| *end).map_or(other, |(branch, _)| branch) + 1;
            self.say(
                format!("branch {short} is too short to compare: go there with b, and let it run for 5 s"),
                Role::Refusal,
            );
            return;
        };
        let names = [self.timeline.branch + 1, other + 1].map(|number| format!("branch {number}"));
        let mut rows = report::compared(&there, &here).table(&names[1], &names[0]);
        rows.push(String::new());
        let at = here.at.to_string();
        rows.push(format!(
            "both at {at}, the last full 5 s that both have; the same traffic met both"
        ));
        self.over = Over::Page(format!("{} and {}", names[0], names[1]), rows);
    }

    /// Says where the run is recorded: in a line, or the whole path on a page.
    pub fn say_where_kept(&mut self, file: Option<String>, whole: bool) {
        match file {
            Some(file) if whole => {
                let room = self.arrangement.area.width.saturating_sub(6).max(20);
                let rows = text::chunks(&crate::layout::printable(&file), room);
                self.over = Over::Page("this run is recorded in".to_string(), rows);
            }
            Some(file) => {
                // A message that does not fit into the line would lose its end, and that is what tells files apart.
                let room = self.arrangement.area.width.saturating_sub(3 + text::width(RECORDED));
                let file = crate::layout::printable(&file);
                let file = text::clip_inside(&file, room.max(20));
                self.say(format!("{RECORDED}{file}"), Role::Notice);
            }
            None => self.say("this run is not recorded: w FILE writes it", Role::Refusal),
        }
    }

    /// Whether the line of time is shown: where there is more to it than the present.
    pub fn has_timeline(&self) -> bool {
        let timeline = &self.timeline;
        timeline.replayed
            || timeline.branches.len() > 1
            || timeline.arriving.is_some()
            || timeline.is_past() && !self.view.running
    }
}

/// Columns of the line of time that are the track.
pub fn track(timeline: &Timeline, area: Rect) -> Rect {
    let (lead, tail) = (text::width(&lead(timeline)), text::width(&tail(timeline)));
    Rect {
        x: area.x + lead + 2,
        width: area.width.saturating_sub(lead + tail + 4),
        ..area
    }
}

/// The moment of a column of the track.
pub fn moment(timeline: &Timeline, track: Rect, x: u16) -> Duration {
    let share = f64::from(x.saturating_sub(track.x)) / f64::from(track.width.max(2) - 1);
    timeline.end.mul_f64(share.min(1.0))
}

fn lead(timeline: &Timeline) -> String {
    let sign = if timeline.replayed { "replay" } else { "history" };
    let looped = if timeline.looped { " loop" } else { "" };
    let branch = match timeline.branches.len() {
        0 | 1 => String::new(),
        count => format!(" · branch {} of {count}", timeline.branch + 1),
    };
    let mut events = timeline.events.iter();
    let chapter = events.rfind(|event| event.chapter && event.at <= timeline.at);
    let chapter = chapter.map_or(String::new(), |event| {
        format!(" · {}", text::clip(&text::printable(&event.words), 24))
    });
    format!("{sign}{looped}{branch}{chapter}")
}

fn tail(timeline: &Timeline) -> String {
    let end = clock(timeline.end);
    match timeline.arriving {
        Some(share) => format!("{} on its way {:>3.0}%", clock(timeline.at), share * 100.0),
        None => format!("{} of {end}", clock(timeline.at)),
    }
}

/// Draws the line of time: where the run stands, what is known to come, commands and chapters.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let timeline = &app.timeline;
    let track = track(timeline, area);
    painter.text(area.x + 1, area.y, area.width, &lead(timeline), Role::Title);
    let column = |at: Duration| {
        let share = at.as_secs_f64() / timeline.end.as_secs_f64().max(1e-9);
        track.x + (share.min(1.0) * f64::from(track.width.saturating_sub(1))).round() as u16
    };
    let here = column(timeline.at);
    for x in track.x..track.right() {
        let (sign, role) = if x <= here {
            ('━', Role::Flow)
        } else {
            ('─', Role::Faint)
        };
        painter.put(x, area.y, sign, role);
    }
    for event in timeline.events.iter() {
        let (sign, role) = if event.chapter {
            ('◆', Role::Trend)
        } else {
            ('┃', Role::Bad)
        };
        painter.put(
            column(event.at).min(track.right().saturating_sub(1)),
            area.y,
            sign,
            role,
        );
    }
    painter.put(here, area.y, '●', Role::Title);
    let tail = tail(timeline);
    let x = area.right().saturating_sub(text::width(&tail) + 1);
    painter.text(x, area.y, area.right().saturating_sub(x), &tail, Role::Text);
}

/// A moment with one decimal.
fn clock(at: Duration) -> String {
    let words = (SimTime::ZERO + at).to_string();
    words[..words.len() - 2].to_string()
}
