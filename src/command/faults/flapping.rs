//! Flapping: a link that comes and goes.

use std::time::Duration;

use super::super::model::Command;
use super::{Act, Fault, Hit, Lasts, On, Param, Plan, Quantity, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "flapping",
    title: "flapping",
    hits: &[Hit::Link],
    effect: "the links are cut for so long, whole for so long, cut again, and so on",
    usage: "flapping FROM -> TO TIME | flapping FROM <-> TO TIME",
    example: "flapping web -> db 5s",
    params: &[Param {
        name: "TIME",
        quantity: Quantity::Time,
        default: "5s",
        bounds: ("100ms", "1h"),
        about: "how long each phase is",
    }],
    lasts: Lasts::Usually(Duration::from_secs(60)),
    undone: "join, or mend of an end",
    act: Act::Steps(steps),
};

/// A world takes fewer than this.
const MOST_STEPS: usize = 10_000;

fn steps(plan: &Plan) -> Vec<Timed> {
    let On::Link(link) = plan.on else { return Vec::new() };
    let (phase, end) = (plan.time(0), plan.lasts.unwrap_or_default());
    let mut steps = Vec::new();
    let mut at = Duration::ZERO;
    // More steps than a world takes are not made: it says so.
    while (at < end || steps.is_empty()) && steps.len() < MOST_STEPS {
        steps.push(Timed::act(at, Command::Cut(link.clone())));
        steps.push(Timed::undo(at + phase));
        at += phase * 2;
    }
    steps
}
