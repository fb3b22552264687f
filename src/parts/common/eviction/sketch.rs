//! How often keys were asked for of late, in little room.

use crate::sim::mix;

/// Largest value of a counter of four bits.
const MOST: u64 = 15;
/// Words of a block: as many as a processor fetches at once (64 bytes).
const BLOCK: usize = 8;
/// Rows of counters; a key has one counter in each.
const ROWS: usize = 4;
/// Words for each entry, at least. Caffeine has one, which costs half a percentage point of hits where keys are a hundred times as many as
/// entries.
const WORDS_PER_ENTRY: usize = 2;
/// Every counter is halved after so many uses for each word: after 10 to 20 for each entry, and in Caffeine after 10.
const USES_PER_WORD: u64 = 5;
/// The lowest three bits of every counter.
const LOW_BITS: u64 = 0x7777_7777_7777_7777;

/// A count-min sketch (Cormode and Muthukrishnan 2005) with counters of four bits, conservative updates (Estan and Varghese 2002) and
/// aging by halves (Einziger, Friedman, Manes: `TinyLFU`, 2017). All counters of a key are in one block, as in Caffeine. 16 counters a
/// word, and two to four words an entry: 16 to 32 bytes.
#[derive(Debug)]
pub(super) struct Sketch {
    /// Their number is [`BLOCK`] times a power of two.
    words: Vec<u64>,
    seed: u64,
    /// Uses since the counters were halved.
    uses: u64,
}

impl Sketch {
    pub(super) fn new(seed: u64) -> Sketch {
        Sketch {
            words: vec![0; BLOCK],
            seed,
            uses: 0,
        }
    }

    /// Makes it large enough for so many entries. Estimates stay what they are.
    pub(super) fn make_room(&mut self, entries: usize) {
        while self.words.len() < WORDS_PER_ENTRY * entries {
            // A key's block lies at its hash modulo their number, so at either of two places that hold the same then.
            self.words.extend_from_within(..);
        }
    }

    /// Counts a use of a key.
    pub(super) fn add(&mut self, key: u64) {
        let (start, counters) = self.counters(key);
        let block = &mut self.words[start..start + BLOCK];
        let least = least(block, counters);
        if least < MOST {
            for (word, shift) in counters {
                let is_least = (block[word] >> shift) & MOST == least;
                block[word] += u64::from(is_least) << shift;
            }
        }
        self.uses += 1;
        if self.uses >= USES_PER_WORD * self.words.len() as u64 {
            self.age();
        }
    }

    /// About how often a key was used of late, from 0 to 15: never too low.
    pub(super) fn estimate(&self, key: u64) -> u64 {
        let (start, counters) = self.counters(key);
        least(&self.words[start..start + BLOCK], counters)
    }

    /// Where a key's block begins, and its counter in each row, as a word of the block and a shift. A row has two words of each block.
    #[inline]
    fn counters(&self, key: u64) -> (usize, [(usize, u32); ROWS]) {
        let hash = mix(key ^ self.seed);
        let block = hash as usize & (self.words.len() / BLOCK - 1);
        let counters = [0, 1, 2, 3].map(|row| {
            // Five bits for each row, from the top, where blocks do not reach.
            let bits = (hash >> (44 + 5 * row)) as usize;
            (2 * row + (bits & 1), 4 * (bits as u32 >> 1 & 15))
        });
        (block * BLOCK, counters)
    }

    /// Halves all counters, which is paid for by the uses in between.
    fn age(&mut self) {
        for word in &mut self.words {
            *word = (*word >> 1) & LOW_BITS;
        }
        self.uses = 0;
    }
}

/// The smallest of a key's counters.
#[inline]
fn least(block: &[u64], counters: [(usize, u32); ROWS]) -> u64 {
    let values = counters.map(|(word, shift)| (block[word] >> shift) & MOST);
    values.into_iter().min().unwrap_or(0)
}
