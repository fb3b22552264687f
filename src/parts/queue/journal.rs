//! Messages in the order in which they were published, each at a place of its own: what a queue has not handed out yet, and all that a log keeps.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::{Message, Owner};
use crate::sim::SimTime;

/// Messages that memory is taken for at once, and given back. Growing moves nothing, and nobody pays for the largest backlog ever.
const CHUNK: u64 = 512;

/// A message as it is stored: 40 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// As in [`Message`].
    pub request: u64,
    /// As in [`Message`].
    pub key: u64,
    /// As in [`Message`].
    pub user: Owner,
    /// When it was stored.
    pub published: SimTime,
    /// As in [`Message`].
    pub bytes: u32,
    /// As in [`Message`].
    pub poison: bool,
    /// Its place is empty: somebody threw it away.
    gone: bool,
}

impl Kept {
    /// A message that is stored now.
    pub fn new(message: &Message, now: SimTime) -> Kept {
        Kept {
            request: message.request,
            key: message.key,
            user: message.user,
            published: now,
            bytes: message.bytes,
            poison: message.poison,
            gone: false,
        }
    }

    /// As it travels.
    pub fn message(&self) -> Message {
        Message {
            request: self.request,
            key: self.key,
            bytes: self.bytes,
            user: self.user,
            poison: self.poison,
        }
    }
}

/// Messages by place. Places are numbered from 0 and never used again.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// The first one is that of the first place.
    chunks: VecDeque<Vec<Kept>>,
    /// The first place that is kept.
    base: u64,
    /// The place of the next message.
    end: u64,
    /// The first place whose message has to wait still.
    ripe: u64,
    live: u64,
    bytes: u64,
    unripe: u64,
    /// Places looked at one after the other.
    #[cfg(test)]
    pub looks: u64,
}

impl Journal {
    /// Messages.
    pub fn len(&self) -> u64 {
        self.live
    }

    /// Bytes of them.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The first place that is kept.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The place that the next message gets.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Messages below this place can be handed out.
    pub fn ripe(&self) -> u64 {
        self.ripe
    }

    /// Messages whose delay is not over.
    pub fn unripe(&self) -> u64 {
        self.unripe
    }

