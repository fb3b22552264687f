//! What becomes of an upload when the queue is full or dead.

use std::time::Duration;

use blastradius::observe::PublisherState;
use blastradius::world::World;

use super::{jobs, ok_while, queue, studio};
use crate::story::{act, advance_to, service};

const WORKERS: &str = r#"machines: 4, size: "s", slots: 2, work: Constant("20ms"), boot: "1s""#;

fn publisher(world: &World) -> PublisherState {
    service(&world.frame(), "web").publisher.clone().expect("a publisher")
}

/// A dead queue from 10 s to 30 s; returns the share of uploads that were answered well in that time, and the world half a minute later.
fn outage(web: &str) -> (f64, World) {
    let mut world = World::build(&studio(50, r#"boot: "1s""#, WORKERS, web), 6);
    advance_to(&mut world, 10.0);
    act(&mut world, "kill photos");
    let ok = ok_while(&mut world, 11.0, 29.0);
    act(&mut world, "mend photos");
    advance_to(&mut world, 60.0);
    (ok, world)
}

#[test]
fn by_default_who_uploads_is_told_that_it_failed() {
    let (ok, world) = outage("");
    assert!(ok < 0.01, "{ok}");
    let tally = jobs(&world);
    // What was in work when the queue died could not be acknowledged: it is done again.
    assert!(tally.lost == 0 && tally.duplicated < 20, "{tally:?}");
    assert!(publisher(&world).total.refused > 800, "{:?}", publisher(&world));
}

#[test]
fn an_outbox_keeps_uploads_and_sends_them_later() {
    let (ok, world) = outage("fallback: Outbox(messages: 2_000)");
    assert!(ok > 0.999, "{ok}");
    let (state, tally) = (publisher(&world), jobs(&world));
    assert!(state.total.kept > 900, "{state:?}");
    assert_eq!((state.total.sent_later, state.outbox), (state.total.kept, 0));
    assert!(tally.lost == 0 && tally.open() < 20, "{tally:?}");
}

#[test]
fn an_outbox_that_is_full_refuses_and_one_that_dies_loses_what_it_held() {
    let layout = studio(50, r#"boot: "1s""#, WORKERS, "fallback: Outbox(messages: 200)");
    let mut world = World::build(&layout, 6);
    advance_to(&mut world, 10.0);
    act(&mut world, "kill photos");
    advance_to(&mut world, 30.0);
    let state = publisher(&world);
    assert_eq!((state.outbox, state.room), (400, 400));
    assert!(state.total.refused > 400, "{state:?}");
    act(&mut world, "kill web/1");
    let lost = jobs(&world).lost;
    assert_eq!(lost, 200);
    act(&mut world, "mend all");
    advance_to(&mut world, 60.0);
    assert_eq!(jobs(&world).lost, lost, "what web/2 held was sent");
}

#[test]
fn what_is_dropped_was_promised_and_is_lost() {
    let (ok, world) = outage("fallback: Drop");
    assert!(ok > 0.999, "{ok}");
    let (state, tally) = (publisher(&world), jobs(&world));
    assert_eq!(tally.lost, state.total.dropped);
    assert!(tally.lost > 900, "{tally:?}");
}

#[test]
fn who_is_blocked_waits_for_the_queue_or_in_vain() {
    let (_, world) = outage(r#"fallback: Block(longest: "25s")"#);
    assert_eq!(world.frame().total.failed, 0);
    assert_eq!(jobs(&world).lost, 0);
    let slowest = world.frame().latency.max;
    assert!(slowest > Duration::from_secs(15), "{slowest:?}");
    let (ok, _) = outage(r#"fallback: Block(longest: "2s")"#);
    assert!(ok < 0.2, "{ok}");
}

#[test]
fn without_a_confirmation_nobody_knows_and_what_was_sent_is_lost() {
    let (ok, world) = outage("confirm: false");
    assert!(ok > 0.999, "{ok}");
    let tally = jobs(&world);
    assert!(tally.lost > 900, "{tally:?}");
    assert_eq!(publisher(&world).total.refused, 0);
}

#[test]
fn a_full_queue_turns_away_and_says_so() {
    let mut world = World::build(&studio(50, "messages: 300", WORKERS, ""), 6);
    act(&mut world, "kill workers");
    advance_to(&mut world, 30.0);
    let state = queue(&world);
    assert_eq!((state.held, state.room), (300, 300));
    assert!(state.total.refused > 1_000, "{state:?}");
    let frame = world.frame();
    assert!(
        frame
            .causes
            .iter()
            .any(|cause| cause.reason.name() == "queue full" && cause.at == "photos")
    );
    let full = frame.log.iter().filter(|line| line.text.contains("photos is full"));
    assert_eq!(full.count(), 1);
    act(&mut world, "mend workers");
    let ok = ok_while(&mut world, 35.0, 60.0);
    assert!(ok > 0.999, "{ok}");
}
