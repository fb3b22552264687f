//! What was promised of late, step by step: the chain of each row leads from its newest promise back to older ones, as far as the ring
//! reaches. A step is newer than the one before it in both ways: a later write, told later.

use crate::protocol::Stamp;
use crate::sim::SimTime;

/// The number of a step, from 1; 0 is none. A step is there for as long as the ring reaches back to it.
pub(super) type Link = u64;

/// A step of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The row that the chain belongs to.
    owner: u64,
    /// The write.
    pub(super) stamp: Stamp,
    /// When a user was told.
    pub(super) at: SimTime,
    /// The step before it.
    before: Link,
    /// A step further back: the chain is searched in logarithmic time (Myers, An Applicative Random-Access Stack, 1983).
    jump: Link,
    /// How many steps the jump leads back.
    span: u64,
}

/// A ring of steps.
#[derive(Debug)]
pub(super) struct Steps {
    ring: Vec<Step>,
    next: Link,
    room: usize,
}

impl Steps {
    /// A ring with room for so many steps.
    pub(super) fn new(room: usize) -> Steps {
        Steps {
            ring: Vec::new(),
            next: 1,
            room,
        }
    }

    /// A step, if the ring reaches back to it.
    #[inline]
    pub(super) fn get(&self, link: Link) -> Option<&Step> {
        let known = link > 0 && link < self.next && self.next - link <= self.ring.len() as u64;
        known.then(|| &self.ring[(link - 1) as usize % self.room])
    }

    fn get_mut(&mut self, link: Link) -> Option<&mut Step> {
        self.get(link)?;
        Some(&mut self.ring[(link - 1) as usize % self.room])
    }

    /// Adds a step behind another one.
    pub(super) fn push(&mut self, owner: u64, before: Link, stamp: Stamp, at: SimTime) -> Link {
        let (jump, span) = match self.get(before) {
            None => (0, 0),
            Some(step) => match self.get(step.jump) {
                Some(far) if step.span == far.span => (far.jump, 1 + step.span + far.span),
                _ => (before, 1),
            },
        };
        let step = Step {
            owner,
            stamp,
            at,
            before,
            jump,
            span,
        };
        let link = self.next;
        self.next += 1;
        if self.ring.len() < self.room {
            self.ring.push(step);
        } else {
            self.ring[(link - 1) as usize % self.room] = step;
        }
        link
    }

    /// The place of a step in the ring, from 1: what a row remembers of it.
    fn spot(&self, link: Link) -> u32 {
        ((link - 1) as usize % self.room) as u32 + 1
    }

    /// The newest step of a row, if it is still at this spot. Any newer step there would be one of another row: a row remembers its last.
    fn newest(&self, owner: u64, spot: u32) -> Link {
        let Some(place) = (spot as usize).checked_sub(1) else {
            return 0;
        };
        if self.ring[place].owner != owner {
            return 0;
        }
        let last = self.next - 1;
        let back = (last as usize - 1 + self.room - place) % self.room;
        last - back as u64
    }

    /// The first known step of a chain for which something holds, given that it holds for this one and from some step on for all.
    pub(super) fn first(&self, from: Link, holds: impl Fn(&Step) -> bool) -> Option<(Link, &Step)> {
        let (mut link, mut step) = (from, self.get(from)?);
        loop {
            let back = [step.jump, step.before];
            let known = back
                .iter()
                .find_map(|link| Some((*link, self.get(*link)?)).filter(|(_, step)| holds(step)));
            match known {
                Some(further) => (link, step) = further,
                None => return Some((link, step)),
            }
        }
    }

    /// The last step of a chain that was told by this time.
    pub(super) fn until(&self, newest: Link, time: SimTime) -> Option<(Link, &Step)> {
        let step = self.get(newest)?;
        if step.at <= time {
            return Some((newest, step));
        }
        let (_, first_after) = self.first(newest, |step| step.at > time)?;
        Some((first_after.before, self.get(first_after.before)?))
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.ring.capacity() * size_of::<Step>()
    }
}

