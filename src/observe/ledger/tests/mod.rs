//! The rules of the ledger, one by one, and its bounds.

mod naive;

use super::*;
use crate::sim::{Draw, InstanceId};

const NODE: InstanceId = InstanceId(1);

/// The first users of the sample.
fn users(count: usize) -> Vec<Owner> {
    let all = (0..).map(|person| Owner::new(0, person));
    all.filter(|user| user.lot() < SAMPLED).take(count).collect()
}

fn at(seconds: u64) -> SimTime {
    SimTime(seconds * 1_000_000_000)
}

/// A ledger and one user.
struct Book(Ledger, Owner);

impl Book {
    fn new() -> Book {
        Book(Ledger::default(), users(1)[0])
    }

    fn acknowledged(&mut self, seconds: u64, version: u64) {
        let event = Event::Acknowledged {
            key: 1,
            version: Stamp(version),
            by: NODE,
            user: self.1,
        };
        self.0.follow(at(seconds), &event);
    }

    /// Reads in a quarter of a second; what was counted: stale, own writes unseen, backwards.
    fn read(&mut self, began: u64, version: u64) -> (u64, u64, u64) {
        let count = |ledger: &Ledger| {
            let promises = ledger.promises();
            (promises.stale, promises.own_writes_unseen, promises.read_backwards)
        };
        let before = count(&self.0);
        let event = Event::Read {
            key: 1,
            version: Stamp(version),
            by: NODE,
            user: self.1,
            began: at(began),
            copy: false,
        };
        self.0.follow(at(began) + Duration::from_millis(250), &event);
        let after = count(&self.0);
        (after.0 - before.0, after.1 - before.1, after.2 - before.2)
    }

    fn resolved(&mut self, dropped: u64, kept: u64, how: Resolution) {
        let event = Event::Resolved {
            key: 1,
            dropped: Stamp(dropped),
            kept: Stamp(kept),
            how,
        };
        self.0.follow(at(50), &event);
    }

    fn replayed(&mut self, old: u64, new: u64) {
        let event = Event::Replayed {
            key: 1,
            old: Stamp(old),
            new: Stamp(new),
        };
        self.0.follow(at(50), &event);
    }

    fn given_up(&mut self, old: u64, kept: u64) {
        let event = Event::GivenUp {
            key: 1,
            old: Stamp(old),
            kept: Stamp(kept),
        };
        self.0.follow(at(50), &event);
    }

    fn audit(&mut self, held: Held) -> (u64, u64, u64) {
        let lost = self.0.audit(|_, _| held);
        (lost, self.0.lost(), self.0.missing())
    }
}

#[test]
fn a_read_is_stale_if_more_was_promised_before_it_began() {
    let mut book = Book::new();
    assert_eq!(book.read(0, 0).0, 0);
    book.acknowledged(1, 10);
    book.acknowledged(4, 20);
    assert_eq!(book.read(3, 10).0, 0, "what is promised during the read doesn't count");
    assert_eq!(book.read(3, 0).0, 1);
    assert_eq!(book.0.promises().stale_longest, Duration::from_secs(2));
    // The first that it missed was promised at 1, though the newest was at 4.
    assert_eq!(book.read(9, 5).0, 1);
    assert_eq!(book.0.promises().stale_longest, Duration::from_secs(8));
    assert_eq!(book.0.promises().stale_mean, Duration::from_secs(5));
    assert_eq!(book.read(9, 20).0, 0);
    assert_eq!(book.read(9, 30).0, 0, "a write that nobody was told of yet is no less");
    // An older write that is acknowledged late promises nothing.
    book.acknowledged(12, 15);
    assert_eq!(book.read(13, 20).0, 0);
    assert_eq!(book.0.promises().acknowledged, 3);
    assert_eq!(book.0.promises().reads, 7);
}

