//! What breaks first, and which tier gives first, in words.

use crate::analyze::capacity::{Broken, Found, Reading, Why};
use crate::report::build::unit;
use crate::report::words::{count, measured, value};

/// What is broken: `p99 < 200ms is broken: measured 312ms`.
pub(super) fn broken(found: &Found, reading: &Reading) -> Option<String> {
    Some(match reading.broken.as_ref()? {
        Broken::Demand { index, value, .. } => {
            let demand = &found.demands[*index];
            let value = measured(*value, demand.bound, unit(&demand.measure));
            format!("{} is broken: measured {value}", demand.text)
        }
        Broken::Queue { queue, per_second } => format!("{queue} grows by {per_second:.1} messages a second"),
        Broken::Outbox {
            service,
            queue,
            per_second,
        } if *per_second < 0.05 => format!("{queue} takes nothing of what {service} sends, which stays in its outbox"),
        Broken::Outbox {
            service,
            queue,
            per_second,
        } => format!(
            "{queue} does not take what {service} sends, whose outbox grows by {per_second:.1} messages a second"
        ),
    })
}

/// Which tier gives first at this factor, why, and what breaks by it.
pub(super) fn why(found: &Found, reading: &Reading, factor: f64) -> Option<String> {
    let broken = broken(found, reading)?;
    let at = times(factor);
    let Some(first) = &reading.first else {
        return Some(format!("at {at} {broken}"));
    };
    let tier = &first.tier;
    let seen = reading.tiers.iter().find(|seen| seen.name == *tier)?;
    let whose = if seen.machines > 1 && seen.busiest > seen.utilisation * 1.1 {
        format!("the cores of {} are", seen.busiest_machine)
    } else {
        "its cores are".to_owned()
    };
    let reason = match &first.why {
        Why::Queue(queue, _) if queue != tier => format!("{whose} {} busy", percent(seen.busiest)),
        Why::Demand(_) | Why::Queue(..) => return Some(format!("{tier} gives first, at {at}: {broken}")),
        Why::Cores(share) => format!("{whose} {} busy", percent(*share)),
        Why::Slots(share) => format!(
            "{} of its slots are taken, while {whose} only {} busy",
            percent(*share),
            percent(seen.busiest)
        ),
        Why::Refused(requests) => format!(
            "it refused {} requests for want of slots, while {whose} only {} busy",
            count(*requests),
            percent(seen.busiest)
        ),
        Why::Busiest(share) => {
            let share = percent(*share);
            return Some(format!(
                "at {at} {broken}, though no tier is full: {tier} is the busiest, at {share} of its cores"
            ));
        }
    };
    Some(format!("{tier} gives first, at {at}: {reason}; {broken}"))
}

/// A share of cores or slots: `97.3%`.
fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// A factor: `2.45x`; large ones without digits behind the point.
pub(super) fn times(factor: f64) -> String {
    match factor {
        factor if factor > 1_000.0 => ">1000x".to_owned(),
        factor if factor >= 100.0 => format!("{factor:.0}x"),
        factor if factor >= 10.0 => format!("{factor:.1}x"),
        factor if factor >= 1.0 => format!("{}x", value((factor * 1e2).round() / 1e2)),
        factor => format!("{}x", value((factor * 1e3).round() / 1e3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_one_digit() {
        assert_eq!([0.999_999_9, 0.973, 0.0].map(percent), ["100.0%", "97.3%", "0.0%"]);
    }
}
