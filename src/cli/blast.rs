//! `blast`: kill everything in turn, and rank what breaks. `merge`: put together what several machines did of it.

mod crew;
mod part;
mod process;

use std::cmp::Reverse;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Complaint, DEFAULT_SEED, Ended, drive, files, output, search};
use crate::analyze::blast::{LEAST, Plan, Question, Span, Trial};
use crate::analyze::cores;
use crate::layout::{self, duration, printable};
use crate::report::{BlastReport, blast};

use crew::{Crew, Done};
use part::{Head, Journal, LayoutText, Opened};

/// The exit code of what was interrupted, that of a program that ctrl-c ends.
pub(super) const INTERRUPTED: u8 = 130;
/// The most seeds: each is a whole round.
const MOST_SEEDS: u32 = 1_000;

/// What `blast` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A layout file, or the name or number of a shipped layout.
    layout: String,
    /// For how long each failure is watched at most, in simulated time; less once all is as before, or goes on as it is since nobody is left who would act.
    #[arg(long = "for", value_name = "DURATION", default_value = "90s", value_parser = super::run_length, allow_hyphen_values = true)]
    length: Duration,
    /// When the failure comes: caches are warm by then.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = super::before_failure, allow_hyphen_values = true)]
    at: Duration,
    /// Two machines at once, too: each pair that is not like another one.
    #[arg(long)]
    pairs: bool,
    /// With how many seeds each is tried; the worst is shown.
    #[arg(long, value_name = "N", default_value_t = NonZeroU32::MIN, value_parser = super::number::some::<NonZeroU32>, allow_hyphen_values = true)]
    seeds: NonZeroU32,
    /// The first seed.
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = super::number::seed, allow_hyphen_values = true)]
    seed: u64,
    /// Runs at once. Default: as many as there are cores. It changes nothing but the time.
    #[arg(long, value_name = "N", value_parser = super::number::some::<NonZeroUsize>, allow_hyphen_values = true)]
    threads: Option<NonZeroUsize>,
    /// Do only every Nth run, beginning with the Kth, and write lines of JSON for `merge`.
    #[arg(long, value_name = "K/N", value_parser = shard, conflicts_with_all = ["json", "markdown", "html", "csv", "max_spof", "availability"])]
    shard: Option<(u32, u32)>,
    #[command(flatten)]
    form: Form,
}

/// What `merge` is told.
#[derive(Args, Debug)]
pub(super) struct MergeArguments {
    /// What `blast --shard` or `search --shard` wrote: all shards of one question.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    form: Form,
}

/// How the ranking is told.
#[derive(Args, Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Form {
    /// Report as JSON (schema `blastradius.blast/1`).
    #[arg(long, conflicts_with_all = ["markdown", "html", "csv"])]
    json: bool,
    /// Report as Markdown, for a ticket or a pull request.
    #[arg(long, conflicts_with_all = ["html", "csv"])]
    markdown: bool,
    /// Report as one HTML page with a plot, which needs nothing beside it.
    #[arg(long, conflicts_with = "csv")]
    html: bool,
    /// Report as CSV: a line for each failure and seed.
    #[arg(long)]
    csv: bool,
    /// Estimate how often users are served if each machine is up for this share of the time.
    #[arg(long, value_name = "SHARE", default_value = "99.9%", value_parser = share)]
    availability: f64,
    /// End with exit code 1 if there are more single points of failure.
    #[arg(long, value_name = "N", value_parser = super::number::count, allow_hyphen_values = true)]
    max_spof: Option<u64>,
}

