//! What expectations say, and what they may not.

use super::*;
use crate::layout;

const LAYOUT: &str = r#"(title: "t", users: {"people": (count: 10)},
        databases: {"orders": (machines: {"east": 2, "west": 2}, replication: PrimaryReplicas())}, data_centers: {
        "east": (services: {"db": Database(replication: PrimaryReplicas()), "solo": Database(),
            "web": Web(scale: (max: 9, target: Requests(50))), "lb": LoadBalancer(to: "web"), "fn": Serverless()}),
        "west": (services: {"web": Web(scale: (max: 9, target: Requests(50))), "app": Web(scale: (max: 9, target: Requests(50))),
            "sessions": SessionStore()}),
    })"#;

fn read(quantifier: Quantifier, text: &str) -> Result<Expectation, String> {
    parse(quantifier, text, &layout::parse(LAYOUT, "l.ron").unwrap())
}

#[test]
fn measures_comparisons_and_units_are_read() {
    for (text, measure, comparison, bound) in [
        ("p99 < 200ms", Measure::P99, Comparison::Less, 0.2),
        ("p95<=1s", Measure::P95, Comparison::AtMost, 1.0),
        ("p50 > 0.5ms", Measure::P50, Comparison::More, 0.0005),
        ("ok >= 99.9%", Measure::Ok, Comparison::AtLeast, 0.999),
        ("ok >= 0.999", Measure::Ok, Comparison::AtLeast, 0.999),
        ("lost == 0", Measure::Lost, Comparison::Equal, 0.0),
        ("failed < 1_000", Measure::Failed, Comparison::Less, 1000.0),
        ("retried > 10", Measure::Retried, Comparison::More, 10.0),
        ("rate >= 400/s", Measure::Rate, Comparison::AtLeast, 400.0),
        ("up(lb) < 2", Measure::Up("lb".to_owned()), Comparison::Less, 2.0),
        ("up( east/lb ) < 2", Measure::Up("lb".to_owned()), Comparison::Less, 2.0),
        ("up(dns) == 1", Measure::Up("dns".to_owned()), Comparison::Equal, 1.0),
        (
            "utilisation(east/web) < 80%",
            Measure::Utilisation("east/web".to_owned()),
            Comparison::Less,
            0.8,
        ),
        (
            "backlog(west/web) <= 5",
            Measure::Backlog("west/web".to_owned()),
            Comparison::AtMost,
            5.0,
        ),
        (
            "ok(people) > 50%",
            Measure::OkOf("people".to_owned()),
            Comparison::More,
            0.5,
        ),
        ("signed_out == 0", Measure::SignedOut, Comparison::Equal, 0.0),
        ("cost <= 2.5", Measure::Cost, Comparison::AtMost, 2.5),
        ("cost < $0.40/h", Measure::Cost, Comparison::Less, 0.4),
        (
            "machines(app) >= 3",
            Measure::Machines("app".to_owned()),
            Comparison::AtLeast,
            3.0,
        ),
        (
            "sessions(sessions) > 1_000",
            Measure::Sessions("sessions".to_owned()),
            Comparison::More,
            1000.0,
        ),
        (
            "sessions(east/web) > 0",
            Measure::Sessions("east/web".to_owned()),
            Comparison::More,
            0.0,
        ),
        (
            "up(resolver) == 1",
            Measure::Up("resolver".to_owned()),
            Comparison::Equal,
            1.0,
        ),
        (
            "up(app-autoscaler) == 1",
            Measure::Up("app-autoscaler".to_owned()),
            Comparison::Equal,
            1.0,
        ),
        ("up(fn) == 1", Measure::Up("fn".to_owned()), Comparison::Equal, 1.0),
        (
            "up(east/web-autoscaler) == 1",
            Measure::Up("east/web-autoscaler".to_owned()),
            Comparison::Equal,
            1.0,
        ),
    ] {
        let found = read(Quantifier::Sometimes, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((found.measure, found.comparison), (measure, comparison), "{text}");
        assert!((found.bound - bound).abs() < 1e-15, "{text}: {}", found.bound);
        let evened: Vec<&str> = text.split_whitespace().collect();
        assert_eq!((found.text, found.grace), (evened.join(" "), Duration::ZERO));
    }
}

#[test]
fn promises_and_databases_are_measured() {
    for (text, measure, bound) in [
        ("missing == 0", Measure::Missing, 0.0),
        ("at_risk == 0", Measure::AtRisk, 0.0),
        ("unknown == 1_000", Measure::Unknown, 1_000.0),
        ("stale == 0", Measure::Stale, 0.0),
        ("unseen == 0", Measure::Unseen, 0.0),
        ("backwards == 0", Measure::Backwards, 0.0),
        ("conflicts == 0", Measure::Conflicts, 0.0),
        ("dropped_later == 0", Measure::DroppedLater, 0.0),
        ("replayed == 7", Measure::Replayed, 7.0),
        ("given_up == 0", Measure::GivenUp, 0.0),
        ("lag(db) == 1.5s", Measure::Lag("db".to_owned()), 1.5),
        ("behind(east/db) == 10", Measure::Behind("db".to_owned()), 10.0),
        ("primaries(db) == 1", Measure::Primaries("db".to_owned()), 1.0),
        // All of its nodes are meant, whichever of them names it.
        ("diverged(orders) == 0", Measure::Diverged("orders".to_owned()), 0.0),
        ("rows(west/orders) == 5", Measure::Rows("orders".to_owned()), 5.0),
        ("moving(solo) == 50%", Measure::Moving("solo".to_owned()), 0.5),
    ] {
        let found = read(Quantifier::Always, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (&found.measure, found.comparison),
            (&measure, Comparison::Equal),
            "{text}"
        );
        assert!((found.bound - bound).abs() < 1e-15, "{text}: {}", found.bound);
    }
}

#[test]
fn nodes_and_monitors_are_services() {
    for text in [
        "up(db-monitor) == 3",
        "up(orders-monitor) == 3",
        "up(west/orders-monitor) == 1",
        "up(orders) == 4",
        "up(west/orders) == 2",
        "utilisation(db) < 80%",
    ] {
        let found = read(Quantifier::Sometimes, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let (_, name) = text.split_once('(').unwrap();
        let name = name.split_once(')').unwrap().0.to_owned();
        assert!(
            [Measure::Up(name.clone()), Measure::Utilisation(name)].contains(&found.measure),
            "{text}"
        );
    }
}

#[test]
fn a_grace_belongs_to_always() {
    let found = read(Quantifier::Always, "p99 < 200ms, grace 5s").unwrap();
    assert_eq!(found.grace, Duration::from_secs(5));
    assert!(read(Quantifier::Sometimes, "p99 < 200ms, grace 5s").is_err());
    assert!(
        read(Quantifier::Always, "p99 < 200ms, grace soon")
            .unwrap_err()
            .contains("duration")
    );
}

#[test]
fn a_service_of_two_data_centers_needs_one_in_front() {
    let error = read(Quantifier::Always, "up(web) > 0").unwrap_err();
    assert_eq!(error, "`web` names several services; write one of east/web, west/web");
    assert!(
        read(Quantifier::Always, "up(north/web) > 0")
            .unwrap_err()
            .contains("no service \"north/web\"")
    );
}

#[test]
fn a_measure_needs_something_that_has_it() {
    for (text, message) in [
        (
            "ok(peple) > 0%",
            "there is no population \"peple\"; did you mean `people`?",
        ),
        (
            "sessions(lb) > 0",
            "`sessions` needs a web service or a session store, and `lb` is none",
        ),
        (
            "sessions(fn) > 0",
            "`sessions` needs a web service or a session store, and `fn` is none",
        ),
        (
            "machines(fn) > 0",
            "`machines` needs a service with machines, and `fn` is none",
        ),
        (
            "utilisation(fn) > 0%",
            "`utilisation` needs a service with machines, and `fn` is none",
        ),
        ("machines > 0", "`machines` needs a service, as in \"machines(web)\""),
        (
            "cost(web) > 0",
            "`cost` measures the whole system; write it without `(..)`",
        ),
        (
            "cost > much",
            "expected US dollars an hour, as in \"2.50\" or \"$2.50/h\", found `much`",
        ),
        (
            "up(web-autoscaler) > 0",
            "`web-autoscaler` names several services; write one of east/web-autoscaler,",
        ),
        ("up(lb-autoscaler) > 0", "there is no service \"lb-autoscaler\""),
        ("lag > 0s", "`lag` needs a database, as in \"lag(db)\""),
        ("lag(app) > 0s", "`lag` needs a database, and `app` is none"),
        (
            "rows(db-monitor) > 0",
            "`rows` needs a database, and `db-monitor` is none",
        ),
        ("lag(db) < 5", "`5` is not a duration"),
        ("moving(db) < 5", "expected a share from 0% to 100%"),
        ("primaries(db) < 5s", "expected a count, as in \"0\", found `5s`"),
        (
            "stale(db) > 0",
            "`stale` measures the whole system; write it without `(..)`",
        ),
        ("at-risk > 0", "unknown measure `at-risk`; did you mean `at_risk`?"),
        ("up(solo-monitor) > 0", "there is no service \"solo-monitor\""),
        ("up(people-resolver) > 0", "there is no service \"people-resolver\""),
    ] {
        let error = read(Quantifier::Always, text).expect_err(text);
        assert!(error.starts_with(message), "{text}\n  is   {error}\n  not  {message}");
    }
}
