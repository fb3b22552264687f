//! Every row of the catalogue is proven: it is injected, a figure shows it, it is undone, and the figure is as before.

use blastradius::command::FAULTS;
use blastradius::layout::Layout;
use blastradius::observe::Health;
use blastradius::world::World;

use super::data::{cached, peers, skews, studio};
use super::{look, shop};
use crate::story::{act, advance_to, service};

/// How a fault is proven.
struct Proof {
    /// What is typed. Its first word is the name of the fault.
    fault: &'static str,
    system: fn() -> Layout,
    /// Reads the figure, which may take simulated time.
    figure: fn(&mut World) -> f64,
    /// Seconds from the injection until the figure is read.
    wait: f64,
    /// Whether the figure shows the fault, by how it was before and how it is while the fault lasts.
    shows: fn(f64, f64) -> bool,
    /// What is typed to undo it. Nothing: it ends by itself.
    undo: &'static str,
    /// Seconds until all is as before.
    rest: f64,
    /// How far the figure may then be from what it was.
    within: f64,
}

/// A fault of the shop that is seen in the share of requests that go well.
const fn failing(fault: &'static str, most: fn(f64, f64) -> bool, undo: &'static str) -> Proof {
    Proof {
        fault,
        system: plain,
        figure: ok,
        wait: 0.0,
        shows: most,
        undo,
        rest: 50.0,
        within: 0.002,
    }
}

/// A fault of the shop that is seen in a latency, in milliseconds.
const fn late(fault: &'static str, figure: fn(&mut World) -> f64, shows: fn(f64, f64) -> bool) -> Proof {
    Proof {
        figure,
        wait: 10.0,
        within: 8.0,
        ..failing(fault, shows, "mend all")
    }
}

fn plain() -> Layout {
    shop("")
}

/// Rows by far more than the cache holds.
fn wide() -> Layout {
    cached(20_000, 500)
}

fn narrow() -> Layout {
    cached(1_000, 10_000)
}

fn ok(world: &mut World) -> f64 {
    look(world).0.ok
}

fn rate(world: &mut World) -> f64 {
    look(world).0.rate
}

fn p50(world: &mut World) -> f64 {
    look(world).0.p50
}

fn p99(world: &mut World) -> f64 {
    look(world).0.p99
}

/// Web servers that are up right now.
fn up(world: &mut World) -> f64 {
    let frame = world.frame();
    let all = service(&frame, "web").instances.iter();
    all.filter(|instance| instance.health == Health::Up).count() as f64
}

/// The share of look-ups in the cache that are hits, over half a second.
fn hits(world: &mut World) -> f64 {
    let tally = |world: &World| service(&world.frame(), "cache").cache.clone().expect("a cache").total;
    let before = tally(world);
    let end = world.now().elapsed().as_secs_f64() + 0.5;
    advance_to(world, end);
    tally(world).since(&before).hit_ratio().expect("look-ups")
}

/// The clock that is the furthest off, in milliseconds.
fn skew(world: &mut World) -> f64 {
    skews(world).into_iter().fold(0.0, f64::max)
}

/// Workers that crash within 30 s.
fn crashes(world: &mut World) -> f64 {
    let crashed = |world: &World| service(&world.frame(), "workers").workers.clone().expect("workers");
    let before = crashed(world).total.crashed;
    let end = world.now().elapsed().as_secs_f64() + 30.0;
    advance_to(world, end);
    (crashed(world).total.crashed - before) as f64
}

/// Hardly anything goes well.
fn dark(_: f64, ok: f64) -> bool {
    ok < 0.05
}

/// A cache that was warm is cold.
fn cold(before: f64, hits: f64) -> bool {
    before > 0.95 && hits < 0.5
}

/// A fault of a warm cache.
const fn chilling(fault: &'static str) -> Proof {
    Proof {
        system: narrow,
        figure: hits,
        rest: 60.0,
        within: 0.05,
        ..failing(fault, cold, "")
    }
}

