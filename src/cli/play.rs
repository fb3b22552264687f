//! `play`: the terminal.

use std::path::PathBuf;

use clap::Args;

use super::{Complaint, DEFAULT_LAYOUT, DEFAULT_SEED, Ended, files, kept, output, traces};
use crate::replay::{Head, Recording};
use crate::report::{self, operand};
use crate::tui;

/// What `play` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A layout file, or the name or number of a shipped layout. Default: 13-two-data-centers.
    layout: Option<String>,
    /// The seed: the same seed and the same acts give the same history.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Take the keys from an access trace: lines of key[,size][,op][,time], plain or in gzip.
    #[arg(long, value_name = "TRACE")]
    trace: Option<PathBuf>,
    /// Draw with ASCII characters only.
    #[arg(long)]
    ascii: bool,
}

/// Plays a layout until the person leaves, then says what it was.
pub(super) fn play(arguments: &Arguments) -> Result<Ended, Complaint> {
    let name = arguments.layout.as_deref().unwrap_or(DEFAULT_LAYOUT);
    let mut source = files::layout(name)?;
    if !tui::is_terminal() {
        return Err(Complaint(format!(
            "there is no terminal to play in. Without one: blastradius run {name} --for 60s"
        )));
    }
    if let Some(file) = &arguments.trace {
        source.layout = source.layout.with_trace(traces::trace(file)?);
    }
    let options = tui::Options {
        ascii: arguments.ascii,
        unasked: arguments.layout.is_none(),
        runs: kept::runs(),
        ..tui::Options::from_env()
    };
    let head = Head::new(
        &source.name,
        &source.text,
        source.layout.trace.as_deref(),
        arguments.seed,
    );
    show(
        tui::Show {
            layout: source.layout,
            recording: Recording::new(head),
            file: None,
            replayed: false,
        },
        &options,
    )
}

/// Plays until the person leaves, then says in at most ten lines what it was, where it is recorded, and how to see it again.
pub(super) fn show(show: tui::Show, options: &tui::Options) -> Result<Ended, Complaint> {
    let farewell = tui::play(show, options).map_err(|error| Complaint(format!("the terminal failed: {error}")))?;
    if let Some(frame) = &farewell.frame {
        output::say(&report::summary(frame))?;
    }
    if let Some(file) = &farewell.file {
        let again = operand(file);
        output::say(&format!(
            "see again  blastradius replay {again}\nas a page  blastradius replay {again} --html > report.html\n"
        ))?;
    }
    Ok(Ended::With(farewell.exit_code))
}
