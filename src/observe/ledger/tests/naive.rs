//! Random histories, compared with a naive ledger that remembers everything and looks everything up.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A ledger that remembers everything and looks everything up.
#[derive(Default)]
struct Naive {
    /// By row: when users were told of a write, and what stands in its place.
    rows: BTreeMap<u64, Vec<(SimTime, Stamp)>>,
    missing: BTreeSet<u64>,
    /// What stands in the place of a write (`true`), or beside it.
    bars: BTreeMap<(u64, Stamp), (Stamp, bool)>,
    wrote: BTreeMap<(Owner, u64), Vec<(SimTime, Stamp)>>,
    seen: BTreeMap<(Owner, u64), Vec<(SimTime, Stamp)>>,
    counts: Promises,
    ages: Vec<Duration>,
}

fn newest(told: Option<&Vec<(SimTime, Stamp)>>, by: SimTime) -> Stamp {
    let told = told.into_iter().flatten().filter(|(at, _)| *at <= by);
    told.map(|(_, stamp)| *stamp).max().unwrap_or_default()
}

impl Naive {
    fn promise(&self, key: u64) -> Stamp {
        newest(self.rows.get(&key), SimTime::MAX)
    }

    fn bar(&self, key: u64, stamp: Stamp, only_gone: bool) -> Stamp {
        match self.bars.get(&(key, stamp)) {
            Some((lower, gone)) if *gone || !only_gone => self.bar(key, *lower, only_gone),
            _ => stamp,
        }
    }

    fn is_missed(&self, key: u64, told: Stamp, version: Stamp) -> bool {
        told > version && self.bar(key, told, false) > version
    }

    fn follow(&mut self, at: SimTime, event: &Event) {
        match *event {
            Event::Acknowledged { key, version, user, .. } => {
                self.counts.acknowledged += 1;
                self.wrote.entry((user, key)).or_default().push((at, version));
                let version = self.bar(key, version, true);
                if version > self.promise(key) {
                    self.missing.remove(&key);
                }
                self.rows.entry(key).or_default().push((at, version));
            }
            Event::Read {
                key,
                version,
                user,
                began,
                ..
            } => {
                self.counts.reads += 1;
                let told = self.rows.get(&key);
                if self.is_missed(key, newest(told, began), version) {
                    let missed = told.into_iter().flatten().filter(|(_, stamp)| *stamp > version);
                    let since = missed.map(|(at, _)| *at).min().expect("one was missed");
                    self.ages.push(began - since);
                }
                let pair = (user, key);
                let wrote = newest(self.wrote.get(&pair), began);
                self.counts.own_writes_unseen += u64::from(self.is_missed(key, wrote, version));
                let seen = newest(self.seen.get(&pair), began);
                self.counts.read_backwards += u64::from(self.is_missed(key, seen, version));
                self.seen.entry(pair).or_default().push((at, version));
            }
            Event::Replayed { key, old, new } => {
                self.counts.replayed += 1;
                self.rename(key, old, |stamp| if stamp == old { new } else { stamp });
            }
            Event::GivenUp { key, old, kept } => {
                self.counts.given_up += 1;
                self.drop_for(key, old, kept);
            }
            Event::Resolved {
                key,
                dropped,
                kept,
                how,
            } => match how {
                Resolution::Dropped | Resolution::DroppedThoughLater => {
                    self.counts.dropped_older += u64::from(dropped < kept);
                    self.counts.dropped_later += u64::from(dropped > kept);
                    self.drop_for(key, dropped, kept);
                }
                Resolution::Merged | Resolution::Siblings => {
                    self.counts.merged += u64::from(how == Resolution::Merged);
                    self.counts.siblings += u64::from(how == Resolution::Siblings);
                    self.lay(key, dropped.max(kept), dropped.min(kept), false);
                }
            },
            _ => {}
        }
    }

    fn lay(&mut self, key: u64, stamp: Stamp, lower: Stamp, gone: bool) {
        let bar = self.bars.entry((key, stamp)).or_insert((lower, gone));
        *bar = (bar.0.min(lower), bar.1 | gone);
    }

    fn drop_for(&mut self, key: u64, old: Stamp, kept: Stamp) {
        if kept < old {
            self.lay(key, old, kept, true);
        }
        self.rename(key, old, |stamp| stamp.min(kept));
    }

    /// The newest promise of a row becomes another; nothing happens if it isn't this one.
    fn rename(&mut self, key: u64, old: Stamp, name: impl Fn(Stamp) -> Stamp) {
        if self.promise(key) != old {
            return;
        }
        self.missing.remove(&key);
        for (_, stamp) in self.rows.entry(key).or_default() {
            *stamp = name(*stamp);
        }
    }

    fn audit(&mut self, look: impl Fn(u64, Stamp) -> Held) {
        self.missing.clear();
        for key in self.rows.keys().copied().collect::<Vec<u64>>() {
            let promise = self.promise(key);
            if promise == Stamp::ORIGINAL {
                continue;
            }
            match look(key, promise) {
                Held::Serving => {}
                Held::Elsewhere => drop(self.missing.insert(key)),
                Held::Nowhere => {
                    self.counts.lost += 1;
                    self.rows.remove(&key);
                }
            }
        }
    }

    fn at_risk(&self, place_of: impl Fn(u64, Stamp) -> usize, safe: &[Stamp]) -> u64 {
        let promises = self.rows.keys().map(|key| (*key, self.promise(*key)));
        promises
            .filter(|(key, stamp)| *stamp > safe[place_of(*key, *stamp)])
            .count() as u64
    }

