//! A circuit breaker: it stops the calls to what fails, and lets a few through later to find out.

use std::cell::RefCell;

use crate::layout::Breaker;
use crate::observe::Circuit;
use crate::sim::{SimTime, nanos};

/// Buckets of the window: the oldest tenth of it is forgotten at once.
const BUCKETS: usize = 10;

/// A circuit breaker (Nygard, Release It!). Closed, it counts the calls that end in a sliding window and opens when too many of them
/// failed; open, it lets nothing through for a while; then it is half open: some calls are let through, and when all of them
/// succeed it closes, when one fails it opens again.
///
/// A change of state begins a new era; what was let through in a former one says nothing about the present one, so its results
/// are ignored (as in Sony's `gobreaker`). Without settings it lets everything through.
#[derive(Debug, Default)]
pub struct CircuitBreaker(RefCell<Inner>);

#[derive(Debug, Default)]
struct Inner {
    settings: Option<Breaker>,
    state: State,
    era: u32,
    window: Window,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Closed,
    Open {
        since: SimTime,
    },
    HalfOpen {
        under_way: u32,
        passed: u32,
    },
}

/// What a breaker says to a call.
#[derive(Debug)]
pub struct Verdict<'a> {
    /// What the call shows at its end; `None`: it is not to be made.
    pub ticket: Option<Ticket<'a>>,
    /// The new state, if the question changed it.
    pub change: Option<Circuit>,
}

/// A call that was let through. Dropped without a result, it counts for nothing and makes room for another probe.
#[derive(Debug)]
pub struct Ticket<'a> {
    breaker: &'a CircuitBreaker,
    era: u32,
    /// Whether it was let through half open.
    probe: bool,
}

impl CircuitBreaker {
    /// A closed breaker.
    pub fn new(settings: Option<Breaker>) -> CircuitBreaker {
        CircuitBreaker(RefCell::new(Inner {
            settings,
            ..Inner::default()
        }))
    }

    /// Changes the settings from now on; names the new state if that changes it: a breaker that is taken away lets through.
    #[inline]
    pub fn tune(&self, settings: Option<Breaker>) -> Option<Circuit> {
        let mut inner = self.0.borrow_mut();
        if inner.settings == settings {
            return None;
        }
        let window = |settings: Option<Breaker>| settings.map(|settings| settings.window);
        if window(inner.settings) != window(settings) {
            inner.window = Window::default();
        }
        inner.settings = settings;
        let closes = settings.is_none() && !matches!(inner.state, State::Closed);
        closes.then(|| inner.change(State::Closed))
    }

    /// Whether a call may be made now.
    #[inline]
    pub fn allow(&self, now: SimTime) -> Verdict<'_> {
        let mut inner = self.0.borrow_mut();
        let change = inner.proceed(now);
        let ticket = inner.let_through().then(|| Ticket {
            breaker: self,
            era: inner.era,
            probe: matches!(inner.state, State::HalfOpen { .. }),
        });
        Verdict { ticket, change }
    }

    /// Whether a call would be let through now.
    pub fn would_allow(&self, now: SimTime) -> bool {
        let inner = self.0.borrow();
        match (inner.settings, inner.state) {
            (None, _) | (_, State::Closed) => true,
            (Some(settings), State::Open { since }) => now >= since + settings.open,
            (Some(settings), State::HalfOpen { under_way, passed }) => {
                under_way + passed < settings.probes || passed >= settings.probes
            }
        }
    }

    /// The state now. An open breaker whose time is over counts as half open, though no call has found that out yet.
    #[cfg(test)]
    pub fn state(&self, now: SimTime) -> Circuit {
        let inner = self.0.borrow();
        match (inner.settings, inner.state) {
            (Some(settings), State::Open { since }) if now >= since + settings.open => Circuit::HalfOpen,
            (_, state) => state.circuit(),
        }
    }
}

impl Inner {
    /// Goes over to the state that it is time for.
    #[inline]
    fn proceed(&mut self, now: SimTime) -> Option<Circuit> {
        let settings = self.settings?;
        match self.state {
            State::Open { since } if now >= since + settings.open => Some(self.change(State::HalfOpen {
                under_way: 0,
                passed: 0,
            })),
            // Fewer probes may suffice since the settings changed.
            State::HalfOpen { passed, .. } if passed >= settings.probes => Some(self.change(State::Closed)),
            _ => None,
        }
    }

    #[inline]
    fn let_through(&mut self) -> bool {
        let Some(settings) = self.settings else { return true };
        match &mut self.state {
            State::Closed => true,
            State::Open { .. } => false,
            State::HalfOpen { under_way, passed } => {
                let room = *under_way + *passed < settings.probes;
                *under_way += u32::from(room);
                room
            }
        }
    }

