//! What the person at the keyboard sees and does: the newest view, the selection, what is open. It draws nothing and waits for nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::command::Command;
use crate::observe::{Frame, Sample, Topology};
use crate::replay::Runs;
use crate::report::between;
use crate::sim::SimTime;

use super::engine::{Answer, Order, Pace, Timeline, View};
use super::flash::{self, Flash, Sweep};
use super::keymap::Keymap;
use super::layers;
use super::lens::Lens;
use super::map::{self, Plan};
use super::menu::Menu;
use super::nodes;
use super::palette::Palette;
use super::past::Visit;
use super::picker::{self, Preview};
use super::prompt::{History, Prompt};
use super::queues;
use super::screen::{self, Arrangement, Preset};
use super::select::{self, Item};
use super::speed::Speed;
use super::text;
use super::theme::{Depth, Ground, Name, Role, Theme};
use super::tries::{Launch, Tries};

/// A part of the screen that can be in focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The map.
    Map,
    /// Who sends how much to whom, what is true and what is believed.
    Routing,
    /// Layers of caches.
    Cache,
    /// Latency and errors over time.
    Latency,
    /// The nodes of a database, and what became of its promises.
    Replication,
    /// What waits in queues, who works on it, and what became of it.
    Queues,
    /// Causes of failure.
    Causes,
    /// The newest incident.
    Incident,
    /// Events.
    Log,
}

impl Pane {
    /// Those with a number of their own, the same in every world that has them. The others take what is left.
    const NUMBERED: [Pane; 4] = [Pane::Routing, Pane::Cache, Pane::Replication, Pane::Queues];
    /// The others, in the order of the tab key.
    const OTHERS: [Pane; 4] = [Pane::Latency, Pane::Causes, Pane::Incident, Pane::Log];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Pane::Map => "map",
            Pane::Routing => "routing",
            Pane::Cache => "cache",
            Pane::Latency => "latency and errors",
            Pane::Replication => "replication",
            Pane::Queues => "queues",
            Pane::Causes => "causes",
            Pane::Incident => "incident",
            Pane::Log => "events",
        }
    }
}

/// What lies above the screen and takes the keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// Nothing.
    None,
    /// The help page, scrolled by so many lines.
    Help(u16),
    /// A menu.
    Menu(Menu),
    /// A question before something that cannot be undone.
    Confirm(Command),
    /// The same before an experiment that does it.
    Launch(Launch),
    /// Text is typed.
    Prompt(Prompt),
    /// Everything that can be done.
    Palette(Palette),
    /// A table to be read: its title and its lines.
    Page(String, Vec<String>),
}

/// What is asked of the program around the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Something for the engine.
    Order(Order),
    /// Open the shipped layout of this number.
    Open(usize),
    /// Colour the map by something else.
    Look(Lens),
    /// Show how the branch that is shown differs from this one.
    Compare(usize),
    /// Work out what breaks when each thing fails, or show it.
    Blast,
    /// Play the failure of this number from its start.
    Failure(usize),
    /// Several things for the engine, one after the other: what an experiment does, for example.
    Orders(Vec<Order>),
    /// Open the run again that was left for a failure.
    Reopen,
    /// Show the keys, or how this command is written.
    Help(String),
    /// Say where the run is recorded; the whole path, on a page of its own, if so.
    WhereKept(bool),
    /// Write the layout as it is now to this file.
    SaveLayout(String),
    /// Back to the shell for a while.
    Suspend,
    /// Look like this from now on.
    Wear(Name),
    /// The end.
    Quit,
}

/// How the terminal is used.
#[derive(Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, named at every use"
)]
pub struct Options {
    /// How it looks.
    pub theme: Name,
    /// What is behind the text, as far as that is known.
    pub ground: Ground,
    /// How many colours there are.
    pub depth: Depth,
    /// No sign outside of ASCII.
    pub ascii: bool,
    /// Let traffic move on the screen. Otherwise its signs stand still, and only what they say changes.
    pub motion: bool,
    /// What each key does.
    pub keys: Keymap,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Mark frames so that the terminal shows each of them whole.
    pub synchronized: bool,
    /// Whether time passes at the start.
    pub running: bool,
    /// The speed at the start.
    pub speed: Speed,
    /// Whether the person named no layout, so that the program chose one to begin with.
    pub unasked: bool,
    /// Where runs are recorded, if they are.
    pub runs: Option<Runs>,
    /// The file that remembers which experiments were done, if one does.
    pub ticks: Option<PathBuf>,
    /// Whether nobody sits at the keyboard: a recording ends by itself when it is over.
    pub unattended: bool,
}