#[test]
fn users_find_what_they_wrote_and_what_they_saw() {
    let mut book = Book::new();
    book.acknowledged(1, 10);
    assert_eq!(book.read(2, 0), (1, 1, 0));
    assert_eq!(book.read(3, 12), (0, 0, 0));
    assert_eq!(book.read(3, 10), (0, 0, 0), "the read of version 12 had not ended");
    assert_eq!(book.read(4, 10), (0, 0, 1));
    assert_eq!(book.read(5, 5), (1, 1, 1));
    // Somebody else has other expectations.
    book.1 = users(2)[1];
    assert_eq!(book.read(6, 5), (1, 0, 0));
}

#[test]
fn what_is_lost_is_counted_once_and_forgotten() {
    let mut book = Book::new();
    book.acknowledged(1, 10);
    assert_eq!(book.audit(Held::Serving), (0, 0, 0));
    assert_eq!(book.audit(Held::Elsewhere), (0, 0, 1));
    assert_eq!(book.audit(Held::Nowhere), (1, 1, 0));
    assert_eq!(book.audit(Held::Nowhere), (0, 1, 0));
    assert_eq!(book.read(60, 0), (0, 1, 0));
    book.acknowledged(61, 20);
    assert_eq!(book.read(62, 0).0, 1);
    assert_eq!(book.0.promises().stale_longest, Duration::from_secs(1));
}

#[test]
fn a_later_write_makes_up_for_what_is_missing() {
    let mut book = Book::new();
    book.acknowledged(1, 10);
    book.audit(Held::Elsewhere);
    book.acknowledged(2, 20);
    assert_eq!(book.0.missing(), 0);
    assert_eq!(book.audit(Held::Serving), (0, 0, 0));
}

#[test]
fn a_promise_moves_to_the_write_that_was_replayed() {
    let mut book = Book::new();
    book.acknowledged(1, 10);
    book.audit(Held::Elsewhere);
    book.replayed(10, 30);
    assert_eq!(book.0.missing(), 0);
    assert_eq!(book.0.promises().replayed, 1);
    assert_eq!(book.read(60, 30), (0, 0, 0));
    assert_eq!(book.read(60, 20).0, 1);
    assert_eq!(book.0.promises().stale_longest, Duration::from_secs(59));
    // A replay of something else than the newest promise moves nothing.
    book.replayed(20, 40);
    assert_eq!(book.read(61, 30).0, 0);
}

#[test]
fn a_promise_that_was_given_up_is_the_one_that_was_kept() {
    let mut book = Book::new();
    book.acknowledged(1, 10);
    book.acknowledged(2, 30);
    book.audit(Held::Elsewhere);
    book.given_up(30, 20);
    assert_eq!(book.0.missing(), 0);
    assert_eq!(book.0.promises().given_up, 1);
    assert_eq!(book.read(60, 20), (0, 0, 0), "nobody misses what was given up");
    assert_eq!(book.read(61, 10), (1, 1, 1));
    assert_eq!(book.0.promises().stale_longest, Duration::from_secs(59));
    // Given up for the row as it was at the start: nothing is promised any more.
    book.given_up(20, 0);
    assert_eq!(book.read(62, 0).0, 0);
}

#[test]
fn conflicts_count_by_what_became_of_the_later_write() {
    let mut book = Book::new();
    book.acknowledged(1, 10);
    book.acknowledged(1, 20);
    // The clocks were right: nothing changes.
    book.resolved(10, 20, Resolution::Dropped);
    assert_eq!(book.read(2, 10).0, 1);
    // They were wrong: the older one stands, whatever the node thinks of it.
    book.resolved(20, 15, Resolution::Dropped);
    book.resolved(15, 12, Resolution::DroppedThoughLater);
    assert_eq!(book.read(60, 12), (0, 0, 0));
    assert_eq!(book.read(60, 11).0, 1);
    let promises = book.0.promises();
    assert_eq!((promises.dropped_older, promises.dropped_later), (1, 2));
}

#[test]
fn a_write_that_was_dropped_before_the_user_heard_of_it_promises_what_was_kept() {
    let mut book = Book::new();
    book.resolved(20, 15, Resolution::DroppedThoughLater);
    book.acknowledged(51, 20);
    assert_eq!(book.read(60, 15), (0, 0, 0));
    assert_eq!(book.read(61, 10), (1, 1, 1));
}

