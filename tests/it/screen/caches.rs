//! Caches and CDNs on the screen: who answers what, what that spares, what is wrong, and what can be done about it.

use blastradius::command::{Command, Selector};
use blastradius::tui::engine::Order;
use blastradius::tui::{Intent, Options, screen};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Rect;

use super::{SIZES, app, draw, fixture, key, pictured, pictures, press, text};
use fixture::{Fake, caches};

const ALL: [fn() -> Fake; 4] = [
    caches::layered,
    caches::edge_dead,
    caches::stampede,
    caches::fallen_back,
];

#[test]
fn layers_in_good_order() {
    pictures("layers", caches::layered);
}

#[test]
fn an_edge_is_dead() {
    pictures("edge_dead", caches::edge_dead);
}

#[test]
fn a_flushed_cache_and_a_stampede() {
    pictures("stampede", caches::stampede);
}

/// What is drawn after a search and some keys.
fn after(mut fake: Fake, name: &str, keys: &str, (width, height): (u16, u16)) -> String {
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, width, height);
    if !name.is_empty() {
        press(&mut app, &format!("/{name}"));
        app.handle(&key(KeyCode::Enter));
    }
    press(&mut app, keys);
    text(&draw(&mut app, width, height))
}

#[test]
fn each_size_tells_the_ratios_and_what_is_wrong() {
    for size in SIZES {
        for (make, all) in [
            (
                caches::layered as fn() -> Fake,
                vec![
                    "2 cache",
                    "browsers",
                    "41%",
                    "cdn",
                    "80%",
                    "cdn-shield",
                    "35%",
                    "near web",
                    "92%",
                ],
            ),
            (caches::edge_dead, vec!["1 of 3 down", "2/3"]),
            (caches::stampede, vec!["stampede: 42 loads of one key at once", "22%"]),
            (caches::fallen_back, vec!["not used", "12 writes only here", "0/3"]),
        ] {
            let picture = after(make(), "", "", size);
            for words in all {
                assert!(picture.contains(words), "{words} at {size:?}:\n{picture}");
            }
        }
    }
    assert!(after(caches::layered(), "", "", (120, 40)).contains("db would get"));
}

#[test]
fn a_cdn_stands_between_users_and_balancer_at_every_size() {
    for size in SIZES {
        for make in ALL {
            let mut fake = make();
            let mut app = app(&mut fake, &Options::default());
            draw(&mut app, size.0, size.1);
            let areas: Vec<Rect> = app.plan.cards.iter().map(|card| card.area).collect();
            for (index, area) in areas.iter().enumerate() {
                for other in &areas[..index] {
                    let within = other.contains((area.x, area.y).into()) && area.height == 1
                        || area.contains((other.x, other.y).into()) && other.height == 1;
                    assert!(
                        within || area.intersection(*other).is_empty(),
                        "{area:?} {other:?} at {size:?}"
                    );
                }
            }
            // A resolver has a line only where there is one to spare.
            assert!(app.plan.cards.len() + 1 >= app.topology().services.len(), "{size:?}");
            assert!(
                app.plan.height <= app.arrangement.map.height,
                "{size:?}: the map scrolls"
            );
            // Every way is drawn.
            let links = &app.topology().links;
            for link in [(0, 6), (6, 7), (7, 3), (4, 5), (4, 2)] {
                let found = |index: usize| (links[index].from, links[index].to) == link;
                assert!(
                    app.plan.edges.iter().any(|edge| found(edge.link)),
                    "{link:?} at {size:?}"
                );
            }
        }
    }
}

#[test]
fn the_panel_alone_has_a_row_for_each_node_and_totals() {
    for size in SIZES {
        let picture = after(caches::edge_dead(), "", "22", size);
        for words in [
            "virginia",
            "frankfurt",
            "dead 31s",
            "singapore",
            "since start",
            "asked",
            "loads",
        ] {
            assert!(picture.contains(words), "{words} at {size:?}:\n{picture}");
        }
    }
    let picture = after(caches::layered(), "cache/2", "22", (200, 60));
    assert!(picture.contains("▸cache") && picture.contains("▸ /2"), "{picture}");
    assert!(
        picture.contains("evicted") && picture.contains("cache-aside, LRU 10,000 items"),
        "{picture}"
    );
}

#[test]
fn the_inspector_knows_what_is_kept() {
    for (make, name, words) in [
        (
            caches::layered as fn() -> Fake,
            "cache",
            "in the cache: cache-aside, LRU 10,000 items",
        ),
        (caches::layered, "cdn/2", "frankfurt"),
        (caches::layered, "cdn", "users are sent here"),
        (caches::fallen_back, "cdn", "no: users are not sent here"),
        (caches::layered, "shield", "at the shield"),
        (caches::layered, "everyone", "in browsers"),
        (caches::layered, "web", "in each web server: 100 items each"),
        (caches::fallen_back, "cache", "12 writes only here"),
    ] {
        let picture = after(make(), name, "i", (200, 60));
        assert!(picture.contains(words), "{name}, {words}:\n{picture}");
    }
}

