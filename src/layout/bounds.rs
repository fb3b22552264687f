//! What single values may be, in a layout and in commands that change it while it runs. Refusals are in words, without a place.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::bytes;
use super::duration;
use super::evict::Room;
use super::policies::Target;
use super::queueing::Fallback;
use super::text::{grouped, printable};

/// The most machines in all data centers together, and of an autoscaler.
pub(crate) const MOST_MACHINES: u64 = 100_000;
/// The most requests a second: of all populations together, and that anything is limited to.
pub(crate) const MOST_RATE: f64 = 10_000_000.0;
/// The longest of all durations in a layout: a week, the bound that RFC 8767 recommends for TTLs.
pub(crate) const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often a call may be tried again.
pub(crate) const RETRIES: RangeInclusive<u64> = 0..=100;
/// The weight of a kind of request.
pub(crate) const ASKS: RangeInclusive<f64> = 0.0..=1e6;
/// Retries as a share of calls.
pub(crate) const BUDGET: RangeInclusive<f64> = 0.0..=10.0;
/// Connections of one caller's instance.
pub(crate) const CONNECTIONS: RangeInclusive<u64> = 1..=1_000_000;
/// Checks, or requests, in a row that turn a judgement around.
pub(crate) const IN_A_ROW: RangeInclusive<u64> = 1..=1_000;
/// Nodes of a shard, in all data centers.
pub(crate) const NODES: RangeInclusive<u64> = 1..=15;
/// Shards of a database.
pub(crate) const SHARDS: RangeInclusive<u64> = 1..=256;
/// Points of a shard on a ring.
pub(crate) const POINTS: RangeInclusive<u64> = 1..=10_000;
/// Entries of a log.
pub(crate) const ENTRIES: RangeInclusive<u64> = 1..=10_000_000;
/// Rows a second that are copied.
pub(crate) const COPY_RATE: RangeInclusive<f64> = 1.0..=1e8;
/// Monitors of a database.
pub(crate) const MONITORS: RangeInclusive<u64> = 1..=7;
/// A share.
pub(crate) const SHARE: RangeInclusive<f64> = 0.0..=1.0;
/// Nodes of a cache, and copies of a key.
pub(crate) const CACHE_NODES: RangeInclusive<u64> = 1..=1_000;
/// CDNs of a layout.
pub(crate) const MOST_CDNS: usize = 16;
/// Zones of a data center.
pub(crate) const ZONES: RangeInclusive<u64> = 1..=8;
/// Edges of a CDN.
pub(crate) const EDGES: RangeInclusive<u64> = 1..=64;
/// Bytes of a row, a page or a file.
pub(crate) const OBJECT: RangeInclusive<u64> = 1..=1_000_000_000;
/// Messages of a queue.
pub(crate) const MESSAGES: RangeInclusive<u64> = 1..=10_000_000;
/// How often a message is handed out.
pub(crate) const ATTEMPTS: RangeInclusive<u64> = 1..=1_000;
/// Messages that a worker holds.
pub(crate) const MOST_PREFETCH: u64 = 10_000;
/// Messages of an outbox.
pub(crate) const OUTBOX: RangeInclusive<u64> = 1..=1_000_000;
/// The largest factor of probabilistic early expiration.
pub(crate) const MOST_BETA: f64 = 100.0;
/// The largest weight of a server or a CDN.
pub(crate) const MOST_WEIGHT: f64 = 1_000.0;
/// Entries of a cache.
const ITEMS: RangeInclusive<u64> = 1..=100_000_000;
/// Bytes of a cache.
const BYTES: RangeInclusive<u64> = 1_000..=1_000_000_000_000_000;
/// The shortest lease of a primary: it is renewed three times while it lasts.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);
/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

pub(crate) fn whole(value: impl Into<u64>, range: &RangeInclusive<u64>) -> Result<(), String> {
    let value = value.into();
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = (grouped(*range.start()), grouped(*range.end()));
    Err(format!("must be from {low} to {high}, not {}", grouped(value)))
}

