//! A row that several nodes write at once: its versions, what is known of it, and how two states of it are joined.
//!
//! These are dotted version vector sets (Preguiça et al. 2012). A version is named by its stamp: that is its maker and, since the
//! stamps of a maker grow, its place among the changes of its maker. What is known of a row is the last change of each node to it. That
//! says all: a node writes over what it has, so whoever knows a change of a node knows what became of its earlier ones.
//!
//! Joining drops the versions that the other side has seen and not kept. It is commutative, associative and idempotent, so
//! that nodes agree in whatever order changes reach them.

use std::rc::Rc;

use crate::protocol::{PeerVersion, Stamp};

use super::rules::by_clock;

/// What is known of a row: by node the last change to it.
pub(super) type Seen = Rc<[Stamp]>;

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// What is known of it.
    pub seen: Seen,
    /// The versions that nobody has written over, by stamp.
    pub versions: Rc<[PeerVersion]>,
}

/// How states of a row are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// What neither side has seen the end of is kept.
    Siblings,
    /// The version with the latest clock stands, whatever anyone had seen: a register with timestamps.
    Register,
}

impl Default for Row {
    fn default() -> Row {
        Row {
            seen: Rc::from([]),
            versions: Rc::from([]),
        }
    }
}

/// Whether a change is among what is known. A row as it was at the start is known to all.
pub(super) fn covers(seen: &[Stamp], stamp: Stamp) -> bool {
    stamp == Stamp::ORIGINAL || seen.get(usize::from(stamp.node())).is_some_and(|last| *last >= stamp)
}

/// Whether the maker of a version had seen a change when it made it.
pub(super) fn had_seen(version: &PeerVersion, stamp: Stamp) -> bool {
    let own = version.stamp.node() == stamp.node() && version.stamp > stamp;
    own || covers(&version.seen, stamp)
}

/// What is known to one or the other.
pub(super) fn union(a: &Seen, b: &Seen) -> Seen {
    if includes(a, b) {
        return Rc::clone(a);
    }
    if includes(b, a) {
        return Rc::clone(b);
    }
    let last = |seen: &[Stamp], node: usize| seen.get(node).copied().unwrap_or_default();
    (0..a.len().max(b.len()))
        .map(|node| last(a, node).max(last(b, node)))
        .collect()
}

fn includes(a: &[Stamp], b: &[Stamp]) -> bool {
    a.len() >= b.len() && a.iter().zip(b).all(|(a, b)| a >= b)
}

/// What is known to whoever has a version: what its maker had seen, and itself.
pub(super) fn past(version: &PeerVersion) -> Seen {
    let node = usize::from(version.stamp.node());
    (0..version.seen.len().max(node + 1))
        .map(|place| {
            let last = version.seen.get(place).copied().unwrap_or_default();
            if place == node { last.max(version.stamp) } else { last }
        })
        .collect()
}

impl Row {
    /// The row of one who has just this version.
    pub fn of(version: PeerVersion) -> Row {
        Row {
            seen: past(&version),
            versions: Rc::from([version]),
        }
    }

    /// What a write here has seen: all that is known. In a register it is what the standing version goes back to: what was dropped
    /// for it, nobody has seen.
    pub fn seen_by_a_write(&self, join: Join) -> Seen {
        match join {
            Join::Siblings => Rc::clone(&self.seen),
            Join::Register => {
                let standing = self.versions.iter().max_by_key(|version| by_clock(version));
                standing.map_or_else(|| Rc::from([]), past)
            }
        }
    }

    /// The version with this stamp, if it is one of them.
    pub fn version(&self, stamp: Stamp) -> Option<&PeerVersion> {
        self.versions.iter().find(|version| version.stamp == stamp)
    }

    /// Joins another state of the row; `None` if that changes nothing.
    pub fn join(&self, other: &Row, join: Join) -> Option<Row> {
        let seen = union(&self.seen, &other.seen);
        let mut versions: Vec<PeerVersion> = match join {
            Join::Siblings => {
                let here = self.versions.iter().filter(|version| other.keeps(version));
                let there = other
                    .versions
                    .iter()
                    .filter(|version| !covers(&self.seen, version.stamp));
                here.chain(there).cloned().collect()
            }
            Join::Register => {
                let all = self.versions.iter().chain(other.versions.iter());
                all.max_by_key(|version| by_clock(version))
                    .cloned()
                    .into_iter()
                    .collect()
            }
        };
        versions.sort_by_key(|version| version.stamp);
        let same = versions
            .iter()
            .map(|version| version.stamp)
            .eq(self.versions.iter().map(|version| version.stamp));
        if same && *seen == *self.seen {
            return None;
        }
        let versions = if same {
            Rc::clone(&self.versions)
        } else {
            versions.into()
        };
        Some(Row { seen, versions })
    }