    /// Appends a message and names its place.
    pub fn push(&mut self, kept: Kept) -> u64 {
        if self.end.is_multiple_of(CHUNK) {
            self.chunks.push_back(Vec::with_capacity(CHUNK as usize));
        }
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push(kept);
        }
        self.live += 1;
        self.unripe += 1;
        self.bytes += u64::from(kept.bytes);
        self.end += 1;
        self.end - 1
    }

    fn at(&self, place: u64) -> Option<&Kept> {
        if place < self.base || place >= self.end {
            return None;
        }
        let chunk = self.chunks.get((place / CHUNK - self.base / CHUNK) as usize)?;
        chunk.get((place % CHUNK) as usize)
    }

    /// The message at a place, if it is there.
    pub fn get(&self, place: u64) -> Option<&Kept> {
        self.at(place).filter(|kept| !kept.gone)
    }

    /// The first message and its place.
    pub fn first(&mut self) -> Option<(u64, Kept)> {
        while self.at(self.base).is_some_and(|kept| kept.gone) {
            self.drop_first();
        }
        self.get(self.base).map(|kept| (self.base, *kept))
    }

    /// Forgets the first place and what is there.
    pub fn drop_first(&mut self) {
        let Some(kept) = self.at(self.base).copied() else {
            return;
        };
        self.look();
        if !kept.gone {
            self.subtract(self.base, kept.bytes);
        }
        self.base += 1;
        self.ripe = self.ripe.max(self.base);
        if self.base.is_multiple_of(CHUNK) {
            self.chunks.pop_front();
        }
    }

    /// Empties a place.
    pub fn forget(&mut self, place: u64) {
        if self.get(place).is_none() {
            return;
        }
        let chunk = (place / CHUNK - self.base / CHUNK) as usize;
        let kept = &mut self.chunks[chunk][(place % CHUNK) as usize];
        kept.gone = true;
        let bytes = kept.bytes;
        self.subtract(place, bytes);
    }

    fn subtract(&mut self, place: u64, bytes: u32) {
        self.live -= 1;
        self.bytes -= u64::from(bytes);
        self.unripe -= u64::from(place >= self.ripe);
    }

    /// The first place from this one on that a message is at, or the end.
    pub fn next(&mut self, from: u64) -> u64 {
        let mut place = from.max(self.base);
        while self.at(place).is_some_and(|kept| kept.gone) {
            self.look();
            place += 1;
        }
        place
    }

    /// Lets messages be handed out whose delay is over.
    pub fn ripen(&mut self, now: SimTime, delay: Duration) {
        while let Some(kept) = self.at(self.ripe) {
            if !kept.gone && kept.published + delay > now {
                return;
            }
            self.unripe -= u64::from(!kept.gone);
            self.ripe += 1;
            self.look();
        }
    }

    /// When the delay of the next message is over.
    pub fn next_ripe(&self, delay: Duration) -> Option<SimTime> {
        self.at(self.ripe).map(|kept| kept.published + delay)
    }

    /// The messages from a place on, in order.
    pub fn from(&self, place: u64) -> impl Iterator<Item = (u64, &Kept)> {
        let places = place.max(self.base)..self.end;
        places.filter_map(|place| Some((place, self.get(place)?)))
    }

    #[cfg(test)]
    fn look(&mut self) {
        self.looks += 1;
    }

    #[cfg(not(test))]
    #[inline]
    #[allow(clippy::unused_self, reason = "only tests count")]
    fn look(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(request: u64) -> Message {
        Message {
            request,
            key: request % 10,
            bytes: 100,
            user: Owner::new(0, request),
            poison: false,
        }
    }

    fn filled(count: u64) -> Journal {
        let mut journal = Journal::default();
        for request in 0..count {
            assert_eq!(journal.push(Kept::new(&message(request), SimTime(request))), request);
        }
        journal
    }

    #[test]
    fn a_journal_gives_back_what_it_was_given_in_order() {
        let mut journal = filled(2_000);
        for request in 0..2_000 {
            let (place, kept) = journal.first().expect("a message");
            assert_eq!((place, kept.message()), (request, message(request)));
            journal.drop_first();
        }
        assert!(journal.first().is_none());
        assert_eq!((journal.len(), journal.bytes(), journal.unripe()), (0, 0, 0));
        assert!(journal.chunks.len() <= 1);
        // It goes on in the middle of a chunk.
        assert_eq!(journal.push(Kept::new(&message(7), SimTime(9))), 2_000);
        assert_eq!(journal.first().map(|(place, _)| place), Some(2_000));
    }

    #[test]
    fn memory_follows_what_is_kept() {
        assert_eq!(size_of::<Kept>(), 40);
        let mut journal = filled(100_000);
        (0..99_000).for_each(|_| journal.drop_first());
        assert!(journal.chunks.len() <= 3, "{}", journal.chunks.len());
        assert_eq!(journal.get(98_999), None);
        assert_eq!(journal.get(99_000).map(|kept| kept.request), Some(99_000));
    }

    #[test]
    fn an_emptied_place_is_passed_over_and_counts_no_more() {
        let mut journal = filled(10);
        for place in [0, 1, 4, 4, 9] {
            journal.forget(place);
        }
        assert_eq!((journal.len(), journal.bytes()), (6, 600));
        assert_eq!((journal.next(0), journal.next(4), journal.next(9)), (2, 5, 10));
        assert_eq!(journal.first().map(|(place, _)| place), Some(2));
        let places: Vec<u64> = journal.from(0).map(|(place, _)| place).collect();
        assert_eq!(places, [2, 3, 5, 6, 7, 8]);
    }

    #[test]
    fn messages_ripen_one_after_the_other() {
        let mut journal = filled(10);
        journal.forget(3);
        journal.ripen(SimTime(104), Duration::from_nanos(100));
        assert_eq!((journal.ripe(), journal.unripe()), (5, 5));
        assert_eq!(journal.next_ripe(Duration::from_nanos(100)), Some(SimTime(105)));
        journal.forget(6);
        assert_eq!(journal.unripe(), 4);
        // What is dropped before it is ripe is not waited for.
        (0..7).for_each(|_| journal.drop_first());
        assert_eq!((journal.ripe(), journal.unripe(), journal.len()), (7, 3, 3));
        journal.ripen(SimTime(500), Duration::ZERO);
        assert_eq!((journal.unripe(), journal.next_ripe(Duration::ZERO)), (0, None));
    }
}
