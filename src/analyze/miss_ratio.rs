//! How much each eviction policy misses of an access trace, at several sizes of the cache.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::layout::{Evict, Room};
use crate::parts::Store;
use crate::trace::{Op, Reader, Record, Survey, TraceError};

/// How many records are read between two looks at how far along it is.
const STRIDE: u64 = 1 << 13;

/// How large a cache is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Capacity {
    /// This share of the distinct keys of the trace, or of their bytes; above 0.
    Share(f64),
    /// This room.
    Room(Room),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The trace.
    pub file: PathBuf,
    /// The policies, each once.
    pub policies: Vec<Evict>,
    /// The sizes.
    pub sizes: Vec<Capacity>,
    /// Whether shares are of bytes. The trace must have sizes then, as it must for room in bytes.
    pub by_bytes: bool,
    /// How long after it was stored an entry expires, by the trace's times, which it must have then.
    pub ttl: Option<Duration>,
    /// The seed of the policies that draw lots.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MissRatios {
    /// What is in the trace.
    pub survey: Survey,
    /// One for each size.
    pub columns: Vec<Column>,
}

/// All policies at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The size, as it was asked for.
    pub asked: Capacity,
    /// The size.
    pub room: Room,
    /// One for each policy, in their order.
    pub outcomes: Vec<Outcome>,
}

/// One policy at one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The policy.
    pub policy: Evict,
    /// Reads that the cache did not answer.
    pub misses: u64,
    /// Sum of the sizes of those reads, in bytes.
    pub missed_bytes: u64,
    /// Entries that went for want of room.
    pub evicted: u64,
    /// Misses of entries that were there but had expired.
    pub expired: u64,
    /// Values that were not stored since they are larger than the whole cache.
    pub too_large: u64,
}

impl MissRatios {
    /// Reads the trace once to see what is in it, and once for each size, with all policies at once. The cache is filled as look-aside
    /// caches are: a read that misses stores what it fetched, a write stores its value and is a use like a read, a delete removes; only
    /// reads hit and miss. `watch` is told now and then how far along it is, from 0 to 1.
    ///
    /// # Errors
    /// If the trace cannot be read, is malformed, or changes meanwhile.
    pub fn of(question: &Question, watch: &mut dyn FnMut(f64)) -> Result<MissRatios, TraceError> {
        let passes = question.sizes.len() as f64 + 1.0;
        let length = fs::metadata(&question.file).map_or(1, |metadata| metadata.len().max(1)) as f64;
        let (survey, _) = Survey::watched(&question.file, &mut |taken| watch(taken as f64 / length / passes))?;
        let mut columns = Vec::new();
        for asked in &question.sizes {
            let before = columns.len() as f64 + 1.0;
            let mut watch = |taken: u64| watch((before + taken as f64 / length) / passes);
            columns.push(column(question, &survey, *asked, &mut watch)?);
        }
        Ok(MissRatios { survey, columns })
    }
}

impl Capacity {
    /// How much room this is for a trace.
    fn room(self, survey: &Survey, by_bytes: bool) -> Room {
        let part = |share: f64, whole: u64| ((share * whole as f64).round() as u64).max(1);
        match self {
            Capacity::Share(share) if by_bytes => Room::Bytes(part(share, survey.bytes_distinct)),
            Capacity::Share(share) => Room::Items(part(share, survey.keys)),
            Capacity::Room(room) => room,
        }
    }
}

/// One pass over the trace.
fn column(
    question: &Question,
    survey: &Survey,
    asked: Capacity,
    watch: &mut dyn FnMut(u64),
) -> Result<Column, TraceError> {
    let room = asked.room(survey, question.by_bytes);
    let cache = |policy: &Evict| Cache::new(*policy, room, question);
    let mut caches: Vec<Cache> = question.policies.iter().map(cache).collect();
    let mut reader = Reader::open(&survey.file)?;
    let mut digest = 0;
    let mut records = 0_u64;
    while let Some(record) = reader.read()? {
        digest = record.digest(digest);
        for cache in &mut caches {
            cache.take(&record);
        }
        records += 1;
        if records.is_multiple_of(STRIDE) {
            watch(reader.taken());
        }
    }
    if records != survey.records || digest != survey.digest {
        return Err(TraceError::changed(&survey.file));
    }
    Ok(Column {
        asked,
        room,
        outcomes: caches.into_iter().map(Cache::outcome).collect(),
    })
}

/// A cache that is driven by a trace. What it holds of an entry is when it expires, in nanoseconds.
struct Cache {
    store: Store<u64>,
    ttl_nanos: Option<u64>,
    outcome: Outcome,
}

