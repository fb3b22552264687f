//! W-TinyLFU agrees with a plain model of it. Another setting of the same model agrees with libCacheSim, and so says how that departs
//! from the paper: its hit ratios are up to two percentage points lower.

use std::collections::{BTreeMap, HashMap};

use blastradius::layout::Evict;
use blastradius::sim::mix;

use super::trace::{Zipf, request, requests, store};
use super::{TOLERANCE, references};

#[test]
fn tinylfu_agrees_with_its_model_and_the_model_with_libcachesim() {
    for exponent in [0.7, 0.9, 1.0, 1.2] {
        let keys = Zipf::new(exponent).trace(requests());
        let ratio = |hits: usize| hits as f64 / keys.len() as f64;
        let is_of_this = |other: f64| other.to_bits() == exponent.to_bits();
        for reference in references() {
            if reference.evict != Evict::WTinyLfu
                || !is_of_this(reference.exponent)
                || ![1, 10].contains(&reference.percent)
            {
                continue;
            }
            let [as_paper, as_libcachesim] = [false, true].map(|as_libcachesim| {
                let mut model = Model::new(1_000 * reference.percent, as_libcachesim);
                ratio(keys.iter().filter(|key| model.request(**key)).count())
            });
            let mut store = store(Evict::WTinyLfu, reference.percent);
            let ours = ratio(keys.iter().filter(|key| request(&mut store, **key)).count());
            let theirs = reference.ratio(keys.len());
            let line = format!(
                "s={exponent} {} %: {ours:.4} for {as_paper:.4}, and libCacheSim {theirs:.4} for {as_libcachesim:.4}",
                reference.percent
            );
            println!("{line}");
            assert!((ours - as_paper).abs() <= TOLERANCE, "ours: {line}");
            assert!((theirs - as_libcachesim).abs() <= TOLERANCE, "libCacheSim's: {line}");
        }
    }
}

/// Keys in the order of their use.
#[derive(Default)]
struct Lru {
    by_time: BTreeMap<u64, u64>,
    times: HashMap<u64, u64>,
    now: u64,
}

impl Lru {
    fn add(&mut self, key: u64) {
        self.now += 1;
        self.by_time.insert(self.now, key);
        self.times.insert(key, self.now);
    }

    fn take(&mut self, key: u64) -> bool {
        let time = self.times.remove(&key);
        time.is_some_and(|time| self.by_time.remove(&time).is_some())
    }

    fn touch(&mut self, key: u64) -> bool {
        let is_held = self.take(key);
        if is_held {
            self.add(key);
        }
        is_held
    }

    fn last(&self) -> Option<u64> {
        self.by_time.first_key_value().map(|(_, key)| *key)
    }

    fn len(&self) -> u64 {
        self.times.len() as u64
    }
}

/// How often keys were used of late.
enum Counts {
    /// Without error, up to 15.
    Exact(BTreeMap<u64, u64>),
    /// libCacheSim's counting Bloom filter: 14.4 counters an entry, of which every use raises ten. It counts too much for a cache of
    /// fewer entries than there are keys.
    Bloom(Vec<u64>),
}

impl Counts {
    fn add(&mut self, key: u64) {
        match self {
            Counts::Exact(counts) => {
                let count = counts.entry(key).or_default();
                *count = 15.min(*count + 1);
            }
            Counts::Bloom(counters) => {
                for place in places(key, counters.len()) {
                    counters[place] += 1;
                }
            }
        }
    }

    fn estimate(&self, key: u64) -> u64 {
        match self {
            Counts::Exact(counts) => counts.get(&key).copied().unwrap_or(0),
            Counts::Bloom(counters) => {
                let counts = places(key, counters.len()).map(|place| counters[place]);
                counts.min().unwrap_or(0)
            }
        }
    }

    fn halve(&mut self) {
        match self {
            Counts::Exact(counts) => counts.values_mut().for_each(|count| *count /= 2),
            Counts::Bloom(counters) => counters.iter_mut().for_each(|count| *count /= 2),
        }
    }
}

fn places(key: u64, counters: usize) -> impl Iterator<Item = usize> {
    let hash = mix(key ^ 1);
    let (first, step) = (hash as u32, (hash >> 32) as u32);
    (0..10_u32).map(move |number| first.wrapping_add(number.wrapping_mul(step)) as usize % counters)
}

struct Model {
    window: Lru,
    probation: Lru,
    protected: Lru,
    counts: Counts,
    uses: u64,
    room: u64,
    /// libCacheSim 0.3.5 does not count uses in the window, counts a key once more whenever it is to fall out of it, halves all after 32
    /// uses in the main part for each entry of it, and fills the protected part at first with what has not been used.
    as_libcachesim: bool,
}

impl Model {
    fn new(room: u64, as_libcachesim: bool) -> Model {
        Model {
            window: Lru::default(),
            probation: Lru::default(),
            protected: Lru::default(),
            counts: if as_libcachesim {
                Counts::Bloom(vec![0; (14.378 * (room - room / 100) as f64) as usize + 1])
            } else {
                Counts::Exact(BTreeMap::new())
            },
            uses: 0,
            room,
            as_libcachesim,
        }
    }

    fn main_room(&self) -> u64 {
        self.room - self.room / 100
    }

    /// A request: whether the key was held.
    fn request(&mut self, key: u64) -> bool {
        let in_window = self.window.touch(key);
        let in_main = !in_window && self.use_main(key);
        if !self.as_libcachesim || !in_window {
            self.counts.add(key);
        }
        if !self.as_libcachesim || in_main {
            self.age();
        }
        if !in_window && !in_main {
            while self.window.len() + self.probation.len() + self.protected.len() >= self.room {
                self.evict();
            }
            self.window.add(key);
        }
        in_window || in_main
    }

    fn use_main(&mut self, key: u64) -> bool {
        if self.protected.touch(key) {
            return true;
        }
        let is_held = self.probation.take(key);
        if is_held {
            self.protected.add(key);
            if self.protected.len() > self.main_room() - self.main_room() / 5 {
                let last = self.protected.last().expect("it is over its room");
                self.protected.take(last);
                self.probation.add(last);
            }
        }
        is_held
    }

    fn evict(&mut self) {
        let candidate = self.window.last().expect("the window is not empty");
        self.window.take(candidate);
        if self.probation.len() + self.protected.len() < self.main_room() {
            if self.as_libcachesim && self.probation.len() >= self.main_room() / 5 {
                self.protected.add(candidate);
            } else {
                self.probation.add(candidate);
            }
        } else {
            let victim = self.probation.last().or(self.protected.last()).expect("it is full");
            if self.counts.estimate(candidate) > self.counts.estimate(victim) {
                let _ = self.probation.take(victim) || self.protected.take(victim);
                self.probation.add(candidate);
            }
        }
        if self.as_libcachesim {
            self.counts.add(candidate);
        }
    }

    fn age(&mut self) {
        self.uses += 1;
        let period = if self.as_libcachesim {
            32 * self.main_room()
        } else {
            10 * self.room.next_power_of_two()
        };
        if self.uses >= period {
            self.uses = 0;
            self.counts.halve();
        }
    }
}
