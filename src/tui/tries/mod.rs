//! Experiments: what a layout offers to try, what the person predicts, and what came of it.

mod able;
mod page;
mod ticks;
mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::command::{self, Command};
use crate::layout::{Ask, Experiment, Layout};
use crate::observe::Frame;
use crate::sim::SimTime;

use super::app::{App, Intent, Over};
use super::engine::{Answer, Order};
use super::menu::{Choice, Entry, Menu};
use super::prompt::{Prompt, Purpose};
use super::question;
use super::text;
use super::theme::Role;

pub use ticks::Ticks;

use page::question as asked;
use watch::{Turn, Watch};

/// What a layout offers to try, and what is being tried.
#[derive(Clone, Debug, Default)]
pub struct Tries {
    /// In the order of the layout.
    trials: Vec<Trial>,
    /// The titles of those that were done, in this run or another.
    done: BTreeSet<String>,
    /// The one that is watched.
    watched: Option<Watch>,
    /// Where time is to stop, so that no more is told of than was asked; until somebody asks.
    stop: Option<Duration>,
    /// What came of the last one.
    told: Option<(String, Vec<String>)>,
    /// Whether that is still to be shown, when nothing else is open.
    untold: bool,
    /// The title of one that was done since somebody asked.
    news: Option<String>,
}

/// An experiment with its commands.
#[derive(Clone, Debug)]
struct Trial {
    experiment: Experiment,
    commands: Vec<Command>,
}

/// What somebody said would come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// So many.
    Count(u64),
    /// So long.
    Time(Duration),
    /// That it would not come at all.
    Never,
}

/// An experiment that is about to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// Its place in the list.
    place: usize,
    said: Option<Said>,
    /// Commands that are still to be asked about, the next one last.
    asking: Vec<Command>,
}

impl Launch {
    /// The command that is asked about, before it is done.
    pub fn asks_about(&self) -> Option<&Command> {
        self.asking.last()
    }
}

impl Tries {
    /// What a layout offers, with the titles of those that were done. One whose commands cannot be read, which only an old recording holds, offers nothing.
    pub fn of(layout: &Layout, done: BTreeSet<String>) -> Tries {
        let commands = command::experiments(layout, "").unwrap_or_default();
        let trials = layout.experiments.iter().cloned().zip(commands);
        let trials = trials.map(|(experiment, commands)| Trial { experiment, commands });
        Tries {
            trials: trials.collect(),
            done,
            ..Tries::default()
        }
    }

    /// Whether there is anything to try.
    pub fn any(&self) -> bool {
        !self.trials.is_empty()
    }

    /// How many there are to try.
    pub fn count(&self) -> usize {
        self.trials.len()
    }

    /// Where time is to stop for the experiment that has just begun.
    pub(super) fn take_stop(&mut self) -> Option<Duration> {
        self.stop.take()
    }

    /// The title of an experiment that was done since this was asked last.
    pub fn take_news(&mut self) -> Option<String> {
        self.news.take()
    }

    /// How far the watch has come, in a few words: `trying 12s of 30s`.
    pub fn progress(&self, at: SimTime) -> Option<String> {
        let (passed, all) = self.watched.as_ref()?.progress(at);
        Some(format!("trying {} of {}", text::ago(passed), seconds(all)))
    }
}

/// A length that a person wrote, without digits that say nothing: `30s`, `1m30s`.
fn seconds(length: Duration) -> String {
    crate::layout::duration::format(length)
}

impl App {
    /// The list of what there is to try.
    pub(super) fn tries_menu(&self) -> Option<Menu> {
        let trials = self.tries.trials.iter().zip('1'..='9');
        let mut entries: Vec<Entry> = trials
            .enumerate()
            .map(|(place, (trial, key))| Entry {
                key: Some(key),
                words: text::printable(&trial.experiment.title).into_owned(),
                detail: text::printable(&typed(&trial.commands)).into_owned(),
                choice: Choice::Try(place),
                now: self.tries.done.contains(&trial.experiment.title),
            })
            .collect();
        let done = entries.iter().filter(|entry| entry.now).count();
        let next = entries.iter().position(|entry| !entry.now).unwrap_or(0);
        let title = format!("try · {done} of {} done", entries.len());
        entries.extend(self.tries.told.as_ref().map(|(title, _)| Entry {
            key: Some('0'),
            words: "What came of the last".to_string(),
            detail: title.clone(),
            choice: Choice::Told,
            now: false,
        }));
        (!entries.is_empty()).then(|| Menu {
            title,
            entries,
            at: next,
            hint: "enter does it and watches   esc closes".to_string(),
        })
    }

