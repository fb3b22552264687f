//! The web tier on the screen: what becomes of sessions, calls, machines and functions, and what can be changed.

use std::time::Duration;

use blastradius::command::{Command, Selector, Setting};
use blastradius::layout::{Balance, Sessions};
use blastradius::tui::engine::Order;
use blastradius::tui::{Intent, Options, screen};
use ratatui::crossterm::event::KeyCode;

use super::{SIZES, app, draw, fixture, key, kill, pictures, press, text};
use fixture::{Fake, tiers};

/// A stateful tier of which a server was killed, with breakers that opened.
fn stateful() -> Fake {
    let fake = tiers::stateful().having(&kill("web/1"));
    fake.after(Duration::from_millis(3_300)).signed_out().tripped()
}

#[test]
fn a_server_that_held_sessions_is_dead_and_breakers_are_open() {
    pictures("stateful", stateful);
}

#[test]
fn an_autoscaler_adds_machines() {
    pictures("scaled", tiers::scaled);
}

#[test]
fn functions_near_their_limit() {
    pictures("functions", tiers::functions);
}

#[test]
fn a_pair_of_balancers_and_a_store() {
    pictures("stored", tiers::stored);
}

/// What is drawn after some keys.
fn after(mut fake: Fake, keys: &str, (width, height): (u16, u16)) -> String {
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, width, height);
    for part in keys.split_inclusive('\n') {
        press(&mut app, part.trim_end_matches('\n'));
        if part.ends_with('\n') {
            app.handle(&key(KeyCode::Enter));
        }
    }
    text(&draw(&mut app, width, height))
}

#[test]
fn each_size_tells_what_is_wrong() {
    for size in SIZES {
        let picture = after(stateful(), "", size);
        for words in ["◀ wrong", "988 signed out", "2 of 4 breakers open", "⊘"] {
            assert!(picture.contains(words), "{words}:\n{picture}");
        }
        if size.0 > 80 {
            let picture = after(tiers::stored(), "", size);
            assert!(picture.contains("web/1 ×2"), "{picture}");
        }
        let picture = after(tiers::stored(), "", size);
        for words in ["lb/1 ✖ dead", "in the store sessions"] {
            assert!(picture.contains(words), "{words}:\n{picture}");
        }
        let picture = after(tiers::functions(), "", size);
        for words in ["83 busy", "42", "211 served all the same"] {
            assert!(picture.contains(words), "{words}:\n{picture}");
        }
        let picture = after(tiers::names(), "/dns\n", size);
        for words in ["✖ dead", "◀ wrong"] {
            assert!(picture.contains(words), "{words}:\n{picture}");
        }
    }
}

#[test]
fn an_ejected_server_and_one_in_slow_start_are_told_apart() {
    let picture = after(tiers::scaled(), "", (120, 40));
    for words in [
        "ejected, 12s",
        "slow start 40%",
        "5 (2–12)",
        "82%, to hold 60%",
        "01:00",
    ] {
        assert!(picture.contains(words), "{words}:\n{picture}");
    }
}

#[test]
fn the_inspector_knows_every_kind() {
    for (fake, name, words) in [
        (tiers::scaled(), "web-auto", "of web"),
        (tiers::functions(), "fn", "83 of 100 at once"),
        (tiers::stored(), "sessions", "3,912 held"),
        (tiers::stored(), "resolver", "1,204, 93%"),
        (tiers::stored(), "web", "timeout 2s, 1 retry, budget 20%, breaker"),
        (stateful(), "everyone", "988: the session was lost"),
        (stateful(), "lb", "by the cookie SERVER"),
        (tiers::names(), "dns", "believed up, 1/3 failed ◀ wrong"),
    ] {
        let picture = after(fake, &format!("/{name}\ni"), (200, 60));
        assert!(picture.contains(words), "{name}, {words}:\n{picture}");
    }
}

fn done(fake: &mut Fake, keys: &str) -> Vec<Intent> {
    let mut app = app(fake, &Options::default());
    draw(&mut app, 120, 40);
    let (name, keys) = keys.split_once(' ').expect("a name and keys");
    press(&mut app, &format!("/{name}"));
    app.handle(&key(KeyCode::Enter));
    press(&mut app, keys)
}

