//! Latency and errors over time: a column for each second, the newest at the right.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::observe::{Sample, Tally};
use crate::sim::SimTime;
use crate::tui::app::{App, Pane};
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;

/// Picks one of the counts.
type Count = fn(&Tally) -> u64;

/// Columns for the scale at the left.
const SCALE: u16 = 14;

/// What the panel is about, for its title: the values of the last second, with the signs that stand for them in the chart.
pub fn about(app: &App) -> String {
    let Some(last) = app.frame().history.last() else {
        return String::new();
    };
    let (p50, p99) = (text::latency(last.p50), text::latency(last.p99));
    let edges = if app.arrangement.compact { (2, 1) } else { (4, 2) };
    let area = app.arrangement.area(Pane::Latency).unwrap_or_default();
    let signs = charted(area.width.saturating_sub(edges.0), area.height.saturating_sub(edges.1));
    let (median, tail) = if signs { ("▄ ", "⠒ ") } else { ("", "") };
    let without = app.undisturbed(last.at).filter(|_| signs && area.width >= 90);
    let without = without.map_or_else(String::new, |without| {
        format!("   ┄ without your acts {}", text::latency(without.p99))
    });
    format!("{median}p50(1s) {p50}   {tail}p99(1s) {p99}{without}")
}

/// Whether there is room for a chart.
fn charted(width: u16, height: u16) -> bool {
    height >= 7 && width >= 30
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let history = &app.frame().history;
    if history.is_empty() {
        painter.text(area.x, area.y, area.width, "Measuring the first second.", Role::Muted);
        return;
    }
    if !charted(area.width, area.height) {
        strips(history, area, painter);
        return;
    }
    let plot = Rect {
        x: area.x + SCALE,
        width: area.width - SCALE,
        height: area.height - 4,
        ..area
    };
    let shown = newest(history, plot.width);
    let range = Range::of(shown);
    let rule = Rule::of(&range, plot.height);
    scale(&rule, area, plot, painter);
    let start = plot.right() - shown.len() as u16;
    for (index, sample) in shown.iter().enumerate() {
        if let Some(without) = app.undisturbed(sample.at) {
            tail(without, &rule, start + index as u16, plot, Role::Faint, painter);
        }
        column(sample, &rule, start + index as u16, plot, painter);
    }
    time_axis(
        app,
        shown,
        Rect {
            y: plot.bottom(),
            height: 1,
            ..plot
        },
        painter,
    );
    let counts: [(&str, Count, Role); 3] = [
        ("failed", |tally| tally.failed, Role::Bad),
        ("retried", |tally| tally.retried, Role::Warning),
        ("sent", |tally| tally.sent, Role::Trend),
    ];
    for (y, (name, count, role)) in (plot.bottom() + 1..).zip(counts) {
        let line = Rect { y, height: 1, ..area };
        strip(name, shown, count, role, line, painter);
    }
}

fn newest(history: &[Sample], width: u16) -> &[Sample] {
    &history[history.len().saturating_sub(usize::from(width))..]
}

/// What the logarithmic scale spans: powers of ten, in seconds.
struct Range {
    low: i32,
    high: i32,
}

impl Range {
    fn of(samples: &[Sample]) -> Range {
        let seconds = |latency: Duration| latency.as_secs_f64();
        let least = samples
            .iter()
            .map(|sample| seconds(sample.p50))
            .filter(|s| *s > 0.0)
            .fold(f64::MAX, f64::min);
        let most = samples.iter().map(|sample| seconds(sample.p99)).fold(0.0, f64::max);
        if most <= 0.0 {
            return Range { low: -3, high: -1 };
        }
        let low = least.log10().floor() as i32;
        let high = most.log10().ceil() as i32;
        Range {
            low: low.min(high - 1),
            high,
        }
    }

