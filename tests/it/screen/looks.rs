//! Ways to look at the same world: lenses, presets, the palette, marks, a request that is followed, the world without the person's acts.

use std::sync::Arc;
use std::time::Duration;

use blastradius::command::Selector;
use blastradius::layout::{find_shipped, parse};
use blastradius::observe::Following;
use blastradius::sim::SimTime;
use blastradius::tui::Lens;
use blastradius::tui::engine::{Order, View};
use blastradius::world::{Follow, World};
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::*;

/// A world of a shipped layout after some seconds.
fn world(name: &str, seconds: u64) -> World {
    let shipped = find_shipped(name).expect("it is shipped");
    let mut world = World::build(&parse(shipped.source, shipped.file).expect("it is right"), 7);
    world.advance(Duration::from_secs(seconds));
    world
}

fn shown(name: &str, world: &World) -> App {
    let view = View::new(Arc::new(world.frame()), true);
    App::new(name, view, Vec::new(), &Options::default())
}

fn ctrl(sign: char) -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char(sign), KeyModifiers::CONTROL))
}

#[test]
fn each_lens_says_what_it_shows() {
    let mut world = world("13", 12);
    world
        .apply(&Command::parse("kill us-east/web/2").expect("a command"))
        .expect("it is there");
    world.advance(Duration::from_secs(3));
    let mut app = shown("13-two-data-centers", &world);
    for lens in Lens::ALL {
        assert_eq!(app.lens, lens);
        let wide = text(&draw(&mut app, 120, 40));
        assert!(wide.contains(&format!("colour: {}", lens.name())), "{wide}");
        // What is dead is dead through each of them.
        assert!(wide.contains('✖'), "{lens:?}\n{wide}");
        if lens != Lens::Health {
            insta::assert_snapshot!(format!("lens_{}", lens.word()), wide);
            assert!(text(&draw(&mut app, 80, 24)).contains(lens.name()));
        }
        press(&mut app, "c");
    }
    assert_eq!(app.lens, Lens::Health);
    press(&mut app, "C");
    assert_eq!(app.lens, Lens::Cost);
}

#[test]
fn a_lens_can_be_typed() {
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    press(&mut app, ":colour lag");
    assert_eq!(app.handle(&key(KeyCode::Enter)), Some(Intent::Look(Lens::Lag)));
    press(&mut app, ":colour blue");
    app.handle(&key(KeyCode::Enter));
    let screen = text(&draw(&mut app, 120, 40));
    assert!(screen.contains("health, load, latency"), "{screen}");
}

#[test]
fn the_palette_finds_by_a_part_of_a_name_or_of_what_it_does() {
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    app.handle(&ctrl('p'));
    press(&mut app, "core time");
    let screen = text(&draw(&mut app, 120, 40));
    assert!(screen.contains(":slow"), "{screen}");
    insta::assert_snapshot!("palette", screen);
    assert_eq!(app.handle(&key(KeyCode::Enter)), None);
    let Over::Prompt(prompt) = &app.over else {
        panic!("what it needs is typed: {:?}", app.over)
    };
    assert_eq!(prompt.text(), "slow ");
    app.handle(&key(KeyCode::Esc));
    app.handle(&ctrl('p'));
    press(&mut app, "stop time");
    assert_eq!(app.handle(&key(KeyCode::Enter)), Some(Intent::Order(Order::Run(false))));
    app.handle(&ctrl('p'));
    press(&mut app, "zzz");
    assert_eq!(app.handle(&key(KeyCode::Enter)), None);
    assert!(
        matches!(app.over, Over::Palette(_)),
        "nothing was found, so nothing is done"
    );
    app.handle(&key(KeyCode::Esc));
    assert_eq!(app.over, Over::None);
}

#[test]
fn two_marks_choose_their_link() {
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    let select = |app: &mut App, name: &str| {
        press(app, &format!("/{name}"));
        app.handle(&key(KeyCode::Enter));
    };
    select(&mut app, "lb");
    press(&mut app, "v");
    press(&mut app, "v");
    assert_eq!(app.marked, None, "once more takes the mark away");
    press(&mut app, "v");
    select(&mut app, "db");
    press(&mut app, "v");
    assert_eq!(app.over, Over::None);
    let screen = text(&draw(&mut app, 120, 40));
    assert!(screen.contains("there is no link between lb and db"), "{screen}");
    select(&mut app, "lb");
    press(&mut app, "v");
    select(&mut app, "web/2");
    press(&mut app, "v");
    assert!(
        matches!(&app.over, Over::Menu(menu) if menu.title == "faults · lb <-> web/2"),
        "{:?}",
        app.over
    );
    let intents = press(&mut app, "c");
    let cut = Command::parse("cut lb <-> web/2").expect("a command");
    assert_eq!(intents, [Intent::Order(Order::Do(cut))]);
    assert_eq!(app.marked, None);
}

