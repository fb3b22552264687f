//! What a cache's store costs: look-ups a second of every policy with 100,000 entries on one core, beside two well-known crates. The
//! budget of LRU is 10 million a second.

#![allow(clippy::disallowed_methods, reason = "it measures time on the wall")]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Instant;

use blastradius::layout::{Evict, Keys, Room};
use blastradius::parts::{KeySpace, Store};
use blastradius::sim::Draw;
use rustc_hash::FxBuildHasher;

const ENTRIES: u64 = 100_000;
const REQUESTS: u64 = 2_000_000;
const ROUNDS: usize = 5;

/// What is measured.
trait Cache {
    fn get(&mut self, key: u64) -> bool;
    fn put(&mut self, key: u64);
}

impl Cache for Store<u64> {
    fn get(&mut self, key: u64) -> bool {
        Store::get(self, key).is_some()
    }

    fn put(&mut self, key: u64) {
        Store::put(self, key, 1, key);
    }
}

impl Cache for lru::LruCache<u64, u64, FxBuildHasher> {
    fn get(&mut self, key: u64) -> bool {
        lru::LruCache::get(self, &key).is_some()
    }

    fn put(&mut self, key: u64) {
        lru::LruCache::put(self, key, key);
    }
}

type Quick = quick_cache::unsync::Cache<u64, u64, quick_cache::UnitWeighter, FxBuildHasher>;

impl Cache for Quick {
    fn get(&mut self, key: u64) -> bool {
        Quick::get(self, &key).is_some()
    }

    fn put(&mut self, key: u64) {
        self.insert(key, key);
    }
}

fn main() {
    let all_held: Vec<u64> = (0..REQUESTS).map(|item| Draw::of(1, item, 1).below(ENTRIES)).collect();
    let zipf = KeySpace::new(Keys::Zipf {
        count: 10 * ENTRIES,
        exponent: 1.0,
    });
    let popular: Vec<u64> = (0..REQUESTS).map(|item| zipf.key(Draw::of(1, item, 2))).collect();
    println!(
        "millions a second:  look-ups of held keys | Zipf 1.0 over 10 times as many keys, with insertions | hit ratio"
    );
    for evict in Evict::ALL {
        let make = || Store::<u64>::new(evict, Room::Items(ENTRIES), 1);
        measure(&evict.to_string(), make, &all_held, &popular);
    }
    let entries = NonZeroUsize::new(ENTRIES as usize).expect("it is not 0");
    let make = || lru::LruCache::with_hasher(entries, FxBuildHasher);
    measure("crate lru", make, &all_held, &popular);
    let make = || {
        Quick::with(
            ENTRIES as usize,
            ENTRIES,
            quick_cache::UnitWeighter,
            FxBuildHasher,
            quick_cache::unsync::DefaultLifecycle::default(),
        )
    };
    measure("crate quick_cache", make, &all_held, &popular);
}

/// The best of a few rounds of each kind.
fn measure<C: Cache>(name: &str, make: impl Fn() -> C, all_held: &[u64], popular: &[u64]) {
    let mut cache = make();
    (0..ENTRIES).for_each(|key| cache.put(key));
    let look_ups = best(all_held.len(), || {
        all_held.iter().filter(|key| cache.get(**key)).count()
    });
    let mut cache = make();
    let mut hits = 0;
    let requests = best(popular.len(), || {
        let held = popular.iter().filter(|key| {
            let is_held = cache.get(**key);
            if !is_held {
                cache.put(**key);
            }
            is_held
        });
        hits = held.count();
        hits
    });
    let ratio = 100.0 * hits as f64 / popular.len() as f64;
    println!("{name:18} {look_ups:8.1} {requests:8.1} {ratio:8.2} %");
}

/// Millions of operations a second in the fastest round.
fn best(operations: usize, mut round: impl FnMut() -> usize) -> f64 {
    let rates = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        black_box(round());
        operations as f64 / start.elapsed().as_secs_f64() / 1e6
    });
    rates.fold(0.0, f64::max)
}
