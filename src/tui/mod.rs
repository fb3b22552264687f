//! The live terminal: it sees frames and sends commands, and never reaches into a running world.
//!
//! - [`engine`] drives a world on a thread of its own, in pace with the clock on the wall
//! - [`keymap`] and [`theme`] are tables: what each key does, how each role looks
//! - [`App`] is the state of the screen; `act` turns keys and clicks into intents
//! - [`screen`] sets the screen out and draws it; [`map`] is the topology, `panels` everything beside it
//! - [`linear`] tells the same run in sentences, without a screen
//! - [`record`] draws recordings for those who have no terminal at hand
//! - [`terminal`] takes the terminal over and gives it back

mod act;
mod app;
mod changes;
mod complete;
mod crash;
mod deeds;
pub mod engine;
mod first;
mod flash;
mod foresee;
mod glyph;
mod keep;
pub mod keymap;
mod layers;
mod lens;
pub mod linear;
pub mod map;
mod menu;
mod milestone;
mod mishap;
mod mouse;
mod nodes;
mod paint;
mod palette;
mod panels;
mod past;
mod picker;
mod prompt;
mod question;
mod queues;
pub mod record;
pub mod screen;
pub mod select;
mod speed;
mod study;
pub mod terminal;
mod text;
pub mod theme;
mod trend;
mod tries;
mod truth;
mod words;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ratatui::crossterm::event;

use crate::layout::{self, Layout, SHIPPED};
use crate::observe::Frame;
use crate::replay::{Head, Recording, Runs, Session};

pub use app::{App, Choice, Intent, Options, Over, Pane};
pub use lens::Lens;
pub use past::Visit;
pub use speed::Speed;
pub use tries::{Launch, Tries};

use crash::crash;
use engine::{Engine, Keep, Order, Simulation, Start};
use first::{First, first_view};
use foresee::Foresight;
use study::{Asked, Study};
use terminal::{Screen, Signals};
use theme::Role;
use tries::Ticks;

/// How long to wait for a key while something moves, and while nothing does.
const LIVELY: Duration = Duration::from_millis(16);
const STILL: Duration = Duration::from_millis(60);

/// How long the marks and notes of a recording stay, on the wall.
const WORDS: Duration = Duration::from_secs(8);

/// How it ended.
#[derive(Clone, Debug)]
pub struct Farewell {
    /// The name of the layout that was open last.
    pub name: String,
    /// The last frame, for a summary.
    pub frame: Option<Frame>,
    /// Where the run is recorded, if it is.
    pub file: Option<PathBuf>,
    /// The exit code: 0, or 128 and the number of the signal that ended the program (143 for SIGTERM, 129 for SIGHUP).
    pub exit_code: u8,
}

impl Farewell {
    /// Of a run that a signal ended when its terminal was gone: there is nobody to tell of it.
    fn of_signal(name: String, file: Option<PathBuf>, signal: u8) -> Farewell {
        Farewell {
            name,
            frame: None,
            file,
            exit_code: 128 + signal,
        }
    }
}

/// Whether there is a person at a terminal, at both ends.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// What is played.
#[derive(Clone, Debug)]
pub struct Show {
    /// The layout.
    pub layout: Layout,
    /// What is known of the run: nothing, or all of it.
    pub recording: Recording,
    /// The file that it was read from, if it was.
    pub file: Option<PathBuf>,
    /// Whether it is a recording, so that time stops at its end.
    pub replayed: bool,
}

/// Plays a run on the terminal until the person leaves.
///
/// A panic of the simulation gives the terminal back, prints the seed and the simulated time, and goes on unwinding here: the
/// program ends with code 101.
///
/// # Errors
/// When standard input and output are not a terminal, or it fails.
pub fn play(show: Show, options: &Options) -> io::Result<Farewell> {
    play_on(show, options, || None)
}

/// Plays runs one after another, and round again, until the person leaves: each recording of them ends by itself if [`Options::unattended`] says so.
///
/// # Errors
/// As [`play`], and when there are none.
pub fn play_all(shows: &[Show], options: &Options) -> io::Result<Farewell> {
    let mut next = shows.iter().cycle().cloned();
    match next.next() {
        Some(show) => play_on(show, options, || next.next()),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "there is nothing to play")),
    }
}

