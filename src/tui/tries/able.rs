//! Whether an experiment can be done in the state that is shown.

use crate::command::{Command, Selector, matches};
use crate::observe::{Frame, Health};
use crate::tui::text;

/// Why a command of an experiment can do nothing now, if so.
pub(super) fn hindrance(frame: &Frame, command: &Command) -> Option<String> {
    let (target, harms) = match command {
        Command::For(command, _) => return hindrance(frame, command),
        Command::Kill(target) | Command::Hang(target) | Command::Destroy(target) => (target, true),
        Command::Slow(target, _) | Command::Isolate(target) | Command::Flush(target) => (target, false),
        _ => return None,
    };
    let named = text::printable(&target.0);
    let found = health(frame, target);
    if found.is_empty() {
        return Some(format!("there is no {named} now"));
    }
    let gone = |health: &Health| match command {
        Command::Destroy(_) => *health == Health::Destroyed,
        _ => matches!(health, Health::Down | Health::Destroyed),
    };
    (harms && found.iter().all(gone)).then(|| format!("{named} is down already"))
}

/// How all is that a selector names: instances, the machines that they are on, services, data centers.
fn health(frame: &Frame, target: &Selector) -> Vec<Health> {
    let topology = &frame.topology;
    let mut found = Vec::new();
    for (service, state) in topology.services.iter().zip(&frame.services) {
        let site = service.site.and_then(|site| topology.sites.get(site));
        let full = |name: &str| match site {
            Some(site) if !name.starts_with(&format!("{}/", site.name)) => format!("{}/{name}", site.name),
            _ => name.to_string(),
        };
        let is = |name: &str| target.0 == name || matches(target, &full(name));
        let whole = site.is_some_and(|site| target.0 == site.name) || is(&service.selector);
        for (one, state) in service.instances.iter().zip(&state.instances) {
            if whole || is(&one.selector) || is(&one.machine) {
                found.push(state.health);
            }
        }
    }
    found
}
