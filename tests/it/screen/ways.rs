//! Ways back and on that one must not have to remember.

use std::sync::Arc;
use std::time::Duration;

use blastradius::tui::engine::{Answer, TimelineEvent};
use blastradius::tui::{Intent, Options, Over, Visit};
use ratatui::crossterm::event::KeyCode;

use super::{app, draw, fixture, key, press, text};

#[test]
fn who_looks_at_one_failure_sees_the_way_back_for_as_long_as_that_lasts() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    for (visit, seen) in [(Visit::Own, false), (Visit::Failure, true), (Visit::Again, false)] {
        app.visit = visit;
        for (width, height) in [(80, 24), (120, 40)] {
            let picture = text(&draw(&mut app, width, height));
            let header = picture.lines().next().expect("a line");
            assert_eq!(header.contains("one failure, :back returns"), seen, "{header}");
        }
    }
}

#[test]
fn a_run_that_one_came_back_to_is_called_that() {
    let mut fake = fixture::balanced(3);
    let mut app = app(&mut fake, &Options::default());
    app.timeline.replayed = true;
    for (visit, end, words) in [
        (
            Visit::Again,
            0,
            "Your run, as you left it. What is known of it ends here: space goes on from here.",
        ),
        (
            Visit::Own,
            0,
            "A recording. What is known of it ends here: space goes on from here.",
        ),
        (
            Visit::Own,
            9,
            "A recording. Nothing is done in the rest of it: space plays it.",
        ),
    ] {
        (app.visit, app.timeline.end) = (visit, Duration::from_secs(end));
        let picture = text(&draw(&mut app, 200, 60));
        assert!(picture.contains(words), "{words}\n{picture}");
    }
}

#[test]
fn what_was_typed_in_a_recording_is_shown_as_it_was() {
    let mut fake = fixture::balanced(3);
    let mut app = app(&mut fake, &Options::default());
    app.timeline.replayed = true;
    app.timeline.events = Arc::new(vec![TimelineEvent {
        at: Duration::from_secs(5),
        words: "note: {pause} is no key".to_string(),
        chapter: false,
    }]);
    let picture = text(&draw(&mut app, 200, 60));
    assert!(
        picture.contains("what comes next: note: {pause} is no key at"),
        "{picture}"
    );
}

#[test]
fn who_stands_in_the_past_sees_how_to_return() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    let hint = "in the past: Z returns";
    app.timeline.at = Duration::from_secs(10);
    app.timeline.end = Duration::from_secs(30);
    assert!(!text(&draw(&mut app, 120, 40)).contains(hint), "it runs");
    app.view.running = false;
    assert!(text(&draw(&mut app, 120, 40)).contains(hint));
    app.hear(Answer::Here("it is over: {out} leaves it".to_string()));
    let said = app.notice.take().expect("it is said").words;
    assert_eq!(said, "it is over: esc leaves it, Z returns");
    app.timeline.replayed = true;
    assert!(
        !text(&draw(&mut app, 120, 40)).contains(hint),
        "a recording has a past of its own"
    );
}

#[test]
fn help_can_be_typed_and_is_not_cut() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    let mut typed = |line: &str| {
        press(&mut app, line);
        if let Some(Intent::Help(what)) = app.handle(&key(KeyCode::Enter)) {
            app.help(&what);
        }
        let picture = text(&draw(&mut app, 80, 24));
        let help = matches!(app.over, Over::Help(_));
        app.handle(&key(KeyCode::Esc));
        (help, picture)
    };
    assert!(typed(":help").0, "it is the page of keys");
    let (_, page) = typed(":help slow");
    assert!(
        page.contains("slow TARGET FACTOR") && page.contains("for example: slow"),
        "{page}"
    );
    let (_, page) = typed(":help set web retries");
    assert!(page.contains("how often a failed call is tried again"), "{page}");
    // All that there is, up to its last word.
    for line in [":frobnicate", ":help frobnicate"] {
        let (_, page) = typed(line);
        assert!(
            page.contains("unknown command") || page.contains("no command"),
            "{page}"
        );
        assert!(page.contains("theme, q"), "{page}");
    }
}

#[test]
fn what_restarts_or_removes_stands_last_in_the_menu_of_changes() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    press(&mut app, "e");
    let Over::Menu(menu) = &app.over else {
        panic!("it is a menu")
    };
    let words: Vec<&str> = menu.entries.iter().map(|entry| entry.words.as_str()).collect();
    let place = |word: &str| {
        let found = words.iter().position(|words| words.starts_with(word));
        found.unwrap_or_else(|| panic!("no {word}: {words:?}"))
    };
    assert_eq!(place("a machine more"), 0, "{words:?}");
    assert!(place("retries: 3") < place("size up"), "{words:?}");
    assert_eq!(place("size down"), words.len() - 1, "{words:?}");
}

#[test]
fn a_setting_that_is_none_is_answered_with_those_of_what_is_named() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    let mut typed = |line: &str| {
        press(&mut app, line);
        app.handle(&key(KeyCode::Enter));
        let picture = text(&draw(&mut app, 120, 40));
        app.handle(&key(KeyCode::Esc));
        picture
    };
    let page = typed(":set lb zebra 3");
    assert!(
        page.contains("unknown setting `zebra`; lb has timeout, retries,"),
        "{page}"
    );
    assert!(page.contains("slow-start") && !page.contains("visibility"), "{page}");
    // A selector of several, or of one machine, names what has them; what names nothing has none.
    for target in ["*/lb", "lb/1"] {
        let page = typed(&format!(":set {target} zebra 3"));
        assert!(
            page.contains(&format!("`zebra`; {target} has timeout, retries,")),
            "{page}"
        );
        assert!(!page.contains("visibility"), "{page}");
    }
    let page = typed(":set lbb zebra 3");
    assert!(page.contains("`zebra`; there are timeout, retries,"), "{page}");
    assert!(!page.contains("lbb has"), "{page}");
    let page = typed(":set people mix page=1");
    assert!(
        page.contains("`set people asks page=80,upload=5`") && page.contains("people 2`"),
        "{page}"
    );
}
