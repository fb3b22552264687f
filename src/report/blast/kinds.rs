//! What becomes of each kind of request: where only some of them fail, that is said.

use serde::Serialize;

use crate::analyze::blast::{Ask, Outcome};
use crate::report::words::percent;

/// Of what fewer were asked for, chance says too much.
const FEW: u64 = 20;
/// Where no kind fails in this share, there is nothing to say.
const MANY: f64 = 0.05;
/// A kind that fails in this part of the share of the worst one fails, too; one that fails in this smaller part does not.
const ALSO: f64 = 0.25;
const SPARED: f64 = 0.1;

/// What became of one kind of request since the failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskReport {
    /// What was asked for: `pages`, `static files`, `creates`, `updates`, `deletes`, `searches`, `uploads`.
    pub ask: &'static str,
    /// Requests answered well.
    pub ok: u64,
    /// Requests that failed.
    pub failed: u64,
}

impl AskReport {
    fn share(&self) -> f64 {
        self.failed as f64 / (self.ok + self.failed).max(1) as f64
    }
}

/// The kinds that anybody asked for.
pub(super) fn asked(outcome: &Outcome) -> Vec<AskReport> {
    let all = Ask::ALL.iter().zip(&outcome.by_ask);
    let all = all.map(|(ask, [ok, failed])| AskReport {
        ask: ask.plural(),
        ok: *ok,
        failed: *failed,
    });
    all.filter(|kind| kind.ok + kind.failed > 0).collect()
}

/// Which kinds fail, where others do not: `Only creates (98.2%) and updates (97.9%) fail.`
pub(super) fn failing(outcome: &Outcome) -> Option<String> {
    let mut kinds = asked(outcome);
    kinds.retain(|kind| kind.ok + kind.failed >= FEW);
    let most = kinds.iter().map(AskReport::share).fold(0.0, f64::max);
    let (fails, spared): (Vec<&AskReport>, Vec<&AskReport>) =
        kinds.iter().partition(|kind| kind.share() >= ALSO * most);
    let is_clear = spared.iter().all(|kind| kind.share() <= SPARED * most);
    if most < MANY || spared.is_empty() || !is_clear {
        return None;
    }
    let names = |kinds: &[&AskReport], with_share: bool| {
        let name = |kind: &&AskReport| match with_share {
            true => format!("{} ({})", kind.ask, percent(kind.share())),
            false => kind.ask.to_owned(),
        };
        let names: Vec<String> = kinds.iter().map(name).collect();
        match names.as_slice() {
            [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
            _ => names.concat(),
        }
    };
    Some(if spared.len() < fails.len() {
        format!("All but {} fail: up to {}.", names(&spared, false), percent(most))
    } else {
        format!("Only {} fail.", names(&fails, true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages, static files, creates, updates, deletes, searches, uploads: answered well, and failed.
    fn said(by_ask: [[u64; 2]; 7]) -> Option<String> {
        failing(&Outcome {
            by_ask: by_ask.to_vec(),
            ..Outcome::default()
        })
    }

    const NONE: [u64; 2] = [0, 0];

    #[test]
    fn where_only_some_kinds_fail_they_are_named() {
        let only = said([[9_000, 2], NONE, NONE, NONE, NONE, NONE, [2, 98]]);
        assert_eq!(only.as_deref(), Some("Only uploads (98.0%) fail."));
        let writes = said([[9_000, 0], [500, 0], [3, 97], [50, 50], [2, 3], NONE, [40, 0]]);
        assert_eq!(
            writes.as_deref(),
            Some("Only creates (97.0%) and updates (50.0%) fail.")
        );
        let most = said([[0, 900], [500, 0], [0, 97], [0, 50], NONE, NONE, NONE]);
        assert_eq!(most.as_deref(), Some("All but static files fail: up to 100%."));
    }

    #[test]
    fn where_all_fail_or_hardly_any_there_is_nothing_to_say() {
        assert_eq!(said([[900, 40], NONE, [95, 5], NONE, NONE, NONE, NONE]), None);
        assert_eq!(said([[900, 0], NONE, [97, 3], NONE, NONE, NONE, NONE]), None, "chance");
        assert_eq!(said([[900, 0], NONE, [0, 9], NONE, NONE, NONE, NONE]), None, "too few");
        assert_eq!(
            said([[800, 200], NONE, [0, 100], NONE, NONE, NONE, NONE]),
            None,
            "in between"
        );
        assert_eq!(said([NONE; 7]), None);
    }
}
