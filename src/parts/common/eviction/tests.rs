//! Stores agree with plain models of their policies, whatever is done to them, and never exceed their room.

mod arc;
mod model;

use std::collections::BTreeMap;

use crate::layout::{Evict, Room};
use crate::sim::Stream;

use super::{Store, limit};
use model::Model;

/// Keys in use: few, so that they come back.
const KEYS: u64 = 48;
const STEPS: u32 = 400;

fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("BLASTRADIUS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BLASTRADIUS_SEEDS").unwrap_or(usual),
    }
}

/// A store, what has been put into it, and the model of its policy if there is one.
struct Run {
    chance: Stream,
    store: Store<u64>,
    /// Size and value of what was put last and not removed since; it may have been evicted.
    put: BTreeMap<u64, (u32, u64)>,
    model: Option<Model>,
    /// Policies that it may get.
    policies: &'static [Evict],
}

impl Run {
    fn new(seed: u64, policies: &'static [Evict], with_model: bool) -> Run {
        let mut chance = Stream::new(seed, "eviction", "test");
        let evict = policies[(seed % policies.len() as u64) as usize];
        let room = room(&mut chance);
        Run {
            store: Store::new(evict, room, seed),
            put: BTreeMap::new(),
            model: with_model.then(|| Model::new(evict, room)),
            policies,
            chance,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.chance.draw().below(bound)
    }

    fn step(&mut self, number: u64) {
        let key = self.below(KEYS).min(self.below(KEYS));
        match self.below(100) {
            0..50 => self.request(key, number),
            50..70 => self.put(key, number),
            70..80 => {
                let held = self.store.get(key).copied();
                if let Some(model) = &mut self.model {
                    assert_eq!(held.is_some(), model.get(key), "whether {key} is held");
                }
            }
            80..90 => self.remove(key),
            90..93 => self.retain(),
            93..96 => self.set_evict(),
            96..99 => {
                let room = room(&mut self.chance);
                self.store.set_room(room);
                if let Some(model) = &mut self.model {
                    model.set_room(room);
                }
            }
            _ if number.is_multiple_of(3) => self.clear(),
            _ => {}
        }
    }

    /// Looks up a key and keeps it if it was not held, as a cache does.
    fn request(&mut self, key: u64, number: u64) {
        let held = self.store.get(key).copied();
        if let Some(model) = &mut self.model {
            assert_eq!(held.is_some(), model.get(key), "whether {key} is held");
        }
        match held {
            Some(value) => assert_eq!(value, self.put[&key].1, "the value of {key}"),
            None => self.put(key, number),
        }
    }

    fn put(&mut self, key: u64, number: u64) {
        let bytes = self.below(12) as u32 * self.below(10) as u32;
        let is_kept = self.store.put(key, bytes, number);
        self.put.insert(key, (bytes, number));
        assert_eq!(is_kept, self.store.peek(key).is_some(), "whether {key} is kept");
        if let Some(model) = &mut self.model {
            assert_eq!(is_kept, model.put(key, bytes), "whether {key} is kept");
        }
    }

    fn remove(&mut self, key: u64) {
        let held = self.store.peek(key).copied();
        assert_eq!(self.store.remove(key), held);
        assert_eq!(self.store.peek_mut(key), None);
        self.put.remove(&key);
        if let Some(model) = &mut self.model {
            model.retain(|other| other != key);
        }
    }

    fn retain(&mut self) {
        let rest = self.below(5);
        let before = self.store.len();
        let went = self.store.retain(|key, _| key % 5 != rest);
        assert_eq!(went, before - self.store.len());
        self.put.retain(|key, _| key % 5 != rest);
        if let Some(model) = &mut self.model {
            model.retain(|key| key % 5 != rest);
        }
    }

    fn set_evict(&mut self) {
        let evict = self.policies[self.below(self.policies.len() as u64) as usize];
        let (held, evicted) = (self.store.len(), self.store.evicted());
        self.store.set_evict(evict);
        assert_eq!(
            (self.store.len(), self.store.evicted()),
            (held, evicted),
            "what is held stays"
        );
        if let Some(model) = &mut self.model {
            model.set_evict(evict);
        }
    }

    fn clear(&mut self) {
        self.store.clear();
        assert!(self.store.is_empty());
        self.put.clear();
        if let Some(model) = &mut self.model {
            model.retain(|_| false);
        }
    }

    fn check(&self) {
        let held = self.put.iter().filter(|(key, _)| self.store.peek(**key).is_some());
        let (mut count, mut bytes) = (0, 0);
        for (key, (size, value)) in held {
            assert_eq!(self.store.peek(*key), Some(value), "the value of {key}");
            count += 1;
            bytes += u64::from(*size);
        }
        assert_eq!(
            (self.store.len(), self.store.bytes()),
            (count, bytes),
            "entries and bytes"
        );
        let used = match self.store.room() {
            Room::Items(_) => count,
            Room::Bytes(_) => bytes,
        };
        assert!(
            used <= self.store.used && self.store.used <= limit(self.store.room()),
            "the room is exceeded"
        );
        if let Some(model) = &self.model {
            let held: Vec<u64> = (0..KEYS).filter(|key| self.store.peek(*key).is_some()).collect();
            assert_eq!(held, model.keys(), "the keys that are held");
        }
    }

    /// The policy lets go of exactly what is held.
    fn finish(mut self) -> (u64, Vec<u64>) {
        let (held, evicted) = (self.store.len(), self.store.evicted());
        let mut order = Vec::new();
        while let Some(slot) = self.store.policy.evict(&self.store.slots) {
            order.push(self.store.slots.key(slot));
            self.store.vacate(slot);
        }
        assert_eq!(order.len() as u64, held, "the policy and the index disagree");
        assert_eq!((self.store.used, self.store.bytes, self.store.len()), (0, 0, 0));
        (evicted, order)
    }
}

fn room(chance: &mut Stream) -> Room {
    let size = chance.draw().below(40);
    match chance.draw().below(2) {
        0 => Room::Items(size),
        _ => Room::Bytes(10 * size),
    }
}

fn run(seed: u64, policies: &'static [Evict], with_model: bool) -> (u64, Vec<u64>) {
    let mut run = Run::new(seed, policies, with_model);
    for number in 0..u64::from(STEPS) {
        run.step(number);
        run.check();
    }
    run.finish()
}

fn run_all(usual: u64, policies: &'static [Evict], with_model: bool, test: &str) {
    let (mut evictions, seeds) = (0, seeds(usual));
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let results = std::panic::catch_unwind(|| [(); 2].map(|()| run(seed, policies, with_model)));
        let Ok([first, second]) = results else {
            panic!("seed {seed}: BLASTRADIUS_SEED={seed} cargo test --lib eviction::tests::{test}");
        };
        assert_eq!(first, second, "seed {seed} gives two histories");
        evictions += first.0;
    }
    // It was no calm: else it would prove nothing.
    assert!(count < usual || evictions > 10 * count, "{evictions} evictions");
}

