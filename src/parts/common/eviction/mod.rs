//! What a cache holds, and what it gives up when it is full: a store, and one file for each policy.

mod arc;
mod bag;
mod clock;
mod fifo;
mod ghost;
mod lfu;
mod list;
mod lru;
mod marks;
mod policy;
mod random;
mod s3_fifo;
mod sampled;
mod sieve;
mod sketch;
#[cfg(test)]
mod tests;
mod w_tiny_lfu;

use rustc_hash::FxHashMap;

use crate::layout::{Evict, Room};

use policy::{Policy, Slots, policy};

/// Entries by key, within a room. When it is full a policy says which entry goes.
///
/// Every operation takes constant time, amortised, except where it says so. The same seed and the same calls give the same evictions.
/// Measured with 70,000 to 131,072 values of 8 bytes, an entry takes 70 to 100 bytes with LRU, the value's 16 among them (an
/// `Option<V>`) and the slack of tables that grow by doubling; 130 to 185 with S3-FIFO and ARC, which remember as many keys again.
#[derive(Debug)]
pub struct Store<V> {
    /// The slot of each key.
    index: FxHashMap<u64, u32>,
    /// Keys and sizes by slot.
    slots: Slots,
    /// Values by slot; `None`: the slot is free.
    values: Vec<Option<V>>,
    /// Slots that are free, the next one last.
    free: Vec<u32>,
    policy: Box<dyn Policy>,
    evict: Evict,
    room: Room,
    seed: u64,
    /// What the entries take of the room.
    used: u64,
    /// Sizes of the entries together.
    bytes: u64,
    evicted: u64,
}

impl<V> Store<V> {
    /// An empty store. Room that is counted in bytes is taken by sizes of values; an entry of no bytes takes one.
    pub fn new(evict: Evict, room: Room, seed: u64) -> Store<V> {
        Store {
            index: FxHashMap::default(),
            slots: Slots::new(matches!(room, Room::Bytes(_))),
            values: Vec::new(),
            free: Vec::new(),
            policy: policy(evict, limit(room), seed),
            evict,
            room,
            seed,
            used: 0,
            bytes: 0,
            evicted: 0,
        }
    }

    /// A use: what the policy sees as a request for the key, whether it is held or not.
    #[inline]
    pub fn get(&mut self, key: u64) -> Option<&mut V> {
        let Some(slot) = self.index.get(&key).copied() else {
            self.policy.miss(key);
            return None;
        };
        self.policy.hit(slot, &self.slots);
        self.values[slot as usize].as_mut()
    }

    /// The value of a key, without use.
    #[inline]
    pub fn peek(&self, key: u64) -> Option<&V> {
        let slot = *self.index.get(&key)?;
        self.values[slot as usize].as_ref()
    }

    /// The value of a key to be changed, without use.
    #[inline]
    pub fn peek_mut(&mut self, key: u64) -> Option<&mut V> {
        let slot = *self.index.get(&key)?;
        self.values[slot as usize].as_mut()
    }

    /// Keeps a value and evicts others until there is room for it; this is no use. What has stood there is replaced and the new value
    /// has its place, unless the room that it needs in addition would be its own: then it begins anew. Returns whether it is kept: one that
    /// is larger than all the room is not, and what has stood there is removed.
    pub fn put(&mut self, key: u64, bytes: u32, value: V) -> bool {
        if self.slots.weight_of(bytes) > limit(self.room) {
            self.remove(key);
            return false;
        }
        match self.index.get(&key).copied() {
            Some(slot) => self.replace(slot, bytes, value),
            None => self.add(key, bytes, value),
        }
        true
    }

    /// Takes out an entry.
    pub fn remove(&mut self, key: u64) -> Option<V> {
        let slot = *self.index.get(&key)?;
        self.policy.remove(slot, &self.slots);
        self.vacate(slot)
    }

    /// Forgets the entries, and what the policy knows.
    pub fn clear(&mut self) {
        let evicted = self.evicted;
        *self = Store::new(self.evict, self.room, self.seed);
        self.evicted = evicted;
    }

    /// Removes the entries that are not to be kept and returns how many went. It looks at all of them, in the order of their slots,
    /// which depends on nothing but what has been put and removed before.
    pub fn retain(&mut self, mut keep: impl FnMut(u64, &V) -> bool) -> u64 {
        let before = self.len();
        for slot in 0..self.values.len() as u32 {
            let Some(value) = &self.values[slot as usize] else {
                continue;
            };
            if !keep(self.slots.key(slot), value) {
                self.policy.remove(slot, &self.slots);
                self.vacate(slot);
            }
        }
        before - self.len()
    }

