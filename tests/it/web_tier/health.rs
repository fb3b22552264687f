//! Health checks, ejection, draining, slow start, pairs of balancers.

use std::time::Duration;

use blastradius::observe::Health;
use blastradius::protocol::Reason;

use super::{advance_to, cause, instance, ok_between, only_incident, service, story};
use crate::build::layout;

const USERS: &str = r#""people": (count: 4_000, every: "10s")"#;

#[test]
fn reads_survive_a_killed_server_and_writes_do_not_unless_they_are_idempotent() {
    let tier = |calls: &str| {
        layout(&format!(
            r#"Layout(title: "retries", users: {{ {USERS} }}, services: {{
                "lb": LoadBalancer(to: "web", balance: RoundRobin, calls: ({calls})),
                "web": Web(machines: 4, database: "db"), "db": Database() }})"#
        ))
    };
    let killed = [(30.0, "kill web/1")];
    let frame = story(&tier("retries: 1"), 1, &killed, 60.0).frame();
    // 4 to 6 s of 100 requests a second at the dead one: 80 % reads, which are retried; 20 % writes, which are not.
    let incident = only_incident(&frame);
    assert!((300..520).contains(&incident.retried), "{incident:?}");
    assert!((60..150).contains(&incident.failed), "{incident:?}");
    let frame = story(&tier("retries: 0"), 1, &killed, 60.0).frame();
    assert!(
        frame.total.failed > 350 && frame.total.retried == 0,
        "{:?}",
        frame.total
    );
    let frame = story(&tier("retries: 1, retry_writes: true"), 1, &killed, 60.0).frame();
    assert_eq!(
        frame.total.failed, 0,
        "what carries an idempotency key is tried again too"
    );
    assert!(frame.total.retried > 400);
}

#[test]
fn what_fails_real_requests_is_ejected_before_the_checks_notice() {
    let tier = layout(&format!(
        r#"Layout(title: "outliers", users: {{ {USERS} }}, services: {{
            "lb": LoadBalancer(to: "web", outlier: (errors: 5, eject: "10s"), health: (every: "10s")),
            "web": Web(machines: 4) }})"#
    ));
    let mut world = story(&tier, 1, &[(30.0, "kill web/1")], 31.0);
    let frame = world.frame();
    let noticed = only_incident(&frame).noticed.clone().expect("ejected");
    let after = noticed.at - only_incident(&frame).injected;
    assert!(after < Duration::from_millis(500), "{after:?}");
    let backend = &service(&frame, "lb").balancer.as_ref().expect("a balancer").backends[0];
    assert!(backend.ejected.is_some());
    advance_to(&mut world, 32.0);
    let before = world.frame();
    advance_to(&mut world, 39.0);
    assert_eq!(world.frame().total.failed, before.total.failed, "nothing is sent there");
    // It is tried again after 10 s, and ejected for twice as long.
    advance_to(&mut world, 45.0);
    let frame = world.frame();
    let ejected = frame
        .log
        .iter()
        .filter(|line| line.text.starts_with("lb ejected web/1"))
        .count();
    assert_eq!(ejected, 2, "{:?}", frame.log);
}

#[test]
fn no_more_servers_are_ejected_than_the_share_allows() {
    let tier = layout(&format!(
        r#"Layout(title: "most", users: {{ {USERS} }}, services: {{
            "lb": LoadBalancer(to: "web", outlier: (errors: 3, eject: "1m", most: 0.5), health: (every: "1h")),
            "web": Web(machines: 4) }})"#
    ));
    let frame = story(&tier, 1, &[(10.0, "kill web")], 40.0).frame();
    let backends = &service(&frame, "lb").balancer.as_ref().expect("a balancer").backends;
    assert_eq!(backends.iter().filter(|backend| backend.ejected.is_some()).count(), 2);
}

#[test]
fn a_server_that_is_taken_out_answers_what_it_holds() {
    let tier = layout(
        r#"Layout(title: "drain",
            users: { "people": (count: 400, every: "10s", asks: (page: 1)) },
            services: { "lb": LoadBalancer(to: "web", calls: (retries: 0)),
                "web": Web(machines: 3, size: "4xl", work: Constant("3s"), drain: "30s") })"#,
    );
    let mut world = story(&tier, 1, &[(20.0, "scale web 2")], 20.0);
    let busy = instance(&world.frame(), "web/3").busy_slots;
    assert!(busy > 10, "{busy} in progress");
    advance_to(&mut world, 40.0);
    let frame = world.frame();
    assert_eq!(frame.total.failed, 0, "nobody was cut off");
    assert_eq!(service(&frame, "web").instances.len(), 2, "it has left");
    // With less patience than an answer takes, they are.
    let hasty = layout(
        r#"Layout(title: "drain",
            users: { "people": (count: 400, every: "10s", asks: (page: 1)) },
            services: { "lb": LoadBalancer(to: "web", calls: (retries: 0, timeout: "8s")),
                "web": Web(machines: 3, size: "4xl", work: Constant("3s"), drain: "1s") })"#,
    );
    let frame = story(&hasty, 1, &[(20.0, "scale web 2")], 40.0).frame();
    assert!(cause(&frame, Reason::Reset, "web/3") > 5, "{:?}", frame.causes);
}

