//! Databases: every default, what each field makes of what it is given, and those of several data centers.

use super::*;
use crate::layout::replication::*;

fn database(fields: &str) -> Database {
    let services = site(&format!("\"web\": Web(), \"db\": Database({fields})"));
    let Service::Database(database) = &services["db"] else {
        panic!("a database")
    };
    database.clone()
}

fn single() -> Database {
    Database {
        on: None,
        machines: 1,
        first: None,
        monitors_in: Vec::new(),
        size: "m".to_owned(),
        slots: 32,
        backlog: 1_000,
        connections: None,
        read: Distribution::Exponential(ms(1)),
        write: Distribution::Exponential(ms(2)),
        apply: Distribution::Constant(Duration::from_micros(100)),
        flush: Duration::from_micros(100),
        checkpoint: 10_000,
        log: 100_000,
        copy_rate: 50_000.0,
        rows: 100_000,
        boot: seconds(10),
        replication: Replication::None,
        sharding: None,
    }
}

fn primary_replicas() -> PrimaryReplicas {
    PrimaryReplicas {
        mode: Mode::Asynchronous,
        reads: Reads::Replicas,
        read_your_writes: false,
        failover: Some(Failover {
            after: seconds(6),
            monitors: 3,
            fencing: true,
        }),
        recovery: true,
        replace: None,
        ack_timeout: seconds(2),
    }
}

