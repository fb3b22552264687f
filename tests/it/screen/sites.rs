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

/// Layout 24, whose three data centers have three zones each.
fn three_regions(seconds: u64) -> World {
    let shipped = find_shipped("24").expect("it is shipped");
    let layout = parse(shipped.source, "24.ron").unwrap_or_else(|error| panic!("{error}"));
    let mut world = World::build(&layout, 7);
    world.advance(Duration::from_secs(seconds));
    world
}

#[test]
fn arrows_go_to_the_nearest_card_in_another_data_center_too() {
    let world = world(0.01);
    let mut app = screen_of(&world, &Options::default());
    draw(&mut app, 120, 40);
    assert_eq!(app.target(), Some("us-east/web/1"));
    app.handle(&key(KeyCode::Down));
    assert_eq!(app.target(), Some("eu-west/web"));
    app.handle(&key(KeyCode::Up));
    assert_eq!(app.target(), Some("us-east/web/1"));
}

#[test]
fn every_service_and_data_center_is_reached_by_arrows() {
    for world in [world(0.01), three_regions(1)] {
        for (width, height) in SIZES {
            let mut app = screen_of(&world, &Options::default());
            draw(&mut app, width, height);
            let mut reached = vec![app.selected];
            let mut next = 0;
            while next < reached.len() {
                for code in [KeyCode::Left, KeyCode::Right, KeyCode::Up, KeyCode::Down] {
                    app.selected = reached[next];
                    app.handle(&key(code));
                    if !reached.contains(&app.selected) {
                        reached.push(app.selected);
                    }
                }
                next += 1;
            }
            let wanted = app.plan.items.iter().map(|(item, _)| *item);
            let wanted = wanted.filter(|item| matches!(item, Item::Site(_) | Item::Service(_)));
            let missed: Vec<String> = wanted
                .filter(|item| !reached.contains(item))
                .map(|item| item.title(app.topology()))
                .collect();
            assert!(missed.is_empty(), "{width}x{height}: {missed:?}");
        }
    }
}

#[test]
fn g_goes_to_what_is_drawn_first_and_capital_g_to_what_is_drawn_last() {
    let world = world(0.01);
    let mut app = screen_of(&world, &Options::default());
    draw(&mut app, 120, 40);
    press(&mut app, "g");
    assert_eq!(app.target(), Some("us-east"));
    assert!(text(&draw(&mut app, 120, 40)).contains("x lose us-east"));
    press(&mut app, "G");
    assert_eq!(app.target(), Some("us-central/orders-monitor"));
}

#[test]
fn a_search_without_a_hit_leaves_the_selection() {
    let world = world(0.01);
    let mut app = screen_of(&world, &Options::default());
    draw(&mut app, 120, 40);
    let before = app.selected;
    press(&mut app, "/photos");
    assert_ne!(app.selected, before, "it goes along");
    press(&mut app, "x");
    assert_eq!(app.selected, before);
    let picture = text(&draw(&mut app, 120, 40));
    assert!(picture.contains("nothing is named like `photosx`"), "{picture}");
    app.handle(&key(KeyCode::Enter));
    assert_eq!(app.selected, before);
    press(&mut app, "/photos");
    app.handle(&key(KeyCode::Esc));
    assert_eq!(app.selected, before, "it was given up");
}

#[test]
fn of_an_evacuated_data_center_dns_is_never_wrong() {
    let mut world = world(0.01);
    world.advance(Duration::from_secs(3));
    world
        .apply(&Command::Evacuate(Selector("us-east".to_string())))
        .expect("there is another one");
    world.apply(&kill("us-east")).expect("it can be lost");
    world.advance(Duration::from_secs(1));
    let mut app = screen_of(&world, &Options::default());
    draw(&mut app, 200, 60);
    for inspected in [false, true] {
        if inspected {
            press(&mut app, "/dns");
            app.handle(&key(KeyCode::Enter));
            press(&mut app, "i");
        }
        for (width, height) in SIZES {
            let picture = text(&draw(&mut app, width, height));
            assert!(!picture.contains("dead, believed up"), "{picture}");
            let dns = picture.lines().filter(|line| line.contains("us-east/lb/"));
            let wrong = dns
                .filter(|line| line.contains("wrong") || line.contains("believed"))
                .count();
            assert_eq!(wrong, 0, "{picture}");
            assert!(picture.contains("dead, evacuated") || width == 80, "{picture}");
        }
    }
}

