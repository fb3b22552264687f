//! Latency over load, drawn with the dots of braille.

use super::{CapacityReport, ProbeReport};
use crate::report::words::{milliseconds, value};

/// The size of the picture in characters.
const COLUMNS: usize = 60;
const ROWS: usize = 10;
/// The room for the values beside it.
const LABELS: usize = 9;
/// Dots in a character.
const ACROSS: usize = 2;
const DOWN: usize = 4;
/// The bits of the dots of a character (Unicode, Braille Patterns), by row and column.
const DOTS: [[u32; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// A run that breaks far above all others says little, and would squeeze them: of those that break, only what is within this ratio is drawn.
const BEYOND: f64 = 1.1;

/// The runs that a picture shows: undisturbed ones in which somebody was answered, by factor.
pub(super) fn shown(report: &CapacityReport) -> Vec<&ProbeReport> {
    let most = report.undisturbed.breaks_factor.unwrap_or(f64::INFINITY) * BEYOND;
    let fits = |probe: &&ProbeReport| probe.lost.is_none() && probe.p99_ms > 0.0 && probe.factor <= most;
    report.probes.iter().filter(fits).collect()
}

/// The picture, its axes and a legend; nothing if there are not two runs to join.
pub(super) fn lines(report: &CapacityReport) -> Vec<String> {
    let probes = shown(report);
    let (Some(last), true) = (probes.last(), probes.len() > 1) else {
        return Vec::new();
    };
    let axes = Axes::over(&probes, last.factor);
    let mut canvas = Canvas::new();
    for of in [|probe: &ProbeReport| probe.p99_ms, |probe: &ProbeReport| probe.p50_ms] {
        for pair in probes.windows(2) {
            let place = |probe: &ProbeReport| (axes.x(probe.factor), axes.y(of(probe)));
            canvas.line(place(pair[0]), place(pair[1]));
        }
    }
    let column = |factor: f64| (axes.x(factor) * (COLUMNS - 1) as f64).round() as usize;
    let marks: Vec<(usize, char)> = marks(report)
        .into_iter()
        .filter(|(factor, ..)| *factor <= axes.most)
        .map(|(factor, sign, _)| (column(factor), sign))
        .collect();
    let mut lines = vec!["latency over load: p99 above, p50 below".to_owned()];
    for row in 0..ROWS {
        let label = axes.label(row);
        let cells = (0..COLUMNS).map(|column| {
            let mark = marks
                .iter()
                .find(|(at, _)| *at == column)
                .map_or(' ', |(_, sign)| *sign);
            canvas.cell(column, row).unwrap_or(mark)
        });
        let cells: String = cells.collect();
        lines.push(format!("{label:>LABELS$} │{cells}").trim_end().to_owned());
    }
    lines.push(format!("{:LABELS$} └{}", "", "─".repeat(COLUMNS)));
    lines.push(axis(axes.most));
    let told: Vec<String> = marks_in_words(report, axes.most);
    if !told.is_empty() {
        lines.push(format!("{:LABELS$}  {}", "", told.join("   ")));
    }
    lines
}

/// What is marked on the axis of load: the factor, its sign and its name.
pub(super) fn marks(report: &CapacityReport) -> Vec<(f64, char, &'static str)> {
    // Where no loss costs anything there is only one capacity.
    let costs = report
        .with_loss
        .as_ref()
        .filter(|loss| loss.carried.breaks_factor.is_some());
    let with_loss = costs.and_then(|loss| loss.carried.holds_factor);
    let lossy = with_loss.map(|factor| (factor, '┊', "with one lost"));
    let alone = report.undisturbed.holds_factor.map(|factor| (factor, '│', "capacity"));
    lossy.into_iter().chain(alone).collect()
}

fn marks_in_words(report: &CapacityReport, most: f64) -> Vec<String> {
    let seen = marks(report).into_iter().filter(|(factor, ..)| *factor <= most);
    seen.map(|(factor, sign, name)| format!("{sign} {name} {}x", value(factor)))
        .collect()
}

/// The factors below the picture: none, half and all.
fn axis(most: f64) -> String {
    let (middle, end) = (format!("{}x", short(most / 2.0)), format!("{}x", short(most)));
    let left = COLUMNS / 2 - 1;
    let right = COLUMNS - left - middle.len();
    format!("{:LABELS$}  {:<left$}{middle}{end:>right$}", "", "0")
}

fn short(factor: f64) -> String {
    value((factor * 100.0).round() / 100.0)
}

/// Where values stand, from 0 to 1: the load linear, latency by powers.
struct Axes {
    most: f64,
    low: f64,
    high: f64,
}

impl Axes {
    fn over(probes: &[&ProbeReport], most: f64) -> Axes {
        let all = || {
            probes
                .iter()
                .flat_map(|probe| [probe.p50_ms, probe.p99_ms])
                .filter(|ms| *ms > 0.0)
        };
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
        Axes {
            most,
            low: libm::log10(low),
            high: libm::log10(high).max(libm::log10(low) + 0.1),
        }
    }

    fn x(&self, factor: f64) -> f64 {
        factor / self.most
    }

    fn y(&self, ms: f64) -> f64 {
        (libm::log10(ms.max(1e-6)) - self.low) / (self.high - self.low)
    }

    /// The value at the middle of a row; each third one has its own.
    fn label(&self, row: usize) -> String {
        if !row.is_multiple_of(3) {
            return String::new();
        }
        let share = 1.0 - row as f64 / (ROWS - 1) as f64;
        milliseconds(libm::pow(10.0, self.low + share * (self.high - self.low)))
    }
}

/// Dots, by rows of characters.
struct Canvas(Vec<[u32; COLUMNS]>);

impl Canvas {
    fn new() -> Canvas {
        Canvas(vec![[0; COLUMNS]; ROWS])
    }

    /// A straight line between two places.
    fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        let steps = (COLUMNS * ACROSS).max(ROWS * DOWN) * 2;
        for step in 0..=steps {
            let share = step as f64 / steps as f64;
            self.dot(from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
        }
    }

    fn dot(&mut self, x: f64, y: f64) {
        let (wide, high) = (COLUMNS * ACROSS - 1, ROWS * DOWN - 1);
        let x = (x.clamp(0.0, 1.0) * wide as f64).round() as usize;
        let y = ((1.0 - y.clamp(0.0, 1.0)) * high as f64).round() as usize;
        self.0[y / DOWN][x / ACROSS] |= DOTS[y % DOWN][x % ACROSS];
    }

    /// A character, if a dot is in it.
    fn cell(&self, column: usize, row: usize) -> Option<char> {
        let bits = self.0[row][column];
        (bits > 0).then(|| char::from_u32(0x2800 + bits)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let mut canvas = Canvas::new();
        canvas.line((0.0, 0.0), (1.0, 1.0));
        assert_eq!(canvas.cell(0, ROWS - 1), Some('⣀'));
        assert_eq!(canvas.cell(COLUMNS - 1, 0), Some('⠉'));
        assert_eq!(canvas.cell(0, 0), None);
        let drawn = (0..COLUMNS).filter(|column| (0..ROWS).any(|row| canvas.cell(*column, row).is_some()));
        assert_eq!(drawn.count(), COLUMNS, "no gap");
    }

    #[test]
    fn the_axis_is_as_wide_as_the_picture() {
        for most in [0.25, 2.52, 1_000.0] {
            assert_eq!(axis(most).chars().count(), LABELS + 2 + COLUMNS, "{most}");
        }
    }
}
