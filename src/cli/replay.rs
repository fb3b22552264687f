//! `replay`: a recording, run again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Complaint, Ended, drive, files, output, run, traces};
use crate::replay::{self, Recording, RecordingError};

/// What `replay` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The recording.
    file: PathBuf,
    /// Only compare: exit 0 if the history is the same, 1 if it differs.
    #[arg(long, conflicts_with = "json")]
    verify: bool,
    /// Report as JSON (schema `blastradius.run/1`).
    #[arg(long)]
    json: bool,
}

/// Runs a recording again without a screen; compares, and reports unless only the comparison was asked for.
pub(super) fn replay(arguments: &Arguments) -> Result<Ended, Complaint> {
    let loaded = Recording::load(&arguments.file);
    let (recording, mut layout) = loaded.map_err(|error| complaint(error, &arguments.file))?;
    if let Some(note) = &recording.trace {
        layout = layout.with_trace(traces::recorded(note)?);
    }
    let session = replay::replayed(&recording, &layout);
    let (ending, pace) = drive::drive(session, recording.duration);
    let difference = replay::verify(&recording, &ending);
    if let Some(difference) = &difference {
        let file = arguments.file.display().to_string();
        let text = format!("{file} differs: {difference}{}", version_note(&recording));
        output::remark(&crate::layout::printable(&text));
    }
    let told = if arguments.verify {
        if difference.is_none() {
            output::say(&format!("the same history: digest {}\n", ending.digest))?;
        }
        Ended::Well
    } else {
        run::tell(&recording.name, &ending, pace, arguments.json)?
    };
    Ok(if difference.is_some() { Ended::Badly } else { told })
}

fn version_note(recording: &Recording) -> String {
    let here = env!("CARGO_PKG_VERSION");
    if recording.engine == here {
        return String::new();
    }
    format!(
        " (recorded by version {}, this is {here}: versions may differ)",
        recording.engine
    )
}

fn complaint(error: RecordingError, file: &Path) -> Complaint {
    let name = file.display().to_string();
    match error {
        RecordingError::Layout { error, source } => Complaint(error.render(&source)),
        _ if files::is_layout(&name) => Complaint(format!(
            "{name} is a layout, not a recording; run it: blastradius run {name}"
        )),
        error => Complaint(error.to_string()),
    }
}
