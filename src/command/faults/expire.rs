//! Expire: the time of all copies is over.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "expire",
    title: "expiry",
    hits: &[Hit::Copies],
    effect: "the time of all that is held is over from now on; a CDN may still show it where nothing better is to be had (stale-if-error)",
    usage: "expire TARGET | expire all",
    example: "expire cache",
    params: &[],
    lasts: Lasts::Moment,
    undone: "not at all: caches fill again by use",
    act: Act::Verb,
};
