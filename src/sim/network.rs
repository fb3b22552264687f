//! The network: latency between places, jitter that only adds, loss, and rules that are faults.

use std::time::Duration;

use super::message::InstanceId;
use super::random::Stream;
use super::time::{SimTime, nanos};

/// Least wait of TCP before a lost packet is sent again (Linux `TCP_RTO_MIN`); it doubles with each further loss (RFC 6298).
const RETRANSMIT_NANOS: u64 = 200_000_000;
/// Losses in a row after which a connection gives up; the caller's timeout has long passed.
const RETRANSMITS: u32 = 8;
/// What would wait longer than this for a narrow link is lost: routers buffer for seconds at most ("bufferbloat").
const BUFFER_NANOS: u64 = 10_000_000_000;
/// How many departures of a link are kept for the screen.
pub const DEPARTURES: usize = 16;

/// A place: a site, or where a population of users lives. Machines are at places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub u16);

/// A group of instances (a service) for which traffic is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group(pub u16);

/// What a rule does to what it matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Nothing arrives.
    Drop,
    /// Everything arrives later by so many nanoseconds.
    Delay(u64),
    /// A packet is lost with this probability.
    Lose(f64),
    /// The messages of each sender pass one after another.
    Narrow {
        /// Bytes a second.
        rate: f64,
        /// The number of the pipe: no two rules have the same, unless one was a part of the other.
        pipe: u32,
    },
}

/// A rule over (from, to), in one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Sources, sorted.
    pub from: Vec<InstanceId>,
    /// Destinations, sorted.
    pub to: Vec<InstanceId>,
    /// What happens.
    pub verdict: Verdict,
    /// Whose it is, among those who set rules; 0 is anybody's.
    pub owner: u32,
}

impl Rule {
    /// Whether the rule is about this pair.
    pub fn matches(&self, from: InstanceId, to: InstanceId) -> bool {
        self.from.binary_search(&from).is_ok() && self.to.binary_search(&to).is_ok()
    }
}

/// Traffic between two groups.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Requests sent since the start.
    pub total: u64,
    /// The latest times at which they were sent, in a ring: number n stands at n modulo the length.
    departures: [u64; DEPARTURES],
    /// How many times were put into the ring.
    kept: usize,
}

impl Traffic {
    /// When the latest were sent, the oldest first.
    pub fn departures(&self) -> impl Iterator<Item = SimTime> + '_ {
        (self.oldest()..self.kept).map(|number| SimTime(self.departures[number % DEPARTURES]))
    }

    fn oldest(&self) -> usize {
        self.kept.saturating_sub(DEPARTURES)
    }

    /// Within a window machines report in no order; what is kept is the latest times all the same, in order.
    #[inline]
    fn depart(&mut self, at: u64) {
        self.total += 1;
        let full = self.kept >= DEPARTURES;
        if full && at < self.departures[self.kept % DEPARTURES] {
            return;
        }
        let least = self.oldest() + usize::from(full);
        let mut place = self.kept;
        while place > least && self.departures[(place - 1) % DEPARTURES] > at {
            self.departures[place % DEPARTURES] = self.departures[(place - 1) % DEPARTURES];
            place -= 1;
        }
        self.departures[place % DEPARTURES] = at;
        self.kept += 1;
    }
}

/// The network of a world.
#[derive(Debug)]
pub struct Network {
    places: usize,
    latency: Vec<u64>,
    jitter: u64,
    loss: f64,
    /// Faults, in the order in which they came.
    pub rules: Vec<Rule>,
    groups: usize,
    traffic: Vec<Traffic>,
}

impl Network {
    /// A network of so many places with the same one-way latency everywhere.
    pub fn new(places: usize, latency: Duration) -> Network {
        Network {
            places,
            latency: vec![nanos(latency).max(1); places * places],
            jitter: 0,
            loss: 0.0,
            rules: Vec::new(),
            groups: 0,
            traffic: Vec::new(),
        }
    }

    /// Sets the one-way latency between two places, both ways; within a place when they are the same.
    pub fn set_latency(&mut self, a: Place, b: Place, latency: Duration) {
        let (a, b) = (a.0 as usize, b.0 as usize);
        self.latency[a * self.places + b] = nanos(latency).max(1);
        self.latency[b * self.places + a] = nanos(latency).max(1);
    }

    /// Adds a uniform delay below this bound to every message.
    pub fn set_jitter(&mut self, jitter: Duration) {
        self.jitter = nanos(jitter);
    }

    /// Loses packets with this probability.
    pub fn set_loss(&mut self, loss: f64) {
        self.loss = loss;
    }

    /// Counts traffic between so many groups. What was counted between those that were there before stays.
    pub fn set_groups(&mut self, groups: usize) {
        let before = std::mem::replace(&mut self.groups, groups);
        let mut counted = std::mem::take(&mut self.traffic).into_iter();
        self.traffic = vec![Traffic::default(); groups * groups];
        for from in 0..before {
            for (to, traffic) in counted.by_ref().take(before).enumerate() {
                if from < groups && to < groups {
                    self.traffic[from * groups + to] = traffic;
                }
            }
        }
    }

