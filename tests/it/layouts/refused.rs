//! What is refused, where, and with which words.

use std::fmt::Write as _;

use blastradius::layout;

/// The smallest layout around some services, which begin at line 5.
pub fn minimal(services: &str) -> String {
    format!(
        "Layout(\n    title: \"t\",\n    users: {{\"people\": (count: 10)}},\n    services: {{\n{services}\n    }},\n)\n"
    )
}

/// Services (from line 5 of the file on) and the position and message that they are refused with.
const BAD_SERVICES: &[(&str, &str)] = &[
    (
        "\"web\": Wob()",
        "5:8: services.web: unknown kind `Wob`; did you mean `Web`?",
    ),
    ("\"web\": Web", "5:8: services.web: `Web` takes a value in parentheses"),
    (
        "\"web\": Web(machine: 2)",
        "5:12: services.web: unknown field `machine`; did you mean `machines`?",
    ),
    (
        "\"web\": Web(machines: \"2\")",
        "5:22: services.web.machines: expected a whole number from 0 to 4,294,967,295, found the text \"2\"",
    ),
    (
        "\"web\": Web(machines: -1)",
        "5:22: services.web.machines: expected a whole number from 0 to 4,294,967,295, found `-1`",
    ),
    (
        "\"web\": Web(machines: 2.5)",
        "5:22: services.web.machines: expected a whole number",
    ),
    (
        "\"web\": Web(machines: 0)",
        "5:22: services.web.machines: must be from 1 to 100,000, not 0",
    ),
    (
        "\"web\": Web(machines: 100_001)",
        "5:22: services.web.machines: must be from 1 to 100,000, not 100,001",
    ),
    (
        "\"a\": Web(machines: 60_000), \"b\": Web(machines: 60_000)",
        "1:1: 120,000 machines in all; at most 100,000 can be simulated",
    ),
    (
        "\"web\": Web(slots: 0)",
        "5:19: services.web.slots: must be from 1 to 1,000,000, not 0",
    ),
    (
        "\"web\": Web(work: Exponential(\"0ms\"))",
        "5:18: services.web.work: the mean must be longer than 0",
    ),
    (
        "\"web\": Web(work: Exponential(4))",
        "5:30: services.web.work: expected a text in double quotes, found `4`",
    ),
    (
        "\"web\": Web(work: Exponential(\"4 parsec\"))",
        "5:30: services.web.work: `4 parsec` is not a duration",
    ),
    (
        "\"web\": Web(work: LogNormal(mean: \"1ms\", cv: NaN))",
        "5:45: services.web.work.cv: must be above 0 and at most 100, not NaN",
    ),
    (
        "\"web\": Web(work: Normal(\"1ms\"))",
        "5:18: services.web.work: unknown kind `Normal`; did you mean `LogNormal`?",
    ),
    ("\"web\": Web(json: -0.5)", "5:18: services.web.json: must be above 0"),
    (
        "\"web\": Web(json: inf)",
        "5:18: services.web.json: must be above 0 and at most 100, not inf",
    ),
    (
        "\"web\": Web(boot: 5)",
        "5:18: services.web.boot: expected a text in double quotes, found `5`",
    ),
    (
        "\"web\": Web(boot: 5s)",
        "5:18: `5s` is not a number: if a duration is meant, write it in double quotes, as in \"30s\"",
    ),
    (
        "\"web\": Web(size: \"xxl\")",
        "5:18: services.web.size: unknown size \"xxl\"; did you mean `xl`?",
    ),
    (
        "\"web\": Web(database: \"bd\"), \"db\": Database()",
        "5:22: services.web.database: there is no service \"bd\"; did you mean `db`?",
    ),
    (
        "\"web\": Web(database: \"lb\"), \"lb\": LoadBalancer(to: \"web\")",
        "5:22: services.web.database: \"lb\" is a load balancer; a database is needed here",
    ),
    ("\"lb\": LoadBalancer()", "5:7: services.lb: the field `to` is missing"),
    (
        "\"lb\": LoadBalancer(to: \"lb\")",
        "5:24: services.lb.to: a load balancer cannot point to itself",
    ),
    (
        "\"a\": LoadBalancer(to: \"b\"), \"b\": LoadBalancer(to: \"a\")",
        "5:51: services.b.to: load balancers point to each other in a circle: a -> b -> a",
    ),
    (
        "\"lb\": LoadBalancer(to: \"db\"), \"db\": Database()",
        "5:24: services.lb.to: \"db\" is a database; a load balancer needs a web service, functions or a load balancer",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", balance: Roundrobin), \"web\": Web()",
        "5:40: services.lb.balance: unknown kind `Roundrobin`; did you mean `RoundRobin`?",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", health: (every: \"0s\")), \"web\": Web()",
        "5:47: services.lb.health.every: must be longer than 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", health: {}), \"web\": Web()",
        "5:39: services.lb.health: expected fields in parentheses, ( name: .. ), found names in braces",
    ),
    ("\"db\": Database()", "4:15: services: there is no entry point"),
    ("", "4:15: services: there is no entry point"),
    (
        "\"db\": Database(rows: 10_000_001)",
        "5:22: services.db.rows: must be from 0 to 10,000,000, not 10,000,001",
    ),
    (
        "\"web\": Web(on: \"server\")",
        "5:16: services.web.on: there is no host \"server\"",
    ),
    (
        "\"web\": Web(on: \"server\", machines: 2)",
        "5:26: services.web: `machines` and `on` exclude each other",
    ),
    (
        "\"web\": Web(size: \"l\", on: \"server\")",
        "5:12: services.web: `size` and `on` exclude each other",
    ),
    (
        "\"web\": Web(),\n\"web\": Web()",
        "6:1: `web` is given twice; first at 5:1",
    ),
    (
        "\"web\": Web(slots: 1, slots: 2)",
        "5:22: `slots` is given twice; first at 5:12",
    ),
    ("\"\": Web()", "5:1: services: a name must not be empty"),
    ("\"a b\": Web()", "5:1: services: the name \"a b\" holds ` `"),
    ("\"a/b\": Web()", "5:1: services: the name \"a/b\" holds `/`"),
    (
        "\"a\\u{1b}[2J\": Web()",
        "5:1: services: the name \"a\\u{1b}[2J\" holds characters that cannot be seen",
    ),
    ("\"7\": Web()", "5:1: services: the name \"7\" is a number"),
    (
        "\"dns\": Web()",
        "5:1: services: the name \"dns\" has a meaning of its own",
    ),
    (
        "\"people\": Web()",
        "5:1: services: the name \"people\" is already that of a population of users",
    ),
    (
        "\"dc\": Web()",
        "5:1: services: the name \"dc\" is already that of the only data center",
    ),
    (
        "\"web\": Web(slots: 1",
        "6:5: expected `)` for the `(` at 5:11, found `}`",
    ),
    ("\"web\" Web()", "5:7: expected `:` after `web`, found `Web`"),
    ("\"web\": Web() \"b\": Web()", "5:14: expected `,` or `}`, found `\"`"),
    ("web: Web()", "5:1: expected a name in double quotes, found `web`"),
    (
        "\"web\": Web(\"x\", slots: 1)",
        "5:17: plain values and named fields do not mix in one ( )",
    ),
    (
        "\"web\": Web(slots: 1, \"x\")",
        "5:22: expected a field `name: value`, found `\"`",
    ),
    ("\"web\": Web(size: \"\\q\")", "5:19: unknown escape"),
];

