//! Poison: a message that kills.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "poison",
    title: "poison message",
    hits: &[Hit::Queue],
    effect: "a message is published that kills whoever works on it, each time",
    usage: "poison QUEUE",
    example: "poison photos",
    params: &[],
    lasts: Lasts::Moment,
    undone: "not at all: it ends as a dead letter, or flush",
    act: Act::Verb,
};
