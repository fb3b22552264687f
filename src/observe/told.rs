//! Events in words, as the log tells them: short, in the past tense.

use crate::sim::{InstanceId, SimTime};

use super::event::{Circuit, Event};
use super::frame::Severity;

/// An event in words, and how much it matters; nothing if it is counted, or told elsewhere.
pub(super) fn told(
    at: SimTime,
    from: InstanceId,
    event: &Event,
    name: impl Fn(InstanceId) -> String,
) -> Option<(Severity, String)> {
    let who = || name(from);
    let line = match *event {
        Event::TakenOut {
            backend,
            failed,
            reason,
        } => {
            let why = match failed {
                1 => format!("a check {reason}"),
                _ => format!("{failed} checks in a row {reason}"),
            };
            (
                Severity::Warning,
                format!("{} took {} out: {why}", who(), name(backend)),
            )
        }
        Event::NodeAvoided { node, reason, primary } => {
            let text = if primary {
                format!("{} finds no primary at {}: {reason}", name(from), name(node))
            } else {
                format!("{} leaves {} alone: {reason}", name(from), name(node))
            };
            (Severity::Warning, text)
        }
        Event::NodeUsed { node } => (Severity::Good, format!("{} asks {} again", name(from), name(node))),
        Event::TakenIn { backend, passed } => {
            let checks = if passed == 1 { "check" } else { "checks" };
            let text = format!("{} took {} in: {passed} {checks} passed", who(), name(backend));
            (Severity::Good, text)
        }
        Event::Ejected {
            backend,
            failed,
            reason,
            until,
        } => {
            let (who, server, rest) = (who(), name(backend), (until - at).as_secs_f64());
            let text = format!("{who} ejected {server} for {rest:.0}s: {failed} requests in a row {reason}");
            (Severity::Warning, text)
        }
        Event::TraceLost => {
            let text = "the access trace has changed or gone: keys are drawn from here on";
            (Severity::Warning, format!("{}: {text}", who()))
        }
        Event::Poisoned { key, attempt } => (
            Severity::Bad,
            format!("{} died of the message about {key}, attempt {attempt}", who()),
        ),
        Event::Died { key, attempts, buried } => {
            let what = if buried {
                "is a dead letter now"
            } else {
                "was thrown away"
            };
            let times = if attempts == 1 { "once" } else { "times" };
            let count = if attempts == 1 {
                times.to_owned()
            } else {
                format!("{attempts} {times}")
            };
            let text = format!("{}: the message about {key} {what}, handed out {count}", who());
            (Severity::Warning, text)
        }
        Event::Full { on: true } => (Severity::Warning, format!("{} is full and turns messages away", who())),
        Event::Full { on: false } => (Severity::Good, format!("{} has room again", who())),
        Event::Returned { backend } => (Severity::Good, format!("{} tries {} again", who(), name(backend))),
        Event::TookOver { .. } => (Severity::Warning, format!("{} took the address over", who())),
        Event::Breaker { to, state } => {
            let (who, callee) = (who(), name(to));
            match state {
                Circuit::Open => (
                    Severity::Warning,
                    format!("{who} stopped calling {callee}: its breaker opened"),
                ),
                Circuit::HalfOpen => (
                    Severity::Info,
                    format!("{who} tries {callee} again: its breaker is half open"),
                ),
                Circuit::Closed => (
                    Severity::Good,
                    format!("{who} calls {callee} again: its breaker closed"),
                ),
            }
        }
        _ => return of_data(from, event, name),
    };
    Some(line)
}

/// Events of the data tier.
fn of_data(from: InstanceId, event: &Event, name: impl Fn(InstanceId) -> String) -> Option<(Severity, String)> {
    let who = || name(from);
    let line = match *event {
        Event::Promoted { term, was, .. } => {
            let place = was.filter(|was| *was != from);
            let place = place.map_or_else(String::new, |was| format!(", in the place of {}", name(was)));
            let text = format!("{} became primary in term {}{place}", who(), term.number());
            (Severity::Good, text)
        }
        Event::SteppedDown { term } => {
            let text = format!("{} stepped down: it was primary in term {}", who(), term.number());
            (Severity::Info, text)
        }
        Event::Fenced { on: true } => (
            Severity::Warning,
            format!("{} stopped taking writes: its lease ran out", who()),
        ),
        Event::Fenced { on: false } => (
            Severity::Good,
            format!("{} took writes again: it has its lease back", who()),
        ),
        Event::Degraded { on: true } => (
            Severity::Warning,
            format!("{} went on alone: no replica acknowledges its writes", who()),
        ),
        Event::Degraded { on: false } => (
            Severity::Good,
            format!("{} waits for a replica again before it acknowledges", who()),
        ),
        Event::PutAside { writes } => {
            let noun = if writes == 1 { "write" } else { "writes" };
            let text = format!("{} put {writes} {noun} aside that the primary does not have", who());
            (Severity::Warning, text)
        }
        Event::Compared { replayed, conflicting } => {
            let severity = if conflicting > 0 {
                Severity::Warning
            } else {
                Severity::Good
            };
            let text = format!(
                "{} compared its writes with the primary's: {replayed} replayed, {conflicting} in conflict",
                who()
            );
            (severity, text)
        }
        Event::Rebuilt {
            from: source,
            done: false,
        } => {
            let text = format!("{} began to copy all rows from {}", who(), name(source));
            (Severity::Info, text)
        }
        Event::Rebuilt {
            from: source,
            done: true,
        } => {
            let text = format!("{} has all rows of {}", who(), name(source));
            (Severity::Good, text)
        }
        Event::PassedOver { node, on: true } => {
            let text = format!("{} passed {} over: the ring closed around it", who(), name(node));
            (Severity::Warning, text)
        }
        Event::PassedOver { node, on: false } => {
            let text = format!("{} fetched from {} again: the ring is whole there", who(), name(node));
            (Severity::Good, text)
        }
        Event::Migrated {
            from: source,
            to,
            done: false,
        } => (
            Severity::Info,
            format!("rows began to move from shard {source} to shard {to}"),
        ),
        Event::Migrated {
            from: source,
            to,
            done: true,
        } => {
            let text = format!("all rows that were to move from shard {source} to shard {to} have moved");
            (Severity::Good, text)
        }
        // Counted by the incidents and the ledger; and a decision is told when it is carried out.
        _ => return None,
    };
    Some(line)
}
