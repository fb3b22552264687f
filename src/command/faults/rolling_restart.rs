//! Rolling restart: one after another.

use super::super::model::{Command, Selector};
use super::{Act, Fault, Hit, Lasts, Param, Plan, Quantity, Timed};

pub(super) const FAULT: Fault = Fault {
    name: "rolling-restart",
    title: "rolling restart",
    hits: &[Hit::Process],
    effect: "each instance in turn is killed and started; the next one follows so long after it has booted. Nothing is drained: it is the careless kind",
    usage: "rolling-restart TARGET TIME",
    example: "rolling-restart web 5s",
    params: &[Param {
        name: "TIME",
        quantity: Quantity::Time,
        default: "5s",
        bounds: ("0s", "1h"),
        about: "the pause between two",
    }],
    lasts: Lasts::ItsSteps,
    undone: "ends by itself; mend stops it",
    act: Act::Steps(steps),
};

fn steps(plan: &Plan) -> Vec<Timed> {
    let each = plan.boot + plan.time(0);
    let turns = plan.instances.iter().zip(0_u32..);
    let restart = |(instance, turn): (&Selector, u32)| {
        let at = each * turn;
        [Timed::act(at, Command::Kill(instance.clone())), Timed::undo(at)]
    };
    turns.flat_map(restart).collect()
}
