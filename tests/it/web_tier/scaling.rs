//! The autoscaler.

use blastradius::layout::Layout;
use blastradius::observe::Frame;
use blastradius::world::World;

use super::{act, advance_to, refusal, service, story};
use crate::build::layout;

fn scaled(scale: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "scaled",
            users: {{ "people": (count: 4_000, every: "10s", asks: (page: 1), mobile: 0.0) }},
            services: {{
                "lb": LoadBalancer(to: "web"),
                "web": Web(machines: 3, size: "xs", work: Exponential("4ms"), boot: "20s", scale: ({scale})),
            }})"#
    ))
}

fn machines(frame: &Frame) -> u32 {
    service(frame, "web-autoscaler")
        .autoscaler
        .as_ref()
        .expect("an autoscaler")
        .machines
}

/// Machines after each second until then.
fn course(world: &mut World, until: u32) -> Vec<u32> {
    let mut course = Vec::new();
    let mut second = world.now().elapsed().as_secs() as u32;
    while second < until {
        second += 1;
        advance_to(world, f64::from(second));
        course.push(machines(&world.frame()));
    }
    course
}

#[test]
fn a_threefold_surge_brings_machines_within_its_delay_and_they_go_after_its_window() {
    // 400 a second of 4 ms are 1.6 cores: three at 60 % hold them. Three times as much are 4.8 cores: eight.
    let layout = scaled(r#"min: 2, max: 20, target: Utilisation(0.6), every: "15s", down_window: "1m""#);
    for seed in 0..5 {
        let mut world = story(&layout, seed, &[], 120.0);
        assert_eq!(machines(&world.frame()), 3, "seed {seed}");
        act(&mut world, "surge 3");
        let up = course(&mut world, 240);
        let reacted = up.iter().position(|count| *count > 3).expect("it reacts") + 1;
        assert!(
            reacted <= 31,
            "seed {seed}: the first whole measure after the surge is 15 to 30 s away, not {reacted}"
        );
        assert!((7..=10).contains(up.last().expect("seconds")), "seed {seed}: {up:?}");
        let frame = world.frame();
        assert_eq!(frame.recent.failed, 0, "seed {seed}");
        act(&mut world, "surge 1");
        let down = course(&mut world, 420);
        let held = down[..44].iter().min().expect("seconds");
        assert!(
            *held >= 7,
            "seed {seed}: its window of a minute still holds the surge: {down:?}"
        );
        assert!((2..=3).contains(down.last().expect("seconds")), "seed {seed}: {down:?}");
    }
}

#[test]
fn it_never_leaves_its_bounds_and_does_not_flap_at_steady_load() {
    let seeds = std::env::var("BLASTRADIUS_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(4);
    for seed in 0..seeds {
        let target = ["Utilisation(0.6)", "Requests(130)", "Utilisation(0.5)"][seed as usize % 3];
        let layout = scaled(&format!(r#"min: 2, max: 5, target: {target}, down_window: "30s""#));
        let mut world = story(&layout, seed, &[], 60.0);
        let steady = course(&mut world, 300);
        let turns = |course: &[u32]| {
            let mut changes = course
                .windows(2)
                .filter(|pair| pair[0] != pair[1])
                .map(|pair| pair[1] > pair[0]);
            let first = changes.next();
            first.map_or(0, |mut last| {
                let mut turns = 0;
                for up in changes {
                    turns += u32::from(up != last);
                    last = up;
                }
                turns
            })
        };
        assert!(turns(&steady) <= 1, "seed {seed}, {target}: {steady:?}");
        for surge in ["surge 8", "surge 0.1", "surge 3", "surge 0"] {
            act(&mut world, surge);
            let until = world.now().elapsed().as_secs() as u32 + 60;
            let course = course(&mut world, until);
            assert!(
                course.iter().all(|count| (2..=5).contains(count)),
                "seed {seed}, {surge}: {course:?}"
            );
        }
    }
}

#[test]
fn tracking_without_patience_for_booting_machines_overshoots() {
    let most = |counts_booting: bool| {
        let scale = format!("min: 2, max: 40, target: Requests(130), every: \"5s\", counts_booting: {counts_booting}");
        let mut world = story(&scaled(&scale), 1, &[(60.0, "surge 4")], 60.0);
        let course = course(&mut world, 200);
        (*course.iter().max().expect("seconds"), *course.last().expect("seconds"))
    };
    let (patient, _) = most(true);
    let (hasty, _) = most(false);
    println!("1,600 requests a second at 130 each need 13: {patient} at most with patience, {hasty} without");
    assert!((12..=15).contains(&patient), "{patient}");
    assert!(hasty > patient + 4, "{hasty}");
}

#[test]
fn it_says_why_and_can_be_switched_off() {
    let layout = scaled("min: 2, max: 20, target: Utilisation(0.6)");
    let mut world = story(&layout, 1, &[(60.0, "surge 3")], 120.0);
    let frame = world.frame();
    let state = service(&frame, "web-autoscaler")
        .autoscaler
        .clone()
        .expect("an autoscaler");
    assert!(
        state.decisions[0].text.contains("of the cores in use, 60% wanted"),
        "{:?}",
        state.decisions
    );
    act(&mut world, "set web autoscaler off");
    let before = machines(&world.frame());
    act(&mut world, "surge 1");
    advance_to(&mut world, 600.0);
    assert_eq!(machines(&world.frame()), before);
    act(&mut world, "set web autoscaler on");
    advance_to(&mut world, 1_000.0);
    assert!(machines(&world.frame()) < before);
    assert!(refusal(&mut world, "set web min 30").contains("maximum"));
}

#[test]
fn without_its_autoscaler_a_tier_keeps_what_it_has() {
    let layout = scaled("min: 2, max: 20, target: Utilisation(0.6)");
    let acts = [(60.0, "kill web-autoscaler"), (61.0, "surge 3")];
    let frame = story(&layout, 1, &acts, 180.0).frame();
    assert_eq!(machines(&frame), 3);
}

#[test]
fn what_it_finds_stays_for_its_window() {
    let layout = scaled(r#"min: 1, max: 20, target: Requests(1_000), down_window: "1m""#);
    let mut world = story(&layout, 1, &[], 55.0);
    assert_eq!(machines(&world.frame()), 3);
    advance_to(&mut world, 120.0);
    assert_eq!(machines(&world.frame()), 1);
}
