//! How far rows have moved, as a node's disk says it, and what that makes of a key.

use std::collections::BTreeMap;

use crate::parts::common::shards::ShardMap;
use crate::protocol::{Change, Moved};

/// The end of a move that is done: all keys are below.
pub const DONE: u64 = u64::MAX;

/// How far rows have moved between this shard and others, since the last shard was added. It follows from the entries of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Shards that there are with the one that was added: it tells this move from an earlier one.
    shards: u32,
    /// By shard that rows come from: all moving keys below the end are here.
    received: BTreeMap<u32, Span>,
    /// By shard that rows go to: all moving keys below the end are there.
    released: BTreeMap<u32, Span>,
}

/// What moved last: from the end before, to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    before: u64,
    upto: u64,
}

/// What a key is to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its shard answers for it.
    Ours,
    /// Another shard answers for it, and for all keys that move there below a bound.
    Gone {
        /// The shard.
        to: u32,
        /// The bound.
        upto: u64,
    },
    /// It is to come here, and has not yet.
    ToCome {
        /// The shard that still answers for it.
        from: u32,
    },
}

impl Moves {
    /// Takes in an entry of the log; the change in the number of rows that were there from the start. An entry that is in already
    /// changes nothing.
    pub fn apply(&mut self, change: Change) -> i64 {
        let Some((moved, sign)) = movement(change) else {
            return 0;
        };
        if moved.shards > self.shards {
            *self = Moves {
                shards: moved.shards,
                ..Moves::default()
            };
        }
        if moved.shards < self.shards {
            return 0;
        }
        let span = self.span(change, moved.shard);
        if moved.upto <= span.upto {
            return 0;
        }
        *span = Span {
            before: moved.before,
            upto: moved.upto,
        };
        sign * moved.rows.cast_signed()
    }

    /// Takes the last entry back; the change in the number of rows that were there from the start.
    pub fn undo(&mut self, change: Change) -> i64 {
        let Some((moved, sign)) = movement(change) else {
            return 0;
        };
        if moved.shards != self.shards {
            return 0;
        }
        let span = self.span(change, moved.shard);
        if span.upto != moved.upto || moved.before == moved.upto {
            return 0;
        }
        *span = Span {
            before: 0,
            upto: moved.before,
        };
        -sign * moved.rows.cast_signed()
    }

    fn span(&mut self, change: Change, shard: u32) -> &mut Span {
        let spans = match change {
            Change::Released(_) => &mut self.released,
            _ => &mut self.received,
        };
        spans.entry(shard).or_default()
    }

    /// Entries that say the same, for a copy; the rows are counted elsewhere.
    pub fn entries(&self) -> Vec<Change> {
        let moved = |(shard, span): (&u32, &Span)| Moved {
            shard: *shard,
            shards: self.shards,
            before: span.before,
            upto: span.upto,
            rows: 0,
        };
        let received = self.received.iter().map(moved).map(Change::Received);
        let released = self.released.iter().map(moved).map(Change::Released);
        received.chain(released).collect()
    }

    /// All keys below this that move from a shard to this one are here.
    pub fn received(&self, map: &ShardMap, from: u32) -> u64 {
        self.current(map, &self.received, from).upto
    }

    /// All keys below this that move from this shard to another are there.
    pub fn released(&self, map: &ShardMap, to: u32) -> u64 {
        self.current(map, &self.released, to).upto
    }

    /// The range that left last for another shard: where it begins, and where it ends.
    pub fn last_released(&self, map: &ShardMap, to: u32) -> (u64, u64) {
        let span = self.current(map, &self.released, to);
        (span.before, span.upto)
    }

    fn current(&self, map: &ShardMap, spans: &BTreeMap<u32, Span>, shard: u32) -> Span {
        let span = spans.get(&shard).filter(|_| self.shards == map.shards());
        span.copied().unwrap_or_default()
    }

    /// What a key is to a node of a shard.
    pub fn standing(&self, map: &ShardMap, own: u32, key: u64) -> Standing {
        match map.moves(key) {
            None => match map.shard(key) {
                shard if shard == own => Standing::Ours,
                to => Standing::Gone { to, upto: DONE },
            },
            Some((from, to)) if from == own => match self.released(map, to) {
                upto if key < upto => Standing::Gone { to, upto },
                _ => Standing::Ours,
            },
            Some((from, to)) if to == own => match self.received(map, from) {
                upto if key < upto => Standing::Ours,
                _ => Standing::ToCome { from },
            },
            Some((from, _)) => Standing::Gone { to: from, upto: 0 },
        }
    }

