//! Rollouts: who is restarted is asked for nothing more before, where others can be asked; and what goes takes its incidents along.

use std::time::Duration;

use blastradius::command::Command;
use blastradius::layout::{Layout, find_shipped, parse};
use blastradius::observe::{Frame, Health};
use blastradius::world::World;

fn shipped(name: &str) -> Layout {
    let shipped = find_shipped(name).expect("it is shipped");
    parse(shipped.source, shipped.file).expect("it is a layout")
}

/// Does it, and returns what is said of it.
fn act(world: &mut World, text: &str) -> String {
    let command = Command::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    world
        .apply(&command)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .0
}

fn pass(world: &mut World, seconds: u64) -> Frame {
    world.advance(Duration::from_secs(seconds));
    world.frame()
}

/// A world in which a cache was added that the web tier is to ask.
fn with_cache(name: &str, machines: Option<u32>) -> World {
    let mut world = World::build(&shipped(name), 7);
    if let Some(machines) = machines {
        act(&mut world, &format!("scale web {machines}"));
    }
    act(&mut world, "add c Cache()");
    pass(&mut world, 40);
    world
}

fn restarts(frame: &Frame) -> Vec<&str> {
    let lines = frame.log.iter().map(|line| line.text.as_str());
    lines
        .filter(|text| text.starts_with("web/") && text.ends_with(" restarts") && !text.ends_with("then restarts"))
        .collect()
}

#[test]
fn a_rollout_behind_a_balancer_loses_no_request() {
    let mut world = with_cache("04", Some(3));
    let before = world.frame().total;
    let said = act(&mut world, "connect web -> c");
    assert!(
        said.contains("each machine once it has answered what it holds"),
        "{said}"
    );
    let mut drained = false;
    for _ in 0..1_200 {
        world.advance(Duration::from_millis(100));
        let frame = world.frame();
        drained |= frame
            .services
            .iter()
            .any(|state| state.instances.iter().any(|one| one.resting));
    }
    let after = world.frame();
    assert!(drained, "nobody was seen to drain");
    assert_eq!(restarts(&after), ["web/1 restarts", "web/2 restarts", "web/3 restarts"]);
    assert_eq!(after.total.failed, before.failed, "{:?}", after.causes);
    let rollout = after.incidents.last().expect("a rollout is an incident");
    assert_eq!((rollout.what.as_str(), rollout.failed), ("rollout of web", 0));
    assert!(rollout.healed.is_some(), "{rollout:?}");
    // The new software is what runs: the cache is asked.
    let cache = after
        .topology
        .services
        .iter()
        .position(|service| service.name == "c")
        .unwrap();
    assert!(after.services[cache].rate > 50.0, "{}", after.services[cache].rate);
}

#[test]
fn one_machine_alone_is_not_drained_and_the_cost_is_said() {
    let mut world = with_cache("02", None);
    let before = world.frame().total;
    let said = act(&mut world, "connect web -> c");
    assert!(said.contains("web has one machine: nobody answers for the"), "{said}");
    let after = pass(&mut world, 60);
    assert_eq!(restarts(&after), ["web/1 restarts"]);
    assert!(after.total.failed > before.failed);
    let rollout = after.incidents.last().expect("an incident");
    assert!(rollout.failed > 0 && rollout.healed.is_some(), "{rollout:?}");
}

#[test]
fn what_is_down_stays_down_and_does_not_hold_a_rollout_up() {
    let mut world = with_cache("04", Some(3));
    act(&mut world, "kill web/2");
    act(&mut world, "connect web -> c");
    let after = pass(&mut world, 120);
    assert_eq!(restarts(&after), ["web/1 restarts", "web/3 restarts"]);
    let web = after
        .topology
        .services
        .iter()
        .position(|service| service.name == "web")
        .unwrap();
    assert_eq!(after.services[web].instances[1].health, Health::Down);
}

