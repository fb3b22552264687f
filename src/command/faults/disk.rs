//! Disk: full, or slow.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "disk",
    title: "disk trouble",
    hits: &[Hit::Disk],
    effect: "full: what must be written fails, and replication stops there, while reads go on; slow: each flush takes so many times as long",
    usage: "disk TARGET full | disk TARGET slow FACTOR | disk TARGET well",
    example: "disk db full",
    params: &[Param {
        name: "FACTOR",
        quantity: Quantity::Factor,
        default: "20",
        bounds: ("1", "100000"),
        about: "how many times as long a flush takes",
    }],
    lasts: Lasts::UntilMended,
    undone: "mend, or disk TARGET well",
    act: Act::Verb,
};