    /// Draws the conclusion of a call of this era.
    #[inline]
    fn learn(&mut self, now: SimTime, ok: bool) -> Option<Circuit> {
        let settings = self.settings?;
        match &mut self.state {
            State::Closed => {
                self.window
                    .add(now, ok, (nanos(settings.window) / BUCKETS as u64).max(1));
                let (calls, failed) = (self.window.calls, self.window.failed);
                let opens = calls >= settings.calls && f64::from(failed) >= settings.errors * f64::from(calls);
                opens.then(|| self.change(State::Open { since: now }))
            }
            State::Open { .. } => None,
            State::HalfOpen { .. } if !ok => Some(self.change(State::Open { since: now })),
            State::HalfOpen { under_way, passed } => {
                *under_way -= 1;
                *passed += 1;
                let closes = *passed >= settings.probes;
                closes.then(|| self.change(State::Closed))
            }
        }
    }

    fn change(&mut self, state: State) -> Circuit {
        self.state = state;
        self.era = self.era.wrapping_add(1);
        self.window = Window::default();
        state.circuit()
    }
}

impl State {
    fn circuit(self) -> Circuit {
        match self {
            State::Closed => Circuit::Closed,
            State::Open { .. } => Circuit::Open,
            State::HalfOpen { .. } => Circuit::HalfOpen,
        }
    }
}

impl Ticket<'_> {
    /// The call has ended; names the new state if that changes it.
    #[inline]
    pub fn end(mut self, now: SimTime, ok: bool) -> Option<Circuit> {
        // What it held is settled here, so that the drop has nothing to give back.
        self.probe = false;
        let mut inner = self.breaker.0.borrow_mut();
        if inner.era == self.era {
            inner.learn(now, ok)
        } else {
            None
        }
    }

    /// Whether the call was let through to find out, the breaker being half open.
    pub fn is_probe(&self) -> bool {
        self.probe
    }
}

impl Drop for Ticket<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.probe {
            return;
        }
        let mut inner = self.breaker.0.borrow_mut();
        if inner.era == self.era
            && let State::HalfOpen { under_way, .. } = &mut inner.state
        {
            *under_way -= 1;
        }
    }
}

/// Calls that ended in the window, in a ring of buckets: number n stands at n modulo the length.
#[derive(Debug, Default)]
struct Window {
    /// Calls, and failed ones.
    buckets: [(u32, u32); BUCKETS],
    newest: u64,
    calls: u32,
    failed: u32,
}

impl Window {
    #[inline]
    fn add(&mut self, now: SimTime, ok: bool, width: u64) {
        let number = now.0 / width;
        if number != self.newest {
            self.forget(number);
        }
        let bucket = &mut self.buckets[number as usize % BUCKETS];
        bucket.0 += 1;
        bucket.1 += u32::from(!ok);
        self.calls += 1;
        self.failed += u32::from(!ok);
    }