/// Plays a run, and when it has ended by itself what comes next, if something does.
fn play_on(show: Show, options: &Options, mut next: impl FnMut() -> Option<Show>) -> io::Result<Farewell> {
    if !is_terminal() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "standard input and output are not a terminal; `blastradius run` works without one",
        ));
    }
    let signals = Signals::listen()?;
    let mut screen = Screen::take(options)?;
    let (mut show, mut options) = (show, options.clone());
    let mut study = Study::default();
    let (mut ticks, trouble) = options.ticks.clone().map(Ticks::of).unzip();
    let mut words = trouble.flatten().map(|trouble| (trouble, Role::Refusal));
    // The run that was left to see a failure, and where it stood.
    let mut left: Option<Left> = None;
    let mut visit = Visit::Own;
    let mut begins = Duration::ZERO;
    loop {
        study.play(&show);
        let seed = show.recording.head.seed;
        let layout = show.layout.clone();
        let make = move || Session::scheduled(&layout, seed, &[]);
        let start = Start {
            keep: options.runs.clone().map(|runs| keep(runs, &show)),
            followers: thread::available_parallelism().is_ok_and(|cores| cores.get() > 1),
            recording: show.recording.clone(),
            source: show.file.clone(),
            replayed: show.replayed,
            running: options.running,
            speed: options.speed,
        };
        let done = ticks.as_ref().map(|ticks| ticks.done(&show.recording.head.name));
        let beside = Beside {
            study: &mut study,
            tries: Tries::of(&show.layout, done.unwrap_or_default()),
            ticks: ticks.as_mut(),
            words: words.take(),
            begins: std::mem::take(&mut begins),
            visit,
        };
        match session((&mut screen, &signals), start, &mut options, beside, make)? {
            Next::End(farewell) => return Ok(*farewell),
            Next::Play(other, run) => {
                // From one failure to another: the run of the person is the one before both.
                left.get_or_insert(*run);
                show = *other;
                options.unasked = false;
                options.running = true;
                visit = Visit::Failure;
                let how = "one failure, from its start; `:back` opens the run again that you left";
                words = Some((how.to_string(), Role::Notice));
            }
            Next::Back => {
                let Some(run) = left.take() else { continue };
                show.recording = run.recording;
                (show.file, show.replayed) = (run.file, true);
                (begins, options.running) = (run.at, false);
                visit = Visit::Again;
            }
            Next::Over(farewell) => match next() {
                Some(other) => show = other,
                None => return Ok(*farewell),
            },
            Next::Open(index) => {
                let shipped = &SHIPPED[index];
                let layout = layout::parse(shipped.source, &shipped.file_name())
                    .map_err(|error| io::Error::other(error.to_string()))?;
                show = Show {
                    layout,
                    recording: Recording::new(Head::new(shipped.file, shipped.source, None, seed)),
                    file: None,
                    replayed: false,
                };
                options.unasked = false;
                (left, visit) = (None, Visit::Own);
            }
        }
    }
}

/// Keeps a run that begins now.
fn keep(runs: Runs, show: &Show) -> Keep {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    // Colons are not for the names of files.
    Keep::new(runs, &now.replace(':', "-"), &show.recording.head.name)
}

/// Plays any simulation: what [`play`] does with a world, tests do with a stand-in.
///
/// # Errors
/// When the terminal fails.
pub fn play_simulation<S: Simulation + 'static>(
    make: impl Fn() -> S + Send + Sync + 'static,
    name: &str,
    seed: u64,
    options: &Options,
) -> io::Result<Farewell> {
    let signals = Signals::listen()?;
    let mut screen = Screen::take(options)?;
    let start = Start {
        recording: Recording::new(Head::new(name, "", None, seed)),
        ..Start::bare(options.running, options.speed)
    };
    let options = &mut options.clone();
    let beside = Beside {
        study: &mut Study::default(),
        tries: Tries::default(),
        ticks: None,
        words: None,
        begins: Duration::ZERO,
        visit: Visit::Own,
    };
    match session((&mut screen, &signals), start, options, beside, make)? {
        Next::End(farewell) | Next::Over(farewell) => Ok(*farewell),
        Next::Open(_) | Next::Play(..) | Next::Back => Err(io::Error::other("a stand-in has no other layouts")),
    }
}

/// What comes after a layout.
enum Next {
    End(Box<Farewell>),
    /// The recording has ended by itself.
    Over(Box<Farewell>),
    Open(usize),
    /// One failure; and the run that is left for it.
    Play(Box<Show>, Box<Left>),
    /// The run that was left.
    Back,
}

/// A run that was left: all that is known of it, and where it stood.
struct Left {
    recording: Recording,
    file: Option<PathBuf>,
    at: Duration,
}

/// What there is beside the world.
struct Beside<'a> {
    study: &'a mut Study,
    tries: Tries,
    /// Where experiments that were done are remembered, if they are.
    ticks: Option<&'a mut Ticks>,
    /// What is to be said at once.
    words: Option<(String, Role)>,
    /// Where a run that is known stands at first.
    begins: Duration,
    /// What this run is to the person.
    visit: Visit,
}

