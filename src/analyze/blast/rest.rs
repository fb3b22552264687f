//! When a run has come to rest: users are served as before, or it goes on as it is and nobody will change it any more.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::outcome::{behind, missing, outbox, waiting};
use super::trial::Span;
use super::{CALM, Failure, RECENT, patience};
use crate::layout::{Layout, Service};
use crate::observe::{Frame, Health, Incident, LogLine, Severity, Tally};

/// What chance makes more or less of a count: so many standard deviations of the difference of two such counts.
const DEVIATIONS: f64 = 3.0;
/// Messages that come and go all the time, beyond twice the usual.
const PLAY: u64 = 5;
/// Latency is the same if it is no more than so many times another one, and this.
const SAME_LATENCY: f64 = 1.5;
const SAME_MORE: Duration = Duration::from_millis(20);

/// Whether nothing more is to be expected: whoever was hurt has been served as before for a while, and nothing waits, lags or is slow that did not before.
pub(super) fn is_as_before(before: &Frame, now: &Frame) -> bool {
    let calm = |incident: &Incident| {
        let served = |at: Duration| now.at.elapsed().saturating_sub(at) >= CALM;
        incident.hurt.is_none() || incident.served.is_some_and(|at| served(at.elapsed()))
    };
    let since = before.at;
    let [usual, recent] = [before, now].map(|frame| frame.recent_latency.p99);
    let mut news = now.incidents.iter().filter(|incident| incident.injected >= since);
    news.all(calm)
        && now.recent.failed * 100 <= before.recent.failed * 100 + now.recent.sent
        // Whoever hangs has not failed yet.
        && now.recent.ok * before.recent.sent * 10 >= before.recent.ok * now.recent.sent * 9
        && recent <= usual * 2
        && waiting(now) <= 2 * waiting(before) + 5
        && outbox(now) <= 2 * outbox(before) + 5
        && missing(now) <= missing(before)
        && behind(now) <= 2 * behind(before) + 50
}

/// Listens to a run until it is at rest: nothing new was heard for as long as the patience of the layout lasts, and all goes on as it did.
///
/// News is what somebody noticed or did, as the log tells it, for the first time since the failure. A breaker that tries again every few seconds, and finds
/// what it found before, is none; nor is that the first user is hurt, as nobody waits from then on who does not from the failure on. What only numbers tell is
/// compared.
pub(super) struct Listener {
    patience: Duration,
    /// For how long it is watched at most.
    until: Duration,
    /// Looks in as much time as is recent.
    in_recent: usize,
    /// Entries that a node may be behind before it has to be rebuilt.
    log: u64,
    /// Lines of the log that were told already.
    told: BTreeSet<String>,
    /// How many there ever were.
    total: u64,
    /// When the last new one was, from the failure.
    last: Duration,
    /// Before the failure.
    usual: Look,
    /// Looks of the last while, the oldest first.
    looks: VecDeque<Look>,
}

/// What goes on, in numbers.
#[derive(Clone, Default)]
struct Look {
    /// Of the last 10 s: sent, answered well, failed.
    counts: [Count; 3],
    p99: Duration,
    /// What piles up.
    piles: Vec<Pile>,
}

/// What was counted in as many seconds as are recent.
#[derive(Clone, Copy, Default)]
struct Count {
    sum: f64,
    /// The variance of the sum, as the single seconds tell it.
    variance: f64,
}

/// Something that piles up.
#[derive(Clone, Copy)]
struct Pile {
    /// How much there is.
    height: u64,
    /// How much there may be.
    room: u64,
    /// What comes and goes all the time, beyond twice the usual.
    play: u64,
}

impl Listener {
    /// Of a run that was like this when the failure came.
    pub(super) fn new(before: &Frame, layout: &Layout, failure: &Failure, span: Span) -> Listener {
        let services = layout.data_centers.values().flat_map(|site| site.services.values());
        let logs = services.filter_map(|service| match service {
            Service::Database(database) => Some(database.log),
            _ => None,
        });
        let log = logs.min().unwrap_or(u64::MAX);
        Listener {
            patience: patience::of(layout, failure, span),
            until: span.after,
            in_recent: (RECENT.as_secs() / span.look().as_secs()) as usize,
            log,
            usual: Look::of(before, log),
            told: BTreeSet::new(),
            total: before.log_total,
            last: Duration::ZERO,
            looks: VecDeque::new(),
        }
    }

