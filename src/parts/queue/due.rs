//! What happens to messages by itself, as time goes by: their delay is over, or their pause, or the time that they may be out, or their own.

use crate::observe::Event;
use crate::protocol::Gone;
use crate::sim::SimTime;

use super::lane::{Lane, State};
use super::store::Store;

impl Store {
    /// Does all that is due.
    pub fn fall_due(&mut self, now: SimTime) {
        while self
            .journal
            .first()
            .is_some_and(|(_, kept)| self.rules.is_over(kept.published, now))
        {
            self.forget_first();
        }
        self.journal.ripen(now, self.rules.delay);
        for lane in 0..self.lanes.len() {
            self.fall_due_in(now, lane);
        }
    }

    fn fall_due_in(&mut self, now: SimTime, lane: usize) {
        while let Some((published, place)) = self.lanes[lane].oldest() {
            if !self.rules.is_over(published, now) {
                break;
            }
            self.end(lane, place, Gone::Expired);
        }
        while let Some((since, place)) = self.lanes[lane].first_out() {
            if since + self.rules.visibility > now {
                break;
            }
            self.tally.timed_out += 1;
            if let Some(worker) = self.lanes[lane].item(place).and_then(|item| item.to) {
                self.events.push(Event::Overdue { worker });
            }
            self.fail(now, lane, place, now);
        }
        while let Some((due, place)) = self.lanes[lane].first_later() {
            if due > now {
                break;
            }
            self.lanes[lane].set(place, State::Again, now);
        }
    }

    /// When something is due next.
    pub fn next_due(&mut self) -> Option<SimTime> {
        let rules = self.rules;
        let first = self.journal.first().map(|(_, kept)| kept.published);
        let oldest = self.lanes.iter().filter_map(Lane::oldest);
        let oldest = first.into_iter().chain(oldest.map(|(published, _)| published)).min();
        let over = rules
            .retention
            .and_then(|retention| oldest.map(|published| published + retention));
        let ripe = self.journal.next_ripe(rules.delay);
        let lanes = self.lanes.iter().filter_map(|lane| lane.next_due(rules.visibility));
        over.into_iter().chain(ripe).chain(lanes).min()
    }

    /// After a crash: what was handed out is to be handed out again at once, and that attempt counts; what was on its way to another queue
    /// is sent anew, or waits as before.
    pub(super) fn recover(&mut self, now: SimTime) {
        self.letters.stop();
        for lane in 0..self.lanes.len() {
            for place in self.lanes[lane].all_aside() {
                match self.state(lane, place) {
                    Some(State::Dead) => self.letters.bury(lane, place),
                    Some(State::Leaving) => {
                        self.letters.recognise(place);
                        self.wait_again(now, lane, place, now);
                    }
                    _ => self.wait_again(now, lane, place, now),
                }
            }
            for place in self.lanes[lane].all_out() {
                self.fail(now, lane, place, now);
            }
        }
    }
}
