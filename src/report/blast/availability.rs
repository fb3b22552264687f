//! How often users are served, if machines fail on their own.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analyze::blast::{Extent, Row};

/// A second failure makes it worse if this much more of the requests fail, in thousandths.
const WORSE: i64 = 10;

/// An estimate of how often users are served.
///
/// What alone fails users stands in series: its availabilities are multiplied. What fails them only with another one stands in parallel: both must be down. A
/// failure counts with the share of the requests that fail by it. It is the product over the minimal cuts (Esary and Proschan, 1963, "Coherent structures of
/// non-identical components"), of which only those of one machine and, where they were tried, of two are known: users are served at most so often, as
/// three that fail at once and the time until somebody acts come on top.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AvailabilityReport {
    /// Share of the time that each machine is up, from 0 to 1, whatever the others do.
    pub of_each_machine: f64,
    /// Share of the requests that are served.
    pub of_users: f64,
    /// Whether pairs of machines were tried, and count.
    pub with_pairs: bool,
}

/// Makes the estimate from crashes of single machines, and of pairs where they were tried.
pub(super) fn estimate(rows: &[Row], of_each_machine: f64, with_pairs: bool) -> AvailabilityReport {
    let down = 1.0 - of_each_machine;
    let crashes = |extent: Extent| {
        rows.iter()
            .filter(move |row| row.failure.extent == extent && row.failure.what == "crashed")
    };
    let failing = |row: &Row| row.worst().failing_permille;
    let count = |row: &Row| row.failure.stands_for as f64;
    let singles: BTreeMap<String, i64> = crashes(Extent::Machine)
        .map(|row| (row.failure.id(), failing(row)))
        .collect();
    let mut of_users = 1.0;
    for row in crashes(Extent::Machine).filter(|row| failing(row) >= WORSE) {
        of_users *= libm::pow(1.0 - down * share(failing(row)), count(row));
    }
    for row in crashes(Extent::Pair) {
        // Of two that are alike only the first was tried alone.
        let halves = row
            .failure
            .commands
            .iter()
            .filter_map(|command| singles.get(&command.to_string()));
        let alone = halves.copied().max().unwrap_or(0);
        if failing(row) - alone >= WORSE && alone < WORSE {
            of_users *= libm::pow(1.0 - down * down * share(failing(row)), count(row));
        }
    }
    AvailabilityReport {
        of_each_machine,
        of_users,
        with_pairs,
    }
}

fn share(permille: i64) -> f64 {
    (permille as f64 / 1e3).clamp(0.0, 1.0)
}
