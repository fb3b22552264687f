//! Lines of a file, plain or in gzip.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::error::TraceError;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 64 << 10;

/// How much is read of the file at once, in bytes.
const CHUNK: usize = 256 << 10;

/// How files begin that are not what we read: the bytes, what it is, and what to do.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (
        b"\x28\xb5\x2f\xfd",
        "it is compressed with zstd",
        "unpack it first: zstd -d FILE",
    ),
    (b"\xfd7zXZ\0", "it is compressed with xz", "unpack it first: xz -d FILE"),
    (
        b"BZh91AY&SY",
        "it is compressed with bzip2",
        "unpack it first: bzip2 -d FILE",
    ),
    (b"PK\x03\x04", "it is a ZIP archive", "unpack it first"),
    (b"\xff\xfe", "it is UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "it is UTF-16 text", "save it as UTF-8"),
];

/// How a gzip file begins (RFC 1952).
const GZIP: &[u8] = b"\x1f\x8b";

/// How a UTF-8 file may begin.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a file, one at a time.
pub(super) struct Lines {
    file: PathBuf,
    input: Box<dyn BufRead>,
    gzip: bool,
    taken: Rc<Cell<u64>>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Opens a file, and looks at how it begins to see what it is.
    pub(super) fn open(file: &Path) -> Result<Lines, TraceError> {
        if file == Path::new("-") {
            let way_out = "a trace is read more than once: write it to a file and name that";
            return Err(TraceError::of(file, "stdin cannot be a trace", way_out));
        }
        let ordinary = ordinary(file)?;
        let taken = Rc::new(Cell::new(0));
        let counted = Counted {
            file: ordinary,
            taken: Rc::clone(&taken),
        };
        let mut input = BufReader::with_capacity(CHUNK, counted);
        let start = input.fill_buf().map_err(|error| unreadable(file, &error))?;
        if let Some((_, what, way_out)) = FOREIGN.iter().find(|(magic, ..)| start.starts_with(magic)) {
            return Err(TraceError::of(file, *what, *way_out));
        }
        let gzip = start.starts_with(GZIP);
        let input: Box<dyn BufRead> = if gzip {
            Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(input)))
        } else {
            Box::new(input)
        };
        Ok(Lines {
            file: file.to_path_buf(),
            input,
            gzip,
            taken,
            line: Vec::new(),
            number: 0,
        })
    }

    /// Goes on to the next line that is neither blank nor a comment; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool, TraceError> {
        loop {
            if !self.fetch()? {
                return Ok(false);
            }
            if !matches!(self.line.trim_ascii_start().first(), None | Some(b'#')) {
                return self.check().map(|()| true);
            }
        }
    }

    /// The line, without its break.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// The number of the line, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Bytes of the file that have been read so far, packed if it is.
    pub(super) fn taken(&self) -> u64 {
        self.taken.get()
    }

    /// The file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    fn fetch(&mut self) -> Result<bool, TraceError> {
        self.line.clear();
        // The break has two bytes at most.
        let mut bounded = self.input.by_ref().take(LONGEST_LINE as u64 + 2);
        let read = bounded.read_until(b'\n', &mut self.line);
        match read {
            Ok(0) => return Ok(false),
            Ok(_) => self.number += 1,
            Err(error) => return Err(self.broken(&error)),
        }
        if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        if self.line.ends_with(b"\n") {
            self.line.pop();
            if self.line.ends_with(b"\r") {
                self.line.pop();
            }
        }
        if self.line.len() > LONGEST_LINE {
            let way_out = "a trace has one short record a line: key,size,op,time";
            return Err(self.here("the line is longer than 64 KiB", way_out));
        }
        Ok(true)
    }

    fn check(&self) -> Result<(), TraceError> {
        if self.line.contains(&0) || std::str::from_utf8(&self.line).is_err() {
            let way_out = "a trace is UTF-8 text with one record a line; binary traces must be turned into text first";
            return Err(self.here("not UTF-8 text", way_out));
        }
        Ok(())
    }

    fn here(&self, problem: &str, way_out: &str) -> TraceError {
        TraceError::of(&self.file, problem, way_out).on(self.number)
    }

    /// The error of a read that failed after the current line.
    fn broken(&self, error: &io::Error) -> TraceError {
        if !self.gzip {
            return unreadable(&self.file, error).on(self.number + 1);
        }
        let problem = match error.kind() {
            ErrorKind::UnexpectedEof => "the gzip data end too early: the file is cut off".to_string(),
            ErrorKind::InvalidInput | ErrorKind::InvalidData => format!("the gzip data are damaged ({error})"),
            _ => return unreadable(&self.file, error).on(self.number + 1),
        };
        let way_out = "fetch or pack it again; `gzip -t FILE` tests it";
        TraceError::of(&self.file, problem, way_out).on(self.number + 1)
    }
}

/// Opens what is a file and nothing else: a pipe could be read only once, and would be waited for without end.
fn ordinary(file: &Path) -> Result<File, TraceError> {
    let metadata = file.metadata().map_err(|error| unreadable(file, &error))?;
    if metadata.is_dir() {
        return Err(TraceError::of(file, "it is a folder", "name a file in it"));
    }
    if !metadata.is_file() {
        let way_out = "a trace is read more than once: write it to a file and name that";
        return Err(TraceError::of(file, "it is no ordinary file", way_out));
    }
    File::open(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &io::Error) -> TraceError {
    let (problem, way_out) = match error.kind() {
        ErrorKind::NotFound => ("there is no such file".to_string(), "is the name right?"),
        ErrorKind::PermissionDenied => (error.to_string(), "may you read it?"),
        _ => (error.to_string(), "is the disk well?"),
    };
    TraceError::of(file, problem, way_out)
}

/// A file that counts what has been read of it.
struct Counted {
    file: File,
    taken: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}
