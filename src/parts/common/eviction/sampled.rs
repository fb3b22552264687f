//! Redis's approximations of LRU and LFU (`evict.c` and `redis.conf` of Redis 7).

use crate::sim::Stream;

use super::bag::Bag;
use super::policy::{Policy, Slots};

/// Entries that are looked at for each that goes (`maxmemory-samples`).
const SAMPLES: usize = 5;
/// Candidates that are kept from one eviction to the next (`EVPOOL_SIZE`).
const POOL: usize = 16;
/// The counter of a new entry (`LFU_INIT_VAL`).
const FIRST_COUNT: u8 = 5;
/// `lfu-log-factor`.
const LOG_FACTOR: f64 = 10.0;
/// Counters lose one after so many requests for each entry that is held. Redis takes one a minute (`lfu-decay-time`), and a policy has no
/// clock: this is a minute of a cache of 100,000 entries at some 17,000 requests a second.
const REQUESTS_PER_DECAY: u64 = 10;

/// For each eviction five random entries are looked at; those that are better candidates than what is there enter a pool of 16; the best
/// of the pool goes. As in Redis a candidate has the score of when it was seen, so it goes even if it was used since.
///
/// Redis takes neighbours in its hash table as samples; here every sample is drawn alone. 12 bytes an entry.
#[derive(Debug)]
pub(super) struct Sampled {
    scoring: Scoring,
    bag: Bag,
    chance: Stream,
    /// Of each slot: the time of its last use; or its counter in the low 8 bits, and above them the period in which it last lost some.
    seen: Vec<u32>,
    /// By recency: requests and insertions so far. By frequency: periods of decay so far. It wraps, as Redis's clocks do.
    now: u32,
    /// Requests in this period of decay.
    requests: u64,
    /// The best candidate stands last.
    pool: Vec<Candidate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scoring {
    Recency,
    Frequency,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// The larger, the better it is to let it go.
    score: u32,
    slot: u32,
    /// Tells whether another entry has the slot meanwhile.
    key: u64,
}

impl Sampled {
    /// Approximates LRU.
    pub(super) fn lru(seed: u64) -> Sampled {
        Sampled::new(Scoring::Recency, Stream::new(seed, "eviction", "sampled-lru"))
    }

    /// Approximates LFU: logarithmic counters of 8 bits, which decay.
    pub(super) fn lfu(seed: u64) -> Sampled {
        Sampled::new(Scoring::Frequency, Stream::new(seed, "eviction", "sampled-lfu"))
    }

    fn new(scoring: Scoring, chance: Stream) -> Sampled {
        Sampled {
            scoring,
            bag: Bag::default(),
            chance,
            seen: Vec::new(),
            now: 0,
            requests: 0,
            pool: Vec::new(),
        }
    }

    /// A request goes by.
    fn tick(&mut self) {
        self.requests += 1;
        let is_over = self.requests >= REQUESTS_PER_DECAY * self.bag.len().max(1) as u64;
        match self.scoring {
            Scoring::Recency => self.now = self.now.wrapping_add(1),
            Scoring::Frequency if is_over => {
                (self.now, self.requests) = (self.now.wrapping_add(1), 0);
            }
            Scoring::Frequency => {}
        }
    }

    /// What is written down for an entry with this counter.
    fn mark(&self, count: u8) -> u32 {
        match self.scoring {
            Scoring::Recency => self.now,
            Scoring::Frequency => self.now << 8 | u32::from(count),
        }
    }

    /// The counter of a slot, less one for every period since it was last written down (`LFUDecrAndReturn`).
    fn count(&self, slot: u32) -> u8 {
        let seen = self.seen[slot as usize];
        let periods = (self.now << 8).wrapping_sub(seen & !0xff) >> 8;
        (seen as u8).saturating_sub(periods.min(255) as u8)
    }

    /// How good it is to let a slot go.
    fn score(&self, slot: u32) -> u32 {
        match self.scoring {
            Scoring::Recency => self.now.wrapping_sub(self.seen[slot as usize]),
            Scoring::Frequency => u32::from(255 - self.count(slot)),
        }
    }

    /// `LFULogIncr`: the larger a counter, the less likely it grows.
    fn grown(&mut self, count: u8) -> u8 {
        let above = f64::from(count.saturating_sub(FIRST_COUNT));
        let grows = self.chance.draw().unit() < 1.0 / (above * LOG_FACTOR + 1.0);
        count.saturating_add(u8::from(grows))
    }

    /// Looks at a few entries (`evictionPoolPopulate`).
    fn sample(&mut self, slots: &Slots) {
        for _ in 0..SAMPLES {
            let Some(slot) = self.bag.pick(self.chance.draw()) else {
                return;
            };
            let (score, key) = (self.score(slot), slots.key(slot));
            let mut place = self.pool.partition_point(|other| other.score < score);
            if self.pool.len() == POOL {
                if place == 0 {
                    continue;
                }
                self.pool.remove(0);
                place -= 1;
            }
            self.pool.insert(place, Candidate { score, slot, key });
        }
    }
}

impl Policy for Sampled {
    fn hit(&mut self, slot: u32, _: &Slots) {
        self.tick();
        let count = match self.scoring {
            Scoring::Recency => 0,
            Scoring::Frequency => {
                let count = self.count(slot);
                self.grown(count)
            }
        };
        self.seen[slot as usize] = self.mark(count);
    }

    fn miss(&mut self, _: u64) {
        self.tick();
    }

    fn insert(&mut self, slot: u32, _: &Slots) {
        self.bag.insert(slot);
        if self.scoring == Scoring::Recency {
            self.now = self.now.wrapping_add(1);
        }
        if self.seen.len() <= slot as usize {
            self.seen.resize(slot as usize + 1, 0);
        }
        self.seen[slot as usize] = self.mark(FIRST_COUNT);
    }

    fn evict(&mut self, slots: &Slots) -> Option<u32> {
        while self.bag.len() > 0 {
            self.sample(slots);
            while let Some(best) = self.pool.pop() {
                if self.bag.contains(best.slot) && slots.key(best.slot) == best.key {
                    self.bag.remove(best.slot);
                    return Some(best.slot);
                }
            }
        }
        None
    }

    fn remove(&mut self, slot: u32, _: &Slots) {
        self.bag.remove(slot);
    }
}
