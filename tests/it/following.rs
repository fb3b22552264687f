//! Following one request of a user: all that is told of it fits together, and nothing is changed by looking.

use std::time::Duration;

use blastradius::command::{Command, Selector};
use blastradius::layout::{find_shipped, parse};
use blastradius::observe::{Doing, Followed, Following, Frame, PhaseKind, Span};
use blastradius::world::{Follow, World};

fn world(name: &str, seed: u64) -> World {
    let shipped = find_shipped(name).expect("it is shipped");
    let layout = parse(shipped.source, shipped.file).expect("it is right");
    World::build(&layout, seed)
}

fn through(place: &str) -> Follow {
    Follow::Through(Some(Selector(place.to_string())))
}

/// Lets time pass until the request that fits has ended.
fn followed(world: &mut World, follow: &Follow) -> (Frame, Followed) {
    world.follow(Some(follow)).expect("it is there");
    for _ in 0..20_000 {
        if world.following() == Some(Following::Ended) {
            let frame = world.frame();
            let followed = frame.followed.as_deref().cloned().expect("one is followed");
            return (frame, followed);
        }
        world.advance(Duration::from_millis(1));
    }
    panic!("no request fitted within 20 s: {follow:?}");
}

/// Each moment of a request is accounted for once.
fn accounted(frame: &Frame, followed: &Followed, about: &str) {
    let root = followed.root().expect("a user asked");
    let spent = followed.spent(frame.at);
    let whole = root.ended.expect("it has ended").since(root.sent);
    let all = spent.wire + spent.queue + spent.work + spent.other;
    assert_eq!(u128::from(all), whole.as_nanos(), "{about}");
}

#[test]
fn nothing_changes_when_somebody_looks() {
    for (name, seed) in [
        ("04", 1),
        ("05", 2),
        ("08", 3),
        ("09", 4),
        ("14", 5),
        ("15", 6),
        ("20", 7),
    ] {
        let mut plain = world(name, seed);
        plain.advance(Duration::from_secs(8));
        let mut looked = world(name, seed);
        for follow in [
            Follow::Through(None),
            Follow::Failing(None),
            Follow::Slower(Duration::from_millis(40)),
        ] {
            looked.follow(Some(&follow)).expect("it is known");
            looked.advance(Duration::from_secs(2));
        }
        looked.follow(None).expect("nobody");
        looked.advance(Duration::from_secs(2));
        assert_eq!(plain.digest(), looked.digest(), "layout {name}, seed {seed}");
    }
}

#[test]
fn a_request_is_followed_from_the_user_to_the_database_and_back() {
    let mut world = world("04", 7);
    world.advance(Duration::from_secs(5));
    let (frame, followed) = followed(&mut world, &through("web/1"));
    let places: Vec<&str> = followed.spans.iter().map(|span| span.at.as_str()).collect();
    let after = |place: &str| places.iter().position(|other| other.starts_with(place));
    assert_eq!(after("people"), Some(0), "{places:?}");
    assert!(after("lb") < after("web/1"), "{places:?}");
    assert!(after("web/1") < after("db"), "{places:?}");
    let web = &followed.spans[after("web/1").expect("it is there")];
    assert!(web.phases.iter().any(|phase| phase.kind == PhaseKind::Work), "{web:?}");
    let root = followed.root().expect("a user asked");
    assert_eq!(root.failure(), None);
    // Each moment of it is accounted for once.
    let spent = followed.spent(frame.at);
    let whole = root.ended.expect("it has ended").since(root.sent);
    assert_eq!(
        u128::from(spent.wire + spent.queue + spent.work + spent.other),
        whole.as_nanos()
    );
    assert!(spent.wire > 0 && spent.work > 0, "{spent:?}");
}

