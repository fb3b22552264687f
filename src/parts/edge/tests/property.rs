//! Whatever happens: nothing is made up, nothing private is shared, rooms are kept, and the cut of time changes nothing.

use super::*;
use crate::sim::{ProcessState, Stream};

/// Odd rows are pages of their users only.
fn is_private(key: u64) -> bool {
    key % 2 == 1
}

/// Does something at random, many times. Returns the digest, and how many requests ended.
fn run(seed: u64, narrow: bool) -> (u64, usize) {
    let mut chance = Stream::new(seed, "edge", "property");
    let spec = Cdn {
        shield: chance.draw().below(2) == 0,
        coalesce: chance.draw().below(4) > 0,
        stale_while_revalidate: Duration::from_secs(chance.draw().below(3)),
        stale_if_error: Duration::from_secs(chance.draw().below(30)),
        room: Room::Items(1 + chance.draw().below(20)),
        pages: Some(Duration::from_millis(500 + chance.draw().below(5_000))),
        ..spec()
    };
    let mut bench = Bench::new(spec, 2, seed);
    for center in 0..2 {
        bench.behave(center, |manner| (manner.private, manner.odd_only) = (true, true));
    }
    if narrow {
        bench.kernel.narrow_windows(seed);
    }
    let all: Vec<InstanceId> = bench.edges.iter().copied().chain(bench.shield).collect();
    for step in 0..600 {
        act(&mut bench, &mut chance, &all);
        bench.run(1 + chance.draw().below(60));
        if step % 10 == 9 {
            keep_rooms(&mut bench, &all);
        }
    }
    for edge in all.iter().chain(&bench.centers) {
        bench.kernel.start(*edge, Duration::ZERO);
    }
    bench.run(70_000);
    check(&bench);
    let ends = bench.ends.borrow().len();
    (bench.kernel.digest(), ends)
}

/// Tells all of the room; who is down holds nothing of use and is left out.
fn keep_rooms(bench: &mut Bench, all: &[InstanceId]) {
    for edge in all {
        bench.kernel.cast(*edge, Request::Retune);
    }
    bench.run(2);
    let Room::Items(most) = bench.spec.borrow().room else {
        return;
    };
    for (edge, probe) in all.iter().zip(&bench.probes) {
        let up = bench.kernel.process_state(*edge) == ProcessState::Up;
        assert!(!up || probe.entries.get() <= most, "{} of {most}", probe.entries.get());
    }
}

fn act(bench: &mut Bench, chance: &mut Stream, all: &[InstanceId]) {
    let mut below = |most: u64| chance.draw().below(most);
    match below(60) {
        0 => bench.kernel.crash(all[below(all.len() as u64) as usize]),
        1 | 2 => {
            let edge = all[below(all.len() as u64) as usize];
            bench.kernel.start(edge, Duration::ZERO);
        }
        3 => bench.kernel.crash(bench.centers[below(2) as usize]),
        4 | 5 => bench.kernel.start(bench.centers[below(2) as usize], Duration::ZERO),
        6 => {
            let (center, after) = (below(2) as usize, below(300));
            bench.behave(center, |manner| manner.after = after);
        }
        7 => bench
            .kernel
            .cast(all[below(all.len() as u64) as usize], Request::Purge(None)),
        8 => {
            let key = Some(below(12));
            bench
                .kernel
                .cast(all[below(all.len() as u64) as usize], Request::Purge(key));
        }
        9 => bench.spec.borrow_mut().room = Room::Items(1 + below(20)),
        10 => bench.spec.borrow_mut().coalesce = below(2) == 0,
        11 => bench.patience.set(Duration::from_millis(20 + below(2_000))),
        12 => {
            let fails = (below(2) == 0).then_some(Reason::NoHealthyBackend);
            bench.behave(below(2) as usize, |manner| manner.fails = fails);
        }
        _ => {
            bench.to.set(bench.edges[below(2) as usize]);
            let (key, person) = (below(12), below(5));
            let signed_in = is_private(key) && below(2) == 0;
            let pass = if signed_in { Pass::Session(person) } else { Pass::None };
            bench.ask(Http {
                pass,
                ..page(key, person)
            });
        }
    }
}

fn check(bench: &Bench) {
    let book = bench.book.borrow();
    for end in bench.ends.borrow().iter() {
        let Ok(Answer::Page {
            status: Status::Read { version, .. },
            ref pass,
            copy,
            ..
        }) = end.reply.outcome
        else {
            continue;
        };
        assert_eq!(book.versions[version.0 as usize], end.http.key, "{end:?}");
        match pass {
            PassNews::Issued(issue) => {
                assert_eq!((issue.pass, copy), (Pass::Session(end.http.user.0), None), "{end:?}");
            }
            _ => assert!(!is_private(end.http.key), "{end:?}"),
        }
    }
    let now = bench.kernel.now();
    assert!(
        now > SimTime::ZERO && bench.kernel.under_way() == 0,
        "nothing is left behind"
    );
}

#[test]
fn nothing_private_is_shared_and_nothing_is_made_up() {
    for seed in 0..12 {
        let (digest, ends) = run(seed, false);
        assert!(ends > 300, "seed {seed}: {ends}");
        assert_eq!(run(seed, true), (digest, ends), "seed {seed}: windows must not matter");
    }
}