#[test]
fn no_preset_lays_one_pane_over_another() {
    for (name, follow) in [("04", false), ("13", false), ("13", true)] {
        let mut world = world(name, 5);
        if follow {
            world.follow(Some(&Follow::Through(None))).expect("any");
            world.advance(Duration::from_millis(300));
        }
        let mut app = shown(name, &world);
        for inspector in [false, true] {
            app.inspector = inspector;
            for (width, height) in [(60, 16), (80, 24), (110, 32), (120, 40), (200, 60), (240, 67)] {
                for _ in 0..3 {
                    draw(&mut app, width, height);
                    let all = &app.arrangement;
                    let mut areas: Vec<Rect> = all.panes.iter().map(|(_, area)| *area).collect();
                    areas.extend(all.inspector.iter().chain(&all.request));
                    for (index, area) in areas.iter().enumerate() {
                        assert!(
                            all.area.intersection(*area) == *area,
                            "{name} {width}x{height}: {area:?}"
                        );
                        let over = areas[..index]
                            .iter()
                            .find(|other| !other.intersection(*area).is_empty());
                        assert!(
                            over.is_none(),
                            "{name} {width}x{height} {:?}: {area:?} over {over:?}",
                            app.preset
                        );
                    }
                    press(&mut app, "p");
                }
            }
        }
    }
}

#[test]
fn a_request_that_is_followed_is_shown_as_a_waterfall() {
    let mut world = world("08", 5);
    world
        .follow(Some(&Follow::Through(Some(Selector("db".to_string())))))
        .expect("it is there");
    let mut half = None;
    while world.following() != Some(Following::Ended) {
        world.advance(Duration::from_micros(500));
        let frame = world.frame();
        let opened = frame.followed.as_ref().is_some_and(|followed| followed.spans.len() > 3);
        if half.is_none() && opened {
            half = Some(frame);
        }
    }
    let half = half.expect("it was seen on its way");
    for (name, frame) in [("under_way", half), ("over", world.frame())] {
        let mut app = App::new(
            "08-cache",
            View::new(Arc::new(frame), true),
            Vec::new(),
            &Options::default(),
        );
        for (width, height) in SIZES {
            let screen = text(&draw(&mut app, width, height));
            assert!(screen.contains("request · "), "{screen}");
            insta::assert_snapshot!(format!("followed_{name}_{width}x{height}"), screen);
        }
        assert_eq!(app.handle(&key(KeyCode::Esc)), Some(Intent::Order(Order::Follow(None))));
    }
}

#[test]
fn w_follows_what_the_pane_in_focus_is_about() {
    let world = world("04", 5);
    let mut app = shown("04-load-balancer", &world);
    draw(&mut app, 120, 40);
    let through = Follow::Through(Some(Selector("web/1".to_string())));
    assert_eq!(press(&mut app, "w"), [Intent::Order(Order::Follow(Some(through)))]);
    app.focus = Pane::Causes;
    assert_eq!(
        press(&mut app, "w"),
        [Intent::Order(Order::Follow(Some(Follow::Failing(None))))]
    );
    app.focus = Pane::Latency;
    let p99 = app.frame().recent_latency.p99;
    assert_eq!(
        press(&mut app, "w"),
        [Intent::Order(Order::Follow(Some(Follow::Slower(p99))))]
    );
}

#[test]
fn what_would_be_without_ones_acts_stands_beside_what_is() {
    let plain = world("04", 40);
    let mut hurt = world("04", 20);
    hurt.apply(&Command::parse("kill db").expect("a command"))
        .expect("it is there");
    hurt.advance(Duration::from_secs(20));
    let mut app = shown("04-load-balancer", &hurt);
    app.without = Arc::new(plain.frame().history);
    let at = |seconds: u64| SimTime::ZERO + Duration::from_secs(seconds);
    assert_eq!(app.failed_undisturbed(at(20), at(40)), Some(0));
    assert_eq!(app.failed_undisturbed(at(20), at(42)), None, "it is not known yet");
    let screen = text(&draw(&mut app, 120, 40));
    assert!(screen.contains("without your acts: 0 failed"), "{screen}");
}

#[test]
fn no_name_breaks_a_card() {
    let long = "n".repeat(200);
    let family = "👩‍👩‍👧‍👦 orders";
    let names = [
        "日本語データベース",
        family,
        "שלום עולם",
        "مرحبا",
        &long,
        "a\u{1b}[31mb\u{7}",
        "e\u{301}\u{301}\u{301}té",
        "🇩🇪🇩🇪",
    ];
    for name in names {
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let mut fake = fixture::named(name, 5).after(Duration::from_secs(5));
            let mut app = app(&mut fake, &Options::default());
            let buffer = draw(&mut app, width, height);
            let screen = text(&buffer);
            assert!(
                !screen.chars().any(|sign| sign.is_control() && sign != '\n'),
                "{screen:?}"
            );
            let map = app.arrangement.map;
            for card in app.plan.cards.iter().filter(|card| card.density.is_bordered()) {
                let right = map.x + card.area.right() - 1;
                for y in card.area.y..card.area.bottom().min(map.height) {
                    let sign = buffer[(right, map.y + y)].symbol();
                    let border = "│╮╯┤├┼╫─▶┝".contains(sign) && !sign.is_empty();
                    assert!(
                        border,
                        "{name} at {width}x{height}: `{sign}` in the border of a card\n{screen}"
                    );
                }
            }
        }
    }
}
