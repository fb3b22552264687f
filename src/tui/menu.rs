//! Menus: lists of things to do, each with a key of its own.

use crate::command::{Command, FAULTS, Fault, Hit};
use crate::observe::{Frame, Kind, LinkKind, Topology};
use crate::world::can_hit;

use super::app::App;
use super::engine::Order;
use super::keymap::Action;
use super::lens::Lens;
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
    /// Something for the engine.
    Order(Order),
    /// Shows how the branch that is shown differs from this one.
    Compare(usize),
    /// Plays the failure of this number from its start.
    Failure(usize),
    /// What a key does.
    Act(Action),
    /// Begins to type this.
    Type(String),
    /// Colours the map by something else.
    Look(Lens),
    /// Tries the experiment at this place.
    Try(usize),
    /// Shows what came of the last experiment.
    Told,
    /// The kinds of services that can be added to this data center.
    Kinds(usize),
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

    /// What is said where no line has a key.
    pub fn without(&self, key: char) -> String {
        let why = match (self.title.as_str(), key) {
            ("branches", 'n') => ": another branch begins in the past only; {rewind} goes back",
            _ => "",
        };
        format!("no line of this menu has the key {key}{why}")
    }

    /// The entry of a key.
    pub fn keyed(&self, key: char) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == Some(key))
    }
}

/// The keys of faults, where they have one: those of links are for the first link.
const KEYS: &[(&str, char)] = &[
    ("hang", 'h'),
    ("slow", 's'),
    ("fail", 'e'),
    ("leak", 'l'),
    ("disk", 'w'),
    ("skew", 't'),
    ("isolate", 'i'),
    ("outage", 'o'),
    ("mislead", 'm'),
    ("surge", 'u'),
    ("expire", 'y'),
    ("poison", 'v'),
    ("kill", 'x'),
    ("destroy", 'X'),
    ("flush", 'F'),
    ("crash-loop", 'a'),
    ("rolling-restart", 'r'),
    ("lose", 'z'),
    ("thundering-herd", 'T'),
    ("hot-key", 'n'),
    ("pool-leak", 'L'),
    ("memory-leak", 'M'),
    ("expired-certificate", 'E'),
    ("bad-deploy", 'V'),
    ("cut", 'c'),
    ("delay", 'd'),
    ("drop", 'p'),
    ("bandwidth", 'b'),
    ("flapping", 'q'),
];
/// The keys of what has none of its own: the faults of further links.
const FURTHER: &str = "CDPBQ123456789";

/// The faults that can be done to the selection, with the defaults of their parameters; `None` for what has none.
pub fn faults(app: &App) -> Option<Menu> {
    let topology = app.topology();
    let target = app.target()?.to_string();
    let links = links(topology, app.selected);
    let links: Vec<String> = links.iter().map(|(from, to)| format!("{from} <-> {to}")).collect();
    let mut entries = Vec::new();
    let fitting = FAULTS.iter().filter(|fault| fits(fault, app.frame(), app.selected));
    for fault in fitting {
        entries.extend(entry(fault, &target, key_of(fault)));
    }
    entries.extend(of_links(&links));
    (!entries.is_empty()).then(|| Menu {
        title: format!("faults · {target}"),
        entries,
        at: 0,
        hint: hint(app),
    })
}

/// Whether anything travels between two things: between their services, or between the nodes of one database.
pub fn are_joined(topology: &Topology, one: Item, other: Item) -> bool {
    let within = |item: Item, service: usize| match item {
        Item::Site(site) => topology.services[service].site == Some(site),
        Item::Host(of) | Item::Service(of) | Item::Instance(of, _) => of == service,
    };
    let joins =
        |from: usize, to: usize| within(one, from) && within(other, to) || within(other, from) && within(one, to);
    let nodes = |service: Option<usize>| {
        let info = service.and_then(|service| topology.services.get(service));
        info.is_some_and(|info| info.kind == Kind::Database)
    };
    let of_one = one.service() == other.service() && nodes(one.service());
    of_one || topology.links.iter().any(|link| joins(link.from, link.to))
}