impl Options {
    /// Colours as the environment says, everything else as most people like it.
    pub fn from_env() -> Options {
        let variable = |name: &str| std::env::var(name).ok();
        Options {
            ground: Ground::detect(variable),
            depth: Depth::detect(variable),
            ..Options::default()
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            theme: Name::Auto,
            ground: Ground::Dark,
            depth: Depth::True,
            ascii: false,
            motion: true,
            keys: Keymap::default(),
            mouse: true,
            synchronized: true,
            running: true,
            speed: Speed::REAL,
            unasked: false,
            runs: None,
            ticks: None,
            unattended: false,
        }
    }
}

/// A line for the person, gone after a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The line.
    pub words: String,
    /// How it looks.
    pub role: Role,
    /// How long it stays.
    pub left: Duration,
    /// Whether it is about the moment that is shown, so that it goes when the run goes on.
    pub here: bool,
}

/// A layout that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name: `04-load-balancer`.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
}

/// The state of the screen.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct App {
    /// The layout's name.
    pub name: String,
    /// The newest view.
    pub view: View,
    /// Where the run stands in its histories.
    pub timeline: Timeline,
    /// What each second since the start is like where nobody acts, as far as that is known.
    pub without: Arc<Vec<Sample>>,
    /// What there was at the end of the last of them.
    pub twin: Option<Arc<Frame>>,
    /// What is selected.
    pub selected: Item,
    /// The pane in focus.
    pub focus: Pane,
    /// The pane that has the screen for itself.
    pub zoom: Option<Pane>,
    /// Whether the inspector is open.
    pub inspector: bool,
    /// What lies above.
    pub over: Over,
    /// What is known of what would come of the command that is asked about.
    pub foreseen: Option<String>,
    /// The latest message.
    pub notice: Option<Notice>,
    /// How far the event log is scrolled back, in lines.
    pub scrolled: usize,
    /// The first line of the waterfall where the person has leafed in it, and when the request of that began.
    pub(super) leafed: Option<(SimTime, usize)>,
    /// What was searched for last.
    pub sought: String,
    /// What was selected when the search that is typed began.
    pub(super) sought_from: Item,
    /// What was typed before.
    pub history: History,
    /// The command line that was entered last, until it is answered.
    pub(super) asked: Option<String>,
    /// The fault that was chosen last.
    pub last_fault: Option<Command>,
    /// What was marked, as one end of a link.
    pub marked: Option<Item>,
    /// Which panes have the screen.
    pub preset: Preset,
    /// What machines on the map are coloured by.
    pub lens: Lens,
    /// Layouts that can be opened.
    pub choices: Vec<Choice>,
    /// What the layout under the cursor looks like, while one is chosen.
    pub(super) preview: Option<Preview>,
    /// What there is to try.
    pub tries: Tries,
    /// What this run is to the person.
    pub visit: Visit,
    /// How far everything is that fails in turn beside the run, from 0 to 1, while it does.
    pub(super) studied: Option<f64>,
    /// What has just changed.
    pub(super) flashes: Vec<Flash>,
    /// Ways that have just taken traffic over.
    pub(super) sweeps: Vec<Sweep>,
    /// How far traffic has moved on the screen, in cells.
    pub phase: f64,
    /// Where everything on the map stands.
    pub plan: Plan,
    /// Where everything on the screen stands.
    pub arrangement: Arrangement,
    pub(super) theme: Theme,
    colors: (Ground, Depth),
    pub(super) keymap: Keymap,
    pub(super) ascii: bool,
    pub(super) motion: bool,
    /// Whether the program chose the layout.
    pub(super) unasked: bool,
    planned: (u64, Rect, [Option<usize>; 2]),
    /// The data center that the map shows alone, if it does.
    pub(super) within: Option<usize>,
    /// Whether the service of the selection is shown alone, by its machines.
    pub(super) opened: bool,
}

/// How fast traffic moves, in cells a second on the wall.
const FLOW_SPEED: f64 = 14.0;
/// How long a message stays.
const NOTICE: Duration = Duration::from_secs(4);

impl App {
    /// The screen of a world that has just begun.
    pub fn new(name: &str, view: View, choices: Vec<Choice>, options: &Options) -> App {
        let selected = select::first(&view.frame);
        App {
            name: name.to_string(),
            view,
            timeline: Timeline::default(),
            without: Arc::default(),
            twin: None,
            selected,
            focus: Pane::Map,
            zoom: None,
            inspector: false,
            over: Over::None,
            foreseen: None,
            notice: None,
            scrolled: 0,
            leafed: None,
            sought: String::new(),
            sought_from: selected,
            history: History::default(),
            asked: None,
            last_fault: None,
            marked: None,
            preset: Preset::default(),
            lens: Lens::default(),
            choices,
            preview: None,
            studied: None,
            flashes: Vec::new(),
            sweeps: Vec::new(),
            tries: Tries::default(),
            visit: Visit::default(),
            phase: 0.0,
            plan: Plan::default(),
            arrangement: Arrangement::default(),
            theme: Theme::new(options.theme, options.ground, options.depth),
            colors: (options.ground, options.depth),
            keymap: options.keys.clone(),
            ascii: options.ascii,
            motion: options.motion,
            unasked: options.unasked,
            planned: (u64::MAX, Rect::ZERO, [None; 2]),
            within: None,
            opened: false,
        }
    }

