//! Which world is shown, where the others wait, and what is known of all of them.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::observe::{Frame, Sample};
use crate::replay::{Head, History, Place, Recording};
use crate::sim::SimTime;

use super::super::speed::Speed;
use super::album::Album;
use super::deck::{Deck, News};
use super::errand::{Errand, Told};
use super::ghost::Ghost;
use super::{Answer, BranchView, Keep, Make, Order, Simulation, Timeline, TimelineEvent, View};

/// How long the last orders are waited for at the end, on the wall.
const AT_THE_END: Duration = Duration::from_secs(2);
/// Orders that may wait for an answer to an earlier one.
const WAITING: usize = 64;
/// A way that takes longer than this on the wall is called off by the next one, and what was to be done at its end is not done. Whoever types ahead
/// on shorter ones means what is typed.
const LONG_WAY: Duration = Duration::from_millis(500);

/// How a run begins.
pub struct Start {
    /// What is known of it already. A run that begins anew knows nothing.
    pub recording: Recording,
    /// Whether it is a recording that is played: time stops at its end.
    pub replayed: bool,
    /// Whether time passes at once.
    pub running: bool,
    /// The speed.
    pub speed: Speed,
    /// The file that it was read from.
    pub source: Option<PathBuf>,
    /// Where it is written down.
    pub keep: Option<Keep>,
    /// Whether there is a core to spare, for worlds that wait where the person may want to go.
    pub followers: bool,
}

impl Start {
    /// A run of a stand-in, without a file and without followers.
    pub fn bare(running: bool, speed: Speed) -> Start {
        Start {
            recording: Recording::new(Head::new("", "", None, 0)),
            replayed: false,
            running,
            speed,
            source: None,
            keep: None,
            followers: false,
        }
    }
}

/// Where the person came from, and the world that waits there.
#[derive(Clone, Copy, Debug)]
pub(super) struct CameFrom {
    pub(super) place: Place,
    pub(super) deck: usize,
}

/// The engine as the screen sees it.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Engine {
    pub(super) make: Make,
    pub(super) decks: Vec<Deck>,
    pub(super) shown: usize,
    pub(super) history: History,
    pub(super) album: Vec<Album>,
    pub(super) keep: Option<Keep>,
    pub(super) came_from: Option<CameFrom>,
    /// Where the last way began, and where the person came from before that.
    pub(super) departed: Option<(CameFrom, Option<CameFrom>)>,
    /// What is told after all else.
    pub(super) postscript: Vec<Answer>,
    /// Whether the person knows that old branches leave the list.
    pub(super) told_of_limit: bool,
    /// Orders that wait until those before them have been answered, and how many of those there are.
    pub(super) waiting: VecDeque<Order>,
    pub(super) unanswered: usize,
    pub(super) answers: Vec<Answer>,
    /// A frame of the past, to be shown while a world is on its way there.
    pub(super) glance: Option<View>,
    pub(super) last: Option<View>,
    pub(super) speed: Speed,
    /// Files to write when the digest is known, by the number of the errand: the branch, and the name.
    pub(super) writes: BTreeMap<u64, (usize, String)>,
    pub(super) errands: u64,
    pub(super) events: (Place, usize, Arc<Vec<TimelineEvent>>),
    pub(super) replayed: bool,
    /// Whether the recording that is played has come to its end.
    pub(super) over: bool,
    /// Up to when its marks and notes were told.
    pub(super) told_words: Option<Duration>,
    pub(super) looped: bool,
    pub(super) followers: bool,
    pub(super) differs: bool,
    /// Whether the program leaves this run.
    pub(super) leaves: bool,
    /// The file that is played.
    pub(super) source: Option<PathBuf>,
    /// The twin in which nobody acts, once somebody has acted here, and what each second was like there.
    pub(super) ghost: Option<Ghost>,
    /// Whether it has died, so that there is none any more.
    pub(super) no_ghost: bool,
    pub(super) without: Arc<Vec<Sample>>,
    /// What there was at the end of the last of them.
    pub(super) twin: Option<Arc<Frame>>,
    /// When the memory of this program was looked at last, and whether it had room for one more world.
    pub(super) room: Option<(Instant, bool)>,
}

