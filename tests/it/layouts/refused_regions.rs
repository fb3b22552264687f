//! What is refused of regions, zones, and the way users are sent to data centers.

use super::refused::assert_refused;

/// Two data centers in two regions; each case replaces one piece of it by another.
const GOOD: &str = r#"(title: "t",
    regions: {"us": (lat: 39.0, lon: -77.5), "eu": (lat: 53.3, lon: -6.3)},
    users: {"people": (count: 10, region: "us")},
    dns: (routing: Geo),
    network: (zone: "1ms"),
    content: (row: "1kB"),
    cdns: {"cdn": (edges: ["us"])},
    databases: {"db": (machines: {"east": 1, "west": 1}, replication: PrimaryReplicas())},
    data_centers: {"east": (region: "us", services: {"web": Web()}), "west": (region: "eu", zones: 2, services: {"web": Web()})},
)"#;

/// A piece, what stands there instead, and how that is refused.
const BAD: &[(&str, &str, &str)] = &[
    (
        "lat: 39.0",
        "lat: 91",
        "2:27: regions.us.lat: must be from -90 to 90, not 91",
    ),
    (
        "lon: -77.5",
        "lon: 181",
        "2:38: regions.us.lon: must be from -180 to 180, not 181",
    ),
    (", lon: -77.5", "", "2:21: regions.us: the field `lon` is missing"),
    (
        "region: \"us\")},\n    dns",
        "region: \"uk\")},\n    dns",
        "3:43: users.people.region: there is no region \"uk\"; did you mean `us`?",
    ),
    (
        ", region: \"us\")},\n    dns",
        ")},\n    dns",
        "3:23: users.people: it is in no region; with `regions` the data centers and users need one",
    ),
    (
        "region: \"us\")},\n    dns",
        "region: \"us\", resolver: \"ue\")},\n    dns",
        "3:59: users.people.resolver: there is no region \"ue\"; did you mean `eu`?",
    ),
    (
        "region: \"us\", services",
        "services",
        "9:28: data_centers.east: it is in no region",
    ),
    (
        "zones: 2",
        "zones: 0",
        "9:100: data_centers.west.zones: must be from 1 to 8, not 0",
    ),
    (
        "zones: 2, services: {\"web\"",
        "zones: 2, services: {\"zone-1\"",
        "9:78: data_centers.west: \"zone-1\" is the name of a zone; choose another",
    ),
    (
        "edges: [\"us\"]",
        "edges: [\"asia\"]",
        "7:28: cdns.cdn.edges[0]: there is no region \"asia\"",
    ),
    (
        "routing: Geo",
        "routing: Nearest",
        "4:20: dns.routing: unknown kind `Nearest`; there are RoundRobin, Geo, Latency, Weighted, Failover",
    ),
    (
        "routing: Geo",
        "routing: Weighted({\"east\": 0})",
        "4:20: dns.routing: one of the weights must be above 0",
    ),
    (
        "routing: Geo",
        "routing: Weighted({\"earth\": 1})",
        "4:30: dns.routing: there is no data center \"earth\"; did you mean `east`?",
    ),
    (
        "routing: Geo",
        "routing: Failover([\"east\", \"east\"])",
        "4:38: dns.routing[1]: the data center \"east\" is named twice",
    ),
    (
        "zone: \"1ms\"",
        "round_trips: {\"us\": \"5ms\"}",
        "5:29: network.round_trips: a round trip is between two regions",
    ),
    (
        "zone: \"1ms\"",
        "round_trips: {\"us <-> uk\": \"5ms\"}",
        "5:29: network.round_trips: there is no region \"uk\"; did you mean `us`?",
    ),
    (
        "zone: \"1ms\"",
        "round_trips: {\"us <-> us\": \"5ms\"}",
        "5:29: network.round_trips: within a region there is no way to go",
    ),
    (
        "zone: \"1ms\"",
        "round_trips: {\"us <-> eu\": \"5ms\", \"eu<->us\": \"6ms\"}",
        "5:29: network.round_trips: the round trip between these two regions is given twice",
    ),
    (
        "machines: {\"east\": 1, \"west\": 1}",
        "machines: {\"east\": 1, \"west\": 1}, first: \"north\"",
        "8:65: databases.db.first: it has no nodes in \"north\"",
    ),
    (
        "machines: {\"east\": 1, \"west\": 1}",
        "machines: {\"east\": 1, \"west\": 1}, monitors_in: [\"eats\"]",
        "8:72: databases.db.monitors_in[0]: there is no data center \"eats\"; did you mean `east`?",
    ),
    (
        "{\"web\": Web()}), \"west\"",
        "{\"web\": Web(), \"own\": Database(first: \"east\")}), \"west\"",
        "9:84: data_centers.east.services.own: `first` is for a database with nodes in several data centers",
    ),
];

#[test]
fn what_cannot_be_in_regions_is_refused() {
    blastradius::layout::parse(GOOD, "good.ron").unwrap_or_else(|error| panic!("{error}"));
    let cases = BAD.iter().map(|(piece, other, expected)| {
        assert!(GOOD.contains(piece), "{piece}");
        (GOOD.replacen(piece, other, 1), (*expected).to_owned())
    });
    assert_refused(cases);
}

#[test]
fn who_is_near_needs_regions_and_a_domain_of_files_needs_a_cdn() {
    let cases = [
        (
            "(title: \"t\", users: {\"people\": (count: 1)}, dns: (routing: Geo), services: {\"web\": Web()})",
            "1:60: dns.routing: nobody knows who is near without `regions`",
        ),
        (
            "(title: \"t\", users: {\"people\": (count: 1)}, content: (static_domain: true), services: {\"web\": Web()})",
            "1:55: content: there is no CDN that a domain of static files could lead to",
        ),
        (
            "(title: \"t\", users: {\"people\": (count: 1, region: \"us\")}, services: {\"web\": Web()})",
            "1:51: users.people.region: there is no region \"us\"",
        ),
    ];
    assert_refused(
        cases
            .into_iter()
            .map(|(source, expected)| (source.to_owned(), expected.to_owned())),
    );
}
