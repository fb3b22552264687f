//! What is refused of the data tier: nodes, replication, shards, databases of several data centers, reserved names.

use super::refused::{assert_refused, minimal};

/// The fields of a database (from column 28 of line 5 on) and the position and message that they are refused with.
const BAD_DATABASES: &[(&str, &str)] = &[
    // Its own values.
    ("machines: 0", "5:38: services.db.machines: must be from 1 to 15, not 0"),
    (
        "machines: 16, replication: PrimaryReplicas()",
        "5:38: services.db.machines: must be from 1 to 15, not 16",
    ),
    (
        "machines: {\"dc\": 3}",
        "5:38: services.db.machines: expected a whole number from 0 to 4,294,967,295, found names in braces, { .. }",
    ),
    (
        "connections: 0",
        "5:41: services.db.connections: must be from 1 to 1,000,000, not 0",
    ),
    (
        "apply: Constant(\"0s\")",
        "5:35: services.db.apply: the mean must be longer than 0",
    ),
    (
        "flush: \"61s\"",
        "5:35: services.db.flush: must be from 0ns to 1m, not 61s",
    ),
    (
        "checkpoint: 0",
        "5:40: services.db.checkpoint: must be from 1 to 10,000,000, not 0",
    ),
    (
        "log: 10_000_001",
        "5:33: services.db.log: must be from 1 to 10,000,000, not 10,000,001",
    ),
    (
        "copy_rate: 0.5",
        "5:39: services.db.copy_rate: must be from 1 to 100000000, not 0.5",
    ),
    (
        "copyrate: 5",
        "5:28: services.db: unknown field `copyrate`; did you mean `copy_rate`?",
    ),
    // Nodes and copies.
    (
        "machines: 3",
        "5:38: services.db.machines: 3 nodes of a shard without replication would hold different rows; write replication: \
         PrimaryReplicas() for copies; what spreads rows is `sharding`",
    ),
    (
        "machines: 2, replication: None, sharding: (shards: 4)",
        "5:38: services.db.machines: 2 nodes of a shard without replication would hold different rows",
    ),
    (
        "machines: 1, replication: PrimaryReplicas()",
        "5:38: services.db.machines: a primary alone has no replica; give it at least 2 nodes, or leave `replication` out",
    ),
    (
        "machines: 1, replication: MultiPrimary()",
        "5:38: services.db.machines: a primary alone has nobody to exchange changes with; give it at least 2 nodes",
    ),
    (
        "machines: 1, replication: Circular()",
        "5:38: services.db.machines: a ring of one is no ring; give it at least 2 nodes, or leave `replication` out",
    ),
    (
        "machines: 2, replication: PrimaryReplicas(mode: Quorum)",
        "5:76: services.db.replication.mode: a majority of 2 nodes is both of them, so each death stops all writes; take 3 \
         nodes, or mode: Synchronous, which says so",
    ),
    (
        "mode: Quorum",
        "5:28: services.db: unknown field `mode`; it stands in `replication`",
    ),
    (
        "shards: 4",
        "5:28: services.db: unknown field `shards`; it stands in `sharding`",
    ),
    (
        "replication: PrimaryReplica()",
        "5:41: services.db.replication: unknown kind `PrimaryReplica`; did you mean `PrimaryReplicas`?",
    ),
    (
        "replication: PrimaryReplicas",
        "5:41: services.db.replication: `PrimaryReplicas` takes a value in parentheses",
    ),
    (
        "replication: None()",
        "5:41: services.db.replication: `None` takes nothing in parentheses",
    ),
    (
        "replication: PrimaryReplicas(mode: Synchron)",
        "5:63: services.db.replication.mode: unknown kind `Synchron`; did you mean `Synchronous`?",
    ),
    (
        "replication: PrimaryReplicas(reads: Slave)",
        "5:64: services.db.replication.reads: unknown kind `Slave`; did you mean `Slaves`?",
    ),
    (
        "replication: PrimaryReplicas(monitors: 3)",
        "5:57: services.db.replication: unknown field `monitors`; it stands in `failover`",
    ),
    (
        "replication: PrimaryReplicas(failover: None)",
        "5:67: services.db.replication.failover: unknown kind `None`; there are Manual, Automatic",
    ),
    (
        "replication: PrimaryReplicas(failover: Automatic(after: \"99ms\"))",
        "5:84: services.db.replication.failover.after: must be from 100ms to 168h, not 99ms",
    ),
    (
        "replication: PrimaryReplicas(failover: Automatic(monitors: 0))",
        "5:87: services.db.replication.failover.monitors: must be from 1 to 7, not 0",
    ),
    (
        "replication: PrimaryReplicas(failover: Automatic(monitors: 2))",
        "5:87: services.db.replication.failover.monitors: 2 monitors outlive no more deaths than 1; write 1 or 3",
    ),
    (
        "replication: PrimaryReplicas(failover: Automatic(monitors: 4))",
        "5:87: services.db.replication.failover.monitors: 4 monitors outlive no more deaths than 3; write 3 or 5",
    ),
    (
        "replication: PrimaryReplicas(failover: Automatic(monitors: 6))",
        "5:87: services.db.replication.failover.monitors: 6 monitors outlive no more deaths than 5; write 5 or 7",
    ),
    (
        "replication: PrimaryReplicas(failover: Automatic(monitors: 8))",
        "5:87: services.db.replication.failover.monitors: must be from 1 to 7, not 8",
    ),
    (
        "replication: PrimaryReplicas(recovery: true)",
        "5:67: services.db.replication.recovery: expected one of its kinds by name, found `true`",
    ),
    (
        "replication: PrimaryReplicas(replace: \"0s\")",
        "5:66: services.db.replication.replace: must be longer than 0",
    ),
    (
        "replication: PrimaryReplicas(ack_timeout: \"0s\")",
        "5:70: services.db.replication.ack_timeout: must be longer than 0",
    ),
    (
        "replication: MultiPrimary(close: \"5s\")",
        "5:54: services.db.replication: unknown field `close`; there is only rule",
    ),
    (
        "replication: Circular(close: \"0s\")",
        "5:57: services.db.replication.close: must be longer than 0",
    ),
    (
        "replication: Circular(rule: LastWritesWin)",
        "5:56: services.db.replication.rule: unknown kind `LastWritesWin`; did you mean `LastWriteWins`?",
    ),
    (
        "replication: Circular(rule: SitePriority)",
        "5:56: services.db.replication.rule: `SitePriority` takes a value in parentheses",
    ),
    (
        "replication: Circular(rule: SitePriority([\"dc\", \"cd\"]))",
        "5:76: services.db.replication.rule[1]: there is no data center \"cd\"; did you mean `dc`?",
    ),
    (
        "replication: MultiPrimary(rule: SitePriority([\"dc\", \"dc\"]))",
        "5:80: services.db.replication.rule[1]: \"dc\" is named twice",
    ),
    // Shards.
    (
        "sharding: ()",
        "5:38: services.db.sharding: the field `shards` is missing: how many are there at the start?",
    ),
    (
        "sharding: (shards: 0)",
        "5:47: services.db.sharding.shards: must be from 1 to 256, not 0",
    ),
    (
        "sharding: (shards: 257, by: Jump)",
        "5:47: services.db.sharding.shards: must be from 1 to 256, not 257",
    ),
    (
        "sharding: (shards: 4, by: ConsistentHash(virtual_nodes: 0))",
        "5:84: services.db.sharding.by.virtual_nodes: must be from 1 to 10,000, not 0",
    ),
    (
        "sharding: (shards: 4, by: ConsistentHash(virtual_nodes: 10_001))",
        "5:84: services.db.sharding.by.virtual_nodes: must be from 1 to 10,000, not 10,001",
    ),
    (
        "sharding: (shards: 4, virtual_nodes: 10)",
        "5:50: services.db.sharding: unknown field `virtual_nodes`; it stands in `by`",
    ),
    (
        "sharding: (shards: 4, by: Modulus)",
        "5:54: services.db.sharding.by: unknown kind `Modulus`; did you mean `Modulo`?",
    ),
    // On a host.
    (
        "on: \"box\", machines: 2",
        "5:39: services.db: `machines` and `on` exclude each other: the host is one machine",
    ),
    (
        "on: \"box\", replication: Circular()",
        "5:39: services.db: `replication` and `on` exclude each other: the host is one machine",
    ),
    (
        "on: \"box\", sharding: (shards: 2)",
        "5:39: services.db: `sharding` and `on` exclude each other: the host is one machine",
    ),
];

