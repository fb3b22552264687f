//! Cut: a link drops everything.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "cut",
    title: "cut",
    hits: &[Hit::Link],
    effect: "everything on the links is lost: silence, not an error",
    usage: "cut FROM -> TO | cut FROM <-> TO",
    example: "cut web -> db",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "join, or mend of an end",
    act: Act::Verb,
};
