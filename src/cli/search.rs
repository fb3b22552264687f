//! `search`: look for faults that break what a layout expects, and shrink what is found.

use std::fs;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Complaint, DEFAULT_SEED, Ended, blast, drive, files, output};
use crate::analyze::cores;
use crate::analyze::search::{Finding, Obstacle, Question, Search};
use crate::layout::{self, Expectation, Layout, RawExpectation, printable};
use crate::replay::{self, Ending, LONGEST_WORDS, Recording, Words};
use crate::report::search::{TriesReport, in_words, merged};
use crate::report::{SearchReport, operand};

/// How many tries if nobody says so, and no time either.
const TRIES: u64 = 1_000;
/// So many tries are drawn at once.
const BATCH: usize = 256;

/// What `search` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A layout file, or the name or number of a shipped layout.
    layout: String,
    /// What must hold, in place of what the layout expects, as in 'always lost == 0'; also eventually, sometimes, 'at 50s ok >= 99%'. May be given several times.
    #[arg(long = "expect", value_name = "EXPECTATION", allow_hyphen_values = true)]
    expect: Vec<String>,
    /// How long each run is, in simulated time. Faults come in the first two thirds of it.
    #[arg(long = "for", value_name = "DURATION", default_value = "60s", value_parser = super::run_length, allow_hyphen_values = true)]
    length: Duration,
    /// From which everything is drawn; worlds have this seed and the seven behind it in turn.
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = super::number::seed, allow_hyphen_values = true)]
    seed: u64,
    /// How many tries at most. Default: 1000, or without end where there is --time.
    #[arg(long, value_name = "N", value_parser = super::number::some::<NonZeroU64>, allow_hyphen_values = true)]
    tries: Option<NonZeroU64>,
    /// For how long to look at most, by the clock on the wall. How far that comes depends on the machine.
    #[arg(long, value_name = "DURATION", value_parser = layout::duration::parse)]
    time: Option<Duration>,
    /// The number of the first try.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = super::number::count, allow_hyphen_values = true)]
    from: u64,
    /// Runs at once. Default: as many as there are cores. It changes nothing but the time.
    #[arg(long, value_name = "N", value_parser = super::number::some::<NonZeroUsize>, allow_hyphen_values = true)]
    threads: Option<NonZeroUsize>,
    /// Do only every Nth try, beginning with the Kth, and write one line of JSON.
    #[arg(long, value_name = "K/N", value_parser = blast::shard, conflicts_with = "json")]
    shard: Option<(u32, u32)>,
    /// Where to keep the recording of what is found. Default: LAYOUT-broken.replay.ron here. Replaces an older recording, and no other file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Report as JSON (schema `blastradius.search/1`).
    #[arg(long)]
    json: bool,
}

/// What the tries came to.
#[derive(Default)]
struct Looked {
    finding: Option<Finding>,
    /// The number to go on from.
    next: u64,
    out_of_time: bool,
    interrupted: bool,
}

/// Looks for something, shrinks it and keeps it. Ends badly if there is something.
pub(super) fn search(arguments: &Arguments) -> Result<Ended, Complaint> {
    let source = files::layout(&arguments.layout)?;
    let question = Question {
        seed: arguments.seed,
        length: arguments.length,
        expect: sought(arguments, &source.layout)?,
    };
    let file = arguments.file(&source.name);
    let sources = [("the layout", Some(Path::new(&arguments.layout)))];
    let writable = || replay::recordable(&file, &sources).map_err(Complaint);
    writable()?;
    let threads = arguments.threads.unwrap_or_else(cores);
    let stop = blast::interrupt()?;
    let report = |next, out_of_time| {
        let tries = TriesReport {
            shard: arguments.shard.map(|(number, count)| format!("{number}/{count}")),
            from: arguments.from,
            next,
            out_of_time,
        };
        let layout = (source.name.as_str(), source.layout.title.as_str(), source.text.as_str());
        SearchReport::new(layout, &question, tries)
    };
    let search = match Search::of(&source.layout, question.clone(), threads, &stop) {
        Ok(search) => search,
        Err(Obstacle::Stopped) => return Ok(arguments.interrupted(arguments.from)),
        Err(Obstacle::Unjudged(index)) => return Err(unjudged(&question.expect[index], arguments.length)),
        Err(Obstacle::Broken(seed, broken)) => {
            arguments.tell(&report(arguments.from, false).undisturbed(seed, &broken))?;
            return Ok(Ended::Badly);
        }
    };
    let looked = arguments.look(&search, threads, &stop);
    if looked.interrupted {
        let found = looked.finding.map_or(looked.next, |finding| finding.number);
        return Ok(arguments.interrupted(found.min(looked.next)));
    }
    let report = report(looked.next, looked.out_of_time);
    let Some(finding) = looked.finding else {
        arguments.tell(&report)?;
        return Ok(Ended::Well);
    };
    let Some(shrunk) = search.shrink(&finding, threads, &stop) else {
        return Ok(arguments.interrupted(finding.number.min(looked.next)));
    };
    let ending = search.run(finding.seed, &shrunk.acts);
    let words = broken_words(&question.expect[finding.broken.index]);
    let mut recording = recording(&source, &ending, shrunk.broken.at, words);
    if !arguments.expect.is_empty() {
        recording.head.expect = question.expect.iter().map(RawExpectation::from).collect();
    }
    // Somebody may have made the file meanwhile.
    let saved = writable().and_then(|()| recording.save(&file).map_err(|error| Complaint(error.to_string())));
    let replay = format!("blastradius replay {}", operand(&file));
    // The report comes first: a full disk must not cost it.
    arguments.tell(&report.found(&finding, &shrunk, &ending, (file.display().to_string(), replay)))?;
    saved.map(|()| Ended::Badly)
}