fn session<S: Simulation + 'static>(
    (screen, signals): (&mut Screen, &Signals),
    start: Start,
    options: &mut Options,
    beside: Beside,
    make: impl Fn() -> S + Send + Sync + 'static,
) -> io::Result<Next> {
    let Head { name, seed, .. } = start.recording.head.clone();
    let mut engine = Engine::start(make, start)?;
    if !beside.begins.is_zero() {
        engine.order(Order::GoTo(beside.begins));
    }
    let mut early = Vec::new();
    let view = match first_view(&mut engine, (signals, &options.keys), screen, &mut early)? {
        First::View(view) => *view,
        First::Died => return Err(crash(engine, seed)),
        // The world is still being built: its thread ends by itself, or with the program.
        First::Left(exit_code) => {
            return Ok(Next::End(Box::new(Farewell {
                name,
                frame: None,
                file: None,
                exit_code,
            })));
        }
    };
    let mut app = App::new(&name, view, choices(), options);
    app.tries = beside.tries;
    app.visit = beside.visit;
    if let Some((words, role)) = beside.words {
        app.say(words, role);
    }
    let mut stage = Stage {
        screen,
        signals,
        engine,
        dirty: true,
        options,
        study: beside.study,
        foresight: None,
        ticks: beside.ticks,
    };
    let end = match stage.run(&mut app, &early) {
        Ok(end) => end,
        // The terminal is gone; what was recorded still gets its end.
        Err(error) => match (signals.ending_soon(), stage.engine.end()) {
            (Some(signal), Ok(file)) => return Ok(Next::End(Box::new(Farewell::of_signal(name, file, signal)))),
            _ => return Err(error),
        },
    };
    let Some(end) = end else {
        return Err(crash(stage.engine, seed));
    };
    let frame = app.frame().clone();
    let recording = stage.engine.recording().clone();
    let Ok(file) = stage.engine.end() else {
        return Err(io::Error::other("the simulation panicked as it ended"));
    };
    let farewell = |exit_code| {
        Box::new(Farewell {
            name: name.clone(),
            frame: Some(frame.clone()),
            file: file.clone(),
            exit_code,
        })
    };
    Ok(match end {
        Ended::Open(index) => Next::Open(index),
        Ended::Play(show) => {
            let at = frame.at.elapsed();
            let mut recording = recording;
            // It is known for as long as it was seen.
            recording.duration = recording.duration.max(at);
            Next::Play(show, Box::new(Left { recording, file, at }))
        }
        Ended::Back => Next::Back,
        Ended::Over => Next::Over(farewell(0)),
        Ended::Quit(exit_code) => Next::End(farewell(exit_code)),
    })
}

/// The shipped layouts, with the first sentence of what they are about.
fn choices() -> Vec<Choice> {
    let title = |source: &str, file: &str| {
        let about = layout::parse(source, file)
            .map(|layout| layout.about)
            .unwrap_or_default();
        about
            .split_once(". ")
            .map_or(about.clone(), |(first, _)| first.to_string())
    };
    let shipped = SHIPPED.iter();
    shipped
        .map(|shipped| Choice {
            name: shipped.file.to_string(),
            title: title(shipped.source, shipped.file),
        })
        .collect()
}

enum Ended {
    Quit(u8),
    Open(usize),
    Play(Box<Show>),
    Back,
    /// By itself.
    Over,
}

/// One layout on the screen.
struct Stage<'a> {
    screen: &'a mut Screen,
    signals: &'a Signals,
    engine: Engine,
    dirty: bool,
    /// What lasts beyond this layout.
    options: &'a mut Options,
    study: &'a mut Study,
    /// What would come of the command that is asked about.
    foresight: Option<Foresight>,
    ticks: Option<&'a mut Ticks>,
}