#[test]
fn bad_databases_are_refused_at_their_place() {
    assert_refused(BAD_DATABASES.iter().map(|(fields, expected)| {
        let services = format!("\"a\": Web(), \"db\": Database({fields})");
        (minimal(&services), (*expected).to_owned())
    }));
}

/// Services (from line 5 of the file on) and the position and message that they are refused with.
const BAD_SERVICES: &[(&str, &str)] = &[
    (
        "\"web\": Web(machines: 96_000), \"db\": Database(sharding: (shards: 256), machines: 15, replication: Circular()),\n\
         \"more\": Database(sharding: (shards: 256), machines: 15, replication: Circular())",
        "1:1: 103,680 machines in all; at most 100,000 can be simulated",
    ),
    (
        "\"web\": Web(), \"db\": Database(replication: PrimaryReplicas()), \"db-monitor\": Web()",
        "5:63: services: the name \"db-monitor\" is already that of the monitors of db; choose another",
    ),
];

#[test]
fn bad_services_of_databases_are_refused_at_their_place() {
    assert_refused(
        BAD_SERVICES
            .iter()
            .map(|(services, expected)| (minimal(services), (*expected).to_owned())),
    );
}

/// What stands before the data centers (line 2) of a layout with `east`, `west` and `south`, what stands in `south` (line 3), and how
/// that is refused.
const BAD_SPREADS: &[(&str, &str, &str)] = &[
    (
        "databases: {\"orders\": ()}",
        "",
        "2:23: databases.orders: the field `machines` is missing: how many nodes are where? Write {\"east\": 3}, with each of \
         its data centers",
    ),
    (
        "databases: {\"orders\": (machines: 3)}",
        "",
        "2:34: databases.orders.machines: expected names in braces, { \"name\": .. }, found `3`",
    ),
    (
        "databases: {\"orders\": (machines: {})}",
        "",
        "2:34: databases.orders.machines: a database has at least one node; name the data center where it stands",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1, \"wset\": 1})}",
        "",
        "2:46: databases.orders.machines: there is no data center \"wset\"; did you mean `west`?",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 3, \"west\": 0}, replication: PrimaryReplicas())}",
        "",
        "2:54: databases.orders.machines.west: a data center without nodes is not named here; leave \"west\" out",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 8, \"west\": 8}, replication: PrimaryReplicas())}",
        "",
        "2:34: databases.orders.machines: a shard has at most 15 nodes in all data centers, not 16",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1, \"west\": 1})}",
        "",
        "2:34: databases.orders.machines: 2 nodes of a shard without replication would hold different rows",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1}, replication: Circular())}",
        "",
        "2:34: databases.orders.machines: a ring of one is no ring",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1, \"west\": 1}, replication: PrimaryReplicas(mode: Quorum))}",
        "",
        "2:93: databases.orders.replication.mode: a majority of 2 nodes is both of them",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1}, on: \"box\")}",
        "",
        "2:47: databases.orders: a database in several data centers has machines of its own; leave `on` out",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1}, size: \"xxl\")}",
        "",
        "2:53: databases.orders.size: unknown size \"xxl\"; did you mean `xl`?",
    ),
    (
        "databases: {\"orders\": Database(machine: {\"east\": 1})}",
        "",
        "2:32: databases.orders: unknown field `machine`; did you mean `machines`?",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1, \"west\": 2}, replication: Circular(rule: SitePriority([\"north\"])))}",
        "",
        "2:100: databases.orders.replication.rule[0]: there is no data center \"north\"; did you mean `south`?",
    ),
    (
        "databases: {\"a b\": (machines: {\"east\": 1})}",
        "",
        "2:13: databases: the name \"a b\" holds ` `",
    ),
    // Names.
    (
        "databases: {\"web\": (machines: {\"east\": 1})}",
        "",
        "2:13: databases: the name \"web\" is already that of a web service of east; choose another",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1})}",
        "\"orders\": Database()",
        "2:13: databases: the name \"orders\" is already that of a database of south; choose another",
    ),
    (
        "databases: {\"box\": (machines: {\"west\": 1})}",
        "",
        "2:13: databases: the name \"box\" is already that of a host of east; choose another",
    ),
    (
        "databases: {\"p\": (machines: {\"west\": 1})}",
        "",
        "2:13: databases: the name \"p\" is already that of a population of users; choose another",
    ),
    (
        "databases: {\"south\": (machines: {\"west\": 1})}",
        "",
        "2:13: databases: the name \"south\" is already that of a data center; choose another",
    ),
    (
        "databases: {\"orders\": (machines: {\"east\": 1, \"south\": 1}, replication: PrimaryReplicas())}",
        "\"orders-monitor\": Web()",
        "3:26: data_centers.south.services: the name \"orders-monitor\" is already that of the monitors of orders; choose",
    ),
    (
        "databases: {\"p\": (machines: {\"east\": 2}, replication: PrimaryReplicas()), \"p-monitor\": (machines: {\"east\": 1})}",
        "",
        "2:13: databases: the name \"p\" is already that of a population of users; choose another",
    ),
    (
        "databases: {\"o\": (machines: {\"east\": 2}, replication: PrimaryReplicas()), \"o-monitor\": (machines: {\"east\": 1})}",
        "",
        "2:75: databases: the name \"o-monitor\" is already that of the monitors of o; choose another",
    ),
    (
        "databases: {\"q\": (machines: {\"east\": 2}, replication: PrimaryReplicas())}",
        "",
        "2:42: databases.q: its monitors are named \"q-monitor\", and that is already the name of a population of users",
    ),
    // Who asks it.
    (
        "databases: {\"orders\": (machines: {\"east\": 1, \"west\": 1}, replication: MultiPrimary())}",
        "\"shop\": Web(database: \"orders\")",
        "3:48: data_centers.south.services.shop.database: \"orders\" has no nodes in south, only in east, west; give it one \
         here, as in machines: {\"south\": 1, ..}",
    ),
    (
        "databases: {\"orders\": (machines: {\"south\": 1})}",
        "\"shop\": Web(database: \"oders\")",
        "3:48: data_centers.south.services.shop.database: there is no service \"oders\"; did you mean `orders`?",
    ),
];

