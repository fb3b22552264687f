//! What came of each failure, and which is worst.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{Extent, Failure, Outcome, Plan, RECENT, Seen, Span, Trial};
use crate::command::Command;

/// From this share of the requests on, in thousandths and beyond what fails undisturbed, users still fail at the end.
const FAILING: i64 = 10;
/// A tier that uses so much of its cores, in thousandths, has no room for more.
const FULL: u32 = 950;
/// Latency is out of hand from so many times the undisturbed one on, if it is this much longer, in microseconds.
const SLOWER: u64 = 3;
const MUCH_SLOWER: u64 = 100_000;
/// A queue or an outbox runs full if so many times the undisturbed one's messages wait, and this many more.
const FULLER: u64 = 3;
const MUCH_FULLER: u64 = 20;
/// What chance makes more or less: so many, and this part of the undisturbed count.
const CHANCE: i64 = 5;
const CHANCE_PART: i64 = 10;

/// How a system bears a failure; the first is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Users fail until it is mended: nothing stands in for it.
    SinglePoint,
    /// Something stands in for it, and yet users fail, wait, or lose data, or work piles up.
    Hidden,
    /// Two machines that users miss together, and neither of them alone.
    Together,
    /// No machine: a whole service or a link, for which nothing stands in.
    Needed,
    /// Users fail or wait for a while, and are then served as before.
    Gap,
    /// Nobody who uses it sees anything of it.
    Redundant,
}

impl Class {
    /// All, the worst first.
    pub const ALL: [Class; 6] = [
        Class::SinglePoint,
        Class::Hidden,
        Class::Together,
        Class::Needed,
        Class::Gap,
        Class::Redundant,
    ];

    /// For files: `single_point`.
    pub fn word(self) -> &'static str {
        match self {
            Class::SinglePoint => "single_point",
            Class::Hidden => "hidden",
            Class::Together => "together",
            Class::Needed => "needed",
            Class::Gap => "gap",
            Class::Redundant => "redundant",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::SinglePoint => "Single points of failure: users fail until somebody mends it",
            Class::Hidden => "Hidden: something stands in, and yet users fail, wait or lose data, or work piles up",
            Class::Together => "Pairs: users fail until one of two machines is mended",
            Class::Needed => "Whole services and links for which nothing stands in",
            Class::Gap => "A gap: users fail or wait for a while, then they are served as before",
            Class::Redundant => "Redundant: users see nothing of it",
        })
    }
}

/// What a failure did with one seed, beyond what happens undisturbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toll {
    /// The seed.
    pub seed: u64,
    /// Requests that failed, beyond those that fail undisturbed.
    pub failed: i64,
    /// The same, if it had been watched for as long as any and had gone on as in the last 10 s.
    pub failed_by_then: i64,
    /// Requests that were tried again, beyond those.
    pub retried: i64,
    /// Share of the requests that still failed in the last 10 s, in thousandths, beyond those.
    pub failing_permille: i64,
    /// Messages that wait in queues at the end, beyond those.
    pub waiting: i64,
    /// Messages that those who publish keep in their own memory at the end, beyond those.
    pub outbox: i64,
    /// Sessions lost, beyond those.
    pub lost_sessions: i64,
    /// What was spent beyond, in millionths of a US dollar.
    pub extra_microusd: i64,
    /// How it was borne.
    pub class: Class,
    /// The run itself.
    pub outcome: Outcome,
}

/// A failure and what it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The failure.
    pub failure: Failure,
    /// How it was borne with the seed that bore it worst.
    pub class: Class,
    /// By seed, the worst first.
    pub tolls: Vec<Toll>,
}

impl Row {
    /// That of the seed that bore it worst.
    pub fn worst(&self) -> &Toll {
        &self.tolls[0]
    }
}

/// All failures with what they did, the worst first. Nothing if a run is missing. Failures that the world refused, since there is nothing of the kind to be done, are
/// left out; so are pairs that
/// are borne no worse than one of the two alone.
pub fn ranked(plan: &Plan, seen: &Seen) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    for (index, failure) in plan.failures.iter().enumerate() {
        let mut tolls = Vec::new();
        for seed in &plan.question.seeds {
            let of = |failure| seen.get(&Trial { failure, seed: *seed });
            let outcome = of(Some(index))?.first()?;
            // What happened undisturbed in the same time.
            let usual = of(None)?.iter().find(|usual| usual.watched_us == outcome.watched_us)?;
            if outcome.refused.is_none() {
                tolls.push(toll(failure, (*seed, plan.question.span), usual, outcome));
            }
        }
        tolls.sort_by_key(|toll| (toll.class, Reverse(badness(toll)), toll.seed));
        if let Some(first) = tolls.first() {
            rows.push(Row {
                failure: failure.clone(),
                class: first.class,
                tolls,
            });
        }
    }
    let singles: BTreeMap<String, Class> = rows.iter().map(|row| (row.failure.id(), row.class)).collect();
    rows.retain(|row| row.failure.extent != Extent::Pair || is_worse(row, &singles));
    rows.sort_by_cached_key(|row| {
        (
            row.class,
            Reverse(badness(row.worst())),
            row.failure.extent,
            row.failure.id(),
        )
    });
    Some(rows)
}

