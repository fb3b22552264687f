//! `completions`: what shells need to complete this command line.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::{Complaint, Ended, output};

/// What `completions` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Wanted,
}

/// Shells for which there are completions.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Wanted {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
}

/// Prints the script of a shell.
pub(super) fn completions(arguments: &Arguments, mut command: Command) -> Result<Ended, Complaint> {
    let shell = match arguments.shell {
        Wanted::Bash => Shell::Bash,
        Wanted::Zsh => Shell::Zsh,
        Wanted::Fish => Shell::Fish,
        Wanted::PowerShell => Shell::PowerShell,
    };
    let name = command.get_name().to_string();
    let mut script = Vec::new();
    generate(shell, &mut command, name, &mut script);
    output::say(&String::from_utf8_lossy(&script))?;
    Ok(Ended::Well)
}