#[test]
fn a_pattern_that_hits_most_machines_is_asked_about() {
    let world = world(0.01);
    let mut app = screen_of(&world, &Options::default());
    draw(&mut app, 120, 40);
    let enter = |app: &mut App, line: &str| {
        press(app, line);
        app.handle(&key(KeyCode::Enter))
    };
    assert_eq!(enter(&mut app, ":kill *"), None);
    let picture = text(&draw(&mut app, 120, 40));
    assert!(picture.contains("kill *: it hits "), "{picture}");
    assert!(text(&draw(&mut app, 80, 24)).contains("y does it"));
    assert_eq!(press(&mut app, "n"), []);
    assert_eq!(enter(&mut app, ":kill *"), None);
    assert_eq!(press(&mut app, "y"), [Intent::Order(Order::Do(kill("*")))]);
    for target in ["us-east", "*/cache", "us-east/web/1"] {
        let intent = enter(&mut app, &format!(":kill {target}"));
        assert_eq!(intent, Some(Intent::Order(Order::Do(kill(target)))));
    }
}

#[test]
fn before_anything_is_measured_there_are_dashes() {
    let mut world = world(0.01);
    world.advance(Duration::from_millis(300));
    for (width, height) in SIZES {
        let mut app = screen_of(&world, &Options::default());
        for keys in ["", "i"] {
            press(&mut app, keys);
            let picture = text(&draw(&mut app, width, height));
            for words in ["0/s", " 0% of users", "us-east 0%", " 0% now"] {
                assert!(!picture.contains(words), "{words}:\n{picture}");
            }
            assert!(picture.contains('–'), "{picture}");
        }
    }
}

#[test]
fn names_on_the_smallest_map_are_whole() {
    for world in [world(0.01), three_regions(1)] {
        let mut app = screen_of(&world, &Options::default());
        let picture = text(&draw(&mut app, 80, 24));
        let map: Vec<&str> = picture.lines().take(11).collect();
        let map = map.join("\n");
        for name in ["orders ", "orders-monitor "] {
            assert!(map.contains(name), "{name}:\n{map}");
        }
        assert!(!map.contains('…'), "{map}");
    }
}

#[test]
fn the_menu_of_dns_marks_its_time_to_live_and_has_its_checks() {
    let mut world = world(0.01);
    world.advance(Duration::from_secs(1));
    let mut app = screen_of(&world, &Options::default());
    draw(&mut app, 120, 40);
    press(&mut app, "/dns");
    app.handle(&key(KeyCode::Enter));
    press(&mut app, "e");
    let picture = text(&draw(&mut app, 120, 40));
    let marked = |words: &str| picture.lines().any(|line| line.contains('●') && line.contains(words));
    assert!(marked("ttl: 30s"), "{picture}");
    assert!(marked("checks: out after"), "{picture}");
    let intents = press(&mut app, "x");
    let [Intent::Order(Order::Do(command))] = intents.as_slice() else {
        panic!("{intents:?}");
    };
    assert_eq!(command.to_string(), "set dns down-after 1");
    world.apply(command).expect("its addresses are checked");
}

#[test]
fn a_lease_is_not_overwritten_by_a_load() {
    let world = three_regions(4);
    for (width, height) in SIZES {
        let mut app = screen_of(&world, &Options::default());
        let picture = text(&draw(&mut app, width, height));
        assert!(!picture.contains("%ease"), "{picture}");
        assert!(picture.contains("lease"), "{picture}");
    }
}
