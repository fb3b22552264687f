//! Plots of a page: what happened to requests, and how long they took, over time. Each is drawn twice, for a wide page and for a narrow one,
//! so that its letters can be read on both.

mod axis;

use std::fmt::Write as _;

use super::escaped;
use crate::observe::Sample;
use crate::report::document::{Band, Document};
use crate::report::seconds::Seconds;
use crate::report::words::{clock, count, milliseconds};

use axis::{Frame, LEFT, TOP};

pub(in crate::report) use axis::{Log, Scale, decade};

/// What failed or was tried again is drawn at least so high, in pixels: one among thousands is to be seen.
const LEAST: f64 = 2.5;

/// Room above the highest value, in which the bands of incidents show, as a factor.
const HEADROOM: f64 = 1.1;

/// A few seconds of a run, drawn as one column. Rates are means; of latencies the highest is kept.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    from_s: f64,
    to_s: f64,
    ok: f64,
    failed: f64,
    retried: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Both plots, with legends.
pub(super) fn plots(document: &Document, seconds: &Seconds) -> String {
    let samples = seconds.samples();
    if samples.is_empty() {
        return "<p>The run was shorter than a second: there is nothing to draw.</p>\n".to_string();
    }
    let wide = Frame::wide(document.duration_s);
    let narrow = Frame::narrow(document.duration_s);
    let mut text = String::new();
    for plot in [requests, latencies] {
        text += &plot(document, samples, wide, narrow);
    }
    text
}

fn requests(document: &Document, samples: &[Sample], wide: Frame, narrow: Frame) -> String {
    let most = |of: fn(&Sample) -> u64| samples.iter().map(of).max().unwrap_or(0);
    let ended = most(|sample| sample.tally.ok + sample.tally.failed);
    let told = format!(
        "At most {} requests ended in a second. At most {} failed and {} were tried again in one.",
        count(ended),
        count(most(|sample| sample.tally.failed)),
        count(most(|sample| sample.tally.retried))
    );
    let legend = [
        (
            "<rect class=\"tint\" width=\"24\" height=\"12\"/><path class=\"line ok\" d=\"M0 1H24\"/>",
            "answered well",
        ),
        (
            "<rect class=\"failed\" width=\"24\" height=\"12\"/>",
            "failed, on top of those",
        ),
        (
            "<path class=\"line retried\" d=\"M0 6H24\"/>",
            "tried again: a request may end well then",
        ),
    ];
    let draw = |frame: Frame| {
        let columns = columns(samples, frame.columns());
        let top = |column: &Column| (column.ok + column.failed).max(column.retried);
        let scale = Scale::to(columns.iter().map(top).fold(0.0, f64::max) * HEADROOM);
        let mut body = rules(frame, &scale.ticks(), |value| {
            (frame.y(scale.share(value)), count(value as u64))
        });
        let y = |value: f64| frame.y(scale.share(value));
        body += &area("tint", frame, &columns, |column| {
            (column.ok > 0.0).then(|| (y(0.0), y(column.ok)))
        });
        body += &line("ok", frame, &columns, |column| Some(y(column.ok)));
        body += &area("failed", frame, &columns, |column| {
            let (low, high) = (y(column.ok), y(column.ok + column.failed));
            (column.failed > 0.0).then(|| (low, high.min(low - LEAST)))
        });
        body += &line("retried", frame, &columns, |column| {
            (column.retried > 0.0).then(|| y(column.retried).min(y(0.0) - LEAST))
        });
        body
    };
    figure(
        document,
        ("requests", "Requests a second"),
        &told,
        &legend,
        (wide, narrow),
        draw,
    )
}