#[test]
fn who_reads_one_of_two_siblings_has_missed_neither() {
    for how in [Resolution::Siblings, Resolution::Merged] {
        let mut book = Book::new();
        book.acknowledged(1, 10);
        book.acknowledged(1, 20);
        assert_eq!(book.read(2, 10), (1, 1, 0));
        book.resolved(20, 10, how);
        assert_eq!(book.read(60, 10), (0, 0, 0));
        assert_eq!(book.read(60, 20), (0, 0, 0));
        assert_eq!(book.read(61, 10), (0, 0, 0));
        assert_eq!(book.read(61, 9).0, 1);
        book.acknowledged(62, 30);
        assert_eq!(book.read(63, 10).0, 1);
        let promises = book.0.promises();
        assert_eq!(promises.merged + promises.siblings, 1);
        assert_eq!(promises.merged, u64::from(how == Resolution::Merged));
    }
}

#[test]
fn unknown_outcomes_are_counted() {
    let mut book = Book::new();
    book.0.follow(at(1), &Event::Unknown { key: 1 });
    assert_eq!(book.0.promises().unknown, 1);
}

/// Acknowledges and reads over many rows.
fn busy(ledger: &mut Ledger, acks: u64, rows: u64) {
    for number in 0..acks {
        let draw = Draw::of(1, number, 3);
        let key = draw.below(rows);
        let now = SimTime(1_000 * (number + 1));
        let event = Event::Acknowledged {
            key,
            version: Stamp::new(now, 0),
            by: NODE,
            user: Owner::new(0, draw.0 % 50_000),
        };
        ledger.follow(now, &event);
        if number % 1_000 == 0 {
            ledger.settle(|_, _| 0, &[Stamp::new(SimTime(now.0.saturating_sub(500_000)), 0)]);
        }
    }
}

#[test]
fn memory_follows_the_rows_and_not_the_run() {
    let mut ledger = Ledger::default();
    busy(&mut ledger, 1_000_000, 100_000);
    let early = ledger.bytes();
    busy(&mut ledger, 9_000_000, 100_000);
    // A hash map tells its capacity only about.
    assert!(
        ledger.bytes() < early + early / 4,
        "{early} bytes became {}",
        ledger.bytes()
    );
    assert!(early < 32 << 20, "{early} bytes");
}

#[test]
fn ten_million_rows_fit() {
    let mut ledger = Ledger::default();
    for key in (0..10_000_000).step_by(512) {
        let now = SimTime(key + 1);
        let event = Event::Acknowledged {
            key,
            version: Stamp::new(now, 0),
            by: NODE,
            user: Owner::new(0, key),
        };
        ledger.follow(now, &event);
    }
    // Every page is there now, as if every row had been written.
    assert!(ledger.rows.bytes() >= 200_000_000);
    assert!(ledger.bytes() < 250_000_000, "{} bytes", ledger.bytes());
}

/// `cargo test --release --lib ledger::tests::cost -- --ignored --nocapture`
#[test]
#[ignore = "measures time"]
#[allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures how long things take"
)]
fn cost() {
    let mut ledger = Ledger::default();
    let count = 4_000_000;
    let started = std::time::Instant::now();
    busy(&mut ledger, count, 1_000_000);
    let write = started.elapsed().as_nanos() as f64 / count as f64;
    let started = std::time::Instant::now();
    for number in 0..count {
        let draw = Draw::of(2, number, 3);
        let now = SimTime(1_000 * (count + number + 10_000));
        let event = Event::Read {
            key: draw.below(1_000_000),
            version: Stamp(if number % 8 == 0 { 0 } else { u64::MAX }),
            by: NODE,
            user: Owner::new(0, draw.0 % 1_000_000),
            began: SimTime(now.0 - 5_000_000),
            copy: false,
        };
        ledger.follow(now, &event);
    }
    let read = started.elapsed().as_nanos() as f64 / count as f64;
    println!("{write:.0} ns an acknowledged write, {read:.0} ns a read");
    assert!(write < 400.0 && read < 400.0);
}