/// The chains of rows: each row remembers the spot of its newest step.
#[derive(Debug)]
pub(super) struct Trail(Steps);

impl Trail {
    /// A trail with room for so many steps.
    pub(super) fn new(room: usize) -> Trail {
        Trail(Steps::new(room))
    }

    /// A row is promised anew. Returns the new spot.
    #[inline]
    pub(super) fn push(&mut self, key: u64, spot: u32, stamp: Stamp, at: SimTime) -> u32 {
        let link = self.0.push(key, self.0.newest(key, spot), stamp, at);
        self.0.spot(link)
    }

    /// What was promised of a row by this time, and when the first write above a version was.
    pub(super) fn promised(&self, key: u64, spot: u32, by: SimTime, above: Stamp) -> Option<(Stamp, SimTime)> {
        let (link, step) = self.0.until(self.0.newest(key, spot), by)?;
        let first = self.0.first(link, |step| step.stamp > above)?;
        Some((step.stamp, first.1.at))
    }

    /// The newest promise of a row is kept by another, later write.
    pub(super) fn raise(&mut self, key: u64, spot: u32, stamp: Stamp) {
        if let Some(step) = self.0.get_mut(self.0.newest(key, spot)) {
            step.stamp = stamp;
        }
    }

    /// All promises of a row above an older write are kept by that one: returns when the first of them was given, and the new spot.
    pub(super) fn lower(&mut self, key: u64, spot: u32, stamp: Stamp) -> Option<(SimTime, u32)> {
        let (link, _) = self.0.first(self.0.newest(key, spot), |step| step.stamp >= stamp)?;
        let step = self.0.get_mut(link)?;
        step.stamp = stamp;
        Some((step.at, self.0.spot(link)))
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain whose nth step is write 10 n, told at n.
    fn chain(room: usize, steps: u64) -> (Steps, Link) {
        let mut chain = Steps::new(room);
        let mut last = 0;
        for number in 1..=steps {
            last = chain.push(7, last, Stamp(10 * number), SimTime(number));
        }
        (chain, last)
    }

    #[test]
    fn a_chain_is_searched_exactly() {
        let (chain, last) = chain(1 << 10, 1_000);
        for time in 1..=1_000 {
            assert_eq!(
                chain.until(last, SimTime(time)).map(|(_, step)| step.stamp),
                Some(Stamp(10 * time))
            );
            let first = chain.first(last, |step| step.stamp > Stamp(10 * time - 1));
            assert_eq!(first.map(|(_, step)| step.at), Some(SimTime(time)));
        }
        assert!(chain.until(last, SimTime(0)).is_none());
    }

    #[test]
    fn a_search_takes_logarithmic_time() {
        let (chain, last) = chain(1 << 16, 1 << 16);
        for time in [1, 2, 1_000, 40_000, 65_000] {
            let looks = std::cell::Cell::new(0);
            chain.first(last, |step| {
                looks.set(looks.get() + 1);
                step.at >= SimTime(time)
            });
            assert!(looks.get() <= 6 * 16, "{} looks for {time}", looks.get());
        }
    }

    #[test]
    fn what_the_ring_has_lost_is_not_known() {
        let (chain, last) = chain(64, 1_000);
        assert_eq!(chain.first(last, |_| true).map(|(_, step)| step.at), Some(SimTime(937)));
        assert!(chain.until(last, SimTime(936)).is_none());
        assert!(chain.get(936).is_none() && chain.get(937).is_some() && chain.get(1_001).is_none());
    }

    #[test]
    fn a_row_finds_its_newest_step_while_the_ring_has_it() {
        let mut steps = Steps::new(64);
        let mut rows = [(0, 0); 100];
        for number in 1..=1_000_u64 {
            let key = number * number % 97;
            let link = steps.push(key, 0, Stamp(number), SimTime(number));
            rows[key as usize] = (steps.spot(link), link);
            for (key, (spot, link)) in rows.iter().enumerate() {
                let known = if steps.get(*link).is_some() { *link } else { 0 };
                assert_eq!(steps.newest(key as u64, *spot), known);
            }
        }
    }
}
