//! Queues and workers on the screen: what waits, who works on it, what became of it, and what can be done about it.

use std::time::Duration;

use blastradius::command::Command;
use blastradius::tui::engine::Order;
use blastradius::tui::{Intent, Options, screen};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Rect;

use super::{SIZES, app, draw, fixture, key, kill, pictured, pictures, press, text};
use fixture::{Fake, queues};

const ALL: [fn() -> Fake; 6] = [
    queues::filling,
    queues::broker_dead,
    queues::full,
    queues::draining,
    queues::log,
    queues::everything,
];

#[test]
fn a_queue_that_fills() {
    pictures("filling", queues::filling);
}

#[test]
fn a_dead_queue() {
    pictures("broker_dead", queues::broker_dead);
}

#[test]
fn a_log_with_two_subscribers() {
    pictures("log", queues::log);
}

#[test]
fn caches_replication_and_queues_at_once() {
    pictures("everything", queues::everything);
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
fn each_size_tells_what_waits_and_what_is_wrong() {
    for size in SIZES {
        for (make, all) in [
            (
                queues::filling as fn() -> Fake,
                vec![
                    "4 queues",
                    "1,204",
                    "in 120/s",
                    "out 95/s",
                    "oldest 13s",
                    "full in 32m",
                    "32/32 busy",
                    "▓",
                ],
            ),
            (queues::broker_dead, vec!["photos: dead 4.1s", "1,236", "lost"]),
            (queues::full, vec!["photos: refuses 25/s"]),
            (queues::draining, vec!["empty in 20s"]),
            (queues::log, vec!["events", "1,204"]),
            (
                queues::everything,
                vec!["1 routing", "2 cache", "3 replication", "4 queues", "1,204"],
            ),
        ] {
            let picture = after(make(), "", "", size);
            for words in all {
                assert!(picture.contains(words), "{words} at {size:?}:\n{picture}");
            }
        }
    }
    assert!(!after(fixture::balanced(3), "", "", (200, 60)).contains("queues"));
}

#[test]
fn no_card_lies_on_another_and_every_way_is_drawn() {
    for size in SIZES {
        for make in ALL {
            let mut fake = make();
            let mut app = app(&mut fake, &Options::default());
            let picture = text(&draw(&mut app, size.0, size.1));
            let areas: Vec<Rect> = app.plan.cards.iter().map(|card| card.area).collect();
            for (index, area) in areas.iter().enumerate() {
                for other in &areas[..index] {
                    let within = |a: &Rect, b: &Rect| a.contains((b.x, b.y).into()) && b.height == 1;
                    assert!(
                        within(area, other) || within(other, area) || area.intersection(*other).is_empty(),
                        "{area:?} {other:?} at {size:?}:\n{picture}"
                    );
                }
            }
            let topology = app.topology();
            for (index, link) in topology.links.iter().enumerate() {
                let messages = link.kind == blastradius::observe::LinkKind::Messages;
                let drawn = app.plan.edges.iter().any(|edge| edge.link == index);
                assert!(!messages || drawn, "{link:?} at {size:?}:\n{picture}");
            }
        }
    }
}

#[test]
fn messages_go_from_left_to_right_where_there_is_room() {
    let mut fake = queues::filling();
    let mut app = app(&mut fake, &Options::default());
    let mut places = |(width, height): (u16, u16)| {
        draw(&mut app, width, height);
        let card = |service: usize| app.plan.cards.iter().find(|card| card.service == service);
        [4, 5, 7, 2].map(|service| card(service).expect("a card").area)
    };
    let [web, queue, workers, db] = places((200, 60));
    assert!(web.right() < queue.x && queue.right() < workers.x && workers.right() < db.x);
    let [web, queue, workers, db] = places((80, 24));
    assert!(web.right() < queue.x && queue.right() < workers.x && workers.bottom() <= db.y);
    let [web, queue, workers, db] = places((120, 40));
    assert!(web.right() < queue.x && queue.right() < workers.x && workers.bottom() <= db.y);
}

#[test]
fn the_panel_alone_tells_all() {
    for size in SIZES {
        let picture = after(queues::filling(), "", "44", size);
        for words in [
            "8,409 accepted",
            "4 duplicated",
            "0 lost",
            "dead-photos",
            "row 99, tried 5 times",
            "row 318, tried 3 times, 13s old, poison",
            "since start",
            "thumbnail 6,001",
            "7 crashes",
        ] {
            assert!(picture.contains(words), "{words} at {size:?}:\n{picture}");
        }
        let picture = after(queues::log(), "", "44", size);
        for words in ["mailers", "1,204 behind", "0 behind"] {
            assert!(picture.contains(words), "{words} at {size:?}:\n{picture}");
        }
    }
}

#[test]
fn the_panel_alone_the_menu_and_the_inspector_as_pictures() {
    for (width, height) in SIZES {
        let picture = after(queues::filling(), "photos", "44", (width, height));
        pictured(&format!("queues_alone_{width}x{height}"), &picture);
    }
    pictured("queue_menu_120x40", &after(queues::filling(), "photos", "e", (120, 40)));
    pictured(
        "queue_inspector_120x40",
        &after(queues::filling(), "photos", "i", (120, 40)),
    );
    pictured(
        "workers_inspector_120x40",
        &after(queues::filling(), "resizers", "i", (120, 40)),
    );
}

#[test]
fn the_inspector_knows_queues_workers_and_publishers() {
    for (make, name, words) in [
        (
            queues::filling as fn() -> Fake,
            "photos",
            "on disk, visible again after 30s, 5 attempts",
        ),
        (queues::filling, "photos", "1,204, the oldest for 13s"),
        (queues::filling, "photos", "go to dead-photos"),
        (queues::filling, "dead-photos", "row 99, tried 5 times"),
        (queues::filling, "resizers", "32 of 32 slots"),
        (queues::filling, "resizers", "7 times, of a message"),
        (queues::filling, "resizers-autoscaler", "301 messages each"),
        (queues::broker_dead, "web", "492 of 3,000"),
        (queues::log, "events", "1,204 behind, the oldest for 15s"),
    ] {
        let picture = after(make(), name, "i", (200, 60));
        assert!(picture.contains(words), "{name}, {words}:\n{picture}");
    }
}

fn done(make: fn() -> Fake, name: &str, keys: &str) -> Vec<Intent> {
    let mut fake = make();
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    press(&mut app, &format!("/{name}"));
    app.handle(&key(KeyCode::Enter));
    press(&mut app, keys)
}

#[test]
fn queues_workers_and_publishers_change_by_keys() {
    for (name, keys, line) in [
        ("photos", "ep", "poison photos"),
        ("dead-photos", "er", "redrive dead-photos"),
        ("photos", "e1", "set photos visibility 5s"),
        ("photos", "eA", "set photos attempts off"),
        ("photos", "ew", "set photos delay 5s"),
        ("photos", "et", "set photos retention 1m"),
        ("photos", "eo", "set photos messages 100000"),
        ("resizers", "e+", "scale resizers 5"),
        ("resizers", "+", "scale resizers 5"),
        ("resizers", "-", "scale resizers 3"),
        ("resizers", "eo", "set resizers delivery at-most-once"),
        ("resizers", "ee", "set resizers delivery effectively-once"),
        ("resizers", "eh", "set resizers prefetch 40"),
        ("resizers", "ef", "set resizers fails 5%"),
        ("resizers", "eA", "set resizers autoscaler off"),
        ("resizers", "e3", "set resizers retries 3"),
        ("web", "eC", "set web confirm off"),
        ("web", "ez", "set web fallback drop"),
        ("web", "eh", "set web fallback block:5s"),
        ("web", "eo", "set web fallback outbox:1000"),
    ] {
        let command = Command::parse(line).expect("a command");
        assert_eq!(
            done(queues::filling, name, keys),
            [Intent::Order(Order::Do(command))],
            "{name}: {keys}"
        );
    }
    // Only a dead-letter queue sends messages back, and only a database remembers what was done.
    assert_eq!(done(queues::filling, "photos", "er"), []);
    assert_eq!(done(queues::log, "mailers", "ee"), []);
}

#[test]
fn emptying_a_queue_asks_first() {
    let flush = Intent::Order(Order::Do(Command::parse("flush photos").expect("a command")));
    for keys in ["F", "ef"] {
        assert_eq!(done(queues::filling, "photos", keys), []);
        assert_eq!(done(queues::filling, "photos", &format!("{keys}n")), []);
        assert_eq!(
            done(queues::filling, "photos", &format!("{keys}y")),
            std::slice::from_ref(&flush)
        );
        for size in SIZES {
            let picture = after(queues::filling(), "photos", keys, size);
            let words = "empty photos: 1,236 messages are gone for good. y empties it, any other key keeps it";
            let short = "empty photos? y empties it, any other key keeps it";
            assert!(picture.contains(words) || picture.contains(short), "{picture}");
        }
    }
}

#[test]
fn what_is_set_now_is_marked() {
    for (name, all) in [
        (
            "photos",
            vec![
                "● visible again: after 30s",
                "● attempts: 5",
                "● delay: off",
                "● kept: until done",
            ],
        ),
        (
            "resizers",
            vec!["● deliver: at least once", "● prefetch: 8", "● autoscaler: on"],
        ),
        ("web", vec!["● confirm: on", "● else: outbox of 1,000"]),
    ] {
        let picture = after(queues::filling(), name, "e", (120, 40));
        for words in all {
            assert!(picture.contains(words), "{words}:\n{picture}");
        }
    }
}

#[test]
fn the_command_line_completes_queues() {
    let mut fake = queues::filling();
    let mut app = app(&mut fake, &Options::default());
    for (typed, words) in [
        ("flush pho", ":flush photos "),
        ("purge pho", ":purge pho"),
        ("poi", ":poison "),
        ("poison p", ":poison photos "),
        ("redrive ", ":redrive dead-photos "),
        ("scale r", ":scale resizers "),
        ("set photos vis", ":set photos visibility "),
        ("set resizers del", ":set resizers delivery "),
        ("set web fallback b", ":set web fallback block:5s "),
        ("set web fallback o", ":set web fallback outbox:1000 "),
    ] {
        press(&mut app, &format!(":{typed}"));
        app.handle(&key(KeyCode::Tab));
        let picture = text(&draw(&mut app, 120, 40));
        app.handle(&key(KeyCode::Esc));
        let line = picture.lines().last().unwrap_or_default().trim();
        assert_eq!(line, words.trim(), "{typed}:\n{picture}");
    }
}

#[test]
fn an_incident_tells_lost_jobs() {
    for size in SIZES {
        let mut fake = queues::filling().having(&kill("photos"));
        fake.lose_jobs(1_236);
        let picture = after(fake.after(Duration::from_secs(1)), "", "", size);
        assert!(picture.contains("1,236 jobs lost"), "{picture}");
    }
}

#[test]
fn an_autoscaler_of_workers_tells_messages_and_time() {
    for (target, measured, words) in [
        ("20 messages each", 14.2, "14.2 each, to hold 20"),
        ("no message older than 30s", 45.0, "45s, to hold 30s"),
    ] {
        let mut fake = queues::filling();
        fake.scaling(target, measured);
        let picture = after(fake, "", "", (200, 60));
        assert!(picture.contains(words), "{words}:\n{picture}");
    }
}

#[test]
fn ascii_means_ascii_for_queues_too() {
    let options = Options {
        ascii: true,
        ..Options::default()
    };
    for make in ALL {
        for (width, height) in SIZES {
            let mut fake = make();
            let mut app = app(&mut fake, &options);
            for keys in ["", "4", "4", "i", "e"] {
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