fn latencies(document: &Document, samples: &[Sample], wide: Frame, narrow: Frame) -> String {
    let highest = |of: fn(&Sample) -> f64| samples.iter().map(of).fold(0.0, f64::max);
    let told = format!(
        "The median was at most {}, the 99th percentile at most {}. The scale is logarithmic.",
        milliseconds(highest(|sample| ms(sample.p50))),
        milliseconds(highest(|sample| ms(sample.p99)))
    );
    let legend = [
        (
            "<path class=\"line tail\" d=\"M0 6H24\"/>",
            "99th percentile of a second",
        ),
        ("<path class=\"line median\" d=\"M0 6H24\"/>", "median of a second"),
    ];
    let draw = |frame: Frame| {
        let columns = columns(samples, frame.columns());
        let seen = columns.iter().flat_map(|column| [column.p50_ms, column.p99_ms]);
        let scale = Log::over(seen.filter(|ms| *ms > 0.0));
        let y = |ms: f64| (ms > 0.0).then(|| frame.y(scale.share(ms)));
        let mut body = rules(frame, &scale.ticks(), |value| {
            (frame.y(scale.share(value)), decade(value))
        });
        body += &line("tail", frame, &columns, |column| y(column.p99_ms));
        body += &line("median", frame, &columns, |column| y(column.p50_ms));
        body
    };
    figure(document, ("latency", "Latency"), &told, &legend, (wide, narrow), draw)
}

/// A plot with its caption, its legend and both of its pictures.
fn figure(
    document: &Document,
    (id, caption): (&str, &str),
    told: &str,
    legend: &[(&str, &str)],
    (wide, narrow): (Frame, Frame),
    draw: impl Fn(Frame) -> String,
) -> String {
    let mut text = format!("<figure>\n<figcaption>{caption}</figcaption>\n<p>{told}");
    if !document.bands.is_empty() {
        text += " Shaded: incidents by number, darker until users were served as before.";
    }
    text += "</p>\n<ul class=\"legend\">";
    for (sign, words) in legend {
        let _ = write!(
            text,
            "<li><svg viewBox=\"0 0 24 12\" aria-hidden=\"true\">{sign}</svg>{words}</li>"
        );
    }
    text += "</ul>\n";
    for (class, frame) in [("big", wide), ("small", narrow)] {
        let (width, height) = (frame.width, frame.height);
        let _ = write!(
            text,
            "<svg class=\"plot {class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-{class}-t {id}-{class}-d\">\n\
             <title id=\"{id}-{class}-t\">{caption} over the time of the run</title>\n<desc id=\"{id}-{class}-d\">{told}{}</desc>\n",
            in_words(&document.bands)
        );
        text += &shades(frame, &document.bands);
        text += &draw(frame);
        text += &moments(frame);
        text += &numbers(frame, &document.bands);
        text += "</svg>\n";
    }
    text + "</figure>\n"
}

/// The incidents for who cannot see the bands.
fn in_words(bands: &[Band]) -> String {
    const TOLD: usize = 10;
    let told = bands.iter().take(TOLD).map(|band| {
        let what = escaped(&band.what.plain());
        format!(
            " Incident {}: {what}, from {} to {}.",
            band.number,
            clock(band.from_s),
            clock(band.to_s)
        )
    });
    told.collect()
}

/// Samples in at most so many columns.
fn columns(samples: &[Sample], most: usize) -> Vec<Column> {
    let each = samples.len().div_ceil(most.max(1)).max(1);
    samples.chunks(each).map(column).collect()
}

fn column(samples: &[Sample]) -> Column {
    let length = samples.len() as f64;
    let rate = |of: fn(&Sample) -> u64| samples.iter().map(of).sum::<u64>() as f64 / length;
    let highest = |of: fn(&Sample) -> f64| samples.iter().map(of).fold(0.0, f64::max);
    Column {
        from_s: samples[0].at.seconds() - 1.0,
        to_s: samples[samples.len() - 1].at.seconds(),
        ok: rate(|sample| sample.tally.ok),
        failed: rate(|sample| sample.tally.failed),
        retried: rate(|sample| sample.tally.retried),
        p50_ms: highest(|sample| ms(sample.p50)),
        p99_ms: highest(|sample| ms(sample.p99)),
    }
}

