//! Where something may be written without harm to what is there.

use std::fs;
use std::io;
use std::path::Path;

use super::recording::Recording;

/// A kind of file that is written, in words for those who name a file that cannot be written.
pub struct FileKind {
    /// What is done: `record to`.
    pub operation: &'static str,
    /// That it is a file, and how one names it.
    pub a_file: &'static str,
    /// That a file holds something else, and the way out.
    pub foreign: &'static str,
    /// Whether a file holds something of this kind, so that it may be replaced.
    pub is_ours: fn(&Path) -> io::Result<bool>,
}

const RECORDING: FileKind = FileKind {
    operation: "record to",
    a_file: "a recording is a file; name one, as in --record out.replay.ron",
    foreign: "it exists and is no recording; name another file, or remove this one first",
    is_ours: Recording::is_in,
};

/// Finds out whether a recording can be written to a file without harm to anything but an older recording. Creates nothing.
/// `sources` are the files that the run was made of, and what they are.
///
/// # Errors
/// Why not, and the way out.
pub fn recordable(file: &Path, sources: &[(&str, Option<&Path>)]) -> Result<(), String> {
    replaceable(file, &RECORDING, sources)
}

/// Finds out whether something can be written to a file without harm to anything but an older one of its kind. Creates nothing.
/// `sources` are the files that it is made of, and what they are.
///
/// # Errors
/// Why not, and the way out.
pub fn replaceable(file: &Path, kind: &FileKind, sources: &[(&str, Option<&Path>)]) -> Result<(), String> {
    let cannot = |why: String| Err(format!("cannot {} {}: {why}", kind.operation, file.display()));
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if file == Path::new("-") {
        return cannot(kind.a_file.to_string());
    }
    if file.file_name().is_none() || file.is_dir() {
        return cannot("it is a folder".to_string());
    }
    if !folder.is_dir() {
        return cannot(format!("there is no folder {}", folder.display()));
    }
    if let Some((what, _)) = sources
        .iter()
        .find(|(_, source)| source.is_some_and(|source| same(source, file)))
    {
        return cannot(format!("it is {what} of this run; name another file"));
    }
    if file.symlink_metadata().is_ok() {
        if !file.is_file() {
            return cannot("it is no ordinary file; name another one".to_string());
        }
        match (kind.is_ours)(file) {
            Ok(true) => (),
            Ok(false) => return cannot(kind.foreign.to_string()),
            Err(error) => return cannot(format!("what it holds cannot be read: {error}")),
        }
    }
    if fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().readonly()) {
        return cannot(format!("{} is read-only", folder.display()));
    }
    Ok(())
}

/// Whether two paths lead to one file.
fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
