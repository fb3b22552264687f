//! Functions: cold starts, limits, the bill.

use super::{act, advance_to, instance, only_incident, refusal, service, story};
use crate::build::layout;

fn functions(limit: u32, keep: &str) -> blastradius::layout::Layout {
    layout(&format!(
        r#"Layout(title: "functions",
            users: {{ "people": (count: 1_000, every: "10s", asks: (page: 1), mobile: 0.0) }},
            services: {{ "fn": Serverless(limit: {limit}, keep: "{keep}", cold_start: Constant("400ms"), work: Constant("50ms"), sessions: Token) }})"#
    ))
}

#[test]
fn a_first_request_meets_a_cold_start_and_the_next_does_not() {
    let mut world = story(&functions(1_000, "1m"), 1, &[], 60.0);
    let frame = world.frame();
    let state = service(&frame, "fn").serverless.expect("functions");
    // 100 a second of some 50 ms need five at once in the mean; the start needs more.
    assert!((40..150).contains(&state.cold_starts), "{state:?}");
    assert!(frame.latency.max.as_secs_f64() > 0.44, "{:?}", frame.latency);
    assert!(
        frame.recent_latency.p99.as_secs_f64() < 0.2,
        "{:?}",
        frame.recent_latency
    );
    // Nobody comes for a while: all of them go, and it costs nothing.
    act(&mut world, "surge 0");
    advance_to(&mut world, 130.0);
    let frame = world.frame();
    let idle = service(&frame, "fn").serverless.expect("functions");
    assert_eq!((idle.busy, idle.warm, idle.starting), (0, 0, 0));
    assert!(frame.price_per_hour == 0.0, "{}", frame.price_per_hour);
    let spent = frame.spent;
    act(&mut world, "surge 1");
    advance_to(&mut world, 140.0);
    let frame = world.frame();
    let again = service(&frame, "fn").serverless.expect("functions");
    assert!(again.cold_starts > idle.cold_starts + 10, "{again:?}");
    assert!(frame.spent > spent);
}

#[test]
fn the_bill_follows_the_use() {
    let frame = story(&functions(1_000, "1m"), 2, &[], 120.0).frame();
    let state = service(&frame, "fn").serverless.expect("functions");
    // 50 ms and the sign-in or the check of a token, of one GiB each.
    let seconds = frame.total.ok as f64 * 0.0505;
    let expected = state.invocations as f64 * 0.2e-6 + seconds * 1.666_67e-5;
    assert!(
        (state.spent / expected - 1.0).abs() < 0.15,
        "{} and {expected}",
        state.spent
    );
    assert!((frame.spent / state.spent - 1.0).abs() < 0.02, "there is no other cost");
}

#[test]
fn the_limit_turns_requests_away() {
    let frame = story(&functions(3, "1m"), 3, &[], 60.0).frame();
    let state = service(&frame, "fn").serverless.expect("functions");
    assert!(state.throttled > 1_000 && state.busy <= 3, "{state:?}");
    assert!(frame.total.failed.abs_diff(state.throttled) < 10, "{:?}", frame.total);
    // Erlang's loss formula for three servers and an offered load of five: 53 %.
    let lost = frame.total.failed as f64 / frame.total.sent as f64;
    assert!((0.47..0.59).contains(&lost), "{lost}");
}

#[test]
fn there_is_no_server_to_kill() {
    let mut world = story(&functions(1_000, "1m"), 4, &[(60.0, "kill fn")], 80.0);
    let frame = world.frame();
    assert_eq!(instance(&frame, "fn").health, blastradius::observe::Health::Up);
    assert!(
        only_incident(&frame).failed < 30,
        "only what was in progress: {:?}",
        only_incident(&frame)
    );
    assert_eq!(frame.recent.failed, 0);
    assert_eq!(frame.sessions.lost, 0);
    let message = refusal(&mut world, "set fn sessions local");
    assert!(message.contains("functions"), "{message}");
}
