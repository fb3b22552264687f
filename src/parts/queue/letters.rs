//! Dead letters: messages on their way to the dead-letter queue, and in one, on their way back.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::protocol::{Gone, JobId, Message};
use crate::sim::{InstanceId, SimTime};

use super::lane::State;
use super::store::Store;

/// What is known of a message that is another queue's job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    /// The job that it is there.
    pub job: JobId,
    /// For which of its subscribers.
    pub subscriber: u32,
    /// The queue that it died in, if it can be sent back.
    pub from: Option<InstanceId>,
    /// How often it was handed out there.
    pub attempts: u32,
}

/// What is carried from one queue to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// A dead message to the dead-letter queue.
    Bury,
    /// A message from a dead-letter queue back to where it died.
    Restore,
}

impl Errand {
    /// Both.
    pub const ALL: [Errand; 2] = [Errand::Bury, Errand::Restore];
}

/// A message that is carried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub lane: usize,
    pub place: u64,
    pub message: Message,
    pub job: JobId,
    pub subscriber: u32,
    /// How often it was handed out.
    pub attempts: u32,
    /// Where it goes back to.
    pub to: Option<InstanceId>,
}

/// What a store knows of dead letters.
#[derive(Debug, Default)]
pub(super) struct Letters {
    /// Of messages that are other queues' jobs, by place.
    tags: FxHashMap<u64, Tag>,
    /// The place of each that another queue has buried here. One that is on its way back is not among them: who buries it then has it again.
    buried: FxHashMap<(InstanceId, JobId), u64>,
    /// Dead messages that nobody carries, by lane and place. Some are gone meanwhile.
    dying: VecDeque<(usize, u64)>,
    /// Messages to be sent back that nobody carries. Some are gone meanwhile.
    leaving: VecDeque<u64>,
    /// Those that are in the journal below this place are to be sent back too.
    leaving_below: u64,
}

impl Letters {
    /// Notes what a message is.
    pub fn keep(&mut self, place: u64, tag: Tag) {
        self.tags.insert(place, tag);
        self.recognise(place);
    }

    /// Knows a message again when it is buried once more.
    pub fn recognise(&mut self, place: u64) {
        if let Some(Tag {
            job, from: Some(from), ..
        }) = self.tags.get(&place)
        {
            self.buried.insert((*from, *job), place);
        }
    }

    fn lose_sight(&mut self, place: u64) {
        if let Some(Tag {
            job, from: Some(from), ..
        }) = self.tags.get(&place)
            && self.buried.get(&(*from, *job)) == Some(&place)
        {
            self.buried.remove(&(*from, *job));
        }
    }

    /// What is known of a message.
    pub fn tag(&self, place: u64) -> Option<&Tag> {
        // Few queues have any.
        if self.tags.is_empty() {
            None
        } else {
            self.tags.get(&place)
        }
    }

    /// Forgets a message that is gone.
    pub fn forget(&mut self, place: u64) -> Option<Tag> {
        if self.tags.is_empty() {
            return None;
        }
        self.lose_sight(place);
        self.tags.remove(&place)
    }

    /// A message is dead.
    pub fn bury(&mut self, lane: usize, place: u64) {
        self.dying.push_back((lane, place));
    }

    /// Nobody carries anything any more.
    pub fn stop(&mut self) {
        self.dying.clear();
        self.leaving.clear();
        self.leaving_below = 0;
    }
}

impl Store {
    /// Whether a message that another queue buries is here already.
    pub fn has_letter(&self, from: InstanceId, job: JobId) -> bool {
        self.letters.buried.contains_key(&(from, job))
    }

    /// Messages that wait to be carried, at most so many.
    pub fn letters(&self, errand: Errand) -> usize {
        match errand {
            Errand::Bury => self.letters.dying.len(),
            Errand::Restore => {
                let fresh = self.letters.leaving_below.saturating_sub(self.journal.base());
                self.letters.leaving.len() + fresh.min(self.journal.len()) as usize
            }
        }
    }

