//! `check`: is a layout right, and a script for it?

use std::path::PathBuf;

use clap::Args;

use super::{Complaint, Ended, files, output};
use crate::layout::{Layout, printable};

/// What `check` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A layout file, or the name or number of a shipped layout.
    layout: String,
    /// A script for it.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

/// Checks both and says what they hold.
pub(super) fn check(arguments: &Arguments) -> Result<Ended, Complaint> {
    let source = files::layout(&arguments.layout)?;
    let layout = format!("{} is right: {}\n", printable(&source.name), holds(&source.layout));
    let script = match &arguments.script {
        Some(file) => {
            let script = files::script(file, &source.layout)?;
            let file = file.display().to_string();
            format!(
                "{} is right: {}\n",
                printable(&file),
                plural(script.steps.len() as u64, "step")
            )
        }
        None => String::new(),
    };
    output::say(&(layout + &script))?;
    Ok(Ended::Well)
}

fn holds(layout: &Layout) -> String {
    let people: u64 = layout.users.values().map(|users| users.count).sum();
    let services = layout
        .data_centers
        .values()
        .map(|site| site.services.len())
        .sum::<usize>();
    let mut parts = vec![
        plural(people, "user"),
        plural(layout.data_centers.len() as u64, "data center"),
        plural(services as u64, "service"),
        plural(layout.expect.len() as u64, "expectation"),
    ];
    if !layout.experiments.is_empty() {
        parts.push(plural(layout.experiments.len() as u64, "experiment"));
    }
    parts.join(", ")
}

fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}