#[test]
fn a_new_server_starts_slowly_if_it_is_told_to() {
    let tier = |slow_start: &str| {
        layout(&format!(
            r#"Layout(title: "slow start", users: {{ {USERS} }}, services: {{
                "lb": LoadBalancer(to: "web", balance: RoundRobin, slow_start: "{slow_start}"),
                "web": Web(machines: 2, boot: "1s") }})"#
        ))
    };
    let share = |slow_start: &str| {
        let frame = story(&tier(slow_start), 1, &[(10.0, "scale web 3")], 25.0).frame();
        let backends = &service(&frame, "lb").balancer.as_ref().expect("a balancer").backends;
        let (new, old) = (backends[2].sent as f64, backends[0].sent as f64);
        (new, old)
    };
    let (at_once, _) = share("0s");
    let (slowly, _) = share("60s");
    // Some 13 s in service: a third of 400 a second at once, or a ramp from a tenth to a fifth of that.
    assert!(at_once > 1_400.0, "{at_once}");
    assert!((100.0..500.0).contains(&slowly), "{slowly}");
}

fn pair(pair: &str, dns: &str) -> blastradius::layout::Layout {
    layout(&format!(
        r#"Layout(title: "pair", users: {{ {USERS} }}, dns: (ttl: "30s", {dns}), services: {{
            "lb": LoadBalancer(to: "web", machines: 2, pair: {pair}),
            "web": Web(machines: 2) }})"#
    ))
}

#[test]
fn a_standby_takes_the_address_after_three_silent_intervals() {
    for seed in 0..10 {
        let tier = pair("Floating()", "");
        let mut world = story(&tier, seed, &[], 30.0);
        let frame = world.frame();
        assert_eq!(instance(&frame, "lb/1").active, Some(true));
        super::act(&mut world, "kill lb/1");
        advance_to(&mut world, 60.0);
        let frame = world.frame();
        let incident = only_incident(&frame);
        let noticed = incident.noticed.clone().expect("the standby notices");
        let after = (noticed.at - incident.injected).as_secs_f64();
        assert_eq!(noticed.who, "lb/2");
        assert!((2.0..4.1).contains(&after), "seed {seed}: {after}");
        assert_eq!(instance(&frame, "lb/2").active, Some(true));
        let last = frame.history.last().expect("a second").tally;
        assert!(last.failed == 0 && last.ok > 300, "seed {seed}: {last:?}");
        // The first takes it back when it returns.
        super::act(&mut world, "mend lb/1");
        advance_to(&mut world, 75.0);
        let frame = world.frame();
        assert_eq!(instance(&frame, "lb/1").active, Some(true));
        assert_eq!(instance(&frame, "lb/2").active, Some(false));
        let last = frame.history.last().expect("a second").tally;
        assert!(last.failed == 0 && last.ok > 300, "seed {seed}: {last:?}");
    }
}

#[test]
fn of_two_balancers_behind_dns_browsers_try_the_other() {
    let mut world = story(&pair("Dns", ""), 1, &[(30.0, "kill lb/1")], 60.0);
    let frame = world.frame();
    assert_eq!(frame.total.failed, 0, "refused at once, they try the next address");
    assert!(
        frame.total.retried > 3_000,
        "every second one, for as long as DNS names it: {}",
        frame.total.retried
    );
    // A destroyed one says nothing: those who were sent there wait for nothing.
    let before = world.frame();
    super::act(&mut world, "destroy lb/2");
    super::act(&mut world, "mend lb/1");
    advance_to(&mut world, 90.0);
    assert!(ok_between(&before, &world.frame()) < 0.8);
}

#[test]
fn health_checked_records_leave_a_dead_balancer_out() {
    let tier = pair("Dns", r#"health: (every: "2s", timeout: "1s", down_after: 3)"#);
    let mut world = story(&tier, 1, &[(30.0, "destroy lb/1")], 30.0);
    advance_to(&mut world, 36.0);
    let frame = world.frame();
    assert!(frame.recent.failed == 0, "they still wait");
    advance_to(&mut world, 110.0);
    let frame = world.frame();
    let record = &service(&frame, "dns").dns.as_ref().expect("dns").records[0];
    assert!(!matches!(record.believed, blastradius::observe::Belief::Up { .. }));
    let last = frame.history.last().expect("a second").tally;
    assert!(
        last.failed == 0 && last.ok > 300,
        "after checks and TTL all are served: {last:?}"
    );
    let noticed = only_incident(&frame).noticed.clone().expect("dns notices");
    assert_eq!(noticed.who, "dns");
    assert_eq!(instance(&frame, "lb/1").health, Health::Destroyed);
}

#[test]
fn without_its_only_balancer_the_site_is_down() {
    let tier = layout(&format!(
        r#"Layout(title: "one", users: {{ {USERS} }}, services: {{
            "lb": LoadBalancer(to: "web"), "web": Web(machines: 2) }})"#
    ));
    let frame = story(&tier, 1, &[(30.0, "kill lb")], 60.0).frame();
    assert_eq!(frame.history.last().expect("a second").tally.ok, 0);
}

