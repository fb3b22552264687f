//! Randomness that is named, portable and the same on every platform.
//!
//! The generator is `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). It is used in two
//! ways: as a stream, one for each service and purpose, and counter-based, where a draw depends on nothing but the seed, a
//! request and a purpose. So two branches of a run see the same traffic, whatever was done to one of them.

/// The golden ratio in 64 bits, the increment of `SplitMix64`.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of `SplitMix64`: a bijection that spreads every bit of its input over the output.
#[inline]
pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A hash of a full name (FNV-1a, then mixed), which seeds the streams of what bears it.
pub fn name_hash(name: &str) -> u64 {
    let fnv = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(fnv)
}

/// One random number: 64 independent bits, to be read once in the way that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw(pub u64);

impl Draw {
    /// The draw that belongs to a seed, an item (a request's id) and a purpose, whenever and wherever it is made.
    #[inline]
    pub fn of(seed: u64, item: u64, purpose: u64) -> Draw {
        let item = mix(seed ^ item.wrapping_mul(GAMMA));
        Draw(mix(item.wrapping_add(purpose.wrapping_mul(GAMMA))))
    }

    /// Uniform in [0, 1), with 53 bits.
    #[inline]
    pub fn unit(self) -> f64 {
        (self.0 >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in 0..bound by multiplication (Lemire 2019, without rejection: the bias is below bound / 2^64).
    #[inline]
    pub fn below(self, bound: u64) -> u64 {
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }

    /// Exponential with mean 1.
    #[inline]
    pub fn exponential(self) -> f64 {
        -libm::log(1.0 - self.unit())
    }

    /// Normal with mean 0 and variance 1 (Box and Muller 1958, one of the pair).
    pub fn normal(self) -> f64 {
        let radius = libm::sqrt(2.0 * self.exponential());
        let angle = std::f64::consts::TAU * Draw(mix(self.0 ^ GAMMA)).unit();
        radius * libm::cos(angle)
    }
}

/// A stream of draws for what is not tied to a request: checks' phases, a balancer's choices, jitter.
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of a seed, a full name and a purpose.
    pub fn new(seed: u64, name: &str, purpose: &str) -> Stream {
        Stream {
            state: mix(seed ^ mix(name_hash(name).wrapping_add(name_hash(purpose)))),
        }
    }

    /// The next draw.
    #[inline]
    pub fn draw(&mut self) -> Draw {
        self.state = self.state.wrapping_add(GAMMA);
        Draw(mix(self.state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_the_published_sequence() {
        // The first outputs for seed 1234567, as in the reference implementation (Vigna, splitmix64.c).
        let mut stream = Stream { state: 1_234_567 };
        let first: Vec<u64> = (0..3).map(|_| stream.draw().0).collect();
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
    fn draws_have_the_moments_of_their_distributions() {
        let draws = |purpose| (0..200_000).map(move |item| Draw::of(7, item, purpose));
        let mean = |sum: f64| sum / 200_000.0;
        assert!((mean(draws(1).map(Draw::unit).sum()) - 0.5).abs() < 0.005);
        assert!((mean(draws(2).map(Draw::exponential).sum()) - 1.0).abs() < 0.01);
        assert!(mean(draws(3).map(Draw::normal).sum()).abs() < 0.01);
        assert!((mean(draws(4).map(|draw| draw.normal().powi(2)).sum()) - 1.0).abs() < 0.02);
        assert!(draws(5).all(|draw| draw.below(10) < 10));
    }
}
