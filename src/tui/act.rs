//! From keys and clicks to intents. Nothing here draws or touches the world.

use std::time::Duration;

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use crate::command::{Command, Fault, SETTINGS, Selector, VERBS};
use crate::layout::duration;
use crate::observe::Sample;
use crate::world::Follow;

use super::app::{App, Intent, Over, Pane};
use super::changes;
use super::complete;
use super::engine::{self, Order};
use super::keymap::Action;
use super::menu::{self, Choice, Menu};
use super::palette::{Palette, Pressed};
use super::panels::request::Leaf;
use super::past;
use super::prompt::{Prompt, Purpose, Typed};
use super::question;
use super::screen::Preset;
use super::select::{self, Item, Way};
use super::theme::Role;
use super::words::{self, WORDS};

/// So long before the end of a second those requests begin that are told of in it.
const BEFORE: Duration = Duration::from_secs(2);

impl App {
    /// Takes what the terminal reports, and says what is to be done.
    pub fn handle(&mut self, event: &Event) -> Option<Intent> {
        let intent = self.take(event);
        if let Some(Intent::Order(order)) = &intent {
            self.strays(order);
            if order.moves_on() {
                self.notice = self.notice.take().filter(|notice| !notice.here);
            }
        }
        intent
    }

    fn take(&mut self, event: &Event) -> Option<Intent> {
        match event {
            Event::Key(key) if key.is_press() || key.is_repeat() => self.key(*key),
            Event::Paste(pasted) => {
                match &mut self.over {
                    Over::Prompt(prompt) => prompt.paste(pasted),
                    Over::Palette(palette) => palette.paste(pasted),
                    _ => {}
                }
                None
            }
            Event::Mouse(mouse) => self.mouse(*mouse),
            _ => None,
        }
    }

    fn key(&mut self, key: KeyEvent) -> Option<Intent> {
        let action = self.keymap.action(key);
        if action == Some(Action::Suspend) {
            return Some(Intent::Suspend);
        }
        match std::mem::replace(&mut self.over, Over::None) {
            Over::Prompt(prompt) => self.type_key(prompt, key),
            Over::Menu(menu) => self.menu_key(menu, key),
            Over::Palette(palette) => self.palette_key(palette, key),
            Over::Help(scrolled) => self.help_key(scrolled, key),
            Over::Confirm(command) => {
                let agreed = self.agrees(key);
                agreed.then_some(Intent::Order(Order::Do(command)))
            }
            Over::Launch(launch) if self.agrees(key) => self.agreed(launch),
            Over::Launch(_) | Over::Page(..) => None,
            Over::None => action.and_then(|action| self.act(action)),
        }
    }

    fn palette_key(&mut self, mut palette: Palette, key: KeyEvent) -> Option<Intent> {
        match palette.key(self, key) {
            Pressed::Closed => None,
            Pressed::Chosen(choice) => self.choose(choice),
            Pressed::Stays => {
                self.over = Over::Palette(palette);
                None
            }
        }
    }

    /// Whether a key agrees to what is asked.
    fn agrees(&mut self, key: KeyEvent) -> bool {
        let agrees = matches!(key.code, KeyCode::Char('y' | 'Y'));
        if !agrees {
            self.say("kept as it is", Role::Notice);
        }
        agrees
    }

    fn help_key(&mut self, scrolled: u16, key: KeyEvent) -> Option<Intent> {
        match self.keymap.action(key) {
            Some(Action::Down) => self.over = Over::Help(scrolled.saturating_add(1).min(40)),
            Some(Action::Up) => self.over = Over::Help(scrolled.saturating_sub(1)),
            Some(Action::PageDown) => self.over = Over::Help(scrolled.saturating_add(10).min(40)),
            Some(Action::PageUp) => self.over = Over::Help(scrolled.saturating_sub(10)),
            Some(Action::First) => self.over = Over::Help(0),
            Some(Action::Last) => self.over = Over::Help(40),
            Some(Action::Quit) if is_ctrl_c(key) => return Some(Intent::Quit),
            _ => {}
        }
        None
    }

