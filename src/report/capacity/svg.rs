//! Latency over load as a picture that needs nothing beside it, light or dark as its reader wishes.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::{CapacityReport, ProbeReport, plot};
use crate::report::html::{Log, Scale, decade, escaped, palette};
use crate::report::words::{count, value};

/// The size of the picture, and the place of the axes in it.
const WIDTH: f64 = 820.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 78.0;
const BOTTOM: f64 = HEIGHT - 58.0;

/// The first line of each of these pictures: no other file is replaced by one.
const HEAD: &str = "<!-- blastradius capacity -->";

/// How lines and letters look. The colours are those of the reports.
const RULES: &str = "text{font:12px system-ui,sans-serif;fill:var(--muted)}.title{font-size:15px;font-weight:600;fill:var(--text)}\
.page{fill:var(--page)}.grid{stroke:var(--rule);fill:none}.base{stroke:var(--muted);fill:none}.line{fill:none;stroke-width:2;stroke-linejoin:round}\
.tail{stroke:var(--tail)}.median{stroke:var(--median)}.tail-dot{fill:var(--tail)}.median-dot{fill:var(--median)}\
.mark{stroke:var(--text);stroke-width:1.5;fill:none}.lossy{stroke-dasharray:3 4}.broken{fill:var(--page);stroke:var(--tail);stroke-width:2}";

/// Whether a file holds such a picture, so that another one may take its place.
///
/// # Errors
/// When it cannot be read.
pub const IS_OURS: fn(&Path) -> io::Result<bool> = |file| {
    use io::Read as _;
    let mut start = Vec::new();
    std::fs::File::open(file)?
        .take(HEAD.len() as u64)
        .read_to_end(&mut start)?;
    Ok(start == HEAD.as_bytes())
};

/// What is drawn of a run.
type Of = fn(&ProbeReport) -> f64;

/// The picture.
pub fn to_svg(report: &CapacityReport) -> String {
    let title = format!("Latency over load: {}", report.layout.title);
    let mut svg = format!(
        "{HEAD}\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"t d\">\n\
         <title id=\"t\">{title}</title>\n<desc id=\"d\">{told}</desc>\n<style>{palette}{RULES}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n<text class=\"title\" x=\"{LEFT}\" y=\"24\">{title}</text>\n",
        title = escaped(&title),
        told = escaped(&super::text::answers(report).join(". ")),
        palette = palette(),
    );
    let probes = plot::shown(report);
    let Some(last) = probes.last() else {
        return svg + "</svg>\n";
    };
    let values = probes.iter().flat_map(|probe| [probe.p50_ms, probe.p99_ms]);
    let scale = Log::over(values.filter(|ms| *ms > 0.0));
    let y = |ms: f64| BOTTOM - scale.share(ms).clamp(0.0, 1.0) * (BOTTOM - TOP);
    let x = |factor: f64| LEFT + factor / last.factor * (RIGHT - LEFT);
    for tick in scale.ticks() {
        let (at, label) = (y(tick), decade(tick));
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    svg += &loads(report, last.factor, &x);
    svg += &marks(report, last.factor, &x);
    let both: [(&str, &str, Of); 2] = [
        ("tail", "99th percentile", |probe| probe.p99_ms),
        ("median", "median", |probe| probe.p50_ms),
    ];
    for (index, (class, words, of)) in both.into_iter().enumerate() {
        let seen: Vec<&&ProbeReport> = probes.iter().filter(|probe| of(probe) > 0.0).collect();
        let points: Vec<String> = seen
            .iter()
            .map(|probe| format!("{:.1} {:.1}", x(probe.factor), y(of(probe))))
            .collect();
        let _ = writeln!(svg, "<path class=\"line {class}\" d=\"M{}\"/>", points.join("L"));
        for probe in seen {
            let dot = if probe.holds {
                format!("{class}-dot")
            } else {
                "broken".to_owned()
            };
            let told = format!("{}x: {words} {:.1} ms", value(probe.factor), of(probe));
            let _ = writeln!(
                svg,
                "<circle class=\"{dot}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"><title>{told}</title></circle>",
                x(probe.factor),
                y(of(probe))
            );
        }
        let at = LEFT + 150.0 * index as f64;
        let _ = writeln!(
            svg,
            "<path class=\"line {class}\" d=\"M{at} 42h24\"/><text x=\"{}\" y=\"46\">{words}</text>",
            at + 30.0
        );
    }
    let at = LEFT + 300.0;
    let _ = writeln!(
        svg,
        "<circle class=\"broken\" cx=\"{}\" cy=\"42\" r=\"3.5\"/><text x=\"{}\" y=\"46\">something that is demanded is broken</text>",
        at + 12.0,
        at + 30.0
    );
    svg + "</svg>\n"
}

/// The axis of load: requests a second.
fn loads(report: &CapacityReport, most: f64, x: &dyn Fn(f64) -> f64) -> String {
    let mut text = format!("<path class=\"base\" d=\"M{LEFT} {BOTTOM}H{RIGHT}\"/>\n");
    for tick in Scale::to(most * report.own_rate_per_s).ticks() {
        let factor = tick / report.own_rate_per_s;
        if factor > most {
            break;
        }
        let _ = writeln!(
            text,
            "<path class=\"base\" d=\"M{at:.1} {BOTTOM}v5\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            BOTTOM + 20.0,
            count(tick as u64),
            at = x(factor)
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">requests a second ({} at 1x)</text>",
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 42.0,
        count(report.own_rate_per_s.round() as u64)
    );
    text
}

/// What is carried, as lines from top to bottom.
fn marks(report: &CapacityReport, most: f64, x: &dyn Fn(f64) -> f64) -> String {
    let mut text = String::new();
    for (factor, sign, name) in plot::marks(report).into_iter().filter(|(factor, ..)| *factor <= most) {
        let at = x(factor);
        // What stands right of the middle is told to its left.
        let (anchor, beside) = if at > f64::midpoint(LEFT, RIGHT) {
            ("end", -5.0)
        } else {
            ("start", 5.0)
        };
        let (class, height) = if sign == '┊' { (" lossy", 10.0) } else { ("", -4.0) };
        let _ = writeln!(
            text,
            "<path class=\"mark{class}\" d=\"M{at:.1} {:.1}V{BOTTOM}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{name} {}x</text>",
            TOP - 14.0,
            at + beside,
            TOP - 6.0 + height,
            value(factor)
        );
    }
    text
}
