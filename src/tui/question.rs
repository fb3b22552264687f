//! What is asked before something that cannot be undone, or that hits more than one may think.

use std::collections::BTreeMap;

use crate::command::{Command, Selector, matches};
use crate::observe::{Frame, ServiceInfo};

use super::text;

/// Whether a command is asked about: it destroys disks, or throws messages away.
pub fn asks(frame: &Frame, command: &Command) -> bool {
    match command {
        Command::Destroy(_) | Command::Remove(_) => true,
        Command::For(command, _) => asks(frame, command),
        Command::Flush(target) => messages(frame, target).is_some(),
        _ => false,
    }
}

/// Whether a command harms more than half of all machines by a pattern, which says less than a name of what it hits.
pub fn hits_most(frame: &Frame, command: &Command) -> bool {
    pattern(command).is_some_and(|target| {
        let (hit, all) = machines(frame, target);
        hit > 1 && hit * 2 > all
    })
}

/// The pattern that a command harms by, if it does.
fn pattern(command: &Command) -> Option<&Selector> {
    let target = match command {
        Command::Kill(target)
        | Command::Destroy(target)
        | Command::Hang(target)
        | Command::Slow(target, _)
        | Command::Isolate(target)
        | Command::Fail(target, ..)
        | Command::Leak(target, _)
        | Command::Disk(target, _)
        | Command::Resize(target, _) => target,
        Command::For(command, _) => return pattern(command),
        _ => return None,
    };
    target.0.contains('*').then_some(target)
}

/// How many machines a selector hits, and how many there are. Those of others, without a size, count for nothing.
fn machines(frame: &Frame, target: &Selector) -> (usize, usize) {
    let topology = &frame.topology;
    let mut machines: BTreeMap<(Option<usize>, &str), bool> = BTreeMap::new();
    for service in &topology.services {
        let site = service.site.and_then(|site| topology.sites.get(site));
        // Where there is one data center, its name is left out of those of services.
        let full = |name: &str| match site {
            Some(site) if !name.starts_with(&format!("{}/", site.name)) => format!("{}/{name}", site.name),
            _ => name.to_string(),
        };
        let named = site.is_some_and(|site| matches(target, &site.name)) || matches(target, &full(&service.selector));
        for (index, one) in service
            .instances
            .iter()
            .enumerate()
            .filter(|(_, one)| !one.size.is_empty())
        {
            let numbered = format!("{}/{}", full(&service.selector), index + 1);
            let own = [numbered, full(&one.selector), full(&one.machine)];
            let hit = named || own.iter().any(|name| matches(target, name));
            *machines.entry((service.site, &one.machine)).or_default() |= hit;
        }
    }
    (machines.values().filter(|hit| **hit).count(), machines.len())
}

/// The question about a command that hits most machines.
fn most(command: &Command, frame: &Frame, target: &Selector, max: u16) -> String {
    let (hit, all) = machines(frame, target);
    let disks = if matches!(command, Command::Destroy(_)) {
        " and their disks"
    } else {
        ""
    };
    let options = [
        format!("{command}: it hits {hit} of {all} machines{disks}. y does it, any other key keeps them as they are"),
        format!("{command} hits {hit} of {all} machines{disks}. y does it, any other key doesn't"),
        format!("{hit} of {all} machines{disks}? y does it, any other key doesn't"),
    ];
    text::fitting(&options, max).to_string()
}

/// A command in the words of the question, that fit into a width: the way out is always among them.
pub fn question(command: &Command, frame: &Frame, max: u16) -> String {
    if let Some(target) = pattern(command).filter(|_| hits_most(frame, command)) {
        return most(command, frame, target, max);
    }
    match command {
        Command::Destroy(target) => destroy(target, frame, max),
        Command::Remove(target) => remove(target, max),
        Command::Flush(target) => flush(target, frame, max),
        Command::For(command, _) => question(command, frame, max),
        _ => text::fitting(
            &[
                format!("{command}? y does it, any other key keeps it as it is"),
                format!("{command}? y does it"),
            ],
            max,
        )
        .to_string(),
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

fn remove(target: &Selector, max: u16) -> String {
    let options = [
        format!("remove {target}, and all that is on its disks? y removes it, any other key keeps it"),
        format!("remove {target} and its disks? y removes, any other key keeps it"),
    ];
    text::fitting(&options, max).to_string()
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
