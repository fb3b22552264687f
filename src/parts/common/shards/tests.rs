//! The maps against theory: how many keys move, where to, and how even the shards are.

use super::scheme::{hash, jump};
use super::*;
use crate::parts::common::ring::Ring;

const KEYS: u64 = 200_000;
/// Standard deviation of a share of one in five when so many keys are drawn.
const SAMPLING: f64 = 0.0009;

const ALL: [ShardBy; 5] = [
    ShardBy::Modulo,
    ShardBy::ConsistentHash { virtual_nodes: 100 },
    ShardBy::Jump,
    ShardBy::Range,
    ShardBy::Directory,
];

fn grown(by: ShardBy, shards: u32) -> ShardMap {
    let mut map = ShardMap::new(Some(by), shards, KEYS);
    map.grow();
    map
}

fn sizes(map: &ShardMap) -> Vec<u64> {
    let mut sizes = vec![0; map.shards() as usize];
    for key in 0..KEYS {
        sizes[map.shard(key) as usize] += 1;
    }
    sizes
}

#[test]
fn a_fifth_shard_moves_what_theory_says() {
    // By modulo a key stays if its hash leaves the same remainder by 4 and by 5: 4 of 20 remainders do.
    let cases = [
        (ShardBy::Modulo, 0.8, SAMPLING),
        (ShardBy::Jump, 0.2, SAMPLING),
        // The new shard's share has a beta distribution: its standard deviation is sqrt((1/5)(4/5) / 501).
        (ShardBy::ConsistentHash { virtual_nodes: 100 }, 0.2, 0.0179),
        // 204 of 1,024 buckets.
        (ShardBy::Directory, 204.0 / 1024.0, SAMPLING),
        // Half of one of four ranges.
        (ShardBy::Range, 0.125, 0.0),
    ];
    for (by, expected, deviation) in cases {
        let share = grown(by, 4).moving_share();
        assert!(
            (share - expected).abs() <= 4.0 * deviation,
            "{by:?}: {share:.4} of the keys move, not {expected:.4} (+- 4 x {deviation})"
        );
    }
}

#[test]
fn the_share_that_consistent_hashing_moves_varies_as_theory_says() {
    for (each, deviation) in [(1, 0.1633), (10, 0.0560), (100, 0.0179)] {
        // The share of the fifth of five shards: beta with parameters v and 4 v, standard deviation sqrt(0.16 / (5 v + 1)).
        let shares: Vec<f64> = (0..2_000).map(|salt| Ring::new(5, each, salt).shares()[4]).collect();
        let (mean, measured) = moments(&shares);
        assert!(
            (mean - 0.2).abs() < 4.0 * deviation / 2_000_f64.sqrt() && (measured / deviation - 1.0).abs() < 0.1,
            "{each} points: {mean:.4} +- {measured:.4} of the keys move, not 0.2 +- {deviation}"
        );
    }
}

#[test]
fn every_key_has_one_owner_and_keeps_it_unless_it_moves() {
    for by in ALL {
        let before = ShardMap::new(Some(by), 4, KEYS);
        let mut map = grown(by, 4);
        assert_eq!((before.shards(), map.shards()), (4, 5));
        assert!(map.is_moving() && !before.is_moving());
        let mut moved = 0;
        for key in 0..KEYS {
            let (old, new) = (before.shard(key), map.shard(key));
            assert!(old < 4 && new < 5, "{by:?}: key {key} from shard {old} to {new}");
            assert_eq!(map.before(key), Some(old));
            assert_eq!(map.moves(key), (old != new).then_some((old, new)), "{by:?}: key {key}");
            moved += u32::from(old != new);
        }
        assert!((map.moving_share() - f64::from(moved) / KEYS as f64).abs() < 1e-9);
        map.settle();
        assert!(!map.is_moving() && map.moving_share() < f64::EPSILON);
        assert_eq!((map.before(1), map.moves(1)), (None, None));
    }
}

#[test]
fn keys_move_only_to_the_new_shard_but_by_modulo() {
    for by in ALL {
        let map = grown(by, 4);
        let targets: Vec<u32> = (0..KEYS).filter_map(|key| map.moves(key)).map(|(_, to)| to).collect();
        let only_new = targets.iter().all(|to| *to == 4);
        assert_eq!(only_new, by != ShardBy::Modulo, "{by:?}");
    }
}

#[test]
fn keys_leave_between_the_shards_of_the_pairs_and_no_others() {
    for by in ALL {
        let mut map = ShardMap::new(Some(by), 3, 20_000);
        for _ in 0..4 {
            map.grow();
            let mut found = Vec::new();
            for (from, to) in map.pairs() {
                let chunks = (0..20).map(|chunk| chunk * 1_000..(chunk + 1) * 1_000);
                let chunked: Vec<u64> = chunks.flat_map(|keys| map.leaving(from, to, keys)).collect();
                let whole: Vec<u64> = map.leaving(from, to, 0..20_000).collect();
                assert_eq!(chunked, whole);
                assert!(whole.iter().all(|key| map.moves(*key) == Some((from, to))));
                found.extend(whole);
            }
            found.sort_unstable();
            let moving: Vec<u64> = (0..20_000).filter(|key| map.moves(*key).is_some()).collect();
            assert_eq!(found, moving, "{by:?} to {} shards", map.shards());
            map.settle();
            assert_eq!(map.pairs(), []);
        }
    }
}

