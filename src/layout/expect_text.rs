//! The grammar of expectations: `measure op value`, and for `Always` an optional `, grace 10s`.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::duration;
use super::entry::{autoscaler_of, monitor_of, shield_of};
use super::expect::{Comparison, Expectation, Measure, Quantifier, QueueMeasure};
use super::model::{Layout, Service};
use super::text::{parse_share, printable, suggestion};

const MEASURES: [&str; 48] = [
    "ok",
    "ok(..)",
    "failed",
    "retried",
    "lost",
    "missing",
    "at_risk",
    "unknown",
    "stale",
    "unseen",
    "backwards",
    "conflicts",
    "dropped_later",
    "replayed",
    "given_up",
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
    "hit(..)",
    "misses(..)",
    "stampedes(..)",
    "load(..)",
    "stale_assets",
    "waiting(..)",
    "in_flight(..)",
    "oldest(..)",
    "redelivered(..)",
    "accepted(..)",
    "done(..)",
    "duplicated(..)",
    "dead(..)",
    "lost_jobs(..)",
    "expired(..)",
    "outbox(..)",
    "lag(..)",
    "behind(..)",
    "primaries(..)",
    "diverged(..)",
    "rows(..)",
    "moving(..)",
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

/// Reads a condition that somebody waits for: an expectation that has to hold once.
///
/// # Errors
/// As [`parse`].
pub(crate) fn condition(text: &str, layout: &Layout) -> Result<Expectation, String> {
    if text.contains(',') {
        return Err(format!(
            "a condition is a measure, a comparison and a value, as in \"up(web) == 0\", and nothing after a comma; found `{}`",
            printable(text.trim())
        ));
    }
    parse(Quantifier::Sometimes, text, layout)
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
        "missing" => Measure::Missing,
        "at_risk" => Measure::AtRisk,
        "unknown" => Measure::Unknown,
        "stale" => Measure::Stale,
        "unseen" => Measure::Unseen,
        "backwards" => Measure::Backwards,
        "conflicts" => Measure::Conflicts,
        "dropped_later" => Measure::DroppedLater,
        "replayed" => Measure::Replayed,
        "given_up" => Measure::GivenUp,
        "signed_out" => Measure::SignedOut,
        "stale_assets" => Measure::StaleAssets,
        "rate" => Measure::Rate,
        "cost" => Measure::Cost,
        "p50" => Measure::P50,
        "p95" => Measure::P95,
        "p99" => Measure::P99,
        "up" | "load" | "utilisation" | "backlog" | "machines" | "sessions" => {
            let service = of.ok_or_else(|| format!("`{word}` needs a service, as in \"{word}(web)\""))?;
            return of_service(word, service, layout);
        }
        "hit" | "misses" | "stampedes" => {
            let keeper = of.ok_or_else(|| format!("`{word}` needs a cache or a CDN, as in \"{word}(cache)\""))?;
            return of_keeper(word, keeper, layout);
        }
        "lag" | "behind" | "primaries" | "diverged" | "rows" | "moving" => {
            let database = of.ok_or_else(|| format!("`{word}` needs a database, as in \"{word}(db)\""))?;
            return of_database(word, database, layout);
        }
        "outbox" => {
            let web = of.ok_or_else(|| format!("`{word}` needs a web service, as in \"{word}(web)\""))?;
            return of_outbox(web, layout);
        }
        _ if QueueMeasure::WORDS.iter().any(|(known, _)| *known == word) => {
            let queue = of.ok_or_else(|| format!("`{word}` needs a queue, as in \"{word}(photos)\""))?;
            return of_queue(word, queue, layout);
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
        ("load", _) => Ok(Measure::Load(selector)),
        ("backlog", _) => Ok(Measure::Backlog(selector)),
        ("sessions", Some(Service::Web(_) | Service::SessionStore(_))) => Ok(Measure::Sessions(selector)),
        ("sessions", _) => is("a web service or a session store"),
        (_, Some(Service::Serverless(_))) => is("a service with machines"),
        ("machines", _) => Ok(Measure::Machines(selector)),
        _ => Ok(Measure::Utilisation(selector)),
    }
}

/// What keeps copies.
fn of_keeper(word: &str, text: &str, layout: &Layout) -> Result<Measure, String> {
    let selector = if let Some(users) = layout.users.get(text) {
        if !users.browser || users.asks.asset <= 0.0 {
            return Err(format!(
                "the browsers of {text} keep nothing: `{word}` would measure nothing"
            ));
        }
        text.to_owned()
    } else {
        let Named { selector, service } = named(text, layout)?;
        let keeps = match service {
            Some(Service::Cache(_)) => true,
            // A web tier keeps near copies if its cache says so.
            Some(service) => service
                .pages()
                .and_then(|pages| pages.cache.as_deref())
                .is_some_and(|cache| {
                    let mut sites = layout.data_centers.values();
                    sites.any(
                        |site| matches!(site.services.get(cache), Some(Service::Cache(cache)) if cache.near.is_some()),
                    )
                }),
            None => cdn_names(layout).any(|name| name == selector),
        };
        if !keeps {
            return Err(format!("`{word}` needs a cache or a CDN, and `{selector}` is none"));
        }
        selector
    };
    Ok(match word {
        "hit" => Measure::Hit(selector),
        "misses" => Measure::Misses(selector),
        _ => Measure::Stampedes(selector),
    })
}

/// CDNs and their shields.
fn cdn_names(layout: &Layout) -> impl Iterator<Item = String> {
    layout.cdns.iter().flat_map(|(name, cdn)| {
        let shield = cdn.shield.then(|| shield_of(name));
        std::iter::once(name.clone()).chain(shield)
    })
}

fn of_queue(word: &str, text: &str, layout: &Layout) -> Result<Measure, String> {
    let Named { selector, service } = named(text, layout)?;
    match (service, QueueMeasure::WORDS.iter().find(|(known, _)| *known == word)) {
        (Some(Service::Queue(_)), Some((_, measure))) => Ok(Measure::Queue(*measure, selector)),
        _ => Err(format!("`{word}` needs a queue, and `{selector}` is none")),
    }
}

fn of_outbox(text: &str, layout: &Layout) -> Result<Measure, String> {
    let Named { selector, service } = named(text, layout)?;
    match service {
        Some(Service::Web(web)) if web.pages.publish.is_some() => Ok(Measure::Outbox(selector)),
        _ => Err(format!(
            "`outbox` needs a web service that publishes, and `{selector}` is none"
        )),
    }
}

fn of_database(word: &str, text: &str, layout: &Layout) -> Result<Measure, String> {
    let Named { selector, service } = named(text, layout)?;
    let Some(Service::Database(_)) = service else {
        return Err(format!("`{word}` needs a database, and `{selector}` is none"));
    };
    // Its nodes are one database wherever they stand.
    let whole = match selector.split_once('/') {
        Some((site, name)) if layout.nodes_of(site, name).len() > 1 => name.to_owned(),
        _ => selector,
    };
    Ok(match word {
        "lag" => Measure::Lag(whole),
        "behind" => Measure::Behind(whole),
        "primaries" => Measure::Primaries(whole),
        "diverged" => Measure::Diverged(whole),
        "rows" => Measure::Rows(whole),
        _ => Measure::Moving(whole),
    })
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
    /// `None` for what the layout does not name: DNS, resolvers, autoscalers, monitors.
    service: Option<&'a Service>,
}

fn named<'a>(text: &str, layout: &'a Layout) -> Result<Named<'a>, String> {
    let outside = |name: &str| {
        name == "dns"
            || layout.users.keys().any(|users| layout.resolver_of(users) == name)
            || cdn_names(layout).any(|known| known == name)
    };
    if outside(text) {
        return Ok(Named {
            selector: text.to_owned(),
            service: None,
        });
    }
    let bare = text.rsplit_once('/').map_or(text, |(_, bare)| bare);
    let of_this_name = |site: &'a str| {
        let data_center = &layout.data_centers[site];
        let service = data_center.services.get(bare);
        let is_unnamed = || {
            data_center.autoscalers().any(|(web, _)| autoscaler_of(web) == bare)
                || layout.monitors(site).any(|(database, _)| monitor_of(database) == bare)
        };
        (service.is_some() || is_unnamed()).then_some(service)
    };
    let sites: Vec<(&str, Option<&Service>)> = layout
        .data_centers
        .keys()
        .filter_map(|site| Some((site.as_str(), of_this_name(site)?)))
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
    // One database has nodes in all of them, or they are its monitors.
    let is_one = |name: &str| {
        let nodes = layout.databases.get(name);
        nodes.is_some_and(|nodes| sites.iter().all(|(site, _)| nodes.contains_key(*site)))
    };
    let one = is_one(bare) || bare.strip_suffix("-monitor").is_some_and(is_one);
    if sites.len() > 1 && bare == text && !one {
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
        Measure::Ok | Measure::OkOf(_) | Measure::Utilisation(_) | Measure::Moving(_) | Measure::Hit(_) => {
            parse_share(text)
                .filter(|share| *share <= 1.0)
                .ok_or_else(|| format!("expected a share from 0% to 100%, as in \"99.9%\", found `{shown}`"))
        }
        Measure::P50 | Measure::P95 | Measure::P99 | Measure::Lag(_) | Measure::Queue(QueueMeasure::Oldest, _) => {
            duration::parse(text).map(|bound| bound.as_secs_f64())
        }
        Measure::Rate | Measure::Load(_) => parse_count(text.strip_suffix("/s").unwrap_or(text).trim_end())
            .ok_or_else(|| format!("expected requests a second, as in \"500\" or \"500/s\", found `{shown}`")),
        Measure::Cost => {
            let number = text.strip_prefix('$').unwrap_or(text).trim_start();
            parse_count(number.strip_suffix("/h").unwrap_or(number).trim_end())
                .ok_or_else(|| format!("expected US dollars an hour, as in \"2.50\" or \"$2.50/h\", found `{shown}`"))
        }
        Measure::Failed
        | Measure::Retried
        | Measure::Lost
        | Measure::Missing
        | Measure::AtRisk
        | Measure::Unknown
        | Measure::Stale
        | Measure::Unseen
        | Measure::Backwards
        | Measure::Conflicts
        | Measure::DroppedLater
        | Measure::Replayed
        | Measure::GivenUp
        | Measure::SignedOut
        | Measure::StaleAssets
        | Measure::Misses(_)
        | Measure::Stampedes(_)
        | Measure::Queue(..)
        | Measure::Outbox(_)
        | Measure::Up(_)
        | Measure::Backlog(_)
        | Measure::Machines(_)
        | Measure::Sessions(_)
        | Measure::Behind(_)
        | Measure::Primaries(_)
        | Measure::Diverged(_)
        | Measure::Rows(_) => {
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
