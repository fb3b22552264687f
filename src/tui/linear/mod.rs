//! The same run in sentences, one a line, for those who have no screen or do not see it. Commands are read a line each, and answered in a sentence.
//!
//! It drives the engine of the screen. What happens to an incident is told at once, and so is what was asked for; of all other events one a second,
//! and what matters before it goes on with an incident. While lines are heard, time stands still: each takes effect at the moment that is said.

mod doing;
mod ear;
mod hearing;
mod sentences;
mod typed;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::command::Command;
use crate::observe::{Frame, LogLine};
use crate::replay::Session;
use crate::sim::SimTime;

use super::crash::crash;
use super::engine::{Answer, Engine, Order, Start, View};
use super::keymap::Keymap;
use super::speed::Speed;
use super::terminal::{self, Signals};
use super::{Farewell, Options, Show, keep};

use ear::Ear;
use sentences::{Cases, stamped};

/// Between two looks at what has happened and what was typed.
const LOOK: Duration = Duration::from_millis(10);
/// Between two events that are told of their own, on the wall.
const BREATH: Duration = Duration::from_secs(1);
/// How long after quit the last answers are waited for, on the wall.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long time stands still for the next line, where a program writes them, on the wall.
const GRACE: Duration = Duration::from_millis(300);
/// How long the answer to a line is waited for before the next one is heard, on the wall.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a world that has arrived may take to be seen, on the wall.
const ARRIVAL: Duration = Duration::from_secs(1);
/// Lines that may wait for their moment.
const LINES: usize = 1_024;
/// How wide a question is, in columns.
const WIDE: u16 = 200;

/// Plays a run in sentences on standard output, with commands from standard input: until the person leaves; up to `until`, in simulated time, if that
/// is said; else to the end of the recording, if the input has ended too.
///
/// # Errors
/// When standard output fails, other than by closing, or there can be no more threads. A panic of the simulation goes on here, as in [`super::play`].
pub fn play(show: &Show, options: &Options, until: Option<Duration>) -> io::Result<Farewell> {
    let signals = Signals::listen()?;
    let ear = Ear::open()?;
    let head = show.recording.head.clone();
    let layout = show.layout.clone();
    let title = layout.title.clone();
    let make = move || Session::scheduled(&layout, head.seed, &[]);
    let start = Start {
        keep: options.runs.clone().map(|runs| keep(runs, show)),
        followers: false,
        recording: show.recording.clone(),
        source: show.file.clone(),
        replayed: show.replayed,
        // The first lines are heard at the beginning.
        running: false,
        speed: options.speed,
    };
    let engine = Engine::start(make, start)?;
    let mut teller = Teller {
        engine,
        ear,
        out: io::stdout(),
        frame: None,
        running: false,
        runs: options.running,
        speed: options.speed,
        until: until.map(whole),
        end: show.replayed.then(|| whole(show.recording.duration)),
        lines: VecDeque::new(),
        grace: if io::stdin().is_terminal() {
            Duration::ZERO
        } else {
            GRACE
        },
        held: None,
        wait: None,
        aimed: None,
        given: None,
        away: None,
        leaving: None,
        asked: None,
        cases: Cases::default(),
        events: VecDeque::new(),
        passed: 0,
        told: 0,
        last: None,
    };
    let name = head.name;
    teller.ignoring_closed(&format!(
        "{name}: {title}. Seed {}. Type help to hear what can be typed.",
        head.seed
    ))?;
    let ended = teller.run(&signals);
    let Teller { engine, frame, .. } = teller;
    let exit_code = match ended {
        Ok(Ended::Died) => return Err(crash(engine, head.seed)),
        Ok(Ended::Left(exit_code)) => Ok(exit_code),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(error),
    };
    // What was recorded gets its end, whatever has become of the output.
    let file = engine.end();
    let Ok(file) = file else {
        return Err(io::Error::other("the simulation panicked as it ended"));
    };
    Ok(Farewell {
        name,
        frame: frame.map(|frame| (*frame).clone()),
        file,
        exit_code: exit_code?,
    })
}

