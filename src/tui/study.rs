//! What breaks when each thing of the layout fails: worked out on threads of its own while the run goes on, and played from its start where somebody chooses it.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::analyze::blast::{Class, Plan, Question, Seen, Span};
use crate::analyze::cores;
use crate::command::Command;
use crate::layout::Layout;
use crate::replay::{Act, Head, Recording, Words};
use crate::report::{BlastReport, FailureReport, blast};

use super::Show;
use super::app::{App, Over};
use super::menu::{Choice, Entry, Menu};
use super::text;
use super::theme::Role;

/// When failures come, and for how long they are watched at most: as on the command line.
const SPAN: Span = Span {
    before: Duration::from_secs(10),
    after: Duration::from_secs(90),
};
/// Machines are taken to be up for this share of the time. The menu does not tell what follows from it.
const OF_EACH_MACHINE: f64 = 0.999;

/// What is known of the blast radius of what is played.
#[derive(Default)]
pub struct Study {
    /// What is played; none for a stand-in.
    played: Option<(Layout, Head)>,
    work: Option<Work>,
    found: Found,
}

/// What was tried, and what came of it; nothing before all is tried.
type Found = Option<Box<(Plan, BlastReport)>>;

/// What came of asking.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// It is known: the failures, the worst first.
    Known(Menu),
    /// It is being worked out, from now on.
    Begun,
    /// It is being worked out; this share is done.
    Working(f64),
    /// There is no layout to work on.
    Nothing,
}

/// The threads at work.
struct Work {
    /// There until it is joined.
    thread: Option<JoinHandle<Found>>,
    stop: Arc<AtomicBool>,
    /// Simulated time that has passed, and that is to pass, in milliseconds.
    passed: Arc<AtomicU64>,
    whole: Arc<AtomicU64>,
}

