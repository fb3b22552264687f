//! Hang: a process stands still.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "hang",
    title: "hang",
    hits: &[Hit::Process],
    effect: "processes accept requests and never answer",
    usage: "hang TARGET",
    example: "hang web/2",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "mend kills and starts them",
    act: Act::Verb,
};