/// How it ends.
enum Ended {
    /// With this exit code.
    Left(u8),
    /// The thread of the simulation has died.
    Died,
}

/// Time stands still, or is about to, so that lines are heard at one moment.
#[derive(Clone, Copy)]
struct Held {
    /// Whether it does.
    stands: bool,
    /// When a line was heard last, on the wall; at first, since when it is so.
    heard: Instant,
}

/// Later lines wait.
#[derive(Clone, Copy)]
struct Wait {
    /// Until when, in simulated time.
    until: Duration,
    /// Whether time stood still before, and will again.
    stops: bool,
    /// Since when, on the wall.
    since: Instant,
}

/// An order that is answered.
#[derive(Clone, Copy)]
struct Given {
    /// Whether it is for the world.
    does: bool,
    /// Whether it was done, but what came of it was not seen.
    done: bool,
    /// Whether the next view shows it.
    shows: bool,
    /// Until when it is waited for, on the wall.
    until: Instant,
}

/// The world goes to another moment.
#[derive(Clone, Copy)]
struct Away {
    /// Since when, on the wall.
    since: Instant,
    /// Whether time goes on from there.
    runs: bool,
    /// When it was under way last, on the wall.
    seen: Instant,
}

/// Tells what happens and hears what is typed.
struct Teller<W> {
    engine: Engine,
    ear: Ear,
    out: W,
    frame: Option<Arc<Frame>>,
    /// Whether time passes, as far as was seen.
    running: bool,
    /// Whether it is to pass when nothing is to be heard.
    runs: bool,
    speed: Speed,
    until: Option<Duration>,
    /// Of a recording that is played: its end, which counts also for what somebody has made of it.
    end: Option<Duration>,
    /// Lines that wait for their moment.
    lines: VecDeque<String>,
    /// How long time stands still for the next line, on the wall.
    grace: Duration,
    held: Option<Held>,
    wait: Option<Wait>,
    /// Where the engine was told to stop.
    aimed: Option<Duration>,
    /// The last line, if it is waited for what comes of it.
    given: Option<Given>,
    away: Option<Away>,
    /// Until when the last answers are waited for, after quit, on the wall.
    leaving: Option<Instant>,
    /// What needs a yes.
    asked: Option<Command>,
    cases: Cases,
    /// Events that were not told yet, in order of time.
    events: VecDeque<LogLine>,
    /// How many were passed over since one was told.
    passed: usize,
    /// How many events there were when they were looked at last.
    told: u64,
    /// When an event was told of its own.
    last: Option<Instant>,
}

impl<W: Write> Teller<W> {
    /// Writes a line of its own, at once.
    fn say(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{}", super::text::printable(line))?;
        self.out.flush()
    }