/// What can be done to a link, both ways or one.
pub fn link(app: &App, from: &str, to: &str) -> Option<Menu> {
    let ways = [
        format!("{from} <-> {to}"),
        format!("{from} -> {to}"),
        format!("{to} -> {from}"),
    ];
    let mut entries = of_links(&ways);
    let join = Command::parse(&format!("join {}", ways[0])).ok()?;
    entries.push(Entry {
        key: Some('0'),
        words: join.to_string(),
        detail: "all is as before on the link".to_string(),
        choice: Choice::Change(join),
        now: false,
    });
    Some(Menu {
        title: format!("faults · {}", ways[0]),
        entries,
        at: 0,
        hint: hint(app),
    })
}

/// What can go wrong with links: of the first one by the keys of its faults.
fn of_links(links: &[String]) -> Vec<Entry> {
    let mut further = FURTHER.chars();
    let mut entries = Vec::new();
    for (number, link) in links.iter().enumerate() {
        for fault in FAULTS.iter().filter(|fault| fault.hits == [Hit::Link]) {
            let key = if number == 0 { key_of(fault) } else { further.next() };
            entries.extend(entry(fault, link, key));
        }
    }
    entries
}

fn hint(app: &App) -> String {
    let words = match &app.last_fault {
        Some(_) => "f repeats the last   esc closes",
        None => "enter does it   esc closes",
    };
    words.to_string()
}

fn key_of(fault: &Fault) -> Option<char> {
    KEYS.iter().find(|(name, _)| *name == fault.name).map(|(_, key)| *key)
}

/// Whether a fault makes sense for the selection: nothing is offered that the world would refuse for what the target is.
fn fits(fault: &Fault, frame: &Frame, selected: Item) -> bool {
    match selected.service() {
        Some(service) if service < frame.services.len() => can_hit(fault, frame, service),
        _ => {
            fault.hits.contains(&Hit::Process) || (fault.hits.contains(&Hit::Site) && matches!(selected, Item::Site(_)))
        }
    }
}

fn entry(fault: &Fault, target: &str, key: Option<char>) -> Option<Entry> {
    let command = Command::parse(&fault.line(target)).ok()?;
    Some(Entry {
        key,
        words: command.to_string(),
        detail: fault.effect.to_string(),
        choice: Choice::Fault(command),
        now: false,
    })
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
    let words = last.to_string();
    let mut words: Vec<&str> = words.split(' ').collect();
    let aimed = Fault::named(words[0]).and_then(|fault| fault.usage.split(' ').nth(1));
    let single = aimed.is_some_and(|word| word != "FROM" && word.bytes().all(|b| b.is_ascii_uppercase()));
    if let (Some(target), Some(place)) = (target, words.get_mut(1))
        && single
    {
        *place = target;
    }
    Command::parse(&words.join(" ")).unwrap_or_else(|_| last.clone())
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_has_a_key_of_its_own() {
        let mut keys = BTreeSet::from(['f']);
        for fault in FAULTS {
            let key = key_of(fault).unwrap_or_else(|| panic!("{} has no key", fault.name));
            assert!(keys.insert(key), "{key} stands for two faults");
            assert!(!FURTHER.contains(key), "{key} stands for further links");
            let target = if fault.hits == [Hit::Link] { "web <-> db" } else { "web" };
            assert!(entry(fault, target, None).is_some(), "{}", fault.name);
        }
    }

    #[test]
    fn the_last_fault_is_done_to_what_is_selected_now() {
        for (last, again_at) in [
            ("hang web/1", "hang web/2"),
            ("fail web/1 20%", "fail web/2 20%"),
            ("crash-loop web/1 5s for 1m", "crash-loop web/2 5s for 1m"),
            ("cut web -> db", "cut web -> db"),
            ("thundering-herd 3", "thundering-herd 3"),
        ] {
            let last = Command::parse(last).expect("a command");
            assert_eq!(again(&last, Some("web/2")).to_string(), again_at);
        }
    }
}
