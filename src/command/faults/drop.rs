//! Drop: a link loses packets.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "drop",
    title: "packet loss",
    hits: &[Hit::Link],
    effect: "packets are lost with this chance; TCP sends them again after 200 ms, 400 ms, ...",
    usage: "drop FROM -> TO SHARE",
    example: "drop web -> db 5%",
    params: &[Param {
        name: "SHARE",
        quantity: Quantity::Share,
        default: "20%",
        bounds: ("0%", "100%"),
        about: "which share of the packets",
    }],
    lasts: Lasts::UntilMended,
    undone: "join, or mend of an end",
    act: Act::Verb,
};
