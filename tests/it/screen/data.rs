//! Databases of several nodes on the screen: who leads, who lags, who is cut off or in conflict, and what can be done about it.

use blastradius::command::Command;
use blastradius::tui::engine::Order;
use blastradius::tui::theme::Depth;
use blastradius::tui::{Intent, Options, Over, screen};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::{SIZES, app, draw, fixture, key, pictures, press, text};
use fixture::{Fake, data};

const ALL: [fn() -> Fake; 8] = [
    data::replicated,
    data::split_brain,
    data::aside,
    data::sharded,
    data::many_shards,
    data::ring,
    data::far,
    data::peers,
];

#[test]
fn a_primary_and_its_replicas() {
    pictures("replicated", data::replicated);
}

#[test]
fn two_primaries_at_once() {
    pictures("split_brain", data::split_brain);
}

#[test]
fn shards_that_move() {
    pictures("sharded", data::sharded);
}

#[test]
fn several_primaries_in_two_places() {
    pictures("peers", data::peers);
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
fn each_size_tells_who_leads_who_lags_and_what_is_lost() {
    for size in SIZES {
        for (make, all) in [
            (
                data::replicated as fn() -> Fake,
                vec![
                    "3 replication · 2 writes on one disk",
                    "48,211",
                    "2 behind",
                    "34 behind",
                    "43ms",
                    "12,304 acknowledged",
                ],
            ),
            (
                data::split_brain,
                vec![
                    "split brain: /1 and /2 take writes",
                    "╱",
                    "▒",
                    "3 lost",
                    "37 missing",
                    "5 writes on one disk",
                    "✖",
                ],
            ),
            (
                data::aside,
                vec!["12 aside", "▒", "fenced", "21 replayed", "2 given up", "2 lost"],
            ),
            (
                data::sharded,
                vec!["shard 2 takes no writes", "62% done", "4 shards", "✖"],
            ),
            (data::many_shards, vec!["64 shards", "hottest 7: 78%", "mean 39%"]),
            (data::ring, vec!["80 behind", "╱", "/3", "74 behind", "✖"]),
            (
                data::far,
                vec!["us-east/1", "34 behind", "eu-west/1", "48,211", "31 behind"],
            ),
            (
                data::peers,
                vec!["▒", "╱", "24 conflicts: 6 later dropped", "clock +5s", "212 behind"],
            ),
        ] {
            let picture = after(make(), "", "", size);
            for words in all {
                assert!(picture.contains(words), "{words} at {size:?}:\n{picture}");
            }
        }
    }
}

/// The line of the panel about a node.
fn line<'a>(picture: &'a str, start: &str) -> &'a str {
    let found = picture.lines().find_map(|line| line.split_once(&format!("│ {start} ")));
    found.map_or_else(|| panic!("{start} is not there:\n{picture}"), |(_, line)| line)
}

fn count(line: &str, sign: char) -> usize {
    line.chars().filter(|c| *c == sign).count()
}

#[test]
fn a_ribbon_is_as_long_as_the_log() {
    for size in [(120, 40), (200, 60)] {
        let picture = after(data::replicated(), "", "", size);
        let solid = |name| count(line(&picture, name), '━') * 2 + count(line(&picture, name), '╸');
        // The head of the primary's takes a cell.
        let (primary, near, far) = (solid("/1 P t1") + 2, solid("/2 R t1"), solid("/3 R t1"));
        assert!(
            primary > near && near > far && far > primary / 2,
            "{primary} {near} {far}:\n{picture}"
        );
        assert!(line(&picture, "/1 P t1").contains("▶ 48,211"), "{picture}");
    }
}

