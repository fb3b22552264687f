//! Runs at random, all of which replay to the same digest: saved, loaded, on another thread and at another speed.

use std::path::Path;
use std::time::Duration;

use blastradius::command::{Command, FAULTS, VERBS};
use blastradius::layout::{Layout, SHIPPED, parse};
use blastradius::replay::{Recording, Session, replayed, verify};
use blastradius::sim::Stream;

/// How many runs. Issue-sized: `BLASTRADIUS_RUNS=10000`.
fn runs() -> u64 {
    std::env::var("BLASTRADIUS_RUNS").map_or(60, |runs| runs.parse().expect("a number of runs"))
}

/// The first run, to repeat one.
fn first() -> u64 {
    std::env::var("BLASTRADIUS_FIRST_RUN").map_or(0, |run| run.parse().expect("a number"))
}

/// What may be done to something, `S`, or between two things, and what may come to a data center, `@`.
const ACTS: &[&str] = &[
    "kill S",
    "destroy S",
    "hang S",
    "slow S 3",
    "mend S",
    "mend all",
    "fail S 30%",
    "leak S 50%",
    "disk S full",
    "isolate S",
    "flush S",
    "scale S 3",
    "surge 3",
    "surge 0.2",
    "cut S <-> T",
    "cut S -> T for 500ms",
    "drop S -> T 20%",
    "delay S <-> T 50ms",
    "crash-loop S for 2s",
    "skew S 2s",
    "promote S",
    "chaos every 1s mend 1s",
    "chaos off",
    "add @/fresh Cache(machines: 2)",
    "add @/late Queue(retention: \"1h\")",
    "add @/crew Consumer(of: \"late\", machines: 2)",
    "add @/front LoadBalancer(to: \"web\")",
    "add @/rows Database(machines: 2, replication: PrimaryReplicas(failover: Automatic()))",
    "connect @/web -> @/fresh",
    "connect @/web -> @/rows",
    "connect @/web -> @/late",
    "connect @/crew -> @/rows",
    "connect S -> T",
    "disconnect S -> T",
    "disconnect @/web -> @/fresh",
    "remove @/fresh",
    "remove @/crew",
    "remove S",
    "kill @/fresh",
    "hang @/rows",
    "set S timeout 200ms",
    "resize S l",
];

fn layouts() -> Vec<(&'static str, &'static str, Layout)> {
    let read = |text: &'static str, file| parse(text, file).expect("shipped layouts are right");
    let all = SHIPPED
        .iter()
        .map(|shipped| (shipped.file, shipped.source, read(shipped.source, shipped.file)));
    // The largest would take all the time, and has no part that others do not have.
    all.filter(|(file, ..)| !file.starts_with("16")).collect()
}

/// A run that somebody might have made: where it was stopped, and what was done, as it was recorded.
fn live((file, source, layout): &(&str, &str, Layout), number: u64) -> (Recording, Vec<Duration>) {
    let mut chance = Stream::new(number, "random runs", "acts");
    let seed = chance.draw().below(1 << 40);
    let mut session = Session::scheduled(layout, seed, &[]);
    // Of busy layouts a part of the traffic comes: what can happen is the same.
    let rate: f64 = layout.users.values().map(blastradius::layout::Users::rate).sum();
    let quiet = Command::parse(&format!("surge {:.4}", (150.0 / rate).min(1.0))).expect("a command");
    session.apply(&quiet).expect("traffic can be set");
    let names: Vec<String> = {
        let topology = &session.frame().topology;
        let instances = topology.services.iter().flat_map(|service| &service.instances);
        let services = topology.services.iter().map(|service| service.selector.clone());
        services
            .chain(instances.map(|instance| instance.selector.clone()))
            .collect()
    };
    let steps = 1 + chance.draw().below(12);
    for _ in 0..steps {
        let pause = Duration::from_nanos(1 + chance.draw().below(900_000_000));
        session.advance_to(session.now() + pause);
        let mut pick = || names[chance.draw().below(names.len() as u64) as usize].clone();
        let (one, other) = (pick(), pick());
        let act = ACTS[chance.draw().below(ACTS.len() as u64) as usize];
        let sites: Vec<&String> = layout.data_centers.keys().collect();
        let site = sites[chance.draw().below(sites.len() as u64) as usize];
        let line = act.replace('S', &one).replace('T', &other).replace('@', site);
        let command = Command::parse(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        // What is refused changes nothing.
        let _ = session.interrupt(&command);
    }
    // Some pass the first digests on the way.
    let end = session.now() + Duration::from_secs_f64(12.0 * chance.draw().unit().powi(4));
    session.advance_to(end);
    let cuts = (0..5).map(|_| Duration::from_nanos(chance.draw().below(end.as_nanos() as u64)));
    let mut cuts: Vec<Duration> = cuts.collect();
    cuts.sort_unstable();
    (Recording::of(file, source, None, &session.end()), cuts)
}

#[test]
fn random_runs_replay_to_the_same_digest() {
    let layouts = &layouts();
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for number in (first()..first() + runs()).filter(|number| number % 2 == half) {
                    let layout = &layouts[number as usize % layouts.len()];
                    let (recording, cuts) = live(layout, number);
                    // It goes through its file, and runs again on a thread of its own.
                    let text = recording.to_text();
                    let repeat = format!(
                        "run {number}: BLASTRADIUS_FIRST_RUN={number} BLASTRADIUS_RUNS=1 cargo test --test it random_runs\n{text}"
                    );
                    let again = scope.spawn(move || {
                        let (read, layout) = Recording::parse(&text, Path::new("text")).expect("a recording");
                        let mut session = replayed(&read, &layout);
                        for cut in cuts {
                            session.advance_to(cut);
                        }
                        session.advance_to(read.duration);
                        let ending = session.end();
                        (verify(&read, &ending), Recording::of(&read.head.name, &read.head.layout, None, &ending))
                    });
                    let (difference, recorded) = again.join().expect("no panic");
                    assert_eq!(difference, None, "{repeat}");
                    assert_eq!(recorded, recording, "{repeat}");
                }
            });
        }
    });
}

#[test]
fn acts_at_random_are_commands_and_faults_that_there_are() {
    for act in ACTS {
        let verb = act.split(' ').next().expect("a verb");
        let known = VERBS.iter().any(|row| row.name == verb) || FAULTS.iter().any(|fault| fault.name == verb);
        assert!(known, "{verb}");
    }
}
