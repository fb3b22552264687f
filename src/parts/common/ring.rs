//! Consistent hashing (Karger et al. 1997): points on a ring, each of which owns what lies before it. Shards of a database and nodes of a
//! cache tier are found by it.

use crate::sim::Draw;

/// Points on a ring of 2^64 places. An owner has the places up to each of its points, from the point before it.
#[derive(Clone, Debug)]
pub struct Ring {
    /// The points and whose they are, in their order on the ring.
    points: Vec<(u64, u32)>,
    shards: u32,
    /// Points of each owner.
    each: u32,
    /// Another salt scatters the points differently.
    salt: u64,
}

impl Ring {
    /// A ring of so many shards, numbered from 0, each with so many points.
    pub fn new(shards: u32, each: u32, salt: u64) -> Ring {
        Ring::of(0..shards, each, salt)
    }

    /// A ring of these owners, each with so many points, which are its own whichever others there are.
    pub fn of(owners: impl IntoIterator<Item = u32>, each: u32, salt: u64) -> Ring {
        let mut shards = 0;
        let owners = owners.into_iter().inspect(|_| shards += 1);
        let mut points: Vec<(u64, u32)> = owners.flat_map(|owner| points(owner, each, salt)).collect();
        points.sort_unstable();
        Ring {
            points,
            shards,
            each,
            salt,
        }
    }

    /// How many own something.
    pub fn shards(&self) -> u32 {
        self.shards
    }

    /// With the points of one more shard; all others stay where they are.
    pub fn grown(&self) -> Ring {
        Ring::new(self.shards + 1, self.each, self.salt)
    }

    /// Whose a place is: that of the first point from there on, around the ring. There must be an owner.
    #[inline]
    pub fn owner(&self, place: u64) -> u32 {
        let next = self.points.partition_point(|(point, _)| *point < place);
        self.points.get(next).unwrap_or(&self.points[0]).1
    }

    /// The owners of all points from a place on, once around the ring: the first is whose the place is. An owner comes up at each of its
    /// points.
    pub fn walk(&self, place: u64) -> impl Iterator<Item = u32> + '_ {
        let next = self.points.partition_point(|(point, _)| *point < place);
        let (before, after) = self.points.split_at(next);
        after.iter().chain(before).map(|(_, owner)| *owner)
    }

    /// The places of a shard's points.
    pub fn places(&self, shard: u32) -> impl Iterator<Item = u64> {
        points(shard, self.each, self.salt).map(|(place, _)| place)
    }

    /// The share of the ring that each shard owns.
    #[cfg(test)]
    pub fn shares(&self) -> Vec<f64> {
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
