//! Data centers that are lost, evacuated or cut off from each other: what is said of it, and when.

use std::time::Duration;

use blastradius::command::Command;
use blastradius::layout::{find_shipped, parse};
use blastradius::observe::{Frame, Incident};
use blastradius::world::World;

/// Layout 13 with a hundredth of its users.
fn quiet() -> World {
    let shipped = find_shipped("13").expect("it is shipped");
    let source = shipped
        .source
        .replace("count: 60_000", "count: 600")
        .replace("count: 40_000", "count: 400");
    let layout = parse(&source, "13.ron").unwrap_or_else(|error| panic!("{error}"));
    World::build(&layout, 7)
}

fn after(world: &mut World, seconds: u64) -> Frame {
    world.advance(Duration::from_secs(seconds));
    world.frame()
}

fn tell(world: &mut World, line: &str) {
    let command = Command::parse(line).expect("a command");
    world.apply(&command).expect("it can be done");
}

fn only(frame: &Frame) -> &Incident {
    assert_eq!(frame.incidents.len(), 1);
    &frame.incidents[0]
}

fn says(frame: &Frame, words: &str) {
    let log: Vec<&str> = frame.log.iter().map(|line| line.text.as_str()).collect();
    assert!(
        log.iter().any(|line| line.contains(words)),
        "`{words}` is not in {log:#?}"
    );
}

#[test]
fn a_lost_data_center_is_told_of_in_each_phase() {
    let mut world = quiet();
    after(&mut world, 12);
    tell(&mut world, "kill us-east");
    let frame = after(&mut world, 2);
    let sentence = &only(&frame).sentence;
    assert!(
        sentence.starts_with("DNS can't know before 3 checks in a row have failed"),
        "{sentence}"
    );
    assert!(sentence.contains("it sends america to us-east"), "{sentence}");
    says(&frame, "incident 1 hurts ");
    assert_eq!(only(&frame).first_hurt.as_deref(), Some("america"));
    assert!(only(&frame).acted.is_none());

    // Not before DNS leaves out both of its addresses has anybody acted; what is held until then leads to a dead place.
    let frame = after(&mut world, 36);
    let incident = only(&frame);
    assert_eq!(incident.acted.as_ref().map(|acted| acted.who.as_str()), Some("dns"));
    says(&frame, "incident 1: dns acts after ");
    assert!(
        incident.sentence.starts_with("DNS leaves us-east out"),
        "{}",
        incident.sentence
    );
    let dns = frame
        .services
        .iter()
        .find_map(|service| service.dns.as_ref())
        .expect("DNS");
    assert_eq!(dns.routing, "geo");
    let america = &dns.sent[0];
    assert_eq!(america.site, Some(0), "to eu-west");
    assert!(
        america.why.starts_with("us-east is left out; next, 5,4"),
        "{}",
        america.why
    );

    let frame = after(&mut world, 40);
    let sentence = &only(&frame).sentence;
    assert!(sentence.contains("eu-west carries all: "), "{sentence}");
    assert!(frame.sites[0].share > 0.999, "{:?}", frame.sites);
    tell(&mut world, "mend us-east");
    let frame = after(&mut world, 12);
    let sentence = &only(&frame).sentence;
    assert!(
        sentence.starts_with("us-east is up again; DNS answers it after 3 passed checks"),
        "{sentence}"
    );
}

#[test]
fn the_last_user_who_leaves_an_evacuated_data_center_is_told_of() {
    let mut world = quiet();
    after(&mut world, 5);
    tell(&mut world, "evacuate us-east");
    let frame = after(&mut world, 70);
    says(&frame, "us-east is empty ");
    assert_eq!(frame.total.failed, 0);
    let dns = frame
        .services
        .iter()
        .find_map(|service| service.dns.as_ref())
        .expect("DNS");
    assert!(
        dns.sent[0].why.starts_with("us-east is evacuated; next"),
        "{}",
        dns.sent[0].why
    );
}

#[test]
fn of_an_evacuated_data_center_that_is_lost_dns_needs_to_know_nothing() {
    let mut world = quiet();
    after(&mut world, 5);
    tell(&mut world, "evacuate us-east");
    after(&mut world, 70);
    tell(&mut world, "kill us-east");
    let frame = after(&mut world, 5);
    let sentence = &only(&frame).sentence;
    assert!(
        sentence.starts_with("us-east was evacuated before: DNS sends nobody there"),
        "{sentence}"
    );
}

#[test]
fn data_centers_that_are_cut_from_each_other_grow_apart() {
    let mut world = quiet();
    after(&mut world, 5);
    tell(&mut world, "cut us-east <-> eu-west");
    let frame = after(&mut world, 12);
    let sentence = &only(&frame).sentence;
    assert!(
        sentence.starts_with("eu-west can't reach the primary us-east/orders/1"),
        "{sentence}"
    );
    assert!(sentence.contains("grows older, by 1"), "{sentence}");
}

#[test]
fn a_cut_one_way_hurts_whoever_is_not_answered() {
    // Answers of the primary no longer come back over the ocean.
    let mut world = quiet();
    after(&mut world, 5);
    tell(&mut world, "cut us-east -> eu-west");
    let frame = after(&mut world, 20);
    let incident = only(&frame);
    assert!(frame.total.failed > 0 && incident.hurt.is_some(), "{incident:?}");
}

#[test]
fn where_everything_is_told_by_the_topology() {
    let world = quiet();
    let frame = world.frame();
    let topology = &frame.topology;
    let names: Vec<&str> = topology.sites.iter().map(|site| site.name.as_str()).collect();
    assert_eq!(names, ["eu-west", "us-central", "us-east"]);
    let trip = topology.sites[0].round_trips[2];
    assert!(
        trip.abs_diff(Duration::from_micros(80_550)) < Duration::from_millis(3),
        "{trip:?}"
    );
    let homes: Vec<Option<usize>> = topology.services.iter().map(|service| service.home).collect();
    assert_eq!(
        homes.iter().flatten().collect::<Vec<_>>(),
        [&2, &0],
        "america, then europe"
    );
}
