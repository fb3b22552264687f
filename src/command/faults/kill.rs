//! Crash: a process dies.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "kill",
    title: "crash",
    hits: &[Hit::Process],
    effect: "processes die: memory is gone, disks stay; callers hear Reset, new ones Refused",
    usage: "kill TARGET",
    example: "kill web/1",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "mend starts them again; they boot first",
    act: Act::Verb,
};
