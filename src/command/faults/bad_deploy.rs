//! Bad deploy: a version that fails some requests, rolled out by percent and rolled back.

use std::time::Duration;

use super::super::model::{Command, Flaw};
use super::{Act, Fault, Hit, Lasts, Param, Plan, Quantity, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "bad-deploy",
    title: "bad deploy",
    hits: &[Hit::Web],
    effect: "a version that answers that share of its requests with an error (its health checks pass) reaches 10%, 25%, 50% and all of the instances, every 20 s",
    usage: "bad-deploy TARGET SHARE",
    example: "bad-deploy web 20%",
    params: &[Param {
        name: "SHARE",
        quantity: Quantity::Share,
        default: "20%",
        bounds: ("0%", "100%"),
        about: "which share of the requests fails",
    }],
    lasts: Lasts::Usually(Duration::from_secs(120)),
    undone: "it is rolled back at its end, or by mend",
    act: Act::Steps(steps),
};

/// How many of the instances have it after each stage: a canary first, as progressive delivery does it (Argo Rollouts, Flagger).
const STAGES: [f64; 4] = [0.1, 0.25, 0.5, 1.0];
const EVERY: Duration = Duration::from_secs(20);

fn steps(plan: &Plan) -> Vec<Timed> {
    let all = plan.instances.len();
    let mut steps = Vec::new();
    let mut done = 0;
    for (stage, number) in STAGES.iter().zip(0_u32..) {
        let upto = ((all as f64 * stage).ceil() as usize).min(all);
        for instance in &plan.instances[done..upto] {
            let bad = Command::Fail(instance.clone(), plan.values[0], Flaw::Requests);
            steps.push(Timed::act(EVERY * number, bad));
        }
        done = upto;
    }
    steps
}
