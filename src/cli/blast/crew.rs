//! Runs in processes of their own. All runs of a seed begin alike; a world can't be copied, but a process can.
//!
//! A helper is a copy of this process, made before it has threads, with one pipe for jobs and one for what comes of them. It keeps a run just before the
//! failure comes, and copies itself once more for each job: that copy lets the failure happen, writes lines of JSON to the helper's pipe as time passes, in
//! the end what it saw, and ends. Whoever finds its pipe closed ends as well, so nobody is left when this process is gone, whatever ended it.

use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::Complaint;
use super::process::{Copied, Twin, copy};
use crate::analyze::blast::{Outcome, Plan, Start, Trial};
use crate::layout::Layout;

/// The exit code of a process that panicked.
const PANICKED: i32 = 101;

/// The helpers.
pub(super) struct Crew {
    /// Those who have nothing to do.
    idle: Mutex<Vec<Helper>>,
    processes: Vec<Twin>,
    /// Why a run broke off, if one did.
    trouble: Mutex<Option<Complaint>>,
}

/// A helper, as this process knows it.
struct Helper {
    jobs: PipeWriter,
    said: BufReader<PipeReader>,
}

/// What a helper, or its copy, says: a line of JSON.
#[derive(Debug, Serialize, Deserialize)]
enum Said {
    /// So many microseconds of simulated time have passed.
    Passed(u64),
    /// The run is done.
    Seen(Vec<Outcome>),
    /// Somebody has told it to stop.
    Stopped,
    /// It can't copy itself.
    Unable,
    /// Its copy has ended: how, if not well.
    Ended(Option<String>),
}

/// What became of a run.
pub(super) enum Done {
    /// What was seen of it.
    Seen(Vec<Outcome>),
    /// Nothing: it was interrupted, or broke off.
    Not,
    /// Nothing: no process can be had for it.
    Unable,
}

impl Crew {
    /// So many helpers, each with this start of a run. Nothing if they can't be had. This process must have no other thread yet.
    pub(super) fn of(
        layout: &Layout,
        plan: &Plan,
        start: Start,
        count: NonZeroUsize,
        stop: &AtomicBool,
    ) -> Option<Crew> {
        let mut crew = Crew {
            idle: Mutex::default(),
            processes: Vec::new(),
            trouble: Mutex::default(),
        };
        let mut start = Some(start);
        for _ in 0..count.get() {
            let (its_jobs, jobs) = io::pipe().ok()?;
            let (said, says) = io::pipe().ok()?;
            match copy().ok()? {
                Copied::Original(process) => {
                    let said = BufReader::new(said);
                    crew.idle.get_mut().ok()?.push(Helper { jobs, said });
                    crew.processes.push(process);
                }
                Copied::Copy => {
                    // Ends of pipes that others are to find closed when this process's original is gone.
                    drop((jobs, said));
                    crew.idle.get_mut().map(std::mem::take).ok();
                    let all = Work {
                        layout,
                        plan,
                        stop,
                        says,
                    };
                    leave(|| all.serve(start.take(), its_jobs));
                }
            }
        }
        Some(crew)
    }

    /// Has a run done. `watch` hears of the time that passes.
    pub(super) fn run(&self, trial: Trial, stop: &AtomicBool, watch: &dyn Fn(Duration)) -> Done {
        let helper = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(mut helper) = helper else {
            return Done::Not;
        };
        let done = helper.run(trial, stop, watch);
        if let Ok(Done::Seen(_) | Done::Unable) = done {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(helper);
        }
        done.unwrap_or_else(|why| {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.get_or_insert(why);
            // Nobody goes on with what is broken.
            stop.store(true, Ordering::Relaxed);
            Done::Not
        })
    }

    /// Lets all go, waits until they have gone, and tells why a run broke off, if one did.
    pub(super) fn end(mut self) -> Result<(), Complaint> {
        let trouble = self.trouble.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        trouble.map_or(Ok(()), Err)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // They end when they find their pipes closed.
        drop(self.idle.get_mut().map(std::mem::take));
        for process in &self.processes {
            process.wait();
        }
    }
}

