//! The menu of what can be changed while it runs: one table of settings, one of policies.

mod caches;
mod data;
mod queues;
mod sites;
mod times;
mod wiring;

use crate::command::{Command, Selector, Setting};
use crate::layout::{Balance, Sessions, Size};
use crate::observe::{Kind, ServiceInfo, ServiceState, Topology};

use super::app::App;
use super::menu::{Choice, Entry, Menu};
use super::nodes;
use super::select::{self, Item};
use super::text;
use super::truth;

/// The service that is changed.
struct Place<'a> {
    topology: &'a Topology,
    index: usize,
    info: &'a ServiceInfo,
    state: &'a ServiceState,
    /// Whether any database has several nodes.
    replicated: bool,
    /// Whether its autoscaler is on, if it has one or is one.
    autoscaler: Option<bool>,
}

/// A setting with a value.
struct Row {
    /// Kinds of services that have it.
    kinds: &'static [Kind],
    key: char,
    words: &'static str,
    detail: &'static str,
    /// The setting, where this service has it.
    setting: fn(&Place) -> Option<Setting>,
    /// Whether that is its value now, as far as a frame tells.
    now: fn(&Place) -> bool,
}

const BALANCER: &[Kind] = &[Kind::LoadBalancer];
const TIERS: &[Kind] = &[Kind::Web, Kind::Serverless];
const CALLERS: &[Kind] = &[Kind::LoadBalancer, Kind::Web, Kind::Serverless, Kind::Workers];
/// Those whose calls have a budget and a breaker.
const CLIENTS: &[Kind] = &[Kind::Web, Kind::Serverless, Kind::Workers];
const WEB: &[Kind] = &[Kind::Web];
/// Those whose machines come and go.
const TIERS_SCALED: &[Kind] = &[Kind::Web, Kind::Workers];
const SCALED: &[Kind] = &[Kind::Web, Kind::Workers, Kind::Autoscaler];

pub use wiring::kinds;

/// The share of calls that retries may be, where the budget is switched on: the default of calls.
const BUDGET: f64 = 0.2;
/// The longest wait for a slot, where shedding is switched on.
const SHED: std::time::Duration = std::time::Duration::from_millis(200);
/// The cookie of balancers that had none.
const COOKIE: &str = "SERVER";

const fn row(
    kinds: &'static [Kind],
    (key, words, detail): (char, &'static str, &'static str),
    setting: fn(&Place) -> Option<Setting>,
    now: fn(&Place) -> bool,
) -> Row {
    Row {
        kinds,
        key,
        words,
        detail,
        setting,
        now,
    }
}

/// All settings of the menu. Small letters switch on, capital ones off.
const ROWS: &[Row] = &[
    row(
        BALANCER,
        ('y', "sticky: on", "users stay with their server, by a cookie"),
        |place| Some(Setting::Sticky(Some(cookie(place)))),
        |place| sticky(place).is_some(),
    ),
    row(
        BALANCER,
        ('Y', "sticky: off", "any server may get any request"),
        |_| Some(Setting::Sticky(None)),
        |place| sticky(place).is_none(),
    ),
    row(
        BALANCER,
        (
            'o',
            "outlier ejection: on",
            "servers that fail real requests are left out for a while",
        ),
        |_| Some(Setting::Outlier(true)),
        |_| false,
    ),
    row(
        BALANCER,
        ('O', "outlier ejection: off", "only checks take servers out"),
        |_| Some(Setting::Outlier(false)),
        |_| false,
    ),
    row(
        WEB,
        ('s', "sessions: in each server", "they go down with it"),
        |_| Some(Setting::Sessions(Sessions::Local)),
        |place| mode(place) == Some(truth::LOCAL),
    ),
    row(
        TIERS,
        (
            'n',
            "sessions: in tokens",
            "clients hold them; they can't be taken back",
        ),
        |_| Some(Setting::Sessions(Sessions::Token)),
        |place| mode(place) == Some("in tokens"),
    ),
    row(
        CALLERS,
        ('0', "retries: none", "what fails has failed"),
        |_| Some(Setting::Retries(0)),
        |place| says(place, "no retries"),
    ),
    row(
        CALLERS,
        ('3', "retries: 3", "what broke on the way is tried again"),
        |_| Some(Setting::Retries(3)),
        |place| says(place, "3 retries"),
    ),
    row(
        CLIENTS,
        ('m', "retry budget: 20%", "retries are at most a fifth of the calls"),
        |_| Some(Setting::Budget(Some(BUDGET))),
        |place| says(place, "budget 20%"),
    ),
    row(
        CLIENTS,
        ('M', "retry budget: off", "nothing stops a storm of retries"),
        |_| Some(Setting::Budget(None)),
        |place| says(place, "no budget"),
    ),
    row(
        CLIENTS,
        ('b', "breaker: on", "calls stop for a while when too many fail"),
        |_| Some(Setting::Breaker(true)),
        |place| says(place, "breaker"),
    ),
    row(
        CLIENTS,
        ('B', "breaker: off", "every call is tried"),
        |_| Some(Setting::Breaker(false)),
        |place| says(place, "no breaker"),
    ),
    row(
        WEB,
        (
            'w',
            "shed load: after 200ms",
            "who waited longer for a slot is turned away",
        ),
        |_| Some(Setting::Shed(Some(SHED))),
        |_| false,
    ),
    row(
        WEB,
        ('W', "shed load: off", "everybody waits for a slot"),
        |_| Some(Setting::Shed(None)),
        |_| false,
    ),
    row(
        SCALED,
        ('a', "autoscaler: on", "machines come and go by load"),
        |place| place.autoscaler.map(|_| Setting::Autoscaler(true)),
        |place| place.autoscaler == Some(true),
    ),
    row(
        SCALED,
        ('A', "autoscaler: off", "the number of machines stays"),
        |place| place.autoscaler.map(|_| Setting::Autoscaler(false)),
        |place| place.autoscaler == Some(false),
    ),
];

