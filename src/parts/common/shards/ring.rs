//! Consistent hashing (Karger et al. 1997): points on a ring, each of which owns what lies before it.

use crate::sim::Draw;

/// Points on a ring of 2^64 places. A shard owns the places up to each of its points, from the point before it.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    /// The points and whose they are, in their order on the ring.
    points: Vec<(u64, u32)>,
    shards: u32,
    /// Points of each shard.
    each: u32,
    /// Another salt scatters the points differently.
    salt: u64,
}

impl Ring {
    pub(super) fn new(shards: u32, each: u32, salt: u64) -> Ring {
        let mut points: Vec<(u64, u32)> = (0..shards).flat_map(|shard| points(shard, each, salt)).collect();
        points.sort_unstable();
        Ring {
            points,
            shards,
            each,
            salt,
        }
    }

    pub(super) fn shards(&self) -> u32 {
        self.shards
    }

    /// With the points of one more shard; all others stay where they are.
    pub(super) fn grown(&self) -> Ring {
        Ring::new(self.shards + 1, self.each, self.salt)
    }

    /// Whose a place is: that of the first point from there on, around the ring.
    #[inline]
    pub(super) fn owner(&self, place: u64) -> u32 {
        let next = self.points.partition_point(|(point, _)| *point < place);
        self.points.get(next).unwrap_or(&self.points[0]).1
    }

    /// The places of a shard's points.
    pub(super) fn places(&self, shard: u32) -> impl Iterator<Item = u64> {
        points(shard, self.each, self.salt).map(|(place, _)| place)
    }

    /// The share of the ring that each shard owns.
    #[cfg(test)]
    pub(super) fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.shards as usize];
        let mut last = self.points[self.points.len() - 1].0;
        for (point, shard) in &self.points {
            shares[*shard as usize] += point.wrapping_sub(last) as f64 / 2_f64.powi(64);
            last = *point;
        }
        shares
    }
}

/// The points of a shard, whichever others there are.
fn points(shard: u32, each: u32, salt: u64) -> impl Iterator<Item = (u64, u32)> {
    (0..each).map(move |number| (Draw::of(salt, u64::from(shard), u64::from(number)).0, shard))
}
