//! DNS as a system: stubs, resolvers, name servers, TTLs, outages.

use blastradius::layout::Layout;
use blastradius::protocol::Reason;

use super::{act, advance_to, cause, ok_between, service, story};
use crate::build::layout;

fn site(ttl: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "names",
            users: {{ "people": (count: 4_000, every: "10s", patience: "20s") }},
            dns: (ttl: "{ttl}"),
            services: {{ "web": Web(machines: 2) }})"#
    ))
}

/// Seconds from an outage of DNS until a tenth, and until almost all of the requests fail.
fn outage(ttl: &str) -> (f64, f64) {
    let mut world = story(&site(ttl), 1, &[(100.0, "kill dns")], 100.0);
    let (mut tenth, mut all) = (None, None);
    for second in 101..400 {
        let before = world.frame();
        advance_to(&mut world, f64::from(second));
        let ok = ok_between(&before, &world.frame());
        let since = f64::from(second) - 100.0;
        if ok < 0.9 {
            tenth.get_or_insert(since);
        }
        if ok < 0.02 {
            all.get_or_insert(since);
            break;
        }
    }
    (tenth.expect("some fail"), all.expect("all fail"))
}

#[test]
fn cached_answers_carry_users_until_they_end() {
    let (short_tenth, short_all) = outage("10s");
    let (long_tenth, long_all) = outage("2m");
    println!("outage of DNS, TTL 10 s: a tenth fails after {short_tenth} s, all after {short_all} s");
    println!("outage of DNS, TTL 2 min: a tenth fails after {long_tenth} s, all after {long_all} s");
    // Those who have no answer wait 6 s and more before they fail.
    assert!(short_all <= 10.0 + 14.0 + 1.0, "{short_all}");
    assert!(long_tenth > short_all, "{long_tenth}");
    assert!((95.0..=136.0).contains(&long_all), "{long_all}");
}

#[test]
fn without_their_resolver_people_go_on_by_their_own_devices() {
    let mut world = story(&site("60s"), 2, &[(100.0, "kill resolver")], 110.0);
    let frame = world.frame();
    assert!(frame.total.failed < frame.total.ok / 4, "{:?}", frame.total);
    advance_to(&mut world, 170.0);
    let before = world.frame();
    advance_to(&mut world, 180.0);
    let frame = world.frame();
    assert!(ok_between(&before, &frame) <= 0.0);
    assert!(
        cause(&frame, Reason::DnsFailure, "resolver") > 100,
        "{:?}",
        frame.causes
    );
    act(&mut world, "mend resolver");
    advance_to(&mut world, 210.0);
    assert_eq!(world.frame().history.last().expect("a second").tally.failed, 0);
}

#[test]
fn an_outage_is_blamed_on_the_name_server() {
    let frame = story(&site("5s"), 3, &[(60.0, "kill dns")], 120.0).frame();
    assert!(cause(&frame, Reason::DnsFailure, "dns") > 1_000, "{:?}", frame.causes);
    assert_eq!(cause(&frame, Reason::DnsFailure, "resolver"), 0);
}

#[test]
fn caches_answer_most_look_ups() {
    let frame = story(&site("60s"), 4, &[], 600.0).frame();
    let resolver = service(&frame, "resolver").resolver.expect("a resolver");
    assert!(resolver.hits as f64 > 0.8 * resolver.lookups as f64, "{resolver:?}");
    let dns = service(&frame, "dns").dns.clone().expect("dns");
    assert!(dns.longest.as_secs() <= 60);
    assert_eq!((dns.resolvers, dns.stubs), (16, 256));
    // A stub asks about once for each TTL, and gets what is left of the answer's life in a cache.
    let per_stub = resolver.lookups as f64 / 256.0;
    assert!((10.0..40.0).contains(&per_stub), "{per_stub} look-ups in ten lives");
}

#[test]
fn the_ttl_can_be_changed_and_holds_for_new_answers() {
    let mut world = story(&site("60s"), 5, &[(10.0, "set dns ttl 5s")], 100.0);
    let longest = service(&world.frame(), "dns").dns.clone().expect("dns").longest;
    assert!(longest.as_secs_f64() <= 5.0, "{longest:?}");
    act(&mut world, "kill dns");
    advance_to(&mut world, 125.0);
    assert_eq!(world.frame().history.last().expect("a second").tally.ok, 0);
}

#[test]
fn several_records_take_turns() {
    let frame = story(&site("1s"), 6, &[], 120.0).frame();
    let received: Vec<u64> = service(&frame, "web")
        .instances
        .iter()
        .map(|server| server.received)
        .collect();
    let share = received[0] as f64 / received.iter().sum::<u64>() as f64;
    assert!((0.4..0.6).contains(&share), "{received:?}");
}

#[test]
fn a_population_may_ask_for_one_data_center_by_name() {
    let two = layout(
        r#"Layout(title: "two",
            users: { "a": (count: 1_000, every: "10s", site: "east"), "b": (count: 1_000, every: "10s", site: "west"), "c": (count: 1_000, every: "10s") },
            data_centers: { "east": (services: { "web": Web() }), "west": (services: { "web": Web() }) })"#,
    );
    let frame = story(&two, 1, &[(30.0, "kill east")], 60.0).frame();
    let failed = |name: &str| service(&frame, name).users.as_ref().expect("users").total.failed;
    assert!(failed("a") > 2_000, "{}", failed("a"));
    assert_eq!(failed("b"), 0);
    // Those of the domain try the next address when one refuses.
    assert_eq!(failed("c"), 0);
}
