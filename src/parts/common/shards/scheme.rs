//! The ways from a key to its shard.

use crate::layout::ShardBy;
use crate::parts::common::ring::Ring;
use crate::sim::mix;

/// A way from keys to shards.
#[derive(Clone, Debug)]
pub(super) enum Scheme {
    /// There is one shard.
    One,
    Modulo {
        shards: u32,
    },
    Ring(Ring),
    Jump {
        shards: u32,
    },
    Ranges(Ranges),
    Directory(Directory),
}

/// Where the hashes of keys begin, so that key 0 is hashed too: the first digits of pi.
const SALT: u64 = 0x243f_6a88_85a3_08d3;

#[inline]
pub(super) fn hash(key: u64) -> u64 {
    mix(key ^ SALT)
}

impl Scheme {
    pub(super) fn new(by: Option<ShardBy>, shards: u32, keys: u64) -> Scheme {
        match by {
            None => Scheme::One,
            Some(ShardBy::Modulo) => Scheme::Modulo { shards },
            Some(ShardBy::ConsistentHash { virtual_nodes }) => Scheme::Ring(Ring::new(shards, virtual_nodes, SALT)),
            Some(ShardBy::Jump) => Scheme::Jump { shards },
            Some(ShardBy::Range) => Scheme::Ranges(Ranges::new(shards, keys)),
            Some(ShardBy::Directory) => Scheme::Directory(Directory::new(shards)),
        }
    }

    #[inline]
    pub(super) fn shard(&self, key: u64) -> u32 {
        match self {
            Scheme::One => 0,
            Scheme::Modulo { shards } => (hash(key) % u64::from(*shards)) as u32,
            Scheme::Ring(ring) => ring.owner(hash(key)),
            Scheme::Jump { shards } => jump(hash(key), *shards),
            Scheme::Ranges(ranges) => ranges.owner(key),
            Scheme::Directory(directory) => directory.owner(hash(key)),
        }
    }

    /// Whether it takes long to find the shard of a key.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Scheme::Ring(_) | Scheme::Directory(_) | Scheme::Jump { .. })
    }

    pub(super) fn shards(&self) -> u32 {
        match self {
            Scheme::One => 1,
            Scheme::Modulo { shards } | Scheme::Jump { shards } => *shards,
            Scheme::Ring(ring) => ring.shards(),
            Scheme::Ranges(ranges) => ranges.starts.len() as u32,
            Scheme::Directory(directory) => directory.shards,
        }
    }

    /// With one more shard.
    pub(super) fn grown(&self) -> Scheme {
        match self {
            Scheme::One => panic!("a shard is added to a database that has no way from keys to shards"),
            Scheme::Modulo { shards } => Scheme::Modulo { shards: shards + 1 },
            Scheme::Ring(ring) => Scheme::Ring(ring.grown()),
            Scheme::Jump { shards } => Scheme::Jump { shards: shards + 1 },
            Scheme::Ranges(ranges) => Scheme::Ranges(ranges.grown()),
            Scheme::Directory(directory) => Scheme::Directory(directory.grown()),
        }
    }

    /// The shards between which keys may move when this is what was before, and there is one more now.
    pub(super) fn pairs(&self, now: &Scheme) -> Vec<(u32, u32)> {
        let (old, new) = (self.shards(), now.shards() - 1);
        let mut sources: Vec<u32> = match (self, now) {
            (Scheme::Modulo { .. }, _) => {
                let all = (0..old).flat_map(|from| (0..=new).map(move |to| (from, to)));
                return all.filter(|(from, to)| from != to).collect();
            }
            (Scheme::Ring(before), Scheme::Ring(now)) => now.places(new).map(|place| before.owner(place)).collect(),
            (Scheme::Ranges(before), Scheme::Ranges(now)) => vec![before.owner(now.start(new))],
            (Scheme::Directory(before), Scheme::Directory(now)) => before.given(now, new).collect(),
            _ => (0..old).collect(),
        };
        sources.sort_unstable();
        sources.dedup();
        sources.into_iter().map(|from| (from, new)).collect()
    }
}