    fn menu_key(&mut self, mut menu: Menu, key: KeyEvent) -> Option<Intent> {
        let chosen = match key.code {
            _ if is_ctrl_c(key) => return Some(Intent::Quit),
            KeyCode::Esc => return None,
            KeyCode::Enter => menu.entries.get(menu.at).cloned(),
            _ if menu.title.starts_with("faults") && self.keymap.action(key) == Some(Action::Faults) => {
                let last = self.last_fault.clone()?;
                let again = menu::again(&last, self.target());
                return self
                    .unless_asked(again)
                    .map(|command| Intent::Order(Order::Do(command)));
            }
            KeyCode::Char(c) if menu.keyed(c).is_some() => menu.keyed(c).cloned(),
            _ => {
                match self.keymap.action(key) {
                    Some(Action::Down | Action::NextPane) => menu.step(1),
                    Some(Action::Up | Action::PreviousPane) => menu.step(-1),
                    Some(Action::First) => menu.step(isize::MIN),
                    Some(Action::Last) => menu.step(isize::MAX),
                    Some(Action::Quit) => return None,
                    _ => {
                        if let KeyCode::Char(key) = key.code {
                            self.say(menu.without(key), Role::Refusal);
                        }
                    }
                }
                self.over = Over::Menu(menu);
                return None;
            }
        };
        self.choose(chosen?.choice)
    }

    /// Does what an entry of a menu stands for.
    pub(super) fn choose(&mut self, choice: Choice) -> Option<Intent> {
        Some(match choice {
            Choice::Fault(command) => {
                self.last_fault = Some(command.clone());
                Intent::Order(Order::Do(self.unless_asked(command)?))
            }
            Choice::Change(command) => Intent::Order(Order::Do(command)),
            Choice::Line(line) => {
                let command = self.read(&line)?;
                Intent::Order(Order::Do(self.unless_asked(command)?))
            }
            Choice::Open(index) => Intent::Open(index),
            Choice::Order(order) => Intent::Order(order),
            Choice::Compare(other) => Intent::Compare(other),
            Choice::Failure(place) => Intent::Failure(place),
            Choice::Look(lens) => Intent::Look(lens),
            Choice::Act(action) => return self.act(action),
            Choice::Type(line) => {
                self.over = Over::Prompt(Prompt::begun(&line));
                return None;
            }
            Choice::Kinds(site) => {
                self.open(changes::kinds(self, site), "there is no data center");
                return None;
            }
            Choice::Try(place) => return self.try_out(place),
            Choice::Told => {
                self.tell_again();
                return None;
            }
        })
    }

    /// The command, if it needs no question; else asks.
    fn unless_asked(&mut self, command: Command) -> Option<Command> {
        if question::asks(self.frame(), &command) {
            self.over = Over::Confirm(command);
            return None;
        }
        Some(command)
    }

    /// The command of a line that a key stands for.
    pub(super) fn read(&mut self, line: &str) -> Option<Command> {
        match Command::parse(line) {
            Ok(command) => Some(command),
            Err(error) => {
                self.say(error.to_string(), Role::Refusal);
                None
            }
        }
    }

    fn type_key(&mut self, mut prompt: Prompt, key: KeyEvent) -> Option<Intent> {
        let typed = prompt.key(key, &self.history);
        match typed {
            Typed::Left => {
                if prompt.purpose == Purpose::Find {
                    self.selected = self.sought_from;
                }
                return None;
            }
            Typed::Done => {
                return match prompt.purpose {
                    Purpose::Predict(place) => self.predicted(place, prompt),
                    _ => self.typed(&prompt),
                };
            }
            // What is expected is none of the names that there are.
            Typed::Complete if matches!(prompt.purpose, Purpose::Predict(_)) => {}
            Typed::Complete => {
                let candidates = complete::candidates(self.topology(), prompt.text());
                prompt.complete(&candidates);
            }
            Typed::Changed if prompt.purpose == Purpose::Find => self.look_for(prompt.text()),
            Typed::Changed | Typed::Nothing => {}
        }
        self.over = Over::Prompt(prompt);
        None
    }

    fn typed(&mut self, prompt: &Prompt) -> Option<Intent> {
        let line = prompt.text().trim().to_string();
        if line.is_empty() {
            return None;
        }
        if prompt.purpose == Purpose::Find {
            self.look_for(&line);
            self.sought = line;
            return None;
        }
        if prompt.purpose == Purpose::Mark {
            return Some(Intent::Order(Order::Mark(line)));
        }
        self.history.add(&line);
        if let Some(ahead) = line.strip_prefix("preview ") {
            match Command::parse(ahead) {
                Ok(command) => self.over = Over::Confirm(command),
                Err(error) => self.over = Over::Prompt(Prompt::refused(&line, error.to_string())),
            }
            return None;
        }
        match words::read(&line) {
            None => {}
            Some(Ok(intent)) => return Some(intent),
            Some(Err(why)) => {
                self.over = Over::Prompt(Prompt::refused(&line, why));
                return None;
            }
        }
        match Command::parse(&line) {
            Ok(command) if question::hits_most(self.frame(), &command) => {
                self.over = Over::Confirm(command);
                None
            }
            Ok(command) => {
                self.asked = Some(line);
                Some(Intent::Order(Order::Do(command)))
            }
            Err(error) => {
                let why = words::refusal(self.topology(), &line, &error);
                self.over = Over::Prompt(Prompt::refused(&line, why));
                None
            }
        }
    }

