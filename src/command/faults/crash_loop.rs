//! Crash loop: a process that dies soon after each start.

use std::time::Duration;

use super::super::model::Command;
use super::{Act, Fault, Hit, Lasts, Param, Plan, Quantity, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "crash-loop",
    title: "crash loop",
    hits: &[Hit::Process],
    effect: "processes die; they are started after 10 s, 20 s, 40 s and so on up to 5 min, and die again when they have run for so long (the back-off of Kubernetes)",
    usage: "crash-loop TARGET TIME",
    example: "crash-loop web/1 5s",
    params: &[Param {
        name: "TIME",
        quantity: Quantity::Time,
        default: "5s",
        bounds: ("0s", "1h"),
        about: "how long it runs each time",
    }],
    lasts: Lasts::Usually(Duration::from_secs(300)),
    undone: "mend: it starts and stays",
    act: Act::Steps(steps),
};

/// Kubernetes: "an exponential back-off delay (10s, 20s, 40s, ...), that is capped at 300 seconds" (Pod Lifecycle, restart policy).
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

fn steps(plan: &Plan) -> Vec<Timed> {
    let (lives, end) = (plan.time(0), plan.lasts.unwrap_or_default());
    let (mut at, mut pause) = (Duration::ZERO, FIRST_PAUSE);
    let mut steps = Vec::new();
    while at < end || steps.is_empty() {
        steps.push(Timed::act(at, Command::Kill(plan.target())));
        at += pause;
        if at < end {
            steps.push(Timed::undo(at));
        }
        at += plan.boot + lives;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    steps
}
