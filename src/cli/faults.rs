//! `faults`: the catalogue of what can go wrong.

use std::fmt::Write;

use clap::Args;

use super::{Complaint, Ended, output};
use crate::command::{FAULTS, Fault};
use crate::layout::{printable, suggestion};

/// What is asked of the catalogue.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A fault, to see all of it: `blastradius faults crash-loop`.
    name: Option<String>,
}

/// Lists the catalogue, or shows one fault in full.
pub(super) fn faults(arguments: &Arguments) -> Result<Ended, Complaint> {
    let Some(name) = &arguments.name else {
        output::say(&list())?;
        return Ok(Ended::Well);
    };
    let Some(fault) = Fault::named(name) else {
        let known = suggestion(name, FAULTS.iter().map(|fault| fault.name));
        return Err(Complaint(format!("there is no fault `{}`{known}", printable(name))));
    };
    output::say(&in_full(fault))?;
    Ok(Ended::Well)
}

fn list() -> String {
    let mut page = String::new();
    for composite in [false, true] {
        let title = if composite {
            "Made of several steps:"
        } else {
            "One thing at a time:"
        };
        let _ = writeln!(page, "{title}");
        for fault in FAULTS.iter().filter(|fault| fault.is_composite() == composite) {
            let _ = writeln!(page, "  {:<20} {}", fault.name, fault.effect);
        }
        page.push('\n');
    }
    page.push_str("All of one: blastradius faults crash-loop      In the terminal: f, or : and its name\n");
    page
}

fn in_full(fault: &Fault) -> String {
    let mut page = format!("{}: {}\n\n", fault.name, fault.title);
    let mut add = |label: &str, words: &str| {
        let _ = writeln!(page, "  {label:<10} {words}");
    };
    add("does", fault.effect);
    add("hits", &fault.hits_words());
    add("typed", fault.usage);
    add("example", fault.example);
    for param in fault.params {
        let (least, most) = param.bounds;
        let words = format!(
            "{}; {} if nothing is said, from {least} to {most}",
            param.about, param.default
        );
        add(param.name, &words);
    }
    add("lasts", &fault.lasts_words());
    add("undone", fault.undone);
    page
}