#[test]
fn torn_hatched_rebuilt_and_dead_ribbons_have_shapes_of_their_own() {
    let picture = after(data::split_brain(), "", "", (200, 60));
    for (name, shape, words) in [
        ("/1 P t1", "━▒▒", "a second primary"),
        ("/2 P t2", "━▶", "48,502"),
        ("/3 R t1", "━╱╱", "340 behind  4.1s  cut off"),
        ("/4 B t2", "━╌", "rebuilds 42%  no vote yet"),
        ("/5 ✖ t1", "──", "dead 0.0s  1,402 behind"),
    ] {
        let line = line(&picture, name);
        assert!(
            line.contains(shape) && line.contains(words),
            "{name}: {line}\n{picture}"
        );
    }
    let peers = after(data::peers(), "", "", (200, 60));
    assert!(line(&peers, "us-east/2 =").contains("▒ 7 with siblings"), "{peers}");
    assert!(line(&peers, "us-east/3 =").contains("━▒▒ differs"), "{peers}");
    let aside = after(data::aside(), "", "", (200, 60));
    for (name, words) in [("/1 R t2", "12 aside"), ("/3 F t1", "7 of its own")] {
        let line = line(&aside, name);
        assert!(line.contains("━▒▒") && line.contains(words), "{name}: {line}\n{aside}");
    }
}

#[test]
fn nothing_is_told_by_colour_alone() {
    for make in ALL {
        for (width, height) in SIZES {
            let with = |depth| {
                let options = Options {
                    depth,
                    ..Options::default()
                };
                let mut fake = make();
                let mut app = app(&mut fake, &options);
                draw(&mut app, width, height)
            };
            let (plain, sixteen, all) = (with(Depth::Mono), with(Depth::Ansi), with(Depth::True));
            assert_eq!(text(&plain), text(&all));
            assert_eq!(text(&sixteen), text(&all));
            assert!(
                plain
                    .content
                    .iter()
                    .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
            );
        }
    }
}

#[test]
fn the_panel_is_there_only_where_there_are_copies() {
    for size in SIZES {
        let picture = after(fixture::balanced(3), "", "", size);
        assert!(
            !picture.contains("replication") && picture.contains("3 causes"),
            "{picture}"
        );
        let picture = after(data::replicated(), "", "", size);
        assert!(
            picture.contains("3 replication") && picture.contains("4 causes"),
            "{picture}"
        );
        let alone = after(data::replicated(), "", "33", size);
        assert!(
            alone.contains("3 replication") && !alone.contains("4 causes"),
            "{alone}"
        );
        assert!(alone.contains("/3 R t1"), "{alone}");
    }
}

#[test]
fn the_map_has_the_roles_of_nodes_in_their_places() {
    for (size, row) in [
        ((80, 24), "P▂ P▁ R▂ B▂"),
        ((120, 40), "B▂ /4"),
        ((200, 60), "✖ /5 dead"),
    ] {
        let picture = after(data::split_brain(), "", "", size);
        assert!(picture.contains(row), "{row}:\n{picture}");
        assert!(picture.contains("db-monitor"), "{picture}");
    }
    let picture = after(data::replicated(), "", "", (200, 60));
    assert!(picture.contains("▁ ▁ ▁  lease: /1 4.2s"), "{picture}");
    // A grid of six in a row: one that is dead leaves the others where they were.
    let picture = after(data::sharded(), "", "", (80, 24));
    for row in ["P▁ R▁ R▁ P▁ R▁ R▁", "✖ C▁ R▁ P▁ R▁ R▁"] {
        assert!(picture.contains(row), "{row}:\n{picture}");
    }
}

#[test]
fn changes_travel_on_ways_of_their_own_to_where_they_are_fetched() {
    for size in SIZES {
        let mut fake = data::far();
        let mut app = app(&mut fake, &Options::default());
        draw(&mut app, size.0, size.1);
        let mut seen = String::new();
        for _ in 0..12 {
            app.phase += 1.0;
            seen += &text(&draw(&mut app, size.0, size.1));
        }
        assert!(seen.contains('▲'), "{seen}");
        // At a small size the frames of the data centers touch, and there is no room for what moves.
        assert_eq!(seen.contains('◆'), size.0 > 80, "{seen}");
        let cut = after(data::peers(), "", "", size);
        assert!(cut.contains('≠') && !cut.contains('◆'), "{cut}");
        let words = cut.matches("50% of users").count();
        assert_eq!(words, 2, "the way leaves the words of a frame alone:\n{cut}");
    }
}