    /// The groups between which traffic is counted.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Traffic between two groups.
    pub fn traffic(&self, from: Group, to: Group) -> &Traffic {
        &self.traffic[from.0 as usize * self.groups + to.0 as usize]
    }

    /// The one-way latency between two places, without jitter.
    pub fn latency(&self, a: Place, b: Place) -> Duration {
        Duration::from_nanos(self.latency[a.0 as usize * self.places + b.0 as usize])
    }

    /// No message between two machines arrives sooner than this.
    pub fn lookahead(&self) -> u64 {
        self.latency.iter().copied().min().unwrap_or(1)
    }

    #[inline]
    pub(super) fn count(&mut self, from: Group, to: Group, at: u64) {
        if let Some(traffic) = self.traffic.get_mut(from.0 as usize * self.groups + to.0 as usize) {
            traffic.depart(at);
        }
    }

    /// How long a message is on its way, or `None` when it never arrives.
    #[inline]
    pub(super) fn transit(
        &self,
        ends: (InstanceId, InstanceId),
        places: (Place, Place),
        datagram: bool,
        noise: &mut Stream,
    ) -> Option<u64> {
        let base = self.latency[places.0.0 as usize * self.places + places.1.0 as usize];
        if self.jitter == 0 && self.loss == 0.0 && self.rules.is_empty() {
            return Some(base);
        }
        self.hurt_transit(ends, base, datagram, noise)
    }

    /// Whether some link has a bandwidth.
    #[inline]
    pub(super) fn is_narrow(&self) -> bool {
        !self.rules.is_empty()
            && self
                .rules
                .iter()
                .any(|rule| matches!(rule.verdict, Verdict::Narrow { .. }))
    }

    /// How long a message of so many bytes takes to get onto narrow links: it waits for those that its sender sent before, and then for
    /// its own bytes. `None`: it would wait for longer than the buffer holds, and is lost. `pipes` are those of the sender, with the
    /// times at which each is free.
    pub(super) fn line_up(
        &self,
        ends: (InstanceId, InstanceId),
        bytes: u32,
        now: SimTime,
        pipes: &mut Vec<(u32, u64)>,
    ) -> Option<u64> {
        let mut at = now.0;
        pipes.retain(|(_, free)| *free > now.0);
        for rule in self.rules.iter().filter(|rule| rule.matches(ends.0, ends.1)) {
            let Verdict::Narrow { rate, pipe } = rule.verdict else {
                continue;
            };
            let place = pipes.iter().position(|(known, _)| *known == pipe);
            let free = place.map_or(at, |place| pipes[place].1.max(at));
            let own = (f64::from(bytes) / rate * 1e9) as u64;
            if (free - at).saturating_add(own) > BUFFER_NANOS {
                return None;
            }
            at = free.saturating_add(own);
            match place {
                Some(place) => pipes[place].1 = at,
                None => pipes.push((pipe, at)),
            }
        }
        Some(at - now.0)
    }

    fn hurt_transit(
        &self,
        ends: (InstanceId, InstanceId),
        base: u64,
        datagram: bool,
        noise: &mut Stream,
    ) -> Option<u64> {
        let mut latency = base;
        let mut kept = 1.0 - self.loss;
        for rule in self.rules.iter().filter(|rule| rule.matches(ends.0, ends.1)) {
            match rule.verdict {
                Verdict::Drop => return None,
                Verdict::Delay(more) => latency = latency.saturating_add(more),
                Verdict::Lose(share) => kept *= 1.0 - share,
                // See `line_up`.
                Verdict::Narrow { .. } => {}
            }
        }
        if self.jitter > 0 {
            latency += noise.draw().below(self.jitter);
        }
        let mut losses = 0;
        while kept < 1.0 && noise.draw().unit() >= kept {
            losses += 1;
            if datagram || losses > RETRANSMITS {
                return None;
            }
            latency = latency.saturating_add(RETRANSMIT_NANOS << (losses - 1));
        }
        Some(latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_departures_are_kept_whatever_the_order_in_which_they_are_reported() {
        let times: Vec<u64> = (0..100).collect();
        let mut shuffled = times.clone();
        let mut stream = Stream::new(1, "test", "shuffle");
        for end in (1..shuffled.len()).rev() {
            shuffled.swap(end, stream.draw().below(end as u64 + 1) as usize);
        }
        for order in [times, shuffled] {
            let mut traffic = Traffic::default();
            for at in order {
                traffic.depart(at);
            }
            let kept: Vec<u64> = traffic.departures().map(|at| at.0).collect();
            assert_eq!((traffic.total, kept), (100, (84..100).collect()));
        }
    }
}