    /// Whether it is at rest; to be asked at each look.
    pub(super) fn is_at_rest(&mut self, frame: &Frame, watched: Duration) -> bool {
        self.listen(frame, watched);
        let now = Look::of(frame, self.log);
        // Now, before as much time as is recent, and before twice as much.
        let span = self.in_recent;
        self.looks.push_back(now);
        if self.looks.len() > 2 * span + 1 {
            self.looks.pop_front();
        }
        let [first, middle, last] = [0, span, 2 * span].map(|index| self.looks.get(index));
        let (Some(first), Some(middle), Some(last)) = (first, middle, last) else {
            return false;
        };
        let left = self.until.saturating_sub(watched).as_secs_f64() / RECENT.as_secs_f64();
        watched.saturating_sub(self.last) > self.patience
            && !is_busy(frame)
            && last.goes_on_like(middle)
            && last.goes_on_like(first)
            && last.piles_up_like([middle, first, &self.usual], left)
    }

    /// Takes in what was said since the last look.
    fn listen(&mut self, frame: &Frame, watched: Duration) {
        let said = frame.log_total - self.total;
        self.total = frame.log_total;
        let kept = frame.log.len();
        if said > kept as u64 {
            // Some of it is forgotten.
            self.last = watched;
        }
        let start = frame.at.elapsed().saturating_sub(watched);
        let hurts = |line: &LogLine| {
            let mut hurt = frame.incidents.iter().filter_map(|incident| incident.hurt);
            line.severity == Severity::Bad && hurt.any(|at| at == line.at)
        };
        let lines = &frame.log[kept.saturating_sub(said as usize)..];
        for line in lines.iter().filter(|line| !hurts(line)) {
            if self.told.insert(line.text.clone()) {
                self.last = self.last.max(line.at.elapsed().saturating_sub(start));
            }
        }
    }
}

impl Look {
    fn of(frame: &Frame, log: u64) -> Look {
        let states = || frame.services.iter();
        let queues = states().filter_map(|state| state.queue.as_ref());
        let outboxes = states().filter_map(|state| state.publisher.as_ref());
        let seconds = RECENT.as_secs() as usize;
        let latest = &frame.history[frame.history.len().saturating_sub(seconds)..];
        let count = |of: fn(&Tally) -> u64| Count::of(latest.iter().map(|sample| of(&sample.tally)));
        let pile = |(height, room, play)| Pile { height, room, play };
        let queues = queues.map(|queue| (queue.held, queue.room, PLAY));
        let outboxes = outboxes.map(|publisher| (publisher.outbox, publisher.room, PLAY));
        // Replicas fetch many entries at once.
        let others = [
            (waiting(frame), u64::MAX, PLAY),
            (behind(frame), log, 10 * PLAY),
            (missing(frame), u64::MAX, 0),
        ];
        Look {
            counts: [
                count(|tally| tally.sent),
                count(|tally| tally.ok),
                count(|tally| tally.failed),
            ],
            p99: frame.recent_latency.p99,
            piles: queues.chain(outboxes).chain(others).map(pile).collect(),
        }
    }

    /// Whether users fare as they did then, within chance.
    fn goes_on_like(&self, then: &Look) -> bool {
        let (less, more) = (self.p99.min(then.p99), self.p99.max(then.p99));
        more <= less.mul_f64(SAME_LATENCY) + SAME_MORE
            && self
                .counts
                .iter()
                .zip(&then.counts)
                .all(|(now, then)| now.is_like(then))
    }

    /// Whether what has piled up is no more than usual, or has grown as much as in the time before, within chance, and will not be full before the end: `left` is the
    /// time until then, in such times.
    fn piles_up_like(&self, [then, before, usual]: [&Look; 3], left: f64) -> bool {
        let of = |look: &Look| look.piles.iter().map(|pile| pile.height).collect::<Vec<u64>>();
        let others = [of(then), of(before), of(usual)];
        let mut piles = self.piles.iter().enumerate();
        piles.all(|(index, pile)| {
            // Whoever has come since was not there to be counted.
            let [then, before, usual] = others
                .each_ref()
                .map(|heights| heights.get(index).copied().unwrap_or(0));
            if pile.height.max(then).max(before) <= 2 * usual + pile.play {
                return true;
            }
            let [now, room, then, before] = [pile.height, pile.room, then, before].map(|count| count as f64);
            let grown = now - then;
            // What comes and goes is counted three times, the middle one twice as much.
            let comes = 6.0 * now.min(then).min(before);
            let is_steady = is_chance(grown - (then - before), grown.abs() + (then - before).abs() + comes);
            // What has just become full begins to do harm.
            is_steady && (now.min(then) >= room || now + grown * left < room)
        })
    }
}

