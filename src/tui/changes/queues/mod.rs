//! What can be changed about queues, workers and those who publish: commands as one would type them, read when they are used.

mod rows;

use crate::observe::{Kind, LinkKind, QueueState, WorkersState};
use crate::tui::menu::{Choice, Entry};
use crate::tui::text;

use super::Place;

use rows::Now::{self, NoneBegins, NoneEnds, Said, Unknown};
use rows::{Of, PUBLISHERS, ROWS};

/// Messages that a slot of a worker holds at once, where more than one is wanted.
const AHEAD: u32 = 5;

/// Whether the settings in words say that a row is so.
fn says(policy: &str, now: Now) -> bool {
    let mut parts = policy.split(", ");
    match now {
        Unknown => false,
        Said(words) => parts.any(|part| part == words),
        NoneBegins(words) => parts.all(|part| !part.starts_with(words)),
        NoneEnds(words) => parts.all(|part| !part.ends_with(words)),
    }
}

fn entry(key: char, words: impl Into<String>, detail: &str, line: String, now: bool) -> Entry {
    Entry {
        key: Some(key),
        words: words.into(),
        detail: detail.to_string(),
        choice: Choice::Line(line),
        now,
    }
}

/// Whether a service has a command of its kind.
fn fits(place: &Place, of: Of) -> bool {
    let queue = place.state.queue.as_ref();
    match of {
        Of::All => true,
        Of::Works => queue.is_none_or(|queue| !queue.log),
        Of::DeadLetters => queue.is_some_and(|queue| !queue.dead_of.is_empty()),
        Of::WithDatabase => place.topology.links.iter().any(|link| {
            let to = place.topology.services[link.to].kind;
            link.from == place.index && link.kind == LinkKind::Requests && to == Kind::Database
        }),
    }
}

/// The commands that make sense for a service.
pub(super) fn queues(place: &Place) -> Vec<Entry> {
    let (kind, state) = (place.info.kind, place.state);
    let queue = state.queue.as_ref().map(|queue| &queue.policy);
    let workers = state.workers.as_ref().map(|workers| &workers.policy);
    let publisher = state.publisher.as_ref().map(|publisher| &publisher.policy);
    let Some(policy) = queue.or(workers).or(publisher.filter(|_| PUBLISHERS.contains(&kind))) else {
        return Vec::new();
    };
    let target = &place.info.selector;
    let rows = ROWS
        .iter()
        .filter(|row| row.kinds.contains(&kind) && fits(place, row.of));
    let rows = rows.map(|row| {
        entry(
            row.key,
            row.words,
            row.detail,
            row.line.replace("{}", target),
            says(policy, row.now),
        )
    });
    let mut entries: Vec<Entry> = rows.collect();
    entries.extend(state.queue.iter().flat_map(|queue| rooms(queue, target)));
    entries.extend(state.workers.iter().flat_map(|workers| prefetch(workers, target)));
    entries
}

/// Twice and half the room of a queue.
fn rooms(queue: &QueueState, target: &str) -> Vec<Entry> {
    let room = |key, count: u64, detail| {
        let words = format!("room: {} messages", text::count(count));
        entry(key, words, detail, format!("set {target} messages {count}"), false)
    };
    let mut entries = vec![room('o', queue.room.saturating_mul(2).max(1), "twice as many as now")];
    if queue.room > 1 {
        entries.push(room('O', queue.room / 2, "half as many as now"));
    }
    entries
}

/// As many messages as slots, or more, so that nobody waits for the next one.
fn prefetch(workers: &WorkersState, target: &str) -> Vec<Entry> {
    let number = |ending: &str, beginning: &str| {
        let mut parts = workers.policy.split(", ");
        parts.find_map(|part| part.strip_suffix(ending)?.strip_prefix(beginning)?.parse::<u32>().ok())
    };
    let Some(slots) = number(" at once", "") else {
        return Vec::new();
    };
    let held = number("", "hold ").unwrap_or(slots);
    let row = |key, count: u32, detail| {
        let line = format!("set {target} prefetch {count}");
        entry(key, format!("prefetch: {count}"), detail, line, held == count)
    };
    vec![
        row('h', slots.saturating_mul(AHEAD), "held ahead; a dead worker held more"),
        row('H', slots, "no more than it works on"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart() {
        for (kind, others) in [
            (Kind::Queue, "udjkgGqoO"),
            (Kind::Workers, "udjkgGq+-03mMbBaAhH"),
            (Kind::Web, "udjkgGq+-f03mMbBaAwWsnt"),
            (Kind::Serverless, "udjkgGqf03mMbBsnt"),
        ] {
            let rows = ROWS.iter().filter(|row| row.kinds.contains(&kind)).map(|row| row.key);
            let mut keys: Vec<char> = others.chars().chain(rows).collect();
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
            now(
                "on disk, visible again after 30s, 5 attempts, then to dead",
                Kind::Queue
            ),
            [
                "visible again: after 30s",
                "attempts: 5",
                "delay: off",
                "kept: until done"
            ]
        );
        assert_eq!(
            now(
                "on disk, visible again after 2m, kept for 1h, delayed by 5s",
                Kind::Queue
            ),
            ["attempts: no limit", "delay: 5s", "kept: for 1h"]
        );
        assert_eq!(now("at most once, 4 at once", Kind::Workers), ["deliver: at most once"]);
        assert_eq!(
            now("unconfirmed, else in an outbox of 1000", Kind::Web),
            ["confirm: off", "else: outbox of 1,000"]
        );
    }

    #[test]
    fn as_many_as_slots_or_more_are_held() {
        let workers = WorkersState {
            policy: "at least once, 4 at once, hold 20".to_string(),
            ..WorkersState::default()
        };
        let entries = prefetch(&workers, "resizers");
        let told: Vec<(&str, bool)> = entries.iter().map(|entry| (entry.words.as_str(), entry.now)).collect();
        assert_eq!(told, [("prefetch: 20", true), ("prefetch: 4", false)]);
    }
}
