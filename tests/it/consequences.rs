//! What must be seen when something breaks: by itself, from the mechanics.

use std::time::Duration;

use blastradius::command::Command;
use blastradius::layout::Size;
use blastradius::observe::{Frame, Health};
use blastradius::protocol::Reason;
use blastradius::world::World;

use crate::build::{layout, shipped};
use crate::story::{act, cause, instance, only_incident, story};

fn after(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn a_dead_server_is_noticed_after_interval_times_threshold_and_not_before() {
    // Checks every 2 s, three of them must fail: the first one comes at most one interval after the death.
    for seed in 0..20 {
        let frame = story(&shipped("04"), seed, &[(10.0, "kill web/1")], 20.0).frame();
        let incident = only_incident(&frame);
        let noticed = incident.noticed.as_ref().expect("it is noticed").at - incident.injected;
        assert!(
            noticed >= after(4.0) && noticed <= after(6.01),
            "seed {seed}: noticed after {noticed:?}"
        );
        assert_eq!(
            incident.noticed.as_ref().map(|noticed| noticed.who.as_str()),
            Some("lb")
        );
        assert!(
            incident.retried > 100 && incident.failed > 10,
            "reads are retried, writes fail: {incident:?}"
        );
        assert!(incident.served.is_some() && incident.healed.is_none());
        let later = frame.history.last().expect("a second has passed").tally;
        assert_eq!((later.failed, later.retried), (0, 0), "web/2 carries all");
    }
}

#[test]
fn a_crash_resets_what_was_in_progress_and_refuses_what_comes() {
    let layout = layout(
        r#"Layout(title: "slow pages", about: "",
            users: { "people": (count: 200, every: "1s", asks: (page: 0, asset: 1, create: 0, update: 0, delete: 0), browser: false) },
            services: { "web": Web(size: "4xl", work: Constant("100ms"), asset: 1.0) })"#,
    );
    let mut world = story(&layout, 1, &[(5.0, "kill web/1")], 5.0);
    let busy = instance(&story(&layout, 1, &[], 5.0).frame(), "web/1").busy_slots;
    assert!(busy > 10, "pages are in progress: {busy}");
    world.advance(after(3.0));
    let frame = world.frame();
    assert_eq!(cause(&frame, Reason::Reset, "web/1"), u64::from(busy));
    assert!(cause(&frame, Reason::Refused, "web/1") > 400);
    let state = instance(&frame, "web/1");
    assert_eq!((state.health, state.busy_slots, state.backlog), (Health::Down, 0, 0));
}

#[test]
fn a_destroyed_machine_is_silent() {
    let layout = layout(
        r#"Layout(title: "patience", about: "",
            users: { "people": (count: 100, every: "1s", patience: "2s") },
            services: { "web": Web(database: "db"), "db": Database() })"#,
    );
    let frame = story(&layout, 1, &[(5.0, "destroy web/1")], 15.0).frame();
    assert_eq!(cause(&frame, Reason::Refused, "web/1"), 0);
    assert!(cause(&frame, Reason::TimedOut, "web/1") > 500);
    assert_eq!(instance(&frame, "web/1").health, Health::Destroyed);
}

#[test]
fn work_for_callers_who_have_left_goes_on() {
    let layout = layout(
        r#"Layout(title: "impatience", about: "",
            users: { "people": (count: 50, every: "1s", patience: "100ms", asks: (page: 0, asset: 1, create: 0, update: 0, delete: 0), browser: false) },
            services: { "web": Web(size: "4xl", slots: 1_000, work: Constant("500ms"), asset: 1.0) })"#,
    );
    let frame = story(&layout, 1, &[], 10.0).frame();
    assert_eq!(frame.total.ok, 0, "nobody waits long enough");
    let web = instance(&frame, "web/1");
    assert!(web.ok > 400, "the server answers all the same: {}", web.ok);
    assert!(
        (web.mean_utilisation - 50.0 * 0.5 / 64.0).abs() < 0.05,
        "and works: {}",
        web.mean_utilisation
    );
}

#[test]
fn a_hung_server_accepts_and_never_answers() {
    let frame = story(&shipped("04"), 2, &[(10.0, "hang web/1")], 25.0).frame();
    assert_eq!(instance(&frame, "web/1").health, Health::Hung);
    assert!(cause(&frame, Reason::TimedOut, "web/1") > 0);
    assert_eq!(cause(&frame, Reason::Refused, "web/1"), 0);
    assert!(only_incident(&frame).noticed.is_some());
}

