//! Runs in which something is done, and what is looked up in their frames.

use std::time::Duration;

use blastradius::command::Command;
use blastradius::layout::Layout;
use blastradius::observe::{Frame, Incident, InstanceState, ServiceState};
use blastradius::protocol::Reason;
use blastradius::world::World;

pub fn act(world: &mut World, command: &str) {
    let command = Command::parse(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    world
        .apply(&command)
        .unwrap_or_else(|error| panic!("{command}: {error}"));
}

pub fn refusal(world: &mut World, command: &str) -> String {
    let command = Command::parse(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    world.apply(&command).expect_err("it is refused").0
}

pub fn advance_to(world: &mut World, seconds: f64) {
    world.advance(Duration::from_secs_f64(seconds).saturating_sub(world.now().elapsed()));
}

/// Runs for a while, does something, runs on.
pub fn story(layout: &Layout, seed: u64, acts: &[(f64, &str)], end: f64) -> World {
    let mut world = World::build(layout, seed);
    for (at, command) in acts {
        advance_to(&mut world, *at);
        act(&mut world, command);
    }
    advance_to(&mut world, end);
    world
}

pub fn service<'a>(frame: &'a Frame, selector: &str) -> &'a ServiceState {
    let services = frame.topology.services.iter().zip(&frame.services);
    let mut named = services.filter(|(info, _)| info.selector == selector);
    named.next().unwrap_or_else(|| panic!("there is no {selector}")).1
}

pub fn instance<'a>(frame: &'a Frame, selector: &str) -> &'a InstanceState {
    let services = frame.topology.services.iter().zip(&frame.services);
    let mut all = services.flat_map(|(info, state)| info.instances.iter().zip(&state.instances));
    let found = all.find(|(info, _)| info.selector == selector);
    found.unwrap_or_else(|| panic!("there is no {selector}")).1
}

pub fn cause(frame: &Frame, reason: Reason, at: &str) -> u64 {
    let causes = frame.causes.iter();
    let such = causes.filter(|cause| cause.reason == reason && cause.at == at);
    such.map(|cause| cause.count).sum()
}

pub fn only_incident(frame: &Frame) -> &Incident {
    assert_eq!(frame.incidents.len(), 1, "{:?}", frame.incidents);
    &frame.incidents[0]
}

/// The share of requests that went well between two frames.
pub fn ok_between(before: &Frame, after: &Frame) -> f64 {
    let ok = (after.total.ok - before.total.ok) as f64;
    let failed = (after.total.failed - before.total.failed) as f64;
    ok / (ok + failed)
}
