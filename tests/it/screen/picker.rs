//! The choice of layouts: a list, and beside it what the one under the cursor looks like.

use std::time::{Duration, Instant};

use blastradius::layout::SHIPPED;
use blastradius::tui::engine::{Simulation, View};
use blastradius::tui::{App, Choice, Intent, Options, Over};
use ratatui::crossterm::event::KeyCode;

use super::{draw, fixture, key, press, text};

/// A screen with all shipped layouts to open, as the program has it.
fn app() -> App {
    let choices = SHIPPED.iter().map(|shipped| Choice {
        name: shipped.file.to_string(),
        title: "what it is".to_string(),
    });
    let mut fake = fixture::balanced(2);
    let view = View::new(fake.frame().into(), true);
    App::new("03-vertical-scaling", view, choices.collect(), &Options::default())
}

#[test]
fn the_list_has_a_drawn_preview_beside_it() {
    let mut app = app();
    draw(&mut app, 120, 40);
    press(&mut app, "o");
    let picture = text(&draw(&mut app, 120, 40));
    for words in ["04-load-balancer", "16-millions-of-users", "24-three-regions"] {
        assert!(picture.contains(words), "the list lacks {words}:\n{picture}");
    }
    // The next rung is under the cursor: its story, and its map with figures.
    assert!(picture.contains("╭ lb "), "{picture}");
    assert!(picture.contains("4k users") && picture.contains("web 2/2"), "{picture}");
    let down = key(KeyCode::Down);
    app.handle(&down);
    let next = text(&draw(&mut app, 120, 40));
    assert!(next.contains("db 3/3") && next.contains("db-monitor"), "{next}");
    assert_eq!(app.handle(&key(KeyCode::Enter)), Some(Intent::Open(4)));
}

#[test]
fn every_layout_has_a_preview_in_a_moment() {
    let mut app = app();
    draw(&mut app, 120, 40);
    press(&mut app, "og");
    for shipped in SHIPPED {
        let begun = Instant::now();
        let picture = text(&draw(&mut app, 120, 40));
        let took = begun.elapsed();
        // Built and run without optimisation; with it this is some milliseconds.
        assert!(took < Duration::from_secs(5), "{} took {took:?}", shipped.file);
        let lines: Vec<&str> = picture.lines().collect();
        let beside = lines
            .iter()
            .skip(8)
            .any(|line| line.contains('╔') || line.contains('╠'));
        assert!(beside, "{} has no map:\n{picture}", shipped.file);
        assert!(!picture.contains("is too small"), "{picture}");
        app.handle(&key(KeyCode::Down));
    }
}

#[test]
fn where_there_is_no_room_the_list_stands_alone() {
    for ((width, height), drawn) in [
        ((100, 28), true),
        ((99, 28), false),
        ((100, 27), false),
        ((60, 16), false),
    ] {
        let mut app = app();
        draw(&mut app, width, height);
        press(&mut app, "o");
        let picture = text(&draw(&mut app, width, height));
        assert!(picture.contains("04-load-balancer"), "{picture}");
        let list = app.arrangement.menu;
        assert_eq!(list.x == 0 && list.y == 1, drawn, "{width}x{height}:\n{picture}");
    }
}

#[test]
fn another_size_sets_the_preview_out_anew_and_closing_leaves_nothing() {
    let mut app = app();
    let before = text(&draw(&mut app, 120, 40));
    press(&mut app, "o");
    let small = text(&draw(&mut app, 104, 30));
    let large = text(&draw(&mut app, 200, 60));
    for picture in [&small, &large] {
        assert!(picture.contains("web 2/2"), "{picture}");
        let borders = |sign: char| picture.matches(sign).count();
        assert_eq!(borders('╔'), borders('╗'), "{picture}");
    }
    app.handle(&key(KeyCode::Esc));
    assert_eq!(app.over, Over::None);
    assert_eq!(text(&draw(&mut app, 120, 40)), before);
}
