//! Sessions in order: those in a server's memory, and those in a store.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::protocol::{Found, Owner, Revocation};
use crate::sim::SimTime;

/// How often whoever has a shelf sweeps it.
pub const SWEEP: Duration = Duration::from_secs(5);

/// Sessions by owner and number: a user who signs in twice at once has two.
#[derive(Debug, Default)]
pub struct Shelf {
    /// When each ends.
    sessions: RefCell<BTreeMap<(Owner, u64), SimTime>>,
    /// In the order in which they came, for a shelf of limited room; some are gone.
    order: RefCell<VecDeque<(Owner, u64)>>,
}

impl Shelf {
    /// How many there are.
    pub fn len(&self) -> u64 {
        self.sessions.borrow().len() as u64
    }

    /// Looks for a session; using it prolongs its life.
    pub fn find(&self, owner: Owner, id: u64, now: SimTime, ttl: Duration) -> Found {
        match self.sessions.borrow_mut().get_mut(&(owner, id)) {
            Some(until) if *until > now => {
                *until = now + ttl;
                Found::Alive
            }
            Some(_) => Found::Expired,
            None => Found::Nothing,
        }
    }

    /// Keeps a session.
    pub fn keep(&self, owner: Owner, id: u64, until: SimTime) {
        self.sessions.borrow_mut().insert((owner, id), until);
    }

    /// Keeps a session; the oldest ones make room when there are more than this. Returns how many did.
    pub fn keep_among(&self, owner: Owner, id: u64, until: SimTime, most: u64) -> u64 {
        self.keep(owner, id, until);
        let mut order = self.order.borrow_mut();
        order.push_back((owner, id));
        let mut evicted = 0;
        while self.len() > most {
            let Some(oldest) = order.pop_front() else { break };
            evicted += u64::from(self.sessions.borrow_mut().remove(&oldest).is_some());
        }
        // Sessions that were swept out still stand in the order: it is drawn up anew before it is twice as long.
        if order.len() as u64 > 2 * self.len().max(1_000) {
            let sessions = self.sessions.borrow();
            order.retain(|session| sessions.contains_key(session));
        }
        evicted
    }

    /// Forgets the sessions of these users.
    pub fn revoke(&self, revocation: &Revocation) {
        self.sessions
            .borrow_mut()
            .retain(|(owner, _), _| !revocation.concerns(*owner));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.sessions.borrow_mut().clear();
        self.order.borrow_mut().clear();
    }

    /// Forgets what has expired.
    pub fn sweep(&self, now: SimTime) {
        self.sessions.borrow_mut().retain(|_, until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> SimTime {
        SimTime(seconds * 1_000_000_000)
    }

    #[test]
    fn a_session_lives_as_long_as_it_is_used() {
        let (shelf, owner) = (Shelf::default(), Owner::new(1, 7));
        shelf.keep(owner, 5, at(10));
        assert_eq!(shelf.find(owner, 5, at(9), TTL), Found::Alive);
        assert_eq!(shelf.find(owner, 4, at(9), TTL), Found::Nothing);
        assert_eq!(shelf.find(owner, 5, at(18), TTL), Found::Alive);
        assert_eq!(shelf.find(owner, 5, at(28), TTL), Found::Expired);
        shelf.sweep(at(27));
        assert_eq!(shelf.len(), 1);
        shelf.sweep(at(28));
        assert_eq!((shelf.find(owner, 5, at(28), TTL), shelf.len()), (Found::Nothing, 0));
    }

    #[test]
    fn the_oldest_make_room() {
        let shelf = Shelf::default();
        for person in 0..5_000 {
            let evicted = shelf.keep_among(Owner::new(0, person), person, at(10), 3);
            assert_eq!(evicted, u64::from(person >= 3));
        }
        assert_eq!(shelf.len(), 3);
        assert_eq!(shelf.find(Owner::new(0, 4_997), 4_997, at(1), TTL), Found::Alive);
        assert_eq!(shelf.find(Owner::new(0, 4_996), 4_996, at(1), TTL), Found::Nothing);
        assert!(shelf.order.borrow().len() < 3_000);
    }

    #[test]
    fn a_revocation_ends_its_share_of_one_population() {
        let shelf = Shelf::default();
        for person in 0..10_000 {
            shelf.keep(Owner::new(1, person), 1, at(10));
            shelf.keep(Owner::new(2, person), 1, at(10));
        }
        let revocation = Revocation {
            population: 2,
            share: 0.25,
            at: at(1),
        };
        shelf.revoke(&revocation);
        assert!((17_300..17_700).contains(&shelf.len()), "{}", shelf.len());
        assert_eq!(shelf.find(Owner::new(1, 3), 1, at(1), TTL), Found::Alive);
    }
}