impl Drop for Work {
    fn drop(&mut self) {
        // The threads end within half a second of simulated time; nobody has to wait for that.
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Study {
    /// Something is played. What is known of another layout, or another seed, is forgotten.
    pub fn play(&mut self, show: &Show) {
        let head = &show.recording.head;
        let same = |(_, played): &(Layout, Head)| played.layout == head.layout && played.seed == head.seed;
        if !self.played.as_ref().is_some_and(same) {
            *self = Study {
                played: Some((show.layout.clone(), head.clone())),
                ..Study::default()
            };
        }
    }

    /// The layout that is played, and its seed.
    pub fn played(&self) -> Option<(&Layout, u64)> {
        self.played.as_ref().map(|(layout, head)| (layout, head.seed))
    }

    /// How far it is, from 0 to 1, while it is worked out.
    pub fn progress(&self) -> Option<f64> {
        let share = self.work.as_ref()?.share();
        // Whole percents are all that is told.
        Some((share * 100.0).floor() / 100.0)
    }

    /// Somebody wants to know.
    ///
    /// # Errors
    /// When the system has no thread to spare.
    pub fn ask(&mut self) -> io::Result<Asked> {
        if let Some(found) = &self.found {
            return Ok(Asked::Known(menu(&found.1)));
        }
        if let Some(work) = &self.work {
            return Ok(Asked::Working(work.share()));
        }
        let Some((layout, head)) = &self.played else {
            return Ok(Asked::Nothing);
        };
        self.work = Some(Work::begin(&head.name, layout.clone(), head.seed)?);
        Ok(Asked::Begun)
    }

    /// Looks whether it has become known since the last look.
    pub fn news(&mut self) -> Option<Menu> {
        let is_done = |work: &Work| work.thread.as_ref().is_none_or(JoinHandle::is_finished);
        if !self.work.as_ref().is_some_and(is_done) {
            return None;
        }
        self.found = self.work.take()?.end();
        self.found.as_ref().map(|found| menu(&found.1))
    }

    /// The failure of this place in the menu, as something to be played.
    pub fn failure(&self, place: usize) -> Option<Show> {
        let (layout, head) = self.played.clone()?;
        let (plan, report) = self.found.as_deref()?;
        let row = report.failures.get(place)?;
        let failure = plan
            .failures
            .iter()
            .find(|failure| failure.id() == row.commands.join("; "))?;
        let act = |command: &Command| Act {
            at: SPAN.before,
            command: command.clone(),
        };
        let mut recording = Recording::new(head);
        recording.commands = failure.commands.iter().map(act).collect();
        recording.duration = SPAN.before + SPAN.after;
        recording.marks = vec![Words {
            at: Duration::ZERO,
            text: failure.title(),
        }];
        Some(Show {
            layout,
            recording,
            file: None,
            replayed: true,
        })
    }
}

impl App {
    /// It has become known what breaks: shown at once, unless something else is open.
    pub fn learn(&mut self, menu: Menu) {
        if self.over == Over::None {
            self.over = Over::Menu(menu);
        } else {
            self.say("everything has failed in turn: {blast} shows what broke", Role::Notice);
        }
    }

    /// What is to be said while it is not known.
    pub fn say_of_blast(&mut self, asked: &Asked) {
        match asked {
            Asked::Known(menu) => self.learn(menu.clone()),
            Asked::Begun => self.say(
                "everything fails in turn now, in worlds beside this one; {blast} shows how far that is",
                Role::Notice,
            ),
            Asked::Working(share) => self.say(format!("{:.0}% of all failures are tried", 100.0 * share), Role::Notice),
            Asked::Nothing => self.say("there is no layout here that could fail", Role::Refusal),
        }
    }
}

impl Work {
    fn begin(name: &str, layout: Layout, seed: u64) -> io::Result<Work> {
        let stop = Arc::new(AtomicBool::new(false));
        let (passed, whole) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let name = name.to_owned();
        let thread = thread::Builder::new().name("blast".to_owned()).spawn({
            let (stop, passed, whole) = (Arc::clone(&stop), Arc::clone(&passed), Arc::clone(&whole));
            move || find(&name, &layout, seed, &stop, (&passed, &whole))
        })?;
        Ok(Work {
            thread: Some(thread),
            stop,
            passed,
            whole,
        })
    }

    fn share(&self) -> f64 {
        let [passed, whole] = [&self.passed, &self.whole].map(|time| time.load(Ordering::Relaxed));
        if whole == 0 { 0.0 } else { passed as f64 / whole as f64 }
    }

    /// What was found. A panic over there is one here.
    fn end(mut self) -> Found {
        let thread = self.thread.take()?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Tries all failures. One core stays with the run that is watched.
fn find(name: &str, layout: &Layout, seed: u64, stop: &AtomicBool, (passed, whole): (&AtomicU64, &AtomicU64)) -> Found {
    let question = Question {
        span: SPAN,
        seeds: vec![seed],
        pairs: false,
    };
    let plan = Plan::of(layout, question);
    let each = (SPAN.before + SPAN.after).as_millis() as u64;
    whole.store(each * plan.trials.len() as u64, Ordering::Relaxed);
    let threads = NonZeroUsize::new(cores().get() - 1).unwrap_or(NonZeroUsize::MIN);
    let watch = |time: Duration| {
        passed.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    };
    let mut known = Seen::new();
    plan.run(layout, &plan.trials, threads, stop, &watch, |trial, outcomes| {
        known.insert(trial, outcomes);
    });
    let report = BlastReport::new(name, layout, &plan, &known, OF_EACH_MACHINE)?;
    Some(Box::new((plan, report)))
}

/// The failures, the worst first.
fn menu(report: &BlastReport) -> Menu {
    let entry = |(place, row): (usize, &FailureReport)| Entry {
        key: None,
        words: text::printable(&blast::title(&[row])).into_owned(),
        detail: text::printable(&detail(row)).into_owned(),
        choice: Choice::Failure(place),
        now: false,
    };
    Menu {
        title: format!("blast radius · {} single points of failure", report.single_points),
        entries: report.failures.iter().enumerate().map(entry).collect(),
        at: 0,
        hint: "enter plays it from its start   esc closes".to_owned(),
    }
}

/// How it is borne, in a few words, and why.
fn detail(row: &FailureReport) -> String {
    let class = Class::ALL.into_iter().find(|class| class.word() == row.class);
    let borne = match class {
        Some(Class::SinglePoint) => "single point",
        Some(Class::Hidden) => "hidden",
        Some(Class::Needed) => "needed",
        Some(Class::Together) => "together",
        Some(Class::Gap) => "a gap",
        Some(Class::Redundant) | None => "redundant",
    };
    format!("{borne}: {}", blast::figures_in_words(row))
}
