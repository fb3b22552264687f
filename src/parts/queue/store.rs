//! What a queue holds, and what is done with it. It knows no machine: who calls it says what time it is, and passes on what it has to tell.

use std::time::Duration;

use crate::observe::{Event, QueueTally};
use crate::protocol::{Gone, Handed, JobId, Message, Receipt};
use crate::sim::{InstanceId, SimTime, mix};

use super::copies::Copies;
use super::journal::{Journal, Kept};
use super::lane::{Item, Lane, State};
use super::letters::{Letters, Tag};
use super::rules::Rules;

/// Set in the places of messages of a log that came back from a dead-letter queue: they are one subscriber's alone, and in no journal.
const RESTORED: u64 = 1 << 63;

/// How a message came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Somebody published it.
    Published,
    /// Another queue buries it here.
    Buried {
        /// That queue.
        from: InstanceId,
        /// The job that it is there.
        job: JobId,
        /// For which of its subscribers.
        subscriber: u32,
        /// How often it was handed out there.
        attempts: u32,
    },
    /// It was dead, and is to be tried again.
    Restored {
        /// The job that it is.
        job: JobId,
        /// For which subscriber.
        subscriber: u32,
    },
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) rules: Rules,
    /// Of a queue: messages that were never handed out. Of a log: all.
    pub(super) journal: Journal,
    /// Of a queue: one.
    pub(super) lanes: Vec<Lane>,
    /// What it knows of dead letters: its own, and those of others.
    pub(super) letters: Letters,
    copies: Copies,
    next_restored: u64,
    held: u64,
    bytes: u64,
    /// It has turned the last message away.
    full: bool,
    /// Counts since the start, of former processes too.
    pub tally: QueueTally,
    /// How long those waited that were handed out for the first time, since that was shown last.
    pub waited: Vec<Duration>,
    /// What is to be told, in order.
    pub events: Vec<Event>,
}

impl Store {
    /// A process begins to work with it. What was handed out by the one before counts as an attempt that failed.
    pub fn begin(&mut self, now: SimTime, rules: Rules, subscribers: &[u32], tally: QueueTally) {
        self.rules = rules;
        self.tally = tally;
        if !rules.log && self.lanes.is_empty() {
            self.lanes.push(Lane::new(0, 0));
        }
        for subscriber in subscribers {
            self.lane_for(*subscriber);
        }
        self.recover(now);
        self.fall_due(now);
    }

    /// The settings have changed. A queue does not become a log while it runs.
    pub fn retune(&mut self, now: SimTime, rules: Rules) {
        let log = self.rules.log;
        self.rules = rules;
        self.rules.log = log;
        if log {
            self.make_room(0, 0);
        }
        self.fall_due(now);
    }

    /// Messages that it holds, whatever their state.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Bytes of them.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The lane of a subscriber of a log. One that is not known yet gets all that is published from now on (Kafka, `auto.offset.reset: latest`).
    pub fn lane_for(&mut self, subscriber: u32) -> usize {
        if !self.rules.log {
            return 0;
        }
        if let Some(known) = self.lane_of(subscriber) {
            return known;
        }
        self.lanes.push(Lane::new(subscriber, self.journal.end()));
        self.lanes.len() - 1
    }

    pub(super) fn lane_of(&self, subscriber: u32) -> Option<usize> {
        if !self.rules.log {
            return Some(0);
        }
        self.lanes.iter().position(|lane| lane.subscriber == subscriber)
    }

    /// The job that a message is, in a lane.
    pub(super) fn job(&self, lane: usize, place: u64, request: u64) -> JobId {
        if self.rules.log {
            return job_of(request, self.lanes[lane].subscriber);
        }
        self.letters.tag(place).map_or(JobId(request), |tag| tag.job)
    }

    // Taking in.

    /// Whether there is room for a message, while others with so many bytes are on their way to the disk. A log makes room, if that is enough.
    pub fn has_room(&self, bytes: u32, (writing, writing_bytes): (u64, u64)) -> bool {
        let (count, sum) = if self.rules.log {
            (self.held - self.journal.len(), self.bytes - self.journal.bytes())
        } else {
            (self.held + writing, self.bytes + writing_bytes)
        };
        count < self.rules.messages && sum.saturating_add(u64::from(bytes)) <= self.rules.bytes
    }

    /// A message was turned away, since there is no room.
    pub fn refuse(&mut self) {
        self.tally.refused += 1;
        if !self.full {
            self.full = true;
            self.events.push(Event::Full { on: true });
        }
    }

