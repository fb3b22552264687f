//! Flush: what is kept is forgotten.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "flush",
    title: "flush",
    hits: &[Hit::Copies, Hit::Queue],
    effect: "caches, CDNs, browsers and resolvers forget all that they hold; queues are emptied",
    usage: "flush TARGET",
    example: "flush cache",
    params: &[],
    lasts: Lasts::Moment,
    undone: "not at all: caches fill again by use, messages are lost",
    act: Act::Verb,
};
