//! Bandwidth: a link is narrow.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "bandwidth",
    title: "narrow link",
    hits: &[Hit::Link],
    effect: "the messages of each sender pass one after another at this rate; what would wait longer than 10 s is lost",
    usage: "bandwidth FROM -> TO RATE",
    example: "bandwidth web -> db 100kB",
    params: &[Param {
        name: "RATE",
        quantity: Quantity::Rate,
        default: "100kB",
        bounds: ("1B", "1000GB"),
        about: "bytes a second for each sender",
    }],
    lasts: Lasts::UntilMended,
    undone: "join, or mend of an end",
    act: Act::Verb,
};
