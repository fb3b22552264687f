//! What can be changed about who is there and who calls whom: services added, removed and connected.

use crate::command::{Command, Selector};
use crate::layout::{KINDS, Layout, parse};
use crate::observe::{Kind, ServiceInfo, Topology};
use crate::tui::app::App;
use crate::tui::menu::{Choice, Entry, Menu};

/// What each kind is for, in the order of [`KINDS`], and how one begins.
const ABOUT: [(&str, &str, &str); 8] = [
    ("lb", "spreads requests over servers", "LoadBalancer(to: \"web\")"),
    ("web2", "makes pages and JSON", "Web(machines: 2)"),
    ("functions", "makes pages, without servers of yours", "Serverless()"),
    ("sessions", "holds who is signed in", "SessionStore()"),
    ("db2", "holds rows", "Database()"),
    ("cache", "holds copies of rows, in memory", "Cache(machines: 2)"),
    (
        "queue",
        "holds messages until workers have done them",
        "Queue(retention: \"1h\")",
    ),
    (
        "workers",
        "take messages from a queue",
        "Consumer(of: \"queue\", machines: 2)",
    ),
];

/// Of a service: whom it may call, whom no more, one more beside it, and its end.
pub(super) fn entries(topology: &Topology, info: &ServiceInfo) -> Vec<Entry> {
    // What stands outside of all data centers calls what DNS says.
    let Some(layout) = info.site.and_then(|_| layout(topology)) else {
        return Vec::new();
    };
    let own = Selector(info.selector.clone());
    let others = topology
        .services
        .iter()
        .filter(|other| other.site == info.site && other.site.is_some() && other.selector != info.selector);
    let fits = |command: &Command| matches!(command.edited(&layout), Ok(Some(_)));
    let mut entries = Vec::new();
    for other in others {
        let to = Selector(other.selector.clone());
        let connect = Command::Connect(own.clone(), to.clone());
        let disconnect = Command::Disconnect(own.clone(), to);
        // Workers are drawn behind their queue, and are the ones who ask: that is offered at their end.
        if info.kind == Kind::Queue && other.kind == Kind::Workers {
            continue;
        }
        if fits(&connect) {
            entries.push(entry(
                format!("connect with {}", other.name),
                "it is called from now on, in place of another of its kind",
                Choice::Change(connect),
            ));
        } else if fits(&disconnect) {
            entries.push(entry(
                format!("disconnect from {}", other.name),
                "it is called no more",
                Choice::Change(disconnect),
            ));
        }
    }
    if let Some(site) = info.site {
        entries.push(beside(topology, site));
    }
    let remove = Command::Remove(own);
    if fits(&remove) {
        entries.push(entry(
            format!("remove {}", info.name),
            "with all that is on its disks; asks first",
            Choice::Fault(remove),
        ));
    }
    entries
}

/// Leads to the menu of kinds.
pub(super) fn beside(topology: &Topology, site: usize) -> Entry {
    let place = topology.sites.get(site).map_or("", |site| site.name.as_str());
    let words = match topology.sites.len() {
        1 => "add a service".to_string(),
        _ => format!("add a service to {place}"),
    };
    entry(words, "of eight kinds; connect it then", Choice::Kinds(site))
}

/// The kinds of services that can be added to a data center.
pub fn kinds(app: &App, site: usize) -> Option<Menu> {
    let topology = app.topology();
    let place = &topology.sites.get(site)?.name;
    let taken = |name: &str| {
        let mut services = topology.services.iter();
        services.any(|service| service.site == Some(site) && service.name == name)
    };
    let first = |kind: Kind| {
        let mut services = topology.services.iter();
        services.find(|service| service.site == Some(site) && service.kind == kind)
    };
    let entries = KINDS.iter().zip(ABOUT).map(|(kind, (name, about, text))| {
        let mut names = std::iter::once(name.to_string()).chain((2..).map(|number| format!("{name}{number}")));
        let name = names.find(|name| !taken(name)).unwrap_or_default();
        let name = match topology.sites.len() {
            1 => name,
            _ => format!("{place}/{name}"),
        };
        // Those whom it needs are named as they are called here.
        let mut text = text.to_string();
        for (word, kind) in [("\"web\"", Kind::Web), ("\"queue\"", Kind::Queue)] {
            if let Some(service) = first(kind) {
                text = text.replace(word, &format!("{:?}", service.name));
            }
        }
        entry((*kind).to_string(), about, Choice::Type(format!("add {name} {text}")))
    });
    Some(Menu {
        title: format!("add to {place}"),
        entries: entries.collect(),
        at: 0,
        hint: "enter types the command, to be changed before it is sent   esc closes".to_string(),
    })
}

fn entry(words: String, detail: &str, choice: Choice) -> Entry {
    Entry {
        key: None,
        words,
        detail: detail.to_string(),
        choice,
        now: false,
    }
}

/// What the world says that it is.
fn layout(topology: &Topology) -> Option<Layout> {
    parse(&topology.layout, "running").ok()
}
