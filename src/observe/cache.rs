//! What caches show of themselves, whichever layer they are: a browser, an edge, a shield, a near copy, a node of the cache tier.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use crate::protocol::{Layer, Stamp};

/// Loads of one key at once from which on it is a stampede.
pub const STAMPEDE: u32 = 8;

/// Counts of a cache since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheTally {
    /// Times that it was asked for something that it may keep.
    pub lookups: u64,
    /// Those of them that it answered from what it held, fresh or stale.
    pub hits: u64,
    /// Those of the hits that were past their time: served while loaded anew, or since nothing could be loaded.
    pub stale_hits: u64,
    /// Those of the hits that said that there is no such thing.
    pub negative_hits: u64,
    /// Misses that waited for a load which was in progress already.
    pub coalesced: u64,
    /// Times that it, or whoever uses it, asked what is behind: for misses, and to load anew.
    pub loads: u64,
    /// Those of the loads that were made in the background, before or after the time of an entry.
    pub refreshes: u64,
    /// Loads that failed.
    pub failed_loads: u64,
    /// Requests that it passed on without a look: private ones, and writes.
    pub bypassed: u64,
    /// Entries stored, or replaced by a newer version.
    pub stored: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Entries whose time was over when they were looked at.
    pub expired: u64,
    /// Entries deleted since they had been written, or purged.
    pub invalidated: u64,
    /// Times that at least [`STAMPEDE`] loads of one key were in progress at once.
    pub stampedes: u64,
    /// Bytes of the answers to all who asked.
    pub served_bytes: u64,
    /// Bytes of those that it answered from what it held.
    pub hit_bytes: u64,
    /// Writes that it took for the database, and wrote there later.
    pub written_behind: u64,
    /// Writes that it took and never wrote, since a later one of the same row took their place.
    pub merged_writes: u64,
}

impl CacheTally {
    /// Share of the look-ups that were hits; `None` without look-ups.
    pub fn hit_ratio(&self) -> Option<f64> {
        (self.lookups > 0).then(|| self.hits as f64 / self.lookups as f64)
    }

    /// What was counted since an earlier look.
    #[must_use]
    pub fn since(&self, before: &CacheTally) -> CacheTally {
        self.combine(before, |now, before| now - before)
    }

    /// With what another one counted.
    #[must_use]
    pub fn plus(&self, other: &CacheTally) -> CacheTally {
        self.combine(other, |a, b| a + b)
    }

    fn combine(&self, other: &CacheTally, with: impl Fn(u64, u64) -> u64) -> CacheTally {
        CacheTally {
            lookups: with(self.lookups, other.lookups),
            hits: with(self.hits, other.hits),
            stale_hits: with(self.stale_hits, other.stale_hits),
            negative_hits: with(self.negative_hits, other.negative_hits),
            coalesced: with(self.coalesced, other.coalesced),
            loads: with(self.loads, other.loads),
            refreshes: with(self.refreshes, other.refreshes),
            failed_loads: with(self.failed_loads, other.failed_loads),
            bypassed: with(self.bypassed, other.bypassed),
            stored: with(self.stored, other.stored),
            evicted: with(self.evicted, other.evicted),
            expired: with(self.expired, other.expired),
            invalidated: with(self.invalidated, other.invalidated),
            stampedes: with(self.stampedes, other.stampedes),
            served_bytes: with(self.served_bytes, other.served_bytes),
            hit_bytes: with(self.hit_bytes, other.hit_bytes),
            written_behind: with(self.written_behind, other.written_behind),
            merged_writes: with(self.merged_writes, other.merged_writes),
        }
    }
}

/// What an instance shows of what it keeps. It outlives the process: its counts are since the start.
#[derive(Debug, Default)]
pub struct CacheProbe {
    /// Its counts.
    pub tally: Cell<CacheTally>,
    /// Entries that it holds.
    pub entries: Cell<u64>,
    /// Bytes of them.
    pub bytes: Cell<u64>,
    /// The most loads of one key that were in progress at once, since somebody looked last.
    pub worst: Cell<u32>,
    /// Writes that it took and that are not in the database yet: the row and the version that users were told.
    pub unwritten: RefCell<FxHashMap<u64, Stamp>>,
}

impl CacheProbe {
    /// Changes the counts.
    #[inline]
    pub fn count(&self, change: impl FnOnce(&mut CacheTally)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }

    /// Shows how much it holds.
    #[inline]
    pub fn hold(&self, entries: u64, bytes: u64) {
        self.entries.set(entries);
        self.bytes.set(bytes);
    }

    /// So many loads of one key are in progress now, after one more has begun.
    #[inline]
    pub fn loading(&self, loads: u32) {
        self.worst.set(self.worst.get().max(loads));
        if loads == STAMPEDE {
            self.count(|tally| tally.stampedes += 1);
        }
    }
}

/// A layer of caches: all that one service keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheState {
    /// Which layer.
    pub layer: Layer,
    /// The settings in words: `LRU, 10,000 items, ttl 1m, single flight`.
    pub policy: String,
    /// Since the start.
    pub total: CacheTally,
    /// Over the last second.
    pub second: CacheTally,
    /// Over the last 10 s.
    pub recent: CacheTally,
    /// The hit ratio in each of the last 60 s, the oldest first; none where nobody asked.
    pub trend: Vec<Option<f32>>,
    /// By instance, as in the topology. Empty for browsers, which are too many.
    pub nodes: Vec<CacheNodeState>,
    /// Entries of all of them.
    pub entries: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Index of the services that it, or whoever uses it, asks for what it lacks.
    pub behind: Vec<usize>,
    /// Writes that are not in the database yet.
    pub unwritten: u64,
    /// The most loads of one key that were in progress at once in the last second.
    pub worst: u32,
    /// Of a CDN: whether users are sent there now, as far as the name service believes.
    pub used: Option<bool>,
    /// What its traffic has cost since the start, in US dollars.
    pub spent: f64,
}

/// An instance of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheNodeState {
    /// Since the start.
    pub total: CacheTally,
    /// Over the last second.
    pub second: CacheTally,
    /// Over the last 10 s.
    pub recent: CacheTally,
    /// Entries.
    pub entries: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// How full it is, from 0 to 1.
    pub full: f64,
    /// The hit ratio in each of the last 60 s, the oldest first; none where nobody asked.
    pub trend: Vec<Option<f32>>,
}
