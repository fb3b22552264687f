//! What may stand next on a command line: read from the tables of verbs and settings, so that a new row completes by itself.

use crate::command::faults::{Lasts, Param};
use crate::command::{FAULTS, Fault, SETTINGS, Selector, VERBS, matches};
use crate::layout::{KINDS, SIZES};
use crate::observe::{Kind, Topology};

use super::queues;
use super::words::WORDS;

/// The verb whose third word is a setting.
pub const SET: &str = "set";
/// The verbs whose targets keep copies.
const FORGETTING: &[&str] = &[FLUSH, "purge"];
/// The one of them that empties queues too.
const FLUSH: &str = "flush";
/// The word in front of how long a fault lasts.
const FOR: &str = "for";
/// The verb whose target is a dead-letter queue.
const REDRIVE: &str = "redrive";

/// Candidates for the word at the end of a line; it may be empty.
pub fn candidates(topology: &Topology, line: &str) -> Vec<String> {
    let start = line.rfind(' ').map_or(0, |space| space + 1);
    let before: Vec<&str> = line[..start].split_whitespace().collect();
    let Some(verb) = before.first() else {
        let composites = FAULTS.iter().filter(|fault| fault.is_composite());
        let names = VERBS.iter().map(|verb| verb.name);
        return names
            .chain(composites.map(|fault| fault.name))
            .chain(WORDS.iter().map(|word| word.name))
            .map(str::to_string)
            .collect();
    };
    let fault = Fault::named(verb);
    let row = VERBS.iter().find(|row| row.name == *verb).map(|row| row.usage);
    let word = WORDS.iter().find(|word| word.name == *verb).map(|word| word.usage);
    let Some(row) = row.or(fault.map(|fault| fault.usage)).or(word) else {
        return Vec::new();
    };
    if before.last() == Some(&FOR) {
        return vec!["30s".to_string()];
    }
    match (*verb == SET, before.len()) {
        (true, 1) => return settable(topology),
        (true, 2) => return settings(topology, before[1]),
        (true, 3) => return values(topology, before[2]),
        (false, 1) if FORGETTING.contains(verb) => return keepers(topology, *verb == FLUSH),
        (false, 1) if *verb == REDRIVE => return dead_letters(topology),
        _ => {}
    }
    let mut found: Vec<String> = Vec::new();
    for usage in row.split(" | ") {
        let expected = usage.split_whitespace().nth(before.len());
        for candidate in expected.map_or(Vec::new(), |expected| meant(topology, expected)) {
            if !found.contains(&candidate) {
                found.push(candidate);
            }
        }
    }
    if let Some(fault) = fault.filter(|fault| !matches!(fault.lasts, Lasts::Moment | Lasts::ItsSteps))
        && before.len() > 1
    {
        let figure = |param: &&Param| row.split(' ').nth(before.len()) == Some(param.name);
        found.extend(
            fault
                .params
                .iter()
                .filter(figure)
                .map(|param| param.default.to_string()),
        );
        found.push(FOR.to_string());
    }
    found
}

