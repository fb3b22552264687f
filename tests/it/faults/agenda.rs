//! Faults with a time: what is undone, what is not, who ends them, and that histories stay what they are.

use std::time::Duration;

use blastradius::command::{Command, Script};
use blastradius::observe::Health;
use blastradius::replay::Session;
use blastradius::world::World;

use super::{look, shop};
use crate::build::{layout, shipped};
use crate::story::{act, advance_to, instance, refusal, service, story};

#[test]
fn a_time_undoes_what_it_did_and_nothing_else() {
    let mut world = story(
        &shop(""),
        1,
        &[(5.0, "slow web/1 2"), (10.0, "kill web/2"), (10.0, "kill web for 10s")],
        15.0,
    );
    for number in 1..=4 {
        assert_eq!(instance(&world.frame(), &format!("web/{number}")).health, Health::Down);
    }
    advance_to(&mut world, 40.0);
    let frame = world.frame();
    for number in [1, 3, 4] {
        assert_eq!(instance(&frame, &format!("web/{number}")).health, Health::Up);
    }
    assert_eq!(instance(&frame, "web/2").health, Health::Down, "it was down before");
    assert_eq!(instance(&frame, "web/1").slow.to_string(), "2", "that is another fault");
    let what: Vec<&str> = frame.incidents.iter().map(|incident| incident.what.as_str()).collect();
    assert_eq!(what, ["slowed web/1 by 2", "killed web/2", "killed web for 10s"]);
}

#[test]
fn faults_on_top_of_each_other_end_each_in_its_time() {
    let slow = |world: &World| instance(&world.frame(), "db").slow.to_string();
    let acts = [(10.0, "slow db 2 for 20s"), (20.0, "slow db 5 for 20s")];
    let mut world = story(&shop(""), 1, &acts, 25.0);
    assert_eq!(slow(&world), "5");
    advance_to(&mut world, 35.0);
    assert_eq!(slow(&world), "5", "the first has ended below the second");
    advance_to(&mut world, 45.0);
    assert_eq!(slow(&world), "1", "and is not put back by it");
    let acts = [(10.0, "slow db 2 for 40s"), (20.0, "slow db 5 for 10s")];
    let mut world = story(&shop(""), 1, &acts, 35.0);
    assert_eq!(slow(&world), "2");
    advance_to(&mut world, 55.0);
    assert_eq!(slow(&world), "1");
    // Of different kinds they do not know each other.
    let acts = [(10.0, "slow db 2 for 20s"), (20.0, "disk db slow 3 for 20s")];
    let mut world = story(&shop(""), 1, &acts, 35.0);
    assert_eq!(slow(&world), "1");
    assert!(instance(&world.frame(), "db").ails.is_some());
    advance_to(&mut world, 45.0);
    assert_eq!(instance(&world.frame(), "db").ails, None);
}

#[test]
fn rules_on_top_of_each_other_end_each_in_its_time() {
    let acts = [
        (10.0, "delay web -> db 100ms"),
        (12.0, "delay web -> db 1s for 5s"),
        (13.0, "cut lb <-> web/1 for 2s"),
    ];
    let mut world = story(&shop(""), 1, &acts, 25.0);
    let p50 = look(&mut world).0.p50;
    assert!((100.0..200.0).contains(&p50), "the first is in force again: {p50}");
    act(&mut world, "join web -> db");
    assert!(refusal(&mut world, "join web -> db").contains("not hurt"));
}

#[test]
fn what_somebody_did_since_is_left_alone() {
    let acts = [(10.0, "slow db 2 for 20s"), (15.0, "slow db 3")];
    let world = story(&shop(""), 1, &acts, 40.0);
    assert_eq!(instance(&world.frame(), "db").slow.to_string(), "3");
}

#[test]
fn mend_ends_what_goes_on() {
    let acts = [
        (10.0, "crash-loop web/1 2s"),
        (11.0, "flapping web <-> db 5s"),
        (12.0, "hot-key people 50%"),
    ];
    let mut world = story(&shop(""), 1, &acts, 13.0);
    act(&mut world, "mend web/1");
    act(&mut world, "join web <-> db");
    act(&mut world, "mend people");
    let killed = world.frame().log_total;
    advance_to(&mut world, 80.0);
    let frame = world.frame();
    let kills = frame.log.iter().filter(|line| line.text == "killed web/1").count();
    assert_eq!(kills, 1, "{killed}");
    assert!(look(&mut world).0.ok > 0.999);
    // All at once, by its data center too.
    for end in ["mend all", "mend east"] {
        let acts = [
            (10.0, "crash-loop web/1 2s"),
            (11.0, "pool-leak web/2 100%"),
            (12.0, "lose east"),
        ];
        let mut world = story(&shop(""), 1, &acts, 13.0);
        act(&mut world, end);
        advance_to(&mut world, 80.0);
        let frame = world.frame();
        assert_eq!(instance(&frame, "web/1").health, Health::Up, "{end}");
        assert_eq!(instance(&frame, "web/2").ails, None, "{end}");
        assert!(
            frame.incidents.iter().all(|incident| incident.healed.is_some()),
            "{end}: {:?}",
            frame.incidents
        );
    }
    assert!(refusal(&mut world, "mend all").contains("nothing to mend"));
}

#[test]
fn what_cannot_begin_is_refused_and_changes_nothing() {
    let mut world = story(&shop(""), 1, &[(10.0, "kill web/1")], 10.0);
    let digest = world.digest();
    for command in [
        "kill web/1 for 10s",
        "kill nothing for 10s",
        "crash-loop web/1 5s",
        "hot-key web 50%",
        "slow people 2 for 5s",
    ] {
        refusal(&mut world, command);
    }
    assert_eq!(world.digest(), digest);
    assert_eq!(world.frame().incidents.len(), 1);
    // Nothing is left behind that would end them.
    advance_to(&mut world, 30.0);
    assert_eq!(instance(&world.frame(), "web/1").health, Health::Down);
}