impl Stage<'_> {
    /// Runs until the person leaves; `None` if the simulation has died.
    fn run(&mut self, app: &mut App, early: &[event::Event]) -> io::Result<Option<Ended>> {
        let mut last = Instant::now();
        for event in early {
            if let Some(ended) = self.take(app, event)? {
                return Ok(Some(ended));
            }
        }
        loop {
            if self.engine.ended() {
                return Ok(None);
            }
            if let Some(signal) = self.signals.ending() {
                return Ok(Some(Ended::Quit(128 + signal)));
            }
            if self.signals.stopping() {
                self.screen.suspend()?;
                self.dirty = true;
            }
            let answers = self.engine.take_answers();
            if let Some(view) = self.engine.take_view() {
                app.show(view);
                self.dirty = true;
            }
            if let Some(words) = self.engine.take_words() {
                app.say(words, Role::Notice);
                app.notice.iter_mut().for_each(|notice| notice.left = WORDS);
                self.dirty = true;
            }
            // What came of an order, and that the recording has ended, is newer than the words of the moment.
            for answer in answers {
                app.hear(answer);
                self.dirty = true;
            }
            if self.options.unattended && self.engine.is_over() {
                return Ok(Some(Ended::Over));
            }
            if let Some(menu) = self.study.news() {
                app.learn(menu);
                self.dirty = true;
            }
            let timeline = self.engine.timeline();
            if app.timeline != timeline {
                // Where time merely passes, the frame says so.
                self.dirty |= app.timeline.arriving != timeline.arriving || app.timeline.branch != timeline.branch;
                app.timeline = timeline;
            }
            let without = self.engine.without();
            if !Arc::ptr_eq(&app.without, &without) {
                app.without = without;
                app.twin = self.engine.twin();
                self.dirty = true;
            }
            self.dirty |= app.watch();
            self.remember(app);
            if let Some(end) = app.tries.take_stop() {
                self.engine.order(Order::StopAt(Some(end)));
            }
            self.dirty |= foresee::keep_up(&mut self.foresight, app, self.study.played());
            let studied = self.study.progress();
            self.dirty |= app.studied != studied;
            app.studied = studied;
            let now = Instant::now();
            self.dirty |= app.tick(now.saturating_duration_since(last));
            last = now;
            if std::mem::take(&mut self.dirty) {
                self.screen.draw(app)?;
            }
            let moves = app.view.running || app.view.pace == engine::Pace::Seeking;
            let wait = if moves || app.timeline.arriving.is_some() {
                LIVELY
            } else {
                STILL
            };
            if let Some(ended) = self.hear(app, wait)? {
                return Ok(Some(ended));
            }
        }
    }

    /// Gives the orders of an experiment, one after the other.
    fn try_out(&mut self, app: &mut App, orders: Vec<Order>) {
        let heard = orders.into_iter().all(|order| self.engine.order(order));
        if !heard {
            app.call_off_try();
            app.say("the simulation is too busy to listen", Role::Refusal);
        }
    }

    /// Remembers an experiment that is done.
    fn remember(&mut self, app: &mut App) {
        let Some(title) = app.tries.take_news() else { return };
        let added = self.ticks.as_mut().map(|ticks| ticks.add(&app.name, &title));
        if let Some(Err(why)) = added {
            app.say(
                format!("it is not remembered that this was tried: {why}"),
                Role::Refusal,
            );
        }
    }

    /// Takes all that has been typed and clicked, so that many events cost one drawing.
    fn hear(&mut self, app: &mut App, wait: Duration) -> io::Result<Option<Ended>> {
        let mut wait = wait;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            if let Some(ended) = self.take(app, &event::read()?)? {
                return Ok(Some(ended));
            }
        }
        Ok(None)
    }

    /// Takes one event.
    fn take(&mut self, app: &mut App, event: &event::Event) -> io::Result<Option<Ended>> {
        // A mouse that merely moves reports every cell.
        let moved = matches!(event, event::Event::Mouse(mouse) if matches!(mouse.kind, event::MouseEventKind::Moved | event::MouseEventKind::Drag(_)));
        if moved {
            return Ok(None);
        }
        self.dirty = true;
        match app.handle(event) {
            None => {}
            Some(Intent::Order(order)) if self.engine.order(order.clone()) => {}
            Some(Intent::Order(_)) => app.say("the simulation is too busy to listen", Role::Refusal),
            Some(Intent::Look(lens)) => app.lens = lens,
            Some(Intent::Orders(orders)) => self.try_out(app, orders),
            Some(Intent::Compare(other)) => {
                let compared = self.engine.compared(app.timeline.branch, other);
                app.compare(other, compared);
            }
            Some(Intent::Blast) => match self.study.ask()? {
                Asked::Known(menu) => app.over = Over::Menu(menu),
                asked => app.say_of_blast(&asked),
            },
            Some(Intent::Failure(place)) => {
                let show = self.study.failure(place);
                return Ok(show.map(|show| Ended::Play(Box::new(show))));
            }
            Some(Intent::Help(what)) => app.help(&what),
            Some(Intent::Reopen) if app.visit == Visit::Failure => return Ok(Some(Ended::Back)),
            Some(Intent::Reopen) => app.say("no run was left for this one", Role::Refusal),
            Some(Intent::WhereKept(whole)) => {
                let file = self.engine.file().map(|file| file.display().to_string());
                app.say_where_kept(file, whole);
            }
            Some(Intent::SaveLayout(name)) => match keep::layout(app.topology(), Path::new(&name)) {
                Ok(said) => app.say(said, Role::Good),
                Err(why) => app.say(why, Role::Refusal),
            },
            Some(Intent::Open(index)) => return Ok(Some(Ended::Open(index))),
            Some(Intent::Wear(theme)) => {
                self.options.theme = theme;
                app.wear(theme);
            }
            Some(Intent::Suspend) => self.screen.suspend()?,
            Some(Intent::Quit) => return Ok(Some(Ended::Quit(0))),
        }
        Ok(None)
    }
}
