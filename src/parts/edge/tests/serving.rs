//! What is kept, for how long, for whom.

use super::*;

#[test]
fn an_object_is_kept_until_its_time_is_over() {
    let mut bench = Bench::new(spec(), 1, 1);
    let edge = Some(Layer::Edge);
    assert_eq!(bench.get(page(7, 1)).read(), (0, None));
    assert_eq!(bench.get(page(7, 2)).read(), (0, edge));
    let json = Http {
        format: Format::Json,
        ..page(7, 2)
    };
    assert_eq!(bench.get(json).read(), (1, None));
    // It was asked for 1 ms after the start and a way, and lives for 10 s from then.
    bench.run(9_000);
    assert_eq!(bench.get(page(7, 3)).read(), (0, edge));
    bench.run(2_000);
    assert_eq!(bench.get(page(7, 4)).read(), (2, None));
    let tally = bench.tally(0);
    assert_eq!((tally.lookups, tally.hits, tally.loads, tally.expired), (5, 2, 3, 1));
    assert_eq!((tally.stored, tally.bypassed, tally.failed_loads), (3, 0, 0));
    assert_eq!((tally.served_bytes, tally.hit_bytes), (5_000, 2_000));
    assert_eq!((bench.probes[0].entries.get(), bench.probes[0].bytes.get()), (2, 2_000));
}

#[test]
fn what_is_private_bypasses_it_and_is_never_kept() {
    let mut bench = Bench::new(spec(), 1, 1);
    let shows = [
        Http {
            pass: Pass::Session(4),
            ..page(7, 1)
        },
        Http {
            cookie: Some(InstanceId(0)),
            ..page(7, 1)
        },
        Http {
            wrote: (7, Stamp(9)),
            ..page(7, 1)
        },
        Http {
            ask: Ask::Update,
            ..page(7, 1)
        },
        Http {
            ask: Ask::Search,
            ..page(7, 1)
        },
    ];
    for (number, http) in shows.into_iter().enumerate() {
        assert!(bench.get(http).reply.outcome.is_ok());
        assert_eq!(bench.tally(0).bypassed, number as u64 + 1);
        assert_eq!(bench.book.borrow().asked.last().expect("it is passed on").2, http);
    }
    bench.behave(0, |manner| manner.private = true);
    bench.get(page(8, 1));
    bench.behave(0, |manner| (manner.private, manner.cookie) = (false, true));
    bench.get(page(8, 1));
    let tally = bench.tally(0);
    assert_eq!((tally.bypassed, tally.lookups, tally.stored), (7, 0, 0));
    assert_eq!(tally.served_bytes, 7_000);
}

#[test]
fn static_files_are_kept_without_cookies() {
    let mut bench = Bench::new(spec(), 1, 1);
    bench.behave(0, |manner| (manner.private, manner.cookie) = (true, true));
    let shown = Http {
        pass: Pass::Session(4),
        cookie: Some(InstanceId(0)),
        wrote: (1, Stamp(2)),
        ..file(3, 1)
    };
    for format in [Format::Html, Format::Json] {
        let end = bench.get(Http { format, ..shown });
        let Ok(Answer::Page {
            cookie,
            pass,
            format: given,
            ..
        }) = end.reply.outcome
        else {
            panic!("{end:?}")
        };
        assert_eq!((cookie, pass, given), (None, PassNews::NotAsked, format));
    }
    let sent = bench.book.borrow().asked[0].2;
    assert_eq!(
        (sent.pass, sent.cookie, sent.wrote),
        (Pass::None, None, (0, Stamp::ORIGINAL))
    );
    assert_eq!(bench.asked(), 1, "a file is the same in every form");
    bench.get(file(3, 2));
    assert_eq!(bench.asked(), 2, "another version is another file");
}

#[test]
fn those_who_miss_the_same_object_wait_for_one_fetch() {
    for (coalesce, fetches) in [(true, 1), (false, 20)] {
        let mut bench = Bench::new(Cdn { coalesce, ..spec() }, 1, 1);
        bench.behave(0, |manner| manner.after = 500);
        for person in 0..20 {
            bench.ask(page(7, person));
            bench.run(5);
        }
        bench.run(1_000);
        let tally = bench.tally(0);
        assert_eq!((bench.asked(), tally.loads), (fetches, fetches as u64));
        assert_eq!(
            (tally.lookups, tally.hits, tally.coalesced),
            (20, 0, 20 - fetches as u64)
        );
        assert_eq!(bench.probes[0].worst.get(), fetches as u32);
        assert_eq!(tally.stampedes, u64::from(!coalesce));
        let copies = bench.ends.borrow().iter().filter(|end| end.read().1.is_some()).count();
        assert_eq!(copies, 20 - fetches, "who waited has a copy");
    }
}

#[test]
fn a_private_answer_is_shared_with_nobody() {
    let mut bench = Bench::new(spec(), 1, 1);
    bench.behave(0, |manner| (manner.after, manner.private) = (200, true));
    for person in 0..5 {
        bench.ask(page(7, person));
    }
    bench.run(1_000);
    assert_eq!(bench.ends.borrow().len(), 5);
    for end in bench.ends.borrow().iter() {
        let Ok(Answer::Page {
            pass: PassNews::Issued(issue),
            ..
        }) = &end.reply.outcome
        else {
            panic!("{end:?}")
        };
        assert_eq!(issue.pass, Pass::Session(end.http.user.0));
    }
    let tally = bench.tally(0);
    assert_eq!((tally.bypassed, tally.lookups, tally.stored), (5, 0, 0));
}

