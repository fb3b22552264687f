//! The grammar of expectations: `measure op value`, and for `Always` an optional `, grace 10s`.

use std::time::Duration;

use super::duration;
use super::entry::autoscaler_of;
use super::expect::{Comparison, Expectation, Measure, Quantifier};
use super::model::{DataCenter, Layout, Service};
use super::text::{parse_share, printable, suggestion};

const MEASURES: [&str; 16] = [
    "ok",
    "ok(..)",
    "failed",
    "retried",
    "lost",
    "signed_out",
    "rate",
    "cost",
    "p50",
    "p95",
    "p99",
    "up(..)",
    "utilisation(..)",
    "backlog(..)",
    "machines(..)",
    "sessions(..)",
];
/// Longer ones first, so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

/// Reads one expectation of a layout. Services in it become their shortest selectors: `web`, or `us-east/web` if there are several.
///
/// # Errors
/// In words: what is wrong with the text, or that it names no service.
pub(super) fn parse(quantifier: Quantifier, text: &str, layout: &Layout) -> Result<Expectation, String> {
    let text = text.trim();
    let (condition, grace) = match text.split_once(',') {
        Some((condition, tail)) => (condition, grace(quantifier, tail)?),
        None => (text, Duration::ZERO),
    };
    let Some((place, sign, comparison)) = COMPARISONS
        .iter()
        .filter_map(|(sign, comparison)| Some((condition.find(sign)?, *sign, *comparison)))
        .min_by_key(|(place, sign, _)| (*place, usize::MAX - sign.len()))
    else {
        return Err(format!(
            "`{}` compares nothing; write a measure, one of < <= == >= > and a value, as in \"p99 < 200ms\"",
            printable(text)
        ));
    };
    let measure = measure(condition[..place].trim(), layout)?;
    let bound = bound(&measure, condition[place + sign.len()..].trim())?;
    Ok(Expectation {
        quantifier,
        measure,
        comparison,
        bound,
        grace,
        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

fn grace(quantifier: Quantifier, tail: &str) -> Result<Duration, String> {
    let Some(value) = tail.trim().strip_prefix("grace") else {
        return Err(format!(
            "after the comma only a grace can follow, as in \", grace 10s\"; found `{}`",
            printable(tail.trim())
        ));
    };
    if quantifier != Quantifier::Always {
        return Err("only `Always` has a grace".to_owned());
    }
    duration::parse(value)
}

fn measure(text: &str, layout: &Layout) -> Result<Measure, String> {
    let (word, of) = match text.split_once('(') {
        Some((word, rest)) => match rest.trim_end().strip_suffix(')') {
            Some(of) => (word.trim(), Some(of.trim())),
            None => return Err(format!("the `(` in `{}` is never closed", printable(text))),
        },
        None => (text, None),
    };
    let whole = match word {
        "ok" => match of {
            Some(users) => return population(users, layout).map(Measure::OkOf),
            None => Measure::Ok,
        },
        "failed" => Measure::Failed,
        "retried" => Measure::Retried,
        "lost" => Measure::Lost,
        "signed_out" => Measure::SignedOut,
        "rate" => Measure::Rate,
        "cost" => Measure::Cost,
        "p50" => Measure::P50,
        "p95" => Measure::P95,
        "p99" => Measure::P99,
        "up" | "utilisation" | "backlog" | "machines" | "sessions" => {
            let service = of.ok_or_else(|| format!("`{word}` needs a service, as in \"{word}(web)\""))?;
            return of_service(word, service, layout);
        }
        _ => {
            return Err(format!(
                "unknown measure `{}`{}",
                printable(text),
                suggestion(word, MEASURES)
            ));
        }
    };
    match of {
        Some(_) => Err(format!("`{word}` measures the whole system; write it without `(..)`")),
        None => Ok(whole),
    }
}

fn of_service(word: &str, text: &str, layout: &Layout) -> Result<Measure, String> {
    let Named { selector, service } = named(text, layout)?;
    let is = |what: &str| Err(format!("`{word}` needs {what}, and `{selector}` is none"));
    match (word, service) {
        ("up", _) => Ok(Measure::Up(selector)),
        ("backlog", _) => Ok(Measure::Backlog(selector)),
        ("sessions", Some(Service::Web(_) | Service::SessionStore(_))) => Ok(Measure::Sessions(selector)),
        ("sessions", _) => is("a web service or a session store"),
        (_, Some(Service::Serverless(_))) => is("a service with machines"),
        ("machines", _) => Ok(Measure::Machines(selector)),
        _ => Ok(Measure::Utilisation(selector)),
    }
}

fn population(text: &str, layout: &Layout) -> Result<String, String> {
    if layout.users.contains_key(text) {
        return Ok(text.to_owned());
    }
    let known = suggestion(text, layout.users.keys().map(String::as_str));
    Err(format!("there is no population \"{}\"{known}", printable(text)))
}

/// What a text names.
struct Named<'a> {
    /// Its shortest selector.
    selector: String,
    /// `None` for what the layout does not name: DNS, resolvers, autoscalers.
    service: Option<&'a Service>,
}

fn named<'a>(text: &str, layout: &'a Layout) -> Result<Named<'a>, String> {
    let outside = |name: &str| name == "dns" || layout.users.keys().any(|users| layout.resolver_of(users) == name);
    if outside(text) {
        return Ok(Named {
            selector: text.to_owned(),
            service: None,
        });
    }
    let bare = text.rsplit_once('/').map_or(text, |(_, bare)| bare);
    let of_this_name = |data_center: &'a DataCenter| match data_center.services.get(bare) {
        Some(service) => Some(Some(service)),
        None => data_center
            .autoscalers()
            .any(|(web, _)| autoscaler_of(web) == bare)
            .then_some(None),
    };
    let sites: Vec<(&str, Option<&Service>)> = layout
        .data_centers
        .iter()
        .filter_map(|(site, data_center)| Some((site.as_str(), of_this_name(data_center)?)))
        .collect();
    let chosen = match text.rsplit_once('/') {
        Some((site, _)) => sites.iter().find(|(known, _)| *known == site),
        None => sites.first(),
    };
    let Some((_, service)) = chosen else {
        let known: Vec<&str> = layout
            .data_centers
            .values()
            .flat_map(|site| site.services.keys().map(String::as_str))
            .collect();
        let known = suggestion(bare, known);
        return Err(format!("there is no service \"{}\"{known}", printable(text)));
    };
    if sites.len() > 1 && bare == text {
        let all: Vec<String> = sites.iter().map(|(site, _)| format!("{site}/{bare}")).collect();
        let all = all.join(", ");
        return Err(format!("`{text}` names several services; write one of {all}"));
    }
    let selector = if sites.len() == 1 { bare } else { text };
    Ok(Named {
        selector: selector.to_owned(),
        service: *service,
    })
}

