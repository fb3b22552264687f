//! Every key of the keymap, pressed in the real program. A key that is not tried here fails the test, so that a new one is.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use blastradius::tui::keymap::KEYMAP;

use super::{PATIENCE, Session, picture_clock as clock};

/// The colour of what is in focus.
const FOCUS: vt100::Color = vt100::Color::Rgb(0x6c, 0xb6, 0xff);

/// What a terminal sends for a key of the table.
fn bytes(key: &str) -> String {
    match key {
        "space" => " ",
        "enter" => "\r",
        "esc" => "\x1b",
        "tab" => "\t",
        "backtab" => "\x1b[Z",
        "backspace" => "\x7f",
        "up" => "\x1b[A",
        "down" => "\x1b[B",
        "right" => "\x1b[C",
        "left" => "\x1b[D",
        "home" => "\x1b[H",
        "end" => "\x1b[F",
        "page-up" => "\x1b[5~",
        "page-down" => "\x1b[6~",
        "shift-left" => "\x1b[1;2D",
        "shift-right" => "\x1b[1;2C",
        "ctrl-c" => "\x03",
        "ctrl-p" => "\x10",
        "ctrl-z" => "\x1a",
        plain => plain,
    }
    .to_string()
}

/// A session in which each key that is pressed is remembered.
struct Typist {
    session: Session,
    pressed: BTreeSet<String>,
}

impl Typist {
    /// Presses a key and waits until the screen shows what comes of it.
    fn press(&mut self, key: &str, what: &str) {
        self.press_until(key, what, |screen| screen.contains(what));
    }

    fn press_until(&mut self, key: &str, what: &str, holds: impl Fn(&str) -> bool) {
        self.pressed.insert(key.to_string());
        self.session.press(&bytes(key));
        self.session.until(&format!("{what} after {key}"), holds);
    }

    /// Whether words on the screen are in the colour of what is in focus.
    fn in_focus(&self, words: &str) -> bool {
        let parser = self.session.screen.lock().unwrap_or_else(PoisonError::into_inner);
        let screen = parser.screen();
        let rows = screen.rows(0, 150);
        let place = rows.enumerate().find_map(|(row, line)| {
            let before = line.split_once(words)?.0;
            Some((row as u16, before.chars().count() as u16))
        });
        let cell = place.and_then(|(row, column)| screen.cell(row, column));
        cell.is_some_and(|cell| cell.fgcolor() == FOCUS)
    }