#[test]
fn the_inspector_tells_all_of_a_node_and_what_it_is() {
    let long = "Older books say master and slave.";
    for (fake, name, all) in [
        (
            data::replicated(),
            "db/1",
            vec!["primary", "48,211 entries in its log", "nothing", "term", long],
        ),
        (data::replicated(), "db/3", vec!["replica", "34 entries, 43ms", long]),
        (
            data::replicated(),
            "db",
            vec![
                "asynchronous, failover after 6s, 3 monitors, fencing",
                "41 (0.1%), 18ms old, at most 240ms",
                "2 would be lost with the primary's machine now",
                long,
            ],
        ),
        (
            data::replicated(),
            "db-mon",
            vec!["db/1, for 4.2s more", "They hold the lease"],
        ),
        (
            data::split_brain(),
            "db/1",
            vec!["primary, beside another one of a later term"],
        ),
        (
            data::split_brain(),
            "db/3",
            vec!["no packet reaches it", "340 entries, 4.1s"],
        ),
        (
            data::split_brain(),
            "db/4",
            vec![
                "rebuilding: copies all rows from another node, without a vote",
                "42% of the rows are copied",
            ],
        ),
        (data::split_brain(), "db/5", vec!["none: it does not run"]),
        (
            data::aside(),
            "db/1",
            vec!["12 writes that the primary lacks", "21 written anew", "2 given up"],
        ),
        (data::aside(), "db/3", vec!["fenced", "could not renew its lease"]),
        (
            data::sharded(),
            "db/8",
            vec!["candidate", "4 shards, consistent hashing", "20% of the keys move, 62%"],
        ),
        (data::peers(), "eu-west/orders/1", vec!["off by +5s", "last write wins"]),
        (
            data::peers(),
            "us-east/orders/2",
            vec![
                "7 rows with several versions",
                "row 812: eu-west/orders/1 of",
                "6: the later write was dropped",
            ],
        ),
    ] {
        let picture = after(fake, name, "i", (200, 60));
        // What stands right of the map, without its lines.
        let beside = picture
            .lines()
            .map(|line| line.chars().skip(136).filter(|c| *c != '│').collect::<String>());
        let beside = beside.collect::<Vec<_>>().join(" ");
        let inspected = beside.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in all {
            assert!(inspected.contains(words), "{name}: {words} in {inspected}\n{picture}");
        }
    }
}

#[test]
fn the_menu_offers_what_makes_sense() {
    for (fake, name, offered, left_out) in [
        (
            data::replicated(),
            "db/2",
            vec![
                "promote",
                "a replica more",
                "● mode: asynchronous",
                "mode: quorum",
                "● fencing: on",
            ],
            vec!["recover", "close the ring", "clock", "a shard more", "rule:"],
        ),
        (
            data::replicated(),
            "db/1",
            vec!["mode: quorum"],
            vec!["promote", "recover"],
        ),
        (
            data::aside(),
            "db/1",
            vec!["recover", "● failover: by hand"],
            vec!["clock"],
        ),
        (
            data::sharded(),
            "db/9",
            vec!["a shard more", "● mode: quorum"],
            vec!["recover"],
        ),
        (
            data::ring(),
            "db/4",
            vec!["close the ring", "clock +5s", "● rule: hybrid clocks"],
            vec!["promote", "mode:", "clock right"],
        ),
        (
            data::peers(),
            "eu-west/orders/1",
            vec!["clock right", "● rule: last write wins"],
            vec!["close the ring"],
        ),
        (
            data::replicated(),
            "everyone",
            vec!["a celebrity: 30%"],
            vec!["promote"],
        ),
        (
            fixture::balanced(3),
            "db",
            vec!["size up"],
            vec!["replica", "mode:", "promote"],
        ),
    ] {
        let picture = after(fake, name, "e", (200, 60));
        let menu: String = picture.lines().filter(|line| line.contains("│ ")).collect();
        for words in offered {
            assert!(menu.contains(words), "{name}: {words}\n{picture}");
        }
        let inside: Vec<&str> = picture.lines().skip_while(|line| !line.contains("change · ")).collect();
        for words in left_out {
            assert!(
                !inside.join("\n").contains(&format!(" {words}")),
                "{name}: {words}\n{picture}"
            );
        }
    }
}

