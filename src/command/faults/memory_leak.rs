//! Memory leak: slower and slower until it is killed.

use super::super::model::Command;
use super::{Act, Deed, Fault, Hit, Lasts, Param, Plan, Quantity, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "memory-leak",
    title: "memory leak",
    hits: &[Hit::Process],
    effect: "all work takes 1.5, 2, 4 and 8 times as long, by quarters of the time (collecting garbage, swapping); then the process is killed for its memory, and started again",
    usage: "memory-leak TARGET TIME",
    example: "memory-leak web/1 1m",
    params: &[Param {
        name: "TIME",
        quantity: Quantity::Time,
        default: "60s",
        bounds: ("1s", "24h"),
        about: "until it is killed",
    }],
    lasts: Lasts::ItsSteps,
    undone: "ends by itself; mend stops it",
    act: Act::Steps(steps),
};

/// How many times as long work takes, before the leak and in each quarter of its time.
const FACTORS: [f64; 5] = [1.0, 1.5, 2.0, 4.0, 8.0];

fn steps(plan: &Plan) -> Vec<Timed> {
    let end = plan.time(0);
    let quarters = FACTORS.windows(2).zip(0_u32..);
    let mut steps: Vec<Timed> = quarters
        .map(|(factors, quarter)| Timed {
            after: end * quarter / 4,
            deed: Deed::Slower {
                target: plan.target(),
                from: factors[0],
                to: factors[1],
            },
        })
        .collect();
    steps.push(Timed::act(end, Command::Kill(plan.target())));
    steps.push(Timed::undo(end));
    steps
}