fn of_primary(fields: &str) -> PrimaryReplicas {
    match database(&format!("replication: PrimaryReplicas({fields})")).replication {
        Replication::PrimaryReplicas(settings) => settings,
        other => panic!("{other:?}"),
    }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_database_has_its_defaults() {
    assert_eq!(database(""), single());
    assert_eq!(
        database("replication: None, sharding: None, connections: None"),
        single()
    );
    let given = database(
        "size: \"l\", slots: 1, backlog: 2, connections: 3, read: Constant(\"4ms\"), write: Constant(\"5ms\"), apply: Constant(\"6ms\"), \
         flush: \"0s\", checkpoint: 7, log: 8, copy_rate: 9, rows: 10, boot: \"11s\", machines: 1",
    );
    let expected = Database {
        size: "l".to_owned(),
        slots: 1,
        backlog: 2,
        connections: Some(3),
        read: Distribution::Constant(ms(4)),
        write: Distribution::Constant(ms(5)),
        apply: Distribution::Constant(ms(6)),
        flush: Duration::ZERO,
        checkpoint: 7,
        log: 8,
        copy_rate: 9.0,
        rows: 10,
        boot: seconds(11),
        ..single()
    };
    assert_eq!(given, expected);
}

#[test]
fn a_primary_with_replicas_has_its_defaults_and_three_nodes() {
    let expected = Database {
        machines: 3,
        replication: Replication::PrimaryReplicas(primary_replicas()),
        ..single()
    };
    assert_eq!(database("replication: PrimaryReplicas()"), expected);
    assert_eq!(
        database("machines: 2, replication: PrimaryReplicas(failover: Automatic())").machines,
        2
    );
}

#[test]
fn what_a_primary_with_replicas_is_given_it_has() {
    let but = |change: &dyn Fn(&mut PrimaryReplicas)| {
        let mut settings = primary_replicas();
        change(&mut settings);
        settings
    };
    for (name, mode) in [
        ("Asynchronous", Mode::Asynchronous),
        ("SemiSynchronous", Mode::SemiSynchronous),
        ("Synchronous", Mode::Synchronous),
        ("Quorum", Mode::Quorum),
    ] {
        assert_eq!(
            of_primary(&format!("mode: {name}")),
            but(&|settings| settings.mode = mode)
        );
    }
    for (name, reads) in [
        ("Replicas", Reads::Replicas),
        ("Primary", Reads::Primary),
        ("Any", Reads::Any),
    ] {
        assert_eq!(
            of_primary(&format!("reads: {name}")),
            but(&|settings| settings.reads = reads)
        );
    }
    assert_eq!(
        of_primary("read_your_writes: true"),
        but(&|settings| settings.read_your_writes = true)
    );
    assert_eq!(
        of_primary("failover: Manual"),
        but(&|settings| settings.failover = None)
    );
    let failover = Some(Failover {
        after: ms(100),
        monitors: 5,
        fencing: false,
    });
    assert_eq!(
        of_primary("failover: Automatic(after: \"100ms\", monitors: 5, fencing: false)"),
        but(&|settings| settings.failover = failover)
    );
    assert_eq!(of_primary("recovery: Automatic"), primary_replicas());
    assert_eq!(
        of_primary("recovery: Manual"),
        but(&|settings| settings.recovery = false)
    );
    for replace in ["\"30s\"", "Some(\"30s\")"] {
        assert_eq!(
            of_primary(&format!("replace: {replace}")),
            but(&|settings| settings.replace = Some(seconds(30)))
        );
    }
    assert_eq!(of_primary("replace: None"), primary_replicas());
    assert_eq!(
        of_primary("ack_timeout: \"1s\""),
        but(&|settings| settings.ack_timeout = seconds(1))
    );
}

#[test]
fn the_words_of_older_books_mean_the_same() {
    for (old, new) in [
        ("MasterSlaves()", "PrimaryReplicas()"),
        ("MasterSlaves(reads: Slaves)", "PrimaryReplicas(reads: Replicas)"),
        ("MasterSlaves(reads: Master)", "PrimaryReplicas(reads: Primary)"),
        ("MasterSlaves(mode: Quorum)", "PrimaryReplicas(mode: Quorum)"),
    ] {
        let [old, new] = [old, new].map(|replication| database(&format!("replication: {replication}")));
        assert_eq!(old, new);
    }
}

#[test]
fn several_primaries_and_rings_have_a_rule() {
    let default = Peers {
        rule: Rule::LastWriteWins,
        close: Some(seconds(10)),
    };
    let several = database("replication: MultiPrimary()");
    assert_eq!(
        (several.machines, several.replication),
        (3, Replication::MultiPrimary(default.clone()))
    );
    let ring = database("replication: Circular(), machines: 2");
    assert_eq!((ring.machines, ring.replication), (2, Replication::Circular(default)));
    for (text, rule) in [
        ("LastWriteWins", Rule::LastWriteWins),
        ("HybridClocks", Rule::HybridClocks),
        ("HighestValue", Rule::HighestValue),
        ("MergeSets", Rule::MergeSets),
        ("KeepBoth", Rule::KeepBoth),
        ("SitePriority([])", Rule::SitePriority(strings(&["dc"]))),
    ] {
        for kind in ["MultiPrimary", "Circular"] {
            let read = database(&format!("replication: {kind}(rule: {text})")).replication;
            assert_eq!(read.peers().map(|peers| &peers.rule), Some(&rule), "{kind} {text}");
        }
    }
    for (text, close) in [
        ("\"5s\"", Some(seconds(5))),
        ("Some(\"5s\")", Some(seconds(5))),
        ("None", None),
    ] {
        let read = database(&format!("replication: Circular(close: {text})")).replication;
        assert_eq!(read.peers().map(|peers| peers.close), Some(close), "{text}");
    }
}

#[test]
fn data_centers_that_a_rule_does_not_name_come_last_by_name() {
    for (order, complete) in [
        ("\"c\", \"a\"", ["c", "a", "b", "d"]),
        ("\"d\"", ["d", "a", "b", "c"]),
        ("", ["a", "b", "c", "d"]),
    ] {
        let source = format!(
            "(title: \"t\", users: {{\"p\": (count: 1)}}, data_centers: {{\"b\": (services: {{}}), \"d\": (services: {{}}), \"c\": (services: {{}}),
            \"a\": (services: {{\"web\": Web(), \"db\": Database(replication: Circular(rule: SitePriority([{order}])))}})}})"
        );
        let layout = layout::parse(&source, "l.ron").unwrap_or_else(|error| panic!("{error}"));
        let Service::Database(database) = &layout.data_centers["a"].services["db"] else {
            panic!("a database")
        };
        let rule = database.replication.peers().map(|peers| &peers.rule);
        assert_eq!(rule, Some(&Rule::SitePriority(strings(&complete))));
    }
}

#[test]
fn rows_are_spread_by_a_map() {
    let ring = |virtual_nodes| ShardBy::ConsistentHash { virtual_nodes };
    for (text, shards, by) in [
        ("(shards: 4)", 4, ring(100)),
        ("Some((shards: 1, by: ConsistentHash()))", 1, ring(100)),
        ("(shards: 4, by: ConsistentHash(virtual_nodes: 1))", 4, ring(1)),
        ("(shards: 4, by: Modulo)", 4, ShardBy::Modulo),
        ("(shards: 4, by: Jump)", 4, ShardBy::Jump),
        ("(shards: 256, by: Range)", 256, ShardBy::Range),
        ("(shards: 4, by: Directory)", 4, ShardBy::Directory),
    ] {
        let read = database(&format!("sharding: {text}"));
        assert_eq!(read.sharding, Some(Sharding { shards, by }), "{text}");
        assert_eq!((read.machines, read.shards()), (1, shards), "{text}");
    }
    for kind in ["PrimaryReplicas", "MultiPrimary", "Circular"] {
        let read = database(&format!("sharding: (shards: 4), replication: {kind}()"));
        assert_eq!((read.machines, read.shards()), (3, 4), "{kind}");
    }
}

#[test]
fn a_database_of_several_data_centers_stands_in_each_of_them() {
    let source = r#"(title: "t", users: {"p": (count: 1)},
        databases: {"orders": (machines: {"us-east": 3, "eu-west": 2}, size: "l", rows: 5, replication: MasterSlaves(mode: Quorum),
            sharding: (shards: 2, by: Jump))},
        data_centers: {"eu-west": (services: {"web": Web(database: "orders")}), "us-east": (services: {}), "ap-south": (services: {})})"#;
    let layout = layout::parse(source, "l.ron").unwrap_or_else(|error| panic!("{error}"));
    let nodes = Map::from([("us-east".to_owned(), 3), ("eu-west".to_owned(), 2)]);
    assert_eq!(layout.databases, Map::from([("orders".to_owned(), nodes)]));
    let expected = |machines| Database {
        machines,
        size: "l".to_owned(),
        rows: 5,
        replication: Replication::PrimaryReplicas(PrimaryReplicas {
            mode: Mode::Quorum,
            ..primary_replicas()
        }),
        sharding: Some(Sharding {
            shards: 2,
            by: ShardBy::Jump,
        }),
        ..single()
    };
    for (site, machines) in [("us-east", 3), ("eu-west", 2)] {
        let here = &layout.data_centers[site].services["orders"];
        assert_eq!(here, &Service::Database(expected(machines)));
    }
    assert!(layout.data_centers["ap-south"].services.is_empty());
    let Service::Web(web) = &layout.data_centers["eu-west"].services["web"] else {
        panic!("a web tier")
    };
    assert_eq!(web.pages.calls, calls(&["orders"]));
}

#[test]
fn the_only_data_center_may_have_a_database_of_that_form() {
    let source = r#"(title: "t", users: {"p": (count: 1)}, databases: {"orders": Database(machines: {"dc": 1})},
        services: {"web": Web(database: "orders")})"#;
    let layout = layout::parse(source, "l.ron").unwrap_or_else(|error| panic!("{error}"));
    let here = &layout.data_centers["dc"].services["orders"];
    assert_eq!(here, &Service::Database(single()));
}
