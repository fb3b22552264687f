//! Isolate: nothing gets in or out.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "isolate",
    title: "isolation",
    hits: &[Hit::Process, Hit::Site],
    effect: "everything between the target and the rest of the world is lost, both ways; what is inside still talks",
    usage: "isolate TARGET",
    example: "isolate us-east",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "mend",
    act: Act::Verb,
};
