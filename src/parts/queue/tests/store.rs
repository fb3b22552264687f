//! The store by itself: what it costs.

pub(super) use super::super::store::job_of;
use super::super::store::{Arrival, Store};
use super::*;

fn filled(text: &str, count: u64) -> Store {
    let mut store = Store::default();
    let rules = Rules::new(&settings(text), false);
    store.begin(SimTime::ZERO, rules, &[], QueueTally::default());
    for request in 0..count {
        store.keep(SimTime(request * 1_000), &message(request), Arrival::Published);
        store.events.clear();
        store.next_due();
    }
    store
}

/// Takes all, ten at a time, and acknowledges them; every tenth a while later.
fn work_off(store: &mut Store, begin: SimTime) {
    let mut now = begin;
    let mut open: Vec<Receipt> = Vec::new();
    while store.has_ready(0) {
        now += Duration::from_micros(10);
        let places = store.reserve(now, 0, 10);
        for handed in store.hand_out(now, 0, &places, InstanceId(1), false) {
            if handed.message.request % 10 == 0 {
                open.push(handed.receipt);
            } else {
                store.acknowledge(&handed.receipt);
            }
        }
        if open.len() > 500 {
            open.drain(..).for_each(|receipt| store.acknowledge(&receipt));
        }
        store.fall_due(now);
        store.next_due();
        store.events.clear();
    }
    for receipt in &open {
        store.acknowledge(receipt);
    }
}

#[test]
fn a_million_messages_fit_into_60_mb() {
    let store = filled("messages: 1_000_000", 1_000_000);
    assert_eq!(store.held(), 1_000_000);
    assert!(store.memory() < 60_000_000, "{}", store.memory());
}

#[test]
fn what_it_costs_does_not_grow_with_what_waits() {
    let looks: Vec<u64> = [20_000, 200_000]
        .map(|count| {
            let mut store = filled("messages: 1_000_000, retention: \"1h\"", count);
            work_off(&mut store, SimTime(count * 1_000));
            assert_eq!((store.held(), store.tally.acknowledged), (0, count));
            store.looks()
        })
        .to_vec();
    assert!(looks[1] <= looks[0] * 11, "{looks:?}");
    assert!(looks[1] <= 200_000 * 8, "{looks:?}");
}

#[test]
fn one_message_that_is_out_for_ever_makes_nothing_dearer() {
    let mut store = filled("messages: 1_000_000", 100_000);
    let places = store.reserve(SimTime(0), 0, 1);
    store.hand_out(SimTime(0), 0, &places, InstanceId(1), false);
    work_off(&mut store, SimTime(1));
    assert_eq!((store.held(), store.tally.acknowledged), (1, 99_999));
    assert!(store.looks() <= 100_000 * 8, "{}", store.looks());
    // And takes no memory but its own.
    assert!(store.memory() < 4_000_000, "{}", store.memory());
}

#[test]
fn pauses_double_up_to_their_bound() {
    let rules = Rules::new(&settings("backoff: \"2s\", backoff_most: \"1m\""), false);
    let pauses: Vec<u64> = [1, 2, 3, 5, 6, 64, 65, u32::MAX]
        .map(|failed| rules.pause(failed).as_secs())
        .to_vec();
    assert_eq!(pauses, [2, 4, 8, 32, 60, 60, 60, 60]);
    let none = Rules::new(&settings("backoff: \"0s\""), false);
    assert_eq!(none.pause(1_000), Duration::ZERO);
}