/// Whether a file holds what a shard of a search wrote.
pub(super) fn is_part(file: &Path) -> bool {
    parts(file).is_ok_and(|parts| !parts.is_empty())
}

/// The parts in a file, one on each line.
fn parts(file: &Path) -> Result<Vec<SearchReport>, Complaint> {
    let failed = |why: String| Complaint(format!("cannot merge {}: {}", file.display(), printable(&why)));
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            failed(format!(
                "line {}: {error}; it is not what `search --shard` writes",
                number + 1
            ))
        })
    };
    text.lines().enumerate().map(line).collect()
}

/// Puts together what all shards of a search wrote.
pub(super) fn merge(files: &[PathBuf], as_json: bool) -> Result<Ended, Complaint> {
    let parts: Vec<Vec<SearchReport>> = files.iter().map(|file| parts(file)).collect::<Result<_, _>>()?;
    let whole =
        merged(&parts.concat()).map_err(|why| Complaint(format!("cannot merge {}: {why}", files[0].display())))?;
    output::say(&if as_json { whole.to_json() } else { whole.to_text() })?;
    Ok(Ended::well_if(whole.found.is_none() && whole.undisturbed.is_none()))
}

impl Arguments {
    /// Does the tries in the order of their numbers until one breaks something.
    fn look(&self, search: &Search, threads: NonZeroUsize, stop: &AtomicBool) -> Looked {
        let most = match (self.tries, self.time) {
            (Some(tries), _) => tries.get(),
            (None, None) => TRIES,
            (None, Some(_)) => u64::MAX,
        };
        let end = self.from.saturating_add(most);
        let deadline = self.time.and_then(|time| Instant::now().checked_add(time));
        let late = AtomicBool::new(false);
        let bar = bar(
            if self.time.is_some() {
                None
            } else {
                Some(most / self.stride())
            },
            self.length,
        );
        let watch = |passed| {
            bar.inc(drive::millis(passed));
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) && !stop.swap(true, Ordering::Relaxed) {
                late.store(true, Ordering::Relaxed);
            }
        };
        let mut looked = Looked {
            next: self.from,
            ..Looked::default()
        };
        while looked.finding.is_none() && !stop.load(Ordering::Relaxed) {
            let mine = |number: &u64| {
                self.shard
                    .is_none_or(|(shard, count)| number % u64::from(count) == u64::from(shard - 1))
            };
            let batch: Vec<u64> = (looked.next..end).filter(mine).take(BATCH).collect();
            if batch.is_empty() {
                looked.next = end;
                break;
            }
            let tried = search.tries(&batch, threads, stop, &watch);
            looked.next = batch.get(tried.known).copied().unwrap_or(batch[batch.len() - 1] + 1);
            if let Some(finding) = &tried.finding
                && tried.known > 0
                && batch[tried.known - 1] == finding.number
            {
                looked.next = finding.number + 1;
            }
            looked.finding = tried.finding;
        }
        bar.finish_and_clear();
        looked.out_of_time = late.load(Ordering::Relaxed);
        looked.interrupted = stop.load(Ordering::Relaxed) && !looked.out_of_time;
        // What was found in time is shrunk after it.
        stop.store(false, Ordering::Relaxed);
        looked
    }

    fn stride(&self) -> u64 {
        self.shard.map_or(1, |(_, count)| u64::from(count))
    }

    /// Where the recording goes.
    fn file(&self, name: &str) -> PathBuf {
        let shard = self
            .shard
            .map_or_else(String::new, |(number, count)| format!("-{number}-of-{count}"));
        let default = || PathBuf::from(format!("{}-broken{shard}.replay.ron", stem(name)));
        self.output.clone().unwrap_or_else(default)
    }

    fn tell(&self, report: &SearchReport) -> Result<(), Complaint> {
        let as_json = self.json || self.shard.is_some();
        output::say(&if as_json { report.to_json() } else { report.to_text() })
    }

    /// Says how to go on.
    fn interrupted(&self, next: u64) -> Ended {
        let left = self.tries.map_or_else(String::new, |tries| {
            let left = self.from.saturating_add(tries.get()).saturating_sub(next);
            format!(" --tries {left}")
        });
        output::remark(&format!(
            "interrupted: what was tried before number {next} breaks nothing; the same command with --from {next}{left} goes on"
        ));
        Ended::With(blast::INTERRUPTED)
    }
}

