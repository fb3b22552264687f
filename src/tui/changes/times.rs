//! How long answers may be kept, and how soon checks notice: some values to choose from, and the present one among them.

use std::time::Duration;

use crate::command::{Command, Selector, Setting};
use crate::layout::duration;
use crate::tui::menu::Entry;

use super::{Place, change};

/// A value with its key and what it means.
type Choice<T> = (char, T, &'static str);

/// Times to live, in seconds.
const TTLS: &[Choice<u64>] = &[
    ('1', 5, "changes are seen soon; DNS is asked often"),
    ('2', 60, "what is asked twice in a minute is asked once"),
    ('3', 300, "a dead address is answered for five minutes"),
];
/// Times between two checks, in seconds.
const EVERY: &[Choice<u64>] = &[
    ('i', 1, "what is dead is noticed soon"),
    ('I', 10, "what is dead is noticed late"),
];
/// Failed checks in a row after which a server is left out.
const DOWN_AFTER: &[Choice<u32>] = &[
    ('x', 1, "one lost packet takes a server out"),
    ('X', 3, "a lost packet takes nobody out"),
];

/// These values in their order with the present one among them, as entries.
fn entries<T: Copy + Ord>(
    place: &Place,
    choices: &[Choice<T>],
    now: Option<T>,
    setting: impl Fn(T) -> (String, Setting),
) -> Vec<Entry> {
    let mut values: Vec<T> = choices.iter().map(|choice| choice.1).chain(now).collect();
    values.sort_unstable();
    values.dedup();
    let entry = |value: T| {
        let (words, setting) = setting(value);
        let choice = choices.iter().find(|choice| choice.1 == value);
        let detail = choice.map_or("as it is", |choice| choice.2);
        let command = Command::Set(Selector(place.info.selector.clone()), setting);
        Entry {
            key: choice.map(|choice| choice.0),
            now: now == Some(value),
            ..change(' ', words, detail, command)
        }
    };
    values.into_iter().map(entry).collect()
}

fn seconds(choices: &[Choice<u64>]) -> Vec<Choice<Duration>> {
    let all = choices.iter();
    all.map(|(key, seconds, detail)| (*key, Duration::from_secs(*seconds), *detail))
        .collect()
}

/// Of the name service: how long its answers may be kept.
pub(super) fn ttls(place: &Place) -> Vec<Entry> {
    let Some(dns) = &place.state.dns else {
        return Vec::new();
    };
    entries(place, &seconds(TTLS), Some(dns.ttl), |ttl| {
        (format!("ttl: {}", duration::format(ttl)), Setting::Ttl(ttl))
    })
}

/// Of those who check: how often, and after how many failures somebody is left out. How often the name service checks is not told, so
/// that none of its times is marked.
pub(super) fn checks(place: &Place) -> Vec<Entry> {
    let (every, down_after) = match (&place.state.dns, &place.state.balancer) {
        (Some(dns), _) if dns.checked => (None, dns.rules.0),
        (None, Some(balancer)) => (Some(balancer.check_every), balancer.down_after),
        _ => return Vec::new(),
    };
    let mut found = entries(place, &seconds(EVERY), every, |every| {
        let words = format!("checks: every {}", duration::format(every));
        (words, Setting::CheckEvery(every))
    });
    found.extend(entries(place, DOWN_AFTER, Some(down_after), |checks| {
        let words = format!("checks: out after {checks} failed");
        (words, Setting::DownAfter(checks))
    }));
    found
}
