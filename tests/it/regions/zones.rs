//! Zones of a data center.

use blastradius::command::Script;
use blastradius::observe::Health;
use blastradius::world::World;

use crate::build::layout;
use crate::story::{act, advance_to, ok_between, refusal, service};

const ZONED: &str = r#"(title: "zones",
    users: {"people": (count: 500, every: "5s")},
    network: (zone: "1ms"),
    data_centers: {"dc": (zones: 3, services: {
        "lb": LoadBalancer(to: "web", machines: 3, calls: (retries: 1)),
        "web": Web(machines: 6, size: "s", database: "db"),
        "db": Database(machines: 3, replication: PrimaryReplicas(mode: Quorum)),
    })},
)"#;

#[test]
fn a_zone_is_a_third_of_every_service_and_its_loss_is_survived() {
    let world = &mut World::build(&layout(ZONED), 1);
    advance_to(world, 20.0);
    act(world, "kill dc/zone-1");
    let frame = world.frame();
    for (name, dead) in [("lb", vec![0]), ("web", vec![0, 3]), ("db", vec![0])] {
        let states = &service(&frame, name).instances;
        let down: Vec<usize> = (0..states.len())
            .filter(|at| states[*at].health == Health::Down)
            .collect();
        assert_eq!(down, dead, "{name}");
    }
    assert_eq!(frame.incidents[0].what, "killed dc/zone-1");
    // The clients skip the balancer that refuses, the balancers the servers, and another node is the primary.
    advance_to(world, 40.0);
    let before = world.frame();
    advance_to(world, 60.0);
    let after = world.frame();
    assert!(ok_between(&before, &after) > 0.999, "{}", ok_between(&before, &after));
    assert_eq!(after.lost_writes, 0);
    act(world, "mend zone-1");
    advance_to(world, 120.0);
    assert!(world.frame().incidents[0].healed.is_some());
}

#[test]
fn zones_are_named_only_where_there_are_several() {
    let world = &mut World::build(&layout(ZONED), 1);
    assert_eq!(
        refusal(world, "kill zone-4"),
        "nothing here is called `zone-4`; did you mean `zone-1`?"
    );
    let single = layout(&ZONED.replace("zones: 3, ", ""));
    let world = &mut World::build(&single, 1);
    assert!(refusal(world, "kill dc/zone-1").starts_with("nothing here is called"));
    let script = Script::parse("[(at: \"1s\", do: \"kill dc/zone-2\")]", "s.ron").unwrap();
    assert!(script.check(&layout(ZONED)).is_ok());
    assert!(script.check(&single).is_err());
}

#[test]
fn what_is_in_another_zone_is_further_away() {
    let latency = |zone: &str| {
        let source = ZONED.replace("zone: \"1ms\"", &format!("zone: \"{zone}\""));
        let mut world = World::build(&layout(&source), 1);
        advance_to(&mut world, 60.0);
        world.frame().latency.mean.as_secs_f64() * 1e3
    };
    // From the balancer to a web server two times in three, and from there to a node of the database.
    let (near, far) = (latency("0.25ms"), latency("5.25ms"));
    assert!((12.0..25.0).contains(&(far - near)), "{near} ms, {far} ms");
}