    fn promises(&self) -> Promises {
        let sum: Duration = self.ages.iter().sum();
        let stale = self.ages.len() as u64;
        Promises {
            missing: self.missing.len() as u64,
            stale,
            stale_mean: Duration::from_nanos((sum.as_nanos() as u64).checked_div(stale).unwrap_or(0)),
            stale_longest: self.ages.iter().max().copied().unwrap_or_default(),
            sampled: SAMPLED,
            ..self.counts
        }
    }
}

/// Random histories of a few rows and users: writes in flight, reads that take their time, tails and conflicts.
struct History {
    seed: u64,
    count: u64,
    now: u64,
    /// Writes by row; some were never acknowledged.
    writes: Vec<Vec<Stamp>>,
    users: Vec<Owner>,
    safe: [Stamp; 3],
}

impl History {
    fn draw(&mut self, below: u64) -> u64 {
        self.count += 1;
        Draw::of(self.seed, self.count, 1).below(below)
    }

    /// One of the writes of a row, mostly a recent one.
    fn write_of(&mut self, key: u64) -> Stamp {
        let far = self.draw(8) * self.draw(3);
        let writes = &self.writes[key as usize];
        let place = writes.len().saturating_sub(1 + far as usize);
        writes.get(place).copied().unwrap_or_default()
    }

    /// Two different writes of a row.
    fn two_of(&mut self, key: u64) -> Option<(Stamp, Stamp)> {
        let (one, other) = (self.write_of(key), self.write_of(key));
        (one != other && one != Stamp::ORIGINAL && other != Stamp::ORIGINAL).then_some((one, other))
    }

    fn event(&mut self) -> Option<Event> {
        let key = self.draw(self.writes.len() as u64);
        let by = NODE;
        let place = self.draw(self.users.len() as u64) as usize;
        let user = self.users[place];
        Some(match self.draw(24) {
            0..9 => {
                if self.draw(4) > 0 {
                    let stamp = Stamp::new(SimTime(self.now), self.draw(3) as u8);
                    self.writes[key as usize].push(stamp);
                }
                let version = self.write_of(key);
                if version == Stamp::ORIGINAL {
                    return None;
                }
                Event::Acknowledged { key, version, by, user }
            }
            9..19 => Event::Read {
                key,
                version: self.write_of(key),
                by,
                user,
                began: SimTime(self.now.saturating_sub(self.draw(60))),
                copy: false,
            },
            19 => {
                let old = self.write_of(key);
                let new = Stamp::new(SimTime(self.now), 3);
                self.writes[key as usize].push(new);
                Event::Replayed { key, old, new }
            }
            20 => {
                let (old, kept) = self.two_of(key)?;
                Event::GivenUp { key, old, kept }
            }
            choice => {
                let (dropped, kept) = self.two_of(key)?;
                let how = match (choice, self.draw(2)) {
                    (21 | 22, 0) => Resolution::Dropped,
                    (21 | 22, _) => Resolution::DroppedThoughLater,
                    (_, 0) => Resolution::Merged,
                    _ => Resolution::Siblings,
                };
                Event::Resolved {
                    key,
                    dropped,
                    kept,
                    how,
                }
            }
        })
    }
}

#[test]
fn it_counts_what_a_naive_ledger_counts() {
    let place_of = |key: u64, _| key as usize % 3;
    let mut all = Promises::default();
    let mut risks = 0;
    for seed in 0..400 {
        let (mut ledger, mut naive) = (Ledger::default(), Naive::default());
        let mut history = History {
            seed,
            count: 0,
            now: 1,
            writes: vec![Vec::new(); 1 + seed as usize % 5],
            users: users(4),
            safe: [Stamp::ORIGINAL; 3],
        };
        for step in 0..400 {
            history.now += 1 + history.draw(10);
            let now = SimTime(history.now);
            if let Some(event) = history.event() {
                ledger.follow(now, &event);
                naive.follow(now, &event);
            }
            match history.draw(40) {
                0 => {
                    let salt = history.draw(1 << 40);
                    let look = |key: u64, stamp: Stamp| match Draw::of(salt, key ^ stamp.0, 2).below(8) {
                        0 => Held::Nowhere,
                        1 | 2 => Held::Elsewhere,
                        _ => Held::Serving,
                    };
                    ledger.audit(look);
                    naive.audit(look);
                }
                1..6 => {
                    let place = history.draw(3) as usize;
                    let back = history.draw(100) * if history.draw(6) == 0 { 100 } else { 1 };
                    history.safe[place] = Stamp::new(SimTime(history.now.saturating_sub(back)), 0);
                    ledger.settle(place_of, &history.safe);
                }
                _ => {}
            }
            assert_eq!(ledger.promises(), naive.promises(), "seed {seed}, step {step}");
            // The screen may ask before the next step of the grid.
            let mut sooner = history.safe;
            for safe in &mut sooner {
                safe.0 += history.draw(100) * 64;
            }
            let at_risk = naive.at_risk(place_of, &sooner);
            assert_eq!(ledger.at_risk(place_of, &sooner), at_risk, "seed {seed}, step {step}");
            risks += at_risk;
        }
        let promises = ledger.promises();
        all.stale += promises.stale;
        all.lost += promises.lost;
        all.own_writes_unseen += promises.own_writes_unseen;
        all.read_backwards += promises.read_backwards;
        all.dropped_later += promises.dropped_later;
    }
    let enough = [
        all.stale,
        all.lost,
        all.own_writes_unseen,
        all.read_backwards,
        all.dropped_later,
        risks,
    ];
    assert!(enough.iter().all(|count| *count > 1_000), "{enough:?}");
}
