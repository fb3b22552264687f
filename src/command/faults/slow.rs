//! Slow: all work takes longer.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "slow",
    title: "slowness",
    hits: &[Hit::Process],
    effect: "all core time on the machines takes so many times as long",
    usage: "slow TARGET FACTOR",
    example: "slow db 10",
    params: &[Param {
        name: "FACTOR",
        quantity: Quantity::Factor,
        default: "10",
        bounds: ("1", "1000"),
        about: "how many times as long",
    }],
    lasts: Lasts::UntilMended,
    undone: "mend, or slow TARGET 1",
    act: Act::Verb,
};
