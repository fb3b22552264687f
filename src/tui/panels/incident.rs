//! The newest incident: from being hurt to being healed.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::observe::{Incident, Kind, Milestone};
use crate::sim::SimTime;
use crate::tui::app::App;
use crate::tui::glyph;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
use crate::tui::past::Visit;
use crate::tui::queues;
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;

/// The sign of a milestone that was passed over.
const NEVER: char = '–';
/// How a milestone looks that never came while a later one did.
const PASSED_OVER: (char, Role) = (NEVER, Role::Muted);

/// Below so many columns, a milestone's time does not stand beside its name.
const NARROW: u16 = 80;
/// Columns between two figures.
const GAP: u16 = 3;

/// A milestone: its name, when it was reached, and by whom.
struct Stage<'a> {
    name: &'static str,
    at: Option<SimTime>,
    who: Option<&'a str>,
}

fn by_somebody<'a>(name: &'static str, milestone: Option<&'a Milestone>) -> Stage<'a> {
    Stage {
        name,
        at: milestone.map(|milestone| milestone.at),
        who: milestone.map(|milestone| milestone.who.as_str()),
    }
}

fn stages(incident: &Incident) -> [Stage<'_>; 5] {
    let plain = |name, at| Stage { name, at, who: None };
    [
        plain("hurt", incident.hurt),
        by_somebody("noticed", incident.noticed.as_ref()),
        by_somebody("acted", incident.acted.as_ref()),
        plain("served", incident.served),
        plain("healed", incident.healed),
    ]
}

/// What the panel is about, for its title.
pub fn about(app: &App) -> String {
    let frame = app.frame();
    let Some(incident) = frame.incidents.last() else {
        return String::new();
    };
    let sign = if incident.healed.is_some() { '✔' } else { glyph::DEAD };
    let number = if frame.incidents.len() > 1 {
        format!("number {}, ", incident.number)
    } else {
        String::new()
    };
    format!(
        "{sign} {number}{} {} ago",
        incident.what,
        text::ago(frame.at.since(incident.injected))
    )
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let Some(incident) = app.frame().incidents.last() else {
        opening(app, area, painter);
        return;
    };
    let now = app.frame().at;
    let mut y = area.y;
    if area.height >= 6 || area.height == 5 && area.width >= NARROW {
        // Where a name and a time do not stand beside each other, they stand one below the other.
        let height = if area.width < NARROW { 3 } else { 2 };
        rail(incident, now, Rect { height, ..area }, painter);
        y += height;
    } else {
        line(incident, now, area, painter);
        y += 1;
    }
    if y < area.bottom() {
        let sessions = app.frame().sessions.issued > 0;
        let jobs = queues::any(app.frame());
        let asides = asides(app, incident);
        counts(incident, (jobs, sessions), &asides, Rect { y, ..area }, painter);
        y += 1;
    }
    let hint = hint(app, incident);
    let left = area.bottom().saturating_sub(y);
    let sentence = text::wrap(&incident.sentence, area.width);
    // The sentence comes first; the hint takes what is left. What does not fit ends in an ellipsis.
    for (index, words) in sentence.iter().enumerate().take(usize::from(left)) {
        let last = index + 1 == usize::from(left) && index + 1 < sentence.len();
        let words = if last { format!("{words} …") } else { words.clone() };
        painter.text(area.x, y, area.width, &words, Role::Text);
        y += 1;
    }
    if y < area.bottom() {
        painter.spans(
            area.x,
            area.bottom() - 1,
            area.width,
            &[("Try:  ", Role::Muted), (&hint.0, Role::Key), (&hint.1, Role::Muted)],
        );
    }
}

