//! Why a failure is what it is, in words.

use std::collections::{BTreeSet, VecDeque};

use super::kinds;
use crate::analyze::blast::{Class, Extent, Failure, Row, Toll};
use crate::observe::{Kind, LinkKind, Topology};
use crate::report::words::plural;

/// So many messages more than usual are a pile.
const PILE: u64 = 20;

/// The shortest way of a request from people to the first service that a failure hits: their selectors. Empty when no request goes there, and for data
/// centers and links.
pub(super) fn to(topology: &Topology, failure: &Failure) -> Vec<String> {
    let goal = match (failure.extent, failure.services.first()) {
        (Extent::Machine | Extent::Service | Extent::Outside, Some(goal)) => *goal,
        _ => return Vec::new(),
    };
    let mut queue: VecDeque<Vec<usize>> = (0..topology.services.len())
        .filter(|index| topology.services[*index].kind == Kind::Users)
        .map(|index| vec![index])
        .collect();
    let mut seen: BTreeSet<usize> = queue.iter().map(|path| path[0]).collect();
    while let Some(path) = queue.pop_front() {
        let last = path[path.len() - 1];
        if last == goal {
            let name = |index: &usize| topology.services[*index].selector.clone();
            return path.iter().map(name).collect();
        }
        let goes = |kind: LinkKind| !matches!(kind, LinkKind::Control | LinkKind::Replication);
        for link in topology
            .links
            .iter()
            .filter(|link| link.from == last && goes(link.kind))
        {
            if seen.insert(link.to) {
                let further = path.iter().copied().chain([link.to]);
                queue.push_back(further.collect());
            }
        }
    }
    Vec::new()
}

/// Why it is borne as it is: what the world says at the end, and who has no room for more.
pub(super) fn why(topology: &Topology, row: &Row) -> String {
    let outcome = &row.worst().outcome;
    let mut words = Vec::new();
    let alone = row.class == Class::SinglePoint && row.failure.extent == Extent::Machine && !row.failure.redundant;
    let path = to(topology, &row.failure);
    if alone && path.len() > 1 {
        words.push(format!(
            "{} is the only one on the way {}.",
            row.failure.target,
            path.join(" -> ")
        ));
    }
    if !outcome.sentence.is_empty() {
        words.push(outcome.sentence.clone());
    }
    if row.class != Class::Redundant {
        words.extend(kinds::failing(outcome));
    }
    if row.class == Class::Hidden {
        words.extend(piled_up(row.worst()));
    }
    let full = outcome.busiest_permille >= 950;
    if full && row.class == Class::Hidden {
        words.push(format!(
            "{} is at its limit: {}% of its cores.",
            outcome.busiest,
            outcome.busiest_permille / 10
        ));
    }
    words.join(" ")
}

/// What waits at the end that would not undisturbed. A handful is chance.
fn piled_up(toll: &Toll) -> Option<String> {
    let most = |messages: i64| u64::try_from(messages).ok().filter(|messages| *messages >= PILE);
    let places = [
        (toll.waiting, "in queues"),
        (toll.outbox, "in the memory of those who sent them"),
    ];
    let piles = places
        .into_iter()
        .filter_map(|(messages, place)| Some(format!("{} {place}", plural(most(messages)?, "more message"))));
    let piles: Vec<String> = piles.collect();
    (!piles.is_empty()).then(|| format!("At the end there are {} than usual.", piles.join(" and ")))
}
