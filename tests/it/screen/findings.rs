//! What a person at the screen once missed: each stays seen.

use std::time::Duration;

use blastradius::command::Selector;
use blastradius::layout::{find_shipped, parse};
use blastradius::observe::{Following, Quantiles};
use blastradius::tui::engine::{Answer, Order, Simulation, View};
use blastradius::tui::{App, Intent, Options, Over};
use blastradius::world::{Follow, World};
use ratatui::crossterm::event::KeyCode;

use super::{SIZES, app, draw, fixture, key, kill, press, text};

#[test]
fn a_refused_command_comes_back_to_be_mended() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    press(&mut app, ":kil web/1");
    assert_eq!(app.handle(&key(KeyCode::Enter)), None);
    assert!(text(&draw(&mut app, 80, 24)).contains(":kil web/1"));
    app.handle(&key(KeyCode::Esc));
    press(&mut app, ":kill web/9");
    assert!(app.handle(&key(KeyCode::Enter)).is_some());
    app.hear(Answer::Refused("there is no `web/9`".to_string()));
    let picture = text(&draw(&mut app, 80, 24));
    assert!(
        picture.contains(":kill web/9") && picture.contains("there is no `web/9`"),
        "{picture}"
    );
}

#[test]
fn messages_are_seen_in_every_view() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    for keys in ["", "5", "5", "1", "1", "i"] {
        press(&mut app, keys);
        app.hear(Answer::Refused("it is not to be".to_string()));
        for (width, height) in SIZES {
            let picture = text(&draw(&mut app, width, height));
            let last = picture.lines().last().expect("a line");
            assert!(last.contains("it is not to be"), "{keys}:\n{picture}");
        }
    }
}

#[test]
fn the_way_out_of_destroying_is_seen() {
    let mut fake = fixture::named("a-tier-of-servers-with-a-name-that-goes-on-and-on-and-on", 3);
    let mut app = app(&mut fake, &Options::default());
    press(&mut app, "X");
    let picture = text(&draw(&mut app, 80, 24));
    assert!(picture.contains("/1? y destroys, any other key keeps it"), "{picture}");
}

#[test]
fn seconds_without_answers_have_no_latency() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(20));
    let mut frame = fake.frame();
    frame.recent_latency = Quantiles::default();
    let last = frame.history.last_mut().expect("a second");
    (last.p50, last.p99) = (Duration::ZERO, Duration::ZERO);
    let mut app = app(&mut fake, &Options::default());
    app.show(View::new(frame.into(), true));
    let picture = text(&draw(&mut app, 120, 40));
    assert!(
        picture.contains("p50(10s) –") && picture.contains("p99(1s) –"),
        "{picture}"
    );
}

#[test]
fn a_milestone_that_was_passed_over_does_not_look_reached() {
    let mut fake = fixture::balanced(3)
        .after(Duration::from_secs(20))
        .having(&kill("web/1"))
        .after(Duration::from_secs(9));
    let mut frame = fake.frame();
    let incident = frame.incidents.last_mut().expect("an incident");
    (incident.noticed, incident.acted) = (None, None);
    assert!(incident.served.is_some() && incident.healed.is_none());
    let mut app = app(&mut fake, &Options::default());
    app.show(View::new(frame.into(), true));
    let picture = text(&draw(&mut app, 120, 40));
    assert!(picture.contains("noticed not so far"), "{picture}");
    let rail = picture.lines().find(|line| line.starts_with("│ ✖ ╌")).expect("a rail");
    assert!(!rail.contains('━'), "{rail}");
}

#[test]
fn many_servers_leave_room_for_their_neighbours() {
    let mut fake = fixture::balanced(300).after(Duration::from_secs(20));
    let mut app = app(&mut fake, &Options::default());
    let picture = text(&draw(&mut app, 80, 24));
    let map: String = picture.lines().take(11).collect();
    assert!(
        map.contains("lb ") && map.contains("db ") && map.contains("300/300"),
        "{picture}"
    );
}

#[test]
fn what_is_said_of_a_moment_goes_when_the_run_goes_on() {
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    app.view.running = false;
    app.hear(Answer::Here("the end of the recording".to_string()));
    app.handle(&key(KeyCode::Char('>')));
    assert!(app.notice.is_some(), "another speed is the same moment");
    assert_eq!(
        app.handle(&key(KeyCode::Char(' '))),
        Some(Intent::Order(Order::Run(true)))
    );
    assert_eq!(app.notice, None);
    app.hear(Answer::Done("written".to_string()));
    app.handle(&key(KeyCode::Char('z')));
    assert!(app.notice.is_some(), "this is of no moment");
}

