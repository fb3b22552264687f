//! What can be changed about caches, CDNs and browsers: commands as one would type them, read when they are used.

mod rows;

use crate::observe::{CacheState, Kind};
use crate::tui::menu::{Choice, Entry};
use crate::tui::text;

use super::Place;

use rows::Now::{self, Begins, NoneBegins, Said, Unknown, Unsaid};
use rows::{ROWS, STORES};

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