#[test]
fn a_rollout_that_is_ended_or_overtaken_leaves_nobody_out() {
    for end in ["mend all", "disconnect web -> c"] {
        let mut world = with_cache("04", Some(3));
        act(&mut world, "connect web -> c");
        world.advance(Duration::from_millis(500));
        let resting = |world: &World| {
            let frame = world.frame();
            let all = frame.services.iter().flat_map(|state| state.instances.iter());
            all.filter(|one| one.resting).count()
        };
        assert_eq!(resting(&world), 1, "{end}");
        act(&mut world, end);
        let after = pass(&mut world, 120);
        assert_eq!(resting(&world), 0, "{end}");
        let lb = after.services.iter().find_map(|state| state.balancer.as_ref()).unwrap();
        let asked: Vec<bool> = lb.backends.iter().map(|backend| backend.share > 0.1).collect();
        assert_eq!(asked, [true; 3], "{end}: {:?}", lb.backends);
        assert!(
            after.incidents.iter().all(|incident| incident.healed.is_some()),
            "{end}"
        );
    }
}

/// Whether the machines of a service have had work in the last seconds, those left out that leave.
fn busy(frame: &Frame, name: &str) -> Vec<bool> {
    let place = place(frame, name);
    let staying = frame.services[place].instances.iter().filter(|one| !one.draining);
    staying
        .map(|one| one.trend.iter().rev().take(20).sum::<f32>() > 0.0)
        .collect()
}

fn place(frame: &Frame, name: &str) -> usize {
    let mut services = frame.topology.services.iter();
    services.position(|service| service.name == name).expect("it is there")
}

fn resting(world: &World, name: &str) -> Vec<bool> {
    let frame = world.frame();
    let instances = &frame.services[place(&frame, name)].instances;
    instances.iter().map(|one| one.resting).collect()
}

#[test]
fn workers_whose_rollout_is_ended_or_overtaken_work_on() {
    for ends in [&["mend all"][..], &["connect editors -> db", "mend all"]] {
        let mut world = World::build(&shipped("14"), 7);
        act(&mut world, "add db2 Database()");
        pass(&mut world, 30);
        act(&mut world, "connect editors -> db2");
        world.advance(Duration::from_millis(400));
        // The one that takes the place of the rollout begins with the first again, while the second one has been told to end.
        let whose = [ends.len() == 1, ends.len() == 2];
        let mut waited = 0;
        while resting(&world, "editors")[..2] != whose {
            world.advance(Duration::from_millis(100));
            waited += 1;
            assert!(waited < 600, "{ends:?}: {whose:?}");
        }
        for end in ends {
            act(&mut world, end);
            world.advance(Duration::from_millis(100));
        }
        let after = pass(&mut world, 60);
        let busy = busy(&after, "editors");
        assert!(busy.len() >= 2 && busy.iter().all(|busy| *busy), "{ends:?}: {busy:?}");
    }
}

#[test]
fn who_rests_leaves_before_those_that_serve() {
    let mut world = with_cache("04", None);
    act(&mut world, "connect web -> c");
    world.advance(Duration::from_millis(500));
    assert_eq!(resting(&world, "web"), [true, false]);
    let said = act(&mut world, "scale web 1");
    assert!(said.starts_with("draining web/1:"), "{said}");
    let after = pass(&mut world, 60);
    // Who leaves is not restarted.
    assert_eq!(restarts(&after), ["web/2 restarts"]);
    assert_eq!(resting(&world, "web"), [false]);
}

#[test]
fn a_rollout_waits_while_nobody_else_serves() {
    let waits = |frame: &Frame| {
        let lines = frame.log.iter();
        lines
            .filter(|line| line.text.starts_with("rollout of web waits"))
            .count()
    };
    // Killed before, while it restarts, and while the other one has been told to end.
    for (before, after, victim) in [
        (None, 7_000, "web/1"),
        (None, 500, "web/2"),
        (Some("web/2"), 500, "web/2"),
    ] {
        let mut world = with_cache("04", None);
        if let Some(victim) = before {
            act(&mut world, &format!("kill {victim}"));
            pass(&mut world, 20);
        }
        let said = act(&mut world, "connect web -> c");
        assert_eq!(
            said.contains("once others serve: now they do not"),
            before.is_some(),
            "{said}"
        );
        assert!(!said.contains("has one machine"), "{said}");
        world.advance(Duration::from_millis(after));
        if before.is_none() {
            act(&mut world, &format!("kill {victim}"));
        }
        let found = pass(&mut world, 20);
        let failed = found.total.failed;
        let so_far = restarts(&found).len();
        let found = pass(&mut world, 160);
        assert_eq!(
            (restarts(&found).len(), waits(&found)),
            (so_far, 1),
            "{before:?} {victim}"
        );
        assert_eq!(found.total.failed, failed, "{before:?} {victim}");
        assert!(
            found
                .incidents
                .iter()
                .any(|one| one.what == "rollout of web" && one.healed.is_none())
        );
        act(&mut world, &format!("mend {victim}"));
        let found = pass(&mut world, 90);
        assert_eq!(found.total.failed, failed, "{before:?} {victim}: {:?}", found.causes);
        assert!(restarts(&found).len() > so_far, "{before:?} {victim}");
        let open = found.incidents.iter().filter(|one| one.healed.is_none());
        assert_eq!(open.count(), 0, "{before:?} {victim}");
    }
}

