//! Faults that stand on top of each other, and those that are mended by hand or come to nothing: each ends alone, and leaves nothing behind.

use blastradius::command::Command;
use blastradius::layout::Layout;
use blastradius::observe::Health;
use blastradius::protocol::Reason;
use blastradius::world::World;

use super::{look, shop};
use crate::build::layout;
use crate::story::{act, advance_to, cause, instance, refusal, service, story};

fn slow(world: &World, selector: &str) -> String {
    instance(&world.frame(), selector).slow.to_string()
}

#[test]
fn rules_belong_to_their_fault() {
    let acts = [
        (10.0, "delay web -> db 200ms for 60s"),
        (12.0, "delay web -> db 100ms for 28s"),
    ];
    let mut world = story(&shop(""), 1, &acts, 20.0);
    let both = look(&mut world).0.p50;
    advance_to(&mut world, 45.0);
    let one = look(&mut world).0.p50;
    advance_to(&mut world, 80.0);
    let none = look(&mut world).0.p50;
    assert!((295.0..310.0).contains(&(both - none)), "{both} {one} {none}");
    assert!((195.0..210.0).contains(&(one - none)), "{both} {one} {none}");
    assert!(refusal(&mut world, "join web -> db").contains("not hurt"));
}

#[test]
fn equal_faults_are_two() {
    // Whichever ends first, the other one is still there.
    for acts in [
        [(10.0, "slow db 3 for 20s"), (12.0, "slow db 3 for 40s")],
        [(10.0, "slow db 3 for 42s"), (12.0, "slow db 3 for 18s")],
    ] {
        let mut world = story(&shop(""), 1, &acts, 25.0);
        assert_eq!(slow(&world, "db"), "3");
        advance_to(&mut world, 40.0);
        assert_eq!(slow(&world, "db"), "3", "one of them has ended: {acts:?}");
        advance_to(&mut world, 55.0);
        assert_eq!(slow(&world, "db"), "1", "both have: {acts:?}");
    }
    for (fault, ails) in [("fail db 20%", "fails 20%"), ("disk db slow 3", "disk 3x slower")] {
        let acts = [10.0, 12.0].map(|at| (at, format!("{fault} for {}s", 2.5 * at)));
        let acts = acts.each_ref().map(|(at, act)| (*at, act.as_str()));
        // Until 35 s and until 42 s.
        let mut world = story(&shop(""), 1, &acts, 38.0);
        assert_eq!(instance(&world.frame(), "db").ails.as_deref(), Some(ails), "{fault}");
        advance_to(&mut world, 45.0);
        assert_eq!(instance(&world.frame(), "db").ails, None, "{fault}");
    }
}

#[test]
fn hang_is_over_when_a_kill_on_top_of_it_ends() {
    // As in life, a restart cures what hangs: the process that starts is another one. The hang's own end finds it well, and leaves it.
    for hang in ["hang web/1", "hang web/1 for 60s"] {
        let acts = [(10.0, hang), (12.0, "kill web/1 for 10s")];
        let mut world = story(&shop(""), 1, &acts, 15.0);
        let health = |world: &World| instance(&world.frame(), "web/1").health;
        assert_eq!(health(&world), Health::Down);
        advance_to(&mut world, 30.0);
        assert_eq!(health(&world), Health::Up, "{hang}");
        advance_to(&mut world, 72.0);
        assert_eq!(health(&world), Health::Up, "{hang}: it is not started again");
        advance_to(&mut world, 80.0);
        let incidents = world.frame().incidents;
        assert!(
            incidents.iter().all(|incident| incident.healed.is_some()),
            "{incidents:?}"
        );
    }
    // A hang below a kill that ends first does not start what is down.
    let acts = [(10.0, "hang web/1 for 5s"), (12.0, "kill web/1")];
    let world = story(&shop(""), 1, &acts, 30.0);
    assert_eq!(instance(&world.frame(), "web/1").health, Health::Down);
}

#[test]
fn fail_on_a_destroyed_machine_is_harmless_and_mended_with_it() {
    let acts = [(10.0, "destroy web/1"), (40.0, "fail web/1 50%")];
    let mut world = story(&shop(""), 1, &acts, 41.0);
    let (figures, frame) = look(&mut world);
    assert!(figures.ok > 0.999, "nobody asks it: {figures:?}");
    assert_eq!(cause(&frame, Reason::Broken, "web/1"), 0);
    act(&mut world, "mend web/1");
    advance_to(&mut world, 70.0);
    let (figures, frame) = look(&mut world);
    assert!(figures.ok > 0.999, "{figures:?}");
    let web = instance(&frame, "web/1");
    assert_eq!((web.health, web.ails.as_deref()), (Health::Up, None));
    // The machine is replaced, the software is as broken as it was made meanwhile.
    let acts = [(10.0, "destroy web/1 for 20s"), (20.0, "fail web/1 50%")];
    let mut world = story(&shop(""), 1, &acts, 60.0);
    assert_eq!(instance(&world.frame(), "web/1").ails.as_deref(), Some("fails 50%"));
    act(&mut world, "mend web/1");
    assert_eq!(instance(&world.frame(), "web/1").ails, None);
}

