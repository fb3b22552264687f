//! What a cache gives up when it is full, and how much it has room for.

use std::fmt;
use std::str::FromStr;

use super::text::{grouped, printable, suggestion};

/// Which entry a full cache gives up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Evict {
    /// The one that was not used for longest (memcached's default).
    #[default]
    Lru,
    /// The one that was used least often since it was put in (Shah, Mitra, Matani: An O(1) algorithm for implementing the LFU cache
    /// eviction scheme, 2010).
    Lfu,
    /// The one that was put in first.
    Fifo,
    /// The one that was put in first, but one that was used has a second chance (Corbató, A Paging Experiment with the Multics System,
    /// 1968).
    Clock,
    /// Any (Redis's `allkeys-random`).
    Random,
    /// As clock, but what was used keeps its place and only the hand moves on (Zhang et al.: SIEVE is Simpler than LRU, NSDI 2024).
    Sieve,
    /// A small queue in which newcomers prove themselves, a main queue, and a memory of those who failed (Yang et al.: FIFO queues are
    /// all you need for cache eviction, SOSP 2023).
    S3Fifo,
    /// Two LRU lists, of what was used once and more often, whose shares follow what is missed (Megiddo and Modha: ARC, FAST 2003).
    Arc,
    /// A window of newcomers and a main part, into which comes what is used more often than what would go (Einziger, Friedman, Manes:
    /// `TinyLFU`, 2017; Caffeine).
    WTinyLfu,
    /// The one of a few samples that was not used for longest (Redis's `allkeys-lru`).
    SampledLru,
    /// The one of a few samples that is used least often of late (Redis's `allkeys-lfu`).
    SampledLfu,
}

impl Evict {
    /// All policies.
    pub const ALL: [Evict; 11] = [
        Evict::Lru,
        Evict::Lfu,
        Evict::Fifo,
        Evict::Clock,
        Evict::Random,
        Evict::Sieve,
        Evict::S3Fifo,
        Evict::Arc,
        Evict::WTinyLfu,
        Evict::SampledLru,
        Evict::SampledLfu,
    ];

    /// The word for it in commands and reports.
    pub fn word(self) -> &'static str {
        match self {
            Evict::Lru => "lru",
            Evict::Lfu => "lfu",
            Evict::Fifo => "fifo",
            Evict::Clock => "clock",
            Evict::Random => "random",
            Evict::Sieve => "sieve",
            Evict::S3Fifo => "s3-fifo",
            Evict::Arc => "arc",
            Evict::WTinyLfu => "w-tinylfu",
            Evict::SampledLru => "sampled-lru",
            Evict::SampledLfu => "sampled-lfu",
        }
    }
}

impl fmt::Display for Evict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Evict {
    type Err = String;

    /// By its word, in small or capital letters. The error suggests what was probably meant and lists all words.
    fn from_str(text: &str) -> Result<Evict, String> {
        let known = Evict::ALL
            .into_iter()
            .find(|evict| evict.word().eq_ignore_ascii_case(text));
        known.ok_or_else(|| {
            let words = Evict::ALL.map(Evict::word);
            let (text, meant, all) = (printable(text), suggestion(text, words), words.join(", "));
            if meant.starts_with("; did") {
                format!("no eviction policy is called `{text}`{meant} There are {all}")
            } else {
                format!("no eviction policy is called `{text}`; there are {all}")
            }
        })
    }
}

/// What a cache has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Room {
    /// So many entries, of whatever size.
    Items(u64),
    /// So many bytes of values.
    Bytes(u64),
}

/// Units of bytes, from the largest.
const UNITS: [(u64, &str); 8] = [
    (1 << 40, "TiB"),
    (1_000_000_000_000, "TB"),
    (1 << 30, "GiB"),
    (1_000_000_000, "GB"),
    (1 << 20, "MiB"),
    (1_000_000, "MB"),
    (1 << 10, "KiB"),
    (1_000, "kB"),
];

impl fmt::Display for Room {
    /// `10,000 items`, `64 MB`, `512 MiB`: bytes in the largest unit of which they are a whole number.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = match *self {
            Room::Items(1) => "1 item".to_string(),
            Room::Items(count) => format!("{} items", grouped(count)),
            Room::Bytes(1) => "1 byte".to_string(),
            Room::Bytes(bytes) => {
                let whole = |(unit, _): &&(u64, &str)| bytes > 0 && bytes.is_multiple_of(*unit);
                let (unit, name) = UNITS.iter().find(whole).unwrap_or(&(1, "bytes"));
                format!("{} {name}", grouped(bytes / unit))
            }
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_found_by_its_word() {
        for evict in Evict::ALL {
            assert_eq!(evict.to_string().parse(), Ok(evict));
            assert_eq!(evict.to_string().to_uppercase().parse(), Ok(evict));
        }
    }

    #[test]
    fn a_word_that_is_none_is_answered_with_what_was_meant_and_what_there_is() {
        let all = "lru, lfu, fifo, clock, random, sieve, s3-fifo, arc, w-tinylfu, sampled-lru, sampled-lfu";
        assert_eq!(
            "seive".parse::<Evict>(),
            Err(format!(
                "no eviction policy is called `seive`; did you mean `sieve`? There are {all}"
            ))
        );
        assert_eq!(
            "belady\u{1b}".parse::<Evict>(),
            Err(format!(
                "no eviction policy is called `belady\\u{{1b}}`; there are {all}"
            ))
        );
    }

    #[test]
    fn room_is_told_in_the_largest_unit_that_is_exact() {
        for (room, text) in [
            (Room::Items(10_000), "10,000 items"),
            (Room::Items(1), "1 item"),
            (Room::Bytes(64_000_000), "64 MB"),
            (Room::Bytes(1_500_000_000), "1,500 MB"),
            (Room::Bytes(1_024), "1 KiB"),
            (Room::Bytes(512 << 20), "512 MiB"),
            (Room::Bytes(999), "999 bytes"),
            (Room::Bytes(1), "1 byte"),
            (Room::Bytes(0), "0 bytes"),
            (Room::Bytes(u64::MAX), "18,446,744,073,709,551,615 bytes"),
        ] {
            assert_eq!(room.to_string(), text);
        }
    }
}
