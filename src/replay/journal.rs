//! A recording that is written as the run happens.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::digest::Digest;
use super::file::Scribe;
use super::recording::{Entry, Recording};

/// What the name of a recording that is still being written ends in. It is a recording all the same.
pub const PART: &str = ".part";

/// Writes a recording line by line. A program that is killed leaves all lines but the one that it was writing; they stand in the file's name
/// with [`PART`] behind it. At the end the file takes its own name.
#[derive(Debug)]
pub struct Journal {
    out: File,
    part: PathBuf,
    to: PathBuf,
    scribe: Scribe,
    reached: Duration,
    /// Where the last line begins that says how far the run came, if nothing stands behind it, and the scribe before it.
    last_reached: Option<(u64, Scribe)>,
}

impl Journal {
    /// Begins a file with what has happened so far.
    ///
    /// # Errors
    /// When the file system says no.
    pub fn begin(to: &Path, so_far: &Recording) -> io::Result<Journal> {
        let mut part = to.as_os_str().to_owned();
        part.push(PART);
        let part = PathBuf::from(part);
        let (mut scribe, mut text) = Scribe::begin(&so_far.head);
        let entries = so_far.entries();
        // The last entry says how far it came, or that it has ended; this one goes on.
        for entry in &entries[..entries.len() - 1] {
            text.push_str(&scribe.entry(entry));
        }
        let mut out = File::create_new(&part)?;
        out.write_all(text.as_bytes())?;
        let mut journal = Journal {
            out,
            part,
            to: to.to_path_buf(),
            scribe,
            reached: so_far.duration,
            last_reached: None,
        };
        if !so_far.duration.is_zero() {
            journal.add(&Entry::Reached { at: so_far.duration })?;
        }
        Ok(journal)
    }

    /// Writes one entry. It is with the operating system when this returns, so that the end of the program cannot lose it.
    ///
    /// # Errors
    /// When the file system says no. The file is then as if it had been cut off.
    pub fn add(&mut self, entry: &Entry) -> io::Result<()> {
        self.last_reached = None;
        let line = self.scribe.entry(entry);
        self.reached = self.reached.max(entry.at());
        self.out.write_all(line.as_bytes())
    }

    /// Writes down how far the run came, if nothing else did. It takes the place of the last such line, so that a long run does not make a long file.
    ///
    /// # Errors
    /// As [`Journal::add`].
    pub fn reached(&mut self, at: Duration) -> io::Result<()> {
        if at <= self.reached {
            return Ok(());
        }
        let start = match self.last_reached.take() {
            Some((start, scribe)) => {
                self.scribe = scribe;
                self.out.seek(SeekFrom::Start(start))?
            }
            None => self.out.stream_position()?,
        };
        let before = self.scribe.clone();
        self.add(&Entry::Reached { at })?;
        let end = self.out.stream_position()?;
        if self.out.metadata()?.len() > end {
            self.out.set_len(end)?;
        }
        self.last_reached = Some((start, before));
        Ok(())
    }

    /// Ends the recording and gives it its name; where asked for, waits until the disk has it.
    ///
    /// # Errors
    /// When the file system says no. What was written stays where it is.
    pub fn end(mut self, at: Duration, digest: Digest, waits: bool) -> io::Result<PathBuf> {
        self.add(&Entry::End { at, digest })?;
        self.out.write_all(Scribe::end().as_bytes())?;
        if waits {
            self.out.sync_all()?;
        }
        fs::rename(&self.part, &self.to)?;
        Ok(self.to)
    }

    /// The file, as it is called until its end.
    pub fn part(&self) -> &Path {
        &self.part
    }
}
