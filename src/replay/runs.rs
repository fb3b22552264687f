//! The folder where runs are kept.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::journal::PART;
use crate::layout::printable;

/// How many runs are kept, each with all of its branches: when a new one begins, the oldest go.
pub const KEPT: usize = 200;

/// What the name of a recording ends in.
pub const ENDING: &str = ".replay.ron";

/// A folder of recordings whose names begin with the time when each began, so that the order of names is that of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    folder: PathBuf,
}

/// A recording in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub file: PathBuf,
    /// Whether it has its end. Else it is still being written, or the program was killed.
    pub ended: bool,
}

impl Runs {
    /// Runs in this folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Runs {
        Runs { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A name for a run that begins now: `stamp` says when, so that names sort by time. Makes the folder, and room in it.
    ///
    /// # Errors
    /// When the file system says no.
    pub fn begin(&self, stamp: &str, layout: &str) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.folder)?;
        let name = file_name(layout);
        self.make_room(&format!("{stamp}-{name}"))?;
        let free = |file: &PathBuf| !file.exists() && !part(file).exists();
        let numbered = (1..).map(|number| match number {
            1 => self.folder.join(format!("{stamp}-{name}{ENDING}")),
            _ => self.folder.join(format!("{stamp}-{name}.{number}{ENDING}")),
        });
        Ok(numbered.take(10_000).find(free).unwrap_or_default())
    }

    /// Removes the oldest runs, with all of their branches, unless this one has a file already.
    fn make_room(&self, begins: &str) -> io::Result<()> {
        let kept = self.list()?;
        let names: BTreeSet<String> = kept.iter().map(|one| run(&one.file)).collect();
        if names.contains(begins) {
            return Ok(());
        }
        let oldest = (names.len() + 1).saturating_sub(KEPT);
        let gone: BTreeSet<&String> = names.iter().take(oldest).collect();
        for old in kept.iter().filter(|old| gone.contains(&run(&old.file))) {
            // Another program may have been faster.
            let _ = fs::remove_file(&old.file);
        }
        Ok(())
    }

    /// The runs, the oldest first. A folder that is not there holds none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(&self) -> io::Result<Vec<Kept>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut kept = Vec::new();
        for entry in entries {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                continue;
            }
            let file = entry.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let whole = name.strip_suffix(PART).unwrap_or(&name);
            if whole.ends_with(ENDING) {
                let ended = whole.len() == name.len();
                kept.push(Kept { file, ended });
            }
        }
        kept.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(kept)
    }
}

/// The run that a recording belongs to: its name without the number of the branch, in which no layout's name has a part.
fn run(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.split_once(ENDING).map_or(name.as_str(), |(name, _)| name);
    let branch = name
        .rsplit_once('.')
        .filter(|(_, number)| number.parse::<u32>().is_ok());
    branch.map_or(name, |(run, _)| run).to_string()
}

fn part(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(PART);
    PathBuf::from(name)
}

/// A layout's name as a part of a file's name: its last component without `.ron`, and nothing in it that a shell or a file system would mind.
fn file_name(layout: &str) -> String {
    let last = layout.rsplit(['/', '\\']).next().unwrap_or_default();
    let last = printable(last.strip_suffix(".ron").unwrap_or(last));
    let kind = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            c
        } else {
            '-'
        }
    };
    let name: String = last.chars().take(60).map(kind).collect();
    if name.is_empty() { "run".to_string() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_branches_of_a_run_are_one_run() {
        let of = |name: &str| run(Path::new(name));
        assert_eq!(
            of("/runs/2026-01-01T10-00-00Z-04.replay.ron"),
            "2026-01-01T10-00-00Z-04"
        );
        assert_eq!(of("2026-01-01T10-00-00Z-04.2.replay.ron"), "2026-01-01T10-00-00Z-04");
        assert_eq!(
            of("2026-01-01T10-00-00Z-04.12.replay.ron.part"),
            "2026-01-01T10-00-00Z-04"
        );
        let folder = std::env::temp_dir().join(format!("blastradius-runs-{}", std::process::id()));
        let runs = Runs::new(folder.clone());
        let begin = |stamp: &str| {
            let file = runs.begin(stamp, "04").expect("a name");
            fs::write(&file, "").expect("a file");
        };
        for number in 0..KEPT - 1 {
            begin(&format!("{number:05}"));
        }
        for _ in 0..20 {
            begin("99998");
        }
        assert_eq!(
            runs.list().expect("a list").len(),
            KEPT + 19,
            "branches push nobody out"
        );
        begin("99999");
        let left = runs.list().expect("a list");
        assert_eq!(left.len(), KEPT + 19, "one run more, and the oldest one less");
        assert!(run(&left[0].file).starts_with("00001"));
        fs::remove_dir_all(folder).expect("it can go");
    }

    #[test]
    fn a_run_is_named_after_its_layout() {
        assert_eq!(file_name("04-load-balancer"), "04-load-balancer");
        assert_eq!(file_name("/tmp/my system.ron"), "my-system");
        assert_eq!(file_name("..\u{1b}[2J"), "---u-1b--2J");
        assert_eq!(file_name(""), "run");
    }
}
