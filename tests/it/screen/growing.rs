//! The screen while the system itself is changed, and one data center seen alone.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use blastradius::layout::{find_shipped, parse};
use blastradius::tui::engine::{Order, View};
use blastradius::tui::select::Item;
use blastradius::world::{Follow, World};

use super::*;

fn world(name: &str, seconds: u64) -> World {
    let shipped = find_shipped(name).expect("it is shipped");
    let mut world = World::build(&parse(shipped.source, shipped.file).expect("it is right"), 7);
    world.advance(Duration::from_secs(seconds));
    world
}

fn act(world: &mut World, command: &str) {
    world.apply(&Command::parse(command).expect(command)).expect(command);
}

fn shown(world: &World) -> App {
    App::new(
        "shop",
        View::new(Arc::new(world.frame()), true),
        Vec::new(),
        &Options::default(),
    )
}

/// Goes down in a menu to the line with these words, and takes it.
fn take(app: &mut App, words: &str) -> Option<Intent> {
    for _ in 0..60 {
        let screen = text(&draw(app, 160, 60));
        let Over::Menu(menu) = &app.over else {
            panic!("no menu\n{screen}");
        };
        if menu.entries[menu.at].words == words {
            return app.handle(&key(KeyCode::Enter));
        }
        app.handle(&key(KeyCode::Down));
    }
    panic!("no line says {words}");
}

#[test]
fn services_are_added_connected_and_removed_by_the_menu_of_changes() {
    let mut world = world("02", 3);
    let mut app = shown(&world);
    draw(&mut app, 160, 60);
    press(&mut app, "e");
    assert_eq!(take(&mut app, "add a service"), None);
    assert_eq!(take(&mut app, "Cache"), None);
    let screen = text(&draw(&mut app, 160, 60));
    assert!(screen.contains("add cache Cache(machines: 2)"), "{screen}");
    let Some(Intent::Order(Order::Do(added))) = app.handle(&key(KeyCode::Enter)) else {
        panic!("it was not sent");
    };
    world.apply(&added).expect("it can be added");
    world.advance(Duration::from_secs(4));
    app.show(View::new(Arc::new(world.frame()), true));
    let screen = text(&draw(&mut app, 160, 60));
    assert!(screen.contains("cache"), "{screen}");
    press(&mut app, "e");
    let connect = take(&mut app, "connect with cache");
    let command = Command::parse("connect web -> cache").expect("a command");
    assert_eq!(connect, Some(Intent::Order(Order::Do(command.clone()))));
    world.apply(&command).expect("it can be connected");
    world.advance(Duration::from_secs(20));
    app.show(View::new(Arc::new(world.frame()), true));
    draw(&mut app, 160, 60);
    press(&mut app, "e");
    assert!(matches!(
        take(&mut app, "disconnect from cache"),
        Some(Intent::Order(Order::Do(_)))
    ));
    act(&mut world, "disconnect web -> cache");
    world.advance(Duration::from_secs(20));
    app.show(View::new(Arc::new(world.frame()), true));
    let cache = app
        .frame()
        .topology
        .services
        .iter()
        .position(|service| service.name == "cache");
    app.selected = Item::Service(cache.expect("it is there"));
    draw(&mut app, 160, 60);
    press(&mut app, "e");
    // It asks first.
    assert_eq!(take(&mut app, "remove cache"), None);
    assert!(text(&draw(&mut app, 160, 60)).contains("remove cache, and all that is on its disks?"));
    assert!(matches!(
        press(&mut app, "y")[..],
        [Intent::Order(Order::Do(Command::Remove(_)))]
    ));
    act(&mut world, "remove cache");
    world.advance(Duration::from_secs(4));
    // Whoever had it selected is somewhere else, and nothing is left of it.
    app.show(View::new(Arc::new(world.frame()), true));
    for (width, height) in [(80, 24), (120, 40), (160, 60)] {
        let screen = text(&draw(&mut app, width, height));
        assert!(
            !screen
                .lines()
                .take(height as usize - 12)
                .any(|line| line.contains("cache 2/2")),
            "{screen}"
        );
        press(&mut app, "hjklgG");
    }
    assert!(
        app.target().is_some_and(|target| !target.contains("cache")),
        "{:?}",
        app.target()
    );
}