/// What a word of a usage stands for: names for those in capitals, itself for others; alternatives have bars between them.
fn meant(topology: &Topology, expected: &str) -> Vec<String> {
    if !expected.contains(|c: char| c.is_ascii_uppercase()) {
        return expected.split('|').map(str::to_string).collect();
    }
    let of = |kinds: &[Kind]| services(topology, |kind| kinds.contains(&kind));
    match expected {
        "TARGET" | "FROM" | "TO" => names(topology),
        "SERVICE" => of(&[Kind::Web, Kind::Workers]),
        "QUEUE" => of(&[Kind::Queue]),
        "BALANCER" => of(&[Kind::LoadBalancer]),
        "DATABASE" => of(&[Kind::Database]),
        "NODE" => nodes(topology),
        "USERS" => of(&[Kind::Users]),
        "NAME" if topology.sites.len() > 1 => {
            let sites = topology.sites.iter();
            sites.map(|site| format!("{}/", site.name)).collect()
        }
        "KIND(FIELDS)" => KINDS.iter().map(|kind| format!("{kind}()")).collect(),
        "SIZE" => SIZES.iter().map(|size| size.name.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// Everything that has a name: data centers, services, instances.
fn names(topology: &Topology) -> Vec<String> {
    let sites = topology.sites.iter().map(|site| site.name.clone());
    let instances = topology.services.iter().flat_map(|service| &service.instances);
    sites
        .chain(services(topology, |_| true))
        .chain(instances.map(|instance| instance.selector.clone()))
        .collect()
}

/// Dead-letter queues.
fn dead_letters(topology: &Topology) -> Vec<String> {
    let services = topology.services.iter().enumerate();
    let letters = services.filter(|(index, _)| queues::holds_dead_letters(topology, *index));
    letters.map(|(_, service)| service.selector.clone()).collect()
}

/// Data centers, and services that keep copies with their nodes; queues among them.
fn keepers(topology: &Topology, queues: bool) -> Vec<String> {
    let kinds = [
        Kind::Users,
        Kind::Cdn,
        Kind::Shield,
        Kind::Web,
        Kind::Serverless,
        Kind::Cache,
    ];
    let sites = topology.sites.iter().map(|site| site.name.clone());
    // What can be told one by one: nodes and edges.
    let several = |kind: Kind| matches!(kind, Kind::Cache | Kind::Cdn);
    let stores = topology.services.iter().filter(|service| several(service.kind));
    let nodes = stores
        .filter(|service| service.instances.len() > 1)
        .flat_map(|service| &service.instances);
    services(topology, |kind| {
        kinds.contains(&kind) || (queues && kind == Kind::Queue)
    })
    .into_iter()
    .chain(sites)
    .chain(nodes.map(|node| node.selector.clone()))
    .collect()
}

/// The nodes of databases.
fn nodes(topology: &Topology) -> Vec<String> {
    let databases = topology
        .services
        .iter()
        .filter(|service| service.kind == Kind::Database);
    let nodes = databases.flat_map(|service| &service.instances);
    nodes.map(|node| node.selector.clone()).collect()
}

fn services(topology: &Topology, fits: impl Fn(Kind) -> bool) -> Vec<String> {
    let services = topology.services.iter().filter(|service| fits(service.kind));
    services.map(|service| service.selector.clone()).collect()
}

/// The word by which the table of settings calls a kind.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Users => "users",
        Kind::Dns => "dns",
        Kind::LoadBalancer => "load balancer",
        Kind::Web => "web",
        Kind::Serverless => "serverless",
        Kind::SessionStore => "session store",
        Kind::Database => "database",
        Kind::Resolver => "resolver",
        Kind::Autoscaler => "autoscaler",
        Kind::Monitor => "monitor",
        Kind::Cache => "cache",
        Kind::Cdn => "cdn",
        Kind::Shield => "shield",
        Kind::Queue => "queue",
        Kind::Workers => "workers",
        Kind::Removed => "removed",
    }
}

/// Services that have any setting.
fn settable(topology: &Topology) -> Vec<String> {
    services(topology, |kind| {
        SETTINGS.iter().any(|setting| setting.kinds.contains(&word(kind)))
    })
}

/// The settings of a service; all of them where it is not known.
fn settings(topology: &Topology, target: &str) -> Vec<String> {
    let all = || SETTINGS.iter().map(|setting| setting.name.to_string()).collect();
    settings_of(topology, target).unwrap_or_else(all)
}

/// The settings of the services that a selector names, if it names any: those that one of them has.
pub fn settings_of(topology: &Topology, target: &str) -> Option<Vec<String>> {
    let numbered = target.rsplit_once('/');
    let numbered = numbered.filter(|(_, number)| number.bytes().all(|sign| sign.is_ascii_digit()));
    let of_machine = numbered.map(|(whole, _)| Selector(whole.to_string()));
    let target = Selector::parse(target).ok()?;
    let named = topology.services.iter().filter(|service| {
        let site = service.site.and_then(|site| topology.sites.get(site));
        let full = site.map_or_else(
            || service.name.clone(),
            |site| format!("{}/{}", site.name, service.name),
        );
        matches(&target, &full) || of_machine.as_ref().is_some_and(|whole| matches(whole, &full))
    });
    let kinds: Vec<&str> = named.map(|service| word(service.kind)).collect();
    if kinds.is_empty() {
        return None;
    }
    let rows = SETTINGS.iter();
    let rows = rows.filter(|setting| setting.kinds.iter().any(|kind| kinds.contains(kind)));
    Some(rows.map(|setting| setting.name.to_string()).collect())
}

/// The values of a setting: words as they are, and the value of its example in place of those in capitals.
fn values(topology: &Topology, name: &str) -> Vec<String> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        return Vec::new();
    };
    let usage = setting.usage.split_whitespace().nth(1).unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for value in usage.split('|') {
        if value.starts_with("store:") {
            let stores = topology
                .services
                .iter()
                .filter(|service| service.kind == Kind::SessionStore);
            found.extend(stores.map(|store| format!("store:{}", store.name)));
        } else if let Some(sample) = sample(value) {
            found.push(sample);
        } else if value.contains(|c: char| c.is_ascii_uppercase()) {
            found.extend(setting.example.rsplit(' ').next().map(str::to_string));
        } else {
            found.push(value.to_string());
        }
    }
    found.sort();
    found.dedup();
    found
}

/// An example of a value behind a word: `block:5s` of `block:TIME`.
fn sample(value: &str) -> Option<String> {
    let (word, expected) = value.split_once(':')?;
    match expected {
        "TIME" => Some(format!("{word}:5s")),
        "NUMBER" => Some(format!("{word}:1000")),
        _ => None,
    }
}
