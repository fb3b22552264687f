//! Services that are added, removed and connected while the system runs, and the file that says what it has become.

use std::collections::BTreeSet;
use std::time::Duration;

use blastradius::command::{Command, SETTINGS, Script};
use blastradius::layout::{Layout, SHIPPED, Service, find_shipped, parse};
use blastradius::observe::{Frame, Health, Kind, Topology};
use blastradius::replay::Session;
use blastradius::world::World;

fn shipped(name: &str) -> Layout {
    let shipped = find_shipped(name).expect("it is shipped");
    parse(shipped.source, shipped.file).expect("it is a layout")
}

fn act(world: &mut World, text: &str) {
    let command = Command::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    world.apply(&command).unwrap_or_else(|error| panic!("{text}: {error}"));
}

fn refused(world: &mut World, text: &str) -> String {
    let digest = world.digest();
    let command = Command::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let why = world.apply(&command).expect_err(text).to_string();
    assert_eq!(world.digest(), digest, "{text} was refused, so nothing has changed");
    why
}

fn pass(world: &mut World, seconds: u64) -> Frame {
    world.advance(Duration::from_secs(seconds));
    world.frame()
}

fn service(frame: &Frame, name: &str) -> usize {
    let all = &frame.topology.services;
    all.iter()
        .position(|service| service.name == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

/// What a topology is, whatever the order in which its services came.
fn shape(topology: &Topology) -> (BTreeSet<String>, BTreeSet<String>) {
    let there = || topology.services.iter().filter(|service| service.kind != Kind::Removed);
    let services = there().map(|service| {
        let sizes: Vec<&str> = service.instances.iter().map(|one| one.size.as_str()).collect();
        format!("{} {:?} {} {sizes:?}", service.selector, service.kind, service.detail)
    });
    let name = |index: usize| topology.services[index].selector.as_str();
    let links = topology
        .links
        .iter()
        .map(|link| format!("{} -> {} {:?}", name(link.from), name(link.to), link.kind));
    (services.collect(), links.collect())
}

/// The layout that a world says it is.
fn kept(world: &World) -> Layout {
    let topology = &world.frame().topology;
    assert!(topology.unkept.is_empty(), "{:?}", topology.unkept);
    parse(&topology.layout, "kept.ron").unwrap_or_else(|error| panic!("{error}\n{}", topology.layout))
}

#[test]
fn a_cache_that_is_added_and_connected_takes_reads_off_the_database() {
    let mut world = World::build(&shipped("02"), 7);
    let before = pass(&mut world, 20);
    act(&mut world, "add cache Cache(items: 5000, ttl: \"60s\")");
    let added = pass(&mut world, 10);
    let cache = service(&added, "cache");
    assert!(added.services[cache].rate < 0.5, "nobody calls it yet");
    act(&mut world, "connect web -> cache");
    let after = pass(&mut world, 90);
    let hits = after.services[cache]
        .cache
        .as_ref()
        .expect("it is a cache")
        .recent
        .hit_ratio();
    assert!(hits.is_some_and(|ratio| ratio > 0.25), "{hits:?}");
    let asked = |frame: &Frame| frame.services[service(frame, "db")].rate;
    assert!(
        asked(&after) < 0.9 * asked(&before),
        "{} {}",
        asked(&before),
        asked(&after)
    );
    // And back.
    assert!(refused(&mut world, "remove cache").contains("web calls cache"));
    act(&mut world, "disconnect web -> cache");
    pass(&mut world, 20);
    act(&mut world, "remove cache");
    let end = pass(&mut world, 20);
    assert!(
        end.topology
            .services
            .iter()
            .all(|service| service.name != "cache" || service.kind == Kind::Removed)
    );
    assert!(end.price_per_hour <= before.price_per_hour, "its machine has left");
    assert!(refused(&mut world, "kill cache").contains("nothing here is called"));
    assert_eq!(shape(&end.topology), shape(&before.topology));
    assert_eq!(kept(&world), shipped("02"));
    // One can come in its place, by the same name.
    act(&mut world, "add cache Cache()");
    act(&mut world, "connect web -> cache");
    let again = pass(&mut world, 60);
    assert!(again.recent.failed * 100 < again.recent.sent, "{:?}", again.recent);
}

#[test]
fn a_balancer_that_is_added_is_the_entry_point_once_the_addresses_have_run_out() {
    let mut world = World::build(&shipped("02"), 7);
    pass(&mut world, 10);
    act(&mut world, "add lb LoadBalancer(to: \"web\")");
    let soon = pass(&mut world, 5);
    let lb = service(&soon, "lb");
    assert!(soon.topology.services[lb].instances[0].public);
    let sent = pass(&mut world, 180);
    let users = service(&sent, "people");
    let by_lb = sent.services[lb].rate / sent.services[users].rate.max(1.0);
    assert!(by_lb > 0.9, "{by_lb}");
    act(&mut world, "scale web 3");
    let more = pass(&mut world, 30);
    assert_eq!(
        more.services[lb].balancer.as_ref().expect("it balances").backends.len(),
        3
    );
    assert_eq!(more.recent.failed, 0, "nobody is hurt");
    let again = World::build(&kept(&world), 7);
    assert_eq!(shape(&again.frame().topology), shape(&more.topology));
}

#[test]
fn every_kind_of_service_can_be_added_to_every_shipped_layout_and_removed_again() {
    let more = [
        ("web", "Web(machines: 2, QUEUE)"),
        (
            "balancer",
            "LoadBalancer(to: \"extra-web\", machines: 2, pair: Floating())",
        ),
        ("functions", "Serverless(QUEUE)"),
        ("store", "SessionStore()"),
        (
            "data",
            "Database(machines: 3, replication: PrimaryReplicas(failover: Automatic()))",
        ),
        ("cache", "Cache(machines: 2)"),
        ("queue", "Queue(retention: \"1h\")"),
        ("workers", "Consumer(of: \"extra-queue\", machines: 2)"),
    ];
    for shipped in SHIPPED {
        // The largest ones take minutes in this build, and have nothing that the others have not.
        if shipped.number() == "16" {
            continue;
        }
        let layout = parse(shipped.source, shipped.file).unwrap();
        let site = layout.data_centers.keys().next().unwrap().clone();
        let mut world = World::build(&layout, 7);
        world.advance(Duration::from_millis(1_500));
        let before = world.frame();
        // Where people upload, all that makes pages publishes.
        let uploads = layout.users.values().any(|users| users.asks.upload > 0.0);
        let queue = layout.data_centers[&site]
            .services
            .iter()
            .find_map(|(name, service)| match service {
                Service::Queue(queue) if uploads && queue.retention.is_some() => Some(name),
                Service::Queue(_) if uploads && layout.data_centers[&site].consumers_of(name).count() > 0 => Some(name),
                _ => None,
            });
        let queue = queue.map_or(String::new(), |name| format!("queue: {name:?}"));
        for (name, kind) in more {
            let kind = kind.replace("QUEUE", &queue);
            act(&mut world, &format!("add {site}/extra-{name} {kind}"));
        }
        world.advance(Duration::from_millis(1_500));
        let grown = kept(&world);
        assert_eq!(
            shape(&World::build(&grown, 7).frame().topology),
            shape(&world.frame().topology),
            "{}",
            shipped.file
        );
        // Who calls goes before whom it calls.
        for (name, _) in more.iter().skip(1).rev().chain(&more[..1]) {
            act(&mut world, &format!("remove {site}/extra-{name}"));
        }
        world.advance(Duration::from_secs(3));
        let after = world.frame();
        assert_eq!(shape(&after.topology), shape(&before.topology), "{}", shipped.file);
        assert_eq!(kept(&world), layout, "{}", shipped.file);
        assert!(after.price_per_hour <= before.price_per_hour + 1e-9, "{}", shipped.file);
    }
}

#[test]
fn photos_are_worked_on_by_workers_that_came_later() {
    let mut world = World::build(&shipped("02"), 7);
    act(&mut world, "add photos Queue(retention: \"1h\")");
    act(
        &mut world,
        "add resizers Consumer(of: \"photos\", machines: 2, work: Exponential(\"100ms\"))",
    );
    act(&mut world, "connect web -> photos");
    let frame = pass(&mut world, 20);
    let links = shape(&frame.topology).1;
    assert!(
        links.contains("web -> photos Messages") && links.contains("photos -> resizers Messages"),
        "{links:?}"
    );
    act(&mut world, "add thumbs Consumer(of: \"photos\")");
    act(&mut world, "add films Queue(retention: \"1h\")");
    act(&mut world, "connect thumbs -> films");
    let frame = pass(&mut world, 20);
    assert!(shape(&frame.topology).1.contains("films -> thumbs Messages"));
    assert_eq!(
        shape(&World::build(&kept(&world), 7).frame().topology),
        shape(&frame.topology)
    );
}

#[test]
fn people_begin_to_upload_once_somebody_publishes_it() {
    let mut world = World::build(&shipped("04"), 7);
    pass(&mut world, 10);
    let people = "set people asks page=80,update=10,upload=10";
    let why = refused(&mut world, people);
    assert!(why.contains("name its `queue`"), "{why}");
    act(&mut world, "add photos Queue(retention: \"1h\")");
    act(
        &mut world,
        "add resizers Consumer(of: \"photos\", machines: 2, slots: 8, work: Exponential(\"100ms\"))",
    );
    act(&mut world, "connect web -> photos");
    act(&mut world, people);
    // A server that was started before there was a queue can't publish, and says so.
    let frame = pass(&mut world, 3);
    let uploads = |frame: &Frame| frame.services[service(frame, "people")].users.as_ref().unwrap().by_ask[6];
    assert_eq!(uploads(&frame).ok, 0);
    assert!(uploads(&frame).failed > 0);
    pass(&mut world, 60);
    let frame = pass(&mut world, 30);
    let photos = frame.services[service(&frame, "photos")]
        .queue
        .as_ref()
        .expect("a queue");
    let asked = frame.services[service(&frame, "people")]
        .users
        .as_ref()
        .expect("people");
    assert!(
        (photos.rate_in / asked.rate - 0.1).abs() < 0.05,
        "{} of {}",
        photos.rate_in,
        asked.rate
    );
    assert_eq!(
        kept(&world).users["people"].asks.weights().to_vec(),
        asked.asks.to_vec()
    );
    // Nobody creates any more, and what is connected can't be taken away.
    let creates = |frame: &Frame| frame.services[service(frame, "people")].users.as_ref().unwrap().by_ask[2].ok;
    let before = creates(&frame);
    assert_eq!(creates(&pass(&mut world, 20)), before);
    let why = refused(&mut world, "disconnect web -> photos");
    assert!(why.contains("upload"), "{why}");
}

#[test]
fn the_same_edits_give_the_same_history_and_a_script_may_name_what_it_adds() {
    let script = Script::parse(
        r#"[
            (at: "2s", do: "add cache Cache()"),
            (at: "4s", do: "connect web -> cache"),
            (at: "20s", do: "kill cache"),
            (at: "25s", do: "set cache ttl 5s"),
            (at: "30s", do: "mend cache"),
        ]"#,
        "script.ron",
    )
    .unwrap();
    let layout = shipped("04");
    script.check(&layout).unwrap();
    let run = |slices: u64| {
        let mut session = Session::new(&layout, 11, &script);
        for slice in 1..=slices {
            session.advance_to(Duration::from_millis(40_000 * slice / slices));
        }
        assert!(session.refusals().is_empty(), "{:?}", session.refusals());
        session.digest().to_string()
    };
    assert_eq!(run(1), run(37));
    let unknown = Script::parse(
        r#"[(at: "1s", do: "kill cache"), (at: "2s", do: "add cache Cache()")]"#,
        "script.ron",
    )
    .unwrap();
    assert!(unknown.check(&layout).is_err(), "it is not there yet");
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let mut world = World::build(&shipped("04"), 7);
    pass(&mut world, 2);
    for (text, why) in [
        ("add web Web()", "already"),
        ("add other/cache Cache()", "no data center"),
        ("add cache Cache(machine: 2)", "machine"),
        ("add lb2 LoadBalancer(to: \"wob\")", "wob"),
        ("connect web -> lb", "does not call"),
        ("connect lb -> web", "already"),
        ("disconnect lb -> web", "nothing to do without"),
        ("remove web", "lb calls web"),
        ("remove wob", "no service is called"),
        ("connect db -> web", "does not call"),
    ] {
        let said = refused(&mut world, text);
        assert!(said.contains(why), "{text}: {said}");
    }
    assert!(
        Command::parse("add cache Cash()")
            .unwrap_err()
            .to_string()
            .contains("Cache")
    );
    assert!(Command::parse("connect web <-> db").is_err());
    assert!(Command::parse("add cache Cache() for 10s").is_err());
}

#[test]
fn what_is_set_while_it_runs_stands_in_the_file() {
    let (mut strangers, mut unkept_ones) = (Vec::new(), Vec::new());
    for setting in SETTINGS {
        // As in its example, or else of any service that has it.
        let mut words = setting.example.splitn(3, ' ');
        let (named, value) = (words.nth(1).unwrap(), words.next().unwrap());
        let fits = SHIPPED
            .iter()
            .filter(|shipped| shipped.number() != "16")
            .find_map(|shipped| {
                let layout = parse(shipped.source, shipped.file).unwrap();
                let mut world = World::build(&layout, 7);
                let topology = world.frame().topology;
                let all = topology.services.iter().map(|service| service.selector.as_str());
                let mut lines = std::iter::once(named)
                    .chain(all)
                    .map(|target| format!("set {target} {value}"));
                let command = lines.find_map(|line| {
                    let command = Command::parse(&line).unwrap();
                    world.apply(&command).is_ok().then_some(command)
                });
                command.map(|command| (world, command))
            });
        let Some((world, command)) = fits else {
            strangers.push(setting.name);
            continue;
        };
        let topology = world.frame().topology;
        if let [unkept] = topology.unkept.as_slice() {
            assert_eq!(*unkept, command.to_string());
            unkept_ones.push(setting.name);
            continue;
        }
        let file = parse(&topology.layout, "kept.ron").unwrap_or_else(|error| panic!("{}: {error}", setting.example));
        // A world of the file is as this one is.
        let again = World::build(&file, 7);
        assert_eq!(shape(&again.frame().topology), shape(&topology), "{}", setting.example);
        assert_eq!(again.settings(), world.settings(), "{}", setting.example);
    }
    // A layout has no switch for an autoscaler, and where nobody was sent anywhere, no health checks without others.
    assert_eq!(unkept_ones, ["autoscaler", "routing"]);
    assert!(strangers.is_empty(), "{strangers:?} fit nothing that is shipped");
}

#[test]
fn what_is_removed_is_gone_and_another_may_come_by_its_name() {
    let mut world = World::build(&shipped("02"), 7);
    pass(&mut world, 10);
    let acknowledged = world.frame();
    let written = acknowledged.services[service(&acknowledged, "db")]
        .database
        .as_ref()
        .unwrap()
        .promises
        .acknowledged;
    assert!(written > 100, "{written}");
    act(&mut world, "add db2 Database(rows: 1000)");
    act(&mut world, "connect web -> db2");
    pass(&mut world, 20);
    act(&mut world, "remove db");
    // What only its disk held is lost, and counted.
    let gone = pass(&mut world, 2);
    assert!(
        gone.lost_writes > written / 2,
        "{} of {written}: the last ones of each row",
        gone.lost_writes
    );
    for (name, text) in [("db", "Database(rows: 1000)"), ("cache", "Cache(machines: 3)")] {
        act(&mut world, &format!("add {name} {text}"));
        act(&mut world, &format!("connect web -> {name}"));
        pass(&mut world, 20);
        act(&mut world, &format!("disconnect web -> {name}"));
        act(&mut world, &format!("remove {name}"));
        pass(&mut world, 1);
        act(&mut world, &format!("add {name} {text}"));
        act(&mut world, &format!("connect web -> {name}"));
        let frame = pass(&mut world, 30);
        let all = frame.topology.services.iter().zip(&frame.services);
        let (_, state) = all.rev().find(|(info, _)| info.name == name).expect("it is there");
        assert!(
            state.instances.iter().all(|one| one.health == Health::Up),
            "{name}: {:?}",
            state.instances
        );
        assert!(
            frame.recent.failed * 100 < frame.recent.sent,
            "{name}: {:?}",
            frame.recent
        );
    }
    assert_eq!(
        shape(&World::build(&kept(&world), 7).frame().topology).1,
        shape(&world.frame().topology).1
    );
}

#[test]
fn the_messages_of_a_queue_that_is_removed_are_lost_and_counted() {
    let mut world = World::build(&shipped("14"), 7);
    act(&mut world, "kill editors");
    pass(&mut world, 20);
    for command in [
        "set photos retention 1h",
        "set dead-photos retention 1h",
        "add photos2 Queue(retention: \"1h\")",
        "connect web -> photos2",
        "connect editors -> photos2",
    ] {
        act(&mut world, command);
    }
    let before = pass(&mut world, 15);
    let waiting = before.services[service(&before, "photos")].queue.as_ref().unwrap().held;
    assert!(waiting > 50, "{waiting}");
    act(&mut world, "remove photos");
    let after = pass(&mut world, 2);
    let lost: u64 = after.incidents.iter().map(|incident| incident.lost_jobs).sum();
    assert!(lost >= waiting, "{lost} of {waiting}");
}

#[test]
fn a_later_change_takes_nothing_back_that_no_layout_could_say() {
    let mut world = World::build(&shipped("11"), 7);
    pass(&mut world, 2);
    act(&mut world, "set * sessions token");
    let set = world.settings();
    act(&mut world, "add spare Queue(retention: \"1h\")");
    let after = world.settings();
    for (name, was) in set {
        assert_eq!(after[&name], was, "{name}");
    }
}

#[test]
fn a_setting_of_all_is_kept_of_all_that_have_it() {
    let mut world = World::build(&shipped("13"), 7);
    act(&mut world, "set * ttl 5s");
    act(&mut world, "set */* ttl 7s");
    let file = kept(&world);
    assert_eq!(World::build(&file, 7).settings(), world.settings());
}

#[test]
fn experiments_and_expectations_that_name_what_is_removed_go_with_it_alone() {
    for (name, database) in [("04", "db"), ("15", "db")] {
        let layout = shipped(name);
        let mut world = World::build(&layout, 7);
        act(&mut world, "add other Database()");
        act(&mut world, "connect web -> other");
        pass(&mut world, 30);
        act(&mut world, &format!("remove {database}"));
        let left = kept(&world);
        assert!(
            left.experiments.len() < layout.experiments.len() || name == "04",
            "{name}"
        );
        assert!(left.expect.len() <= layout.expect.len(), "{name}");
    }
    let two = Command::parse("add x Cache(), \"y\": Cache()").unwrap_err().to_string();
    assert!(two.contains("end of the file"), "{two}");
}

#[test]
fn whoever_leaves_answers_what_it_holds_first() {
    let slow = "(title: \"slow\", users: {\"people\": (count: 100, every: \"5s\", patience: \"20s\")}, services: {
        \"lb\": LoadBalancer(to: \"web\", calls: (timeout: \"20s\")), \"web\": Web(machines: 2, work: Constant(\"800ms\"), size: \"4xl\")})";
    let mut world = World::build(&parse(slow, "slow.ron").unwrap(), 7);
    act(
        &mut world,
        "add web2 Web(machines: 2, work: Constant(\"800ms\"), size: \"4xl\")",
    );
    pass(&mut world, 20);
    act(&mut world, "connect lb -> web2");
    act(&mut world, "remove web");
    let after = pass(&mut world, 20);
    assert_eq!(after.total.failed, 0, "{:?}", after.causes);
    assert!(after.log.iter().any(|line| line.text == "web/1 has left"));
}