/// Kills everything in turn and reports. Ends badly if there are more single points of failure than allowed.
pub(super) fn blast(arguments: &Arguments) -> Result<Ended, Complaint> {
    let source = files::layout(&arguments.layout)?;
    if arguments.seeds.get() > MOST_SEEDS {
        return Err(Complaint(format!("--seeds: at most {MOST_SEEDS}")));
    }
    if arguments.length < LEAST {
        return Err(Complaint(format!(
            "--for: a failure is watched for {} at least, to tell what passes from what lasts",
            duration::format(LEAST)
        )));
    }
    let seeds = (0..u64::from(arguments.seeds.get())).map(|number| arguments.seed.wrapping_add(number));
    let question = Question {
        span: Span {
            before: arguments.at,
            after: arguments.length,
        },
        seeds: seeds.collect(),
        pairs: arguments.pairs,
    };
    let head = Head::new(
        LayoutText {
            name: source.name.clone(),
            text: source.text.clone(),
        },
        &question,
    );
    let (plan, start) = Plan::begun(&source.layout, question);
    let trials = match arguments.shard {
        Some((number, count)) => plan.shard(number, count),
        None => plan.trials.clone(),
    };
    let stop = interrupt()?;
    let count = arguments.threads.unwrap_or_else(cores);
    let threads = NonZeroUsize::new(trials.len()).map_or(NonZeroUsize::MIN, |most| most.min(count));
    // Before a file is locked, which copies of this process would hold, and before there are threads.
    let crew = Crew::of(&source.layout, &plan, start, threads, &stop);
    let Opened {
        mut journal,
        mut seen,
        is_taken,
    } = Journal::open(&head, arguments.shard, &plan);
    if is_taken {
        output::remark("the same blast runs already, and keeps its runs; this one begins anew and keeps nothing");
    }
    if !seen.is_empty() {
        output::remark(&format!(
            "going on: {} of {} runs were done before",
            seen.len(),
            trials.len()
        ));
    }
    let mut missing: Vec<Trial> = trials
        .iter()
        .filter(|trial| !seen.contains_key(trial))
        .copied()
        .collect();
    // Those of a seed have their start in common. Machines, of which most runs are short, come last, so that all helpers have something to do until the end.
    missing.sort_by_key(|trial| (trial.seed, trial.failure.map(Reverse)));
    let whole = arguments.at + arguments.length;
    let bar = bar(whole * u32::try_from(missing.len()).unwrap_or(u32::MAX));
    let watch = |passed| bar.inc(drive::millis(passed));
    let one = |trial| {
        let done = crew.as_ref().map_or(Done::Unable, |crew| {
            watch(arguments.at);
            crew.run(trial, &stop, &watch)
        });
        match done {
            Done::Seen(outcomes) => Some(outcomes),
            Done::Not => None,
            Done::Unable => plan.try_one(&source.layout, trial, &stop, &watch),
        }
    };
    plan.run_by(&missing, threads, &stop, one, |trial, outcomes| {
        journal.keep(&plan, trial, &outcomes);
        seen.insert(trial, outcomes);
    });
    bar.finish_and_clear();
    let crew = crew.map_or(Ok(()), Crew::end);
    if seen.len() < trials.len() {
        output::remark(&journal.farewell(seen.len(), trials.len()));
        return crew.map(|()| Ended::With(INTERRUPTED));
    }
    let ended = if arguments.shard.is_some() {
        output::say(&part::written(&head, &plan, &seen))?;
        Ended::Well
    } else {
        let report = BlastReport::new(&source.name, &source.layout, &plan, &seen, arguments.form.availability);
        tell(&report.expect("no run is missing"), arguments.form)?
    };
    journal.forget();
    Ok(ended)
}

