//! What each way of delivery promises, whatever dies: over many seeds, with random kills of workers, brokers and links.

use std::time::Duration;

use blastradius::observe::JobTally;
use blastradius::sim::Stream;
use blastradius::world::World;

use super::{jobs, queue, studio};
use crate::story::{act, advance_to};

/// How many histories.
fn seeds() -> u64 {
    let wanted = std::env::var("BLASTRADIUS_SEEDS")
        .ok()
        .and_then(|count| count.parse().ok());
    wanted.unwrap_or(12)
}

const WORKERS: &str = r#"machines: 3, size: "s", slots: 4, work: Exponential("100ms"), boot: "2s""#;
const DATABASE: &str = r#""db": Database(size: "xl", slots: 1_000, rows: 0)"#;

/// A studio with a database that results go to.
fn with_database(queue: &str, workers: &str) -> blastradius::layout::Layout {
    crate::build::layout(&format!(
        r#"Layout(title: "studio",
            users: {{ "people": (count: 40, every: "1s", mobile: 0, asks: (upload: 1), keys: Uniform(count: 10_000), patience: "30s") }},
            services: {{
                "web": Web(machines: 2, size: "4xl", slots: 10_000, backlog: 0, work: Constant("0.1ms"), queue: "photos"),
                "photos": Queue(size: "xl", {queue}),
                "workers": Consumer(of: "photos", database: "db", {workers}),
                {DATABASE},
            }})"#
    ))
}

/// Breaks something every few seconds for a minute, mends all, stops the traffic and lets what is left be done.
fn hurt(layout: &blastradius::layout::Layout, seed: u64, faults: &[&str]) -> World {
    let mut world = World::build(layout, seed);
    let mut draws = Stream::new(seed, "faults", "queueing");
    for step in 0..24 {
        world.advance(Duration::from_millis(500 + draws.draw().below(3_000)));
        if step % 4 == 3 {
            mend(&mut world);
        } else {
            let fault = faults[draws.draw().below(faults.len() as u64) as usize];
            // What is dead already can't be killed again.
            let _ = world.apply(&blastradius::command::Command::parse(fault).expect("a command"));
        }
    }
    mend(&mut world);
    act(&mut world, "surge 0");
    world.advance(Duration::from_secs(150));
    world
}

/// Mends all, if there is something to mend.
fn mend(world: &mut World) {
    let _ = world.apply(&blastradius::command::Command::MendAll);
}

const FAULTS: [&str; 9] = [
    "kill workers/1",
    "kill workers/2",
    "kill workers",
    "hang workers/3",
    "kill photos",
    "cut workers/1 <-> photos",
    "cut web <-> photos",
    "cut workers -> photos",
    "drop workers <-> photos 30%",
];

fn check(seed: u64, world: &World, holds: bool) -> JobTally {
    let tally = jobs(world);
    assert!(
        holds && tally.accepted == tally.done + tally.dead + tally.lost + tally.expired + tally.open(),
        "seed {seed}: {tally:?}; replay it with BLASTRADIUS_SEED={seed} cargo test --test it queueing::delivery"
    );
    tally
}

fn all_seeds() -> Vec<u64> {
    match std::env::var("BLASTRADIUS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => vec![seed],
        None => (1..=seeds()).collect(),
    }
}

