//! A trace for a running world.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::TraceError;
use super::fields::Op;
use super::reader::{Reader, Record};
use super::survey::{Numbers, Survey};

/// A trace that goes round and round: at its end it begins again. The records are dealt out among several readers, and each reads the whole
/// file to find its own. They are numbered on through all rounds, so that every reader gets some even if it has more colleagues than
/// the trace has records.
pub struct Feed {
    file: PathBuf,
    records: u64,
    digest: u64,
    numbers: Arc<Numbers>,
    parts: u64,
    reader: Reader,
    /// Records to pass over before the next of one's own.
    others: u64,
    /// Records read in this round.
    seen: u64,
    /// Their digest.
    seen_digest: u64,
    rounds: u64,
    failure: Option<TraceError>,
}

impl Feed {
    /// Opens the trace of a survey for reader `part`, from 0, of `parts`: it gets each record whose number is `part` modulo `parts`.
    ///
    /// # Errors
    /// If the file cannot be read any more.
    pub fn open(survey: &Survey, numbers: Arc<Numbers>, part: u64, parts: u64) -> Result<Feed, TraceError> {
        assert!(part < parts, "reader {part} of {parts}");
        Ok(Feed {
            file: survey.file.clone(),
            records: survey.records,
            digest: survey.digest,
            numbers,
            parts,
            reader: Reader::open(&survey.file)?,
            others: part,
            seen: 0,
            seen_digest: 0,
            rounds: 0,
            failure: None,
        })
    }

    /// How often the trace has come to its end.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Why there are no more records.
    pub fn failure(&self) -> Option<&TraceError> {
        self.failure.as_ref()
    }

    /// The next record that is one's own, with the number of its key.
    fn deal(&mut self) -> Result<(u32, Record), TraceError> {
        loop {
            let Some(record) = self.reader.read()? else {
                self.turn_round()?;
                continue;
            };
            self.seen += 1;
            self.seen_digest = record.digest(self.seen_digest);
            if self.seen > self.records {
                return Err(self.changed());
            }
            if self.others > 0 {
                self.others -= 1;
                continue;
            }
            self.others = self.parts - 1;
            let number = self.numbers.of(record.key);
            return number.map(|number| (number, record)).ok_or_else(|| self.changed());
        }
    }

    fn turn_round(&mut self) -> Result<(), TraceError> {
        if self.seen != self.records || self.seen_digest != self.digest {
            return Err(self.changed());
        }
        self.reader = Reader::open(&self.file)?;
        self.rounds += 1;
        self.seen = 0;
        self.seen_digest = 0;
        Ok(())
    }

    fn changed(&self) -> TraceError {
        TraceError::changed(&self.file)
    }
}

/// The number of a record's key, its size in bytes, and what is done. Ends only when the file cannot be read any more, since it has
/// changed or gone; [`Feed::failure`] then says why.
impl Iterator for Feed {
    type Item = (u32, Option<u32>, Option<Op>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.failure.is_some() {
            return None;
        }
        match self.deal() {
            Ok((number, record)) => Some((number, record.bytes, record.op)),
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::reader::tests::Scratch;

    fn feed(file: &Scratch, part: u64, parts: u64) -> Feed {
        let (survey, numbers) = Survey::of(file.path()).unwrap();
        Feed::open(&survey, Arc::new(numbers), part, parts).unwrap()
    }

    fn numbers(feed: &mut Feed, count: usize) -> Vec<u32> {
        feed.take(count).map(|(number, ..)| number).collect()
    }

    #[test]
    fn a_feed_goes_round() {
        let file = Scratch::new("a,1,get\nb,2,set\nc,3,del\n");
        let mut feed = feed(&file, 0, 1);
        assert_eq!(feed.next(), Some((0, Some(1), Some(Op::Read))));
        assert_eq!(feed.next(), Some((1, Some(2), Some(Op::Write))));
        assert_eq!(feed.rounds(), 0);
        assert_eq!(numbers(&mut feed, 5), [2, 0, 1, 2, 0]);
        assert_eq!(feed.rounds(), 2);
        assert!(feed.failure().is_none());
    }

    #[test]
    fn readers_share_the_records() {
        let file = Scratch::new("a\nb\nc\nd\n");
        assert_eq!(numbers(&mut feed(&file, 0, 2), 4), [0, 2, 0, 2]);
        assert_eq!(numbers(&mut feed(&file, 1, 2), 4), [1, 3, 1, 3]);
        assert_eq!(numbers(&mut feed(&file, 1, 3), 4), [1, 0, 3, 2]);
        assert_eq!(numbers(&mut feed(&file, 6, 7), 3), [2, 1, 0]);
    }

    #[test]
    fn a_file_that_changes_ends_the_feed() {
        for changed in ["a\n", "a\nb\nc\na\n", "a\nx\nc\n", "b\na\nc\n", "", "a,b\n"] {
            let file = Scratch::new("a\nb\nc\n");
            let mut feed = feed(&file, 0, 1);
            assert_eq!(numbers(&mut feed, 4), [0, 1, 2, 0]);
            file.write(changed);
            assert!(feed.by_ref().take(20).count() < 20, "{changed:?}");
            assert!(feed.failure().is_some());
            assert_eq!(feed.next(), None);
        }
    }

    #[test]
    fn a_file_that_goes_ends_the_feed() {
        let file = Scratch::new("a\nb\n");
        let mut feed = feed(&file, 0, 1);
        file.remove();
        assert!(feed.by_ref().take(20).count() < 20);
        assert!(feed.failure().unwrap().problem.contains("no such file"));
    }
}
