//! Pool leak: connections that are never given back, one after another.

use std::time::Duration;

use super::super::model::Command;
use super::{Act, Fault, Hit, Lasts, Param, Plan, Quantity, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "pool-leak",
    title: "connection-pool leak",
    hits: &[Hit::Slots],
    effect: "every 5 s a tenth of that share of the slots is lost, until all of it is",
    usage: "pool-leak TARGET SHARE",
    example: "pool-leak web/1 90%",
    params: &[Param {
        name: "SHARE",
        quantity: Quantity::Share,
        default: "90%",
        bounds: ("0%", "100%"),
        about: "which share is lost in the end",
    }],
    lasts: Lasts::UntilMended,
    undone: "a restart gives them back until the next step; mend",
    act: Act::Steps(steps),
};

const STEPS: u32 = 10;
const EVERY: Duration = Duration::from_secs(5);

fn steps(plan: &Plan) -> Vec<Timed> {
    let lost = |step: u32| plan.values[0] * f64::from(step + 1) / f64::from(STEPS);
    (0..STEPS)
        .map(|step| Timed::act(EVERY * step, Command::Leak(plan.target(), lost(step))))
        .collect()
}
