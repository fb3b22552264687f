//! What a queue shows of what it holds.

use std::cell::RefCell;

use crate::observe::{Peek, QueueProbe, SubscriberState, Waiting};
use crate::sim::SimTime;

use super::journal::Kept;
use super::lane::Lane;
use super::store::Store;

/// A store where it can be looked into: in memory, or on the disk.
#[derive(Debug, Default)]
pub(super) struct Shelf(pub RefCell<Store>);

impl Store {
    /// The lane in which most messages wait.
    fn slowest(&self) -> Option<&Lane> {
        self.lanes.iter().rev().max_by_key(|lane| lane.waiting())
    }

    /// Messages that could be handed out to a subscriber, and that are handed out to it.
    pub fn depth_for(&self, subscriber: u32) -> (u64, u64) {
        let lane = self
            .lanes
            .iter()
            .find(|lane| !self.rules.log || lane.subscriber == subscriber);
        lane.map_or((0, 0), |lane| {
            let delayed = lane.resting() + lane.fresh.min(self.journal.unripe());
            (lane.waiting().saturating_sub(delayed), lane.in_flight())
        })
    }

    /// Messages that wait for whoever has most of them waiting, and that are handed out to them.
    pub fn depth(&self) -> (u64, u64) {
        let slowest = self.slowest();
        slowest.map_or((0, 0), |lane| (lane.waiting(), lane.in_flight()))
    }

    /// Shows how much there is of everything.
    pub fn show(&mut self, probe: &QueueProbe) {
        // Nobody looks twice at places that were emptied.
        for lane in &mut self.lanes {
            lane.cursor = self.journal.next(lane.cursor);
        }
        let (waiting, _) = self.depth();
        let delayed = self
            .slowest()
            .map_or(0, |lane| lane.resting() + lane.fresh.min(self.journal.unripe()));
        for waited in self.waited.drain(..) {
            probe.wait(waited);
        }
        probe.waiting.set(waiting);
        probe.delayed.set(delayed);
        probe.in_flight.set(self.lanes.iter().map(Lane::in_flight).sum());
        probe.held.set(self.held());
        probe.bytes.set(self.bytes());
        probe
            .oldest
            .set(self.lanes.iter().filter_map(|lane| self.oldest(lane)).min());
    }

    /// When the oldest message that waits in a lane was published.
    fn oldest(&self, lane: &Lane) -> Option<SimTime> {
        let again = lane.oldest().map(|(published, _)| published);
        let fresh = self.journal.from(lane.cursor).next().map(|(_, kept)| kept.published);
        again.into_iter().chain(fresh).min()
    }
}

fn waiting(kept: &Kept, attempts: u32) -> Waiting {
    Waiting {
        key: kept.key,
        published: kept.published,
        attempts,
        poison: kept.poison,
    }
}

impl Peek for Shelf {
    /// Of a log: for the subscriber that is behind most.
    fn first(&self, most: usize) -> Vec<Waiting> {
        let store = self.0.borrow();
        let Some(lane) = store.slowest() else { return Vec::new() };
        let (again, later) = lane.in_order();
        let known = again.map(|item| waiting(&item.kept, item.deliveries));
        let later = later.map(|item| waiting(&item.kept, item.deliveries));
        let ripe = store.journal.ripe();
        let fresh = store.journal.from(lane.cursor);
        let fresh = fresh.take_while(|(place, _)| *place < ripe);
        let delayed = store.journal.from(lane.cursor.max(ripe));
        let before = |place: u64| store.letters.tag(place).map_or(0, |tag| tag.attempts);
        known
            .chain(fresh.map(|(place, kept)| waiting(kept, before(place))))
            .chain(later)
            .chain(delayed.map(|(place, kept)| waiting(kept, before(place))))
            .take(most)
            .collect()
    }

    fn subscribers(&self) -> Vec<SubscriberState> {
        let store = self.0.borrow();
        if !store.rules.log {
            return Vec::new();
        }
        let states = store.lanes.iter().map(|lane| SubscriberState {
            service: lane.subscriber,
            waiting: lane.waiting(),
            in_flight: lane.in_flight(),
            oldest: store.oldest(lane),
        });
        states.collect()
    }
}