    /// Somebody chose what to try: asks what they expect, where that can be said in a number.
    pub(super) fn try_out(&mut self, place: usize) -> Option<Intent> {
        if let Some(watch) = &self.tries.watched {
            let (passed, all) = watch.progress(self.frame().at);
            let title = text::printable(watch.title()).into_owned();
            let left = text::ago(all.saturating_sub(passed));
            self.say(
                format!("one at a time: \"{title}\" is watched for {left} more"),
                Role::Refusal,
            );
            return None;
        }
        let trial = self.tries.trials.get(place)?;
        // A command before it may bring about what a later one needs.
        if let Some(why) = trial
            .commands
            .first()
            .and_then(|command| able::hindrance(self.frame(), command))
        {
            self.say(
                format!("{why}, so this cannot be tried: {{mend all}} mends everything, {{rewind}} goes back to before your last act"),
                Role::Refusal,
            );
            return None;
        }
        if trial.experiment.ask.is_some() {
            self.over = Over::Prompt(Prompt::new(Purpose::Predict(place)));
            return None;
        }
        self.launch(place, None)
    }

    /// What is asked before an experiment, and what may be typed.
    pub(super) fn asked_of(&self, place: usize) -> String {
        let trial = self.tries.trials.get(place);
        let asked = trial.and_then(|trial| Some(asked(trial.experiment.ask?, trial.experiment.watch)));
        asked.unwrap_or_default()
    }

    /// Somebody has said what they expect; nothing skips that.
    pub(super) fn predicted(&mut self, place: usize, mut prompt: Prompt) -> Option<Intent> {
        let ask = self.tries.trials.get(place)?.experiment.ask?;
        match read(ask, prompt.text().trim()) {
            Ok(said) => self.launch(place, said),
            Err(why) => {
                prompt.refusal = Some(why);
                self.over = Over::Prompt(prompt);
                None
            }
        }
    }

    fn launch(&mut self, place: usize, said: Option<Said>) -> Option<Intent> {
        let commands = self.tries.trials.get(place)?.commands.iter().rev();
        let asks =
            |command: &&Command| question::asks(self.frame(), command) || question::hits_most(self.frame(), command);
        let asking = commands.filter(asks).cloned().collect();
        self.go_on(Launch { place, said, asking })
    }

    /// Somebody agreed to the command that was asked about.
    pub(super) fn agreed(&mut self, mut launch: Launch) -> Option<Intent> {
        launch.asking.pop();
        self.go_on(launch)
    }

    /// Asks about the next command, or begins.
    fn go_on(&mut self, launch: Launch) -> Option<Intent> {
        if launch.asks_about().is_some() {
            self.over = Over::Launch(launch);
            return None;
        }
        let trial = self.tries.trials.get(launch.place)?;
        let typed = trial.commands.iter().map(ToString::to_string).collect();
        let watch = Watch::begin(&trial.experiment, typed, launch.said, self.frame());
        let orders = trial.commands.iter().cloned().map(Order::Do).collect();
        self.tries.watched = Some(watch);
        Some(Intent::Orders(orders))
    }

    /// What came of a command is heard; a watch that waits for it goes on, or ends where it was refused.
    pub(super) fn hear_try(&mut self, answer: &Answer) {
        let Some(watch) = &mut self.tries.watched else { return };
        if watch.hears(answer) {
            return;
        }
        self.tries.watched = None;
    }

    /// The orders of an experiment were not taken.
    pub(super) fn call_off_try(&mut self) {
        self.tries.watched = None;
    }

    /// The person asks for something else while an experiment is watched.
    pub(super) fn strays(&mut self, order: &Order) {
        if let Some(watch) = &mut self.tries.watched {
            watch.strays(order);
        }
    }

