//! The calendar: a ring of buckets of fixed width for what is near, a heap for what lies far ahead.
//!
//! The width is the lookahead: the smallest latency between two machines. Whatever a machine sends while it works off one bucket
//! is due in a later one, so a whole bucket can be handed out at once.

use std::collections::BinaryHeap;

use super::message::Envelope;
use super::time::SimTime;

/// Number of buckets in the ring.
const BUCKETS: u64 = 4096;

/// Deliveries by time.
pub(super) struct Calendar {
    /// Width of a bucket in nanoseconds.
    width: u64,
    /// Number of the bucket that is worked off now, counted from time zero.
    cursor: u64,
    ring: Vec<Vec<Envelope>>,
    /// One bit for each bucket that holds something.
    occupied: [u64; (BUCKETS / 64) as usize],
    far: BinaryHeap<Envelope>,
    /// Emptied buckets, kept for their memory.
    spare: Vec<Vec<Envelope>>,
    /// The world has ended: nothing will be delivered any more.
    closed: bool,
}

impl Calendar {
    /// An empty calendar with buckets as wide as the lookahead, which is not zero.
    pub(super) fn new(lookahead: u64) -> Calendar {
        Calendar {
            width: lookahead,
            cursor: 0,
            ring: (0..BUCKETS).map(|_| Vec::new()).collect(),
            occupied: [0; (BUCKETS / 64) as usize],
            far: BinaryHeap::new(),
            spare: Vec::new(),
            closed: false,
        }
    }

    /// Takes a delivery in. It is never due before the bucket that is worked off.
    #[allow(
        clippy::inline_always,
        reason = "an envelope is made where it stays: one that is written in parts and copied at once is waited for"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, envelope: Envelope) {
        if self.closed {
            return;
        }
        let bucket = envelope.at.0 / self.width;
        debug_assert!(bucket >= self.cursor, "a delivery in the past: {:?}", envelope.at);
        if bucket - self.cursor < BUCKETS {
            self.push_near(bucket, envelope);
        } else {
            self.far.push(envelope);
        }
    }

    /// Number of deliveries to come.
    pub(super) fn len(&self) -> usize {
        self.far.len() + self.ring.iter().map(Vec::len).sum::<usize>()
    }

    /// Ends the world: what is still sent goes nowhere.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    #[allow(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn push_near(&mut self, bucket: u64, envelope: Envelope) {
        self.bucket(bucket).push(envelope);
    }

    /// What is due in a bucket within reach, which holds something from now on.
    fn bucket(&mut self, bucket: u64) -> &mut Vec<Envelope> {
        let slot = (bucket % BUCKETS) as usize;
        let (word, bit) = (slot / 64, 1 << (slot % 64));
        if self.occupied[word] & bit == 0 {
            self.occupied[word] |= bit;
            if let Some(spare) = self.spare.pop() {
                self.ring[slot] = spare;
            }
        }
        &mut self.ring[slot]
    }

    /// Moves on to the first bucket that holds something and begins before `end`, and tells where it ends; `None` when there is none.
    pub(super) fn next_window(&mut self, end: SimTime) -> Option<SimTime> {
        let last = end.0.checked_sub(1)? / self.width;
        let bucket = match self.next_occupied() {
            Some(bucket) => bucket,
            None => self.far.peek()?.at.0 / self.width,
        };
        if bucket > last {
            return None;
        }
        self.cursor = bucket;
        while self
            .far
            .peek()
            .is_some_and(|first| first.at.0 / self.width - self.cursor < BUCKETS)
        {
            if let Some(envelope) = self.far.pop() {
                self.push_near(envelope.at.0 / self.width, envelope);
            }
        }
        Some(SimTime((bucket + 1) * self.width).min(end))
    }

    /// Takes out all that is due before `end`, which lies within the bucket of the cursor or at its end, in no order.
    pub(super) fn take(&mut self, end: SimTime) -> Vec<Envelope> {
        let slot = (self.cursor % BUCKETS) as usize;
        let bucket = std::mem::take(&mut self.ring[slot]);
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        if end.0 >= (self.cursor + 1) * self.width {
            return bucket;
        }
        let (due, later) = bucket.into_iter().partition(|envelope| envelope.at < end);
        for envelope in later {
            self.push_near(self.cursor, envelope);
        }
        due
    }

    /// Gives an emptied bucket back for its memory.
    #[inline]
    pub(super) fn recycle(&mut self, bucket: Vec<Envelope>) {
        self.spare.push(bucket);
    }

    fn next_occupied(&self) -> Option<u64> {
        let words = self.occupied.len();
        let start = (self.cursor % BUCKETS) as usize;
        for step in 0..=words {
            let index = (start / 64 + step) % words;
            let mut word = self.occupied[index];
            if step == 0 {
                word &= u64::MAX << (start % 64);
            } else if step == words {
                word &= !(u64::MAX << (start % 64));
            }
            if word != 0 {
                let slot = (index * 64) as u64 + u64::from(word.trailing_zeros());
                return Some(self.cursor + (slot + BUCKETS - start as u64) % BUCKETS);
            }
        }
        None
    }
}
