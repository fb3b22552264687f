//! What is asked before something that cannot be undone.

use crate::command::{Command, Selector};
use crate::observe::{Frame, ServiceInfo};

use super::text;

/// Whether a command is asked about: it destroys disks, or throws messages away.
pub fn asks(frame: &Frame, command: &Command) -> bool {
    match command {
        Command::Destroy(_) => true,
        Command::For(command, _) => asks(frame, command),
        Command::Flush(target) => messages(frame, target).is_some(),
        _ => false,
    }
}

/// A command in the words of the question, that fit into a width: the way out is always among them.
pub fn question(command: &Command, frame: &Frame, max: u16) -> String {
    match command {
        Command::Destroy(target) => destroy(target, frame, max),
        Command::Flush(target) => flush(target, frame, max),
        Command::For(command, _) => question(command, frame, max),
        _ => format!("{command:?}: y does it, any other key keeps it"),
    }
}

/// Whether a selector names a service, or the data center that it is in.
fn names(frame: &Frame, service: &ServiceInfo, target: &Selector) -> bool {
    let site = service.site.and_then(|site| frame.topology.sites.get(site));
    service.selector == target.0 || site.is_some_and(|site| site.name == target.0)
}

/// Messages in the queues that are named; `None` if no queue is.
fn messages(frame: &Frame, target: &Selector) -> Option<u64> {
    let services = frame.topology.services.iter().zip(&frame.services);
    let named = services.filter(|(info, _)| {
        let mut instances = info.instances.iter();
        names(frame, info, target) || instances.any(|one| one.selector == target.0 || one.machine == target.0)
    });
    let held: Vec<u64> = named
        .filter_map(|(_, state)| Some(state.queue.as_ref()?.held))
        .collect();
    (!held.is_empty()).then(|| held.iter().sum())
}

fn flush(target: &Selector, frame: &Frame, max: u16) -> String {
    let messages = match messages(frame, target).unwrap_or(0) {
        1 => "1 message is".to_string(),
        count => format!("{} messages are", text::count(count)),
    };
    fitting(
        ("empty", "y empties it, any other key keeps it"),
        target,
        &messages,
        max,
    )
}

fn destroy(target: &Selector, frame: &Frame, max: u16) -> String {
    let services = frame.topology.services.iter();
    let machines: usize = services
        .flat_map(|service| service.instances.iter().map(move |one| (service, one)))
        .filter(|(service, one)| one.selector == target.0 || names(frame, service, target))
        .count();
    let (long, short) = if machines > 1 {
        let machines = text::count(machines as u64);
        (
            format!("{machines} machines and their disks are"),
            format!("{machines} disks"),
        )
    } else {
        ("the machine and its disk are".to_string(), "its disk".to_string())
    };
    let way_out = "y destroys, any other key keeps it";
    let middle = format!("destroy {target} and {short}? {way_out}");
    let words = fitting(("destroy", way_out), target, &long, max);
    if !words.contains("gone for good") && text::width(&middle) <= max {
        return middle;
    }
    words
}

/// The verb, what it hits, what is gone by it and the way out, at the length that fits.
fn fitting((verb, way_out): (&str, &str), target: &Selector, gone: &str, max: u16) -> String {
    let room = max.saturating_sub(text::width(way_out) + text::width(verb) + 3);
    let options = [
        format!("{verb} {target}: {gone} gone for good. {way_out}"),
        format!("{verb} {}? {way_out}", text::clip_middle(&target.0, room)),
    ];
    text::fitting(&options, max).to_string()
}
