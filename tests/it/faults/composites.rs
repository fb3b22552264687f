//! Faults of several steps.

use blastradius::layout::Layout;
use blastradius::observe::Health;
use blastradius::protocol::Reason;
use blastradius::world::World;

use super::data::cached;
use super::{look, see, shop};
use crate::build::layout;
use crate::story::{act, advance_to, cause, instance, refusal, service, story};

/// How often the log says something.
fn said(world: &World, text: &str) -> usize {
    world.frame().log.iter().filter(|line| line.text == text).count()
}

#[test]
fn crash_loop_starts_later_and_later_and_ends() {
    let mut world = story(&shop(""), 3, &[], 10.0);
    let before = look(&mut world).0;
    act(&mut world, "crash-loop web/1 5s for 70s");
    // Down 10 s, boots 5 s, lives 5 s; then down 20 s.
    for (at, health) in [
        (25.0, Health::Down),
        (36.0, Health::Up),
        (41.0, Health::Down),
        (66.0, Health::Up),
    ] {
        advance_to(&mut world, at);
        assert_eq!(instance(&world.frame(), "web/1").health, health, "at {at}");
    }
    let kills = |world: &World| said(world, "killed web/1");
    advance_to(&mut world, 89.0);
    assert_eq!(kills(&world), 3);
    assert!(world.frame().incidents[0].healed.is_none(), "it goes on");
    advance_to(&mut world, 130.0);
    assert_eq!(
        (kills(&world), instance(&world.frame(), "web/1").health),
        (3, Health::Up)
    );
    let after = look(&mut world).0;
    assert!((before.ok - after.ok).abs() < 0.002 && (before.p50 / after.p50 - 1.0).abs() < 0.1);
    let incidents = world.frame().incidents;
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].what, "crash loop of web/1 for 70s");
    assert!(incidents[0].healed.is_some(), "{incidents:?}");
}

#[test]
fn flapping_cuts_and_joins_in_turn() {
    let mut world = story(&shop(""), 3, &[], 10.0);
    let before = look(&mut world).0;
    act(&mut world, "flapping web <-> db 5s for 20s");
    let mut failed = Vec::new();
    for end in [25.0, 30.0, 35.0, 40.0] {
        let was = world.frame().total.failed;
        advance_to(&mut world, end);
        failed.push(world.frame().total.failed - was);
    }
    assert!(failed[0] > 300 && failed[2] > 300, "{failed:?}");
    // Who waits when the link is joined fails a little later.
    assert!(
        failed[1] < failed[0] * 2 / 3 && failed[3] < failed[2] * 2 / 3,
        "{failed:?}"
    );
    advance_to(&mut world, 60.0);
    let after = look(&mut world).0;
    assert!((before.ok - after.ok).abs() < 0.002, "{before:?} {after:?}");
    assert_eq!(world.frame().incidents.len(), 1);
    assert!(world.frame().incidents[0].healed.is_some());
}

#[test]
fn rolling_restart_takes_one_after_another() {
    let mut world = story(&shop(""), 3, &[], 10.0);
    let before = look(&mut world).0;
    act(&mut world, "rolling-restart web 5s");
    let mut booting = Vec::new();
    for turn in 0..4 {
        advance_to(&mut world, 22.0 + 10.0 * f64::from(turn));
        let frame = world.frame();
        let down: Vec<u32> = (1..=4)
            .filter(|number| instance(&frame, &format!("web/{number}")).health != Health::Up)
            .collect();
        booting.push(down);
    }
    assert_eq!(booting, [[1], [2], [3], [4]]);
    advance_to(&mut world, 100.0);
    let after = look(&mut world).0;
    assert!((before.ok - after.ok).abs() < 0.002, "{before:?} {after:?}");
    assert_eq!(world.frame().incidents.len(), 1);
    assert!(world.frame().incidents[0].healed.is_some());
}

/// Two data centers, each with users of its own.
fn two() -> Layout {
    layout(
        r#"Layout(title: "two",
            users: {
                "a-users": (count: 100, every: "1s", browser: false, site: "a"),
                "b-users": (count: 100, every: "1s", browser: false, site: "b"),
            },
            data_centers: {
                "a": (services: { "lb": LoadBalancer(to: "web"), "web": Web(machines: 2, boot: "5s") }),
                "b": (services: { "lb": LoadBalancer(to: "web"), "web": Web(machines: 2, boot: "5s") }),
            })"#,
    )
}

#[test]
fn lose_silences_a_data_center_and_no_other() {
    let seen = see(&two(), "lose a", 30.0, "mend a");
    assert!((seen.during.ok - 0.5).abs() < 0.05, "{:?}", seen.during);
    assert_eq!(instance(&seen.hurt, "a/web/1").health, Health::Down);
    assert_eq!(instance(&seen.hurt, "b/web/1").health, Health::Up);
    assert_eq!(cause(&seen.hurt, Reason::Refused, "a/lb"), 0, "silence");
    assert!(cause(&seen.hurt, Reason::TimedOut, "a/lb") > 100);
    assert_eq!(seen.hurt.incidents[0].what, "loss of a");
    seen.is_as_before();
}

/// Hit ratio and requests a second at the cache over so many seconds from now.
fn at_the_cache(world: &mut World, seconds: f64) -> (f64, f64) {
    let tally = |world: &World| service(&world.frame(), "cache").cache.clone().expect("a cache").total;
    let before = tally(world);
    let end = world.now().elapsed().as_secs_f64() + seconds;
    advance_to(world, end);
    let tally = tally(world).since(&before);
    (tally.hit_ratio().expect("look-ups"), tally.lookups as f64 / seconds)
}

