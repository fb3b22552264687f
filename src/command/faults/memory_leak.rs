//! Memory leak: slower and slower until it is killed.

use super::super::model::Command;
use super::{Act, Fault, Hit, Lasts, Param, Plan, Quantity, Timed};

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

const FACTORS: [f64; 4] = [1.5, 2.0, 4.0, 8.0];

fn steps(plan: &Plan) -> Vec<Timed> {
    let end = plan.time(0);
    let quarters = FACTORS.iter().zip(0_u32..);
    let mut steps: Vec<Timed> = quarters
        .map(|(factor, quarter)| Timed::act(end * quarter / 4, Command::Slow(plan.target(), *factor)))
        .collect();
    steps.push(Timed::act(end, Command::Kill(plan.target())));
    steps.push(Timed::undo(end));
    steps
}
