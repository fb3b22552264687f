//! How a queue fills and drains: by the difference of the rates, by Little's law, and by queueing theory.

use std::time::Duration;

use blastradius::layout::{Measure, QueueMeasure};
use blastradius::world::World;

use super::{queue, studio, workers};
use crate::story::{act, advance_to};

#[test]
fn it_grows_by_what_comes_while_nobody_works_and_drains_by_the_difference() {
    // 20 a second, and workers that can do 50, but for the time that the queue takes to hear of it.
    let layout = studio(
        20,
        "messages: 1_000_000",
        r#"machines: 5, size: "s", slots: 2, work: Constant("200ms"), boot: "1s""#,
        "",
    );
    for seed in 1..=5 {
        let mut world = World::build(&layout, seed);
        advance_to(&mut world, 10.0);
        assert!(queue(&world).waiting < 20, "seed {seed}: {}", queue(&world).waiting);
        act(&mut world, "kill workers");
        let before = queue(&world).waiting as f64;
        advance_to(&mut world, 70.0);
        let grown = queue(&world).waiting as f64 - before;
        // Arrivals are a Poisson process: four standard deviations.
        assert!((grown - 1_200.0).abs() < 4.0 * 1_200_f64.sqrt(), "seed {seed}: {grown}");
        act(&mut world, "mend workers");
        advance_to(&mut world, 75.0);
        let full = queue(&world).waiting as f64;
        let state = queue(&world);
        advance_to(&mut world, 95.0);
        let drained = full - queue(&world).waiting as f64;
        let noise = 4.0 * (20.0 * 20.0_f64).sqrt();
        assert!((drained - 20.0 * 29.6).abs() < noise, "seed {seed}: {drained}");
        // At the rates of the last ten seconds, of which nobody worked in the first five.
        assert!((state.rate_in - 20.0).abs() < 6.0, "seed {seed}: {state:?}");
        let state = queue(&world);
        let left = state.drained_in.expect("it drains").as_secs_f64();
        let expected = state.waiting as f64 / 29.6;
        assert!(
            (left - expected).abs() < 0.3 * expected,
            "seed {seed}: {left} s for {}",
            state.waiting
        );
        advance_to(&mut world, 140.0);
        assert!(queue(&world).waiting < 20, "seed {seed}");
    }
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

#[test]
fn waiting_times_agree_with_theory_and_littles_law_holds() {
    for (count, load) in [(1_u32, 0.5), (4, 0.8), (16, 0.9)] {
        // A message takes a second, beside which the way between the queue and a worker is next to nothing.
        let rate = load * f64::from(count);
        let people = (rate * 1_000.0).round() as u32;
        let layout = crate::build::layout(&format!(
            r#"Layout(title: "studio",
                users: {{ "people": (count: {people}, every: "1000s", mobile: 0, asks: (upload: 1), keys: Uniform(count: 10_000)) }},
                services: {{
                    "web": Web(size: "4xl", slots: 10_000, backlog: 0, work: Constant("0.1ms"), queue: "photos"),
                    "photos": Queue(size: "xl", messages: 1_000_000, durable: false, visibility: "1h"),
                    "workers": Consumer(of: "photos", machines: {count}, size: "xs", slots: 1, work: Exponential("1s")),
                }})"#
        ));
        let theory = erlang_c(count, load * f64::from(count)) / (f64::from(count) * (1.0 - load));
        let (mut waits, mut gaps) = (Vec::new(), Vec::new());
        let waiting = Measure::Queue(QueueMeasure::Waiting, "photos".to_owned());
        // The busier, the longer its mean takes to settle.
        let seconds = if load < 0.9 { 8_000.0 } else { 60_000.0 } / rate;
        for seed in 1..=10 {
            let mut world = World::build(&layout, seed);
            let (mut sum, mut looks) = (0.0, 0.0);
            while world.now().elapsed().as_secs_f64() < seconds {
                world.advance(Duration::from_millis(500));
                sum += world.measure(&waiting);
                looks += 1.0;
            }
            let state = queue(&world);
            let wait = state.mean_wait.as_secs_f64();
            // Little: what waits in the mean is the rate times the mean wait.
            let arrivals = state.total.published as f64 / seconds;
            gaps.push(sum / looks / (arrivals * wait) - 1.0);
            waits.push(wait);
        }
        let mean = waits.iter().sum::<f64>() / 10.0;
        let deviation = (waits.iter().map(|wait| (wait - mean).powi(2)).sum::<f64>() / 9.0).sqrt();
        let half = 4.781 * deviation / 10_f64.sqrt();
        println!("M/M/{count} at {load}: theory {theory:.3} s, simulated {mean:.3} ± {half:.3} s, Little {gaps:.3?}");
        assert!(
            (mean - theory).abs() < half,
            "M/M/{count} at {load}: {mean} ± {half}, theory says {theory}"
        );
        assert!(
            half < 0.25 * theory,
            "M/M/{count} at {load}: ± {half} says nothing about {theory}"
        );
        assert!(gaps.iter().all(|gap| gap.abs() < 0.03), "Little's law: {gaps:?}");
    }
}

#[test]
fn who_holds_more_than_it_can_do_makes_others_wait_for_nothing() {
    let wait = |prefetch: u32| {
        let workers = format!(r#"machines: 8, size: "xs", slots: 1, prefetch: {prefetch}, work: Exponential("200ms")"#);
        let mut world = World::build(&studio(28, "", &workers, ""), 3);
        advance_to(&mut world, 600.0);
        let state = super::workers(&world);
        assert!(state.total.done > 16_000, "{state:?}");
        // What lies with a busy worker waits there, though another one may be idle.
        crate::story::service(&world.frame(), "photos")
            .queue
            .clone()
            .map(|queue| (queue.mean_wait, state.held))
    };
    let (fair, hoarding) = (wait(1).expect("a queue"), wait(20).expect("a queue"));
    assert!(hoarding.0 < fair.0, "the queue itself is empty: {hoarding:?}, {fair:?}");
    assert!(hoarding.1 > fair.1, "{hoarding:?}, {fair:?}");
}

#[test]
fn kinds_of_jobs_come_by_their_shares_and_cost_what_they_cost() {
    let layout = studio(
        100,
        "",
        r#"machines: 4, size: "xl", slots: 16, jobs: {
            "blur": (share: 2, work: Constant("600ms")), "crop": (share: 5, work: Constant("100ms")), "sharpen": (share: 3, work: Constant("300ms")) }"#,
        "",
    );
    let mut world = World::build(&layout, 1);
    advance_to(&mut world, 200.0);
    let state = workers(&world);
    let total: u64 = state.by_kind.iter().map(|(_, count)| count).sum();
    assert_eq!(total, state.total.done);
    for ((name, count), (wanted, share)) in state
        .by_kind
        .iter()
        .zip([("blur", 0.2), ("crop", 0.5), ("sharpen", 0.3)])
    {
        assert_eq!(name, wanted);
        let found = *count as f64 / total as f64;
        assert!((found - share).abs() < 0.015, "{name}: {found}");
    }
    // 100 a second of 260 ms on 64 cores.
    let busy = crate::story::service(&world.frame(), "workers")
        .instances
        .iter()
        .map(|instance| instance.mean_utilisation)
        .sum::<f64>()
        / 4.0;
    assert!((busy - 26.0 / 64.0).abs() < 0.02, "{busy}");
}