    /// Changes all that is held, in the order of their slots. Their sizes stay.
    pub fn update(&mut self, mut change: impl FnMut(&mut V)) {
        self.values.iter_mut().flatten().for_each(&mut change);
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        self.index.len() as u64
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Sizes of the entries together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Entries that went for want of room since the store was made.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The policy.
    pub fn evict(&self) -> Evict {
        self.evict
    }

    /// What it has room for.
    pub fn room(&self) -> Room {
        self.room
    }

    /// Another policy. What is held stays: the new policy is given it in the order in which the old one would have evicted it. Takes
    /// time for each entry.
    pub fn set_evict(&mut self, evict: Evict) {
        if evict != self.evict {
            self.evict = evict;
            self.hand_over(self.slots.counts_bytes());
        }
    }

    /// Another room; what does not fit is evicted. If the unit changes, the policy begins anew as if it were another one.
    pub fn set_room(&mut self, room: Room) {
        self.room = room;
        let by_bytes = matches!(room, Room::Bytes(_));
        if by_bytes == self.slots.counts_bytes() {
            self.policy.set_room(limit(room));
        } else {
            self.hand_over(by_bytes);
        }
        self.make_room(0);
    }

    /// Gives all entries to a new policy, with another unit of room perhaps.
    fn hand_over(&mut self, by_bytes: bool) {
        let mut order = Vec::with_capacity(self.index.len());
        while let Some(slot) = self.policy.evict(&self.slots) {
            order.push(slot);
        }
        self.slots.count_bytes(by_bytes);
        self.policy = policy(self.evict, limit(self.room), self.seed);
        self.used = order.iter().map(|slot| self.slots.weight(*slot)).sum();
        for slot in order {
            self.policy.insert(slot, &self.slots);
        }
    }

    fn add(&mut self, key: u64, bytes: u32, value: V) {
        let weight = self.slots.weight_of(bytes);
        self.policy.announce(key, weight);
        self.make_room(weight);
        let slot = self.free.pop().unwrap_or(self.values.len() as u32);
        self.slots.set(slot, key, bytes);
        if slot as usize == self.values.len() {
            self.values.push(Some(value));
        } else {
            self.values[slot as usize] = Some(value);
        }
        self.index.insert(key, slot);
        self.used += weight;
        self.bytes += u64::from(bytes);
        self.policy.insert(slot, &self.slots);
    }

    fn replace(&mut self, slot: u32, bytes: u32, value: V) {
        let (key, from) = (self.slots.key(slot), self.slots.weight(slot));
        self.bytes = self.bytes - u64::from(self.slots.bytes(slot)) + u64::from(bytes);
        self.slots.set(slot, key, bytes);
        self.values[slot as usize] = Some(value);
        let to = self.slots.weight(slot);
        if from == to {
            return;
        }
        self.policy.weigh(slot, from, to);
        self.used = self.used - from + to;
        let mut is_let_go = false;
        while self.used > limit(self.room)
            && let Some(victim) = self.policy.evict(&self.slots)
        {
            if victim == slot {
                is_let_go = true;
            } else {
                self.evicted += 1;
                self.vacate(victim);
            }
        }
        if is_let_go {
            self.policy.announce(key, to);
            self.policy.insert(slot, &self.slots);
        }
    }

    /// Evicts until there is room for so much more.
    fn make_room(&mut self, weight: u64) {
        while self.used.saturating_add(weight) > limit(self.room)
            && let Some(victim) = self.policy.evict(&self.slots)
        {
            self.evicted += 1;
            self.vacate(victim);
        }
    }

    /// Empties a slot that the policy has let go.
    fn vacate(&mut self, slot: u32) -> Option<V> {
        self.index.remove(&self.slots.key(slot));
        self.used -= self.slots.weight(slot);
        self.bytes -= u64::from(self.slots.bytes(slot));
        self.free.push(slot);
        self.values[slot as usize].take()
    }
}

/// The room in its unit. Slots are numbered in 32 bits, so there are fewer items than that.
fn limit(room: Room) -> u64 {
    match room {
        Room::Items(count) => count.min(u64::from(u32::MAX) - 1),
        Room::Bytes(bytes) => bytes,
    }
}