/// What is looked for: what is said, or else what the layout expects.
fn sought(arguments: &Arguments, layout: &Layout) -> Result<Vec<Expectation>, Complaint> {
    let said = expectations(&arguments.expect, layout)?;
    let sought = if said.is_empty() { layout.expect.clone() } else { said };
    if sought.is_empty() {
        return Err(Complaint(format!(
            "{} expects nothing: say what must hold, as in --expect 'always lost == 0'",
            arguments.layout
        )));
    }
    Ok(sought)
}

/// Reads what `--expect` says.
pub(super) fn expectations(texts: &[String], layout: &Layout) -> Result<Vec<Expectation>, Complaint> {
    let read = |text: &String| {
        expectation(text, layout).map_err(|why| Complaint(format!("--expect `{}`: {why}", printable(text))))
    };
    texts.iter().map(read).collect()
}

/// Reads `always lost == 0` or `at 50s ok >= 99%`.
fn expectation(text: &str, layout: &Layout) -> Result<Expectation, String> {
    let wrong = || {
        "write how often it holds and what, as in 'always lost == 0'; also eventually, sometimes, 'at 50s ok >= 99%'"
            .to_owned()
    };
    let (word, rest) = text.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
    let raw = match word.to_ascii_lowercase().as_str() {
        "always" => RawExpectation::Always(rest.to_owned()),
        "eventually" => RawExpectation::Eventually(rest.to_owned()),
        "sometimes" => RawExpectation::Sometimes(rest.to_owned()),
        "at" => {
            let (when, rest) = rest.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
            RawExpectation::At(layout::duration::parse(when)?, rest.to_owned())
        }
        _ => return Err(wrong()),
    };
    raw.model(layout)
}

fn unjudged(expectation: &Expectation, length: Duration) -> Complaint {
    Complaint(format!(
        "a run of {} never judges `{}`: give a longer --for, or look for something else",
        layout::duration::format(length),
        in_words(expectation)
    ))
}

fn broken_words(expectation: &Expectation) -> String {
    format!("broken: {}", in_words(expectation))
        .chars()
        .take(LONGEST_WORDS)
        .collect()
}

/// The recording of the run, with a mark where the expectation is broken.
fn recording(source: &files::Source, ending: &Ending, at: Duration, text: String) -> Recording {
    let trace = source.layout.trace.as_deref();
    let mut recording = Recording::of(&source.name, &source.text, trace, ending);
    recording.marks.push(Words { at, text });
    recording
}

/// The name of a layout without its folder and its ending, of characters that a file name may have anywhere.
fn stem(name: &str) -> String {
    let file = Path::new(name)
        .file_name()
        .map_or_else(|| "layout".into(), |file| file.to_string_lossy());
    let stem = file.strip_suffix(".ron").unwrap_or(&file);
    let fit = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    // What begins with a dash would be taken for an option.
    let stem: String = stem.chars().map(fit).skip_while(|c| *c == '-').collect();
    if stem.is_empty() { "layout".to_owned() } else { stem }
}

/// A bar on stderr, and only on a terminal. Its position is in milliseconds of simulated time; without a number of tries it has no end.
fn bar(tries: Option<u64>, length: Duration) -> ProgressBar {
    match tries {
        Some(tries) => {
            let style = ProgressStyle::with_template("{bar:40} {percent:>3}% of all tries, {eta} to go");
            let bar = ProgressBar::new(drive::millis(length).saturating_mul(tries));
            bar.with_style(style.expect("the template is a constant"))
        }
        None => ProgressBar::new_spinner(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_read_in_words() {
        let text = "Layout(title: \"t\", users: {\"people\": (count: 10)}, services: {\"web\": Web()})";
        let layout = layout::parse(text, "t").expect("a layout");
        for (text, words) in [
            ("always lost == 0", "always lost == 0"),
            (" Eventually  ok >= 99%", "eventually ok >= 99%"),
            ("sometimes up(web) < 1", "sometimes up(web) < 1"),
            ("at 50s ok >= 99%", "at 50s ok >= 99%"),
        ] {
            let read = expectation(text, &layout).map(|expectation| in_words(&expectation));
            assert_eq!(read.as_deref(), Ok(words));
        }
        for wrong in [
            "",
            "lost == 0",
            "always",
            "at ok >= 99%",
            "always lost",
            "always up(db) == 1",
        ] {
            assert!(expectation(wrong, &layout).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_files_are_harmless() {
        assert_eq!(stem("21-split-brain"), "21-split-brain");
        assert_eq!(stem("some/folder/my shop.ron"), "my-shop");
        assert_eq!(stem("\u{1b}[2J.ron"), "2J");
        assert_eq!(stem("\u{1b}.ron"), "layout");
    }
}
