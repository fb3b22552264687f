//! The report of databases: their section in the text, and their fields in the JSON.

use std::time::Duration;

use blastradius::observe::{
    ConflictLine, DatabaseKind, DatabaseState, MigrationState, NodeRole, NodeState, Promises, ShardState,
};
use blastradius::report::{Report, to_text};

use super::{at, ending};

fn node(number: u8, shard: u32, role: Option<NodeRole>, behind: u64) -> NodeState {
    NodeState {
        instance: None,
        name: format!("db/{}", number + 1),
        shard,
        number,
        role,
        term: 2,
        position: 48_211 - behind,
        behind,
        lag: Duration::from_millis(25 * behind),
        torn: false,
        agrees: behind == 0,
        aside: 0,
        siblings: 0,
        rebuilt: None,
        skew_ms: 0.0,
        rows: 100_012,
        voter: true,
    }
}

fn replicated() -> DatabaseState {
    DatabaseState {
        rows: 100_012,
        writes: 4_801,
        reads: 24_000,
        kind: DatabaseKind::PrimaryReplicas,
        policy: "asynchronous, failover after 6s, 3 monitors, fencing".to_string(),
        nodes: vec![
            NodeState {
                term: 1,
                aside: 12,
                ..node(0, 0, None, 12)
            },
            node(1, 0, Some(NodeRole::Primary), 0),
            NodeState {
                torn: true,
                rebuilt: Some(0.25),
                skew_ms: -250.0,
                voter: false,
                ..node(2, 0, Some(NodeRole::Rebuilding), 7)
            },
        ],
        shards: vec![ShardState {
            number: 0,
            rate: 480.0,
            utilisation: 0.25,
            rows: 100_012,
            writable: true,
            agrees: false,
        }],
        promises: Promises {
            acknowledged: 4_801,
            unknown: 5,
            lost: 3,
            missing: 12,
            at_risk: 2,
            reads: 24_000,
            stale: 1_200,
            stale_mean: Duration::from_millis(1_200),
            stale_longest: Duration::from_millis(6_100),
            own_writes_unseen: 7,
            read_backwards: 4,
            sampled: 1.0 / 16.0,
            ..Promises::default()
        },
        ..DatabaseState::default()
    }
}

/// The report of the run with another database.
fn report_of(database: DatabaseState) -> Report {
    let mut ending = ending();
    ending.frame.services[2].database = Some(database);
    Report::new("05", &ending)
}

fn section(text: &str) -> &str {
    let start = text.find("data · ").expect("a section on data");
    let end = text[start..].find("\n\n").expect("more sections");
    &text[start..start + end]
}

const REPLICATED: &str = "\
data · d\\u{1b}[2Jb · primary and replicas · asynchronous, failover after 6s, 3
monitors, fencing
  promises acknowledged 4,801   lost 3   missing 12   at risk 2   unknown 5
  reads    24,000   stale 1,200 (5.0%)   old by 1.20s, 6.10s at most
  users    own writes unseen 7   read backwards 4   (6.2% of the users watched)
  node  role        term  entries  behind    lag  aside
  db/1  down           1   48,199      12  300ms     12
  db/2  primary        2   48,211       0      -      0
  db/3  rebuilding     2   48,204       7  175ms      0
  db/3: cut off from its source, 25.0% copied, its clock is 250ms slow, no vote
  yet
";

#[test]
fn a_database_with_replicas_tells_what_became_of_its_promises() {
    let text = to_text(&report_of(replicated()));
    assert_eq!(
        section(&text),
        REPLICATED.trim_end(),
        "the section is now:\n{}",
        section(&text)
    );
}

