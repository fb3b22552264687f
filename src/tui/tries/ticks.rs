//! Which experiments were done, kept from one call of the program to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ron::ser::PrettyConfig;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// The most layouts that are remembered.
const MOST: usize = 1_000;

/// The titles of the experiments that were done, by layout, in a file.
#[derive(Clone, Debug)]
pub struct Ticks {
    file: PathBuf,
    done: Done,
}

type Done = BTreeMap<String, BTreeSet<String>>;

impl Ticks {
    /// Those of a file, and what is wrong with it, if something is: then nothing counts as done, and the file stays as it is until something is.
    pub fn of(file: PathBuf) -> (Ticks, Option<String>) {
        let (done, trouble) = match read(&file) {
            Ok(done) => (done, None),
            Err(why) => {
                let file = file.display();
                (
                    Done::new(),
                    Some(format!("what was tried before is not known: cannot read {file}: {why}")),
                )
            }
        };
        (Ticks { file, done }, trouble)
    }

    /// The titles of those of a layout.
    pub fn done(&self, layout: &str) -> BTreeSet<String> {
        self.done.get(layout).cloned().unwrap_or_default()
    }

    /// An experiment was done. What another program has written meanwhile stays; a file that cannot be read is replaced.
    ///
    /// # Errors
    /// In words, when it cannot be written. It is remembered until the end of the program then.
    pub fn add(&mut self, layout: &str, title: &str) -> Result<(), String> {
        for (other, titles) in read(&self.file).unwrap_or_default() {
            self.done.entry(other).or_default().extend(titles);
        }
        if !self.done.contains_key(layout) && self.done.len() >= MOST {
            return Err(format!("experiments of {MOST} layouts are remembered, and no more"));
        }
        let titles = self.done.entry(layout.to_owned()).or_default();
        titles.insert(title.to_owned());
        write(&self.file, &self.done).map_err(|error| format!("cannot write {}: {error}", self.file.display()))
    }
}

/// A file that is not there holds nothing.
fn read(file: &Path) -> Result<Done, String> {
    let opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Done::new()),
        opened => opened.map_err(|error| error.to_string())?,
    };
    let mut text = String::new();
    let read = opened.take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    if text.len() as u64 > LARGEST {
        return Err("it is larger than 1 MiB".to_string());
    }
    ron::from_str(&text).map_err(|error| error.to_string())
}

/// Writes beside the file first and then into its place, so that there is never half of it.
fn write(file: &Path, done: &Done) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = ron::ser::to_string_pretty(done, PrettyConfig::new()).map_err(io::Error::other)?;
    let mut part = file.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let written = File::create(&part)
        .and_then(|mut out| out.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&part, file));
    if written.is_err() {
        // What is left of a failed attempt is of no use to anybody; the first error is the one to tell.
        let _ = fs::remove_file(&part);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("blastradius-ticks-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    fn titles(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_was_done_is_known_the_next_time() {
        let folder = folder("kept");
        let file = folder.join("state/experiments.ron");
        let (mut ticks, trouble) = Ticks::of(file.clone());
        assert_eq!((ticks.done("04"), trouble), (titles(&[]), None));
        // Another one that is open at the same time.
        let (mut other, _) = Ticks::of(file.clone());
        other.add("05", "Kill \"it\" \u{1b}[2J").expect("written");
        ticks.add("04", "Kill a web server").expect("written");
        ticks.add("04", "Kill a web server").expect("written");
        let (again, trouble) = Ticks::of(file.clone());
        assert_eq!(trouble, None);
        assert_eq!(again.done("04"), titles(&["Kill a web server"]));
        assert_eq!(again.done("05"), titles(&["Kill \"it\" \u{1b}[2J"]));
        assert!(!fs::read_to_string(&file).expect("a file").contains('\u{1b}'));
        let names = fs::read_dir(file.parent().expect("a folder")).expect("a folder");
        assert_eq!(names.count(), 1, "nothing is left beside it");
        fs::remove_dir_all(folder).expect("it can go");
    }

    #[test]
    fn a_file_that_cannot_be_read_stays_until_something_is_done() {
        let folder = folder("broken");
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("experiments.ron");
        for broken in [
            "{\"04\": [\"a\"",
            "\u{1b}[2J",
            "[1, 2]",
            &"x".repeat(LARGEST as usize + 1),
        ] {
            fs::write(&file, broken).expect("a file");
            let (mut ticks, trouble) = Ticks::of(file.clone());
            assert!(trouble.expect("trouble").contains("experiments.ron"), "{broken:.20}");
            assert_eq!(ticks.done("04"), titles(&[]));
            assert_eq!(fs::read_to_string(&file).expect("a file"), broken);
            ticks.add("04", "b").expect("written");
            assert_eq!(Ticks::of(file.clone()).0.done("04"), titles(&["b"]));
        }
        fs::remove_dir_all(folder).expect("it can go");
    }

    #[test]
    fn where_nothing_can_be_written_it_is_said_and_remembered() {
        let folder = folder("nowhere");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("file"), "").expect("a file");
        let (mut ticks, _) = Ticks::of(folder.join("file/experiments.ron"));
        assert!(ticks.add("04", "a").is_err());
        assert_eq!(ticks.done("04"), titles(&["a"]));
        fs::remove_dir_all(folder).expect("it can go");
    }
}
