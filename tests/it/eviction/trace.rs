//! The traces of `tests/data/libcachesim/make.py`, and stores that are led through them.

use blastradius::layout::{Evict, Room};
use blastradius::parts::Store;
use blastradius::sim::mix;

/// Keys of a trace.
pub const KEYS: u64 = 100_000;
/// The requests that are looked at in every run; all of them if seeds are asked for.
pub const QUICK: usize = 250_000;
const ALL: usize = 1_000_000;
const SEED: u64 = 42;

/// Probabilities of keys by Zipf's law.
pub struct Zipf {
    /// Weights 1/k^s, added up from the first one and divided by their sum.
    sums: Vec<f64>,
}

impl Zipf {
    pub fn new(exponent: f64) -> Zipf {
        let mut total = 0.0;
        let mut sums: Vec<f64> = (1..=KEYS)
            .map(|rank| {
                total += libm::pow(rank as f64, -exponent);
                total
            })
            .collect();
        for sum in &mut sums {
            *sum /= total;
        }
        Zipf { sums }
    }

    /// The key of request `number`, from 0.
    pub fn key(&self, number: u64) -> u64 {
        let draw = mix(SEED.wrapping_add((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let draw = (draw >> 11) as f64 / 9_007_199_254_740_992.0;
        self.sums.partition_point(|sum| *sum <= draw) as u64
    }

    pub fn trace(&self, requests: usize) -> Vec<u64> {
        (0..requests as u64).map(|number| self.key(number)).collect()
    }

    /// The probability of each key.
    pub fn probabilities(&self) -> Vec<f64> {
        let before = std::iter::once(0.0).chain(self.sums.iter().copied());
        self.sums.iter().zip(before).map(|(sum, before)| sum - before).collect()
    }
}

/// How many requests are looked at: more if `BLASTRADIUS_SEEDS` asks for more than the usual effort.
pub fn requests() -> usize {
    if std::env::var_os("BLASTRADIUS_SEEDS").is_some() {
        ALL
    } else {
        QUICK
    }
}

/// An empty store for a share of all keys.
pub fn store(evict: Evict, percent: u64) -> Store<()> {
    Store::new(evict, Room::Items(KEYS * percent / 100), 1)
}

/// A request for a key, which is kept when it was not: whether it was held.
#[inline]
pub fn request(store: &mut Store<()>, key: u64) -> bool {
    request_of(store, key, 1)
}

/// A request for a key whose value is of so many bytes.
#[inline]
pub fn request_of(store: &mut Store<()>, key: u64, bytes: u32) -> bool {
    let is_held = store.get(key).is_some();
    if !is_held {
        store.put(key, bytes, ());
    }
    is_held
}

/// FNV-1a in 64 bits.
pub fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