#[test]
fn enter_goes_into_a_data_center_and_esc_comes_out() {
    let world = world("13", 4);
    let mut app = shown(&world);
    let all = text(&draw(&mut app, 120, 40));
    assert!(all.contains("╔ us-east") || all.contains("us-east ═"), "{all}");
    let east = app
        .topology()
        .sites
        .iter()
        .position(|site| site.name == "us-east")
        .expect("it is there");
    app.selected = Item::Site(east);
    draw(&mut app, 120, 40);
    app.handle(&key(KeyCode::Enter));
    let alone = text(&draw(&mut app, 120, 40));
    assert!(alone.contains("map · us-east alone"), "{alone}");
    assert!(!alone.contains("eu-west ═"), "{alone}");
    insta::assert_snapshot!("one_data_center_120x40", alone);
    // All that can be reached stands in it, or outside of all.
    for _ in 0..30 {
        press(&mut app, "jl");
        let site = app
            .selected
            .service()
            .and_then(|service| app.topology().services[service].site);
        assert!(app.selected == Item::Site(east) || site.is_none_or(|site| site == east));
        draw(&mut app, 120, 40);
    }
    app.selected = Item::Site(east);
    draw(&mut app, 120, 40);
    app.handle(&key(KeyCode::Esc));
    assert!(!text(&draw(&mut app, 120, 40)).contains("alone"));
    // What is sought elsewhere is seen there.
    app.handle(&key(KeyCode::Enter));
    draw(&mut app, 120, 40);
    press(&mut app, "/");
    press(&mut app, "eu-west/web");
    app.handle(&key(KeyCode::Enter));
    assert!(!text(&draw(&mut app, 120, 40)).contains("us-east alone"));
}

#[test]
fn w_goes_back_to_the_last_request_of_its_kind_where_none_comes_now() {
    let mut world = world("04", 5);
    act(&mut world, "kill db for 2s");
    world.advance(Duration::from_secs(30));
    let mut app = shown(&world);
    draw(&mut app, 120, 40);
    app.focus = Pane::Causes;
    let [Intent::Orders(orders)] = &press(&mut app, "w")[..] else {
        panic!("it stays where it is");
    };
    let [
        Order::GoTo(at),
        Order::Follow(Some(Follow::Failing(None))),
        Order::Run(true),
    ] = orders[..]
    else {
        panic!("{orders:?}");
    };
    assert!((3..30).contains(&at.as_secs()), "{at:?}");
    assert!(text(&draw(&mut app, 120, 40)).contains("none comes now: back to"));
}

#[test]
fn behind_the_trend_of_a_machine_stands_faintly_what_it_would_be() {
    let plain = world("04", 40);
    let mut hurt = world("04", 20);
    act(&mut hurt, "kill web/1");
    hurt.advance(Duration::from_secs(20));
    let mut app = shown(&hurt);
    app.inspector = true;
    draw(&mut app, 160, 60);
    let bars = |app: &mut App| {
        let screen = text(&draw(app, 160, 60));
        let rows: Vec<&str> = screen.lines().collect();
        let first = rows
            .iter()
            .position(|line| line.contains("last minute"))
            .expect("a trend");
        let column = rows[first]
            .split("last minute")
            .next()
            .map_or(0, |left| left.chars().count());
        let beside = rows[first..first + 3].iter().map(|row| row.chars().skip(column));
        beside.flatten().filter(|sign| "▂▃▄▅▆▇█".contains(*sign)).count()
    };
    let before = bars(&mut app);
    app.twin = Some(Arc::new(plain.frame()));
    let after = bars(&mut app);
    assert!(after >= before + 10, "{before} {after}");
}

/// Selects a service and goes in.
fn enter(app: &mut App, name: &str) {
    let mut services = app.topology().services.iter();
    let service = services.position(|service| service.selector == name).expect(name);
    app.selected = Item::Service(service);
    draw(app, 120, 40);
    app.handle(&key(KeyCode::Enter));
}

#[test]
fn enter_on_a_service_shows_its_machines_and_esc_the_map() {
    let mut world = world("13", 15);
    act(&mut world, "kill us-east/web/2");
    world.advance(Duration::from_secs(3));
    for (name, picture) in [
        ("us-east/web", "web"),
        ("us-east/orders", "orders"),
        ("us-east/cache", "cache"),
    ] {
        let mut app = shown(&world);
        enter(&mut app, name);
        let mut all = String::new();
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let picture = text(&draw(&mut app, width, height));
            write!(all, "{width}x{height}\n{picture}\n").expect("a text can be written to");
        }
        assert!(all.contains("  last 1"), "{all}");
        pictured(&format!("machines_of_{picture}"), &all);
    }
    let mut app = shown(&world);
    enter(&mut app, "us-east/web");
    let screen = text(&draw(&mut app, 120, 40));
    assert!(screen.contains("us-east/web alone · 4 of 5 up"), "{screen}");
    let selected = |app: &App| app.selected.selector(app.topology()).map(str::to_string);
    assert_eq!(selected(&app).as_deref(), Some("us-east/web/1"));
    press(&mut app, "j");
    assert_eq!(selected(&app).as_deref(), Some("us-east/web/2"));
    let [Intent::Order(Order::Do(command))] = &press(&mut app, "r")[..] else {
        panic!("it is not mended");
    };
    assert_eq!(command.to_string(), "mend us-east/web/2");
    app.handle(&key(KeyCode::Enter));
    assert!(app.inspector);
    app.handle(&key(KeyCode::Esc));
    app.handle(&key(KeyCode::Esc));
    assert_eq!(selected(&app).as_deref(), Some("us-east/web"));
    let screen = text(&draw(&mut app, 120, 40));
    assert!(!screen.contains("alone") && screen.contains("eu-west"), "{screen}");
}