fn ms(duration: std::time::Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

/// Columns filled from a low to a high ordinate; nothing where there is none.
fn area(class: &str, frame: Frame, columns: &[Column], ends: impl Fn(&Column) -> Option<(f64, f64)>) -> String {
    let mut path = String::new();
    for run in runs(columns, &ends) {
        let _ = write!(path, "M{:.1} {:.1}", frame.x(run[0].0.from_s), run[0].1.0);
        for (column, (_, high)) in &run {
            let _ = write!(path, "V{high:.1}H{:.1}", frame.x(column.to_s));
        }
        for (column, (low, _)) in run.iter().rev() {
            let _ = write!(path, "V{low:.1}H{:.1}", frame.x(column.from_s));
        }
        path.push('Z');
    }
    if path.is_empty() {
        return path;
    }
    format!("<path class=\"{class}\" d=\"{path}\"/>\n")
}

/// A line of steps; a gap where there is nothing.
fn line(class: &str, frame: Frame, columns: &[Column], at: impl Fn(&Column) -> Option<f64>) -> String {
    let mut path = String::new();
    for run in runs(columns, &at) {
        let _ = write!(path, "M{:.1} {:.1}", frame.x(run[0].0.from_s), run[0].1);
        for (column, y) in &run {
            let _ = write!(path, "V{y:.1}H{:.1}", frame.x(column.to_s));
        }
    }
    if path.is_empty() {
        return path;
    }
    format!("<path class=\"line {class}\" d=\"{path}\"/>\n")
}

/// Columns next to each other of which there is something to draw.
fn runs<'a, T: Copy>(columns: &'a [Column], what: &impl Fn(&Column) -> Option<T>) -> Vec<Vec<(&'a Column, T)>> {
    let mut runs: Vec<Vec<(&Column, T)>> = Vec::new();
    let mut open = false;
    for column in columns {
        let Some(found) = what(column) else {
            open = false;
            continue;
        };
        match runs.last_mut() {
            Some(run) if open => run.push((column, found)),
            _ => runs.push(vec![(column, found)]),
        }
        open = true;
    }
    runs
}

/// Horizontal rules with their values.
fn rules(frame: Frame, ticks: &[f64], place: impl Fn(f64) -> (f64, String)) -> String {
    let right = frame.right();
    let mut text = String::new();
    for tick in ticks {
        let (y, label) = place(*tick);
        let _ = writeln!(
            text,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
    text
}

/// The axis of time.
fn moments(frame: Frame) -> String {
    let bottom = frame.bottom();
    let mut text = format!("<path class=\"base\" d=\"M{} {bottom}H{}\"/>\n", LEFT, frame.right());
    for (at, label) in frame.moments() {
        let x = frame.x(at);
        let _ = writeln!(
            text,
            "<path class=\"base\" d=\"M{x:.1} {bottom}v4\"/><text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            bottom + 18.0
        );
    }
    text
}

/// The bands of incidents, below everything.
fn shades(frame: Frame, bands: &[Band]) -> String {
    let height = frame.bottom() - TOP;
    let mut text = String::new();
    let rect = |class: &str, from: f64, to: f64| {
        let (from, to) = (frame.x(from), frame.x(to));
        let width = (to - from).max(1.0);
        format!("<rect class=\"{class}\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"/>")
    };
    // What hurt is drawn over what only was not healed yet, also where incidents overlap.
    for band in bands {
        text += &rect("late", band.from_s, band.to_s);
    }
    for band in bands {
        text += &rect("hurt", band.from_s, band.hurt_until_s);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// When each incident began. Those that began at nearly the same time share a label: the first and the last of their numbers.
fn numbers(frame: Frame, bands: &[Band]) -> String {
    const ROOM: f64 = 26.0;
    let bottom = frame.bottom();
    let mut text = String::new();
    for band in bands {
        let x = frame.x(band.from_s);
        let what = escaped(&band.what.plain());
        let _ = writeln!(
            text,
            "<g><title>Incident {}: {what}, at {}</title><path class=\"mark\" d=\"M{x:.1} {}V{bottom}\"/></g>",
            band.number,
            clock(band.from_s),
            TOP - 4.0
        );
    }
    let is_near = |one: &Band, next: &Band| frame.x(next.from_s) - frame.x(one.from_s) < ROOM;
    for near in bands.chunk_by(is_near) {
        let (first, last) = (&near[0], &near[near.len() - 1]);
        let label = if near.len() == 1 {
            first.number.to_string()
        } else {
            format!("{}–{}", first.number, last.number)
        };
        let x = f64::midpoint(frame.x(first.from_s), frame.x(last.from_s));
        let _ = writeln!(
            text,
            "<text class=\"number\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            TOP - 8.0
        );
    }
    text
}