#[test]
fn least_connections_does_not_flood_a_server_in_slow_start() {
    let tier = |slow_start: &str| {
        layout(&format!(
            r#"Layout(title: "flood",
                users: {{ "people": (count: 20_000, every: "10s", asks: (page: 1)) }},
                services: {{ "lb": LoadBalancer(to: "web", slow_start: "{slow_start}"),
                    "web": Web(machines: 10, size: "4xl", slots: 1_000, work: Constant("100ms"), boot: "1s") }})"#
        ))
    };
    let sent = |slow_start: &str| {
        let frame = story(&tier(slow_start), 1, &[(10.0, "scale web 11")], 24.0).frame();
        service(&frame, "lb").balancer.as_ref().expect("a balancer").backends[10].sent
    };
    let (at_once, slowly) = (sent("0s"), sent("60s"));
    println!("a new server beside ten gets {at_once} requests in some 11 s, {slowly} with slow start");
    assert!(slowly * 3 < at_once, "{slowly} of {at_once}");
}

#[test]
fn a_check_of_a_balancer_is_one_of_what_is_behind_it() {
    let two = layout(
        r#"Layout(title: "two",
            users: { "people": (count: 2_000, every: "10s") },
            dns: (ttl: "5s", health: (every: "1s", timeout: "1s", down_after: 2)),
            data_centers: {
                "east": (services: { "lb": LoadBalancer(to: "web", machines: 2, pair: Floating()), "web": Web(machines: 2) }),
                "west": (services: { "lb": LoadBalancer(to: "web", machines: 2, pair: Floating()), "web": Web(machines: 2) }),
            })"#,
    );
    // The standby holds the address: DNS has nothing to say about that.
    let mut world = story(&two, 1, &[(30.0, "kill east/lb/1")], 60.0);
    let frame = world.frame();
    let up = |frame: &blastradius::observe::Frame| {
        let records = &service(frame, "dns").dns.as_ref().expect("dns").records;
        records
            .iter()
            .filter(|record| matches!(record.believed, blastradius::observe::Belief::Up { .. }))
            .count()
    };
    assert_eq!(up(&frame), 2);
    assert!(instance(&frame, "east/lb/2").received > 1_000);
    // A site whose servers are gone is left out, though its balancers live.
    super::act(&mut world, "destroy east/web");
    advance_to(&mut world, 90.0);
    let frame = world.frame();
    assert_eq!(up(&frame), 1);
    assert_eq!(frame.history.last().expect("a second").tally.failed, 0);
}

#[test]
fn a_shorter_interval_holds_for_the_check_that_is_due_next() {
    let tier = layout(&format!(
        r#"Layout(title: "often", users: {{ {USERS} }}, services: {{
            "lb": LoadBalancer(to: "web", health: (every: "10m")), "web": Web(machines: 2) }})"#
    ));
    let acts = [(30.0, "set lb check-every 1s"), (40.0, "kill web/1")];
    let frame = story(&tier, 1, &acts, 50.0).frame();
    let noticed = only_incident(&frame).noticed.clone().expect("it is noticed");
    assert!((noticed.at - only_incident(&frame).injected).as_secs_f64() < 3.2);
}

#[test]
fn numbers_are_used_again_and_checked_once() {
    let tier = layout(&format!(
        r#"Layout(title: "again", users: {{ {USERS} }}, services: {{
            "lb": LoadBalancer(to: "web"), "web": Web(machines: 12, boot: "1s", drain: "1s") }})"#
    ));
    let mut world = story(&tier, 1, &[(10.0, "scale web 9")], 20.0);
    for round in 0..3 {
        let names: Vec<String> = world
            .frame()
            .topology
            .services
            .iter()
            .find(|info| info.name == "web")
            .expect("web")
            .instances
            .iter()
            .map(|info| info.selector.clone())
            .collect();
        let expected: Vec<String> = (1..=9).map(|number| format!("web/{number}")).collect();
        assert_eq!(names, expected, "round {round}");
        super::act(&mut world, "scale web 11");
        super::act(&mut world, "resize web l");
        advance_to(&mut world, 30.0 + 30.0 * f64::from(round));
        let frame = world.frame();
        let web = frame
            .topology
            .services
            .iter()
            .find(|info| info.name == "web")
            .expect("web");
        assert!(web.instances.iter().all(|info| info.size == "l"), "round {round}");
        let before = instance(&frame, "web/10").received;
        super::act(&mut world, "surge 0");
        advance_to(&mut world, 40.0 + 30.0 * f64::from(round));
        // One check every two seconds, however often it came and went.
        let checks = instance(&world.frame(), "web/10").received - before;
        assert!(
            (4..=6).contains(&checks),
            "round {round}: {checks} checks in ten seconds"
        );
        super::act(&mut world, "surge 1");
        super::act(&mut world, "scale web 9");
        advance_to(&mut world, 45.0 + 30.0 * f64::from(round));
        super::act(&mut world, "resize web m");
        advance_to(&mut world, 49.0 + 30.0 * f64::from(round));
    }
}
