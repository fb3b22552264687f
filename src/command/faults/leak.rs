//! Leak: slots that never come back.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "leak",
    title: "leak",
    hits: &[Hit::Slots],
    effect: "that share of the slots is never given back, so that fewer requests are served at once",
    usage: "leak TARGET SHARE",
    example: "leak web/1 50%",
    params: &[Param {
        name: "SHARE",
        quantity: Quantity::Share,
        default: "50%",
        bounds: ("0%", "100%"),
        about: "which share of the slots",
    }],
    lasts: Lasts::UntilMended,
    undone: "a restart, mend, or leak TARGET 0%",
    act: Act::Verb,
};