    /// Selects what is named like the text that is typed so far, from where the search began. Without a hit the selection stays there.
    fn look_for(&mut self, text: &str) {
        self.notice = None;
        self.selected = self.sought_from;
        self.seek(text, 0);
    }

    /// Selects what is named like this: the one under the cursor or the next, moved on by so many.
    fn seek(&mut self, text: &str, by: isize) {
        if text.is_empty() {
            return;
        }
        let found = select::matching(&self.plan, self.topology(), text);
        let count = found.len();
        if count == 0 {
            self.say(format!("nothing is named like `{text}`"), Role::Refusal);
            return;
        }
        let here = found.iter().position(|item| *item == self.selected);
        // What is named so comes before what is only named like it.
        let exact = found.iter().position(|item| {
            let name = item.selector(self.topology()).unwrap_or_default();
            name.rsplit('/').next() == Some(text)
        });
        let next = here.map_or(exact.unwrap_or(0), |here| {
            (here + count).saturating_add_signed(by) % count
        });
        self.selected = found[next];
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action) -> Option<Intent> {
        match action {
            Action::Left => self.go(Way::Left),
            Action::Down => self.go(Way::Down),
            Action::Up => self.go(Way::Up),
            Action::Right => self.go(Way::Right),
            Action::First | Action::Last => self.end(action == Action::First),
            Action::PageUp | Action::PageDown => self.page(action == Action::PageUp),
            Action::Enter => self.enter(),
            Action::Back if self.timeline.arriving.is_some() => return Some(Intent::Order(Order::CallOff)),
            // It goes on, or stands still, as it did before it looked for a milestone.
            Action::Back if self.view.pace == engine::Pace::Seeking => {
                return Some(Intent::Order(Order::Run(self.view.running)));
            }
            Action::Back if self.follows() => return Some(Intent::Order(Order::Follow(None))),
            Action::Back => self.back(),
            Action::NextPane => self.turn(1),
            Action::PreviousPane => self.turn(self.panes().len() - 1),
            Action::Pane(number) => self.pane(usize::from(number)),
            Action::Inspect => self.inspector = !self.inspector,
            Action::Help => self.over = Over::Help(0),
            Action::Command => self.over = Over::Prompt(Prompt::new(Purpose::Command)),
            Action::Find => {
                self.show_all();
                self.sought_from = self.selected;
                self.over = Over::Prompt(Prompt::new(Purpose::Find));
            }
            Action::FindNext | Action::FindPrevious => {
                self.show_all();
                let sought = self.sought.clone();
                self.seek(&sought, if action == Action::FindNext { 1 } else { -1 });
            }
            Action::Faults => self.open(menu::faults(self), "nothing else can go wrong with it"),
            Action::Edit => self.open(changes::menu(self), "it has nothing that can be changed"),
            Action::Branches => self.over = Over::Menu(past::branches(self)),
            Action::Blast => return Some(Intent::Blast),
            Action::Watch => return Some(self.watched()),
            Action::Preview => self.over = Over::Confirm(self.kill()?),
            Action::Lens => self.lens = self.lens.turned(1),
            Action::LensBack => self.lens = self.lens.turned(-1),
            Action::Pick => self.pick(),
            Action::Preset => {
                self.preset = self.preset.next();
                self.zoom = None;
                // What is in focus is on the screen.
                let shown = usize::from(self.preset == Preset::Panels);
                self.focus = self.panes().get(shown).copied().unwrap_or(Pane::Map);
                self.say(format!("on the screen: {}", self.preset.words()), Role::Notice);
            }
            Action::Palette => self.over = Over::Palette(Palette::default()),
            Action::Try => self.open(self.tries_menu(), "this layout offers nothing to try"),
            Action::Mark => self.over = Over::Prompt(Prompt::new(Purpose::Mark)),
            Action::Open => {
                let rung = self.next_rung();
                let layouts = menu::layouts(self).map(|menu| Menu { at: rung, ..menu });
                self.open(layouts, "there are no layouts to open");
            }
            Action::Quit => return Some(Intent::Quit),
            Action::Suspend => return Some(Intent::Suspend),
            _ => return self.order(action).map(Intent::Order),
        }
        None
    }

