//! How far an incident has come, and what brings one about.

use std::time::Duration;

use crate::command::Command;
use crate::observe::Incident;

use super::text;

/// Whether a command breaks something that is worth a look in slow motion.
pub fn hurts(command: &Command) -> bool {
    matches!(
        command,
        Command::Kill(_) | Command::Destroy(_) | Command::Cut(_) | Command::Hang(_)
    )
}

/// How far an incident has come: its number, and milestones reached.
pub fn progress(incident: &Incident) -> (u32, usize) {
    let reached = [
        incident.hurt.is_some(),
        incident.noticed.is_some(),
        incident.acted.is_some(),
        incident.served.is_some(),
        incident.healed.is_some(),
    ];
    (incident.number, reached.into_iter().filter(|reached| *reached).count())
}

/// The milestones of an incident that came after so many others, in a few words: `noticed and acted by lb after 5.57s`.
pub fn milestones(incident: &Incident, (number, count): (u32, usize)) -> String {
    let skipped = if number == incident.number { count } else { 0 };
    let all = [
        incident.hurt.map(|at| (at, "hurt", None)),
        incident
            .noticed
            .as_ref()
            .map(|milestone| (milestone.at, "noticed", Some(&milestone.who))),
        incident
            .acted
            .as_ref()
            .map(|milestone| (milestone.at, "acted", Some(&milestone.who))),
        incident.served.map(|at| (at, "served again", None)),
        incident.healed.map(|at| (at, "healed", None)),
    ];
    let mut reached: Vec<_> = all.into_iter().flatten().collect();
    reached.sort_by_key(|milestone| milestone.0);
    let new = &reached[skipped.min(reached.len())..];
    let names: Vec<&str> = new.iter().map(|milestone| milestone.1).collect();
    let who = new
        .iter()
        .find_map(|milestone| milestone.2)
        .map_or(String::new(), |who| format!(" by {who}"));
    let after = new
        .first()
        .map_or(Duration::ZERO, |milestone| milestone.0.since(incident.injected));
    format!("{}{who} after {}", names.join(" and "), text::span(after))
}