#[test]
fn thundering_herd_finds_no_copies() {
    let mut world = story(&cached(1_000, 10_000), 3, &[], 60.0);
    let before = at_the_cache(&mut world, 5.0);
    act(&mut world, "thundering-herd 3 for 20s");
    let during = at_the_cache(&mut world, 0.5);
    assert!(before.0 > 0.99 && during.0 < 0.5, "{before:?} {during:?}");
    assert!((during.1 / before.1 - 3.0).abs() < 0.6, "{before:?} {during:?}");
    advance_to(&mut world, 120.0);
    let after = at_the_cache(&mut world, 5.0);
    assert!(
        after.0 > 0.99 && (after.1 / before.1 - 1.0).abs() < 0.2,
        "{before:?} {after:?}"
    );
    assert_eq!(world.frame().incidents.len(), 1);
    assert!(world.frame().incidents[0].healed.is_some());
}

#[test]
fn hot_key_sends_its_share_to_one_row() {
    let mut world = story(&cached(20_000, 500), 3, &[], 60.0);
    let before = at_the_cache(&mut world, 20.0).0;
    act(&mut world, "hot-key people 50% for 30s");
    let during = at_the_cache(&mut world, 25.0).0;
    advance_to(&mut world, 120.0);
    let after = at_the_cache(&mut world, 20.0).0;
    // The one row is always there; the others are as before.
    assert!((during - (0.5 + 0.5 * before)).abs() < 0.05, "{before} {during}");
    assert!((after - before).abs() < 0.02, "{before} {after}");
    act(&mut world, "hot-key people 50%");
    act(&mut world, "mend people");
    let mended = at_the_cache(&mut world, 20.0).0;
    assert!((mended - before).abs() < 0.02, "{before} {mended}");
}

#[test]
fn pool_leak_takes_more_and_more() {
    let mut world = story(&shop(""), 3, &[], 10.0);
    let before = look(&mut world).0;
    act(&mut world, "pool-leak web 100%");
    let early = look(&mut world).0;
    advance_to(&mut world, 70.0);
    let late = look(&mut world).0;
    assert!(early.ok > 0.99 && late.ok < 0.05, "{early:?} {late:?}");
    act(&mut world, "mend web");
    advance_to(&mut world, 110.0);
    let after = look(&mut world).0;
    assert!((before.ok - after.ok).abs() < 0.002, "{before:?} {after:?}");
    assert!(world.frame().incidents[0].healed.is_some());
}

#[test]
fn memory_leak_slows_and_then_kills() {
    let mut world = story(&shop(""), 3, &[(10.0, "memory-leak web/1 20s")], 11.0);
    let slow = |world: &World| instance(&world.frame(), "web/1").slow.to_string();
    for (at, factor) in [(14.0, "1.5"), (19.0, "2"), (24.0, "4"), (29.0, "8")] {
        advance_to(&mut world, at);
        assert_eq!(slow(&world), factor, "at {at}");
    }
    advance_to(&mut world, 30.5);
    assert!(matches!(
        instance(&world.frame(), "web/1").health,
        Health::Booting { .. }
    ));
    advance_to(&mut world, 60.0);
    assert_eq!((slow(&world).as_str(), said(&world, "killed web/1")), ("1", 1));
    assert_eq!(instance(&world.frame(), "web/1").health, Health::Up);
    assert!(look(&mut world).0.ok > 0.999);
    assert_eq!(world.frame().incidents.len(), 1);
    assert!(world.frame().incidents[0].healed.is_some());
}

#[test]
fn memory_leak_multiplies_what_was_slow_before() {
    let slow = |world: &World| instance(&world.frame(), "web/1").slow.to_string();
    let acts = [(5.0, "slow web/1 10"), (10.0, "memory-leak web/1 20s")];
    let mut world = story(&shop(""), 3, &acts, 11.0);
    for (at, factor) in [(14.0, "15"), (19.0, "20"), (24.0, "40"), (29.0, "80"), (60.0, "10")] {
        advance_to(&mut world, at);
        assert_eq!(slow(&world), factor, "at {at}");
    }
    // What somebody sets meanwhile is multiplied from then on, and stays.
    let acts = [(10.0, "memory-leak web/1 20s"), (16.0, "slow web/1 3")];
    let mut world = story(&shop(""), 3, &acts, 17.0);
    for (at, factor) in [(19.0, "3"), (24.0, "6"), (29.0, "12"), (60.0, "3")] {
        advance_to(&mut world, at);
        assert_eq!(slow(&world), factor, "at {at}");
    }
}

#[test]
fn expired_certificate_turns_everybody_away() {
    let seen = see(&shop(""), "expired-certificate lb", 0.0, "mend lb");
    assert!(seen.during.ok < 0.01, "{:?}", seen.during);
    assert!(cause(&seen.hurt, Reason::Certificate, "lb") > 1_000);
    seen.is_as_before();
    let mut world = seen.world;
    assert!(refusal(&mut world, "expired-certificate web").contains("no load balancer"));
}

#[test]
fn bad_deploy_is_rolled_out_by_percent_and_back() {
    let mut world = story(&shop(""), 3, &[], 10.0);
    let before = look(&mut world).0;
    act(&mut world, "bad-deploy web 50% for 80s");
    // One of four, one, two, all of them.
    let mut oks = Vec::new();
    for begin in [25.0, 45.0, 65.0, 85.0] {
        advance_to(&mut world, begin);
        oks.push(look(&mut world).0.ok);
    }
    for (ok, expected) in oks.iter().zip([0.875, 0.875, 0.75, 0.5]) {
        assert!((ok - expected).abs() < 0.03, "{oks:?}");
    }
    advance_to(&mut world, 101.0);
    let after = look(&mut world).0;
    assert!((before.ok - after.ok).abs() < 0.002, "rolled back: {after:?}");
    assert!(refusal(&mut world, "bad-deploy db").contains("no versions"));
}
