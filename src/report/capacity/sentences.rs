//! What breaks first, and which tier gives first, in words.

use crate::analyze::capacity::{Broken, Found, Reading, Why};
use crate::report::build::unit;
use crate::report::words::{measured, percent};

/// What is broken: `p99 < 200ms is broken: 312ms`.
pub(super) fn broken(found: &Found, reading: &Reading) -> Option<String> {
    Some(match reading.broken.as_ref()? {
        Broken::Demand { index, value, .. } => {
            let demand = &found.demands[*index];
            let value = measured(*value, demand.bound, unit(&demand.measure));
            format!("{} is broken: measured {value}", demand.text)
        }
        Broken::Queue { queue, per_second } => format!("{queue} grows by {per_second:.1} messages a second"),
    })
}

/// Why a tier gives first, with its name.
pub(super) fn why(found: &Found, reading: &Reading) -> Option<String> {
    let first = reading.first.as_ref()?;
    let tier = &first.tier;
    let seen = reading.tiers.iter().find(|seen| seen.name == *tier)?;
    let whose = if seen.machines > 1 && seen.busiest > seen.utilisation * 1.1 {
        format!("the cores of {} are", seen.busiest_machine)
    } else {
        "its cores are".to_owned()
    };
    Some(match &first.why {
        Why::Demand(index) => format!("{tier} gives first: {} is demanded of it", found.demands[*index].text),
        Why::Cores(share) => format!("{tier} gives first: {whose} {} busy", percent(*share)),
        Why::Slots(share) => format!(
            "{tier} gives first: {} of its slots are taken, while {whose} only {} busy",
            percent(*share),
            percent(seen.busiest)
        ),
        Why::Queue(queue, _) if queue == tier => format!("{tier} gives first: it grows"),
        Why::Queue(queue, _) => format!(
            "{tier} gives first: {queue} grows, and {whose} {} busy",
            percent(seen.busiest)
        ),
        Why::Busiest(share) => format!(
            "no tier is full: the busiest is {tier}, at {} of its cores",
            percent(*share)
        ),
    })
}