    /// The newest frame.
    pub fn frame(&self) -> &Frame {
        &self.view.frame
    }

    /// The shape of the world.
    pub fn topology(&self) -> &Topology {
        &self.view.frame.topology
    }

    /// The panes that there are, in the order of the tab key: the number of each is its place.
    pub fn panes(&self) -> Vec<Pane> {
        let has = |pane: Pane| match pane {
            Pane::Cache => layers::any(self.frame()),
            Pane::Replication => nodes::first(self.frame()).is_some(),
            Pane::Queues => queues::any(self.frame()),
            _ => true,
        };
        let mut others = Pane::OTHERS.into_iter();
        let mut panes = vec![Pane::Map];
        for pane in Pane::NUMBERED {
            panes.extend(Some(pane).filter(|pane| has(*pane)).or_else(|| others.next()));
        }
        panes.extend(others);
        panes
    }

    /// A pane's name and, but for the map, its number.
    pub fn pane_title(&self, pane: Pane) -> String {
        match self.panes().iter().position(|other| *other == pane) {
            Some(number) if number > 0 => format!("{number} {}", pane.name()),
            _ => pane.name().to_string(),
        }
    }

    /// Takes a newer view.
    pub fn show(&mut self, view: View) {
        let passed = view.frame.at.since(self.view.frame.at).as_secs_f64();
        let cells = view
            .effective()
            .factor()
            .map_or(0.7, |factor| passed / factor * FLOW_SPEED);
        if self.motion {
            // Where time jumps, traffic moves on by a little, so that the eye can follow.
            self.phase = (self.phase + cells.min(2.5)).rem_euclid(3_600.0);
        }
        let before = std::mem::replace(&mut self.view, view);
        let after = &self.view.frame;
        if self.motion {
            self.flashes.extend(flash::news(&before.frame, after));
            let taken = flash::takeovers(&before.frame, after);
            self.sweeps.retain(|sweep| !taken.iter().any(|new| new.is_of(sweep)));
            self.sweeps.extend(taken);
        }
        if before.frame.topology != after.topology {
            let follow = |item: Item| {
                item.follow(&before.frame.topology, &after.topology)
                    .unwrap_or_else(|| select::first(after))
            };
            let goes_on = self.selected.follow(&before.frame.topology, &after.topology).is_some();
            self.opened &= goes_on;
            let selected = follow(self.selected).beside(self.selected, self.opened, &after.topology);
            (self.selected, self.sought_from) = (selected, follow(self.sought_from));
            self.marked = self
                .marked
                .and_then(|item| item.follow(&before.frame.topology, &after.topology));
            self.planned.1 = Rect::ZERO;
            self.flashes.clear();
            self.sweeps.clear();
            if !self.panes().contains(&self.focus) {
                (self.focus, self.zoom) = (Pane::Map, None);
            }
        }
        if self.scrolled > 0 {
            let new = after.log_total.saturating_sub(before.frame.log_total) as usize;
            self.scrolled = (self.scrolled + new).min(after.log.len());
        }
    }

    /// Takes what came of an order. A typed command that was refused comes back, to be mended.
    pub fn hear(&mut self, answer: Answer) {
        self.hear_try(&answer);
        let asked = self.asked.take();
        match (answer, asked) {
            (Answer::Done(words), _) => self.say(words, Role::Notice),
            (Answer::Here(words), _) => {
                self.say(self.with_return(words), Role::Notice);
                self.notice.iter_mut().for_each(|notice| notice.here = true);
            }
            (Answer::Refused(words), Some(line)) if self.over == Over::None => {
                self.over = Over::Prompt(Prompt::refused(&line, words));
            }
            (Answer::Refused(words), _) => self.say(words, Role::Refusal),
        }
    }

    /// Changes how it looks. Without colours there is one theme only, and that is said.
    pub fn wear(&mut self, name: Name) {
        let (ground, depth) = self.colors;
        self.theme = Theme::new(name, ground, depth);
        if depth == Depth::Mono && name != Name::Mono {
            self.say(
                "there are no colours here: NO_COLOR is set, or TERM is dumb",
                Role::Refusal,
            );
        } else {
            self.say(format!("{}: {}", name.word(), name.about()), Role::Notice);
        }
    }