/// Puts together what shards of one question did.
pub(super) fn merge(arguments: &MergeArguments) -> Result<Ended, Complaint> {
    let (searches, blasts): (Vec<&PathBuf>, Vec<&PathBuf>) =
        arguments.files.iter().partition(|file| search::is_part(file));
    if let (Some(search), Some(blast)) = (searches.first(), blasts.first()) {
        part::load(blast)?;
        return Err(Complaint(format!(
            "{} is a part of a search and {} of a blast: merge those of one question",
            search.display(),
            blast.display()
        )));
    }
    if !searches.is_empty() {
        return match arguments.form {
            Form {
                json,
                markdown: false,
                html: false,
                csv: false,
                max_spof: None,
                ..
            } => search::merge(&arguments.files, json),
            _ => Err(Complaint(
                "parts of a search are told as text or, with --json, as JSON".to_owned(),
            )),
        };
    }
    let mut parts = arguments
        .files
        .iter()
        .map(|file| part::load(file).map(|part| (file, part)));
    let (first, (head, mut lines)) = parts.next().expect("clap asks for one")?;
    for other in parts {
        let (file, (also, more)) = other?;
        if also != head {
            return Err(Complaint(format!(
                "{} and {} are no parts of the same question: the layout, its options or the version differ",
                first.display(),
                file.display()
            )));
        }
        lines.extend(more);
    }
    let layout = layout::parse(&head.layout.text, &head.layout.name)
        .map_err(|error| Complaint(error.render(&head.layout.text)))?;
    let plan = Plan::of(&layout, head.question());
    let seen = part::found(lines, &plan);
    let report =
        BlastReport::new(&head.layout.name, &layout, &plan, &seen, arguments.form.availability).ok_or_else(|| {
            Complaint(format!(
                "{} of {} runs are missing: give the files of all shards",
                plan.trials.len().saturating_sub(seen.len()),
                plan.trials.len()
            ))
        })?;
    tell(&report, arguments.form)
}

fn tell(report: &BlastReport, form: Form) -> Result<Ended, Complaint> {
    let text = if form.json {
        report.to_json()
    } else if form.markdown {
        blast::to_markdown(report)
    } else if form.html {
        blast::to_html(report)
    } else if form.csv {
        blast::to_csv(report)
    } else {
        blast::to_text(report)
    };
    output::say(&text)?;
    let most = form.max_spof.unwrap_or(u64::MAX);
    if report.single_points > most {
        output::remark(&format!(
            "{} single points of failure, at most {most} are allowed",
            report.single_points
        ));
    }
    Ok(Ended::well_if(report.single_points <= most))
}

/// Set when somebody presses ctrl-c, or the program is told to end. A second time ends it at once.
pub(super) fn interrupt() -> Result<Arc<AtomicBool>, Complaint> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| Complaint(format!("cannot listen to signals: {error}")))?;
    }
    stop.store(false, Ordering::Relaxed);
    Ok(stop)
}

/// A bar on stderr, and only on a terminal. Its position is in milliseconds of simulated time.
fn bar(until: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% of all runs, {eta} to go");
    let bar = ProgressBar::new(drive::millis(until));
    bar.with_style(style.expect("the template is a constant"))
}

/// Reads `2/8`.
pub(super) fn shard(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("`{}` is no shard: write 2/8 for the second of eight", printable(text));
    let (number, count) = text.split_once('/').ok_or_else(wrong)?;
    let number: u32 = number.trim().parse().map_err(|_| wrong())?;
    let count: u32 = count.trim().parse().map_err(|_| wrong())?;
    if number == 0 || number > count {
        return Err(wrong());
    }
    Ok((number, count))
}

/// Reads `99.9%` or `0.999`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match text.trim().strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(text),
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("`{}` is no share: write 99.9% or 0.999", printable(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_or_a_ratio() {
        assert_eq!(share("99.9%"), Ok(99.9 / 100.0));
        assert_eq!(share("0.5"), Ok(0.5));
        for wrong in ["", "%", "101%", "-1", "NaN", "half"] {
            assert!(share(wrong).unwrap_err().contains("is no share"), "{wrong}");
        }
    }

    #[test]
    fn a_shard_is_one_of_so_many() {
        assert_eq!(shard("2/8"), Ok((2, 8)));
        assert_eq!(shard("1/1"), Ok((1, 1)));
        for wrong in ["", "2", "0/8", "9/8", "-1/8", "1/0", "a/b", "1/2/3"] {
            assert!(shard(wrong).unwrap_err().contains("is no shard"), "{wrong}");
        }
    }
}
