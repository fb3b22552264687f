//! Thundering herd: everybody comes at once, and no cache helps.

use std::time::Duration;

use super::super::model::Command;
use super::{Act, Fault, Lasts, Param, Plan, Quantity, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "thundering-herd",
    title: "thundering herd",
    hits: &[],
    effect: "the time of all that is kept anywhere (browsers, devices, resolvers, CDNs, caches) is over at once, while the traffic is multiplied",
    usage: "thundering-herd FACTOR",
    example: "thundering-herd 3",
    params: &[Param {
        name: "FACTOR",
        quantity: Quantity::Factor,
        default: "3",
        bounds: ("0", "1000"),
        about: "how many times as much traffic",
    }],
    lasts: Lasts::Usually(Duration::from_secs(30)),
    undone: "the traffic ends with it, caches fill again by use; mend all",
    act: Act::Steps(steps),
};

fn steps(plan: &Plan) -> Vec<Timed> {
    let all = [Command::Expire(None), Command::Surge(None, plan.values[0])];
    all.map(|command| Timed::act(Duration::ZERO, command)).into()
}
