//! Mislead: DNS gives a wrong answer.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "mislead",
    title: "DNS wrong answer",
    hits: &[Hit::Dns],
    effect: "all names lead to an address where nobody answers; resolvers keep that for the TTL, also when it is long right again",
    usage: "mislead TARGET",
    example: "mislead dns",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "mend; wrong answers live on in caches until their TTL is over, or a flush",
    act: Act::Verb,
};
