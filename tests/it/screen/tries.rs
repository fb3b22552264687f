//! Experiments on the screen: the list, the question, the watch, and what is told.

use std::collections::BTreeSet;
use std::time::Duration;

use blastradius::layout;
use blastradius::tui::engine::{Answer, Order, Simulation};
use blastradius::tui::{App, Intent, Options, Over, Tries};
use ratatui::crossterm::event::KeyCode;

use super::{Fake, app, draw, fixture, key, pictured, press, text, view};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// A layout that has what the stand-in has, and something to try.
const LAYOUT: &str = r#"Layout(title: "t", users: {"everyone": (count: 10)}, services: {
    "lb": LoadBalancer(to: "web"), "web": Web(machines: 3, database: "db"), "db": Database(),
}, experiments: [
    (title: "Kill a web server", do: ["kill web/1"], for: "30s", ask: Failed, why: "The balancer cannot know until three checks fail, one after the other; until then it goes on to send requests to a dead server."),
    (title: "Destroy the database, and a server too", do: ["destroy db", "kill web/2"], for: "20s", ask: LostWrites, why: "There is no other copy."),
    (title: "Twice\u{1b}[2J the traffic", do: ["surge 2"], for: "10s"),
])"#;

pub fn tries(done: &[&str]) -> Tries {
    let layout = layout::parse(LAYOUT, "t.ron").unwrap_or_else(|error| panic!("{error}"));
    let done: BTreeSet<String> = done.iter().map(ToString::to_string).collect();
    Tries::of(&layout, done)
}

fn prepared(fake: &mut Fake) -> App {
    let mut app = app(fake, &Options::default());
    app.tries = tries(&["Twice\u{1b}[2J the traffic"]);
    app
}

/// Does in the stand-in what is asked for, and tells what came of it.
fn obey(app: &mut App, fake: &mut Fake, intent: Option<Intent>) -> usize {
    let Some(Intent::Orders(orders)) = intent else {
        panic!("nothing is tried: {intent:?}")
    };
    for order in &orders {
        let Order::Do(command) = order else {
            panic!("{order:?} is no command")
        };
        app.hear(match fake.apply(command) {
            Ok(done) => Answer::Done(done.0),
            Err(error) => Answer::Refused(error.0),
        });
    }
    orders.len()
}

fn pass(app: &mut App, fake: &mut Fake, time: Duration) {
    fake.advance(time);
    app.show(view(fake));
    app.watch();
}

#[test]
fn the_list_has_what_is_typed_and_what_is_done() {
    for (width, height) in SIZES {
        let mut fake = fixture::balanced(3).after(Duration::from_secs(15));
        let mut app = prepared(&mut fake);
        press(&mut app, "E");
        let picture = text(&draw(&mut app, width, height));
        assert!(!picture.contains('\u{1b}'), "{picture}");
        pictured(&format!("tries_{width}x{height}"), &picture);
    }
}

#[test]
fn what_was_said_and_what_it_was_are_told_after_the_watch() {
    for (width, height) in SIZES {
        let mut fake = fixture::balanced(3).after(Duration::from_secs(15));
        let mut app = prepared(&mut fake);
        draw(&mut app, width, height);
        press(&mut app, "E1");
        pictured(
            &format!("tries_asked_{width}x{height}"),
            &text(&draw(&mut app, width, height)),
        );
        press(&mut app, "4 many");
        assert_eq!(app.handle(&key(KeyCode::Enter)), None, "that is no number");
        assert!(text(&draw(&mut app, width, height)).contains("expected a whole number"));
        for _ in 0..5 {
            app.handle(&key(KeyCode::Backspace));
        }
        let intent = app.handle(&key(KeyCode::Enter));
        assert_eq!(obey(&mut app, &mut fake, intent), 1);
        pass(&mut app, &mut fake, Duration::from_secs(12));
        app.tick(Duration::from_secs(10));
        pictured(
            &format!("tries_watched_{width}x{height}"),
            &text(&draw(&mut app, width, height)),
        );
        assert_eq!(app.tries.take_news(), None);
        pass(&mut app, &mut fake, Duration::from_secs(18));
        assert!(matches!(app.over, Over::Page(..)));
        pictured(
            &format!("tries_told_{width}x{height}"),
            &text(&draw(&mut app, width, height)),
        );
        assert_eq!(app.tries.take_news().as_deref(), Some("Kill a web server"));
        app.handle(&key(KeyCode::Esc));
        press(&mut app, "E");
        let list = text(&draw(&mut app, width, height));
        assert!(
            list.contains("try · 2 of 3 done") && list.contains("1 ✔ Kill a web server"),
            "{list}"
        );
        press(&mut app, "0");
        assert!(matches!(app.over, Over::Page(..)), "it can be read again");
    }
}