impl Cache {
    fn new(policy: Evict, room: Room, question: &Question) -> Cache {
        let nanos = |ttl: Duration| u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX);
        Cache {
            store: Store::new(policy, room, question.seed),
            ttl_nanos: question.ttl.map(nanos),
            outcome: Outcome {
                policy,
                misses: 0,
                missed_bytes: 0,
                evicted: 0,
                expired: 0,
                too_large: 0,
            },
        }
    }

    fn take(&mut self, record: &Record) {
        let bytes = record.bytes.unwrap_or_default();
        let expires = match self.ttl_nanos {
            Some(ttl) => self.expire(record, ttl),
            None => u64::MAX,
        };
        let hit = match record.op() {
            Op::Read => self.store.get(record.key).is_some(),
            Op::Write => {
                self.store.get(record.key);
                false
            }
            Op::Delete => {
                self.store.remove(record.key);
                return;
            }
        };
        if hit {
            return;
        }
        if record.op() == Op::Read {
            self.outcome.misses += 1;
            self.outcome.missed_bytes += u64::from(bytes);
        }
        if !self.store.put(record.key, bytes, expires) {
            self.outcome.too_large += 1;
        }
    }

    /// Removes the entry of a record if its time is over, and returns when one expires that is stored now.
    fn expire(&mut self, record: &Record, ttl: u64) -> u64 {
        let now = record.at_nanos.unwrap_or_default();
        if self.store.peek(record.key).is_some_and(|expires| *expires <= now) {
            self.store.remove(record.key);
            self.outcome.expired += u64::from(record.op() == Op::Read);
        }
        now.saturating_add(ttl)
    }

    fn outcome(self) -> Outcome {
        Outcome {
            evicted: self.store.evicted(),
            ..self.outcome
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn asked(content: &str, question: impl FnOnce(&Path) -> Question) -> MissRatios {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("blastradius-misses-{}-{number}", std::process::id());
        let file = std::env::temp_dir().join(name);
        fs::write(&file, content).expect("a file for the test");
        let ratios = MissRatios::of(&question(&file), &mut |share| assert!((0.0..=1.0).contains(&share)));
        fs::remove_file(&file).expect("the test's file");
        ratios.expect("a good trace")
    }

    fn lru(file: &Path, room: Room, ttl: Option<u64>) -> Question {
        Question {
            file: file.to_path_buf(),
            policies: vec![Evict::Lru],
            sizes: vec![Capacity::Room(room)],
            by_bytes: false,
            ttl: ttl.map(Duration::from_secs),
            seed: 7,
        }
    }

    fn outcome(content: &str, room: Room, ttl: Option<u64>) -> Outcome {
        asked(content, |file| lru(file, room, ttl)).columns[0].outcomes[0]
    }

    #[test]
    fn reads_fill_writes_store_deletes_remove() {
        let filled = outcome("a\nb\na\nc\nb\na\n", Room::Items(2), None);
        assert_eq!((filled.misses, filled.evicted), (5, 3));
        let written = outcome("a,1,set\na,1,get\na,1,delete\na,1,get\na,1,get\n", Room::Items(2), None);
        assert_eq!(written.misses, 1);
        let used = outcome("a,1,get\nb,1,get\na,1,set\nc,1,get\na,1,get\n", Room::Items(2), None);
        assert_eq!(used.misses, 3, "a write is a use: b goes for c");
    }

    #[test]
    fn bytes_are_counted() {
        let outcome = outcome("a,10\nb,5\na,10\nc,99\nb,5\n", Room::Bytes(15), None);
        assert_eq!((outcome.misses, outcome.missed_bytes), (3, 114));
        assert_eq!((outcome.too_large, outcome.evicted), (1, 0));
    }

    #[test]
    fn entries_expire_by_the_times_of_the_trace() {
        let content = "a,1,get,0\na,1,get,9.9\na,1,get,10\na,1,get,19\na,1,set,19\na,1,get,28\n";
        let outcome = outcome(content, Room::Items(2), Some(10));
        assert_eq!((outcome.misses, outcome.expired), (2, 1));
    }

    #[test]
    fn shares_are_of_keys_or_bytes() {
        let content = "a,10\nb,20\nc,30\nd,40\n";
        for (by_bytes, room) in [(false, Room::Items(2)), (true, Room::Bytes(50))] {
            let ratios = asked(content, |file| Question {
                sizes: vec![Capacity::Share(0.5)],
                by_bytes,
                ..lru(file, Room::Items(1), None)
            });
            assert_eq!(ratios.columns[0].room, room);
        }
    }

    #[test]
    fn no_policy_misses_less_than_the_compulsory_misses() {
        let lines: Vec<String> = (0..3_000_u64)
            .map(|number| format!("{}\n", number * number % 257))
            .collect();
        let content = lines.concat();
        let ratios = asked(&content, |file| Question {
            policies: Evict::ALL.to_vec(),
            sizes: [0.1, 0.5, 1.0].map(Capacity::Share).to_vec(),
            ..lru(file, Room::Items(1), None)
        });
        for column in &ratios.columns {
            for outcome in &column.outcomes {
                assert!(outcome.misses >= ratios.survey.compulsory, "{outcome:?}");
                assert!(outcome.misses <= ratios.survey.reads);
            }
        }
    }
}