    /// Whether the last message was turned away.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// There is room for messages again.
    pub fn reopen(&mut self) {
        self.full = false;
        self.events.push(Event::Full { on: false });
    }

    /// Keeps a message.
    pub fn keep(&mut self, now: SimTime, message: &Message, arrival: Arrival) {
        self.tally.published += 1;
        let kept = Kept::new(message, now);
        if self.rules.log {
            self.make_room(1, message.bytes);
        }
        self.held += 1;
        self.bytes += u64::from(message.bytes);
        match arrival {
            Arrival::Restored { subscriber, .. } if self.rules.log => self.keep_for(now, subscriber, kept),
            _ if self.rules.log => self.keep_for_all(kept),
            _ => self.keep_for_one(kept, arrival),
        }
        self.journal.ripen(now, self.rules.delay);
    }

    fn keep_for_all(&mut self, kept: Kept) {
        self.journal.push(kept);
        self.tally.copies += u64::from(self.copies.add(kept.request));
        self.events.push(Event::JobGone {
            job: JobId(kept.request),
            why: Gone::Split,
        });
        for lane in &mut self.lanes {
            lane.fresh += 1;
            let job = job_of(kept.request, lane.subscriber);
            self.events.push(Event::JobStored { job });
        }
    }

    fn keep_for_one(&mut self, kept: Kept, arrival: Arrival) {
        let place = self.journal.push(kept);
        self.lanes[0].fresh += 1;
        let job = match arrival {
            Arrival::Published => JobId(kept.request),
            Arrival::Buried { job, .. } | Arrival::Restored { job, .. } => job,
        };
        match arrival {
            Arrival::Buried {
                from,
                subscriber,
                attempts,
                ..
            } => {
                let from = Some(from);
                self.letters.keep(
                    place,
                    Tag {
                        job,
                        subscriber,
                        from,
                        attempts,
                    },
                );
            }
            // What came from elsewhere and died here as well has not forgotten what it is.
            Arrival::Restored { subscriber, .. } if job != JobId(kept.request) => {
                let from = None;
                self.letters.keep(
                    place,
                    Tag {
                        job,
                        subscriber,
                        from,
                        attempts: 0,
                    },
                );
            }
            _ => {}
        }
        self.tally.copies += u64::from(self.copies.add(job.0));
        self.events.push(Event::JobStored { job });
    }

    fn keep_for(&mut self, now: SimTime, subscriber: u32, kept: Kept) {
        let lane = self.lane_for(subscriber);
        let place = RESTORED | self.next_restored;
        self.next_restored += 1;
        self.lanes[lane].insert(place, kept, State::Again, now);
        let job = self.job(lane, place, kept.request);
        self.events.push(Event::JobStored { job });
    }

    /// Of a log: forgets the oldest messages until there is room for so many more, with so many bytes.
    fn make_room(&mut self, messages: u64, bytes: u32) {
        let (most, most_bytes) = (self.rules.messages, self.rules.bytes);
        while self.held + messages > most || self.bytes + u64::from(bytes) > most_bytes {
            if !self.forget_first() {
                return;
            }
        }
    }

    // Handing out.

    /// Whether something can be handed out.
    pub fn has_ready(&mut self, lane: usize) -> bool {
        self.lanes[lane].first_again().is_some() || self.next_fresh(lane).is_some()
    }

    /// Sets up to so many messages aside for somebody: first those that wait for another attempt, then new ones.
    pub fn reserve(&mut self, now: SimTime, lane: usize, most: usize) -> Vec<u64> {
        let mut places = Vec::new();
        while places.len() < most {
            if let Some(place) = self.lanes[lane].first_again() {
                self.lanes[lane].set(place, State::Reserved, now);
                places.push(place);
            } else if let Some(place) = self.next_fresh(lane) {
                self.draw(now, lane, place, State::Reserved);
                places.push(place);
            } else {
                break;
            }
        }
        places
    }

    /// The first message of the journal that a lane has not reached, if its delay is over.
    fn next_fresh(&mut self, lane: usize) -> Option<u64> {
        let cursor = self.journal.next(self.lanes[lane].cursor);
        self.lanes[lane].cursor = cursor;
        (cursor < self.journal.ripe()).then_some(cursor)
    }

    /// Moves the first message of the journal that a lane has not reached into it.
    pub(super) fn draw(&mut self, now: SimTime, lane: usize, place: u64, state: State) {
        let Some(kept) = self.journal.get(place).copied() else {
            return;
        };
        let to = &mut self.lanes[lane];
        to.cursor = place + 1;
        to.fresh -= 1;
        to.insert(place, kept, state, now);
        while !self.rules.log && self.journal.base() <= place {
            self.journal.drop_first();
        }
    }