#[test]
fn of_many_machines_those_around_the_selection_are_seen_below_the_head() {
    let mut fake = fixture::balanced(300);
    fake.advance(Duration::from_secs(5));
    let mut app = app(&mut fake, &Options::default());
    enter(&mut app, "web");
    let first = text(&draw(&mut app, 120, 40));
    let shows = |screen: &str, name: &str| screen.lines().any(|line| line.starts_with(&format!("│ {name} ")));
    assert!(shows(&first, "/1") && !shows(&first, "/300"), "{first}");
    let seen = first.lines().filter(|line| line.starts_with("│ /")).count();
    let more = first.split("▼ ").nth(1).and_then(|words| words.split(' ').next());
    assert_eq!(more.and_then(|more| more.parse().ok()), Some(300 - seen), "{first}");
    app.handle(&key(KeyCode::PageDown));
    assert!(
        matches!(app.selected, Item::Instance(_, at) if at > 15),
        "{:?}",
        app.selected
    );
    press(&mut app, "G");
    let last = text(&draw(&mut app, 120, 40));
    assert!(shows(&last, "/300") && !shows(&last, "/1"), "{last}");
    for screen in [first, last] {
        assert!(screen.contains("state") && screen.contains("req/s"), "{screen}");
    }
    // A click hits what is seen.
    let row = |app: &mut App| {
        let screen = text(&draw(app, 120, 40));
        screen
            .lines()
            .position(|line| line.contains("/295 "))
            .expect("it is seen") as u16
    };
    let row = row(&mut app);
    app.handle(&Event::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: 10,
        row,
        modifiers: KeyModifiers::NONE,
    }));
    assert_eq!(app.selected.selector(app.topology()), Some("web/295"));
}

#[test]
fn a_card_has_the_load_of_the_last_seconds_in_its_lower_edge() {
    let mut world = world("04", 4);
    act(&mut world, "surge 3");
    world.advance(Duration::from_secs(4));
    let mut app = shown(&world);
    let screen = text(&draw(&mut app, 120, 40));
    let edge = screen
        .lines()
        .filter(|line| line.contains('╰'))
        .find(|line| line.chars().any(|sign| "▂▃▄▅▆▇".contains(sign)))
        .unwrap_or_else(|| panic!("no trend\n{screen}"));
    let bars: Vec<char> = edge.chars().filter(|sign| "▁▂▃▄▅▆▇█".contains(*sign)).collect();
    assert!(bars.len() >= 8 && bars.first() < bars.last(), "{edge}");
}

#[test]
fn the_table_of_a_service_goes_with_what_it_shows() {
    let mut world = world("04", 5);
    act(&mut world, "scale web 4");
    act(&mut world, "add c Cache()");
    world.advance(Duration::from_secs(60));
    let mut app = shown(&world);
    enter(&mut app, "web");
    draw(&mut app, 120, 40);
    press(&mut app, "G");
    assert_eq!(app.selected.selector(app.topology()), Some("web/4"));
    act(&mut world, "scale web 2");
    world.advance(Duration::from_secs(60));
    app.show(View::new(Arc::new(world.frame()), true));
    let screen = text(&draw(&mut app, 120, 40));
    assert!(screen.contains("web alone · 2 of 2 up"), "{screen}");
    assert_eq!(app.selected.selector(app.topology()), Some("web/2"));
    enter(&mut app, "c");
    assert!(text(&draw(&mut app, 120, 40)).contains("c alone"));
    act(&mut world, "remove c");
    world.advance(Duration::from_secs(30));
    app.show(View::new(Arc::new(world.frame()), true));
    let screen = text(&draw(&mut app, 120, 40));
    assert!(!screen.contains("alone"), "{screen}");
}

#[test]
fn a_machine_has_its_own_shadow_after_another_one_has_left() {
    let plain = world("04", 60);
    let mut hurt = world("04", 20);
    act(&mut hurt, "kill web/1");
    act(&mut hurt, "scale web 1");
    hurt.advance(Duration::from_secs(20));
    act(&mut hurt, "surge 0.001");
    hurt.advance(Duration::from_secs(20));
    let mut app = shown(&hurt);
    app.selected = select(&app, "web/2");
    app.inspector = true;
    let bars = |app: &mut App| {
        let screen = text(&draw(app, 160, 60));
        screen.chars().filter(|sign| "▂▃▄▅▆▇█".contains(*sign)).count()
    };
    let before = bars(&mut app);
    app.twin = Some(Arc::new(plain.frame()));
    let after = bars(&mut app);
    assert!(after >= before + 10, "{before} {after}");
}

/// The machine of this name.
fn select(app: &App, name: &str) -> Item {
    let services = app.topology().services.iter().enumerate();
    let mut machines = services.flat_map(|(at, service)| {
        let machines = service.instances.iter().enumerate();
        machines.map(move |(number, one)| (one.selector.as_str(), Item::Instance(at, number)))
    });
    machines.find(|(selector, _)| *selector == name).expect(name).1
}
