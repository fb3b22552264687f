//! Sessions in servers, in a store, in tokens.

use blastradius::layout::Layout;

use super::{advance_to, instance, only_incident, refusal, service, story};
use crate::build::layout;

/// Four servers behind a balancer, a store beside them; 2,000 people who come back every 5 s.
fn tier(sessions: &str, sticky: bool) -> Layout {
    let sticky = if sticky { r#"sticky: (cookie: "SERVER"),"# } else { "" };
    layout(&format!(
        r#"Layout(title: "sessions",
            users: {{ "people": (count: 2_000, every: "5s") }},
            services: {{
                "lb": LoadBalancer(to: "web", {sticky}),
                "web": Web(machines: 4, sessions: {sessions}, database: "db"),
                "sessions": SessionStore(),
                "db": Database(),
            }})"#
    ))
}

#[test]
fn killing_one_of_four_sticky_servers_signs_out_its_quarter_and_nobody_else() {
    for seed in 0..5 {
        let layout = tier("Local", true);
        let mut world = story(&layout, seed, &[], 120.0);
        let frame = world.frame();
        // A visit every 5 s for two minutes: nobody has stayed away.
        assert_eq!(frame.sessions.signed_in, 2_000, "seed {seed}");
        assert_eq!(frame.sessions.lost, 0, "seed {seed}");
        let held: Vec<u64> = (1..=4)
            .map(|server| {
                instance(&frame, &format!("web/{server}"))
                    .sessions
                    .expect("a stateful tier")
            })
            .collect();
        // Who asks twice at once is signed in twice: one of the two sessions is nobody's.
        let nobodys = held.iter().sum::<u64>() - 2_000;
        assert!(nobodys < 40, "seed {seed}: {held:?}");
        assert!(
            held.iter().all(|held| (350..650).contains(held)),
            "seed {seed}: {held:?}"
        );
        super::act(&mut world, "kill web/2");
        advance_to(&mut world, 240.0);
        let frame = world.frame();
        let lost = frame.sessions.lost;
        assert!(
            lost <= held[1] && lost + nobodys >= held[1],
            "seed {seed}: {lost} of {held:?}"
        );
        assert_eq!(only_incident(&frame).lost_sessions, lost, "seed {seed}");
        assert_eq!(
            frame.sessions.signed_in, 2_000,
            "seed {seed}: they have signed in again"
        );
    }
}

#[test]
fn a_new_server_gets_only_new_users() {
    let world = story(&tier("Local", true), 1, &[(120.0, "scale web 5")], 180.0);
    let frame = world.frame();
    let web5 = instance(&frame, "web/5");
    assert_eq!((frame.sessions.lost, web5.sessions), (0, Some(0)));
    let sent = service(&frame, "lb").balancer.as_ref().expect("a balancer").backends[4].sent;
    assert_eq!(sent, 0, "everybody sticks to an older one");
}

#[test]
fn without_sticking_users_of_stateful_servers_are_signed_out_again_and_again() {
    let frame = story(&tier("Local", false), 1, &[], 60.0).frame();
    assert!(frame.sessions.lost > 5_000, "{}", frame.sessions.lost);
}

