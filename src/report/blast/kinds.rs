//! What becomes of each kind of request: where only some people or some kinds fail, that is said.

use serde::Serialize;

use crate::analyze::blast::{Ask, Outcome};
use crate::report::words::percent;

/// Of what fewer were asked for, chance says too much.
const FEW: u64 = 20;
/// Where nothing fails in this share, there is nothing to say.
const MANY: f64 = 0.05;
/// What fails in this part of the share of the worst one fails, too; what fails in this smaller part does not.
const ALSO: f64 = 0.25;
const SPARED: f64 = 0.1;

/// What became of one kind of request since the failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskReport {
    /// Who asked: the population.
    pub users: String,
    /// What was asked for: `pages`, `static files`, `creates`, `updates`, `deletes`, `searches`, `uploads`.
    pub ask: &'static str,
    /// Requests answered well.
    pub ok: u64,
    /// Requests that failed.
    pub failed: u64,
}

/// What anybody asked for.
pub(super) fn asked(outcome: &Outcome) -> Vec<AskReport> {
    let all = outcome.by_ask.iter().flat_map(|(users, by_ask)| {
        Ask::ALL.iter().zip(by_ask).map(move |(ask, [ok, failed])| AskReport {
            users: users.clone(),
            ask: ask.plural(),
            ok: *ok,
            failed: *failed,
        })
    });
    all.filter(|kind| kind.ok + kind.failed > 0).collect()
}

/// Requests of one name, added up.
#[derive(Clone, Debug)]
struct Sum<'a> {
    name: &'a str,
    ok: u64,
    failed: u64,
}

impl Sum<'_> {
    fn share(&self) -> f64 {
        self.failed as f64 / (self.ok + self.failed).max(1) as f64
    }
}

/// Adds up by name, in the order in which names come.
fn sums<'a>(asked: &'a [AskReport], name: impl Fn(&'a AskReport) -> &'a str) -> Vec<Sum<'a>> {
    let mut sums: Vec<Sum> = Vec::new();
    for one in asked {
        let name = name(one);
        let (ok, failed) = (one.ok, one.failed);
        match sums.iter_mut().find(|sum| sum.name == name) {
            Some(sum) => {
                sum.ok += ok;
                sum.failed += failed;
            }
            None => sums.push(Sum { name, ok, failed }),
        }
    }
    sums.retain(|sum| sum.ok + sum.failed >= FEW);
    sums
}

/// Those that fail and those that do not, if it is clear who does and some do not.
fn split<'a>(sums: &'a [Sum<'a>]) -> Option<(Vec<&'a Sum<'a>>, Vec<&'a Sum<'a>>)> {
    let most = sums.iter().map(Sum::share).fold(0.0, f64::max);
    let (fails, spared): (Vec<&Sum>, Vec<&Sum>) = sums.iter().partition(|sum| sum.share() >= ALSO * most);
    let is_clear = spared.iter().all(|sum| sum.share() <= SPARED * most);
    (most >= MANY && !spared.is_empty() && is_clear).then_some((fails, spared))
}

/// Whose requests fail, and which, where others do not: `Only creates (98.2%) and updates (97.9%) fail.`
pub(super) fn failing(outcome: &Outcome) -> Option<String> {
    let mut asked = asked(outcome);
    let people = sums(&asked, |one| &one.users);
    let hurt: Option<Vec<String>> = split(&people).map(|(fails, _)| shares(&fails));
    // Whoever fails altogether would make what they ask for look as if it failed.
    let of: Vec<String> = split(&people).map_or_else(Vec::new, |(fails, _)| {
        fails.iter().map(|sum| sum.name.to_owned()).collect()
    });
    if hurt.is_some() {
        asked.retain(|one| of.contains(&one.users));
    }
    let kinds = sums(&asked, |one| one.ask);
    let kinds = split(&kinds).map(|(fails, spared)| {
        if spared.len() < fails.len() {
            let most = fails.iter().map(|sum| sum.share()).fold(0.0, f64::max);
            let names: Vec<String> = spared.iter().map(|sum| sum.name.to_owned()).collect();
            format!("all but {} fail, up to {} of a kind", listed(&names), percent(most))
        } else {
            format!("only {} fail", listed(&shares(&fails)))
        }
    });
    match (hurt, kinds) {
        (None, None) => None,
        (None, Some(kinds)) => Some(format!("{}{}.", kinds[..1].to_uppercase(), &kinds[1..])),
        (Some(hurt), None) => Some(format!("Only requests of {} fail.", listed(&hurt))),
        (Some(_), Some(kinds)) => Some(format!("Of the requests of {} {kinds}; of others none.", listed(&of))),
    }
}

