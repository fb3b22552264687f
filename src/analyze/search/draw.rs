//! Chance: a stream of numbers of its own for each try, so that a try is the same on every machine, whatever was tried before it.

/// Between two states of the generator: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The generator `SplitMix64` (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
#[derive(Clone, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    /// The stream of a try.
    pub(super) fn of(seed: u64, number: u64) -> Draw {
        // Streams of seeds or numbers that stand beside each other must not run in step.
        Draw(Draw(seed).next() ^ Draw(!number).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound, which is above 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The upper half of the product (Lemire 2019): the bounds here are so small that no bias can be seen.
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several, all alike. There is at least one.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    /// One of several by their weights; none if nothing has any weight.
    pub(super) fn weighted<'a, T>(&mut self, all: &'a [T], weight: impl Fn(&T) -> u64) -> Option<&'a T> {
        let total: u64 = all.iter().map(&weight).sum();
        if total == 0 {
            return None;
        }
        let mut left = self.below(total);
        all.iter().find(|one| {
            let weight = weight(one);
            let is_it = left < weight;
            left = left.saturating_sub(weight);
            is_it
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // The first numbers of the reference implementation for the seed 1234567.
        let mut draw = Draw(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| draw.next()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn neighbours_differ_and_equals_do_not() {
        let first = |seed, number| Draw::of(seed, number).next();
        assert_eq!(first(7, 3), first(7, 3));
        let all = [first(7, 3), first(7, 4), first(8, 3), first(3, 7), first(4, 7)];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{all:?}");
        }
    }

    #[test]
    fn weights_weigh() {
        let mut draw = Draw::of(1, 1);
        let mut counts = [0_u64; 3];
        for _ in 0..10_000 {
            let index = *draw
                .weighted(&[0_usize, 1, 2], |index| [1, 0, 3][*index])
                .expect("there is weight");
            counts[index] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((2_200..2_800).contains(&counts[0]), "{counts:?}");
        assert_eq!(draw.weighted(&[1, 2], |_| 0), None);
    }
}
