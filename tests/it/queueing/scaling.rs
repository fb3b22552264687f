//! Workers that come with what waits and go when it is done.

use std::time::Duration;

use blastradius::observe::Health;
use blastradius::world::World;

use super::{jobs, queue, studio, workers};
use crate::story::{act, advance_to, service};

fn machines(world: &World) -> usize {
    let frame = world.frame();
    let state = service(&frame, "workers");
    state.instances.iter().filter(|instance| !instance.draining).count()
}

#[test]
fn the_age_of_the_oldest_message_is_held_through_a_surge() {
    for seed in 1..=5 {
        let layout = studio(
            20,
            "messages: 100_000",
            r#"size: "s", slots: 2, work: Exponential("150ms"), boot: "10s",
                scale: (min: 2, max: 40, target: Age("30s"), every: "10s", down_window: "60s")"#,
            "",
        );
        let mut world = World::build(&layout, seed);
        advance_to(&mut world, 60.0);
        assert_eq!(machines(&world), 2, "seed {seed}");
        act(&mut world, "surge 8");
        let mut oldest = Duration::ZERO;
        for second in 61..=300 {
            advance_to(&mut world, f64::from(second));
            oldest = oldest.max(queue(&world).oldest.unwrap_or_default());
        }
        assert!(oldest < Duration::from_secs(30), "seed {seed}: {oldest:?}");
        assert!(machines(&world) >= 12, "seed {seed}: {}", machines(&world));
        act(&mut world, "surge 1");
        advance_to(&mut world, 500.0);
        assert_eq!(machines(&world), 2, "seed {seed}");
        let tally = jobs(&world);
        assert_eq!(
            (tally.lost, tally.duplicated),
            (0, 0),
            "seed {seed}: who leaves gives back what it holds"
        );
    }
}

#[test]
fn workers_go_to_none_when_there_is_nothing_and_come_back() {
    let layout = studio(
        30,
        "",
        r#"size: "s", slots: 2, work: Exponential("100ms"), boot: "5s",
            scale: (min: 0, max: 10, target: Depth(10), every: "10s", down_window: "60s")"#,
        "",
    );
    let mut world = World::build(&layout, 1);
    advance_to(&mut world, 60.0);
    assert!(machines(&world) >= 1);
    act(&mut world, "surge 0");
    advance_to(&mut world, 190.0);
    assert_eq!((machines(&world), queue(&world).waiting), (0, 0));
    let price = world.frame().price_per_hour;
    act(&mut world, "surge 1");
    advance_to(&mut world, 240.0);
    let after = world.frame().price_per_hour;
    assert!(
        machines(&world) >= 1 && after > price,
        "{}, {after} $, {price} $: {:?}",
        machines(&world),
        queue(&world)
    );
    assert!(queue(&world).oldest.unwrap_or_default() < Duration::from_secs(10));
}

#[test]
fn depth_asks_for_as_many_as_it_takes() {
    let layout = studio(
        50,
        "messages: 100_000",
        r#"size: "s", slots: 2, work: Exponential("100ms"), boot: "5s",
            scale: (min: 1, max: 50, target: Depth(100), every: "10s", down_window: "30s")"#,
        "",
    );
    let mut world = World::build(&layout, 1);
    advance_to(&mut world, 100.0);
    act(&mut world, "kill workers");
    act(&mut world, "set workers autoscaler off");
    advance_to(&mut world, 300.0);
    let held = queue(&world).held;
    act(&mut world, "mend workers");
    act(&mut world, "set workers autoscaler on");
    let mut most = 0;
    for second in 300..360 {
        advance_to(&mut world, f64::from(second));
        most = most.max(machines(&world));
    }
    // It may only double in fifteen seconds, and meanwhile they work.
    assert!(held > 9_000 && most >= 16, "{held} messages, {most} machines");
}

#[test]
fn who_is_taken_out_ends_what_is_in_progress_and_gives_back_the_rest() {
    let layout = studio(
        30,
        r#"visibility: "5m""#,
        r#"machines: 6, size: "s", slots: 2, prefetch: 10, work: Constant("300ms"), drain: "20s""#,
        "",
    );
    let mut world = World::build(&layout, 1);
    advance_to(&mut world, 30.0);
    act(&mut world, "scale workers 5");
    advance_to(&mut world, 40.0);
    assert_eq!(service(&world.frame(), "workers").instances.len(), 5);
    let state = workers(&world);
    let tally = jobs(&world);
    assert_eq!(
        (tally.lost, tally.duplicated, queue(&world).total.timed_out),
        (0, 0, 0),
        "{state:?}"
    );
    // A killed one holds its messages until the queue has waited for them in vain.
    act(&mut world, "kill workers/1");
    advance_to(&mut world, 60.0);
    assert!(queue(&world).in_flight >= 10, "{:?}", queue(&world));
}

#[test]
fn a_dead_worker_is_noticed_when_its_messages_come_back() {
    let layout = studio(
        20,
        r#"visibility: "10s""#,
        r#"machines: 4, size: "xl", slots: 8, work: Constant("1200ms"), boot: "2s""#,
        "",
    );
    let mut world = World::build(&layout, 1);
    advance_to(&mut world, 20.0);
    act(&mut world, "kill workers/2");
    advance_to(&mut world, 40.0);
    let frame = world.frame();
    let incident = frame.incidents.last().expect("an incident");
    let noticed = incident
        .noticed
        .as_ref()
        .unwrap_or_else(|| panic!("{:?} {incident:?}", queue(&world)));
    assert_eq!(noticed.who, "photos");
    let after = noticed.at.since(incident.injected).as_secs_f64();
    assert!((8.5..10.5).contains(&after), "{after}");
    assert_eq!((incident.hurt, incident.failed), (None, 0));
    act(&mut world, "mend workers/2");
    advance_to(&mut world, 120.0);
    assert!(world.frame().incidents.last().expect("an incident").healed.is_some());
    let states = service(&world.frame(), "workers")
        .instances
        .iter()
        .all(|one| one.health == Health::Up);
    assert!(states);
}
