//! Menus: lists of things to do, each with a key of its own.

use std::time::Duration;

use crate::command::{Command, LinkSelector, Selector};
use crate::observe::{Kind, LinkKind, Topology};

use super::app::App;
use super::select::Item;

/// What an entry does.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// A fault; it can be repeated.
    Fault(Command),
    /// A change.
    Change(Command),
    /// A command as one would type it, read when it is used.
    Line(String),
    /// Opens the layout of this number.
    Open(usize),
}

/// A line of a menu.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: Option<char>,
    /// What it does, in words.
    pub words: String,
    /// More about it.
    pub detail: String,
    /// What it does.
    pub choice: Choice,
    /// Whether it is so already.
    pub now: bool,
}

/// A list of things to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Menu {
    /// Its title.
    pub title: String,
    /// Its lines.
    pub entries: Vec<Entry>,
    /// The line under the cursor.
    pub at: usize,
    /// A line below.
    pub hint: String,
}

impl Menu {
    /// Moves the cursor.
    pub fn step(&mut self, by: isize) {
        let last = self.entries.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// The entry of a key.
    pub fn keyed(&self, key: char) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == Some(key))
    }
}

const DELAY: Duration = Duration::from_millis(200);
const LOSS: f64 = 0.2;
const SLOWNESS: f64 = 10.0;

/// The faults that can be done to the selection; `None` for what has none.
pub fn faults(app: &App) -> Option<Menu> {
    let topology = app.topology();
    let target = app.target()?.to_string();
    let mut entries = Vec::new();
    if app.selected.kind(topology) != Some(Kind::Users) {
        let selector = || Selector(target.clone());
        entries.push(entry(
            'h',
            &format!("hang {target}"),
            "accepts, never answers",
            Command::Hang(selector()),
        ));
        entries.push(entry(
            's',
            &format!("slow {target} {SLOWNESS}"),
            "all its work takes ten times as long",
            Command::Slow(selector(), SLOWNESS),
        ));
    }
    let mut keys = "cdpCDP123456789".chars();
    for (from, to) in links(topology, app.selected) {
        let link = || LinkSelector {
            from: Selector(from.clone()),
            to: Selector(to.clone()),
            both: true,
        };
        let mut add = |words: String, detail: &str, command: Command| {
            entries.push(Entry {
                key: keys.next(),
                words,
                detail: detail.to_string(),
                choice: Choice::Fault(command),
                now: false,
            });
        };
        add(
            format!("cut {from} <-> {to}"),
            "silence, not an error",
            Command::Cut(link()),
        );
        add(
            format!("delay {from} <-> {to}"),
            "200 ms each way",
            Command::Delay(link(), DELAY),
        );
        add(
            format!("drop on {from} <-> {to}"),
            "a fifth of the packets",
            Command::Drop(link(), LOSS),
        );
    }
    let hint = match &app.last_fault {
        Some(_) => "f repeats the last   esc closes",
        None => "enter does it   esc closes",
    };
    (!entries.is_empty()).then(|| Menu {
        title: format!("faults · {target}"),
        entries,
        at: 0,
        hint: hint.to_string(),
    })
}

fn entry(key: char, words: &str, detail: &str, command: Command) -> Entry {
    Entry {
        key: Some(key),
        words: words.to_string(),
        detail: detail.to_string(),
        choice: Choice::Fault(command),
        now: false,
    }
}

/// The ends of the links that touch the selection; a data center's are those that cross its border.
fn links(topology: &Topology, selected: Item) -> Vec<(String, String)> {
    let Some(own) = selected.selector(topology) else {
        return Vec::new();
    };
    let inside = |service: usize| match selected {
        Item::Site(site) => topology.services[service].site == Some(site),
        Item::Host(_) => false,
        Item::Service(of) | Item::Instance(of, _) => of == service,
    };
    let mut found = Vec::new();
    for link in &topology.links {
        let name = |service: usize| topology.services[service].selector.clone();
        let pair = match (inside(link.from), inside(link.to)) {
            (true, false) => (own.to_string(), name(link.to)),
            (false, true) => (name(link.from), own.to_string()),
            _ => continue,
        };
        let lookup = link.kind == LinkKind::Lookups;
        if lookup && !matches!(selected, Item::Service(_) | Item::Instance(..)) {
            continue;
        }
        found.push(pair);
    }
    found
}

/// The fault that was chosen last, on the selection of now where it named a single target.
pub fn again(last: &Command, target: Option<&str>) -> Command {
    let selector = || target.map(|target| Selector(target.to_string()));
    match (last, selector()) {
        (Command::Hang(_), Some(target)) => Command::Hang(target),
        (Command::Slow(_, factor), Some(target)) => Command::Slow(target, *factor),
        _ => last.clone(),
    }
}

/// The choice of layouts.
pub fn layouts(app: &App) -> Option<Menu> {
    let choices = app.choices.iter().enumerate();
    let entries: Vec<Entry> = choices
        .map(|(index, choice)| Entry {
            key: None,
            words: choice.name.clone(),
            detail: choice.title.clone(),
            choice: Choice::Open(index),
            now: choice.name == app.name,
        })
        .collect();
    let at = app
        .choices
        .iter()
        .position(|choice| choice.name == app.name)
        .unwrap_or(0);
    let hint = "enter opens it from the start, with the same seed   esc closes".to_string();
    (!entries.is_empty()).then(|| Menu {
        title: "open a layout".to_string(),
        entries,
        at,
        hint,
    })
}
