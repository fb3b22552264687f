//! A recording as a file, and a file as a recording.
//!
//! The file is RON: a head with the layout in it, then one line for each entry, in order of time. Each line ends in a comment with a check:
//! the FNV-1a hash (64 bits; <http://www.isthe.com/chongo/tech/comp/fnv/>) of all that stands before it in the file. Each step of that hash is a bijection, so a single
//! byte that was changed cannot keep it the same. A file that was cut off holds all entries up to its last whole line.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ron::error::SpannedError;
use ron::ser::PrettyConfig;
use serde::Deserialize;

use super::recording::{Entry, Head, Recording};
use crate::layout::{self, Layout, LayoutError};

/// The format that this version writes and reads.
pub(super) const FORMAT: u32 = 2;

/// What every recording begins with. A file that begins so is one of ours, whatever its version.
const FIRST_WORDS: &str = "// A run of blastradius.";

/// The line with which the entries begin, before its check.
const ENTRIES: &str = "    entries: [";
/// What comes after the last entry.
const CLOSING: &str = "    ],\n)\n";
/// Between the text of a line and its check.
const BEFORE_CHECK: &str = " // ";
/// Hexadecimal digits of a check.
const CHECK_DIGITS: usize = 16;

/// The largest file that is read, in bytes. Some 100,000 commands with a layout of 1 MB.
const LARGEST_BYTES: u64 = 16 << 20;

/// The part that every version of the format has.
#[derive(Deserialize)]
#[serde(rename = "Recording")]
struct AnyHead {
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

/// FNV-1a.
fn hash(mut hash: u64, text: &str) -> u64 {
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// The hash of nothing.
const NOTHING: u64 = 0xcbf2_9ce4_8422_2325;

/// The FNV-1a hash of a text: a short name for what it says, no protection.
pub fn fingerprint(text: &str) -> u64 {
    hash(NOTHING, text)
}

/// Makes the text of a file, piece by piece.
#[derive(Clone, Debug)]
pub(super) struct Scribe {
    hash: u64,
}

impl Scribe {
    /// Begins with a head, and gives its text.
    pub(super) fn begin(head: &Head) -> (Scribe, String) {
        // Strings unescaped: the layout reads in the recording as it does in its file.
        let config = PrettyConfig::new().struct_names(true).escape_strings(false);
        let head = ron::ser::to_string_pretty(head, config).expect("a head is plain data");
        let open = head.strip_suffix(')').unwrap_or(&head);
        let mut scribe = Scribe { hash: NOTHING };
        let text = format!("{FIRST_WORDS} See it again: blastradius replay FILE\n{open}{ENTRIES}");
        let text = scribe.checked(&text);
        (scribe, text)
    }

    /// The line of an entry.
    pub(super) fn entry(&mut self, entry: &Entry) -> String {
        let config = PrettyConfig::new().compact_structs(true).compact_arrays(true);
        let text = ron::ser::to_string_pretty(entry, config).expect("an entry is plain data");
        self.checked(&format!("        {text},"))
    }

    /// What comes after the last entry.
    pub(super) fn end() -> &'static str {
        CLOSING
    }

    fn checked(&mut self, text: &str) -> String {
        self.hash = hash(self.hash, text);
        let rest = format!("{BEFORE_CHECK}{:016x}\n", self.hash);
        self.hash = hash(self.hash, &rest);
        format!("{text}{rest}")
    }
}

impl Recording {
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
    /// When it cannot be read, is too large, or is damaged. One that was merely cut off is read up to its last whole entry.
    pub fn load(file: &Path) -> Result<(Recording, Layout), RecordingError> {
        let text = read_limited(file)?;
        Recording::parse(&text, file)
    }

    /// The text of the file. It is closed even if the run's end is not known.
    pub fn to_text(&self) -> String {
        let (mut scribe, mut text) = Scribe::begin(&self.head);
        for entry in self.entries() {
            text.push_str(&scribe.entry(&entry));
        }
        text.push_str(Scribe::end());
        text
    }