impl Helper {
    fn run(&mut self, trial: Trial, stop: &AtomicBool, watch: &dyn Fn(Duration)) -> Result<Done, Complaint> {
        let broken = |how: &str| Complaint(format!("a run broke off: its process {how}"));
        let gone = || broken("is gone");
        self.jobs.write_all(json(&trial).as_bytes()).map_err(|_| gone())?;
        let mut seen = None;
        let mut line = String::new();
        loop {
            if stop.load(Ordering::Relaxed) {
                return Ok(Done::Not);
            }
            line.clear();
            let bytes = self.said.read_line(&mut line).map_err(|_| gone())?;
            // A process that is ended from outside may leave half a line.
            let said =
                serde_json::from_str(&line).map_err(|_| if bytes == 0 { gone() } else { broken("ended too early") })?;
            match said {
                Said::Passed(micros) => watch(Duration::from_micros(micros)),
                Said::Seen(outcomes) => seen = Some(outcomes),
                Said::Stopped => stop.store(true, Ordering::Relaxed),
                Said::Unable => return Ok(Done::Unable),
                Said::Ended(Some(how)) => return Err(broken(&how)),
                Said::Ended(None) => return seen.map(Done::Seen).ok_or_else(|| broken("ended too early")),
            }
        }
    }
}

/// What a helper works with.
struct Work<'a> {
    layout: &'a Layout,
    plan: &'a Plan,
    /// Set in each process by itself.
    stop: &'a AtomicBool,
    says: PipeWriter,
}

impl Work<'_> {
    /// Does jobs until there are no more.
    fn serve(&self, mut start: Option<Start>, jobs: PipeReader) {
        for line in BufReader::new(jobs).lines() {
            let Ok(trial) = line
                .map_err(drop)
                .and_then(|line| serde_json::from_str(&line).map_err(drop))
            else {
                return;
            };
            if !self.do_one(trial, &mut start) {
                return;
            }
        }
    }

    /// Does a job; whether there may be more.
    fn do_one(&self, trial: Trial, start: &mut Option<Start>) -> bool {
        if start.as_ref().is_none_or(|start| start.seed() != trial.seed) {
            // One at a time: each holds a world.
            *start = None;
            // Nobody counts the time, and yet it shows that somebody listens.
            let watch = |_| self.say(&Said::Passed(0));
            *start = Start::of((self.layout, trial.seed), self.plan.question.span, self.stop, &watch);
        }
        if start.is_none() {
            self.say(&Said::Stopped);
            return false;
        }
        match copy() {
            Ok(Copied::Original(twin)) => self.say(&Said::Ended(twin.wait())),
            Ok(Copied::Copy) => leave(|| self.go_on(trial, start.take())),
            Err(_) => self.say(&Said::Unable),
        }
        true
    }

    /// Goes on with the failure of a job: in a process of its own, since a start has one rest.
    fn go_on(&self, trial: Trial, start: Option<Start>) {
        let watch = |passed: Duration| self.say(&Said::Passed(passed.as_micros() as u64));
        let failure = self.plan.failure(trial);
        let seen = start.and_then(|start| start.go_on(self.layout, failure, self.stop, &watch));
        self.say(&seen.map_or(Said::Stopped, Said::Seen));
    }

    /// Says something. Where nobody listens any more there is nothing left to do.
    fn say(&self, said: &Said) {
        if (&self.says).write_all(json(said).as_bytes()).is_err() {
            exit(0);
        }
    }
}

/// Does this and ends the process: a copy never goes back to what its original was about.
fn leave(work: impl FnOnce()) -> ! {
    let done = catch_unwind(AssertUnwindSafe(work));
    exit(if done.is_ok() { 0 } else { PANICKED });
}

fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("plain data");
    format!("{text}\n")
}