/// All policies of a balancer, with the words that frames call them by.
const POLICIES: &[(char, Balance, &str, &str)] = &[
    ('r', Balance::RoundRobin, "round robin", "in turn"),
    (
        'v',
        Balance::Weighted,
        "weighted",
        "in turn, each as often as its weight says",
    ),
    (
        'c',
        Balance::LeastConnections,
        "least connections",
        "the one with the fewest in progress",
    ),
    (
        'p',
        Balance::PowerOfTwo,
        "power of two choices",
        "the less busy of two drawn at random",
    ),
    ('a', Balance::Random, "random", "any"),
    (
        's',
        Balance::SourceHash,
        "source hash",
        "by the user's address: always the same, while it is up",
    ),
    (
        'h',
        Balance::ConsistentHash,
        "consistent hash",
        "by the row: few move when a server comes or goes",
    ),
];

fn sticky<'a>(place: &'a Place) -> Option<&'a str> {
    place.state.balancer.as_ref()?.sticky.as_deref()
}

fn cookie(place: &Place) -> String {
    sticky(place).unwrap_or(COOKIE).to_string()
}

fn mode<'a>(place: &'a Place) -> Option<&'a str> {
    place.state.sessions.as_ref()?.mode.as_deref()
}

/// Whether this is among the words of all its calls' settings.
fn says(place: &Place, words: &str) -> bool {
    let calls = &place.state.calls;
    let has = |policy: &str| policy.split(", ").any(|part| part == words);
    !calls.is_empty() && calls.iter().all(|calls| has(&calls.policy))
}

/// Whether anything about the selection can be changed, told without making the menu, which takes some milliseconds: wherever services stand, others can be
/// added.
pub fn any(app: &App) -> bool {
    let site = app
        .selected
        .service()
        .and_then(|service| app.topology().services.get(service)?.site);
    matches!(app.selected, Item::Site(_)) || site.is_some() || menu(app).is_some()
}

