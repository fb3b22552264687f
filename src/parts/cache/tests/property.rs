//! Whatever happens: no answer carries a version that nobody wrote, no node holds more than it has room for, and in the end all is as the
//! database has it.

use std::collections::BTreeSet;

use crate::layout::{Evict, Invalidate, Room, Strategy};
use crate::sim::Stream;

use super::*;

/// Rows that are asked for: some that were there at the start, some that were not.
const KEYS: std::ops::Range<u64> = ROWS - 20..ROWS + 20;

fn disturb(bench: &mut Bench, chance: &mut Stream) {
    let node = bench.nodes[chance.draw().below(bench.nodes.len() as u64) as usize];
    match chance.draw().below(12) {
        0 | 1 => {
            bench.kernel.crash(node);
            bench.kernel.start(node, Duration::from_millis(300));
        }
        2 => {
            let front = bench.fronts[chance.draw().below(2) as usize];
            bench.cut(front, node);
        }
        3 | 4 => bench.kernel.network().rules.clear(),
        5 => bench.kernel.cast(node, Request::Purge(None)),
        6 => bench.shelf.fails.set(true),
        7 | 8 => bench.shelf.fails.set(false),
        9 => {
            let ratio = chance.draw().unit();
            bench.retune(|spec| {
                spec.evict = Evict::ALL[(ratio * 11.0) as usize];
                spec.room = Room::Items(5 + (ratio * 20.0) as u64);
            });
        }
        10 => {
            let all = [Invalidate::Delete, Invalidate::Update, Invalidate::Never];
            let next = all[chance.draw().below(3) as usize];
            bench.retune(|spec| spec.invalidate = next);
        }
        _ => {
            let after = Duration::from_millis(400);
            let all = [
                Strategy::Aside,
                Strategy::ReadThrough,
                Strategy::WriteThrough,
                Strategy::WriteBehind { after },
            ];
            let next = all[chance.draw().below(4) as usize];
            bench.retune(|spec| spec.strategy = next);
        }
    }
}

fn ask(bench: &mut Bench, chance: &mut Stream) {
    let asks = [
        Ask::Page,
        Ask::Page,
        Ask::Page,
        Ask::Create,
        Ask::Update,
        Ask::Update,
        Ask::Delete,
    ];
    let ask = asks[chance.draw().below(7) as usize];
    let key = KEYS.start + chance.draw().below(KEYS.end - KEYS.start);
    let front = chance.draw().below(2) as usize;
    let delay = Duration::from_millis(chance.draw().below(60));
    bench.shelf.once.set(Some(delay));
    bench.write(front, ask, key);
}

/// The version that an answer carries, whatever it says of the row.
fn carried(ended: &Ended) -> Option<Stamp> {
    match ended.outcome {
        Ok(Status::Read { version, .. } | Status::Written { version, .. } | Status::NotFound { version, .. }) => {
            Some(version)
        }
        _ => None,
    }
}

fn run(seed: u64) {
    let mut chance = Stream::new(seed, "test", "property");
    let settings = [
        "machines: 3, copies: 2, negative: \"1s\"",
        "machines: 2, rehash: true, single_flight: true, near: (items: 5)",
        "machines: 2, durable: true, refresh_ahead: 0.5, strategy: WriteBehind(after: \"400ms\")",
        "early: 2, ttl: \"2s\", jitter: 0.5, strategy: ReadThrough, single_flight: true",
    ];
    let mut bench = Bench::new(&format!("items: 25, {}", settings[seed as usize % 4]));
    for _ in 0..600 {
        let now = millis(bench.kernel.now());
        bench.until(now + chance.draw().below(20));
        if chance.draw().below(20) == 0 {
            disturb(&mut bench, &mut chance);
        }
        ask(&mut bench, &mut chance);
        let most = 25;
        assert!(
            bench.probes.iter().all(|probe| probe.entries.get() <= most),
            "seed {seed}"
        );
    }
    bench.kernel.network().rules.clear();
    bench.shelf.fails.set(false);
    bench.shelf.once.set(None);
    bench.until(millis(bench.kernel.now()) + 120_000);
    let written: BTreeSet<Stamp> = bench.shelf.history.take();
    for ended in bench.ended() {
        let Some(version) = carried(&ended) else { continue };
        // A node of the cache gives stamps of its own to what it takes.
        let known = version == Stamp::ORIGINAL || written.contains(&version) || version.node() == 63;
        assert!(known, "seed {seed}: {ended:?}");
    }
    assert!(
        bench.probes.iter().all(|probe| probe.unwritten.borrow().is_empty()),
        "seed {seed}"
    );
    for node in bench.nodes.clone() {
        bench.kernel.cast(node, Request::Purge(None));
    }
    bench.retune(|spec| spec.near = None);
    for key in KEYS {
        for front in [0, 1] {
            bench.read(front, key);
            bench.until(millis(bench.kernel.now()) + 3_000);
            let read = bench.only();
            let row = bench.shelf.rows.borrow().get(&key).copied();
            let (version, exists) = row.unwrap_or((Stamp::ORIGINAL, key < ROWS));
            assert_eq!(
                (carried(&read), matches!(read.outcome, Ok(Status::Read { .. }))),
                (Some(version), exists),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn a_tier_in_trouble_invents_nothing_and_recovers() {
    (0..24).for_each(run);
}