#[test]
fn it_is_told_when_nothing_else_is_open() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(15));
    let mut app = prepared(&mut fake);
    press(&mut app, "E");
    let intent = app.handle(&key(KeyCode::Char('3')));
    obey(&mut app, &mut fake, intent);
    press(&mut app, ":kil");
    pass(&mut app, &mut fake, Duration::from_secs(11));
    assert!(matches!(app.over, Over::Prompt(_)), "nobody is disturbed while typing");
    app.handle(&key(KeyCode::Esc));
    app.watch();
    let Over::Page(title, lines) = &app.over else {
        panic!("{:?}", app.over)
    };
    assert_eq!(title, "Twice\\u{1b}[2J the traffic");
    assert!(lines.iter().all(|line| !line.contains('\u{1b}')), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.starts_with("it was")),
        "nothing was asked"
    );
}

#[test]
fn what_destroys_is_asked_about() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(15));
    let mut app = prepared(&mut fake);
    for answer in ['n', 'y'] {
        press(&mut app, "E2");
        assert_eq!(app.handle(&key(KeyCode::Enter)), None);
        let picture = text(&draw(&mut app, 80, 24));
        assert!(picture.contains("y destroys, any other key keeps it"), "{picture}");
        let intent = app.handle(&key(KeyCode::Char(answer)));
        if answer == 'n' {
            assert_eq!(intent, None);
            app.watch();
            assert_eq!(app.tries.progress(app.frame().at), None);
        } else {
            assert_eq!(obey(&mut app, &mut fake, intent), 2);
        }
    }
    assert!(app.tries.progress(app.frame().at).is_some());
}

#[test]
fn one_is_watched_at_a_time() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(15));
    let mut app = prepared(&mut fake);
    press(&mut app, "E1");
    let intent = app.handle(&key(KeyCode::Enter));
    obey(&mut app, &mut fake, intent);
    pass(&mut app, &mut fake, Duration::from_secs(4));
    assert_eq!(press(&mut app, "E3"), []);
    let said = app.notice.as_ref().expect("a notice");
    assert_eq!(
        said.words,
        "one at a time: \"Kill a web server\" is watched for 26s more"
    );
}

#[test]
fn a_refused_command_and_a_way_back_end_the_watch_without_a_page() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(15));
    let mut app = prepared(&mut fake);
    press(&mut app, "E1");
    assert!(matches!(app.handle(&key(KeyCode::Enter)), Some(Intent::Orders(_))));
    app.hear(Answer::Refused("web/1 is dead already".to_string()));
    assert_eq!(app.tries.progress(app.frame().at), None);
    assert_eq!(
        app.notice.as_ref().map(|notice| notice.words.as_str()),
        Some("web/1 is dead already")
    );
    let before = view(&mut fixture::balanced(3).after(Duration::from_secs(12)));
    press(&mut app, "E1");
    let intent = app.handle(&key(KeyCode::Enter));
    obey(&mut app, &mut fake, intent);
    assert_eq!(press(&mut app, "z").len(), 1);
    app.show(before);
    app.watch();
    assert_eq!(app.tries.progress(app.frame().at), None);
    pass(&mut app, &mut fake, Duration::from_secs(60));
    assert_eq!(app.over, Over::None);
    assert_eq!(app.tries.take_news(), None);
}

#[test]
fn a_layout_without_experiments_says_so() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(15));
    let mut app = app(&mut fake, &Options::default());
    assert_eq!(press(&mut app, "E"), []);
    assert_eq!(
        app.notice.as_ref().map(|notice| notice.words.as_str()),
        Some("this layout offers nothing to try")
    );
}

#[test]
fn what_cannot_be_tried_now_says_so_before_it_asks() {
    let mut fake = fixture::balanced(3)
        .after(Duration::from_secs(10))
        .having(&super::kill("web/1"));
    let mut app = prepared(&mut fake);
    draw(&mut app, 120, 40);
    assert_eq!(press(&mut app, "E1"), []);
    assert_eq!(app.over, Over::None, "nothing is asked");
    let said = app
        .notice
        .as_ref()
        .map(|notice| notice.words.clone())
        .unwrap_or_default();
    assert_eq!(
        said,
        "web/1 is down already, so this cannot be tried: R mends everything, z goes back to before your last act"
    );
    // What is up can be tried.
    press(&mut app, "E2");
    assert!(matches!(app.over, Over::Prompt(_)));
}