    /// All that waits here and died elsewhere is to be sent back.
    pub fn redrive(&mut self) {
        let Some(lane) = self.lanes.first().filter(|_| !self.rules.log) else {
            return;
        };
        let is_leaving = |place: &u64| lane.item(*place).is_some_and(|item| item.state == State::Leaving);
        self.letters.leaving.retain(is_leaving);
        let waiting = lane.all_waiting();
        self.letters.leaving.extend(waiting);
        self.letters.leaving_below = self.journal.end();
    }

    /// The next message to be carried.
    pub fn next_letter(&mut self, now: SimTime, errand: Errand) -> Option<Letter> {
        match errand {
            Errand::Bury => self.next_dead(),
            Errand::Restore => self.next_leaving(now),
        }
    }

    fn next_dead(&mut self) -> Option<Letter> {
        while let Some((lane, place)) = self.letters.dying.pop_front() {
            if self.state(lane, place) == Some(State::Dead) {
                return self.letter(lane, place);
            }
        }
        None
    }

    fn next_leaving(&mut self, now: SimTime) -> Option<Letter> {
        while let Some(place) = self.letters.leaving.pop_front() {
            let state = self.state(0, place);
            if state == Some(State::Leaving) || state.is_some_and(State::waits) && self.is_foreign(place) {
                return self.send_back(now, place);
            }
        }
        while let Some((place, kept)) = self.journal.first() {
            if place >= self.letters.leaving_below {
                break;
            }
            // What was published here stays, and is handed out before those that came after it.
            let due = kept.published + self.rules.delay;
            let state = if due > now { State::Later(due) } else { State::Again };
            self.draw(now, 0, place, state);
            if self.is_foreign(place) {
                return self.send_back(now, place);
            }
        }
        self.letters.leaving_below = 0;
        None
    }

    fn is_foreign(&self, place: u64) -> bool {
        self.letters.tag(place).is_some_and(|tag| tag.from.is_some())
    }

    fn send_back(&mut self, now: SimTime, place: u64) -> Option<Letter> {
        self.letters.lose_sight(place);
        self.lanes[0].set(place, State::Leaving, now);
        self.letter(0, place)
    }

    fn letter(&self, lane: usize, place: u64) -> Option<Letter> {
        let item = self.lanes[lane].item(place)?;
        let tag = self.letters.tag(place);
        Some(Letter {
            lane,
            place,
            message: item.kept.message(),
            job: self.job(lane, place, item.kept.request),
            subscriber: tag.map_or(self.lanes[lane].subscriber, |tag| tag.subscriber),
            attempts: item.deliveries,
            to: tag.and_then(|tag| tag.from),
        })
    }

    /// A message has arrived where it was carried to.
    pub fn arrived(&mut self, errand: Errand, letter: &Letter) {
        let Letter { lane, place, .. } = *letter;
        if self.state(lane, place) != Some(errand.state()) {
            return;
        }
        // There is no word of its own for what was sent back: another queue has it now, as after a burial.
        self.end(lane, place, Gone::Buried);
        if errand == Errand::Restore {
            self.tally.buried -= 1;
            self.tally.redriven += 1;
        }
    }

    /// A message did not arrive: it is carried again after all others.
    pub fn came_back(&mut self, errand: Errand, letter: &Letter) {
        let Letter { lane, place, .. } = *letter;
        if self.state(lane, place) != Some(errand.state()) {
            return;
        }
        match errand {
            Errand::Bury => self.letters.dying.push_back((lane, place)),
            Errand::Restore => self.letters.leaving.push_back(place),
        }
    }
}

impl Errand {
    /// How a message stands that is carried.
    fn state(self) -> State {
        match self {
            Errand::Bury => State::Dead,
            Errand::Restore => State::Leaving,
        }
    }
}
