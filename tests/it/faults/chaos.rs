//! Chaos: at random by the seed, within its scope, until it is off; and worlds stay sound under it.

use blastradius::observe::{Frame, Health};
use blastradius::world::World;

use super::shop;
use crate::build::layout;
use crate::story::{act, advance_to, refusal, story};

fn kills(frame: &Frame) -> Vec<String> {
    let killed = frame.log.iter().filter(|line| line.text.starts_with("chaos: killed "));
    killed.map(|line| format!("{} {}", line.at, line.text)).collect()
}

fn all_up(frame: &Frame) -> bool {
    let mut instances = frame.services.iter().flat_map(|service| &service.instances);
    instances.all(|instance| instance.health == Health::Up)
}

#[test]
fn the_same_seed_is_the_same_chaos_and_another_is_another() {
    let run = |seed| {
        let world = story(&shop(""), seed, &[(5.0, "chaos every 10s mend 5s")], 120.0);
        (world.digest(), kills(&world.frame()))
    };
    let first = run(1);
    assert_eq!(run(1), first);
    assert_ne!(run(2).1, first.1);
    assert!((4..=25).contains(&first.1.len()), "some 11: {:?}", first.1);
}

#[test]
fn off_stops_it_and_what_it_killed_is_mended() {
    let mut world = story(&shop(""), 1, &[(5.0, "chaos every 5s mend 3s")], 60.0);
    assert_eq!(world.frame().chaos.as_deref(), Some("chaos every 5s mend 3s"));
    assert!(refusal(&mut world, "chaos on").contains("on already"));
    act(&mut world, "chaos off");
    assert!(refusal(&mut world, "chaos off").contains("off already"));
    let before = kills(&world.frame()).len();
    advance_to(&mut world, 120.0);
    let frame = world.frame();
    assert_eq!((kills(&frame).len(), frame.chaos.clone()), (before, None));
    assert!(all_up(&frame));
    assert!(before > 3);
    act(&mut world, "chaos on");
    act(&mut world, "mend all");
    assert_eq!(world.frame().chaos, None);
}

#[test]
fn it_keeps_to_its_scope() {
    let mut world = story(&shop(""), 1, &[(5.0, "chaos web every 3s mend 2s")], 90.0);
    let frame = world.frame();
    let killed = kills(&frame);
    assert!(killed.len() > 5);
    assert!(killed.iter().all(|line| line.contains("web/")), "{killed:?}");
    act(&mut world, "chaos off");
    assert!(refusal(&mut world, "chaos dns every 5s").contains("nothing of dns is yours"));
    assert!(refusal(&mut world, "chaos people every 5s").contains("are users"));
}

#[test]
fn a_world_stays_sound_under_an_hour_of_chaos() {
    let layout = layout(
        r#"Layout(title: "all of it",
            users: { "people": (count: 200, every: "10s", asks: (page: 60, asset: 10, update: 15, create: 5, upload: 10), keys: Uniform(count: 500)) },
            services: {
                "lb": LoadBalancer(to: "web", machines: 2),
                "web": Web(machines: 3, boot: "5s", work: Constant("2ms"), cache: "cache", database: "db", queue: "photos"),
                "cache": Cache(machines: 2, boot: "2s", items: 300),
                "db": Database(machines: 3, boot: "5s", rows: 500, replication: PrimaryReplicas(mode: SemiSynchronous, failover: Automatic())),
                "photos": Queue(boot: "2s", attempts: 5, dead_letter: "dead"),
                "dead": Queue(boot: "2s"),
                "workers": Consumer(of: "photos", machines: 2, boot: "2s", work: Constant("20ms")),
            })"#,
    );
    for seed in 0..3 {
        let mut world = World::build(&layout, seed);
        act(&mut world, "chaos every 30s mend 15s");
        advance_to(&mut world, 3_600.0);
        act(&mut world, "chaos off");
        advance_to(&mut world, 3_900.0);
        let before = world.frame();
        advance_to(&mut world, 3_960.0);
        let frame = world.frame();
        assert!(all_up(&frame), "seed {seed}");
        let (ok, failed) = (
            frame.total.ok - before.total.ok,
            frame.total.failed - before.total.failed,
        );
        assert!(
            ok > 1_000 && failed == 0,
            "seed {seed}: {ok} {failed} {:?}",
            frame.causes
        );
        let open: Vec<_> = frame
            .incidents
            .iter()
            .filter(|incident| incident.healed.is_none())
            .collect();
        assert!(open.is_empty(), "seed {seed}: {open:?}");
        assert!(world.under_way() < 5_000, "seed {seed}: {}", world.under_way());
    }
}