#[test]
fn bad_databases_of_several_data_centers_are_refused_at_their_place() {
    assert_refused(BAD_SPREADS.iter().map(|(databases, services, expected)| {
        let source = format!(
            "(title: \"t\", users: {{\"p\": (count: 1), \"q-monitor\": (count: 1)}},\n{databases}, data_centers: {{\n\
             \"south\": (services: {{    {services}}}), \"east\": (hosts: {{\"box\": ()}}, services: {{\"web\": Web()}}), \"west\": \
             (services: {{\"web\": Web()}})}})"
        );
        (source, (*expected).to_owned())
    }));
}

/// Fields of users (from column 40 on) and how they are refused.
const BAD_USERS: &[(&str, &str)] = &[
    ("hot: 1.5", "1:45: users.p.hot: must be from 0 to 1, not 1.5"),
    ("hot: NaN", "1:45: users.p.hot: must be from 0 to 1, not NaN"),
    (
        "asks: (search: -1)",
        "1:55: users.p.asks.search: must be from 0 to 1000000, not -1",
    ),
    (
        "look_back: ()",
        "1:51: users.p.look_back: the field `share` is missing: after which share of their writes do they look?",
    ),
    (
        "look_back: (share: 0)",
        "1:59: users.p.look_back.share: must be above 0 and at most 1, not 0",
    ),
    (
        "look_back: (share: 1.1)",
        "1:59: users.p.look_back.share: must be above 0 and at most 1, not 1.1",
    ),
    (
        "look_back: (share: 1, after: \"169h\")",
        "1:69: users.p.look_back.after: must be from 0ns to 168h, not 169h",
    ),
];

#[test]
fn bad_users_of_data_are_refused_at_their_place() {
    assert_refused(BAD_USERS.iter().map(|(fields, expected)| {
        let source = format!("(title: \"t\", users: {{\"p\": (count: 1,   {fields})}}, services: {{\"web\": Web()}})");
        (source, (*expected).to_owned())
    }));
}

#[test]
fn bad_latencies_between_data_centers_are_refused_at_their_place() {
    let source = "(title: \"t\", users: {\"p\": (count: 1)}, network: (between: \"0s\"), services: {\"web\": Web()})";
    let expected = "1:59: network.between: must be from 1us to 1m, not 0ns";
    assert_refused(std::iter::once((source.to_owned(), expected.to_owned())));
}
