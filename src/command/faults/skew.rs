//! Skew: a wall clock is wrong.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "skew",
    title: "clock skew",
    hits: &[Hit::Clock],
    effect: "wall clocks are off by so much: where the last write wins, a clock that is ahead wins",
    usage: "skew NODE TIME",
    example: "skew db/2 5s",
    params: &[Param {
        name: "TIME",
        quantity: Quantity::Time,
        default: "5s",
        bounds: ("-24h", "24h"),
        about: "forward, or back with a minus",
    }],
    lasts: Lasts::UntilMended,
    undone: "skew NODE 0s",
    act: Act::Verb,
};