    /// Forgets the buckets that are a window and more before this one.
    fn forget(&mut self, number: u64) {
        let passed = number.saturating_sub(self.newest).min(BUCKETS as u64);
        for past in 0..passed {
            let gone = std::mem::take(&mut self.buckets[(number - past) as usize % BUCKETS]);
            self.calls -= gone.0;
            self.failed -= gone.1;
        }
        self.newest = number;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SETTINGS: Breaker = Breaker {
        errors: 0.5,
        calls: 10,
        window: Duration::from_secs(10),
        open: Duration::from_secs(5),
        probes: 1,
    };

    fn at(millis: u64) -> SimTime {
        SimTime(millis * 1_000_000)
    }

    /// Makes calls that end at once, until the breaker changes its state.
    fn calls(breaker: &CircuitBreaker, now: SimTime, ok: bool, count: usize) -> Option<Circuit> {
        (0..count).find_map(|_| breaker.allow(now).ticket.and_then(|ticket| ticket.end(now, ok)))
    }

    fn opened(settings: Breaker) -> CircuitBreaker {
        let breaker = CircuitBreaker::new(Some(settings));
        assert_eq!(calls(&breaker, at(0), false, 10), Some(Circuit::Open));
        breaker
    }

    #[test]
    fn it_opens_at_the_share_of_failures_and_not_before_there_are_enough_calls() {
        let breaker = CircuitBreaker::new(Some(SETTINGS));
        assert_eq!(calls(&breaker, at(0), false, 9), None);
        assert_eq!(calls(&breaker, at(0), true, 1), Some(Circuit::Open));
        let breaker = CircuitBreaker::new(Some(SETTINGS));
        assert_eq!(calls(&breaker, at(0), true, 10), None);
        assert_eq!(calls(&breaker, at(0), false, 9), None);
        assert_eq!(calls(&breaker, at(0), false, 1), Some(Circuit::Open));
        assert!(breaker.allow(at(4_999)).ticket.is_none());
        assert!(!breaker.would_allow(at(4_999)) && breaker.would_allow(at(5_000)));
        assert_eq!(breaker.state(at(4_999)), Circuit::Open);
        assert_eq!(breaker.state(at(5_000)), Circuit::HalfOpen);
    }

    #[test]
    fn failures_leave_the_window_bucket_by_bucket() {
        let breaker = CircuitBreaker::new(Some(SETTINGS));
        for second in 0..9 {
            assert_eq!(calls(&breaker, at(second * 1_000), false, 1), None);
        }
        // The failure of second 0 is gone at second 10: nine are left, and then ten.
        assert_eq!(calls(&breaker, at(10_000), false, 1), None);
        assert_eq!(calls(&breaker, at(10_500), false, 1), Some(Circuit::Open));
        let breaker = CircuitBreaker::new(Some(SETTINGS));
        assert_eq!(calls(&breaker, at(0), false, 9), None);
        assert_eq!(calls(&breaker, at(1_000_000), false, 9), None);
    }

    #[test]
    fn half_open_it_closes_when_all_probes_succeed_and_opens_when_one_fails() {
        let breaker = opened(Breaker { probes: 3, ..SETTINGS });
        let now = at(5_000);
        let first = breaker.allow(now);
        assert_eq!(first.change, Some(Circuit::HalfOpen));
        let rest: Vec<_> = (0..3).map(|_| breaker.allow(now).ticket).collect();
        assert!(rest[1].is_some() && rest[2].is_none());
        let mut tickets = rest.into_iter().flatten().chain(first.ticket);
        let mut end = |ok| tickets.next().and_then(|ticket| ticket.end(now, ok));
        assert_eq!((end(true), end(true)), (None, None));
        assert!(breaker.allow(now).ticket.is_none());
        assert_eq!(end(true), Some(Circuit::Closed));

        let breaker = opened(Breaker { probes: 2, ..SETTINGS });
        let [good, bad] = [breaker.allow(now), breaker.allow(now)].map(|verdict| verdict.ticket);
        assert_eq!(bad.and_then(|ticket| ticket.end(at(6_000), false)), Some(Circuit::Open));
        assert_eq!(good.and_then(|ticket| ticket.end(at(6_000), true)), None);
        assert_eq!(breaker.state(at(10_999)), Circuit::Open);
        assert_eq!(breaker.allow(at(11_000)).change, Some(Circuit::HalfOpen));
    }

    #[test]
    fn a_probe_without_a_result_makes_room_for_another() {
        let breaker = opened(SETTINGS);
        let probe = breaker.allow(at(5_000)).ticket;
        assert!(probe.as_ref().is_some_and(Ticket::is_probe));
        assert!(breaker.allow(at(5_000)).ticket.is_none() && !breaker.would_allow(at(5_000)));
        drop(probe);
        assert!(breaker.would_allow(at(5_000)));
        assert_eq!(calls(&breaker, at(5_000), true, 1), Some(Circuit::Closed));
    }

    #[test]
    fn results_of_a_former_era_are_ignored() {
        let breaker = CircuitBreaker::new(Some(SETTINGS));
        let slow: Vec<_> = (0..10).filter_map(|_| breaker.allow(at(0)).ticket).collect();
        assert_eq!(calls(&breaker, at(1), false, 10), Some(Circuit::Open));
        let probe = breaker.allow(at(5_001)).ticket;
        assert!(slow.into_iter().all(|ticket| ticket.end(at(5_002), false).is_none()));
        assert_eq!(
            probe.and_then(|ticket| ticket.end(at(5_003), true)),
            Some(Circuit::Closed)
        );
        assert_eq!(calls(&breaker, at(5_004), false, 9), None);
    }

    #[test]
    fn changed_settings_hold_at_once() {
        let breaker = opened(SETTINGS);
        let short = Breaker {
            open: Duration::from_secs(1),
            probes: 3,
            ..SETTINGS
        };
        assert_eq!(breaker.tune(Some(short)), None);
        assert_eq!(breaker.allow(at(1_000)).change, Some(Circuit::HalfOpen));
        assert_eq!(calls(&breaker, at(1_000), true, 2), None);
        // Two have passed; now one suffices.
        assert_eq!(breaker.tune(Some(SETTINGS)), None);
        assert_eq!(breaker.allow(at(1_000)).change, Some(Circuit::Closed));
        let breaker = opened(SETTINGS);
        assert_eq!(breaker.tune(None), Some(Circuit::Closed));
        assert_eq!(calls(&breaker, at(0), false, 1_000), None);
        assert_eq!(breaker.tune(Some(SETTINGS)), None);
        assert_eq!(calls(&breaker, at(0), false, 10), Some(Circuit::Open));
    }
}
