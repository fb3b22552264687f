//! However the program ends, the terminal comes back, the exit code says why, and the run is on disk.

use blastradius::replay::Recording;

use super::{Session, kept};

/// A run with something in it that must not be lost.
fn begun(environment: &[(&str, &str)]) -> Session {
    let mut session = Session::start_in(environment, &["play", "04"], (100, 30));
    session.until("the map", |screen| screen.contains("web"));
    session.press(":slow web 1.5\r");
    session.until("the command", |screen| screen.contains("slowed web"));
    session
}

/// The recording of the run, which holds the command.
fn recording(session: &Session) -> Recording {
    let files = kept(&session.state);
    assert_eq!(files.len(), 1, "{files:?}");
    let (recording, _) = Recording::load(&files[0]).expect("a recording");
    let commands: Vec<String> = recording.commands.iter().map(|act| act.command.to_string()).collect();
    assert_eq!(commands, ["slow web 1.5"]);
    recording
}

#[test]
fn a_signal_ends_it_in_good_order() {
    for (name, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let mut session = begun(&[]);
        assert!(session.is_raw(), "{name}");
        session.signal(name);
        assert_eq!(session.ended(), code, "{name}");
        session.assert_restored();
        let whole = recording(&session);
        assert!(whole.digest.is_some(), "{name}: the recording has no end");
        session.until("how to see it again", |screen| {
            screen.contains("see again  blastradius replay")
        });
    }
}

#[test]
fn a_terminal_that_is_gone_ends_it_too() {
    let mut session = begun(&[]);
    session.hang_up();
    assert_eq!(session.ended(), 129);
    recording(&session);
}

#[test]
fn it_is_stopped_continued_and_ended_while_it_stands() {
    let mut session = begun(&[]);
    for stop in ["\x1a", ""] {
        // The key, and the signal that somebody else sends.
        if stop.is_empty() {
            session.signal("TSTP");
        } else {
            session.press(stop);
        }
        session.stopped();
        session.assert_restored();
        session.signal("CONT");
        session.until("the map again", |screen| screen.contains("routing"));
        session.until("its own modes again", |_| {
            let parser = session.screen.lock().expect("it is there");
            let screen = parser.screen();
            screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste() && session.is_raw()
        });
        session.press("i");
        session.until("a key that is heard", |screen| screen.contains("inspector"));
        session.press("i");
        session.until("the same", |screen| !screen.contains("inspector"));
    }
    session.press("\x1a");
    session.stopped();
    session.signal("TERM");
    session.signal("CONT");
    assert_eq!(session.ended(), 143);
    session.assert_restored();
    recording(&session);
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_of_the_simulation_gives_the_terminal_back_and_says_where_it_was() {
    let mut session = begun(&[("BLASTRADIUS_PANIC", "simulation")]);
    assert_eq!(session.ended(), 101);
    session.assert_restored();
    session.until("what happened", |screen| {
        let screen = screen.replace('\n', "");
        screen.contains("the simulation panicked with seed 7 at 00:0")
            && screen.contains("the run until then: ")
            && screen.contains(".replay.ron.part")
            && screen.contains("BLASTRADIUS_PANIC asks for it: simulation")
    });
    recording(&session);
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_while_drawing_gives_the_terminal_back() {
    let mut session = begun(&[("BLASTRADIUS_PANIC", "drawing")]);
    assert_eq!(session.ended(), 101);
    session.assert_restored();
    session.until("what happened", |screen| {
        screen
            .replace('\n', "")
            .contains("BLASTRADIUS_PANIC asks for it: drawing")
    });
    recording(&session);
}