#[test]
fn at_least_once_loses_nothing_that_a_durable_queue_confirmed() {
    let layout = studio(40, r#"visibility: "5s""#, WORKERS, "");
    let mut again = 0;
    for seed in all_seeds() {
        let world = hurt(&layout, seed, &FAULTS);
        let tally = jobs(&world);
        check(
            seed,
            &world,
            tally.lost == 0 && tally.open() == 0 && tally.done == tally.accepted,
        );
        again += tally.duplicated;
    }
    assert!(again > 0, "somewhere something was done twice");
}

#[test]
fn effectively_once_has_no_effect_twice() {
    let workers = format!("delivery: EffectivelyOnce, {WORKERS}");
    let layout = with_database(r#"visibility: "5s""#, &workers);
    let mut absorbed = 0;
    for seed in all_seeds() {
        let world = hurt(&layout, seed, &FAULTS);
        let tally = jobs(&world);
        let all_done = tally.lost == 0 && tally.open() == 0 && tally.done == tally.accepted;
        check(seed, &world, all_done && tally.duplicated == 0);
        absorbed += tally.absorbed;
    }
    assert!(absorbed > 0, "somewhere something was tried twice");
    // The same without the keys: it does happen twice.
    let layout = with_database(r#"visibility: "5s""#, WORKERS);
    let twice: u64 = all_seeds()
        .into_iter()
        .map(|seed| jobs(&hurt(&layout, seed, &FAULTS)).duplicated)
        .sum();
    assert!(twice > 0);
}

#[test]
fn at_most_once_does_nothing_twice_and_loses_what_workers_held() {
    let workers = format!("delivery: AtMostOnce, {WORKERS}");
    let layout = studio(40, "", &workers, "");
    let mut lost = 0;
    for seed in all_seeds() {
        // Who publishes anew what was confirmed, but not heard, makes a copy: that is no fault of the workers.
        let world = hurt(
            &layout,
            seed,
            &[
                "kill workers/1",
                "kill workers",
                "cut workers/2 <-> photos",
                "kill photos",
            ],
        );
        let tally = jobs(&world);
        check(seed, &world, tally.duplicated == 0 && tally.open() == 0);
        lost += tally.lost;
    }
    assert!(lost > 0);
}

#[test]
fn a_queue_in_memory_loses_exactly_what_it_held() {
    let layout = studio(200, r#"durable: false, visibility: "5s""#, WORKERS, "");
    for seed in all_seeds() {
        let mut world = World::build(&layout, seed);
        act(&mut world, "kill workers");
        advance_to(&mut world, 10.0 + seed as f64);
        let held = queue(&world).waiting;
        assert!(held > 1_500, "seed {seed}: {held}");
        let stored = queue(&world).held;
        assert_eq!(held, stored, "seed {seed}: nobody works, so all of it waits");
        act(&mut world, "kill photos");
        let tally = check(seed, &world, true);
        assert_eq!(tally.lost, stored, "seed {seed}");
        assert_eq!(queue(&world).waiting, 0);
        let frame = world.frame();
        assert_eq!(frame.incidents.last().expect("an incident").lost_jobs, stored);
        act(&mut world, "mend all");
        advance_to(&mut world, 40.0);
        let tally = check(seed, &world, true);
        assert_eq!(tally.lost, stored, "seed {seed}: no more than that");
    }
}

#[test]
fn what_was_out_when_a_queue_lost_its_memory_may_still_be_done() {
    let layout = studio(
        10,
        r#"durable: false, visibility: "1m""#,
        r#"machines: 4, size: "xl", slots: 16, work: Constant("3s")"#,
        "",
    );
    let mut world = World::build(&layout, 5);
    advance_to(&mut world, 20.0);
    let out = queue(&world).in_flight;
    assert!(out > 15, "{out}");
    act(&mut world, "surge 0");
    world.advance(Duration::from_secs(1));
    let out = queue(&world).in_flight;
    act(&mut world, "kill photos");
    world.advance(Duration::from_secs(10));
    let tally = check(5, &world, true);
    assert_eq!((tally.lost, tally.open()), (0, 0), "{out} were out: {tally:?}");
    // Had the workers died with it, what they held would be lost.
    act(&mut world, "mend all");
    world.advance(Duration::from_secs(20));
    act(&mut world, "surge 0");
    world.advance(Duration::from_secs(1));
    let (before, out) = (jobs(&world), queue(&world).in_flight);
    assert!(out > 5);
    act(&mut world, "kill photos");
    act(&mut world, "kill workers");
    world.advance(Duration::from_secs(10));
    let after = check(5, &world, true);
    assert_eq!((after.lost - before.lost, after.open()), (out, 0), "{after:?}");
}

#[test]
fn a_durable_queue_that_is_destroyed_loses_what_was_on_its_disk() {
    let layout = studio(100, "", WORKERS, "");
    let mut world = World::build(&layout, 2);
    act(&mut world, "kill workers");
    advance_to(&mut world, 20.0);
    let held = queue(&world).held;
    act(&mut world, "kill photos");
    assert_eq!(jobs(&world).lost, 0);
    act(&mut world, "destroy photos");
    assert_eq!((jobs(&world).lost, queue(&world).held), (held, 0));
}

#[test]
fn a_poison_message_ends_in_the_dead_letter_queue_and_never_blocks_the_rest() {
    let layout = crate::build::layout(
        r#"Layout(title: "studio",
            users: { "people": (count: 20, every: "1s", mobile: 0, asks: (upload: 1), keys: Uniform(count: 10_000)) },
            services: {
                "web": Web(size: "4xl", work: Constant("0.1ms"), queue: "photos"),
                "photos": Queue(size: "xl", visibility: "5s", attempts: 4, dead_letter: "dead"),
                "dead": Queue(),
                "workers": Consumer(of: "photos", machines: 4, size: "s", slots: 2, work: Exponential("100ms"), boot: "2s"),
            })"#,
    );
    for seed in all_seeds() {
        let mut world = World::build(&layout, seed);
        for _ in 0..3 {
            world.advance(Duration::from_secs(3));
            act(&mut world, "poison photos");
        }
        world.advance(Duration::from_secs(90));
        let (tally, state) = (check(seed, &world, true), queue(&world));
        // Two of them may kill the same process at once.
        let deaths = super::workers(&world).total.crashed;
        assert!(
            (8..=12).contains(&deaths),
            "seed {seed}: each of three kills four times, {deaths}"
        );
        let dead = crate::story::service(&world.frame(), "dead")
            .queue
            .clone()
            .expect("a queue");
        assert!(
            dead.first.iter().filter(|message| message.poison).count() == 3,
            "seed {seed}: {dead:?}"
        );
        assert!(
            dead.first.iter().all(|message| message.attempts == 4),
            "seed {seed}: {dead:?}"
        );
        assert_eq!(dead.waiting, tally.dead, "seed {seed}");
        assert!(
            state.oldest.unwrap_or_default() < Duration::from_secs(3),
            "seed {seed}: {state:?}"
        );
        // Mended photos go back and are done; the poison kills again.
        act(&mut world, "redrive dead");
        world.advance(Duration::from_secs(60));
        let again = check(seed, &world, true);
        assert!(again.dead >= 3, "seed {seed}: {again:?}");
        assert!(super::workers(&world).total.crashed >= deaths + 8, "seed {seed}");
    }
}

#[test]
fn every_subscriber_of_a_log_gets_everything_at_its_own_pace() {
    let layout = crate::build::layout(
        r#"Layout(title: "news",
            users: { "people": (count: 50, every: "1s", mobile: 0, asks: (upload: 1), keys: Uniform(count: 10_000)) },
            services: {
                "web": Web(size: "4xl", work: Constant("0.1ms"), queue: "news"),
                "news": Queue(style: Log, retention: "10m"),
                "quick": Consumer(of: "news", machines: 2, size: "l", slots: 8, work: Constant("10ms")),
                "slow": Consumer(of: "news", machines: 1, size: "s", slots: 2, work: Constant("50ms")),
            })"#,
    );
    let mut world = World::build(&layout, 4);
    advance_to(&mut world, 60.0);
    let state = crate::story::service(&world.frame(), "news")
        .queue
        .clone()
        .expect("a queue");
    assert_eq!(state.subscribers.len(), 2, "{state:?}");
    let lags: Vec<u64> = state.subscribers.iter().map(|subscriber| subscriber.waiting).collect();
    assert!(
        lags.iter().any(|lag| *lag < 20) && lags.iter().any(|lag| *lag > 400),
        "{lags:?}"
    );
    act(&mut world, "surge 0");
    world.advance(Duration::from_secs(90));
    let state = crate::story::service(&world.frame(), "news")
        .queue
        .clone()
        .expect("a queue");
    let done = |name: &str| {
        crate::story::service(&world.frame(), name)
            .workers
            .clone()
            .expect("workers")
            .total
            .done
    };
    assert_eq!(
        (done("quick"), done("slow")),
        (state.total.published, state.total.published)
    );
    assert_eq!(state.jobs.done, 2 * state.total.published);
    assert_eq!((state.jobs.duplicated, state.jobs.lost, state.jobs.open()), (0, 0, 0));
}