    /// Shows a line for a while.
    pub fn say(&mut self, words: impl Into<String>, role: Role) {
        self.notice = Some(Notice {
            // Who says it does not know the keys.
            words: self.keymap.fill(&words.into()),
            role,
            left: NOTICE,
            here: false,
        });
    }

    /// Lets time on the wall pass. True when something on the screen changed by it.
    pub fn tick(&mut self, passed: Duration) -> bool {
        let swept = flash::sweep_on(&mut self.sweeps, passed);
        let faded = flash::fade(&mut self.flashes, passed) || swept;
        let Some(notice) = &mut self.notice else { return faded };
        notice.left = notice.left.saturating_sub(passed);
        let over = notice.left.is_zero();
        if over {
            self.notice = None;
        }
        over || faded
    }

    /// Sets the screen out for a size; costs something only when the size, the shape of the world or what is open has changed.
    pub fn prepare(&mut self, area: Rect) {
        picker::prepare(self, area);
        self.arrangement = screen::arrange(self, area);
        let map = self.arrangement.map;
        // What is selected is seen, wherever it stands.
        let selected = match self.selected {
            Item::Site(site) => Some(site),
            other => other
                .service()
                .and_then(|service| self.topology().services.get(service)?.site),
        };
        self.within = self.within.filter(|site| selected.is_none_or(|other| other == *site));
        self.opened &= self.alone().is_some();
        self.plan_map(map);
    }

    /// The service that is shown alone: that of the selection.
    pub(super) fn alone(&self) -> Option<usize> {
        let service = self.selected.service().filter(|_| self.opened)?;
        let info = self.topology().services.get(service)?;
        (!info.instances.is_empty()).then_some(service)
    }

    /// Shows all data centers, at once: whoever seeks something may find it in any.
    pub(super) fn show_all(&mut self) {
        self.within = None;
        self.opened = false;
        self.plan_map(self.planned.1);
    }

    fn plan_map(&mut self, map: Rect) {
        let key = (self.topology().version, map, [self.within, self.alone()]);
        if self.planned != key {
            self.plan = match (self.within, self.alone()) {
                (_, Some(service)) => map::roster(self.topology(), service, map.width, map.height),
                (Some(site), None) => map::plan(&map::within(self.topology(), site), map.width, map.height),
                (None, None) => map::plan(self.topology(), map.width, map.height),
            };
            self.planned = key;
        }
    }

    /// The second that ends at a moment, where nobody acts.
    pub fn undisturbed(&self, at: SimTime) -> Option<&Sample> {
        let index = usize::try_from(at.elapsed().as_secs()).ok()?.checked_sub(1)?;
        self.without.get(index).filter(|sample| sample.at == at)
    }

    /// Requests that fail between two moments where nobody acts; nothing while that is not known.
    pub fn failed_undisturbed(&self, from: SimTime, to: SimTime) -> Option<u64> {
        let known = self.without.last()?.at;
        // Of the second that has just begun nothing is known here either.
        let end = to.min(known);
        let follows = known + Duration::from_secs(1) > to && end > from;
        follows.then(|| between(&self.without, from.seconds(), end.seconds(), |tally| tally.failed))
    }

    /// Whether a request is followed, or one is sought.
    pub fn follows(&self) -> bool {
        self.frame().followed.is_some() || matches!(self.view.pace, Pace::Following(_))
    }

    /// The next rung of the ladder of layouts: from one server on where the program chose the first layout, else the one after this.
    pub fn next_rung(&self) -> usize {
        let here = self.choices.iter().position(|choice| choice.name == self.name);
        let next = here.filter(|_| !self.unasked).map_or(0, |here| here + 1);
        next.min(self.choices.len().saturating_sub(1))
    }

    /// What the selection is called in commands.
    pub fn target(&self) -> Option<&str> {
        self.selected.selector(self.topology())
    }

    /// The line about speed in the header: `1x`, `0.1x slow motion`, `60x (23x reached)`.
    pub fn speed(&self) -> String {
        let label = self.view.effective().label();
        match (self.view.behind, self.view.effective().factor()) {
            (Some(real), Some(_)) if self.view.running && !matches!(self.view.pace, Pace::Following(_)) => {
                let real = if real < 9.95 {
                    format!("{:.1}", real.max(0.1))
                } else {
                    text::short(real)
                };
                format!("{label} (reaches {real}x)")
            }
            (Some(real), None) if self.view.running => format!("{label} ({}x)", text::short(real)),
            _ => label,
        }
    }
}