/// The changes that can be made to the selection; `None` for what has none.
pub fn menu(app: &App) -> Option<Menu> {
    let topology = app.topology();
    let target = app.target()?;
    if let Item::Site(site) = app.selected {
        let mut entries = sites::site(app.frame(), site);
        entries.push(wiring::beside(topology, site));
        return listed(target, entries);
    }
    let (Item::Host(index) | Item::Service(index) | Item::Instance(index, _)) = app.selected else {
        return None;
    };
    let (info, state) = topology.services.get(index).zip(app.frame().services.get(index))?;
    let instance = match app.selected {
        Item::Instance(_, instance) => info.instances.get(instance),
        _ => info.instances.first(),
    };
    let mut entries = Vec::new();
    if scalable(topology, index) {
        entries.extend(scales(info));
    }
    if !matches!(app.selected, Item::Host(_)) {
        let mut scalers = app.frame().services.iter().enumerate();
        let autoscaler = scalers.find_map(|(other, state)| {
            let scaler = state.autoscaler.as_ref()?;
            (scaler.of == index || other == index).then_some(scaler.on)
        });
        let place = Place {
            topology,
            index,
            info,
            state,
            replicated: nodes::first(app.frame()).is_some(),
            autoscaler,
        };
        let node = match app.selected {
            Item::Instance(_, instance) => Some(instance),
            _ => (info.instances.len() == 1).then_some(0),
        };
        entries.extend(data::database(&place, node));
        entries.extend(data::asked(&place));
        entries.extend(data::users(&place));
        entries.extend(policies(&place));
        entries.extend(sites::routings(&place));
        entries.extend(settings(&place));
        entries.extend(caches::caches(&place, target));
        entries.extend(queues::queues(&place));
        entries.extend(times::ttls(&place));
        entries.extend(times::checks(&place));
        entries.extend(revocation(&place));
    }
    if let Some(instance) = instance {
        entries.extend(sizes(target, &instance.size));
    }
    if !matches!(app.selected, Item::Host(_)) {
        entries.extend(wiring::entries(topology, info));
    }
    entries.sort_by_key(|entry| weight(&entry.choice));
    listed(target, entries)
}

/// What is wanted most comes first, then what restarts or forgets nothing; what takes something away comes last.
fn weight(choice: &Choice) -> u8 {
    let command = match choice {
        Choice::Change(command) | Choice::Fault(command) => Ok(command.clone()),
        Choice::Line(line) => Command::parse(line),
        _ => return 2,
    };
    let Ok(command) = command else { return 1 };
    match command {
        Command::Scale(..) | Command::Replicate(_) => 0,
        Command::Connect(..) | Command::Disconnect(..) => 2,
        Command::Promote(_)
        | Command::Close(_)
        | Command::Resize(..)
        | Command::Revoke(..)
        | Command::Flush(_)
        | Command::Purge(..)
        | Command::Deploy
        | Command::Expire(_)
        | Command::Poison(_) => 3,
        Command::Remove(_) => 4,
        _ => 1,
    }
}

/// The menu of these changes, if there are any.
fn listed(target: &str, entries: Vec<Entry>) -> Option<Menu> {
    let hint = if entries.iter().any(|entry| entry.now) {
        "● is now   enter does it   esc closes"
    } else {
        "enter does it   esc closes"
    };
    (!entries.is_empty()).then(|| Menu {
        title: format!("change · {target}"),
        entries,
        at: 0,
        hint: hint.to_string(),
    })
}

/// Whether `+` and `-` set how many machines a service has.
pub fn scalable(topology: &Topology, service: usize) -> bool {
    let info = topology.services.get(service);
    info.is_some_and(|info| TIERS_SCALED.contains(&info.kind)) && !select::shared(topology, service)
}

/// What `+` does to a database: the line of the command that adds a replica.
pub fn replica(app: &App) -> Option<String> {
    let service = app.selected.service()?;
    let info = app.topology().services.get(service)?;
    let database = app.frame().services.get(service)?.database.as_ref()?;
    data::more(database, &info.selector)
}

fn change(key: char, words: impl Into<String>, detail: impl Into<String>, command: Command) -> Entry {
    Entry {
        key: Some(key),
        words: words.into(),
        detail: detail.into(),
        choice: Choice::Change(command),
        now: false,
    }
}

fn sizes(target: &str, now: &str) -> Vec<Entry> {
    let size = Size::named(now);
    let others = [
        ('u', "up", size.and_then(Size::next)),
        ('d', "down", size.and_then(smaller)),
    ];
    let entry = |(key, word, other): (char, &str, Option<&Size>)| {
        let other = other?;
        let price = text::dollars(other.price_per_hour);
        let detail = format!("{} cores, {price}/h; restarts it", other.cores);
        let command = Command::Resize(Selector(target.to_string()), other.name.to_string());
        let words = format!("size {word}: {now} to {}", other.name);
        Some(change(key, words, detail, command))
    };
    others.into_iter().filter_map(entry).collect()
}

