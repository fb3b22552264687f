//! A retry budget: retries as a share of calls, so that they cannot become a storm.

use std::cell::Cell;

use crate::sim::SimTime;

/// Parts of a deposit: a second each, together the life of a deposit of 10 s (Finagle's default `ttl`).
const PARTS: usize = 10;
/// Nanoseconds of a part.
const PART_NANOS: u64 = 1_000_000_000;
/// What a retry takes, in the unit of deposits: a millionth of a retry.
const RETRY: i64 = 1_000_000;
/// What can be taken in 10 s without any deposit: 10 retries a second (Finagle's default `minRetriesPerSec`).
const RESERVE: i64 = 10 * 10 * RETRY;

/// Finagle's `RetryBudget` (`com.twitter.finagle.service.RetryBudget`, with its `LeakyTokenBucket`): each call deposits a share of a
/// retry, each retry takes a whole one; deposits and withdrawals live 10 s, and 10 retries a second are always free.
#[derive(Debug, Default)]
pub struct RetryBudget {
    share: Cell<Option<f64>>,
    /// What a call deposits.
    deposit: Cell<i64>,
    /// Deposits less withdrawals in each of the last ten seconds: second number n stands at n modulo 10.
    parts: [Cell<i64>; PARTS],
    /// Their sum.
    balance: Cell<i64>,
    /// The number of the newest second.
    newest: Cell<u64>,
}

impl RetryBudget {
    /// A budget of this share of calls; `None`: without limit.
    pub fn new(share: Option<f64>) -> RetryBudget {
        let budget = RetryBudget::default();
        budget.tune(share);
        budget
    }

    /// Changes the share from now on. What was deposited stays.
    #[inline]
    pub fn tune(&self, share: Option<f64>) {
        if share != self.share.get() {
            self.share.set(share);
            self.deposit
                .set(share.map_or(0, |share| libm::round(share * RETRY as f64) as i64));
        }
    }

    /// A call is made.
    #[inline]
    pub fn deposit(&self, now: SimTime) {
        if self.share.get().is_some() {
            self.change(now, self.deposit.get());
        }
    }

    /// Whether a retry may be made now; if so it is paid for.
    pub fn take(&self, now: SimTime) -> bool {
        if self.share.get().is_none() {
            return true;
        }
        self.change(now, 0);
        if RESERVE + self.balance.get() < RETRY {
            return false;
        }
        self.change(now, -RETRY);
        true
    }

    #[inline]
    fn change(&self, now: SimTime, by: i64) {
        let second = now.0 / PART_NANOS;
        if second != self.newest.get() {
            self.forget(second);
        }
        let part = &self.parts[second as usize % PARTS];
        part.set(part.get() + by);
        self.balance.set(self.balance.get() + by);
    }

    /// Forgets the seconds that are ten and more before this one.
    fn forget(&self, second: u64) {
        let passed = second.saturating_sub(self.newest.get()).min(PARTS as u64);
        for past in 0..passed {
            let gone = self.parts[(second - past) as usize % PARTS].replace(0);
            self.balance.set(self.balance.get() - gone);
        }
        self.newest.set(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime(millis * 1_000_000)
    }

    fn taken(budget: &RetryBudget, now: SimTime) -> usize {
        (0..100_000).take_while(|_| budget.take(now)).count()
    }

    #[test]
    fn ten_retries_a_second_are_free() {
        let budget = RetryBudget::new(Some(0.0));
        assert_eq!(taken(&budget, at(0)), 100);
        assert_eq!(taken(&budget, at(9_999)), 0);
        assert_eq!(taken(&budget, at(10_000)), 100);
        let total: usize = (11..=1_010).map(|second| taken(&budget, at(second * 1_000))).sum();
        assert_eq!(total, 100 * 100);
    }

    #[test]
    fn retries_are_at_most_the_share_of_the_calls() {
        let budget = RetryBudget::new(Some(0.2));
        let mut retries = 0;
        for call in 0..1_000_000 {
            let now = SimTime(call * 1_000_000);
            budget.deposit(now);
            retries += u64::from(budget.take(now));
        }
        // 200 of 1,000 a second are paid for by calls and 10 are free; the first 10 s bring the whole reserve.
        let share = retries as f64 / 1e6;
        assert!((0.205..0.215).contains(&share), "{share}");
    }

    #[test]
    fn deposits_live_ten_seconds() {
        let budget = RetryBudget::new(Some(0.5));
        (0..1_000).for_each(|_| budget.deposit(at(5_500)));
        assert_eq!(taken(&budget, at(14_999)), 600);
        let budget = RetryBudget::new(Some(0.5));
        (0..1_000).for_each(|_| budget.deposit(at(5_500)));
        assert_eq!(taken(&budget, at(15_000)), 100);
        // Long after, the ring holds nothing of it.
        assert_eq!(taken(&budget, at(1_000_000)), 100);
    }

    #[test]
    fn without_a_share_there_is_no_limit_and_a_changed_share_holds_at_once() {
        let budget = RetryBudget::new(None);
        assert_eq!(taken(&budget, at(0)), 100_000);
        budget.tune(Some(1.0));
        (0..50).for_each(|_| budget.deposit(at(0)));
        assert_eq!(taken(&budget, at(0)), 150);
        budget.tune(None);
        assert!(budget.take(at(0)));
    }
}
