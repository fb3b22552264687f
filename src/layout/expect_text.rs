//! The grammar of expectations: `measure op value`, and for `Always` an optional `, grace 10s`.

use std::time::Duration;

use super::duration;
use super::expect::{Comparison, Expectation, Measure, Quantifier};
use super::model::Layout;
use super::text::{parse_share, printable, suggestion};

const MEASURES: [&str; 11] = [
    "ok",
    "failed",
    "retried",
    "lost",
    "rate",
    "p50",
    "p95",
    "p99",
    "up(..)",
    "utilisation(..)",
    "backlog(..)",
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
    let (word, service) = match text.split_once('(') {
        Some((word, rest)) => match rest.trim_end().strip_suffix(')') {
            Some(service) => (word.trim(), Some(service.trim())),
            None => return Err(format!("the `(` in `{}` is never closed", printable(text))),
        },
        None => (text, None),
    };
    let measure = match word {
        "ok" => Measure::Ok,
        "failed" => Measure::Failed,
        "retried" => Measure::Retried,
        "lost" => Measure::Lost,
        "rate" => Measure::Rate,
        "p50" => Measure::P50,
        "p95" => Measure::P95,
        "p99" => Measure::P99,
        "up" | "utilisation" | "backlog" => {
            let service = service.ok_or_else(|| format!("`{word}` needs a service, as in \"{word}(web)\""))?;
            let service = selector(service, layout)?;
            return Ok(match word {
                "up" => Measure::Up(service),
                "backlog" => Measure::Backlog(service),
                _ => Measure::Utilisation(service),
            });
        }
        _ => {
            return Err(format!(
                "unknown measure `{}`{}",
                printable(text),
                suggestion(word, MEASURES)
            ));
        }
    };
    match service {
        Some(_) => Err(format!("`{word}` measures the whole system; write it without `(..)`")),
        None => Ok(measure),
    }
}

/// The shortest selector of the service that `text` names.
fn selector(text: &str, layout: &Layout) -> Result<String, String> {
    if text == "dns" {
        return Ok(text.to_owned());
    }
    let bare = text.rsplit_once('/').map_or(text, |(_, bare)| bare);
    let sites: Vec<&str> = layout
        .data_centers
        .iter()
        .filter(|(_, data_center)| data_center.services.contains_key(bare))
        .map(|(site, _)| site.as_str())
        .collect();
    let chosen = match text.rsplit_once('/') {
        Some((site, _)) => sites.iter().find(|known| **known == site),
        None => sites.first(),
    };
    match chosen {
        Some(_) if sites.len() == 1 => Ok(bare.to_owned()),
        Some(_) if bare == text => {
            let all: Vec<String> = sites.iter().map(|site| format!("{site}/{bare}")).collect();
            Err(format!(
                "`{text}` names several services; write one of {}",
                all.join(", ")
            ))
        }
        Some(_) => Ok(text.to_owned()),
        None => {
            let known: Vec<&str> = layout
                .data_centers
                .values()
                .flat_map(|site| site.services.keys().map(String::as_str))
                .collect();
            Err(format!(
                "there is no service \"{}\"{}",
                printable(text),
                suggestion(bare, known)
            ))
        }
    }
}

/// The bound in the measure's unit.
fn bound(measure: &Measure, text: &str) -> Result<f64, String> {
    let shown = printable(text);
    match measure {
        Measure::Ok | Measure::Utilisation(_) => parse_share(text)
            .filter(|share| *share <= 1.0)
            .ok_or_else(|| format!("expected a share from 0% to 100%, as in \"99.9%\", found `{shown}`")),
        Measure::P50 | Measure::P95 | Measure::P99 => duration::parse(text).map(|bound| bound.as_secs_f64()),
        Measure::Rate => parse_count(text.strip_suffix("/s").unwrap_or(text).trim_end())
            .ok_or_else(|| format!("expected requests a second, as in \"500\" or \"500/s\", found `{shown}`")),
        Measure::Failed | Measure::Retried | Measure::Lost | Measure::Up(_) | Measure::Backlog(_) => {
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
        "east": (services: {"web": Web(), "lb": LoadBalancer(to: "web")}), "west": (services: {"web": Web()}),
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
}
