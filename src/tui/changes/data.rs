//! What can be changed about a database: commands as one would type them, read when they are used.

use crate::command::Setting;
use crate::layout::Asks;
use crate::observe::{DatabaseKind, DatabaseState, Kind, NodeRole, NodeState};
use crate::tui::menu::{Choice, Entry};

use super::Place;

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    /// The node that is selected.
    Node,
    /// The database.
    Database,
}

/// Where a command makes sense.
type Fits = fn(&DatabaseState, Option<&NodeState>) -> bool;

/// A command with its key. `{}` is what it is about; what comes behind `now:` are the words of the policy that say that it is so already.
struct Row {
    on: On,
    fits: Fits,
    key: char,
    words: &'static str,
    detail: &'static str,
    line: &'static str,
    now: &'static str,
}

const fn row(on: On, fits: Fits, (key, words, detail): (char, &'static str, &'static str), line: &'static str) -> Row {
    Row {
        on,
        fits,
        key,
        words,
        detail,
        line,
        now: "",
    }
}

const fn setting(
    fits: Fits,
    (key, words, detail): (char, &'static str, &'static str),
    line: &'static str,
    now: &'static str,
) -> Row {
    Row {
        now,
        ..row(On::Database, fits, (key, words, detail), line)
    }
}

const REPLICAS: Fits = |database, _| database.kind == DatabaseKind::PrimaryReplicas;
const PEERS: Fits = |database, _| matches!(database.kind, DatabaseKind::MultiPrimary | DatabaseKind::Circular);

/// All commands. Small letters switch on, capital ones off.
const ROWS: &[Row] = &[
    row(
        On::Node,
        |database, node| {
            let role = node.and_then(|node| node.role);
            database.kind == DatabaseKind::PrimaryReplicas
                && matches!(role, Some(NodeRole::Replica | NodeRole::Candidate | NodeRole::Fenced))
        },
        (
            'p',
            "promote",
            "it becomes the primary; the present one hands over first",
        ),
        "promote {}",
    ),
    row(
        On::Node,
        |_, node| node.is_some_and(|node| node.aside > 0),
        ('r', "recover", "gives the writes that only it has to the primary"),
        "recover {}",
    ),
    row(
        On::Node,
        |database, _| database.kind == DatabaseKind::Circular,
        ('c', "close the ring", "the next node goes on to the one before it"),
        "close {}",
    ),
    row(
        On::Node,
        PEERS,
        ('>', "clock +5s", "its wall clock is five seconds fast"),
        "skew {} 5s",
    ),
    row(
        On::Node,
        PEERS,
        ('<', "clock -5s", "its wall clock is five seconds slow"),
        "skew {} -5s",
    ),
    row(
        On::Node,
        |_, node| node.is_some_and(|node| node.skew_ms.abs() > 0.0),
        ('0', "clock right", "its wall clock shows the true time"),
        "skew {} 0s",
    ),
    row(
        On::Database,
        |database, _| database.kind != DatabaseKind::Single,
        ('+', "a replica more", "it copies all rows before it has a say"),
        "replicate {}",
    ),
    row(
        On::Database,
        |database, _| database.sharding.is_some(),
        ('h', "a shard more", "keys move to it while all are served"),
        "shard {}",
    ),
    setting(
        REPLICAS,
        ('a', "mode: asynchronous", "done once the primary has it"),
        "set {} mode asynchronous",
        "asynchronous",
    ),
    setting(
        REPLICAS,
        ('s', "mode: semi-synchronous", "done once one replica has it too"),
        "set {} mode semi-synchronous",
        "semi-synchronous",
    ),
    setting(
        REPLICAS,
        ('y', "mode: synchronous", "done once all nodes have it"),
        "set {} mode synchronous",
        "synchronous",
    ),
    setting(
        REPLICAS,
        ('m', "mode: quorum", "done once a majority has it"),
        "set {} mode quorum",
        "quorum",
    ),
    setting(
        REPLICAS,
        ('1', "reads: replicas", "what they answer can be old"),
        "set {} reads replicas",
        "reads from replicas",
    ),
    setting(
        REPLICAS,
        ('2', "reads: primary", "never old; the primary does all the work"),
        "set {} reads primary",
        "reads from the primary",
    ),
    setting(
        REPLICAS,
        ('3', "reads: any", "the primary answers some of them"),
        "set {} reads any",
        "reads from any node",
    ),
    setting(
        REPLICAS,
        ('w', "read your writes: on", "a node that lacks them asks the primary"),
        "set {} read-your-writes on",
        "read your writes",
    ),
    setting(
        REPLICAS,
        ('W', "read your writes: off", "users may miss what they just wrote"),
        "set {} read-your-writes off",
        "",
    ),
    setting(
        REPLICAS,
        ('f', "fencing: on", "without its lease the primary takes no writes"),
        "set {} fencing on",
        "fencing",
    ),
    setting(
        REPLICAS,
        ('F', "fencing: off", "a partition can make two primaries"),
        "set {} fencing off",
        "no fencing",
    ),
    setting(
        REPLICAS,
        ('o', "failover: after 3s", "short: a slow primary may lose its place"),
        "set {} failover 3s",
        "failover after 3s",
    ),
    setting(
        REPLICAS,
        ('i', "failover: after 10s", "long: nobody takes writes meanwhile"),
        "set {} failover 10s",
        "failover after 10s",
    ),
    setting(
        REPLICAS,
        ('O', "failover: by hand", "nobody takes over until you say so"),
        "set {} failover off",
        "failover by hand",
    ),
    setting(
        PEERS,
        ('w', "rule: last write wins", "by the nodes' clocks, right or wrong"),
        "set {} rule last-write-wins",
        "last write wins",
    ),
    setting(
        PEERS,
        (
            'y',
            "rule: hybrid clocks",
            "a write is later than what its node had seen",
        ),
        "set {} rule hybrid-clocks",
        "hybrid clocks",
    ),
    setting(
        PEERS,
        ('v', "rule: highest value", "the greater of two values stands"),
        "set {} rule highest-value",
        "highest value",
    ),
    setting(
        PEERS,
        ('m', "rule: merge sets", "both are kept, in one set"),
        "set {} rule merge-sets",
        "merge sets",
    ),
    setting(
        PEERS,
        ('b', "rule: keep both", "the application decides later"),
        "set {} rule keep-both",
        "keep both",
    ),
    setting(
        PEERS,
        ('s', "rule: site priority", "the first data center's write stands"),
        "set {} rule site-priority",
        "site priority",
    ),
];

