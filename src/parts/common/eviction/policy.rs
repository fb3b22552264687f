//! What every policy answers, and the registry of them.

use std::fmt;

use crate::layout::Evict;

use super::arc::Arc;
use super::clock::Clock;
use super::fifo::Fifo;
use super::lfu::Lfu;
use super::lru::Lru;
use super::random::Random;
use super::s3_fifo::S3Fifo;
use super::sampled::Sampled;
use super::sieve::Sieve;
use super::w_tiny_lfu::WTinyLfu;

/// Entries that are held, by slot, as far as policies see them: 12 bytes each.
#[derive(Debug)]
pub(super) struct Slots {
    /// Keys. That of a slot that is free is of no use.
    keys: Vec<u64>,
    /// Sizes.
    bytes: Vec<u32>,
    /// Whether room is in bytes.
    by_bytes: bool,
}

impl Slots {
    pub(super) fn new(by_bytes: bool) -> Slots {
        Slots {
            keys: Vec::new(),
            bytes: Vec::new(),
            by_bytes,
        }
    }

    #[inline]
    pub(super) fn key(&self, slot: u32) -> u64 {
        self.keys[slot as usize]
    }

    #[inline]
    pub(super) fn bytes(&self, slot: u32) -> u32 {
        self.bytes[slot as usize]
    }

    /// What a slot takes of the room.
    #[inline]
    pub(super) fn weight(&self, slot: u32) -> u64 {
        self.weight_of(self.bytes(slot))
    }

    /// What so many bytes take of the room: one item, or the bytes; none count as one, so that there is a bound on entries.
    #[inline]
    pub(super) fn weight_of(&self, bytes: u32) -> u64 {
        if self.by_bytes { u64::from(bytes.max(1)) } else { 1 }
    }

    /// Writes a slot, which may be the first that does not exist yet.
    pub(super) fn set(&mut self, slot: u32, key: u64, bytes: u32) {
        if slot as usize == self.keys.len() {
            self.keys.push(key);
            self.bytes.push(bytes);
        } else {
            self.keys[slot as usize] = key;
            self.bytes[slot as usize] = bytes;
        }
    }

    /// Whether room is in bytes.
    pub(super) fn counts_bytes(&self) -> bool {
        self.by_bytes
    }

    /// Another unit of room.
    pub(super) fn count_bytes(&mut self, by_bytes: bool) {
        self.by_bytes = by_bytes;
    }
}

/// Which entry goes. A policy holds the slots that it was given by `insert`, until it names them in `evict` or they are removed.
/// Each of these takes constant time, some of them amortised.
pub(super) trait Policy: fmt::Debug + Send {
    /// A key that is held was used.
    fn hit(&mut self, slot: u32, slots: &Slots);

    /// A key that is not held was asked for.
    fn miss(&mut self, _key: u64) {}

    /// A key that is not held is about to be inserted; evictions may come in between.
    fn announce(&mut self, _key: u64, _weight: u64) {}

    /// An entry is held from now on.
    fn insert(&mut self, slot: u32, slots: &Slots);

    /// Lets go of the entry that goes next; `None` if nothing is held.
    fn evict(&mut self, slots: &Slots) -> Option<u32>;

    /// An entry that is held is gone, for another reason than room.
    fn remove(&mut self, slot: u32, slots: &Slots);

    /// An entry that is held weighs something else from now on.
    fn weigh(&mut self, _slot: u32, _from: u64, _to: u64) {}

    /// There is more or less room from now on.
    fn set_room(&mut self, _room: u64) {}
}

/// The policy of a name, for so much room. What it draws depends on nothing but the seed.
pub(super) fn policy(evict: Evict, room: u64, seed: u64) -> Box<dyn Policy> {
    match evict {
        Evict::Lru => Box::new(Lru::new()),
        Evict::Lfu => Box::new(Lfu::new()),
        Evict::Fifo => Box::new(Fifo::new()),
        Evict::Clock => Box::new(Clock::new()),
        Evict::Random => Box::new(Random::new(seed)),
        Evict::Sieve => Box::new(Sieve::new()),
        Evict::S3Fifo => Box::new(S3Fifo::new(room)),
        Evict::Arc => Box::new(Arc::new(room)),
        Evict::WTinyLfu => Box::new(WTinyLfu::new(room, seed)),
        Evict::SampledLru => Box::new(Sampled::lru(seed)),
        Evict::SampledLfu => Box::new(Sampled::lfu(seed)),
    }
}