#[allow(clippy::float_cmp, reason = "counts are whole")]
const PROOFS: &[Proof] = &[
    failing("kill web", dark, "mend web"),
    failing("destroy web", dark, "mend web"),
    failing("hang db", dark, "mend db"),
    late("slow web 10", p50, |before, p50| p50 > before + 15.0),
    failing("fail web/1 50%", |_, ok| (ok - 0.875).abs() < 0.03, "mend web/1"),
    failing("leak web 100%", dark, "mend web"),
    failing("disk db full", |_, ok| (ok - 0.8).abs() < 0.03, "disk db well"),
    Proof {
        system: peers,
        figure: skew,
        wait: 1.0,
        within: 0.0,
        ..failing("skew a/orders 5s", |_, skew| skew >= 5_000.0, "skew a/orders 0s")
    },
    failing("cut web -> db", dark, "join web -> db"),
    late("delay web <-> db 20ms", p50, |before, p50| p50 > before + 35.0),
    Proof {
        // One request in a hundred of ten seconds is some 20 of them.
        within: 40.0,
        ..late("drop web -> db 5%", p99, |before, p99| p99 > before + 150.0)
    },
    late("bandwidth web -> lb 20kB", p50, |before, p50| p50 > before + 100.0),
    failing("isolate db", dark, "mend db"),
    Proof {
        wait: 30.0,
        ..failing("outage dns", dark, "mend dns")
    },
    Proof {
        wait: 25.0,
        ..failing("mislead dns", dark, "mend dns")
    },
    Proof {
        figure: rate,
        within: 30.0,
        ..failing("surge 3", |before, rate| (rate / before - 3.0).abs() < 0.3, "surge 1")
    },
    chilling("flush cache"),
    chilling("expire cache"),
    Proof {
        system: studio,
        figure: crashes,
        within: 0.0,
        ..failing("poison photos", |before, crashes| before == 0.0 && crashes == 3.0, "")
    },
    Proof {
        rest: 80.0,
        ..failing("crash-loop web 5s for 40s", dark, "")
    },
    failing("flapping web <-> db 5s for 20s", |_, ok| (0.2..0.8).contains(&ok), ""),
    Proof {
        figure: up,
        wait: 2.0,
        rest: 60.0,
        within: 0.0,
        ..failing("rolling-restart web 5s", |before, up| up == before - 1.0, "")
    },
    failing("lose east", dark, "mend east"),
    chilling("thundering-herd 3 for 20s"),
    Proof {
        system: wide,
        figure: hits,
        wait: 10.0,
        rest: 60.0,
        within: 0.1,
        ..failing("hot-key people 50% for 30s", |before, hits| hits > before + 0.3, "")
    },
    Proof {
        wait: 50.0,
        ..failing("pool-leak web 100%", dark, "mend web")
    },
    Proof {
        undo: "",
        rest: 60.0,
        ..late("memory-leak web 20s", p50, |before, p50| p50 > before + 4.0)
    },
    failing("expired-certificate lb", dark, "mend lb"),
    Proof {
        wait: 65.0,
        ..failing("bad-deploy web 50% for 80s", |_, ok| (ok - 0.5).abs() < 0.05, "")
    },
];

/// What contradicts a proof, if anything does.
fn contradiction(proof: &Proof) -> Option<String> {
    let Proof { fault, figure, .. } = proof;
    let mut world = World::build(&(proof.system)(), 3);
    let later = |world: &mut World, seconds: f64| {
        let end = world.now().elapsed().as_secs_f64() + seconds;
        advance_to(world, end);
    };
    later(&mut world, 30.0);
    let before = figure(&mut world);
    act(&mut world, fault);
    later(&mut world, proof.wait);
    let during = figure(&mut world);
    if !(proof.shows)(before, during) {
        return Some(format!("`{fault}` does not show: {before}, then {during}"));
    }
    if !proof.undo.is_empty() {
        act(&mut world, proof.undo);
    }
    later(&mut world, proof.rest);
    let after = figure(&mut world);
    let lasting = (after - before).abs() > proof.within;
    lasting.then(|| format!("`{fault}` leaves something behind: {before}, then {during}, then {after}"))
}

#[test]
fn every_fault_has_a_test() {
    let proven: Vec<&str> = PROOFS
        .iter()
        .filter_map(|proof| proof.fault.split(' ').next())
        .collect();
    let names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    assert_eq!(proven, names, "each row has one proof, in the order of the catalogue");
    let wrong: Vec<String> = PROOFS.iter().filter_map(contradiction).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