    /// Which request w follows: one that fails or is slow, from the panes about that; else one that comes by the selection.
    fn wanted(&self) -> Follow {
        match self.focus {
            Pane::Causes => Follow::Failing(None),
            Pane::Latency => Follow::Slower(self.frame().recent_latency.p99),
            _ => Follow::Through(self.target().map(|target| Selector(target.to_string()))),
        }
    }

    /// Follows a request of the kind that the pane in focus is about: where none comes now but some did, from just before those.
    fn watched(&mut self) -> Intent {
        let Some((at, follow)) = self.last_such() else {
            return Intent::Order(Order::Follow(Some(self.wanted())));
        };
        self.say(
            format!("none comes now: back to {}, when one did", duration::format(at)),
            Role::Notice,
        );
        let orders = [Order::GoTo(at), Order::Follow(Some(follow)), Order::Run(true)];
        Intent::Orders(orders.into())
    }

    /// The moment before the last second that the pane in focus would tell of, if it tells of none now.
    fn last_such(&self) -> Option<(Duration, Follow)> {
        let frame = self.frame();
        let before = |second: &Sample| second.at.elapsed().saturating_sub(BEFORE);
        let mut seconds = frame.history.iter().rev();
        match self.focus {
            Pane::Causes if frame.recent.failed == 0 => {
                let last = seconds.find(|second| second.tally.failed > 0)?;
                Some((before(last), Follow::Failing(None)))
            }
            Pane::Latency => {
                let spike = seconds.max_by_key(|second| (second.p99, second.at))?;
                let is_over = spike.p99 > frame.recent_latency.p99 * 2;
                is_over.then(|| (before(spike), Follow::Slower(spike.p99)))
            }
            _ => None,
        }
    }

    pub(super) fn open(&mut self, menu: Option<Menu>, otherwise: &str) {
        match menu {
            Some(menu) => self.over = Over::Menu(menu),
            None => self.say(otherwise, Role::Refusal),
        }
    }

    /// What a key asks of the engine.
    fn order(&mut self, action: Action) -> Option<Order> {
        Some(match action {
            Action::Pause => {
                self.view.running = !self.view.running;
                Order::Run(self.view.running)
            }
            Action::Slower | Action::Faster => {
                let speed = self.view.speed;
                // Keys that come before the next view count from here.
                self.view.speed = if action == Action::Slower {
                    speed.slower()
                } else {
                    speed.faster()
                };
                Order::Pace(self.view.speed)
            }
            Action::NextMilestone => Order::Seek,
            Action::LastMilestone => Order::Back,
            Action::Rewind => Order::Rewind,
            Action::Return => Order::Return,
            Action::Earlier => Order::GoTo(self.timeline.at.saturating_sub(past::SCRUB)),
            Action::Later => Order::GoTo((self.timeline.at + past::SCRUB).min(self.timeline.end)),
            Action::MendAll => Order::Do(Command::MendAll),
            Action::Surge => Order::Do(Command::Surge(None, (self.frame().traffic * 2.0).min(1_000.0))),
            Action::Calm => Order::Do(Command::Surge(None, self.frame().traffic / 2.0)),
            Action::Kill => Order::Do(self.kill()?),
            Action::Destroy => {
                let command = Command::Destroy(self.victim("destroyed")?);
                Order::Do(self.unless_asked(command)?)
            }
            Action::Mend => Order::Do(Command::Mend(self.victim("mended")?)),
            Action::Flush => {
                let command = self.flush()?;
                Order::Do(self.unless_asked(command)?)
            }
            Action::More => Order::Do(self.scale(1)?),
            Action::Fewer => Order::Do(self.scale(-1)?),
            _ => return None,
        })
    }

    fn go(&mut self, way: Way) {
        match (self.focus, way) {
            (Pane::Log, Way::Up) => self.scroll(1),
            (Pane::Log, Way::Down) => self.scroll(-1),
            (_, Way::Up) if self.leaf(Leaf::Lines(-1)) => {}
            (_, Way::Down) if self.leaf(Leaf::Lines(1)) => {}
            _ => {
                if let Some(item) = select::step(&self.plan, self.topology(), self.selected, way) {
                    self.selected = item;
                }
            }
        }
    }