    /// The same, where nobody may listen any more.
    fn ignoring_closed(&mut self, line: &str) -> io::Result<()> {
        match self.say(line) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            said => said,
        }
    }

    /// Says something behind its moment, and before that what happened earlier.
    fn say_at(&mut self, at: SimTime, words: &str) -> io::Result<()> {
        self.tell_events(Some(at))?;
        self.say(&stamped(at, words))
    }

    fn run(&mut self, signals: &Signals) -> io::Result<Ended> {
        loop {
            if self.engine.ended() {
                return Ok(Ended::Died);
            }
            if let Some(signal) = signals.ending() {
                return Ok(Ended::Left(128 + signal));
            }
            if signals.stopping() {
                terminal::stop()?;
            }
            self.follow()?;
            self.tell_events(None)?;
            self.hear()?;
            if self.is_at_its_end() {
                self.settle()?;
                return Ok(Ended::Left(0));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Takes what is new from the engine.
    fn follow(&mut self) -> io::Result<()> {
        let view = self.engine.take_view();
        let answers = self.engine.take_answers();
        if view.is_some() && self.given.is_some_and(|given| given.shows) {
            self.given = None;
        }
        // What a view tells comes after the answer that led to it.
        let (before, after) = if self.given.is_some() {
            (None, view)
        } else {
            (view, None)
        };
        before.map_or(Ok(()), |view| self.look(view))?;
        for answer in answers {
            self.answer(answer)?;
        }
        after.map_or(Ok(()), |view| self.look(view))?;
        self.show_what_was_done()?;
        if let Some(words) = self.engine.take_words() {
            self.say_at(self.at(), &format!("It says here: {words}"))?;
        }
        self.arrive();
        Ok(())
    }

    /// Asks for a view of what was done, so that the next line is about that.
    fn show_what_was_done(&mut self) -> io::Result<()> {
        if !self.given.is_some_and(|given| given.done && !given.shows) {
            return Ok(());
        }
        if let Some(view) = self.engine.take_view() {
            self.look(view)?;
        }
        // Each order is followed by a view, this one too, which changes nothing.
        let asked = self.engine.order(Order::Pace(self.speed));
        self.given = self.given.filter(|_| asked).map(|given| Given { shows: true, ..given });
        Ok(())
    }

    /// The moment.
    fn at(&self) -> SimTime {
        self.frame.as_ref().map(|frame| frame.at).unwrap_or_default()
    }

    /// Whether nothing more will be typed, and all that was is heard, but for what waits.
    fn is_closed(&self) -> bool {
        self.ear.is_closed() && (self.lines.is_empty() || self.wait.is_some())
    }

    /// Whether this is as far as was asked for.
    fn is_there(&self) -> bool {
        self.until.is_some_and(|until| self.at().elapsed() >= until)
    }

    /// Whether the run as such is over when the input is.
    fn ends_with_input(&self) -> bool {
        match self.end {
            Some(end) => self.engine.is_over() || self.at().elapsed() >= end,
            None => self.until.is_none(),
        }
    }

    fn is_at_its_end(&self) -> bool {
        if let Some(until) = self.leaving {
            return self.given.is_none() || Instant::now() >= until;
        }
        let is_busy = self.held.is_some() || self.given.is_some() || self.away.is_some();
        let nothing_to_come = self.is_closed() && self.wait.is_none() && self.ends_with_input();
        !is_busy && (self.is_there() || nothing_to_come)
    }

    /// Stops time where it is, so that what is said last of the run is what is true at its end.
    fn settle(&mut self) -> io::Result<()> {
        if self.frame.is_none() {
            return Ok(());
        }
        self.follow()?;
        if self.leaving.is_none() && !self.lines.is_empty() {
            let lines = super::text::plural(self.lines.len(), "line");
            self.say_at(self.at(), &format!("The end, before {lines} could be heard"))?;
        }
        if !self.engine.order(Order::Run(false)) {
            return Ok(());
        }
        let patience = Instant::now() + LAST_WORDS;
        while Instant::now() < patience && !self.engine.ended() {
            if let Some(view) = self.engine.take_view() {
                let stands = !view.running;
                self.look(view)?;
                if stands {
                    break;
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn answer(&mut self, answer: Answer) -> io::Result<()> {
        let given = self.given.filter(|given| !given.done);
        if given.is_some() {
            let shown = matches!(answer, Answer::Done(_));
            self.given = given
                .filter(|given| given.does && shown)
                .map(|given| Given { done: true, ..given });
        }
        let at = self.at();
        match answer {
            Answer::Done(words) => self.say_at(at, &format!("Done: {words}")),
            Answer::Here(words) => {
                // What follows is about keys.
                let words = words.split(": {").next().unwrap_or_default();
                self.say_at(at, &format!("Now: {}", Keymap::default().fill(words)))?;
                if given.is_none() { self.end_recording() } else { Ok(()) }
            }
            Answer::Refused(words) => {
                self.away = self.away.filter(|_| given.is_none());
                self.say_at(at, &format!("Refused: {}", Keymap::default().fill(&words)))
            }
        }
    }

    /// The recording that is played has come to its end, where time stands still.
    fn end_recording(&mut self) -> io::Result<()> {
        self.runs = false;
        self.hold_here();
        if self.wait.take().is_some() {
            self.say("So the wait is over.")?;
        }
        Ok(())
    }

    /// Takes a newer view: tells what has become of incidents, and remembers all other events.
    fn look(&mut self, view: View) -> io::Result<()> {
        let frame = view.frame;
        self.running = view.running;
        let before = self.frame.replace(Arc::clone(&frame));
        if before.is_none() {
            self.hold_here();
        }
        if let Some(held) = self.held.as_mut().filter(|_| !view.running) {
            held.stands = true;
        }
        let now = frame.at.elapsed();
        if let Some(before) = before.filter(|before| before.at > frame.at) {
            // What happened up to here was told before.
            self.cases = Cases::known(&frame);
            (self.told, self.events) = (frame.log_total, VecDeque::new());
            // A recording that begins again forgets where it was to stop.
            self.aimed = None;
            if let Some(wait) = &mut self.wait {
                wait.until = now + wait.until.saturating_sub(before.at.elapsed());
            }
            return Ok(());
        }
        let new = usize::try_from(frame.log_total.saturating_sub(self.told)).unwrap_or(usize::MAX);
        let fresh = &frame.log[frame.log.len().saturating_sub(new)..];
        self.events
            .extend(fresh.iter().filter(|line| !sentences::is_told(line)).cloned());
        self.told = frame.log_total;
        for (at, line) in self.cases.news(&frame, Instant::now()) {
            self.say_at(at, &line)?;
        }
        let stands = !view.running;
        if stands && self.aimed.is_some_and(|aimed| now >= aimed) {
            self.aimed = None;
        }
        if let Some(wait) = self.wait.filter(|wait| stands && now >= wait.until) {
            self.wait = None;
            self.hold_here();
            if wait.stops {
                self.runs = false;
                self.say_at(frame.at, "Time stands still again")?;
            }
        }
        Ok(())
    }

    /// Hears lines before time goes on.
    fn hold_here(&mut self) {
        self.held = Some(Held {
            stands: !self.running,
            heard: Instant::now(),
        });
    }

    /// Looks whether the world has come to where it was sent.
    fn arrive(&mut self) {
        let Some(away) = &mut self.away else { return };
        let timeline = self.engine.timeline();
        if timeline.arriving.is_some() {
            away.seen = Instant::now();
            return;
        }
        let at = self.frame.as_ref().map(|frame| frame.at.elapsed());
        let is_seen = self.given.is_none() && (self.running || at == Some(timeline.at));
        if is_seen || away.seen.elapsed() > ARRIVAL {
            // Whoever goes elsewhere forgets where they were to stop.
            (self.runs, self.aimed, self.away) = (away.runs, None, None);
            self.hold_here();
        }
    }

    /// Tells the weightiest of the events that wait: of those before a moment, when something else is told of it; of all, if the last one was told long
    /// enough ago.
    fn tell_events(&mut self, before: Option<SimTime>) -> io::Result<()> {
        let now = Instant::now();
        let is_due = self.last.is_none_or(|last| now >= last + BREATH);
        if before.is_none() && !is_due {
            return Ok(());
        }
        let count = before.map_or(self.events.len(), |at| self.events.partition_point(|line| line.at < at));
        let all: Vec<LogLine> = self.events.drain(..count).collect();
        if !is_due && sentences::is_small_talk(&all) {
            self.passed += all.len();
            return Ok(());
        }
        let Some(line) = sentences::of_events(&all, self.passed) else {
            return Ok(());
        };
        (self.last, self.passed) = (Some(now), 0);
        self.say(&line)
    }
}

/// A moment that a world can stand at: a whole number of microseconds.
fn whole(time: Duration) -> Duration {
    time.saturating_sub(Duration::from_nanos(u64::from(time.subsec_nanos()) % 1_000))
}
