//! What stands between a queue and those who compete for its messages: how far they are, what they hold, and what is to be handed to them
//! again. A queue has one lane; a log has one for each subscriber.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::sim::{InstanceId, SimTime};

use super::journal::Kept;

/// Notes of messages that were handed out may grow to twice as many as are out, and this, before the others are thrown away.
const SPARE_NOTES: u64 = 64;

/// A message that has left the journal's order: it was handed out, or is about to be, or waits for another attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// The message.
    pub kept: Kept,
    /// How often it was handed out.
    pub deliveries: u32,
    /// How many of these attempts failed.
    pub failed: u32,
    /// Who was handed it last.
    pub to: Option<InstanceId>,
    /// How it stands.
    pub state: State,
}

/// How a message stands that has left the journal's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is about to be handed out.
    Reserved,
    /// It is handed out and not acknowledged.
    Out,
    /// It is to be handed out again.
    Again,
    /// It is to be handed out again from then on.
    Later(SimTime),
    /// It was tried too often, and is on its way to the dead-letter queue.
    Dead,
    /// It is on its way back to the queue that it died in.
    Leaving,
}

impl State {
    /// Whether the message waits to be handed out.
    pub fn waits(self) -> bool {
        matches!(self, State::Again | State::Later(_))
    }
}

/// Says when a message was handed out. It is out of date when the message is no longer out, or has been handed out anew.
#[derive(Clone, Copy, Debug)]
struct Note {
    since: SimTime,
    place: u64,
    delivery: u32,
}

/// See the module. Messages are ordered by when they were published, and then by place.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Whose lane it is: the number of a service.
    pub subscriber: u32,
    /// The first place of the journal that was not reached yet.
    pub cursor: u64,
    /// Messages of the journal from there on.
    pub fresh: u64,
    items: FxHashMap<u64, Item>,
    again: BTreeSet<(SimTime, u64)>,
    /// Those that are to be handed out again later, by the time from when on.
    later: BTreeSet<(SimTime, u64)>,
    /// The same by publication.
    resting: BTreeSet<(SimTime, u64)>,
    /// Those that are reserved, dead or leaving.
    aside: BTreeSet<(SimTime, u64)>,
    /// In the order of handing out, which is that of their deadlines, since all have the same time.
    notes: VecDeque<Note>,
    out: u64,
    reserved: u64,
    /// Notes looked at.
    #[cfg(test)]
    pub looks: u64,
}

impl Lane {
    /// A lane of somebody who begins at a place of the journal.
    pub fn new(subscriber: u32, cursor: u64) -> Lane {
        Lane {
            subscriber,
            cursor,
            ..Lane::default()
        }
    }

    /// Messages that wait, those whose time has not come among them.
    pub fn waiting(&self) -> u64 {
        self.fresh + (self.again.len() + self.later.len()) as u64
    }

    /// Messages that wait for another attempt whose time has not come.
    pub fn resting(&self) -> u64 {
        self.later.len() as u64
    }

    /// Messages that are handed out, or about to be.
    pub fn in_flight(&self) -> u64 {
        self.out + self.reserved
    }

    /// The message at a place.
    pub fn item(&self, place: u64) -> Option<&Item> {
        self.items.get(&place)
    }

    /// The same, to change its counts.
    pub fn item_mut(&mut self, place: u64) -> Option<&mut Item> {
        self.items.get_mut(&place)
    }

    /// Takes a message in.
    pub fn insert(&mut self, place: u64, kept: Kept, state: State, now: SimTime) {
        let item = Item {
            kept,
            deliveries: 0,
            failed: 0,
            to: None,
            state,
        };
        self.items.insert(place, item);
        self.enter(place, &item, now);
    }

    /// Changes how a message stands.
    pub fn set(&mut self, place: u64, state: State, now: SimTime) {
        let Some(item) = self.items.get_mut(&place) else { return };
        let before = *item;
        item.state = state;
        let after = *item;
        self.leave(place, &before);
        self.enter(place, &after, now);
    }

    /// Takes a message out.
    pub fn remove(&mut self, place: u64) -> Option<Item> {
        let item = self.items.remove(&place)?;
        self.leave(place, &item);
        Some(item)
    }

    fn enter(&mut self, place: u64, item: &Item, now: SimTime) {
        let age = (item.kept.published, place);
        match item.state {
            State::Out => {
                self.out += 1;
                self.notes.push_back(Note {
                    since: now,
                    place,
                    delivery: item.deliveries,
                });
            }
            State::Again => _ = self.again.insert(age),
            State::Later(due) => {
                self.later.insert((due, place));
                self.resting.insert(age);
            }
            State::Reserved => {
                self.reserved += 1;
                self.aside.insert(age);
            }
            State::Dead | State::Leaving => _ = self.aside.insert(age),
        }
    }

    fn leave(&mut self, place: u64, item: &Item) {
        let age = (item.kept.published, place);
        match item.state {
            State::Out => {
                self.out -= 1;
                self.tidy();
            }
            State::Again => _ = self.again.remove(&age),
            State::Later(due) => {
                self.later.remove(&(due, place));
                self.resting.remove(&age);
            }
            State::Reserved => {
                self.reserved -= 1;
                self.aside.remove(&age);
            }
            State::Dead | State::Leaving => _ = self.aside.remove(&age),
        }
    }

    /// Throws away notes that are out of date: at the front, and all when they are many. Each note is looked at a few times in all.
    fn tidy(&mut self) {
        while self.notes.front().is_some_and(|note| !self.is_current(note)) {
            self.notes.pop_front();
            self.look(1);
        }
        if self.notes.len() as u64 > 2 * self.out + SPARE_NOTES {
            self.look(self.notes.len() as u64);
            let mut notes = std::mem::take(&mut self.notes);
            notes.retain(|note| self.is_current(note));
            self.notes = notes;
        }
    }

