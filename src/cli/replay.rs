//! `replay`: a recording, run again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::format::{Format, replayed};
use super::look::Look;
use super::{Complaint, Ended, drive, files, kept, output, play, traces};
use crate::layout::{Layout, printable};
use crate::replay::{self, Head, Recording, RecordingError};
use crate::tui;

/// What `replay` is told.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Arguments {
    /// The recording.
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// List the runs that are kept: whatever is played is recorded.
    #[arg(long, conflicts_with_all = ["file", "verify", "format", "report", "script"])]
    list: bool,
    /// Only compare: exit 0 if the history is the same, 1 if it differs.
    #[arg(long, conflicts_with_all = ["format", "report"])]
    verify: bool,
    /// Report without a screen: exit 1 where an expectation of the layout failed.
    #[arg(long)]
    report: bool,
    #[command(flatten)]
    format: Format,
    /// Print it as a script that does the same, with its marks and notes.
    #[arg(long, conflicts_with_all = ["verify", "format", "report"])]
    script: bool,
    /// Tell what happens in sentences, one a line, and read commands from standard input: for screen readers and pipes.
    #[arg(long, conflicts_with_all = ["list", "verify", "report", "format", "script"])]
    linear: bool,
    #[command(flatten)]
    look: Look,
}

/// Plays a recording in the terminal; without one, or where that was asked for, runs it again, compares and reports.
pub(super) fn replay(arguments: &Arguments) -> Result<Ended, Complaint> {
    let Some(file) = arguments.file.as_ref().filter(|_| !arguments.list) else {
        return list();
    };
    let (recording, mut layout) = load(file)?;
    if arguments.script {
        return script(file, &recording);
    }
    if let Some(note) = &recording.head.trace {
        layout = layout.with_trace(traces::recorded(note)?);
    }
    let headless = arguments.verify || arguments.report || arguments.format.is_asked_for();
    if arguments.linear || !headless && tui::is_terminal() {
        let options = tui::Options {
            runs: kept::runs(),
            ticks: kept::ticks(),
            ..arguments.look.options()?
        };
        let show = tui::Show {
            layout,
            recording,
            file: Some(file.clone()),
            replayed: true,
        };
        if arguments.linear {
            return play::linear(&show, &options, None);
        }
        return play::show(show, &options);
    }
    again(arguments, file, &recording, &layout)
}

/// Reads a recording and the layout in it.
pub(super) fn load(file: &Path) -> Result<(Recording, Layout), Complaint> {
    Recording::load(file).map_err(|error| complaint(error, file))
}

/// Runs a recording again without a screen; compares, and reports unless only the comparison was asked for.
fn again(arguments: &Arguments, file: &Path, recording: &Recording, layout: &Layout) -> Result<Ended, Complaint> {
    let name = printable(&file.display().to_string());
    let until = remark_if_cut_off(&name, recording);
    if let Some(note) = recording.head.of_another_version() {
        output::remark(&format!("{name} was {note}"));
    }
    let session = replay::replayed(recording, layout);
    let driven = drive::drive(session, recording.duration);
    let difference = replay::verify(recording, &driven.ending);
    if let Some(difference) = &difference {
        let text = format!("{name} differs: {difference}{}", version_note(recording));
        output::remark(&printable(&text));
    }
    let told = if arguments.verify {
        match (&difference, recording.digest) {
            (Some(_), _) => {}
            (None, Some(_)) => output::say(&format!("the same history: digest {}\n", driven.ending.digest))?,
            (None, None) => output::say(&format!(
                "the same history as far as it is known, up to {until}: digest {}\n",
                driven.ending.digest
            ))?,
        }
        Ended::Well
    } else {
        arguments.format.tell(&recording.head.name, &driven, &replayed(file))?
    };
    Ok(if difference.is_some() { Ended::Badly } else { told })
}

/// Says where a recording was cut off, if it was; gives the moment up to which it is known.
fn remark_if_cut_off(name: &str, recording: &Recording) -> String {
    let until = format!("{} s", recording.duration.as_secs_f64());
    if recording.digest.is_none() {
        output::remark(&format!("{name} was cut off: the run is known up to {until}"));
    }
    until
}

/// Prints a recording as a script. Its first line says where it comes from, and how to run it.
fn script(file: &Path, recording: &Recording) -> Result<Ended, Complaint> {
    let name = printable(&file.display().to_string());
    remark_if_cut_off(&name, recording);
    let Head { name: of, seed, .. } = &recording.head;
    let trace = recording.head.trace.as_ref();
    let trace = trace.map_or(String::new(), |note| format!(" --trace {}", note.file.display()));
    let remark = format!("From {name}. The same again: blastradius run {of} --seed {seed}{trace} --script FILE");
    output::say(&recording.script().to_text(&remark))?;
    Ok(Ended::Well)
}

/// The runs that are kept, the newest first.
fn list() -> Result<Ended, Complaint> {
    let nowhere = || Complaint("there is no home folder in which runs could be kept".to_string());
    let runs = kept::runs().ok_or_else(nowhere)?;
    let folder = printable(&runs.folder().display().to_string());
    let kept = runs
        .list()
        .map_err(|error| Complaint(format!("cannot read {folder}: {error}")))?;
    if kept.is_empty() {
        output::remark(&format!(
            "no run is kept in {folder} yet: `blastradius play` records each"
        ));
    }
    let mut lines = String::new();
    for one in kept.iter().rev() {
        let line = match Recording::load(&one.file) {
            Ok((recording, _)) => described(&recording, one.ended),
            Err(error) => format!("unreadable: {error}"),
        };
        lines.push_str(&printable(&format!("{}  {line}", one.file.display())));
        lines.push('\n');
    }
    output::say(&lines)?;
    Ok(Ended::Well)
}

fn described(recording: &Recording, ended: bool) -> String {
    let acts = match recording.commands.len() {
        0 => "nothing was done".to_string(),
        1 => "1 act".to_string(),
        more => format!("{more} acts"),
    };
    let last = recording
        .commands
        .last()
        .map_or(String::new(), |act| format!(", last: {}", act.command));
    let open = if ended {
        ""
    } else {
        ", no end: it is being written, or was cut off"
    };
    format!("{:.1} s, {acts}{last}{open}", recording.duration.as_secs_f64())
}

fn version_note(recording: &Recording) -> String {
    let note = recording.head.of_another_version();
    note.map_or(String::new(), |note| format!(" ({note})"))
}

/// Why a file could not be read as a recording, and what it is instead where that is known.
pub(super) fn complaint(error: RecordingError, file: &Path) -> Complaint {
    let name = file.display().to_string();
    match error {
        RecordingError::Layout { error, source } => Complaint(error.render(&source)),
        _ if files::is_layout(&name) => Complaint(format!(
            "{name} is a layout, not a recording; run it: blastradius run {name}"
        )),
        error => Complaint(error.to_string()),
    }
}