/// Before anything has happened.
fn opening(app: &App, area: Rect, painter: &mut Painter) {
    let topology = app.topology();
    let target = app.selected.title(topology);
    let victim = app.selected.kind(topology) != Some(Kind::Users);
    let y = area.y + u16::from(area.height >= 5);
    let [kill, open, help] = [Action::Kill, Action::Open, Action::Help].map(|action| app.keymap.key(action));
    let rung = if app.unasked {
        ["          from one server: ", &open]
    } else {
        ["", ""]
    };
    if app.timeline.replayed {
        recorded(
            app,
            Rect {
                y,
                height: area.bottom() - y,
                ..area
            },
            painter,
        );
        return;
    }
    painter.spans(
        area.x,
        y,
        area.width,
        &[
            (
                if victim {
                    "Press "
                } else {
                    "Select a machine and press "
                },
                Role::Title,
            ),
            (&kill, Role::Key),
            (". Who notices first?", Role::Title),
            (rung[0], Role::Muted),
            (rung[1], Role::Key),
        ],
    );
    if y + 1 < area.bottom() {
        let first = if victim {
            let does = if matches!(app.selected, Item::Site(_)) {
                "loses"
            } else {
                "crashes"
            };
            format!("{kill} {does} {target}; arrows select something else.")
        } else {
            "Users cannot be crashed. The arrows select something else.".to_string()
        };
        let mut options = vec![
            format!("{first}   {open} opens another layout.   {help} shows all keys."),
            format!("{first}   {help} shows all keys."),
            first,
        ];
        if app.tries.any() {
            let offers = format!(
                "{} offers {} to try.",
                app.keymap.key(Action::Try),
                text::plural(app.tries.count(), "thing")
            );
            let others = [&options[0], &options[1]].map(|words| format!("{words}   {offers}"));
            let alone = format!("{}   {offers}", options[2]);
            options.splice(0..0, others.into_iter().chain([alone]));
        }
        painter.text(
            area.x,
            y + 1,
            area.width,
            text::fitting(&options, area.width),
            Role::Muted,
        );
    }
    let top = y + 2 + u16::from(area.height >= 6);
    let room = usize::from(area.bottom().saturating_sub(top));
    for (index, words) in whole_sentences(&topology.about, area.width, room).iter().enumerate() {
        painter.text(area.x, top + index as u16, area.width, words, Role::Muted);
    }
}

/// In a recording, before anything has happened: what is to come.
fn recorded(app: &App, area: Rect, painter: &mut Painter) {
    let next = app.timeline.events.iter().find(|event| event.at > app.timeline.at);
    let key = app.keymap.key(Action::NextMilestone);
    let what = match app.visit {
        Visit::Again => "Your run, as you left it.",
        Visit::Failure => "One failure, from its start.",
        Visit::Own => "A recording.",
    };
    let words = match next {
        // What was typed then is shown as it was: nothing in it stands for a key.
        Some(next) => format!(
            "{what} Press {key} for what comes next: {} at {}.",
            next.words,
            SimTime::ZERO + next.at
        ),
        None if app.timeline.is_past() => {
            let rest = app.keymap.fill("Nothing is done in the rest of it: {pause} plays it.");
            format!("{what} {rest}")
        }
        None => {
            let end = app
                .keymap
                .fill("What is known of it ends here: {pause} goes on from here.");
            format!("{what} {end}")
        }
    };
    for (y, words) in (area.y..area.bottom()).zip(text::wrap(&text::printable(&words), area.width)) {
        painter.text(area.x, y, area.width, &words, Role::Text);
    }
}

/// As many whole sentences as fit into some lines.
fn whole_sentences(words: &str, width: u16, room: usize) -> Vec<String> {
    let mut shown = Vec::new();
    for (end, _) in words.match_indices('.') {
        let whole = words[end + 1..].chars().next().is_none_or(char::is_whitespace);
        let lines = text::wrap(&words[..=end], width);
        if whole && lines.len() <= room {
            shown = lines;
        }
    }
    shown
}

fn sign(stage: &Stage, awaited: bool, now: SimTime) -> (char, Role) {
    match (stage.at, awaited) {
        (Some(_), _) if stage.name == "hurt" => (glyph::DEAD, Role::Bad),
        (Some(_), _) => (glyph::REACHED, Role::Good),
        (None, true) => (glyph::SPINNER[(now.0 / 200_000_000 % 4) as usize], Role::Warning),
        (None, false) => (glyph::LATER, Role::Faint),
    }
}