#[test]
fn with_a_shared_store_nobody_is_signed_out() {
    for kill in ["kill web/2", "destroy web/2"] {
        let frame = story(&tier(r#"Store("sessions")"#, false), 2, &[(60.0, kill)], 120.0).frame();
        assert_eq!(frame.sessions.lost, 0, "{kill}");
        let held = instance(&frame, "sessions").sessions.expect("a store");
        let signed_in = frame.sessions.signed_in;
        assert!(
            (signed_in..signed_in + 40).contains(&held),
            "{kill}: {held} of {signed_in}"
        );
    }
}

#[test]
fn the_store_is_the_new_dependency() {
    let layout = tier(r#"Store("sessions")"#, false);
    let frame = story(&layout, 3, &[(60.0, "kill sessions")], 90.0).frame();
    let later = frame.history.last().expect("a second has passed").tally;
    assert_eq!(later.ok, 0, "every page needs a session");
    assert!(
        only_incident(&frame).sentence.contains("who is signed in"),
        "{}",
        only_incident(&frame).sentence
    );
    // It comes back empty, so all are signed out; a durable one would not be.
    let acts = [(60.0, "kill sessions"), (70.0, "mend sessions")];
    let frame = story(&layout, 3, &acts, 180.0).frame();
    assert_eq!(frame.sessions.lost, 2_000);
    assert_eq!(only_incident(&frame).lost_sessions, 2_000);
    let durable = crate::build::layout(
        r#"Layout(title: "durable",
            users: { "people": (count: 2_000, every: "5s") },
            services: {
                "web": Web(machines: 1, sessions: Store("sessions")),
                "sessions": SessionStore(durable: true),
            })"#,
    );
    let frame = story(&durable, 3, &acts, 180.0).frame();
    assert_eq!((frame.sessions.lost, frame.sessions.signed_in), (0, 2_000));
}

#[test]
fn tokens_need_nobody_and_cannot_be_revoked() {
    let acts = [
        (60.0, "kill web/1"),
        (61.0, "kill sessions"),
        (62.0, "revoke people 50%"),
    ];
    let frame = story(&tier("Token", false), 4, &acts, 120.0).frame();
    assert_eq!((frame.sessions.lost, frame.sessions.revoked), (0, 0));
    // Half of 400 requests a second, for a minute.
    let served = frame.sessions.revoked_served;
    assert!((10_000..14_000).contains(&served), "{served} answers by revoked tokens");
    for sessions in ["Local", r#"Store("sessions")"#] {
        let layout = tier(sessions, true);
        let frame = story(&layout, 4, &[(62.0, "revoke people 50%")], 180.0).frame();
        assert_eq!(
            (frame.sessions.lost, frame.sessions.revoked_served),
            (0, 0),
            "{sessions}"
        );
        let revoked = frame.sessions.revoked;
        assert!(
            (900..1_100).contains(&revoked),
            "{sessions}: {revoked} of 2,000 had to sign in again"
        );
    }
}

#[test]
fn tokens_end_by_themselves() {
    let layout = layout(
        r#"Layout(title: "short",
            users: { "people": (count: 500, every: "5s") },
            services: { "web": Web(sessions: Token, session_ttl: "20s") })"#,
    );
    let frame = story(&layout, 1, &[], 120.0).frame();
    // Each lives 20 s, and then some until the next visit: 5 s in the mean.
    let expected = 500.0 * (120.0 - 5.0) / 25.0 - 500.0;
    let expired = frame.sessions.expired as f64;
    assert!(
        (expired / expected - 1.0).abs() < 0.15,
        "{expired} expired, some {expected} expected"
    );
    assert_eq!(frame.sessions.lost, 0);
}

#[test]
fn the_scheme_is_switched_live_and_what_clients_hold_is_worth_nothing_then() {
    let layout = tier("Local", true);
    let mut world = story(&layout, 5, &[(60.0, "set web sessions token")], 120.0);
    let frame = world.frame();
    let signed_in = frame.sessions.signed_in;
    assert!(
        (1_900..=2_000).contains(&frame.sessions.lost),
        "{}",
        frame.sessions.lost
    );
    let lost = frame.sessions.lost;
    super::act(&mut world, "kill web/1");
    advance_to(&mut world, 180.0);
    let after = world.frame().sessions.lost;
    assert!(
        after - lost <= signed_in - lost + 20,
        "tokens survive their server: {after}"
    );
    let message = refusal(&mut world, "set web sessions store:nowhere");
    assert!(message.contains("no session store nowhere"), "{message}");
}

#[test]
fn who_stays_away_for_longer_than_a_session_lives_has_lost_nothing() {
    for sessions in ["Local", r#"Store("sessions")"#, "Token"] {
        let layout = layout(&format!(
            r#"Layout(title: "rare",
                users: {{ "people": (count: 1_000, every: "60s") }},
                services: {{ "web": Web(sessions: {sessions}, session_ttl: "10s"), "sessions": SessionStore() }})"#
        ));
        let mut world = story(&layout, 1, &[], 600.0);
        let frame = world.frame();
        assert_eq!(frame.sessions.lost, 0, "{sessions}");
        assert!(frame.sessions.expired > 5_000, "{sessions}: {:?}", frame.sessions);
        // And nobody keeps what is over.
        super::act(&mut world, "surge 0");
        advance_to(&mut world, 630.0);
        let frame = world.frame();
        assert_eq!(instance(&frame, "web/1").sessions, Some(0), "{sessions}");
        assert_eq!(instance(&frame, "sessions").sessions, Some(0), "{sessions}");
    }
}

#[test]
fn only_answers_for_which_somebody_asked_who_it_is_count_as_served_though_revoked() {
    let layout = layout(
        r#"Layout(title: "assets",
            users: { "people": (count: 1_000, every: "5s", asks: (page: 1, asset: 1), browser: false) },
            services: { "web": Web(sessions: Store("sessions")), "sessions": SessionStore(durable: true) })"#,
    );
    let mut world = story(&layout, 1, &[(60.0, "revoke people 50%")], 120.0);
    let frame = world.frame();
    assert_eq!((frame.sessions.revoked_served, frame.sessions.lost), (0, 0));
    assert!(frame.sessions.revoked > 400);
    super::act(&mut world, "kill sessions");
    let message = refusal(&mut world, "revoke people");
    assert!(message.contains("sessions holds sessions"), "{message}");
}

#[test]
fn an_old_fault_is_not_blamed_for_later_losses() {
    let acts = [
        (60.0, "kill web/1"),
        (70.0, "mend web/1"),
        (150.0, "set web sessions token"),
    ];
    let frame = story(&tier("Local", true), 6, &acts, 220.0).frame();
    let blamed = only_incident(&frame).lost_sessions;
    assert!(
        frame.sessions.lost > 2_000 && (300..700).contains(&blamed),
        "{blamed} of {}",
        frame.sessions.lost
    );
}

#[test]
fn nobody_blames_a_store_that_nobody_asks_any_more() {
    let acts = [
        (30.0, "kill sessions"),
        (40.0, "set web sessions token"),
        (60.0, "mend all"),
        (90.0, "kill sessions"),
    ];
    let frame = story(&tier(r#"Store("sessions")"#, false), 7, &acts, 200.0).frame();
    assert!(frame.incidents[0].healed.is_some(), "{:?}", frame.incidents[0]);
    let second = &frame.incidents[1];
    assert_eq!((second.lost_sessions, second.failed), (0, 0));
    assert!(second.sentence.contains("Nobody asks"), "{}", second.sentence);
}