/// Jump consistent hashing (Lamping and Veach 2014): the shard after the last jump of a key whose jumps are the same however many
/// shards there are.
#[inline]
pub(super) fn jump(mut hash: u64, shards: u32) -> u32 {
    let (mut shard, mut next) = (0, 0);
    while next < u64::from(shards) {
        shard = next;
        hash = hash.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let stride = (1_u64 << 31) as f64 / ((hash >> 33) + 1) as f64;
        next = ((shard + 1) as f64 * stride) as u64;
    }
    shard as u32
}

/// Ranges of keys, one for each shard.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    /// Where each begins, and whose it is, in order. The last one has no end.
    starts: Vec<(u64, u32)>,
    /// Keys are below this; it counts as the end of the last range when the largest is sought.
    keys: u64,
}

impl Ranges {
    /// Equal ranges.
    fn new(shards: u32, keys: u64) -> Ranges {
        let start = |shard: u32| (u128::from(keys) * u128::from(shard) / u128::from(shards)) as u64;
        Ranges {
            starts: (0..shards).map(|shard| (start(shard), shard)).collect(),
            keys,
        }
    }

    #[inline]
    fn owner(&self, key: u64) -> u32 {
        let next = self.starts.partition_point(|(start, _)| *start <= key);
        self.starts[next - 1].1
    }

    fn start(&self, shard: u32) -> u64 {
        let range = self.starts.iter().find(|(_, owner)| *owner == shard);
        range.expect("every shard has a range").0
    }

    /// The new shard has the upper half of the largest range, the first of them if several are.
    fn grown(&self) -> Ranges {
        let mut starts = self.starts.clone();
        let size = |place: usize| {
            let end = starts.get(place + 1).map_or(self.keys, |(next, _)| *next);
            end.saturating_sub(starts[place].0)
        };
        let largest = (0..starts.len()).rev().max_by_key(|place| size(*place));
        let largest = largest.expect("there is a range");
        let middle = starts[largest].0 + size(largest).div_ceil(2);
        starts.insert(largest + 1, (middle, starts.len() as u32));
        Ranges {
            starts,
            keys: self.keys,
        }
    }
}

/// Buckets of hashes: a shift of the hash that leaves ten bits.
const BUCKETS: u32 = 1_024;
const BUCKET_SHIFT: u32 = u64::BITS - BUCKETS.ilog2();

/// A table that tells the shard of each bucket.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    owners: Vec<u32>,
    shards: u32,
}

impl Directory {
    fn new(shards: u32) -> Directory {
        Directory {
            owners: (0..BUCKETS).map(|bucket| bucket % shards).collect(),
            shards,
        }
    }

    #[inline]
    fn owner(&self, hash: u64) -> u32 {
        self.owners[(hash >> BUCKET_SHIFT) as usize]
    }

    /// The new shard has its share of the buckets, each from the shard that has most then.
    fn grown(&self) -> Directory {
        let mut owners = self.owners.clone();
        let mut sizes = vec![0_u32; self.shards as usize];
        for owner in &owners {
            sizes[*owner as usize] += 1;
        }
        for _ in 0..BUCKETS / (self.shards + 1) {
            let fullest = (0..sizes.len()).rev().max_by_key(|shard| sizes[*shard]).unwrap_or(0);
            let bucket = owners.iter().rposition(|owner| *owner as usize == fullest);
            owners[bucket.expect("the fullest has a bucket")] = self.shards;
            sizes[fullest] -= 1;
        }
        Directory {
            owners,
            shards: self.shards + 1,
        }
    }

    /// Whose the buckets were that belong to a new shard now.
    fn given<'a>(&'a self, now: &'a Directory, new: u32) -> impl Iterator<Item = u32> + 'a {
        let both = self.owners.iter().zip(&now.owners);
        both.filter(move |(_, now)| **now == new).map(|(before, _)| *before)
    }
}
