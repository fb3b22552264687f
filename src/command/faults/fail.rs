//! Fail: a gray failure. Software answers some requests with an error, and its health checks with none.

use super::{Act, Fault, Hit, Lasts, Param, Quantity};

pub(super) const FAULT: Fault = Fault {
    name: "fail",
    title: "failing",
    hits: &[Hit::Server],
    effect: "that share of the requests is answered at once with an error; health checks pass, unless `checks` is added; a restart does not cure it",
    usage: "fail TARGET SHARE | fail TARGET SHARE checks | fail TARGET SHARE certificate",
    example: "fail web/1 20%",
    params: &[Param {
        name: "SHARE",
        quantity: Quantity::Share,
        default: "20%",
        bounds: ("0%", "100%"),
        about: "which share of the requests",
    }],
    lasts: Lasts::UntilMended,
    undone: "mend, or fail TARGET 0%",
    act: Act::Verb,
};