#[test]
fn policies_agree_with_their_models() {
    run_all(400, &model::MODELLED, true, "policies_agree_with_their_models");
}

#[test]
fn every_policy_keeps_its_books_whatever_is_done() {
    run_all(400, &Evict::ALL, false, "every_policy_keeps_its_books");
}

#[test]
fn what_is_too_large_is_not_kept_and_replaces_nothing_by_itself() {
    for evict in Evict::ALL {
        let mut store = Store::new(evict, Room::Bytes(100), 1);
        assert!(store.put(1, 60, 'a') && store.put(2, 40, 'b'));
        assert!(!store.put(1, 101, 'c'), "{evict}: it is larger than all the room");
        assert_eq!(
            (store.peek(1), store.peek(2), store.bytes()),
            (None, Some(&'b'), 40),
            "{evict}"
        );
        assert!(store.put(2, 100, 'd'), "{evict}: it fits exactly");
        assert_eq!((store.peek(2), store.evicted()), (Some(&'d'), 0), "{evict}");
    }
}

#[test]
fn a_store_without_room_keeps_nothing() {
    for evict in Evict::ALL {
        for room in [Room::Items(0), Room::Bytes(0)] {
            let mut store = Store::new(evict, room, 1);
            assert!(!store.put(1, 0, ()), "{evict}");
            assert_eq!(store.get(1), None, "{evict}");
            assert_eq!(store.len(), 0, "{evict}");
        }
    }
}

#[test]
fn another_policy_is_given_what_is_held_in_the_order_of_eviction() {
    let mut store = Store::new(Evict::Lru, Room::Items(3), 1);
    for key in [1, 2, 3] {
        store.put(key, 1, ());
    }
    store.get(1);
    store.set_evict(Evict::Fifo);
    store.get(2);
    store.put(4, 1, ());
    assert_eq!(
        store.peek(2),
        None,
        "it was the least recently used when the policy changed"
    );
    store.set_room(Room::Items(1));
    assert_eq!((store.peek(4), store.len(), store.evicted()), (Some(&()), 1, 3));
}

#[test]
fn a_scan_does_not_drive_out_what_is_popular_except_from_lru() {
    let survivors = |evict: Evict| {
        let mut store = Store::new(evict, Room::Items(100), 1);
        let request = |store: &mut Store<()>, key: u64| {
            if store.get(key).is_none() {
                store.put(key, 1, ());
            }
        };
        for number in 0..5_000 {
            request(&mut store, number % 50);
        }
        for key in 1_000..1_200 {
            request(&mut store, key);
        }
        (0..50).filter(|key| store.peek(*key).is_some()).count()
    };
    assert_eq!(survivors(Evict::Lru), 0);
    assert_eq!(survivors(Evict::Fifo), 0);
    for evict in [Evict::Lfu, Evict::Sieve, Evict::Arc, Evict::WTinyLfu] {
        assert_eq!(survivors(evict), 50, "{evict}");
    }
}