    fn is_current(&self, note: &Note) -> bool {
        self.items
            .get(&note.place)
            .is_some_and(|item| item.state == State::Out && item.deliveries == note.delivery)
    }

    /// The first that is to be handed out again.
    pub fn first_again(&self) -> Option<u64> {
        self.again.first().map(|(_, place)| *place)
    }

    /// When the first message is due that is to be handed out again later, and its place.
    pub fn first_later(&self) -> Option<(SimTime, u64)> {
        self.later.first().copied()
    }

    /// When the message was handed out that is out for the longest time, and its place.
    pub fn first_out(&self) -> Option<(SimTime, u64)> {
        let note = self.notes.iter().find(|note| self.is_current(note))?;
        Some((note.since, note.place))
    }

    /// The oldest of those that wait for another attempt: when it was published, and its place.
    pub fn oldest(&self) -> Option<(SimTime, u64)> {
        let (again, resting) = (self.again.first(), self.resting.first());
        again.into_iter().chain(resting).min().copied()
    }

    /// Messages that are out, in the order of handing out.
    pub fn all_out(&self) -> Vec<u64> {
        let current = self.notes.iter().filter(|note| self.is_current(note));
        current.map(|note| note.place).collect()
    }

    /// Messages that are reserved, dead or leaving, the oldest first.
    pub fn all_aside(&self) -> Vec<u64> {
        self.aside.iter().map(|(_, place)| *place).collect()
    }

    /// Messages that wait for another attempt, the oldest first.
    pub fn all_waiting(&self) -> Vec<u64> {
        let mut waiting: Vec<(SimTime, u64)> = self.again.iter().chain(&self.resting).copied().collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, place)| place).collect()
    }

    /// Those that are to be handed out again, in this order; first those whose time has come.
    pub fn in_order(&self) -> (impl Iterator<Item = &Item>, impl Iterator<Item = &Item>) {
        let item = |(_, place): &(SimTime, u64)| self.items.get(place);
        (self.again.iter().filter_map(item), self.later.iter().filter_map(item))
    }

    /// When something is due next: another attempt, or the end of the time that a message may be out.
    pub fn next_due(&self, visibility: Duration) -> Option<SimTime> {
        let out = self.first_out().map(|(since, _)| since + visibility);
        let later = self.first_later().map(|(due, _)| due);
        out.into_iter().chain(later).min()
    }

    #[cfg(test)]
    fn look(&mut self, notes: u64) {
        self.looks += notes;
    }

    #[cfg(not(test))]
    #[inline]
    #[allow(clippy::unused_self, reason = "only tests count")]
    fn look(&mut self, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Message, Owner};

    fn lane(count: u64) -> Lane {
        let mut lane = Lane::new(0, 0);
        for place in 0..count {
            let message = Message {
                request: place,
                key: 0,
                bytes: 1,
                user: Owner::new(0, 0),
                poison: false,
            };
            lane.insert(place, Kept::new(&message, SimTime(place)), State::Reserved, SimTime(0));
        }
        lane
    }

    fn hand_out(lane: &mut Lane, place: u64, now: u64) {
        lane.item_mut(place).expect("a message").deliveries += 1;
        lane.set(place, State::Out, SimTime(now));
    }

    #[test]
    fn whoever_is_out_longest_is_due_first() {
        let mut lane = lane(4);
        for (place, now) in [(2, 10), (0, 20), (1, 30)] {
            hand_out(&mut lane, place, now);
        }
        assert_eq!(lane.in_flight(), 4);
        assert_eq!(lane.first_out(), Some((SimTime(10), 2)));
        lane.remove(2);
        assert_eq!(lane.first_out(), Some((SimTime(20), 0)));
        // Handed out anew it is the last.
        lane.set(0, State::Again, SimTime(40));
        hand_out(&mut lane, 0, 50);
        assert_eq!(lane.all_out(), [1, 0]);
        assert_eq!(lane.next_due(Duration::from_nanos(5)), Some(SimTime(35)));
    }

    #[test]
    fn notes_of_a_message_that_is_out_for_ever_do_not_pile_up() {
        let mut lane = lane(10_000);
        for place in 0..10_000 {
            hand_out(&mut lane, place, place);
            if place > 0 {
                lane.remove(place);
            }
        }
        assert_eq!(lane.first_out(), Some((SimTime(0), 0)));
        assert!(lane.notes.len() < 100, "{}", lane.notes.len());
        assert!(lane.looks < 30_000, "{}", lane.looks);
    }

    #[test]
    fn each_state_counts_where_it_belongs() {
        let mut lane = lane(6);
        lane.set(0, State::Again, SimTime(0));
        lane.set(1, State::Later(SimTime(100)), SimTime(0));
        lane.set(2, State::Later(SimTime(50)), SimTime(0));
        lane.set(3, State::Dead, SimTime(0));
        hand_out(&mut lane, 4, 0);
        assert_eq!((lane.waiting(), lane.resting(), lane.in_flight()), (3, 2, 2));
        assert_eq!(
            (lane.first_again(), lane.first_later()),
            (Some(0), Some((SimTime(50), 2)))
        );
        assert_eq!(lane.oldest(), Some((SimTime(0), 0)));
        assert_eq!((lane.all_aside(), lane.all_waiting()), (vec![3, 5], vec![0, 1, 2]));
        (0..6).for_each(|place| _ = lane.remove(place));
        assert_eq!((lane.waiting(), lane.in_flight()), (0, 0));
        assert!(lane.oldest().is_none() && lane.all_aside().is_empty() && lane.notes.is_empty());
    }
}
