//! `capacity`: how much traffic a layout carries, undisturbed and with the worst single failure.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Complaint, DEFAULT_SEED, Ended, blast, drive, files, output, search};
use crate::analyze::capacity::{self as search_for, Extent, Progress, Question, find, losses};
use crate::analyze::cores;
use crate::layout::{self, duration, printable};
use crate::replay::{FileKind, replaceable};
use crate::report::{CapacityReport, capacity};

/// Less than this says nothing: measures of latency remember ten seconds.
const LEAST: Duration = Duration::from_secs(10);

const PICTURE: FileKind = FileKind {
    operation: "draw to",
    a_file: "a picture is a file; name one, as in --svg capacity.svg",
    foreign: "it exists and is no picture of a capacity; name another file, or remove this one first",
    is_ours: capacity::IS_OURS,
};

/// What `capacity` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A layout file, or the name or number of a shipped layout.
    layout: String,
    /// What must hold, in place of what the layout expects, as in 'always p99 < 200ms'. May be given several times.
    #[arg(long = "expect", value_name = "EXPECTATION", allow_hyphen_values = true)]
    expect: Vec<String>,
    /// For how long each run is watched, in simulated time.
    #[arg(long = "for", value_name = "DURATION", default_value = "20s", value_parser = super::run_length, allow_hyphen_values = true)]
    length: Duration,
    /// Time for caches and browsers to fill before that; a failure comes after it. Autoscalers are waited for besides.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = super::before_failure, allow_hyphen_values = true)]
    at: Duration,
    /// From a failure until something is demanded again. Default: the longest grace of an expectation, or 30s.
    #[arg(long, value_name = "DURATION", value_parser = super::run_length, allow_hyphen_values = true)]
    grace: Option<Duration>,
    /// What is lost in the worst single failure.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Lose::Machine)]
    lose: Lose,
    /// How near the traffic that breaks is to the one that holds.
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = precision, allow_hyphen_values = true)]
    precision: f64,
    /// No run has more requests a second than this; how long a run takes grows with them.
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = positive, allow_hyphen_values = true)]
    most_rate: f64,
    /// The seed of all runs: the answer is that of one. Run it with others to see how far chance moves it.
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = super::number::seed, allow_hyphen_values = true)]
    seed: u64,
    /// Runs at once. Default: as many as there are cores. It changes nothing but the time.
    #[arg(long, value_name = "N", value_parser = super::number::some::<NonZeroUsize>, allow_hyphen_values = true)]
    threads: Option<NonZeroUsize>,
    /// End with exit code 1 if it carries less than this factor of its traffic, undisturbed.
    #[arg(long, value_name = "FACTOR", value_parser = positive, allow_hyphen_values = true)]
    min: Option<f64>,
    /// The same with the worst single failure. Single points of failure end it with 1, too, unless --max-spof allows them.
    #[arg(long, value_name = "FACTOR", value_parser = positive, allow_hyphen_values = true)]
    min_n1: Option<f64>,
    /// End with exit code 1 if there are more single points of failure than this. Default: 0 with --min-n1, else any number.
    #[arg(long, value_name = "N", value_parser = super::number::count, allow_hyphen_values = true)]
    max_spof: Option<u64>,
    /// Report as JSON (schema `blastradius.capacity/1`).
    #[arg(long, conflicts_with_all = ["markdown", "csv"])]
    json: bool,
    /// Report as Markdown, for a ticket or a pull request.
    #[arg(long, conflicts_with = "csv")]
    markdown: bool,
    /// Report as CSV: a line for each run.
    #[arg(long)]
    csv: bool,
    /// Draw latency over load, too. Replaces an older picture, and no other file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lose {
    /// A machine crashes.
    Machine,
    /// All machines of a zone crash.
    Zone,
    /// All machines of a data center crash.
    DataCenter,
    /// Nothing: only the undisturbed capacity is looked for.
    Nothing,
}

impl Lose {
    fn extent(self) -> Option<Extent> {
        match self {
            Lose::Machine => Some(Extent::Machine),
            Lose::Zone => Some(Extent::Zone),
            Lose::DataCenter => Some(Extent::DataCenter),
            Lose::Nothing => None,
        }
    }
}

/// Looks for the capacity and reports. Ends badly if it is less than asked for.
pub(super) fn capacity(arguments: &Arguments) -> Result<Ended, Complaint> {
    let source = files::layout(&arguments.layout)?;
    let question = arguments.question(&source.layout)?;
    if let Some(file) = &arguments.svg {
        let sources = [("the layout", Some(Path::new(&arguments.layout)))];
        replaceable(file, &PICTURE, &sources).map_err(Complaint)?;
    }
    let threads = arguments.threads.unwrap_or_else(cores);
    let stop = blast::interrupt()?;
    let bar = bar();
    let watch = |progress| match progress {
        Progress::Passed(passed) => bar.inc(drive::millis(passed)),
        Progress::Left(left) => bar.set_length(bar.position() + drive::millis(left)),
    };
    let found = find(&source.layout, &question, threads, &stop, &watch);
    bar.finish_and_clear();
    let report = CapacityReport::new(&source.name, &source.layout, &question, &found);
    if !found.complete {
        output::remark(&format!("interrupted: {}", capacity::known(&report)));
    }
    // The report comes first: a full disk must not cost it.
    output::say(&arguments.told(&report))?;
    if let Some(file) = &arguments.svg {
        fs::write(file, capacity::to_svg(&report))
            .map_err(|error| Complaint(format!("cannot draw to {}: {error}", file.display())))?;
    }
    if !found.complete {
        return Ok(Ended::With(blast::INTERRUPTED));
    }
    Ok(arguments.ended(&report))
}