fn done(name: &str, keys: &str) -> Vec<Intent> {
    let mut fake = caches::layered();
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    press(&mut app, &format!("/{name}"));
    app.handle(&key(KeyCode::Enter));
    press(&mut app, keys)
}

#[test]
fn caches_change_by_keys() {
    for (name, keys, line) in [
        ("cache", "F", "flush cache"),
        ("cdn/2", "F", "flush cdn/2"),
        ("everyone", "F", "flush everyone"),
        ("web/1", "F", "flush web/1"),
        ("cdn", "ep", "purge cdn 0"),
        ("cdn", "ey", "deploy"),
        ("cache/2", "ef", "flush cache/2"),
        ("cache/2", "eL", "set cache single-flight off"),
        ("cache", "eo", "set cache items 20000"),
        ("cache", "eb", "set cache strategy write-behind"),
        ("cache", "eI", "set cache invalidate update"),
        ("cache", "ex", "set cache near 1s"),
        ("cdn", "eb", "set cdn standby on"),
        ("cdn", "ew", "set cdn stale-while-revalidate 10s"),
        ("cdn", "eM", "set cdn pages off"),
        ("dns", "eO", "set dns origin-fallback off"),
    ] {
        let command = Command::parse(line).expect("a command");
        assert_eq!(done(name, keys), [Intent::Order(Order::Do(command))], "{name}: {keys}");
    }
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    assert_eq!(press(&mut app, "F"), []);
    assert!(text(&draw(&mut app, 120, 40)).contains("keeps no copies"));
    assert_eq!(
        Command::Flush(Selector("cache".to_string())),
        Command::parse("flush cache").expect("a command")
    );
}

#[test]
fn what_is_set_now_is_marked_and_the_menu_fits() {
    let picture = after(caches::layered(), "cache", "e", (120, 40));
    for words in [
        "● evict: LRU",
        "● single flight: on",
        "● strategy: cache-aside",
        "● ttl: 1m",
    ] {
        assert!(picture.contains(words), "{words}:\n{picture}");
    }
    let picture = after(caches::layered(), "cdn", "e", (80, 24));
    assert!(picture.contains("more below"), "{picture}");
}

#[test]
fn the_command_line_completes_what_keeps_copies() {
    let mut fake = caches::layered();
    let mut app = app(&mut fake, &Options::default());
    for (typed, words) in [
        ("flu", ":flush "),
        ("flush cdn-", ":flush cdn-shield "),
        ("flush db", ":flush db"),
        ("purge cache/", "cache/1 cache/2"),
        ("set cdn stale-if", ":set cdn stale-if-error "),
        ("set cache strategy write-t", ":set cache strategy write-through "),
        ("dep", ":deploy"),
    ] {
        press(&mut app, &format!(":{typed}"));
        app.handle(&key(KeyCode::Tab));
        let picture = text(&draw(&mut app, 120, 40));
        app.handle(&key(KeyCode::Esc));
        let line = picture.lines().last().unwrap_or_default().trim();
        let found = if words.starts_with(':') {
            line == words.trim()
        } else {
            picture.contains(words)
        };
        assert!(found, "{typed}: {words}\n{picture}");
    }
}

#[test]
fn ascii_means_ascii_for_caches_too() {
    let options = Options {
        ascii: true,
        ..Options::default()
    };
    for make in ALL {
        for (width, height) in SIZES {
            let mut fake = make();
            let mut app = app(&mut fake, &options);
            for keys in ["", "2", "2", "i", "e"] {
                press(&mut app, keys);
                let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
                app.prepare(buffer.area);
                screen::draw(&app, &mut buffer);
                let picture = text(&buffer);
                assert!(picture.is_ascii(), "{picture}");
                assert!(
                    !picture.replace("? ", "").contains("??"),
                    "a sign has no stand-in:\n{picture}"
                );
            }
        }
    }
}

#[test]
fn the_panel_alone_and_the_menu_as_pictures() {
    for (width, height) in SIZES {
        let picture = after(caches::edge_dead(), "cdn", "22", (width, height));
        pictured(&format!("caches_alone_{width}x{height}"), &picture);
    }
    let picture = after(caches::layered(), "cache", "e", (120, 40));
    pictured("cache_menu_120x40", &picture);
    let picture = after(caches::fallen_back(), "cdn", "i", (120, 40));
    pictured("cdn_inspector_120x40", &picture);
}