pub(crate) fn number(value: f64, range: &RangeInclusive<f64>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!(
        "must be from {} to {}, not {value}",
        range.start(),
        range.end()
    ))
}

/// Above zero, at most `high`.
pub(crate) fn positive(value: f64, high: f64) -> Result<(), String> {
    if value > 0.0 && value <= high {
        return Ok(());
    }
    Err(format!("must be above 0 and at most {high}, not {value}"))
}

pub(crate) fn time(value: Duration, range: &RangeInclusive<Duration>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = (duration::format(*range.start()), duration::format(*range.end()));
    Err(format!("must be from {low} to {high}, not {}", duration::format(value)))
}

/// From 0 to a week.
pub(crate) fn span(value: Duration) -> Result<(), String> {
    time(value, &(Duration::ZERO..=LONGEST))
}

/// Above zero, at most a week.
pub(crate) fn interval(value: Duration) -> Result<(), String> {
    if value.is_zero() {
        return Err("must be longer than 0".to_owned());
    }
    span(value)
}

/// How long a primary's lease lasts.
pub(crate) fn lease(value: Duration) -> Result<(), String> {
    time(value, &(SHORTEST_LEASE..=LONGEST))
}

pub(crate) fn target(target: Target) -> Result<(), String> {
    match target {
        Target::Utilisation(share) => positive(share, 1.0),
        Target::Requests(rate) => positive(rate, MOST_RATE),
        Target::Depth(messages) => positive(messages, MOST_RATE),
        Target::Age(age) => interval(age),
    }
}

/// What becomes of a message that is not confirmed.
pub(crate) fn fallback(fallback: Fallback) -> Result<(), String> {
    match fallback {
        Fallback::Refuse | Fallback::Drop => Ok(()),
        Fallback::Block { longest } => interval(longest),
        Fallback::Outbox { messages } => whole(messages, &OUTBOX),
    }
}

/// What a cache has room for.
pub(crate) fn room(room: Room) -> Result<(), String> {
    match room {
        Room::Items(items) => whole(items, &ITEMS),
        Room::Bytes(count) if BYTES.contains(&count) => Ok(()),
        Room::Bytes(count) => {
            let [low, high, found] = [*BYTES.start(), *BYTES.end(), count].map(bytes::format);
            Err(format!("must be from {low} to {high}, not {found}"))
        }
    }
}

/// From which share of its life on an entry is loaded anew.
pub(crate) fn refresh_ahead(share: f64) -> Result<(), String> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    Err(format!("must be above 0 and below 1, not {share}"))
}

/// A name that selectors and commands can carry.
pub(crate) fn name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        Err("a name must not be empty".to_owned())
    } else if name.chars().count() > LONGEST_NAME {
        Err(format!("a name has at most {LONGEST_NAME} characters"))
    } else if printable(name) != name {
        Err(format!(
            "the name \"{}\" holds characters that cannot be seen",
            printable(name)
        ))
    } else if let Some(c) = name.chars().find(|c| c.is_whitespace() || "/*<>".contains(*c)) {
        Err(format!(
            "the name \"{name}\" holds `{c}`; selectors need names without blanks, `/`, `*`, `<` and `>`"
        ))
    } else if name.bytes().all(|b| b.is_ascii_digit()) {
        Err(format!(
            "the name \"{name}\" is a number; in selectors numbers stand for instances, as in web/2"
        ))
    } else if name == "dns" || name == "all" {
        Err(format!(
            "the name \"{name}\" has a meaning of its own in commands; choose another"
        ))
    } else {
        Ok(())
    }
}

/// The name of a cookie. `off` stands for none in commands.
pub(crate) fn cookie(name: &str) -> Result<(), String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if name.is_empty() {
        return Err("sticky needs the name of its cookie".to_owned());
    }
    if name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        return Err(format!(
            "\"{}\" is no name of a cookie: it has 1 to {LONGEST_NAME} letters, digits, `_` and `-`, as \"SERVERID\" has",
            printable(&name.chars().take(80).collect::<String>())
        ));
    }
    if name == "off" {
        return Err("a cookie can't be named \"off\": in commands that means none".to_owned());
    }
    Ok(())
}