/// Two data centers: people who ask for either, and people of each who ask for it by name.
fn two() -> Layout {
    layout(
        r#"Layout(title: "two",
            users: {
                "everybody": (count: 100, every: "1s", browser: false),
                "a-users": (count: 100, every: "1s", browser: false, site: "a"),
                "b-users": (count: 100, every: "1s", browser: false, site: "b"),
            },
            dns: (ttl: "5s"),
            data_centers: {
                "a": (services: { "lb": LoadBalancer(to: "web"), "web": Web(machines: 2, boot: "1s") }),
                "b": (services: { "lb": LoadBalancer(to: "web"), "web": Web(machines: 2, boot: "1s") }),
            })"#,
    )
}

#[test]
fn evacuate_names_those_who_stay() {
    let mut world = story(&two(), 1, &[], 10.0);
    let said = world.apply(&Command::parse("evacuate a").expect("a command"));
    let said = said.expect("it can be done").0;
    assert!(
        said.ends_with("; a-users ask for it by its own name and stay"),
        "{said}"
    );
    advance_to(&mut world, 40.0);
    let sent = |world: &World, name: &str| service(&world.frame(), name).users.clone().expect("users").total;
    let (everybody, stay) = (sent(&world, "everybody"), sent(&world, "a-users"));
    advance_to(&mut world, 60.0);
    let share = world.frame().sites[0].share;
    assert!((share - 1.0 / 3.0).abs() < 0.1, "a third of all stays: {share}");
    assert_eq!(sent(&world, "everybody").failed, everybody.failed);
    assert!(sent(&world, "a-users").ok > stay.ok + 1_000);
    // Nobody is named who has no such name.
    act(&mut world, "reopen a");
    let shop = layout(
        r#"Layout(title: "shop", users: { "people": (count: 10) },
            data_centers: { "a": (services: { "web": Web() }), "b": (services: { "web": Web() }) })"#,
    );
    let mut world = story(&shop, 1, &[], 1.0);
    let said = world.apply(&Command::parse("evacuate a").expect("a command"));
    assert!(!said.expect("it can be done").0.contains("own name"));
}

#[test]
fn what_is_mended_piece_by_piece_is_over() {
    // More rounds than faults may go on at once.
    let mut world = story(&two(), 1, &[], 1.0);
    for round in 0..1_100 {
        let now = world.now().elapsed().as_secs_f64();
        for command in ["lose a", "mend a/lb", "mend a/web/1", "mend a/web/2"] {
            let command = Command::parse(command).expect("a command");
            world
                .apply(&command)
                .unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
        advance_to(&mut world, now + 0.2);
    }
    let end = world.now().elapsed().as_secs_f64() + 60.0;
    advance_to(&mut world, end);
    let frame = world.frame();
    assert_eq!(instance(&frame, "a/web/2").health, Health::Up);
    assert!(frame.incidents.iter().all(|incident| incident.healed.is_some()));
    assert!(refusal(&mut world, "mend all").contains("nothing to mend"));
}

#[test]
fn flapping_in_millions_of_steps_is_refused() {
    let mut world = story(&shop(""), 1, &[], 1.0);
    let digest = world.digest();
    let why = refusal(&mut world, "flapping web -> db 100ms for 24h");
    assert!(why.contains("more than 10000 steps"), "{why}");
    assert_eq!(world.digest(), digest);
    // Nothing of it is left: there is room for another one.
    act(&mut world, "flapping web -> db 100ms for 10s");
}

#[test]
fn writes_that_a_later_step_loses_count_for_the_fault_of_that_step() {
    let layout = layout(
        r#"Layout(title: "behind",
            users: { "people": (count: 100, every: "1s", asks: (page: 1, update: 1), keys: Uniform(count: 500), browser: false) },
            services: {
                "web": Web(machines: 2, work: Constant("0.1ms"), cache: "cache", database: "db"),
                "cache": Cache(strategy: WriteBehind(after: "1h"), boot: "1s"),
                "db": Database(rows: 500),
            })"#,
    );
    // It dies at 10 s and, after a pause of 10 s, a start of 1 s and a life of 15 s, at 36 s.
    let acts = [(10.0, "crash-loop cache 15s for 50s"), (30.0, "slow web/1 1.1")];
    let mut world = story(&layout, 1, &acts, 35.0);
    let lost = |world: &World| -> Vec<u64> {
        let incidents = world.frame().incidents;
        incidents.iter().map(|incident| incident.lost_writes).collect()
    };
    let first = lost(&world);
    assert!(first[0] > 100 && first[1] == 0, "{first:?}");
    advance_to(&mut world, 45.0);
    let second = lost(&world);
    assert!(second[0] > first[0] + 100 && second[1] == 0, "{second:?}");
}