#[test]
fn when_a_fetch_is_given_up_the_next_one_who_waits_fetches() {
    let mut bench = Bench::new(spec(), 1, 1);
    bench.behave(0, |manner| manner.after = 500);
    bench.patience.set(Duration::from_millis(100));
    bench.ask(page(7, 0));
    bench.run(50);
    bench.patience.set(Duration::from_secs(60));
    for person in 1..5 {
        bench.ask(page(7, person));
    }
    bench.run(2_000);
    assert_eq!(bench.asked(), 2);
    let ends = bench.ends.borrow();
    assert_eq!((ends.len(), ends[0].reason()), (5, Reason::TimedOut));
    assert!(ends[1..].iter().all(|end| end.read().0 == 1), "{ends:?}");
}

#[test]
fn past_its_time_an_object_is_shown_while_it_is_fetched_anew_once() {
    let stale_while_revalidate = Duration::from_secs(5);
    let mut bench = Bench::new(
        Cdn {
            stale_while_revalidate,
            ..spec()
        },
        1,
        1,
    );
    bench.get(page(7, 0));
    bench.run(11_000);
    bench.behave(0, |manner| manner.after = 1_000);
    for person in 1..=10 {
        bench.ask(page(7, person));
    }
    bench.run(500);
    {
        let ends = bench.ends.borrow();
        assert!(
            ends[1..]
                .iter()
                .all(|end| end.read() == (0, Some(Layer::Edge)) && end.took <= 5)
        );
        assert_eq!(ends.len(), 11);
    }
    bench.run(1_000);
    assert_eq!(bench.get(page(7, 11)).read(), (1, Some(Layer::Edge)));
    let tally = bench.tally(0);
    assert_eq!(
        (tally.loads, tally.refreshes, tally.stale_hits, tally.hits),
        (2, 1, 10, 11)
    );
    bench.run(20_000);
    assert_eq!(bench.get(page(7, 12)).read(), (2, None), "it is too old by now");
}

#[test]
fn in_hard_times_what_is_old_will_do() {
    let stale_if_error = Duration::from_secs(60);
    for (reason, shown) in [(Reason::NoHealthyBackend, true), (Reason::RateLimited, false)] {
        let mut bench = Bench::new(
            Cdn {
                stale_if_error,
                ..spec()
            },
            1,
            1,
        );
        bench.get(page(7, 0));
        bench.behave(0, |manner| manner.fails = Some(reason));
        bench.run(15_000);
        let end = bench.get(page(7, 1));
        if !shown {
            assert_eq!(end.reason(), reason, "it is the client's fault");
            continue;
        }
        assert_eq!(end.read(), (0, Some(Layer::Edge)));
        assert!(end.fresh_until().expect("it was kept") < bench.kernel.now());
        assert_eq!(bench.get(page(8, 1)).reason(), reason);
        let tally = bench.tally(0);
        assert_eq!((tally.stale_hits, tally.hits, tally.failed_loads), (1, 1, 2));
        bench.run(60_000);
        assert_eq!(bench.get(page(7, 2)).reason(), reason);
        assert_eq!(bench.tally(0).expired, 1, "it is counted once");
    }
}

#[test]
fn what_was_asked_for_before_a_purge_is_not_kept_after_it() {
    let mut bench = Bench::new(spec(), 1, 1);
    bench.get(page(7, 0));
    bench.get(page(8, 0));
    bench.get(file(7, 1));
    bench.behave(0, |manner| manner.after = 100);
    bench.ask(page(9, 0));
    bench.run(50);
    bench.kernel.cast(bench.edges[0], Request::Purge(Some(7)));
    bench.run(200);
    assert_eq!(bench.tally(0).invalidated, 2);
    assert_eq!(bench.probes[0].entries.get(), 1);
    assert_eq!(bench.get(page(8, 1)).read().1, Some(Layer::Edge));
    assert_eq!(bench.get(page(9, 1)).read().1, None);
    bench.kernel.cast(bench.edges[0], Request::Purge(None));
    bench.run(10);
    assert_eq!((bench.probes[0].entries.get(), bench.tally(0).invalidated), (0, 4));
}

#[test]
fn its_room_is_kept_and_changes_live() {
    let mut bench = Bench::new(
        Cdn {
            room: Room::Bytes(10_500),
            ..spec()
        },
        1,
        1,
    );
    for key in 0..20 {
        bench.get(page(key, 0));
    }
    assert_eq!((bench.probes[0].entries.get(), bench.tally(0).evicted), (10, 10));
    bench.spec.borrow_mut().room = Room::Items(4);
    bench.kernel.cast(bench.edges[0], Request::Retune);
    bench.run(10);
    assert_eq!((bench.probes[0].entries.get(), bench.tally(0).evicted), (4, 16));
    assert_eq!(bench.get(page(19, 0)).read().1, Some(Layer::Edge));
}