/// Names with their shares.
fn shares(sums: &[&Sum]) -> Vec<String> {
    let share = |sum: &&Sum| format!("{} ({})", sum.name, percent(sum.share()));
    sums.iter().map(share).collect()
}

/// `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u64; 2] = [0, 0];

    /// By population: pages, static files, creates, updates, deletes, searches, uploads: answered well, and failed.
    fn said(all: &[(&str, [[u64; 2]; 7])]) -> Option<String> {
        let by_ask = all.iter().map(|(users, by_ask)| ((*users).to_owned(), by_ask.to_vec()));
        failing(&Outcome {
            by_ask: by_ask.collect(),
            ..Outcome::default()
        })
    }

    fn of_people(by_ask: [[u64; 2]; 7]) -> Option<String> {
        said(&[("people", by_ask)])
    }

    #[test]
    fn where_only_some_kinds_fail_they_are_named() {
        let only = of_people([[9_000, 2], NONE, NONE, NONE, NONE, NONE, [2, 98]]);
        assert_eq!(only.as_deref(), Some("Only uploads (98.0%) fail."));
        let writes = of_people([[9_000, 0], [500, 0], [3, 97], [50, 50], [2, 3], NONE, [40, 0]]);
        assert_eq!(
            writes.as_deref(),
            Some("Only creates (97.0%) and updates (50.0%) fail.")
        );
        let most = of_people([[0, 900], [500, 0], [0, 97], [0, 50], NONE, NONE, NONE]);
        assert_eq!(
            most.as_deref(),
            Some("All but static files fail, up to 100.0% of a kind.")
        );
    }

    #[test]
    fn where_only_some_people_fail_it_is_not_what_they_ask_for() {
        let pages = |ok, failed, uploads| [[ok, failed], NONE, NONE, NONE, NONE, NONE, uploads];
        let artists = said(&[
            ("artists", pages(300, 300, [100, 100])),
            ("people", pages(9_000, 0, NONE)),
        ]);
        assert_eq!(artists.as_deref(), Some("Only requests of artists (50.0%) fail."));
        let uploads = said(&[("artists", pages(300, 0, [0, 100])), ("people", pages(9_000, 0, NONE))]);
        assert_eq!(
            uploads.as_deref(),
            Some("Of the requests of artists only uploads (100.0%) fail; of others none.")
        );
    }

    #[test]
    fn where_all_fail_or_hardly_any_there_is_nothing_to_say() {
        assert_eq!(of_people([[900, 40], NONE, [95, 5], NONE, NONE, NONE, NONE]), None);
        assert_eq!(
            of_people([[900, 0], NONE, [97, 3], NONE, NONE, NONE, NONE]),
            None,
            "chance"
        );
        assert_eq!(
            of_people([[900, 0], NONE, [0, 9], NONE, NONE, NONE, NONE]),
            None,
            "too few"
        );
        assert_eq!(
            of_people([[800, 200], NONE, [0, 100], NONE, NONE, NONE, NONE]),
            None,
            "in between"
        );
        assert_eq!(of_people([NONE; 7]), None);
    }
}