impl Arguments {
    fn question(&self, layout: &layout::Layout) -> Result<Question, Complaint> {
        if self.length < LEAST {
            return Err(Complaint(format!(
                "--for: a run is watched for {} at least, since latency is measured over that time",
                duration::format(LEAST)
            )));
        }
        if self.length.subsec_nanos() > 0 {
            return Err(Complaint("--for takes whole seconds, as in --for 20s".to_owned()));
        }
        let (most, least) = (search_for::most(layout, self.most_rate), search_for::LEAST);
        if most < least {
            return Err(Complaint(format!(
                "--most-rate: the least that is tried is a {}th of the layout's own {} requests a second, so allow {} at least",
                1.0 / least,
                search_for::own_rate(layout),
                search_for::own_rate(layout) * least
            )));
        }
        for (option, factor) in [("--min", self.min), ("--min-n1", self.min_n1)] {
            if factor.is_some_and(|factor| factor > most || factor < least) {
                return Err(Complaint(format!(
                    "{option}: what is tried is from {least}x to {most}x (--most-rate, and 1000x at most)"
                )));
            }
        }
        if (self.min_n1.is_some() || self.max_spof.is_some()) && self.lose == Lose::Nothing {
            return Err(Complaint(
                "--min-n1 asks for a failure: name what is lost, as in --lose machine".to_owned(),
            ));
        }
        let question = Question {
            seed: self.seed,
            warm_up: self.at,
            watched: self.length,
            grace: self.grace,
            expect: search::expectations(&self.expect, layout)?,
            precision: self.precision,
            most_rate: self.most_rate,
            loss: self.lose.extent(),
            min: self.min,
            min_with_loss: self.min_n1,
        };
        if let Some(extent) = question.loss.filter(|_| self.min_n1.is_some())
            && losses(layout, &question, extent).is_empty()
        {
            return Err(Complaint(
                "--min-n1: the layout has nothing of that kind to lose; name another, as in --lose machine".to_owned(),
            ));
        }
        Ok(question)
    }

    fn told(&self, report: &CapacityReport) -> String {
        if self.json {
            report.to_json()
        } else if self.markdown {
            capacity::to_markdown(report)
        } else if self.csv {
            capacity::to_csv(report)
        } else {
            capacity::to_text(report)
        }
    }

    /// Whether it carries what it has to.
    fn ended(&self, report: &CapacityReport) -> Ended {
        let alone = self.min.filter(|factor| !report.carries(*factor));
        let lossy = self.min_n1.filter(|factor| !report.carries_with_loss(*factor));
        if let Some(factor) = alone {
            output::remark(&format!("--min: it does not carry {factor}x undisturbed"));
        }
        if let Some(factor) = lossy {
            output::remark(&format!(
                "--min-n1: it does not carry {factor}x with the worst single failure"
            ));
        }
        let (points, count) = report.single_points();
        let allowed = self.max_spof.or(self.min_n1.map(|_| 0));
        let too_many = allowed.is_some_and(|allowed| count > allowed);
        if too_many {
            output::remark(&format!(
                "single points of failure: {}; --max-spof {count} allows so many",
                points.join(", ")
            ));
        }
        Ended::well_if(alone.is_none() && lossy.is_none() && !too_many)
    }
}

/// A bar on stderr, and only on a terminal. Its position is in milliseconds of simulated time; how much is to come is an estimate.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% of about all runs, {eta} to go");
    let bar = ProgressBar::new(1);
    bar.with_style(style.expect("the template is a constant"))
}

/// Reads `5%` or `0.05`.
fn precision(text: &str) -> Result<f64, String> {
    blast::share(text)
        .ok()
        .filter(|share| (0.01..=1.0).contains(share))
        .ok_or_else(|| {
            format!(
                "`{}` is no precision: write 5% or 0.05, from 1% to 100%",
                printable(text)
            )
        })
}

/// Reads a number above 0.
fn positive(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('x').parse::<f64>().ok();
    number
        .filter(|number| *number > 0.0 && number.is_finite())
        .ok_or_else(|| format!("`{}` is no number above 0", printable(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_and_precisions_are_numbers_in_bounds() {
        assert_eq!(positive("2.5"), Ok(2.5));
        assert_eq!(positive("2.5x"), Ok(2.5));
        for wrong in ["", "0", "-1", "NaN", "inf", "x", "much"] {
            assert!(positive(wrong).unwrap_err().contains("is no number"), "{wrong}");
        }
        assert_eq!(precision("5%"), Ok(5.0 / 100.0));
        assert_eq!(precision("0.1"), Ok(0.1));
        for wrong in ["0", "0.5%", "101%", "", "fine"] {
            assert!(precision(wrong).unwrap_err().contains("is no precision"), "{wrong}");
        }
    }
}
