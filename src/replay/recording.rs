//! A run on disk: all that is needed for the same history.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ron::error::SpannedError;
use ron::ser::PrettyConfig;
use serde::{Deserialize, Serialize};

use super::digest::{Checkpoint, Digest};
use super::session::{Act, Ending};
use super::{CHECKPOINT, LENGTHS, LONGEST};
use crate::layout::{self, Layout, LayoutError};
use crate::trace::Trace;

/// The format that this version writes and reads.
const FORMAT: u32 = 1;

/// What every recording begins with. A file that begins so is one of ours, whatever its version.
const FIRST_WORDS: &str = "// A run of blastradius.";

/// The largest file that is read, in bytes. Some 100,000 commands with a layout of 1 MB.
const LARGEST_BYTES: u64 = 16 << 20;

/// A recorded run. The file is RON; its commands are written as a script writes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// Version of the format, so that a later program can tell.
    pub format: u32,
    /// Version of the program that made it: another version may have another history.
    pub engine: String,
    /// The layout's name, for people.
    pub name: String,
    /// The layout file, whole.
    pub layout: String,
    /// The access trace that the run took its keys from, if it did. It is not in the recording: the file must still be there, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceNote>,
    /// The seed.
    pub seed: u64,
    /// How long the run was.
    #[serde(with = "crate::layout::duration")]
    pub duration: Duration,
    /// The commands that took effect, in order.
    pub commands: Vec<Act>,
    /// Digests on the way, one for each 10 s.
    pub checkpoints: Vec<Checkpoint>,
    /// The digest of the whole history.
    pub digest: Digest,
}

/// An access trace, as a recording knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceNote {
    /// The file.
    pub file: PathBuf,
    /// The digest of all its records.
    pub digest: Digest,
}

/// The part that every version of the format has.
#[derive(Deserialize)]
#[serde(rename = "Recording")]
struct Header {
    format: u32,
}

/// Why a recording could not be written or read.
#[derive(Debug)]
pub enum RecordingError {
    /// The file system said no.
    Io {
        /// What was tried: `write`, `read`.
        operation: &'static str,
        /// The file.
        file: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The file is not a recording.
    Malformed {
        /// The file.
        file: PathBuf,
        /// Line and column from 1, where they are known.
        place: Option<(usize, usize)>,
        /// What is wrong.
        message: String,
    },
    /// The layout in the file is not one.
    Layout {
        /// What is wrong, with line and column in the layout.
        error: LayoutError,
        /// The layout's text.
        source: String,
    },
}

impl Recording {
    /// The recording of a run that has ended.
    pub fn of(name: &str, layout: &str, trace: Option<&Trace>, ending: &Ending) -> Recording {
        Recording {
            format: FORMAT,
            engine: env!("CARGO_PKG_VERSION").to_string(),
            name: name.to_string(),
            layout: layout.to_string(),
            trace: trace.map(|trace| TraceNote {
                file: trace.survey.file.clone(),
                digest: Digest(trace.survey.digest),
            }),
            seed: ending.frame.seed,
            duration: ending.duration,
            commands: ending.acts.clone(),
            checkpoints: ending.checkpoints.clone(),
            digest: ending.digest,
        }
    }

    /// Writes it beside `file` first and then into its place, so that there is never half a recording.
    ///
    /// # Errors
    /// When the file system says no. Nothing is left behind then.
    pub fn save(&self, file: &Path) -> Result<(), RecordingError> {
        let mut part = file.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let cannot = |error| RecordingError::Io {
            operation: "write",
            file: file.to_path_buf(),
            error,
        };
        let out = File::create_new(&part).map_err(cannot)?;
        let written = write_whole(out, &self.to_text()).and_then(|()| fs::rename(&part, file));
        written.map_err(|error| {
            // What is left of a failed attempt is of no use to anybody; the first error is the one to tell.
            let _ = fs::remove_file(&part);
            cannot(error)
        })
    }

    /// Whether a text is a recording of some version, by its first words. It need not be whole.
    pub fn is_one(text: &[u8]) -> bool {
        text.starts_with(FIRST_WORDS.as_bytes())
    }

