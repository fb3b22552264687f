//! The server with the fewest requests under way, found in few steps however many there are.
//!
//! A tournament: servers meet in pairs, the winners meet in pairs, and so on. When the count of one changes, only its own matches are played
//! again, one in each round.

/// The count of a place that can't be chosen.
const CLOSED: u32 = u32::MAX;

/// Counts by place, with the least of each half, quarter and so on.
#[derive(Debug, Default)]
pub struct Least {
    /// The matches as a heap: the root at 1, those below `n` at `2n` and `2n + 1`; the places themselves are the last half.
    counts: Vec<u32>,
    /// Where the places begin: a power of two.
    leaves: usize,
    /// Places that are looked at one by one, as they have no whole count, in their order.
    pub apart: Vec<usize>,
}

impl Least {
    /// As many places, all closed.
    pub fn new(places: usize) -> Least {
        let leaves = places.next_power_of_two();
        Least {
            counts: vec![CLOSED; 2 * leaves],
            leaves,
            apart: Vec::new(),
        }
    }

    /// A place has so many requests under way; `None` where it can't be chosen.
    pub fn set(&mut self, place: usize, count: Option<u32>) {
        let mut at = self.leaves + place;
        self.counts[at] = count.unwrap_or(CLOSED);
        while at > 1 {
            at /= 2;
            let winner = self.counts[2 * at].min(self.counts[2 * at + 1]);
            if self.counts[at] == winner {
                return;
            }
            self.counts[at] = winner;
        }
    }

    /// A place is looked at one by one, or no more.
    pub fn put_apart(&mut self, place: usize, apart: bool) {
        match self.apart.binary_search(&place) {
            Err(gap) if apart => self.apart.insert(gap, place),
            Ok(found) if !apart => {
                self.apart.remove(found);
            }
            _ => {}
        }
    }

    /// The first place with the least count, in turn from `turn` on, and its count. Those of `but` are passed over.
    pub fn first(&self, turn: usize, but: &[usize]) -> Option<(usize, u32)> {
        // Without the few that are passed over, what is left are stretches between them.
        let mut borders: Vec<usize> = but.to_vec();
        borders.sort_unstable();
        let mut best: Option<(usize, u32)> = None;
        for (from, to) in [(turn, self.leaves), (0, turn)] {
            let mut from = from;
            let inside = borders.iter().copied().filter(|border| (from..to).contains(border));
            for end in inside.collect::<Vec<usize>>().into_iter().chain([to]) {
                let found = self.first_within(from, end);
                if let Some((_, count)) = found
                    && best.is_none_or(|(_, least)| count < least)
                {
                    best = found;
                }
                from = end + 1;
            }
        }
        best
    }

    /// The first place with the least count of a stretch.
    fn first_within(&self, from: usize, to: usize) -> Option<(usize, u32)> {
        // The halves, quarters and so on that make up the stretch: those of its left end in their order, those of its right end from the back.
        let (mut left, mut right) = (from + self.leaves, to.max(from) + self.leaves);
        let (mut first, mut last): (Option<usize>, Option<usize>) = (None, None);
        let beats = |one: usize, other: Option<usize>| other.is_none_or(|other| self.counts[one] < self.counts[other]);
        while left < right {
            if left % 2 == 1 {
                first = if beats(left, first) { Some(left) } else { first };
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                // It stands before those that were found at this end so far.
                let wins = last.is_none_or(|last| self.counts[right] <= self.counts[last]);
                last = if wins { Some(right) } else { last };
            }
            left /= 2;
            right /= 2;
        }
        let mut at = match (first, last) {
            (Some(first), Some(last)) if self.counts[last] < self.counts[first] => last,
            (first, last) => first.or(last)?,
        };
        let count = self.counts[at];
        while at < self.leaves {
            at = if self.counts[2 * at] == count {
                2 * at
            } else {
                2 * at + 1
            };
        }
        (count != CLOSED).then(|| (at - self.leaves, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Stream;

    /// The plain search.
    fn scan(counts: &[Option<u32>], turn: usize, but: &[usize]) -> Option<(usize, u32)> {
        let places = (0..counts.len()).map(|step| (turn + step) % counts.len());
        let open = places.filter(|place| !but.contains(place));
        let counted = open.filter_map(|place| Some((place, counts[place]?)));
        // Of equals, the first one.
        counted.reduce(|best, next| if next.1 < best.1 { next } else { best })
    }

    #[test]
    fn it_chooses_as_a_plain_search_does() {
        for seed in 0..40 {
            let mut stream = Stream::new(seed, "least", "property");
            let mut below = |bound: u64| stream.draw().below(bound);
            let places = 1 + below(40) as usize;
            let (mut counts, mut least) = (vec![None; places], Least::new(places));
            for _ in 0..500 {
                let place = below(places as u64) as usize;
                let count = (below(8) > 0).then(|| below(4) as u32);
                counts[place] = count;
                least.set(place, count);
                let turn = below(places as u64) as usize;
                let but: Vec<usize> = (0..below(4)).map(|_| below(places as u64) as usize).collect();
                assert_eq!(
                    least.first(turn, &but),
                    scan(&counts, turn, &but),
                    "seed {seed}: {counts:?} {turn} {but:?}"
                );
            }
        }
    }

    #[test]
    fn nobody_is_found_where_nobody_is() {
        assert_eq!(Least::new(0).first(0, &[]), None);
        assert_eq!(Least::new(3).first(2, &[0]), None);
    }
}
