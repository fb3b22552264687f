//! Expired certificate: nobody trusts a balancer any more.

use std::time::Duration;

use super::super::model::{Command, Flaw};
use super::{Act, Fault, Hit, Lasts, Plan, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "expired-certificate",
    title: "expired certificate",
    hits: &[Hit::Balancer],
    effect: "all requests of users and CDNs to the balancer fail at once, and health checks of it too",
    usage: "expired-certificate BALANCER",
    example: "expired-certificate lb",
    params: &[],
    lasts: Lasts::UntilMended,
    undone: "mend: a new certificate",
    act: Act::Steps(steps),
};

fn steps(plan: &Plan) -> Vec<Timed> {
    let expired = Command::Fail(plan.target(), 1.0, Flaw::Certificate);
    vec![Timed::act(Duration::ZERO, expired)]
}