fn smaller(size: &'static Size) -> Option<&'static Size> {
    crate::layout::SIZES.iter().find(|other| other.next() == Some(size))
}

fn scales(service: &ServiceInfo) -> Vec<Entry> {
    let count = service.instances.len() as u32;
    let scale = |count| Command::Scale(Selector(service.selector.clone()), count);
    let more = format!("a machine more: {}", count + 1);
    let mut entries = vec![change('+', more, "it boots first", scale(count + 1))];
    if count > 1 {
        let fewer = format!("a machine fewer: {}", count - 1);
        entries.push(change('-', fewer, "it answers what it holds first", scale(count - 1)));
    }
    entries
}

fn policies(place: &Place) -> Vec<Entry> {
    let Some(balancer) = &place.state.balancer else {
        return Vec::new();
    };
    let entry = |(key, policy, words, detail): &(char, Balance, &str, &str)| {
        let command = Command::Balance(Selector(place.info.selector.clone()), *policy);
        Entry {
            now: balancer.policy == *words,
            ..change(*key, format!("balance: {words}"), *detail, command)
        }
    };
    POLICIES.iter().map(entry).collect()
}

fn settings(place: &Place) -> Vec<Entry> {
    let mut entries = Vec::new();
    for row in ROWS.iter().filter(|row| row.kinds.contains(&place.info.kind)) {
        let Some(setting) = (row.setting)(place) else {
            continue;
        };
        // Stores stand between the servers themselves and tokens.
        if matches!(setting, Setting::Sessions(Sessions::Token)) {
            entries.extend(stores(place));
        }
        let command = Command::Set(Selector(place.info.selector.clone()), setting);
        entries.push(Entry {
            now: (row.now)(place),
            ..change(row.key, row.words, row.detail, command)
        });
    }
    entries
}

/// The session stores of its data center; the first one has a key.
fn stores(place: &Place) -> Vec<Entry> {
    let services = place.topology.services.iter();
    let stores = services.filter(|other| other.kind == Kind::SessionStore && other.site == place.info.site);
    let entry = |(index, store): (usize, &ServiceInfo)| {
        let setting = Setting::Sessions(Sessions::Store(store.name.clone()));
        let command = Command::Set(Selector(place.info.selector.clone()), setting);
        let words = format!("sessions: in {}", store.name);
        Entry {
            key: (index == 0).then_some('t'),
            now: mode(place) == Some(&format!("in the store {}", store.name)),
            ..change(' ', words, "any server serves anybody; all need the store", command)
        }
    };
    stores.enumerate().map(entry).collect()
}

/// Ending the sessions of a whole population, where there are any.
fn revocation(place: &Place) -> Option<Entry> {
    let users = place.state.users.as_ref().filter(|users| users.sessions.issued > 0)?;
    let command = Command::Revoke(Selector(place.info.selector.clone()), 1.0);
    let detail = format!(
        "{} are signed in; tokens stay valid",
        text::count(users.sessions.signed_in)
    );
    Some(change('v', "revoke all sessions", detail, command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_in_each_menu() {
        let kinds = [
            Kind::LoadBalancer,
            Kind::Web,
            Kind::Serverless,
            Kind::Workers,
            Kind::Autoscaler,
            Kind::Dns,
        ];
        for kind in kinds {
            let rows = ROWS.iter().filter(|row| row.kinds.contains(&kind)).map(|row| row.key);
            let policies = POLICIES.iter().map(|row| row.0);
            let policies = policies.filter(|_| kind == Kind::LoadBalancer);
            // Those of sizes and machines, of checks, and of times to live.
            let ttls = if kind == Kind::Dns { "123" } else { "" };
            let common = "udjkgGq+-tfiIxX".chars().chain(ttls.chars());
            let mut keys: Vec<char> = common.chain(rows).chain(policies).collect();
            keys.sort_unstable();
            let all = keys.len();
            keys.dedup();
            assert_eq!(keys.len(), all, "{kind:?}: {keys:?}");
        }
    }

    #[test]
    fn every_policy_is_in_the_table() {
        let names: Vec<String> = POLICIES.iter().map(|row| format!("{:?}", row.1)).collect();
        for policy in [
            Balance::RoundRobin,
            Balance::Weighted,
            Balance::Random,
            Balance::LeastConnections,
            Balance::PowerOfTwo,
            Balance::SourceHash,
            Balance::ConsistentHash,
        ] {
            assert!(names.contains(&format!("{policy:?}")), "{policy:?}");
        }
    }
}
