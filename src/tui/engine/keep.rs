//! Keeps what happens on disk, as it happens: one file for each branch.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::replay::{Digest, Entry, History, Journal, LONGEST, Recording, Runs};

/// Between two notes of how far a run has come, on the wall: what is lost at most when the program is killed.
const BEAT: Duration = Duration::from_millis(500);

/// Where the branches of a run are written.
#[derive(Debug)]
pub struct Keep {
    runs: Runs,
    stamp: String,
    name: String,
    /// How much was known at the start, and needs no second file: until when, and how many commands.
    known: (Duration, usize),
    /// By branch: the file that is open.
    journals: BTreeMap<usize, Journal>,
    /// By branch: the file it has.
    files: BTreeMap<usize, PathBuf>,
    /// By branch: how far its file goes that has its end.
    ended: BTreeMap<usize, (Duration, usize)>,
    beat: Instant,
    trouble: Option<io::Error>,
    broken: bool,
}

impl Keep {
    /// Keeps the branches of a run of this layout among these runs. `stamp` is the time of the start, so that names sort by it.
    pub fn new(runs: Runs, stamp: &str, name: &str) -> Keep {
        Keep {
            runs,
            stamp: stamp.to_string(),
            name: name.to_string(),
            known: (Duration::ZERO, 0),
            journals: BTreeMap::new(),
            files: BTreeMap::new(),
            ended: BTreeMap::new(),
            beat: Instant::now(),
            trouble: None,
            broken: false,
        }
    }

    /// What was known at the start is not written again.
    pub(super) fn known(&mut self, recording: &Recording) {
        self.known = (recording.duration, recording.commands.len());
    }

    /// Sees to it that the branch on which the run stands has a file, and that the file says how far it has come.
    pub(super) fn follow(&mut self, history: &History) {
        let here = history.here();
        let first = (here.branch == 0).then_some(&self.known);
        let known = self.ended.get(&here.branch).or(first);
        let nothing_new = known.is_some_and(|(at, acts)| here.at <= *at && here.acts <= *acts);
        if self.broken || history.is_past() || nothing_new {
            return;
        }
        if here.at > LONGEST {
            return self.mind(Err(io::Error::other("a recording holds 30 days at most")));
        }
        let result = match self.journals.get_mut(&here.branch) {
            None => self.open(history),
            Some(journal) if self.beat.elapsed() >= BEAT => {
                self.beat = Instant::now();
                journal.reached(here.at)
            }
            Some(_) => Ok(()),
        };
        self.mind(result);
    }

    fn open(&mut self, history: &History) -> io::Result<()> {
        let branch = history.here().branch;
        let mut tries = 0;
        let (file, journal) = loop {
            let file = match self.files.get(&branch) {
                Some(file) => file.clone(),
                None => self.runs.begin(&self.stamp, &self.name)?,
            };
            match Journal::begin(&file, history.recording()) {
                // Another program was faster with the same name.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 10 => tries += 1,
                begun => break (file, begun?),
            }
        };
        self.files.insert(branch, file);
        self.journals.insert(branch, journal);
        Ok(())
    }

    /// Something new has happened on a branch. If its file is not open yet it will be in it when it is.
    pub(super) fn add(&mut self, branch: usize, entry: &Entry) {
        if let Some(journal) = self.journals.get_mut(&branch) {
            let result = journal.add(entry);
            self.mind(result);
        }
    }

    /// Something was written into what has happened already.
    pub(super) fn rewrite(&mut self, branch: usize, recording: &Recording) {
        let open = self.journals.contains_key(&branch);
        if let Some(file) = self.files.get(&branch).filter(|_| !open && !self.broken) {
            let result = recording.save(file).map_err(io::Error::other);
            self.mind(result);
        }
    }

    /// A branch ends here, for now.
    /// Where the program leaves, the disk is waited for.
    pub(super) fn end(&mut self, branch: usize, (at, acts): (Duration, usize), digest: Digest, leaves: bool) {
        if let Some(journal) = self.journals.remove(&branch) {
            self.ended.insert(branch, (at, acts));
            let result = journal.end(at, digest, leaves).map(|_| ());
            self.mind(result);
        }
    }

    fn mind(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.broken = true;
            self.journals.clear();
            self.trouble.get_or_insert(error);
        }
    }

    /// What went wrong, once.
    pub(super) fn take_trouble(&mut self) -> Option<String> {
        let error = self.trouble.take()?;
        let folder = self.runs.folder().display();
        Some(format!(
            "this run is not recorded any more: cannot write to {folder}: {error}"
        ))
    }

    /// The file of a branch, as it is called now.
    pub(super) fn file(&self, branch: usize) -> Option<PathBuf> {
        let open = self.journals.get(&branch).map(|journal| journal.part().to_path_buf());
        open.or_else(|| self.files.get(&branch).cloned())
            .filter(|_| !self.broken)
    }
}
