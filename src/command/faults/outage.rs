//! Outage: a third party is gone.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "outage",
    title: "outage",
    hits: &[Hit::ThirdParty],
    effect: "everything to and from what others run is lost, for as long as they need",
    usage: "outage TARGET",
    example: "outage dns",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "mend",
    act: Act::Verb,
};
