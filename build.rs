//! Tells the program from which commit it was built, where that is known: `BLASTRADIUS_COMMIT`, else what git says of this folder. Without git, or in
//! a folder that is no repository of its own (the crate from a registry), it is not known, and that is no error.

use std::env;
use std::path::Path;
use std::process::Command;

const VARIABLE: &str = "BLASTRADIUS_COMMIT";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    // Whoever works on the program would otherwise wait for a whole build after each commit.
    let released = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = match env::var(VARIABLE) {
        Ok(commit) => Some(commit),
        Err(_) if released => ask(),
        Err(_) => None,
    };
    if let Some(commit) = commit {
        println!("cargo:rustc-env={VARIABLE}={commit}");
    }
}

/// The commit of this folder, from git. The script runs again when HEAD moves.
fn ask() -> Option<String> {
    let here = env::var("CARGO_MANIFEST_DIR").ok()?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != Path::new(&here).canonicalize().ok()? {
        return None;
    }
    // The log of HEAD has a line for each of its moves; where there is none, HEAD and the branch that it names have to do.
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    let named = ["logs/HEAD", "HEAD", "packed-refs"]
        .into_iter()
        .chain(branch.as_deref());
    for file in named.filter_map(|name| git(&["rev-parse", "--git-path", name])) {
        // A file that is not there would count as changed each time.
        if Path::new(&file).exists() {
            println!("cargo:rerun-if-changed={file}");
        }
    }
    git(&["rev-parse", "--short=10", "HEAD"])
}

/// What git says, in a line.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let said = said.trim();
    (output.status.success() && !said.is_empty()).then(|| said.to_string())
}
