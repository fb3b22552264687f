//! `diff`: two recordings beside each other.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;

use super::{Complaint, Ended, drive, output, replay, traces};
use crate::layout::{Layout, printable};
use crate::observe::Frame;
use crate::replay::{Act, Checkpoint, Digest, Recording, replayed};
use crate::report;

/// What `diff` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A recording.
    one: PathBuf,
    /// Another one.
    other: PathBuf,
}

/// A recording that can be run.
struct Run {
    name: String,
    recording: Recording,
    layout: Layout,
}

/// What came of running it again: the world at the moment of the comparison, and digests until then.
struct Seen {
    frame: Frame,
    checkpoints: Vec<Checkpoint>,
    digest: Digest,
}

/// Runs two recordings again and tells where their histories part, and what came of that. Ends badly where they differ.
pub(super) fn diff(arguments: &Arguments) -> Result<Ended, Complaint> {
    let (one, other) = (load(&arguments.one)?, load(&arguments.other)?);
    let until = one.recording.duration.min(other.recording.duration);
    // Both count: the bar is as long as the two together.
    let bar = drive::bar(until * 2);
    let (seen, also) = thread::scope(|scope| {
        let also = scope.spawn(|| see(&other, until, &bar));
        (see(&one, until, &bar), also.join())
    });
    bar.finish_and_clear();
    // A panic of one run is a panic of all.
    let also = also.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let mut text = format!("A  {}\nB  {}\n\n", one.name, other.name);
    for line in parted(&one, &other, &seen, &also, until) {
        text.push_str(&printable(&line));
        text.push('\n');
    }
    let comparison = report::compared(&seen.frame, &also.frame);
    let _ = writeln!(text, "\nafter {}", seconds(until));
    for line in comparison.table("A", "B") {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    output::say(&text)?;
    let last = |recording: &Recording| recording.duration;
    for run in [&one, &other] {
        if last(&run.recording) > until {
            output::remark(&format!(
                "{} goes on to {}: what comes after {} is not compared",
                run.name,
                seconds(last(&run.recording)),
                seconds(until)
            ));
        }
    }
    Ok(Ended::well_if(is_same(&seen, &also) && comparison.is_same()))
}

fn load(file: &Path) -> Result<Run, Complaint> {
    let (recording, mut layout) = replay::load(file)?;
    if let Some(note) = &recording.head.trace {
        layout = layout.with_trace(traces::recorded(note)?);
    }
    Ok(Run {
        name: printable(&file.display().to_string()),
        recording,
        layout,
    })
}

fn see(run: &Run, until: Duration, bar: &ProgressBar) -> Seen {
    let mut session = replayed(&run.recording, &run.layout);
    let mut at = session.now();
    while at < until {
        let next = (at + drive::SLICE).min(until);
        session.advance_to(next);
        bar.inc(drive::millis(next) - drive::millis(at));
        at = next;
    }
    Seen {
        frame: session.frame(),
        checkpoints: session.checkpoints().to_vec(),
        digest: session.digest(),
    }
}

fn is_same(one: &Seen, other: &Seen) -> bool {
    one.digest == other.digest && one.checkpoints == other.checkpoints
}

/// Where the histories part: in what they began with, in the first command that only one of them has, and in their digests.
fn parted(one: &Run, other: &Run, seen: &Seen, also: &Seen, until: Duration) -> Vec<String> {
    let (a, b) = (&one.recording, &other.recording);
    let mut lines = Vec::new();
    if a.head.layout != b.head.layout {
        let both = if a.head.name == b.head.name {
            format!("two that are called {}", a.head.name)
        } else {
            format!("{} and {}", a.head.name, b.head.name)
        };
        lines.push(format!(
            "the layouts differ: {both}. So these are no two histories of one system, and the figures compare two systems"
        ));
    }
    if a.head.seed != b.head.seed {
        lines.push(format!(
            "the seeds differ, so the traffic does: {} and {}",
            a.head.seed, b.head.seed
        ));
    }
    let mut acts = [a, b].map(|recording| recording.commands.iter().filter(|act| act.at <= until));
    loop {
        let pair = (acts[0].next(), acts[1].next());
        if pair.0 != pair.1 {
            lines.push(first_act(pair));
            break;
        }
        if pair.0.is_none() {
            break;
        }
    }
    let differs = seen.checkpoints.iter().zip(&also.checkpoints).find(|(a, b)| a != b);
    match differs {
        // Those of two systems always do.
        _ if a.head.layout != b.head.layout => {}
        Some((a, _)) => lines.push(format!("the digests differ from {} on", seconds(a.at))),
        None if seen.digest != also.digest => lines.push(format!("the digests differ at {}", seconds(until))),
        None if lines.is_empty() => lines.push(format!("the same history: digest {}", seen.digest)),
        None => {}
    }
    lines
}

/// The first commands that differ, the earlier of the two first.
fn first_act(pair: (Option<&Act>, Option<&Act>)) -> String {
    let does = |name: &str, act: &Act| format!("at {} {name} did `{}`", seconds(act.at), act.command);
    match pair {
        (Some(a), Some(b)) if a.at == b.at => format!(
            "the histories part at {}: A did `{}`, B did `{}`",
            seconds(a.at),
            a.command,
            b.command
        ),
        (Some(a), Some(b)) if a.at < b.at => format!("the histories part: {}, and B did not", does("A", a)),
        (Some(a), None) => format!("the histories part: {}, and B did not", does("A", a)),
        (_, Some(b)) => format!("the histories part: {}, and A did not", does("B", b)),
        (None, None) => String::new(),
    }
}

fn seconds(at: Duration) -> String {
    format!("{} s", at.as_secs_f64())
}