#[test]
fn what_is_told_of_any_request_fits_together() {
    for (name, seeds) in [
        ("04", 1..12),
        ("05", 1..6),
        ("08", 1..6),
        ("09", 1..6),
        ("10", 1..4),
        ("15", 1..4),
        ("24", 1..4),
    ] {
        for seed in seeds {
            let mut world = world(name, seed);
            world.advance(Duration::from_millis(3_000 + seed * 137));
            let (frame, followed) = followed(&mut world, &Follow::Through(None));
            let about = format!("layout {name}, seed {seed}: {followed:#?}");
            for (index, span) in followed.spans.iter().enumerate() {
                assert!(span.parent.is_none_or(|parent| parent < index), "{about}");
                assert!(span.arrives.is_none_or(|at| span.sent <= at), "{about}");
                let began = span.arrives.unwrap_or(span.sent);
                for phase in &span.phases {
                    assert!(
                        began <= phase.from && phase.to.is_none_or(|to| phase.from <= to),
                        "{about}"
                    );
                    assert!(
                        span.ended.is_none_or(|end| phase.to.is_none_or(|to| to <= end)),
                        "{about}"
                    );
                }
                if let (Some(ended), Some(heard)) = (span.ended, span.heard)
                    && !span.given_up
                {
                    assert!(began <= ended && ended <= heard, "{about}");
                }
                if let Some(parent) = span.parent.map(|parent| &followed.spans[parent]) {
                    assert!(parent.sent <= span.sent && parent.depth + 1 == span.depth, "{about}");
                }
            }
            accounted(&frame, &followed, &about);
        }
    }
}

#[test]
fn whoever_meets_a_dead_server_is_seen_to_go_elsewhere() {
    let mut world = world("04", 7);
    world.advance(Duration::from_secs(5));
    world
        .apply(&Command::parse("kill web/1").expect("a command"))
        .expect("it is there");
    let (_, followed) = followed(&mut world, &through("web/1"));
    let tries: Vec<_> = followed
        .spans
        .iter()
        .filter(|span| span.at.starts_with("web/"))
        .collect();
    assert_eq!((tries[0].at.as_str(), tries[0].served), ("web/1", Some(false)));
    assert_eq!(tries[0].failure(), Some("refused"));
    assert_eq!(tries[0].doing(tries[0].arrives.expect("it came there")), Doing::Wire);
    assert!(tries[1].at != "web/1" && tries[1].served == Some(true), "{tries:?}");
    assert_eq!(followed.root().and_then(Span::failure), None);
}

#[test]
fn one_that_fails_and_one_that_is_slow_are_found() {
    let mut world = world("04", 7);
    world.advance(Duration::from_secs(5));
    let (_, slow) = followed(&mut world, &Follow::Slower(Duration::from_millis(30)));
    let root = slow.root().expect("a user asked");
    assert!(root.ended.expect("it has ended").since(root.sent) >= Duration::from_millis(30));
    world
        .apply(&Command::parse("kill db").expect("a command"))
        .expect("it is there");
    let (_, failed) = followed(&mut world, &Follow::Failing(None));
    assert!(failed.root().is_some_and(|root| root.failure().is_some()));
    let of = failed
        .spans
        .iter()
        .find(|span| span.at.starts_with("db") && span.failure().is_some());
    assert_eq!(of.and_then(Span::failure), Some("refused"), "{failed:#?}");
}

#[test]
fn nobody_is_followed_to_what_is_not_there() {
    let mut world = world("04", 7);
    let error = world.follow(Some(&through("wbe"))).expect_err("it is not there");
    assert!(error.to_string().contains("did you mean `web`"), "{error}");
    assert_eq!(world.following(), None);
}

#[test]
fn a_message_that_is_lost_is_told_apart_from_others() {
    for (name, cut, through) in [
        ("04", "cut lb -> web/1", "web/1"),
        ("15", "cut web -> db", "web"),
        ("05", "cut web -> db/2", "db/2"),
    ] {
        let mut world = world(name, 7);
        world.advance(Duration::from_secs(5));
        world
            .apply(&Command::parse(cut).expect("a command"))
            .expect("it is there");
        let (frame, followed) = followed(&mut world, &self::through(through));
        let lost: Vec<_> = followed.spans.iter().filter(|span| span.arrives.is_none()).collect();
        assert!(!lost.is_empty(), "{name}: {followed:#?}");
        for span in lost {
            assert!(!span.awaited || span.heard.is_some(), "{name}: {span:?}");
            assert!(span.served.is_none() && span.phases.is_empty(), "{name}: {span:?}");
        }
        accounted(&frame, &followed, name);
    }
}
