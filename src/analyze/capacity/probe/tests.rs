//! Probes: how long they wait, what is refused, and who waits in vain.

use super::*;
use crate::command::Selector;
use crate::layout::parse;

const LAYOUT: &str = r#"Layout(
    title: "One tier",
    users: {"people": (count: 100, every: "1s")},
    services: {"web": Web()},
)"#;

fn setting<'a>(layout: &'a Layout, demands: &'a [Demand]) -> Setting<'a> {
    Setting {
        layout,
        seed: 7,
        demands,
        warm_up: Duration::from_secs(10),
        watched: Duration::from_secs(10),
        grace: Duration::from_secs(10),
        rest: Duration::ZERO,
    }
}

#[test]
fn the_last_rise_of_the_traffic_has_its_grace() {
    let layout = parse(LAYOUT, "t").expect("a layout");
    let mut setting = setting(&layout, &[]);
    assert_eq!(setting.wait(false), MEMORY);
    setting.warm_up = Duration::from_secs(60);
    setting.rest = Duration::from_secs(120);
    // Of the warm-up 36 s are left after the last rise.
    assert_eq!(setting.wait(false), Duration::from_secs(84));
    assert_eq!(setting.wait(true), MEMORY);
}

#[test]
fn a_refused_failure_is_none() {
    let layout = parse(LAYOUT, "t").expect("a layout");
    let question = super::super::Question {
        seed: 7,
        warm_up: Duration::from_secs(10),
        watched: Duration::from_secs(10),
        grace: None,
        expect: Vec::new(),
        precision: 0.05,
        most_rate: 1e6,
        loss: None,
        min: None,
        min_with_loss: None,
    };
    let losses = super::super::losses(&layout, &question, super::super::Extent::Machine);
    let mut failure = losses.into_iter().next().expect("there is a machine");
    let run = |failure: &Failure| run(&setting(&layout, &[]), 1.0, Some(failure), &|| false, &|_| {});
    assert_eq!(run(&failure).expect("it ends").refused, None);
    failure.commands = vec![Command::Kill(Selector::parse("web/9").expect("a selector"))];
    let refused = run(&failure)
        .expect("it ends")
        .refused
        .expect("there is no such machine");
    assert!(refused.starts_with("kill web/9: "), "{refused}");
}

#[test]
fn who_waits_in_vain_is_not_served_by_population_either() {
    let layout = parse(LAYOUT, "t").expect("a layout");
    let mut frame = World::build(&layout, 7).frame();
    let users = frame.services.iter_mut().find_map(|state| state.users.as_mut());
    let recent = &mut users.expect("people").recent;
    (recent.sent, recent.ok, recent.failed) = (200, 50, 0);
    let of = |name: &str| answered_well(&frame, &Measure::OkOf(name.to_owned()));
    assert_eq!([of("people"), of("nobody")], [Some(0.25), None]);
    assert_eq!(
        answered_well(&frame, &Measure::Ok),
        None,
        "the frame as a whole was not changed"
    );
}
