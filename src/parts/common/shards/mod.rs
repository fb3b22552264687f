//! Which shard a key belongs to, and which keys move when a shard is added.

mod scheme;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::layout::ShardBy;

use scheme::Scheme;

/// Keys that are looked at to find the share that moves.
const SAMPLE: u64 = 1_000_000;

/// Which shard each key belongs to; while a shard is added, also where it belonged before.
#[derive(Clone, Debug)]
pub struct ShardMap {
    /// Where keys belong.
    now: Scheme,
    /// Where they belonged before, while rows move.
    before: Option<Scheme>,
    /// Keys are below this.
    keys: u64,
    /// The share of the keys that move.
    moving: f64,
}

impl ShardMap {
    /// The map of so many shards; `None`: all keys belong to the only one. Keys are below `keys`.
    pub fn new(by: Option<ShardBy>, shards: u32, keys: u64) -> ShardMap {
        ShardMap {
            now: Scheme::new(by, shards, keys),
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
        self.now.shards()
    }

    /// Whether rows move.
    pub fn is_moving(&self) -> bool {
        self.before.is_some()
    }

    /// Adds a shard. There is a way from keys to shards, and nothing moves yet: the map knows one earlier state, not two.
    pub fn grow(&mut self) {
        assert!(self.before.is_none(), "a shard is added while rows still move");
        let grown = self.now.grown();
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
            .map(|before| before.pairs(&self.now))
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