impl Count {
    fn of(seconds: impl ExactSizeIterator<Item = u64> + Clone) -> Count {
        let number = seconds.len().max(2) as f64;
        let sum: f64 = seconds.clone().map(|count| count as f64).sum();
        let mean = sum / number;
        let squares: f64 = seconds.map(|count| (count as f64 - mean).powi(2)).sum();
        Count {
            sum,
            variance: squares * number / (number - 1.0),
        }
    }

    /// Whether both differ by chance alone. The variance of what comes one by one is its number (Poisson). What comes in bursts, as when all who wait for one answer fail
    /// at once, has more, and has it both times: of what only one of the two has, as of a step, nothing is put down to chance.
    fn is_like(&self, other: &Count) -> bool {
        let bursts = 2.0 * self.variance.min(other.variance);
        is_chance(self.sum - other.sum, bursts.max(self.sum + other.sum))
    }
}

/// Whether a difference is no greater than chance makes it.
fn is_chance(difference: f64, variance: f64) -> bool {
    difference.abs() <= DEVIATIONS * (variance + 1.0).sqrt()
}

/// Whether something takes its time that nobody tells of before it is done.
fn is_busy(frame: &Frame) -> bool {
    frame.services.iter().any(|state| {
        let boots = |health| matches!(health, Health::Booting { .. });
        let database = state.database.as_ref();
        state
            .instances
            .iter()
            .any(|instance| boots(instance.health) || instance.draining)
            || database.is_some_and(|database| {
                database.migration.is_some() || database.nodes.iter().any(|node| node.rebuilt.is_some())
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of ten seconds that are alike but for chance.
    fn look(counts: [u64; 3], p99: u64, pile: u64) -> Look {
        let even = |count: u64| {
            Count::of(
                (0..10_u64)
                    .map(|second| (count + second) / 10)
                    .collect::<Vec<_>>()
                    .into_iter(),
            )
        };
        Look {
            counts: counts.map(even),
            p99: Duration::from_millis(p99),
            piles: vec![Pile {
                height: pile,
                room: 1_000,
                play: PLAY,
            }],
        }
    }

    #[test]
    fn chance_is_three_standard_deviations() {
        let usual = look([1_000, 900, 100], 100, 0);
        for (other, same) in [
            (look([1_060, 950, 110], 100, 0), true),
            (look([1_000, 900, 142], 100, 0), true),
            (look([1_000, 900, 152], 100, 0), false),
            (look([1_000, 760, 100], 100, 0), false),
            (look([1_300, 900, 100], 100, 0), false),
            (look([1_000, 900, 100], 165, 0), true),
            (look([1_000, 900, 100], 175, 0), false),
        ] {
            assert_eq!(other.goes_on_like(&usual), same, "{:?}", other.p99);
            assert_eq!(usual.goes_on_like(&other), same, "either way");
        }
    }

    #[test]
    fn bursts_are_chance_and_a_trend_is_none() {
        let count = |seconds: [u64; 10]| Count::of(seconds.into_iter());
        // All who wait fail every six seconds: once or twice in ten.
        let (once, twice) = ([0, 0, 0, 900, 0, 0, 0, 0, 0, 0], [900, 0, 0, 0, 0, 0, 900, 0, 0, 0]);
        assert!(count(once).is_like(&count(twice)));
        let rising = |from: u64| std::array::from_fn(|second| from + 20 * second as u64);
        assert!(!count(rising(100)).is_like(&count(rising(300))));
        let (low, high) = ([100; 10], [100, 100, 100, 100, 100, 200, 200, 200, 200, 200]);
        assert!(!count(low).is_like(&count(high)), "a step");
    }

    #[test]
    fn what_grows_must_have_room_until_the_end() {
        let piles = |piles: [u64; 3], left: f64| {
            let [usual, before, then, now] = [10, piles[0], piles[1], piles[2]].map(|pile| look([0; 3], 0, pile));
            now.piles_up_like([&then, &before, &usual], left)
        };
        assert!(piles([100, 200, 300], 6.0));
        assert!(!piles([100, 200, 300], 7.0), "it would be full");
        assert!(piles([1_000, 1_000, 1_000], 7.0), "it is full");
        assert!(!piles([990, 995, 1_000], 7.0), "it has just become full");
        assert!(piles([25, 0, 25], 900.0), "a few come and go");
        assert!(!piles([26, 0, 26], 4.0), "many do");
        assert!(!piles([100, 200, 500], 1.0), "it grows faster");
        assert!(!piles([0, 300, 350], 1.0), "it grows less");
    }
}