#[test]
fn a_cut_is_silence_in_one_direction_too() {
    for link in ["lb -> web/1", "web/1 -> lb", "lb <-> web/1"] {
        let frame = story(&shipped("04"), 2, &[(10.0, &format!("cut {link}"))], 25.0).frame();
        let incident = only_incident(&frame);
        assert!(cause(&frame, Reason::TimedOut, "web/1") > 0, "{link}");
        assert_eq!(cause(&frame, Reason::Refused, "web/1"), 0, "{link}");
        let healed = story(
            &shipped("04"),
            2,
            &[(10.0, &format!("cut {link}")), (25.0, &format!("join {link}"))],
            40.0,
        )
        .frame();
        assert!(healed.incidents[0].healed.is_some(), "{link}: {incident:?}");
    }
}

#[test]
fn single_server_everything_stops_and_comes_back_with_its_data() {
    let rows = |frame: &Frame| {
        frame
            .services
            .iter()
            .find_map(|service| service.database.clone())
            .expect("a database")
            .rows
    };
    let world = story(&shipped("01"), 3, &[(10.0, "kill server")], 12.0);
    let frame = world.frame();
    assert_eq!(frame.history.last().expect("a second").tally.ok, 0);
    let kept = rows(&frame);
    let frame = story(&shipped("01"), 3, &[(10.0, "kill server"), (12.0, "mend server")], 60.0).frame();
    assert!(only_incident(&frame).healed.is_some());
    assert!(
        rows(&frame).abs_diff(kept) < 2_000 && rows(&frame) > 50_000,
        "the data is still there"
    );
    assert_eq!(frame.lost_writes, 0);
    let frame = story(
        &shipped("01"),
        3,
        &[(10.0, "destroy server"), (12.0, "mend server")],
        60.0,
    )
    .frame();
    assert!(rows(&frame) < 10_000, "the data is gone: {}", rows(&frame));
    assert!(
        frame.lost_writes > 100,
        "and what was promised with it: {}",
        frame.lost_writes
    );
    assert_eq!(only_incident(&frame).lost_writes, frame.lost_writes);
}

#[test]
fn without_dns_users_go_on_until_their_resolver_forgets() {
    let mut world = story(&shipped("01"), 4, &[(30.0, "kill dns")], 30.0);
    let mut failing = Vec::new();
    for _ in 0..8 {
        world.advance(after(10.0));
        let frame = world.frame();
        let tally = frame.recent;
        failing.push(1.0 - tally.ok_ratio());
    }
    assert!(failing[0] < 0.4, "most go on at first: {failing:?}");
    assert!(failing[7] > 0.99, "all fail when every answer has expired: {failing:?}");
    assert!(
        failing.windows(2).all(|pair| pair[0] <= pair[1] + 0.05),
        "one resolver after the other: {failing:?}"
    );
    assert!(cause(&world.frame(), Reason::DnsFailure, "dns") > 0);
    act(&mut world, "mend dns");
    world.advance(after(30.0));
    assert!(world.frame().recent.ok_ratio() > 0.999);
}

#[test]
fn past_its_capacity_one_machine_makes_users_wait_without_bound() {
    let mut world = story(&shipped("01"), 5, &[], 20.0);
    let calm = world.frame().recent_latency.mean;
    act(&mut world, "surge 2");
    world.advance(after(20.0));
    let doubled = world.frame().recent_latency.mean;
    act(&mut world, "surge 4");
    world.advance(after(10.0));
    let early = world.frame();
    world.advance(after(20.0));
    let late = world.frame();
    assert!(doubled > calm, "{doubled:?} {calm:?}");
    assert!(
        late.recent_latency.mean > doubled * 5,
        "{:?} {doubled:?}",
        late.recent_latency.mean
    );
    assert!(late.recent.ok_ratio() < 0.95 || late.recent_latency.mean > early.recent_latency.mean);
}

#[test]
fn a_dead_web_server_and_a_dead_database_fail_pages_for_different_reasons() {
    let frame = story(&shipped("02"), 6, &[(10.0, "kill web")], 15.0).frame();
    assert!(cause(&frame, Reason::Refused, "web/1") > 100);
    assert_eq!(frame.causes.iter().filter(|cause| cause.at == "db").count(), 0);
    let frame = story(&shipped("02"), 6, &[(10.0, "kill db")], 15.0).frame();
    assert!(cause(&frame, Reason::Refused, "db") > 100);
    assert_eq!(cause(&frame, Reason::Refused, "web/1"), 0);
}

