//! Faults of processes and machines.

use blastradius::observe::Health;
use blastradius::protocol::Reason;

use super::{see, shop};
use crate::build::layout;
use crate::story::{act, advance_to, cause, instance, ok_between, refusal, story};

#[test]
fn kill_refuses_and_resets() {
    let seen = see(&shop(""), "kill web", 0.0, "mend web");
    assert!(seen.during.ok < 0.05, "{:?}", seen.during);
    assert_eq!(instance(&seen.hurt, "web/1").health, Health::Down);
    seen.is_as_before();
}

#[test]
fn destroy_is_silent_and_takes_the_disk() {
    let seen = see(&shop(""), "destroy web", 0.0, "mend web");
    assert!(seen.during.ok < 0.05, "{:?}", seen.during);
    assert_eq!(instance(&seen.hurt, "web/1").health, Health::Destroyed);
    assert_eq!(cause(&seen.hurt, Reason::Refused, "web/1"), 0);
    seen.is_as_before();
}

#[test]
fn hang_accepts_and_never_answers() {
    let seen = see(&shop(""), "hang db", 0.0, "mend db");
    assert!(seen.during.ok < 0.05, "{:?}", seen.during);
    assert!(cause(&seen.hurt, Reason::TimedOut, "db") > 100);
    seen.is_as_before();
}

#[test]
fn slow_makes_all_work_longer() {
    let seen = see(&shop(""), "slow web 10", 10.0, "mend web");
    // 2 ms of work become 20.
    let more = seen.during.p50 - seen.before.p50;
    assert!((17.0..40.0).contains(&more), "{:?} {:?}", seen.before, seen.during);
    seen.is_as_before();
}

#[test]
fn fail_answers_with_errors_and_passes_its_checks() {
    let seen = see(&shop(""), "fail web/1 50%", 0.0, "mend web/1");
    // Half of what a quarter of the servers gets.
    assert!((seen.during.ok - 0.875).abs() < 0.02, "{:?}", seen.during);
    assert!(cause(&seen.hurt, Reason::Broken, "web/1") > 150);
    let incident = &seen.hurt.incidents[0];
    assert!(incident.noticed.is_none(), "no check fails: {incident:?}");
    assert_eq!(instance(&seen.hurt, "web/1").ails.as_deref(), Some("fails 50%"));
    seen.is_as_before();
}

#[test]
fn fail_with_checks_is_noticed_and_a_restart_does_not_cure_it() {
    let mut world = story(&shop(""), 1, &[(20.0, "fail web/1 100% checks")], 40.0);
    assert!(world.frame().incidents[0].noticed.is_some());
    act(&mut world, "kill web/1 for 1s");
    advance_to(&mut world, 60.0);
    let frame = world.frame();
    assert_eq!(instance(&frame, "web/1").health, Health::Up);
    assert_eq!(instance(&frame, "web/1").ails.as_deref(), Some("fails 100%"));
    assert!(refusal(&mut world, "fail people 20%").contains("are users"));
    act(&mut world, "fail web/1 0%");
    assert_eq!(instance(&world.frame(), "web/1").ails, None);
}

#[test]
fn leak_takes_slots_until_a_restart() {
    let seen = see(&shop(""), "leak web 100%", 0.0, "mend web");
    assert!(seen.during.ok < 0.05, "nobody has a slot: {:?}", seen.during);
    seen.is_as_before();
    // A restart gives them back.
    let mut world = story(&shop(""), 2, &[(10.0, "leak web/1 50%")], 11.0);
    assert!(instance(&world.frame(), "web/1").ails.is_some());
    act(&mut world, "kill web/1 for 1s");
    advance_to(&mut world, 20.0);
    assert_eq!(instance(&world.frame(), "web/1").ails, None);
    assert!(refusal(&mut world, "leak dns 50%").contains("no slots"));
}

#[test]
fn leak_leaves_fewer_places() {
    // 4 slots of 10 ms: with one left, 100 requests a second is all that fits.
    let station = layout(
        r#"Layout(title: "station", users: {"people": (count: 250, every: "1s", patience: "1s", asks: (page: 0, asset: 1), browser: false)},
            services: {"web": Web(size: "4xl", slots: 4, backlog: 10, work: Constant("10ms"), asset: 1.0)})"#,
    );
    let mut world = story(&station, 1, &[(10.0, "leak web 75%")], 11.0);
    let before = world.frame();
    advance_to(&mut world, 31.0);
    let frame = world.frame();
    let served = (frame.total.ok - before.total.ok) as f64 / 20.0;
    assert!((served - 100.0).abs() < 3.0, "{served}");
    act(&mut world, "leak web 0%");
    advance_to(&mut world, 40.0);
    let before = world.frame();
    advance_to(&mut world, 50.0);
    assert!(ok_between(&before, &world.frame()) > 0.99);
}

#[test]
fn surge_brings_more() {
    let seen = see(&shop(""), "surge 3", 0.0, "surge 1");
    assert!((seen.during.rate / seen.before.rate - 3.0).abs() < 0.3);
    seen.is_as_before();
}
