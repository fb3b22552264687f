//! Several data centers: pictures of layout 13 itself, what keys do to a data center, what panels say of it.

use super::*;

use blastradius::layout::{find_shipped, parse};
use blastradius::tui::select::Item;
use blastradius::world::World;

/// Layout 13, with so many users for each hundred thousand.
fn world(share: f64) -> World {
    let shipped = find_shipped("13").expect("it is shipped");
    let count = |all: f64| format!("count: {}", (all * share) as u64);
    let source = shipped
        .source
        .replace("count: 60_000", &count(60_000.0))
        .replace("count: 40_000", &count(40_000.0));
    let layout = parse(&source, "13.ron").unwrap_or_else(|error| panic!("{error}"));
    World::build(&layout, 7)
}

fn screen_of(world: &World, options: &Options) -> App {
    let choices = ["01-single-server", "13-two-data-centers", "14-message-queue"];
    let choices = choices.map(|name| Choice {
        name: name.to_string(),
        title: "what it is".to_string(),
    });
    let view = View::new(world.frame().into(), true);
    App::new("13-two-data-centers", view, choices.to_vec(), options)
}

fn pictures_of(name: &str, world: &World) {
    for (width, height) in SIZES {
        let mut app = screen_of(world, &Options::default());
        let picture = text(&draw(&mut app, width, height));
        for site in ["us-east", "eu-west", "us-central"] {
            assert!(picture.contains(site), "{site} is not in\n{picture}");
        }
        pictured(&format!("{name}_{width}x{height}"), &picture);
    }
}

#[test]
fn two_data_centers_and_a_monitor() {
    let mut world = world(1.0);
    world.advance(Duration::from_secs(12));
    pictures_of("data_centers", &world);
    world.apply(&kill("us-east")).expect("it can be lost");
    world.advance(Duration::from_secs(5));
    pictures_of("data_center_lost", &world);
}

#[test]
fn a_data_center_is_selected_lost_destroyed_and_evacuated() {
    let mut world = world(0.01);
    world.advance(Duration::from_secs(3));
    let mut app = screen_of(&world, &Options::default());
    draw(&mut app, 120, 40);
    assert!(matches!(app.selected, Item::Instance(..)));
    assert_eq!(app.target(), Some("us-east/web/1"), "the first population's");
    for _ in 0..2 {
        app.handle(&key(KeyCode::Esc));
    }
    assert_eq!(app.target(), Some("us-east"));
    assert!(text(&draw(&mut app, 120, 40)).contains("x lose us-east"));
    let us_east = || Selector("us-east".to_string());
    let lose = Command::parse("lose us-east").expect("a fault");
    assert_eq!(press(&mut app, "x"), [Intent::Order(Order::Do(lose))]);
    assert_eq!(
        press(&mut app, "r"),
        [Intent::Order(Order::Do(Command::Mend(us_east())))]
    );
    assert_eq!(press(&mut app, "X"), []);
    assert!(text(&draw(&mut app, 120, 40)).contains("destroy us-east: "));
    assert_eq!(press(&mut app, "n"), []);
    assert_eq!(
        press(&mut app, "ev"),
        [Intent::Order(Order::Do(Command::Evacuate(us_east())))]
    );
    world
        .apply(&Command::Evacuate(us_east()))
        .expect("there is another one");
    app.show(View::new(world.frame().into(), true));
    assert_eq!(
        press(&mut app, "ev"),
        [Intent::Order(Order::Do(Command::Reopen(us_east())))]
    );
    press(&mut app, "i");
    let picture = text(&draw(&mut app, 120, 40));
    for words in [
        "to eu-west",
        "there and back",
        "america",
        "evacuated",
        "machines",
        "price",
    ] {
        assert!(picture.contains(words), "{words} is not in\n{picture}");
    }
}

#[test]
fn the_shares_of_data_centers_are_told_with_the_policy() {
    let mut world = world(0.05);
    world.advance(Duration::from_secs(5));
    for (width, height) in SIZES {
        let mut app = screen_of(&world, &Options::default());
        let picture = text(&draw(&mut app, width, height));
        assert!(picture.contains("geo"), "{picture}");
        assert!(
            picture.contains("us-east 6") || picture.contains("us-east 5"),
            "{picture}"
        );
    }
    world
        .apply(&Command::Evacuate(Selector("us-east".to_string())))
        .expect("there is another one");
    world.advance(Duration::from_secs(1));
    let mut app = screen_of(&world, &Options::default());
    let picture = text(&draw(&mut app, 200, 60));
    assert!(picture.contains("evacuated · "), "on the map:\n{picture}");
    let routing = picture.lines().find(|line| line.contains("geo  "));
    assert!(
        routing.is_some_and(|line| line.contains("evacuated")),
        "in the panel:\n{picture}"
    );
}

#[test]
fn dns_tells_where_it_sends_whom_and_why_and_how_it_may_choose() {
    let mut world = world(0.01);
    world.advance(Duration::from_secs(3));
    let mut app = screen_of(&world, &Options::default());
    draw(&mut app, 120, 40);
    press(&mut app, "/dns");
    app.handle(&key(KeyCode::Enter));
    press(&mut app, "i");
    let picture = text(&draw(&mut app, 120, 40));
    for words in ["routing", "→ us-east: nearest, 0 km", "→ eu-west: nearest, 0 km"] {
        assert!(picture.contains(words), "{words} is not in\n{picture}");
    }
    let intents = press(&mut app, "el");
    let [Intent::Order(Order::Do(command))] = intents.as_slice() else {
        panic!("{intents:?}");
    };
    assert_eq!(command.to_string(), "set dns routing latency");
    world.apply(command).expect("there are regions");
}

#[test]
fn who_named_no_layout_is_led_to_the_first_rung_and_others_to_the_next() {
    let mut world = world(0.01);
    world.advance(Duration::from_secs(1));
    for (unasked, rung) in [(true, 0), (false, 2)] {
        let options = Options {
            unasked,
            ..Options::default()
        };
        let mut app = screen_of(&world, &options);
        let picture = text(&draw(&mut app, 120, 40));
        assert!(picture.contains("Press x. Who notices first?"), "{picture}");
        assert_eq!(picture.contains("from one server: o"), unasked);
        press(&mut app, "o");
        assert_eq!(app.handle(&key(KeyCode::Enter)), Some(Intent::Open(rung)));
    }
}