#[test]
fn bad_services_are_refused_at_their_place() {
    assert_refused(
        BAD_SERVICES
            .iter()
            .map(|(services, expected)| (minimal(services), (*expected).to_owned())),
    );
}

/// Every source is refused with a message that begins with line, column and text as expected.
pub fn assert_refused(cases: impl Iterator<Item = (String, String)>) {
    let mut wrong = String::new();
    for (source, expected) in cases {
        let shown = layout::parse(&source, "bad.ron").expect_err(&source).to_string();
        if !shown.starts_with(&format!("bad.ron:{expected}")) {
            let _ = writeln!(wrong, "{source}\n  is      {shown}\n  not             {expected}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whole files and how they are refused.
const BAD_FILES: &[(&str, &str)] = &[
    ("", "1:1: expected a value, found the end of the file"),
    ("Layout(", "1:7: this `(` is never closed"),
    ("Layout() x", "1:10: expected the end of the file, found `x`"),
    ("Layout()", "1:1: the field `title` is missing"),
    ("Layuot(title: \"t\")", "1:1: expected `Layout`, found `Layuot`"),
    ("(title: 5)", "1:9: title: expected a text in double quotes, found `5`"),
    (
        "(title: \"t\", user: {})",
        "1:14: unknown field `user`; did you mean `users`?",
    ),
    (
        "(title: \"t\", users: [])",
        "1:21: users: expected names in braces, { \"name\": .. }, found a list",
    ),
    (
        "(title: \"t\", users: {}, services: {\"w\": Web()})",
        "1:21: users: there are no users",
    ),
    (
        "(title: \"t\", users: {\"p\": ()}, services: {})",
        "1:27: users.p: the field `count` is missing",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 0)}, services: {})",
        "1:35: users.p.count: must be from 1 to 50,000,000, not 0",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 50_000_001)}, services: {})",
        "1:35: users.p.count: must be from 1 to 50,000,000",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 40_000_000), \"q\": (count: 40_000_000)}, services: {})",
        "1:61: users.q.count: more than 50,000,000 users in all",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 50_000_000, every: \"1ms\")}, services: {})",
        "1:27: users.p: 50,000,000,000 requests a second in all",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, every: \"0s\")}, services: {})",
        "1:45: users.p.every: must be longer than 0",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, mobile: 1.5)}, services: {})",
        "1:46: users.p.mobile: must be from 0 to 1, not 1.5",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, asks: (page: -1))}, services: {})",
        "1:51: users.p.asks.page: must be from 0 to 1000000, not -1",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, asks: ())}, services: {})",
        "1:44: users.p.asks: one of the weights must be above 0",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, keys: Uniform(count: 0))}, services: {})",
        "1:59: users.p.keys.count: must be from 1 to 10,000,000, not 0",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, keys: Zipf(count: 5))}, services: {})",
        "1:44: users.p.keys: the field `exponent` is missing",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)})",
        "1:1: the field `services` (or `data_centers`) is missing",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, services: {}, data_centers: {})",
        "1:40: `services` at the top means a single data center",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, hosts: {}, data_centers: {})",
        "1:40: `hosts` at the top goes with `services`",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, hosts: {\"h\": (size: \"q\")}, services: {})",
        "1:60: hosts.h.size: unknown size \"q\"",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, hosts: {\"web\": ()}, services: {\"web\": Web(on: \"web\")})",
        "1:71: services: the name \"web\" is already that of a host",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, data_centers: {\"east\": (services: {\"web\": Web(database: \"x\")})})",
        "1:96: data_centers.east.services.web.database: there is no service \"x\"",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, data_centers: {\"p\": (services: {\"web\": Web()})})",
        "1:22: users: the name \"p\" is already that of a data center",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, network: (local: \"0s\"), services: {})",
        "1:57: network.local: must be from 1us to 1m, not 0ns",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, network: (loss: 1.0), services: {})",
        "1:56: network.loss: must be from 0 to 0.9, not 1",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, dns: (ttl: \"1000h\"), services: {})",
        "1:51: dns.ttl: must be from 0ns to 168h, not 1000h",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, dns: (attempts: 0), services: {})",
        "1:56: dns.attempts: must be from 1 to 100, not 0",
    ),
    (
        "(title: 99999999999999999999)",
        "1:9: `99999999999999999999` is not a number: it is too large",
    ),
    ("(title: 1_0.5)", "1:9: `1_0.5` is not a number"),
    ("(title: 'x')", "1:9: a text is written in double quotes"),
    ("(title: \"x)", "1:9: this text is never closed"),
    ("/* x", "1:1: this comment is never closed"),
    (
        "(title: \"t\", domain: \"a b\", users: {}, services: {})",
        "1:22: domain: \"a b\" is not a domain, as \"shop.example\" is",
    ),
    ("#![enable(x)] ()", "1:1: only `#![enable(..)]` with"),
];

#[test]
fn bad_files_are_refused_at_their_place() {
    assert_refused(
        BAD_FILES
            .iter()
            .map(|(source, expected)| ((*source).to_owned(), (*expected).to_owned())),
    );
}

/// Expectations and how they are refused; the text is the second of its layout.
const BAD_EXPECTATIONS: &[(&str, &str)] = &[
    ("Always(\"p99 200ms\")", "`p99 200ms` compares nothing"),
    ("Always(\"p98 < 200ms\")", "unknown measure `p98`; did you mean `p9"),
    ("Always(\"p99 < 200\")", "`200` is not a duration"),
    ("Always(\"ok >= 101%\")", "expected a share from 0% to 100%"),
    (
        "Always(\"ok >= fine\")",
        "expected a share from 0% to 100%, as in \"99.9%\", found `fine`",
    ),
    ("Always(\"failed < x\")", "expected a count, as in \"0\", found `x`"),
    ("Always(\"rate < 5/m\")", "expected requests a second"),
    ("Always(\"up < 2\")", "`up` needs a service, as in \"up(web)\""),
    (
        "Always(\"up(wbe) < 2\")",
        "there is no service \"wbe\"; did you mean `web`?",
    ),
    ("Always(\"failed(web) < 2\")", "`failed` measures the whole system"),
    (
        "Always(\"ok(web) < 2\")",
        "there is no population \"web\"; there is only p",
    ),
    (
        "Always(\"sessions(web < 2\")",
        "the `(` in `sessions(web` is never closed",
    ),
    (
        "Always(\"signedout == 0\")",
        "unknown measure `signedout`; did you mean `signed_out`?",
    ),
    ("Always(\"up(web < 2\")", "the `(` in `up(web` is never closed"),
    (
        "Always(\"lost == 0, grave 5s\")",
        "after the comma only a grace can follow",
    ),
    ("Eventually(\"lost == 0, grace 5s\")", "only `Always` has a grace"),
];

#[test]
fn bad_expectations_are_refused_at_their_place() {
    assert_refused(BAD_EXPECTATIONS.iter().map(|(expectation, expected)| {
        let source = format!(
            "(title: \"t\", users: {{\"p\": (count: 1)}}, services: {{\"web\": Web()}},\nexpect: [Always(\"lost == 0\"), {expectation}])"
        );
        (source, format!("2:31: expect[1]: {expected}"))
    }));
}

#[test]
fn nesting_and_size_are_limited() {
    let deep = "[".repeat(100_000);
    assert!(
        layout::parse(&deep, "deep.ron")
            .unwrap_err()
            .to_string()
            .starts_with("deep.ron:1:65: nested more than 64 deep")
    );
    let long = " ".repeat(2 * 1024 * 1024);
    assert!(
        layout::parse(&long, "long.ron")
            .unwrap_err()
            .message
            .contains("at most 1024 are read")
    );
}

#[test]
fn an_error_shows_its_line_with_a_caret() {
    let source = minimal("\"web\": Web(\tmachines: 0)");
    let error = layout::parse(&source, "a\u{1b}.ron").unwrap_err();
    let expected = "a\\u{1b}.ron:5:23: services.web.machines: must be from 1 to 100,000, not 0\n  |\n\
                    5 | \"web\": Web( machines: 0)\n  |                       ^";
    assert_eq!(error.render(&source), expected);
}