#[test]
fn a_resize_is_an_outage_and_then_it_helps_until_there_is_no_larger_size() {
    let mut world = story(&shipped("03"), 7, &[], 20.0);
    let before = instance(&world.frame(), "web/1").utilisation;
    let size = world
        .frame()
        .topology
        .services
        .iter()
        .find(|service| service.name == "web")
        .expect("web")
        .instances[0]
        .size
        .clone();
    let next = Size::named(&size).and_then(Size::next).expect("a larger size");
    act(&mut world, &format!("resize web {}", next.name));
    world.advance(after(2.0));
    assert!(matches!(
        instance(&world.frame(), "web/1").health,
        Health::Booting { .. }
    ));
    world.advance(after(30.0));
    let frame = world.frame();
    assert!(instance(&frame, "web/1").utilisation < before * 0.7);
    assert!(frame.total.failed > 100, "everybody was turned away meanwhile");
    act(&mut world, "resize web 4xl");
    world.advance(after(10.0));
    assert!(Size::named("4xl").and_then(Size::next).is_none(), "there is no next");
    assert!(Command::parse("resize web 8xl").is_err());
    let again = Command::parse("resize web 4xl").expect("a command");
    assert!(
        world
            .apply(&again)
            .is_err_and(|error| error.0.contains("has size 4xl already"))
    );
}

#[test]
fn an_added_server_takes_its_share_and_a_removed_one_answers_what_it_holds() {
    let mut world = story(&shipped("04"), 8, &[(10.0, "scale web 3")], 30.0);
    let frame = world.frame();
    let balancer = frame
        .services
        .iter()
        .find_map(|service| service.balancer.clone())
        .expect("a balancer");
    let share = balancer
        .backends
        .iter()
        .find(|backend| backend.name == "web/3")
        .expect("web/3")
        .share;
    assert!((share - 1.0 / 3.0).abs() < 0.08, "web/3 has {share}");
    act(&mut world, "scale web 1");
    world.advance(after(10.0));
    let frame = world.frame();
    assert_eq!(frame.total.failed, 0, "nobody noticed");
    let web = frame
        .topology
        .services
        .iter()
        .find(|service| service.name == "web")
        .expect("web");
    assert_eq!(web.instances.len(), 1);
}

#[test]
fn without_the_balancer_all_is_lost() {
    let frame = story(&shipped("04"), 9, &[(10.0, "kill lb")], 20.0).frame();
    assert_eq!(frame.history.last().expect("a second").tally.ok, 0);
    assert!(cause(&frame, Reason::Refused, "lb") > 1_000);
}

#[test]
fn a_refused_command_changes_nothing() {
    let mut world = story(&shipped("04"), 10, &[], 5.0);
    let (digest, log) = (world.digest(), world.frame().log_total);
    for command in [
        "kill people",
        "kill wbe/1",
        "mend web/1",
        "scale db 2",
        "scale web/1 3",
        "scale web 2",
        "resize web s",
        "join lb -> web",
        "balance web random",
        "surge db 2",
        "surge 1",
        "cut lb -> lb",
        "resize dns m",
        "mend all",
    ] {
        let command = Command::parse(command).expect("a command in form");
        assert!(world.apply(&command).is_err(), "{command} was not refused");
    }
    assert_eq!((digest, log), (world.digest(), world.frame().log_total));
}

#[test]
fn after_a_destroyed_machine_was_replaced_calls_time_out_as_before() {
    // The machine is away for longer than every timeout, so its timers fall due while it is gone.
    for (gone, hung, callee) in [("lb", "web/2", "web/2"), ("web", "db", "db")] {
        let acts = [
            (10.0, format!("destroy {gone}")),
            (40.0, format!("mend {gone}")),
            (60.0, format!("hang {hung}")),
        ];
        let acts: Vec<(f64, &str)> = acts.iter().map(|(at, act)| (*at, act.as_str())).collect();
        let mut world = story(&shipped("04"), 1, &acts, 80.0);
        assert!(
            cause(&world.frame(), Reason::TimedOut, callee) > 10,
            "nobody times out after {gone} was replaced"
        );
        act(&mut world, "mend all");
        world.advance(after(40.0));
        let frame = world.frame();
        assert!(frame.recent.ok_ratio() > 0.999, "{gone}: {:?}", frame.recent);
        for server in ["web/1", "web/2"] {
            assert!(instance(&frame, server).busy_slots < 20, "{server} is stuck");
        }
    }
}

#[test]
fn nobody_is_served_while_nothing_is_answered() {
    for command in [
        "kill web",
        "hang web",
        "hang db",
        "destroy db",
        "cut lb <-> web",
        "kill lb",
    ] {
        let mut world = story(&shipped("04"), 1, &[(10.0, command)], 10.0);
        for _ in 0..60 {
            world.advance(after(1.0));
            let frame = world.frame();
            let incident = only_incident(&frame);
            assert!(
                incident.served.is_none() && incident.healed.is_none(),
                "{command} at {}: {incident:?}",
                frame.at
            );
        }
        let frame = world.frame();
        // A full backlog may turn somebody away before the first request fails at the database itself.
        let (blamed, failed) = (only_incident(&frame).failed, frame.total.failed);
        assert!(
            blamed <= failed && blamed * 100 >= failed * 98,
            "{command}: {blamed} of {failed} failures are counted"
        );
        act(&mut world, "mend all");
        world.advance(after(60.0));
        assert!(only_incident(&world.frame()).healed.is_some(), "{command}");
    }
}

