//! Delay: a link is slow.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "delay",
    title: "delay",
    hits: &[Hit::Link],
    effect: "everything on the links arrives later",
    usage: "delay FROM -> TO TIME",
    example: "delay web -> db 100ms",
    params: &[Param {
        name: "TIME",
        quantity: Quantity::Time,
        default: "200ms",
        bounds: ("0s", "60s"),
        about: "one way",
    }],
    lasts: Lasts::UntilMended,
    undone: "join, or mend of an end",
    act: Act::Verb,
};
