//! `play`: the terminal.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::look::Look;
use super::{Complaint, DEFAULT_LAYOUT, DEFAULT_SEED, Ended, files, kept, output, run_length, traces};
use crate::replay::{Head, Recording};
use crate::report::{self, operand};
use crate::tui;

/// What `play` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A layout file, or the name or number of a shipped layout. Default: 13-two-data-centers.
    layout: Option<String>,
    /// The seed: the same seed and the same acts give the same history.
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = super::number::seed, allow_hyphen_values = true)]
    seed: u64,
    /// Take the keys from an access trace: lines of key[,size][,op][,time], plain or in gzip.
    #[arg(long, value_name = "TRACE")]
    trace: Option<PathBuf>,
    /// Tell what happens in sentences, one a line, and read commands from standard input: for screen readers and pipes.
    #[arg(long)]
    linear: bool,
    /// With --linear: end after so much simulated time. Needed where the input is no terminal.
    #[arg(long = "for", value_name = "TIME", requires = "linear", value_parser = run_length, allow_hyphen_values = true)]
    length: Option<Duration>,
    #[command(flatten)]
    look: Look,
}

/// Plays a layout until the person leaves, then says what it was.
pub(super) fn play(arguments: &Arguments) -> Result<Ended, Complaint> {
    let name = arguments.layout.as_deref().unwrap_or(DEFAULT_LAYOUT);
    let mut source = files::layout(name)?;
    if arguments.linear && arguments.length.is_none() && !io::stdin().is_terminal() {
        return Err(Complaint(format!(
            "the input is no terminal, so say when to end: blastradius play {name} --linear --for 60s"
        )));
    }
    if !arguments.linear && !tui::is_terminal() {
        return Err(Complaint(format!(
            "there is no terminal to play in. Without one: blastradius run {name} --for 60s, or blastradius play {name} --linear --for 60s"
        )));
    }
    if let Some(file) = &arguments.trace {
        source.layout = source.layout.with_trace(traces::trace(file)?);
    }
    let options = tui::Options {
        unasked: arguments.layout.is_none(),
        runs: kept::runs(),
        ticks: kept::ticks(),
        ..arguments.look.options()?
    };
    let head = Head::new(
        &source.name,
        &source.text,
        source.layout.trace.as_deref(),
        arguments.seed,
    );
    let show = tui::Show {
        layout: source.layout,
        recording: Recording::new(head),
        file: None,
        replayed: false,
    };
    if arguments.linear {
        return linear(&show, &options, arguments.length);
    }
    self::show(show, &options)
}

/// Plays in sentences, then says what it was.
pub(super) fn linear(show: &tui::Show, options: &tui::Options, until: Option<Duration>) -> Result<Ended, Complaint> {
    let played = tui::linear::play(show, options, until);
    farewell(&played.map_err(|error| Complaint(format!("the sentences cannot be told: {error}")))?)
}

/// Plays until the person leaves, then says in at most ten lines what it was, where it is recorded, and how to see it again.
pub(super) fn show(show: tui::Show, options: &tui::Options) -> Result<Ended, Complaint> {
    let played = tui::play(show, options);
    farewell(&played.map_err(|error| Complaint(format!("the terminal failed: {error}")))?)
}

fn farewell(farewell: &tui::Farewell) -> Result<Ended, Complaint> {
    let mut words = farewell.frame.as_ref().map(report::summary).unwrap_or_default();
    if let Some(file) = &farewell.file {
        let again = operand(file);
        words = format!(
            "{words}see again  blastradius replay {again}\nas a page  blastradius replay {again} --html > report.html\n"
        );
    }
    match output::say(&words) {
        // A signal that ends the program may come because there is nobody to tell any more.
        Err(complaint) if farewell.exit_code == 0 => Err(complaint),
        _ => Ok(Ended::With(farewell.exit_code)),
    }
}