    /// Reads a recording from its text; `file` is for messages.
    ///
    /// # Errors
    /// When it is damaged, or is not consistent.
    pub fn parse(text: &str, file: &Path) -> Result<(Recording, Layout), RecordingError> {
        let recording = read(text).map_err(|(place, message)| RecordingError::Malformed {
            file: file.to_path_buf(),
            place,
            message,
        })?;
        let layout = layout::parse(
            &recording.head.layout,
            &format!("{} (the layout in it)", file.display()),
        );
        let mut layout = layout.map_err(|error| RecordingError::Layout {
            error,
            source: recording.head.layout.clone(),
        })?;
        if !recording.head.expect.is_empty() {
            let expect = recording.head.expect.iter().map(|raw| raw.model(&layout));
            layout.expect = expect
                .collect::<Result<_, _>>()
                .map_err(|why| RecordingError::Malformed {
                    file: file.to_path_buf(),
                    place: None,
                    message: format!("expect: {why}"),
                })?;
        }
        Ok((recording, layout))
    }
}

/// What is wrong: line and column from 1 where they are known, and a sentence.
type Trouble = (Option<(usize, usize)>, String);

fn read(text: &str) -> Result<Recording, Trouble> {
    if !Recording::is_one(text.as_bytes()) {
        return Err((None, "not a recording".to_string()));
    }
    let (head, lines, mut so_far) = read_head(text)?;
    let first_line = text.len() - lines.len();
    let mut recording = Recording::new(head);
    let mut line = text[..first_line].matches('\n').count();
    let mut rest = lines;
    let is_over =
        |recording: &Recording, whole: &str| recording.digest.is_some() || CLOSING.starts_with(&format!("{whole}\n"));
    while let Some((whole, after)) = rest.split_once('\n').filter(|(whole, _)| !is_over(&recording, whole)) {
        line += 1;
        let entry = read_entry(whole, so_far).map_err(|(column, message)| (Some((line, column)), message))?;
        if entry.at() < recording.duration {
            return Err((
                Some((line, 1)),
                "the entry is earlier than the one before it".to_string(),
            ));
        }
        so_far = hash(hash(so_far, whole), "\n");
        recording.add(&entry);
        rest = after;
    }
    // What is left is a piece of the closing lines, or of an entry that was cut off.
    let cut_off = recording.digest.is_none() && !rest.contains('\n');
    if !cut_off && !CLOSING.starts_with(rest) {
        return Err((Some((line + 1, 1)), "something stands after the end".to_string()));
    }
    recording.check().map_err(|message| (None, message))?;
    Ok(recording)
}

/// The head, what comes after it, and the hash of it.
fn read_head(text: &str) -> Result<(Head, &str, u64), Trouble> {
    let marker = format!("\n{ENTRIES}{BEFORE_CHECK}");
    let (mut hashed, mut before) = (0, NOTHING);
    for (at, _) in text.match_indices(&marker) {
        let (check_at, end) = (at + marker.len(), at + marker.len() + CHECK_DIGITS);
        // A layout may hold this line too, as often as it likes: each byte is hashed once.
        let so_far = hash(before, &text[hashed..check_at - BEFORE_CHECK.len()]);
        (hashed, before) = (check_at - BEFORE_CHECK.len(), so_far);
        if text.get(check_at..end) != Some(&format!("{so_far:016x}")) || !text[end..].starts_with('\n') {
            continue;
        }
        let place = |error: SpannedError| {
            (
                Some((error.span.start.line, error.span.start.col)),
                error.code.to_string(),
            )
        };
        let closed = format!("{})", &text[..at]);
        let any: AnyHead = ron::from_str(&closed).map_err(place)?;
        if any.format != FORMAT {
            return Err(other_format(any.format));
        }
        let head = ron::from_str(&closed).map_err(place)?;
        return Ok((
            head,
            &text[end + 1..],
            hash(so_far, &text[check_at - BEFORE_CHECK.len()..=end]),
        ));
    }
    Err(match ron::from_str::<AnyHead>(text) {
        Ok(any) if any.format != FORMAT => other_format(any.format),
        _ => (
            None,
            "the recording is damaged, or was cut off before its first entry".to_string(),
        ),
    })
}

fn other_format(format: u32) -> Trouble {
    let message = format!("the recording has format {format}, and this version reads format {FORMAT}");
    (None, message)
}

/// Reads a line; a trouble has a column.
fn read_entry(line: &str, so_far: u64) -> Result<Entry, (usize, String)> {
    let damaged = || {
        let way_out = "the lines before it are still a recording of the run until then";
        (1, format!("the recording is damaged in this line; {way_out}"))
    };
    let (text, check) = line.rsplit_once(BEFORE_CHECK).ok_or_else(damaged)?;
    if check != format!("{:016x}", hash(so_far, text)) {
        return Err(damaged());
    }
    let body = text.trim().strip_suffix(',').ok_or_else(damaged)?;
    let indent = text.len() - text.trim_start().len();
    ron::from_str(body).map_err(|error: SpannedError| {
        (
            error.span.start.col + indent,
            format!("not an entry of a recording: {}", error.code),
        )
    })
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
    let bad = |message: &str| RecordingError::Malformed {
        file: file.to_path_buf(),
        place: None,
        message: message.to_string(),
    };
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(read)?;
    opened.take(LARGEST_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > LARGEST_BYTES {
        return Err(bad("the file is larger than 16 MiB, so it is no recording"));
    }
    String::from_utf8(bytes).or_else(|error| {
        // One that was cut off in the middle of a character is as good as one that was cut off before it.
        let (valid, cut) = (
            error.utf8_error().valid_up_to(),
            error.utf8_error().error_len().is_none(),
        );
        let mut bytes = error.into_bytes();
        bytes.truncate(valid);
        match String::from_utf8(bytes) {
            Ok(text) if cut => Ok(text),
            _ => Err(bad("the file is not UTF-8 text, so it is no recording")),
        }
    })
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
