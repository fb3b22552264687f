//! What is refused of caches, CDNs and what they carry.

use super::refused::minimal;

/// The fields of a cache (from column 31 of line 5 on) and what the message has after its place.
const BAD_CACHES: &[(&str, &str)] = &[
    ("machines: 0", "services.cache.machines: must be from 1 to 1,000, not 0"),
    ("items: 0", "services.cache.items: must be from 1 to 100,000,000, not 0"),
    (
        "bytes: \"10B\"",
        "services.cache.bytes: must be from 1kB to 1000TB, not 10B",
    ),
    (
        "bytes: \"64\"",
        "expected a size with a unit, as in \"64MB\", found `64`",
    ),
    (
        "items: 5, bytes: \"64MB\"",
        "services.cache: `items` and `bytes` exclude each other: a cache has room for one or the other",
    ),
    (
        "evict: Lruu",
        "services.cache.evict: unknown kind `Lruu`; did you mean `Lru`?",
    ),
    ("ttl: \"0s\"", "services.cache.ttl: must be longer than 0"),
    ("jitter: 1.5", "services.cache.jitter: must be from 0 to 1, not 1.5"),
    (
        "copies: 2",
        "services.cache.copies: 2 copies need as many nodes, and there are 1; give it more `machines`",
    ),
    (
        "strategy: ReadThrough",
        "services.cache.strategy: the cache asks the database of the pages that use it, and none do",
    ),
    (
        "strategy: WriteBehind(aftr: \"5s\")",
        "unknown field `aftr`; did you mean `after`?",
    ),
    (
        "strategy: WriteBehind(after: \"0s\")",
        "services.cache.strategy.after: must be longer than 0",
    ),
    (
        "refresh_ahead: 1",
        "services.cache.refresh_ahead: must be above 0 and below 1, not 1",
    ),
    (
        "early: 0",
        "services.cache.early: must be above 0 and at most 100, not 0",
    ),
    ("negative: \"0s\"", "services.cache.negative: must be longer than 0"),
    (
        "near: (items: 0)",
        "services.cache.near.items: must be from 1 to 1,000,000, not 0",
    ),
    (
        "tll: \"5s\"",
        "services.cache: unknown field `tll`; did you mean `ttl`?",
    ),
];

#[test]
fn caches_are_refused_with_their_place() {
    for (fields, message) in BAD_CACHES {
        let services = format!("\"web\": Web(), \"cache\": Cache({fields})");
        assert_says(&minimal(&services), message);
    }
}

#[test]
fn what_uses_a_cache_names_what_fits() {
    for (services, message) in [
        (
            "\"web\": Web(cache: \"cash\", database: \"db\"), \"cache\": Cache(), \"db\": Database()",
            "services.web.cache: there is no service \"cash\"; did you mean `cache`?",
        ),
        (
            "\"web\": Web(cache: \"db\", database: \"db\"), \"db\": Database()",
            "services.web.cache: \"db\" is a database; a cache is needed here",
        ),
        (
            "\"web\": Web(cache: \"cache\"), \"cache\": Cache()",
            "services.web.cache: a cache keeps rows of a database: name that too, as in `database: \"db\"`",
        ),
        (
            "\"a\": Web(cache: \"c\", database: \"d\"), \"b\": Web(cache: \"c\", database: \"e\"), \"c\": Cache(), \"d\": Database(), \"e\": Database()",
            "services.a.cache: \"c\" would keep rows of two databases; give each a cache of its own",
        ),
    ] {
        assert_says(&minimal(services), message);
    }
}

#[test]
fn cdns_are_refused_with_their_place() {
    for (fields, message) in [
        ("edges: []", "cdns.cdn.edges: must be from 1 to 64, not 0"),
        ("edges: [\"a\", \"a\"]", "the edge \"a\" is named twice"),
        ("edges: [\"a b\"]", "the name \"a b\" holds ` `"),
        ("pages: \"0s\"", "cdns.cdn.pages: must be longer than 0"),
        ("weight: 0", "cdns.cdn.weight: must be above 0 and at most 1000, not 0"),
        (
            "price_per_gb: -1",
            "cdns.cdn.price_per_gb: must be from 0 to 100, not -1",
        ),
        ("shild: true", "cdns.cdn: unknown field `shild`; did you mean `shield`?"),
    ] {
        assert_says(&with(&format!("cdns: {{\"cdn\": ({fields})}},")), message);
    }
    for (line, message) in [
        (
            "cdns: {\"web\": ()},",
            "the name \"web\" is already that of a CDN; choose another",
        ),
        ("cdns: {\"dc\": ()},", "the name \"dc\" is already that of"),
        (
            "cdns: {\"cdn\": (shield: true), \"cdn-shield\": ()},",
            "the name \"cdn-shield\" is already that of the shield of cdn",
        ),
        (
            "content: (row: \"0B\"),",
            "content.row: must be from 1 to 1,000,000,000, not 0",
        ),
        (
            "content: (asset_ttl: \"200h\"),",
            "content.asset_ttl: must be from 0ns to 168h, not 200h",
        ),
        (
            "network: (edge: \"0s\"),",
            "network.edge: must be from 1us to 1m, not 0ns",
        ),
    ] {
        assert_says(&with(line), message);
    }
    let source = "Layout(\n    title: \"t\",\n    users: {\"people\": (count: 1, edge: \"mars\")},\n    cdns: {\"cdn\": (edges: [\"earth\"])},\n    services: {\"web\": Web()},\n)";
    assert_says(
        source,
        "users.people.edge: no CDN has an edge \"mars\"; there is only earth",
    );
}

fn with(line: &str) -> String {
    format!(
        "Layout(\n    title: \"t\",\n    users: {{\"people\": (count: 1)}},\n    {line}\n    services: {{\"web\": Web()}},\n)"
    )
}

/// The layout is refused with a message that has this in it, and with a place.
fn assert_says(source: &str, message: &str) {
    let error = blastradius::layout::parse(source, "l.ron")
        .expect_err(source)
        .to_string();
    assert!(error.contains(message), "{source}\n  is   {error}\n  not  {message}");
    assert!(error.starts_with("l.ron:"), "{error}");
}
