//! The numbers can be trusted: waiting times against closed forms of queueing theory.
//!
//! Each case runs independent seeds and asks that the closed form lies within the confidence interval of their mean (99.9 %, Student's t),
//! and that the interval is narrow enough to mean something.

use std::time::Duration;

use blastradius::layout::Layout;
use blastradius::observe::Frame;
use blastradius::world::World;

use crate::build::{layout, shipped, station};

const SEEDS: u64 = 10;
/// Student's t for 9 degrees of freedom, 99.9 % two-sided.
const T: f64 = 4.781;
/// Mean service time of all stations here.
const SERVICE: f64 = 0.005;

fn run(layout: &Layout, seed: u64, seconds: f64) -> Frame {
    let mut world = World::build(layout, seed);
    world.advance(Duration::from_secs_f64(seconds));
    world.frame()
}

/// Runs all seeds on two threads.
fn over_seeds(layout: &Layout, seconds: f64, value: impl Fn(&Frame) -> f64 + Sync) -> Vec<f64> {
    let value = &value;
    std::thread::scope(|scope| {
        let halves = [0, SEEDS / 2].map(|first| {
            scope.spawn(move || {
                (first..first + SEEDS / 2)
                    .map(|seed| value(&run(layout, 100 + seed, seconds)))
                    .collect::<Vec<f64>>()
            })
        });
        halves
            .into_iter()
            .flat_map(|half| half.join().expect("no run panics"))
            .collect()
    })
}

fn assert_agrees(name: &str, values: &[f64], theory: f64, widest: f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half = T * (variance / count).sqrt();
    println!(
        "{name}: theory {theory:.6}, simulated {mean:.6} ± {half:.6} ({:+.2} %)",
        100.0 * (mean - theory) / theory
    );
    assert!(
        half < widest * theory,
        "{name}: the interval ± {half} is too wide to say anything about {theory}"
    );
    assert!(
        (mean - theory).abs() < half,
        "{name}: simulated {mean} ± {half}, theory says {theory}"
    );
}

/// At the server itself: what users see holds the way there too, and now and then a look-up of the address.
fn mean_wait(frame: &Frame) -> f64 {
    frame.services[3].instances[0].mean_latency.as_secs_f64() - SERVICE
}

/// Erlang C: the probability to wait in M/M/c with offered load a.
fn erlang_c(servers: u32, load: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..servers {
        term *= load / f64::from(k);
        sum += term;
    }
    let last = term * load / f64::from(servers) / (1.0 - load / f64::from(servers));
    last / (sum + last)
}

fn waits(name: &str, size: &str, cores: u32, work: &str, theory: impl Fn(f64) -> f64) {
    for (load, requests, widest) in [(0.5, 800_000.0, 0.05), (0.8, 800_000.0, 0.10), (0.9, 1_600_000.0, 0.10)] {
        let rate = load * f64::from(cores) / SERVICE;
        let layout = station(rate as u32, size, work, 100_000, 100_000);
        let values = over_seeds(&layout, requests / rate / SEEDS as f64, mean_wait);
        // The fewer wait, the wider: in M/M/4 at half load only one in six does.
        let widest = if cores > 1 && load < 0.6 { 2.0 * widest } else { widest };
        assert_agrees(&format!("{name} at {load}"), &values, theory(load), widest);
    }
}

#[test]
fn mean_waits_of_m_m_1() {
    waits("M/M/1", "xs", 1, r#"Exponential("5ms")"#, |load| {
        load * SERVICE / (1.0 - load)
    });
}

#[test]
fn mean_waits_of_m_m_4() {
    waits("M/M/4", "m", 4, r#"Exponential("5ms")"#, |load| {
        erlang_c(4, 4.0 * load) * SERVICE / (4.0 * (1.0 - load))
    });
}

#[test]
fn mean_waits_of_m_d_1() {
    // Pollaczek and Khinchine: half of what M/M/1 waits.
    waits("M/D/1", "xs", 1, r#"Constant("5ms")"#, |load| {
        load * SERVICE / (2.0 * (1.0 - load))
    });
}

#[test]
fn mean_waits_of_m_g_1_with_lognormal_service() {
    let cv: f64 = 1.5;
    let work = r#"LogNormal(mean: "5ms", cv: 1.5)"#;
    let load = 0.5;
    let layout = station((load / SERVICE) as u32, "xs", work, 100_000, 100_000);
    let values = over_seeds(&layout, 600.0, mean_wait);
    assert_agrees(
        "M/G/1 at 0.5",
        &values,
        load * SERVICE * (1.0 + cv * cv) / (2.0 * (1.0 - load)),
        0.10,
    );
}

#[test]
fn blocking_of_m_m_c_k() {
    // Four cores, room for ten in all.
    let (servers, room) = (4_u32, 10_u32);
    for load in [0.8, 1.0, 1.3] {
        let offered = load * f64::from(servers);
        let weight = |n: u32| -> f64 { (1..=n).map(|k| offered / f64::from(k.min(servers))).product() };
        let total: f64 = (0..=room).map(weight).sum();
        let layout = station(
            (offered / SERVICE) as u32,
            "m",
            r#"Exponential("5ms")"#,
            servers,
            room - servers,
        );
        let values = over_seeds(&layout, 40.0, |frame| {
            frame.total.failed as f64 / (frame.total.ok + frame.total.failed) as f64
        });
        assert_agrees(&format!("M/M/4/10 at {load}"), &values, weight(room) / total, 0.12);
    }
}

#[test]
fn utilisation_is_rate_times_demand_over_cores() {
    let layout = station(480, "m", r#"Exponential("5ms")"#, 64, 10_000);
    let values = over_seeds(&layout, 60.0, |frame| frame.services[3].instances[0].mean_utilisation);
    assert_agrees("utilisation", &values, 0.6, 0.02);
}

#[test]
fn little_holds_on_every_machine() {
    for name in ["01", "02", "03", "04"] {
        let seconds = 60.0;
        let frame = run(&shipped(name), 3, seconds);
        for (service, info) in frame.services.iter().zip(&frame.topology.services) {
            for (instance, about) in service.instances.iter().zip(&info.instances) {
                let answered = (instance.ok + instance.failed) as f64;
                let little = answered / seconds * instance.mean_latency.as_secs_f64();
                // What is still here at the end has not been answered.
                let slack = 0.02 * instance.mean_present + 2.0 / seconds;
                assert!(
                    (instance.mean_present - little).abs() < slack,
                    "{name} {}: {} requests here on average, rate x time is {little}",
                    about.selector,
                    instance.mean_present
                );
            }
        }
    }
}

#[test]
fn round_robin_shares_are_equal() {
    let source = r#"Layout(
        title: "shares", about: "",
        users: { "people": (count: 2_000, every: "1s", asks: (page: 0, asset: 1, create: 0, update: 0, delete: 0), browser: false) },
        services: {
            "lb": LoadBalancer(to: "web", balance: RoundRobin),
            "web": Web(machines: 5, work: Exponential("4ms"), asset: 1.0),
        },
    )"#;
    let frame = run(&layout(source), 5, 20.0);
    let balancer = frame
        .services
        .iter()
        .find_map(|service| service.balancer.as_ref())
        .expect("there is a balancer");
    for backend in &balancer.backends {
        assert!(
            (backend.total_share - 0.2).abs() < 0.002,
            "{} has {}",
            backend.name,
            backend.total_share
        );
    }
}