impl Engine {
    /// Starts a thread that makes a simulation and drives it. No simulation ever leaves its thread.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start<S: Simulation + 'static>(
        make: impl Fn() -> S + Send + Sync + 'static,
        start: Start,
    ) -> io::Result<Engine> {
        let make: Make = Arc::new(move || Box::new(make()));
        let mut keep = start.keep;
        if let Some(keep) = &mut keep {
            keep.known(&start.recording);
        }
        let history = History::new(start.recording);
        let mut engine = Engine {
            decks: vec![Deck::start(&make)?],
            make,
            shown: 0,
            album: vec![Album::default()],
            keep,
            came_from: None,
            departed: None,
            postscript: Vec::new(),
            told_of_limit: false,
            waiting: VecDeque::new(),
            unanswered: 0,
            answers: Vec::new(),
            glance: None,
            last: None,
            speed: start.speed,
            writes: BTreeMap::new(),
            errands: 0,
            events: (history.here(), usize::MAX, Arc::default()),
            history,
            replayed: start.replayed,
            over: false,
            told_words: None,
            looped: false,
            followers: start.followers,
            differs: false,
            leaves: false,
            source: start.source,
            ghost: None,
            no_ghost: false,
            without: Arc::default(),
            twin: None,
            room: None,
        };
        if start.replayed
            && let Some(note) = engine.history.recording().head.of_another_version()
        {
            engine.refuse(&note);
        }
        engine.send_shown(engine.history.here(), start.running);
        Ok(engine)
    }

    /// Gives an order. False if the engine is too busy to take it.
    pub fn order(&mut self, order: Order) -> bool {
        if let Order::Pace(speed) = order {
            self.speed = speed;
        }
        let direct = matches!(
            order,
            Order::Do(_) | Order::Run(_) | Order::Pace(_) | Order::StopAt(_) | Order::Seek | Order::Follow(_)
        );
        if direct && self.waiting.is_empty() {
            return self.pass_on(order);
        }
        if order == Order::CallOff {
            // Whatever waits for the way to end waits in vain.
            self.drop_waiting();
            self.waiting.push_back(order);
            self.poll();
            return true;
        }
        let room = self.waiting.len() < WAITING;
        if room {
            self.waiting.push_back(order);
            self.poll();
        }
        room
    }

    /// Gives an order to the world that is shown.
    fn pass_on(&mut self, order: Order) -> bool {
        let asks = matches!(order, Order::Do(_));
        let taken = self.decks[self.shown].send(Errand::Order(order));
        self.unanswered += usize::from(taken && asks);
        taken
    }

    /// Forgets the orders that wait for a way to end, and says so of commands.
    fn drop_waiting(&mut self) {
        self.decks[self.shown].drop_orders();
        for order in std::mem::take(&mut self.waiting) {
            let what = match order {
                Order::Do(command) => format!("`{command}` was not done"),
                Order::Mark(name) => format!("the chapter `{name}` was not begun"),
                Order::Note(text) => format!("`{text}` was not noted"),
                Order::Write(name) => format!("{name} was not written"),
                Order::Fork => "no branch was begun".to_owned(),
                _ => continue,
            };
            self.postscript.push(Answer::Refused(format!("called off: {what}")));
        }
    }

    /// The newest view, if there is one that was not taken yet.
    pub fn take_view(&mut self) -> Option<View> {
        self.poll();
        if let Some(glance) = self.glance.take() {
            return Some(glance);
        }
        let view = self.decks[self.shown].take_view()?;
        self.album[self.history.here().branch].add(&view.frame);
        self.last = Some(view.clone());
        Some(view)
    }

    /// What came of orders since the last call.
    pub fn take_answers(&mut self) -> Vec<Answer> {
        self.poll();
        std::mem::take(&mut self.answers)
    }

    /// What was marked and noted in a recording at the moment that was reached since the last call; if there were several, the latest.
    pub fn take_words(&mut self) -> Option<String> {
        let now = self.history.here().at;
        let before = self.told_words.replace(now);
        let Recording { marks, notes, .. } = self.history.recording();
        let told = [marks, notes].map(|words| &words[..words.partition_point(|words| words.at <= now)]);
        let at = told.iter().filter_map(|words| Some(words.last()?.at)).max()?;
        let news = self.replayed && before.is_none_or(|before| at > before);
        let latest = told
            .iter()
            .flat_map(|words| &words[words.partition_point(|words| words.at < at)..]);
        let texts: Vec<&str> = latest.map(|words| words.text.as_str()).collect();
        news.then(|| texts.join(": "))
    }

    /// Whether the recording that is played has come to its end.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether a thread has ended, which it does by itself only in a panic.
    pub fn ended(&self) -> bool {
        self.decks.iter().any(Deck::ended)
    }

    /// The simulated time that was reached.
    pub fn reached(&self) -> SimTime {
        SimTime::ZERO + self.decks[self.shown].now()
    }

    /// The file in which the branch that is shown is recorded.
    pub fn file(&self) -> Option<PathBuf> {
        self.keep.as_ref()?.file(self.history.here().branch)
    }

    /// All that is known of the branch that is shown.
    pub fn recording(&self) -> &Recording {
        self.history.recording()
    }

    /// Where the run stands in its histories.
    pub fn timeline(&mut self) -> Timeline {
        let here = self.history.here();
        let branches = self.history.branches().iter().map(|branch| BranchView {
            from: branch.from,
            end: branch.recording.duration,
            last: branch.recording.commands.last().map(|act| act.command.to_string()),
            forgotten: branch.forgotten,
        });
        Timeline {
            branch: here.branch,
            branches: branches.collect(),
            events: self.events(),
            end: self.history.recording().duration,
            at: here.at,
            arriving: self.decks[self.shown].progress(),
            looped: self.looped,
            replayed: self.replayed,
        }
    }

    /// Two branches at the last moment at which both were looked at.
    pub fn compared(&self, one: usize, other: usize) -> Option<(Arc<Frame>, Arc<Frame>)> {
        self.album.get(one)?.last_common(self.album.get(other)?)
    }

    /// What there was where nobody acts, at the end of the last second that is known.
    pub fn twin(&self) -> Option<Arc<Frame>> {
        self.twin.clone()
    }

    /// What each second since the start is like where nobody acts, as far as that is known.
    pub fn without(&self) -> Arc<Vec<Sample>> {
        Arc::clone(&self.without)
    }

    /// Ends all threads and waits for them. Gives the file in which the branch that was shown is recorded.
    ///
    /// # Errors
    /// What a thread panicked with.
    pub fn end(mut self) -> Result<Option<PathBuf>, Box<dyn Any + Send>> {
        // What was asked for last is still heard, unless it takes long.
        let patience = Instant::now() + AT_THE_END;
        self.poll();
        while (self.unanswered > 0 || !self.waiting.is_empty()) && Instant::now() < patience && !self.ended() {
            thread::sleep(Duration::from_millis(1));
            self.poll();
        }
        self.leaves = true;
        self.ghost = None;
        let mut panic = None;
        for (index, deck) in std::mem::take(&mut self.decks).into_iter().enumerate() {
            match deck.end() {
                Ok(told) if index == self.shown => told.into_iter().for_each(|told| self.hear_at_the_end(told)),
                Ok(_) => {}
                Err(payload) => panic = panic.or(Some(payload)),
            }
        }
        match panic {
            Some(payload) => Err(payload),
            None => Ok(self.file()),
        }
    }

    fn hear_at_the_end(&mut self, told: Told) {
        match told {
            Told::Did(act, scheduled) => self.did(&act, scheduled),
            Told::Checkpoint(checkpoint) => self.checkpoint(self.history.here().branch, checkpoint),
            Told::Ended(stands) => self.ends(self.history.here().branch, stands),
            _ => {}
        }
    }

    /// Hears what all worlds have told, and does what has waited for that.
    fn poll(&mut self) {
        for deck in 0..self.decks.len() {
            let News { now, there, told } = self.decks[deck].take_news();
            let shown = deck == self.shown;
            for told in told {
                self.hear(deck, told);
            }
            if shown && deck == self.shown && there {
                self.history.reach(now);
            }
        }
        if let Some(keep) = &mut self.keep {
            keep.follow(&self.history);
            self.answers.extend(keep.take_trouble().map(Answer::Refused));
        }
        let overtaken = self.unanswered > 0 && self.waiting.front().is_some_and(Order::is_way);
        if overtaken && self.decks[self.shown].has_gone_on_for(LONG_WAY) {
            self.decks[self.shown].drop_orders();
        }
        while self.unanswered == 0
            && let Some(order) = self.waiting.pop_front()
        {
            self.obey(order);
        }
        if self.unanswered == 0 {
            self.answers.append(&mut self.postscript);
        }
        self.steer_followers();
        self.steer_ghost();
    }

    /// Does what concerns more than the world that is shown.
    fn obey(&mut self, order: Order) {
        match order {
            Order::Rewind => self.rewind(),
            Order::Return => self.go_back(),
            Order::GoTo(at) => self.go_to(at),
            Order::Back => self.step_back(),
            Order::Switch(branch) if branch == self.history.here().branch && !self.history.is_past() => {
                self.done(format!("this is branch {}, at its end", branch + 1));
            }
            Order::Switch(branch)
                if self
                    .history
                    .branches()
                    .get(branch)
                    .is_some_and(|branch| !branch.forgotten) =>
            {
                let end = self.history.end(branch);
                self.go(end, false);
                let at = clock(end.at);
                self.done(format!("branch {}, at its end, {at}", branch + 1));
            }
            Order::Switch(_) => self.refuse("there is no such branch: {branches} lists them"),
            Order::Fork => self.fork(),
            Order::CallOff => self.call_off(),
            Order::Again => self.go(self.beginning(), true),
            Order::Mark(name) => self.write_words(&name, true),
            Order::Note(text) => self.write_words(&text, false),
            Order::Write(name) => {
                self.errands += 1;
                self.writes.insert(self.errands, (self.history.here().branch, name));
                if self.decks[self.shown].send(Errand::Seal(self.errands)) {
                    self.unanswered += 1;
                } else {
                    self.refuse("the simulation is too busy to listen");
                }
            }
            Order::Loop(looped) => {
                self.looped = looped && self.replayed;
                match (looped, self.replayed) {
                    (true, true) => self.done("at its end it begins again".to_string()),
                    (true, false) => self.refuse("only a recording loops: blastradius replay FILE"),
                    (false, _) => self.done("at its end it stops".to_string()),
                }
            }
            Order::Do(_) | Order::Run(_) | Order::Pace(_) | Order::StopAt(_) | Order::Seek | Order::Follow(_) => {
                if !self.pass_on(order) {
                    self.refuse("the simulation is too busy to listen");
                }
            }
        }
    }

    pub(super) fn done(&mut self, words: String) {
        self.answers.push(Answer::Done(words));
    }

    /// Says where the run stands.
    pub(super) fn here(&mut self, words: String) {
        self.answers.push(Answer::Here(words));
    }

    pub(super) fn refuse(&mut self, words: &str) {
        self.answers.push(Answer::Refused(words.to_string()));
    }
}

pub(super) fn clock(at: Duration) -> String {
    (SimTime::ZERO + at).to_string()
}