/// Whether a milestone was not reached although a later one was.
fn skipped(stages: &[Stage], index: usize) -> bool {
    let later = stages[index + 1..].iter().any(|stage| stage.at.is_some());
    stages[index].at.is_none() && later
}

fn elapsed(incident: &Incident, at: SimTime) -> String {
    let after: Duration = at.since(incident.injected);
    text::span(after)
}

/// Two lines: a rail with a sign for each milestone, and below it names, times and who it was.
fn rail(incident: &Incident, now: SimTime, area: Rect, painter: &mut Painter) {
    let stages = stages(incident);
    let awaited = awaited(incident);
    let step = area.width / 5;
    for (index, stage) in stages.iter().enumerate() {
        let x = area.x + step * index as u16;
        let skipped = skipped(&stages, index);
        let (mark, role) = if skipped {
            PASSED_OVER
        } else {
            sign(stage, awaited == Some(index), now)
        };
        let next = stages.get(index + 1);
        let (way, way_role) = if stage.at.is_some() && next.is_some_and(|next| next.at.is_some()) {
            ('━', Role::Good)
        } else {
            ('╌', Role::Faint)
        };
        painter.put(x, area.y, mark, role);
        if index + 1 < stages.len() {
            (x + 2..x + step - 1).for_each(|x| painter.put(x, area.y, way, way_role));
        }
        let name_role = if stage.at.is_some() {
            Role::Title
        } else if awaited == Some(index) {
            Role::Warning
        } else {
            Role::Muted
        };
        let used = painter.text(x, area.y + 1, step - 1, stage.name, name_role);
        let (when, who) = match (stage.at, stage.who) {
            (Some(at), who) => {
                let when = format!(" {}", elapsed(incident, at));
                let room = (step - 1).saturating_sub(used + text::width(&when) + 4);
                let who = who.map_or(String::new(), |who| format!(" by {}", text::clip_middle(who, room)));
                (when, who)
            }
            (None, _) if awaited == Some(index) => {
                (format!(" … {}", text::ago(now.since(incident.injected))), String::new())
            }
            (None, _) if skipped && incident.healed.is_some() => (" never".to_string(), String::new()),
            (None, _) if skipped => (" not so far".to_string(), String::new()),
            (None, _) => (String::new(), String::new()),
        };
        if area.height > 2 {
            painter.text(x, area.y + 2, step - 1, when.trim_start(), Role::Text);
            continue;
        }
        painter.spans(
            x + used,
            area.y + 1,
            (step - 1).saturating_sub(used),
            &[(&when, Role::Text), (&who, Role::Muted)],
        );
    }
}

/// One line, where there is no room for two.
fn line(incident: &Incident, now: SimTime, area: Rect, painter: &mut Painter) {
    let stages = stages(incident);
    let awaited = awaited(incident);
    let step = area.width / 5;
    for (index, stage) in stages.iter().enumerate() {
        let x = area.x + step * index as u16;
        let skipped = skipped(&stages, index);
        let (mark, role) = if skipped {
            PASSED_OVER
        } else {
            sign(stage, awaited == Some(index), now)
        };
        painter.put(x, area.y, mark, role);
        let when = match stage.at {
            Some(at) => elapsed(incident, at),
            None if awaited == Some(index) => "…".to_string(),
            None => String::new(),
        };
        let name_role = if stage.at.is_some() { Role::Title } else { Role::Muted };
        painter.spans(
            x + 2,
            area.y,
            step.saturating_sub(3),
            &[(stage.name, name_role), (" ", Role::Muted), (&when, Role::Text)],
        );
    }
}

/// The first milestone that is still to come, after the last one reached.
fn awaited(incident: &Incident) -> Option<usize> {
    let stages = stages(incident);
    let reached = stages.iter().rposition(|stage| stage.at.is_some());
    let next = reached.map_or(0, |reached| reached + 1);
    (next < stages.len()).then_some(next)
}

/// A figure of an incident.
struct Count {
    of: u64,
    words: &'static str,
    short: &'static str,
    role: Role,
    /// Told even where it is 0 and room is scarce.
    always: bool,
}

