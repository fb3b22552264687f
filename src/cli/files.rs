//! Layouts and scripts from disk or from the program itself.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Complaint;
use crate::command::{self, Script};
use crate::layout::{self, Layout, SHIPPED};
use crate::replay::Recording;

/// The largest file that is read, in bytes. What is too large for a layout or a script is said by those.
const LARGEST_BYTES: u64 = 8 << 20;

/// How alike two names must be to be taken for a slip of the finger, from 0 to 1.
const ALIKE: f64 = 0.75;

/// A layout with the text that it was read from.
pub(super) struct Source {
    /// The shipped name or the path.
    pub(super) name: String,
    /// The text, whole.
    pub(super) text: String,
    /// What it says.
    pub(super) layout: Layout,
}

/// Finds, reads and checks a layout: a file if there is one of this name, else a shipped one.
pub(super) fn layout(argument: &str) -> Result<Source, Complaint> {
    let path = Path::new(argument);
    let (name, text) = if path.exists() && !path.is_dir() {
        (argument.to_string(), read(path, "layout")?)
    } else if let Some(shipped) = layout::find_shipped(argument) {
        (shipped.file.to_string(), shipped.source.to_string())
    } else if path.is_dir() {
        return Err(Complaint(format!("{argument} is a folder, so it is no layout")));
    } else {
        return Err(no_such_layout(argument));
    };
    if Recording::is_one(text.as_bytes()) {
        let hint = format!("see it again: blastradius replay {name}");
        return Err(Complaint(format!("{name} is a recording, not a layout; {hint}")));
    }
    let complain = |error: layout::LayoutError| Complaint(error.render(&text));
    let parsed = layout::parse(&text, &name).map_err(complain)?;
    command::experiments(&parsed, &name).map_err(complain)?;
    Ok(Source {
        name,
        text,
        layout: parsed,
    })
}

/// Whether an argument names a layout, in a file or shipped.
pub(super) fn is_layout(argument: &str) -> bool {
    layout(argument).is_ok()
}

/// Whether an argument names a layout, or something like one that is shipped.
pub(super) fn is_like_a_layout(argument: &str) -> bool {
    is_layout(argument) || suggestion(argument).is_some()
}

/// Reads a script, from a file if there is one of this name, else that of a shipped layout, and checks it against the layout that it is for.
pub(super) fn script(path: &Path, layout: &Layout) -> Result<Script, Complaint> {
    let argument = path.display().to_string();
    let shipped = layout::find_shipped(argument.strip_suffix(".script.ron").unwrap_or(&argument));
    let shipped = shipped
        .filter(|_| !path.exists())
        .and_then(|shipped| Some((shipped.script_name(), shipped.script?)));
    let (file, text) = match shipped {
        Some((file, text)) => (file, text.to_owned()),
        None => (argument, read(path, "script")?),
    };
    let complain = |error: crate::command::ScriptError| Complaint(error.render(&text));
    let script = Script::parse(&text, &file).map_err(complain)?;
    script.check(layout).map_err(complain)?;
    Ok(script)
}

fn read(path: &Path, what: &str) -> Result<String, Complaint> {
    let cannot = |error| Complaint(format!("cannot read the {what} {}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(LARGEST_BYTES + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST_BYTES {
        return Err(Complaint(format!(
            "{} is larger than 8 MiB, so it is no {what}",
            path.display()
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        Complaint(format!("{}:{line}: not UTF-8 text, so it is no {what}", path.display()))
    })
}

fn no_such_layout(argument: &str) -> Complaint {
    let missing = format!("no file {argument} and no shipped layout of that name");
    let hint = match suggestion(argument) {
        Some(name) => format!("did you mean {name}?"),
        None => "`blastradius layouts` lists those that are shipped".to_string(),
    };
    Complaint(format!("{missing}; {hint}"))
}

/// The shipped layout whose name, with or without its number, is most like this one.
fn suggestion(argument: &str) -> Option<&'static str> {
    let likeness = |name: &str| {
        let bare = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        [name, bare]
            .map(|name| strsim::normalized_damerau_levenshtein(argument, name))
            .into_iter()
            .fold(0.0, f64::max)
    };
    let ranked = SHIPPED.iter().map(|shipped| (likeness(shipped.file), shipped.file));
    let best = ranked.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}
