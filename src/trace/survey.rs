//! One look at a whole trace: is it right, and what is in it?

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::columns::Columns;
use super::error::TraceError;
use super::fields::Op;
use super::reader::{Reader, Record};

/// The most distinct keys of a trace. Each costs some 40 bytes of memory.
pub const MOST_KEYS: usize = 10_000_000;

/// How many records are read between two looks at how far along it is.
const STRIDE: u64 = 1 << 14;

/// What is in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The file, as it was named.
    pub file: PathBuf,
    /// What its columns are.
    pub columns: Columns,
    /// Records.
    pub records: u64,
    /// Distinct keys.
    pub keys: u64,
    /// Sum of the sizes of the distinct keys, in bytes; of a key that changes its size, the largest.
    pub bytes_distinct: u64,
    /// Records that read.
    pub reads: u64,
    /// Records that write.
    pub writes: u64,
    /// Records that delete.
    pub deletes: u64,
    /// Sum of the sizes of all reads, in bytes.
    pub bytes_read: u64,
    /// Reads of keys that were never read or written before, or deleted since: no cache that fills on demand answers them, however large.
    pub compulsory: u64,
    /// Sum of the sizes of those reads, in bytes.
    pub compulsory_bytes: u64,
    /// From the first record to the last, in nanoseconds, if the trace has times.
    pub span_nanos: Option<u64>,
    /// Of all records in their order: equal digests mean equal traces.
    pub digest: u64,
}

/// Numbers of keys by first appearance, from 0: dense, so that they can be rows of a database.
#[derive(Clone, Debug, Default)]
pub struct Numbers(FxHashMap<u64, u32>);

impl Numbers {
    /// The number of a key, by its hash; `None` if the trace does not have it.
    pub fn of(&self, key: u64) -> Option<u32> {
        self.0.get(&key).copied()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, which a survey never finds.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Survey {
    /// Reads a whole file.
    ///
    /// # Errors
    /// At the first thing that is wrong in it, and past [`MOST_KEYS`] distinct keys.
    pub fn of(file: &Path) -> Result<(Survey, Numbers), TraceError> {
        Survey::watched(file, &mut |_| ())
    }

    /// Reads a whole file and tells now and then how many bytes of it have been read.
    ///
    /// # Errors
    /// As [`Survey::of`].
    pub fn watched(file: &Path, watch: &mut dyn FnMut(u64)) -> Result<(Survey, Numbers), TraceError> {
        Survey::within(file, MOST_KEYS, watch)
    }

    fn within(file: &Path, most: usize, watch: &mut dyn FnMut(u64)) -> Result<(Survey, Numbers), TraceError> {
        let mut reader = Reader::open(file)?;
        let mut survey = Survey::new(file, reader.columns());
        let mut numbers = Numbers::default();
        let mut keys: Vec<Key> = Vec::new();
        let mut first_nanos = None;
        while let Some(record) = reader.read()? {
            let next = keys.len() as u32;
            let number = *numbers.0.entry(record.key).or_insert(next);
            if number == next {
                if keys.len() == most {
                    return Err(too_many(file, most).on(reader.line()));
                }
                keys.push(Key::default());
            }
            survey.count(&record, &mut keys[number as usize]);
            let first = *first_nanos.get_or_insert(record.at_nanos);
            survey.span_nanos = record.at_nanos.zip(first).map(|(at, first)| at - first);
            if survey.records.is_multiple_of(STRIDE) {
                watch(reader.taken());
            }
        }
        survey.keys = keys.len() as u64;
        survey.bytes_distinct = keys.iter().map(|key| u64::from(key.largest)).sum();
        Ok((survey, numbers))
    }

    fn new(file: &Path, columns: Columns) -> Survey {
        Survey {
            file: file.to_path_buf(),
            columns,
            records: 0,
            keys: 0,
            bytes_distinct: 0,
            reads: 0,
            writes: 0,
            deletes: 0,
            bytes_read: 0,
            compulsory: 0,
            compulsory_bytes: 0,
            span_nanos: None,
            digest: 0,
        }
    }

    fn count(&mut self, record: &Record, key: &mut Key) {
        let bytes = record.bytes.unwrap_or_default();
        key.largest = key.largest.max(bytes);
        self.records += 1;
        self.digest = record.digest(self.digest);
        match record.op() {
            Op::Read => {
                self.reads += 1;
                self.bytes_read += u64::from(bytes);
                if !key.storable {
                    self.compulsory += 1;
                    self.compulsory_bytes += u64::from(bytes);
                }
                key.storable = true;
            }
            Op::Write => {
                self.writes += 1;
                key.storable = true;
            }
            Op::Delete => {
                self.deletes += 1;
                key.storable = false;
            }
        }
    }
}

/// What is known of a key on the way.
#[derive(Clone, Copy, Default)]
struct Key {
    /// The largest size so far, in bytes.
    largest: u32,
    /// Whether a cache without bounds would hold it now.
    storable: bool,
}

fn too_many(file: &Path, most: usize) -> TraceError {
    TraceError::of(
        file,
        format!("more than {most} distinct keys"),
        "take a part of the trace: of its keys rather than of its lines, as by a hash of the key",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::reader::tests::Scratch;

    #[test]
    fn a_survey_counts() {
        let file = Scratch::new("a,10,get,0\nb,20,set,1\na,15,get,2\nb,20,get,2\na,,delete,3\na,5,get,4\n");
        let (survey, numbers) = Survey::of(file.path()).unwrap();
        assert_eq!((survey.records, survey.keys), (6, 2));
        assert_eq!((survey.reads, survey.writes, survey.deletes), (4, 1, 1));
        assert_eq!((survey.bytes_distinct, survey.bytes_read), (35, 50));
        assert_eq!((survey.compulsory, survey.compulsory_bytes), (2, 15));
        assert_eq!(survey.span_nanos, Some(4_000_000_000));
        assert_eq!(numbers.len(), 2);
        let (again, _) = Survey::of(Scratch::new("a,10,get,0\n").path()).unwrap();
        assert_ne!(again.digest, survey.digest);
    }

    #[test]
    fn keys_are_numbered_by_first_appearance() {
        let file = Scratch::new("c\na\nc\nb\n");
        let (_, numbers) = Survey::of(file.path()).unwrap();
        let mut reader = Reader::open(file.path()).unwrap();
        let mut seen = Vec::new();
        while let Some(record) = reader.read().unwrap() {
            seen.push(numbers.of(record.key).unwrap());
        }
        assert_eq!(seen, [0, 1, 0, 2]);
        assert_eq!(numbers.of(1), None);
    }

    #[test]
    fn too_many_keys_are_refused_with_their_line() {
        let file = Scratch::new("a\nb\na\nc\nd\n");
        assert!(Survey::within(file.path(), 4, &mut |_| ()).is_ok());
        let error = Survey::within(file.path(), 3, &mut |_| ()).unwrap_err();
        assert_eq!(error.line, Some(5));
        assert!(error.problem.contains("more than 3 distinct keys"));
    }
}
