//! Whom it asks, and whom it leaves alone.

use super::*;

fn shielded() -> Cdn {
    Cdn { shield: true, ..spec() }
}

fn avoided(bench: &Bench, node: InstanceId) -> usize {
    let is = |event: &&Event| matches!(event, Event::NodeAvoided { node: about, primary: false, .. } if *about == node);
    bench.events.iter().filter(is).count()
}

#[test]
fn an_object_of_the_shield_keeps_its_age_at_the_edge() {
    let mut bench = Bench::new(shielded(), 1, 1);
    let first = bench.get(page(7, 0));
    assert_eq!(first.read(), (0, None));
    bench.run(6_000);
    bench.to.set(bench.edges[1]);
    let second = bench.get(page(7, 1));
    assert_eq!(second.read(), (0, Some(Layer::Shield)));
    assert_eq!(second.fresh_until(), first.fresh_until());
    assert_eq!(bench.get(page(7, 1)).read(), (0, Some(Layer::Edge)));
    bench.run(5_000);
    assert_eq!(
        bench.get(page(7, 1)).read(),
        (1, None),
        "it is 10 s old, wherever it was"
    );
    assert_eq!(bench.asked(), 2);
    assert_eq!((bench.tally(2).hits, bench.tally(2).lookups), (1, 3));
}

#[test]
fn a_shield_that_fails_is_left_alone_for_a_while() {
    let mut bench = Bench::new(shielded(), 1, 1);
    let shield = bench.shield.expect("there is one");
    bench.kernel.hang(shield);
    let end = bench.get(page(1, 0));
    assert_eq!((end.read().0, end.reply.retries), (0, 1));
    assert!(end.took >= 5_000, "it waited for the shield: {end:?}");
    assert_eq!(avoided(&bench, shield), 1);
    let quick = bench.get(page(2, 0));
    assert!(quick.took < 50 && quick.reply.retries == 0, "{quick:?}");
    bench.run(2_000);
    // One tries it again; others leave it alone meanwhile.
    bench.ask(page(3, 0));
    bench.run(10);
    assert!(bench.get(page(4, 0)).took < 50);
    bench.kernel.crash(shield);
    bench.run(10);
    bench.kernel.start(shield, Duration::ZERO);
    // The one that tried it hears nothing for 5 s, and then it rests for twice as long as before.
    bench.run(10_000);
    bench.get(page(5, 0));
    assert!(bench.events.contains(&Event::NodeUsed { node: shield }));
    assert!(bench.tally(2).lookups >= 1);
    // What a shield was asked to do that may not be repeated fails with it.
    bench.kernel.hang(shield);
    let write = Http {
        ask: Ask::Update,
        ..page(1, 0)
    };
    assert_eq!(bench.get(write).reason(), Reason::TimedOut);
}

#[test]
fn where_nobody_listens_the_next_data_center_is_asked_at_once() {
    let mut bench = Bench::new(spec(), 2, 1);
    bench.kernel.crash(bench.centers[0]);
    let write = Http {
        ask: Ask::Update,
        ..page(1, 0)
    };
    for key in 0..10 {
        let end = bench.get(Http { key, ..write });
        assert!(end.reply.outcome.is_ok() && end.took < 30, "{end:?}");
    }
    assert_eq!(avoided(&bench, bench.centers[0]), 1);
    bench.behave(1, |manner| manner.fails = Some(Reason::NoHealthyBackend));
    let end = bench.get(write);
    assert_eq!(end.reason(), Reason::Refused, "both were asked: {end:?}");
    bench.kernel.start(bench.centers[0], Duration::ZERO);
    bench.run(10);
    assert!(
        bench.get(write).reply.outcome.is_ok(),
        "who rests is asked if there is nobody else"
    );
    bench.behave(1, |manner| manner.fails = None);
    bench.run(5_000);
    for key in 0..10 {
        bench.get(Http { key, ..write });
    }
    let book = bench.book.borrow();
    let late = &book.asked[book.asked.len() - 10..];
    let first = late.iter().filter(|(_, center, _)| *center == bench.centers[0]).count();
    assert_eq!(first, 5, "they take turns");
}

#[test]
fn a_single_data_center_is_asked_again_and_again() {
    let mut bench = Bench::new(spec(), 1, 1);
    bench.kernel.crash(bench.centers[0]);
    for key in 0..3 {
        assert_eq!(bench.get(page(key, 0)).reason(), Reason::Refused);
    }
    assert_eq!(avoided(&bench, bench.centers[0]), 0, "there are no others to be asked");
    bench.kernel.start(bench.centers[0], Duration::ZERO);
    bench.run(10);
    assert_eq!(bench.get(page(0, 0)).read(), (0, None));
}

#[test]
fn a_claimed_address_leads_to_its_new_holder() {
    let mut bench = Bench::new(spec(), 2, 1);
    let priority = bench.edges[0].0;
    bench.kernel.crash(bench.centers[0]);
    bench.kernel.cast(bench.centers[1], Request::Advertise { priority });
    bench.run(10);
    for key in 0..4 {
        assert_eq!(bench.get(page(key, 0)).reply.retries, 0);
    }
    assert_eq!(bench.asked(), 4);
    assert!(bench.events.is_empty(), "{:?}", bench.events);
}