#[test]
fn too_many_steps_are_refused() {
    let mut world = story(&shop(""), 1, &[], 1.0);
    let mut refused = false;
    for _ in 0..30 {
        let command = Command::parse("flapping web -> db 10s for 1h").expect("a command");
        match world.apply(&command) {
            Ok(_) => {}
            Err(error) => {
                assert!(error.0.contains("at most 10000 steps"), "{error}");
                refused = true;
            }
        }
    }
    assert!(refused);
    act(&mut world, "mend all");
}

#[test]
fn a_step_that_can_no_longer_be_done_is_skipped() {
    let mut world = story(&shop(""), 1, &[(10.0, "rolling-restart web 5s")], 11.0);
    act(&mut world, "scale web 2");
    advance_to(&mut world, 80.0);
    let frame = world.frame();
    let skipped = frame
        .log
        .iter()
        .filter(|line| line.text.starts_with("skipped: "))
        .count();
    assert!(skipped >= 1, "{:?}", frame.log);
    let web = service(&frame, "web");
    assert!(web.instances.len() == 2 && web.instances.iter().all(|instance| instance.health == Health::Up));
}

const SCRIPT: &str = r#"[
    (at: "2s", do: "leak web/2 50% for 1s"),
    (at: "3s", do: "crash-loop web/1 2s for 30s"),
    (at: "4s", do: "kill web/2 for 7s"),
    (at: "5s", do: For(Slow("lb", 3.0), "4s")),
    (at: "6s", do: "fail web 10%"),
    (at: "7s", do: Inject("flapping lb <-> web 1s")),
    (at: "9s", do: "bandwidth web -> lb 200kB for 5s"),
    (at: "10s", do: "mislead dns for 3s"),
    (at: "12s", do: "thundering-herd 2 for 5s"),
    (at: "14s", do: "chaos every 2s mend 1s"),
]"#;

#[test]
fn histories_do_not_depend_on_windows_or_slices() {
    let layout = shipped("04");
    let script = Script::parse(SCRIPT, "script").unwrap_or_else(|error| panic!("{error}"));
    script.check(&layout).unwrap_or_else(|error| panic!("{error}"));
    let run = |windows: Option<u64>, slice: f64| {
        let mut world = World::build(&layout, 5);
        if let Some(windows) = windows {
            world.narrow_windows(windows);
        }
        for (at, command) in script.timed() {
            while world.now().elapsed() < at {
                let left = at.saturating_sub(world.now().elapsed());
                world.advance(left.min(Duration::from_secs_f64(slice)));
            }
            world
                .apply(command)
                .unwrap_or_else(|error| panic!("{command}: {error}"));
        }
        while world.now().elapsed() < Duration::from_secs(40) {
            let left = Duration::from_secs(40).saturating_sub(world.now().elapsed());
            world.advance(left.min(Duration::from_secs_f64(slice)));
        }
        (world.digest(), world.frame().log)
    };
    let whole = run(None, 100.0);
    assert_eq!(run(None, 100.0), whole);
    assert_eq!(run(None, 0.037), whole, "slices");
    assert_eq!(run(Some(9), 100.0), whole, "windows");
}

#[test]
fn a_recording_of_injections_is_the_same_again() {
    let layout = shipped("04");
    let script = Script::parse(SCRIPT, "script").expect("a script");
    let mut session = Session::new(&layout, 5, &script);
    session.advance_to(Duration::from_secs(40));
    let first = session.end();
    assert!(first.refusals.is_empty(), "{:?}", first.refusals);
    assert_eq!(first.acts.len(), script.steps.len(), "only what was asked is recorded");
    let text = ron::to_string(&first.acts).expect("text");
    let acts: Vec<blastradius::replay::Act> = ron::from_str(&text).expect("acts");
    let mut again = Session::scheduled(&layout, 5, &acts);
    again.advance_to(Duration::from_secs(40));
    assert_eq!(again.end().digest, first.digest);
}

#[test]
fn scripts_know_what_a_fault_can_hit() {
    let layout = layout(
        r#"Layout(title: "t", users: {"people": (count: 10)},
            services: {"lb": LoadBalancer(to: "web"), "web": Web(machines: 2)})"#,
    );
    let check = |command: &str| {
        let source = format!("[(at: \"1s\", do: \"{command}\")]");
        let script = Script::parse(&source, "s.ron").unwrap_or_else(|error| panic!("{error}"));
        script.check(&layout).map_err(|error| error.message)
    };
    for command in [
        "kill web/1 for 3s",
        "crash-loop web/2",
        "flapping lb -> web/1",
        "hot-key people 20%",
        "expired-certificate lb",
        "bad-deploy web",
        "outage dns",
        "mend people",
        "expire all",
        "chaos web every 5s",
        "thundering-herd",
        "flush resolver",
    ] {
        check(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    }
    for (command, why) in [
        ("kill web/3 for 3s", "has the instances"),
        ("hot-key web 20%", "no population of users is named"),
        ("expired-certificate web", "no load balancer is named"),
        ("bad-deploy lb", "no web service is named"),
        ("outage web", "nothing that others run is named"),
        ("mislead web", "no name service is named"),
        ("chaos nothing every 5s", "nothing is named"),
    ] {
        let error = check(command).expect_err(command);
        assert!(error.contains(why), "{command}: {error}");
    }
}