    pub(super) fn scroll(&mut self, by: isize) {
        let most = self.frame().log.len().saturating_sub(1);
        self.scrolled = self.scrolled.saturating_add_signed(by).min(most);
    }

    fn end(&mut self, first: bool) {
        if self.focus == Pane::Log {
            self.scrolled = if first {
                self.frame().log.len().saturating_sub(1)
            } else {
                0
            };
        } else if let Some(item) = select::end(&self.plan, first) {
            self.selected = item;
        }
    }

    /// A page of the waterfall, where that is longer than its panel, or of the machines of a service that is shown alone; else one of the events.
    fn page(&mut self, up: bool) {
        let by = if up { -1 } else { 1 };
        if let (Pane::Map, Some(service), Item::Instance(_, at)) = (self.focus, self.alone(), self.selected) {
            let last = self.topology().services[service].instances.len() - 1;
            let rows = isize::from(self.arrangement.map.height.max(3).cast_signed() - 2);
            self.selected = Item::Instance(service, at.saturating_add_signed(by * rows).min(last));
        } else if !self.leaf(Leaf::Pages(by)) {
            let lines = self
                .arrangement
                .area(Pane::Log)
                .map_or(10, |area| area.height.max(4) - 3);
            self.scroll(-by * usize::from(lines).cast_signed());
        }
    }

    fn enter(&mut self) {
        if self.focus != Pane::Map {
            self.zoom = Some(self.focus);
        } else if let Some(inside) = self.selected.inside(self.topology()) {
            if let Item::Site(site) = self.selected {
                self.within = Some(site).filter(|_| self.topology().sites.len() > 1);
            }
            self.opened = matches!(self.selected, Item::Service(_));
            self.selected = inside;
        } else {
            self.inspector = true;
        }
    }

    fn back(&mut self) {
        if self.inspector {
            self.inspector = false;
        } else if self.zoom.take().is_some() {
            self.scrolled = 0;
        } else if self.focus != Pane::Map {
            self.focus = Pane::Map;
            self.scrolled = 0;
        } else if let Some(service) = self.alone() {
            self.opened = false;
            self.selected = Item::Service(service);
        } else if self.within.is_some() && matches!(self.selected, Item::Site(_)) {
            self.within = None;
        } else if let Some(outside) = self.selected.outside(self.topology()) {
            self.selected = outside;
        }
    }

    fn turn(&mut self, by: usize) {
        let panes = self.panes();
        let here = panes.iter().position(|pane| *pane == self.focus).unwrap_or(0);
        let next = (1..=panes.len())
            .map(|step| panes[(here + by * step) % panes.len()])
            .find(|pane| self.zoom.is_some() || self.arrangement.area(*pane).is_some());
        self.focus = next.unwrap_or(Pane::Map);
        if self.zoom.is_some() {
            self.zoom = Some(self.focus);
        }
    }

    fn pane(&mut self, number: usize) {
        let Some(pane) = self.panes().get(number).copied() else {
            return;
        };
        let hidden = self.arrangement.area(pane).is_none();
        self.zoom = match self.zoom {
            Some(zoomed) if zoomed == pane => None,
            Some(_) => Some(pane),
            None if self.focus == pane || hidden => Some(pane),
            None => None,
        };
        self.focus = pane;
    }

    /// What the command line expects: of the verb, or of the setting that is named.
    pub fn usage(&self, line: &str) -> Option<String> {
        let mut words = line.split_whitespace();
        let verb = words.next()?;
        if let Some(word) = WORDS.iter().find(|word| word.name == verb) {
            return Some(format!("{}   {}", word.usage, word.does));
        }
        let Some(row) = VERBS.iter().find(|row| row.name == verb) else {
            let fault = Fault::named(verb)?;
            return Some(format!("{}   {}", fault.usage, fault.effect));
        };
        let setting = words.nth(1).filter(|_| verb == complete::SET);
        let setting = setting.and_then(|name| SETTINGS.iter().find(|row| row.name == name));
        Some(match setting {
            Some(setting) => format!("{}   {}", setting.usage, setting.about),
            None => format!("{}   {}", row.usage, row.about),
        })
    }
}

/// The key that ends the program wherever one is.
fn is_ctrl_c(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}
