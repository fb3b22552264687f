//! Faults of links, of third parties, and of names.

use blastradius::observe::Health;
use blastradius::protocol::Reason;

use super::{look, see, shop};
use crate::story::{act, advance_to, cause, instance, refusal, story};

#[test]
fn cut_is_silence() {
    let seen = see(&shop(""), "cut web -> db", 0.0, "join web -> db");
    assert!(seen.during.ok < 0.05, "{:?}", seen.during);
    assert!(cause(&seen.hurt, Reason::TimedOut, "db") > 100);
    seen.is_as_before();
}

#[test]
fn delay_adds_its_time_each_way() {
    let seen = see(&shop(""), "delay web <-> db 20ms", 10.0, "join web <-> db");
    let more = seen.during.p50 - seen.before.p50;
    assert!((38.0..44.0).contains(&more), "{:?} {:?}", seen.before, seen.during);
    seen.is_as_before();
}

#[test]
fn drop_sends_again_after_200_ms() {
    let seen = see(&shop(""), "drop web -> db 5%", 10.0, "join web -> db");
    assert!(seen.during.p99 > seen.before.p99 + 180.0, "{:?}", seen.during);
    assert!(seen.during.p50 < seen.before.p50 * 1.1, "{:?}", seen.during);
    seen.is_as_before();
}

#[test]
fn bandwidth_lets_messages_wait_for_each_other() {
    // Some 3,000 bytes a request towards the balancer, 50 a second from each server: 20 kB/s is too little for each of them.
    let seen = see(&shop(""), "bandwidth web -> lb 20kB", 10.0, "join web -> lb");
    assert!(seen.during.p50 > 300.0 || seen.during.ok < 0.7, "{:?}", seen.during);
    seen.is_as_before();
    // A wide link changes only the time that the bytes take.
    let seen = see(&shop(""), "bandwidth web -> lb 10MB", 10.0, "mend web");
    let more = seen.during.p50 - seen.before.p50;
    assert!((0.01..5.0).contains(&more), "{:?} {:?}", seen.before, seen.during);
    seen.is_as_before();
}

#[test]
fn isolate_lets_nothing_in_or_out() {
    let seen = see(&shop(""), "isolate db", 0.0, "mend db");
    assert!(seen.during.ok < 0.05, "{:?}", seen.during);
    assert_eq!(instance(&seen.hurt, "db").health, Health::CutOff);
    assert_eq!(cause(&seen.hurt, Reason::Refused, "db"), 0);
    seen.is_as_before();
}

#[test]
fn outage_of_names_is_felt_when_answers_end() {
    let seen = see(&shop(""), "outage dns", 30.0, "mend dns");
    assert!(seen.during.ok < 0.05, "{:?}", seen.during);
    assert!(cause(&seen.hurt, Reason::DnsFailure, "resolver") > 0 || cause(&seen.hurt, Reason::DnsFailure, "dns") > 0);
    // Everybody's answers end together from now on, so the slowest of all wait for them at the same time.
    assert!((seen.before.ok - seen.after.ok).abs() < 0.002, "{:?}", seen.after);
    assert!((seen.before.p50 / seen.after.p50 - 1.0).abs() < 0.1, "{:?}", seen.after);
    seen.has_healed();
    let mut world = seen.world;
    assert!(refusal(&mut world, "outage web").contains("`kill web`"));
}

#[test]
fn mislead_lives_on_in_caches() {
    let mut world = story(&shop(""), 3, &[], 10.0);
    let before = look(&mut world).0;
    act(&mut world, "mislead dns");
    advance_to(&mut world, 45.0);
    let (during, hurt) = look(&mut world);
    assert!(during.ok < 0.05, "{during:?}");
    assert!(cause(&hurt, Reason::TimedOut, "dns") > 100, "{:?}", hurt.causes);
    // Set right at once, wrong answers stay for their TTL of 10 s, here and there.
    act(&mut world, "mend dns");
    let frame = world.frame();
    advance_to(&mut world, 57.0);
    let failed = world.frame().total.failed - frame.total.failed;
    assert!(failed > 100, "{failed}");
    advance_to(&mut world, 90.0);
    let after = look(&mut world).0;
    assert!((before.ok - after.ok).abs() < 0.002, "{before:?} {after:?}");
    assert!((before.p50 / after.p50 - 1.0).abs() < 0.1, "{before:?} {after:?}");
    assert!(world.frame().incidents[0].healed.is_some());
}

#[test]
fn mislead_is_cured_sooner_where_caches_are_flushed() {
    let after = |flushed: &[&str]| {
        let mut world = story(&shop(""), 3, &[(20.0, "mislead dns")], 45.0);
        act(&mut world, "mend dns");
        for target in flushed {
            act(&mut world, &format!("flush {target}"));
        }
        advance_to(&mut world, 47.0);
        look(&mut world).0.ok
    };
    let (left, flushed) = (after(&[]), after(&["resolver", "people"]));
    println!("share of requests that go well after a wrong answer is set right: {left}, after a flush {flushed}");
    // A wrong answer that is on its way during the flush is believed all the same.
    assert!(flushed > 0.8 && left < flushed - 0.2, "{left} {flushed}");
}
