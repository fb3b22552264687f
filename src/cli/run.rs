//! `run`: without a screen, as fast as it goes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::format::Format;
use super::{Complaint, DEFAULT_SEED, Ended, drive, files, format, traces};
use crate::command::{Command, Script, Step, What, When};
use crate::layout::{duration, printable};
use crate::replay::{self, Recording, Session};
use crate::report::{operand, quoted};

/// How long a run is if nobody says so.
const LENGTH: Duration = Duration::from_secs(60);

/// What `run` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A layout file, or the name or number of a shipped layout.
    layout: String,
    /// How long to run, in simulated time. Default: what the script says, or 60s.
    #[arg(long = "for", value_name = "DURATION", value_parser = super::run_length, allow_hyphen_values = true)]
    length: Option<Duration>,
    /// The seed: the same seed gives the same history.
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = super::number::seed, allow_hyphen_values = true)]
    seed: u64,
    /// Timed commands to carry out: a file, or the name or number of a shipped layout that has a script.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// A command to carry out at a time, as in --do '10s kill web/1'. May be given several times.
    #[arg(long = "do", value_name = "TIME COMMAND", value_parser = deed, allow_hyphen_values = true)]
    deeds: Vec<Step>,
    /// Take the keys from an access trace: lines of key[,size][,op][,time], plain or in gzip.
    #[arg(long, value_name = "TRACE")]
    trace: Option<PathBuf>,
    /// Write a recording that `replay` can run again. Replaces an older recording, and no other file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

/// Runs a layout and reports. Ends badly if it did not pass.
pub(super) fn run(arguments: &Arguments) -> Result<Ended, Complaint> {
    let mut source = files::layout(&arguments.layout)?;
    if let Some(file) = &arguments.trace {
        source.layout = source.layout.with_trace(traces::trace(file)?);
    }
    let mut script = match &arguments.script {
        Some(file) => files::script(file, &source.layout)?,
        None => Script::default(),
    };
    let deeds = Script::of(None, arguments.deeds.clone());
    deeds
        .check(&source.layout)
        .map_err(|error| Complaint(format!("--do: {}", error.message)))?;
    script.steps.extend(deeds.steps);
    let sources = [
        ("the layout", Some(Path::new(&arguments.layout))),
        ("the script", arguments.script.as_deref()),
        ("the trace", arguments.trace.as_deref()),
    ];
    if let Some(file) = &arguments.record {
        replay::recordable(file, &sources).map_err(Complaint)?;
    }
    let length = arguments.length.or(script.length).unwrap_or(LENGTH);
    let session = Session::new(&source.layout, arguments.seed, &script);
    let driven = drive::drive(session, length);
    let saved = match &arguments.record {
        // Somebody may have made the file during the run.
        Some(file) => replay::recordable(file, &sources).map_err(Complaint).and_then(|()| {
            let trace = source.layout.trace.as_deref();
            record(file, &Recording::of(&source.name, &source.text, trace, &driven.ending))
        }),
        None => Ok(()),
    };
    // The report comes first: a full disk must not cost it.
    let ended = arguments
        .format
        .tell(&source.name, &driven, &again(arguments, length))?;
    saved.map(|()| ended)
}

/// The command that runs the same again: the recording, if there is one.
fn again(arguments: &Arguments, length: Duration) -> String {
    if let Some(file) = &arguments.record {
        return format::replayed(file);
    }
    let option = |name: &str, file: &Option<PathBuf>| {
        let file = file.as_ref().map(|file| quoted(&file.display().to_string()));
        file.map_or(String::new(), |file| format!(" --{name}={file}"))
    };
    let deeds = arguments.deeds.iter().map(|step| match step.when {
        When::At(at) => format!(" --do {}", quoted(&format!("{} {}", duration::format(at), step.what))),
        When::After(_) => String::new(),
    });
    format!(
        "blastradius run {} --seed {}{}{}{} --for {}",
        operand(Path::new(&arguments.layout)),
        arguments.seed,
        option("script", &arguments.script),
        deeds.collect::<String>(),
        option("trace", &arguments.trace),
        duration::format(length)
    )
}

/// Reads `10s kill web/1`.
fn deed(text: &str) -> Result<Step, String> {
    let (at, command) = text.trim_start().split_once(char::is_whitespace).ok_or_else(|| {
        format!(
            "`{}` has no time or no command: write '10s kill web/1'",
            printable(text)
        )
    })?;
    let at = duration::parse(at).map_err(|error| format!("{error}: write '10s kill web/1'"))?;
    let command = Command::parse(command).map_err(|error| error.to_string())?;
    Ok(Step {
        when: When::At(at),
        what: What::Do(command),
        line: 0,
        column: 0,
    })
}

fn record(file: &Path, recording: &Recording) -> Result<(), Complaint> {
    recording.save(file).map_err(|error| Complaint(error.to_string()))
}
