//! Runs a recording again and draws the screen at each moment, without a terminal.

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::command::faults::On;
use crate::command::{Command, Selector, matches};
use crate::layout::{self, Layout};
use crate::replay::{self, Ending, Recording, Session};
use crate::tui::app::{App, Options};
use crate::tui::engine::View;
use crate::tui::screen;
use crate::tui::select::Item;
use crate::tui::speed::Speed;
use crate::tui::theme::Role;

use super::palette::Ground;
use super::timing::{THOUSANDTHS, Timing, TooMany};
use super::{Form, Look};

/// How long the words of what was done stay, on the screen.
const WORDS_STAY: Duration = Duration::from_secs(4);

/// Simulated time between two words on how far it is.
const SLICE: Duration = Duration::from_millis(500);

/// Something that was done or said in the run.
#[derive(Clone, Debug, PartialEq)]
struct Cue {
    at: Duration,
    words: String,
    /// What it hits, if that is one thing with a name.
    target: Option<Selector>,
    /// Whether one wants to find it again.
    marked: bool,
}

/// A recording, drawn moment by moment.
pub struct Player {
    session: Session,
    app: App,
    buffer: Buffer,
    title: String,
    ground: Ground,
    timing: Timing,
    moments: std::vec::IntoIter<Duration>,
    cues: Vec<Cue>,
    /// Cues whose moment was reached.
    passed: usize,
}

impl Player {
    /// Runs a recording up to the first moment. `watch` hears of each simulated moment that was reached.
    ///
    /// # Errors
    /// When there would be more frames than the form may have. Nothing has been run then.
    pub fn new(
        (recording, layout): (&Recording, &Layout),
        look: &Look,
        timing: Timing,
        form: Form,
        watch: &mut dyn FnMut(Duration),
    ) -> Result<Player, TooMany> {
        let cues = cues(recording);
        let also: Vec<Duration> = cues.iter().map(|cue| cue.at).collect();
        let moments = timing.moments(&also, form.most_frames())?;
        let mut session = replay::replayed(recording, layout);
        reach(&mut session, timing.from, watch);
        let options = Options {
            theme: look.theme,
            depth: look.depth,
            ascii: look.ascii,
            ..Options::default()
        };
        let view = view(&mut session, timing);
        let name = &recording.head.name;
        let (width, height) = look.size;
        Ok(Player {
            app: App::new(name, view, crate::tui::choices(), &options),
            session,
            buffer: Buffer::empty(Rect::new(0, 0, width, height)),
            title: format!("{}, seed {}", layout::printable(name), recording.head.seed),
            ground: Ground::of(look.theme),
            timing,
            moments: moments.into_iter(),
            cues,
            passed: 0,
        })
    }

    /// Draws the next frame. Returns when it comes on the screen; `None` after the last one.
    pub fn advance(&mut self, watch: &mut dyn FnMut(Duration)) -> Option<Duration> {
        let moment = self.moments.next()?;
        reach(&mut self.session, moment, watch);
        self.app.show(view(&mut self.session, self.timing));
        self.app.prepare(self.buffer.area);
        self.tell(moment);
        self.app.prepare(self.buffer.area);
        self.buffer.reset();
        screen::draw(&self.app, &mut self.buffer);
        Some(self.timing.on_screen(moment))
    }

    /// What was drawn last.
    pub fn picture(&self) -> &Buffer {
        &self.buffer
    }

    /// What the pictures show, in a line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What is behind them.
    pub(super) fn ground(&self) -> Ground {
        self.ground
    }

    /// Frames that are still to come.
    pub fn to_come(&self) -> usize {
        self.moments.len()
    }

    /// When commands take effect and chapters begin, on the screen, and their words.
    pub fn markers(&self) -> Vec<(Duration, String)> {
        let shown = self
            .cues
            .iter()
            .filter(|cue| cue.marked && self.timing.contains(cue.at));
        shown
            .map(|cue| (self.timing.on_screen(cue.at), cue.words.clone()))
            .collect()
    }

    /// Ends the run where it is.
    pub fn end(self) -> Ending {
        self.session.end()
    }

    /// Selects what was hit last, and says for a while what was done.
    fn tell(&mut self, moment: Duration) {
        let reached = self.cues.partition_point(|cue| cue.at <= moment);
        let new = &self.cues[self.passed..reached];
        let hit = new.iter().rev().find_map(|cue| find(&self.app, cue.target.as_ref()?));
        self.app.selected = hit.unwrap_or(self.app.selected);
        self.passed = reached;
        self.app.notice = None;
        let Some(last) = self.cues[..reached].last() else {
            return;
        };
        if moment.saturating_sub(last.at) < self.timing.simulated(WORDS_STAY) {
            let words = words(self.cues[..reached].iter().filter(|cue| cue.at == last.at));
            self.app.say(words, Role::Notice);
        }
    }
}