    /// Whether all has moved that was to move to this shard or away from it.
    pub fn all_moved(&self, map: &ShardMap, own: u32) -> bool {
        map.pairs().into_iter().all(|(from, to)| {
            (from != own || self.released(map, to) == DONE) && (to != own || self.received(map, from) == DONE)
        })
    }
}

/// What an entry says of a move, and whether rows come or go.
fn movement(change: Change) -> Option<(Moved, i64)> {
    match change {
        Change::Write(_) => None,
        Change::Received(moved) => Some((moved, 1)),
        Change::Released(moved) => Some((moved, -1)),
    }
}

/// Keys that are looked at for one range at most: a handler does not stop the world for longer.
const LOOKED_AT: u64 = 1 << 20;

/// The keys that move next from one shard to another, in order, and where their range ends: behind the last of them, or at [`DONE`].
pub fn next_range(map: &ShardMap, pair: (u32, u32), start: u64, keys: u64, most: usize) -> (Vec<u64>, u64) {
    let end = keys.min(start.saturating_add(LOOKED_AT));
    let moving: Vec<u64> = map.leaving(pair.0, pair.1, start..end).take(most).collect();
    let upto = match moving.last() {
        Some(last) if moving.len() == most => last + 1,
        _ if end == keys => DONE,
        _ => end,
    };
    (moving, upto)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::ShardBy;
    use crate::sim::Stream;

    const KEYS: u64 = 3_000;
    const ROWS: u64 = 2_500;

    const ALL: [ShardBy; 5] = [
        ShardBy::Modulo,
        ShardBy::ConsistentHash { virtual_nodes: 10 },
        ShardBy::Jump,
        ShardBy::Range,
        ShardBy::Directory,
    ];

    /// A node of each shard, and how many rows of the start it has.
    struct Nodes {
        map: ShardMap,
        moves: Vec<Moves>,
        rows: Vec<i64>,
    }

    impl Nodes {
        fn new(by: ShardBy, shards: u32) -> Nodes {
            let mut nodes = Nodes {
                map: ShardMap::new(Some(by), shards, KEYS),
                moves: vec![Moves::default(); shards as usize],
                rows: vec![0; shards as usize],
            };
            for key in 0..ROWS {
                nodes.rows[nodes.map.shard(key) as usize] += 1;
            }
            nodes
        }

        fn grow(&mut self) {
            self.map.grow();
            self.moves.push(Moves::default());
            self.rows.push(0);
        }

        fn apply(&mut self, shard: u32, change: Change) {
            self.rows[shard as usize] += self.moves[shard as usize].apply(change);
        }

        fn undo(&mut self, shard: u32, change: Change) {
            self.rows[shard as usize] += self.moves[shard as usize].undo(change);
        }

        /// The entries of the next range from one shard to another: of the source and of the target.
        fn next(&self, (from, to): (u32, u32), most: usize) -> (Change, Change) {
            let before = self.moves[from as usize].released(&self.map, to);
            assert_eq!(before, self.moves[to as usize].received(&self.map, from));
            let (keys, upto) = next_range(&self.map, (from, to), before, KEYS, most);
            assert!(keys.len() <= most && keys.iter().all(|key| (before..upto).contains(key)));
            let moved = |shard| Moved {
                shard,
                shards: self.map.shards(),
                before,
                upto,
                rows: keys.iter().filter(|key| **key < ROWS).count() as u64,
            };
            (Change::Released(moved(to)), Change::Received(moved(from)))
        }

        fn owners(&self, key: u64) -> usize {
            let standings = self.moves.iter().zip(0..);
            standings
                .filter(|(moves, own)| moves.standing(&self.map, *own, key) == Standing::Ours)
                .count()
        }

        fn all_moved(&self) -> bool {
            self.moves
                .iter()
                .zip(0..)
                .all(|(moves, own)| moves.all_moved(&self.map, own))
        }
    }

    #[test]
    fn a_key_never_has_two_owners_and_has_one_when_nothing_is_on_its_way() {
        let mut draws = Stream::new(1, "migration", "test");
        for by in ALL {
            let mut nodes = Nodes::new(by, 2);
            for _ in 0..3 {
                nodes.grow();
                let mut open = nodes.map.pairs();
                assert!(!nodes.all_moved());
                while !open.is_empty() {
                    let place = draws.draw().below(open.len() as u64) as usize;
                    let pair = open[place];
                    let (released, received) = nodes.next(pair, 1 + draws.draw().below(200) as usize);
                    nodes.apply(pair.0, released);
                    assert!((0..KEYS).all(|key| nodes.owners(key) <= 1));
                    nodes.apply(pair.1, received);
                    assert!((0..KEYS).all(|key| nodes.owners(key) == 1), "{by:?}");
                    assert_eq!(nodes.rows.iter().sum::<i64>(), ROWS.cast_signed());
                    if nodes.moves[pair.1 as usize].received(&nodes.map, pair.0) == DONE {
                        open.swap_remove(place);
                    }
                }
                assert!(nodes.all_moved());
                nodes.map.settle();
                assert!((0..KEYS).all(|key| nodes.owners(key) == 1));
                for shard in 0..nodes.map.shards() {
                    let owned = (0..ROWS).filter(|key| nodes.map.shard(*key) == shard).count() as u64;
                    assert_eq!(nodes.rows[shard as usize], owned.cast_signed(), "{by:?}, shard {shard}");
                }
            }
        }
    }

    #[test]
    fn what_is_taken_back_was_never_there_and_what_comes_twice_counts_once() {
        let mut nodes = Nodes::new(ShardBy::Modulo, 2);
        nodes.grow();
        let (released, received) = nodes.next((0, 1), 100);
        let (rows, moves) = (nodes.rows.clone(), nodes.moves.clone());
        nodes.apply(0, released);
        nodes.apply(1, received);
        assert_ne!(nodes.rows, rows);
        nodes.undo(1, received);
        nodes.undo(0, released);
        assert_eq!(nodes.rows, rows);
        assert_eq!(nodes.moves[0].released(&nodes.map, 1), moves[0].released(&nodes.map, 1));
        for _ in 0..2 {
            nodes.apply(0, released);
            nodes.apply(1, received);
        }
        let once = nodes.rows.clone();
        let (next, _) = nodes.next((0, 1), 100);
        nodes.apply(0, next);
        nodes.apply(0, released);
        nodes.undo(0, next);
        assert_eq!(nodes.rows, once);
    }

    #[test]
    fn keys_are_answered_for_where_they_are() {
        let mut nodes = Nodes::new(ShardBy::Range, 2);
        nodes.grow();
        // Shard 2 takes [750, 1500) from shard 0.
        let standing = |nodes: &Nodes, own: u32, key| nodes.moves[own as usize].standing(&nodes.map, own, key);
        assert_eq!(standing(&nodes, 0, 750), Standing::Ours);
        assert_eq!(standing(&nodes, 2, 750), Standing::ToCome { from: 0 });
        assert_eq!(standing(&nodes, 1, 750), Standing::Gone { to: 0, upto: 0 });
        assert_eq!(standing(&nodes, 1, 100), Standing::Gone { to: 0, upto: DONE });
        let (released, received) = nodes.next((0, 2), 50);
        nodes.apply(0, released);
        assert_eq!(standing(&nodes, 0, 799), Standing::Gone { to: 2, upto: 800 });
        assert_eq!(standing(&nodes, 0, 800), Standing::Ours);
        assert_eq!(standing(&nodes, 2, 799), Standing::ToCome { from: 0 });
        nodes.apply(2, received);
        assert_eq!(standing(&nodes, 2, 799), Standing::Ours);
        assert_eq!(standing(&nodes, 2, 800), Standing::ToCome { from: 0 });
    }

    #[test]
    fn a_range_ends_when_enough_keys_were_looked_at() {
        let mut map = ShardMap::new(Some(ShardBy::Range), 2, 8 << 20);
        map.grow();
        assert_eq!(next_range(&map, (0, 2), 0, 8 << 20, 10), (Vec::new(), 1 << 20));
        assert_eq!(
            next_range(&map, (0, 2), 2 << 20, 8 << 20, 2),
            (vec![2 << 20, (2 << 20) + 1], (2 << 20) + 2)
        );
        assert_eq!(next_range(&map, (0, 2), 7 << 20, 8 << 20, 2), (Vec::new(), DONE));
    }
}