    /// Whether it has a version of another side, or has not seen it yet.
    fn keeps(&self, version: &PeerVersion) -> bool {
        !covers(&self.seen, version.stamp) || self.version(version.stamp).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::sim::{SimTime, Stream};

    use super::*;

    const NODES: usize = 4;

    /// A node that knows everything by name: all changes it has heard of, and of each the changes that its maker had heard of.
    #[derive(Clone, Default)]
    struct Oracle {
        heard: BTreeSet<Stamp>,
        versions: Vec<(Stamp, BTreeSet<Stamp>)>,
    }

    impl Oracle {
        fn take(&mut self, versions: &[(Stamp, BTreeSet<Stamp>)], heard: &BTreeSet<Stamp>) {
            self.versions.extend_from_slice(versions);
            self.heard.extend(heard);
            self.versions.sort();
            self.versions.dedup();
            let all = self.versions.clone();
            self.versions
                .retain(|(stamp, _)| !all.iter().any(|(_, seen)| seen.contains(stamp)));
        }
    }

    /// Rows of some nodes that write one row and tell each other of it at random, and every change that was made.
    fn history(seed: u64, join: Join, mut look: impl FnMut(&Row, &Oracle)) -> (Vec<Row>, Vec<PeerVersion>) {
        let mut chance = Stream::new(seed, "row", "history");
        let mut rows = vec![Row::default(); NODES];
        let mut oracles = vec![Oracle::default(); NODES];
        let mut changes: Vec<(PeerVersion, BTreeSet<Stamp>)> = Vec::new();
        for time in 1..60 {
            let node = chance.draw().below(NODES as u64) as usize;
            match chance.draw().below(3) {
                0 => {
                    let version = PeerVersion {
                        stamp: Stamp::new(SimTime(time), node as u8),
                        clock: chance.draw().below(20),
                        value: 0,
                        exists: true,
                        seen: rows[node].seen_by_a_write(join),
                    };
                    let before = oracles[node].heard.clone();
                    let heard = before.iter().copied().chain([version.stamp]).collect();
                    oracles[node].take(&[(version.stamp, before.clone())], &heard);
                    if let Some(row) = rows[node].join(&Row::of(version.clone()), join) {
                        rows[node] = row;
                    }
                    changes.push((version, before));
                }
                // A change arrives: in any order, some twice, some never.
                1 if !changes.is_empty() => {
                    let (version, before) = &changes[chance.draw().below(changes.len() as u64) as usize];
                    let heard = before.iter().copied().chain([version.stamp]).collect();
                    oracles[node].take(&[(version.stamp, before.clone())], &heard);
                    if let Some(row) = rows[node].join(&Row::of(version.clone()), join) {
                        rows[node] = row;
                    }
                }
                _ => {
                    let from = chance.draw().below(NODES as u64) as usize;
                    let (there, other) = (rows[from].clone(), oracles[from].clone());
                    oracles[node].take(&other.versions, &other.heard);
                    if let Some(row) = rows[node].join(&there, join) {
                        rows[node] = row;
                    }
                }
            }
            look(&rows[node], &oracles[node]);
        }
        (rows, changes.into_iter().map(|(version, _)| version).collect())
    }

    fn joined(a: &Row, b: &Row, join: Join) -> Row {
        a.join(b, join).unwrap_or_else(|| a.clone())
    }

    #[test]
    fn what_is_kept_is_what_nobody_has_written_over() {
        for seed in 0..500 {
            history(seed, Join::Siblings, |row, oracle| {
                let kept: Vec<Stamp> = row.versions.iter().map(|version| version.stamp).collect();
                let right: Vec<Stamp> = oracle.versions.iter().map(|(stamp, _)| *stamp).collect();
                assert_eq!(kept, right, "seed {seed}");
                assert!(
                    oracle.heard.iter().all(|stamp| covers(&row.seen, *stamp)),
                    "seed {seed}"
                );
            });
        }
    }

    #[test]
    fn joining_is_commutative_associative_and_idempotent() {
        for join in [Join::Siblings, Join::Register] {
            for seed in 0..300 {
                let (rows, changes) = history(seed, join, |_, _| {});
                let last = Row::of(changes.last().expect("some write").clone());
                let states: Vec<&Row> = rows.iter().chain([&last]).collect();
                for a in &states {
                    assert!(a.join(a, join).is_none(), "seed {seed}");
                    for b in &states {
                        let both = joined(a, b, join);
                        assert_eq!(both, joined(b, a, join), "seed {seed}");
                        assert!(
                            both.join(a, join).is_none() && both.join(b, join).is_none(),
                            "seed {seed}"
                        );
                        for c in &states {
                            assert_eq!(
                                joined(&both, c, join),
                                joined(a, &joined(b, c, join), join),
                                "seed {seed}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn changes_give_the_same_row_in_any_order() {
        for join in [Join::Siblings, Join::Register] {
            for seed in 0..300 {
                let (_, changes) = history(seed, join, |_, _| {});
                let mut chance = Stream::new(seed, "row", "order");
                let mut rows = (0..3).map(|_| {
                    let mut order: Vec<usize> = (0..changes.len()).collect();
                    for end in (1..order.len()).rev() {
                        order.swap(end, chance.draw().below(end as u64 + 1) as usize);
                    }
                    let take = |row: Row, change: &usize| joined(&row, &Row::of(changes[*change].clone()), join);
                    order.iter().fold(Row::default(), take)
                });
                let first = rows.next().expect("three rows");
                assert!(rows.all(|row| row == first), "{join:?}, seed {seed}");
                if join == Join::Register {
                    let latest = changes
                        .iter()
                        .max_by_key(|version| by_clock(version))
                        .map(|version| version.stamp);
                    assert_eq!(
                        first.versions.first().map(|version| version.stamp),
                        latest,
                        "seed {seed}"
                    );
                }
            }
        }
    }
}
