//! How the screen looks: themes that change while it runs, and traffic that stands still.

use std::time::Duration;

use blastradius::tui::engine::Simulation;
use blastradius::tui::theme::{Depth, Ground, Name};
use blastradius::tui::{Intent, Options};
use ratatui::crossterm::event::KeyCode;
use ratatui::style::Color;

use super::{app, draw, fixture, key, kill, press, text, view};

#[test]
fn a_theme_is_typed_and_completed() {
    let mut fake = fixture::balanced(3);
    let mut app = app(&mut fake, &Options::default());
    press(&mut app, ":theme li");
    app.handle(&key(KeyCode::Tab));
    assert_eq!(
        app.handle(&key(KeyCode::Enter)),
        Some(Intent::Wear(Name::Light)),
        "{}",
        text(&draw(&mut app, 120, 40))
    );
    press(&mut app, ":theme pink");
    assert_eq!(app.handle(&key(KeyCode::Enter)), None);
    let picture = text(&draw(&mut app, 120, 40));
    assert!(
        picture.contains("there is no theme `pink`; there are auto"),
        "{picture}"
    );
}

#[test]
fn a_theme_changes_at_once_and_stays() {
    let mut fake = fixture::balanced(3);
    let mut app = app(&mut fake, &Options::default());
    let ink = |app: &mut _| draw(app, 120, 40)[(2, 0)].fg;
    let dark = ink(&mut app);
    app.wear(Name::Light);
    let light = ink(&mut app);
    assert_ne!(dark, light);
    app.show(view(&mut fake));
    assert_eq!(ink(&mut app), light);
    app.wear(Name::Terminal);
    let buffer = draw(&mut app, 120, 40);
    let own = |color| !matches!(color, Color::Rgb(..) | Color::Indexed(_));
    assert!(buffer.content.iter().all(|cell| own(cell.fg) && own(cell.bg)));
    app.wear(Name::Auto);
    assert_eq!(ink(&mut app), dark);
}

#[test]
fn auto_is_light_on_a_light_ground() {
    let mut fake = fixture::balanced(3);
    let look = |theme, ground| {
        let options = Options {
            theme,
            ground,
            ..Options::default()
        };
        let mut app = app(&mut fake, &options);
        draw(&mut app, 80, 24)
    };
    let mut look = look;
    let light = look(Name::Light, Ground::Dark);
    assert_eq!(look(Name::Auto, Ground::Light), light);
    assert_ne!(look(Name::Auto, Ground::Dark), light);
    assert_ne!(
        look(Name::ColourBlind, Ground::Light),
        look(Name::ColourBlind, Ground::Dark)
    );
}

#[test]
fn without_colours_a_theme_is_refused() {
    let mut fake = fixture::balanced(3);
    let options = Options {
        depth: Depth::Mono,
        ..Options::default()
    };
    let mut app = app(&mut fake, &options);
    app.wear(Name::Light);
    let buffer = draw(&mut app, 120, 40);
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset));
    assert!(text(&buffer).contains("there are no colours here: NO_COLOR is set"));
}

/// The map alone: what is left of it when figures and panes change is its traffic.
fn maps(motion: bool) -> [String; 2] {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let options = Options {
        motion,
        ..Options::default()
    };
    let mut app = app(&mut fake, &options);
    [Duration::ZERO, Duration::from_millis(150)].map(|passed| {
        let mut later = view(&mut fake);
        let mut frame = (*later.frame).clone();
        frame.at += passed;
        later.frame = frame.into();
        app.show(later);
        app.zoom = Some(blastradius::tui::Pane::Map);
        let picture = text(&draw(&mut app, 120, 40));
        picture.lines().skip(1).collect()
    })
}

#[test]
fn traffic_moves_unless_it_is_told_to_stand_still() {
    let [before, after] = maps(true);
    assert_ne!(before, after, "it moves");
    let [before, after] = maps(false);
    assert_eq!(before, after, "it stands still");
    assert!(before.contains('━'), "and is still to be seen:\n{before}");
}

#[test]
fn nothing_turns_where_nothing_may_move() {
    let mut fake = fixture::balanced(3)
        .after(Duration::from_secs(10))
        .having(&kill("web/2"));
    let options = Options {
        motion: false,
        ..Options::default()
    };
    let mut app = app(&mut fake, &options);
    for _ in 0..10 {
        fake.advance(Duration::from_millis(100));
        app.show(view(&mut fake));
        let picture = text(&draw(&mut app, 120, 40));
        assert!(!picture.contains(['◷', '◶', '◵']), "{picture}");
    }
}

/// Cells of the map in bold, once a balancer has given a server up.
fn taken_over(motion: bool) -> usize {
    let mut fake = fixture::balanced(3)
        .after(Duration::from_secs(10))
        .having(&kill("web/2"));
    let options = Options {
        motion,
        ..Options::default()
    };
    let mut app = app(&mut fake, &options);
    let bold = blastradius::tui::theme::Theme::new(Name::Auto, Ground::Dark, Depth::True)
        .style(blastradius::tui::theme::Role::Title)
        .fg;
    let mut most = 0;
    for _ in 0..100 {
        fake.advance(Duration::from_millis(100));
        app.show(view(&mut fake));
        app.tick(Duration::from_millis(100));
        let buffer = draw(&mut app, 120, 40);
        let is_way = |sign: &str| !sign.is_empty() && "━┃┏┓┗┛┣┫┳┻╋▶".contains(sign);
        let ways = buffer.content.iter().filter(|cell| is_way(cell.symbol()));
        most = most.max(ways.filter(|cell| Some(cell.fg) == bold).count());
    }
    most
}

#[test]
fn traffic_that_moves_to_other_servers_sweeps_along_its_way() {
    let [moving, still] = [true, false].map(taken_over);
    assert!(
        moving > still + 3,
        "{moving} and {still} cells: the ways to the servers that are left"
    );
}
