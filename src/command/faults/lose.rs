//! Lose: a zone or a data center is gone at once.

use std::time::Duration;

use super::super::model::Command;
use super::{Act, Fault, Hit, Lasts, Plan, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "lose",
    title: "loss",
    hits: &[Hit::Site, Hit::Process],
    effect: "all in it dies at the same moment and nothing gets in or out: silence, not errors. Disks stay",
    usage: "lose TARGET",
    example: "lose us-east",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "mend: all of it boots",
    act: Act::Steps(steps),
};

fn steps(plan: &Plan) -> Vec<Timed> {
    let all = [Command::Isolate(plan.target()), Command::Kill(plan.target())];
    all.map(|command| Timed::act(Duration::ZERO, command)).into()
}