/// All that is counted: first what users noticed, then what was lost, for a time or for good.
fn all_counts(incident: &Incident, (jobs, sessions): (bool, bool)) -> Vec<Count> {
    let row = |of, words, short, role| Count {
        of,
        words,
        short,
        role,
        always: false,
    };
    let mut counts = vec![
        row(incident.retried, "retried elsewhere", "retried", Role::Warning),
        Count {
            always: true,
            ..row(incident.failed, "failed", "failed", Role::Bad)
        },
        Count {
            always: true,
            ..row(incident.lost_writes, "writes lost", "writes lost", Role::Bad)
        },
    ];
    let (missing, given_up) = (incident.missing_writes, incident.given_up);
    if missing > 0 {
        counts.push(row(missing, "missing at most", "missing", Role::Warning));
    }
    if given_up > 0 {
        counts.push(row(given_up, "given up", "given up", Role::Bad));
    }
    if jobs {
        counts.push(row(incident.lost_jobs, "jobs lost", "jobs lost", Role::Bad));
    }
    if sessions {
        counts.push(row(incident.lost_sessions, "signed out", "signed out", Role::Bad));
    }
    counts
}

/// The figures in a line, at the length that fits: in full; in short words; without those that are 0; with short numbers.
fn counts(incident: &Incident, has: (bool, bool), asides: &[String], area: Rect, painter: &mut Painter) {
    let counts = all_counts(incident, has);
    let line = |short: bool, zeros: bool, rounded: bool| -> Vec<[(String, Role); 2]> {
        let told = counts.iter().filter(|count| zeros || count.always || count.of > 0);
        let pieces = told.map(|count| {
            let number = if rounded {
                text::short(count.of as f64)
            } else {
                text::count(count.of)
            };
            let words = if short { count.short } else { count.words };
            let role = if count.of > 0 { count.role } else { Role::Muted };
            [(number, role), (format!(" {words}"), Role::Muted)]
        });
        let asides = asides.iter().filter(|_| !rounded);
        let asides = asides.map(|words| [(words.clone(), Role::Muted), (String::new(), Role::Muted)]);
        pieces.chain(asides).collect()
    };
    let wide = |line: &[[(String, Role); 2]]| -> u16 {
        let words = line.iter().flatten().map(|(words, _)| text::width(words));
        words.sum::<u16>() + GAP * line.len().saturating_sub(1) as u16
    };
    let lines = [
        line(false, true, false),
        line(true, true, false),
        line(true, false, false),
        line(true, false, true),
    ];
    let fitting = lines.iter().find(|line| wide(line) <= area.width).unwrap_or(&lines[3]);
    let mut x = area.x;
    for [number, words] in fitting {
        let pieces = [(number.0.as_str(), number.1), (words.0.as_str(), words.1)];
        x += painter.spans(x, area.y, area.right().saturating_sub(x), &pieces) + GAP;
    }
}

/// What stands beside the figures: what would have failed where nobody acts, and what was spent.
fn asides(app: &App, incident: &Incident) -> Vec<String> {
    let end = incident.served.unwrap_or(app.frame().at);
    let without = app.failed_undisturbed(incident.injected, end);
    let without = without.map(|failed| format!("┄ without your acts: {} failed", text::count(failed)));
    without.into_iter().chain(money(incident.extra_spent)).collect()
}

/// What was spent beyond the usual, where that is a cent or more: `$0.12 more spent`.
fn money(extra: f64) -> Option<String> {
    let word = if extra < 0.0 { "less" } else { "more" };
    (extra.abs() >= 0.005).then(|| format!("{} {word} spent", text::dollars(extra.abs())))
}

/// What one could do now: keys, and what they do.
fn hint(app: &App, incident: &Incident) -> (String, String) {
    let key = |action| app.keymap.key(action);
    let names = ["hurt", "noticed", "acted", "served", "healed"];
    match awaited(incident) {
        Some(next) => (
            key(Action::NextMilestone),
            format!(
                " runs on to \"{}\"    {} mends everything",
                names[next],
                key(Action::MendAll)
            ),
        ),
        None => (
            key(Action::Kill),
            format!(" on something else    {} doubles the traffic first", key(Action::Surge)),
        ),
    }
}
