//! Destroy: a machine is gone with its disk.

use super::{Act, Fault, Hit, Lasts};

pub(super) const FAULT: Fault = Fault {
    name: "destroy",
    title: "destruction",
    hits: &[Hit::Process],
    effect: "machines are gone with their disks; callers hear nothing and time out",
    usage: "destroy TARGET",
    example: "destroy db",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "mend puts empty machines in their place: what was on the disks is lost",
    act: Act::Verb,
};