/// The bound in the measure's unit.
fn bound(measure: &Measure, text: &str) -> Result<f64, String> {
    let shown = printable(text);
    match measure {
        Measure::Ok | Measure::OkOf(_) | Measure::Utilisation(_) => parse_share(text)
            .filter(|share| *share <= 1.0)
            .ok_or_else(|| format!("expected a share from 0% to 100%, as in \"99.9%\", found `{shown}`")),
        Measure::P50 | Measure::P95 | Measure::P99 => duration::parse(text).map(|bound| bound.as_secs_f64()),
        Measure::Rate => parse_count(text.strip_suffix("/s").unwrap_or(text).trim_end())
            .ok_or_else(|| format!("expected requests a second, as in \"500\" or \"500/s\", found `{shown}`")),
        Measure::Cost => {
            let number = text.strip_prefix('$').unwrap_or(text).trim_start();
            parse_count(number.strip_suffix("/h").unwrap_or(number).trim_end())
                .ok_or_else(|| format!("expected US dollars an hour, as in \"2.50\" or \"$2.50/h\", found `{shown}`"))
        }
        Measure::Failed
        | Measure::Retried
        | Measure::Lost
        | Measure::SignedOut
        | Measure::Up(_)
        | Measure::Backlog(_)
        | Measure::Machines(_)
        | Measure::Sessions(_) => {
            parse_count(text).ok_or_else(|| format!("expected a count, as in \"0\", found `{shown}`"))
        }
    }
}

/// A plain decimal number, with `_` between digits if wanted.
fn parse_count(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'_' || b == b'.');
    text.replace('_', "")
        .parse()
        .ok()
        .filter(|number: &f64| plain && *number <= 1e15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    const LAYOUT: &str = r#"(title: "t", users: {"people": (count: 10)}, data_centers: {
        "east": (services: {"web": Web(scale: (max: 9, target: Requests(50))), "lb": LoadBalancer(to: "web"), "fn": Serverless()}),
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
            ("up(people-resolver) > 0", "there is no service \"people-resolver\""),
        ] {
            let error = read(Quantifier::Always, text).expect_err(text);
            assert!(error.starts_with(message), "{text}\n  is   {error}\n  not  {message}");
        }
    }
}