#[test]
fn esc_calls_off_a_way_and_a_menu_says_which_keys_it_lacks() {
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    assert_eq!(app.handle(&key(KeyCode::Esc)), None);
    app.timeline.arriving = Some(0.5);
    assert_eq!(app.handle(&key(KeyCode::Esc)), Some(Intent::Order(Order::CallOff)));
    app.timeline.arriving = None;
    app.handle(&key(KeyCode::Char('b')));
    app.handle(&key(KeyCode::Char('n')));
    let said = app
        .notice
        .as_ref()
        .map(|notice| notice.words.as_str())
        .unwrap_or_default();
    assert!(said.contains("no line of this menu has the key n"), "{said}");
    assert!(matches!(app.over, Over::Menu(_)), "it stays open");
}

#[test]
fn the_path_of_a_recording_is_said_whole_or_cut_in_its_middle() {
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 80, 24);
    let file = "/home/somebody/.local/state/blastradius/runs/2026-01-01T10-00-00Z-04-load-balancer.replay.ron";
    app.say_where_kept(Some(file.to_string()), false);
    let screen = text(&draw(&mut app, 80, 24));
    assert!(
        screen.contains("recorded in /home/") && screen.contains("04-load-balancer.replay.ron"),
        "{screen}"
    );
    app.say_where_kept(Some(file.to_string()), true);
    let screen = text(&draw(&mut app, 80, 24));
    let Over::Page(_, rows) = &app.over else {
        panic!("{screen}")
    };
    assert_eq!(rows.concat(), file);
}

#[test]
fn a_mistyped_command_is_answered_with_all_that_can_be_typed() {
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    press(&mut app, ":wirte x");
    app.handle(&key(KeyCode::Enter));
    let Over::Prompt(prompt) = &app.over else {
        panic!("it comes back")
    };
    let why = prompt.refusal.as_deref().unwrap_or_default();
    assert!(
        why.contains(
            "w, where, help, goto, mark, note, branch, blast, back, colour, watch, preview, save-layout, loop, theme, q"
        ),
        "{why}"
    );
}

/// A request through a cache and a database, followed to its end.
fn followed() -> App {
    let shipped = find_shipped("08").expect("it is shipped");
    let layout = parse(shipped.source, shipped.file).unwrap_or_else(|error| panic!("{error}"));
    let mut world = World::build(&layout, 7);
    world.advance(Duration::from_secs(1));
    let through = Follow::Through(Some(Selector("db".to_string())));
    world.follow(Some(&through)).expect("it is there");
    while world.following() != Some(Following::Ended) {
        world.advance(Duration::from_millis(1));
    }
    let view = View::new(world.frame().into(), false);
    App::new("08-cache", view, Vec::new(), &Options::default())
}

#[test]
fn a_waterfall_that_is_longer_than_its_panel_is_leafed_through() {
    let mut app = followed();
    let spans = app.frame().followed.as_ref().expect("one is followed").spans.len();
    let shown = |app: &mut App| text(&draw(app, 60, 16));
    let first = shown(&mut app);
    assert!(first.contains(&format!("1–3 of {spans}: down up")), "{first}");
    let selected = app.selected;
    press(&mut app, "j");
    assert!(shown(&mut app).contains(&format!("2–4 of {spans}")));
    press(&mut app, "k");
    assert_eq!(shown(&mut app), first);
    app.handle(&key(KeyCode::PageDown));
    assert!(shown(&mut app).contains(&format!("3–5 of {spans}")));
    for _ in 0..spans {
        app.handle(&key(KeyCode::Down));
    }
    let end = shown(&mut app);
    assert!(end.contains(&format!("{}–{spans} of {spans}", spans - 2)), "{end}");
    for _ in 0..spans {
        app.handle(&key(KeyCode::PageUp));
    }
    assert_eq!(shown(&mut app), first);
    assert_eq!(app.selected, selected, "the map stays where it is");
    // Where all of it is seen, the keys are those of the map.
    let all = text(&draw(&mut app, 200, 60));
    assert!(!all.contains(&format!("of {spans}")), "{all}");
    press(&mut app, "j");
    assert_ne!(app.selected, selected);
}

#[test]
fn sentences_name_the_keys_in_force() {
    let mut app = followed();
    app.hear(Answer::Here("the end: {rewind} goes back, {pause} goes on".to_string()));
    let said = app.notice.as_ref().map(|notice| notice.words.as_str());
    assert_eq!(said, Some("the end: z goes back, space goes on"));
}

#[test]
fn who_selects_users_is_told_to_select_a_machine() {
    let mut fake = fixture::balanced(2);
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    press(&mut app, "/everyone");
    app.handle(&key(KeyCode::Enter));
    let picture = text(&draw(&mut app, 120, 40));
    assert!(
        picture.contains("Select a machine and press x. Who notices first?"),
        "{picture}"
    );
}