/// Whether two machines together are borne worse than each of them alone.
fn is_worse(pair: &Row, singles: &BTreeMap<String, Class>) -> bool {
    let alone = |command: &Command| singles.get(&command.to_string()).copied();
    let worst = pair.failure.commands.iter().filter_map(alone).min();
    worst.is_none_or(|worst| pair.class < worst)
}

/// What makes one failure of a class worse than another: who still fails, what was lost, who failed, who had to try again, who waited.
fn badness(toll: &Toll) -> (i64, u64, i64, i64, u64) {
    let outcome = &toll.outcome;
    let lost = outcome.lost_writes + outcome.lost_jobs;
    (
        // Two shares that differ by less than 2 % are the same.
        toll.failing_permille / 20,
        lost,
        toll.failed_by_then,
        toll.retried,
        outcome.worst_p99_us,
    )
}

fn toll(failure: &Failure, (seed, span): (u64, Span), usual: &Outcome, outcome: &Outcome) -> Toll {
    let beyond = |of: fn(&Outcome) -> u64| of(outcome).cast_signed() - of(usual).cast_signed();
    let left = span.after.saturating_sub(Duration::from_micros(outcome.watched_us));
    let times = left.as_secs_f64() / RECENT.as_secs_f64();
    let to_come = times * beyond(|outcome| outcome.last_failed) as f64;
    let failed = beyond(|outcome| outcome.failed);
    let mut toll = Toll {
        seed,
        failed,
        failed_by_then: failed + to_come.round() as i64,
        retried: beyond(|outcome| outcome.retried),
        failing_permille: failing(outcome) - failing(usual),
        waiting: beyond(|outcome| outcome.waiting),
        outbox: beyond(|outcome| outcome.outbox),
        lost_sessions: beyond(|outcome| outcome.lost_sessions),
        extra_microusd: beyond(|outcome| outcome.spent_microusd),
        class: Class::Redundant,
        outcome: outcome.clone(),
    };
    toll.class = class(failure, usual, &toll);
    toll
}

/// Share of the requests that failed in the last 10 s, in thousandths. Where fewer than half have ended, the others wait in vain.
fn failing(outcome: &Outcome) -> i64 {
    let ended = outcome.last_ok + outcome.last_failed;
    if 2 * ended < outcome.last_sent {
        return (1_000 * (outcome.last_sent - outcome.last_ok) / outcome.last_sent).cast_signed();
    }
    (1_000 * outcome.last_failed)
        .checked_div(ended)
        .map_or(0, u64::cast_signed)
}

/// Whether there is more than chance may have made, of what is counted beyond the undisturbed count.
fn is_more(beyond: i64, usual: u64) -> bool {
    beyond > CHANCE + usual.cast_signed() / CHANCE_PART
}

fn class(failure: &Failure, usual: &Outcome, toll: &Toll) -> Class {
    let outcome = &toll.outcome;
    let served = outcome.hurt_us.is_none() || outcome.served_us.is_some();
    let last = outcome.last_failed.cast_signed() - usual.last_failed.cast_signed();
    // Users fail at the end: many of them, or some to whom nobody has come to help.
    let failing = toll.failing_permille >= FAILING || !served && is_more(last, usual.last_failed);
    let drowns = outcome.busiest_permille >= FULL && usual.busiest_permille < FULL;
    let is_slow = |now: u64, usual: u64| now >= (usual * SLOWER).max(usual + MUCH_SLOWER);
    let slow = is_slow(outcome.last_p99_us, usual.last_p99_us);
    let is_filling = |now: u64, usual: u64| now >= (usual * FULLER).max(usual + MUCH_FULLER);
    let filling = is_filling(outcome.waiting, usual.waiting) || is_filling(outcome.outbox, usual.outbox);
    let loses = outcome.lost_writes > usual.lost_writes
        || outcome.missing_writes > usual.missing_writes
        || outcome.lost_jobs > usual.lost_jobs
        || is_more(toll.lost_sessions, usual.lost_sessions);
    let failed = is_more(toll.failed, usual.failed);
    let waited = is_slow(outcome.worst_p99_us, usual.worst_p99_us);
    match failure.extent {
        Extent::Pair if failing => Class::Together,
        Extent::Service | Extent::Link if failing => Class::Needed,
        _ if failing && !(failure.redundant && drowns) => Class::SinglePoint,
        _ if failing || slow || filling || loses => Class::Hidden,
        _ if failed && !served => Class::Hidden,
        _ if failed || waited => Class::Gap,
        _ => Class::Redundant,
    }
}