#[test]
fn settings_change_by_keys() {
    let set = |target: &str, setting| Command::Set(Selector(target.to_string()), setting);
    let balance = Command::Balance(Selector("lb".to_string()), Balance::ConsistentHash);
    let store = Setting::Sessions(Sessions::Store("sessions".to_string()));
    let revoke = Command::Revoke(Selector("everyone".to_string()), 1.0);
    for (mut fake, keys, command) in [
        (stateful(), "lb eh", balance),
        (stateful(), "lb eY", set("lb", Setting::Sticky(None))),
        (stateful(), "web e3", set("web", Setting::Retries(3))),
        (stateful(), "everyone ev", revoke),
        (tiers::stored(), "web et", set("web", store)),
        (tiers::scaled(), "web eA", set("web", Setting::Autoscaler(false))),
        (
            tiers::scaled(),
            "web-auto eA",
            set("web-autoscaler", Setting::Autoscaler(false)),
        ),
        (tiers::functions(), "fn eB", set("fn", Setting::Breaker(false))),
        (
            tiers::functions(),
            "dns e1",
            set("dns", Setting::Ttl(Duration::from_secs(5))),
        ),
    ] {
        assert_eq!(done(&mut fake, keys), [Intent::Order(Order::Do(command))], "{keys}");
    }
}

#[test]
fn what_is_set_now_is_marked_and_a_long_menu_fits() {
    let picture = after(stateful(), "/web\ne", (80, 24));
    for words in ["s ● sessions: in each server", "b ● breaker: on", "● is now"] {
        assert!(picture.contains(words), "{words}:\n{picture}");
    }
    let picture = after(stateful(), "/lb\ne", (80, 24));
    assert!(picture.contains("c ● balance: least connections"), "{picture}");
    let picture = after(stateful(), "/lb\ne", (80, 16));
    assert!(picture.contains("more below"), "{picture}");
}

#[test]
fn the_command_line_completes_settings_and_their_values() {
    let mut fake = tiers::stored();
    let mut app = app(&mut fake, &Options::default());
    let mut completed = |typed: &str| {
        press(&mut app, &format!(":{typed}"));
        app.handle(&key(KeyCode::Tab));
        let picture = text(&draw(&mut app, 120, 40));
        app.handle(&key(KeyCode::Esc));
        picture
    };
    for (typed, words) in [
        ("se", ":set "),
        ("set l", ":set lb "),
        ("set lb st", ":set lb sticky "),
        ("set web sessions ", "local off store:sessions token"),
        ("set web bre", ":set web breaker "),
        ("set web breaker o", "off on"),
        ("set web retries ", ":set web retries 3"),
        ("balance ", ":balance lb "),
        ("balance lb con", ":balance lb consistent-hash "),
        ("revoke ", ":revoke everyone "),
        ("resize web/1 x", "xs xl"),
        ("cut web ", "-> <->"),
    ] {
        let picture = completed(typed);
        let line = picture.lines().last().unwrap_or_default().trim();
        let found = if words.starts_with(':') {
            line == words.trim()
        } else {
            picture.contains(words)
        };
        assert!(found, "{typed}: {words}\n{picture}");
    }
    let picture = completed("set web retries");
    assert!(picture.contains("retries NUMBER how often"), "{picture}");
}

#[test]
fn ascii_means_ascii_for_every_kind() {
    let options = Options {
        ascii: true,
        ..Options::default()
    };
    for make in [stateful, tiers::scaled, tiers::functions, tiers::stored, tiers::names] {
        for (width, height) in SIZES {
            let mut fake = make();
            let mut app = app(&mut fake, &options);
            for keys in ["", "i", "e", "?"] {
                press(&mut app, keys);
                let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, width, height));
                app.prepare(buffer.area);
                screen::draw(&app, &mut buffer);
                let picture = text(&buffer);
                assert!(picture.is_ascii(), "{picture}");
                assert!(
                    !picture.replace("? ", "").contains("??"),
                    "a sign has no stand-in:\n{picture}"
                );
                app.handle(&key(KeyCode::Esc));
            }
        }
    }
}
