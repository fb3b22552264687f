//! Which shard a key belongs to, and which keys move when a shard is added.

mod scheme;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::rc::Rc;

use crate::layout::ShardBy;

use scheme::Scheme;

/// Keys that are looked at to find the share that moves.
const SAMPLE: u64 = 1_000_000;
/// Keys whose shards are kept in a table: a byte for each.
const MOST_KNOWN: u64 = 4_000_000;

/// Which shard each key belongs to; while a shard is added, also where it belonged before.
#[derive(Clone, Debug)]
pub struct ShardMap {
    /// Where keys belong.
    now: Table,
    /// Where they belonged before, while rows move.
    before: Option<Table>,
    /// Keys are below this.
    keys: u64,
    /// The share of the keys that move.
    moving: f64,
}

/// A scheme, with what it says of every key where that takes long to find: each node asks it of all keys when it is set up, and each query of one.
#[derive(Clone, Debug)]
struct Table {
    scheme: Scheme,
    /// The shard of each key; shorter than the keys where they are too many, or easily found.
    shards: Rc<[u8]>,
}

impl Table {
    fn new(scheme: Scheme, keys: u64) -> Table {
        let known = if scheme.is_slow() { keys.min(MOST_KNOWN) } else { 0 };
        // There are at most 256 shards.
        let shards = (0..known).map(|key| scheme.shard(key) as u8);
        Table {
            shards: shards.collect(),
            scheme,
        }
    }

    #[inline]
    fn shard(&self, key: u64) -> u32 {
        match self.shards.get(key as usize) {
            Some(shard) => u32::from(*shard),
            None => self.scheme.shard(key),
        }
    }
}

impl ShardMap {
    /// The map of so many shards; `None`: all keys belong to the only one. Keys are below `keys`.
    pub fn new(by: Option<ShardBy>, shards: u32, keys: u64) -> ShardMap {
        ShardMap {
            now: Table::new(Scheme::new(by, shards, keys), keys),
            before: None,
            keys,
            moving: 0.0,
        }
    }

    /// Where a key belongs; while rows move, where it will.
    #[inline]
    pub fn shard(&self, key: u64) -> u32 {
        self.now.shard(key)
    }

    /// Where a key belonged before the last shard was added, while rows still move.
    #[inline]
    pub fn before(&self, key: u64) -> Option<u32> {
        self.before.as_ref().map(|before| before.shard(key))
    }

    /// From where to where a key moves; `None` if it stays.
    #[inline]
    pub fn moves(&self, key: u64) -> Option<(u32, u32)> {
        let from = self.before(key)?;
        let to = self.shard(key);
        (from != to).then_some((from, to))
    }

    /// Shards that there are, the new one among them.
    pub fn shards(&self) -> u32 {
        self.now.scheme.shards()
    }

    /// Whether rows move.
    pub fn is_moving(&self) -> bool {
        self.before.is_some()
    }

    /// Adds a shard. There is a way from keys to shards, and nothing moves yet: the map knows one earlier state, not two.
    pub fn grow(&mut self) {
        assert!(self.before.is_none(), "a shard is added while rows still move");
        let grown = Table::new(self.now.scheme.grown(), self.keys);
        self.before = Some(std::mem::replace(&mut self.now, grown));
        self.moving = self.count_moving();
    }

    /// All have moved: where they belonged before is forgotten.
    pub fn settle(&mut self) {
        self.before = None;
        self.moving = 0.0;
    }

    /// The share of all keys that move, or have moved since the last shard was added.
    pub fn moving_share(&self) -> f64 {
        self.moving
    }

    /// The shards between which keys may move, from and to, in order. No key moves between two that are not among them.
    pub fn pairs(&self) -> Vec<(u32, u32)> {
        self.before
            .as_ref()
            .map(|before| before.scheme.pairs(&self.now.scheme))
            .unwrap_or_default()
    }

    /// The keys of a range that leave one shard for another, in order.
    pub fn leaving(&self, from: u32, to: u32, keys: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        keys.filter(move |key| self.moves(*key) == Some((from, to)))
    }

    /// By every key, or by keys at equal distances if there are too many.
    fn count_moving(&self) -> f64 {
        let looked_at = self.keys.min(SAMPLE);
        let key = |number: u64| (u128::from(number) * u128::from(self.keys) / u128::from(looked_at)) as u64;
        let moving = (0..looked_at).filter(|number| self.moves(key(*number)).is_some());
        moving.count() as f64 / looked_at.max(1) as f64
    }
}