    /// The place of a latency between the ends, from 0 to 1.
    fn place(&self, latency: Duration) -> f64 {
        let seconds = latency.as_secs_f64().max(1e-9);
        ((seconds.log10() - f64::from(self.low)) / f64::from(self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The scale as rows of cells: ticks are whole numbers of decades and whole numbers of rows apart, so that they are even.
struct Rule {
    low: i32,
    /// Decades between two ticks.
    decades: i32,
    /// Rows between two ticks.
    rows: u16,
}

impl Rule {
    fn of(range: &Range, height: u16) -> Rule {
        let all = (range.high - range.low).max(1);
        let room = i32::from(height.saturating_sub(1).max(1));
        let decades = (all + room - 1) / room;
        let steps = (all + decades - 1) / decades;
        Rule {
            low: range.low,
            decades,
            rows: (room / steps).max(1) as u16,
        }
    }

    /// How high above the bottom a latency lies, in cells; a tick lies in the middle of its cell.
    fn height(&self, latency: Duration) -> f64 {
        let decades = latency.as_secs_f64().max(1e-9).log10() - f64::from(self.low);
        (decades / f64::from(self.decades) * f64::from(self.rows) + 0.5).max(0.0)
    }
}

fn scale(rule: &Rule, area: Rect, plot: Rect, painter: &mut Painter) {
    let rows = (0..plot.height).step_by(usize::from(rule.rows));
    for (step, row) in (0..).zip(rows) {
        let y = plot.bottom() - 1 - row;
        let label = text::span(Duration::from_secs_f64(10f64.powi(rule.low + step * rule.decades)));
        let label = label.replace(".00s", "s").replace(".0s", "s").replace(".0ms", "ms");
        painter.text_right(area.x + SCALE - 2, y, SCALE, &label, Role::Muted);
        painter.put(plot.x - 1, y, '┤', Role::Faint);
        if plot.width > 0 {
            (plot.x..plot.right())
                .step_by(4)
                .for_each(|x| painter.put(x, y, '·', Role::Faint));
        }
    }
}

/// A second: a bar up to the median, and a mark at the 99th percentile.
fn column(sample: &Sample, rule: &Rule, x: u16, plot: Rect, painter: &mut Painter) {
    if sample.p99.is_zero() {
        return;
    }
    let most = f64::from(plot.height) - 0.01;
    let bar = rule.height(sample.p50).min(most);
    let full = bar as u16;
    for row in 0..full {
        painter.put(x, plot.bottom() - 1 - row, '█', Role::Median);
    }
    let part = ((bar - f64::from(full)) * 8.0) as usize;
    if part > 0 {
        painter.put(x, plot.bottom() - 1 - full, glyph::RAMP[part - 1], Role::Median);
    }
    // A cell has one sign: where the tail lies in the bar's topmost cell, it takes the place of the bar's end, and stays true.
    tail(sample, rule, x, plot, Role::Tail, painter);
}

/// A mark at the 99th percentile.
fn tail(sample: &Sample, scale: &Rule, x: u16, plot: Rect, role: Role, painter: &mut Painter) {
    let height = scale.height(sample.p99).min(f64::from(plot.height) - 0.01);
    let quarter = (height.fract() * 4.0) as usize;
    let y = plot.bottom() - 1 - height as u16;
    painter.put(x, y, glyph::LEVEL[quarter.min(3)], role);
}

/// Seconds back, and a sign where something was done and where all was well again.
fn time_axis(app: &App, shown: &[Sample], area: Rect, painter: &mut Painter) {
    for x in area.x..area.right() {
        painter.put(x, area.y, '─', Role::Faint);
    }
    let Some(last) = shown.last() else { return };
    let column = |at: SimTime| {
        let ago = last.at.since(at).as_secs() as u16;
        (at <= last.at && ago < shown.len() as u16).then(|| area.right() - 1 - ago)
    };
    let incidents = &app.frame().incidents;
    let healed = incidents.iter().filter_map(|one| one.healed.and_then(column));
    let injected = incidents.iter().filter_map(|one| column(one.injected));
    let marks: Vec<(u16, char, Role)> = healed
        .map(|x| (x, '✔', Role::Good))
        .chain(injected.map(|x| (x, glyph::DEAD, Role::Bad)))
        .collect();
    // A label stands only where no mark would stand in it.
    let mut label = |x: u16, words: &str| {
        let taken = x..x + text::width(words);
        if !marks.iter().any(|mark| taken.contains(&mark.0)) {
            painter.text(x, area.y, 6, words, Role::Muted);
        }
    };
    let mut back = 15;
    while back + 4 < area.width {
        label(area.right() - back, &format!("{back}s"));
        back += if area.width > 90 { 30 } else { 15 };
    }
    label(area.right() - 3, "now");
    for (x, sign, role) in marks {
        painter.put(x, area.y, sign, role);
    }
}

/// One line of bars: a name, the newest value, and a column for each second.
fn strip(name: &str, shown: &[Sample], count: Count, role: Role, area: Rect, painter: &mut Painter) {
    let value = |sample: &Sample| count(&sample.tally) as f64;
    let newest = shown.last().map_or(0.0, value);
    let most = shown.iter().map(value).fold(0.0, f64::max);
    painter.text(area.x, area.y, 8, name, Role::Muted);
    let value_role = if newest > 0.0 { role } else { Role::Muted };
    painter.text_right(area.x + SCALE - 1, area.y, 5, &text::short(newest), value_role);
    let start = area.right().saturating_sub(shown.len() as u16);
    for (index, sample) in shown.iter().enumerate() {
        let value = value(sample);
        let x = start + index as u16;
        if value > 0.0 {
            let height = if role == Role::Trend { 0.75 } else { 1.0 };
            painter.put(x, area.y, glyph::ramp(value / most.max(1.0) * height), role);
        } else if index.is_multiple_of(4) {
            painter.put(x, area.y, '·', Role::Faint);
        }
    }
}

/// Without room for a chart: a line each for what matters most.
fn strips(history: &[Sample], area: Rect, painter: &mut Painter) {
    let label = 20.min(area.width / 2);
    let shown = newest(history, area.width - label);
    let Some(last) = shown.last() else { return };
    let range = Range::of(shown);
    let start = area.right() - shown.len() as u16;
    let lines: [(&str, String, Role); 3] = [
        ("p99", text::latency(last.p99), Role::Trend),
        (
            "failed",
            format!("{}/s", text::short(last.tally.failed as f64)),
            Role::Bad,
        ),
        (
            "retried",
            format!("{}/s", text::short(last.tally.retried as f64)),
            Role::Warning,
        ),
    ];
    let failed = shown.iter().map(|sample| sample.tally.failed).max().unwrap_or(0).max(1) as f64;
    let retried = shown
        .iter()
        .map(|sample| sample.tally.retried)
        .max()
        .unwrap_or(0)
        .max(1) as f64;
    for (row, (name, value, role)) in lines.iter().enumerate().take(usize::from(area.height)) {
        let y = area.y + row as u16;
        painter.text(area.x, y, 9, name, Role::Muted);
        painter.text(area.x + 9, y, label.saturating_sub(10), value, Role::Text);
        for (index, sample) in shown.iter().enumerate() {
            let share = match row {
                0 => range.place(sample.p99),
                1 => sample.tally.failed as f64 / failed,
                _ => sample.tally.retried as f64 / retried,
            };
            let x = start + index as u16;
            if share > 0.0 {
                painter.put(x, y, glyph::ramp(share), *role);
            } else {
                painter.put(x, y, '·', Role::Faint);
            }
        }
    }
}
