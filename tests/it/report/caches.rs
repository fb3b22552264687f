//! The report of caches: their section in the text, and their fields in the JSON.

use std::sync::Arc;

use blastradius::observe::{CacheNodeState, CacheState, CacheTally, DatabaseState, Health, Promises};
use blastradius::protocol::Layer;
use blastradius::report::{Report, to_text};

use super::{Ending, ending, instance};

fn tally(lookups: u64, hits: u64) -> CacheTally {
    CacheTally {
        lookups,
        hits,
        stale_hits: 12,
        coalesced: 300,
        loads: lookups - hits - 300,
        evicted: 410,
        expired: 90,
        stampedes: 2,
        served_bytes: lookups * 30_000,
        hit_bytes: hits * 30_000,
        ..CacheTally::default()
    }
}

fn node(lookups: u64, hits: u64) -> CacheNodeState {
    CacheNodeState {
        total: tally(lookups, hits),
        second: CacheTally::default(),
        recent: CacheTally::default(),
        entries: 5_000,
        bytes: 5_000_000,
        full: 0.5,
        trend: vec![Some(0.9), None],
    }
}

/// The run of the other tests, with a cache of two nodes in place of the web servers and stale reads from it.
fn cached() -> Ending {
    let mut ending = ending();
    let frame = &mut ending.frame;
    let nodes = vec![node(20_000, 18_000), node(10_000, 9_500)];
    let total = nodes[0].total.plus(&nodes[1].total);
    frame.services[1].cache = Some(CacheState {
        layer: Layer::Cache,
        policy: "cache-aside, LRU 10,000 items, ttl 1m".to_string(),
        total,
        second: CacheTally::default(),
        recent: CacheTally::default(),
        trend: vec![None],
        nodes,
        entries: 10_000,
        bytes: 10_000_000,
        behind: vec![2],
        unwritten: 7,
        worst: 12,
        used: None,
        spent: 0.0,
    });
    frame.services[2].database = Some(DatabaseState {
        promises: Promises {
            reads: 24_000,
            stale: 1_200,
            stale_copies: 1_100,
            ..Promises::default()
        },
        ..DatabaseState::default()
    });
    ending
}

#[test]
fn a_cache_tells_what_it_answered_by_node_and_what_was_stale() {
    let text = to_text(&Report::new("made-up", &cached()));
    for words in [
        "\ncaches (",
        "hit ratio",
        "91.7%",
        "30,000",
        "4 stampedes",
        "7 writes only there at the end",
        "900.0 MB served",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    for words in [
        "web · cache-aside, LRU 10,000 items, ttl 1m",
        "web/1 down",
        "90.0%",
        "95.0%",
        "1,100 of them from caches",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn an_edge_tells_its_name_and_its_cost() {
    let mut ending = cached();
    let frame = &mut ending.frame;
    let cache = frame.services[1].cache.as_mut().expect("it was just made");
    (cache.layer, cache.used, cache.spent) = (Layer::Edge, Some(false), 1.25);
    let topology = Arc::make_mut(&mut frame.topology);
    topology.services[1].instances[1].label = Some("frank\u{1b}furt".to_string());
    let text = to_text(&Report::new("made-up", &ending));
    assert!(
        text.contains("$1.25 for it") && text.contains("not used at the end"),
        "{text}"
    );
    assert!(text.contains("frank") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_nobody_asked_is_not_told() {
    let text = to_text(&Report::new("made-up", &ending()));
    assert!(!text.contains("caches ("), "{text}");
    assert_eq!(instance("web/1", Health::Up, 0).0.label, None);
}

#[test]
fn the_json_of_a_cache_has_what_its_document_says() {
    let json = Report::new("made-up", &cached()).to_json();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let cache = &json["services"][1]["cache"];
    let document = include_str!("../../../docs/run-json.md");
    let chapter = document
        .split("## Caches")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next());
    let chapter = chapter.expect("a chapter on caches");
    let objects = [cache, &cache["total"], &cache["nodes"][0]];
    for name in objects
        .iter()
        .flat_map(|object| object.as_object().expect("an object").keys())
    {
        assert!(
            chapter.contains(&format!("`{name}`")),
            "{name} is not in docs/run-json.md"
        );
    }
    assert_eq!(cache["layer"], "cache");
    assert_eq!(cache["behind"][0], json["services"][2]["selector"]);
    assert_eq!(cache["total"]["misses"], 2_500);
    assert_eq!(cache["nodes"][0]["health"], "down");
    assert_eq!(json["services"][0]["cache"], serde_json::Value::Null);
}