/// What was done and said, in order. A chapter begins with its first command.
fn cues(recording: &Recording) -> Vec<Cue> {
    let said = |words: &replay::Words, marked| Cue {
        at: words.at,
        words: layout::printable(&words.text),
        target: None,
        marked,
    };
    let mut cues: Vec<Cue> = recording.marks.iter().map(|words| said(words, true)).collect();
    cues.extend(recording.notes.iter().map(|words| said(words, false)));
    cues.extend(recording.commands.iter().map(|act| Cue {
        at: act.at,
        words: layout::printable(&act.command.to_string()),
        target: target(&act.command).cloned(),
        marked: true,
    }));
    cues.sort_by_key(|cue| cue.at);
    cues
}

/// The words of what happens at one moment, in a line.
fn words<'a>(cues: impl Iterator<Item = &'a Cue>) -> String {
    const MOST: usize = 3;
    let cues: Vec<&str> = cues.map(|cue| cue.words.as_str()).collect();
    let more = cues.len().saturating_sub(MOST);
    let text = cues[..cues.len() - more].join(" · ");
    if more > 0 {
        format!("{text} · and {more} more")
    } else {
        text
    }
}

/// Lets time pass up to a moment.
fn reach(session: &mut Session, until: Duration, watch: &mut dyn FnMut(Duration)) {
    while session.now() < until {
        session.advance_to((session.now() + SLICE).min(until));
        watch(session.now());
    }
}

fn view(session: &mut Session, timing: Timing) -> View {
    let factor = f64::from(timing.speed) / f64::from(THOUSANDTHS);
    let mut view = View::new(Arc::new(session.frame()), true);
    view.speed = Speed::times(factor).unwrap_or(Speed::REAL);
    view
}

/// What a command hits, if that is one selection.
fn target(command: &Command) -> Option<&Selector> {
    match command {
        Command::Kill(on)
        | Command::Destroy(on)
        | Command::Mend(on)
        | Command::Hang(on)
        | Command::Slow(on, _)
        | Command::Isolate(on)
        | Command::Outage(on)
        | Command::Scale(on, _)
        | Command::Resize(on, _)
        | Command::Balance(on, _)
        | Command::Set(on, _)
        | Command::Revoke(on, _)
        | Command::Promote(on)
        | Command::Recover(on)
        | Command::Replicate(on)
        | Command::Shard(on)
        | Command::Skew(on, _)
        | Command::Fail(on, ..)
        | Command::Leak(on, _)
        | Command::Disk(on, _)
        | Command::Mislead(on)
        | Command::Flush(on)
        | Command::Purge(on, _)
        | Command::Poison(on)
        | Command::Redrive(on)
        | Command::Evacuate(on)
        | Command::Reopen(on)
        | Command::Add(on, _)
        | Command::Connect(on, _)
        | Command::Disconnect(on, _)
        | Command::Remove(on)
        | Command::Close(on) => Some(on),
        Command::Surge(on, _) | Command::Expire(on) => on.as_ref(),
        Command::For(command, _) => target(command),
        Command::Inject(injection) => match &injection.on {
            On::Target(on) => Some(on),
            On::All | On::Link(_) => None,
        },
        Command::MendAll
        | Command::Deploy
        | Command::Chaos(_)
        | Command::Cut(_)
        | Command::Delay(..)
        | Command::Drop(..)
        | Command::Bandwidth(..)
        | Command::Join(_) => None,
    }
}

/// The first thing on the map that a selector names: that which is called so, else one that it matches.
fn find(app: &App, target: &Selector) -> Option<Item> {
    let items = || app.plan.items.iter().map(|(item, _)| *item);
    let name = |item: &Item| item.selector(app.topology());
    items()
        .find(|item| name(item) == Some(target.0.as_str()))
        .or_else(|| items().find(|item| name(item).is_some_and(|name| matches(target, name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_hits_is_known() {
        let hit = |text: &str| {
            let command = Command::parse(text).expect("a command");
            target(&command).map(|selector| selector.0.clone())
        };
        assert_eq!(hit("kill web/1").as_deref(), Some("web/1"));
        assert_eq!(hit("crash-loop web/1").as_deref(), Some("web/1"));
        assert_eq!(hit("hang web for 3s").as_deref(), Some("web"));
        assert_eq!(hit("cut web <-> db"), None);
        assert_eq!(hit("mend all"), None);
    }

    #[test]
    fn many_words_are_cut_short() {
        let cue = |words: &str| Cue {
            at: Duration::ZERO,
            words: words.to_string(),
            target: None,
            marked: true,
        };
        let cues = ["a", "b", "c", "d", "e"].map(cue);
        assert_eq!(words(cues[..2].iter()), "a · b");
        assert_eq!(words(cues.iter()), "a · b · c · and 2 more");
    }
}
