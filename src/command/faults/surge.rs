//! Surge: more traffic.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "surge",
    title: "surge",
    hits: &[Hit::Users],
    effect: "the traffic that the layout names is multiplied",
    usage: "surge TARGET FACTOR | surge FACTOR",
    example: "surge 5",
    params: &[Param {
        name: "FACTOR",
        quantity: Quantity::Factor,
        default: "5",
        bounds: ("0", "1000"),
        about: "how many times as much",
    }],
    lasts: Lasts::UntilMended,
    undone: "surge 1, or mend all",
    act: Act::Verb,
};