#[test]
fn conflicts_shards_and_migrations_are_told() {
    let mut database = replicated();
    database.kind = DatabaseKind::MultiPrimary;
    database.policy = "last write wins".to_string();
    database.sharding = Some("jump".to_string());
    database.nodes = vec![
        node(0, 0, Some(NodeRole::Peer), 0),
        NodeState {
            agrees: false,
            siblings: 1,
            ..node(1, 1, Some(NodeRole::Peer), 0)
        },
    ];
    let second = ShardState {
        number: 1,
        writable: false,
        ..database.shards[0].clone()
    };
    database.shards.push(second);
    database.migration = Some(MigrationState { moving: 0.2, done: 0.5 });
    database.promises = Promises {
        reads: 10,
        dropped_older: 9,
        dropped_later: 1,
        siblings: 2,
        replayed: 1,
        given_up: 2,
        ..Promises::default()
    };
    database.conflicts = (0..7)
        .map(|number| ConflictLine {
            at: at(f64::from(number)),
            key: 17,
            text: format!("db/2 of 00:0{number} dropped for db/1\u{7}"),
        })
        .collect();
    let text = to_text(&report_of(database));
    let section = section(&text);
    for words in [
        " · several primaries · last write wins · jump\n",
        "  reads    10, none stale\n",
        "  resolved older write dropped 9   later write dropped 1   siblings 2\n",
        "  recovery 1 write replayed   2 given up\n",
        "  shards   20.0% of the keys move   50.0% of them have moved\n",
        "\n  db/2      1  peer     2   48,211       0    -      0\n",
        "\n  db/2: its rows differ, 1 row in several versions\n",
        "  1           480.0         25.0%  100,012  no            no\n",
        "  00:06.000  row 17: db/2 of 00:06 dropped for db/1\\u{7}",
    ] {
        assert!(section.contains(words), "`{words}` is missing in:\n{section}");
    }
    assert!(!section.contains("00:01.000"), "{section}");
    assert!(!section.contains("users"), "{section}");
}

#[test]
fn a_database_of_one_node_is_told_of_only_if_it_broke_a_promise() {
    let single = |unknown| DatabaseState {
        nodes: vec![node(0, 0, Some(NodeRole::Alone), 0)],
        promises: Promises {
            acknowledged: 5,
            reads: 5,
            at_risk: 5,
            unknown,
            ..Promises::default()
        },
        ..DatabaseState::default()
    };
    assert!(!to_text(&report_of(single(0))).contains("data · "));
    assert!(to_text(&report_of(single(1))).contains("data · "));
}

#[test]
fn a_database_in_two_data_centers_is_told_of_once() {
    let mut ending = ending();
    ending.frame.services[1].database = Some(replicated());
    ending.frame.services[2].database = Some(replicated());
    let text = to_text(&Report::new("05", &ending));
    assert_eq!(text.matches("data · ").count(), 1, "{text}");
}

#[test]
fn the_json_of_a_database_has_what_its_document_says() {
    let mut database = replicated();
    database.conflicts = vec![ConflictLine {
        at: at(3.5),
        key: 17,
        text: "db/2 dropped for db/1".to_string(),
    }];
    database.migration = Some(MigrationState { moving: 0.2, done: 0.5 });
    let json: serde_json::Value = serde_json::from_str(&report_of(database).to_json()).expect("JSON");
    let database = &json["services"][2]["database"];
    let document = include_str!("../../../docs/run-json.md");
    let of_data = &document[document.find("## Databases").expect("a chapter")..];
    let chapter = &of_data[..of_data.find("## Incidents").expect("the next one")];
    let below = [
        database,
        &database["nodes"][0],
        &database["shards"][0],
        &database["migration"],
        &database["promises"],
        &database["conflicts"][0],
    ];
    for field in below
        .iter()
        .flat_map(|value| value.as_object().expect("an object").keys())
    {
        assert!(chapter.contains(&format!("`{field}`")), "`{field}` is not documented");
    }
    assert_eq!(database["kind"], "primary_replicas");
    assert_eq!(database["nodes"][0]["role"], serde_json::Value::Null);
    assert_eq!(database["nodes"][2]["lag_ms"], 175.0);
    assert_eq!(database["nodes"][2]["skew_ms"], -250.0);
    assert_eq!(database["promises"]["stale_longest_ms"], 6_100.0);
    assert_eq!(database["promises"]["sampled"], 0.0625);
    assert_eq!(database["conflicts"][0]["at_s"], 3.5);
}

#[test]
fn an_incident_tells_what_was_missing_and_what_became_of_it() {
    let mut ending = ending();
    let incident = &mut ending.frame.incidents[0];
    (incident.missing_writes, incident.replayed, incident.given_up) = (12, 9, 3);
    let text = to_text(&Report::new("05", &ending));
    let told = "372 failed, 1,204 retried, 0 writes lost, 12 missing for a while, 9\n     replayed, 3 given up\n";
    assert!(text.contains(told), "{text}");
}