    /// Whether a file is a recording of some version, by its first words.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_in(file: &Path) -> io::Result<bool> {
        let mut words = Vec::new();
        let most = FIRST_WORDS.len() as u64;
        File::open(file)?.take(most).read_to_end(&mut words)?;
        Ok(Recording::is_one(&words))
    }

    /// Reads and checks a recording and the layout in it.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or is not whole and consistent.
    pub fn load(file: &Path) -> Result<(Recording, Layout), RecordingError> {
        let text = read_limited(file)?;
        Recording::parse(&text, file)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        // Strings unescaped: the layout reads in the recording as it does in its file.
        let config = PrettyConfig::new().struct_names(true).escape_strings(false);
        let body = ron::ser::to_string_pretty(self, config).expect("a recording is plain data");
        format!("{FIRST_WORDS} See it again: blastradius replay FILE\n{body}\n")
    }

    /// Reads a recording from its text; `file` is for messages.
    ///
    /// # Errors
    /// When it is not whole and consistent.
    pub fn parse(text: &str, file: &Path) -> Result<(Recording, Layout), RecordingError> {
        let spanned = |error: SpannedError| malformed(file, &error);
        let header: Header = ron::from_str(text).map_err(spanned)?;
        if header.format != FORMAT {
            let message = format!(
                "the recording has format {}, and this version reads format {FORMAT}",
                header.format
            );
            return Err(bad(file, message));
        }
        let recording: Recording = ron::from_str(text).map_err(spanned)?;
        recording.check().map_err(|message| bad(file, message))?;
        let layout = layout::parse(&recording.layout, &format!("{} (the layout in it)", file.display()));
        let layout = layout.map_err(|error| RecordingError::Layout {
            error,
            source: recording.layout.clone(),
        })?;
        Ok((recording, layout))
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), String> {
        if self.duration > LONGEST {
            return Err(format!(
                "`duration` is {}, and {LENGTHS}",
                layout::duration::format(self.duration)
            ));
        }
        if !self.commands.is_sorted_by_key(|act| act.at) {
            return Err("the commands are not in order of time".to_string());
        }
        if self.commands.last().is_some_and(|act| act.at > self.duration) {
            return Err("a command comes after the end of the run".to_string());
        }
        for act in &self.commands {
            let at = layout::duration::format(act.at);
            act.command
                .validate()
                .map_err(|error| format!("the command at {at}: {error}"))?;
        }
        let expected = self.duration.as_nanos() / CHECKPOINT.as_nanos();
        let times = (1..).map(|k| CHECKPOINT * k);
        if self.checkpoints.len() as u128 != expected
            || !self.checkpoints.iter().map(|c| c.at).eq(times.take(expected as usize))
        {
            return Err(format!(
                "the checkpoints must be one for each {}, from the first to the last of the run",
                layout::duration::format(CHECKPOINT)
            ));
        }
        Ok(())
    }
}

/// Writes and waits until the disk has it.
fn write_whole(mut out: File, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

fn read_limited(file: &Path) -> Result<String, RecordingError> {
    let read = |error| RecordingError::Io {
        operation: "read",
        file: file.to_path_buf(),
        error,
    };
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(read)?;
    opened.take(LARGEST_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > LARGEST_BYTES {
        return Err(bad(
            file,
            "the file is larger than 16 MiB, so it is no recording".to_string(),
        ));
    }
    String::from_utf8(bytes).map_err(|_| bad(file, "the file is not UTF-8 text, so it is no recording".to_string()))
}

fn bad(file: &Path, message: String) -> RecordingError {
    RecordingError::Malformed {
        file: file.to_path_buf(),
        place: None,
        message,
    }
}

fn malformed(file: &Path, error: &SpannedError) -> RecordingError {
    RecordingError::Malformed {
        file: file.to_path_buf(),
        place: Some((error.span.start.line, error.span.start.col)),
        message: format!("not a recording: {}", error.code),
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordingError::Io { operation, file, error } => {
                write!(f, "cannot {operation} {}: {error}", file.display())
            }
            RecordingError::Malformed { file, place, message } => match place {
                Some((line, column)) => write!(f, "{}:{line}:{column}: {message}", file.display()),
                None => write!(f, "{}: {message}", file.display()),
            },
            RecordingError::Layout { error, .. } => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for RecordingError {}