    /// What was set aside is not handed out after all.
    pub fn unreserve(&mut self, now: SimTime, lane: usize, places: &[u64]) {
        for place in places {
            if self.state(lane, *place) == Some(State::Reserved) {
                self.wait_again(now, lane, *place, now);
            }
        }
    }

    /// Hands out what was set aside and is there still, to somebody who acknowledges it at once, or later.
    pub fn hand_out(
        &mut self,
        now: SimTime,
        lane: usize,
        places: &[u64],
        to: InstanceId,
        settled: bool,
    ) -> Vec<Handed> {
        let mut handed = Vec::with_capacity(places.len());
        for place in places {
            let subscriber = self.lanes[lane].subscriber;
            let item = self.lanes[lane].item_mut(*place);
            let Some(item) = item.filter(|item| item.state == State::Reserved) else {
                continue;
            };
            item.deliveries += 1;
            item.to = Some(to);
            let (kept, attempt) = (item.kept, item.deliveries);
            let job = self.job(lane, *place, kept.request);
            self.tally.delivered += 1;
            self.tally.redelivered += u64::from(attempt > 1);
            if attempt == 1 {
                self.waited.push(now - kept.published);
            }
            handed.push(Handed {
                message: kept.message(),
                job,
                receipt: Receipt {
                    place: *place,
                    attempt,
                    subscriber,
                },
                published: kept.published,
            });
            if settled {
                self.end(lane, *place, Gone::HandedOver(to));
            } else {
                self.lanes[lane].set(*place, State::Out, now);
                self.events.push(Event::JobOut { job, out: true });
            }
        }
        handed
    }

    /// A message is done. Who is late, but before it was handed out again, is believed all the same.
    pub fn acknowledge(&mut self, receipt: &Receipt) {
        let known = self.known(receipt);
        match known.filter(|(_, item)| !matches!(item.state, State::Dead | State::Leaving)) {
            Some((lane, _)) => self.end(lane, receipt.place, Gone::Acknowledged),
            None => self.tally.late += 1,
        }
    }

    /// A message was tried and failed.
    pub fn reject(&mut self, now: SimTime, receipt: &Receipt) {
        match self.known(receipt).filter(|(_, item)| item.state == State::Out) {
            Some((lane, item)) => {
                self.tally.rejected += 1;
                let pause = self.rules.pause(item.failed + 1);
                self.fail(now, lane, receipt.place, now + pause);
            }
            None => self.tally.late += 1,
        }
    }

    /// A message was not tried.
    pub fn give_back(&mut self, now: SimTime, receipt: &Receipt) {
        match self.known(receipt).filter(|(_, item)| item.state == State::Out) {
            Some((lane, item)) => {
                self.tally.returned += 1;
                let job = self.job(lane, receipt.place, item.kept.request);
                self.events.push(Event::JobOut { job, out: false });
                self.wait_again(now, lane, receipt.place, now);
            }
            None => self.tally.late += 1,
        }
    }

    /// The lane and the message that a receipt is about, if it is the latest one of it.
    fn known(&self, receipt: &Receipt) -> Option<(usize, Item)> {
        let lane = self.lane_of(receipt.subscriber)?;
        let item = self.lanes[lane].item(receipt.place)?;
        (item.deliveries == receipt.attempt).then_some((lane, *item))
    }

    /// The user's request that a message is part of, if it is in a lane.
    pub fn request(&self, lane: usize, place: u64) -> Option<u64> {
        self.lanes[lane].item(place).map(|item| item.kept.request)
    }

    pub(super) fn state(&self, lane: usize, place: u64) -> Option<State> {
        self.lanes[lane].item(place).map(|item| item.state)
    }

    /// An attempt has failed: the message is handed out again from a time on, or is dead.
    pub(super) fn fail(&mut self, now: SimTime, lane: usize, place: u64, due: SimTime) {
        let Some(item) = self.lanes[lane].item_mut(place) else {
            return;
        };
        item.failed += 1;
        let item = *item;
        let job = self.job(lane, place, item.kept.request);
        self.events.push(Event::JobOut { job, out: false });
        if self.rules.attempts.is_none_or(|most| item.failed < most) {
            return self.wait_again(now, lane, place, due);
        }
        let buried = self.rules.buries;
        self.events.push(Event::Died {
            key: item.kept.key,
            attempts: item.deliveries,
            buried,
        });
        if buried {
            self.lanes[lane].set(place, State::Dead, now);
            self.letters.bury(lane, place);
        } else {
            self.end(lane, place, Gone::Discarded);
        }
    }

