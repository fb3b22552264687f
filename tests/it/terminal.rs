//! The real program in a real terminal: it starts, a server is killed by keys, somebody notices, and the terminal comes back.

mod endings;
mod keys;

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use blastradius::replay::Recording;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::cli::Folder;

/// Longer than anything takes, so that only a failure waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

struct Session {
    /// None when the terminal is gone, as the keyboard.
    master: Option<Box<dyn MasterPty + Send>>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Option<Box<dyn Write + Send>>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Set when nobody looks at the screen any more.
    away: Arc<AtomicBool>,
    /// Where the program keeps its runs. It goes with the session.
    state: Folder,
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Session {
    fn start(arguments: &[&str], cols: u16, rows: u16) -> Session {
        Session::start_in(&[], arguments, (cols, rows))
    }

    /// The same with more in the environment.
    fn start_in(environment: &[(&str, &str)], arguments: &[&str], (cols, rows): (u16, u16)) -> Session {
        let state = Folder::new();
        let pair = native_pty_system()
            .openpty(size(cols, rows))
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_blastradius"));
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env_remove("NO_COLOR");
        command.env("XDG_STATE_HOME", state.path(""));
        command.env("XDG_CONFIG_HOME", state.path(""));
        for name in ["BLASTRADIUS_THEME", "NO_MOTION", "COLORFGBG", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let mut output = pair.master.try_clone_reader().expect("its output");
        let keyboard = pair.master.take_writer().expect("its input");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, cols, 0)));
        let (seen, away) = (Arc::clone(&screen), Arc::<AtomicBool>::default());
        let gone = Arc::clone(&away);
        thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if gone.load(Ordering::SeqCst) {
                    break;
                }
                seen.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .process(&bytes[..count]);
            }
        });
        Session {
            master: Some(pair.master),
            child,
            keyboard: Some(keyboard),
            screen,
            away,
            state,
        }
    }

    fn picture(&self) -> String {
        self.screen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .screen()
            .contents()
    }

    fn until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !holds(&self.picture()) {
            assert!(
                start.elapsed() < PATIENCE,
                "never saw {what}; the screen:\n{}",
                self.picture()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        let keyboard = self.keyboard.as_mut().expect("the terminal is there");
        keyboard.write_all(keys.as_bytes()).expect("it listens");
        keyboard.flush().expect("it listens");
    }

    fn terminal(&self) -> &dyn MasterPty {
        self.master.as_deref().expect("the terminal is there")
    }

    fn resize(&self, cols: u16, rows: u16) {
        self.screen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .screen_mut()
            .set_size(rows, cols);
        self.terminal().resize(size(cols, rows)).expect("it can be resized");
    }

    fn ended(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status.exit_code();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it never ended; the screen:\n{}",
                self.picture()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes the terminal away, as when its window is closed.
    fn hang_up(&mut self) {
        // Whoever reads its output holds an end of the terminal too, until the next frame.
        self.away.store(true, Ordering::SeqCst);
        let start = Instant::now();
        while Arc::strong_count(&self.screen) > 1 {
            assert!(start.elapsed() < PATIENCE, "it draws nothing any more");
            thread::sleep(Duration::from_millis(10));
        }
        (self.keyboard, self.master) = (None, None);
    }

    /// Sends it a signal: `TERM`.
    fn signal(&self, name: &str) {
        let id = self.child.process_id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        assert!(sent.expect("kill is there").success(), "{name}");
    }

    /// Waits until it is stopped, as ctrl-z does. A signal to go on that comes earlier would be lost.
    fn stopped(&self) {
        let id = self.child.process_id().expect("it runs");
        let stands = || {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let state = stat.rsplit(')').next().unwrap_or_default();
            state.trim_start().starts_with('T')
        };
        let start = Instant::now();
        while !stands() {
            assert!(start.elapsed() < PATIENCE, "it was never stopped");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether the terminal gives keys at once and unseen, as the program wants them, and not lines as a shell does.
    fn is_raw(&self) -> bool {
        let modes = self.terminal().get_termios().expect("a terminal has modes");
        !format!("{:?}", modes.local_flags).contains("ICANON")
    }

    fn assert_restored(&self) {
        self.until("the first screen", |_| {
            let parser = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
            let screen = parser.screen();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
                && !self.is_raw()
        });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn a_theme_is_put_on_while_it_runs() {
    let mut session = Session::start(&["play", "04", "--no-motion"], 120, 40);
    session.until("the opening line", |screen| screen.contains("Who notices first?"));
    let corner = |session: &Session| {
        let parser = session.screen.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = parser.screen().cell(0, 1).expect("the name of the layout");
        cell.fgcolor()
    };
    let dark = corner(&session);
    session.press(":theme lig\t\r");
    session.until("the new theme", |screen| {
        screen.contains("light: for light backgrounds")
    });
    assert_ne!(corner(&session), dark);
    let light = corner(&session);
    session.press("o\r");
    session.until("another layout", |screen| !screen.contains("04-load-balancer"));
    session.until("another layout", |screen| screen.contains("Who notices first?"));
    assert_eq!(corner(&session), light, "it stays");
    session.press("q");
    assert_eq!(session.ended(), 0);
}

#[test]
fn a_server_is_killed_by_a_key_and_the_balancer_notices() {
    let mut session = Session::start(&["play", "04"], 120, 40);
    session.until("the opening line", |screen| {
        screen.contains("Press x. Who notices first?")
    });
    session.until("traffic", |screen| {
        screen.contains("k users") && screen.contains("ok(2s) 100%")
    });
    session.press("x");
    session.until("the dead server", |screen| screen.contains("✖ /1 dead"));
    session.until("the mistaken balancer", |screen| screen.contains("up ◀ wrong"));
    session.until("the incident", |screen| screen.contains("✖ killed web/1"));
    session.press(".");
    session.until("that it was noticed", |screen| {
        screen.contains("noticed and acted") || screen.contains("by lb")
    });
    session.press(">>>>");
    session.resize(80, 24);
    session.until("the compact screen", |screen| {
        screen.lines().count() <= 24 && screen.contains("─ 1 routing")
    });
    session.press("r");
    session.until("that it is healed", |screen| screen.contains("● healed"));
    session.press("q");
    assert_eq!(session.ended(), 0);
    session.assert_restored();
}

/// The recordings that the program has kept.
fn kept(state: &Folder) -> Vec<std::path::PathBuf> {
    let folder = std::path::PathBuf::from(state.path("blastradius/runs"));
    let files = std::fs::read_dir(folder).map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect());
    files.unwrap_or_default()
}

#[test]
fn what_is_played_is_recorded_and_can_be_seen_again() {
    let mut session = Session::start(&["play", "04"], 120, 40);
    session.until("the map", |picture| picture.contains("web"));
    session.press(":kill web/1\r");
    session.until("the incident", |picture| picture.contains("killed web/1"));
    session.press(":mark the outage\r");
    session.until("the mark", |picture| picture.contains("marked at"));
    session.press("q");
    assert_eq!(session.ended(), 0);
    session.until("what the run was", |picture| {
        picture.contains("incidents  1:") && picture.contains("as a page  blastradius replay ")
    });
    let files = kept(&session.state);
    assert_eq!(files.len(), 1, "{files:?}");
    let (recording, _) = Recording::load(&files[0]).expect("a recording");
    assert_eq!(recording.commands.len(), 1);
    assert_eq!(recording.marks[0].text, "the outage");
    assert!(recording.digest.is_some());
    let file = files[0].display().to_string();
    let verified = crate::cli::blastradius(&["replay", &file, "--verify"]);
    crate::cli::assert_code(&verified, 0);
    // In the terminal it has its line of time.
    let mut again = Session::start(&["replay", &file], 120, 40);
    again.until("the line of time", |picture| {
        picture.contains("replay") && picture.contains('◆')
    });
    again.press(">>>>>>>");
    again.until("the end", |picture| picture.contains("the end of the recording"));
    again.press("q");
    assert_eq!(again.ended(), 0);
    assert_eq!(
        kept(&again.state),
        Vec::<std::path::PathBuf>::new(),
        "nothing new happened"
    );
}

#[test]
fn demos_follow_each_other_until_somebody_leaves() {
    let mut session = Session::start(&["demo", "1", "4"], 120, 40);
    session.until("the first words", |picture| {
        picture.contains("one machine does everything")
    });
    session.press(">>>>>>>");
    session.until("the next demo", |picture| {
        picture.contains("a load balancer and two web servers")
    });
    session.press(">>>>>>>");
    session.until("the first one again", |picture| {
        picture.contains("one machine does everything")
    });
    session.press("q");
    assert_eq!(session.ended(), 0);
    session.assert_restored();
    assert_eq!(
        kept(&session.state),
        Vec::<std::path::PathBuf>::new(),
        "nobody did anything"
    );
}

/// The clock in the header, in seconds.
fn picture_clock(picture: &str) -> f64 {
    let header = picture.lines().next().unwrap_or_default();
    let time = header.split_whitespace().find_map(|word| word.split_once(':'));
    let seconds =
        |(minutes, seconds): (&str, &str)| Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?);
    time.and_then(seconds).unwrap_or(0.0)
}

#[test]
fn everything_fails_in_turn_beside_the_run_and_a_failure_is_played() {
    let folder = crate::cli::Folder::new();
    let layout = folder.file("tiny.ron", crate::cli::TINY);
    let mut session = Session::start(&["play", &layout], 120, 40);
    session.until("the map", |picture| picture.contains("web"));
    session.press("B");
    session.until("that it works", |picture| {
        picture.contains("everything fails in turn now")
    });
    session.until("the ranking", |picture| picture.contains("single points of failure"));
    session.until("the worst", |picture| {
        picture.contains("web/1 crashed") && picture.contains("single point:")
    });
    session.until("a run that can be left", |picture| picture_clock(picture) > 1.5);
    session.press("\r");
    session.until("the failure from its start", |picture| {
        picture.contains("replay · web/1 crashed")
    });
    // And back to the run that was left.
    session.press(":back\r");
    session.until("the run that was left", |picture| {
        picture.contains("paused") && !picture.contains("web/1 crashed") && picture_clock(picture) > 0.2
    });
    let stands = picture_clock(&session.picture());
    session.press(":back\r");
    session.until("that there is no other", |picture| picture.contains("no run was left"));
    session.press(" ");
    session.until("that it goes on", |picture| picture_clock(picture) > stands + 0.5);
    // It is known now.
    session.press("B");
    session.until("the ranking again", |picture| {
        picture.contains("single points of failure")
    });
    session.press("\x1b");
    session.until("the map again", |picture| !picture.contains("single points of failure"));
    session.press("q");
    assert_eq!(session.ended(), 0);
    session.assert_restored();
}

#[test]
fn a_run_that_is_killed_loses_a_second_at_most() {
    // Six moments by default; a hundred where somebody asks for it.
    let rounds = std::env::var("BLASTRADIUS_KILLS").map_or(6, |rounds| rounds.parse().expect("a number"));
    for round in 0..rounds {
        let mut session = Session::start(&["play", "01"], 80, 24);
        session.until("the map", |picture| picture.contains("web"));
        session.press(":slow web 1.5\r");
        session.until("the command", |picture| picture.contains("slow"));
        let shown = Instant::now();
        thread::sleep(Duration::from_millis(700 + 137 * round % 1_500));
        let at_least = shown.elapsed().saturating_sub(Duration::from_secs(1));
        // The library's own way to kill asks first.
        let process = session.child.process_id().expect("a process").to_string();
        let killed = std::process::Command::new("kill").args(["-9", &process]).status();
        assert!(killed.expect("kill").success());
        let _ = session.child.wait();
        let files = kept(&session.state);
        assert_eq!(files.len(), 1, "{files:?}");
        let (recording, _) = Recording::load(&files[0]).expect("a recording that was cut off");
        assert_eq!((recording.commands.len(), recording.digest), (1, None));
        let known = recording.duration.saturating_sub(recording.commands[0].at);
        assert!(known >= at_least, "round {round}: {known:?} known, {at_least:?} passed");
    }
}

#[test]
fn an_experiment_is_tried_told_and_remembered() {
    let mut session = Session::start(&["play", "04"], 100, 30);
    session.until("traffic", |screen| screen.contains("k users"));
    session.press("E");
    session.until("the list", |screen| screen.contains("try · 0 of 3 done"));
    session.press("1");
    session.until("the question", |screen| {
        screen.contains("How many requests will users see fail")
    });
    session.press("300\r");
    session.until("the incident", |screen| screen.contains("✖ killed web/1"));
    session.press(">>>>>");
    session.until("what it was", |screen| {
        screen.contains("you said  300 failed") && screen.contains("it was ")
    });
    session.press("q");
    session.until("that the page is closed", |screen| !screen.contains("you said"));
    session.press("E");
    session.until("the tick", |screen| screen.contains("try · 1 of 3 done"));
    session.press("qq");
    assert_eq!(session.ended(), 0);
    let file = std::path::PathBuf::from(session.state.path("blastradius/experiments.ron"));
    let remembered = std::fs::read_to_string(file).expect("a file");
    assert!(
        remembered.contains("04-load-balancer") && remembered.contains("Kill a web server"),
        "{remembered}"
    );
    let files = kept(&session.state);
    let (recording, _) = Recording::load(&files[0]).expect("a recording");
    let commands: Vec<String> = recording.commands.iter().map(|act| act.command.to_string()).collect();
    assert_eq!(commands, ["kill web/1"], "what is tried is recorded");
}