    /// Presses a key after which the pane of this title is in focus.
    fn focuses(&mut self, key: &str, title: &str) {
        self.pressed.insert(key.to_string());
        self.session.press(&bytes(key));
        let start = Instant::now();
        while !self.in_focus(title) {
            assert!(start.elapsed() < PATIENCE, "{key}: {title} is not in focus");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key that means nothing here.
    fn changes_nothing(&mut self, key: &str) {
        let before = self.session.picture();
        self.pressed.insert(key.to_string());
        self.session.press(&bytes(key));
        thread::sleep(Duration::from_millis(300));
        assert_eq!(self.session.picture(), before, "{key}");
    }

    /// Presses a key and waits until the clock stands where that leads from where it stood.
    fn leads(&mut self, key: &str, holds: impl Fn(f64, f64) -> bool) {
        let before = clock(&self.session.picture());
        self.press_until(key, "another time", |screen| holds(before, clock(screen)));
    }

    /// ctrl-z gives the terminal back and stops the program, until the shell continues it.
    fn stops_and_goes_on(&mut self) {
        self.pressed.insert("ctrl-z".to_string());
        self.session.press(&bytes("ctrl-z"));
        self.session.assert_restored();
        self.session.stopped();
        self.session.signal("CONT");
        self.session.until("the map again", |screen| screen.contains("map ·"));
    }

    /// The same for what is not to be seen any more.
    fn press_away(&mut self, key: &str, what: &str) {
        self.press_until(key, &format!("no {what}"), |screen| !screen.contains(what));
    }

    /// Presses a key for which the selection moves there.
    fn moves(&mut self, key: &str, to: &str) {
        // The first key of the footer names the selection.
        let wanted = format!("kill {to} ");
        self.press_until(key, &wanted, |screen| {
            screen.lines().last().is_some_and(|line| line.contains(&wanted))
        });
    }
}

#[test]
fn each_key_does_in_the_real_program_what_the_table_says() {
    let session = Session::start(&["play", "05"], 150, 45);
    session.until("traffic", |screen| screen.contains("ok(3s) 100%"));
    let mut typist = Typist {
        session,
        pressed: BTreeSet::new(),
    };
    let keys = &mut typist;
    // Time.
    keys.press("space", "paused");
    keys.press("<", "paused 0.5x");
    keys.press(">", "paused 1x");
    keys.press("[", "paused 0.5x");
    keys.press("]", "paused 1x");
    // Moving about.
    keys.moves("h", "lb");
    keys.moves("l", "web/1");
    keys.moves("left", "lb");
    keys.moves("right", "web/1");
    keys.moves("j", "web/2");
    keys.moves("k", "web/1");
    keys.moves("down", "web/2");
    keys.moves("up", "web/1");
    keys.press_until("G", "another selection", |screen| !last(screen).contains("kill web/1 "));
    keys.press_until("g", "the first", |screen| {
        last(screen).contains("kill dc ") || last(screen).contains("lose dc")
    });
    keys.press_until("end", "another selection", |screen| !last(screen).contains("dc "));
    keys.press_until("home", "the first", |screen| last(screen).contains("lose dc"));
    keys.press("/", "n and N go on");
    keys.session.press("web/1\r");
    keys.session
        .until("web/1", |screen| last(screen).contains("kill web/1 "));
    keys.press("/", "n and N go on");
    keys.session.press("web/\r");
    keys.session
        .until("web/1", |screen| last(screen).contains("kill web/1 "));
    keys.moves("n", "web/2");
    keys.moves("N", "web/1");
    panes_and_pages(keys);
    acts_and_ways(keys);
    let named = KEYMAP.iter().flat_map(|row| row.keys).map(|key| (*key).to_string());
    let untried: Vec<String> = named.filter(|key| !keys.pressed.contains(key)).collect();
    assert_eq!(untried, ["q", "ctrl-c"], "these keys were not tried");
    // Both lead out.
    keys.session.press(&bytes("ctrl-c"));
    assert_eq!(keys.session.ended(), 0);
    keys.session.assert_restored();
    let mut other = Session::start(&["play", "01"], 80, 24);
    other.until("the layout", |screen| screen.contains("01-single-server"));
    other.press(&bytes("q"));
    assert_eq!(other.ended(), 0);
    other.assert_restored();
}

/// Panes, pages, menus and what is typed.
fn panes_and_pages(keys: &mut Typist) {
    keys.press("enter", "inspector");
    keys.press_away("esc", "inspector");
    keys.press("i", "inspector");
    keys.press_away("i", "inspector");
    keys.press("?", "key closes");
    keys.session.press("?");
    keys.session.until("no help", |screen| !screen.contains("key closes"));
    // In focus, then alone on the screen: the map is gone. Once more, and it is there again.
    for pane in ["1", "2", "3", "4", "5", "6"] {
        keys.press(pane, "map ·");
        keys.press_away(pane, "map ·");
        keys.press(pane, "map ·");
    }
    keys.focuses("esc", "map ·");
    keys.changes_nothing("7");
    keys.changes_nothing("8");
    keys.focuses("tab", "1 routing");
    keys.focuses("backtab", "map ·");
    keys.press("p", "on the screen: the map");
    keys.session.press("pp");
    keys.session
        .until("everything", |screen| screen.contains("on the screen: everything"));
    keys.press("c", "colour: load");
    keys.press("C", "colour: health");
    // Lists.
    keys.press("f", "faults · web/1");
    keys.press_away("esc", "faults · web/1");
    keys.press("e", "esc closes");
    keys.press_away("esc", "esc closes");
    keys.press("o", "open a layout");
    keys.press_away("esc", "open a layout");
    keys.press("E", "try ·");
    keys.press_away("esc", "esc closes");
    keys.press("b", "acting in the past");
    keys.press_away("esc", "acting in the past");
    keys.press("ctrl-p", "type to find");
    keys.press_away("esc", "type to find");
    keys.press(":", "tab completes");
    keys.press_away("esc", "tab completes");
    keys.press("v", "web/1 is marked");
    keys.press("v", "not marked any more");
    keys.press("m", "the name of the chapter");
    keys.session.press("before\r");
    keys.session.until("the chapter", |screen| screen.contains("marked at"));
}

/// Acts, and ways through the past.
fn acts_and_ways(keys: &mut Typist) {
    keys.press("x", "✖ /1 dead");
    keys.press_away("r", "✖ /1 dead");
    keys.press("x", "✖");
    keys.press("R", "mended");
    // What is known of the world is as old as the last picture of it.
    keys.press("t", "x2 385/s");
    keys.press("T", "x1 385/s");
    keys.press("+", "added web/3");
    keys.session.until("three servers", |screen| screen.contains("web 2/3"));
    keys.press("-", "web has 2 now");
    keys.press("=", "added web/4");
    keys.press("page-up", "events · ");
    keys.press_away("page-down", "events · ");
    keys.press("P", "kill web/1? y does it");
    keys.session.until("what would come of it", |screen| {
        screen.contains("in the 30s after it:")
    });
    keys.session.press("n");
    keys.session
        .until("it was kept", |screen| screen.contains("kept as it is"));
    keys.press("X", "y destroys");
    keys.session.press("n");
    keys.session
        .until("it was kept", |screen| screen.contains("kept as it is"));
    keys.press("F", "it keeps no copies");
    // Through the past, and on.
    keys.press_away("z", "added web/4");
    keys.press("Z", "added web/4");
    keys.press_away("backspace", "added web/4");
    keys.session.press(" ");
    keys.session.until("15 s", |screen| clock(screen) > 15.0);
    keys.press("space", "paused");
    keys.leads("shift-left", |before, now| (before - now - 5.0).abs() < 0.2);
    keys.leads("shift-right", |before, now| (now - before - 5.0).abs() < 0.2);
    keys.leads(",", |before, now| now < before);
    // A milestone to come: another history begins here.
    keys.session.press("x");
    keys.session
        .until("the kill", |screen| last(screen).contains("killed web"));
    keys.leads(".", |before, now| now > before);
    keys.press("w", "request ·");
    // A key right behind esc would be another one: alt and that key.
    keys.press_away("esc", "request ·");
    keys.press("B", "blast");
    keys.stops_and_goes_on();
}

/// The line of the keys.
fn last(screen: &str) -> &str {
    screen.trim_end().lines().last().unwrap_or_default()
}