#[test]
fn what_is_chosen_is_the_command_that_one_would_type() {
    for (mut fake, name, keys, line) in [
        (data::replicated(), "db/2", "ep", "promote db/2"),
        (data::aside(), "db/1", "er", "recover db/1"),
        (data::replicated(), "db", "e+", "replicate db"),
        (data::replicated(), "db/3", "+", "replicate db"),
        (data::sharded(), "db", "eh", "shard db"),
        (data::peers(), "us-east/orders/2", "e<", "skew us-east/orders/2 -5s"),
        (data::peers(), "eu-west/orders/1", "e0", "skew eu-west/orders/1 0s"),
        (data::ring(), "db/3", "ec", "close db/3"),
        (data::replicated(), "db", "em", "set db mode quorum"),
        (data::replicated(), "db", "eF", "set db fencing off"),
        (data::replicated(), "db", "eo", "set db failover 3s"),
        (
            data::peers(),
            "us-east/orders",
            "ey",
            "set us-east/orders rule hybrid-clocks",
        ),
        (data::replicated(), "everyone", "ec", "set everyone hot 30%"),
    ] {
        let mut app = app(&mut fake, &Options::default());
        draw(&mut app, 120, 40);
        press(&mut app, &format!("/{name}"));
        app.handle(&key(KeyCode::Enter));
        let done = press(&mut app, keys);
        assert_eq!(app.over, Over::None, "{line}: no menu had this key");
        match Command::parse(line) {
            Ok(command) => assert_eq!(done, [Intent::Order(Order::Do(command))], "{line}"),
            Err(error) => {
                let notice = app.notice.map(|notice| notice.words);
                assert_eq!((done, notice), (vec![], Some(error.to_string())), "{line}");
            }
        }
    }
}

#[test]
fn replicas_are_not_taken_away_by_a_key() {
    let mut fake = data::replicated();
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    press(&mut app, "/db");
    app.handle(&key(KeyCode::Enter));
    assert_eq!(press(&mut app, "-"), []);
    let picture = text(&draw(&mut app, 120, 40));
    assert!(picture.contains("replicas come by +"), "{picture}");
}

#[test]
fn ascii_means_ascii_for_databases() {
    let options = Options {
        ascii: true,
        ..Options::default()
    };
    for make in ALL {
        for (width, height) in SIZES {
            let mut fake = make();
            let mut app = app(&mut fake, &options);
            for keys in ["", "i", "e", "?", "3"] {
                press(&mut app, keys);
                let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
                app.prepare(buffer.area);
                screen::draw(&app, &mut buffer);
                let picture = text(&buffer);
                assert!(picture.is_ascii(), "{picture}");
                let unknown = picture.replace("? ", "").contains("??");
                assert!(!unknown, "a sign has no stand-in:\n{picture}");
                app.handle(&key(KeyCode::Esc));
            }
        }
    }
}

#[test]
fn every_size_has_room_for_the_nodes_and_the_ledger() {
    for size in [(60, 16), (80, 24), (110, 32), (120, 40), (200, 60), (300, 100)] {
        let picture = after(data::replicated(), "", "", size);
        for words in ["48,211", "34 behind", "0 lost", "P▂"] {
            assert!(picture.contains(words), "{words} at {size:?}:\n{picture}");
        }
    }
}