    /// Looks at the world that is shown, for an experiment that is watched. True when something on the screen changed by it.
    pub fn watch(&mut self) -> bool {
        let turn = self
            .tries
            .watched
            .as_ref()
            .map(|watch| watch.look(self.frame(), &self.timeline));
        match turn {
            None => {}
            Some(Turn::Goes(act)) => {
                if let Some(watch) = &mut self.tries.watched {
                    let begins = watch.act.is_none() && act.is_some();
                    watch.act = act;
                    if begins {
                        self.tries.stop = Some(watch.end());
                    }
                }
            }
            Some(Turn::Gone) => {
                self.tries.watched = None;
                self.say("it is not watched any more: this is before it was tried", Role::Notice);
                return true;
            }
            Some(Turn::Over) => {
                if let Some(watch) = self.tries.watched.take() {
                    let room = self.arrangement.area.width.saturating_sub(6).clamp(40, 74);
                    let page = page::lines(&watch, self.frame(), room);
                    self.tries.told = Some((text::printable(watch.title()).into_owned(), page));
                    self.tries.untold = true;
                    self.tries.done.insert(watch.title().to_string());
                    self.tries.news = Some(watch.title().to_string());
                }
            }
        }
        let tells = self.tries.untold && self.over == Over::None;
        if tells {
            self.tell_again();
        }
        tells
    }

    /// Shows what came of the last experiment.
    pub(super) fn tell_again(&mut self) {
        self.tries.untold = false;
        if let Some((title, lines)) = self.tries.told.clone() {
            self.over = Over::Page(title, lines);
        }
    }
}

/// The commands as they are typed.
fn typed(commands: &[Command]) -> String {
    let typed: Vec<String> = commands.iter().map(ToString::to_string).collect();
    typed.join("; ")
}

/// What somebody expects: a number, a time, or nothing.
fn read(ask: Ask, line: &str) -> Result<Option<Said>, String> {
    if line.is_empty() {
        return Ok(None);
    }
    match ask {
        Ask::Failed | Ask::Retried | Ask::LostWrites | Ask::LostSessions => {
            let digits = line.replace(['_', ','], "");
            let count = digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| digits.parse().ok());
            count
                .flatten()
                .map(|count| Some(Said::Count(count)))
                .ok_or_else(|| format!("expected a whole number, as in 400, found `{}`", text::printable(line)))
        }
        Ask::Noticed | Ask::Served if line.eq_ignore_ascii_case("never") => Ok(Some(Said::Never)),
        Ask::Noticed | Ask::Served | Ask::P99 => {
            let time = crate::layout::duration::parse(line)?;
            Ok(Some(Said::Time(time)))
        }
    }
}

/// The figures that a watch is about, at one moment.
#[derive(Clone, Copy, Debug)]
struct Figures {
    at: SimTime,
    sent: u64,
    failed: u64,
    retried: u64,
    lost_writes: u64,
    lost_sessions: u64,
    p99: Duration,
    /// The number of the newest incident.
    incidents: u32,
}

impl Figures {
    fn of(frame: &Frame) -> Figures {
        Figures {
            at: frame.at,
            sent: frame.total.sent,
            failed: frame.total.failed,
            retried: frame.total.retried,
            lost_writes: frame.lost_writes,
            lost_sessions: frame.sessions.lost,
            p99: frame.recent_latency.p99,
            incidents: frame.incidents.last().map_or(0, |incident| incident.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_is_a_number_a_time_or_nothing() {
        for (ask, line, said) in [
            (Ask::Failed, "", None),
            (Ask::Served, "", None),
            (Ask::Failed, "400", Some(Said::Count(400))),
            (Ask::Retried, "1_200", Some(Said::Count(1_200))),
            (Ask::LostWrites, "12,000", Some(Said::Count(12_000))),
            (Ask::Noticed, "3s", Some(Said::Time(Duration::from_secs(3)))),
            (Ask::Served, "1m30s", Some(Said::Time(Duration::from_secs(90)))),
            (Ask::Served, "Never", Some(Said::Never)),
            (Ask::P99, "80ms", Some(Said::Time(Duration::from_millis(80)))),
        ] {
            assert_eq!(read(ask, line), Ok(said), "{line}");
        }
        for (ask, line) in [
            (Ask::Failed, "many"),
            (Ask::Failed, "-3"),
            (Ask::Failed, "3s"),
            (Ask::Failed, "_"),
            (Ask::Failed, "99999999999999999999999"),
            (Ask::Served, "3"),
            (Ask::P99, "never"),
        ] {
            assert!(read(ask, line).is_err(), "{line}");
        }
        let why = read(Ask::Failed, "\u{1b}[2J").expect_err("no number");
        assert!(!why.contains('\u{1b}'), "{why}");
    }
}