#[test]
fn an_incident_ends_when_what_it_names_has_left() {
    for fault in [
        "kill web/3",
        "destroy web/3",
        "cut web/3 <-> db",
        "kill web/3 for 10m",
        "slow web/3 10 for 10m",
        "crash-loop web/3 5s for 10m",
    ] {
        let mut world = World::build(&shipped("04"), 7);
        act(&mut world, "scale web 3");
        pass(&mut world, 30);
        act(&mut world, fault);
        pass(&mut world, 30);
        assert!(world.frame().incidents[0].healed.is_none(), "{fault}");
        act(&mut world, "scale web 2");
        let after = pass(&mut world, 60);
        assert!(after.incidents[0].healed.is_some(), "{fault}: {:?}", after.incidents[0]);
    }
    let mut world = with_cache("04", None);
    act(&mut world, "connect web -> c");
    pass(&mut world, 60);
    act(&mut world, "cut web -> c for 10m");
    pass(&mut world, 10);
    act(&mut world, "disconnect web -> c");
    pass(&mut world, 60);
    act(&mut world, "remove c");
    let after = pass(&mut world, 30);
    let open: Vec<_> = after
        .incidents
        .iter()
        .filter(|incident| incident.healed.is_none())
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn one_machine_of_a_tier_is_not_removed_but_told_how() {
    let refusal = |layout: &str, before: Option<&str>, text: &str| {
        let mut world = World::build(&shipped(layout), 7);
        if let Some(before) = before {
            act(&mut world, before);
        }
        let command = Command::parse(text).expect("a command");
        world.apply(&command).expect_err(text).to_string()
    };
    for (layout, before, text, wanted) in [
        ("04", None, "remove web/2", "`scale web 1` leaves one less"),
        (
            "04",
            Some("scale web 5"),
            "remove web/2",
            "`scale web 4` leaves one less",
        ),
        (
            "04",
            Some("scale web 1"),
            "remove web/1",
            "what can be removed is the whole of it, `web`",
        ),
        ("08", None, "remove db/1", "the whole of it, `db`"),
        ("08", None, "remove cache/1", "the whole of it, `cache`"),
        ("08", None, "remove lb/1", "the whole of it, `lb`"),
        ("08", None, "connect web/1 -> cache", "name the whole service, `web`"),
        ("14", None, "remove editors/1", "the autoscaler sets how many there are"),
        ("13", None, "remove web/1", "write the data center in front"),
        ("06", None, "remove orders/1", "take it out of the layout file instead"),
    ] {
        let why = refusal(layout, before, text);
        let machine = text.split(' ').nth(1).unwrap();
        assert!(why.starts_with(&format!("`{machine}` is one ")), "{layout}: {why}");
        assert!(why.contains(wanted), "{layout}: {why}");
        assert_eq!(why.contains("`scale "), wanted.contains("`scale "), "{layout}: {why}");
    }
}

#[test]
fn more_machines_than_there_is_room_for_are_refused_with_what_to_type() {
    let mut world = World::build(&shipped("04"), 7);
    let command = Command::parse("scale web 100000").unwrap();
    let why = world.apply(&command).unwrap_err().to_string();
    let (limit, most) = why.split_once("`scale web ").expect("what to type");
    assert!(limit.contains("at most 100,000 machines"), "{why}");
    let most: u32 = most.split('`').next().unwrap().parse().unwrap();
    let topology = world.frame().topology;
    let mut machines: Vec<&str> = topology
        .services
        .iter()
        .flat_map(|one| one.instances.iter().map(|instance| instance.machine.as_str()))
        .collect();
    machines.sort_unstable();
    machines.dedup();
    assert_eq!(most as usize, 100_000 - machines.len() + 2, "{why}");
    let more = Command::parse(&format!("scale web {}", most + 1)).unwrap();
    assert_eq!(world.apply(&more).unwrap_err().to_string(), why);
}
