//! Hot key: everybody wants the same row.

use std::time::Duration;

use super::super::Setting;
use super::super::model::Command;
use super::{Act, Fault, Hit, Lasts, Param, Plan, Quantity, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "hot-key",
    title: "hot key",
    hits: &[Hit::Users],
    effect: "that share of the requests about rows is about the first one, whatever keys the layout has",
    usage: "hot-key USERS SHARE",
    example: "hot-key people 50%",
    params: &[Param {
        name: "SHARE",
        quantity: Quantity::Share,
        default: "50%",
        bounds: ("0%", "100%"),
        about: "which share of the requests",
    }],
    lasts: Lasts::Usually(Duration::from_secs(60)),
    undone: "it ends by itself, mend USERS, or set USERS hot 0%",
    act: Act::Steps(steps),
};

fn steps(plan: &Plan) -> Vec<Timed> {
    let hot = Setting::Hot(plan.values[0]);
    vec![Timed::act(Duration::ZERO, Command::Set(plan.target(), hot))]
}
