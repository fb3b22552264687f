//! What can be changed about caches, CDNs and browsers: commands as one would type them, read when they are used.

use crate::observe::{CacheState, Kind};
use crate::tui::menu::{Choice, Entry};
use crate::tui::text;

use super::Place;

/// What the settings in words say of a row: nothing, that it is so, that it is so when they don't say it, or when one begins like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Now {
    Unknown,
    Said(&'static str),
    Unsaid(&'static str),
    Begins(&'static str),
    NoneBegins(&'static str),
}

use Now::{Begins, NoneBegins, Said, Unknown, Unsaid};

/// A command with its key; `{}` is what it is about.
struct Row {
    kinds: &'static [Kind],
    key: char,
    words: &'static str,
    detail: &'static str,
    line: &'static str,
    now: Now,
}

const CACHE: &[Kind] = &[Kind::Cache];
const CDN: &[Kind] = &[Kind::Cdn];
const STORES: &[Kind] = &[Kind::Cache, Kind::Cdn];
const KEEPERS: &[Kind] = &[
    Kind::Cache,
    Kind::Cdn,
    Kind::Shield,
    Kind::Users,
    Kind::Web,
    Kind::Serverless,
];
const DNS: &[Kind] = &[Kind::Dns];

const fn row(
    kinds: &'static [Kind],
    (key, words, detail): (char, &'static str, &'static str),
    line: &'static str,
    now: Now,
) -> Row {
    Row {
        kinds,
        key,
        words,
        detail,
        line,
        now,
    }
}

/// All commands. Small letters switch on, capital ones off.
const ROWS: &[Row] = &[
    row(
        KEEPERS,
        ('f', "flush", "it forgets all that it holds"),
        "flush {}",
        Unknown,
    ),
    row(
        STORES,
        ('p', "purge row 0", "it forgets the row that is asked for most"),
        "purge {} 0",
        Unknown,
    ),
    row(
        &[Kind::Cdn, Kind::Users],
        ('y', "deploy", "all static files get a new version"),
        "deploy",
        Unknown,
    ),
    row(
        STORES,
        ('1', "evict: LRU", "what was not used for longest goes"),
        "set {} evict lru",
        Begins("LRU "),
    ),
    row(
        STORES,
        ('2', "evict: LFU", "what was used least goes"),
        "set {} evict lfu",
        Begins("LFU "),
    ),
    row(
        STORES,
        ('3', "evict: FIFO", "what came first goes first"),
        "set {} evict fifo",
        Begins("FIFO "),
    ),
    row(
        STORES,
        ('4', "evict: CLOCK", "first in, first out; used ones stay a round"),
        "set {} evict clock",
        Begins("CLOCK "),
    ),
    row(
        STORES,
        ('5', "evict: SIEVE", "a hand passes what was used, and stays there"),
        "set {} evict sieve",
        Begins("SIEVE "),
    ),
    row(
        STORES,
        ('6', "evict: S3-FIFO", "what is asked for once leaves soon"),
        "set {} evict s3-fifo",
        Begins("S3"),
    ),
    row(
        STORES,
        ('7', "evict: ARC", "finds its balance of recent and frequent"),
        "set {} evict arc",
        Begins("ARC "),
    ),
    row(
        STORES,
        (
            '8',
            "evict: W-TinyLFU",
            "who comes in must be asked for more than who goes",
        ),
        "set {} evict w-tinylfu",
        Begins("W-TinyLFU "),
    ),
    row(
        STORES,
        ('9', "evict: random", "any"),
        "set {} evict random",
        Begins("random "),
    ),
    row(
        STORES,
        ('z', "evict: sampled LRU", "the least recent of a few, as Redis does"),
        "set {} evict sampled-lru",
        Begins("sampled LRU "),
    ),
    row(
        STORES,
        ('Z', "evict: sampled LFU", "the least frequent of a few, as Redis does"),
        "set {} evict sampled-lfu",
        Begins("sampled LFU "),
    ),
    row(
        STORES,
        (
            'l',
            "single flight: on",
            "who misses the same at once waits for one load",
        ),
        "set {} single-flight on",
        Said("single flight"),
    ),
    row(
        STORES,
        ('L', "single flight: off", "each of them loads it"),
        "set {} single-flight off",
        Unsaid("single flight"),
    ),
    row(
        CACHE,
        ('s', "ttl: 10s", "fresh, and loaded often"),
        "set {} ttl 10s",
        Said("ttl 10s"),
    ),
    row(
        CACHE,
        ('m', "ttl: 1m", "an entry lives for a minute"),
        "set {} ttl 1m",
        Said("ttl 1m"),
    ),
    row(
        CACHE,
        ('M', "ttl: 10m", "loaded seldom; stale for longer"),
        "set {} ttl 10m",
        Said("ttl 10m"),
    ),
    row(
        CACHE,
        ('a', "strategy: cache-aside", "web servers load and store"),
        "set {} strategy aside",
        Said("cache-aside"),
    ),
    row(
        CACHE,
        ('r', "strategy: read-through", "the cache loads; writes go past it"),
        "set {} strategy read-through",
        Said("read-through"),
    ),
    row(
        CACHE,
        (
            'w',
            "strategy: write-through",
            "writes go through it, to the database first",
        ),
        "set {} strategy write-through",
        Said("write-through"),
    ),
    row(
        CACHE,
        (
            'b',
            "strategy: write-behind",
            "fast; what it has not written dies with it",
        ),
        "set {} strategy write-behind",
        Begins("write-behind"),
    ),
    row(
        CACHE,
        ('i', "writes: delete", "the next one who asks loads the row"),
        "set {} invalidate delete",
        NoneBegins("writes "),
    ),
    row(
        CACHE,
        ('I', "writes: update", "the new version takes its place"),
        "set {} invalidate update",
        Said("writes update"),
    ),
    row(
        CACHE,
        ('n', "writes: tell nothing", "stale until it expires"),
        "set {} invalidate never",
        Said("writes tell nothing"),
    ),
    row(
        CACHE,
        ('h', "refresh ahead: 80%", "loaded anew before it expires"),
        "set {} refresh-ahead 80%",
        Said("refresh ahead"),
    ),
    row(
        CACHE,
        ('H', "refresh ahead: off", "loaded anew when it has expired"),
        "set {} refresh-ahead off",
        Unsaid("refresh ahead"),
    ),
    row(
        CACHE,
        (
            'e',
            "early refresh: on",
            "by chance, the sooner the longer a load takes",
        ),
        "set {} early 1",
        Said("early refresh"),
    ),
    row(
        CACHE,
        ('E', "early refresh: off", "all wait for the same end"),
        "set {} early off",
        Unsaid("early refresh"),
    ),
    row(
        CACHE,
        ('v', "negative: 10s", "keeps that there is no such row"),
        "set {} negative 10s",
        Unknown,
    ),
    row(
        CACHE,
        ('V', "negative: off", "what is not there is asked for each time"),
        "set {} negative off",
        Unknown,
    ),
    row(
        CACHE,
        ('x', "near copies: 1s", "web servers keep what they asked for last"),
        "set {} near 1s",
        Unknown,
    ),
    row(
        CACHE,
        ('X', "near copies: off", "web servers ask the cache each time"),
        "set {} near off",
        Unknown,
    ),
    row(
        CACHE,
        ('c', "rehash: on", "a dead node's keys go to the next one"),
        "set {} rehash on",
        Unknown,
    ),
    row(
        CACHE,
        ('C', "rehash: off", "a dead node's keys miss"),
        "set {} rehash off",
        Unknown,
    ),
    row(
        CDN,
        ('s', "pages: 2s", "pages and JSON that nothing makes private"),
        "set {} pages 2s",
        Said("pages 2s"),
    ),
    row(
        CDN,
        ('m', "pages: 1m", "kept longer; as stale as that"),
        "set {} pages 1m",
        Said("pages 1m"),
    ),
    row(
        CDN,
        ('M', "pages: off", "only static files are kept"),
        "set {} pages off",
        NoneBegins("pages "),
    ),
    row(
        CDN,
        ('w', "stale while revalidate: 10s", "served while it is fetched anew"),
        "set {} stale-while-revalidate 10s",
        Unknown,
    ),
    row(
        CDN,
        ('W', "stale while revalidate: off", "who asks first waits"),
        "set {} stale-while-revalidate off",
        Unknown,
    ),
    row(
        CDN,
        ('e', "stale if error: 1h", "served when it can't be fetched"),
        "set {} stale-if-error 1h",
        Said("stale if error 1h"),
    ),
    row(
        CDN,
        ('E', "stale if error: off", "an error is passed on"),
        "set {} stale-if-error off",
        NoneBegins("stale if error"),
    ),
    row(
        CDN,
        ('n', "next edge: on", "stands in for one that is believed down"),
        "set {} next-edge on",
        Unknown,
    ),
    row(
        CDN,
        ('N', "next edge: off", "users of a dead edge leave this CDN"),
        "set {} next-edge off",
        Unknown,
    ),
    row(
        CDN,
        ('b', "standby: on", "used only when no other CDN is"),
        "set {} standby on",
        Said("standby"),
    ),
    row(
        CDN,
        ('B', "standby: off", "used beside the others"),
        "set {} standby off",
        Unsaid("standby"),
    ),
    row(
        CDN,
        ('x', "weight: 0.5", "half of the users that it has at 1"),
        "set {} weight 0.5",
        Unknown,
    ),
    row(
        CDN,
        ('X', "weight: 1", "as many users as another one"),
        "set {} weight 1",
        Unknown,
    ),
    row(
        DNS,
        (
            'o',
            "origin fallback: on",
            "users come to the data centers when all CDNs are down",
        ),
        "set {} origin-fallback on",
        Unknown,
    ),
    row(
        DNS,
        (
            'O',
            "origin fallback: off",
            "the data centers are spared; users get nothing",
        ),
        "set {} origin-fallback off",
        Unknown,
    ),
];

/// Whether the settings in words say that a row is so.
fn says(policy: &str, now: Now) -> bool {
    // A CDN says when it does not coalesce, a cache when it does.
    let coalesces = policy.starts_with("cache-") || policy.starts_with("read-") || policy.starts_with("write-");
    let mut parts = policy.split(", ");
    match now {
        Unknown => false,
        Said("single flight") if !coalesces => parts.all(|part| part != "no coalescing"),
        Unsaid("single flight") if !coalesces => parts.any(|part| part == "no coalescing"),
        Said(words) => parts.any(|part| part == words),
        Unsaid(words) => parts.all(|part| part != words),
        Begins(words) => parts.any(|part| part.starts_with(words)),
        NoneBegins(words) => parts.all(|part| !part.starts_with(words)),
    }
}

fn entry(key: char, words: &str, detail: &str, line: String, now: bool) -> Entry {
    Entry {
        key: Some(key),
        words: words.to_string(),
        detail: detail.to_string(),
        choice: Choice::Line(line),
        now,
    }
}

/// The commands that make sense for a service; what it forgets is that of the selection alone.
pub(super) fn caches(place: &Place, target: &str) -> Vec<Entry> {
    let kind = place.info.kind;
    let kept = place.state.cache.as_ref();
    let cdns = place.topology.services.iter().any(|service| service.kind == Kind::Cdn);
    if kept.is_none() && !(kind == Kind::Dns && cdns) {
        return Vec::new();
    }
    let policy = kept.map_or("", |kept| kept.policy.as_str());
    let rows = ROWS.iter().filter(|row| row.kinds.contains(&kind));
    let mut entries: Vec<Entry> = rows
        .map(|row| {
            let whole = row.line.starts_with("set ");
            let target = if whole { place.info.selector.as_str() } else { target };
            entry(
                row.key,
                row.words,
                row.detail,
                row.line.replace("{}", target),
                says(policy, row.now),
            )
        })
        .collect();
    if let Some(kept) = kept.filter(|_| STORES.contains(&kind)) {
        let at = entries.iter().position(|entry| entry.key == Some('l')).unwrap_or(0);
        entries.splice(at..at, rooms(kept, &place.info.selector));
    }
    entries
}

/// Twice and half the room that each node has, where the settings in words tell it.
fn rooms(kept: &CacheState, target: &str) -> Vec<Entry> {
    let Some((count, unit)) = kept.policy.split(", ").find_map(room) else {
        return Vec::new();
    };
    let line = |count: u64| match unit {
        "items" => format!("set {target} items {count}"),
        unit => format!("set {target} bytes {count}{unit}"),
    };
    let words = |count: u64| match unit {
        "items" => format!("room: {} items", text::count(count)),
        unit => format!("room: {count}{unit}"),
    };
    let mut entries = vec![entry(
        'o',
        &words(count * 2),
        "twice as much on each node",
        line(count * 2),
        false,
    )];
    if count > 1 {
        entries.push(entry(
            'O',
            &words(count / 2),
            "half as much on each node",
            line(count / 2),
            false,
        ));
    }
    entries
}

/// The room that a part of the settings in words tells: `LRU 10,000 items`, `LRU 10 GB`.
fn room(part: &str) -> Option<(u64, &'static str)> {
    const UNITS: [&str; 9] = ["items", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"];
    let mut words = part.rsplit(' ');
    let (unit, count) = (words.next()?, words.next()?);
    let unit = UNITS.into_iter().find(|known| *known == unit)?;
    Some((count.replace(',', "").parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_at_every_cache() {
        for kind in [Kind::Cache, Kind::Cdn, Kind::Shield, Kind::Users, Kind::Dns] {
            let rows = ROWS.iter().filter(|row| row.kinds.contains(&kind)).map(|row| row.key);
            let mut keys: Vec<char> = "udjkgGqoO"
                .chars()
                .filter(|key| kind != Kind::Dns || !"oO".contains(*key))
                .collect();
            // A population has those of a celebrity and of sessions, DNS its times to live.
            keys.extend(if kind == Kind::Users { "cCv" } else { "" }.chars());
            keys.extend(rows);
            keys.sort_unstable();
            let all = keys.len();
            keys.dedup();
            assert_eq!(keys.len(), all, "{kind:?}: {keys:?}");
        }
    }

    #[test]
    fn what_is_set_is_found_among_the_words_of_a_policy() {
        let now = |policy: &str, kind: Kind| -> Vec<&str> {
            let rows = ROWS
                .iter()
                .filter(|row| row.kinds.contains(&kind) && says(policy, row.now));
            rows.map(|row| row.words).collect()
        };
        assert_eq!(
            now("read-through, SIEVE 10,000 items, ttl 1m, single flight", Kind::Cache),
            [
                "evict: SIEVE",
                "single flight: on",
                "ttl: 1m",
                "strategy: read-through",
                "writes: delete",
                "refresh ahead: off",
                "early refresh: off"
            ]
        );
        assert_eq!(
            now("LRU 10 GB, pages 2s, no coalescing", Kind::Cdn),
            [
                "evict: LRU",
                "single flight: off",
                "pages: 2s",
                "stale if error: off",
                "standby: off"
            ]
        );
        assert_eq!(room("LRU 10,000 items"), Some((10_000, "items")));
        assert_eq!(room("sampled LRU 64 MB"), Some((64, "MB")));
        assert_eq!(room("ttl 1m"), None);
    }
}