#[test]
fn all_pairs_exchange_keys_by_modulo_and_only_the_largest_range_gives() {
    assert_eq!(grown(ShardBy::Modulo, 4).pairs().len(), 4 * 4);
    assert_eq!(grown(ShardBy::Jump, 3).pairs(), [(0, 3), (1, 3), (2, 3)]);
    assert_eq!(grown(ShardBy::Directory, 3).pairs(), [(0, 3), (1, 3), (2, 3)]);
    let mut map = grown(ShardBy::Range, 2);
    assert_eq!(map.pairs(), [(0, 2)]);
    assert_eq!(
        (map.moves(49_999), map.moves(50_000), map.moves(100_000)),
        (None, Some((0, 2)), None)
    );
    map.settle();
    map.grow();
    assert_eq!(map.pairs(), [(1, 3)]);
    assert_eq!((map.shard(149_999), map.shard(150_000), map.shard(u64::MAX)), (1, 3, 3));
}

#[test]
fn points_make_shards_even_as_published() {
    // Lamping and Veach 2014 give the standard error of 1,000 shards with 1, 10 and 100 points, and where 99 % of them lie.
    let published = [
        (1, 0.997_906, 0.005, 5.25),
        (10, 0.315_181, 0.37, 1.98),
        (100, 0.099_699_6, 0.76, 1.28),
    ];
    for (each, error, low, high) in published {
        let mut shares = Ring::new(1_000, each, 1).shares();
        for share in &mut shares {
            *share *= 1_000.0;
        }
        let (_, deviation) = moments(&shares);
        shares.sort_unstable_by(f64::total_cmp);
        let (least, most) = (shares[5], shares[994]);
        assert!(
            (deviation / error - 1.0).abs() < 0.1 && (least - low).abs() < 0.05 && (most / high - 1.0).abs() < 0.1,
            "{each} points: standard error {deviation:.3}, 99 % within {least:.3} to {most:.3}; \
             published {error:.3}, {low} to {high}"
        );
    }
}

#[test]
fn the_largest_of_ten_shards_is_as_large_as_theory_says() {
    for (each, published) in [(1, 2.929), (10, 1.54), (100, 1.15)] {
        let ratios: Vec<f64> = (0..2_000)
            .map(|salt| Ring::new(10, each, salt).shares().into_iter().fold(0.0, f64::max) * 10.0)
            .collect();
        let (mean, deviation) = moments(&ratios);
        let worst = largest_of_ten(each);
        assert!((worst - published).abs() < 0.01, "{worst:.3} by the formula");
        assert!(
            (mean - worst).abs() < 4.0 * deviation / 2_000_f64.sqrt(),
            "{each} points: the largest of 10 shards is {mean:.4} times the mean, not {worst:.4}"
        );
    }
}

/// How many times the mean the largest of ten shards is: shares of a ring are those of gamma variables in their sum, so it is the mean
/// of the largest of ten with this shape, over the shape. For one point it is the harmonic number H(10).
fn largest_of_ten(shape: u32) -> f64 {
    const STEP: f64 = 0.01;
    let above = |x: f64| {
        let mut term = (-x).exp();
        let mut sum = term;
        for k in 1..shape {
            term *= x / f64::from(k);
            sum += term;
        }
        sum
    };
    let steps = (f64::from(shape) * 2.0 + 30.0) / STEP;
    let largest: f64 = (0..steps as u32)
        .map(|step| 1.0 - (1.0 - above((f64::from(step) + 0.5) * STEP)).powi(10))
        .sum();
    largest * STEP / f64::from(shape)
}

#[test]
fn keys_lie_on_the_ring_as_its_arcs_say() {
    let ring = Ring::new(10, 10, 7);
    let mut sizes = [0_u32; 10];
    (0..KEYS).for_each(|key| sizes[ring.owner(hash(key)) as usize] += 1);
    for (shard, share) in ring.shares().into_iter().enumerate() {
        let measured = f64::from(sizes[shard]) / KEYS as f64;
        assert!(
            (measured - share).abs() < 4.0 * (share / KEYS as f64).sqrt(),
            "shard {shard}: {measured:.4} of the keys, {share:.4} of the ring"
        );
    }
}

#[test]
fn all_but_the_ring_are_even() {
    for (by, deviations) in [(ShardBy::Modulo, 4.5), (ShardBy::Jump, 4.5), (ShardBy::Range, 0.01)] {
        for size in sizes(&ShardMap::new(Some(by), 10, KEYS)) {
            let distance = (size as f64 - 20_000.0) / (20_000.0_f64 * 0.9).sqrt();
            assert!(
                distance.abs() < deviations,
                "{by:?}: {size} keys of {KEYS} in one of 10 shards"
            );
        }
    }
    // Of a directory with 1,024 buckets seven shards have 146 or 147 each; shards that are added one after the other, too.
    let mut map = ShardMap::new(Some(ShardBy::Directory), 3, KEYS);
    for _ in 3..7 {
        map.grow();
        map.settle();
    }
    for size in sizes(&map) {
        let buckets = size as f64 / KEYS as f64 * 1024.0;
        assert!(
            (145.0..148.0).contains(&(buckets.round())),
            "{buckets:.1} buckets in one of 7 shards"
        );
    }
}

#[test]
fn jump_hashing_gives_the_published_values() {
    // From the tests of go-jump, rust-jumphash and python-jump-consistent-hash, made with the code of the paper.
    let published = [
        (1, 1, 0),
        (42, 57, 43),
        (0xDEAD_10CC, 1, 0),
        (0xDEAD_10CC, 666, 361),
        (256, 1_024, 520),
        (123_456, 1_000, 984),
    ];
    for (hash, shards, shard) in published {
        assert_eq!(jump(hash, shards), shard, "of {hash} with {shards} shards");
    }
}

#[test]
fn without_sharding_there_is_one_shard() {
    let map = ShardMap::new(None, 1, KEYS);
    assert_eq!((map.shards(), map.shard(7), map.is_moving()), (1, 0, false));
    assert_eq!(map.pairs(), []);
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}