#[test]
fn an_answer_that_nobody_may_keep_serves_those_who_asked() {
    for ttl in ["0s", "1ms", "100ms"] {
        let layout = layout(&format!(
            r#"Layout(title: "ttl", about: "", users: {{ "people": (count: 500, every: "1s") }}, dns: (ttl: "{ttl}"),
                services: {{ "web": Web(database: "db"), "db": Database() }})"#
        ));
        let frame = story(&layout, 1, &[], 10.0).frame();
        assert_eq!(frame.total.failed, 0, "ttl {ttl}");
    }
}

#[test]
fn a_rule_holds_for_newcomers_and_is_removed_piece_by_piece() {
    let passing = |world: &World| {
        let frame = world.frame();
        let link = frame.topology.links.iter().position(|link| {
            let name = |service: usize| frame.topology.services[service].name.as_str();
            (name(link.from), name(link.to)) == ("lb", "web")
        });
        frame.links[link.expect("a link")].passing
    };
    let mut world = story(
        &shipped("04"),
        1,
        &[(5.0, "cut lb <-> web"), (6.0, "scale web 4")],
        30.0,
    );
    let frame = world.frame();
    assert_eq!(instance(&frame, "web/4").ok, 0, "web/4 is cut off too");
    act(&mut world, "mend web/1");
    assert!(
        (passing(&world) - 0.25).abs() < 1e-9,
        "the others are still cut off: {}",
        passing(&world)
    );
    act(&mut world, "join lb -> web/2");
    assert!((passing(&world) - 0.5).abs() < 1e-9);
    act(&mut world, "drop lb -> web 10%");
    act(&mut world, "drop lb -> web 20%");
    assert!(
        (passing(&world) - 0.4).abs() < 1e-9,
        "the second takes the place of the first: {}",
        passing(&world)
    );
    act(&mut world, "mend all");
    assert!((passing(&world) - 1.0).abs() < 1e-9);
}

#[test]
fn utilisation_is_measured_against_the_cores_that_were_there() {
    for size in ["xs", "4xl"] {
        let frame = story(&shipped("03"), 1, &[(50.0, &format!("resize web {size}"))], 100.0).frame();
        let web = instance(&frame, "web/1");
        assert!(
            web.mean_utilisation > 0.01 && web.mean_utilisation <= 1.0,
            "{size}: {}",
            web.mean_utilisation
        );
    }
}

#[test]
fn what_is_down_does_not_restart_by_a_resize() {
    let mut world = story(
        &shipped("04"),
        1,
        &[(5.0, "kill web/1"), (6.0, "resize web/1 xl")],
        30.0,
    );
    assert_eq!(world.frame().incidents.len(), 1);
    assert_eq!(instance(&world.frame(), "web/1").health, Health::Down);
    act(&mut world, "destroy web/1");
    assert!(
        world
            .apply(&Command::parse("resize web/1 m").expect("a command"))
            .is_err()
    );
}

#[test]
fn what_is_kept_for_requests_follows_the_traffic_and_not_the_age() {
    // A small key space, so that rows and promises are soon all there are. Faults come and go all the time.
    let layout = layout(
        r#"Layout(title: "age", about: "",
            users: { "people": (count: 200, every: "1s", patience: "2s", keys: Uniform(count: 50)) },
            services: { "lb": LoadBalancer(to: "web"), "web": Web(machines: 3, database: "db"), "db": Database(rows: 50) })"#,
    );
    let mut world = World::build(&layout, 1);
    let cycle = |world: &mut World, times: usize| {
        for _ in 0..times {
            for command in [
                "kill web/1",
                "hang web/2",
                "destroy web/3",
                "drop lb <-> web 5%",
                "mend all",
            ] {
                act(world, command);
                world.advance(after(4.0));
            }
            world.advance(after(20.0));
        }
        world.under_way()
    };
    let young = cycle(&mut world, 2);
    let old = cycle(&mut world, 20);
    assert!(old < young + 100, "{young} things were kept at first, {old} later");
}

#[test]
fn memory_follows_what_is_in_progress() {
    // After a storm of timeouts everything has been freed: what is busy is what is being served.
    let mut world = story(&shipped("04"), 11, &[(5.0, "hang db"), (20.0, "mend all")], 60.0);
    world.advance(after(10.0));
    let frame = world.frame();
    for (service, info) in frame.services.iter().zip(&frame.topology.services) {
        for (instance, about) in service.instances.iter().zip(&info.instances) {
            assert!(
                instance.busy_slots < 40 && instance.backlog < 10,
                "{}: {} {}",
                about.selector,
                instance.busy_slots,
                instance.backlog
            );
        }
    }
    assert!(frame.recent.ok_ratio() > 0.999);
}