/// Settings of users that only matter to databases.
const HOT: &[(char, &str, &str, &str)] = &[
    (
        'c',
        "a celebrity: 30%",
        "three of ten requests are for one row",
        "set {} hot 30%",
    ),
    ('C', "a celebrity: none", "as the layout spreads them", "set {} hot off"),
];

fn entry(key: char, words: &str, detail: &str, line: &str, target: &str, now: bool) -> Entry {
    Entry {
        key: Some(key),
        words: words.to_string(),
        detail: detail.to_string(),
        choice: Choice::Line(line.replace("{}", target)),
        now,
    }
}

/// Whether one of the settings in words is this one.
fn says(policy: &str, words: &str) -> bool {
    !words.is_empty() && policy.split(", ").any(|part| part == words)
}

/// The commands that make sense for a database, and for one of its nodes if that is selected.
pub(super) fn database(place: &Place, instance: Option<usize>) -> Vec<Entry> {
    let Some(database) = &place.state.database else {
        return Vec::new();
    };
    let node = instance.and_then(|instance| {
        let own = |node: &&NodeState| node.instance == Some((place.index, instance));
        database.nodes.iter().find(own)
    });
    let rows = ROWS.iter().filter(|row| (row.fits)(database, node));
    rows.filter_map(|row| {
        let target = match row.on {
            On::Node => node?.name.as_str(),
            On::Database => place.info.selector.as_str(),
        };
        let now = says(&database.policy, row.now);
        Some(entry(row.key, row.words, row.detail, row.line, target, now))
    })
    .collect()
}

/// What people ask for, to be typed anew.
pub(super) fn asked(place: &Place) -> Option<Entry> {
    let users = place.state.users.as_ref()?;
    let setting = Setting::Asks(Asks::of(users.asks)).to_string();
    let detail = setting.strip_prefix("asks ").unwrap_or_default().replace(',', ", ");
    Some(Entry {
        key: Some('a'),
        words: "ask for something else".to_string(),
        detail,
        choice: Choice::Type(format!("set {} {setting}", place.info.selector)),
        now: false,
    })
}

/// What users can do to a database: all ask for one row.
pub(super) fn users(place: &Place) -> Vec<Entry> {
    let databases = place
        .topology
        .services
        .iter()
        .any(|service| service.kind == Kind::Database);
    let several = place.replicated;
    if place.info.kind != Kind::Users || !databases || !several {
        return Vec::new();
    }
    let target = &place.info.selector;
    HOT.iter()
        .map(|(key, words, detail, line)| entry(*key, words, detail, line, target, false))
        .collect()
}

/// The command that adds a replica to the database of a service.
pub(super) fn more(database: &DatabaseState, selector: &str) -> Option<String> {
    (database.kind != DatabaseKind::Single).then(|| format!("replicate {selector}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_at_every_database() {
        let node = |role| NodeState {
            instance: Some((0, 0)),
            name: "db/1".to_string(),
            shard: 0,
            number: 0,
            role: Some(role),
            term: 1,
            position: 1,
            behind: 0,
            lag: std::time::Duration::ZERO,
            torn: false,
            agrees: true,
            aside: 1,
            siblings: 0,
            rebuilt: None,
            skew_ms: 1.0,
            rows: 1,
            voter: true,
        };
        for (kind, role) in [
            (DatabaseKind::PrimaryReplicas, NodeRole::Replica),
            (DatabaseKind::MultiPrimary, NodeRole::Peer),
            (DatabaseKind::Circular, NodeRole::Peer),
        ] {
            let database = DatabaseState {
                kind,
                sharding: Some("modulo".to_string()),
                ..DatabaseState::default()
            };
            let node = node(role);
            let rows = ROWS.iter().filter(|row| (row.fits)(&database, Some(&node)));
            let mut keys: Vec<char> = "udjkgGq".chars().chain(rows.map(|row| row.key)).collect();
            keys.sort_unstable();
            let all = keys.len();
            keys.dedup();
            assert_eq!(keys.len(), all, "{kind:?}: {keys:?}");
        }
    }

    #[test]
    fn what_is_set_is_found_among_the_words_of_a_policy() {
        let policy = "semi-synchronous, failover after 3s, 3 monitors, no fencing";
        let now: Vec<&str> = ROWS
            .iter()
            .filter(|row| says(policy, row.now))
            .map(|row| row.line)
            .collect();
        let expected = [
            "set {} mode semi-synchronous",
            "set {} fencing off",
            "set {} failover 3s",
        ];
        assert_eq!(now, expected);
    }
}
