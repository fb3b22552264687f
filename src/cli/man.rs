//! `man`: the page of the manual.

use std::io;

use clap::{Args, Command};
use clap_mangen::Man;

use super::{Complaint, Ended, output};
use crate::layout::{printable, suggestion};

/// What `man` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A subcommand: its page, in place of that of the program.
    subcommand: Option<String>,
}

/// Prints a page of the manual in roff.
pub(super) fn man(arguments: &Arguments, mut command: Command) -> Result<Ended, Complaint> {
    command.build();
    let page = match &arguments.subcommand {
        None => command,
        Some(name) => {
            let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            let none = || {
                let known = suggestion(name, known);
                Complaint(format!("there is no subcommand `{}`{known}", printable(name)))
            };
            command.find_subcommand(name).cloned().ok_or_else(none)?
        }
    };
    let mut roff = Vec::new();
    let source = format!("blastradius {}", env!("CARGO_PKG_VERSION"));
    let written: io::Result<()> = Man::new(page).source(source).render(&mut roff);
    written.map_err(|error| Complaint(format!("the page cannot be made: {error}")))?;
    output::say(&String::from_utf8_lossy(&roff))?;
    Ok(Ended::Well)
}