    /// A message is to be handed out again from a time on, unless its own is over, or the log has forgotten it.
    pub(super) fn wait_again(&mut self, now: SimTime, lane: usize, place: u64, due: SimTime) {
        let Some(item) = self.lanes[lane].item(place) else {
            return;
        };
        let forgotten = self.rules.log && place & RESTORED == 0 && self.journal.get(place).is_none();
        if forgotten || self.rules.is_over(item.kept.published, now) {
            return self.end(lane, place, Gone::Expired);
        }
        let state = if due > now { State::Later(due) } else { State::Again };
        self.lanes[lane].set(place, state, now);
    }

    // Leaving.

    /// A message leaves a lane, and with it the queue.
    pub(super) fn end(&mut self, lane: usize, place: u64, why: Gone) {
        let Some(item) = self.lanes[lane].remove(place) else {
            return;
        };
        self.tell_end(lane, place, &item.kept, why);
        if !self.rules.log || place & RESTORED != 0 {
            self.release(place, &item.kept);
        }
    }

    fn tell_end(&mut self, lane: usize, place: u64, kept: &Kept, why: Gone) {
        let job = self.job(lane, place, kept.request);
        self.events.push(Event::JobGone { job, why });
        let tally = &mut self.tally;
        let count = match why {
            Gone::Acknowledged | Gone::HandedOver(_) => &mut tally.acknowledged,
            Gone::Expired => &mut tally.expired,
            Gone::Discarded => &mut tally.discarded,
            Gone::Purged => &mut tally.purged,
            Gone::Buried => &mut tally.buried,
            Gone::Split => return,
        };
        *count += 1;
    }

    /// Forgets the first message of the journal, to make room or since its time is over. `false`: there is none.
    pub(super) fn forget_first(&mut self) -> bool {
        let Some((place, kept)) = self.journal.first() else {
            return false;
        };
        self.journal.drop_first();
        self.drop_entry(place, &kept, Gone::Expired);
        true
    }

    /// A message is no longer in the journal: those who have not reached it never will, and who waits for another attempt at it waits in
    /// vain. Who tries it just now goes on.
    fn drop_entry(&mut self, place: u64, kept: &Kept, why: Gone) {
        for lane in 0..self.lanes.len() {
            if self.lanes[lane].cursor <= place {
                self.lanes[lane].fresh -= 1;
                self.tell_end(lane, place, kept, why);
            } else if self.state(lane, place).is_some_and(State::waits) {
                self.end(lane, place, why);
            }
        }
        self.release(place, kept);
    }

    /// Gives back the room of a message.
    fn release(&mut self, place: u64, kept: &Kept) {
        self.held -= 1;
        self.bytes -= u64::from(kept.bytes);
        if !self.rules.log {
            let tag = self.letters.forget(place);
            self.copies.remove(tag.map_or(kept.request, |tag| tag.job.0));
        } else if place & RESTORED == 0 {
            self.copies.remove(kept.request);
        }
    }

    /// Throws away all messages, or those about a row, whatever their state.
    pub fn purge(&mut self, key: Option<u64>) {
        let is_meant = |kept: &Kept| key.is_none_or(|key| kept.key == key);
        for lane in 0..self.lanes.len() {
            let from = &self.lanes[lane];
            let all = [from.all_waiting(), from.all_out(), from.all_aside()].concat();
            for place in all {
                if self.lanes[lane].item(place).is_some_and(|item| is_meant(&item.kept)) {
                    self.end(lane, place, Gone::Purged);
                }
            }
        }
        let entries = self.journal.from(0).filter(|(_, kept)| is_meant(kept));
        let entries: Vec<(u64, Kept)> = entries.map(|(place, kept)| (place, *kept)).collect();
        for (place, kept) in entries {
            self.journal.forget(place);
            self.drop_entry(place, &kept, Gone::Purged);
        }
        // What is empty at the front takes no room.
        self.journal.first();
    }

    /// Steps that went through several messages, or notes of them.
    #[cfg(test)]
    pub fn looks(&self) -> u64 {
        self.journal.looks + self.lanes.iter().map(|lane| lane.looks).sum::<u64>()
    }

    /// Bytes of memory that it takes for messages that wait.
    #[cfg(test)]
    pub fn memory(&self) -> usize {
        self.journal.len() as usize * size_of::<Kept>() + self.copies.memory()
    }
}

/// The job that a message of a log is for one of its subscribers.
pub(super) fn job_of(request: u64, subscriber: u32) -> JobId {
    JobId(mix(request ^ mix(u64::from(subscriber) + 1)))
}
